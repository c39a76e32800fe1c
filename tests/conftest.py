"""What tests share: a small prior, noisy pictures, and the project's reference material where there is any."""

from __future__ import annotations

import functools
import math
import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from ldrps import Prior, Result
    from ldrps.estimation.damage import Damage
    from ldrps.estimation.estimators import Estimators
    from ldrps.estimation.tone_posterior import TonePosterior
    from ldrps.image.picture import Picture
    from ldrps.prior.base import Denoised, NoiseKind
    from ldrps.prior.tiny.denoiser import LatentUNet
    from ldrps.progress import OnStep
    from ldrps.run.batch import Batch
    from ldrps.run.job import Job

# Read when torch and numpy are loaded, so not above; and by the processes that tests start. The nets are so small that
# several threads gain nothing, and beside another busy process they wait for each other at full speed: many times the
# work, most of it in vain.
os.environ.setdefault("OMP_NUM_THREADS", "1")

Run = Callable[..., tuple[int, str, str]]

SHARED = Path(__file__).resolve().parents[2] / "shared"
PATIENCE = 120.0  # seconds that a test waits before it fails, which no machine that is only busy comes near


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test logged is sent from process to process, which a lone surrogate in it would end."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


_ASKED: dict[str, Callable[..., Any]] = {}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """The judge of tones is not asked twice about a picture, which is most of a restoration of a small one, and a
    restorer that is given no estimators has those of the package without reading their files each time.

    What a judge said is known by all that it depends on: the picture, its own weights and configuration, and what is
    known beforehand. Tests of the estimators themselves, and those that are marked `asked_anew`, do it all each time.
    """
    tone = sys.modules.get("ldrps.estimation.tone")
    if tone is None:
        return
    ask = _ASKED.setdefault("anew", tone._asked)
    remembering = _ASKED.setdefault("remembering", _remembering(ask))
    anew = item.get_closest_marker("asked_anew") or Path(__file__).with_name("estimation") in item.path.parents
    tone._asked = ask if anew else remembering  # type: ignore[attr-defined]
    if (restorer := sys.modules.get("ldrps.restorer")) is not None:
        load = _ASKED.setdefault("load", restorer.load_estimators)
        loaded = _ASKED.setdefault("loaded", functools.cache(load))
        restorer.load_estimators = load if anew else loaded  # type: ignore[attr-defined]


def _remembering(ask: Callable[[Tensor, TonePosterior, float], Damage]) -> Callable[..., Damage]:
    """The same function, which is called once for the same of everything that it depends on."""
    import hashlib

    import torch

    told: dict[bytes, Damage] = {}

    def asked(y: Tensor, posterior: TonePosterior, undamaged: float) -> Damage:
        tensors = [y, *posterior.state_dict().values()]
        if any(each.device.type != "cpu" for each in tensors):
            return ask(y, posterior, undamaged)
        modes = (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), y.requires_grad)
        known = hashlib.blake2b(repr((modes, y.shape, undamaged, posterior.lower, posterior.config)).encode())
        for each in tensors:
            known.update(f"{each.dtype}".encode())
            known.update(each.detach().clone(memory_format=torch.contiguous_format).view(torch.uint8).numpy())
        if (key := known.digest()) not in told:
            told[key] = ask(y, posterior, undamaged)
        return told[key]

    return asked


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`ldrps` with these words in this process: exit code, stdout, stderr. Never a traceback."""
    from ldrps.cli import main

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ldrps", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return int(left.value.code or 0), out, err

    return call


@pytest.fixture
def quick_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes come from a server that has loaded torch already: seconds less for each."""
    if sys.platform == "win32":
        return
    from multiprocessing.forkserver import ensure_running

    from crash_parts import PRELOADED

    get_context = multiprocessing.get_context
    server = get_context("forkserver")
    server.set_forkserver_preload([*PRELOADED, "ldrps.bench.runner", "ldrps.bench.scores"])
    ensure_running()
    monkeypatch.setattr(multiprocessing, "get_context", lambda kind: server if kind == "spawn" else get_context(kind))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference material; a test that needs it is skipped where it is not."""
    if not (SHARED / "golden").is_dir():
        pytest.skip("needs the reference material in ../shared, which is not here")
    return SHARED


@pytest.fixture(scope="session")
def tiny_prior_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained prior of the embedded make: too small to restore anything, enough to run everything."""
    import torch

    from ldrps.prior.tiny.autoencoder import PatchAutoencoder
    from ldrps.prior.tiny.denoiser import LatentUNet
    from ldrps.prior.tiny.prior import save_part

    folder = tmp_path_factory.mktemp("tiny-prior")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        coarse = torch.rand(2000, 3, 2, 2) * 2 - 1
        smooth = (
            torch.nn.functional.interpolate(coarse, scale_factor=2, mode="bilinear") + torch.randn(2000, 3, 4, 4) / 20
        )
        deviations = torch.logspace(0.1, -2.0, 20).tolist()
        unet = awake(LatentUNet(deviations, widths=(32, 32), blocks=(1,), middle=2, embedding=32))
        save_part(folder, "vae", PatchAutoencoder.fit(smooth, 20))
        save_part(folder, "unet", unet)
    return folder


