"""Weekly balance by e-mail: what a mailbox gets, when, and what a server's answers mean."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sitoo_pipeline.sinks import Ledger, Report, State, deliver
from sitoo_pipeline.sinks.smtp import MailServer as Server
from sitoo_pipeline.sinks.smtp import MailServerError
from sitoo_pipeline.sinks.weekly_balance_files import WeeklyBalanceFiles
from sitoo_pipeline.sinks.weekly_balance_layout import CsvFormat
from sitoo_pipeline.sinks.weekly_balance_mail import Envelope, WeeklyBalanceMail
from sitoo_pipeline_tests.sinks.frames import DAY, NEXT_DAY, store_day
from sitoo_pipeline_tests.sinks.mail_server import BROKEN_OFF, CERTIFICATE, PASSWORD, USER, MailServer

FROM, TO, COPY = "pipeline@example.com", "import@example.com", "copy@example.com"
HOME = {"1122": "SEK", "77": "SEK"}


@pytest.fixture
def mailbox() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


class Sender:
    """Hands over the weekly balance of DAY and NEXT_DAY to a mail server."""

    def __init__(self, server: MailServer, ledger: Ledger, folder: Path, **layout: Any) -> None:
        self.server = Server(host="127.0.0.1", port=server.port, security="none", timeout=5)
        self.ledger = ledger
        self.files = WeeklyBalanceFiles(folder, home_currency=HOME, csv_format=CsvFormat(**layout))
        self.envelope = Envelope(FROM, (TO, COPY), subject="Balance {date} of {account}")
        self.today = NEXT_DAY + timedelta(days=1)
        self.open: set[date] = set()

    def __call__(
        self,
        *frames: pl.DataFrame,
        dates: tuple[date, ...] = (DAY,),
        held: Mapping[date, set[str]] | None = None,
        **how: Any,
    ) -> Report:
        target = WeeklyBalanceMail(self.server, self.envelope)
        prepared = target.prepare(
            self.files,
            pl.concat(frames),
            account="acme",
            dates=dates,
            today=self.today,
            is_over=lambda day: day < self.today and day not in self.open,
            max_age_days=7,
            handed_over=lambda keys: self.ledger.of("acme", target.name, keys),
            held=held,
        )
        return deliver(
            target=target,
            records=prepared.records,
            ledger=self.ledger,
            account="acme",
            run_id="r",
            messages=prepared.messages,
            **how,
        )

    def state(self) -> State:
        [entry] = self.ledger.of("acme", WeeklyBalanceMail.name, [str(DAY)]).values()
        return entry.state


@pytest.fixture
def hand(mailbox: MailServer, ledger: Ledger, tmp_path: Path) -> Sender:
    return Sender(mailbox, ledger, tmp_path)


def test_a_day_is_one_message_with_its_file(hand: Sender, mailbox: MailServer) -> None:
    sold = store_day({10: "1543.20"})
    report = hand(sold)
    [taken] = mailbox.taken
    [[file], _] = hand.files.make(sold, account="acme", dates=[DAY])
    assert taken.files == {"2024-05-02.csv": file.text.encode()}
    assert (taken.sender, taken.recipients) == (FROM, [TO, COPY])
    message = taken.message
    assert message["Subject"] == "Balance 2024-05-02 of acme"
    assert (message["From"], message["To"]) == (FROM, f"{TO}, {COPY}")
    assert message["Auto-Submitted"] == "auto-generated"
    body = message.get_body()
    assert body is not None
    assert body.get_content().splitlines() == ["Weekly balance of acme, business date 2024-05-02."]
    assert (report.delivered, report.failed, report.messages) == (1, False, ())
    [entry] = hand.ledger.of("acme", "weekly_balance_mail", [str(DAY)]).values()
    assert entry.answer == "250 OK, queued for (address) as 4711"


def test_a_second_run_sends_nothing_and_a_correction_says_that_it_is_one(hand: Sender, mailbox: MailServer) -> None:
    first, second = store_day({10: "5.00"}), store_day({10: "5.10"})
    hand(first)
    assert hand(first).unchanged == 1
    hand(second)
    hand(first)  # the old figures come back: the mailbox must not take them for the first message
    subjects = [taken.message["Subject"] for taken in mailbox.taken]
    usual = "Balance 2024-05-02 of acme"
    assert subjects == [usual, f"Correction: {usual}", f"Correction: {usual}"]
    assert len({taken.message["Message-ID"] for taken in mailbox.taken}) == 3
    assert b";5,10;" in mailbox.taken[1].files["2024-05-02.csv"]


def test_the_bytes_are_those_of_the_settings(mailbox: MailServer, ledger: Ledger, tmp_path: Path) -> None:
    sold = store_day({10: "5.00"}, store="Ö1")
    by_layout = [{"encoding": "iso-8859-1"}, {"encoding": "utf-8-sig"}]
    reports = [Sender(mailbox, ledger, tmp_path, **layout)(sold) for layout in by_layout]
    first, second = (taken.files["2024-05-02.csv"] for taken in mailbox.taken)
    assert b"\n\xd61;1;" in first
    assert second.startswith(b"\xef\xbb\xbfDepartment Id;")
    assert [report.delivered for report in reports] == [1, 1]
    report = Sender(mailbox, ledger, tmp_path, encoding="iso-8859-1")(store_day({10: "5.00"}, store="\u0141"))
    assert report.rejected == 1
    assert "set it to utf-8" in report.messages[0]


def test_each_store_may_have_its_own_attachment(hand: Sender, mailbox: MailServer, tmp_path: Path) -> None:
    hand.files = WeeklyBalanceFiles(tmp_path, home_currency=HOME, csv_format=CsvFormat(), by_store=True)
    hand(store_day({10: "5.00"}), store_day({10: "6.00"}, store="77"))
    [taken] = mailbox.taken
    assert sorted(taken.files) == ["2024-05-02_1122.csv", "2024-05-02_77.csv"]


def test_a_day_that_is_not_over_waits_and_one_long_past_is_not_sent(hand: Sender, mailbox: MailServer) -> None:
    frames = [store_day({10: "5.00"}), store_day({10: "6.00"}, day=NEXT_DAY)]
    hand.today = NEXT_DAY
    report = hand(*frames, dates=(DAY, NEXT_DAY))
    assert [taken.message["Subject"] for taken in mailbox.taken] == ["Balance 2024-05-02 of acme"]
    assert report.messages == ("2024-05-03 is not over in every store: it is sent by the first run after that",)
    hand.today, hand.open = NEXT_DAY + timedelta(days=1), {NEXT_DAY}
    assert (hand(*frames, dates=(DAY, NEXT_DAY)).planned, len(mailbox.taken)) == (0, 1)
    hand.open.clear()
    hand.today = NEXT_DAY + timedelta(days=8)
    report = hand(*frames, dates=(DAY, NEXT_DAY))
    assert (report.planned, len(mailbox.taken)) == (0, 1)
    assert report.messages == ("2024-05-03 is not sent: it is older than max_age_days (7) and never was",)
    hand.today = NEXT_DAY + timedelta(days=7)
    assert hand(*frames, dates=(NEXT_DAY,)).delivered == 1
    hand.today += timedelta(days=90)
    assert hand(store_day({10: "5.50"})).delivered == 1  # a correction has no age
    assert mailbox.taken[-1].message["Subject"] == "Correction: Balance 2024-05-02 of acme"


def test_a_day_without_figures_is_told_only_where_there_were_some(hand: Sender, mailbox: MailServer) -> None:
    nothing = store_day({}).clear()
    assert hand(nothing).planned == 0
    hand(store_day({10: "5.00"}))
    assert hand(nothing).delivered == 1
    assert mailbox.taken[-1].files == {}
    assert "earlier ones do not count" in mailbox.taken[-1].content.decode()


def test_a_store_that_is_held_back_is_named(hand: Sender, mailbox: MailServer) -> None:
    stores = store_day({10: "5.00"}), store_day({10: "6.00"}, store="77")
    hand(*stores, held={DAY: {"77"}})
    assert b"Left out: store 77 (held back)." in mailbox.taken[0].content
    assert b"\n77;" not in mailbox.taken[0].files["2024-05-02.csv"]
    assert hand.ledger.left_out("acme", "weekly_balance_mail", [DAY]) == {DAY: ["store 77 (held back)"]}
    hand(*stores)
    assert b"\n77;" in mailbox.taken[1].files["2024-05-02.csv"]


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(("code", "becomes"), [("451", State.RETRY), ("550", State.REJECTED)])
def test_a_refusal_for_now_and_one_for_good(
    hand: Sender, mailbox: MailServer, command: str, code: str, becomes: State
) -> None:
    mailbox.answers[command].append(f"{code} <{TO}> not like this")
    report = hand(store_day({10: "5.00"}))
    assert (mailbox.taken, hand.state()) == ([], becomes)
    assert report.failed is (becomes is State.RETRY)
    assert f"{code} <(address)> not like this" in report.messages[0]
    again = hand(store_day({10: "5.00"}))
    assert len(mailbox.taken) == again.delivered == (1 if becomes is State.RETRY else 0)
    assert all(not str(taken.message["Subject"]).startswith("Correction") for taken in mailbox.taken)


def test_where_one_of_the_recipients_is_refused_nobody_gets_it(hand: Sender, mailbox: MailServer) -> None:
    mailbox.answers["RCPT"] += ["250 OK", "450 mailbox busy"]
    assert hand(store_day({10: "5.00"})).retry == 1
    assert mailbox.taken == []
    hand(store_day({10: "5.00"}))
    assert [taken.recipients for taken in mailbox.taken] == [[TO, COPY]]


def test_an_answer_that_is_lost_holds_the_day_until_forced(hand: Sender, mailbox: MailServer) -> None:
    mailbox.answers["DATA"].append(BROKEN_OFF)
    sold = store_day({10: "5.00"})
    report = hand(sold)
    assert (report.unknown, report.failed, hand.state()) == (1, True, State.UNKNOWN)
    assert "broke off after the message was sent" in report.messages[0]
    for frame in (sold, store_day({10: "6.00"})):
        held = hand(frame)
        assert (held.planned, held.unknown, len(mailbox.taken)) == (0, 1, 1)
    assert hand(sold, force=True).delivered == 1
    first, second = (taken.message for taken in mailbox.taken)
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Subject"] == second["Subject"]


def test_other_figures_after_a_lost_answer_are_a_correction(hand: Sender, mailbox: MailServer) -> None:
    mailbox.answers["DATA"].append(BROKEN_OFF)
    hand(store_day({10: "5.00"}))
    hand(store_day({10: "6.00"}), force=True)
    first, second = (taken.message for taken in mailbox.taken)
    assert str(second["Subject"]).startswith("Correction: ")
    assert first["Message-ID"] != second["Message-ID"]


def test_a_server_that_takes_no_message_so_long(ledger: Ledger, tmp_path: Path) -> None:
    with MailServer(size_limit=1500) as small:
        report = Sender(small, ledger, tmp_path)(store_day({10: "5.00"}))
        assert (report.rejected, small.taken) == (1, [])
        assert "552" in report.messages[0]


def test_a_server_that_is_not_there_stops_the_rest(hand: Sender) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    hand.server = Server(host="127.0.0.1", port=port, security="none", timeout=5)
    frames = [store_day({10: "5.00"}), store_day({10: "6.00"}, day=NEXT_DAY)]
    report = hand(*frames, dates=(DAY, NEXT_DAY))
    assert report.retry == 2
    assert f"the mail server 127.0.0.1:{port} cannot be reached (ConnectionRefusedError)" in report.messages[0]


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process trusts the certificate of the tests."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


@pytest.mark.usefixtures("trusted")
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_an_encrypted_connection_with_a_login(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: Any
) -> None:
    with MailServer(security=security, asks_for_login=True) as mailbox:
        hand = Sender(mailbox, ledger, tmp_path)
        told = {"host": "127.0.0.1", "port": mailbox.port, "security": security, "timeout": 5.0}
        hand.server = Server(**told)
        report = hand(store_day({10: "5.00"}))
        assert (report.retry, mailbox.taken) == (1, [])
        assert "asks for a login: set user and password_env (530" in report.messages[0]
        hand.server = Server(**told, user=USER, password="wrong-password")
        report = hand(store_day({10: "5.00"}))
        assert "refuses the login (535): check user and password_env" in report.messages[0]
        assert "wrong-password" not in report.messages[0] + repr(hand.server)
        hand.server = Server(**told, user=USER, password=PASSWORD)
        assert hand(store_day({10: "5.00"})).delivered == 1
        monkeypatch.delenv("SSL_CERT_FILE")
        report = hand(store_day({10: "5.10"}))
        assert (report.retry, len(mailbox.taken)) == (1, 1)
        assert "CERTIFICATE_VERIFY_FAILED" in report.messages[0]


def test_a_server_without_what_is_asked_of_it(mailbox: MailServer) -> None:
    server = Server(host="127.0.0.1", port=mailbox.port, security="starttls", timeout=5)
    with pytest.raises(MailServerError, match=r"does not offer STARTTLS: check security"), server.session():
        pass
    server = Server(host="127.0.0.1", port=mailbox.port, security="none", user="ö", password="p", timeout=5)
    with pytest.raises(MailServerError, match=r"must be ASCII"), server.session():
        pass


def test_ports_follow_from_the_security() -> None:
    assert [Server(host="h", security=each).address for each in ("starttls", "tls", "none")] == [
        "h:587",
        "h:465",
        "h:25",
    ]
