"""The command line: each verb a few lines over ``operations``. What all verbs share is in ``command``.

Nothing heavy is imported before a verb needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import atexit
import gc
import signal
from datetime import date
from typing import Annotated

import typer

from sitoo_pipeline import cli_delivering, cli_reporting, cli_upkeep
from sitoo_pipeline.cli_delivering import OverwriteApproved
from sitoo_pipeline.command import (
    accounts_or_exit,
    clearly,
    fail,
    is_verbose,
    parse_day,
    report_outcomes,
    say,
    set_verbose,
    settings_or_exit,
    standard_console,
    working_console,
)

app = typer.Typer(
    name="sitoo-pipeline",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


AccountName = Annotated[str | None, typer.Option("--account", help="Only this account; every account without it.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")]


@app.callback()
def options(
    verbose: Annotated[bool, typer.Option("--verbose", help="Dagster's log, and whole error reports.")] = False,  # noqa: FBT002
) -> None:
    """Hourly sales of a Sitoo POS chain: extracted, computed, reconciled with the tills' z-reports and delivered."""
    set_verbose(verbose)


def main() -> None:
    """Entry point of the command."""
    # A shell lets what it starts in the background ignore SIGINT, and Dagster gives SIGTERM the handler of SIGINT:
    # without this, nothing but SIGKILL would end a run that was started there.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # By default the garbage collector looks through everything that is imported again and again, and finds nothing.
    gc.set_threshold(20_000, 10, 10)
    # In the end it would take apart all that was ever imported, one object after the other, which takes a second.
    atexit.register(gc.freeze)
    app()


