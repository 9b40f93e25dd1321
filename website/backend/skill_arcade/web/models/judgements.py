"""Models of judgements: what a judge sees, and answers."""

from typing import Literal

from pydantic import Field

from skill_arcade.web.models.base import RequestModel, ResponseModel

MAX_REACTION_MS = 24 * 3600 * 1000


class JudgementTask(ResponseModel):
    """An item to judge. It tells nothing of the recordings."""

    number: int = Field(description="number of the item, for the answer")
    clips: list[str] = Field(description="paths of the clips (APNG): left and right, or the one to rate")


class JudgementState(ResponseModel):
    """A set as a judge sees it, with the next items."""

    name: str
    kind: Literal["pair", "rating"]
    game: str = Field(description="name of the game")
    question: str = Field(description="what is asked; empty: the page's own words")
    scale: Literal["1-5", "0-100"] = Field(description="scale of ratings")
    frames_per_second: float = Field(description="pace of the clips")
    pixel_aspect: float = Field(description="width of a pixel divided by its height")
    smooth: bool = Field(description="the picture is scaled smoothly")
    n_items: int = Field(description="number of items for this judge, with repeats")
    n_answered: int = Field(description="number of items that this judge has answered")
    tasks: list[JudgementTask] = Field(description="the next items in this judge's order; empty: all are answered")


class JudgementRequest(RequestModel):
    """An answer to an item."""

    number: int = Field(ge=0, le=2**31 - 1)
    answer: Literal["left", "right", "equal", "cannot_tell", "skip", "rating"]
    rating: float | None = Field(description="only for the answer `rating`: a whole number on the scale")
    reaction_ms: int = Field(ge=0, le=MAX_REACTION_MS, description="from the first paint of the clips to the answer")
    n_plays: int = Field(ge=0, le=2**31 - 1, description="number of times that the clips were played to their end")
