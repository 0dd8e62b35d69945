"""Pictures of results on their way to files: those that are still drawn at once, the others as the engine draws them again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path, PurePath

from PySide6.QtCore import QObject, Signal

from capt_engine.errors import CaptError
from capt_engine.files import write_atomic
from capt_engine.records import (
    AnalyzeRequest,
    Failure,
    PictureRow,
    PictureSet,
    RowsReady,
    SignedScale,
    amplified,
    values_csv,
)
from capt_gui.bridge import About, Bridge
from capt_gui.images import png_bytes, to_image
from capt_gui.translate import spoken
from capt_gui.view_models.explore.gallery_item import Item
from capt_gui.view_models.explore.gallery_model import GalleryModel, has_two_sets
from capt_gui.view_models.navigation import EXPLORE
from capt_gui.view_models.one_job import OneJob

SEEN, ADVERSARIAL, COLOURS, AMPLIFIED, VALUES = "seen", "adversarial", "perturbation", "amplified", "values"
KINDS = (SEEN, ADVERSARIAL, COLOURS, AMPLIFIED, VALUES)


@dataclass(frozen=True)
class Wanted:
    """The files that are wanted. kinds: of KINDS. factor: by how much an AMPLIFIED perturbation is multiplied.

    folder: where they go. replaces: files of these names are replaced; otherwise they are kept as they are.
    """

    folder: Path
    kinds: tuple[str, ...] = (SEEN, ADVERSARIAL)
    factor: int = 10
    replaces: bool = False


@dataclass(frozen=True)
class Saved:
    """The end of an export: how many files were written, how many were there already, and how many pictures could not be drawn."""

    folder: Path
    written: int
    kept: int
    failed: int


class PictureExport(OneJob):
    """Writes the pictures of many results, one after the other. `progressed(done, total)`, then `finished(Saved)` or `failed(Failure)`."""

    progressed = Signal(int, int)
    finished = Signal(object)
    failed = Signal(object)

    def __init__(self, bridge: Bridge, gallery: GalleryModel, parent: QObject | None = None) -> None:
        super().__init__(bridge, parent)
        self._gallery = gallery
        self._wanted = Wanted(Path())
        self._stems: dict[str, str] = {}
        self._open: dict[str, None] = {}
        self._requests: list[AnalyzeRequest] = []
        self._total = 0
        self._counts = {"written": 0, "kept": 0, "failed": 0}

    def names(self, items: Sequence[Item], wanted: Wanted) -> list[str]:
        """Return the names of the files that `start` would write for these pictures."""
        stems = _stems(items)
        return [name for item in items for name in _names(stems[item.path], item, wanted)]

    def start(self, items: Sequence[Item], wanted: Wanted) -> None:
        """Write the pictures of these results that are wanted; those without a result are passed over.

        An export that is under way is given up; files that it has written stay.
        """
        self._abandon()
        usable = [item for item in items if item.request is not None and item.failure is None]
        self._wanted, self._stems = wanted, _stems(usable)
        self._open = dict.fromkeys(item.path for item in usable)
        self._counts = dict.fromkeys(self._counts, 0)
        self._total = len(usable)
        try:
            wanted.folder.mkdir(parents=True, exist_ok=True)
            for item in usable:
                if self._gallery.is_drawn(item.path):
                    self._write(item, partial(self._gallery.pictures, item.path))
        except (CaptError, OSError) as problem:
            self._give_up(problem)
            return
        waiting = [item for item in usable if item.path in self._open]
        self._requests = _requests(waiting)
        self._go_on()

    def stop(self) -> None:
        """Stop the export; files that are written stay."""
        self._requests = []
        self._abandon()
        self._end()

    def on_rows(self, event: RowsReady) -> None:
        """Write the pictures of rows that the engine has drawn again."""
        try:
            for path, group in groupby(event.rows, lambda row: row.path):
                item = self._gallery.item(path)
                rows = [row for row in group if isinstance(row, PictureRow) and row.pictures is not None]
                if item is None or path not in self._open or not rows:
                    continue
                drawn = dict(zip("ab", (row.pictures for row in rows), strict=False))
                self._write(item, drawn.get)
        except (CaptError, OSError) as problem:
            self._requests = []
            self._abandon()
            self._give_up(problem)

    def on_failed(self, failure: Failure) -> None:
        """Emit `failed`, as the engine could not draw the pictures."""
        self._requests = []
        self.failed.emit(failure)

    def on_finished(self) -> None:
        """Have the pictures of the next settings drawn, or emit `finished`."""
        self._go_on()

    def _go_on(self) -> None:
        self.progressed.emit(self._total - len(self._open), self._total)
        if not self._requests:
            self._end()
            return
        self._run(
            self._requests.pop(0),
            About(EXPLORE, title=self.tr("Draw pictures to save"), is_fleeting=True),
            news=self.on_rows,
            finished=self.on_finished,
            failed=self.on_failed,
            cancelled=self.on_cancelled,
        )

    def on_cancelled(self) -> None:
        """End the export where it is, as somebody stopped its job."""
        self._requests = []
        self._end()

    def _end(self) -> None:
        self.finished.emit(Saved(self._wanted.folder, self._counts["written"], self._counts["kept"], len(self._open)))

    def _give_up(self, problem: CaptError | OSError) -> None:
        if isinstance(problem, CaptError):
            self.failed.emit(Failure(type(problem).__name__, spoken(problem.message), spoken(problem.hint)))
        else:
            words = self.tr("The folder cannot be used: {}").format(problem.strerror or problem)
            self.failed.emit(Failure("CannotWrite", words, self.tr("Choose another folder.")))

    def _write(self, item: Item, drawn: Callable[[str], PictureSet | None]) -> None:
        """Write the wanted files of one picture."""
        self._open.pop(item.path, None)
        for side in _sides(item):
            pictures = drawn(side)
            if pictures is None:
                continue
            for kind in self._wanted.kinds:
                if kind != SEEN and not _is_attacked(item):
                    continue
                if kind == SEEN and side == "b":
                    continue
                path = self._wanted.folder / _name(self._stems[item.path], kind, side, item, self._wanted.factor)
                if path.exists() and not self._wanted.replaces:
                    self._counts["kept"] += 1
                    continue
                write_atomic(path, _content(kind, pictures, self._wanted.factor), durable=False)
                self._counts["written"] += 1
        self.progressed.emit(self._total - len(self._open), self._total)


def _content(kind: str, pictures: PictureSet, factor: int) -> bytes:
    change = pictures.perturbation
    if kind == VALUES:
        return values_csv(change).encode()
    picture = {
        SEEN: lambda: pictures.seen,
        ADVERSARIAL: lambda: pictures.adversarial,
        COLOURS: lambda: SignedScale(change.scale).draw(change),
        AMPLIFIED: lambda: amplified(change, factor),
    }[kind]()
    return png_bytes(to_image(picture))


def _is_attacked(item: Item) -> bool:
    return item.request is not None and item.request.attack is not None


def _sides(item: Item) -> str:
    return "ab" if has_two_sets(item) else "a"


def _name(stem: str, kind: str, side: str, item: Item, factor: int) -> str:
    aimed = f"-{side}" if kind != SEEN and has_two_sets(item) else ""
    word = {AMPLIFIED: f"perturbation-x{factor}", VALUES: "perturbation"}.get(kind, kind)
    return f"{stem}-{word}{aimed}.{'csv' if kind == VALUES else 'png'}"


def _names(stem: str, item: Item, wanted: Wanted) -> Iterable[str]:
    kinds = [kind for kind in wanted.kinds if kind == SEEN or _is_attacked(item)]
    return dict.fromkeys(
        _name(stem, kind, side, item, wanted.factor)
        for side in _sides(item)
        for kind in kinds
        if kind != SEEN or side == "a"
    )


def _stems(items: Sequence[Item]) -> dict[str, str]:
    """A name without ending for each picture; those of one name in several folders get a number."""
    stems: dict[str, str] = {}
    taken: set[str] = set()
    for item in items:
        plain = PurePath(item.path).stem or "picture"
        stem, number = plain, 2
        while stem.casefold() in taken:
            stem, number = f"{plain}-{number}", number + 1
        taken.add(stem.casefold())
        stems[item.path] = stem
    return stems


def _requests(items: Sequence[Item]) -> list[AnalyzeRequest]:
    """The requests that draw these pictures again: one for all that were made with the same settings."""
    groups: dict[AnalyzeRequest, list[str]] = {}
    for item in items:
        if item.request is not None:
            groups.setdefault(item.request, []).append(item.path)
    return [
        replace(request, paths=tuple(paths), options=replace(request.options, with_pictures=True))
        for request, paths in groups.items()
    ]
