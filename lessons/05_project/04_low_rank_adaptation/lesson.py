# ---
# jupyter:
#   lesson:
#     title: "Low-rank adaptation"
#     question: "How can one train two per cent of the numbers and get most of the effect?"
#     minutes: 45
#     needs: [03_fine_tuning]
#     settles: [G23]
#     studies: [models.lora.adapted]
#     terms: [rank, adapter, singular values]
# ---

# %% [markdown] name="title"
# # Low-rank adaptation
#
# **Goal.** Fine-tune a model without touching its weights, know what that saves, and know what it costs.
#
# **The question.** The [lesson before](03_fine_tuning.ipynb) moved all 123 712 numbers of our small language model so that it writes the first line of a docstring. Must they all move? Here the same training moves fewer and fewer of them.

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # the model is so small that this lesson stays on the CPU
seed = 0
profile = "quick"

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports, and the recorded runs.
import numpy as np
import sympy as sp
import torch
from matplotlib import colormaps
from matplotlib.patches import Rectangle

from lessons_lib import bridge, data, exercises, models, plots, records
from lessons_lib.derive import derive
from lessons_lib.models.lora import adapted
from lessons_lib.show import Table, show
from lessons_lib.training import Recipe, evaluate, train

setting = bridge.start(device, seed, profile)
check = exercises.of("05_project/04_low_rank_adaptation")
record = records.of("05_project/04_low_rank_adaptation")
runs = list(record.runs.values())

def spread(values, form=".2f"):  # median (lowest to highest) over the seeds
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

# %% tags=["fold"] name="question-picture"
# The loss on the task after 150 steps, each at its best rate; recorded, five seeds.
def best(name):  # of each seed: rate, loss on the task, loss on the old text
    return np.array([min(run[name], key=lambda point: point[1]) for run in runs])

def count(name):
    model = models.pretrained().model
    if name.startswith("rank"):
        models.add_lora(model, int(name.split()[1]))
    elif name == "14 matrices":
        return sum(p.numel() for key, p in model.named_parameters() if "proj" in key)
    return models.parameter_count(model, trainable=True)

before = np.array([run["before"] for run in runs])
kinds = ["all numbers", "14 matrices", *(f"rank {r}" for r in (16, 8, 4, 2, 1))]
counts = {name: count(name) for name in kinds}
labels = {"before": before[:, 0]} | {
    f"{name}: {counts[name]:,}".replace(",", " "): best(name)[:, 1] for name in kinds}
plots.bars(
    {label: plots.band(loss) for label, loss in labels.items()},
    "loss on the task (nats per token)",
    "Eight bars. The longest is the loss before the training. The bars after it grow slowly from "
    "top to bottom: shortest for all numbers, then the 14 matrices, then rank 16 down to rank 1, "
    "which still lies far below the first bar.",
    title="What is trained, and how many numbers that is",
)

# %% tags=["fold"] name="question-numbers"
# The share of the gain of full training, and where the rates lie.
def gain(name):  # of each seed: how far the loss on the task fell
    return before[:, 0] - best(name)[:, 1]

share = {name: gain(name) / gain("all numbers") for name in kinds}
for name in kinds:
    part = counts[name] / counts["all numbers"]
    print(f"{name}: {part:.1%} of the numbers, {spread(share[name], '.0%')} of the gain")
    grid = [point[0] for point in runs[0][name]]
    assert grid[0] < best(name)[:, 0].min() and best(name)[:, 0].max() < grid[-1]

# %% [markdown] name="question-reading"
# The 14 matrices are the linear layers, seven in each of the two layers of the model. The embedding and the norms are the rest. "Rank 1" moves 1.9 per cent of the numbers and gets nearly two thirds of the gain. What are these 2312 numbers? And when should one move them instead of all?
#
# ## The idea, drawn
#
# A matrix that is one column times one row has the **rank** 1, and a sum of $r$ such products has at most the rank $r$. Low-rank adaptation (LoRA; Hu and others, 2022) keeps a weight matrix as it is and adds a matrix of low rank to it. Only its columns and rows are trained. They stand in two thin matrices, $B$ and $A$, which together are called an **adapter**. Here is one of our matrices with an adapter of rank 4, all in one scale.

