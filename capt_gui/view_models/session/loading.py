"""Reading a session on the disk's thread: its content, and where its pictures lie now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from capt_engine.session import file, journal, originals
from capt_engine.session.content import Session, SessionPicture
from capt_gui.view_models.session.pictures import Whole
from capt_gui.view_models.session.window_state import Shown, WindowState, plain


@dataclass(frozen=True)
class Loaded:
    """A session that was read. paths: where each picture lies now, "" where that is not known. journal: that it came from, if it did."""

    session: Session
    paths: tuple[str, ...]
    journal: Path | None = None

    @property
    def missing(self) -> tuple[SessionPicture, ...]:
        """The pictures that are not found."""
        return tuple(
            one for one, path in zip(self.session.pictures, self.paths, strict=True) if not path and one.failure is None
        )

    def places(self) -> tuple[str, ...]:
        """Return a path for each picture: where it lies, or where it was."""
        return tuple(path or one.path for one, path in zip(self.session.pictures, self.paths, strict=True))


def load_file(path: Path, scratch: Path) -> Loaded:
    """Read a session's file; pictures that came in it are put into the folder `scratch`. Raises BadRequest."""
    session, near = file.nearby(path)
    session = originals.put_originals(session, scratch)
    return Loaded(session, originals.find(session.pictures, near, path.absolute().parent))


def load_journal(path: Path, scratch: Path) -> Loaded:
    """Read the journal of a window that is gone, as `load_file` reads a file."""
    session = originals.put_originals(journal.read(path), scratch)
    found = originals.find(session.pictures, [""] * len(session.pictures), path.parent, search_too=False)
    return Loaded(session, found, path)


def look_in(loaded: Loaded, folder: Path) -> Loaded:
    """Look in a folder that the user named for the pictures that were not found."""
    return replace(loaded, paths=originals.search(loaded.session.pictures, loaded.paths, folder))


def save(
    path: Path,
    state: WindowState,
    shown: Shown | None,
    gallery: Whole,
    known: dict[str, tuple[int, int, str]],
) -> None:
    """Write a session to the file `path`. known: hashes of files that were read before, which is added to. Raises CannotWrite."""
    values: dict[str, Any] = plain(state)
    place = state.evaluated.place
    values["evaluated"]["near"] = file.near(place, path.absolute().parent) if place else ""
    values["run"] = shown.plain() if shown is not None else {}
    measured = originals.measured(gallery.unpacked(), known)
    file.write_all(path, values, (originals.with_original(one) for one in measured))
