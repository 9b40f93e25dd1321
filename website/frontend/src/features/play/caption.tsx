interface Props {
  text: string;
}

/**
 * Text that belongs to the picture, such as the mission of an episode. It has room for two lines
 * from the start, so that the picture does not move when the text changes.
 */
export function Caption({ text }: Props) {
  return (
    <p
      data-testid="caption"
      aria-live="polite"
      className="grid min-h-[2lh] place-items-center px-1 text-center text-base leading-snug font-semibold text-balance text-phosphor sm:text-lg low:min-h-[1lh] low:text-sm"
    >
      {text}
    </p>
  );
}
