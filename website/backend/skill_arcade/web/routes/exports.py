"""Taking recordings away: players their own, researchers everybody's."""

import logging
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from skill_arcade.errors import InvalidRequest, SettingsError
from skill_arcade.export.formats import check_format
from skill_arcade.export.selection import ExportSelection
from skill_arcade.storage.database.episode_counts import count_by_game, count_chosen
from skill_arcade.web.current_user import Researcher, UserId
from skill_arcade.web.exports import ExportDownload
from skill_arcade.web.models import ExportProgress, ExportTicket, OwnExportRequest, PlayedGame
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.state import AppState, State

log = logging.getLogger(__name__)
router = APIRouter(tags=["exports"])
TicketQuery = Annotated[str, Query(max_length=30_000, description="of POST /me/exports or POST /research/exports")]


class AbortingStreamResponse(StreamingResponse):
    """A download that a browser takes for whole only if it is: else the connection ends without the end."""

    def __init__(self, download: ExportDownload, headers: dict[str, str]) -> None:
        super().__init__(download.chunks(), headers=headers, media_type="application/zip")
        self._download = download

    async def stream_response(self, send: Send) -> None:
        """Send the pieces, and the end if they are all."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in self._download.chunks():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if self._download.state == "done":
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and end what makes it, also when nobody listens any more."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._download.close()


@router.post("/me/exports", responses=problem_answers(401, 422, 503))
async def ask_own_export(body: OwnExportRequest, user_id: UserId, state: State) -> ExportTicket:
    """Ask for all of one's own play that has ended; the answer says where to download it, for an hour."""
    wanted = ExportSelection(format=body.format, ended_before=datetime.now(UTC), user_id=user_id)
    return await _issue(state, wanted, user_id)


@router.get("/research/games", responses=problem_answers(401, 403, 503))
async def list_played_games(researcher: Researcher, state: State) -> list[PlayedGame]:
    """List what there is of each game, most played first; for researchers."""
    del researcher
    async with request_transaction(state.engine) as connection:
        return [PlayedGame.model_validate(row) for row in await count_by_game(connection)]


@router.post("/research/exports", responses=problem_answers(401, 403, 422, 503))
async def ask_export(body: ExportSelection, researcher: Researcher, state: State) -> ExportTicket:
    """Ask for an export of everybody's play, under pseudonyms; the answer says where to download it, for an hour."""
    chosen = body.model_dump()
    wanted = ExportSelection.model_validate({**chosen, "games": tuple(body.games), "ended_before": datetime.now(UTC)})
    return await _issue(state, wanted, researcher)


@router.get(
    "/exports",
    response_class=Response,
    responses={
        200: {"content": {"application/zip": {}}, "description": "the export"},
        **problem_answers(401, 422, 429, 503),
    },
)
async def download_export(ticket: TicketQuery, state: State) -> StreamingResponse:
    """Send an export as a ZIP, made while it is read. It can be asked for again; each time has other pseudonyms."""
    whose, _, what = state.tokens.read_export(ticket).partition(" ")
    wanted = ExportSelection.model_validate_json(what)
    download = await state.exports.open(ticket, wanted, whose)
    headers = {"content-disposition": f'attachment; filename="{wanted.name}.zip"', "accept-ranges": "none"}
    return AbortingStreamResponse(download, headers)


@router.get("/exports/progress", responses=problem_answers(401, 422))
async def read_export_progress(ticket: TicketQuery, state: State) -> ExportProgress:
    """Say how far the newest download by this ticket is."""
    state.tokens.read_export(ticket)
    return ExportProgress.model_validate(state.exports.progress(ticket))


async def _issue(state: AppState, wanted: ExportSelection, whose: str) -> ExportTicket:
    try:
        check_format(wanted.format)
    except SettingsError as error:
        log.warning("%s", error)
        raise InvalidRequest(f"This server can't write the format {wanted.format}: choose another.") from None
    async with request_transaction(state.engine) as connection:
        counted = await count_chosen(connection, wanted.to_sql, wanted.user_id)
    if counted.episodes == 0:
        raise InvalidRequest(
            "None of your games has ended yet: play one, then come back."
            if wanted.user_id
            else "No episode that has ended is like that: choose fewer conditions."
        )
    issued = state.tokens.issue_export(f"{whose} {wanted.model_dump_json(exclude_defaults=True)}")
    query = urlencode({"ticket": issued.token})
    return ExportTicket(
        address=f"/exports?{query}",
        progress=f"/exports/progress?{query}",
        episodes=counted.episodes,
        steps=counted.steps,
        players=counted.players,
        expires_at=issued.expires_at,
    )
