"""Runs without a model: rows made up by a seed, kept as the engine keeps them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import torch

from capt_engine.metrics.tally import Tally, Trial
from capt_engine.records import (
    AnalyzeResult,
    AttackSpec,
    EvaluateRequest,
    FailedPicture,
    Picture,
    PictureRow,
    PictureSet,
    RunOptions,
    SignedPicture,
    ThreatModel,
    Verdict,
)
from capt_engine.runs import manifest
from capt_engine.runs.run_folder import RunFolder
from capt_engine.runs.table import summary
from tests.engine.settings import changed

CLASSES = ("cat", "dog", "bird")


def request(keep: Path, **changes: object) -> EvaluateRequest:
    """An evaluation of two sets of prompts at three budgets."""
    asked = EvaluateRequest(
        data="/somewhere/secret-holiday",
        curve=(0.0, 2 / 255, 4 / 255),
        options=RunOptions(model="demo", compare="demo-prompts", threat=ThreatModel(eps=4 / 255), keep=str(keep)),
    )
    return changed(asked, **changes)


def rows(
    asked: EvaluateRequest, n: int, *, first: int = 0, seed: int = 0, pictures: bool = True
) -> Iterator[PictureRow]:
    """Rows of n pictures, each made up from its own number alone."""
    for number in range(first, first + n):
        stream = random.Random(f"{seed}:{number}")
        label = CLASSES[number % len(CLASSES)]
        for eps in asked.curve or (asked.options.threat.eps,):
            for prompts in ["none", *([asked.options.compare] if asked.options.compare else [])]:
                yield _row(asked, number, label, eps, prompts, stream, pictures=pictures)


def _row(
    asked: EvaluateRequest, number: int, label: str, eps: float, prompts: str, stream: random.Random, *, pictures: bool
) -> PictureRow:
    weak = 0.9 if prompts == "none" else 0.3
    own = random.Random(f"{number}:{prompts}")
    clean = _verdict(own, label if own.random() < 0.8 else None)
    broken = own.random() < weak * eps * 255 / 4
    attacked = _verdict(stream, None, but=label) if broken else clean
    right = CLASSES[clean.winner] == label
    success = CLASSES[attacked.winner] != label if right else None
    grey = bytes([number % 200]) * (8 * 8 * 3)
    shown = PictureSet(
        Picture(8, 8, grey), SignedPicture(8, 8, 1.0, bytes(8 * 8 * 3)), Picture(8, 8, bytes(v + 1 for v in grey))
    )
    return PictureRow(
        path=f"/somewhere/secret-holiday/{label}/beach-{number}.png",
        sha256=hashlib.sha256(str(number).encode()).hexdigest(),
        width=8,
        height=8,
        label=label,
        label_source="folder",
        classes=CLASSES,
        clean=clean,
        attacked=attacked,
        attack=AttackSpec("pgd"),
        steps=20,
        restarts=1,
        threat=replace(asked.options.threat, eps=eps),
        seed=asked.options.seed,
        success=success,
        metrics=(
            ("margin_shift", -eps * own.random() * 100),
            ("agreement", float(not broken)),
            ("linf", eps),
            ("l2", eps),
        ),
        survives_png=True if success else None,
        survives_jpeg95=own.random() < 0.9 if success else None,
        time_s=stream.random(),
        model_id="demo",
        prompt_id=prompts,
        pictures=shown if pictures else None,
        aimed_at=prompts,
    )


def _verdict(stream: random.Random, winner: str | None, but: str = "") -> Verdict:
    name = winner or stream.choice([one for one in CLASSES if one != but])
    best = 0.5 + 0.4 * stream.random()
    shares = tuple(best if one == name else (1 - best) / 2 for one in CLASSES)
    return Verdict(shares, shares)


def kept(
    folder: Path,
    n: int = 12,
    *,
    first: int = 0,
    seed: int = 0,
    given: Iterable[PictureRow] | None = None,
    **changes: object,
) -> Path:
    """A finished run of n pictures in a folder, with one picture that could not be used."""
    asked = request(folder, **changes)
    begun = manifest.begun(
        asked,
        model_sha256="ab" * 32,
        prompts=[("none", "", None)],
        classes=CLASSES,
        template="a photo of a {}.",
        label_source="folder",
        device=torch.device("cpu"),
    )
    tally = Tally()
    with RunFolder(folder, asked, begun, resume=False) as run:
        run.add([FailedPicture("/somewhere/secret-holiday/cat/torn-page.png", "'torn-page.png' is damaged.", "")])
        for row in given if given is not None else rows(asked, n, first=first, seed=seed):
            run.add([row])
            tally.add(Trial.of(row))
        scored = tally.scored(blank(asked, n), asked.options.compare)
        run.finish(summary(scored, asked.options.seed, str(folder)))
    return folder


def blank(asked: EvaluateRequest, n: int) -> AnalyzeResult:
    """A result of n pictures without a number."""
    nothing = (None, None, None, None, (), ())
    return AnalyzeResult(n, 1, "folder", *nothing, asked.options.threat, "demo", "none", "cpu", 1.0, 1.0, "ab" * 32)
