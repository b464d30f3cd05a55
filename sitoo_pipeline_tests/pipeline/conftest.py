"""One chain's week: what it is made of, and the week loaded and delivered, for tests that only look at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest

from sitoo_pipeline.sandbox import Chain, Sandbox
from sitoo_pipeline_tests.oracle import Oracle
from sitoo_pipeline_tests.pipeline.expected import fetch, oracle
from sitoo_pipeline_tests.pipeline.project import Project, days

CHAIN = Chain(stores=4, seed=13, opened=date(2026, 10, 10), orders_per_day=18, awkward=True)
NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
WEEK = days("2026-10-19", "2026-10-25")
"""Monday to the Sunday of 25 hours; one store is open through the doubled hour, two are in other zones."""
ZONES = "".join(f'[accounts.kedjan.stores.{store}]\ntimezone = "{zone}"\n' for store, zone in CHAIN.timezones.items())

OMETRIA = '[accounts.kedjan.targets.ometria]\napi_key_env = "OMETRIA_KEY"\n'


@dataclass(frozen=True)
class Week:
    """The week as it was loaded, and what it must be."""

    sandbox: Sandbox
    project: Project
    objects: dict[str, list[dict[str, Any]]]
    oracle: Oracle


def week_project(folder: Any, sandbox: Sandbox, *, more: str = "", **changes: Any) -> Project:
    """A project that loads the week and delivers it everywhere."""
    return Project.make(
        folder,
        sandbox,
        start_date=WEEK[0],
        more=f'{more}{ZONES}{OMETRIA}base_url = "{sandbox.ometria_url}"\n',
        environ={"OMETRIA_KEY": sandbox.ometria_key},
        **changes,
    )


def week_oracle(objects: dict[str, list[dict[str, Any]]], *dates: date) -> Oracle:
    """What the marts must be when just these dates of the week are loaded."""
    return oracle(objects, dates=dates, start_date=WEEK[0], store_timezones=CHAIN.timezones)


@pytest.fixture(scope="session")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    """The week, through the whole pipeline. Do not change it."""
    with Sandbox(chain=CHAIN, now=NOW) as sandbox:
        project = week_project(tmp_path_factory.mktemp("week"), sandbox)
        project.load(WEEK)
        objects = fetch(sandbox.sitoo_url, sandbox.api_users[0])
        yield Week(sandbox, project, objects, week_oracle(objects, *WEEK))
