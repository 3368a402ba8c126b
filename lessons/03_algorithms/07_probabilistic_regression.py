# ---
# jupyter:
#   lesson:
#     title: "Probabilistic regression: Gaussian, Laplace, Poisson"
#     minutes: 40
#     settles: [G5]
# ---

# %% [markdown]
# # Probabilistic regression: Gaussian, Laplace, Poisson
#
# **Goal.** Get a loss from a probability and back, predict a spread beside the middle, and fit counts as counts. **40 minutes:** reading 20, exercises 20.
#
# **The question.** A network predicts a mean *and* a variance. It has the capacity to follow the curve, squared error follows it, and yet with its likelihood as the loss it calls a stretch of the curve "noise". Why?

# %% tags=["parameters"] name="parameters"
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup"
import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, parity, plots
from lessons_lib.checks import check
from lessons_lib.losses import (
    binary_cross_entropy,
    cross_entropy,
    gaussian_nll,
    poisson_nll,
    squared_error,
)
from lessons_lib.optim import Adam
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)

# %% [markdown]
# ## The formula
#
# Choose a distribution for $y$ whose parameters the model predicts; the loss is $-\log p(y \mid x)$ (G5 in our list of formulas that the source document lacks). The source's F1 and F2 are two cases, squared and absolute error are two more:
#
# | distribution | the model predicts | $-\log p$, without constants |
# |---|---|---|
# | Bernoulli | logit $z$ | $-y \log \sigma(z) - (1 - y) \log(1 - \sigma(z))$: F1 |
# | categorical | logits $z$ | $-\sum_i y_i \log \operatorname{softmax}(z)_i$: F2 |
# | Gaussian | mean $\hat y$, variance $v$ | $\frac12 \big( \log v + r^2 / v \big)$ |
# | Laplace | mean $\hat y$, scale $b$ | $\log b + \lvert r \rvert / b$ |
# | Poisson (counts) | log of the rate, $z$ | $e^z - y z$ |
#
# $r = \hat y - y$ is the residual; $v$ has the unit of $r^2$, $b$ that of $r$. In the code: `pred` ($\hat y$ or $z$), `var`, `scale`, `target`, all of one shape.
#
# ## Derivation
#
# 1. The third row is $-\log$ of $\frac{1}{\sqrt{2 \pi v}} e^{-r^2 / 2 v}$ without $\frac12 \log 2\pi$; the fourth is $-\log$ of $\frac{1}{2b} e^{-|r| / b}$ without $\log 2$; the last is $-\log$ of $e^{zy} e^{-e^z} / y!$ without $\log y!$.
# 2. **One slope for four losses.** By $z$, or by $\hat y$ at $v = 1$: $\sigma(z) - y$, $\operatorname{softmax}(z) - y$, $e^z - y$, $\hat y - y$. Four times *what is predicted, less what happened.* So for a linear model with a constant among the inputs, the predictions of the fitted model add up to the targets. (The Laplace slope is $\pm 1 / b$.)
# 3. For given residuals the best common variance is $v = \overline{r^2}$, the best Laplace scale $b = \overline{|r|}$.
# 4. The slope by $\hat y$ is $r / v$: **an example counts with the weight $1 / v$, and $v$ is the model's own choice.** Where the mean is still wrong, line 3 makes $v$ about $r^2$, and the slope becomes $1 / r$: the worse the fit, the weaker the pull.

# %% name="derivation"
r, y, z = sp.Symbol("r", real=True), sp.Symbol("y", positive=True), sp.Symbol("z", real=True)
v, b = sp.symbols("v b", positive=True)
gauss = -sp.log(sp.exp(-(r**2) / (2 * v)) / sp.sqrt(2 * sp.pi * v))
assert sp.simplify(sp.expand_log(gauss - (sp.log(v) + r**2 / v) / 2, force=True) - sp.log(2 * sp.pi) / 2) == 0  # line 1
poisson = -sp.log(sp.exp(z * y) * sp.exp(-sp.exp(z)) / sp.factorial(y))
assert sp.simplify(sp.expand_log(poisson, force=True) - (sp.exp(z) - y * z) - sp.log(sp.factorial(y))) == 0
laplace = -sp.log(sp.exp(-sp.Abs(r) / b) / (2 * b))
assert sp.simplify(sp.expand_log(laplace, force=True) - sp.log(b) - sp.Abs(r) / b - sp.log(2)) == 0

