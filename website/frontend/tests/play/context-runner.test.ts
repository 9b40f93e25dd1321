// The fake context follows Web Audio 1.1 with the state "interrupted" (WebAudio/web-audio-api#2392,
// pull request 2611): after an interruption the state is "running" or "suspended" again, and
// `resume` rejects meanwhile. WebKit differs: the state can stay "interrupted" until `resume` is
// called in a gesture (Tonejs/Tone.js#767, phaserjs/phaser-ce#667), and a `resume` outside a gesture
// during the interruption can leave a context that runs without sound
// (GetStream/stream-video-js#2249).
import { beforeEach, describe, expect, test } from "vitest";

import { ContextRunner, type RunnableContext } from "@/play/sound/context-runner";

class FakeContext extends EventTarget implements RunnableContext {
  state: RunnableContext["state"] = "suspended";
  resumeCount = 0;
  /** Whether `resume` succeeds. */
  canResume = true;

  resume = (): Promise<void> => {
    this.resumeCount++;
    if (!this.canResume) return Promise.reject(new DOMException("busy", "InvalidStateError"));
    this.enter("running");
    return Promise.resolve();
  };

  suspend = (): Promise<void> => {
    this.enter("suspended");
    return Promise.resolve();
  };

  /** Changes the state as the browser does. */
  enter(state: RunnableContext["state"]): void {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("statechange"));
  }
}

let context: FakeContext;
let page: EventTarget;
let runner: ContextRunner;

beforeEach(() => {
  context = new FakeContext();
  page = new EventTarget();
  runner = new ContextRunner(context, page);
});

describe("audio context", () => {
  test("that is interrupted is resumed when the interruption ends suspended", () => {
    runner.run();
    context.canResume = false;
    context.enter("interrupted");
    expect(context.resumeCount).toBe(1);
    context.canResume = true;
    context.enter("suspended");
    expect([context.state, context.resumeCount]).toEqual(["running", 2]);
  });

  test("that continues by itself after an interruption is not resumed again", () => {
    runner.run();
    context.enter("interrupted");
    context.enter("running");
    expect(context.resumeCount).toBe(1);
  });

  test.each(["pointerdown", "pointerup", "touchend", "keydown"])(
    "that stays interrupted is resumed by %s",
    (gesture) => {
      runner.run();
      context.enter("interrupted");
      page.dispatchEvent(new Event(gesture));
      expect(context.state).toBe("running");
    },
  );

  test("that cannot start before a gesture is resumed by the gesture", () => {
    context.canResume = false;
    runner.run();
    expect(context.state).toBe("suspended");
    context.canResume = true;
    page.dispatchEvent(new Event("keydown"));
    expect(context.state).toBe("running");
  });

  test("whose device fails again and again is resumed a limited number of times", () => {
    runner.run();
    for (let failure = 0; failure < 50; failure++) context.enter("suspended");
    expect(context.resumeCount).toBe(6);
    page.dispatchEvent(new Event("pointerup"));
    expect(context.state).toBe("running");
  });

  test("that the game suspends stays suspended", () => {
    runner.run();
    runner.suspend();
    page.dispatchEvent(new Event("keydown"));
    expect([context.state, context.resumeCount]).toEqual(["suspended", 1]);
  });

  test("that is closed is no longer resumed", () => {
    runner.run();
    runner.close();
    context.enter("suspended");
    page.dispatchEvent(new Event("keydown"));
    expect(context.resumeCount).toBe(1);
  });
});
