# ---
# jupyter:
#   lesson:
#     title: "Memory"
#     question: "Round one of Adam's two averages to 8 bits and nothing happens. Round the other one and training explodes. Which one?"
#     minutes: 45
#     needs: [03_algorithms/04_adam, 03_algorithms/17_clipping_and_accumulation, 05_project/03_fine_tuning, 05_project/04_low_rank_adaptation, 06_signs_and_curvature]
#     settles: []
#     studies: [optim.EightBit, optim.AdamMini, optim.GaLore, optim.scaled_lora_gradients]
#     terms: [state, activations, code book]
# ---

# %% [markdown] name="title"
# # Memory
#
# **Goal.** Know where the memory of a training goes, and what each of four ways to save some throws away.
#
# **The question.** Adam keeps two averages of 32 bits for every number that it trains. Round one of them to 8 bits, on an even scale, and the loss stays what it was. Round the other one in the same way, and the training explodes. Which one, and why?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # the model is so small that this lesson stays on the CPU
seed = 0
profile = "quick"

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports, and the recorded runs.
from collections import Counter

import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, data, exercises, models, plots, records
from lessons_lib.bridge import TorchOptimizer
from lessons_lib.derive import derive
from lessons_lib.losses import cross_entropy
from lessons_lib.optim import (
    SGD,
    Adafactor,
    Adam,
    AdamMini,
    EightBit,
    GaLore,
    scaled_lora_gradients,
)
from lessons_lib.optim.quantize import dequantize, dynamic_map, quantize
from lessons_lib.show import Table
from lessons_lib.training import Recipe, train

setting = bridge.start(device, seed, profile)
check = exercises.of("08_outlook/08_memory")
record, made = records.of("08_outlook/08_memory"), records.load("08_outlook/08_memory")
runs = [record.runs[s] for s in sorted(record.runs)]

def spread(values, form=".2f"):  # median (lowest to highest) over the seeds
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

# %% tags=["fold"] name="bill"
# What the layers keep for the backward pass, counted on a model of shapes without numbers.
with torch.device("meta"):
    large = models.Transformer(models.Config(32_000, 4096, 11_008, 32, 32, 32, 2048))
    row = torch.zeros(1, 2048, dtype=torch.long)
shapes = Counter((tuple(p.shape), "proj" in name) for name, p in large.named_parameters())
numbers = models.parameter_count(large)
own = {p.untyped_storage()._cdata for p in large.parameters()}
kept = {}
with torch.autograd.graph.saved_tensors_hooks(
        lambda x: kept.setdefault(x.untyped_storage()._cdata, x) is None or x, lambda x: x):
    large(row).logsumexp(-1).sum()
activations = sum(x.untyped_storage().nbytes() for k, x in kept.items() if k not in own)
parts = {"weights": 4 * numbers, "gradients": 4 * numbers, "Adam's two averages": 8 * numbers,
         "activations, 2048 tokens": activations}
print(f"{numbers:,} numbers; " + ", ".join(f"{k} {v / 1e9:.0f} GB" for k, v in parts.items()))
print(f"together {sum(parts.values()) / 1e9:.0f} GB, {sum(parts.values()) / parts['weights']:.1f} "
      "times the weights")
plots.bars({k: v / 1e9 for k, v in parts.items()}, "memory (GB)",
           "Four bars: weights and gradients 26 gigabytes each, Adam's averages 53, the "
           "activations of a single row of 2048 tokens 40.",
           title="Training a model of 6.6 billion numbers, 32 bits each")

# %% [markdown] name="bill-reading"
# This is the bill for a model of the shape of ours with 6.6 billion numbers. The **activations** are what the layers keep from the forward pass, because the backward pass needs it. Here they belong to one row of 2048 tokens; two rows need twice as much. The largest part is Adam's. What an optimizer keeps from step to step is its **state**. With [half precision](../03_algorithms/17_clipping_and_accumulation.ipynb) weights and gradients take 2 bytes each. But then one keeps the weights a second time with 32 bits, and the sum is 16 bytes a number as before.
#
# ## What each rule keeps
#
# No training is needed to find out. Every rule says what it keeps, and we add up the bytes:

# %% name="bytes"
def size(state):  # bytes, whatever the state is made of
    if torch.is_tensor(state):
        return state.numel() * state.element_size()
    return sum(map(size, state)) if isinstance(state, tuple) else 0

def bytes_of(rule, rest=None):  # bytes per number; rest: for what is no matrix between two layers
    found = 0
    for (shape, inner), count in shapes.items():
        mine = rule if inner or rest is None else rest
        found += count * size(mine.init(torch.zeros(shape, device="meta")))
    return found / numbers

# %% tags=["fold"] name="bytes-table"
# Bytes of state per number of the model.
states = {
    "Adam": bytes_of(Adam()),
    "Adam-mini": bytes_of(AdamMini()),
    "GaLore, rank 1024": bytes_of(GaLore(Adam(), 1024), Adam()),
    "Adam in 8 bits": bytes_of(EightBit(Adam())),
    "GaLore in 8 bits": bytes_of(GaLore(EightBit(Adam()), 1024), EightBit(Adam())),
    "Adafactor": bytes_of(Adafactor()),
}
Table(["rule", "bytes of state per number", "for this model (GB)"],
      [[k, f"{v:.2g}", f"{v * numbers / 1e9:.2g}"] for k, v in states.items()])

# %% [markdown] name="bytes-reading"
# Adam's 53 GB shrink to 26, 18, 13, 7 or next to nothing. None of the rules on this page touches weights, gradients or activations. [Adafactor](06_signs_and_curvature.ipynb) has been seen. The other three follow, and for each we ask what it throws away.
#
# ## Eight bits: digits
#
# Eight bits can name 256 numbers. The list of these numbers is the **code book**. Take a block of 256 numbers of a state in a row, and let $c$ be the largest of them in absolute value. Each number $x$ becomes
#
# $$x \;\to\; c \cdot q_k, \qquad k = \text{the place at which } q_k \text{ is nearest to } \frac{x}{c}$$
#
# Stored are the place $k$, 8 bits, and one $c$ of 32 bits per block: 2.03 bytes for both averages. Within a step the rule computes with all its digits. `EightBit(rule)` rounds its averages between two steps. Which $q$ are good? Here are two code books for numbers from 0 to 1:

