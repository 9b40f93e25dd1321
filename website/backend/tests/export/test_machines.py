"""Tests of exports by several machines: in shards, and on Ray with a killed worker."""

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


def export_in_one_process(arcade: Arcade, export_plan: Plan, planned: Path, folder: Path) -> dict[str, str]:
    """Run the same plan in one process and return the digests of its files."""
    shutil.copytree(planned / WORK_DIR, folder / WORK_DIR, ignore=shutil.ignore_patterns("done*"))
    list(export_parts(arcade.settings, export_plan, folder, jobs=1))
    finish_export(export_plan, folder)
    return digest_all(folder)


def test_shards_in_any_order_export_same_bytes(
    arcade: Arcade, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "PART_STEPS", 30)
    out = tmp_path / "shared"
    command = ("export", "--format", "minari")
    unplanned = run(*command, "--shard", "0/2", out)
    assert (unplanned.exit_code, "begin it with --plan" in unplanned.stderr) == (1, True)
    assert "4 parts are planned" in run(*command, "--plan", out).output
    complete = export_in_one_process(arcade, Plan.read(out / WORK_DIR / "plan.json"), out, tmp_path / "whole")
    # A Cloud Run job sets these variables for each of its tasks.
    monkeypatch.setenv("CLOUD_RUN_TASK_COUNT", "2")
    monkeypatch.setenv("CLOUD_RUN_TASK_INDEX", "1")
    assert "Shard 1/2: 2 of 4 parts" in run(*command, out).output
    incomplete = run(*command, "--finish", out)
    assert (incomplete.exit_code, "2 of 4 parts are missing" in incomplete.stderr) == (1, True)
    assert "Shard 0/2: 2 of 4 parts" in run(*command, "--shard", "0/2", out).output
    assert run(*command, "--finish", out).exit_code == 0
    assert digest_all(out) == complete


def test_shards_partition_episodes_evenly() -> None:
    shards = [Shard(index, 4) for index in range(4)]
    ids = [uuid4() for _ in range(400)]
    shares = [[id_ for id_ in ids if shard.contains_episode(id_)] for shard in shards]
    assert sorted(id_ for share in shares for id_ in share) == sorted(ids)
    assert min(map(len, shares)) > 60


@pytest.mark.parametrize("argument", ["4/4", "1", "a/b", "-1/2", "0/0"])
def test_invalid_shard_is_rejected(argument: str) -> None:
    with pytest.raises(InvalidRequest, match="0/4"):
        Shard.read(argument, {})


def test_shard_of_cloud_run_job_is_its_task() -> None:
    assert Shard.read(None, {"CLOUD_RUN_TASK_INDEX": "0", "CLOUD_RUN_TASK_COUNT": "1"}) is None
    assert Shard.read(None, {"CLOUD_RUN_TASK_INDEX": "2", "CLOUD_RUN_TASK_COUNT": "3"}) == Shard(2, 3)
    assert Shard.read(None, {}) is None


@pytest.fixture
def deleted_certificates(arcade: Arcade) -> Iterator[None]:
    """Delete all certificates after the test, because other tests share the database."""
    yield
    assert arcade.settings.database_url is not None
    asyncio.run(execute(make_url(arcade.settings.database_url), "DELETE FROM certificate"))


@pytest.mark.usefixtures("deleted_certificates")
def test_shards_of_verification_cover_all_episodes(run: Run) -> None:
    outputs = [run("verify", "--all", "--jobs", 1, "--shard", f"{index}/2").output for index in range(2)]
    certified = [int(count) for output in outputs for count in re.findall(r"(\d+) certified", output)]
    assert sum(certified) == 4, outputs


@pytest.mark.may_skip("Ray is an extra that is not in the lock file")
@pytest.mark.slow
def test_ray_export_with_killed_worker_has_same_bytes(
    arcade: Arcade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="needs the extra ray: `uv pip install ray`")
    monkeypatch.setattr(plan, "PART_STEPS", 30)
    out = tmp_path / "cluster"
    export_plan = open_plan(arcade.dataset, FormatName.parquet, None, out)
    killed: list[int] = []

    def kill_worker() -> None:
        end = time.monotonic() + 120
        while not killed and time.monotonic() < end:
            for process in psutil.Process().children(recursive=True):
                # The process may exit while it is inspected.
                with contextlib.suppress(psutil.Error):
                    if "ray::run_piece" in " ".join(process.cmdline()):
                        process.kill()
                        killed.append(process.pid)
                        return
            time.sleep(0.005)

    killer = threading.Thread(target=kill_worker)
    killer.start()
    finished_parts = [part.number for part in export_parts(arcade.settings, export_plan, out, jobs=3, ray="local")]
    killer.join()
    assert killed
    assert sorted(finished_parts) == [0, 1, 2, 3]
    complete = export_in_one_process(arcade, export_plan, out, tmp_path / "whole")
    finish_export(export_plan, out)
    assert digest_all(out) == complete
