"""Requests through the real door, on a real though tiny CLIP: what comes out is what was asked for, whatever else is around."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from capt_engine.attacks import ATTACKS
from capt_engine.bundled_models import BUNDLED
from capt_engine.data.class_lists import names_of
from capt_engine.demo.world import TASKS
from capt_engine.jobs import model_cache
from capt_engine.jobs.catalogue import suggestion
from capt_engine.jobs.previews import FIRST
from capt_engine.metrics import METRICS
from capt_engine.model.checkpoints import read_document
from capt_engine.model.store.prompt_store import find
from capt_engine.records import (
    AnalyzeRequest,
    AnalyzeResult,
    AttackSpec,
    CheckClassesRequest,
    ClassesChecked,
    DescribePromptsRequest,
    FailedPicture,
    JobCancelled,
    JobProgress,
    Picture,
    PictureRow,
    PicturesFound,
    Preview,
    PreviewRequest,
    PreviewsReady,
    RowsReady,
    RunOptions,
    ThreatModel,
)
from tests.engine.jobs.desk import Desk
from tests.engine.settings import changed

CLASSES = ("cube", "sphere", "cone", "heart", "star")
BRIEF = AttackSpec("pgd", (("steps", 4),))


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    """One engine for the tests of this module: loading is done once."""
    desk = Desk()
    # The worker of files starts with its first job.
    desk.result(PreviewRequest(()))
    yield desk
    assert desk.engine.close()


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of eight pictures of several shapes and, in its middle, one that is none."""
    folder = tmp_path_factory.mktemp("photos")
    stream = np.random.default_rng(0)
    for number, shape in enumerate(
        [(24, 24), (30, 50), (60, 40), (24, 25), (100, 80), (33, 33), (24, 24), (48, 24)], 1
    ):
        pixels = stream.integers(0, 256, (*shape, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    (folder / "4b.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    return folder


@pytest.fixture
def ask(tiny_folder: Path, photos: Path) -> Callable[..., AnalyzeRequest]:
    """A function of (**changes): an analysis of the folder by the tiny model."""

    def ask(**changes: Any) -> AnalyzeRequest:
        plain = AnalyzeRequest(
            (str(photos),),
            attack=BRIEF,
            options=RunOptions(model=f"local-dir:{tiny_folder}", classes=CLASSES, with_pictures=True),
        )
        return changed(plain, **changes)

    return ask


def timeless(rows: list[Any]) -> list[Any]:
    """Rows without what no two runs share."""
    return [replace(row, time_s=0.0) if isinstance(row, PictureRow) else row for row in rows]


def readable(rows: list[Any]) -> list[PictureRow]:
    """The rows of pictures that could be read, in the order of their paths."""
    return sorted((row for row in rows if isinstance(row, PictureRow)), key=lambda row: row.path)


def test_who_names_no_classes_asks_photograph_models_about_everyday_words() -> None:
    """The model that ships and any that was installed; the toy models are asked about their shapes."""
    assert suggestion("photo")[0] == suggestion("vit-b-32-openai")[0] == names_of("everyday")
    assert suggestion("demo")[0] == suggestion("demo-robust")[0] == TASKS["shapes"].classes


def test_the_catalogue_is_drawn_from_the_tables(desk: Desk) -> None:
    """Whatever is registered can be chosen, and the bundled model's suggestions can be asked."""
    desk.result(CheckClassesRequest("demo", (), "a {}."))
    assert desk.ready is not None
    catalogue = desk.ready.catalogue
    assert tuple(attack.name for attack in catalogue.attacks) == ATTACKS.names()
    assert tuple(metric.name for metric in catalogue.metrics) == METRICS.names()
    assert {norm.name for norm in catalogue.norms} == {"linf", "l2"}
    assert tuple(model.id for model in catalogue.models) == BUNDLED
    assert [(one.id, one.classes) for one in catalogue.class_lists] == [
        (name, names_of(name)) for name in ("everyday", "imagenet")
    ]
    assert [one.among for one in catalogue.class_lists] == ["130 everyday words", "ImageNet's 1,000 names"]
    assert all(model.template.count("{}") == 1 and len(model.classes) > 1 for model in catalogue.models)
    assert desk.ready.device.name == "cpu"


def test_one_bad_file_is_one_failed_row(desk: Desk, ask: Callable[..., AnalyzeRequest], photos: Path) -> None:
    """In the middle of a folder it gets its sentence, and all others their rows."""
    rows = desk.rows(ask(batch_size=3))
    result: AnalyzeResult = desk.events[-1].result
    failed = [row for row in rows if isinstance(row, FailedPicture)]
    assert [Path(row.path).name for row in readable(rows)] == [f"{i}.png" for i in range(1, 9)]
    assert [row.path for row in failed] == [str(photos / "4b.png")]
    assert failed[0].message
    assert failed[0].hint
    assert (result.n, result.n_failed) == (8, 1)


def test_the_summary_is_that_of_the_rows(desk: Desk, ask: Callable[..., AnalyzeRequest]) -> None:
    """Shares, means and labels are those of the rows that were sent."""
    rows = readable(desk.rows(ask(threat=ThreatModel(eps=0.02))))
    result: AnalyzeResult = desk.events[-1].result
    kept = sum(row.clean.winner == row.attacked.winner for row in rows)
    assert 0 < kept < 8, "the test would show little"
    assert result.robust_accuracy == kept / 8
    assert result.attacks[0].success_rate == sum(bool(row.success) for row in rows) / 8 == 1 - kept / 8
    assert result.clean_accuracy == 1
    for name, mean in result.consistency:
        values = [dict(row.metrics)[name] for row in rows if name in dict(row.metrics)]
        assert mean == pytest.approx(sum(values) / len(values))
    for row in rows:
        assert row.label == row.classes[row.clean.winner]
        assert sum(row.clean.probabilities) == pytest.approx(1)
        assert (row.survives_png is None) == (row.survives_jpeg95 is None) == (not row.success)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_rows_do_not_depend_on_the_batch(desk: Desk, ask: Callable[..., AnalyzeRequest], norm: str) -> None:
    """One by one, three at a time, all at once or as the engine likes: every figure and every pixel is the same."""
    threat = ThreatModel(norm, 0.03 if norm == "linf" else 0.5)
    one, *others = [readable(timeless(desk.rows(ask(batch_size=batch, threat=threat)))) for batch in (1, 3, 8, 0)]
    assert len(one) == 8
    for other in others:
        assert other == one


def test_the_seed_decides(desk: Desk, ask: Callable[..., AnalyzeRequest], photos: Path) -> None:
    """The same seed gives the same rows for a picture alone and among others, another seed other pictures."""
    together = readable(timeless(desk.rows(ask())))
    alone = timeless(desk.rows(ask(paths=(str(photos / "5.png"),))))
    assert alone == together[4:5]
    other = readable(desk.rows(ask(seed=1)))
    assert all(a.pictures.adversarial != b.pictures.adversarial for a, b in zip(together, other, strict=True))
    assert all(a.clean == b.clean for a, b in zip(together, other, strict=True))


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_no_budget_gives_the_clean_logits_bit_for_bit(
    desk: Desk, ask: Callable[..., AnalyzeRequest], norm: str
) -> None:
    """With ε = 0 nothing moves: same logits, no success, neutral metrics, an empty perturbation."""
    for row in readable(desk.rows(ask(threat=ThreatModel(norm, 0.0)))):
        assert row.attacked == row.clean
        assert row.success is False
        assert row.pictures.adversarial == row.pictures.seen
        assert not any(row.pictures.perturbation.values)
        metrics = dict(row.metrics)
        assert (metrics["linf"], metrics["agreement"], metrics["ssim"]) == (0, 1, pytest.approx(1))
        assert "psnr" not in metrics, "infinity is no number to print"


def test_pictures_show_what_was_done(desk: Desk, ask: Callable[..., AnalyzeRequest], photos: Path) -> None:
    """Seen plus perturbation is the adversarial picture, within the rounding of 8 bits; ±127 is ±ε."""
    rows = readable(desk.rows(ask(threat=ThreatModel(eps=8 / 255))))
    for row in rows:
        shown = row.pictures
        assert (shown.seen.width, shown.seen.height, shown.perturbation.scale) == (24, 24, 8 / 255)
        seen, adversarial = (np.frombuffer(p.rgb, np.uint8).astype(float) for p in (shown.seen, shown.adversarial))
        signed = np.frombuffer(shown.perturbation.values, np.int8).astype(float)
        assert np.abs(signed).max() == 127
        assert np.abs(seen + signed / 127 * 8 - adversarial).max() <= 1.1
    first = Image.open(photos / "1.png")
    assert rows[0].pictures.seen == Picture(24, 24, first.tobytes())
    assert all(row.pictures is None for row in readable(desk.rows(ask(with_pictures=False))))


def test_a_target_is_approached(desk: Desk, ask: Callable[..., AnalyzeRequest]) -> None:
    """A targeted run raises the target's probability for each picture, and success means that it won where it had not."""
    rows = readable(desk.rows(ask(threat=ThreatModel(eps=0.1, target="heart"), attack=AttackSpec("pgd"))))
    target = CLASSES.index("heart")
    for row in rows:
        assert row.attacked.probabilities[target] > row.clean.probabilities[target]
        assert row.success == (row.attacked.winner == target != row.clean.winner)
        assert row.threat.goal == "targeted"
    assert any(row.success for row in rows)


def test_no_attack_gives_clean_rows(desk: Desk, ask: Callable[..., AnalyzeRequest]) -> None:
    """Predictions only: nothing about an attack is claimed, in the rows or in the summary."""
    rows = readable(desk.rows(ask(attack=None)))
    result: AnalyzeResult = desk.events[-1].result
    assert len(rows) == 8
    for row in rows:
        assert (row.attacked, row.attack, row.success, row.metrics, row.survives_png) == (None, None, None, (), None)
        assert row.pictures.seen == row.pictures.adversarial
    assert (result.robust_accuracy, result.robust_interval, result.attacks, result.consistency) == (None, None, (), ())


def test_l2_stays_in_its_ball(desk: Desk, ask: Callable[..., AnalyzeRequest]) -> None:
    """The measured length is at most ε, and the attack uses it up."""
    rows = readable(desk.rows(ask(threat=ThreatModel("l2", 0.4))))
    lengths = [dict(row.metrics)["l2"] for row in rows]
    assert max(lengths) <= 0.4 + 1e-5
    assert min(lengths) > 0.3


def test_cancel_acts_within_one_step(desk: Desk, ask: Callable[..., AnalyzeRequest]) -> None:
    """After Cancel, pressed in the middle of an attack that would take minutes, not one more step is reported."""
    after: list[Any] = []
    pressed = threading.Event()

    def press(event: Any) -> None:
        if pressed.is_set():
            after.append(event)
        elif isinstance(event, JobProgress) and "step 2" in event.note:
            desk.engine.cancel(event.job)
            pressed.set()

    # The time between two reports is made of many steps; the tick after the flag is set must be the last.
    ending = desk.do(ask(attack=AttackSpec("pgd", (("steps", 10_000), ("restarts", 100)))), press)
    assert isinstance(ending, JobCancelled)
    assert after == [ending]


def test_rows_sent_before_a_cancel_stay(desk: Desk, ask: Callable[..., AnalyzeRequest]) -> None:
    """Cancelled after its third row, the job ends with three rows."""

    def press(event: Any) -> None:
        if isinstance(event, RowsReady) and sum(isinstance(e, RowsReady) for e in desk.events) == 3:
            desk.engine.cancel(event.job)

    assert isinstance(desk.do(ask(batch_size=1), press), JobCancelled)
    assert sum(isinstance(event, RowsReady) for event in desk.events) == 3


def test_progress_counts_up_to_the_end(desk: Desk, ask: Callable[..., AnalyzeRequest]) -> None:
    """Units of work never run back or past the total, and the notes say which picture is at hand."""
    desk.rows(ask(attack=AttackSpec("pgd", (("steps", 200),)), batch_size=2))
    told = [event for event in desk.events if isinstance(event, JobProgress) and event.total]
    assert len(told) >= 3
    assert [event.done for event in told] == sorted(event.done for event in told)
    assert all(event.done <= event.total for event in told)
    assert any("of 9" in event.note for event in told)


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"attack": AttackSpec("pgt")}, "UnknownName", "attack"),
        ({"attack": AttackSpec("pgd", (("stepz", 3),))}, "UnknownName", "setting"),
        ({"attack": AttackSpec("pgd", (("steps", 0),))}, "BadRequest", "Steps"),
        ({"attack": AttackSpec("pgd", (("loss", "hinge"),))}, "UnknownName", "loss"),
        ({"threat": ThreatModel("l3")}, "UnknownName", "norm"),
        ({"threat": ThreatModel(eps=-0.1)}, "BadRequest", "budget"),
        ({"threat": ThreatModel(eps=float("nan"))}, "BadRequest", "budget"),
        ({"threat": ThreatModel(eps=4.0)}, "BadRequest", "budget"),
        ({"threat": ThreatModel(target="hart")}, "UnknownName", "hart"),
        ({"classes": ("only",)}, "BadRequest", "told apart"),
        ({"template": "no place for a name"}, "BadRequest", "template"),
        ({"prompts": "mine.safetensors"}, "BadCheckpoint", "mine.safetensors"),
        ({"model": "local-dir:nowhere"}, "BadCheckpoint", "nowhere"),
        ({"device": "tpu"}, "DeviceProblem", "tpu"),
        ({"precision": "fp8"}, "UnknownName", "precision"),
        ({"batch_size": -1}, "BadRequest", "batch"),
    ],
)
def test_requests_that_make_no_sense_are_sentences(
    desk: Desk, ask: Callable[..., AnalyzeRequest], changes: dict[str, Any], kind: str, words: str
) -> None:
    """Each is refused before any picture is touched."""
    failure = desk.failure(ask(**changes))
    assert failure.kind == kind
    assert words in failure.message
    assert not any(isinstance(event, RowsReady) for event in desk.events)


