export { journalIn } from './journal.ts';
export { type OperatorListener, operatorListener } from './listener.ts';
export { KeptOrders, Orders } from './orders.ts';
export { gatewayHome, type OperatorSettings, operatorSettings } from './settings.ts';
export { sharedOrdersOf } from './sharing.ts';
