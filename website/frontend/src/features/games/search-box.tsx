import { useLingui } from "@lingui/react";
import { useEffect, useRef, useState } from "react";

interface Props {
  query: string;
  onQuery: (query: string) => void;
  tags: string[];
  /** True while the tags load. Placeholders reserve their space, to avoid a layout shift. */
  isPending: boolean;
  tag: string | null;
  onTag: (tag: string | null) => void;
}

/** Number of tags that fit in about one line on a laptop. */
const COLLAPSED_TAG_COUNT = 11;

const chipClass =
  "min-h-9 shrink-0 rounded-full border-2 px-3.5 text-sm font-bold transition aria-pressed:border-ink aria-pressed:bg-ink aria-pressed:text-bg border-line text-dim hover:text-ink hover:border-dim";

/** Search field and tag filter. The key "/" focuses the field. */
export function SearchBox({ query, onQuery, tags, isPending, tag, onTag }: Props) {
  const { i18n } = useLingui();
  const [all, setAll] = useState(false);
  const shown = tags.filter((name, index) => all || index < COLLAPSED_TAG_COUNT || name === tag);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const focusOnSlash = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener("keydown", focusOnSlash);
    return () => removeEventListener("keydown", focusOnSlash);
  }, []);
  return (
    <div className="mb-8 flex flex-col gap-4 lg:flex-row lg:items-start">
      <div role="search" className="relative lg:w-80 lg:shrink-0">
        <label htmlFor="find" className="sr-only">
          {i18n._("Find a game")}
        </label>
        <input
          ref={field}
          id="find"
          type="search"
          value={query}
          onChange={(event) => onQuery(event.target.value)}
          placeholder={i18n._("Find a game")}
          autoComplete="off"
          className="h-11 w-full rounded-full border-2 border-line bg-surface px-5 placeholder:text-dim"
        />
      </div>
      <ul
        aria-label={i18n._("Tags")}
        className="-mx-4 flex gap-2 overflow-x-auto px-4 py-1 sm:mx-0 sm:flex-wrap sm:px-0"
      >
        {isPending &&
          Array.from({ length: COLLAPSED_TAG_COUNT + 1 }, (_, index) => (
            <li key={index} aria-hidden className="h-9 w-24 shrink-0 rounded-full bg-raised/60" />
          ))}
        {shown.map((name) => (
          <li key={name}>
            <button
              type="button"
              aria-pressed={name === tag}
              onClick={() => onTag(name === tag ? null : name)}
              className={chipClass}
            >
              {name}
            </button>
          </li>
        ))}
        {(all || shown.length < tags.length) && (
          <li>
            <button
              type="button"
              aria-expanded={all}
              onClick={() => setAll(!all)}
              className="min-h-9 shrink-0 px-2 text-sm font-bold whitespace-nowrap text-link underline-offset-4 hover:underline"
            >
              {all
                ? i18n._("Fewer tags")
                : i18n._("{count, plural, one {# more tag} other {# more tags}}", {
                    count: tags.length - shown.length,
                  })}
            </button>
          </li>
        )}
      </ul>
    </div>
  );
}
