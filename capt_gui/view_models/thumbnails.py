"""Small views of many pictures in little memory: kept as JPEG, unpacked when looked at."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QImage

from capt_engine.records import Picture
from capt_engine.session.thumbnails import decoded_thumbnail
from capt_gui.images import to_image

_QUALITY = 88
# some hundred are in sight at once
_UNPACKED = 256


class Thumbnails:
    """By path; some 5 KB each instead of 100, so that ten thousand pictures fit into 50 MB."""

    def __init__(self) -> None:
        self._packed: dict[str, QByteArray] = {}
        # as they came in somebody's session: decoded as a stranger's picture is, once they are looked at
        self._foreign: dict[str, bytes] = {}
        self._unpacked: OrderedDict[str, QImage] = OrderedDict()

    def put(self, path: str, picture: Picture) -> None:
        """Keep a small picture under the path of its file, packed as JPEG; one kept there before is replaced."""
        image = to_image(picture)
        packed = QByteArray()
        buffer = QBuffer(packed)
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        image.save(buffer, "JPEG", _QUALITY)  # type: ignore[call-overload]  # the stub wants bytes, Qt 6.11 takes str
        # as it grew it took up to twice the room that it needs
        packed.squeeze()
        self._packed[path] = packed
        self._foreign.pop(path, None)
        self._remember(path, image)

    def get(self, path: str) -> QImage | None:
        """Return the thumbnail kept under this path; None when there is none."""
        image = self._unpacked.get(path)
        if image is None and (data := self._foreign.get(path)) is not None:
            picture = decoded_thumbnail(data)
            if picture is None:
                del self._foreign[path]
                return None
            image = to_image(picture)
        if image is None:
            packed = self._packed.get(path)
            if packed is None:
                return None
            image = QImage.fromData(packed)
        self._remember(path, image)
        return image

    def packed(self, path: str) -> QByteArray | None:
        """Return the packed thumbnail kept under this path, for `put_packed`; None when there is none."""
        packed, foreign = self._packed.get(path), self._foreign.get(path)
        return QByteArray(foreign) if foreign is not None else packed

    def put_packed(self, path: str, packed: QByteArray) -> None:
        """Keep a thumbnail that `packed` returned before, here or in somebody's session; bytes of no picture are none."""
        self._foreign[path] = bytes(packed.data())

    def drop(self, path: str) -> None:
        """Forget the thumbnail kept under this path, if there is one."""
        self._packed.pop(path, None)
        self._foreign.pop(path, None)
        self._unpacked.pop(path, None)

    def clear(self) -> None:
        """Forget the thumbnails of all pictures."""
        self._packed.clear()
        self._foreign.clear()
        self._unpacked.clear()

    def _remember(self, path: str, image: QImage) -> None:
        self._unpacked[path] = image
        self._unpacked.move_to_end(path)
        if len(self._unpacked) > _UNPACKED:
            self._unpacked.popitem(last=False)
