"""Pictures as a run sees them now: attacked, with the answer before and under the attack."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QSizePolicy

from capt_engine.records import TuneSample
from capt_gui.images import to_image
from capt_gui.theme import Theme
from capt_gui.widgets.input import arrow_step
from capt_gui.widgets.painting import PaintedWidget, draw_empty, draw_text, line_height, rounded

_SIDE = 66
_GAP = 12
_PAD = 6
_MARK = 14


class SampleStrip(PaintedWidget):
    """As many samples as there is room for; Left and Right move, Space shows the clean picture instead of the attacked one."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._samples: tuple[TuneSample, ...] = ()
        self._images: tuple[tuple[QImage, QImage], ...] = ()
        self._current = 0
        self._clean = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Attacked pictures as the run sees them now"))
        self.setAccessibleDescription(self._empty())

    def set_samples(self, samples: tuple[TuneSample, ...]) -> None:
        """Show these pictures with label, clean and attacked answer; an empty tuple shows the empty state."""
        self._samples = samples
        self._images = tuple((to_image(sample.clean), to_image(sample.attacked)) for sample in samples)
        self._current = min(self._current, max(len(samples) - 1, 0))
        self._describe()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the preferred size in pixels: six pictures, with two lines of text under them."""
        return QSize(6 * (_SIDE + _GAP) + 2 * _PAD, self._height())

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size in pixels: two pictures, with two lines of text under them."""
        return QSize(2 * (_SIDE + _GAP) + 2 * _PAD, self._height())

    def tooltip_at(self, position: QPointF) -> str:
        """Return the label of, and the models' answers to, the picture at `position`, in pixels of this widget; "" where there is none."""
        number = self._number_at(position.x())
        return "" if number is None else self._sample_text(number)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Make the picture under the mouse current, and switch all pictures between clean and attacked."""
        number = self._number_at(event.position().x())
        if number is not None:
            self._current = number
            self._turn()
        self.setFocus(Qt.FocusReason.MouseFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Make a neighbouring picture current with Left and Right; switch all between clean and attacked with Space."""
        if self._samples and (step := arrow_step(event, across=True)):
            self._current = min(max(self._current + step, 0), self._shown() - 1)
            self._describe()
            self.update()
        elif event.key() == Qt.Key.Key_Space and self._samples:
            self._turn()
        else:
            super().keyPressEvent(event)

    def ring(self) -> QRectF:
        """Return the rectangle of the focus ring: around the current picture, or around the strip while it is empty."""
        return QRectF(self.rect()) if not self._samples else self._frame(self._current).adjusted(-4, -4, 4, 4)

    def draw(self, painter: QPainter) -> None:
        """Paint as many pictures as have room with their two answers below, or the text of the empty state."""
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for number in range(self._shown()):
            self._draw_sample(painter, number)
        if not self._samples:
            draw_empty(painter, QRectF(self.rect()), self._empty(), self._theme)

    def _draw_sample(self, painter: QPainter, number: int) -> None:
        theme, sample, frame = self._theme, self._samples[number], self._frame(number)
        painter.save()
        painter.setClipPath(rounded(frame, 8))
        painter.drawImage(frame, self._images[number][0 if self._clean else 1])
        painter.restore()
        line = QRectF(frame.left(), frame.bottom() + 5, _SIDE, line_height(theme, "caption"))
        for answer, is_shown in ((sample.clean_answer, self._clean), (sample.attacked_answer, not self._clean)):
            name, role = ("check", "ok") if answer == sample.label else ("close", "broken")
            mark = theme.pixmap(name, _MARK - 2, role, self.devicePixelRatioF())
            painter.drawPixmap(QPointF(line.left(), line.center().y() - _MARK / 2 + 1), mark)
            place = line.adjusted(_MARK + 2, 0, 0, 0)
            draw_text(painter, place, answer, theme, "caption", "text" if is_shown else "text_muted")
            line.translate(0, line.height() + 2)

    def _frame(self, number: int) -> QRectF:
        return QRectF(_PAD + number * (_SIDE + _GAP), _PAD, _SIDE, _SIDE)

    def _height(self) -> int:
        return round(2 * _PAD + _SIDE + 5 + 2 * (line_height(self._theme, "caption") + 2))

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
        self.setAccessibleDescription(f"{summary} {kind}. {self._sample_text(self._current)}")

    def _sample_text(self, number: int) -> str:
        sample = self._samples[number]
        return self.tr("{}: clean answer {}, under attack {}.").format(
            sample.label, sample.clean_answer, sample.attacked_answer
        )

    def _empty(self) -> str:
        return self.tr("Some pictures under attack appear here after each epoch.")
