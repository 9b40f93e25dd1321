"""The input latch: turns key presses between two ticks into actions without losing a press (rules I2 and I3)."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from skill_arcade.games.manifest import Binding
from skill_arcade.recording.records import ActiveInput

MAX_PENDING_CHANGES = 64
"""Pending changes above which the oldest ones are applied together; it bounds both delay and memory."""


@dataclass(frozen=True, slots=True)
class _Change:
    control: str
    down: bool
    source: ActiveInput


class InputLatch:
    """The controls that are held, and the changes that have not acted yet."""

    def __init__(self, bindings: Sequence[Binding], noop: int | None) -> None:
        self._bindings = bindings
        self._noop = noop
        self._held_controls: list[str] = []
        self._pending: deque[_Change] = deque()
        self._source: ActiveInput | None = None
        self._action: tuple[int | None] | None = None
        self._chosen: tuple[int, ActiveInput] | None = None

    @property
    def is_holding(self) -> bool:
        """Whether a control was held at the last `sample`."""
        return bool(self._held_controls)

    def hold_action(self, action: int, source: ActiveInput) -> None:
        """Use this action at every tick from now on, whatever is pressed, until the next one or `release`."""
        self._chosen = action, source

    def change(self, control: str, *, down: bool, source: ActiveInput) -> None:
        """Queue that a control went down or up. Repeats of the same state are ignored."""
        if down == self._will_be_held(control):
            return
        self._pending.append(_Change(control, down, source))
        if len(self._pending) > MAX_PENDING_CHANGES:
            self._apply(self._pending.popleft())

    def release(self, source: ActiveInput) -> None:
        """Release all controls and drop the pending changes, as when the client disconnects."""
        self._pending.clear()
        self._held_controls.clear()
        self._chosen = None
        self._source, self._action = source, None

    def sample(self) -> tuple[int | None, ActiveInput | None]:
        """Return the action for this tick, and the newest input that it follows from.

        Applies as many pending changes as can act together. A press whose release is pending too acts now and is
        released at the next tick; a control that was released and pressed again counts as released for one tick.
        """
        if self._chosen is not None:
            return self._chosen
        if self._pending:
            self._apply_together()
        if self._action is None:  # cached while the held controls do not change
            self._action = (self.resolve(),)
        return self._action[0], self._source

    def _apply_together(self) -> None:
        pressed: set[str] = set()
        released: set[str] = set()
        while self._pending:
            change = self._pending[0]
            if change.control in (released if change.down else pressed):
                return
            (pressed if change.down else released).add(change.control)
            self._apply(self._pending.popleft())

    def resolve(self) -> int | None:
        """Return the action of the held controls.

        It is that of the largest binding that is held completely; of equally large ones, the one pressed last wins.
        Returns None if no binding is held and the game has no action for "nothing" (turn-based games).
        """
        best: tuple[int, int] | None = None
        action = self._noop
        for binding in self._bindings:
            if all(control in self._held_controls for control in binding.press):
                rank = (len(binding.press), max(self._held_controls.index(control) for control in binding.press))
                if best is None or rank > best:
                    best, action = rank, binding.action
        return action

    def _apply(self, change: _Change) -> None:
        self._source, self._action = change.source, None
        if change.down:
            self._held_controls.append(change.control)
        elif change.control in self._held_controls:
            self._held_controls.remove(change.control)

    def _will_be_held(self, control: str) -> bool:
        for change in reversed(self._pending):
            if change.control == control:
                return change.down
        return control in self._held_controls
