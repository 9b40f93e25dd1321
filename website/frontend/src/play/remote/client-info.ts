import type { Hello } from "@/wire/messages";

import type { Platform } from "../platform";

/** Describes browser and screen for the `hello` message. */
export function describeBrowser(platform: Platform, refreshHz: number | null): Hello {
  return {
    type: "hello",
    protocol: 1,
    at: platform.now(),
    time_origin: performance.timeOrigin,
    browser: navigator.userAgent.slice(0, 400),
    screen: [screen.width, screen.height],
    pixel_ratio: devicePixelRatio,
    refresh_hz: refreshHz,
    isolated: crossOriginIsolated,
  };
}
