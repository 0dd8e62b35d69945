"""The pages of a report in little memory: packed, because paper is mostly white, and scaled when looked at."""

from __future__ import annotations

import zlib
from collections import OrderedDict

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPixmap

from capt_engine.records import Picture
from capt_gui.images import rgb_image

# width : height of a sheet that has not arrived: A4
_A4 = QSize(210, 297)
# the quickest level: a page shrinks from 6.5 MB to some 200 KB in 20 ms
_LEVEL = 1
_SCALED = 10


class PageStore:
    """By number, from 0. A page is unpacked once for each width it is shown at."""

    def __init__(self) -> None:
        self._packed: dict[int, tuple[QSize, bytes]] = {}
        self._scaled: OrderedDict[tuple[int, int], QPixmap] = OrderedDict()
        self.count = 0

    def begin(self, count: int) -> None:
        """Forget all pages; `count` new ones will come."""
        self._packed.clear()
        self._scaled.clear()
        self.count = count

    def put(self, number: int, page: Picture) -> None:
        """Keep the picture of a page, packed, in place of an older one; `number` counts from 0."""
        self._packed[number] = (QSize(page.width, page.height), zlib.compress(page.rgb, _LEVEL))
        for key in [key for key in self._scaled if key[0] == number]:
            del self._scaled[key]

    def shape(self, number: int) -> QSize:
        """Return the page's size in its own pixels; that of A4 in millimetres while the page has not arrived.

        Use only the proportions.
        """
        return self._packed[number][0] if number in self._packed else _A4

    def has(self, number: int) -> bool:
        """Return True if the page of this number, from 0, has arrived."""
        return number in self._packed

    def pixmap(self, number: int, size: QSize, ratio: float) -> QPixmap | None:
        """Return the page of this number, from 0, scaled to `size` in logical pixels; None while it has not arrived.

        ratio: device pixels per logical pixel.
        """
        if number not in self._packed:
            return None
        key = (number, round(size.width() * ratio))
        if key not in self._scaled:
            shape, packed = self._packed[number]
            rgb = zlib.decompress(packed)
            image = rgb_image(rgb, shape.width(), shape.height())
            wanted = QSize(round(size.width() * ratio), round(size.height() * ratio))
            mode = Qt.TransformationMode.SmoothTransformation
            pixmap = QPixmap.fromImage(image.scaled(wanted, Qt.AspectRatioMode.IgnoreAspectRatio, mode))
            pixmap.setDevicePixelRatio(ratio)
            self._scaled[key] = pixmap
            if len(self._scaled) > _SCALED:
                self._scaled.popitem(last=False)
        self._scaled.move_to_end(key)
        return self._scaled[key]
