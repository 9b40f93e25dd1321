// Network between page and server with delay, jitter, lost segments and cuts. TCP retransmits lost
// segments, so they arrive late.
import { once } from "node:events";
import { createServer, connect, type Socket } from "node:net";

export interface Network {
  url: string;
  /** Sets the round trip in ms. Each direction takes up to half of `jitter` longer, at random. */
  delay(ms: number, jitter?: number): void;
  /** Bytes transferred so far from the page and to the page. */
  readonly bytes: { up: number; down: number };
  /** Closes all connections and refuses new ones for this time. */
  cut(ms: number): void;
  close(): void;
}

/** Minimum retransmission timeout of TCP on Linux. */
const RETRANSMIT_MS = 200;

/**
 * Opens a network to the server at `url` with a round trip of `roundTrip` ms. `loss` is the share of
 * segments that are lost in each direction.
 */
export async function openNetwork(url: string, roundTrip: number, loss = 0): Promise<Network> {
  const target = new URL(url);
  const open = new Set<Socket>();
  let [delay, jitter, cutUntil] = [roundTrip, 0, 0];
  const bytes = { up: 0, down: 0 };

  const relay = (from: Socket, to: Socket, way: "up" | "down"): void => {
    // Data after a lost segment waits for it. Timers may fire early by a part of a millisecond, so each
    // timer releases the oldest segment, which keeps the order.
    const waiting: (() => void)[] = [];
    let last = 0;
    const later = (run: () => void, lost = 0): void => {
      const takes = (delay + Math.random() * jitter) / 2;
      last = Math.max(last, performance.now() + takes + lost);
      waiting.push(run);
      setTimeout(() => waiting.shift()?.(), last - performance.now());
    };
    from.on("data", (data) => {
      bytes[way] += data.length;
      later(() => to.write(data), Math.random() < loss ? RETRANSMIT_MS + delay : 0);
    });
    from.on("close", () => {
      open.delete(from);
      later(() => to.destroy());
    });
    from.on("error", () => from.destroy());
  };

  const server = createServer((near) => {
    if (performance.now() < cutUntil) {
      near.destroy();
      return;
    }
    const far = connect(Number(target.port), "127.0.0.1");
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      open.add(socket);
    }
    relay(near, far, "up");
    relay(far, near, "down");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");

  const cut = (ms: number): void => {
    cutUntil = performance.now() + ms;
    for (const socket of open) socket.destroy();
  };
  return {
    url: `http://localhost:${String(address.port)}`,
    bytes,
    delay: (ms, more = 0) => {
      [delay, jitter] = [ms, more];
    },
    cut,
    close: () => {
      cut(Infinity);
      server.close();
    },
  };
}
