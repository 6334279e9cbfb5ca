"""What this machine trains fastest in, decided by rule so that the same machine always decides alike."""

from __future__ import annotations

from doppelgram.models.runtime import fast_bf16


def lightning_precision(wanted: str) -> str:
    """Lightning's name of the precision for ``auto``, ``32`` or ``bf16``."""
    if wanted == "auto":
        return "bf16-mixed" if fast_bf16() else "32-true"
    return "bf16-mixed" if wanted == "bf16" else "32-true"
