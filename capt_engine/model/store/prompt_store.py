"""The prompt checkpoints that can be chosen by name: those that ship with the program, and the user's own."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from capt_engine import trash
from capt_engine.errors import BadCheckpoint, BadRequest
from capt_engine.files import move_new, sha256
from capt_engine.folders import data_dir
from capt_engine.model.checkpoints import Document, plain_sentence, read, read_document, save
from capt_engine.model.prompts import Prompts
from capt_engine.model.store import install_record
from capt_engine.records import NO_PROMPTS, PromptsInfo
from capt_engine.resources import resource

SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Entry:
    """One file of the store: its name, and what it says of itself, or what is wrong with it."""

    id: str
    path: Path
    bundled: bool
    document: Document | None
    problem: str = ""

    @property
    def info(self) -> PromptsInfo | None:
        """Return this entry as the window lists it; None for a file that cannot be used."""
        return None if self.document is None else described(self.id, self.document, bundled=self.bundled)


def own_folder() -> Path:
    """Return the folder of the user's own prompt checkpoints, there or not."""
    return data_dir() / "prompts"


def entries() -> list[Entry]:
    """Return an entry for each prompts file, bundled ones first, then the user's; a damaged one says its problem."""
    found: dict[str, Entry] = {}
    for folder, bundled in ((resource("prompts"), True), (own_folder(), False)):
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            # A file of the user's with the name of a bundled one is reached by its path.
            name = str(path) if path.stem in found else path.stem
            try:
                found[name] = Entry(name, path, bundled, read_document(path))
            except BadCheckpoint as error:
                found[name] = Entry(name, path, bundled, None, str(error))
    return list(found.values())


def install(name: str, prompts: Prompts, document: Document) -> str:
    """Save prompts and their document under a name among the user's own, with an install record; return the name.

    Raises BadRequest where the name is taken or cannot be a file name; nothing is replaced.
    """
    install_record.checked_name(name, tuple(entry.id for entry in entries() if entry.bundled))
    folder = own_folder()
    staged, note = folder / f".{name}.importing", note_of(folder / f"{name}{SUFFIX}")
    try:
        save(staged, prompts, document)
        move_new(staged, folder / f"{name}{SUFFIX}")
        facts = {key: value for key, value in document.settings.items() if key in ("imported_from", "imported_sha256")}
        install_record.remember(note, (folder / f"{name}{SUFFIX}",), {"prompts": name, **facts})
    finally:
        install_record.discard(staged)
    return name


def note_of(path: Path) -> Path:
    """Return the path of the install record beside the prompts file `path`."""
    return path.with_name(f"{path.stem}.{install_record.INSTALLED}")


def remove(name: str) -> Path:
    """Delete the user's own prompts called `name` with their install record for good, and return the path that they had.

    Raises BadRequest for prompts that ship with the program or are not installed.
    """
    path = _removable(name)
    install_record.discard(path)
    install_record.discard(note_of(path))
    return path


def discard(name: str) -> Path:
    """Move the user's own prompts into the trash of their folder, from which `put_back` brings them; return their place.

    Raises BadRequest as `remove` does.
    """
    path = _removable(name)
    return trash.discard_files((path, note_of(path)), name)


def put_back(name: str) -> None:
    """Move the prompts that were called `name` back from the trash; raises BadRequest where they are no longer there."""
    trash.put_back_files(own_folder(), name)


def _removable(name: str) -> Path:
    if not _is_own(name):
        is_bundled = any(entry.bundled and entry.id == name for entry in entries())
        what = "ships with the program" if is_bundled else "is not installed"
        raise BadRequest(f"{name!r} {what}.", "`capt prompts list` shows what can be removed: your own.")
    return own_folder() / f"{name}{SUFFIX}"


def _is_own(name: str) -> bool:
    return Path(name).name == name and (own_folder() / f"{name}{SUFFIX}").is_file()


def find(name: str) -> Path:
    """Return the path of the prompts file for `name`, a name that `capt prompts list` shows, or a path.

    Raises BadCheckpoint where there is no such file.
    """
    path = Path(name)
    if path.suffix == SUFFIX or path.parent != Path():
        if not path.is_file():
            raise BadCheckpoint(
                f"There is no prompts file {name!r}.", "Check its name; `capt prompts list` shows those installed."
            )
        return path
    known = {entry.id: entry.path for entry in entries()}
    if name not in known:
        near = get_close_matches(name, [*known, NO_PROMPTS], n=1)
        offered = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join([*known, NO_PROMPTS])}, or name a file."
        raise BadCheckpoint(f"There is no prompt checkpoint called {name!r}.", offered)
    return known[name]


def verified(name: str) -> dict[str, str]:
    """Read the prompts file called `name` (or at that path) whole, and return its SHA-256 by its file name.

    Raises BadCheckpoint where the file is missing, damaged, or changed since it was installed.
    """
    path = find(name)
    read(path)
    note = note_of(path)
    if note.is_file() and install_record.changed(note):
        raise BadCheckpoint(
            f"{path.name!r} was changed since it was installed.", "If that was not you, remove it and import it again."
        )
    return {path.name: sha256(path)}


def described(name: str, document: Document, *, bundled: bool = False) -> PromptsInfo:
    """Make the list entry of prompts from their document: name, summary, model, method, classes, template.

    bundled: True if they ship with the program.
    """
    shots = document.settings.get("shots")
    often = f"{shots} pictures per class" if isinstance(shots, int) else "all pictures"
    label = str(document.settings.get("label") or document.method.upper())
    summary = f"{label}, {often} of {len(document.classes)} classes, for {document.backbone.id}."
    if "imported_from" in document.settings:
        summary = f"{label}, from {document.settings['imported_from']}, for {document.backbone.id}."
    return PromptsInfo(
        name, name, summary, document.backbone.id, document.method, document.classes, plain_sentence(document), bundled
    )
