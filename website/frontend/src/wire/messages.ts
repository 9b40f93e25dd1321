import type { components } from "@/api/schema";

type Schemas = components["schemas"];

export type ClientMessage = Schemas["ClientMessage"];
export type ServerMessage = Schemas["ServerMessage"];
export type Hello = Schemas["Hello"];
export type Welcome = Schemas["Welcome"];
export type Ended = Schemas["Ended"];
export type Offer = Schemas["Offer"];
export type Ticks = Schemas["Ticks"];
export type Device = Schemas["Input"]["device"];
/** How the person is set up to play; `setup` without its head. */
export type Setup = Omit<Schemas["Setup"], "type" | "at">;
export type FocusState = Schemas["Focus"]["state"];

/** Something came over the socket that SPEC.md does not allow. */
export class WireError extends Error {
  override name = "WireError";
}

const MESSAGE_TYPES: Record<ServerMessage["type"], true> = {
  welcome: true,
  started: true,
  ticked: true,
  paused: true,
  resumed: true,
  ended: true,
  pong: true,
  notice: true,
};

/** A text message of the server. Throws WireError when it is none that this page knows. */
export function readMessage(text: string): ServerMessage {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    throw new WireError("The server sent a message that is not JSON; reload the page.");
  }
  if (!isServerMessage(message)) {
    throw new WireError("The server sent a message that this page does not know; reload the page.");
  }
  return message;
}

/** The server checks what it sends against the same schema, so the tag alone decides here. */
function isServerMessage(message: unknown): message is ServerMessage {
  return (
    typeof message === "object" &&
    message !== null &&
    "type" in message &&
    typeof message.type === "string" &&
    Object.hasOwn(MESSAGE_TYPES, message.type)
  );
}
