"""Roles of users beyond playing, from custom claims of their account and from settings."""

from collections.abc import Iterable

from skill_arcade.settings import Settings

ROLES = ("researcher", "admin")


def find_roles(settings: Settings, email: str | None, claims: Iterable[str] = ()) -> tuple[str, ...]:
    """Return a user's roles in the order of ROLES. An admin is also a researcher.

    Settings name users by verified e-mail address. Signing in by e-mail alone verifies nothing, so with it the settings
    apply in the local environment only.
    """
    roles = set(claims)
    is_verified = settings.sign_in_method == "firebase" or settings.skill_arcade_environment == "local"
    if email is not None and is_verified:
        roles |= {"researcher"} if email in lowered(settings.researcher_emails) else set()
        roles |= {"admin"} if email in lowered(settings.admin_emails) else set()
    if "admin" in roles:
        roles.add("researcher")
    return tuple(role for role in ROLES if role in roles)


def lowered(emails: Iterable[str]) -> set[str]:
    """Return e-mail addresses in the spelling in which they are stored."""
    return {email.lower() for email in emails}
