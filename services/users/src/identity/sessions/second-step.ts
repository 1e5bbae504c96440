import type { accessTokens, secondFactors } from '@marimo/contracts/users';
import type { TenantTransaction } from '@marimo/postgres';

/** What somebody proved so far who wants to sign in. */
export interface FirstStepDone {
  readonly personId: string;
  readonly methods: readonly accessTokens.AuthenticationMethod[];
  /** As it was matched: when it changes, what is asked now can be answered no more. Null where none was. */
  readonly passwordHash: string | null;
  readonly now: Date;
}

/** Brought by the slice of second factors, which knows this one; here it is only asked. */
export interface SecondStep {
  /** What a person who has a second factor is asked for, in the tenant they sign in to. */
  ask(tx: TenantTransaction, first: FirstStepDone): Promise<secondFactors.SecondFactorAsked>;
}
