"""A run that fails is told of at once, by real HTTP and SMTP, once for the same reasons. It costs the run nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from sitoo_pipeline.assets.digest import failure, tell
from sitoo_pipeline.assets.told import Told
from sitoo_pipeline.definitions import build_defs
from sitoo_pipeline_tests.assets.listener import Listener
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.sinks.mail_server import PASSWORD, USER, MailServer

NOW = datetime(2026, 3, 22, 6, tzinfo=UTC)
CANARY = "a-password-of-the-tests"


@dataclass
class World:
    project: Project
    instance: dg.DagsterInstance
    hook: Listener
    mail: MailServer

    def defs(self) -> dg.Definitions:
        return build_defs(self.project.settings)

    def fail(self, *days: str, job: str = "kedjan_extract") -> dg.ExecuteInProcessResult:
        """A run of a job while nothing listens where Sitoo should be."""
        tags = {"dagster/asset_partition_range_start": days[0], "dagster/asset_partition_range_end": days[-1]}
        result = self.defs().resolve_job_def(job).execute_in_process(
            instance=self.instance, raise_on_error=False, tags=tags if len(days) > 1 else {},
            partition_key=days[0] if len(days) == 1 else None,
        )  # fmt: skip
        assert not result.success
        return result

    def sensed(self, result: dg.ExecuteInProcessResult) -> object:
        """What the sensor makes of a run, as the daemon calls it."""
        [event] = [event for event in result.all_events if event.event_type == dg.DagsterEventType.RUN_FAILURE]
        context = dg.build_run_status_sensor_context(
            "kedjan_alerts", dagster_event=event, dagster_instance=self.instance, dagster_run=result.dagster_run
        ).for_run_failure()
        [sensor] = [one for one in self.defs().sensors or [] if one.name == "kedjan_alerts"]
        called: Any = sensor
        return called(context)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Listener() as hook, MailServer() as mail, dg.DagsterInstance.ephemeral() as instance:
        more = (
            "[accounts.kedjan.alerts]\nwebhook_url_env = 'HOOK'\n[accounts.kedjan.alerts.mail]\nhost = '127.0.0.1'\n"
            f"port = {mail.port}\nsecurity = 'none'\nsender = 'pipeline@example.com'\n"
            "recipients = ['operator@example.com', 'second@example.com']\n"
        )
        project = Project.make(
            tmp_path, None, start_date=date(2026, 3, 1), users=1, more=more, environ={"HOOK": hook.url}
        )
        yield World(project, instance, hook, mail)


def test_a_failed_run_is_told_of_by_webhook_and_mail(world: World) -> None:
    result = world.fail("2026-03-20", "2026-03-21")
    world.sensed(result)
    [posted] = world.hook.taken
    assert posted["subject"] == "kedjan: kedjan_extract failed for 2026-03-20 to 2026-03-21"
    assert (posted["account"], posted["kind"], posted["dates"]) == ("kedjan", "failure", ["2026-03-20", "2026-03-21"])
    assert any("127.0.0.1:9" in reason for reason in posted["reasons"])
    assert "sitoo-pipeline backfill --account kedjan --from 2026-03-20 --to 2026-03-21" in posted["text"]
    assert result.run_id in posted["text"]
    [mailed] = world.mail.taken
    assert mailed.recipients == ["operator@example.com", "second@example.com"]
    assert mailed.message["Subject"] == posted["subject"]
    body = mailed.message.get_body()
    assert body
    assert posted["reasons"][0] in body.get_content().replace("\n", " ")
    for told in (str(posted), mailed.content.decode()):
        assert CANARY not in told
        assert "the-secret-of-the-path" not in told


def test_the_same_reasons_are_not_told_again_until_the_time_is_over(world: World) -> None:
    world.sensed(world.fail("2026-03-20"))
    again = world.sensed(world.fail("2026-03-21"))
    assert isinstance(again, dg.SkipReason)
    assert (len(world.hook.taken), len(world.mail.taken)) == (1, 1)
    told = Told(world.project.account.folder / "alerts.json", timedelta(hours=24))
    reasons = world.hook.taken[0]["reasons"]
    assert not told.is_new(reasons, datetime.now(UTC))
    assert told.is_new(reasons, datetime.now(UTC) + timedelta(hours=25))
    assert told.is_new(["something else"], datetime.now(UTC))


def test_what_was_told_to_nobody_is_told_the_next_time(world: World) -> None:
    world.hook.answers.extend([404, 200])
    world.sensed(world.fail("2026-03-20"))
    assert world.hook.taken == []
    world.sensed(world.fail("2026-03-20"))
    assert len(world.hook.taken) == 1


def test_runs_of_another_account_are_not_told_of(world: World) -> None:
    result = world.fail("2026-03-20")
    other = result.dagster_run.with_tags({"account": "other"})
    run = dg.DagsterRun(job_name="other_extract", run_id=other.run_id, tags=other.tags)
    [event] = [event for event in result.all_events if event.event_type == dg.DagsterEventType.RUN_FAILURE]
    context = dg.build_run_status_sensor_context(
        "kedjan_alerts", dagster_event=event, dagster_instance=world.instance, dagster_run=run
    ).for_run_failure()
    [sensor] = [one for one in world.defs().sensors or [] if one.name == "kedjan_alerts"]
    called: Any = sensor
    assert isinstance(called(context), dg.SkipReason)
    assert world.hook.taken == []


def test_a_receiver_that_is_busy_is_asked_again_and_one_that_refuses_is_not(world: World) -> None:
    notice = failure("kedjan", dates=[date(2026, 3, 20)], reasons=["why"], job="kedjan_daily", run_id="r")
    world.hook.answers.extend([503, 429])
    assert tell(world.project.runtime, notice) == []
    assert (len(world.hook.taken), world.hook.asked) == (1, 3)
    world.hook.answers.append(403)
    [problem] = tell(world.project.runtime, notice)
    assert "answers 403: check webhook_url_env" in problem
    assert "the-secret-of-the-path" not in problem
    assert world.hook.asked == 4
    assert len(world.mail.taken) == 2  # the other way is tried all the same


def test_targets_that_do_not_answer_are_told_of_in_words(world: World) -> None:
    world.hook.__exit__(None, None, None)
    world.mail.answers["RCPT"].append("550 no such user")
    notice = failure("kedjan", dates=[], reasons=["why"], job="kedjan_publish", run_id="r")
    [posted, mailed] = tell(world.project.runtime, notice)
    assert "cannot be reached (ConnectError)" in posted
    assert mailed.startswith("550")


def test_the_digest_job_ends_well_even_where_nobody_can_be_told(world: World) -> None:
    world.hook.answers.append(404)
    job = world.defs().resolve_job_def("kedjan_digest")
    assert job.execute_in_process(instance=world.instance).success
    [mailed] = world.mail.taken
    assert "kedjan: " in mailed.message["Subject"]
    assert "is missing" in mailed.message["Subject"]


def test_nobody_is_told_where_the_settings_name_nobody(tmp_path: Path) -> None:
    project = Project.make(tmp_path, None, start_date=date(2026, 3, 1))
    defs = build_defs(project.settings)
    names = {one.name for one in [*(defs.sensors or []), *(defs.schedules or []), *(defs.jobs or [])]}
    assert not {name for name in names if "alerts" in name or "digest" in name}


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_server_that_asks_for_a_login_gets_it(tmp_path: Path) -> None:
    with MailServer(asks_for_login=True) as server:
        more = (
            f"[accounts.kedjan.alerts.mail]\nhost = '127.0.0.1'\nport = {server.port}\nsecurity = 'none'\n"
            f"user = '{USER}'\npassword_env = 'MAIL'\nsender = 'a@example.com'\nrecipients = ['b@example.com']\n"
        )
        project = Project.make(tmp_path, None, start_date=date(2026, 3, 1), more=more, environ={"MAIL": PASSWORD})
        notice = failure("kedjan", dates=[], reasons=["why"], job="kedjan_publish", run_id="r")
        assert tell(project.runtime, notice) == []
    assert len(server.taken) == 1
