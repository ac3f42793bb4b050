/** Who lives by a test clock, as conditions that go into other rooms' SQL. */

/**
 * True where the subscriber in `column` lives by the house's time. Plan: an anti join with an index
 * that is empty where no clock is in use; what is due of 100,000 cards is listed as without it.
 */
export const byHouseTime = (column: string): string =>
  `NOT EXISTS (SELECT FROM subscriber tc WHERE tc.id = ${column} AND tc.test_clock_id IS NOT NULL)`;

/** True where the subscriber in `column` lives by the test clock in `parameter` (`$3`). */
export const byTestClock = (column: string, parameter: string): string =>
  `${column} = ANY (ARRAY(SELECT id FROM subscriber WHERE test_clock_id = ${parameter}))`;
