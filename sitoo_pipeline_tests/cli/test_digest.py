"""``digest``: what people are told of the dates, and that they are told it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import duckdb
import pytest

from sitoo_pipeline_tests.assets.listener import Listener
from sitoo_pipeline_tests.cli.project import DATES, Project


@pytest.fixture
def alerted(copy: Project, hook: Listener) -> Project:
    """The demo's account, with a webhook to tell."""
    (copy.folder / "sitoo_pipeline.toml").write_text(
        "[accounts.demo]\nbase_url = 'http://127.0.0.1:9/v2/accounts/1'\napi_id_env = 'SITOO_API_ID'\n"
        f"api_password_env = 'SITOO_API_PASSWORD'\nstart_date = {DATES[0]}\n"
        "[accounts.demo.alerts]\nwebhook_url_env = 'HOOK'\n"
        "[accounts.demo.targets.ometria]\napi_key_env = 'OMETRIA_API_KEY'\n"
    )
    with (copy.folder / ".env").open("a") as env:
        env.write(f"HOOK={hook.url}\n")
    return copy


@pytest.fixture
def hook() -> Iterator[Listener]:
    with Listener() as listening:
        yield listening


def test_a_good_morning_is_told_in_a_line(alerted: Project, hook: Listener) -> None:
    result = alerted.invoke("digest", "--send")
    assert result.exit_code == 0, result.output
    [posted] = hook.taken
    assert posted["subject"] == f"demo: {DATES[1]} is done"
    assert f"{DATES[1]}: loaded, " in posted["text"]
    assert "3 of 3 targets have all of it" in posted["text"]
    assert posted["dates"] == {}
    assert posted["text"] in result.output


def test_what_lacks_is_told_with_what_to_do_and_nothing_personal(alerted: Project, hook: Listener) -> None:
    folder = alerted.folder / "data/demo"
    with duckdb.connect(str(folder / "warehouse.duckdb")) as con:
        con.execute("DELETE FROM meta.loads WHERE business_date = ?", [DATES[0]])
        found = con.execute("SELECT DISTINCT email FROM core.orders WHERE email IS NOT NULL").fetchall()
        people = [row[0] for row in found]
    with closing(sqlite3.connect(folder / "deliveries.db")) as ledger, ledger:
        ledger.execute("UPDATE deliveries SET state = 'rejected' WHERE target = 'ometria' AND key IN "
                       "(SELECT key FROM deliveries WHERE target = 'ometria' LIMIT 2)")  # fmt: skip
    result = alerted.invoke("digest", "--send", "--json")
    assert result.exit_code == 0, result.output
    [posted] = hook.taken
    assert posted["subject"] == f"demo: {DATES[1]} is done; 1 of 2 dates need attention"
    assert posted["dates"] == {str(DATES[0]): "missing"}
    assert posted["rejected"] == {"ometria": 2}
    assert f"sitoo-pipeline backfill --account demo --from {DATES[0]} --to {DATES[0]}" in posted["text"]
    [said] = json.loads(result.stdout)
    assert said["subject"] == posted["subject"]
    assert people
    assert not [person for person in people if person in str(posted)]


def test_a_digest_that_reaches_nobody_ends_with_1(alerted: Project, hook: Listener) -> None:
    hook.answers.append(404)
    result = alerted.invoke("digest", "--send")
    assert result.exit_code == 1
    assert "demo: not told: the webhook at 127.0.0.1:" in result.stderr
    assert "the-secret-of-the-path" not in result.output


def test_without_alerts_the_digest_is_shown_and_cannot_be_sent(copy: Project) -> None:
    shown = copy.invoke("digest")
    assert (shown.exit_code, f"demo: {DATES[1]} is done" in shown.output) == (0, True)
    sent = copy.invoke("digest", "--send")
    assert sent.exit_code == 1
    assert "[accounts.demo.alerts] names nobody to tell" in sent.stderr
