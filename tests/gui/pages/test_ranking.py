"""Several variants ranked on the Evaluate page: chosen in a dialog, run as one job, one table, counts that show their pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import acted_evaluation as acted
import pytest
from conftest import Bench
from evaluating import dropped, finished, last, play, press
from fakes import READY, TWO_SIDES
from PySide6.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

from capt_engine import records as r
from capt_gui.pages.evaluate.page import EvaluatePage
from capt_gui.pages.evaluate.variants_dialog import VariantsDialog
from capt_gui.theme import Theme
from capt_gui.view_models.evaluate.ranking_run import VariantOption


@pytest.fixture
def page(bench: Bench, qtbot: QtBot, tmp_path: Path) -> Iterator[EvaluatePage]:
    """The page, shown, on an engine that is ready; runs are kept in a folder of the test's."""
    bench.desk.store.folder = tmp_path / "runs"
    page = EvaluatePage(bench.desk)
    qtbot.addWidget(page)
    page.resize(1280, 800)
    page.show()
    qtbot.waitExposed(page)
    play(bench, READY)
    yield page
    page.leave()


def variant(name: str, robust: int, **changes: object) -> r.RankedVariant:
    """One of four pictures, three right when clean."""
    fields: dict[str, object] = {
        "model": "demo",
        "prompts": name,
        "n": 4,
        "clean": 3,
        "clean_interval": (0.3, 0.95),
        "robust": robust,
        "robust_interval": (0.1, 0.9),
        "seconds": 0.25,
        "run": f"/runs/{name}",
    }
    return r.RankedVariant(**{**fields, **changes})  # type: ignore[arg-type]


def ranked(p: float = 0.01) -> r.CompareResult:
    """Plain text behind prompts, which it repairs in one picture."""
    test = r.PairedTest(2, 1, 4, -0.25, -0.6, 0.2, p / 2)
    worse = variant("none", 1, versus=test, p_holm=p, lost=("/toys/a.png", "/toys/b.png"), repaired=("/toys/c.png",))
    return r.CompareResult((variant("mine", 3), worse), r.ThreatModel(eps=4 / 255), ("pgd",), wall_s=2.0, device="cpu")


def ranking(bench: Bench, page: EvaluatePage, folder: Path, result: r.CompareResult | None = None) -> r.CompareRequest:
    """Data were dropped, two variants were chosen, and this came of it."""
    dropped(bench, page, folder)
    page.ask_variants = lambda _parent, offered, _ticked: tuple(offered[:2])
    press(page.settings_column.several)
    request = bench.engine.requests[-1]
    assert isinstance(request, r.CompareRequest)
    if result is not None:
        play(bench, r.RowsReady(last(bench), acted.quick()), r.JobFinished(last(bench), result))
    return request


def test_variants_run_as_one_job_alike_but_for_what_is_compared(
    bench: Bench, page: EvaluatePage, tmp_path: Path
) -> None:
    """Each has a run folder of its own; while it goes on, the bar shows it, Run waits, and Esc cancels it."""
    request = ranking(bench, page, tmp_path)
    first, second = request.evaluations
    assert (first.data, first.all_attacks, first.options.threat) == (
        second.data,
        second.all_attacks,
        second.options.threat,
    )
    assert first.options.compare is None
    assert (first.options.model, first.options.prompts) != (second.options.model, second.options.prompts)
    assert first.options.keep != second.options.keep or not first.options.keep
    assert page.ranking.isVisible()
    assert "Measuring 2 variants" in page.ranking.verdict.headline.text()
    play(bench, r.JobProgress(last(bench), 500, 2000, "variant 1 of 2, picture 1", None))
    assert "Variant 1 of 2" in page.settings_column.job_bar.text()
    assert not page.start_action.isEnabled()
    assert not page.settings_column.several.isEnabled()
    page.on_cancel()
    play(bench, r.JobCancelled(last(bench)))
    assert "Stopped before all variants" in page.ranking.verdict.headline.text()
    assert page.settings_column.several.isEnabled()


def test_the_table_ranks_and_its_counts_show_their_pictures(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """The best first, who is behind by more than chance, and the pictures behind “only it fails” and “repairs”."""
    ranking(bench, page, tmp_path, ranked())
    view = page.ranking
    assert "is right most often under attack, on 75.0 % of 4 pictures." in view.verdict.headline.text()
    assert view.verdict.property("verdict") == "better"
    assert [text[:2] for text in view.table.shown(0)] == ["1.", "2."]
    assert view.table.shown(2) == ["–", "2"]
    assert view.table.shown(3) == ["–", "1"]
    assert view.table.shown(4) == ["best", "0.0100"]
    model = view.table.model()
    view.table.setCurrentIndex(model.index(1, 2))
    view.table.activated.emit(model.index(1, 2))
    assert view.pictures.title.text().startswith("2 pictures: only")
    view.table.activated.emit(model.index(1, 3))
    assert view.pictures.title.text().startswith("1 picture: ")
    assert "repairs" in view.pictures.title.text()
    view.table.activated.emit(model.index(0, 2))
    assert not view.pictures.isVisible()


def test_without_a_difference_nothing_is_claimed(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """A large p makes no winner, and the report opens the runs side by side."""
    ranking(bench, page, tmp_path, ranked(0.6))
    view = page.ranking
    assert view.verdict.property("verdict") == "unclear"
    assert "No difference to the others can be told" in view.verdict.figures.text()
    bench.desk.reports.runs.runs = tuple(r.KeptRun(f"/runs/{name}", "2026", name, 4, True) for name in ("none", "mine"))
    press(view.report)
    bench.desk.reports.on_runs_changed()
    assert bench.desk.reports.chosen == ("/runs/mine", "/runs/none")


def test_a_failure_is_told_in_its_place(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """The card says what happened and what to do, and the page is free again."""
    ranking(bench, page, tmp_path)
    play(bench, r.JobFailed(last(bench), r.Failure("CannotWrite", "The disk is full.", "Make room.")))
    assert page.ranking.verdict.headline.text() == "The disk is full."
    assert page.start_action.isEnabled()


def test_two_to_six_can_be_ticked(theme: Theme, qtbot: QtBot) -> None:
    """OK waits for two and refuses seven; what is ticked comes back in the list's order."""
    del theme
    offered = [VariantOption("demo", f"p{i}", "Demo CLIP", f"prompts {i}") for i in range(8)]
    dialog = VariantsDialog(offered, offered[:1])
    qtbot.addWidget(dialog)
    dialog.show()
    ok = dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)
    assert not ok.isEnabled()
    press(dialog.boxes[3][1])
    assert ok.isEnabled()
    assert dialog.chosen() == (offered[0], offered[3])
    for _, box in dialog.boxes:
        box.setChecked(True)
    assert not ok.isEnabled()


def test_a_and_b_show_where_they_differ(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """Each count is what the rows say, and leads to its pictures; without B there is no such card."""
    play(bench, TWO_SIDES)
    bench.desk.model.sides.set_b("toy-capt")
    dropped(bench, page, tmp_path)
    run = bench.desk.evaluation.run
    finished(bench, acted.compared())
    card = page.results.differences
    tally = run.tally
    for row, attacked in enumerate((False, True)):
        for place in range(2):
            a, b = run.sides if not place else run.sides[::-1]
            n = len(tally.only_wrong(a, b, attacked=attacked))
            assert card.buttons[row][place].text().endswith(f": {n}")
            if n and card.buttons[row][place].isVisible():
                card.on_clicked(row, place)
                assert card.pictures.title.text().startswith(str(n))
