"""Several machines make what one makes: in shares, and on Ray with a worker killed on the way."""

import asyncio
import contextlib
import hashlib
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest
from sqlalchemy import make_url

from skill_arcade.errors import InvalidRequest
from skill_arcade.export import plan
from skill_arcade.export.formats import FormatName
from skill_arcade.export.plan import Plan
from skill_arcade.export.run import WORK_DIR, export_parts, finish_export, open_plan
from skill_arcade.shards import Shard
from tests.conftest import execute
from tests.export.conftest import Arcade

Run = Callable[..., Any]


def digest_all(folder: Path) -> dict[str, str]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def make_whole(arcade: Arcade, made: Plan, begun: Path, folder: Path) -> dict[str, str]:
    """What one process makes of the same plan."""
    shutil.copytree(begun / WORK_DIR, folder / WORK_DIR, ignore=shutil.ignore_patterns("done*"))
    list(export_parts(arcade.settings, made, folder, jobs=1))
    finish_export(made, folder)
    return digest_all(folder)


def test_shares_in_any_order_make_the_same_bytes_as_one(
    arcade: Arcade, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "PART_STEPS", 30)
    out = tmp_path / "shared"
    command = ("export", "--format", "minari")
    early = run(*command, "--shard", "0/2", out)
    assert (early.exit_code, "begin it with --plan" in early.stderr) == (1, True)
    assert "4 parts are planned" in run(*command, "--plan", out).output
    whole = make_whole(arcade, Plan.read(out / WORK_DIR / "plan.json"), out, tmp_path / "whole")
    # A job of two tasks says in the environment which one this is.
    monkeypatch.setenv("CLOUD_RUN_TASK_COUNT", "2")
    monkeypatch.setenv("CLOUD_RUN_TASK_INDEX", "1")
    assert "Share 1/2: 2 of 4 parts" in run(*command, out).output
    short = run(*command, "--finish", out)
    assert (short.exit_code, "2 of 4 parts are missing" in short.stderr) == (1, True)
    assert "Share 0/2: 2 of 4 parts" in run(*command, "--shard", "0/2", out).output
    assert run(*command, "--finish", out).exit_code == 0
    assert digest_all(out) == whole


def test_every_episode_falls_to_one_share_and_shares_are_alike() -> None:
    shards = [Shard(index, 4) for index in range(4)]
    ids = [uuid4() for _ in range(400)]
    taken = [[id_ for id_ in ids if shard.contains_episode(id_)] for shard in shards]
    assert sorted(id_ for mine in taken for id_ in mine) == sorted(ids)
    assert min(map(len, taken)) > 60


@pytest.mark.parametrize("told", ["4/4", "1", "a/b", "-1/2", "0/0"])
def test_what_is_no_share_is_refused(told: str) -> None:
    with pytest.raises(InvalidRequest, match="Invalid shard: say 0/4"):
        Shard.read(told, {})


def test_a_job_of_one_task_does_everything() -> None:
    assert Shard.read(None, {"CLOUD_RUN_TASK_INDEX": "0", "CLOUD_RUN_TASK_COUNT": "1"}) is None
    assert Shard.read(None, {"CLOUD_RUN_TASK_INDEX": "2", "CLOUD_RUN_TASK_COUNT": "3"}) == Shard(2, 3)
    assert Shard.read(None, {}) is None


@pytest.fixture
def forgotten_verdicts(arcade: Arcade) -> Iterator[None]:
    """Others find the arcade as it was: nothing in it was ever certified."""
    yield
    assert arcade.settings.database_url is not None
    asyncio.run(execute(make_url(arcade.settings.database_url), "DELETE FROM certificate"))


@pytest.mark.usefixtures("forgotten_verdicts")
def test_shares_of_verification_add_up(run: Run) -> None:
    found = [run("verify", "--all", "--jobs", 1, "--shard", f"{index}/2").output for index in range(2)]
    certified = [int(count) for output in found for count in re.findall(r"(\d+) certified", output)]
    assert sum(certified) == 4, found


@pytest.mark.may_skip("Ray is an extra that is not in the lock file")
@pytest.mark.slow
def test_ray_makes_the_same_bytes_though_a_worker_is_killed(
    arcade: Arcade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="needs the extra ray: `uv pip install ray`")
    monkeypatch.setattr(plan, "PART_STEPS", 30)
    out = tmp_path / "cluster"
    made = open_plan(arcade.dataset, FormatName.parquet, None, out)
    killed: list[int] = []

    def kill_one() -> None:
        end = time.monotonic() + 120
        while not killed and time.monotonic() < end:
            for process in psutil.Process().children(recursive=True):
                # It may end while it is looked at.
                with contextlib.suppress(psutil.Error):
                    if "ray::run_piece" in " ".join(process.cmdline()):
                        process.kill()
                        killed.append(process.pid)
                        return
            time.sleep(0.005)

    killer = threading.Thread(target=kill_one)
    killer.start()
    done = [part.number for part in export_parts(arcade.settings, made, out, jobs=3, ray="local")]
    killer.join()
    assert killed
    assert sorted(done) == [0, 1, 2, 3]
    whole = make_whole(arcade, made, out, tmp_path / "whole")
    finish_export(made, out)
    assert digest_all(out) == whole
