"""Tuned prompts under their own name: what is written where, what is refused, and that nothing is left or written over."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from capt_engine import files
from capt_engine.errors import BadCheckpoint, BadRequest, Cancelled, CannotWrite
from capt_engine.model import checkpoints
from capt_engine.model.checkpoints import Document, MadeFor
from capt_engine.model.clip import Backbone
from capt_engine.model.prompts import Prompts, PromptShape, TowerSizes
from capt_engine.model.store import prompt_store
from capt_engine.records import SaveTunedRequest, TuneRequest
from capt_engine.reports import tuned_prompts
from capt_engine.reports.model_card import card
from capt_engine.reports.tuned_prompts import save_tuned, slug

SHARE = {"k": 8, "n": 10, "low": 0.49, "high": 0.94}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of the user's own, empty."""
    folder = tmp_path / "own store"
    for module in (prompt_store, tuned_prompts):
        monkeypatch.setattr(module, "own_folder", lambda: folder)
    return folder


@pytest.fixture
def source(tiny_backbone: Backbone, tmp_path: Path) -> Path:
    """Prompts as a run of the wizard leaves them."""
    shape = PromptShape("independent", 2, 2)
    document = Document(
        method="capt",
        backbone=MadeFor.of(tiny_backbone),
        shape=shape,
        template="a photo of a {}.",
        classes=("mug", "cup|jug"),
        settings={"label": "CAPT", "shots": 4, "eps": 4 / 255, "stop_after": 3},
        data="d" * 64,
        seed=7,
        figures={"data": "mugs", "n_train": 8, "n_val": 10, "clean": SHARE, "robust": SHARE},
        notes="After epoch 2: a remark of the run.",
    )
    path = tmp_path / "prompts.safetensors"
    prompts = Prompts.blank(TowerSizes.of(tiny_backbone), shape)
    torch.manual_seed(0)
    for parameter in prompts.parameters():
        torch.nn.init.normal_(parameter)
    checkpoints.save(path, prompts, document)
    return path


def save(path: Path, **changes: object) -> list[str]:
    """Names of the files that were written."""
    request = replace(SaveTunedRequest(str(path), "Morning mugs"), **changes)  # type: ignore[arg-type]
    return [Path(file).name for file in save_tuned(request, lambda *_: None).files]


def test_on_the_shelf_by_its_name(source: Path, store: Path) -> None:
    """Name, notes and licence are in the file, the remarks of the run stay, the values are not touched, and lists find it."""
    told = save_tuned(SaveTunedRequest(str(source), "Morning mugs", "Mine.", "MIT"), lambda *_: None)
    assert told.files == (str(store / "morning-mugs.safetensors"),)
    before, after = checkpoints.read(source), checkpoints.read(Path(told.files[0]))
    assert all(torch.equal(value, after.state[name]) for name, value in before.state.items())
    document = after.document
    assert (document.settings["label"], document.licence) == ("Morning mugs", "MIT")
    assert document.notes == "Mine.\nAfter epoch 2: a remark of the run."
    assert told.prompts.id == "morning-mugs"
    assert "morning-mugs" in [entry.id for entry in prompt_store.entries()]
    assert "--stop-after 3" in told.command
    assert "--name 'Morning mugs'" in told.command


def test_into_a_folder_that_can_be_given_away(source: Path, store: Path, tmp_path: Path) -> None:
    """Three files, whose hashes the manifest holds; no path of its maker's is in them, and the command has only last names."""
    folder = tmp_path / "given" / "away"
    made_by = TuneRequest(
        "/data/anna/secret place/split.csv", "/data/anna/p.safetensors", model="demo", data_root="/data/anna"
    )
    told = save_tuned(SaveTunedRequest(str(source), "Mugs", folder=str(folder), made_by=made_by), lambda *_: None)
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "manifest.json", "mugs.safetensors"]
    assert not store.exists()
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["files"] == {name: files.sha256(folder / name) for name in ("mugs.safetensors", "README.md")}
    assert manifest["request"]["data"] == "split.csv"
    assert manifest["data"]["sha256"] == "d" * 64
    for file in ("README.md", "manifest.json"):
        text = (folder / file).read_text(encoding="utf-8")
        assert "/data/anna" not in text
        assert "capt tune split.csv" in text
    assert "'/data/anna/secret place/split.csv'" in told.command
    assert [path.name for path in folder.parent.iterdir()] == ["away"]


