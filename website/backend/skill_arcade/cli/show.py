"""`skill-arcade show`: one episode, explained."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.cli.formatting import open_console
from skill_arcade.errors import ObjectMissing
from skill_arcade.settings import Settings
from skill_arcade.storage.database.certificates import newest_certificate
from skill_arcade.storage.database.queries import (
    EpisodeListItem,
    count_devices,
    count_parts,
    episode_segments,
    get_episode,
)
from skill_arcade.storage.database.tables import CertificateResult
from skill_arcade.storage.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class EpisodeDetails:
    """What is kept of an episode. `faults`: an object's key to what is wrong with it."""

    line: EpisodeListItem
    episode: Row[Any]
    segments: Sequence[Row[Any]]
    n_transitions: int
    events: Mapping[str, int]
    devices: Mapping[str, int]
    certificate: Any
    faults: Mapping[str, str]
    place: str
    waiting: Sequence[Path]


async def read_details(
    connection: AsyncConnection, line: EpisodeListItem, objects: ObjectStore, settings: Settings
) -> EpisodeDetails:
    """Look everything up, and read every object to compare it with its checksum."""
    segments = await episode_segments(connection, line.id)
    n_transitions, events = await count_parts(connection, line.id)
    try:
        faults = await _find_faults(objects, segments)
    finally:
        await objects.close()
    journal = settings.journal_folder / str(line.id)
    return EpisodeDetails(
        line=line,
        episode=await get_episode(connection, line.id),
        segments=segments,
        n_transitions=n_transitions,
        events=events,
        devices=await count_devices(connection, line.id),
        certificate=await newest_certificate(connection, line.id),
        faults=faults,
        place=settings.gcp_bucket_name or str(settings.objects_folder),
        waiting=sorted(journal.glob("*.*")) if journal.is_dir() else [],
    )


async def _find_faults(objects: ObjectStore, segments: Sequence[Row[Any]]) -> dict[str, str]:
    faults = {}
    for segment in segments:
        for key, sha256 in sorted(segment.objects.items()):
            try:
                if hashlib.sha256(await objects.get(key)).hexdigest() != sha256:
                    faults[key] = "has other bytes than were recorded"
            except ObjectMissing:
                faults[key] = "is missing"
    return faults


def print_details(kept: EpisodeDetails) -> None:
    """Explain it to a person."""
    console = open_console()
    for title, lines in (
        (f"Episode {kept.line.id}", _print_play(kept)),
        ("Recorded by", print_origin(kept.episode.provenance, kept.devices)),
        ("To play it again exactly", _print_rerun(kept)),
        ("In the database", _print_rows(kept)),
        (f"Objects, in {kept.place}", _print_objects(kept)),
        ("To read it", _print_reading(kept)),
    ):
        console.print(f"[bold]{escape(title)}[/bold]")
        for text in lines:
            console.print(f"  {escape(text)}", soft_wrap=True)


def _print_play(kept: EpisodeDetails) -> list[str]:
    line = kept.line
    how = (
        f"{line.status}, {line.end_reason}" if line.end_reason else f"{line.status}, still running or not yet delivered"
    )
    lasted = f", {(line.time_ended - line.time_created).total_seconds():.1f} s" if line.time_ended else ""
    return [
        f"{line.game_name} ({line.game_id}), played by {line.email or line.user_id}",
        f"{how}: score {line.score:g} in {line.n_steps} steps",
        f"began {line.time_created.astimezone():%Y-%m-%d %H:%M:%S %Z}{lasted}",
        _print_certificate(kept.certificate),
    ]


def _print_certificate(found: Any) -> str:
    if found is None:
        return "not run again yet: `skill-arcade verify` does it now"
    how = f"{found.n_steps} steps the same" if found.result is CertificateResult.certified else found.reason
    packages = found.versions.get("packages", {})
    by = f"; by skill-arcade {packages['skill-arcade']}" if "skill-arcade" in packages else ""
    return f"run again {found.time_created.astimezone():%Y-%m-%d %H:%M:%S %Z}: {found.result}, {how}{by}"


def print_origin(provenance: Mapping[str, Any], devices: Mapping[str, int]) -> list[str]:
    """The server, the game as it stood, and what the player sat at; `devices`: presses by input device."""
    player, unknown = provenance.get("player", {}), "not on record"
    commit, manifest = provenance.get("commit") or unknown, provenance.get("manifest_sha256", unknown)
    told = [
        f"server: skill-arcade {provenance.get('skill_arcade', unknown)}, commit {commit}",
        f"manifest: SHA-256 {manifest}; {provenance.get('mode', 'streamed')}",
    ]
    if player:
        screen = " x ".join(str(side) for side in player["screen"])
        refresh = f"{player['refresh_hz']:g} Hz" if player["refresh_hz"] else "refresh rate not measured"
        clock = "5 µs" if player["isolated"] else "100 µs"
        told += [
            f"browser: {player['browser']}",
            f"screen: {screen} at pixel ratio {player['pixel_ratio']:g}, {refresh}",
            f"browser's clock: resolves {clock} (cross-origin isolated: {'yes' if player['isolated'] else 'no'})",
        ]
    pressed = ", ".join(f"{name} ({count} presses)" for name, count in devices.items())
    return [*told, f"input device: {pressed or 'nothing was pressed'}"]


def _print_rerun(kept: EpisodeDetails) -> list[str]:
    facts = {"seed": kept.episode.seed, **kept.episode.environment}
    return [f"{name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in facts.items()]


def _print_rows(kept: EpisodeDetails) -> list[str]:
    kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(kept.events.items())) or "none"
    return [
        f"transition: {kept.n_transitions} rows, steps 0 to {kept.n_transitions - 1}"
        if kept.n_transitions
        else "transition: no rows",
        f"segment: {len(kept.segments)} rows, one for each piece that was delivered",
        f"event: {kinds}",
        *([f"not delivered yet: {len(kept.waiting)} pieces in {kept.waiting[0].parent}"] if kept.waiting else []),
    ]


def _print_objects(kept: EpisodeDetails) -> list[str]:
    told = []
    for segment in kept.segments:
        last = segment.first_step + segment.n_steps - 1
        steps = f"steps {segment.first_step} to {last}" if segment.n_steps else "no steps"
        for key in sorted(segment.objects):
            what = f"{segment.n_frames} {'frames' if key.endswith('.png') else 'observations'}"
            told.append(f"{key}: {what}, {steps}" + (f"  <- {kept.faults[key]}" if key in kept.faults else ""))
    size = sum(segment.n_bytes for segment in kept.segments)
    frames = sum(segment.n_frames for segment in kept.segments)
    each = f", {size / frames:.0f} bytes a frame" if frames else ""
    whole = "all are there and have the bytes that were recorded" if not kept.faults else "NOT WHOLE"
    return [*told, f"{size:,} bytes{each}: {whole}"]


def _print_reading(kept: EpisodeDetails) -> list[str]:
    return [
        f'Python:  import skill_arcade.dataset as sa; episode = sa.open().episode("{kept.line.id}")',
        f"SQL:     select * from transition where episode_id = '{kept.line.id}' order by step",
        "Frames:  each .png is an animated PNG, which a browser plays",
    ]
