"""An issuer of Firebase ID tokens, the URL at which Google publishes its public keys, and the deletion of accounts."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from google.auth import crypt, jwt

from tests.support.cloud.certificates import Authority, as_pem, make_key

PROJECT = "arcade-test"


class Issuer:
    """Signs ID tokens, with a published key or with another one."""

    def __init__(self) -> None:
        self.published_keys = {
            "1": Authority().sign("securetoken", make_key("firebase").public_key(), timedelta(hours=1))
        }
        self.up = True
        self.may_delete = True
        """Whether the server's account has the permission `firebaseauth.users.delete`."""
        self.deleted: list[str] = []

    def token(self, *, key: str = "firebase", without: str = "", **changes: Any) -> str:
        """Return an ID token of a Google account with changed claims, and without the claim `without`."""
        now = int(time.time())
        claims = {
            "iss": f"https://securetoken.google.com/{PROJECT}",
            "aud": PROJECT,
            "auth_time": now,
            "sub": "uid-of-ada",
            "iat": now,
            "exp": now + 3600,
            "email": "Ada@Example.org",
            "email_verified": True,
            "firebase": {"identities": {}, "sign_in_provider": "google.com"},
            **changes,
        }
        claims.pop(without, None)
        signer = crypt.RSASigner.from_string(as_pem(make_key(key)), "1")
        return bytes(jwt.encode(signer, claims)).decode()

    def guest(self, uid: str = "uid-of-guest") -> str:
        """Return an ID token of an anonymous account."""
        provider = {"identities": {}, "sign_in_provider": "anonymous"}
        return self.token(sub=uid, firebase=provider, email=None, email_verified=None, provider_id="anonymous")


@contextmanager
def issuer() -> Iterator[tuple[Issuer, str]]:
    """Run an issuer; yield it and the URL of its keys."""
    token_issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.respond(200 if token_issuer.up else 503, token_issuer.published_keys)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path == "/token":
                self.respond(200, {"access_token": "server", "expires_in": 3600, "token_type": "Bearer"})
                return
            assert self.path == f"/v1/projects/{PROJECT}/accounts:delete"
            assert self.headers["authorization"] == "Bearer server"
            if not token_issuer.may_delete:
                self.respond(403, {"error": {"code": 403, "message": "INSUFFICIENT_PERMISSION", "errors": []}})
                return
            token_issuer.deleted.append(json.loads(body)["localId"])
            self.respond(200, {"kind": "identitytoolkit#DeleteAccountResponse"})

        def respond(self, status: int, value: Any) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield token_issuer, f"http://127.0.0.1:{server.server_port}/keys"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
