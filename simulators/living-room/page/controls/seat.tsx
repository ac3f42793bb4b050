/** Who sits here, with which card, and in which language the page speaks. */
import { Button, NativeSelect } from '@mantine/core';
import type { HouseView, PhoneView } from '../../api.ts';
import { useWords } from '../words/context.tsx';
import { cardText, type Language } from '../words/words.ts';
import css from './seat.module.css';

interface SeatProps {
  house: HouseView;
  phone: PhoneView;
  card: string | null;
  move(change: { phone?: string; card?: string | null; language?: Language }): void;
}

export function Seat({ house, phone, card, move }: SeatProps) {
  const { say, language } = useWords();
  const other: Language = language === 'en' ? 'fr' : 'en';
  return (
    <div className={css.seat}>
      <NativeSelect
        className={css.person}
        size="md"
        aria-label={say('page.person')}
        value={phone.msisdn}
        onChange={({ currentTarget }) => move({ phone: currentTarget.value, card: null })}
        data={house.phones.map(({ msisdn, name, note }) => ({
          value: msisdn,
          label: `${name || say('phone.unknown')} · ${note}`,
        }))}
        data-testid="person"
      />
      {phone.cards.length > 1 && (
        <NativeSelect
          className={css.cards}
          size="md"
          aria-label={say('page.card')}
          value={card ?? ''}
          onChange={({ currentTarget }) => move({ card: currentTarget.value })}
          data={phone.cards.map((number) => ({ value: number, label: cardText(number) }))}
          data-testid="card"
        />
      )}
      <Button
        className={css.language}
        variant="default"
        lang={other}
        onClick={() => move({ language: other })}
        data-testid="language"
      >
        {other === 'fr' ? 'Français' : 'English'}
      </Button>
    </div>
  );
}
