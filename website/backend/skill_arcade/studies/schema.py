"""Schema of a study's file: recruiter, arms, stages, dates and quotas."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from skill_arcade.errors import NewerStudy
from skill_arcade.games.manifest import GAME_ID
from skill_arcade.studies.survey import Survey

STUDY_NAME = r"^[a-z0-9][a-z0-9-]{0,59}$"
MAX_SEED = 2**31 - 1
MAX_DELAY_MS = 500
"""Frames that are held back count as in flight (rule F2), of which there may be a second."""
MIN_ATTENTION_CHECKS = 2
"""Recruiters accept a rejection for attention checks only after at least two failed ones."""
Outcome = Literal["complete", "no-consent", "screened-out", "failed-checks", "incompatible-device", "full"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
"""How a participation can end. Each has a completion code of its own."""
StudyScope = Literal["research", "publication"]
Label = Annotated[str, Field(min_length=1, max_length=80)]
Words = Annotated[str, Field(min_length=1, max_length=2000)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Link(_Part):
    """Participants come by a plain link. They get a link of their own, to continue on another device."""

    kind: Literal["link"] = "link"


class Prolific(_Part):
    """Prolific: ids come in the address, and participants are sent back with the code."""

    kind: Literal["prolific"]


class MTurk(_Part):
    """Mechanical Turk: a survey link. Participants paste the code."""

    kind: Literal["mturk"]


class Connect(_Part):
    """CloudResearch Connect: ids come in the address, and participants are sent back."""

    kind: Literal["connect"]


class Sona(_Part):
    """SONA: credit is granted by the address that participants are sent back to. The code is its credit token."""

    kind: Literal["sona"]
    site: str = Field(pattern=r"^[a-z0-9-]+$", description="NAME of NAME.sona-systems.com")
    experiment_id: int = Field(ge=1)


Recruiter = Annotated[Link | Prolific | MTurk | Connect | Sona, Field(discriminator="kind")]


class Arm(_Part):
    """A condition between participants."""

    weight: int = Field(1, ge=1, le=10, description="participants of this arm in each block")
    label: str = Field("", max_length=200, description="for researchers; participants never see it")


class _Stage(_Part):
    name: Name
    arms: tuple[Name, ...] = Field((), description="only for these arms; none given: for all")


class ConsentSection(_Part):
    """A heading and a paragraph."""

    title: Label
    text: Words


class ConsentText(_Part):
    """The consent document in one language. It is stored with its hash, and is never translated by the page."""

    title: Label
    sections: Annotated[tuple[ConsentSection, ...], Field(min_length=1, max_length=20)]
    agree: Label
    decline: Label


AGE_QUESTIONS = {"en": "In which year were you born?", "de": "In welchem Jahr sind Sie geboren?"}


class ConsentStage(_Part):
    """Asks for consent to be recorded. It is the first stage of every study."""

    kind: Literal["consent"]
    name: Name = "consent"
    minimum_age: int = Field(18, ge=13, le=99)
    age: Label = Field(AGE_QUESTIONS["en"], description="the default is asked in German beside a German document")
    scopes: Annotated[tuple[StudyScope, ...], Field(min_length=1)] = ("research",)
    languages: Annotated[
        dict[Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")], ConsentText], Field(min_length=1)
    ]

    def find_age_question(self, language: str) -> str:
        """Return the question of the year of birth beside the document in this language."""
        if self.age != AGE_QUESTIONS["en"]:
            return self.age
        return AGE_QUESTIONS.get(language.partition("-")[0], self.age)

    @model_validator(mode="after")
    def _check_scopes(self) -> "ConsentStage":
        if "research" not in self.scopes:
            raise ValueError("scopes: research is required; publication may be added")
        return self


class ScreeningStage(_Part):
    """Measures the participant's device. What is not given is measured and stored, but excludes nobody."""

    kind: Literal["screening"]
    name: Name = "screening"
    min_refresh_hz: float | None = Field(None, gt=0)
    max_refresh_hz: float | None = Field(None, gt=0)
    max_round_trip_ms: float | None = Field(None, gt=0, description="median of 10 requests")
    keyboard: bool = Field(False, description="a key of a real keyboard must be pressed")
    rollover_keys: int = Field(0, ge=0, le=6, description="number of keys that must be seen held at once; 0: not asked")
    sound: bool = Field(False, description="the participant must hear a tone")


class ComprehensionCheck(_Part):
    """A question about the instructions, with one correct choice."""

    name: Name
    title: Words
    choices: Annotated[tuple[Label, ...], Field(min_length=2, max_length=8)]
    correct: Label

    @model_validator(mode="after")
    def _check_correct(self) -> "ComprehensionCheck":
        if self.correct not in self.choices:
            raise ValueError("correct: it is not one of the choices")
        return self


