import { createTextSimulator } from '../../../../simulators/texts/server.ts';
import { silentLogger } from '../../../platform/log.ts';
import { systemClock, systemRandom } from '../../../platform/system.ts';
import { within } from '../../../platform/timers.ts';
import { type Behaviour, describeTextProvider, type TextBench } from '../conformance.ts';
import { createAfricastalkingTexts } from './africastalking-sender.ts';

const CONTEXT = { country: 'KE', currency: 'KES', timeZone: 'Africa/Nairobi' };
const ACCOUNT = { username: 'viptv', apiKey: 'secret' };
const TO = '+254711000111';
const SHORT_WAIT_MS = 150;

const FAULTS = {
  fails: 'status_500',
  hangs: 'hang',
  delivers_then_hangs: 'deliver_then_hang',
  oddly: 'status_200',
} as const;
const CODES = { refuses_number: 403, blocked_number: 406, no_balance: 405 } as const;
const TAKEN_CODE = 101;

async function openBench(): Promise<TextBench> {
  const simulator = await createTextSimulator({
    ...{ clock: systemClock, random: systemRandom, ...ACCOUNT, senderIds: ['VIPTV'] },
  });
  const alarms: string[] = [];
  const logger = { ...silentLogger, error: (event: string) => void alarms.push(event) };
  const misconfigured: Partial<Record<Behaviour, object>> = {
    refuses_key: { apiKey: 'wrong' },
    refuses_sender: { senderId: 'OTHER' },
  };
  return {
    async provider(behaviour) {
      simulator.setFault(FAULTS[behaviour as keyof typeof FAULTS] ?? 'none');
      simulator.setRecipientCode(TO, CODES[behaviour as keyof typeof CODES] ?? TAKEN_CODE);
      if (behaviour === 'away') await simulator.stop();
      const waits = /hangs/.test(behaviour);
      return createAfricastalkingTexts({
        ...{ ...ACCOUNT, senderId: 'VIPTV', baseUrl: simulator.url, context: CONTEXT, logger },
        ...(waits ? { within: (_ms, work) => within(SHORT_WAIT_MS, work) } : {}),
        ...misconfigured[behaviour],
      });
    },
    inbox: (to) => simulator.inbox(to).map(({ text }) => text),
    alarms: () => alarms.splice(0),
    close: () => simulator.stop(),
  };
}

describeTextProvider("Africa's Talking", openBench);
