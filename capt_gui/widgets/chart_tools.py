"""The buttons in the corner of a chart, and its context menu: save it, copy it, show everything again."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QCursor
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLayout, QMenu, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.buttons import IconButton
from capt_gui.widgets.input import put_after
from capt_gui.widgets.layout import fill
from capt_gui.widgets.plot_chart import PlotChart

_EDGE = 2
_NEWS = (QEvent.Type.Enter, QEvent.Type.Resize, QEvent.Type.Leave)


class ChartTools(QWidget):
    """Seen while the chart is pointed at or has the focus, and while less than everything of it is in sight. `save_clicked()`.

    copy_clicked: the chart is wanted as a picture on the clipboard; values_clicked: its values, for a spreadsheet.
    corner: where the chart has the least to hide.
    """

    save_clicked = Signal()
    copy_clicked = Signal()
    values_clicked = Signal()

    def __init__(self, theme: Theme, chart: QWidget, corner: Qt.Corner = Qt.Corner.TopRightCorner) -> None:
        super().__init__(chart)
        self._corner = corner
        self._chart = chart
        self._plot = chart if isinstance(chart, PlotChart) else None
        self.save = IconButton(theme, "export", self.tr("Save this chart…"))
        self.whole = IconButton(theme, "zoom-fit", self.tr("Show everything again"))
        layout = fill(QHBoxLayout(self), self.whole, self.save, spacing=0)
        # a button that comes, or is drawn for the first time, makes room for itself
        layout.setSizeConstraint(QLayout.SizeConstraint.SetFixedSize)
        self.save.clicked.connect(self.save_clicked)
        self._menu = QMenu(self)
        self._menu.addAction(self.save.toolTip()).triggered.connect(self.save_clicked)
        self._menu.addAction(self.tr("Copy this chart")).triggered.connect(self.copy_clicked)
        self._menu.addAction(self.tr("Copy its values")).triggered.connect(self.values_clicked)
        self._whole_action = self._menu.addAction(self.whole.toolTip())
        if self._plot is not None:
            self.whole.clicked.connect(self._plot.reset_zoom)
            self._whole_action.triggered.connect(self._plot.reset_zoom)
            self._plot.zoom_changed.connect(self._refresh)
        chart.installEventFilter(self)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._refresh)
        reached = [
            one
            for one in (chart, *chart.findChildren(QWidget))
            if one.focusPolicy() & Qt.FocusPolicy.TabFocus and one.focusProxy() is None and not self.isAncestorOf(one)
        ]
        put_after(reached[-1] if reached else chart, (self.whole, self.save))
        self._refresh()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Show, hide and place the buttons as the mouse enters or leaves the chart, and open the menu when it is asked for.

        Returns True, which stops the event, only for the request of a context menu.
        """
        if event.type() in _NEWS:
            self._refresh()
        elif isinstance(event, QContextMenuEvent):
            self._whole_action.setVisible(self._is_zoomed())
            self._menu.popup(event.globalPos())
            return True
        return False

    def _refresh(self) -> None:
        zoomed = self._is_zoomed()
        self.whole.setVisible(zoomed)
        self.setVisible(zoomed or self._is_pointed_at() or self._has_focus())
        right, bottom = self._chart.width() - self.width() - _EDGE, self._chart.height() - self.height() - _EDGE
        left = self._corner in (Qt.Corner.TopLeftCorner, Qt.Corner.BottomLeftCorner)
        top = self._corner in (Qt.Corner.TopLeftCorner, Qt.Corner.TopRightCorner)
        self.move(_EDGE if left else right, _EDGE if top else bottom)
        self.raise_()

    def _is_zoomed(self) -> bool:
        return self._plot is not None and self._plot.is_zoomed()

    def _is_pointed_at(self) -> bool:
        return self._chart.isVisible() and self._chart.rect().contains(self._chart.mapFromGlobal(QCursor.pos()))

    def _has_focus(self) -> bool:
        focused = self._chart.window().focusWidget()
        return focused is not None and (focused is self._chart or self._chart.isAncestorOf(focused))
