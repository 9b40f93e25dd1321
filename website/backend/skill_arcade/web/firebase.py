"""Accounts of Firebase Authentication: whose a token is, checked by Google's library.

Imported only where one signs in by Firebase: it takes half a second and 20 MB.
"""

import asyncio
import os
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import firebase_admin
import google.auth.exceptions
from firebase_admin import auth

from skill_arcade.errors import NotReady, NotSignedIn
from skill_arcade.settings import Settings

# What Firebase calls the ways to sign in. A link by e-mail is of its provider "password".
PROVIDERS = {"google.com": "google", "password": "email-link", "anonymous": "anonymous"}
# A clock of ours that is a little slow would refuse who has just signed in.
SKEW_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Account:
    """Whose a token is. `email` is verified; None: a guest."""

    uid: str
    email: str | None
    claims: frozenset[str]


class Firebase:
    """Reads tokens of one Firebase project."""

    def __init__(self, settings: Settings) -> None:
        if settings.firebase_auth_emulator_host is not None:
            # Where the library looks for it: what came from .env is not there.
            os.environ.setdefault("FIREBASE_AUTH_EMULATOR_HOST", settings.firebase_auth_emulator_host)
        self._offered = settings.firebase_providers
        project = {"projectId": settings.firebase_project_id}
        # Named, since the library keeps all of them in one table of the process.
        self._app = firebase_admin.initialize_app(options=project, name=f"skill-arcade-{uuid4()}")

    def close(self) -> None:
        """Let go of connections."""
        firebase_admin.delete_app(self._app)

    async def read_account(self, id_token: str) -> Account:
        """Say whose a token is.

        Raises:
            NotSignedIn: it is wrong, of another project, past its end, or of an account that may not sign in here.
            NotReady: Google's keys can't be fetched.
        """
        claims = await asyncio.to_thread(self._verify, id_token)
        way = PROVIDERS.get(claims.get("firebase", {}).get("sign_in_provider", ""))
        if way not in self._offered:
            raise NotSignedIn("This arcade takes no accounts of this kind; sign in another way.")
        email = claims.get("email")
        if email is not None and claims.get("email_verified") is not True:
            raise NotSignedIn("This e-mail address is not confirmed yet: sign in by the link that is mailed to it.")
        return Account(claims["uid"], email, find_claims(claims))

    def _verify(self, id_token: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = auth.verify_id_token(id_token, self._app, clock_skew_seconds=SKEW_SECONDS)
        except auth.CertificateFetchError as error:
            raise NotReady(f"Google's keys can't be fetched: {error}") from error
        except google.auth.exceptions.DefaultCredentialsError as error:
            raise NotReady(f"There are no credentials for Firebase here: {error}") from error
        except (auth.InvalidIdTokenError, ValueError) as error:
            raise NotSignedIn("This sign-in is wrong or too old; sign in again.") from error
        return claims


def find_claims(claims: dict[str, Any]) -> frozenset[str]:
    """The roles among custom claims: `{"role": "researcher"}` or `{"roles": ["researcher", "admin"]}`."""
    several = claims.get("roles")
    found = [claims.get("role"), *(several if isinstance(several, list) else [])]
    return frozenset(role for role in found if isinstance(role, str))
