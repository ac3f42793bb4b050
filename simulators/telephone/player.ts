/** Plays a scripted dialogue and says after each step what was seen. */

import { matches, type Step, written } from './script.ts';
import type { OpenPrompt, ReceivedText, Surroundings } from './surroundings.ts';
import { shillings } from './surroundings.ts';
import type { Hop, Telephone } from './telephone.ts';

const POLL_MS = 200;
const PROMPT_WAIT_MS = 10_000;

export interface Played {
  passed: number;
  /** 0 or 1: the first failed step ends the play. */
  failed: number;
}

export interface PlayerDeps {
  /** Null when there is no such channel. */
  telephone(msisdn: string, channel: string | undefined): Telephone | null;
  surroundings(msisdn: string): Surroundings;
  defaultPhone: string;
  print(line: string): void;
  sleep(ms: number): Promise<void>;
}

/** What a step came to: what was seen, and what was expected instead when it failed. */
type Outcome = { seen: string } | { expected: string; seen: string };

interface Stage {
  msisdn: string;
  channel: string | undefined;
  telephone: Telephone | null;
  surroundings: Surroundings;
  /** Texts that were there before the play, or that a step has already waited for. */
  readTexts: Set<string>;
}

/** Plays until the first failed step. Rejects when a simulator cannot be reached. */
export async function play(steps: Step[], deps: PlayerDeps): Promise<Played> {
  const phones = phonesOf(steps, deps.defaultPhone);
  const byHand = steps.some(({ verb }) => verb.startsWith('prompt_'));
  const readTexts = new Set<string>();
  try {
    for (const msisdn of phones) {
      const surroundings = deps.surroundings(msisdn);
      for (const { id } of await surroundings.texts()) readTexts.add(id);
      if (byHand) await surroundings.answerByHand(true);
    }
    return await playSteps(steps, deps, readTexts);
  } finally {
    for (const msisdn of byHand ? phones : []) {
      await deps
        .surroundings(msisdn)
        .answerByHand(false)
        .catch(() => undefined);
    }
  }
}

/** The phones a script uses; the default one when it dials before it names any. */
function phonesOf(steps: Step[], defaultPhone: string): Set<string> {
  const named = steps.flatMap((step) => (step.verb === 'phone' ? [step.msisdn] : []));
  return new Set(steps[0]?.verb === 'phone' ? named : [defaultPhone, ...named]);
}

async function playSteps(steps: Step[], deps: PlayerDeps, readTexts: Set<string>): Promise<Played> {
  const stage: Stage = {
    msisdn: deps.defaultPhone,
    channel: undefined,
    telephone: deps.telephone(deps.defaultPhone, undefined),
    surroundings: deps.surroundings(deps.defaultPhone),
    readTexts,
  };
  let passed = 0;
  try {
    for (const step of steps) {
      const outcome = await playStep(deps, stage, step);
      if ('expected' in outcome) {
        deps.print(`FAIL ${step.line}: ${step.source}`);
        deps.print(`     expected: ${outcome.expected}`);
        deps.print(`     seen:     ${oneLine(outcome.seen)}`);
        return { passed, failed: 1 };
      }
      passed += 1;
      deps.print(`ok   ${step.line}: ${step.source}`);
      if (outcome.seen !== '') deps.print(`     ${oneLine(outcome.seen)}`);
    }
    return { passed, failed: 0 };
  } finally {
    await stage.telephone?.abort();
  }
}

