/** What this machine lets us do; the tests have one of their own. */
export interface Machine {
  find(binary: string): string | undefined;
  /** Why packages cannot be installed here; undefined where they can. */
  whyNoPackages(): string | undefined;
  /** Why Consul cannot be fetched here; undefined where it can. */
  whyNoConsul(): string | undefined;
  install(packages: readonly string[]): Promise<void>;
  fetchConsul(): Promise<void>;
}
