/**
 * The order in which test files are begun: first those that wait more than they work (a browser,
 * processes that are killed), so that the others fill their waits and none of them comes last.
 */
const { default: Sequencer } = require('@jest/test-sequencer');

const FIRST = ['test/browser/', 'torture/', 'test/stories/http/', 'src/platform/database/'];

class WaitingFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const found = FIRST.findIndex((folder) => path.includes(`/${folder}`));
      return found < 0 ? FIRST.length : found;
    };
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
}

module.exports = WaitingFirst;
