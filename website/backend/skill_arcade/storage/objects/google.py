"""Objects in a bucket of Google Cloud Storage.

Google's client blocks, so each call runs in one of a few threads of this store's own, each with a connection that is
kept open: the event loop never waits for a network, and no more uploads run at once than UPLOADER_NUM_WORKERS.
`STORAGE_EMULATOR_HOST` sends everything to another address, without credentials.
"""

import asyncio
import base64
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import google_crc32c
import requests
from google.api_core import exceptions as answers
from google.api_core.retry import Retry
from google.cloud.storage import Blob, Client
from google.cloud.storage.retry import DEFAULT_RETRY

from skill_arcade.errors import NotReady, ObjectExists, ObjectMissing
from skill_arcade.storage.objects.errors import translate_errors
from skill_arcade.storage.objects.keys import check_key

P = ParamSpec("P")
T = TypeVar("T")

REQUIRED_PERMISSIONS = ("storage.objects.create", "storage.objects.get", "storage.objects.list")
CONTENT_TYPES = {".png": "image/png", ".json": "application/json", ".parquet": "application/vnd.apache.parquet"}


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to wait, in seconds: for a connection, for an answer, between tries, and for all tries together.

    Answers 408, 429, 500 to 504 and broken connections are tried again, after random waits that double.
    """

    connect: float = 5.0
    answer: float = 15.0
    first_wait: float = 0.5
    longest_wait: float = 8.0
    all_tries: float = 45.0

    @property
    def retry(self) -> Retry:
        """What the client library makes of it."""
        delayed = DEFAULT_RETRY.with_delay(initial=self.first_wait, maximum=self.longest_wait, multiplier=2.0)
        limited: Retry = delayed.with_timeout(self.all_tries)
        return limited


class GoogleObjects:
    """Keeps each object in a bucket, below a prefix; no call of this ever overwrites one."""

    def __init__(
        self,
        bucket: str,
        *,
        prefix: str = "",
        project: str | None = None,
        workers: int = 4,
        patience: RetryPolicy | None = None,
    ) -> None:
        """Open no connection yet.

        Raises:
            NotReady: there are no credentials here.
        """
        self._name, self._prefix = bucket, f"{prefix}/" if prefix else ""
        self._retry_policy = patience or RetryPolicy()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="objects")
        # Else the library asks in a thread of its own for the bucket's place, for traces that nobody reads.
        os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
        with translate_errors(self._name):
            self._client = Client(project)
        self._bucket = self._client.bucket(bucket)
        session: requests.Session = self._client._http
        # One connection for each thread, whatever their number, and never one more.
        for scheme in ("https://", "http://"):
            session.mount(scheme, requests.adapters.HTTPAdapter(1, workers, pool_block=True))
        session.hooks["response"].append(read_refusal)

    async def put(self, key: str, data: bytes) -> None:
        """Upload on the condition that there is no such object; the bucket checks condition and checksum."""
        await self._run(self._put, check_key(key), data)

    async def get(self, key: str) -> bytes:
        """Download whole; the checksum is compared."""
        return await self._run(self._get, check_key(key))

    async def delete(self, key: str) -> None:
        """Delete the object."""
        await self._run(self._delete, check_key(key))

    async def list(self, prefix: str) -> AsyncIterator[str]:
        """List a page of up to 1,000 keys at a time, as Google sorts them: by their characters."""
        pages = self._pages(prefix)
        while (page := await self._run(next, pages, None)) is not None:
            for key in page:
                yield key

    async def ready(self) -> None:
        """Ask the bucket what this server may do there."""
        await self._run(self._check_rights)

    async def close(self) -> None:
        """Let what runs come to its end, then close the connections."""
        await asyncio.to_thread(self._threads.shutdown)
        self._client.close()

    async def _run(self, function: Callable[P, T], *args: P.args, **_: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)

    def _blob(self, key: str) -> Blob:
        return self._bucket.blob(f"{self._prefix}{key}")

    @property
    def _retry_delays(self) -> dict[str, Any]:
        return {"timeout": (self._retry_policy.connect, self._retry_policy.answer), "retry": self._retry_policy.retry}

    def _put(self, key: str, data: bytes) -> None:
        kind = CONTENT_TYPES.get(key[key.rfind(".") :], "application/octet-stream")
        with translate_errors(self._name):
            try:
                self._blob(key).upload_from_string(
                    data, content_type=kind, if_generation_match=0, checksum="crc32c", **self._retry_delays
                )
            except answers.PreconditionFailed:
                # It is there: put by somebody else, or by an earlier try of ours whose answer got lost.
                self._compare(key, data)

    def _compare(self, key: str, data: bytes) -> None:
        blob = self._blob(key)
        blob.reload(**self._retry_delays)
        if (blob.size, blob.crc32c, blob.md5_hash) != (len(data), crc32c(data), md5(data)):
            sizes = f"{blob.size}, not these {len(data)}"
            raise ObjectExists(f"gs://{self._name}/{blob.name} holds other bytes already ({sizes}); it stays.")

    def _get(self, key: str) -> bytes:
        blob = self._blob(key)
        with translate_errors(self._name):
            try:
                # In one shot: a download that is carried on after a break would not be held against its checksum.
                data: bytes = blob.download_as_bytes(single_shot_download=True, checksum="crc32c", **self._retry_delays)
            except answers.NotFound as error:
                raise ObjectMissing(f"There is no object {key} in gs://{self._name}/{self._prefix}.") from error
        return data

    def _delete(self, key: str) -> None:
        with translate_errors(self._name):
            try:
                self._blob(key).delete(**self._retry_delays)
            except answers.NotFound:
                return

    def _pages(self, prefix: str) -> Iterator[tuple[str, ...]]:
        with translate_errors(self._name):
            found = self._client.list_blobs(
                self._bucket, prefix=f"{self._prefix}{prefix}", fields="items(name),nextPageToken", **self._retry_delays
            )
            for page in found.pages:
                yield tuple(blob.name.removeprefix(self._prefix) for blob in page)

    def _check_rights(self) -> None:
        with translate_errors(self._name):
            waits = {"timeout": self._retry_policy.connect, "retry": None}
            granted = self._bucket.test_iam_permissions(list(REQUIRED_PERMISSIONS), **waits)
        if missing := sorted(set(REQUIRED_PERMISSIONS) - set(granted)):
            raise NotReady(f"This server may not do {', '.join(missing)} in the bucket {self._name}: grant it that.")


def read_refusal(answer: requests.Response, *_: Any, **__: Any) -> None:
    """Read what the library leaves unread when a download is refused: until then its connection is not free."""
    if not answer.ok:
        answer.content  # noqa: B018  (reads)


def crc32c(data: bytes) -> str:
    """The checksum as Google writes it."""
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


def md5(data: bytes) -> str:
    """The digest as Google writes it. It tells bytes apart, and guards nothing."""
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
