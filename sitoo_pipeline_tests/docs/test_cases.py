"""The table of awkward cases names parts of the scenario that there are."""

from __future__ import annotations

import re

from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.docs.pages import ROOT
from sitoo_pipeline_tests.scenario.tills import TRANSACTION_PARTS


def test_every_part_that_the_table_names_exists() -> None:
    text = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in text.splitlines() if line.startswith("|")]
    named = {name for row in rows for name in re.findall(r'"([^"]+)"', row[3])}
    assert len(named) > 25
    assert named <= {*scenario.PARTS, *scenario.Z_PARTS, *TRANSACTION_PARTS}
