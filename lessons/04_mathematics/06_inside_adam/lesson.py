# ---
# jupyter:
#   lesson:
#     title: "Inside Adam"
#     question: "One slope is a thousand times steeper, and Adam moves that weight less. What does it measure?"
#     minutes: 45
#     needs: [03_algorithms/04_adam, 03_algorithms/13_adamw, 03_algorithms/21_how_far_can_adam_step]
#     settles: [G16, G17, G18, E11]
#     studies: [optim.Adam, optim.AdamW]
#     terms: [root mean square, signal-to-noise ratio, sign descent, error function, steady]
# ---

# %% [markdown] name="title"
# # Inside Adam
#
# **Goal.** Read Adam's step as one ratio, and explain with it the length of a step, the place of $\epsilon$ and the trouble with penalties.
#
# **The question.** A model weighs 30 measurements of a tumour, each in its own unit, to tell benign from malignant. The mean gradient of one weight is a thousand times that of another. Which of the two does Adam move farther?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
from math import erf

import numpy as np
import sympy as sp
from sklearn.datasets import load_breast_cancer

from lessons_lib import bridge, data, exercises, plots
from lessons_lib.derive import derive
from lessons_lib.losses import cross_entropy
from lessons_lib.optim import Adam, AdamW
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("04_mathematics/06_inside_adam")

# %% tags=["fold"] name="tumours"
# Gradients of the 30 weights in batches of 32, all weights held at 0: there p = 1/2 for everyone.
tumours = load_breast_cancer()
single = (0.5 - tumours.target)[:, None] * tumours.data  # (p - y) x, one row per tumour
mean, noise = single.mean(0), single.std(0) / 32**0.5  # of the gradient of a batch

def batches(s):  # 4552 of them; in all, every tumour is drawn 256 times
    cards = np.random.default_rng(s).permutation(np.tile(np.arange(len(single)), 256))
    return single[cards.reshape(-1, 32)].mean(1)

stream = np.stack([batches(s) for s in setting.seeds], 1)  # (steps, seeds, weights)

# %% name="watch"
def steps_of(rule, gradients, theta=0.0):  # each step in learning rates; theta stays where it is
    theta = theta + np.zeros(gradients.shape[1:])
    state, found = rule.init(theta), []
    for g in gradients:
        moved, state = rule.update(theta, g, state)
        found.append((theta - moved) / rule.lr)
    return np.array(found)

far = abs(steps_of(Adam(), stream).mean(0))  # the mean step: (seeds, weights)

# %% tags=["fold"] name="question-picture"
# Each dot is a weight: its mean step over its mean gradient, and over its signal-to-noise ratio.
names = [*tumours.feature_names]
big, small = names.index("worst perimeter"), names.index("smoothness error")
middle, ratio = np.median(far, axis=0), abs(mean) / noise
fig, (left, right) = plots.panels(2, sharey=True)
at = np.geomspace(0.05, 3, 100)
right.plot(at, at / np.sqrt(1 + at**2), color="0.5", lw=1.5, ls="--", label="to be derived")
for ax, where in ((left, abs(mean)), (right, ratio)):
    ax.plot(where, middle, "o", ms=4, color="C0")
    for i, look, text in ((big, "s", "worst perimeter"), (small, "D", "smoothness error")):
        ax.plot(where[i], middle[i], look, ms=8, color="C1", mec="black")
        side = "right" if i == small and ax is right else "left"
        shift = (12, -5) if i == big else (-8, 9)
        ax.annotate(text, (where[i], middle[i]), shift, textcoords="offset points", ha=side)
    ax.set_xscale("log")
left.set(xlabel="size of the mean gradient (log)", ylabel="mean step / learning rate",
         ylim=(0, 1), title="By size: no law")
right.set(xlabel="mean gradient / its standard deviation (log)",
          title="By another number: one curve")
right.legend(loc="center right")
plots.Picture(
    fig, alt="Two scatter plots of 30 weights. Left, the mean step over the size of the gradient, "
    "from 0.0003 to 90: a cloud without any trend. Worst perimeter, at 1, is almost the lowest; "
    "smoothness error, at 0.001, is among the highest. Right, the same steps over mean divided by "
    "noise: all dots lie on one rising curve.",
)

# %% tags=["fold"] name="question-numbers"
# The two marked weights.
times = far[:, small] / far[:, big]
assert abs(mean[big] / mean[small]) > 700 and min(times) > 6
assert abs(middle - ratio / np.sqrt(1 + ratio**2)).max() < 0.07
print(f"mean gradient: {abs(mean[big] / mean[small]):.0f} times as large for worst perimeter")
print(f"mean step: {np.median(times):.1f} times as long for smoothness error "
      f"({min(times):.1f} to {max(times):.1f} over the seeds)")

# %% [markdown] name="question-reading"
# The weight with the thousandfold gradient goes about a ninth of the way. Over the size of the gradient the 30 weights make a cloud (left). Over another number they lie on one curve (right). The number is not how steep the slope is. It is **how sure** Adam can be of its direction.
#
# (The data: 569 tumours, in scikit-learn's copy of the UCI data, CC BY 4.0. "Worst" is the mean of a tumour's three largest values, "error" the standard error of its values. A gradient is prediction minus label, times the measurement. The weights are held at 0 while Adam looks at 4552 batches of 32, so the gradients keep their mean.)
#
# ## The idea, drawn
#
# Here are the gradients of the two weights in 40 batches, each in its own unit, with the sign turned: a bar shows where its batch pushes the weight. One line is their mean over all batches. The other is their root mean square.
#
# The **root mean square** is the root of the mean of the squares.

