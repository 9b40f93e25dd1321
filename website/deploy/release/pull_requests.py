"""The open pull requests of the repository."""

from release.errors import UserFacingError
from release.github import list_all


def list_open(repository: str) -> list[int]:
    """Return the numbers of the open pull requests. Raises `UserFacingError` if one is not clearly open."""
    pulls = list_all(f"repos/{repository}/pulls", "state=open")
    for pull in pulls:
        if pull["state"] != "open":
            raise UserFacingError(f"GitHub lists #{pull['number']} as open, but its state is {pull['state']}")
    return [int(pull["number"]) for pull in pulls]
