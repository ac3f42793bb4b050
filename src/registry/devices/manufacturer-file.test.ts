import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { withLuhnDigit } from '../../platform/luhn.ts';
import { type FileFault, readDeviceFile } from './manufacturer-file.ts';

const HEADING = 'stb_serial,model,chip_id,mac,card_number,batch';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const signed = (content: string) => `${content}#sha256,${sha256(content)}\n`;
const card = (n: number) => withLuhnDigit(`4021${String(n).padStart(6, '0')}`);
const read = (lines: string[], models: string[] | null = null) =>
  readDeviceFile(signed(`${[HEADING, ...lines].join('\n')}\n`), {
    sha256: null,
    models: models && new Set(models),
  });
const faultsOf = (lines: string[], models?: string[]): FileFault[] => {
  const got = read(lines, models);
  return got.ok ? [] : got.faults;
};

describe('the file of a manufacturer', () => {
  it('names decoders and cards, with what is known of them', () => {
    const got = read([
      `stb-0001,ZX10,00ab12cd,00:1a:2b:3c:4d:5e,${card(1)},B7`,
      `STB-0002,ZX10,,,,B7`,
      `,,,,${card(2)},B8`,
    ]);
    expect(got).toMatchObject({
      ok: true,
      list: {
        decoders: [
          {
            serial: 'STB-0001',
            model: 'ZX10',
            chipId: '00AB12CD',
            mac: '001A2B3C4D5E',
            batch: 'B7',
          },
          { serial: 'STB-0002', model: 'ZX10', chipId: null, mac: null, batch: 'B7' },
        ],
        cards: [
          { number: card(1), kind: 'physical', stb: 'STB-0001', batch: 'B7' },
          { number: card(2), kind: 'physical', stb: null, batch: 'B8' },
        ],
      },
    });
  });

  it('says every fault with its line, and takes nothing', () => {
    const wrongDigit = `4021000001${(Number(card(1).at(-1)) + 1) % 10}`;
    const lines = [
      `STB-0001,ZX10,,,${card(1)},B7`,
      `STB-0001,ZX10,,,,B7`,
      `STB-0003,QQ,,,,B7`,
      `STB-0004,ZX10,xyz,,,B7`,
      `STB-0005,ZX10,,00:1a,,B7`,
      `,,,,4021,B7`,
      `,,,,${wrongDigit.slice(0, 11)},B7`,
      `,,,,${card(1)},B7`,
      `,,,,,B7`,
      `STB-0006,ZX10`,
      `s,ZX10,,,,B7`,
      `STB-0007,ZX10,,,,`,
    ];
    expect(faultsOf(lines, ['ZX10']).map(({ line, code }) => `${line} ${code}`)).toEqual([
      '3 duplicate',
      '4 model_unknown',
      '5 chip_shape',
      '6 mac_shape',
      '7 card_length',
      '8 card_luhn',
      '9 duplicate',
      '10 nothing_named',
      '11 columns',
      '12 serial_shape',
      '13 batch_missing',
    ]);
  });

  it('is not read without its checksum, or with another one', () => {
    const text = `${HEADING}\nSTB-0001,ZX10,,,,B7\n`;
    const models = null;
    expect(readDeviceFile(text, { sha256: null, models })).toMatchObject({
      faults: [{ line: 0, code: 'checksum_missing' }],
    });
    expect(readDeviceFile(text, { sha256: sha256('other'), models })).toMatchObject({
      faults: [{ code: 'checksum_wrong' }],
    });
    expect(readDeviceFile(text, { sha256: sha256(text).toUpperCase(), models }).ok).toBe(true);
    expect(readDeviceFile(signed(text), { sha256: sha256(signed(text)), models }).ok).toBe(true);
  });

  it('does not survive the change of any character', () => {
    const text = signed(`${HEADING}\nSTB-0001,ZX10,,,${card(5)},B7\n`);
    fc.assert(
      fc.property(fc.nat(text.length - 2), fc.constantFrom('0', 'Z', ',', '\n'), (at, other) => {
        fc.pre(text[at] !== other);
        const changed = text.slice(0, at) + other + text.slice(at + 1);
        expect(readDeviceFile(changed, { sha256: null, models: null }).ok).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('has virtual cards where it says so, each in its decoder', () => {
    const file = (line: string) =>
      readDeviceFile(signed(`${HEADING},card_kind\n${line}\n`), { sha256: null, models: null });
    expect(file(`STB-0001,ZX10,,,${card(1)},B7,virtual`)).toMatchObject({
      list: { cards: [{ kind: 'virtual', stb: 'STB-0001' }] },
    });
    expect(file(`,,,,${card(1)},B7,virtual`)).toMatchObject({ faults: [{ code: 'card_kind' }] });
  });
});
