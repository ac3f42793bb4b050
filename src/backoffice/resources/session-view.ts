/** A session as it is answered. */
import { z } from 'zod';
import { idText, instant } from '../api/fields.ts';
import type { Principal } from '../people/principal.ts';
import type { Session } from '../people/sessions.ts';

export const session = z
  .strictObject({
    id: idText,
    createdAt: instant,
    seenAt: instant,
    endsAt: instant,
    remote: z.string(),
    agent: z.string(),
    /** The one of this call. */
    isCurrent: z.boolean(),
  })
  .meta({ id: 'Session' });

export const sessionView = (principal: Principal) => (one: Session) => ({
  id: one.id.toString(),
  createdAt: one.createdAt.toISOString(),
  seenAt: one.seenAt.toISOString(),
  endsAt: one.endsAt.toISOString(),
  remote: one.remote,
  agent: one.agent,
  isCurrent: one.id === principal.sessionId,
});
