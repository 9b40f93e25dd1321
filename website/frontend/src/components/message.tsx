import type { ReactNode } from "react";

interface Props {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  /** Something went wrong, rather than there being nothing. */
  alarming?: boolean;
}

/** A page, or part of one, that has words instead of content: empty, wrong, not found. */
export function Message({ title, children, action, alarming = false }: Props) {
  return (
    <div
      role={alarming ? "alert" : undefined}
      className="mx-auto max-w-xl animate-rise py-20 text-center"
    >
      <div className="mx-auto mb-8 h-6 w-28 rounded-full stripes" aria-hidden="true" />
      <h2 className="text-4xl sign">{title}</h2>
      {children !== undefined && (
        <div className="mt-4 text-lg text-pretty text-dim">{children}</div>
      )}
      {action !== undefined && <div className="mt-8 flex justify-center gap-3">{action}</div>}
    </div>
  );
}
