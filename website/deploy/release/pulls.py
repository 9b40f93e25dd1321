"""`python3 -m release.pulls OWNER/NAME`: the numbers of the open pull requests, one a line."""

from release.github import list_all
from release.trouble import Trouble, run_main


def main(arguments: list[str]) -> None:
    """Print them. What is not surely open or not open is Trouble."""
    (repository,) = arguments
    for pull in list_all(f"repos/{repository}/pulls", "state=open"):
        if pull["state"] != "open":
            raise Trouble(f"GitHub lists #{pull['number']} as open and says it is {pull['state']}")
        print(pull["number"])


if __name__ == "__main__":
    run_main(main)
