export * as operators from './operators.ts';
export * as pages from './pages.ts';
export * as refusals from './refusals.ts';
