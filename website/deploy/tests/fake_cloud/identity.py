"""Firebase Authentication, as its emulator: anonymous accounts, whose tokens nobody signs."""

import base64
import json
import time
from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import Request, Routes

ROUTES = Routes("identitytoolkit.googleapis.com")
"""The emulator has the host name of the real API in its path."""


@ROUTES.on("POST", "/v1/accounts:signUp")
def sign_up(cloud: FakeCloud, request: Request) -> Any:
    uid = f"uid-{len(cloud.resources['firebase accounts']) + 1}"
    cloud.add("firebase accounts", uid, {"localId": uid})
    return {"localId": uid, "idToken": make_token(cloud, uid), "refreshToken": uid, "expiresIn": "3600"}


@ROUTES.on("POST", "/v1/accounts:delete")
def delete_account(cloud: FakeCloud, request: Request) -> Any:
    payload = request.body["idToken"].split(".")[1]
    cloud.remove("firebase accounts", json.loads(base64.urlsafe_b64decode(payload + "=="))["sub"])
    return {}


def make_token(cloud: FakeCloud, uid: str) -> str:
    """Return the ID token of an anonymous account of the only project with Firebase."""
    (project,) = cloud.resources["firebase"]
    now = int(time.time())
    claims = {
        "iss": f"https://securetoken.google.com/{project}",
        "aud": project,
        "sub": uid,
        "auth_time": now,
        "iat": now,
        "exp": now + 3600,
        "provider_id": "anonymous",
        "firebase": {"identities": {}, "sign_in_provider": "anonymous"},
    }
    return ".".join(encode(part) for part in ({"alg": "none", "typ": "JWT"}, claims)) + "."


def encode(part: dict[str, Any]) -> str:
    """Encode a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
