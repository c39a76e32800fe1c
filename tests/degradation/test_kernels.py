from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ldrps.degradation.kernels import disk, gaussian, line, path, shape_of, spread_of, taps


@pytest.mark.parametrize(
    "kernel",
    [gaussian(1, 2, 30), gaussian(0.2, 0.2), disk(0.2), disk(3.3), disk(0.5), line(2, 30), line(7.3, -80), line(1, 0)],
)
def test_kernels_have_a_sum_of_one_and_a_middle(kernel: torch.Tensor) -> None:
    assert kernel.dtype == torch.float64 and all(side % 2 for side in kernel.shape)
    assert float(kernel.sum()) == pytest.approx(1) and float(kernel.min()) >= 0
    torch.testing.assert_close(kernel, kernel.flip(0, 1), rtol=0, atol=1e-9)


def test_lines() -> None:
    across = np.array([[0] * 5] * 2 + [[0.2] * 5] + [[0] * 5] * 2)
    np.testing.assert_allclose(line(5, 0), across, atol=1e-12)
    np.testing.assert_allclose(line(5, 90), across.T, atol=1e-12)
    np.testing.assert_allclose(line(8.5, 180), line(8.5, 0), atol=1e-9)
    up = line(9, 45)
    assert float(up[:4, 5:].sum()) == pytest.approx(float(up[5:, :4].sum()))
    assert not up[:4, :4].any()  # up goes to the right


def test_gaussians() -> None:
    rows, columns = taps(1.3), taps(torch.tensor([0.0, 1.3]))
    torch.testing.assert_close(gaussian(1.3, 1.3), torch.outer(rows, rows), rtol=0, atol=1e-4)
    assert columns.shape == (2, len(rows)) and columns[0].tolist() == [0.0] * 6 + [1.0] + [0.0] * 6
    torch.testing.assert_close(columns[1], rows)
    leaning = gaussian(3, 1, 90)
    place = torch.arange(leaning.shape[0]) - leaning.shape[0] // 2
    assert float((leaning.sum(1) * place**2).sum()) == pytest.approx(9, rel=0.02)  # 90 degrees: along the rows
    assert float((leaning.sum(0) * place**2).sum()) == pytest.approx(1, rel=0.02)


def test_a_disk_is_even_and_has_its_area() -> None:
    kernel = disk(4.0)
    assert kernel.shape == (9, 9) and float(kernel[4, 4]) == pytest.approx(1 / (math.pi * 16), rel=0.01)
    assert kernel[0, 0] == 0 and 0 < kernel[0, 4] < kernel[4, 4]


def test_a_path_need_not_be_straight() -> None:
    corner = path([(0, 0), (0, 1), (1, 1), (0.5, -1)], 1)
    assert corner.tolist() == [[0, 0, 0], [0.125, 0.25, 0.25], [0.125, 0, 0.25]]


def test_shapes_of_kernels() -> None:
    assert float(shape_of(gaussian(2, 2)).norm()) < 1e-9
    along = shape_of(gaussian(3, 1.5, 20))
    assert float(along.norm()) == pytest.approx((9 - 2.25) / (9 + 2.25), abs=0.02)
    assert math.degrees(math.atan2(float(along[1]), float(along[0]))) / 2 == pytest.approx(20, abs=0.5)
    assert spread_of(line(13, 0)) == pytest.approx(math.sqrt((13**2 - 1) / 12), rel=0.01)
    assert spread_of(gaussian(3, 1.5, 70)) == pytest.approx(3, rel=0.02)
