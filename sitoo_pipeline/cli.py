"""The command line: each verb a few lines over ``operations``.

Exit codes: 0 all well, 1 failed, 2 wrong settings or arguments, 130 interrupted.
Nothing heavy is imported before a verb needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Callable
from datetime import date, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Annotated, NoReturn, ParamSpec

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from sitoo_pipeline.operations.execution import Outcome
    from sitoo_pipeline.settings import Account, Settings

app = typer.Typer(
    name="sitoo-pipeline",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or str(day) != text:
        raise typer.BadParameter(f"{text!r} is not a date; write it as 2026-03-31")
    return day


P = ParamSpec("P")
AccountName = Annotated[str | None, typer.Option("--account", help="Only this account; every account without it.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")]


_shown = {"verbose": False}
"""What ``--verbose`` says: the one thing that holds for every verb."""


@app.callback()
def options(
    verbose: Annotated[bool, typer.Option("--verbose", help="Dagster's log, and whole error reports.")] = False,  # noqa: FBT002
) -> None:
    """Hourly sales of a Sitoo POS chain: extracted, computed, reconciled with the tills' z-reports and delivered."""
    import logging

    _shown["verbose"] = verbose
    # Without a handler Python prints warnings: each retry would be a line between those that a person is to read.
    logging.getLogger("sitoo_pipeline").handlers = [logging.StreamHandler() if verbose else logging.NullHandler()]


def main() -> None:
    """Entry point of the command."""
    # A shell lets what it starts in the background ignore SIGINT, and Dagster gives SIGTERM the handler of SIGINT:
    # without this, nothing but SIGKILL would end a run that was started there.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app()


def _console() -> Console:
    from sitoo_pipeline.operations.console import make_console

    return make_console()


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


def _fail(text: str, code: int) -> NoReturn:
    _say(text)
    raise typer.Exit(code)


def _settings() -> Settings:
    from sitoo_pipeline.settings import SettingsError, load_settings

    try:
        settings = load_settings()
    except SettingsError as error:
        _fail(str(error), 2)
    for warning in settings.warnings:
        _say(f"warning: {warning}")
    return settings


def _accounts(settings: Settings, name: str | None) -> list[Account]:
    found = [account for account in settings.accounts if name in (None, account.name)]
    if not found:
        known = ", ".join(account.name for account in settings.accounts)
        _fail(f"--account {name}: there is no such account; the settings have: {known}", 2)
    return found


def _clearly(verb: Callable[P, None]) -> Callable[P, None]:
    """Turn every failure into one line and an exit code; ``--verbose`` shows the whole report of an unexpected one."""

    @wraps(verb)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            verb(*args, **kwargs)
        except KeyboardInterrupt:
            _fail("Interrupted. What was done stays; run it again for the rest.", 130)
        except typer.Exit:
            raise
        except Exception as error:
            from sitoo_pipeline.operations.faults import exit_code, explained

            if text := explained(error):
                _fail(text, exit_code(error))
            if _shown["verbose"]:
                raise
            again = shlex.join(["sitoo-pipeline", "--verbose", *sys.argv[1:]])
            _fail(f"unexpected {type(error).__name__}; the whole report: {again}", 1)

    return guarded


def _report(outcomes: list[Outcome], console: Console) -> None:
    from sitoo_pipeline.operations.report import print_outcomes

    print_outcomes(outcomes, console)
    if not all(outcome.success for outcome in outcomes):
        raise typer.Exit(1)


@app.command(short_help="The whole pipeline against the embedded sandbox.")
@_clearly
def demo(
    days: Annotated[int, typer.Option(min=1, max=400, help="How many of the last whole days.")] = 14,
    stores: Annotated[int, typer.Option(min=1, max=60, help="How many stores the chain has.")] = 6,
    seed: Annotated[int, typer.Option(help="Another seed, another chain.")] = 1,
) -> None:
    """Run the whole pipeline against the embedded sandbox, and show what came out of it."""
    from sitoo_pipeline.operations.demo import DemoChain, run_demo
    from sitoo_pipeline.operations.demo_report import print_demo

    console = _console()
    chain = DemoChain.until_yesterday(days=days, stores=stores, seed=seed)
    console.print(f"Sandbox: {stores} stores and a web shop. The last {days} days, from Sitoo to the targets.")
    found, success, troubles = run_demo(chain, console, verbose=_shown["verbose"])
    print_demo(found, troubles, console)
    if not success:
        raise typer.Exit(1)