def test_an_empty_folder_is_a_sentence(desk: Desk, ask: Callable[..., AnalyzeRequest], tmp_path: Path) -> None:
    """Nothing to look at is said, not shown as an empty table."""
    (tmp_path / "notes.txt").write_text("no picture", encoding="utf-8")
    assert "no picture" in desk.failure(ask(paths=(str(tmp_path),))).message
    assert "no picture" in desk.failure(ask(paths=())).message


def test_only_missing_files_are_failed_rows(desk: Desk, ask: Callable[..., AnalyzeRequest], tmp_path: Path) -> None:
    """What was named and is not there has a row of its own; the job ends with nothing measured."""
    rows = desk.rows(ask(paths=(str(tmp_path / "a.png"), str(tmp_path / "b.png"))))
    result: AnalyzeResult = desk.events[-1].result
    assert [type(row) for row in rows] == [FailedPicture, FailedPicture]
    assert (result.n, result.n_failed, result.clean_accuracy, result.robust_accuracy) == (0, 2, None, None)


def test_a_strip_is_a_failed_row(desk: Desk, ask: Callable[..., AnalyzeRequest], photos: Path, tmp_path: Path) -> None:
    """Scaled until its short side fits, it would fill the memory; its neighbours are analysed."""
    Image.new("RGB", (60_000, 2)).save(tmp_path / "strip.png")
    rows = desk.rows(ask(paths=(str(photos / "1.png"), str(tmp_path / "strip.png"), str(photos / "2.png"))))
    assert len(readable(rows)) == 2
    (failed,) = (row for row in rows if isinstance(row, FailedPicture))
    assert "60000 × 2" in failed.message


