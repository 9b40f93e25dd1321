"""Episodes played by script without a server, and delivered: what a researcher finds, in a second."""

import asyncio
import json
import random
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.environments.factory import make_environment
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.manifest import Manifest
from skill_arcade.play.assignment import SessionConfig
from skill_arcade.play.session.session import Session
from skill_arcade.recording.journal import Journal
from skill_arcade.recording.records import SegmentHeader
from skill_arcade.storage.objects.disk import DiskObjects
from skill_arcade.uploader.uploader import Uploader
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.packet import PREVIEW
from skill_arcade.wire.sound import SOUND

HELLO = {"protocol": 1, "time_origin": 0, "browser": "test", "screen": [800, 600], "pixel_ratio": 1, "refresh_hz": 60}
WALL_US = 1_790_000_000_000_000


class SessionHarness:
    """A game on a manual clock: the real session, without sockets and without waiting."""

    def __init__(self, journal: Path, game: str | Manifest, user_id: str = "user", segment_us: int = 1_000_000) -> None:
        self.now = 1_000_000
        self.texts: list[dict[str, Any]] = []
        self.packets: list[bytes] = []
        self.previews: list[bytes] = []
        self.sounds: list[tuple[int, bytes]] = []  # each with the number of frames before it
        self.acknowledges = True
        self.closed: tuple[CloseCode, str] | None = None
        self.headers: list[SegmentHeader] = []
        self.wall_jump_us = 0
        manifest = load_catalogue().games[game] if isinstance(game, str) else game
        self.manifest = manifest
        self.session = Session(
            manifest,
            make_environment(manifest.environment),
            self,
            lambda head: self.headers.append(head) or Journal(journal, head),  # type: ignore[func-returns-value]
            SessionConfig(user_id, {}, segment_us, 60_000_000),
            wall_us=lambda: WALL_US + self.now + self.wall_jump_us,
        )
        self.session.attach(self.now)
        self.send("hello", isolated=True, **HELLO)

    def text(self, message: bytes) -> None:
        self.texts.append(json.loads(message))

    def frame(self, packet: bytes) -> None:
        if packet[0] == SOUND:
            self.sounds.append((len(self.packets), packet))
            return
        if packet[1] & PREVIEW:
            self.previews.append(packet)
            return
        self.packets.append(packet)
        if not self.acknowledges:
            return
        frame = int.from_bytes(packet[4:8], "little")
        shown = {"type": "shown", "received": frame, "frames": [[frame, self.now / 1000 + 8]]}
        self.session.receive(json.dumps(shown).encode(), self.now, self.now)

    def close(self, code: CloseCode, reason: str) -> None:
        self.closed = code, reason

    def send(self, kind: str, **fields: Any) -> None:
        """A message from the page, now."""
        self.session.receive(json.dumps({"type": kind, "at": self.now / 1000, **fields}).encode(), self.now, self.now)

    def play_on(self, count: int) -> None:
        """Let so many deadlines pass, or fewer when the episode ends."""
        for _ in range(count):
            if not self.has_ended():
                self.ticks(1)

    def press(self, control: str, *, down: bool = True) -> None:
        """A control goes down or up."""
        self.send("input", control=control, down=down, frame=None, device="keyboard", code=control)

    def ticks(self, count: int) -> None:
        """Let so many deadlines pass."""
        for _ in range(count):
            due = self.session.due_us
            assert due is not None
            self.now = due
            self.session.tick(due)

    @property
    def n_steps(self) -> int:
        """Steps of the newest episode so far."""
        return int.from_bytes(self.packets[-1][4:8], "little") if self.packets else 0

    def has_ended(self) -> bool:
        """Whether the newest episode is over."""
        kinds = [message["type"] for message in self.texts if message["type"] in ("started", "ended")]
        return kinds[-1:] == ["ended"]

    def messages_of(self, kind: str) -> dict[str, Any]:
        """The newest message of this kind."""
        return next(message for message in reversed(self.texts) if message["type"] == kind)


def play_breakout(journal: Path, steps: int = 150, user_id: str = "user") -> SegmentHeader:
    """Some seconds of Breakout, left before the end."""
    table = SessionHarness(journal, "breakout", user_id)
    table.send("start")
    table.ticks(10)
    for control in ("fire", "left", "right"):
        table.press(control)
        table.ticks(steps // 3 - 5)
        table.press(control, down=False)
        table.ticks(1)
    table.send("leave")
    return table.headers[0]


def play_hanoi(journal: Path, user_id: str = "user") -> SegmentHeader:
    """The Tower of Hanoi, won."""
    table = SessionHarness(journal, "tower-of-hanoi", user_id)
    table.send("start")
    for pole in "13123213212313":
        table.now += 700_000
        table.press(f"pole-{pole}")
        table.press(f"pole-{pole}", down=False)
    return table.headers[0]


def play_cart_pole(journal: Path, user_id: str = "user") -> SegmentHeader:
    """CartPole until it falls."""
    table = SessionHarness(journal, "cart-pole", user_id)
    table.send("start")
    while not any(message["type"] == "ended" for message in table.texts):
        table.ticks(1)
    return table.headers[0]


def play_randomly(table: SessionHarness, n_steps: int, seed: int = 1) -> None:
    """Press whatever there is, held for a moment, over as many episodes as so many steps take; 20 at most."""
    rng, real_time, taken = random.Random(seed), table.manifest.pace.kind == "real-time", 0
    controls = [control.name for control in table.manifest.controls]
    for _ in range(20):
        table.send("start")
        while not table.has_ended() and taken + table.n_steps < n_steps:
            control = rng.choice(controls)
            table.press(control)
            if real_time:
                table.play_on(rng.randint(1, 24))
            table.now += 250_000 * (not real_time)
            table.press(control, down=False)
        taken += table.n_steps
        if taken >= n_steps:
            break
    table.send("leave")


async def upload_all(journal: Path, objects: Path, engine: AsyncEngine, seconds: float = 60) -> None:
    """Carry everything to the database and the object folder."""
    async with asyncio.timeout(seconds):
        await Uploader(journal, DiskObjects(objects), engine, workers=2).drain()
