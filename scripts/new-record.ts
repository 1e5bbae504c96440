// npm run new-record -- shop price-list "прайс-листы" "прайс-лист": a record of a service that exists, with its declaration,
// labels, table, routes and tests.
import { generate } from './new-service/generate.ts';

await generate('new-record', 'newRecord');