# %% name="derivation-slopes"
n = np.array([[2.0, -1.0, 0.5]])
onehot, p = np.array([[0.0, 1, 0]]), np.exp(n) / np.exp(n).sum()
assert np.allclose(cross_entropy(n, np.array([1])).grad, p - onehot)  # line 2
assert np.allclose(binary_cross_entropy(n, onehot).grad, 1 / (1 + np.exp(-n)) - onehot)
assert np.allclose(poisson_nll(n, onehot).grad, np.exp(n) - onehot)
assert np.allclose(gaussian_nll(n, 1.0, onehot).grad.pred, n - onehot)
q = sp.symbols("q1:4", real=True)  # three residuals
common = sp.solve(sp.diff(sum((sp.log(v) + k**2 / v) / 2 for k in q), v), v)
assert [sp.simplify(one - sum(k**2 for k in q) / 3) for one in common] == [0]  # line 3: the mean of r^2
a = sp.Symbol("a", positive=True)  # |r|
assert sp.solve(sp.diff(sp.log(b) + a / b, b), b) == [a]
assert sp.simplify((sp.diff(gauss, r)).subs(v, r**2) - 1 / r) == 0  # line 4
print("lines 1 to 4 hold")

# %% [markdown]
# ## Code

# %% name="source"
show(gaussian_nll, poisson_nll)

# %% [markdown]
# The steps stay the source document's: predict, loss of each example, mean, gradient, update; only the model has two outputs now. A variance must be positive: here the second output goes through $\log(1 + e^x)$, and `gaussian_nll` holds $v$ above `eps`.
#
# ## Parity with PyTorch
#
# `F.gaussian_nll_loss` (its `var` comes last) and `F.poisson_nll_loss`; Laplace against `torch.distributions`. Two things to know, of PyTorch and so of ours: below `eps` the variance is held, yet its slope still passes; and the option `full` of the Poisson loss adds Stirling's approximation of $\log y!$, 0.652 for $y = 2$ where $\log 2! = 0.693$.

# %% tags=["nbval-ignore-output"] name="parity-gaussian"
parity.table("gaussian_nll", setting.device)

# %% tags=["nbval-ignore-output"] name="parity-laplace"
parity.table("laplace_nll", setting.device)

# %% tags=["nbval-ignore-output"] name="parity-poisson"
parity.table("poisson_nll", setting.device)

# %% [markdown]
# ## Picture
#
# 300 points of a wave, $y = \frac12 \sin 6 \pi x$ plus noise of 0.05, and a network of two hidden layers of 50 for each seed, trained side by side. The same starts and 1000 steps of Adam for both losses; squared error ignores the second output.

# %% name="wave"
losses = {"squared error": bridge.as_autograd(squared_error), "likelihood": bridge.as_autograd(gaussian_nll)}
S = len(setting.seeds)
draws = [torch.Generator().manual_seed(s) for s in setting.seeds]

def uniform(a, b):  # one (a, b) array a seed, numbers from -1 to 1
    return torch.stack([2 * torch.rand(a, b, generator=draw) - 1 for draw in draws]).to(setting.device)

def wave(x):
    return torch.sin(6 * torch.pi * x) / 2

x = uniform(300, 1).sort(dim=1).values
y = (wave(x) + 0.05 * 3**0.5 * uniform(300, 1))[..., 0]  # (S, 300); a uniform noise of standard deviation 0.05
begin = [uniform(a, o) / i**0.5 for i, o in ((1, 50), (50, 50), (50, 2)) for a in (i, 1)]  # weights and biases

# %% name="train"
def train(kind, lr=0.01, steps=1000, beta=0.0):
    w1, b1, w2, b2, w3, b3 = p = [torch.nn.Parameter(a.clone()) for a in begin]
    optimizer = bridge.TorchOptimizer(Adam(lr), p)
    for _ in range(steps):
        mean, spread = (((x @ w1 + b1).tanh() @ w2 + b2).tanh() @ w3 + b3).unbind(-1)
        v = torch.nn.functional.softplus(spread) + 1e-6
        if kind == "squared error":
            value = losses[kind](mean, y)
        else:
            value = losses[kind](mean, v, y) * v.detach() ** beta  # beta: see below
        optimizer.zero_grad()
        value.mean(1).sum().backward()
        optimizer.step()
    error = (mean - wave(x[..., 0])).square().mean(1).sqrt()  # (S,): how far from the wave without noise
    return [a.detach().cpu().numpy() for a in (error, mean, v.sqrt())]

runs = {(kind, 0.01): train(kind) for kind in losses}

