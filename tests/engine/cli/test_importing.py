"""`capt prompts import` and `capt models import`, and what can be done with what they brought, as a script sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from capt_engine.cli.main import main
from capt_engine.folders import data_dir

FAST = ("--quiet", "--device", "cpu")
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of this test's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data-home"))
    return data_dir()


@pytest.fixture
def coop(tmp_path: Path) -> Path:
    """A CoOp checkpoint for the demo model."""
    from capt_engine.model.clip import load_backbone

    width = load_backbone("demo", torch.device("cpu")).clip.token_embedding.weight.shape[1]
    ctx = torch.randn(4, width, generator=torch.Generator().manual_seed(0)) * 3
    torch.save({"state_dict": {"ctx": ctx}, "epoch": 50}, tmp_path / "model.pth.tar-50")
    return tmp_path / "model.pth.tar-50"


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """Pictures of noise in two class folders, in which nobody can tell cats from dogs."""
    stream = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for i in range(4):
            picture = Image.fromarray(stream.integers(0, 256, (64, 64, 3), dtype=np.uint8))
            picture.save(tmp_path / "pictures" / name / f"{i}.png")
    return tmp_path / "pictures"


def told(capsys: Capture) -> dict[str, Any]:
    """The summary that was printed."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1]["event"] == "summary"
    found: dict[str, Any] = lines[-1]
    return found


def test_prompts_are_imported_shown_verified_used_and_removed(coop: Path, own_data: Path, capsys: Capture) -> None:
    """The whole life of an imported file."""
    asked = ["prompts", "import", str(coop), "--model", "demo", "--as", "mine", "--eps", "4/255"]
    assert main([*asked, "--class-position", "front", "--json", *FAST]) == 0
    found = told(capsys)
    assert (found["name"], found["template"], found["family"]) == ("mine", "{}.", "CoOp, APT, AdvPT or AdvCoOp")
    assert found["score"]["n"] == found["plain"]["n"] == 12
    assert found["score"]["warning"] == found["plain"]["warning"] == ""
    assert main(["prompts", "show", "mine", "--json"]) == 0
    shown = told(capsys)
    assert shown["shape"]["position"] == "front"
    assert shown["settings"]["eps"] == pytest.approx(4 / 255)
    assert shown["settings"]["imported_from"] == "model.pth.tar-50"
    assert shown["settings"]["assumed"] == found["assumed"]
    assert main(["prompts", "verify", "mine", *FAST]) == 0
    sample = str(next(iter(sorted((Path(__file__).parents[3] / "resources" / "samples").glob("*.png")))))
    assert main(["analyze", sample, "--model", "demo", "--prompts", "mine", "--steps", "1", *FAST]) == 0
    file = own_data / "prompts" / "mine.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    capsys.readouterr()
    assert main(["prompts", "verify", "mine", *FAST]) == 4
    assert "changed since it was installed" in capsys.readouterr().err
    assert main(["prompts", "remove", "mine", *FAST]) == 0
    assert not list((own_data / "prompts").iterdir())
    assert main(["prompts", "remove", "mine", *FAST]) == 2


def test_imported_prompts_keep_their_own_sentence(coop: Path, capsys: Capture) -> None:
    """CoOp's tokens take the place of the whole sentence, so a data set's template changes nothing for them."""
    assert main(["prompts", "import", str(coop), "--model", "demo", "--as", "mine", *FAST]) == 0
    sample = str(next(iter(sorted((Path(__file__).parents[3] / "resources" / "samples").glob("*.png")))))
    asked = ["analyze", sample, "--model", "demo", "--steps", "1", "--classes", "mug,cube,heart", "--json", *FAST]

    def confidence(prompts: str, template: str) -> float:
        capsys.readouterr()
        assert main([*asked, "--prompts", prompts, "--template", template]) == 0
        return float(json.loads(capsys.readouterr().out.splitlines()[0])["clean_margin"])

    plain, other = "a photo of a {}.", "the old drawing that shows one small {} here"
    assert confidence("mine", plain) == confidence("mine", other)
    assert confidence("none", plain) != confidence("none", other)


def test_a_score_near_guessing_is_noticed(coop: Path, noise: Path, capsys: Capture) -> None:
    """It is a warning that names the usual causes."""
    asked = ["prompts", "import", str(coop), "--model", "demo", "--pictures", str(noise), *FAST]
    assert main([*asked, "--json"]) == 0
    found = told(capsys)
    assert found["score"]["n"] == 8
    assert all(word in found["score"]["warning"] for word in ("activation", "normalisation", "template"))
    assert main([*asked, "--as", "two"]) == 0
    assert "Warning: " in capsys.readouterr().out


