/**
 * When each alert comes and when it does not: values a minute apart, as a Prometheus that is not
 * configured otherwise scrapes them, in the notation of its unit tests (prometheus.io/docs, "Unit
 * testing for rules": `a+bxn` is a, then n more, each b higher; `_` is no value).
 */
export interface AlertCase {
  alert: string;
  /** When it is looked at. */
  at: string;
  comes: Record<string, string>;
  /** The summary, as somebody reads it. */
  says: string;
  /** Labels beside the severity. */
  labels?: Record<string, string>;
  /** It does not come, at the same time. */
  stays: Record<string, string>;
}

const onAir = (le: string) =>
  `vip_time_to_picture_seconds_bucket{cas="1",stage="on_air",le="${le}"}`;
const settled = 'vip_payments_total{channel="ke-paybill",outcome="settled"}';
const unavailable = 'vip_payments_total{channel="ke-paybill",outcome="unavailable"}';
const missed = 'vip_missed_payments_total{channel="ke-paybill"}';
const answers = 'vip_http_request_seconds_count{route="/hooks/money",method="POST",status="503"}';
const wrongCodes = 'vip_vouchers_refused_total{reason="wrong_codes"}';
const unknownCodes = 'vip_vouchers_refused_total{reason="voucher_unknown"}';
const blockedCodes = 'vip_vouchers_refused_total{reason="voucher_blocked"}';
const refused = 'vip_dispatch_results_total{cas="1",result="refused"}';
const failed = 'vip_job_runs_total{job="due",result="failed"}';

