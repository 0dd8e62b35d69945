"""Thousands of damaged checkpoints: each is refused in a sentence or read soundly, and none takes long."""

from __future__ import annotations

import io
import random
import time
import zipfile
from pathlib import Path

import pytest
import safetensors.torch
import torch

from capt_engine.errors import BadCheckpoint, BadRequest
from capt_engine.model.clip import Backbone
from capt_engine.model.importers.base import ImportOptions, fitted
from capt_engine.model.importers.families import sniffed
from capt_engine.model.importers.pickle_machine import Refused
from capt_engine.model.importers.pickled import Limits, take, write_safetensors
from capt_engine.model.importers.reading import Contents, finite, grouped, read_published
from tests.engine.model.importers.crafted import saved
from tests.engine.model.importers.published import VISION, WIDTH, random_tokens

SEEDS = 5
EACH = 1000
IN_A_PROCESS = 12
LIMITS = Limits(total_bytes=1 << 26)
State = dict[str, object]


def originals() -> list[bytes]:
    """A CoOp and a MaPLe checkpoint in both containers, with an optimiser beside them."""
    coop = {"ctx": random_tokens(4, WIDTH), "token_prefix": random_tokens(3, 1, WIDTH).half()}
    maple = {
        "ctx": random_tokens(2, WIDTH),
        "proj.weight": random_tokens(VISION, WIDTH),
        "proj.bias": random_tokens(VISION),
    }
    maple = {f"prompt_learner.{name}": value for name, value in maple.items()}
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(2))], lr=0.1)
    held = [
        {"state_dict": one, "epoch": 3, "optimizer": optimiser.state_dict(), "scheduler": optimiser}
        for one in (coop, maple)
    ]
    return [saved(one, as_zip=as_zip) for one in held for as_zip in (True, False)]


def mutated(content: bytes, stream: random.Random) -> bytes:
    """A few bytes changed, a stretch taken out, doubled, moved or replaced, or the end cut off."""
    data = bytearray(content)
    for _ in range(stream.choice((1, 1, 2, 5))):
        at, length = stream.randrange(len(data)), stream.choice((1, 1, 2, 8, 64))
        match stream.randrange(6):
            case 0:
                data[at] = stream.randrange(256)
            case 1:
                del data[at : at + length]
            case 2:
                data[at:at] = data[at : at + length]
            case 3:
                data[at : at + length] = stream.randbytes(length)
            case 4:
                data[at] = stream.choice(b"\x00\xff\x7f\x80cR)tQsub0(.")
            case _:
                del data[max(1, len(data) - stream.randrange(len(data))) :]
        if not data:
            return b""
    return bytes(data)


def damaged(content: bytes, stream: random.Random) -> bytes:
    """A mutated file; of a zip container, as often, the mutated pickle in a sound container, so that no checksum hides it."""
    if not content.startswith(b"PK") or stream.random() < 0.3:
        return mutated(content, stream)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        for entry in source.infolist():
            inside = source.read(entry)
            is_described = entry.filename.endswith("data.pkl")
            target.writestr(entry.filename, mutated(inside, stream) if is_described else inside)
    return out.getvalue()


def outcome(content: bytes, backbone: Backbone) -> str:
    """Return "read", or what it was refused for; anything else than a refusal gets out."""
    try:
        taken = take(io.BytesIO(content), len(content), LIMITS)
        out = io.BytesIO()
        write_safetensors(taken, out)
        state = finite(safetensors.torch.load(out.getvalue()), "m.pt")
        contents = Contents(grouped(state, "/"), taken.values, pickled=True)
        learned = sniffed(contents, "m.pt", "", "maple", backbone).learn(contents.state, ImportOptions(), backbone)
        assert all(bool(torch.isfinite(value).all()) for value in fitted(learned, backbone).state.values())
    except Refused as refused:
        return _told(refused.what, refused.hint)
    except (BadCheckpoint, BadRequest) as refused:
        return _told(refused.message, refused.hint)
    return "read"


def _told(what: str, hint: str) -> str:
    assert what
    assert hint
    assert "Traceback" not in what
    return what


# The standard library's own reader of opcodes remarks on odd escapes in names.
@pytest.mark.filterwarnings("ignore:invalid escape sequence:DeprecationWarning")
@pytest.mark.parametrize("seed", range(SEEDS))
def test_damaged_files_are_refused_or_read(uneven: Backbone, seed: int) -> None:
    """Of a thousand damaged files each is read whole or refused, most are refused, and no single one takes a second."""
    stream, files = random.Random(seed), originals()
    assert all(outcome(content, uneven) == "read" for content in files)
    outcomes, slowest = [], 0.0
    for _ in range(EACH):
        content = damaged(stream.choice(files), stream)
        started = time.process_time()
        outcomes.append(outcome(content, uneven))
        slowest = max(slowest, time.process_time() - started)
    refused = [one for one in outcomes if one != "read"]
    assert len(outcomes) == EACH
    assert EACH // 3 < len(refused) < EACH
    assert len(set(refused)) > 20
    assert slowest < 1


def test_damaged_files_are_refused_by_the_process_too(tmp_path: Path) -> None:
    """Through the process of its own the outcome is the same kind: tensors, or one sentence with a hint."""
    stream, files = random.Random(99), originals()
    read = 0
    for number in range(IN_A_PROCESS):
        path = tmp_path / f"{number}.pt"
        path.write_bytes(damaged(stream.choice(files), stream))
        try:
            read += bool(read_published(path).state)
        except BadCheckpoint as refused:
            _told(refused.message, refused.hint)
    assert read < IN_A_PROCESS
