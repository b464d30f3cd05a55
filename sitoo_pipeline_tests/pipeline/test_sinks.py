"""Sink assets: what they show of each date, what their configuration does, and what a failure leaves to see."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest
import stamina

from sitoo_pipeline.assets.account import account_assets
from sitoo_pipeline.assets.deliveries import Handover
from sitoo_pipeline.assets.targets import sinks_of
from sitoo_pipeline.sandbox import Chain, Sandbox
from sitoo_pipeline.sinks import Ledger, Outcome, Record, Settlement, State
from sitoo_pipeline_tests.pipeline.project import Project, days
from sitoo_pipeline_tests.sinks.ometria_server import KEY, OmetriaServer

CHAIN = Chain(stores=1, seed=4, opened=days("2026-10-01", "2026-10-01")[0], orders_per_day=12)
NOW = datetime(2026, 10, 20, 12, tzinfo=UTC)
DATES = days("2026-10-06", "2026-10-07")
STATES = ("delivered", "unchanged", "rejected", "unknown", "retry", "held")
OMETRIA = "kedjan__sinks__ometria"


@pytest.fixture(scope="module")
def server() -> Iterator[OmetriaServer]:
    with OmetriaServer() as running:
        yield running


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, server: OmetriaServer) -> Project:
    more = f'[accounts.kedjan.targets.ometria]\napi_key_env = "OMETRIA_KEY"\nbase_url = "{server.base_url}"\n'
    with Sandbox(chain=CHAIN, now=NOW) as sandbox:
        made = Project.make(
            tmp_path_factory.mktemp("sinks"), sandbox, start_date=DATES[0], more=more, environ={"OMETRIA_KEY": KEY}
        )
        made.load_plainly([DATES])
    return made


@pytest.fixture(autouse=True)
def fresh(project: Project, server: OmetriaServer) -> Iterator[None]:
    """Nothing was delivered yet; each request is tried once."""
    server.reset()
    (project.account.folder / "deliveries.db").unlink(missing_ok=True)
    with stamina.set_testing(True, attempts=1):
        yield


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def materialize(project: Project, instance: dg.DagsterInstance, **config: Any) -> dg.ExecuteInProcessResult:
    """Both dates in one run, as the UI does it."""
    account = account_assets(project.runtime)
    sinks = [a for a in account.assets if isinstance(a, dg.AssetsDefinition) and a.node_def.name == OMETRIA]
    return dg.materialize(
        sinks,
        instance=instance,
        tags={"dagster/asset_partition_range_start": str(DATES[0]), "dagster/asset_partition_range_end": str(DATES[1])},
        run_config={
            "ops": {OMETRIA: {"config": config}},
            "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
        },
        raise_on_error=False,
    )


def shown(instance: dg.DagsterInstance, run_id: str, kind: dg.DagsterEventType) -> dict[str, dict[str, Any]]:
    """Metadata of each date."""
    found = {}
    for record in instance.get_records_for_run(run_id, of_type=kind).records:
        event = record.event_log_entry.dagster_event
        assert event
        is_made = kind is dg.DagsterEventType.ASSET_MATERIALIZATION
        data: Any = event.step_materialization_data if is_made else event.asset_observation_data
        said = data.materialization if is_made else data.asset_observation
        found[said.partition] = {name: value.value for name, value in said.metadata.items()}
    return found


MADE, OBSERVED = dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_OBSERVATION


def test_each_date_shows_how_many_records_are_in_each_state(project: Project, instance: dg.DagsterInstance) -> None:
    result = materialize(project, instance)
    assert result.success
    by_date = shown(instance, result.run_id, MADE)
    assert by_date.keys() == {str(day) for day in DATES}
    for metadata in by_date.values():
        assert {name: metadata[name] for name in STATES} == dict.fromkeys(STATES, 0) | {
            "delivered": metadata["records"],
        }  # fmt: skip
        assert metadata["records"] > 5


def test_what_is_rejected_fails_nothing_and_is_listed_with_its_reason(
    project: Project, server: OmetriaServer, instance: dg.DagsterInstance
) -> None:
    server.rejects = lambda record: record["@type"] == "order"
    result = materialize(project, instance)
    assert result.success
    for metadata in shown(instance, result.run_id, MADE).values():
        assert (metadata["rejected"] > 0, metadata["retry"], metadata["unknown"]) == (True, 0, 0)
        listed = [record.data for record in metadata["rejected_records"].records]
        assert len(listed) == min(metadata["rejected"], 21)
        assert listed[0]["key"].startswith("order:")
        assert "rejected by Ometria" in str(listed[0]["reason"])
        assert "@" not in str(metadata)
    with closing(sqlite3.connect(project.account.folder / "deliveries.db")) as con:
        [[count, kept]] = con.execute("SELECT count(*), count(payload) FROM dead_letters")
    assert (count > 0, kept) == (True, count)
    again = materialize(project, instance)
    server.rejects = lambda record: False
    assert again.success
    asked = materialize(project, instance, rejected=True)
    assert sum(metadata["delivered"] for metadata in shown(instance, asked.run_id, MADE).values()) == count


def test_what_is_neither_delivered_nor_rejected_fails_and_is_shown_with_its_date(
    project: Project, server: OmetriaServer, instance: dg.DagsterInstance
) -> None:
    server.answers.extend([server.take_and_fail] * 99)
    result = materialize(project, instance)
    assert not result.success
    [failure] = [event for event in result.all_events if event.event_type == dg.DagsterEventType.STEP_FAILURE]
    assert failure.step_failure_data.user_failure_data
    assert "2 of 2 dates failed" in (failure.step_failure_data.user_failure_data.description or "")
    assert shown(instance, result.run_id, MADE) == {}
    for metadata in shown(instance, result.run_id, OBSERVED).values():
        assert metadata["unknown"] > 0
        assert metadata["delivered"] == 0
    assert not [event for event in result.all_events if event.event_type == dg.DagsterEventType.STEP_UP_FOR_RETRY]


def test_a_dry_run_by_hand_delivers_nothing_and_says_what_it_would(
    project: Project, server: OmetriaServer, instance: dg.DagsterInstance
) -> None:
    result = materialize(project, instance, dry_run=True)
    assert result.success
    assert server.requests == []
    assert shown(instance, result.run_id, MADE) == {}
    for metadata in shown(instance, result.run_id, OBSERVED).values():
        assert metadata["records_to_send"] > 5
        assert {record.data["reason"] for record in metadata["would_be_sent"].records} == {"new"}
    assert not (project.account.folder / "deliveries.db").exists()
    said = [record.event_log_entry.user_message for record in instance.get_records_for_run(result.run_id).records]
    assert any(line.startswith(f"{DATES[0]}: order:") and line.endswith(": new") for line in said)


def test_force_by_hand_sends_what_the_target_has(project: Project, instance: dg.DagsterInstance) -> None:
    materialize(project, instance)
    result = materialize(project, instance)
    assert {metadata["delivered"] for metadata in shown(instance, result.run_id, MADE).values()} == {0}
    result = materialize(project, instance, force=True)
    assert all(
        metadata["delivered"] == metadata["records"] for metadata in shown(instance, result.run_id, MADE).values()
    )


def test_what_is_in_doubt_is_settled_by_hand(
    project: Project, server: OmetriaServer, instance: dg.DagsterInstance
) -> None:
    materialize(project, instance)
    sent = len(server.requests)
    ledger = project.account.folder / "deliveries.db"
    with closing(sqlite3.connect(ledger)) as con, con:
        change = "state = 'pending', delivered_hash = NULL, updated_at = '2026-01-01 00:00:00.000000'"
        [[key]] = con.execute(
            f"UPDATE deliveries SET {change} WHERE key = (SELECT max(key) FROM deliveries) RETURNING key"
        )
    said = {"settle": "delivered", "settle_by": "ann", "settle_why": "it is there"}
    assert not materialize(project, instance, **said | {"settle_why": " "}).success
    assert not materialize(project, instance, **said | {"settle": "held"}).success
    result = materialize(project, instance, **said)
    assert result.success
    assert len(server.requests) == sent
    with closing(sqlite3.connect(ledger)) as con:
        [[answer, run_id]] = con.execute("SELECT answer, run_id FROM deliveries WHERE key = ?", [key])
    assert (answer, run_id) == ("settled as delivered by ann: it is there", result.run_id)


def test_payloads_are_kept_as_long_as_the_settings_say(
    project: Project, server: OmetriaServer, instance: dg.DagsterInstance
) -> None:
    server.rejects = lambda record: True
    materialize(project, instance)
    with closing(sqlite3.connect(project.account.folder / "deliveries.db")) as con, con:
        for day, age in zip(DATES, (31, 29), strict=True):
            change = f"last_at = datetime('now', '-{age} days')"
            con.execute(f'UPDATE dead_letters SET {change} WHERE "partition" = ?', [str(day)])
    materialize(project, instance)
    query = 'SELECT "partition", count(*) > 0, count(payload) > 0 FROM dead_letters GROUP BY 1'
    with closing(sqlite3.connect(project.account.folder / "deliveries.db")) as con:
        kept = con.execute(query).fetchall()
    assert kept == [(str(DATES[0]), 1, 0), (str(DATES[1]), 1, 1)]


def test_only_of_a_target_of_emails_what_did_not_arrive_is_rejected(project: Project, server: OmetriaServer) -> None:
    [sink] = [sink for sink in sinks_of(project.runtime) if sink.name == "ometria"]
    said = Settlement(State.REJECTED, "ann", "the order was cancelled", ("gone",))
    with Ledger(project.account.deliveries_url.get_secret_value()) as ledger:
        gone = Record("gone", DATES[0], {})
        begun = ledger.begin(project.account.name, sink.name, [gone], run_id="r")
        results = [(gone, Outcome("gone", State.RETRY))]
        ledger.finish(project.account.name, sink.name, results, attempts=begun, run_id="r")
    for once, keys in ((False, []), (True, ["gone"])):
        with Handover(project.runtime, replace(sink, is_at_most_once=once)) as handover:
            assert [entry.key for entry in handover.in_doubt(DATES, said).settled] == keys
            assert [entry.key for entry in handover.settle(DATES, said, run_id="s").settled] == keys
