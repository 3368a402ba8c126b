# ---
# jupyter:
#   lesson:
#     title: "Small terms in large models"
#     question: "Add 100 to every logit, and the loss stays the same. Which part of a training run notices?"
#     minutes: 45
#     needs: [03_algorithms/02_cross_entropy, 03_algorithms/04_adam, 04_mathematics/12_rare_tokens, 05_project/02_pre_training, 05_project/03_fine_tuning]
#     settles: []
#     studies: [losses.z_loss, losses.load_balance]
#     terms: [bfloat16, shift of the logits, z-loss, soft cap, mixture of experts, router, load of an expert]
# ---

# %% [markdown] name="title"
# # Small terms in large models
#
# **Goal.** Know what the small extra terms in recipes for large models hold in place, and what each costs.
#
# **The question.** Softmax looks at differences of logits. Add 100 to every logit, and every probability stays the same. So does the loss. Which part of a training run notices?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports, the recorded runs, and the small language model.
import tracemalloc
from itertools import pairwise

import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, data, exercises, models, parity, plots, records
from lessons_lib.core import mean
from lessons_lib.derive import derive
from lessons_lib.fast.linear_cross_entropy import linear_cross_entropy
from lessons_lib.losses import (
    adaptive_cross_entropy,
    cross_entropy,
    load_balance,
    soft_cross_entropy,
    softcap,
    z_loss,
)
from lessons_lib.optim import SGD, descend
from lessons_lib.optim.balancing_bias import balancing_bias
from lessons_lib.show import Table, show

HERE = "06_applications/10_large_vocabularies_and_experts"
setting = bridge.start(device, seed, profile)
check = exercises.of(HERE)
record = records.of(HERE)
code = records.load(HERE)  # what record.py defines
runs = [record.runs[s] for s in sorted(record.runs)]

def of(name, *where):  # a row for each recorded seed
    found = []
    for run in runs:
        value = run[name]
        for k in where:
            value = value[k]
        found.append(value)
    return np.array(found)

def spread(values, form=".2f"):  # median (lowest to highest) over the seeds
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

model, tokenizer, _ = models.pretrained()
held_out = data.in_order(data.encode(tokenizer, data.corpus(seed=0).validation), 64, 48)
kept = []
model.norm.register_forward_hook(lambda module, inputs, output: kept.append(output))
with torch.no_grad():
    z = model(torch.from_numpy(held_out.x)).flatten(0, 1)
h = kept[0].flatten(0, 1)  # what the head reads: 64 numbers for each token
y = torch.from_numpy(held_out.y).flatten()

# %% tags=["fold", "nbval-ignore-output"] name="question-picture"
# The loss of the small model, with a number added to all of its logits.
shifts = [1, 3, 10, 30, 100, 200, 300, 500, 1000]

def shifted_loss(c, dtype):
    return float(mean(cross_entropy((z + c).to(dtype).float(), y)).value)

kinds = {"float32": torch.float32, "bfloat16": torch.bfloat16}
found = {k: [shifted_loss(c, kind) for c in shifts] for k, kind in kinds.items()}
exact = shifted_loss(0, torch.float32)
log_z = z.logsumexp(-1)
print(f"the model's own logits: mean {z.mean():.1f}, log Z {log_z.mean():.1f}")
print(f"loss {exact:.3f}; added in bfloat16: "
      + ", ".join(f"{a - exact:.3f} at {c}" for c, a in zip(shifts, found["bfloat16"], strict=True)
                  if c in (10, 100, 300, 1000)))
assert max(abs(a - exact) for a in found["float32"]) < 1e-3
assert found["bfloat16"][-1] - exact > 0.2 and abs(found["bfloat16"][2] - exact) < 0.02
plots.lines(shifts, found, "number added to every logit", "loss on held-out text (nats per token)",
            "Two lines over the added number. In float32 the loss stays flat. In bfloat16 it is "
            "flat up to about 100 and then rises steeply.", log="x")

# %% [markdown] name="question-reading"
# These are the logits of [our small language model](../05_project/02_pre_training.ipynb) on pages of Python's documentation that it has not seen (PSF licence). In float32 the added number leaves the loss alone. In bfloat16 the loss rises by 0.1 nats at 300 and by 0.4 at 1000.
#
# **bfloat16** is a number format of 16 bits, in which large models compute most products; it keeps 8 binary digits. Between 64 and 128 its neighbours are 0.5 apart, between 512 and 1024 they are 4 apart. Two logits that differ by less can become the same number.
#
# The same number added to all logits is called the **shift of the logits**. Move it. From which shift on do the probabilities come in steps? And do they get worse evenly?

