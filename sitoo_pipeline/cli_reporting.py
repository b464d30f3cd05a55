"""The verbs ``report`` and ``export``: what analysts take away. Nothing heavy is imported before a verb needs it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from sitoo_pipeline.command import accounts_or_exit, clearly, parse_day, say, settings_or_exit, standard_console

First = Annotated[date, typer.Option("--from", parser=parse_day, metavar="DATE", help="First business date.")]
Last = Annotated[date, typer.Option("--to", parser=parse_day, metavar="DATE", help="Last business date, included.")]
AccountName = Annotated[str | None, typer.Option("--account", help="Only this account; every account without it.")]
AsJson = Annotated[bool, typer.Option("--json", help="What was written, as JSON, for other programs.")]


@clearly
def report(
    first: First,
    last: Last,
    account: AccountName = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="sales_<from>_<to>.html here without it.")
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Write the figures of a period as one HTML page: pictures with their tables, and how far to trust them.

    The page needs no network and no script, and can be sent and printed. It is made from what is loaded, also while a
    load runs; it says which dates are missing, not reconciled or not delivered.
    """
    settings = settings_or_exit()
    from sitoo_pipeline.operations.reporting import Period, as_json_text, remarks, write_report

    period = Period(accounts_or_exit(settings, account), first, last)
    path = output or Path(f"sales_{first}_{last}.html")
    parts = write_report(period, path)
    _tell(path, as_json_text(parts, [path]) if as_json else None, remarks(parts))


@clearly
def export(
    first: First,
    last: Last,
    form: Annotated[str, typer.Option("--format", metavar="csv|parquet|xlsx", help="How it is written.")],
    tables: Annotated[
        list[str] | None,
        typer.Option(
            "--table", metavar="TABLE", help="A table of marts, may be repeated; what the report shows without it."
        ),
    ] = None,
    account: AccountName = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="PATH", help="A file; for several tables as CSV or Parquet, a folder."),
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Write the figures of a period for other programs: tables of marts as CSV, Parquet or XLSX.

    Amounts are exact, instants are in UTC and by the shop's clock. Identical figures make identical files.
    """
    settings = settings_or_exit()
    from sitoo_pipeline.operations.exporting import write_export
    from sitoo_pipeline.operations.reporting import Period, as_json_text, remarks

    period = Period(accounts_or_exit(settings, account), first, last)
    written = write_export(period, form, tables or [], output)
    told = as_json_text(written.parts, written.paths, rows=written.rows) if as_json else None
    _tell(written.paths[0].parent if len(written.paths) > 1 else written.paths[0], told, remarks(written.parts))


def _tell(path: Path, as_json: str | None, remarks: list[str]) -> None:
    console = standard_console()
    for remark in remarks:
        say(remark)
    console.print(as_json if as_json is not None else f"written: {path}")


def register(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    app.command(short_help="One HTML page of a period: sales, reconciliation, deliveries.")(report)
    app.command(short_help="The figures of a period as CSV, Parquet or XLSX.")(export)
