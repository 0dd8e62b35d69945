"""The pages of the window, as a slim rail of symbols with their names."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QEnterEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QFrame, QSizePolicy, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.painting import draw_focus_ring

_WIDTH, _HEIGHT = 68, 58
_SYMBOL = 22
_MARK = 14


class PageRail(QFrame):
    """`picked(key)` only when the user chooses; Up and Down move inside."""

    picked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._group = QButtonGroup(self)
        self.buttons: dict[str, RailButton] = {}
        self.setProperty("rail", True)
        self.setAccessibleName(self.tr("Pages"))
        self.setFixedWidth(_WIDTH + 9)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(4, 8, 4, 8)
        self._layout.setSpacing(4)
        self._layout.addStretch(1)
        self._group.buttonClicked.connect(self._on_clicked)

    def add(self, key: str, title: str, icon: str, keys: str) -> None:
        """Add a page at the end; `keys` is its shortcut, for the tooltip."""
        button = RailButton(self._theme, title, icon)
        button.setProperty("key", key)
        button.setToolTip(f"{title} ({keys})")
        self._group.addButton(button)
        self.buttons[key] = button
        self._layout.insertWidget(self._layout.count() - 1, button)

    def set_current(self, key: str) -> None:
        """Show which page is in front."""
        for name, button in self.buttons.items():
            button.setChecked(name == key)
            # one tab stop for the whole rail
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if name == key else Qt.FocusPolicy.ClickFocus)

    def set_busy(self, key: str, words: str) -> None:
        """Mark a page on which work goes on, whichever is in front; `words` say what, empty takes the mark away."""
        if key in self.buttons:
            self.buttons[key].set_busy(words)

    def current(self) -> str:
        """The key of the page in front."""
        button = self._group.checkedButton()
        return str(button.property("key")) if button is not None else ""

    @Slot(QAbstractButton)
    def _on_clicked(self, button: QAbstractButton) -> None:
        self.picked.emit(str(button.property("key")))


class RailButton(QAbstractButton):
    """A symbol over its name; the page in front is tinted and marked by a bar."""

    def __init__(self, theme: Theme, title: str, icon: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon = icon
        self._busy = ""
        self.setText(title)
        self.setCheckable(True)
        self.setAccessibleName(title)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """A little wider than high."""
        return QSize(_WIDTH, _HEIGHT)

    def set_busy(self, words: str) -> None:
        """Show, and say, that work goes on here."""
        if words != self._busy:
            self._busy = words
            self.setAccessibleDescription(words)
            self.update()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show that it can be clicked."""
        super().enterEvent(event)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the button."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, rect = self._theme, QRectF(self.rect()).adjusted(2, 1, -2, -1)
        painter.setPen(Qt.PenStyle.NoPen)
        if self.isChecked() or self.underMouse():
            painter.setBrush(theme.color("accent_soft" if self.isChecked() else "surface_raised"))
            painter.drawRoundedRect(rect, 10, 10)
        if self.isChecked():
            painter.setBrush(theme.color("accent"))
            painter.drawRoundedRect(QRectF(rect.left(), rect.center().y() - 11, 3, 22), 1.5, 1.5)
        ratio = self.devicePixelRatioF()
        role = "accent" if self.isChecked() else "text_muted"
        pixmap = theme.pixmap(self._icon, _SYMBOL, role, ratio)
        painter.drawPixmap(round(rect.center().x() - _SYMBOL / 2), round(rect.top() + 8), pixmap)
        if self._busy:
            painter.drawPixmap(round(rect.center().x() + _SYMBOL / 2 - 1), round(rect.top() + 4), self._mark(ratio))
        font = theme.font("caption")
        font.setBold(self.isChecked())
        painter.setFont(font)
        painter.setPen(theme.color("text" if self.isChecked() else "text_muted"))
        words = QRectF(rect.left(), rect.top() + 8 + _SYMBOL, rect.width(), rect.height() - 10 - _SYMBOL)
        name = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, round(rect.width()))
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, name)
        if self.hasFocus():
            draw_focus_ring(painter, rect, theme, 9)

    def _mark(self, ratio: float) -> QPixmap:
        return self._theme.pixmap("state-running", _MARK, "accent", ratio)
