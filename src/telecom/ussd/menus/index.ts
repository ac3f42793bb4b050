import { balance } from './balance.ts';
import { blocked, blockedAdvice, blockedCheck, blockedCode } from './blocked.ts';
import { card } from './card.ts';
import { confirm } from './confirm.ts';
import { film } from './film.ts';
import { main, resume } from './main.ts';
import { move, moveCard, moveConfirm } from './move.ts';
import { amount, term } from './pay.ts';
import type { Screen, ScreenName } from './screen.ts';
import { sendPhone, sendPin, sendUnits } from './send.ts';
import { tvu, tvuAmount, tvuConvert, tvuUnits } from './tvu.ts';

/** Every screen there is. */
export const SCREENS: Readonly<Record<ScreenName, Screen>> = {
  main,
  resume,
  card,
  term,
  amount,
  confirm,
  balance,
  tvu,
  'tvu.amount': tvuAmount,
  'tvu.units': tvuUnits,
  'tvu.convert': tvuConvert,
  'send.phone': sendPhone,
  'send.units': sendUnits,
  'send.pin': sendPin,
  film,
  blocked,
  'blocked.check': blockedCheck,
  'blocked.code': blockedCode,
  'blocked.advice': blockedAdvice,
  move,
  'move.card': moveCard,
  'move.confirm': moveConfirm,
};
