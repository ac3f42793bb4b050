/** Programmes that tell stories: for children, an evening series, a film. */
import css from './scenes.module.css';

/** Angles of the sun's rays, in degrees. */
const RAYS = Array.from({ length: 12 }, (_, i) => i * 30);
/** Where the balcony's rails stand. */
const RAILS = Array.from({ length: 17 }, (_, i) => i * 20);

/** A hippo that jumps, under a sun that turns. */
export function Kids() {
  return (
    <>
      <rect width="320" height="180" fill="#8fd3ee" />
      <g className={css.roll}>
        {RAYS.map((angle) => (
          <rect
            key={angle}
            x="262"
            y="6"
            width="8"
            height="72"
            rx="4"
            fill="#ffd765"
            transform={`rotate(${angle} 266 42)`}
          />
        ))}
      </g>
      <circle cx="266" cy="42" r="26" fill="#ffc530" />
      <g className={css.drift} fill="#fff">
        <ellipse cx="70" cy="38" rx="30" ry="13" />
        <ellipse cx="92" cy="30" rx="20" ry="13" />
        <ellipse cx="182" cy="54" rx="24" ry="9" />
      </g>
      <path d="M0 132c60-26 110-20 160 0s110 16 160-10v58H0z" fill="#7cc65a" />
      <path d="M0 150c70-16 140-12 320 2v28H0z" fill="#5aa844" />
      <g className={css.sway}>
        <path d="M52 66v58" stroke="#f8f4ec" strokeWidth="2" />
        <ellipse cx="52" cy="52" rx="17" ry="21" fill="#ec5a5a" />
        <ellipse cx="46" cy="45" rx="4" ry="6" fill="#f8a5a0" />
      </g>
      <g className={css.bob}>
        <ellipse cx="160" cy="126" rx="54" ry="34" fill="#9a86c8" />
        <rect x="120" y="142" width="20" height="26" rx="9" fill="#8873b8" />
        <rect x="178" y="142" width="20" height="26" rx="9" fill="#8873b8" />
        <circle cx="136" cy="74" r="9" fill="#8873b8" />
        <circle cx="184" cy="74" r="9" fill="#8873b8" />
        <circle cx="160" cy="96" r="32" fill="#a996d4" />
        <ellipse cx="160" cy="112" rx="34" ry="21" fill="#bcabe2" />
        <circle cx="148" cy="106" r="3" fill="#5f4c8c" />
        <circle cx="172" cy="106" r="3" fill="#5f4c8c" />
        <circle cx="147" cy="86" r="7" fill="#fff" />
        <circle cx="173" cy="86" r="7" fill="#fff" />
        <circle cx="149" cy="87" r="3.6" fill="#2b2140" />
        <circle cx="171" cy="87" r="3.6" fill="#2b2140" />
        <path d="M142 119q18 14 36 0" fill="none" stroke="#5f4c8c" strokeWidth="3.4" />
        <rect x="153" y="120" width="6" height="7" rx="1.5" fill="#fff" />
        <rect x="161" y="120" width="6" height="7" rx="1.5" fill="#fff" />
      </g>
      <g className={css.bob}>
        <path d="M258 152l13-25 13 25z" fill="#f2734b" />
      </g>
      <rect x="60" y="146" width="22" height="22" rx="4" fill="#f6c945" />
    </>
  );
}