# %% tags=["fold"] name="strips"
# The weight and the adapter as rectangles; a unit is one row or one column.
w_shape = tuple(models.pretrained().model.layers[1].mlp.gate_proj.weight.shape)
fig, (ax,) = plots.panels()
fig.set_size_inches(6.4, 4.2)
high, wide = w_shape
for x, y, width, height, colour, label in (
    (0, 0, wide, high, "0.8", "W, frozen\n172 x 64\n11 008 numbers"),
    (110, 0, 4, high, "#D55E00", "B\n172 x 4\n688"),
    (145, high - 4, wide, 4, "#0072B2", "A\n4 x 64\n256"),
):
    ax.add_patch(Rectangle((x, y), width, height, facecolor=colour, edgecolor="0.2"))
    inside = width > 20 and height > 20
    ax.text(x + width / 2 if inside else x + width / 2 + (14 if width < 20 else 0),
            y + height / 2 if inside or width < 20 else y - 22, label,
            ha="center" if inside or width > 20 else "left", va="center", fontsize=10)
for x, sign in ((87, "+  s"), (138, "·")):
    ax.text(x, high / 2 if x < 100 else high - 2, sign, ha="center", va="center", fontsize=16)
ax.grid(False)
ax.set(xlim=(-4, 214), ylim=(-4, high + 4), aspect="equal", xlabel="columns", ylabel="rows",
       xticks=[], yticks=[])
plots.Picture(fig, "A large grey rectangle, the weight of 172 rows and 64 columns, plus a number s "
              "times a tall thin strip of 4 columns, times a wide flat strip of 4 rows.")

# %% [markdown] name="formula"
# The two strips hold 944 numbers, the matrix beside them 11 008.
#
# ## Formula
#
# A linear layer computes $x W^\top$. With the adapter it computes
#
# $$y = x\, (W + s\, B A)^\top = x W^\top + s\, (x A^\top)\, B^\top, \qquad s = \frac{\alpha}{r}$$
#
# The right side never forms $B A$: it goes through $r$ numbers per token. At the start $A$ is random and $B$ is 0, so the model starts exactly as it was.
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $W$ | `w` | (out, in) | the weight, frozen |
# | $A$ | `a` | ($r$, in) | reads $r$ numbers from the input |
# | $B$ | `b` | (out, $r$) | writes them into the output |
# | $r$ | `rank` | | how many there are |
# | $s$ | `scale` | | how much the adapter counts; $\alpha$ (`alpha`) is 16 here, at every rank |
#
# The library's code is no longer than that:

# %% name="show"
show(adapted)

# %% [markdown] name="parity"
# peft, the library with which most people adapt large models, computes the same numbers; the course's tests compare the two.
#
# ### What it saves
#
# An adapter has $r\,(\text{in} + \text{out})$ numbers, where the matrix has $\text{in} \cdot \text{out}$. The wider the model, the larger the difference. [Adam keeps two numbers](../03_algorithms/04_adam.ipynb) for every number that it trains, and the gradient is one more. Here is what that means for a model of the shape of ours with 6.6 billion numbers, four bytes each. It is never filled with numbers: only counted.

# %% name="memory"
with torch.device("meta"):  # shapes without numbers
    large = models.Transformer(models.Config(32_000, 4096, 11_008, 32, 32, 32, 2048))
    everything = models.parameter_count(large)
    thin = models.parameter_count(models.add_lora(large, rank=8), trainable=True)
gigabytes = {"all numbers": everything * 4 / 1e9, "rank 8": thin * 4 / 1e9}

# %% tags=["fold"] name="memory-table"
# Weights, gradients and Adam's two averages.
weights = gigabytes["all numbers"]
print(f"all: {everything:,} numbers; rank 8: {thin:,}, {thin / everything:.2%}, "
      f"one of {everything / thin:.0f}")
Table(["trained", "weights (GB)", "gradient", "Adam's averages", "together"],
      [[name, *(f"{v:.1f}" for v in (weights, size, 2 * size, weights + 3 * size))]
       for name, size in gigabytes.items()], "Without what the layers keep for the backward pass.")

# %% [markdown] name="memory-reading"
# The adapter trains 0.3 per cent of the numbers. The memory falls to a quarter: the weights still have to be there. What is kept afterwards, one file per task, shrinks by the full factor of 330.
#
# ## Derivation
#
# How do $A$ and $B$ learn? Take one output of the layer and rank 1: a row $w$ of $W$, the row $a$ of $A$, and one number $b$ of $B$. The slope by $b$:

# %% tags=["fold"] name="derive-b"
# Derivation 1: the slope by B, tied to the library's layer through autograd.
n, j, k = sp.symbols("n j k", integer=True, positive=True)
s, b = sp.Symbol("s", positive=True), sp.Symbol("b", real=True)
w, a, x = map(sp.IndexedBase, ("w", "a", "x"))
names = {"n": n, "j": j, "k": k, "s": s, "b": b, "w": w, "a": a, "x": x}
sizes = {n: (2, 3)}

