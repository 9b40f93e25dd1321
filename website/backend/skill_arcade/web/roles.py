"""What somebody may do here beyond playing: by custom claims of their account, or by settings."""

from collections.abc import Iterable

from skill_arcade.settings import Settings

ROLES = ("researcher", "admin")


def find_roles(settings: Settings, email: str | None, claims: Iterable[str] = ()) -> tuple[str, ...]:
    """The roles of a person, in the order of ROLES. An admin is a researcher too.

    Settings name people by e-mail, which must be known to be theirs: signing in by e-mail alone proves nothing, so
    there they count on a laptop only.
    """
    found = set(claims)
    proved = settings.sign_in_method == "firebase" or settings.skill_arcade_environment == "local"
    if email is not None and proved:
        found |= {"researcher"} if email in lowered(settings.researcher_emails) else set()
        found |= {"admin"} if email in lowered(settings.admin_emails) else set()
    if "admin" in found:
        found.add("researcher")
    return tuple(role for role in ROLES if role in found)


def lowered(emails: Iterable[str]) -> set[str]:
    """E-mails as they are kept."""
    return {email.lower() for email in emails}
