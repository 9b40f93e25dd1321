/**
 * Returns whether tests are skipped because a prerequisite is missing (`reason`; null if there is none).
 *
 * In continuous integration a missing prerequisite is an error, so that no check is lost silently.
 */
export function shouldSkip(reason: string | null): boolean {
  if (reason !== null && process.env.CI !== undefined) {
    throw new Error(`Tests must not be skipped in CI: ${reason}`);
  }
  return reason !== null;
}
