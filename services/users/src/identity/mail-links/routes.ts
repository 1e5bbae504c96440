import { mailLinks } from '@marimo/contracts/users';
import { type Deps, handle, type Route, reply } from '@marimo/service-kit';
import { getOrganisationName } from '../../organisations/organisations/index.ts';
import type { LinkTokens } from './mail-links.ts';
import { getLink } from './store.ts';

export function mailLinkRoutes({ clock }: Deps, { links }: { readonly links: LinkTokens }): readonly Route[] {
  return [
    handle(mailLinks.follow, async ({ params: { linkId }, withoutTenant }) => {
      const found = await withoutTenant(async (tx) => {
        const link = await getLink(tx, linkId, clock());
        if (link === undefined) return undefined;
        return { link, organisation: await getOrganisationName(await tx.enterTenant(link.tenantId)) };
      });
      if (found === undefined) return reply(204, null);
      const { purpose, email, name, language } = found.link;
      const url = purpose === 'notice' ? null : links.urlOf(linkId, purpose);
      return reply(200, {
        purpose,
        url,
        recipient: { email, name, language },
        organisation: found.organisation,
      });
    }),
  ];
}
