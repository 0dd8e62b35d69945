"""The typographic attack: which word is printed, how, and where."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from capt_engine.attacks.base import LINF, PictureRngs, Threat
from capt_engine.attacks.typographic import Typographic, printed_label
from capt_engine.errors import BadRequest
from capt_engine.model.classifier import Classifier
from capt_engine.progress import no_progress

Pixels = Callable[..., Tensor]
NAMES = ("cat", "dog", "hen")


class Gullible:
    """A model of three classes that is the less sure of the first the whiter the picture is; second among them is always the third."""

    classes = NAMES

    def __call__(self, images: Tensor) -> Tensor:
        """Logits (n, 3)."""
        brightness = images.flatten(1).mean(dim=1)
        return torch.stack([0.7 - brightness, brightness * 0 - 5, brightness * 0], dim=1)


def run(
    attack: Typographic, model: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor, **threat: bool
) -> Tensor:
    """The attack with one stream a picture."""
    rngs = PictureRngs.of(0, [f"picture {i}" for i in range(len(images))])
    return attack.run(model, images, labels, Threat(LINF, **threat), rngs, no_progress)


def is_on(picture: Tensor, label: Tensor) -> bool:
    """Does the picture (3, h, w) hold this opaque label (4, h', w') somewhere, value by value?"""
    high, wide = label.shape[1:]
    return any(
        torch.equal(picture[:, top : top + high, start : start + wide], label[:3])
        for top in range(picture.shape[1] - high + 1)
        for start in range(picture.shape[2] - wide + 1)
    )


@pytest.mark.parametrize(("targeted", "asked", "printed"), [(False, 0, "hen"), (True, 1, "dog")])
def test_prints_the_runner_up_or_the_target(targeted: bool, asked: int, printed: str) -> None:
    """Untargeted, it prints the likeliest wrong class, targeted the wanted one; all outside the label stays as it was."""
    images = torch.full((2, 3, 48, 64), 0.25)
    labels = torch.tensor([asked, asked])

    def model(pictures: Tensor) -> Tensor:
        white = (pictures > 0.9).float().flatten(1).mean(dim=1)
        return Gullible()(pictures) + torch.stack([white * 0, white, white * 0], dim=1) * targeted

    model.classes = NAMES  # type: ignore[attr-defined]
    attacked = run(Typographic(size=0.3, places=3), model, images, labels, targeted=targeted)
    for picture in attacked:
        on = [name for name in NAMES if is_on(picture, printed_label(name, round(0.3 * 48), 64, True))]
        assert on == [printed]
        changed = (picture != 0.25).any(dim=0)
        high, wide = printed_label(printed, round(0.3 * 48), 64, True).shape[1:]
        assert changed.any(dim=1).sum() <= high
        assert changed.any(dim=0).sum() <= wide


def test_tries_as_many_words_as_asked_and_there_are() -> None:
    """With more words than wrong classes it stops at the last one, and keeps whichever hurts most."""
    asked = []

    def model(pictures: Tensor) -> Tensor:
        asked.append(len(pictures))
        return Gullible()(pictures)

    model.classes = NAMES  # type: ignore[attr-defined]
    run(Typographic(words=9, places=2), model, torch.full((1, 3, 32, 32), 0.2), torch.tensor([0]))
    assert len(asked) == 1 + 2 * 2


def test_the_control_prints_the_right_name() -> None:
    """What is printed then says what is true, and the budget says so."""
    images, labels = torch.full((1, 3, 32, 64), 0.25), torch.tensor([0])
    attack = Typographic(size=0.4, places=2, control=True)
    attacked = run(attack, Gullible(), images, labels)
    assert is_on(attacked[0], printed_label("cat", round(0.4 * 32), 64, True))
    assert attack.budget.startswith("the right class name printed 40 % of the picture high")
    assert Typographic().budget == "a class name printed 15 % of the picture high, worst of 8"


@pytest.mark.parametrize("paper", [True, False])
def test_every_name_fits(paper: bool) -> None:
    """Labels are as high as asked, long names smaller rather than cut, while the letters are large enough to be read."""
    short, long = printed_label("cat", 32, 224, paper), printed_label("black-and-tan coonhound", 32, 224, paper)
    assert 26 <= short.shape[1] <= 32
    assert long.shape[1] < short.shape[1]
    assert 190 <= long.shape[2] <= 0.96 * 224
    # Nothing is cut off: the outermost columns are paper, or empty but for the rim.
    assert long[:3, :, 0].min() > 0.9
    tiny = printed_label("black-and-tan coonhound", 2, 5, paper)
    assert tiny.shape[1] <= 2
    assert tiny.shape[2] <= 5


def test_letters_without_paper_leave_the_ground_visible() -> None:
    """Only the letters and their rim cover what is below."""
    cover = printed_label("cat", 40, 224, False)[3]
    assert cover.max() == 1
    assert 0.2 < (cover == 0).float().mean() < 0.8
    assert (printed_label("cat", 40, 224, True)[3] == 1).all()


def test_opacity_fades_the_label() -> None:
    """At 0 the picture is untouched, at a half each value goes half of the way."""
    images, labels = torch.full((1, 3, 32, 32), 0.25), torch.tensor([0])
    whole, half, none = (
        run(Typographic(opacity=opacity, places=1), Gullible(), images, labels) - images for opacity in (1.0, 0.5, 0.0)
    )
    assert whole.any()
    torch.testing.assert_close(half, whole / 2)
    assert not none.any()


@pytest.mark.parametrize(("place", "rows"), [("top", (0, 5)), ("bottom", (27, 32)), ("middle", (13, 19))])
def test_stands_where_it_was_told_to(place: str, rows: tuple[int, int]) -> None:
    """Top, middle and bottom are those rows of the picture."""
    images, labels = torch.full((4, 3, 32, 96), 0.25), torch.zeros(4, dtype=torch.long)
    attacked = run(Typographic(size=0.15, place=place, places=3), Gullible(), images, labels)
    changed = (attacked != 0.25).any(dim=1).any(dim=2)
    assert changed.any(dim=1).all()
    assert not changed[:, : rows[0]].any()
    assert not changed[:, rows[1] :].any()


def test_refuses_a_model_without_names(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """What is not known cannot be printed; the sentence says so."""
    with pytest.raises(BadRequest, match="prints class names"):
        run(Typographic(), lambda images: tiny_classifier(images), pixels(2), torch.tensor([0, 0]))
