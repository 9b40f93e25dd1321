"""An agent acts until the person takes over (rules O38 and R41)."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray

from skill_arcade.agents.cart_pole import CartPolePolicy
from skill_arcade.agents.catalogue import Agent, find_agent
from skill_arcade.dataset.takeover import ABSENT, Takeover, read_takeover
from skill_arcade.play.session.shared_control import SharedControl, can_share
from skill_arcade.wire.close_codes import CloseCode
from tests.support.catalogue import load_games
from tests.support.moved import read_all
from tests.support.session_harness import SessionHarness

FIRE, LEFT = 1, 3
HAND_BACK = 30
"""Steps of half a second at 60 Hz."""


class Counting:
    """A policy that chooses 0, 2, 0, 2, ... for two steps each."""

    def __init__(self) -> None:
        self._n_chosen = 0

    def start(self, seed: int) -> None:
        self._n_chosen = 0

    def choose(self, observation: Any, info: dict[str, Any]) -> int:
        self._n_chosen += 1
        return (self._n_chosen - 1) // 2 % 2 * 2


class Failing(Counting):
    """Fails at its tenth choice."""

    def choose(self, observation: Any, info: dict[str, Any]) -> int:
        if self._n_chosen == 9:
            raise RuntimeError("out of ideas")
        return super().choose(observation, info)


def agent(make: Callable[[], Any] = Counting) -> Agent:
    return Agent("tester", "For tests.", ("*",), lambda _game, _n_actions: make(), "ab" * 32)


def recorded(harness: SessionHarness) -> tuple[NDArray[np.int64], Takeover, list[Any]]:
    """End the session; return the recorded actions, who acted, and the events."""
    harness.session.stop("left", harness.now)
    segments = read_all(harness.journal, episode=harness.headers[-1].episode_id)
    actions = np.array([step.action for segment in segments for step in segment.steps], np.int64)
    events = [event for segment in segments for event in segment.events]
    return actions, read_takeover("tester", actions, events), events


def test_O38_R41_person_acts_from_the_press_until_half_a_second_after_the_release(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout", agent=agent())
    harness.send("start")
    harness.ticks(10)
    harness.press("left")
    harness.ticks(5)
    harness.press("left", down=False)
    harness.ticks(HAND_BACK + 20)
    actions, takeover, _ = recorded(harness)
    expected_agent = [index // 2 % 2 * 2 for index in range(len(actions))]
    human = list(range(10, 15 + HAND_BACK))
    assert np.flatnonzero(takeover.is_intervention).tolist() == human
    assert takeover.agent_actions.tolist() == expected_agent
    assert actions[:10].tolist() == expected_agent[:10]
    assert actions[10:15].tolist() == [LEFT] * 5
    assert actions[15 : 15 + HAND_BACK].tolist() == [0] * HAND_BACK
    assert actions[15 + HAND_BACK :].tolist() == expected_agent[15 + HAND_BACK :]
    assert takeover.human_actions.tolist() == [
        action if index in human else ABSENT for index, action in enumerate(actions.tolist())
    ]
    assert harness.headers[0].provenance["takeover"] == {
        "agent": "tester",
        "hand_back_steps": HAND_BACK,
        "mode": "take-over",
    }


def test_O38_page_learns_who_acts_before_the_frame_of_the_step(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout", agent=agent())
    harness.send("start")
    assert harness.order[-3:] == ["started", "actor", "frame"]
    harness.ticks(3)
    harness.press("fire")
    harness.ticks(1)
    assert harness.order[-2:] == ["actor", "frame"]
    assert harness.messages_of("actor") == {"type": "actor", "actor": "human", "agent": "tester"}
    harness.reconnect()
    assert "actor" in harness.order[-3:]


def test_O38_tap_between_two_ticks_takes_over(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout", agent=agent())
    harness.send("start")
    harness.ticks(4)
    harness.press("fire")
    harness.press("fire", down=False)
    harness.ticks(3)
    actions, takeover, _ = recorded(harness)
    assert actions[4] == FIRE
    assert takeover.is_intervention[4:].all()


def test_O38_labels_around_switches_are_those_of_fifteen_steps(tmp_path: Path) -> None:
    is_human = np.zeros(200, np.bool_)
    is_human[50:100] = True
    absent = np.full(200, ABSENT)
    takeover = Takeover("tester", is_human, absent, absent)
    assert takeover.switches.tolist() == [50, 100]
    assert np.flatnonzero(takeover.is_near_switch).tolist() == [*range(35, 65), *range(85, 115)]
    assert np.flatnonzero(takeover.intervention_labels == -10).tolist() == list(range(35, 50))
    assert np.flatnonzero(takeover.intervention_labels == 1).tolist() == list(range(50, 100))


@pytest.mark.parametrize("make", [Failing, lambda: 1 / 0], ids=["while it plays", "at the start"])
def test_O38_failed_agent_leaves_the_game_to_the_person(tmp_path: Path, make: Callable[[], Any]) -> None:
    harness = SessionHarness(tmp_path, "breakout", agent=agent(make))
    harness.send("start")
    harness.ticks(20)
    assert "agent" in harness.messages_of("notice")["text"]
    assert harness.messages_of("actor")["actor"] == "human"
    harness.press("left")
    harness.ticks(2)
    actions, takeover, events = recorded(harness)
    assert actions[-2:].tolist() == [LEFT, LEFT]
    assert takeover.is_intervention[-12:].all()
    assert takeover.agent_actions[-1] == ABSENT
    assert [event.data for event in events if event.kind == "agent-failed"]


def test_O38_agent_that_chooses_no_action_of_the_game_has_failed(tmp_path: Path) -> None:
    class Wrong(Counting):
        def choose(self, observation: Any, info: dict[str, Any]) -> int:
            return 99

    harness = SessionHarness(tmp_path, "breakout", agent=agent(Wrong))
    harness.send("start")
    harness.ticks(2)
    _, _, events = recorded(harness)
    assert "99" in next(event.data["error"] for event in events if event.kind == "agent-failed")


def test_O38_neither_lockstep_nor_a_program_plays_with_an_agent(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout", agent=agent(), is_program=True)
    assert harness.messages_of("welcome")["lockstep"] is None
    harness.send("start", program={"pace": "realtime", "seed": None})
    assert harness.closed is not None
    assert harness.closed[0] is CloseCode.BAD_MESSAGE


def test_O38_next_episode_begins_with_the_agent(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout", agent=agent())
    harness.send("start")
    harness.press("left")
    harness.ticks(3)
    harness.send("leave")
    harness.press("left", down=False)
    harness.send("start")
    harness.ticks(3)
    _, takeover, _ = recorded(harness)
    assert not takeover.is_intervention.any()


def test_pong_follower_plays_until_the_person_takes_over(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "pong", agent=find_agent("pong-follower", load_games()["pong"]))
    harness.send("start")
    harness.ticks(600)
    harness.press("right")
    harness.ticks(30)
    harness.press("right", down=False)
    harness.ticks(120)
    _, takeover, _ = recorded(harness)
    assert set(takeover.agent_actions.tolist()) > {0, 1}
    assert takeover.is_intervention.sum() == 30 + HAND_BACK


def take_over(harness: SessionHarness, n_steps: int = 5) -> None:
    harness.press("left")
    harness.ticks(n_steps)
    harness.press("left", down=False)
    harness.ticks(HAND_BACK + 5)


def test_O41_R44_reason_belongs_to_the_last_intervention_and_the_last_answer_counts(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout", agent=agent())
    harness.send("start")
    harness.send("reason", reason="fun")  # nobody has taken over yet
    harness.ticks(10)
    take_over(harness)
    harness.send("reason", reason="danger")
    harness.send("reason", reason="mistake")
    take_over(harness)
    take_over(harness)
    harness.send("reason", reason="demonstration")
    _, takeover, events = recorded(harness)
    assert [(one.start, one.end, one.reason) for one in takeover.interventions] == [
        (10, 45, "mistake"),
        (50, 85, None),
        (90, 125, "demonstration"),
    ]
    assert np.flatnonzero(takeover.reason_codes == 0).tolist() == list(range(10, 45))
    assert np.flatnonzero(takeover.reason_codes == 2).tolist() == list(range(90, 125))
    assert len([event for event in events if event.kind == "takeover-reason"]) == 3


def test_O41_reason_after_the_end_of_the_episode_is_recorded(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout", agent=agent())
    harness.send("start")
    harness.acknowledges = False
    harness.press("left")
    harness.ticks(3)
    harness.send("leave")
    harness.send("reason", reason="fun")
    _, takeover, _ = recorded(harness)
    assert [one.reason for one in takeover.interventions] == ["fun"]


def test_O41_reason_is_refused_without_an_agent_and_if_it_is_none_of_the_words(tmp_path: Path) -> None:
    for name, reason, one in (("without", "fun", None), ("other", "boredom", agent())):
        harness = SessionHarness(tmp_path / name, "breakout", agent=one)
        harness.send("start")
        harness.send("reason", reason=reason)
        assert harness.closed is not None
        assert harness.closed[0] is CloseCode.BAD_MESSAGE


def test_O41_failed_agent_is_no_intervention_with_a_reason(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout", agent=agent(Failing))
    harness.send("start")
    harness.ticks(20)
    harness.send("reason", reason="fun")
    _, takeover, _ = recorded(harness)
    assert [one.reason for one in takeover.interventions] == [None]


# -- both act in one step ------------------------------------------------------------------------------------------


def find_action(game: Any, *controls: str) -> int:
    """Return the action of controls that are held together; of none, that of nothing."""
    found = next((one.action for one in game.actions if set(one.press) == set(controls)), game.noop)
    assert found is not None
    return int(found)


@pytest.mark.parametrize(
    ("game", "human", "agent_holds", "together"),
    [
        ("pong", ["fire"], ["left"], ["left", "fire"]),
        ("pong", ["left"], ["fire"], ["left", "fire"]),
        ("pong", ["left"], ["right"], ["left"]),
        ("pong", ["left"], ["right", "fire"], ["left", "fire"]),
        ("pong", ["left", "fire"], ["right"], ["left", "fire"]),
        ("pong", ["fire"], [], ["fire"]),
        ("seaquest", ["up"], ["left", "fire"], ["up", "left", "fire"]),
        ("seaquest", ["up"], ["down", "left", "fire"], ["up", "left", "fire"]),
        ("tetris", ["turn"], ["left"], ["left", "turn"]),
        ("tetris", ["turn"], ["drop"], ["turn"]),
        ("breakout", ["fire"], ["left"], ["fire"]),
    ],
)
def test_O41_person_replaces_only_the_controls_that_cannot_act_beside_theirs(
    game: str, human: list[str], agent_holds: list[str], together: list[str]
) -> None:
    manifest = load_games()[game]
    action = SharedControl(manifest).combine(find_action(manifest, *human), find_action(manifest, *agent_holds))
    assert action == find_action(manifest, *together)


def test_O41_combined_action_has_all_that_the_person_holds_in_every_game() -> None:
    games = [game for game in load_games().values() if can_share(game)]
    assert len(games) > 90
    rng = random.Random(1)
    for game in games:
        controls = {one.action: set(one.press) for one in reversed(game.actions)}
        shared = SharedControl(game)
        for _ in range(50):
            human, of_agent = rng.choice(game.actions), rng.choice(game.actions)
            held, result = set(human.press), shared.combine(human.action, of_agent.action)
            held = min((set(one.press) for one in game.actions if one.action == human.action), key=len)
            found = [set(one.press) for one in game.actions if one.action == result]
            assert any(held <= press <= held | set(of_agent.press) | controls[of_agent.action] for press in found)
        assert shared.combine(game.noop or 0, game.actions[0].action) == game.actions[0].action


def test_O41_R44_shared_steps_have_both_actions_and_the_one_that_was_taken(tmp_path: Path) -> None:
    class Left(Counting):
        def choose(self, observation: Any, info: dict[str, Any]) -> int:
            return LEFT

    harness = SessionHarness(tmp_path, "pong", agent=agent(Left))
    left, fire, right = (find_action(harness.manifest, one) for one in ("left", "fire", "right"))
    both = find_action(harness.manifest, "left", "fire")
    assert (left, fire) == (LEFT, FIRE)
    harness.send("agent", interval_ms=None, mode="together")
    harness.send("start")
    harness.ticks(5)
    harness.press("fire")
    harness.ticks(5)
    assert harness.messages_of("actor")["actor"] == "shared"
    harness.press("fire", down=False)
    harness.ticks(5)
    assert harness.messages_of("actor")["actor"] == "agent"
    harness.press("right")
    harness.ticks(5)
    harness.press("right", down=False)
    harness.press("left")
    harness.ticks(5)
    actions, takeover, events = recorded(harness)
    assert actions.tolist() == [left] * 5 + [both] * 5 + [left] * 5 + [right] * 5 + [left] * 5
    assert takeover.actors.tolist() == [0] * 5 + [2] * 5 + [0] * 5 + [2] * 10
    assert takeover.human_actions.tolist() == [ABSENT] * 5 + [fire] * 5 + [ABSENT] * 5 + [right] * 5 + [left] * 5
    assert takeover.agent_actions.tolist() == [left] * 25
    # To press what the agent chose anyway changes nothing, so it is no intervention.
    assert np.flatnonzero(takeover.is_intervention).tolist() == [*range(5, 10), *range(15, 20)]
    assert takeover.intervention_labels[5:10].tolist() == [1] * 5
    assert takeover.intervention_labels[20:].tolist() == [0] * 5
    assert harness.headers[0].provenance["takeover"]["mode"] == "together"
    assert [event.kind for event in events].count("human-action") == 3


def test_O41_mode_can_be_changed_while_the_game_runs(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "pong", agent=agent())
    harness.send("start")
    harness.press("left")
    harness.ticks(3)
    harness.send("agent", interval_ms=None, mode="together")
    harness.ticks(3)
    harness.send("agent", interval_ms=None, mode="take-over")
    harness.ticks(3)
    _, takeover, events = recorded(harness)
    assert takeover.actors.tolist() == [1] * 3 + [2] * 3 + [1] * 3
    modes = [event.data["mode"] for event in events if event.kind == "agent-setup"]
    assert modes == ["together", "take-over"]


@pytest.mark.parametrize("game", ["breakout", "tower-of-hanoi"])
def test_O41_playing_together_is_refused_where_no_controls_act_together(tmp_path: Path, game: str) -> None:
    harness = SessionHarness(tmp_path, game, agent=agent())
    harness.send("agent", interval_ms=500, mode="together")
    assert harness.closed is not None
    assert harness.closed[0] is CloseCode.BAD_MESSAGE
    assert "act together" in harness.closed[1]


def test_O41_failed_agent_leaves_a_shared_game_to_the_person(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "pong", agent=agent(Failing))
    harness.send("agent", interval_ms=None, mode="together")
    harness.send("start")
    harness.press("left")
    harness.ticks(20)
    _, takeover, _ = recorded(harness)
    assert takeover.actors.tolist() == [2] * 9 + [1] * 11


def test_R44_recording_made_before_reads_as_before() -> None:
    @dataclass
    class Old:
        kind: str
        step: int
        data: dict[str, Any]

    events = [Old("takeover", 0, {"actor": "agent"}), Old("agent-action", 0, {"action": 2})]
    events += [Old("takeover", 3, {"actor": "human"}), Old("takeover", 6, {"actor": "agent"})]
    takeover = read_takeover("tester", np.array([2, 2, 2, 1, 1, 1, 2, 2]), events)
    assert takeover.actors.tolist() == [0, 0, 0, 1, 1, 1, 0, 0]
    assert takeover.is_shared is None
    assert [(one.start, one.end, one.reason) for one in takeover.interventions] == [(3, 6, None)]
    assert set(takeover.reason_codes.tolist()) == {-1}


# -- turn-based games ----------------------------------------------------------------------------------------------


def run_until(harness: SessionHarness, until_us: int) -> None:
    """Advance the clock to each deadline before a time, and then to that time."""
    while (due := harness.session.due_us) is not None and due <= until_us:
        harness.now = max(due, harness.now)
        harness.session.tick(harness.now)
    harness.now = until_us


def hanoi(tmp_path: Path, name: str = "hanoi-optimal") -> SessionHarness:
    harness = SessionHarness(tmp_path, "tower-of-hanoi", agent=find_agent(name, load_games()["tower-of-hanoi"]))
    harness.send("start")
    return harness


def click(harness: SessionHarness, control: str, seconds: float = 0.1) -> None:
    """Press a control, as a click on a pole does, and release it."""
    harness.press(control)
    run_until(harness, harness.now + round(seconds * 1e6))
    harness.press(control, down=False)


def test_O41_agent_moves_at_its_pace_and_waits_after_a_press_of_the_person(tmp_path: Path) -> None:
    harness = hanoi(tmp_path)
    start = harness.now
    run_until(harness, start + 1_600_000)
    assert harness.n_steps == 3
    click(harness, "pole-1")
    assert harness.n_steps == 4
    released = harness.now
    run_until(harness, released + 1_999_000)
    assert harness.n_steps == 4
    run_until(harness, released + 2_500_000)
    assert harness.n_steps == 6
    _, takeover, _ = recorded(harness)
    assert takeover.is_intervention.tolist() == [False, False, False, True, False, False]
    assert takeover.human_actions.tolist() == [ABSENT] * 3 + [0] + [ABSENT] * 2
    assert (takeover.agent_actions != ABSENT).all()
    described = harness.headers[0].provenance["takeover"]
    assert described == {
        "agent": "hanoi-optimal",
        "hand_back_steps": 0,
        "mode": "take-over",
        "hand_back_seconds": 2.0,
        "interval_ms": 500,
    }


def test_O41_labels_around_switches_of_a_turn_based_game_follow_the_time(tmp_path: Path) -> None:
    is_human = np.array([False, False, True, True, False, False, True, False])
    absent = np.full(8, ABSENT)
    #                    the person acts 900 ms after the agent, and later 100 ms after it
    steps_us = np.array([500, 1000, 1900, 2000, 4500, 5000, 5100, 7200]) * 1000
    takeover = Takeover("tester", is_human, absent, absent, steps_us=steps_us)
    assert takeover.switches.tolist() == [2, 4, 6, 7]
    assert np.flatnonzero(takeover.is_near_switch).tolist() == [5, 6]
    assert takeover.intervention_labels.tolist() == [0, -10, 1, 1, 0, -10, 1, 0]
    first = Takeover("tester", is_human[2:], absent, absent, steps_us=steps_us[2:])
    assert first.intervention_labels.tolist() == [1, 1, 0, -10, 1, 0]


def test_O41_agent_waits_while_a_control_is_held_and_between_the_clicks_of_a_move(tmp_path: Path) -> None:
    harness = hanoi(tmp_path)
    harness.press("pole-1")
    run_until(harness, harness.now + 30_000_000)
    assert harness.n_steps == 1
    harness.press("pole-1", down=False)
    run_until(harness, harness.now + 1_500_000)
    click(harness, "pole-2")
    assert harness.n_steps == 2
    run_until(harness, harness.now + 2_100_000)
    assert harness.n_steps == 3


def test_O41_agent_solves_the_puzzle_from_wherever_the_person_has_left_it(tmp_path: Path) -> None:
    harness = hanoi(tmp_path)
    click(harness, "pole-1")
    click(harness, "pole-2")
    click(harness, "pole-1")  # a disk in the air
    while not harness.has_ended():
        harness.ticks(1)
    assert harness.messages_of("ended")["status"] == "won"


def test_O41_pace_of_the_agent_can_be_changed_and_paused(tmp_path: Path) -> None:
    harness = hanoi(tmp_path)
    harness.send("agent", interval_ms=None)
    run_until(harness, harness.now + 60_000_000)
    assert harness.n_steps == 0
    click(harness, "pole-1")
    run_until(harness, harness.now + 60_000_000)
    assert harness.n_steps == 1
    harness.send("agent", interval_ms=200)
    run_until(harness, harness.now + 1_010_000)
    assert harness.n_steps == 6
    _, _, events = recorded(harness)
    assert [event.data for event in events if event.kind == "agent-setup"] == [
        {"interval_ms": None, "mode": "take-over"},
        {"interval_ms": 200, "mode": "take-over"},
    ]


def test_O41_pace_before_the_start_is_in_the_provenance(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "taxi", agent=find_agent("random", load_games()["taxi"]))
    harness.send("agent", interval_ms=1000)
    harness.send("start")
    harness.ticks(3)
    assert harness.headers[0].provenance["takeover"]["interval_ms"] == 1000


def test_O41_paused_game_and_lost_connection_stop_the_agent(tmp_path: Path) -> None:
    harness = hanoi(tmp_path)
    harness.send("pause")
    run_until(harness, harness.now + 20_000_000)
    assert harness.n_steps == 0
    harness.send("resume")
    run_until(harness, harness.now + 1_010_000)
    assert harness.n_steps == 2
    harness.reconnect()
    run_until(harness, harness.now + 20_000_000)
    assert harness.n_steps == 2


def test_O41_pace_is_refused_without_an_agent_and_out_of_range(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "tower-of-hanoi")
    harness.send("agent", interval_ms=200)
    assert harness.closed is not None
    assert harness.closed == (CloseCode.BAD_MESSAGE, "agent is not allowed in a game without an agent")
    harness = hanoi(tmp_path / "other")
    harness.send("agent", interval_ms=1)
    assert harness.closed is not None
    assert harness.closed[0] is CloseCode.BAD_MESSAGE


def test_O41_failed_agent_leaves_a_turn_based_game_to_the_person(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "frozen-lake", agent=agent(lambda: 1 / 0))
    harness.send("start")
    assert harness.messages_of("actor")["actor"] == "human"
    run_until(harness, harness.now + 20_000_000)
    harness.send("agent", interval_ms=100)
    run_until(harness, harness.now + 20_000_000)
    assert harness.n_steps == 0
    click(harness, "right")
    assert harness.n_steps == 1
    _, takeover, _ = recorded(harness)
    assert takeover.is_intervention.all()


@pytest.mark.parametrize("seed", range(1, 6))
def test_O41_babyai_bot_reaches_the_goal_after_a_person_has_led_it_astray(tmp_path: Path, seed: int) -> None:
    game = load_games()["babyai-go-to-local"]
    harness = SessionHarness(tmp_path, game, seed=seed, agent=find_agent("babyai-bot", game))
    harness.send("start")
    rng = random.Random(seed)
    for _ in range(6):
        run_until(harness, harness.now + 2_600_000)
        if not harness.has_ended():
            click(harness, rng.choice(["left", "right", "forward"]))
    while not harness.has_ended():
        harness.ticks(1)
    assert harness.messages_of("ended")["status"] == "won"
    _, _, events = recorded(harness)
    assert not [event for event in events if event.kind == "agent-failed"]


# -- an agent learns from a person who takes over ------------------------------------------------------------------


class Clone:
    """A linear policy for CartPole, fitted to what a person did."""

    def __init__(self) -> None:
        self.weights = np.zeros(5)

    def fit(self, observations: NDArray[np.float64], actions: NDArray[np.int64]) -> None:
        """Fit by least squares to actions 0 and 1, as -1 and 1."""
        inputs = np.hstack([observations, np.ones((len(observations), 1))])
        self.weights = np.linalg.lstsq(inputs, 2.0 * actions - 1, rcond=None)[0]

    def start(self, seed: int) -> None:
        """Begin an episode."""

    def choose(self, observation: Any, info: dict[str, Any]) -> int:
        return int(np.append(observation, 1.0) @ self.weights > 0)


def play_with_expert(journal: Path, clone: Clone, seed: int) -> tuple[NDArray[np.float64], Takeover]:
    """Let the clone play; an expert takes over while the pole is in danger. Return the observations, and who acted."""
    harness = SessionHarness(journal, "cart-pole", seed=seed, agent=replace(agent(), make=lambda _game, _n: clone))
    harness.send("start")
    observations: list[Any] = []
    expert = CartPolePolicy()
    held: str | None = None
    while not harness.has_ended():
        assert harness.session._episode is not None
        state = harness.session._episode.last_result.observation
        observations.append(np.array(state, np.float64))
        is_in_danger = abs(state[2]) > (0.02 if held else 0.06) or abs(state[0]) > (0.3 if held else 1.0)
        wanted = ("left", "right")[expert.choose(state, {})] if is_in_danger else None
        if wanted != held:
            if held is not None:
                harness.press(held, down=False)
            if wanted is not None:
                harness.press(wanted)
            held = wanted
        harness.ticks(1)
    _, takeover, _ = recorded(harness)
    return np.array(observations), takeover


def mean_steps(clone: Clone) -> float:
    """Return the mean length of twenty episodes that the clone plays alone."""
    env, lengths = gymnasium.make("CartPole-v1"), []
    for seed in range(101, 121):
        observation, _ = env.reset(seed=seed)
        n_steps, is_over = 0, False
        while not is_over:
            observation, _, terminated, truncated, _ = env.step(clone.choose(observation, {}))
            n_steps, is_over = n_steps + 1, terminated or truncated
        lengths.append(n_steps)
    return float(np.mean(lengths))


def test_clone_improves_over_three_rounds_of_takeovers(tmp_path: Path) -> None:
    """HG-DAgger (Kelly et al. 2019): what is learned is what the person did in control, here a quarter of a second."""
    clone, rng = Clone(), random.Random(1)
    observations, actions = np.empty((0, 4)), np.empty(0, np.int64)
    lengths = [mean_steps(clone)]
    for number in range(3):
        seen, takeover = play_with_expert(tmp_path / f"{number}", clone, rng.randint(1, 10_000))
        steps = np.flatnonzero(takeover.is_intervention)[:12]
        observations = np.vstack([observations, seen[steps]])
        actions = np.append(actions, takeover.human_actions[steps])
        clone.fit(observations, actions)
        lengths.append(mean_steps(clone))
    assert lengths == sorted(lengths)
    assert lengths[-1] > 3 * lengths[0]
