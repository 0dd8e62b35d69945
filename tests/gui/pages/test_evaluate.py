"""The Evaluate page: what it shows at each moment, and what its controls ask for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import acted_data
import acted_evaluation as acted
import pytest
from conftest import Bench
from evaluating import drop, dropped, finished, last, play, press
from fakes import READY, TWO_SIDES
from finding import button, let_go, named, words
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from capt_engine import records as r
from capt_gui.main_window import MainWindow
from capt_gui.pages.evaluate.page import EvaluatePage
from capt_gui.view_models.navigation import EVALUATE
from capt_gui.view_models.settings_keeper import SettingsKeeper
from capt_gui.widgets.segments import Segments


@pytest.fixture
def page(bench: Bench, qtbot: QtBot, tmp_path: Path) -> Iterator[EvaluatePage]:
    """The page, shown, on an engine that is ready; runs are kept in a folder of the test's."""
    bench.desk.store.folder = tmp_path / "runs"
    page = EvaluatePage(bench.desk)
    qtbot.addWidget(page)
    page.resize(1280, 740)
    page.show()
    qtbot.waitExposed(page)
    play(bench, READY)
    yield page
    page.leave()


def test_it_begins_with_the_ways_in(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """Before there are pictures Run says what is missing; a dialog leads to the scan as a drop does."""
    assert page.welcome.isVisible()
    assert page.settings_column.job_bar.text() == "Drop labelled pictures first"
    assert not page.start_action.isEnabled()
    page.intake.ask_folder = lambda: str(tmp_path)
    press(page.welcome.folder)
    request = bench.engine.requests[-1]
    assert isinstance(request, r.ScanRequest)
    assert request.data == (str(tmp_path),)
    assert page.progress.isVisible()
    press(page.progress.cancel)
    assert bench.engine.cancelled == [last(bench)]
    play(bench, r.JobCancelled(last(bench)))
    assert page.welcome.isVisible()


def test_the_toy_world_is_there_to_try(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """Who has no labelled pictures gets the toy world's, judged by the model that knows them, and a way back to their own model."""
    bench.desk.model.set_model("photos")
    bench.settings.evaluate.recent = ["/photographs/pets"]
    bench.settings.tune_recent = ["/photographs/mugs", "/a\n/b", "/photographs/pets"]
    page.welcome.refresh()
    play(bench)
    assert "Try photographs you have" in words(page.welcome)
    assert [one for one in ("pets", "mugs", "Another folder…") if button(page.welcome, one.rstrip("…")).isVisible()]
    button(page.welcome, "Try the toy world").click()
    asked = bench.engine.requests[-1]
    assert isinstance(asked, r.ToyWorldRequest)
    assert bench.settings.model == "demo"
    play(bench, r.JobFinished(last(bench), r.ToyWorldDrawn(str(tmp_path), 120)))
    scan = bench.engine.requests[-1]
    assert isinstance(scan, r.ScanRequest)
    assert scan.data == (str(tmp_path),)
    button(page.banner, "Go back").click()
    assert bench.settings.model == "photos"


def test_tables_are_taken_and_pictures_are_left_to_another_page(
    bench: Bench, page: EvaluatePage, tmp_path: Path
) -> None:
    """A CSV is looked through; a picture is not this page's, and nothing is asked."""
    before = len(bench.engine.requests)
    assert not drop(page, str(tmp_path / "cat.png"))
    assert len(bench.engine.requests) == before
    page.intake.ask_table = lambda: "/data/list.csv"
    page.intake.on_choose_table()
    request = bench.engine.requests[-1]
    assert isinstance(request, r.ScanRequest)
    assert request.data == ("/data/list.csv",)


def test_pictures_are_counted_before_anything_runs(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """Classes with their counts, what cannot be used with the reason, and how many a run takes."""
    found = acted_data.found(
        {"cat": 40, "dog": 40}, unreadable=(("cat", r.FailedPicture("/x.png", "It is empty.", "")),)
    )
    dropped(bench, page, tmp_path, found)
    assert page.pictures.isVisible()
    assert page.settings_column.data.summary.text() == "2 classes · 80 usable pictures"
    assert page.pictures.failed.title() == "1 picture could not be used"
    assert page.start_action.isEnabled()
    assert not page.faces.isVisible()
    assert "80 pictures × 2 attacks" in page.settings_column.cost.text()


def test_one_class_forbids_a_run(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """The notice says why, and so does Run."""
    dropped(bench, page, tmp_path, acted_data.found({"cat": 9}))
    assert page.pictures.notices.messages() == ["There is only one class."]
    assert page.settings_column.job_bar.text() == "There is only one class."
    assert not page.start_action.isEnabled()


def test_a_scan_that_fails_is_told_above_the_welcome(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """With what to do; several folders at once are declined the same way."""
    assert drop(page, str(tmp_path))
    play(bench, r.JobFailed(last(bench), r.Failure("BadRequest", "There is no picture.", "Look again.")))
    assert page.banner.isVisible()
    assert page.banner.accessibleName() == "There is no picture."
    assert page.welcome.isVisible()
    page.on_paths(["/a", "/b"])
    assert page.banner.accessibleName() == "One folder or table at a time."


def test_unknown_words_are_told_before_the_run_and_at_its_verdict(
    bench: Bench, page: EvaluatePage, tmp_path: Path
) -> None:
    """The card of the data names them for the model that is chosen, without buttons, as the names are those of folders."""
    dropped(bench, page, tmp_path)
    words, check = page.settings_column.data.words, bench.desk.evaluation.words
    check.on_timeout()
    assert bench.engine.requests[-1] == r.CheckWordsRequest("demo", ("cat", "dog", "emu"), "a {}.")
    emu = r.UnknownWord("emu", 78, ("emu",), ("gem",))
    play(bench, r.JobFinished(last(bench), r.WordsChecked((emu,))))
    assert words.said() == f"{emu.sentence} Nearest in spelling: gem."
    assert words.isVisible()
    assert not words.findChildren(QPushButton)
    finished(bench, replace(acted.result(), unknown_words=(emu,), notes=("Class names by the map: 1 → cat.",)))
    caption = page.results.verdict.caption.text()
    assert caption.startswith(emu.sentence)
    assert "\nClass names by the map: 1 → cat.\n" in caption
    bench.desk.model.set_model("photos")
    assert words.said() == ""


def test_run_turns_into_cancel_and_counts_live(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """Progress with the remaining time, counts of what is done, and after Cancel a way to go on."""
    dropped(bench, page, tmp_path)
    run = page.start_action
    run.trigger()
    job, request = last(bench), bench.engine.requests[-1]
    assert isinstance(request, r.EvaluateRequest)
    assert request.options.keep
    assert page.results.isVisible()
    play(bench, r.JobProgress(job, 1, 8, "picture 2 of 4, pgd", 200.0), r.RowsReady(job, acted.quick()[:2]))
    box = page.results.verdict
    assert box.headline.text() == "Measuring: 1 of 4 pictures done"
    assert "0 of 1 right clean" in box.figures.text()
    assert page.settings_column.job_bar.text() == "about 3 min left · Picture 2 of 4, pgd"
    assert page.results.confusion.isVisible()
    assert not run.isEnabled()
    bench.desk.evaluation.choices.attack.set_attack("standard")
    assert "Quick look" in box.caption.text()
    page.cancel_action.trigger()
    assert bench.engine.cancelled == [job]
    Path(request.options.keep).mkdir(parents=True)
    (Path(request.options.keep) / "manifest.json").write_text("{}", encoding="utf-8")
    play(bench, r.JobCancelled(job))
    assert box.headline.text() == "Stopped after 1 of 4 pictures"
    press(page.results.verdict.resume)
    assert bench.engine.requests[-1] == replace(request, options=replace(request.options, resume=True))


def test_other_pictures_have_to_wait_for_a_run(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """A drop in the middle of a run changes nothing, and says so."""
    dropped(bench, page, tmp_path)
    page.start_action.trigger()
    before = len(bench.engine.requests)
    assert drop(page, str(tmp_path))
    assert page.banner.accessibleName() == "An evaluation goes on."
    assert len(bench.engine.requests) == before


def test_a_quick_look_at_one_side(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """The verdict with n, the bars, attack by attack, what still fools after saving, the checks, the classes, and what failed."""
    dropped(bench, page, tmp_path)
    finished(bench, acted.result())
    results = page.results
    assert results.verdict.headline.text() == "25.0 % of 4 pictures stay right at ε = 4/255."
    assert "under attack" in results.verdict.figures.text()
    assert results.attacks.table.shown(0) == ["fgsm", "PGD"]
    # The second attack leaves fewer of all pictures, though of the few it was run on more than the first.
    assert results.attacks.table.shown(1) == ["50.0 %", "25.0 %"]
    assert results.attacks.table.shown(2) == ["3", "2"]
    assert results.attacks.table.shown(5) == ["1", "2"]
    assert results.reencoding.table.shown(1) == ["1 of 2  (50.0 %)", "1 of 2  (50.0 %)", "–", "–"]
    assert results.reencoding.note.text().startswith("Only 1 of 2 attacked pictures")
    assert results.classes.table.shown(0) == ["cat", "dog", "emu"]
    assert results.classes.table.shown(3) == ["0.0 %", "0.0 %", "100.0 %"]
    assert results.checks.summary.text().startswith("1 of 2 checks passed")
    assert results.failed.title() == "1 picture could not be used"
    assert not results.curve.isVisible()
    assert not results.corruptions.isVisible()
    assert results.confusion.grid.text_of(0, 1) == "1"
    named(results.confusion, QAbstractButton, "State of the pictures: Attacked").click()
    assert results.confusion.grid.text_of(0, 0) == ""
    assert results.confusion.grid.text_of(1, 0) == "1"


@pytest.mark.parametrize("count", [3, 1, 0])
def test_pictures_that_the_model_cannot_know_come_first(
    bench: Bench, page: EvaluatePage, tmp_path: Path, count: int
) -> None:
    """Where most of the pictures are such, that is the verdict and the accuracy stands below; of a few it is said below."""
    dropped(bench, page, tmp_path)
    finished(bench, replace(acted.result(), out_of_distribution=r.OutOfDistribution(count, 4)))
    verdict = page.results.verdict
    said = f"{count} of 4 pictures look" if count != 1 else "1 of 4 pictures looks"
    assert verdict.headline.text().startswith(said) is (count == 3)
    assert ("stay right" in verdict.figures.text()) is (count == 3)
    assert (said in verdict.figures.text()) is (count == 1)


def test_two_sides_stand_beside_each_other(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """A and B in bars, in every table, with the paired test in words."""
    play(bench, TWO_SIDES)
    bench.desk.model.sides.set_b("toy-capt")
    dropped(bench, page, tmp_path)
    request = finished(bench, acted.compared())
    assert request.options.compare == "toy-capt"
    results = page.results
    assert results.verdict.headline.text() == "B withstands more than A on the same 4 pictures."
    assert results.verdict.property("verdict") == "better"
    assert "2 are right only with B and 0 only with A" in results.figures.tests.text()
    assert "CAPT, 16 shots" in results.figures.bars.accessibleDescription()
    assert results.attacks.table.shown(1) == ["A", "B", "A", "B"]
    assert results.classes.heading.text() == "Class by class: A → B"
    assert named(results.confusion, Segments, "Side").isVisible()


def test_the_report_of_the_run_and_its_command(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """One button leads to the Report page with this run, the other puts the manifest's command on the clipboard."""
    dropped(bench, page, tmp_path)
    request = finished(bench, acted.result())
    asked: list[str] = []
    bench.desk.navigation.requested.connect(asked.append)
    press(page.results.verdict.report)
    assert asked == ["report"]
    listing = bench.engine.requests[-1]
    assert isinstance(listing, r.ListRunsRequest)
    play(
        bench,
        r.JobFinished(last(bench), r.RunsListed((r.KeptRun(request.options.keep, "2026-01-01", "toys", 4, True),))),
    )
    assert bench.desk.reports.chosen == (request.options.keep,)
    press(page.results.verdict.copy)
    assert QGuiApplication.clipboard().text() == "capt evaluate toys"
    assert page.results.verdict.copy.text() == "Copied"


def test_a_run_that_was_not_kept_says_why_there_is_no_report(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """The button rests, and says what would change that."""
    bench.settings.keep_runs = False
    dropped(bench, page, tmp_path)
    bench.desk.evaluation.run.start()
    play(bench, r.JobFinished(last(bench), acted.result()))
    assert not page.results.verdict.report.isEnabled()
    assert page.results.verdict.report.toolTip().startswith("Runs are not kept")
    assert not page.report_action.isEnabled()


def test_a_model_that_refuses_says_so_in_place_of_the_verdict(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """The sentence and the hint of the engine; Run is there again."""
    dropped(bench, page, tmp_path)
    page.start_action.trigger()
    play(bench, r.JobFailed(last(bench), r.Failure("BadCheckpoint", "It is for another model.", "Choose another.")))
    box = page.results.verdict
    assert (box.headline.text(), box.figures.text()) == ("It is for another model.", "Choose another.")
    assert not any(button.isVisible() for button in (page.results.verdict.report, page.results.verdict.copy))
    assert page.start_action.isEnabled()


def test_old_results_are_marked_and_leave_with_their_pictures(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """Other settings than those on the right are told; the faces lead to and fro; other pictures begin anew."""
    dropped(bench, page, tmp_path)
    finished(bench, acted.result())
    assert not page.results.outdated_note.isVisible()
    bench.desk.evaluation.choices.set_checks("full")
    assert page.results.outdated_note.isVisible()
    page.faces.buttons["pictures"].click()
    assert page.pictures.isVisible()
    page.faces.buttons["results"].click()
    assert page.results.isVisible()
    dropped(bench, page, tmp_path)
    assert page.pictures.isVisible()
    assert not page.faces.isVisible()


def test_the_controls_of_the_test_ask_for_what_they_say(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """Suite, strength, curve, checks and Expert settings end in the request."""
    dropped(bench, page, tmp_path)
    column, choices = page.settings_column, bench.desk.evaluation.choices
    panel, options = column.attack, column.options
    panel.picker.on_activated(panel.picker.findData("standard"))
    panel.strength.slider.setValue(0)
    options.curve.click()
    options.checks.buttons["off"].click()
    options.template_edit.setText("my {}.")
    options.on_template_edited()
    request = choices.request()
    assert (request.suite, request.checks, request.options.template) == ("standard", "off", "my {}.")
    assert request.options.threat.eps == 0.5 / 255
    assert request.until_chance
    panel.picker.on_activated(panel.picker.findData("pgd"))
    panel.form.set_values((("steps", 40),))
    panel.form.changed.emit()
    assert choices.request().attacks == (r.AttackSpec("pgd", (("steps", 40),)),)
    panel.target.on_activated(2)
    assert choices.request().options.threat.target == "dog"
    panel.picker.on_activated(panel.picker.findData("corruptions"))
    assert not panel.strength.isVisible()
    assert not options.curve.isVisible()
    panel.expert.set_expanded(True)
    assert bench.settings.expert_open


def test_a_part_and_a_limit_can_be_chosen(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """Where there are parts there is a picker; the knob says how many are drawn, and how sure a figure will be."""
    classes = tuple(r.ClassCount(name, 100, 100, (("train", 70), ("test", 30))) for name in ("cat", "dog"))
    found = replace(acted_data.found({"cat": 100, "dog": 100}, splits=(("train", 140), ("test", 60))), classes=classes)
    dropped(bench, page, tmp_path, found)
    card = page.settings_column.data
    assert card.split.isVisible()
    assert card.limit.label() == "all 60"
    card.split.on_activated(0)
    assert bench.desk.evaluation.data.split == "train"
    card.limit.slider.setValue(0)
    assert bench.desk.evaluation.choices.request().limit == 20
    assert card.interval.text() == "Figures are known to ± 20.1 points or better."


def test_prompts_can_be_opened_from_a_file(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """The pickers for A and B are those of the Explore page, with the way to a file."""
    file = tmp_path / "mine.safetensors"
    file.write_bytes(b"prompts")
    page.settings_column.model.ask = lambda _window, _folder: str(file)
    page.settings_column.model.on_b_picked("\0open")
    assert bench.desk.model.sides.b == str(file)


def test_everything_of_a_result_can_be_reached_and_named(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """Tab walks through all controls of a result, and each can be said."""
    dropped(bench, page, tmp_path)
    finished(bench, acted.curve())
    page.activateWindow()
    wanted = {
        widget
        for widget in page.findChildren(QWidget)
        if widget.isVisibleTo(page)
        and widget.isEnabled()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.focusProxy() is None
    }
    silent = [
        type(widget).__name__
        for widget in wanted
        if not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))
    ]
    assert not silent
    reached: set[QWidget] = set()
    for _ in range(2 * len(wanted)):
        QTest.keyClick(QApplication.focusWidget() or page, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        assert focused is not None
        reached.add(focused)
    assert not [f"{type(widget).__name__} {widget.accessibleName()}" for widget in wanted - reached]


def test_the_window_marks_an_evaluation_that_goes_on(bench: Bench, qtbot: QtBot, tmp_path: Path) -> None:
    """On every page the rail tells that one runs; a dropped folder stays on the page that is in front."""
    window = MainWindow(bench.desk, SettingsKeeper(bench.settings, None), tmp_path)
    qtbot.addWidget(window)
    window.show()
    play(bench, READY)
    window.show_page(EVALUATE)
    page = window.page
    assert isinstance(page, EvaluatePage)
    page.say("info", "Hello.")
    assert page.banner.accessibleName() == "Hello."
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    assert let_go(window, mime)
    assert window.page is page
    play(bench, r.JobFinished(last(bench), acted_data.found({"cat": 9, "dog": 9})))
    bench.desk.evaluation.run.start()
    mark = window.rail.buttons[EVALUATE].accessibleDescription()
    assert mark.startswith("Evaluate “")
    assert mark.endswith("Waiting for its turn")
    play(bench, r.JobCancelled(last(bench)))
    assert window.rail.buttons[EVALUATE].accessibleDescription() == ""


def test_the_keyboard_follows_the_faces(bench: Bench, page: EvaluatePage, tmp_path: Path, qtbot: QtBot) -> None:
    """From the way in to Cancel, to the classes, and with a run to the switch that shows its results."""
    page.activateWindow()
    page.welcome.folder.setFocus()
    qtbot.waitUntil(page.welcome.folder.hasFocus)
    assert drop(page, str(tmp_path))
    assert page.progress.cancel.hasFocus()
    play(bench, r.JobFinished(last(bench), acted_data.found({"cat": 9, "dog": 9})))
    assert page.pictures.table.hasFocus()
    page.start_action.trigger()
    focused = QApplication.focusWidget()
    assert focused is page.faces.buttons["results"]


def test_an_attack_of_last_time_waits_for_the_catalogue(bench: Bench, qtbot: QtBot, tmp_path: Path) -> None:
    """Before the engine is ready its name stands in the list, and nothing else is run in its place."""
    bench.settings.evaluate.attack = "pgd"
    page = EvaluatePage(bench.desk)
    qtbot.addWidget(page)
    page.show()
    dropped(bench, page, tmp_path)
    assert page.settings_column.attack.picker.currentText() == "pgd"
    assert page.settings_column.job_bar.text() == "Waiting for the engine"
    play(bench, READY)
    assert page.settings_column.attack.picker.currentText() == "PGD"
    assert page.start_action.isEnabled()


def test_a_run_of_an_earlier_session_is_gone_on_with(bench: Bench, page: EvaluatePage, tmp_path: Path) -> None:
    """The welcome lists what was stopped; Resume counts on from there, and the cards show what is there with what is new."""
    asked = r.EvaluateRequest("/d/toys", options=r.RunOptions(model="demo", compare="capt"))
    stopped = r.KeptRun(str(tmp_path / "run"), "", "plain CLIP on toys", 3, labelled=True, request=asked)
    done = r.KeptRun("/r/done", "2026-01-01", "done", 4, labelled=True)
    bench.desk.reports.runs.on_changed(r.RunsListed((stopped, done)))
    (button,) = (one for one in page.welcome.findChildren(QPushButton) if "Resume" in one.text())
    assert "3 pictures" in button.text()
    press(button)
    assert bench.engine.requests[-1] == replace(asked, options=replace(asked.options, keep=stopped.folder, resume=True))
    assert page.results.isVisible()
    box, job = page.results.verdict, last(bench)
    assert box.headline.text() == "Measuring: 3 pictures done"
    assert not page.results.confusion.isVisible()
    there = tuple(r.CountedRow.of(row) for row in acted.quick()[:6] if isinstance(row, r.PictureRow))
    play(bench, r.RowsTakenUp(job, acted.CLASSES, there))
    assert page.results.confusion.isVisible()
    assert "2 of 3 right clean" in box.figures.text()
    play(bench, r.RowsReady(job, acted.quick()[6:8]))
    assert box.headline.text() == "Measuring: 4 pictures done"
    assert "3 of 4 right clean" in box.figures.text()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "manifest.json").write_text("{}", encoding="utf-8")
    play(bench, r.JobCancelled(job))
    assert box.headline.text() == "Stopped after 4 pictures"
    press(box.resume)
    play(bench, r.JobFinished(last(bench), acted.result()))
    assert bench.desk.evaluation.run.report_problem() == ""
    bench.desk.reports.runs.on_changed(r.RunsListed((done,)))
    links = [one for one in page.welcome.findChildren(QPushButton) if "Resume" in one.text()]
    assert not any(one.isVisibleTo(page.welcome) for one in links)