def layer(x, w, a, b, s):  # one output, its slope by b and by a
    x, w, a, b = (torch.tensor(np.atleast_1d(v)[None], dtype=torch.float64) for v in (x, w, a, b))
    a.requires_grad_(), b.requires_grad_()
    y = adapted(x, w, a, b, float(s)).sum()
    y.backward()
    return y.item(), b.grad.item(), a.grad[0].numpy()

(
    derive("y", "Sum(w[j] * x[j], (j, 1, n)) + s * b * Sum(a[j] * x[j], (j, 1, n))",
           "the layer with its adapter", names, sizes)
    .library("adapted(x, w, a, b, s)", lambda x, w, a, b, s: layer(x, w, a, b, s)[0], each=True)
    .slope(b, "s * Sum(a[j] * x[j], (j, 1, n))", "$W$ does not depend on $b$: **what $A$ reads**")
    .library("adapted(x, w, a, b, s), slope by b", lambda x, w, a, b, s: layer(x, w, a, b, s)[1],
             "autograd through the library's layer", each=True)
)

# %% [markdown] name="derive-a-text"
# And the slope by the number $a_k$:

# %% tags=["fold"] name="derive-a"
# Derivation 2: the slope by A, and what it is at the start.
(
    derive("y", "Sum(w[j] * x[j], (j, 1, n)) + s * b * Sum(a[j] * x[j], (j, 1, n))",
           "the same layer", names, sizes)
    .library("adapted(x, w, a, b, s)", lambda x, w, a, b, s: layer(x, w, a, b, s)[0], each=True)
    .slope(a[k], "s * b * x[k]", "one term of the sum holds $a_k$")
    .library("adapted(x, w, a, b, s), slope by a", lambda x, w, a, b, s: layer(x, w, a, b, s)[2],
             "autograd through the library's layer", each=True)
    .put(b, 0, "0", "$B = 0$ at the start: **in the first step $A$ stands still**")
)

# %% [markdown] name="derive-reading"
# Many outputs, many tokens and rank $r$ add up such terms. Let $J$ be the loss and $G$ its gradient by the layer's output, one row per token. The chain rule multiplies by $G$:
#
# $$\frac{\partial J}{\partial B} = s\, G^\top (x A^\top), \qquad \frac{\partial J}{\partial A} = s\, (G B)^\top x$$
#
# Now compare with full training. There the gradient is $\frac{\partial J}{\partial W} = G^\top x$. Put it in:
#
# $$\frac{\partial J}{\partial B} = s\, \frac{\partial J}{\partial W}\, A^\top, \qquad \frac{\partial J}{\partial A} = s\, B^\top \frac{\partial J}{\partial W}$$
#
# **An adapter sees the full gradient through $r$ windows.** At first the rows of $A$ are the windows, and they are random. As soon as $B$ has moved, $A$ moves too: the windows turn to where there is something to learn.
#
# And if $A$ and $B$ both start at 0? Then both gradients are 0, in the first step and in every later one. One of the two must start at random.

# %% tags=["fold"] name="matrix-check"
# The matrix formulas against autograd, with many tokens and rank 3.
rng = np.random.default_rng(seed)
X, W, A, B, T = (torch.tensor(rng.normal(size=shape))
                 for shape in ((7, 5), (4, 5), (3, 5), (4, 3), (7, 4)))
for p in (W, A, B):
    p.requires_grad_()
y = adapted(X, W, A, B, 0.7)
(((y - T) ** 2).sum() / 2).backward()
G = (y - T).detach()
assert torch.allclose(B.grad, 0.7 * G.T @ (X @ A.T)) and torch.allclose(B.grad, 0.7 * W.grad @ A.T)
assert torch.allclose(A.grad, 0.7 * (G @ B).T @ X) and torch.allclose(A.grad, 0.7 * B.T @ W.grad)

# %% [markdown] name="train-text"
# ## Two trainings, one matrix
#
# The task is that of the lesson before: real functions of Python's library (PSF licence), the signature as the prompt, the docstring's first line as the answer. As there, a lower loss means answers that sound like docstrings, not true ones. We train twice, from the same model on the same batches. Once every number of the 14 matrices moves, once an adapter of rank 4 at each of them. Embedding and norms stand still both times, so only the form of the update differs. `add_lora` freezes the model and puts in the adapters.

# %% tags=["fold"] name="task"
# The task, the old text, and the batches of 8 answers.
saved = models.pretrained()
task, task_test = (data.answers(part, 64) for part in data.docstring_task(saved.tokenizer, seed))
task_test = task_test.rows(slice(256))
old_text = data.in_order(data.encode(saved.tokenizer, data.corpus().validation), 64, 100)
batches = data.shuffled(task, 8, seed)

