"""One thing that ``doctor`` looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: ``problem`` is what is wrong and what to do, None where all is well."""

    what: str
    said: str = ""
    problem: str | None = None

    @property
    def is_well(self) -> bool:
        """Whether it stops nothing."""
        return self.problem is None

    @property
    def line(self) -> str:
        """As it is shown."""
        return f"{'ok   ' if self.is_well else 'WRONG'} {self.what}: {self.problem or self.said}"
