import { crc32 } from "node:zlib";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { shouldSkip } from "../support/prerequisites";
import { Emulator } from "@/lockstep/emulator";

import {
  compileModule,
  playNatively,
  missingPrerequisite,
  type NativePlay,
} from "../support/native-play";

const twelve = [
  "breakout",
  "pong",
  "montezuma_revenge",
  "qbert",
  "seaquest",
  "ms_pacman",
  "space_invaders",
  "pitfall",
  "asteroids",
  "freeway",
  "enduro",
  "private_eye",
];
const all = process.env.LOCKSTEP_GAMES === "all";
const games = all ? null : twelve;
const minutes = 60_000;

const reason = missingPrerequisite();
/** Summary lines, printed if all games are compared. */
const compared: string[] = [];

describe.skipIf(shouldSkip(reason))(
  `the game in the page and ale-py${reason ? ` (${reason})` : ""}`,
  () => {
    let module: WebAssembly.Module;

    beforeAll(async () => {
      module = await compileModule();
    });

    afterAll(() => {
      if (all) process.stdout.write(`${compared.join("\n")}\n`);
    });

    it(
      "emulator equals ale-py for 3,000 steps, with and without sticky actions",
      async () => {
        const plays = await compareAll({ games, sticky: [0, 0.25], steps: 3000 });
        expect(plays).toBe(all ? 208 : 24);
      },
      20 * minutes,
    );

    it(
      "emulator equals ale-py for other modes, difficulties, action sets, frameskip and truncation",
      async () => {
        const truncated = await compareAll({ games, sticky: [0.25], steps: 600, vary: true });
        expect(truncated).toBe(all ? 104 : 12);
      },
      20 * minutes,
    );

    it(
      "emulator with another seed differs if actions are sticky",
      async () => {
        for await (const play of playNatively({
          games: ["breakout"],
          sticky: [0, 0.25],
          steps: 900,
        })) {
          const emulator = await boot(play);
          const differs = firstDifference(emulator, play, 1);
          if (play.setup.sticky === 0) expect(differs).toBeNull();
          else expect(differs).toMatch(/breakout, sticky 0.25, episode 0, step \d+/);
        }
      },
      minutes,
    );

    function boot({ game: name, rom }: NativePlay): Promise<Emulator> {
      return Emulator.create(module, { name, rom });
    }

    async function compareAll(plan: Parameters<typeof playNatively>[0]): Promise<number> {
      let [plays, episodes, steps] = [0, 0, 0];
      for await (const play of playNatively(plan)) {
        const emulator = await boot(play);
        expect(firstDifference(emulator, play, 0)).toBeNull();
        plays++;
        episodes += play.episodes.length;
        for (const { actions } of play.episodes) steps += actions.length;
      }
      const settings = plan.vary === true ? "other settings" : "as played";
      compared.push(
        `${settings}: ${plays} plays, ${episodes} episodes, ${steps} steps, all the same`,
      );
      return plays;
    }
  },
);

/** Returns a description of the first difference, or null. `shift` is added to every seed. */
function firstDifference(emulator: Emulator, play: NativePlay, shift: number): string | null {
  for (const [number, episode] of play.episodes.entries()) {
    const at = (step: number): string =>
      `${play.game}, sticky ${play.setup.sticky}, episode ${number}, step ${step}`;
    let outcome = emulator.load({ ...play.setup, seed: episode.aleSeed + shift });
    if (emulator.digest !== episode.digests[0]) return at(0);
    for (const [index, action] of episode.actions.entries()) {
      outcome = emulator.step(action);
      if (emulator.digest !== episode.digests[index + 1]) return at(index + 1);
      if ((index + 1) % 100 === 0) {
        const picture = emulator.picture;
        const crc = crc32(new Uint8Array(picture.buffer, picture.byteOffset, picture.byteLength));
        if (crc !== episode.pictures[(index + 1) / 100]) return `${at(index + 1)}: the picture`;
      }
    }
    if ((outcome.terminated || outcome.truncated) !== episode.isOver) return `${at(-1)}: the end`;
  }
  return null;
}
