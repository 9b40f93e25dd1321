import type { ReactNode } from "react";

interface Props {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  /** True for errors; false for empty states. */
  isError?: boolean;
  /** True if the message is the whole page. */
  isPage?: boolean;
}

/** A message in place of content: empty, error or not found. */
export function Message({ title, children, action, isError = false, isPage = false }: Props) {
  const Heading = isPage ? "h1" : "h2";
  return (
    <div
      role={isError ? "alert" : undefined}
      className="mx-auto max-w-xl animate-rise py-20 text-center"
    >
      <div className="mx-auto mb-8 h-6 w-28 rounded-full stripes" aria-hidden="true" />
      <Heading className="text-4xl sign">{title}</Heading>
      {children !== undefined && (
        <div className="mt-4 text-lg text-pretty text-dim">{children}</div>
      )}
      {action !== undefined && <div className="mt-8 flex justify-center gap-3">{action}</div>}
    </div>
  );
}
