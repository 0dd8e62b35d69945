"""A few choices side by side, one of which is taken."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from capt_gui.theme import Theme, repolish
from capt_gui.widgets.buttons import GivingButton, KeyedButtons
from capt_gui.widgets.layout import fill
from capt_gui.widgets.side_badge import SIDES, draw_side

_BADGE = 18


class Segments(QFrame):
    """Joined buttons, each (key, label, help); `picked(key)` only when the user chooses. Arrow keys move inside.

    The keys "a" and "b" show the mark of their side instead of their label.
    """

    picked = Signal(str)

    def __init__(
        self, theme: Theme, name: str, choices: Sequence[tuple[str, str, str]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._group = KeyedButtons(self)
        self.buttons: dict[str, QToolButton] = {}
        self.setAccessibleName(name)
        self.setProperty("segments", True)
        layout = fill(QHBoxLayout(self), spacing=2, margins=2)
        for key, label, words in choices:
            button = GivingButton(label, words)
            button.setProperty("segment", True)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.setAccessibleName(f"{name}: {label}")
            button.setAccessibleDescription(words)
            if key in SIDES:
                button.setIconSize(QSize(_BADGE, _BADGE))
            else:
                button.setText(label)
            self._group.add(key, button)
            self.buttons[key] = button
            # without a stretch none gets less than its words need, as long as all of them fit
            layout.addWidget(button)
        self._group.picked.connect(self.picked)
        theme.changed.connect(self._retint)
        self._retint()

    def set_choice(self, key: str) -> None:
        """Check the button of this key without emitting `picked`; an unknown key changes nothing."""
        if key in self.buttons:
            self.buttons[key].setChecked(True)
            # one tab stop for all of them, as Qt itself has it once one of them was focused
            for name, button in self.buttons.items():
                button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if name == key else Qt.FocusPolicy.ClickFocus)

    def set_tight(self, tight: bool) -> None:
        """Leave less room around the words (True), for a narrow place, or the usual room."""
        if self.property("tight") != tight:
            for part in (self, *self.buttons.values()):
                part.setProperty("tight", tight)
                repolish(part)
                part.updateGeometry()

    def focus_taken(self) -> None:
        """Give the keyboard focus to the checked button, if one is."""
        if (button := self._group.checkedButton()) is not None:
            button.setFocus(Qt.FocusReason.OtherFocusReason)

    def choice(self) -> str:
        """Return the key of the checked button, "" when none is."""
        return self._group.key()

    def _retint(self) -> None:
        for side in SIDES:
            if side in self.buttons:
                icon = QIcon()
                icon.addPixmap(self._badge(side, filled=False), QIcon.Mode.Normal, QIcon.State.Off)
                icon.addPixmap(self._badge(side, filled=True), QIcon.Mode.Normal, QIcon.State.On)
                self.buttons[side].setIcon(icon)

    def _badge(self, side: str, *, filled: bool) -> QPixmap:
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(round(_BADGE * ratio), round(_BADGE * ratio))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_side(painter, QRectF(0, 0, _BADGE, _BADGE), self._theme, side, filled=filled)
        painter.end()
        return pixmap
