"""SameSystem with lost answers, expired tokens, and processes that end at any step: what is there in the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from sitoo_pipeline.sandbox import Faults
from sitoo_pipeline.sandbox.samesystem_saving import Figures
from sitoo_pipeline.sinks.samesystem_api import SameSystemApi
from sitoo_pipeline_tests.sinks.samesystem import MONDAY, TUESDAY, WEEK, Chain

STORE = "0102"
STEPS = ["unapprove_week", "unapprove_week", "unconfirm", "unconfirm", "save", "save"]
STEPS += ["confirm", "confirm", "approve_week", "approve_week"]


class Killed(BaseException):
    """The process ends here."""


@contextmanager
def killed_at(call: int, *, is_done: bool) -> Iterator[None]:
    """The process ends before or after the change with this number, from 0."""
    change, calls = SameSystemApi.change, iter(range(1000))

    def dying(*args: Any, **kwargs: Any) -> None:
        is_now = next(calls) == call
        if is_now and not is_done:
            raise Killed
        change(*args, **kwargs)
        if is_now:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SameSystemApi, "change", dying)
        yield


def approved_week(chain: Chain) -> None:
    """A week of two registers that somebody typed in, confirmed and approved; staff wrote something of their own."""
    books, department = chain.books, chain.books.department(STORE)
    for day in WEEK:
        for register in (1, 2):
            key = books.key(STORE, day, register)
            lines: dict[str, Decimal | str] = {
                "Gross sales": Decimal(10),
                "Net sales": Decimal(8),
                "Bank person": "Eva",
            }
            figures = {department.field_id(name): value for name, value in lines.items()}
            books.save(key, Figures(figures, "Typed in", [], []), "Eva")
            books.confirm(key, "Eva")
    chain.approve(STORE)


@pytest.fixture
def corrected(chain: Chain) -> bytes:
    """What SameSystem holds after a correction of the week's Monday that nothing disturbed."""
    approved_week(chain)
    chain.hand(chain.day(STORE, "100.00", "50.00"))
    assert [action for action, _, _ in chain.actions()] == STEPS
    after = chain.books.snapshot()
    forget(chain)
    return after


def forget(chain: Chain) -> None:
    """Back to the approved week, and to a pipeline that has delivered nothing."""
    chain.folder.joinpath("deliveries.db").unlink()
    for register in (1, 2):
        chain.books.unapprove_week(chain.books.key(STORE, MONDAY, register), "Eva")
    for day in WEEK:
        for register in (1, 2):
            chain.books.unconfirm(chain.books.key(STORE, day, register), "Eva")
    approved_week(chain)


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(len(STEPS)))
def test_a_process_that_ends_at_any_step_is_finished_by_the_next(
    chain: Chain, corrected: bytes, call: int, is_done: bool
) -> None:
    with pytest.raises(Killed), killed_at(call, is_done=is_done):
        chain.hand(chain.day(STORE, "100.00", "50.00"))
    assert chain.state(STORE) == "pending"
    report = chain.hand(chain.day(STORE, "100.00", "50.00"))
    assert not report.failed
    assert chain.books.snapshot() == corrected
    assert [action for action, _, _ in chain.actions()] == STEPS  # finished, and nothing done twice
    assert chain.state(STORE) == "delivered"
    assert chain.hand(chain.day(STORE, "100.00", "50.00")).planned == 0


@pytest.mark.parametrize("call", [1, 5, 9])
def test_the_run_of_another_date_finishes_it_too(chain: Chain, corrected: bytes, call: int) -> None:
    with pytest.raises(Killed), killed_at(call, is_done=True):
        chain.hand(chain.day(STORE, "100.00", "50.00"))
    left = chain.noted()
    assert [row for row in left if "begun" in row]
    chain.hand(chain.day(STORE, "100.00", "50.00"), dry_run=True)
    assert chain.noted() == left
    report = chain.hand(chain.day("0101", "1.00", day=TUESDAY))
    assert f"{STORE}/{MONDAY}: begun by a run that ended, and brought to its end now" in report.messages
    assert chain.state(STORE) == "delivered"
    assert chain.books.is_approved(STORE, MONDAY)
    assert chain.gross(STORE) == [Decimal(100), Decimal(50)]
    assert chain.hand(chain.day("0101", "1.00", day=TUESDAY)).messages == ()


@pytest.mark.parametrize("kind", ["reset-before", "reset", "html", "429-seconds"])
@pytest.mark.parametrize("action", ["unapprove_week", "unconfirm", "save", "confirm", "approve_week"])
def test_an_answer_that_was_lost_is_followed_by_a_look(chain: Chain, corrected: bytes, action: str, kind: str) -> None:
    chain.sandbox.faults = Faults(rate=1, kinds=(kind,), match=f"/{action}/", times=1, retry_after=0)
    report = chain.hand(chain.day(STORE, "100.00", "50.00"))
    assert (report.delivered, report.failed) == (1, False)
    assert chain.books.snapshot() == corrected
    assert [done for done, _, _ in chain.actions()] == STEPS


@pytest.mark.parametrize("path", ["/login", "/departments", "/fields", "/weekly_balance/2026"])
@pytest.mark.parametrize("kind", ["500", "missing-items"])
def test_a_question_whose_answer_was_lost_is_asked_again(chain: Chain, path: str, kind: str) -> None:
    chain.sandbox.faults = Faults(rate=1, kinds=(kind,), match=path, times=1)
    report = chain.hand(chain.day("0101", "1.00"))
    assert (report.delivered, report.messages) == (1, ())


