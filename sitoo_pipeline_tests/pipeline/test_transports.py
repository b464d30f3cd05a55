"""The weekly balance by e-mail and figures by webhook, from a chain of stores to whoever reads them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from sitoo_pipeline.assets.deliveries import Handover, NotDeliveredError
from sitoo_pipeline.assets.targets import sinks_of
from sitoo_pipeline.automation.jobs import stage_name
from sitoo_pipeline.definitions import build_defs
from sitoo_pipeline.operations.backup import make_backup
from sitoo_pipeline.operations.doctor import examine
from sitoo_pipeline.operations.restore import restore_backup
from sitoo_pipeline.sandbox import Chain, Sandbox
from sitoo_pipeline.sinks import Ledger, Record, Settlement, State
from sitoo_pipeline.sinks.ledger_rows import Entry
from sitoo_pipeline.sinks.restored import Restored
from sitoo_pipeline.tables import Table, marts
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.sinks.mail_server import MailServer
from sitoo_pipeline_tests.sinks.webhook_receiver import SECRET, Receiver

TODAY = datetime.now(ZoneInfo("Europe/Stockholm")).date()
OLD, YESTERDAY = TODAY - timedelta(days=9), TODAY - timedelta(days=1)
TARGETS = """
[accounts.kedjan.stores.0102]
opening_hours = "24/7"
[accounts.kedjan.targets.weekly_balance_csv]
one_file_per = "store"
returns = "negative"
opening_hours = "10:00-18:00"
[accounts.kedjan.targets.weekly_balance_mail]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "pipeline@example.com"
recipients = ["import@example.com"]
[accounts.kedjan.targets.webhooks.planning]
url = "{url}"
secret_env = "HOOK"
[accounts.kedjan.targets.webhooks.days]
url = "{url}?only=days"
secret_env = "HOOK"
tables = ["daily_sales"]
"""


@dataclass
class World:
    sandbox: Sandbox
    mailbox: MailServer
    receiver: Receiver
    project: Project

    def deliver(self, day: date) -> None:
        """Run the sinks of a date as the assets that they are."""
        job = build_defs(self.project.settings).resolve_job_def(stage_name("kedjan", "deliver"))
        with dg.DagsterInstance.ephemeral() as instance:
            assert job.execute_in_process(partition_key=day.isoformat(), instance=instance).success

    def states(self, target: str) -> dict[date, dict[State, int]]:
        with Ledger(self.project.account.deliveries_url.get_secret_value()) as ledger:
            return ledger.counts("kedjan", target, [OLD, YESTERDAY, TODAY])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Three dates were run: one of long ago, yesterday, and today, which is not over."""
    with (
        Sandbox(chain=Chain(stores=3, opened=OLD, orders_per_day=30)) as sandbox,
        MailServer() as mailbox,
        Receiver() as receiver,
    ):
        project = Project.make(
            tmp_path_factory.mktemp("transports"),
            sandbox,
            start_date=OLD,
            more=TARGETS.format(port=mailbox.port, url=receiver.url),
            environ={"HOOK": SECRET},
        )
        project.load_plainly([[OLD, YESTERDAY, TODAY]])
        story = World(sandbox, mailbox, receiver, project)
        for day in (OLD, YESTERDAY, TODAY):
            story.deliver(day)
        yield story


def sold(project: Project, day: date) -> dict[str, Decimal]:
    rows = project.query(
        "SELECT store_id, sum(gross_sales) AS gross FROM marts.weekly_balance_hourly WHERE business_date = ? "
        "AND store_id != 'unknown' GROUP BY ALL ORDER BY ALL",
        [day],
    )
    return {row["store_id"]: row["gross"] for row in rows}


def test_samesystem_imports_what_came_by_e_mail(world: World) -> None:
    [taken] = world.mailbox.taken
    assert taken.message["Subject"] == f"Weekly balance {YESTERDAY}"
    figures = sold(world.project, YESTERDAY)
    assert sum(figures.values()) > 0
    imported = {}
    for name, content in taken.files.items():
        store = name.removeprefix(f"{YESTERDAY}_").removesuffix(".csv")
        done = world.sandbox.samesystem.nights.import_file(content)
        assert (done.refusal, done.passed_over) == (None, [])
        [key] = done.taken
        hours = world.sandbox.samesystem.nights.hours[key]
        imported[store] = sum((hour["Gross Sales"] for hour in hours.values()), Decimal(0))
        assert all(hour["Returns"] <= 0 for hour in hours.values())
        assert set(hours) >= set(range(24) if store == "0102" else range(10, 18))
    assert imported == figures


