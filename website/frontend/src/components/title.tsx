/** The document's title while this is on the page. */
export function Title({ children }: { children: string }) {
  return <title>{children === "" ? "Skill Arcade" : `${children} · Skill Arcade`}</title>;
}
