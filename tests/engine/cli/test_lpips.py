"""`capt lpips` and `--lpips` as a script sees them: the whole life of the weights, and a run that is measured with them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from capt_engine.cli.main import main
from capt_engine.folders import lpips_dir
from capt_engine.formatting import number
from capt_engine.model.lpips import ALEX, digest
from tests.engine.model.perceptual import files, random_state

FAST = ("--quiet", "--device", "cpu")
DEMO = ("--model", "demo", "--steps", "2", "--checks", "off", *FAST)
Capture = pytest.CaptureFixture[str]
Files = tuple[str, str]


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store of this test's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data-home"))


@pytest.fixture(scope="module")
def alex(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """AlexNet's two files."""
    backbone, linear = files(tmp_path_factory.mktemp("alex"), ALEX)
    return str(backbone), str(linear)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures of noise in two class folders."""
    folder = tmp_path_factory.mktemp("pictures")
    stream = np.random.default_rng(0)
    for name in ("cube", "mug"):
        (folder / name).mkdir()
        Image.fromarray(stream.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(folder / name / "0.png")
    return folder


def objects(capsys: Capture) -> list[dict[str, Any]]:
    """The JSON objects that were printed, one a line."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_weights_are_imported_shown_and_removed(alex: Files, capsys: Capture) -> None:
    """In words and as JSON, with every hash; a second import is refused, and so is removing twice."""
    assert main(["lpips", "show"]) == 0
    assert "capt lpips import" in capsys.readouterr().out
    assert main(["lpips", "import", *alex, "--json", *FAST]) == 0
    (told,) = objects(capsys)
    assert (told["net"], told["label"], told["backbone"], told["linear"]) == ("alex", "AlexNet", ALEX.file, "alex.pth")
    assert told["sha256"] == digest(random_state(ALEX))
    assert main(["lpips", "import", *alex, *FAST]) == 2
    assert "capt lpips remove alex" in capsys.readouterr().err
    assert main(["lpips", "show", "--json"]) == 0
    shown, summary = objects(capsys)
    assert {name: shown[name] for name in ("sha256", "backbone_sha256", "linear_sha256")} == {
        name: told[name] for name in ("sha256", "backbone_sha256", "linear_sha256")
    }
    assert summary["n"] == 1
    assert main(["lpips", "show"]) == 0
    assert told["backbone_sha256"] in capsys.readouterr().out
    assert main(["lpips", "remove", "alex"]) == 0
    assert not list(lpips_dir().iterdir())
    assert main(["lpips", "remove", "alex"]) == 4
    assert main(["lpips", "import", alex[1], alex[0], *FAST]) == 0
    assert "--lpips alex" in capsys.readouterr().out


def test_what_is_wrong_is_one_sentence(alex: Files, data: Path, tmp_path: Path, capsys: Capture) -> None:
    """Files that are no LPIPS are exit code 4 and leave nothing behind; so is --lpips without weights, before anything is computed."""
    (tmp_path / "page.pth").write_bytes(b"<html></html>")
    for wrong in ((alex[0], alex[0]), (alex[0], str(tmp_path / "page.pth")), ("none.pth", alex[1])):
        assert main(["lpips", "import", *wrong, *FAST]) == 4
    assert main(["evaluate", str(data), "--lpips", "--out", str(tmp_path / "run"), *DEMO]) == 4
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "none are shipped and none are fetched. Bring yours: `capt lpips import" in said
    assert not (tmp_path / "run").exists()
    assert not lpips_dir().exists()


def test_lpips_is_measured_where_it_is_asked_for(alex: Files, data: Path, capsys: Capture) -> None:
    """A number in each row and their mean in the summary; nothing but an empty cell where nobody asked, weights or not."""
    asked = ["analyze", str(data), "--classes", "cube,mug", "--model", "demo", "--steps", "2", "--json", *FAST]
    assert main(asked) == 0
    *without, summary = objects(capsys)
    assert [row["lpips"] for row in without] == [None, None]
    assert "lpips" not in summary["consistency"]
    assert main(["lpips", "import", *alex, *FAST]) == 0
    capsys.readouterr()
    assert main(asked) == 0
    assert [row["lpips"] for row in objects(capsys)[:2]] == [None, None]
    assert main([*asked, "--lpips"]) == 0
    *rows, summary = objects(capsys)
    assert all(row["lpips"] > 0 for row in rows)
    assert summary["consistency"]["lpips"] == pytest.approx(sum(row["lpips"] for row in rows) / 2)
    for row, other in zip(rows, without, strict=True):
        assert {**row, "lpips": None, "time_s": 0} == {**other, "time_s": 0}
    assert main([*asked, "--lpips", "--eps", "0"]) == 0
    assert [row["lpips"] for row in objects(capsys)[:2]] == [0, 0]
    assert main([word for word in asked if word != "--json"] + ["--lpips"]) == 0
    assert (
        f"Mean LPIPS of clean and attacked picture {number(summary['consistency']['lpips'])}."
        in capsys.readouterr().out
    )


