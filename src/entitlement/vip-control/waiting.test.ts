import { createWaitingQueue } from './waiting.ts';

describe('the waiting queue', () => {
  it('gives the most important first, and the oldest first within that', () => {
    const queue = createWaitingQueue<string>(10);
    queue.add('BULK', 'bulk');
    queue.add('MESSAGE', 'message');
    queue.add('SALE', 'sale 1');
    queue.add('REFRESH', 'refresh');
    queue.add('SALE', 'sale 2');
    queue.putBack('SALE', 'sale 0');
    const order = Array.from({ length: 7 }, () => queue.take());
    expect(order).toEqual(['sale 0', 'sale 1', 'sale 2', 'refresh', 'message', 'bulk', undefined]);
  });

  it('refuses what is over its limit', () => {
    const queue = createWaitingQueue<number>(2);
    expect([1, 2, 3].map((item) => queue.add('SALE', item))).toEqual([true, true, false]);
    expect(queue.size()).toBe(2);
  });

  it('lets chosen items leave', () => {
    const queue = createWaitingQueue<number>(5);
    for (const item of [1, 2, 3, 4]) queue.add(item < 3 ? 'SALE' : 'BULK', item);
    expect(queue.remove((item) => item % 2 === 0)).toEqual([2, 4]);
    expect([queue.take(), queue.take(), queue.take()]).toEqual([1, 3, undefined]);
  });
});
