/** Who asks for passkeys, as browsers see it. */
export interface WebauthnSettings {
  /** A domain. Passkeys are bound to it for ever: with another one, none of them is found any more. */
  readonly rpId: string;
  /** The pages that may ask: `https://erp.example.com`. */
  readonly origins: readonly string[];
}

interface WebauthnVariables {
  readonly portalUrl: string;
  readonly rpId: string | undefined;
  readonly origins: string | undefined;
}

/** What is not told follows from the portal's address. */
export function webauthnOf({ portalUrl, rpId, origins }: WebauthnVariables): WebauthnSettings {
  const portal = new URL(portalUrl);
  const others = (origins ?? '').split(',').map((each) => each.trim());
  return {
    rpId: rpId ?? portal.hostname,
    origins: [...new Set([portal.origin, ...others.filter((each) => each !== '')])],
  };
}

/** Browsers give no passkey to a page outside the domain, so such a setting would only fail later and silently. */
export function foreignOrigins({ rpId, origins }: WebauthnSettings): string[] {
  return origins
    .filter((origin) => !isOriginWithin(origin, rpId))
    .map((origin) => `WEBAUTHN_ORIGINS: ${origin} is no origin within WEBAUTHN_RP_ID, ${rpId}`);
}

function isOriginWithin(text: string, rpId: string): boolean {
  if (!URL.canParse(text)) return false;
  const { origin, hostname } = new URL(text);
  return origin === text && (hostname === rpId || hostname.endsWith(`.${rpId}`));
}