# %% tags=["fold"] name="books"
# The two code books on a logarithmic line.
books = {"even": np.arange(256) / 255, "dynamic": np.array(dynamic_map(signed=False))}
fig, (ax,) = plots.panels()
fig.set_size_inches(6.4, 2.2)
for y, (name, book) in enumerate(books.items()):
    ax.plot(book[book > 0], 0 * book[book > 0] + y, "|", ms=22, color=f"C{y}")
    inside = [((book >= 10.0**-k) & (book < 10.0 ** (1 - k))).sum() for k in range(1, 8)]
    print(f"{name}: numbers in 0.1 to 1, in 0.01 to 0.1 and so on: "
          + ", ".join(map(str, inside)))
ax.set(xscale="log", yticks=[0, 1], yticklabels=list(books), ylim=(-0.6, 1.6),
       xlabel="number, as a share of the largest of its block")
plots.Picture(fig, "Two rows of ticks on a logarithmic line from a ten-millionth to 1. The even "
              "code book has ticks only from 0.004 on. The dynamic one has ticks over all seven "
              "decades, fewer and fewer to the left.")

# %% [markdown] name="books-reading"
# The even code book spends 230 of its numbers on the top decade, and its smallest number after 0 is 1/255. The dynamic one (Dettmers) spends half of its numbers on the top decade, half of the rest on the next, and so on down to $10^{-7}$.
#
# ## Derivation: the error of eight bits
#
# How large is its error? Take a number $x = u c$ of the top decade, which is cut into 128 equal parts:

# %% tags=["fold"] name="derive-bits"
# The relative error of a number in the top decade, tied to the library's EightBit.
u, c, eta = sp.symbols("u c eta", positive=True)

def eight(u, c):  # v after one step: with beta2 = 0 it is the squared gradient
    rule = EightBit(Adam(beta2=0.0))
    g = np.sqrt(np.array([c, u * c]))
    theta, state = rule.update(0 * g, g, rule.init(0 * g))
    assert np.allclose(theta, -rule.lr)  # the step itself was made with all digits
    stored = dequantize(*state.inner.v, signed=False)
    assert stored[0] > 0 and np.isclose(stored[0], c)  # the largest is exact
    return abs(stored[1] / (u * c) - 1)

(
    derive(r"E", "Abs((Rational(1, 10) + Rational(9, 1280) * (floor((u - Rational(1, 10)) * "
           "Rational(1280, 9)) + Rational(1, 2))) / u - 1)",
           "the middle of the part in which $u$ lies, over $u$, less 1",
           {"u": u, "c": c, "Rational": sp.Rational, "floor": sp.floor, "Abs": sp.Abs},
           ranges={u: (0.101, 0.99)},
           tex=r"\left| \frac{1}{u} \left( \frac{1}{10} + \frac{9}{1280} \left( \left\lfloor "
           r"\frac{u - 1/10}{9/1280} \right\rfloor + \frac12 \right) \right) - 1 \right|")
    .library("EightBit(Adam(beta2=0)), its v after a step", eight, each=True)
    .at_most("Rational(9, 2560) / u", "half of a part, over $u$", tex=r"\frac{9}{2560\, u}")
    .at_most("Rational(9, 256)", "$u$ is at least 1/10: **3.5 per cent**", tex=r"\frac{9}{256}")
)

# %% [markdown] name="derive-bits-reading"
# Each decade further down has half as many numbers, so the bound doubles: 7 per cent, 14, 28. Adam's step is divided by $\sqrt v$. An error of $E$ in $v$ is an error of about $E / 2$ in the step. So a rounded $v$ is like a learning rate that is a few per cent off, a little different for every number.
#
# ## Eight bits on real averages
#
# We fine-tune the base model of the course for 40 steps on the [docstring task](../05_project/03_fine_tuning.ipynb) (functions of Python's library, PSF licence), and keep every gradient.

# %% name="train"
saved = models.pretrained()
to_train = data.answers(data.docstring_task(saved.tokenizer, seed)[0], 64)
batches = data.shuffled(to_train, 8, seed)
gradients = {name: [] for name, _ in saved.model.named_parameters()}

def watch(step, model):  # called before each update
    for name, p in model.named_parameters():
        gradients[name].append(p.grad.clone())

recipe = Recipe(40, warmup=5, weight_decay=0.0)
adam = Adam(2e-3, beta2=0.95)
optimizer = TorchOptimizer(adam, saved.model.parameters())
history = train(saved.model, batches, recipe, optimizers=[optimizer], watch=watch)

# %% tags=["fold", "nbval-ignore-output"] name="play-picture"
# One block of v of a matrix, in both code books; the slider makes its largest number larger.
def averages(g):  # Adam's state after these gradients
    state, theta = adam.init(g[0]), torch.zeros_like(g[0])
    for one in g:
        theta, state = adam.update(theta, one, state)
    return state

state_of = {name: averages(g) for name, g in gradients.items()}
matrix = state_of["layers.1.mlp.up_proj.weight"].v.double().numpy()
block = np.sort(matrix.ravel()[:256])
block[-1] = block[-2]
fig, (ax,) = plots.panels()
ax.axhline(1, color="0.4", lw=1)
for colour, marker, label in (("C1", "x", "even"), ("C0", ".", "dynamic")):
    ax.plot([], [], marker, color=colour, ls="", label=label)
ax.legend(loc="upper right")
ax.set(xlabel="place in the block, sorted by size (smallest left)", ylim=(-0.1, 2.3),
       ylabel="v as stored / v")

