"""Ometria, a CRM: records handed to its push API.

What belongs here: batches, limits, and what an answer means for each record. What does not: the shape of the records
(``ometria_orders``, ``ometria_customers``) and a single call with its retries (``ometria_push``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from types import TracebackType
from typing import ClassVar, Self

from sitoo_pipeline.sinks.canonical import wire_json
from sitoo_pipeline.sinks.contract import OnUnknown, Outcome, Record, State
from sitoo_pipeline.sinks.ometria_push import Accepted, NotTakenError, Push, Refused


class Ometria:
    """The push API of one Ometria account, for orders and contacts. A context manager.

    **Unknown**: an order or a contact is always sent whole and addressed by its id, so a repeat changes nothing: it is
    sent again.

    Ometria checks records after it has taken them. ``delivered`` therefore means that it took the record.
    """

    name: ClassVar[str] = "ometria"
    batch_size: ClassVar[int] = 100
    on_unknown: ClassVar[OnUnknown] = OnUnknown.SEND_AGAIN
    record_bytes: ClassVar[int] = 60_000  # it says 60 KB, and the smaller reading of that is safe

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        requests_per_second: float = 8,
        attempts: int = 4,
        timeout: float = 30,
        longest_wait: float = 60,
    ) -> None:
        """Name the account.

        Args:
            base_url: up to the version, ``https://api.ometria.com/v2``.
            api_key: sent with each request, never shown.
            requests_per_second: Ometria's limit for the account.
            attempts: how often one request is tried.
            timeout: seconds for connecting, and for each part of an answer.
            longest_wait: most seconds between two attempts; where Ometria asks for more, the next run tries again.
        """
        self.requests_per_second = requests_per_second
        self._push = Push(
            base_url=base_url,
            api_key=api_key,
            requests_per_second=requests_per_second,
            attempts=attempts,
            timeout=timeout,
            longest_wait=longest_wait,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._push.close()

    def send(self, batch: Sequence[Record]) -> list[Outcome]:
        """Hand over up to 100 records, each type in a request of its own."""
        outcomes: list[Outcome] = []
        fitting: list[tuple[Record, bytes]] = []
        for record in batch:
            body = wire_json(record.payload)
            if len(body) > self.record_bytes:
                reason = f"the record has {len(body)} bytes; Ometria takes {self.record_bytes}"
                outcomes.append(Outcome(record.key, State.REJECTED, reason))
            else:
                fitting.append((record, body))
        for _, of_type in groupby(fitting, key=lambda pair: pair[0].payload["@type"]):
            outcomes += self._hand_over(list(of_type))
        return outcomes

    def _hand_over(self, records: list[tuple[Record, bytes]]) -> list[Outcome]:
        """One request; where only part of it was taken, halves of it, until the rejected records are found."""
        try:
            answer = self._push([body for _, body in records])
        except NotTakenError as error:
            state = State.UNKNOWN if error.may_have_arrived else State.RETRY
            retry_after = None if error.wait is None else datetime.now(UTC) + timedelta(seconds=error.wait)
            return [
                Outcome(record.key, state, str(error), stop=error.stop, retry_after=retry_after)
                for record, _ in records
            ]
        if isinstance(answer, Accepted) and answer.rejected == 0:
            return [Outcome(record.key, State.DELIVERED, answer.text) for record, _ in records]
        if len(records) == 1 or (isinstance(answer, Accepted) and answer.rejected >= len(records)):
            return [Outcome(record.key, State.REJECTED, _reason(answer, record)) for record, _ in records]
        middle = len(records) // 2
        return self._hand_over(records[:middle]) + self._hand_over(records[middle:])


def _reason(answer: Accepted | Refused, record: Record) -> str:
    """The target's reason, unless it quotes a person."""
    customer = record.payload.get("customer", {})
    fields = ("email", "firstname", "lastname", "phone_number")
    personal = [source[field].lower() for source in (record.payload, customer) for field in fields if field in source]
    quotes = any(value in answer.text.lower() for value in personal)
    return "Ometria rejected it; its words quote personal data and are not kept" if quotes else answer.text
