"""Sessions made in a moment."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace
from pathlib import Path

from PIL import Image

from capt_engine import records as r
from capt_engine.session.content import Session, SessionPicture

CLASSES = ("cat", "=dog", "mug, “blue”")
RESULT = r.AnalyzeResult(
    2, 0, "folder", 1.0, (0.3, 1.0), 0.5, (0.1, 0.9), (), (("kl", 0.1),), r.ThreatModel(), "demo", "none", "cpu", 1.0, 2.0,
    curve=(r.CurvePoint(0.1, 0.5, 0.2, 0.8),), per_class=(r.ClassScore("cat", 2, 2, 1),),
    checks=(r.Check("noise", "Noise", "pass", 0.5, "0.5", "It is weaker."),),
)  # fmt: skip
TALLY = {
    "headline": 0.1,
    "classes": ["cat", "dog"],
    "first_attack": "pgd",
    "pictures": {"none": {"/a.png": [0, 0, True, None], "/b.png": [0, 1, False, 1]}},
    "saved": [["none", "png", 1, 2]],
    "metrics": [["none", "kl", [0.1, 0.2]]],
    "failed": [{"path": "/c.png", "message": "It is none.", "hint": ""}],
}
RUN = {"request": asdict(r.EvaluateRequest("/d")), "result": asdict(RESULT), "tally": TALLY, "n_pictures": 2}
STATE = json.loads(json.dumps({"chosen": {"model": "demo", "eps": {"linf": 4 / 255}}, "page": "explore", "run": RUN}))
REQUEST = r.AnalyzeRequest((), options=r.RunOptions(model="demo", compare="none", classes=CLASSES))
FACTS = {"size": "8 × 6", "label": "cat", "tags": ["a"], "outcome": "broken", "caption": "c", "sides": []}


def row(path: str, shift: float = 0.0) -> r.PictureRow:
    """A result with a cell of every kind."""
    clean = r.Verdict((1.5 + shift, -2.25, 0.1), (0.7, 0.2, 0.1))
    attacked = r.Verdict((0.1 + 0.2, 3.0, -1e-9), (0.25, 0.7, 0.05))
    return r.PictureRow(
        path, "ab" * 32, 640, 480, "cat", "folder", CLASSES, clean, attacked, r.AttackSpec("pgd", (("steps", 3),)), 3, 1,
        r.ThreatModel("l2", 0.5, target="=dog"), 7, True, (("kl", 0.1 + 0.2), ("psnr", float("inf"))), None, False, 0.25,
        "demo", "none", None, ("a note", "-another"), "none", True, None, "", float("inf"), "pgd[steps=3]", "cat",
        "label_prob", 0.5,
    )  # fmt: skip


def thumbnail(value: int = 120) -> bytes:
    """A small JPEG."""
    file = io.BytesIO()
    Image.new("RGB", (8, 6), (value, 40, 60)).save(file, "JPEG")
    return file.getvalue()


def large(value: int = 1) -> r.PictureSet:
    """Large pictures, small."""
    pixels = bytes([value]) * 36
    seen = r.Picture(4, 3, pixels)
    return r.PictureSet(seen, r.SignedPicture(4, 3, 4 / 255, pixels), replace(seen, rgb=bytes(36)))


def session(folder: Path, n: int = 3) -> Session:
    """Pictures in a folder: compared and attacked, plain, failed, and so on in turn."""
    pictures = []
    for i in range(n):
        path = str(folder / f"{i}.png")
        kind = i % 3
        pictures.append(
            SessionPicture(
                path,
                "ab" * 32,
                100 + i,
                10**18,
                FACTS,
                r.FailedPicture(path, "This is no picture.") if kind == 2 else None,
                (row(path), row(path, 0.5)) if kind == 0 else (),
                REQUEST if kind == 0 else None,
                thumbnail(i) if kind < 2 else b"",
                b"pasted" if i == 1 else b"",
                (large(), large(2)) if kind == 0 else (),
            )
        )
    return Session(STATE, tuple(pictures))