# %% tags=["fold"] name="idea"
# Forty gradients of each of the two weights, as bars.
rms = np.sqrt(mean**2 + noise**2)
fig, axes = plots.panels(2)
for ax, i, unit, sign in zip(axes, (big, small), (1, 1e-3), ("", " / 0.001"), strict=True):
    bars = -stream[:40, 0, i] / unit
    ax.bar(np.arange(1, 41), bars, color="0.6")
    ax.axhline(0, color="0.3", lw=1)
    ax.axhline(-mean[i] / unit, color="C1", label="mean")
    ax.axhline(rms[i] / unit, color="C0", ls="--", label="root mean square")
    ax.set(xlabel="batch", ylabel="- gradient" + sign,
           ylim=(1.1 * min(0, bars.min()), 1.5 * bars.max()),
           title=f"{names[i]}: mean / rms = {-mean[i] / rms[i]:.2f}")
    ax.legend(fontsize=8, loc="upper right")
plots.Picture(
    fig, alt="Two bar charts of 40 gradients. Left, worst perimeter: large bars up and down, up to "
    "20; the mean is close to zero, the root mean square near 10. Right, smoothness error: bars a "
    "thousand times smaller, nearly all upward; the mean comes close to the root mean square.",
)

# %% [markdown] name="formula"
# Left, the batches contradict each other: the mean is a tenth of the root mean square. Right, nearly all batches agree: the mean comes close to it.
#
# ## Formula
#
# Adam keeps just these two numbers for each weight, as running averages: $\hat m$ for the mean, $\sqrt{\hat v}$ for the root mean square. That their corrections make $\hat m$ and $\hat v$ right on average [is derived in the Adam lesson](../03_algorithms/04_adam.ipynb). Leave the tiny $\epsilon$ out. Then the step is
#
# $$\eta\, \frac{\hat m}{\sqrt{\hat v}} \approx \eta \cdot \frac{\text{mean}}{\text{root mean square}}$$
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $g$ | `mean` | as $\theta$ | mean of the gradients of all batches |
# | $\sigma$ | `noise` | as $\theta$ | their standard deviation |
# | $r$ | `r` | as $\theta$ | $g / \sigma$ |
#
# The **signal-to-noise ratio** $r$ is the mean divided by the standard deviation. Adam's paper gives this name to $\hat m / \sqrt{\hat v}$.
#
# ## Derivation
#
# ### How far does Adam go on average?
#
# The mean of the squares is the square of the mean plus the variance. $\hat v$ remembers about a thousand squares, so it hardly scatters. Take $g > 0$ (otherwise the sign turns). Derivation 1:

# %% tags=["fold"] name="derive-mean"
# Derivation 1: the mean step in the long run, in learning rates.
g, sigma, eta, eps = sp.symbols("g sigma eta epsilon", positive=True)
b1, b2 = sp.symbols("beta_1 beta_2", positive=True)
k, t = sp.Symbol("k", integer=True, nonnegative=True), sp.Symbol("t", integer=True, positive=True)
r = sp.Symbol("r", positive=True)

def long_run(rule, rng, size, mean, spread, theta=0.0, steps=300):  # the last of so many steps
    theta = theta + np.zeros(size)
    state = rule.init(theta)
    for _ in range(steps):
        moved, state = rule.update(theta, rng.normal(mean, spread, size), state)
    return (theta - moved) / rule.lr

(
    derive(r"\frac{\mathbb E[\hat m]}{\sqrt{\mathbb E[\hat v]}}", "g / sqrt(g**2 + sigma**2)",
           "mean over root mean square", [g, sigma, r], means={r: g / sigma})
    .expects("Adam(1).update, step 300",
             lambda rng, size, g, sigma: long_run(Adam(1.0), rng, size, g, sigma),
             "the mean of the library's own step, random gradients")
    .equals("r / sqrt(1 + r**2)", "divided by $\\sigma$: **only the ratio counts**",
            tex=r"\frac{r}{\sqrt{1 + r^2}}")
    .at_most("1", "equal only without noise")
)

# %% [markdown] name="mean-reading"
# This is the curve of the first picture. (The Adam lesson met it with $g = 1$.)
#
# - **Without noise** ($r$ large) each weight moves by $\eta$, whatever its slope. Steps of one length, each against the sign of its gradient, are called **sign descent**.
#
# - **Little signal** ($r$ small): the mean step is $\eta\, r$. Noise four times as large makes it four times as short.
#
# A batch four times as large halves $\sigma$. Where noise rules it doubles $r$, and Adam's mean step with it, at the same learning rate.
#
# There is a second road to sign descent: take away the memory. With $\beta_1 = \beta_2 = 0$ the step is $\eta\, g_t / |g_t|$ ([derived here](../03_algorithms/20_where_adam_wins.ipynb)). Then every step has the full length. Let the noise be normal. The step goes downhill unless the noise is against it and larger than $r$ standard deviations. The **error function** erf gives the probability of normal noise within $r$ standard deviations, to either side: it is $\operatorname{erf}(r / \sqrt 2)$.

