"""Object store in a bucket of Google Cloud Storage.

Google's client is synchronous, so each call runs in a thread pool with `UPLOADER_NUM_WORKERS` threads. Each thread has
one persistent connection. The event loop never blocks on the network, and at most `UPLOADER_NUM_WORKERS` requests run
concurrently. `STORAGE_EMULATOR_HOST` sends all requests to another address, without credentials.
"""

import asyncio
import base64
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, BinaryIO, ParamSpec, TypeVar

import google_crc32c
import requests
from google.api_core import exceptions as api_errors
from google.api_core.retry import Retry
from google.cloud.storage import Blob, Client
from google.cloud.storage.exceptions import InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY

from skill_arcade.errors import NotReady, ObjectExists, ObjectMissing
from skill_arcade.storage.objects.errors import translate_errors
from skill_arcade.storage.objects.keys import CHUNK_BYTES, check_key

P = ParamSpec("P")
T = TypeVar("T")

REQUIRED_PERMISSIONS = ("storage.objects.create", "storage.objects.get", "storage.objects.list")
UPLOAD_CHUNK_BYTES, UPLOAD_CHUNK_SECONDS = 8 * CHUNK_BYTES, 120.0
"""Size of a request of a large upload, which must be a multiple of 256 KiB, and its timeout."""
CONTENT_TYPES = {".png": "image/png", ".json": "application/json", ".parquet": "application/vnd.apache.parquet"}


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Timeouts and back-off of requests, in seconds.

    `connect` and `answer` limit one attempt, `all_tries` limits all attempts together. Statuses 408, 429 and 500 to 504
    and broken connections are retried with exponential back-off from `first_wait` to `longest_wait`.
    """

    connect: float = 5.0
    answer: float = 15.0
    first_wait: float = 0.5
    longest_wait: float = 8.0
    all_tries: float = 45.0

    @property
    def retry(self) -> Retry:
        """The retry policy in the form that the client library takes."""
        delayed = DEFAULT_RETRY.with_delay(initial=self.first_wait, maximum=self.longest_wait, multiplier=2.0)
        limited: Retry = delayed.with_timeout(self.all_tries)
        return limited


class GoogleObjects:
    """Stores each object in a bucket, under a key prefix. It never overwrites an object."""

    def __init__(
        self,
        bucket: str,
        *,
        prefix: str = "",
        project: str | None = None,
        workers: int = 4,
        retry_policy: RetryPolicy | None = None,
    ) -> None:
        """Create the client without opening a connection.

        Raises:
            NotReady: no credentials are available.
        """
        self._name, self._prefix = bucket, f"{prefix}/" if prefix else ""
        self._retry_policy = retry_policy or RetryPolicy()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="objects")
        # Otherwise the library requests the bucket's location in a thread of its own, for traces that are not used.
        os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
        with translate_errors(self._name):
            self._client = Client(project)
        self._bucket = self._client.bucket(bucket)
        session: requests.Session = self._client._http
        # The connection pool has exactly one connection per thread.
        for scheme in ("https://", "http://"):
            session.mount(scheme, requests.adapters.HTTPAdapter(1, workers, pool_block=True))
        session.hooks["response"].append(read_error_body)

    async def put(self, key: str, data: bytes) -> None:
        """Upload with a precondition that the object does not exist. The bucket verifies precondition and checksum."""
        await self._run(self._put, check_key(key), data)

    async def get(self, key: str) -> bytes:
        """Download the object in one request and verify its checksum."""
        return await self._run(self._get, check_key(key))

    async def get_range(self, key: str, start: int, length: int) -> bytes:
        return await self._run(self._get_range, check_key(key), start, length)

    @contextmanager
    def open_writer(self, key: str) -> Iterator[BinaryIO]:
        """Upload in chunks. A resumable upload that is not finished leaves no object."""
        blob = self._blob(check_key(key))
        content_type = CONTENT_TYPES.get(key[key.rfind(".") :], "application/octet-stream")
        policy = self._retry_policy
        stream = blob.open(
            "wb",
            chunk_size=UPLOAD_CHUNK_BYTES,
            content_type=content_type,
            if_generation_match=0,
            checksum="crc32c",
            retry=policy.retry,
            timeout=(policy.connect, UPLOAD_CHUNK_SECONDS),
        )
        with translate_errors(self._name):
            try:
                with stream:
                    yield stream
            except InvalidResponse as error:
                if error.response.status_code != HTTPStatus.PRECONDITION_FAILED:
                    raise
                message = f"gs://{self._name}/{blob.name} already exists; the stored object is kept."
                raise ObjectExists(message) from None
            finally:
                # After an error it is still open. The garbage collector would then close it, which uploads once more.
                stream._buffer.close()

    async def size(self, key: str) -> int:
        return await self._run(self._size, check_key(key))

    async def read_chunks(self, key: str) -> AsyncIterator[bytes]:
        """Each chunk is one request for a range of the object."""
        for start in range(0, await self.size(key), CHUNK_BYTES):
            yield await self._run(self._get_range, key, start, CHUNK_BYTES)

    async def delete(self, key: str) -> None:
        await self._run(self._delete, check_key(key))

    async def list(self, prefix: str) -> AsyncIterator[str]:
        """List pages of up to 1,000 keys. Google sorts keys by code point."""
        pages = self._pages(prefix)
        while (page := await self._run(next, pages, None)) is not None:
            for key in page:
                yield key

    async def ready(self) -> None:
        """Check that this account has the required permissions on the bucket."""
        await self._run(self._check_rights)

    async def close(self) -> None:
        """Wait for running requests, then close the connections."""
        await asyncio.to_thread(self._threads.shutdown)
        self._client.close()

    async def _run(self, function: Callable[P, T], *args: P.args, **_: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)

    def _blob(self, key: str) -> Blob:
        return self._bucket.blob(f"{self._prefix}{key}")

    @property
    def _retry_options(self) -> dict[str, Any]:
        return {"timeout": (self._retry_policy.connect, self._retry_policy.answer), "retry": self._retry_policy.retry}

    def _put(self, key: str, data: bytes) -> None:
        content_type = CONTENT_TYPES.get(key[key.rfind(".") :], "application/octet-stream")
        with translate_errors(self._name):
            try:
                self._blob(key).upload_from_string(
                    data, content_type=content_type, if_generation_match=0, checksum="crc32c", **self._retry_options
                )
            except api_errors.PreconditionFailed:
                # The object exists: another client stored it, or the response to an earlier attempt was lost.
                self._compare(key, data)

    def _compare(self, key: str, data: bytes) -> None:
        blob = self._blob(key)
        blob.reload(**self._retry_options)
        if (blob.size, blob.crc32c, blob.md5_hash) != (len(data), crc32c(data), md5(data)):
            sizes = f"{blob.size}, not {len(data)}"
            raise ObjectExists(
                f"gs://{self._name}/{blob.name} already exists with other bytes ({sizes}); the stored object is kept."
            )

    def _get(self, key: str) -> bytes:
        blob = self._blob(key)
        with translate_errors(self._name):
            try:
                # A single request: the checksum of a download that is resumed after an error would not be verified.
                data: bytes = blob.download_as_bytes(
                    single_shot_download=True, checksum="crc32c", **self._retry_options
                )
            except api_errors.NotFound as error:
                raise self._missing(key) from error
        return data

    def _size(self, key: str) -> int:
        blob = self._blob(key)
        with translate_errors(self._name):
            try:
                blob.reload(**self._retry_options)
            except api_errors.NotFound as error:
                raise self._missing(key) from error
        return int(blob.size)

    def _get_range(self, key: str, start: int, length: int) -> bytes:
        with translate_errors(self._name):
            try:
                data: bytes = self._blob(key).download_as_bytes(
                    start=start, end=start + length - 1, checksum=None, **self._retry_options
                )
            except api_errors.NotFound as error:
                raise self._missing(key) from error
        return data

    def _missing(self, key: str) -> ObjectMissing:
        return ObjectMissing(f"Object {key} does not exist in gs://{self._name}/{self._prefix}.")

    def _delete(self, key: str) -> None:
        with translate_errors(self._name):
            try:
                self._blob(key).delete(**self._retry_options)
            except api_errors.NotFound:
                return

    def _pages(self, prefix: str) -> Iterator[tuple[str, ...]]:
        with translate_errors(self._name):
            listing = self._client.list_blobs(
                self._bucket,
                prefix=f"{self._prefix}{prefix}",
                fields="items(name),nextPageToken",
                **self._retry_options,
            )
            for page in listing.pages:
                yield tuple(blob.name.removeprefix(self._prefix) for blob in page)

    def _check_rights(self) -> None:
        with translate_errors(self._name):
            options = {"timeout": self._retry_policy.connect, "retry": None}
            granted = self._bucket.test_iam_permissions(list(REQUIRED_PERMISSIONS), **options)
        if missing := sorted(set(REQUIRED_PERMISSIONS) - set(granted)):
            raise NotReady(
                f"This server's account lacks the permissions {', '.join(missing)} on the bucket {self._name}: "
                "grant it the role Storage Object User."
            )


def read_error_body(response: requests.Response, *_: Any, **__: Any) -> None:
    """Read the body of an error response. The library does not, and the connection is blocked until it is read."""
    if not response.ok:
        response.content  # noqa: B018  (reads)


def crc32c(data: bytes) -> str:
    """Return the CRC-32C of `data` in Google's format: base64 of 4 bytes, big endian."""
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


def md5(data: bytes) -> str:
    """Return the MD5 of `data` in Google's format. It only compares bytes and has no security purpose."""
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
