/** Every service of the platform and the port it listens on unless `<NAME>_PORT` says otherwise. */
export const servicePorts = {
  gateway: 8080,
  users: 8081,
  config: 8082,
  accounting: 8083,
  factory: 8084,
  shop: 8085,
  main: 8086,
  chat: 8087,
  workers: 8088,
} as const;

export type ServiceName = keyof typeof servicePorts;
