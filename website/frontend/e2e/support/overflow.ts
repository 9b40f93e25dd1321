// Finds content that overflows the page or its element.
import type { Page } from "playwright-core";

/** Returns a description of each overflow. */
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
      const hasText = [...element.childNodes].some(
        (node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim() !== "",
      );
      if (
        !hasText ||
        width === 0 ||
        height === 0 ||
        !element.checkVisibility({ visibilityProperty: true })
      ) {
        continue;
      }
      const { overflowX, overflowY, clipPath, fontSize } = getComputedStyle(element);
      if (clipPath !== "none") continue; // only for screen readers
      // Glyphs may exceed a tight line height by less than half a line.
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
