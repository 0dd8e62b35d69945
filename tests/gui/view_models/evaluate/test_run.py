"""A run of an evaluation without a widget: rows are counted as they come, it can be stopped and gone on with, and what is said of it."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path

import acted_data
import acted_evaluation as acted
import pytest
from conftest import Bench
from fakes import READY, TWO_SIDES
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from capt_engine import records as r
from capt_gui.view_models import formatting
from capt_gui.view_models.class_rows import class_rows, worse_checks
from capt_gui.view_models.evaluate import evaluate_text
from capt_gui.view_models.evaluate.run import EvaluateRun
from capt_gui.view_models.evaluate.tally import EvaluateTally, Outlived


def play(bench: Bench, *events: r.Event) -> None:
    """Let the engine say this, and the models hear it."""
    for event in events:
        bench.engine.emit(event)
    QCoreApplication.processEvents()


def last(bench: Bench) -> r.JobId:
    """The job asked for last."""
    return r.JobId(len(bench.engine.requests))


@pytest.fixture
def run(bench: Bench, tmp_path: Path) -> EvaluateRun:
    """The run, with pictures there and a place to keep runs in."""
    bench.desk.store.folder = tmp_path
    play(bench, READY)
    bench.desk.evaluation.data.take(["/data/toys"])
    play(bench, r.JobFinished(last(bench), acted_data.found({"cat": 3, "dog": 1, "emu": 1})))
    return bench.desk.evaluation.run


def keep(request: r.EvaluateRequest, command: str) -> None:
    """What the engine leaves in the folder of a run."""
    Path(request.options.keep).mkdir(parents=True)
    (Path(request.options.keep) / "manifest.json").write_text(json.dumps({"command": command}), encoding="utf-8")


def test_rows_are_counted_as_they_come(bench: Bench, run: EvaluateRun) -> None:
    """Right, held, and failed, before there is any result; shares are not spoken of yet."""
    run.start()
    assert run.is_running
    assert run.n_pictures == 5
    counted: list[int] = []
    run.counted.connect(lambda: counted.append(run.tally.n))
    rows = acted.quick()
    play(bench, r.RowsReady(last(bench), rows[:2]), r.RowsReady(last(bench), rows[2:]))
    assert counted == [1, 4]
    assert run.counts() == ("So far: 3 of 4 right clean, 1 of 4 right under attack",)
    assert [one.path for one in run.failures()] == ["/e.png"]
    assert run.report_problem() == "There is a report once a run is done."


def test_the_count_of_the_rows_is_the_engines(bench: Bench, run: EvaluateRun) -> None:
    """The result and the rows say the same of every class, clean and attacked."""
    run.start()
    play(bench, r.RowsReady(last(bench), acted.quick()), r.JobFinished(last(bench), acted.result()))
    assert run.result is not None
    assert run.tally.clean(r.NO_PROMPTS) == (3, 4)
    assert run.tally.held(r.NO_PROMPTS) == (1, 4)
    attacked = run.tally.confusion(r.NO_PROMPTS, attacked=True)
    for number, score in enumerate(run.result.per_class):
        assert attacked[number, number] == score.robust_correct
    assert dict(attacked) == {(0, 1): 1, (0, 2): 1, (1, 0): 1, (2, 2): 1}
    assert dict(run.tally.confusion(r.NO_PROMPTS, attacked=False)) == {(0, 1): 1, (0, 0): 1, (1, 1): 1, (2, 2): 1}


def test_what_still_fools_after_saving_is_counted(bench: Bench, run: EvaluateRun) -> None:
    """Of the attacked pictures that fooled the model, by the way they were saved."""
    run.start()
    play(bench, r.RowsReady(last(bench), acted.quick()))
    assert run.tally.outlived(r.NO_PROMPTS, "png") == Outlived(1, 2)
    assert run.tally.outlived(r.NO_PROMPTS, "jpeg95") == Outlived(1, 2)
    assert run.tally.outlived("nobody", "png") == Outlived(0, 0)


def test_a_curve_is_counted_at_the_budget_of_the_verdict() -> None:
    """What broke at a smaller budget is lost at this one; larger budgets do not matter."""
    small, large = replace(acted.THREAT, eps=1 / 255), replace(acted.THREAT, eps=0.5)
    tally = EvaluateTally(acted.EPS)
    tally.add(
        (
            acted.row("/a.png", 0, 0, 1, threat=small),
            acted.row("/a.png", 0, 0, skipped="broken at 1/255"),
            acted.row("/b.png", 1, 1, 1, threat=small),
            acted.row("/b.png", 1, 1, 1),
            acted.row("/b.png", 1, 1, 2, threat=large),
        )
    )
    assert tally.held(r.NO_PROMPTS) == (1, 2)
    assert dict(tally.confusion(r.NO_PROMPTS, attacked=True)) == {(0, 1): 1, (1, 1): 1}


def test_rows_of_a_kept_run_count_as_they_did() -> None:
    """What a resumed run has already, and what comes then, make the same counts as the whole rows, with no picture counted twice."""
    rows = acted.quick()
    whole, parts = EvaluateTally(acted.EPS), EvaluateTally(acted.EPS)
    whole.add(rows)
    parts.take_up([r.CountedRow.of(row) for row in rows[:4] if isinstance(row, r.PictureRow)], acted.CLASSES)
    assert parts.n == 2
    parts.add(rows[4:])
    assert parts.plain() == whole.plain()


def test_corruptions_are_no_attack() -> None:
    """Their rows count pictures and clean answers, and nothing is held or lost."""
    tally = EvaluateTally(acted.EPS)
    fog = r.AttackSpec("corruption", (("kind", "fog"), ("severity", 3)))
    tally.add((acted.row("/a.png", 0, 0, 1, attack=fog, attack_label="corruption[kind=fog,severity=3]"),))
    assert tally.clean(r.NO_PROMPTS) == (1, 1)
    assert tally.held(r.NO_PROMPTS) == (0, 0)


def test_a_stopped_run_is_gone_on_with(bench: Bench, run: EvaluateRun) -> None:
    """With the settings it was begun with, whatever is chosen by now; what was counted stays."""
    run.start()
    asked = bench.engine.requests[-1]
    assert isinstance(asked, r.EvaluateRequest)
    keep(asked, "capt evaluate /data/toys")
    job = last(bench)
    play(bench, r.RowsReady(job, acted.quick()[:4]))
    run.cancel()
    assert bench.engine.cancelled[-1] == job
    play(bench, r.JobCancelled(job))
    assert run.is_stopped
    assert run.can_resume
    bench.desk.evaluation.choices.attack.set_attack("standard")
    assert not run.is_current
    run.resume()
    assert bench.engine.requests[-1] == replace(asked, options=replace(asked.options, resume=True))
    there = tuple(r.CountedRow.of(row) for row in acted.quick()[:4] if isinstance(row, r.PictureRow))
    play(bench, r.RowsTakenUp(last(bench), acted.CLASSES, there))
    assert run.counts() == ("So far: 1 of 2 right clean, 0 of 2 right under attack",)
    assert run.tally.outlived(r.NO_PROMPTS, "jpeg95") == Outlived(1, 1)
    play(bench, r.RowsReady(last(bench), acted.quick()[4:]), r.JobFinished(last(bench), acted.result()))
    assert run.tally.n == 4
    assert not run.is_stopped


def test_a_run_that_is_not_kept_has_no_report_and_no_command(bench: Bench, run: EvaluateRun) -> None:
    """And says why; one that failed says what happened."""
    bench.settings.keep_runs = False
    run.start()
    play(bench, r.RowsReady(last(bench), acted.quick()), r.JobFinished(last(bench), acted.result()))
    assert run.report_problem().startswith("Runs are not kept")
    assert run.command() == ""
    assert not run.can_resume


def test_the_command_is_the_manifests(bench: Bench, run: EvaluateRun) -> None:
    """Where options cannot say it, the command names the manifest where it lies."""
    run.start()
    request = bench.engine.requests[-1]
    assert isinstance(request, r.EvaluateRequest)
    assert run.command() == ""
    keep(request, "capt evaluate /data/toys --suite quick")
    play(bench, r.JobFinished(last(bench), acted.result()))
    assert run.report_problem() == ""
    assert run.command() == "capt evaluate /data/toys --suite quick"
    place = Path(request.options.keep) / "manifest.json"
    place.write_text(json.dumps({"command": "capt run manifest.json"}), encoding="utf-8")
    assert shlex.split(run.command()) == ["capt", "run", str(place)]


def test_a_failure_is_told_and_kept(bench: Bench, run: EvaluateRun, qtbot: QtBot) -> None:
    """A model that refuses leaves what was counted, and the sentence."""
    run.start()
    with qtbot.waitSignal(run.failed):
        play(bench, r.JobFailed(last(bench), r.Failure("BadCheckpoint", "It is for another model.", "Choose another.")))
    assert run.failure is not None
    assert run.is_stopped
    run.forget()
    assert run.request is None
    assert run.failure is None


def test_progress_says_how_long_it_takes(bench: Bench, run: EvaluateRun) -> None:
    """As it is measured on the first batch, with what is being done."""
    told: list[tuple[int, int, str]] = []
    run.progress_changed.connect(lambda *args: told.append(args))
    run.start()
    play(bench, r.JobProgress(last(bench), 4, 40, "pictures 1–4 of 40, pgd", 240.0))
    assert told == [(0, 0, "Waiting for its turn"), (4, 40, "about 4 min left · Pictures 1–4 of 40, pgd")]


def test_the_next_run_like_it_has_a_forecast(bench: Bench, run: EvaluateRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measured, not believed: the pace of the last such run, and of no other."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    assert run.forecast_s() is None
    run.start()
    play(bench, r.JobStarted(last(bench)))
    now[0] = 150.0
    play(bench, r.JobFinished(last(bench), acted.result()))
    assert run.forecast_s() == pytest.approx(50.0)
    choices = bench.desk.evaluation.choices
    assert choices.cost_text(run.forecast_s()).endswith("At the pace of the last such run: about 50 seconds.")
    choices.attack.set_attack("standard")
    assert run.forecast_s() is None


def test_the_settings_of_a_run_are_frozen(bench: Bench, run: EvaluateRun) -> None:
    """The line beside the verdict speaks of the run, not of what is chosen by now."""
    run.start()
    bench.desk.evaluation.choices.attack.set_attack("pgd")
    bench.desk.choices.attack.set_eps(8 / 255)
    assert run.settings_text() == "Demo CLIP (toy world) · Quick look · L∞ ε = 4/255 · checks cheap · seed 0"
    assert run.has_attack


def test_two_sides_are_counted_apart(bench: Bench, run: EvaluateRun) -> None:
    """A and B each have their own count, in the order they were asked."""
    play(bench, TWO_SIDES)
    bench.desk.model.sides.set_b("toy-capt")
    run.start()
    assert run.sides == (r.NO_PROMPTS, "toy-capt")
    rows = [acted.row("/a.png", 0, 0, 1), acted.row("/a.png", 0, 0, 0, prompt_id="toy-capt")]
    play(bench, r.RowsReady(last(bench), tuple(rows)))
    assert run.counts() == (
        "A: 1 of 1 right clean, 0 of 1 right under attack",
        "B: 1 of 1 right clean, 1 of 1 right under attack",
    )


def label(name: str) -> str:
    """What prompts are called."""
    return {"none": "plain text"}.get(name, name)


def test_the_verdict_says_how_many_and_how_sure() -> None:
    """One side: the share with n, and the interval below; nothing is called secure."""
    headline, figures = evaluate_text.verdict(acted.result(), label)
    assert headline == "25.0 % of 4 pictures stay right at ε = 4/255."
    assert figures.replace("\u00a0", " ") == "Plain text: 25.0 % (4.6–69.9 %) under attack, 75.0 % (30.1–95.4 %) clean."
    assert formatting.outcome(acted.result()) == ""
    assert evaluate_text.limits(acted.result(), 2).startswith("A quick look is too kind")
    assert evaluate_text.limits(replace(acted.result(), suite=""), 1).startswith("One attack alone")
    assert evaluate_text.limits(replace(acted.result(), suite="standard"), 3).startswith("An upper bound")
    noise = replace(acted.result(), suite="", threat_model=replace(acted.THREAT, knowledge="no search"))
    assert evaluate_text.limits(noise, 1).startswith("Nobody searched")


def test_a_budget_of_its_own_stands_in_words(bench: Bench, run: EvaluateRun) -> None:
    """A patch has no ε, so none is spoken of: not in the verdict, nor in the settings beside it."""
    patch = r.AttackInfo("patch", "Patch", "Paints a square.", (), norms=())
    catalogue = replace(READY.catalogue, attacks=(*READY.catalogue.attacks, patch))
    play(bench, replace(READY, catalogue=catalogue))
    bench.desk.evaluation.choices.attack.set_attack("patch")
    run.start()
    assert run.settings_text() == "Demo CLIP (toy world) · Patch · checks cheap · seed 0"
    own = replace(acted.result(), suite="", threat_model=replace(acted.THREAT, budget="a square patch"))
    assert evaluate_text.verdict(own, label)[0] == "25.0 % of 4 pictures stay right under a square patch."
    assert evaluate_text.attack_text(own, ["Patch"]) == "Patch"
    assert evaluate_text.attack_text(acted.result(), ["FGSM", "PGD"]) == "the worst of 2 attacks at ε = 4/255"


@pytest.mark.parametrize(
    ("p_robust", "p_clean", "difference", "words"),
    [
        (0.001, None, 0.5, "B withstands more than A on the same 4 pictures."),
        (0.001, None, -0.5, "A withstands more than B on the same 4 pictures."),
        (0.001, 0.01, 0.5, "B withstands more than A on the same 4 pictures, but is right less often when nobody attacks."),
        (0.5, 0.01, 0.5, "A is right more often on the same 4 pictures when nobody attacks; under attack no difference can be told."),
        (0.5, 0.5, 0.5, "No difference between A and B can be told from 4 pictures."),
    ],
)  # fmt: skip
def test_a_comparison_claims_only_what_the_paired_test_allows(
    p_robust: float, p_clean: float | None, difference: float, words: str
) -> None:
    """Robust first, clean beside it; where chance could do it, nothing is claimed."""
    robust = r.PairedTest(0, 2, 4, difference, 0.1, 0.8, p_robust)
    clean = None if p_clean is None else r.PairedTest(2, 0, 4, -0.5, -0.8, -0.1, p_clean)
    result = acted.compared()
    assert result.compared is not None
    result = replace(result, compared=replace(result.compared, robust=robust, clean=clean))
    assert evaluate_text.verdict(result, label)[0] == words
    assert formatting.outcome(result) in {"better", "worse", "unclear"}
    assert formatting.paired_tests(result, "with A", "with B")[0].startswith(
        "Under attack: of 4 pictures, 2 are right only with B and 0 only with A"
    )


def test_corruptions_are_spoken_of_as_a_mean() -> None:
    """Nobody attacked, so nothing is robust; the mean has its interval."""
    headline, figures = evaluate_text.verdict(acted.corruptions(), label)
    assert headline == "Under common corruptions 56.2 % of the answers are right on average, over 4 pictures."
    assert "56.2 % (30.0–80.0 %) under corruptions" in figures.replace("\u00a0", " ")
    assert evaluate_text.limits(acted.corruptions(), 0).startswith("Nobody attacked")


def test_a_clean_run_and_an_empty_one_have_words_too() -> None:
    """Without an attack the clean share is the verdict; without a picture there is none."""
    clean = replace(acted.result(), robust_accuracy=None, robust_interval=None, attacks=())
    assert evaluate_text.verdict(clean, label)[0] == "75.0 % of 4 pictures are right; nobody attacked."
    assert evaluate_text.limits(clean, 0) == ""
    assert evaluate_text.verdict(replace(clean, n=0), label) == ("No picture could be used.", "")


def test_classes_and_checks_of_both_sides_stand_in_one_list() -> None:
    """Shares of A and of B for each class; of a check made twice, the worse answer."""
    rows = class_rows(acted.compared())
    assert [(row.name, row.n, row.clean_after) for row in rows] == [("cat", 2, 0.5), ("dog", 1, 1.0), ("emu", 1, 1.0)]
    assert [row.robust_after for row in class_rows(acted.result())] == [None, None, None]
    result = acted.compared()
    assert result.compared is not None
    failing = replace(acted.CHECKS[0], status="fail")
    other = replace(result.compared.other, checks=(failing,))
    checks = worse_checks(replace(result, compared=replace(result.compared, other=other)))
    assert [check.status for check in checks] == ["fail", "fail", "not_run"]
