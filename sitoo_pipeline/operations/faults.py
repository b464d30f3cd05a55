"""The failures that a person can do something about, each as one line without secrets and personal data."""

from __future__ import annotations

import duckdb
from sqlalchemy.exc import OperationalError

from sitoo_pipeline.operations.archive import BackupError
from sitoo_pipeline.reporting.errors import FormatError, OutputError, TooManyRowsError, UnknownTableError
from sitoo_pipeline.sinks.database import DatabaseUrlError
from sitoo_pipeline.sitoo.errors import SitooError
from sitoo_pipeline.warehouse import WarehouseLockedError, WarehouseVersionError


class RangeError(ValueError):
    """A period that makes no sense."""


class UnknownTargetError(ValueError):
    """A target that the settings do not switch on."""


class NothingLoadedError(RuntimeError):
    """None of the dates that were asked for is loaded."""


class SettlementError(ValueError):
    """What is said of records in doubt is not whole."""


class NothingInDoubtError(ValueError):
    """There is no record in doubt that could be settled."""


class PortTakenError(RuntimeError):
    """Another program listens there already, or the address is none of this machine's."""


_ASKED_WRONGLY = (RangeError, SettlementError, UnknownTargetError, UnknownTableError, FormatError)
_WRITTEN_TO_BE_SHOWN = (
    *_ASKED_WRONGLY, PortTakenError, SitooError, WarehouseLockedError, WarehouseVersionError, DatabaseUrlError,
    BackupError, NothingInDoubtError, NothingLoadedError, OutputError, TooManyRowsError,
)  # fmt: skip


def exit_code(error: Exception) -> int:
    """2 for what was asked for wrongly, 1 for what failed."""
    return 2 if isinstance(error, _ASKED_WRONGLY) else 1


def explained(error: Exception) -> str | None:
    """What went wrong and what to do, or None where nobody thought of it beforehand."""
    if isinstance(error, _WRITTEN_TO_BE_SHOWN):
        return " ".join(str(error).split())
    if isinstance(error, OperationalError):
        return (
            f"a database does not answer ({type(error.orig).__name__}): look at WEEKLY_BALANCE_URL and DELIVERIES_URL, "
            "and whether it runs"
        )
    if isinstance(error, duckdb.IOException):
        return f"DuckDB cannot use its file: {' '.join(str(error).split())}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'the data folder'}: {error.strerror}; look at its rights, and at the free disk"
    return None
