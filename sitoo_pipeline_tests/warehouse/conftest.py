from __future__ import annotations

from pathlib import Path

import pytest

from sitoo_pipeline_tests.warehouse.support import Account


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path)
