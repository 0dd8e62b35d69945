"""The bar of the symmetric scale that a perturbation is drawn on."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from capt_engine.records import SignedScale, palette
from capt_gui.images import rgb_image
from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.widgets.painting import LEFT, RIGHT, PaintedWidget, draw_text, line_height, rounded, text_width

_BAR = 7.0
_GAP = 8.0
_WIDEST = 220.0
_TICK = 3.0


class SignedBar(PaintedWidget):
    """The colours from −end to +end between the labels of the ends, with ticks at no change; empty without a scale."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._scale: SignedScale | None = None
        self._colours: QImage = rgb_image(palette(), len(palette()) // 3, 1)
        self.setAccessibleName(self.tr("Scale of the perturbation"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_scale(self, scale: SignedScale | None) -> None:
        """Show the bar of `scale`; None leaves the room empty."""
        self._scale = scale
        words = self.tr("from {}, blue, over {}, white, to {}, orange")
        self.setAccessibleDescription(words.format(*scale.labels) if scale is not None else "")
        set_tooltip(self, self.tr("Blue is darker than before, white is unchanged, orange is brighter."))
        self.update()

    def sizeHint(self) -> QSize:
        """Return the preferred size in pixels: as high as a line of small text."""
        return QSize(200, round(line_height(self._theme, "caption")))

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size in pixels, at which the labels alone are left."""
        return QSize(0, self.sizeHint().height())

    def draw(self, painter: QPainter) -> None:
        """Paint the labels and, where there is room between them, the bar."""
        if self._scale is None:
            return
        theme, whole = self._theme, QRectF(self.rect())
        low, _, high = self._scale.labels
        widths = [text_width(theme, "caption", label) for label in (low, high)]
        wanted = min(whole.width(), sum(widths) + 2 * _GAP + _WIDEST)
        whole = QRectF((self.width() - wanted) / 2, 0, wanted, self.height())
        draw_text(painter, whole, low, theme, "caption", "text_muted", LEFT)
        draw_text(painter, whole, high, theme, "caption", "text_muted", RIGHT)
        bar = whole.adjusted(widths[0] + _GAP, 0, -widths[1] - _GAP, 0)
        bar = QRectF(bar.left(), bar.center().y() - _BAR / 2, bar.width(), _BAR)
        if bar.width() < 2 * _BAR:
            return
        painter.save()
        painter.setClipPath(rounded(bar, 3))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(bar, self._colours)
        painter.restore()
        painter.setPen(QPen(theme.color("text_muted"), 1, Qt.PenStyle.SolidLine))
        middle = round(bar.center().x()) + 0.5
        for edge, way in ((bar.top(), -_TICK), (bar.bottom(), _TICK)):
            painter.drawLine(QPointF(middle, edge), QPointF(middle, edge + way))
