# ---
# jupyter:
#   lesson:
#     title: "Questions"
#     question: "The dashed line marks the largest learning rate that the training can bear. It was drawn before the training. How?"
#     minutes: 40
#     needs: [03_algorithms/03_sgd, 03_algorithms/04_adam, 04_mathematics/05_how_far_may_a_step_go, 05_project/03_fine_tuning]
#     settles: []
#     studies: [optim.SGD]
#     terms: [trial step]
# ---

# %% [markdown] name="title"
# # Questions
#
# **Goal.** Find the answer to a short question about a training, and the place in this course that decides it.
#
# **The question.** Gradient descent takes 100 steps at each of 40 learning rates. The dashed line marks the largest rate that it can bear. The line was drawn before the training, from two losses. How? And why does it stand a little too far to the right?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import re
from pathlib import Path

import numpy as np
import sympy as sp
import torch

import lessons_lib
from lessons_lib import bridge, data, exercises, plots, records
from lessons_lib.derive import derive
from lessons_lib.landscapes import quadratic
from lessons_lib.losses import cross_entropy, dpo, group_advantage
from lessons_lib.optim import SGD, Adam, descend
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("09_faq/01_questions")

def spread(values, form=".2f"):  # median (lowest to highest) over the seeds
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

# %% tags=["fold"] name="data"
# The patients of one seed; half of the mean squared error of a linear model, and its gradient.
def regression(s):
    split = data.diabetes(s)
    x, y = split.x, (split.y - split.y.mean()) / split.y.std()
    bend, lowest = x.T @ x / len(y), np.linalg.lstsq(x, y)[0]

    def loss(theta):
        return ((x @ theta - y) ** 2).mean() / 2

    def gradient(theta):
        return x.T @ (x @ theta - y) / len(y)

    return x, y, loss, gradient, bend, lowest

x, y, loss, gradient, bend, lowest = regression(seed)
start = np.zeros(10)
curvature = np.linalg.eigvalsh(bend)[::-1]
edge = 2 / curvature[0]

# %% tags=["fold"] name="cliff"
# Two losses before the training, and the loss after 100 steps at 40 rates.
g = gradient(start)
rise = loss(start - 0.01 * g) - loss(start)
first = 0.01**2 * (g @ g) / (rise + 0.01 * (g @ g))
rates = edge * np.linspace(0.03, 1.3, 40)
with np.errstate(over="ignore"):
    ends = np.array([loss(descend(start, SGD(r), gradient, 100)[-1]) for r in rates])
above = ends - loss(lowest)
fig, (ax,) = plots.panels()
ax.plot(rates, above, "o-", ms=4)
ax.axvline(first, color="C1", ls="--", label="from two losses")
ax.axhline(loss(start) - loss(lowest), color="0.4", lw=1, ls=":", label="before the training")
ax.set(yscale="log", xlabel="learning rate", ylim=(above.min() / 3, 1e4),
       ylabel="loss - minimum, after 100 steps (log)")
ax.legend(loc="upper left")
print(f"largest rate, from two losses: {first:.3f}; where the loss takes off: {edge:.3f}; "
      f"the first is {first / edge - 1:.0%} larger")
best = rates[above.argmin()]
print(f"best of the 40 rates: {best:.3f}, {best / edge:.2f} of the edge")
assert 0.02 < first / edge - 1 < 0.5 and best < edge
plots.Picture(fig, alt="A curve falls slowly as the rate grows, reaches its lowest point, and "
              "then rises almost vertically. A dashed line stands just right of the rise.")

# %% [markdown] name="cliff-reading"
# The data are 310 patients of scikit-learn's copy of the diabetes study (Efron and others 2004): ten measurements each, and the progress of the disease, in standard deviations. The best rate lies just below the cliff. The dashed line missed the cliff by 12 per cent. Why it did is the long answer to the first of 35 questions.
#
# Each question has a *price*, what it costs to answer it for a training of your own: a **pencil** (arithmetic), a **look** (the data, a loss, a gradient; no training), a **run**, or **several runs**.

# %% tags=["fold"] name="index"
# The index: each question's price, the words under which one looks for it, and what one sees.
asked = [
    ("How do I choose a learning rate?", "several runs", "learning rate, sweep, grid", ""),
    ("The loss explodes. What now?", "a look", "divergence, edge", "loss explodes, zigzags"),
    ("The loss rises every few steps. Is something broken?", "a run", "noise, batch",
     "loss jumps up and down"),
    ("Do I need a warm-up?", "several runs", "warm-up, schedule", "trouble in the first steps"),
    ("Which schedule?", "several runs", "schedule, cosine, averaging", "loss stops falling, noisy"),
    ("How large should a batch be?", "a look", "batch size", "gradients are noisy"),
    ("When do I stop?", "a run", "early stopping, overfitting, validation",
     "validation loss rises"),
    ("Adam or SGD?", "several runs", "Adam, SGD, momentum", ""),
    ("May I carry a learning rate from SGD to Adam?", "pencil", "Adam, learning rate, loss scale",
     "a rate from a paper fails"),
    ("Does epsilon matter?", "a look", "epsilon, Adam", "Adam hardly moves"),
    ("What does a weight decay of 0.1 do?", "pencil", "weight decay, AdamW, L2 penalty", ""),
    ("Should I clip the gradient?", "a run", "clipping, gradient norm", "one spike, then worse"),
    ("Am I stuck in a local minimum?", "a look", "local minimum, saddle, convergence",
     "loss is flat from the start"),
    ("Why do the first layers not learn?", "a look", "vanishing gradient, sigmoid",
     "first layers hardly change"),
    ("Is there a better optimizer than AdamW?", "several runs", "Muon, Lion, SOAP, AdamW", ""),
    ("Which loss do I need?", "pencil", "choice of the loss, regression, classes", ""),
    ("Is my first loss right?", "pencil", "first loss, log C", "first loss looks odd"),
    ("Why does the loss not reach 0?", "a look", "floor, entropy, loss value",
     "loss stops far above 0"),
    ("What does a perplexity say?", "pencil", "perplexity, bits per character, tokenizer", ""),
    ("Some targets are wildly wrong. Which loss?", "a look", "outliers, Huber, absolute error",
     "one example decides"),
    ("Sum or mean?", "pencil", "reduction, learning rate", "a new batch size needs a new rate"),
    ("How much label smoothing?", "several runs", "label smoothing, calibration",
     "model is too sure"),
    ("One class is rare. Do I weigh it?", "pencil", "imbalance, class weight, focal loss, "
     "threshold", "rare class is never named"),
    ("Why is the loss NaN?", "a look", "NaN, inf, overflow, logits", "loss is NaN or inf"),
    ("How much memory does a training need?", "pencil", "memory, Adam, LoRA", "out of memory"),
    ("Is bfloat16 enough?", "pencil", "precision, bfloat16", "weights stop changing"),
    ("Why do two runs of one seed differ?", "pencil", "reproducibility, seed, rounding",
     "same seed, other numbers"),
    ("LoRA or all weights, and at which rate?", "several runs", "LoRA, fine-tuning, rank", ""),
    ("How do I keep what the model knew?", "a run", "catastrophic forgetting, replay",
     "old skills are lost"),
    ("Should the prompt count in the loss?", "several runs", "prompt mask, instruction tuning",
     ""),
    ("Why does gradient accumulation change the result?", "pencil",
     "accumulation, mean of means, tokens", "result depends on the micro-batch"),
    ("DPO lowers the probability of the chosen answer. Is that a bug?", "pencil",
     "DPO, preference, likelihood", "chosen answers become less probable"),
    ("The reward does not move. Why?", "a look", "GRPO, advantage, baseline", "reward is flat"),
    ("How many seeds do I need?", "pencil", "seeds, chance", "two runs disagree"),
    ("How do I compare two optimizers?", "pencil", "comparison, tuning budget", ""),
]
label = [f"Q{k} {q}" for k, (q, *_) in enumerate(asked, 1)]
anchor = [name.replace(" ", "-") for name in label]
price = {p: [k for k, row in enumerate(asked, 1) if row[1] == p]
         for p in ("pencil", "a look", "a run", "several runs")}