def stored(v, name):
    if name == "even":
        return np.round(v / v.max() * 255) * v.max() / 255
    return dequantize(*quantize(v, signed=False), signed=False)

def outlier(ax, power):
    v = block.copy()
    v[-1] *= 10.0**power
    found = {name: stored(v, name) / v for name in ("even", "dynamic")}
    for name, colour, marker in (("even", "C1", "x"), ("dynamic", "C0", ".")):
        ax.plot(np.clip(found[name], 0, 2.2), marker, color=colour, ms=4)
    off = abs(found["dynamic"] - 1)
    return (f"The largest number of the block, times {10.0**power:,.3g}. Even: "
            f"{(found['even'] == 0).sum()} of 256 become 0. Dynamic: "
            f"{(found['dynamic'] == 0).sum()} become 0, the median error is {np.median(off):.1%}.")

plots.moving(fig, "outlier: power of ten", [k / 3 for k in range(20)], outlier, start=2.0,
             alt="256 points for each code book. Most dynamic ones lie close to 1. Many of the "
             "even ones lie at 0, and the others scatter around 1.")

# %% [markdown] name="play-reading"
# Move the slider. At which power of ten has the even code book lost half of the block? And from which one on is the median error of the dynamic one above 10 per cent? (The next cell prints both.)
#
# One large number sets the scale for its whole block. On the even scale, whatever is smaller than one 510th of it becomes 0. So the damage depends on who shares a block. Here is $v$ of the whole embedding, one line per token, as Adam has it and after rounding. Nearly all tokens of the dark band do not occur in the batches:

# %% tags=["fold", "nbval-ignore-output"] name="embedding-picture"
# v of the embedding, and what the even code book stores.
def lost_at(power, name):  # share of the block that becomes 0, median error
    v = block.copy()
    v[-1] *= 10.0**power
    again = stored(v, name)
    return (again == 0).mean(), np.median(abs(again / v - 1))

powers = [k / 3 for k in range(20)]
half = next(p for p in powers if lost_at(p, "even")[0] >= 0.5)
err = next(p for p in powers if lost_at(p, "dynamic")[1] > 0.1)
print(f"even: half of the block is lost from the power {half:.3g} on; "
      f"dynamic: the median error is above 10 % from {err:.3g} on")
embedding = state_of["embed_tokens.weight"].v
fig, axes = plots.panels(3)
fig.set_size_inches(7.4, 2.7)
dynamic = dequantize(*quantize(embedding, signed=False), signed=False)
images = {"32 bits": embedding, "8 bits, dynamic": dynamic,
          "8 bits, even": made["even"](embedding, False)}
for ax, (title, v) in zip(axes, images.items(), strict=True):
    with np.errstate(divide="ignore"):
        height = np.log10(v.numpy())
    drawn = ax.imshow(np.where(v > 0, height, np.nan), aspect="auto", cmap="viridis",
                      interpolation="nearest", vmin=-11, vmax=-3)
    ax.set(title=title, xlabel="number of the row", facecolor="white")
    ax.grid(False)
axes[0].set_ylabel("token")
fig.colorbar(drawn, ax=axes[2], label="log10 of v (white: 0)")
plots.Picture(fig, "Three images of 512 tokens by 64 numbers. The first two look alike: bright "
              "and dark horizontal stripes. In the third many of the dark stripes are white.")

# %% tags=["fold", "nbval-ignore-output"] name="zeros"
# Which numbers become 0 on the even scale; and the error of the dynamic one.
def share_lost(name, part):  # of the numbers that are not 0
    old = [getattr(s, name) for k, s in state_of.items() if part(k)]
    lost = sum(int(((made["even"](x, name == "m") == 0) & (x != 0)).sum()) for x in old)
    return lost / sum(int((x != 0).sum()) for x in old)

def step_error(part):  # of the step, by rounding v to the dynamic code book
    found = []
    for k, s in state_of.items():
        if part(k):
            again = dequantize(*quantize(s.v, signed=False), signed=False)
            found.append((torch.sqrt(s.v[s.v > 0] / again[s.v > 0]) - 1).abs())
    return torch.cat(found).numpy()

kinds = {"embedding": lambda k: "embed" in k, "14 matrices": lambda k: "proj" in k,
         "norms": lambda k: "norm" in k}
lost = {k: (share_lost("m", part), share_lost("v", part)) for k, part in kinds.items()}
off = {k: step_error(part) for k, part in kinds.items()}
assert lost["embedding"][1] > 5 * lost["14 matrices"][1] + 0.02
assert max(np.median(e) for e in off.values()) < 0.02
Table(["", "even: m becomes 0", "even: v becomes 0", "dynamic: error of the step, median",
       "95 % of the numbers are below"],
      [[k, *(f"{x:.1%}" for x in lost[k]), f"{np.median(off[k]):.1%}",
        f"{np.quantile(off[k], 0.95):.1%}"] for k in kinds])

# %% [markdown] name="zeros-reading"
# In the 14 matrices the numbers of a block are alike, and both code books will do. In the embedding, a block holds four tokens. Where a frequent token sits beside [rare ones](../04_mathematics/12_rare_tokens.ipynb), their $v$ becomes 0 on the even scale: 13 per cent of all that are not 0.
#
# **The answer to the question.** Where $m$ becomes 0, a number waits: its step is 0. Where $v$ becomes 0, Adam divides by $\epsilon = 10^{-8}$. So $m$ may be rounded to 0, and $v$ must not. Here is the loss on the task after 40 steps at the rate 0.002, recorded with five splits:

# %% tags=["fold"] name="answer"
# The loss after 40 steps with one average on an even scale.
at = made["RATES"].index(2e-3)
loss = {k: np.array([run[k] for run in runs]) for k in (*made["RULES"], *made["EVEN"])}
answer = {"before": [run["before"] for run in runs], "Adam, 32 bits": loss["Adam"][:, at],
          "m even, v 32 bits": loss["m even"][:, 0], "m 32 bits, v even": loss["v even"][:, 0],
          "both dynamic": loss["8 bits"][:, at]}
