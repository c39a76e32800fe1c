"""The endpoint against a server that others wrote: `transformers serve`, with a tiny model of random eyes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from conftest import PATIENCE
from PIL import Image

from ldrps.caption.chain import make_captioner
from ldrps.caption.openai_endpoint import OpenAIEndpoint
from ldrps.errors import CaptionError

for needed in ("openai", "fastapi", "uvicorn", "accelerate"):
    pytest.importorskip(needed, reason=f"{needed} is missing: pip install 'transformers[serving]'")

SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "<image>"]
# What it says after the last word of the question; the second never ends.
SAYINGS = (["boat?", "red", "boat", "on", "blue", "water", "</s>"], ["trees?", "tree", "tree"])
# Without a picture the question is not passed on.
CHAT = (
    "{% set parts = messages[0].content %}{% if parts | selectattr('type', 'equalto', 'image') | list %}"
    "<image> {{ parts[0].text }}{% else %}nothing{% endif %}"
)
PICTURE = Image.new("RGB", (60, 40), (220, 20, 20))


def build_model(folder: Path) -> None:
    """A LLaVA that says what `SAYINGS` tell; its vision and attention are random, and it samples."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor
    from transformers import PreTrainedTokenizerFast as FastTokenizer
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    words = [*SPECIAL, *dict.fromkeys(word for saying in SAYINGS for word in saying if word not in SPECIAL)]
    number = {word: place for place, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(number, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(SPECIAL)
    fast = FastTokenizer(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>",
        extra_special_tokens={"image_token": "<image>"},
    )  # fmt: skip
    eyes = CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16})
    LlavaProcessor(
        eyes, fast, patch_size=8, vision_feature_select_strategy="default", num_additional_image_tokens=1,
        chat_template=CHAT,
    ).save_pretrained(folder)  # fmt: skip
    small = {"intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = LlamaConfig(
        vocab_size=len(words), hidden_size=32, num_key_value_heads=2, max_position_embeddings=2048,
        pad_token_id=0, bos_token_id=1, eos_token_id=2, **small,
    )  # fmt: skip
    vision = CLIPVisionConfig(hidden_size=16, image_size=16, patch_size=8, **small)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        network = LlavaForConditionalGeneration(
            LlavaConfig(vision_config=vision, text_config=text, image_token_id=4, vision_feature_layer=-1)
        )
        network.get_input_embeddings().weight.copy_(torch.eye(32)[: len(words)])
        network.lm_head.weight.zero_()
        for saying in SAYINGS:
            for word, successor in pairwise(saying):
                network.lm_head.weight[number[successor], number[word]] = 10.0
    network.save_pretrained(folder)


class Server:
    """`transformers serve` with that model, in a process of its own.

    Attributes:
        model: the name of the model.
        url: the base URL.
    """

    def __init__(self, folder: Path) -> None:
        self.model, self._log = "tiny", folder / "log.txt"
        build_model(folder / self.model)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        command = [sys.executable, "-c", "from transformers.cli.transformers import main; main()", "serve", self.model]
        options = ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
        with self._log.open("wb") as log:
            environment = os.environ | {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
            self.process = subprocess.Popen(
                [*command, *options], cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        self._wait(lambda: urllib.request.urlopen(self.url.replace("/v1", "/health"), timeout=2))

    def kill_at_the_next_request(self) -> None:
        """Once it is at work on one that is not in its log yet."""
        past = len(self._log.read_text())
        self._wait(lambda: self._log.read_text().index("[Request received]", past))
        self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def _wait(self, look: Callable[[], object]) -> None:
        until = time.monotonic() + PATIENCE  # most of it imports
        while True:
            try:
                look()
                return
            except (OSError, ValueError):
                told = self._log.read_text()[-3000:]
                assert self.process.poll() is None and time.monotonic() < until, told
            time.sleep(0.1)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server, and an environment without a key or a proxy."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    made = Server(tmp_path)
    yield made
    made.kill()


def test_from_the_first_answer_to_the_death_of_the_server(server: Server, offline: None, pauses: list[float]) -> None:
    asked = OpenAIEndpoint(server.model, url=server.url, prompt="what is the boat?", timeout=PATIENCE)
    caption = asked.describe(PICTURE)  # with a schema, which this server does not know and passes over
    assert (caption.text, caption.source, caption.note) == ("red boat on blue water", "openai:tiny", "")

    with pytest.raises(CaptionError, match=r"HTTP 400: check the model's name.*pinned to 'tiny'; requested 'other'"):
        OpenAIEndpoint("other", url=server.url, timeout=PATIENCE).describe(PICTURE)
    with pytest.raises(CaptionError, match=r"\(HTTP 404\): check the model's name and the URL"):
        OpenAIEndpoint(server.model, url=server.url.replace("/v1", "/v2"), timeout=PATIENCE).describe(PICTURE)

    endless = OpenAIEndpoint(server.model, url=server.url, prompt="how many trees?", timeout=0.3)
    with pytest.raises(CaptionError, match=r"timed out after 0\.3 s"):
        endless.describe(PICTURE)
    assert asked.describe(PICTURE).text == "red boat on blue water", "and it still answers"

    captioner = make_captioner("openai:tiny", url=server.url, prompt="how many trees?", timeout=PATIENCE, cache=False)
    killer = threading.Thread(target=server.kill_at_the_next_request)
    killer.start()
    caption = captioner.describe(PICTURE)
    killer.join()
    assert caption.source == "offline"
    assert "hung up; offline used instead" in caption.note and len(pauses) == 2