# %% tags=["fold", "nbval-ignore-output"] name="play-picture"
# The six most likely next tokens at one place, their logits shifted and rounded to bfloat16.
place = int((z.softmax(-1).max(-1).values - 0.3).abs().argmin())
likely = z[place].argsort(descending=True)[:6]
words = [tokenizer.decode([int(t)]).strip() or "(space)" for t in likely]
right = z[place].softmax(-1)[likely].numpy()
fig, (ax,) = plots.panels()
ax.set(xlabel="next token", ylabel="probability", xticks=range(6), ylim=(0, 0.8))
ax.set_xticklabels([repr(w) for w in words])
ax.bar([0], [0], color="C0", label="logits in bfloat16")
ax.plot([], [], "k_", ms=16, mew=2, label="exact")
ax.legend()

def at_shift(ax, c):
    p = (z[place] + c).bfloat16().double().softmax(-1)[likely].numpy()
    ax.bar(range(6), p, color="C0")
    ax.plot(range(6), right, "k_", ms=16, mew=2)
    return (f"Shift {c}: neighbours in bfloat16 are {2.0 ** (np.floor(np.log2(max(c, 8))) - 7):g} "
            f"apart, and the largest error of a probability is {np.abs(p - right).max():.2f}.")

plots.moving(
    fig, "shift of the logits", [*range(0, 100, 10), *range(100, 400, 20), *range(400, 1001, 100)],
    at_shift, start=200,
    alt="Six bars, the probabilities of the likeliest tokens, with a mark for the exact value. "
    "With a shift of 200 several bars are equally high and miss their marks.",
)

# %% [markdown] name="who-text"
# At large shifts neighbouring tokens share one height, because their logits have become one number. The error jumps: it depends on how the logits happen to fall onto the grid.
#
# ## Who moves the logits?
#
# Would a training ever shift them? The slope of [cross-entropy](../03_algorithms/02_cross_entropy.ipynb) is prediction minus label. Both sum to 1 over the $V$ words, so the slopes of one token sum to 0:
#
# $$\sum_{k=1}^{V} \left( p_k - y_k \right) = 0$$
#
# The head has a row of weights $\theta_k$ for each word, and the logit is $z_k = \theta_k \cdot h$. A step of gradient descent adds nothing to the sum of the rows. So it never changes the mean row, and with a frozen body never the *mean logit*, the mean over the words. And Adam? It divides each weight's gradient by a number of its own. Here are both steps from a head of zeros:

# %% name="first-step"
theta = torch.zeros(512, 64)
g = cross_entropy(h @ theta.T, y).grad.T @ h / len(y)
for name, step in (("gradient descent", g), ("Adam", torch.sign(g))):  # Adam's first step
    left = step.sum(0).norm() / step.abs().sum(0).norm()
    print(f"{name}: added over the words, {left:.1%} of the movement is left")

# %% tags=["fold", "nbval-ignore-output"] name="who-picture"
# Recorded: the head trained from zeros on the frozen body, five seeds.
steps = np.arange(0, code["STEPS"] + 1, code["EVERY"])
rules = list(code["RATES"])
path = {rule: of("head", rule) for rule in rules}  # (seeds, times, 3)
for rule in rules:
    print(f"{rule}: mean logit {spread(path[rule][:, -1, 0] + 0.0)}, "
          f"log Z {spread(path[rule][:, -1, 1])}, loss {spread(path[rule][:, -1, 2])} nats")
assert np.abs(path["gradient descent"][..., 0]).max() < 1e-3
assert path["Adam"][:, -1, 0].max() < -1 and np.abs(path[rules[2]][..., 0]).max() < 1e-2
plots.side_by_side(
    steps, {r: plots.band(path[r][..., 0]) for r in rules},
    {r: plots.band(path[r][..., 1]) for r in rules}, "step", ("mean logit", "log Z"),
    "Left: the mean logit stays at zero with gradient descent and with Adam that has one divisor "
    "for all words; with Adam it falls steadily. Right: in the long run log Z rises with all "
    "three.",
)

