"""The triptych: honest numbers under the cross-hair, one zoom for all three panes, a symmetric scale with its bar."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from capt_engine.records import Picture, PictureSet, SignedPicture, SignedScale, palette
from capt_gui.theme import Theme
from capt_gui.widgets.image_pane import ImagePane
from capt_gui.widgets.image_triptych import ImageTriptych

EPS = 4 / 255


def pictures(eps: float = EPS) -> PictureSet:
    """A 4 × 3 grey picture whose second pixel moves by +ε, −ε and 0."""
    seen = bytearray([100]) * 36
    change = bytearray(36)
    change[3:6] = bytes([127, 256 - 127, 0])
    adversarial = bytearray(seen)
    adversarial[3:6] = bytes([104, 96, 100])
    return PictureSet(
        Picture(4, 3, bytes(seen)), SignedPicture(4, 3, eps, bytes(change)), Picture(4, 3, bytes(adversarial))
    )


@pytest.fixture
def triptych(theme: Theme, qtbot: QtBot) -> ImageTriptych:
    """A triptych on the screen with the pictures above."""
    widget = ImageTriptych(theme)
    qtbot.addWidget(widget)
    widget.resize(900, 420)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.set_pictures(pictures())
    return widget


def panes(widget: ImageTriptych) -> tuple[ImagePane, ...]:
    """The three panes, from the left."""
    return widget.panes


def test_the_read_out_tells_the_very_numbers(triptych: ImageTriptych, qtbot: QtBot) -> None:
    """One step right of the corner: what was seen, by how much it moved, and what came of it."""
    pane = panes(triptych)[0]
    pane.setFocus()
    for _ in range(5):
        qtbot.keyClick(pane, Qt.Key.Key_Left)
        qtbot.keyClick(pane, Qt.Key.Key_Up)
    qtbot.keyClick(pane, Qt.Key.Key_Right)
    line = " ".join(triptych.readout().split())
    assert line == "x 1, y 0 · seen 100 100 100 · change +4.00 −4.00 0.00 (/255) · adversarial 104 96 100"


def test_before_an_attack_only_what_is_seen_is_told(triptych: ImageTriptych, qtbot: QtBot) -> None:
    """Nothing is said of a change that was not made."""
    triptych.set_seen(pictures().seen)
    qtbot.keyClick(panes(triptych)[0], Qt.Key.Key_Right)
    assert "seen 100 100 100" in triptych.readout()
    assert "change" not in triptych.readout()


def test_the_mouse_over_any_pane_reads_the_same_pixel(triptych: ImageTriptych, qtbot: QtBot) -> None:
    """The three panes share one cross-hair."""
    lines = set()
    for pane in panes(triptych):
        qtbot.mouseMove(pane, QPoint(pane.width() // 2 + 4, pane.height() // 2 + 4))
        lines.add(triptych.readout())
    assert len(lines) == 1
    assert "x 2, y 1" in lines.pop()


@pytest.mark.parametrize(
    ("eps", "ends"), [(4 / 255, "4/255"), (1 / 255, "1/255"), (0.0123, "3.14/255"), (1.0, "255/255")]
)
def test_the_scale_ends_at_the_budget_and_says_so(triptych: ImageTriptych, eps: float, ends: str) -> None:
    """The bar below the perturbation names both ends, whatever ε is."""
    triptych.set_pictures(pictures(eps))
    assert triptych.scale() == SignedScale(eps)
    assert triptych.scale_bar.accessibleDescription() == f"from \u2212{ends}, blue, over 0, white, to +{ends}, orange"


def test_a_perturbation_is_drawn_on_the_scale_of_its_bar(triptych: ImageTriptych) -> None:
    """A pixel whose three colours go up by ε has the colour at the bar's right end; one that is left alone is nearly white."""
    change = bytearray(36)
    change[3:6], change[6:9] = bytes([127] * 3), bytes([256 - 127] * 3)
    triptych.set_pictures(replace(pictures(), perturbation=SignedPicture(4, 3, EPS, bytes(change))))
    middle = panes(triptych)[1]
    image = middle.grab().toImage()
    zoom, centre = middle.zoom(), QPointF(middle.width() / 2, middle.height() / 2)

    def at(x: int, y: int) -> tuple[int, ...]:
        spot = centre + QPointF(x + 0.5 - 2, y + 0.5 - 1.5) * zoom
        return image.pixelColor(spot.toPoint()).getRgb()[:3]  # type: ignore[index]

    colours = palette()
    assert at(1, 0) == tuple(colours[-3:])
    assert at(2, 0) == tuple(colours[:3])
    assert at(3, 2) == (247, 247, 247)


def test_a_chosen_scale_is_used_and_named(triptych: ImageTriptych) -> None:
    """Choosing ±8/255 draws a change of ε = 4/255 half as strong, and the bar says ±8/255."""
    box = triptych.tools.ends
    box.setCurrentIndex(box.findText("±8/255", Qt.MatchFlag.MatchStartsWith))
    assert triptych.scale() == SignedScale(8 / 255)
    assert "+8/255" in triptych.scale_bar.accessibleDescription()


