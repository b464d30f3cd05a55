"""What the tills reported and what moved in the warehouses. The figures of the z-reports are written out by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

from sitoo_pipeline_tests.scenario.objects import ABSENT, Json, movement, transaction, z_report
from sitoo_pipeline_tests.scenario.shops import GOTHENBURG, GOTHENBURG_2, HELSINKI, LONDON, LONDON_2, LONDON_3, MOVED

LATE = "2026-11-20T12:00:00+00:00"
"""When the tills of London came back online, all at once."""


def _zeros(register: str, count: int, *, first: str, added: str | None) -> list[Json]:
    """So many z-reports of a till that nobody used, closed an hour after each other."""
    begins = datetime.fromisoformat(first)
    hours = [begins + timedelta(hours=number) for number in range(count + 1)]
    return [
        z_report(
            number,
            register,
            hours[number].isoformat(),
            store="0103",
            opened=hours[number - 1].isoformat(),
            currency="GBP",
            added=added,
        )
        for number in range(1, count + 1)
    ]


Z_PARTS: dict[str, list[Json]] = {
    "several on one register and day, the second right after the first": [
        z_report(
            1,
            GOTHENBURG,
            "2026-10-23T12:00:00+02:00",
            store="0101",
            opened="2026-10-23T09:00:00+02:00",
            moneysalestotal="531.00",
            moneysalestotalnet="430.00",
            numsales=3,
            numsalesitems=6,
            moneyrefundtotal="203.00",
            moneyrefundtotalnet="165.00",
            numrefund=3,
            numrefunditems=3,
            moneydiscount="25.00",
        ),
        z_report(
            2,
            GOTHENBURG,
            "2026-10-23T18:00:00+02:00",
            store="0101",
            opened="2026-10-23T12:00:00+02:00",
            moneysalestotal="1476.25",
            moneysalestotalnet="1339.00",
            numsales=7,
            numsalesitems=8,
            moneyrefundtotal="200.00",
            moneyrefundtotalnet="200.00",
            numrefund=1,
            numrefunditems=1,
            moneydiscount="0.00",
        ),
    ],
    "one that does not balance": [
        z_report(
            3,
            GOTHENBURG,
            "2026-10-24T20:00:00+02:00",
            store="0101",
            opened="2026-10-24T08:00:00+02:00",
            moneysalestotal="1.00",
            numsales=1,
            moneyroundoff=ABSENT,
            numrefunditems=None,
        )
    ],
    "over midnight": [
        z_report(
            1,
            GOTHENBURG_2,
            "2026-10-24T02:00:00+02:00",
            store="0101",
            opened="2026-10-23T16:00:00+02:00",
            moneysalestotal="63.75",
            moneysalestotalnet="51.00",
            numsales=3,
            numsalesitems=3,
        )
    ],
    "no opening: from the register's previous closing": [
        z_report(
            2,
            GOTHENBURG_2,
            "2026-10-25T04:00:00+01:00",
            store="0101",
            opened=None,
            moneysalestotal="28.75",
            moneysalestotalnet="23.00",
            numsales=2,
            numsalesitems=4,
            moneyrefundtotal="5.00",
            moneyrefundtotalnet="4.00",
            numrefund=1,
            numrefunditems=1,
        )
    ],
    "no opening and none before it: from the account's start date": [
        z_report(
            7,
            HELSINKI,
            "2026-10-24T01:00:00+03:00",
            store="0102",
            opened=None,
            currency="EUR",
            moneysalestotal="12.40",
            moneysalestotalnet="10.00",
            numsales=1,
            numsalesitems=1,
            moneyrefundtotal="9.92",
            moneyrefundtotalnet="8.00",
            numrefund=1,
            numrefunditems=1,
        )
    ],
    "two that overlap, added weeks late": [
        z_report(
            1,
            LONDON,
            "2026-10-25T02:00:00+00:00",
            store="0103",
            opened="2026-10-24T23:00:00+01:00",
            currency="GBP",
            added=LATE,
            moneysalestotal="15.60",
            moneysalestotalnet="13.00",
            numsales=1,
            numsalesitems=1,
        ),
        z_report(
            2,
            LONDON,
            "2026-10-25T09:00:00+00:00",
            store="0103",
            opened="2026-10-25T01:00:00+00:00",
            currency="GBP",
            added=LATE,
        ),
        z_report(
            3, LONDON, "2026-10-25T08:00:00+00:00", store="0103", opened="2026-10-25T09:00:00+00:00", currency="GBP"
        ),
    ],
    "more than one answer holds, many of them added in the second in which an answer ends": [
        *_zeros(LONDON_2, 310, first="2026-10-14T00:00:00+00:00", added=None),
        *_zeros(LONDON_3, 400, first="2026-10-10T00:00:00+00:00", added=LATE),
    ],
    "it reaches into a date that is not loaded": [
        z_report(1, MOVED, "2026-10-23T09:00:00+02:00", store=None, opened="2026-10-22T09:00:00+02:00"),
        z_report(4, GOTHENBURG, "2026-10-29T18:00:00+01:00", store="0101", opened="2026-10-26T09:00:00+01:00"),
    ],
}

TRANSACTION_PARTS: dict[str, list[Json]] = {
    "every type, known and unknown": [
        transaction(1, 1, "2026-10-23T10:16:00+02:00", 30, movement("10038-2", "-1.000", "-40.00")),
        transaction(2, 1, "2026-10-23T11:31:00+02:00", 40, movement("10038-2", "1.000", "40.00")),
        transaction(3, 1, "2026-10-23T07:00:00+02:00", 10, movement("10038-2", "12.000", "480.00")),
        transaction(4, 1, "2026-10-23T07:01:00+02:00", 20, movement("10038-2", "-2.000", "-80.00")),
        transaction(5, 1, "2026-10-23T21:00:00+02:00", 50, movement("10038-2", "-1.000", "-40.00")),
        transaction(6, 1, "2026-10-23T21:01:00+02:00", 60, movement("10038-2", "3.500", "140.00")),
        transaction(7, 1, "2026-10-23T21:02:00+02:00", None, movement("10038-2", "-0.355", "-14.20")),
    ],
    "several items of one SKU in one transaction, one without a SKU, absent amounts": [
        transaction(
            8,
            1,
            "2026-10-24T10:00:00+02:00",
            30,
            movement("0012-Å", "-1.000", "-9.99"),
            movement("0012-Å", "-2.000", "-19.98"),
            movement(None, "-1.000"),
            movement("", None, None),
        )
    ],
    "another date in the warehouse's store than in the account's zone": [
        transaction(9, 2, "2026-10-24T00:30:00+03:00", 30, movement("10038-2", "-1.000")),
        transaction(10, 3, "2026-10-25T23:30:00+00:00", 30, movement("10038-2", "-1.000")),
    ],
    "a warehouse without a store, and one whose store has no external id": [
        transaction(11, 8, "2026-10-24T12:00:00+02:00", 10, movement("10038-2", "5.000")),
        transaction(12, 5, "2026-10-24T12:00:00+02:00", 20, movement("10038-2", "-5.000")),
    ],
}
