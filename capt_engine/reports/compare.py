"""Several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from capt_engine.reports.build import build
from capt_engine.reports.document import Report


def compare(folders: Sequence[Path], redact: bool = False) -> Report:
    """The report of several runs."""
    return build(folders[0], redact)