def photo(side: int = 96) -> Tensor:
    """Something like a photograph, [1, 3, side, side]: a sky, a ground, and texture at all scales."""
    import torch

    random = torch.Generator().manual_seed(3)
    x = torch.linspace(0.85, 0.25, side).reshape(1, 1, side, 1).expand(1, 3, side, side).clone()
    for places in (3, 6, 12, 24, 48):
        colour, grey = (torch.randn(1, channels, places, places, generator=random) for channels in (3, 1))
        x += 0.05 * torch.nn.functional.interpolate(colour + grey, (side, side), mode="bicubic")
    return x.clamp(0, 1)


def ball(side: int = 96) -> Tensor:
    """A ball on a ground, lit from a side, [1, 3, side, side], in which nothing could be taken for noise."""
    import torch

    y, x = torch.meshgrid(torch.linspace(-1, 1, side), torch.linspace(-1, 1, side), indexing="ij")
    inside = ((0.6 - (x**2 + y**2).sqrt()) * 20).clamp(0, 1)
    colours = torch.tensor([0.5, -0.1, -0.3]).reshape(1, 3, 1, 1)
    return (0.45 + 0.2 * x + 0.1 * y + colours * inside * (0.6 - 0.3 * x)).clamp(0, 1)


def unchanged(picture: Picture) -> Result:
    """The result of a method that changed nothing."""
    from ldrps import Caption, Result, Settings
    from ldrps.image.picture import to_levels

    levels = to_levels(picture, picture.rgb)
    return Result(levels=levels, picture=picture, settings=Settings(), prior="a prior", caption=Caption(), seconds={})


def unmoved_estimators(noise: float = 0.0, kind: NoiseKind = "white", probability: float = 1.0) -> Estimators:
    """To which nothing was done to any picture's tones and colours, all are sharp, and have noise of a deviation, of 1,
    with a probability.
    """
    import torch

    from ldrps.estimation.blur_posterior import BlurPosterior
    from ldrps.estimation.cast_posterior import CastPosterior
    from ldrps.estimation.estimators import Estimators
    from ldrps.estimation.noise_posterior import NoisePosterior
    from ldrps.estimation.scratch_detector import ScratchDetector
    from ldrps.estimation.tone_posterior import TonePosterior
    from ldrps.prior.base import NOISES
    from ldrps.settings import BlindSettings

    tone = TonePosterior(widths=(8, 16), hypotheses=1, uneven=0)
    torch.nn.init.zeros_(tone.answer.weight)
    tone.answer.bias.data[-2] = 20.0  # of the last two, the one of nothing
    judge = NoisePosterior(widths=(4, 8), none=BlindSettings().noiseless)
    torch.nn.init.zeros_(judge.answer.weight)
    bias = judge.answer.bias.data
    bias[0], bias[1 + NOISES.index(kind)] = (
        math.log(max(each, 1e-6)) + 20 for each in (1 - probability * bool(noise), probability * bool(noise))
    )
    bias[1 + len(NOISES) : 1 + 2 * len(NOISES)] = math.log(noise or 1e-3) + 4
    blur = BlurPosterior(widths=(4, 8))
    torch.nn.init.zeros_(blur.answer.weight)
    blur.answer.bias.data[0] = 20.0
    cast = CastPosterior(widths=(4, 8))
    torch.nn.init.zeros_(cast.answer.weight)
    cast.answer.bias.data[0] = -20.0
    unmarked = ScratchDetector(widths=(4, 8))  # untrained, it takes no pixel for hidden
    return Estimators("unmoved", *(net.eval().requires_grad_(False) for net in (tone, judge, blur, cast, unmarked)))


