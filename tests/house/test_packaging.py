"""What is written twice says the same both times: versions, names, and the README's command that .ci/run types."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

APP_ID = "io.github.capt_explorer.CaptExplorer"


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    """The whole of pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def test_constraints_are_tested_versions_in_range(project: dict[str, Any], root: Path) -> None:
    """constraints.txt pins each direct dependency once, to a version that pyproject.toml allows."""
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    versions = {canonicalize_name(pin.name): next(iter(pin.specifier)).version for pin in pins}
    assert len(versions) == len(pins)
    wanted = [Requirement(text) for text in project["project"]["dependencies"] + project["dependency-groups"]["dev"]]
    assert {canonicalize_name(each.name) for each in wanted} == set(versions)
    assert not [each for each in wanted if versions[canonicalize_name(each.name)] not in each.specifier]


def test_every_dependency_has_its_reason(project: dict[str, Any], root: Path) -> None:
    """docs/decisions/0003-dependencies.md speaks of each direct dependency by name."""
    reasons = (root / "docs" / "decisions" / "0003-dependencies.md").read_text(encoding="utf-8")
    wanted = [
        Requirement(text).name for text in project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    ]
    assert not [name for name in wanted if f"`{name}`" not in reasons]


def test_one_version_everywhere(project: dict[str, Any], root: Path) -> None:
    """The installed package, the changelog and the Linux metainfo know the version of pyproject.toml."""
    version = project["project"]["version"]
    assert metadata.version("capt-explorer") == version
    releases = ElementTree.parse(root / "packaging" / "linux" / f"{APP_ID}.metainfo.xml").findall("releases/release")
    assert releases[0].get("version") == version
    headings = re.findall(r"^## \[(.+?)\]", (root / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert headings[0] == "Unreleased" or headings[0] == version


def test_the_menu_entry_belongs_to_the_app(project: dict[str, Any], root: Path) -> None:
    """The desktop entry starts the program that the wheel installs, and the metainfo launches that entry."""
    linux = root / "packaging" / "linux"
    entry = (linux / f"{APP_ID}.desktop").read_text(encoding="utf-8")
    (program,) = project["project"]["gui-scripts"]
    assert f"\nExec={program} %F\n" in entry
    component = ElementTree.parse(linux / f"{APP_ID}.metainfo.xml").getroot()
    assert component.findtext("id") == APP_ID
    assert component.findtext("launchable") == f"{APP_ID}.desktop"


def test_the_readme_gives_both_commands_at_once(root: Path) -> None:
    """The README's first screen opens the app and runs the tests; .ci/run finds the second by its marker."""
    lines = (root / "README.md").read_text(encoding="utf-8").splitlines()
    marker = lines.index("<!-- test-command -->")
    assert marker < 30
    assert lines[marker + 1].startswith("```")
    assert lines[marker + 2].endswith("pytest")
    assert any("capt-explorer" in line for line in lines[:marker])


@pytest.mark.parametrize("document", ["README.md", ".ci/run"])
def test_the_libraries_that_qt_needs_are_named(root: Path, document: str) -> None:
    """Every Debian package that the window asks for when it is missing is in the README's command and in .ci/run."""
    asked_for = re.findall(r'": "(lib[^"]+)"', (root / "capt_gui" / "__main__.py").read_text(encoding="utf-8"))
    named = set(re.findall(r"[a-z0-9.+-]+", (root / document).read_text(encoding="utf-8")))
    assert len(asked_for) > 10
    assert not set(asked_for) - named


def test_the_documents_point_at_files_that_exist(tree: tuple[Path, ...], root: Path) -> None:
    """Every relative link in a Markdown file leads somewhere."""
    link = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
    broken = [
        f"{file.relative_to(root)} -> {target}"
        for file in tree
        if file.suffix == ".md"
        for target in link.findall(file.read_text(encoding="utf-8"))
        if not (file.parent / target).exists()
    ]
    assert not broken