export const ALERT_CASES: AlertCase[] = [
  {
    alert: 'PaidButDark',
    at: '6m',
    comes: { 'vip_cards_paid_but_dark{instance="a"}': '6x6' },
    says: '6 cards are paid and not on air',
    stays: { 'vip_cards_paid_but_dark{instance="a"}': '6x2 5x4' },
  },
  {
    alert: 'PictureSlow',
    at: '30m',
    comes: { [onAir('5')]: '0x30', [onAir('10')]: '0+60x30', [onAir('+Inf')]: '0+60x30' },
    says: 'Payment to ON AIR takes 9.75s (95 %)',
    stays: { [onAir('5')]: '0+60x30', [onAir('10')]: '0+61x30', [onAir('+Inf')]: '0+61x30' },
  },
  {
    alert: 'PaymentsUnavailable',
    at: '6m',
    comes: { [unavailable]: '0x3 1x3' },
    says: 'Notices of money are answered with "try later"',
    stays: { [unavailable]: '0x6', [settled]: '0+9x6' },
  },
  {
    // The processes have started anew since: what was counted yesterday is forgotten.
    alert: 'NoPayments',
    at: '1500m',
    comes: { [settled]: '0+1x1440 0x60' },
    says: 'No payment for half an hour, and there were some yesterday at this time',
    stays: { [settled]: '0+1x1500' },
  },
  {
    alert: 'PaymentsMissed',
    at: '60m',
    comes: { [missed]: '0x50 8x10' },
    labels: { channel: 'ke-paybill' },
    says: 'ke-paybill: 8 payments were found that nobody told of',
    stays: { [missed]: '0x50 4x10' },
  },
  {
    alert: 'NoticesParked',
    at: '16m',
    comes: { 'vip_parked_notices{instance="a"}': '2x16' },
    says: '2 notices are kept and not understood',
    stays: { 'vip_parked_notices{instance="a"}': '2x8 0x8' },
  },
  {
    alert: 'NoticesForged',
    at: '12m',
    comes: { 'vip_refused_notices_total{reason="token"}': '0+30x12' },
    labels: { reason: 'token' },
    says: 'Messages are turned away: token',
    stays: { 'vip_refused_notices_total{reason="token"}': '0+10x12' },
  },
  {
    alert: 'CodesGuessed',
    at: '6m',
    comes: { [unknownCodes]: '0x5 200', [wrongCodes]: '0x5 200' },
    says: '80 wrong codes of scratch cards in a minute',
    stays: { [unknownCodes]: '0+9x6', [wrongCodes]: '0+9x6' },
  },
  {
    alert: 'BlockedCodeTried',
    at: '60m',
    comes: { [blockedCodes]: '0x50 1x10' },
    says: 'Somebody tried to use a scratch card that was blocked',
    stays: { [blockedCodes]: '1x60', [wrongCodes]: '0+1x60' },
  },
  {
    alert: 'CardsWaiting',
    at: '6m',
    comes: { 'vip_cards_waiting{instance="a",cas="1"}': '501x6' },
    says: '501 cards wait for the head-end',
    stays: { 'vip_cards_waiting{instance="a",cas="1"}': '9000x3 12x3' },
  },
  {
    alert: 'DispatchRefused',
    at: '15m',
    comes: { [refused]: '0x5 30x10' },
    says: 'The head-end refuses sets of rights',
    stays: { [refused]: '0x5 10x10' },
  },
  {
    alert: 'MessagesWaiting',
    at: '16m',
    comes: { 'vip_osd_waiting{instance="a"}': '1001x16' },
    says: '1001 on-screen messages wait',
    stays: { 'vip_osd_waiting{instance="a"}': '1001x8 40x8' },
  },
  {
    alert: 'ProcessDown',
    at: '3m',
    comes: { 'up{job="vip-billing",instance="a"}': '1x1 0x2' },
    labels: { job: 'vip-billing', instance: 'a' },
    says: 'a does not answer',
    stays: { 'up{job="vip-billing",instance="a"}': '0x1 1x2', 'up{job="other"}': '0x3' },
  },
  {
    alert: 'AnswersFail',
    at: '12m',
    comes: { [answers]: '0+12x12' },
    labels: { route: '/hooks/money' },
    says: '/hooks/money answers with 5xx',
    stays: { [answers.replace('503', '200')]: '0+90x12', [answers]: '0+1x12' },
  },
  {
    alert: 'NotReconciled',
    at: '11m',
    comes: { 'vip_reconciliation_age_seconds{instance="a",cas="1"}': '129601+60x11' },
    labels: { cas: '1' },
    says: 'The head-end 1 was not compared for a day and a half',
    stays: { 'vip_reconciliation_age_seconds{instance="a",cas="1"}': '86400+60x11' },
  },
  {
    alert: 'HeadEndStrays',
    at: '1m',
    comes: { 'vip_reconciliation_variance{instance="a",cas="1"}': '0.0123x1' },
    labels: { cas: '1' },
    says: '1 holds 1.23% of cards otherwise',
    stays: { 'vip_reconciliation_variance{instance="a",cas="1"}': '0.005x1' },
  },
  {
    // Two processes read the same three; they are three.
    alert: 'DifferencesStay',
    at: '361m',
    comes: {
      'vip_reconciliation_differences{instance="a",class="A"}': '2x361',
      'vip_reconciliation_differences{instance="b",class="A"}': '2x361',
      'vip_reconciliation_differences{instance="a",class="E"}': '1x361',
    },
    says: '3 differences from the head-ends are not healed',
    stays: { 'vip_reconciliation_differences{instance="a",class="A"}': '2x300 0x61' },
  },
  {
    alert: 'JobFails',
    at: '30m',
    comes: { [failed]: '0x20 3x10' },
    labels: { job: 'due' },
    says: 'The job due fails',
    stays: { [failed]: '0x20 1x10' },
  },
  {
    alert: 'TextsWaiting',
    at: '16m',
    comes: { 'vip_texts_waiting{instance="a"}': '1001x16' },
    says: '1001 texts wait',
    stays: { 'vip_texts_waiting{instance="a"}': '999x16' },
  },
  {
    alert: 'EventLoopLags',
    at: '6m',
    comes: { 'nodejs_eventloop_lag_p99_seconds{instance="a"}': '0.75x6' },
    labels: { instance: 'a' },
    says: 'a is late by 0.75 s',
    stays: { 'nodejs_eventloop_lag_p99_seconds{instance="a"}': '0.75x3 0.2x3' },
  },
];