assert np.min(answer["m 32 bits, v even"]) > 20
assert np.max(np.abs(answer["both dynamic"] - answer["Adam, 32 bits"])) < 0.02
Table(["", "loss (nats per token; above 99 cut)"], [[k, spread(v)] for k, v in answer.items()])

# %% [markdown] name="mini-text"
# So eight bits are enough, if they are the right ones.
#
# ## Derivation: Adam-mini, one number per row
#
# Adam-mini (Zhang and others) keeps $m$ and gives each block a single $v$: the running mean of $g^2$ over the block. A block is a row of a matrix, or an attention head. [One number for many](06_signs_and_curvature.ipynb) has shown how well that guesses $v$. What does it do to the step? Take the first one, and ask how far the loss falls along it. To first order that is $D$, the sum of gradient times step:

# %% tags=["fold"] name="derive-mini"
# The fall of the loss along the first step, tied to the library's Adam-mini and Adam.
n, j = sp.symbols("n j", integer=True, positive=True)
g_ = sp.IndexedBase("g")

def fall(rule):
    def of_points(g, eta):
        found = []
        for one, lr in zip(g, eta, strict=True):
            made_rule = rule(float(lr))
            theta = np.zeros((1, len(one)))
            moved, _ = made_rule.update(theta, one[None], made_rule.init(theta))
            found.append((moved * one).sum())
        return np.array(found)
    return of_points

(
    derive("D", "-Sum(g[j] * eta * g[j] / sqrt(Sum(g[i]**2, (i, 1, n)) / n), (j, 1, n))",
           "in the first step $\\hat m = g$, and $\\hat v$ is the mean of $g^2$",
           {"n": n, "j": j, "i": sp.Symbol("i", integer=True, positive=True), "eta": eta,
            "g": g_, "sqrt": sp.sqrt, "Abs": sp.Abs}, {n: (2, 3)})
    .library("AdamMini(eta, eps=0)", fall(lambda lr: AdamMini(lr, eps=0.0)))
    .equals("-n * eta * sqrt(Sum(g[j]**2, (j, 1, n)) / n)",
            "the sum of $g^2$ over its own root: $n$ times the root mean square")
    .at_most("-eta * Sum(Abs(g[j]), (j, 1, n))",
             "a root mean square is at least the mean of $|g|$: **no less than Adam's first step**")
    .library("Adam(eta, eps=0)", fall(lambda lr: Adam(lr, eps=0.0)))
)

# %% [markdown] name="galore-text"
# Both steps are equally long: the squares of their $n$ numbers sum to $n \eta^2$. Adam moves all numbers by the same amount. Adam-mini keeps the proportions of the gradient, so it is plain descent within a row, with a length of its own for every row.
#
# ## Derivation: GaLore, a few directions
#
# GaLore (Zhao and others) keeps $m$ and $v$ of full size for no matrix. It takes the [singular values](../05_project/04_low_rank_adaptation.ipynb) of the gradient and projects it to its $r$ strongest directions $P$, with new ones every 20 steps here:
#
# $$\text{Adam sees } P^\top G, \qquad W \leftarrow W + P \cdot (\text{its step})$$
#
# In contrast to an adapter, the sum of many such steps has any rank. What is lost? Take a gradient with two singular values $\sigma_1$ and $\sigma_2$, keep one direction, and take gradient descent in place of Adam:

# %% tags=["fold"] name="derive-galore"
# The fall of the loss along a projected step, tied to the library's GaLore.
first_, second_ = sp.symbols("sigma_1 sigma_2", positive=True)

def projected(sigma_1, sigma_2, eta):
    rng = np.random.default_rng(0)
    left, right = (np.linalg.qr(rng.normal(size=(2, 2)))[0] for _ in range(2))
    g = left @ np.diag([sigma_1, sigma_2]) @ right.T
    rule = GaLore(SGD(float(eta)), rank=1, scale=1.0)
    moved, _ = rule.update(0 * g, g, rule.init(g))
    return (moved * g).sum()

(
    derive("D", "-eta * Max(sigma_1, sigma_2)**2",
           "the step is $-\\eta$ times the stronger product alone",
           {"sigma_1": first_, "sigma_2": second_, "eta": eta, "Max": sp.Max})
    .library("GaLore(SGD(eta), rank=1, scale=1)", projected, each=True)
    .at_most("-eta * (sigma_1**2 + sigma_2**2) / 2",
             "the larger square is at least half of the sum: **full descent falls by "
             "$\\eta (\\sigma_1^2 + \\sigma_2^2)$**")
)

# %% [markdown] name="galore-reading"
# ## What a few directions hold
#
# In general the share that stays is the sum of the $r$ largest squared singular values over the sum of all. For real gradients:

# %% tags=["fold", "nbval-ignore-output"] name="galore-picture"
# The share of the squares in the first directions, step by step, for one matrix.
place = "layers.1.mlp.up_proj.weight"
squares = torch.linalg.svdvals(torch.stack(gradients[place])) ** 2
shares = (squares.cumsum(1) / squares.sum(1, keepdim=True)).numpy()
inner = [torch.stack(g) for name, g in gradients.items() if "proj" in name]
share_16, stale_16 = [], []
for g in inner:
    square = torch.linalg.svdvals(g) ** 2
    share_16.append((square[:, :16].sum(1) / square.sum(1)).numpy())
    old = g[20] if g.shape[1] < g.shape[2] else g[20].T
    p = torch.linalg.svd(old)[0][:, :16]
    late = g[39] if g.shape[1] < g.shape[2] else g[39].T
    stale_16.append(float((p.T @ late).square().sum() / late.square().sum()))
