/**
 * Goal: docs/reference/vcp.md cannot lie.
 * Method: read its examples through the codec of the product, work its digests and hashes out anew,
 * and look for every operation, argument, question and code that there is.
 */
import { createHash, verify } from 'node:crypto';
import { z } from 'zod';
import {
  createFrameDecoder,
  encodeFrame,
  type JsonObject,
} from '../src/entitlement/vip-control/frame.ts';
import {
  parseClientMessage,
  parseOperation,
  parseServerMessage,
} from '../src/entitlement/vip-control/messages.ts';
import { operation } from '../src/entitlement/vip-control/operations.ts';
import {
  dumpDigest,
  LOG_START,
  logHash,
  logHeadBytes,
  query,
} from '../src/entitlement/vip-control/queries.ts';
import { classOf, RESULT_CODES } from '../src/entitlement/vip-control/results.ts';
import { readAll } from './source.ts';

const [[, page] = ['', '']] = readAll(['docs/reference/vcp.md']);

/** The text of each block of code in that language. */
function blocks(language: string): string[] {
  const found = page.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)\n\`\`\`$`, 'gm'));
  return [...found].map(([, text = '']) => text);
}

/** The examples that begin with this arrow. */
function said(arrow: '→' | '←'): JsonObject[] {
  const lines = blocks('vcp').flatMap((block) => block.split('\n'));
  for (const line of lines) expect(line).toMatch(/^[→←] \{.*\}$/);
  return lines.filter((line) => line.startsWith(arrow)).map((line) => JSON.parse(line.slice(2)));
}

function answered(op: string) {
  const found = said('←').map((json) => parseServerMessage(json));
  const answers = found.flatMap((parsed) =>
    parsed.ok && parsed.message.t === 'ANSWER' ? [parsed.message.answer] : [],
  );
  return answers.find((answer) => answer.op === op);
}

describe('the page of the protocol', () => {
  it('shows what a client says as it is read, with nothing too much', () => {
    const examples = said('→');
    for (const json of examples) {
      const message = parseClientMessage(json);
      expect(message).toEqual(json);
      if (message?.t !== 'CMD') continue;
      expect(parseOperation(message)).toMatchObject({ op: json.op, args: json.args });
    }
    expect(new Set(examples.map(({ t }) => t))).toEqual(
      new Set(['PING', 'HELLO', 'CMD', 'STATUS', 'QUERY']),
    );
  });

  it('shows what a server says as it is read, with nothing too much', () => {
    const examples = said('←');
    for (const json of examples) {
      expect(parseServerMessage(json)).toEqual({ ok: true, message: json });
      if (json.t !== 'BYE' && json.code !== undefined) expect(RESULT_CODES).toContain(json.code);
    }
    const types = new Set(examples.map(({ t }) => t));
    for (const type of ['WELCOME', 'ACK', 'NAK', 'RES', 'ANSWER', 'FLOW', 'EVT', 'BYE']) {
      expect(types).toContain(type);
    }
  });

  it('shows a frame as it lies on the wire', () => {
    const [hex = ''] = blocks('hex');
    const bytes = Buffer.from(hex.replace(/\s/g, ''), 'hex');
    expect(createFrameDecoder().push(bytes)).toEqual({ ok: true, messages: [{ t: 'PING' }] });
    expect(encodeFrame({ t: 'PING' })).toEqual({ ok: true, bytes });
  });

  it('works out the digest of a dump as the product does', () => {
    const dump = answered('DUMP');
    if (dump?.op !== 'DUMP') throw new Error('no dump');
    const [line] = blocks('canonical');
    expect(dump.digest).toBe(dumpDigest(dump.cards));
    expect(dump.digest).toBe(createHash('sha256').update(`${line}\n`).digest('hex'));
  });

  it('chains and signs a log as the product does', () => {
    const log = answered('LOG');
    if (log?.op !== 'LOG') throw new Error('no log');
    const [, text] = blocks('canonical');
    const [line] = log.lines;
    expect(line?.hash).toBe(line && logHash(LOG_START, line));
    expect(line?.hash).toBe(createHash('sha256').update(`${text}`).digest('hex'));
    const key = blocks('text').find((block) => block.includes('PUBLIC KEY')) ?? '';
    const { hash, signature } = log.head;
    expect(verify(null, logHeadBytes(hash), key, Buffer.from(signature, 'base64'))).toBe(true);
  });

  it('names every operation with its arguments, every question, every code in its class', () => {
    for (const { shape } of operation.options) {
      const op = shape.op.value;
      const [, chapter = ''] = page.split(`### \`${op}\`\n`);
      const [text = ''] = chapter.split('\n#');
      const forms = shape.args instanceof z.ZodUnion ? shape.args.options : [shape.args];
      const args = forms.flatMap((form) => Object.keys((form as z.ZodObject).shape));
      expect([op, args.filter((arg) => !text.includes(`| \`${arg}\` |`))]).toEqual([op, []]);
      expect([op, text.includes('Revised.')]).toEqual([op, 'rev' in shape]);
      expect(said('→').map((json) => json.op)).toContain(op);
    }
    const questions = query.options.map(({ shape }) => shape.op.value);
    expect(questions.filter((op) => !page.includes(`**\`${op}\`**`))).toEqual([]);
    const rows = page.split('\n').filter((line) => line.startsWith('| '));
    const isListed = (code: string) =>
      rows.some((row) => row.startsWith(`| ${classOf(code)} |`) && row.includes(`\`${code}\``));
    expect(RESULT_CODES.filter((code) => !isListed(code))).toEqual([]);
  });
});
