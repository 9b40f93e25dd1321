import { useLingui } from "@lingui/react";
import { type ReactNode, useEffect, useId, useRef } from "react";

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** A modal dialog. Escape and the button close it. */
export function Dialog({ title, onClose, children }: Props) {
  const { i18n } = useLingui();
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const { current } = element;
    current?.showModal();
    return () => current?.close();
  }, []);
  return (
    <dialog
      ref={element}
      aria-labelledby={heading}
      onClose={onClose}
      className="m-auto max-h-[85dvh] w-[min(34rem,calc(100vw-2rem))] overflow-y-auto rounded-2xl border border-line bg-surface p-6 text-ink backdrop:bg-black/60"
    >
      <div className="mb-4 flex items-start gap-4">
        <h2 id={heading} className="flex-1 text-3xl sign">
          {title}
        </h2>
        <button
          type="button"
          aria-label={i18n._("Close")}
          onClick={onClose}
          className="grid size-9 place-items-center rounded-full bg-raised text-xl leading-none hover:brightness-110"
        >
          <span aria-hidden="true">×</span>
        </button>
      </div>
      {children}
    </dialog>
  );
}
