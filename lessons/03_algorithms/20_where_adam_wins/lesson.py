# ---
# jupyter:
#   lesson:
#     title: Where Adam wins, and where it does not
#     minutes: 40
#     question: Is Adam faster and more stable than momentum?
#     needs: [04_adam, 11_momentum]
#     settles: [E25]
#     claims:
#       C30: {verdict: conditional, cell: results-table, says: "On rare words Adam is far ahead of momentum; on the regression, and with the axes turned, it is not."}
#     studies: [optim.Adam]
# ---

# %% [markdown] name="goal"
# # Where Adam wins, and where it does not
#
# **Goal.** Find problems on which Adam is far ahead of momentum and others on which it is behind, and find out why.
#
# **The question.** "Adam adapts each rate, and so is faster and more stable": so the article says, and so it is often said. Is it?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.derive import derive
from lessons_lib.losses import soft_cross_entropy, squared_error
from lessons_lib.optim import SGD, Adam, AMSGrad, Momentum, descend
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/20_where_adam_wins")

# %% [markdown] name="two-problems"
# ## Two problems with real data
#
# **Words**, as in the Adam lesson: half of the pages of Python's own documentation, drawn by a seed. Of the 63 most frequent words, and of "any other word", we count which follows which. The model is a table: `theta[i, j]` is the logit of word $j$ after word $i$, the loss is the cross-entropy over all pairs.
# Its lowest value is known, the entropy of the counts; we report the **gap** above it, in nats.
#
# **Diabetes**: linear regression on ten standardised measurements of each patient.

# %% name="bigram"
class Problem(NamedTuple):  # one for each seed, side by side
    gradient: Callable
    gap: Callable  # the loss above its floor, for each seed
    start: torch.Tensor

def bigram(counts):
    often = counts.sum(-1)  # how often a word occurs is the weight of its row
    follow, weight = counts / often[..., None], often / often.sum(-1, keepdim=True)

    def loss(theta):
        return soft_cross_entropy(theta, follow.expand_as(theta))

    floor = loss(follow.log()).value
    return Problem(lambda theta: loss(theta).grad * weight[..., None],
                   lambda theta: ((loss(theta).value - floor) * weight).sum(-1), 0 * counts)

# %% tags=["nbval-ignore-output"] name="often"
counts = [data.pairs(data.words(s, 64).ids, 64) for s in setting.seeds]
counts = torch.tensor(np.array(counts), dtype=torch.float64, device=setting.device)
text, often = bigram(counts), counts.sum(-1)
ratio = (often.amax(1) / often.amin(1)).min().item()
assert ratio > 100
print(f"a common word occurs at least {ratio:.0f} times as often as a rare one")

# %% name="regression"
def regression(seeds):
    found = [data.diabetes(s)[:2] for s in seeds]
    x, y = (torch.tensor(np.array(a), device=setting.device) for a in zip(*found, strict=True))
    y = (y - y.mean(1, keepdim=True)) / y.std(1, keepdim=True)

    def loss(theta):
        pred = (x @ theta[..., None])[..., 0]
        return squared_error(pred, y.expand_as(pred))

    def gradient(theta):
        return (x.mT @ loss(theta).grad[..., None])[..., 0] / y.shape[1]

    floor = loss(torch.linalg.lstsq(x, y[..., None]).solution[..., 0]).value.mean(-1)
    return Problem(gradient, lambda theta: loss(theta).value.mean(-1) - floor, 0 * x[:, 0])

# %% [markdown] name="protocol"
# ## One protocol
#
# Start at 0, 100 steps. Every optimizer tries learning rates half a decade apart, and its best one counts, which must not be the lowest or the highest tried. Momentum is 0.9 and Adam's betas are the defaults. Only the training loss is judged.

# %% name="race"
rates = 10.0 ** np.arange(-2.5, 1.6, 0.5)
rules = {"SGD": SGD, "momentum": Momentum, "Adam": Adam}

def race(kind, problem, steps=100, **options):  # gap, learning rate and theta of each seed's best
    rule = kind(lr=1.0, **options)  # it gives the step at rate 1, for all rates at once
    theta = torch.stack([problem.start] * len(rates))
    lr = torch.tensor(rates, device=theta.device).reshape(-1, *[1] * problem.start.ndim)
    state = rule.init(theta)
    for _ in range(steps):
        moved, state = rule.update(theta, problem.gradient(theta), state)
        theta = theta + lr * (moved - theta)
    gaps = problem.gap(theta).nan_to_num(nan=torch.inf).cpu().numpy()
    best, seeds = gaps.argmin(0), np.arange(gaps.shape[1])
    assert all(0 < i < len(rates) - 1 for i in best)  # none at an end of the grid
    return gaps[best, seeds], rates[best], theta[best, seeds]

