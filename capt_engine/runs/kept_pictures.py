"""Pictures that a report will show: while rows stream by, the worst, the best and some drawn by the seed are kept, and no more."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from PIL import Image

from capt_engine.files import write_atomic
from capt_engine.reading import json_if_sound
from capt_engine.records import Picture, PictureRow
from capt_engine.runs.manifest import as_json
from capt_engine.runs.reader import EXAMPLES, example_name, file_of, is_example

INDEX = "examples.json"
KEPT = 4
Role: TypeAlias = Literal["worst", "best", "random"]
ROLES: tuple[Role, ...] = ("worst", "best", "random")


@dataclass(frozen=True)
class Kept:
    """One kept picture in one role; rank: what it was chosen by, smallest first. seen, adversarial: files in the folder."""

    role: Role
    rank: float
    prompt_id: str
    attack: str
    norm: str
    eps: float
    path: str
    sha256: str
    label: str
    clean_pred: str
    clean_conf: float
    adv_pred: str
    adv_conf: float | None
    margin_shift: float | None
    seen: str
    adversarial: str


class KeptPictures:
    """The pictures kept so far. attack, eps: rows of that attack at that budget are looked at ("" where there is no attack)."""

    def __init__(self, folder: Path, *, seed: int, attack: str, eps: float) -> None:
        self._folder, self._seed, self._attack, self._eps = folder, seed, attack, eps
        self._entries = read(folder)
        self._pending: dict[str, Picture] = {}

    def wants(self, row: PictureRow) -> bool:
        """Return True if `row`, with its pictures, would rank among the few that a report shows, of those offered so far."""
        chosen = chosen_of([*self._entries, *(new := self._ranked(row))])
        return any(one in chosen for one in new)

    def offer(self, row: PictureRow) -> None:
        """Keep the clean and adversarial picture of `row` in memory if it ranks among the few that a report shows.

        A row without pictures, or of another attack or budget than the chosen one, is passed over.
        """
        if row.pictures is None:
            return
        for one in self._ranked(row):
            chosen = chosen_of([*self._entries, one])
            if one in chosen:
                self._pending[one.seen] = row.pictures.seen
                if one.adversarial:
                    self._pending[one.adversarial] = row.pictures.adversarial
            self._entries = chosen

    def _ranked(self, row: PictureRow) -> list[Kept]:
        """A row in each role that it can have; none for a row of another attack or budget than the chosen one."""
        attacked = row.attacked
        if (attacked is not None) != bool(self._attack):
            return []
        if row.attack is not None and (row.attacked_by != self._attack or row.threat.eps != self._eps):
            return []
        shift = dict(row.metrics).get("margin_shift")
        drawn = int(hashlib.sha256(f"{self._seed}:{row.sha256}".encode()).hexdigest()[:12], 16)
        ranks: dict[Role, float] = {"random": float(drawn)}
        if shift is not None:
            ranks |= {"worst": shift, "best": -shift}
        stem = hashlib.sha256(f"{row.prompt_id}\n{row.sha256}\n{row.path}".encode("utf-8", "replace")).hexdigest()[:16]
        return [
            Kept(
                role=role,
                rank=rank,
                prompt_id=row.prompt_id,
                attack=self._attack,
                norm=row.threat.norm if self._attack else "",
                eps=row.threat.eps if self._attack else 0.0,
                path=row.path.encode("utf-8", "backslashreplace").decode(),
                sha256=row.sha256,
                label=row.label,
                clean_pred=row.classes[row.clean.winner],
                clean_conf=row.clean.probabilities[row.clean.winner],
                adv_pred="" if attacked is None else row.classes[attacked.winner],
                adv_conf=None if attacked is None else attacked.probabilities[attacked.winner],
                margin_shift=shift,
                seen=f"{stem}_seen.png",
                adversarial=f"{stem}_adversarial.png" if attacked is not None else "",
            )
            for role, rank in ranks.items()
        ]

    def save(self) -> None:
        """Write newly kept pictures and their list to the run folder, and delete picture files no longer needed.

        Nothing is touched where nothing new was kept since the last time. Raises CannotWrite.
        """
        if not self._pending:
            return
        folder = self._folder / EXAMPLES
        needed = files_of(self._entries)
        for name, picture in self._pending.items():
            if name in needed:
                write_picture(folder / name, picture)
        self._pending.clear()
        write(self._folder, self._entries)
        for file in folder.iterdir():
            # The folder may be one that somebody put their own files into: only names of ours go.
            if is_example(file.name) and file.name not in needed:
                file.unlink()


def chosen_of(entries: Iterable[Kept]) -> list[Kept]:
    """Return the pictures that a report shows, of those in `entries`: four for each role and set of prompts.

    A role is "worst", "best" or "random"; a rank says how well a picture fits its role, the smallest number best. The
    four of lowest rank are taken, a picture counting once in each role; the order of `entries` does not matter. The
    result is sorted by prompts, role and rank.
    """
    groups: dict[tuple[str, str], dict[str, Kept]] = {}
    for one in entries:
        groups.setdefault((one.prompt_id, one.role), {})[one.sha256 + one.path] = one
    return [
        one
        for (_, _), found in sorted(groups.items(), key=lambda item: (item[0][0], ROLES.index(item[0][1])))
        for one in sorted(found.values(), key=lambda one: (one.rank, one.sha256, one.path))[:KEPT]
    ]


def files_of(entries: Iterable[Kept]) -> set[str]:
    """Return the names of the picture files, clean and adversarial, that `entries` refer to."""
    return {name for one in entries for name in (one.seen, one.adversarial) if name}


def read(folder: Path) -> list[Kept]:
    """Read which pictures the run in `folder` keeps for its report, from its examples.json.

    The list is empty where there is no such file, or none that can be read. Raises BadRequest where it names a file that
    is no kept picture, such as one in another folder: then nothing in the folder is to be trusted.
    """
    path = file_of(folder, INDEX)
    entries = [] if path is None else json_if_sound(path, list[Kept], finite=True) or []
    for name in files_of(entries):
        example_name(name)
    return chosen_of(entries)


def write(folder: Path, entries: Iterable[Kept]) -> None:
    """Write `entries`, the pictures that a report will show, to examples.json in the run folder `folder`.

    An older list is replaced, as a whole or not at all; raises CannotWrite.
    """
    write_atomic(folder / INDEX, as_json([asdict(one) for one in entries]))


def write_picture(path: Path, picture: Picture) -> None:
    """Write `picture` to the PNG file `path`, over what is there, as a whole or not at all; raises CannotWrite."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (picture.width, picture.height), picture.rgb).save(buffer, "PNG")
    write_atomic(path, buffer.getvalue(), durable=False)
