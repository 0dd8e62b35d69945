"""The result store beside an evaluation: rows that were stored are those that are computed, and other questions have other answers."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from capt_engine.attacks.pgd import PGD
from capt_engine.data.labelled_set import Item
from capt_engine.evaluation import checks, minimal, rows
from capt_engine.evaluation.analysis import analyze, evaluate
from capt_engine.evaluation.identity import identity
from capt_engine.evaluation.known import Known, known_of
from capt_engine.evaluation.of_tensors import evaluate as evaluate_tensors
from capt_engine.evaluation.plan import Plan, Variant, plan_analysis, plan_evaluation
from capt_engine.folders import RESULTS
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone
from capt_engine.progress import no_progress
from capt_engine.records import AnalyzeRequest, AnalyzeResult, AttackSpec, EvaluateRequest, RunOptions, ThreatModel
from capt_engine.results import limits
from capt_engine.results.store import FILE
from tests.conftest import TINY_CLASSES
from tests.engine.settings import changed

BRIEF = AttackSpec("pgd", (("steps", 2),))
FAINT = AttackSpec("fgsm")


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store is on, in a folder of this test's own."""
    monkeypatch.setenv(limits.OFF, "0")
    monkeypatch.setenv(RESULTS, str(tmp_path / "store"))
    return tmp_path / "store" / FILE


@pytest.fixture
def items(tmp_path: Path) -> tuple[Item, ...]:
    """Five pictures, of which some are larger than the model's input, labelled by chance; the last cannot be read."""
    stream = np.random.default_rng(2)
    (tmp_path / "secret-folder").mkdir()
    paths = [tmp_path / "secret-folder" / f"private-{i}.png" for i in range(6)]
    for i, path in enumerate(paths[:5]):
        size = 24 + 8 * (i % 2)
        Image.fromarray(stream.integers(0, 256, (size, size, 3), dtype=np.uint8)).save(path)
    paths[5].write_bytes(b"no picture")
    return tuple(Item(str(path), i % 7, (i + 1) % 7) for i, path in enumerate(paths))


