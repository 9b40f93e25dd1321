import { FrameDecoder } from "@/wire/packet";
import type { ServerMessage, Welcome } from "@/wire/messages";

import { Pinger } from "../clock";
import type { Driver, DriverEvents } from "../driver";
import { ShownReporter } from "../shown";
import { Link, type LinkOptions } from "./link";

/** The game is stepped by the server; pictures come over the play socket. */
export function createRemoteDriver(options: LinkOptions): Driver {
  const { platform } = options;
  const decoder = new FrameDecoder();
  let events: DriverEvents | null = null;

  const link = new Link(options, {
    welcome: (welcome) => greet(welcome),
    message: (message) => take(message),
    packet: (packet) => {
      const head = decoder.decode(packet);
      shown.arrived(head.frame);
      events?.picture(head, decoder.picture, decoder.changed);
    },
    broken: (attempt, words) => {
      pinger.stop();
      shown.reset();
      events?.broken(attempt, words);
    },
    closed: (closing) => {
      pinger.stop();
      shown.reset();
      events?.closed(closing);
    },
  });
  const shown = new ShownReporter(platform, (received, frames) =>
    link.send({ type: "shown", received, frames }),
  );
  const pinger = new Pinger(
    platform,
    (id, at, previous) => link.send({ type: "ping", id, at, previous }),
    () => link.restart("The server fell silent. Trying again…"),
  );

  function greet(welcome: Welcome): void {
    decoder.reset();
    shown.reset();
    pinger.start(welcome.ping_ms);
    events?.welcome(welcome.phase, welcome);
  }

  function take(message: Exclude<ServerMessage, Welcome>): void {
    switch (message.type) {
      case "pong": {
        pinger.answered(message.id, platform.now());
        if (pinger.roundTripMs !== null) events?.delay(pinger.roundTripMs);
        return;
      }
      case "started":
        shown.reset();
        return events?.started(message.episode);
      case "paused":
        return events?.paused(message.reason);
      case "ticked":
        return;
      case "resumed":
        return events?.resumed();
      case "ended":
        shown.flush();
        return events?.ended(message);
      case "notice":
        return events?.notice(message.text);
    }
  }

  return {
    open: (listener) => {
      events = listener;
      link.open();
    },
    start: (at) => link.send({ type: "start", at, mode: "streamed" }),
    input: ({ control, down, at, device, code }, frame) =>
      link.send({ type: "input", control, down, at, frame, device, code }),
    painted: (frame, at) => shown.painted(frame, at),
    pause: (at) => link.send({ type: "pause", at }),
    resume: (at) => link.send({ type: "resume", at }),
    leave: (at) => link.send({ type: "leave", at }),
    focus: (state, at) => link.send({ type: "focus", state, at }),
    hurry: () => link.hurry(),
    close: () => {
      events = null;
      pinger.stop();
      shown.reset();
      link.close();
    },
  };
}
