"""The state machine of one player's session: messages and ticks in, packets and journal records out.

It implements the rules of wire/SPEC.md for start, pause, disconnect, reconnect and end of episodes, streamed and in
lockstep. It neither waits nor uses sockets; `session_runner` does.
"""

import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, Protocol, assert_never
from uuid import UUID

from skill_arcade.environments.playable_env import PlayableEnv, StepResult
from skill_arcade.errors import EnvironmentFailed
from skill_arcade.frames.encoder import Encoder
from skill_arcade.games.manifest import Manifest
from skill_arcade.play.assignment import Branch, RecordedSteps, ResumedEpisode, SessionConfig
from skill_arcade.play.lockstep.verifier import LockstepSupport, LockstepVerifier, LockstepViolation
from skill_arcade.play.processes.ipc import LATE_STEP_US
from skill_arcade.play.session.client_channel import ClientChannel, MessageSink, Phase
from skill_arcade.play.session.clock import Clock, TurnClock, make_clock
from skill_arcade.play.session.delays import InputDelay
from skill_arcade.play.session.episode_recorder import EpisodeRecorder, Progress, find_caption
from skill_arcade.play.session.failures import DISK_FULL_MESSAGE, describe_crash, end_session_on_failure
from skill_arcade.play.session.input_latch import InputLatch
from skill_arcade.play.session.prepared_reset import PreparedReset
from skill_arcade.play.session.provenance import describe_player, describe_setup, make_header, make_resumed_header
from skill_arcade.play.session.resumption import Resumption
from skill_arcade.play.session.shared_control import can_share
from skill_arcade.play.session.sound_stream import SoundStream
from skill_arcade.play.session.takeover import Takeover
from skill_arcade.play.session.watch_feed import WatchFeed, WatchSink
from skill_arcade.recording.journal import EpisodeJournal
from skill_arcade.recording.records import ActiveInput, SegmentHeader
from skill_arcade.recording.segment import SERVER_LOST
from skill_arcade.wire import messages
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.packet import FramePacket

log = logging.getLogger(__name__)

MAX_UNSEALED_EPISODES = 8
"""Ended episodes of a stepped program that may wait for the disk. An `fsync` takes milliseconds, sometimes a second."""
END_GRACE_US = 1_000_000
"""Time for which an ended episode's record stays open for the paint times of its last frames."""

STEPS_LOST_NOTICE = (
    "The server of your game stopped. The last seconds that you saw were not stored; the game continues before them."
)
TAIL_LOST_NOTICE = (
    "The server of your game stopped. The last moment that you saw may be missing; the game continues before it."
)
NOT_A_PROGRAM = "only a program may {}; this player signed in as a person, or this arcade has PROGRAM_PLAY=false"


class SessionSink(MessageSink, WatchSink, Protocol):
    """Destination of everything that a session sends, to its player and to watchers."""


