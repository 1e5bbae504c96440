import { BadUpstream } from '@marimo/contracts';
import { Passage } from '../passage.ts';
import { type Answer, CapturedAnswer } from './captured-answer.ts';

/** Larger ones are neither kept nor held for several; they stream. */
const largestBytes = 262_144;

/** How a flight ended. */
export interface Landing {
  readonly answer?: Answer;
  /** Why there is no answer. */
  readonly error?: Error;
  /** It is too large to be held, so that everyone must ask alone. */
  readonly tooLarge: boolean;
}

class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

/** One request to a service on behalf of all who ask the same; it goes on when the first of them has left. */
export class Flight {
  /** Never rejects. */
  readonly landed: Promise<Landing>;
  waiting = 0;

  /**
   * @param leader who asked first
   * @param ask sends it to the service
   */
  constructor(
    leader: Passage,
    service: string,
    deadlineMs: number,
    ask: (passage: Passage) => Promise<void>,
  ) {
    this.landed = fly(leader, service, deadlineMs, ask);
  }
}

async function fly(
  leader: Passage,
  service: string,
  deadlineMs: number,
  ask: (passage: Passage) => Promise<void>,
): Promise<Landing> {
  let tooLarge = false;
  const captured = new CapturedAnswer(largestBytes, () => {
    tooLarge = true;
    passage.cancel(new TooLarge());
  });
  // There is no body to wait for or to throw away, and the leader's connection is the leader's alone.
  const req: typeof leader.req = Object.create(leader.req, { complete: { value: true } });
  const passage = new Passage(req, captured.response, leader.requestId, false);
  passage.caller = leader.caller;
  // A little before those who wait run out of time, so that there is time to give them what was kept.
  passage.expireAfter(deadlineMs * 0.9);
  try {
    await ask(passage);
    const { answer } = captured;
    if (answer !== undefined && !tooLarge) return { answer, tooLarge };
    return { error: new BadUpstream({ service }), tooLarge };
  } catch (thrown) {
    return { error: thrown as Error, tooLarge };
  } finally {
    passage.end();
  }
}
