"""Models of sign-in, preferences and the erasure of an account."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from skill_arcade.web.models.base import RequestModel, ResponseModel
from skill_arcade.wire.messages import NO_NUL


class EmailMethod(ResponseModel):
    """Users sign in with an e-mail address and no password."""

    method: Literal["email"]


class FirebaseMethod(ResponseModel):
    """Sign-in uses Firebase Authentication; send the Firebase ID token. All fields are public."""

    method: Literal["firebase"]
    project_id: str
    api_key: str
    providers: list[Literal["google", "email-link", "anonymous"]] = Field(
        description="sign-in providers in the order in which to offer them"
    )
    google_client_id: str | None = Field(description="OAuth client id of the page; null if Google is not offered")
    emulator: str | None = Field(description="URL of the Firebase emulator; null for Google's service")


LoginMethod = Annotated[EmailMethod | FirebaseMethod, Field(discriminator="method")]


class EmailSignIn(RequestModel):
    """Sign in with the method `email`."""

    email: str = Field(max_length=320)


class FirebaseSignIn(RequestModel):
    """Sign in with the method `firebase`."""

    id_token: str = Field(max_length=8192, description="ID token of the Firebase SDK")


class AgentSignIn(RequestModel):
    """Sign in as an agent, whatever the method of people is."""

    token: str = Field(max_length=200, description="token of the agent, made by `skill-arcade agents token`")


class LoginResult(ResponseModel):
    """A session token for the `Authorization: Bearer` header, and its user."""

    token: str
    user_id: str
    email: str | None = Field(description="null for a guest")
    roles: list[Literal["researcher", "admin"]]
    expires_at: datetime


class Me(ResponseModel):
    """The user of a session token."""

    user_id: str
    email: str | None = Field(description="null for a guest")
    roles: list[Literal["researcher", "admin"]]


Name = Annotated[str, Field(max_length=100, pattern=NO_NUL)]


Word = Annotated[str, Field(max_length=40, pattern=NO_NUL)]


class Preferences(RequestModel):
    """A user's preferences, stored with the account and applied on all devices."""

    keys: Annotated[
        dict[Name, dict[Word, Annotated[list[Word], Field(max_length=8)]]],
        Field(max_length=500, description="by game: the controls whose keys the player changed, and their keys"),
    ]
    hand: Literal["right", "left"] = Field(description="hand that has the buttons of the touch controls")
    haptics: bool = Field(description="vibration, where the device supports it")
    sound: bool = Field(description="sound is on; it is off by default")
    volume: Annotated[int, Field(ge=0, le=100, description="volume in percent")]
    gauge: bool = Field(description="show latency and FPS")
    favourites: list[Name] = Field(max_length=1000, description="ids of favourite games")
    options: Annotated[
        dict[Name, dict[Word, Name]],
        Field(max_length=500, description="by game: the option values that were chosen last"),
    ]


class ErasureRequest(RequestModel):
    """Erase the account and all of its recordings."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema["required"].append("id_token"))
    word: str = Field(max_length=40, description="`erase`, typed by the user as a confirmation")
    id_token: str | None = Field(
        None, max_length=8192, description="ID token of the Firebase account, which the server then deletes too"
    )


class ErasureResult(ResponseModel):
    """The account is closed: its tokens are invalid and nothing more is recorded."""

    finished: bool = Field(description="everything is erased; if false, the rest is erased in the background")
    episodes: int = Field(description="episodes erased so far")
    steps: int = Field(description="steps erased so far")
    sign_in_deleted: bool = Field(
        description="the Firebase account with its e-mail address is deleted; if false, the page has to delete it"
    )
