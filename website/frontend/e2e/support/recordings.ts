// What was kept of the games, read as a researcher does: in Python, from Postgres and the object store.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const PYTHON = fileURLToPath(new URL("../../../backend/.venv/bin/python", import.meta.url));
const SCRIPT = fileURLToPath(new URL("../read_back.py", import.meta.url));

/** An episode, and how it compares with a re-run of its environment from its seed and actions. */
export interface RecordedEpisode {
  game: string;
  status: string;
  end_reason: string | null;
  /** Who paced it: streamed or lockstep. */
  mode: string;
  score: number;
  actions: number[];
  terminated: boolean;
  n_frames: number;
  /** Steps whose observation was on the player's screen, by the page's own report. */
  n_shown: number;
  last_frame_sha256: string;
  differing_frames: number;
  differing_rewards: number;
  /** What the arcade's own certifier says of it. */
  verdict: string;
}

/** Waits until so many episodes are kept to their end, then reads them back, oldest first. */
export async function readRecordings(data: string, episodes: number): Promise<RecordedEpisode[]> {
  const { stdout } = await promisify(execFile)(PYTHON, [SCRIPT, String(episodes)], {
    cwd: data,
    env: { ...process.env, DATABASE_URL: undefined, SKILL_ARCADE_HOME: data },
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout) as RecordedEpisode[];
}
