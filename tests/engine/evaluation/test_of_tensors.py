"""Evaluation from Python: any loader of tensors, the same rows as from files, and a sentence for everything else."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from capt_engine.attacks.fgsm import FGSM
from capt_engine.attacks.pgd import PGD
from capt_engine.attacks.square import Square
from capt_engine.data.labelled_set import Item
from capt_engine.errors import BadRequest, Cancelled, UnknownName
from capt_engine.evaluation.analysis import evaluate as evaluate_files
from capt_engine.evaluation.checks import Spread
from capt_engine.evaluation.of_tensors import evaluate
from capt_engine.evaluation.plan import Variant, plan_evaluation
from capt_engine.model.classifier import Classifier
from capt_engine.progress import no_progress
from capt_engine.records import AttackSpec, EvaluateRequest, PictureRow, RunOptions, ThreatModel
from capt_engine.records import suite as suite_of
from capt_engine.runs.table import columns

Pixels = Callable[..., Tensor]
EPS = 8 / 255


@pytest.fixture
def labelled(tiny_classifier: Classifier, pixels: Pixels) -> tuple[Tensor, Tensor]:
    """Ten pictures of whole 255ths, labelled as the model sees them but for one."""
    images = (pixels(10) * 255).round() / 255
    with torch.no_grad():
        labels = tiny_classifier(images).argmax(dim=1)
    labels[3] = (labels[3] + 1) % 7
    return images, labels


def rows_of(evaluated: Any) -> list[dict[str, Any]]:
    """The rows without the time that each took."""
    return [{name: value for name, value in row.items() if name != "time_s"} for row in evaluated.rows()]


def test_tensors_and_files_give_the_same_rows(
    tiny_classifier: Classifier, labelled: tuple[Tensor, Tensor], tmp_path: Path
) -> None:
    """What differs is how a picture is called: by its place instead of its path, by its pixels' hash instead of its file's."""
    images, labels = labelled
    items = []
    for i, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
        path = tmp_path / f"{i}.png"
        Image.fromarray((image * 255).round().byte().permute(1, 2, 0).numpy()).save(path)
        items.append(Item(str(path), label))
    request = EvaluateRequest("", attacks=(AttackSpec("fgsm"),), options=RunOptions(threat=ThreatModel(eps=EPS)))
    work = plan_evaluation(request, [Variant("none", tiny_classifier)], tiny_classifier, "given")
    rows: list[Any] = []
    summary = evaluate_files(work, items, rows.extend, no_progress)
    given = evaluate(tiny_classifier, (images, labels), attacks="fgsm", eps=EPS)
    nameless = {"path": "", "sha256": "", "time_s": 0.0, "model_id": ""}
    assert [replace(one, **nameless) for one in given.pictures] == [replace(one, **nameless) for one in rows]
    assert given.robust_accuracy == summary.robust_accuracy
    assert given.interval == summary.robust_interval
    assert [one.name for one in given.summary.checks] == [one.name for one in summary.checks]


@pytest.mark.parametrize("batch_size", [1, 3, 10])
def test_any_loader_gives_the_rows_of_one_batch(
    tiny_classifier: Classifier, labelled: tuple[Tensor, Tensor], batch_size: int
) -> None:
    """A picture's draws hang on its pixels and the seed, so neither the loader's batches nor the model's change a row."""
    whole = evaluate(tiny_classifier, labelled, attacks=PGD(steps=3), eps=[EPS / 4, EPS], checks="off")
    loader = DataLoader(TensorDataset(*labelled), batch_size=batch_size)
    split = evaluate(tiny_classifier, loader, attacks=PGD(steps=3), eps=[EPS / 4, EPS], checks="off", batch_size=4)
    assert rows_of(split) == rows_of(whole)
    assert set(whole.rows()[0]) == set(columns())
    assert len(whole.rows()) == 20
    assert whole.clean_accuracy == 0.9
    assert whole.robust_accuracy == whole.summary.curve[-1].robust_accuracy


def test_without_an_attack_only_clean_accuracy_is_counted(
    tiny_classifier: Classifier, labelled: tuple[Tensor, Tensor]
) -> None:
    """No attack, no figure under one."""
    found = evaluate(tiny_classifier, labelled, attacks=())
    assert (found.clean_accuracy, found.robust_accuracy, found.interval) == (0.9, None, None)