def judged(model):  # the loss on the task and on the old text
    return evaluate(model, task_test), evaluate(model, old_text)

# %% name="train"
def fine_tune(lr, rank=None):
    torch.manual_seed(seed)  # draws A
    model = models.pretrained().model
    if rank:
        models.add_lora(model, rank, alpha=16)
    else:
        for name, p in model.named_parameters():
            p.requires_grad_("proj" in name)  # the 14 matrices
    train(model, batches, Recipe(150, lr, weight_decay=0.0))
    return model

full, low = fine_tune(3e-3), fine_tune(1e-2, rank=4)

# %% tags=["fold", "nbval-ignore-output"] name="train-table"
# The loss on the task and on the old text.
results = {"before": judged(saved.model), "14 matrices": judged(full), "rank 4": judged(low)}
start_loss, full_loss, low_loss = (results[k][0] for k in results)
assert start_loss - full_loss > 0.8 and (start_loss - low_loss) / (start_loss - full_loss) > 0.5
Table(["trained", "loss on the task (nats)", "loss on the old text"],
      [[k, *(f"{v:.2f}" for v in found)] for k, found in results.items()])

# %% [markdown] name="update-text"
# What has been added to a weight? Here is the output matrix of the attention in the second layer, after minus before:

# %% tags=["fold", "nbval-ignore-output"] name="update-picture"
# The update of one matrix by full training, and by the adapter.
base = dict(models.pretrained().model.named_parameters())
with torch.no_grad():
    updates = {name: (p - base[name]).double().numpy()
               for name, p in full.named_parameters() if "proj" in name}
    added = {f"{name}.weight": m.delta().double().numpy()
             for name, m in low.named_modules() if isinstance(m, models.LoRALinear)}
place, few_colours = "layers.1.self_attn.o_proj.weight", colormaps["RdBu_r"].resampled(9)
fig, axes = plots.panels(2)
for ax, update, title in zip(axes, (updates[place], added[place]),
                             ("every number moves", "adapter of rank 4"), strict=True):
    plots.draw_matrix(ax, update, "input", "output", "update", title)
    ax.images[0].set_cmap(few_colours)
plots.Picture(fig, "Two images of 64 by 64 updates with signs. Left, of full training: a fine "
              "irregular grain with some stripes. Right, of the adapter: a plaid pattern of long "
              "horizontal and vertical stripes.")

# %% [markdown] name="singular-text"
# Left, all 4096 numbers have moved, in a fine grain with hardly a pattern. Right they have all moved as well, but in whole rows and columns: it is a sum of four plaids.
#
# How far is an update from low rank? Every matrix is a weighted sum of products, each of one column and one row. The columns have length 1 and stand at right angles to each other, and so do the rows. The weights of these products are the **singular values** of the matrix, largest first. The first $r$ products are the nearest matrix of rank $r$ (the theorem of Eckart and Young). An update of rank 4 has four that are not 0.

# %% tags=["fold", "nbval-ignore-output"] name="singular-picture"
# The singular values of both updates, and what the first four hold.
values = {"every number moves": np.linalg.svd(updates[place], compute_uv=False),
          "adapter of rank 4": np.linalg.svd(added[place], compute_uv=False)[:4]}
kept = {name: (np.linalg.svd(u, compute_uv=False)[:4] ** 2).sum() / (u**2).sum()
        for name, u in updates.items()}
print(f"this matrix: its first 4 products hold {kept[place]:.0%} of the squared update; "
      f"all 14 matrices: {min(kept.values()):.0%} to {max(kept.values()):.0%}")
assert max(kept.values()) < 0.9 and added[place].shape == (64, 64)
fig, (ax,) = plots.panels()
for (label, v), marker in zip(values.items(), "os", strict=True):
    ax.semilogy(np.arange(1, len(v) + 1), v, marker, ms=4, label=label)
ax.set(xlabel="number of the singular value", ylabel="singular value (log)")
ax.legend()
plots.Picture(fig, "Singular values on a logarithmic axis. Those of full training fall slowly over "
              "all 64. The adapter has four, and they are larger than the first four of full "
              "training.")

# %% [markdown] name="play-text"
# Where every number moves, the singular values fall slowly. The first four products hold a third of the squared update. So no adapter of rank 4 can imitate it. Why does one work all the same?
#
# Cut the update of every matrix at rank $r$ and measure the loss on the task. Move the slider. How much of the update is left at rank 1, and how much of the gain? At which rank is nine tenths of the gain there?

# %% tags=["fold", "nbval-ignore-output"] name="play-picture"
# All 14 updates of full training, cut at a rank; the loss on 128 answers of the task.
parts = {name: np.linalg.svd(u, full_matrices=False) for name, u in updates.items()}
cut_model, few = models.pretrained().model, task_test.rows(slice(128))

