"""The command run in a project's folder, and the tables of a page read back."""

from __future__ import annotations

import os
import re
import sys
from contextlib import chdir
from dataclasses import dataclass, field
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sitoo_pipeline.cli import app
from sitoo_pipeline_tests.pipeline.project import Project

_OWN = ("SITOO_", "DAGSTER_", "OMETRIA_", "SAMESYSTEM_", "WEEKLY_", "DELIVERIES_", "KEDJAN_")


def invoke(project: Project, folder: Path, *arguments: str) -> Result:
    """The command with the project's settings, in another folder."""
    with pytest.MonkeyPatch.context() as patch, chdir(folder):
        for name in os.environ:
            if name.startswith(_OWN):
                patch.delenv(name)
        for name, value in project.environ.items():
            patch.setenv(name, value)
        patch.setenv("SITOO_PIPELINE_CONFIG", str(project.folder / "sitoo_pipeline.toml"))
        patch.setattr(sys, "argv", ["sitoo-pipeline", *arguments])
        return CliRunner().invoke(app, list(arguments))


def number(text: str) -> Decimal:
    """A figure of the page."""
    return Decimal(re.sub(r"[\N{NARROW NO-BREAK SPACE}%+ ]", "", text).replace("\N{MINUS SIGN}", "-"))


@dataclass
class Read:
    """A table of the page."""

    caption: str = ""
    rows: list[list[str]] = field(default_factory=list)

    @property
    def heads(self) -> list[str]:
        return self.rows[0]

    @property
    def body(self) -> list[dict[str, str]]:
        """Rows by the heads of their columns, the total included."""
        return [dict(zip(self.heads, row, strict=True)) for row in self.rows[1:]]

    def row(self, title: str) -> dict[str, str]:
        [found] = [row for row in self.body if next(iter(row.values())) == title]
        return found


class Page(HTMLParser):
    """The tables, the notices and every attribute of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: list[Read] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.texts: list[str] = []
        self._cell: list[str] | None = None
        self._is_caption = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs] or [(tag, "", None)]
        if tag == "table":
            self.tables.append(Read())
        elif tag == "tr":
            self.tables[-1].rows.append([])
        elif tag in ("td", "th"):
            self._cell = []
        elif tag == "caption":
            self._is_caption = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self._cell is not None:
            self.tables[-1].rows[-1].append("".join(self._cell))
            self._cell = None
        elif tag == "caption":
            self._is_caption = False

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._cell is not None:
            self._cell.append(data)
        elif self._is_caption:
            self.tables[-1].caption += data

    def table(self, *words: str) -> Read:
        """The one table whose caption has all ``words``."""
        [found] = [table for table in self.tables if all(word in table.caption for word in words)]
        return found

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())
