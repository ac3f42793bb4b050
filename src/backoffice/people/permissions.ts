/**
 * Who may do what, as data: permissions, the roles made of them, and which of them no one person
 * may hold together (separation of duties). Pure.
 */

/** Every permission, with what it lets its holder do. */
export const PERMISSIONS = {
  'subscriber.read': 'see subscribers and their phones',
  'subscriber.write': 'open and change subscribers and their phones',
  'card.read': 'see cards, what they are paid for and whether they are on air',
  'card.refresh': 'have the rights of a card broadcast afresh',
  'card.suspend': 'take the picture of a card away and give it back',
  'device.read': 'see every card and decoder, where it is and what became of it',
  'device.receive': 'take in the files of manufacturers',
  'device.pair': 'pair, swap and bind cards and decoders, and reset PINs',
  'device.declare': 'say that a device is in stock, lost, faulty, retired, …',
  'device.blacklist': 'blacklist cards and decoders, and ask for a second person to lift it',
  'device.approve': 'decide on lifting what is blacklisted',
  'wallet.read': 'see wallets, their lots and their statements',
  'wallet.top_up': 'take cash for a subscriber or a card',
  'term.sell': 'buy a term for a card from its subscriber’s wallet',
  'wallet.give': 'give promotional credit, or ask for it above the limit',
  'wallet.refund': 'pay credit out, or ask for it above the limit',
  'wallet.transfer': 'give credit to another subscriber, or ask for it above the limit',
  'wallet.approve': 'decide on refunds and transfers that others asked for',
  'voucher.redeem': 'use a scratch card for a card',
  'voucher.read': 'see batches of scratch cards, and what became of a card by its serial',
  'voucher.make': 'decide batches of scratch cards, print and activate them',
  'voucher.block': 'block scratch cards that are lost',
  'voucher.approve': 'decide on batches of scratch cards that others asked for',
  'subscription.change': 'have subscriptions renew, pause, go on and close',
  'trial.give': 'give a trial, as often as the site’s rules let',
  'loan.give': 'give a term on loan, within the site’s rules',
  'incident.give': 'give free days after a fault, or ask for them above the limit',
  'gift.approve': 'decide on free days and promotional credit that others asked for',
  'outage.read': 'see outages and the free days they gave',
  'outage.write': 'say when an outage began and ended',
  'work_item.read': 'see the cards that a person must look at before they can be on air',
  'work_item.close': 'close such work, and have the card tried again at once',
  'reconciliation.read': 'see what the head-ends held otherwise than wanted, and what it is worth',
  'reconciliation.start': 'have a head-end compared with what is wanted, and put right',
  'payment.read': 'see payments, suspense and what is parked',
  'payment.reverse': 'take a payment back, or ask for it above the limit',
  'payment.reverse.approve': 'decide on reversals that others asked for',
  'payment.move': 'move a payment to another card for its payer, and object to a move',
  'suspense.claim': 'give money in suspense to a card, or ask for it above the limit',
  'suspense.approve': 'decide on money in suspense that others claimed for a card',
  'postpaid.read': 'see postpaid accounts, their contracts, invoices and payments',
  'contract.preview': 'see which invoice an act would make',
  'contract.sell': 'open postpaid accounts, sell contracts, change their plans and move them',
  'contract.change': 'pause and cancel contracts, and change when an account is billed',
  'contract.block': 'stop the billing of a contract whose service goes on',
  'invoice.issue':
    'have invoices made, charge what stands in no plan, issue; void, or ask for it above the limit',
  'invoice.pay': 'have an invoice paid through the gateway',
  'invoice.record_payment': 'record money that was handed over or came to the bank',
  'invoice.adjust':
    'lower lines of invoices, or ask for it above the limit; take granted credit away',
  'invoice.write_off': 'write an invoice off, or ask for it above the limit',
  'invoice.refund': 'pay money of an invoice back, or ask for it above the limit; chargebacks',
  'credit.grant': 'grant credit to a postpaid account, or ask for it above the limit',
  'postpaid.approve':
    'decide on write-offs, voidings, adjustments, refunds and credit that others asked for',
  'dunning.read': 'see who does not pay, and what follows',
  'dunning.flag': 'keep the picture of who does not pay, or block who does',
  'dunning.promise': 'note promises to pay',
  'catalogue.read': 'see sites, bouquets, prices and events',
  'catalogue.write': 'check a new catalogue, and ask for its publication',
  'catalogue.approve': 'decide on catalogues that others asked to publish',
  'message.read': 'see what was said to subscribers',
  'campaign.read': 'see campaigns on screen, their templates, and what became of them',
  'campaign.write': 'write templates, start campaigns or ask for it above the limit, stop them',
  'campaign.approve': 'decide on campaigns that others asked to start',
  'approval.read': 'see what waits for a second person',
  'approval.decide': 'be the second person, for acts whose own permission is held as well',
  'clock.read': 'see the time of a demo and its test clocks',
  'clock.move': 'move the time of a demo and its test clocks on',
  'staff.read': 'see staff, their roles and their sessions',
  'staff.write': 'open and change staff accounts',
  'api_key.read': 'see the keys of partners',
  'api_key.write': 'give and revoke keys of partners',
  'audit.read': 'see who did what',
  'report.read': 'see reports as of any past instant',
} as const satisfies Record<string, string>;

