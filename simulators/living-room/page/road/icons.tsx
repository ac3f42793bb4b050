/** A sign for each step of the road. */
import type { RoadStepName } from '../../api.ts';

const PATHS: Readonly<Record<RoadStepName, string>> = {
  dialled: 'M8 3h8v18H8zM10.5 17.5h3M8 14h8',
  prompted: 'M4 5h16v11H10l-4 4v-4H4zM9 10.5h6',
  answered: 'M7 11V8a5 5 0 0 1 10 0v3M5 11h14v9H5zM12 14.5v2',
  notice: 'M3 6h18v12H3zM3 7l9 6 9-6',
  settled: 'M4 5h12a3 3 0 0 1 3 3v11H7a3 3 0 0 1-3-3zM8 10l2.5 2.5L15 8',
  sent: 'M3 12L21 4l-6 17-4-7z',
  accepted: 'M4 12.5l5 5L20 6.5',
  on_air:
    'M12 12v9M8.5 8.5a5 5 0 0 0 0 7M15.5 8.5a5 5 0 0 1 0 7' +
    'M5.5 5.5a9 9 0 0 0 0 13M18.5 5.5a9 9 0 0 1 0 13',
  received: 'M3 13h18v6H3zM7 16h.01M12 3v6M9 6.5l3 3 3-3',
  picture: 'M3 5h18v12H3zM8 20.5h8M10.5 8.5v5l4-2.5z',
  text: 'M4 5h16v11H10l-4 4v-4H4zM8 9h8M8 12h5',
};

export function StepIcon({ step }: { step: RoadStepName }) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[step]} />
    </svg>
  );
}
