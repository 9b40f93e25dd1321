import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import type { EmulatorSetup } from "@/lockstep/emulator";

const website = new URL("../../../", import.meta.url);
const python = new URL("backend/.venv/bin/python", website);
const script = new URL("backend/tests/support/native_ale.py", website);
const modulePath = new URL(".state/lockstep/lockstep.wasm", website);

/** An episode played by ale-py, which `Emulator` must reproduce. */
export interface NativeEpisode {
  aleSeed: number;
  actions: Uint8Array;
  /** After reset, then after each step. */
  digests: Uint32Array;
  /** CRC-32 of the RGBA picture after reset, then after each hundredth step. */
  pictures: number[];
  isOver: boolean;
}

export interface NativePlay {
  game: string;
  rom: Uint8Array;
  setup: Omit<EmulatorSetup, "seed">;
  episodes: NativeEpisode[];
}

export interface Plan {
  games: readonly string[] | null;
  sticky: readonly number[];
  steps: number;
  vary?: boolean;
}

interface Line {
  game: string;
  rom: string;
  emulation: {
    sticky: number;
    frameskip: number;
    max_frames: number;
    max_steps: number | null;
    mode: number | null;
    difficulty: number | null;
    all_actions: boolean;
  };
  episodes: {
    ale_seed: number;
    actions: string;
    digests: string;
    pictures: number[];
    over: boolean;
  }[];
}

/** Returns why the comparison cannot run; null if it can. */
export function missingPrerequisite(): string | null {
  if (!existsSync(modulePath)) return "the module is not built: run website/lockstep/build";
  if (!existsSync(python)) return "the back end's packages are not installed: run website/test";
  return null;
}

export async function compileModule(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(new Uint8Array(readFileSync(modulePath)));
}

/** Plays episodes with ale-py and yields them. */
export async function* playNatively(plan: Plan): AsyncGenerator<NativePlay> {
  const child = spawn(fileURLToPath(python), [fileURLToPath(script), JSON.stringify(plan)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  for await (const line of createInterface(child.stdout)) yield read(JSON.parse(line) as Line);
  const code = await ended;
  if (code !== 0) throw new Error(`native.py ended with code ${code}`);
}

function read({ game, rom, emulation, episodes }: Line): NativePlay {
  const { max_frames: maxFrames, max_steps: maxSteps, all_actions: allActions } = emulation;
  const { sticky, frameskip, mode, difficulty } = emulation;
  return {
    game,
    rom: bytes(rom),
    setup: { sticky, frameskip, maxFrames, maxSteps, mode, difficulty, allActions },
    episodes: episodes.map(({ ale_seed: aleSeed, actions, digests, over: isOver, ...more }) => ({
      ...more,
      isOver,
      aleSeed,
      actions: bytes(actions),
      digests: new Uint32Array(bytes(digests).buffer),
    })),
  };
}

function bytes(base64: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(base64, "base64"));
}
