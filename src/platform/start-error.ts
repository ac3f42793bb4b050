/**
 * Something that keeps the product from starting and that the person at the terminal can put
 * right. The message is one whole sentence; `main.ts` prints it alone, without a stack.
 */
export class StartError extends Error {
  override readonly name = 'StartError';
}