# %% [markdown] name="after-regression"
# A third problem is there to find out *why*: the words again, but with the axes rotated. We train $\phi$ with $\theta = Q \phi$, where $Q$ is a random orthogonal matrix that mixes the rows. The losses that
# can be reached are the same; only the parameters no longer belong to one word each.
#
# ## Derivation
#
# Why should a rotation matter? Take its memory from Adam, $\beta_1 = \beta_2 = 0$, and leave the tiny $\epsilon$ out. Then the step of one parameter is

# %% tags=["fold"] name="derivation"
# The step of an Adam without memory, tied to the library's.
eta, g = sp.Symbol("eta", positive=True), sp.Symbol("g", real=True, nonzero=True)

def memoryless(eta, g):
    start = np.zeros(len(g))
    return start - descend(start, Adam(1.0, 0.0, 0.0, eps=0.0), lambda theta: g, 1)[-1] * eta

(
    derive(r"\theta_0 - \theta_1", "eta * g / sqrt(g**2)",
           r"$\hat m = g$ and $\hat v = g^2$", [eta, g])
    .equals("eta * sign(g)", "**the sign alone is left**", tex=r"\eta\, \operatorname{sign} g")
    .library("Adam(eta, 0, 0, eps=0)", memoryless)
)

# %% [markdown] name="after-derivation"
# The gradient by $\phi$ is $Q^\top g$. Gradient descent turns with the axes: $\theta = Q \phi$ moves by $-\eta\, Q\, Q^\top g = -\eta\, g$, as before. An Adam without memory does not turn with them: $\theta$ moves by
#
# $$-\eta\; Q\, \operatorname{sign}(Q^\top g) \quad\text{and not by}\quad -\eta\, \operatorname{sign} g$$
#
# The sign makes the steps of all parameters equally long, and whose parameters these are, the axes decide.
#
# ## The race

# %% name="rotated"
def mixer():  # a random orthogonal matrix for each seed
    draws = [np.random.default_rng(s).normal(size=counts.shape[1:]) for s in setting.seeds]
    return torch.tensor(np.linalg.qr(draws)[0], device=setting.device)

def rotated(problem):
    q = mixer()
    return Problem(lambda phi: q.mT @ problem.gradient(q @ phi),
                   lambda phi: problem.gap(q @ phi), problem.start)

turned = rotated(text)
for rule in (SGD(3.0), Momentum(3.0)):  # steps that are linear in the gradient turn with the axes
    a, b = (p.gap(descend(p.start, rule, p.gradient, 20)[-1]) for p in (text, turned))
    assert torch.allclose(a, b)

# %% name="results"
diabetes, results = regression(setting.seeds), {}
for name, problem in {"words": text, "diabetes": diabetes}.items():
    for label, kind in rules.items():
        results[name, label] = race(kind, problem)
results["words, rotated", "Adam"] = race(Adam, turned)
gap = {key: found[0] for key, found in results.items()}

# %% tags=["nbval-ignore-output"] name="results-table"
def cell(name, label):
    if (name, label) not in gap:
        return "as words"
    tuned = sorted({f"{lr:.2g}" for lr in results[name, label][1]}, key=float)
    low, middle, high = np.quantile(gap[name, label], [0, 0.5, 1])
    return f"{middle:.1e} ({low:.1e} to {high:.1e}), lr {' or '.join(tuned)}"

note = (f"Learning rates tried: {', '.join(f'{r:.2g}' for r in rates)}. "
        "Median gap, (range over seeds), best rates.")
Table(["problem", *rules],
      [[n, *(cell(n, r) for r in rules)] for n in ("words", "words, rotated", "diabetes")], note)

# %% name="results-verdict" tags=["nbval-ignore-output"]
turning = gap["words, rotated", "Adam"]
factors = {
    "words: momentum's gap over Adam's": gap["words", "momentum"] / gap["words", "Adam"],
    "words: Adam's gap, axes turned, over before": turning / gap["words", "Adam"],
    "words, axes turned: momentum's gap over Adam's": gap["words", "momentum"] / turning,
    "diabetes: Adam's gap over momentum's": gap["diabetes", "Adam"] / gap["diabetes", "momentum"],
}
for factor, least in zip(factors.values(), (50, 50, 3, 2), strict=True):
    assert factor.min() > least
Table(["ratio of gaps", "lowest to highest of the seeds"],
      [[name, f"{f.min():.2g} to {f.max():.2g}"] for name, f in factors.items()])

# %% [markdown] name="after-results-verdict"
# The gradient of a row is proportional to how often its word occurs, and so is its curvature. How much of Adam's lead is that? Take it out by hand, and let momentum race again.

