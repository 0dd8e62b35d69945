"""Models that a fake engine offers."""

from __future__ import annotations

from capt_engine import records as r

DEMO = r.OfferedModel(
    "demo", "Demo", "For learning.", "MIT", 7_000_000, 64, "GELU", "", state="bundled", bytes=14_000_000
)
SMALL = r.OfferedModel(
    "small",
    "Small CLIP",
    "For looking around.",
    "MIT",
    23_000_000,
    224,
    "GELU",
    "41.1% zero-shot on ImageNet (a paper)",
    repo="somebody/small",
    revision="c0ffee" * 6 + "c0ff",
    bytes=94_000_000,
    sha256="ab" * 32,
    needs_bytes=900_000_000,
    page="https://huggingface.co/somebody/small",
    files=("https://huggingface.co/somebody/small/resolve/c0ffee/config.json",),
)
LARGE = r.OfferedModel(
    "large", "Large CLIP", "For a GPU.", "MIT", 428_000_000, 224, "QuickGELU", "", repo="somebody/large", revision="main",
    bytes=1_710_000_000, estimated=True, comfort="too large", needs_bytes=4_900_000_000,
    page="https://huggingface.co/somebody/large", files=("https://huggingface.co/somebody/large/resolve/main/x",),
)  # fmt: skip
BY_HAND = r.OfferedModel(
    "tower", "A robust tower", "For comparing.", "MIT", 151_000_000, 224, "QuickGELU", "", base="demo",
    page="https://example.org/towers", files=("https://example.org/tower.pt",),
)  # fmt: skip
LISTED = r.ModelsListed((DEMO, SMALL, LARGE), (), "/models", 70_000_000_000, offline=False)
LOCKED = r.ModelsListed(
    (DEMO, SMALL, LARGE), (), "/models", 70_000_000_000, True, "This program was set to work offline."
)
FETCHED = r.DownloadResult("small", "/models/small", 94_000_000, 0, "ab" * 32, "c0ffee", 12.0, ("Licence: MIT.",))
ENTRY = r.LedgerEntry(
    "small", "https://huggingface.co/x", 94_000_000, "ab" * 32, "2026-11-22T10:00:00+00:00", "complete"
)
