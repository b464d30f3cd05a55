"""Weekly balance by e-mail: the files of a business date as attachments of one message.

What belongs here: the message, and which dates get one. What does not: what is in the files
(``weekly_balance_files``), and the mail server (``smtp``).
"""

from __future__ import annotations

import email.policy
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from email.message import EmailMessage
from email.utils import localtime
from typing import ClassVar

import polars as pl

from sitoo_pipeline.sinks.contract import OnUnknown, Outcome, Prepared, Record, State
from sitoo_pipeline.sinks.ledger_rows import Entry
from sitoo_pipeline.sinks.smtp import MailServer, MailServerError, hand_over
from sitoo_pipeline.sinks.weekly_balance_csv import not_encodable
from sitoo_pipeline.sinks.weekly_balance_files import BalanceFile, Held, WeeklyBalanceFiles

_POLICY = email.policy.SMTP.clone(cte_type="7bit")


@dataclass(frozen=True)
class Envelope:
    """Who writes to whom, and the subjects: ``{date}`` and ``{account}`` are filled in, ``{subject}`` in the second."""

    sender: str
    recipients: tuple[str, ...]
    subject: str = "Weekly balance {date}"
    correction_subject: str = "Correction: {subject}"


class WeeklyBalanceMail:
    """A mailbox that gets one message per business date, and another for each correction.

    **Unknown**: a mail server cannot be asked what it took, so such a date is held and shown. Sent again, forced, the
    message has the same ``Message-ID``, by which the receiver can tell that it has it already.
    """

    name: ClassVar[str] = "weekly_balance_mail"
    batch_size: ClassVar[int] = 1
    on_unknown: ClassVar[OnUnknown] = OnUnknown.HOLD

    def __init__(self, server: MailServer, envelope: Envelope) -> None:
        """Say where messages are handed over. Nothing is opened yet."""
        self._server = server
        self._envelope = envelope
        self._account = ""
        self._before: dict[str, Entry] = {}
        self._left_out: dict[str, str] = {}

    def prepare(
        self,
        files: WeeklyBalanceFiles,
        frame: pl.DataFrame,
        *,
        account: str,
        dates: Collection[date],
        today: date,
        is_over: Callable[[date], bool],
        max_age_days: int,
        handed_over: Callable[[Collection[str]], Mapping[str, Entry]],
        held: Held | None = None,
    ) -> Prepared:
        """One record per date that is to be sent: its files.

        A date that is not over is left out, as each hour would be a correction of it; so is one that is too old and
        was never sent, and one that has no file and never had.

        Args:
            files: how the files are made.
            frame: rows of ``marts.weekly_balance_hourly``.
            account: the account to write.
            dates: the business dates in question; each must have been loaded.
            today: the date of the account's clock, from which the age of a date is counted.
            is_over: whether a date is over for all of the account's stores.
            max_age_days: the age in days up to which a date is sent for the first time.
            handed_over: what the ledger has, by key.
            held: stores held back, by date.
        """
        self._account = account
        before = handed_over([day.isoformat() for day in dates])
        records, messages = [], []
        made, warnings = files.make(frame, account=account, dates=dates, held=held)
        for day in sorted(set(dates)):
            key, of_day = day.isoformat(), [file for file in made if file.day == day]
            text = [file for file in of_day if file.text]
            if not is_over(day):
                messages.append(f"{day} is not over in every store: it is sent by the first run after that")
            elif key not in before and (today - day).days > max_age_days:
                messages.append(f"{day} is not sent: it is older than max_age_days ({max_age_days}) and never was")
            elif text or key in before:
                self._left_out[key] = ", ".join(file.left_out for file in of_day if file.left_out)
                records.append(_record(day, text, files.csv_format.encoding, self._left_out[key]))
        self._before.update(before)
        return Prepared(tuple(records), (*warnings, *messages))

    def send(self, batch: Sequence[Record]) -> list[Outcome]:
        """Hand over a message for each record, over a connection of its own."""
        return [self._hand_over(record) for record in batch]

    def _hand_over(self, record: Record) -> Outcome:
        try:
            message = self._message(record)
        except UnicodeEncodeError as error:
            return Outcome(record.key, State.REJECTED, not_encodable(error))
        try:
            with self._server.session() as smtp:
                answered = hand_over(
                    smtp,
                    sender=self._envelope.sender,
                    recipients=self._envelope.recipients,
                    content=message.as_bytes(policy=_POLICY),
                )
        except MailServerError as error:
            return Outcome(record.key, State.RETRY, str(error), stop=True)
        return Outcome(record.key, answered.state, answered.text, stop=answered.stop)

    def _message(self, record: Record) -> EmailMessage:
        before = self._before.get(record.key)
        identity = _identity(self._account, record, before)
        filled = {"date": record.partition.isoformat(), "account": self._account}
        subject = self._envelope.subject.format_map(filled)
        if _corrects(record, before):
            subject = self._envelope.correction_subject.format_map({**filled, "subject": subject})
        message = EmailMessage(policy=_POLICY)
        message["From"] = self._envelope.sender
        message["To"] = ", ".join(self._envelope.recipients)
        message["Subject"] = subject
        message["Date"] = localtime()
        message["Message-ID"] = f"<{identity}@{self._envelope.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(_words(record, self._account, self._left_out.get(record.key, "")))
        encoding = record.payload["encoding"]
        for file in record.payload["files"]:
            message.add_attachment(
                file["text"].encode(encoding),
                maintype="text",
                subtype="csv",
                params={"charset": encoding.removesuffix("-sig")},
                filename=f"{file['name']}.csv",
            )
        if record.payload["files"]:
            message.set_boundary(f"={identity}")
        return message


def _record(day: date, files: Sequence[BalanceFile], encoding: str, left_out: str) -> Record:
    attached = [{"name": file.name, "text": file.text} for file in files]
    payload = {"business_date": day, "encoding": encoding, "files": attached}
    return Record(day.isoformat(), day, payload, left_out=left_out)


def _corrects(record: Record, before: Entry | None) -> bool:
    """Whether the receiver has, or may have, other figures of this date."""
    if before is None or before.content_hash == before.delivered_hash == record.content_hash:
        return False
    if before.state.is_uncertain and before.content_hash != record.content_hash:
        return True
    return before.delivered_hash is not None and before.delivered_hash != record.content_hash


def _identity(account: str, record: Record, before: Entry | None) -> str:
    """The same for the same content after the same delivery; another one where old figures come back."""
    follows = before.delivery if before else ""
    return hashlib.sha256(f"{account} {record.key} {record.content_hash} {follows}".encode()).hexdigest()[:40]


def _words(record: Record, account: str, left_out: str) -> str:
    lines = [f"Weekly balance of {account}, business date {record.partition}."]
    if not record.payload["files"]:
        lines.append("There are no figures of this date any more; earlier ones do not count.")
    if left_out:
        lines.append(f"Left out: {left_out}.")
    return "\n".join(lines) + "\n"
