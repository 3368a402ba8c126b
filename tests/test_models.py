"""The small language model: what it computes, beside `transformers` and `peft`, and its file."""

import socket
import time

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lessons_lib import data, models
from lessons_lib.models import Config, LoRALinear, Transformer, add_lora, generate, merge_lora, parameter_count, rotate
from lessons_lib.training import Recipe, evaluate, train
from tools import base

TEXT = "To be, or not to be, that is the question. " * 30
TINY = Config(vocab_size=300, hidden_size=32, intermediate_size=48, num_attention_heads=4, num_key_value_heads=2)


@pytest.fixture
def model() -> Transformer:
    torch.manual_seed(0)
    model = Transformer(TINY)
    with torch.no_grad():
        for p in model.parameters():  # at the start every norm is 1 and every logit nearly 0
            p += 0.1 * torch.randn_like(p)
    return model


@pytest.fixture
def tokens() -> torch.Tensor:
    return torch.randint(300, (3, 20), generator=torch.Generator().manual_seed(1))


def logits(model, tokens):
    with torch.no_grad():
        return model(tokens)


def test_no_token_sees_a_later_one(model, tokens):
    changed = tokens.clone()
    changed[:, 12] = (changed[:, 12] + 1) % 300
    before, after = logits(model, tokens), logits(model, changed)
    torch.testing.assert_close(after[:, :12], before[:, :12], rtol=0, atol=1e-5)
    assert ((after - before)[:, 12:].abs().amax(-1) > 1e-4).all()


def test_the_weights_of_attention_are_those_that_forward_uses(model, tokens):
    layer = model.layers[0]
    x = layer.input_layernorm(model.embed_tokens(tokens))
    weights = layer.self_attn.weights(x)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 4, 20))
    mixed = weights @ layer.self_attn.heads(x)[2]
    by_hand = layer.self_attn.o_proj(mixed.transpose(1, 2).flatten(2))
    torch.testing.assert_close(by_hand, layer.self_attn(x), rtol=1e-4, atol=1e-5)


def test_a_rotated_product_depends_on_the_distance_alone():
    q, k = torch.randn(2, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    at = torch.arange(40)
    turned_q, turned_k = (rotate(a.expand(40, 8), at, 100.0) for a in (q, k))
    products = turned_q @ turned_k.T
    for distance in (0, 1, 7):
        diagonal = products.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal), rtol=0, atol=1e-5)
    torch.testing.assert_close(turned_q.norm(dim=-1), q.norm().expand(40), rtol=1e-6, atol=0)


def test_the_same_logits_as_llama(model, tokens):
    pytest.importorskip("transformers")
    llama = models.to_llama(model)
    with torch.no_grad():
        theirs = llama(tokens).logits
    torch.testing.assert_close(logits(model, tokens), theirs, rtol=1e-4, atol=1e-5)
    assert theirs.abs().max() > 0.5 and llama.num_parameters() == parameter_count(model)


def test_lora_starts_at_the_model_and_trains_only_itself(model, tokens):
    before, weights = logits(model, tokens), {name: a.clone() for name, a in model.state_dict().items()}
    add_lora(model, rank=2, alpha=4.0)
    torch.testing.assert_close(logits(model, tokens), before)
    layers = [m for m in model.modules() if isinstance(m, LoRALinear)]
    assert len(layers) == 14 and parameter_count(model, trainable=True) == sum(
        l.A.numel() + l.B.numel() for l in layers
    )
    ids = np.tile(np.arange(50), 20)
    train(model, data.windows(ids, 16, 8), Recipe(steps=10, warmup=0, lr=0.01))
    after = logits(model, tokens)
    assert (after - before).abs().max() > 0.01
    for layer in layers:
        assert layer.B.abs().max() > 0
        torch.testing.assert_close(layer.delta(), 2.0 * layer.B @ layer.A)
    merge_lora(model)
    torch.testing.assert_close(logits(model, tokens), after, rtol=1e-4, atol=1e-5)
    assert model.state_dict().keys() == weights.keys() and parameter_count(model, True) == parameter_count(model)
    assert {name for name, a in model.state_dict().items() if torch.equal(a, weights[name])} == {
        name for name in weights if "proj" not in name
    }


def test_lora_computes_what_pefts_does(model, tokens):
    peft = pytest.importorskip("peft")
    theirs = peft.inject_adapter_in_model(
        peft.LoraConfig(r=3, lora_alpha=7, target_modules="all-linear"), models.to_llama(model)
    )
    add_lora(model, rank=3, alpha=7.0)
    own = {name: m for name, m in model.named_modules() if isinstance(m, LoRALinear)}
    for name, layer in own.items():
        twin = theirs.get_submodule(f"model.{name}")
        with torch.no_grad():
            layer.B.normal_()
            twin.lora_A["default"].weight.copy_(layer.A)
            twin.lora_B["default"].weight.copy_(layer.B)
        assert twin.scaling["default"] == pytest.approx(layer.scale)
    theirs.eval()
    with torch.no_grad():
        torch.testing.assert_close(model(tokens), theirs(tokens).logits, rtol=1e-3, atol=1e-3)


def test_generate_draws_from_the_model(model):
    end = int(logits(model, torch.tensor([[5, 6]]))[0, -1].argmax())
    greedy = generate(model, [5, 6], 4, temperature=0)
    assert greedy[:3].tolist() == [5, 6, end] and len(greedy) == 6
    assert generate(model, [5, 6], 4, temperature=0, end=end).tolist() == [5, 6, end]
    one, same, other = (generate(model, [5, 6], 8, seed=seed).tolist() for seed in (0, 0, 1))
    assert one == same != other
    assert len(generate(model, np.arange(100), 2)) == 102, "longer than the context"


