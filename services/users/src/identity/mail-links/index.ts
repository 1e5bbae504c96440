import type { Deps } from '@marimo/service-kit';
import { deleteLinksBefore } from './store.ts';

export { createLinkTokens, type LinkPurpose, type LinkTokens } from './mail-links.ts';
export { mailLinkRoutes } from './routes.ts';
export {
  deleteLink,
  deleteMailOf,
  getLink,
  insertLink,
  insertNotice,
  type NewLink,
  type PendingLink,
  type Recipient,
  useLink,
} from './store.ts';

export async function forgetOldLinks({ database, clock }: Deps): Promise<void> {
  await database.withoutTenant((tx) => deleteLinksBefore(tx, clock()));
}
