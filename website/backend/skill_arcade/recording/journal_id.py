"""The id of a journal, which tells a restart with the same disk from a server whose disk is gone."""

import logging
import os
from pathlib import Path
from uuid import UUID, uuid4

log = logging.getLogger(__name__)


def find_journal_id(path: Path) -> UUID:
    """Return the id in the file `path`, which is created if it is missing.

    If the file cannot be read or written, the id is random: the server then counts as one with another disk.
    """
    try:
        return UUID(path.read_text())
    except FileNotFoundError:
        return _create(path)
    except (OSError, ValueError) as error:
        log.warning("cannot read the id of the journal, using another one path=%s: %s", path, error)
        return uuid4()


def _create(path: Path) -> UUID:
    """Create the file. Of two servers that create it at once, both get the id of the first."""
    journal_id = uuid4()
    fresh = path.with_name(f"{path.name}.{journal_id.hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(str(journal_id))
        try:
            os.link(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)
    except FileExistsError:
        return find_journal_id(path)
    except OSError as error:
        log.warning("cannot write the id of the journal, using another one path=%s: %s", path, error)
    return journal_id
