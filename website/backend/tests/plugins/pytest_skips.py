"""Pytest plugin: in continuous integration, a skipped test is a failed test.

A skip hides a test that should have run, for example because a program is missing. With the variable CI set, a skip
fails unless the test has the marker `may_skip`, which gives the reason why its condition may hold in CI too.
"""

import os
from collections.abc import Generator
from typing import Any

import pytest

MARKER = "may_skip"


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", f"{MARKER}(reason): the test may be skipped in CI, for this reason")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a test into a failure."""
    report = yield
    if _must_not_skip(report) and not item.get_closest_marker(MARKER):
        report.outcome = "failed"
        report.longrepr = f"skipped, although CI is set: {_reason(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole module into a failure."""
    report = yield
    if _must_not_skip(report):
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} skipped, although CI is set: {_reason(report)}"
    return report


def _must_not_skip(report: pytest.TestReport | pytest.CollectReport) -> bool:
    """Return whether a report is a skip that fails. An expected failure (xfail) is reported like a skip too."""
    return bool(os.environ.get("CI")) and report.skipped and not hasattr(report, "wasxfail")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
