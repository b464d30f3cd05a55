"""One call in ten fails and the process is killed three times: still nothing is lost, nothing comes twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from sitoo_pipeline.sandbox import Chain
from sitoo_pipeline_tests.pipeline.soak import Soak, in_peace
from sitoo_pipeline_tests.pipeline.soak_findings import findings, further_run, undelivered
from sitoo_pipeline_tests.pipeline.soak_settling import settle
from sitoo_pipeline_tests.pipeline.soak_world import FIRST, World

CHAIN = Chain(stores=2, seed=3, opened=FIRST, orders_per_day=40)
DAYS, KILLS = 2, 3

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def soaked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Soak]]:
    """A world in peace, and the lives of another that had none."""
    folder = tmp_path_factory.mktemp("soak")
    with (
        World(folder / "peace", CHAIN, DAYS, patience=60.0) as peace,
        World(folder / "soak", CHAIN, DAYS, patience=1.0) as world,
    ):
        soak = Soak(world, in_peace(peace), seed=1)
        soak.run(kills=KILLS, most_lives=12)
        yield peace, soak


def test_every_target_ends_with_what_it_is_to_hold_once(soaked: tuple[World, Soak]) -> None:
    peace, soak = soaked
    assert sum(life.was_killed for life in soak.lives) == KILLS
    assert not soak.lives[-1].was_killed
    assert set(soak.world.faults_given) >= {"v2", "ometria", "samesystem"}
    assert findings(peace, soak.world) == []


def test_a_further_run_sends_nothing(soaked: tuple[World, Soak]) -> None:
    _, soak = soaked
    assert further_run(soak.world) == []


def test_when_a_person_has_looked_everything_is_delivered_once(soaked: tuple[World, Soak]) -> None:
    peace, soak = soaked
    settle(soak.world)
    assert (undelivered(soak.world), findings(peace, soak.world), further_run(soak.world)) == ([], [], [])


def test_what_is_lost_doubled_or_not_owned_up_to_would_be_found(soaked: tuple[World, Soak]) -> None:
    """The last test of this world: it spoils what the targets hold."""
    peace, soak = soaked
    world = soak.world
    outbox, books = world.sandbox.ometria.outbox, world.sandbox.samesystem.state
    outbox.tried.append(outbox.tried[0])
    world.mailbox.taken.append(world.mailbox.taken[0])
    world.sandbox.ometria.records["order"].popitem()
    world.hook.rows.popitem()
    world.hook.ids.append("another")
    world.hook.messages.append(world.hook.messages[0])
    books.unapprove_week(books.key(CHAIN.store_list[0].externalid, FIRST), "somebody")
    next(world.project.account.exports_folder.rglob("*.csv")).unlink()
    with closing(sqlite3.connect(world.project.folder / "one.db")) as con:
        con.execute("DELETE FROM weekly_balance_hourly WHERE rowid = 1")
        con.execute("UPDATE deliveries SET state = 'pending' WHERE target = 'ometria' AND key LIKE 'contact%'")
        con.execute("DELETE FROM deliveries WHERE target = 'webhook_planning' AND rowid % 2 = 0")
        con.commit()
    found = "\n".join(findings(peace, world))
    for line in (
        "the rows of the weekly balance are not what they are in peace",
        "the files are not",
        "SameSystem are not",
        "Ometria's records are not",
        "the webhook's rows are not",
        "the records in the ledgers are not",
        "the ledger says pending of",
        "the webhook got one message under two ids, or two messages under one",
        "ometria_receipt got receipt:",
        f"weekly_balance_mail got {world.mailbox.taken[0].message['Subject'].split()[-1]} 2 times",
    ):
        assert line in found
