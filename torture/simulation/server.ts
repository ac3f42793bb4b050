/** The Postgres under simulated lives. */
import { MIGRATIONS_DIR } from '../../src/platform/database/open.ts';
import { startTestServer } from '../../src/platform/test-database.ts';

/**
 * Starts it. It never looks for statements that wait for each other: whose look came first would
 * be a matter of chance, and a backend that stands still must not hold what a look holds.
 */
export const startServer = () => startTestServer(MIGRATIONS_DIR, { deadlock_timeout: '1d' });
