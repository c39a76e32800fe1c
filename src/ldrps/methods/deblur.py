"""A picture that is blurred, y = k * x + n with k known: the blur is undone and the noise taken away in one loop."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.image.tiles import Window
from ldrps.methods.blind import clipped
from ldrps.methods.splitting import SplittingMethod, SplittingPart
from ldrps.settings import BlindSettings, Splitting

_WHITE = 1 - 1e-6  # what undoing the tones makes of white
_EXPLAINED = 0.05  # of white: as near as a first step comes to what it sees


class Deblurring(SplittingMethod):
    """The default where a picture is blurred.

    What lies beyond the edge is neither the picture mirrored nor the picture again, but not known: x is larger than y
    by the reach of the kernel, and y bounds what it can. Nor is known what was hidden, or is there because the picture
    was padded, or what white was before it was clipped. Of a window, the pixels around it count too, as far as the
    kernel reaches.

    Args:
        y, prior, settings, damage, caption, visible, size: as of `SplittingMethod`; the damage has a blur.
    """

    @staticmethod
    def numbers(options: BlindSettings) -> Splitting:
        return options.splitting

    def part(self, window: Window) -> SplittingPart:
        return _Part(self, window)


class _Part(SplittingPart):
    """One window, in a frame as wide as the kernel reaches."""

    method: Deblurring

    def __init__(self, method: Deblurring, window: Window) -> None:
        assert method.blur is not None
        self.method, self.blur = method, method.blur
        self.down, self.across = (side // 2 for side in self.blur.kernel.shape[-2:])
        seen = self._around(window, method.y)
        self.y = method.undone(seen.of(method.y), seen)  # [1, 3, h, w]
        self.noise = seen.of(method.noise).to(self.y)
        height, width = seen.height + 2 * self.down, seen.width + 2 * self.across
        self.frame = Window(seen.top - self.down, seen.left - self.across, height, width)
        top, left = window.top - self.frame.top, window.left - self.frame.left
        self.inside = Window(top, left, window.height, window.width)
        if bool((self.y >= _WHITE).any()):
            self._leave_lights_out()

    def start(self) -> Tensor:
        return F.pad(self.y, (self.across, self.across, self.down, self.down), mode="replicate")

    @torch.no_grad()
    def agreeing(self, x0: Tensor, level: float) -> Tensor:
        options = self.method.splitting
        return self.blur.valid_step(x0, self.y, level / options.weight**0.5, self.noise, options.rounds)

    def ends(self) -> tuple[Tensor, Tensor]:
        y = self.inside.of(self.start())
        return clipped(y), y

    def _leave_lights_out(self) -> None:
        """Let y tell nothing where it is white, as x may have been brighter; nor around that, if it was.

        A lamp that is brighter than white leaves a halo that no picture explains, as none is: such a picture would be
        rings all over (Whyte et al. 2014). Whether it was is seen after a first step.
        """
        white = self.y >= _WHITE
        self.noise = torch.where(white, torch.inf, self.noise)
        level = self.method.levels[0][0]
        x = self.method.denoised(self.agreeing(self.start(), level), level, 0).clamp(0, 1)
        missed = (self.y - self.blur(x)).abs() > _EXPLAINED + 3 * self.method.sigma
        beyond = self._spread(white) & self._spread(missed & self._spread(white) & ~white)
        self.noise = torch.where(beyond, torch.inf, self.noise)

    def _spread(self, places: Tensor) -> Tensor:
        """Where the kernel reaches from places [1, 3, h, w]."""
        reach = (2 * self.down + 1, 2 * self.across + 1)
        return F.max_pool2d(places.to(self.y), reach, 1, (self.down, self.across)) > 0

    def _around(self, window: Window, picture: Tensor) -> Window:
        """The window and what there is around it of the picture, as far as the kernel reaches."""
        height, width = picture.shape[-2:]
        top, left = max(window.top - self.down, 0), max(window.left - self.across, 0)
        bottom = min(window.top + window.height + self.down, height)
        right = min(window.left + window.width + self.across, width)
        return Window(top, left, bottom - top, right - left)
