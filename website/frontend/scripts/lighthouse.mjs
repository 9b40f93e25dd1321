// Measures the library page of a running server with Lighthouse in the local Chromium. The result is
// the median of RUNS (default 1) runs. Fails if one of the four scores is below 95:
//   RUNS=5 npm run lighthouse -- http://localhost:8080 [mobile|desktop]
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";

// Lighthouse is not in package.json because it is large and only this script uses it.
const LIGHTHOUSE = "lighthouse@13.5.0";
const MIN_SCORE = 95;

const [, , address, form = "mobile"] = process.argv;
const runs = Number(process.env.RUNS ?? 1);
if (address === undefined || !["mobile", "desktop"].includes(form) || !(runs >= 1)) {
  console.error("Usage: [RUNS=5] npm run lighthouse -- ADDRESS [mobile|desktop]");
  process.exit(2);
}

function runLighthouse(report) {
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic"];
  const args = [
    ...["exec", "--yes", `--package=${LIGHTHOUSE}`, "--", "lighthouse", address],
    ...["--quiet", "--output=json", `--output-path=${report}`, `--chrome-flags=${flags.join(" ")}`],
    "--only-categories=performance,accessibility,best-practices,seo",
    ...(form === "desktop" ? ["--preset=desktop"] : []),
  ];
  const env = { ...process.env, CHROME_PATH: process.env.CHROMIUM ?? "/usr/bin/chromium" };
  execFileSync("npm", args, { env, stdio: ["ignore", "inherit", "inherit"] });
  return JSON.parse(readFileSync(report, "utf8"));
}

/** Prints each score below the minimum and the audits that lowered it. */
function printFailedAudits({ auditRefs }, audits) {
  for (const { id, weight } of auditRefs) {
    const audit = audits[id];
    if (weight > 0 && audit.score !== null && audit.score < 0.9)
      console.log(`      ${audit.title} ${audit.displayValue ?? ""}`);
  }
}

const folder = mkdtempSync(join(tmpdir(), "lighthouse-"));
try {
  const reports = [];
  const loads = [];
  for (let run = 0; run < runs; run++) {
    loads.push(loadavg()[0]);
    reports.push(runLighthouse(join(folder, "report.json")));
  }
  console.log(`Lighthouse ${reports[0].lighthouseVersion}, ${form}, ${address}, ${runs} runs`);
  console.log(
    `Load of the machine before each run: ${loads.map((load) => load.toFixed(1)).join(", ")}`,
  );
  for (const name of Object.keys(reports[0].categories)) {
    const scoreOf = ({ categories }) => Math.round(categories[name].score * 100);
    const sorted = reports.toSorted((a, b) => scoreOf(a) - scoreOf(b));
    const median = sorted[Math.floor((runs - 1) / 2)];
    const all = runs > 1 ? ` (${sorted.map(scoreOf).join(" ")})` : "";
    console.log(`${String(scoreOf(median)).padStart(4)}  ${median.categories[name].title}${all}`);
    if (scoreOf(median) >= MIN_SCORE) continue;
    process.exitCode = 1;
    printFailedAudits(median.categories[name], median.audits);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
