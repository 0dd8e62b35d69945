"""Invented saliency maps and steps of an attack, for the engine that acts."""

from __future__ import annotations

import random
import struct

from capt_engine import records as r


def saliency(request: r.SaliencyRequest) -> r.SaliencyResult:
    """Maps of the right shapes with drawn values; the same request gives the same ones."""
    rng = random.Random(f"{request.method} {request.patch} {request.label}")
    seen = request.pictures.seen
    shape = {"gradient": (seen.width, seen.height), "occlusion": (-(-seen.width // max(request.patch, 1)),) * 2}
    columns, rows = shape.get(request.method, (7, 7))

    def drawn(signed: bool = False) -> r.ValueMap:
        values = [rng.uniform(-1 if signed else 0, 1) for _ in range(columns * rows)]
        patch = request.patch if request.method == "occlusion" else 0
        return r.ValueMap(columns, rows, struct.pack(f"<{len(values)}f", *values), patch)

    both = [(drawn(), drawn(signed=True)) if request.method == "gradient" else (drawn(),) for _ in range(2)]
    if request.method == "drift":
        both = [(), tuple(drawn() for _ in range(3))]
    pictures = (seen, request.pictures.adversarial)
    return r.SaliencyResult(both[0], both[1], pictures, ((request.label, 0.8), ("another", 0.6)))


def steps(request: r.ReplayRequest, pictures: r.PictureSet | None) -> tuple[r.ReplayStep, ...]:
    """Eleven steps whose margin falls through 0."""
    del request
    return tuple(
        r.ReplayStep(f"step {i} of 10" if i else "clean", 0.1 + i * 0.4, 3 - i * 0.5, "cone", 0.5, pictures)
        for i in range(11)
    )
