import { useLingui } from "@lingui/react";
import { formatScore } from "@/lib/format";
const MAX_SCORES = 24;
const WIDTH = 220;
const HEIGHT = 44;

/** Small chart of the last finite scores. Renders nothing for fewer than three or if all are equal. */
export function ScoreCurve({ scores }: { scores: readonly (number | null)[] }) {
  const { i18n } = useLingui();
  const recent = scores
    .filter((score): score is number => Number.isFinite(score))
    .slice(-MAX_SCORES);
  const low = Math.min(...recent);
  const span = Math.max(...recent) - low;
  if (recent.length < 3 || span === 0) return null;
  const points = recent.map((score, index): [number, number] => [
    6 + (index / (recent.length - 1)) * (WIDTH - 12),
    HEIGHT - 6 - ((score - low) / span) * (HEIGHT - 12),
  ]);
  const [x, y] = points.at(-1) ?? [0, 0];
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      className="mx-auto mt-4 h-11 max-w-full"
      role="img"
      aria-label={i18n._("Your last {count} scores: {scores}", {
        count: recent.length,
        scores: recent.map((score) => formatScore(score)).join("; "),
      })}
    >
      <polyline
        points={points.map((point) => point.join(",")).join(" ")}
        fill="none"
        stroke="var(--teal)"
        strokeWidth="2.5"
        strokeLinejoin="round"
        strokeLinecap="round"
      />
      <circle cx={x} cy={y} r="5" fill="var(--phosphor)" />
    </svg>
  );
}
