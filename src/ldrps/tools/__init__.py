"""What people try first, and what could at best be reached: the company in which any restorer has to be seen.

    restored = BASELINES["stretch"](pixels)  # float32 RGB [H, W, 3] in [0, 1] to the same
    restored = baseline("stretch+nlm")(pixels)  # one after the other

Importing this loads NumPy and Pillow; OpenCV, SciPy and scikit-image, of the extra `bench`, come with the first call.
"""

from __future__ import annotations

from functools import reduce

from ldrps.errors import InputError
from ldrps.image import tones
from ldrps.tools import oracles
from ldrps.tools.adaptive_wiener import wiener
from ldrps.tools.base import Baseline, Oracle, Pixels
from ldrps.tools.base import pixels as _copy
from ldrps.tools.bilateral_filter import bilateral
from ldrps.tools.dark_channel import dcp
from ldrps.tools.enlarge import bicubic, lanczos
from ldrps.tools.equalise import clahe
from ldrps.tools.inpaint import navier_stokes, telea
from ldrps.tools.nonlocal_means import nlm, nlm_auto
from ldrps.tools.total_variation import tv
from ldrps.tools.unsharp_mask import unsharp
from ldrps.tools.wavelets import wavelet

__all__ = ["BASELINES", "CHAINS", "ORACLES", "Baseline", "Oracle", "Pixels", "baseline"]

_BASELINES = (
    Baseline("identity", "nothing", "", _copy),
    Baseline("autogamma", "one gamma, so that the mean of all values is 0.5", "photo editors", tones.autogamma),
    Baseline(
        "stretch", "one gain and offset that clip 0.5 % of all values at either end", "photo editors", tones.stretch
    ),
    Baseline("meanstd", "one gain and offset, so that mean and deviation are 0.45 and 0.25", "", tones.meanstd),
    Baseline("clahe", "local histogram equalisation of L, clip limit 2", "Zuiderveld 1994; OpenCV", clahe),
    Baseline("dcp", "dark channel prior, guided filter", "He, Sun, Tang 2009, 2010; on OpenCV", dcp),
    Baseline("nlm", "non-local means, h = 7 always", "Buades, Coll, Morel 2005, 2011; OpenCV", nlm),
    Baseline("nlm-auto", "non-local means, h from the noise", "Buades 2005; Darbon 2008; scikit-image", nlm_auto),
    Baseline("tv", "total variation, weight from the noise", "Rudin, Osher, Fatemi 1992; Chambolle 2004", tv),
    Baseline("wavelet", "wavelet shrinkage, BayesShrink", "Chang, Yu, Vetterli 2000; scikit-image", wavelet),
    Baseline("wiener", "adaptive Wiener filter, 5 pixels, told the noise", "Lee 1980; SciPy", wiener),
    Baseline("bilateral", "bilateral filter, 9 pixels, 75", "Tomasi, Manduchi 1998; OpenCV", bilateral),
    Baseline("unsharp", "unsharp mask, 2 pixels, all of it", "photo editors; scikit-image", unsharp),
    Baseline("bicubic", "enlarging by a cubic", "Keys 1981; Pillow", bicubic, enlarges=True),
    Baseline("lanczos", "enlarging by a windowed sinc", "Lanczos; Pillow", lanczos, enlarges=True),
    Baseline("telea", "filling holes by fast marching, 3 pixels", "Telea 2004; OpenCV", telea, fills=True),
    Baseline("navier-stokes", "filling holes as a fluid flows", "Bertalmio 2001; OpenCV", navier_stokes, fills=True),
)
BASELINES: dict[str, Baseline] = {baseline.name: baseline for baseline in _BASELINES}

# What somebody tries next on a picture that is both dark or hazy and noisy: a tool for tones, then one for noise.
CHAINS = tuple(
    f"{tones}+{noise}"
    for tones in ("autogamma", "stretch", "meanstd", "clahe", "dcp")
    for noise in ("nlm", "nlm-auto", "tv", "wavelet", "wiener", "bilateral")
)


def baseline(name: str) -> Baseline:
    """The baseline of that name, or several with "+" between them, one after the other.

    Raises:
        InputError: there is none, more than one of them enlarges, or one of several fills holes.
    """
    parts = [BASELINES[part] for part in name.split("+") if part in BASELINES]
    if len(parts) != name.count("+") + 1:
        raise InputError(f"baseline is {name!r}; there are {', '.join(BASELINES)}, and several joined by +")
    if len(parts) == 1:
        return parts[0]
    if sum(part.enlarges for part in parts) > 1:
        raise InputError(f"baseline is {name!r}, which enlarges more than once: join only one that does")
    what = ", then ".join(part.what for part in parts)

    if any(part.fills for part in parts):
        raise InputError(f"baseline is {name!r}, of which a part fills holes: name it alone")

    def function(x: Pixels, factor: int = 1) -> Pixels:
        return reduce(lambda y, part: part(y, factor), parts, x)

    return Baseline(name, what, "", function, any(part.enlarges for part in parts))


_ORACLES = (
    Oracle("oracle-gain-offset", "the best gain and offset per channel", "least squares", oracles.gain_offset),
    Oracle("oracle-tone", "the best gain, offset and gamma per channel", "least squares, 64 px", oracles.tone),
    Oracle("oracle-roundtrip", "the truth, encoded and decoded", "the prior", oracles.roundtrip, needs_prior=True),
)
ORACLES: dict[str, Oracle] = {oracle.name: oracle for oracle in _ORACLES}
