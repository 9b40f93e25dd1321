import type { ButtonHTMLAttributes } from "react";

type ButtonStyle = "action" | "plain" | "quiet";

const STYLE_CLASSES: Record<ButtonStyle, string> = {
  action: "bg-action text-on-action hover:brightness-110",
  plain: "bg-raised text-ink hover:brightness-110",
  quiet: "text-dim hover:text-ink",
};

/** Classes of a button, also for links that look like one. */
export const buttonClass = (look: ButtonStyle): string =>
  `inline-flex min-h-11 items-center justify-center gap-2 rounded-full px-5 font-bold transition disabled:opacity-60 ${STYLE_CLASSES[look]}`;

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: ButtonStyle;
}

export function Button({ look = "action", className = "", ...rest }: Props) {
  return <button type="button" className={`${buttonClass(look)} ${className}`} {...rest} />;
}