def test_an_import_takes_no_other_place(coop: Path, own_data: Path, capsys: Capture) -> None:
    """Without a name one is made of family and hash; a name that is taken, bundled or no name is refused."""
    asked = ["prompts", "import", str(coop), "--model", "demo", *FAST]
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert said.startswith("coop-")
    assert "Assumed: The class name stands behind" in said
    assert "With these prompts: " in said
    kept = {path.name: path.read_bytes() for path in (own_data / "prompts").iterdir()}
    assert main(asked) == 2
    assert "already something" in capsys.readouterr().err
    for name in ("../up", ".x", "a b"):
        assert main([*asked, "--as", name]) == 2
    assert {path.name: path.read_bytes() for path in (own_data / "prompts").iterdir()} == kept


def test_what_is_wrong_has_its_exit_code(coop: Path, tmp_path: Path, capsys: Capture) -> None:
    """A malicious or damaged file is 4, a contradiction 2, each in one sentence without a traceback."""
    import os

    class Evil:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {tmp_path / 'ran'}",)

    torch.save({"state_dict": {"ctx": torch.ones(2, 3)}, "x": Evil()}, tmp_path / "evil.pt")
    asked = ["prompts", "import", "--model", "demo", *FAST]
    assert main([*asked, str(tmp_path / "evil.pt")]) == 4
    assert "nothing was run" in capsys.readouterr().err
    assert not (tmp_path / "ran").exists()
    assert main([*asked, str(tmp_path / "none.pt")]) == 4
    assert main([*asked, str(coop), "--template", "a photo of a {}."]) == 2
    assert main([*asked, str(coop), "--eps", "4"]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said


def test_own_classes_need_own_pictures(tmp_path: Path, noise: Path, capsys: Capture) -> None:
    """Prompts of each class's own cannot be scored on the demo pictures, which is said; on a folder of those classes they are."""
    from capt_engine.model.clip import load_backbone

    width = load_backbone("demo", torch.device("cpu")).clip.token_embedding.weight.shape[1]
    torch.save({"state_dict": {"ctx": torch.ones(2, 3, width)}}, tmp_path / "m")
    asked = ["prompts", "import", str(tmp_path / "m"), "--model", "demo", "--classes", "cat,dog", "--json", *FAST]
    assert main([*asked, "--as", "one"]) == 0
    found = told(capsys)
    assert found["score"]["n"] == 0
    assert "--pictures" in found["score"]["warning"]
    assert main([*asked, "--as", "two", "--pictures", str(noise)]) == 0
    assert told(capsys)["score"]["n"] == 8


def test_a_model_is_imported_listed_verified_used_and_removed(own_data: Path, tmp_path: Path, capsys: Capture) -> None:
    """The demo model as a state dict under another name: the same score, found by name, and a change on disk is noticed."""
    from capt_engine.model.clip import load_backbone

    demo = load_backbone("demo", torch.device("cpu"))
    tower = {name: value * 1.0 for name, value in demo.clip.visual.state_dict().items()}
    torch.save({"vision_encoder_state_dict": tower, "epoch": 2}, tmp_path / "model_best.pth.tar")
    asked = ["models", "import", str(tmp_path / "model_best.pth.tar"), "--as", "mine", *FAST]
    assert main(asked) == 2
    assert "--base" in capsys.readouterr().err
    assert main([*asked, "--base", "demo", "--json"]) == 0
    found = told(capsys)
    assert found["form"] == "TeCoA container"
    assert found["score"]["warning"] == ""
    assert main(["models", "list", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert any(row.get("id") == "mine" and row["state"] == "imported" for row in rows)
    assert {"demo", "vit-b-32-openai"} <= {row.get("id") for row in rows}
    for name in ("mine", "demo", "vit-b-32-openai"):
        assert main(["models", "show", name, "--json"]) == 0
    assert main(["models", "verify", "mine"]) == 0
    sample = str(next(iter(sorted((Path(__file__).parents[3] / "resources" / "samples").glob("*.png")))))
    use = ["analyze", sample, "--model", "mine", "--classes", "mug,cube", "--steps", "1", *FAST]
    assert main(use) == 0
    file = own_data / "models" / "mine" / "tower.safetensors"
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    capsys.readouterr()
    assert main(use) == 4
    assert "changed on disk" in capsys.readouterr().err
    assert main(["models", "verify", "mine"]) == 4
    assert "tower.safetensors" in capsys.readouterr().err
    assert main(["models", "remove", "mine"]) == 0
    assert not list((own_data / "models").iterdir())
    for verb in ("remove", "verify", "show"):
        assert main(["models", verb, "mine"]) == 2
    assert main(["models", "remove", "demo"]) == 2


@pytest.mark.parametrize(
    ("right", "n", "chance", "low", "high"), [(0, 12, 1 / 12, 0.999999, 1), (4, 12, 1 / 12, 0.01, 0.02)]
)
def test_guessing_is_told_from_knowing(right: int, n: int, chance: float, low: float, high: float) -> None:
    """The binomial tail: none right is certain, four of twelve at one in twelve happens about once in seventy times."""
    from capt_engine.evaluation.sanity import at_least, judged

    assert low <= at_least(right, n, chance) <= high
    assert bool(judged("x", n, 12, right).warning) == (right == 0)