def test_nothing_is_written_over(source: Path, store: Path, tmp_path: Path) -> None:
    """Not on the store, not over prompts that ship with the program, not into a folder that holds anything; nothing is left behind."""
    save(source)
    with pytest.raises(BadRequest, match="'morning-mugs' already"):
        save(source, name="Morning  MUGS")
    bundled = next(entry.id for entry in prompt_store.entries() if entry.bundled)
    with pytest.raises(BadRequest, match="already"):
        save(source, name=bundled)
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BadRequest, match="is not empty"):
        save(source, name="Other", folder=str(full), in_store=True)
    assert [path.name for path in full.iterdir()] == ["mine.txt"]
    assert [path.name for path in store.iterdir()] == ["morning-mugs.safetensors"]
    (tmp_path / "empty").mkdir()
    assert len(save(source, name="Other", folder=str(tmp_path / "empty"), in_store=True)) == 4


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"name": "  "}, BadRequest, "no name"),
        ({"source": "nothing.safetensors"}, BadCheckpoint, "no file"),
        ({"runs": ("no-run",)}, BadRequest, "holds no run"),
    ],
)
def test_what_cannot_be_saved_is_said(
    source: Path, store: Path, changes: dict[str, object], error: type[Exception], words: str
) -> None:
    """Each with its sentence, and without a file."""
    with pytest.raises(error, match=words):
        save(source, **changes)
    assert not store.exists()


def test_a_cancel_leaves_nothing(source: Path, store: Path, tmp_path: Path) -> None:
    """Up to the moment of writing it can be called off."""

    def progress(done: int, *_: object) -> None:
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        save_tuned(SaveTunedRequest(str(source), "Mugs", folder=str(tmp_path / "new"), in_store=True), progress)
    assert not store.exists()
    assert not (tmp_path / "new").exists()


def test_a_full_disk_leaves_no_half_folder(
    source: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder appears whole or not at all."""
    real = tuned_prompts.write_atomic

    def full(path: Path, content: bytes) -> None:
        if path.name == "README.md":
            raise OSError(28, "No space left on device")
        real(path, content)

    monkeypatch.setattr(tuned_prompts, "write_atomic", full)
    with pytest.raises(CannotWrite, match="no room left"):
        save(source, folder=str(tmp_path / "out" / "new"))
    assert not (tmp_path / "out").exists()
    assert not store.exists()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Morning mugs", "morning-mugs"),
        ("  ../../etc/passwd  ", "etc-passwd"),
        ("Äpfel & Birnen_2", "äpfel-birnen-2"),
        ("猫と犬", "猫と犬"),
        ("🙂🙂", "prompts"),
        ("CON", "con-prompts"),
        ("None", "none-prompts"),
        ("x" * 200, "x" * 60),
    ],
)
def test_names_become_files(name: str, file: str) -> None:
    """Any name is a file's name on any system, and none stands for plain text or leads elsewhere."""
    assert slug(name) == file


def test_the_card_says_what_was_measured_and_how(source: Path) -> None:
    """The front can be read as metadata, the figures have n and intervals, and what a stranger wrote stays text."""
    document = checkpoints.read_document(source)
    text = card("Mugs: mine", replace(document, licence="MIT"), "f" * 64, command="capt tune 'a b'")
    front = text.split("---")[1]
    told = dict(line.split(": ", 1) for line in front.strip().splitlines() if ": " in line and not line.startswith(" "))
    assert json.loads(told["license"]) == "mit"
    assert 'license: "other"\nlicense_name: "ask me first"' in card(
        "x", replace(document, licence="ask me first"), "f" * 64
    )
    results = json.loads(front.split("results: ", 1)[1].splitlines()[0])
    assert [one["value"] for one in results[0]["metrics"]] == [0.8, 0.8]
    assert "80.0 % | 49.0 % to 94.0 % | 10" in text
    assert "cup\\|jug" in text
    assert "    capt tune 'a b'" in text


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (PromptShape("vision_only", 0, 1, frame=24), "| a border of pictures of 24 pixels, vision_only |"),
        (
            PromptShape("vision_only", 5, 1, frame=24),
            "| 5 tokens in 1 layers and a border of pictures of 24 pixels, vision_only |",
        ),
        (PromptShape("text_only", 4, 1), "| 4 tokens in 1 layers, text_only |"),
    ],
)
def test_the_card_says_what_the_prompts_are(source: Path, shape: PromptShape, said: str) -> None:
    """Tokens, a border around the picture, or both."""
    assert said in card("x", replace(checkpoints.read_document(source), shape=shape), "f" * 64)
