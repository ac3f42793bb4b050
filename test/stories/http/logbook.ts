/** What the product says to its operators' log, kept for a story to read. */
import type { ServiceLogger } from '../../../src/platform/log.ts';

type Fields = Record<string, unknown>;

export interface Logbook {
  logger: ServiceLogger;
  /** The fields of every line of an event, oldest first. */
  of(event: string): Fields[];
}

/** An empty book; what is only information is not written down. */
export function createLogbook(): Logbook {
  const lines: { event: string; fields: Fields }[] = [];
  const note = (event: string, fields: Fields = {}) => void lines.push({ event, fields });
  const logger: ServiceLogger = {
    info: () => undefined,
    warn: note,
    error: note,
    child: () => logger,
  };
  return {
    logger,
    of: (event) => lines.filter((line) => line.event === event).map(({ fields }) => fields),
  };
}
