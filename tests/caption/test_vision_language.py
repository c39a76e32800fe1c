from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from ldrps.caption import vision_language
from ldrps.caption.vision_language import VisionLanguageCaptioner
from ldrps.errors import CaptionError

SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "<image>"]
# What the tiny model says after the last word of what it read: that of the standard prompt, of ours, of a chat.
SAYINGS = (
    ["alone.", "red", "boat", "on", "blue", "water", "</s>"],
    ["animal", "brown", "dog", "</s>"],
    ["assistant", "white", "cat", "</s>"],
)
WIDTH = 32
CHAT = (
    "{% for message in messages %}{% for part in message.content %}"
    "{{ '<image>' if part.type == 'image' else ' ' + part.text }}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %} assistant{% endif %}"
)
RED, BLUE = Image.new("RGB", (40, 30), (220, 20, 20)), Image.new("RGB", (40, 30), (20, 20, 220))


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny LLaVA that says what `SAYINGS` tell; its vision and attention are random. Read only."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor
    from transformers import PreTrainedTokenizerFast as FastTokenizer
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    folder = tmp_path_factory.mktemp("models") / "tiny_llava"
    words = [*SPECIAL, *dict.fromkeys(word for saying in SAYINGS for word in saying if word not in SPECIAL), "name"]
    number = {word: place for place, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(number, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(SPECIAL)
    LlavaProcessor(
        CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}),
        FastTokenizer(
            tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>",
            extra_special_tokens={"image_token": "<image>"},
        ),
        patch_size=8, vision_feature_select_strategy="default", num_additional_image_tokens=1,
    ).save_pretrained(folder)  # fmt: skip
    small = {"intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = LlamaConfig(
        vocab_size=len(words), hidden_size=WIDTH, num_key_value_heads=2, max_position_embeddings=256,
        pad_token_id=0, bos_token_id=1, eos_token_id=2, **small,
    )  # fmt: skip
    vision = CLIPVisionConfig(hidden_size=16, image_size=16, patch_size=8, **small)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        network = LlavaForConditionalGeneration(
            LlavaConfig(vision_config=vision, text_config=text, image_token_id=4, vision_feature_layer=-1)
        )
        network.get_input_embeddings().weight.copy_(torch.eye(WIDTH)[: len(words)])
        network.lm_head.weight.zero_()
        for saying in SAYINGS:
            for word, successor in pairwise(saying):
                network.lm_head.weight[number[successor], number[word]] = 1.0
    network.save_pretrained(folder)
    return folder


@pytest.fixture
def copied(llava: Path, tmp_path: Path) -> Path:
    """A copy of `llava`, to be damaged."""
    return Path(shutil.copytree(llava, tmp_path / "copied"))


