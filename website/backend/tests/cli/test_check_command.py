"""What `skill-arcade check` prints, and when it finds everything in order."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from skill_arcade.cli.check import CheckResult, print_result
from skill_arcade.storage.database.work import FailingWork, WorkKind
from skill_arcade.uploader.reconcile import EpisodeReport

GOOD = EpisodeReport(UUID(int=1), acknowledged=4, stored=4)


def test_failing_work_is_named_and_not_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    failing = FailingWork(WorkKind.ERASE, "ada", 7, datetime(2026, 11, 29, 12, tzinfo=UTC))
    result = CheckResult([GOOD], [], [failing])
    print_result(result, everything=False)
    assert not result.is_consistent
    assert (
        "Work of kind erase on ada was not done in 7 attempts since 2026-11-29 12:00:00 UTC." in capsys.readouterr().out
    )


def test_good_episodes_without_failing_work_are_in_order() -> None:
    assert CheckResult([GOOD], [], []).is_consistent