# %% tags=["fold"] name="derive-sign"
# Derivation 2: the mean step of an Adam without memory, in learning rates.
(
    derive(r"\mathbb E[\operatorname{sign} g_t]", "erf(r / sqrt(2))",
           "downhill less uphill: noise beyond $r$ cancels, noise within $r$ stays", {"r": r},
           tex=r"\operatorname{erf}\Big(\frac{r}{\sqrt 2}\Big)")
    .expects("Adam(1, beta1=0, beta2=0, eps=0).update", lambda rng, size, r:
             long_run(Adam(1.0, 0.0, 0.0, eps=0.0), rng, size, r, 1.0, steps=2),
             "the mean of the library's step, normal noise")
    .slope(r, "sqrt(2 / pi) * exp(-r**2 / 2)", "the slope of erf is a bell",
           tex=r"\sqrt{\frac{2}{\pi}}\, e^{-r^2 / 2}")
    .at_most("sqrt(2 / pi)", r"its top: **the mean step is below** $0.8\, r$",
             tex=r"\sqrt{\frac{2}{\pi}} = 0.80")
)

# %% [markdown] name="sign-reading"
# Under strong normal noise sign descent gets 20 per cent less far than Adam, though all its steps are $\eta$ long. With its memory Adam takes shorter steps. How short?
#
# ### How long is a single step?
#
# $\hat m_t$ is a weighted sum of $t$ gradients. Let the batches be independent. Then the variances add up, each times its squared weight:

# %% tags=["fold"] name="derive-single"
# Derivation 3: the mean square of the averaged gradient.
def squared(rng, size, g, sigma, beta_1, t):  # of the library's corrected average
    rule = Adam(beta1=float(beta_1))
    state = rule.init(np.zeros(size))
    for _ in range(int(t)):
        _, state = rule.update(np.zeros(size), rng.normal(g, sigma, size), state)
    return (state.m / (1 - beta_1**t)) ** 2

(
    derive(r"\mathbb E[\hat m_t^2]",
           "g**2 + sigma**2 * Sum(((1 - beta_1) * beta_1**k / (1 - beta_1**t))**2, (k, 0, t - 1))",
           "the squared mean, plus the variance", [g, sigma, b1, k, t],
           ranges={b1: (0.05, 0.95)},
           tex=r"g^2 + \sigma^2 \sum_{k=0}^{t-1} "
               r"\Big(\frac{(1 - \beta_1)\, \beta_1^k}{1 - \beta_1^t}\Big)^2")
    .expects("Adam(beta1=beta1).update, after t steps", squared,
             "the library's $\\hat m_t^2$, random gradients")
    .equals("g**2 + sigma**2 * (1 - beta_1) / (1 + beta_1) * (1 + beta_1**t) / (1 - beta_1**t)",
            "a geometric sum with the factor $\\beta_1^2$",
            tex=r"g^2 + \sigma^2\, \frac{1 - \beta_1}{1 + \beta_1} \cdot "
                r"\frac{1 + \beta_1^t}{1 - \beta_1^t}")
    .limit(t, sp.oo, "g**2 + sigma**2 * (1 - beta_1) / (1 + beta_1)",
           "**the memory leaves a part of the noise**: $\\frac{1}{19}$ at $\\beta_1 = 0.9$",
           tex=r"g^2 + \frac{1 - \beta_1}{1 + \beta_1}\, \sigma^2")
)

# %% [markdown] name="single-reading"
# Divide by $\hat v$, which is about $g^2 + \sigma^2$, and take the root. The root mean square of a step is, in learning rates,
#
# $$\sqrt{\frac{r^2 + \frac{1}{19}}{r^2 + 1}}$$
#
# Under pure noise that is $1 / \sqrt{19} = 0.23$, without noise it is 1. (The very first step has no memory yet. It is always 1: put $t = 1$ into the line before the limit.)
#
# Gradients are **steady** if they are independent, their mean and their noise stay, and $\hat v$ hardly scatters.
#
# **The steps of steady gradients have a root mean square between 0.23 learning rates and one.** Gradients that change their sign at each step are not independent. They cancel in $\hat m$, and the steps are shorter still.
#
# ## Play
#
# Move the ratio. Left, the two formulas and the library's Adam. Right, 4000 of its steps.
#
# 1. At which ratio is the mean step half a learning rate?
# 2. The mean step of $r = 0.1$ is nearly zero. Do the weights rest?

# %% tags=["fold"] name="play-picture"
# 300 steps of the library's Adam on r + noise; the last one is drawn.
ratios = [0.02, 0.05, 0.07, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.58, 0.65, 0.75,
          0.85, 1, 1.2, 1.5, 2, 2.5, 3]
rng = np.random.default_rng(seed)
drawn = (np.array(ratios)[:, None] + rng.normal(size=(len(ratios), 4000)) for _ in range(300))
rule, state = Adam(1.0), Adam().init(np.zeros((len(ratios), 4000)))
for batch in drawn:
    moved, state = rule.update(0 * batch, batch, state)
