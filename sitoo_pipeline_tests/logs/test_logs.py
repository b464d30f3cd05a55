"""The log of runs and of the package: lines that say whose run it is, and never a secret or anything about a person."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster import _loggers as run_loggers
from dagster._core.definitions import instigation_logger as tick_loggers

from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.automation import use_log_of
from sitoo_pipeline.definitions import build_defs
from sitoo_pipeline.logs import secrets_of
from sitoo_pipeline.settings import Account
from sitoo_pipeline.sitoo import RetryPolicy, SitooClient
from sitoo_pipeline.sitoo.redaction import redact
from sitoo_pipeline_tests.pipeline.project import Project

PASSWORD = "a-password-of-the-tests"
DATABASE = "postgresql+psycopg://pipe:s%40fe-word@db.example.com/ledger"
PERSON = "Anna anna@example.com, +46 70 123 45 67, 19800101-1234"
RUN = "3f0c1a52-1111-2222-9999-123456789012"
ASKED: list[str] = []


class Tricky(Runtime):
    """Whatever asks Sitoo meets an error of some library that says everything."""

    @contextmanager
    def sitoo(self, retry: RetryPolicy | None = None) -> Iterator[SitooClient]:
        ASKED.append(self.account.name)
        logging.getLogger("sitoo_pipeline.sitoo.retry").warning("trying again as %s for %s", PASSWORD, PERSON)
        if PASSWORD:
            raise RuntimeError(f"could not send {PERSON} with {PASSWORD} to {DATABASE}")
        yield self.sitoo(retry)  # type: ignore[misc]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    for module in (run_loggers, tick_loggers):  # put back afterwards
        monkeypatch.setattr(module, "create_console_logger", module.create_console_logger)
    monkeypatch.setattr(logging.getLogger("sitoo_pipeline"), "handlers", [])
    hook = '[accounts.kedjan.alerts]\nwebhook_url_env = "HOOK"\n'
    return Project.make(
        tmp_path, None, start_date=date(2026, 3, 1), users=2, more=f'deliveries_url_env = "LEDGER"\n{hook}',
        environ={"LEDGER": DATABASE, "HOOK": "https://hooks.example.com/services/T0/B0/xyz"},
    )  # fmt: skip


def run_lines(project: Project, form: str, job: str, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """What a run of a job writes to standard error, and its id."""
    settings = project.settings.model_copy(update={"log_format": form})
    use_log_of(settings)

    def tricky(account: Account) -> Runtime:
        return Tricky(account, Runtime.of(account).warehouse)

    ASKED.clear()
    python_logs = {"python_logs": {"managed_python_loggers": ["sitoo_pipeline"]}}
    dates = {"dagster/asset_partition_range_start": "2026-03-20", "dagster/asset_partition_range_end": "2026-03-21"}
    with dg.DagsterInstance.ephemeral(settings=python_logs) as instance:
        found = build_defs(settings, runtime=tricky).resolve_job_def(job)
        tags = dates if job == "kedjan_extract" else {}
        result = found.execute_in_process(instance=instance, raise_on_error=False, tags=tags)
    assert not result.success
    return capsys.readouterr().err, result.run_id


def hidden_in(text: str) -> bool:
    told = (PASSWORD, "s%40fe-word", "s@fe-word", "anna@example.com", "123 45 67", "19800101")
    return not [one for one in told if one in text]


def test_a_run_logs_json_with_its_account_dates_and_run_and_nothing_that_is_secret(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    written, run_id = run_lines(project, "json", "kedjan_extract", capsys)
    lines: list[dict[str, Any]] = [json.loads(line) for line in written.splitlines()]
    assert hidden_in(written)
    assert {(line["account"], line["first_date"], line["last_date"], line["run_id"]) for line in lines} == {
        ("kedjan", "2026-03-20", "2026-03-21", run_id)
    }
    assert lines[0]["message"].startswith("Started execution of run")
    assert lines[-1]["level"] == "error"
    assert all(line["timestamp"].endswith("Z") for line in lines)
    [retry, *_] = [line for line in lines if line["level"] == "warning"]
    assert retry["message"] == "trying again as *** for Anna *** ***, ***"
    assert retry["step"].startswith("kedjan__")
    failed = [line["error"] for line in lines if "error" in line]
    assert failed
    assert all("2026-03-20: RuntimeError" in error["message"] for error in failed)
    assert "could not send" not in written
    # Once: the package's own handler leaves to the run what the run has too.
    assert len([line for line in lines if line["message"] == retry["message"]]) == len(ASKED)


def test_an_error_that_nobody_thought_of_is_its_kind_and_place(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    written, run_id = run_lines(project, "json", "kedjan_reference", capsys)
    assert hidden_in(written)
    assert "could not send" not in written
    [error] = [line["error"] for line in map(json.loads, written.splitlines()) if "error" in line]
    assert error["kind"] == "RuntimeError"
    assert error["message"].endswith(f"RuntimeError; see the log of Dagster run {run_id}")
    assert any("test_logs.py" in place for place in error["stack"])


def test_text_is_dagsters_without_what_is_secret(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    written, run_id = run_lines(project, "text", "kedjan_reference", capsys)
    assert hidden_in(written)
    assert run_id in written
    assert "could not send Anna *** ***, *** with *** to ***" in written


def test_outside_of_a_run_the_package_logs_the_same_lines(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    use_log_of(project.settings.model_copy(update={"log_format": "json"}))
    log = logging.getLogger("sitoo_pipeline.warehouse.migrations")
    try:
        raise ValueError(PERSON)
    except ValueError:
        log.exception("it failed for %s", PASSWORD)
    line = json.loads(capsys.readouterr().err)
    assert (line["message"], line["level"], line["logger"]) == ("it failed for ***", "error", log.name)
    assert line["error"]["kind"] == "builtins.ValueError"
    assert "message" not in line["error"]


def test_what_settings_hold_that_is_secret(project: Project) -> None:
    assert set(secrets_of(project.settings)) == {
        PASSWORD, f"{PASSWORD},{PASSWORD}", DATABASE, "s%40fe-word", "s@fe-word",
        "https://hooks.example.com/services/T0/B0/xyz", "/services/T0/B0/xyz",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"run {RUN} began 2026-03-20 10:00:00", f"run {RUN} began 2026-03-20 10:00:00"),
        ("2026-03-20 2026-03-21 2026-03-22T01:02:03.123456", "2026-03-20 2026-03-21 2026-03-22T01:02:03.123456"),
        ("2026-03-20 10:00:00 +0100 - 12345 - x", "2026-03-20 10:00:00 +0100 - 12345 - x"),
        (
            f"\x1b[32m2026-03-20 10:00:00 +0100\x1b[0m \x1b[31m{RUN}",
            f"\x1b[32m2026-03-20 10:00:00 +0100\x1b[0m \x1b[31m{RUN}",
        ),
        ("2026-03-20 10:00 -0701234567", "2026-03-20 10:00 -***"),
        ("orders.json?orderdatefrom=1764000000&x=1", "orders.json?orderdatefrom=1764000000&x=1"),
        ("born 1980-01-01-1234", "born ***"),
        ("call 0701234567", "call ***"),
        ("call 070 - 123 45 67", "call ***"),
        ("call (070) 123 45 67", "call (***"),
        ("born 190101+1234", "born ***"),
        ("2026-03-20 - 2026-03-21, 12 of 31", "2026-03-20 - 2026-03-21, 12 of 31"),
        ("Authorization: Basic MTUwMC0xOng=", "Authorization: Basic ***"),
        ("first\nsecond", "first\nsecond"),
    ],
)
def test_what_is_hidden_and_what_stays(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_a_long_word_is_looked_through_at_once() -> None:
    began, text = time.process_time(), "x" * 100_000
    assert redact(f"{text} to=anna@example.com,{text}") == f"{text} to=***"
    assert time.process_time() - began < 2
