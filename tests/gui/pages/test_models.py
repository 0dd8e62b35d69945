"""The Models page: nothing is fetched without a yes, and every state has its controls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from conftest import Bench
from fakes import TWO_SIDES
from offers import BY_HAND, ENTRY, FETCHED, LISTED, LOCKED, SMALL
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QTableWidget
from pytestqt.qtbot import QtBot

from capt_engine import records as r
from capt_gui.pages.models.consent import ConsentDialog
from capt_gui.pages.models.import_dialog import ImportModelDialog, ImportPromptsDialog
from capt_gui.pages.models.ledger_dialog import LedgerDialog
from capt_gui.pages.models.page import ModelsPage


@pytest.fixture
def page(bench: Bench, qtbot: QtBot) -> Iterator[ModelsPage]:
    """The page with its list, the small model chosen."""
    page = ModelsPage(bench.desk)
    qtbot.addWidget(page)
    page.resize(1200, 760)
    page.show()
    qtbot.waitExposed(page)
    bench.engine.emit(r.JobFinished(r.JobId(len(bench.engine.requests)), LISTED))
    page.on_chosen(["small"])
    yield page
    page.close()


def test_a_tower_that_is_fetched_by_hand_has_no_download(page: ModelsPage, bench: Bench) -> None:
    """Its details say how it comes here, and the dialog that brings it in knows its name and its base."""
    bench.engine.emit(TWO_SIDES)
    bench.desk.models.refresh()
    listed = replace(LISTED, offered=(*LISTED.offered, BY_HAND))
    bench.engine.emit(r.JobFinished(r.JobId(len(bench.engine.requests)), listed))
    page.on_chosen(["tower"])
    assert page.details.download.isHidden()
    assert "in your browser" in page.details.about.text()
    page.details.folder.click()
    dialog = next(one for one in page.findChildren(ImportModelDialog) if one.isVisible())
    assert (dialog.name.text(), dialog.base.currentData()) == ("tower", "demo")
    dialog.path.setText("/downloads/other.pt")
    assert dialog.name.text() == "tower"
    dialog.close()
    page.on_chosen(["small"])
    assert not page.details.download.isHidden()


def asked_for(bench: Bench) -> list[r.DownloadRequest]:
    """The downloads that the engine was asked for."""
    return [request for request in bench.engine.requests if isinstance(request, r.DownloadRequest)]


def test_nothing_is_fetched_without_a_yes(page: ModelsPage, bench: Bench) -> None:
    """The question comes first, with the model's facts; a no is a no."""
    seen: list[r.OfferedModel] = []

    def answer(model: r.OfferedModel, listed: r.ModelsListed) -> bool:
        assert listed == LISTED
        seen.append(model)
        return len(seen) > 1

    page.ask = answer  # type: ignore[method-assign]
    page.details.download.click()
    assert seen == [SMALL]
    assert not asked_for(bench)
    page.details.download.click()
    assert asked_for(bench) == [r.DownloadRequest("small")]


def test_the_question_says_what_is_agreed_to(qtbot: QtBot) -> None:
    """Name, size, source, commit, licence, check and place; "not now" has the keyboard."""
    dialog = ConsentDialog(SMALL, LISTED)
    qtbot.addWidget(dialog)
    said = " ".join(label.text() for label in dialog.findChildren(QLabel))
    for words in ("Small CLIP", "94 MB", "huggingface.co/somebody/small", "c0ffeec0ffee", "MIT", "/models", "70 GB"):
        assert words in said
    assert dialog.no.isDefault()
    assert not dialog.yes.isDefault()