words, signs = {}, {}
for k, (_, _, said, seen) in enumerate(asked, 1):
    for word in said.split(", "):
        words.setdefault(word, []).append(k)
    if seen:
        signs[seen] = k

def to(k, text=""):
    return f"[{text or f'Q{k}'}](#{anchor[k - 1]})"

lines = ["**By what you see**", "",
         *(f"- {seen}: {to(signs[seen], label[signs[seen] - 1])}"
           for seen in sorted(signs, key=str.lower)), "",
         "**By word.** " + "; ".join(f"{w} {', '.join(map(to, ks))}" for w, ks in
                                     sorted(words.items(), key=lambda e: e[0].lower())) + ".", "",
         "**By price.** " + "; ".join(f"{p} {', '.join(map(to, ks))}" for p, ks in price.items())
         + "."]

# %% tags=["fold"] name="index-shown"
# The index, made of that list.
Table(["questions", "words", "signs"], [[len(asked), len(words), len(signs)]], "\n".join(lines))

# %% tags=["fold"] name="price-picture"
# How many questions have which price.
before = len(price["pencil"]) + len(price["a look"])
print(f"{before} of {len(asked)} questions are answered before the training starts")
plots.bars({p: len(ks) for p, ks in price.items()}, "number of questions",
           "Four bars: pencil is the longest, a look and several runs are next, a run is short.",
           title="What an answer costs")

# %% [markdown] name="idea"
# Two of three questions are answered before the training starts. Where is yours? The prices are our judgement; the numbers in the answers come from cells.
#
# Six questions about formulas have [a page of their own](../04_mathematics/13_common_questions.ipynb): why a logarithm, a minus, a mean, a root, two betas, and why accuracy can fall while the loss falls. For whole curves there is [What does your curve say?](02_what_does_your_curve_say.ipynb).
#
# ## A rate from two losses, drawn
#
# A **trial step** is a step that one takes only to read the loss behind it; then the parameters go back. One trial step from $\theta$ along $-g$ gives two losses, $L_0$ before and $L_1$ after. The gradient gives the slope at the start: per unit of the rate, the loss falls by $|g|^2$. Two heights and a slope fix a parabola.

# %% tags=["fold"] name="idea-picture"
# The loss along the gradient of the start, and what the trial step sees of it.
steps = np.linspace(-0.02, 0.68, 141)
fig, (ax,) = plots.panels()
ax.plot(steps, [loss(start - r * g) for r in steps], label="loss along the gradient")
ax.plot(steps[:60], loss(start) - steps[:60] * (g @ g), "C1--", label="slope at the start")
ax.plot([0, 0.1], [loss(start), loss(start - 0.1 * g)], "ko", ms=7, label="two losses")
ax.plot([first], [loss(start)], "C3X", ms=11, label="as high as the start")
ax.axhline(loss(start), color="0.6", lw=1, ls=":")
ax.set(xlabel="learning rate of the trial step", ylabel="loss", ylim=(0.16, 0.56))
ax.legend(loc="lower right")
plots.Picture(fig, alt="A parabola falls from the start, turns at about 0.3 and is back at the "
              "height of the start near 0.6, where a cross stands. Two dots lie on its left part.")

# %% [markdown] name="formula"
# Any longer step ends higher than it began. So the cross is the largest rate for *this* step:
#
# $$\hat\eta = \frac{\eta^2\, |g|^2}{L_1 - L_0 + \eta\, |g|^2}$$
#
# Here $\eta$ is the rate of the trial step, and $\hat\eta$ the largest rate. In the picture $\eta$ is 0.1, where the eye can see it.

# %% name="trial"
def trial(loss, theta, g, lr):  # the rate at which a step along -g ends as high as it began
    rise = loss(theta - lr * g) - loss(theta)
    return lr**2 * (g @ g) / (rise + lr * (g @ g))

print(f"largest rate of the first step: {trial(loss, start, gradient(start), 0.1):.3f}")

# %% [markdown] name="derivation-text"
# ## Derivation
#
# Take a bowl with two axes, with the curvatures $h$ and $k$. The gradient has the components $u$ and $v$. Then the start lies $u / h$ and $v / k$ from the minimum.

# %% tags=["fold"] name="derive-step"
# Derivation 1: the loss after one step.
u, v, h, k, eta = sp.symbols("u v h k eta", positive=True)

def after(u, v, h, k, eta):  # the library's step in such a bowl
    theta, g = np.stack([u / h, v / k]), np.stack([u, v])
    rule = [SGD(float(r)) for r in eta]
    moved = [r.update(theta[:, i], g[:, i], r.init(theta[:, i]))[0] for i, r in enumerate(rule)]
    a, b = np.array(moved).T
    return (h * a**2 + k * b**2) / 2

(
    derive(r"L_1", "(u - eta*h*u)**2 / (2*h) + (v - eta*k*v)**2 / (2*k)",
           r"a step takes the share $\eta h$ or $\eta k$ off each component", [u, v, h, k, eta])
    .library("the loss after SGD(eta).update(theta, g, state)", after)
    .equals("u**2/(2*h) + v**2/(2*k) - eta*(u**2 + v**2) + eta**2*(h*u**2 + k*v**2)/2",
            r"multiplied out: the start, minus $\eta |g|^2$, plus a bend")
)