share_16 = np.array(share_16)
print(f"this matrix: {int(np.median((shares < 0.5).sum(1))) + 1} directions hold one half, "
      f"{int(np.median((shares < 0.9).sum(1))) + 1} nine tenths (median over the steps)")
print(f"16 directions hold {spread(share_16.mean(1), '.0%')} of the squares over 14 matrices")
print(f"directions of step 20, at step 39: {spread(stale_16, '.0%')}")
assert np.median(share_16) > 0.7 and np.median(stale_16) < np.median(share_16) - 0.05
fig, (ax,) = plots.panels()
drawn = ax.imshow(shares[:, :40].T, aspect="auto", origin="lower", cmap="viridis", vmin=0, vmax=1,
                  extent=(0, 40, 0.5, 40.5))
ax.contour(np.arange(40) + 0.5, np.arange(1, 41), shares[:, :40].T, [0.5, 0.9],
           colors="white", linestyles=["--", "-"])
ax.axhline(16, color="#D55E00", lw=2)
ax.grid(False)
ax.set(xlabel="step", ylabel="number of directions kept")
fig.colorbar(drawn, ax=ax, label="share of the squared gradient")
plots.Picture(fig, "An image, step by number of directions. A few directions hold half of the "
              "squared gradient in every step (dashed white line), and about 25 hold nine "
              "tenths (solid white line). The orange line marks 16.")

# %% [markdown] name="rules-text"
# The dashed line marks one half, the solid one nine tenths. For our matrices, whose smaller side is 64 or 32, 16 directions (orange) hold 90 per cent in the median; for the matrix of the picture it takes about 25. But each batch has directions of its own: those of step 20 hold 48 per cent of the squares of step 39.
#
# ## Does the loss notice?
#
# Forty steps of fine-tuning, five splits, five rates for each rule:

# %% tags=["fold"] name="rules-picture"
# The loss on the task over the rate; the best rate of each split is chosen on the other four.
def held_out(losses):  # (splits, tries): the try with the best mean on the other splits
    best = [np.delete(losses, s, 0).mean(0).argmin() for s in range(len(losses))]
    return losses[np.arange(len(losses)), best], best

rows = []
for k in made["RULES"]:
    ended, best = held_out(loss[k])
    rates = sorted({made["RATES"][i] for i in best})
    first, _ = held_out(loss["Adam"])
    rows.append([k, " or ".join(f"{r:g}" for r in rates), spread(ended),
                 spread(ended - first, "+.3f")])
fig, (ax,) = plots.panels()
plots.draw_lines(ax, made["RATES"], {k: loss[k].mean(0) for k in made["RULES"]},
                 "learning rate", "loss on the task (nats per token)", "Mean of five splits",
                 "x")
ax.set_xticks(made["RATES"], [f"{rate:g}" for rate in made["RATES"]])
ax.set_xticks([], minor=True)
ax.legend()
plots.Picture(fig, "Four curves over the learning rate. Adam and 8 bits are one curve. Adam-mini "
              "runs close to it. GaLore is higher at small rates and lower at large ones.")

# %% tags=["fold"] name="rules-table"
# The loss at the rate that was best on the other splits.
Table(["rule", "rate", "loss (nats per token)", "less Adam's"], rows)

# %% [markdown] name="lora-text"
# Eight bits change the loss by less than 0.005 at every rate and in every split (first control). Adam-mini ends 0.03 above Adam in the median, and GaLore 0.01. In single splits both lose 0.1. GaLore wants the larger rates. Here it works on the 14 matrices, and Adam does the rest.
#
# ## Derivation: adapters, one rate for two matrices?
#
# An [adapter](../05_project/04_low_rank_adaptation.ipynb) saves most: no state and no gradient for the weights. It adds $s B A$ to a weight, and $B$ starts at 0, so that the first step moves only $B$. Then both move. Does one rate fit both? Take one output and rank 1, a number $b$ and a row $a$ of $n$ numbers. Let $h$ be the slope of the loss by the output. Adam's first step moves each $a_j$ by $\eta_A$ against the sign of its gradient $s\, h\, b\, x_j$. The output then moves by

# %% tags=["fold"] name="derive-width"
# How far a step of A moves the output, tied to the library's Adam.
x_, s, h, bb = sp.IndexedBase("x"), sp.Symbol("s", positive=True), *sp.symbols("h b", real=True)

def through_a(x, s, h, b, eta):
    rule = Adam(float(eta), eps=0.0)
    moved, _ = rule.update(0 * x, s * h * b * x, rule.init(0 * x))
    return s * b * (moved * x).sum()

(
    derive(r"\Delta y_A", "s * b * Sum(-eta * sign(s * h * b * x[j]) * x[j], (j, 1, n))",
           "$s\\, b$ times the change of $a$, times the input",
           {"s": s, "b": bb, "h": h, "x": x_, "n": n, "j": j, "eta": eta, "sign": sp.sign},
           {n: (2, 3)}, tex=r"-s\, b \sum_{j=1}^{n} \eta_A\, \mathrm{sign}(s\, h\, b\, x_j)\, x_j")
    .library("Adam(eta, eps=0), its step of a", through_a, each=True)
    .equals("-s * eta * sign(h) * Abs(b) * Sum(Abs(x[j]), (j, 1, n))",
            "each term is positive but for the sign of $h$: **it grows with the width $n$**",
            tex=r"-s\, \eta_A\, \mathrm{sign}(h)\, |b| \sum_{j=1}^{n} |x_j|")
)

# %% tags=["fold"] name="width-table"
# The two sums for inputs of size 1, as the width grows.
draw = np.random.default_rng(seed)
rows = []
for width in (64, 512, 4096):
    at = draw.normal(size=(400, width))
    start = draw.uniform(-1, 1, size=(400, width)) / np.sqrt(width)  # as LoRALinear draws A
    rows.append([width, f"{abs(at).sum(1).mean():.0f}", f"{abs((at * start).sum(1)).mean():.2f}"])
