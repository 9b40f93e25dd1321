"""Finishes the episodes of a game process that has died, with the cause of its death."""

import logging
import time
from pathlib import Path

from skill_arcade.errors import JournalDamaged
from skill_arcade.recording.journal import OPEN
from skill_arcade.recording.journal_files import list_episodes
from skill_arcade.recording.segment import parse_segment, recover_abandoned

log = logging.getLogger(__name__)

N_TRIES = 5
RETRY_SECONDS = 0.1
"""Pause after the folder was locked: the dead process may still exit, or the uploader has just looked at it."""


def recover_user_episodes(journal: Path, user_id: str, cause: str) -> None:
    """Finish the episodes of a player whose game process has died, and record the cause. Others are left alone.

    Raises:
        OSError: the disk is full or cannot be written; the uploader finishes them later, without the cause.
    """
    for folder in list_episodes(journal):
        open_files = sorted(folder.glob(f"*{OPEN}"))
        try:
            segment = parse_segment(open_files[-1].read_bytes())[0] if open_files else None
            if segment is not None and segment.header.user_id == user_id:
                for attempt in range(N_TRIES):
                    time.sleep(RETRY_SECONDS if attempt else 0)
                    if recover_abandoned(folder, cause):
                        break
        except FileNotFoundError:
            continue  # sealed since it was listed
        except JournalDamaged as damaged:
            log.error("%s", damaged)