# %% [markdown] name="who-reading"
# With gradient descent the mean logit stays at 0. With Adam it falls, and goes on falling. The cause is the divisor of each word: give all words one common divisor, and the mean stands still again (third line). Most words are [rare](../04_mathematics/12_rare_tokens.ipynb). A word that does not occur in a batch is pushed down a little. Adam makes these small pushes as long as the large ones of the frequent words.
#
# The right side shows a second drift. Write $Z = \sum_k e^{z_k}$. Its logarithm grows even with the mean at rest, because a confident model needs logits far apart. So there are two drifts: one that the loss does not see, and one that it wants.
#
# In this small model they stay small: log Z is 10, where bfloat16 costs next to nothing. PaLM and its successors trained for far longer, and their recipes hold log Z by a term of its own.
#
# ## A bowl across the valley
#
# The **z-loss** adds $w\,(\log Z)^2$ to the loss of each token, with a small weight $w$. Here is what it does to a loss with two logits.

# %% tags=["fold", "nbval-ignore-output"] name="bowl-picture"
# Paths of gradient descent with two logits, without and with the z-loss.
target = np.array([0.8, 0.2])
axis = np.linspace(-4, 4, 81)
grid = np.stack(np.meshgrid(axis, axis), -1)
fig, axes = plots.panels(2)
begins = [np.array(b) for b in ((3.5, 2.0), (-2.0, 3.0), (-1.5, -3.5), (2.5, -3.0))]
for ax, w, title in zip(axes, (0.0, 0.1), ("cross-entropy", "with z-loss, w = 0.1"), strict=True):
    height = soft_cross_entropy(grid, np.broadcast_to(target, grid.shape)).value
    height = height + z_loss(grid, w).value
    ax.contour(axis, axis, np.log10(height - height.min() + 1e-2), 14, cmap="cividis", alpha=0.6)
    trails = {}
    for n, begin in enumerate(begins):
        trails[n] = descend(begin, SGD(0.3), lambda a, w=w: soft_cross_entropy(a, target).grad
                            + z_loss(a, w).grad, 150)
    for trail in trails.values():
        ax.plot(*np.transpose(trail), "-", color="C1", lw=2)
        ax.plot(*trail[0], "o", color="C1", mfc="none")
        ax.plot(*trail[-1], "s", color="C3", ms=6)
    if w:
        ends = np.array([trail[-1] for trail in trails.values()])
        ax.plot(*np.log(target), "k*", ms=13, zorder=5)
    ax.set(xlabel="logit of cat", ylabel="logit of dog", title=title, aspect="equal",
           xlim=(-4, 4), ylim=(-4, 4))
assert np.abs(np.exp(ends).sum(1) - 1).max() < 0.1
plots.Picture(fig, "Contours of two losses over two logits, with four paths each. Left: straight "
              "parallel lines, a valley; the four paths run across it and stop at four places. "
              "Right: closed curves, a bowl; the paths bend to one point, the star.")

# %% [markdown] name="derive-text"
# Circles are starts, red squares are ends. Left, cross-entropy is a valley. Each run stops on its floor wherever it arrives. Right, all runs turn towards one point: there each logit is the logarithm of its probability (star).
#
# ## Derivation: how strong is the pull?
#
# Shift all logits of one token by $c$. What is the slope of the sum of both losses by $c$?

# %% tags=["fold"] name="derive-z"
# The slope by the shift, tied to the library's two losses.
C, i, j = sp.symbols("C i j", integer=True, positive=True)
w_ = sp.Symbol("w", positive=True)
c_ = sp.Symbol("c", real=True)
z_, y_ = sp.IndexedBase("z"), sp.IndexedBase("y")
(
    derive(r"\ell + r", "log(Sum(exp(z[j] + c), (j, 1, C))) - Sum(y[i] * (z[i] + c), (i, 1, C))"
           " + w * log(Sum(exp(z[j] + c), (j, 1, C)))**2",
           "cross-entropy and z-loss of the shifted logits, for $C$ classes",
           {"C": C, "i": i, "j": j, "w": w_, "c": c_, "z": z_, "y": y_}, {C: (2, 3)},
           simplex=[y_])
    .equals("log(Sum(exp(z[j]), (j, 1, C))) - Sum(y[i] * z[i], (i, 1, C))"
            " + w * (c + log(Sum(exp(z[j]), (j, 1, C))))**2",
            r"$e^c$ leaves the sum, so $\log Z$ grows by $c$; the $y_i$ sum to 1: in "
            "**cross-entropy the shift cancels**, in the z-loss it stays")
    .slope(c_, "2 * w * (c + log(Sum(exp(z[j]), (j, 1, C))))",
           "**a spring**: twice the weight, times how far $\\log Z$ is from 0")
    .library("(soft_cross_entropy(z + c, y).grad + z_loss(z + c, w).grad).sum()",
             lambda z, y, w, c: (soft_cross_entropy(z + c, y).grad
                                 + z_loss(z + c, float(w)).grad).sum(), each=True)
    .zero_at(c_, "-log(Sum(exp(z[j]), (j, 1, C)))", r"the shift at which $\log Z = 0$")
)

