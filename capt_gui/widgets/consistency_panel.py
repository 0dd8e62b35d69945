"""The measurements of one picture and its attacked double, of one set of prompts or of two."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from capt_engine.records import Bar, BarChart, MetricInfo
from capt_gui.theme import Theme
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.metric_tile import MetricTile, is_closed, value_column
from capt_gui.widgets.painting import PaintedWidget
from capt_gui.widgets.side_badge import SIDES, draw_side

_NARROW = 480
# with two values in each row, width from which two columns of rows fit
_ROOM_FOR_PAIRS = 760
_BADGE = 18


class ConsistencyPanel(QWidget):
    """Label, value, unit and a small meter for each metric; the sentence below explains the one pointed at."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tiles: list[MetricTile] = []
        self._pair = False
        self._columns = 0
        self._headers = (_Header(theme), _Header(theme))
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(2)
        self._help = text(role="caption")
        self._help.setIndent(8)
        self._help.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._help.setMinimumHeight(2 * self._help.fontMetrics().lineSpacing() + 2)
        for column, header in enumerate(self._headers):
            self._grid.addWidget(header, 0, column)
            self._grid.setColumnStretch(column, 1)
        fill(QVBoxLayout(self), self._grid, self._help, None)
        self.clear()

    def set_metrics(self, infos: tuple[MetricInfo, ...], values: dict[str, float]) -> None:
        """Show those metrics of `infos` whose name has a value in `values`, first those with a meter (closed scale)."""
        self._show(infos, (values,))

    def set_pair(self, infos: tuple[MetricInfo, ...], a: dict[str, float], b: dict[str, float]) -> None:
        """Show metrics of two variants (models with their prompts), A and B, beside each other, the better value marked.

        a, b: the values by the metric's name; metrics of `infos` that neither has are left out.
        """
        self._show(infos, (a, b))

    def clear(self) -> None:
        """Remove all metrics and show the sentence of the empty state."""
        self._show((), ({},))

    def shown(self) -> dict[str, str]:
        """Return the text of each shown metric (value and unit) by its label; of two compared models both, as "A | B"."""
        return {tile.info.label: " | ".join(tile.texts) for tile in self._tiles}

    def better(self) -> dict[str, str]:
        """Return which of two compared models has the better value, "a" or "b", by the metric's label, where one has."""
        return {tile.info.label: SIDES[tile.better] for tile in self._tiles if tile.better is not None}

    def record(self) -> BarChart | None:
        """Return the shown metrics as the values of a bar chart, for saving it to a file; None while there are none."""
        bars = tuple(
            Bar(f"{tile.info.label} [{tile.info.unit}]" if tile.info.unit else tile.info.label, value, series=side)
            for tile in self._tiles
            for side, value in enumerate(tile.values)
        )
        caption, shown = self.tr("Consistency of the clean and the attacked answer"), self.shown().items()
        alt = f"{caption}: {'; '.join(f'{name} {value}' for name, value in shown)}."
        series = tuple(side.upper() for side in SIDES) if self._pair else ()
        axis = self.tr("value, in the unit of each measurement")
        return BarChart(caption, bars, alt, percent=False, series=series, x_title=axis) if bars else None

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange the metrics for the new width: in a narrow panel in one column, or with labels above values."""
        super().resizeEvent(event)
        self._arrange()

    def _show(self, infos: tuple[MetricInfo, ...], sides: tuple[dict[str, float], ...]) -> None:
        self._remove_tiles()
        self._columns = 0
        self._pair = len(sides) > 1
        present = [info for info in infos if any(info.name in values for values in sides)]
        # Two sides are read as a table: in the order of the catalogue, which begins with the margins.
        for info in present if self._pair else sorted(present, key=lambda info: not is_closed(info)):
            tile = MetricTile(self._theme, info, tuple(values.get(info.name, math.nan) for values in sides))
            tile.pointed_at.connect(self._help.setText)
            tile.moved.connect(self._on_moved)
            # One tab stop for the whole panel: it is wherever the arrow keys were last.
            first = not self._tiles
            tile.setFocusPolicy(Qt.FocusPolicy.StrongFocus if first else Qt.FocusPolicy.ClickFocus)
            self._tiles.append(tile)
        self._arrange()
        hint = self.tr("Point at a measurement to read what it says.")
        self._help.setText(hint if self._tiles else self._empty_text())

    def _arrange(self) -> None:
        columns = 1 if self._pair and self.width() < _ROOM_FOR_PAIRS else 2
        # Down the left column first, so that related metrics stay under each other as in the catalogue.
        rows = math.ceil(len(self._tiles) / columns)
        for number, tile in enumerate(self._tiles):
            if columns != self._columns:
                self._grid.addWidget(tile, 1 + number % rows, number // rows)
            tile.set_stacked(not self._pair and self.width() < _NARROW)
        self._columns = columns
        self._grid.setColumnStretch(1, columns - 1)
        for column, header in enumerate(self._headers):
            header.setVisible(self._pair and column < columns)

    def _empty_text(self) -> str:
        return self.tr("How far clean and attacked answers agree appears here.")

    def _remove_tiles(self) -> None:
        for tile in self._tiles:
            self._grid.removeWidget(tile)
            tile.hide()
            tile.deleteLater()
        self._tiles = []

    def _on_moved(self, step: int) -> None:
        tile = self.sender()
        if isinstance(tile, MetricTile) and tile in self._tiles:
            target = min(max(self._tiles.index(tile) + step, 0), len(self._tiles) - 1)
            tile.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            self._tiles[target].setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self._tiles[target].setFocus(Qt.FocusReason.OtherFocusReason)


class _Header(PaintedWidget):
    """The marks of A and B over their columns of values."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(180, _BADGE + 4)

    def draw(self, painter: QPainter) -> None:
        column = value_column(self._theme)
        for number, side in enumerate(SIDES):
            # the right edge of the figures, as the tiles place it
            right = self.width() - 8 - (1 - number) * column - 16
            draw_side(painter, QRectF(right - _BADGE, 2, _BADGE, _BADGE), self._theme, side)
