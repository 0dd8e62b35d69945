"""The Report page: what it shows at each moment, and what its controls ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from acted_reports import SECTIONS, kept
from conftest import Bench
from fakes import READY, TWO_SIDES, ActingEngine, picture
from finding import button, let_go, words
from PySide6.QtCore import QCoreApplication, QMimeData, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtPrintSupport import QPrinter, QPrinterInfo
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QWidget
from pytestqt.qtbot import QtBot

from capt_engine.records import (
    Event,
    Failure,
    JobFailed,
    JobFinished,
    JobId,
    JobStarted,
    KeptRun,
    ListRunsRequest,
    PagesReady,
    PreviewRequest,
    ReportRequest,
    ReportResult,
    RunsListed,
)
from capt_gui.bridge import Bridge
from capt_gui.main_window import MainWindow
from capt_gui.pages.explore.page import ExplorePage
from capt_gui.pages.report.page import ReportPage
from capt_gui.settings import Settings
from capt_gui.theme import Theme
from capt_gui.view_models.desk import lay_out
from capt_gui.view_models.settings_keeper import SettingsKeeper

PATIENCE_MS = 60_000
RUNS = (
    kept("/r/2", "demo, plain text", 8, "2026-11-22T14:03:00+00:00"),
    kept("/r/1", "demo, CAPT", 240, "2026-11-20T09:12:00+00:00", labelled=True),
)


def play(bench: Bench, *events: Event) -> None:
    """Let the engine say this, and the window hear it."""
    for event in events:
        bench.engine.emit(event)
    QCoreApplication.processEvents()


def last(bench: Bench) -> JobId:
    """The job asked for last."""
    return JobId(len(bench.engine.requests))


def asked(bench: Bench) -> ReportRequest:
    """The report asked for last."""
    request = bench.engine.requests[-1]
    assert isinstance(request, ReportRequest)
    return request


@pytest.fixture
def page(bench: Bench, qtbot: QtBot) -> Iterator[ReportPage]:
    """The page, shown: it has asked for the runs."""
    page = ReportPage(bench.desk)
    qtbot.addWidget(page)
    page.resize(1200, 700)
    page.show()
    qtbot.waitExposed(page)
    play(bench, READY)
    yield page
    page.leave()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the system was asked to open."""
    paths: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: paths.append(url.toLocalFile()))
    return paths


def list_runs(bench: Bench, runs: tuple[KeptRun, ...] = RUNS) -> None:
    """Answer the page's question."""
    play(bench, JobFinished(last(bench), RunsListed(runs)))


def draw(bench: Bench, pages: int = 3) -> None:
    """End the pause, and let the pages come."""
    bench.desk.reports.on_timeout()
    job = last(bench)
    drawn = PagesReady(job, 0, pages, (picture(21, 30),) * pages)
    play(bench, JobStarted(job), drawn, JobFinished(job, ReportResult("", 0, pages, SECTIONS)))


def test_without_runs_it_leads_to_explore(bench: Bench, page: ReportPage) -> None:
    """It looks for runs when it is shown; where there are none it says how one is made."""
    assert bench.engine.requests == [ListRunsRequest()]
    assert page.preview.placeholder.title() == "Looking for runs…"
    list_runs(bench, ())
    assert page.preview.placeholder.title() == "No runs are kept yet"
    assert not page.runs.isVisible()
    assert not page.options.isVisible()
    wanted: list[str] = []
    bench.desk.navigation.requested.connect(wanted.append)
    button(page, "Go to Explore").click()
    assert wanted == ["explore"]


def test_the_pages_of_the_newest_run_appear(bench: Bench, page: ReportPage) -> None:
    """Until the first page there are words; then the sheets, and which one is in front."""
    list_runs(bench)
    assert page.runs.list.selected_keys() == ["/r/2"]
    assert page.preview.placeholder.title() == "Preparing the pages…"
    draw(bench)
    assert page.preview.view.isVisible()
    assert page.preview.view.pages() == 3
    assert "Page 1 of 3" in words(page.preview)


def test_several_runs_are_compared(bench: Bench, page: ReportPage) -> None:
    """All chosen rows go into one report, and the old pages stay until the new ones come."""
    list_runs(bench)
    draw(bench)
    page.runs.list.selectAll()
    assert page.preview.view.isVisible()
    draw(bench, 5)
    assert asked(bench).runs == ("/r/2", "/r/1")
    assert page.preview.view.pages() == 5
    page.runs.list.clearSelection()
    assert page.preview.placeholder.title() == "No run is chosen"
    assert not page.options.save.isEnabled()