class InstructionsStage(_Stage):
    """Pages of text and, at the end, a comprehension check. After the last attempt the participant is screened out."""

    kind: Literal["instructions"]
    pages: Annotated[tuple[Words, ...], Field(min_length=1, max_length=20)]
    checks: tuple[ComprehensionCheck, ...] = Field((), max_length=10)
    attempts: int = Field(2, ge=1, le=5)


class Amount(_Part):
    """How much is played: episodes to their end, steps of the environment, or minutes at the game's speed."""

    trials: int | None = Field(None, ge=1, le=1000)
    frames: int | None = Field(None, ge=1, le=10_000_000)
    minutes: float | None = Field(None, gt=0, le=240, description="of game time, for games in real time")

    @model_validator(mode="after")
    def _check_one(self) -> "Amount":
        if sum(value is not None for value in (self.trials, self.frames, self.minutes)) != 1:
            raise ValueError("give one of trials, frames and minutes")
        return self


class GamesStage(_Stage):
    """One game, played for a certain amount. `practice` flags its episodes as practice."""

    kind: Literal["practice", "games"]
    game: str = Field(pattern=GAME_ID)
    options: dict[str, str] = Field({}, description="options of the game, such as speed, by their text")
    amount: Amount
    seeds: Literal["drawn", "shared"] = Field(
        "drawn", description="drawn for each participant, or shared: drawn once, the same for all"
    )
    seed_list: tuple[Annotated[int, Field(ge=1, le=MAX_SEED)], ...] = Field(
        (), max_length=1000, description="fixed seeds, which trials take in turn, instead of drawn ones"
    )
    max_trial_frames: int | None = Field(None, ge=1, le=10_000_000, description="steps after which a trial ends")
    break_seconds: float = Field(0, ge=0, le=600, description="shortest pause between two trials")
    lockstep: bool = Field(False, description="whether the page may step the game itself, if the server offers it")
    sound: bool | None = Field(None, description="on or off for everybody; none given: each participant chooses")
    ghost: bool = Field(False, description="whether the page shows the participant's own last game of this stage")
    input_delay_ms: float = Field(0, ge=0, le=MAX_DELAY_MS, description="time by which key presses act later")
    frame_delay_ms: float = Field(0, ge=0, le=MAX_DELAY_MS, description="time by which pictures are sent later")
    text: str = Field("", max_length=2000, description="shown before the first trial")

    @model_validator(mode="after")
    def _check_delays(self) -> "GamesStage":
        if self.lockstep and (self.input_delay_ms or self.frame_delay_ms):
            raise ValueError("lockstep: the server makes the delays, so the page cannot step the game itself")
        return self

    @property
    def is_practice(self) -> bool:
        """Whether the episodes are practice."""
        return self.kind == "practice"


class QuestionnaireStage(_Stage):
    """A questionnaire."""

    kind: Literal["questionnaire"]
    survey: Survey


class ReturnStage(_Stage):
    """The participant comes back later. The times count from the end of the stage before."""

    kind: Literal["return"]
    not_before_hours: float = Field(ge=0, le=24 * 365)
    not_after_hours: float = Field(gt=0, le=24 * 365)
    text: str = Field("", max_length=2000)

    @model_validator(mode="after")
    def _check_window(self) -> "ReturnStage":
        if self.not_before_hours >= self.not_after_hours:
            raise ValueError("not_after_hours: it must exceed not_before_hours")
        return self


class DebriefStage(_Stage):
    """Text at the end."""

    kind: Literal["debrief"]
    pages: Annotated[tuple[Words, ...], Field(min_length=1, max_length=20)]


Stage = Annotated[
    ConsentStage | ScreeningStage | InstructionsStage | GamesStage | QuestionnaireStage | ReturnStage | DebriefStage,
    Field(discriminator="kind"),
]
LEADING_KINDS = ("consent", "screening", "questionnaire")
"""Kinds of the stages before the draw: the arm is drawn at the first stage of another kind."""


class Payment(_Part):
    """What participants are paid. It is shown to them, and pays nobody by itself."""

    amount: float = Field(ge=0)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    minutes: float = Field(gt=0, description="time that it is for")


