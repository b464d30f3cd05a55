"""Sinks: one module per target over one delivery contract and one ledger.

``contract`` says what a target is, ``delivery`` hands records to one, ``ledger`` remembers. A target lives in a module
of its own and is imported from there: the weekly balance as SQL and CSV, and Ometria. What does not belong here: how a
figure is computed (``transforms``), and when a delivery happens (``assets``, ``automation``).
"""

from sitoo_pipeline.sinks.circuit import Circuit
from sitoo_pipeline.sinks.contract import (
    Change,
    Comparable,
    InDatabase,
    Limited,
    NotReadError,
    OnUnknown,
    Outcome,
    Prepared,
    Readable,
    Record,
    Report,
    State,
    Target,
)
from sitoo_pipeline.sinks.dead_letters import DeadLetter
from sitoo_pipeline.sinks.delivery import deliver
from sitoo_pipeline.sinks.ledger import Ledger
from sitoo_pipeline.sinks.ledger_rows import Entry
from sitoo_pipeline.sinks.settling import VERDICTS, Settlement

__all__ = [
    "VERDICTS",
    "Change",
    "Circuit",
    "Comparable",
    "DeadLetter",
    "Entry",
    "InDatabase",
    "Ledger",
    "Limited",
    "NotReadError",
    "OnUnknown",
    "Outcome",
    "Prepared",
    "Readable",
    "Record",
    "Report",
    "Settlement",
    "State",
    "Target",
    "deliver",
]
