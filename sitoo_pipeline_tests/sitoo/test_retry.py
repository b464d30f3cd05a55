"""How long a refused request waits: Sitoo's own word first, in each of its forms."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import formatdate

import pytest
import stamina
from stamina.instrumentation import RetryDetails

from sitoo_pipeline.sitoo import RetryPolicy
from sitoo_pipeline.sitoo.errors import TransientSitooError
from sitoo_pipeline_tests.sitoo.conftest import Connect, Serve
from sitoo_pipeline_tests.sitoo.server import answer, refusal, script_of

NOON = 1_772_452_800
DATE = {"Date": formatdate(NOON, usegmt=True)}


@pytest.fixture
def waits() -> Iterator[list[float]]:
    """The waits that are about to be slept."""
    slept: list[float] = []

    def hook(details: RetryDetails) -> None:
        slept.append(details.wait_for)

    stamina.instrumentation.set_on_retry_hooks([hook])
    yield slept
    stamina.instrumentation.set_on_retry_hooks([])


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": " 1.5 "}, 1.5),
        ({"Retry-After": formatdate(NOON + 90, usegmt=True), **DATE}, 90.0),
        ({"Retry-After": "Mon, 02 Mar 2026 12:01:30 -0000", **DATE}, 90.0),
        ({"Retry-After": formatdate(NOON - 90, usegmt=True), **DATE}, 0.0),
        ({"X-Rate-Limit-Reset": str(NOON + 30), **DATE}, 30.0),
        ({"X-Rate-Limit-Reset": "20"}, 20.0),
        ({"X-Rate-Limit-Reset": str(NOON + 30), "Retry-After": "5", **DATE}, 30.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "9" * 400}, None),
        ({"Retry-After": "nan"}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_what_sitoo_asks_for(
    serve: Serve, connect: Connect, headers: dict[str, str], seconds: float | None, status: int
) -> None:
    server = serve(script_of(refusal(status, headers=headers)))
    with pytest.raises(TransientSitooError) as caught:
        connect(server, retry=RetryPolicy(attempts=1)).get("/orders.json")
    assert caught.value.retry_after == seconds


def test_sitoos_word_counts_and_is_capped(serve: Serve, connect: Connect, waits: list[float]) -> None:
    server = serve(
        script_of(
            refusal(429, headers={"Retry-After": "0.02"}),
            refusal(429, headers={"Retry-After": "3600"}),
            answer({"items": []}),
        )
    )
    policy = RetryPolicy(attempts=3, wait_initial=0.001, wait_max=0.001, retry_after_max=0.05)
    connect(server, retry=policy).get("/orders.json")
    assert 0.02 <= waits[0] <= 0.021
    assert 0.05 <= waits[1] <= 0.051


def test_waits_grow_with_jitter_up_to_a_maximum(serve: Serve, connect: Connect, waits: list[float]) -> None:
    policy = RetryPolicy(attempts=6, wait_initial=0.002, wait_max=0.012)
    with pytest.raises(TransientSitooError):
        connect(serve(script_of(refusal(500))), retry=policy).get("/orders.json")
    bounds = [(0.002, 0.004), (0.004, 0.006), (0.008, 0.010), (0.012, 0.012), (0.012, 0.012)]
    assert len(waits) == len(bounds)
    assert all(low - 1e-9 <= wait <= high + 1e-9 for wait, (low, high) in zip(waits, bounds, strict=True))


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"wait_max": -1.0}, {"retry_after_max": -1.0}])
def test_a_policy_that_makes_no_sense(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"attempts|negative"):
        RetryPolicy(**wrong)  # type: ignore[arg-type]
