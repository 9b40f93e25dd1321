"""A pilot of a study: simulated participants walk it on a running arcade, by the same HTTP and sockets as a page.

They are marked as programs: they take no place of a person, get no completion code, and are in no export.
"""

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp

from skill_arcade.errors import NotReady
from skill_arcade.studies.recruiters import PARAMETERS
from skill_arcade.studies.schema import GamesStage, Study
from skill_arcade.studies.simulated_answers import simulate_answer
from skill_arcade.studies.simulated_player import SUBPROTOCOL, PilotFailed, SimulatedPlayer

SYNTHETIC = {"X-Skill-Arcade-Synthetic": "true"}
RETRY_SECONDS = 0.5
"""Pause before a request is repeated, unless the server names one."""
FRAMES_BEFORE_DROP_OUT = 3
MAX_ERROR_CHARACTERS = 200
COMPLETE, DROPPED_OUT, WAITING, FAILED = "complete", "dropped out", "comes back later", "failed"
OnStage = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class PilotPlan:
    """What a pilot does.

    Attributes:
        name: name of the study.
        study: its newest version, from which correct answers and limits are taken.
        url: address of the arcade.
        participants: number of simulated participants.
        drop_out: share of them that leave at a random stage.
        at_once: number of them that take part at the same time.
        patience_seconds: time for which a participant repeats what the server refuses or does not answer.
        seed: seed of all random decisions.
        is_real_time: games take the time that they take people, instead of stepping as fast as the server does.
    """

    name: str
    study: Study
    url: str
    participants: int
    drop_out: float = 0.0
    at_once: int = 8
    patience_seconds: float = 120.0
    seed: int = 0
    is_real_time: bool = False


@dataclass(slots=True)
class PilotResult:
    """What became of one simulated participant."""

    user_id: str = ""
    outcome: str = FAILED
    """The study's outcome, or one of the constants above."""
    last_stage: str = ""
    seconds: float = 0.0
    stage_seconds: dict[str, float] = field(default_factory=dict)
    error: str = ""


async def run_pilot(
    plan: PilotPlan, *, on_stage: OnStage | None = None, on_end: Callable[[PilotResult], None] | None = None
) -> list[PilotResult]:
    """Let all participants take part, and return what became of each.

    `on_stage` is awaited with the name of each stage that a participant enters, `on_end` called at the end of each.
    """
    rng = random.Random(plan.seed)
    seeds = [rng.random() for _ in range(plan.participants)]
    places = asyncio.Semaphore(plan.at_once)
    connector = aiohttp.TCPConnector(limit=2 * plan.at_once)
    timeout = aiohttp.ClientTimeout(total=plan.patience_seconds)
    async with aiohttp.ClientSession(plan.url, connector=connector, timeout=timeout) as client:
        games = await _read_games(client)

        async def take_part(seed: float) -> PilotResult:
            async with places:
                result = await SimulatedParticipant(plan, client, games, random.Random(seed), on_stage).take_part()
                if on_end is not None:
                    on_end(result)
                return result

        return await asyncio.gather(*(take_part(seed) for seed in seeds))


async def _read_games(client: aiohttp.ClientSession) -> dict[str, Any]:
    """Return the games of the arcade by id. Raises NotReady if it does not answer."""
    try:
        async with client.get("/games") as answer:
            answer.raise_for_status()
            return {game["id"]: game for game in await answer.json()}
    except (aiohttp.ClientError, TimeoutError) as error:
        raise NotReady(f"No arcade answers at this address: {error}. Start one, or give --url.") from error