# %% name="why" tags=["nbval-ignore-output"]
scale = counts.sum((-2, -1), keepdim=True) / counts.sum(-1, keepdim=True)
# every word alike
heavy = Problem(lambda theta: scale * text.gradient(theta), text.gap, text.start)
level = race(Momentum, heavy)[0]
before, adams = gap["words", "momentum"] / level, level / gap["words", "Adam"]
print(f"words, all equally heavy: momentum's gap {before.min():.2g} to {before.max():.2g} times "
      f"smaller than before, {adams.min():.2g} to {adams.max():.2g} times Adam's")
assert before.min() > 10 and adams.min() > 10

# %% [markdown] name="after-why"
# Two more questions. Are there differences of scale *within* a row, too? Mix only the columns. And does the diabetes verdict hang on the second knob, $\beta_2$ and the momentum?

# %% name="second-knob" tags=["nbval-ignore-output"]
def columns_rotated(problem):
    q = mixer()
    return Problem(lambda phi: problem.gradient(phi @ q) @ q.mT,
                   lambda phi: problem.gap(phi @ q), problem.start)

spread = race(Adam, columns_rotated(text))[0] / gap["words", "Adam"]
second = {"Adam, beta2 = 0.95": (Adam, {"beta2": 0.95})}
second |= {f"momentum {mu}": (Momentum, {"momentum": mu}) for mu in (0.85, 0.95)}
middle = {"Adam": np.median(gap["diabetes", "Adam"])}
for label, (kind, options) in second.items():
    middle[label] = np.median(race(kind, diabetes, **options)[0])
print(f"words, only the columns mixed: Adam's gap {np.median(spread):.2g} times as large (median)")
print("diabetes, median gaps:", {label: f"{g:.1g}" for label, g in middle.items()})
default, short, low, high = middle.values()
assert np.median(spread) > 4 and default > 2 * short > 4 * low and high > short

# %% [markdown] name="after-second-knob"
# Part of the lead is in the rows, and another part along the columns, since most words hardly ever follow. One learning rate must serve all of them; Adam divides each step by the size of the parameter's own gradients. Turn the axes, and most of
# the advantage is gone, though not all: **Adam helps most where the differences in scale lie along the axes.** The diabetes measurements have equal scales and are correlated: dividing gains little, and a $v$ that remembers the large first gradients for a thousand steps costs much ($\beta_2 = 0.95$ makes up most of it). Momentum 0.9 wins, given 100 steps; at 0.95 it is behind Adam with $\beta_2 = 0.95$. With the better of the few second knobs tried for each, momentum stays ahead.
#
# Whose words are learned?

# %% name="per-word"
def per_word(theta, counts):  # the gap of each word, the most frequent first, in groups of 8
    often = counts.sum(-1)
    follow = counts / often[..., None]
    gap = soft_cross_entropy(theta, follow).value - soft_cross_entropy(follow.log(), follow).value
    order = often.argsort(dim=1, descending=True)
    return gap.gather(1, order).reshape(len(counts), -1, 8).mean(2).cpu().numpy()

# %% name="rare"
curves = {label: per_word(results["words", label][2], counts) for label in rules}
bands = {label: plots.band(c) for label, c in curves.items()}
plots.lines(
    np.arange(4.5, 64, 8), bands,
    "rank of the word by frequency", "gap above the word's floor (nats)",
    "Gap per word against its rank, on a logarithmic axis. SGD and momentum leave the rarer words "
    "far above their floor, Adam is close to the floor at every rank.",
    title="After 100 steps at the best rate (band: all seeds)", log="y",
)

# %% [markdown] name="after-rare"
# SGD and momentum get the further behind the rarer the word, though even the most frequent ones are far from done; for Adam the rank hardly matters. Language has a long tail of rare words, which is one measured reason for Adam's place
# in language models (Kunstner et al. 2024, "Heavy-tailed class imbalance and why Adam outperforms gradient descent on language models", arXiv 2402.19449; there the word *to predict* is rare, here the word *before* it).

# %% name="rare-verdict"
rarest = {label: c[:, 4:].mean(1) for label, c in curves.items()}
assert (rarest["momentum"] > 50 * rarest["Adam"]).all()
assert (rarest["SGD"] > rarest["momentum"]).all()

# %% [markdown] name="more-stable"
# ### More stable?
#
# A problem of one parameter in $[-1, 1]$, after Reddi et al. (2018, "On the convergence of Adam and beyond", arXiv 1904.09237): the gradient is 3 at every third step, else $-1$. The average slope is positive, so $-1$ is the best point.
# They take $\beta_1 = 0$ and $\beta_2 = 1 / (1 + 3^2)$. Before you run it: where does Adam go?

