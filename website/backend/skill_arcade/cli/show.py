"""`skill-arcade show`: describes one episode."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.cli.formatting import open_console
from skill_arcade.errors import RecordingDamaged
from skill_arcade.settings import Settings
from skill_arcade.storage.archive.rows import list_archived
from skill_arcade.storage.database.certificates import newest_certificate
from skill_arcade.storage.database.queries import (
    EpisodeListItem,
    count_devices,
    count_parts,
    episode_pace,
    episode_segments,
    get_episode,
)
from skill_arcade.storage.database.tables import CertificateResult
from skill_arcade.storage.objects import ObjectStore
from skill_arcade.storage.objects.verified import read_verified


@dataclass(frozen=True, slots=True)
class EpisodeDetails:
    """The stored data of an episode. `faults` maps the key of a missing or damaged object to the problem.

    `archive_key` is the object with the archived transitions, None if they are in the database.
    """

    episode_item: EpisodeListItem
    episode: Row[Any]
    segments: Sequence[Row[Any]]
    n_transitions: int
    events: Mapping[str, int]
    devices: Mapping[str, int]
    certificate: Any
    pace: Mapping[str, Any]
    faults: Mapping[str, str]
    location: str
    waiting: Sequence[Path]
    archive_key: str | None


async def read_details(
    connection: AsyncConnection, episode_item: EpisodeListItem, objects: ObjectStore, settings: Settings
) -> EpisodeDetails:
    """Read the stored data of an episode, and verify the checksums of all objects."""
    segments = await episode_segments(connection, episode_item.id)
    n_transitions, events = await count_parts(connection, episode_item.id)
    try:
        faults = await _find_faults(objects, segments)
    finally:
        await objects.close()
    journal = settings.journal_folder / str(episode_item.id)
    archived = await list_archived(connection, episode_item.id, episode_item.id)
    return EpisodeDetails(
        episode_item=episode_item,
        episode=await get_episode(connection, episode_item.id),
        segments=segments,
        n_transitions=n_transitions,
        events=events,
        devices=await count_devices(connection, episode_item.id),
        certificate=await newest_certificate(connection, episode_item.id),
        pace=await episode_pace(connection, episode_item.id),
        faults=faults,
        location=settings.gcp_bucket_name or str(settings.objects_folder),
        waiting=sorted(journal.glob("*.*")) if journal.is_dir() else [],
        archive_key=archived.get(episode_item.id, (0, None))[1],
    )


async def _find_faults(objects: ObjectStore, segments: Sequence[Row[Any]]) -> dict[str, str]:
    faults = {}
    for segment in segments:
        for key, sha256 in sorted(segment.objects.items()):
            try:
                await read_verified(objects, key, sha256)
            except RecordingDamaged as error:
                faults[key] = error.fault
    return faults


def print_details(details: EpisodeDetails) -> None:
    """Print the description of an episode."""
    console = open_console()
    for title, lines in (
        (f"Episode {details.episode_item.id}", _print_play(details)),
        ("Recorded by", print_origin(details.episode.provenance, details.devices)),
        ("For a re-run", _print_rerun(details)),
        ("In the database", _print_rows(details)),
        (f"Objects, in {details.location}", _print_objects(details)),
        ("Reading it", _print_reading(details)),
    ):
        console.print(f"[bold]{escape(title)}[/bold]")
        for text in lines:
            console.print(f"  {escape(text)}", soft_wrap=True)


def _print_play(details: EpisodeDetails) -> list[str]:
    episode_item = details.episode_item
    outcome = (
        f"{episode_item.status}, {episode_item.end_reason}"
        if episode_item.end_reason
        else f"{episode_item.status}, still running or not yet uploaded"
    )
    duration = (
        f", {(episode_item.time_ended - episode_item.time_created).total_seconds():.1f} s"
        if episode_item.time_ended
        else ""
    )
    return [
        f"{episode_item.game_name} ({episode_item.game_id}), played by {episode_item.email or episode_item.user_id}",
        f"{outcome}: score {episode_item.score:g} in {episode_item.n_steps} steps",
        f"began {episode_item.time_created.astimezone():%Y-%m-%d %H:%M:%S %Z}{duration}",
        print_pace(details.pace),
        _print_certificate(details.certificate),
    ]


def print_pace(pace: Mapping[str, Any]) -> str:
    """Return a line about pauses and speed, from a row of `episode_pace`."""
    number = pace["pauses"]
    pauses = f"{number} pause{'s' * (number != 1)}" + (f" of {pace['paused_seconds']:.1f} s in all" if number else "")
    if pace["active_speed"] is None:
        return f"pace: {pauses}"
    speeds = f"{pace['active_speed']:.2f} of the game's speed, {pace['overall_speed']:.2f} with pauses"
    return f"pace: {speeds}; {pauses}"


def _print_certificate(found: Any) -> str:
    if found is None:
        return "not certified yet: run `skill-arcade verify`"
    outcome = f"{found.n_steps} steps identical" if found.result is CertificateResult.certified else found.reason
    packages = found.versions.get("packages", {})
    by = f"; by skill-arcade {packages['skill-arcade']}" if "skill-arcade" in packages else ""
    return f"re-run {found.time_created.astimezone():%Y-%m-%d %H:%M:%S %Z}: {found.result}, {outcome}{by}"


def print_origin(provenance: Mapping[str, Any], devices: Mapping[str, int]) -> list[str]:
    """Return lines about server, manifest, browser and screen. `devices` has the number of presses by input device."""
    player, unknown = provenance.get("player", {}), "not on record"
    commit, manifest = provenance.get("commit") or unknown, provenance.get("manifest_sha256", unknown)
    lines = [
        f"server: skill-arcade {provenance.get('skill_arcade', unknown)}, commit {commit}",
        f"manifest: SHA-256 {manifest}; {provenance.get('mode', 'streamed')}",
    ]
    if player:
        screen = " x ".join(str(side) for side in player["screen"])
        refresh = f"{player['refresh_hz']:g} Hz" if player["refresh_hz"] else "refresh rate not measured"
        clock = "5 µs" if player["isolated"] else "100 µs"
        lines += [
            f"browser: {player['browser']}",
            f"screen: {screen} at pixel ratio {player['pixel_ratio']:g}, {refresh}",
            f"browser's clock: resolves {clock} (cross-origin isolated: {'yes' if player['isolated'] else 'no'})",
        ]
    presses = ", ".join(f"{name} ({count} presses)" for name, count in devices.items())
    return [*lines, f"input device: {presses or 'nothing was pressed'}"]


def _print_rerun(details: EpisodeDetails) -> list[str]:
    facts = {"seed": details.episode.seed, **details.episode.environment}
    return [f"{name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in facts.items()]


def _print_rows(details: EpisodeDetails) -> list[str]:
    kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(details.events.items())) or "none"
    return [
        f"transition: {details.n_transitions} rows, steps 0 to {details.n_transitions - 1}"
        if details.n_transitions
        else "transition: no rows",
        *([f"archived in: {details.archive_key}"] if details.archive_key is not None else []),
        f"segment: {len(details.segments)} rows",
        f"event: {kinds}",
        *(
            [f"not uploaded yet: {len(details.waiting)} files in {details.waiting[0].parent}"]
            if details.waiting
            else []
        ),
    ]


def _print_objects(details: EpisodeDetails) -> list[str]:
    lines = []
    for segment in details.segments:
        last = segment.first_step + segment.n_steps - 1
        steps = f"steps {segment.first_step} to {last}" if segment.n_steps else "no steps"
        for key in sorted(segment.objects):
            content = f"{segment.n_frames} {'frames' if key.endswith('.png') else 'observations'}"
            lines.append(
                f"{key}: {content}, {steps}" + (f"  <- {details.faults[key]}" if key in details.faults else "")
            )
    size = sum(segment.n_bytes for segment in details.segments)
    frames = sum(segment.n_frames for segment in details.segments)
    bytes_per_frame = f", {size / frames:.0f} bytes a frame" if frames else ""
    status = "all objects are intact" if not details.faults else "DAMAGED"
    return [*lines, f"{size:,} bytes{bytes_per_frame}: {status}"]


def _print_reading(details: EpisodeDetails) -> list[str]:
    select = f"select * from transition where episode_id = '{details.episode_item.id}' order by step"
    return [
        f'Python:  import skill_arcade.dataset as sa; episode = sa.open().episode("{details.episode_item.id}")',
        f"SQL:     {select if details.archive_key is None else 'not in the database; see docs/questions.md'}",
        "Frames:  each .png is an animated PNG; open it in a browser",
    ]
