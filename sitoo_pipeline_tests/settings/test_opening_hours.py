from __future__ import annotations

import pytest

from sitoo_pipeline.settings.opening_hours import open_hours


def spans(text: str) -> list[str]:
    """The hours of each day from Monday on, as first-last."""
    return [f"{min(day)}-{max(day)}/{len(day)}" if day else "" for day in open_hours(text)]


@pytest.mark.parametrize(
    ("text", "week"),
    [
        ("24/7", ["0-23/24"] * 7),
        ("10:00-20:00", ["10-19/10"] * 7),
        ("09:30-18:15", ["9-18/10"] * 7),
        ("00:00-24:00", ["0-23/24"] * 7),
        ("Mo-Fr 10:00-20:00; Sa 10:00-18:00; Su off", ["10-19/10"] * 5 + ["10-17/8", ""]),
        ("Sa-Mo 12:00-14:00", ["12-13/2", "", "", "", "", "12-13/2", "12-13/2"]),
        ("Tu,Th-Fr 08:00-10:00,15:00-17:00", ["", "8-16/4", "", "8-16/4", "8-16/4", "", ""]),
        ("10:00-20:00; We 10:00-22:00", ["10-19/10", "10-19/10", "10-21/12", *["10-19/10"] * 4]),
    ],
)
def test_hours_of_a_week(text: str, week: list[str]) -> None:
    assert spans(text) == week


@pytest.mark.parametrize(
    "text",
    ["", "10-20", "mo 10:00-20:00", "10:00-20:00;", "Mo10:00-20:00", "10:00-24:30", "10:75-12:00", "12:00-12:00"],
)
def test_what_is_no_week(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not understood|two times of one day"):
        open_hours(text)
