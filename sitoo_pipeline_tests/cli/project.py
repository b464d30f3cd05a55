"""A user's folder with settings in it, and the command run there: in this process for texts and codes, or for real."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from typer.testing import CliRunner, Result

from sitoo_pipeline.cli import app
from sitoo_pipeline.sandbox import Sandbox

TIMEZONE = "Europe/Stockholm"
TODAY = datetime.now(ZoneInfo(TIMEZONE)).date()
PROGRAM = str(Path(sys.executable).with_name("sitoo-pipeline"))
_OWN = ("SITOO_", "DAGSTER_", "OMETRIA_", "SAMESYSTEM_", "WEEKLY_", "DELIVERIES_")


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


DATES = (ago(2), ago(1))
"""What the demo of these tests loads."""


def settings_for(sandbox: Sandbox, *, start: date) -> dict[str, str]:
    return {
        "SITOO_ACCOUNT": "main",
        "SITOO_BASE_URL": sandbox.sitoo_url,
        "SITOO_API_ID": ",".join(user for user, _ in sandbox.api_users),
        "SITOO_API_PASSWORD": ",".join(password for _, password in sandbox.api_users),
        "SITOO_TIMEZONE": TIMEZONE,
        "SITOO_START_DATE": start.isoformat(),
        "OMETRIA_BASE_URL": sandbox.ometria_url,
        "OMETRIA_API_KEY": sandbox.ometria_key,
    }


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without any of our settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OWN)} | more


@dataclass
class Project:
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    environ: dict[str, str] = field(default_factory=dict)

    def write(self, variables: Mapping[str, str], **changes: str) -> None:
        lines = [f"{name}={value}" for name, value in {**variables, **changes}.items()]
        (self.folder / ".env").write_text("\n".join(lines) + "\n")

    def invoke(self, *arguments: str) -> Result:
        """The command in this process."""
        with self.monkeypatch.context() as patched, chdir(self.folder):
            for name in os.environ:
                if name.startswith(_OWN):
                    patched.delenv(name)
            patched.setenv("DAGSTER_HOME", "")  # so that what the command sets is undone
            patched.setattr(sys, "argv", ["sitoo-pipeline", *arguments])
            return CliRunner().invoke(app, list(arguments))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The real command, its output in a pipe."""
        return subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=self.folder,
            env=clean_environment(**self.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def files(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*")}


def completed(process: subprocess.Popen[str], *, seconds: float = 60) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err


def lines_until(process: subprocess.Popen[str], wanted: str) -> list[str]:
    assert process.stdout
    found = []
    for line in process.stdout:
        found.append(line)
        if wanted in line:
            return found
    raise AssertionError(f"{wanted!r} never came: {found}")


def processes_of_session(leader: int) -> Sequence[int]:
    """The processes that belong to the session of ``leader``."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(int(entry.parent.name))
    return found


def stop(process: subprocess.Popen[str], number: signal.Signals, *, seconds: float = 30) -> int:
    process.send_signal(number)
    return process.wait(timeout=seconds)


def patiently(check: object, *, seconds: float = 30) -> None:
    """Wait until ``check()`` is true."""
    assert callable(check)
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.1)


@dataclass(frozen=True)
class Shown:
    """What one demo left behind and said."""

    folder: Path
    code: int
    out: str
    err: str

    @property
    def account(self) -> Path:
        return self.folder / "data" / "demo"


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).is_success
    except httpx.TransportError:
        return False


def graphql(client: httpx.Client, port: int, query: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.post(f"http://127.0.0.1:{port}/graphql", json={"query": query}).json()
    found: dict[str, Any] = answer["data"]
    return found
