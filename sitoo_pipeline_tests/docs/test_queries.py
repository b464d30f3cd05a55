"""Every query on the pages for people runs, and says what it is said to say."""

from __future__ import annotations

import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sitoo_pipeline_tests.docs.conftest import DATES
from sitoo_pipeline_tests.docs.pages import DOCS, README, blocks, read
from sitoo_pipeline_tests.pipeline.project import Project

Row = dict[str, Any]

QUERIES = dict(re.findall(r"^([A-Z][^\n]*\?)\n\n```sql\n(.*?)^```$", read(README), flags=re.MULTILINE | re.DOTALL))
"""The README's queries by their questions."""


def asked(demo: Project, words: str) -> list[Row]:
    """The answer to the one question that has ``words`` in it."""
    [sql] = [sql for question, sql in QUERIES.items() if words in question]
    return demo.query(sql.strip().rstrip(";"))


def test_every_query_of_the_readme_answers_a_question() -> None:
    assert sorted(QUERIES.values()) == sorted(blocks(read(README), "sql"))


@pytest.mark.parametrize("question", QUERIES)
def test_every_question_of_the_readme_has_an_answer(question: str, demo: Project) -> None:
    assert demo.query(QUERIES[question].strip().rstrip(";"))


@pytest.mark.parametrize("number", range(len(blocks(read(DOCS / "measures.md"), "sql"))))
def test_queries_on_the_measures(number: int, demo: Project) -> None:
    assert demo.query(blocks(read(DOCS / "measures.md"), "sql")[number].strip().rstrip(";"))


def test_queries_on_the_ledger(demo: Project, tmp_path: Path) -> None:
    states, refused = blocks(read(DOCS / "targets.md"), "sql")
    copy = shutil.copy(demo.account.folder / "deliveries.db", tmp_path)
    with closing(sqlite3.connect(copy)) as ledger:
        days = {str(day) for day in DATES}
        assert {(day, state) for day, _, state, _ in ledger.execute(states)} == {(day, "delivered") for day in days}
        assert ledger.execute(refused).fetchall() == []  # nothing was rejected
        one = 'account, target, "key", "partition"'
        ledger.execute(
            f"INSERT INTO dead_letters ({one}, content_hash, reason, payload, run_id, first_at, last_at) "
            f"SELECT {one}, content_hash, 'no such shop', '{{}}', run_id, first_at, updated_at FROM deliveries LIMIT 1"
        )
        [(*_, reason, payload)] = ledger.execute(refused).fetchall()
        assert (reason, payload) == ("no such shop", "{}")


def test_the_best_hour(demo: Project) -> None:
    hours: dict[tuple[str, str], Counter[int]] = {}
    for row in demo.query("FROM marts.hourly_sales WHERE channel = 'pos'"):
        hours.setdefault((row["store_id"], row["currency"]), Counter())[row["local_hour"]] += row["gross_sales"]
    answers = {(row["store_id"], row["currency"]): row for row in asked(demo, "best hour")}
    assert answers.keys() == hours.keys()
    for place, row in answers.items():
        assert row["gross_sales"] == max(hours[place].values()) == hours[place][row["local_hour"]]


def test_rates_are_of_the_whole_and_not_means_of_days(demo: Project) -> None:
    days = demo.query("FROM marts.daily_sales WHERE store_id = '0101' AND channel = 'pos'")
    total = {name: sum(row[name] for row in days) for name in ("gross_sales", "returns", "discounts", "transactions")}
    [returned] = [row for row in asked(demo, "comes back") if row["store_id"] == "0101"]
    assert returned["percent_of_sales"] == pytest.approx(100 * float(total["returns"] / total["gross_sales"]), abs=0.05)
    [basket] = [row for row in asked(demo, "basket") if (row["store_id"], row["channel"]) == ("0101", "pos")]
    assert basket["transactions"] == total["transactions"]
    assert basket["average_basket"] == pytest.approx(float(total["gross_sales"] / total["transactions"]), abs=0.0051)


def test_the_conversion_is_known_where_visitors_are_counted_and_nowhere_else(demo: Project) -> None:
    [known, unknown] = asked(demo, "conversion")
    assert (known["store_id"], unknown["store_id"]) == ("0101", "0102")
    assert known["visitors"] > known["transactions"] > 0
    assert known["percent_that_bought"] == pytest.approx(
        100 * float(known["transactions"] / known["visitors"]), abs=0.05
    )
    assert (unknown["visitors"], unknown["transactions"], unknown["percent_that_bought"]) == (None, None, None)


def test_the_orders_behind_a_z_report_are_what_was_compared_with_it(demo: Project) -> None:
    furthest = asked(demo, "tills agree")[0]
    assert furthest["status"] == "unbalanced"  # one order is not what its till reported
    orders = asked(demo, "furthest off")
    assert {(row["store_id"], row["z_report_id"]) for row in orders} == {
        (furthest["store_id"], furthest["z_report_id"])
    }
    assert sum((row["order_gross_sales"] for row in orders), Decimal()) == furthest["ours_gross_sales"]
    assert {row["diff_gross_sales"] for row in orders} == {furthest["diff_gross_sales"]}


def test_an_order_that_came_late_is_why_a_figure_differs(demo: Project) -> None:
    changes = {row["measure"]: row["change"] for row in asked(demo, "differ from what it was")}
    assert changes["orders_added"] == changes["transactions"] == 1
    [[late]] = [row.values() for row in demo.query("SELECT max(_loaded_at) FROM marts.daily_sales")]
    [day] = demo.query("FROM marts.daily_sales WHERE _loaded_at = ? AND store_id = '0101'", [late])
    [gross] = [row for row in asked(demo, "differ from what it was") if row["measure"] == "gross_sales"]
    assert gross["after"] == day["gross_sales"] == gross["before"] + changes["gross_sales"]


def test_a_controller_sees_the_figures_of_a_store_and_day_and_their_orders(demo: Project) -> None:
    rows = asked(demo, "tills of a store")
    of_z_reports = {
        row["z_report_id"]: row
        for row in demo.query(
            "FROM marts.z_report_reconciliation WHERE store_id = '0101' AND business_date = DATE '2026-10-23'"
        )
    }
    assert {row["z"] for row in rows} == of_z_reports.keys()
    for number, whole in of_z_reports.items():
        behind = [row for row in rows if row["z"] == number]
        for measure in ("gross_sales", "returns"):
            assert sum(row[f"order_{measure}"] for row in behind) == whole[f"ours_{measure}"]
            assert {row[f"diff_{measure}"] for row in behind} == {whole[f"diff_{measure}"]}


def test_what_was_refused(demo: Project) -> None:
    [row] = asked(demo, "refused")
    assert (row["table_name"], row["path"]) == ("raw.orders", "moneytotal_net")


def test_the_read_copy_opens_with_python_alone(demo: Project) -> None:
    [line] = [line for block in blocks(read(README), "console") for line in block.splitlines() if "duckdb" in line]
    program, *arguments = shlex.split(line)
    assert program == ".venv/bin/python"
    shown = subprocess.run(
        [sys.executable, *arguments], cwd=demo.folder, capture_output=True, text=True, check=True, timeout=60
    )
    assert "gross_sales" in shown.stdout
    assert "0101" in shown.stdout
