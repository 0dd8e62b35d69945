"""Jobs on the result store that need no torch: answers that are known, their pictures, and what the store holds."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from capt_engine import records
from capt_engine.bundled_models import BUNDLED
from capt_engine.folders import models_dir
from capt_engine.formatting import short
from capt_engine.model.store import catalog, install_record
from capt_engine.results import cells, limits
from capt_engine.results.keys import DIGEST, key_of, subject_of
from capt_engine.results.store import ResultStore

_DAY_S = 24 * 3600.0


def handle_stored_answers(request: records.StoredAnswersRequest) -> records.StoredAnswers:
    """Return all answers that the store has to the question of `request`, at every ε; raises BadRequest for a malformed key."""
    series, subject = key_of(request.store_key)
    if limits.is_off():
        return records.StoredAnswers(request.store_key)
    with ResultStore() as store:
        answers, clean, smallest = [], None, None
        for question, value in store.of_series(series, subject):
            if question.kind == cells.SMALLEST:
                found = cells.decoded(value, cells.SmallestBudget)
                smallest = found.eps if found is not None else smallest
            elif (answer := cells.decoded(value, cells.AttackedAnswer)) is not None:
                of_clean, seen, pixels = (question.parts[at : at + DIGEST] for at in range(0, 3 * DIGEST, DIGEST))
                picture = subject_of(subject[:32].hex())
                beside = store.find((subject, picture), (of_clean, seen, pixels))
                before = cells.decoded(beside.get((picture, of_clean), b""), cells.CleanAnswer)
                if before is not None and clean is None:
                    clean = _answer(0.0, answer.label, None, before.logits)
                has_pictures = (picture, seen) in beside and (subject, pixels) in beside
                made = _answer(question.eps, answer.label, answer.success, answer.logits, has_pictures=has_pictures)
                answers.append(made)
        return records.StoredAnswers(request.store_key, clean, tuple(answers), smallest)


def handle_stored_pictures(request: records.StoredPicturesRequest) -> records.StoredPictures:
    """Return the pictures that the store has of the question of `request` at its ε, if any; raises BadRequest for a malformed key."""
    series, subject = key_of(request.store_key)
    missing = records.StoredPictures(request.store_key, request.eps)
    if limits.is_off():
        return missing
    with ResultStore() as store:
        for question, _ in store.of_series(series, subject):
            if question.kind != cells.ATTACKED or question.eps != request.eps:
                continue
            _, seen, pixels = (question.parts[at : at + DIGEST] for at in range(0, 3 * DIGEST, DIGEST))
            picture = subject_of(subject[:32].hex())
            found = store.find((subject, picture), (seen, pixels))
            clean = cells.decoded(found.get((picture, seen), b""), cells.Pixels)
            attacked = cells.decoded(found.get((subject, pixels), b""), cells.AttackedPixels)
            if clean is not None and attacked is not None:
                try:
                    return records.StoredPictures(request.store_key, request.eps, attacked.beside(clean.picture()))
                except ValueError:
                    break
    return missing


def handle_store(request: records.StoreRequest) -> records.StoreFacts:
    """Remove from the store what `request` says, if anything, and return what it holds."""
    store = ResultStore()
    removed, removed_bytes = 0, 0
    with store:
        if request.trim_to is not None or request.unused_days is not None:
            unused_s = None if request.unused_days is None else request.unused_days * _DAY_S
            removed, removed_bytes = store.trim(request.trim_to, unused_s)
        names = _names()
        groups = tuple(
            records.StoredGroup(
                names.get(one.model) or (short(one.model) if one.model else ""),
                one.attack,
                one.entries,
                one.n_bytes,
                one.hits,
            )
            for one in store.groups()
        )
    return records.StoreFacts(
        folder=str(store.path.parent),
        is_on=not limits.is_off(),
        entries=sum(one.entries for one in groups),
        n_bytes=store.n_bytes(),
        budget=limits.budget(),
        hits=sum(one.hits for one in groups),
        groups=groups,
        note=store.note,
        removed=removed,
        removed_bytes=removed_bytes,
    )


def _answer(
    eps: float, label: int, success: bool | None, logits: bytes, *, has_pictures: bool = False
) -> records.StoredAnswer:
    values = np.frombuffer(logits, "<f4").astype(np.float64)
    others = np.delete(values, label)
    margin = float(values[label] - others.max()) if len(others) else math.inf
    shares = np.exp(values - values.max())
    verdict = records.Verdict(tuple(values.tolist()), tuple((shares / shares.sum()).tolist()))
    return records.StoredAnswer(eps, margin, success, verdict, has_pictures)


def _names() -> Mapping[str, str]:
    """The ids of the models that are here, by the SHA-256 of their weights."""
    found = {catalog.entry_of(name).sha256: name for name in BUNDLED}
    root = models_dir()
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        for digest in (install_record.remembered(folder / install_record.INSTALLED) or {}).values():
            found.setdefault(digest, folder.name)
    return {digest: name for digest, name in found.items() if digest}
