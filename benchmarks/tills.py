"""The z-reports of a book: one for each till and business date, added up from the receipts that it covers."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date

import orjson

from benchmarks.book import Book, Till
from benchmarks.listing import compressed, made
from benchmarks.templates import Template
from sitoo_pipeline.sandbox.stores import COMPANY, COMPANY_ID, ESHOP_ID

LARGEST_ANSWER = 500
_OPENED_BEFORE, _CLOSED_AFTER = 600, 900  # seconds before opening and after closing


class ZReports:
    """All z-reports in the order in which they reached Sitoo."""

    def __init__(self, book: Book) -> None:
        self.added: list[int] = []
        self.bodies: list[bytes] = []
        for number, day in enumerate(book.first_rows, start=1):
            rows = book.rows_of(day)
            sold: defaultdict[int, Counter[int]] = defaultdict(Counter)
            for sold_by, template in zip(
                book.till_of[rows.start : rows.stop], book.template_of[rows.start : rows.stop], strict=True
            ):
                kind = book.templates[template].kind
                if kind.counts and not kind.is_web:
                    sold[sold_by][template] += 1
            for index, till in enumerate(book.tills):
                closed = book.closes_at(day) + _CLOSED_AFTER + index
                report = _report(book, till, day, number, closed, sold[index])
                self.added.append(closed)
                self.bodies.append(orjson.dumps(report))

        self._answers: dict[tuple[int, int], bytes] = {}

    def find(self, since: int, until: int) -> tuple[int, int]:
        """Which reports were added from ``since`` to ``until``, both included: at most as many as Sitoo gives."""
        low, high = bisect_left(self.added, since), bisect_right(self.added, until)
        return low, min(high, low + LARGEST_ANSWER)

    def answer(self, found: tuple[int, int]) -> tuple[bytes, bool]:
        """The compressed body for what was found, and whether it had to be made."""
        is_made = found not in self._answers
        if is_made:
            self._answers[found] = self._body(found)
        return self._answers[found], is_made

    def _body(self, found: tuple[int, int]) -> bytes:
        return compressed(b"[%b]" % b",".join(self.bodies[slice(*found)]))

    def prepare(self, starts: Iterable[int], *, now: int) -> None:
        """Make every answer of reads that begin at ``starts`` and go on from the last second of each answer."""
        asked: list[tuple[int, int]] = []
        for since in starts:
            low, high = self.find(since, now)
            asked.append((low, high))
            while high - low > 1:
                low, high = self.find(self.added[high - 1], now)
                asked.append((low, high))
        self._answers |= made(self._body, asked)


def _report(book: Book, till: Till, day: date, number: int, closed: int, sold: Counter[int]) -> dict[str, object]:
    templates = [(book.templates[index], count) for index, count in sold.items()]
    totals = {
        name: sum(template.measures[name] * count for template, count in templates)
        for name in book.templates[0].measures
    }
    shown = {name: money(value) if name.startswith("money") else value for name, value in totals.items()}
    staff = till.store.staff[0]
    return {
        "zreportid": number,
        "registerid": till.register.registerid,
        "manufacturerid": till.register.manufacturerid,
        "registerkey": till.register.registerkey,
        "registernumber": till.register.number,
        "datecreated": closed,
        "dateopened": book.opens_at(day) - _OPENED_BEFORE,
        "dateadded": closed,
        "eshopid": ESHOP_ID,
        "store_id": till.store.externalid,
        "store_name": till.store.name,
        "company": COMPANY,
        "companyid": COMPANY_ID,
        "currencycode": "SEK",
        "staff": staff.name,
        "staffuserid": staff.userid,
        **shown,
        **{f"vatgroups{side}": _groups(templates, side, by_name=False) for side in ("sales", "refund")},
        **{f"productgroups{side}": _groups(templates, side, by_name=True) for side in ("sales", "refund")},
        "paymentssales": [],
        "paymentsrefund": [],
        "discountssales": [],
        "discountsrefund": [],
        "numreceipts": sum(sold.values()),
    }


def _groups(templates: Iterable[tuple[Template, int]], side: str, *, by_name: bool) -> list[dict[str, object]]:
    sums: defaultdict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    for template, count in templates:
        for (of_side, name, vat), figures in template.groups.items():
            if of_side == side:
                found = sums[name if by_name else "", int(vat)]
                for place, figure in enumerate(figures):
                    found[place] += figure * count
    return [
        {
            **({"name": name, "numtotal": pieces} if by_name else {}),
            "vatvalue": vat,
            "moneytotal": money(gross),
            "moneytotalnet": money(net),
            "moneytotalvat": money(gross - net),
        }
        for (name, vat), (pieces, gross, net) in sorted(sums.items())
    ]


def money(hundredths: int) -> str:
    """An amount as Sitoo writes it."""
    sign, amount = "-" if hundredths < 0 else "", abs(hundredths)
    return f"{sign}{amount // 100}.{amount % 100:02d}"