# %% [markdown] name="code-text"
# The spring acts through the likely words, since the slope of $\log Z$ by $z_k$ is $p_k$:

# %% name="code"
show(z_loss)

# %% [markdown] name="weights-text"
# What does it cost? We train the small model on for 100 steps, with five weights:

# %% tags=["fold", "nbval-ignore-output"] name="weights-table"
# Recorded: the base model trained on with the z-loss, five seeds; held-out text.
tuned = of("tuned")  # (seeds, weights, 3)
price = tuned[..., 2] - tuned[:, :1, 2]
rows = [[f"{w:g}", spread(tuned[:, n, 1]), spread(tuned[:, n, 0]), spread(price[:, n], ".3f")]
        for n, w in enumerate(code["WEIGHTS"])]
assert (np.diff(tuned[..., 1], axis=1) < 0.05).all() and tuned[:, 4, 1].max() < 4
assert price[:, 4].min() > 0.2 and np.abs(price[:, 1:3]).max() < 0.02
Table(["weight w", "log Z", "mean logit", "cross-entropy above w = 0 (nats)"], rows,
      "Median, and lowest to highest of five orders of the text.")

# %% [markdown] name="cap-text"
# The weight 0.0001 is PaLM's. In 100 steps it moves log Z by 0.03 only and costs nothing: it is made for runs of many thousands of steps, in which a slow pull adds up. A weight of 0.1 brings log Z down to 2.5, and the cross-entropy is 0.5 nats higher after these 100 steps. Look at the third column, too. To bring log Z to 0 the logits must become *more* negative, since each of them is to be the logarithm of a small probability.
#
# ## A wall instead of a spring
#
# Gemma 2 holds its logits in another way. The **soft cap** $a$ bends each logit smoothly into the range from $-a$ to $a$:
#
# $$a \tanh \frac{z}{a}, \qquad \text{with the slope } 1 - \tanh^2 \frac{z}{a}$$

# %% tags=["fold"] name="cap-picture"
# A logit under two caps, and its slope.
line = np.linspace(-90, 90, 181)
plots.shape(line, {"cap 30": softcap(line, 30.0), "cap 10": softcap(line, 10.0)},
            "logit before the cap", ylabel="capped logit",
            alt="Left: two curves through 0, which bend and level off at 30 and at 10. Right: "
            "their slopes, two hills that are 1 at 0 and nearly 0 beyond twice the cap.")

# %% [markdown] name="cap-reading"
# Left the value, right the slope. Small logits pass unchanged. Beyond twice the cap the slope is under 0.08, so a logit there hardly learns any more. A cap needs no weight and adds no term to the loss. But it changes the model.
#
# ## What breaks
#
# So a cap belongs to the model like a layer. Code that runs a model with another cap than in training computes another model, and nothing complains. This happened when Gemma 2 was new: programs left its cap out. We make the same mistake the other way round. Our model was trained without a cap:

# %% name="breaks"
rows = [["none", exact, "0 %"]]
for cap in (30.0, 20.0, 10.0, 5.0):
    capped = softcap(z, cap).value
    other = (capped.softmax(-1) - z.softmax(-1)).abs().sum(-1).mean() / 2
    rows.append([f"{cap:g}", float(mean(cross_entropy(capped, y)).value), f"{other:.1%}"])
Table(["cap", "loss (nats per token)", "probability moved to other tokens"], rows)

# %% tags=["fold"] name="breaks-check"
# The loss rises from cap to cap.
assert rows[-1][1] - exact > 0.3 and abs(rows[1][1] - exact) < 0.05

# %% [markdown] name="large-text"
# A cap of 30 hardly matters here, since few logits come near it. A cap of 10 costs 0.15 nats, one of 5 costs 0.9. The signature is a loss that is too high from the first step on, without any error message. The cure: keep the cap in the model's configuration, and compare one batch of logits with those of the training code.
#
# ## Large vocabularies
#
# The logits have a second problem, their number. Each token has one for each word of the vocabulary:

