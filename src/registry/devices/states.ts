/** The states of cards and decoders, and which of them let a device be put to use. Pure. */

export const CARD_STATES = [
  ...(['unlisted', 'imported', 'in_stock', 'consigned', 'paired', 'in_use'] as const),
  ...(['replaced', 'faulty', 'lost', 'stolen', 'quarantine', 'blacklisted', 'retired'] as const),
] as const;
export type CardState = (typeof CARD_STATES)[number];

export const DECODER_STATES = [
  ...(['unlisted', 'received', 'in_stock', 'in_transit', 'consigned', 'reserved'] as const),
  ...(['installed', 'dormant', 'swapped_out', 'recovered', 'repair', 'missing'] as const),
  ...(['stolen', 'quarantine', 'blacklisted', 'scrapped'] as const),
] as const;
export type DecoderState = (typeof DECODER_STATES)[number];

/** What a card does before it is sold, or does now. */
const USABLE_CARDS: readonly string[] = [
  ...['unlisted', 'imported', 'in_stock', 'consigned', 'paired', 'in_use'],
];
const USABLE_DECODERS: readonly string[] = [
  ...['unlisted', 'received', 'in_stock', 'consigned', 'reserved', 'installed', 'dormant'],
];

/** What a device is asked about before it is put to use. */
export interface Usable {
  state: string;
  /** The file of the manufacturer that lists it. */
  fileId: bigint | null;
}

export type UseFault =
  | 'device_blacklisted'
  | 'device_not_listed'
  | 'device_state'
  | 'device_other_site';

/**
 * Why a device may not be sold, paired or swapped to; null when it may. `listedOnly`: the site
 * takes none that no manufacturer's file lists, but what is in use goes on.
 */
export function faultOfUse(
  kind: 'card' | 'stb',
  { state, fileId }: Usable,
  listedOnly: boolean,
): UseFault | null {
  if (state === 'blacklisted') return 'device_blacklisted';
  if (!(kind === 'card' ? USABLE_CARDS : USABLE_DECODERS).includes(state)) return 'device_state';
  const isInUse = state === 'in_use' || state === 'installed';
  return listedOnly && fileId === null && !isInUse ? 'device_not_listed' : null;
}
