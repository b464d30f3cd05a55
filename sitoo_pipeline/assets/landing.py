"""The landing folder: where a fetch puts its bodies, and how long they stay.

``<landing>/<table>/<first date>--<last date>/<time of the fetch>/0000.json.gz``
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

_STAMP = "%Y%m%dT%H%M%S.%fZ"


def fetch_folder(landing: Path, table: str, span: str, started_at: datetime) -> Path:
    """A folder of its own for one fetch, so that rows go on naming the body they came from."""
    return landing / table / span / started_at.astimezone(UTC).strftime(_STAMP)


def prune(landing: Path, table: str, *, keep_days: int, now: datetime) -> list[Path]:
    """Remove the fetches of ``table`` that are older than ``keep_days``, and say which.

    A folder whose name is not the time of a fetch is left alone.
    """
    gone = []
    for folder in sorted((landing / table).glob("*/*")):
        fetched_at = _time_of(folder.name)
        if fetched_at is not None and now - fetched_at > timedelta(days=keep_days):
            shutil.rmtree(folder)
            gone.append(folder)
            if not any(folder.parent.iterdir()):
                folder.parent.rmdir()
    return gone


def remove(folder: Path) -> None:
    """Remove one fetch, and the folder of its dates where no other fetch of them is left."""
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        folder.parent.rmdir()


def _time_of(name: str) -> datetime | None:
    try:
        return datetime.strptime(name, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
