"""Sitoo and the targets as servers on loopback, with a chain of stores behind them that sells and goes offline."""

from sitoo_pipeline.sandbox.chain import Chain
from sitoo_pipeline.sandbox.faults import Faults
from sitoo_pipeline.sandbox.server import Sandbox
from sitoo_pipeline.sandbox.visitors import BY_HOUR as VISITORS_METRIC

__all__ = ["VISITORS_METRIC", "Chain", "Faults", "Sandbox"]
