/** What must be one step in Redis. Times are Redis's own, so that the clocks of its clients do not matter. */
export const scripts = {
  // KEYS buckets, ARGV[1] for each of them perSecond burst atMost back ahead, ARGV[2] requests: each a list of the place
  // of a bucket and the tokens wanted of it, in turn.
  // -> for each bucket whole tokens left and how many were granted in advance; then for each request whether it is
  // allowed, and for each of its buckets whole tokens left and ms until as many could be taken again.
  // A request takes from all or from none; an advance is granted in whole where half of the burst is left then. `atMost`
  // is what the caller knows better after an outage, -1 when it does not. The same sum is in `buckets.ts`. A bucket that
  // would be full again is forgotten.
  takeTokens: {
    lua: `
      local time = redis.call('TIME')
      local now = time[1] * 1000 + time[2] / 1000
      local buckets, levels = cjson.decode(ARGV[1]), {}
      for place, bucket in ipairs(buckets) do
        local perSecond, burst, atMost, back = unpack(bucket)
        local tokens, kept = burst, redis.call('GET', KEYS[place])
        if kept then
          local left, at = struct.unpack('dd', kept)
          tokens = left + back + math.max(0, now - at) * perSecond / 1000
        end
        if atMost >= 0 then tokens = math.min(tokens, atMost) end
        levels[place] = math.min(burst, tokens)
      end
      local decisions = {}
      for _, request in ipairs(cjson.decode(ARGV[2])) do
        local allowed = true
        for n = 1, #request, 2 do allowed = allowed and levels[request[n]] >= request[n + 1] end
        table.insert(decisions, allowed and 1 or 0)
        for n = 1, #request, 2 do
          local place, wanted = request[n], request[n + 1]
          if allowed then levels[place] = levels[place] - wanted end
          table.insert(decisions, math.floor(levels[place]))
          table.insert(decisions, math.max(0, math.ceil((wanted - levels[place]) * 1000 / buckets[place][1])))
        end
      end
      local answer = {}
      for place, bucket in ipairs(buckets) do
        local perSecond, burst, _, _, ahead = unpack(bucket)
        if levels[place] - ahead < burst / 2 then ahead = 0 end
        local left, fullAfterMs = levels[place] - ahead, math.ceil(burst / perSecond * 1000)
        redis.call('SET', KEYS[place], struct.pack('dd', left, now), 'PX', fullAfterMs + 1000)
        table.insert(answer, math.floor(left))
        table.insert(answer, ahead)
      end
      for _, number in ipairs(decisions) do table.insert(answer, number) end
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
  takeTokens(buckets: number, ...keysThenRequests: string[]): Promise<number[]>;
  takeLease(lease: string, fence: string, token: string, ttlMs: number): Promise<string | null>;
  renewLease(lease: string, token: string, ttlMs: number): Promise<number>;
  releaseLease(lease: string, token: string): Promise<number>;
}
