"""What ``compose.yaml`` starts is what the package and Dagster offer, with nobody's rights and no secret in a file."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from dagster._cli import create_dagster_cli
from dagster._daemon.cli import create_dagster_daemon_cli
from dagster_webserver.cli import dagster_webserver

from sitoo_pipeline.operations.home import DAGSTER_YAML, WORKSPACE_YAML
from sitoo_pipeline.settings.load import LOG_FORMAT_VARIABLE

ROOT = Path(__file__).parents[2]
PROGRAMS: dict[str, click.Command] = {
    "dagster": create_dagster_cli(),  # type: ignore[no-untyped-call]
    "dagster-daemon": create_dagster_daemon_cli(),
    "dagster-webserver": dagster_webserver,
}
SERVERS = ("code", "daemon", "web", "web-read-only")


def loaded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    return found


COMPOSE = loaded("compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def parsed(command: list[str]) -> dict[str, Any]:
    """The options of a command, as its program reads them; it is not started."""
    here = str(ROOT / "deploy/workspace.yaml")
    at, words = PROGRAMS[command[0]], [word.replace("/srv/sitoo_pipeline/workspace.yaml", here) for word in command[1:]]
    while isinstance(at, click.Group):
        at, words = at.commands[words[0]], words[1:]
    return at.make_context(command[0], words).params


def test_every_command_and_health_check_is_one_that_its_program_knows() -> None:
    code = parsed(SERVICES["code"]["command"])
    importlib.import_module(code["module_name"][0] if isinstance(code["module_name"], tuple) else code["module_name"])
    assert parsed(SERVICES["code"]["healthcheck"]["test"][1:])["port"] == code["port"]
    web, analysts = parsed(SERVICES["web"]["command"]), parsed(SERVICES["web-read-only"]["command"])
    assert (web["read_only"], analysts["read_only"]) == (False, True)
    assert {**web, "read_only": True} == analysts
    parsed(SERVICES["daemon"]["command"])
    parsed(SERVICES["daemon"]["healthcheck"]["test"][1:])
    for name in ("web", "web-read-only"):
        assert f"http://127.0.0.1:{web['port']}/server_info" in SERVICES[name]["healthcheck"]["test"][-1]
        assert all(
            port.startswith("127.0.0.1:") and port.endswith(f":{web['port']}") for port in SERVICES[name]["ports"]
        )


def test_the_workspace_leads_to_the_server_of_the_code() -> None:
    [server] = [each["grpc_server"] for each in loaded("deploy/workspace.yaml")["load_from"]]
    assert server["host"] in SERVICES
    assert server["port"] == parsed(SERVICES["code"]["command"])["port"]
    names = {
        next(iter(yaml.safe_load(text)["load_from"][0].values()))["location_name"]
        for text in (WORKSPACE_YAML, (ROOT / "workspace.yaml").read_text())
    }
    assert names == {server["location_name"]}
    for name in ("daemon", "web", "web-read-only"):
        assert "/srv/sitoo_pipeline/workspace.yaml" in SERVICES[name]["command"]
    assert "deploy/workspace.yaml /srv/sitoo_pipeline/" in DOCKERFILE


def test_dagsters_settings_differ_in_where_things_are_kept_alone() -> None:
    here, there = loaded("deploy/dagster.yaml"), yaml.safe_load(DAGSTER_YAML)
    place = {"storage", "local_artifact_storage", "compute_logs"}
    assert {name: value for name, value in here.items() if name not in place} == there
    assert {name: value for name, value in loaded("dagster.yaml").items() if name not in place} == there


def variables(part: object) -> set[str]:
    """The variables that Dagster's settings take from the environment."""
    if isinstance(part, dict):
        return {part["env"]} if set(part) == {"env"} else {name for each in part.values() for name in variables(each)}
    return set()


@pytest.mark.parametrize("name", SERVERS)
def test_each_server_has_the_environment_that_it_reads(name: str) -> None:
    said = SERVICES[name]["environment"]
    assert variables(loaded("deploy/dagster.yaml")) <= set(said)
    mounts = dict(each.split(":")[:2] for each in SERVICES[name]["volumes"])
    assert mounts["./deploy/dagster.yaml"] == f"{said['DAGSTER_HOME']}/dagster.yaml"
    assert mounts["logs"] == said["DAGSTER_LOGS"]
    written = {*(each.split(":")[0] for each in SERVICES[name]["tmpfs"]), *mounts.values()}
    assert said["DAGSTER_HOME"] in written
    assert SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD"] == said["DAGSTER_POSTGRES_PASSWORD"]
    assert said["DAGSTER_POSTGRES_HOST"] in SERVICES


def test_the_settings_and_their_secrets_are_where_the_code_is_and_nowhere_else() -> None:
    with_settings = {name for name, each in SERVICES.items() if "sitoo_pipeline.toml" in str(each.get("volumes"))}
    assert with_settings == {name for name, each in SERVICES.items() if "env_file" in each} == {"code"}
    assert {name for name, each in SERVICES.items() if "data:/data" in each["volumes"]} == {"code"}
    assert SERVICES["code"]["environment"][LOG_FORMAT_VARIABLE] == "json"
    for each in SERVICES.values():
        for variable, value in each["environment"].items():
            if re.search("PASSWORD|SECRET|KEY|TOKEN", variable):
                assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", value)


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_runs_with_rights_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] not in ("root", "0", "0:0")
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert not service["image"].endswith(":latest")
    assert {each.split(":")[0] for each in service["volumes"] if not each.startswith(".")} <= set(COMPOSE["volumes"])
    assert set(service["networks"]) <= set(COMPOSE["networks"])


def test_the_image_has_what_is_copied_and_goes_with_the_lock() -> None:
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, flags=re.MULTILINE):
        assert all((ROOT / source).exists() for source in sources.split()), sources
    assert DOCKERFILE.count("--require-hashes") == 2
    assert f"USER {SERVICES['code']['user']}" in DOCKERFILE
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    assert allowed[0] == "*"
    lock, server = ((ROOT / name).read_text() for name in ("requirements.lock", "deploy/requirements.lock"))
    [(major, minor, patch)] = re.findall(r"^dagster==(\d+)\.(\d+)\.(\d+)", lock, flags=re.MULTILINE)
    assert f"dagster-postgres=={int(major) - 1}.{int(minor) + 16}.{patch}" in server  # they appear together
