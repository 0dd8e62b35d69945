"""The controls above linked pictures: which view of them, at which attack, on which scale, how large."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from capt_engine.formatting import budget, number
from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.widgets.buttons import IconButton, TextButton
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.segments import Segments

PANES, WIPE, FLICKER, DIFFERENCE, SALIENCY = "panes", "wipe", "flicker", "difference", "saliency"

_ENDS = (1, 2, 4, 8, 16, 64)
# from which width all controls stand in one line; below which some are left away, beside saliency maps and everywhere
_ONE_LINE, _ROOMY, _TIGHT = 1060, 660, 540
_NARROW_ENDS = 120


class ImageTools(QWidget):
    """The controls; values in, signals out. Narrow, they stand in two lines.

    mode_picked(mode), side_picked(side), scale_picked(), held(bool): the button that shows the other picture is down;
    zoom_picked(name): "out", "in", "fit" or "one"; window_clicked().
    """

    mode_picked = Signal(str)
    side_picked = Signal(str)
    scale_picked = Signal()
    held = Signal(bool)
    zoom_picked = Signal(str)
    window_clicked = Signal()

    def __init__(self, theme: Theme, saliency: QWidget, parent: QWidget | None = None) -> None:
        """saliency: the controls of the saliency maps, which stand beside the others."""
        super().__init__(parent)
        self._is_narrow = True
        self._saliency = saliency
        self.modes = Segments(theme, self.tr("View"), self._choices())
        self.modes.set_choice(PANES)
        self.modes.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.modes.picked.connect(self.mode_picked)
        self.side_switch = Segments(
            theme,
            self.tr("Attack shown"),
            [
                ("a", self.tr("A"), self.tr("Show the picture that was made to fool A")),
                ("b", self.tr("B"), self.tr("Show the picture that was made to fool B")),
            ],
        )
        self.side_switch.setFixedWidth(84)
        self.side_switch.hide()
        self.side_switch.picked.connect(self.side_picked)
        self.ends = self._scale_box()
        self._scale_title = text(self.tr("Scale"), "caption", wrap=False)
        self._scale_title.setBuddy(self.ends)
        self.hold = TextButton(
            theme,
            "",
            "",
            tip=self.tr(
                "Shows the adversarial picture while it is held down, as the keys F and Space do over the picture"
            ),
        )
        self.hold.setAccessibleName(self.tr("Hold: adversarial"))
        self.hold.pressed.connect(self._on_pressed)
        self.hold.released.connect(self._on_released)
        self.zoom = text(role="caption", wrap=False)
        self.zoom.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.zoom.setMinimumWidth(self.zoom.fontMetrics().horizontalAdvance("6400 %") + 4)
        self.buttons = self._zoom_buttons(theme)
        self.window_button = IconButton(theme, "window-fill", self.tr("Fill the window (F11)"))
        self.window_button.clicked.connect(self.window_clicked)
        self._second = QWidget()
        self._upper = fill(QHBoxLayout(), self.modes, (None, 1), spacing=8)
        zoom = (self.zoom, *self.buttons, self.window_button)
        # the switch comes with an answer, so nothing stands behind it that it could push aside
        own = (self._scale_title, self.ends, self.hold, 2, self.side_switch)
        self._lower = fill(QHBoxLayout(self._second), *own, (saliency, 1), (None, 1), *zoom, spacing=4)
        self._column = fill(QVBoxLayout(self), self._upper, self._second, spacing=6)
        self.show_mode(PANES)

    def show_mode(self, mode: str) -> None:
        """Check the button of a view, and show the controls that it has."""
        self.modes.set_choice(mode)
        self.ends.setVisible(mode in (PANES, DIFFERENCE))
        self.hold.setVisible(mode == FLICKER)
        self._saliency.setVisible(mode == SALIENCY)
        self._lower.setStretch(6, int(mode != SALIENCY))
        self._fit()

    def enable(self, *, seen: bool, attacked: bool) -> None:
        """Enable the controls that there is something for: a picture, and one that was attacked."""
        for button in (*self.buttons, self.window_button):
            button.setEnabled(seen)
        self.ends.setEnabled(attacked)
        self.hold.setEnabled(attacked)

    def show_filling(self, filling: bool) -> None:
        """Say what the button of the whole window does now: fill the window, or go back."""
        tip = self.tr("Back (Esc)") if filling else self.tr("Fill the window (F11)")
        set_tooltip(self.window_button, tip)
        self.window_button.setAccessibleName(tip)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put all controls in one line where there is room."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Leave away what there is no room for, and what keys, wheel and menu do as well."""
        narrow, asks = self.width() < _ONE_LINE, self.modes.choice() == SALIENCY
        if narrow != self._is_narrow:
            self._is_narrow = narrow
            if narrow:
                self._column.addWidget(self._second)
            else:
                self._upper.insertWidget(1, self._second, 1)
        tight = self.width() < _TIGHT
        self._scale_title.setVisible(self.ends.isVisibleTo(self) and not tight)
        self.modes.set_tight(tight)
        # as wide as it is beside the switch
        self.ends.setMaximumWidth(_NARROW_ENDS if tight else 16777215)
        self.hold.setText(self.tr("Hold") if tight else self.tr("Hold: adversarial"))
        self.zoom.setVisible(not tight and not (narrow and asks))
        for button in self.buttons:
            button.setVisible(not asks or self.width() >= _ROOMY)

    def _on_pressed(self) -> None:
        self.held.emit(True)

    def _on_released(self) -> None:
        self.held.emit(False)

    def _choices(self) -> Sequence[tuple[str, str, str]]:
        return [
            (
                PANES,
                self.tr("Side by side"),
                self.tr("Clean picture, perturbation and adversarial picture beside each other"),
            ),
            (WIPE, self.tr("Wipe"), self.tr("One picture with a handle: clean left of it, adversarial right of it")),
            (
                FLICKER,
                self.tr("Flicker"),
                self.tr("The adversarial picture in the clean one's place while F or Space is held"),
            ),
            (
                DIFFERENCE,
                self.tr("Difference"),
                self.tr("Adversarial minus clean picture, on a scale that can be chosen"),
            ),
            (
                SALIENCY,
                self.tr("Saliency"),
                self.tr("Where in the picture the answer comes from, before and after the attack"),
            ),
        ]

    def _scale_box(self) -> QComboBox:
        box = QComboBox()
        box.addItem(self.tr("Auto"), 0)
        for end in _ENDS:
            box.addItem(self.tr("±{} (× {})").format(budget(end / 255), number(255 / end)), end)
        box.setAccessibleName(self.tr("Scale of the perturbation"))
        tip = self.tr(
            "The change that has the full colour, and how many times that enlarges it. "
            "Auto: the budget, or the largest change where no budget bounds each value."
        )
        set_tooltip(box, tip)
        box.currentIndexChanged.connect(self.scale_picked)
        return box

    def _zoom_buttons(self, theme: Theme) -> tuple[IconButton, ...]:
        made = []
        for name, icon, tip in (
            ("out", "zoom-out", self.tr("Smaller (−)")),
            ("in", "zoom-in", self.tr("Larger (+)")),
            ("fit", "zoom-fit", self.tr("Whole picture (0)")),
            ("one", "zoom-one", self.tr("Pixel for pixel (1)")),
        ):
            button = IconButton(theme, icon, tip)
            button.setProperty("zoom", name)
            button.clicked.connect(self._on_zoom_clicked)
            made.append(button)
        return tuple(made)

    def _on_zoom_clicked(self) -> None:
        self.zoom_picked.emit(self.sender().property("zoom"))
