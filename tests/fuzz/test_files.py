"""Broken pictures, tables, checkpoints, run folders and catalogues: each is read or refused in a sentence."""

from __future__ import annotations

import io
import json
import random
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

from capt_engine.data.images import read_photo
from capt_engine.data.picture_lists import from_csv, read_split_file
from capt_engine.model import checkpoints
from capt_engine.model.importers.pickle_machine import Refused
from capt_engine.model.importers.pickled import Limits, take, write_safetensors
from capt_engine.model.importers.reading import read_published
from capt_engine.model.store.catalog import Entry
from capt_engine.reading import read_toml
from capt_engine.reports import REPORTS
from capt_engine.reports.build import build
from capt_engine.resources import resource
from capt_engine.runs.kept_runs import kept_runs
from capt_engine.session import file as session_file
from capt_engine.session import originals
from capt_engine.session.thumbnails import decoded_thumbnail
from capt_gui.view_models.session import pictures as session_pictures
from capt_gui.view_models.session import window_state
from tests.engine.model.importers.crafted import saved
from tests.engine.session import made as sessions_made
from tests.fuzz import survival
from tests.fuzz.documents import BEFORE
from tests.fuzz.mutators import as_bytes, mutated_bytes, mutated_json, mutated_table
from tests.fuzz.survival import require_sentence, survive

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")
LIMITS = Limits(total_bytes=1 << 26)


