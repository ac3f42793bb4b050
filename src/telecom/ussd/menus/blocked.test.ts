import type { Diagnosis, RefreshAnswer } from '../../../entitlement/picture/desk.ts';
import {
  AMINA,
  ANSWERS,
  ASK_CODE,
  CALLER,
  CHECK,
  CONFIRM,
  MAIN,
  NOW,
  onAir,
  PRINCIPAL,
  phone,
  pictured,
  play,
  RESENT,
  standing,
  TERMS,
  type World,
  world,
} from '../script.fixture.ts';

const UNTIL = new Date('2026-12-23T21:00:00Z');
const MORNING = new Date('2026-11-23T08:30:00Z');
const FRANCOPHONE = { ...CALLER, language: 'fr' } as const;

const NOT_PAID =
  'Card ..4417: ended 21/11/2026, credit KES 0. Missing KES 650 for a month.' +
  ' Missing KES 40.50 for a day.|1 Pay now|0 Back';
const LOOKED_INTO =
  'END We look into card ..4417 and will send a text or call. Nothing to pay.' +
  ' Please keep the decoder ON.';

function refreshing(answer: RefreshAnswer, caller = CALLER): World {
  const on = onAir(caller);
  on.services.refresh = async () => answer;
  return on;
}

describe('a card that is not paid', () => {
  it('says what is missing, and 1 leads to the terms and back', async () => {
    const on = world();
    await play(phone(on), [
      ['dial', MAIN],
      ['2', NOT_PAID],
      ['7', `Choose from the list.|${NOT_PAID}`],
      ['1', TERMS],
      ['0', NOT_PAID],
      ['0', MAIN],
      ['2', NOT_PAID],
      ['1', TERMS],
      ['1', CONFIRM],
      ['00', MAIN],
    ]);
    expect(on.acts).toEqual([]);
  });

  it('does so in French', async () => {
    await play(phone(world(FRANCOPHONE)), [
      ['dial', PRINCIPAL],
      [
        '2',
        'Carte ..4417: fini 21/11/2026, credit KES 0. Manque KES 650 pour un mois.' +
          ' Manque KES 40.50 pour un jour.|1 Payer|0 Retour',
      ],
    ]);
  });

  it('says for which term the credit is enough', async () => {
    const missing = [
      { term: 'month', amountMinor: 60_000n },
      { term: 'day', amountMinor: 0n },
    ] as const;
    await play(phone(pictured({ missing, creditMinor: 5_000n })), [
      [
        'dial 2',
        'Card ..4417: ended 21/11/2026, credit KES 50. Missing KES 600 for a month.' +
          ' Credit is enough for a day.|1 Pay now|0 Back',
      ],
    ]);
  });

  it('was never paid, and nothing is sold for it', async () => {
    const facts = { diagnosis: { kind: 'not_paid', paidUntil: null }, missing: [] } as const;
    await play(phone(pictured(facts)), [
      ['dial 2', 'Card ..4417: not paid yet, credit KES 0.|1 Pay now|0 Back'],
    ]);
  });

  it('says to which card the last payment went, today or the day before', async () => {
    const wrong = { last4: '9032', amountMinor: 65_000n, at: MORNING };
    await play(phone(pictured({ wrongCard: wrong })), [
      [
        'dial 2',
        'Your last payment KES 650 11:30 went to card ..9032, not ..4417.' +
          '|Card ..4417: ended 21/11/2026. Missing KES 650 for a month.|1 Pay now|0 Back',
      ],
      ['1', TERMS],
    ]);
    const dayBefore = { ...wrong, at: new Date('2026-11-22T20:59:00Z') };
    await play(phone(pictured({ wrongCard: dayBefore }, FRANCOPHONE)), [
      [
        'dial 2',
        'Votre dernier paiement KES 650 22/11 23:59 est alle a la carte ..9032, pas ..4417.' +
          '|Carte ..4417: fini 21/11/2026. Manque KES 650 pour un mois.|1 Payer|0 Retour',
      ],
    ]);
  });
});

describe('a card that is suspended', () => {
  it.each([
    ['admin', 'been stopped by us since 20/11/2026. Please call us; do not pay before.'],
    [
      'fraud',
      'been stopped since 20/11/2026 and is being checked. Please call us; do not pay before.',
    ],
    [
      'dispute',
      'been stopped since 20/11/2026: a payment is in dispute. Please call us; do not pay before.',
    ],
    [
      'vacation',
      'been at rest since 20/11/2026, as you asked. Nothing to pay.' +
        ' To have it back, please call us.',
    ],
    [
      'incident',
      'been stopped since 20/11/2026 by a fault of ours. Nothing to pay or to do: we work on it.',
    ],
    [
      'unpaid',
      'been stopped since 20/11/2026: KES 650 is unpaid. Your TV is back as soon as that is paid.',
    ],
    [
      'blocked',
      'been stopped by us for a time, since 20/11/2026. It comes back by itself.' +
        ' Questions? Please call us.',
    ],
  ] as const)('says so, since when, and what to do: %s', async (reason, words) => {
    // Already the 20th in Nairobi.
    const since = new Date('2026-11-19T21:00:00Z');
    const on = standing({ kind: 'suspended', reason, since });
    await play(phone(on), [
      ['dial 2', `Card ..4417 has ${words}|0 Back`],
      ['1', `Choose from the list.|Card ..4417 has ${words}|0 Back`],
      ['0', MAIN],
    ]);
    expect(on.acts).toEqual([]);
  });

  it('does so in French', async () => {
    const on = standing({ kind: 'suspended', reason: 'vacation', since: MORNING }, FRANCOPHONE);
    await play(phone(on), [
      [
        'dial 2',
        'Carte ..4417 en pause depuis le 23/11/2026, a votre demande. Rien a payer.' +
          ' Pour la reprendre, appelez-nous.|0 Retour',
      ],
    ]);
  });
});