def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of transformers from now on, in this order."""
    import transformers

    asked: list[str] = []
    for name in ("AutoConfig", "AutoProcessor", "AutoModelForImageTextToText"):
        cls = getattr(transformers, name)

        def counted(
            *args: Any, _name: str = name, _load: Callable[..., Any] = cls.from_pretrained, **options: Any
        ) -> Any:
            asked.append(_name)
            return _load(*args, **options)

        monkeypatch.setattr(cls, "from_pretrained", counted)
    return asked


def failure(captioner: VisionLanguageCaptioner) -> str:
    with pytest.raises(CaptionError) as caught:
        captioner.describe(RED)
    message = str(caught.value)
    assert message.startswith(captioner.name) and "\n" not in message
    return message


def remembered(captioner: VisionLanguageCaptioner, monkeypatch: pytest.MonkeyPatch) -> str:
    """The message with which it fails, twice, the second time without trying."""
    message = failure(captioner)
    asked = loads(monkeypatch)
    assert failure(captioner) == message
    assert asked == []
    return message


def test_it_says_the_new_tokens_alone_and_the_same_each_time(llava: Path) -> None:
    captioner = VisionLanguageCaptioner(str(llava))
    first, second = captioner.describe(RED), captioner.describe(RED)
    assert first.text == second.text == "red boat on blue water"
    assert first.source == captioner.name == f"transformers:{llava}"
    assert first.confidence == second.confidence and 0.5 < first.confidence < 1
    assert first.seconds > 0 and first.negative == first.note == ""


def test_the_prompt_is_the_one_that_was_given(llava: Path) -> None:
    assert VisionLanguageCaptioner(str(llava), prompt="name the animal").describe(RED).text == "brown dog"


def test_a_chat_template_is_used_where_there_is_one(copied: Path) -> None:
    (copied / "chat_template.jinja").write_text(CHAT)
    assert VisionLanguageCaptioner(str(copied), prompt="name the animal").describe(RED).text == "white cat"


def test_pictures_enter(llava: Path) -> None:
    captioner = VisionLanguageCaptioner(str(llava))
    assert captioner.describe(RED).confidence != captioner.describe(BLUE).confidence


def test_confidence_is_the_mean_probability_of_a_token(llava: Path) -> None:
    captioner = VisionLanguageCaptioner(str(llava))
    captioner.describe(RED)
    network: Any = captioner._loaded.network  # type: ignore[union-attr]
    with torch.no_grad():  # nothing but the word before counts any more
        for layer in network.model.language_model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
    likely, words = math.exp(math.sqrt(WIDTH)), len(network.lm_head.weight)
    assert captioner.describe(RED).confidence == pytest.approx(likely / (likely + words - 1), rel=1e-4)


def test_what_is_no_caption_is_refused_by_name(llava: Path) -> None:
    captioner = VisionLanguageCaptioner(str(llava), prompt="water")  # says nothing after it
    assert "the answer is empty" in failure(captioner)
    captioner._prompt = "animal"
    assert captioner.describe(RED).text == "brown dog"  # not remembered


@pytest.mark.parametrize(("mode", "size"), [("RGB", (2000, 1000)), ("L", (300, 700)), ("RGB", (9, 3000))])
def test_pictures_are_reduced(llava: Path, monkeypatch: pytest.MonkeyPatch, mode: str, size: tuple[int, int]) -> None:
    seen: list[Image.Image] = []

    def stop(processor: Any, picture: Image.Image, prompt: str) -> Any:
        seen.append(picture)
        raise RuntimeError("seen")

    monkeypatch.setattr(vision_language, "_inputs", stop)
    picture = Image.new(mode, size)
    with pytest.raises(CaptionError, match="seen"):
        VisionLanguageCaptioner(str(llava)).describe(picture)
    assert max(seen[0].size) == 512 and seen[0].mode == "RGB"
    assert picture.size == size


def test_loaded_at_the_first_picture_and_once(llava: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = loads(monkeypatch)
    captioner = VisionLanguageCaptioner(str(llava))
    assert asked == []
    captioner.describe(RED)
    captioner.describe(BLUE)
    assert asked.count("AutoModelForImageTextToText") == 1


def _truncate(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _only_pickles(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")


def _lose_a_weight(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["language_model.lm_head.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def _plain_llama(folder: Path) -> None:
    text = json.loads((folder / "config.json").read_text())["text_config"]
    (folder / "config.json").write_text(json.dumps(text))


def _code_of_its_own(folder: Path) -> None:
    auto = {"AutoConfig": "own.Config", "AutoModelForImageTextToText": "own.Model"}
    (folder / "config.json").write_text(json.dumps({"model_type": "own", "auto_map": auto}))
    (folder / "own.py").write_text(f"open({str(folder / 'ran')!r}, 'w').close()")


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (_truncate, "its weights are broken .*: fetch the model again"),
        (_only_pickles, "no file named model.safetensors.*in safetensors"),
        (_lose_a_weight, "its weights lack .*lm_head.weight, 1 in all"),
        (_plain_llama, "no vision-language model but llama: give a folder or hub id"),
        (_code_of_its_own, "custom code.*that transformers itself knows"),
        (lambda folder: (folder / "processor_config.json").unlink(), "Can't load image processor"),
        (lambda folder: (folder / "config.json").write_text("{"), "not a valid JSON file"),
        (lambda folder: shutil.rmtree(folder), "no such folder: check the path"),
    ],
    ids=("truncated", "pickles", "a weight lost", "plain llama", "own code", "no processor", "bad config", "missing"),
)
def test_broken_folders(
    copied: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], object], found: str
) -> None:
    damage(copied)
    captioner = VisionLanguageCaptioner(str(copied))
    with pytest.raises(CaptionError, match=found):
        captioner.describe(RED)
    remembered(captioner, monkeypatch)
    assert not (copied / "ran").exists()


@pytest.mark.parametrize("model", ["", "~nobody-of-this-name/model", "a/b/c", "x" * 5000 + "/", "nul\0"])
def test_names_of_nothing(monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    assert "no such folder" in remembered(VisionLanguageCaptioner(model), monkeypatch)


@pytest.mark.parametrize("device", ["cuda:99", "toaster"])
def test_a_device_that_is_not_here(llava: Path, monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    assert f"device is {device!r}" in remembered(VisionLanguageCaptioner(str(llava), device=device), monkeypatch)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            OSError("We couldn't connect.\nTry later"),
            r"We couldn't connect\): check the name; .*hf download some/model",
        ),
        (ImportError("\nSome needs num2words.\nRun pip"), r"not installed .*Some needs num2words\): install it"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "memory ran out on cpu .* a smaller model"),
    ],
    ids=("network", "package", "memory"),
)
def test_models_of_the_hub(monkeypatch: pytest.MonkeyPatch, error: Exception, told: str) -> None:
    import transformers

    def fail(*_args: object, **options: object) -> None:
        assert options == {"local_files_only": False, "trust_remote_code": False}
        raise error

    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", fail)
    captioner = VisionLanguageCaptioner("some/model")
    with pytest.raises(CaptionError, match=told):
        captioner.describe(RED)
    remembered(captioner, monkeypatch)


def test_out_of_memory_on_a_picture_is_remembered(llava: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nSee the manual")

    captioner = VisionLanguageCaptioner(str(llava))
    captioner.describe(RED)
    with monkeypatch.context() as patch:
        patch.setattr(vision_language, "_inputs", fail)
        message = failure(captioner)
    assert "memory ran out on cpu" in message
    assert captioner._loaded is None
    assert remembered(captioner, monkeypatch) == message


def test_numbers_that_overflow(llava: Path) -> None:
    captioner = VisionLanguageCaptioner(str(llava))
    captioner.describe(RED)
    network: Any = captioner._loaded.network  # type: ignore[union-attr]
    with torch.no_grad():
        network.lm_head.weight.fill_(math.nan)
    assert "overflow in torch.float32" in failure(captioner)


@pytest.mark.parametrize(("bf16", "dtype"), [(True, torch.bfloat16), (False, torch.float16)])
def test_half_precision_on_gpus(monkeypatch: pytest.MonkeyPatch, bf16: bool, dtype: torch.dtype) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: bf16)
    assert vision_language._precision(torch.device("cuda")) == dtype
    assert vision_language._precision(torch.device("cpu")) == torch.float32