# %% name="picture"
(_, fitted, _), (_, middle, sd) = (runs[kind, 0.01] for kind in losses)
curves = {
    "squared error": fitted[0],
    "likelihood ± its sd": (middle[0] - sd[0], middle[0], middle[0] + sd[0]),
    "the wave": wave(x[0, :, 0]).cpu().numpy(),
}
plots.lines(
    x[0, :, 0].cpu().numpy(), curves, "x", "y",
    "A wave of six periods and two fits. Squared error follows it. The likelihood follows a part, and cuts through the rest "
    "with a wide band around it.",
    title="One network, one start, two losses",
)

# %% [markdown]
# Line 4 at work. Where the mean is late, the variance grows to cover the error, and then the error hardly pulls any more: the model has explained it as noise. Is it this rate's doing? And what if we take the weight back: multiply each example's loss by $v^\beta$, a constant for the derivative, $\beta = \frac12$ (Seitzer et al. 2022, arXiv 2203.09168; exercise 3)?

# %% name="picture-verdict"
runs["likelihood, 4000 steps", 0.01] = train("likelihood", steps=4000)
runs["likelihood x root of v", 0.01] = train("likelihood", beta=0.5)
for name, kind, beta in [(k, k, 0.0) for k in losses] + [("likelihood x root of v", "likelihood", 0.5)]:
    runs[name, 0.02] = train(kind, 0.02, beta=beta)
error = {key: run[0] for key, run in runs.items()}
for lr in (0.01, 0.02):
    assert np.median(error["likelihood", lr] / error["squared error", lr]) > 2
    assert np.median(error["likelihood x root of v", lr] / error["likelihood", lr]) < 0.5
assert np.median(error["likelihood, 4000 steps", 0.01]) < np.median(error["likelihood", 0.01])
print("after 1000 steps the likelihood's mean is over twice as far from the wave; with the root of v it is not (medians, two rates)")

# %% name="picture-table" tags=["nbval-ignore-output"]
rows = [[name, f"{lr:g}", f"{np.median(e):.2f} ({min(e):.2f} to {max(e):.2f})"] for (name, lr), e in error.items()]
Table(["loss", "lr", "distance from the wave, median (range)"], rows)

# %% [markdown]
# The likelihood is not wrong: at *its* minimum the mean is right. The road there is long: with four times the steps some seeds are there, others still on the way. With the root of $v$ all of them are.
#
# ## Counts
#
# A common habit with counts is $\log(1 + y)$ and least squares. Let us draw counts with the rate $e^{z}$, $z$ linear in five inputs, and fit three ways. "Extra spread": each rate is multiplied by a random factor of mean 1, so that the counts are *not* Poisson.

# %% name="counts"
truth = np.array([0.5, -0.4, 0.3, 0.0, 0.2, 0.3])  # the last belongs to the constant

def counts(s, extra):
    rng = np.random.default_rng(s)
    x = np.c_[rng.normal(size=(400, 5)), np.ones(400)]
    return x, rng.poisson(np.exp(x @ truth) * rng.gamma(1 / extra, extra, 400)).astype(float)

def fit(gradient, steps=400):
    theta, rule = np.zeros(6), Adam(0.05)
    state = rule.init(theta)
    for _ in range(steps):
        theta, state = rule.update(theta, gradient(theta), state)
    return theta

# %% name="fits"
def compare(s, extra):
    x, y = counts(s, extra)
    thetas = {
        "Poisson": fit(lambda t: x.T @ poisson_nll(x @ t, y).grad / 400),
        "squared error of exp(z)": fit(lambda t: x.T @ (squared_error(np.exp(x @ t), y).grad * np.exp(x @ t)) / 400),
        "least squares on log(1 + y)": np.linalg.lstsq(x, np.log1p(y), rcond=None)[0],
    }
    rates = {name: np.expm1(x @ t) if "1 +" in name else np.exp(x @ t) for name, t in thetas.items()}
    beyond = np.mean(y > rates["Poisson"] + 2 * np.sqrt(rates["Poisson"]))
    off = [np.sqrt(np.mean((rate - np.exp(x @ truth)) ** 2)) for rate in rates.values()]
    return [*zip(off, (rate.sum() / y.sum() for rate in rates.values()), strict=True)], beyond, list(thetas)

rows, found = [], {}
for extra in (1e-6, 1.0):
    results = [compare(s, extra) for s in setting.seeds]
    found[extra] = np.array([r[0] for r in results]), np.array([r[1] for r in results])
    for name, (error, total) in zip(results[0][2], found[extra][0].mean(0), strict=True):
        rows.append(["Poisson" if extra < 1 else "extra spread", name, f"{error:.2f}", f"{total:.2f}"])

