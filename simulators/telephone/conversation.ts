/** The telephone in a terminal: a person types, the screens appear. */

import { drawScreen } from './frame.ts';
import { poll, promptSentence } from './player.ts';
import type { ReceivedText, Surroundings } from './surroundings.ts';
import type { Hop, Telephone } from './telephone.ts';

const AFTERMATH_MS = 10_000;
/** How long further texts are waited for once one has come. */
const MORE_TEXTS_MS = 1_000;

/** A line that was typed; `interrupt` is Ctrl-C, `closed` the end of the input. */
export type Typed = { kind: 'line'; line: string } | { kind: 'interrupt' } | { kind: 'closed' };

export interface Terminal {
  ask(question: string): Promise<Typed>;
  print(line: string): void;
}

export interface ConversationDeps {
  telephone: Telephone;
  surroundings: Surroundings;
  terminal: Terminal;
  serviceCode: string;
  sleep(ms: number): Promise<void>;
}

type Next = 'go_on' | 'quit';

/** Runs until the person quits. Rejects when a simulator cannot be reached. */
export async function converse(deps: ConversationDeps): Promise<void> {
  const { surroundings, terminal, telephone } = deps;
  const seen = new Set((await surroundings.texts()).map(({ id }) => id));
  await surroundings.answerByHand(true);
  try {
    terminal.print('Ctrl-C hangs up. :repeat sends again, :texts shows the inbox, :quit ends.');
    while ((await turn(deps, seen)) === 'go_on');
  } finally {
    await telephone.abort();
    await surroundings.answerByHand(false).catch(() => undefined);
  }
}

async function turn(deps: ConversationDeps, seen: Set<string>): Promise<Next> {
  const { telephone, terminal, serviceCode } = deps;
  const idle = telephone.ended();
  const typed = await terminal.ask(idle ? `Dial [${serviceCode}]: ` : 'Answer: ');
  if (typed.kind === 'closed') return 'quit';
  if (typed.kind === 'interrupt') return interrupt(deps);
  const line = typed.line.trim();
  if (line.startsWith(':')) return command(deps, line, seen);
  if (!idle && line === '') return 'go_on';
  const hop = idle ? await telephone.dial(line || serviceCode) : await telephone.send(line);
  return showHop(deps, hop, seen);
}

async function interrupt({ telephone, terminal }: ConversationDeps): Promise<Next> {
  if (!(await telephone.abort())) return 'quit';
  terminal.print('(hung up)');
  return 'go_on';
}

async function command(deps: ConversationDeps, line: string, seen: Set<string>): Promise<Next> {
  const { telephone, surroundings, terminal } = deps;
  if (line === ':quit') return 'quit';
  if (line === ':repeat') return showHop(deps, await telephone.repeat(), seen);
  if (line === ':texts') {
    const texts = await surroundings.texts();
    for (const text of texts.toReversed()) printText(terminal, text);
    if (texts.length === 0) terminal.print('(no texts)');
    return 'go_on';
  }
  terminal.print('Commands are :repeat, :texts and :quit.');
  return 'go_on';
}

async function showHop(deps: ConversationDeps, hop: Hop, seen: Set<string>): Promise<Next> {
  const { terminal } = deps;
  if (!hop.ok) {
    terminal.print(`(network: ${hop.error}, ${hop.detail})`);
    return 'go_on';
  }
  for (const row of drawScreen(hop.screen)) terminal.print(row);
  return hop.ended ? aftermath(deps, seen) : 'go_on';
}

/** After the session the prompt may come up, and then texts; neither is waited for longer. */
async function aftermath(deps: ConversationDeps, seen: Set<string>): Promise<Next> {
  const { surroundings, terminal } = deps;
  const newTexts = async () => {
    const texts = (await surroundings.texts()).filter(({ id }) => !seen.has(id));
    return texts.length > 0 ? texts.toReversed() : null;
  };
  terminal.print('(waiting for a prompt or a text ...)');
  const first = await poll(deps, AFTERMATH_MS, async () => {
    const prompt = await surroundings.openPrompt();
    return prompt === null ? newTexts() : prompt;
  });
  if (first === null) {
    terminal.print('(nothing came)');
    return 'go_on';
  }
  if (!Array.isArray(first)) {
    terminal.print(promptSentence(first));
    const typed = await terminal.ask('PIN (Enter cancels): ');
    const pin = typed.kind === 'line' ? typed.line.trim() : '';
    await surroundings.answerPrompt(
      first,
      pin === '' ? { answer: 'cancel' } : { answer: 'accept', pin },
    );
  }
  let texts = await poll(deps, AFTERMATH_MS, newTexts);
  if (texts === null) terminal.print('(no text came)');
  while (texts !== null) {
    for (const text of texts) {
      seen.add(text.id);
      printText(terminal, text);
    }
    texts = await poll(deps, MORE_TEXTS_MS, newTexts);
  }
  return 'go_on';
}

function printText(terminal: Terminal, { at, from, text }: ReceivedText): void {
  terminal.print(`[${at.slice(11, 19)}Z text from ${from}] ${text}`);
}