def test_a_figure_that_looks_the_same_is_saved_again_where_nobody_saw_it_saved(chain: Chain) -> None:
    chain.hand(chain.day("0101", "1234567.89"))
    chain.sandbox.faults = Faults(rate=1, kinds=("reset-before",), match="/save/", times=1)
    chain.hand(chain.day("0101", "1234568.12"))
    assert chain.gross("0101") == [Decimal("1234568.12")]


@pytest.mark.parametrize("kind", ["reset-before", "500"])
def test_where_no_answer_ever_comes_it_is_unknown_and_then_read_back(chain: Chain, kind: str) -> None:
    chain.sandbox.faults = Faults(rate=1, kinds=(kind,), match="/save/")
    report = chain.hand(chain.day("0101", "1.00"))
    assert (report.unknown, report.failed) == (1, True)
    chain.sandbox.faults = Faults()
    assert chain.hand(chain.day("0101", "1.00")).delivered == 1
    assert [action for action, _, _ in chain.actions()] == ["save", "confirm"]


def test_everything_arrives_once_while_a_tenth_of_the_requests_fail(chain: Chain) -> None:
    sold = {
        **{key: tills for day in WEEK for key, tills in chain.day("0101", "125.50", day=day).items()},
        **{key: tills for day in WEEK for key, tills in chain.day("0102", "100.00", "50.00", day=day).items()},
        **{key: tills for day in WEEK for key, tills in chain.day("310", "1.00", "2.00", "3.00", day=day).items()},
    }
    chain.sandbox.faults = Faults(rate=0.1, match="/samesystem/", seed=5, retry_after=0)
    report = chain.hand(sold)
    if report.failed:
        report = chain.hand(sold)
    assert not report.failed
    chain.sandbox.faults = Faults()
    assert chain.hand(sold).unchanged == 3 * 7
    for (day, store), tills in sold.items():
        assert chain.gross(store, day) == [Decimal(gross) for _, gross in tills]
        assert chain.books.is_confirmed(store, day)
    done = [write[:4] for write in map(astuple, chain.books.writes)]
    assert len(done) == len(set(done)) == 2 * 7 * (1 + 2 + 3)


def test_a_token_that_expires_on_the_way_is_renewed(chain: Chain) -> None:
    """Ten minutes pass at SameSystem during every change."""
    change, clock = SameSystemApi.change, {"now": chain.now()}
    chain.sandbox.samesystem.tokens._clock = lambda: clock["now"].timestamp()

    def slow(*args: Any, **kwargs: Any) -> None:
        clock["now"] += timedelta(minutes=10)
        change(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SameSystemApi, "change", slow)
        assert chain.hand(chain.day("0102", "1.00", "2.00")).delivered == 1
    logins = [path for _, path, _ in chain.sandbox.requests if path.endswith("/login")]
    assert len(logins) == 1 + 4


def test_a_wrong_password_stops_at_once_and_is_told_without_it(chain: Chain) -> None:
    chain.access["password"] = "not-the-password"
    report = chain.hand({**chain.day("0101", "1.00"), **chain.day("0102", "1.00", "2.00")})
    assert (report.retry, report.failed) == (2, True)
    assert "check SAMESYSTEM_EMAIL and SAMESYSTEM_PASSWORD" in report.messages[-1]
    assert "not-the-password" not in str(report)
    assert len(chain.sandbox.requests) < 6


def test_a_right_that_is_missing_leaves_everything_as_it_was(chain: Chain, corrected: bytes) -> None:
    before = chain.books.snapshot()
    chain.sandbox.samesystem.rights.remove("unconfirm")
    report = chain.hand(chain.day(STORE, "100.00", "50.00"))
    assert (report.retry, report.failed) == (1, True)
    assert "does not let the API user do unconfirm in 0102" in report.messages[-1]
    assert chain.books.snapshot() == before
    chain.sandbox.samesystem.rights.add("unconfirm")
    chain.hand(chain.day(STORE, "100.00", "50.00"))
    assert chain.books.snapshot() == corrected


def test_nobody_answers(chain: Chain) -> None:
    chain.access["base_url"] = "http://127.0.0.1:9/api/v1"
    report = chain.hand({**chain.day("0101", "1.00"), **chain.day("0102", "1.00", "2.00")})
    assert (report.retry, report.failed) == (2, True)
    assert "cannot be reached (ConnectError): check SAMESYSTEM_BASE_URL" in report.messages[-1]


def test_what_was_delivered_stays_so_where_nobody_answers(chain: Chain) -> None:
    sold = {**chain.day("0101", "1.00"), **chain.day("0102", "1.00", "2.00")}
    chain.hand(sold)
    chain.access["base_url"] = "http://127.0.0.1:9/api/v1"
    report = chain.hand(sold)
    assert (report.unsure, report.retry, report.failed) == (2, 0, True)
    assert report.messages[-1].startswith("2 delivered before and left as they are, not compared: SameSystem")
    assert (chain.state("0101"), chain.state("0102")) == ("delivered", "delivered")


def test_something_else_answers(chain: Chain) -> None:
    chain.access["base_url"] = chain.sandbox.samesystem_url + "/nothing"
    chain.access["ctx_tokens"] = {"0101": "c1d1"}
    report = chain.hand(chain.day("0101", "1.00"))
    assert report.retry == 1
    assert "SAMESYSTEM_" in report.messages[-1]
