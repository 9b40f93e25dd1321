"""Compares what a reader loaded with the source. Runs in the environment of the reader: it needs NumPy only."""

import hashlib
import json
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

TEXT_KINDS = "UO"


class Expected:
    """The source values of one episode."""

    def __init__(self, path: Path) -> None:
        with np.load(path, allow_pickle=False) as archive:
            self.values: dict[str, Any] = json.loads(str(archive["values"]))
            self.actions, self.rewards = archive["actions"], archive["rewards"]
            self.terminations, self.truncations = archive["terminations"], archive["truncations"]
            self.times = {name: archive[f"time:{name}"] for name in self.values["times"]}
            self.leaves: dict[tuple[str, ...], Any] = {}
            for number, leaf in enumerate(self.values["leaves"]):
                array = archive[f"leaf:{number}"]
                if leaf["texts"]:
                    array = np.array([json.loads(str(text)) for text in array], object)
                self.leaves[tuple(leaf["path"])] = array

    @property
    def n_steps(self) -> int:
        """Number of steps."""
        return len(self.actions)

    @property
    def env_actions(self) -> Any:
        """The actions that were passed to the environment."""
        return self.actions + self.values["first_action"]

    def check_frames(self, frames: Iterable[Any], n_frames: int) -> None:
        """Compare frames, (height, width, 3) uint8, by their digests."""
        found = [digest_frame(frame) for frame in frames]
        require(found == self.values["frames"][:n_frames], "frames differ")


def digest_frame(frame: Any) -> str:
    """Return the digest of a frame's size and pixels."""
    pixels = np.ascontiguousarray(frame)
    require(pixels.dtype == np.uint8, f"frames are {pixels.dtype}")
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()[:24]


def require(is_right: bool, message: str) -> None:
    """Raise AssertionError with this message unless the condition holds."""
    if not is_right:
        raise AssertionError(message)


def require_equal(found: Any, expected: Any, name: str, *, dtype: bool = True) -> None:
    """Compare two arrays bit by bit, except that NaN equals NaN."""
    found, expected = np.asarray(found), np.asarray(expected)
    if expected.dtype.kind in TEXT_KINDS:
        require(found.tolist() == expected.tolist(), f"{name} differs: {found.tolist()[:3]} {expected.tolist()[:3]}")
        return
    require(found.shape == expected.shape, f"{name} has shape {found.shape}, expected {expected.shape}")
    if dtype:
        require(found.dtype == expected.dtype, f"{name} is {found.dtype}, expected {expected.dtype}")
    equal = found == expected
    if expected.dtype.kind in "fc":
        equal |= np.isnan(found) & np.isnan(expected)
    require(bool(np.all(equal)), f"{name} differs in {int((~equal).sum())} values")
    if expected.dtype.kind == "f":
        require(bool(np.all(np.signbit(found) == np.signbit(expected)) or np.isnan(expected).any()), f"{name}: signs")


def run_reader(check: Callable[[str, Path, Path], tuple[int, int]]) -> None:
    """Check each group of an export: `reader EXPORT EXPECTED GROUP...`. Prints one line of JSON per group."""
    export, expected, *groups = sys.argv[1:]
    for group in groups:
        try:
            episodes, steps = check(group, Path(export), Path(expected))
            result: dict[str, Any] = {"group": group, "episodes": episodes, "steps": steps}
        except Exception as error:  # noqa: BLE001  (the result of the check)
            last = traceback.extract_tb(error.__traceback__)[-1]
            result = {"group": group, "error": f"{type(error).__name__}: {error} ({Path(last.filename).name})"[:400]}
        sys.stdout.write("\n" + json.dumps(result) + "\n")
        sys.stdout.flush()
