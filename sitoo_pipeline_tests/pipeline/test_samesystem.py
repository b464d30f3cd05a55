"""From Sitoo to SameSystem: what the departments have in the end, what the run says of it, and what doctor sees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import dagster as dg
import pytest
from rich.console import Console
from typer.testing import CliRunner

from sitoo_pipeline.assets.deliveries import Handover, NotDeliveredError
from sitoo_pipeline.assets.targets import as_wanted, sinks_of
from sitoo_pipeline.cli import app
from sitoo_pipeline.definitions import build_defs
from sitoo_pipeline.operations.delivering import hand_over
from sitoo_pipeline.operations.doctor import examine
from sitoo_pipeline.sandbox import Chain, Faults, Sandbox
from sitoo_pipeline_tests.pipeline.project import Project

DATES = [date(2026, 11, 2), date(2026, 11, 3)]
CHAIN = Chain(stores=4, seed=7, opened=date(2026, 11, 1), orders_per_day=20)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(chain=CHAIN, now=datetime(2026, 11, 10, 12, tzinfo=UTC)) as running:
        yield running


@pytest.fixture(scope="module")
def project(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two days, loaded and handed over while requests to SameSystem fail now and then."""
    email, password = sandbox.samesystem_user
    made = Project.make(
        tmp_path_factory.mktemp("samesystem"),
        sandbox,
        start_date=DATES[0],
        http="attempts = 6, wait_initial = 0.01, wait_max = 0.02",
        more=f"""
        [accounts.kedjan.targets.samesystem]
        base_url = "{sandbox.samesystem_url}"
        email = "{email}"
        password_env = "SAMESYSTEM_PASSWORD"
        """,
        environ={"SAMESYSTEM_PASSWORD": password},
    )
    sandbox.faults = Faults(rate=0.05, match="/samesystem/", kinds=("reset", "reset-before", "500"), seed=2)
    made.load(DATES)
    sandbox.faults = Faults()
    return made


def test_every_department_has_the_days_of_its_store_register_by_register(project: Project, sandbox: Sandbox) -> None:
    books = sandbox.samesystem.state
    rows = project.query(
        "SELECT store_id, business_date, sum(gross_sales) AS gross, sum(transactions)::INT AS transactions "
        "FROM marts.weekly_balance_hourly WHERE store_id != 'unknown' GROUP BY ALL ORDER BY ALL"
    )
    assert len(rows) == 4 * 2
    for row in rows:
        used = books.used(row["store_id"], row["business_date"])
        assert used is not None
        assert (used["Gross sales"], used["Transactions"]) == (row["gross"], row["transactions"])
    [store] = [store for store in CHAIN.store_list if store.externalid == "310"]
    tills = {
        row["register_id"]: row["gross_sales"]
        for row in project.query(
            "SELECT register_id, gross_sales FROM marts.register_sales "
            f"WHERE store_id = '310' AND business_date = DATE '{DATES[0]}'"
        )
    }
    shown = books.shown("310", DATES[0])
    expected = [tills.get(till.registerid, Decimal(0)) for till in store.registers]
    assert [shown[number]["Gross sales"] for number in (1, 2, 3)] == expected


def test_the_run_says_what_was_done(project: Project) -> None:
    key = dg.AssetKey(["kedjan", "sinks", "samesystem"])
    with project.instance() as instance:
        [event] = instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=key, asset_partitions=[str(DATES[0])]), limit=10
        ).records
        said = event.asset_materialization.metadata  # type: ignore[union-attr]
    assert {name: said[name].value for name in ("delivered", "saved", "confirmed", "late_corrections")} == {
        "delivered": 4,
        "saved": 7,
        "confirmed": 7,
        "late_corrections": 0,
    }


def test_a_second_delivery_sends_nothing(project: Project, sandbox: Sandbox) -> None:
    before = sandbox.samesystem.state.snapshot()
    sandbox.samesystem.state.writes.clear()
    [sink] = [sink for sink in sinks_of(project.runtime) if sink.name == "samesystem"]
    with Handover(project.runtime, sink) as handover:
        reports = [handover.hand_over([day], run_id="again") for day in DATES]
    assert [(report.planned, report.unchanged) for report in reports] == [(0, 4), (0, 4)]
    assert sandbox.samesystem.state.writes == []
    assert sandbox.samesystem.state.snapshot() == before


def test_one_login_does_for_all_dates_of_a_step(project: Project, sandbox: Sandbox) -> None:
    sandbox.clear_requests()
    [sink] = [sink for sink in sinks_of(project.runtime) if sink.name == "samesystem"]
    with Handover(project.runtime, sink) as handover:
        for day in DATES:
            handover.compare([day])
    asked = [path for _, path, _ in sandbox.requests]
    assert sum(path.endswith("/login") for path in asked) == 1
    assert sum(path.endswith("/departments") for path in asked) == 1


def test_a_samesystem_that_is_out_of_reach_is_tried_for_one_date(project: Project, sandbox: Sandbox) -> None:
    [sink] = [sink for sink in sinks_of(project.runtime) if sink.name == "samesystem"]
    sandbox.clear_requests()
    sandbox.faults = Faults(rate=1, match="/samesystem/", kinds=("429-seconds",), retry_after=0)
    try:
        with Handover(project.runtime, sink) as handover:
            reports, asked = [], []
            for day in DATES:
                with pytest.raises(NotDeliveredError) as failure:
                    handover.hand_over([day], run_id="again", force=True)
                reports.append(failure.value.report)
                asked.append(len(sandbox.requests))
        with Handover(project.runtime, sink) as handover:
            compared = [handover.compare([day], force=True) for day in DATES]
    finally:
        sandbox.faults = Faults()
    assert asked[0] == asked[1] > 0
    assert [report.retry for report in reports] == [4, 4]
    assert "not tried: SameSystem takes no more requests for now (HTTP 429)" in reports[1].messages[-1]
    assert [report.unread for report in compared] == [("SameSystem takes no more requests for now (HTTP 429)",)] * 2
    with Handover(project.runtime, sink) as handover:
        assert [handover.hand_over([day], run_id="again").failed for day in DATES] == [False, False]


