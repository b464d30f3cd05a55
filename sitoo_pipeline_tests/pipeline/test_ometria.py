"""What the settings of Ometria make of a loaded week: from which date on, which returns, and who gets a receipt."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sitoo_pipeline.assets.deliveries import Handover
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.sink import Sink
from sitoo_pipeline.assets.targets import sinks_of
from sitoo_pipeline.sandbox import Sandbox
from sitoo_pipeline.settings import OmetriaReceipts
from sitoo_pipeline.sinks import Report
from sitoo_pipeline.warehouse import Warehouse
from sitoo_pipeline_tests.pipeline.conftest import CHAIN, NOW, WEEK, week_project
from sitoo_pipeline_tests.pipeline.project import Project

RECEIPTS: dict[str, Any] = {
    "from_name": "Lindo",
    "from_email": "shop@example.com",
    "subject": "Your receipt",
    "stream": "receipts",
    "template_id": 3,
    "max_age_days": 3660,
}
With = Callable[..., tuple[Runtime, dict[str, Sink]]]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(chain=CHAIN, now=NOW) as running:
        yield running


@pytest.fixture(scope="module")
def project(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The week, as far as the marts."""
    made = week_project(tmp_path_factory.mktemp("ometria"), sandbox)
    made.load_plainly([WEEK])
    return made


@pytest.fixture
def having(project: Project, tmp_path: Path) -> With:
    """The week's account with other settings of Ometria, and a ledger that knows of no delivery yet."""

    def with_settings(**changes: Any) -> tuple[Runtime, dict[str, Sink]]:
        account = project.account
        assert account.targets.ometria
        ometria = account.targets.ometria.model_copy(update=changes)
        targets = account.targets.model_copy(update={"ometria": ometria})
        ledger = type(account.deliveries_url)(f"sqlite:///{tmp_path}/deliveries.db")
        runtime = Runtime.of(account.model_copy(update={"targets": targets, "deliveries_url": ledger}))
        return runtime, {sink.name: sink for sink in sinks_of(runtime)}

    return with_settings


def planned(runtime: Runtime, sink: Sink) -> Report:
    """What would be sent of the week."""
    with Handover(runtime, sink) as handover:
        return handover.compare(WEEK)


def test_orders_of_before_the_start_date_stay_out_and_are_not_missed(having: With) -> None:
    runtime, sinks = having(start_date=WEEK[4])
    report = planned(runtime, sinks["ometria"])
    assert {change.partition for change in report.changes} == set(WEEK[4:])
    for day, is_expected in ((WEEK[3], False), (WEEK[4], True)):
        assert sinks["ometria"].expects_records(day, has_sales=True) is is_expected


def test_returns_of_unknown_purchases_go_out_as_orders_only_when_set(having: With) -> None:
    runtime, sinks = having()
    usual = planned(runtime, sinks["ometria"])
    [held] = [message for message in usual.messages if message.startswith("returns held out")]
    number = int(held.split(": ")[1].split()[0])
    runtime, sinks = having(unlinked_returns="negative_order")
    more = planned(runtime, sinks["ometria"])
    assert len(more.changes) == len(usual.changes) + number
    assert not any(message.startswith("returns held out") for message in more.messages)


@pytest.mark.parametrize("receipts", [None, OmetriaReceipts(enabled=False, **RECEIPTS)])
def test_receipts_are_off_unless_switched_on(having: With, receipts: OmetriaReceipts | None) -> None:
    assert "ometria_receipt" not in having(receipts=receipts)[1]


def test_each_customer_of_a_till_gets_one_receipt(having: With, sandbox: Sandbox) -> None:
    runtime, sinks = having(receipts=OmetriaReceipts(**RECEIPTS))
    outbox = sandbox.ometria.outbox
    sink = sinks["ometria_receipt"]
    with Handover(runtime, sink) as handover:
        assert handover.hand_over(WEEK, run_id="test").failed is False
    counting = runtime.warehouse.query(  # the read copy has no addresses
        "SELECT order_id FROM core.orders WHERE counts AND channel = 'pos' AND contains(email, '@') ORDER BY 1"
    ).to_dicts()
    assert outbox.sent == []  # sandbox mode first
    assert [int(mail["data"]["order_id"]) for mail in outbox.tried] == [row["order_id"] for row in counting]
    assert counting
    assert planned(runtime, sink).planned == 0


def test_an_order_that_is_gone_stays_at_ometria_and_is_named(having: With, tmp_path: Path) -> None:
    runtime, sinks = having(errors_wait=0)
    with Handover(runtime, sinks["ometria"]) as handover:
        handover.hand_over(WEEK[:1], run_id="test")
        assert not any("any more" in message for message in handover.compare(WEEK[:1]).messages)
    copy = tmp_path / "gone.duckdb"
    shutil.copy(runtime.account.warehouse_path, copy)
    without = Runtime(runtime.account, Warehouse(copy))
    with without.warehouse.connect() as con:
        [[number]] = con.execute(
            f"DELETE FROM core.orders WHERE order_id = (SELECT min(order_id) FROM core.orders WHERE counts "
            f"AND business_date = '{WEEK[0]}' AND money_total_gross_all > 0) RETURNING order_id"
        ).fetchall()
        # Another order is of another date now: that is no reason to name it.
        con.execute(
            f"UPDATE core.orders SET business_date = '{WEEK[1]}' WHERE order_id = (SELECT max(order_id) "
            f"FROM core.orders WHERE counts AND business_date = '{WEEK[0]}')"
        )
    [sink] = [sink for sink in sinks_of(without) if sink.name == "ometria"]
    with Handover(without, sink) as handover:
        report = handover.hand_over(WEEK[:1], run_id="test")
    [said] = [message for message in report.messages if "any more" in message]
    assert said.startswith(f"1 orders were handed over and are not in the warehouse any more ({number})")
    assert not any(change.key.startswith("order:") for change in report.changes)


def test_loading_the_past_sends_no_receipt(having: With) -> None:
    runtime, sinks = having(receipts=OmetriaReceipts(**RECEIPTS | {"max_age_days": 1}))
    assert planned(runtime, sinks["ometria_receipt"]).changes == ()
    assert sinks["ometria_receipt"].expects_records(date(2026, 10, 20), has_sales=True) is False
