"""One player's game: messages and ticks in, packets and records out. Rules: wire/SPEC.md.

A state machine without waiting and without sockets; the runner does the waiting.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, assert_never

from skill_arcade.environments.stage import Stage
from skill_arcade.frames.encoder import Encoder
from skill_arcade.games.manifest import Manifest
from skill_arcade.play.assignment import Terms
from skill_arcade.play.clock import Clock, make_clock
from skill_arcade.play.controls import Controls
from skill_arcade.play.episode import Episode, View
from skill_arcade.play.follow import Following, Guide, Incident
from skill_arcade.play.link import Link, Outbox, Phase
from skill_arcade.play.opening import Opening
from skill_arcade.play.provenance import describe_player, describe_setup, make_head
from skill_arcade.play.refusal import NO_ROOM, ending_when_refused
from skill_arcade.play.sound import Sound
from skill_arcade.recording.journal import Journal
from skill_arcade.recording.records import Head, InputInForce
from skill_arcade.wire import messages as say
from skill_arcade.wire.close import CloseCode

CLOSING_US = 1_000_000
"""How long an ended episode's record waits to learn when its last frames were painted."""


class Session:
    """A player at a game, over as many episodes and sockets as it takes."""

    def __init__(
        self,
        game: Manifest,
        stage: Stage,
        outbox: Outbox,
        open_journal: Callable[[Head], Journal],
        terms: Terms,
        wall_us: Callable[[], int],
    ) -> None:
        self._game, self._stage, self._open_journal = game, stage, open_journal
        self._terms, self._wall_us = terms, wall_us
        self._names = {control.name for control in game.controls}
        self._link = Link(outbox, Sound.find(stage, game.pace))
        self._clock: Clock = make_clock(game.pace)
        self._guide = Guide.find(game, stage, terms.lockstep_module)
        self._following: Following | None = None
        self._controls = Controls(game.actions, game.noop)
        self._phase = Phase.ready
        self._episode: Episode | None = None
        self._reason = ""
        self._opening = Opening(stage)
        self._leave_at: int | None = None
        self._close_at: int | None = None
        self.worst_late_us, self.finished = 0, False
        self.no_room = ""  # in words, while no new episode may start

    @property
    def idle(self) -> bool:
        """True when `prepare` has something to do."""
        return not self._opening.made and self._episode is None and not self.finished

    @property
    def ticking(self) -> bool:
        """True while steps come by the clock: what is said meanwhile acts at the next one anyhow."""
        return self._phase is Phase.playing and self._following is None and self._clock.due_us is not None

    def prepare(self) -> None:
        """Reset the stage ahead of `start`, and show the page what it will begin with (rule O10)."""
        if self.idle:
            self._opening.make()
            if self._link.hello is not None:
                self._link.show_ahead(self._opening.draw())

    @property
    def due_us(self) -> int | None:
        """When `tick` has something to do next; None: only messages matter."""
        dues = [self._leave_at, self._close_at]
        if self._phase is Phase.playing:
            dues.append(self._clock.due_us)
        if self._episode is not None:
            dues.append(self._episode.roll_due_us)
        return min((due for due in dues if due is not None), default=None)

    @ending_when_refused
    def tick(self, now: int) -> None:
        """Do what is due."""
        if self._leave_at is not None and now >= self._leave_at:
            self.stop("disconnected", now)
        if self._close_at is not None and now >= self._close_at:
            self._close_record(now)
        if self._episode is None:
            return
        if self._phase is Phase.playing and (due := self._clock.due_us) is not None and now >= due:
            self._step(now)
        else:
            self._episode.roll_if_due(now)

    @ending_when_refused
    def attach(self, now: int) -> None:
        """A socket is there; its page will say hello."""
        self._link.attach()
        self._leave_at = None
        if self._episode is not None:
            self._episode.event("attach", now)

    @ending_when_refused
    def detach(self, now: int) -> None:
        """The socket is gone: the game waits for its player."""
        if not self._link.attached:
            return
        self._link.detach()
        self._leave_at = now + self._terms.resume_us
        if self._phase is Phase.ended:  # nobody tells of its last paints any more
            self._close_record(now)
        if self._episode is not None:
            self._episode.event("detach", now)
            if self._following is not None:
                self._following.stop()  # its page plays on for a while (rule L5)
            elif self._phase is Phase.playing:
                self._pause("connection", now)

    @ending_when_refused
    def stop(self, reason: str, now: int) -> None:
        """End it all: what was played is kept."""
        if self._episode is not None and self._phase is not Phase.ended:
            self._over(reason, now)
        self._close_record(now)
        self._leave_at = None
        self.finished = True

    def give_up(self, refusal: OSError, now: int) -> None:
        """The disk takes nothing more: end here, with all that it took. Delivery ends what can't be ended (rule R5)."""
        self._link.close(CloseCode.NO_ROOM, NO_ROOM)
        self.finished, self._leave_at, self._close_at = True, None, None
        if self._episode is not None:
            self._episode.give_up(self._reason if self._phase is Phase.ended else "no-room", refusal, now)
        self._phase, self._episode = Phase.ended, None

    @ending_when_refused
    def receive(self, text: bytes, received: int, now: int) -> None:
        """A text message from the page; `received` is when it arrived at the server."""
        try:
            message = say.read_client(text)
        except ValueError as error:
            return self._link.refuse(str(error))
        if (self._link.hello is None) is not isinstance(message, say.Hello):
            return self._link.refuse("hello must be the first message, and said once")
        if self.no_room and self._phase in (Phase.ready, Phase.ended) and isinstance(message, say.Hello | say.Start):
            return self._link.close(CloseCode.NO_ROOM, self.no_room)
        return self._handle(message, received, now)

    def _handle(self, message: say.ClientMessage, received: int, now: int) -> None:  # noqa: PLR0912 one case a message
        match message:
            case say.Hello():
                self._greet(message, now)
            case say.Setup():
                self._link.setup = message
                self._note("setup", received, message.at, **describe_setup(message))
            case say.Start():
                self._start(message.mode, now)
            case say.Ticks():
                self._follow(message, received, now)
            case say.Stream():
                self._go_streaming(message, received, now)
            case say.Input():
                self._input(message, received, now)
            case say.Shown():
                self._shown(message, now)
            case say.Align():
                self._note("align", received, message.at, later_ms=message.later_ms)
                self._clock.align(message.later_ms * 1000)
            case say.Ping():
                if (sample := self._link.answer(message, received, now)) is not None:
                    self._note_clock(sample, received, message.at)
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
        self.prepare()
        self._link.hello = hello
        episode = self._episode if self._phase in (Phase.playing, Phase.paused) else None
        offer = None if self._guide is None else self._guide.offer()
        self._link.welcome(self._game.id, self._phase, self._opening.size, episode, offer)
        if self._opening.made:
            self._link.show_ahead(self._opening.draw())
        if episode is not None:
            self._say_started(episode)
            self._link.expect(episode.n_steps)
            if self._following is None:
                self._show_anew(episode, now)
            elif self._phase is Phase.playing:
                self._following.returned(now)

    def _start(self, mode: say.Mode, now: int) -> None:
        if self._phase in (Phase.playing, Phase.paused):
            self._link.refuse("start: this episode is not over")
            return
        self._close_record(now)
        seed, opening = self._opening.take()
        following = self._guide.follow(seed) if self._guide is not None and mode == "lockstep" else None
        facts = {} if following is None else {"mode": "lockstep", "lockstep": following.facts}
        told = {**self._terms.provenance, **describe_player(self._link.hello, self._link.setup), **facts}
        made = {"environment": self._stage.spec, "provenance": told, "started_wall_us": self._wall_us()}
        describe = partial(make_head, self._game, self._terms.user_id, seed, **made)
        times = {"now": now, "segment_us": self._terms.segment_us}
        self._following, self._clock = following, following or make_clock(self._game.pace)
        self._controls = Controls(self._game.actions, self._game.noop)
        self._episode = Episode(self._game, self._stage, opening, describe, self._open_journal, **times)
        self._phase = Phase.playing
        self._link.expect(0)
        self._say_started(self._episode)
        if following is None:
            self._send(self._episode.opening)
        self._clock.start(now)

    def _input(self, message: say.Input, received: int, now: int) -> None:
        if message.control not in self._names:
            return self._link.refuse(f"input: {self._game.name} has no control {message.control!r}")
        episode = self._episode
        if episode is None or self._following is not None or self._phase is not Phase.playing:
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
        if self._close_at is not None and self._episode.seen_to_its_end:
            self._close_record(now)

    def _step(self, now: int, action: int | None = None, source: InputInForce | None = None) -> None:
        assert self._episode is not None
        if self._following is not None:
            return self._over("silent", now)  # what is due in lockstep is the end of patience (rule L7)
        if action is None:
            action, source = self._controls.sample()
        assert action is not None
        self.worst_late_us = max(self.worst_late_us, (late := self._clock.stepped(now)) or 0)
        self._send(view := self._episode.step(action, source, now=now, late_us=late))
        return self._over(self._episode.end_reason, now) if view.last else None

    def _over(self, reason: str, now: int) -> None:
        """The play is over; its record stays open a moment for the last paint times."""
        episode = self._episode
        assert episode is not None
        self._phase, self._reason = Phase.ended, reason
        self._clock.stop()
        self._link.ended(episode, reason)
        self._close_at = now + CLOSING_US
        if episode.seen_to_its_end or not self._link.attached:
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
        since = now - self._episode.started_us
        (self._following or self._controls).release(InputInForce(0, since, None))
        self._link.say(say.Paused(type="paused", reason=reason))

    def _resume(self, now: int) -> None:
        self._phase = Phase.playing
        self._clock.start(now)
        self._link.say(say.Resumed(type="resumed"))

    def _send(self, view: View) -> None:
        episode = self._episode
        assert episode is not None
        if gap := self._link.send(view, lambda: Encoder().encode(self._stage.picture())):
            episode.event("left-out", view.server_us, frames=gap)
            episode.want_key()

    def _say_started(self, episode: Episode) -> None:
        self._link.started(episode, None if self._following is None else self._following.describe())

    def _show_anew(self, episode: Episode, now: int) -> None:
        self._send(episode.again(now))
        episode.want_key()

    def _note_clock(self, sample: dict[str, Any], received: int, at_ms: float) -> None:
        """A clock sample on record, its server times counted from the episode's start as all others are."""
        if self._episode is not None:
            since = {key: sample[key] - self._episode.started_us for key in ("received_us", "answered_us")}
            self._note("clock", received, at_ms, **{**sample, **since})

    def _note(self, kind: str, now: int, at_ms: float, **data: Any) -> None:
        if self._episode is not None:
            self._episode.event(kind, now, round(at_ms * 1000), **data)

    def _follow(self, ticks: say.Ticks, received: int, now: int) -> None:
        episode, following = self._episode, self._following
        if episode is None or following is None or self._phase is not Phase.playing:
            return
        try:
            following.take(episode, ticks, received, now)
        except Incident as incident:
            # What both agreed on is kept, and what was sent beyond it; the next episodes are streamed (rule L7).
            episode.event("incident", now, what=incident.kind, **incident.data)
            self._guide = None
            self._link.say(say.Notice(type="notice", text=incident.notice))
            self._over(incident.reason, now)
        else:
            self._link.say(following.ticked())
            if episode.over:
                self._over(episode.end_reason, now)

    def _go_streaming(self, message: say.Stream, received: int, now: int) -> None:
        episode = self._episode
        if episode is None or self._following is None or self._phase not in (Phase.playing, Phase.paused):
            return
        self._note("stream", received, message.at, reason=message.reason)
        self._following, self._clock = None, make_clock(self._game.pace)
        self._pause("connection", now)
        self._link.expect(episode.n_steps)
        self._show_anew(episode, now)