def test_a_running_download_shows_how_far_it_is(page: ModelsPage, bench: Bench) -> None:
    """Bytes, words, Pause that becomes Resume, and Cancel; the buttons of before are gone meanwhile."""
    page.ask = lambda *_: True  # type: ignore[method-assign]
    page.details.download.click()
    job = r.JobId(len(bench.engine.requests))
    bench.engine.emit(r.JobProgress(job, 47_000_000, 94_000_000, "small: 47 of 94 MB, 4.0 MB/s, 12 s left", None))
    assert page.details.progress.text().endswith("12 s left")
    assert page.details.bar.value() * 2 == page.details.bar.maximum()
    assert not page.details.download.isVisible()
    page.details.pause.click()
    bench.engine.emit(r.JobPaused(job))
    assert page.details.pause.text() == "Resume"
    page.details.pause.click()
    assert bench.engine.resumed == [job]
    page.details.cancel.click()
    assert bench.engine.cancelled == [job]


def test_what_is_installed_is_said_and_can_be_used(page: ModelsPage, bench: Bench, qtbot: QtBot) -> None:
    """A banner, and a way to the pictures."""
    page.ask = lambda *_: True  # type: ignore[method-assign]
    page.details.download.click()
    bench.engine.emit(r.JobFinished(r.JobId(len(bench.engine.requests)), FETCHED))
    assert page.banner.isVisible()
    page.on_chosen(["demo"])
    assert page.details.use.isVisible()
    with qtbot.waitSignal(bench.desk.navigation.requested) as told:
        page.details.use.click()
    assert told.args == ["explore"]


def test_a_failure_stands_beside_the_list(page: ModelsPage, bench: Bench) -> None:
    """What happened, to which model, and what to do."""
    page.ask = lambda *_: True  # type: ignore[method-assign]
    page.details.download.click()
    failure = r.Failure("BadRequest", "The server sent a web page.", "Sign in first.")
    bench.engine.emit(r.JobFailed(r.JobId(len(bench.engine.requests)), failure))
    assert page.banner.accessibleName() == "Small CLIP: The server sent a web page."
    assert page.banner.accessibleDescription() == "Sign in first."


def test_the_lock_closes_the_door_for_downloads(page: ModelsPage, bench: Bench) -> None:
    """One click; the reason stands at the button that is dead."""
    page.offline.click()
    assert bench.engine.requests[-1] == r.OfflineRequest(True)
    bench.engine.emit(r.JobFinished(r.JobId(len(bench.engine.requests)), r.OfflineSet(True)))
    bench.engine.emit(r.JobFinished(r.JobId(len(bench.engine.requests)), LOCKED))
    assert page.offline.isChecked()
    assert not page.details.download.isEnabled()
    assert page.details.download.toolTip() == LOCKED.offline_reason


def test_the_links_go_to_the_clipboard(page: ModelsPage) -> None:
    """For a computer that has no network."""
    page.details.copy.click()
    assert QGuiApplication.clipboard().text() == "\n".join(SMALL.files)


def test_the_ledger_is_a_table(qtbot: QtBot) -> None:
    """One row for each download."""
    dialog = LedgerDialog((ENTRY,))
    qtbot.addWidget(dialog)
    table = dialog.findChild(QTableWidget)
    assert table.rowCount() == 1
    cells = [table.item(0, column).text() for column in range(table.columnCount())]
    assert "94,000,000" in cells
    assert ENTRY.sha256 in cells


def test_prompts_have_a_list_of_their_own(page: ModelsPage, bench: Bench, qtbot: QtBot) -> None:
    """Listed with the model they were made for; used as side B; verified; one's own are removed after a question."""
    bench.engine.emit(TWO_SIDES)
    page.on_kind("prompts")
    page.on_chosen(["my-mugs"])
    assert page.prompts.title.text() == "Mugs, 4 shots"
    page.prompts.verify.click()
    assert bench.engine.requests[-1] == r.VerifyRequest("prompts", "my-mugs")
    bench.engine.emit(r.JobFinished(r.JobId(len(bench.engine.requests)), r.Verified("prompts", "my-mugs", 1)))
    assert page.banner.accessibleName() == "my-mugs is what was installed"
    page.sure = lambda _: False  # type: ignore[method-assign]
    page.prompts.remove.click()
    assert not [request for request in bench.engine.requests if isinstance(request, r.RemoveRequest)]
    page.sure = lambda _: True  # type: ignore[method-assign]
    page.prompts.remove.click()
    assert bench.engine.requests[-1] == r.RemoveRequest("prompts", "my-mugs")
    bench.engine.emit(r.JobFinished(r.JobId(len(bench.engine.requests)), r.Removed("prompts", "my-mugs")))
    page.banner.action_clicked.emit()
    assert bench.engine.requests[-1] == r.PutBackRequest("prompts", "my-mugs")
    bench.engine.emit(r.JobFinished(r.JobId(len(bench.engine.requests)), r.PutBack("prompts", "my-mugs")))
    assert page.banner.accessibleName() == "my-mugs is back"
    with qtbot.waitSignal(bench.desk.navigation.requested):
        page.prompts.use.click()
    assert bench.desk.model.sides.b == "my-mugs"


