"""The store of results and the trash in Preferences: what they hold is told, and they are emptied after a question only."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QLabel

from capt_engine import records as r
from capt_gui.panels.preferences.stored_box import StoredBox
from capt_gui.panels.preferences.trash_box import TrashBox
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


def test_the_trash_is_told_and_emptied_only_after_a_question(bench: Bench) -> None:
    """The box says how much lies there and what empties it by itself; a run can be put back, and all removed after a yes."""
    runs, preferences = bench.desk.reports.runs, bench.desk.preferences
    box = TrashBox(bench.desk.theme, runs, preferences)
    assert isinstance(bench.engine.requests[-1], r.ListRunsRequest)
    assert box.held.text() == "Looking…"
    runs.on_changed(r.RunsListed((), ()))
    assert (box.held.text(), box.empty.isEnabled()) == ("The trash is empty.", False)
    gone = tuple(r.TrashedRun(f"/r/{one}", f"run {one}", "2026-01-02T03:04:05+00:00", 2_000_000) for one in "ab")
    runs.on_changed(r.RunsListed((), gone))
    assert box.held.text() == "2 deleted runs, 4 MB."
    assert "after 30 days, where the trash holds more than 5 GB" in box.findChildren(QLabel)[1].text()
    preferences.set("trash_days", 7)
    assert "after 7 days" in box.findChildren(QLabel)[1].text()
    assert box.fits("trash nearly full")
    asked = len(bench.engine.requests)
    box.menu.confirm = lambda: False
    box.empty.click()
    assert len(bench.engine.requests) == asked
    box.menu.confirm = lambda: True
    box.empty.click()
    assert isinstance(bench.engine.requests[-1], r.EmptyTrashRequest)
    box.menu.fill()
    box.menu.menu().actions()[0].trigger()
    assert bench.engine.requests[-1] == r.RestoreRunsRequest(("/r/a",))
