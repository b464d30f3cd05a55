"""A night as it really runs: Dagster's daemon, a run that fails, people who are told, and a log for programs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from sitoo_pipeline.operations.home import dagster_home
from sitoo_pipeline_tests.assets.listener import Listener
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.sinks.mail_server import MailServer


@contextmanager
def daemon(project: Project, workspace: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", "dagster._daemon", "run", "-w", str(workspace), "--log-format", "json"],
            cwd=project.folder, env=project.environment(), stdout=output, stderr=output,
        )  # fmt: skip
        try:
            yield running
        finally:
            running.terminate()
            running.wait(timeout=60)


def test_a_run_of_the_daemon_that_fails_is_told_of_at_its_next_look(tmp_path: Path) -> None:
    with Listener() as hook, MailServer() as mail:
        more = (
            "[accounts.kedjan.alerts]\nwebhook_url_env = 'HOOK'\n[accounts.kedjan.alerts.mail]\nhost = '127.0.0.1'\n"
            f"port = {mail.port}\nsecurity = 'none'\nsender = 'pipeline@example.com'\n"
            "recipients = ['operator@example.com']\n"
        )
        environ = {"HOOK": hook.url, "SITOO_PIPELINE_LOG_FORMAT": "json"}
        project = Project.make(tmp_path, None, start_date=date(2026, 3, 1), users=1, more=more, environ=environ)
        with project.home():
            workspace = dagster_home(project.settings.data_dir) / "workspace.yaml"
        log = tmp_path / "daemon.log"
        # It waits in the queue for the daemon.
        launch = [sys.executable, "-m", "dagster", "job", "launch", "-w", str(workspace), "-j", "kedjan_reference"]
        subprocess.run(launch, cwd=tmp_path, env=project.environment(), check=True, capture_output=True)
        with daemon(project, workspace, log):
            end = time.monotonic() + 150  # a guard: the sensor looks each half minute
            while not mail.taken and time.monotonic() < end:
                time.sleep(0.2)
        [posted], [mailed] = hook.taken, mail.taken
    assert posted["subject"] == mailed.message["Subject"] == "kedjan: kedjan_reference failed"
    assert any("127.0.0.1:9" in reason for reason in posted["reasons"])
    written = log.read_text()
    assert "a-password-of-the-tests" not in written
    assert "the-secret-of-the-path" not in written
    lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    of_the_run = [line for line in lines if line.get("run_id") == posted["run_id"]]
    assert {line["account"] for line in of_the_run} == {"kedjan"}
    assert [line["message"] for line in of_the_run][-1].startswith('Execution of run for "kedjan_reference" failed')
    # What is no JSON comes from Dagster's own server of the code, which knows no format but its own.
    assert not [line for line in written.splitlines() if not line.startswith("{") and "dagster.code_server" not in line]
