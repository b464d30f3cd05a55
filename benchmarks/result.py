"""What a part of the benchmark found: figures, tables and bars, kept as JSON so that a part can be run again alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import machine, versions

FOLDER = Path(__file__).with_name("results")


@dataclass(frozen=True)
class Table:
    """A table as people read it."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Bar:
    """What was promised, what was found, and whether that keeps it; ``met`` is None where it was not measured."""

    promise: str
    found: str
    met: bool | None

    @property
    def verdict(self) -> str:
        """In two words."""
        return "not measured" if self.met is None else "met" if self.met else "not met"


@dataclass
class Result:
    """One part's.

    Attributes:
        part: Its name.
        title: Its headline.
        tables: What was measured.
        bars: What was promised of it.
        notes: What has to be said about the figures.
        figures: The numbers behind the tables, for the chart and for other programs.
        sizes: What was asked for.
        at: When.
        machine: On what.
        versions: With what.
    """

    part: str
    title: str
    tables: list[Table] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    sizes: str = ""
    at: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    machine: str = field(default_factory=machine)
    versions: dict[str, str] = field(default_factory=versions)

    def save(self, folder: Path = FOLDER) -> None:
        """Replace the part's last result."""
        folder.mkdir(exist_ok=True)
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        (folder / f"{self.part}.json").write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, part: str, folder: Path = FOLDER) -> Result | None:
        """The part's last result; None where there is none."""
        file = folder / f"{part}.json"
        if not file.exists():
            return None
        said = json.loads(file.read_text(encoding="utf-8"))
        said["tables"] = [Table(**one) for one in said["tables"]]
        said["bars"] = [Bar(**one) for one in said["bars"]]
        return cls(**said)
