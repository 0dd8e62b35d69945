"""Sessions in the window: what was there comes back, is asked about, and survives a crash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Bench
from fakes import READY, make_row
from PySide6.QtCore import QCoreApplication, QMimeData, QUrl
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from capt_engine import records as r
from capt_engine.session import file as session_file
from capt_gui.main_window import MainWindow
from capt_gui.panels.session_menu import CANCEL, DISCARD, SAVE
from capt_gui.view_models.settings_keeper import SettingsKeeper


@pytest.fixture
def window(bench: Bench, qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    """The window, shown, with autosave, on an engine that is ready."""
    window = MainWindow(bench.desk, SettingsKeeper(bench.settings, None), tmp_path, tmp_path / "journals")
    qtbot.addWidget(window, before_close_func=lambda w: w.close_unasked())
    window.show()
    play(bench, READY)
    yield window
    window.close_unasked()


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Three pictures in a folder."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    paths = [str(folder / f"{name}.png") for name in "abc"]
    for number, path in enumerate(paths):
        image = QImage(32, 24, QImage.Format.Format_RGB32)
        image.fill(0x204060 * (number + 1))
        image.save(path)
    return paths


def play(bench: Bench, *events: r.Event) -> None:
    """Let the engine say this, and the window hear it."""
    for event in events:
        bench.engine.emit(event)
    QCoreApplication.processEvents()


def fill(bench: Bench, files: list[str]) -> None:
    """Pictures with thumbnails, the first two with results, the first with the right answer."""
    gallery = bench.desk.gallery
    gallery.add(files)
    gallery.put_previews([r.Preview(path, 32, 24, r.Picture(8, 6, bytes(144))) for path in files])
    request = bench.desk.choices.request(())
    gallery.put_rows([make_row(path) for path in files[:2]], request)
    gallery.set_labels({files[0]: "class 0"})


def rest(window: MainWindow, qtbot: QtBot) -> None:
    """Wait until nothing is read or written."""
    model = window.sessions.model
    qtbot.waitUntil(lambda: not model.is_busy and not model.is_at_work, timeout=5000)


def test_what_is_saved_comes_back(
    bench: Bench, window: MainWindow, files: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    """Pictures, results, labels, choices, page and selection; the title has the name, and a mark while something is changed."""
    fill(bench, files)
    desk, gallery = bench.desk, bench.desk.gallery
    before = gallery.entries()
    desk.choices.set_classes(("cat", "dog"), "a drawing of a {}.")
    desk.choices.attack.set_eps(2 / 255)
    window.pages["explore"].show_view({"picture": files[1]})
    window.show_page("report")
    place = tmp_path / "mine.capt"
    window.sessions.model.save(str(place))
    rest(window, qtbot)
    assert window.windowTitle() == "mine[*] — CAPT Explorer"
    assert not window.isWindowModified()
    window.sessions.on_new()
    assert (gallery.rowCount(), window.windowTitle()) == (0, "CAPT Explorer")
    desk.choices.restore_classes()
    desk.choices.attack.set_eps(8 / 255)
    window.show_page("explore")
    window.preferences.set("view", "simple")
    window.open_paths([str(place)])
    rest(window, qtbot)
    assert gallery.entries() == before
    assert bench.settings.view == "full"
    assert gallery.pictures(files[0]) is not None
    assert gallery.packed(files[2])
    assert (desk.choices.classes, desk.choices.template) == (("cat", "dog"), "a drawing of a {}.")
    assert desk.choices.attack.eps == 2 / 255
    assert window.page_key == "report"
    assert window.pages["explore"].view()["picture"] == files[1]
    assert not window.isWindowModified()
    gallery.set_labels({files[2]: "class 1"})
    window.sessions.model.look_now()
    assert window.isWindowModified()


def saved(window: MainWindow, place: Path, qtbot: QtBot) -> None:
    """Save the session in the window."""
    window.sessions.model.save(str(place))
    rest(window, qtbot)


def test_a_changed_session_is_asked_about(
    bench: Bench, window: MainWindow, files: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    """Cancel leaves the window open, Save writes first and then closes it; one that nobody saved yet is not asked about."""
    questions: list[str] = []
    answers = [CANCEL, SAVE]
    window.sessions.ask_to_save = lambda: questions.append("?") or answers[len(questions) - 1]  # type: ignore[func-returns-value]
    fill(bench, files)
    place = tmp_path / "mine.capt"
    saved(window, place, qtbot)
    before = place.read_bytes()
    bench.desk.gallery.set_labels({files[1]: "class 2"})
    window.close()
    assert window.isVisible()
    assert questions == ["?"]
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible())
    assert questions == ["?", "?"]
    assert place.read_bytes() != before


def test_discarding_opens_the_other_session(
    bench: Bench, window: MainWindow, files: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    """Dropped on the window or chosen in Open recent; what was discarded stands among those that were not saved."""
    window.sessions.ask_to_save = lambda: DISCARD
    fill(bench, files)
    one, two = tmp_path / "one.capt", tmp_path / "two.capt"
    saved(window, one, qtbot)
    bench.desk.gallery.remove(files[:1])
    saved(window, two, qtbot)
    bench.desk.gallery.remove(files[1:2])
    rest(window, qtbot)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(one))])
    assert window.sessions.take(mime)
    rest(window, qtbot)
    assert bench.desk.gallery.paths() == tuple(files)
    assert bench.settings.recent_sessions == [str(one), str(two)]
    two.unlink()
    window.sessions.model.start()
    rest(window, qtbot)
    window.sessions.on_recent_shown()
    entries = {a.text(): a.isEnabled() for a in window.sessions.recent_entries() if a.text()}
    assert entries["one"]
    assert not entries["two · not found"]
    (kept,) = [text for text in entries if text.startswith("two · 1 picture · ")]
    assert entries[kept]


def test_a_crash_is_offered_and_taken_up(
    bench: Bench, window: MainWindow, files: list[str], qtbot: QtBot, tmp_path: Path
) -> None:
    """A window that nobody closed is offered in the banner of the next one, which goes on with it; the one of before is untouched."""
    fill(bench, files)
    rest(window, qtbot)
    window.close_unasked()
    again = MainWindow(bench.desk, SettingsKeeper(bench.settings, None), tmp_path, tmp_path / "journals")
    qtbot.addWidget(again, before_close_func=lambda w: w.close_unasked())
    bench.desk.gallery.clear()
    again.show()
    again.sessions.model.start()
    rest(again, qtbot)
    assert again.page.banner.accessibleName() == "The last session ended without being closed."
    assert again.page.banner.accessibleDescription().startswith("3 pictures · 2 with results · today ")
    again.sessions.on_reopen()
    rest(again, qtbot)
    gallery = bench.desk.gallery
    assert gallery.paths() == tuple(files)
    item = gallery.item(files[0])
    assert item is not None
    assert (item.label, item.outcome, gallery.packed(files[2]) != b"") == ("class 0", "broken", True)
    assert len(list((tmp_path / "journals").glob("*.journal"))) == 1
    again.close_unasked()


def test_pictures_that_moved_are_found_or_asked_for(
    bench: Bench, window: MainWindow, files: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    """Moved with the session's folder: found; elsewhere: asked for, in one question; named: found; else its result stays."""
    fill(bench, files)
    place = tmp_path / "pictures" / "mine.capt"
    saved(window, place, qtbot)
    asked: list[int] = []
    folders = [str(tmp_path / "far"), ""]
    window.sessions.ask_for_folder = lambda loaded: asked.append(len(loaded.missing)) or folders[len(asked) - 1]  # type: ignore[func-returns-value]
    moved = (tmp_path / "pictures").rename(tmp_path / "other")
    (tmp_path / "far").mkdir()
    Path(moved, "a.png").rename(tmp_path / "far" / "renamed.png")
    Path(moved, "c.png").unlink()
    window.open_paths([str(moved / "mine.capt")])
    rest(window, qtbot)
    qtbot.waitUntil(lambda: len(asked) == 2)
    rest(window, qtbot)
    assert asked == [2, 1]
    gallery = bench.desk.gallery
    assert gallery.paths() == (str(tmp_path / "far" / "renamed.png"), str(moved / "b.png"), files[2])
    item = gallery.item(str(tmp_path / "far" / "renamed.png"))
    assert item is not None
    assert (item.label, item.row is not None and item.row.path) == ("class 0", item.path)
    assert window.page.banner.accessibleName() == "1 picture is not where it was."
    before = [one.sha256 for one in session_file.read(moved / "mine.capt").pictures]
    saved(window, tmp_path / "again.capt", qtbot)
    assert [one.sha256 for one in session_file.read(tmp_path / "again.capt").pictures] == before


def test_a_picture_that_is_another_now_keeps_no_result(
    bench: Bench, window: MainWindow, files: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    """Its content is compared, not its time alone; the label stays, and a sentence says what to do."""
    fill(bench, files)
    place = tmp_path / "mine.capt"
    saved(window, place, qtbot)
    data = bytearray(Path(files[0]).read_bytes())
    data[-1] ^= 1
    Path(files[0]).write_bytes(bytes(data))
    Path(files[1]).touch()
    window.open_paths([str(place)])
    rest(window, qtbot)
    one, two = (bench.desk.gallery.item(path) for path in files[:2])
    assert one is not None
    assert two is not None
    assert (one.label, one.row, two.row is None) == ("class 0", None, False)
    assert window.page.banner.accessibleName() == "1 picture has changed since the session was saved."


def test_a_damaged_session_is_a_sentence(
    bench: Bench, window: MainWindow, files: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    """The present session stays as it is."""
    fill(bench, files)
    place = tmp_path / "bad.capt"
    place.write_bytes(b"PK no session")
    window.open_paths([str(place)])
    rest(window, qtbot)
    assert window.page.banner.accessibleName().startswith("The session 'bad.capt' cannot be read: ")
    assert bench.desk.gallery.paths() == tuple(files)
