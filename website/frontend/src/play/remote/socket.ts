/** The part of a WebSocket that is used. Tests use a fake that they flush by hand. */
export interface Socket {
  send: (text: string) => void;
  close: (code?: number, reason?: string) => void;
}

/** Events of a socket. Nothing follows `closed`. */
export interface SocketEvents {
  opened: () => void;
  text: (text: string) => void;
  binary: (packet: ArrayBuffer) => void;
  closed: (code: number, reason: string) => void;
}

export type OpenSocket = (address: string, events: SocketEvents) => Socket;

/** Opens a WebSocket of the browser. */
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