def test_the_folder_has_the_same_files(world: World) -> None:
    folder = world.project.account.exports_folder / "weekly_balance"
    [taken] = world.mailbox.taken
    assert {path.name: path.read_bytes() for path in folder.glob(f"{YESTERDAY}*")} == taken.files


def test_only_the_day_that_is_over_and_recent_was_sent(world: World) -> None:
    assert world.states("weekly_balance_mail") == {YESTERDAY: {State.DELIVERED: 1}}


def told(row: dict[str, Any]) -> dict[str, Any]:
    """A row of a mart as a message has it."""
    return {
        name: f"{value:f}"
        if isinstance(value, Decimal)
        else value.isoformat()
        if isinstance(value, date | datetime)
        else value
        for name, value in row.items()
    }


def by_key(table: Table, rows: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {tuple(row[name] for name in table.key): row for row in rows}


def test_receivers_hold_the_figures_of_the_marts(world: World) -> None:
    for table in (marts.HOURLY_SALES, marts.DAILY_SALES):
        held = [row for (kind, _, _), rows in sorted(world.receiver.rows.items()) if kind == table.name for row in rows]
        expected = [told(row) for row in world.project.rows(table)]
        assert by_key(table, held) == by_key(table, expected)
        assert len(held) == len(expected) > 0
    delivered = world.states("webhook_planning")
    assert set(delivered) >= {OLD, YESTERDAY}
    assert all(set(states) == {State.DELIVERED} for states in delivered.values())
    assert {message["type"] for message in world.receiver.messages} == {"hourly_sales", "daily_sales"}


def test_a_second_run_sends_nothing(world: World) -> None:
    before = len(world.mailbox.taken), len(world.receiver.messages)
    for day in (OLD, YESTERDAY):
        world.deliver(day)
    assert (len(world.mailbox.taken), len(world.receiver.messages)) == before


def test_the_doctor_tries_both_without_sending_anything(world: World) -> None:
    before = len(world.mailbox.taken), len(world.receiver.messages)
    lines = {finding.what: finding.line for finding in examine(world.project.settings)}
    assert lines["kedjan: weekly balance by e-mail"].startswith("ok    kedjan: weekly balance by e-mail: 127.0.0.1:")
    assert lines["kedjan: weekly balance by e-mail"].endswith("answers and asks for no login")
    netloc = world.receiver.url.split("/")[2]
    assert lines["kedjan: webhook days"] == (
        f"ok    kedjan: webhook days: daily_sales go to {netloc}, signed; nothing was sent to try it"
    )
    assert (len(world.mailbox.taken), len(world.receiver.messages)) == before


def test_the_doctor_says_what_is_wrong_with_the_mail_server(world: World, tmp_path: Path) -> None:
    project = Project.make(
        tmp_path,
        world.sandbox,
        start_date=OLD,
        more=TARGETS.format(port=world.mailbox.port, url=world.receiver.url).replace('"none"', '"starttls"'),
        environ={"HOOK": SECRET},
    )
    [wrong] = [finding.line for finding in examine(project.settings) if not finding.is_well]
    assert wrong.startswith("WRONG kedjan: weekly balance by e-mail: the mail server 127.0.0.1:")
    assert wrong.endswith("does not offer STARTTLS: check security, port and user")


def test_a_correction_goes_to_everyone_and_is_all_that_goes(world: World) -> None:
    runtime = world.project.runtime
    with runtime.warehouse.connect() as con:
        for table in ("weekly_balance_hourly", "daily_sales"):
            con.execute(
                f"UPDATE marts.{table} SET gross_sales = gross_sales + 1 WHERE business_date = ? AND store_id = '0101' "
                "AND gross_sales > 0",
                [YESTERDAY],
            )
    [first], messages = world.mailbox.taken, len(world.receiver.messages)
    reports = {}
    for sink in sinks_of(runtime):
        with Handover(runtime, sink) as handover:
            reports[sink.name] = handover.hand_over([YESTERDAY], run_id="again")
    _, second = world.mailbox.taken
    assert second.message["Subject"] == f"Correction: Weekly balance {YESTERDAY}"
    assert [name for name in first.files if first.files[name] != second.files[name]] == [f"{YESTERDAY}_0101.csv"]
    assert {name: report.planned for name, report in reports.items()} == {
        "weekly_balance_sql": 1,
        "weekly_balance_csv": 1,
        "weekly_balance_mail": 1,
        "webhook_planning": 1,
        "webhook_days": 1,
    }
    for message in world.receiver.messages[messages:]:
        assert message["type"] == "daily_sales"
        assert [store["store_id"] for store in message["data"]["stores"]] == ["0101"]


def test_what_went_out_after_the_backup_does_not_go_out_again_after_its_restore(world: World, tmp_path: Path) -> None:
    runtime, account = world.project.runtime, world.project.account
    mails = {sink.name: sink for sink in sinks_of(runtime) if sink.name in ("weekly_balance_mail", "webhook_days")}
    # A ledger of before anything went out is what a backup of that time holds.
    with closing(sqlite3.connect(account.folder / "deliveries.db")) as con, con:
        con.execute("DELETE FROM deliveries WHERE target IN ('weekly_balance_mail', 'webhook_days')")
    make_backup([account], tmp_path / "b.tar")
    restore_backup([account], tmp_path / "b.tar", only=None, force=True)
    mailed, posted = len(world.mailbox.taken), len(world.receiver.messages)

    with Handover(runtime, mails["webhook_days"]) as handover:
        assert handover.hand_over([YESTERDAY], run_id="restored").delivered > 0  # its receiver knows a repeat
    with Handover(runtime, mails["weekly_balance_mail"]) as handover:
        assert "1 would be in doubt and not sent: it may have gone" in " ".join(handover.compare([YESTERDAY]).messages)
    for said in ("1 are in doubt and not sent: it may have gone out between the backup of", "with deliver --settle"):
        with Handover(runtime, mails["weekly_balance_mail"]) as handover, pytest.raises(NotDeliveredError) as failed:
            handover.hand_over([YESTERDAY], run_id="restored")
        assert said in str(failed.value)
    assert (len(world.mailbox.taken), len(world.receiver.messages) > posted) == (mailed, True)
    assert world.states("weekly_balance_mail") == {YESTERDAY: {State.UNKNOWN: 1}}

    with Handover(runtime, mails["weekly_balance_mail"]) as handover:
        verdict = Settlement(State.RETRY, "ann", "it is not in the mailbox")
        assert len(handover.settle([YESTERDAY], verdict, run_id="settled").settled) == 1
        assert handover.hand_over([YESTERDAY], run_id="settled").delivered == 1
    assert len(world.mailbox.taken) == mailed + 1


@pytest.mark.parametrize(
    ("state", "minutes", "value", "in_doubt"),
    [
        (State.DELIVERED, -1, 1, False),
        (State.DELIVERED, -1, 2, True),
        (State.RETRY, -1, 1, True),
        (State.HELD, -1, 1, True),
        (State.REJECTED, -1, 1, False),
        (State.REJECTED, -1, 2, True),
        (State.RETRY, 1, 1, False),
        (State.DELIVERED, 1, 2, False),
    ],
)
def test_what_an_older_ledger_leaves_in_doubt(state: State, minutes: int, value: int, in_doubt: bool) -> None:
    now = datetime.now(UTC)
    known = Record("a", YESTERDAY, {"value": 1})
    at = now + timedelta(minutes=minutes)
    held = known.content_hash if state is State.DELIVERED else None
    entry = Entry("a", YESTERDAY, known.content_hash, held, state, 1, "", "r", at, at, None, None)
    mark = Restored(now, now - timedelta(days=1))
    assert mark.may_have_gone(Record("a", YESTERDAY, {"value": value}), entry) is in_doubt
    assert mark.may_have_gone(known, None)