def test_a_run_says_which_weights_it_was_measured_with(
    alex: Files, data: Path, tmp_path: Path, capsys: Capture
) -> None:
    """In the manifest and the report; repeated with others the difference is named, and without any it is refused."""
    assert main(["lpips", "import", *alex, *FAST]) == 0
    run = tmp_path / "run"
    assert main(["evaluate", str(data), "--lpips", "alex", "--eps", "0,8/255", "--out", str(run), *DEMO]) == 0
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["lpips"]["net"] == manifest["request"]["options"]["lpips"] == "alex"
    assert manifest["lpips"]["sha256"] == digest(random_state(ALEX))
    assert " --lpips alex " in manifest["command"]
    with (run / "rows.csv").open(newline="", encoding="utf-8") as file:
        found = [(float(row["eps"]), float(row["lpips"])) for row in csv.DictReader(file)]
    assert [value for eps, value in found if not eps] == [0, 0]
    assert all(value > 0 for eps, value in found if eps)
    assert main(["report", str(run), "--out", str(tmp_path / "report.html"), *FAST]) == 0
    told = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "LPIPS measured with" in told
    assert manifest["lpips"]["sha256"] in told
    capsys.readouterr()
    assert main(["run", str(run / "manifest.json"), *FAST]) == 0
    assert main(["lpips", "remove", "alex"]) == 0
    assert main(["run", str(run / "manifest.json"), *FAST]) == 4
    (tmp_path / "other").mkdir()
    others = files(tmp_path / "other", ALEX, seed=1)
    assert main(["lpips", "import", *map(str, others), *FAST]) == 0
    capsys.readouterr()
    assert main(["run", str(run / "manifest.json"), *FAST]) == 6
    said = capsys.readouterr().out
    assert f"SHA-256 of the LPIPS weights: {manifest['lpips']['sha256']} before" in said
    assert ": lpips was " in said
    # A run that was cut short is not gone on with either.
    assert main(["evaluate", str(data), "--lpips", "--eps", "0,8/255", "--resume", str(run), *DEMO]) == 2
    assert "other LPIPS weights" in capsys.readouterr().err


def test_what_cannot_be_measured_is_refused_or_empty(
    alex: Files, data: Path, tiny_folder: Path, capsys: Capture
) -> None:
    """A table of corruptions keeps answers alone; a model that sees 24 pixels leaves AlexNet nothing to look at."""
    assert main(["lpips", "import", *alex, *FAST]) == 0
    assert main(["evaluate", str(data), "--suite", "corruptions", "--lpips", "--model", "demo", *FAST]) == 2
    assert "--attack corruption --set kind=fog --lpips" in capsys.readouterr().err
    asked = ["evaluate", str(data), "--steps", "2", "--json", "--model", f"local-dir:{tiny_folder}", *FAST]
    assert main([*asked, "--lpips"]) == 0
    *rows, summary = objects(capsys)
    assert [row["lpips"] for row in rows] == [None, None]
    assert "lpips" not in summary["consistency"]
    assert summary["notes"] == ["LPIPS is not measured: AlexNet needs 31 pixels, and the model sees 24."]


def test_the_weights_are_loaded_once(alex: Files, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache keeps them for its next request, until the file is another."""
    from capt_engine.jobs.model_cache import ModelCache
    from capt_engine.model.store import lpips_store
    from capt_engine.records import AnalyzeRequest, RunOptions

    assert main(["lpips", "import", *alex, *FAST]) == 0
    loaded: list[str] = []
    load = lpips_store.load

    def counted(net: str, device: torch.device) -> Any:
        loaded.append(net)
        return load(net, device)

    monkeypatch.setattr(lpips_store, "load", counted)
    models = ModelCache("cpu")
    request = AnalyzeRequest((str(data),), options=RunOptions(lpips="alex"))
    first = models.lpips(request)
    assert models.lpips(request) is first
    assert models.lpips(AnalyzeRequest((str(data),))) is None
    assert loaded == ["alex"]
    file = lpips_dir() / "alex.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    from capt_engine.errors import BadCheckpoint

    with pytest.raises(BadCheckpoint, match="changed since"):
        models.lpips(request)
