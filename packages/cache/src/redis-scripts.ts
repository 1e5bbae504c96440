/** What must be one step in Redis. Times are Redis's own, so that the clocks of its clients do not matter. */
export const scripts = {
  // KEYS buckets, ARGV for each of them perSecond burst wanted atMost -> allowed, then for each whole tokens left and ms
  // until as many could be taken again. From all or from none. `atMost` is what the caller knows better after an
  // outage; -1 when it does not. The same sum is in `buckets.ts`. A bucket that would be full again is forgotten.
  takeTokens: {
    lua: `
      local time = redis.call('TIME')
      local now = time[1] * 1000 + time[2] / 1000
      local levels, allowed = {}, true
      for i, key in ipairs(KEYS) do
        local perSecond, burst, wanted, atMost = unpack(ARGV, i * 4 - 3, i * 4)
        local level = redis.call('HMGET', key, 'tokens', 'at')
        local tokens, at = tonumber(level[1] or burst), tonumber(level[2] or now)
        tokens = math.min(tonumber(burst), tokens + math.max(0, now - at) * perSecond / 1000)
        if tonumber(atMost) >= 0 then tokens = math.min(tokens, tonumber(atMost)) end
        levels[i] = tokens
        allowed = allowed and tokens >= tonumber(wanted)
      end
      local answer = { allowed and 1 or 0 }
      for i, key in ipairs(KEYS) do
        local perSecond, burst, wanted = unpack(ARGV, i * 4 - 3, i * 4 - 1)
        local tokens = levels[i]
        if allowed then tokens = tokens - wanted end
        redis.call('HSET', key, 'tokens', string.format('%.9f', tokens), 'at', string.format('%.3f', now))
        redis.call('PEXPIRE', key, math.ceil(burst / perSecond * 1000) + 1000)
        answer[i * 2] = math.floor(tokens)
        answer[i * 2 + 1] = math.max(0, math.ceil((wanted - tokens) * 1000 / perSecond))
      end
      return answer`,
  },
  // KEYS lease fence, ARGV token ttlMs -> fence, or nil when somebody holds the lease. Fences are microseconds, so that
  // they grow even over a Redis that forgot the last one.
  takeLease: {
    numberOfKeys: 2,
    lua: `
      if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return nil end
      local time = redis.call('TIME')
      local last = tonumber(redis.call('GET', KEYS[2]) or 0)
      local fence = string.format('%.0f', math.max(last + 1, time[1] * 1000000 + time[2]))
      redis.call('SET', KEYS[2], fence, 'PX', 86400000)
      return fence`,
  },
  // KEYS lease, ARGV token ttlMs -> 1 when it was ours still.
  renewLease: {
    numberOfKeys: 1,
    lua: `
      if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
      return redis.call('PEXPIRE', KEYS[1], ARGV[2])`,
  },
  releaseLease: {
    numberOfKeys: 1,
    lua: `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`,
  },
} as const;

/** The commands that ioredis makes of the scripts. */
export interface ScriptCommands {
  takeTokens(buckets: number, ...keysThenArguments: (string | number)[]): Promise<number[]>;
  takeLease(lease: string, fence: string, token: string, ttlMs: number): Promise<string | null>;
  renewLease(lease: string, token: string, ttlMs: number): Promise<number>;
  releaseLease(lease: string, token: string): Promise<number>;
}
