/** No signal: the snow of an empty channel; with reduced motion it lies still. */
import { useEffect, useRef } from 'react';
import css from './television.module.css';

const COLUMNS = 128;
const ROWS = 72;
const FRAME_MS = 70;

export function Snow() {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const paper = canvas.current?.getContext('2d');
    if (!paper) return;
    drawSnow(paper);
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    const timer = setInterval(() => drawSnow(paper), FRAME_MS);
    return () => clearInterval(timer);
  }, []);
  return <canvas ref={canvas} className={css.snow} width={COLUMNS} height={ROWS} />;
}

function drawSnow(paper: CanvasRenderingContext2D): void {
  const image = paper.createImageData(COLUMNS, ROWS);
  for (let at = 0; at < image.data.length; at += 4) {
    const grey = 30 + Math.random() ** 2 * 150;
    image.data.fill(grey, at, at + 3);
    image.data[at + 3] = 255;
  }
  paper.putImageData(image, 0, 0);
}
