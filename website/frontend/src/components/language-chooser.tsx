import { useLingui } from "@lingui/react";
import { useId } from "react";

import { chooseLanguage, LANGUAGE_NAMES } from "@/lib/language";

/** Chooses the language of the page on this device. Languages are named in themselves. */
export function LanguageChooser() {
  const { i18n } = useLingui();
  const id = useId();
  return (
    <span className="inline-flex items-center gap-2">
      <label htmlFor={id}>{i18n._("Language")}</label>
      <select
        id={id}
        data-testid="language"
        value={i18n.locale}
        onChange={({ target }) => void chooseLanguage(target.value, "device")}
        className="min-h-9 rounded-full border border-line bg-surface px-3 text-ink"
      >
        {LANGUAGE_NAMES.map(([tag, name]) => (
          <option key={tag} value={tag} lang={tag}>
            {name}
          </option>
        ))}
      </select>
    </span>
  );
}