# %% name="memory"
for tokens, vocabulary in ((1024, 512), (8192, 32_000), (8192, 262_144)):
    size = tokens * vocabulary * 4 / 2**30  # 4 bytes for each number in float32
    print(f"{tokens} tokens x {vocabulary} words: {size:.3f} GiB")

# %% [markdown] name="chunks-text"
# Their gradient needs as much again. But only one number and two small gradients are wanted in the end. `linear_cross_entropy` computes the logits for a few tokens at a time, uses them and forgets them:

# %% tags=["fold", "nbval-ignore-output"] name="chunks"
# Peak memory and result, whole and in pieces, 512 tokens and 4096 words.
rng = np.random.default_rng(seed)
features, weight = rng.normal(size=(512, 16)), rng.normal(size=(4096, 16))
labels = rng.integers(0, 4096, 512)

def peak(call):
    tracemalloc.start()
    value = call()
    most = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return float(value), most

tried = {"whole": peak(lambda: mean(cross_entropy(features @ weight.T, labels)).value)}
for size in (128, 16):
    tried[f"{size} tokens at a time"] = peak(
        lambda size=size: linear_cross_entropy(features, weight, labels, rows=size).value)
assert np.ptp([v for v, _ in tried.values()]) < 1e-9
assert tried["16 tokens at a time"][1] < tried["whole"][1] / 5
Table(["", "loss", "peak memory (MiB)"],
      [[k, f"{a:.6f}", f"{b:.0f}"] for k, (a, b) in tried.items()])

# %% [markdown] name="adaptive-text"
# The loss is the same, and the memory falls with the piece. Only the memory: every logit is still computed.
#
# To compute fewer logits one needs another model. Let the frequent words stand alone and put the rare ones into clusters. First predict the word or its cluster, then the word within the cluster:
#
# $$p(k) = p(\text{cluster of } k) \cdot p(k \mid \text{cluster})$$
#
# The minus logarithm of a product is a sum. So this loss is a sum of two cross-entropies, `adaptive_cross_entropy`, and a token in no cluster needs the first one only. How many logits does a token need on average, in a text with 2048 words?

# %% name="adaptive"
text = data.words(seed, 2048)
f = np.bincount(text.ids[text.ids < 2047], minlength=2048) / (text.ids < 2047).sum()
rows = [["full softmax", "", 2048]]
for cutoffs in ([32], [128], [512], [96, 512]):
    edges = [*cutoffs, 2048]
    sizes = [b - a for a, b in pairwise(edges)]
    shares = [f[a:b].sum() for a, b in pairwise(edges)]
    needed = cutoffs[0] + len(sizes) + np.dot(shares, sizes)
    rows.append([str(cutoffs), f"{f[:cutoffs[0]].sum():.0%}", round(float(needed))])

# %% tags=["fold", "nbval-ignore-output"] name="adaptive-table"
# The table, and the two-stage loss by hand.
two = rng.normal(size=8)  # 2 words, 2 clusters; then the words of the clusters, 2 each
p_cluster, p_word = np.exp(two[3]) / np.exp(two[:4]).sum(), np.exp(two[7]) / np.exp(two[6:]).sum()
by_library = float(adaptive_cross_entropy(two, np.array(5), [2, 4]).value)
assert abs(by_library + np.log(p_cluster * p_word)) < 1e-12
assert min(r[2] for r in rows[1:]) < 1100
Table(["cutoffs", "share of the text in the words that stand alone", "logits a token"], rows)

# %% [markdown] name="experts-text"
# The table counts them for several cutoffs: the first number is how many words stand alone, each further one begins the next cluster. A few hundred words cover most of the text, so most tokens stop after the first stage. Large models such as Gemma 2 keep the full softmax. Computed in pieces it fits into memory.
#
# ## Experts
#
# A **mixture of experts** is a layer with several small networks, the experts, of which each token uses only one or a few. The **router** is a linear map that gives each token a probability for each expert; the token goes to the likeliest one. The **load of an expert** is the share of the tokens that it gets.
#
# Our experts are eight linear classifiers for handwritten digits (UCI, scikit-learn's copy, CC BY 4.0). They read six principal components and a seventh number, which is 3 for every picture. The answer of the chosen expert is multiplied by its probability $p$; through it the router learns.