export type Permission = keyof typeof PERMISSIONS;

const CUSTOMER_READ = [
  'subscriber.read',
  'card.read',
  'wallet.read',
  'postpaid.read',
  'catalogue.read',
] as const;

interface Role {
  about: string;
  permissions: readonly Permission[];
}

/** Every role. */
export const ROLES = {
  cashier: {
    about: 'takes cash at a till and sells terms',
    permissions: [
      ...CUSTOMER_READ,
      'wallet.top_up',
      'voucher.redeem',
      'term.sell',
      'payment.read',
      'invoice.pay',
      'invoice.record_payment',
      'voucher.read',
    ],
  },
  customer_care: {
    about: 'answers subscribers',
    permissions: [
      ...CUSTOMER_READ,
      'subscriber.write',
      'card.refresh',
      'card.suspend',
      'device.read',
      'device.pair',
      'term.sell',
      'subscription.change',
      'trial.give',
      'loan.give',
      'voucher.redeem',
      'voucher.read',
      'voucher.block',
      'wallet.give',
      'incident.give',
      'outage.read',
      'work_item.read',
      'work_item.close',
      'payment.read',
      'payment.move',
      'suspense.claim',
      'dunning.read',
      'dunning.promise',
      'message.read',
      'campaign.read',
      'contract.preview',
      'contract.change',
      'invoice.pay',
      'credit.grant',
      'clock.read',
      'clock.move',
    ],
  },
  technician: {
    about: 'works at the subscriber’s home',
    permissions: [
      ...(['subscriber.read', 'card.read', 'card.refresh', 'catalogue.read'] as const),
      ...(['outage.read', 'outage.write', 'device.read', 'device.pair'] as const),
      ...(['work_item.read', 'work_item.close'] as const),
    ],
  },
  stock: {
    about: 'keeps cards and decoders',
    permissions: [
      ...(['card.read', 'catalogue.read', 'voucher.read', 'voucher.block'] as const),
      ...(['work_item.read', 'work_item.close'] as const),
      ...(['device.read', 'device.receive', 'device.declare', 'device.blacklist'] as const),
    ],
  },
  sales: {
    about: 'opens subscribers with their cards',
    permissions: [
      ...CUSTOMER_READ,
      'subscriber.write',
      'term.sell',
      'subscription.change',
      'trial.give',
      'contract.preview',
      'contract.sell',
      'contract.change',
    ],
  },
  accountant: {
    about: 'follows money and invoices, takes payments back, pays credit out, makes scratch cards',
    permissions: [
      ...CUSTOMER_READ,
      'payment.read',
      'payment.reverse',
      'suspense.claim',
      'wallet.refund',
      'wallet.transfer',
      'contract.preview',
      'contract.block',
      'invoice.issue',
      'invoice.adjust',
      'invoice.write_off',
      'invoice.refund',
      'dunning.read',
      'voucher.read',
      'voucher.make',
      'voucher.block',
      'approval.read',
    ],
  },
  auditor: {
    about: 'sees everything, changes nothing',
    permissions: (Object.keys(PERMISSIONS) as Permission[]).filter(isRead),
  },
  catalogue_manager: {
    about: 'keeps bouquets and prices',
    permissions: ['catalogue.read', 'catalogue.write', 'approval.read'],
  },
  broadcaster: {
    about: 'speaks to subscribers on the screen, and looks for pirates there',
    permissions: [
      ...(['subscriber.read', 'card.read', 'catalogue.read', 'message.read'] as const),
      ...(['campaign.read', 'campaign.write', 'approval.read'] as const),
    ],
  },
  operations: {
    about: 'keeps the head-ends right and the picture on air',
    permissions: [
      ...(['card.read', 'card.refresh', 'catalogue.read', 'campaign.read'] as const),
      ...(['outage.read', 'outage.write', 'work_item.read', 'work_item.close'] as const),
      ...(['reconciliation.read', 'reconciliation.start'] as const),
    ],
  },
  supervisor: {
    about: 'decides what needs a second person',
    permissions: [
      ...CUSTOMER_READ,
      'payment.read',
      'message.read',
      'dunning.read',
      'dunning.flag',
      'approval.read',
      'approval.decide',
      'payment.reverse.approve',
      'suspense.approve',
      'wallet.approve',
      'gift.approve',
      'catalogue.approve',
      'postpaid.approve',
      'campaign.read',
      'campaign.approve',
      'voucher.read',
      'voucher.approve',
      'device.read',
      'device.approve',
      'outage.read',
      'audit.read',
    ],
  },
  administrator: {
    about: 'keeps staff accounts and partners’ keys',
    permissions: [
      'catalogue.read',
      'staff.read',
      'staff.write',
      'api_key.read',
      'api_key.write',
      'audit.read',
      'clock.read',
      'clock.move',
    ],
  },
} as const satisfies Record<string, Role>;

