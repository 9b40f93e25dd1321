"""`website/deploy/comment`: writes the comment on a pull request that shows the addresses of its preview."""

import argparse
import re

from release.errors import UserFacingError, run_main
from release.github import call_github, list_all

COMMENT_MARKER = "<!-- skill-arcade preview -->"
AUTHOR = "github-actions[bot]"
URL_PATTERN = re.compile(r"https?://[A-Za-z0-9.:/_-]+")


def main(arguments: list[str]) -> None:
    """Create or update the comment."""
    parser = argparse.ArgumentParser(
        prog="website/deploy/comment",
        description="Writes the addresses of a preview, or that it was removed, in a comment on its pull request.",
    )
    parser.add_argument("repository", help="OWNER/NAME")
    parser.add_argument("number", type=int, help="number of the pull request")
    parser.add_argument(
        "--page", default="", help="address of the page; without it, the comment says that the preview was removed"
    )
    parser.add_argument("--api", default="", help="address of the back end")
    parser.add_argument("--commit", default="", help="commit that was deployed")
    options = parser.parse_args(arguments)
    text = format_links(options.page, options.api, options.commit) if options.page else "The preview was removed."
    write_comment(options.repository, options.number, text)


def format_links(page: str, api: str, commit: str) -> str:
    """Return the text of the comment. Raises `UserFacingError` if an address contains other characters than a URL."""
    for address in (page, api):
        if not URL_PATTERN.fullmatch(address):
            raise UserFacingError(f"cannot show the address {address!r}: it is not a URL")
    return (
        f"Preview of {commit[:12]}: **{page}** (API: {api})\n\n"
        "Sign in with any e-mail address. The preview has its own database with test data. "
        "It is removed when this pull request is closed."
    )


def write_comment(repository: str, number: int, text: str) -> None:
    """Create the comment or update the existing one. Only a comment of the workflow's own author is updated."""
    body = {"body": f"{COMMENT_MARKER}\n{text}"}
    comments = list_all(f"repos/{repository}/issues/{number}/comments")
    own = [
        comment
        for comment in comments
        if comment["user"]["login"] == AUTHOR and comment["body"].startswith(COMMENT_MARKER)
    ]
    if own:
        call_github(f"repos/{repository}/issues/comments/{own[0]['id']}", method="PATCH", body=body)
    else:
        call_github(f"repos/{repository}/issues/{number}/comments", method="POST", body=body)


if __name__ == "__main__":
    run_main(main)