@app.command(short_help="One business date of every account, from Sitoo to the targets.")
@_clearly
def run(
    day: Annotated[
        date | None,
        typer.Option("--date", parser=_day, metavar="DATE", help="One business date, written as 2026-03-31."),
    ] = None,
) -> None:
    """Bring one business date of every account from Sitoo to the targets.

    Without a date: yesterday, and every earlier date of which something came late or changed.
    """
    settings = _settings()
    from sitoo_pipeline.operations.running import dates_between, run_dates, run_recent

    console = _console()
    if day is None:
        _report(run_recent(settings, console=console, verbose=_shown["verbose"]), console)
        return
    dates = {account.name: dates_between(account, day, day, option="--date") for account in settings.accounts}
    _report(run_dates(settings, dates, console=console, trigger="run", verbose=_shown["verbose"]), console)


@app.command(short_help="A range of business dates, from Sitoo to the targets.")
@_clearly
def backfill(
    first: Annotated[date, typer.Option("--from", parser=_day, metavar="DATE", help="First business date.")],
    last: Annotated[date, typer.Option("--to", parser=_day, metavar="DATE", help="Last business date, included.")],
    account: AccountName = None,
    no_sinks: Annotated[bool, typer.Option("--no-sinks", help="Stop before the deliveries.")] = False,  # noqa: FBT002
) -> None:
    """Bring a range of business dates from Sitoo to the targets; dates that succeed stay when others fail."""
    settings = _settings()
    accounts = _accounts(settings, account)
    from sitoo_pipeline.operations.running import dates_between, run_dates

    console = _console()
    dates = {chosen.name: dates_between(chosen, first, last) for chosen in accounts}
    outcomes = run_dates(
        settings, dates, console=console, sinks=not no_sinks, trigger="backfill", verbose=_shown["verbose"]
    )
    _report(outcomes, console)


@app.command(short_help="Per date: loaded, reconciled, delivered, failed or missing.")
@_clearly
def status(
    first: Annotated[
        date | None, typer.Option("--from", parser=_day, metavar="DATE", help="The account's start date without it.")
    ] = None,
    last: Annotated[
        date | None, typer.Option("--to", parser=_day, metavar="DATE", help="Yesterday without it.")
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Show per account and date: loaded, reconciled, delivered, failed or missing.

    Dates that follow each other in the same state share a row. Ends with 1 if a date is missing, failed, incomplete or
    not delivered; an unbalanced z-report is shown and is no failure.
    """
    settings = _settings()
    from sitoo_pipeline.operations import report
    from sitoo_pipeline.operations.faults import exit_code, explained
    from sitoo_pipeline.operations.running import dates_between, today
    from sitoo_pipeline.operations.status import statuses

    console = _console()
    days, unread = [], 0
    for account in settings.accounts:
        yesterday = today(account) - timedelta(days=1)
        begin, end = first or account.start_date, last or max(yesterday, first or yesterday)
        if first is None and last is None and end < begin:
            _say(f"{account.name}: starts on {begin}; no date is over yet")
            continue
        try:
            days += statuses(account, dates_between(account, begin, end))
        except Exception as error:
            if exit_code(error) == 2 or not (text := explained(error)):
                raise
            _say(f"{account.name}: {text}")
            unread += 1
    if as_json:
        console.print_json(data=[report.as_json(day) for day in days])
    elif days:
        report.print_status(days, console)
    if unread or any(day.state != "done" for day in days):
        raise typer.Exit(1)


@app.command(short_help="What could stop the next run, and what to do about it.")
@_clearly
def doctor(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Check settings, credentials, targets, disk and locks: one line each, with what to do."""
    from dataclasses import asdict

    settings = _settings()
    from sitoo_pipeline.operations.doctor import examine

    console = _console()
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
@_clearly
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the web server.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Start Dagster's web server and daemon, with this project's history and schedules."""
    from sitoo_pipeline.operations.ui import serve_ui
    from sitoo_pipeline.settings import SettingsError

    try:
        code = serve_ui(host=host, port=port)
    except SettingsError as error:
        _fail(str(error), 2)
    raise typer.Exit(code)


@app.command(short_help="The sandbox servers alone (Sitoo and the targets).")
@_clearly
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any.")] = 8765,
    stores: Annotated[int | None, typer.Option(min=1, max=60, help="Stores; as the last demo without it.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed; as the last demo without it.")] = None,
) -> None:
    """Start the sandbox servers alone (Sitoo and the targets), for trying the UI or another client."""
    from sitoo_pipeline.operations.demo import serve_sandbox
    from sitoo_pipeline.operations.ui import check_port

    check_port("127.0.0.1", port)
    serve_sandbox(port=port, stores=stores, seed=seed, console=_console())


if __name__ == "__main__":
    main()
