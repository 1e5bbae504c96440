import type { ServiceName } from '@marimo/contracts';
import type { S3Options } from '@marimo/files';
import type { ServerAddress } from '@marimo/postgres';
import type { ServiceSecrets } from './service-secrets.ts';

/** What the environment says, checked once at start. The README's table lists every variable. */
export interface Settings {
  readonly production: boolean;
  /** Where everything the platform keeps on this machine lives: `MARIMO_HOME`, or `.marimo` in the project. */
  readonly home: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Address the services listen on; `HOST`, 127.0.0.1 unless told. */
  readonly host: string;
  /** Address others reach this machine at; `ADVERTISE_HOST`, the same as `host` unless told. */
  readonly advertiseHost: string;
  readonly ports: Readonly<Record<ServiceName, number>>;
  /** Undefined: the embedded server. */
  readonly database: ServerAddress | undefined;
  /** The login of a service's own role; derived from the administrator's where none is given. */
  readonly rolePasswords: Readonly<Partial<Record<ServiceName, string>>>;
  /** False where `npm run migrate` does it, so that services need not know the administrator. */
  readonly migrateAtStart: boolean;
  readonly rabbitmqUrl: string | undefined;
  readonly redis: { readonly address: string; readonly password: string | undefined } | undefined;
  readonly consulAddress: string | undefined;
  /** Undefined: files lie in a folder under `home`. */
  readonly s3: S3Options | undefined;
  /** What an organisation may keep in files of one service; 10 GiB unless told. */
  readonly filesPerOrganisationBytes: number;
  readonly otlpEndpoint: string | undefined;
  /** What services prove themselves to `users` with; `INTERNAL_SECRET` is made at the first start where none is given, demanded in production. */
  readonly serviceSecrets: ServiceSecrets;
  /** Where people open the portal, without a slash at the end: links in mails lead there. The gateway unless told. */
  readonly portalUrl: string;
  /** Milliseconds a stopping service waits for what is running. */
  readonly drainMs: number;
  /** What each service of this process read for itself. */
  readonly own: ReadonlyMap<ServiceName, unknown>;
}
