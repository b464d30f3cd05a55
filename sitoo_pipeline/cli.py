"""The command line: each verb a few lines over ``operations``. Exit codes: 0 all well, 1 failed, 2 wrong settings or arguments.

Nothing heavy is imported before a verb needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import TYPE_CHECKING, Annotated, NoReturn, ParamSpec

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from sitoo_pipeline.operations.execution import Outcome
    from sitoo_pipeline.settings import Account, Settings

app = typer.Typer(
    name="sitoo-pipeline",
    help="Hourly sales of a Sitoo POS chain: extracted, computed, reconciled with the tills' z-reports and delivered.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date; write it as 2026-03-31") from None


P = ParamSpec("P")
AccountName = Annotated[str | None, typer.Option("--account", help="Only this account; every account without it.")]


def main() -> None:
    """Entry point of the command."""
    app()


def _console(*, errors: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=errors, soft_wrap=True, highlight=False)


def _fail(text: str, code: int) -> NoReturn:
    print(text, file=sys.stderr)  # noqa: T201
    raise typer.Exit(code)


def _settings() -> Settings:
    from sitoo_pipeline.settings import SettingsError, load_settings

    try:
        settings = load_settings()
    except SettingsError as error:
        _fail(str(error), 2)
    for warning in settings.warnings:
        print(f"warning: {warning}", file=sys.stderr)  # noqa: T201
    return settings


def _accounts(settings: Settings, name: str | None) -> list[Account]:
    if name is None:
        return list(settings.accounts)
    found = [account for account in settings.accounts if account.name == name]
    if not found:
        known = ", ".join(account.name for account in settings.accounts)
        _fail(f"--account {name}: there is no such account; the settings have: {known}", 2)
    return found


def _clearly(verb: Callable[P, None]) -> Callable[P, None]:
    """Turn the failures that a person can do something about into one line and exit code 1."""

    @wraps(verb)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        from sitoo_pipeline.operations.faults import EXPECTED

        try:
            verb(*args, **kwargs)
        except EXPECTED as error:
            _fail(" ".join(str(error).split()), 1)

    return guarded


def _report(outcomes: list[Outcome], console: Console) -> None:
    from sitoo_pipeline.operations.report import print_outcomes

    print_outcomes(outcomes, console)
    if not all(outcome.success for outcome in outcomes):
        raise typer.Exit(1)


@app.command()
@_clearly
def demo(
    days: Annotated[int, typer.Option(min=1, max=400, help="How many of the last whole days.")] = 14,
    stores: Annotated[int, typer.Option(min=1, max=60, help="How many stores the chain has.")] = 6,
    seed: Annotated[int, typer.Option(help="Another seed, another chain.")] = 1,
) -> None:
    """Run the whole pipeline against the embedded sandbox, and show what came out of it."""
    from sitoo_pipeline.operations.demo import DemoChain, run_demo
    from sitoo_pipeline.operations.report import print_demo

    console = _console()
    chain = DemoChain.until_yesterday(days=days, stores=stores, seed=seed)
    console.print(
        f"Sandbox: a chain of {stores} stores and a web shop. The last {days} days, from Sitoo to the targets."
    )
    found, success, troubles = run_demo(chain, console)
    print_demo(found, troubles, console)
    if not success:
        raise typer.Exit(1)


@app.command()
@_clearly
def run(
    day: Annotated[
        date | None,
        typer.Option("--date", parser=_day, metavar="DATE", help="One business date; without it, see above."),
    ] = None,
) -> None:
    """Bring one business date of every account from Sitoo to the targets.

    Without a date: yesterday, the recent days again, and every earlier date that late or changed orders touch.
    """
    from sitoo_pipeline.operations.running import RangeError, dates_between, recent_and_touched, run_dates, unreachable

    settings, console = _settings(), _console()
    dates: dict[str, list[date]] = {}
    refused = False
    for account in settings.accounts:
        try:
            if day:
                dates[account.name] = dates_between(account, day, day)
            elif why := unreachable(account):
                print(f"{account.name}: {why}", file=sys.stderr)  # noqa: T201
                refused = True
            else:
                dates[account.name] = recent_and_touched(account)
        except RangeError as error:
            _fail(str(error).replace("--from ", "--date ").replace("--to ", "--date "), 2)
    outcomes = run_dates(settings, dates, console=console, trigger="run")
    _report(outcomes, console)
    if refused:
        raise typer.Exit(1)


@app.command()
@_clearly
def backfill(
    first: Annotated[date, typer.Option("--from", parser=_day, metavar="DATE", help="First business date.")],
    last: Annotated[date, typer.Option("--to", parser=_day, metavar="DATE", help="Last business date, included.")],
    account: AccountName = None,
    no_sinks: Annotated[bool, typer.Option("--no-sinks", help="Stop before the deliveries.")] = False,  # noqa: FBT002
) -> None:
    """Bring a range of business dates from Sitoo to the targets; dates that succeed stay when others fail."""
    from sitoo_pipeline.operations.running import RangeError, dates_between, run_dates

    settings, console = _settings(), _console()
    try:
        dates = {chosen.name: dates_between(chosen, first, last) for chosen in _accounts(settings, account)}
    except RangeError as error:
        _fail(str(error), 2)
    _report(run_dates(settings, dates, console=console, sinks=not no_sinks, trigger="backfill"), console)


@app.command()
@_clearly
def status(
    first: Annotated[
        date | None, typer.Option("--from", parser=_day, metavar="DATE", help="The start date without it.")
    ] = None,
    last: Annotated[
        date | None, typer.Option("--to", parser=_day, metavar="DATE", help="Yesterday without it.")
    ] = None,
) -> None:
    """Show per account and date: loaded, reconciled, delivered, failed or missing."""
    from datetime import timedelta

    from sitoo_pipeline.operations.report import print_status
    from sitoo_pipeline.operations.running import RangeError, dates_between, today
    from sitoo_pipeline.operations.status import statuses

    settings, console = _settings(), _console()
    days = []
    for account in settings.accounts:
        yesterday = today(account) - timedelta(days=1)
        begin, end = first or account.start_date, last or yesterday
        if first is None and end < begin:
            continue
        try:
            days += statuses(account, dates_between(account, begin, end))
        except RangeError as error:
            _fail(str(error), 2)
    print_status(days, console)
    if any(day.state != "done" for day in days):
        raise typer.Exit(1)


@app.command()
@_clearly
def doctor() -> None:
    """Check settings, credentials, targets, disk and locks: one line each, with what to do."""
    from sitoo_pipeline.operations.doctor import examine

    settings, console = _settings(), _console()
    healthy = True
    for finding in examine(settings):
        console.print(finding.line)
        healthy = healthy and finding.is_well
    if not healthy:
        raise typer.Exit(1)


@app.command()
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


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any.")] = 8765,
    stores: Annotated[int | None, typer.Option(min=1, max=60, help="Stores; as the last demo without it.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed; as the last demo without it.")] = None,
) -> None:
    """Start the sandbox servers alone (Sitoo and the targets), for trying the UI or another client."""
    from sitoo_pipeline.operations.demo import serve_sandbox

    try:
        serve_sandbox(port=port, stores=stores, seed=seed, console=_console())
    except OSError as error:
        _fail(f"--port {port}: {error.strerror or error}; choose another port", 1)


if __name__ == "__main__":
    main()
