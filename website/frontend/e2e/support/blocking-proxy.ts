// Reverse proxy that forwards HTTP but not WebSockets.
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { Socket } from "node:net";

export interface BlockingProxy {
  url: string;
  /**
   * How WebSocket handshakes are treated. refuse: they are forwarded without `Upgrade`, as by a
   * proxy that is not configured for it. hang: they get no response, as with some web filters.
   */
  websockets: "refuse" | "hang" | "forward";
  close(): void;
}

/** Starts a proxy in front of the server at `url`. */
export async function startBlockingProxy(url: string): Promise<BlockingProxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const server = createServer((incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const forwarded = request(target, { method, path, headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    });
    forwarded.on("error", () => outgoing.writeHead(502).end());
    incoming.pipe(forwarded);
  });
  server.on("upgrade", (incoming, near: Socket) => {
    near.on("error", () => near.destroy());
    if (proxy.websockets === "hang") return;
    const { url: path, headers } = incoming;
    if (proxy.websockets === "refuse") {
      const plain = { ...headers, connection: "close" };
      delete plain.upgrade;
      const forwarded = request(target, { path, headers: plain }, (response) => {
        near.end(
          `HTTP/1.1 ${String(response.statusCode)} ${String(response.statusMessage)}\r\n\r\n`,
        );
        response.resume();
      });
      forwarded.on("error", () => near.destroy());
      forwarded.end();
      return;
    }
    const forwarded = request(target, { path, headers });
    forwarded.on("error", () => near.destroy());
    forwarded.on("upgrade", (response, far) => {
      const lines = Object.entries(response.headers).map(
        ([name, value]) => `${name}: ${String(value)}`,
      );
      near.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`);
      far.on("error", () => near.destroy());
      near.on("close", () => far.destroy());
      far.pipe(near).pipe(far);
    });
    forwarded.end();
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The proxy has no port.");
  const proxy: BlockingProxy = {
    url: `http://localhost:${String(address.port)}`,
    websockets: "forward",
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
  return proxy;
}
