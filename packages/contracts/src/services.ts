import { z } from 'zod';

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

/** Who can act for itself: a service, or the operator, the person at the machine who runs commands. */
export const ActingService = z.enum([...(Object.keys(servicePorts) as ServiceName[]), 'operator']);
export type ActingService = z.infer<typeof ActingService>;
