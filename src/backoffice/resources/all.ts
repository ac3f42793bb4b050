/** Every route of the API. */
import type { Route } from '../api/route.ts';
import { apiKeyRoutes } from './api-keys.ts';
import { approvalRoutes } from './approvals.ts';
import { auditRoutes } from './audit.ts';
import { campaignRoutes } from './campaigns.ts';
import { cardRoutes } from './cards.ts';
import { catalogueRoutes } from './catalogue.ts';
import { catalogueVersionRoutes } from './catalogue-versions.ts';
import { clockRoutes } from './clocks.ts';
import { contractRoutes } from './contracts.ts';
import type { Desk } from './desk.ts';
import { deviceActRoutes } from './device-acts.ts';
import { deviceRoutes } from './devices.ts';
import { dunningRoutes } from './dunning.ts';
import { furtherCardRoutes } from './further-cards.ts';
import { incidentRoutes } from './incidents.ts';
import { invoicePaymentRoutes } from './invoice-payments.ts';
import { invoiceRoutes } from './invoices.ts';
import { meRoutes } from './me.ts';
import { messageTemplateRoutes } from './message-templates.ts';
import { messageRoutes } from './messages.ts';
import { outageRoutes } from './outages.ts';
import { paymentActRoutes } from './payment-acts.ts';
import { paymentRoutes } from './payments.ts';
import { postpaidAccountRoutes } from './postpaid-accounts.ts';
import { previewRoutes } from './previews.ts';
import { productRoutes } from './products.ts';
import { reconciliationRoutes } from './reconciliations.ts';
import { reportRoutes } from './reports.ts';
import { staffRoutes } from './staff.ts';
import { subscriberRoutes } from './subscribers.ts';
import { subscriptionActRoutes } from './subscription-acts.ts';
import { suspensionRoutes } from './suspensions.ts';
import { voucherBatchRoutes } from './voucher-batches.ts';
import { voucherRoutes } from './vouchers.ts';
import { walletActRoutes } from './wallet-acts.ts';
import { walletRoutes } from './wallets.ts';
import { workItemRoutes } from './work-items.ts';

export const allRoutes = (desk: Desk): Route[] => [
  ...meRoutes(desk),
  ...subscriberRoutes(desk),
  ...furtherCardRoutes(desk),
  ...cardRoutes(desk),
  ...subscriptionActRoutes(desk),
  ...suspensionRoutes(desk),
  ...workItemRoutes(desk),
  ...deviceRoutes(desk),
  ...deviceActRoutes(desk),
  ...reconciliationRoutes(desk),
  ...walletRoutes(desk),
  ...walletActRoutes(desk),
  ...paymentRoutes(desk),
  ...paymentActRoutes(desk),
  ...previewRoutes(desk),
  ...voucherRoutes(desk),
  ...voucherBatchRoutes(desk),
  ...incidentRoutes(desk),
  ...postpaidAccountRoutes(desk),
  ...contractRoutes(desk),
  ...invoiceRoutes(desk),
  ...invoicePaymentRoutes(desk),
  ...dunningRoutes(desk),
  ...outageRoutes(desk),
  ...approvalRoutes(desk),
  ...catalogueRoutes(desk),
  ...catalogueVersionRoutes(desk),
  ...productRoutes(desk),
  ...messageRoutes(desk),
  ...messageTemplateRoutes(desk),
  ...campaignRoutes(desk),
  ...staffRoutes(desk),
  ...apiKeyRoutes(desk),
  ...auditRoutes(desk),
  ...reportRoutes(desk),
  ...(desk.clocks ? clockRoutes(desk, desk.clocks) : []),
];