# %% tags=["fold", "nbval-ignore-output"] name="experts-picture"
# Three trainings with this seed: nothing, a balance loss with weight 1, a bias with rate 0.01.
shares, *_ = code["mixture"](seed, [0.0, 1.0, 0.0], [0.0, 0.0, 0.01])
fig, axes = plots.panels(3)
titles = ("nothing", "balance loss, 1", "bias, 0.01")
for n, (ax, title) in enumerate(zip(axes, titles, strict=True)):
    image = shares[:, n].reshape(50, 5, 8).mean(1).T.numpy()
    drawn = ax.imshow(image, aspect="auto", cmap="viridis", vmin=0, vmax=0.6,
                      extent=(0, 250, 8.5, 0.5), interpolation="nearest")
    ax.set(xlabel="step", title=title, yticks=range(1, 9))
    ax.grid(False)
axes[0].set_ylabel("expert")
fig.colorbar(drawn, ax=axes, label="load (share of the batch)")
late = shares[-50:].mean(0)
assert late[0].max() > 1.3 * late[1:].max()
plots.Picture(fig, "Three images: a row for each expert, time to the right, colour the load. "
              "Without any term a few rows are bright and the others dark. With the balance "
              "loss all rows take nearly the same colour. With the bias the colours "
              "change in time.")

# %% [markdown] name="balance-text"
# Without any term a few experts get nearly everything, and most of the others are dead. A dead expert gets no tokens, so no gradient, so it never improves. Two small terms change this. The *balance loss* adds
#
# $$L = E \sum_{e=1}^{E} f_e P_e$$
#
# for $E$ experts, where $f_e$ is the load of expert $e$ and $P_e$ the mean of its probability. The *bias* adds a number $b_e$ to each probability, only to choose the expert. After each batch $b_e$ rises by a rate if the expert had too few tokens, and falls if it had too many. It stands in no loss, so no gradient comes from it. The pictures differ: under the balance loss the loads are even and quiet, under the bias they swing.
#
# ## Derivation: why even is best
#
# Expert $e$ gets $n_e$ of $N$ tokens, so $f_e = n_e / N$. Let the router give a share $s$ of each token's probability to its own expert, and spread the rest evenly over all $E$ experts, that one included. The number $s$ between 0 and 1 says how sure it is.

# %% tags=["fold"] name="derive-balance"
# The balance loss, tied to the library.
E, e = sp.symbols("E e", integer=True, positive=True)
s_, n_ = sp.Symbol("s", positive=True), sp.IndexedBase("n", integer=True, positive=True)

def tokens(n, s):  # logits of sum(n) tokens, n[e] of which go to expert e
    return np.log(s * np.repeat(np.eye(len(n)), n, axis=0) + (1 - s) / len(n))

total = "Sum(n[j], (j, 1, E))"
(
    derive("L", f"E * Sum(n[e] * ((1 - s) / E + s * n[e] / {total}) / {total}, (e, 1, E))",
           "the balance loss; the mean probability is $P_e = (1 - s) / E + s f_e$",
           {"E": E, "e": e, "j": j, "n": n_, "s": s_}, {E: (2, 3, 4)}, ranges={s_: (0.1, 0.9)},
           tex=r"E \sum_{e=1}^{E} f_e \left( \frac{1 - s}{E} + s f_e \right)")
    .equals(f"1 + s * Sum((E * n[e] - {total})**2, (e, 1, E)) / (E * {total}**2)",
            "the $f_e$ sum to 1, and $\\sum_e f_e^2 = 1/E + \\sum_e (f_e - 1/E)^2$: **one, plus "
            "the squared distances from an even load**",
            tex=r"1 + s E \sum_{e=1}^{E} \left( f_e - \frac{1}{E} \right)^2")
    .library("load_balance(z).value", lambda n, s: load_balance(tokens(n, s)).value, each=True)
    .at_least("1", "squares are not negative; an even load alone gives 1")
)

# %% [markdown] name="price-text"
# If the tokens of an expert are less sure than others, the value can fall a little below 1. The gradient goes through $P$ alone, since $f$ counts. It is $\frac{E}{N}\, p_e \left( f_e - \sum_j f_j p_j \right)$ for the router's logit of one token: **it pushes tokens away from experts with much load.**

# %% name="experts-code"
show(load_balance, balancing_bias)

