/** Requirements on what can be shown on screens, judged by what the systems did when asked. */
import { type Check, type Verdict, verdict } from './ask.ts';
import { doing, systemsOf } from './checks-systems.ts';

/** What became of one kind of thing at one system. */
interface Tried {
  cas: string;
  /** Null: it is of none of the kinds that there can be. */
  kind: string | null;
  done: number;
  refused: number;
}

/** The kinds that must have been shown, each in words: `a fingerprint for all`. */
type Kinds = Readonly<Record<string, string>>;

/** Of every kind at every system: shown, refused whenever it was asked for, or never asked for. */
function judged(systems: readonly { id: string }[], tried: readonly Tried[], kinds: Kinds) {
  const found: Verdict = { wrong: [], missing: [] };
  for (const { id } of systems) {
    for (const [kind, words] of Object.entries(kinds)) {
      const one = tried.find((row) => row.cas === id && row.kind === kind);
      if ((one?.done ?? 0) > 0) continue;
      const refused = one?.refused ?? 0;
      if (refused > 0) found.wrong.push(`${id} has never shown ${words}; refused: ${refused}.`);
      else found.missing.push(`${id} has not shown ${words} yet.`);
    }
  }
  return found;
}

interface Shown {
  op: 'FINGERPRINT' | 'OSD';
  /** What the query tells. */
  what: string;
  /** SQL that gives `kind` of a row `l` of the log: one row for each kind that it is of. */
  kindOf: string;
  /** Which operations are looked at. */
  ops: readonly string[];
  kinds: Kinds;
  /** Said of what is of none of the kinds; absent: that is as well. */
  stray?: (count: number) => string;
}

/** Holds where each kind has been shown by each system that has to. */
const shows =
  ({ op, what, kindOf, ops, kinds, stray }: Shown): Check =>
  async (asking) => {
    const systems = await systemsOf(asking);
    const able = doing(systems, op);
    const tried = await asking.look<Tried>(
      what,
      `SELECT l.cas, k.kind, (count(*) FILTER (WHERE l.result = 'done'))::integer AS done,
              (count(*) FILTER (WHERE l.result = 'rejected'))::integer AS refused,
              count(DISTINCT l.target_id)::integer AS targets, max(l.at) AS newest
         FROM command_log l CROSS JOIN LATERAL (${kindOf}) k
        WHERE l.op = ANY ($1) GROUP BY 1, 2 ORDER BY 1, 2`,
      [ops],
    );
    const { wrong, missing } = judged(systems, tried, kinds);
    const strays = tried
      .filter(({ kind }) => kind === null)
      .reduce((sum, one) => sum + one.done, 0);
    return verdict(
      [...able.wrong, ...wrong, strays > 0 && stray !== undefined && stray(strays)],
      [...able.missing, ...missing],
    );
  };

/** D: whose number it says. */
export const fingerprintsSayANumber = shows({
  op: 'FINGERPRINT',
  ops: ['FINGERPRINT'],
  what: 'Fingerprints in the log, by the number that they say (vc: the card, stb: the decoder)',
  kindOf: `SELECT CASE WHEN l.args->>'identity' IN ('vc', 'stb') THEN l.args->>'identity' END
                  AS kind`,
  kinds: {
    vc: 'a fingerprint with the number of the card',
    stb: 'a fingerprint with the number of the decoder',
  },
  stray: (count) => `Fingerprints that name neither card nor decoder: ${count}.`,
});

/** D: where it stands, and in which colours. */
export const fingerprintsAreSetFromHere = shows({
  op: 'FINGERPRINT',
  ops: ['FINGERPRINT'],
  what: 'Fingerprints in the log, by what was set from here; one can be several of them',
  kindOf: `SELECT kind FROM (VALUES ('chance', NOT l.args ? 'position'),
                                    ('place', l.args ? 'position'), ('colour', l.args ? 'colour'),
                                    ('background', l.args ? 'background')) v (kind, is_so)
            WHERE is_so`,
  kinds: {
    chance: 'a fingerprint at a place by chance',
    place: 'a fingerprint at a place set from here',
    colour: 'a fingerprint in a colour set from here',
    background: 'a fingerprint on a background set from here',
  },
});

/** For all, or for one card or decoder; areas are neither. */
const REACH = `SELECT CASE WHEN l.target_kind = 'all' THEN 'all'
                           WHEN l.target_kind IN ('card', 'stb') THEN 'one'
                           ELSE 'area' END AS kind`;

/** D: for all and for one. */
export const fingerprintsReachAllAndOne = shows({
  op: 'FINGERPRINT',
  ops: ['FINGERPRINT'],
  what: 'Fingerprints in the log, by whom they were for',
  kindOf: REACH,
  kinds: { all: 'a fingerprint for all', one: 'a fingerprint for one card or decoder' },
});

/** E: each decoder by itself. */
export const decodersAreAddressed = shows({
  op: 'OSD',
  ops: ['OSD', 'MAIL', 'FINGERPRINT', 'FORCE_TUNE'],
  what: 'What was shown, by whom it was for, and to how many different ones',
  kindOf: REACH,
  kinds: { one: 'anything for one card or decoder alone' },
});
