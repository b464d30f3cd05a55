"""The weekly balance's files: into a folder, and by e-mail. No dagster here."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import nullcontext
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import duckdb

from sitoo_pipeline.assets.holding_back import Balance, from_balance, held_by, held_with
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.sink import Dates, Sink
from sitoo_pipeline.settings import Account
from sitoo_pipeline.settings import WeeklyBalanceCsv as CsvSettings
from sitoo_pipeline.settings import WeeklyBalanceMail as MailSettings
from sitoo_pipeline.settings.mail import MailRoute
from sitoo_pipeline.settings.opening_hours import open_hours
from sitoo_pipeline.sinks import Ledger, Prepared, Target
from sitoo_pipeline.sinks.smtp import MailServer
from sitoo_pipeline.sinks.weekly_balance_csv import WeeklyBalanceCsv
from sitoo_pipeline.sinks.weekly_balance_files import OpenHours, WeeklyBalanceFiles
from sitoo_pipeline.sinks.weekly_balance_layout import CsvFormat
from sitoo_pipeline.sinks.weekly_balance_mail import Envelope, WeeklyBalanceMail
from sitoo_pipeline.tables import Table, core, marts


def csv_sink(runtime: Runtime) -> Sink:
    """The files in the account's folder."""
    account = runtime.account

    def make(_: Target, con: duckdb.DuckDBPyConnection, dates: Dates, ledger: Ledger, balance: Balance) -> Prepared:
        target = WeeklyBalanceCsv(_files(account, con))
        known = ledger.keys(account.name, WeeklyBalanceCsv.name, dates)
        return target.prepare(balance.rows, account=account.name, dates=dates, known=known, held=balance.held)

    return Sink(
        name=WeeklyBalanceCsv.name,
        description="CSV files in the layout of SameSystem's hourly import: a file per business date, or as set.",
        kinds=frozenset({"csv"}),
        reads=_reads(runtime),
        also=held_with(runtime),
        is_one_per_date=True,
        open=lambda: nullcontext(WeeklyBalanceCsv(_files(account))),
        prepare=from_balance(runtime, make),
    )


def mail_sink(runtime: Runtime, said: MailSettings) -> Sink:
    """The same files by e-mail."""
    account = runtime.account

    def make(
        target: Target, con: duckdb.DuckDBPyConnection, dates: Dates, ledger: Ledger, balance: Balance
    ) -> Prepared:
        assert isinstance(target, WeeklyBalanceMail)
        now = datetime.now(UTC)
        return target.prepare(
            _files(account, con),
            balance.rows,
            account=account.name,
            dates=dates,
            today=now.astimezone(ZoneInfo(account.timezone)).date(),
            is_over=lambda day: now >= runtime.over_at(day),
            max_age_days=said.max_age_days,
            handed_over=lambda keys: ledger.of(account.name, WeeklyBalanceMail.name, keys),
            held=balance.held,
        )

    return Sink(
        name=WeeklyBalanceMail.name,
        description="The CSV files of a business date by e-mail, once it is over, and again when its figures change.",
        kinds=frozenset({"email"}),
        reads=_reads(runtime),
        also=held_with(runtime),
        is_one_per_date=False,
        is_at_most_once=True,
        is_optional=True,
        open=lambda: nullcontext(WeeklyBalanceMail(mail_server(account, said), _envelope(said))),
        prepare=from_balance(runtime, make),
    )


def mail_server(account: Account, said: MailRoute) -> MailServer:
    """The mail server of the settings."""
    return MailServer(
        host=said.host,
        security=said.security,
        port=said.port,
        user=said.user,
        password=said.password.get_secret_value() if said.password else None,
        timeout=account.http.read_timeout,
    )


def _envelope(said: MailSettings) -> Envelope:
    return Envelope(
        sender=said.sender, recipients=said.recipients, subject=said.subject, correction_subject=said.correction_subject
    )


def _reads(runtime: Runtime) -> tuple[Table, ...]:
    return (marts.WEEKLY_BALANCE_HOURLY, core.STORES, *held_by(runtime))


def _files(account: Account, con: duckdb.DuckDBPyConnection | None = None) -> WeeklyBalanceFiles:
    """How the files are made; to write and compare them nothing has to be known of the stores."""
    said = account.targets.weekly_balance_csv
    home: dict[str, str] = {}
    if con is not None:
        home = dict(
            con.execute(
                "SELECT DISTINCT store_id, currency FROM core.stores "
                "WHERE store_id IS NOT NULL AND currency IS NOT NULL"
            ).fetchall()
        )
    return WeeklyBalanceFiles(
        account.exports_folder / "weekly_balance",
        home_currency=home,
        csv_format=_csv_format(said),
        open_hours=_open_hours(account),
        by_store=said.one_file_per == "store",
    )


def _csv_format(said: CsvSettings) -> CsvFormat:
    signs = {"returns": said.returns, "discounts": said.discounts}
    return CsvFormat(
        column=said.separator,
        decimal=said.decimal_mark,
        thousands=said.thousands_mark,
        date_format=said.date_format,
        register_id=said.register_id if said.register_column else None,
        header=said.header,
        gross_with_vat=said.gross_sales == "incl_vat",
        net_with_vat=said.net_sales == "incl_vat",
        negative=frozenset(name for name, sign in signs.items() if sign == "negative"),
        encoding=said.encoding,
    )


def _open_hours(account: Account) -> OpenHours:
    usual = open_hours(account.targets.weekly_balance_csv.opening_hours)
    own = {store: open_hours(said.opening_hours) for store, said in account.stores.items() if said.opening_hours}

    def of(store_id: str, day: date) -> Collection[int]:
        return own.get(store_id, usual)[day.weekday()]

    return of