Table(["width n", "sum of |x_j| (a step of A)", "|sum of a_j x_j| (a step of B)"], rows,
      "Means over 400 draws.")

# %% [markdown] name="width-reading"
# ## Two rates
#
# In the same way a step of $B$ moves the output by $s\, \eta_B \left| \sum_j a_j x_j \right|$, and this sum does not grow. So the wider the layer, the more a step of $A$ counts against a step of $B$. LoRA+ (Hayou and others) concludes that $B$ needs the larger rate. Is that so at our width of 64? All pairs of rates, rank 4:

# %% tags=["fold"] name="rates-picture"
# The loss for each pair of rates, and the marked lines of equal ratio.
grid = np.array([run["two rates"] for run in runs])  # splits, rate of A, rate of B
middle = np.median(grid, 0)
A, B = made["A_RATES"], made["B_RATES"]
fig, (ax,) = plots.panels()
fig.set_size_inches(6.4, 4.4)
drawn = ax.imshow(middle, origin="lower", aspect="auto", cmap="viridis_r",
                  vmin=middle.min(), vmax=middle.min() + 0.8)
for i, k in np.ndindex(middle.shape):
    ax.text(k, i, f"{middle[i, k]:.2f}", ha="center", va="center", fontsize=8,
            color="white" if middle[i, k] > middle.min() + 0.4 else "black")
pairs = [(i, k) for i, a_rate in enumerate(A) for k, b_rate in enumerate(B) if a_rate == b_rate]
ax.plot([k for _, k in pairs], [i for i, _ in pairs], "--", color="#D55E00", lw=1.5,
        label="the same rate")
ax.set(xticks=range(len(B)), xticklabels=[f"{r:g}" for r in B], xlabel="rate of B",
       yticks=range(len(A)), yticklabels=[f"{r:g}" for r in A], ylabel="rate of A")
ax.legend(loc="lower left", bbox_to_anchor=(0, 1))
ax.grid(False)
fig.colorbar(drawn, ax=ax, label="loss on the task (nats), darkest: 0.8 or more")
best = np.unravel_index(middle.argmin(), middle.shape)
print(f"lowest median {middle.min():.2f} at A {A[best[0]]:g}, B {B[best[1]]:g}")
swing = {"over the rates of A": (middle.max(0) - middle.min(0))[best[1]],
         "over the rates of B": (middle.max(1) - middle.min(1))[best[0]]}
print(", ".join(f"{k}: {v:.2f} nats" for k, v in swing.items()))
plots.Picture(fig, "A heat map of the loss over the rate of B and the rate of A. The columns "
              "differ more than the rows. The lowest loss lies inside.")

# %% tags=["fold"] name="ratio-table"
# Four tries on each line of equal ratio; the try is chosen on the other splits.
def line_of(ratio):  # pairs with rate of B = ratio x rate of A
    found = [grid[:, i, k] for i, a_rate in enumerate(A) for k, b_rate in enumerate(B)
             if abs(b_rate / a_rate / ratio - 1) < 0.01]
    return np.array(found).T

same, _ = held_out(line_of(1)[:, :4])
rows, ratio_gain = [], {}
for ratio in (10, 1, 0.1):
    tries = line_of(ratio)[:, -4:] if ratio != 1 else line_of(1)[:, :4]
    ended, _ = held_out(tries)
    ratio_gain[ratio] = ended - same
    rows.append([f"{ratio:g}", tries.shape[1], spread(ended), spread(ended - same, "+.2f")])
Table(["rate of B / rate of A", "tries", "loss (nats per token)", "less that of one rate"], rows)

# %% [markdown] name="precondition-text"
# No. The rate of $B$ decides, and that of $A$ hardly matters: at the best rate of $B$ it moves the median by 0.13 nats, over a factor of 1000. With the same number of tries, ten times the rate for $B$ loses 0.06 nats, in every split. A tenth of it gains 0.04 in the median, and not in every split. The argument is one about large widths, and about both parts of the step counting alike. It does not say where our width stands. **The ratio is a number to tune, not one to copy.**
#
# ## Derivation: the same product, another scale
#
# There is another cure. $B A$ stays the same if $A$ is multiplied by $\kappa$ and $B$ divided by it. Gradient descent on $A$ and $B$ does not stay the same. The library's `scaled_lora_gradients` (Zhang and Pilanci) divides the gradient of $B$ by $A A^\top$, and that of $A$ by $B^\top B$. Take one output and rank 1 at the start, $b = 0$, with $\kappa a$ in place of $a$; $g_j$ is the gradient by the weight. One step of gradient descent moves the output by

# %% tags=["fold"] name="derive-scaled"
# One step of B with the scaled gradient, tied to the library's.
kappa, a_ = sp.Symbol("kappa", positive=True), sp.IndexedBase("a")

def scaled_step(a, g, x, eta, kappa):
    a = kappa * a[None]
    grad_b = g[None] @ a.T
    pushed = scaled_lora_gradients(a, np.zeros((1, 1)), 0 * a, grad_b, eps=0.0)
    return -eta * (pushed.b @ a @ x)[0]

(
    derive(r"\Delta y", "-eta * Sum(kappa * a[j] * g[j], (j, 1, n)) / Sum((kappa * a[j])**2, "
           "(j, 1, n)) * Sum(kappa * a[j] * x[j], (j, 1, n))",
           "the gradient of $b$, divided by $A A^\\top$, times what $A$ reads",
           {"eta": eta, "kappa": kappa, "a": a_, "g": g_, "x": x_, "n": n, "j": j}, {n: (2, 3)})
    .library("scaled_lora_gradients(a, b, grad_a, grad_b, eps=0).b", scaled_step, each=True)
    .equals("-eta * Sum(a[j] * g[j], (j, 1, n)) * Sum(a[j] * x[j], (j, 1, n)) "
            "/ Sum(a[j]**2, (j, 1, n))",
            "$\\kappa$ cancels: **the step of full training, cut to the direction of $a$**")
)

