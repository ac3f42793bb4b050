import winston from 'winston';
import type { Logger } from './ports.ts';
import { redactFields } from './redact.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A logger that can also make another one, which adds `fields` to each of its lines. */
export interface ServiceLogger extends Logger {
  child(fields: Record<string, unknown>): ServiceLogger;
}

export interface LoggerOptions {
  level: LogLevel;
  /** Which process this is: `vip-billing`, `vip-billing-dispatcher`. */
  service: string;
  /** Where the lines go; standard output unless told otherwise. */
  stream?: NodeJS.WritableStream;
}

/**
 * A logger that writes one JSON object a line: `time`, `level`, `service`, `event`, then the
 * fields, redacted by `redact.ts`. Those four names belong to the line; a field of the same name
 * is dropped. A log call never throws.
 */
export function createLogger(options: LoggerOptions): ServiceLogger {
  const stream = options.stream ?? process.stdout;
  // A reader that went away (`npm start | head`) is no reason to stop serving.
  stream.on('error', () => undefined);
  const sink = winston.createLogger({
    level: options.level,
    format: winston.format.printf((info) => String(info.message)),
    transports: [new winston.transports.Stream({ stream })],
  });

  const withFields = (base: Record<string, unknown>): ServiceLogger => {
    const write = (level: LogLevel, event: string, fields: Record<string, unknown>) => {
      if (!sink.isLevelEnabled(level)) return;
      const head = { time: new Date().toISOString(), level, service: options.service, event };
      sink.log(level, JSON.stringify({ ...head, ...base, ...redactFields(fields), ...head }));
    };
    return {
      info: (event, fields = {}) => write('info', event, fields),
      warn: (event, fields = {}) => write('warn', event, fields),
      error: (event, fields = {}) => write('error', event, fields),
      child: (fields) => withFields({ ...base, ...redactFields(fields) }),
    };
  };
  return withFields({});
}

/** A logger that says nothing, for tests and tools. */
export const silentLogger: ServiceLogger = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};
