# ---
# jupyter:
#   lesson:
#     title: "Probabilistic regression: Gaussian, Laplace, Poisson"
#     question: "A network that could follow the curve calls a stretch of it noise. Why?"
#     minutes: 45
#     needs: [01_binary_cross_entropy, 05_regression]
#     settles: [G5]
#     studies: [losses.gaussian_nll, losses.laplace_nll, losses.poisson_nll]
# ---

# %% [markdown] name="goal"
# # Probabilistic regression: Gaussian, Laplace, Poisson
#
# **Goal.** Get a loss from a probability, predict a spread beside the middle, and fit counts as counts.
#
# **The question.** A network predicts a mean *and* a variance. It has the capacity to follow the curve, squared error follows it, and yet with minus the log-likelihood as the loss it calls a stretch of the curve "noise". Why?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: device, seed, profile
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup" tags=["fold"]
# Set-up: imports, and the device to compute on
import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, exercises, parity, plots
from lessons_lib.losses import (
    binary_cross_entropy,
    cross_entropy,
    gaussian_nll,
    laplace_nll,
    poisson_nll,
)
from lessons_lib.optim import Adam, descend
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/07_probabilistic_regression")

# %% [markdown] name="formula"
# ## The formula
#
# Choose a distribution for $y$ whose parameters the model predicts; the loss is $-\log p(y \mid x)$, which the source document never says. Its two cross-entropies are cases of it; squared error (the Gaussian at constant $v$) and absolute error (the Laplace at constant $b$) are two more:
#
# | distribution | the model predicts | $-\log p$, without constants |
# |---|---|---|
# | Bernoulli | logit $z$ | $-y \log \sigma(z) - (1 - y) \log(1 - \sigma(z))$ |
# | categorical | logits $z$ | $-\sum_i y_i \log \operatorname{softmax}(z)_i$ |
# | Gaussian | mean $\hat y$, variance $v$ | $\frac12 \big( \log v + r^2 / v \big)$ |
# | Laplace | mean $\hat y$, scale $b$ | $\log b + \lvert r \rvert / b$ |
# | Poisson (counts) | log of the rate, $z$ | $e^z - y z$ |
#
# $r = \hat y - y$ is the residual; $v$ has the unit of $r^2$, $b$ that of $r$. In the code: `pred` ($\hat y$ or $z$), `var`, `scale`, `target`, of one shape; a common `var` or `scale` may be a number. Absolute error as a likelihood is Laplace's (1774), a network that predicts a variance Nix and Weigend's (1994, *Estimating the mean and variance of the target probability distribution*), counts with a linear log of the rate Nelder and Wedderburn's (1972, *Generalized linear models*).
#
# ## Derivation
#
# 1. The third row is $-\log$ of $\frac{1}{\sqrt{2 \pi v}} e^{-r^2 / 2 v}$ without $\frac12 \log 2\pi$; the fourth is $-\log$ of $\frac{1}{2b} e^{-|r| / b}$ without $\log 2$; the last is $-\log$ of $e^{zy} e^{-e^z} / y!$ without $\log y!$.
# 2. **One slope for four losses.** By $z$, or by $\hat y$ at $v = 1$: $\sigma(z) - y$, $\operatorname{softmax}(z) - y$, $e^z - y$, $\hat y - y$. Four times *what is predicted, less what happened.* So for a linear model with a constant among the inputs, the predictions of the fitted model add up to the targets. (The Laplace slope is $\pm 1 / b$.)
# 3. For given residuals the best common variance is $v = \overline{r^2}$, the best Laplace scale $b = \overline{|r|}$.
# 4. The slope by $\hat y$ is $r / v$, that by $v$ is $\frac{1}{2 v} (1 - r^2 / v)$: **both have the factor $1 / v$, and $v$ is the model's own choice.** Right, where $v$ is the noise. But where the mean is still wrong, line 3 draws $v$ to about $r^2$, and the slope by $\hat y$ becomes $1 / r$: the worse the fit, the weaker the pull. And where one network gives both outputs, its layers get both slopes.

