"""Learning prompts from a few pictures: the request, the news on the way, and the result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from capt_engine.bundled_models import DEFAULT_MODEL
from capt_engine.frozen import dataclass
from capt_engine.records.catalogue import PromptsInfo
from capt_engine.records.pictures import FailedPicture, Picture
from capt_engine.records.requests import Request, Result

OLD_NAMES: Mapping[str, str] = {
    "rate": "lr",
    "batch": "batch_size",
    "weight": "lambda_",
    "guide": "reference",
    "guide model": "reference model",
    "length": "n_ctx",
    "vision_length": "vision_n_ctx",
    "half": "subsample_classes",
}
"""Names of tuning settings and prompt shapes in files of before → today's."""


@dataclass(frozen=True)
class TuneRequest(Request):
    """Learn prompts from a few labelled pictures per class and write them to `out`; None stands for the default of method and model.

    data: as in `EvaluateRequest`; its training pictures are drawn from, its validation pictures measured on, its test pictures
    never touched. shots: pictures per class, None for all. eps, attack_step_size: of the attack inside training, in pixel units
    [0, 1]; attack_loss is "ce" or "kl". lambda_: λ. alpha: a rule by name. reference: the frozen model, "original" (zero-shot, of
    the model that a robust one came from), "same", or a model id. coupling, n_ctx, depth: the prompts' shape. lr: the learning
    rate after the first epoch. augment: "none", or "crop-flip". patience: stop when the validation has not improved for so many
    epochs and keep the best; 0 goes on to the last and keeps that one, as published. validate: measure on the validation pictures
    after each epoch. strips: show a few training pictures, attacked, after each epoch where nothing is validated.
    subsample_classes: tune on "all" classes, or the "base" or "new" half of them. stop_after: end after so many epochs and keep
    the best of them, as "stop and keep the best" does; 0 for never. resume: go on where an earlier run of the same request was
    stopped.
    """

    OLD_NAMES: ClassVar[Mapping[str, str]] = OLD_NAMES

    data: str
    out: str
    data_root: str = ""
    model: str = DEFAULT_MODEL
    method: str = "capt"
    shots: int | None = 16
    seed: int = 0
    template: str = ""
    subsample_classes: str = "all"
    eps: float | None = None
    attack_steps: int | None = None
    attack_step_size: float | None = None
    attack_loss: str | None = None
    lambda_: float | None = None
    alpha: str | None = None
    alpha_const: float = 0.5
    kl_direction: str = "target_first"
    detach_clean: bool = False
    reference: str = "original"
    coupling: str | None = None
    n_ctx: int | None = None
    depth: int | None = None
    epochs: int | None = None
    batch_size: int | None = None
    lr: float | None = None
    augment: str = "none"
    patience: int = 0
    stop_after: int = 0
    validate: bool = True
    strips: bool = True
    name: str = ""
    notes: str = ""
    licence: str = ""
    resume: bool = False
    device: str = "auto"
    precision: str = "fp32"
    deterministic: bool = False


@dataclass(frozen=True)
class Share:
    """k of n, with the Wilson 95 % interval; fractions in [0, 1]."""

    k: int
    n: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """Return the share k / n as a fraction in [0, 1]."""
        return self.k / self.n


@dataclass(frozen=True)
class TuneStep:
    """One optimiser step in numbers; α as mean, 10th and 90th percentile; accuracies are of the batch, in [0, 1].

    lr: the learning rate. cross_entropy, train, reference: the terms of the loss, in nats. zero_gradients: share of pixel
    gradients that were exactly zero. prompt_norm: the length of all learned values together, before the step; 0 in a log of an
    older version. alpha_counts: pictures of the batch by α, in ALPHA_BINS bins of equal width; empty in a log of an older version.
    """

    OLD_NAMES: ClassVar[Mapping[str, str]] = OLD_NAMES

    epoch: int
    step: int
    lr: float
    loss: float
    cross_entropy: float
    train: float
    reference: float
    alpha_mean: float
    alpha_p10: float
    alpha_p90: float
    gradient_norm: float
    zero_gradients: float
    clean_accuracy: float
    robust_accuracy: float
    prompt_norm: float = 0.0
    alpha_counts: tuple[int, ...] = ()


