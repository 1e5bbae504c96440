export { isErased, noteErased } from './store.ts';