async function playStep(deps: PlayerDeps, stage: Stage, step: Step): Promise<Outcome> {
  switch (step.verb) {
    case 'phone':
      await stage.telephone?.abort();
      stage.msisdn = step.msisdn;
      stage.telephone = deps.telephone(step.msisdn, stage.channel);
      stage.surroundings = deps.surroundings(step.msisdn);
      return { seen: '' };
    case 'channel':
      await stage.telephone?.abort();
      stage.channel = step.name;
      stage.telephone = deps.telephone(stage.msisdn, step.name);
      return stage.telephone === null
        ? { expected: `a channel ${step.name}`, seen: 'no such channel in demo.json' }
        : { seen: '' };
    case 'wait':
      await deps.sleep(step.ms);
      return { seen: '' };
    case 'wait_text':
      return waitForText(deps, stage, step);
    case 'prompt_accept':
    case 'prompt_cancel':
    case 'prompt_wrong':
      return answerPrompt(deps, stage, step);
    default:
      return stage.telephone === null
        ? { expected: 'a USSD channel', seen: 'none in demo.json' }
        : actOnTelephone(stage.telephone, step);
  }
}

async function actOnTelephone(telephone: Telephone, step: Step): Promise<Outcome> {
  switch (step.verb) {
    case 'dial':
      return shown(await telephone.dial(step.code));
    case 'send':
      return shown(await telephone.send(step.input));
    case 'repeat':
      return shown(await telephone.repeat());
    case 'abort':
      return (await telephone.abort())
        ? { seen: '' }
        : { expected: 'an open session', seen: 'none' };
    case 'expect_end':
      return telephone.ended()
        ? { seen: '' }
        : { expected: 'the end of the session', seen: telephone.screen() };
    case 'expect':
      return matches(step.pattern, telephone.screen())
        ? { seen: '' }
        : { expected: written(step.pattern), seen: telephone.screen() };
    default:
      throw new Error(`${step.verb} is no step for a telephone`);
  }
}

function shown(hop: Hop): Outcome {
  return hop.ok
    ? { seen: `${hop.ended ? 'END' : 'CON'} ${hop.screen}` }
    : { expected: 'a screen', seen: `${hop.error}: ${hop.detail}` };
}

async function waitForText(
  deps: PlayerDeps,
  stage: Stage,
  step: Extract<Step, { verb: 'wait_text' }>,
): Promise<Outcome> {
  let unread: ReceivedText[] = [];
  const found = await poll(deps, step.ms, async () => {
    unread = (await stage.surroundings.texts()).filter(({ id }) => !stage.readTexts.has(id));
    return unread.findLast(({ text }) => matches(step.pattern, text)) ?? null;
  });
  if (found === null) {
    const seen = unread.map(({ text }) => text).join(' | ');
    return { expected: `a text with ${written(step.pattern)}`, seen: seen || 'no new text' };
  }
  stage.readTexts.add(found.id);
  return { seen: `text from ${found.from}: ${found.text}` };
}

async function answerPrompt(deps: PlayerDeps, stage: Stage, step: Step): Promise<Outcome> {
  const prompt = await poll(deps, PROMPT_WAIT_MS, () => stage.surroundings.openPrompt());
  if (prompt === null) return { expected: 'a mobile-money prompt', seen: 'none within 10 s' };
  await stage.surroundings.answerPrompt(
    prompt,
    step.verb === 'prompt_cancel'
      ? { answer: 'cancel' }
      : { answer: 'accept', pin: step.verb === 'prompt_accept' ? step.pin : WRONG_PIN },
  );
  return { seen: promptSentence(prompt) };
}

/** No phone has a PIN of this length. */
const WRONG_PIN = '0000000';

/** The prompt as it stands on the phone. */
export function promptSentence(prompt: OpenPrompt): string {
  const amount = shillings(prompt.amountMinor);
  return `Pay ${amount} to ${prompt.payee}, account ${prompt.accountReference}?`;
}

/** Asks every 200 ms until there is something or the time is up. */
export async function poll<T>(
  { sleep }: Pick<PlayerDeps, 'sleep'>,
  ms: number,
  look: () => Promise<T | null>,
): Promise<T | null> {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const found = await look();
    if (found !== null || waitedMs >= ms) return found;
    await sleep(POLL_MS);
  }
}

function oneLine(text: string): string {
  return text.replaceAll('\n', ' / ');
}
