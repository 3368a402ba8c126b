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
# **Goal.** Get a loss from a probability, predict a spread beside the middle, and fit counts as counts. **40 minutes:** reading 22, exercises 18.
#
# **The question.** A network predicts a mean *and* a variance. It has the capacity to follow the curve, squared error follows it, and yet with minus the log-likelihood as the loss it calls a stretch of the curve "noise". Why?

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
# Choose a distribution for $y$ whose parameters the model predicts; the loss is $-\log p(y \mid x)$ (G5, which the source document lacks). The source's F1 and F2 are two cases; squared error (the Gaussian at constant $v$) and absolute error (the Laplace at constant $b$) are two more:
#
# | distribution | the model predicts | $-\log p$, without constants |
# |---|---|---|
# | Bernoulli | logit $z$ | $-y \log \sigma(z) - (1 - y) \log(1 - \sigma(z))$: F1 |
# | categorical | logits $z$ | $-\sum_i y_i \log \operatorname{softmax}(z)_i$: F2 |
# | Gaussian | mean $\hat y$, variance $v$ | $\frac12 \big( \log v + r^2 / v \big)$ |
# | Laplace | mean $\hat y$, scale $b$ | $\log b + \lvert r \rvert / b$ |
# | Poisson (counts) | log of the rate, $z$ | $e^z - y z$ |
#
# $r = \hat y - y$ is the residual; $v$ has the unit of $r^2$, $b$ that of $r$. In the code: `pred` ($\hat y$ or $z$), `var`, `scale`, `target`, of one shape; a common `var` or `scale` may be a number.
#
# ## Derivation
#
# 1. The third row is $-\log$ of $\frac{1}{\sqrt{2 \pi v}} e^{-r^2 / 2 v}$ without $\frac12 \log 2\pi$; the fourth is $-\log$ of $\frac{1}{2b} e^{-|r| / b}$ without $\log 2$; the last is $-\log$ of $e^{zy} e^{-e^z} / y!$ without $\log y!$.
# 2. **One slope for four losses.** By $z$, or by $\hat y$ at $v = 1$: $\sigma(z) - y$, $\operatorname{softmax}(z) - y$, $e^z - y$, $\hat y - y$. Four times *what is predicted, less what happened.* So for a linear model with a constant among the inputs, the predictions of the fitted model add up to the targets. (The Laplace slope is $\pm 1 / b$.)
# 3. For given residuals the best common variance is $v = \overline{r^2}$, the best Laplace scale $b = \overline{|r|}$.
# 4. The slope by $\hat y$ is $r / v$, that by $v$ is $\frac{1}{2 v} (1 - r^2 / v)$: **an example counts with the weight $1 / v$, and $v$ is the model's own choice.** Right, where $v$ is the noise. But where the mean is still wrong, line 3 draws $v$ to about $r^2$, and the slope by $\hat y$ becomes $1 / r$: the worse the fit, the weaker the pull.

# %% name="derivation"
r, y, z = sp.Symbol("r", real=True), sp.Symbol("y", positive=True), sp.Symbol("z", real=True)
v, b = sp.symbols("v b", positive=True)
gauss = (sp.log(v) + r**2 / v) / 2
rows = [  # density, loss, constant
    (sp.exp(-(r**2) / (2 * v)) / sp.sqrt(2 * sp.pi * v), gauss, sp.log(2 * sp.pi) / 2),
    (sp.exp(-sp.Abs(r) / b) / (2 * b), sp.log(b) + sp.Abs(r) / b, sp.log(2)),
    (sp.exp(z * y - sp.exp(z)) / sp.factorial(y), sp.exp(z) - y * z, sp.log(sp.factorial(y))),
]
for density, loss, constant in rows:  # line 1
    assert sp.simplify(sp.expand_log(-sp.log(density), force=True) - loss - constant) == 0

