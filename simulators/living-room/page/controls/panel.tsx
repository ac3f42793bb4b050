/** A part of the page: open on wide screens, folded on a phone. */
import { useMediaQuery } from '@mantine/hooks';
import type { ReactNode } from 'react';
import css from './panel.module.css';

interface PanelProps {
  title: string;
  children: ReactNode;
}

/** Below this width the page is one column. */
const NARROW = '(max-width: 62rem)';

export function Panel({ title, children }: PanelProps) {
  const isNarrow = useMediaQuery(NARROW, undefined, { getInitialValueInEffect: false });
  if (!isNarrow) {
    return (
      <section className={css.panel} aria-label={title}>
        <h2>{title}</h2>
        {children}
      </section>
    );
  }
  return (
    <details className={css.panel}>
      <summary>
        <h2>{title}</h2>
      </summary>
      {children}
    </details>
  );
}
