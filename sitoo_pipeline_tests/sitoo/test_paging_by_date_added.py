"""Bare arrays by dateadded: crowded seconds, lowered maxima, servers that do not keep to the order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitoo_pipeline.sitoo import RESOURCES, Scope, land
from sitoo_pipeline.sitoo.errors import PermanentSitooError
from sitoo_pipeline_tests.sitoo.conftest import Connect, Serve
from sitoo_pipeline_tests.sitoo.server import Answer, Record, Request, answer, by_added, refusal, script_of
from sitoo_pipeline_tests.sitoo.test_landing import records_in

Z_REPORTS = RESOURCES["z_reports"]


def z_report(number: int, *, second: int, register: str = "{A}") -> Record:
    return {"zreportid": number, "registerid": register, "dateadded": second}


def keys(records: list[Record]) -> set[tuple[Any, Any]]:
    return {(record["registerid"], record["zreportid"]) for record in records}


def answer_z(reports: list[Record], most: int = 500) -> Callable[[Request], Answer]:
    return lambda request: answer(by_added(reports, request.query, most=most))


class TestByDateAdded:
    def test_every_report_is_read_however_they_crowd(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        server = serve(script_of(refusal(500)))
        client = connect(server)
        names = ["{A}", "{B}", "{C}"]

        @settings(max_examples=60, deadline=None)
        @given(
            crowds=st.lists(st.tuples(st.integers(1, 8), st.sampled_from(names), st.integers(1, 4)), max_size=12),
            page_size=st.integers(5, 9),
        )
        def check(crowds: list[tuple[int, str, int]], page_size: int) -> None:
            reports: list[Record] = []
            taken: dict[tuple[int, str], int] = {}
            for second, register, count in crowds:
                for _ in range(min(count, 4 - taken.get((second, register), 0))):
                    reports.append(z_report(len(reports), second=second, register=register))
                    taken[second, register] = taken.get((second, register), 0) + 1
            server.script = answer_z(reports, most=page_size)
            landed = land(
                client=client,
                resource=replace(Z_REPORTS, page_size=page_size),
                folder=tmp_path / "z",
                scope=Scope(registers=tuple((1, name) for name in names)),
            )
            assert keys(records_in(landed)) == keys(reports)

        check()

    def test_more_reports_in_one_second_than_an_answer_holds(
        self, serve: Serve, connect: Connect, tmp_path: Path
    ) -> None:
        reports = [z_report(n, second=70, register="{A}" if n % 2 else "{B}") for n in range(900)]
        reports += [z_report(n, second=60) for n in (1000, 1001)] + [z_report(n, second=80) for n in (1002, 1003)]
        scope = Scope(registers=((1, "{A}"), (1, "{B}")))
        server = serve(answer_z(reports))
        landed = land(client=connect(server), resource=Z_REPORTS, folder=tmp_path / "z", scope=scope)
        assert landed.layout == "array"
        assert keys(records_in(landed)) == keys(reports)
        assert {"dateaddedfrom": "70", "dateaddedto": "70", "registerid": "{B}"} in server.queries

    def test_a_crowded_second_needs_the_registers(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        server = serve(answer_z([z_report(n, second=70) for n in range(501)]))
        with pytest.raises(PermanentSitooError, match=r"share the dateadded 70.*cash registers"):
            land(client=connect(server), resource=Z_REPORTS, folder=tmp_path / "z")

    def test_one_register_that_fills_an_answer_within_a_second(
        self, serve: Serve, connect: Connect, tmp_path: Path
    ) -> None:
        server = serve(answer_z([z_report(n, second=70) for n in range(501)]))
        with pytest.raises(PermanentSitooError, match=r"all of register \{A\}"):
            land(
                client=connect(server), resource=Z_REPORTS, folder=tmp_path / "z", scope=Scope(registers=((1, "{A}"),))
            )
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("most", [3, 499])
    def test_a_maximum_that_was_lowered(self, serve: Serve, connect: Connect, tmp_path: Path, most: int) -> None:
        reports = [z_report(n, second=n // 2) for n in range(2 * most)]
        landed = land(client=connect(serve(answer_z(reports, most))), resource=Z_REPORTS, folder=tmp_path / "z")
        assert keys(records_in(landed)) == keys(reports)

    @pytest.mark.parametrize(
        "seconds", [pytest.param([3, 2, 1], id="descending"), pytest.param([5, 9, 7], id="unordered")]
    )
    def test_a_server_that_does_not_sort(
        self, serve: Serve, connect: Connect, tmp_path: Path, seconds: list[int]
    ) -> None:
        server = serve(script_of(answer([z_report(n, second=second) for n, second in enumerate(seconds)])))
        with pytest.raises(PermanentSitooError, match="order of dateadded"):
            land(client=connect(server), resource=Z_REPORTS, folder=tmp_path / "z")

    def test_a_server_that_ignores_the_bound(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        server = serve(script_of(answer([z_report(n, second=n) for n in range(3)])))
        with pytest.raises(PermanentSitooError, match="order of dateadded from 2 on"):
            land(client=connect(server), resource=Z_REPORTS, folder=tmp_path / "z")

    def test_reports_without_a_date_or_key(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        page = [{"zreportid": 1}, {"registerid": "{A}", "dateadded": 5}, None, z_report(2, second=6)]
        server = serve(script_of(answer(page), answer([page[3]])))
        landed = land(client=connect(server), resource=Z_REPORTS, folder=tmp_path / "z")
        assert records_in(landed) == page
