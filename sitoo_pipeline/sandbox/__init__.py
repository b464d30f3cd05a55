"""Sitoo and the targets as servers on loopback, with a chain of stores behind them that sells and goes offline."""

from sitoo_pipeline.sandbox.chain import Chain
from sitoo_pipeline.sandbox.faults import Faults
from sitoo_pipeline.sandbox.server import Sandbox

__all__ = ["Chain", "Faults", "Sandbox"]
