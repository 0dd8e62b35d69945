"""Philox4x32-10 against its published answers, and per-picture streams that depend on seed, picture and use alone."""

from __future__ import annotations

import hashlib
import math
import struct

import pytest
import torch
from torch import Tensor

from capt_engine.attacks import philox as philox_module
from capt_engine.attacks.base import PictureRngs
from capt_engine.attacks.philox import philox

ONES = 0xFFFFFFFF
# The file kat_vectors of Random123, the authors' own library: counter, key, answer.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES, ONES, ONES, ONES), (ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
DEVICES = [
    torch.device(name)
    for name, there in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available()))
    if there
]


def reference(counter: tuple[int, ...], key: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The ten rounds in Python's own integers, as the paper writes them."""
    (c0, c1, c2, c3), (k0, k1) = counter, key
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & ONES, (p0 >> 32) ^ c3 ^ k1, p0 & ONES
        k0, k1 = (k0 + 0x9E3779B9) & ONES, (k1 + 0xBB67AE85) & ONES
    return c0, c1, c2, c3


def words(values: tuple[int, ...]) -> tuple[Tensor, ...]:
    """Numbers as tensors of one value each."""
    return tuple(torch.tensor([value]) for value in values)


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_the_published_answers(counter: tuple[int, ...], key: tuple[int, ...], answer: tuple[int, ...]) -> None:
    """Counter and key of the authors' known-answer tests give their words, in tensors and in the reference of this file."""
    assert tuple(int(word) for word in philox(words(counter), words(key))) == answer  # type: ignore[arg-type]
    assert reference(counter, key) == answer


def test_tensors_agree_with_integers_everywhere() -> None:
    """A thousand counters and keys, among them all combinations of the extremes."""
    drawn = torch.randint(0, 2**32, (6, 1000), generator=torch.Generator().manual_seed(0))
    drawn[:, :64] = torch.tensor([[ONES * (i >> bit & 1) for i in range(64)] for bit in range(6)])
    found = torch.stack(philox(tuple(drawn[:4]), tuple(drawn[4:])))  # type: ignore[arg-type]
    for column, answer in zip(drawn.T.tolist(), found.T.tolist(), strict=True):
        assert tuple(answer) == reference(tuple(column[:4]), tuple(column[4:]))


def test_a_stream_is_its_key_its_call_and_its_place() -> None:
    """Word i of block b of a picture's third call is Philox at (b, 2, 0, third word of the digest), under the first two words."""
    k0, k1, c3 = struct.unpack("<3I", hashlib.sha256(b"7\0noise\0cat").digest()[:12])
    rngs = PictureRngs.of(7, ["dog", "cat"], "noise")
    like = torch.empty(2, 3, 7)
    rngs.uniform(like)
    rngs.normal(like)
    expected = [reference((block, 2, 0, c3), (k0, k1)) for block in range(6)]
    in_order = [expected[block][i] for i in range(4) for block in range(6)][:21]
    assert [value * 2**24 for value in rngs.uniform(like)[1].flatten().tolist()] == [word >> 8 for word in in_order]


def test_parts_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """However a draw is cut into parts that fit the cache, its values are the same."""
    like = torch.empty(3, 5, 23)
    whole = [PictureRngs.of(0, ["a", "b", "c"]).uniform(like), PictureRngs.of(0, ["a", "b", "c"]).normal(like)]
    for block in (1, 7, 29, 60):
        monkeypatch.setattr(philox_module, "_BLOCK", {"cpu": block})
        assert torch.equal(PictureRngs.of(0, ["a", "b", "c"]).uniform(like), whole[0])
        assert torch.equal(PictureRngs.of(0, ["a", "b", "c"]).normal(like), whole[1])


def test_some_of_the_streams_are_shared_with_all() -> None:
    """A picture that draws more often than its neighbours goes on in its own stream, also through a part of a part."""
    keys, like = ["a", "b", "c", "d"], torch.empty(4, 9)
    rngs = PictureRngs.of(0, keys)
    some = rngs.only(torch.tensor([3, 1]))
    first, second = some.uniform(like[:2]), some.only(torch.tensor([1])).uniform(like[:1])
    last = rngs.uniform(like)
    for key, drawn in (("d", [first[0], last[3]]), ("b", [first[1], second[0], last[1]]), ("a", [last[0]])):
        alone = PictureRngs.of(0, [key])
        for values in drawn:
            assert torch.equal(alone.uniform(like[:1])[0], values), key


def test_seed_key_and_use_each_make_another_stream() -> None:
    """No two of them draw alike, also where the joined texts would be the same."""
    like = torch.empty(1, 8)
    streams = [(0, "a", ""), (1, "a", ""), (0, "b", ""), (0, "a", "noise"), (0, "noise", "a"), (0, "", "a")]
    drawn = [tuple(PictureRngs.of(seed, [key], use).uniform(like)[0].tolist()) for seed, key, use in streams]
    assert len(set(drawn)) == len(streams)


def chi_square(counts: Tensor) -> float:
    """Pearson's statistic against equal shares, in standard deviations from what chance gives."""
    expected = counts.sum() / len(counts)
    freedom = len(counts) - 1
    return float(((counts - expected).square() / expected).sum() - freedom) / math.sqrt(2 * freedom)


def test_values_are_uniform() -> None:
    """Over 100 pictures the 256 steps of [0, 1), each digit of seven, and the lowest of the 24 bits come equally often."""
    rngs = PictureRngs.of(0, [str(i) for i in range(100)])
    like = torch.empty(100, 3000)
    values = rngs.uniform(like)
    assert abs(chi_square((values * 256).long().flatten().bincount(minlength=256).double())) < 4
    assert abs(chi_square((values * 2**24 % 2).long().flatten().bincount(minlength=2).double())) < 4
    integers = rngs.integers(like, 7)
    assert (int(integers.min()), int(integers.max())) == (0, 6)
    assert abs(chi_square(integers.flatten().bincount(minlength=7).double())) < 4


def test_values_do_not_hang_together() -> None:
    """Neighbouring values, neighbouring pictures and calls one after the other are uncorrelated to four standard errors."""
    rngs = PictureRngs.of(0, [str(i) for i in range(100)])
    one, other = (rngs.uniform(torch.empty(100, 3000)) - 0.5 for _ in range(2))
    for left, right in ((one[:, 1:], one[:, :-1]), (one[1:], one[:-1]), (one, other), (one[:, 750:], one[:, :-750])):
        correlation = 12 * float((left * right).mean()) * math.sqrt(left.numel())
        assert abs(correlation) < 4


def test_normal_values_are_those_of_box_and_muller() -> None:
    """To 1e-6 the closed form of the two words in double precision, and their moments are those of the normal distribution."""
    like = torch.empty(2, 40_000)
    values = PictureRngs.of(0, ["x", "y"]).normal(like)
    shares = PictureRngs.of(0, ["x", "y"]).uniform(like).double().view(2, 4, -1)
    for radius, angle in ((0, 1), (2, 3)):
        length = torch.sqrt(-2 * torch.log(shares[:, radius] + 2**-24))
        for i, wave in ((radius, torch.cos), (angle, torch.sin)):
            exact = length * wave(2 * math.pi * shares[:, angle])
            torch.testing.assert_close(values.view(2, 4, -1)[:, i].double(), exact, rtol=0, atol=1e-6)
    error = 1 / math.sqrt(values.numel())
    moments = [float(values.pow(k).mean()) for k in range(1, 5)]
    for moment, expected, deviation in zip(moments, (0, 1, 0, 3), (1, 2, 15, 96), strict=True):
        assert abs(moment - expected) < 4 * error * math.sqrt(deviation)


@pytest.mark.skipif(not DEVICES, reason="no device beside the CPU")
@pytest.mark.parametrize("device", DEVICES)
def test_a_device_draws_the_same_bits(device: torch.device) -> None:
    """Uniform values and integers are equal bit for bit, normal values to 1e-6."""
    like = torch.empty(3, 3, 50, 50)
    here, there = (PictureRngs.of(0, ["a", "b", "c"]) for _ in range(2))
    assert torch.equal(here.uniform(like), there.uniform(like.to(device)).cpu())
    assert torch.equal(here.integers(like, 1000), there.integers(like.to(device), 1000).cpu())
    torch.testing.assert_close(here.normal(like), there.normal(like.to(device)).cpu(), rtol=0, atol=1e-6)
