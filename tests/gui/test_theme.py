"""The theme: contrast as WCAG counts it, every icon, and a style sheet without holes."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from capt_engine.resources import resource
from capt_gui.theme import ROLES, Theme

GROUNDS = ("background", "surface", "surface_raised")


def luminance(color: QColor) -> float:
    """Relative luminance after WCAG 2.2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color.getRgbF()[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: QColor, second: QColor) -> float:
    """Contrast ratio after WCAG 2.2, from 1 to 21."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.fixture(params=["light", "dark"])
def either_theme(qapp: QApplication, request: pytest.FixtureRequest) -> Theme:
    """The theme in both of its palettes, one after the other."""
    return Theme(qapp, request.param)


@pytest.mark.parametrize("role", ["text", "text_muted", "accent", "ok", "broken", "warning"])
@pytest.mark.parametrize("ground", GROUNDS)
def test_whatever_is_read_has_contrast_enough_for_small_text(either_theme: Theme, role: str, ground: str) -> None:
    """Text roles reach 4.5 : 1 (AA) on every ground."""
    assert contrast(either_theme.color(role), either_theme.color(ground)) >= 4.5


@pytest.mark.parametrize("role", ["clean", "attacked", "focus", "control", "side_a", "side_b"])
@pytest.mark.parametrize("ground", ["background", "surface"])
def test_whatever_is_seen_has_contrast_enough_for_marks(either_theme: Theme, role: str, ground: str) -> None:
    """Bars, rings and outlines reach 3 : 1 (AA) on what they stand on."""
    assert contrast(either_theme.color(role), either_theme.color(ground)) >= 3.0


def test_words_on_the_accent_can_be_read(either_theme: Theme) -> None:
    """Text on a primary button reaches 4.5 : 1 at rest, hovered and pressed."""
    for ground in ("accent", "accent_hover", "accent_pressed"):
        assert contrast(either_theme.color("accent_text"), either_theme.color(ground)) >= 4.5


@pytest.mark.parametrize("side", ["side_a", "side_b"])
def test_the_letters_of_the_sides_can_be_read(either_theme: Theme, side: str) -> None:
    """The letter on its colour reaches 4.5 : 1, and so does a letter in that colour."""
    assert contrast(either_theme.color("surface"), either_theme.color(side)) >= 4.5


def test_the_sides_differ_for_colour_blind_eyes(either_theme: Theme) -> None:
    """Grey against violet: how far blue stands out from red and green tells them apart, whatever red and green look like."""
    a, b = (either_theme.color(name) for name in ("side_a", "side_b"))
    outstanding = [color.blueF() - (color.redF() + color.greenF()) / 2 for color in (a, b)]
    assert outstanding[1] - outstanding[0] > 0.25


def test_clean_and_attacked_differ_for_colour_blind_eyes(either_theme: Theme) -> None:
    """Blue against orange: they differ most in the blue channel, which no common colour blindness takes away."""
    clean, attacked = either_theme.color("clean"), either_theme.color("attacked")
    assert clean.blueF() - attacked.blueF() > 0.5


def test_a_choice_changes_palette_and_says_so(qapp: QApplication) -> None:
    """set_choice turns the whole application dark and emits `changed` once."""
    theme = Theme(qapp, "light")
    heard: list[bool] = []
    theme.changed.connect(lambda: heard.append(theme.is_dark))
    theme.set_choice("dark")
    assert heard == [True]
    assert qapp.palette().color(QPalette.ColorRole.Window) == theme.color("background")
    theme.set_choice("light")
    assert heard == [True, False]


def test_an_unknown_choice_follows_the_system(qapp: QApplication) -> None:
    """A settings file with nonsense in it still gives a theme."""
    assert Theme(qapp, "purple").choice == "system"


def test_every_icon_can_be_drawn(theme: Theme) -> None:
    """Each bundled drawing gives a picture with something on it, also for disabled controls."""
    names = sorted(path.stem for path in resource("icons").glob("*.svg"))
    assert names
    for name in names:
        icon = theme.icon(name)
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Disabled):
            image = icon.pixmap(QSize(24, 24), mode).toImage()
            drawn = any(image.pixelColor(x, y).alpha() for x in range(24) for y in range(24))
            assert drawn, name


def test_an_icon_takes_the_colour_of_its_role_and_is_crisp_at_twice_the_size(theme: Theme) -> None:
    """The check mark in "ok" has no pixel of another hue, and a 2x screen gets 2x pixels."""
    image = theme.pixmap("check", 24, "ok", 2.0).toImage()
    assert (image.width(), image.devicePixelRatio()) == (48, 2.0)
    solid = [
        image.pixelColor(x, y)
        for x in range(48)
        for y in range(48)
        if image.pixelColor(x, y).alpha() == 255  # edges are mixed with nothing
    ]
    assert solid
    assert {color.name() for color in solid} == {theme.color("ok").name()}


def test_the_style_sheet_has_no_hole(either_theme: Theme, qapp: QApplication) -> None:
    """Every @role@ was filled in, and every picture it names exists."""
    assert either_theme.color(ROLES[0]).isValid()
    sheet = qapp.styleSheet()
    assert not re.findall(r"@[a-z_-]+@", sheet)
    pictures = re.findall(r"url\(([^)]+)\)", sheet)
    assert pictures
    for picture in pictures:
        assert resource(picture).exists(), picture


def test_a_tint_lies_between_its_colours(theme: Theme) -> None:
    """Mixing nothing gives the ground, mixing all gives the colour."""
    assert theme.mixed("broken", 0.0).name() == theme.color("surface").name()
    assert theme.mixed("broken", 1.0).name() == theme.color("broken").name()


@pytest.mark.parametrize("tint", ["warning", "broken", "clean", "attacked", "ok"])
@pytest.mark.parametrize("role", ["text", "text_muted"])
def test_words_on_a_tint_can_be_read(either_theme: Theme, role: str, tint: str) -> None:
    """Banners, notices and verdicts stand on a tenth of their colour; their words reach 4.5 : 1 there."""
    assert contrast(either_theme.color(role), either_theme.mixed(tint, 0.1)) >= 4.5


@pytest.mark.parametrize("role", ["text", "accent"])
def test_words_on_what_is_chosen_can_be_read(either_theme: Theme, role: str) -> None:
    """The soft accent is the ground of the chosen row, page and segment."""
    assert contrast(either_theme.color(role), either_theme.color("accent_soft")) >= 4.5
