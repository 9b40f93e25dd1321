"""The one comment on a pull request that says where its preview is: `… -m release.comment OWNER/NAME NUMBER TEXT`."""

from release.github import call_github, list_all
from release.trouble import run_main

MARK = "<!-- skill-arcade preview -->"
AUTHOR = "github-actions[bot]"


def main(arguments: list[str]) -> None:
    """Write the comment, or change the one that is there."""
    repository, number, text = arguments
    body = {"body": f"{MARK}\n{text}"}
    comments = list_all(f"repos/{repository}/issues/{int(number)}/comments")
    # Only our own: anybody may write a comment with the mark in it.
    ours = [comment for comment in comments if comment["user"]["login"] == AUTHOR and comment["body"].startswith(MARK)]
    if ours:
        call_github(f"repos/{repository}/issues/comments/{ours[0]['id']}", method="PATCH", body=body)
    else:
        call_github(f"repos/{repository}/issues/{int(number)}/comments", method="POST", body=body)


if __name__ == "__main__":
    run_main(main)
