/** Mantine in the colours of the living room. */
import { createTheme, type MantineColorsTuple } from '@mantine/core';

const CLAY: MantineColorsTuple = [
  '#fdf1e9',
  '#f9dfcf',
  '#f2bd9e',
  '#ea9a6c',
  '#e47d44',
  '#d8652a',
  '#bb4d16',
  '#a2410f',
  '#84340b',
  '#692807',
];

export const theme = createTheme({
  colors: { clay: CLAY },
  primaryColor: 'clay',
  primaryShade: { light: 7, dark: 6 },
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif',
  respectReducedMotion: true,
});
