import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const backend = fileURLToPath(new URL("../../../backend/", import.meta.url));

/** Runs a Python script with the back end's packages and returns its standard output. */
export function runPython(script: URL): Buffer {
  const python = `${backend}.venv/bin/python`;
  const [command, args] = existsSync(python)
    ? [python, []]
    : ["uv", ["run", "--project", backend, "python"]];
  const { status, stdout, stderr } = spawnSync(command, [...args, fileURLToPath(script)], {
    cwd: backend,
    maxBuffer: 64 << 20,
  });
  if (status !== 0) throw new Error(`${fileURLToPath(script)} failed: ${stderr.toString()}`);
  return stdout;
}