def typed_over(sandbox: Sandbox, store: str, day: date) -> Decimal:
    """Somebody types another figure over there and confirms the day, and the office approves the week; the figure."""
    books, monday = sandbox.samesystem.state, day - timedelta(days=day.weekday())
    key = books.key(store, day)
    if books.confirmation(key):
        books.unconfirm(key, "Manager")
    field = next(one.field_id for one in books.department(store).fields if one.name == "Gross sales")
    books.save(key, replace(books.figures(key), lines={**books.figures(key).lines, field: Decimal("1.00")}), "Manager")
    for number in range(7):
        of_week = key._replace(day=monday + timedelta(days=number))
        if not books.confirmation(of_week):
            books.confirm(of_week, "Manager")
    books.approve_week(key, "Office")
    return Decimal("1.00")


def delivered(project: Project, day: date, tags: dict[str, str]) -> dg.ExecuteInProcessResult:
    """A run of the UI: the target's asset, one date, and the tags that somebody gave it."""
    with project.instance() as instance:
        return (
            build_defs(project.settings)
            .resolve_job_def("kedjan_deliver")
            .execute_in_process(
                instance=instance, partition_key=str(day), tags=tags, raise_on_error=False,
                asset_selection=[dg.AssetKey(["kedjan", "sinks", "samesystem"])],
            )
        )  # fmt: skip


def test_a_run_can_keep_what_is_approved_and_another_overwrite_it(project: Project, sandbox: Sandbox) -> None:
    books = sandbox.samesystem.state
    ours = books.used("0101", DATES[0])
    assert ours is not None
    theirs = typed_over(sandbox, "0101", DATES[0])

    def shown() -> object:
        return books.shown("0101", DATES[0])[1]["Gross sales"]

    kept = delivered(project, DATES[0], {"overwrite_approved": "false"})
    [said] = [dict(made.metadata) for made in kept.asset_materializations_for_node("kedjan__sinks__samesystem")]
    assert (said["held"].value, shown()) == (1, theirs)
    with project.home():
        [outcome] = hand_over(
            project.settings, project.settings.accounts, "samesystem", DATES[0], DATES[0], force=False, rejected=False,
            console=Console(quiet=True), overwrite_approved=False,
        )  # fmt: skip
    assert (outcome.figures[DATES[0]]["held"], shown()) == (1, theirs)
    unclear = delivered(project, DATES[0], {"overwrite_approved": "perhaps"})
    assert (unclear.success, shown()) == (False, theirs)
    [failure] = [event for event in unclear.all_events if event.event_type == dg.DagsterEventType.STEP_FAILURE]
    assert "overwrite_approved is 'perhaps': write true or false" in str(failure.event_specific_data)
    put_right = delivered(project, DATES[0], {"overwrite_approved": "true"})
    [said] = [dict(made.metadata) for made in put_right.asset_materializations_for_node("kedjan__sinks__samesystem")]
    assert (said["weeks_reopened"].value, said["held"].value) == (1, 0)
    assert shown() == ours["Gross sales"]
    assert books.is_approved("0101", DATES[0])


def test_only_the_target_with_approved_weeks_can_be_told_to_overwrite_them(project: Project) -> None:
    sinks = {sink.name: sink for sink in sinks_of(project.runtime)}
    assert (
        as_wanted(project.runtime, sinks["weekly_balance_sql"], overwrite_approved=True)
        is (sinks["weekly_balance_sql"])
    )
    assert as_wanted(project.runtime, sinks["samesystem"], overwrite_approved=None) is sinks["samesystem"]
    said = CliRunner().invoke(
        app, ["deliver", "--target", "ometria", "--from", "2026-11-02", "--to", "2026-11-02", "--keep-approved"]
    )
    assert said.exit_code == 2
    assert "--overwrite-approved and --keep-approved go with --target samesystem" in said.output + said.stderr


def lines_of(project: Project) -> list[str]:
    return [finding.line for finding in examine(project.settings) if "SameSystem" in finding.what]


def test_doctor_sees_departments_and_fields(project: Project, sandbox: Sandbox) -> None:
    assert lines_of(project) == [
        f"ok    kedjan: SameSystem: {sandbox.samesystem_url} answers and shows 5 departments",
        "ok    kedjan: SameSystem, departments: 4 stores have a department; departments of no store: Huvudkontor",
    ]
    state = sandbox.samesystem.state
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state.department("0101"), "fields", state.department("0101").fields[1:])
        patch.setattr(state.department("0203"), "dpt_no", "0204")
        found = lines_of(project)
    assert found[1].startswith("WRONG kedjan: SameSystem, fields: department 0101 (")
    assert "gross_sales goes to 'Gross Sales', which is not there" in found[1]
    assert found[2] == (
        "WRONG kedjan: SameSystem, departments: stores without a department: 0203; "
        "set dpt_no in SameSystem, or ctx_tokens here"
    )


def test_doctor_sees_a_wrong_password_and_nobody(project: Project, sandbox: Sandbox) -> None:
    sandbox.samesystem.tokens.user = ("somebody@else.example", "else")
    [found] = lines_of(project)
    assert found.startswith("WRONG kedjan: SameSystem: ")
    assert "refused the login: check SAMESYSTEM_EMAIL and SAMESYSTEM_PASSWORD" in found
    assert sandbox.samesystem_user[1] not in found
