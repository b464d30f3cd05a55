"""What stands in a line of the log: its fields, in one order, with everything hidden that nobody may read there."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from sitoo_pipeline.sitoo.redaction import redact

_ORDER = (
    "timestamp", "level", "message", "account", "first_date", "last_date", "run_id", "job", "step", "logger", "error",
)  # fmt: skip
_SHOWN = ("sitoo_pipeline.",)
"""Where the errors live whose texts are written to be shown."""


def shown_error(error: BaseException) -> dict[str, Any]:
    """An error for a log: its kind, where it happened, and its text only where that was written to be shown.

    Texts of other libraries may hold whatever they were given, such as the row of a customer.
    """
    kind = type(error)
    said: dict[str, Any] = {"kind": f"{kind.__module__}.{kind.__qualname__}"}
    if kind.__module__.startswith(_SHOWN):
        said["message"] = str(error)
    return said | {"stack": frames(error.__traceback__)}


def frames(at: TracebackType | None) -> list[str]:
    """The places of a traceback, the innermost last."""
    return [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(at)]


def _explain(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    caught = line.pop("exc_info", None)
    if isinstance(caught, tuple) and isinstance(caught[1], BaseException):
        line.setdefault("error", shown_error(caught[1]))
    return line


def _redacted(value: object, secrets: Sequence[str]) -> Any:
    if isinstance(value, str):
        return redact(value, secrets=secrets)
    if isinstance(value, Mapping):
        return {name: _redacted(each, secrets) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(each, secrets) for each in value]
    return value if isinstance(value, int | float | None) else redact(str(value), secrets=secrets)


def _finish(secrets: Sequence[str]) -> Processor:
    kept = {"timestamp", "level", "logger", "run_id"}

    def finish(_: WrappedLogger, __: str, line: EventDict) -> Mapping[str, Any]:
        line["message"] = line.pop("event")
        names = [name for name in _ORDER if line.get(name) is not None]
        names += sorted(name for name in line if name not in _ORDER)
        return {name: line[name] if name in kept else _redacted(line[name], secrets) for name in names}

    return finish


def json_formatter(
    secrets: Sequence[str], add: Callable[[Any, EventDict], None] = lambda record, line: None
) -> structlog.stdlib.ProcessorFormatter:
    """Formats a record as one line of JSON; instants in UTC.

    Args:
        secrets: Texts that are hidden wherever they occur.
        add: Adds fields to a line from its ``logging.LogRecord``.
    """

    def of_record(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
        add(line["_record"], line)
        return line

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            of_record,
            _explain,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _finish(secrets),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
