/** The head-end at a glance: hears every second how it is, and shows it. */
import { at, control, fill, make, say } from './dom.mjs';
import { listenToDecoders, showDecoders } from './grid.mjs';

const PRIORITIES = ['SALE', 'REFRESH', 'MESSAGE', 'BULK'];
const number = (value) => value.toLocaleString('en', { maximumFractionDigits: 1 });
const time = (instant) => instant.slice(11, 19);
const item = (text) => make('li', text);
const row = (cells) =>
  make(
    'tr',
    cells.map((cell) => make('td', cell)),
  );

let last;

function show(now) {
  last = now;
  const trouble = [
    now.healthy ? '' : 'its journal cannot be written',
    now.link ? '' : 'VIP Control is cut',
    now.faults.length > 0 ? `made to fail: ${now.faults.map(({ kind }) => kind).join(', ')}` : '',
  ].filter(Boolean);
  say('state', trouble.length > 0 ? `Running; ${trouble.join(', ')}` : 'Running well');
  say('now', `${now.now.slice(0, 10)} ${time(now.now)} UTC`);
  showQueue(now);
  showAir(now);
  showFaults(now);
  fill('commands', now.commands.map(commandRow));
  fill(
    'foreign',
    now.foreign.map(({ at: when = '', card, products, suspended }) => {
      const rights = products.join(', ') || 'nothing';
      return item(`${time(when)} ${card}: ${suspended ? `suspended, ${suspended}` : rights}`);
    }),
    'Nobody has written past VIP Control.',
  );
  showDecoders(now);
}

function showQueue({ status, air }) {
  fill(
    'queue',
    PRIORITIES.map((prio) => row([prio, number(status.waiting[prio]), number(air.waiting[prio])])),
  );
  fill(
    'sessions',
    status.sessions.map(({ clientId, inFlight, lastSeq }) => {
      return item(`${clientId}: ${inFlight} in flight, command ${lastSeq}`);
    }),
    'Nobody is logged in.',
  );
  say(
    'window',
    `Window ${status.window} of ${status.maxWindow}. ${number(status.cards)} cards, ` +
      `${number(status.commands)} commands remembered.`,
  );
}

function showAir({ air, broadcasts }) {
  const periods = air.periods.map(({ everyMs, count }) => {
    return `${number(count)} every ${number(everyMs / 1_000)} s`;
  });
  const facts = {
    Bandwidth: air.emmPerSecond === null ? 'no limit' : `${number(air.emmPerSecond)} EMM/s`,
    'Slow cycle': air.slowCycleSeconds === null ? 'no cards' : `${number(air.slowCycleSeconds)} s`,
    Repeated: periods.join(', ') || 'nothing',
    'Broadcast so far': number(air.broadcast),
  };
  fill(
    'air',
    Object.entries(facts).flatMap(([name, value]) => [make('dt', name), make('dd', value)]),
  );
  fill(
    'broadcasts',
    broadcasts.map(({ at: when, card, content, first }) => {
      return item(`${time(when)} ${card} ${content}${first ? ', for the first time' : ''}`);
    }),
    'Nothing yet.',
  );
}

function showFaults({ faults, link }) {
  fill(
    'faults',
    faults.map(({ kind, value, percent, left, met }) => {
      const share = percent < 100 ? `, ${number(percent)} %` : '';
      const size = value ? ` ${value}` : '';
      const text = `${kind}${size}${share}: met ${met}, ${left ?? 'any number'} to come`;
      const heal = { type: 'button', 'data-heal': kind, 'aria-label': `Heal ${kind}` };
      return make('li', [make('span', text), make('button', 'Heal', heal)], { class: 'fault' });
    }),
    'None.',
  );
  document.querySelector('[data-act=link]').textContent = link
    ? 'Cut VIP Control'
    : 'Bring VIP Control back';
}

function commandRow({ at: when, op, card, code, airMs }) {
  const air = airMs === undefined ? '' : `${number(airMs)} ms`;
  return row([time(when), op, card, code ?? 'under way', air]);
}

/** The kinds of fault, with what each does and the number it takes. */
async function offerFaults() {
  const { kinds } = await (await fetch('/faults')).json();
  const form = at('fault');
  form.kind.append(...Object.keys(kinds).map((kind) => make('option', kind)));
  const explain = () => {
    const { does, value } = kinds[form.kind.value];
    say('does', does);
    at('value-label').hidden = !value;
    form.value.value = '';
    form.value.placeholder = value ? `${value.normal} ${value.unit}` : '';
  };
  form.kind.addEventListener('change', explain);
  explain();
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const { kind, ...numbers } = Object.fromEntries(new FormData(form));
    const given = Object.entries(numbers).filter(([, text]) => text !== '');
    await control('fault', {
      kind,
      ...Object.fromEntries(given.map(([name, text]) => [name, Number(text)])),
    });
  });
}

function listenToFaults() {
  at('faults').addEventListener('click', ({ target }) => {
    if (target.dataset.heal) void control('heal', { kind: target.dataset.heal });
  });
  for (const button of document.querySelectorAll('[data-act]')) {
    button.addEventListener('click', () => {
      const { act, lose } = button.dataset;
      if (act === 'heal') void control('heal', {});
      else if (act === 'restart') void control('restart', { lose });
      else void control('link', { up: !last?.link });
    });
  }
}

function connect() {
  const stream = new EventSource('/live');
  stream.onmessage = ({ data }) => {
    show(JSON.parse(data));
    document.body.dataset.connection = 'live';
  };
  stream.onerror = () => {
    document.body.dataset.connection = 'lost';
    say('state', 'The head-end does not answer; trying again …');
  };
}

listenToFaults();
listenToDecoders();
await offerFaults();
connect();
