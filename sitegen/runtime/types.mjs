// Type-checks every room of the source by its own tsconfig: pages see the DOM, workers do not.
import { execFileSync } from 'node:child_process';
import { readdirSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const rooms = readdirSync(`${here}src`).filter((room) => existsSync(`${here}src/${room}/tsconfig.json`));
let failed = 0;
for (const room of rooms) {
  try {
    execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', `src/${room}`], {
      cwd: here,
      stdio: 'inherit',
    });
  } catch {
    failed += 1;
  }
}
process.exit(failed ? 1 : 0);
