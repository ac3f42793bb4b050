import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { makeTestFolder } from '../src/platform/test-database.ts';
import { ALERT_CASES, type AlertCase } from './alert-cases.ts';

const FOLDER = join(import.meta.dirname, '..', 'config', 'monitoring');
const FILE = join(FOLDER, 'alerts.yaml');

interface Rule {
  alert: string;
  labels: { severity: string };
  annotations: { runbook: string };
}
const rules = (parse(readFileSync(FILE, 'utf8')).groups as { rules: Rule[] }[]).flatMap(
  (group) => group.rules,
);

/** The questions of the dashboard as rules, which is what `promtool check rules` reads. */
function panelRules() {
  const panels: { targets?: { expr: string }[] }[] = JSON.parse(
    readFileSync(join(FOLDER, 'dashboard.json'), 'utf8'),
  ).panels;
  const asked = panels.flatMap(({ targets }) => targets ?? []);
  const asRules = asked.map(({ expr }, index) => ({
    record: `panel:${index}`,
    expr: expr.replaceAll('$__rate_interval', '4m'),
  }));
  return { groups: [{ name: 'panels', rules: asRules }] };
}

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
    rule_files: [FILE],
    evaluation_interval: '1m',
    tests: [one(comes, [expected]), one(stays, [])],
  };
}

function hasPromtool(): boolean {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('monitoring, as Prometheus reads it', () => {
  it('has a case for each alert', () => {
    const names = ALERT_CASES.map(({ alert }) => alert);
    expect(names).toEqual(rules.map(({ alert }) => alert));
  });

  if (hasPromtool()) {
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

    it('understands the panels of the dashboard', () => {
      expect(promtool('check', 'panels', panelRules())).not.toThrow();
    });
  } else {
    const title = 'the alerts come: skipped: promtool, of Prometheus, is not installed';
    if (process.env.CI === 'true') {
      it(title, () => {
        throw new Error('promtool must be installed where CI=true');
      });
    } else {
      it.skip(title, () => undefined);
    }
  }
});
