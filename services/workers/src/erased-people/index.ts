export { insertErased, isErased } from './store.ts';
