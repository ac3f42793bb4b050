/** The decoders: how many show what, a page of their screens, and one of them close to. */
import { at, control, fill, make, say } from './dom.mjs';

const MEANING = {
  picture: 'Picture',
  off: 'Off',
  V01: 'V01 no card',
  V02: 'V02 not paired',
  V03: 'V03 not subscribed',
  V04: 'V04 suspended',
  V05: 'V05 blacklisted',
  V06: 'V06 no signal',
  V07: 'V07 waits for rights',
  V08: 'V08 wrong region',
};
const KNOBS = { power: 'Power', signal: 'Signal', cardIn: 'Card in' };

/** As many as are seen without scrolling for long. */
const size = matchMedia('(max-width: 40rem)').matches ? 24 : 120;
const wanted = { page: 1, size, shows: '', card: '' };
let pages = 1;
let chosen;
let seen;

/** Shows the counts, and the page of screens again when one has changed. */
export function showDecoders({ screens, screenChanges }) {
  const counts = Object.entries(screens).sort(([a], [b]) => a.localeCompare(b));
  const all = counts.reduce((sum, [, count]) => sum + count, 0);
  say('decoder-count', all.toLocaleString('en'));
  const chip = (code, text) =>
    make('button', text, {
      type: 'button',
      'data-code': code,
      'aria-pressed': String(wanted.shows === code),
    });
  const chips = counts.map(([code, count]) => {
    return chip(code, `${MEANING[code] ?? code}: ${count.toLocaleString('en')}`);
  });
  fill('codes', all === 0 ? [] : [chip('', 'All'), ...chips]);
  const now = `${screenChanges} ${all}`;
  if (now === seen) return;
  seen = now;
  void showGrid();
}

async function showGrid() {
  const asked = `/decoders?${new URLSearchParams(wanted)}`;
  const response = await fetch(asked).catch(() => undefined);
  // A later question has a later answer.
  if (!response?.ok || asked !== `/decoders?${new URLSearchParams(wanted)}`) return;
  const found = await response.json();
  pages = Math.max(1, found.pages);
  if (wanted.page > pages) {
    wanted.page = pages;
    await showGrid();
    return;
  }
  say('page', `Page ${wanted.page} of ${pages}`);
  for (const button of document.querySelectorAll('[data-page]')) {
    const next = wanted.page + Number(button.dataset.page);
    button.disabled = next < 1 || next > pages;
  }
  fill('grid', found.decoders.map(screenOf), 'No decoder.');
  if (chosen !== undefined) await showChosen();
}

function screenOf({ card, screen }) {
  const words = {
    picture: screen.service,
    blocked: screen.code,
    off: 'Off',
  };
  const lines = [make('strong', words[screen.kind]), make('span', card)];
  if (screen.osd) lines.push(make('em', screen.osd.text));
  return make(
    'li',
    make('button', lines, {
      type: 'button',
      class: 'tv',
      'data-kind': screen.kind,
      'data-card': card,
      'aria-pressed': String(card === chosen),
    }),
  );
}

async function showChosen() {
  const [decoder, card] = await Promise.all(
    ['decoders', 'cards'].map(async (room) => {
      const response = await fetch(`/${room}/${encodeURIComponent(chosen)}`);
      return response.ok ? response.json() : undefined;
    }),
  );
  if (!decoder) return;
  const { screen, stb, stored } = decoder;
  say('chosen-title', `Card ${chosen} in ${stb}`);
  const shows = screen.kind === 'picture' ? screen.service : (MEANING[screen.code] ?? 'Off');
  const revision = (of) => (of ? `${of.epoch}.${of.rev}` : 'none');
  const set = (card?.set ?? []).map(({ product, to }) => `${product} to ${to.slice(0, 16)}`);
  say(
    'chosen-text',
    `${shows}. Revision here ${revision(card)}, in the home ${revision(stored)}. ` +
      `Rights: ${set.join(', ') || 'none'}.`,
  );
  fill(
    'knobs',
    Object.entries(KNOBS).map(([knob, name]) => {
      const pressed = { type: 'button', 'data-knob': knob, 'aria-pressed': String(decoder[knob]) };
      return make('button', name, pressed);
    }),
  );
  at('chosen').hidden = false;
}

/** Listens to what is pressed among the decoders. */
export function listenToDecoders() {
  at('codes').addEventListener('click', ({ target }) => {
    if (target.dataset.code === undefined) return;
    Object.assign(wanted, { page: 1, shows: target.dataset.code });
    for (const button of at('codes').children) {
      button.setAttribute('aria-pressed', String(button === target));
    }
    void showGrid();
  });
  at('search').addEventListener('submit', (event) => {
    event.preventDefault();
    const card = new FormData(event.target).get('card').trim();
    Object.assign(wanted, { page: 1, card });
    void showGrid();
  });
  at('search').addEventListener('click', ({ target }) => {
    if (!target.dataset.page) return;
    wanted.page += Number(target.dataset.page);
    void showGrid();
  });
  at('grid').addEventListener('click', async ({ target }) => {
    const screen = target.closest('.tv');
    if (!screen) return;
    chosen = screen.dataset.card;
    await showGrid();
    at('chosen-title').focus();
  });
  at('knobs').addEventListener('click', async ({ target }) => {
    const { knob } = target.dataset;
    if (!knob) return;
    const isOn = target.getAttribute('aria-pressed') === 'true';
    await control('decoder', { card: chosen, [knob]: !isOn });
    await showGrid();
    at('knobs').querySelector(`[data-knob=${knob}]`)?.focus();
  });
}