def test_a_model_is_loaded_once(
    desk: Desk, ask: Callable[..., AnalyzeRequest], tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two jobs with the same model load it once and encode their common class list once; another list reuses the model."""
    loaded: list[str] = []
    built: list[tuple[str, ...]] = []
    load, classifier = model_cache.load_backbone, model_cache.Classifier

    def watched_load(model: str, device: Any) -> Any:
        loaded.append(model)
        return load(model, device)

    def watched_classifier(backbone: Any, classes: Any, *rest: Any, **named: Any) -> Any:
        built.append(tuple(classes))
        return classifier(backbone, classes, *rest, **named)

    monkeypatch.setattr(model_cache, "load_backbone", watched_load)
    monkeypatch.setattr(model_cache, "Classifier", watched_classifier)
    link = tmp_path / "same"
    link.symlink_to(tiny_folder)
    for classes in (CLASSES, CLASSES, CLASSES[:3]):
        desk.rows(ask(model=f"local-dir:{link}", classes=classes, attack=None))
    assert loaded == [f"local-dir:{link}"]
    assert built == [CLASSES, CLASSES[:3]]


def test_previews_name_the_files_first(desk: Desk, photos: Path, tmp_path: Path) -> None:
    """All names at once, then small views as they are ready; what cannot be shown says why, and nothing is enlarged."""
    result = desk.result(PreviewRequest((str(photos), str(tmp_path / "gone.png")), size=40))
    found = [event for event in desk.events if isinstance(event, PicturesFound)]
    assert len(found) == 1
    assert len(found[0].paths) == 9
    assert [one.path for one in found[0].skipped] == [str(tmp_path / "gone.png")]
    shown = [one for event in desk.events if isinstance(event, PreviewsReady) for one in event.previews]
    assert tuple(one.path for one in shown) == found[0].paths
    sizes = {Path(one.path).name: one for one in shown if isinstance(one, Preview)}
    assert (sizes["5.png"].width, sizes["5.png"].height) == (80, 100)
    assert (sizes["5.png"].thumbnail.width, sizes["5.png"].thumbnail.height) == (32, 40)
    assert sizes["1.png"].thumbnail.width == 24
    assert all(len(one.thumbnail.rgb) == one.thumbnail.width * one.thumbnail.height * 3 for one in sizes.values())
    assert (result.n, result.n_failed) == (8, 2)
    assert found[0].labels == ()


def test_a_large_folder_is_told_of_as_it_is_looked_through(desk: Desk, photos: Path, tmp_path: Path) -> None:
    """The first names leave before the search is over, and their pictures before the other names; nothing comes twice or out of order."""
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(FIRST):
            shutil.copy(photos / "1.png", tmp_path / name / f"{number}.png")
    result = desk.result(PreviewRequest((str(tmp_path), str(tmp_path / "gone.png")), size=8))
    events = [event for event in desk.events if isinstance(event, PicturesFound | PreviewsReady)]
    assert isinstance(events[0], PicturesFound)
    assert isinstance(events[1], PreviewsReady)
    found = [event for event in events if isinstance(event, PicturesFound)]
    assert len(found) > 1
    names = tuple(path for event in found for path in event.paths)
    assert names == tuple(str(tmp_path / name / f"{number}.png") for name in ("cat", "dog") for number in range(FIRST))
    assert [len(event.skipped) for event in found] == [*[0] * (len(found) - 1), 1]
    assert found[-1].labels == tuple((path, Path(path).parent.name) for path in names)
    assert tuple(one.path for event in events if isinstance(event, PreviewsReady) for one in event.previews) == names
    assert (result.n, result.n_failed) == (2 * FIRST, 1)


def test_previews_bring_the_labels_that_were_given(desk: Desk, photos: Path, tmp_path: Path) -> None:
    """A list names its pictures and their labels; they are found by the paths that the window knows."""
    table = tmp_path / "given.csv"
    table.write_text(
        "".join(f"{line}\n" for line in ("path,label", f"{photos / '1.png'},cat", f"{photos / '2.png'},dog"))
    )
    desk.result(PreviewRequest((str(table),), size=16))
    (found,) = (event for event in desk.events if isinstance(event, PicturesFound))
    assert found.labels == tuple(zip(found.paths, ("cat", "dog"), strict=True))


def test_prompts_bring_their_classes_on_either_side(desk: Desk, photos: Path, tmp_path: Path) -> None:
    """A file says what it was tuned on, and where nobody names classes those of B are asked about, too, if A is plain text."""
    file = tmp_path / "mine.safetensors"
    shutil.copy(find("capt-shapes-night"), file)
    info = desk.result(DescribePromptsRequest(str(file))).info
    assert (info.id, info.label, info.model) == (str(file), "mine", "")
    assert info.classes == read_document(file).classes
    asked = AnalyzeRequest((str(photos / "1.png"),), None, options=RunOptions(model="demo", compare=str(file)))
    assert {row.classes for row in desk.rows(asked)} == {info.classes}
    (tmp_path / "other.safetensors").write_bytes(b"{}")
    assert "other" in desk.failure(DescribePromptsRequest(str(tmp_path / "other.safetensors"))).message


def test_classes_are_checked_as_the_model_counts(desk: Desk, tiny_folder: Path) -> None:
    """Tokens with start and end, names beyond the limit, names that stand twice, and names with the tokens of another."""
    long = " ".join(["word"] * 20)
    names = ("cat", "hot_dog", long, "cat", "hot dog", "Hot  Dog")
    checked: ClassesChecked = desk.result(CheckClassesRequest(f"local-dir:{tiny_folder}", names, "a photo of a {}."))
    assert checked.tokens == (8, 9, 27, 8, 9, 9)
    assert (checked.limit, checked.too_long, checked.repeated, checked.alike) == (16, (2,), (3, 4), (5,))
    empty: ClassesChecked = desk.result(CheckClassesRequest(f"local-dir:{tiny_folder}", (), "a {}"))
    assert empty.tokens == ()
