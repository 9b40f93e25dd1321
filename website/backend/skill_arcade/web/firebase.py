"""Verifies ID tokens of Firebase Authentication with Google's library.

Imported only if users sign in with Firebase, because it takes half a second and 20 MB.
"""

import asyncio
import logging
import os
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import firebase_admin
import firebase_admin.exceptions
import google.auth.exceptions
from firebase_admin import auth

from skill_arcade.errors import NotReady, NotSignedIn
from skill_arcade.settings import Settings

# Firebase's names of the sign-in providers. E-mail links belong to its provider "password".
PROVIDERS = {"google.com": "google", "password": "email-link", "anonymous": "anonymous"}
MAX_CLOCK_SKEW_SECONDS = 60
"""Time by which a token may be issued in the future of this server's clock, the most that the library allows."""
CLOCK_WARNING_SECONDS = 2.0
"""Time by which a token must be issued in the future before the log says that this server's clock is behind."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """The account that a token belongs to. `email` is verified, or None for a guest. `issued_at` is Unix time."""

    uid: str
    email: str | None
    claims: frozenset[str]
    issued_at: float


class Firebase:
    """Verifies ID tokens of one Firebase project."""

    def __init__(self, settings: Settings) -> None:
        if settings.firebase_auth_emulator_host is not None:
            # The library reads only environment variables, and not `.env`.
            os.environ.setdefault("FIREBASE_AUTH_EMULATOR_HOST", settings.firebase_auth_emulator_host)
        self._providers = settings.firebase_providers
        project = {"projectId": settings.firebase_project_id}
        # The library has one global registry of apps, so each needs a name of its own.
        self._app = firebase_admin.initialize_app(options=project, name=f"skill-arcade-{uuid4()}")

    def close(self) -> None:
        """Close connections."""
        firebase_admin.delete_app(self._app)

    async def read_account(self, id_token: str) -> Account:
        """Return the account that a token belongs to.

        Raises:
            NotSignedIn: the token is invalid, expired, of another project, or of an account that may not sign in here.
            NotReady: Google's public keys are unavailable.
        """
        claims = await asyncio.to_thread(self._verify, id_token)
        provider = PROVIDERS.get(claims.get("firebase", {}).get("sign_in_provider", ""))
        if provider not in self._providers:
            raise NotSignedIn("This sign-in method is not enabled. Choose another one.")
        email = claims.get("email")
        if email is not None and claims.get("email_verified") is not True:
            raise NotSignedIn("This e-mail address is not verified. Use the sign-in link that was sent to it.")
        return Account(claims["uid"], email, find_claims(claims), float(claims["iat"]))

    async def delete_account(self, uid: str) -> bool:
        """Delete an account with its e-mail address. Return whether it is gone.

        Unlike the page, the server needs no recent sign-in for it, but the permission `firebaseauth.users.delete`.
        """
        try:
            await asyncio.to_thread(auth.delete_user, uid, self._app)
        except auth.UserNotFoundError:
            return True
        except (firebase_admin.exceptions.FirebaseError, google.auth.exceptions.GoogleAuthError) as error:
            log.error("cannot delete the Firebase account of an erased user error=%s", error)
            return False
        return True

    def _verify(self, id_token: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = auth.verify_id_token(
                id_token, self._app, clock_skew_seconds=MAX_CLOCK_SKEW_SECONDS
            )
        except auth.CertificateFetchError as error:
            raise NotReady(f"Cannot fetch Google's public keys: {error}. Try again later.") from error
        except google.auth.exceptions.DefaultCredentialsError as error:
            raise NotReady(f"This server has no credentials for Firebase: {error}") from error
        except (auth.InvalidIdTokenError, ValueError) as error:
            raise NotSignedIn("The ID token is invalid or expired. Sign in again.") from error
        behind = float(claims.get("iat", 0)) - time.time()
        if behind > CLOCK_WARNING_SECONDS:
            log.warning("this server's clock is behind Google's seconds=%.0f: synchronise it (NTP)", behind)
        return claims


def find_claims(claims: dict[str, Any]) -> frozenset[str]:
    """Return the roles in custom claims: `{"role": "researcher"}` or `{"roles": ["researcher", "admin"]}`."""
    role_list = claims.get("roles")
    roles = [claims.get("role"), *(role_list if isinstance(role_list, list) else [])]
    return frozenset(role for role in roles if isinstance(role, str))
