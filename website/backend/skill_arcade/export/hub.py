"""Publishes an export on the Hugging Face Hub, with the library of the Hub."""

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skill_arcade.errors import InvalidRequest, NotReady, SettingsError
from skill_arcade.export.run import describe_file
from skill_arcade.storage.database.consents import PUBLICATION

CARD_NAME = "README.md"
UNFILLED = "Not stated yet."
"""Text of a card whose last section nobody has filled in."""
LEROBOT_TAG = "v3.0"
"""LeRobot loads a dataset from the tag with the version of its format."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A folder and the repository that it becomes."""

    folder: Path
    repository: str


def publish_export(folder: Path, repository: str, *, private: bool = True) -> list[str]:
    """Upload an export to `repository` (`owner/name`), one commit, and return the address of each repository.

    Files of an earlier upload that this export does not have are deleted; the history of the repository keeps them.
    An export for LeRobot becomes one repository per game, because LeRobot expects one dataset in a repository:
    `owner/name-game` if it has several games.

    Raises:
        InvalidRequest: the folder is no complete export, its card is not filled in, or the Hub refuses the upload.
        SettingsError: the library or a token is missing.
        NotReady: the Hub does not answer.
    """
    manifest = check_export(folder)
    if importlib.util.find_spec("huggingface_hub") is None:
        raise SettingsError("Publishing needs the package huggingface_hub: run `uv sync --group export`.")
    import httpx2  # noqa: PLC0415 - the Hub's library comes with it
    from huggingface_hub import HfApi, errors, get_token  # noqa: PLC0415 - optional

    if get_token() is None:
        raise SettingsError(
            "There is no token of the Hugging Face Hub. Run `hf auth login`, or set HF_TOKEN to a token that may write."
        )
    try:
        return [
            _upload(HfApi(), upload, folder / CARD_NAME, manifest, private=private)
            for upload in list_uploads(folder, repository, manifest)
        ]
    except errors.HFValidationError as error:
        raise InvalidRequest(f"{repository!r} is no name of a repository: {error}") from None
    except errors.HfHubHTTPError as error:
        raise _translate(error, repository) from error
    except (httpx2.HTTPError, ConnectionError) as error:
        raise NotReady(f"The Hugging Face Hub does not answer: {error}. Run the command again.") from error


def check_export(folder: Path) -> dict[str, Any]:
    """Return the manifest of a complete, unchanged export whose card is filled in.

    Raises:
        InvalidRequest: it is incomplete, a file was changed, or the card is not filled in. The card may be changed.
    """
    path = folder / "manifest.json"
    if not path.is_file():
        raise InvalidRequest(
            f"{folder} is no complete export: it has no manifest.json. Run `skill-arcade export` first."
        )
    manifest: dict[str, Any] = json.loads(path.read_text())
    for name, described in manifest["files"].items():
        file = folder / name
        if not file.is_file():
            raise InvalidRequest(f"{file} is missing, although the manifest lists it. Export again.")
        if name != CARD_NAME and describe_file(file) != described:
            raise InvalidRequest(f"{file} was changed after the export. Export again to a new folder.")
    if (scope := manifest.get("consent", {}).get("scope")) != PUBLICATION:
        raise InvalidRequest(
            f"{folder} was exported for {scope or 'no scope'}, and publication needs another consent. Export "
            f"again with `--scope {PUBLICATION}`, which takes only episodes whose players allow it."
        )
    if UNFILLED in (folder / CARD_NAME).read_text():
        raise InvalidRequest(
            f"The last section of {folder / CARD_NAME} is not filled in: write the licence, a contact, and what the "
            "players consented to. Then publish again."
        )
    return manifest


def list_uploads(folder: Path, repository: str, manifest: dict[str, Any]) -> list[Upload]:
    """Return the folders to upload with their repositories."""
    if manifest["format"] != "lerobot":
        return [Upload(folder, repository)]
    groups = manifest["groups"]
    return [Upload(folder / name, repository if len(groups) == 1 else f"{repository}-{name}") for name in groups]


def _upload(api: Any, upload: Upload, card: Path, manifest: dict[str, Any], *, private: bool) -> str:
    api.create_repo(upload.repository, repo_type="dataset", private=private, exist_ok=True)
    commit = api.upload_folder(
        repo_id=upload.repository,
        repo_type="dataset",
        folder_path=upload.folder,
        commit_message=f"Export of {manifest['episodes']} episodes, {manifest['steps']} steps",
        delete_patterns=["*"],
    )
    if manifest["format"] == "lerobot":
        api.upload_file(repo_id=upload.repository, repo_type="dataset", path_or_fileobj=card, path_in_repo=CARD_NAME)
        api.create_tag(upload.repository, repo_type="dataset", tag=LEROBOT_TAG, exist_ok=True)
    return str(commit.repo_url)


def _translate(error: Any, repository: str) -> InvalidRequest | NotReady:
    """Return an error of the Hub as one of ours."""
    status = error.response.status_code
    reason = error.server_message or str(error)
    if status >= 500 or status == 429:
        return NotReady(f"The Hugging Face Hub answered with the status {status}: {reason}. Run the command again.")
    if status in (401, 403):
        return InvalidRequest(
            f"The Hugging Face Hub does not let this token write to {repository} ({reason}). Check the owner's name, "
            "and that the token may write."
        )
    return InvalidRequest(f"The Hugging Face Hub refused {repository} (status {status}): {reason}.")
