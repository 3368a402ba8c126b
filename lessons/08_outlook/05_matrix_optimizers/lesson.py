# ---
# jupyter:
#   lesson:
#     title: "Matrix optimizers"
#     question: "Muon, Shampoo and SOAP come from three ideas. How different are their steps?"
#     minutes: 50
#     needs: [04_mathematics/06_inside_adam, 04_mathematics/10_the_auto_encoder, 05_project/04_low_rank_adaptation, 05_project/07_which_optimizer]
#     settles: []
#     studies: [optim.Muon, optim.Shampoo, optim.SOAP]
#     terms: [spectral norm, Shampoo, SOAP]
# ---

# %% [markdown] name="title"
# # Matrix optimizers
#
# **Goal.** See what changes when an optimizer treats a weight matrix as a matrix and not as a list of numbers.
#
# **The question.** Muon, Shampoo and SOAP come from three ideas. How different are their steps?
#
# - [Muon](../05_project/07_which_optimizer.ipynb) (2024) averages the gradients and sets all singular values of the average to about 1.
# - **Shampoo** (2018) is [AdaGrad](../03_algorithms/12_adaptive.ipynb) with matrices: it multiplies the gradient from the left and from the right by an inverse root of what the gradients were so far.
# - **SOAP** (2024) is [Adam](../03_algorithms/04_adam.ipynb) in other axes: it turns the gradient, takes Adam's step there, and turns the step back.
#
# Each gets the same gradient, that of one 64 x 64 matrix in the attention of our pre-trained model. The text is Python's own documentation (PSF licence).

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports, and the recorded runs.
import time
from itertools import combinations

import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, data, exercises, models, plots, records, training
from lessons_lib.derive import derive
from lessons_lib.optim import SOAP, Adam, Muon, Shampoo, descend, qk_clip
from lessons_lib.optim.muon import newton_schulz
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("08_outlook/05_matrix_optimizers")
record, made = (f("08_outlook/05_matrix_optimizers") for f in (records.of, records.load))

def spread(values, form=".3f"):  # median (lowest to highest) over the seeds
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

def strengths(x):
    return np.linalg.svd(x, compute_uv=False)

# %% tags=["fold"] name="gradients"
# Ten gradients, one per batch of 8 x 64 tokens, of the inner matrices of the last layer.
base = models.pretrained()
ids = data.encode(base.tokenizer, data.corpus(seed=0).train)
batches = data.windows(ids, 64, 8, seed)
inner = {n.split(".")[-2]: p for n, p in base.model.named_parameters()
         if n.startswith("layers.1") and p.ndim == 2}
drawn = {name: [] for name in inner}
for k in range(10):
    x, y, _ = map(torch.from_numpy, batches(k))
    loss = training.token_loss(base.model(x).flatten(0, 1), y.flatten()).mean()
    for name, g in zip(inner, torch.autograd.grad(loss, [*inner.values()]), strict=True):
        drawn[name].append(g.double().numpy())
gradients = drawn["q_proj"]

# %% name="steps"
def last_step(rule, gradients):  # the step of learning rate 1 after these gradients
    zero = np.zeros_like(gradients[0])
    state = rule.init(zero)
    for g in gradients:
        moved, state = rule.update(zero, g, state)
    return -moved

def cosine(a, b):  # 1: the same direction
    return (a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b)

# Adam's averages are as slow as SOAP's; eps, which guards against dividing by 0, is nearly 0.
rules = {"Adam": Adam(1.0, 0.95, 0.95), "Muon": Muon(1.0, weight_decay=0.0),
         "Shampoo": Shampoo(1.0, beta=0.95, eps=1e-14),
         "SOAP": SOAP(1.0, weight_decay=0.0, eps=1e-12)}
needed = {"SOAP": 2}  # SOAP makes no step with its first gradient: it gets the same one twice
single = {k: last_step(rule, gradients[:1] * needed.get(k, 1)) for k, rule in rules.items()}

# %% tags=["fold", "nbval-ignore-output"] name="question-picture"
# The gradient, and the step that each rule makes of it.
fig, axes = plots.panels(5, sharey=True)
fig.set_size_inches(11.5, 2.9)
for ax, (name, v) in zip(axes, {"gradient": gradients[0], **single}.items(), strict=True):
    most = 3 * np.sqrt((v**2).mean())
    ax.imshow(v, cmap="RdBu_r", vmin=-most, vmax=most, interpolation="nearest")
    ax.grid(False)
    ax.set(title=name, xlabel="input", ylabel="output" if ax is axes[0] else "")
for name, v in {"gradient": gradients[0], **single}.items():
    s = strengths(v)
    print(f"{name}: singular values {s[0]:.3g} to {s[-1]:.2g};",
          f"cosine with Shampoo's step {cosine(v, single['Shampoo']):.3f}")
