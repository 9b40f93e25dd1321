"""Passes a request or WebSocket on to a container, and cuts it after the time limit of its revision."""

import select
import socket
import ssl
import time
from email.message import Message

from fake_cloud.front_end import Admission

CHUNK_BYTES = 65_536
OWN_HEADERS = ("host", "x-forwarded-for", "x-forwarded-proto")


def pass_on(
    admission: Admission, method: str, target: str, headers: Message, body: bytes, client: socket.socket
) -> bool:
    """Pass a request on, and all bytes of both directions after it. Return False if nothing was answered in time."""
    is_upgrade = "upgrade" in headers.get("connection", "").lower()
    left_out = OWN_HEADERS if is_upgrade else (*OWN_HEADERS, "connection", "transfer-encoding", "content-length")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {admission.host}"]
    lines += [f"{name}: {value}" for name, value in headers.items() if name.lower() not in left_out]
    lines += [f"X-Forwarded-For: {admission.forwarded_for}", "X-Forwarded-Proto: https"]
    if not is_upgrade:
        lines += ["Connection: close", f"Content-Length: {len(body)}"]
    end = time.monotonic() + admission.timeout_seconds
    with socket.create_connection(("127.0.0.1", admission.port)) as container:
        container.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        return exchange(client, container, end)


def exchange(client: socket.socket, container: socket.socket, end: float) -> bool:
    """Copy bytes in both directions until one side has closed or the time is over. Return whether there was an answer.

    A client or container that breaks off is no fault of the front end.
    """
    other = {client: container, container: client}
    answered = False
    while (remaining := end - time.monotonic()) > 0:
        has_more = isinstance(client, ssl.SSLSocket) and client.pending() > 0
        ready = [client] if has_more else select.select(list(other), [], [], remaining)[0]
        for side in ready:
            try:
                data = side.recv(CHUNK_BYTES)
                other[side].sendall(data)
            except OSError:
                return True
            if not data:
                return True
            answered |= side is container
    return answered