def test_a_model_of_ones_own_is_imported_in_a_dialog(page: ModelsPage, bench: Bench, qtbot: QtBot) -> None:
    """The name is offered from the path; what is missing is said and nothing typed is lost; then what was assumed."""
    bench.engine.emit(TWO_SIDES)
    dialog = ImportModelDialog(bench.desk.theme, page.install, TWO_SIDES.catalogue.models)
    qtbot.addWidget(dialog)
    dialog.show()
    assert not dialog.go.isEnabled()
    dialog.path.setText("/models/vitb32_fare_eps_4.pt")
    assert dialog.name.text() == "vitb32_fare_eps_4"
    dialog.go.click()
    asked = bench.engine.requests[-1]
    assert asked == r.ImportModelRequest("/models/vitb32_fare_eps_4.pt", "vitb32_fare_eps_4")
    failure = r.Failure("BadRequest", "It holds an image tower alone.", "Name the model with --base.")
    bench.engine.emit(r.JobFailed(r.JobId(len(bench.engine.requests)), failure))
    assert dialog.banner.accessibleName() == failure.message
    assert dialog.path.text() == "/models/vitb32_fare_eps_4.pt"
    dialog.base.setCurrentIndex(1)
    dialog.head_width.setText("80")
    dialog.go.click()
    asked = bench.engine.requests[-1]
    assert asked == r.ImportModelRequest("/models/vitb32_fare_eps_4.pt", "vitb32_fare_eps_4", "demo", head_width=80)
    score = r.SanityScore("the demo pictures", 12, 12, 1, 1 / 12, 0.6, "That is near chance.")
    result = r.ModelImported("mine", "/x", "bare image tower", "ab", ("It fits.",), ("QuickGELU.",), score)
    bench.engine.emit(r.JobFinished(r.JobId(len(bench.engine.requests)), result))
    assert "Assumed: QuickGELU." in dialog.banner.accessibleDescription()
    assert "near chance" in dialog.banner.accessibleDescription()
    dialog.close()


@pytest.mark.parametrize("way", ["close", "reject"])
def test_prompts_are_imported_in_a_dialog(page: ModelsPage, bench: Bench, qtbot: QtBot, way: str) -> None:
    """Everything the file may not say can be said; closing the dialog by its title bar, or by Esc or Close, cancels the import."""
    bench.engine.emit(TWO_SIDES)
    dialog = ImportPromptsDialog(bench.desk.theme, page.install, TWO_SIDES.catalogue.models)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.path.setText("/runs/model.pth.tar-50")
    dialog.classes.setText("cat, dog ,")
    dialog.template.setText("a photo of a {}.")
    dialog.position.setCurrentIndex(2)
    dialog.family.setCurrentIndex(2)
    assert dialog.family.height() >= dialog.family.sizeHint().height()
    assert dialog.height() <= 560
    dialog.go.click()
    wanted = r.ImportPromptsRequest(
        "/runs/model.pth.tar-50",
        "demo",
        template="a photo of a {}.",
        classes=("cat", "dog"),
        position="middle",
        family="fap",
    )
    assert bench.engine.requests[-1] == wanted
    getattr(dialog, way)()
    assert bench.engine.cancelled
