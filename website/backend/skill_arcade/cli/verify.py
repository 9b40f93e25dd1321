"""`skill-arcade verify`: re-runs episodes in parallel and compares them with the recordings."""

import asyncio
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from rich.console import Console
from rich.progress import Progress

from skill_arcade.certify.pool import rerun_alone, verify_episodes
from skill_arcade.certify.process import store_verdict
from skill_arcade.certify.rerun import Verdict
from skill_arcade.errors import InvalidRequest
from skill_arcade.ray_jobs import run_on_ray
from skill_arcade.settings import Settings
from skill_arcade.shards import Shard
from skill_arcade.storage.database.certificates import list_finished, read_upload_times
from skill_arcade.storage.database.engine import open_engine, transaction
from skill_arcade.storage.database.queries import find_episode
from skill_arcade.storage.database.tables import CertificateResult


async def verify(
    settings: Settings,
    prefixes: Sequence[str],
    *,
    everything: bool,
    jobs: int,
    shard: Shard | None = None,
    ray: str | None = None,
) -> bool:
    """Verify episodes, store the verdicts and print them. Return whether no recording is damaged or mismatched.

    `shard` limits `everything` to one shard; None means all episodes. `ray` is the address of a Ray cluster; None uses
    local processes.

    Raises:
        InvalidRequest: neither ids nor `everything` are given, or both.
        NotFound: an episode does not exist.
    """
    if everything == bool(prefixes):
        raise InvalidRequest("Give episode ids (`skill-arcade verify EPISODE...`) or `--all` for all finished ones.")
    async with open_engine(settings) as engine:
        async with transaction(engine) as connection:
            if everything:
                finished = await list_finished(connection)
                episodes = [id_ for id_ in finished if shard is None or shard.contains_episode(id_)]
            else:
                episodes = [(await find_episode(connection, prefix)).id for prefix in prefixes]
            times = await read_upload_times(connection, episodes)
        loop, console, counts = asyncio.get_running_loop(), Console(), dict[CertificateResult, int]()

        def verify_all() -> None:
            verdicts = (
                verify_episodes(settings, episodes, workers=jobs)
                if ray is None
                else run_on_ray(ray, partial(rerun_alone, settings), episodes, workers=jobs)
            )
            with Progress(console=console, transient=True) as progress:
                task = progress.add_task("Re-running", total=len(episodes))
                for episode, verdict in verdicts:
                    storing = store_verdict(engine, episode, verdict, times.get(episode))
                    asyncio.run_coroutine_threadsafe(storing, loop).result()
                    counts[verdict.result] = counts.get(verdict.result, 0) + 1
                    _print_verdict(console, episode, verdict, always=not everything)
                    progress.advance(task)

        await asyncio.to_thread(verify_all)
    console.print(", ".join(f"{count} {result}" for result, count in counts.items()) or "No finished episodes.")
    return not {CertificateResult.mismatch, CertificateResult.damaged} & counts.keys()


def _print_verdict(console: Console, episode: UUID, verdict: Verdict, *, always: bool) -> None:
    if verdict.result is not CertificateResult.certified:
        console.print(f"{episode}  {verdict.result}: {verdict.reason}", soft_wrap=True)
    elif always:
        console.print(f"{episode}  certified: {verdict.n_steps} steps identical, in {verdict.seconds:.1f} s")
