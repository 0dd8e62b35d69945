"""The symmetric scale of perturbations: what its ends stand for, and the colours between them."""

from __future__ import annotations

import pytest

from capt_engine.records import SignedPicture, SignedScale, palette

EPS = 4 / 255


def change(*means: int, scale: float = EPS) -> SignedPicture:
    """A perturbation of one row whose pixels change all three colours alike."""
    return SignedPicture(len(means), 1, scale, bytes(value % 256 for value in means for _ in range(3)))


@pytest.mark.parametrize(
    ("end", "label"), [(1 / 255, "1/255"), (0.5 / 255, "0.5/255"), (0.0123, "3.14/255"), (1.0, "255/255")]
)
def test_both_ends_are_named_in_255ths(end: float, label: str) -> None:
    """A budget as it was chosen, a measured end as it was measured."""
    assert SignedScale(end).labels == (f"\u2212{label}", "0", f"+{label}")


def test_levels_are_symmetric_around_no_change() -> None:
    """−ε, −ε/2, 0, ε/2 and ε lie as far from the middle on one side as on the other."""
    levels = SignedScale(EPS).levels(change(-127, -64, 0, 64, 127))
    assert tuple(levels) == (0, 63, 127, 191, 254)


def test_another_scale_stretches_and_clips() -> None:
    """On ±4ε a change of ε goes a quarter of the way; on ±ε/2 it ends at the end."""
    assert tuple(SignedScale(4 * EPS).levels(change(127))) == (127 + 32,)
    assert tuple(SignedScale(EPS / 2).levels(change(-127, 127))) == (0, 254)


def test_a_pixel_is_drawn_by_the_mean_of_its_colours() -> None:
    """+ε in red and −ε in green and blue is a third of −ε."""
    mixed = SignedPicture(1, 1, EPS, bytes((127, 129, 129)))
    assert tuple(SignedScale(EPS).levels(mixed)) == (127 - 42,)


def test_no_change_at_all_is_the_middle_everywhere() -> None:
    """Even on a scale without length nothing is divided by 0."""
    assert set(SignedScale(0.0).levels(change(0, 0, scale=0.0))) == {127}


def test_the_colours_get_darker_towards_both_ends() -> None:
    """The middle is the lightest, each half falls steadily, blue on the one side and orange on the other."""
    colours = [tuple(palette()[3 * level : 3 * level + 3]) for level in range(255)]
    lightness = [0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in colours]
    assert lightness[:128] == sorted(lightness[:128])
    assert lightness[127:] == sorted(lightness[127:], reverse=True)
    assert all(blue > red for red, _, blue in colours[:127])
    assert all(red > blue for red, _, blue in colours[128:])
    drawn = SignedScale(EPS).draw(change(-127, 0, 127))
    assert (drawn.width, drawn.height) == (3, 1)
    assert drawn.rgb == bytes(colours[0] + colours[127] + colours[254])
