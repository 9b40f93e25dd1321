"""Fields of a set of clips to judge: those of its file, and of the command that draws it."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from skill_arcade.errors import InvalidRequest

Kind = Literal["pair", "rating"]
Audience = Literal["researchers", "everyone"]
Source = Literal["people", "programs"]
Scale = Literal["1-5", "0-100"]
SCALES: dict[Scale, tuple[int, int]] = {"1-5": (1, 5), "0-100": (0, 100)}
"""Lowest and highest rating."""
MAX_ITEMS = 2000
"""Maximum number of items. The order of a judge is computed at each request, in milliseconds."""
MAX_SECONDS = 60.0
TURN_BASED_FRAMES_PER_SECOND = 4.0
"""Pace of a clip of a turn-based game, whose moves take as long as the player thinks."""
NAME = r"[a-z0-9]+(?:-[a-z0-9]+)*"
"""Pattern of the name of a set: it is part of addresses."""


class Crop(BaseModel):
    """Part of the picture that judges see, in pixels of the recording. It can leave out a score."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    x: int = Field(ge=0, le=10_000)
    y: int = Field(ge=0, le=10_000)
    width: int = Field(ge=1, le=10_000)
    height: int = Field(ge=1, le=10_000)


class SetSpecification(BaseModel):
    """How a set is drawn and shown. The same specification on the same recordings gives the same items."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind = Field("pair", description="pair: two clips are compared; rating: one clip is rated")
    game: str = Field(max_length=100, description="id of the game")
    items: int = Field(ge=1, le=MAX_ITEMS, description="number of pairs, or of clips to rate, without repeats")
    seconds: float = Field(gt=0, le=MAX_SECONDS, description="length of each clip at the game's pace")
    frames_per_second: float | None = Field(
        None, gt=0, le=240, description="pace of the clips; null: the game's own, or 4 if it is turn-based"
    )
    sources: Annotated[tuple[Source, ...], Field(min_length=1, max_length=2)] = Field(
        ("people",), description="people, programs, or both"
    )
    branches: bool = Field(True, description="also episodes that begin at a frame of another one")
    dataset: str | None = Field(
        None, max_length=100, description="only episodes of this version of a saved dataset, such as mine@2"
    )
    audience: Audience = Field("researchers", description="who may judge")
    question: str = Field("", max_length=300, description="what the judge is asked; empty: the page's own words")
    scale: Scale = Field("1-5", description="ratings only: 1-5, or a slider of 0-100")
    gold: float = Field(0.1, ge=0, le=0.5, description="share of pairs of which the better clip is known")
    repeats: float = Field(0.1, ge=0, le=1, description="share of items that are shown again, sides swapped")
    crop: Crop | None = Field(None, description="part of the picture that is shown; null: all of it")
    seed: int = Field(0, ge=0, le=2**63 - 1, description="seed of the draw")

    @model_validator(mode="after")
    def check_kind(self) -> Self:
        """Check that a set of ratings asks for no gold pairs."""
        if self.kind == "rating" and "gold" in self.model_fields_set and self.gold > 0:
            raise ValueError("a set of ratings has no gold pairs: leave out `gold`")
        return self

    @property
    def n_gold(self) -> int:
        """Number of items of which the better clip is known."""
        return round(self.items * self.gold) if self.kind == "pair" else 0

    @property
    def n_repeats(self) -> int:
        """Number of items that are shown again."""
        return round(self.items * self.repeats)


def parse_specification(fields: Any) -> SetSpecification:
    """Check a specification. Raises InvalidRequest, which names each wrong field with the reason."""
    try:
        return SetSpecification.model_validate(fields)
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(part) for part in problem['loc']) or 'set'}: {problem['msg']}"
            for problem in error.errors()[:10]
        ]
        raise InvalidRequest(
            "\n".join(["The set of clips is invalid.", *problems, "docs/judgements.md describes the fields."])
        ) from None


def read_file(path: Path) -> dict[str, Any]:
    """Return the fields of a file. Raises InvalidRequest if it cannot be read, or is no YAML with fields."""
    try:
        fields = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidRequest(f"Cannot read {path}: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(fields, dict):
        raise InvalidRequest(f"{path} has no fields. docs/judgements.md describes them.")
    return fields
