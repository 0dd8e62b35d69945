"""Steps that tests of the Evaluate page share: what the user drops and presses, what the engine answers."""

from __future__ import annotations

import json
from pathlib import Path

import acted_data
import acted_evaluation as acted
from conftest import Bench
from PySide6.QtCore import QCoreApplication, QMimeData, Qt, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from capt_engine import records as r
from capt_gui.pages.evaluate.page import EvaluatePage


def play(bench: Bench, *events: r.Event) -> None:
    """Let the engine say this, and the page hear it."""
    for event in events:
        bench.engine.emit(event)
    QCoreApplication.processEvents()


def last(bench: Bench) -> r.JobId:
    """The job asked for last."""
    return r.JobId(len(bench.engine.requests))


def drop(page: EvaluatePage, *paths: str) -> bool:
    """Let go of these over the page."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(path) for path in paths])
    return page.take(mime)


def dropped(bench: Bench, page: EvaluatePage, folder: Path, found: r.ScanResult | None = None) -> None:
    """Class folders were dropped and looked through."""
    assert drop(page, str(folder))
    play(bench, r.JobFinished(last(bench), found or acted_data.found({"cat": 2, "dog": 1, "emu": 1})))


def finished(bench: Bench, result: r.AnalyzeResult) -> r.EvaluateRequest:
    """Run was pressed, and this is what came of it; the engine has kept it."""
    bench.desk.evaluation.run.start()
    request = bench.engine.requests[-1]
    assert isinstance(request, r.EvaluateRequest)
    folder = Path(request.options.keep)
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"command": "capt evaluate toys"}), encoding="utf-8")
    play(bench, r.RowsReady(last(bench), acted.quick()), r.JobFinished(last(bench), result))
    return request


def press(button: QPushButton) -> None:
    """Press a button with the keyboard."""
    assert button.isVisible()
    assert button.isEnabled()
    QTest.keyClick(button, Qt.Key.Key_Space)
