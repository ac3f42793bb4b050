/** Acts on cards and decoders: each in one transaction with the command that tells the head-end. */
import { transaction } from '../../platform/database/pool.ts';
import type { DeviceKind } from '../../registry/devices/store.ts';
import { type Acting, type DeviceOutcome, type DevicesDeps, perform, type Work } from './acting.ts';
import {
  type Blacklisted,
  blacklist,
  type Declared,
  declare,
  lift,
  lockRegion,
  resetPin,
} from './declarations.ts';
import { pair, unpair } from './pairings.ts';
import { type GivenFile, type Received, receive } from './receipt.ts';
import { isListing, registerUnlisted } from './registration.ts';
import { type SwappedThings, swapCard, swapDecoder } from './swaps.ts';

export type DeviceActOf<T> = (acting: Acting, said: T) => Promise<DeviceOutcome>;

export interface Devices {
  /** The file of a manufacturer: whole or nothing; the same again is nothing. */
  receive(given: GivenFile): Promise<Received>;
  /** Cards were sold that perhaps no file lists: the head-end is told, where it knows any. */
  sold(numbers: readonly string[], by: string): Promise<void>;
  pair: DeviceActOf<{ card: string; stb: string; mode: 'strict' | 'list' }>;
  /** `stb` null: from every decoder. */
  unpair: DeviceActOf<{ card: string; stb: string | null }>;
  /** Everything goes to the new card, and the old one is dead: in one act, under one command. */
  swapCard: DeviceActOf<SwappedThings>;
  swapDecoder: DeviceActOf<SwappedThings>;
  blacklist: DeviceActOf<Blacklisted>;
  /** The caller sees to it that two people are behind it. */
  lift: DeviceActOf<{ kind: DeviceKind; name: string }>;
  lockRegion: DeviceActOf<{ card: string; area: string | null }>;
  /** `identity`: how it was seen who asks. */
  resetPin: DeviceActOf<{ card: string; identity: string }>;
  /** Lost, stolen, faulty, in stock, retired, …: what follows from it follows. */
  declare: DeviceActOf<Declared>;
}

/** The acts over a pool and a queue of commands. */
export function createDevices(deps: DevicesDeps): Devices {
  const act =
    <T>(name: string, work: (w: Work, said: T) => Promise<string>): DeviceActOf<T> =>
    (acting, said) =>
      perform(deps, name, acting, (w) => work(w, said));
  return {
    receive: (given) => receive(deps, given),
    async sold(numbers, by) {
      const { pool, clock } = deps;
      await transaction(pool, async (tx) => {
        if (!(await isListing(tx))) return;
        await registerUnlisted(tx, deps, { by, reason: 'sold', now: clock.now() }, numbers);
      });
      deps.wake();
    },
    pair: act('pair', pair),
    unpair: act('unpair', unpair),
    swapCard: act('swap', swapCard),
    swapDecoder: act('swap', swapDecoder),
    blacklist: act('blacklist', blacklist),
    lift: act('lift', lift),
    lockRegion: act('region', lockRegion),
    resetPin: act('pin_reset', resetPin),
    declare: act('declare', declare),
  };
}
