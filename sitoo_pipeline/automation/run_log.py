"""The log that runs, sensors and schedules write to standard error, in place of Dagster's own.

Dagster gives each run without logger settings, each sensor and each schedule a console logger of its own, and has no
setting by which it would take another: so the function that makes it is replaced, for the whole process. What Dagster
keeps of a run in its database, and the UI shows, is not touched.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import dagster as dg
from dagster import _loggers as run_loggers
from dagster._core.definitions import instigation_logger as tick_loggers
from dagster._core.log_manager import get_log_record_metadata, has_log_record_metadata
from dagster._core.utils import coerce_valid_log_level
from dagster._utils.log import create_console_logger
from structlog.typing import EventDict

from sitoo_pipeline.automation.failures import dates_of_tags, reason
from sitoo_pipeline.logs import log_to_stderr, secrets_of, stderr_handler
from sitoo_pipeline.logs.handlers import Redacting
from sitoo_pipeline.settings import Settings

_OF_THE_RUN = {
    dg.DagsterEventType.RUN_START, dg.DagsterEventType.RUN_SUCCESS, dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterEventType.RUN_CANCELED,
}  # fmt: skip
"""Told of although Dagster holds some of them for details: when a run began, and how it ended."""
_PLACE = re.compile(r'\s*File "(.+)", line (\d+), in (.+)')


def use_log_of(settings: Settings) -> None:
    """From now on runs, sensors and schedules of this process log to standard error as the settings say.

    Either way without the secrets of the settings. As JSON, a line carries the account, the dates, the run and the
    step; details (level ``DEBUG``) are left out. Can be called again.
    """
    secrets = secrets_of(settings)
    is_json = settings.log_format == "json"
    if is_json:
        log_to_stderr(secrets)

    def make(name: str, level: str | int) -> logging.Logger:
        return _json_logger(name, level, secrets) if is_json else _text_logger(name, level, secrets)

    for module in (run_loggers, tick_loggers):
        vars(module)["create_console_logger"] = make


def _text_logger(name: str, level: str | int, secrets: tuple[str, ...]) -> logging.Logger:
    logger = create_console_logger(name, level)
    for handler in logger.handlers:
        handler.setFormatter(Redacting(handler.formatter or logging.Formatter(), secrets))
    return logger


def _json_logger(name: str, level: str | int, secrets: tuple[str, ...]) -> logging.Logger:
    asked = coerce_valid_log_level(level)
    # The begin and the end of a run are details to Dagster, and the filter takes other details out.
    logger = logging.getLoggerClass()(name, level=logging.DEBUG if asked <= logging.INFO else asked)
    handler = stderr_handler(secrets, _add)
    handler.addFilter(lambda record: record.levelno >= logging.INFO or _event_type(record) in _OF_THE_RUN)
    logger.addHandler(handler)
    return logger


def _event_type(record: logging.LogRecord) -> dg.DagsterEventType | None:
    event = get_log_record_metadata(record)["dagster_event"] if has_log_record_metadata(record) else None
    return event.event_type if event else None


def _add(record: logging.LogRecord, line: EventDict) -> None:
    """What Dagster knows of a record: its run, the run's account and dates, its step, and why the step failed."""
    if not has_log_record_metadata(record):
        return
    known = get_log_record_metadata(record)
    line["event"] = known["orig_message"]
    line.update(run_id=known["run_id"], job=known["job_name"], step=known["step_key"])
    if account := known["job_tags"].get("account") or (known["step_key"] or "").partition("__")[0]:
        line["account"] = account
    if dates := dates_of_tags(known["job_tags"]):
        line.update(first_date=str(dates[0]), last_date=str(dates[-1]))
    event = known["dagster_event"]
    if event and event.event_type == dg.DagsterEventType.STEP_FAILURE:
        line["error"] = {"message": reason(event, known["run_id"] or "")} | _origin(event)


def _origin(event: dg.DagsterEvent) -> dict[str, Any]:
    """The kind of the error that began it, and where that was: no texts, which may hold anything."""
    error = None if event.step_failure_data.user_failure_data else event.step_failure_data.error
    while error and error.cause:
        error = error.cause
    if error is None:
        return {}
    places = [f"{at[1]}:{at[2]} in {at[3]}" for line in error.stack if (at := _PLACE.match(line))]
    return {"kind": error.message.strip().partition(": ")[0].splitlines()[0], "stack": places}
