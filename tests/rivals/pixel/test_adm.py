"""A checkpoint of ADM read into diffusers' network gives what ADM's own formulas give."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from rivals.pixel.adm_blocks import Blocks, random_state, two_levels

from ldrps.errors import PriorError
from ldrps.prior.weights import build
from ldrps.rivals.pixel.adm import AdmShape, load_adm
from ldrps.rivals.pixel.load import load_pixel_model
from ldrps.rivals.pixel.model import ADM_FILE

SMALL = AdmShape(channels=32, multipliers=(1, 2), blocks=1, attention=(1,), head=16)
CPU = torch.device("cpu")


def test_the_converted_network_is_that_of_the_formulas(tmp_path: Path) -> None:
    state = random_state(SMALL.head)
    torch.save(state, tmp_path / ADM_FILE)
    model = load_adm(tmp_path / ADM_FILE, device=CPU, shape=SMALL)
    x = torch.randn((2, 3, 16, 24), generator=torch.Generator().manual_seed(1))
    for t in (0, 731):
        wanted_eps, wanted_spread = two_levels(Blocks(state, SMALL.head), x, t).chunk(2, 1)
        said = model.predict(x, t)
        torch.testing.assert_close(said.eps, wanted_eps, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(said.spread, wanted_spread, atol=1e-4, rtol=1e-4)
        abar = model.alphas_cumprod[t]
        torch.testing.assert_close(abar**0.5 * said.x0 + (1 - abar) ** 0.5 * said.eps, x, atol=1e-4, rtol=1e-4)
    assert model.variance == "learned_range" and model.size_multiple == 2 and model.name == ADM_FILE


def test_the_shape_of_the_published_checkpoint() -> None:
    """By the names and sizes that its description tells: six levels, 18 blocks on the way down and up, 552.8 M."""
    network = build(AdmShape().network, Path("none"))
    assert sum(parameter.numel() for parameter in network.parameters()) == 552_814_086
    shape, wanted = AdmShape(), network.state_dict()
    prefixes = dict(shape._modules())
    assert len(set(prefixes.values())) == len(prefixes)
    ours = {name for name in wanted if name.startswith(("down_blocks.", "mid_block.", "up_blocks."))}
    reached = {name for name in ours if any(name.startswith(f"{prefix}.") for prefix in prefixes.values())}
    assert reached == ours
    assert max(int(name.split(".")[1]) for name in prefixes if name.startswith("input_")) == 17
    assert prefixes["output_blocks.2.2"] == "up_blocks.0.upsamplers.0"
    assert prefixes["output_blocks.11.1"] == "up_blocks.3.upsamplers.0", "no attention on that level"


def test_files_that_are_not_it(tmp_path: Path) -> None:
    file = tmp_path / ADM_FILE
    with pytest.raises(PriorError, match=r"no such file, expected the checkpoint of ADM-256 \(2.2 GB\)"):
        load_adm(file, device=CPU)
    for junk in (b"no weights", b"J"):
        file.write_bytes(junk)
        with pytest.raises(PriorError, match="cannot be read as weights"):
            load_adm(file, device=CPU)
    file.write_bytes(pickle.dumps(Path.home, 2))  # code is never run
    with pytest.raises(PriorError, match="cannot be read as weights"):
        load_adm(file, device=CPU)
    torch.save([torch.zeros(1)], file)
    with pytest.raises(PriorError, match="a list that is no state dict"):
        load_adm(file, device=CPU)
    state = random_state(SMALL.head)
    torch.save(state, file)
    with pytest.raises(PriorError, match="tensors too few or too many"):
        load_adm(file, device=CPU)
    state["out.2.bias"] = torch.zeros(5)
    torch.save(state, file)
    with pytest.raises(PriorError, match=r"conv_out.bias of shape \[5\]"):
        load_adm(file, device=CPU, shape=SMALL)
    state["out.2.bias"] = torch.full((6,), torch.nan)
    torch.save(state, file)
    with pytest.raises(PriorError, match="NaN or infinity"):
        load_adm(file, device=CPU, shape=SMALL)


def test_missing_weights_say_what_and_where_from(tmp_path: Path) -> None:
    with pytest.raises(PriorError, match=rf"{ADM_FILE} \(2.2 GB.*openai/guided-diffusion.*ldrps train pixels"):
        load_pixel_model(tmp_path)