s = strengths(gradients[0])
assert s[0] > 150 * s[-1] and abs(strengths(single["SOAP"]) - 1).max() < 0.01
assert 1 - cosine(single["Muon"], single["Shampoo"]) < 0.06
assert 1 - cosine(single["SOAP"], single["Shampoo"]) < 0.001
assert 0.2 < cosine(single["Adam"], single["Shampoo"]) < 0.75
plots.Picture(fig, "Five images of 64 x 64 numbers in blue and red. The gradient has dark rows and "
    "columns. Adam's step has only two colours. The steps of Muon, Shampoo and SOAP show the same "
    "even pattern, dot for dot.")

# %% [markdown] name="question-reading"
# The last three are one step. Shampoo's and SOAP's agree to three digits, and Muon's has a cosine of 0.98 with them. The gradient's singular values fall by a factor of more than a thousand; in the step of Shampoo and of SOAP all are 1. Adam goes another way: its first step is the sign of each entry, so it has two colours. Colours range over three times the root mean square of each image.
#
# Three ideas, one step. Why?
#
# ## The idea, drawn
#
# A gradient alone gives no best step: a longer one always promises more. One must say what a step of size 1 is. The gain that a step $u$ promises is the product with the gradient $g$, entry times entry:
#
# $$\langle g, u \rangle = \sum_{ij} g_{ij}\, u_{ij}$$
#
# Here are all steps of size up to 1, for three ways to measure the size. We draw matrices with only two different numbers, $a$ on the diagonal and $b$ beside it. Their singular values are $|a + b|$ and $|a - b|$.

# %% tags=["fold"] name="balls-picture"
# Three unit balls among the matrices [[a, b], [b, a]], one gradient, and the best step in each.
fig, axes = plots.panels(3, sharey=True)
fig.set_size_inches(10.2, 3.6)
c, d = np.cos(np.radians(25)), np.sin(np.radians(25))
g = np.array([[c, d], [d, c]])
round_ = np.linspace(0, 2 * np.pi, 200)
edges = {"largest entry": (np.array([1, 1, -1, -1, 1]), np.array([1, -1, -1, 1, 1])),
         "length": (np.cos(round_) / 2**0.5, np.sin(round_) / 2**0.5),
         "largest singular value": (np.array([1, 0, -1, 0, 1]), np.array([0, 1, 0, -1, 0]))}
exact = Muon(1.0, weight_decay=0.0, ns_coefficients=(1.5, -0.5, 0.0), ns_steps=40)
found = {"largest entry": last_step(Adam(1.0, 0.0, 0.0), [g]), "length": g / np.linalg.norm(g),
         "largest singular value": last_step(exact, [g])}
for ax, (name, edge) in zip(axes, edges.items(), strict=True):
    u = found[name]
    ax.fill(*edge, color="0.88")
    ax.plot(*edge, color="0.4", lw=1)
    ax.annotate("", 1.35 * np.array([c, d]), (0, 0), arrowprops={"arrowstyle": "->", "lw": 2})
    ax.text(1.27, 0.54, "gradient", va="center")
    ax.plot(*u[0], "*", ms=15, color="C1")
    ax.set(title=f"{name} at most 1", xlabel="a, on the diagonal", xlim=(-1.3, 2.1),
           ylim=(-1.3, 1.5), aspect="equal")
    a, b = u[0].round(2) + 0.0
    print(f"{name}: best step a = {a:.2f}, b = {b:.2f}, gain {(g * u).sum():.2f}")
axes[0].set(ylabel="b, beside it")
plots.Picture(fig, "Three grey shapes with the same arrow for the gradient: a square, a circle, "
    "and a square that stands on its corner. A star marks the best step: the upper right corner "
    "of the square, the point of the circle under the arrow, the right corner of the third.")

# %% [markdown] name="balls-reading"
# The star is where the shape reaches farthest along the arrow. The square has its corners where all entries have one size, so its best step is the sign of every entry. The circle's lies along the gradient itself. (Its radius is 0.71, as each number stands in the matrix twice.) The third shape has its corners where both singular values are 1, here at the identity matrix. And it is the square, turned by 45 degrees: that will come back. The three gains are in three units, and none of them is the best.
#
# ## Formula
#
# The **spectral norm** $\|u\|$ of a matrix is its largest singular value. It says how much longer the matrix can make an input: $\|u\,x\| \le \|u\|\,\|x\|$. So a step of spectral norm $\eta$ moves no output of the layer by more than $\eta$ times the length of the input.
#
# For an embedding this is the wrong size: its input picks one row and never adds rows up. A bias has no second side at all.
#
# With $g = U S V^\top$ as in [Which optimizer?](../05_project/07_which_optimizer.ipynb), of full rank:
#
# | size of a step | best step of size 1 | the rule that makes it, without memory |
# |---|---|---|
# | length $\|g\|_F$, the root of the sum of squares | $g / \|g\|_F$ | gradient descent, up to the length |
# | largest entry | sign of $g$ | [Adam](../04_mathematics/06_inside_adam.ipynb) |
# | largest singular value | $U V^\top$ | Muon, Shampoo, SOAP |
#
# ## Derivation
#
# Why $U V^\top$? Take a 2 x 2 matrix with the singular values $s$ and $t$; larger ones only make the sum longer. Write any step as $u = U W V^\top$. As $U$ and $V$ only turn, $W$ has the singular values of $u$.

