"""What every verb of the command line shares: its settings, its console, and failures as one line and an exit code.

Exit codes: 0 all well, 1 failed, 2 wrong settings or arguments, 130 interrupted.
Nothing heavy is imported before a verb needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import TYPE_CHECKING, NoReturn, ParamSpec

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from sitoo_pipeline.operations.execution import Outcome
    from sitoo_pipeline.settings import Account, Settings

P = ParamSpec("P")

_shown = {"verbose": False, "log_is_json": False}
"""What holds for every verb: what ``--verbose`` says, and whether standard error is a log of JSON lines."""


class Ended(typer.Exit):
    """The end of a verb that failed, with what was said of it."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(code)
        self.text = text


def set_verbose(verbose: bool) -> None:  # noqa: FBT001
    """Whether Dagster's log and whole error reports are shown."""
    _shown.update(verbose=verbose, log_is_json=False)
    # Without a handler Python prints warnings: each retry would be a line between those that a person is to read.
    logging.getLogger("sitoo_pipeline").handlers = [logging.StreamHandler() if verbose else logging.NullHandler()]


def is_verbose() -> bool:
    """What ``--verbose`` says."""
    return _shown["verbose"]


def parse_day(text: str) -> date:
    """A date as it is given to an option.

    Raises:
        typer.BadParameter: it is not written as ``2026-03-31``.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or str(day) != text:
        raise typer.BadParameter(f"{text!r} is not a date; write it as 2026-03-31")
    return day


def standard_console() -> Console:
    """The console of a verb."""
    from sitoo_pipeline.operations.console import make_console

    return make_console()


def say(text: str, *, level: int = logging.WARNING) -> None:
    """A line on standard error; where the settings make that a log of JSON lines, one of those."""
    if _shown["log_is_json"]:
        logging.getLogger(__name__).log(level, text)
    else:
        print(text, file=sys.stderr)  # noqa: T201


def fail(text: str, code: int) -> NoReturn:
    """End with a line on standard error and an exit code; with ``--json``, the text is in the answer too."""
    say(text, level=logging.ERROR)
    raise Ended(text, code)


def _answer_with(text: str, code: int) -> None:
    """The one JSON document of a verb that ended before it had an answer."""
    standard_console().print_json(data={"error": text, "exit_code": code})


def settings_or_exit() -> Settings:
    """The settings; where they are wrong, the command ends with 2 and what would be right."""
    from sitoo_pipeline.settings import SettingsError, load_settings

    try:
        settings = load_settings()
    except SettingsError as error:
        fail(str(error), 2)
    if settings.log_format == "json":
        from sitoo_pipeline.logs import log_to_stderr, secrets_of

        log_to_stderr(secrets_of(settings))
        _shown["log_is_json"] = True
    for warning in settings.warnings:
        say(f"warning: {warning}")
    return settings


def accounts_or_exit(settings: Settings, name: str | None) -> list[Account]:
    """The account of this name, or all; where there is none, the command ends with 2."""
    found = [account for account in settings.accounts if name in (None, account.name)]
    if not found:
        known = ", ".join(account.name for account in settings.accounts)
        fail(f"--account {name}: there is no such account; the settings have: {known}", 2)
    return found


def clearly(verb: Callable[P, None]) -> Callable[P, None]:
    """Turn every failure into one line and an exit code; ``--verbose`` shows the whole report of an unexpected one."""

    @wraps(verb)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            _explaining(verb, *args, **kwargs)
        except Ended as end:
            if kwargs.get("as_json"):
                _answer_with(end.text, end.exit_code)
            raise
        except typer.Exit:
            raise
        except Exception as error:  # with --verbose: its whole report follows, on standard error
            if kwargs.get("as_json"):
                _answer_with(f"unexpected {type(error).__name__}", 1)
            raise

    return guarded


def _explaining(verb: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    try:
        verb(*args, **kwargs)
    except KeyboardInterrupt:
        fail("Interrupted. What was done stays; run it again for the rest.", 130)
    except typer.Exit:
        raise
    except Exception as error:
        from sitoo_pipeline.operations.faults import exit_code, explained

        if text := explained(error):
            fail(text, exit_code(error))
        if is_verbose():
            raise
        again = shlex.join(["sitoo-pipeline", "--verbose", *sys.argv[1:]])
        fail(f"unexpected {type(error).__name__}; the whole report: {again}", 1)


def working_console(*, as_json: bool) -> Console:
    """The console of long work: silent where standard output is for another program."""
    from rich.console import Console

    return Console(quiet=True) if as_json else standard_console()


def report_outcomes(outcomes: list[Outcome], *, as_json: bool = False) -> None:
    """Say what became of the dates; where one failed, the command ends with 1."""
    from sitoo_pipeline.operations.report import outcomes_as_json, print_outcomes

    if as_json:
        standard_console().print_json(data=outcomes_as_json(outcomes))
    else:
        print_outcomes(outcomes, standard_console())
    if not all(outcome.success for outcome in outcomes):
        raise typer.Exit(1)