class SimulatedParticipant:
    """One participant, from the address of the study to the end or to the stage where they leave."""

    def __init__(
        self,
        plan: PilotPlan,
        client: aiohttp.ClientSession,
        games: Mapping[str, Any],
        rng: random.Random,
        on_stage: OnStage | None,
    ) -> None:
        self._plan, self._client, self._games, self._rng, self._on_stage = plan, client, games, rng, on_stage
        self._page: dict[str, Any] = {}
        self._headers = dict(SYNTHETIC)
        self._result = PilotResult()
        self._drop_out_at: str | None = None
        if rng.random() < plan.drop_out:
            self._drop_out_at = rng.choice(plan.study.stages).name

    async def take_part(self) -> PilotResult:
        """Take part, and return what became of it. An error is part of the result."""
        result, started = self._result, time.monotonic()
        try:
            await self._join()
            result.outcome = await self._walk()
        except (PilotFailed, aiohttp.ClientError, TimeoutError) as error:
            result.error = f"{type(error).__name__}: {error}"[:MAX_ERROR_CHARACTERS]
        result.seconds = time.monotonic() - started
        return result

    async def _join(self) -> None:
        names = PARAMETERS.get(self._plan.study.recruiter.kind, ())
        query = {name: f"pilot-{uuid.UUID(int=self._rng.getrandbits(128))}" for name in names}
        body = {"study": self._plan.name, "query": query, "resume": None}
        joined = await self._request("POST", "/studies/participants", body)
        self._headers["Authorization"] = f"Bearer {joined['token']}"
        self._result.user_id, self._page = joined["user_id"], joined["page"]

    async def _walk(self) -> str:
        while self._page["completion"] is None:
            described = self._page["stage"]
            stage, began = self._plan.study.find_stage(described["name"]), time.monotonic()
            self._result.last_stage = stage.name
            if self._on_stage is not None:
                await self._on_stage(stage.name)
            is_leaving = stage.name == self._drop_out_at
            if isinstance(stage, GamesStage) and not described["is_done"]:
                await self._play(stage, is_leaving=is_leaving)
            if is_leaving:
                return DROPPED_OUT
            if stage.kind == "return" and not described["is_due"]:
                return WAITING
            await self._answer(stage.name, simulate_answer(stage, described, self._rng))
            seconds = self._result.stage_seconds
            seconds[stage.name] = seconds.get(stage.name, 0.0) + time.monotonic() - began
        return str(self._page["completion"]["outcome"])

    async def _answer(self, stage: str, data: Mapping[str, Any]) -> None:
        """Answer until everything is stored, as the page does."""
        before, until = self._page["number"], time.monotonic() + self._plan.patience_seconds
        while True:
            page = await self._request("POST", "/studies/me/answers", {"stage": stage, "data": data})
            if not page["is_saving"]:
                break
            if time.monotonic() > until:
                raise PilotFailed(f"the recordings of {stage} were not stored in time")
            await asyncio.sleep(RETRY_SECONDS)
        self._page = page
        is_repeated = page["completion"] is None and page["number"] == before
        if is_repeated and page["stage"]["kind"] not in ("practice", "games"):
            raise PilotFailed(f"the answer to {stage} was not accepted: {page['message']}")

    async def _play(self, stage: GamesStage, *, is_leaving: bool) -> None:
        """Play one trial to its end, again after a lost connection; or a few frames of it."""
        until = time.monotonic() + self._plan.patience_seconds
        while True:
            try:
                if await self._play_once(stage, FRAMES_BEFORE_DROP_OUT if is_leaving else None) or is_leaving:
                    return
            except (NotReady, aiohttp.ClientError, ConnectionError) as error:
                if time.monotonic() > until:
                    raise PilotFailed(f"the game {stage.game} cannot be played: {error}") from error
                await asyncio.sleep(RETRY_SECONDS)

    async def _play_once(self, stage: GamesStage, max_frames: int | None) -> bool:
        page = await self._request("GET", "/studies/me")
        if page["completion"] is not None or page["stage"]["name"] != stage.name or page["stage"]["is_done"]:
            return True
        ticket = (await self._request("POST", "/studies/me/tickets"))["ticket"]
        game = self._games[stage.game]
        address = f"/ws/{stage.game}?{urlencode(stage.options)}"
        protocols = (SUBPROTOCOL, f"ticket.{ticket}")
        async with self._client.ws_connect(address, protocols=protocols, max_msg_size=0) as socket:
            player = SimulatedPlayer(socket, [action["press"] for action in game["actions"]], self._rng)
            # A trial with delays is played by input, also by a program (rule O24).
            is_stepped = not (self._plan.is_real_time or stage.input_delay_ms or stage.frame_delay_ms)
            is_real_time = game["pace"]["kind"] == "real-time"
            return await player.play(is_real_time=is_real_time, is_stepped=is_stepped, max_frames=max_frames)

    async def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send a request; repeat it while the server is unavailable, or asks for fewer requests.

        Raises:
            PilotFailed: the server refuses it, or has not accepted it in time.
        """
        until = time.monotonic() + self._plan.patience_seconds
        while True:
            pause = RETRY_SECONDS
            try:
                async with self._client.request(method, path, json=body, headers=self._headers) as answer:
                    if answer.ok:
                        found: dict[str, Any] = await answer.json()
                        return found
                    text = await answer.text()
                    if answer.status not in (429, 502, 503):
                        raise PilotFailed(f"{method} {path}: {answer.status} {text}")
                    if answer.status == 429:
                        pause = float(answer.headers.get("Retry-After", RETRY_SECONDS))
            except (aiohttp.ClientError, ConnectionError) as error:
                text = str(error)
            if time.monotonic() + pause > until:
                raise PilotFailed(f"{method} {path}: not accepted in time: {text}")
            await asyncio.sleep(pause)
