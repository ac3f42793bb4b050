/** The head of the first page. */
import { INK, type Paper, type Style, type Subject } from './paper.ts';

const LABEL: Style = { size: 8.5, color: INK.faint };
const LABEL_WIDTH = 92;

/** Product, operator, title, what it says, and facts by name. */
export function printHead(
  paper: Paper,
  { title, operator, sha256 }: Subject,
  { says, facts }: { says: string; facts: readonly (readonly [name: string, value: string])[] },
): void {
  const small: Style = { size: 9, color: INK.faint };
  paper.put('VIP Billing', { x: paper.left, y: paper.y }, { ...small, font: 'bold' });
  if (operator !== null) {
    const x = paper.left + paper.width - paper.widthOf(operator, small);
    paper.put(operator, { x, y: paper.y }, small);
  }
  paper.y += 16;
  paper.rule({ x: paper.left, y: paper.y, width: paper.width });
  paper.y += 14;
  paper.paragraph(title, { font: 'bold', size: 18 });
  paper.y += 4;
  paper.paragraph(says, { size: 10 });
  paper.y += 10;
  for (const [name, value] of facts) printFact(paper, name, value, { size: 8.5 });
  printFact(paper, 'SHA-256', sha256, { size: 8.5, font: 'mono' });
  paper.y += 14;
}

function printFact(paper: Paper, name: string, value: string, style: Style): void {
  paper.put(name, { x: paper.left, y: paper.y }, LABEL);
  paper.paragraph(value, style, LABEL_WIDTH);
  paper.y += 2;
}
