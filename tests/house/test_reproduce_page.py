"""docs/reproduce.md: its commands are the program's, its tables are what the scripts print, and its bands judge a run."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from capt_engine.cli import protocol
from capt_engine.cli.main import parser
from capt_engine.data.benchmarks import BENCHMARKS
from capt_engine.runs.command_line import evaluation_of, tuning_of
from capt_engine.runs.options_table import Option
from capt_engine.tuning.methods import METHODS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reproduce.md"


def commands() -> Iterator[list[str]]:
    """Each command of the page, with the first value of every loop."""
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL):
        first = dict(re.findall(r"for (\w+) in (\S+)", block))
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip().startswith("capt "):
                filled = line
                for name, value in first.items():
                    filled = re.sub(rf"\${name}\b", value, filled)
                yield shlex.split(filled)[1:]


def loaded(name: str) -> ModuleType:
    """A script of the folder benchmarks, as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def bands() -> Any:
    """The script that makes the bands."""
    return loaded("reproduce_bands")


def test_its_commands_are_taken() -> None:
    """Every one is parsed, its values are read, and the data sets, methods and models it names are there."""
    known = set(
        re.findall(r'^id = "(.+)"', (ROOT / "resources" / "models.toml").read_text("utf-8"), flags=re.MULTILINE)
    )
    seen = set()
    for argv in commands():
        args = parser(argv).parse_args(argv)
        seen.add(argv[0])
        given = vars(args)
        if argv[0] == "tune":
            assert tuning_of(given).method in METHODS.names()
            assert args.data in BENCHMARKS.names()
        elif argv[0] == "evaluate":
            assert evaluation_of(given).data in BENCHMARKS.names()
        else:
            tables: dict[str, tuple[Option, ...]] = {"protocol": protocol.OPTIONS}
            for option in tables.get(argv[0], ()):
                if isinstance(value := given.get(option.name), str):
                    value = option.kind.read(value)
                    assert option.name != "datasets" or set(value) <= set(BENCHMARKS.names())  # type: ignore[call-overload]
                    assert option.name != "methods" or set(value) <= {*METHODS.names(), "zero-shot"}  # type: ignore[call-overload]
        for used in (
            given.get("model"),
            given.get("base"),
            given.get("name") if argv[:2] == ["models", "get"] else None,
        ):
            assert used is None or used in known, argv
        if argv[:2] == ["models", "import"]:
            known.add(getattr(args, "as"))
    assert seen == {"protocol", "models", "prompts", "evaluate", "tune"}


def test_its_bands_are_those_of_the_script(bands: Any) -> None:
    """The table of published figures is what the script prints."""
    figures = [one for one in bands.published().values() if one.variant not in bands.TOO_FEW]
    assert bands.markdown(figures) in PAGE.read_text(encoding="utf-8")


def test_published_means_are_those_of_the_data_sets(bands: Any) -> None:
    """A figure that was copied wrongly would not add up to the printed mean; data sets and methods are the program's."""
    figures = bands.published().values()
    compared = 0
    for mean in (one for one in figures if one.dataset.startswith("average")):
        parts = [
            one
            for one in figures
            if one.dataset in BENCHMARKS.names()
            and (one.part, one.method, one.variant, one.subsample_classes)
            == (mean.part, mean.method, mean.variant, mean.subsample_classes)
        ]
        for name in ("clean", "robust") if parts else ():
            ours = sum(getattr(one, name) for one in parts) / len(parts)
            assert ours == pytest.approx(getattr(mean, name), abs=0.02), (mean, name)
            compared += 1
    assert compared == 2 * 9
    assert {one.method for one in figures} <= {*METHODS.names(), "zero-shot"}


def test_a_run_is_judged(bands: Any) -> None:
    """Within and outside on both sides, wider for fewer pictures, and not at all for one shot."""

    def verdict(metric: str, mean: float, n: int, variant: str = "16 shots", dataset: str = "dtd") -> str:
        row = {"part": "few-shot", "dataset": dataset, "method": "fap", "variant": variant, "subsample_classes": "all"}
        (line,) = bands.judged([row | {"metric": metric, "mean": str(mean), "n": str(n)}], bands.published())
        return str(line.partition(":")[0])

    assert verdict("clean", 0.5517, 1692) == "within"
    assert verdict("clean", 0.5517 + 0.06, 1692) == verdict("clean", 0.5517 - 0.06, 1692) == "outside"
    assert verdict("clean", 0.5517 + 0.06, 200) == "within"
    # A stronger attack takes more than theirs did; more than theirs cannot be left.
    assert verdict("1/255", 0.3133 - 0.08, 1692) == "within"
    assert verdict("1/255", 0.3133 + 0.08, 1692) == "outside"
    assert verdict("clean", 0.1, 1692, "1 shot") == "not judged"
    assert verdict("clean", 0.6532 + 0.025, 0, dataset="average of 11 data sets") == "outside"
    ours = {"part": "few-shot", "dataset": "mine", "method": "fap", "variant": "", "subsample_classes": "all"}
    assert bands.judged([ours], bands.published()) == []


def test_its_hours_are_those_of_the_script(tiny_folder: Path, tmp_path: Path) -> None:
    """CAPT's passes a step are counted anew, on a tiny CLIP, and the page has them."""
    hours = loaded("reproduce_hours")
    data = hours.noise(tmp_path / "few", 4, 4)
    found = []
    for shots in (3, 4):
        for epochs in (1, 2):
            out = str(tmp_path / f"{shots}-{epochs}.safetensors")
            setting = hours.Setting(f"local-dir:{tiny_folder}", "noise")
            recipe = hours.Recipe("noise", "capt", shots, 1)
            request = hours.definitions.tune_request(recipe, setting, (str(data), ""), out, "cpu")
            found.append(hours.passes_of(hours.replace(request, epochs=epochs, batch_size=4, resume=False))[0])
    step = found[3].minus(found[2]).minus(found[1].minus(found[0]))
    a_picture = [step.pictures / 4, step.pictures_back / 4, step.sentences / 4, step.sentences_back / 4]
    row = " | ".join(f"{value:g}" for value in a_picture)
    page = PAGE.read_text(encoding="utf-8")
    assert f"| capt | {row} |" in page
    # The rows of sizes are those of the data sets.
    for one in BENCHMARKS:
        assert f"| {one.name} | {one.classes:,} | {one.sizes[2]:,} |" in page