def cut(name, r):
    u, v, t = parts[name]
    return (u[:, :r] * v[:r]) @ t[:r]

@torch.no_grad()
def cut_loss(r):
    for name, p in cut_model.named_parameters():
        if name in parts:
            p.copy_(base[name] + torch.tensor(cut(name, r)))
    return evaluate(cut_model, few)

ranks = [0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 36, 40, 48, 56, 64]
lost = {r: cut_loss(r) for r in ranks}
size = sum((u**2).sum() for u in updates.values())
norm_kept = {r: sum((v[:r] ** 2).sum() for _, v, _ in parts.values()) / size for r in ranks}
gain_kept = {r: (lost[0] - lost[r]) / (lost[0] - lost[64]) for r in ranks}
fig, (ax, bar) = plots.panels(2)
most = abs(updates[place]).max()
shown = {"cmap": few_colours, "vmin": -most, "vmax": most, "interpolation": "none"}
fig.colorbar(ax.imshow(np.zeros((64, 64)), **shown), ax=ax, label="update")
ax.grid(False)
ax.set(xlabel="input", ylabel="output", title="the update, cut")
bar.set(ylim=(0, 1.1), ylabel="share", title="what is left of it", xticks=[0, 1],
        xticklabels=["squared update", "gain on the task"], xlim=(-0.6, 1.6))
bar.axhline(1, color="0.4", lw=1, ls=":")

def at_rank(ax, bar, scale_of_colours, r):
    ax.imshow(cut(place, r), **shown)
    bar.bar([0, 1], [norm_kept[r], gain_kept[r]], color=["C1", "C0"])
    return (f"Cut at rank {r}, the updates keep {norm_kept[r]:.0%} of their squares and "
            f"{gain_kept[r]:.0%} of the gain on the task.")

plots.moving(fig, "rank", ranks, at_rank, start=4, alt="Left the update of one matrix cut at rank "
             "4, a plaid pattern. Right two bars: the share of the squared update that is left, "
             "and the share of the gain on the task, which is larger.")

# %% tags=["fold"] name="play-numbers"
# The same over the recorded seeds: what the cut keeps, and what an adapter of that rank reaches.
def cut_share(r):
    cuts = [dict(run["cut"]) for run in runs]
    return np.array([(c[0] - c[r]) / (c[0] - c[64]) for c in cuts])

of_matrices = {r: gain(f"rank {r}") / gain("14 matrices") for r in (1, 2, 4, 8, 16)}
Table(["rank", "update cut at this rank", "adapter trained at this rank"],
      [[r, spread(cut_share(r), ".0%"), spread(of_matrices[r], ".0%")] for r in of_matrices],
      "Share of the gain that all numbers of the 14 matrices bring. Median and range, five seeds.")

# %% [markdown] name="play-reading"
# At rank 1 the cut keeps a tenth of the squared update, and 55 per cent of the gain (60 over five seeds). At rank 14 nine tenths of the gain are there, and 60 per cent of the squares. **Much of what the training changes does little for the task. The part that matters is nearer to low rank than the update.**
#
# An adapter does better than the cut (table): at rank 1 it reaches nearly 80 per cent. The cut keeps the products that are largest. The adapter is trained within its rank from the start, and turns its windows to what helps.
#
# ## Learning and forgetting
#
# The lesson before measured a gain, how far the loss on the task falls, and a price, how far the loss on the old text rises. Biderman and others (2024) found in large models that LoRA learns less and forgets less. Is an adapter the way to forget less? Each point is one recorded training: three to five rates for each kind, five seeds. Lower right is better. At 0.03 the adapters lie outside.

# %% tags=["fold"] name="forget-picture"
# Gain and price of every recorded run.
fig, (ax,) = plots.panels()
for name, marker in zip(("all numbers", "14 matrices", "rank 16", "rank 4", "rank 1"), "osv^D",
                        strict=True):
    points = np.array([run[name] for run in runs])[..., 1:]
    gained, paid = (before[:, None] - points)[..., 0].ravel(), (points - before[:, None])[..., 1]
    ax.plot(gained, paid.ravel(), marker, ms=5, alpha=0.7, label=name)
ax.set(xlabel="gain on the task (nats per token)", ylabel="price on the old text (nats per token)",
       ylim=(0, 2.2), xlim=(1, 2))
ax.annotate("all numbers, rate 0.001", (1.77, 0.52), (1.62, 0.2), arrowprops={"arrowstyle": "->"})
ax.legend()
plots.Picture(fig, "Points in groups. At a price of about 0.5 they follow each other from left to "
              "right: rank 1, rank 4, rank 16, the 14 matrices, and far to the right all "
              "numbers at rate 0.001. "
              "At higher prices the order is the same.")

