/** Time that can be moved, which only a demo has. */
import type { TestClocks } from '../../billing/test-clocks/service.ts';

export interface DemoClocks {
  /** Of subscribers. */
  tests: TestClocks;
  /** Of all others, and of everything around them. */
  house: {
    now(): Date;
    /** Moves on, does what is due on the way, and resolves to where the house then is. */
    moveTo(to: Date): Promise<Date>;
  };
}
