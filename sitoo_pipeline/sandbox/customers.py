"""Fictitious customers: invented names, addresses in the reserved domain example.com."""

from __future__ import annotations

import unicodedata
from itertools import product
from typing import NamedTuple

_FIRST = ("Åsa", "Örjan", "Maja", "Elif", "Göran", "Saga", "Nils", "Amira", "Bosse", "Käthe", "Leo", "Märta")
_LAST = ("Ängström", "Öberg", "Lindqvist", "Håkansson", "Yılmaz", "Nyström", "Björk", "Sjöö", "Ek", "Wallin")


class Customer(NamedTuple):
    """A customer who gave an e-mail address."""

    number: int
    first_name: str
    last_name: str
    email: str
    phone: str


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower().replace("ı", "i"))
    return plain.encode("ascii", "ignore").decode()


CUSTOMERS = tuple(
    Customer(number, first, last, f"{_ascii(first)}.{_ascii(last)}@example.com", f"+4670174{number:04d}")
    for number, (first, last) in enumerate(product(_FIRST, _LAST), start=1)
)
