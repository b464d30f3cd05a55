"""Signing messages as Standard Webhooks (version 1.0) says, with a symmetric key."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime


def key_of(secret: str) -> bytes:
    """The key in a secret of the form ``whsec_`` and base64.

    Raises:
        ValueError: where it does not have that form.
    """
    if not secret.startswith("whsec_"):
        raise ValueError("a webhook's secret begins with whsec_")
    return base64.b64decode(secret.removeprefix("whsec_"), validate=True)


def signed_headers(key: bytes, *, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a message: its id, when it is sent, and the signature over both and exactly these bytes."""
    timestamp = str(int(at.timestamp()))
    content = b".".join((message_id.encode(), timestamp.encode(), body))
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}
