/** The programmes: a small moving picture for each kind, drawn here. */
import type { ReactNode } from 'react';
import css from './scenes.module.css';
import { Cinema, Drama, Kids } from './scenes-stories.tsx';
import { Concert, River } from './scenes-wild.tsx';

interface Scene {
  draw: (props: { ticker: string }) => ReactNode;
  /** What the picture's light does to the wall behind the television. */
  glow: string;
}

/** By the letters of the service's code. */
const SCENES: Readonly<Record<string, Scene>> = {
  FOOT: { draw: Football, glow: '#4da65c' },
  NEWS: { draw: News, glow: '#4c7fd0' },
  KIDS: { draw: Kids, glow: '#f3b53f' },
  NOVA: { draw: Drama, glow: '#b0568a' },
  FILM: { draw: Cinema, glow: '#e0763a' },
  DOCU: { draw: River, glow: '#35a39b' },
  MUSI: { draw: Concert, glow: '#a04bd6' },
};

/** A service that is not known gets the news. */
const OTHER: Scene = { draw: News, glow: '#4c7fd0' };

/** The scene of a service such as `FOOT1`. */
export function sceneOf(service: string): Scene {
  return SCENES[service.replace(/[^A-Z]/g, '')] ?? OTHER;
}

/** The moving picture of a service; says nothing to a screen reader, the television does. */
export function Picture({ service, ticker }: { service: string; ticker: string }) {
  const { draw: Draw } = sceneOf(service);
  return (
    <svg
      className={css.scene}
      viewBox="0 0 320 180"
      preserveAspectRatio="xMidYMid slice"
      aria-hidden="true"
    >
      <Draw ticker={ticker} />
    </svg>
  );
}

function Player({ x, y, shirt, run }: { x: number; y: number; shirt: string; run: string }) {
  return (
    <g className={run}>
      <ellipse cx={x} cy={y + 19} rx="6" ry="1.8" fill="#0a3d1c" opacity="0.45" />
      <path
        d={`M${x - 2} ${y + 10}l-2.5 8M${x + 2} ${y + 10}l3 8`}
        stroke="#f4f1ea"
        strokeWidth="2.4"
      />
      <rect x={x - 4} y={y} width="8" height="11" rx="2.5" fill={shirt} />
      <path d={`M${x - 4} ${y + 2}l-3 5M${x + 4} ${y + 2}l3 5`} stroke="#5b3a26" strokeWidth="2" />
      <circle cx={x} cy={y - 3.4} r="3.4" fill="#5b3a26" />
    </g>
  );
}

const HOME = [
  { x: 62, y: 108 },
  { x: 128, y: 86 },
  { x: 172, y: 132 },
  { x: 226, y: 98 },
];
const AWAY = [
  { x: 96, y: 126 },
  { x: 152, y: 104 },
  { x: 204, y: 84 },
  { x: 250, y: 128 },
];

const SHIRTS = ['#e8804a', '#f2d17a', '#eee6da', '#6fa3c8', '#b5545c'];
/** A crowd that sits nowhere in rows. */
const CROWD = Array.from({ length: 90 }, (_, i) => ({
  x: (i * 37) % 320,
  y: 18 + ((i * 13) % 38),
  fill: SHIRTS[i % SHIRTS.length],
}));

