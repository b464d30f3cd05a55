"""Deliveries that are settled and old go out of the ledger itself, and the rest stays."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from sitoo_pipeline.assets.retention import forget
from sitoo_pipeline.sinks import Ledger
from sitoo_pipeline.sinks.contract import Outcome, Record, State
from sitoo_pipeline_tests.pipeline.project import Project

NOW = datetime(2026, 3, 22, 6, tzinfo=UTC)
STATES = {"a": State.DELIVERED, "b": State.REJECTED, "c": State.HELD, "d": State.RETRY, "e": State.UNKNOWN}


def test_only_settled_deliveries_of_old_dates_are_forgotten(tmp_path: Path) -> None:
    more = "[accounts.kedjan.targets.weekly_balance_csv]\nenabled = false\n"
    project = Project.make(tmp_path, None, start_date=date(2026, 1, 1), more=more)
    account = project.account.model_copy(update={"deliveries_retention_days": 30})
    runtime = type(project.runtime).of(account)
    assert forget(runtime, NOW) == {}  # and no folder is made for it
    assert not account.folder.exists()
    with Ledger(account.deliveries_url.get_secret_value()) as ledger:
        for day in (date(2026, 2, 19), date(2026, 2, 20)):
            records = [Record(key=f"{key}-{day}", partition=day, payload={"n": 1}) for key in STATES]
            begun = ledger.begin("kedjan", "t", records, run_id="run")
            results = [(record, Outcome(record.key, STATES[record.key[0]])) for record in records]
            ledger.finish("kedjan", "t", results, attempts=begun, run_id="run")
    assert forget(runtime, NOW)["deliveries"] == 3
    with Ledger(account.deliveries_url.get_secret_value()) as ledger:
        assert ledger.keys("kedjan", "t", [date(2026, 2, 19)]) == {"d-2026-02-19", "e-2026-02-19"}
        assert len(ledger.keys("kedjan", "t", [date(2026, 2, 20)])) == 5
        assert {letter.key for letter in ledger.dead_letters("kedjan", "t")} == {"b-2026-02-20"}
    assert forget(runtime, NOW)["deliveries"] == 0
