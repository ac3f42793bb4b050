/** `npm run reference`: writes the pages, and parts of pages, that are made from the code. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { demoPage } from './reference/demo.ts';
import { referencePages } from './reference/pages.ts';

for (const [path, text] of [...Object.entries(referencePages()), demoPage()]) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.log(path);
}
