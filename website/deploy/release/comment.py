"""`website/deploy/comment`: the one comment on a pull request that says where its preview is, or that it is gone."""

import argparse
import re

from release.github import call_github, list_all
from release.trouble import Trouble, run_main

MARK = "<!-- skill-arcade preview -->"
AUTHOR = "github-actions[bot]"
ADDRESS = re.compile(r"https?://[A-Za-z0-9.:/_-]+")


def main(arguments: list[str]) -> None:
    """Write the comment, or change the one that is there."""
    parser = argparse.ArgumentParser(prog="website/deploy/comment", description="Says where a preview is.")
    parser.add_argument("repository", help="OWNER/NAME")
    parser.add_argument("number", type=int, help="of the pull request")
    parser.add_argument("--page", default="", help="address of the page; none: the preview is gone")
    parser.add_argument("--api", default="", help="address of the back end")
    parser.add_argument("--commit", default="", help="what was deployed")
    options = parser.parse_args(arguments)
    text = say_links(options.page, options.api, options.commit) if options.page else "The preview is gone."
    write_comment(options.repository, options.number, text)


def say_links(page: str, api: str, commit: str) -> str:
    """The comment's text."""
    for address in (page, api):
        if not ADDRESS.fullmatch(address):
            raise Trouble(f"this is no address to show: {address!r}")
    return (
        f"Preview of {commit[:12]}: **{page}** (API: {api})\n\n"
        "Sign in with any e-mail address. Its database holds made-up data only; all of it goes when this is closed."
    )


def write_comment(repository: str, number: int, text: str) -> None:
    """Write it, in the place of the one before. Anybody can write a comment with the mark: only our own counts."""
    body = {"body": f"{MARK}\n{text}"}
    comments = list_all(f"repos/{repository}/issues/{number}/comments")
    ours = [comment for comment in comments if comment["user"]["login"] == AUTHOR and comment["body"].startswith(MARK)]
    if ours:
        call_github(f"repos/{repository}/issues/comments/{ours[0]['id']}", method="PATCH", body=body)
    else:
        call_github(f"repos/{repository}/issues/{number}/comments", method="POST", body=body)


if __name__ == "__main__":
    run_main(main)