def test_sections_are_taken_in_and_left_out(bench: Bench, page: ReportPage) -> None:
    """A box for each section; one with nothing to say cannot be ticked; files for scripts hold everything."""
    list_runs(bench)
    draw(bench)
    boxes = {
        str(box.property("section")): box for box in page.options.findChildren(QCheckBox) if box.property("section")
    }
    assert list(boxes) == [section.id for section in SECTIONS]
    assert not boxes["curve"].isEnabled()
    boxes["glossary"].click()
    draw(bench)
    assert "glossary" not in asked(bench).sections
    assert bench.settings.report_left_out == ["glossary"]
    button(page, "Format: CSV").click()
    assert not boxes["data"].isEnabled()
    bench.desk.reports.set_format("pdf")
    button(page, "Include all sections").click()
    assert boxes["glossary"].isChecked()


def test_saving_asks_where_and_says_so(bench: Bench, page: ReportPage, tmp_path: Path, opened: list[str]) -> None:
    """The name is proposed; afterwards the file and its folder can be opened."""
    list_runs(bench)
    draw(bench)
    proposed: list[Path] = []

    def answer(_parent: QWidget, _title: str, start: Path, _kind: str) -> str:
        proposed.append(start)
        return str(tmp_path / "mine.pdf")

    page.ask = answer
    page.options.save.click()
    assert proposed[0].name == "report-demo-plain-text-2026-11-22.pdf"
    assert asked(bench) == ReportRequest(("/r/2",), str(tmp_path / "mine.pdf"))
    assert not page.options.save.isVisible()
    play(bench, JobFinished(last(bench), ReportResult(str(tmp_path / "mine.pdf"), 123_456, 7, SECTIONS)))
    assert page.banner.accessibleName() == "Saved mine.pdf"
    assert "7 pages, 123 kB" in page.banner.accessibleDescription()
    button(page.banner, "Open folder").click()
    button(page.banner, "Open").click()
    assert [Path(path) for path in opened] == [tmp_path, tmp_path / "mine.pdf"]
    assert bench.settings.last_folder == str(tmp_path)
    assert page.options.save.isVisible()
    bench.desk.reports.changed.emit()
    assert page.banner.isVisible()
    # what was saved is another report than the one that is asked for now
    bench.desk.reports.set_format("html")
    assert not page.banner.isVisible()


def test_a_save_that_fails_says_why(bench: Bench, page: ReportPage) -> None:
    """The engine's sentence stands in the page; a dialog that was closed asks nothing; a save can be stopped."""
    list_runs(bench)
    draw(bench)
    before = len(bench.engine.requests)
    page.ask = lambda *_: ""
    page.on_save()
    assert len(bench.engine.requests) == before
    page.ask = lambda *_: "/full/mine.pdf"
    page.on_save()
    play(bench, JobFailed(last(bench), Failure("BadRequest", "The disk is full.", "Save it elsewhere.")))
    assert page.banner.accessibleName() == "The disk is full."
    page.on_save()
    button(page.options, "Cancel").click()
    assert bench.engine.cancelled == [last(bench)]
    assert page.options.save.isVisible()


def test_pages_that_cannot_be_drawn_can_be_tried_again(bench: Bench, page: ReportPage) -> None:
    """The sentence stands where the pages would be."""
    list_runs(bench)
    bench.desk.reports.on_timeout()
    play(bench, JobFailed(last(bench), Failure("BadRequest", "The run is not finished.")))
    assert page.preview.placeholder.title() == "The pages could not be drawn"
    button(page, "Try again").click()
    draw(bench)
    assert page.preview.view.isVisible()


def test_the_folder_of_a_run_opens(bench: Bench, page: ReportPage, opened: list[str]) -> None:
    """One chosen run has a folder; several have none."""
    list_runs(bench)
    button(page, "Open the folder of the chosen run").click()
    assert opened == ["/r/2"]
    page.runs.list.selectAll()
    assert not button(page, "Open the folder of the chosen run").isEnabled()


