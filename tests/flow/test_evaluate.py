"""The Evaluate page with nothing faked: generated toy pictures, the real engine and the demo model, from the drop to the report."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import csv
import shlex
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from capt_engine.records import NO_PROMPTS
from capt_gui.bridge import Bridge, real_engine
from capt_gui.pages.evaluate.page import EvaluatePage
from capt_gui.settings import EvaluateSettings, Settings
from capt_gui.theme import Theme
from capt_gui.view_models.desk import lay_out
from tests.flow.wizard_walk import draw_toys

PATIENCE_MS = 120_000
PICTURES = 4

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


@pytest.fixture
def page(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> Iterator[EvaluatePage]:
    """The page on an engine of its own; runs are kept in the test's folder."""
    before = set(threading.enumerate())
    bridge = Bridge(real_engine("cpu"))
    settings = Settings(model="demo", evaluate=EvaluateSettings(attack="quick", limit=PICTURES, checks="off"))
    page = EvaluatePage(lay_out(bridge, settings, Theme(qapp, "light"), runs_folder=tmp_path / "runs"))
    qtbot.addWidget(page)
    page.resize(1280, 740)
    page.show()
    bridge.open()
    yield page
    assert bridge.close(60)
    assert not [thread for thread in threading.enumerate() if thread not in before and thread.is_alive()]


def right(rows: list[dict[str, str]], prompts: str) -> tuple[int, int]:
    """How many pictures of a run folder's rows are right clean, and under every attack, for one set of prompts."""
    mine = [row for row in rows if row["prompt_id"] == prompts]
    clean = {row["path"] for row in mine if row["clean_pred"] == row["label"]}
    broken = {row["path"] for row in mine if row["adv_pred"] and row["adv_pred"] != row["label"]}
    return len(clean), len(clean - broken)


def test_the_figures_on_the_page_are_those_of_the_rows(page: EvaluatePage, qtbot: QtBot, tmp_path: Path) -> None:
    """A and B on four pictures: verdict, tables, matrix and live counts say what rows.csv says, and the command repeats it."""
    evaluation, choices = page.desk.evaluation, page.desk.choices
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(draw_toys(tmp_path / "toys")))])
    assert page.take(mime)
    qtbot.waitUntil(lambda: page.start_action.isEnabled() and bool(evaluation.data.pictures), timeout=PATIENCE_MS)
    assert evaluation.data.pictures_in_split == 18
    b = choices.model.sides.b
    assert b is not None
    page.start_action.trigger()
    qtbot.waitUntil(lambda: evaluation.run.result is not None, timeout=PATIENCE_MS)
    request, result = evaluation.run.request, evaluation.run.result
    assert request is not None
    assert result is not None
    assert result.n == evaluation.run.tally.n == PICTURES
    with (Path(request.options.keep) / "rows.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    pairs = zip((NO_PROMPTS, b), evaluation.run.results(), strict=True)
    for prompts, side in pairs:
        clean, robust = right(rows, prompts)
        assert evaluation.run.tally.clean(prompts) == (clean, PICTURES)
        assert evaluation.run.tally.held(prompts) == (robust, PICTURES)
        assert side.clean_accuracy == clean / PICTURES
        assert side.robust_accuracy == robust / PICTURES
        diagonal = evaluation.run.tally.confusion(prompts, attacked=True)
        assert sum(count for (label, answer), count in diagonal.items() if label == answer) == robust
    view = page.results
    assert f"{PICTURES} pictures" in view.verdict.headline.text()
    assert view.attacks.table.shown(0) == ["FGSM", "FGSM", "PGD", "PGD"]
    first = [row for row in rows if row["attack"] == "fgsm" and row["prompt_id"] == NO_PROMPTS]
    ran = sum(1 for row in first if not row["skipped"])
    assert view.attacks.table.shown(3)[0] == str(ran)
    left = sum(1 for row in first if not row["skipped"] and row["adv_pred"] == row["label"])
    assert view.attacks.table.shown(2)[0] == f"{left / PICTURES:.1%}".replace("%", " %")
    assert sum(int(n) for n in view.classes.table.shown(1)) == PICTURES
    command = shlex.split(evaluation.run.command())
    assert command[:2] == ["capt", "evaluate"]
    assert command[command.index("--suite") + 1] == "quick"
    page.on_report()
    qtbot.waitUntil(lambda: page.desk.reports.chosen == (request.options.keep,), timeout=PATIENCE_MS)
