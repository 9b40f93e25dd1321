// Serves the built page with the server of the Firebase client and the deployed firebase.json.
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { requireTool } from "./tools";

interface Superstatic {
  server: (options: { cwd: string; config: object; port: number; hostname: string }) => {
    listen: (done: () => void) => Server;
  };
}

const FRONTEND = fileURLToPath(new URL("../../", import.meta.url));

export interface Hosting {
  url: string;
  close(): Promise<void>;
}

/**
 * Serves a copy of the built page whose config.json names the server, as the deployment does. The
 * content security policy allows this server instead of those of Cloud Run.
 */
export async function serveHosting(port: number, apiUrl: string): Promise<Hosting> {
  const folder = await mkdtemp(join(tmpdir(), "hosting-"));
  await cp(join(FRONTEND, "dist"), join(folder, "dist"), { recursive: true });
  await writeFile(join(folder, "dist", "config.json"), JSON.stringify({ apiUrl, release: "test" }));
  const text = await readFile(join(FRONTEND, "firebase.json"), "utf8");
  const allowed = text
    .replaceAll("wss://*.run.app", apiUrl.replace("http", "ws"))
    .replaceAll("https://*.run.app", apiUrl)
    .replaceAll(/https:\/\/(identitytoolkit|securetoken)\.googleapis\.com/g, "http://127.0.0.1:*");
  const { hosting } = JSON.parse(allowed) as { hosting: object };
  const { server } = requireTool("superstatic") as Superstatic;
  const running = await new Promise<Server>((resolve) => {
    const made: Server = server({
      cwd: folder,
      config: hosting,
      port,
      hostname: "127.0.0.1",
    }).listen(() => resolve(made));
  });
  const close = async () => {
    running.close();
    running.closeAllConnections();
    await once(running, "close");
    await rm(folder, { recursive: true });
  };
  return { url: `http://127.0.0.1:${port}`, close };
}
