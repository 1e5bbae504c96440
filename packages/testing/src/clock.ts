/** A clock that stands still until the test moves it; hand `now` to whatever asks for the time. */
export interface TestClock {
  readonly now: () => Date;
  advance(milliseconds: number): void;
}

export function testClock(startsAt = '2026-03-31T09:00:00.000Z'): TestClock {
  let time = Date.parse(startsAt);
  return {
    now: () => new Date(time),
    advance(milliseconds) {
      time += milliseconds;
    },
  };
}
