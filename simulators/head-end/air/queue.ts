/** First in, first out, without moving what lies behind at every take. */
export interface Queue<T> {
  push(item: T): void;
  peek(): T | undefined;
  shift(): T | undefined;
}

/** So many taken items are left in front before the rest is moved up. */
const TAKEN_MAX = 1_024;

/** An empty queue; every operation takes constant time on average. */
export function createQueue<T>(): Queue<T> {
  let items: T[] = [];
  let head = 0;
  return {
    push: (item) => void items.push(item),
    peek: () => items[head],
    shift() {
      const item = items[head];
      if (head < items.length) head += 1;
      if (head > TAKEN_MAX && head * 2 > items.length) {
        items = items.slice(head);
        head = 0;
      }
      return item;
    },
  };
}
