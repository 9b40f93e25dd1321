"""Runs the processes that make clips, a few at once."""

import asyncio
import contextlib
import json
import logging
import sys
from asyncio.subprocess import PIPE
from collections.abc import Sequence

from skill_arcade.errors import InvalidRequest, NotReady, TooManyRequests
from skill_arcade.replay.clips import ClipFormat, Crop

log = logging.getLogger(__name__)
MAX_CONCURRENT_CLIPS = 2
MAX_CLIP_SECONDS = 60.0
"""Time after which a clip's process is killed. Ten seconds of Atari take 1 to 2 s."""
FAILED_MESSAGE = "The clip could not be made because of an error in the server. Choose another format or fewer frames."
UNAVAILABLE_MESSAGE = "This server cannot make clips of this format. Choose another one."
BUSY_MESSAGE = "The server is making other clips. Try again in a moment."


class ClipWorkers:
    """Makes clips in child processes at low priority, so that games are not delayed."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_CLIPS)

    async def make(
        self,
        format_: ClipFormat,
        segments: Sequence[bytes],
        frames: range,
        delays_us: Sequence[int],
        *,
        crop: Crop | None = None,
        max_wait_seconds: float = 0,
    ) -> bytes:
        """Return a clip; the arguments are those of `make_clip`.

        `max_wait_seconds` is how long it may wait while `MAX_CONCURRENT_CLIPS` are being made.

        Raises:
            TooManyRequests: `MAX_CONCURRENT_CLIPS` are being made, and were for as long as it may wait.
            InvalidRequest: the clip cannot be made; the message says why.
            NotReady: the process failed or took too long.
        """
        if self._slots.locked() and max_wait_seconds <= 0:
            raise TooManyRequests(BUSY_MESSAGE, 2.0)
        try:
            await asyncio.wait_for(self._slots.acquire(), max_wait_seconds or None)
        except TimeoutError:
            raise TooManyRequests(BUSY_MESSAGE, 2.0) from None
        try:
            return await self._run(format_, segments, frames, delays_us, crop)
        finally:
            self._slots.release()

    async def _run(
        self,
        format_: ClipFormat,
        segments: Sequence[bytes],
        frames: range,
        delays_us: Sequence[int],
        crop: Crop | None,
    ) -> bytes:
        request = {
            "format": format_,
            "first": frames.start,
            "count": len(frames),
            "delays_us": list(delays_us),
            "crop": crop,
            "sizes": [len(segment) for segment in segments],
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "skill_arcade.replay.clip_process"), stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        body = json.dumps(request).encode() + b"\n" + b"".join(segments)
        try:
            output, errors = await asyncio.wait_for(process.communicate(body), MAX_CLIP_SECONDS)
        except TimeoutError:
            raise NotReady(FAILED_MESSAGE) from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
        if process.returncode == 0:
            return output
        raise _describe_failure(errors)


def _describe_failure(errors: bytes) -> Exception:
    text = errors.decode(errors="replace").strip()
    try:
        problem = json.loads(text.splitlines()[-1])
        name, message = problem["error"], problem["message"]
    except (ValueError, LookupError, TypeError):
        log.error("clip process failed: %s", text)
        return NotReady(FAILED_MESSAGE)
    log.warning("cannot make a clip error=%s: %s", name, message)
    return InvalidRequest(message if name == "InvalidRequest" else UNAVAILABLE_MESSAGE)