@dataclass(frozen=True)
class TuneEpoch:
    """The result of an epoch; the shares are of the validation pictures, None where there are none (or no attack).

    Epoch 0 is plain text, before any tuning; it has no loss, and 0 stands in its place.
    """

    epoch: int
    epochs: int
    loss: float
    clean: Share | None
    robust: Share | None
    is_best: bool


@dataclass(frozen=True)
class TuneSample:
    """One picture as the run sees it now: clean and attacked at the model's own size, its class, and what is answered to each."""

    clean: Picture
    attacked: Picture
    label: str
    clean_answer: str
    attacked_answer: str


@dataclass(frozen=True)
class TuneStrip:
    """Some validation pictures (training pictures where there are none) after an epoch; 0 is plain text, before any tuning."""

    epoch: int
    samples: tuple[TuneSample, ...]


@dataclass(frozen=True)
class ForecastRequest(Request):
    """Try three steps of a tuning run and estimate what all of it will take; nothing is written."""

    request: TuneRequest


@dataclass(frozen=True)
class TuneForecast(Result):
    """From a dry run of a few steps: how long the run will take and how much memory it will need at its peak.

    seconds: all of it, or what is left of it; epoch_seconds: one epoch with its validation, which takes validation_seconds of them.
    memory_bytes: of the whole process, or of the GPU's where the work is done on one. device: in words. 0 and "" where not known.
    step_seconds: a step of an attack on one picture of a test.
    """

    steps: int
    seconds: float
    memory_bytes: int
    parameters: int
    batch_size: int
    epochs: int = 0
    epoch_seconds: float = 0.0
    validation_seconds: float = 0.0
    n_train: int = 0
    n_val: int = 0
    device: str = ""
    step_seconds: float = 0.0

    def test_seconds(self, n: int, steps: int) -> float:
        """Return the seconds of the test that follows the run: `n` pictures, the prompts and none, an attack of `steps` steps.

        Answers and measures count as two steps more. 0 where no step was timed.
        """
        return 2 * n * (steps + 2) * self.step_seconds


@dataclass(frozen=True)
class TuneResult(Result):
    """A tuned checkpoint: where it is, which epoch was kept and why the run ended, in words. prompts: None for an image tower.

    zero_shot_*, clean, robust: shares of the validation pictures, before and after, None where there are none. stopped_after: the epoch
    after which it was asked to stop and keep the best, 0 where it was not. command: makes the same prompts, in a file of the same name in
    the folder where it is run.
    """

    out: str
    method: str
    model: str
    classes: tuple[str, ...]
    shots: int | None
    n_train: int
    n_val: int
    epochs: int
    kept_epoch: int
    ended: str
    clean: Share | None
    robust: Share | None
    zero_shot_clean: Share | None
    zero_shot_robust: Share | None
    seconds: float
    memory_bytes: int
    parameters: int
    prompts: PromptsInfo | None
    failed: tuple[FailedPicture, ...] = ()
    notes: tuple[str, ...] = ()
    command: str = ""
    stopped_after: int = 0


@dataclass(frozen=True)
class SaveTunedRequest(Request):
    """Give tuned prompts their name, notes and licence, and put them where they belong.

    source: the checkpoint that the run wrote. folder: a new folder in Hugging Face's layout (prompts, model card, manifest), "" for the
    program's own store of prompts; with `in_store` they go to both. runs: kept evaluations that the model card quotes. made_by: the
    request of the run, for the command; without it the command is put together from what the checkpoint says, which does not know where
    the pictures lay.
    """

    source: str
    name: str
    notes: str = ""
    licence: str = ""
    folder: str = ""
    runs: tuple[str, ...] = ()
    in_store: bool = False
    made_by: TuneRequest | None = None


@dataclass(frozen=True)
class TunedSaved(Result):
    """The saved prompts, the files that were written, and the command that makes the same prompts from the same pictures."""

    prompts: PromptsInfo
    files: tuple[str, ...]
    command: str = ""
