import { Link } from "react-router";

import type { Replay } from "@/api/replay";
import { paths } from "@/config/paths";
import { formatCount, formatScore, formatTimeAgo } from "@/lib/format";

const OUTCOMES = { won: "Won", lost: "Lost", incomplete: "Quit" } as const;

/** Result, certificate and provenance of the episode. */
export function About({ replay, now }: { replay: Replay; now: number }) {
  const { certificate, provenance, environment } = replay;
  const text = (value: unknown) => (typeof value === "string" ? value : "unknown");
  return (
    <>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1.5 text-sm">
        <Row name="Result">
          {replay.time_ended === null ? "Running" : OUTCOMES[replay.status]},{" "}
          {formatScore(replay.score)} in {formatCount(replay.n_steps, "step")}
        </Row>
        <Row name="Played">
          <time dateTime={replay.time_created}>{formatTimeAgo(replay.time_created, now)}</time>
        </Row>
        <Row name="Certificate">
          <span data-testid="certificate">{describeCertificate(certificate)}</span>
        </Row>
        <Row name="Mode">{replay.mode === "lockstep" ? "Lockstep" : "Streamed"}</Row>
        <BeginsAt branch={provenance.branch} />
        {provenance.ghost !== undefined && <Row name="Ghost">Shown during play</Row>}
        {Object.entries(replay.options).map(([name, value]) => (
          <Row key={name} name={name.replaceAll("_", " ")}>
            {value}
          </Row>
        ))}
        <Row name="Environment">{text(environment.id)}</Row>
        <Row name="Seed">{replay.seed ?? "Secret until the day of the challenge is over"}</Row>
        <Row name="Server">
          {text(provenance.skill_arcade)}
          {typeof provenance.commit === "string" && `, ${provenance.commit.slice(0, 10)}`}
        </Row>
        <Row name="End">{replay.end_reason ?? "none yet"}</Row>
        <Row name="Episode">
          <span className="text-xs break-all">{replay.id}</span>
        </Row>
      </dl>
      <details className="mt-3 text-sm">
        <summary className="cursor-pointer rounded font-semibold">Full provenance</summary>
        <pre
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
          role="region"
          aria-label="Provenance"
          className="mt-2 max-h-64 overflow-auto rounded-lg bg-raised p-3 text-xs leading-relaxed"
        >
          {JSON.stringify({ environment, provenance }, null, 1)}
        </pre>
      </details>
    </>
  );
}

/** The recorded frame with which the episode begins, with a link to it. */
function BeginsAt({ branch }: { branch: unknown }) {
  if (typeof branch !== "object" || branch === null) return null;
  const { parent, step } = branch as { parent?: unknown; step?: unknown };
  if (typeof parent !== "string" || typeof step !== "number") return null;
  return (
    <Row name="Begins at">
      <Link className="rounded text-link underline" to={paths.replayFrame(parent, step, null)}>
        Frame {step} of another round
      </Link>
    </Row>
  );
}

function describeCertificate(certificate: Replay["certificate"]): string {
  if (certificate === null) return "Not re-run yet";
  if (certificate.result === "certified") return "Certified: a re-run gave every frame again";
  const at = certificate.step === null ? "" : ` at step ${String(certificate.step)}`;
  return `${certificate.result}${at}: ${certificate.reason}`;
}

function Row({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <>
      <dt className="text-dim first-letter:uppercase">{name}</dt>
      <dd className="min-w-0 font-semibold break-words">{children}</dd>
    </>
  );
}
