"""Translates the errors of Google's client libraries."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import google.auth.exceptions
import requests
import urllib3
from google.api_core import exceptions as api_errors
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from skill_arcade.errors import NotReady, ObjectRejected

# https://cloud.google.com/storage/docs/json_api/v1/status-codes: these 4xx statuses depend on permissions, on the
# bucket or on time. Any other 4xx status means that the request itself is invalid.
TEMPORARY_CLIENT_ERRORS = {401, 403, 404, 408, 409, 412, 429}

# https://cloud.google.com/storage/docs/data-validation: an upload whose checksum does not match is rejected with 400.
CHECKSUM_NAME = re.compile("crc32c|md5|checksum|hash", re.IGNORECASE)
CLIENT_ERRORS = (
    api_errors.GoogleAPIError,
    google.auth.exceptions.GoogleAuthError,
    DataCorruption,
    InvalidResponse,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
)


@contextmanager
def translate_errors(bucket: str) -> Iterator[None]:
    """Turn the client library's errors into NotReady (temporary) or ObjectRejected (permanent)."""
    try:
        yield
    except CLIENT_ERRORS as error:
        if isinstance(error, api_errors.ClientError) and not _is_temporary(error):
            reason = f"The bucket {bucket} rejects an object: {describe_error(error)}"
            raise ObjectRejected(reason, error.code) from error
        raise NotReady(f"The bucket {bucket} cannot be used: {describe_error(error)}") from error


def _is_temporary(error: api_errors.ClientError) -> bool:
    """Return whether a repeated request may succeed. A 400 for a wrong checksum means that bytes changed in transit."""
    return error.code in TEMPORARY_CLIENT_ERRORS or CHECKSUM_NAME.search(str(error)) is not None


def describe_error(error: BaseException) -> str:
    """Return what a client library's error means and, where it is known, what to do."""
    if isinstance(error, api_errors.RetryError) and error.cause is not None:
        return f"all retries failed until the deadline. {describe_error(error.cause)}"
    if isinstance(error, google.auth.exceptions.DefaultCredentialsError):
        return "no credentials were found; run as a service account, or `gcloud auth application-default login`."
    if isinstance(error, api_errors.Forbidden | api_errors.Unauthorized):
        return f"this server's account is not allowed; grant it the role Storage Object User there. {error.message}"
    if isinstance(error, api_errors.NotFound):
        return f"{error.message} Check GCP_BUCKET_NAME."
    return f"{type(error).__name__}: {error}"