# %% tags=["fold"] name="derivation"
# The best gain under the spectral norm, and the three rules of the library.
s, t, p, q = sp.symbols("s t p q", positive=True)
w = sp.symbols("w_11 w_12 w_21 w_22", real=True)
gs, us = (sp.symbols(f"{k}_11 {k}_12 {k}_21 {k}_22", real=True) for k in "gu")

def turned(angle, lib=sp):
    c, s = lib.cos(angle), lib.sin(angle)
    return [[c, -s], [s, c]]

left, right = sp.Matrix(turned(p)), sp.Matrix(turned(q))
means = dict(zip(gs, left * sp.diag(s, t) * right.T, strict=True))
means |= dict(zip(us, left * sp.Matrix(2, 2, w) * right.T, strict=True))

def gain_of(rule, times=1):  # of the step that a rule of the library makes
    def gain(s, t, p, q):
        u, v = (np.array(turned(float(a), np)) for a in (p, q))
        g = u @ np.diag([float(s), float(t)]) @ v.T
        return (g * last_step(rule, [g] * times)).sum()
    return gain

(
    derive(r"\langle g, u \rangle",
           " + ".join(f"g{i} * u{i}" for i in (11, 12, 21, 22)),
           "to first order the loss falls by this, times the learning rate",
           {**{str(k).replace("_", ""): k for k in (*gs, *us, *w)}, "s": s, "t": t, "p": p, "q": q},
           ranges={**dict.fromkeys(w, (-1, 1)), s: (1, 3), t: (0.3, 1)}, means=means)
    .equals("s * w11 + t * w22", "$g = U S V^\\top$ and $u = U W V^\\top$: turning both changes no "
            "product, and $S$ holds only $s$ and $t$, on its diagonal")
    .at_most("s + t", "no entry of $W$ is larger than its largest singular value, which is at most "
             "1. Both reach 1 at $W = I$: **the best step is $U V^\\top$**")
    .library("(g * step).sum() for Muon(ns_coefficients=(1.5, -0.5, 0), ns_steps=40)",
             gain_of(exact), "Muon's step, its rounds run to their end, reaches the bound",
             each=True)
    .library("(g * step).sum() for Shampoo(eps=0)", gain_of(Shampoo(1.0, eps=0.0)),
             "Shampoo's first step reaches it", each=True)
    .library("(g * step).sum() for SOAP(eps=1e-13)",
             gain_of(SOAP(1.0, weight_decay=0.0, eps=1e-13), 2),
             "SOAP's reaches it, with the same gradient twice", each=True)
)

# %% [markdown] name="derivation-reading"
# The best gain is the sum of the singular values. For Muon $U V^\top$ is the aim. The other two arrive there without aiming. Shampoo keeps $L = g g^\top$ and $R = g^\top g$. With one gradient $L = U S^2 U^\top$ and $R = V S^2 V^\top$, so
#
# $$L^{-1/4}\, g\, R^{-1/4} = U S^{-1/2} U^\top\; U S V^\top\; V S^{-1/2} V^\top = U\, S^{-1/2} S\, S^{-1/2}\, V^\top = U V^\top$$
#
# SOAP takes as axes the eigenvectors of the same two matrices, $U$ and $V$. In these axes the gradient is $U^\top g\, V = S$, a diagonal matrix. Adam's first step is the sign of each entry, and the sign of $S$ is $I$. Turned back:
#
# $$U\, \text{sign}(U^\top g\, V)\, V^\top = U I V^\top = U V^\top$$
#
# This is the turned square of the picture: **Muon's step is sign descent in the gradient's own axes.**
#
# ## Code

# %% name="code"
show(Shampoo, SOAP.adam)

# %% [markdown] name="memory-text"
# PyTorch has Muon ([parity](../05_project/07_which_optimizer.ipynb)), and neither of these two.
#
# ## With memory they part
#
# A rule never sees a single gradient. Here is the cosine between their steps after ten copies of one gradient, and after the gradients of ten batches.

