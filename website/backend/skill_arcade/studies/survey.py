"""Questionnaires: a documented subset of the JSON of SurveyJS, and the check of a participant's answers.

`correctAnswer` marks an attention check. It never leaves the server.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic.alias_generators import to_camel

from skill_arcade.errors import InvalidRequest

MAX_TEXT_CHARACTERS = 2000
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,59}$")]
Text = Annotated[str, Field(min_length=1, max_length=500)]
Value = str | int | float


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class Choice(_Part):
    """An answer to choose: the value that is stored, and its text. A plain value is its own text."""

    value: Value
    text: Text

    @model_validator(mode="before")
    @classmethod
    def _expand_plain(cls, given: Any) -> Any:
        return {"value": given, "text": str(given)} if isinstance(given, str | int | float) else given


Choices = Annotated[tuple[Choice, ...], Field(min_length=2, max_length=30)]


class _Question(_Part):
    name: Name
    title: Text
    description: str = Field("", max_length=500)
    is_required: bool = False


class RadioGroup(_Question):
    """One of several choices."""

    type: Literal["radiogroup"]
    choices: Choices
    correct_answer: Value | None = None

    @model_validator(mode="after")
    def _check_correct_answer(self) -> "RadioGroup":
        if self.correct_answer is not None and self.correct_answer not in [one.value for one in self.choices]:
            raise ValueError("correctAnswer: it is not one of the choices")
        return self

    def find_fault(self, answer: Any) -> str | None:
        """Return why this is no answer, or None."""
        return _find_choice_fault(self.choices, answer)


class Checkbox(_Question):
    """Any number of choices."""

    type: Literal["checkbox"]
    choices: Choices

    def find_fault(self, answer: Any) -> str | None:
        """Return why this is no answer, or None."""
        if not isinstance(answer, list) or len(answer) > len(self.choices):
            return "a list of choices is expected"
        return next((fault for one in answer if (fault := _find_choice_fault(self.choices, one))), None)


class Rating(_Question):
    """A number on a scale whose ends are described: a Likert item."""

    type: Literal["rating"]
    rate_min: int = 1
    rate_max: int = 5
    min_rate_description: str = Field("", max_length=100)
    max_rate_description: str = Field("", max_length=100)
    correct_answer: int | None = None

    @model_validator(mode="after")
    def _check_scale(self) -> "Rating":
        if not 1 <= self.rate_max - self.rate_min <= 20:
            raise ValueError("rateMax: it must exceed rateMin by 1 to 20")
        if self.correct_answer is not None and not self.rate_min <= self.correct_answer <= self.rate_max:
            raise ValueError("correctAnswer: it is not on the scale")
        return self

    def find_fault(self, answer: Any) -> str | None:
        """Return why this is no answer, or None."""
        is_whole = isinstance(answer, int) and not isinstance(answer, bool)
        fits = is_whole and self.rate_min <= answer <= self.rate_max
        return None if fits else f"a whole number from {self.rate_min} to {self.rate_max} is expected"


class Slider(_Question):
    """A number that is chosen on a line. The participant must move it: there is no default."""

    type: Literal["slider"]
    min: float = 0
    max: float = 100
    step: float = Field(1, gt=0)
    min_rate_description: str = Field("", max_length=100)
    max_rate_description: str = Field("", max_length=100)

    @model_validator(mode="after")
    def _check_range(self) -> "Slider":
        if self.min >= self.max:
            raise ValueError("max: it must exceed min")
        return self

    def find_fault(self, answer: Any) -> str | None:
        """Return why this is no answer, or None."""
        return _find_number_fault(answer, self.min, self.max)


class TextInput(_Question):
    """A line of text, or a number."""

    type: Literal["text"]
    input_type: Literal["text", "number"] = "text"
    min: float | None = None
    max: float | None = None

    def find_fault(self, answer: Any) -> str | None:
        """Return why this is no answer, or None."""
        if self.input_type == "number":
            return _find_number_fault(answer, self.min, self.max)
        return _find_text_fault(answer)


class Comment(_Question):
    """Several lines of text."""

    type: Literal["comment"]

    def find_fault(self, answer: Any) -> str | None:
        """Return why this is no answer, or None."""
        return _find_text_fault(answer)


class Matrix(_Question):
    """Rows that are answered by the same columns: a Likert table. `isRequired` requires every row."""

    type: Literal["matrix"]
    columns: Choices
    rows: Annotated[tuple[Choice, ...], Field(min_length=1, max_length=30)]

    def find_fault(self, answer: Any) -> str | None:
        """Return why this is no answer, or None."""
        names = [str(row.value) for row in self.rows]
        if not isinstance(answer, dict) or set(answer) - set(names):
            return "an answer for each row is expected"
        if self.is_required and len(answer) < len(names):
            return "every row must be answered"
        return next((fault for one in answer.values() if (fault := _find_choice_fault(self.columns, one))), None)


Question = Annotated[
    RadioGroup | Checkbox | Rating | Slider | TextInput | Comment | Matrix, Field(discriminator="type")
]


class SurveyPage(_Part):
    """Questions that are shown together. `name` is only for SurveyJS's designer."""

    name: str = Field("", max_length=100)
    title: str = Field("", max_length=200)
    description: str = Field("", max_length=1000)
    elements: Annotated[tuple[Question, ...], Field(min_length=1, max_length=50)]


