"""Class names from the command line: names that are one to the model, and how lists and folders come together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from capt_engine.cli.main import main
from capt_engine.model.checkpoints import Document, MadeFor, save
from capt_engine.model.clip import Backbone
from capt_engine.model.prompts import Prompts, PromptShape, TowerSizes


def folders(root: Path, *names: str, each: int = 1) -> Path:
    """Class folders with pictures in them."""
    picture = sorted(Path(__file__).parents[3].joinpath("resources/samples").glob("*.png"))[0].read_bytes()
    for name in names:
        (root / name).mkdir(parents=True)
        for i in range(each):
            (root / name / f"{i}.png").write_bytes(picture)
    return root


def summary(capsys: pytest.CaptureFixture[str], tiny_folder: Path, *words: str) -> dict[str, Any]:
    """What a run without an attack says in JSON."""
    checks = ("--checks", "off") if words[0] == "evaluate" else ()
    known = ("--model", f"local-dir:{tiny_folder}", "--attack", "none", *checks, "--json", "--quiet")
    assert main([*words, *known]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


@pytest.mark.parametrize("pair", [("caf\u00e9", "cafe\u0301"), ("ice  cream", "ice cream"), ("Mug", "mug")])
def test_folders_with_the_same_tokens_are_named(
    tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str], pair: tuple[str, str]
) -> None:
    """The second of two names with the same tokens can never be the answer: a note names the pair, and a check fails."""
    data = folders(tmp_path / "data", *pair, "star")
    found = summary(capsys, tiny_folder, "evaluate", str(data))
    (note,) = [one for one in found["notes"] if "same tokens" in one]
    assert all((repr(name) if name.isascii() else ascii(name)) in note for name in pair)
    (check,) = [one for one in found["checks"] if one["name"] == "names-differ"]
    assert (check["status"], check["value"]) == ("fail", 1)
    apart = summary(capsys, tiny_folder, "evaluate", str(folders(tmp_path / "other", "mug", "star")))
    assert not apart["notes"]
    assert [one["status"] for one in apart["checks"] if one["name"] == "names-differ"] == ["pass"]


def test_a_map_is_read_and_kept(tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--classes map.csv` names numbered folders; the run's note shows the pairing, and its command is that of the manifest."""
    data = folders(tmp_path / "data", "1", "2", "10")
    (tmp_path / "map.csv").write_text('folder,name\n10,star\n2,"mug, cup"\n1,cube\n')
    run = tmp_path / "run"
    found = summary(
        capsys, tiny_folder, "evaluate", str(data), "--classes", str(tmp_path / "map.csv"), "--out", str(run)
    )
    assert found["notes"] == ["Class names by the map: 1 → cube; 2 → mug, cup; 10 → star."]
    assert {one["name"] for one in found["per_class"]} == {"star", "mug, cup", "cube"}
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["request"]["options"]["class_folders"] == ["10", "2", "1"]
    assert manifest["command"] == "capt run manifest.json"


def test_numbered_folders_without_names_are_doubted(
    tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Asked for "a photo of a 7.", a run says that names without a letter say little, and how to give others."""
    found = summary(capsys, tiny_folder, "evaluate", str(folders(tmp_path / "data", "7", "8")))
    assert "Names without a letter" in found["notes"][0]
    assert "classes.csv (folder,name)" in found["notes"][0]


def test_a_line_of_a_list_is_one_class(tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name with commas is one class for pictures without labels too, and the printed command says it in quotes."""
    data = folders(tmp_path / "data", "a")
    (tmp_path / "names.txt").write_text("mug, cup\ncube\n")
    out = tmp_path / "run"
    summary(capsys, tiny_folder, "analyze", str(data), "--classes", str(tmp_path / "names.txt"), "--out", str(out))
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["classes"] == ["mug, cup", "cube"]
    assert "--classes '\"mug, cup\",cube'" in manifest["command"]
    words = ("--classes", '"mug, cup",cube', "--model", f"local-dir:{tiny_folder}", "--attack", "none", "--quiet")
    assert main(["analyze", str(data), *words]) == 0
    assert f"model local-dir:{tiny_folder}, among 2 class names." in capsys.readouterr().out


def test_a_published_list_is_used_as_it_is(
    tmp_path: Path, tiny_folder: Path, tiny_backbone: Backbone, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prompts with tokens of each class's own, whose list has "missile" twice, are used with that list, with labels and without."""
    names = ("missile", "sunglasses", "missile")
    shape = PromptShape("text_only", 2, 1, n_classes=3)
    prompts = Prompts.blank(TowerSizes.of(tiny_backbone), shape)
    assert prompts.context is not None
    prompts.context.data += torch.randn(prompts.context.shape, generator=torch.Generator().manual_seed(0))
    learned = str(tmp_path / "own.safetensors")
    settings = {"sentence": "own"}
    made_for = MadeFor.of(tiny_backbone)
    save(Path(learned), prompts, Document("coop", made_for, shape, "{}.", classes=names, settings=settings))
    data = folders(tmp_path / "data", "n1", "n2", "n3")
    (tmp_path / "names.txt").write_text("\n".join(names))
    listed = ("--classes", str(tmp_path / "names.txt"))
    for i, words in enumerate((("analyze", str(data)), ("evaluate", str(data), *listed))):
        run = tmp_path / str(i)
        found = summary(capsys, tiny_folder, *words, "--prompts", learned, "--out", str(run))
        assert json.loads((run / "manifest.json").read_text())["classes"] == ["missile", "sunglasses", "missile (#2)"]
        assert not [one for one in found["notes"] if "same tokens" in one]
    plain = summary(capsys, tiny_folder, "evaluate", str(data), *listed)
    assert "'missile' and 'missile (#2)'" in " ".join(plain["notes"])
