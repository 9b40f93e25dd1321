"""Format video: lossless H.264 in RGB with the time of each frame, and the steps as Parquet."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from skill_arcade.dataset.episode import Episode
from skill_arcade.export.episode_facts import ExportedEpisode
from skill_arcade.export.formats import Report
from skill_arcade.export.parquet_writer import write_steps, write_table
from skill_arcade.export.plan import Part, Plan
from skill_arcade.export.rows import build_episode_facts

MICROSECOND = Fraction(1, 1_000_000)


class VideoFormat:
    """Writes `videos/EPISODE.mp4`, and the tables of the format `parquet` without frames."""

    def write_part(
        self, part: Part, group: dict[str, Any], episodes: Iterable[ExportedEpisode], folder: Path
    ) -> dict[str, Any]:
        name = f"{part.group}-{part.place:05d}.parquet"

        def write_videos() -> Iterable[ExportedEpisode]:
            for exported in episodes:
                write_video(exported.episode, folder / "videos" / f"{exported.number:06d}.mp4")
                yield exported

        write_steps(write_videos(), folder / "steps" / name, folder / "events" / name, pictures=False)
        return {}

    def finish(self, plan: Plan, reports: list[Report], folder: Path) -> None:
        write_table(
            build_episode_facts([facts for report in reports for facts in report.facts]), folder / "episodes.parquet"
        )

    def load(self, plan: Plan) -> str:
        return (
            "import av\n\n"
            'with av.open("videos/000000.mp4") as video:\n'
            '    frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]'
        )


def write_video(episode: Episode, path: Path) -> None:
    """Write T + 1 lossless frames. Frame i + 1 has the start time of step i in microseconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    times_us = [0, *episode.times["server_us"].tolist()]
    _, height, width, _ = episode.frames.shape
    with av.open(str(path), "w", options={"video_track_timescale": "1000000"}) as container:
        # With one thread the bytes do not depend on the number of CPUs. Quantiser 0 in RGB is lossless.
        options = {"qp": "0", "preset": "veryfast", "threads": "1"}
        stream = container.add_stream("libx264rgb", rate=60, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "rgb24"
        stream.codec_context.time_base = MICROSECOND
        last = -1
        for time_us, pixels in zip(times_us, episode.frames, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            last = max(time_us, last + 1)
            frame.pts, frame.time_base = last, MICROSECOND
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


FORMAT = VideoFormat()
