/** A river with its animals, and a stage with its lights. */
import css from './scenes.module.css';

/** Birds over a river, a heron on its bank, a hippo that looks out of the water. */
export function River() {
  return (
    <>
      <rect width="320" height="180" fill="#bfe6df" />
      <circle cx="70" cy="38" r="18" fill="#fff3c4" />
      <path d="M0 84l44-28 36 20 52-38 58 40 40-22 90 34v40H0z" fill="#6fae9a" />
      <path d="M0 96c50-14 90-12 150-4s110 2 170-8v30H0z" fill="#3f8a63" />
      <path d="M0 106h320v74H0z" fill="#2a8f97" />
      <g className={css.drift} fill="none" stroke="#8fd6d4" strokeWidth="2" strokeLinecap="round">
        <path d="M-10 120q14-5 28 0t28 0M90 116q12-4 24 0t24 0M210 122q14-5 28 0t28 0" />
      </g>
      <g
        className={css.driftBack}
        fill="none"
        stroke="#5fbcbd"
        strokeWidth="3"
        strokeLinecap="round"
      >
        <path d="M20 144q18-6 36 0t36 0M150 140q16-5 32 0t32 0M262 150q16-5 32 0t32 0" />
        <path d="M-16 166q20-6 40 0t40 0M110 168q20-6 40 0t40 0" />
      </g>
      <g className={css.bob} fill="#5b4a55">
        <ellipse cx="214" cy="140" rx="34" ry="13" />
        <circle cx="196" cy="127" r="5.4" />
        <circle cx="222" cy="127" r="5.4" />
        <circle cx="189" cy="122" r="3" />
        <circle cx="229" cy="122" r="3" />
        <circle cx="197" cy="126" r="2" fill="#fff" />
        <circle cx="221" cy="126" r="2" fill="#fff" />
        <ellipse cx="209" cy="142" rx="18" ry="7" fill="#7b6672" />
        <circle cx="202" cy="140" r="1.8" fill="#3a2d36" />
        <circle cx="216" cy="140" r="1.8" fill="#3a2d36" />
      </g>
      <path d="M172 147h84v8h-84z" fill="#2a8f97" />
      <g className={css.nod}>
        <path d="M84 162v-34M92 162v-34" stroke="#d98a3c" strokeWidth="2" />
        <path d="M64 122c6-14 24-18 38-8l-8 16c-10 4-24 2-30-8z" fill="#f7f5f0" />
        <path
          d="M98 116c8-8 2-20 4-30"
          stroke="#f7f5f0"
          strokeWidth="5"
          fill="none"
          strokeLinecap="round"
        />
        <circle cx="103" cy="83" r="5.4" fill="#f7f5f0" />
        <path d="M107 81l17 4-17 2z" fill="#e59a3a" />
        <circle cx="104.6" cy="82" r="1.2" fill="#222" />
      </g>
      <path d="M0 180c20-24 40-30 62-24 22 2 40 8 56 24z" fill="#2c6a45" />
      <g stroke="#1f5436" strokeWidth="3" fill="none" strokeLinecap="round" className={css.sway}>
        <path d="M14 178c0-24-4-40-10-54M24 178c2-22 2-40 8-58M38 178c2-16 6-26 14-36" />
      </g>
      <g className={css.walk} fill="none" stroke="#24463f" strokeWidth="2.4" strokeLinecap="round">
        <path
          className={css.bob}
          d="M10 34q6-8 12 0q6-8 12 0M48 46q5-7 10 0q5-7 10 0M76 30q5-6 10 0q5-6 10 0"
        />
      </g>
    </>
  );
}

const BEAMS = [
  { x: 60, colour: '#ff5f9e', back: false },
  { x: 120, colour: '#ffd257', back: true },
  { x: 200, colour: '#55d6ff', back: false },
  { x: 262, colour: '#9b7bff', back: true },
];
/** Bars that jump with the music, on both sides of the stage. */
const BARS = [12, 250].flatMap((left) =>
  [22, 46, 34, 58, 40, 52, 28].map((height, i) => ({
    x: left + i * 8.4,
    height,
    fill: i % 2 ? '#ff8a5c' : '#ffc857',
    delay: `${-i * 0.17}s`,
  })),
);

/** A band of rumba in moving lights. */
export function Concert() {
  return (
    <>
      <rect width="320" height="180" fill="#170f2b" />
      {BEAMS.map(({ x, colour, back }) => (
        <path
          key={x}
          className={back ? css.beamBack : css.beam}
          d={`M${x} 0l-34 140h68z`}
          fill={colour}
          opacity="0.34"
        />
      ))}
      <path d="M0 0h320v10H0z" fill="#0b0717" />
      {BEAMS.map(({ x, colour }) => (
        <circle key={x} cx={x} cy="10" r="6" fill={colour} />
      ))}
      {BARS.map(({ x, height, fill, delay }) => (
        <rect
          key={x}
          className={css.bar}
          style={{ animationDelay: delay }}
          x={x}
          y={132 - height}
          width="6"
          height={height}
          rx="2"
          fill={fill}
        />
      ))}
      <path d="M0 132h320v48H0z" fill="#2a1a45" />
      <path d="M0 132h320v4H0z" fill="#6e4bb0" />
      <g className={css.bob}>
        <path d="M134 134c0-30 6-44 24-45 18 1 24 15 24 45z" fill="#f2b33d" />
        <circle cx="158" cy="74" r="14" fill="#5b3420" />
        <path d="M142 72c0-18 32-18 32 0-8-6-24-6-32 0z" fill="#150b06" />
        <path
          d="M178 98l18-12M138 98l-14-20"
          stroke="#5b3420"
          strokeWidth="7"
          strokeLinecap="round"
        />
        <path d="M196 86l-24-2" stroke="#d7d2e2" strokeWidth="4" strokeLinecap="round" />
        <circle cx="170" cy="83.6" r="4" fill="#26203a" />
      </g>
      <g className={css.nod}>
        <ellipse cx="92" cy="126" rx="14" ry="5" fill="#f7e3bd" />
        <path d="M78 126h28l-4 20H82z" fill="#a4442c" />
        <ellipse cx="226" cy="126" rx="14" ry="5" fill="#f7e3bd" />
        <path d="M212 126h28l-4 20h-20z" fill="#2d7a6b" />
      </g>
      <g className={css.bob} fill="#08040f">
        <path
          d="M0 180v-12q12-14 24 0 2-30 6-30t4 26q14-12 26 4 10-12 22-2 0-30 5-30t4
          30q12-8 22 2 14-16 28-2 2-24 6-24t4 24q14-12 28 0 12-12 24-2 2-28 6-28t4 26q14-10 26
          2 10-12 20-4 2-24 6-24t4 22q16-8 51 2v20z"
        />
      </g>
    </>
  );
}
