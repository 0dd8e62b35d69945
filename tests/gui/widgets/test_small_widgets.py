"""Knob, fold, job bar, banner, pill and drop zone."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QAbstractButton, QLabel, QProgressBar, QPushButton, QSlider, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from capt_gui.theme import Theme
from capt_gui.widgets.banner import Banner
from capt_gui.widgets.buttons import LinkButton
from capt_gui.widgets.device_pill import DevicePill
from capt_gui.widgets.drop_area import DropZone, local_paths
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.fold import Fold
from capt_gui.widgets.job_bar import JobBar
from capt_gui.widgets.knob_slider import KnobSlider

STOPS: list[tuple[str, object]] = [("1/255", 1 / 255), ("4/255", 4 / 255), ("16/255", 16 / 255)]


def child(widget: QWidget, kind: type[QWidget], name: str = "") -> QWidget:
    """The one child of a kind, by its accessible name if there are several."""
    found = [one for one in widget.findChildren(kind) if not name or one.accessibleName() == name]
    assert len(found) == 1
    return found[0]


@pytest.fixture
def knob(theme: Theme, qtbot: QtBot) -> KnobSlider:
    """A knob on the screen."""
    widget = KnobSlider(theme, "Strength", "faint", "strong")
    widget.set_stops(STOPS)
    qtbot.addWidget(widget)
    widget.resize(300, 80)
    widget.show()
    return widget


def test_keys_turn_a_knob_from_stop_to_stop(knob: KnobSlider, qtbot: QtBot) -> None:
    """Right is the next stop, End the last; each is told with its own value."""
    heard: list[object] = []
    knob.value_changed.connect(heard.append)
    slider = child(knob, QSlider)
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    qtbot.keyClick(slider, Qt.Key.Key_End)
    assert heard == [4 / 255, 16 / 255]
    assert knob.label() == slider.accessibleDescription() == "16/255"


def test_a_click_turns_a_knob_to_the_nearest_stop(knob: KnobSlider, qtbot: QtBot) -> None:
    """The right end is the last stop, a bit left of the middle is the middle one."""
    slider = child(knob, QSlider)
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() - 2, 14))
    assert knob.value() == 16 / 255
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() // 2 - 20, 14))
    assert knob.value() == 4 / 255


def test_setting_a_knob_is_silent_and_new_stops_keep_the_value(knob: KnobSlider, qtbot: QtBot) -> None:
    """A value that is no stop changes nothing."""
    with qtbot.assertNotEmitted(knob.value_changed):
        knob.set_value(4 / 255)
        knob.set_value(0.123)
        knob.set_stops([("0", 0.0), *STOPS])
    assert knob.value() == 4 / 255
    knob.set_stops([])
    assert knob.value() is None


def test_a_fold_opens_with_keys(theme: Theme, qtbot: QtBot) -> None:
    """Return and the arrow keys do what a click does."""
    content = QLabel("inside")
    fold = Fold(theme, "Expert", content)
    qtbot.addWidget(fold)
    fold.show()
    heard: list[bool] = []
    fold.toggled.connect(heard.append)
    header = child(fold, QToolButton)
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Space):
        qtbot.keyClick(header, key)
    assert heard == [True, False, True, False]
    assert not content.isVisible()
    fold.set_expanded(True)
    assert content.isVisible()


def test_run_turns_into_cancel_and_cancel_waits(theme: Theme, qtbot: QtBot) -> None:
    """One button, two duties; after Cancel it rests until the job has ended."""
    bar = JobBar(theme)
    qtbot.addWidget(bar)
    bar.show()
    button = child(bar, QPushButton)
    assert isinstance(button, QPushButton)
    with qtbot.waitSignal(bar.run_clicked):
        button.click()
    bar.set_running(True)
    assert button.text() == "Cancel"
    with qtbot.waitSignal(bar.cancel_clicked):
        qtbot.keyClick(button, Qt.Key.Key_Space)
    assert not button.isEnabled()
    bar.set_progress(3, 9, "late news")
    assert bar.text() == "Stopping…"
    bar.set_running(False)
    assert (button.text(), button.isEnabled()) == ("Run", True)


def test_progress_is_known_or_unknown(theme: Theme, qtbot: QtBot) -> None:
    """A total of 0 is a busy bar, any other is a share."""
    bar = JobBar(theme)
    qtbot.addWidget(bar)
    bar.show()
    bar.set_running(True)
    progress = child(bar, QProgressBar)
    assert isinstance(progress, QProgressBar)
    assert progress.maximum() == 0
    bar.set_progress(19, 50, "19 of 50 · 2 min left")
    assert (progress.value(), progress.maximum(), bar.text()) == (19, 50, "19 of 50 · 2 min left")


def test_a_run_that_is_not_possible_says_why(theme: Theme, qtbot: QtBot) -> None:
    """The reason stands beside the grey button, and is read out with it."""
    bar = JobBar(theme)
    qtbot.addWidget(bar)
    bar.set_enabled_to_run(False, "Drop a picture first")
    button = child(bar, QPushButton)
    assert not button.isEnabled()
    assert bar.text() == button.accessibleDescription() == "Drop a picture first"
    bar.set_enabled_to_run(True)
    assert button.isEnabled()


@pytest.mark.parametrize("kind", ["info", "warning", "error"])
def test_a_banner_tells_offers_and_goes(theme: Theme, qtbot: QtBot, kind: str) -> None:
    """Message and hint are there for the eye and the ear; the action and the way out work."""
    banner = Banner(theme)
    qtbot.addWidget(banner)
    banner.show_message(kind, "<b>x.png</b> failed.", "Try another.", "Show it")
    assert banner.isVisible()
    assert (banner.accessibleName(), banner.accessibleDescription()) == ("<b>x.png</b> failed.", "Try another.")
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in banner.findChildren(QLabel) if label.text())
    with qtbot.waitSignal(banner.action_clicked):
        child(banner, QPushButton, "Show it").click()  # type: ignore[attr-defined]
    with qtbot.waitSignal(banner.dismissed):
        qtbot.keyClick(child(banner, QAbstractButton, "Dismiss this message"), Qt.Key.Key_Space)
    assert not banner.isVisible()


def test_the_pill_says_where_the_work_is_done(theme: Theme, qtbot: QtBot) -> None:
    """Words for the eye, and the same for the ear."""
    pill = DevicePill(theme)
    qtbot.addWidget(pill)
    for state in ("busy", "ready", "warning", "error"):
        pill.set_state(state, "CPU · 2 threads", "No GPU was found.")
    assert (pill.text(), pill.accessibleName()) == ("CPU · 2 threads", "Device: CPU · 2 threads")
    assert pill.toolTip() == "No GPU was found."


def mime_of(*urls: str) -> QMimeData:
    """What a file manager would hand over."""
    mime = QMimeData()
    mime.setUrls([QUrl(url) for url in urls])
    return mime


def test_only_local_paths_are_taken_once_and_in_order() -> None:
    """A web address is left out, a doubled file counts once, odd names survive."""
    mime = mime_of("file:///b.png", "https://example.org/a.png", "file:///a%20%C3%BC.png", "file:///b.png")
    assert local_paths(mime) == ["/b.png", "/a ü.png"]
    assert local_paths(QMimeData()) == []


def test_a_drop_says_its_paths(theme: Theme, qtbot: QtBot) -> None:
    """What falls on the zone comes out as a list of paths."""
    zone = DropZone(theme)
    qtbot.addWidget(zone)
    mime = mime_of("file:///pictures")
    event = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    with qtbot.waitSignal(zone.paths_dropped) as dropped:
        zone.dropEvent(event)
    assert dropped.args == [["/pictures"]]


def test_the_three_ways_in_work_by_keyboard(theme: Theme, qtbot: QtBot) -> None:
    """Each button says its own signal."""
    zone = DropZone(theme)
    qtbot.addWidget(zone)
    zone.show()
    for name, signal in (
        ("Open pictures", zone.open_files_clicked),
        ("Open folder", zone.open_folder_clicked),
        ("Try the toy world", zone.toys_clicked),
    ):
        with qtbot.waitSignal(signal):
            qtbot.keyClick(child(zone, QPushButton, name), Qt.Key.Key_Space)


def test_a_cut_line_is_whole_in_its_tooltip(theme: Theme, qtbot: QtBot) -> None:
    """An elided label never asks for width, and loses nothing."""
    label = ElidedLabel("a rather long line of text")
    qtbot.addWidget(label)
    assert theme is not None
    assert label.minimumSizeHint().width() == 0
    assert label.toolTip() == label.text() == "a rather long line of text"


def test_a_long_link_gives_way(theme: Theme, qtbot: QtBot) -> None:
    """It never makes its page wider: the text is cut, and comes back whole where there is room."""
    words = "Resume plain CLIP & prompts on a folder with a very long name"
    widget = LinkButton(theme, words, "run")
    qtbot.addWidget(widget)
    widget.show()
    whole = widget.sizeHint().width()
    widget.resize(160, 32)
    assert widget.text().endswith("…")
    assert widget.minimumSizeHint().width() == 80
    assert widget.sizeHint().width() == pytest.approx(whole, abs=2)
    assert (widget.accessibleName(), widget.toolTip()) == (words, words)
    widget.resize(whole + 2, 32)
    assert widget.text() == words.replace("&", "&&")