function Football() {
  return (
    <>
      <rect width="320" height="180" fill="#1f2a44" />
      <path d="M0 14h320v46H0z" fill="#33415f" />
      {CROWD.map(({ x, y, fill }) => (
        <circle key={`${x} ${y}`} cx={x} cy={y} r="2.1" fill={fill} opacity="0.85" />
      ))}
      <path d="M0 56h320v8H0z" fill="#f4f1ea" />
      <path d="M18 58h50v4H18zM120 58h70v4h-70zM236 58h60v4h-60z" fill="#c2532d" />
      <path d="M0 64h320v116H0z" fill="#2f8a47" />
      {[0, 1, 2, 3, 4].map((i) => (
        <path key={i} d={`M${i * 64 + 12} 64h32l${(i - 2) * 16 + 8} 116h-${44}z`} fill="#379a51" />
      ))}
      <g fill="none" stroke="#f4f1ea" strokeWidth="1.6" opacity="0.9">
        <path d="M160 64v116M8 72h304M264 72l22 84h34M284 92l16 44h20" />
        <ellipse cx="160" cy="120" rx="42" ry="22" />
      </g>
      <path d="M304 84v48M304 84l14-6M304 132l14 6" stroke="#fff" strokeWidth="2.4" fill="none" />
      {HOME.map((at) => (
        <Player key={at.x} {...at} shirt="#e2603a" run={css.runA ?? ''} />
      ))}
      {AWAY.map((at) => (
        <Player key={at.x} {...at} shirt="#f2f4f7" run={css.runB ?? ''} />
      ))}
      <Player x={296} y={98} shirt="#f6c945" run={css.keeper ?? ''} />
      <g className={css.ball}>
        <circle r="3.4" fill="#fff" stroke="#222" strokeWidth="0.8" />
      </g>
      <g>
        <rect x="14" y="10" width="92" height="17" rx="3" fill="#10141d" />
        <rect x="14" y="10" width="5" height="17" rx="2" fill="#e2603a" />
        <text x="26" y="22.4" fontSize="10.5" fontWeight="700" fill="#fff">
          VIP 2 : 1 RVR
        </text>
      </g>
    </>
  );
}

function News({ ticker }: { ticker: string }) {
  return (
    <>
      <rect width="320" height="180" fill="#12264a" />
      <g className={css.drift} opacity="0.5">
        <path d="M-40 0h70L-20 180h-70zM90 0h40L80 180H40zM210 0h80l-50 180h-80z" fill="#1d3d74" />
      </g>
      <circle cx="236" cy="64" r="42" fill="#1f4f96" />
      <g className={css.roll} stroke="#8fb8ee" strokeWidth="1.2" fill="none" opacity="0.8">
        <circle cx="236" cy="64" r="42" />
        <ellipse cx="236" cy="64" rx="42" ry="14" />
        <ellipse cx="236" cy="64" rx="42" ry="30" />
        <ellipse cx="236" cy="64" rx="16" ry="42" />
      </g>
      <g className={css.nod}>
        <path d="M76 138c2-26 16-36 38-36s36 10 38 36z" fill="#b23c3c" />
        <path d="M104 103l10 16 10-16-4-4h-12z" fill="#f6efe4" />
        <rect x="107" y="88" width="14" height="16" rx="6" fill="#6b4329" />
        <ellipse cx="114" cy="72" rx="18" ry="21" fill="#7a4d30" />
        <path
          d="M94 74c-3-26 10-34 21-33 14 1 22 12 19 33-3-10-9-15-20-16-10 1-16 6-20 16z"
          fill="#20150f"
        />
        <circle cx="107" cy="72" r="1.9" fill="#1a110b" />
        <circle cx="121" cy="72" r="1.9" fill="#1a110b" />
        <path
          d="M108 83q6 4 12 0"
          stroke="#3c2014"
          strokeWidth="1.8"
          fill="none"
          strokeLinecap="round"
        />
      </g>
      <path d="M24 136h196l16 30H8z" fill="#e9e2d6" />
      <path d="M24 136h196l3 6H21z" fill="#c2532d" />
      <rect y="156" width="320" height="24" fill="#f5efe4" />
      <text className={css.ticker} x="0" y="172" fontSize="12.5" fontWeight="600" fill="#1c1714">
        {ticker}
      </text>
      <rect y="156" width="58" height="24" fill="#c2352d" />
      <text x="29" y="172" fontSize="12.5" fontWeight="800" fill="#fff" textAnchor="middle">
        NEWS
      </text>
      <circle className={css.blink} cx="296" cy="18" r="5" fill="#ff5a4d" />
    </>
  );
}
