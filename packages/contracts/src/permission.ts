import type { ActingService } from './services.ts';

/** A text in every language the portal speaks. */
export interface Text {
  readonly en: string;
  readonly ru: string;
}

/** `<service>.<resource>.<action>`, e.g. `accounting.journal-entry.post`. */
export type PermissionName = `${string}.${string}.${string}`;

export interface Permission {
  readonly name: PermissionName;
  readonly text: Text;
}

/** Services that may call an endpoint for themselves, each with a token of its own. */
export interface ForServices {
  readonly services: readonly ActingService[];
}

/**
 * Who may call an endpoint: anyone, anyone signed in, the holders of one permission, or some services for themselves.
 * Only what lies under `/internal/` can be for services.
 */
export type Access = 'public' | 'signed-in' | Permission | ForServices;

export function permission(name: PermissionName, text: Text): Permission {
  return { name, text };
}

export function forServices(...services: readonly [ActingService, ...ActingService[]]): ForServices {
  return { services };
}

/** Also of a declaration that was made around the types. */
export function isForServices(access: Access | undefined): access is ForServices {
  return typeof access === 'object' && access !== null && 'services' in access;
}