# %% tags=["fold", "nbval-ignore-output"] name="memory-table"
# Cosines between the steps of two rules: only the gradients differ between the columns.
ten = {k: last_step(rule, gradients) for k, rule in rules.items()}
copies = {k: last_step(rule, gradients[:1] * 10) for k, rule in rules.items()}
matrix_rules = ("Muon", "Shampoo", "SOAP")
for a, b in combinations(matrix_rules, 2):
    assert 1 - cosine(copies[a], copies[b]) < 0.06 and cosine(ten[a], ten[b]) < 0.85
Table(["steps of", "ten copies of one gradient", "ten batches"],
      [[f"{a} and {b}", *(f"{cosine(v[a], v[b]):.2f}" for v in (copies, ten))]
       for a, b in combinations(rules, 2)])

# %% [markdown] name="memory-reading"
# Equal gradients keep the three together. Different ones part them: the cosines fall to 0.35 to 0.63, and SOAP's step is now nearest to Adam's (0.79). Muon averages gradients and then makes them orthogonal. Shampoo multiplies the newest gradient by roots of what was. SOAP averages squares in axes that it renews. **Not the step makes the difference, but what they remember.**
#
# ## Play: turn the axes
#
# Adam divides each entry by its own root mean square. So its step depends on which axes the entries belong to. Take a bowl with curvatures 1 and 25 and turn it. Nothing changes but the axes in which the weights are written. The weights are a matrix with two rows and one column. Momentum is off, to see the division alone. At which angle does Adam end highest? And what does SOAP's path do when the bowl turns?

# %% tags=["fold", "nbval-ignore-output"] name="play-picture"
# Adam and SOAP without momentum on a bowl that turns.
def hessian(angle):  # curvatures 1 and 25, turned by so many degrees
    q = np.array(turned(np.radians(angle), np))
    return q @ np.diag([1.0, 25.0]) @ q.T

def paths_at(angle):
    h, begin = hessian(angle), np.array(turned(np.radians(angle), np)) @ [[1.0], [0.6]]
    pair = {"Adam": Adam(0.05, 0.0, 0.9),
            "SOAP": SOAP(0.05, 0.0, 0.9, 0.9, weight_decay=0.0, every=1)}
    return {k: np.array(descend(begin, rule, lambda theta: h @ theta, 40))[..., 0]
            for k, rule in pair.items()}

def height(angle, theta):
    return theta @ hessian(angle) @ theta / 2

fig, (ax,) = plots.panels()
fig.set_size_inches(5.2, 4.6)
ax.set(aspect="equal", xlim=(-1.3, 1.5), ylim=(-1.3, 1.5), xlabel="weight 1", ylabel="weight 2")
for name, dash in (("Adam", "-"), ("SOAP", "--")):
    ax.plot([], [], dash, marker=".", label=name)
ax.legend(loc="lower left")
grid = np.linspace(-1.3, 1.5, 80)
span = np.stack(np.meshgrid(grid, grid), -1)

def at(ax, angle):
    z = np.einsum("xyi,ij,xyj->xy", span, hessian(angle), span) / 2
    ax.contour(grid, grid, np.log10(z + 1e-3), levels=12, cmap="cividis", linewidths=0.6,
               alpha=0.5)
    trails = paths_at(angle)
    plots.draw_trails(ax, trails)
    a, b = (height(angle, v[-1]) for v in trails.values())
    return f"At {angle} degrees, after 40 steps: Adam's loss is {a:.1e}, SOAP's {b:.1e}."

at_angle = {d: [height(d, v[-1]) for v in paths_at(d).values()] for d in range(0, 91, 5)}
adams, soaps = np.transpose([*at_angle.values()])
assert adams[9] > 100 * adams[0] and np.ptp(np.log10(soaps)) < 0.5
plots.moving(fig, "angle (degrees)", range(0, 91, 5), at, start=40, alt=
    "Contours of a long bowl that stands aslant, and two paths from one point. SOAP's runs "
    "nearly straight to the minimum. Adam's bends down into the valley, creeps along it, and "
    "ends on the way.")

# %% [markdown] name="play-reading"
# At 0 and 90 degrees each axis has one curvature, and dividing per axis is just right. Near 45 degrees both entries of the gradient show mostly the steep direction, and Adam's division helps little: it ends ten thousand times higher. SOAP's path turns with the bowl, and its loss is the same at every angle. This holds for gradient descent, Muon and Shampoo as well: they use no axes. It does not make SOAP better at every rate (exercise 3 and its control tune the rates).
#
# ## A race along three sets of axes
#
# Which axes do real weights have? A network with 32 hidden units reads the digits of scikit-learn (UCI, CC BY 4.0), 1000 of them, 100 steps of 64. We write the same pixels in three ways: as they are, turned at random, and along their [principal directions](../04_mathematics/10_the_auto_encoder.ipynb). The first weights turn along, so the network is the same function. A rule that uses no axes cannot notice. Each rule moves all weights with one rate, also those of the output, for which Muon is not made. It has twelve rates, a factor of $\sqrt 2$ apart. Three seeds choose the rate for each set of axes, ten others judge.

