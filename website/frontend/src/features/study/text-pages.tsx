import { useLingui } from "@lingui/react";
import { type ReactNode, useEffect, useRef, useState } from "react";

import { Button } from "@/components/button";

interface Props {
  title: string;
  pages: readonly string[];
  /** Shown below the last page. */
  children: ReactNode;
}

/** Pages of text, one after the other. */
export function TextPages({ title, pages, children }: Props) {
  const { i18n } = useLingui();
  const [index, setIndex] = useState(0);
  const heading = useRef<HTMLHeadingElement>(null);
  const isLast = index === pages.length - 1;
  useEffect(() => heading.current?.focus(), [index]);
  return (
    <>
      <h1 ref={heading} tabIndex={-1} className="text-3xl sign sm:text-5xl">
        {title}
      </h1>
      {pages.length > 1 && (
        <p className="mt-2 text-sm text-dim">
          {i18n._("Page {number} of {count}", { number: index + 1, count: pages.length })}
        </p>
      )}
      <p className="mt-4 text-lg text-pretty whitespace-pre-line">{pages[index]}</p>
      <div className="mt-6 flex gap-3">
        {index > 0 && (
          <Button look="plain" onClick={() => setIndex(index - 1)}>
            {i18n._("Back")}
          </Button>
        )}
        {!isLast && <Button onClick={() => setIndex(index + 1)}>{i18n._("Next")}</Button>}
      </div>
      {isLast && children}
    </>
  );
}
