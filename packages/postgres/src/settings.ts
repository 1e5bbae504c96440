/** How to reach a PostgreSQL server, as its administrator: only migrations use this. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly replicaHost?: string;
}
