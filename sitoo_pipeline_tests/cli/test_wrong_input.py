"""Wrong settings and arguments end with 2, a Sitoo that does not serve us with 1: a clear line, and nothing written."""

from __future__ import annotations

import socket

import pytest

from sitoo_pipeline.sandbox import Faults, Sandbox
from sitoo_pipeline_tests.cli.project import TODAY, Project, ago, settings_for

VERBS_WITH_SETTINGS = (("run",), ("backfill", "--from", "2026-01-01", "--to", "2026-01-02"), ("status",), ("doctor",))


@pytest.mark.parametrize("arguments", VERBS_WITH_SETTINGS, ids=lambda arguments: arguments[0])
def test_without_settings(project: Project, arguments: tuple[str, ...]) -> None:
    result = project.invoke(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("there are no settings yet; either write sitoo_pipeline.toml")
    assert project.files() == set()


@pytest.mark.parametrize("verb", [*VERBS_WITH_SETTINGS, ("ui",)], ids=lambda arguments: arguments[0])
def test_every_wrong_setting_is_a_line(project: Project, sandbox: Sandbox, verb: tuple[str, ...]) -> None:
    project.write(settings_for(sandbox, start=ago(3)), SITOO_TIMEZONE="Europe/Stokholm", SITOO_START_DATE="soon")
    result = project.invoke(*verb)
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "SITOO_TIMEZONE: 'Europe/Stokholm' is no known time zone; did you mean Europe/Stockholm?",
        "SITOO_START_DATE: 'soon' is no date; write it as 2024-01-31",
    ]
    assert project.files() == {".env"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--date", "2026-13-01"), "'2026-13-01' is not a date; write it as 2026-03-31"),
        (("run", "--date", "20260301"), "'20260301' is not a date; write it as 2026-03-31"),
        (("run", "--date", f"{ago(-1)}"), f"--date {ago(-1)} is in the future: for main it is {TODAY}"),
        (("run", "--date", f"{ago(9)}"), f"--date {ago(9)} is before {ago(3)}, on which main starts"),
        (("backfill", "--from", f"{ago(1)}", "--to", f"{ago(2)}"), f"--to {ago(2)} is before --from {ago(1)}"),
        (("backfill", "--from", f"{ago(9)}", "--to", f"{ago(2)}"), f"--from {ago(9)} is before {ago(3)}"),
        (("backfill", "--from", f"{ago(2)}", "--to", f"{ago(-1)}"), f"--to {ago(-1)} is in the future"),
        (("backfill", "--from", f"{ago(2)}"), "Missing option '--to'"),
        (
            ("backfill", "--from", f"{ago(2)}", "--to", f"{ago(2)}", "--account", "other"),
            "--account other: there is no such account; the settings have: main",
        ),
        (
            ("backfill", "--from", f"{ago(2)}", "--to", f"{ago(2)}", "--keep-approved"),
            "--keep-approved are for SameSystem, and nothing would be handed to it",
        ),
        (("status", "--from", f"{ago(9)}"), f"--from {ago(9)} is before {ago(3)}"),
        (("status", "--to", f"{ago(-3)}"), f"--to {ago(-3)} is in the future"),
        (("demo", "--days", "0"), "'--days'"),
        (("sandbox", "--port", "70000"), "'--port'"),
        (("replay",), "No such command 'replay'"),
    ],
)
def test_wrong_arguments(project: Project, sandbox: Sandbox, arguments: tuple[str, ...], said: str) -> None:
    project.write(settings_for(sandbox, start=ago(3)))
    result = project.invoke(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert project.files() == {".env"}


def a_port_where_nobody_listens() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("arguments", [("run",), ("run", "--date", f"{ago(1)}")], ids=["run", "run --date"])
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"SITOO_API_PASSWORD": "not-the-password,nor-this"},
            "401 Unauthorized, 'Authorization failed' to API user 1500-",
        ),
        ({"SITOO_BASE_URL": "http://127.0.0.1:{sandbox}/v2/accounts/1501"}, "404 Not Found"),
        ({"SITOO_BASE_URL": "http://127.0.0.1:{nobody}/v2/accounts/1500"}, "Connection refused"),
    ],
    ids=["password", "account", "refused"],
)
def test_sitoo_that_does_not_serve_us(
    project: Project, sandbox: Sandbox, arguments: tuple[str, ...], changes: dict[str, str], said: str
) -> None:
    ports = {"sandbox": sandbox.port, "nobody": a_port_where_nobody_listens()}
    changes = {name: value.format(**ports) for name, value in changes.items()}
    project.write(settings_for(sandbox, start=ago(3)), **changes)
    result = project.invoke(*arguments)
    [line] = result.output.splitlines()
    assert result.exit_code == 1
    assert line.startswith("main: ")
    assert said in line
    assert "Look at the setting" in line
    assert "not-the-password" not in line
    assert project.files() == {".env"}


def test_a_page_in_sitoos_place(project: Project) -> None:
    with Sandbox(faults=Faults(rate=1.0, kinds=("html",))) as spoilt:
        project.write(settings_for(spoilt, start=ago(3)))
        result = project.invoke("run", "--date", f"{ago(1)}")
    [line] = result.output.splitlines()
    assert result.exit_code == 1
    assert "200 with" in line
    assert "look at the setting base_url" in line
    assert project.files() == {".env"}


def test_doctor_names_each_api_user_that_is_refused(project: Project, sandbox: Sandbox) -> None:
    right = sandbox.api_users[0][1]
    project.write(
        settings_for(sandbox, start=ago(3)), SITOO_API_PASSWORD=f"{right},wrong-password", OMETRIA_API_KEY="wrong-key"
    )
    result = project.invoke("doctor")
    assert result.exit_code == 1
    wrong = [line for line in result.output.splitlines() if not line.startswith("ok ")]
    assert [line.split(":")[1].strip() for line in wrong] == ["API user 1500-2", "Ometria"]
    assert "api_password" in wrong[0]
    assert "OMETRIA_API_KEY" in wrong[1]
    assert "wrong-password" not in result.output
    assert "wrong-key" not in result.output
    assert project.files() == {".env"}


@pytest.mark.parametrize("verb", ["ui", "sandbox"])
def test_a_port_that_is_taken(project: Project, sandbox: Sandbox, verb: str) -> None:
    project.write(settings_for(sandbox, start=ago(3)))
    result = project.invoke(verb, "--port", str(sandbox.port))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"--port {sandbox.port}: nothing can listen there")
    assert project.files() == {".env"}
