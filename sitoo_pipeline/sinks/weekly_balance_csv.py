"""Weekly balance as CSV files in a folder, in the layout of SameSystem's hourly import.

What belongs here: writing, comparing and deleting files. What does not: what is in them (``weekly_balance_files``).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from difflib import unified_diff
from pathlib import Path
from typing import ClassVar

import polars as pl

from sitoo_pipeline.sinks.contract import NotReadError, OnUnknown, Outcome, Prepared, Record, State
from sitoo_pipeline.sinks.weekly_balance_files import BalanceFile, Held, WeeklyBalanceFiles

_USUAL_ENCODING = "utf-8"


@dataclass(frozen=True)
class Files:
    """Files that were written, that were right already, and that were deleted."""

    written: int = 0
    unchanged: int = 0
    deleted: int = 0


class WeeklyBalanceCsv:
    """A folder with a file per business date, ``<date>.csv``, or per date and store, ``<date>_<store>.csv``.

    **Unknown**: the files can be read, so what they hold decides; a file is written whole under another name and then
    renamed.
    """

    name: ClassVar[str] = "weekly_balance_csv"
    batch_size: ClassVar[int] = 1
    on_unknown: ClassVar[OnUnknown] = OnUnknown.READ_BACK

    def __init__(self, files: WeeklyBalanceFiles) -> None:
        """Take the files as they are to be; their folder is made when the first is written."""
        self._files = files

    def prepare(
        self,
        frame: pl.DataFrame,
        *,
        account: str,
        dates: Collection[date],
        known: Collection[str] = (),
        held: Held | None = None,
    ) -> Prepared:
        """One record per file: its text. A date always has one, without a text where it has no file of that name.

        A store that is left out is named in the messages with its figures, and in the record without them. A file of
        the date that is no longer one, as where the settings changed, has a record without text too.

        Args:
            frame: rows of ``marts.weekly_balance_hourly``; other accounts and dates in it are left alone.
            account: the account to write.
            dates: the business dates to write; each must have been loaded.
            known: keys of what was ever handed over of these dates: no other file is deleted.
            held: stores held back, by date: of these the file keeps the lines that it has, or says nothing.
        """
        files, warnings = self._files.make(frame, account=account, dates=dates, held=held)
        names = {file.name for file in files}
        files += [
            BalanceFile(name, day, "")
            for day in sorted(set(dates))
            for name in self._files.of_others(day, names, known)
        ]
        return Prepared(tuple(self._record(file) for file in files), tuple(warnings))

    def _record(self, file: BalanceFile) -> Record:
        payload: dict[str, object] = {"business_date": file.day, "text": file.text}
        if self._files.csv_format.encoding != _USUAL_ENCODING:
            payload["encoding"] = self._files.csv_format.encoding
        return Record(file.name, file.day, payload, left_out=file.left_out)

    def holds(self, record: Record) -> bool:
        """Whether the file has exactly these bytes (or is absent, where there is nothing to tell).

        Raises:
            NotReadError: the file cannot be read.
        """
        path = self._path(record)
        try:
            return path.read_bytes() == _bytes(record) if record.payload["text"] else not path.exists()
        except (FileNotFoundError, UnicodeEncodeError):
            return False
        except OSError as error:
            raise _not_read(path, error) from None

    def difference(self, record: Record) -> list[str]:
        """The lines of the file that would go (-) and come (+).

        Raises:
            NotReadError: the file cannot be read.
        """
        path, encoding = self._path(record), record.payload.get("encoding", _USUAL_ENCODING)
        try:
            held = path.read_bytes().decode(encoding) if path.exists() else ""
        except OSError as error:
            raise _not_read(path, error) from None
        except UnicodeDecodeError:
            return ["the file is in another encoding, and would be replaced as a whole"]
        lines = list(unified_diff(held.splitlines(), record.payload["text"].splitlines(), n=0, lineterm=""))
        return [line for line in lines[2:] if not line.startswith("@@")]  # the first two would name files

    def send(self, batch: Sequence[Record]) -> list[Outcome]:
        """Write files, each under another name first."""
        return [self._outcome(record) for record in batch]

    def _outcome(self, record: Record) -> Outcome:
        try:
            done = self._replace(record)
        except OSError as error:
            return Outcome(record.key, State.RETRY, f"the file could not be written: {error}")
        except UnicodeEncodeError as error:
            return Outcome(record.key, State.REJECTED, not_encodable(error))
        return Outcome(record.key, State.DELIVERED, self._path(record).name, counts=vars(done))

    def _replace(self, record: Record) -> Files:
        path = self._path(record)
        with suppress(NotReadError):  # what cannot be read may well be replaced
            if self.holds(record):
                return Files(unchanged=1)
        if not record.payload["text"]:
            path.unlink()
            return Files(deleted=1)
        content = _bytes(record)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.part")
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        return Files(written=1)

    def _path(self, record: Record) -> Path:
        return self._files.path(record.key)


def not_encodable(error: UnicodeEncodeError) -> str:
    """Why a text cannot be written in the encoding of the settings."""
    character = error.object[error.start]
    return f"{character!r} of a store's id cannot be written in the encoding of the settings: set it to utf-8"


def _not_read(path: Path, error: OSError) -> NotReadError:
    return NotReadError(f"the file {path.name} cannot be read ({type(error).__name__})")


def _bytes(record: Record) -> bytes:
    text: str = record.payload["text"]
    return text.encode(record.payload.get("encoding", _USUAL_ENCODING))
