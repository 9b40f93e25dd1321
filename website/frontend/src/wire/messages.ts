import type { components } from "@/api/schema";

type Schemas = components["schemas"];

export type ClientMessage = Schemas["ClientMessage"];
export type ServerMessage = Schemas["ServerMessage"];
export type Hello = Schemas["Hello"];
export type Welcome = Schemas["Welcome"];
export type WatcherMessage = Schemas["WatcherMessage"];
export type WatchedGame = Schemas["WatchedGame"];
export type Scene = Schemas["Scene"];
export type Watchable = Omit<Schemas["Watchable"], "type">;
/** Who acts in a game that an agent plays until the person takes over. */
export type Actor = Omit<Schemas["Actor"], "type">;
/** How the agent plays: `agent` without type and time. */
export type AgentSetup = Omit<Schemas["AgentSetup"], "type" | "at">;
/** Why the player took over from the agent. */
export type Reason = Schemas["TakeoverReason"]["reason"];
export type ShownGhost = Schemas["ShownGhost"];
export type Ended = Schemas["Ended"];
export type Offer = Schemas["Offer"];
export type Ticks = Schemas["Ticks"];
export type Device = Schemas["Input"]["device"];
/** The player's setup: `setup` without type and time. */
export type Setup = Omit<Schemas["Setup"], "type" | "at">;
export type FocusState = Schemas["Focus"]["state"];

/** The server sent something that wire/SPEC.md does not allow. */
export class WireError extends Error {
  override name = "WireError";
}

const MESSAGE_TYPES: Record<ServerMessage["type"], true> = {
  welcome: true,
  started: true,
  outcome: true,
  actor: true,
  ticked: true,
  paused: true,
  resumed: true,
  ended: true,
  pong: true,
  caption: true,
  notice: true,
  watchable: true,
};

/** Parses a text message of the server. Throws WireError if it is invalid. */
export function readMessage(text: string): ServerMessage {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    throw new WireError("The server sent a message that is not valid JSON. Reload the page.");
  }
  if (!isServerMessage(message)) {
    throw new WireError("The server sent a message of an unknown type. Reload the page.");
  }
  return message;
}

/** Checks only the type, because the server validates messages against the same schema. */
function isServerMessage(message: unknown): message is ServerMessage {
  return (
    typeof message === "object" &&
    message !== null &&
    "type" in message &&
    typeof message.type === "string" &&
    Object.hasOwn(MESSAGE_TYPES, message.type)
  );
}