# %% name="derivation"
r, y, z = sp.Symbol("r", real=True), sp.Symbol("y", positive=True), sp.Symbol("z", real=True)
v, b = sp.symbols("v b", positive=True)
gauss, laplace, poisson = (sp.log(v) + r**2 / v) / 2, sp.log(b) + sp.Abs(r) / b, sp.exp(z) - y * z
rows = [  # density, loss, constant
    (sp.exp(-(r**2) / (2 * v)) / sp.sqrt(2 * sp.pi * v), gauss, sp.log(2 * sp.pi) / 2),
    (sp.exp(-sp.Abs(r) / b) / (2 * b), laplace, sp.log(2)),
    (sp.exp(z * y - sp.exp(z)) / sp.factorial(y), poisson, sp.log(sp.factorial(y))),
]
for density, loss, constant in rows:  # line 1
    assert sp.simplify(sp.expand_log(-sp.log(density), force=True) - loss - constant) == 0
a = sp.symbols("a1:4", positive=True)  # line 3, with three sizes |r|
for loss, by, best in ((gauss, v, sum(k**2 for k in a) / 3), (laplace, b, sum(a) / 3)):
    (found,) = sp.solve(sp.diff(sum(loss.subs(r, k) for k in a), by), by)
    assert sp.simplify(found - best) == 0
assert sp.simplify(sp.diff(gauss, v) - (1 - r**2 / v) / (2 * v)) == 0  # line 4
assert sp.diff(gauss, r) == r / v and sp.diff(gauss, r).subs(v, r**2) == 1 / r

# %% name="derivation-library"
n, size = np.array([2.0, -1.0, 0.5]), np.array([0.3, 1.0, 2.0])
for formula, by, ours in (  # the library has these formulas, and their slopes
    (gauss, (r, v), gaussian_nll(n, size, 0 * n)),
    (laplace + sp.log(2), (r, b), laplace_nll(n, size, 0 * n)),
    (poisson.subs(y, 3), (z,), poisson_nll(n, 3 + 0 * n)),
):
    lines = sp.lambdify(by, [formula, *(sp.diff(formula, k) for k in by)])(*(n, size)[: len(by)])
    assert np.allclose(lines, [ours.value, *np.atleast_2d(ours.grad)])
onehot, p = np.array([[0.0, 1, 0]]), np.exp(n) / np.exp(n).sum()
assert np.allclose(cross_entropy(n[None], np.array([1])).grad, p - onehot)  # line 2
assert np.allclose(binary_cross_entropy(n[None], onehot).grad, 1 / (1 + np.exp(-n)) - onehot)

# %% [markdown] name="code"
# ## Code

# %% name="source"
show(gaussian_nll, poisson_nll)

# %% [markdown] name="after-source"
# `ratio` is $(\hat y - y) / v$, `half_r` is $r / 2$, and `_minus` gives $e^z - y z$ and $e^z - y$, each in a form that does not overflow on the way. A variance must be positive: below, the network's second output goes through $\log(1 + e^x)$, and `gaussian_nll` holds $v$ at `eps` or above.
#
# ## Parity with PyTorch
#
# `F.gaussian_nll_loss` (its `var` comes last), `F.poisson_nll_loss`, and `torch.distributions.Laplace`, which keeps the $\log 2$, as `laplace_nll` does. Two things to know, of PyTorch and so of ours: below `eps` the variance is held, yet its slope still passes; and the option `full` of the Poisson loss adds Stirling's approximation of $\log y!$, 0.652 for $y = 2$ where $\log 2! = 0.693$.

# %% tags=["nbval-ignore-output", "fold"] name="parity-gaussian"
# Against PyTorch
parity.table("gaussian_nll", setting.device)

# %% tags=["nbval-ignore-output", "fold"] name="parity-laplace"
# Against PyTorch
parity.table("laplace_nll", setting.device)

# %% tags=["nbval-ignore-output", "fold"] name="parity-poisson"
# Against PyTorch
parity.table("poisson_nll", setting.device)

# %% [markdown] name="picture-text"
# ## Picture
#
# 100 points of a wave, $y = \frac12 \sin 6 \pi x$ plus uniform noise of standard deviation 0.05; one network with two hidden layers of 32 for each seed, 1000 steps of Adam. What we vary are the two slopes of line 4. The likelihood sends both into the network as they are. Squared error: the slope by the mean times $v$, which is $r$, while the output for $v$ *reads along*: it sees the last hidden layer, but its slope goes no further down (`detach`), so that the mean never hears of it.

