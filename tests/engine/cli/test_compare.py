"""`capt compare` as a script sees it: variants of prompts, ranked; kept runs, gone on with, reported side by side; from Python too."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import capt_engine as capt
from capt_engine.cli.compare import request_of
from capt_engine.cli.main import main
from capt_engine.errors import BadRequest
from capt_engine.metrics.mcnemar import mcnemar
from capt_engine.model.checkpoints import Document, MadeFor, save
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone
from capt_engine.model.prompts import Prompts, PromptShape, initial_context

TEMPLATE = "a photo of a {}."


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders: two classes of three pictures of noise."""
    stream = np.random.default_rng(0)
    root = tmp_path_factory.mktemp("compare") / "data"
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        for i in range(3):
            Image.fromarray(stream.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(root / name / f"{i}.png")
    return root


@pytest.fixture
def prompts(tmp_path: Path, tiny_backbone: Backbone) -> list[str]:
    """Two files of learned prompts of no merit."""
    found = []
    for seed in (1, 2):
        shape = PromptShape("independent", 2, 2)
        made = Prompts(
            tiny_backbone, shape, initial_context(tiny_backbone, TEMPLATE, 2), torch.Generator().manual_seed(0)
        )
        for value in made.parameters():
            value.data += 0.5 * torch.randn(value.shape, generator=torch.Generator().manual_seed(seed))
        file = tmp_path / f"learned{seed}.safetensors"
        save(file, made, Document("capt", MadeFor.of(tiny_backbone), shape, TEMPLATE, classes=("cat", "dog")))
        found.append(str(file))
    return found


def test_variants_are_ranked_kept_and_reported(
    data: Path, prompts: list[str], tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three sets of prompts: the table is what their rows say; a run that is missing is made again, the others are only read."""
    out = tmp_path / "out"
    start = ["compare", str(data), "--models", f"local-dir:{tiny_folder}", "--prompts", ",".join([*prompts, "none"])]
    start += ["--steps", "2", "--eps", "8/255", "--checks", "off", "--quiet", "--device", "cpu"]
    assert main([*start, "--json", "--out", str(out)]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    variants = told["variants"]
    assert (told["event"], told["n"], [one["rank"] for one in variants]) == ("summary", 6, [1, 2, 3])
    shares = [(one["robust_accuracy"], one["clean_accuracy"]) for one in variants]
    assert shares == sorted(shares, reverse=True)
    assert variants[0]["against_best"] is None
    for one in variants:
        summary = json.loads((Path(one["run_dir"]) / "summary.json").read_text(encoding="utf-8"))
        assert summary["robust_accuracy"] == pytest.approx(one["robust_accuracy"])
        assert summary["clean_accuracy"] == pytest.approx(one["clean_accuracy"])
    for one in variants[1:]:
        test = one["against_best"]
        assert (len(one["only_best_right"]), len(one["only_this_right"])) == (test["only_best"], test["only_this"])
        assert test["p"] == pytest.approx(mcnemar(test["only_best"], test["only_this"]))
        assert test["p"] <= test["p_holm"] <= min(1.0, 2 * test["p"])
    shutil.rmtree(variants[1]["run_dir"])
    before = (Path(variants[0]["run_dir"]) / "manifest.json").stat().st_mtime_ns
    assert main([*start, "--resume", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("1. ")
    assert "McNemar" in lines[-2]
    assert (Path(variants[0]["run_dir"]) / "manifest.json").stat().st_mtime_ns == before
    assert main(["report", str(out), "--short", "--out", str(tmp_path / "r.json"), "--quiet"]) == 0
    first, second = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["sections"]
    grid = next(block for block in first["blocks"] if block["block"] == "Grid")
    assert [column["title"] for column in grid["columns"]][-2:] == ["p (Holm)", "s a picture"]
    assert grid["rows"][0][3].endswith(tuple("0123456789"))
    assert len(grid["rows"]) == 3
    assert second["id"] == "summary"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"prompts": "none"}, "nothing to compare"),
        ({"prompts": "a,b", "out": "x", "resume": "y"}, "names the folder already"),
    ],
)
def test_what_is_no_comparison_is_refused(given: dict[str, object], said: str) -> None:
    """One variant, or two folders."""
    with pytest.raises(BadRequest, match=said):
        request_of({"data": "somewhere", **given})


def test_too_many_or_the_same_twice_are_refused(
    data: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seven variants, and one that is named twice: a sentence, before anything is computed."""
    model = f"local-dir:{tiny_folder}"
    for names, said in (("a,b,c,d,e,f,none", "not of 7"), ("none,none", "named twice")):
        assert main(["compare", str(data), "--models", model, "--prompts", names, "--quiet"]) == 2
        assert said in capsys.readouterr().err


def test_models_of_python_are_compared(tiny_classifier: Classifier, tiny_backbone: Backbone) -> None:
    """Names, accuracies as `evaluate` gives them, and data that can be read only once is refused."""
    images, labels = torch.rand(4, 3, 24, 24, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 0, 1])
    images = torch.nn.functional.interpolate(images, (tiny_classifier.size, tiny_classifier.size))
    other = Classifier(tiny_backbone, tiny_classifier.classes, "{}")
    table = capt.compare({"photo": tiny_classifier, "name": other}, (images, labels), attacks=capt.PGD(steps=2))
    rows = table.rows()
    assert {row["name"] for row in rows} == {"photo", "name"} == set(table.evaluations)
    for row in rows:
        assert row["robust_accuracy"] == table.evaluations[str(row["name"])].robust_accuracy
    with pytest.raises(BadRequest, match="only once"):
        capt.compare({"a": tiny_classifier, "b": other}, iter([(images, labels)]))
    with pytest.raises(BadRequest, match="2 to 6"):
        capt.compare({"a": tiny_classifier}, (images, labels))
