"""Step 5 without a widget: what is measured, what is said of it, and what is saved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import acted_tuning as tuning
import pytest
from conftest import Bench
from fakes import READY
from PySide6.QtCore import QCoreApplication

from capt_engine.records import (
    AnalyzeResult,
    AttackSpec,
    Check,
    Comparison,
    EvaluateRequest,
    Event,
    Failure,
    JobFailed,
    JobFinished,
    JobId,
    PairedTest,
    PromptsInfo,
    SaveTunedRequest,
    TunedSaved,
    TuneRequest,
)
from capt_gui.view_models.tune import tune_text
from capt_gui.view_models.tune.result import TuneResultModel
from capt_gui.view_models.tune.test_share import MOST_MEASURED


def play(bench: Bench, *events: Event) -> None:
    """Let the engine say this, and the window hear it."""
    for event in events:
        bench.engine.emit(event)
    QCoreApplication.processEvents()


def last(bench: Bench) -> JobId:
    """The job asked for last."""
    return JobId(len(bench.engine.requests))


@pytest.fixture
def result(bench: Bench) -> TuneResultModel:
    """The model after a run, before anything is measured."""
    play(bench, READY)
    bench.desk.tuning.project.change(data=("/pictures",))
    bench.desk.tuning.run.start()
    request = bench.engine.requests[-1]
    assert isinstance(request, TuneRequest)
    play(bench, JobFinished(last(bench), tuning.tuned(request, 3)))
    return bench.desk.tuning.result


def measured(bench: Bench, result: TuneResultModel, *, helped: bool = True) -> AnalyzeResult:
    """Let the engine measure."""
    result.measure()
    request = bench.engine.requests[-1]
    assert isinstance(request, EvaluateRequest)
    answer = tuning.evaluated(request, helped=helped)
    play(bench, JobFinished(last(bench), answer))
    return answer


def test_the_untouched_share_is_measured_with_the_stronger_attack(bench: Bench, result: TuneResultModel) -> None:
    """Plain text against the tuned prompts on the split's test part, by PGD-100 at the training budget."""
    result.measure()
    request = bench.engine.requests[-1]
    assert isinstance(request, EvaluateRequest)
    project = bench.desk.tuning.project
    assert (request.data, request.split) == (str(project.folder / "split.csv"), "test")
    assert request.options.prompts is None
    assert request.options.compare == str(project.folder / "prompts.safetensors")
    assert request.attacks == (AttackSpec("pgd", (("steps", 100),)),)
    assert request.options.threat.eps == 1 / 255
    assert request.options.keep
    assert not request.options.resume
    result.measure()
    assert bench.engine.requests[-1] is request


def test_without_a_finished_run_nothing_is_measured(bench: Bench) -> None:
    """There is nothing to measure before tuning is done."""
    play(bench, READY)
    bench.desk.tuning.result.measure()
    assert bench.engine.requests == []


def test_what_was_measured_is_gone_on_with_after_a_restart(bench: Bench, result: TuneResultModel) -> None:
    """The kept run is resumed, so that nothing is computed twice; measuring again begins anew."""
    kept = bench.desk.tuning.project.folder / "test"
    kept.mkdir(parents=True)
    bench.desk.tuning.project.change(test_run=str(kept))
    result.measure()
    request = bench.engine.requests[-1]
    assert isinstance(request, EvaluateRequest)
    assert request.options.keep == str(kept)
    assert request.options.resume
    play(bench, JobFinished(last(bench), tuning.evaluated(request)))
    result.measure_again()
    again = bench.engine.requests[-1]
    assert isinstance(again, EvaluateRequest)
    assert not again.options.resume


def test_what_cannot_be_gone_on_with_is_measured_anew(bench: Bench, result: TuneResultModel) -> None:
    """Where the kept measurement was made with another attack, the engine refuses it; nobody need know."""
    kept = bench.desk.tuning.project.folder / "test-before"
    kept.mkdir(parents=True)
    bench.desk.tuning.project.change(test_run=str(kept))
    result.measure()
    play(bench, JobFailed(last(bench), Failure("BadRequest", "The kept run was another one.")))
    again = bench.engine.requests[-1]
    assert isinstance(again, EvaluateRequest)
    assert not again.options.resume
    assert again.options.keep != str(kept)
    assert result.failure is None
    play(bench, JobFailed(last(bench), Failure("BadImage", "A test picture is gone.")))
    assert result.failure is not None


