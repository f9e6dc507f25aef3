/** `npm run -s man`: writes the manual pages to spec/man. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../programs.ts';
import { manualPages } from './pages.ts';

const directory = join(PROJECT, 'spec/man');
mkdirSync(directory, { recursive: true });
for (const [name, text] of manualPages()) writeFileSync(join(directory, name), text);
