"""A Gymnasium environment whose steps are played on a running arcade, over the socket that the page uses."""

import json
import string
import time
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from websockets.exceptions import ConnectionClosed as SocketClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from skill_arcade.client.http import PlayTicket, issue_ticket, sign_in, sign_in_agent
from skill_arcade.client.lockstep import EpisodeRefused, LockstepGame, LockstepUnavailable
from skill_arcade.exact_json import decode_info, decode_value
from skill_arcade.frames.decoder import Decoder
from skill_arcade.wire.packet import FramePacket

if TYPE_CHECKING:
    from skill_arcade.client.emulator import LocalEmulator

Pace = Literal["stepped", "realtime", "lockstep"]
Picture = NDArray[np.uint8]

TIMEOUT_SECONDS = 30.0
"""Longest wait for the arcade. A first game may have to load its environment."""
ACKNOWLEDGED_FRAMES = 20
"""Frames after which they are acknowledged; the arcade drops frames when 60 are not (rule F2)."""


MAX_TEXT = 10_000
"""Longest text in a space."""


class ConnectionClosed(Exception):
    """The arcade closed the connection. The text is its reason; the episode is recorded up to there."""


class ArcadeEnv(gymnasium.Env[Any, int]):
    """Plays one game of an arcade as a program.

    An observation is the picture that a person sees, (height, width, 3) uint8, or with `observations="environment"`
    what the game's own environment returned. Rewards and flags are the environment's, and `info` is its `info` as
    recorded, with `"arcade"`: the episode's id, the index of the observation, and the picture.
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 as Gymnasium declares it

    def __init__(
        self,
        url: str,
        game: str,
        *,
        name: str,
        token: str | None = None,
        version: int | None = None,
        pace: Pace = "stepped",
        options: dict[str, str] | None = None,
        observations: Literal["picture", "environment"] = "picture",
        branch: tuple[str, int] | None = None,
    ) -> None:
        """Sign in and connect.

        Args:
            url: Address of the arcade, such as `http://localhost:8080`.
            game: Id of the game, such as `breakout`.
            name: Name of the program: lower-case letters, digits and `-`. Programs of one name are one player.
            token: Token of an agent, made by `skill-arcade agents token`; None signs in by the name alone, which an
                arcade that uses Firebase or has `PROGRAM_PLAY=false` refuses.
            version: Number of the agent's version that plays; None names none. Episodes point to it, and a game in
                real time can be watched by everyone who is signed in.
            pace: `stepped`: the game waits for each `step`, and the episode is marked so. `realtime`: the game runs as
                for people; `step` sets the action and returns the newest observation, so observations may be left out.
                `lockstep`: the program steps its own copy of an Atari game, at the game's rate and without waiting for
                the network, and the arcade verifies each step. It needs ale-py.
            options: Options of the game, such as `{"mode": "4"}`.
            observations: What `reset` and `step` return.
            branch: Id of an episode that the program has played, and the number of a frame: each episode begins there,
                with the options of that one.

        Raises:
            RequestRefused: the arcade refuses the sign-in or the game.
            ConnectionClosed: the arcade closes the connection.
            LockstepUnavailable: the game cannot be played in lockstep here.
            OSError: the arcade does not answer.
        """
        if pace == "lockstep" and branch is not None:
            raise ValueError(
                "an episode that begins at a recorded frame is not played in lockstep; choose another pace"
            )
        load_emulator = _find_emulator() if pace == "lockstep" else None
        self.pace: Pace = pace
        self.render_mode = "rgb_array"
        self._observes_picture = observations == "picture"
        self._exit = ExitStack()
        self._is_branch = branch is not None
        self._emulator: LocalEmulator | None = None
        self._lockstep: LockstepGame | None = None
        self._notice = ""
        session = sign_in(url, name) if token is None else sign_in_agent(url, token)
        ticket = issue_ticket(url, session, game, branch, version)
        self._socket = self._exit.enter_context(_connect(url, game, ticket, options or {}))
        self._send("hello", **_describe_program(name))
        welcome = self._read_until("welcome")
        if load_emulator is not None:
            try:
                offer = _require_offer(welcome["lockstep"], game)
                self._emulator = load_emulator(offer)
            except LockstepUnavailable:
                self._exit.close()
                raise
            self._exit.callback(self._emulator.close)
            self._lockstep = LockstepGame(offer, self._emulator, self._send_exactly, _now_ms)
        if version is not None:  # a game that waits is played too fast to be watched
            self._send("watch", allowed=pace != "stepped")
        self._decoder = Decoder(welcome["width"], welcome["height"])
        self._n_actions = int(welcome["n_actions"])
        self.action_space = spaces.Discrete(self._n_actions)  # type: ignore[assignment]
        self.observation_space: spaces.Space[Any] = spaces.Box(
            0, 255, (welcome["height"], welcome["width"], 3), np.uint8
        )
        self._picture: Picture = np.zeros((welcome["height"], welcome["width"], 3), np.uint8)
        self._outcome: dict[str, Any] = {}
        self._packet: FramePacket | None = None
        self._episode: str | None = None
        self._is_over = True
        self._acknowledged = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode, and end the one that runs.

        `seed` is 1 to 2**31 - 1; None lets the arcade draw one. Both are recorded.

        Raises:
            ValueError: there is a seed, although the episode begins at a recorded frame.
            ConnectionClosed: the arcade closed the connection.
            EpisodeRefused: in lockstep, the arcade refused the last steps of the episode before.
        """
        if seed is not None and self._is_branch:
            raise ValueError("an episode that begins at a recorded frame has the seed of that episode; leave it out")
        super().reset(seed=seed)
        if not self._is_over:
            self._leave()
        if self._lockstep is not None:
            return self._reset_lockstep(self._lockstep, seed)
        self._acknowledged, self._is_over = 0, False
        self._send("start", mode="streamed", program={"pace": self.pace, "seed": seed})
        self._episode = self._read_until("started")["episode"]
        self._packet = None  # what came before is of the episode before
        self._read_frame(0)
        observation = self._observe()
        if not self._observes_picture:
            self.observation_space = space_of(observation)
        return observation, self._describe()

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Act, and return the observation that follows. In real time it is the newest one, at least one step later.

        In lockstep it waits until the step is due. A program that is a second late pauses the game, which is recorded.

        Raises:
            ValueError: there is no such action, or no episode runs.
            ConnectionClosed: the arcade closed the connection.
            EpisodeRefused: in lockstep, the arcade did not accept a step.
        """
        if not self.action_space.contains(action):
            raise ValueError(f"the action is {action!r}; this game has the actions 0 to {self._n_actions - 1}")
        if self._is_over:
            raise ValueError("no episode runs; call reset first")
        if self._lockstep is not None:
            return self._step_lockstep(self._lockstep, int(action))
        assert self._packet is not None
        frame = self._packet.frame
        self._send("act", action=int(action), frame=frame)
        reward = self._read_frame(frame + 1)
        packet = self._packet
        if packet.is_final:
            self._read_until("ended")
            self._is_over = True
        return self._observe(), reward, packet.terminated, packet.truncated, self._describe()

    def render(self) -> Picture:
        """Return the newest picture, (height, width, 3) uint8."""
        return self._picture

    def close(self) -> None:
        """End the episode that runs, and disconnect. It is recorded as left.

        Raises:
            EpisodeRefused: in lockstep, the arcade refused the last steps.
        """
        try:
            if not self._is_over:
                self._leave()
        except ConnectionClosed:
            pass
        finally:
            self._is_over = True
            self._exit.close()

    def _leave(self) -> None:
        if self._lockstep is not None:
            self._lockstep.flush()
        self._send("leave")
        self._is_over = True
        self._read_until("ended")

    # -- lockstep -------------------------------------------------------------------------------------------------

    def _reset_lockstep(self, game: LockstepGame, seed: int | None) -> tuple[Any, dict[str, Any]]:
        assert self._emulator is not None
        self._send("start", mode="lockstep", program={"pace": "lockstep", "seed": seed})
        started = self._read_until("started")
        self._episode, self._is_over, self._notice = started["episode"], False, ""
        game.start(started["lockstep"]["ale_seed"])
        if self._emulator.digest != started["lockstep"]["digest"]:
            self._leave()
            raise LockstepUnavailable(
                "The first picture of this machine is not that of the arcade. Choose another pace."
            )
        return self._observe_lockstep(game)

    def _step_lockstep(self, game: LockstepGame, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        while self._read(0.0) is not None:  # so that a refusal is noticed
            pass
        if game.needs_pause():
            game.flush()
            self._send("pause")
            self._send("resume")
            self._read_until("resumed")
            game.resume()
        reward, terminated, truncated = game.step(action)
        if terminated or truncated:
            self._is_over = True
            self._read_until("ended")
        observation, info = self._observe_lockstep(game)
        return observation, reward, terminated, truncated, info

    def _observe_lockstep(self, game: LockstepGame) -> tuple[Any, dict[str, Any]]:
        assert self._emulator is not None
        self._picture = self._emulator.picture
        arcade = {"episode": self._episode, "frame": game.n_steps, "score": game.score, "picture": self._picture}
        return self._picture, {"lives": self._emulator.lives, "arcade": arcade}

    # -- socket ---------------------------------------------------------------------------------------------------

    def _read_frame(self, index: int) -> float:
        """Read up to this observation and everything that has arrived after it. Returns the sum of the rewards."""
        reward = 0.0
        while True:
            is_behind = self._packet is None or self._packet.frame < index
            message = self._read(TIMEOUT_SECONDS if is_behind else 0.0)
            if message is None:
                return reward
            if isinstance(message, dict):
                if message["type"] == "outcome":
                    self._outcome = message
                    reward += float(message["reward"])
                continue
            if message.is_preview:
                continue
            self._packet, self._picture = message, self._decoder.decode(message.encoded)
            if message.frame - self._acknowledged >= ACKNOWLEDGED_FRAMES:
                self._acknowledge()
            if message.frame >= index and (self.pace == "stepped" or message.is_final):
                return reward

    def _acknowledge(self) -> None:
        assert self._packet is not None
        self._acknowledged = self._packet.frame
        self._send_exactly("shown", received=self._packet.frame, frames=[])

    def _read_until(self, kind: str) -> dict[str, Any]:
        while True:
            message = self._read(TIMEOUT_SECONDS)
            if isinstance(message, dict) and message["type"] == kind:
                return message
            if isinstance(message, FramePacket) and not message.is_preview:
                self._packet, self._picture = message, self._decoder.decode(message.encoded)

    def _read(self, timeout: float) -> dict[str, Any] | FramePacket | None:
        """Return the next message, or None if there is none within `timeout` 0. Raises ConnectionClosed."""
        try:
            data = self._socket.recv(timeout)
        except TimeoutError:
            if timeout == 0:
                return None
            raise ConnectionClosed(f"the arcade did not answer for {timeout:g} s") from None
        except SocketClosed as error:
            raise ConnectionClosed(_explain(error)) from error
        if isinstance(data, str):
            message: dict[str, Any] = json.loads(data)
            if self._lockstep is not None:
                self._check_refusal(message)
            return message
        return FramePacket.unpack(data)

    def _check_refusal(self, message: dict[str, Any]) -> None:
        """Raise EpisodeRefused if the arcade has ended the episode for another reason than its own end or `leave`."""
        if message["type"] == "notice":
            self._notice = message["text"]
        if message["type"] == "ended" and message["reason"] not in ("terminated", "truncated", "left"):
            self._is_over = True
            raise EpisodeRefused(f"{self._notice or 'The arcade ended the episode.'} (reason {message['reason']})")

    def _send(self, kind: str, **fields: Any) -> None:
        self._send_exactly(kind, at=_now_ms(), **fields)

    def _send_exactly(self, kind: str, **fields: Any) -> None:
        try:
            self._socket.send(json.dumps({"type": kind, **fields}))
        except SocketClosed as error:
            raise ConnectionClosed(_explain(error)) from error

    # -- what reset and step return -------------------------------------------------------------------------------

    def _observe(self) -> Any:
        observation = self._outcome.get("observation")
        if self._observes_picture or observation is None:
            return self._picture
        return decode_value(observation)

    def _describe(self) -> dict[str, Any]:
        assert self._packet is not None
        arcade = {"episode": self._episode, "frame": self._packet.frame, "score": self._packet.score}
        return {**decode_info(self._outcome["info"]), "arcade": {**arcade, "picture": self._picture}}


def space_of(value: Any) -> spaces.Space[Any]:
    """Return a space without bounds that contains a value like this one: its types and shapes."""
    if isinstance(value, dict):
        return spaces.Dict({name: space_of(part) for name, part in value.items()})
    if isinstance(value, tuple):
        return spaces.Tuple([space_of(part) for part in value])
    if isinstance(value, str):
        return spaces.Text(MAX_TEXT, min_length=0, charset=frozenset(string.printable) | frozenset(value))
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return spaces.Discrete(2**62, start=-(2**61))
    array = np.asarray(value)
    if array.dtype == bool:
        return spaces.Box(0, 1, array.shape, np.int8)
    if np.issubdtype(array.dtype, np.integer):
        limits = np.iinfo(array.dtype)
        return spaces.Box(limits.min, limits.max, array.shape, array.dtype.type)
    return spaces.Box(-np.inf, np.inf, array.shape, array.dtype.type)


def _connect(
    url: str, game: str, ticket: PlayTicket, options: dict[str, str]
) -> AbstractContextManager[ClientConnection]:
    origin = ticket.socket or f"ws{url.rstrip('/').removeprefix('http')}"
    address = f"{origin}/ws/{game}"
    if options:
        address += f"?{urlencode(options)}"
    protocols = [Subprotocol("skill-arcade"), Subprotocol(f"ticket.{ticket.ticket}")]
    return connect(address, subprotocols=protocols, compression=None, open_timeout=TIMEOUT_SECONDS, close_timeout=1)


def _find_emulator() -> "type[LocalEmulator]":
    """Return the class that steps a game on this machine. Raises LockstepUnavailable if ale-py is not installed."""
    try:
        from skill_arcade.client.emulator import LocalEmulator  # noqa: PLC0415  (ale-py is not needed for another pace)
    except ImportError as error:
        raise LockstepUnavailable(
            f"Lockstep needs ale-py, which cannot be imported ({error}). Run: pip install ale-py. Or choose another "
            "pace."
        ) from error
    return LocalEmulator


def _require_offer(offer: dict[str, Any] | None, game: str) -> dict[str, Any]:
    """Return the offer of lockstep in `welcome`. Raises LockstepUnavailable if there is none."""
    if offer is None:
        raise LockstepUnavailable(
            f"The arcade does not offer lockstep for {game}. It does so for Atari games if its setting LOCKSTEP allows "
            "it and its emulator is built. Choose another pace."
        )
    return offer


def _describe_program(name: str) -> dict[str, Any]:
    """Return the fields of `hello`. A program has no screen."""
    screen = {"screen": [0, 0], "pixel_ratio": 1, "refresh_hz": None, "isolated": True}
    return {"protocol": 1, "time_origin": 0, "browser": f"skill_arcade.client {name}", **screen}


def _explain(error: SocketClosed) -> str:
    close = error.rcvd
    return "the connection was lost" if close is None else f"{close.reason or 'no reason given'} (code {close.code})"


def _now_ms() -> float:
    return time.monotonic() * 1000
