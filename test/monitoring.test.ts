import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { METRICS } from '../src/platform/metrics.ts';
import { makeTestFolder } from '../src/platform/test-database.ts';
import { ALERT_CASES, type AlertCase } from './alert-cases.ts';
import { isInstalled, skipSuite } from './programs.ts';

const ROOT = join(import.meta.dirname, '..');
const ALERTS = 'config/monitoring/alerts.yaml';
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; runbook: string };
}
interface Panel {
  title: string;
  targets?: { expr: string }[];
}

const rules = (parse(read(ALERTS)).groups as { rules: Rule[] }[]).flatMap((group) => group.rules);
const panels = (JSON.parse(read('config/monitoring/dashboard.json')).panels as Panel[]).filter(
  ({ targets }) => targets,
);
const queries = [
  ...rules.map(({ alert, expr }) => ({ name: alert, expr })),
  ...panels.flatMap(({ title, targets }) =>
    (targets ?? []).map(({ expr }) => ({ name: title, expr })),
  ),
];

/** The names a metric of ours is read by (Prometheus, "Histograms and summaries"). */
function readableNames(): Set<string> {
  const names = Object.entries(METRICS).flatMap(([name, { kind }]) =>
    kind === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
  );
  return new Set(names);
}

describe('the monitoring of the product', () => {
  it.each(queries)('$name asks for metrics that there are', ({ expr }) => {
    const asked = expr.match(/vip_\w+/g) ?? [];
    const known = readableNames();
    expect(asked.filter((name) => !known.has(name))).toEqual([]);
    expect(expr).toMatch(/vip_|nodejs_|process_|up\{/);
  });

  it.each(queries)('$name asks for labels that its metrics have', ({ expr }) => {
    for (const [, name = '', labels = ''] of expr.matchAll(/(vip_\w+)\{([^}]*)\}/g)) {
      const metric = name.replace(/_(bucket|count|sum)$/, '') as keyof typeof METRICS;
      const declared: readonly string[] = METRICS[metric].labels;
      const asked = [...labels.matchAll(/(\w+)\s*=~?/g)].map(([, label = '']) => label);
      expect(asked.filter((label) => !declared.includes(label))).toEqual([]);
    }
  });

  it.each(rules)('$alert says what to do, in the guide', ({ annotations, labels }) => {
    expect(['page', 'work']).toContain(labels.severity);
    const [path = '', anchor] = annotations.runbook.split('#');
    const anchors = [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );
    expect(anchors).toContain(anchor);
  });

  it('has one alert of a name', () => {
    const names = rules.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
  });

  it('has a case for each alert', () => {
    expect(ALERT_CASES.map(({ alert }) => alert)).toEqual(rules.map(({ alert }) => alert));
  });

  it('watches every queue, and whoever is paid and dark', () => {
    const all = queries.map(({ expr }) => expr).join('\n');
    const gauges = Object.entries(METRICS).filter(([, { kind }]) => kind === 'gauge');
    expect(gauges.map(([name]) => name).filter((name) => !all.includes(name))).toEqual([]);
  });
});

/** All that is asked, as rules, which is what `promtool check rules` reads. */
const asRules = {
  name: 'queries',
  rules: queries.map(({ expr }, index) => ({
    record: `query:${index}`,
    expr: expr.replaceAll('$__rate_interval', '4m'),
  })),
};

/** What `promtool test rules` reads. */
function unitTests({ alert, at, comes, says, labels, stays }: AlertCase) {
  const rule = rules.find((one) => one.alert === alert);
  const one = (values: Record<string, string>, exp_alerts: unknown[]) => ({
    interval: '1m',
    input_series: Object.entries(values).map(([series, text]) => ({ series, values: text })),
    alert_rule_test: [{ eval_time: at, alertname: alert, exp_alerts }],
  });
  const expected = {
    exp_labels: { ...rule?.labels, ...labels },
    exp_annotations: { summary: says, runbook: rule?.annotations.runbook },
  };
  return {
    rule_files: [join(ROOT, ALERTS)],
    evaluation_interval: '1m',
    tests: [one(comes, [expected]), one(stays, [])],
  };
}

function evaluated(): void {
  let folder: string;
  beforeAll(() => {
    folder = makeTestFolder();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Its output, which says what came instead, is in the error. */
  const promtool = (verb: 'check' | 'test', name: string, content: unknown) => {
    const file = join(folder, `${name}.yaml`);
    writeFileSync(file, stringify(content));
    return () => execFileSync('promtool', [verb, 'rules', file], { stdio: 'pipe' });
  };

  it.each(ALERT_CASES)('$alert comes when it should, and only then', (one) => {
    expect(promtool('test', one.alert, unitTests(one))).not.toThrow();
  });

  it('all questions are understood', () => {
    expect(promtool('check', 'queries', { groups: [asRules] })).not.toThrow();
  });
}

const SUITE = 'the monitoring, as Prometheus reads it';
if (isInstalled('promtool')) describe(SUITE, evaluated);
else skipSuite(SUITE, 'promtool');
