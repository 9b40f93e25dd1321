import { useId } from "react";

interface LanguagesProps {
  languages: readonly string[];
  language: string;
  onChange: (tag: string) => void;
}

/** Switches the language of a consent document, if it has more than one. */
export function ConsentLanguages({ languages, language, onChange }: LanguagesProps) {
  if (languages.length < 2) return null;
  return (
    <div className="float-right flex gap-1">
      {languages.map((tag) => (
        <button
          key={tag}
          type="button"
          lang={tag}
          aria-pressed={tag === language}
          onClick={() => onChange(tag)}
          className="min-h-9 rounded-full px-3 text-sm font-semibold text-dim hover:text-ink aria-pressed:bg-raised aria-pressed:text-ink"
        >
          {new Intl.DisplayNames([tag], { type: "language" }).of(tag)}
        </button>
      ))}
    </div>
  );
}

/** The sections of a consent document: one screen on a phone. */
export function ConsentSections({
  sections,
}: {
  sections: readonly { title: string; text: string }[];
}) {
  return (
    <dl className="mt-2 grid gap-x-8 gap-y-1 text-xs sm:mt-5 sm:grid-cols-2 sm:gap-y-3 sm:text-base">
      {sections.map(({ title, text }) => (
        <div key={title}>
          <dt className="inline font-bold sm:block">{title}</dt>
          <dd className="ml-1.5 inline text-pretty whitespace-pre-line text-dim sm:ml-0 sm:block">
            {text}
          </dd>
        </div>
      ))}
    </dl>
  );
}

interface ScopesProps<Scope extends string> {
  scopes: readonly { id: Scope; label: string; text: string }[];
  chosen: readonly Scope[];
  /** Language of the texts, if it may be another one than that of the document. */
  language?: string;
  onChange: (chosen: readonly Scope[]) => void;
}

/** A checkbox for each scope. */
export function ConsentScopes<Scope extends string>({
  scopes,
  chosen,
  language,
  onChange,
}: ScopesProps<Scope>) {
  const id = useId();
  return (
    <div
      lang={language}
      className="grid gap-2 sm:grid-cols-[repeat(auto-fit,minmax(14rem,1fr))] sm:gap-4"
    >
      {scopes.map(({ id: scope, label, text }) => (
        <div
          key={scope}
          className="flex items-start gap-3 rounded-xl bg-surface px-3 py-1.5 sm:p-4"
        >
          <input
            id={`${id}-${scope}`}
            type="checkbox"
            checked={chosen.includes(scope)}
            onChange={(event) =>
              onChange(
                event.target.checked ? [...chosen, scope] : chosen.filter((one) => one !== scope),
              )
            }
            aria-describedby={`${id}-${scope}-text`}
            className="mt-0.5 size-6 shrink-0 accent-[var(--action)]"
          />
          <div className="text-sm sm:text-base">
            <label htmlFor={`${id}-${scope}`} className="font-bold">
              {label}
            </label>
            <p id={`${id}-${scope}-text`} className="text-xs text-pretty text-dim sm:text-base">
              {text}
            </p>
          </div>
        </div>
      ))}
    </div>
  );
}

interface BirthYearProps {
  label: string;
  help?: string;
  year: string;
  onChange: (year: string) => void;
}

/** Asks the year of birth, without a hint what it should be. */
export function BirthYear({ label, help, year, onChange }: BirthYearProps) {
  const id = useId();
  return (
    <div className="flex flex-wrap items-center gap-x-3">
      <label htmlFor={id} className="text-sm font-bold sm:text-base">
        {label}
      </label>
      <input
        id={id}
        value={year}
        onChange={(event) => onChange(event.target.value.replace(/\D/g, "").slice(0, 4))}
        inputMode="numeric"
        autoComplete="off"
        aria-describedby={help === undefined ? undefined : `${id}-help`}
        className="min-h-10 w-20 rounded-xl border border-line bg-surface px-3"
      />
      {help !== undefined && (
        <p id={`${id}-help`} className="w-full text-xs text-dim sm:text-sm">
          {help}
        </p>
      )}
    </div>
  );
}

/** Both buttons look alike, and stand side by side on a phone. */
export const CONSENT_BUTTON = "px-4 text-sm sm:px-5 sm:text-base";

/** Digits of a year of birth. */
export const YEAR_DIGITS = 4;
