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

/**
 * Who may call an endpoint: anyone, anyone signed in, the holders of one permission, or `platform`: the other services
 * of this installation, which prove it with a secret they share. Only what lies under `/internal/` can be theirs.
 */
export type Access = 'public' | 'signed-in' | 'platform' | Permission;

export function permission(name: PermissionName, text: Text): Permission {
  return { name, text };
}
