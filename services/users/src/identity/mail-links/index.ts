import type { Deps } from '@marimo/service-kit';
import { deleteLinksBefore } from './store.ts';

export { createLinkTokens, type LinkPurpose, type LinkTokens } from './mail-links.ts';
export { mailLinkRoutes } from './routes.ts';
export {
  findLink,
  forgetMailOf,
  issueLink,
  issueNotice,
  type NewLink,
  type PendingLink,
  type Recipient,
  revokeLink,
  useLink,
} from './store.ts';

export async function forgetOldLinks({ database, clock }: Deps): Promise<void> {
  await database.withoutTenant((tx) => deleteLinksBefore(tx, clock()));
}
