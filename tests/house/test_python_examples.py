"""What the documents and docstrings say about Python is run as it stands, and docs/api.md is what the docstrings say."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import capt_engine as capt

Run = Callable[..., "subprocess.CompletedProcess[str]"]

RUN = """
import doctest, pathlib, re, sys
text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
(section,) = [one for one in re.split("^## ", text, flags=re.M) if one.startswith(sys.argv[2])]
code = "".join(re.findall("```python\\n(.*?)```", section, flags=re.S))
test = doctest.DocTestParser().get_doctest(code, {}, sys.argv[2], sys.argv[1], 0)
assert test.examples
sys.exit(doctest.DocTestRunner().run(test).failed)
"""


def test_the_guide_runs_as_written(warm_python: Run, root: Path, tmp_path: Path) -> None:
    """The section about a CLIP, in a process of its own."""
    done = warm_python("-c", RUN, str(root / "docs/python.md"), "A CLIP, its prompts", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


# Those of the metrics and of `Attack` are run beside their own tests.
DESCRIBED = (
    "demo.pictures",
    "evaluation.of_tensors",
    "explanations.of_tensors",
    "model.classifier",
    "model.clip",
    "model.learned_prompts",
    "tuning.of_tensors",
)


@pytest.mark.parametrize("name", DESCRIBED)
def test_docstrings_run(name: str) -> None:
    """The examples of the public functions."""
    result = doctest.testmod(importlib.import_module(f"capt_engine.{name}"))
    assert result.attempted
    assert not result.failed


def test_the_page_is_what_the_docstrings_say(root: Path) -> None:
    """docs/api.md equals what `nox -s api` would write, and names everything public."""
    generator = _loaded(root / "docs/api_page.py")
    written = (root / "docs/api.md").read_text(encoding="utf-8")
    assert written == generator.page(), "run: nox -s api"
    for name in capt._HOME_OF:
        assert name == "metrics" or f"### capt.{name}\n" in written


def test_the_readme_shows_what_is_run(root: Path) -> None:
    """Each line of the README's program stands in the guide that is run."""
    section = (root / "README.md").read_text(encoding="utf-8").partition("## From Python")[2]
    lines = section.partition("```python\n")[2].partition("```")[0].splitlines()
    guide = (root / "docs/python.md").read_text(encoding="utf-8")
    assert len(lines) > 5
    assert not [line for line in lines if line.replace(" ", "") not in guide.replace(" ", "")]


@pytest.mark.parametrize("example", ["attack_any_model", "evaluate_clip"])
def test_the_examples_run(warm_python: Run, root: Path, tmp_path: Path, example: str) -> None:
    """Each in a process of its own, in an empty folder, and it has something to say."""
    run = f"import runpy; runpy.run_path({str(root / f'examples/{example}.py')!r}, run_name='__main__')"
    done = warm_python("-c", run, cwd=tmp_path, env={"PYTHONPATH": str(root)})
    assert done.returncode == 0, done.stderr
    assert "%" in done.stdout
    assert not list(tmp_path.iterdir())


TORCH_FIRST = (
    RUN.replace("sys.exit(", "failed = (")
    + """
import torch, torchvision
torch.manual_seed(0)
network = torchvision.models.resnet18(num_classes=5).eval()
x = torch.rand(1, 3, 32, 32)
from capt_engine import evaluate
y = network(x).argmax(dim=1)
result = evaluate(network, (x, y), attacks=["pgd", "fgsm"], eps=[0, 32 / 255], batch_size=1)
assert result.clean_accuracy == 1.0 and len(result.rows()) == 4
assert result.rows()[0]["adv_pred"] == str(int(y))
print([one.name for one in result.summary.checks if one.status == "fail" and one.name != "enough-pictures"])
sys.exit(failed)
"""
)


def test_other_models_with_torch_imported_first(python: Run, root: Path, tmp_path: Path) -> None:
    """The guide's section as written, which imports torch before us, and one picture: no warning, and only that it is one is a fault."""
    arguments = ("-W", "error::RuntimeWarning", "-c", TORCH_FIRST, str(root / "docs/python.md"), "Any other model")
    done = python(*arguments, cwd=tmp_path, env={"PYTHONPATH": str(root), "MKL_CBWR": None})
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() == "[]"


def test_the_method_in_a_hundred_lines(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is no longer than that, its loss is the engine's, its attack stays in the ball, and what it learns changes the answers."""
    import torch

    from capt_engine.tuning.objective import Settings, Views
    from capt_engine.tuning.objective import capt as capt_objective

    path = root / "examples/capt_in_100_lines.py"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 100
    example = _loaded(path)
    stream = torch.Generator().manual_seed(0)
    clean, adversarial, frozen = (3 * torch.randn(5, 7, generator=stream) for _ in range(3))
    y, features = torch.arange(5), torch.ones(5, 2)
    theirs = capt_objective(Views(y, clean, adversarial, frozen, frozen, features, features), Settings())
    assert torch.allclose(example.capt_loss(clean, adversarial, frozen, y), theirs.loss, atol=1e-6)
    example.EPOCHS = 2
    clip = capt.load_clip("demo")
    x, y, classes = capt.demo_pictures(clip, domain="night", split="train", n=4)
    model = example.tune(clip, x, y, classes, "a photo of a {}.")
    plain = capt.Classifier(clip, classes, "a photo of a {}.")
    assert (model(x) - plain(x)).abs().max() > 0.1
    attacked = example.attack(plain, x, y)
    assert 0 < (attacked - x).abs().max() <= example.EPS + 1e-6
    assert capsys.readouterr().out.startswith("epoch 1: loss")


def _loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
