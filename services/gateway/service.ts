import { contracts } from '@marimo/contracts/all';
import { defineService } from '@marimo/service-kit';
import { readCertificate } from './src/front/index.ts';
import { createGateway } from './src/gateway.ts';
import { gatewaySettings } from './src/settings.ts';

export const gateway = defineService({
  name: 'gateway',
  routes: [],
  server(deps, given) {
    const settings = gatewaySettings(process.env);
    const { production } = deps.settings;
    const certificate = settings.tls && readCertificate({ ...settings.tls, production, log: deps.log });
    return createGateway({ ...deps, ...given, contracts, sockets: [], settings, certificate });
  },
});
