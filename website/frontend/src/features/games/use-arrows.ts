import { useEffect, type RefObject } from "react";

const STEPS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"] as const;

/** With a card in focus, arrows go to the one beside, above or below it, whatever rows they stand in. */
export function useArrows(place: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const here = place.current;
    if (here === null) return;
    const walk = (event: KeyboardEvent) => {
      const step = STEPS.find((key) => key === event.key);
      if (step === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      const cards = [...here.querySelectorAll<HTMLElement>("li > a")];
      const at = cards.findIndex((card) => card === document.activeElement);
      const next = at < 0 ? undefined : findNext(cards, at, step);
      if (next === undefined) return;
      event.preventDefault();
      next.focus();
    };
    here.addEventListener("keydown", walk);
    return () => here.removeEventListener("keydown", walk);
  }, [place]);
}

function findNext(
  cards: readonly HTMLElement[],
  at: number,
  step: (typeof STEPS)[number],
): HTMLElement | undefined {
  if (step === "ArrowLeft") return cards[at - 1];
  if (step === "ArrowRight") return cards[at + 1];
  const from = cards[at]?.getBoundingClientRect();
  if (from === undefined) return undefined;
  const ahead = step === "ArrowDown" ? cards.slice(at + 1) : cards.slice(0, at).reverse();
  // The nearest in the next row whose column is this one; the row's last when it is shorter.
  const other = ahead.filter((card) => card.getBoundingClientRect().top !== from.top);
  const row = other[0]?.getBoundingClientRect().top;
  const inRow = other.filter((card) => card.getBoundingClientRect().top === row);
  const far = (card: HTMLElement) => Math.abs(card.getBoundingClientRect().left - from.left);
  return inRow.sort((a, b) => far(a) - far(b))[0];
}
