"""Property test: an episode ranks only if nothing about it is forged, slowed, unfinished, unknown or not a person's."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_arcade.boards.daily import derive_seed
from skill_arcade.boards.rules import KNOWN_EVENTS, KNOWN_PROVENANCE, DailyFacts, EpisodeFacts, find_rejection
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.ids import new_episode_id
from skill_arcade.play.assignment import DailyAssignment, GameAssignment, PlayConsent
from skill_arcade.play.session.provenance import describe_server

PACKAGES = {"ale-py": "0.12.1", "gymnasium": "1.4.0", "numpy": "2.4.6"}
DAY, KEY = date(2026, 11, 28), "ab" * 32
START = datetime(2026, 11, 28, 12, tzinfo=UTC)
GOOD = EpisodeFacts(
    id=new_episode_id(),
    user_id="ada",
    game_id="breakout",
    seed=5,
    score=12.0,
    end_reason="terminated",
    environment={
        "id": "ALE/Breakout-v5",
        "kwargs": {"frameskip": 1},
        "gymnasium": {"entry_point": "ale_py.env:AtariEnv", "kwargs": {}},
        "rom": {"sha256": "1"},
        "packages": PACKAGES,
    },
    provenance={"skill_arcade": "0.1.0", "mode": "streamed", "options": {}, "player": {"browser": "Firefox"}},
    time_created=START,
    time_ended=START + timedelta(minutes=5),
    is_synthetic=False,
    certificate="certified",
    certified_packages=PACKAGES,
    is_real_time=True,
    nominal_hz=60.0,
    active_speed=1.0,
    n_steps=18_000,
    event_kinds=frozenset({"input", "clock"}),
)
DAILY = replace(
    GOOD,
    seed=derive_seed(KEY, DAY, "breakout"),
    environment={**GOOD.environment, "kwargs": {"frameskip": 1, "repeat_action_probability": 0.25}},
    provenance={**GOOD.provenance, "daily": DAY.isoformat()},
    daily=DailyFacts(DAY, "breakout", KEY, {"repeat_action_probability": 0.25}, has_earlier_try=False),
)
Change = Callable[[EpisodeFacts, Any], EpisodeFacts]


def add_provenance(facts: EpisodeFacts, name: str) -> EpisodeFacts:
    return replace(facts, provenance={**facts.provenance, name: True})


def record_by_version(facts: EpisodeFacts, version: str) -> EpisodeFacts:
    environment = {**facts.environment, "packages": {**PACKAGES, "ale-py": version}}
    return replace(facts, environment=environment)


CHANGES: dict[str, tuple[Change, st.SearchStrategy[Any]]] = {
    "synthetic": (lambda facts, _: replace(facts, is_synthetic=True), st.none()),
    "agent or branch": (
        add_provenance,
        st.sampled_from(["agent", "parent", "branch", "ghost", "study", "takeover"])
        | st.text(min_size=1).filter(lambda name: name not in KNOWN_PROVENANCE),
    ),
    "no page": (
        lambda facts, _: replace(facts, provenance={**facts.provenance, "player": None}),
        st.none(),
    ),
    "unknown mode": (
        lambda facts, mode: replace(facts, provenance={**facts.provenance, "mode": mode}),
        st.sampled_from(["stepped", "", None]),
    ),
    "unknown event": (
        lambda facts, kind: replace(facts, event_kinds=facts.event_kinds | {kind}),
        st.sampled_from(["incident", "crash", "takeover"])
        | st.text(min_size=1).filter(lambda k: k not in KNOWN_EVENTS),
    ),
    "unfinished": (
        lambda facts, reason: replace(facts, end_reason=reason),
        st.sampled_from([None, "left", "disconnected", "server-stopped", "crashed", "diverged", "silent", "idle"]),
    ),
    "running": (lambda facts, _: replace(facts, time_ended=None), st.none()),
    "forged": (
        lambda facts, result: replace(facts, certificate=result),
        st.sampled_from([None, "mismatch", "irreproducible", "damaged"]),
    ),
    "foreign version": (record_by_version, st.text().filter(lambda version: version != "0.12.1")),
    "unknown versions": (lambda facts, _: replace(facts, certified_packages={}), st.none()),
    "slowed": (
        lambda facts, speed: replace(facts, active_speed=speed),
        st.none() | st.floats(0, 0.899),
    ),
    "sped up": (lambda facts, speed: replace(facts, active_speed=speed), st.floats(1.11, 100)),
    "unknown pace": (lambda facts, _: replace(facts, nominal_hz=None, active_speed=None), st.none()),
    "no score": (
        lambda facts, score: replace(facts, score=score),
        st.sampled_from([float("nan"), float("inf"), float("-inf")]),
    ),
}
DAILY_CHANGES: dict[str, tuple[Change, st.SearchStrategy[Any]]] = {
    "another seed": (
        lambda facts, seed: replace(facts, seed=seed),
        st.integers(1, 2**31 - 1).filter(lambda seed: seed != DAILY.seed),
    ),
    "lockstep": (lambda facts, _: replace(facts, provenance={**facts.provenance, "mode": "lockstep"}), st.none()),
    "options": (
        lambda facts, _: replace(facts, provenance={**facts.provenance, "options": {"mode": "4"}}),
        st.none(),
    ),
    "not sticky": (
        lambda facts, _: replace(facts, environment={**facts.environment, "kwargs": {"frameskip": 1}}),
        st.none(),
    ),
    "another day": (
        lambda facts, hours: replace(facts, time_created=facts.time_created + timedelta(hours=hours)),
        st.integers(12, 100) | st.integers(-100, -13),
    ),
    "another game": (lambda facts, _: replace(facts, game_id="pong"), st.none()),
    "invented challenge": (lambda facts, _: replace(facts, daily=None), st.none()),
    "second try": (
        lambda facts, _: replace(facts, daily=replace(facts.daily, has_earlier_try=True)),  # type: ignore[type-var]
        st.none(),
    ),
}


@st.composite
def changed(draw: st.DrawFn, base: EpisodeFacts, changes: dict[str, tuple[Change, st.SearchStrategy[Any]]]) -> Any:
    names = draw(st.lists(st.sampled_from(sorted(changes)), min_size=1, max_size=4, unique=True))
    for name in names:
        if base.daily is None and name in DAILY_CHANGES:
            continue
        change, values = changes[name]
        base = change(base, draw(values))
    return base


def test_untouched_episode_ranks() -> None:
    assert find_rejection(GOOD) is None
    assert find_rejection(DAILY) is None
    assert find_rejection(replace(GOOD, is_real_time=False, nominal_hz=None, active_speed=None)) is None


@given(changed(GOOD, CHANGES))
def test_changed_episode_never_ranks(facts: EpisodeFacts) -> None:
    assert find_rejection(facts) is not None


@pytest.mark.parametrize("name", sorted(CHANGES | DAILY_CHANGES))
@given(data=st.data())
def test_daily_try_with_any_change_never_ranks(name: str, data: st.DataObject) -> None:
    change, values = (CHANGES | DAILY_CHANGES)[name]
    assert find_rejection(change(DAILY, data.draw(values))) is not None


@given(
    st.floats(0.9, 1.1), st.sampled_from(["streamed", "lockstep"]), st.frozensets(st.sampled_from(sorted(KNOWN_EVENTS)))
)
def test_harmless_facts_refuse_nothing(speed: float, mode: str, kinds: frozenset[str]) -> None:
    facts = replace(GOOD, active_speed=speed, provenance={**GOOD.provenance, "mode": mode}, event_kinds=kinds)
    assert find_rejection(facts) is None


def test_provenance_of_a_persons_own_play_is_known() -> None:
    assignment = GameAssignment(
        user_id="ada",
        game=load_catalogue().games["tower-of-hanoi"],
        manifest_hash="1",
        journal_folder=Path("/journal"),
        segment_seconds=5,
        resume_seconds=60,
        commit="1",
        options={"disks": "3"},
        daily=DailyAssignment(day="2026-11-28", seed=5),
        consent=PlayConsent(id=uuid4()),
        server_id=uuid4(),
    )
    assert set(describe_server(assignment)) <= KNOWN_PROVENANCE