# %% tags=["fold"] name="forget-table"
# Each at the rate that is best for the task; then both kinds of full training at the lowest rate.
def row(name, found):
    rates = " or ".join(f"{r:g}" for r in sorted(set(found[:, 0])))
    return [name, rates, spread(before[:, 0] - found[:, 1]), spread(found[:, 2] - before[:, 1])]

def at(name, place):
    return np.array([run[name][place] for run in runs])

def gain_price(found):
    return before[:, 0] - found[:, 1], found[:, 2] - before[:, 1]

thin_kinds, slow = kinds[2:], {name: at(name, 0) for name in kinds[:2]}
for name in thin_kinds:  # seed by seed
    slow_gain, slow_price = gain_price(slow["all numbers"])
    assert (slow_gain > 1.1 * gain(name)).all()
    assert (slow_price < gain_price(best(name))[1]).all()
    assert (slow_gain > 1.1 * gain_price(at(name, 0))[0]).all()
    assert (gain_price(slow["14 matrices"])[0] > gain_price(at(name, 0))[0]).all()
low_rate = np.median([gain_price(at(name, 0)) for name in thin_kinds], axis=2)
print("adapters at 0.003, medians: gain {:.1f} to {:.1f}, price {:.2f} to {:.2f}".format(
    *(f(v) for v in low_rate.T for f in (min, max))))
print("rank 16 at 0.003: gain {}, price {}".format(*map(spread, gain_price(at("rank 16", 0)))))
for name in ("rank 1", "rank 2"):
    print(f"{name} at 0.03: gain {spread(gain_price(at(name, -1))[0])}")
Table(["trained", "rate", "gain", "price"],
      [*(row(k, best(k)) for k in kinds), *(row(k, found) for k, found in slow.items())],
      "Median and range, five seeds; each at the rate with the largest gain, and the last two rows "
      "at the lowest rate tried.")

# %% [markdown] name="forget-reading"
# **All numbers at rate 0.001 beat every adapter of the table on both counts.** They gain 1.77 nats and pay 0.56. The best adapter gains 1.46, the cheapest pays 0.64. At 0.003 the adapters pay a little less, 0.49 to 0.53, and gain far less, 1.1 to 1.4.
#
# An adapter leaves the embedding as it is. Training the 14 matrices does so too: only the form of the update differs. At 0.001 they gain 1.48 and pay 0.48. Rank 16 pays as much at 0.003, and gains 1.39.
#
# Each at its best rate, an adapter learns less and forgets less than full training, as Biderman and others saw. A lower rate in full training forgets less as well, and still learns more. This is one small model and one task.
#
# What is an adapter good for, then? Not for a lower loss, and not against forgetting. **It is good where memory is short or where one model has many tasks.** For the large model above, the training takes a quarter of the memory, and the file of a task is 330 times smaller. And whoever takes the adapter off has the old model back, number for number.
#
# An adapter needs a rate of its own. Its best one here is about three times that of full training. Three times more is too much: ranks 1 and 2 end worse than they began.
#
# ## What breaks
#
# Somebody makes the optimizer first, as always, and adds the adapters afterwards. Nothing complains.

# %% name="early"
def steps(model, optimizer, count=20):
    losses = []
    for step in range(count):
        x, y, weight = (torch.from_numpy(part) for part in batches(step))
        loss = torch.nn.functional.cross_entropy(model(x)[weight > 0], y[weight > 0])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses

early = models.pretrained().model
optimizer = torch.optim.AdamW(early.parameters(), lr=1e-2)
models.add_lora(early, rank=4)  # too late
early_losses = steps(early, optimizer)

# %% tags=["fold", "nbval-ignore-output"] name="early-table"
# Beside it the same loop with the optimizer made last.
late = models.add_lora(models.pretrained().model, rank=4)
late_optimizer = torch.optim.AdamW([p for p in late.parameters() if p.requires_grad], lr=1e-2)
late_losses = steps(late, late_optimizer)

def sees(optimizer):  # how many numbers it can move
    return sum(p.numel() for group in optimizer.param_groups for p in group["params"]
               if p.requires_grad)

assert sees(optimizer) == 0 and sees(late_optimizer) == counts["rank 4"]
assert np.mean(early_losses[-10:]) - np.mean(late_losses[-10:]) > 0.3
Table(["the optimizer is made", "it can move", "lowest and highest loss of a batch",
       "mean of the last 10"],
      [[name, sees(o), f"{min(losses):.1f} to {max(losses):.1f}", f"{np.mean(losses[-10:]):.1f}"]
       for name, o, losses in (("first", optimizer, early_losses),
                               ("last", late_optimizer, late_losses))])

