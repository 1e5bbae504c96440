// npm run new-service -- shop price-list "прайс-листы": a service whose first slice adds, lists and shows price lists.
import { generate } from './new-service/generate.ts';

await generate('new-service', 'newService');
