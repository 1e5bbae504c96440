// npm run new-service -- shop price-list "прайс-листы" "прайс-лист": a service whose first record is the price list.
import { generate } from './new-service/generate.ts';

await generate('new-service', 'newService');