last = -moved
fig, (left, right) = plots.panels(2)
at = np.geomspace(0.015, 4, 100)
left.plot(at, at / np.sqrt(1 + at**2), label="mean")
left.plot(at, np.sqrt((at**2 + 1 / 19) / (at**2 + 1)), "--", label="root mean square")
left.plot(at, [erf(r / 2**0.5) for r in at], ":", color="C2", label="mean without memory")
left.plot(ratios, last.mean(1), "o", ms=4, color="0.3", label="the library's Adam")
left.plot(ratios, np.sqrt((last**2).mean(1)), "o", ms=4, color="0.3")
left.set(xscale="log", xlabel="signal-to-noise ratio r (log)", ylabel="step / learning rate",
         title="Formulas and measured steps")
left.legend(fontsize=8)
right.set(xlim=(-1.1, 1.5), ylim=(0, 1250), xlabel="step / learning rate (positive: downhill)",
          ylabel="steps", title="Steps of 4000 weights")

def other_ratio(left, right, r):
    found = last[ratios.index(r)]
    left.plot([r, r], [found.mean(), np.sqrt((found**2).mean())], "D", ms=9, color="C3")
    right.hist(found, np.linspace(-1.1, 1.5, 53), color="C0")
    right.axvline(found.mean(), color="C3", lw=2)
    return (f"Mean {found.mean():.2f}, root mean square {np.sqrt((found**2).mean()):.2f} learning "
            f"rates; {np.mean(found < 0):.0%} of the steps go uphill.")

assert abs(last.mean(1) - ratios / np.sqrt(1 + np.square(ratios))).max() < 0.03
plots.moving(
    fig, "signal-to-noise ratio", ratios, other_ratio, start=0.3,
    alt="Left, rising curves over the ratio. The mean step climbs from 0 towards 1, the root mean "
    "square from 0.23; the measured dots lie on them. Without memory the mean step is a little "
    "lower below a ratio of 1 and higher above. Right, at the ratio 0.3, a bell of steps "
    "around 0.29, a tenth of it below zero.",
)

# %% [markdown] name="play-reading"
# <details><summary>Answers</summary>
#
# 1. At 0.58: there $r / \sqrt{1 + r^2} = 0.5$, that is $r = 1 / \sqrt 3$.
# 2. No. They take steps of 0.25 learning rates to and fro, a third of them uphill.
#
# </details>
#
# ## What really bounds a step?
#
# [No gradients can cause a step of more than 7.27 learning rates](../03_algorithms/21_how_far_can_adam_step.ipynb), and a lone spike causes 3.16. What do steps do in training? A small network reads handwritten digits (source and licence as above): 64 pixels, 16 hidden units, 10 classes. It takes 400 steps of Adam at the rate 0.003, with batches of 8, of 128, and of all examples. Only the batch differs.

# %% tags=["fold"] name="network"
# The network for all seeds at once, its gradient by hand; theta has a row of parameters per seed.
splits = [data.digits(s) for s in setting.seeds]
x, y = np.stack([d.x for d in splits]), np.stack([d.y for d in splits])
seeds, N, each = len(x), x.shape[1], np.arange(len(x))[:, None]
shapes = [(64, 16), (1, 16), (16, 10), (1, 10)]
ends = np.cumsum([0] + [a * b for a, b in shapes])

def layers(theta):
    return [theta[:, i:j].reshape(-1, *s) for i, j, s in zip(ends, ends[1:], shapes, strict=False)]

def gradient(theta, x, y):
    w, b, u, c = layers(theta)
    h = np.tanh(x @ w + b)
    p = cross_entropy(h @ u + c, y).grad / y.shape[1]
    d = p @ u.swapaxes(1, 2) * (1 - h**2)
    parts = x.swapaxes(1, 2) @ d, d.sum(1), h.swapaxes(1, 2) @ p, p.sum(1)
    return np.concatenate([part.reshape(len(x), -1) for part in parts], axis=1)

scales = np.repeat([1 / 8, 0, 1 / 4, 0], np.diff(ends))
begin = scales * [np.random.default_rng(s).normal(size=ends[-1]) for s in setting.seeds]
lit = abs(gradient(begin, x, y)) > 0  # a pixel that is never lit has no gradient

# %% name="train"
def train(B, rule, steps=400):  # the last theta, and every step in learning rates
    theta, state, taken = begin, rule.init(begin), []
    rng = np.random.default_rng(seed)
    for _ in range(steps):  # x[each, i]: a batch for each seed
        i = rng.integers(N, size=(seeds, B)) if B < N else np.arange(N)[None]
        moved, state = rule.update(theta, gradient(theta, x[each, i], y[each, i]), state)
        taken.append((theta - moved) / rule.lr)
        theta = moved
    return theta, np.array(taken)

runs = {B: abs(train(B, Adam(0.003))[1][:, lit]) for B in (8, 128, N)}

# %% tags=["fold"] name="bound-picture"
# All steps as histograms; and their root mean square, step by step.
beyond = {B: np.mean(a > 1.001) for B, a in runs.items()}
fig, (left, right) = plots.panels(2)
labels = {8: "batch of 8", 128: "batch of 128", N: "all examples"}
for (B, label), ls in zip(labels.items(), ("-", "--", "-."), strict=True):
    left.hist(runs[B].ravel(), np.linspace(0, 8, 81), histtype="step", log=True, lw=1.5, ls=ls,
              label=label)
    right.plot(range(1, 401), np.sqrt((runs[B] ** 2).mean(1)), ls=ls, label=label)
