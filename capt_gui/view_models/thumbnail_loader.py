"""Small views of pictures, asked of the engine when a view wants to paint them, newest wish first."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from capt_engine.records import FailedPicture, PicturesFound, Preview, PreviewRequest, PreviewsReady
from capt_gui.bridge import Bridge
from capt_gui.view_models.one_job import OneJob
from capt_gui.view_models.thumbnails import Thumbnails

SIZE = 96
AT_ONCE = 48
DELAY_MS = 60


class ThumbnailLoader(OneJob):
    """`get` answers at once, and asks for what is missing; `arrived(paths)` when there is more to paint.

    One small job at a time: what has been scrolled past by then is asked for last, and forgotten when too much has piled up.
    """

    arrived = Signal(list)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(bridge, parent)
        self._thumbnails = Thumbnails()
        self._known: set[str] = set()
        self._broken: set[str] = set()
        self._wanted: dict[str, None] = {}
        self._timer = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._timer.timeout.connect(self.on_due)

    def get(self, path: str) -> QImage | None:
        """The small view; None when there is none, which then will be asked for."""
        if path in self._known:
            return self._thumbnails.get(path)
        if path not in self._broken:
            self._wanted.pop(path, None)
            self._wanted[path] = None
            if not self.is_running and not self._timer.isActive():
                self._timer.start()
        return None

    def put(self, previews: tuple[Preview | FailedPicture, ...]) -> None:
        """Take small views that came by another way."""
        for preview in previews:
            self._wanted.pop(preview.path, None)
            if isinstance(preview, FailedPicture):
                self._broken.add(preview.path)
            else:
                self._thumbnails.put(preview.path, preview.thumbnail)
                self._known.add(preview.path)
        self.arrived.emit([preview.path for preview in previews])

    def forget(self) -> None:
        """Other pictures are coming."""
        self._timer.stop()
        self._abandon()
        self._wanted.clear()
        self._known.clear()
        self._broken.clear()
        self._thumbnails.clear()

    def on_due(self) -> None:
        """Ask for the pictures that were wanted last."""
        if self._bridge.is_closed or not self._wanted:
            return
        paths = tuple(reversed(self._wanted))[:AT_ONCE]
        self._wanted.clear()
        self._run(PreviewRequest(paths, SIZE), news=self.on_news, ended=self.on_ended)

    def on_news(self, event: PicturesFound | PreviewsReady) -> None:
        """Take the pictures that were asked for."""
        if isinstance(event, PreviewsReady):
            self.put(event.previews)

    def on_ended(self) -> None:
        """Ask for what was wanted meanwhile, in a moment."""
        if self._wanted:
            self._timer.start()