# %% [markdown] name="derive-text-2"
# The first two terms are $L_0$. At $\hat\eta$ the last two cancel:

# %% tags=["fold"] name="derive-edge"
# Derivation 2: the rate at which they cancel, and why it is never below the edge.
d = sp.Symbol("d", positive=True)

def from_losses(u, v, h, d):  # by the library's trial step
    lr = np.full_like(u, 0.1)
    rise = after(u, v, h, h + d, lr) - after(u, v, h, h + d, 0 * lr)
    return lr**2 * (u**2 + v**2) / (rise + lr * (u**2 + v**2))

(
    derive(r"\hat\eta", 2 * (u**2 + v**2) / (h * u**2 + (h + d) * v**2),
           r"where $\hat\eta$ times the bend is the slope; $k = h + d$ is the steeper axis",
           [u, v, h, d])
    .library("the formula above, from two losses of SGD", from_losses)
    .equals("2 / (u**2/(u**2 + v**2) * h + v**2/(u**2 + v**2) * (h + d))",
            "two over a mean of the curvatures, weighted by the squared gradient")
    .at_least("2 / (h + d)", "**a mean is at most the largest**: this is the edge")
)

# %% [markdown] name="play-text"
# There is the answer. The trial step sees a mean of the curvatures, and the edge depends on the largest. So **two losses never promise too little: the cliff is at the line or left of it.** More axes change nothing in the argument.
#
# ## Play
#
# Move the rate. Left is the loss, right the factor by which a step multiplies the distance along each of the ten axes. At which rate is the curve lowest in the end? Which axis starts the explosion, and which one has hardly moved by then?

# %% tags=["fold"] name="play-picture"
# One rate after the other: the curve, and the factor of each axis.
fig, axes = plots.panels(2)
axes[0].set(xlabel="step", ylabel="loss above its minimum (log)", yscale="log",
            xlim=(0, 100), ylim=(above.min() / 3, 100))
axes[1].axvspan(-1, 1, color="0.93")
axes[1].axvline(0, color="0.4", lw=1)
axes[1].set(xlabel="factor per step (grey: the distance shrinks)", xlim=(-1.6, 1.1),
            ylabel="axis (1: steepest)", yticks=range(1, 11), ylim=(10.6, 0.4))

def one_rate(left, right, share):
    r = share * edge
    with np.errstate(over="ignore"):
        curve = [loss(t) - loss(lowest) for t in descend(start, SGD(r), gradient, 100)]
    left.plot(np.clip(curve, 1e-9, 1e3))
    factor = 1 - r * curvature
    right.barh(range(1, 11), factor, color=["C1" if abs(f) > 1 else "C0" for f in factor])
    return (f"Rate {r:.3f}, {share:g} of the edge: steepest axis {factor[0]:.2f}, flattest "
            f"{factor[-1]:.3f}; after 100 steps {curve[-1]:.2g} above the minimum.")

shares = [0.02, 0.05, *np.round(np.arange(0.1, 0.95, 0.05), 2), 0.95, 0.98, 1, 1.02, 1.05, 1.1, 1.2]
plots.moving(fig, "rate over the edge", shares, one_rate, 0.5,
             "Left the loss over 100 steps, falling. Right ten bars, the factor of each axis: the "
             "steepest is 0 at half of the edge, the flattest is close to 1.", play=True)

# %% [markdown] name="breaks-text"
# The curve is lowest a few per cent below the edge. Beyond it one axis of ten, the steepest, blows up; the flattest has hardly moved. That is why one wants the rate as large as it can be.
#
# ## What breaks
#
# Somebody trusts the first trial step and takes a rate 5 per cent below it:

# %% name="breaks"
theta, found = start, []
for _ in range(5):  # a trial step, then a real one at the rate that it found
    found.append(trial(loss, theta, gradient(theta), 0.01))
    theta = theta - found[-1] * gradient(theta)
print("five trial steps:", *(f"{r:.3f}" for r in found), f"  the edge: {edge:.3f}")
hasty = [loss(t) for t in descend(start, SGD(0.95 * found[0]), gradient, 100)]
print("at 0.95 of the first: loss", *(f"{h:.2f}" for h in hasty[:6]),
      f"... {hasty[-1]:.1e}, in the end {hasty[-1] / hasty[-2]:.2f} times as high in each step")

# %% tags=["fold"] name="breaks-picture"
# The same in a bowl with two axes: where the real steps go.
oval = quadratic(1, 6)
point = np.array([3.0, 0.08])
trail, seen = [point], []
for _ in range(6):
    slope = oval.gradient(point)
    seen.append(trial(oval.value, point, slope, 0.01))
    point = point - min(seen[-1], 0.36) * slope  # kept short, to stay in the picture
    trail.append(point)
print("in the picture:", *(f"{r:.2f}" for r in seen), f"  the edge: {2 / 6:.2f}")
assert np.all(np.array(found) >= edge * (1 - 1e-9)) and found[-1] / edge - 1 < 0.03
plots.paths(oval, {"real steps": np.array(trail)}, "Contours of an oval bowl. A path starts far "
            "right on the flat axis, moves left with swings that grow, up and down across it.",
            span=((-0.6, 3.3), (-0.7, 0.7)))

# %% [markdown] name="breaks-reading"
# **The signature: the loss falls at first, and then it grows by the same factor in every step.** The first gradient points mostly along a flat axis, as in the picture. A step beyond the edge of the steep axis enlarges the component there. So each later gradient points more along the steep axis, and its trial step sees more of the largest curvature. (In the picture no real step has a rate above 0.36, or it would leave the page. The vertical axis is stretched.)
#
# The cure: five trial steps, a real step after each. Take the smallest of the five rates, and go back to the start.
#
# ## Rates and steps

