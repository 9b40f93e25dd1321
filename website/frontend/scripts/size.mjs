// Fails if the gzipped scripts of the first page load exceed MAX_BYTES.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const MAX_BYTES = 200_000;

const dist = new URL("../dist/", import.meta.url);
const page = readFileSync(new URL("index.html", dist), "utf8");
const scripts = [...page.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map(([, path]) => path);
const total = scripts.reduce(
  (sum, path) => sum + gzipSync(readFileSync(new URL(path, dist))).length,
  0,
);
if (scripts.length === 0)
  throw new Error("dist/index.html references no script. Run `npm run build`.");
console.log(`First load: ${total} bytes of script gzipped, ${MAX_BYTES} at most.`);
if (total > MAX_BYTES) process.exit(1);
