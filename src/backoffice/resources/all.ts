/** Every route of the API. */
import type { Route } from '../api/route.ts';
import { apiKeyRoutes } from './api-keys.ts';
import { approvalRoutes } from './approvals.ts';
import { auditRoutes } from './audit.ts';
import { cardRoutes } from './cards.ts';
import { catalogueRoutes } from './catalogue.ts';
import type { Desk } from './desk.ts';
import { furtherCardRoutes } from './further-cards.ts';
import { incidentRoutes } from './incidents.ts';
import { meRoutes } from './me.ts';
import { messageRoutes } from './messages.ts';
import { paymentActRoutes } from './payment-acts.ts';
import { paymentRoutes } from './payments.ts';
import { staffRoutes } from './staff.ts';
import { subscriberRoutes } from './subscribers.ts';
import { subscriptionActRoutes } from './subscription-acts.ts';
import { suspensionRoutes } from './suspensions.ts';
import { walletActRoutes } from './wallet-acts.ts';
import { walletRoutes } from './wallets.ts';

export const allRoutes = (desk: Desk): Route[] => [
  ...meRoutes(desk),
  ...subscriberRoutes(desk),
  ...furtherCardRoutes(desk),
  ...cardRoutes(desk),
  ...subscriptionActRoutes(desk),
  ...suspensionRoutes(desk),
  ...walletRoutes(desk),
  ...walletActRoutes(desk),
  ...paymentRoutes(desk),
  ...paymentActRoutes(desk),
  ...incidentRoutes(desk),
  ...approvalRoutes(desk),
  ...catalogueRoutes(desk),
  ...messageRoutes(desk),
  ...staffRoutes(desk),
  ...apiKeyRoutes(desk),
  ...auditRoutes(desk),
];
