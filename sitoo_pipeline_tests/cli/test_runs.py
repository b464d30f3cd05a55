"""``run`` and ``backfill``: who is held up by whom, what is said of a failure, and how to stop."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import dagster as dg
import pytest

from sitoo_pipeline.assets import extract
from sitoo_pipeline.sandbox import Chain, Faults, Sandbox
from sitoo_pipeline_tests.cli.project import Project, ago, completed, lines_until, settings_for

CUSTOMER = "Astrid Ek"


def two_accounts(sandbox: Sandbox, *, start: str) -> str:
    """The first account's password is wrong, the second's is right."""
    account = """
[accounts.{name}]
base_url = "{url}"
api_id_env = "SITOO_API_ID"
api_password_env = "{password}"
start_date = {start}
"""
    url = sandbox.sitoo_url
    return account.format(name="first", url=url, start=start, password="WRONG") + account.format(
        name="second", url=url, start=start, password="SITOO_API_PASSWORD"
    )


def test_run_without_a_date_where_nothing_is_loaded_and_another_account_is_refused(
    project: Project, sandbox: Sandbox
) -> None:
    said = settings_for(sandbox, start=ago(1))
    project.write({name: said[name] for name in ("SITOO_API_ID", "SITOO_API_PASSWORD")}, WRONG="wrong-one,wrong-two")
    (project.folder / "sitoo_pipeline.toml").write_text(two_accounts(sandbox, start=str(ago(1))))
    result = project.invoke("run")
    assert result.exit_code == 1
    assert "first: GET /sites.json?num=1: 401 Unauthorized" in result.output
    assert "second: 1 of 1 dates done" in result.output
    assert not (project.folder / "data/first").exists()
    status = project.invoke("status", "--from", str(ago(1)), "--to", str(ago(1)))
    first, _, row, second, *_ = status.output.splitlines()
    assert first == "first: 0 of 1 dates done; 1 missing"
    assert row.split()[:3] == [str(ago(1)), "1", "missing"]
    assert second == "second: 1 of 1 dates done"
    assert status.exit_code == 1


def test_an_account_that_starts_today_has_nothing_to_run_yet(project: Project, sandbox: Sandbox) -> None:
    project.write(settings_for(sandbox, start=ago(0)))
    said = {"run": f"starts on {ago(0)}; no date is over yet", "status": f"no date is over yet; {ago(0)} is open"}
    for verb, text in said.items():
        result = project.invoke(verb)
        assert (result.exit_code, result.output) == (0, f"main: {text}\n")
    assert project.files() == {".env"}


def test_an_unexpected_error_in_a_step_tells_the_run_where_its_story_is(
    project: Project, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise LookupError(CUSTOMER)

    monkeypatch.setattr(extract, "load_dated", broken)
    project.write(settings_for(sandbox, start=ago(1)))
    result = project.invoke("run", "--date", str(ago(1)))
    assert result.exit_code == 1
    [line] = [line for line in result.output.splitlines() if " failed: " in line]
    text, _, run_id = line.rpartition(" ")
    assert text.startswith(f"main: {ago(1)} failed: LookupError in broken (")
    assert text.endswith("see the log of Dagster run")
    assert CUSTOMER not in result.output
    with dg.DagsterInstance.from_config(str(project.folder / "data/dagster_home")) as instance:
        story = "\n".join(
            record.event_log_entry.user_message for record in instance.get_records_for_run(run_id).records
        )
    assert "raise LookupError" in story
    assert CUSTOMER not in story
    assert f"{ago(1)}" in project.invoke("status").output


def test_an_unexpected_error_outside_a_step_names_the_command_that_tells_all(
    project: Project, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise LookupError(CUSTOMER)

    monkeypatch.setattr("sitoo_pipeline.operations.status.survey", broken)
    project.write(settings_for(sandbox, start=ago(1)))
    result = project.invoke("status")
    assert result.exit_code == 1
    assert result.output == "unexpected LookupError; the whole report: sitoo-pipeline --verbose status\n"
    assert isinstance(project.invoke("--verbose", "status").exception, LookupError)


@pytest.fixture
def slow() -> Iterator[Sandbox]:
    with Sandbox(chain=Chain(stores=1, seed=5, opened=ago(5), orders_per_day=10)) as running:
        yield running


def test_ctrl_c_ends_a_backfill_and_what_was_done_stays(project: Project, slow: Sandbox) -> None:
    project.write(settings_for(slow, start=ago(3)))
    assert project.invoke("run", "--date", str(ago(3))).exit_code == 0
    slow.faults = Faults(latency_ms=1000)
    process = project.start("backfill", "--from", str(ago(2)), "--to", str(ago(1)))
    slow.clear_requests()
    lines_until(process, "stores and registers")
    process.send_signal(signal.SIGINT)
    code, out, err = completed(process)
    assert code == 130
    assert err == "Interrupted. What was done stays; run it again for the rest.\n"
    assert "Traceback" not in out
    summary, _, row = project.invoke("status").output.splitlines()
    assert summary == f"main: 1 of 3 dates done; 2 missing; {ago(0)} is open"
    assert row.split()[:5] == [str(ago(2)), "to", str(ago(1)), "2", "missing"]


def test_the_settings_that_the_sandbox_prints_work_and_ctrl_c_stops_it(project: Project) -> None:
    process = project.start("sandbox", "--port", "0", "--stores", "1")
    printed = lines_until(process, "Ctrl-C stops it.")
    (project.folder / ".env").write_text("".join(line for line in printed if "=" in line))
    result = project.invoke("doctor")
    assert result.exit_code == 0, result.output
    assert sum(" answers" in line for line in result.output.splitlines()) == 4
    process.send_signal(signal.SIGINT)
    assert completed(process, seconds=20) == (0, "Stopped.\n", "")
