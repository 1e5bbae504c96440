/** The clock of a time zone, both ways. Offsets are asked for once an hour of the data: asking costs microseconds. */
export class ZoneClock {
  readonly #format: Intl.DateTimeFormat;
  readonly #offsets = new Map<number, number>();

  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      era: 'short',
    });
  }

  /** How far its clock is ahead of UTC at that moment. */
  offsetMs(at: Date): number {
    const quarter = Math.floor(at.getTime() / quarterMs); // zones change their clocks at quarters of an hour
    const known = this.#offsets.get(quarter);
    if (known !== undefined) return known;
    const offset = this.#offsetAt(quarter * quarterMs);
    if (this.#offsets.size > mostKept) this.#offsets.clear();
    this.#offsets.set(quarter, offset);
    return offset;
  }

  /** The moment at which its clock shows this `2026-03-01T09:30`; of two the earlier. */
  momentOf(local: string): Date {
    const asUtc = Date.parse(`${local}Z`);
    const before = this.#offsetAt(asUtc - dayMs);
    const first = asUtc - before;
    return new Date(this.#offsetAt(first) === before ? first : asUtc - this.#offsetAt(first));
  }

  #offsetAt(moment: number): number {
    const part = Object.fromEntries(
      this.#format.formatToParts(moment).map(({ type, value }) => [type, Number.parseInt(value, 10)]),
    );
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(moment / 1000) * 1000;
  }
}

const quarterMs = 15 * 60_000;
const dayMs = 86_400_000;
const mostKept = 100_000;
