/** What every page has to be. */
import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** WCAG 2.2 A and AA, as far as axe can tell. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
  const found = (await page.evaluate(
    `axe.run(document, ${JSON.stringify({ runOnly: { type: 'tag', values: tags } })})
       .then(({ violations }) => violations.map(({ id, impact, nodes }) =>
         ({ id, impact, where: nodes.map((node) => node.target.join(' ')) })))`,
  )) as { id: string; impact: string; where: string[] }[];
  expect(found.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([]);
}