# %% name="derivation-slopes"
n = np.array([[2.0, -1.0, 0.5]])
onehot, p = np.array([[0.0, 1, 0]]), np.exp(n) / np.exp(n).sum()
assert np.allclose(cross_entropy(n, np.array([1])).grad, p - onehot)  # line 2
assert np.allclose(binary_cross_entropy(n, onehot).grad, 1 / (1 + np.exp(-n)) - onehot)
assert np.allclose(poisson_nll(n, onehot).grad, np.exp(n) - onehot)
assert np.allclose(gaussian_nll(n, 1.0, onehot).grad.pred, n - onehot)
a = sp.symbols("a1:4", positive=True)  # line 3, with three sizes |r|
for loss, by, best in ((gauss, v, sum(k**2 for k in a) / 3), (sp.log(b) + r / b, b, sum(a) / 3)):
    (found,) = sp.solve(sp.diff(sum(loss.subs(r, k) for k in a), by), by)
    assert sp.simplify(found - best) == 0
assert sp.simplify(sp.diff(gauss, v) - (1 - r**2 / v) / (2 * v)) == 0  # line 4
assert sp.diff(gauss, r).subs(v, r**2) == 1 / r
print("lines 1 to 4 hold")

# %% [markdown]
# ## Code

# %% name="source"
show(gaussian_nll, poisson_nll)

# %% [markdown]
# A variance must be positive: below, the network's second output goes through $\log(1 + e^x)$, and `gaussian_nll` holds $v$ at `eps` or above.
#
# ## Parity with PyTorch
#
# `F.gaussian_nll_loss` (its `var` comes last), `F.poisson_nll_loss`, and `torch.distributions.Laplace`, which keeps the $\log 2$, as `laplace_nll` does. Two things to know, of PyTorch and so of ours: below `eps` the variance is held, yet its slope still passes; and the option `full` of the Poisson loss adds Stirling's approximation of $\log y!$, 0.652 for $y = 2$ where $\log 2! = 0.693$.

# %% tags=["nbval-ignore-output"] name="parity-gaussian"
parity.table("gaussian_nll", setting.device)

# %% tags=["nbval-ignore-output"] name="parity-laplace"
parity.table("laplace_nll", setting.device)

# %% tags=["nbval-ignore-output"] name="parity-poisson"
parity.table("poisson_nll", setting.device)

# %% [markdown]
# ## Picture
#
# 300 points of a wave, $y = \frac12 \sin 6 \pi x$ plus uniform noise of standard deviation 0.05; one network with two hidden layers of 50 for each seed. Both losses get the same starts and 1000 steps of Adam; squared error ignores the second output.

# %% name="wave"
squared, nll = bridge.as_autograd(squared_error), bridge.as_autograd(gaussian_nll)
draws = [torch.Generator().manual_seed(s) for s in setting.seeds]

def uniform(a, b):  # for each of the S seeds, numbers from -1 to 1
    return torch.stack([2 * torch.rand(a, b, generator=d) - 1 for d in draws]).to(setting.device)

def wave(x):
    return torch.sin(6 * torch.pi * x) / 2

x = uniform(300, 1).sort(dim=1).values
unit = uniform(300, 1)[..., 0]  # (S, 300)
layers = ((1, 50), (50, 50), (50, 2))
begin = [uniform(a, o) / i**0.5 for i, o in layers for a in (i, 1)]  # weights and biases

# %% name="train"
def train(beta, lr=0.01, steps=1000, noise=0.05):  # beta None: squared error, 0: the likelihood
    y = wave(x[..., 0]) + noise * 3**0.5 * unit
    w1, b1, w2, b2, w3, b3 = p = [torch.nn.Parameter(a.clone()) for a in begin]
    optimizer = bridge.TorchOptimizer(Adam(lr), p)
    for _ in range(steps):
        mean, spread = (((x @ w1 + b1).tanh() @ w2 + b2).tanh() @ w3 + b3).unbind(-1)
        v = torch.nn.functional.softplus(spread)
        value = squared(mean, y) if beta is None else nll(mean, v, y) * v.detach() ** beta
        optimizer.zero_grad()
        value.mean(1).sum().backward()
        optimizer.step()
    error = (mean - wave(x[..., 0])).square().mean(1).sqrt()  # (S,): distance from the wave
    return [a.detach().cpu().numpy() for a in (error, mean, v.sqrt())]

losses = {"squared error": None, "likelihood": 0.0, "likelihood x root of v": 0.5}
runs = {(name, 0.01): train(beta) for name, beta in losses.items()}