# %% tags=["fold", "nbval-ignore-output"] name="record"
# What made the recorded runs.
record

# %% tags=["fold"] name="race-picture"
# The mean loss over the 1000 digits at the chosen rate, for ten seeds.
judges = [k for k in record.runs if k not in made["TUNING"]]
bases = {"pixels": "as they are", "random": "turned at random", "principal": "principal directions"}

def chosen(rule, basis, seeds=made["TUNING"]):  # the place of the rate with the lowest mean
    at = np.mean([record.runs[k][f"{rule}, {basis}"] for k in seeds], 0).argmin()
    assert 0 < at < 11
    return at

def judged(rule, basis, seeds=made["TUNING"]):
    at = chosen(rule, basis, seeds)
    return np.array([record.runs[k][f"{rule}, {basis}"][at] for k in judges])

final = {k: {b: judged(k, b) for b in bases} for k in made["RULES"]}
fig, (ax,) = plots.panels()
fig.set_size_inches(8.4, 3.9)
for j, (basis, hatch) in enumerate(zip(bases, ("", "//", ".."), strict=True)):
    low, middle, high = np.transpose([plots.band(v[basis]) for v in final.values()])
    ax.bar(np.arange(6) + 0.27 * (j - 1), middle, 0.25, hatch=hatch, edgecolor="white",
           yerr=[middle - low, high - middle], capsize=3, label=bases[basis])
ax.set(xticks=range(6), yscale="log", ylabel="mean loss after 100 steps (nats, log)")
ax.set_xticklabels(final)
ax.grid(axis="x", visible=False)
ax.legend(title="the pixels", loc="upper left", bbox_to_anchor=(1, 1))
for k, v in final.items():
    print(f"{k}: " + ", ".join(f"{bases[b]} {np.median(x):.4f}" for b, x in v.items()))
ratio = final["Adam"]["pixels"] / final["Adam"]["principal"]
print(f"Adam, as they are / principal: {spread(ratio, '.1f')},",
      f"higher in {(ratio > 1).sum()} of {len(judges)} seeds")
assert np.median(ratio) > 1.3
plots.Picture(fig, "Six groups of three bars on a log axis. Within SGD, momentum, Muon and Shampoo "
    "the three bars are equal. Adam's fall from 0.024 for the pixels as they are to 0.009 for "
    "principal directions. SOAP's lie between 0.006 and 0.010.")

# %% [markdown] name="race-reading"
# SGD, momentum, Muon and Shampoo do not notice the turning. Adam does: with the pixels as they are its loss is 1.8 times as high as along the principal directions (median; higher in 9 of 10 seeds), though it is one network, written twice. SOAP needs no such help. Along each of the three it ends about where Adam ends along the principal directions: **SOAP is Adam that finds its axes itself.**
#
# Muon is level with momentum here; Shampoo and SOAP are ahead (seed by seed below). [The race on the language model](../05_project/07_which_optimizer.ipynb) had Muon level with RMSProp. Wen and others tuned ten optimizers on language models: those that multiply by matrices were fastest, 1.4 times as fast as AdamW at 0.1 billion parameters and 1.1 times at 1.2 billion.
#
# The same race live, one seed and a few rules:

# %% name="live"
def live(rule, basis):  # the loss of the network after 100 steps, at the rate that was chosen
    make, rates = made["RULES"][rule]
    return made["train"](make(rates[chosen(rule, basis)]), seed, basis)

# %% tags=["fold", "nbval-ignore-output"] name="live-table"
# One seed, three rules, three bases.
lived = {k: [live(k, b) for b in bases] for k in ("Adam", "Muon", "SOAP")}
assert np.allclose(lived["Muon"], lived["Muon"][0], rtol=0.01)
assert max(map(max, lived.values())) < 0.15
Table(["rule", *bases.values()], [[k, *(f"{v:.3f}" for v in x)] for k, x in lived.items()],
      "Mean loss in nats.")

# %% [markdown] name="cost-text"
# ## What does it cost?
#
# For a weight with $m$ rows and $n$ columns Shampoo keeps an $m \times m$ and an $n \times n$ matrix. SOAP keeps two of each size and two averages. Their eigenvectors must be found: Shampoo's in each step, SOAP's in each tenth. Muon needs products only.

# %% tags=["fold", "nbval-ignore-output"] name="cost-table"
# Counted, not timed: numbers kept per weight, products and eigendecompositions per step.
def kept(rule, m, n):  # what its state holds beside the count of steps, per weight
    state = rule.init(np.zeros((m, n)))
    return sum(np.size(a) for a in state[1:]) / (m * n)

