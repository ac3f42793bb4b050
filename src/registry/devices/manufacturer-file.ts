/**
 * The file a manufacturer sends with a delivery: which decoders and cards there are. Pure.
 *
 * CSV in UTF-8 with the heading `stb_serial,model,chip_id,mac,card_number,batch` and, where some
 * cards are only numbers of their decoders, `card_kind` (`physical`, or `virtual`). A line has a
 * decoder, a card, or both. The SHA-256 of the file is given apart, or stands in a last line
 * `#sha256,<hex>` over all bytes before it. Nothing is quoted.
 */
import { createHash } from 'node:crypto';
import { hasLuhnDigit } from '../../platform/luhn.ts';

export interface ListedDecoder {
  serial: string;
  model: string;
  chipId: string | null;
  mac: string | null;
  batch: string;
}

export interface ListedCard {
  number: string;
  kind: 'physical' | 'virtual';
  /** The decoder of its line: a virtual card's own. */
  stb: string | null;
  batch: string;
}

export interface DeviceList {
  /** Of the content without its checksum line, in hex: names the file. */
  sha256: string;
  decoders: ListedDecoder[];
  cards: ListedCard[];
}

export interface FileFault {
  /** From 1; 0: the file as a whole. */
  line: number;
  code: FaultCode;
  /** What of the line it is about. */
  value: string;
}

export type FaultCode =
  | 'heading'
  | 'checksum_missing'
  | 'checksum_wrong'
  | 'too_many_lines'
  | 'empty'
  | 'columns'
  | 'nothing_named'
  | 'serial_shape'
  | 'model_unknown'
  | 'chip_shape'
  | 'mac_shape'
  | 'card_length'
  | 'card_luhn'
  | 'card_kind'
  | 'batch_missing'
  | 'duplicate'
  /** Another file has it already, or its chip or address. */
  | 'known'
  | 'blacklisted';

export type ReadList = { ok: true; list: DeviceList } | { ok: false; faults: FileFault[] };

export const FILE_LINES_MAX = 20_000;
const COLUMNS = ['stb_serial', 'model', 'chip_id', 'mac', 'card_number', 'batch'];
const KIND_COLUMN = 'card_kind';
const CHECKSUM_MARK = '#sha256,';
const BATCH_CHARS_MAX = 60;
const SERIAL = /^[A-Z0-9-]{4,40}$/;
const CHIP = /^[0-9A-F]{8,32}$/;
const MAC = /^[0-9A-F]{12}$/;
const CARD = /^[0-9]{11}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/**
 * Reads a file whole, or says all that is wrong with it, in the order of its lines. `sha256`: given
 * apart, or null. `models`: those that the operator knows; null: any.
 */
export function readDeviceFile(
  text: string,
  { sha256, models }: { sha256: string | null; models: ReadonlySet<string> | null },
): ReadList {
  const { content, claimed } = splitChecksum(text, sha256);
  const actual = createHash('sha256').update(content).digest('hex');
  const fault = (line: number, code: FaultCode, value = ''): FileFault => ({ line, code, value });
  if (claimed === null) return { ok: false, faults: [fault(0, 'checksum_missing')] };
  if (claimed !== actual) return { ok: false, faults: [fault(0, 'checksum_wrong', claimed)] };
  const lines = content.replace(/^\uFEFF/, '').split(/\r?\n/);
  const heading = lines[0]?.trim() ?? '';
  const hasKind = heading === [...COLUMNS, KIND_COLUMN].join(',');
  if (!hasKind && heading !== COLUMNS.join(',')) {
    return { ok: false, faults: [fault(1, 'heading', heading.slice(0, 200))] };
  }
  if (lines.length > FILE_LINES_MAX) return { ok: false, faults: [fault(0, 'too_many_lines')] };
  const reading: Reading = {
    models,
    hasKind,
    seen: new Map(),
    faults: [],
    decoders: [],
    cards: [],
  };
  lines.forEach((line, index) => {
    if (index > 0 && line.trim() !== '') readLine(reading, line, index + 1);
  });
  const { faults, decoders, cards } = reading;
  if (faults.length === 0 && decoders.length + cards.length === 0) faults.push(fault(0, 'empty'));
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, list: { sha256: actual, decoders, cards } };
}

