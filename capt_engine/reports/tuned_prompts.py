"""Tuned prompts under their own name: on the program's store, or in a folder of their own with a model card and a manifest."""

from __future__ import annotations

import re
import tempfile
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePath

from capt_engine.errors import BadRequest
from capt_engine.files import new_folder, refused, sha256, write_atomic
from capt_engine.model.checkpoints import Document, read, save
from capt_engine.model.store.prompt_store import SUFFIX, described, entries, own_folder
from capt_engine.progress import Progress
from capt_engine.records import NO_PROMPTS, SaveTunedRequest, TunedSaved, TuneRequest
from capt_engine.reports.model_card import card
from capt_engine.reports.sections.context import ReportContext
from capt_engine.runs.command_line import command_of
from capt_engine.runs.manifest import as_json, now
from capt_engine.runs.run_folder import refuse_unless_free
from capt_engine.runs.tuning_text import request_of
from capt_engine.runs.versions import versions

CARD, MANIFEST = "README.md", "manifest.json"
FORMAT = 1
_LONGEST_SLUG = 60
# Names that Windows keeps for devices, and the one that stands for plain text.
_TAKEN = {NO_PROMPTS, "con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(10))}


@dataclass(frozen=True)
class _Named:
    """Prompts with their name: the document, the file's bytes, and the request that makes the same."""

    slug: str
    document: Document
    content: bytes
    made_by: TuneRequest


def save_tuned(request: SaveTunedRequest, progress: Progress) -> TunedSaved:
    """Save tuned prompts under the name, notes and licence in `request`: in the program's store, a new folder, or both.

    The learned values are not touched, and nothing is ever written over. progress: called with (done, total, words).
    Raises BadRequest where the name is empty or taken, the folder is not empty, or a run to be quoted measured other
    prompts, and BadCheckpoint where the source is no checkpoint, with nothing written; CannotWrite where the disk
    refuses.
    """
    if not request.name.strip():
        raise BadRequest("The prompts have no name.", "Give them one.")
    progress(0, 3, "reading the prompts")
    source = Path(request.source)
    named = _named(request, source)
    store = own_folder() / f"{named.slug}{SUFFIX}" if request.in_store or not request.folder else None
    folder = Path(request.folder) if request.folder else None
    if store is not None:
        _refuse_taken(named.slug, store)
    if folder is not None:
        refuse_unless_free(folder, resume=False)
    progress(1, 3, "reading the evaluations")
    measured = [_measured(Path(run), sha256(source)) for run in request.runs]
    progress(2, 3, "writing")
    files: list[Path] = []
    if folder is not None:
        files += _into_folder(folder, request.name.strip(), named, measured)
    if store is not None:
        write_atomic(store, named.content)
        files.append(store)
    where = named.slug if store is not None else str(files[0])
    return TunedSaved(described(where, named.document), tuple(map(str, files)), command_of(named.made_by))


def slug(name: str) -> str:
    """Return `name` as the name of a file: lower-case letters and digits of any script, joined by hyphens.

    It has at most 60 characters. An empty one becomes "prompts"; a reserved one, such as "none" or "con", gets
    "-prompts" behind it.
    """
    plain = unicodedata.normalize("NFKC", name).casefold()
    found = re.sub(r"[^\w]+|_+", "-", plain).strip("-")[:_LONGEST_SLUG].strip("-")
    return f"{found}-prompts".lstrip("-") if not found or found in _TAKEN else found


def _named(request: SaveTunedRequest, source: Path) -> _Named:
    checkpoint = read(source)
    document = checkpoint.document
    # Without a request of its own, the notes of the file are the run's remarks, which a repetition makes again.
    made_by = request.made_by or request_of(document, request.source)
    notes = "\n".join(note for note in (request.notes.strip(), made_by.notes) if note)
    remarks = document.notes.removeprefix(made_by.notes).removeprefix("\n") if made_by.notes else document.notes
    named = replace(
        document,
        settings={**document.settings, "label": request.name.strip()},
        notes="\n".join(note for note in (notes, remarks) if note),
        licence=request.licence.strip() or document.licence,
    )
    mark = slug(request.name)
    made_by = replace(
        made_by,
        out=f"{mark}{SUFFIX}",
        name=request.name.strip(),
        notes=notes,
        licence=named.licence,
        resume=False,
        stop_after=int(str(document.settings.get("stop_after", 0))),
    )
    with refused(Path(tempfile.gettempdir())), tempfile.TemporaryDirectory() as place:
        path = Path(place) / f"prompts{SUFFIX}"
        save(path, checkpoint.prompts(), named)
        return _Named(mark, named, path.read_bytes(), made_by)


def _refuse_taken(name: str, path: Path) -> None:
    if path.exists() or any(entry.id == name for entry in entries()):
        raise BadRequest(
            f"There are prompts called {name!r} already; they are not written over.", "Choose another name."
        )


def _measured(run: Path, prompts: str) -> ReportContext:
    """A kept evaluation of these prompts; raises BadRequest where it is of others."""
    context = ReportContext.of(run)
    if prompts not in context.run.manifest.prompts_sha256:
        raise BadRequest(
            f"The run in {str(run)!r} measured other prompts than these.", "Choose a run that measured them, or none."
        )
    return context


def _into_folder(folder: Path, name: str, named: _Named, measured: Sequence[ReportContext]) -> list[Path]:
    """All files at once: the folder appears when it is whole."""
    weights = f"{named.slug}{SUFFIX}"
    with new_folder(folder) as partial:
        write_atomic(partial / weights, named.content)
        digest = sha256(partial / weights)
        # What is given away does not say where its maker keeps things.
        away = replace(named.made_by, data=_last(named.made_by.data), data_root=_last(named.made_by.data_root))
        away = replace(away, model=named.document.backbone.id)
        write_atomic(partial / CARD, card(name, named.document, digest, measured, command_of(away)))
        write_atomic(
            partial / MANIFEST,
            as_json(_manifest(named, away, {weights: digest, CARD: sha256(partial / CARD)}, measured)),
        )
    return [folder / one for one in (weights, CARD, MANIFEST)]


def _manifest(
    named: _Named, away: TuneRequest, hashes: Mapping[str, str], measured: Sequence[ReportContext]
) -> dict[str, object]:
    document = named.document
    return {
        "format": FORMAT,
        "kind": "tune",
        "request": asdict(away),
        "command": command_of(away),
        "model": asdict(document.backbone),
        "data": {"name": document.figures.get("data", ""), "sha256": document.data, "classes": list(document.classes)},
        "figures": dict(document.figures),
        "tuned_with": dict(document.versions),
        "saved_with": versions(),
        "saved": now(),
        "files": dict(hashes),
        "evaluations": [
            {
                "id": one.identity(),
                "rows": one.run.manifest.as_written.get("rows"),
                "pictures": one.run.manifest.as_written.get("pictures"),
            }
            for one in measured
        ],
    }


def _last(path: str) -> str:
    return PurePath(path.replace("\\", "/")).name if path else ""
