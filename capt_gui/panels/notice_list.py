"""Notices, a line each; where there are many, the rest opens on demand."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.view_models.data_warnings import Notice
from capt_gui.widgets.input import put_after
from capt_gui.widgets.layout import fill
from capt_gui.widgets.notice_bar import NoticeBar

SHOWN = 2
_HIGHEST = 190
_GAP = 6


class NoticeList(QWidget):
    """`acted(number)`: the button of the notice with this number was pressed."""

    acted = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._notices: tuple[Notice, ...] = ()
        self._bars: list[NoticeBar] = []
        self._open = False
        self._room = _Room()
        self._more = QPushButton()
        self._more.setProperty("link", True)
        self._more.clicked.connect(self.on_more)
        fill(QVBoxLayout(self), self._room, (self._more, 0, Qt.AlignmentFlag.AlignLeft), spacing=2)
        self.hide()

    def show_notices(self, notices: Sequence[Notice]) -> None:
        """Show these warnings about the data, a line each, instead of those before; equal ones change nothing."""
        if tuple(notices) != self._notices:
            self._notices = tuple(notices)
            self._fill()

    def messages(self) -> list[str]:
        """Return the messages of the notices on the screen, from top to bottom, without those folded away."""
        return [bar.message for bar in self._bars]

    def on_more(self) -> None:
        """Unfold the notices that are folded away, or fold them again if they are shown."""
        self._open = not self._open
        self._fill()

    def on_action(self) -> None:
        """Emit `acted` with the number, from 0 at the top, of the notice whose button was pressed."""
        self.acted.emit(int(self.sender().property("number")))

    def _fill(self) -> None:
        # a block is never hidden behind a button
        least = max(SHOWN, sum(notice.kind == "block" for notice in self._notices))
        # one more costs no more room than the button that would open it
        shown = len(self._notices) if self._open or len(self._notices) <= least + 1 else least
        for bar in self._bars:
            bar.hide()
            bar.deleteLater()
        self._bars = []
        for number, notice in enumerate(self._notices[:shown]):
            bar = NoticeBar(self._theme, notice.kind, notice.message, notice.hint, notice.action)
            bar.setProperty("number", number)
            bar.action_clicked.connect(self.on_action)
            self._bars.append(bar)
        self._room.show_bars(self._bars)
        put_after(self, [button for bar in self._bars for button in bar.findChildren(QPushButton)])
        rest = len(self._notices) - least
        name = self.tr("Show fewer") if self._open else self.tr("Show {} more").format(rest)
        self._more.setText(name)
        self._more.setAccessibleName(name)
        self._more.setVisible(rest > 1)
        self.setVisible(bool(self._notices))


class _Room(QScrollArea):
    """As high as what is in it, up to a limit, so that the table below keeps its place."""

    def __init__(self) -> None:
        super().__init__()
        self._body = QWidget()
        self._lines = fill(QVBoxLayout(self._body), spacing=_GAP)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setWidget(self._body)

    def show_bars(self, bars: Sequence[QWidget]) -> None:
        """Show these instead of those before; whoever made those deletes them."""
        while self._lines.takeAt(0) is not None:
            pass
        for bar in bars:
            self._lines.addWidget(bar)
        self._lines.activate()
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """The height that the sentences need at this width."""
        width = self.viewport().width()
        needed = (
            self._lines.heightForWidth(width) if self._lines.hasHeightForWidth() else self._lines.sizeHint().height()
        )
        return QSize(200, min(needed, _HIGHEST))

    def minimumSizeHint(self) -> QSize:
        """One sentence."""
        return QSize(100, 30)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width needs another height."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()