products = {"Adam": "0", "Muon": "15", "Shampoo": "6", "SOAP": "8"}
solved = {"Adam": "0", "Muon": "0", "Shampoo": "2", "SOAP": "0.2"}
square, took = np.random.default_rng(0).normal(size=(256, 256)), {}
for name, act in (("product", lambda: square @ square), ("eigen", lambda: np.linalg.eigh(square))):
    took[name] = []
    for _ in range(5):
        begin = time.perf_counter()
        act()
        took[name].append(time.perf_counter() - begin)
print("on this machine an eigendecomposition of a 256 x 256 matrix takes as long as "
      f"{min(took['eigen']) / min(took['product']):.0f} products")
Table(["rule", "kept per weight, square", "kept, 4 times as many rows (256 x 64)",
       "products of square matrices per step", "eigendecompositions per step"],
      [[k, *(f"{kept(rule, *mn):.2f}" for mn in ((64, 64), (256, 64))), products[k], solved[k]]
       for k, rule in rules.items()])

# %% [markdown] name="breaks-text"
# Muon keeps least: half as much as Adam. SOAP keeps three times as much as Adam, and more where a matrix is far from square: for an embedding of 50 000 rows, each of its two large matrices has 2.5 billion entries. Shampoo takes the longest, with two eigendecompositions in each step. SOAP spreads its two over ten steps, and is then about as dear as Muon.
#
# ## What breaks
#
# A large matrix lies in pieces on several devices, some rows on each. Adam works entry by entry and does not care. Somebody lets Muon do what Adam does: each device makes its own piece orthogonal.

# %% name="breaks"
def step_in_pieces(g, devices):  # each device sees its rows alone
    return np.vstack([newton_schulz(piece) for piece in np.split(g, devices)])

# %% tags=["fold", "nbval-ignore-output"] name="breaks-picture"
# The singular values of the whole step.
split = {k: step_in_pieces(gradients[0], k) for k in (1, 2, 4, 8)}
fig, (ax,) = plots.panels()
plots.draw_lines(ax, np.arange(1, 65),
                 {f"{k} device{'s' * (k > 1)}": strengths(v) for k, v in split.items()},
                 "direction (1: the strongest)", "singular value of the step",
                 "One gradient, split over devices")
ax.set(ylim=(0, None))
for k, v in split.items():
    print(f"{k} device{'s' * (k > 1)}: largest singular value {strengths(v)[0]:.2f}, length "
          f"{np.linalg.norm(v):.1f}, cosine with the whole matrix's step {cosine(v, split[1]):.2f}")
assert strengths(split[8])[0] > 1.6 and cosine(split[8], split[1]) < 0.95
plots.Picture(fig, "Four lines over 64 directions. With one device the line is nearly flat at 1. "
    "The more devices, the steeper it falls, from above 2 to nearly 0 with eight.")

# %% [markdown] name="exercises"
# The length of the step stays nearly the same, so no simple log shows it. Its direction does not: with eight devices the cosine is 0.69. Pieces that share a direction each give it a strength of 1; together eight can reach $\sqrt 8 = 2.8$. The step is no longer flat, and it is another optimizer on every number of devices.
#
# The signature: with another number of devices the same seed trains another model, far beyond rounding. The cure: gather the matrix first, or every few steps (Khaled and others 2025). The reverse happens as well: weights of queries, keys and values that are stacked in one array are made orthogonal together.
#
# ## Exercises
#
# ### 1. What does each unit gain? (5 minutes, easy)
# Return three numbers: the gain $\langle g, u \rangle$ of the best step of size 1, when the size is the largest entry, the length, and the largest singular value.

# %% name="exercise-gains"
def gains(g):
    ### BEGIN SOLUTION
    strong = np.linalg.svd(g, compute_uv=False)
    return np.array([abs(g).sum(), np.sqrt((g**2).sum()), strong.sum()])
    ### END SOLUTION

# %% name="check-gains"
check("gains")

# %% [markdown] name="exercise-pieces-text"
# <details><summary>Hint 1</summary>Put each best step of the table into the product with g.</details>
# <details><summary>Hint 2</summary>For the sign each entry gives its absolute value. For the last, see the derivation.</details>
#
# ### 2. Orthogonal in pieces, and right (10 minutes, medium)
# `pieces` is a list: the rows of a matrix $g$ on each device, in all at least as many rows as columns, of full rank. Return the list of the pieces of $U V^\top$. The matrix is not to be put together: the devices may exchange and add only matrices of columns x columns.

