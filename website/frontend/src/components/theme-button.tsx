import { useLingui } from "@lingui/react";
import { useTheme } from "@/lib/theme";

export function ThemeButton() {
  const { i18n } = useLingui();
  const [theme, toggle] = useTheme();
  const dark = theme === "dark";
  return (
    <button
      type="button"
      onClick={toggle}
      aria-label={dark ? i18n._("Light theme") : i18n._("Dark theme")}
      title={dark ? i18n._("Light theme") : i18n._("Dark theme")}
      className="grid size-10 shrink-0 place-items-center rounded-full opacity-85 hover:opacity-100"
    >
      <svg viewBox="0 0 20 20" className="size-5" aria-hidden="true" fill="currentColor">
        {dark ? (
          <path d="M10 6a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM9 1h2v3H9zM9 16h2v3H9zM1 9h3v2H1zM16 9h3v2h-3zM2.9 4.3l1.4-1.4 2.2 2.1-1.5 1.5zM13.6 14.9l1.4-1.4 2.1 2.2-1.4 1.4zM15 6.5 13.6 5l2.1-2.1 1.4 1.4zM4.3 17.1l-1.4-1.4L5 13.5l1.5 1.4z" />
        ) : (
          <path d="M8.2 2A8 8 0 1 0 18 11.8 6.5 6.5 0 0 1 8.2 2Z" />
        )}
      </svg>
    </button>
  );
}
