"""The pages of the window, as a slim rail of symbols with their names."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QFrame, QSizePolicy, QVBoxLayout, QWidget

from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.widgets.buttons import KeyedButtons
from capt_gui.widgets.layout import fill
from capt_gui.widgets.painting import draw_box, draw_focus_ring, draw_selection_bar, draw_text

_WIDTH, _HEIGHT = 60, 58
_SYMBOL = 22
_MARK = 14
_MARKS = {
    "running": ("state-running", "accent"),
    "paused": ("pause", "accent"),
    "failed": ("state-failed", "broken"),
    "finished": ("done", "ok"),
}


class PageRail(QFrame):
    """`picked(key)` only when the user chooses; Up and Down move inside."""

    picked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._group = KeyedButtons(self)
        self.buttons: dict[str, RailButton] = {}
        self.setProperty("rail", True)
        self.setAccessibleName(self.tr("Pages"))
        self.setFixedWidth(_WIDTH + 9)
        self._layout = fill(QVBoxLayout(self), (None, 1), spacing=4, margins=(4, 8, 4, 8))
        self._group.picked.connect(self.picked)

    def add(self, key: str, title: str, icon: str, keys: str) -> None:
        """Add a button for a page at the end.

        key: the text that stands for the page in `picked`. title: its name. icon: the name of an icon of the theme.
        keys: its shortcut, told in the tooltip.
        """
        button = RailButton(self._theme, title, icon)
        button.set_tip(f"{title} ({keys})")
        self._group.add(key, button)
        self.buttons[key] = button
        self._layout.insertWidget(self._layout.count() - 1, button)
        # all are as wide as the longest name needs, in any language
        width = max(one.sizeHint().width() for one in self.buttons.values())
        for one in self.buttons.values():
            one.setFixedSize(width, _HEIGHT)
        self.setFixedWidth(width + 9)

    def set_current(self, key: str) -> None:
        """Mark the page of this key as the one in front, without emitting `picked`."""
        for name, button in self.buttons.items():
            button.setChecked(name == key)
            # one tab stop for the whole rail
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if name == key else Qt.FocusPolicy.ClickFocus)

    def set_mark(self, key: str, kind: str, share: float | None, text: str) -> None:
        """Mark the page of this key, in front or not; an unknown key does nothing.

        kind: "running", "paused", "failed", "finished", or "" to take the mark away. share: of the work that is done, in
        [0, 1], None where not known. text: the same in words, for the tooltip and screen readers.
        """
        if key in self.buttons:
            self.buttons[key].set_mark(kind, share, text)

    def current(self) -> str:
        """Return the key of the page in front, "" when none is marked."""
        return self._group.key()


class RailButton(QAbstractButton):
    """A symbol over its name; the page in front is tinted and marked by a bar."""

    def __init__(self, theme: Theme, title: str, icon: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon = icon
        self._mark: tuple[str, float | None, str] = ("", None, "")
        self._tip = ""
        self.setText(title)
        self.setAccessibleName(title)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Return the size of the button in pixels, in which its name is not cut when it is in front."""
        name = QFontMetricsF(self._font(in_front=True)).horizontalAdvance(self.text())
        return QSize(max(_WIDTH, round(name) + 6), _HEIGHT)

    def _font(self, *, in_front: bool) -> QFont:
        font = self._theme.font("caption")
        font.setBold(in_front)
        return font

    def set_tip(self, text: str) -> None:
        """Show `text` as the tooltip, before what the mark says."""
        self._tip = text
        self._show_tip()

    def set_mark(self, kind: str, share: float | None, text: str) -> None:
        """Show a mark of this `kind`, "" for none; `text` says the same in the tooltip and to screen readers.

        share: of the work that is done, drawn as a ring; None where not known.
        """
        if (kind, share, text) != self._mark:
            self._mark = (kind, share, text)
            self.setAccessibleDescription(text)
            self._show_tip()
            self.update()

    def _show_tip(self) -> None:
        set_tooltip(self, "\n".join(filter(None, (self._tip, self._mark[2]))))

    def _draw_mark(self, painter: QPainter, place: QRectF) -> None:
        kind, share, _ = self._mark
        if kind == "running" and share is not None:
            ring = place.adjusted(2, 2, -2, -2)
            for role, part in (("border", 1.0), ("accent", share)):
                painter.setPen(QPen(self._theme.color(role), 2.4, c=Qt.PenCapStyle.FlatCap))
                painter.drawArc(ring, 90 * 16, round(-360 * 16 * part))
            return
        name, role = _MARKS[kind]
        painter.drawPixmap(place.topLeft(), self._theme.pixmap(name, _MARK, role, self.devicePixelRatioF()))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the page's symbol and name, tinted if in front or under the mouse, and the mark while work goes on."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, rect = self._theme, QRectF(self.rect()).adjusted(2, 1, -2, -1)
        if self.isChecked() or self.underMouse():
            draw_box(painter, rect, theme.color("accent_soft" if self.isChecked() else "surface_raised"), 10)
        if self.isChecked():
            draw_selection_bar(painter, rect, theme)
        ratio = self.devicePixelRatioF()
        role = "accent" if self.isChecked() else "text_muted"
        pixmap = theme.pixmap(self._icon, _SYMBOL, role, ratio)
        painter.drawPixmap(round(rect.center().x() - _SYMBOL / 2), round(rect.top() + 8), pixmap)
        if self._mark[0]:
            left, top = round(rect.center().x() + _SYMBOL / 2 - 1), round(rect.top() + 4)
            self._draw_mark(painter, QRectF(left, top, _MARK, _MARK))
        place = QRectF(rect.left(), rect.top() + 8 + _SYMBOL, rect.width(), rect.height() - 10 - _SYMBOL)
        color = "text" if self.isChecked() else "text_muted"
        draw_text(
            painter,
            place,
            self.text(),
            theme,
            self._font(in_front=self.isChecked()),
            color,
            Qt.AlignmentFlag.AlignCenter,
        )
        if self.hasFocus():
            draw_focus_ring(painter, rect, theme, 9)
