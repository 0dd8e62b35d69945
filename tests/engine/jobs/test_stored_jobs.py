"""Answers that are known already, asked for without torch and without waiting for the worker that computes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from capt_engine import records
from capt_engine.errors import BadRequest
from capt_engine.folders import RESULTS
from capt_engine.jobs import worker_threads
from capt_engine.jobs.download_jobs import handle
from capt_engine.jobs.stoppable import StoppableProgress
from capt_engine.model.store import catalog
from capt_engine.results import cells, limits
from capt_engine.results.keys import digest_of, store_key, subject_of
from capt_engine.results.store import FILE, Question, ResultStore

SHA = "0f" * 32
SERIES = digest_of("pgd")
SEEN = records.Picture(2, 1, bytes([0, 10, 255, 7, 8, 9]))
PICTURES = records.PictureSet(
    SEEN,
    records.SignedPicture(2, 1, 0.1, bytes([1, 255, 0, 127, 129, 0])),
    records.Picture(2, 1, bytes([4, 6, 251, 9, 8, 7])),
)


def ask(request: records.Request) -> records.Result:
    """The light worker's answer to a request."""
    return handle(records.JobId(1), request, lambda _: None, StoppableProgress(lambda *_: None, None))  # type: ignore[arg-type]


def logits(*values: float) -> bytes:
    """Logits as they are stored."""
    return np.array(values, "<f4").tobytes()


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store that is on, with one picture attacked at two budgets, pictures kept of one of them; the key of its rows."""
    monkeypatch.setenv(limits.OFF, "0")
    monkeypatch.setenv(RESULTS, str(tmp_path))
    clean, seen = Question(digest_of("c"), digest_of("c"), "clean"), Question(digest_of("s"), digest_of("s"), "seen")
    model = catalog.entry_of("demo").sha256 or ""
    picture, asked = subject_of(SHA), subject_of(SHA, 1)
    entries: list[tuple[Question, bytes, cells.Cell]] = [
        (clean, picture, cells.CleanAnswer(logits(1, 3, 2), 0.5)),
        (seen, picture, cells.Pixels.of(SEEN)),
    ]
    for eps, values, success in ((0.2, (1, 2, 4), True), (0.1, (1, 2.5, 2), False)):
        pixels = Question(digest_of("p", eps), digest_of("p"), "pixels", model, "pgd", eps)
        parts = clean.digest + seen.digest + pixels.digest
        question = Question(digest_of("pgd", eps), SERIES, "attacked", model, "pgd", eps, parts)
        answer = cells.AttackedAnswer(1, success, logits(*values), (), (None, None, None, None), 1.0)
        entries.append((question, asked, answer))
        if success:
            entries.append((pixels, asked, cells.AttackedPixels.of(PICTURES)))
    smallest = Question(digest_of("m"), SERIES, "smallest", model, "pgd")
    entries.append((smallest, asked, cells.SmallestBudget(0.15)))
    with ResultStore(tmp_path, low=0) as store:
        store.put((question, subject, cells.encoded(cell)) for question, subject, cell in entries)
    return store_key(SERIES, asked)


def test_the_curve_of_a_picture_is_known(key: str) -> None:
    """Margins at every budget, the clean one apart, the smallest that breaks it, and of which there are pictures."""
    found = ask(records.StoredAnswersRequest(key))
    assert isinstance(found, records.StoredAnswers)
    assert found.clean is not None
    assert (found.clean.eps, found.clean.margin) == (0.0, 1.0)
    assert [(one.eps, one.margin, one.success, one.has_pictures) for one in found.answers] == [
        (0.1, 0.5, False, False),
        (0.2, -2.0, True, True),
    ]
    assert found.answers[1].verdict.winner == 2
    assert sum(found.answers[1].verdict.probabilities) == pytest.approx(1)
    assert found.minimal_eps == 0.15


def test_kept_pictures_are_the_same_bytes(key: str) -> None:
    """Clean picture, perturbation and attacked picture as they were; None where none were kept."""
    found = [ask(records.StoredPicturesRequest(key, eps)) for eps in (0.2, 0.1)]
    assert [one.pictures for one in found if isinstance(one, records.StoredPictures)] == [PICTURES, None]


def test_a_picture_nobody_looked_at_has_no_answers(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another picture's key and a store that is off give nothing; a text that is no key is a sentence."""
    other = store_key(SERIES, subject_of("11" * 32))
    assert ask(records.StoredAnswersRequest(other)) == records.StoredAnswers(other)
    with pytest.raises(BadRequest):
        ask(records.StoredAnswersRequest("x"))
    monkeypatch.setenv(limits.OFF, "1")
    assert ask(records.StoredAnswersRequest(key)) == records.StoredAnswers(key)
    assert ask(records.StoredPicturesRequest(key, 0.2)) == records.StoredPictures(key, 0.2)


def test_damaged_values_are_missing(key: str, tmp_path: Path) -> None:
    """A value of which one bit turned is as good as none."""
    link = sqlite3.connect(tmp_path / FILE)
    for subject, question, value in link.execute("SELECT subject, question, value FROM cells").fetchall():
        spoilt = value[:-1] + bytes([value[-1] ^ 1])
        link.execute("UPDATE cells SET value = ? WHERE subject = ? AND question = ?", (spoilt, subject, question))
    link.commit()
    link.close()
    assert ask(records.StoredAnswersRequest(key)) == records.StoredAnswers(key)
    assert ask(records.StoredPicturesRequest(key, 0.2)) == records.StoredPictures(key, 0.2)


@pytest.mark.usefixtures("key")
def test_the_store_tells_what_it_holds_and_is_emptied(tmp_path: Path) -> None:
    """A line for each model, by its name where it is here, and attack; 0 bytes removes all."""
    found = ask(records.StoreRequest())
    assert isinstance(found, records.StoreFacts)
    assert (found.folder, found.is_on, found.entries, found.note) == (str(tmp_path), True, 6, "")
    assert {(one.model, one.attack, one.entries) for one in found.groups} == {("demo", "pgd", 4), ("", "", 2)}
    assert 0 < found.n_bytes < found.budget == limits.BUDGET
    emptied = ask(records.StoreRequest(trim_to=0))
    assert isinstance(emptied, records.StoreFacts)
    assert (emptied.removed, emptied.entries, emptied.groups) == (6, 0, ())


def test_these_questions_wait_for_no_model() -> None:
    """They go to the worker that never loads torch."""
    assert {records.StoredAnswersRequest, records.StoredPicturesRequest, records.StoreRequest} <= set(
        worker_threads.LIGHT
    )