# %% name="counts-table" tags=["nbval-ignore-output"]
Table(["counts", "fit", "distance from the true rates (rms)", "sum of predictions / sum of counts"], rows, "Means over seeds.")

# %% name="counts-verdict"
plain, spread = found[1e-6][0], found[1.0][0]
assert np.allclose(plain[:, 0, 1], 1, atol=1e-2) and np.allclose(spread[:, 0, 1], 1, atol=1e-2)  # line 2
assert (plain[:, 2, 1] < 0.9).all() and (spread[:, 2, 1] < 0.75).all()  # the logarithm loses
both = np.concatenate([plain, spread])
assert both[:, 0, 0].mean() < min(both[:, 1, 0].mean(), both[:, 2, 0].mean())  # nearest to the truth
assert found[1.0][1].mean() > 1.5 * found[1e-6][1].mean()
print("Poisson: predictions add up to the counts. log(1 + y): at least 10 per cent too few, with extra spread 25, every seed")
print("counts over 2 sd above the Poisson prediction:", *(f"{b.mean():.0%}" for _, b in found.values()), "(with extra spread)")

# %% [markdown]
# The Poisson fit keeps its books balanced (line 2) and is on average nearest to the truth, **also where the counts are not Poisson:** its mean needs only the right formula for the mean. Its spread does not survive: with extra spread, about twice as many counts lie beyond two of *its* standard deviations. The mean of a logarithm is not the logarithm of a mean: that fit predicts too few.
#
# ## Exercises
#
# ### 1. A Laplace head (7 minutes, medium)
# A network gives `m` and `k`; the prediction is `m`, the scale $b = e^k$. Return $\log b + |r| / b$ and its slopes by `m` and by `k`, three arrays.

# %% name="exercise-laplace"
def laplace_head(m, k, y):
    ### BEGIN SOLUTION
    r, b = m - y, np.exp(k)
    return k + abs(r) / b, np.sign(r) / b, 1 - abs(r) / b
    ### END SOLUTION

# %% name="check-laplace"
check("laplace_head")

# %% [markdown]
# <details><summary>Hint 1</summary>Write the loss with k in place of b first; no logarithm is left.</details>
# <details><summary>Hint 2</summary>The derivative of exp(-k) by k is -exp(-k).</details>
#
# ### 2. Counts over different times (6 minutes, medium)
# Counter $n$ ran for `hours[n]`; the rate per hour is $e^{z}$. Return the Poisson loss of each count (without $\log y!$) and its slope by `z`.

# %% name="exercise-hours"
def with_hours(z, hours, y):
    ### BEGIN SOLUTION
    expected = np.exp(z) * hours
    return expected - y * (z + np.log(hours)), expected - y
    ### END SOLUTION

# %% name="check-hours"
check("with_hours")

# %% [markdown]
# <details><summary>Hint 1</summary>How many counts are expected in all those hours? That number is the rate of the distribution.</details>
# <details><summary>Hint 2</summary>The slope must again be what is predicted, less what happened.</details>
#
# ### 3. Take the weight back (7 minutes, hard)
# Multiply the Gaussian loss of each example by $v^\beta$, where this factor is a constant for the derivative. Return the two slopes, by the mean and by the variance. $\beta = 0$ is the likelihood; with $\beta = 1$ the mean learns as with squared error.

# %% name="exercise-weight"
def weighted_slopes(pred, v, y, beta):
    ### BEGIN SOLUTION
    r = pred - y
    return v**beta * r / v, v**beta * (1 / v - r**2 / v**2) / 2
    ### END SOLUTION

# %% name="check-weight"
check("weighted_slopes")

# %% [markdown]
# <details><summary>Hint 1</summary>Differentiate as if the factor were not there; multiply afterwards.</details>
# <details><summary>Hint 2</summary>Check: at β = 1 the slope by the mean must be r.</details>
#
# [All solutions of this lesson](../../solutions/03_algorithms/07_probabilistic_regression.ipynb)
#
# ## Takeaways
#
# - A loss is $-\log$ of a probability: name the distribution of the target and you have the loss. **G5: confirmed.** For Bernoulli and categorical by their logits, Poisson by the log of its rate and the Gaussian at $v = 1$, the slope is what is predicted, less what happened.
# - Counts are fitted as counts; the Poisson mean survives a wrong spread, the Poisson spread does not.
# - Do not train a mean and a variance together from a cold start without a look at the mean: the likelihood may call the hard part noise for thousands of steps.