# %% name="wave"
draws = [torch.Generator().manual_seed(s) for s in setting.seeds]

def uniform(a, b):  # for each of the S seeds, numbers from -1 to 1
    return torch.stack([2 * torch.rand(a, b, generator=d) - 1 for d in draws]).to(setting.device)

def wave(x):
    return torch.sin(6 * torch.pi * x) / 2

x = uniform(100, 1).sort(dim=1).values
y = wave(x[..., 0]) + 0.05 * 3**0.5 * uniform(100, 1)[..., 0]  # (S, 100)
layers = ((1, 32), (32, 32), (32, 1), (32, 1))  # two hidden layers; the outputs for mean and v
begin = [uniform(a, o) / i**0.5 for i, o in layers for a in (i, 1)]  # weights and biases

# %% name="train"
def train(ways, lr, steps=1000):  # all ways and seeds at once: (W, S, 100)
    by_mean, by_v, reads_along = torch.tensor(ways, device=setting.device).T[..., None, None]
    p = [torch.nn.Parameter(a.expand(len(ways), *a.shape).clone()) for a in begin]
    w1, b1, w2, b2, w3, b3, w4, b4 = p
    optimizer = bridge.TorchOptimizer(Adam(lr), p)
    for _ in range(steps):
        h = ((x @ w1 + b1).tanh() @ w2 + b2).tanh()
        mean = (h @ w3 + b3)[..., 0]
        h = torch.where(reads_along[..., None] > 0, h.detach(), h)
        v = torch.nn.functional.softplus(h @ w4 + b4)[..., 0]
        now = v.detach()
        slope = gaussian_nll(mean.detach(), now, y.expand_as(mean)).grad
        optimizer.zero_grad()
        torch.autograd.backward([mean, v], [slope.pred * now**by_mean, slope.var * now**by_v])
        optimizer.step()
    error = (mean - wave(x[..., 0])).square().mean(-1).sqrt()  # (W, S): distance from the wave
    return [a.detach().cpu().numpy() for a in (error, mean, v.sqrt())]

ways = {  # powers of v on the slopes by the mean and by v; does v read along?
    "squared error, v reads along": (1, 0, 1),
    "likelihood": (0, 0, 0),
    "likelihood, v reads along": (0, 0, 1),
    "slope by the mean times v": (1, 0, 0),
    "slope by v times v": (0, 1, 0),
    "both slopes times v": (1, 1, 0),
    "both times root of v": (0.5, 0.5, 0),
}
errors, means, sds = train(list(ways.values()), lr=0.02)

