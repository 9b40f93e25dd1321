import { FrameDecoder, isAhead } from "@/wire/packet";
import { isSound, readSound } from "@/wire/sound";
import { WireError, type ServerMessage, type Setup, type Welcome } from "@/wire/messages";

import { Pinger } from "../clock";
import type { Driver, DriverEvents } from "../driver";
import type { LocalPlay, LocalPlayHooks } from "../lockstep/local-play";
import { ShownReporter } from "../shown";
import { Aligner } from "./aligner";
import { Link, type LinkOptions } from "./link";

/** Makes the part that plays in the page; the driver gives it its hands. */
export type OpenLocal = (hooks: LocalPlayHooks) => LocalPlay;

/**
 * The game is stepped by the server; pictures come over the play socket. With `openLocal`, games that the
 * server offers for it are stepped by the page in lockstep with the server instead.
 */
export function createRemoteDriver(options: LinkOptions, openLocal?: OpenLocal): Driver {
  const { platform } = options;
  const decoder = new FrameDecoder();
  let events: DriverEvents | null = null;
  let setup: Setup | null = null;

  const link = new Link(options, {
    welcome: (welcome) => greet(welcome),
    message: (message) => take(message),
    packet: (packet) => {
      if (isSound(packet)) {
        const { frame, samples } = readSound(packet);
        return events?.sound(frame, samples);
      }
      if (isAhead(packet)) {
        const ahead = new FrameDecoder();
        ahead.decode(packet);
        return events?.ahead(ahead.picture);
      }
      const head = decoder.decode(packet);
      shown.arrived(head.frame);
      aligner.arrived(platform.now(), head.serverUs);
      return events?.picture(head, decoder.picture, decoder.changed);
    },
    broken: (attempt, words) => {
      pinger.stop();
      const playsOn = local?.broken(attempt) ?? false;
      if (local?.active) shown.flush();
      else shown.reset();
      if (!playsOn) events?.broken(attempt, words);
    },
    closed: (closing) => {
      pinger.stop();
      local?.close();
      shown.reset();
      events?.closed(closing);
    },
  });
  const shown = new ShownReporter(platform, (received, frames) => {
    if (local?.report(received, frames)) return;
    link.send({ type: "shown", received, frames });
  });
  const local = openLocal?.({
    send: (message) => link.send(message),
    arrived: (frame) => shown.arrived(frame),
    events: () => events,
  });
  const aligner = new Aligner((laterMs) => {
    link.send({ type: "align", at: platform.now(), later_ms: laterMs });
  });
  const pinger = new Pinger(
    platform,
    (id, at, previous) => link.send({ type: "ping", id, at, previous }),
    () => link.restart("The server fell silent. Trying again…"),
  );

  function greet(welcome: Welcome): void {
    decoder.reset();
    pinger.start(welcome.ping_ms);
    sendSetup();
    if (local?.greeted(welcome)) return;
    shown.reset();
    events?.welcome(welcome.phase, welcome);
  }

  function sendSetup(): void {
    if (setup !== null) link.send({ type: "setup", at: platform.now(), ...setup });
  }

  function take(message: Exclude<ServerMessage, Welcome>): void {
    if (local?.take(message)) return;
    switch (message.type) {
      case "pong": {
        pinger.answered(message.id, platform.now(), (message.sent_us - message.received_us) / 1000);
        if (pinger.roundTripMs !== null) events?.delay(pinger.roundTripMs);
        return;
      }
      case "started":
        shown.reset();
        aligner.reset();
        events?.stepped(local?.active === true ? "page" : "server");
        return events?.started(message.episode);
      case "paused":
        return events?.paused(message.reason);
      case "ticked":
        throw new WireError("The server follows a game that is not played here; reload the page.");
      case "resumed":
        aligner.reset();
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
    setup: (now) => {
      setup = now;
      local?.hear(now.sound);
      sendSetup();
    },
    start: (at) => {
      if (!local?.start(at)) link.send({ type: "start", at, mode: "streamed" });
    },
    input: (change, frame) => {
      if (local?.input(change, frame)) return;
      const { control, down, at, device, code } = change;
      link.send({ type: "input", control, down, at, frame, device, code });
    },
    painted: (frame, at) => {
      shown.painted(frame, at);
      aligner.painted(at);
    },
    pause: (at) => {
      if (!local?.pause(at)) link.send({ type: "pause", at });
    },
    resume: (at) => {
      if (!local?.resume(at)) link.send({ type: "resume", at });
    },
    leave: (at) => {
      if (!local?.leave(at)) link.send({ type: "leave", at });
    },
    focus: (state, at) => link.send({ type: "focus", state, at }),
    hurry: () => link.hurry(),
    close: () => {
      events = null;
      pinger.stop();
      local?.close();
      shown.reset();
      link.close();
    },
  };
}
