"""Ends connections of clients that do not read."""

import asyncio
import os
import socket
import struct

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""Value of SO_LINGER: close with a TCP reset and drop unsent data."""


def reset(transport: asyncio.Transport) -> None:
    """Reset a connection.

    After a plain close the system would keep retransmitting to a client that does not read.
    """
    if not transport.is_closing():  # otherwise its descriptor may belong to another socket already
        file = os.dup(transport.get_extra_info("socket").fileno())
        with socket.socket(fileno=file) as duplicate:
            duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    transport.abort()
