"""What is new on a list of the last hundred errors that have neither id nor time."""

from __future__ import annotations

import pytest

from sitoo_pipeline.sinks.ometria_errors import Error, new_errors

A, B, C, D = (Error("not a valid value", f"root > {name}") for name in "abcd")
MANY = [Error("not a valid value", f"root > {number}") for number in range(100)]


@pytest.mark.parametrize(
    ("before", "now", "new"),
    [
        ([], [], []),
        ([], [A, B], [A, B]),
        ([A, B], [A, B], []),
        ([A, B], [A, B, C], [C]),
        ([A, B], [A, B, B], [B]),
        ([A, B], [C, A, B], [C]),
        ([A, B, C], [B, C], []),
        ([A, B, C], [A, B], []),
        ([A, B, C], [B, C, D], [D]),
        ([B, C, D], [A, B, C], [A]),
        ([A, B], [C, D], [C, D]),
        (MANY, [*MANY[1:], A], [A]),
        (MANY, [A, *MANY[:-1]], [A]),
        (MANY, [*MANY[60:], *[A] * 60], [A] * 60),
        ([A] * 100, [A] * 100, []),
        ([A] * 100, [*[A] * 99, B], [B]),
        ([*[A] * 99, B], [A] * 100, [A]),
    ],
)
def test_what_is_new(before: list[Error], now: list[Error], new: list[Error]) -> None:
    found = new_errors(before, now)
    assert found == new
