"""What is told of wrong settings: every fault, one line each, with no secret in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One wrong setting.

    Attributes:
        path: Full path of the key (`accounts.main.timezone`), or the name of the environment variable or file. Empty
            where the fault is that there are no settings at all.
        message: What is wrong and what would be right.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class SettingsError(Exception):
    """The settings cannot be used. Its text is every fault, one line each; the command line ends with exit code 2."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)
