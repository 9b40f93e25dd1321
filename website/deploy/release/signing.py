"""Signs the smoke test in, by whichever way the server names: e-mail, or a Firebase account for a minute."""

import secrets
from dataclasses import dataclass
from typing import Any

from release.http import ask_json
from release.trouble import Trouble

IDENTITY = "https://identitytoolkit.googleapis.com"


@dataclass(frozen=True)
class Account:
    """A signed-in player. `remove` deletes the Firebase account that was made for it, if one was."""

    token: str
    identity: str = IDENTITY
    api_key: str | None = None
    id_token: str | None = None

    def remove(self) -> None:
        """Leave no account behind."""
        if self.api_key and self.id_token:
            call_identity(self.identity, "accounts:delete", self.api_key, {"idToken": self.id_token})


def sign_in(url: str) -> Account:
    """Ask how one signs in here, and do it."""
    method = ask_json(f"{url}/auth/login")
    if method["method"] == "email":
        body = {"email": f"smoke-{secrets.token_hex(4)}@example.com"}
        return Account(ask_json(f"{url}/auth/login", body=body)["token"])
    if method["method"] == "firebase":
        return sign_in_anonymously(url, method)
    raise Trouble(f"the server wants to be signed in to by {method['method']!r}, which this test does not know")


def sign_in_anonymously(url: str, method: dict[str, Any]) -> Account:
    """Make an anonymous Firebase account and exchange its token for the server's."""
    api_key = method["api_key"]
    identity = f"{method['emulator']}/identitytoolkit.googleapis.com" if method.get("emulator") else IDENTITY
    made = call_identity(identity, "accounts:signUp", api_key, {"returnSecureToken": True})
    account = Account("", identity, api_key, made["idToken"])
    try:
        token = ask_json(f"{url}/auth/login", body={"id_token": made["idToken"]})["token"]
    except Trouble:
        account.remove()
        raise
    return Account(token, identity, api_key, made["idToken"])


def call_identity(identity: str, name: str, api_key: str, body: dict[str, Any]) -> Any:
    """One call of Firebase Authentication's API, as the page makes it."""
    return ask_json(f"{identity}/v1/{name}?key={api_key}", body=body)
