/** What the link uses of a WebSocket; tests bring one whose messages they flush by hand. */
export interface Socket {
  send: (text: string) => void;
  close: (code?: number, reason?: string) => void;
}

/** What the link hears of it. After `closed` nothing follows. */
export interface SocketEvents {
  opened: () => void;
  text: (text: string) => void;
  binary: (packet: ArrayBuffer) => void;
  closed: (code: number, reason: string) => void;
}

export type OpenSocket = (address: string, events: SocketEvents) => Socket;

/** The browser's own socket. */
export const openWebSocket: OpenSocket = (address, events) => {
  const socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => events.opened();
  socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
    if (typeof event.data === "string") events.text(event.data);
    else events.binary(event.data);
  };
  socket.onclose = (event) => events.closed(event.code, event.reason);
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: (code, reason) => socket.close(code, reason),
  };
};