class Survey(_Part):
    """A questionnaire."""

    title: str = Field("", max_length=200)
    pages: Annotated[tuple[SurveyPage, ...], Field(min_length=1, max_length=30)]

    @model_validator(mode="after")
    def _check_names(self) -> "Survey":
        names = [question.name for question in self.questions()]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"pages: two questions are named {repeated[0]!r}")
        return self

    def questions(self) -> Iterator[Question]:
        """Return all questions, in order."""
        return (question for page in self.pages for question in page.elements)

    def count_checks(self) -> int:
        """Return the number of attention checks."""
        return sum(getattr(question, "correct_answer", None) is not None for question in self.questions())

    def count_failed_checks(self, answers: Mapping[str, Any]) -> int:
        """Return the number of attention checks that are answered otherwise than `correctAnswer`."""
        expected = {one.name: getattr(one, "correct_answer", None) for one in self.questions()}
        return sum(value is not None and answers.get(name) != value for name, value in expected.items())

    def describe(self) -> dict[str, Any]:
        """Return the questionnaire for the page, without what is correct."""
        hidden: Any = {"pages": {"__all__": {"elements": {"__all__": {"correct_answer"}}}}}
        return self.model_dump(mode="json", by_alias=True, exclude=hidden)


def check_answers(survey: Survey, answers: Mapping[str, JsonValue]) -> None:
    """Check a participant's answers against the questionnaire.

    Raises:
        InvalidRequest: a required answer is missing, an answer does not fit, or there is no such question.
    """
    questions = {question.name: question for question in survey.questions()}
    if unknown := sorted(answers.keys() - questions.keys()):
        raise InvalidRequest(f"The questionnaire has no question {unknown[0]!r}.")
    for name, question in questions.items():
        answer = answers.get(name)
        if answer is None or answer in ("", [], {}):
            if question.is_required:
                raise InvalidRequest(f"Answer the question {question.title!r}.")
        elif (fault := question.find_fault(answer)) is not None:
            raise InvalidRequest(f"{question.title}: {fault}.")


def _find_choice_fault(choices: tuple[Choice, ...], answer: Any) -> str | None:
    is_choice = not isinstance(answer, bool) and any(answer == choice.value for choice in choices)
    return None if is_choice else "one of the choices is expected"


def _find_number_fault(answer: Any, low: float | None, high: float | None) -> str | None:
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        return "a number is expected"
    fits = (low is None or answer >= low) and (high is None or answer <= high)
    return None if fits else "the number is out of range"


def _find_text_fault(answer: Any) -> str | None:
    fits = isinstance(answer, str) and len(answer) <= MAX_TEXT_CHARACTERS
    return None if fits else f"text of at most {MAX_TEXT_CHARACTERS} characters is expected"