for place, text in ((1, ""), (0.1 / 0.001**0.5, "lone spike"), (7.27, "largest possible")):
    left.axvline(place, color="0.4", lw=1, ls=":")
    left.text(place + 0.08, 0.97, text, transform=left.get_xaxis_transform(), rotation=90, va="top")
left.set(xlabel="size of the step / learning rate", ylabel="steps (log)", title="All steps")
right.axhline(19**-0.5, color="0.4", lw=1, ls=":")
right.annotate("pure noise", (1.1, 0.17))
right.set(xscale="log", ylim=(0, 1.05), xlabel="step t (log)",
          ylabel="root mean square / learning rate", title="Step by step")
right.legend(fontsize=8, loc="upper right")
plots.Picture(
    fig, alt="Left, histograms of step sizes on a logarithmic count. All fall steeply; few steps "
    "are longer than 1, the longest are near 2 for batches and near 3 for all examples, far below "
    "7.27. Right, the root mean square of the steps starts at 1 and falls; at first fastest for "
    "batches of 8, slowest for all examples; in the end all are near or below 0.23.",
)

# %% tags=["fold", "nbval-ignore-output"] name="bound-table"
# Early and late steps, for each size of the batch.
owner = np.nonzero(lit)[0]  # the seed that each column of a run belongs to

def rms_of(steps):  # one number per seed
    return np.sqrt([(steps[:, owner == s] ** 2).mean() for s in range(seeds)])

def told(e):
    return f"{np.median(e):.2f} ({min(e):.2f} to {max(e):.2f})"

early = {B: rms_of(a[:50]) for B, a in runs.items()}
assert early[8].mean() < early[128].mean() < 1.05 * early[N].mean()
assert max(beyond.values()) < 0.06 and beyond[8] < 0.004
assert max(a.max() for a in runs.values()) < 5.5
Table(["", "rms of steps 1 to 50", "rms of steps 201 to 400", "longer than 1", "longest"],
      [[labels[B], told(early[B]), told(rms_of(a[200:])), f"{beyond[B]:.1%}", f"{a.max():.1f}"]
       for B, a in runs.items()], "In learning rates; in brackets the range over the seeds.")

# %% [markdown] name="bound-reading"
# With batches of 8 one step in a thousand is longer than one learning rate. Nothing comes near 7.27. **Here noise, not a bound, keeps the early steps short:** the less noise, the longer they are.
#
# Late in training all steps are short, with all examples too. There another thing shortens them: $v$ remembers the large gradients of the start (tested below).
#
# ## Where epsilon enters
#
# The article says that $\epsilon$ avoids a division by zero. Besides, $\epsilon$ makes the step shorter. Under a constant gradient $g$ the step is $\eta\, g / (g + \epsilon)$. There are two ends:
#
# $$g \ll \epsilon: \quad \frac{\eta}{\epsilon}\, g \qquad\qquad\qquad g \gg \epsilon: \quad \eta$$
#
# The right end is sign descent. The left end is proportional to the gradient, with the learning rate $\eta / \epsilon$. So **a large $\epsilon$ turns Adam back into gradient descent**, with $m$ as its memory.
#
# Adam's paper has a short form that saves work. It uses $m$ and $v$ uncorrected, puts both corrections into the rate, and adds an $\hat\epsilon$ ("epsilon hat"). Is it the same? Derivation 4:

# %% tags=["fold"] name="derive-epsilon"
# Derivation 4: the short form, from Adam's step. The state before is such that m and v come out.
e_hat, m, v = sp.Symbol(r"\hat{\epsilon}", positive=True), *sp.symbols("m_t v_t", positive=True)
symbols = {"eta": eta, "beta_1": b1, "beta_2": b2, "eps": eps, "m": m, "v": v, "t": t, "hat": e_hat}

def one_step(eta, beta_1, beta_2, eps, m, v, t):
    rule = Adam(float(eta), float(beta_1), float(beta_2), float(eps))
    before = (v - (1 - beta_2) * m**2) / beta_2
    state = rule.init(np.zeros(1))._replace(t=int(t) - 1, m=np.array([m], float),
                                            v=np.array([before], float))
    return -rule.update(np.zeros(1), np.array([m], float), state)[0][0]

(
    derive(r"\eta\, \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}",
           "eta * m / (1 - beta_1**t) / (sqrt(v / (1 - beta_2**t)) + eps)", "the corrections",
           symbols, ranges={b1: (0.05, 0.95), b2: (0.05, 0.95)},
           means={e_hat: eps * sp.sqrt(1 - b2**t)},
           tex=r"\eta\, \frac{m_t}{1 - \beta_1^t} \Big/ "
               r"\Big(\sqrt{\frac{v_t}{1 - \beta_2^t}} + \epsilon\Big)")
    .library("Adam(eta, beta1, beta2, eps)", one_step, "the library's step", each=True)
    .equals("eta * sqrt(1 - beta_2**t) / (1 - beta_1**t)"
            " * m / (sqrt(v) + eps * sqrt(1 - beta_2**t))",
            r"above and below times $\sqrt{1 - \beta_2^t}$",
            tex=r"\eta\, \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t} \cdot "
                r"\frac{m_t}{\sqrt{v_t} + \epsilon \sqrt{1 - \beta_2^t}}")
    .equals("eta * sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(v) + hat)",
            r"**the same, if** $\hat\epsilon = \epsilon \sqrt{1 - \beta_2^t}$",
            tex=r"\eta\, \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t} \cdot "
                r"\frac{m_t}{\sqrt{v_t} + \hat\epsilon}")
)

