"""Ometria's transactional e-mail: what was sent to whom. It knows no repeats: a request twice is an e-mail twice."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import orjson

Mail = dict[str, Any]


class Outbox:
    """The e-mails that were sent, and those of the sandbox mode, which reach nobody.

    Attributes:
        templates: The ids of the templates that exist; None where any does.
    """

    def __init__(self) -> None:
        self.sent: list[Mail] = []
        self.tried: list[Mail] = []
        self.templates: set[int] | None = None

    @property
    def duplicates(self) -> int:
        """How many e-mails, of either kind, were the same as one before."""
        alike = Counter(orjson.dumps(mail, option=orjson.OPT_SORT_KEYS) for mail in [*self.sent, *self.tried])
        return sum(number - 1 for number in alike.values())

    def take(self, mail: object) -> str | None:
        """Send an e-mail; or say what is wrong with it."""
        if not isinstance(mail, dict):
            return "Payload invalid: must be an object"
        if wrong := _what_is_wrong(mail):
            return wrong
        template = mail.get("template_id")
        if template is not None and self.templates is not None and template not in self.templates:
            return "template_id: no such template"
        (self.tried if mail.get("sandbox") else self.sent).append(mail)
        return None


def _what_is_wrong(mail: Mail) -> str | None:
    for name in ("from", "to"):
        address = mail.get(name)
        if not isinstance(address, dict) or not re.fullmatch(r"[^@\s]+@[^@\s]+", str(address.get("email", ""))):
            return f"{name}: not a valid address"
    if mail.get("transactional") is not True:
        return "transactional: must be true"
    if not mail.get("subject"):
        return "subject: This value is required"
    if not isinstance(mail.get("template_id"), int) and not mail.get("html"):
        return "template_id: This value is required"
    if any(not str(each.get("content", "")).startswith("JVBER") for each in mail.get("attachments", [])):
        return "attachments: not a PDF"  # one bad file fails the whole call; JVBER is %PD in base 64
    return None
