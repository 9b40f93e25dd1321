"""Schema of a manifest: the description of one game."""

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from skill_arcade.errors import InvalidRequest
from skill_arcade.games.buttons import MAX_COMBINATIONS, Buttons, expand_buttons
from skill_arcade.games.joystick import Joystick, expand_joystick
from skill_arcade.games.key_codes import check_key_code

ATARI_ID_PREFIX = "ALE/"
"""Namespace of the environments with the Atari emulator, which have sound and can run in the page."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EnvironmentSpec(_Strict):
    """A Gymnasium environment and the arguments of `gymnasium.make`."""

    id: str
    kwargs: dict[str, Any] = {}


class RealTime(_Strict):
    """The game steps at a fixed rate, whether or not the player acts."""

    kind: Literal["real-time"]
    hz: float = Field(gt=0, le=240)
    speeds: tuple[Annotated[float, Field(gt=0, le=4)], ...] = Field(
        (), description="how fast a player may have it, 1 being `hz`; none given: only that"
    )


class TurnBased(_Strict):
    """The game steps once for each key press."""

    kind: Literal["turn-based"]


Value = int | float | str
SPEED = "speed"
GAME_ID = r"^[a-z0-9][a-z0-9-]*$"
MAX_CONTROLS = 64
"""Greatest number of controls of a game; keyboards have about 100 keys."""
RESERVED = {SPEED, "token"}

Pace = Annotated[RealTime | TurnBased, Field(discriminator="kind")]


class Control(_Strict):
    """Something that a player can press: its label and its default keys."""

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    label: str
    keys: tuple[Annotated[str, AfterValidator(check_key_code)], ...] = Field(
        min_length=1, description="KeyboardEvent.code values"
    )


class Binding(_Strict):
    """Controls that, held together, give an action. The largest set that is held wins, then the most recent press."""

    press: tuple[str, ...] = Field(min_length=1)
    action: int = Field(ge=0)
    label: str | None = None


class Variant(_Strict):
    """A value of an option that selects an environment, such as a size.

    The variant that changes nothing is the default.
    """

    label: str | None = Field(
        None, description="text for players; none given: the value, with a multiplication sign in 8x8"
    )
    id: str | None = Field(None, description="Gymnasium id; none given: that of the game")
    kwargs: dict[str, Any] = Field({}, description="added to those of the game")
    alias: str | None = Field(
        None, pattern=GAME_ID, description="id of the game that this was before it became a value of an option"
    )

    @property
    def is_default(self) -> bool:
        """Whether the variant is the environment of the game itself."""
        return self.id is None and not self.kwargs

    def change(self, environment: EnvironmentSpec) -> EnvironmentSpec:
        """Return the environment of this variant of a game."""
        return EnvironmentSpec(id=self.id or environment.id, kwargs={**environment.kwargs, **self.kwargs})


Values = Annotated[tuple[Value, ...], Field(min_length=1)]
Variants = Annotated[dict[str, Variant], Field(min_length=2)]
Presses = Annotated[tuple[tuple[str, ...], ...], Field(min_length=1)]


class AxisControl(_Strict):
    """Controls that the mouse or an analogue stick presses, for each level of deflection."""

    left: Presses | None = None
    right: Presses | None = None
    up: Presses | None = None
    down: Presses | None = None

    def names(self) -> set[str]:
        """Return the names of all controls in it."""
        ways = (self.left, self.right, self.up, self.down)
        return {name for way in ways for step in way or () for name in step}


class Condition(_Strict):
    """Condition at the end of an episode: all given parts must hold."""

    terminated: bool | None = None
    truncated: bool | None = None
    min_score: float | None = None
    min_last_reward: float | None = None
    info: dict[str, Any] = {}

    def holds(
        self, *, terminated: bool, truncated: bool, score: float, last_reward: float, info: dict[str, Any]
    ) -> bool:
        """Return whether an episode that ended like this fulfils the condition."""
        return (
            self.terminated in (None, terminated)
            and self.truncated in (None, truncated)
            and (self.min_score is None or score >= self.min_score)
            and (self.min_last_reward is None or last_reward >= self.min_last_reward)
            and all(info.get(key) == value for key, value in self.info.items())
        )


class Display(_Strict):
    """What the player sees beside the picture."""

    score: bool = True
    lives: str | None = Field(None, description="key of info that counts lives")
    text: str | None = Field(
        None, description="part of the observation, or key of info, that is shown as text: the mission of MiniGrid"
    )
    pixel_aspect: float = Field(1.0, gt=0, description="width of a pixel in its height: 1.75 for Atari")
    smooth: bool = Field(False, description="scale with smoothing (drawn pictures) rather than crisp (pixels)")


class Manifest(_Strict):
    """A game: environment, pace, controls, and when it counts as won."""

    id: str = Field(pattern=GAME_ID)
    name: str
    summary: str = Field(description="the goal, in a sentence or two")
    environment: EnvironmentSpec
    pace: Pace
    noop: int | None = Field(None, ge=0, description="action when nothing is held; needed in real time")
    controls: tuple[Control, ...] = Field(min_length=1, max_length=MAX_CONTROLS)
    actions: tuple[Binding, ...] = Field(min_length=1, max_length=MAX_COMBINATIONS)
    steer: AxisControl | None = Field(None, description="for games whose action is a measure rather than a button")
    options: dict[str, Values | Variants] = Field(
        {},
        description="what a player may choose, and from what: values of an argument of gymnasium.make, or variants by "
        "name; nothing chosen: as above",
    )
    show: Display = Display()
    keep_info: tuple[str, ...] | None = Field(None, description="keys of info to keep; none given: all")
    won: Condition | None = Field(None, description="an ended episode is won if this holds, else lost")
    tags: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _expand_joystick(cls, given: Any) -> Any:
        """Replace `joystick` by noop, controls and actions."""
        if not isinstance(given, dict) or "joystick" not in given:
            return given
        repeated = {"noop", "controls", "actions"} & given.keys()
        if repeated:
            raise ValueError(f"joystick: remove {', '.join(sorted(repeated))}, which it defines")
        rest = {key: value for key, value in given.items() if key != "joystick"}
        return rest | expand_joystick(Joystick.model_validate(given["joystick"]))

    @model_validator(mode="before")
    @classmethod
    def _expand_buttons(cls, given: Any) -> Any:
        """Replace `buttons` by the environment that numbers their combinations, noop and actions."""
        if not isinstance(given, dict) or "buttons" not in given:
            return given
        repeated = {"noop", "actions", "joystick"} & given.keys()
        if repeated:
            raise ValueError(f"buttons: remove {', '.join(sorted(repeated))}, which it defines")
        rest = {key: value for key, value in given.items() if key != "buttons"}
        environment = given.get("environment")
        if not isinstance(environment, dict):
            return rest
        return rest | expand_buttons(Buttons.model_validate(given["buttons"]), environment)

    @model_validator(mode="before")
    @classmethod
    def _restrict_controls(cls, given: Any) -> Any:
        """Keep only the controls that `uses` names, and the actions that they give."""
        if not isinstance(given, dict) or "uses" not in given:
            return given
        rest = {key: value for key, value in given.items() if key != "uses"}
        used, controls, actions = given["uses"], given.get("controls"), given.get("actions")
        if not (isinstance(used, list) and isinstance(controls, list) and isinstance(actions, list)):
            raise ValueError("uses: a list of names, of controls that are listed with their actions")
        listed = [control for control in controls if isinstance(control, dict)]
        if unknown := {str(name) for name in used} - {str(control.get("name")) for control in listed}:
            raise ValueError(f"uses: no control is named {', '.join(sorted(unknown))}")
        bindings = [binding for binding in actions if isinstance(binding, dict)]
        return rest | {
            "controls": [control for control in listed if control.get("name") in used],
            "actions": [binding for binding in bindings if set(binding.get("press", ())) <= set(used)],
        }

    @model_validator(mode="after")
    def _check_consistency(self) -> "Manifest":
        names = [control.name for control in self.controls]
        if len(set(names)) != len(names):
            raise ValueError("controls: two controls have the same name")
        codes = [code for control in self.controls for code in control.keys]
        if len(set(codes)) != len(codes):
            raise ValueError("controls: a key is bound twice")
        for number, binding in enumerate(self.actions):
            unknown = set(binding.press) - set(names)
            if unknown:
                raise ValueError(f"actions.{number}.press: no control is named {', '.join(sorted(unknown))}")
        steered = set() if self.steer is None else self.steer.names()
        if steered - set(names):
            raise ValueError(f"steer: no control is named {', '.join(sorted(steered - set(names)))}")
        for taken in RESERVED & self.options.keys():
            raise ValueError(f"options: {taken!r} is reserved; use pace.speeds for speeds")
        self._check_variants()
        if self.pace.kind == "real-time" and self.noop is None:
            raise ValueError("noop: required for a real-time game: the action while nothing is held")
        return self

    def _check_variants(self) -> None:
        if len(self.variants()) > 1:
            raise ValueError(f"options: {', '.join(self.variants())}: only one option of a game can have variants")
        for name, variants in self.variants().items():
            if sum(variant.is_default for variant in variants.values()) != 1:
                raise ValueError(f"options.{name}: one variant, the default, has neither id nor kwargs")

    def variants(self) -> dict[str, dict[str, Variant]]:
        """Return the options whose values select an environment."""
        return {name: values for name, values in self.options.items() if isinstance(values, dict)}

    def default_value(self, option: str) -> str | None:
        """Return the value that is played if none is chosen, or None if the environment decides it."""
        variants = self.variants().get(option, {})
        return next((value for value, variant in variants.items() if variant.is_default), None)

    def choices(self) -> dict[str, dict[str, Value]]:
        """Return the options that a player may choose: for each option, its values by their text."""
        speeds = self.pace.speeds if self.pace.kind == "real-time" else ()
        offered = {**self.options, **({SPEED: speeds} if speeds else {})}
        return {name: {format_value(value): value for value in values} for name, values in offered.items()}

    def normalize_options(self, options: Mapping[str, str]) -> dict[str, str]:
        """Return the chosen options without the variant that is the default, so that a choice has one spelling.

        Raises:
            InvalidRequest: the game has no such option or value.
        """
        offered = self.choices()
        for name, text in options.items():
            if text not in offered.get(name, {}):
                raise InvalidRequest(f"{self.name} has no {name} {text!r}; GET /games/{self.id} lists its options.")
        return {name: text for name, text in options.items() if text != self.default_value(name)}

    def choose(self, options: Mapping[str, str]) -> "Manifest":
        """Return this game with the chosen options.

        Raises:
            InvalidRequest: the game has no such option or value.
        """
        offered, environment, pace = self.choices(), self.environment, self.pace
        for name, text in self.normalize_options(options).items():
            value, variant = offered[name][text], self.variants().get(name, {}).get(text)
            if variant is not None:
                environment = variant.change(environment)
            elif name == SPEED and pace.kind == "real-time":
                pace = pace.model_copy(update={"hz": pace.hz * float(value)})
            else:
                environment = environment.model_copy(update={"kwargs": {**environment.kwargs, name: value}})
        return self.model_copy(update={"environment": environment, "pace": pace})

    def limit_steps(self, limit: int) -> "Manifest":
        """Return this game with episodes of at most `limit` steps."""
        kwargs = {**self.environment.kwargs, "max_episode_steps": limit}
        return self.model_copy(update={"environment": self.environment.model_copy(update={"kwargs": kwargs})})

    def resolve_variant(self, options: Mapping[str, str]) -> "Manifest":
        """Return this game as the chosen variant alone: with its environment, and without the other variants.

        Raises:
            InvalidRequest: the game has no such option or value.
        """
        variants = self.variants()
        chosen = self.choose({name: text for name, text in options.items() if name in variants})
        rest = {name: values for name, values in self.options.items() if name not in variants}
        return chosen.model_copy(update={"options": rest})


def hash_manifest(game: Manifest, options: Mapping[str, str]) -> str:
    """Return the SHA-256 of the manifest of the chosen variant, as it is in the provenance of episodes."""
    return hashlib.sha256(game.resolve_variant(options).model_dump_json().encode()).hexdigest()


def format_label(value: str) -> str:
    """Format an option's value for players, with a multiplication sign in 8x8."""
    return re.sub(r"(?<=\d)x(?=\d)", " \N{MULTIPLICATION SIGN} ", value)


def format_value(value: Value) -> str:
    """Format an option's value as text: 0.5, 4, 8x8."""
    return f"{value:g}" if isinstance(value, float) else str(value)
