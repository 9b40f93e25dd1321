"""`python3 -m release.pull_requests OWNER/NAME` prints the numbers of the open pull requests, one per line."""

from release.errors import UserFacingError, run_main
from release.github import list_all


def main(arguments: list[str]) -> None:
    """Print the numbers. Raises `UserFacingError` if a pull request is not clearly open."""
    (repository,) = arguments
    for pull in list_all(f"repos/{repository}/pulls", "state=open"):
        if pull["state"] != "open":
            raise UserFacingError(f"GitHub lists #{pull['number']} as open, but its state is {pull['state']}")
        print(pull["number"])


if __name__ == "__main__":
    run_main(main)
