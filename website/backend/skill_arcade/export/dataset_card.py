"""The dataset card: what this is, how it came about, how to load it, what to know before using it."""

from pathlib import Path
from typing import Any

from skill_arcade.export.formats import Format, Report
from skill_arcade.export.plan import Plan

CARD = """# Recordings of people who play

{episodes} episodes, {steps} steps, by {players} people, in {format}. Made {time_created} by Skill Arcade {version}
with the query

```sql
{query}
```

| group | environment | episodes | steps | won | lost | incomplete | certified | mean return |
|---|---|---|---|---|---|---|---|---|
{groups}

## Load it

```python
{load}
```

## What is in it

- An episode of T steps has T + 1 observations; step i acts on observation i and leads to observation i + 1.
- `seed`, `environment` (id, arguments, versions of packages) and the actions make each episode again, bit for bit;
  `certified` says
  that this was done, and was the same in all, before the export.
- Frames are lossless: the pixels that the player saw.
- Times are microseconds. `server_us`, `late_us`, `input_received_us`: the server's monotonic clock, since the
  episode's start. `shown_us`, `input_us`: the
  player's browser, since its own origin; only differences mean something. Missing: it was never painted, or nothing
  had been pressed yet.
- `input_frame` is the observation that was on the player's screen when the input in force happened: a person acts
  on what was seen 250 to 300 ms ago.

## What to know

- `player_id` and `episode_id` are pseudonyms made for this export: two exports can't be joined by them. They are
  the same within it, so learning curves can be drawn.
- Timing of key presses is behaviour that may identify a person. Publish it only as far as the consent of the
  players goes.
- Absolute reaction times hold an unknown delay of keyboard and screen, 20 to 90 ms: compare within a person.
- `manifest.json` has the query and the SHA-256 of every file.

## Licence, contact, consent

Not stated yet: whoever publishes this fills in the licence, whom to ask, what the players agreed to, and until when
they may withdraw.
"""


def write_card(plan: Plan, chosen: Format, reports: list[Report], out: Path) -> None:
    """Write `README.md`."""
    facts = [one for report in reports for one in report.facts]
    card = CARD.format(
        episodes=len(facts),
        steps=sum(one["steps"] for one in facts),
        players=len({one["player_id"] for one in facts}),
        format=plan.format,
        time_created=plan.time_created,
        version=plan.skill_arcade,
        query=plan.where or "-- every ended episode",
        groups="\n".join(_describe_group(name, plan, reports) for name in plan.groups),
        load=chosen.load(plan),
    )
    front = getattr(chosen, "front_matter", None)
    (out / "README.md").write_text((f"---\n{front(plan)}\n---\n\n" if front else "") + card)


def _describe_group(name: str, plan: Plan, reports: list[Report]) -> str:
    facts: list[dict[str, Any]] = [one for report in reports if report.part.group == name for one in report.facts]
    counts = [sum(one["status"] == status for one in facts) for status in ("won", "lost", "incomplete")]
    cells = [
        name,
        plan.groups[name]["id"],
        len(facts),
        sum(one["steps"] for one in facts),
        *counts,
        sum(one["certified"] for one in facts),
        f"{sum(one['return'] for one in facts) / len(facts):g}",
    ]
    return f"| {' | '.join(map(str, cells))} |"
