import { useEffect, useState } from "react";

/** Time left until `until`, as hours and minutes; in the last minute as seconds. */
export function Countdown({ until, onEnd }: { until: string; onEnd?: () => void }) {
  const [left, setLeft] = useState(() => Date.parse(until) - Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      const now = Date.parse(until) - Date.now();
      setLeft(now);
      if (now <= 0) {
        clearInterval(timer);
        onEnd?.();
      }
    }, 1000);
    return () => clearInterval(timer);
  }, [until, onEnd]);
  return (
    <time dateTime={until} className="tabular-nums">
      {formatLeft(left)}
    </time>
  );
}

/** 7,380,000 -> "2 h 3 min", 59,000 -> "59 s" */
export function formatLeft(ms: number): string {
  const seconds = Math.max(Math.ceil(ms / 1000), 0);
  if (seconds < 60) return `${String(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${String(minutes)} min`
    : `${String(Math.floor(minutes / 60))} h ${String(minutes % 60)} min`;
}
