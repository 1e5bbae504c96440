export interface Instance {
  readonly id: string; // stable over restarts: <service>-<host>-<port>
  readonly service: string;
  readonly host: string;
  readonly port: number;
  readonly version: string;
  /** Of the routes it serves, so that a gateway sees that it may have others; absent where nobody said. */
  readonly routesDigest?: string;
}

export interface Registration {
  /** Takes the instance out before its listener closes. */
  withdraw(): Promise<void>;
}

/** Two adapters, `consul` and `static`, pass one conformance suite. */
export interface Registry {
  /** Registers with an HTTP check of `/ready`. */
  register(instance: Instance): Promise<Registration>;
  /** The instances to call now: those passing, or the last known good when the registry cannot tell. Never waits. */
  instances(service: string): readonly Instance[];
  /** Called at each change. */
  onChange(listener: (service: string) => void): () => void;
  /** Resolves once the first answer (or what was kept on disk) is there for these services. */
  ready(services: readonly string[]): Promise<void>;
  /** Seconds since the registry last answered; 0 for a static table. */
  ageSeconds(): number;
  /** `disk` while instances are called that the registry has not named since this start, but that were kept. */
  source(): 'registry' | 'disk';
  close(): Promise<void>;
}
