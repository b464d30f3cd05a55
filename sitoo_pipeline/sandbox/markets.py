"""What a country does to a price: its currency, its VAT or sales tax, and how cash is rounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal("0.00")
_CENT = Decimal("0.01")


def cents(amount: Decimal) -> Decimal:
    """``amount`` rounded half up (away from zero) to two decimals."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


@dataclass(frozen=True, eq=False)
class Market:
    """Prices of one currency under one country's taxes.

    Args:
        country: ISO 3166 code in lower case, as Sitoo's ``countryid``.
        currency: ISO 4217.
        language: of its receipts, a language tag.
        per_crown: what a crown of the Swedish label is worth here.
        vat: VAT percent by the Swedish percent of the product group.
        sales_tax: percent that is added to the price at the till and stands in the order's header, not in its lines.
        cash_step: smallest coin.
    """

    country: str
    currency: str
    language: str
    per_crown: Decimal
    vat: Mapping[int, Decimal]
    sales_tax: Decimal = ZERO
    cash_step: Decimal = _CENT

    def amount(self, crowns: Decimal) -> Decimal:
        """A price on a label, of ``crowns`` in Sweden; elsewhere in round tenths."""
        if self.per_crown == 1:
            return crowns
        return (crowns * self.per_crown).quantize(Decimal("0.1"), ROUND_HALF_UP).quantize(_CENT)

    def in_cash(self, amount: Decimal) -> Decimal:
        """``amount`` rounded half up to what coins can pay."""
        return ((amount / self.cash_step).quantize(Decimal(1), ROUND_HALF_UP) * self.cash_step).quantize(_CENT)


_SWEDISH_VAT = {percent: Decimal(percent) for percent in (25, 12, 6, 0)}
_NO_VAT = dict.fromkeys(_SWEDISH_VAT, Decimal(0))
_FINNISH_VAT = {25: Decimal("25.5"), 12: Decimal(14), 6: Decimal(10), 0: Decimal(0)}

SWEDEN = Market("se", "SEK", "sv", Decimal(1), _SWEDISH_VAT, cash_step=Decimal(1))
SWEDEN_IN_EUROS = Market("se", "EUR", "sv", Decimal("0.10"), _SWEDISH_VAT, cash_step=Decimal(1))
FINLAND = Market("fi", "EUR", "fi", Decimal("0.09"), _FINNISH_VAT, cash_step=Decimal("0.05"))
NEW_YORK = Market("us", "USD", "en", Decimal("0.11"), _NO_VAT, sales_tax=Decimal("8.875"))
