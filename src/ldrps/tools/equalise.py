"""Contrast-limited adaptive histogram equalisation."""

from __future__ import annotations

from ldrps.tools.base import Pixels, levels, need, pixels


def clahe(x: Pixels, clip_limit: float = 2.0, tiles: int = 8) -> Pixels:
    """OpenCV's CLAHE on L of Lab, all in bytes, with the figures of its tutorial: clip limit 2, 8 x 8 tiles."""
    cv2 = need("cv2")
    lab = cv2.cvtColor(levels(x), cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(clip_limit, (tiles, tiles)).apply(lab[..., 0])
    return pixels(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))
