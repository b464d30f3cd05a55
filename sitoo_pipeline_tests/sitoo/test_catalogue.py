"""The catalogue: names of parameters, bounds in time, what may be asked for and what stands in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sitoo_pipeline.sitoo import RESOURCES, Scope, Window, land
from sitoo_pipeline.sitoo.errors import NotFound
from sitoo_pipeline_tests.sitoo.conftest import Connect, Serve
from sitoo_pipeline_tests.sitoo.server import Answer, Request, answer, by_position, refusal, script_of
from sitoo_pipeline_tests.sitoo.test_landing import records_in

STOCKHOLM = ZoneInfo("Europe/Stockholm")
START, END = 1_772_406_000, 1_772_492_400  # 2 March 2026 in Stockholm
DAY = Window(datetime(2026, 3, 2, tzinfo=STOCKHOLM), datetime(2026, 3, 3, tzinfo=STOCKHOLM))


def test_the_resources_of_the_pipeline() -> None:
    assert list(RESOURCES) == [
        "sites",
        "stores",
        "warehouses",
        "cash_registers",
        "product_groups",
        "products",
        "orders",
        "z_reports",
        "warehouse_transactions",
        "custom_metrics",
        "custom_metric_values",
    ]
    for name, resource in RESOURCES.items():
        assert resource.name == name
        assert resource.documentation.startswith("https://developer.sitoo.com/")
        assert resource.description
        assert ("{siteid}" in resource.path) == (resource.scope == "site")


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("orders", {"orderdatefrom": START, "orderdateto": END}),  # whether "to" includes its second is not documented
        ("z_reports", {"dateaddedfrom": START, "dateaddedto": END - 1}),  # inclusive
        ("warehouse_transactions", {"datecreatedfrom": START, "datecreatedto": END}),  # exclusive
    ],
)
class TestBounds:
    def test_a_day(self, name: str, bounds: dict[str, int]) -> None:
        query = RESOURCES[name].query(window=DAY)
        assert {key: query[key] for key in bounds} == bounds

    def test_an_open_end_is_not_sent(self, name: str, bounds: dict[str, int]) -> None:
        lower, upper = bounds
        query = RESOURCES[name].query(window=Window(DAY.start, None))
        assert (query[lower], query[upper]) == (START, None)

    def test_fractions_of_a_second_miss_nothing(self, name: str, bounds: dict[str, int]) -> None:
        half = timedelta(seconds=0.5)
        lower, upper = bounds
        query = RESOURCES[name].query(window=Window(DAY.start + half, DAY.end - half if DAY.end else None))
        assert (query[lower], query[upper]) == (START, bounds[upper])


def test_a_parameter_that_sitoo_would_ignore_is_refused() -> None:
    with pytest.raises(ValueError, match=r"orders has no parameter datelastmodified; it has: .*orderstate"):
        RESOURCES["orders"].query(window=None, extra={"orderstate": 0, "datelastmodified": 1})
    with pytest.raises(ValueError, match="stores has no parameter num; it has: none"):
        RESOURCES["stores"].query(window=None, extra={"num": 10})


def test_reference_data_has_no_dates() -> None:
    with pytest.raises(ValueError, match="stores cannot be asked for by time"):
        RESOURCES["stores"].query(window=DAY)


class TestWindow:
    @pytest.mark.parametrize(
        ("start", "end", "said"),
        [
            (datetime(2026, 3, 2), datetime(2026, 3, 3, tzinfo=UTC), "time zone"),  # noqa: DTZ001
            (datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3), "time zone"),  # noqa: DTZ001
            (datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC), "must end after its start"),
            (datetime(2026, 3, 2, 0, 30, tzinfo=UTC), datetime(2026, 3, 2, 1, tzinfo=STOCKHOLM), "after its start"),
        ],
    )
    def test_naive_or_empty(self, start: datetime, end: datetime, said: str) -> None:
        with pytest.raises(ValueError, match=said):
            Window(start, end)


class TestFallback:
    """z-reports of an account that has no account-level list of them."""

    SCOPE = Scope(sites=(1,), registers=((1, "{A-1}"), (2, "{B-2}")))

    def test_the_other_spelling_is_tried_first(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        def script(request: Request) -> Answer:
            return answer([]) if request.path == "/pos-z-reports.json" else refusal(404)

        server = serve(script)
        landed = land(client=connect(server), resource=RESOURCES["z_reports"], window=DAY, folder=tmp_path / "z")
        assert [request.path for request in server.seen] == ["/pos-z-reports", "/pos-z-reports.json"]
        assert (landed.resource, landed.layout, landed.files, landed.requests) == ("z_reports", "array", (), 2)

    def test_register_by_register(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        def script(request: Request) -> Answer:
            if not request.path.startswith("/sites/"):
                return refusal(404)
            register = request.path.split("/")[4]
            return answer(by_position([{"zreportid": n, "registerid": register} for n in range(3)], request.query))

        server = serve(script)
        landed = land(
            client=connect(server), resource=RESOURCES["z_reports"], window=DAY, scope=self.SCOPE, folder=tmp_path / "z"
        )
        assert [request.path for request in server.seen[2:]] == [
            "/sites/1/cashregisters/{A-1}/zreports.json",
            "/sites/2/cashregisters/{B-2}/zreports.json",
        ]
        assert server.queries[-1] == {
            "datecreatedfrom": str(START),
            "datecreatedto": str(END),
            "start": "0",
            "num": "1000",
        }
        assert (landed.resource, landed.layout, landed.requests) == ("z_reports_of_register", "envelope", 4)
        assert [record["registerid"] for record in records_in(landed)] == ["{A-1}"] * 3 + ["{B-2}"] * 3

    def test_what_is_not_there_is_asked_for_once(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        def script(request: Request) -> Answer:
            return answer(by_position([], request.query)) if request.path.startswith("/sites/") else refusal(404)

        server, known = serve(script), set[str]()
        for number, vain in enumerate((2, 0)):
            client = connect(server, absent=known)
            for again in range(2):
                server.seen.clear()
                folder = tmp_path / f"{number}-{again}"
                z_reports = RESOURCES["z_reports"]
                landed = land(client=client, resource=z_reports, window=DAY, scope=self.SCOPE, folder=folder)
                assert landed.requests == len(server.seen) == 2 + (0 if again else vain)
        assert known == {"/pos-z-reports", "/pos-z-reports.json"}

    def test_a_wrong_address_is_not_remembered(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        server = serve(script_of(refusal(404)))
        client = connect(server)
        with pytest.raises(NotFound):
            land(client=client, resource=RESOURCES["z_reports"], window=DAY, scope=self.SCOPE, folder=tmp_path / "z")
        server.script = script_of(answer([]))
        landed = land(
            client=client, resource=RESOURCES["z_reports"], window=DAY, scope=self.SCOPE, folder=tmp_path / "z"
        )
        assert landed.resource == "z_reports"

    @pytest.mark.parametrize("scope", [SCOPE, Scope()])
    def test_nothing_stands_in(self, serve: Serve, connect: Connect, tmp_path: Path, scope: Scope) -> None:
        with pytest.raises(NotFound, match="base_url"):
            land(
                client=connect(serve(script_of(refusal(404)))),
                resource=RESOURCES["z_reports"],
                window=DAY,
                scope=scope,
                folder=tmp_path / "z",
            )
        assert list(tmp_path.iterdir()) == []
