import { useEffect, useRef, useState } from "react";

interface Props {
  words: string;
  onWords: (words: string) => void;
  tags: string[];
  tag: string | null;
  onTag: (tag: string | null) => void;
}

const chip =
  "min-h-9 shrink-0 rounded-full border-2 px-3.5 text-sm font-bold transition aria-pressed:border-ink aria-pressed:bg-ink aria-pressed:text-bg border-line text-dim hover:text-ink hover:border-dim";

/** So many tags are shown at first: the most frequent. */
const FEW = 10;

/** Search by words, and by one tag. The key "/" jumps into the field. */
export function Finder({ words, onWords, tags, tag, onTag }: Props) {
  const field = useRef<HTMLInputElement>(null);
  const [all, setAll] = useState(false);
  const shown = all ? tags : tags.filter((name, place) => place < FEW || name === tag);
  useEffect(() => {
    const jump = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener("keydown", jump);
    return () => removeEventListener("keydown", jump);
  }, []);
  return (
    <div className="mb-8 flex flex-col gap-4 lg:flex-row lg:items-center">
      <div role="search" className="relative lg:w-80 lg:shrink-0">
        <label htmlFor="find" className="sr-only">
          Find a game
        </label>
        <input
          ref={field}
          id="find"
          type="search"
          value={words}
          onChange={(event) => onWords(event.target.value)}
          placeholder="Find a game"
          autoComplete="off"
          className="h-11 w-full rounded-full border-2 border-line bg-surface px-5 placeholder:text-dim"
        />
      </div>
      <ul
        aria-label="Tags"
        className="-mx-4 flex gap-2 overflow-x-auto px-4 py-1 sm:mx-0 sm:flex-wrap sm:px-0"
      >
        {shown.map((name) => (
          <li key={name}>
            <button
              type="button"
              aria-pressed={name === tag}
              onClick={() => onTag(name === tag ? null : name)}
              className={chip}
            >
              {name}
            </button>
          </li>
        ))}
        {tags.length > FEW && (
          <li>
            <button type="button" aria-expanded={all} onClick={() => setAll(!all)} className={chip}>
              {all ? "Fewer tags" : `All ${tags.length} tags`}
            </button>
          </li>
        )}
      </ul>
    </div>
  );
}
