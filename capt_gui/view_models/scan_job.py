"""Labelled pictures: the scan, the small views that it sends, and then which pictures each class has."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal

from capt_engine.records import PreviewsReady, ScanRequest, ScanResult, SplitRequest, SplitResult
from capt_gui.bridge import About, Bridge, Job
from capt_gui.view_models.data_warnings import Notice
from capt_gui.view_models.navigation import EVALUATE
from capt_gui.view_models.one_job import OneJob
from capt_gui.view_models.thumbnail_loader import SIZE, ThumbnailLoader

# so many small views of each class come with the scan
STRIP = 4


class ScanJob(OneJob):
    """At most one scan at a time, and what it found. page: the key of the page that shows it.

    Signals: `changed`: the result, or what is known of its pictures; `running_changed`; `progress_changed(done, total, text)`;
    `failed(Failure)`: the pictures could not be looked through.
    """

    changed = Signal()
    running_changed = Signal(bool)
    progress_changed = Signal(int, int, str)
    failed = Signal(object)
    page = EVALUATE

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(bridge, parent)
        self._listing: Job | None = None
        self._class_of: dict[str, str] = {}
        # usable pictures by use ("" for any) and by class, in the order of the data set; empty until the inventory has been read
        self._by_use: dict[str, dict[str, tuple[str, ...]]] = {}
        self._usable: dict[str, int] = {}
        self._notices: tuple[Notice, ...] = ()
        self.result: ScanResult | None = None
        self.thumbnails = ThumbnailLoader(bridge, self)

    @property
    def pictures(self) -> dict[str, tuple[str, ...]]:
        """The paths of the usable pictures, by name of their class; empty until they have been listed."""
        return self._by_use.get("", {})

    def class_of(self, path: str) -> str:
        """Return the name of the class that the picture at `path` is labelled as; "" while it is not known."""
        return self._class_of.get(path, "")

    def usable(self, name: str) -> int:
        """Return the number of usable pictures of the class called `name`: readable, in the chosen part, not left out.

        The parts are train, validation and test, where the data set has them.
        """
        return self._usable.get(name, 0)

    def notices(self) -> tuple[Notice, ...]:
        """Return the warnings about the scanned pictures, those that forbid going on first."""
        return self._notices

    def start(self, data: tuple[str, ...], keep: str, model: str = "", template: str = "") -> None:
        """Have the engine look through labelled pictures; a call while a scan is under way does nothing.

        data: paths, each of a folder with one folder per class or of a CSV file of pictures and labels.
        keep: the folder in which the scan writes its inventory, a CSV file that lists each picture with
        class, size and SHA-256. model: the id of the model whose limit of tokens the class names are
        checked against, "" for no check. template: the sentence that stands around a name in that check; ""
        takes the one that the data bring (a file template.txt, a column), else "a photo of a {}.".
        """
        if self.is_running:
            return
        self._run(
            ScanRequest(data, model=model, template=template, keep=keep, thumbnails=STRIP, size=SIZE),
            # its result is the page itself; beside what is then done with the pictures it would be a second entry for one drop
            About(self.page, again=partial(self.start, data, keep, model, template), is_fleeting=True),
            news=self.on_news,
            progressed=self.on_progressed,
            finished=self.on_scanned,
            failed=self.failed,
            ended=self.on_ended,
        )
        self.progress_changed.emit(0, 0, self.tr("Waiting for the engine…"))
        self.running_changed.emit(True)

    def list_pictures(self, *, own_parts: bool = False) -> None:
        """Ask the engine for the paths of the usable pictures in each class; nothing happens before a scan is done.

        own_parts: keep the data set's own train, validation and test parts apart.
        """
        if self.result is not None and self.result.inventory:
            if self._listing is not None:
                self._listing.abandon()
            request = SplitRequest(
                self.result.inventory, shots=None, val_share=0.0, test_share=0.0, own_parts=own_parts
            )
            self._listing = self._bridge.run(request, finished=self.on_listed)

    def forget(self) -> None:
        """Cancel the scan, and forget its result, pictures and thumbnails, because other pictures are to come."""
        was_running = self.is_running
        self._abandon()
        if self._listing is not None:
            self._listing.abandon()
        self.result, self._class_of, self._by_use = None, {}, {}
        self.thumbnails.forget()
        self._count()
        if was_running:
            self.running_changed.emit(False)

    def on_news(self, event: PreviewsReady) -> None:
        """Keep the thumbnails that the engine sends while it scans."""
        self.thumbnails.put(event.previews)

    def on_progressed(self) -> None:
        """Emit `progress_changed` with the scan's present numbers and line of text."""
        self.progress_changed.emit(*self.progress)

    def on_scanned(self, found: ScanResult) -> None:
        """Keep the result of the scan."""
        self.result = found

    def on_listed(self, listed: SplitResult) -> None:
        """Keep the paths of the usable pictures by class and by use (train, val, test, unused), and emit `changed`."""
        found: dict[str, dict[str, list[str]]] = {}
        for one in listed.pictures:
            self._class_of[one.path] = one.class_name
            for use in ("", one.use):
                found.setdefault(use, {}).setdefault(one.class_name, []).append(one.path)
        self._by_use = {use: {name: tuple(paths) for name, paths in classes.items()} for use, classes in found.items()}
        self._count()
        self.changed.emit()

    def on_ended(self) -> None:
        """Emit `running_changed(False)` and `changed`, after the scan was done, failed or was cancelled."""
        self.running_changed.emit(False)
        self.changed.emit()

    def _count(self) -> None:
        """Renew what follows from the result and its pictures."""

    def _block(self) -> str:
        """Why these pictures cannot be used, in a sentence; empty when they can."""
        return next((notice.message for notice in self._notices if notice.kind == "block"), "")
