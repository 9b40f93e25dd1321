"""Signs in for the smoke test with the method that the server names: e-mail, or a temporary Firebase account."""

import secrets
from dataclasses import dataclass
from typing import Any

from release.errors import UserFacingError
from release.http import request_json

# Marks the account as a program's, whose episodes no view, export or question counts.
SYNTHETIC = {"x-skill-arcade-synthetic": "true"}
IDENTITY = "https://identitytoolkit.googleapis.com"


@dataclass(frozen=True)
class TestAccount:
    """A signed-in player. `remove` deletes its Firebase account, if one was created."""

    token: str
    identity: str = IDENTITY
    api_key: str | None = None
    id_token: str | None = None

    def remove(self) -> None:
        """Delete the Firebase account."""
        if self.api_key and self.id_token:
            call_identity(self.identity, "accounts:delete", self.api_key, {"idToken": self.id_token})


def log_in(url: str) -> TestAccount:
    """Sign in with the method that the server names."""
    method = request_json(f"{url}/auth/login")
    if method["method"] == "email":
        body = {"email": f"smoke-{secrets.token_hex(4)}@example.com"}
        return TestAccount(request_json(f"{url}/auth/login", body=body, headers=SYNTHETIC)["token"])
    if method["method"] == "firebase":
        return log_in_anonymously(url, method)
    raise UserFacingError(f"cannot sign in: the smoke test does not support the method {method['method']!r}")


def log_in_anonymously(url: str, method: dict[str, Any]) -> TestAccount:
    """Create an anonymous Firebase account and exchange its token for a token of the server."""
    api_key = method["api_key"]
    identity = f"{method['emulator']}/identitytoolkit.googleapis.com" if method.get("emulator") else IDENTITY
    created = call_identity(identity, "accounts:signUp", api_key, {"returnSecureToken": True})
    account = TestAccount("", identity, api_key, created["idToken"])
    try:
        token = request_json(f"{url}/auth/login", body={"id_token": created["idToken"]}, headers=SYNTHETIC)["token"]
    except UserFacingError:
        account.remove()
        raise
    return TestAccount(token, identity, api_key, created["idToken"])


def call_identity(identity: str, name: str, api_key: str, body: dict[str, Any]) -> Any:
    """Call the API of Firebase Authentication, like the page does."""
    return request_json(f"{identity}/v1/{name}?key={api_key}", body=body)
