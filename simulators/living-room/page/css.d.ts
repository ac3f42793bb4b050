/** A style may carry the page's own variables. */
import 'react';

declare module 'react' {
  interface CSSProperties {
    '--glow'?: string;
  }
}
