"""Which failures people were told of, and when: so that the same one is not told again and again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path


class Told:
    """A file that remembers what was told less than ``repeat_after`` ago. One that cannot be read counts as empty."""

    def __init__(self, path: Path, repeat_after: timedelta) -> None:
        self._path = path
        self._repeat_after = repeat_after

    def is_new(self, reasons: Sequence[str], now: datetime) -> bool:
        """Whether no failure with the same reasons was told of; numbers in them, such as dates, tell nothing apart."""
        return self._name(reasons) not in self._recent(now)

    def note(self, reasons: Sequence[str], now: datetime) -> None:
        """Remember that people were told of it at ``now``."""
        told = self._recent(now) | {self._name(reasons): now.astimezone(UTC).isoformat()}
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._path.with_name(f".{self._path.name}.new")
        fresh.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        fresh.replace(self._path)

    def _recent(self, now: datetime) -> dict[str, str]:
        try:
            told = dict(json.loads(self._path.read_text(encoding="utf-8")))
            return {name: at for name, at in told.items() if now - datetime.fromisoformat(at) < self._repeat_after}
        except (OSError, ValueError, TypeError):
            return {}

    @staticmethod
    def _name(reasons: Sequence[str]) -> str:
        plain = sorted({re.sub(r"\d+", "#", reason) for reason in reasons})
        return hashlib.sha256("\n".join(plain).encode()).hexdigest()[:16]