# %% name="exercise-pieces"
def orthogonal(pieces):
    ### BEGIN SOLUTION
    gram = sum(p.T @ p for p in pieces)
    values, vectors = np.linalg.eigh(gram)
    root = (vectors / np.sqrt(values)) @ vectors.T
    return [p @ root for p in pieces]
    ### END SOLUTION

# %% name="check-pieces"
check("orthogonal")

# %% [markdown] name="exercise-angle-text"
# <details><summary>Hint 1</summary>The sum of p.T @ p over all devices is g.T @ g = V S² V^T. Which power of it turns g into U V^T?</details>
# <details><summary>Hint 2</summary>The power -1/2: with np.linalg.eigh, divide the eigenvectors by the roots of the eigenvalues.</details>
#
# ### 3. At which angle is Adam slowest? (10 minutes, medium)
# Return the loss that Adam reaches on the bowl turned by `angle` degrees, at the best of `rates`: for each rate take `steps` steps from `starts` (2, 24), 24 points on a circle as columns, and the mean of $\log_{10}$ of the 24 losses at the end; the lowest counts. Use `descend`, `hessian(angle)` and `Adam(rate, beta1, 0.9)`. Then vary the angle, with `many_rates`, 60 steps, and `beta1` once 0 and once 0.9. Is 45 degrees the worst both times?

# %% tags=["fold"] name="starts"
# Where the runs begin: 24 points at distance 1.
around = 2 * np.pi * np.arange(24) / 24 + 0.1
starts = np.stack([np.cos(around), np.sin(around)])
many_rates = 2.0 ** np.arange(-7, 1.1, 0.5)

# %% name="exercise-angle"
def tuned_loss(angle, beta1, rates, steps):
    ### BEGIN SOLUTION
    h = hessian(angle)
    found = []
    for rate in rates:
        theta = descend(starts, Adam(rate, beta1, 0.9), lambda theta: h @ theta, steps)[-1]
        found.append(np.log10((theta * (h @ theta)).sum(0) / 2).mean())
    return min(found)
    ### END SOLUTION

# %% name="check-angle"
check("tuned_loss")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>All 24 starts run at once: the columns of one array.</details>
# <details><summary>Hint 2</summary>The loss of each column is (theta * (h @ theta)).sum(0) / 2.</details>
# <details><summary>What it means (after solving)</summary>Without momentum 45 degrees is worst by far. With momentum 0.9 the angle hardly counts: what is left is the swinging of the momentum (first control).</details>
#
# ## Takeaways
#
# - Given one gradient, Muon, Shampoo and SOAP make the same step, $U V^\top$: the steepest one when a step's size is its largest singular value. They differ by their memory.
# - Adam's step depends on the axes in which the weights are written. Muon's and Shampoo's do not, and SOAP is Adam that finds its own axes.
# - Do not use them on biases, embeddings, or a piece of a matrix. And do not expect much in a large model: the lead over a well-tuned AdamW shrinks with the size.
#
# ## Does it hold?
#
# **The angle, with tuned rates.** Adam at the best of 17 rates, as in exercise 3. SOAP gets the same rates, at one angle: it does not notice others.

# %% tags=["fold", "nbval-ignore-output"] name="control-angle"
# The mean of log10 of the loss after 60 steps, at the best rate.
def tuned(angle, rule, begin):  # begin: arrays that the rule can move, each for itself
    h = hessian(angle)
    ends = [[descend(b, rule(r), lambda theta: h @ theta, 60)[-1] for b in begin]
            for r in many_rates]
    return min(np.mean([np.log10((e * (h @ e)).sum(0) / 2).mean() for e in end]) for end in ends)

rows, by_angle = [], {}
for beta1 in (0.0, 0.9):
    found = by_angle[beta1] = {
        d: tuned(d, lambda r, b=beta1: Adam(r, b, 0.9), [starts]) for d in (0, 15, 30, 45, 60, 75)}
    other = tuned(0, lambda r, b=beta1: SOAP(r, b, 0.9, 0.9, weight_decay=0.0, every=1),
                  [starts[:, [j]] for j in range(0, 24, 4)])
    rows.append([f"{beta1:g}", *(f"{v:.1f}" for v in found.values()), f"{other:.1f}"])
assert by_angle[0.0][45] > by_angle[0.0][0] + 8
assert np.ptp([*by_angle[0.9].values()]) < 1.2
Table(["momentum", *(f"Adam, {d} degrees" for d in by_angle[0.0]), "SOAP, any"], rows)

# %% [markdown] name="control-race-text"
# Without momentum the axes decide: 15 powers of ten between 0 and 45 degrees. SOAP does not reach Adam's best, because its axes are those of the gradients so far and only near the bowl's. With momentum all are within 0.3 powers of ten. In the race Adam has momentum too, and there the axes count.
#
# **The race, seed by seed.** Each line compares two runs of the same seed. In the last column the rates are those best for the ten judging seeds themselves: a check on the luck of the three that chose.

