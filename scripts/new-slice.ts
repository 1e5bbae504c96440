// npm run new-slice -- shop price-list "прайс-листы": a slice of a service that exists, which adds, lists and shows price
// lists: contract, permissions, routes, store, migration and tests.
import { generate } from './new-service/generate.ts';

await generate('new-slice', 'newSlice');
