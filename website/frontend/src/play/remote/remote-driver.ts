import { translateServerText } from "@/lib/server-texts";
import { i18n } from "@/lib/i18n";
import { FrameDecoder, isPreview } from "@/wire/packet";
import { isSound, readSound } from "@/wire/sound";
import {
  type AgentSetup,
  WireError,
  type ServerMessage,
  type Setup,
  type Welcome,
} from "@/wire/messages";

import { Pinger } from "../pinger";
import type { Driver, DriverEvents, PlayMode } from "../driver";
import type { LockstepController, LockstepHooks } from "../lockstep/lockstep-controller";
import { PaintReporter } from "../paint-reporter";
import { Aligner } from "./aligner";
import { ReconnectingSocket, type ReconnectingSocketOptions } from "./reconnecting-socket";

/** Creates the lockstep controller with the functions of the driver. */
export type OpenLockstep = (hooks: LockstepHooks) => LockstepController;

/**
 * Creates a driver that receives pictures over the play socket. With `openLockstep`, games for
 * which the server offers lockstep run in the page.
 */
export function createRemoteDriver(
  options: ReconnectingSocketOptions,
  openLockstep?: OpenLockstep,
): Driver {
  const { platform } = options;
  const decoder = new FrameDecoder();
  let events: DriverEvents | null = null;
  let setup: Setup | null = null;
  let agentSetup: AgentSetup | null = null;

  const socket = new ReconnectingSocket(options, {
    welcome: (welcome) => onWelcome(welcome),
    message: (message) => onMessage(message),
    packet: (packet) => {
      if (isSound(packet)) {
        const { frame, samples } = readSound(packet);
        return events?.sound(frame, samples);
      }
      if (isPreview(packet)) {
        const previewDecoder = new FrameDecoder();
        previewDecoder.decode(packet);
        return events?.preview(previewDecoder.picture);
      }
      const head = decoder.decode(packet);
      paintReporter.onFrameReceived(head.frame);
      aligner.onArrival(platform.now(), head.serverUs);
      return events?.picture(head, decoder.picture, decoder.changed);
    },
    reconnecting: (attempt, message, cause) => {
      pinger.stop();
      const continues = lockstep?.continueAfterDisconnect(attempt) ?? false;
      if (mode() === streamed) paintReporter.reset();
      else paintReporter.flush();
      if (!continues) events?.reconnecting(attempt, message, cause);
    },
    closed: (closing) => {
      pinger.stop();
      lockstep?.close();
      paintReporter.reset();
      events?.closed(closing);
    },
  });
  const streamed: PlayMode = {
    sendInput: ({ control, down, at, device, code }, frame) =>
      socket.send({ type: "input", control, down, at, frame, device, code }),
    pause: (at) => socket.send({ type: "pause", at }),
    resume: (at) => socket.send({ type: "resume", at }),
    leave: (at) => socket.send({ type: "leave", at }),
    reportPaints: (received, frames) => socket.send({ type: "shown", received, frames }),
  };
  /** Returns the mode of the active episode, which may change from lockstep to streamed. */
  const mode = (): PlayMode => (lockstep?.isActive === true ? lockstep : streamed);
  const paintReporter = new PaintReporter(platform, (received, frames) =>
    mode().reportPaints(received, frames),
  );
  const lockstep = openLockstep?.({
    send: (message) => socket.send(message),
    onFrameReceived: (frame) => paintReporter.onFrameReceived(frame),
    events: () => events,
  });
  const aligner = new Aligner((laterMs) => {
    socket.send({ type: "align", at: platform.now(), later_ms: laterMs });
  });
  const pinger = new Pinger(
    platform,
    (id, at, previous) => socket.send({ type: "ping", id, at, previous }),
    () => socket.reconnect(i18n._("The server stopped responding. Reconnecting…")),
  );

  function onWelcome(welcome: Welcome): void {
    decoder.reset();
    pinger.start(welcome.ping_ms);
    sendSetup();
    sendAgentSetup();
    const continues = lockstep?.continueAfterWelcome(welcome) ?? false;
    if (continues) return;
    paintReporter.reset();
    events?.welcome(welcome.phase, welcome);
  }

  function sendSetup(): void {
    if (setup !== null) socket.send({ type: "setup", at: platform.now(), ...setup });
  }

  function sendAgentSetup(): void {
    if (agentSetup !== null) socket.send({ type: "agent", at: platform.now(), ...agentSetup });
  }

  function onMessage(message: Exclude<ServerMessage, Welcome>): void {
    switch (message.type) {
      case "pong": {
        pinger.onPong(message.id, platform.now(), (message.sent_us - message.received_us) / 1000);
        if (pinger.roundTripMs !== null) events?.latency(pinger.roundTripMs);
        return;
      }
      case "started": {
        onStarted(message);
        return;
      }
      case "paused":
        return events?.paused(message.reason);
      case "ticked":
        if (lockstep === undefined)
          throw new WireError("The server acknowledged steps of another game. Reload the page.");
        {
          lockstep.onTicked(message);
          return;
        }
      case "resumed":
        // In lockstep the page has resumed the game already.
        if (mode() !== streamed) return;
        aligner.reset();
        return events?.resumed();
      case "ended":
        lockstep?.endEpisode();
        paintReporter.flush();
        return events?.ended(message);
      case "caption":
        return events?.caption(message.text);
      case "actor":
        return events?.actor({ actor: message.actor, agent: message.agent });
      case "notice":
        return events?.notice(translateServerText(message.text));
      case "watchable":
        return events?.watchable(message);
    }
  }

  function onStarted(message: Extract<ServerMessage, { type: "started" }>): void {
    const continues = lockstep?.continueAfterStarted(message) ?? false;
    if (continues) return;
    paintReporter.reset();
    aligner.reset();
    events?.steppedBy(mode() === streamed ? "server" : "page");
    events?.started(message.episode);
  }

  return {
    open: (listener) => {
      events = listener;
      socket.open();
    },
    updateSetup: (now) => {
      setup = now;
      lockstep?.setAudioEnabled(now.sound);
      sendSetup();
    },
    setUpAgent: (now) => {
      agentSetup = now;
      sendAgentSetup();
    },
    giveReason: (reason, at) => socket.send({ type: "reason", at, reason }),
    start: (at) =>
      socket.send({ type: "start", at, mode: lockstep?.chooseMode() ?? "streamed", program: null }),
    sendInput: (change, frame) => mode().sendInput(change, frame),
    painted: (frame, at) => {
      paintReporter.onFramePainted(frame, at);
      aligner.onPaint(at);
    },
    pause: (at) => mode().pause(at),
    resume: (at) => mode().resume(at),
    leave: (at) => mode().leave(at),
    reportFocus: (state, at) => socket.send({ type: "focus", state, at }),
    setWatchable: (allowed, at) => socket.send({ type: "watch", at, allowed }),
    reconnectNow: () => socket.reconnectNow(),
    close: () => {
      events = null;
      pinger.stop();
      lockstep?.close();
      paintReporter.reset();
      socket.close();
    },
  };
}
