const PATHS = {
  play: "M5 3.2v13.6L16.5 10z",
  pause: "M4.5 3h4v14h-4zM11.5 3h4v14h-4z",
  back: "M14.5 3.5v13L6 10zM4 3.5h2v13H4z",
  forward: "M5.5 3.5v13L14 10zM14 3.5h2v13h-2z",
  loop: "M6 4h8a4 4 0 0 1 4 4v1h-2V8a2 2 0 0 0-2-2H6v3L2 5l4-4zM14 16H6a4 4 0 0 1-4-4v-1h2v1a2 2 0 0 0 2 2h8v-3l4 4-4 4z",
  full: "M3 3h5v2H5v3H3zM12 3h5v5h-2V5h-3zM3 12h2v3h3v2H3zM15 12h2v5h-5v-2h3z",
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg viewBox="0 0 20 20" className="size-5" aria-hidden="true" fill="currentColor">
      <path d={PATHS[name]} />
    </svg>
  );
}