def test_a_new_run_ends_the_measurement_of_the_old_one(bench: Bench, result: TuneResultModel) -> None:
    """What is measured would be of prompts that are gone, and tuning would wait for it."""
    result.measure()
    job = last(bench)
    bench.desk.tuning.run.start()
    assert bench.engine.cancelled == [job]
    assert not result.is_running
    assert bench.desk.tuning.project.state.test_run == ""


def test_later_changes_of_the_method_do_not_change_what_is_measured(bench: Bench, result: TuneResultModel) -> None:
    """The prompts belong to the model they were tuned for, whatever step 3 says by now."""
    bench.desk.tuning.project.change(model="photos")
    result.measure()
    request = bench.engine.requests[-1]
    assert isinstance(request, EvaluateRequest)
    assert request.options.model == "demo"


def test_an_effect_is_told_with_n_and_intervals(bench: Bench, result: TuneResultModel) -> None:
    """The headline says that it helped; the figures say how many of how many, before and after."""
    measured(bench, result)
    headline, figures = (words.replace("\u00a0", " ") for words in result.headline())
    assert result.effect() == "better"
    assert headline.startswith("It helped")
    assert "of 120 pictures" in figures
    assert "50.8 % (42.0–59.6 %)" in figures
    assert "11.7 % (7.1–18.6 %)" in figures
    assert result.advice() == ()
    assert "49 are right only with the tuned prompts and 2 only with plain text" in result.tests()[0]
    assert "p < 0.0001" in result.tests()[0]


def test_no_effect_is_said_and_what_to_try(bench: Bench, result: TuneResultModel) -> None:
    """Chance is called chance, and the next steps are named."""
    measured(bench, result, helped=False)
    assert result.effect() == "unclear"
    assert result.headline()[0] == "No difference can be told from 120 pictures."
    assert "chance alone could do that" in result.tests()[0]
    assert any("More epochs" in tip for tip in result.advice())
    assert any("More pictures per class than 16" in tip for tip in result.advice())


@pytest.mark.parametrize(
    ("robust", "clean", "words"),
    [
        ((2, 40), (3, 4), "It helped: more pictures hold under attack."),
        ((2, 40), (40, 2), "It helped against attacks, and cost clean accuracy."),
        ((40, 2), (3, 4), "It did not help: fewer pictures hold under attack than before."),
        ((3, 4), (40, 2), "It did not help: clean accuracy fell, and under attack no difference can be told."),
        ((3, 4), (2, 40), "It helped on clean pictures; under attack no difference can be told."),
    ],
)
def test_each_outcome_has_its_sentence(robust: tuple[int, int], clean: tuple[int, int], words: str) -> None:
    """The sentence follows from the two paired tests alone."""
    before = tuning.evaluated(EvaluateRequest("split.csv"))
    assert before.compared is not None
    tests = [
        PairedTest(a, b, 120, (b - a) / 120, 0.0, 0.0, 0.9 if abs(a - b) < 5 else 1e-6) for a, b in (clean, robust)
    ]
    both = replace(before, compared=Comparison(before.compared.other, *tests))
    assert tune_text.headline(both)[0] == words
    helped = words.startswith("It helped: ")
    assert bool(tune_text.advice(both, 16)) is not helped


def test_few_test_pictures_are_named_as_the_reason(bench: Bench, result: TuneResultModel) -> None:
    """With a handful of pictures hardly any difference can be seen, and that is said first."""
    answer = measured(bench, result, helped=False)
    assert "more pictures" in tune_text.advice(replace(answer, n=30), None)[0]