# %% [markdown] name="kappa-text"
# ## Does the scale matter?
#
# Without the division, $\kappa^2$ stands in front of the step. Does that matter after more than one step? A linear model learns 400 handwritten digits (scikit-learn's copy of the UCI data, CC BY 4.0) through an adapter of rank 4, with 30 steps of gradient descent:

# %% name="kappa"
digits = data.digits(seed)
inputs, labels = digits.x[:400], digits.y[:400]

def descent(lr, kappa, scaled, steps=30):
    a = kappa * np.random.default_rng(seed).normal(size=(4, 64)) / 8
    b = np.zeros((10, 4))
    for _ in range(steps):
        g = cross_entropy(inputs @ (b @ a).T, labels).grad.T @ inputs / len(inputs)
        grads = (b.T @ g, g @ a.T)
        if scaled:
            grads = scaled_lora_gradients(a, b, *grads)
        a, b = a - lr * grads[0], b - lr * grads[1]
    return cross_entropy(inputs @ (b @ a).T, labels).value.mean()

# %% tags=["fold", "nbval-ignore-output"] name="kappa-picture"
# Loss after 30 steps over the rate and the scale of A.
kappas, lrs = 10.0 ** np.linspace(-1, 1, 5), 10.0 ** np.arange(-3, 2.1, 0.5)
with np.errstate(all="ignore"):
    maps = [np.array([[descent(lr, k, scaled) for lr in lrs] for k in kappas])
            for scaled in (False, True)]
maps = [np.clip(np.nan_to_num(m, nan=9.0, posinf=9.0), 0, 9) for m in maps]
fig, axes = plots.panels(2)
for ax, m, title in zip(axes, maps, ("plain gradients", "scaled gradients"), strict=True):
    drawn = ax.imshow(m, origin="lower", aspect="auto", cmap="viridis_r", vmin=0, vmax=2.3,
                      extent=(-3.25, 2.25, -1.25, 1.25))
    ax.set(title=title, xlabel="log10 of the learning rate", ylabel="log10 of the scale of A")
    ax.grid(False)
fig.colorbar(drawn, ax=axes[1], label="loss (nats), darkest: 2.3 or more")
wander = [np.ptp(m, 0) for m in maps]
print(f"largest change of the loss with the scale, at one rate: plain {wander[0].max():.1f}, "
      f"scaled {wander[1][lrs <= 10].max():.2f} nats (rates to 10)")
best_lr = [sorted({f"{lrs[i]:.2g}" for i in m.argmin(1)}, key=float) for m in maps]
for title, m in zip(("plain", "scaled"), maps, strict=True):
    print(f"{title}: loss at the best rate {m.min(1).min():.2f} to {m.min(1).max():.2f}, "
          f"rates below a loss of 1: {(m < 1).sum(1).min()} to {(m < 1).sum(1).max()} of 11")
print(f"best rates: plain {', '.join(best_lr[0])}; scaled {', '.join(best_lr[1])}")
plots.Picture(fig, "Two heat maps of the loss over rate and scale of A. Left the light region "
              "changes its place with the scale. Right it forms upright stripes.")

# %% [markdown] name="breaks-text"
# Left, the useful rates change with the scale, and they are few. Small $A$ learns only just below the rate at which it explodes, and large $A$ never learns well. Right, the stripes stand nearly upright, and many rates are useful. A rate that is good for one scale is good for all. With Adam, which rescales every number anyway, the division changes little at small rates and hurts at large ones (second control).
#
# ## What breaks
#
# Somebody writes an 8-bit Adam and rounds to an even scale, as one rounds weights. It passes a test on a small network without an embedding. We do the same to $v$, in one part of the language model at a time:

# %% name="breaks"
def broken(part, steps=15):  # Adam with v on an even scale in this part of the model
    model = models.pretrained().model
    here = [p for name, p in model.named_parameters() if part(name)]
    rest = [p for name, p in model.named_parameters() if not part(name)]
    rounded_v = made["EvenBits"](adam, "v")
    both = [TorchOptimizer(rounded_v, here), TorchOptimizer(adam, rest)]
    return train(model, batches, Recipe(steps, warmup=5, weight_decay=0.0), optimizers=both).loss

tried = {name: broken(part) for name, part in kinds.items()}

# %% tags=["fold", "nbval-ignore-output"] name="breaks-table"
# The training loss in the first and in the last steps.
assert np.mean(tried["embedding"][-5:]) > 30 and np.mean(tried["norms"][-5:]) < 6
assert np.mean(tried["14 matrices"][-5:]) < 8
Table(["v on an even scale in", "first step", "second", "fifth", "mean of the last five"],
      [[k, *(f"{t[i]:.2f}" for i in (0, 1, 4)), f"{np.mean(t[-5:]):.2f}"]
       for k, t in tried.items()])

# %% [markdown] name="exercises"
# **The signature: within five steps the loss is a hundred times what it was, and it does not come back. The same optimizer passes on every part without rare tokens.** Lowering the rate a little does not help: a step is divided by $10^{-8}$. The cure is a code book in which only 0 becomes 0, as the library's. Or the embedding keeps 32 bits, which costs little where it is a small part of the model.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. The bytes of both (5 minutes, medium)
# GaLore with Adam in 8 bits: for one matrix with `rows` and `cols` it keeps the directions (smaller side times rank, 32 bits each), and $m$ and $v$ of the projected gradient (rank times larger side). Both have 8 bits a number and one scale of 32 bits for each block of 256 or fewer. A rank beyond the smaller side is that side. Return the bytes.

# %% name="exercise-kept"
def kept_bytes(rows, cols, rank):
    ### BEGIN SOLUTION
    small, large = min(rows, cols), max(rows, cols)
    rank = min(rank, small)
    blocks = np.ceil(rank * large / 256)
    return 4 * small * rank + 2 * (rank * large + 4 * blocks)
    ### END SOLUTION