def test_keys_zoom_all_three_panes_together(triptych: ImageTriptych, qtbot: QtBot) -> None:
    """Minus shrinks, plus enlarges, 1 shows pixel for pixel, 0 fits again."""
    first, second, third = panes(triptych)
    fitting = first.zoom()
    qtbot.keyClick(third, Qt.Key.Key_Minus)
    smaller = first.zoom()
    assert first.zoom() == second.zoom() == third.zoom() < fitting
    qtbot.keyClick(second, Qt.Key.Key_Plus)
    assert first.zoom() == second.zoom() == third.zoom() > smaller
    qtbot.keyClick(second, Qt.Key.Key_1)
    assert first.zoom() == pytest.approx(1 / triptych.devicePixelRatioF())
    qtbot.keyClick(first, Qt.Key.Key_0)
    assert first.zoom() == fitting


def test_the_cross_hair_never_leaves_the_sight_when_keys_move_it(triptych: ImageTriptych, qtbot: QtBot) -> None:
    """Zoomed in, walking to the left edge scrolls the picture along: the upright line can still be seen."""
    triptych.set_seen(Picture(40, 30, bytes([100]) * 3600))
    pane = panes(triptych)[0]
    for _ in range(15):
        triptych.zoom_in()
    for _ in range(25):
        qtbot.keyClick(pane, Qt.Key.Key_Left)
    assert triptych.readout().startswith("x 0,")
    image = pane.grab().toImage()
    assert any(image.pixelColor(x, image.height() // 4).red() > 200 for x in range(image.width()))


def test_a_tiny_picture_that_fits_beyond_the_limit_never_shrinks_on_plus(triptych: ImageTriptych, qtbot: QtBot) -> None:
    """Four pixels across fill the pane at 69-fold, which is more than the usual limit."""
    pane = panes(triptych)[0]
    fitting = pane.zoom()
    qtbot.keyClick(pane, Qt.Key.Key_Plus)
    assert pane.zoom() >= fitting > 64


def test_enlarged_pixels_stay_pixels(triptych: ImageTriptych) -> None:
    """Seen whole, a small picture is smooth; from the first zoom on, only colours of the picture itself appear inside it."""
    pane = panes(triptych)[2]
    assert pane.zoom() > 2

    def inside() -> set[int]:
        image = pane.grab().toImage()
        y = pane.height() // 2 - round(pane.zoom())
        across = range(round(pane.width() / 2 - 1.9 * pane.zoom()), round(pane.width() / 2 + 1.9 * pane.zoom()))
        return {image.pixelColor(x, y).green() for x in across}

    assert len(inside()) > 2
    triptych.zoom_in()
    assert inside() <= {100, 96}


def test_without_a_picture_the_keys_do_nothing(theme: Theme, qtbot: QtBot) -> None:
    """The empty state can be typed at without harm."""
    widget = ImageTriptych(theme)
    qtbot.addWidget(widget)
    for key in (Qt.Key.Key_Plus, Qt.Key.Key_0, Qt.Key.Key_Left):
        qtbot.keyClick(panes(widget)[0], key)
    assert widget.readout() == ""
    assert widget.accessibleDescription() == "No picture yet"


def test_a_whole_picture_is_called_one(qtbot: QtBot, theme: Theme) -> None:
    """Where the attack works on the picture's own pixels, the first view is not yet what the model sees."""
    widget = ImageTriptych(theme)
    qtbot.addWidget(widget)
    names = [pane.accessibleName() for pane in panes(widget)]
    widget.set_whole(True)
    assert [pane.accessibleName() for pane in panes(widget)] == ["The picture itself", *names[1:]]
    widget.set_whole(False)
    assert [pane.accessibleName() for pane in panes(widget)] == names
    assert names[0] == "What the model sees"


def test_the_whole_picture_waits_for_what_the_model_sees(triptych: ImageTriptych) -> None:
    """While nobody knows what the model sees, the picture itself is shown and said to be that; it gives way to the answer."""
    whole = QImage(160, 90, QImage.Format.Format_RGB32)
    whole.fill(QColor("#0000ff"))
    triptych.set_waiting(whole)
    assert triptych.titles[0].text() == "What the model sees"
    triptych.set_pictures(None)
    triptych.set_waiting(whole)
    assert triptych.titles[0].text() == "The picture itself"
    shown = triptych.panes[0].grab().toImage()
    assert shown.pixelColor(shown.rect().center()) == QColor("#0000ff")
    assert triptych.readout() == ""
    triptych.set_whole(False)
    triptych.set_pictures(pictures())
    assert triptych.titles[0].text() == "What the model sees"
    triptych.set_pictures(None)
    triptych.set_waiting(None)
    assert triptych.titles[0].text() == "What the model sees"
