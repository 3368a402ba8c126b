"""Forty steps on the docstring task: rules that keep less at five rates, adapters at pairs of rates (A, B)."""

from dataclasses import make_dataclass

import torch

from lessons_lib import data, models
from lessons_lib.bridge import TorchOptimizer
from lessons_lib.optim import Adam, AdamMini, EightBit, GaLore, scaled_lora_gradients
from lessons_lib.training import Recipe, evaluate, train

SEEDS = range(5)
STEPS, ROWS, CONTEXT = 40, 8, 64
RATES = (5e-4, 1e-3, 2e-3, 4e-3, 8e-3)
A_RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
B_RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
RULES = ("Adam", "8 bits", "Adam-mini", "GaLore")
EVEN = ("m even", "v even")


def even(x, signed):
    """8 bits on an even scale: the largest of each 256 numbers, cut into 255 equal steps (127 for either sign)."""
    rows = torch.nn.functional.pad(x.ravel(), (0, -x.numel() % 256)).view(-1, 256)
    gap = rows.abs().amax(1, keepdim=True) / (127 if signed else 255)
    rounded = torch.round(rows / gap.clamp(min=1e-38)) * gap
    return rounded.ravel()[: x.numel()].view_as(x)


def _update(self, theta, g, state):
    theta, state = self.rule.update(theta, g, state)
    return theta, state._replace(**{self.name: even(getattr(state, self.name), self.name == "m")})


EvenBits = make_dataclass(  # a rule of which one array is kept in 8 even bits
    "EvenBits",
    [("rule", object), ("name", str)],
    frozen=True,
    namespace={
        "lr": property(lambda self: self.rule.lr),
        "init": lambda self, theta: self.rule.init(theta),
        "update": _update,
    },
)


def optimizers(model, name, lr):
    """The rule on every parameter; GaLore on the inner matrices, and Adam on the rest."""
    adam = Adam(lr, beta2=0.95)
    named = [(key, p) for key, p in model.named_parameters() if p.requires_grad]
    whole, inner = [p for _, p in named], [p for key, p in named if "proj" in key]
    rest = [p for key, p in named if "proj" not in key]
    if name == "GaLore":
        return [TorchOptimizer(GaLore(adam, 16, 20, 1.0), inner), TorchOptimizer(adam, rest)]
    if name == "Adam-mini":  # the partition of its authors
        heads = [p for key, p in named if "q_proj" in key or "k_proj" in key]
        vectors = [p for _, p in named if p.ndim == 1]
        others = [p for key, p in named if p.ndim == 2 and "q_proj" not in key and "k_proj" not in key]
        parts = ((heads, model.config.num_attention_heads), (vectors, 1), (others, None))
        return [TorchOptimizer(AdamMini(lr, beta2=0.95, blocks=blocks), part) for part, blocks in parts]
    rules = {"Adam": adam, "8 bits": EightBit(adam), "m even": EvenBits(adam, "m"), "v even": EvenBits(adam, "v")}
    return [TorchOptimizer(rules[name], whole)]


def precondition(model):
    """Replace the gradients of every adapter by the library's scaled ones."""
    for layer in model.modules():
        if isinstance(layer, models.LoRALinear):
            a, b = layer.A, layer.B
            a.grad, b.grad = scaled_lora_gradients(a.detach(), b.detach(), a.grad, b.grad)


def run(seed):
    """The loss on 128 held-out answers: before, for every rule and rate, and for every pair of rates (A, B)."""
    saved = models.pretrained()
    to_train, to_test = (data.answers(part, CONTEXT) for part in data.docstring_task(saved.tokenizer, seed))
    to_test = to_test.rows(slice(128))
    batches = data.shuffled(to_train, ROWS, seed)
    recipe = Recipe(STEPS, warmup=5, weight_decay=0.0)

    def ends(model, made, watch=None):
        try:
            train(model, batches, recipe, optimizers=made, watch=watch)
        except FloatingPointError:
            return 99.0
        return min(evaluate(model, to_test), 99.0)

    def lora(a_rate, b_rate, watch=None):
        torch.manual_seed(seed)
        model = models.add_lora(models.pretrained().model, 4)
        parts = {kind: [p for key, p in model.named_parameters() if key.endswith(kind)] for kind in (".A", ".B")}
        made = [TorchOptimizer(Adam(lr, beta2=0.95), parts[kind]) for kind, lr in ((".A", a_rate), (".B", b_rate))]
        return ends(model, made, watch and (lambda step, model: watch(model)))

    found = {"before": evaluate(saved.model, to_test)}
    for name in (*RULES, *EVEN):
        found[name] = []
        for lr in RATES if name in RULES else (RATES[2],):
            model = models.pretrained().model
            found[name].append(ends(model, optimizers(model, name, lr)))
    found["two rates"] = [[lora(a, b) for b in B_RATES] for a in A_RATES]
    found["preconditioned"] = [lora(lr, lr, precondition) for lr in B_RATES]
    return found
