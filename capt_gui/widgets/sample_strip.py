"""Pictures as a run sees them now: attacked, with the answer before and under the attack."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QFocusEvent,
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from capt_engine.records import Picture, TuneSample
from capt_gui.theme import Theme
from capt_gui.widgets.painting import draw_focus_ring, elided

_SIDE = 66
_GAP = 12
_PAD = 6
_MARK = 14


class SampleStrip(QWidget):
    """As many samples as there is room for; Left and Right move, Space shows the clean picture instead of the attacked one."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._samples: tuple[TuneSample, ...] = ()
        self._images: tuple[tuple[QImage, QImage], ...] = ()
        self._current = 0
        self._clean = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Attacked pictures as the run sees them now"))
        self.setAccessibleDescription(self._empty())
        theme.changed.connect(self.update)

    def set_samples(self, samples: tuple[TuneSample, ...]) -> None:
        """Show these pictures."""
        self._samples = samples
        self._images = tuple((_image(sample.clean), _image(sample.attacked)) for sample in samples)
        self._current = min(self._current, max(len(samples) - 1, 0))
        self._describe()
        self.update()

    def shows_clean(self) -> bool:
        """Return whether the clean pictures are shown."""
        return self._clean

    def sizeHint(self) -> QSize:
        """Six pictures, with two lines of words under them."""
        return QSize(6 * (_SIDE + _GAP) + 2 * _PAD, self._height())

    def minimumSizeHint(self) -> QSize:
        """At least two pictures."""
        return QSize(2 * (_SIDE + _GAP) + 2 * _PAD, self._height())

    def event(self, event: QEvent) -> bool:
        """The tooltip: a sample in words."""
        if isinstance(event, QHelpEvent):
            number = self._number_at(event.pos().x())
            QToolTip.showText(event.globalPos(), "" if number is None else self._words(number), self)
            return True
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring."""
        super().focusInEvent(event)
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Move to the picture under the mouse, and turn all of them over."""
        number = self._number_at(event.position().x())
        if number is not None:
            self._current = number
            self._turn()
        self.setFocus(Qt.FocusReason.MouseFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and Right move; Space turns the pictures over."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if step and self._samples:
            self._current = min(max(self._current + step, 0), self._shown() - 1)
            self._describe()
            self.update()
        elif event.key() == Qt.Key.Key_Space and self._samples:
            self._turn()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The pictures, and under each its class and the answers."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for number in range(self._shown()):
            self._paint_sample(painter, number)
        if not self._samples:
            painter.setFont(self._theme.font("body"))
            painter.setPen(self._theme.color("text_muted"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._empty())
        if self.hasFocus() and not self._samples:
            draw_focus_ring(painter, QRectF(self.rect()), self._theme)

    def _paint_sample(self, painter: QPainter, number: int) -> None:
        theme, sample = self._theme, self._samples[number]
        left = _PAD + number * (_SIDE + _GAP)
        frame = QRectF(left, _PAD, _SIDE, _SIDE)
        path = QPainterPath()
        path.addRoundedRect(frame, 8, 8)
        painter.save()
        painter.setClipPath(path)
        painter.drawImage(frame, self._images[number][0 if self._clean else 1])
        painter.restore()
        small = QFontMetricsF(theme.font("caption"))
        top = frame.bottom() + 5
        for answer, role in ((sample.clean_answer, "clean"), (sample.attacked_answer, "attacked")):
            right = answer == sample.label
            mark = theme.pixmap(
                "check" if right else "close", _MARK - 2, "ok" if right else "broken", self.devicePixelRatioF()
            )
            painter.drawPixmap(QPointF(left, top + (small.height() - _MARK + 2) / 2), mark)
            painter.setFont(theme.font("caption"))
            shown = role == ("clean" if self._clean else "attacked")
            painter.setPen(theme.color("text" if shown else "text_muted"))
            words = elided(small, answer, _SIDE - _MARK - 2)
            painter.drawText(QPointF(left + _MARK + 2, top + small.ascent()), words)
            top += small.height() + 2
        if self.hasFocus() and number == self._current:
            draw_focus_ring(painter, frame.adjusted(-4, -4, 4, 4), theme, 10)

    def _height(self) -> int:
        small = QFontMetricsF(self._theme.font("caption")).height()
        return round(2 * _PAD + _SIDE + 5 + 2 * (small + 2))

    def _shown(self) -> int:
        room = max(int((self.width() - 2 * _PAD + _GAP) // (_SIDE + _GAP)), 1)
        return min(len(self._samples), room)

    def _number_at(self, x: float) -> int | None:
        number = int((x - _PAD) // (_SIDE + _GAP))
        return number if 0 <= number < self._shown() else None

    def _turn(self) -> None:
        self._clean = not self._clean
        self._describe()
        self.update()

    def _describe(self) -> None:
        if not self._samples:
            self.setAccessibleDescription(self._empty())
            return
        kind = self.tr("clean pictures") if self._clean else self.tr("attacked pictures")
        held = sum(sample.attacked_answer == sample.label for sample in self._samples)
        summary = self.tr("{} of {} are answered right under attack.").format(held, len(self._samples))
        self.setAccessibleDescription(f"{summary} {kind}. {self._words(self._current)}")

    def _words(self, number: int) -> str:
        sample = self._samples[number]
        return self.tr("{}: clean answer {}, under attack {}.").format(
            sample.label, sample.clean_answer, sample.attacked_answer
        )

    def _empty(self) -> str:
        return self.tr("Some pictures under attack appear here after each epoch.")


def _image(picture: Picture) -> QImage:
    lines = picture.width * 3
    return QImage(picture.rgb, picture.width, picture.height, lines, QImage.Format.Format_RGB888).copy()