# %% [markdown] name="early-reading"
# The optimizer holds the parameters that were there when it was made. `add_lora` has frozen them, so they get no gradient, and the optimizer passes over them in silence. The adapters get a gradient, and no optimizer has them. The loss goes up and down all the same: every batch has its own.
#
# The signature: the optimizer can move 0 numbers. The cure: add the adapters first, make the optimizer last, and compare the two counts before you start. The loop of this course does that for you:

# %% name="early-refused"
try:
    train(early, batches, Recipe(150), optimizers=[optimizer])
except ValueError as refused:
    print(refused)

# %% [markdown] name="merge-text"
# ## Back to one matrix
#
# An adapter costs two more products in each layer. After the training $s\, B A$ can be added into $W$, once, and the model is as fast as before:

# %% tags=["nbval-ignore-output"] name="merge"
tokens = torch.from_numpy(task_test.x[:8])
with torch.no_grad():
    apart = low(tokens)
    merged = models.merge_lora(low)(tokens)
print(f"largest difference of a logit: {(apart - merged).abs().max():.0e}, "
      f"largest logit: {apart.abs().max():.0f}")
print(f"numbers in the model: {models.parameter_count(low)}")

# %% tags=["fold"] name="merge-check"
# Equal up to rounding.
assert (apart - merged).abs().max() < 1e-3 and models.parameter_count(low) == counts["all numbers"]

# %% [markdown] name="hub-text"
# <details><summary>The same with a large model</summary>
#
# `pip install "lessons-lib[finetune]"` brings transformers and peft. The model is a folder or a name on the hub. The loop is the same; rates for large models are smaller.
#
# ```python
# hub = models.from_hub("folder/of/a/model", rank=8)
# tokenizer = hub.tokenizer.backend_tokenizer
# examples, held_out = data.docstring_task(tokenizer)
# batches = data.shuffled(data.answers(examples, 128), rows=8)
# train(hub.model, batches, Recipe(200, 2e-4), validation=data.answers(held_out, 128))
# ```
#
# </details>
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. How many numbers? (4 minutes, easy)
# `shapes` holds the pairs (out, in) of the matrices of a model. Each gets an adapter of rank `rank`. Return how many numbers are trained, as a share of the numbers in all these matrices.

# %% name="exercise-share"
def trained_share(shapes, rank):
    ### BEGIN SOLUTION
    adapters = sum(rank * (rows + columns) for rows, columns in shapes)
    return adapters / sum(rows * columns for rows, columns in shapes)
    ### END SOLUTION

# %% name="check-share"
check("trained_share")

# %% [markdown] name="exercise-step-text"
# <details><summary>Hint 1</summary>Count the numbers of the two strips in the drawing.</details>
# <details><summary>Hint 2</summary>Add up first, over all matrices, above and below. Divide once, at the end.</details>
#
# ### 2. The adapter itself (7 minutes, medium)
# One step of gradient descent. `x` (tokens, in) went into the layer, `g` (tokens, out) is the gradient of the loss by its output. Return the new `a` (rank, in) and the new `b` (out, rank). Both gradients belong to the old `a` and `b`.

# %% name="exercise-step"
def adapter_step(a, b, x, g, scale, lr):
    ### BEGIN SOLUTION
    grad_a = scale * (g @ b).T @ x
    grad_b = scale * g.T @ (x @ a.T)
    return a - lr * grad_a, b - lr * grad_b
    ### END SOLUTION

# %% name="check-step"
check("adapter_step")

# %% [markdown] name="exercise-enough-text"
# <details><summary>Hint 1</summary>The two formulas with G stand below the derivation.</details>
# <details><summary>Hint 2</summary>Check the shapes: a gradient has the shape of what it moves.</details>
#
# ### 3. Which rank would do? (8 minutes, medium)
# `update` is a matrix. Find the smallest rank at which its cut keeps at least the part `share` of its sum of squares. Then try it: `[enough(u, 0.9) for u in updates.values()]`.

# %% name="exercise-enough"
def enough(update, share):
    ### BEGIN SOLUTION
    squares = np.linalg.svd(update, compute_uv=False) ** 2
    kept = np.cumsum(squares) / squares.sum()
    return 1 + int((kept < share).sum())
    ### END SOLUTION

