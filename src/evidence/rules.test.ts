import fc from 'fast-check';
import { compareRows, headAfter, NO_HEAD, packIds, type SealedRow, sealRow } from './rules.ts';

const rowOf = (id: bigint, words: string): SealedRow => sealRow(Buffer.from(`9\t${id}\t${words}`));
const sealedAs = (rows: readonly SealedRow[]) => ({
  ids: packIds(rows),
  digests: Buffer.concat(rows.map(({ digest }) => digest)),
});
const ids = fc.uniqueArray(fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }), { maxLength: 30 });

describe('a sealed row', () => {
  it('is known by its transaction and id, and is the SHA-256 of its text', () => {
    // printf '12\t34\tx' | sha256sum
    const { xid, id, digest } = sealRow(Buffer.from('12\t34\tx'));
    expect({ xid, id, digest: digest.toString('hex') }).toEqual({
      xid: '12',
      id: 34n,
      digest: 'dd664a42bf77f4a7bee17ed5486464287e619f0d65f303f71b73d54f62ebc8d2',
    });
  });

  it('is named when it was changed, removed or added, and none else is', () => {
    fc.assert(
      fc.property(
        ids,
        fc.infiniteStream(fc.constantFrom('same', 'changed', 'missing')),
        (all, fates) => {
          const told = all.map((id) => ({ id, fate: fates.next().value }));
          const before = all.map((id) => rowOf(id, 'a'));
          const after = told
            .filter(({ fate }) => fate !== 'missing')
            .map(({ id, fate }) => rowOf(id, fate === 'changed' ? 'b' : 'a'));
          const expected = told.flatMap(({ id, fate }) =>
            fate === 'same' ? [] : [{ kind: fate, id }],
          );
          expect(compareRows(sealedAs(before), after)).toEqual(expected);
          const inserted = all.slice(1).map((id) => ({ kind: 'inserted', id }));
          expect(compareRows(sealedAs(before.slice(0, 1)), before)).toEqual(inserted);
        },
      ),
    );
  });
});

describe('the head of a chain', () => {
  const rows = [rowOf(1n, 'a'), rowOf(2n, 'b')];
  const block = {
    ...{ chain: 'audit', no: 1n, rows: 2, end: { xid: '9', id: 2n } },
    ...{ sealedAt: new Date('2026-11-23T12:00:00.000Z'), ...sealedAs(rows) },
  };
  const head = headAfter(NO_HEAD, block);

  it.each([
    ['the chain', { chain: 'journal' }],
    ['the number', { no: 2n }],
    ['the rows', { rows: 3 }],
    ['the end', { end: { xid: '9', id: 3n } }],
    ['the instant', { sealedAt: new Date('2026-11-23T12:00:00.001Z') }],
    ['an id', { ids: packIds([rowOf(1n, 'a'), rowOf(3n, 'b')]) }],
    ['a digest', { digests: sealedAs([rowOf(1n, 'a'), rowOf(2n, 'c')]).digests }],
  ])('is another when %s is', (_, change) => {
    expect(headAfter(NO_HEAD, { ...block, ...change })).not.toEqual(head);
  });

  it('is another behind another head', () => {
    expect(headAfter(head, block)).not.toEqual(head);
  });
});
