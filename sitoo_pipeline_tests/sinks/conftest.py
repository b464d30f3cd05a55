"""Databases and servers that the sinks are tried against: all of them real."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
import stamina

from sitoo_pipeline.sandbox import Chain, Faults, Sandbox
from sitoo_pipeline.sandbox.ometria_app import Ometria
from sitoo_pipeline.sandbox.samesystem_app import SameSystem
from sitoo_pipeline.sinks import Ledger
from sitoo_pipeline_tests.sinks.ometria_server import OmetriaServer
from sitoo_pipeline_tests.sinks.samesystem import Chain as Departments

NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)


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


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[Sandbox]:
    with Sandbox(chain=Chain(stores=1, opened=date(2026, 10, 12))) as running:
        yield running


@pytest.fixture
def sandbox(_sandbox: Sandbox) -> Iterator[Sandbox]:
    """A sandbox without faults, whose Ometria holds nothing yet; retries do not wait."""
    _sandbox.ometria, _sandbox.faults = Ometria(), Faults()
    _sandbox.clear_requests()
    with stamina.set_testing(True, attempts=6, cap=True):
        yield _sandbox


@pytest.fixture(scope="session")
def _samesystem() -> Iterator[Sandbox]:
    with Sandbox(chain=Chain(stores=4, seed=7), now=NOW) as running:
        yield running


@pytest.fixture
def chain(_samesystem: Sandbox, tmp_path: Path) -> Iterator[Departments]:
    """A SameSystem that holds nothing yet, behind a server without faults; retries do not wait."""
    running = _samesystem
    running.faults = Faults()
    running.samesystem = SameSystem(
        running.samesystem_user, stores=running.chain.store_list, clock=NOW.timestamp, zone=running.chain.zone
    )
    running.clear_requests()
    with stamina.set_testing(True, attempts=5, cap=True):
        yield Departments(running, tmp_path, now=lambda: NOW)
