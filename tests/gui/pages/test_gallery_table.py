"""Explore with many pictures: cards and table, chips, saved views, the context menu, and what it does to several at once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Bench
from fakes import TWO_SIDES, make_row
from finding import button
from PySide6.QtCore import QCoreApplication, QPoint, Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from capt_engine.records import AnalyzeRequest, AttackSpec, JobId, PicturesFound, RunOptions
from capt_gui.pages.explore.page import ExplorePage
from capt_gui.settings import TABLE, Settings, load, save
from capt_gui.widgets.range_dialog import Quantity, Range, RangeDialog
from capt_gui.widgets.save_pictures_dialog import PicturesToSave, SavePicturesDialog
from capt_gui.widgets.word_dialog import WordDialog

PATHS = [f"/p/{name}.png" for name in "abcdef"]
BOTH = AnalyzeRequest((), attack=AttackSpec(), options=RunOptions(compare="capt", with_pictures=True))


@pytest.fixture
def page(bench: Bench, qtbot: QtBot) -> Iterator[ExplorePage]:
    """The page with six compared pictures: A lost the first three, B the third and the fourth."""
    page = ExplorePage(bench.desk)
    qtbot.addWidget(page)
    page.resize(1280, 740)
    page.show()
    bench.engine.emit(TWO_SIDES)
    QCoreApplication.processEvents()
    bench.desk.gallery.add(PATHS)
    for number, path in enumerate(PATHS):
        rows = (make_row(path, success=number < 3), make_row(path, success=number in (2, 3)))
        bench.desk.gallery.put_rows(rows, BOTH)
    page.gallery.select(PATHS[:1])
    yield page
    page.leave()


def entries(menu: QMenu) -> dict[str, QAction]:
    """All that can be chosen in a menu and in those inside it, by its words."""
    found: dict[str, QAction] = {}
    for action in menu.actions():
        inner = action.menu()
        if isinstance(inner, QMenu):
            found |= {f"{action.text()} > {name}": one for name, one in entries(inner).items()}
        elif not action.isSeparator():
            found[action.text()] = action
    return found


def opened(menu: QMenu) -> dict[str, QAction]:
    """The entries of a menu that fills itself when it is opened."""
    menu.aboutToShow.emit()
    return entries(menu)


def shown(page: ExplorePage) -> list[str]:
    """The names of the pictures that are shown."""
    return [item.name for item in page.gallery.rows.items()]


def test_filters_are_chips_and_views_are_kept(bench: Bench, page: ExplorePage, tmp_path: Path) -> None:
    """Only A fails is one choice; its chips go at a click; with order and columns it is a view, in the settings of the next start, too."""
    gallery, menus = page.gallery, page.gallery.menus
    opened(menus.filter)["Only A fails"].trigger()
    assert shown(page) == ["a.png", "b.png"]
    assert gallery.chips.chips() == ("A · Outcome: fooled / changed", "B · Outcome: held / kept")
    assert gallery.count_label.text().startswith("2 shown · ")
    opened(menus.order)["A · Answers > A · Confidence"].trigger()
    opened(menus.columns)["A · Answers > A · Seconds"].trigger()
    menus.ask_word = lambda *_args, **_options: "weak spots"
    opened(menus.views)["Save this view…"].trigger()
    button(gallery.chips, "Remove the filter B · Outcome: held / kept").click()
    assert shown(page) == ["a.png", "b.png", "c.png"]
    button(gallery.chips, "Remove the filter A · Outcome: fooled / changed").click()
    assert (len(shown(page)), gallery.chips.isVisible()) == (6, False)
    menus.ask_range = lambda *_: Range("confidence.a", 2.0, math.inf)
    opened(menus.filter)["Range of a metric…"].trigger()
    assert shown(page) == []
    button(page, "Show all").click()
    menus.ask_range = lambda *_: Range("confidence.a", -math.inf, 0.5)
    opened(menus.filter)["Range of a metric…"].trigger()
    menus.ask_word = lambda *_args, **_options: "unsure"
    opened(menus.views)["Save this view…"].trigger()
    opened(menus.views)["All pictures, the usual columns"].trigger()
    save(bench.settings, tmp_path / "settings.toml")
    again, problem = load(tmp_path / "settings.toml")
    assert (again.gallery.views, problem) == (bench.settings.gallery.views, "")
    opened(menus.views)["weak spots"].trigger()
    wanted = gallery.rows.wanted
    assert (shown(page), wanted.sort) == (["a.png", "b.png"], "confidence.a")
    assert "time_s.a" in wanted.columns
    opened(menus.views)["Forget a view > weak spots"].trigger()
    assert [view.name for view in bench.settings.gallery.views] == ["unsure"]
    damaged = tmp_path / "damaged.toml"
    damaged.write_text('theme = "dark"\n[gallery]\nviews = [{name = 3}]\n', encoding="utf-8")
    assert load(damaged)[0] == Settings(theme="dark")


def test_cards_and_table_are_the_same_rows(page: ExplorePage) -> None:
    """What is chosen in one is chosen in the other; a header orders both; Return goes from the table to the picture in full."""
    gallery = page.gallery
    gallery.select(PATHS[1:3])
    button(gallery, "Show a table (Ctrl+G)").click()
    assert gallery.look == TABLE
    assert gallery.selected() == PATHS[1:3]
    assert page.result.isHidden() or not page.result.isVisible()
    header = gallery.table.horizontalHeader()
    place = QPoint(header.sectionViewportPosition(0) + 20, header.height() // 2)
    for _ in range(2):
        QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert shown(page)[0] == "f.png"
    assert gallery.selected() == [PATHS[2], PATHS[1]]
    QTest.keyClick(gallery.table, Qt.Key.Key_Home)
    assert gallery.view.current_key() == PATHS[5]
    QTest.keyClick(gallery.table, Qt.Key.Key_Return)
    assert page.result.triptych.isVisible()
    assert page.result.filler.is_filling
    page.result.filler.go_back()
    data = gallery.rows.mimeData([gallery.rows.index(0, column) for column in range(3)])
    assert [url.toLocalFile() for url in data.urls()] == [PATHS[5]]


def test_several_pictures_are_labelled_tagged_copied_and_removed(bench: Bench, page: ExplorePage) -> None:
    """The context menu speaks of all chosen pictures; each change of theirs is one step back."""
    gallery, actions, model = page.gallery, page.picture_actions, bench.desk.gallery
    gallery.select(PATHS[:3])
    typed = iter(["class 0", "odd"])
    actions.ask_word = lambda *_args, **_options: next(typed)
    actions.label.trigger()
    actions.tag.trigger()
    assert [(item.label, item.tags) for item in model.items()[:4]] == [("class 0", ("odd",))] * 3 + [("", ())]
    assert model.item(PATHS[0]).sides[0][0] == "broken"
    menu = entries(actions.menu())
    assert menu["Tags > odd"].isChecked()
    menu["Tags > odd"].trigger()
    assert not any(item.tags for item in model.items())
    for _ in range(3):
        bench.desk.changes.undo.undo()
    assert not any(item.label or item.tags for item in model.items())
    actions.copy_rows.trigger()
    copied = QGuiApplication.clipboard().mimeData()
    assert copied.text().count("\n") == 4
    assert [url.toLocalFile() for url in copied.urls()] == PATHS[:3]
    menu["Copy > 3 paths"].trigger()
    assert QGuiApplication.clipboard().text().split("\n") == PATHS[:3]
    menu["Attack 3 pictures again"].trigger()
    assert bench.engine.requests[-1].paths == tuple(PATHS[:3])
    menu["Remove 3 pictures from the gallery"].trigger()
    assert shown(page) == ["d.png", "e.png", "f.png"]
    assert gallery.view.current_key() == PATHS[3]
    one = entries(actions.menu())
    one["Copy > Attacked picture"].trigger()
    assert QGuiApplication.clipboard().image().pixelColor(0, 0).red() == 130
    one["Copy > Perturbation"].trigger()
    assert not QGuiApplication.clipboard().image().isNull()


def test_what_is_added_is_chosen(bench: Bench, page: ExplorePage) -> None:
    """New pictures at the end of a long gallery are scrolled to and chosen, and the first of them is the current one."""
    bench.desk.gallery.add([f"/q/{number}.png" for number in range(200)])
    page.gallery.select(PATHS[:1])
    page.open_paths(["/new"])
    bench.engine.emit(PicturesFound(JobId(len(bench.engine.requests)), ("/new/1.png", "/new/2.png")))
    QCoreApplication.processEvents()
    assert page.gallery.selected() == ["/new/1.png", "/new/2.png"]
    view = page.gallery.view
    assert view.current_key() == "/new/1.png"
    assert view.viewport().rect().intersects(view.visualRect(view.currentIndex()))


def test_a_large_folder_is_chosen_as_it_comes(bench: Bench, page: ExplorePage) -> None:
    """What follows is chosen too and nothing is scrolled any more; once something else is chosen, that stays so."""
    bench.desk.gallery.add([f"/q/{number}.png" for number in range(200)])
    page.gallery.select(PATHS[:1])
    page.open_paths(["/new"])
    batches = [tuple(f"/new/{number}.png" for number in range(first, first + 100)) for first in (0, 100, 200)]
    for batch in batches[:2]:
        bench.engine.emit(PicturesFound(JobId(len(bench.engine.requests)), batch))
        QCoreApplication.processEvents()
        assert page.gallery.view.current_key() == "/new/0.png"
    assert page.gallery.selected() == [*batches[0], *batches[1]]
    page.gallery.select(PATHS[1:2])
    bench.engine.emit(PicturesFound(JobId(len(bench.engine.requests)), batches[2]))
    QCoreApplication.processEvents()
    assert page.gallery.selected() == PATHS[1:2]
    assert bench.desk.gallery.paths()[-300:] == sum(batches, ())


def test_pictures_are_saved_from_the_page(page: ExplorePage, tmp_path: Path) -> None:
    """The dialog counts what it would write and what is in the way; the banner tells the end and opens the folder."""
    page.gallery.select(PATHS[:2])
    seen: list[tuple[int, int]] = []

    def ask(*args: object) -> PicturesToSave:
        dialog = SavePicturesDialog(*args)  # type: ignore[arg-type]
        dialog.folder.setText(str(tmp_path))
        dialog.all_shown.setChecked(True)
        seen.append(args[1])
        assert dialog.note.text() == "18 files."
        dialog.chosen.setChecked(True)
        answer = dialog.answer()
        dialog.deleteLater()
        return answer

    page.saving.ask = ask
    page.saving.action.trigger()
    assert seen == [(2, 6)]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        f"{name}-{what}.png" for name in "ab" for what in ("seen", "adversarial-a", "adversarial-b")
    )
    urls: list[str] = []
    page.saving.open_url = lambda url: urls.append(url.toLocalFile())
    assert page.banner.accessibleName() == "6 files were written."
    button(page.banner, "Open folder").click()
    assert urls == [str(tmp_path)]


def test_the_dialogs_take_only_answers(page: ExplorePage) -> None:
    """A range needs a number and an order, in the unit that is shown; a word needs letters."""
    quantities = page.gallery.rows.columns
    share = quantities["confidence.a"]

    dialog = RangeDialog(
        page, "Range", [Quantity(share.key, share.title, share.unit, share.scale)], Range(share.key, 0.5, math.inf)
    )
    ok = button(dialog, "OK")
    assert (dialog.low.text(), dialog.high.text(), ok.isEnabled()) == ("50", "", True)
    dialog.high.setText("40")
    assert not ok.isEnabled()
    dialog.high.setText("90,5")
    assert dialog.chosen() == Range("confidence.a", 0.5, 0.905)
    dialog.low.clear()
    dialog.high.clear()
    assert not ok.isEnabled()
    word = WordDialog(page, "Tag", "Tag", ["odd"])
    assert not button(word, "OK").isEnabled()
    word.field.setText("  two   words ")
    assert word.word() == "two words"
