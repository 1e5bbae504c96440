const redacted = '[redacted]';
const maxDepth = 8;
const maxItems = 100;
const maxTextLength = 16_384;

const secretWords =
  'password|passwd|passphrase|token|secret|authorization|cookie|api[_-]?key|private[_-]?key|credential|pwd';
const secretName = new RegExp(secretWords, 'i');
/** Personal data, as the contracts call it. Names that are used for other things too, such as `name`, are not here. */
const personalName =
  /^e?mail$|^(recipient|inviter)$|phone|user_?agent|device_?name|display_?name|last_?used_?from/i;

/** Where secrets hide inside texts: error messages with a connection string, quoted headers, bodies and queries. */
const secretsInText: readonly (readonly [RegExp, string])[] = [
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${redacted}`],
  // A JSON web token. It begins only where no letter of one stands before: else `eyJ-eyJ-…` is read to its end from each.
  [/(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*/g, redacted],
  [/(:\/\/[^/\s:@]*):[^/\s]+@/g, `$1:${redacted}@`],
  [new RegExp(`((?:${secretWords})[\\w-]{0,40}\\s{0,4}=)[^\\s"&;,]+`, 'gi'), `$1${redacted}`],
  [
    new RegExp(`((?:${secretWords})[\\w-]{0,40}"\\s{0,4}:\\s{0,4})"(?:[^"\\\\]|\\\\.)*"?`, 'gi'),
    `$1"${redacted}"`,
  ],
];

/** The text without what looks like a secret, and not longer than a log line should be. */
export function redactText(text: string): string {
  const short =
    text.length > maxTextLength ? `${text.slice(0, maxTextLength)}… (${text.length} characters)` : text;
  return secretsInText.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), short);
}

/**
 * A copy that is plain JSON and holds no secret and no personal data: values under names that sound like one are hidden
 * at any depth, whatever they are. Never throws and always ends, whatever it is given.
 */
export function redact(value: unknown): unknown {
  return copy(value, 0, []);
}

function copy(value: unknown, depth: number, above: readonly object[]): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`;
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (above.includes(value)) return '[circular]';
  if (depth >= maxDepth) return '[too deep]';
  try {
    return copyObject(value, depth + 1, [...above, value]);
  } catch {
    return '[unreadable]'; // a getter or toJSON that throws must not take the work down with it
  }
}

function copyObject(value: object, depth: number, above: readonly object[]): unknown {
  if (value instanceof Error) return copyError(value, depth, above);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Map) return copyEntries([...value.entries()], depth, above);
  if (value instanceof Set) return copyItems([...value], depth, above);
  if (Array.isArray(value)) return copyItems(value, depth, above);
  if ('toJSON' in value && typeof value.toJSON === 'function') return copy(value.toJSON(), depth, above);
  return copyEntries(Object.entries(value), depth, above);
}

function copyItems(items: readonly unknown[], depth: number, above: readonly object[]): unknown[] {
  const shown = items.slice(0, maxItems).map((item) => copy(item, depth, above));
  return items.length > maxItems ? [...shown, `… (${items.length} items)`] : shown;
}

function copyEntries(
  entries: readonly (readonly [unknown, unknown])[],
  depth: number,
  above: readonly object[],
) {
  const shown = entries.slice(0, maxItems).map(([key, value]) => {
    const name = String(key);
    const isHidden = secretName.test(name) || (personalName.test(name) && typeof value === 'string');
    const hide = isHidden && value !== null && value !== undefined;
    return [name, hide ? redacted : copy(value, depth, above)] as const;
  });
  // Object.fromEntries defines properties, so a key named __proto__ stays data.
  return Object.fromEntries(shown);
}

/** Only what helps to find the fault: other properties of a driver's error repeat the row that failed. */
function copyError(error: Error, depth: number, above: readonly object[]): unknown {
  const { code, errors } = error as { code?: unknown; errors?: unknown };
  return {
    type: error.name,
    message: redactText(error.message),
    stack_trace: redactText(error.stack ?? ''),
    ...(code === undefined ? {} : { code: copy(code, depth, above) }),
    ...(error.cause === undefined ? {} : { cause: copy(error.cause, depth, above) }),
    ...(Array.isArray(errors) ? { errors: copyItems(errors, depth, above) } : {}),
  };
}
