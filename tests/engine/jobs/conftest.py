"""The real door and runners for tests of jobs, over workers that load nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from capt_engine.api import Engine
from capt_engine.jobs import worker_threads
from tests.engine.jobs.light import Witness, light_science


@pytest.fixture
def heard() -> Witness:
    """The witness of a test."""
    return Witness()


@pytest.fixture
def engine(heard: Witness, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The real door and runners, over a worker that loads nothing."""
    monkeypatch.setattr(worker_threads, "science", light_science)
    engine = Engine(heard, device="cpu")
    yield engine
    assert engine.close()
