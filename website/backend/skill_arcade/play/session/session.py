"""The state machine of one player's session: messages and ticks in, packets and journal records out.

It implements the rules of wire/SPEC.md for start, pause, disconnect, reconnect and end of episodes, streamed and in
lockstep. It neither waits nor uses sockets; `session_runner` does.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, assert_never

from skill_arcade.environments.playable_env import PlayableEnv
from skill_arcade.errors import EnvironmentFailed
from skill_arcade.frames.encoder import Encoder
from skill_arcade.games.manifest import Manifest
from skill_arcade.play.assignment import SessionConfig
from skill_arcade.play.lockstep.verifier import LockstepSupport, LockstepVerifier, LockstepViolation
from skill_arcade.play.session.client_channel import ClientChannel, MessageSink, Phase
from skill_arcade.play.session.clock import Clock, make_clock
from skill_arcade.play.session.episode_recorder import EpisodeRecorder, FrameUpdate, find_caption
from skill_arcade.play.session.failures import DISK_FULL_MESSAGE, describe_crash, end_session_on_failure
from skill_arcade.play.session.input_latch import InputLatch
from skill_arcade.play.session.prepared_reset import PreparedReset
from skill_arcade.play.session.provenance import describe_player, describe_setup, make_header
from skill_arcade.play.session.sound_stream import SoundStream
from skill_arcade.recording.journal import Journal
from skill_arcade.recording.records import ActiveInput, SegmentHeader
from skill_arcade.wire import messages
from skill_arcade.wire.close_codes import CloseCode

log = logging.getLogger(__name__)

END_GRACE_US = 1_000_000
"""Time for which an ended episode's record stays open for the paint times of its last frames."""


