"""The three charts under the pictures, as many side by side as there is room for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from capt_engine.records import MetricInfo, PictureRow
from capt_gui.theme import Theme
from capt_gui.widgets.card import Card
from capt_gui.widgets.consistency_panel import ConsistencyPanel
from capt_gui.widgets.labels import column, text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.logit_shift_chart import LogitShiftChart
from capt_gui.widgets.probability_bars import ProbabilityBars
from capt_gui.widgets.scrolled import scrolled

# width from which two and three cards fit beside each other, with one set of prompts and with two
_ROOM = (680, 1200)
_ROOM_FOR_PAIRS = (1000, 1560)
_CARD_HEIGHT = 40


class Charts(QWidget):
    """Charts of the verdicts, the logit shift and the consistency; those without room beside the first stand behind tabs."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bars = ProbabilityBars(theme)
        self.shift = LogitShiftChart(theme)
        self.consistency = ConsistencyPanel(theme)
        self.consistency_card = _titled(self.tr("Consistency"), self.consistency)
        self._cards = {
            self.tr("Verdicts"): _titled(self.tr("Verdicts, clean and attacked"), self.bars),
            self.tr("Logit shift"): _titled(self.tr("Logit shift"), self.shift),
            self.tr("Consistency"): self.consistency_card,
        }
        self._front = QWidget()
        self._grid = QGridLayout(self._front)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(12)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setTabBarAutoHide(True)
        self.tabs.setAccessibleName(self.tr("Charts"))
        self.tabs.tabBar().setAccessibleName(self.tr("Charts"))
        self._extras: list[tuple[QWidget, str]] = []
        self._row: PictureRow | None = None
        self._other: PictureRow | None = None
        self._names = ("", "")
        self._metrics: tuple[MetricInfo, ...] = ()
        self._waiting: list[Callable[[], None]] = []
        self._turn = QTimer(self, singleShot=True, interval=0)
        self._turn.timeout.connect(self.on_turn)
        self._columns, self._two = 0, False
        self._arrange(2)
        fill(QVBoxLayout(self), self.tabs)

    def add_tab(self, content: QWidget, title: str) -> None:
        """Add `content`, which is too large to stand beside charts, behind a tab of its own with this title."""
        card = Card(_scrolling(content))
        self._extras.append((card, title))
        self.tabs.addTab(card, title)

    def preparations(self) -> Iterator[None]:
        """Draw the chart of the logit shift once unseen, in pieces, because its first drawing takes ten times as long as all later ones."""
        yield from self.shift.preparations()
        self.shift.set_shift(("a", "b"), (0.0, 1.0), (1.0, 0.0))
        self.shift.grab()
        self.shift.clear()

    def expect(self, *, two: bool) -> None:
        """Arrange the charts for one set of prompts or for two, as the next result will have them."""
        self._two = two
        self._use_room()

    def show_row(
        self,
        row: PictureRow | None,
        metrics: tuple[MetricInfo, ...],
        other: PictureRow | None = None,
        names: tuple[str, str] = ("", ""),
    ) -> None:
        """Draw the charts of a result one after the other, with turns for the window in between.

        row: the result of variant A (a model with its prompts), None to show the charts empty. metrics: what each
        measurement means. other: the result of variant B for the same picture, None without a comparison. names: the
        labels of the prompts of A and B.
        """
        self._row, self._metrics, self._other, self._names = row, metrics, other, names
        if row is not None:
            self.expect(two=other is not None)
        self._waiting = [self._draw_bars, self._draw_consistency, self._draw_shift]
        self._turn.start()

    def on_turn(self) -> None:
        """Draw the next chart that waits, and schedule the one after it, so that the window gets a turn in between."""
        self._waiting.pop(0)()
        if self._waiting:
            self._turn.start()

    def _draw_bars(self) -> None:
        if self._row is None:
            self.bars.clear()
        elif self._other is not None:
            a, b = ((row.clean, row.attacked) for row in (self._row, self._other))
            self.bars.set_pair(self._row.classes, a, b, self._names)
        else:
            self.bars.set_verdicts(self._row.classes, self._row.clean, self._row.attacked)

    def _draw_consistency(self) -> None:
        if self._row is None:
            self.consistency.clear()
        elif self._other is not None:
            self.consistency.set_pair(self._metrics, dict(self._row.metrics), dict(self._other.metrics))
        else:
            self.consistency.set_metrics(self._metrics, dict(self._row.metrics))

    def _draw_shift(self) -> None:
        if self._row is None or self._row.attacked is None:
            self.shift.clear()
        elif self._other is not None and self._other.attacked is not None:
            a = (self._row.clean.logits, self._row.attacked.logits)
            b = (self._other.clean.logits, self._other.attacked.logits)
            self.shift.set_pair(self._row.classes, a, b, self._names)
        else:
            self.shift.set_shift(self._row.classes, self._row.clean.logits, self._row.attacked.logits)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put as many charts side by side as the width after the resize `event` has room for, and the others behind tabs."""
        super().resizeEvent(event)
        self._use_room()

    def _use_room(self) -> None:
        rooms = _ROOM_FOR_PAIRS if self._two else _ROOM
        self._arrange(1 + sum(self.width() >= room for room in rooms))

    def _arrange(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        self.tabs.clear()
        for number, (name, card) in enumerate(self._cards.items()):
            beside = number < columns
            self._grid.setColumnStretch(number, int(beside))
            if beside:
                self._grid.addWidget(card, 0, number)
                card.show()
            else:
                self._grid.removeWidget(card)
                self.tabs.addTab(card, name)
        self.tabs.insertTab(0, self._front, self.tr("Verdicts"))
        for extra, title in self._extras:
            self.tabs.addTab(extra, title)
        self.tabs.setCurrentIndex(0)


def _titled(title: str, content: QWidget) -> Card:
    """A card with a heading; what is taller than the card scrolls, so that many classes do not squeeze the pictures."""
    return Card(column(text(title, "heading", wrap=False), (_scrolling(content), 1), spacing=6))


def _scrolling(content: QWidget) -> QScrollArea:
    scroll = scrolled(content)
    scroll.setMinimumSize(content.minimumSizeHint().width(), _CARD_HEIGHT)
    # the card behind shows through
    scroll.viewport().setAutoFillBackground(False)
    content.setAutoFillBackground(False)
    return scroll
