"""The measurements of one picture and its attacked double."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QEnterEvent,
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from capt_engine.records import MetricInfo
from capt_gui.theme import Theme
from capt_gui.widgets.figures import NO_BREAK, percent, plain
from capt_gui.widgets.painting import draw_focus_ring, elided

_NARROW = 480


class ConsistencyPanel(QWidget):
    """Label, value, unit and a small meter for each metric; the sentence below explains the one pointed at."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tiles: list[_MetricTile] = []
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1)
        self._help = QLabel()
        self._help.setProperty("textRole", "caption")
        self._help.setWordWrap(True)
        self._help.setIndent(8)
        self._help.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._help.setMinimumHeight(2 * self._help.fontMetrics().lineSpacing() + 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(self._grid)
        layout.addWidget(self._help)
        layout.addStretch()
        self.clear()

    def set_metrics(self, infos: tuple[MetricInfo, ...], values: dict[str, float]) -> None:
        """Show the metrics that have a value: first those on a closed scale, with a meter, then the open-ended ones."""
        self._remove_tiles()
        present = [info for info in infos if info.name in values]
        for info in sorted(present, key=lambda info: not _is_closed(info)):
            tile = _MetricTile(self._theme, info, values[info.name])
            tile.pointed_at.connect(self._help.setText)
            tile.moved.connect(self._on_moved)
            self._tiles.append(tile)
        # Down the left column first, so that related metrics stay under each other as in the catalogue.
        half = math.ceil(len(self._tiles) / 2)
        for number, tile in enumerate(self._tiles):
            self._grid.addWidget(tile, number % half, number // half)
            tile.setFocusPolicy(Qt.FocusPolicy.ClickFocus if number else Qt.FocusPolicy.StrongFocus)
        self._arrange()
        hint = self.tr("Point at a measurement to read what it says.")
        self._help.setText(hint if self._tiles else self._empty_text())

    def clear(self) -> None:
        """Show the empty state."""
        self._remove_tiles()
        self._help.setText(self._empty_text())

    def shown(self) -> dict[str, str]:
        """What can be read: the value with its unit, by label."""
        return {tile.info.label: tile.text for tile in self._tiles}

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow card labels stand above their values."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        for tile in self._tiles:
            tile.set_stacked(self.width() < _NARROW)

    def _empty_text(self) -> str:
        return self.tr("How far clean and attacked answers agree appears here.")

    def _remove_tiles(self) -> None:
        for tile in self._tiles:
            self._grid.removeWidget(tile)
            tile.hide()
            tile.deleteLater()
        self._tiles = []

    @Slot(int)
    def _on_moved(self, step: int) -> None:
        tile = self.sender()
        if isinstance(tile, _MetricTile) and tile in self._tiles:
            target = min(max(self._tiles.index(tile) + step, 0), len(self._tiles) - 1)
            # One tab stop for the whole panel: it is wherever the arrow keys were last.
            tile.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            self._tiles[target].setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self._tiles[target].setFocus(Qt.FocusReason.OtherFocusReason)


class _MetricTile(QWidget):
    """One metric: label left, value right, a thin meter below where the scale is closed."""

    pointed_at = Signal(str)
    moved = Signal(int)

    def __init__(self, theme: Theme, info: MetricInfo, value: float) -> None:
        super().__init__()
        self._theme = theme
        self.info = info
        self.text = _with_unit(value, info.unit)
        self._share = _share(info, value)
        # A meter fills from zero, which on a scale from −1 to 1 is its middle.
        self._zero = _share(info, 0.0) or 0.0
        self._hovered = False
        self._stacked = False
        self.setToolTip(info.help)
        self.setAccessibleName(f"{info.label}: {self.text}")
        self.setAccessibleDescription(info.help)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def set_stacked(self, stacked: bool) -> None:
        """Put the label above the value instead of beside it."""
        if stacked != self._stacked:
            self._stacked = stacked
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        label = QFontMetricsF(self._theme.font("caption")).height() if self._stacked else 0.0
        return QSize(180, round(label + QFontMetricsF(self._theme.font("strong")).height()) + 20)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._point(True)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hovered = False
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._point(self._hovered)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
        if step:
            self.moved.emit(step)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("surface_raised"))
            painter.drawRoundedRect(QRectF(self.rect()), 7, 7)
        inner = QRectF(self.rect()).adjusted(8, 6, -8, -8)
        self._paint_words(painter, inner)
        track = QRectF(inner.left(), inner.bottom() - 3, inner.width(), 4)
        painter.setPen(Qt.PenStyle.NoPen)
        if self._share is None:
            painter.setBrush(theme.color("grid"))
            painter.drawRect(QRectF(track.left(), track.bottom() - 1, track.width(), 1))
        else:
            painter.setBrush(theme.color("grid"))
            painter.drawRoundedRect(track, 2, 2)
            painter.setBrush(theme.color("accent"))
            start, end = (track.left() + track.width() * share for share in sorted((self._zero, self._share)))
            if end > start:
                painter.drawRoundedRect(QRectF(start, track.top(), max(end - start, 3), 4), 2, 2)
        if self.hasFocus():
            draw_focus_ring(painter, QRectF(self.rect()), theme, 7)

    def _paint_words(self, painter: QPainter, inner: QRectF) -> None:
        theme, middle = self._theme, Qt.AlignmentFlag.AlignVCenter
        strong, font = theme.font("strong"), theme.font("caption" if self._stacked else "body")
        metrics, strong_metrics = QFontMetricsF(font), QFontMetricsF(strong)
        top = QRectF(inner.left(), inner.top(), inner.width(), metrics.height())
        line = QRectF(inner.left(), inner.top(), inner.width(), strong_metrics.height())
        room = inner.width()
        if self._stacked:
            line.moveTop(top.bottom())
        else:
            top = line
            room -= strong_metrics.horizontalAdvance(self.text) + 12
        painter.setFont(font)
        painter.setPen(theme.color("text_muted"))
        painter.drawText(top, Qt.AlignmentFlag.AlignLeft | middle, elided(metrics, self.info.label, room))
        painter.setFont(strong)
        painter.setPen(theme.color("text"))
        side = Qt.AlignmentFlag.AlignLeft if self._stacked else Qt.AlignmentFlag.AlignRight
        painter.drawText(line, side | middle, self.text)

    def _point(self, hovered: bool) -> None:
        self._hovered = hovered
        self.pointed_at.emit(self.info.help)
        self.update()


def _is_closed(info: MetricInfo) -> bool:
    return (
        info.low is not None and info.high is not None and math.isfinite(info.low) and math.isfinite(info.high)
    ) and info.high > info.low


def _share(info: MetricInfo, value: float) -> float | None:
    """Where the value stands between low and high, from 0 to 1; None on an open scale."""
    if not _is_closed(info) or info.low is None or info.high is None or math.isnan(value):
        return None
    return min(max((value - info.low) / (info.high - info.low), 0.0), 1.0)


def _with_unit(value: float, unit: str) -> str:
    if unit == "%":
        return percent(value)
    if unit == "/255":
        return f"{plain(value * 255)}{NO_BREAK}/255"
    return f"{plain(value)}{NO_BREAK}{unit}" if unit else plain(value)