# %% name="check-enough"
check("enough")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>The sum of squares of a matrix is the sum of the squares of its singular values: np.linalg.svd(update, compute_uv=False).</details>
# <details><summary>Hint 2</summary>How much do the first 1, 2, 3, ... keep? np.cumsum. Count how many of these are too small.</details>
# <details><summary>What it means (after solving)</summary>Between 14 and 42, of at most 32 or 64. Judged by its squares, none of these updates is of low rank. Judged by the task, the cut at rank 4 already brings three quarters of the gain.</details>
#
# ## Takeaways
#
# - An adapter adds $s\,B A$ to a frozen weight and trains $r\,(\text{in} + \text{out})$ numbers. Two per cent of our model's numbers brought nearly two thirds of the gain.
# - An adapter sees the full gradient through $r$ windows, and the windows turn as it learns. $A$ starts at random and $B$ at 0. The optimizer is made last.
# - Use an adapter to save memory, and to keep one model for many tasks. Do not use it for a lower loss or against forgetting: all numbers at a lower rate gained more and paid less than every adapter at its best rate.
#
# ## Does it hold?
#
# The numbers of the first picture, of the table with the cuts and of the gains and prices come from recorded runs, each with another split of the functions into training and test, other batches and another random $A$:

# %% tags=["fold", "nbval-ignore-output"] name="record-shown"
# What made them.
record

# %% [markdown] name="control-rates-text"
# **Rates between.** The grids have factors of 3. Rank 4 has tried factors of 1.8:

# %% tags=["fold"] name="control-rates"
# The loss on the task at each rate.
tried = np.array([run["rank 4"] for run in runs])
Table(["rank 4, learning rate", "loss on the task", "loss on the old text"],
      [[f"{tried[0, i, 0]:g}", spread(tried[:, i, 1]), spread(tried[:, i, 2])]
       for i in range(tried.shape[1])], "Median and range, five seeds.")

# %% [markdown] name="control-end-text"
# The best rate is 0.0055 or 0.01, and between 0.003 and 0.018 the median loss on the task moves by less than 0.1 nats.
#
# **What turns, and what stands still.** First rank 1, but $A$ stays as it was drawn. Then no adapter at all: only the embedding and the norms move.

# %% tags=["fold", "nbval-ignore-output"] name="control-end"
# Rank 1 with A fixed; and everything that the adapters leave as it is.
def trial(lr, rank, free):  # free: the parts of the names that move
    torch.manual_seed(seed)
    model = models.pretrained().model
    if rank:
        models.add_lora(model, rank)
    for name, p in model.named_parameters():
        p.requires_grad_(any(part in name for part in free))
    train(model, batches, Recipe(150, lr, weight_decay=0.0))
    return np.subtract(results["before"], judged(model)) * (1, -1)

trials = {
    "rank 1, A fixed": trial(1e-2, 1, [".B"]),
    "embedding and norms": trial(5.5e-3, None, ["embed", "norm"]),
}
gained = [g for g, _ in trials.values()]
assert gained[0] < np.median(gain("rank 1")) and 1.3 * gained[0] < gained[1]
Table(["trained", "gain", "price"],
      [*([f"{k}, recorded", *map(spread, gain_price(best(k)))] for k in ("rank 1", "14 matrices")),
       *([name, f"{g:.2f}", f"{p:.2f}"] for name, (g, p) in trials.items())],
      "Recorded: median and range, five seeds. The others: one seed.")

# %% [markdown] name="control-rank-text"
# With $A$ fixed almost a quarter of the gain is lost: it helps that the windows turn. The embedding and the norms alone gain more than the 14 matrices, and these gain more than every adapter. **What the adapters of this model lack is less the rank than the embedding.**
#
# **Rank and scale.** With $\alpha = 16$ the scale is 16 at rank 1 and 1 at rank 16. The first picture therefore changes both, each time at the best of its rates.
#
# **Every matrix.** Exercise 3 for the updates of the 14 matrices:

# %% tags=["fold", "nbval-ignore-output"] name="control-rank"
# The rank at which a cut keeps nine tenths of the squares.
def nine_tenths(u):
    squares = np.linalg.svd(u, compute_uv=False) ** 2
    return int(np.searchsorted(squares.cumsum() / squares.sum(), 0.9)) + 1

need = [nine_tenths(u) for u in updates.values()]
assert min(need) > 8
print(f"ranks {min(need)} to {max(need)}")

# %% [markdown] name="sources"
# ## Sources
#
# - E. J. Hu, Y. Shen, P. Wallis, Z. Allen-Zhu, Y. Li, S. Wang, L. Wang and W. Chen, 2022: *LoRA: Low-rank adaptation of large language models*, arXiv 2106.09685.
# - D. Biderman and others, 2024: *LoRA learns less and forgets less*, Transactions on Machine Learning Research, arXiv 2405.09673.