@app.command(short_help="The whole pipeline against the embedded sandbox.")
@clearly
def demo(
    days: Annotated[int, typer.Option(min=1, max=400, help="How many of the last whole days.")] = 14,
    stores: Annotated[int, typer.Option(min=1, max=60, help="How many stores the chain has.")] = 6,
    seed: Annotated[int, typer.Option(help="Another seed, another chain.")] = 1,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Run the whole pipeline against the embedded sandbox, and show what came out of it."""
    from sitoo_pipeline.operations.demo import DemoChain, run_demo
    from sitoo_pipeline.operations.demo_report import demo_as_json, print_demo

    console = working_console(as_json=as_json)
    chain = DemoChain.until_yesterday(days=days, stores=stores, seed=seed)
    console.print(f"Sandbox: {stores} stores and a web shop. The last {days} days, from Sitoo to the targets.")
    found, success, troubles = run_demo(chain, console, verbose=is_verbose())
    print_demo(found, troubles, console)
    if as_json:
        standard_console().print_json(data=demo_as_json(found, troubles, success=success))
    if not success:
        raise typer.Exit(1)


@app.command(short_help="One business date of every account, from Sitoo to the targets.")
@clearly
def run(
    day: Annotated[
        date | None,
        typer.Option("--date", parser=parse_day, metavar="DATE", help="One business date, written as 2026-03-31."),
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Bring one business date of every account from Sitoo to the targets.

    Without a date: yesterday, and every earlier date of which something came late or changed.
    """
    settings = settings_or_exit()
    from sitoo_pipeline.operations.dates import dates_between
    from sitoo_pipeline.operations.running import run_dates, run_recent

    console = working_console(as_json=as_json)
    if day is None:
        report_outcomes(run_recent(settings, console=console, verbose=is_verbose()), as_json=as_json)
        return
    dates = {account.name: dates_between(account, day, day, option="--date") for account in settings.accounts}
    outcomes = run_dates(settings, dates, console=console, trigger="run", verbose=is_verbose())
    report_outcomes(outcomes, as_json=as_json)


@app.command(short_help="A range of business dates, from Sitoo to the targets.")
@clearly
def backfill(
    first: Annotated[date, typer.Option("--from", parser=parse_day, metavar="DATE", help="First business date.")],
    last: Annotated[date, typer.Option("--to", parser=parse_day, metavar="DATE", help="Last business date, included.")],
    account: AccountName = None,
    no_sinks: Annotated[bool, typer.Option("--no-sinks", help="Stop before the deliveries.")] = False,  # noqa: FBT002
    no_fetch: Annotated[bool, typer.Option("--no-fetch", help="Ask Sitoo for nothing: compute from raw.")] = False,  # noqa: FBT002
    overwrite_approved: OverwriteApproved = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Bring a range of business dates from Sitoo to the targets; dates that succeed stay when others fail.

    With --no-fetch they are computed again from what raw has of them, as a new table needs it after an upgrade.
    """
    settings = settings_or_exit()
    accounts = accounts_or_exit(settings, account)
    if overwrite_approved is not None and (no_sinks or not any(chosen.targets.samesystem for chosen in accounts)):
        fail("--overwrite-approved and --keep-approved are for SameSystem, and nothing would be handed to it", 2)
    from sitoo_pipeline.operations.dates import dates_between
    from sitoo_pipeline.operations.running import run_dates

    console = working_console(as_json=as_json)
    dates = {chosen.name: dates_between(chosen, first, last) for chosen in accounts}
    outcomes = run_dates(
        settings, dates, console=console, sinks=not no_sinks, fetch=not no_fetch, trigger="backfill",
        verbose=is_verbose(), overwrite_approved=overwrite_approved,
    )  # fmt: skip
    report_outcomes(outcomes, as_json=as_json)


app.command(short_help="A period to one target again, or what would change there.")(cli_delivering.deliver)


@app.command(short_help="Dates that are missing, failed, unreconciled or not delivered.")
@clearly
def status(
    first: Annotated[
        date | None,
        typer.Option("--from", parser=parse_day, metavar="DATE", help="The account's start date without it."),
    ] = None,
    last: Annotated[
        date | None, typer.Option("--to", parser=parse_day, metavar="DATE", help="Today without it.")
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Show up to today which dates lack something: failed, missing, incomplete, undelivered, unreconciled.

    With --from or --to, every date of that period. Ends with 1 if a date that is over is missing, incomplete or not
    delivered, or if one failed; an unbalanced z-report is shown and is no failure. Today is open: it is not over.
    """
    settings = settings_or_exit()
    from sitoo_pipeline.operations.status import survey
    from sitoo_pipeline.operations.status_report import print_status, status_as_json

    console, found = standard_console(), []
    for account in survey(settings, first, last):
        found.append(account)
        if account.trouble:
            say(f"{account.account}: {account.trouble}")
        elif not as_json:
            print_status(account, console, every_date=first is not None or last is not None)
    if as_json:
        console.print_json(data=status_as_json(found))
    if any(account.is_failure for account in found):
        raise typer.Exit(1)


cli_reporting.register(app)


@app.command(short_help="What could stop the next run, and what to do about it.")
@clearly
def doctor(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Check settings, credentials, targets, disk and locks: one line each, with what to do."""
    from dataclasses import asdict

    settings = settings_or_exit()
    from sitoo_pipeline.operations.doctor import examine

    console = standard_console()
    findings = []
    for finding in examine(settings):
        findings.append(finding)
        if not as_json:
            console.print(finding.line)
    if as_json:
        console.print_json(data=[asdict(finding) for finding in findings])
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(1)


@app.command(short_help="Dagster's web server and daemon, with this project's history.")
@clearly
def ui(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the web server; 3000 without it, read-only 3001.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    read_only: Annotated[  # noqa: FBT002
        bool, typer.Option("--read-only", help="The web server alone; nothing can be started or changed in it.")
    ] = False,
) -> None:
    """Start Dagster's web server and daemon, with this project's history and schedules.

    With --read-only, the web server for analysts: beside the operator's, on another port.
    """
    from sitoo_pipeline.operations.ui import serve_ui
    from sitoo_pipeline.settings import SettingsError

    try:
        code = serve_ui(host=host, port=port or (3001 if read_only else 3000), read_only=read_only)
    except SettingsError as error:
        fail(str(error), 2)
    raise typer.Exit(code)


@app.command(short_help="The sandbox servers alone (Sitoo and the targets).")
@clearly
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any.")] = 8765,
    stores: Annotated[int | None, typer.Option(min=1, max=60, help="Stores; as the last demo without it.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed; as the last demo without it.")] = None,
) -> None:
    """Start the sandbox servers alone (Sitoo and the targets), for trying the UI or another client."""
    from sitoo_pipeline.operations.demo import serve_sandbox
    from sitoo_pipeline.operations.ui import check_port

    check_port("127.0.0.1", port)
    serve_sandbox(port=port, stores=stores, seed=seed, console=standard_console())


app.add_typer(cli_upkeep.app)


if __name__ == "__main__":
    main()
