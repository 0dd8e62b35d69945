"""Bundled files are found in a checkout; in an installed wheel tests/house/test_wheel.py looks for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from capt_engine import resources
from capt_engine.resources import resource, resources_dir


def test_a_checkout_has_its_resources_beside_the_packages() -> None:
    """The demo model and the samples are where the code looks for them."""
    assert resources_dir() == Path(__file__).resolve().parents[2] / "resources"
    assert resource("demo", "open_clip_config.json").is_file()
    assert resource("demo", "open_clip_model.safetensors").stat().st_size < 15e6
    assert len(list(resource("samples").glob("*.png"))) == 12


def test_an_installed_package_prefers_what_was_bundled_into_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if a folder called resources should lie beside it."""
    (tmp_path / "capt_engine" / "bundled").mkdir(parents=True)
    (tmp_path / "resources").mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "capt_engine")
    assert resource("demo") == tmp_path / "capt_engine" / "bundled" / "demo"
