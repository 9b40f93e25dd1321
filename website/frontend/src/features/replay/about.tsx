import { i18n } from "@/lib/i18n";
import { useLingui } from "@lingui/react";
import { Link } from "react-router";
import type { Replay } from "@/api/replay";
import { paths } from "@/config/paths";
import { formatCount, formatScore, formatTimeAgo } from "@/lib/format";

const OUTCOMES = {
  won: /*i18n*/ "Won",
  lost: /*i18n*/ "Lost",
  incomplete: /*i18n*/ "Quit",
} as const;

/** Result, certificate and provenance of the episode. */
export function About({ replay, now }: { replay: Replay; now: number }) {
  const { i18n } = useLingui();
  const { certificate, provenance, environment } = replay;
  const text = (value: unknown) => (typeof value === "string" ? value : i18n._("unknown"));
  return (
    <>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1.5 text-sm">
        <Row name={i18n._("Result")}>
          {i18n._("{outcome}, {score} in {steps}", {
            outcome:
              replay.time_ended === null ? i18n._("Running") : i18n._(OUTCOMES[replay.status]),
            score: formatScore(replay.score),
            steps: formatCount(replay.n_steps, "step"),
          })}
        </Row>
        <Row name={i18n._("Played")}>
          <time dateTime={replay.time_created}>{formatTimeAgo(replay.time_created, now)}</time>
        </Row>
        <Row name={i18n._("Certificate")}>
          <span data-testid="certificate">{describeCertificate(certificate)}</span>
        </Row>
        <Row name={i18n._("Mode")}>
          {replay.mode === "lockstep" ? i18n._("Lockstep") : i18n._("Streamed")}
        </Row>
        <BeginsAt branch={provenance.branch} />
        {provenance.ghost !== undefined && (
          <Row name={i18n._("Ghost")}>{i18n._("Shown during play")}</Row>
        )}
        {Object.entries(replay.options).map(([name, value]) => (
          <Row key={name} name={name.replaceAll("_", " ")}>
            {value}
          </Row>
        ))}
        <Row name={i18n._("Environment")}>{text(environment.id)}</Row>
        <Row name={i18n._("Seed")}>
          {replay.seed ?? i18n._("Secret until the day of the challenge is over")}
        </Row>
        <Row name={i18n._("Server")}>
          {text(provenance.skill_arcade)}
          {typeof provenance.commit === "string" && `, ${provenance.commit.slice(0, 10)}`}
        </Row>
        <Row name={i18n._("End")}>{replay.end_reason ?? i18n._("none yet")}</Row>
        <Row name={i18n._("Episode")}>
          <span className="text-xs break-all">{replay.id}</span>
        </Row>
      </dl>
      <details className="mt-3 text-sm">
        <summary className="cursor-pointer rounded font-semibold">
          {i18n._("Full provenance")}
        </summary>
        <pre
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
          role="region"
          aria-label={i18n._("Provenance")}
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
    <Row name={i18n._("Begins at")}>
      <Link className="rounded text-link underline" to={paths.replayFrame(parent, step)}>
        {i18n._("Frame {step} of another round", { step })}
      </Link>
    </Row>
  );
}

function describeCertificate(certificate: Replay["certificate"]): string {
  if (certificate === null) return i18n._("Not re-run yet");
  if (certificate.result === "certified")
    return i18n._("Certified: a re-run gave every frame again");
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
