"""The colour scales of saliency maps: one hue for sizes, the perturbation's two for signed values."""

from __future__ import annotations

from itertools import pairwise

from capt_engine.formatting import MINUS, NO_BREAK, number
from capt_engine.frozen import dataclass
from capt_engine.records.pictures import Picture
from capt_engine.records.saliency import ValueMap
from capt_engine.records.signed_scale import palette as signed_palette

# share of the scale's end -> red, green, blue; lightness rises evenly, so that it reads the same in grey
_STOPS = (
    (0.0, (8, 10, 30)),
    (0.25, (74, 23, 104)),
    (0.5, (158, 47, 100)),
    (0.75, (235, 104, 54)),
    (1.0, (252, 236, 150)),
)
_STEPS = 254


@dataclass(frozen=True)
class HeatScale:
    """A scale of colours from 0, dark, to `end`, bright; signed: from −`end`, blue, over 0, near white, to `end`, orange.

    A value beyond an end has the colour of that end. is_cut: there are such values.
    """

    end: float
    is_signed: bool = False
    is_cut: bool = False

    @property
    def labels(self) -> tuple[str, str]:
        """The texts at the lower and the upper end of the scale's bar."""
        text = number(self.end)
        low, high = (f"{MINUS}{text}", f"+{text}") if self.is_signed else ("0", text)
        if not self.is_cut:
            return low, high
        return f"≤{NO_BREAK}{low}" if self.is_signed else low, f"≥{NO_BREAK}{high}"

    @property
    def colours(self) -> bytes:
        """The colours from the lower to the upper end: red, green and blue byte of 255 levels."""
        return signed_palette() if self.is_signed else heat_palette()

    def draw(self, values: ValueMap) -> Picture:
        """Return a map as a picture in the colours of this scale, one pixel a value."""
        # the door of the engine stays light
        import numpy as np

        numbers = np.frombuffer(values.values, "<f4").astype(np.float64)
        shares = numbers / self.end if self.end > 0 else np.zeros(len(numbers))
        places = (shares.clip(-1, 1) + 1) / 2 if self.is_signed else shares.clip(0, 1)
        levels = np.rint(places * _STEPS).astype(np.uint8)
        rgb: bytes = np.frombuffer(self.colours, np.uint8).reshape(-1, 3)[levels].tobytes()
        return Picture(values.columns, values.rows, rgb)


def heat_palette() -> bytes:
    """Return the colours of sizes from 0 to the scale's end, for the levels 0 to 254: three bytes each."""
    return bytes(part for step in range(_STEPS + 1) for part in _shade(step / _STEPS))


def _shade(share: float) -> tuple[int, ...]:
    (low, first), (high, last) = next((left, right) for left, right in pairwise(_STOPS) if share <= right[0])
    way = (share - low) / (high - low)
    return tuple(round(one + (other - one) * way) for one, other in zip(first, last, strict=True))