# %% name="picture"
(_, fitted, _), (_, middle, sd) = runs["squared error", 0.01], runs["likelihood", 0.01]
curves = {
    "squared error": fitted[0],
    "likelihood ± its sd": (middle[0] - sd[0], middle[0], middle[0] + sd[0]),
    "the wave": wave(x[0, :, 0]).cpu().numpy(),
}
picture = plots.lines(
    x[0, :, 0].cpu().numpy(), curves, "x", "y",
    "A wave of six periods and two fits. Squared error follows it. The likelihood follows a part, "
    "and cuts through the rest with a wide band around it.",
    title="One network, one start, two losses",
)
picture.fig.axes[0].set_ylim(-0.65, 1.05)  # room for the legend
picture

# %% [markdown]
# Line 4 at work. Where the mean does not follow yet, the variance grows to cover the error, and then these points hardly count any more: the model has explained them as noise. If the weight is the culprit, taking it back must help: multiply each example's loss by $v^\beta$, a constant for the derivative, here with $\beta = \frac12$ (Seitzer et al. 2022, arXiv 2203.09168; exercise 3). And is it the learning rate's doing?

# %% name="picture-verdict"
for lr in (0.003, 0.02):
    runs |= {(name, lr): train(beta, lr) for name, beta in losses.items()}
long = train(0.0, steps=4000)[0]
loud = [train(beta, noise=0.2)[0] for beta in (None, 0.0)]
middle_of = {key: np.median(run[0]) for key, run in runs.items()}
for lr in (0.01, 0.02):
    assert middle_of["likelihood", lr] > 2 * middle_of["squared error", lr]
    assert middle_of["likelihood x root of v", lr] < 0.5 * middle_of["likelihood", lr]
assert np.median(long) < middle_of["likelihood", 0.01]
assert np.median(loud[1]) < 1.5 * np.median(loud[0])
assert np.median(runs["likelihood x root of v", 0.01][2]) < 0.08  # the noise's sd is 0.05
print("lr 0.01 and 0.02: the likelihood ends over twice as far from the wave as squared error;")
print("the root of v at least halves its distance (medians over seeds, 1000 steps)")

# %% name="picture-table" tags=["nbval-ignore-output"]
def shown(e):  # median and range over seeds
    return f"{np.median(e):.2f} ({min(e):.2f} to {max(e):.2f})"

lrs = (0.003, 0.01, 0.02)
rows = [[name, *(shown(runs[name, lr][0]) for lr in lrs)] for name in losses]
rows += [["likelihood, 4000 steps", "", shown(long), ""]]
for name, e in zip(losses, loud, strict=False):
    rows.append([f"{name}, noise 0.2", "", shown(e), ""])
for name in ("likelihood", "likelihood x root of v"):
    rows.append([f"sd by {name}", *(shown(np.median(runs[name, lr][2], 1)) for lr in lrs)])
Table(["distance from the wave, or predicted sd", "lr 0.003", "lr 0.01", "lr 0.02"], rows)

# %% [markdown]
# A flat line at 0 has the distance 0.35. At 0.003 squared error itself is mostly not there after 1000 steps, and the comparison says little. Where it arrives, the likelihood stays behind, **as long as the noise is small:** at 0.2 it keeps up, for then the weights $1 / v$ of followed and missed stretches differ less. It is not wrong: whatever $v$ is, the slope $r / v$ is 0 on average at the right mean. But the road there is long, and whether 4000 steps are enough depends on the seed. The root of $v$ shortens it, without a promise for every seed; where the mean arrives, the predicted spread does too.
#
# ## Counts
#
# A common habit with counts is $\log(1 + y)$ and least squares. Let us draw counts with the rate $e^z$, $z$ linear in five inputs, and compare. "Extra spread": each rate is multiplied by a random factor of mean 1, so that the counts are *not* Poisson. "Large": rates about 55 times as high. "Uneven": the factor spreads less where the first input is large.

# %% name="counts"
def counts(s, extra, constant, uneven):
    rng = np.random.default_rng(s)
    x = np.c_[rng.normal(size=(400, 5)), np.ones(400)]
    rate = np.exp(x @ [0.5, -0.4, 0.3, 0.0, 0.2, constant])
    a = extra * np.exp(-uneven * x[:, 0])  # variance of the factor
    return x, rate, rng.poisson(rate * rng.gamma(1 / a, a)).astype(float)

