"""The header of the wizard: its steps in a row, each with its number, its name and how far it is."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QEnterEvent, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QFrame, QHBoxLayout, QSizePolicy, QWidget

from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.widgets.painting import draw_box, draw_focus_ring, elided

NOW, COMPLETE, OPEN, LOCKED = "now", "complete", "open", "locked"
"""How far a step is: in front, finished, reachable, not yet reachable."""

_HEIGHT = 52
_DISC = 26
# a name that is cut keeps so much beside the disc
_LEAST_TEXT = 96


class StepRail(QFrame):
    """The steps of the wizard in a row; emits `picked(number)` only when the user chooses, and locked steps are passed over."""

    picked = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._group = QButtonGroup(self)
        self._buttons: list[StepButton] = []
        self.setAccessibleName(self.tr("Steps", "of the wizard"))
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._group.buttonClicked.connect(self._on_clicked)

    def add(self, title: str, summary: str) -> None:
        """Add a step called `title` at the end of the row, locked until `set_states`; `summary` is for its tooltip."""
        button = StepButton(self._theme, len(self._buttons), title, summary)
        self._group.addButton(button, len(self._buttons))
        self._buttons.append(button)
        self._layout.addWidget(button, 1)

    def set_states(self, states: list[str], reasons: list[str]) -> None:
        """Show the state of each step in order, and the reason ("" for none) why a locked one is locked as its tooltip.

        states: NOW, COMPLETE, OPEN or LOCKED of each step; reasons: as many texts. Raises ValueError where the lengths
        differ.
        """
        for button, state, reason in zip(self._buttons, states, reasons, strict=True):
            button.set_state(state, reason)
            # one tab stop for the whole row
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if state == NOW else Qt.FocusPolicy.ClickFocus)

    def states(self) -> list[str]:
        """Return the state of each step, in order: NOW, COMPLETE, OPEN or LOCKED."""
        return [button.state for button in self._buttons]

    @Slot(QAbstractButton)
    def _on_clicked(self, button: QAbstractButton) -> None:
        self.picked.emit(self._group.id(button))


class StepButton(QAbstractButton):
    """Button of a step: a disc with its number, a check or a lock, beside its name and its state."""

    def __init__(self, theme: Theme, number: int, title: str, summary: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._number = number
        self._summary = summary
        self.state = LOCKED
        self.setText(title)
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def set_state(self, state: str, reason: str) -> None:
        """Show the step as `state`: NOW, COMPLETE, OPEN or LOCKED; the tooltip is `reason`, or the step's summary if that is ""."""
        self.state = state
        self.setEnabled(state != LOCKED)
        self.setChecked(state == NOW)
        state_text = self._state_text()
        self.setAccessibleName(self.tr("Step {}: {}, {}").format(self._number + 1, self.text(), state_text))
        self.setAccessibleDescription(reason or self._summary)
        set_tooltip(self, f"{self.text()}: {reason or self._summary}")
        self.update()

    def sizeHint(self) -> QSize:
        """Return the preferred size in pixels, with room for the disc and the whole name of the step."""
        state_text = QFontMetricsF(self._theme.font("strong")).horizontalAdvance(self.text())
        return QSize(round(max(state_text, 60)) + _DISC + 44, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Return the size with room for the disc and a few letters: in a small window the name is cut, and whole in the tooltip."""
        return QSize(min(self.sizeHint().width(), _DISC + _LEAST_TEXT), _HEIGHT)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Paint the button again as the pointer enters it, to show that it can be clicked; Qt handles `event` too."""
        super().enterEvent(event)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint all of the button: disc with number, check or lock, name of the step, its state in words, focus ring.

        The region in `_event` is ignored.
        """
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, rect = self._theme, QRectF(self.rect()).adjusted(2, 2, -2, -2)
        now = self.state == NOW
        if self.isEnabled() and self.underMouse() and not now:
            draw_box(painter, rect, theme.color("surface_raised"), 10)
        disc = QRectF(rect.left() + 10, rect.center().y() - _DISC / 2, _DISC, _DISC)
        self._paint_disc(painter, disc)
        left = disc.right() + 10
        title, small = QFontMetricsF(theme.font("strong")), QFontMetricsF(theme.font("caption"))
        top = rect.center().y() - (title.height() + small.height()) / 2
        font = theme.font("strong")
        font.setBold(now)
        painter.setFont(font)
        painter.setPen(theme.color("text" if self.state != LOCKED else "text_muted"))
        painter.drawText(QPointF(left, top + title.ascent()), elided(title, self.text(), rect.right() - left))
        painter.setFont(theme.font("caption"))
        painter.setPen(theme.color("accent" if now else "text_muted"))
        painter.drawText(
            QPointF(left, top + title.height() + small.ascent()), elided(small, self._state_text(), rect.right() - left)
        )
        if now:
            bar = QRectF(rect.left() + 10, rect.bottom() - 1, rect.width() - 20, 3)
            draw_box(painter, bar, theme.color("accent"), 1.5)
        if self.hasFocus():
            draw_focus_ring(painter, rect, theme, 9)

    def _paint_disc(self, painter: QPainter, disc: QRectF) -> None:
        theme, ratio = self._theme, self.devicePixelRatioF()
        filled = {NOW: "accent", COMPLETE: "accent_soft"}.get(self.state)
        painter.setBrush(theme.color(filled) if filled else Qt.BrushStyle.NoBrush)
        outline = QPen(theme.color("control" if self.state == OPEN else "border"), 1.5)
        painter.setPen(Qt.PenStyle.NoPen if filled else outline)
        painter.drawEllipse(disc.adjusted(0.75, 0.75, -0.75, -0.75))
        if self.state in (COMPLETE, LOCKED):
            icon, size, role = ("lock", 14, "text_muted") if self.state == LOCKED else ("check", 16, "accent")
            painter.drawPixmap(disc.center() - QPointF(size / 2, size / 2), theme.pixmap(icon, size, role, ratio))
            return
        painter.setFont(theme.font("strong"))
        painter.setPen(theme.color("accent_text" if self.state == NOW else "text_muted"))
        painter.drawText(disc, Qt.AlignmentFlag.AlignCenter, str(self._number + 1))

    def _state_text(self) -> str:
        return {
            NOW: self.tr("Now"),
            COMPLETE: self.tr("Done"),
            OPEN: self.tr("Open", "a step that can be gone to"),
            LOCKED: self.tr("Locked"),
        }[self.state]
