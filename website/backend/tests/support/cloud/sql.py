"""An emulator of a Cloud SQL instance: the Admin API, and TLS 1.3 with client certificates in front of a
real Postgres.
"""

import asyncio
import base64
import json
import random
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.support.cloud.certificates import Authority, as_pem, make_key

PORT = 3307
ACCOUNT = "arcade@project.iam.gserviceaccount.com"


@dataclass
class Instance:
    """Configuration of the instance, and a record of the requests."""

    name: str = "project:europe-west1:main"
    addresses: dict[str, str] = field(default_factory=dict)
    refusal: int | None = None
    certificate_holds: timedelta = timedelta(hours=1)
    authority: Authority = field(default_factory=Authority)
    scopes: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    logins: list[tuple[str, str, bool]] = field(default_factory=list)
    token_gate: threading.Event | None = None
    token_asked: threading.Event = field(default_factory=threading.Event)
    tokens: dict[str, str] = field(default_factory=dict)

    def give_token(self, body: bytes) -> tuple[int, dict[str, Any]]:
        """Answer as Google's token endpoint does to a service account's signed request."""
        if self.token_gate is not None:
            self.token_asked.set()
            self.token_gate.wait(60)
        (assertion,) = parse_qs(body.decode())["assertion"]
        payload = assertion.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        token = f"token-{len(self.scopes)}"
        self.scopes.append(claims["scope"])
        self.tokens[token] = claims["scope"]
        return 200, {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}

    def answer(self, path: str, token: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Answer a call of the Admin API."""
        if path == "/token":
            return self.give_token(body)
        project, region, name = self.name.split(":")
        self.calls.append(path.rpartition("/")[2].rpartition(":")[2])
        if not self.tokens.get(token, "").endswith("/sqlservice.admin"):
            return 401, error_body("Request had invalid authentication credentials.")
        if self.refusal is not None:
            return self.refusal, error_body("The client is not authorized to make this request.")
        base = f"/sql/v1beta4/projects/{project}/instances/{name}"
        if path == f"{base}/connectSettings":
            ip_addresses = [{"type": kind, "ipAddress": address} for kind, address in self.addresses.items()]
            return 200, {
                "region": region,
                "databaseVersion": "POSTGRES_18",
                "ipAddresses": ip_addresses,
                "serverCaCert": {"cert": self.authority.certificate},
            }
        if path == f"{base}:generateEphemeralCert":
            return 200, {"ephemeralCert": {"cert": self.sign(json.loads(body))}}
        return 404, error_body("The Cloud SQL instance does not exist.")

    def sign(self, request: dict[str, str]) -> str:
        key = load_pem_public_key(request["public_key"].encode())
        assert isinstance(key, rsa.RSAPublicKey)
        login = self.tokens.get(request.get("access_token", ""), "").endswith("/sqlservice.login")
        return self.authority.sign("iam" if login else "password", key, self.certificate_holds)


def error_body(message: str) -> dict[str, Any]:
    return {"error": {"message": message}}


class AdminHandler(BaseHTTPRequestHandler):
    """The HTTP side of the Admin API."""

    instance: Instance

    def respond(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        status, value = self.instance.answer(self.path, token, body)
        sent = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    do_GET = do_POST = respond

    def log_message(self, format: str, *args: Any) -> None:
        """Write no log."""


class Proxy:
    """The instance's side of the connector: terminates TLS, and forwards to Postgres' own socket."""

    def __init__(self, instance: Instance, postgres: str, context: ssl.SSLContext) -> None:
        self._instance, self._postgres, self._context = instance, postgres, context
        self._servers: list[asyncio.Server] = []

    async def serve(self) -> str:
        """Listen, and return the address. The connector's port is fixed, so each proxy has its own loopback address."""
        address = f"127.{random.randint(64, 254)}.{random.randint(1, 254)}.{random.randint(1, 254)}"
        self._servers.append(await asyncio.start_server(self._pass, address, PORT, ssl=self._context))
        return address

    async def close(self) -> None:
        """Stop listening, and close all connections."""
        for server in self._servers:
            server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer, local_address = writer.get_extra_info("peercert"), writer.get_extra_info("sockname")[0]
        kind = dict(pair for part in peer["subject"] for pair in part)["commonName"]
        (length,) = struct.unpack("!I", size := await reader.readexactly(4))
        hello = await reader.readexactly(length - 4)
        user = hello[4:].split(b"user\0", 1)[1].split(b"\0", 1)[0].decode()
        self._instance.logins.append((user, local_address, kind == "iam"))
        if user.endswith(".iam") and kind != "iam":
            writer.close()
            return
        upstream = await asyncio.open_unix_connection(self._postgres)
        upstream[1].write(size + hello)
        async with asyncio.TaskGroup() as group:
            group.create_task(copy(reader, upstream[1]))
            group.create_task(copy(upstream[0], writer))


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Forward bytes until the end, then close the other side."""
    with suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with suppress(ConnectionError, ssl.SSLError):
        writer.close()
        await writer.wait_closed()


@contextmanager
def cloud_sql(postgres: str, folder: Path) -> Iterator[tuple[Instance, str]]:
    """Run an instance in front of the Postgres at this socket; yield it and the URL of its API."""
    instance = Instance()
    admin = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (AdminHandler,), {"instance": instance}))
    admin.daemon_threads = True
    loop = asyncio.new_event_loop()
    threads = [threading.Thread(target=admin.serve_forever, args=(0.02,)), threading.Thread(target=loop.run_forever)]
    for thread in threads:
        thread.start()
    proxy = Proxy(instance, postgres, instance.authority.context(folder))
    try:
        for kind in ("PRIMARY", "PRIVATE"):
            instance.addresses[kind] = asyncio.run_coroutine_threadsafe(proxy.serve(), loop).result(10)
        yield instance, f"http://127.0.0.1:{admin.server_port}"
    finally:
        admin.shutdown()
        admin.server_close()
        asyncio.run_coroutine_threadsafe(proxy.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        for thread in threads:
            thread.join()
        loop.close()


def write_account(folder: Path, address: str) -> Path:
    """Write the key file of a service account whose tokens come from this emulator."""
    file = folder / "account.json"
    key_file = {
        "type": "service_account",
        "client_email": ACCOUNT,
        "private_key": as_pem(make_key("account")).decode(),
        "private_key_id": "1",
        "project_id": "project",
        "token_uri": f"{address}/token",
    }
    file.write_text(json.dumps(key_file))
    return file
