"""The photograph model's figures: counted as by hand, the trunk's own beside them, and no figure where the trunk has no class."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from capt_engine.cli.main import main
from capt_engine.data.class_lists import everyday, names_of
from capt_engine.data.images import read_photo
from capt_engine.errors import BadRequest
from capt_engine.model import trunk
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone, load_backbone
from capt_engine.photo import figures
from capt_engine.progress import no_progress
from capt_engine.reading import read_json
from capt_engine.resources import resource

TEMPLATE = "a photo of a {}."


@pytest.fixture(scope="module")
def photo() -> Backbone:
    """The bundled photograph model."""
    return load_backbone("photo", torch.device("cpu"))


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A list of three pictures with ImageNet's names, and a picture of colours for each of CIFAR-10's classes."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)

    def picture(path: Path, side: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(path)

    lines = ["path,label"]
    for index, name in enumerate(("tench", "jeep", "toilet tissue")):
        picture(folder / "photographs" / f"{index}.png", 224)
        lines.append(f"{index}.png,{name}")
    listed = folder / "photographs" / "labels.csv"
    listed.write_text("\n".join(lines), encoding="utf-8")
    for name in ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"):
        picture(folder / "cifar" / name / "0.png", 32)
    return listed, folder / "cifar"


def test_figures_are_counted(photo: Backbone, sets: tuple[Path, Path]) -> None:
    """Right at the first place and among five, as a few lines of torch count them; a deer is no class of the trunk's."""
    measured = figures.measure(photo, *sets, no_progress)
    assert [(one.pictures, one.n) for one in measured.figures] == [
        ("photographs of photographs", 3),
        ("CIFAR-10 test, enlarged", 8),
        ("CIFAR-10 test, enlarged: deer", 1),
        ("CIFAR-10 test, enlarged: horse", 1),
    ]
    assert measured.figures[2].trunk_right is None
    assert measured.figures[3].trunk_right is not None
    assert measured.sha256 == photo.sha256
    words = [word for word in figures.CIFAR10_WORDS if word not in figures.APART]
    files = [sets[1] / (word if word != "car" else "automobile") / "0.png" for word in words]
    x = torch.stack([photo.view(Image.fromarray(read_photo(file).rgb)) for file in files])
    with torch.no_grad():
        scores = Classifier(photo, words, TEMPLATE)(x)
    ranks = (scores > scores.diagonal()[:, None]).sum(1)
    assert (measured.figures[1].right, measured.figures[1].right_in_5) == (
        int((ranks == 0).sum()),
        int((ranks < 5).sum()),
    )
    assert measured.figures[0].names == "1,000 names"
    assert json.loads(json.dumps(asdict(measured)))["figures"][0]["n"] == 3


def test_the_trunk_answers_by_its_own_classifier(photo: Backbone) -> None:
    """A word's score is the best of its classes' published logits; a word without a class is never chosen."""
    x = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    whole, rows, biases = trunk.published(1)
    with torch.no_grad():
        features = whole.features((x - photo.mean) / photo.std).mean((2, 3))
    logits = features @ rows.T + biases
    dog = next(one.classes for one in everyday() if one.names[0] == "dog")
    found = figures.PublishedTrunk().logits(x, [dog, (), (339,)])
    assert torch.allclose(found[:, 0], logits[:, list(dog)].amax(1), atol=1e-5)
    assert found[:, 1].tolist() == [-torch.inf] * 2
    assert torch.allclose(found[:, 2], logits[:, 339], atol=1e-5)
    assert len(names_of("imagenet")) == len(rows)


def test_the_table_has_a_row_a_set() -> None:
    """Percent with Wilson's interval, top-1 and top-5, and a sentence where there is no class."""
    one = figures.Figure("p", "two, words", 10, 5, 10, None, None)
    table = figures.table(figures.Measured("", 1.0, 1, (one,)))
    assert table.splitlines()[-1] == "A forward pass took 1.00 ms a picture, in batches of 50, on 1 thread."
    assert table.splitlines()[-3] == (
        "| p | two, words | 10 | 50.0 (23.7 to 76.3) | 100.0 (72.2 to 100.0) | no class of its own | no class of its own |"
    )


def test_other_pictures_are_refused(photo: Backbone, sets: tuple[Path, Path]) -> None:
    """Class folders that are not CIFAR-10's ten."""
    with pytest.raises(BadRequest, match="not CIFAR-10's ten"):
        figures.measure(photo, sets[0], sets[0], no_progress)


def test_the_card_is_written_for_its_own_model_alone(
    sets: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Another model may be measured, but not written over the card of photo."""
    listed, cifar = map(str, sets)
    assert main(["photo", "figures", listed, "--cifar10", cifar, "--model", "photo-robust", "--write"]) == 2
    assert "is about photo" in capsys.readouterr().err


def test_the_card_has_the_table_of_the_figures(photo: Backbone) -> None:
    """What ships was measured on the weights that ship, and the card says it as `capt photo figures --write` does."""
    measured = read_json(resource("photo", figures.FILE), figures.Measured)
    assert measured.sha256 == photo.sha256
    card = resource("photo", figures.CARD).read_text(encoding="utf-8")
    assert card.partition(figures.MARKS[0])[2].partition(figures.MARKS[1])[0] == f"\n{figures.table(measured)}"