# %% [markdown] name="pay-text"
# And what does the task pay?

# %% tags=["fold", "nbval-ignore-output"] name="price-picture"
# Recorded: five seeds; test loss against the load of the busiest expert.
by_weight, by_rate = of("weights"), of("rates")  # (seeds, settings, 3)
rows = [[name, *(spread(part[:, k], form) for k, form in ((1, ".2f"), (2, ".0f"), (0, ".2f")))]
        for names, block in (([f"weight {w:g}" for w in code["BALANCE"]], by_weight),
                             ([f"bias, rate {r:g}" for r in code["PUSH"]], by_rate))
        for name, part in zip(names, np.moveaxis(block, 1, 0), strict=True)]
Table(["", "load of the busiest", "experts with under 1 %", "test loss (nats)"], rows,
      "Even would be 0.125. Median, and lowest to highest of five seeds.")

# %% [markdown] name="price-reading"
# Without any term one expert gets two thirds of the pictures. The first weights change little. From 0.3 on no expert is dead, and the test loss is no higher than without the term: the medians lie between 0.54 and 0.60, the ranges overlap. The bias evens the load too, from a rate of 0.01 on. At 0.003 it is too slow: the tokens are still on the move after 250 steps, and the loss is far higher.
#
# The task loss alone did not see the dead experts: with two to four at work it was as low as with eight. That is why somebody else must hold them.

# %% [markdown] name="parity-text"
# ## Parity
#
# Values and slopes of the four losses agree with PyTorch's operations to rounding.

# %% tags=["fold-all", "nbval-ignore-output"] name="parity-z"
# Parity with PyTorch: the z-loss.
parity.table("z_loss", setting.device)

# %% tags=["fold-all", "nbval-ignore-output"] name="parity-cap"
# Parity with PyTorch: the soft cap.
parity.table("softcap", setting.device)

# %% tags=["fold-all", "nbval-ignore-output"] name="parity-adaptive"
# Parity with PyTorch: the two-stage loss.
parity.table("adaptive_cross_entropy", setting.device)

# %% tags=["fold-all", "nbval-ignore-output"] name="parity-balance"
# Parity with PyTorch: the balance loss.
parity.table("load_balance", setting.device)

# %% [markdown] name="exercises"
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. The floor under a cap (5 minutes, medium)
# All logits lie between `-cap` and `cap`, and the vocabulary has `words` words. What is the smallest cross-entropy that one token can reach? (With a cap of 5 and 262 144 words, guess first.)

# %% name="exercise-floor"
def floor(cap, words):
    ### BEGIN SOLUTION
    return np.log(1 + (words - 1) * np.exp(-2 * cap))
    ### END SOLUTION

# %% name="check-floor"
check("floor")

# %% [markdown] name="exercise-blocks-text"
# <details><summary>Hint 1</summary>The right word has the largest logit allowed, all others the smallest.</details>
# <details><summary>Hint 2</summary>Divide numerator and denominator of the right word's probability by the exponential of the cap.</details>
# <details><summary>What it means (after solving)</summary>With a cap of 5 and 262 144 words the floor is 2.6 nats: the model can never be sure. With 30 it is far below rounding.</details>
#
# ### 2. log Z in blocks of words (8 minutes, hard)
# The pieces above are cut between tokens. One can also cut between words. `blocks` is a list of arrays, the logits of $N$ tokens for some words each: the first has the shape `(N, n1)`, the second `(N, n2)` and so on. Go through the list once, never join two blocks, and return $\log Z$ over all words, shape `(N,)`. Logits can be near 1000.

# %% name="exercise-blocks"
def log_z_of_blocks(blocks):
    ### BEGIN SOLUTION
    total = -np.inf
    for z in blocks:
        for column in z.T:
            total = np.logaddexp(total, column)
    return total
    ### END SOLUTION

# %% name="check-blocks"
check("log_z_of_blocks")

# %% [markdown] name="exercise-batches-text"
# <details><summary>Hint 1</summary>Keep the logarithm of the sum so far. Before the first word the sum is 0.</details>
# <details><summary>Hint 2</summary>np.logaddexp(a, b) is log(exp(a) + exp(b)), without overflow.</details>
#
# ### 3. How fast does the bias even the load? (8 minutes, medium)
# `scores` holds the router's probabilities for a batch, shape `(N, E)`. Start with a bias of 0. Choose the expert of each token by score plus bias and count the loads. Is the largest load at most `limit` times the mean load? Then return how many times you have changed the bias. If not, change it once by `rate`, as described above, and count again. Give up after `most` changes and return `most`. Then try several rates: is a larger one always faster?

