"""Routes for exports: of a player's own episodes, and for researchers of all."""

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from skill_arcade.errors import InvalidRequest, NotFound, NotReady, SettingsError
from skill_arcade.export.formats import check_format
from skill_arcade.export.selection import ExportSelection
from skill_arcade.storage.database.consents import has_withdrawal_since
from skill_arcade.storage.database.episode_counts import count_by_game, count_chosen
from skill_arcade.web.current_user import Researcher, UserId
from skill_arcade.web.export_jobs import EXPORT_JOB_SECONDS, JobId
from skill_arcade.web.exports import ExportDownload
from skill_arcade.web.models.exports import ExportProgress, ExportRequest, ExportTicket, OwnExportRequest, PlayedGame
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.state import AppState, State

log = logging.getLogger(__name__)
router = APIRouter(tags=["exports"])
TicketQuery = Annotated[
    str, Query(max_length=30_000, description="ticket of POST /me/exports or POST /research/exports")
]


class AbortingStreamResponse(StreamingResponse):
    """A download that a browser recognises as incomplete if it fails, because the final chunk is then missing."""

    def __init__(self, download: ExportDownload, headers: dict[str, str]) -> None:
        super().__init__(download.chunks(), headers=headers, media_type="application/zip")
        self._download = download

    async def stream_response(self, send: Send) -> None:
        """Send the chunks, and the final chunk only if the export is complete."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for chunk in self._download.chunks():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        if self._download.state == "done":
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the export, and stop its process in any case, also when the client disconnects."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._download.close()


@router.post("/me/exports", responses=problem_answers(401, 422, 429, 503))
async def request_own_export(body: OwnExportRequest, user_id: UserId, state: State) -> ExportTicket:
    """Request an export of the user's own ended episodes. The response has a download URL."""
    selection = ExportSelection(format=body.format, ended_before=datetime.now(UTC), user_id=user_id)
    return await issue_ticket(state, selection, user_id)


@router.get("/research/games", responses=problem_answers(401, 403, 503))
async def list_played_games(researcher: Researcher, state: State) -> list[PlayedGame]:
    """List the totals of each game, most played first; for researchers."""
    del researcher
    async with request_transaction(state.engine) as connection:
        return [PlayedGame.model_validate(row) for row in await count_by_game(connection)]


@router.post("/research/exports", responses=problem_answers(401, 403, 422, 429, 503))
async def request_export(body: ExportRequest, researcher: Researcher, state: State) -> ExportTicket:
    """Request an export of all players' episodes, under pseudonyms.

    The response has a download URL that is valid for an hour, or for a day if a job makes the ZIP.
    """
    selection = ExportSelection(
        format=body.format,
        games=tuple(body.games),
        certified=body.certified,
        min_steps=body.min_steps,
        since=body.since,
        until=body.until,
        ended_before=datetime.now(UTC),
    )
    return await issue_ticket(state, selection, researcher)


@router.get(
    "/exports",
    response_class=Response,
    responses={
        200: {"content": {"application/zip": {}}, "description": "the export"},
        **problem_answers(401, 404, 422, 429, 503),
    },
)
async def download_export(ticket: TicketQuery, state: State) -> StreamingResponse:
    """Download an export as a ZIP. A ticket works once; each has other pseudonyms.

    The ZIP is generated while it is sent, or a job has prepared it.
    """
    user_id, _, selection_json = state.tokens.read_export(ticket).partition(" ")
    selection = ExportSelection.model_validate_json(selection_json)
    if (job := JobId.parse(user_id)) is not None:
        return await _send_prepared(state, ticket, job, selection)
    nonce = await _redeem(state, ticket)
    try:
        download = await state.exports.open(ticket, selection, user_id)
    except BaseException:
        state.leases.restore_export_ticket(nonce)
        state.tokens.restore_export(ticket)  # nothing was sent, for example because the server is busy
        raise
    headers = {"content-disposition": f'attachment; filename="{selection.name}.zip"', "accept-ranges": "none"}
    return AbortingStreamResponse(download, headers)


@router.get("/exports/progress", responses=problem_answers(401, 422, 503))
async def read_export_progress(ticket: TicketQuery, state: State) -> ExportProgress:
    """Return the progress of the newest download with this ticket."""
    user_id, _, _ = state.tokens.read_export(ticket).partition(" ")
    job = JobId.parse(user_id)
    if job is None or state.export_jobs is None:
        return ExportProgress.model_validate(state.exports.progress(ticket))
    return ExportProgress.model_validate(await state.export_jobs.progress(job))


async def _send_prepared(state: AppState, ticket: str, job: JobId, selection: ExportSelection) -> StreamingResponse:
    """Send the ZIP that a job has prepared. A download that breaks off may be repeated.

    One for a researcher is deleted if a player has withdrawn since it was requested: it may have their episodes.
    """
    if state.export_jobs is None:
        raise NotFound("This server does not prepare downloads. Request a new one.")
    if selection.user_id is None:
        async with request_transaction(state.engine) as connection:
            is_stale = await has_withdrawal_since(connection, selection.ended_before)
        if is_stale:
            await state.export_jobs.drop(job)
            raise NotFound("A player has withdrawn since this download was requested. Request a new one.")
    size, chunks = await state.export_jobs.open(job)
    nonce = await _redeem(state, ticket)

    async def send() -> AsyncIterator[bytes]:
        sent = 0
        try:
            async for chunk in chunks:
                yield chunk
                sent += len(chunk)
        finally:
            if sent < size:
                state.leases.restore_export_ticket(nonce)
                state.tokens.restore_export(ticket)

    headers = {"content-disposition": f'attachment; filename="{selection.name}.zip"', "content-length": str(size)}
    return StreamingResponse(send(), headers=headers, media_type="application/zip")


async def _redeem(state: AppState, ticket: str) -> str:
    """Mark a ticket as used on all servers. Return its nonce. It stays valid if the database does not answer."""
    nonce = state.tokens.redeem_export(ticket)
    try:
        await state.leases.spend_export_ticket(nonce)
    except NotReady:
        state.tokens.restore_export(ticket)
        raise
    return nonce


async def issue_ticket(state: AppState, selection: ExportSelection, user_id: str) -> ExportTicket:
    """Return the ticket of an export that `user_id` has requested.

    Raises:
        InvalidRequest: no episode matches, or this server cannot write the format.
    """
    try:
        check_format(selection.format)
    except SettingsError as error:
        log.warning("cannot export format=%s: %s", selection.format, error)
        raise InvalidRequest(f"This server cannot export the format {selection.format}. Choose another one.") from None
    async with request_transaction(state.engine) as connection:
        counts = await count_chosen(connection, selection.to_sql, selection.user_id, selection.scope)
    if counts.episodes == 0:
        raise InvalidRequest(
            "You have no ended episodes yet. Play a game to its end first."
            if selection.user_id
            else "No ended episode matches these filters. Use fewer filters."
        )
    selection_json = selection.model_dump_json(exclude_defaults=True)
    if state.export_jobs is None:
        issued = state.tokens.issue_export(f"{user_id} {selection_json}")
    else:
        job = await state.export_jobs.request(user_id, selection)
        issued = state.tokens.issue_export(f"{job} {selection_json}", EXPORT_JOB_SECONDS)
    query = urlencode({"ticket": issued.token})
    return ExportTicket(
        address=f"/exports?{query}",
        is_prepared=state.export_jobs is not None,
        progress=f"/exports/progress?{query}",
        episodes=counts.episodes,
        steps=counts.steps,
        players=counts.players,
        expires_at=issued.expires_at,
    )