def test_settings_of_an_attack_reach_the_rows(tiny_classifier: Classifier, labelled: tuple[Tensor, Tensor]) -> None:
    """Two attacks of one name are told apart by the settings that differ from its defaults."""
    found = evaluate(tiny_classifier, labelled, attacks=[PGD(steps=2), PGD(steps=3, momentum=0.5), FGSM()], eps=EPS)
    names = {row["attack"] for row in found.rows()}
    assert names == {"pgd[steps=2]", "pgd[steps=3,momentum=0.5]", "fgsm"}


def test_a_progress_that_raises_ends_it(tiny_classifier: Classifier, labelled: tuple[Tensor, Tensor]) -> None:
    """What the caller raises comes through; a loader of unknown length reports no total."""
    totals = set()

    def stop(done: int = 0, total: int = 0, note: str = "") -> None:
        totals.add(total)
        if done and "step 2" in note:
            raise Cancelled

    with pytest.raises(Cancelled):
        evaluate(tiny_classifier, iter([labelled]), attacks=PGD(steps=5), progress=stop)
    assert totals == {0}


def test_pictures_for_checks_are_spread_over_a_stream() -> None:
    """Of a stream whose end nobody knows, as many as are wanted are kept, at even distances."""
    for n in (0, 1, 3, 4, 9, 100):
        spread = Spread(4)
        for i in range(n):
            spread.add(i)  # type: ignore[arg-type]
        chosen: list[Any] = spread.chosen()
        assert len(chosen) == min(n, 4)
        gaps = {after - before for before, after in itertools.pairwise(chosen)}
        assert len(gaps) <= 1
        assert not chosen or chosen[-1] + max(gaps, default=1) >= n / 2


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda x, y: ((x * 255).byte(), y), "uint8"),
        (lambda x, y: (x.half(), y), "float16"),
        (lambda x, y: ((x - 0.5) / 0.25, y), "not normalised"),
        (lambda x, y: (x * 255, y), "not from 0 to 1"),
        (lambda x, y: (x.clone().fill_(float("nan")), y), "nan"),
        (lambda x, y: (x[:, :, :20, :20], y), "20 × 20 pixels, and the model takes 24 × 24"),
        (lambda x, y: (x[:, :1], y), "shape"),
        (lambda x, y: (x[0], y), "shape"),
        (lambda x, y: (x, y.float()), "Labels are torch.float32"),
        (lambda x, y: (x, y + 7), "Labels range"),
        (lambda x, y: (x, y - 9), "Labels range"),
        (lambda x, y: (x, y[:3]), "labels of shape"),
        (lambda x, y: (x, y[:, None]), "labels of shape"),
        (lambda x, _: x, "given as a Tensor"),
        (lambda *_: 5, "given as a int"),
        (lambda x, y: [{"image": x, "label": y}], "A batch is a dict"),
        (lambda x, y: [(x, y, y)], "A batch is a tuple of 3"),
        (lambda x, _: [x], "A batch is a Tensor"),
        (lambda *_: [], "There is no picture"),
        (lambda x, y: (x[:0], y[:0]), "There is no picture"),
    ],
)
def test_anything_else_is_refused_in_a_sentence(
    tiny_classifier: Classifier, labelled: tuple[Tensor, Tensor], spoil: Callable[[Tensor, Tensor], Any], sentence: str
) -> None:
    """Bytes, normalised pixels, another size, NaN, labels that are no class, batches of another kind."""
    with pytest.raises(BadRequest, match=sentence):
        evaluate(tiny_classifier, spoil(*labelled), attacks=FGSM())


def test_what_is_asked_of_it_is_checked(tiny_classifier: Classifier, labelled: tuple[Tensor, Tensor]) -> None:
    """Another attack, class or norm is named with the nearest; a mere function is no model, and a classifier has its names."""
    for wrong in ({"attacks": "pdg"}, {"target": "a cub"}, {"norm": "l3"}, {"suite": "quik"}, {"checks": "some"}):
        with pytest.raises(UnknownName):
            evaluate(tiny_classifier, labelled, **wrong)  # type: ignore[arg-type]
    with pytest.raises(BadRequest, match="makes no sense"):
        evaluate(tiny_classifier, labelled, eps=4)
    with pytest.raises(BadRequest, match=r"capt\.Classifier"):
        evaluate(torch.sigmoid, labelled)  # type: ignore[arg-type]
    with pytest.raises(BadRequest, match="class names already"):
        evaluate(tiny_classifier, labelled, classes=["a"] * 7)


