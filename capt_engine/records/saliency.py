"""Requests that look closer at one picture: where an answer comes from, and how an attack went step by step."""

from __future__ import annotations

import struct

from capt_engine.frozen import dataclass
from capt_engine.records.events import JobEvent
from capt_engine.records.pictures import Picture, PictureSet
from capt_engine.records.requests import Request, Result
from capt_engine.records.run_requests import AnalyzeRequest

SALIENCY_METHODS = ("gradient", "rollout", "occlusion", "drift")
"""The input gradient, attention rollout, occlusion, and the drift of the image tower's tokens under attack."""

SALIENCY_SCORES = ("margin", "logit")
"""The number that gradient and occlusion explain: the margin of the right answer, or the logit of each picture's own answer."""


@dataclass(frozen=True)
class ValueMap:
    """A map of numbers over a picture: rows × columns of little-endian 32-bit floats, rows from the top.

    Each stands for an equal part of the picture, but the last row or column may be cut off: `patch` pixels square each, 0 where they
    share the picture evenly.
    """

    columns: int
    rows: int
    values: bytes
    patch: int = 0

    def numbers(self) -> tuple[float, ...]:
        """Return the numbers, row by row from the top."""
        return struct.unpack(f"<{self.columns * self.rows}f", self.values)

    def at(self, column: int, row: int) -> float:
        """Return the number in a column and a row, both from 0 at the top left."""
        (value,) = struct.unpack_from("<f", self.values, 4 * (row * self.columns + column))
        return float(value)

    def above(self, share: float) -> float:
        """Return the absolute value that at most this `share` of all, in [0, 1], lie above; 0 for a map without any."""
        ordered = sorted(map(abs, self.numbers()), reverse=True)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0

    @property
    def largest(self) -> float:
        """Return the largest absolute value; 0 for a map without any."""
        return max(map(abs, self.numbers()), default=0.0)


@dataclass(frozen=True)
class SaliencyRequest(Request):
    """Compute saliency maps of one picture, clean and attacked.

    run: the analysis whose model, prompts, classes and threat model count. side: "a" or "b", the prompts that are asked. pictures: what
    that analysis showed. label: the class whose margin is explained. method: one of SALIENCY_METHODS. of: one of SALIENCY_SCORES.
    patch: the side of occlusion's squares, in pixels.
    """

    run: AnalyzeRequest
    side: str
    pictures: PictureSet
    label: str
    method: str = "gradient"
    of: str = "margin"
    patch: int = 16


@dataclass(frozen=True)
class SaliencyResult(Result):
    """Saliency maps, one or several of each picture.

    clean, attacked: of the gradient first its size and then its signed sum; of the drift one map a block of the tower, under
    `attacked` alone; else one map. pictures: what the model saw, clean and attacked, which the maps lie over. answers: the model's
    answer to each with its probability.
    """

    clean: tuple[ValueMap, ...]
    attacked: tuple[ValueMap, ...]
    pictures: tuple[Picture, Picture]
    answers: tuple[tuple[str, float], tuple[str, float]]


@dataclass(frozen=True)
class ReplayRequest(Request):
    """Run the attack of an analysis on one picture again, and tell each of its steps.

    run: the analysis, with the one picture as its path. side: "a" or "b", the prompts that the attack was computed on.
    """

    run: AnalyzeRequest
    side: str = "a"


@dataclass(frozen=True)
class ReplayStep:
    """One step of an attack: its name, the loss that is climbed, the margin, the answer, and the picture.

    loss: in the loss's own unit, larger = better for the attacker. margin: in logits, negative where the attacker's goal is reached.
    pictures: None where so many steps were made that not every picture is kept.
    """

    name: str
    loss: float
    margin: float
    answer: str
    probability: float
    pictures: PictureSet | None


@dataclass(frozen=True)
class ReplayStepsReady(JobEvent):
    """Some steps of a replayed attack, as they are made."""

    steps: tuple[ReplayStep, ...]


@dataclass(frozen=True)
class ReplayResult(Result):
    """The number of steps of a replayed attack, and the one whose picture the attack kept in the end (its index)."""

    n: int
    kept: int