class Session:
    """One player at one game, over any number of episodes and connections."""

    def __init__(
        self,
        game: Manifest,
        env: PlayableEnv,
        sink: SessionSink,
        open_journal: Callable[[SegmentHeader], EpisodeJournal],
        config: SessionConfig,
        wall_us: Callable[[], int],
    ) -> None:
        self._game, self._environment, self._open_journal = game, env, open_journal
        self._config, self._wall_us = config, wall_us
        self._control_names = {control.name for control in game.controls}
        self._is_turn_based = game.pace.kind == "turn-based"
        sound = None if config.sound is False else SoundStream.find(env, game.pace)
        self._channel = ClientChannel(sink, sound, is_sound_forced=config.sound is True, delay_us=config.frame_delay_us)
        self._input_delay = InputDelay(config.input_delay_us)
        self._watch = WatchFeed(sink)
        self._clock: Clock = make_clock(game.pace)
        self._takeover = None if config.agent is None else Takeover(config.agent, game, env, self._channel.send)
        module = None if config.agent is not None else config.lockstep_module
        self._lockstep_support = LockstepSupport.find(game, env, module)
        self._verifier: LockstepVerifier | None = None
        self._latch = InputLatch(game.actions, game.noop)
        self._phase = Phase.ready
        self._episode: EpisodeRecorder | None = None
        self._unsealed: deque[EpisodeRecorder] = deque()
        """Ended episodes of a stepped program, whose recordings may not be on disk yet (rule R43)."""
        self._reason = ""
        self._prepared_reset = PreparedReset(env, config.seed)
        self._has_started = False
        self._program: messages.ProgramStart | None = None
        """How the program plays the current episode, or None for a person."""
        self._notice = ""  # text for the player, sent after the next `welcome`
        self._leave_at_us: int | None = None
        self._close_at_us: int | None = None
        self.worst_late_us, self.is_finished = 0, False
        self.handed_over: UUID | None = None
        """Episode that `hand_over` has left to another server."""
        self.n_timed_steps = self.n_late_steps = 0
        self.disk_full_reason = ""  # text for the player, non-empty while no new episode may start

    @property
    def is_idle(self) -> bool:
        """True if `prepare` has a reset to make."""
        is_seed_drawn = self._program is None or self._program.seed is None
        return not self._prepared_reset.is_ready and self._episode is None and not self.is_finished and is_seed_drawn

    @property
    def is_ticking(self) -> bool:
        """True while steps are paced by the clock; messages that arrive in between act at the next step anyway."""
        is_by_clock = self._verifier is None and self._clock.due_us is not None and not self._is_turn_based
        return self._phase is Phase.playing and is_by_clock

    def prepare(self) -> None:
        """Reset the environment before `start` is received, and send the first picture as a preview (rule O10)."""
        if self.is_idle:
            try:
                self._prepared_reset.prepare()
            except EnvironmentFailed as error:
                return self.crash(error, 0)
            if self._channel.is_attached:
                self._send_preview()
        return None

    def _send_preview(self) -> None:
        caption = find_caption(self._game, self._prepared_reset.result)
        self._channel.send_preview(self._prepared_reset.prepare_picture(), caption)

    @property
    def due_us(self) -> int | None:
        """Time at which `tick` has something to do, or None if the session only waits for messages."""
        is_playing = self._phase is Phase.playing
        due_us = self._clock.due_us if is_playing else None
        for other_us in (
            self._leave_at_us,
            self._close_at_us,
            self._channel.due_us,
            self._input_delay.due_us if is_playing and self._is_turn_based else None,
            None if self._episode is None else self._episode.rotation_due_us,
        ):
            if other_us is not None and (due_us is None or other_us < due_us):
                due_us = other_us
        return due_us

    @end_session_on_failure
    def tick(self, now: int) -> None:
        """Do what is due: a step, a segment rotation, a delayed packet or input, or a timeout."""
        self._channel.release(now)
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
            self._apply_inputs(now)

    @end_session_on_failure
    def attach(self, hello: messages.Hello, now: int) -> None:
        """Accept a new connection, and answer its `hello`. A running episode continues."""
        self._channel.attach(hello)
        self._leave_at_us = None
        if self._episode is not None:
            self._episode.record_event("attach", now)
        if self.disk_full_reason and self._phase in (Phase.ready, Phase.ended):
            self._channel.close(CloseCode.RECORDING_UNAVAILABLE, self.disk_full_reason)
        else:
            self._welcome(now)

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
        self.wait_until_sealed()
        self._channel.flush()
        self._leave_at_us = None
        self.is_finished = True

    @end_session_on_failure
    def hand_over(self, reason: str, now: int) -> None:
        """End the session. A running episode is left to another server if it can be (rule R26); it ends otherwise."""
        episode = self._episode
        if episode is None or self._phase not in (Phase.playing, Phase.paused) or not self._can_hand_over:
            return self.stop(reason, now)
        if self._watch.is_on:
            episode.record_event("watch", now, allowed=False)
        if self._channel.dropped_frames:
            episode.record_event("left-out", now, frames=self._channel.dropped_frames)
        self.detach(now)
        if self.is_finished:  # the recording cannot be written
            return None
        self._episode, self._leave_at_us, self.is_finished = None, None, True
        episode.hand_over(now, reason)
        self.handed_over = episode.id
        return None

    @property
    def _can_hand_over(self) -> bool:
        """Whether another server can find and repeat the episode: it is recorded, of no study or day, and no branch."""
        is_plain = not self._config.is_single_episode and self._config.branch is None and self._takeover is None
        return self._config.consent.is_recorded and is_plain

    def open_resumption(self, steps: RecordedSteps) -> Resumption:
        """Return what repeats recorded steps, for `resume` or `branch`."""
        support = self._lockstep_support
        return Resumption(self._environment, steps, None if support is None else support.make_verifier)

    @property
    def needs_branch(self) -> bool:
        """True if the next episode begins at a recorded frame, whose steps are to be repeated for `branch` first."""
        is_between = self._phase in (Phase.ready, Phase.ended) and not self.is_finished
        return self._config.branch is not None and is_between and not self._prepared_reset.is_ready

    def branch(self, branch: Branch, last_result: StepResult) -> None:
        """Begin the next episode at the frame of a branch, whose steps were repeated (rule R31)."""
        self._prepared_reset.use(branch.seed, last_result)
        if self._channel.is_attached:
            self._send_preview()

    def resume(self, resumed: ResumedEpisode, resumption: Resumption, last_result: StepResult, now: int) -> None:
        """Continue an episode of another server, whose steps `resumption` has repeated (rule R28).

        If it is streamed, it is paused. In lockstep the page goes on, or says that the game is paused (rule L5).

        * `last_result`: what the last step has returned.

        Raises:
            EnvironmentFailed, OSError: it cannot be recorded. The session is as before.
        """
        progress = Progress(resumed.started_us, resumption.n_steps, resumption.score, last_result)
        describe = partial(make_resumed_header, self._game, self._config, resumed, progress)
        episode = EpisodeRecorder(
            self._game,
            self._environment,
            resumption.reset_result,
            describe,
            self._open_journal,
            now=now,
            segment_us=self._config.segment_us,
            progress=progress,
        )
        program = resumed.provenance.get("program")
        self._program = None if program is None else messages.ProgramStart.model_validate(program)
        self._prepared_reset.measure()
        self._episode, self._verifier, self._has_started = episode, resumption.verifier, True
        self._clock = self._verifier or self._make_clock()
        self._phase = Phase.paused if self._verifier is None else Phase.playing
        if self._verifier is not None:
            self._verifier.start_moved(now)
        self._leave_at_us = now + self._config.resume_us

    def repeat_tail(self, resumed: ResumedEpisode, resumption: Resumption, now: int) -> bool:
        """Record what the server before had recorded and not uploaded, then say where the episode goes on or ends.

        Return False if some is left for the next call.

        Raises:
            ResumeFailed, EnvironmentFailed, OSError: it cannot be continued; the uploader ends what was recorded.
        """
        episode = self._episode
        assert episode is not None
        if not resumption.repeat_tail(episode):
            return False
        facts: dict[str, Any] = {"server": resumed.describe_server_before()}
        if resumed.tail:
            facts["recovered_steps"] = resumption.n_repeated
        if resumed.is_over:
            end_us = episode.started_us + resumption.last_us
            episode.record_event("recovered", end_us, None, **facts)
            self._end_episode(episode.end_reason if episode.is_over else SERVER_LOST, end_us)
            self._close_record(end_us)
            self._leave_at_us, self.is_finished = None, True
            return True
        episode.record_event("moved" if resumed.is_whole else "rewound", now, None, **facts)
        if not resumed.is_whole:
            self.notify(TAIL_LOST_NOTICE if resumed.tail else STEPS_LOST_NOTICE)
        return True

    def abandon(self) -> None:
        """Forget an episode that could not be continued. The next one starts as usual."""
        self._episode, self._verifier, self._program = None, None, None
        self._leave_at_us, self._phase = None, Phase.ready

    @end_session_on_failure
    def end_if_over(self, now: int) -> None:
        """End an episode whose last step was its end, which the server before did not record."""
        if self._episode is not None and self._episode.is_over:
            self._end_episode(self._episode.end_reason, now)

    def notify(self, text: str) -> None:
        """Tell the player something after the next `welcome`."""
        self._notice = text

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
        if self.disk_full_reason and self._phase in (Phase.ready, Phase.ended) and isinstance(message, messages.Start):
            return self._channel.close(CloseCode.RECORDING_UNAVAILABLE, self.disk_full_reason)
        return self._handle(message, received, now)

    def _handle(self, message: messages.ClientMessage, received: int, now: int) -> None:  # noqa: PLR0912 one case each
        match message:
            case messages.Hello():
                self._channel.reject("hello must be the first message and must be sent only once")
            case messages.Setup():
                self._channel.setup = message
                self._record_event("setup", received, message.at, **describe_setup(message))
            case messages.Start():
                self._on_start(message, now)
            case messages.Act():
                self._on_act(message, received, now)
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
            case messages.AgentSetup():
                self._on_agent_setup(message, received, now)
            case messages.TakeoverReason():
                self._on_takeover_reason(message, received)
            case messages.Watch():
                self._on_watch(message, received, now)
            case messages.Leave():
                if self._phase in (Phase.playing, Phase.paused):
                    self._end_episode("left", now)
            case _:
                assert_never(message)

    def _welcome(self, now: int) -> None:
        """Describe the session to a new client, and send the episode that runs, if there is one."""
        if self.is_idle:
            self._prepared_reset.prepare()
        episode = self._episode if self._phase in (Phase.playing, Phase.paused) else None
        offer = None if self._lockstep_support is None else self._lockstep_support.make_offer()
        if self._watch.is_on:
            self._watch.switch(on=True)  # so that the server sends the link again, after `welcome`
        self._channel.welcome(
            self._game.id,
            self._phase,
            self._prepared_reset.size,
            self._environment.n_actions,
            episode,
            offer,
            self._config.ghost,
            self._config.consent,
        )
        if self._prepared_reset.is_ready:
            self._send_preview()
        if episode is not None:
            self._send_started(episode)
            if self._takeover is not None:
                self._takeover.tell()
            self._channel.expect_frame(episode.n_steps)
            if self._verifier is None:
                self._send_keyframe(episode, now)
            elif self._phase is Phase.playing:
                self._verifier.on_reconnect(now)
        if self._notice:
            self._channel.send(messages.Notice(type="notice", text=self._notice))
            self._notice = ""

    def _on_start(self, message: messages.Start, now: int) -> None:
        if self._phase in (Phase.playing, Phase.paused):
            self._channel.reject("start is not allowed while an episode is running")
            return
        if self._config.is_single_episode and self._has_started:
            self._channel.reject("this game can be started once")
            return
        if (rejection := self._find_program_error(message)) is not None:
            self._channel.reject(rejection)
            return
        self._has_started, self._program = True, message.program
        self._close_record(now)
        seed, prepared_reset, picture = self._prepared_reset.consume(
            None if self._program is None else self._program.seed
        )
        verifier = (
            self._lockstep_support.make_verifier(seed)
            if self._lockstep_support is not None and message.mode == "lockstep"
            else None
        )
        lockstep_fields = {} if verifier is None else {"mode": "lockstep", "lockstep": verifier.provenance}
        provenance = {
            **self._config.provenance,
            **describe_player(self._channel.hello, self._channel.setup),
            **lockstep_fields,
            **({} if self._config.ghost is None else {"ghost": self._config.ghost.describe()}),
            **({"watch": True} if self._watch.is_on else {}),
            **({} if self._takeover is None else {"takeover": self._takeover.describe()}),
            **({} if self._program is None else {"program": self._program.model_dump(mode="json")}),
        }
        fields = {"environment": self._environment.spec, "provenance": provenance, "started_wall_us": self._wall_us()}
        describe = partial(make_header, self._game, self._config.user_id, seed, **fields)
        self._verifier, self._clock = verifier, verifier or self._make_clock()
        self._latch = InputLatch(self._game.actions, self._game.noop)
        self._episode = EpisodeRecorder(
            self._game,
            self._environment,
            prepared_reset,
            describe,
            self._open_journal,
            now=now,
            segment_us=self._config.segment_us,
            first_picture=picture,
        )
        self._phase = Phase.playing
        self._channel.expect_frame(0)
        self._send_started(self._episode)
        if self._takeover is not None:
            self._takeover.start(self._episode, seed, now)
        if verifier is None:
            self._send_outcome(self._episode)
            self._send(self._episode.prepared_reset)
        else:
            self._watch.send_frame(self._episode.prepared_reset)
        self._clock.start(now)

    def _on_agent_setup(self, message: messages.AgentSetup, received: int, now: int) -> None:
        if self._takeover is None:
            return self._channel.reject("agent is not allowed in a game without an agent")
        if message.mode == "together" and not can_share(self._game):
            return self._channel.reject(f"no two controls of {self._game.name} act together, so mode must be take-over")
        episode = self._episode if self._phase in (Phase.playing, Phase.paused) else None
        return self._takeover.set_up(message, episode, received, now)

    def _on_takeover_reason(self, message: messages.TakeoverReason, received: int) -> None:
        if self._takeover is None:
            self._channel.reject("reason is not allowed in a game without an agent")
        elif self._episode is not None:
            self._takeover.record_reason(message, self._episode, received)

    def _on_watch(self, message: messages.Watch, received: int, now: int) -> None:
        """Allow or end watching (rules O18 and R19). Watchers begin with the picture that the player sees now."""
        if message.allowed and not self._config.consent.is_watchable:
            self._channel.reject("watching needs the player's consent to replays")
            return
        if message.allowed is self._watch.is_on:
            return
        self._record_event("watch", received, message.at, allowed=message.allowed)
        self._watch.switch(on=message.allowed)
        self.send_scene()
        if self._episode is not None and message.allowed:
            self._watch.send_frame(self._episode.redraw(now))
            self._episode.request_keyframe()

    def send_scene(self) -> None:
        """Tell watchers the state of the game, if it has changed."""
        self._watch.send_scene(self._phase, is_away=not self._channel.is_attached)

    def request_watch_keyframe(self) -> None:
        """Encode the next frame as a keyframe, so that new watchers need nothing before it."""
        if self._episode is not None:
            self._episode.request_keyframe()

    @end_session_on_failure
    def record_watchers(self, count: int, now: int) -> None:
        """Record how many others watch from now on (rule R19)."""
        if self._episode is not None and self._phase is not Phase.ended:
            self._episode.record_event("watchers", now, count=count)

    def _on_input(self, message: messages.Input, received: int, now: int) -> None:
        if message.control not in self._control_names:
            return self._channel.reject(f"unknown control {message.control!r} for {self._game.name}")
        episode = self._episode
        if episode is None or self._verifier is not None or self._phase is not Phase.playing:
            return None
        frame = None if message.frame is None or message.frame > episode.n_steps else message.frame
        control, down, device, code = message.control, message.down, message.device, message.code
        fields = {"control": control, "down": down, "device": device, "code": code}
        self._record_event("input", received, message.at, frame=frame, **fields)
        source = ActiveInput(round(message.at * 1000), received - episode.started_us, frame)
        self._input_delay.hold(message.control, source, received, down=message.down)
        return self._apply_inputs(now)

    def _apply_inputs(self, now: int) -> None:
        """Let the inputs act whose delay is over (rule I4). In real time they act at the next step."""
        for held in self._input_delay.take_due(now):
            self._latch.change(held.control, down=held.down, source=held.source)
            if self._is_turn_based:
                action, _ = self._latch.sample()
                if self._takeover is not None:
                    self._takeover.on_input(now, is_holding=self._latch.is_holding)
                if held.down and action is not None:  # a press without an action of its own is not a step (rule I3)
                    self._step(now, action, held.source)

    def _find_program_error(self, message: messages.Start) -> str | None:
        """Return why a `start` of a program is not allowed (rule O24), or None."""
        if message.program is None:
            return None
        if not self._config.consent.is_program:
            return NOT_A_PROGRAM.format("choose its pace and seed")
        if self._takeover is not None:
            return "an agent plays this game already, and only a person takes over"
        if (message.mode == "lockstep") != (message.program.pace == "lockstep"):
            return "start needs the mode lockstep with the pace lockstep, and the mode streamed with another pace"
        if message.mode == "lockstep" and self._lockstep_support is None:
            return "this game is not offered in lockstep, or earlier steps were refused; choose another pace"
        if message.program.seed is not None and self._config.seed is not None:
            return "the seed of this game is given, so a program cannot choose it"
        if self._config.input_delay_us or self._config.frame_delay_us:
            return "a trial with delays is played by input, also by a program"
        return None

    def _make_clock(self) -> Clock:
        """Return the clock of the episode. A stepped one waits for the program, as a turn-based game does."""
        if self._is_stepped:
            return TurnClock()
        agent_clock = None if self._takeover is None else self._takeover.clock
        return agent_clock or make_clock(self._game.pace)

    @property
    def _is_stepped(self) -> bool:
        return self._program is not None and self._program.pace == "stepped"

    def _on_act(self, message: messages.Act, received: int, now: int) -> None:
        if not self._config.consent.is_program:
            return self._channel.reject(NOT_A_PROGRAM.format("send act"))
        if self._program is None and self._phase is Phase.playing:
            return self._channel.reject("act needs a start with program")
        if message.action >= self._environment.n_actions:
            return self._channel.reject(
                f"act.action is {message.action}; {self._game.name} has the actions 0 to \
{self._environment.n_actions - 1}"
            )
        episode = self._episode
        if episode is None or self._phase is not Phase.playing:
            return None
        if self._verifier is not None:
            return self._channel.reject("act is for streamed episodes; in lockstep send ticks")
        frame = None if message.frame is None or message.frame > episode.n_steps else message.frame
        source = ActiveInput(round(message.at * 1000), received - episode.started_us, frame)
        if self._is_stepped or self._is_turn_based:
            return self._step(now, message.action, source)
        self._record_event("act", received, message.at, action=message.action, frame=frame)
        return self._latch.hold_action(message.action, source)

    def _send_outcome(self, episode: EpisodeRecorder) -> None:
        """Send a program what the environment returned, before the picture."""
        if self._program is not None:
            self._channel.send(episode.describe_outcome())

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
        is_press = action is not None
        if action is None:
            if self._input_delay.due_us is not None:
                self._apply_inputs(now)
            action, source = self._latch.sample()
        if self._takeover is not None:
            is_holding = is_press or self._latch.is_holding
            action, source = self._takeover.choose(self._episode, action, source, now, is_holding=is_holding)
        assert action is not None
        late_us = self._clock.on_step(now)
        if late_us is not None:
            self.worst_late_us = max(self.worst_late_us, late_us)
            self.n_timed_steps += 1
            self.n_late_steps += late_us > LATE_STEP_US
        packet = self._episode.step(action, source, now=now, late_us=late_us)
        self._send_outcome(self._episode)
        self._send(packet)
        if packet.is_final:
            return self._end_episode(self._episode.end_reason, now)
        if self._takeover is not None:
            self._takeover.observe(self._episode, now)
        return None

    def _end_episode(self, reason: str, now: int) -> None:
        """End the episode; its record stays open for `END_GRACE_US` for the last paint times."""
        episode = self._episode
        assert episode is not None
        self._phase, self._reason = Phase.ended, reason
        self._clock.stop()
        self._input_delay.clear()
        self._channel.ended(episode, reason)
        self._close_at_us = now + END_GRACE_US
        if episode.is_final_frame_painted or not self._channel.is_attached or self._is_stepped:
            self._close_record(now)

    def _close_record(self, now: int) -> None:
        self._close_at_us = None
        if self._episode is not None:
            self._check_sealed(MAX_UNSEALED_EPISODES - 1)
            if self._channel.dropped_frames:
                self._episode.record_event("left-out", now, frames=self._channel.dropped_frames)
            episode, self._episode = self._episode, None
            is_waiting = not self._is_stepped
            episode.end(self._reason, now, is_waiting=is_waiting)
            if not is_waiting:
                self._unsealed.append(episode)

    def wait_until_sealed(self) -> None:
        """Wait until the recordings of all ended episodes are on disk. Raises OSError if that failed."""
        self._check_sealed(0)

    def _check_sealed(self, max_unsealed: int) -> None:
        """Wait until at most `max_unsealed` ended episodes are not on disk. Raises OSError if that failed for one."""
        while self._unsealed and (len(self._unsealed) > max_unsealed or self._unsealed[0].is_sealed):
            self._unsealed.popleft().wait_until_sealed()

    def _pause(self, reason: Literal["player", "connection"], now: int) -> None:
        assert self._episode is not None
        self._phase = Phase.paused
        self._clock.stop()
        self._input_delay.clear()
        elapsed_us = now - self._episode.started_us
        (self._verifier or self._latch).release(ActiveInput(0, elapsed_us, None))
        self._channel.send(messages.Paused(type="paused", reason=reason))

    def _resume(self, now: int) -> None:
        self._phase = Phase.playing
        self._clock.start(now)
        self._channel.send(messages.Resumed(type="resumed"))

    def _send(self, packet: FramePacket) -> None:
        episode = self._episode
        assert episode is not None
        if n_dropped := self._channel.send_frame(packet, lambda: Encoder().encode(self._environment.picture())):
            episode.record_event("left-out", packet.server_us, frames=n_dropped)
            episode.request_keyframe()
        self._watch.send_frame(packet)

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
            verifier.apply_steps(episode, ticks, received, now, self._watch.send_frame)
        except LockstepViolation as violation:
            # The agreed steps are kept, and the rejected message is recorded; the next episodes are streamed (rule L7).
            episode.record_event("incident", now, what=violation.kind, **violation.data)
            log.warning("lockstep steps refused episode=%s kind=%s first=%d", episode.id, violation.kind, ticks.first)
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
        self._verifier, self._clock = None, self._make_clock()
        self._pause("connection", now)
        self._channel.expect_frame(episode.n_steps)
        self._send_keyframe(episode, now)
