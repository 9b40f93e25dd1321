"""One player's game: messages and ticks in, packets and records out. Rules: wire/SPEC.md.

A state machine without waiting and without sockets; the runner does the waiting.
"""

import secrets
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Literal, assert_never

from pydantic import ValidationError

from skill_arcade.environments.stage import Outcome, Stage
from skill_arcade.frames.encoder import Encoder
from skill_arcade.games.manifest import Manifest
from skill_arcade.ids import new_episode_id
from skill_arcade.play.clock import Clock, TickClock, TurnClock
from skill_arcade.play.controls import Controls
from skill_arcade.play.episode import Episode, View
from skill_arcade.play.link import Link, Outbox
from skill_arcade.play.provenance import describe_player
from skill_arcade.recording.journal import Journal
from skill_arcade.recording.records import Head, InputInForce
from skill_arcade.wire import messages as say
from skill_arcade.wire.close import CloseCode

PING_MS = 1000
CLOSING_US = 1_000_000
"""How long an ended episode's record waits to learn when its last frames were painted."""
NO_ROOM = "Recording has no room, so the game ends here. What you played is kept."


class Phase(StrEnum):
    """Where the session stands."""

    ready = "ready"
    playing = "playing"
    paused = "paused"
    ended = "ended"


class Session:
    """A player at a game, over as many episodes and sockets as it takes."""

    def __init__(
        self,
        game: Manifest,
        stage: Stage,
        outbox: Outbox,
        open_journal: Callable[[Head], Journal],
        *,
        user_id: str,
        provenance: dict[str, Any],
        segment_us: int,
        resume_us: int,
        wall_us: Callable[[], int],
    ) -> None:
        self._game, self._stage, self._open_journal = game, stage, open_journal
        self._user_id, self._provenance = user_id, provenance
        self._segment_us, self._resume_us, self._wall_us = segment_us, resume_us, wall_us
        self._names = {control.name for control in game.controls}
        self._link = Link(outbox)
        self._clock: Clock = TickClock(game.pace.hz) if game.pace.kind == "real-time" else TurnClock()
        self._controls = Controls(game.actions, game.noop)
        self._phase = Phase.ready
        self._episode: Episode | None = None
        self._reason = ""
        self._prepared: tuple[int, Outcome] | None = None
        self._size = (0, 0)
        self._leave_at: int | None = None
        self._close_at: int | None = None
        self.finished = False

    @property
    def idle(self) -> bool:
        """True when `prepare` has something to do."""
        return self._prepared is None and self._episode is None and not self.finished

    def prepare(self) -> None:
        """Reset the stage ahead of `start`, since that takes a tenth of a second."""
        if self.idle:
            seed = 1 + secrets.randbelow(2**31 - 1)
            self._prepared = seed, self._stage.reset(seed)
            height, width = self._stage.picture().pixels.shape[:2]
            self._size = width, height

    @property
    def due_us(self) -> int | None:
        """When `tick` has something to do next; None: only messages matter."""
        dues = [self._leave_at, self._close_at]
        if self._phase is Phase.playing:
            dues.append(self._clock.due_us)
        if self._episode is not None:
            dues.append(self._episode.roll_due_us)
        return min((due for due in dues if due is not None), default=None)

    def tick(self, now: int) -> None:
        """Do what is due."""
        if self._leave_at is not None and now >= self._leave_at:
            self.stop("disconnected", now)
        if self._close_at is not None and now >= self._close_at:
            self._close_record(now)
        if self._episode is None:
            return
        due = self._clock.due_us
        if self._phase is Phase.playing and due is not None and now >= due:
            self._step(now)
        else:
            self._episode.roll_if_due(now)

    def attach(self, now: int) -> None:
        """A socket is there; its page will say hello."""
        self._link.attach()
        self._leave_at = None
        if self._episode is not None:
            self._episode.event("attach", now)

    def detach(self, now: int) -> None:
        """The socket is gone: the game waits for its player."""
        if not self._link.attached:
            return
        self._link.detach()
        self._leave_at = now + self._resume_us
        if self._episode is not None:
            self._episode.event("detach", now)
            if self._phase is Phase.playing:
                self._pause("connection", now)

    def stop(self, reason: str, now: int) -> None:
        """End it all: what was played is kept."""
        if self._episode is not None and self._phase is not Phase.ended:
            self._over(reason, now)
        self._close_record(now)
        self._leave_at = None
        self.finished = True

    def receive(self, text: bytes, received: int, now: int) -> None:
        """A text message from the page; `received` is when it arrived at the server."""
        try:
            message = say.client_message.validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            return self._link.refuse(f"{where}: {first['msg']}" if where else first["msg"])
        if (self._link.hello is None) is not isinstance(message, say.Hello):
            return self._link.refuse("hello must be the first message, and said once")
        return self._handle(message, received, now)

    # -- messages ------------------------------------------------------------------------------------------------

    def _handle(self, message: say.ClientMessage, received: int, now: int) -> None:  # noqa: PLR0912 one case a message
        match message:
            case say.Hello():
                self._greet(message, now)
            case say.Start():
                self._start(now)
            case say.Input():
                self._input(message, received, now)
            case say.Shown():
                self._shown(message, now)
            case say.Ping():
                if (sample := self._link.answer(message, received, now)) is not None:
                    self._note("clock", received, message.at, **sample)
            case say.Focus():
                self._note("focus", received, message.at, state=message.state)
            case say.Pause():
                if self._phase is Phase.playing:
                    self._note("pause", received, message.at)
                    self._pause("player", now)
            case say.Resume():
                if self._phase is Phase.paused:
                    self._note("resume", received, message.at)
                    self._resume(now)
            case say.Leave():
                if self._phase in (Phase.playing, Phase.paused):
                    self._over("left", now)
            case _:
                assert_never(message)

    def _greet(self, hello: say.Hello, now: int) -> None:
        self._link.hello = hello
        self.prepare()
        episode = self._episode if self._phase in (Phase.playing, Phase.paused) else None
        self._link.say(
            say.Welcome(
                type="welcome",
                protocol=say.PROTOCOL,
                game=self._game.id,
                phase=self._phase.value,
                width=self._size[0],
                height=self._size[1],
                episode=str(episode.id) if episode else None,
                ping_ms=PING_MS,
            )
        )
        if episode is not None:
            self._say_started(episode)
            self._link.expect(episode.n_steps)
            self._send(episode.again(now))
            episode.want_key()

    def _start(self, now: int) -> None:
        if self._phase in (Phase.playing, Phase.paused):
            return self._link.refuse("start: this episode is not over")
        self._close_record(now)
        self.prepare()
        assert self._prepared is not None
        (seed, opening), self._prepared = self._prepared, None

        def describe(**known: Any) -> Head:
            return self._head(seed, **known)

        self._controls = Controls(self._game.actions, self._game.noop)
        try:
            self._episode = Episode(
                self._game, self._stage, opening, describe, self._open_journal, now=now, segment_us=self._segment_us
            )
        except OSError:
            return self._link.close(CloseCode.NO_ROOM, NO_ROOM)
        self._phase = Phase.playing
        self._link.expect(0)
        self._say_started(self._episode)
        self._send(self._episode.opening)
        self._clock.start(now)
        return None

    def _input(self, message: say.Input, received: int, now: int) -> None:
        if message.control not in self._names:
            return self._link.refuse(f"input: {self._game.name} has no control {message.control!r}")
        episode = self._episode
        if episode is None or self._phase is not Phase.playing:
            return None
        frame = None if message.frame is None or message.frame > episode.n_steps else message.frame
        what = message.model_dump(include={"control", "down", "device", "code"})
        self._note("input", received, message.at, frame=frame, **what)
        source = InputInForce(round(message.at * 1000), received - episode.started_us, frame)
        self._controls.change(message.control, down=message.down, source=source)
        if self._game.pace.kind == "turn-based":
            action, _ = self._controls.sample()
            if message.down and action is not None:  # a press that means nothing by itself is no step (rule I3)
                self._step(now, action, source)
        return None

    def _shown(self, message: say.Shown, now: int) -> None:
        if self._episode is None:
            return
        self._episode.shown([(frame, round(at * 1000)) for frame, at in message.frames])
        self._link.acknowledge(min(message.received, self._episode.n_steps))
        if self._close_at is not None and self._link.received >= self._episode.n_steps:
            self._close_record(now)

    # -- the episode ---------------------------------------------------------------------------------------------

    def _step(self, now: int, action: int | None = None, source: InputInForce | None = None) -> None:
        assert self._episode is not None
        if action is None:
            action, source = self._controls.sample()
        assert action is not None
        late = self._clock.stepped(now)
        try:
            view = self._episode.step(action, source, now=now, late_us=late)
        except OSError:
            self._link.close(CloseCode.NO_ROOM, NO_ROOM)
            return self.stop("no-room", now)
        self._send(view)
        if view.last:
            self._over(self._episode.end_reason, now)
        return None

    def _over(self, reason: str, now: int) -> None:
        """The play is over; its record stays open a moment for the last paint times."""
        episode = self._episode
        assert episode is not None
        self._phase, self._reason = Phase.ended, reason
        self._clock.stop()
        self._link.say(
            say.Ended(
                type="ended",
                episode=str(episode.id),
                status=episode.outcome(),
                reason=reason,
                score=episode.score,
                n_steps=episode.n_steps,
            )
        )
        self._close_at = now + CLOSING_US
        if self._link.received >= episode.n_steps or not self._link.attached:
            self._close_record(now)

    def _close_record(self, now: int) -> None:
        self._close_at = None
        if self._episode is not None:
            if self._link.left_out:
                self._episode.event("left-out", now, frames=self._link.left_out)
            episode, self._episode = self._episode, None
            episode.end(self._reason, now)

    def _pause(self, reason: Literal["player", "connection"], now: int) -> None:
        assert self._episode is not None
        self._phase = Phase.paused
        self._clock.stop()
        self._controls.release(InputInForce(0, now - self._episode.started_us, None))
        self._link.say(say.Paused(type="paused", reason=reason))

    def _resume(self, now: int) -> None:
        self._phase = Phase.playing
        self._clock.start(now)
        self._link.say(say.Resumed(type="resumed"))

    def _send(self, view: View) -> None:
        episode = self._episode
        assert episode is not None
        gap = self._link.send(view, lambda: Encoder().encode(self._stage.picture()))
        if gap:
            episode.event("left-out", view.server_us, frames=gap)
            episode.want_key()

    def _say_started(self, episode: Episode) -> None:
        self._link.say(say.Started(type="started", episode=str(episode.id), server_us=episode.started_us))

    def _note(self, kind: str, now: int, at_ms: float, **data: Any) -> None:
        if self._episode is not None:
            self._episode.event(kind, now, round(at_ms * 1000), **data)

    def _head(self, seed: int, **known: Any) -> Head:
        return Head(
            episode_id=new_episode_id(),
            number=0,
            first_step=0,
            first_event=0,
            user_id=self._user_id,
            game_id=self._game.id,
            seed=seed,
            frame_ms=round(1000 / self._game.pace.hz) if self._game.pace.kind == "real-time" else 1000,
            started_wall_us=self._wall_us(),
            environment=self._stage.spec,
            provenance={**self._provenance, **describe_player(self._link.hello)},
            **known,
        )