# %% [markdown] name="epsilon-text"
# Equal only if $\hat\epsilon$ changes from step to step. TensorFlow and Keras hold it constant. Then it acts like $\epsilon = \hat\epsilon / \sqrt{1 - \beta_2^t}$. In the first step that is $\hat\epsilon / \sqrt{0.001}$, 32 times as large as it looks.

# %% tags=["fold"] name="epsilon-picture"
# The step over the size of a constant gradient: Adam, and the short form with a constant eps_hat.
sizes = np.geomspace(1e-3, 1e4, 15)
steps = steps_of(Adam(1.0, eps=1.0), np.tile(sizes, (300, 1)))
assert np.allclose(steps, sizes / (sizes + 1), rtol=1e-6)
fig, (ax,) = plots.panels()
at = np.geomspace(1e-3, 1e4, 200)
ax.plot(at, at / (at + 1), label="Adam, every step")
for step, ls in ((1, "--"), (100, "-.")):
    ax.plot(at, at / (at + (1 - 0.999**step) ** -0.5), ls=ls,
            label=f"constant epsilon hat, t = {step}")
ax.plot(sizes, steps[-1], "o", ms=4, color="0.3", label="the library's step 300")
ax.axhline(1, color="0.5", lw=1, ls=":")
ax.plot(at[at < 1.5], at[at < 1.5], color="0.5", lw=1, ls=":")
ax.annotate("sign descent", (30, 1.3))
ax.annotate("gradient descent", (1.3e-3, 5e-3), rotation=38)
ax.set(xscale="log", yscale="log", ylim=(2e-5, 3),
       xlabel="constant gradient / epsilon, or / epsilon hat (log)",
       ylabel="step / learning rate (log)", title="From the gradient to its sign")
ax.legend(fontsize=8, loc="lower right")
plots.Picture(
    fig, alt="The step over the gradient divided by epsilon, both logarithmic. A straight rise "
    "with slope one, a bend at 1, then a level line at one learning rate. The short form with a "
    "constant epsilon hat has the same shape; its bend lies at 32 in the first step, at 3 in "
    "step 100.",
)

# %% [markdown] name="epsilon-reading"
# Far right of the bend $\epsilon$ does not matter, wherever it stands. Far left the size of the gradient no longer cancels. So the place of $\epsilon$ matters for weights with tiny gradients, and in the first steps most.
#
# ## Derivation: a penalty inside the ratio
#
# `torch.optim.Adam(..., weight_decay=0.1)` adds the gradient of a penalty, $\lambda \theta$, to $g$ *before* the ratio. [AdamW](../03_algorithms/13_adamw.ipynb) shrinks the weight outside the ratio. Take a weight whose loss gradient is noise alone. Now **the penalty is the signal**: put $\lambda\theta$ for $g$ into derivation 1.

# %% tags=["fold"] name="derive-penalty"
# Derivation 5: the mean pull of the penalty, per step and in learning rates.
theta, lam = sp.symbols("theta lambda", positive=True)
pulled = {"theta": theta, "lam": lam, "sigma": sigma}
(
    derive(r"\text{Adam + penalty:}\quad \mathbb E[\text{step}]",
           "lam * theta / sqrt((lam * theta)**2 + sigma**2)",
           r"derivation 1, with $g = \lambda\theta$", pulled,
           tex=r"\frac{\lambda\theta}{\sqrt{(\lambda\theta)^2 + \sigma^2}}")
    .expects("Adam(1, weight_decay=lambda).update, step 300", lambda rng, size, theta, lam, sigma:
             long_run(Adam(1.0, weight_decay=lam), rng, size, 0, sigma, theta),
             "the mean of the library's own step")
    .at_most("lam * theta / sigma", r"the root is at least $\sigma$: **divided by the noise**")
)

# %% tags=["fold"] name="derive-decay"
# Derivation 6: the mean pull of AdamW's decay.
(
    derive(r"\text{AdamW:}\quad \mathbb E[\text{step}]", "lam * theta + g / sqrt(g**2 + sigma**2)",
           "the decay, plus the ratio for a gradient of mean $g$", pulled | {"g": g},
           tex=r"\lambda\theta + \frac{g}{\sqrt{g^2 + \sigma^2}}")
    .expects("AdamW(1, weight_decay=lambda).update, step 300",
             lambda rng, size, theta, lam, g, sigma:
             long_run(AdamW(1.0, weight_decay=lam), rng, size, g, sigma, theta),
             "the mean of the library's own step")
    .put("g", 0, "lam * theta", "noise alone: **the same share of every weight**")
)

# %% [markdown] name="decay-text"
# ## What breaks
#
# Somebody writes `Adam` with `weight_decay` and expects that all weights shrink alike. The signature: the larger a weight's gradients, the less it shrinks. Here are 3000 steps from the weight 1, with $\eta = 0.001$ and $\lambda = 0.1$. Each dot is the mean of 400 weights. The marks at the bottom show the root mean squares of the 30 tumour weights.

