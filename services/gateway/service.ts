import { endpointsByService, permissions } from '@marimo/contracts/all';
import { defineService } from '@marimo/service-kit';
import { readCertificate } from './src/front/index.ts';
import { createGateway } from './src/gateway.ts';
import { gatewayHome, operatorSettings } from './src/operators/index.ts';
import { gatewaySettings } from './src/settings.ts';

export const gateway = defineService({
  name: 'gateway',
  settings: (env, platform) => ({
    settings: gatewaySettings(env),
    operators: operatorSettings(env, platform),
  }),
  server(deps, tools, { settings, operators }) {
    const { production, advertiseHost: host } = deps.settings;
    const certificate = settings.tls && readCertificate({ ...settings.tls, production, log: deps.log });
    const known = {
      contracts: endpointsByService,
      permissions,
      sockets: [],
      host,
      home: gatewayHome(deps.settings.home),
    };
    return createGateway({ ...deps, ...tools, ...known, settings, operators, certificate });
  },
});
