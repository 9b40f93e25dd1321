import { useEffect, type RefObject } from "react";

const ARROW_KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"] as const;

/** Moves the focus between cards with the arrow keys (roving focus), also across rows. */
export function useRovingFocus(container: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const element = container.current;
    if (element === null) return;
    const moveFocus = (event: KeyboardEvent) => {
      const step = ARROW_KEYS.find((key) => key === event.key);
      if (step === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      const cards = [...element.querySelectorAll<HTMLElement>("li > a")];
      const at = cards.findIndex((card) => card === document.activeElement);
      const next = at < 0 ? undefined : findNext(cards, at, step);
      if (next === undefined) return;
      event.preventDefault();
      next.focus();
    };
    element.addEventListener("keydown", moveFocus);
    return () => element.removeEventListener("keydown", moveFocus);
  }, [container]);
}

function findNext(
  cards: readonly HTMLElement[],
  at: number,
  step: (typeof ARROW_KEYS)[number],
): HTMLElement | undefined {
  if (step === "ArrowLeft") return cards[at - 1];
  if (step === "ArrowRight") return cards[at + 1];
  const from = cards[at]?.getBoundingClientRect();
  if (from === undefined) return undefined;
  const ahead = step === "ArrowDown" ? cards.slice(at + 1) : cards.slice(0, at).reverse();
  // The card in the next row with the nearest column.
  const other = ahead.filter((card) => card.getBoundingClientRect().top !== from.top);
  const row = other[0]?.getBoundingClientRect().top;
  const inRow = other.filter((card) => card.getBoundingClientRect().top === row);
  const distance = (card: HTMLElement) => Math.abs(card.getBoundingClientRect().left - from.left);
  return inRow.sort((a, b) => distance(a) - distance(b))[0];
}
