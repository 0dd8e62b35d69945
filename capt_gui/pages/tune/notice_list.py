"""What there is to say, a line each; when there is much of it, the rest opens on demand."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.view_models.data_notices import Notice
from capt_gui.widgets.notice_bar import NoticeBar

SHOWN = 2


class NoticeList(QWidget):
    """`acted(number)`: the button of the notice with this number was pressed."""

    acted = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._notices: tuple[Notice, ...] = ()
        self._bars: list[NoticeBar] = []
        self._open = False
        self._more = QPushButton()
        self._more.setProperty("link", True)
        self._more.clicked.connect(self.on_more)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)
        self._layout.addWidget(self._more)
        self.hide()

    def show_notices(self, notices: Sequence[Notice]) -> None:
        """Show these; the same ones again change nothing."""
        if tuple(notices) != self._notices:
            self._notices = tuple(notices)
            self._fill()

    def messages(self) -> list[str]:
        """The sentences shown."""
        return [bar.message for bar in self._bars]

    def on_more(self) -> None:
        """Show all of them, or fewer again."""
        self._open = not self._open
        self._fill()

    def on_action(self) -> None:
        """A button was pressed."""
        self.acted.emit(int(self.sender().property("number")))

    def _fill(self) -> None:
        for bar in self._bars:
            self._layout.removeWidget(bar)
            bar.hide()
            bar.deleteLater()
        # a block is never hidden behind a button
        least = max(SHOWN, sum(notice.kind == "block" for notice in self._notices))
        # one more costs no more room than the button that would open it
        shown = len(self._notices) if self._open or len(self._notices) <= least + 1 else least
        self._bars = []
        for number, notice in enumerate(self._notices[:shown]):
            bar = NoticeBar(self._theme, notice.kind, notice.message, notice.hint, notice.action)
            bar.setProperty("number", number)
            bar.action_clicked.connect(self.on_action)
            self._layout.insertWidget(number, bar)
            self._bars.append(bar)
        rest = len(self._notices) - least
        words = self.tr("Show fewer") if self._open else self.tr("Show {} more").format(rest)
        self._more.setText(words)
        self._more.setAccessibleName(words)
        self._more.setVisible(rest > 1)
        self.setVisible(bool(self._notices))
