"""Looking closer at one attacked picture: linked views, saliency, the budget that flips it, the attack step by step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from guest import Guest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTabBar

from capt_gui.pages.explore.page import ExplorePage
from capt_gui.widgets.image_triptych import ImageTriptych

Shot = Callable[..., None]


@pytest.fixture
def seen(guest: Guest, samples: tuple[Path, ...]) -> ImageTriptych:
    """The linked views of a picture that was dropped and attacked."""
    guest.drop(samples[0])
    guest.until(lambda: guest.desk.gallery.rowCount() == 1)
    guest.settle()
    page = guest.window.page
    assert isinstance(page, ExplorePage)
    guest.until(lambda: page.result.triptych.isVisible())
    return page.result.triptych


def tab(guest: Guest, title: str) -> None:
    """Click the tab with this title among the charts."""
    bar = guest.find(QTabBar, "Charts")
    place = next(i for i in range(bar.count()) if bar.tabText(i) == title)
    bar.setCurrentIndex(place)


def test_one_picture_in_linked_views(guest: Guest, seen: ImageTriptych, shot: Shot) -> None:
    """Wiped, flickered and subtracted with mouse and keys, read to the pixel, and as large as the window."""
    shot("see-panes")
    guest.click("View: Wipe")
    pane = seen.single
    pane.setFocus()
    QTest.keyClick(pane, Qt.Key.Key_Right)
    assert pane.share == pytest.approx(0.52)
    shot("see-wipe")
    guest.click("View: Flicker")
    pane.setFocus()
    QTest.keyPress(pane, Qt.Key.Key_F)
    shot("see-flicker")
    QTest.keyRelease(pane, Qt.Key.Key_F)
    guest.click("View: Difference")
    QTest.mouseMove(pane, pane.rect().center())
    QTest.keyClick(pane, Qt.Key.Key_Up)
    assert "(/255)" in seen.readout()
    shot("see-difference")
    QTest.mouseDClick(pane, Qt.MouseButton.LeftButton)
    guest.until(lambda: seen.height() > guest.window.height() - 40)
    shot("see-window")
    QTest.keyClick(pane, Qt.Key.Key_Escape)
    guest.until(lambda: seen.height() < guest.window.height() - 40)
    guest.click("View: Side by side")


def test_where_the_answer_comes_from(guest: Guest, seen: ImageTriptych, shot: Shot) -> None:
    """Gradient, rollout, occlusion and drift over clean and attacked picture, each computed when it is chosen."""
    guest.click("View: Saliency")
    view = seen.saliency
    for row in range(view.method.count()):
        view.method.setCurrentIndex(row)
        view.method.on_activated(row)
        guest.until(lambda: view.bar.isVisible() and not guest.desk.saliency.is_running)
        assert " %" in view.titles[1].text()
        shot(f"see-saliency-{row + 1}")
    guest.click("View: Side by side")


def test_the_budget_that_flips_it_and_each_step_of_the_attack(guest: Guest, seen: ImageTriptych, shot: Shot) -> None:
    """The curve begins with what is known and gains points by itself; the attack is played, stopped and left."""
    curve, replay = guest.desk.margins, guest.desk.replay
    tab(guest, "Margin")
    guest.until(lambda: any(len(curve.margins(side)) > 3 for side in "ab"))
    shot("see-margin")
    tab(guest, "Replay")
    assert not curve.is_running
    guest.click("Replay the attack")
    guest.until(lambda: bool(replay.steps) and not replay.is_running)
    replay.pause()
    guest.click("One step on")
    step = replay.step
    assert step is not None
    assert seen.titles[2].text() == f"Adversarial, {step.name}"
    shot("see-replay")
    guest.click("Back to the result")
    assert not replay.steps
    tab(guest, "Verdicts")