# %% name="numbers-steps"
def noisy(lr, size, steps=600, copies=200):  # runs on small batches, from the minimum on
    theta, draw, heights = np.tile(lowest, (copies, 1)), np.random.default_rng(seed), []
    for _ in range(steps):
        rows = draw.integers(len(y), size=(copies, size))
        miss = (x[rows] @ theta[..., None])[..., 0] - y[rows]
        theta = theta - lr * (miss[:, None] @ x[rows])[:, 0] / size
        heights.append((((theta - lowest) @ bend) * (theta - lowest)).sum(1) / 2)
    return np.array(heights[steps // 2 :])

high, low = noisy(0.04, 8), noisy(0.01, 8)
print(f"steps that end higher: {(np.diff(high, axis=0) > 0).mean():.0%}")
print(f"a quarter of the rate: {low.mean() / high.mean():.2f} times the height above the minimum")
print(f"batch of 32 and not 8: {noisy(0.04, 32).mean() / high.mean():.2f} times the height")

# %% tags=["fold"] name="numbers-stop"
# A model with 65 features, trained on 60 patients, judged on the others.
def stops(s):
    split = data.diabetes(s)
    pairs = np.triu_indices(10)

    def wide(x):
        return np.hstack([x, x[:, pairs[0]] * x[:, pairs[1]] - (pairs[0] == pairs[1])])

    z = (split.y - split.y.mean()) / split.y.std()
    a, b = wide(split.x), z
    runs = descend(np.zeros(65), SGD(0.02), lambda t: a[:60].T @ (a[:60] @ t - b[:60]) / 60, 600)
    miss = a @ np.array(runs).T - b[:, None]
    return (miss[:60] ** 2).mean(0) / 2, (miss[60:] ** 2).mean(0) / 2

seen = [stops(s) for s in setting.seeds]
when = [v.argmin() for _, v in seen]
print(f"lowest on new patients after {spread(when, '.0f')} of 600 steps")
falls = [t[-1] / t[k] for (t, _), k in zip(seen, when, strict=True)]
print(f"then, at the end: training loss {spread(falls)} times as high, "
      f"loss on new patients {spread([v[-1] / v.min() for _, v in seen])} times")
print(f"factor of the steepest axis at 1.12 times the edge: {1 - 2 * 1.12:.2f}; "
      f"in 100 steps: {1.24**100:.0e}")
assert all(t[-1] < t[k] and v[-1] / v.min() - 1 > 0.1 for (t, v), k in zip(seen, when, strict=True))

# %% [markdown] name="answers-steps"
# ### Q1 How do I choose a learning rate?
# Sweep: double the rate until the result gets worse, and keep the best, which must lie *inside* the grid. For gradient descent trial steps tell where to end: in a bowl the best rate is just below the edge. For Adam there is no such formula. In the race of the map the rate mattered most, then the seed, and the optimizer least.
#
# **Decided by:** the first picture; [the race of the map](../01_background/02_the_map.ipynb#The-race); [every pair, every rate](../02_concepts/04_how_the_two_interact.ipynb#Every-pair,-every-rate).
#
# ### Q2 The loss explodes. What now?
# Halve the rate. At 1.12 times the edge the steepest axis has the factor -1.24, and in 100 steps that is $2 \cdot 10^9$. If half of the rate, and half of that, explode at the same *example*, the data are at fault: look for an input far from all others.
#
# **Decided by:** [how long may a step be?](../03_algorithms/03_sgd.ipynb#How-long-may-a-step-be?); [a wrong home](../04_mathematics/08_house_prices.ipynb#Far-enough-out,-a-wrong-home-fits).
#
# ### Q3 The loss rises every few steps. Is something broken?
# No. A step lowers the loss of its own batch. Near the minimum half of the steps end higher on all data (50 per cent in the cell). With full batches a network may bounce as well, at the edge of stability. Judge a mean over many steps.
#
# **Decided by:** [what does a batch know?](../03_algorithms/03_sgd.ipynb#What-does-a-batch-know?); [what a bounce does](../04_mathematics/05_how_far_may_a_step_go.ipynb#What-a-bounce-does).
#
# ### Q4 Do I need a warm-up?
# Only where the start is too steep for the rate that you want later. With momentum, warm-up helped at the highest rate after a start with weights three times too large. After the usual start it went either way, and a lower rate did about as well. Try the lower rate first.
#
# **Decided by:** [warm-up: where it helps and where not](../03_algorithms/16_schedules.ipynb#Warm-up:-where-it-helps-and-where-not).
#
# ### Q5 Which schedule?
# One that falls, if your batches are small. At a constant rate the parameters circle above the minimum, at a height about proportional to the rate: a quarter of the rate leaves 0.24 of the height. Cosine, a straight line and averaging all remove it. A cosine needs to know the end.
#
# **Decided by:** [the plan](../03_algorithms/16_schedules.ipynb#The-plan).
#
# ### Q6 How large should a batch be?
# As small as your machine likes, as long as the rate follows: a batch $k$ times as large bears a rate $k$ times as large, up to the edge. At the same rate four times the batch leaves 0.24 of the height. At the edge a larger batch reads more and goes no farther.
#
# **Decided by:** [does the rule hold?](../03_algorithms/26_how_large_a_batch.ipynb#Does-the-rule-hold?).
#
# ### Q7 When do I stop?
# At the lowest loss on data that you do not train on. In the cell that is after 32 of 600 steps. Afterwards the training loss falls to half, and the loss on new patients rises to 1.8 times its lowest. The loss at the stop is too good, because it was chosen: report that of a third part of the data.
#
# **Decided by:** [sayings put to the test](../03_algorithms/18_advantages_and_drawbacks.ipynb#What-breaks:-sayings-put-to-the-test); [four risks](../04_mathematics/01_from_data_to_objective.ipynb#Four-risks).
#
# ## Optimizers

# %% name="numbers-rules"
def first_step(rule, g):
    return abs(rule.update(np.zeros(1), np.array([g]), rule.init(np.zeros(1)))[0][0])

for rule in (SGD(1.0), Adam(1.0)):
    ratio = first_step(rule, 100.0) / first_step(rule, 0.1)
    print(f"{type(rule).__name__}: gradient 1000 times as large, step {ratio:.0f} times as long")
small = [f"{first_step(Adam(1.0), g):.2f}" for g in (1e-6, 1e-8, 1e-10)]
print("Adam, gradient 1e-6, 1e-8, 1e-10: first step", *small, "learning rates")
print(f"decay 0.1 at rate 0.001, no gradient: {(1 - 1e-4) ** 10_000:.2f} left after 10 000 steps")
spiked = iter([1.0] * 50 + [100.0] + [1.0] * 100)
trail = descend(np.zeros(1), Adam(1.0), lambda t: np.array([next(spiked)]), 151)
late = (trail[-2] - trail[-1])[0]
print(f"Adam, 100 steps after a gradient 100 times as large: {late:.2f} of the usual step")
print(f"the largest slope of a sigmoid, through ten layers: {0.25**10:.0e}")

# %% [markdown] name="answers-rules"
# ### Q8 Adam or SGD?
# Adam where the gradients of the weights differ in scale, as in language models with their rare words. Momentum can win elsewhere, as on the diabetes data. Tune both with the same number of tries.
#
# **Decided by:** [the race](../03_algorithms/20_where_adam_wins.ipynb#The-race); [is it the frequency?](../04_mathematics/12_rare_tokens.ipynb#Is-it-the-frequency?).
#
# ### Q9 May I carry a learning rate from SGD to Adam?
# No. For SGD the rate is a factor of the gradient, for Adam a distance. A gradient 1000 times as large makes SGD's step 1000 times as long, and Adam's just as long as before. So a factor on the loss changes SGD and not Adam. Two libraries can differ as well.
#
# **Decided by:** [multiply the loss by 100](../02_concepts/04_how_the_two_interact.ipynb#Derivation); [a rate that moves to another library](../07_resources/02_tools.ipynb#What-breaks:-a-rate-that-moves-to-another-library).
#
# ### Q10 Does epsilon matter?
# Only where gradients are as small as $\epsilon$. At a gradient of $10^{-8}$, PyTorch's $\epsilon$, Adam takes half of its step, and at $10^{-10}$ a hundredth. Print the size of your gradients. A large $\epsilon$ turns Adam back into gradient descent.
#
# **Decided by:** [where epsilon enters](../04_mathematics/06_inside_adam.ipynb#Where-epsilon-enters).
#
# ### Q11 What does a weight decay of 0.1 do?
# In AdamW each step takes the share rate times decay off every weight. At the rate 0.001, a weight without gradient keeps 0.37 of itself in 10 000 steps. What counts is the decay times the *sum* of the rates. A penalty inside Adam is another thing.
#
# **Decided by:** [decoupled weight decay](../03_algorithms/13_adamw.ipynb#Derivation); [a penalty inside the ratio](../04_mathematics/06_inside_adam.ipynb#Derivation:-a-penalty-inside-the-ratio).
#
# ### Q12 Should I clip the gradient?
# Yes, at a norm that usual steps do not reach. Adam needs it too: 100 steps after one gradient 100 times as large, its step is an eighth of the usual one. A tight clip moves the minimum. Clipping cannot mend `inf`: skip that step.
#
# **Decided by:** [Adam after one bad batch](../03_algorithms/17_clipping_and_accumulation.ipynb#Adam-after-one-bad-batch); [a gradient that is not finite](../03_algorithms/17_clipping_and_accumulation.ipynb#A-gradient-that-is-not-finite).
#
# ### Q13 Am I stuck in a local minimum?
# Look at the norm of the gradient over all data. If it is not near 0, you are at no minimum: look at the rate and at the data first. Softmax regression has one valley. A network has many, mirrored copies among them; at a saddle the gradient is small and there is a way down.
#
# **Decided by:** [two runs, two valleys](../04_mathematics/04_the_bowl_under_softmax.ipynb#Two-runs,-two-valleys); [saddle points](../03_algorithms/15_second_order.ipynb#Saddle-points).
#
# ### Q14 Why do the first layers not learn?
# Each layer multiplies the gradient by its slope. A sigmoid's slope is at most 1/4, so ten layers leave $10^{-6}$ at best, and a dead ReLU leaves 0. Print the gradient's norm layer by layer. Adam divides a small factor out; it cannot divide out 0.
#
# **Decided by:** [the tree](02_what_does_your_curve_say.ipynb#The-tree).
#
# ### Q15 Is there a better optimizer than AdamW?
# On some tasks. In the fair race eight rules on five tasks put three different rules in front. For our small language model Muon and RMSProp ended level, and a second learning rate was worth more than the choice of the rule. Tune what you have first.
#
# **Decided by:** [the fair race](../08_outlook/09_a_fair_race.ipynb#The-race); [which optimizer?](../05_project/07_which_optimizer.ipynb#The-race); [what Muon, Shampoo and SOAP share](../08_outlook/05_matrix_optimizers.ipynb#With-memory-they-part).
#
# ## Losses

# %% tags=["fold"] name="numbers-losses"
# The numbers of the next nine answers.
print("log C for 2, 10, 512 classes:", *(f"{np.log(C):.2f}" for C in (2, 10, 512)), "nats")
def entropy(p):
    return -sum(share * np.log(share) for share in p)
print(f"labels that are right 8 times in 10: the loss ends at {entropy([0.8, 0.2]):.2f} nats")
print(f"smoothing 0.1, ten classes: {entropy([0.91, *[0.01] * 9]):.2f} nats at the lowest")
print(f"4 nats per token of 4 letters: perplexity {np.exp(4):.0f}, {4 / 4:.1f} nats per letter; "
      f"1.5 nats per letter: perplexity {np.exp(1.5):.1f}")
good = np.random.default_rng(seed).normal(10, 1, 100)
bad = np.where(np.arange(100) == 0, 10 * good, good)  # one decimal point has slipped
print(f"mean {good.mean():.2f}, then {bad.mean():.2f}; "
      f"median {np.median(good):.2f}, then {np.median(bad):.2f}")
print(f"a miss costs 20 false alarms: threshold {1 / (1 + 20):.3f}")
big = torch.tensor([100.0])
print("float32, log(exp(100)):", big.exp().log().item(), " inf minus inf:",
      (big.exp() - big.exp()).item(), " logsumexp:", big.logsumexp(0).item())

# %% [markdown] name="answers-losses"
# ### Q16 Which loss do I need?
# The one that asks for the number that you need. Squared error asks for the mean, absolute error for the median, a quantile loss for a bound, cross-entropy for probabilities. Choose what noise the target has, and the loss follows.
#
# **Decided by:** [the losses, drawn](../01_background/02_the_map.ipynb#The-losses,-drawn); [which loss for which question?](../06_applications/03_heavy_tails.ipynb#Which-loss-for-which-question?).
#
# ### Q17 Is my first loss right?
# With $C$ classes and small logits it is $\log C$: 0.69, 2.30, 6.24 nats for 2, 10, 512 classes. Far below, the answer stands in the input. A little above, the first logits are large; add half of their variance.
#
# **Decided by:** [the first loss](../03_algorithms/19_fields.ipynb#Derivation:-the-first-loss); [the frame](../05_project/05_what_this_curve_says.ipynb#The-frame).
#
# ### Q18 Why does the loss not reach 0?
# Because of its floor. Labels that are right 8 times in 10 cost 0.50 nats under a perfect model. Count before you train: the loss of a table of frequencies, or of pairs of words, costs a second.
#
# **Decided by:** [mean loss = floor + gap](../04_mathematics/03_the_floor_of_cross_entropy.ipynb#Mean-loss-=-floor-+-gap); [four levels](../05_project/02_pre_training.ipynb#Four-levels).
#
# ### Q19 What does a perplexity say?
# It is $e^\text{loss}$: as unsure as between that many equal choices. It counts per token. A model with perplexity 55 on tokens of four letters pays 1.0 nats a letter, and one with 4.5 on single letters pays 1.5: the first is better. Compare bits per character.
#
# **Decided by:** [what breaks in the character model](../04_mathematics/11_a_character_model.ipynb#What-breaks).
#
# ### Q20 Some targets are wildly wrong. Which loss?
# Huber's or absolute error. One slipped decimal point among 100 numbers moves the mean by 0.9 and the median hardly. They do not protect from a wrong *input*, and they give no mean: do not use them where a sum counts.
#
# **Decided by:** [is the robust loss better?](../03_algorithms/05_regression.ipynb#Is-the-robust-loss-better?); [a wrong home](../04_mathematics/08_house_prices.ipynb#Far-enough-out,-a-wrong-home-fits).
#
# ### Q21 Sum or mean?
# The minimum is the same, if the whole objective has the factor. SGD's gradient is $n$ times as long with the sum, so its rate must be divided by $n$. Adam divides the factor out. With a penalty beside the loss the minimum moves.
#
# **Decided by:** [a sum with a smaller rate](../03_algorithms/30_mean_sum_or_half.ipynb#A-sum-with-a-smaller-rate-makes-the-same-step); [where the penalty kills](../04_mathematics/10_the_auto_encoder.ipynb#Where-the-penalty-kills).
#
# ### Q22 How much label smoothing?
# Less than 0.1, unless your model is far too sure. On digits 0.01 helped at both rates, and 0.1 only where training had made the model too sure. The loss has a new floor: 0.50 nats with 0.1 and ten classes. Do not compare it with a loss without smoothing.
#
# **Decided by:** [how much smoothing?](../03_algorithms/10_soft_targets.ipynb#How-much-smoothing?).
#
# ### Q23 One class is rare. Do I weigh it?
# Move the threshold instead. If a miss costs as much as 20 false alarms, say "yes" from a probability of 0.048 on. At equal false alarms weights and focal loss found no more cases, and both spoiled the probabilities.
#
# **Decided by:** [the threshold from the costs](../06_applications/01_the_rare_class.ipynb#Derivation:-the-threshold-from-the-costs); [what the cures destroy](../06_applications/01_the_rare_class.ipynb#What-the-cures-destroy).
#
# ### Q24 Why is the loss NaN?
# Mostly: the logarithm of 0, or an exponential that is too large. In float32 $\log e^{100}$ is already `inf`, and `inf` minus `inf` is `nan`. Hand logits to the loss. Then: a mean over no label at all, or a rate beyond the edge.
#
# **Decided by:** [where float32 ends](../03_algorithms/01_binary_cross_entropy.ipynb#Where-float32-ends); [a mean over nothing](../05_project/06_bugs_that_hide.ipynb#What-breaks:-a-mean-over-nothing).
#
# ## Memory and precision

# %% tags=["fold"] name="numbers-precision"
# The numbers of the next three answers.
million = 7000  # a model of 7 billion numbers, 4 bytes each
parts = {"weights": 1, "gradient": 1, "Adam's two averages": 2}
print("; ".join(f"{name} {4 * m * million / 1000:.0f} GB" for name, m in parts.items())
      + f"; together {4 * sum(parts.values()) * million / 1000:.0f} GB")
weight = torch.tensor(1.0, dtype=torch.bfloat16)
print("bfloat16: 1 + 0.003 =", (weight + 0.003).item(), " 1 + 0.005 =", (weight + 0.005).item())
print("float64: (0.1 + 0.2) + 0.3 - (0.1 + (0.2 + 0.3)) =", (0.1 + 0.2) + 0.3 - (0.1 + (0.2 + 0.3)))

# %% [markdown] name="answers-precision"
# ### Q25 How much memory does a training need?
# Four numbers per parameter with Adam: the weight, the gradient, two averages. Seven billion parameters in float32 make 112 GB, without what the layers keep for the backward pass. An adapter saves the last three parts for all but its own few numbers.
#
# **Decided by:** [what it saves](../05_project/04_low_rank_adaptation.ipynb#What-it-saves); [what does it cost?](../05_project/07_which_optimizer.ipynb#What-does-it-cost?).
#
# ### Q26 Is bfloat16 enough?
# Not for the weights: 1 + 0.003 is 1, so small steps are lost. Keep a float32 copy of the weights and update that.
#
# **Decided by:** [a decay that is rounded away](../03_algorithms/13_adamw.ipynb#A-decay-that-is-rounded-away).
#
# ### Q27 Why do two runs of one seed differ?
# A sum depends on its order, here by $10^{-16}$, and threads and kernels choose the order. Training can enlarge that to another model. Neither run is wrong: the difference is one more draw, as another seed is.
#
# **Decided by:** [which of the two is wrong?](../05_project/01_the_same_numbers_twice.ipynb#Which-of-the-two-is-wrong?).
#
# ## Fine-tuning

# %% tags=["fold"] name="numbers-tuning"
# The numbers of the next answers, some from recorded runs.
half = []  # of the recorded fine-tuning: gain and price half of the way, as shares
for run in records.of("05_project/03_fine_tuning").runs.values():
    base, full, middle = (np.array(run[k]) for k in ("base", "tuned", "way, 3e-3"))
    half.append((middle[4] - base) / (full[2] - base))
gain, paid = np.median(half, axis=0)
print(f"half of the way: {gain:.0%} of the gain for {paid:.0%} of the price")
losses = np.array([2.0] + [1.0] * 9)  # micro-batches of 1 and 9 tokens
print(f"mean of all tokens {losses.mean():.2f}, mean of the two means "
      f"{(losses[:1].mean() + losses[1:].mean()) / 2:.2f}")
for chosen, rejected in ((-10.0, -10.0), (-13.0, -20.0)):
    told = dpo(np.array([chosen]), np.array([rejected]), np.array([-10.0]), np.array([-10.0]))
    print(f"log-probability chosen {chosen}, rejected {rejected}: DPO loss {told.value[0]:.2f}")
print("advantages of rewards 1, 1, 1, 1:", group_advantage(np.ones(4)))

# %% tags=["fold"] name="numbers-lora"
# The rate with the largest gain in the recorded runs.
recorded = records.of("05_project/04_low_rank_adaptation").runs.values()
for name in ("all numbers", "rank 8"):
    swept = np.array([run[name] for run in recorded])  # seed, rate, (rate, task loss, old loss)
    k = int(np.median(swept[..., 1], axis=0).argmin())
    print(f"{name}: rates {swept[0, :, 0]}, the best one {swept[0, k, 0]:g}")

# %% [markdown] name="answers-tuning"
# ### Q28 LoRA or all weights, and at which rate?
# LoRA where memory is short or one model must serve many tasks. In our small model its best rate was about three times that of all weights, 0.01 and 0.003. All weights at 0.001 gained more and forgot less than every adapter at its best rate. Give each its own sweep.
#
# **Decided by:** [learning and forgetting](../05_project/04_low_rank_adaptation.ipynb#Learning-and-forgetting).
#
# ### Q29 How do I keep what the model knew?
# Report the loss on old text beside the loss on the task. Mix old data in, if you have them. If not, go only half of the way between the two models: in our runs 87 per cent of the gain for 18 per cent of the price. It costs no training.
#
# **Decided by:** [half the way](../05_project/03_fine_tuning.ipynb#Half-the-way); [replay](../05_project/03_fine_tuning.ipynb#Replay).
#
# ### Q30 Should the prompt count in the loss?
# Mask it first. With few examples masking ended lower, each way at its best rate; with many there was no winner. At one common rate that was too high, counting seemed to win.
#
# **Decided by:** [should the prompt count?](../06_applications/06_instruction_tuning.ipynb#Should-the-prompt-count?).
#
# ### Q31 Why does gradient accumulation change the result?
# Because a mean of means is no mean. Micro-batches of 1 and 9 tokens with the losses 2 and 1 give 1.10 per token and 1.50 as a mean of means. Add up the losses, and divide once by all tokens of the step.
#
# **Decided by:** [the error that shipped](../06_applications/06_instruction_tuning.ipynb#What-breaks:-the-error-that-shipped); [whose mean?](../05_project/06_bugs_that_hide.ipynb#Bug-2:-whose-mean?).
#
# ### Q32 DPO lowers the probability of the chosen answer. Is that a bug?
# No. The loss sees only the lead. In the cell the chosen answer loses 3 nats and the rejected one 10, and the loss falls from 0.69 to 0.40. Print the log-probability of chosen answers and the KL beside the loss, and stop early.
#
# **Decided by:** [where the probability goes](../06_applications/07_preference_tuning.ipynb#Derivation:-where-the-probability-goes).
#
# ### Q33 The reward does not move. Why?
# First look whether the answers to one prompt get different rewards. Equal rewards have the advantage 0: such a prompt teaches nothing (exercise 3). Then look at the rate. If the reward does move, read the answers.
#
# **Decided by:** [the others as baseline](../06_applications/08_reward_tuning.ipynb#Derivation:-the-others-as-baseline); [the reward is not what you meant](../06_applications/08_reward_tuning.ipynb#What-breaks:-the-reward-is-not-what-you-meant).
#
# ## Measuring

# %% tags=["fold"] name="numbers-measuring"
# The numbers of the last two answers.
print(f"5 seeds agree on a winner by chance: {2 * 0.5**5:.4f}; 8 seeds: {2 * 0.5**8:.4f}")
draw = np.random.default_rng(seed)
wins = draw.random((20_000, 12)).min(1) < draw.random((20_000, 3)).min(1)
print(f"12 tries against 3 of the same optimizer: the first wins {wins.mean():.0%}")

# %% [markdown] name="answers-measuring"
# ### Q34 How many seeds do I need?
# So many that a coin does not do the same. Five seeds agree on a winner by chance once in 16 times, eight once in 128. A lead smaller than the spread over seeds shows nothing.
#
# **Decided by:** [a test where the claim was made](../08_outlook/01_the_claims.ipynb#Derivation); [which of the two is wrong?](../05_project/01_the_same_numbers_twice.ipynb#Which-of-the-two-is-wrong?).
#
# ### Q35 How do I compare two optimizers?
# With the same number of tries, the best rate of each inside its grid, and other seeds for the judging than for the choice. An optimizer with 12 tries beats *itself* with 3 in 80 per cent of the races. And say for which task: rankings hardly carry over.
#
# **Decided by:** [tries decide](../08_outlook/09_a_fair_race.ipynb#Derivation); [the protocol](../08_outlook/09_a_fair_race.ipynb#The-protocol).

# %% tags=["fold"] name="self-check"
# Is every question of the index answered, in at most eight lines, with a link?
page = Path(lessons_lib.__file__).parent.parent / "lessons/09_faq/01_questions/lesson.py"
told = re.sub("(?m)^# ?", "", page.read_text(encoding="utf-8"))
answers = re.findall(r"(?ms)^### (Q\d+ [^\n]*)\n(.*?)(?=^#+ |^%% |\Z)", told)
assert [name for name, _ in answers] == label
shown = [re.sub(r"\[(.*?)\]\(.*?\)", r"\1", text) for _, text in answers]
size = [sum(-(-len(line) // 90) for line in text.split("\n")) for text in shown]
linked = [re.findall(r"\]\(([^)#]*)", text) for _, text in answers]
pages = {target for targets in linked for target in targets}
assert len(answers) >= 25 and max(size) <= 8 and all(linked)
print(f"{len(answers)} answers of {min(size)} to {max(size)} lines (90 letters each), "
      f"each with a link; they lead to {len(pages)} lessons")

# %% [markdown] name="exercises"
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. Without a gradient (6 minutes, medium)
# Your library hides the gradient, and all you see are losses. You step along $-g$ and note the loss at the rate 0 (`L0`), at the rate `lr` (`L1`) and at the rate `2 * lr` (`L2`). Return the rate at which the loss is back at `L0`, for a bowl.

# %% name="exercise-edge"
def back(L0, L1, L2, lr):
    ### BEGIN SOLUTION
    bend = L2 - 2 * L1 + L0
    slope = L0 - L1 + bend / 2
    return 2 * lr * slope / bend
    ### END SOLUTION

# %% name="check-edge"
check("back")

# %% [markdown] name="exercise-choose-text"
# <details><summary>Hint 1</summary>Measure the rate in units of lr. Then the loss is L0 - slope t + bend t²/2, at t = 0, 1, 2.</details>
# <details><summary>Hint 2</summary>L2 - 2 L1 + L0 leaves the bend alone. Put it into the line for t = 1.</details>
#
# ### 2. Choose a rate (8 minutes, medium)
# `losses` has a row for each seed and a column for each of the `rates`, which increase. A run that diverged has `nan` or `inf`. Return the rate with the lowest median over the seeds. If it stands at an end of the grid, the grid was too short: return `nan`.

# %% name="exercise-choose"
def choose(rates, losses):
    ### BEGIN SOLUTION
    known = np.where(np.isfinite(losses), losses, np.inf)
    best = int(np.argmin(np.median(known, axis=0)))
    return rates[best] if 0 < best < len(rates) - 1 else np.nan
    ### END SOLUTION

# %% name="check-choose"
check("choose")

# %% [markdown] name="exercise-silent-text"
# <details><summary>Hint 1</summary>A run that diverged is a bad run, and it counts: which number says so to a median?</details>
# <details><summary>Hint 2</summary>np.where(np.isfinite(losses), losses, np.inf), then the median along the seeds.</details>
#
# ### 3. How many prompts teach nothing? (5 minutes, easy)
# Each answer is right with a chance that depends on its prompt: `p` holds one chance per prompt. A right answer gets the reward 1, a wrong one 0. Every prompt is answered `n` times, independently. Return the expected share of the prompts whose `n` rewards are all equal.

# %% name="exercise-silent"
def silent(p, n):
    ### BEGIN SOLUTION
    return np.mean(p**n + (1 - p) ** n)
    ### END SOLUTION

# %% name="check-silent"
check("silent")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>All right, or all wrong.</details>
# <details><summary>Hint 2</summary>The chances of the two cases add up; then take the mean over the prompts.</details>
# <details><summary>What it means (after solving)</summary>At one right answer in a hundred, groups of 8 teach nothing at 92 per cent of the prompts. It takes 69 answers until every second prompt teaches. Choose prompts that the model sometimes solves.</details>
#
# ## Takeaways
#
# - Ask for the price first. Two thirds of these questions need a pencil, or one look at a loss and a gradient, and no training.
# - Two losses and a gradient give the largest rate of a step: two over a mean of the curvatures. In a bowl it is never below the edge, and five such steps come within one per cent.
# - Do not use the trial step as the best rate of a network, and not for Adam. A network changes its curvature on the way (below): there the number tells where to sweep.
#
# ## Does it hold?
#
# **Other patients.** The first and the fifth trial step over the edge, in ten splits:

# %% tags=["fold"] name="control-seeds"
# The trial steps of ten splits.
rows = []
for s in range(seed, seed + 10):
    _, _, own_loss, own_gradient, own_bend, _ = regression(s)
    theta, ratio = np.zeros(10), []
    for _ in range(5):
        slope = own_gradient(theta)
        ratio.append(trial(own_loss, theta, slope, 0.01))
        theta = theta - ratio[-1] * slope
    rows.append(np.array(ratio) * np.linalg.eigvalsh(own_bend)[-1] / 2)
rows = np.array(rows)
assert rows.min() > 1 - 1e-9 and rows[:, 4].max() - 1 < 0.03
Table(["trial step", "its rate over the edge"],
      [[k, spread(rows[:, k - 1], ".3f")] for k in (1, 2, 3, 5)])

# %% [markdown] name="control-batch-text"
# **One batch instead of all data.** Loss and gradient of the same batch, against the edge of all data:

# %% tags=["fold"] name="control-batch"
# The first trial step of 200 random batches.
draw, rows, width = np.random.default_rng(seed), [], {}
for size in (8, 32, 128):
    found = []
    for _ in range(200):
        b = draw.choice(len(y), size, replace=False)
        slope = x[b].T @ -y[b] / size
        found.append(trial(lambda t, b=b: ((x[b] @ t - y[b]) ** 2).mean() / 2, start, slope, 0.01))
    low, middle, high = np.quantile(found, [0.1, 0.5, 0.9]) / edge
    width[size] = high - low
    rows.append([size, f"{middle:.2f} ({low:.2f} to {high:.2f})"])
assert width[8] > 1.5 * width[128]
Table(["batch", "its rate over the edge"], rows, "Median (tenth to ninetieth percentile).")

# %% [markdown] name="control-net-text"
# On small batches the rate scatters widely: most batches of 8 say something between 0.6 and 1.9 times the edge. Take the largest batch that you can.
#
# **A network.** 64 pixels of scikit-learn's digits (UCI, CC BY 4.0), 16 hidden units, ten classes, 400 pictures at once, 60 steps. The first trial step, the best of nine rates (lowest loss after 60 steps), and a trial step where that training ends:

# %% tags=["fold", "nbval-ignore-output"] name="control-net"
# The first trial step of a network against a sweep, five seeds.
def network(s):
    split, draw = data.digits(s), np.random.default_rng(s)
    inputs, labels = split.x[:400], split.y[:400]
    sizes = [(64, 16), (1, 16), (16, 10), (1, 10)]
    cuts = np.cumsum([a * b for a, b in sizes])[:-1]
    begin = np.concatenate([(draw.normal(size=k) / k[0] ** 0.5 * (k[0] > 1)).ravel()
                            for k in sizes])

    def both(theta):
        A, a, B, b = (p.reshape(k) for p, k in zip(np.split(theta, cuts), sizes, strict=True))
        hidden = np.tanh(inputs @ A + a)
        told = cross_entropy(hidden @ B + b, labels)
        push = told.grad / len(labels)
        back = push @ B.T * (1 - hidden**2)
        slopes = (inputs.T @ back, back.sum(0), hidden.T @ push, push.sum(0))
        return told.value.mean(), np.concatenate([np.ravel(part) for part in slopes])

    return begin, both

grid, rows, ratio = 2.0 ** np.arange(-1, 8), [], []
for s in setting.seeds[:5]:
    begin, both = network(s)
    lossy, push = (lambda t, f=both: f(t)[0]), (lambda t, f=both: f(t)[1])
    guess = trial(lossy, begin, push(begin), 1e-3)
    swept = [lossy(descend(begin, SGD(r), push, 60)[-1]) for r in grid]
    best = grid[int(np.argmin(swept))]
    ratio.append(best / guess)
    done = descend(begin, SGD(best), push, 60)[-1]
    later = trial(lossy, done, push(done), 1e-3)
    rows.append([s, f"{guess:.1f}", f"{best:g}", f"{best / guess:.1f}", f"{later:.0f}"])
    assert grid[0] < best < grid[-1]
assert min(ratio) > 0.3 and max(ratio) < 20
Table(["seed", "first trial step", "best of nine rates", "best / first", "trial step at the end"],
      rows)

# %% [markdown] name="sources"
# The best rate is 0.8 to 4.6 times the first trial step. In a network the curvature changes on the way: along the gradient it ends at less than a fiftieth (last column). [How far may a step go?](../04_mathematics/05_how_far_may_a_step_go.ipynb) follows it. A trial step tells where to sweep. It does not replace the sweep.
#
# ## Sources
#
# - Y. LeCun, P. Simard and B. Pearlmutter, 1993: *Automatic learning rate maximization by on-line estimation of the Hessian's eigenvectors*, NIPS 5. They let repeated steps turn a vector towards the steepest direction, as our five trial steps do, and read the rate off.
# - L. N. Smith, 2017: *Cyclical learning rates for training neural networks*, arXiv 1506.01186 (the range test: raise the rate during a run until the loss takes off).
# - The answers rest on the sources of the lessons that they link to.
