/**
 * The questions of a link that wait for their answers. Unlike commands they change nothing: what a
 * lost session leaves open is answered `AWAY`, and whoever asked may ask again.
 */
import type { JsonObject } from './frame.ts';
import { type AnswerMessage, parseClientMessage } from './messages.ts';
import type { AnswerTo, Query } from './queries.ts';
import type { Session } from './session.ts';

export interface Questions {
  /** Puts a question on the session; the promise never rejects. */
  ask<Q extends Query>(session: Session | undefined, query: Q): Promise<AnswerTo<Q['op']>>;
  receive(message: AnswerMessage): void;
  tick(stepMs: number): void;
  /** The session is gone: all that is open is answered `AWAY`. */
  detach(): void;
}

/** Questions that may be open at once; over it `BUSY` is the answer. */
export const OPEN_QUESTIONS_MAX = 16;
/** How long an answer may take; then it is `TIMEOUT`. */
export const ANSWER_WAIT_MS = 30_000;

interface OpenQuestion {
  op: Query['op'];
  ageMs: number;
  answer(answer: AnswerMessage['answer']): void;
}

/** No question open. */
export function createQuestions(): Questions {
  const open = new Map<string, OpenQuestion>();
  let asked = 0;
  const close = (qid: string, answer: AnswerMessage['answer']) => {
    const question = open.get(qid);
    open.delete(qid);
    question?.answer(answer);
  };
  return {
    async ask<Q extends Query>(session: Session | undefined, query: Q) {
      type Wanted = AnswerTo<Q['op']>;
      const refused = (code: string): Wanted => ({ op: 'REFUSED', code });
      if (!session) return refused('AWAY');
      if (open.size >= OPEN_QUESTIONS_MAX) return refused('BUSY');
      asked += 1;
      const qid = `q${asked}`;
      const message: JsonObject = { t: 'QUERY', qid, query };
      const parsed = parseClientMessage(message);
      // A question the head-end cannot read would cost the session.
      if (parsed?.t !== 'QUERY') return refused('PROTOCOL');
      const { promise, resolve } = Promise.withResolvers<AnswerMessage['answer']>();
      open.set(qid, { op: query.op, ageMs: 0, answer: resolve });
      session.send(parsed);
      return (await promise) as Wanted;
    },
    receive({ qid, answer }) {
      const question = open.get(qid);
      // Too late: it has been answered by us.
      if (!question) return;
      const fits = answer.op === question.op || answer.op === 'REFUSED';
      close(qid, fits ? answer : { op: 'REFUSED', code: 'PROTOCOL' });
    },
    tick(stepMs) {
      for (const [qid, question] of [...open]) {
        question.ageMs += stepMs;
        if (question.ageMs >= ANSWER_WAIT_MS) close(qid, { op: 'REFUSED', code: 'TIMEOUT' });
      }
    },
    detach() {
      for (const qid of [...open.keys()]) close(qid, { op: 'REFUSED', code: 'AWAY' });
    },
  };
}
