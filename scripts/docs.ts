// npm run docs: writes the pages that follow from the contracts; `npm run check` fails while one is not up to date.
import { install } from './steps/install.ts';

await install('everything');
const { writeDocuments } = await import('./docs/documents.ts');
for (const path of writeDocuments()) console.log(`wrote ${path}`);