describe('a card whose rights are on their way', () => {
  const waiting: Diagnosis = { kind: 'on_its_way', paidUntil: UNTIL, since: MORNING };
  const WAITING =
    'Card ..4417: paid to 23/12/2026. Rights are being sent since 11:30; keep decoder ON.' +
    '|1 Look again|0 Back';

  it('says so; looking again shows what has become of it', async () => {
    const on = standing(waiting);
    const caller = phone(on);
    await play(caller, [
      ['dial 2', WAITING],
      ['1', WAITING],
    ]);
    expect(on.acts).toEqual([]);
    on.services.blocked = onAir().services.blocked;
    await play(caller, [
      ['1', RESENT],
      ['0', MAIN],
    ]);
  });

  it('does so in French', async () => {
    await play(phone(standing(waiting, FRANCOPHONE)), [
      [
        'dial 2',
        'Carte ..4417: payee au 23/12/2026. Droits en envoi depuis 11:30;' +
          ' laissez le decodeur ALLUME.|1 Voir encore|0 Retour',
      ],
    ]);
  });

  it('is said also of rights that were raised while the screen was made', async () => {
    await play(phone(refreshing({ kind: 'not_on_air' })), [
      ['dial 2', WAITING.replace('11:30', '12:00')],
    ]);
  });
});

describe('a card that is on air', () => {
  it('has its rights sent again by dialling alone, once however often the hop comes', async () => {
    const on = onAir();
    await play(phone(on), [['dial 2', RESENT]]);
    expect(on.acts).toEqual([
      { what: 'refresh', key: '', msisdn: '+254712345678', cardId: AMINA.cardId },
    ]);
  });

  it('says so where somebody has asked just before, and where it was too often', async () => {
    await play(phone(refreshing({ kind: 'already', at: NOW })), [
      [
        'dial 2',
        'Card ..4417: paid to 23/12/2026. Rights were re-sent 12:00 already. Keep decoder ON.' +
          ANSWERS,
      ],
    ]);
    const again = new Date('2026-11-23T09:40:00Z');
    await play(phone(refreshing({ kind: 'limited', again })), [
      [
        'dial 2',
        'Card ..4417: paid to 23/12/2026. Rights were re-sent often already;' +
          ` not again before 12:40.${ANSWERS}`,
      ],
    ]);
  });

  it('is back: the report is kept once, and the session ends', async () => {
    const on = onAir();
    const end = 'END Thank you. Enjoy your programme.';
    await play(phone(on), [
      ['dial 2', RESENT],
      ['1', end],
      ['1', end],
    ]);
    expect(on.acts.slice(1)).toEqual([
      { what: 'picture back', key: expect.stringMatching(/:blocked:1$/), cardId: AMINA.cardId },
    ]);
  });

  it('is still black: what to check, a second try, then people look into it', async () => {
    const on = onAir();
    const caller = phone(on);
    await play(caller, [
      ['dial 2', RESENT],
      ['2', CHECK],
      ['9', `Choose from the list.|${CHECK}`],
      ['1', RESENT],
      ['2', LOOKED_INTO],
    ]);
    const black = on.acts.filter(({ what }) => what === 'picture black');
    expect(new Set(black.map(({ key }) => key)).size).toBe(2);
  });

  it('goes back from what to check to the decision, and home', async () => {
    await play(phone(onAir()), [
      ['dial 2', RESENT],
      ['2', CHECK],
      ['0', RESENT],
      ['3', ASK_CODE],
      ['0', RESENT],
      ['3', ASK_CODE],
      ['00', MAIN],
    ]);
  });

  it('says everything in French', async () => {
    const answers = '|1 Image revenue|2 Toujours noir|3 Autre message|0 Retour';
    const sent =
      'Carte ..4417: payee au 23/12/2026. Droits renvoyes 12:00. Decodeur ALLUME, chaine 1.' +
      answers;
    await play(phone(onAir(FRANCOPHONE)), [
      ['dial 2', sent],
      [
        '2',
        'Verifiez: decodeur ALLUME, carte dedans, cable du signal bien serre, chaine 1.' +
          ' Attendez 2 min.|1 Reessayer|0 Retour',
      ],
      ['1', sent],
      ['3', "Autre message: tapez le code a l'ecran, V01 a V08 ou E16.|0 Retour"],
      ['V05', 'V05: cette carte est bloquee. Appelez-nous, la carte en main.|0 Retour 00 Accueil'],
      ['0', "Autre message: tapez le code a l'ecran, V01 a V08 ou E16.|0 Retour"],
      ['0', sent],
      [
        '2',
        'END Nous examinons la carte ..4417 et vous envoyons un SMS ou appelons. Rien a payer.' +
          ' Laissez le decodeur ALLUME.',
      ],
    ]);
  });

  it('reports nothing that was dialled behind the code', async () => {
    for (const extras of ['2*1', '2*2', '2*2*1*2']) {
      const on = onAir();
      await play(phone(on), [[`dial ${extras}`, RESENT]]);
      expect(on.acts.map(({ what }) => what)).toEqual(['refresh']);
    }
  });

  it('asks to try again when the desk does not answer, and has reported nothing', async () => {
    const on = onAir();
    on.services.reportPicture = async () => {
      throw new Error('away');
    };
    await play(phone(on), [
      ['dial 2', RESENT],
      ['2', 'END Sorry, not possible just now. Please try again in a minute.'],
    ]);
  });
});
