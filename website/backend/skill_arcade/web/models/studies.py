"""Request and response models of studies. The page learns no code, no correct answer and no limit of a screening."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, JsonValue

from skill_arcade.studies.schema import STUDY_NAME, Outcome, StudyScope
from skill_arcade.web.models.base import RequestModel, ResponseModel

ShortText = Annotated[str, Field(max_length=300)]


class JoinStudyRequest(RequestModel):
    """Begins or continues a participation."""

    study: str = Field(pattern=STUDY_NAME)
    query: Annotated[dict[ShortText, ShortText], Field(max_length=30)] = Field(
        description="parameters of the page's address, in which recruiters send ids"
    )
    resume: str | None = Field(max_length=100, description="token of the participant's own link; null: they have none")


class StageAnswer(RequestModel):
    """What a participant did in a stage."""

    stage: str = Field(max_length=40, description="name of the current stage")
    data: Annotated[dict[ShortText, JsonValue], Field(max_length=500)] = Field(
        description="measures of a screening, or answers by question; empty for other stages"
    )


class StudyPayment(ResponseModel):
    """What participants are paid."""

    amount: float
    currency: str
    minutes: float


class StudyInfo(ResponseModel):
    """What anybody may know of a study."""

    name: str
    title: str
    contact: str
    ethics: str
    payment: StudyPayment | None


class ConsentSectionText(ResponseModel):
    """A heading and a paragraph."""

    title: str
    text: str


class StudyConsent(ResponseModel):
    """The consent document, in one language."""

    kind: Literal["consent"]
    name: str
    sha256: str
    language: str
    languages: list[str]
    title: str
    sections: list[ConsentSectionText]
    scopes: list[StudyScope]
    age: str
    agree: str
    decline: str


class StudyScreening(ResponseModel):
    """What the page measures and asks."""

    kind: Literal["screening"]
    name: str
    asks_keyboard: bool
    rollover_keys: int
    asks_sound: bool


class StudyCheck(ResponseModel):
    """A question about the instructions."""

    name: str
    title: str
    choices: list[str]


class StudyInstructions(ResponseModel):
    """Pages of text, and questions about them."""

    kind: Literal["instructions"]
    name: str
    pages: list[str]
    checks: list[StudyCheck]


class StudyGames(ResponseModel):
    """A game to play."""

    kind: Literal["practice", "games"]
    name: str
    game_id: str
    options: dict[str, str]
    text: str
    trial: int = Field(description="0-based number of the next or running trial")
    n_trials: int | None = Field(description="number of trials; null: the amount is in frames or minutes")
    progress: float = Field(description="share of the amount that is played, 0 to 1")
    is_done: bool = Field(description="whether the amount is reached")
    wait_seconds: float = Field(description="rest of the pause before the next trial")
    sound: bool | None = Field(description="whether the game has sound; null: the participant chooses")
    ghost: UUID | None = Field(description="episode that the page shows while the next trial is played; null: none")


class StudyQuestionnaire(ResponseModel):
    """A questionnaire, in the subset of SurveyJS's JSON that docs/studies.md describes."""

    kind: Literal["questionnaire"]
    name: str
    survey: dict[str, Any]


class StudyReturn(ResponseModel):
    """The participant comes back later."""

    kind: Literal["return"]
    name: str
    text: str
    not_before: datetime
    not_after: datetime
    is_due: bool


class StudyDebrief(ResponseModel):
    """Text at the end."""

    kind: Literal["debrief"]
    name: str
    pages: list[str]


StudyStage = Annotated[
    StudyConsent | StudyScreening | StudyInstructions | StudyGames | StudyQuestionnaire | StudyReturn | StudyDebrief,
    Field(discriminator="kind"),
]


class StudyCompletion(ResponseModel):
    """The end of a participation."""

    outcome: Outcome
    code: str | None = Field(description="completion code for the recruiter; null: the recruiter needs none")
    url: str | None = Field(description="where the participant goes now; null: the code is pasted by hand")


class StudyPage(ResponseModel):
    """Where a participant is."""

    study: StudyInfo
    number: int = Field(description="0-based number of the stage")
    n_stages: int | None = Field(description="number of stages; null before the condition is drawn")
    stage: StudyStage | None = Field(description="null after the end")
    is_saving: bool = Field(description="recordings are not stored yet: send the same answer again in a second")
    message: str = Field(description="why the stage is shown again; empty otherwise")
    completion: StudyCompletion | None = Field(description="null before the end")


class JoinedStudy(ResponseModel):
    """A session of a participant."""

    token: str
    user_id: str
    expires_at: datetime
    resume: str | None = Field(description="token of the participant's own link; null: the recruiter's link is it")
    page: StudyPage


class StudyWithdrawn(ResponseModel):
    """A participant has withdrawn. What was recorded is being deleted."""

    study: str


class StudySummary(ResponseModel):
    """A study, for researchers."""

    name: str
    status: Literal["open", "closed"]
    version: int
    title: str


class StudyCount(ResponseModel):
    """Number of persons with the same arm, status and stage."""

    arm: str | None = Field(description="null: not drawn yet")
    status: str = Field(description="active, expired, or the outcome")
    stage: int = Field(description="0-based number of the stage in their own order")
    stage_name: str = Field(description="name of the stage in the first order of the arm; empty after the last one")
    participants: int


class StudyArmQuality(ResponseModel):
    """Quality of the games of an arm, without practice."""

    arm: str
    participants: int = Field(description="number of participants with a game that research may use")
    mode_differs: int = Field(
        description="number of games that ran in another mode, lockstep or streamed, than their stage imposed"
    )
    frames_dropped_share: float | None = Field(description="share of observations that were never painted")
    latency_p95_ms: float | None = Field(
        description="median over participants of the 95th percentile of the time from an input to the picture"
    )
    focus_lost: int = Field(description="number of times that a page lost focus or was hidden")
    idle_seconds: float | None = Field(description="longest time without an input")


class StudyStatus(ResponseModel):
    """Where the participants of a study are, without programs."""

    study: StudySummary
    quota: int
    places: int = Field(description="participants that count for the quota: complete, or active with a place")
    counts: list[StudyCount]
    quality: list[StudyArmQuality]