def test_rows_say_whose_prompts_answered(tiny_classifier: Classifier, labelled: tuple[Tensor, Tensor]) -> None:
    """Plain text has the id that requests use for it."""
    one = evaluate(tiny_classifier, labelled, attacks=(), checks="off").pictures[0]
    assert isinstance(one, PictureRow)
    assert (one.prompt_id, one.label_source, one.path) == ("none", "given", "0")


class Behind(nn.Module):
    """The logits of a classifier, as a module of somebody else's that shows nothing else."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self._of = [classifier]

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, k)."""
        return self._of[0](images)


def test_a_module_gives_the_rows_of_the_classifier_behind_it(
    tiny_classifier: Classifier, labelled: tuple[Tensor, Tensor]
) -> None:
    """Every cell is the same, but for those that are computed from embeddings, which are empty; so are accuracies and most checks."""
    names = [f"thing {i}" for i in range(7)]
    attacks = [PGD(steps=4), Square(queries=20)]
    ours = evaluate(tiny_classifier, labelled, attacks=attacks, eps=EPS, checks="full", skip_broken=True)
    theirs = evaluate(
        Behind(tiny_classifier).eval(),
        DataLoader(TensorDataset(*labelled), batch_size=4),
        attacks=attacks,
        eps=EPS,
        checks="full",
        skip_broken=True,
        classes=tiny_classifier.classes,
    )
    empty: set[str] = set()
    for one, other in zip(rows_of(ours), rows_of(theirs), strict=True):
        empty |= {name for name in one if one[name] != other[name]}
    of_clip = {f"{name}_{when}" for name in ("cosine_margin", "label_cosine") for when in ("clean", "attacked")} | {
        "cosine"
    }
    assert empty == of_clip | {"model_id"}
    assert all(row[name] is None for row in theirs.rows() for name in of_clip)
    assert theirs.interval == ours.interval
    skipped = {one.name: one.message for one in theirs.summary.checks if one.status == "not_run"}
    for name in ("baseline-breaks", "transfer-weaker", "normalised"):
        assert skipped[name].endswith(".")
    others = [(one.name, one.status) for one in ours.summary.checks if one.name not in skipped]
    assert others == [(one.name, one.status) for one in theirs.summary.checks if one.name not in skipped]
    assert (theirs.summary.model, theirs.summary.model_sha256) == ("Behind", "")
    named = evaluate(Behind(tiny_classifier).eval(), labelled, attacks=(), checks="off", classes=names)
    assert named.pictures[0].classes == tuple(names)


def test_a_module_names_its_outputs_by_number_and_takes_any_shape() -> None:
    """Without names the classes are "0", "1", …; pictures need not be square, but have to be of one shape."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(12, 3)).eval()
    x = torch.rand(5, 3, 6, 8)
    with torch.no_grad():
        y = model(x).argmax(dim=1)
    found = evaluate(model, (x, y), attacks="fgsm")
    assert found.clean_accuracy == 1.0
    assert found.pictures[0].classes == ("0", "1", "2")
    assert (found.pictures[0].width, found.pictures[0].height) == (8, 6)
    with pytest.raises(BadRequest, match="8 × 8 pixels, and the model takes 8 × 6"):
        evaluate(model, [(x, y), (torch.rand(1, 3, 8, 8), y[:1])], attacks="fgsm")
    with pytest.raises(BadRequest, match="2 class names for 3 outputs"):
        evaluate(model, (x, y), classes=["a", "b"])
    with pytest.raises(BadRequest, match="Labels range"):
        evaluate(model, (x, y + 3))
    with pytest.raises(BadRequest, match="training mode"):
        evaluate(model.train(), (x, y))
    with pytest.raises(BadRequest, match="image embeddings"):
        evaluate(model.eval(), (x, y), attacks="embedding")
    with pytest.raises(BadRequest, match="There is no picture"):
        evaluate(model, [])


def test_a_quick_look_saves_a_share_of_the_pictures(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """Of which pictures the saved form was asked about is decided by their hash; without the suite it is asked of all."""
    images = pixels(24)
    with torch.no_grad():
        labels = tiny_classifier(images).argmax(dim=1)
    for suite, every in (("quick", suite_of("quick").saved_every), ("", 1)):
        attacks = () if suite else ("fgsm",)
        rows = evaluate(tiny_classifier, (images, labels), attacks=attacks, suite=suite, eps=0.3, checks="off").rows()
        broken = [row for row in rows if row["success"] is True]
        assert len(broken) > 12
        for row in broken:
            assert (row["survives_png"] is not None) == (int(row["sha256"][:8], 16) % every == 0)
