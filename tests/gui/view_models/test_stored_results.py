"""The store of results in Preferences: its size is told, and it is emptied after a question only."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication

from capt_engine import records as r
from capt_gui.panels.preferences.stored_box import StoredBox
from capt_gui.view_models.preferences.stored_results import StoredResults
from tests.gui.conftest import Bench

pytestmark = pytest.mark.usefixtures("qapp")


def test_the_store_is_told_and_emptied_only_after_a_question(bench: Bench) -> None:
    """The box asks at once what there is; no leaves it alone; yes asks the engine to remove all, and says what went."""
    box = StoredBox(StoredResults(bench.desk.bridge))
    assert not box.empty.isEnabled()

    def answer(**facts: Any) -> None:
        full = {
            "folder": "/s",
            "is_on": True,
            "entries": 1200,
            "n_bytes": 3_000_000,
            "budget": 2_000_000_000,
            "hits": 4,
        }
        bench.engine.emit(r.JobFinished(r.JobId(len(bench.engine.requests)), r.StoreFacts(**(full | facts))))
        QCoreApplication.processEvents()

    assert bench.engine.requests[-1] == r.StoreRequest()
    answer()
    assert box.held.text().startswith("1,200 results, 3")
    assert box.empty.isEnabled()
    asked: list[str] = []
    agreed = [False]

    def ask(_parent: object, _title: str, _question: str, _answer: str, hint: str) -> bool:
        asked.append(hint)
        return agreed[0]

    box.ask = ask
    n = len(bench.engine.requests)
    box.empty.click()
    assert len(bench.engine.requests) == n
    assert "Kept runs, pictures, models and prompts stay" in asked[0]
    agreed[0] = True
    box.empty.click()
    assert bench.engine.requests[-1] == r.StoreRequest(trim_to=0)
    assert not box.empty.isEnabled()
    answer(entries=0, n_bytes=0, removed=1200, removed_bytes=3_000_000)
    assert "Removed: 1,200 results" in box.held.text()
    assert not box.empty.isEnabled()
    box.trim.setEnabled(True)
    box.trim.click()
    assert bench.engine.requests[-1] == r.StoreRequest(unused_days=30.0)
