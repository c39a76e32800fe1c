"""CIELAB and CIEDE2000 against scikit-image and the pairs of Sharma, Wu, Dalal 2005, table 1."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab
from torch import Tensor

from ldrps.metrics import ciede2000
from ldrps.metrics.colour import difference, lab

# Number in the table, two colours of CIELAB, their difference. 7 to 16 try the mean of opposed hues and greys.
SHARMA = [
    (1, (50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    (2, (50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
    (4, (50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    (7, (50, 0, 0), (50, -1, 2), 2.3669),
    (8, (50, -1, 2), (50, 0, 0), 2.3669),
    (9, (50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
    (10, (50, 2.49, -0.001), (50, -2.49, 0.0010), 7.1792),
    (11, (50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    (12, (50, 2.49, -0.001), (50, -2.49, 0.0012), 7.2195),
    (13, (50, -0.001, 2.49), (50, 0.0009, -2.49), 4.8045),
    (15, (50, -0.001, 2.49), (50, 0.0011, -2.49), 4.7461),
    (16, (50, 2.5, 0), (50, 0, -2.5), 4.3065),
    (17, (50, 2.5, 0), (73, 25, -18), 27.1492),
    (19, (50, 2.5, 0), (56, -27, -3), 31.9030),
    (25, (60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    (28, (22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    (34, (2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


def random_pair(seed: int = 0) -> tuple[Tensor, Tensor]:
    x, y = torch.rand(2, 3, 40, 30, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return x, y


def last(x: Tensor) -> np.ndarray:
    return x.movedim(0, -1).numpy()


@pytest.mark.parametrize(("first", "second", "wanted"), [row[1:] for row in SHARMA], ids=[row[0] for row in SHARMA])
def test_the_published_pairs(first: tuple[float, ...], second: tuple[float, ...], wanted: float) -> None:
    a, b = (torch.tensor(colour, dtype=torch.float64) for colour in (first, second))
    assert float(difference(a, b)) == pytest.approx(wanted, abs=5e-5)
    assert float(difference(b, a)) == pytest.approx(wanted, abs=5e-5), "it is symmetric"


@pytest.mark.parametrize("spread", [1, 30, 120])
def test_differences_are_scikit_images(spread: float) -> None:
    rng = np.random.default_rng(0)
    a, b = (np.stack([rng.uniform(0, 100, 2000), *rng.uniform(-spread, spread, (2, 2000))]) for _ in "ab")
    found = difference(torch.from_numpy(a), torch.from_numpy(b)).numpy()
    np.testing.assert_allclose(found, deltaE_ciede2000(a, b, channel_axis=0), rtol=0, atol=1e-10)


def test_lab_is_scikit_images_up_to_the_digits_of_its_matrix() -> None:
    x, y = random_pair()
    x = x * torch.linspace(0, 1, 30, dtype=torch.float64)  # dark ones too, where the curves are straight
    np.testing.assert_allclose(last(lab(x)), rgb2lab(last(x)), rtol=0, atol=0.02)
    wanted = deltaE_ciede2000(rgb2lab(last(x)), rgb2lab(last(y))).mean()
    assert ciede2000(x, y).value == pytest.approx(wanted, abs=0.005)


@pytest.mark.parametrize(
    ("rgb", "wanted"),
    [
        ((1, 1, 1), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((1, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 1, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 1), (32.30, 79.19, -107.86)),
    ],
)
def test_lab_of_known_colours(rgb: tuple[int, ...], wanted: tuple[float, ...]) -> None:
    assert lab(torch.tensor(rgb, dtype=torch.float64)).tolist() == pytest.approx(wanted, abs=0.03)


def test_greys_have_no_colour_and_their_steps_meet() -> None:
    grey = torch.linspace(0, 1, 10001, dtype=torch.float64)
    lightness, a, b = lab(grey.expand(3, -1))
    assert a.abs().max() < 1e-10 and b.abs().max() < 1e-10
    steps = lightness.diff()
    assert steps.min() > 0 and steps.max() < 0.1, "rising, without a jump where the pieces of the curves meet"


def test_the_two_ends() -> None:
    x, _ = random_pair()
    assert ciede2000(x, x.clone()).value == 0
    constant = torch.full((3, 1, 1), 0.3)
    assert ciede2000(constant, constant).text() == "0.00"
    assert ciede2000(torch.zeros(3, 2, 2), torch.ones(3, 2, 2)).value == pytest.approx(100, abs=1e-6)


def test_the_mean_is_over_all_pixels() -> None:
    x = torch.zeros(3, 2, 4)
    y = x.clone()
    y[:, 0, 0] = 1
    assert ciede2000(y, x).value == pytest.approx(100 / 8, abs=1e-6)


def test_the_protocol_names_the_space() -> None:
    image = Image.new("RGB", (3, 3), (90, 10, 200))
    score = ciede2000(image, image)
    assert score.name == "ciede2000"
    assert score.protocol == {"space": "CIELAB of sRGB, D65", "weights": [1, 1, 1], "pooling": "mean"}
