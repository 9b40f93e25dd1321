import { neighbour } from "@/play/replay/markers";

import type { ReplayModel } from "./use-replay";

/** What a viewer can jump to. `any` are all of them. */
export type Target = "reward" | "life" | "event" | "any";

/** Pauses nothing and goes to the next or the previous frame of this kind, if there is one. */
export function jumpTo({ player, loaded }: ReplayModel, target: Target, by: 1 | -1): void {
  const { rewards, livesLost, notable } = loaded.getSnapshot();
  const events = notable.map(({ step }) => step);
  const frames = {
    reward: rewards,
    life: livesLost,
    event: events,
    any: [...rewards, ...livesLost, ...events].sort((a, b) => a - b),
  }[target];
  const found = neighbour(frames, player.state.getSnapshot().frame, by);
  if (found !== null) void player.seek(found);
}
