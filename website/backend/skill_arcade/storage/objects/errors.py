"""What Google's client raises, as one error of ours that says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

import google.auth.exceptions
import requests
import urllib3
from google.api_core import exceptions as answers
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from skill_arcade.errors import NotReady

ERROR_TEXTS = (
    answers.GoogleAPIError,
    google.auth.exceptions.GoogleAuthError,
    DataCorruption,
    InvalidResponse,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
)


@contextmanager
def translate_errors(bucket: str) -> Iterator[None]:
    """Turn whatever goes wrong with a bucket into NotReady."""
    try:
        yield
    except ERROR_TEXTS as error:
        raise NotReady(f"The bucket {bucket} can't be used: {describe_error(error)}") from error


def describe_error(error: BaseException) -> str:
    """Say what a client library's error means, and what to do where that is known."""
    if isinstance(error, answers.RetryError) and error.cause is not None:
        return f"it was tried until the deadline. {describe_error(error.cause)}"
    if isinstance(error, google.auth.exceptions.DefaultCredentialsError):
        return "there are no credentials here; run as a service account, or `gcloud auth application-default login`."
    if isinstance(error, answers.Forbidden | answers.Unauthorized):
        return f"this server's account is refused; grant it the role Storage Object User there. {error.message}"
    if isinstance(error, answers.NotFound):
        return f"{error.message} Does GCP_BUCKET_NAME name it right?"
    return f"{type(error).__name__}: {error}"
