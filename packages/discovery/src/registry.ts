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

/** Small texts that all processes of an installation share and that outlive them, such as what operators ordered. */
export interface SharedTexts {
  /** Undefined while there is none; throws when nobody answers within 2 s, as all of them do. */
  read(key: string): Promise<SharedText | undefined>;
  /**
   * Puts a text in the place of the one that was read; false when another has come in between.
   * @param mark of what was read; undefined when there was nothing
   */
  replace(key: string, text: string, mark: number | undefined): Promise<boolean>;
  /** Whatever is there. */
  put(key: string, text: string): Promise<void>;
  /** All below a key that ends with `/`, by the rest of their keys. */
  below(key: string): Promise<ReadonlyMap<string, string>>;
}

export interface SharedText {
  readonly text: string;
  readonly mark: number;
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
  /** Undefined for a static table: one machine has its files. */
  readonly shared?: SharedTexts;
  close(): Promise<void>;
}