def test_a_doubt_on_either_side_is_a_doubt(bench: Bench, result: TuneResultModel) -> None:
    """A check that failed for the tuned prompts alone is not hidden behind plain text's pass."""
    good, bad = (Check("clean-alone", "Answers alone", status, None, "", "") for status in ("pass", "fail"))
    answer = measured(bench, result)
    assert answer.compared is not None
    compared = replace(answer.compared, other=replace(answer.compared.other, checks=(bad,)))
    result.result = replace(answer, checks=(good, replace(good, name="other")), compared=compared)
    assert [check.status for check in result.checks()] == ["fail", "pass"]


def test_every_class_stands_with_both_shares(bench: Bench, result: TuneResultModel) -> None:
    """Clean and attacked, before and after, in the order of the data."""
    answer = measured(bench, result)
    rows = result.classes()
    assert [row.name for row in rows] == [score.name for score in answer.per_class]
    first, after = rows[0], answer.compared
    assert after is not None
    assert first.clean_before == answer.per_class[0].clean_correct / first.n
    assert first.robust_after == (after.other.per_class[0].robust_correct or 0) / first.n


def test_saving_says_name_notes_licence_and_what_made_them(bench: Bench, result: TuneResultModel) -> None:
    """The engine is told everything, and the project remembers where the prompts are."""
    measured(bench, result)
    bench.desk.tuning.project.change(name="Mugs", notes="Shot at home.", licence="CC-BY-4.0")
    result.save()
    request = bench.engine.requests[-1]
    assert isinstance(request, SaveTunedRequest)
    assert (request.name, request.notes, request.licence, request.folder) == ("Mugs", "Shot at home.", "CC-BY-4.0", "")
    assert request.made_by is not None
    assert request.made_by.method == "capt"
    saved = TunedSaved(PromptsInfo("mugs", "Mugs", ""), ("/prompts/mugs.safetensors",), "capt tune …")
    play(bench, JobFinished(last(bench), saved))
    assert bench.desk.tuning.project.state.saved == "mugs"
    assert result.command == "capt tune …"


def test_a_nameless_project_is_saved_under_its_pictures_name(
    bench: Bench, result: TuneResultModel, tmp_path: Path
) -> None:
    """A name is asked for, not demanded; saving into a folder installs nothing."""
    result.save(str(tmp_path / "card"))
    request = bench.engine.requests[-1]
    assert isinstance(request, SaveTunedRequest)
    assert request.name == "pictures"
    play(bench, JobFinished(last(bench), TunedSaved(PromptsInfo("x", "x", ""), ("a", "b", "c"))))
    assert bench.desk.tuning.project.state.saved == ""


def test_what_cannot_be_measured_or_saved_says_why(bench: Bench, result: TuneResultModel) -> None:
    """Failures stay with what they belong to, and both can be tried again."""
    result.measure()
    play(bench, JobFailed(last(bench), Failure("BadImage", "A test picture is gone.", "Put it back.")))
    assert result.failure is not None
    assert not result.is_running
    told: list[Failure] = []
    result.failed.connect(told.append)
    result.save()
    play(bench, JobFailed(last(bench), Failure("OSError", "The disk is full.", "Make room.")))
    assert [failure.message for failure in told] == ["The disk is full."]
    assert not result.is_saving


def test_a_large_share_is_measured_in_part_and_said_so(bench: Bench, result: TuneResultModel) -> None:
    """At most some hundreds of pictures, evenly over the classes, and of how many they were; all of a small share."""
    result.measure()
    request = bench.engine.requests[-1]
    assert isinstance(request, EvaluateRequest)
    assert request.limit == MOST_MEASURED
    split = bench.desk.tuning.project.split_file
    split.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{part}-{number}.png,cat,{part}\n" for part in ("train", "test") for number in range(900)]
    split.write_text("path,label,split\n" + "".join(lines), encoding="utf-8")
    answer = tuning.evaluated(request, helped=True)
    play(bench, JobFinished(last(bench), replace(answer, n=MOST_MEASURED, n_failed=0)))
    assert "500 of the 900" in result.share_text()
    result.result = replace(answer, n=70)
    assert result.share_text() == ""
