// A network between page and server: it delays, now and then loses a segment (which TCP sends again, late), and can be cut.
import { once } from "node:events";
import { createServer, connect, type Socket } from "node:net";

export interface Network {
  url: string;
  /** Round trip from now on, milliseconds. */
  delay(ms: number): void;
  /** Break every connection, and refuse new ones for this long. */
  cut(ms: number): void;
  close(): void;
}

/** What TCP waits at least before it sends a lost segment again (Linux). */
const RESEND_MS = 200;

/** Opens a way to the server at `url` with a round trip of `roundTrip` ms; of each way's segments, `loss` get lost. */
export async function openNetwork(url: string, roundTrip: number, loss = 0): Promise<Network> {
  const target = new URL(url);
  const open = new Set<Socket>();
  let [delay, cutUntil] = [roundTrip, 0];

  const pass = (from: Socket, to: Socket): void => {
    // What comes after a lost segment waits for it, and a timer may be early by a part of a millisecond:
    // each timer lets through the oldest that waits, so that the order stays.
    const waiting: (() => void)[] = [];
    let last = 0;
    const later = (run: () => void, lost = 0): void => {
      last = Math.max(last, performance.now() + delay / 2 + lost);
      waiting.push(run);
      setTimeout(() => waiting.shift()?.(), last - performance.now());
    };
    from.on("data", (data) => {
      later(() => to.write(data), Math.random() < loss ? RESEND_MS + delay : 0);
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
    pass(near, far);
    pass(far, near);
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
    delay: (ms) => {
      delay = ms;
    },
    cut,
    close: () => {
      cut(Infinity);
      server.close();
    },
  };
}