@pytest.fixture(scope="session")
def unmoved() -> Estimators:
    return unmoved_estimators()


@pytest.fixture(scope="session")
def small_estimators() -> Estimators:
    """Those that find noise of 20 of 255 in every picture, and nothing else: at once, where those of the package take
    most of the time that a small picture is restored in.
    """
    return unmoved_estimators(20 / 255)


@pytest.fixture(scope="session")
def small_estimators_folder(small_estimators: Estimators, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, for the command line."""
    from ldrps.estimation import JUDGES
    from ldrps.estimation.estimators import save_estimator

    folder = tmp_path_factory.mktemp("small-estimators")
    for part in JUDGES:
        if (network := getattr(small_estimators, part)) is not None:  # else the package's
            save_estimator(folder, part, network)
    return folder


@pytest.fixture(scope="session")
def tiny_prior(tiny_prior_folder: Path) -> Prior:
    from ldrps import load_prior

    return load_prior(tiny_prior_folder)


@pytest.fixture(scope="session")
def text_prior_folder(tiny_prior_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small prior with another UNet, and a text encoder that knows a few words. Untrained as well."""
    import torch

    from ldrps.prior.tiny.denoiser import LatentUNet
    from ldrps.prior.tiny.prior import load_part, save_part, save_text
    from ldrps.train.text import new_text_encoder

    folder = Path(shutil.copytree(tiny_prior_folder, tmp_path_factory.mktemp("text-prior"), dirs_exist_ok=True))
    deviations = load_part(folder, "unet", torch.device("cpu"), torch.float32).config["sigma_data"]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_text(folder, new_text_encoder(["dog, green", "golden retriever, dark"], width=32, layers=1))
        unet = LatentUNet(deviations, widths=(32, 32), blocks=(1,), middle=2, embedding=32, text_width=32)
        save_part(folder, "unet", awake(unet, 0.1))
    return folder


def awake(unet: LatentUNet, deviation: float = 0.02) -> LatentUNet:
    """The same net with random weights, always the same, where it begins with zeros and does nothing."""
    import torch

    random = torch.Generator().manual_seed(0)
    for parameter in unet.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=deviation, generator=random)
    return unet


def noisy(width: int = 48, height: int = 40, seed: int = 0, channels: int = 3) -> np.ndarray:
    """A gradient under strong noise, uint8 [H, W, channels]: the default method has steps to do."""
    import numpy as np

    rng = np.random.default_rng(seed)
    ramp = np.add.outer(np.linspace(60, 120, height), np.linspace(0, 60, width))[..., None]
    return (ramp + rng.normal(0, 20, (height, width, channels))).clip(0, 255).astype(np.uint8)


def until(true: Callable[[], object], every: float = 0.005) -> None:
    """Wait for something that another thread or process does; the bound is for what never happens, not for speed."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"it did not happen within {PATIENCE:g} seconds"
        time.sleep(every)


def restore_job(batch: Batch, job: Job, on_step: OnStep | None = None) -> tuple[Result, list[Path]]:
    """Check, restore and write a job, as the workers do; what can go wrong is raised."""
    overwrite = batch.output.overwrite
    batch.check(job, overwrite=overwrite)
    made = batch.restore(job, batch.load(job), on_step)
    return made.result, batch.write(made, overwrite=overwrite)


_SHADES = {"dark": 0.2, "bright": 0.8, "": 0.5, "not bright": 0.4}


@pytest.fixture
def by_heart(tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch) -> Prior:
    """A prior to which every picture has the shade that its caption says: dark, bright, not bright, or in between."""
    import torch

    from ldrps.prior import base
    from ldrps.sampling.schedule import Schedule

    schedule = Schedule(tiny_prior.alphas_cumprod)

    def denoise(z_t: Tensor, t: int, text: Tensor | None = None) -> Denoised:
        assert text is not None
        sides = [tiny_prior.factor * side for side in z_t.shape[-2:]]
        z0 = tiny_prior.encode(text.reshape(-1, 1, 1, 1).expand(-1, 3, *sides))
        return base.Denoised(z0, schedule.predict_eps(z_t, z0, t))

    monkeypatch.setattr(type(tiny_prior), "has_text", True)
    monkeypatch.setattr(tiny_prior, "embed", lambda said: torch.tensor([[[_SHADES[each]]] for each in said]))
    monkeypatch.setattr(tiny_prior, "denoise", denoise)
    return tiny_prior
