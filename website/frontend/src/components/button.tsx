import type { ButtonHTMLAttributes } from "react";

type Look = "action" | "plain" | "quiet";

const looks: Record<Look, string> = {
  action: "bg-action text-on-action hover:brightness-110",
  plain: "bg-raised text-ink hover:brightness-110",
  quiet: "text-dim hover:text-ink",
};

/** Classes of a button, for links that look like one. */
export const buttonClass = (look: Look): string =>
  `inline-flex min-h-11 items-center justify-center gap-2 rounded-full px-5 font-bold transition disabled:opacity-60 ${looks[look]}`;

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
}

export function Button({ look = "action", className = "", ...rest }: Props) {
  return <button type="button" className={`${buttonClass(look)} ${className}`} {...rest} />;
}
