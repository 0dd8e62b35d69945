"""A class name or template with a word that the model was never trained on, from the terminal to the report, and from Python."""

from __future__ import annotations

import html
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pytest
import torch
from PIL import Image

from capt_engine.cli.main import main
from capt_engine.evaluation.of_tensors import evaluate
from capt_engine.evaluation.plan import Variant, plan_analysis
from capt_engine.jobs import download_jobs
from capt_engine.model import vocabulary
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone
from capt_engine.model.vocabulary import Vocabulary
from capt_engine.progress import no_progress
from capt_engine.records import AnalyzeRequest, CheckWordsRequest, JobId, UnknownWord, WordsChecked
from capt_engine.runs.finished_run import FinishedRun
from capt_engine.tuning.of_tensors import tune
from capt_engine.wrappers.plain_module import PlainModule

CLEAN = ("--attack", "none", "--quiet", "--device", "cpu")
KNOWN = ("a", "cat", "dog", "of", "photo")
SENTENCE = "'capybara' is not among the 5 words this model knows; its probability means nothing."


@pytest.fixture(scope="module")
def model(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tiny model, with a list of five words beside its weights."""
    folder = tmp_path_factory.mktemp("models") / "knows-five-words"
    shutil.copytree(tiny_folder, folder)
    (folder / vocabulary.FILE).write_text(vocabulary.listed(KNOWN), encoding="utf-8")
    return f"local-dir:{folder}"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of three noisy pictures, one of them with a name that the model does not know."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    for name, colour in (("capybara", 60), ("dog", 180)):
        (folder / name).mkdir()
        for i in range(3):
            rgb = (colour + rng.integers(-40, 40, (24, 24, 3))).astype(np.uint8)
            Image.fromarray(rgb).save(folder / name / f"{i}.png")
    return folder


def summary(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The last line of what was printed."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_an_analysis_says_it_in_words_and_in_json(model: str, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A warning a word, with the nearest known one; the same as a field."""
    command = [
        "analyze",
        str(data / "dog" / "0.png"),
        "--model",
        model,
        *CLEAN,
    ]
    asked = ["--classes", "capybara,dogg", "--template", "a photo of the {}."]
    assert main([*command, *asked]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Warning: ")]
    assert told == [
        "Warning: 'the' in the template is not among the 5 words this model knows; it disturbs the probability of every class.",
        f"Warning: {SENTENCE}",
        "Warning: 'dogg' is not among the 5 words this model knows; its probability means nothing. Nearest in spelling: dog.",
    ]
    assert main([*command, *asked, "--json"]) == 0
    words = summary(capsys)["unknown_words"]
    assert [(one["word"], one["classes"], one["nearest"]) for one in words] == [
        ("the", [], []),
        ("capybara", ["capybara"], []),
        ("dogg", ["dogg"], ["dog"]),
    ]
    assert words[1]["sentence"] == SENTENCE


def test_an_evaluation_says_it_in_its_report(
    model: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The kept summary has the words; HTML and PDF say them at the verdict, set apart."""
    run = tmp_path / "run"
    command = [
        "evaluate",
        str(data),
        "--model",
        model,
        "--attack",
        "none",
        "--out",
        str(run),
        "--quiet",
        "--device",
        "cpu",
    ]
    assert main(command) == 0
    assert f"Warning: {SENTENCE}" in capsys.readouterr().out.splitlines()
    (kept,) = FinishedRun.of(run).summary.unknown_words
    assert kept == UnknownWord("capybara", 5, ("capybara",))
    for suffix in ("html", "pdf", "json"):
        assert main(["report", str(run), "--out", str(tmp_path / f"report.{suffix}")]) == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert SENTENCE in html.unescape(re.sub(r"<[^>]+>", "", page))
    with pypdfium2.PdfDocument(tmp_path / "report.pdf") as document:
        first = document[0].get_textpage()
        text = " ".join(first.get_text_range().split())
        first.close()
    assert SENTENCE in text
    verdict = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["sections"][0]
    assert {"block": "Paragraph", "text": SENTENCE, "kind": "limit"} in verdict["blocks"]


def test_tuning_says_it_before_and_after(
    model: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What tuned prompts know of such a word they have from their pictures; it is said so, then and when they are measured."""
    out = str(tmp_path / "p.safetensors")
    few = ["--shots", "1", "--epochs", "1", "--batch", "2", "--attack-steps", "1", "--device", "cpu"]
    assert main(["tune", str(data), "--out", out, "--model", model, *few]) == 0
    said = capsys.readouterr()
    tuned = (
        "'capybara' is not among the 5 words this model knows; only the pictures that it is tuned on say what it means."
    )
    assert tuned in said.err
    assert f"Note: {tuned}" in said.out.splitlines()
    measured = [
        "evaluate",
        str(data),
        "--model",
        model,
        *CLEAN,
        "--prompts",
        out,
    ]
    assert main(measured) == 0
    assert f"Warning: {tuned}" in capsys.readouterr().out.splitlines()


def test_the_light_worker_answers_without_the_model(model: str, tiny_folder: Path) -> None:
    """The window's question needs the list of words alone; of a model without one nothing is claimed."""

    def answer(name: str) -> WordsChecked:
        request = CheckWordsRequest(name, ("capybara", "dog"), "a snapshot of a {}.")
        found = download_jobs.handle(JobId(1), request, lambda _: None, no_progress)  # type: ignore[arg-type]
        assert isinstance(found, WordsChecked)
        return found

    assert [one.word for one in answer(model).unknown] == ["snapshot", "capybara"]
    assert answer(f"local-dir:{tiny_folder}").unknown == ()
    assert answer("demo-robust").unknown[0].known == 78


def test_from_python_the_summary_and_the_document_say_it(tiny_backbone: Backbone) -> None:
    """`evaluate` has the words in its summary, `tune` a note in the document; a module has no words at all."""
    clip = replace(tiny_backbone, vocabulary=Vocabulary(KNOWN))
    images, labels = torch.rand(4, 3, clip.size, clip.size), torch.tensor([0, 1, 0, 1])
    names, template = ("capybara", "dog"), "a photo of a {}."
    plain = Classifier(clip, names, template)
    found = evaluate(plain, (images, labels), attacks=())
    assert [one.sentence for one in found.summary.unknown_words] == [SENTENCE]
    learned = tune(clip, (images, labels), names, template, epochs=1, batch_size=4, attack_steps=1, eps=0.0)
    assert "only the pictures that it is tuned on" in learned.document.notes
    prompted = Classifier(clip, names, template, prompts=learned)
    assert [one.tuned for one in prompted.unknown_words] == [True]
    variants = [Variant("p", prompted), Variant("none", plain)]
    work = plan_analysis(AnalyzeRequest(("x",), attack=None), variants, plain)
    assert [one.tuned for one in work.unknown_words] == [False]
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3, 2))
    assert PlainModule(module, names, 1).unknown_words == ()