/** A balcony in the evening: two who have something to tell each other. */
export function Drama() {
  return (
    <>
      <defs>
        <linearGradient id="evening" x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stopColor="#31265a" />
          <stop offset="0.6" stopColor="#a8507e" />
          <stop offset="1" stopColor="#f0a067" />
        </linearGradient>
      </defs>
      <rect width="320" height="180" fill="url(#evening)" />
      <path d="M226 32a20 20 0 1 0 15 29 17 17 0 0 1-15-29z" fill="#fbeecb" />
      {[30, 72, 118, 160, 188, 262, 292].map((x, i) => (
        <circle
          key={x}
          className={i % 2 ? css.blink : undefined}
          cx={x}
          cy={16 + ((x * 7) % 42)}
          r="1.4"
          fill="#fff"
        />
      ))}
      <path
        d="M0 130V96h22V76h26v28h18V88h30v30h22V98h26v20h28V84h24v26h30V92h22v24h26V80h26v26h20v24z"
        fill="#4c2a55"
      />
      {[10, 56, 78, 130, 206, 236, 282, 306].map((x) => (
        <rect key={x} x={x} y={104 + (x % 9)} width="4" height="6" fill="#ffd98a" />
      ))}
      <path d="M0 130h320v50H0z" fill="#2c1932" />
      <g className={css.nod} fill="#1a0f20">
        <path d="M96 180c0-42 8-58 28-60 18 0 26 18 26 60z" />
        <circle cx="126" cy="98" r="16" />
        <path d="M110 98c-4-22 10-30 22-26 12 4 12 14 8 18-10-2-18 0-20 6-2 10-8 16-10 2z" />
        <circle cx="116" cy="82" r="10" />
      </g>
      <g className={css.bob} fill="#170c1c">
        <path d="M176 180c0-46 8-64 30-66 22 0 32 22 32 66z" />
        <circle cx="202" cy="92" r="17" />
      </g>
      <path
        className={css.blink}
        d="M164 66c-5-9-17-5-15 4 1 6 9 11 15 16 6-5 14-10 15-16 2-9-10-13-15-4z"
        fill="#ff7d8f"
      />
      <path d="M0 150h320v5H0zM0 176h320v4H0z" fill="#0f0714" />
      {RAILS.map((x) => (
        <rect key={x} x={x} y="152" width="3.4" height="28" fill="#0f0714" />
      ))}
      <g className={css.sway}>
        <path d="M0 0h44c-4 46 2 96-12 150-10 8-22 10-32 10z" fill="#7c2f4c" />
        <path
          d="M16 0c2 50-2 100-8 156M32 0c2 50-2 94-8 152"
          stroke="#5e2139"
          fill="none"
          strokeWidth="2"
        />
      </g>
      <g className={css.swayBack}>
        <path d="M320 0h-40c4 46-2 96 10 150 10 8 20 10 30 10z" fill="#7c2f4c" />
      </g>
    </>
  );
}

const ELEPHANTS = [
  { x: 0, size: 1 },
  { x: 58, size: 0.72 },
  { x: 100, size: 0.5 },
];

/** Elephants walk home below a low sun, on a wide screen. */
export function Cinema() {
  return (
    <>
      <defs>
        <linearGradient id="dusk" x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stopColor="#7d2b3f" />
          <stop offset="0.5" stopColor="#e0763a" />
          <stop offset="1" stopColor="#f8c964" />
        </linearGradient>
      </defs>
      <rect width="320" height="180" fill="url(#dusk)" />
      <circle cx="196" cy="104" r="38" fill="#fdeaa8" />
      <g className={css.drift} fill="#f7b566" opacity="0.7">
        <rect x="110" y="82" width="150" height="4" rx="2" />
        <rect x="150" y="96" width="130" height="3" rx="1.5" />
        <rect x="40" y="58" width="90" height="3" rx="1.5" />
      </g>
      <path d="M0 122l46-14 40 10 60-12 70 14 56-10 48 10v40H0z" fill="#a5462f" />
      <path d="M0 132h320v48H0z" fill="#3d1a17" />
      <g fill="#2a100f">
        <path
          d="M62 136c2-20 4-34-2-52l6-2c4 10 5 16 5 22 3-10 8-16 14-22l4 3c-12 12-14 28-14
          51z"
        />
        <path d="M20 84c10-20 34-26 54-22 22-4 44 4 50 20-14 2-30-2-44 2-20-4-40 4-60 0z" />
        <path
          d="M272 134c1-14 2-22-1-34l4-1c3 8 3 24 4 35zM248 100c8-12 24-14 34-10 12-2 20 2
          26 10-20 3-40 3-60 0z"
        />
      </g>
      <g className={css.walk}>
        {ELEPHANTS.map(({ x, size }) => (
          <g key={x} transform={`translate(${x} ${146 - 46 * size}) scale(${size})`} fill="#210c0d">
            <path
              d="M2 46V22C2 8 14 2 28 3c8 0 12 3 16 7 6-4 14-2 16 6 4 8 2 20 4 28l-5
              1c-3-8-2-16-5-22-3 4-8 4-10 2v21h-9V32c-6 2-12 2-17 0v14h-9V30c-3 5-3 10-4 16z"
            />
          </g>
        ))}
      </g>
      <path d="M0 0h320v16H0zM0 164h320v16H0z" fill="#0b0606" />
    </>
  );
}
