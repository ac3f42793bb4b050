/** Settings for a small machine (2 cores, a few GiB) that must not stall under a burst. */
const BASE: Record<string, string> = {
  unix_socket_directories: '',
  max_connections: '60',
  shared_buffers: '256MB',
  work_mem: '8MB',
  maintenance_work_mem: '128MB',
  // Checkpoints far apart and spread out: payments must not wait for one.
  max_wal_size: '2GB',
  min_wal_size: '256MB',
  wal_buffers: '16MB',
  checkpoint_timeout: '15min',
  checkpoint_completion_target: '0.9',
  // The disk is an SSD, statements are short, and both cores are busy already.
  random_page_cost: '1.1',
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  // Hot balance rows die quickly.
  autovacuum_naptime: '15s',
  idle_in_transaction_session_timeout: '60s',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Statements and their parameters carry subscribers' data; they stay out of the log.
  log_min_error_statement: 'panic',
  log_parameter_max_length_on_error: '0',
  log_checkpoints: 'off',
};

const DURABLE = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' };
/** For tests alone: fast, and lost when the machine dies. */
const FORGETFUL = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

/** The settings Postgres is started with; `own` go over ours. */
export function postgresSettings(
  isDurable: boolean,
  own: Record<string, string> = {},
): Record<string, string> {
  return { ...BASE, ...(isDurable ? DURABLE : FORGETFUL), ...own };
}