def test_without_a_printer_there_is_a_sentence(bench: Bench, page: ReportPage, monkeypatch: pytest.MonkeyPatch) -> None:
    """No printer, no dialog: the way out is said."""
    list_runs(bench)
    draw(bench)
    monkeypatch.setattr(QPrinterInfo, "availablePrinterNames", list)
    page.options.print.click()
    assert page.banner.accessibleName() == "No printer is set up on this computer."


def test_pages_are_painted_on_paper(bench: Bench, page: ReportPage, tmp_path: Path) -> None:
    """The pages are drawn again, as fine as the printer is, and each gets a sheet."""
    list_runs(bench)
    draw(bench)
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "paper.pdf"))
    page.printing.print_on(printer)
    assert asked(bench).preview
    assert asked(bench).page_width == 2480
    job = last(bench)
    play(bench, PagesReady(job, 0, 3, (picture(21, 30),) * 2), PagesReady(job, 2, 3, (picture(21, 30),)))
    play(bench, JobFinished(job, ReportResult("", 0, 3, SECTIONS)))
    assert page.banner.accessibleName().startswith("Sent to")
    assert (tmp_path / "paper.pdf").read_bytes().count(b"/Type /Page\n") == 3


def test_keys_switch_pages_and_their_actions(bench: Bench, qtbot: QtBot, tmp_path: Path) -> None:
    """Ctrl+1 and Ctrl+4 go to and fro; only the page in front has its shortcuts; a dropped picture leads to Explore."""
    window = MainWindow(bench.desk, SettingsKeeper(bench.settings, None), tmp_path)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    play(bench, READY)
    QTest.keyClick(window, Qt.Key.Key_4, Qt.KeyboardModifier.ControlModifier)
    assert isinstance(window.page, ReportPage)
    assert window.rail.current() == "report"
    menus = window.menuBar().actions()
    texts = [
        a.text() for m in menus for a in m.menu().actions() if a.isVisible() and a.shortcut().toString() == "Ctrl+E"
    ]
    assert texts == ["Save the repor&t…"]
    assert [a.text() for a in menus[3].menu().actions() if a.isVisible() and a.text()] == ["&Resume"]
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.png"))])
    assert let_go(window, mime)
    assert not isinstance(window.page, ReportPage)
    assert isinstance(bench.engine.requests[-1], PreviewRequest)
    button(window.rail, "Report").click()
    assert isinstance(window.page, ReportPage)
    QTest.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert not isinstance(window.page, ReportPage)
    window.close()


def test_from_a_picture_to_its_report(theme: Theme, qtbot: QtBot, tmp_path: Path) -> None:
    """Samples are analysed and kept; File leads to the report of that run; it is drawn and saved, and so is the table."""
    settings = Settings(model="demo")
    bridge = Bridge(lambda on_event: ActingEngine(on_event, ready=TWO_SIDES))
    desk = lay_out(bridge, settings, theme, tmp_path / "runs")
    window = MainWindow(desk, SettingsKeeper(settings, None), tmp_path)
    qtbot.addWidget(window)
    window.show()
    bridge.open()
    explore, report = window.pages["explore"], window.pages["report"]
    assert isinstance(explore, ExplorePage)
    assert isinstance(report, ReportPage)
    export = explore.export
    assert not export.report.isEnabled()
    qtbot.waitUntil(lambda: desk.engine.is_ready, timeout=PATIENCE_MS)
    with qtbot.waitSignal(desk.analysis.finished, timeout=PATIENCE_MS):
        desk.tour.start()
    export.ask = lambda *_: str(tmp_path / "table.csv")
    with qtbot.waitSignal(desk.results_file.done, timeout=PATIENCE_MS):
        export.table.trigger()
    assert (tmp_path / "table.csv").exists()
    assert explore.banner.accessibleName() == "Saved table.csv"
    export.report.trigger()
    assert window.page is report
    qtbot.waitUntil(lambda: desk.reports.chosen == (desk.store.last,), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: desk.reports.state == "shown" and report.preview.view.pages() == 5, timeout=PATIENCE_MS)
    report.ask = lambda *_: str(tmp_path / "report.pdf")
    with qtbot.waitSignal(desk.reports.writing.done, timeout=PATIENCE_MS):
        report.options.save.click()
    assert (tmp_path / "report.pdf").exists()
    window.close()
    assert bridge.close()
    bridge.deleteLater()
