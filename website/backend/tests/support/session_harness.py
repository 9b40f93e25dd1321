"""Plays scripted episodes without a server, on a manual clock, and uploads them."""

import asyncio
import json
import random
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.agents.catalogue import Agent
from skill_arcade.environments.factory import make_environment
from skill_arcade.games.manifest import Manifest
from skill_arcade.play.assignment import PlayConsent, SessionConfig
from skill_arcade.play.session.session import Session
from skill_arcade.recording.journal import Journal
from skill_arcade.recording.records import SegmentHeader
from skill_arcade.storage.objects.disk import DiskObjects
from skill_arcade.uploader.uploader import Uploader
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.messages import Hello
from skill_arcade.wire.packet import PREVIEW
from skill_arcade.wire.sound import SOUND
from tests.support.catalogue import load_games

HELLO = {"protocol": 1, "time_origin": 0, "browser": "test", "screen": [800, 600], "pixel_ratio": 1, "refresh_hz": 60}
HELLO_MESSAGE = Hello.model_validate({"type": "hello", "at": 1.0, "isolated": True, **HELLO})
WALL_US = 1_790_000_000_000_000


class SessionHarness:
    """A real session on a manual clock, without sockets and without waiting."""

    def __init__(
        self,
        journal: Path,
        game: str | Manifest,
        user_id: str = "user",
        segment_us: int = 1_000_000,
        *,
        provenance: dict[str, Any] | None = None,
        seed: int | None = None,
        is_program: bool = False,
        input_delay_us: int = 0,
        frame_delay_us: int = 0,
        sound: bool | None = None,
        agent: Agent | None = None,
    ) -> None:
        """`provenance` is what the server adds to each episode, and `seed` that of a session with one episode."""
        self.journal = journal
        self.now = 1_000_000
        self.texts: list[dict[str, Any]] = []
        self.order: list[str] = []  # type of each text, and "frame" for each frame, in the order of sending
        self.packets: list[bytes] = []
        self.previews: list[bytes] = []
        self.sounds: list[tuple[int, bytes]] = []  # each with the number of frames sent before it
        self.watched: list[bytes] = []
        self.scenes: list[dict[str, Any] | None] = []
        self.acknowledges = True
        self.closed: tuple[CloseCode, str] | None = None
        self.headers: list[SegmentHeader] = []
        self.wall_jump_us = 0
        manifest = load_games()[game] if isinstance(game, str) else game
        self.manifest = manifest
        self.env = make_environment(manifest.environment)
        self.session = Session(
            manifest,
            self.env,
            self,
            lambda head: self.headers.append(head) or Journal(journal, head),  # type: ignore[func-returns-value]
            SessionConfig(
                user_id,
                provenance or {},
                segment_us,
                60_000_000,
                seed=seed,
                is_single_episode=seed is not None,
                consent=PlayConsent(is_program=is_program),
                input_delay_us=input_delay_us,
                frame_delay_us=frame_delay_us,
                sound=sound,
                agent=agent,
            ),
            wall_us=lambda: WALL_US + self.now + self.wall_jump_us,
        )
        self.session.attach(HELLO_MESSAGE, self.now)

    def text(self, message: bytes) -> None:
        self.texts.append(json.loads(message))
        self.order.append(self.texts[-1]["type"])

    def frame(self, packet: bytes) -> None:
        if packet[0] == SOUND:
            self.sounds.append((len(self.packets), packet))
            return
        if packet[1] & PREVIEW:
            self.previews.append(packet)
            return
        self.packets.append(packet)
        self.order.append("frame")
        if not self.acknowledges:
            return
        frame = int.from_bytes(packet[4:8], "little")
        shown = {"type": "shown", "received": frame, "frames": [[frame, self.now / 1000 + 8]]}
        self.session.receive(json.dumps(shown).encode(), self.now, self.now)

    def watch_frame(self, packet: bytes) -> None:
        self.watched.append(packet)

    def watch_scene(self, scene: bytes | None) -> None:
        self.scenes.append(None if scene is None else json.loads(scene))

    def close(self, code: CloseCode, reason: str) -> None:
        self.closed = code, reason

    def send(self, kind: str, **fields: Any) -> None:
        """Handle a message from the page now."""
        self.session.receive(json.dumps({"type": kind, "at": self.now / 1000, **fields}).encode(), self.now, self.now)

    def reconnect(self) -> None:
        """Lose the connection, and connect again."""
        self.session.detach(self.now)
        self.session.attach(HELLO_MESSAGE, self.now)

    def play_on(self, count: int) -> None:
        """Tick up to `count` times, until the episode ends."""
        for _ in range(count):
            if not self.has_ended():
                self.ticks(1)

    def press(self, control: str, *, down: bool = True) -> None:
        """Press or release a control."""
        self.send("input", control=control, down=down, frame=None, device="keyboard", code=control)

    def ticks(self, count: int) -> None:
        """Advance the clock to the next deadline and tick, `count` times."""
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
        """Return whether the newest episode has ended."""
        kinds = [message["type"] for message in self.texts if message["type"] in ("started", "ended")]
        return kinds[-1:] == ["ended"]

    def messages_of(self, kind: str) -> dict[str, Any]:
        """Return the newest message of this type."""
        return next(message for message in reversed(self.texts) if message["type"] == kind)


def play_breakout(journal: Path, steps: int = 150, user_id: str = "user") -> SegmentHeader:
    """Play some seconds of Breakout, and leave before the end."""
    harness = SessionHarness(journal, "breakout", user_id)
    harness.send("start")
    harness.ticks(10)
    for control in ("fire", "left", "right"):
        harness.press(control)
        harness.ticks(steps // 3 - 5)
        harness.press(control, down=False)
        harness.ticks(1)
    harness.send("leave")
    return harness.headers[0]


def play_hanoi(journal: Path, user_id: str = "user") -> SegmentHeader:
    """The Tower of Hanoi, won."""
    harness = SessionHarness(journal, "tower-of-hanoi", user_id)
    harness.send("start")
    for pole in "13123213212313":
        harness.now += 700_000
        harness.press(f"pole-{pole}")
        harness.press(f"pole-{pole}", down=False)
    return harness.headers[0]


def play_cart_pole(journal: Path, user_id: str = "user") -> SegmentHeader:
    """CartPole until it falls."""
    harness = SessionHarness(journal, "cart-pole", user_id)
    harness.send("start")
    while not any(message["type"] == "ended" for message in harness.texts):
        harness.ticks(1)
    return harness.headers[0]


def play_randomly(harness: SessionHarness, n_steps: int, seed: int = 1) -> None:
    """Press random controls over several episodes until `n_steps` steps are taken, at most 20 episodes."""
    rng, real_time, taken = random.Random(seed), harness.manifest.pace.kind == "real-time", 0
    controls = [control.name for control in harness.manifest.controls]
    for _ in range(20):
        harness.send("start")
        while not harness.has_ended() and taken + harness.n_steps < n_steps:
            control = rng.choice(controls)
            harness.press(control)
            if real_time:
                harness.play_on(rng.randint(1, 24))
            harness.now += 250_000 * (not real_time)
            harness.press(control, down=False)
        taken += harness.n_steps
        if taken >= n_steps:
            break
    harness.send("leave")


async def upload_all(journal: Path, objects: Path, engine: AsyncEngine, seconds: float = 60) -> None:
    """Upload everything to the database and the object folder."""
    async with asyncio.timeout(seconds):
        await Uploader(journal, DiskObjects(objects), engine, workers=2).drain()