# %% name="exercise-batches"
def changes(scores, rate, limit, most):
    ### BEGIN SOLUTION
    bias = np.zeros(scores.shape[1])
    for step in range(most):
        load = np.bincount(np.argmax(scores + bias, 1), minlength=len(bias))
        if load.max() <= limit * load.mean():
            return step
        bias = bias + rate * np.sign(load.mean() - load)
    return most
    ### END SOLUTION

# %% name="check-batches"
check("changes")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>np.bincount(chosen, minlength=E) counts, and keeps a place for an expert without tokens.</details>
# <details><summary>Hint 2</summary>np.sign(load.mean() - load) is the direction of each expert's bias.</details>
# <details><summary>What it means (after solving)</summary>A small rate needs many batches. A large one throws the tokens from expert to expert and may never settle.</details>
#
# ## Takeaways
#
# - Cross-entropy does not see the shift of the logits. Adam moves it, and bfloat16 suffers from it. The z-loss pulls $\log Z$ back to 0, and the soft cap limits each logit.
# - A task loss does not see dead experts. A balance loss or a bias evens the load.
# - Do not add a z-loss or a cap to a model whose log Z is small and at rest: ours is at 10, where bfloat16 costs 0.001 nats. And never change the cap of a trained model.
#
# ## Does it hold?
#
# **Is it the seventh number?** The same training without it, and with other learning rates:

# %% tags=["fold", "nbval-ignore-output"] name="control-experts"
# Recorded: the router without the shared number, and at two other rates.
flat, other = of("nothing shared"), of("lr")
rows = [["no term, nothing shared", "0.02", *(spread(flat[:, k], ".2f") for k in (1, 0))]]
for n, lr in enumerate((0.01, 0.04)):
    for m, name in enumerate(("no term", "weight 0.1", "bias, rate 0.01")):
        rows.append([name, f"{lr:g}", *(spread(other[:, n, m, k], ".2f") for k in (1, 0))])
assert flat[:, 1].max() < 0.45 and by_weight[:, 0, 1].min() > 0.5
Table(["", "learning rate", "load of the busiest", "test loss (nats)"], rows)

# %% [markdown] name="control-bias-text"
# With nothing shared the busiest expert gets a quarter instead of two thirds. So the seventh number drives the collapse: it lets the router prefer one expert for all pictures at once. At half and at twice the learning rate the loads come in the same order. All three trainings end lower at the rate 0.04; the table above compares them at one rate.
#
# **The library's bias.** One change of it, for four experts with 10, 20, 30 and 40 tokens:

# %% tags=["fold"] name="control-bias"
# The library's rule, and the provenance of the record.
print(balancing_bias(np.zeros(4), np.array([10, 20, 30, 40]), 0.01))

# %% tags=["fold", "nbval-ignore-output"] name="control-record"
# Where the recorded numbers come from.
record

# %% [markdown] name="sources"
# ## Sources
#
# - A. Chowdhery and others, 2022: *PaLM: Scaling language modeling with Pathways*, arXiv 2204.02311 (z-loss).
# - B. Zoph and others, 2022: *ST-MoE: Designing stable and transferable sparse expert models*, arXiv 2202.08906 (the z-loss on a router's logits).
# - M. Wortsman and others, 2023: *Small-scale proxies for large-scale Transformer training instabilities*, arXiv 2309.14322 (logits that drift to very negative numbers).
# - Gemma Team, 2024: *Gemma 2: Improving open language models at a practical size* (soft caps).
# - E. Wijmans, B. Huval, A. Hertzberg, V. Koltun and P. Krähenbühl, 2024: *Cut your losses in large-vocabulary language models*.
# - E. Grave, A. Joulin, M. Cissé, D. Grangier and H. Jégou, 2017: *Efficient softmax approximation for GPUs*, arXiv 1609.04309 (the two-stage loss).
# - W. Fedus, B. Zoph and N. Shazeer, 2022: *Switch Transformers*, arXiv 2101.03961 (balance loss).
# - L. Wang, H. Gao, C. Zhao, X. Sun and D. Dai, 2024: *Auxiliary-loss-free load balancing strategy for mixture-of-experts*, arXiv 2408.15664 (bias).
