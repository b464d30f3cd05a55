"""The hourly and daily figures for any other system, as signed messages to its address.

What belongs here: what a message says, how records share messages, and what an answer means for them. What does not:
one call (``webhook_call``) and the signature (``webhook_signature``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

import polars as pl

from sitoo_pipeline.sinks.canonical import canonical_json
from sitoo_pipeline.sinks.closing import Closing
from sitoo_pipeline.sinks.contract import OnUnknown, Outcome, Prepared, Record, State
from sitoo_pipeline.sinks.ledger_rows import Entry
from sitoo_pipeline.sinks.target_http import NotTakenError
from sitoo_pipeline.sinks.webhook_call import Call, Refused
from sitoo_pipeline.tables.schema import Table

BATCH_SIZE = 200


class Webhook(Closing):
    """A receiver of figures. Each record is a table's rows of one store and date, and replaces all of them.

    Stores of one date and table share a message, as long as it is not too long.

    **Unknown**: sent again. What a record replaces is in it, so a repeat changes nothing; and the repeat of a message
    has the same ``webhook-id``.
    """

    batch_size = BATCH_SIZE
    on_unknown = OnUnknown.SEND_AGAIN

    def __init__(
        self,
        name: str,
        *,
        url: str,
        secret: str,
        max_bytes: int = 256_000,
        attempts: int = 4,
        timeout: float = 60.0,
        longest_wait: float = 30.0,
    ) -> None:
        """Say where messages go.

        Args:
            name: of the target.
            url: where messages are posted to.
            secret: what they are signed with, ``whsec_`` and base64.
            max_bytes: longest message.
            attempts: tries of one message, the first included.
            timeout: seconds without an answer after which a try is given up.
            longest_wait: seconds to wait for the next try at most; a receiver that asks for more is left alone.

        Raises:
            ValueError: for a secret of another form.
        """
        self.name = name
        self.record_bytes: int | None = max_bytes
        self.requests_per_second: float | None = None
        self._before: dict[str, Entry] = {}
        self._call = Call(url, secret=secret, attempts=attempts, timeout=timeout, longest_wait=longest_wait)

    def close(self) -> None:
        """Close the connections."""
        self._call.close()

    def prepare(
        self,
        frames: Mapping[Table, pl.DataFrame],
        *,
        account: str,
        dates: Collection[date],
        known: Collection[str],
        handed_over: Callable[[Collection[str]], Mapping[str, Entry]],
    ) -> Prepared:
        """One record per table, date and store; without rows where the receiver may have some that are no more.

        Args:
            frames: rows of each table that is sent; other dates and accounts in them are left alone.
            account: the account to send.
            dates: the business dates in question; each must have been loaded.
            known: keys of what was ever handed over of these dates.
            handed_over: what the ledger has, by key.
        """
        records: dict[str, Record] = {}
        for table, frame in frames.items():
            mine = frame.filter(pl.col("account") == account, pl.col("business_date").is_in(set(dates)))
            for (day, store_id), rows in groupby(
                mine.sort("business_date", "store_id", *table.key).iter_rows(named=True),
                key=lambda row: (row["business_date"], row["store_id"]),
            ):
                record = _record(table.name, account, day, store_id, list(rows))
                records[record.key] = record
        tables = {table.name for table in frames}
        for key in set(known) - records.keys():
            table_name, day, store_id = key.split("/", 2)
            if table_name in tables:
                records[key] = _record(table_name, account, date.fromisoformat(day), store_id, [])
        self._before.update(handed_over(records.keys()))
        return Prepared(tuple(sorted(records.values(), key=lambda each: (each.partition, each.key))))

    def send(self, batch: Sequence[Record]) -> list[Outcome]:
        """Hand over the records, those of one table and date together."""
        outcomes: list[Outcome] = []
        for message in self._messages(batch, outcomes):
            if any(outcome.stop for outcome in outcomes):
                outcomes += [Outcome(r.key, State.RETRY, "not tried: the receiver was not working") for r in message]
            else:
                outcomes += self._hand_over(message)
        return outcomes

    def _messages(self, batch: Iterable[Record], outcomes: list[Outcome]) -> list[list[Record]]:
        """The records by message: each as long as may be. One that is too long by itself is refused here."""
        limit = self.record_bytes or 0
        messages: list[list[Record]] = []
        for _, group in groupby(batch, key=lambda record: (record.partition, record.payload["table"])):
            message: list[Record] = []
            for record in group:
                if (size := len(_body([record]))) > limit:
                    why = f"the message would have {size} bytes, and max_bytes is {limit}"
                    outcomes.append(Outcome(record.key, State.REJECTED, why))
                elif message and len(_body([*message, record])) > limit:
                    messages.append(message)
                    message = [record]
                else:
                    message.append(record)
            if message:
                messages.append(message)
        return messages

    def _hand_over(self, records: list[Record]) -> list[Outcome]:
        """One message; where it is refused, halves of it, until the records are found that are to blame."""
        body = _body(records)
        try:
            answer = self._call(self._identity(records, body), body)
        except NotTakenError as error:
            state = State.UNKNOWN if error.may_have_arrived else State.RETRY
            wait = None if error.wait is None else datetime.now(UTC) + timedelta(seconds=error.wait)
            return [Outcome(r.key, state, str(error), stop=error.stop, retry_after=wait) for r in records]
        if not isinstance(answer, Refused):
            return [Outcome(record.key, State.DELIVERED, answer) for record in records]
        if len(records) == 1 or answer.wants_no_more:
            return [Outcome(r.key, State.REJECTED, answer.text, stop=answer.wants_no_more) for r in records]
        middle = len(records) // 2
        first = self._hand_over(records[:middle])
        if any(outcome.stop for outcome in first):
            return first + [
                Outcome(r.key, State.RETRY, "not tried: the receiver was not working") for r in records[middle:]
            ]
        return first + self._hand_over(records[middle:])

    def _identity(self, records: Sequence[Record], body: bytes) -> str:
        """The same for the same content after the same deliveries; another one where old figures come back.

        A receiver drops what has an id that it knows, so figures that come back must not look like a repeat.
        """
        follows = [self._before[r.key].delivery if r.key in self._before else "" for r in records]
        return f"msg_{hashlib.sha256(body + canonical_json(follows)).hexdigest()}"


def _record(table: str, account: str, day: date, store_id: str, rows: list[dict[str, Any]]) -> Record:
    payload = {"table": table, "account": account, "business_date": day, "store_id": store_id, "rows": rows}
    return Record(f"{table}/{day.isoformat()}/{store_id}", day, payload)


def _body(records: Sequence[Record]) -> bytes:
    """The message of some stores of one table and date. The time of sending is in its header, not in its content."""
    first = records[0].payload
    stores = [{"store_id": r.payload["store_id"], "rows": r.payload["rows"]} for r in records]
    data = {"account": first["account"], "business_date": first["business_date"], "stores": stores}
    return canonical_json({"type": first["table"], "data": data})
