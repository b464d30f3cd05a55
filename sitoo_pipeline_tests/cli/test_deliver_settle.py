"""``deliver --settle``: a person says what became of records in doubt."""

from __future__ import annotations

import json
import re

import pytest

from sitoo_pipeline_tests.cli.project import DATES, Project
from sitoo_pipeline_tests.cli.test_deliver import PERIOD, deliver, sql


def in_doubt(project: Project, state: str) -> tuple[str, str]:
    """The key and date of an order of which nobody knows whether it arrived."""
    [(key, day)] = sql(
        project,
        f"UPDATE deliveries SET state = '{state}', delivered_hash = NULL, updated_at = '2026-01-01 00:00:00.000000' "
        "WHERE key = (SELECT max(key) FROM deliveries WHERE target = 'ometria') RETURNING key, \"partition\"",
        "deliveries.db",
    )
    return key, day


@pytest.mark.parametrize("state", ["unknown", "pending"])
def test_a_person_settles_what_is_in_doubt(copy: Project, state: str) -> None:
    key, day = in_doubt(copy, state)
    how = ("--from", day, "--to", day, "--settle", "delivered", "--why", "it is in the CRM", "--key", key)
    done = deliver(copy, *how, "--key", "order:none", target="ometria")
    assert done.exit_code == 0, done.output
    assert f"demo: ometria: settled {key}" in done.output.splitlines()
    assert "demo: order:none is not in doubt: nothing was settled" in done.output.splitlines()
    [(now, answer)] = sql(copy, f"SELECT state, answer FROM deliveries WHERE key = '{key}'", "deliveries.db")
    assert now == "delivered"
    assert re.fullmatch(r"settled as delivered by \S+: it is in the CRM", answer)
    again = deliver(copy, *how, target="ometria")
    assert again.exit_code == 1
    assert again.stderr.splitlines() == [
        f"ometria: from {day} to {day} no record with the key {key} is in doubt (unknown or pending)"
    ]


def test_what_is_settled_stands_in_the_json(copy: Project) -> None:
    key, day = in_doubt(copy, "unknown")
    result = deliver(copy, *PERIOD, "--settle", "rejected", "--why", "not wanted", "--json", target="ometria")
    assert result.exit_code == 0
    # The other date has nothing in doubt, and is not touched.
    assert [(row["business_date"], row["settled"], row["rejected"]) for row in json.loads(result.stdout)] == [
        (day, [key], 1)
    ]
    assert day in map(str, DATES)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (("--settle", "held", "--why", "x"), "--settle held: say one of delivered, retry, rejected"),
        (("--settle", "delivered"), "--settle needs --why: how it was found out, in a few words; they are kept"),
        (("--settle", "retry", "--why", "x", "--force"), "--settle goes without --dry-run, --force and --rejected"),
        (("--why", "x"), "--why and --key go with --settle"),
    ],
)
def test_half_a_settlement_is_refused(copy: Project, how: tuple[str, ...], said: str) -> None:
    result = deliver(copy, *PERIOD, *how, target="ometria")
    assert (result.exit_code, result.stderr.splitlines()) == (2, [said])
