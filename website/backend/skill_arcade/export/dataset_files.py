"""Files that an export of a saved dataset has besides its data: citation, data sheet, and digests of the episodes."""

import csv
import io
import re
from pathlib import Path
from typing import Any

import yaml

from skill_arcade.errors import InvalidRequest

CITATION, DATA_SHEET, DIGESTS = "CITATION.cff", "DATASHEET.md", "digests.csv"
LICENSES = (
    "CC0-1.0",
    "CC-BY-4.0",
    "CC-BY-SA-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0",
    "ODC-By-1.0",
    "ODbL-1.0",
    "PDDL-1.0",
)
"""SPDX ids of licences for data that a citation file may name."""
DEFAULT_AUTHOR = "The researchers of this arcade"
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")


def describe_version(dataset: dict[str, Any]) -> dict[str, Any]:
    """Return what the manifest says of a version: everything but the digests, which have a file of their own."""
    return {name: value for name, value in dataset.items() if name != "digests"}


def write_dataset_files(dataset: dict[str, Any], out: Path) -> None:
    """Write the files. `dataset` is what `saved_datasets.describe_saved` returns."""
    (out / CITATION).write_text(render_citation(dataset))
    (out / DATA_SHEET).write_text(render_data_sheet(dataset))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["episode_id", "sha256", "certified"])
    writer.writerows([*row[:2], "true" if row[2] else "false"] for row in dataset["digests"])
    (out / DIGESTS).write_text(text.getvalue())


def check_description(description: dict[str, Any]) -> None:
    """Check what a citation file could not say.

    Raises:
        InvalidRequest: the licence is not one of `LICENSES`, or the contact is no e-mail address.
    """
    license_, contact = description.get("license"), description.get("contact")
    if license_ and license_ not in LICENSES:
        raise InvalidRequest(f"The licence {license_!r} is unknown. Use one of: {', '.join(LICENSES)}.")
    if contact and not _EMAIL.fullmatch(contact):
        raise InvalidRequest(f"The contact {contact!r} is no e-mail address.")


def render_citation(dataset: dict[str, Any]) -> str:
    """Return `CITATION.cff`, in the Citation File Format 1.2.0."""
    description = dataset["description"]
    fields = {
        "cff-version": "1.2.0",
        "message": "If you use this dataset, please cite it as below.",
        "type": "dataset",
        "title": description.get("title") or dataset["name"],
        "version": str(dataset["version"]),
        "date-released": dataset["time_created"][:10],
        "authors": [_describe_author(name) for name in description.get("authors") or [DEFAULT_AUTHOR]],
        "abstract": description.get("summary") or _summarize(dataset),
        "keywords": ["human play", "reinforcement learning", "skill acquisition"],
        "identifiers": [
            {"type": "other", "value": f"sha256:{dataset['digest']}", "description": "Digest of the episodes"}
        ],
    }
    if description.get("license"):
        fields["license"] = description["license"]
    if description.get("contact"):
        fields["contact"] = [{"name": "Contact", "email": description["contact"]}]
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=100)


def render_data_sheet(dataset: dict[str, Any]) -> str:
    """Return `DATASHEET.md`: answers to the questions of Datasheets for Datasets (Gebru et al.), from the data.

    A gap for people to fill is a line that begins with `FILL IN`.
    """
    description = dataset["description"]
    return _DATA_SHEET.format(
        title=description.get("title") or dataset["name"],
        name=dataset["name"],
        version=dataset["version"],
        digest=dataset["digest"],
        created=dataset["time_created"][:10],
        motivation=description.get("summary") or "FILL IN: why was it created, by whom, and who paid for it?",
        summary=_summarize(dataset),
        games="\n".join(_describe_game(game) for game in dataset["games"]),
        query=dataset["query"],
        without=dataset["n_without_consent"],
        scope=dataset["scope"],
        documents="\n".join(_describe_document(document) for document in dataset["consent_documents"]),
        first=min((game["first"] for game in dataset["games"]), default="-")[:10],
        last=max((game["last"] for game in dataset["games"]), default="-")[:10],
        software="\n".join(f"- {name} {version}" for name, version in dataset["software"].items()),
        license=description.get("license") or "FILL IN: which licence?",
        contact=description.get("contact") or "FILL IN: whom can people write to?",
        removed=_describe_removed(dataset),
    )


def _summarize(dataset: dict[str, Any]) -> str:
    return (
        f"Recordings of human play: {dataset['n_episodes']} episodes with {dataset['n_steps']} steps by "
        f"{dataset['n_players']} players."
    )


def _describe_author(name: str) -> dict[str, str]:
    family, comma, given = (part.strip() for part in name.partition(","))
    return {"family-names": family, "given-names": given} if comma and given else {"name": name}


def _describe_game(game: dict[str, Any]) -> str:
    cells = (game[name] for name in ("game_id", "episodes", "steps", "players", "certified"))
    return f"| {' | '.join(map(str, cells))} |"


def _describe_document(document: dict[str, Any]) -> str:
    if document["sha256"] is None:
        return f"- {document['episodes']} episodes: no consent on record, by a decision of the arcade's owner."
    return (
        f"- {document['episodes']} episodes: version {document['version']} ({document['language']}), "
        f"SHA-256 `{document['sha256']}`."
    )


def _describe_removed(dataset: dict[str, Any]) -> str:
    if not dataset["removed"]:
        return "No episode of the previous version was removed from this one."
    listed = "\n".join(f"- `{name}`" for name in dataset["removed"])
    return (
        "These episodes of the previous version were removed, because they were erased or the consent was withdrawn. "
        f"**Delete them from your copies:**\n\n{listed}"
    )


_DATA_SHEET = """\
# Data sheet of {title}

Version {version} of `{name}`, {created}. The questions are those of Gebru et al., *Datasheets for Datasets* (2021). The
answers are filled from the data; lines that begin with FILL IN are left to people.

## Motivation

{motivation}

## Composition

{summary} An instance is an episode of a game: observations, actions, rewards, infos, key events and their times.

| game | episodes | steps | players | certified |
|---|---|---|---|---|
{games}

- **Selection.** All ended episodes that match the query below, not a sample. {without} more match, and their players
  do not allow {scope}.
- **Completeness.** Each episode is complete, from its seed to its end. `certified` episodes were re-run, with the same
  result in every bit. `digests.csv` has the SHA-256 of each recording. That of the dataset is `{digest}`.
- **People.** Instances are about people. `player_id` and `episode_id` are pseudonyms: keyed hashes, the same in all
  versions of this dataset, different in others. There are no names, addresses or ages. The timing of key presses may
  identify a person.

```sql
{query}
```

## Collection

Players chose the games on a web page, which recorded from {first} to {last}. Before their first game they were
asked for their consent, one purpose at a time. Every episode has the scope `{scope}`. The documents that they answered:

{documents}

Players can withdraw at any time. An episode that is withdrawn or erased is removed by a new version.

## Processing

None: frames are lossless, and values are those of the environment. The raw data is the data. Saved with:

{software}

## Uses

Imitation and reinforcement learning, and research on how skill is acquired. Do not try to identify players. Absolute
reaction times include an unknown delay of keyboard and screen of 20 to 90 ms.

## Distribution

Licence: {license}

## Maintenance

Contact: {contact}

{removed}
"""