# %% tags=["fold"] name="control-race"
# Ratios of losses, seed by seed.
pairs = [(("Adam", "pixels"), ("Adam", "principal")), (("Adam", "pixels"), ("SOAP", "pixels")),
         (("Adam", "principal"), ("SOAP", "pixels")), (("SOAP", "pixels"), ("SOAP", "principal")),
         (("momentum", "pixels"), ("Muon", "pixels")), (("Muon", "pixels"), ("SOAP", "pixels")),
         (("SOAP", "pixels"), ("Shampoo", "pixels"))]
rows = []
for a, b in pairs:
    here, own = (judged(*a, k) / judged(*b, k) for k in (made["TUNING"], judges))
    rows.append([f"{a[0]}, {bases[a[1]]} / {b[0]}, {bases[b[1]]}",
                 *(f"{spread(v, '.1f')}, above 1 in {(v > 1).sum()} of {len(v)}"
                   for v in (here, own))])
Table(["loss / loss", "rates chosen on three other seeds", "rates chosen on the judges"], rows)

# %% [markdown] name="control-matrices-text"
# Adam is better along the principal directions than with the pixels as they are, with either choice of the rates. SOAP's own bars differ by no more than the spread. (They differ at all because its axes are arbitrary in the directions where its first gradients are zero.) Adam along the principal directions and SOAP are within the spread of the seeds. So are momentum and Muon, and SOAP and Shampoo.
#
# **Other matrices.** All seven inner matrices of the last layer: cosines after one gradient, and after ten batches.

# %% tags=["fold", "nbval-ignore-output"] name="control-matrices"
# The same comparison for the other matrices.
rows = []
for name, g in drawn.items():
    one = {k: last_step(rule, g[:1] * 2) for k, rule in rules.items()}
    many = {k: last_step(rule, g) for k, rule in rules.items()}
    near = [cosine(one[a], one["Shampoo"]) for a in ("Adam", "Muon", "SOAP")]
    far = [cosine(many[a], many[b]) for a, b in combinations(matrix_rules, 2)]
    assert 1 - min(near[1:]) < 0.06 < 0.1 < 1 - max(far) and near[0] < 0.9
    s = strengths(g[0])
    rows.append([name, "{} x {}".format(*g[0].shape), f"{s[0] / s[-1]:.0f}",
                 *(f"{v:.2f}" for v in near), f"{min(far):.2f} to {max(far):.2f}"])
Table(["matrix", "shape", "largest / smallest singular value", "Adam and Shampoo",
       "Muon and Shampoo", "SOAP and Shampoo", "the three, ten batches"], rows)

# %% [markdown] name="control-clip-text"
# **At scale.** The Kimi Team trained a model of a trillion parameters with Muon. In an earlier run its attention logits, the products of queries and keys, had grown beyond 1000. Their cure scales the two weights of a head down after each step in which its largest logit passed 100. Both are multiplied by the same number, as each logit is a product of both:

# %% tags=["fold", "nbval-ignore-output"] name="control-clip"
# One head with large weights, before and after.
rng = np.random.default_rng(seed)
tokens, w_q, w_k = rng.normal(size=(200, 64)), *(2 * rng.normal(size=(2, 16, 64)))

def largest_logit(w_q, w_k):
    return ((tokens @ w_q.T) @ (tokens @ w_k.T).T / 16**0.5).max()

before = largest_logit(w_q, w_k)
after = largest_logit(*qk_clip(w_q, w_k, before))
assert before > 300 and abs(after - 100) < 1e-6
print(f"largest logit: {before:.0f}, after qk_clip: {after:.0f}, "
      f"each weight times {(100 / before) ** 0.5:.2f}")

# %% [markdown] name="sources"
# ## Sources
#
# - V. Gupta, T. Koren and Y. Singer, 2018: *Shampoo: preconditioned stochastic tensor optimization*, arXiv 1802.09568.
# - N. Vyas and others, 2024: *SOAP: improving and stabilizing Shampoo using Adam*, arXiv 2409.11321.
# - K. Jordan and others, 2024: *Muon: an optimizer for hidden layers in neural networks*.
# - J. Bernstein and L. Newhouse, 2024: *Old optimizer, new norm: an anthology*, arXiv 2409.20325 (Adam and Shampoo without memory as steepest descent).
# - K. Wen, D. Hall, T. Ma and P. Liang, 2025: *Fantastic pretraining optimizers and where to find them*, arXiv 2509.02046.
# - A. Khaled and others, 2025: *MuonBP: faster Muon via block-periodic orthogonalization*, arXiv 2510.16981.
# - Kimi Team, 2025: *Kimi K2: open agentic intelligence*, arXiv 2507.20534.