function splitChecksum(text: string, given: string | null) {
  const at = text.lastIndexOf(CHECKSUM_MARK);
  const isLast = at > 0 && text[at - 1] === '\n' && !text.slice(at).trimEnd().includes('\n');
  const said = isLast
    ? text
        .slice(at + CHECKSUM_MARK.length)
        .trim()
        .toLowerCase()
    : null;
  const content = isLast ? text.slice(0, at) : text;
  const apart = given?.toLowerCase() ?? null;
  // Given both ways, both must hold; apart, it is of the file as it was sent.
  if (apart !== null && createHash('sha256').update(text).digest('hex') !== apart) {
    return { content, claimed: apart };
  }
  if (said !== null) return { content, claimed: SHA256.test(said) ? said : '' };
  return { content, claimed: apart };
}

interface Reading {
  models: ReadonlySet<string> | null;
  hasKind: boolean;
  /** What was named before, and in which line. */
  seen: Map<string, number>;
  faults: FileFault[];
  decoders: ListedDecoder[];
  cards: ListedCard[];
}

function readLine(reading: Reading, line: string, number: number): void {
  const cells = line.split(',').map((cell) => cell.trim());
  const wrong = (code: FaultCode, value: string) =>
    void reading.faults.push({ line: number, code, value: value.slice(0, 80) });
  if (cells.length !== COLUMNS.length + (reading.hasKind ? 1 : 0)) {
    wrong('columns', String(cells.length));
    return;
  }
  const [serial = '', model = '', chip = '', mac = '', card = '', batch = '', kind = ''] = cells;
  if (serial === '' && card === '') wrong('nothing_named', line);
  else if (batch === '' || batch.length > BATCH_CHARS_MAX) wrong('batch_missing', batch);
  if (serial !== '') readDecoder(reading, { serial, model, chip, mac, batch }, number);
  if (card !== '') readCard(reading, { card, kind, serial, batch }, number);
}

/** Notes a name; says the line that has it already. */
function once(reading: Reading, name: string, line: number): void {
  const before = reading.seen.get(name);
  if (before === undefined) reading.seen.set(name, line);
  else reading.faults.push({ line, code: 'duplicate', value: `${name} (line ${before})` });
}

function readDecoder(
  reading: Reading,
  cells: Record<'serial' | 'model' | 'chip' | 'mac' | 'batch', string>,
  line: number,
): void {
  const serial = cells.serial.toUpperCase();
  const chip = cells.chip.toUpperCase();
  const mac = cells.mac.replaceAll(/[:-]/g, '').toUpperCase();
  const { model, batch } = cells;
  const wrong = (code: FaultCode, value: string) =>
    void reading.faults.push({ line, code, value: value.slice(0, 80) });
  if (!SERIAL.test(serial)) wrong('serial_shape', cells.serial);
  if (model === '' || (reading.models && !reading.models.has(model))) wrong('model_unknown', model);
  if (chip !== '' && !CHIP.test(chip)) wrong('chip_shape', cells.chip);
  if (mac !== '' && !MAC.test(mac)) wrong('mac_shape', cells.mac);
  once(reading, `stb ${serial}`, line);
  if (chip !== '') once(reading, `chip ${chip}`, line);
  if (mac !== '') once(reading, `mac ${mac}`, line);
  reading.decoders.push({ serial, model, chipId: chip || null, mac: mac || null, batch });
}

function readCard(
  reading: Reading,
  { card, kind, serial, batch }: Record<'card' | 'kind' | 'serial' | 'batch', string>,
  line: number,
): void {
  const wrong = (code: FaultCode, value: string) =>
    void reading.faults.push({ line, code, value: value.slice(0, 80) });
  if (!CARD.test(card)) wrong('card_length', card);
  else if (!hasLuhnDigit(card)) wrong('card_luhn', card);
  const isVirtual = kind === 'virtual';
  if (!['', 'physical', 'virtual'].includes(kind) || (isVirtual && serial === '')) {
    wrong('card_kind', kind);
  }
  once(reading, `card ${card}`, line);
  const stb = serial === '' ? null : serial.toUpperCase();
  reading.cards.push({ number: card, kind: isVirtual ? 'virtual' : 'physical', stb, batch });
}
