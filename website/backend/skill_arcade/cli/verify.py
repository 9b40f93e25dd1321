"""`skill-arcade verify`: run episodes again and compare, many at once."""

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
from skill_arcade.storage.database.certificates import list_finished
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
    """Verify episodes, keep the verdicts and print them; True when nothing is wrong with any record.

    `shard`: only its share of all. `ray`: on this cluster.

    Raises InvalidRequest when it is not said which episodes, NotFound for one that is not there.
    """
    if everything == bool(prefixes):
        raise InvalidRequest("Say which: `skill-arcade verify EPISODE...`, or `--all` for every finished one.")
    async with open_engine(settings) as engine:
        async with transaction(engine) as connection:
            if everything:
                finished = await list_finished(connection)
                episodes = [id_ for id_ in finished if shard is None or shard.contains_episode(id_)]
            else:
                episodes = [(await find_episode(connection, prefix)).id for prefix in prefixes]
        loop, console, found = asyncio.get_running_loop(), Console(), dict[CertificateResult, int]()

        def work() -> None:
            verdicts = (
                verify_episodes(settings, episodes, workers=jobs)
                if ray is None
                else run_on_ray(ray, partial(rerun_alone, settings), episodes, workers=jobs)
            )
            with Progress(console=console, transient=True) as progress:
                task = progress.add_task("Running again", total=len(episodes))
                for episode, verdict in verdicts:
                    asyncio.run_coroutine_threadsafe(store_verdict(engine, episode, verdict), loop).result()
                    found[verdict.result] = found.get(verdict.result, 0) + 1
                    _print_verdict(console, episode, verdict, always=not everything)
                    progress.advance(task)

        await asyncio.to_thread(work)
    console.print(", ".join(f"{count} {result}" for result, count in found.items()) or "No episode has finished yet.")
    return not {CertificateResult.mismatch, CertificateResult.damaged} & found.keys()


def _print_verdict(console: Console, episode: UUID, verdict: Verdict, *, always: bool) -> None:
    if verdict.result is not CertificateResult.certified:
        console.print(f"{episode}  {verdict.result}: {verdict.reason}", soft_wrap=True)
    elif always:
        console.print(f"{episode}  certified: {verdict.n_steps} steps the same, in {verdict.seconds:.1f} s")
