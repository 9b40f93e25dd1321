import { GameEngine, type Pace, type Phase } from "@/play/engine";
import type { TicketError } from "@/play/remote/reconnecting-socket";
import { createRemoteDriver } from "@/play/remote/remote-driver";
import type { Ended, Hello } from "@/wire/messages";

import { createFakeCanvas } from "./canvas";
import { FakeAudioOutput } from "./audio-output";
import { makePacket } from "./packets";
import { FakePlatform } from "./platform";
import { FakeSockets, type FakeSocket } from "./sockets";

const HELLO: Hello = {
  type: "hello",
  protocol: 1,
  at: 0,
  time_origin: 0,
  browser: "test",
  screen: [1, 1],
  pixel_ratio: 1,
  refresh_hz: 60,
  isolated: true,
};

export const REAL_TIME: Pace = { kind: "real-time", hz: 60 };

export const ENDED: Ended = {
  type: "ended",
  episode: "e1",
  status: "lost",
  reason: "terminated",
  score: 7,
  n_steps: 40,
};

/** Waits until settled promises have run their callbacks. */
export const flushPromises = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Engine with its remote driver on fake clock, animation frames and sockets. */
export class EngineHarness {
  readonly platform = new FakePlatform();
  readonly sockets = new FakeSockets();
  readonly screen = createFakeCanvas();
  readonly output = new FakeAudioOutput();
  readonly engine: GameEngine;
  /** Error of the next ticket request. */
  ticketError: TicketError | null = null;
  #tickets = 0;

  private constructor(pace: Pace) {
    const driver = createRemoteDriver({
      platform: this.platform,
      openSocket: this.sockets.open,
      getAddress: () =>
        this.ticketError === null
          ? Promise.resolve({ url: `ws://arcade/${++this.#tickets}`, ticket: "t" })
          : Promise.reject(this.ticketError),
      getHello: () => Promise.resolve(HELLO),
    });
    this.engine = new GameEngine(this.platform, driver, pace, this.output.open);
  }

  /** Creates an engine that has opened its first socket. */
  static async open(pace: Pace = REAL_TIME): Promise<EngineHarness> {
    const harness = new EngineHarness(pace);
    harness.engine.attach(harness.screen.canvas);
    harness.engine.open();
    await flushPromises();
    return harness;
  }

  get phase(): Phase {
    return this.engine.getSnapshot().phase;
  }

  /** Starts an episode: welcome, start, countdown, started, first picture. */
  startEpisode(): FakeSocket {
    const socket = this.sockets.last;
    socket.welcome();
    this.engine.start();
    this.platform.advance(1800);
    socket.deliver({ type: "started", episode: "e1", server_us: 1, lockstep: null });
    socket.events.binary(makePacket({ frame: 0, lives: 5 }));
    this.platform.runAnimationFrame();
    return socket;
  }
}
