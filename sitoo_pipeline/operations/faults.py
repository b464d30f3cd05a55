"""The failures that a person can do something about: their texts are written to be shown, on one line and without secrets."""

from __future__ import annotations

from sitoo_pipeline.sitoo.errors import SitooError
from sitoo_pipeline.warehouse import WarehouseLockedError

EXPECTED: tuple[type[Exception], ...] = (SitooError, WarehouseLockedError)