def fit_poisson(x, y, steps=400):
    theta, rule = np.zeros(6), Adam(0.05)
    state = rule.init(theta)
    for _ in range(steps):
        theta, state = rule.update(theta, x.T @ poisson_nll(x @ theta, y).grad / len(y), state)
    return np.exp(x @ theta)

# %% name="fits"
def compare(s, how):  # two distances, two sums, the share of counts beyond 2 sd
    x, rate, y = counts(s, *how)
    poisson = fit_poisson(x, y)
    log = np.expm1(x @ np.linalg.lstsq(x, np.log1p(y), rcond=None)[0])
    fits = poisson, log * y.sum() / log.sum()
    off = [np.sqrt(np.mean((f - rate) ** 2)) / rate.mean() for f in fits]
    sums = poisson.sum() / y.sum(), log.sum() / y.sum()
    return *off, *sums, np.mean(y > poisson + 2 * np.sqrt(poisson))

cases = {"Poisson": (1e-6, 0.3, 0), "extra spread": (1.0, 0.3, 0)}
cases |= {"the same, large": (1.0, 4.3, 0), "the same, large, uneven": (1.0, 4.3, 1)}
found = {case: np.array([compare(s, how) for s in setting.seeds]) for case, how in cases.items()}

# %% name="counts-table"
head = ["counts", "distance: Poisson", "distance: log(1 + y), scaled"]
head += ["sum: Poisson", "sum: log(1 + y)", "above 2 sd"]
note = ("Distance from the true rates: rms / mean rate. Sum: predicted / counted. "
        "2 sd: of the Poisson fit.")
Table(head, [[case, *map(shown, a.T)] for case, a in found.items()], note)

# %% name="counts-verdict"
plain, spread, large, uneven = found.values()
for a in found.values():
    assert np.allclose(a[:, 2], 1, atol=1e-2) and (a[:, 3] < 0.9).all()  # line 2: the sums agree
assert np.median(plain[:, 0]) < np.median(plain[:, 1])
assert 0.5 < np.median(large[:, 1]) / np.median(large[:, 0]) < 1.15
assert (uneven[:, 1] > 2 * uneven[:, 0]).all()
assert spread[:, 4].mean() > 1.5 * plain[:, 4].mean()
print("every seed: the logarithm, not scaled, predicts at least 10 per cent too few;")
print("uneven: scaled, it ends over twice as far from the true rates as Poisson")

# %% [markdown]
# The Poisson fit adds up (line 2), **also where the counts are not Poisson,** and its mean needs only the right formula for the mean: at the true rate, $e^z - y$ is 0 on average whatever the spread of $y$. Its own spread does not survive: with extra spread, over 1.5 times as many counts lie more than two of *its* standard deviations above.
#
# The mean of a logarithm is not the logarithm of a mean: the other fit predicts too few. One scale mends the sum, and for our large counts under an even factor the scaled logarithm is about as near to the truth as Poisson. But under an uneven factor the gap between the two means changes with $x$, and no scale mends that.
#
# ## Exercises
#
# ### 1. A Laplace head (7 minutes, medium)
# A network gives `m` and `k`; the prediction is `m`, the scale $b = e^k$. Return $\log b + |r| / b$ and its slopes by `m` and by `k`, in this order: three arrays. Where $r = 0$, take the slope of $|r|$ as 0.

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
# ### 3. Take the weight back (5 minutes, easy)
# Multiply the Gaussian loss of each example by $v^\beta$, where this factor is a constant for the derivative. Return the two slopes, by the mean and by the variance. $\beta = 0$ is the likelihood; at $\beta = 1$ the slope by the mean is $r$, as with half the squared error.

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
# - Fit counts by Poisson: its mean survives a wrong spread, its own spread does not. The logarithm, scaled, was a rival for large counts under an even factor, and far off under an uneven one.
# - Do not train a mean and a variance together without a look at the mean: where the noise is small, the likelihood may call the hard part noise for thousands of steps. Take some of the weight $1 / v$ back.
