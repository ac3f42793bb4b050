/** Requests per second under wrk: one thread, connections that stay open. */
import { join } from 'node:path';
import { freshDay } from './payments.ts';
import { runTool } from './tools.ts';

export interface WrkRun {
  what: 'payments' | 'ussd';
  url: string;
  path: string;
  customers: number;
  connections: number;
  seconds: number;
}

/** Rejects when any request failed. */
export async function runWrk(run: WrkRun): Promise<number> {
  const { what, url, path, customers, connections, seconds } = run;
  const load = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', '10s'];
  const script = ['-s', join(import.meta.dirname, 'wrk.lua'), url];
  const words = ['--', what, path, String(customers), freshDay()];
  const said = await runTool('wrk', [...load, ...script, ...words]);
  const result = JSON.parse(/^RESULT (.*)$/m.exec(said)?.[1] ?? '{}');
  if (result.failed !== 0) throw new Error(`Requests failed: ${said}`);
  return result.requests / result.seconds;
}
