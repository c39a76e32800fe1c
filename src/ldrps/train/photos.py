"""Photographs for training: found, checked once, and cut into crops by a random generator that the caller owns."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ldrps.caption.look import compose_caption, describe_look
from ldrps.caption.table import TABLE, read_table
from ldrps.caption.tagger import Tagger
from ldrps.errors import InputError, PriorError
from ldrps.image.arrays import pixels
from ldrps.train.order import check_photographs

logger = logging.getLogger(__name__)

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"})
HELD_OUT = 20  # one photograph in twenty, by a hash of its name, is never trained on


class Photographs:
    """All readable photographs below some folders, decoded once and kept in memory as RGB.

    Files that cannot be read or are smaller than `min_side` pixels are named in a warning and skipped. A folder may
    bring a file `captions.tsv`: the path of a photograph below the folder, a tab, and what it shows.

    Attributes:
        images: the photographs.
        subjects: what each shows, "" where nobody said.

    Raises:
        InputError: a folder is missing, or no usable photograph is left.
    """

    def __init__(self, folders: Iterable[Path], *, held_out: bool = False, min_side: int = 128) -> None:
        self.images: list[Image.Image] = []
        self.subjects: list[str] = []
        folders = list(folders)
        captions = {folder / path: text for folder in folders for path, text in read_table(folder / TABLE).items()}
        for path in _image_files(folders):
            if is_held_out(path.name) != held_out:
                continue
            try:
                with Image.open(path) as opened:
                    if min(opened.size) < min_side:  # told from the header: a thin one may be as long as it likes
                        logger.warning("skipped %s: %dx%d, smaller than %d pixels", path, *opened.size, min_side)
                        continue
                    image = opened.convert("RGB")
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
                logger.warning("skipped %s: %s", path, error)
                continue
            self.images.append(image)
            self.subjects.append(captions.get(path, ""))
        if not self.images:
            kind = "held-out " if held_out else ""
            raise InputError(f"no usable {kind}photograph in {', '.join(map(str, folders))}: give folders of pictures")

    def crops(self, random: np.random.Generator, count: int, size: int, reduction: tuple[float, float]) -> Tensor:
        """Random square crops [count, 3, size, size] in [0, 1], flipped half of the time, never enlarged.

        Each is cut from a photograph reduced by a log-uniform factor within `reduction`, as far as its size allows.
        """
        return self.crops_with_subjects(random, count, size, reduction)[0]

    def crops_with_subjects(
        self, random: np.random.Generator, count: int, size: int, reduction: tuple[float, float]
    ) -> tuple[Tensor, list[str]]:
        """Crops as `crops` cuts them, and what the photograph of each shows."""
        crops, subjects = [], []
        for _ in range(count):
            index = random.integers(len(self.images))
            image = self.images[index]
            subjects.append(self.subjects[index])
            largest = min(image.size) / size
            low, high = min(reduction[0], largest), min(reduction[1], largest)
            side = min(size * np.exp(random.uniform(np.log(low), np.log(high))), *image.size)  # rounding may exceed it
            left, top = random.uniform(0, image.width - side), random.uniform(0, image.height - side)
            crop = image.resize((size, size), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
            if random.random() < 0.5:
                crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            crops.append(np.asarray(crop))
        return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255, subjects

    def captions(self) -> list[str]:
        """What each shows and what it looks like, as the captions of training say it."""
        looks = (describe_look(pixels(np.asarray(image))[0]) for image in self.images)
        return [compose_caption([subject, *look]) for subject, look in zip(self.subjects, looks, strict=True)]

    def name_subjects(self) -> None:
        """Say what the photographs show that nobody described, as far as the tagger knows; without it, leave them."""
        try:
            tagger = Tagger()
        except PriorError as error:
            logger.warning("photographs without a caption get none that says what they show: %s", error)
            return
        for index, subject in enumerate(self.subjects):
            if not subject:
                tag = tagger.of_image(self.images[index])
                self.subjects[index] = "" if tag is None else tag.name


def is_held_out(name: str) -> bool:
    """Whether a file of this name is kept for validation; depends on the name alone."""
    return int.from_bytes(hashlib.sha1(os.fsencode(name)).digest()[:4], "big") % HELD_OUT == 0


def _image_files(folders: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for folder in folders:
        check_photographs(folder)
        files += (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return sorted(files)
