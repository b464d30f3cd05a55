"""Digital receipts: e-mails through Ometria's transactional e-mail, each at most once.

What belongs here: sending one. What does not: which orders get a receipt and what it says
(``ometria_receipt_records``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import httpx

from sitoo_pipeline.sinks.canonical import wire_json
from sitoo_pipeline.sinks.closing import Closing
from sitoo_pipeline.sinks.contract import OnUnknown, Outcome, Record, State
from sitoo_pipeline.sinks.ometria_http import Api, Pace, Patience, json_object, words_of, wrong_address
from sitoo_pipeline.sinks.ometria_search import not_taken, reason_for
from sitoo_pipeline.sinks.target_http import NotTakenError


class OmetriaReceipt(Closing):
    """The transactional e-mail of one Ometria account. A context manager.

    **Unknown**: a second request is a second e-mail, and nobody can be asked whether the first was sent. So the ledger
    says that a receipt is on its way before the call, one at a time; one of which the outcome is not known is held.
    Only what surely was not taken (no connection, too many requests, a refused key) is tried again.
    """

    name: ClassVar[str] = "ometria_receipt"
    batch_size: ClassVar[int] = 1  # a process that is killed leaves one in doubt, not many
    on_unknown: ClassVar[OnUnknown] = OnUnknown.HOLD
    record_bytes: ClassVar[None] = None

    def __init__(
        self, *, base_url: str, api_key: str, requests_per_second: float = 30, patience: Patience | None = None
    ) -> None:
        """Name the account.

        Args:
            base_url: up to the version, ``https://api.ometria.com/v2``.
            api_key: sent with each request, never shown.
            requests_per_second: Ometria's limit of transactional e-mails.
            patience: how long one request is tried, as long as it surely was not taken.
        """
        self.requests_per_second = requests_per_second
        self._api = Api(base_url=base_url, api_key=api_key, patience=patience or Patience())
        self._pace = Pace(requests_per_second)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def send(self, batch: Sequence[Record]) -> list[Outcome]:
        """Send these receipts, one after the other."""
        return [self._send_one(record) for record in batch]

    def _send_one(self, record: Record) -> Outcome:
        try:
            refusal = self._api.call(
                "POST",
                "transactional-email/send",
                pace=self._pace,
                content=wire_json(record.payload),
                understood=_understood,
                is_repeatable=False,
            )
        except NotTakenError as error:
            return not_taken(record, error)
        if refusal:
            return Outcome(record.key, State.REJECTED, reason_for(record, refusal))
        is_trial = record.payload["sandbox"]
        return Outcome(record.key, State.DELIVERED, "taken in sandbox mode: no e-mail is sent" if is_trial else "sent")


def _understood(response: httpx.Response) -> str:
    """Why the e-mail was refused; empty where it was taken."""
    if response.status_code in (400, 413, 422):
        return words_of(response)
    if not response.is_success:
        raise wrong_address(response)
    if response.content and not json_object(response):
        # A page of something in between: Ometria may have sent the e-mail or not.
        raise NotTakenError(f"Ometria's answer makes no sense (HTTP {response.status_code})", may_have_arrived=True)
    return ""