class Session:
    """One player at one game, over any number of episodes and connections."""

    def __init__(
        self,
        game: Manifest,
        env: PlayableEnv,
        sink: MessageSink,
        open_journal: Callable[[SegmentHeader], Journal],
        config: SessionConfig,
        wall_us: Callable[[], int],
    ) -> None:
        self._game, self._environment, self._open_journal = game, env, open_journal
        self._config, self._wall_us = config, wall_us
        self._control_names = {control.name for control in game.controls}
        self._channel = ClientChannel(sink, SoundStream.find(env, game.pace))
        self._clock: Clock = make_clock(game.pace)
        self._lockstep_support = LockstepSupport.find(game, env, config.lockstep_module)
        self._verifier: LockstepVerifier | None = None
        self._latch = InputLatch(game.actions, game.noop)
        self._phase = Phase.ready
        self._episode: EpisodeRecorder | None = None
        self._reason = ""
        self._prepared_reset = PreparedReset(env)
        self._leave_at_us: int | None = None
        self._close_at_us: int | None = None
        self.worst_late_us, self.is_finished = 0, False
        self.disk_full_reason = ""  # text for the player, non-empty while no new episode may start

    @property
    def is_idle(self) -> bool:
        """True if `prepare` has a reset to make."""
        return not self._prepared_reset.is_ready and self._episode is None and not self.is_finished

    @property
    def is_ticking(self) -> bool:
        """True while steps are paced by the clock; messages that arrive in between act at the next step anyway."""
        return self._phase is Phase.playing and self._verifier is None and self._clock.due_us is not None

    def prepare(self) -> None:
        """Reset the environment before `start` is received, and send the first picture as a preview (rule O10)."""
        if self.is_idle:
            try:
                self._prepared_reset.prepare()
            except EnvironmentFailed as error:
                return self.crash(error, 0)
            if self._channel.hello is not None:
                self._send_preview()
        return None

    def _send_preview(self) -> None:
        caption = find_caption(self._game, self._prepared_reset.result)
        self._channel.send_preview(self._prepared_reset.prepare_picture(), caption)

    @property
    def due_us(self) -> int | None:
        """Time at which `tick` has something to do, or None if the session only waits for messages."""
        due_times = [self._leave_at_us, self._close_at_us]
        if self._phase is Phase.playing:
            due_times.append(self._clock.due_us)
        if self._episode is not None:
            due_times.append(self._episode.rotation_due_us)
        return min((due for due in due_times if due is not None), default=None)

    @end_session_on_failure
    def tick(self, now: int) -> None:
        """Do what is due: a step, a segment rotation, or a timeout."""
        if self._leave_at_us is not None and now >= self._leave_at_us:
            self.stop("disconnected", now)
        if self._close_at_us is not None and now >= self._close_at_us:
            self._close_record(now)
        if self._episode is None:
            return
        if self._phase is Phase.playing and (due := self._clock.due_us) is not None and now >= due:
            self._step(now)
        else:
            self._episode.rotate_if_due(now)

    @end_session_on_failure
    def attach(self, now: int) -> None:
        """Accept a new connection, whose client sends `hello` next."""
        self._channel.attach()
        self._leave_at_us = None
        if self._episode is not None:
            self._episode.record_event("attach", now)

    @end_session_on_failure
    def detach(self, now: int) -> None:
        """Handle a lost connection: pause the game until the player reconnects or the timeout has passed."""
        if not self._channel.is_attached:
            return
        self._channel.detach()
        self._leave_at_us = now + self._config.resume_us
        if self._phase is Phase.ended:  # its last paint times can no longer arrive
            self._close_record(now)
        if self._episode is not None:
            self._episode.record_event("detach", now)
            if self._verifier is not None:
                self._verifier.stop()  # the page continues without a connection for a while (rule L5)
            elif self._phase is Phase.playing:
                self._pause("connection", now)

    @end_session_on_failure
    def stop(self, reason: str, now: int) -> None:
        """End the session; what was played is recorded."""
        if self._episode is not None and self._phase is not Phase.ended:
            self._end_episode(reason, now)
        self._close_record(now)
        self._leave_at_us = None
        self.is_finished = True

    def abort(self, error: OSError, now: int) -> None:
        """End the session after a write error. The uploader ends episodes whose end cannot be written (rule R5)."""
        self._channel.close(CloseCode.RECORDING_UNAVAILABLE, DISK_FULL_MESSAGE)
        self.is_finished, self._leave_at_us, self._close_at_us = True, None, None
        if self._episode is not None:
            self._episode.abort(self._reason if self._phase is Phase.ended else "no-room", error, now)
        self._phase, self._episode = Phase.ended, None

    def crash(self, error: EnvironmentFailed, now: int) -> None:
        """End the session after the environment has failed; the episode ends with reason `crashed` (rule R16)."""
        episode, self._episode = self._episode, None
        log.error("environment failed, ending the game episode=%s: %s", episode and episode.id, error)
        self._channel.close(CloseCode.GAME_CRASHED, describe_crash(error))
        self.is_finished, self._leave_at_us, self._close_at_us = True, None, None
        reason = self._reason if self._phase is Phase.ended else "crashed"
        self._phase = Phase.ended
        if episode is not None:
            try:
                episode.record_event("crash", now, error=str(error))
            except OSError as disk_error:
                episode.abort(reason, disk_error, now)
            else:
                episode.end(reason, now)

    @end_session_on_failure
    def receive(self, text: bytes, received: int, now: int) -> None:
        """Handle a text message of the page; `received` is the time at which it arrived at the server."""
        try:
            message = messages.read_client(text)
        except ValueError as error:
            return self._channel.reject(str(error))
        if (self._channel.hello is None) is not isinstance(message, messages.Hello):
            return self._channel.reject("hello must be the first message and must be sent only once")
        if (
            self.disk_full_reason
            and self._phase in (Phase.ready, Phase.ended)
            and isinstance(message, messages.Hello | messages.Start)
        ):
            return self._channel.close(CloseCode.RECORDING_UNAVAILABLE, self.disk_full_reason)
        return self._handle(message, received, now)

    def _handle(self, message: messages.ClientMessage, received: int, now: int) -> None:  # noqa: PLR0912 one case each
        match message:
            case messages.Hello():
                self._on_hello(message, now)
            case messages.Setup():
                self._channel.setup = message
                self._record_event("setup", received, message.at, **describe_setup(message))
            case messages.Start():
                self._on_start(message.mode, now)
            case messages.Ticks():
                self._on_ticks(message, received, now)
            case messages.Stream():
                self._switch_to_streaming(message, received, now)
            case messages.Input():
                self._on_input(message, received, now)
            case messages.Shown():
                self._on_shown(message, now)
            case messages.Align():
                self._record_event("align", received, message.at, later_ms=message.later_ms)
                self._clock.shift_phase(message.later_ms * 1000)
            case messages.Ping():
                if (sample := self._channel.answer(message, received, now)) is not None:
                    self._record_clock_sample(sample, received, message.at)
            case messages.Focus():
                self._record_event("focus", received, message.at, state=message.state)
            case messages.Pause():
                if self._phase is Phase.playing:
                    self._record_event("pause", received, message.at)
                    self._pause("player", now)
            case messages.Resume():
                if self._phase is Phase.paused:
                    self._record_event("resume", received, message.at)
                    self._resume(now)
            case messages.Leave():
                if self._phase in (Phase.playing, Phase.paused):
                    self._end_episode("left", now)
            case _:
                assert_never(message)

    def _on_hello(self, hello: messages.Hello, now: int) -> None:
        self.prepare()
        self._channel.hello = hello
        episode = self._episode if self._phase in (Phase.playing, Phase.paused) else None
        offer = None if self._lockstep_support is None else self._lockstep_support.make_offer()
        self._channel.welcome(self._game.id, self._phase, self._prepared_reset.size, episode, offer)
        if self._prepared_reset.is_ready:
            self._send_preview()
        if episode is not None:
            self._send_started(episode)
            self._channel.expect_frame(episode.n_steps)
            if self._verifier is None:
                self._send_keyframe(episode, now)
            elif self._phase is Phase.playing:
                self._verifier.on_reconnect(now)

    def _on_start(self, mode: messages.Mode, now: int) -> None:
        if self._phase in (Phase.playing, Phase.paused):
            self._channel.reject("start is not allowed while an episode is running")
            return
        self._close_record(now)
        seed, prepared_reset = self._prepared_reset.consume()
        verifier = (
            self._lockstep_support.make_verifier(seed)
            if self._lockstep_support is not None and mode == "lockstep"
            else None
        )
        lockstep_fields = {} if verifier is None else {"mode": "lockstep", "lockstep": verifier.provenance}
        provenance = {
            **self._config.provenance,
            **describe_player(self._channel.hello, self._channel.setup),
            **lockstep_fields,
        }
        fields = {"environment": self._environment.spec, "provenance": provenance, "started_wall_us": self._wall_us()}
        describe = partial(make_header, self._game, self._config.user_id, seed, **fields)
        times = {"now": now, "segment_us": self._config.segment_us}
        self._verifier, self._clock = verifier, verifier or make_clock(self._game.pace)
        self._latch = InputLatch(self._game.actions, self._game.noop)
        self._episode = EpisodeRecorder(
            self._game, self._environment, prepared_reset, describe, self._open_journal, **times
        )
        self._phase = Phase.playing
        self._channel.expect_frame(0)
        self._send_started(self._episode)
        if verifier is None:
            self._send(self._episode.prepared_reset)
        self._clock.start(now)

    def _on_input(self, message: messages.Input, received: int, now: int) -> None:
        if message.control not in self._control_names:
            return self._channel.reject(f"unknown control {message.control!r} for {self._game.name}")
        episode = self._episode
        if episode is None or self._verifier is not None or self._phase is not Phase.playing:
            return None
        frame = None if message.frame is None or message.frame > episode.n_steps else message.frame
        control = message.model_dump(include={"control", "down", "device", "code"})
        self._record_event("input", received, message.at, frame=frame, **control)
        source = ActiveInput(round(message.at * 1000), received - episode.started_us, frame)
        self._latch.change(message.control, down=message.down, source=source)
        if self._game.pace.kind == "turn-based":
            action, _ = self._latch.sample()
            if message.down and action is not None:  # a press without an action of its own is not a step (rule I3)
                self._step(now, action, source)
        return None

    def _on_shown(self, message: messages.Shown, now: int) -> None:
        if self._episode is None:
            return
        self._episode.shown([(frame, round(at * 1000)) for frame, at in message.frames])
        self._channel.acknowledge(min(message.received, self._episode.n_steps))
        if self._close_at_us is not None and self._episode.is_final_frame_painted:
            self._close_record(now)

    def _step(self, now: int, action: int | None = None, source: ActiveInput | None = None) -> None:
        assert self._episode is not None
        if self._verifier is not None:
            return self._end_episode("silent", now)  # in lockstep only the timeout of a silent page is due (rule L7)
        if action is None:
            action, source = self._latch.sample()
        assert action is not None
        self.worst_late_us = max(self.worst_late_us, (late_us := self._clock.on_step(now)) or 0)
        self._send(update := self._episode.step(action, source, now=now, late_us=late_us))
        return self._end_episode(self._episode.end_reason, now) if update.is_final else None

    def _end_episode(self, reason: str, now: int) -> None:
        """End the episode; its record stays open for `END_GRACE_US` for the last paint times."""
        episode = self._episode
        assert episode is not None
        self._phase, self._reason = Phase.ended, reason
        self._clock.stop()
        self._channel.ended(episode, reason)
        self._close_at_us = now + END_GRACE_US
        if episode.is_final_frame_painted or not self._channel.is_attached:
            self._close_record(now)

    def _close_record(self, now: int) -> None:
        self._close_at_us = None
        if self._episode is not None:
            if self._channel.dropped_frames:
                self._episode.record_event("left-out", now, frames=self._channel.dropped_frames)
            episode, self._episode = self._episode, None
            episode.end(self._reason, now)

    def _pause(self, reason: Literal["player", "connection"], now: int) -> None:
        assert self._episode is not None
        self._phase = Phase.paused
        self._clock.stop()
        elapsed_us = now - self._episode.started_us
        (self._verifier or self._latch).release(ActiveInput(0, elapsed_us, None))
        self._channel.send(messages.Paused(type="paused", reason=reason))

    def _resume(self, now: int) -> None:
        self._phase = Phase.playing
        self._clock.start(now)
        self._channel.send(messages.Resumed(type="resumed"))

    def _send(self, update: FrameUpdate) -> None:
        episode = self._episode
        assert episode is not None
        if n_dropped := self._channel.send_frame(update, lambda: Encoder().encode(self._environment.picture())):
            episode.record_event("left-out", update.server_us, frames=n_dropped)
            episode.request_keyframe()

    def _send_started(self, episode: EpisodeRecorder) -> None:
        self._channel.started(episode, None if self._verifier is None else self._verifier.describe())

    def _send_keyframe(self, episode: EpisodeRecorder, now: int) -> None:
        self._send(episode.redraw(now))
        episode.request_keyframe()

    def _record_clock_sample(self, sample: dict[str, Any], received: int, at_ms: float) -> None:
        """Record a clock sample, with its server times relative to the start of the episode."""
        if self._episode is not None:
            relative_us = {key: sample[key] - self._episode.started_us for key in ("received_us", "answered_us")}
            self._record_event("clock", received, at_ms, **{**sample, **relative_us})

    def _record_event(self, kind: str, now: int, at_ms: float, **data: Any) -> None:
        if self._episode is not None:
            self._episode.record_event(kind, now, round(at_ms * 1000), **data)

    def _on_ticks(self, ticks: messages.Ticks, received: int, now: int) -> None:
        episode, verifier = self._episode, self._verifier
        if episode is None or verifier is None or self._phase is not Phase.playing:
            return
        try:
            verifier.apply_steps(episode, ticks, received, now)
        except LockstepViolation as violation:
            # The agreed steps are kept, and the rejected message is recorded; the next episodes are streamed (rule L7).
            episode.record_event("incident", now, what=violation.kind, **violation.data)
            self._lockstep_support = None
            self._channel.send(messages.Notice(type="notice", text=violation.notice))
            self._end_episode(violation.reason, now)
        else:
            self._channel.send(verifier.make_ticked_message())
            if episode.is_over:
                self._end_episode(episode.end_reason, now)

    def _switch_to_streaming(self, message: messages.Stream, received: int, now: int) -> None:
        episode = self._episode
        if episode is None or self._verifier is None or self._phase not in (Phase.playing, Phase.paused):
            return
        self._record_event("stream", received, message.at, reason=message.reason)
        self._verifier, self._clock = None, make_clock(self._game.pace)
        self._pause("connection", now)
        self._channel.expect_frame(episode.n_steps)
        self._send_keyframe(episode, now)
