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

/** Address of a play socket, and the ticket that opens it once. */
export interface SocketAddress {
  url: string;
  ticket: string;
}

export type OpenSocket = (address: SocketAddress, events: SocketEvents) => Socket;

const SUBPROTOCOL = "skill-arcade";

/**
 * Opens a WebSocket of the browser. The ticket is offered as a subprotocol, because proxies and Google's
 * front end log addresses (rule O16).
 */
export const openWebSocket: OpenSocket = ({ url, ticket }, events) =>
  openWithProtocol(url, `ticket.${ticket}`, events);

/** Opens a socket to watch a game; the ticket is the token of the link (rule O18). */
export const openWatchSocket: OpenSocket = ({ url, ticket }, events) =>
  openWithProtocol(url, `watch.${ticket}`, events);

function openWithProtocol(url: string, protocol: string, events: SocketEvents): Socket {
  const socket = new WebSocket(url, [SUBPROTOCOL, protocol]);
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
}