# %% name="reddi"
def walk(rule, steps=3000):
    theta, state = np.zeros(1), rule.init(np.zeros(1))
    for t in range(1, steps + 1):
        theta, state = rule.update(theta, np.array([3.0 if t % 3 == 1 else -1.0]), state)
        theta = np.clip(theta, -1, 1)
    return f"{theta[0]:.1f}"

short = {"beta1": 0.0, "beta2": 0.1}
walkers = {"Adam": Adam(0.01, **short), "AMSGrad": AMSGrad(0.01, **short), "SGD": SGD(0.01)}
walkers["Adam, default betas"] = Adam(0.01)
ends = {label: walk(rule) for label, rule in walkers.items()}
assert ends == {"Adam": "1.0", "AMSGrad": "-1.0", "SGD": "-1.0", "Adam, default betas": "-1.0"}
Table(["rule", "ends at"], ends.items())

# %% [markdown] name="after-reddi"
# To the worst point. Adam divides the large gradient by its own size, and with so short a memory it has forgotten that size when the two small ones come: three steps of similar length, two of them
# the wrong way. AMSGrad divides by the largest $v$ so far. The default betas remember a thousand steps, and Adam is right here; but the paper builds such a problem for every choice of betas with $\beta_1 < \sqrt{\beta_2}$.

# %% [markdown] name="parity-text"
# ## Parity with PyTorch
#
# The AMSGrad of this lesson beside `torch.optim.Adam(amsgrad=True)`: the largest relative difference after 50 steps.

# %% tags=["fold", "nbval-ignore-output"] name="parity"
# Parity with PyTorch.
parity.table("AMSGrad", setting.device)

# %% [markdown] name="exercise-text"
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. Adam without a memory (5 minutes, easy)
# Let $\beta_1 = \beta_2 = 0$ and leave $\epsilon$ out: then $\hat m = g$ and $\hat v = g^2$. How far does Adam move while it sees `gradients`, a list of numbers of which none is 0? Return the sum of its steps, in learning rates, negative where $\theta$ falls.

# %% name="exercise-drift"
def drift(gradients):
    ### BEGIN SOLUTION
    return -np.sign(gradients).sum()
    ### END SOLUTION

# %% name="check-drift"
check("drift")

# %% [markdown] name="exercise-halve-text"
# <details><summary>Hint 1</summary>What is g divided by the root of its square?</details>
# <details><summary>Hint 2</summary>The problem of Reddi and others has the gradients 3, -1, -1: one step down, two up.</details>
#
# ### 2. The price of one rate for all (6 minutes, medium)
# Gradient descent, two parameters, the loss $\frac12 (h_1 \theta_1^2 + h_2 \theta_2^2)$ with $h_1 < h_2$, learning rate $1 / h_2$. How many steps does it take until $\theta_1$ is half of what it was? (A real number; need not be whole.)

# %% name="exercise-halve"
def steps_to_halve(h1, h2):
    ### BEGIN SOLUTION
    return np.log(0.5) / np.log(1 - h1 / h2)
    ### END SOLUTION

# %% name="check-halve"
check("steps_to_halve")

# %% [markdown] name="exercise-turned-text"
# <details><summary>Hint 1</summary>By which factor does one step shrink the first parameter?</details>
# <details><summary>Hint 2</summary>Solve factor ** n = 1/2 for n. At h2 = 25 h1 it is 17 steps.</details>
#
# ### 3. Turned axes (7 minutes, hard)
# As in the experiment, $\theta = Q \phi$ with an orthogonal matrix $Q$ (its inverse is its transpose), and Adam trains $\phi$, again without a memory and without $\epsilon$. `g` is the gradient by $\theta$. By how much does one step move $\theta$, in learning rates?

# %% name="exercise-turned"
def turned_step(q, g):
    ### BEGIN SOLUTION
    return -q @ np.sign(q.T @ g)
    ### END SOLUTION

# %% name="check-turned"
check("turned_step")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>The chain rule: the gradient by phi is Q transposed times g.</details>
# <details><summary>Hint 2</summary>How far does phi move? And theta, which is Q phi?</details>
#
# ## Takeaways
#
# - Adam won by far where the scales of the gradients differ along the axes, as with rare words. Turn the axes, and most of its lead is gone.
# - Elsewhere momentum can win; with a short memory Adam can walk to the worst point. Published comparisons disagree as well: worse test errors than SGD in Wilson and others (2017, "The marginal value of adaptive gradient methods in machine learning", arXiv 1705.08292), never behind momentum once *all* hyperparameters are tuned in Choi and others (2019, "On empirical comparisons of optimizers for deep learning", arXiv 1910.05446).
# - Where all scales are equal, as in the diabetes data, do not stop at Adam: try momentum too, and tune its second knob.
