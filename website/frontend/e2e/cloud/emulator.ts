// Starts the emulator of Firebase Authentication. Projects named "demo-..." need no account.
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { endProcess, findPort } from "../support/server";
import { FIREBASE } from "./tools";

export const PROJECT = "demo-arcade";
const PATIENCE_MS = 120_000;

export interface Emulator {
  /** Host and port. */
  host: string;
  /** Returns the newest link that was mailed to an address. */
  mailedLink(email: string): Promise<string>;
  stop(): Promise<void>;
}

interface Codes {
  oobCodes: { email: string; oobLink: string }[];
}

/** Starts the emulator and waits until it responds. */
export async function startEmulator(): Promise<Emulator> {
  const folder = await mkdtemp(join(tmpdir(), "emulator-"));
  const [port, hub, logging] = [await findPort(), await findPort(), await findPort()];
  const place = (port: number) => ({ host: "127.0.0.1", port });
  const emulators = { auth: place(port), hub: place(hub), logging: place(logging) };
  const config = { emulators: { ...emulators, ui: { enabled: false } } };
  await writeFile(join(folder, "firebase.json"), JSON.stringify(config));
  const command = ["emulators:start", "--only", "auth", "--project", PROJECT];
  const process = spawn(FIREBASE, command, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [process.stdout, process.stderr])
    stream.on("data", (data: Buffer) => (output += data.toString()));
  const host = `127.0.0.1:${port}`;
  const stop = async () => {
    await endProcess(process);
    await rm(folder, { recursive: true });
  };
  const end = Date.now() + PATIENCE_MS;
  while (!output.includes("All emulators ready")) {
    if (process.exitCode !== null || Date.now() > end) {
      await stop();
      throw new Error(`Firebase's emulator did not start:\n${output}`);
    }
    await setTimeout(100);
  }
  const mailedLink = async (email: string) => {
    const answer = await fetch(`http://${host}/emulator/v1/projects/${PROJECT}/oobCodes`);
    const { oobCodes } = (await answer.json()) as Codes;
    const found = oobCodes.findLast((code) => code.email === email);
    if (found === undefined) throw new Error(`nothing was mailed to ${email}`);
    return found.oobLink;
  };
  return { host, mailedLink, stop };
}
