/** How results come to the client: at once, or as the faults in force would have it. */
import type { Res } from '../../../src/entitlement/vip-control/messages.ts';
import type { Random } from '../../../src/platform/ports.ts';
import type { Peer } from '../peer.ts';
import type { Timers } from '../pulse.ts';
import type { Faults } from './faults.ts';

export interface Telling {
  tell(peer: Peer, result: Res): void;
  /** A client has logged in: it hears again what it was to hear twice. */
  greet(peer: Peer): void;
  /** Nothing more is told of what was held back. */
  stop(): void;
}

export interface TellingDeps {
  faults: Faults;
  random: Random;
  timers: Timers;
  /** The live session of a client. */
  sessionOf(clientId: string): Peer | undefined;
}

/** So long results wait for others to be mixed with. */
const SHUFFLE_MS_MAX = 1_000;
/** Results that are told again in the next session; of more, the oldest are not. */
const ECHOES_MAX = 1_000;

interface State extends TellingDeps {
  held: { peer: Peer; result: Res }[];
  echoes: { clientId: string | undefined; result: Res }[];
  waits: Set<() => void>;
}

/** Tells results through the faults. */
export function createTelling(deps: TellingDeps): Telling {
  const state: State = { ...deps, held: [], echoes: [], waits: new Set() };
  return {
    tell: (peer, result) => tell(state, peer, result),
    greet(peer) {
      const heard = state.echoes.filter(({ clientId }) => clientId === peer.clientId);
      state.echoes = state.echoes.filter(({ clientId }) => clientId !== peer.clientId);
      for (const { result } of heard) peer.send(result);
    },
    stop() {
      for (const cancel of state.waits) cancel();
      state.waits.clear();
      state.held = [];
    },
  };
}

function tell(state: State, peer: Peer, result: Res): void {
  const { faults } = state;
  if (!peer.isOpen()) return;
  if (faults.strikes('drop_after_exec')) {
    peer.cut();
    return;
  }
  const late = faults.strikes('late');
  if (late) {
    const { clientId } = peer;
    wait(state, late.value, () => {
      if (clientId !== undefined) state.sessionOf(clientId)?.send(result);
    });
    return;
  }
  const mixed = faults.strikes('shuffle');
  if (!mixed) {
    sendNow(state, peer, result);
    return;
  }
  state.held.push({ peer, result });
  if (state.held.length >= mixed.value) tellHeld(state);
  else if (state.held.length === 1) wait(state, SHUFFLE_MS_MAX, () => tellHeld(state));
}

function wait(state: State, ms: number, run: () => void): void {
  const cancel = state.timers.after(ms, () => {
    state.waits.delete(cancel);
    run();
  });
  state.waits.add(cancel);
}

/** In any order: each time one of those that are left. */
function tellHeld(state: State): void {
  const { held, random } = state;
  while (held.length > 0) {
    const [next] = held.splice(Math.floor(random.fraction() * held.length), 1);
    if (next) sendNow(state, next.peer, next.result);
  }
}

function sendNow({ faults, echoes }: State, peer: Peer, result: Res): void {
  peer.send(result);
  if (!faults.strikes('dup_res')) return;
  peer.send(result);
  echoes.push({ clientId: peer.clientId, result });
  if (echoes.length > ECHOES_MAX) echoes.shift();
}
