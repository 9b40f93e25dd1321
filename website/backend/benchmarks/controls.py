"""Controls of all games that visibly act, and the number of moments that it took to see it.

The same state is continued with the control held and without it; in turn-based games the states before and after the
press are compared. Directions of the joystick that manifests leave out (`joystick.uses`) are tried in every mode and
difficulty, so that it is measured that they do nothing.
"""

import multiprocessing
import statistics
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from benchmarks.report import Report
from skill_arcade.environments.control_probe import ProbeResult, probe_controls
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.manifest import Binding, Control, Manifest, format_value

COLUMNS = (
    "games",
    "of them",
    "controls",
    "seen to act",
    "moments (median)",
    "moments (p90)",
    "moments (most)",
    "not seen",
)
LEFT_OUT = {"hangman": ("left", "right"), "mario-bros": ("up", "down"), "gopher": ("up",)}
LEFT_OUT_MOMENTS = 300


def run() -> Report:
    """Probe every game, in two processes."""
    report = Report("controls", COLUMNS)
    games = load_catalogue().games
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        probed = dict(zip(games, pool.map(probe_controls, games.values()), strict=True))
        kinds = {name: _kind(game) for name, game in games.items()}
        for kind in sorted(set(kinds.values())):
            _add_row(report, kind, {name: probed[name] for name in games if kinds[name] == kind})
        for name, controls in LEFT_OUT.items():
            variants = list(_with_all(games[name], controls))
            found = list(pool.map(probe_controls, variants, [LEFT_OUT_MOMENTS] * len(variants)))
            for control in controls:
                inactive = [result[control] for result in found if not result[control].seen]
                summary = f"nothing in {sum(result.moments for result in inactive)} moments, {len(inactive)} settings"
                changes_memory = any(result.stirred for result in inactive)
                if len(inactive) < len(found):
                    summary = "acts"
                report.facts[f"left out: {name} {control}"] = summary + (
                    ", but it changes memory" if changes_memory else ""
                )
    return report


def _kind(game: Manifest) -> str:
    if game.environment.id.startswith("ALE/"):
        return "Atari"
    return "MiniGrid" if "minigrid" in game.tags or game.id.startswith("minigrid") else "others"


def _add_row(report: Report, kind: str, probed: dict[str, dict[str, ProbeResult]]) -> None:
    controls = [(name, control, result) for name, found in probed.items() for control, result in found.items()]
    moments = sorted(result.moments for _, _, result in controls if result.seen)
    inactive = ", ".join(f"{name} {control}" for name, control, result in controls if not result.seen)
    report.add(
        kind, len(probed), len(controls), len(moments), statistics.median(moments),
        moments[int(0.9 * (len(moments) - 1))], moments[-1], inactive or "none",
    )  # fmt: skip


def _with_all(game: Manifest, controls: tuple[str, ...]) -> Iterator[Manifest]:
    """Yield the game with bindings of controls that its manifest leaves out, in each mode and difficulty."""
    meanings = ("noop", "fire", "up", "right", "left", "down")
    added = tuple(Control(name=name, label=name, keys=(f"F{number + 1}",)) for number, name in enumerate(controls))
    bindings = tuple(Binding(press=(name,), action=meanings.index(name)) for name in controls)
    extended = game.model_copy(update={"controls": game.controls + added, "actions": game.actions + bindings})
    for option, values in extended.options.items():
        for value in values:
            yield extended.choose({option: format_value(value)})
