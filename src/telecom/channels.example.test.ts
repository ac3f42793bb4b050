import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { readChannels } from './channels.ts';

describe("the example of a providers' file", () => {
  const text = readFileSync('config/providers.example.yaml', 'utf8');
  const read = readChannels(parse(text));

  it('can be read, and shows every kind of channel', () => {
    expect(read).toMatchObject({ ok: true });
    const kinds = read.ok ? read.channels.all.map(({ kind }) => kind) : [];
    expect(new Set(kinds)).toEqual(new Set(['ussd', 'text', 'money', 'tvu']));
  });

  it('shows every USSD provider', () => {
    const codes = read.ok ? read.channels.ofKind('ussd') : [];
    expect(codes.map(({ provider }) => provider)).toEqual(['africastalking', 'safaricom']);
  });
});
