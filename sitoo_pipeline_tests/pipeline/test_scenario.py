"""The awkward account over HTTP: four time zones, both clock changes, several currencies, to PostgreSQL and CSV.

What Sitoo answers goes through the whole pipeline; the same dates in any split and order give the same tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from sitoo_pipeline.tables import Table, marts
from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.oracle import Oracle
from sitoo_pipeline_tests.pipeline.expected import csv_files, differing_cells, oracle
from sitoo_pipeline_tests.pipeline.project import Project, days
from sitoo_pipeline_tests.pipeline.scripted import Script
from sitoo_pipeline_tests.sitoo.server import Server

SPRING, AUTUMN = days("2026-03-28", "2026-03-29"), days("2026-10-23", "2026-10-29")
DATES = [*SPRING, *AUTUMN]
ZONES = "".join(f'[accounts.kedjan.stores.{s}]\ntimezone = "{z}"\n' for s, z in scenario.STORE_TIMEZONES.items())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(Script(scenario.OBJECTS)) as running:
        yield running


@pytest.fixture(scope="module")
def figures() -> Oracle:
    return oracle(
        scenario.OBJECTS, dates=DATES, start_date=scenario.START_DATE, store_timezones=scenario.STORE_TIMEZONES
    )


@pytest.fixture(scope="module")
def project(server: Server, postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The scenario, loaded in one go and delivered to a PostgreSQL, where the ledger is as well."""
    balance = '[accounts.kedjan.targets.weekly_balance_sql]\nurl_env = "BALANCE"\n'
    url = sa.make_url(postgres_server).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("DROP DATABASE IF EXISTS scenario"))
        connection.execute(sa.text("CREATE DATABASE scenario"))
    engine.dispose()
    made = Project.make(
        tmp_path_factory.mktemp("scenario"),
        server,
        start_date=scenario.START_DATE,
        more=f'deliveries_url_env = "LEDGER"\n{ZONES}{balance}',
        environ=dict.fromkeys(
            ("LEDGER", "BALANCE"), url.set(database="scenario").render_as_string(hide_password=False)
        ),
    )
    made.load(DATES)
    return made


@pytest.mark.parametrize("table", marts.TABLES, ids=lambda table: table.name)
def test_every_cell_equals_the_oracle(table: Table, project: Project, figures: Oracle) -> None:
    expected = getattr(figures, table.name)()
    assert expected
    assert differing_cells(project.rows(table), expected, table) == []


def test_the_doubled_hour_is_two_rows_and_one_hour_of_the_weekly_balance(project: Project) -> None:
    hours = project.query(
        "SELECT hour_start, local_hour FROM marts.hourly_sales "
        "WHERE store_id = '0101' AND business_date = DATE '2026-10-25' AND local_hour = 2 ORDER BY hour_start"
    )
    assert [row["hour_start"] for row in hours] == [datetime(2026, 10, 25, hour, tzinfo=UTC) for hour in (0, 1)]
    [merged] = project.query(
        "SELECT transactions FROM marts.weekly_balance_hourly "
        "WHERE store_id = '0101' AND currency = 'SEK' AND business_date = DATE '2026-10-25' AND hour = 2"
    )
    assert merged["transactions"] == 2


def test_a_store_in_another_zone_sells_on_its_own_date(project: Project) -> None:
    """Late in New York it is the next date in Sweden, just after midnight in Helsinki the date before."""
    rows = project.query(
        "SELECT order_id, business_date, local_hour FROM core.orders WHERE order_id IN (1060, 1063) ORDER BY 1"
    )
    assert [tuple(row.values()) for row in rows] == [(1060, date(2026, 10, 23), 22), (1063, date(2026, 10, 24), 0)]


def test_every_cell_in_postgresql_equals_the_oracle(project: Project, figures: Oracle) -> None:
    engine = sa.create_engine(project.account.targets.weekly_balance_sql.url.get_secret_value())
    with engine.connect() as connection:
        ours = [dict(row._mapping) for row in connection.execute(sa.text("SELECT * FROM weekly_balance_hourly"))]
        states = connection.execute(sa.text("SELECT target, state, count(*) FROM deliveries GROUP BY 1, 2")).all()
    engine.dispose()
    table = marts.WEEKLY_BALANCE_HOURLY
    assert differing_cells(ours, figures.weekly_balance_hourly(), table) == []
    assert sorted(map(tuple, states)) == [
        ("weekly_balance_csv", "delivered", len(DATES)),
        ("weekly_balance_sql", "delivered", len(DATES)),
    ]


def test_every_csv_file_equals_the_oracle(project: Project, figures: Oracle) -> None:
    folder = project.account.exports_folder / "weekly_balance"
    assert {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()} == csv_files(figures)


BACKWARDS = [[day] for day in reversed(AUTUMN[:4])] + [AUTUMN[4:], SPRING]
EVERY_OTHER = [[SPRING[1], AUTUMN[1], AUTUMN[3]], [SPRING[0], AUTUMN[0], AUTUMN[2], *AUTUMN[4:]]]


@st.composite
def runs_of(draw: st.DrawFn) -> list[list[date]]:
    """All the dates in a few runs of any dates, in any order, some dates more than once."""
    some = st.lists(st.sampled_from(DATES), min_size=1, max_size=6, unique=True)
    runs = draw(st.lists(some, min_size=1, max_size=4))
    rest = [day for day in DATES if all(day not in run for run in runs)]
    return draw(st.permutations([*runs, rest] if rest else runs))


@pytest.mark.soak
def test_any_split_into_runs_with_repeats_gives_the_same_tables(
    project: Project, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Tills closed after midnight, and z-reports that overlap, tie dates together."""
    expected = project.content()

    @settings(max_examples=1, deadline=None, phases=[Phase.explicit, Phase.generate])
    @example(runs=BACKWARDS)
    @example(runs=EVERY_OTHER)
    @given(runs=runs_of())
    def check(runs: list[list[date]]) -> None:
        split = Project.make(tmp_path_factory.mktemp("split"), server, start_date=scenario.START_DATE, more=ZONES)
        split.load_plainly(runs)
        assert split.content() == expected

    check()
