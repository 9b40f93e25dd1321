import type { ClientMessage, ServerMessage, Welcome } from "@/wire/messages";
import type { OpenSocket, SocketEvents } from "@/play/remote/socket";

/** Server side of one socket, driven by the test. */
export class FakeSocket {
  readonly sent: ClientMessage[] = [];
  isClosedByPage = false;

  constructor(
    readonly address: string,
    readonly events: SocketEvents,
  ) {}

  /** Returns the messages of one type that the page has sent. */
  sentOfType<T extends ClientMessage["type"]>(type: T): Extract<ClientMessage, { type: T }>[] {
    return this.sent.filter(
      (message): message is Extract<ClientMessage, { type: T }> => message.type === type,
    );
  }

  deliver(message: ServerMessage): void {
    this.events.text(JSON.stringify(message));
  }

  /** Accepts the socket and sends a welcome. */
  welcome(phase: Welcome["phase"] = "ready", changes: Partial<Welcome> = {}): void {
    this.events.opened();
    this.deliver({
      type: "welcome",
      protocol: 1,
      game: "breakout",
      phase,
      width: 2,
      height: 1,
      n_actions: 4,
      episode: phase === "paused" ? "e1" : null,
      ping_ms: 1000,
      lockstep: null,
      sound_hz: 30_720,
      recorded: true,
      watchable: true,
      ghost: null,
      ...changes,
    });
  }
}

/** All sockets that the page has opened, newest last. */
export class FakeSockets {
  readonly all: FakeSocket[] = [];

  open: OpenSocket = (address, events) => {
    const socket = new FakeSocket(address.url, events);
    this.all.push(socket);
    return {
      send: (text) => socket.sent.push(JSON.parse(text) as ClientMessage),
      close: () => {
        socket.isClosedByPage = true;
      },
    };
  };

  get last(): FakeSocket {
    const socket = this.all.at(-1);
    if (socket === undefined) throw new Error("The page has opened no socket.");
    return socket;
  }
}
