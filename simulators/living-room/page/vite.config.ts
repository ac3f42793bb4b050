import { defineConfig } from 'vite';

/** Builds the page into `dist/living-room`, to be served under `/living-room/`. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/living-room/',
  oxc: { jsx: { runtime: 'automatic' } },
  build: {
    outDir: '../../../dist/living-room',
    emptyOutDir: true,
    target: 'es2022',
    // Everything small stays a file of its own: the page's policy allows no inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // Mantine marks each of its files for server rendering, which there is none of here.
      onLog: (level, log, report) => {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') report(level, log);
      },
    },
  },
});