# %% name="picture"
i = errors[1].argsort()[len(errors[1]) // 2]  # the seed in the middle for the likelihood
fitted, middle, sd = means[0, i], means[1, i], sds[1, i]
curves = {
    "squared error": fitted,
    "likelihood ± its sd": (middle - sd, middle, middle + sd),
    "the wave": wave(x[i, :, 0]).cpu().numpy(),
}
picture = plots.lines(
    x[i, :, 0].cpu().numpy(), curves, "x", "y",
    "A wave of six periods and two fits. Squared error follows it. The likelihood follows a part, "
    "and cuts through the rest with a wide band around it.",
    title="One network, one start, two losses",
)
picture.fig.axes[0].set_ylim(-0.65, 1.05)  # room for the legend
picture

# %% [markdown] name="suspects"
# Where the mean does not follow yet, the variance grows to cover the error, and then these points hardly count any more: the model has explained them as noise. Line 4 names two suspects: the weight $1 / v$ on the mean's slope, and the slope by $v$, which shapes the layers that the mean needs as well. Take each away alone, then both. And is it the learning rate's doing?

# %% name="picture-table" tags=["nbval-ignore-output"]
few = ["squared error, v reads along", "likelihood", "both slopes times v"]
slower = dict(zip(few, train([ways[name] for name in few], lr=0.01)[0], strict=True))

def shown(e):  # median and range over seeds
    return f"{np.median(e):.2f} ({min(e):.2f} to {max(e):.2f})"

rows = []
for name, e, sd in zip(ways, errors, sds, strict=True):
    late = shown(slower[name]) if name in slower else ""
    rows.append([name, shown(e), late, shown(np.median(sd, 1))])
Table(["slopes", "distance from the wave, lr 0.02", "lr 0.01", "predicted sd, lr 0.02"], rows)

# %% name="picture-verdict"
squared, nll, *alone, both, root = np.median(errors, axis=1)
assert min(nll, *alone) > 2 * squared
assert both < nll / 2 and root < nll / 1.5
assert np.median(slower[few[2]]) < np.median(slower["likelihood"])

# %% [markdown] name="after-picture"
# A flat line at 0 has the distance 0.35. **Neither suspect alone is the culprit, for each is enough.** With the mean's slope set free but $v$ still at work on the common layers, nothing is won; nor with the weight kept and $v$ only reading along. Set the mean free of both, and it arrives: as squared error, with $v$ reading along (Stirn et al. 2023, *Faithful heteroscedastic regression with neural networks*), or with *both* slopes times $v^\beta$, which tames the two at once: $\beta = 1$ or, not as surely, $\frac12$ (Seitzer et al. 2022, *On the pitfalls of heteroscedastic uncertainty estimation with probabilistic neural networks*; exercise 3). Where the mean arrives, the predicted spread is near the true 0.05. At half the rate, too, both slopes times $v$ end nearer than the likelihood.
#
# The likelihood is not wrong: whatever $v$ is, the slope $r / v$ is 0 on average at the right mean. But the road there is long.
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
    def gradient(theta):
        return x.T @ poisson_nll(x @ theta, y).grad / len(y)

    return np.exp(x @ descend(np.zeros(6), Adam(0.05), gradient, steps)[-1])

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
assert large[:, 1].min() < large[:, 0].max()
assert (uneven[:, 1] > 2 * uneven[:, 0]).all()
assert spread[:, 4].mean() > 1.5 * plain[:, 4].mean()

# %% [markdown] name="after-counts-verdict"
# The Poisson fit adds up (line 2), **also where the counts are not Poisson,** and its mean needs only the right formula for the mean: at the true rate, $e^z - y$ is 0 on average whatever the spread of $y$. Its own spread does not survive: with extra spread, over 1.5 times as many counts lie more than two of *its* standard deviations above.
#
# The mean of a logarithm is not the logarithm of a mean: the other fit predicts too few. One scale mends the sum, and for our large counts under an even factor the scaled logarithm is a rival: the two ranges overlap. But under an uneven factor the gap between the two means changes with $x$, and no scale mends that.
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

# %% [markdown] name="after-check-laplace"
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

# %% [markdown] name="after-check-hours"
# <details><summary>Hint 1</summary>How many counts are expected in all those hours? That number is the rate of the distribution.</details>
# <details><summary>Hint 2</summary>The slope must again be what is predicted, less what happened.</details>
#
# ### 3. Take both weights back (5 minutes, easy)
# Multiply the Gaussian loss of each example by $v^\beta$, where this factor is a constant for the derivative. Return the two slopes, by the mean and by the variance. $\beta = 0$ is the likelihood; at $\beta = 1$ the slope by the mean is $r$, as with half the squared error.

# %% name="exercise-weight"
def weighted_slopes(pred, v, y, beta):
    ### BEGIN SOLUTION
    r = pred - y
    return v**beta * r / v, v**beta * (1 / v - r**2 / v**2) / 2
    ### END SOLUTION

# %% name="check-weight"
check("weighted_slopes")

# %% [markdown] name="after-check-weight"
# <details><summary>Hint 1</summary>Differentiate as if the factor were not there; multiply afterwards.</details>
# <details><summary>Hint 2</summary>Check: at β = 1 the slope by the mean must be r.</details>
#
# ## Takeaways
#
# - A loss is $-\log$ of a probability: name the distribution of the target and you have the loss. For Bernoulli and categorical by their logits, Poisson by the log of its rate and the Gaussian at $v = 1$, the slope is what is predicted, less what happened.
# - Fit counts by Poisson: its mean survives a wrong spread, its own spread does not. The logarithm, scaled, was a rival for large counts under an even factor, and far off under an uneven one.
# - Do not train a mean and a variance together without a look at the mean: the likelihood may call the hard part noise, as it did with our wave. Taking the weight $1 / v$ off the mean is not enough while $v$ shapes the same layers: multiply both slopes by a power of $v$, or let $v$ read along.