# %% tags=["fold"] name="decay-picture"
# 400 weights for each size of the noise; the curve follows derivation 5 step by step.
spreads = np.geomspace(1e-3, 1e3, 13)[:, None]
kept = {}
for label, rule in (("Adam + penalty", Adam(0.001, weight_decay=0.1)),
                    ("AdamW", AdamW(0.001, weight_decay=0.1))):
    weights, rng = np.ones((13, 400)), np.random.default_rng(seed)
    state = rule.init(weights)
    for _ in range(3000):
        weights, state = rule.update(weights, spreads * rng.normal(size=weights.shape), state)
    kept[label] = weights.mean(1)
at = np.geomspace(1e-3, 1e3, 200)
curve = np.ones(200)
for _ in range(3000):
    curve = curve - 0.001 * 0.1 * curve / np.sqrt((0.1 * curve) ** 2 + at**2)
expected = np.interp(np.log(spreads[:, 0]), np.log(at), curve)
assert abs(kept["Adam + penalty"] - expected).max() < 0.04
assert abs(kept["AdamW"] - 0.9999**3000).max() < 0.02
fig, (ax,) = plots.panels()
ax.plot(at, curve, "-", label="Adam + penalty: derived")
ax.plot(at, np.full(200, 0.9999**3000), "--", label="AdamW: derived")
for (label, found), look in zip(kept.items(), "os", strict=True):
    ax.plot(spreads[:, 0], found, look, ms=5, color="0.3", label=f"{label}: the library")
ax.plot(rms, np.full(30, -0.04), "|", ms=12, color="C3")
ax.set(xscale="log", ylim=(-0.08, 1.08), xlabel="noise of the weight's gradient (log)",
       ylabel="share of the weight that is left", title="Who decays?")
ax.legend(fontsize=8, loc="center right", bbox_to_anchor=(1, 0.4))
plots.Picture(
    fig, alt="What is left of a weight over the noise of its gradient. Adam with a penalty: "
    "nothing below a noise of 0.03, then a steep rise, nearly everything above 10. AdamW: level at "
    "0.74. Marks of 30 real weights are spread from 0.001 to 100.",
)

# %% tags=["fold"] name="decay-numbers"
# The two ends.
for label, found in kept.items():
    print(f"{label}: left are {found[2]:.2f} at noise 0.01, {found[6]:.2f} at 1, "
          f"{found[10]:.2f} at 100")

# %% [markdown] name="exercises"
# With the penalty a weight with small gradients vanishes, and one with large gradients stays. With AdamW all keep 0.74. The two agree where the noise is 1, because there dividing by it changes nothing. The cure is one letter: `AdamW`.
#
# (The loss gives these weights no direction, so in the end the penalty takes all of them to 0. What the noise decides is how fast.)
#
# ## Exercises
#
# ### 1. A larger batch (5 minutes, easy)
# The gradient of a weight has the mean `mean` and the standard deviation `std` over single examples. Adam sees batches of `B` independent examples. How far does it move against the gradient per step, on average and in the long run, without $\epsilon$? Under a negative `mean` the result is negative.

# %% name="exercise-batch"
def mean_step(mean, std, B, lr):
    ### BEGIN SOLUTION
    return lr * mean / np.sqrt(mean**2 + std**2 / B)
    ### END SOLUTION

# %% name="check-batch"
check("mean_step")

# %% [markdown] name="exercise-short-text"
# <details><summary>Hint 1</summary>The variance of a mean of B independent numbers is the B-th part.</details>
# <details><summary>Hint 2</summary>Derivation 1, first line, times the learning rate; sigma squared is std squared over B.</details>
#
# ### 2. Adam in its short form (10 minutes, medium)
# Write Adam's step with *uncorrected* averages in the fraction, as in the last line of derivation 4, but so that it equals the library's at every `t`. `g` is the gradient of this step, `m` and `v` come from step `t - 1`. Return the new `theta`, `m`, `v`.

# %% name="exercise-short"
def adam_short(theta, g, m, v, t, lr, beta1, beta2, eps):
    ### BEGIN SOLUTION
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    root = np.sqrt(1 - beta2**t)
    rate = lr * root / (1 - beta1**t)
    return theta - rate * m / (np.sqrt(v) + eps * root), m, v
    ### END SOLUTION

# %% name="check-short"
check("adam_short")

# %% [markdown] name="exercise-decay-text"
# <details><summary>Hint 1</summary>Both corrections are numbers, so they fit into the rate. Which of them stands under a root?</details>
# <details><summary>Hint 2</summary>What must stand in the place of eps, so that multiplying by the root above and below changes nothing?</details>
#
# ### 3. Who decays least? (8 minutes, medium)
# `grads` has a row per step and a column per weight: gradients of the loss alone, while the weights stand at `theta`. Adam adds the penalty with the strength `weight_decay`. So its step has two parts, one from the loss and one from the penalty, divided by the same root. Find the weight that loses the smallest *share of itself* to the penalty's part, and return its index. (Careful: gradients may have a mean.)

# %% name="exercise-decay"
def decays_least(grads, theta, weight_decay):
    ### BEGIN SOLUTION
    total = grads + weight_decay * theta
    return np.argmax(np.mean(total**2, axis=0))
    ### END SOLUTION

