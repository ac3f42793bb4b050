/** The handset alive: its state, its line, its timeout, and the prompts that come to it. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { InboxText, PhoneView, Prompt } from '../../api.ts';
import type { Post } from '../house.ts';
import {
  type Act,
  type Around,
  dial,
  type Face,
  type Handset,
  hear,
  idle,
  type Key,
  press,
  promptAgain,
  type Step,
  showPrompt,
  timeOut,
  typeLetter,
} from './handset.ts';
import { createLine, type Heard, KEY_TIMEOUT_MS, type Line } from './line.ts';
import { useUnread } from './use-unread.ts';

export interface LiveHandset {
  handset: Handset;
  /** Newest first. */
  unread: InboxText[];
  press(key: Key): void;
  /** A letter of a real keyboard. */
  type(character: string): void;
  /** Dials the service code at once. */
  dial(): void;
  /** Opens a face directly, as a finger on a row of the inbox does. */
  show(face: Face): void;
}

interface HandsetDeps {
  phone: PhoneView;
  prompt: Prompt | null;
  texts: readonly InboxText[];
  post: Post;
}

export function useHandset({ phone, prompt, texts, post }: HandsetDeps): LiveHandset {
  const [handset, setHandset] = useState(idle);
  // Keys may come faster than the screen is drawn: each acts on the newest state.
  const newest = useRef(handset);
  const set = useCallback((next: Handset) => {
    newest.current = next;
    setHandset(next);
  }, []);
  const change = useCallback((to: (from: Handset) => Handset) => set(to(newest.current)), [set]);

  const line = useMemo(() => createLine(phone), [phone]);
  useEffect(() => () => line.hangUp(), [line]);
  useEffect(() => change((from) => showPrompt(from, prompt)), [prompt, change]);

  const { at } = handset;
  useEffect(() => {
    if (at.face !== 'session' || at.waiting) return;
    const timer = setTimeout(() => {
      line.hangUp();
      change(timeOut);
    }, KEY_TIMEOUT_MS);
    return () => clearTimeout(timer);
  }, [at, line, change]);

  const take = ({ handset: next, act }: Step) => {
    set(next);
    if (act !== null) perform(act, { line, phone, post, change });
  };
  const unread = useUnread(texts, at);
  const around = (): Around => ({
    serviceCode: phone.serviceCode,
    textIds: texts.map(({ id }) => id),
    unread: unread.length,
    nowMs: Date.now(),
  });
  return {
    handset,
    unread,
    press: (key) => take(press(newest.current, key, around())),
    type: (character) => change((from) => typeLetter(from, character)),
    dial: () => take(dial(phone.serviceCode)),
    show: (face) => change((from) => ({ ...from, at: face })),
  };
}

interface ActDeps {
  line: Line;
  phone: PhoneView;
  post: Post;
  change(to: (from: Handset) => Handset): void;
}

/** Does outside what a key asked for, and lets the handset hear what came of it. */
function perform(act: Act, { line, phone, post, change }: ActDeps): void {
  const listen = (heard: Heard | null) => {
    if (heard !== null) change((from) => hear(from, heard));
  };
  const answer = (body: object) => {
    void post('prompt', body).then((done) => {
      if (!done) change(promptAgain);
    });
  };
  switch (act.act) {
    case 'dial':
      void line.dial(act.code).then(listen);
      return;
    case 'send':
      void line.send(act.input).then(listen);
      return;
    case 'hang_up':
      line.hangUp();
      return;
    case 'pay':
      answer({ id: act.id, answer: 'accept', pin: act.pin });
      return;
    case 'refuse':
      answer({ id: act.id, answer: 'cancel' });
      return;
    case 'text':
      void post('text', { phone: phone.msisdn, body: act.body });
  }
}
