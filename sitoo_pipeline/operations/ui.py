"""Dagster's web server and daemon, on this project's home."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sitoo_pipeline.operations.faults import PortTakenError
from sitoo_pipeline.operations.home import dagster_home
from sitoo_pipeline.settings import is_configured, load_settings
from sitoo_pipeline.settings.demo import demo_settings

_STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def check_port(host: str, port: int) -> None:
    """Raise a PortTakenError where nothing can listen at ``host`` and ``port``."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        text = f"--port {port}: nothing can listen there on {host} ({error.strerror}); choose another port with --port"
        raise PortTakenError(text) from None


def serve_ui(*, host: str, port: int, read_only: bool = False) -> int:
    """Run Dagster's web server and daemon until they are interrupted, and return the exit code.

    With ``read_only`` it is the web server alone, in which nothing can be started or changed: for analysts, beside the
    operator's, on the same history.

    Raises:
        SettingsError: the settings are wrong; nothing was started.
        PortTakenError: something else listens there; nothing was started.
    """
    settings = load_settings() if is_configured() else demo_settings()
    check_port(host, port)
    workspace = str(dagster_home(settings.data_dir) / "workspace.yaml")
    program = ["dagster_webserver", "--read-only"] if read_only else ["dagster", "dev"]
    # Dagster calls its text "colored".
    form = "json" if settings.log_format == "json" else "colored"
    command = [sys.executable, "-m", *program, "-w", workspace, "-h", host, "-p", str(port), "--log-format", form]
    # In a group of its own: Dagster's children are then stopped together, and only once, when this one is interrupted.
    with _handled(), subprocess.Popen(command, env=_environment(), start_new_session=True) as child:  # noqa: S603
        while True:
            try:
                code = child.wait()
                break
            except KeyboardInterrupt:
                child.send_signal(signal.SIGINT)  # the one that Dagster takes for a request to shut everything down
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)  # what Dagster may have left behind
    return 0 if code in (0, -signal.SIGINT, -signal.SIGTERM) else code


def _environment() -> dict[str, str]:
    """This process's, without the note that ``dg dev`` would be the newer command: it needs another package."""
    said = [os.environ.get("PYTHONWARNINGS", ""), "ignore:Function `dev_command` is superseded"]
    return os.environ | {"PYTHONWARNINGS": ",".join(filter(None, said))}


@contextmanager
def _handled() -> Iterator[None]:
    """Every request to stop is a KeyboardInterrupt.

    A shell lets what it starts in the background ignore SIGINT, and Dagster's processes would inherit that; a signal
    with a handler is at its default again in a new process. Whoever used ``nohup`` wants SIGHUP to be ignored.
    """
    found = {number: signal.getsignal(number) for number in _STOPPING}
    for number, handler in found.items():
        if handler is not signal.SIG_IGN or number == signal.SIGINT:
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in found.items():
            signal.signal(number, handler)
