"""Base classes of the models, and the body of error responses."""

from pydantic import BaseModel, ConfigDict, Field


class ResponseModel(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class RequestModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(ResponseModel):
    """Body of every error response."""

    error: str = Field(description="name of the error class, for programs")
    message: str = Field(description="what failed, why, and what to do")
