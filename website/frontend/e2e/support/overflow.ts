// What does not fit on a page as it stands: it runs out at the side, or has more text than it shows.
import type { Page } from "playwright-core";

/** Each thing that does not fit, in a line; none is what a test wants. */
export function findOverflows(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) {
      found.push(`the page is ${String(root.scrollWidth)} px wide in ${String(root.clientWidth)}`);
    }
    const scrolls = (element: Element | null): boolean =>
      element !== null &&
      (/auto|scroll/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
    for (const element of document.querySelectorAll<HTMLElement>("body *:not(svg, svg *)")) {
      const { width, height, left, right } = element.getBoundingClientRect();
      const own = [...element.childNodes].some(
        (node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim() !== "",
      );
      if (
        !own ||
        width === 0 ||
        height === 0 ||
        !element.checkVisibility({ visibilityProperty: true })
      ) {
        continue;
      }
      const { overflowX, overflowY, clipPath, fontSize } = getComputedStyle(element);
      if (clipPath !== "none") continue; // there for who listens
      // Letters may stand out of a tight line; a line that is missing is a whole one.
      const line = parseFloat(fontSize);
      const wide = overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1;
      const high =
        overflowY !== "visible" && element.scrollHeight > element.clientHeight + line / 2;
      const out = (left < -1 || right > root.clientWidth + 1) && !scrolls(element);
      if (wide || high || out) found.push(`${element.tagName} ${element.textContent}`);
    }
    return found;
  });
}
