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
        """Return the thumbnail of the picture at `path`; None while there is none, and the engine is soon asked for it.

        A picture that could not be read is not asked for again.
        """
        if path in self._known:
            return self._thumbnails.get(path)
        if path not in self._broken:
            self._wanted.pop(path, None)
            self._wanted[path] = None
            if not self.is_running and not self._timer.isActive():
                self._timer.start()
        return None

    def put(self, previews: tuple[Preview | FailedPicture, ...]) -> None:
        """Keep thumbnails that another job brought, remember unreadable pictures, and emit `arrived` with all paths."""
        for preview in previews:
            self._wanted.pop(preview.path, None)
            if isinstance(preview, FailedPicture):
                self._broken.add(preview.path)
            else:
                self._thumbnails.put(preview.path, preview.thumbnail)
                self._known.add(preview.path)
        self.arrived.emit([preview.path for preview in previews])

    def forget(self) -> None:
        """Cancel the loading, and forget all thumbnails and all paths still to be loaded."""
        self._timer.stop()
        self._abandon()
        self._wanted.clear()
        self._known.clear()
        self._broken.clear()
        self._thumbnails.clear()

    def on_due(self) -> None:
        """Ask the engine for the 48 thumbnails that `get` was asked for last, and forget the older paths still missing.

        Nothing happens when none is missing or the window has closed.
        """
        if self._bridge.is_closed or not self._wanted:
            return
        paths = tuple(reversed(self._wanted))[:AT_ONCE]
        self._wanted.clear()
        self._run(PreviewRequest(paths, SIZE), news=self.on_news, ended=self.on_ended)

    def on_news(self, event: PicturesFound | PreviewsReady) -> None:
        """Keep the thumbnails that the engine sends, and emit `arrived`; its other events are passed over."""
        if isinstance(event, PreviewsReady):
            self.put(event.previews)

    def on_ended(self) -> None:
        """Start the wait of 60 milliseconds before the next job, if more thumbnails were wanted meanwhile."""
        if self._wanted:
            self._timer.start()
