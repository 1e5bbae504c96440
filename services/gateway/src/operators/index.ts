export { type OperatorListener, operatorListener } from './listener.ts';
export { Overrides, StoredOverrides } from './overrides.ts';
export { gatewayHome, type OperatorSettings, operatorSettings } from './settings.ts';
