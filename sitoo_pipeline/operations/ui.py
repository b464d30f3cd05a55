"""Dagster's web server and daemon, on this project's home."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from types import FrameType

from sitoo_pipeline.operations.home import dagster_home
from sitoo_pipeline.settings import is_configured, load_settings
from sitoo_pipeline.settings.demo import demo_settings

_STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class PortTakenError(OSError):
    """Another program listens there already, or the address is none of this machine's."""


def taken(host: str, port: int) -> str | None:
    """Why nothing can listen at ``host`` and ``port``, or None."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return f"--port {port}: nothing can listen there on {host} ({error.strerror}); choose another port with --port"
    return None


def serve_ui(*, host: str, port: int) -> int:
    """Run ``dagster dev`` until it is interrupted, and return its exit code.

    Raises:
        SettingsError: the settings are wrong; nothing was started.
        PortTakenError: something else listens there; nothing was started.
    """
    settings = load_settings() if is_configured() else demo_settings()
    if why := taken(host, port):
        raise PortTakenError(why)
    dagster_home(settings.data_dir)
    command = [sys.executable, "-m", "dagster", "dev", "-m", "sitoo_pipeline.definitions", "-h", host, "-p", str(port)]
    # In a group of its own: Dagster's children are then stopped together, and only once, when this one is interrupted.
    with subprocess.Popen(command, start_new_session=True) as child:  # noqa: S603
        previous = {number: signal.signal(number, _passing_to(child)) for number in _STOPPING}
        try:
            code = child.wait()
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
    return 0 if code in (0, -signal.SIGINT, -signal.SIGTERM) else code


def _passing_to(child: subprocess.Popen[bytes]) -> Callable[[int, FrameType | None], None]:
    def handler(_: int, __: FrameType | None) -> None:
        os.kill(child.pid, signal.SIGINT)  # the one that Dagster takes for a request to shut everything down

    return handler