class Study(_Part):
    """A study."""

    title: Label
    contact: str = Field(min_length=3, max_length=200)
    ethics: str = Field("", max_length=300, description="reference of the ethics board's decision")
    recruiter: Recruiter = Link()
    payment: Payment | None = None
    opens: AwareDatetime | None = None
    closes: AwareDatetime | None = None
    quota: int = Field(ge=1, le=100_000, description="participants that are complete or active, of all arms")
    active_minutes: float = Field(
        120, ge=5, le=60 * 24 * 30, description="time without any activity after which a place is given to another one"
    )
    arms: Annotated[dict[Name, Arm], Field(min_length=1, max_length=20)] = {"all": Arm()}
    block_repeats: int = Field(2, ge=1, le=10, description="times that each arm, by its weight, is in a block")
    stratify: tuple[str, ...] = Field((), max_length=3, description="questions asked before the draw")
    counterbalance: tuple[Name, ...] = Field((), max_length=12, description="consecutive stages in balanced order")
    max_failed_checks: int | None = Field(
        None,
        ge=MIN_ATTENTION_CHECKS - 1,
        description="attention checks that may fail; none given: they are only stored",
    )
    stages: Annotated[tuple[Stage, ...], Field(min_length=2, max_length=60)]

    @model_validator(mode="after")
    def _check_consistency(self) -> "Study":
        names = [stage.name for stage in self.stages]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"stages: two stages are named {repeated[0]!r}")
        if self.stages[0].kind != "consent" or sum(stage.kind == "consent" for stage in self.stages) != 1:
            raise ValueError("stages: the first stage, and no other, asks for consent")
        if not any(isinstance(stage, GamesStage) for stage in self.stages):
            raise ValueError("stages: no stage has a game")
        if self.opens is not None and self.closes is not None and self.opens >= self.closes:
            raise ValueError("closes: it must be after opens")
        self._check_arms()
        self._check_order()
        self._check_strata()
        return self

    def _check_arms(self) -> None:
        first = self.draw_index()
        for number, stage in enumerate(self.stages):
            if isinstance(stage, ScreeningStage) and number > first:
                raise ValueError(f"stages.{number}: screening comes before the arm is drawn, so before {first}")
            arms = getattr(stage, "arms", ())
            if unknown := sorted(set(arms) - self.arms.keys()):
                raise ValueError(f"stages.{number}.arms: the study has no arm {unknown[0]!r}")
            if arms and number < first:
                raise ValueError(f"stages.{number}.arms: the arm is drawn at stage {first} only")

    def _check_order(self) -> None:
        names = [stage.name for stage in self.stages]
        if not self.counterbalance:
            return
        if len(self.counterbalance) < 2 or len(set(self.counterbalance)) < len(self.counterbalance):
            raise ValueError("counterbalance: at least two different stages are needed")
        if unknown := [name for name in self.counterbalance if name not in names]:
            raise ValueError(f"counterbalance: no stage is named {unknown[0]!r}")
        first = names.index(self.counterbalance[0])
        if tuple(names[first : first + len(self.counterbalance)]) != self.counterbalance:
            raise ValueError("counterbalance: the stages must follow each other in the file in this order")
        if first < self.draw_index():
            raise ValueError("counterbalance: the order is drawn with the arm, after the screening")
        if any(getattr(stage, "arms", ()) for stage in self.stages[first : first + len(self.counterbalance)]):
            raise ValueError("counterbalance: these stages must be for all arms")

    def _check_strata(self) -> None:
        asked = {question.name: question for stage in self.leading_surveys() for question in stage.survey.questions()}
        for name in self.stratify:
            if name not in asked or asked[name].type != "radiogroup" or not asked[name].is_required:
                raise ValueError(f"stratify: {name!r} is no required radiogroup before the arm is drawn")

    def draw_index(self) -> int:
        """Return the index of the stage at whose start the arm is drawn."""
        kinds = [stage.kind for stage in self.stages]
        return next(number for number, kind in enumerate(kinds) if kind not in LEADING_KINDS)

    def leading_surveys(self) -> Iterator[QuestionnaireStage]:
        """Return the questionnaires that are answered before the arm is drawn."""
        leading = self.stages[: self.draw_index()]
        return (stage for stage in leading if isinstance(stage, QuestionnaireStage))

    def find_stage(self, name: str) -> Any:
        """Return the stage with this name. Raises KeyError."""
        found = [stage for stage in self.stages if stage.name == name]
        if not found:
            raise KeyError(name)
        return found[0]

    def is_open_at(self, moment: datetime) -> bool:
        """Return whether new participants are accepted by the dates of the file."""
        return (self.opens is None or moment >= self.opens) and (self.closes is None or moment < self.closes)


def read_stored_study(content: Any) -> Study:
    """Return a study from a version in the database, which a newer version of the server may have opened.

    Raises:
        NewerStudy: the content has what this version does not know. Nothing is left out of it, because a condition that
            a server does not know would not be imposed (decision 0054).
    """
    try:
        return Study.model_validate(content)
    except ValidationError as error:
        raise NewerStudy(
            "This study was opened by a newer version of the server. Try again in a few minutes."
        ) from error