@pytest.fixture
def no_attack(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A function; after it was called, whoever runs an attack or a check of a model fails."""

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("this was computed before")

    def forbid() -> None:
        for module in (rows, minimal):
            monkeypatch.setattr(module, "run_attack", fail)
        monkeypatch.setattr(checks, "run_checks", fail)

    return forbid


@dataclass(frozen=True)
class Models:
    """Plain text, and two variants of it that stand in for prompts."""

    plain: Classifier
    other: Classifier

    def variants(self, *names: str) -> list[Variant]:
        """The variants of these names; "none" is plain text."""
        return [Variant(name, self.plain if name == "none" else self.other) for name in names]


@pytest.fixture
def models(tiny_backbone: Backbone, tiny_classifier: Classifier) -> Models:
    """The tiny CLIP with two templates."""
    return Models(tiny_classifier, Classifier(tiny_backbone, TINY_CLASSES, "a bad drawing of {}."))


def plan_of(request: AnalyzeRequest | EvaluateRequest, models: Models, label_source: str = "folder") -> Plan:
    """The plan of a request for the variants that it names."""
    variants = models.variants(*request.variants)
    if isinstance(request, AnalyzeRequest):
        return plan_analysis(request, variants, models.plain)
    return plan_evaluation(request, variants, models.plain, label_source)


def run(work: Plan, items: Sequence[Item], known: Known | None) -> tuple[list[Any], AnalyzeResult]:
    """All rows and the summary of a plan on pictures."""
    found: list[Any] = []
    if work.label_source == "model":
        result = analyze(work, [one.path for one in items], found.extend, no_progress, known=known)
    else:
        some = items if work.threat.target_column else [replace(one, target=None) for one in items]
        result = evaluate(work, some, found.extend, no_progress, known=known)
    return found, result


def beside_store(work: Plan, items: Sequence[Item]) -> tuple[list[Any], AnalyzeResult, int]:
    """All rows and the summary of a plan on pictures, with the store, and how many rows came from it."""
    known = known_of(work)
    assert known is not None
    with known:
        found, result = run(work, items, known)
    assert known.note == ""
    return found, result, known.n_rows


def timeless(found: Sequence[Any], *, keys: bool = True) -> list[Any]:
    """Rows without the time that they took, and without the key that only stored ones have."""
    return [
        replace(row, time_s=0.0, **({} if keys else {"store_key": ""})) if hasattr(row, "time_s") else row
        for row in found
    ]


def figures(result: AnalyzeResult) -> AnalyzeResult:
    """A summary without what is measured of time and memory."""
    attacks = tuple(replace(one, seconds=0.0) for one in result.attacks)
    return replace(
        result, wall_s=0.0, images_per_s=0.0, memory_bytes=0, rows_from_store=0, attacks=attacks, compared=None
    )


SHOWN = RunOptions(with_pictures=True)
RUNS: dict[str, AnalyzeRequest | EvaluateRequest] = {
    "a look with pictures": AnalyzeRequest((), BRIEF, options=SHOWN),
    "clean predictions": AnalyzeRequest((), None, options=SHOWN),
    "an evaluation with checks": EvaluateRequest("", attacks=(BRIEF,)),
    "a suite": EvaluateRequest(
        "", attacks=(FAINT, BRIEF, AttackSpec("square", (("queries", 3),))), skip_broken=True, checks="off"
    ),
    "a curve": EvaluateRequest(
        "", attacks=(BRIEF,), curve=(0.0, 0.01, 0.3), until_chance=True, skip_broken=True, checks="off"
    ),
    "A and B": EvaluateRequest("", attacks=(BRIEF,), options=RunOptions(compare="other", aim="a"), checks="cheap"),
    "a matrix": EvaluateRequest("", attacks=(FAINT,), matrix=("none", "other"), checks="off"),
    "a target": EvaluateRequest(
        "", attacks=(BRIEF,), options=RunOptions(threat=ThreatModel(target="a cone")), checks="off"
    ),
    "targets": EvaluateRequest(
        "", attacks=(BRIEF,), options=RunOptions(threat=ThreatModel(target_column="t")), checks="off"
    ),
    "the pictures' own pixels": AnalyzeRequest(
        (), BRIEF, options=RunOptions(threat=ThreatModel(perturb="original", rounding="8-bit"), with_pictures=True)
    ),
    "the smallest ε": EvaluateRequest("", attacks=(BRIEF,), minimal_eps=0.5, checks="off"),
    "corruptions": EvaluateRequest(
        "",
        attacks=(),
        suite="corruptions",
        shared_values=(("severity", 3),),
        checks="off",
        options=RunOptions(compare="other"),
    ),
    "noise in L2": EvaluateRequest(
        "", attacks=(AttackSpec("noise"),), options=RunOptions(threat=ThreatModel("l2", 1.0)), checks="off"
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_stored_rows_are_computed_rows(
    name: str, items: tuple[Item, ...], models: Models, no_attack: Callable[[], None]
) -> None:
    """Without a store, with an empty one, and from it: the same rows in the same order, pictures too, and the same summary.

    The second time nothing is attacked, and the times are those of the first.
    """
    request = RUNS[name]
    label_source = "model" if isinstance(request, AnalyzeRequest) else "folder"
    work = plan_of(request, models, label_source)
    plain, plain_result = run(work, items, None)
    cold, cold_result, n_cold = beside_store(work, items)
    no_attack()
    warm, warm_result, n_warm = beside_store(plan_of(request, models, label_source), items)
    assert n_cold == 0
    assert n_warm == warm_result.rows_from_store == sum(hasattr(row, "time_s") for row in warm)
    assert warm == cold
    assert timeless(cold, keys=False) == timeless(plain)
    assert figures(warm_result) == figures(cold_result) == figures(plain_result)


OTHER: dict[str, Callable[[EvaluateRequest], EvaluateRequest]] = {
    "ε": lambda one: changed(one, threat=ThreatModel(eps=5 / 255)),
    "norm": lambda one: changed(one, threat=ThreatModel("l2")),
    "rounding": lambda one: changed(one, threat=ThreatModel(rounding="8-bit")),
    "pixels": lambda one: changed(one, threat=ThreatModel(perturb="original")),
    "target": lambda one: changed(one, threat=ThreatModel(target="a mug")),
    "seed": lambda one: changed(one, seed=1),
    "attack": lambda one: replace(one, attacks=(FAINT,)),
    "setting": lambda one: replace(one, attacks=(AttackSpec("pgd", (("steps", 3),)),)),
    "prompts": lambda one: changed(one, prompts="other"),
    "suite": lambda one: replace(one, suite="quick", attacks=(), shared_values=(("steps", 2),)),
}


@pytest.mark.parametrize("name", OTHER)
def test_another_question_has_another_answer(name: str, items: tuple[Item, ...], models: Models) -> None:
    """Whatever changes a result is a part of the question: nothing of the first run is found for the second."""
    first = EvaluateRequest("", attacks=(BRIEF,), checks="off")
    beside_store(plan_of(first, models), items)
    assert beside_store(plan_of(first, models), items)[2] == 5
    other = OTHER[name](first)
    found, _, n = beside_store(plan_of(other, models), items)
    # ...but rows without an attack, of pictures that a suite leaves out, need none.
    assert n == 0
    assert timeless(found, keys=False) == timeless(run(plan_of(other, models), items, None)[0])


def test_another_label_or_picture_or_model_is_another_question(
    items: tuple[Item, ...], models: Models, tiny_backbone: Backbone
) -> None:
    """Labels, the order of classes, the template, the precision and the pixels of the file count, and its name does not."""
    request = EvaluateRequest("", attacks=(BRIEF,), checks="off")
    beside_store(plan_of(request, models), items)
    moved = Path(items[0].path).rename(Path(items[0].path).with_name("renamed.png"))
    assert beside_store(plan_of(request, models), [replace(items[0], path=str(moved))])[2] == 1
    assert beside_store(plan_of(request, models), [replace(items[1], label=6)])[2] == 0
    for classifier in (
        Classifier(tiny_backbone, TINY_CLASSES[::-1], "a photo of {}."),
        Classifier(tiny_backbone, TINY_CLASSES, "a photo of a {}."),
        Classifier(tiny_backbone, TINY_CLASSES, "a photo of {}.", precision="bf16"),
    ):
        assert beside_store(plan_of(request, Models(classifier, classifier)), items[1:2])[2] == 0


def test_only_what_is_missing_is_computed(
    items: tuple[Item, ...], models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A budget more on a curve, an attack more, a model beside: the rows that are known are not computed again, and all are right."""
    ran: list[int] = []
    real = rows.run_attack

    def counted(attack: Any, model: Any, images: Any, *rest: Any) -> Any:
        ran.append(len(images))
        return real(attack, model, images, *rest)

    first = EvaluateRequest("", attacks=(BRIEF,), curve=(0.01, 0.05), checks="off")
    beside_store(plan_of(first, models), items[:3])
    monkeypatch.setattr(rows, "run_attack", counted)
    for more, n_rows, n_attacked in (
        (replace(first, curve=(0.01, 0.02, 0.05)), 6, 3),
        (replace(first, attacks=(FAINT, BRIEF)), 6, 6),
        (replace(first, options=RunOptions(compare="other")), 6, 6),
        (first, 6, 0),
    ):
        ran.clear()
        found, _, n = beside_store(plan_of(more, models), items[:3])
        assert (n, sum(ran)) == (n_rows, n_attacked)
        assert timeless(found, keys=False) == timeless(run(plan_of(more, models), items[:3], None)[0])
    found, _, n = beside_store(plan_of(first, models), items)
    assert n == 6
    assert timeless(found, keys=False) == timeless(run(plan_of(first, models), items, None)[0])


def test_pictures_are_kept_of_what_is_fooled_or_shown(items: tuple[Item, ...], models: Models) -> None:
    """A row without success keeps its pictures only where the run wants to show it; who wants more computes that row again."""
    request = EvaluateRequest("", attacks=(BRIEF,), checks="off", options=SHOWN)
    work = replace(plan_of(request, models), wants=lambda _: False)
    cold, _, _ = beside_store(work, items)
    warm, _, n = beside_store(work, items)
    fooled = [row.path for row in cold if hasattr(row, "success") and row.success]
    assert n == 5
    assert [row.path for row in warm if getattr(row, "pictures", None) is not None] == fooled
    again, _, n = beside_store(plan_of(request, models), items)
    assert n == len(fooled)
    assert timeless(again) == timeless(cold)


def test_pictures_of_a_run_that_shows_none_are_there_for_one_that_does(
    items: tuple[Item, ...], models: Models, no_attack: Callable[[], None], store: Path
) -> None:
    """The same question, now with pictures of what was fooled: nothing is attacked. They are the first to go when room is needed."""
    request = AnalyzeRequest((), BRIEF, options=RunOptions(threat=ThreatModel(eps=0.5)))
    without, _, _ = beside_store(plan_of(request, models, "model"), items)
    assert [row for row in without if getattr(row, "pictures", None)] == []
    link = sqlite3.connect(store)
    kinds = dict(
        link.execute("SELECT q.kind, max(c.used) FROM questions q JOIN cells c ON c.question = q.digest GROUP BY 1")
    )
    link.close()
    assert kinds["seen"] == kinds["pixels"] == 0
    assert kinds["attacked"] > 0
    no_attack()
    work = plan_of(changed(request, with_pictures=True), models, "model")
    shown, _, n = beside_store(replace(work, wants=lambda _: False), items)
    assert n == 5
    fooled = [row.path for row in shown if getattr(row, "success", None)]
    assert [row.path for row in shown if getattr(row, "pictures", None)] == fooled != []


def test_a_stopped_run_is_gone_on_with(items: tuple[Item, ...], models: Models) -> None:
    """Attacks that had ended before a run was stopped are not run again, in the middle of a batch too."""

    class Enough(Exception):
        """Raised by the progress that stops the run."""

    def stopping(done: int = 0, total: int = 0, note: str = "") -> None:
        del done, total
        if "FGSM" in note:
            raise Enough

    request = EvaluateRequest("", attacks=(BRIEF, FAINT), checks="off", options=RunOptions(batch_size=5))
    work = plan_of(request, models)
    with pytest.raises(Enough), known_of(work) as known:  # type: ignore[union-attr]
        evaluate(
            work, items[:5], lambda _: None, lambda done=0, total=0, note="": stopping(done, total, note), known=known
        )
    found, _, n = beside_store(work, items[:5])
    assert n == 5
    assert timeless(found, keys=False) == timeless(run(work, items[:5], None)[0])


def test_nothing_in_the_store_has_a_name(items: tuple[Item, ...], models: Models, store: Path) -> None:
    """No path, file name, class name, template or prompts' name is in its files; neither is anything written anywhere else."""
    request = EvaluateRequest("", attacks=(BRIEF,), options=RunOptions(compare="own-prompts", with_pictures=True))
    beside_store(plan_of(request, models), items)
    content = b"".join(path.read_bytes() for path in store.parent.iterdir())
    assert len(content) > 10_000
    words = ("private", "secret", "cone", "donut", "drawing", "photo of", "own-prompts", str(store.parent.parent.name))
    assert [word for word in words if word.encode() in content] == []


def test_a_value_that_cannot_be_read_is_computed(items: tuple[Item, ...], models: Models, store: Path) -> None:
    """Rows beside damaged values are those of a run without a store."""
    request = AnalyzeRequest((), BRIEF, options=SHOWN)
    work = plan_of(request, models, "model")
    beside_store(work, items)
    link = sqlite3.connect(store)
    link.execute("UPDATE cells SET value = substr(value, 1, length(value) - 2)")
    link.commit()
    link.close()
    found, _, n = beside_store(work, items)
    assert n == 0
    assert timeless(found, keys=False) == timeless(run(work, items, None)[0])


@pytest.fixture
def pictures(pixels: Callable[..., torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Four pictures as tensors, with labels."""
    return pixels(4), torch.arange(4)


def test_python_asks_the_store_too(
    pictures: tuple[torch.Tensor, torch.Tensor], tiny_classifier: Classifier, no_attack: Callable[[], None]
) -> None:
    """The second evaluation of the same tensors attacks and checks nothing, unless it is told not to look."""
    cold = evaluate_tensors(tiny_classifier, pictures, attacks=PGD(steps=2), eps=0.01)
    no_attack()
    warm = evaluate_tensors(tiny_classifier, pictures, attacks=PGD(steps=2), eps=0.01)
    assert warm.pictures == cold.pictures
    assert warm.summary.checks == cold.summary.checks
    assert (cold.summary.rows_from_store, warm.summary.rows_from_store) == (0, 4)
    with pytest.raises(AssertionError, match="computed before"):
        evaluate_tensors(tiny_classifier, pictures, attacks=PGD(steps=2), eps=0.01, cache=False)


def test_a_model_that_was_changed_is_another(pictures: tuple[torch.Tensor, torch.Tensor], tiny_folder: Path) -> None:
    """A program may change weights after loading them: the store notices, though the file's SHA-256 is the old one."""
    import capt_engine as capt

    clip = capt.load_clip(f"local-dir:{tiny_folder}")
    model = Classifier(clip, TINY_CLASSES, "a photo of {}.")
    evaluate_tensors(model, pictures, attacks=PGD(steps=1), checks="off")
    before = identity(model, may_change=True)
    with torch.no_grad():
        clip.clip.visual.transformer.resblocks[0].mlp.c_fc.weight.mul_(1.001)
    assert identity(model, may_change=True) != before
    assert evaluate_tensors(model, pictures, attacks=PGD(steps=1), checks="off").summary.rows_from_store == 0


def test_of_a_module_nothing_is_stored(pictures: tuple[torch.Tensor, torch.Tensor], store: Path) -> None:
    """Nothing says what a torch module is, so there is no question to find it by."""
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 24 * 24, 7)).eval()
    for _ in range(2):
        assert evaluate_tensors(module, pictures, attacks="fgsm", checks="off").summary.rows_from_store == 0
    assert not store.exists()