export type RoleName = keyof typeof ROLES;
export const ROLE_NAMES = Object.keys(ROLES) as [RoleName, ...RoleName[]];

/** What a partner's key may carry: never people, never the second signature. */
export const PARTNER_PERMISSIONS = [
  'subscriber.read',
  'card.read',
  'card.refresh',
  'wallet.read',
  'wallet.top_up',
  'term.sell',
  'catalogue.read',
] as const satisfies readonly Permission[];

/** Pairs that no one may hold together, with the reason. */
export const CONFLICTS: readonly (readonly [Permission, Permission, string])[] = [
  ['payment.reverse', 'payment.reverse.approve', 'who takes money back may not approve it'],
  ['wallet.top_up', 'payment.reverse', 'who takes cash may not make it disappear'],
  ['wallet.top_up', 'payment.reverse.approve', 'who takes cash may not approve its reversal'],
  ['staff.write', 'wallet.top_up', 'who makes accounts may not handle money'],
  ['staff.write', 'term.sell', 'who makes accounts may not handle money'],
  ['staff.write', 'payment.reverse', 'who makes accounts may not handle money'],
  ['wallet.refund', 'wallet.approve', 'who pays credit out may not approve it'],
  ['wallet.transfer', 'wallet.approve', 'who moves credit may not approve it'],
  ['wallet.give', 'gift.approve', 'who gives may not approve it'],
  ['incident.give', 'gift.approve', 'who gives may not approve it'],
  ['suspense.claim', 'suspense.approve', 'who finds an owner for money may not approve it'],
  ['voucher.make', 'voucher.approve', 'who makes scratch cards may not approve them'],
  ['voucher.make', 'voucher.redeem', 'who sees codes may not use them'],
  ['voucher.make', 'approval.decide', 'who asks may not decide'],
  ['staff.write', 'voucher.make', 'who makes accounts may not handle money'],
  ['wallet.top_up', 'wallet.refund', 'who takes cash may not pay it out'],
  ['wallet.top_up', 'wallet.give', 'who takes cash may not make credit out of nothing'],
  ['staff.write', 'wallet.refund', 'who makes accounts may not handle money'],
  ['staff.write', 'wallet.transfer', 'who makes accounts may not handle money'],
  ['staff.write', 'wallet.give', 'who makes accounts may not handle money'],
  ['staff.write', 'suspense.claim', 'who makes accounts may not handle money'],
  ['payment.reverse', 'approval.decide', 'who asks may not decide'],
  ['wallet.refund', 'approval.decide', 'who asks may not decide'],
  ['wallet.give', 'approval.decide', 'who asks may not decide'],
  ['incident.give', 'approval.decide', 'who asks may not decide'],
  ['suspense.claim', 'approval.decide', 'who asks may not decide'],
  ['wallet.top_up', 'approval.decide', 'who takes cash may not decide'],
  ['catalogue.write', 'catalogue.approve', 'who sets prices may not approve them'],
  ['catalogue.write', 'approval.decide', 'who asks may not decide'],
  ['catalogue.write', 'wallet.top_up', 'who sets prices may not take cash'],
  ['staff.write', 'catalogue.write', 'who makes accounts may not set prices'],
  ['wallet.top_up', 'dunning.flag', 'who takes cash may not spare who does not pay'],
  ['dunning.promise', 'dunning.flag', 'who notes what is promised may not spare or block'],
  ['campaign.write', 'campaign.approve', 'who speaks to many may not approve it'],
  ['campaign.write', 'approval.decide', 'who asks may not decide'],
  ['staff.write', 'campaign.write', 'who makes accounts may not speak to subscribers'],
  ['device.blacklist', 'device.approve', 'who blacklists may not approve its lifting'],
  ['device.blacklist', 'approval.decide', 'who asks may not decide'],
  ['staff.write', 'approval.decide', 'who makes accounts may not decide'],
  ['invoice.record_payment', 'invoice.adjust', 'who takes money may not lower what is owed'],
  ['invoice.record_payment', 'invoice.write_off', 'who takes money may not lower what is owed'],
  ['invoice.record_payment', 'invoice.issue', 'who takes money may not void what is owed'],
  ['invoice.record_payment', 'invoice.refund', 'who takes money may not pay it out'],
  ['invoice.record_payment', 'credit.grant', 'who takes money may not make credit out of nothing'],
  ['invoice.record_payment', 'contract.block', 'who takes money may not stop what is charged'],
  ['wallet.top_up', 'invoice.refund', 'who takes cash may not pay it out'],
  ['invoice.record_payment', 'wallet.refund', 'who takes cash may not pay it out'],
  ['invoice.record_payment', 'postpaid.approve', 'who takes money may not approve its refund'],
  ['invoice.write_off', 'postpaid.approve', 'who writes off may not approve it'],
  ['invoice.refund', 'postpaid.approve', 'who pays money back may not approve it'],
  ['credit.grant', 'postpaid.approve', 'who gives may not approve it'],
  ['invoice.adjust', 'postpaid.approve', 'who lowers what is owed may not approve it'],
  ['invoice.issue', 'postpaid.approve', 'who voids may not approve it'],
  ['credit.grant', 'invoice.refund', 'who makes credit may not pay it out'],
  ['wallet.transfer', 'approval.decide', 'who asks may not decide'],
  ['invoice.adjust', 'approval.decide', 'who asks may not decide'],
  ['invoice.issue', 'approval.decide', 'who asks may not decide'],
  ['invoice.write_off', 'approval.decide', 'who asks may not decide'],
  ['invoice.refund', 'approval.decide', 'who asks may not decide'],
  ['credit.grant', 'approval.decide', 'who asks may not decide'],
  ['invoice.record_payment', 'approval.decide', 'who takes money may not decide'],
  ['staff.write', 'contract.sell', 'who makes accounts may not handle money'],
  ['staff.write', 'invoice.record_payment', 'who makes accounts may not handle money'],
  ['staff.write', 'invoice.adjust', 'who makes accounts may not handle money'],
  ['staff.write', 'invoice.write_off', 'who makes accounts may not handle money'],
  ['staff.write', 'invoice.refund', 'who makes accounts may not handle money'],
  ['staff.write', 'credit.grant', 'who makes accounts may not handle money'],
];

