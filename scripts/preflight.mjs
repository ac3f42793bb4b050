/**
 * Loaded before every script (`node --import ./scripts/preflight.mjs …`): where Node is too old
 * to run TypeScript as it stands, it says in one sentence what to do. Any Node from 18 on reads it.
 */
import process from 'node:process';

/** Major and minor number; below it Node can't strip types without a warning. */
const NODE_MIN = [24, 11];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])) {
  process.stderr.write(
    `This needs Node ${NODE_MIN.join('.')} or newer, and this is Node ${process.versions.node}: ` +
      'on Linux with glibc (x64, arm64) run "npm ci" and start through npm ("npm start"), which ' +
      'uses the Node that comes with the packages; anywhere else install Node 24.\n',
  );
  process.exit(1);
}