# %% name="check-kept"
check("kept_bytes")

# %% [markdown] name="exercise-rounded-text"
# <details><summary>Hint 1</summary>Three parts: the directions, the places of both averages, the scales of both averages.</details>
# <details><summary>Hint 2</summary>np.ceil(rank * large / 256) blocks for each average; a scale has 4 bytes.</details>
#
# ### 2. Round by blocks (8 minutes, medium)
# The thing itself. `x` is a row of numbers whose length is a multiple of `block`, `book` an array of numbers from -1 to 1. Divide each block by its largest absolute value, replace each share by the nearest number of the book, and multiply again. No block is all zeros. Return the rounded row.

# %% name="exercise-rounded"
def rounded(x, book, block):
    ### BEGIN SOLUTION
    rows = x.reshape(len(x) // block, block)
    largest = np.abs(rows).max(axis=1, keepdims=True)
    shares = rows / largest
    nearest = np.abs(shares[:, :, None] - book).argmin(axis=2)
    return (book[nearest] * largest).reshape(x.shape)
    ### END SOLUTION

# %% name="check-rounded"
check("rounded")

# %% [markdown] name="exercise-blocks-text"
# <details><summary>Hint 1</summary>x.reshape(len(x) // block, block) has a line per block.</details>
# <details><summary>Hint 2</summary>The distances to all numbers of the book are one array with a third axis; argmin along it.</details>
#
# ### 3. How large may a block be? (6 minutes, medium)
# `v` is a row of positive numbers, and its length is a multiple of all `sizes`. On the even scale with 255 steps a number becomes 0 if it is below half a step, where a step is one 255th of its block's largest. Return the largest of the sizes at which at most the share `share` of all numbers becomes 0. The sizes stand in rising order and begin with 1, at which nothing is lost.

# %% name="exercise-blocks"
def largest_block(v, sizes, share):
    ### BEGIN SOLUTION
    found = sizes[0]
    for size in sizes[1:]:
        rows = v.reshape(len(v) // size, size)
        lost = rows < rows.max(axis=1, keepdims=True) / 510
        if lost.mean() <= share:
            found = size
    return found
    ### END SOLUTION

# %% name="check-blocks"
check("largest_block")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Cut v into blocks of one size, and compare each number with its block's largest over 510.</details>
# <details><summary>Hint 2</summary>lost.mean() is the share of the numbers that become 0.</details>
# <details><summary>Find out (after solving)</summary>Call it with embedding[embedding > 0].double().numpy(), cut to a multiple of 1024, the sizes 2**np.arange(11) and the share 0.01. Then with matrix.ravel()[:8192] in its place. Which of the two needs small blocks?</details>
#
# ## Takeaways
#
# - Adam's state is half of the bill without activations: 8 of 16 bytes a number. In 8 bits it takes 2, and the loss changes in the third digit.
# - $m$ may be rounded to 0, and $v$ must not: a step is divided by its root. It breaks in the embedding, where rare tokens share a block with frequent ones.
# - Do not look for a smaller state where the activations are the bill. Two rows of 2048 tokens cost more than Adam's whole state, and no rule on this page saves a byte of them.
#
# ## Does it hold?
#
# **Five splits.** Each recorded run has its own split of the functions into training and test. In the tables of rules and of ratios, a split is judged at the try that was best on the other four.

# %% tags=["fold", "nbval-ignore-output"] name="record-shown"
# What made the recorded numbers.
record

# %% [markdown] name="control-eight-text"
# **At every rate.** The same rate on both sides, without any choice:

# %% tags=["fold"] name="control-eight"
# 8 bits less 32 bits, and Adam-mini less Adam, at every rate.
Table(["learning rate", "8 bits less Adam (nats)", "Adam-mini less Adam", "GaLore less Adam"],
      [[f"{r:g}", *(spread((loss[k] - loss["Adam"])[:, i], "+.3f") for k in made["RULES"][1:])]
       for i, r in enumerate(made["RATES"])], "Median and range over five splits.")

# %% [markdown] name="control-scaled-text"
# At equal rates Adam-mini stays within 0.07 nats of Adam. GaLore loses at small rates and gains at large ones, as if its rate were smaller.
#
# **Scaled gradients before Adam.** An adapter of rank 4 on the language model:

# %% tags=["fold"] name="control-scaled"
# The scaled gradients before Adam, against plain ones, one rate for both.
diagonal = {r: grid[:, A.index(r), B.index(r)] for r in B}
scaled_runs = np.array([run["preconditioned"] for run in runs])
Table(["one rate for A and B", "plain gradients, Adam (nats)", "scaled gradients, Adam"],
      [[f"{r:g}", spread(diagonal[r]), spread(scaled_runs[:, i])] for i, r in enumerate(B)])

# %% [markdown] name="sources"
# With plain gradients 0.003 is the best rate, with scaled ones 0.001 and 0.003 are level. The lowest loss is that of the plain ones. The authors have a rule of their own for Adam, which was not tried.
#
# ## Sources
#
# - T. Dettmers, M. Lewis, S. Shleifer and L. Zettlemoyer, 2022: *8-bit optimizers via block-wise quantization*, arXiv 2110.02861 (they also add a stable embedding layer).
# - Y. Zhang and others, 2025: *Adam-mini: use fewer learning rates to gain more*, arXiv 2406.16793.
# - J. Zhao, Z. Zhang, B. Chen, Z. Wang, A. Anandkumar and Y. Tian, 2024: *GaLore: memory-efficient LLM training by gradient low-rank projection*, arXiv 2403.03507.
# - S. Hayou, N. Ghosh and B. Yu, 2024: *LoRA+: efficient low rank adaptation of large models*, arXiv 2402.12354.
# - F. Zhang and M. Pilanci, 2024: *Riemannian preconditioned LoRA for fine-tuning foundation models*, arXiv 2402.02347.
