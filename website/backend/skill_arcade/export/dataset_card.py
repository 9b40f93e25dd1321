"""Writes the dataset card: contents, origin, loading instructions and caveats of an export."""

from pathlib import Path
from typing import Any

from skill_arcade.export.formats import Format, Report
from skill_arcade.export.plan import Plan

CARD = r"""# Recordings of human play

{episodes} episodes with {steps} steps by {players} players, in the format {format}. Exported {time_created} by
Skill Arcade {version} with the query

```sql
{query}
```

| group | environment | steps/s | episodes | steps | won | lost | incomplete | certified | mean return |
|---|---|---|---|---|---|---|---|---|---|
{groups}

## Loading

```python
{load}
```

## Contents

- An episode of T steps has T + 1 observations and T actions. Action i was taken on observation i and led to observation
  i + 1, with reward i. The last observation has no action.

```text
observation   0     1     2    ...   T-1     T
              | \   | \   |           | \    |
action        0  \  1  \  2    ...   T-1 \   -
reward            \->0  \->1   ...        \->T-1
```

- The rates are those of the table above. Frames are those of the environment, with no wrapper: no grey scale, resizing,
  frame skip or clipping of rewards. To compare with agents, apply the wrappers that they were trained with; for Atari,
  `skill_arcade.dataset.agent_view(frames)` gives 84 by 84 grey, skip 4, stack 4, as Gymnasium's wrappers do.
- `seed`, `environment` (id, arguments, package versions) and the actions reproduce each episode bit for bit.
  `certified` means that a re-run before the export was identical in all values.
- Frames are lossless: they have the pixels that the player saw.
- Times are in microseconds. `server_us` and `input_received_us` count from the episode's start on the server's
  monotonic clock, and `late_us` is a duration on it. `shown_us`, `input_us` and `stepped_us` count from the time
  origin of the player's browser, so only their differences are meaningful. A missing time means that the frame was not
  painted, or that there was no input yet. `stepped_us` is the step's start in a game that runs in the page, where
  `server_us` is when the server verified it; it is missing in a streamed game.
- `input_frame` is the index of the observation on the player's screen at the input that determined the action.
  People react to what they saw 250 to 300 ms before.

## Caveats

- {pseudonyms}
- The timing of key presses is behaviour that may identify a person. Publish it only within the players' consent.
- Absolute reaction times include an unknown delay of keyboard and screen of 20 to 90 ms. Compare them within a player.
- `manifest.json` has the query and the SHA-256 of each file.
{left_out}
## Licence, contact, consent

{terms}
"""
PSEUDONYMS = """`player_id` and `episode_id` are pseudonyms of this export, so two exports cannot be joined. They are
  constant within the export, so learning curves can be computed."""
DATASET_PSEUDONYMS = """`player_id` and `episode_id` are pseudonyms of this dataset: the same in all of its versions and
  exports, and different in other datasets."""
UNFILLED = """Not stated yet. Before publication, add the licence, a contact, what the players consented to, and until
when they can withdraw."""
FILLED = """Licence: {license}. Contact: {contact}. Every player allows `{scope}`; `DATASHEET.md` names the
documents that they answered. Players can withdraw at any time; a new version is then without their episodes.
`CITATION.cff` says how to cite this dataset."""


LEFT_OUT = """
## Left out

These episodes match the query and could not be exported:

| group | episode_id | reason |
|---|---|---|
{rows}
"""


def write_card(plan: Plan, format_: Format, reports: list[Report], left_out: list[dict[str, Any]], out: Path) -> None:
    """Write `README.md`. `left_out` has the episodes that could not be exported, as in the manifest."""
    facts = [episode for report in reports for episode in report.facts]
    card = CARD.format(
        episodes=len(facts),
        steps=sum(episode["steps"] for episode in facts),
        players=len({episode["player_id"] for episode in facts}),
        format=plan.format,
        time_created=plan.time_created,
        version=plan.skill_arcade,
        query=plan.query or "-- every ended episode",
        groups="\n".join(_describe_group(name, plan, reports) for name in plan.groups),
        load=format_.load(plan) if plan.groups else "# no episode could be exported",
        pseudonyms=PSEUDONYMS if plan.dataset is None else DATASET_PSEUDONYMS,
        terms=_state_terms(plan),
        left_out=LEFT_OUT.format(rows="\n".join(map(_describe_left_out, left_out))) if left_out else "",
    )
    front_matter = getattr(format_, "front_matter", None)
    (out / "README.md").write_text((f"---\n{front_matter(plan)}\n---\n\n" if front_matter else "") + card)


def _state_terms(plan: Plan) -> str:
    """Return licence, contact and consent, or that they are not stated yet."""
    description = {} if plan.dataset is None else plan.dataset["description"]
    if not all(description.get(name) for name in ("license", "contact", "summary")):
        return UNFILLED
    return FILLED.format(license=description["license"], contact=description["contact"], scope=plan.scope)


def _describe_rate(facts: list[dict[str, Any]]) -> str:
    """Return the mean number of steps per second of play, which also turn-based games have."""
    seconds = sum(episode["duration_seconds"] or 0 for episode in facts)
    return f"{sum(episode['steps'] for episode in facts) / seconds:.3g}" if seconds else "-"


def _describe_left_out(entry: dict[str, Any]) -> str:
    reason = " ".join(entry["reason"].split()).replace("|", "\\|")
    return f"| {entry['group']} | {entry['episode_id']} | {reason} |"


def _describe_group(name: str, plan: Plan, reports: list[Report]) -> str:
    facts: list[dict[str, Any]] = [
        episode for report in reports if report.part.group == name for episode in report.facts
    ]
    counts = [sum(episode["status"] == status for episode in facts) for status in ("won", "lost", "incomplete")]
    cells = [
        name,
        plan.groups[name]["id"],
        _describe_rate(facts),
        len(facts),
        sum(episode["steps"] for episode in facts),
        *counts,
        sum(episode["certified"] for episode in facts),
        f"{sum(episode['return'] for episode in facts) / len(facts):g}",
    ]
    return f"| {' | '.join(map(str, cells))} |"
