import { i18n } from "@/lib/i18n";
import type { AgentScore, AgentVersion } from "@/api/agents";

const FORMATS: Record<AgentVersion["format"], string> = {
  scripted: /*i18n*/ "Script of this arcade",
  onnx: /*i18n*/ "Neural network (ONNX)",
  "entry-point": /*i18n*/ "Python class",
};

const OBSERVATIONS: Record<AgentVersion["observation"], string> = {
  picture: /*i18n*/ "The picture, as people see it",
  environment: /*i18n*/ "What the environment returns",
  atari: /*i18n*/ "Four grey pictures of 84 × 84, one action for 4 frames",
};

const PACES: Record<AgentScore["pace"], string> = {
  realtime: /*i18n*/ "real time",
  stepped: /*i18n*/ "the game waits",
  lockstep: /*i18n*/ "the agent runs the game",
  "turn-based": /*i18n*/ "turn-based",
};

const REASONS: Record<NonNullable<AgentScore["incomparable"]>, string> = {
  stepped: /*i18n*/ "Not comparable: the game waited for the agent, and does not wait for people.",
  lockstep: /*i18n*/ "Not comparable: the agent ran the game itself, and could pause it to think.",
  "no-people": /*i18n*/ "Not comparable: nobody who shows their scores has finished this game.",
  "too-few-people":
    /*i18n*/ "Not comparable: fewer than three people who show their scores have finished this game.",
  "other-settings": /*i18n*/ "Not comparable: people played with other settings or versions.",
};

export const describeFormat = (format: AgentVersion["format"]) => i18n._(FORMATS[format]);
export const describeObservation = (one: AgentVersion["observation"]) => i18n._(OBSERVATIONS[one]);
export const describeReason = (reason: NonNullable<AgentScore["incomparable"]>) =>
  i18n._(REASONS[reason]);

/** What must be equal for a comparison, such as "real time, sticky actions 0.25, frame skip 1". */
export function describeProtocol(score: AgentScore): string {
  const parts = [i18n._(PACES[score.pace])];
  if (score.sticky_probability !== null)
    parts.push(
      score.sticky_probability === 0
        ? i18n._("no sticky actions")
        : i18n._("sticky actions {probability}", {
            probability: i18n.number(score.sticky_probability),
          }),
    );
  if (score.frame_skip !== null)
    parts.push(i18n._("frame skip {frames}", { frames: score.frame_skip }));
  return parts.join(", ");
}
