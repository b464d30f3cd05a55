"""Where lines go: standard error, of the process that logs."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

from structlog.typing import EventDict

from sitoo_pipeline.logs.lines import json_formatter
from sitoo_pipeline.sitoo.redaction import redact

OWN = "sitoo_pipeline"
"""The logger of the package; every module's is below it."""


class _Stderr(logging.StreamHandler[Any]):
    """Writes to what is standard error when a line is written, which tests and runs replace."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        """Standard error as it is now."""
        return sys.stderr


class Redacting(logging.Formatter):
    """Another formatter's text, without secrets and personal data."""

    def __init__(self, inner: logging.Formatter, secrets: Sequence[str]) -> None:
        super().__init__()
        self._inner, self._secrets = inner, secrets

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record."""
        return redact(self._inner.format(record), secrets=self._secrets)


def stderr_handler(
    secrets: Sequence[str], add: Callable[[Any, EventDict], None] = lambda record, line: None
) -> logging.Handler:
    """A handler that writes JSON to standard error; ``add`` adds fields to a line from its record."""
    handler = _Stderr()
    handler.setFormatter(json_formatter(secrets, add))
    return handler


def log_to_stderr(secrets: Sequence[str]) -> None:
    """Write what the package logs as JSON to standard error: warnings, or more where its level says so.

    What is logged within a run of Dagster is left to the run's own log, which has it too.
    """
    handler = stderr_handler(secrets)
    handler.addFilter(lambda record: not _is_captured())
    logging.getLogger(OWN).handlers = [handler]


def _is_captured() -> bool:
    """Whether a run of Dagster listens to the package's logger now."""
    return any(type(handler).__name__ == "DagsterLogHandler" for handler in logging.getLogger(OWN).handlers)
