import { readFileSync } from 'node:fs';
import { readSystems } from './systems.ts';

const ONE = `systems:
  - { id: main, name: Main, url: "tcp://127.0.0.1:7700" }
`;
const faults = (text: string) => {
  const read = readSystems(text);
  return read.ok ? [] : read.problems.map(({ line, path, reason }) => `${line} ${path}: ${reason}`);
};

describe('the file of conditional-access systems', () => {
  it('declares what an auditor asks for, which cards are whose, and the names of products', () => {
    const read = readSystems(readFileSync('config/cas.example.yaml', 'utf8'));
    expect(read.ok && read.systems).toMatchObject([
      {
        id: 'vip-control',
        version: '1.4',
        declaredUntil: '2027-12-31',
        inServiceFrom: '2026-01-01',
        products: null,
        hasEvents: true,
        address: { transport: 'tls', host: 'vip-control.example', port: 7700 },
      },
      { id: 'satellite', cardPrefixes: ['409'], sites: ['ABJ'], hasEvents: false },
    ]);
    const [, satellite] = read.ok ? read.systems : [];
    expect(satellite?.products?.get('PREM')).toBe('0102');
  });

  it('is refused with the line and the reason of every fault', () => {
    expect(
      faults(`${ONE}  - { id: Bad, name: Second, url: "tcp://127.0.0.1:7701", sites: [A] }`),
    ).toEqual(['3 systems[1].id: must begin with a letter and hold a-z, 0-9 and - alone']);
    expect(faults('systems: [')).not.toEqual([]);
    expect(faults('systems:\n  - id: main\n')).toHaveLength(2);
  });

  it('gives every card to one system', () => {
    const second = (more: string) =>
      faults(`${ONE}  - { id: second, name: S, url: "tcp://127.0.0.1:7701"${more} }`);
    expect(second('')).toEqual(['3 systems[1].id: is of system main already']);
    expect(second(', sites: [NBO, NBO]')).toEqual([
      '3 systems[1].sites[1]: is of system second already',
    ]);
    expect(second(', cardPrefixes: ["409"]')).toEqual([]);
    expect(faults(ONE.replace('7700"', '7700", sites: [NBO]'))).toEqual([
      '2 systems: one system must serve the rest: without sites and cardPrefixes',
    ]);
  });

  it('lets nobody on the way read or change what is sent', () => {
    const of = (url: string) => faults(ONE.replace('tcp://127.0.0.1:7700', url));
    expect(of('tcp://head-end.example:7700')).toEqual([
      '2 systems[0].url: must begin with tls:// or https://, or plain: true must stand beside it',
    ]);
    expect(of('tls://head-end.example:7700')).toEqual([
      '2 systems[0].url: needs the files ca, cert and key below tls',
    ]);
  });
});
