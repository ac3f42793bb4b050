/**
 * What is sealed, and how a row is written down to be sealed. The canonical text of a row is the
 * line that `COPY … TO STDOUT` writes for the columns named here, without the end of the line.
 */
import type { ClientBase } from 'pg';

export interface Chain {
  /** The table, and what of it; each month of the command log is a chain of its own. */
  name: string;
  /** What is written down of a row; the first two are its transaction and its id. */
  columns: string;
  /** Where it is read from, the sealed table being `t`. */
  from: string;
  /** When a row was written. */
  writtenAt: string;
}

/** A place in a chain: rows are sealed in the order of (xid, id). */
export interface Place {
  xid: string;
  id: bigint;
}

export const BEGINNING: Place = { xid: '0', id: 0n };

/** An entry belongs to its journal: none can be changed, removed or added without it. */
const JOURNAL: Chain = {
  name: 'journal',
  columns:
    't.xid, t.id, t.kind, t.site_id, t.inbox_id, t.effective_at, t.booked_at, t.reverses, ' +
    't.fact_id, e.lines',
  from: `journal t CROSS JOIN LATERAL (
    SELECT string_agg(concat_ws(':', line, account_id, asset, amount, xid), ' ' ORDER BY line)
           AS lines
      FROM entry WHERE journal_id = t.id) e`,
  writtenAt: 't.booked_at',
};

const AUDIT: Chain = {
  name: 'audit',
  columns:
    't.xid, t.id, t.at, t.request_id, t.actor, t.actor_name, t.remote, t.route, t.outcome, ' +
    't.site_id, t.object, t.object_id, t.before, t.after, t.reason',
  from: 'audit t',
  writtenAt: 't.at',
};

/**
 * A column that came later: the list of a chain never changes, or nothing sealed before would be
 * what it was. Lines from before the column say `not recorded` and are not in it: one that says
 * something else today stands among sealed rows, and one that says so today is gone from them.
 */
const AUDIT_ROLE: Chain = {
  name: 'audit_role',
  columns: 't.xid, t.id, t.role',
  from: "(SELECT * FROM audit WHERE role <> 'not recorded') t",
  writtenAt: 't.at',
};

/** The chains of tables that have the same name in every installation. */
const CHAINS: readonly { table: string; chain: Chain }[] = [
  { table: 'journal', chain: JOURNAL },
  { table: 'audit', chain: AUDIT },
  { table: 'audit', chain: AUDIT_ROLE },
];

const COMMAND_LOG_COLUMNS =
  't.xid, t.id, t.at, t.cas, t.cmd_id, t.op, t.target_kind, t.target_id, t.card_id, t.stb, ' +
  't.epoch, t.rev, t.args, t.margin_s, t.prio, t.actor, t.reason, t.approved_by, ' +
  't.sent_at, t.accepted_at, t.on_air_at, t.result, t.code, t.attempt';

const COMMAND_LOG = /^command_log_(default|\d{4}_\d{2})$/;

/** The chain of a month of the command log; null for another table. */
export function monthChain(name: string): Chain | null {
  if (!COMMAND_LOG.test(name)) return null;
  return { name, columns: COMMAND_LOG_COLUMNS, from: `${name} t`, writtenAt: 't.at' };
}

/** The chains of a table; none of one that is not sealed. */
function chainsOf(table: string): Chain[] {
  const month = monthChain(table);
  const own = CHAINS.filter((one) => one.table === table).map(({ chain }) => chain);
  return month ? [month] : own;
}

/** The chains whose tables are in the database; months that were taken out are not. */
export async function readChains(client: ClientBase): Promise<Chain[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY c.relname`,
  );
  return rows.flatMap(({ name }) => chainsOf(name));
}

/**
 * The rows of a chain as a SELECT: those after a place, up to and including another (`to`), or of
 * transactions below one (`below`), in their order. Places are numbers, so nothing is quoted.
 */
export function selectRows(
  { columns, from }: Chain,
  range: { after: Place; to?: Place; below?: string; limit?: number },
): string {
  const { after, to, below, limit } = range;
  const place = ({ xid, id }: Place) => `('${BigInt(xid)}', '${id}')`;
  return [
    `SELECT ${columns} FROM ${from} WHERE (t.xid, t.id) > ${place(after)}`,
    to ? `AND (t.xid, t.id) <= ${place(to)}` : '',
    below === undefined ? '' : `AND t.xid < '${BigInt(below)}'`,
    'ORDER BY t.xid, t.id',
    limit === undefined ? '' : `LIMIT ${limit}`,
  ].join(' ');
}
