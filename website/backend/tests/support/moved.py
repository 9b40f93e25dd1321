"""Continues episodes of a journal as another server does, without database and object store."""

from pathlib import Path
from uuid import UUID

from skill_arcade.environments.playable_env import PlayableEnv
from skill_arcade.frames.apng import read_pictures
from skill_arcade.frames.picture import digest_picture
from skill_arcade.play.assignment import RecordedInput, ResumedEpisode
from skill_arcade.play.session.session import Session
from skill_arcade.recording.journal_files import list_files
from skill_arcade.recording.records import RecordedEvent
from skill_arcade.recording.segment import Segment, read_segment
from skill_arcade.uploader.objects import build_objects, object_key
from skill_arcade.web.game_moves import encode_tail


def read_moved(folder: Path, episode: UUID, *, started_us: int, is_whole: bool = True) -> ResumedEpisode:
    """Read what another server needs to continue an episode. `started_us` is its start on that server's clock."""
    segments = [read_segment(path) for path in list_files(folder / str(episode))]
    head = segments[0].header
    steps = [step for segment in segments for step in segment.steps]
    events = [event for segment in segments for event in segment.events]
    last = [segment for segment in segments if segment.frames][-1]
    picture = list(
        read_pictures(build_objects(last)[object_key(episode, last.header.number, "png", last.header.fence)])
    )
    is_lockstep = head.provenance["mode"] == "lockstep"
    return ResumedEpisode(
        id=episode,
        fence=7,
        seed=head.seed,
        actions=[step.action for step in steps],
        environment=head.environment,
        provenance=head.provenance,
        started_wall_us=head.started_wall_us,
        started_us=started_us,
        score=sum(step.reward for step in steps),
        n_segments=len(segments),
        n_events=len(events),
        before=f"{last.header.number}/{len(last.frames) - 1}",
        picture_sha256=digest_picture(picture[-1]),
        server_before=None,
        is_whole=is_whole,
        lockstep_inputs=_read_inputs(events) if is_lockstep else None,
    )


def read_lost(folder: Path, shipped: list[Segment], n_stored: int, *, started_us: int) -> ResumedEpisode:
    """Read the first `n_stored` segments of a journal as `read_moved` does; the other ones are only shipped."""
    head, tail = shipped[0].header, encode_tail(shipped[n_stored:])
    if n_stored:
        moved = read_moved(folder, head.episode_id, started_us=started_us, is_whole=False)
        return moved.model_copy(update={"tail": tail})
    return ResumedEpisode(
        id=head.episode_id,
        fence=7,
        seed=head.seed,
        actions=[],
        environment=head.environment,
        provenance=head.provenance,
        started_wall_us=head.started_wall_us,
        started_us=started_us,
        score=0.0,
        n_segments=0,
        n_events=0,
        before=None,
        picture_sha256=None,
        server_before=None,
        is_whole=False,
        tail=tail,
    )


def resume(session: Session, episode: ResumedEpisode, now: int) -> None:
    """Repeat the steps of an episode in a session, and continue it."""
    resumption = session.open_resumption(episode)
    while (last_result := resumption.advance()) is None:
        pass
    session.resume(episode, resumption, last_result, now)
    while not session.repeat_tail(episode, resumption, now):
        pass


def read_all(*folders: Path, episode: UUID) -> list[Segment]:
    """Return the segments of an episode from the journals of several servers, in order of number."""
    segments = [read_segment(path) for folder in folders for path in list_files(folder / str(episode))]
    return sorted(segments, key=lambda segment: segment.header.number)


def repeat(env: PlayableEnv, segments: list[Segment]) -> list[str]:
    """Take the steps of all segments in one environment. Return the digests of its pictures."""
    env.reset(segments[0].header.seed)
    digests = [digest_picture(env.picture())]
    for segment in segments:
        for step in segment.steps:
            env.step(step.action)
            digests.append(digest_picture(env.picture()))
    return digests


def recorded_digests(segments: list[Segment]) -> list[str]:
    """Return the digests of the recorded pictures of all segments."""
    found = []
    for segment in segments:
        key = object_key(segment.header.episode_id, segment.header.number, "png", segment.header.fence)
        if segment.frames:
            found += [digest_picture(picture) for picture in read_pictures(build_objects(segment)[key])]
    return found


def _read_inputs(events: list[RecordedEvent]) -> list[RecordedInput]:
    return [
        RecordedInput(
            step=event.step,
            control=event.data.get("control"),
            down=event.data.get("down", False),
            at_us=event.client_us or 0,
            received_us=event.server_us,
            frame=event.data.get("frame"),
        )
        for event in events
        if event.kind in ("input", "pause")
    ]
