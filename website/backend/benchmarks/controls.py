"""Which controls of the catalogue's games are seen to act, and at how many moments they were tried until then.

From the same state, with the control held and without (in turns: before the press and after). The sticks' directions
that manifests leave out (`joystick.uses`) are tried as well, in every mode and difficulty: that they do nothing is
measured, not taken from a manual.
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
    """Hear every game, in two processes."""
    report = Report("controls", COLUMNS)
    games = load_catalogue().games
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        heard = dict(zip(games, pool.map(probe_controls, games.values()), strict=True))
        kinds = {name: _kind(game) for name, game in games.items()}
        for kind in sorted(set(kinds.values())):
            _add_row(report, kind, {name: heard[name] for name in games if kinds[name] == kind})
        for name, controls in LEFT_OUT.items():
            tried = list(_with_all(games[name], controls))
            found = list(pool.map(probe_controls, tried, [LEFT_OUT_MOMENTS] * len(tried)))
            for control in controls:
                silent = [hearing[control] for hearing in found if not hearing[control].seen]
                told = f"nothing in {sum(hearing.moments for hearing in silent)} moments, {len(silent)} settings"
                stirred = any(hearing.stirred for hearing in silent)
                if len(silent) < len(found):
                    told = "acts"
                report.facts[f"left out: {name} {control}"] = told + (", but memory keeps it" if stirred else "")
    return report


def _kind(game: Manifest) -> str:
    if game.environment.id.startswith("ALE/"):
        return "Atari"
    return "MiniGrid" if "minigrid" in game.tags or game.id.startswith("minigrid") else "others"


def _add_row(report: Report, kind: str, heard: dict[str, dict[str, ProbeResult]]) -> None:
    controls = [(name, control, hearing) for name, found in heard.items() for control, hearing in found.items()]
    moments = sorted(hearing.moments for _, _, hearing in controls if hearing.seen)
    silent = ", ".join(f"{name} {control}" for name, control, hearing in controls if not hearing.seen)
    report.add(
        kind, len(heard), len(controls), len(moments), statistics.median(moments),
        moments[int(0.9 * (len(moments) - 1))], moments[-1], silent or "none",
    )  # fmt: skip


def _with_all(game: Manifest, controls: tuple[str, ...]) -> Iterator[Manifest]:
    """The game with controls that its manifest leaves out, alone, in each mode and difficulty."""
    meanings = ("noop", "fire", "up", "right", "left", "down")
    added = tuple(Control(name=name, label=name, keys=(f"F{number + 1}",)) for number, name in enumerate(controls))
    bindings = tuple(Binding(press=(name,), action=meanings.index(name)) for name in controls)
    whole = game.model_copy(update={"controls": game.controls + added, "actions": game.actions + bindings})
    for option, values in whole.options.items():
        for value in values:
            yield whole.choose({option: format_value(value)})
