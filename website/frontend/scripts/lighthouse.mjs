// Judges the library page of a running arcade by Google's Lighthouse, in Chromium here; fails below 95 in any of the four:
//   npm run lighthouse -- http://localhost:8080 [mobile|desktop]
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Not a dependency of the page's: it is large, and only this asks for it.
const LIGHTHOUSE = "lighthouse@13.5.0";
const LEAST = 95;

const [, , address, form = "mobile"] = process.argv;
if (address === undefined || !["mobile", "desktop"].includes(form)) {
  console.error("Usage: npm run lighthouse -- ADDRESS [mobile|desktop]");
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), "lighthouse-"));
const report = join(folder, "report.json");
const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic"];
const args = [
  ...["exec", "--yes", `--package=${LIGHTHOUSE}`, "--", "lighthouse", address],
  ...["--quiet", "--output=json", `--output-path=${report}`, `--chrome-flags=${flags.join(" ")}`],
  "--only-categories=performance,accessibility,best-practices,seo",
  ...(form === "desktop" ? ["--preset=desktop"] : []),
];
try {
  const env = { ...process.env, CHROME_PATH: process.env.CHROMIUM ?? "/usr/bin/chromium" };
  execFileSync("npm", args, { env, stdio: ["ignore", "inherit", "inherit"] });
  const { categories, audits, lighthouseVersion } = JSON.parse(readFileSync(report, "utf8"));
  console.log(`Lighthouse ${lighthouseVersion}, ${form}, ${address}`);
  for (const { title, score, auditRefs } of Object.values(categories)) {
    console.log(`${String(Math.round(score * 100)).padStart(4)}  ${title}`);
    if (Math.round(score * 100) >= LEAST) continue;
    process.exitCode = 1;
    for (const { id, weight } of auditRefs) {
      const audit = audits[id];
      if (weight > 0 && audit.score !== null && audit.score < 0.9)
        console.log(`      ${audit.title} ${audit.displayValue ?? ""}`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
