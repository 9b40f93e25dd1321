"""Routes for notes on steps: by players on their own episodes, by researchers on all."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import Row

from skill_arcade.errors import InvalidRequest
from skill_arcade.replay.vocabulary import TAGS, VERSION
from skill_arcade.storage.database.notes import add_note, list_notes, retract_note
from skill_arcade.web.current_user import CurrentUser
from skill_arcade.web.models.sharing import NoteItem, NoteRequest, Notes, NoteTag
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.state import State
from skill_arcade.web.viewer import find_private_episode

router = APIRouter(prefix="/episodes/{episode_id}/notes", tags=["notes"])
ERRORS = problem_answers(401, 404, 422, 503)


@router.get("", responses=ERRORS)
async def list_episode_notes(episode_id: UUID, user: CurrentUser, state: State) -> Notes:
    """List the notes on an episode, also the retracted ones. Researchers read all, players their own."""
    author = None if "researcher" in user.roles else user.user_id
    async with request_transaction(state.engine) as connection:
        await find_private_episode(connection, episode_id, user)
        rows = await list_notes(connection, episode_id, author)
    return Notes(
        vocabulary=VERSION,
        tags=[NoteTag(name=name, meaning=meaning) for name, meaning in TAGS.items()],
        notes=[_describe_note(row, user.user_id) for row in rows],
    )


@router.post("", status_code=201, responses=ERRORS)
async def write_note(episode_id: UUID, body: NoteRequest, user: CurrentUser, state: State) -> NoteItem:
    """Write a note on a step or a range of steps. It cannot be changed, but retracted."""
    if body.tag is not None and body.tag not in TAGS:
        raise InvalidRequest(f"Unknown tag. Version {VERSION} of the vocabulary has: {', '.join(TAGS)}.")
    if body.tag is None and not body.text.strip():
        raise InvalidRequest("The note is empty. Choose a tag or write a text.")
    async with request_transaction(state.engine) as connection:
        episode, access = await find_private_episode(connection, episode_id, user)
        if not body.step_from < body.step_to <= episode.n_steps + 1:
            raise InvalidRequest(
                f"The range is not within the episode: its steps are 0 to {episode.n_steps}, "
                "and step_to is the step after the last one."
            )
        fields = {**body.model_dump(), "text": body.text.strip(), "author_role": access, "vocabulary": VERSION}
        return _describe_note(await add_note(connection, episode_id, user.user_id, fields), user.user_id)


@router.post("/{note_id}/retraction", responses=ERRORS)
async def retract_episode_note(episode_id: UUID, note_id: UUID, user: CurrentUser, state: State) -> NoteItem:
    """Retract a note that the user wrote. It is kept and marked as retracted."""
    async with request_transaction(state.engine) as connection:
        await find_private_episode(connection, episode_id, user)
        return _describe_note(await retract_note(connection, episode_id, note_id, user.user_id), user.user_id)


def _describe_note(row: Row[Any], user_id: str) -> NoteItem:
    return NoteItem.model_validate(dict(row._mapping) | {"is_own": row.user_id == user_id})