# %% name="check-decay"
check("decays_least")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>The penalty's part is weight_decay * theta over the root of v. Its share of theta?</details>
# <details><summary>Hint 2</summary>What does v average? The squares of all that comes in, mean and penalty included.</details>
#
# ## Takeaways
#
# - Adam's step is mean over root mean square. It tells how sure a direction is, not how steep the slope.
# - The steps of steady gradients have a root mean square between 0.23 learning rates (pure noise, $\beta_1 = 0.9$) and 1 (none). Less noise, as from a larger batch, makes them longer.
# - Do not put a penalty into Adam where all weights shall shrink alike: it is divided by the noise. Take AdamW.
#
# ## Does it hold?
#
# **The curve on a network.** The digits network is trained for 100 steps with batches of 32 and then held still. Adam looks at 600 more batches. Each weight's mean step is compared with the formula, its ratio taken from the same batches:

# %% tags=["fold", "nbval-ignore-output"] name="control-network"
# Mean step against r / sqrt(1 + r^2), for every weight of the network.
held, _ = train(32, Adam(0.003), steps=100)
rng = np.random.default_rng(seed + 1)
shown = []
for _ in range(600):
    i = rng.integers(N, size=(seeds, 32))
    shown.append(gradient(held, x[each, i], y[each, i]))
shown = np.array(shown)
found = steps_of(Adam(), shown)[200:].mean(0)
root = np.sqrt((shown**2).mean(0))
wanted = np.divide(shown.mean(0), root, out=np.zeros_like(root), where=root > 0)
off = abs(found - wanted)[lit]
together = [np.corrcoef(a[w], b[w])[0, 1] for a, b, w in zip(found, wanted, lit, strict=True)]
assert np.quantile(off, 0.99) < 0.12 and 1 - min(together) < 0.02
Table(["correlation, lowest seed", "deviation, median", "99 % are below"],
      [[f"{min(together):.3f}", f"{np.median(off):.3f}", f"{np.quantile(off, 0.99):.3f}"]])

# %% [markdown] name="control-late-text"
# Half of the weights lie within 0.02 of the formula, 99 of 100 within 0.08.
#
# **The second cause of short steps.** With all examples there is no noise of batches. Still the late steps are short. If the reason is that $v$ remembers large gradients, a shorter memory of $v$ must lengthen them, and must change little in the first ten steps:

# %% tags=["fold", "nbval-ignore-output"] name="control-late"
# All examples; only beta2 changes.
rows = []
for beta2 in (0.999, 0.99, 0.95):
    a = runs[N] if beta2 == 0.999 else abs(train(N, Adam(0.003, beta2=beta2))[1][:, lit])
    rows.append([beta2, *(np.sqrt((a[i:j] ** 2).mean()) for i, j in ((0, 10), (200, 400)))])
assert rows[2][2] > 1.5 * rows[0][2] and abs(rows[2][1] / rows[0][1] - 1) < 0.1
Table(["beta2", "rms of steps 1 to 10", "rms of steps 201 to 400"],
      [[str(b), f"{e:.2f}", f"{late:.2f}"] for b, e, late in rows])

# %% [markdown] name="control-shape-text"
# The first ten steps stay as they are. The late ones grow from 0.14 to 0.50.
#
# **Noise of another shape.** Derivation 1 uses only the mean and the variance. Here are other shapes of noise with the variance 1: the steps 501 to 1000 of 4000 weights.

# %% tags=["fold", "nbval-ignore-output"] name="control-shape"
# Normal noise, coin flips, and a gradient that is seldom there.
def seldom(n):  # n - 1 zeros for each gradient
    r = (n - 1) ** -0.5
    return r, lambda rng: (r + 1 / r) * (rng.random(4000) < 1 / n)

kinds = {
    "normal": (0.5, lambda rng: 0.5 + rng.normal(size=4000)),
    "coin (two values)": (0.5, lambda rng: 0.5 + rng.choice([-1.0, 1.0], 4000)),
    "there in one step of 101": seldom(101),
    "there in one step of 1001": seldom(1001),
}
rows, short = [], []
for label, (signal, kind) in kinds.items():
    rng = np.random.default_rng(seed)
    steps = steps_of(Adam(1.0), np.array([kind(rng) for _ in range(1000)]))[500:]
    short.append(steps.mean() * np.sqrt(1 + signal**2) / signal)
    rows.append([label, f"{signal:.2f}", f"{signal / np.sqrt(1 + signal**2):.3f}",
                 f"{steps.mean():.3f}", f"{steps.max():.1f}"])
assert abs(np.array(short[:3]) - 1).max() < 0.1 and 0.4 < short[3] < 0.9
Table(["noise", "r", "formula", "mean step", "longest step"], rows)

# %% [markdown] name="sources"
# A gradient that is there in one step of 1001 moves its weight a third less far than the formula says. It is not steady: $\hat v$ is large just when the gradient has come and the step is taken.
#
# ## Sources
#
# - D. P. Kingma and J. Ba, 2015: *Adam: a method for stochastic optimization*, arXiv 1412.6980; section 2.1 calls $\hat m / \sqrt{\hat v}$ the signal-to-noise ratio, the short form stands at the end of section 2. The documentation of Keras's `Adam` names its $\epsilon$ after it.
# - L. Balles and P. Hennig, 2018: *Dissecting Adam: the sign, magnitude and variance of stochastic gradients*, ICML; the step as a sign times a factor of the relative variance.
# - J. Bernstein and others, 2018: *signSGD: compressed optimisation for non-convex problems*, ICML.
# - I. Loshchilov and F. Hutter, 2019: *Decoupled weight decay regularization*, arXiv 1711.05101.
