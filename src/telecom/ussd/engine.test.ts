import {
  CANCELLED,
  CONFIRM,
  IVORY_COAST,
  MAIN,
  memory,
  PRINCIPAL,
  PROMPT,
  phone,
  play,
  RICH,
  TERMS,
  world,
} from './script.fixture.ts';

describe('French', () => {
  const francophone = { ...RICH, language: 'fr' as const };

  it('is switched to at once, and remembered', async () => {
    const on = world();
    await play(phone(on), [
      ['dial', MAIN],
      ['0', PRINCIPAL],
      ['00', PRINCIPAL],
      ['0', MAIN],
      ['9', `Choose from the list.|${MAIN}`],
    ]);
    expect(on.acts).toMatchObject([
      { what: 'language', language: 'fr' },
      { what: 'language', language: 'en' },
    ]);
  });

  it('goes on when the choice could not be remembered', async () => {
    const on = world();
    on.services.setLanguage = async () => {
      throw new Error('database away');
    };
    await play(phone(on), [
      ['dial', MAIN],
      ['0', PRINCIPAL],
    ]);
  });

  it('leads to the prompt', async () => {
    const on = world({ ...francophone, tvuUnits: 20_000n, creditMinor: 70_000n });
    await play(phone(on, { channel: IVORY_COAST, msisdn: '+2250712345678' }), [
      ['dial', PRINCIPAL],
      [
        '1',
        'Carte ..4417 AMINA D.|ESSENTIAL, fini 21/11/2026|1 Mois 65000 F|2 Semaine 20000 F' +
          '|3 Jour 4050 F|4 Autre montant|5 Autre carte|0 Retour',
      ],
      [
        '1',
        'Payer 65000 F carte|..4417 AMINA D.|ESSENTIAL au 23/12/2026|1 Oui, par mobile money' +
          '|2 Payer en TVU (solde 20000)|3 Payer par credit (solde 70000 F)|0 Annuler',
      ],
      [
        '1',
        'END Une demande de 65000 F arrive sur votre telephone: tapez votre code PIN pour payer.' +
          ' Le recu vient par SMS.',
      ],
    ]);
    expect(on.acts).toHaveLength(1);
  });

  it('has every other screen too', async () => {
    const on = world({ ...francophone, isReseller: true });
    const menu =
      'Unites TV: vous avez 2100|1 Acheter par mobile money|2 Convertir en credit' +
      '|3 Envoyer a un telephone|0 Retour';
    await play(phone(on), [
      ['dial', PRINCIPAL],
      ['3', 'Credit KES 700|2100 TVU|..4417 ESSENTIAL fini 21/11/2026|1 Payer / reabo 0 Retour'],
      ['0', PRINCIPAL],
      ['4', menu],
      ['1', 'Unites TV: montant a payer, en KES:|0 Retour'],
      ['10', 'Acheter des unites TV pour KES 10|1 Oui, par mobile money|0 Annuler'],
      ['00', PRINCIPAL],
      ['4', menu],
      ['2', 'Vous avez 2100 unites TV.|Combien convertir en credit?|0 Retour'],
      [
        '150',
        'Convertir: KES 75 de credit pour 150 unites TV. Il reste 1950 unites.|1 Oui|0 Annuler',
      ],
      ['00', PRINCIPAL],
      ['4', menu],
      ['3', 'Envoyer des unites TV.|Numero de telephone:|0 Retour'],
      ['0712000111', 'Envoyer des unites TV au +254712000111.|Vous avez 2100. Combien?|0 Retour'],
      ['5', 'Envoyer 5 unites TV au +254712000111.|Votre code PIN pour confirmer:|0 Annuler'],
      ['00', PRINCIPAL],
      ['5', 'Film / match: choix ou code|1 GOR v AFC 24/11 16:00 KES 100|0 Retour'],
      [
        '1',
        'GOR v AFC 24/11 16:00 KES 100|Numero de carte (11 chiffres) ou choix:' +
          '|1 ..4417 AMINA D.|0 Retour',
      ],
      [
        '1',
        'Payer KES 100 pour|GOR v AFC 24/11 16:00|carte ..4417 AMINA D.|1 Oui, par mobile money' +
          '|2 Payer en TVU (solde 2100)|3 Payer par credit (solde KES 700)|0 Annuler',
      ],
      ['0', "END Annule. Rien n'a ete paye."],
    ]);
  });
});

describe('what is dialled behind the code', () => {
  it('walks the menu', async () => {
    await play(phone(world()), [
      ['dial 1', TERMS],
      ['dial 1*1', CONFIRM],
      ['dial 1*4', 'Card ..4417 AMINA D.|ESSENTIAL|Amount to pay, in KES:|0 Back'],
      ['0', TERMS],
      ['dial 6', `Choose from the list.|${MAIN}`],
    ]);
  });

  it('never confirms a payment', async () => {
    const on = world();
    await play(phone(on), [
      ['dial 1*1*1', CONFIRM],
      ['1', PROMPT],
      ['dial 1*1*1*1*1', CONFIRM],
    ]);
    expect(on.acts).toHaveLength(1);
  });

  it('is followed for twenty answers', async () => {
    await play(phone(world()), [
      [
        `dial ${Array(21).fill('9').join('*')}`,
        'END Too many steps. Nothing was paid. Please dial again.',
      ],
      [`dial ${Array(20).fill('9').join('*')}`, `Choose from the list.|${MAIN}`],
    ]);
  });
});

describe('a dropped session', () => {
  const offer = 'Continue paying card ..4417?|1 Yes|2 No';

  it('is taken up where it was cut', async () => {
    const on = world();
    await play(phone(on), [
      ['dial 1*1', CONFIRM],
      ['dial', offer],
      ['5', `Choose from the list.|${offer}`],
      ['1', CONFIRM],
      ['1', PROMPT],
      ['dial', MAIN],
    ]);
    expect(on.acts).toHaveLength(1);
  });

  it('is forgotten after No, after cancelling, and after going home', async () => {
    await play(phone(world()), [
      ['dial 1', TERMS],
      ['dial', offer],
      ['2', MAIN],
      ['dial', MAIN],
      ['1', TERMS],
      ['1', CONFIRM],
      ['0', CANCELLED],
      ['dial', MAIN],
      ['1', TERMS],
      ['00', MAIN],
      ['dial', MAIN],
    ]);
  });

  it('is still offered when the offer itself was cut', async () => {
    await play(phone(world()), [
      ['dial 1', TERMS],
      ['dial', offer],
      ['dial', offer],
      ['1', TERMS],
    ]);
  });

  it('belongs to one phone', async () => {
    const store = memory();
    const on = world();
    await play(phone(on, { store }), [['dial 1', TERMS]]);
    await play(phone(on, { store, msisdn: '+254712999999' }), [['dial', MAIN]]);
  });
});