def test_a_file_brings_back_model_tokenizer_and_words(model, tokens, tmp_path):
    tokenizer = data.bpe(TEXT, 300)
    models.save(tmp_path / "a.safetensors", model, tokenizer, steps=7, loss=[1.5])
    found = models.load(tmp_path / "a.safetensors")
    assert torch.equal(logits(found.model, tokens), logits(model, tokens)) and found.model.config == model.config
    assert found.tokenizer.encode("to be").ids == tokenizer.encode("to be").ids
    assert found.about == {"steps": 7, "loss": [1.5]} and [f.name for f in tmp_path.iterdir()] == ["a.safetensors"]


def test_a_torn_or_foreign_file_is_refused_by_name(model, tmp_path, monkeypatch):
    file = tmp_path / "a.safetensors"
    models.save(file, model, data.bpe(TEXT, 300))
    whole = file.read_bytes()
    for bad in (whole[:-10], whole[:100], b"no such thing", b""):
        file.write_bytes(bad)
        with pytest.raises(ValueError, match=r"a.safetensors' is not a whole model that models.save wrote"):
            models.load(file)
    save_file({"x": torch.zeros(2)}, file)
    with pytest.raises(ValueError, match=r"a.safetensors' is not a whole model"):
        models.load(file)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        models.load(tmp_path / "nowhere")

    def full(*_):
        raise OSError(28, "No space left on device")

    models.save(file, model, data.bpe(TEXT, 300))
    before = file.read_bytes()
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        models.save(file, model, data.bpe(TEXT, 300))
    assert file.read_bytes() == before and [f.name for f in tmp_path.iterdir()] == ["a.safetensors"]


def test_the_model_that_comes_with_the_course_is_of_this_code():
    found = models.pretrained()
    assert found.about["source"] == base.source_hash(), "run `make base`"
    assert found.about["steps"] == base.RECIPE.steps and parameter_count(found.model) < 200_000
    text = data.corpus(seed=found.about["seed"]).validation
    held_out = data.in_order(data.encode(found.tokenizer, text), found.model.config.max_position_embeddings)
    # another Python has other pages
    assert evaluate(found.model, held_out) == pytest.approx(found.about["validation"][-1][1], rel=0.1)


def finetuned(where, rank=None):
    """A few steps on a few tokens, by the call that takes a folder or a name."""
    found = models.from_hub(where, rank=rank)
    ids = np.array(found.tokenizer(TEXT)["input_ids"])
    history = train(found.model, data.windows(ids, 16, 4), Recipe(steps=8, warmup=0, lr=3e-3, clip=1.0))
    return found.model, history


@pytest.mark.parametrize("rank", [None, 4])
def test_a_folder_of_transformers_is_fine_tuned_by_the_same_loop(model, tmp_path, rank):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("peft")
    models.to_llama(model).save_pretrained(tmp_path)
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=data.bpe(TEXT, 300), eos_token=data.END)
    tokenizer.save_pretrained(tmp_path)
    trained, history = finetuned(tmp_path, rank)
    assert history.loss[-1] < history.loss[0] - 0.1
    moved = {name.split(".")[-2] for name, p in trained.named_parameters() if p.requires_grad}
    assert ("lora_A" in str(moved) or "default" in moved) if rank else "embed_tokens" in moved
    ours = parameter_count(trained, trainable=True)
    assert ours < parameter_count(trained) / 2 if rank else ours == parameter_count(model)


def test_without_a_network_one_line_says_what_to_do(monkeypatch):
    pytest.importorskip("transformers")

    def unreachable(*_, **__):
        raise OSError("no route")

    monkeypatch.setattr(socket, "create_connection", unreachable)
    begin = time.monotonic()
    with pytest.raises(
        ConnectionError, match="where='nobody/nothing' is no folder, and the hub cannot be reached"
    ) as told:
        models.from_hub("nobody/nothing")
    assert time.monotonic() - begin < 120 and len(str(told.value).splitlines()) == 1


def test_without_the_extra_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(ImportError, match=r"pip install 'lessons-lib\[finetune\]'"):
        models.from_hub("nobody/nothing")


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda m: Config(hidden_size=60), ValueError, "hidden_size=60 must be a multiple of 2 num_attention_heads=4"),
        (lambda m: Config(num_key_value_heads=3), ValueError, "num_attention_heads=4 must be a multiple of"),
        (lambda m: Config(vocab_size=0), ValueError, "vocab_size=0"),
        (lambda m: Config(rope_theta=-1.0), ValueError, "rope_theta=-1.0"),
        (lambda m: generate(m, [], 3), ValueError, "tokens must be one row, not empty"),
        (lambda m: generate(m, [300], 3), ValueError, "in 0..299"),
        (lambda m: generate(m, [1], 3, temperature=-1.0), ValueError, "temperature=-1.0"),
        (lambda m: generate(m, [1], -3), ValueError, "new=-3"),
        (lambda m: add_lora(m, rank=0), ValueError, "rank=0"),
        (lambda m: add_lora(m, alpha=0.0), ValueError, "alpha=0.0"),
        (lambda m: add_lora(m, names=["norm"]), ValueError, r"names=\['norm'\] are not in this model"),
        (lambda m: add_lora(add_lora(m)), ValueError, "model is adapted already"),
        (lambda m: models.save("x", torch.nn.Linear(1, 1), None), TypeError, "model is a Linear"),
    ],
)
def test_bad_input(call, error, says, model):
    with pytest.raises(error, match=says):
        call(model)
