// Starts the server by `website/play` on a free port with an empty data folder.
import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { EventEmitter, on, once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const PLAY = fileURLToPath(new URL("../../../play", import.meta.url));
const START_TIMEOUT_MS = 240_000;

export interface TestServer {
  url: string;
  /** Folder of database, objects and journal. */
  data: string;
  /** Stops the server by SIGINT and returns its exit code and output. */
  stop(): Promise<{ code: number | null; output: string }>;
}

/**
 * Starts the server and waits until it is ready. Its output is written to the file `log`. `settings`
 * are environment variables, `options` further arguments of `website/play`.
 */
export async function startServer(
  log: string,
  settings: Record<string, string> = {},
  options: readonly string[] = [],
): Promise<TestServer> {
  // A short path, because the path of Postgres's Unix socket in it is limited to 107 bytes.
  const data = await mkdtemp(join(tmpdir(), "arcade-"));
  const port = await findPort();
  const url = `http://localhost:${String(port)}`;
  const server = spawn(PLAY, ["--port", String(port), "--data", data, ...options], {
    env: { ...process.env, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = new Output(server, log);
  const stop = async () => {
    const code = await endProcess(server);
    const text = output.close();
    await rm(data, { recursive: true, force: true, maxRetries: 5 });
    return { code, output: text };
  };
  try {
    await Promise.race([output.waitFor(url), rejectOnExit(server), rejectAfter(START_TIMEOUT_MS)]);
    await checkReady(url);
  } catch (error) {
    const { output } = await stop();
    throw new Error(`The server did not start:\n${output}`, { cause: error });
  }
  return { url, data, stop };
}

/** Collects the output of a process line by line, and writes it to a file. */
class Output {
  readonly #lines: string[] = [];
  readonly #file: WriteStream;
  readonly #events = new EventEmitter();

  constructor(process: ChildProcessByStdio<null, Readable, Readable>, log: string) {
    this.#file = createWriteStream(log);
    for (const stream of [process.stdout, process.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        this.#lines.push(line);
        this.#file.write(`${line}\n`);
        this.#events.emit("line", line);
      });
    }
  }

  /** Waits for a line that contains `text`. */
  async waitFor(text: string): Promise<void> {
    for await (const [line] of on(this.#events, "line") as AsyncIterable<[string]>) {
      if (line.includes(text)) return;
    }
  }

  close(): string {
    this.#file.end();
    return this.#lines.join("\n");
  }
}

async function rejectOnExit(process: ChildProcess): Promise<never> {
  await once(process, "exit");
  throw new Error(`it exited with code ${String(process.exitCode)}`);
}

async function rejectAfter(ms: number): Promise<never> {
  await setTimeout(ms, undefined, { ref: false });
  throw new Error(`it took more than ${String(ms / 1000)} s`);
}

/**
 * Returns a free port. It is below the ephemeral ports, so that no other process gets it by chance,
 * and each test worker has a range of its own.
 */
export async function findPort(): Promise<number> {
  const first = 10_000 + 1000 * (Number(process.env.VITEST_POOL_ID ?? 0) % 10);
  for (;;) {
    const port = first + Math.floor(1000 * Math.random());
    const probe = createServer();
    const listens = new Promise<boolean>((resolve) => {
      probe.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!(await listens)) continue;
    probe.close();
    await once(probe, "close");
    return port;
  }
}

async function checkReady(url: string): Promise<void> {
  const answer = await fetch(`${url}/health/ready`);
  if (!answer.ok)
    throw new Error(`/health/ready returned ${String(answer.status)}: ${await answer.text()}`);
}

export async function endProcess(server: ChildProcess): Promise<number | null> {
  if (server.exitCode !== null || server.signalCode !== null) return server.exitCode;
  const ended = once(server, "exit");
  server.kill("SIGINT");
  await ended;
  return server.exitCode;
}
