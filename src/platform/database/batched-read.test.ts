import { createBatchedRead } from './batched-read.ts';

/** A read whose queries are answered by hand. */
function manualRead(options: { keysMax: number; lanes: number }) {
  const queries: { keys: string[]; answer(): void; fail(error: Error): void }[] = [];
  const read = createBatchedRead<string, string>({
    ...options,
    load: (keys) =>
      new Promise((resolve, reject) => {
        const known = keys.filter((key) => key !== 'nobody');
        queries.push({
          keys: [...keys],
          answer: () => resolve(new Map(known.map((key) => [key, key.toUpperCase()]))),
          fail: reject,
        });
      }),
  });
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { read, queries, turn };
}

describe('reads at the same time', () => {
  it('go out as one query, equal keys once', async () => {
    const { read, queries, turn } = manualRead({ keysMax: 10, lanes: 1 });
    const answers = Promise.all(['a', 'b', 'a', 'nobody'].map(read));
    await turn();
    expect(queries.map((query) => query.keys)).toEqual([['a', 'b', 'nobody']]);
    queries[0]?.answer();
    expect(await answers).toEqual(['A', 'B', 'A', undefined]);
  });

  it('that come while a query runs wait for the next, and see what is true then', async () => {
    const { read, queries, turn } = manualRead({ keysMax: 10, lanes: 1 });
    const first = read('a');
    await turn();
    const second = [read('a'), read('b')];
    await turn();
    expect(queries).toHaveLength(1);
    queries[0]?.answer();
    expect(await first).toBe('A');
    await turn();
    expect(queries.map((query) => query.keys)).toEqual([['a'], ['a', 'b']]);
    queries[1]?.answer();
    expect(await Promise.all(second)).toEqual(['A', 'B']);
  });

  it('are bounded in keys and in queries under way', async () => {
    const { read, queries, turn } = manualRead({ keysMax: 2, lanes: 2 });
    const answers = Promise.all(['a', 'b', 'c', 'd', 'e'].map(read));
    await turn();
    expect(queries.map((query) => query.keys)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    queries[0]?.answer();
    await turn();
    expect(queries[2]?.keys).toEqual(['e']);
    queries[1]?.answer();
    queries[2]?.answer();
    expect(await answers).toEqual(['A', 'B', 'C', 'D', 'E']);
  });

  it('that fail fail for all who asked, and the next ones go out again', async () => {
    const { read, queries, turn } = manualRead({ keysMax: 10, lanes: 1 });
    const answers = Promise.allSettled([read('a'), read('a'), read('b')]);
    await turn();
    queries[0]?.fail(new Error('away'));
    expect((await answers).map((answer) => answer.status)).toEqual(Array(3).fill('rejected'));
    const again = read('a');
    await turn();
    queries[1]?.answer();
    expect(await again).toBe('A');
  });
});
