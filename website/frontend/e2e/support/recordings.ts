// Reads recorded episodes with the Python package, from Postgres and the object store.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const PYTHON = fileURLToPath(new URL("../../../backend/.venv/bin/python", import.meta.url));
const SCRIPT = fileURLToPath(new URL("../read_back.py", import.meta.url));

/** A recorded episode, compared with a re-run from its seed and actions. */
export interface RecordedEpisode {
  game: string;
  status: string;
  end_reason: string | null;
  /** Mode: streamed or lockstep. */
  mode: string;
  score: number;
  actions: number[];
  terminated: boolean;
  n_frames: number;
  /** Number of steps whose observation the page reported as painted. */
  n_shown: number;
  last_frame_sha256: string;
  differing_frames: number;
  differing_rewards: number;
  /** Verdict of the certifier. */
  verdict: string;
}

/** Waits until `count` episodes are complete and returns them, oldest first. */
export async function readRecordings(data: string, episodes: number): Promise<RecordedEpisode[]> {
  const { stdout } = await promisify(execFile)(PYTHON, [SCRIPT, String(episodes)], {
    cwd: data,
    env: { ...process.env, DATABASE_URL: undefined, SKILL_ARCADE_HOME: data },
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout) as RecordedEpisode[];
}
