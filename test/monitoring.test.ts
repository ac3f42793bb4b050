import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { METRICS } from '../src/platform/metrics.ts';

const ROOT = join(import.meta.dirname, '..');
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

const rules = (parse(read('config/monitoring/alerts.yaml')).groups as { rules: Rule[] }[]).flatMap(
  (group) => group.rules,
);
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

  it('watches every queue, and whoever is paid and dark', () => {
    const all = queries.map(({ expr }) => expr).join('\n');
    const gauges = Object.entries(METRICS).filter(([, { kind }]) => kind === 'gauge');
    expect(gauges.map(([name]) => name).filter((name) => !all.includes(name))).toEqual([]);
  });
});
