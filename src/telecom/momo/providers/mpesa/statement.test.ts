import { readStatement } from './statement.ts';

const CONTEXT = { country: 'KE', currency: 'KES', timeZone: 'Africa/Nairobi' };
const HEADER =
  'Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,Paid In,Withdrawn,' +
  'Balance,Balance Confirmed,Reason Type,Other Party Info,Linked Transaction ID,A/C No.';

function rowsOf(text: string) {
  const statement = readStatement(text, CONTEXT);
  return 'rows' in statement ? statement.rows : [];
}

const row = (line: string) => rowsOf(`Organisation,X\n,\n${HEADER}\n${line}\n`)[0];

describe('statements of an M-PESA organisation', () => {
  it('takes direction and amount from the column that is not zero, whatever its sign', () => {
    for (const [cells, direction, amountMinor] of [
      ['"1,053.00",', 'in', '105300'],
      ['3000.00,0.00', 'in', '300000'],
      [',"-120,000.00"', 'out', '12000000'],
      ['0.00,4000.00', 'out', '400000'],
      ['-500.00,', 'out', '50000'],
      [',(15.00)', 'out', '1500'],
      ['abc,', 'in', null],
    ]) {
      const line = `TB3,2026-10-03 17:00:00,,Settle to Bank,Completed,${cells},1100.00,true,,,,`;
      expect(row(line)).toMatchObject({ txnId: 'TB3', direction, amountMinor });
    }
  });

  it('tells charges from payouts, and payments for an account called charge from both', () => {
    const line = (details: string, cells: string, reason = '') =>
      row(`Q1,2026-09-22 14:05:00,,${details},Completed,${cells},1.00,true,${reason},,,`)
        ?.direction;
    expect(line('Business Charge', ',30.00')).toBe('charge');
    expect(line('Pay Bill', ',-60.00', 'Business Pay Bill Charge')).toBe('charge');
    expect(line('Business Payment to Customer', ',-60.00')).toBe('out');
    expect(line('Pay Bill from 2547****1 - A B Acc. FEE 7', '60.00,')).toBe('in');
    expect(line('Reversal to 2547****1 Acc. FEE 7', ',60.00')).toBe('out');
  });

  it('finds reference and payer in their columns or in the details', () => {
    const from = 'Pay Bill from 254712345678 - JANE DOE Acc. GV A2';
    const paid = '03-02-2026 10:15:00,,';
    expect(row(`qab12cd301,${paid}${from},Completed,5.00,,,true,,,,`)).toMatchObject({
      txnId: 'QAB12CD301',
      occurredAt: '2026-02-03T07:15:00.000Z',
      accountRef: 'GV A2',
      payerMsisdn: '+254712345678',
    });
    const other = '254711000001 - ACHIENG OWINO';
    expect(row(`Q1,${paid}Pay Bill Online,Completed,5.00,,,true,,${other},,UT00104`)).toMatchObject(
      {
        accountRef: 'UT00104',
        payerMsisdn: '+254711000001',
      },
    );
    const masked = '2547****0111 - MARY ATIENO';
    expect(row(`Q1,${paid}Pay Bill Online,Completed,5.00,,,true,,${masked},,`)).toMatchObject({
      accountRef: null,
      payerMsisdn: null,
    });
    expect(row(`Q1,${paid}Payment,Completed,,5.00,,true,,${other},,`)).toMatchObject({
      payerMsisdn: null,
    });
  });

  it('keeps the order of the file, failed rows included, and counts what is no transaction', () => {
    const text =
      `\uFEFF${HEADER}\r\nQ2,,,Pay Bill,Failed,700.00,,,,,,,\r\n\r\n` +
      `Q1,,,Pay Bill,COMPLETED,"1,000.00",,,,,,,\r\n${HEADER}\r\n,,,Totals,,"1,700.00",,,,,,,`;
    expect(readStatement(text, CONTEXT)).toMatchObject({
      currency: 'KES',
      rows: [
        { txnId: 'Q2', status: 'failed', amountMinor: '70000' },
        { txnId: 'Q1', status: 'completed', occurredAt: null },
      ],
      ignored: 2,
    });
  });

  it('finds columns in any order and separator, and a currency of its own', () => {
    const text =
      'Withdrawn;Paid In;Currency;RECEIPT NO;Completion Time;Opposite Party\n' +
      '0;"125,50";GHS;vf-1;2026-01-15;233241234567 - X\n;125.50;GHS;VF-2;2026-01-15;\n';
    expect(
      readStatement(text, { ...CONTEXT, country: 'GH', timeZone: 'Africa/Accra' }),
    ).toMatchObject({
      currency: 'GHS',
      rows: [
        { txnId: 'VF-1', amountMinor: null, payerMsisdn: '+233241234567' },
        { txnId: 'VF-2', amountMinor: '12550', occurredAt: '2026-01-15T00:00:00.000Z' },
      ],
      ignored: 0,
    });
  });

  it('refuses a file without its header line', () => {
    expect(readStatement('a,b\n1,2\n', CONTEXT)).toEqual({ refused: 'missing_field' });
    expect(readStatement('', CONTEXT)).toEqual({ refused: 'missing_field' });
  });
});
