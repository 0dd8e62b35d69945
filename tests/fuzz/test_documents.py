"""Law of reading: any broken JSON or TOML document of a kind that we read gives a value or one sentence, nothing else."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz import survival
from tests.fuzz.documents import RUN, kinds
from tests.fuzz.mutators import mutated_json
from tests.fuzz.survival import FEW, survive

_MADE = tempfile.TemporaryDirectory()
KINDS = kinds(Path(_MADE.name))
# In every run of the tests a fifth of the few is tried of the other kinds, which are many, or take a hundredth of a second each.
ALL_OF_THE_FEW = ("settings", "tuning project", "split file", "manifest among kept runs")


@pytest.fixture(scope="module", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings and ledger that are broken here are nobody else's."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("CONFIG", "DATA"):
            patch.setenv(f"XDG_{kind}_HOME", str(tmp_path_factory.mktemp(kind.lower())))
        yield


HELD = {path.relative_to(RUN): path.read_bytes() for path in RUN.rglob("*") if path.is_file()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for a run, which every kind of file is put into."""
    return tmp_path / "run"


def put(name: str, folder: Path, text: str) -> None:
    """Read the text as the file of a kind, in a run that holds what it held at first and nothing else."""
    for file in [*folder.parent.rglob("*")]:
        if file.is_file() and not (file.is_relative_to(folder) and file.relative_to(folder) in HELD):
            file.unlink()
    for place in folder.parent.iterdir():
        if place != folder:
            shutil.rmtree(place)
    for path, content in HELD.items():
        file = folder / path
        if not file.is_file() or file.read_bytes() != content:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    KINDS[name].of(folder, text)


@pytest.mark.parametrize("name", KINDS)
def test_a_sound_file_is_read(name: str, folder: Path) -> None:
    """The document that is broken below is one that is read."""
    put(name, folder, json.dumps(KINDS[name].sound))


@survival.counts
@pytest.mark.parametrize("name", KINDS)
def test_a_broken_document_is_a_value_or_a_sentence(name: str, n: int, folder: Path) -> None:
    """A value replaced, removed, moved or repeated, or a text broken anywhere, is read past or refused in a sentence."""

    def trial(rng: random.Random) -> None:
        put(name, folder, mutated_json(rng, KINDS[name].sound))

    survive(name, n // 5 if n == FEW and name not in ALL_OF_THE_FEW else n, trial)
