"""Pictures that a person would call the same are grouped, others are not, and nothing takes time by the square."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from capt_engine.data import likeness
from capt_engine.data.likeness import FINGERPRINT_BYTES, HASH_BYTES, MOST_BITS, MOST_COLOUR, fingerprint, look_alike

Pixels = NDArray[np.uint8]


def scene(seed: int, side: int = 96) -> Image.Image:
    """A smooth random picture, different for each seed."""
    cells = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize((side, side), Image.Resampling.BICUBIC)


def recompressed(picture: Image.Image) -> Image.Image:
    """Through JPEG of quality 60 and back."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=60)
    return Image.open(buffer).convert("RGB")


def table_of(prints: list[bytes]) -> Pixels:
    """Fingerprints, one in a row."""
    return np.frombuffer(b"".join(prints), np.uint8).reshape(-1, FINGERPRINT_BYTES)


def groups(*pictures: Image.Image) -> tuple[tuple[int, ...], ...]:
    """Which of the pictures look alike."""
    return look_alike(table_of([fingerprint(np.asarray(picture)) for picture in pictures]), lambda *_: None)[0]


CHANGES: dict[str, tuple[Callable[[Image.Image], Image.Image], bool]] = {
    "recompressed": (recompressed, True),
    "half the size": (lambda picture: picture.resize((48, 48), Image.Resampling.BICUBIC), True),
    "three times the size": (lambda picture: picture.resize((288, 288), Image.Resampling.BICUBIC), True),
    "slightly brighter": (lambda picture: picture.point(lambda value: min(255, value + 6)), True),
    "mirrored": (lambda picture: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT), False),
    "turned": (lambda picture: picture.transpose(Image.Transpose.ROTATE_90), False),
    "another colour": (lambda picture: Image.merge("RGB", picture.split()[::-1]), False),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_looks_alike(change: str) -> None:
    """Scaling, recompressing and a little light keep a likeness; mirroring, turning and recolouring do not."""
    change_of, alike = CHANGES[change]
    found = sum(bool(groups(scene(seed), change_of(scene(seed)))) for seed in range(20))
    assert found == (20 if alike else 0)


def test_different_pictures_are_not_alike() -> None:
    """Among a thousand different pictures there is no group, and the one copy added is found."""
    prints = [fingerprint(np.asarray(scene(seed, 32))) for seed in range(1000)]
    assert look_alike(table_of(prints), lambda *_: None) == ((), True)
    prints.append(fingerprint(np.asarray(recompressed(scene(77, 32)))))
    assert look_alike(table_of(prints), lambda *_: None) == (((77, 1000),), True)


def test_same_groups_as_comparing_all_pairs() -> None:
    """On crowded random fingerprints the groups are exactly those that comparing each with each gives."""
    rng = np.random.default_rng(1)
    seeds = rng.integers(0, 256, (30, FINGERPRINT_BYTES), dtype=np.uint8)
    table = seeds[rng.integers(0, 30, 400)]
    bits = np.unpackbits(table[:, :HASH_BYTES], axis=1) ^ (rng.random((400, 128)) < 0.03)
    table[:, :HASH_BYTES] = np.packbits(bits, axis=1)
    shift = rng.integers(-8, 9, (400, FINGERPRINT_BYTES - HASH_BYTES))
    table[:, HASH_BYTES:] = np.clip(table[:, HASH_BYTES:].astype(int) + shift, 0, 255)
    apart = (bits[:, None] != bits[None]).sum(-1)
    colours = table[:, HASH_BYTES:].astype(int)
    linked = (apart <= MOST_BITS) & (np.abs(colours[:, None] - colours[None]).max(-1) <= MOST_COLOUR)
    component = np.arange(400)
    for _ in range(400):
        component = np.array([component[row].min() for row in linked])
    wanted = tuple(tuple(np.flatnonzero(component == c).tolist()) for c in np.unique(component))
    found, complete = look_alike(table, lambda *_: None)
    assert complete
    assert found == tuple(group for group in wanted if len(group) > 1)
    assert 5 < len(found) < 200


def test_small_numbers() -> None:
    """None, one and two fingerprints are no special case for the caller."""
    one = fingerprint(np.zeros((1, 1, 3), np.uint8))
    assert len(one) == FINGERPRINT_BYTES
    assert [look_alike(table_of([one] * count), lambda *_: None)[0] for count in (0, 1, 2)] == [(), (), ((0, 1),)]


def test_a_crowd_of_plain_pictures_is_not_compared_by_the_square(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where thousands share a hash, only neighbours in brightness are compared, and the result says so."""
    monkeypatch.setattr(likeness, "_MOST_PAIRS", 200_000)
    rng = np.random.default_rng(0)
    colours = rng.integers(100, 140, (20_000, FINGERPRINT_BYTES - HASH_BYTES), dtype=np.uint8)
    found, complete = look_alike(table_of([bytes(HASH_BYTES) + row.tobytes() for row in colours]), lambda *_: None)
    assert not complete
    assert all(len(group) > 1 for group in found)


def test_it_can_be_stopped() -> None:
    """What tick raises ends the comparison."""

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt(f"{done} of {total}")

    with pytest.raises(KeyboardInterrupt):
        look_alike(table_of([bytes(FINGERPRINT_BYTES)] * 2), stop)
