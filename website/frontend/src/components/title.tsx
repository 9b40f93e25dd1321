/** Sets the document's title. */
export function Title({ children }: { children: string }) {
  return <title>{children === "" ? "Skill Arcade" : `${children} · Skill Arcade`}</title>;
}