@cache
def pictures(form: str) -> tuple[bytes, ...]:
    """Sound pictures of a format: colours, a palette or grey, several frames where there can be, EXIF where there can be."""
    values = np.random.default_rng(7).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    colours = Image.fromarray(values)
    exif = Image.Exif()
    exif[0x0112] = 6
    made = []
    for image, options in (
        (colours, {"exif": exif} if form in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF") else {}),
        (colours.convert("L"), {}),
        (colours.convert("P" if form in ("PNG", "GIF", "BMP", "TIFF") else "RGB"), {}),
        (colours, {"save_all": True, "append_images": [colours.rotate(90)]} if form in ("GIF", "WEBP", "PNG") else {}),
    ):
        file = io.BytesIO()
        image.save(file, form, **options)
        made.append(file.getvalue())
    return tuple(made)


@survival.counts
@pytest.mark.parametrize("form", FORMATS)
def test_broken_pictures(form: str, n: int, tmp_path: Path) -> None:
    """A picture that cannot be decoded whole is refused; what is decoded has the size that it says."""
    path = tmp_path / "picture"

    def trial(rng: random.Random) -> None:
        path.write_bytes(mutated_bytes(rng, rng.choice(pictures(form))))
        photo = read_photo(path)
        assert photo.rgb.shape == (photo.height, photo.width, 3)

    ended = survive(form, max(n // len(FORMATS), 1), trial)
    assert ended["BadImage"]


@survival.counts
def test_broken_safetensors(n: int, tmp_path: Path) -> None:
    """Prompts of ours, and those of others: header, document and values broken anywhere."""
    path, sound = tmp_path / "p.safetensors", (BEFORE / "prompts.safetensors").read_bytes()
    (length,) = np.frombuffer(sound[:8], "<u8")
    header = json.loads(sound[8 : 8 + int(length)])

    def trial(rng: random.Random) -> None:
        if rng.random() < 0.5:
            text = as_bytes(mutated_json(rng, header))
            path.write_bytes(len(text).to_bytes(8, "little") + text + sound[8 + int(length) :])
        else:
            path.write_bytes(mutated_bytes(rng, sound))
        rng.choice((checkpoints.read, read_published))(path)

    ended = survive("safetensors", n, trial)
    assert ended["BadCheckpoint"]


# The standard library's own reader of opcodes remarks on odd escapes in names.
@pytest.mark.filterwarnings("ignore:invalid escape sequence:DeprecationWarning")
@survival.counts
def test_broken_pickles(n: int) -> None:
    """A pickle is followed by a machine that calls nothing, whatever its opcodes say."""
    state = {"ctx": torch.randn(4, 8), "epoch": 3, "more": [{"a": torch.zeros(2, 3).half()}]}
    sound = [saved(state, as_zip=as_zip) for as_zip in (True, False)]

    def trial(rng: random.Random) -> None:
        content, out = mutated_bytes(rng, rng.choice(sound)), io.BytesIO()
        try:
            write_safetensors(take(io.BytesIO(content), len(content), LIMITS), out)
            safetensors.torch.load(out.getvalue())
        except Refused as refused:
            require_sentence(f"{refused.what} {refused.hint}", "pickles")

    survive("pickles", n, trial)


@survival.counts
def test_broken_lists_of_pictures(n: int, tmp_path: Path) -> None:
    """A CSV of paths and labels, with all its optional columns, and a split file."""
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"")
    table = "path,label,class_name,label_index,split,template\r\n" + "".join(
        f"{name}.png,{label},{label},{i},{split},a photo of a {{}}.\r\n"
        for i, (name, label, split) in enumerate((("a", "cat", "train"), ("b", "dog", "test")))
    )
    split = {"train": [["a.png", 0, "cat"]], "val": [["b.png", 1, "dog"]], "test": []}

    def trial(rng: random.Random) -> None:
        if rng.random() < 0.5:
            text = as_bytes(mutated_table(rng, table)).decode("utf-8", "replace")
            from_csv(str(tmp_path / "list.csv"), text)
        else:
            (tmp_path / "split.json").write_bytes(as_bytes(mutated_json(rng, split)))
            read_split_file(str(tmp_path / "split.json"), [str(tmp_path)], sure=True)

    ended = survive("lists", n, trial)
    assert ended["BadRequest"]


@survival.counts
def test_broken_run_folders(n: int, tmp_path: Path) -> None:
    """A run from elsewhere with any of its files broken: it is listed or passed over, reported or refused."""
    place = tmp_path / "runs"

    def trial(rng: random.Random) -> None:
        shutil.rmtree(place, ignore_errors=True)
        folder = Path(shutil.copytree(BEFORE / rng.choice(("analyzed", "evaluated")), place / "run"))
        broken(rng, folder)
        kept_runs(place)
        REPORTS[rng.choice(("html", "json", "csv"))].write(build(folder, redact=rng.random() < 0.5))

    survive("run folders", n, trial)


def broken(rng: random.Random, folder: Path) -> None:
    """Break one file of a run, whichever it is."""
    file = rng.choice(sorted(path for path in folder.rglob("*") if path.is_file()))
    change: dict[str, Callable[[bytes], bytes]] = {
        ".json": lambda data: as_bytes(mutated_json(rng, json.loads(data))),
        ".csv": lambda data: as_bytes(mutated_table(rng, data.decode())),
        ".png": lambda data: mutated_bytes(rng, data),
    }
    file.write_bytes(change[file.suffix](file.read_bytes()))


@survival.counts
def test_broken_catalogues(n: int, tmp_path: Path) -> None:
    """The list of models that are offered, with its text broken: its entries, or one sentence."""
    sound, path = resource("models.toml").read_bytes(), tmp_path / "models.toml"

    def trial(rng: random.Random) -> None:
        at = rng.randrange(len(sound))
        path.write_bytes(sound[:at] + mutated_bytes(rng, sound[at : at + 200]) + sound[at + 200 :])
        read_toml(path, dict[str, tuple[Entry, ...]])

    survive("catalogues", n, trial)


@cache
def session_parts() -> dict[str, bytes]:
    """The parts of a sound session."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "a.capt")
        session_file.write(place, sessions_made.session(Path(folder), 4))
        with zipfile.ZipFile(place) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


@survival.counts
def test_broken_sessions(n: int, tmp_path: Path) -> None:
    """A session with any part broken, or the zip around them: read whole, down to what the window makes of it, or refused."""
    place, sound = tmp_path / "a.capt", session_parts()
    change: dict[str, Callable[[random.Random, bytes], bytes]] = {
        ".json": lambda rng, data: as_bytes(mutated_json(rng, json.loads(data))),
        ".csv": lambda rng, data: as_bytes(mutated_table(rng, data.decode())),
        ".bin": mutated_bytes,
        ".f64": mutated_bytes,
    }

    def trial(rng: random.Random) -> None:
        parts = dict(sound)
        if rng.random() < 0.8:
            name = rng.choice(sorted(parts))
            parts[name] = change[Path(name).suffix](rng, parts[name])
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
            for name, data in parts.items():
                archive.writestr(name, data)
        whole = file.getvalue() if parts != sound else mutated_bytes(rng, file.getvalue())
        place.write_bytes(whole)
        session, near = session_file.nearby(place)
        paths = originals.find(session.pictures, near, tmp_path)
        session_pictures.items(
            session.pictures, [path or one.path for path, one in zip(paths, session.pictures, strict=True)]
        )
        for one in session.pictures:
            decoded_thumbnail(one.thumbnail)
        window_state.run_of(window_state.read(session.state).run, None)

    ended = survive("sessions", n, trial)
    assert ended["BadRequest"]
    assert ended["read"]