/** Reads change nothing and may go with everything, except that an auditor does nothing else. */
export function isRead(permission: Permission): boolean {
  return permission.endsWith('.read');
}

/** What these roles let their holder do, sorted. */
export function permissionsOf(roles: readonly RoleName[]): Permission[] {
  const all = roles.flatMap((role): readonly Permission[] => ROLES[role].permissions);
  return [...new Set(all)].sort();
}

/** Roles as a line of the audit says them: `cashier, sales`; `none` of who has none. */
export const roleText = (roles: readonly string[]): string =>
  [...roles].sort().join(', ') || 'none';

/** Why these permissions may not be held together; empty when they may. */
export function conflictsOf(permissions: readonly Permission[]): string[] {
  const held = new Set(permissions);
  return CONFLICTS.filter(([a, b]) => held.has(a) && held.has(b)).map(
    ([a, b, why]) => `${a} and ${b}: ${why}`,
  );
}

/** Why one person may not have these roles together; empty when they may. */
export function roleConflicts(roles: readonly RoleName[]): string[] {
  const found = conflictsOf(permissionsOf(roles));
  const acts = permissionsOf(roles.filter((role) => role !== 'auditor')).some((p) => !isRead(p));
  if (roles.includes('auditor') && acts) found.push('auditor: who audits may not act');
  return found;
}

/** True for a name of a role. */
export const isRoleName = (name: string): name is RoleName => Object.hasOwn(ROLES, name);
/** True for a name of a permission. */
export const isPermission = (name: string): name is Permission => Object.hasOwn(PERMISSIONS, name);
