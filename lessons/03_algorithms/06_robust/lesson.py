# ---
# jupyter:
#   lesson:
#     title: Robust and quantile regression
#     question: "Squared or absolute error? Nobody tells us how clean the data are. Can the loss learn it?"
#     minutes: 50
#     needs: [05_regression]
#     settles: [G10]
#     studies: [losses.quantile_loss, losses.log_cosh, losses.barron, losses.barron_nll]
# ---

# %% [markdown] name="goal"
# # Robust and quantile regression
#
# **Goal.** Ask a model for a quantile instead of the middle, and let a loss find out by itself how far it should trust far values.
#
# **The question.** Lesson 5 left us with a choice: squared error for clean data, absolute error for spoilt data. Nobody tells us which we have. Can the loss learn it?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: device, seed, profile
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup" tags=["fold"]
# Set-up: imports, and the device to compute on
import numpy as np
import sympy as sp

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.core import Loss
from lessons_lib.losses import (
    absolute_error,
    barron,
    barron_nll,
    log_cosh,
    quantile_loss,
    squared_error,
)
from lessons_lib.optim import Adam, descend
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/06_robust")

# %% [markdown] name="formula"
# ## The formula
#
# The source document promises adaptive losses and gives none. Barron's (2019, *A general and adaptive robust loss function*) is one formula for a whole family; beside it stand two that other libraries have, though PyTorch does not: the quantile loss (Koenker and Bassett 1978, *Regression quantiles*) and log-cosh (Green 1990, *Bayesian reconstructions from emission tomography data using a modified EM algorithm*). With the residual $r = \hat y - y$:
#
# $$\text{quantile: } \begin{cases}(1 - q)\, r & r > 0\\ -q\, r & \text{else}\end{cases} \qquad \text{log-cosh: } \log \cosh r \qquad \text{Barron: } \rho_\alpha(r) = \frac{b}{\alpha} \bigg[ \Big( \frac{(r / c)^2}{b} + 1 \Big)^{\alpha / 2} - 1 \bigg],\ b = |\alpha - 2|$$
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $\hat y$; $y$ | `pred`; `target` | any, the same | prediction and target |
# | $q$ | `q` | a number in $(0, 1)$ | the share of targets that should lie below |
# | $\alpha$ | `alpha` | a number | the shape: how much a far value counts |
# | $c$ | `scale` | a number > 0 | the size of an ordinary residual |
#
# ## Derivation
#
# 1. The quantile loss has the slope $1 - q$ for targets below the prediction, $-q$ for those above. If a share $s$ of the targets lies below, the mean slope is $s (1 - q) - (1 - s)\, q = s - q$. It is 0 where $s = q$: **at the quantile.** For $q = \frac12$ this is half the absolute error.
# 2. $\log\cosh r$ is about $r^2 / 2$ near 0 and $|r| - \log 2$ far away. Its slope is $\tanh r$: Huber ($\delta = 1$) without a seam.
# 3. Barron's loss at $\alpha = 2$ (as a limit) is $\frac12 (r/c)^2$, at 1 $\sqrt{(r/c)^2 + 1} - 1$, at 0 (a limit) $\log(\frac12 (r/c)^2 + 1)$, at $-\infty$ (a limit) $1 - e^{-(r/c)^2 / 2}$.
# 4. Its slope far away goes like $|r|^{\alpha - 1}$: it grows for $\alpha > 1$, stays for $\alpha = 1$, and **falls back to 0 for $\alpha < 1$**: such a loss lets go of a far value.
# 5. At every $r \ne 0$, $\rho_\alpha$ grows with $\alpha$. Told to minimise it over $\alpha$, an optimizer would choose $-\infty$, whatever the data. As a probability density, $p(y) = e^{-\rho_\alpha} / (c\, Z(\alpha))$, it must have the area 1: then a smaller $\alpha$ has a price, $\log Z$, and $-\log p = \rho_\alpha + \log c + \log Z(\alpha)$ can be minimised over $\alpha$ and $c$. ($Z$ is finite only for $\alpha \ge 0$: below 0, $\rho_\alpha$ levels off, so that $e^{-\rho_\alpha}$ never falls to 0.)

# %% name="derivation"
r, alpha = sp.symbols("r alpha", positive=True)
size = np.array([0.3, 1.0, 3.0, 20.0])
days = np.arange(10.0)  # four targets below 3.5, at every q the mean slope is 0.4 - q
for share in (0.1, 0.4, 0.7):
    loss = quantile_loss(np.full(10, 3.5), days, share)
    assert np.isclose(loss.grad.mean(), 0.4 - share)  # line 1
    assert np.allclose(loss.value, loss.grad * (3.5 - days))
half = quantile_loss(size, 0 * size, 0.5), absolute_error(size, 0 * size)
assert np.allclose(half[0].value, half[1].value / 2)
soft = sp.log(sp.cosh(r))
found = log_cosh(size, 0 * size)
for by, ours in ((soft, found.value), (sp.tanh(r), found.grad)):
    assert np.allclose(sp.lambdify(r, by)(size), ours)  # line 2
assert sp.simplify(sp.diff(soft, r) - sp.tanh(r)) == 0
assert sp.series(soft, r, 0, 4).removeO() == r**2 / 2
assert np.isclose(log_cosh(size, 0 * size).value[-1], 20 - np.log(2))
general = (2 - alpha) / alpha * ((r**2 / (2 - alpha) + 1) ** (alpha / 2) - 1)  # c = 1, alpha < 2
assert sp.simplify(general.subs(alpha, 1) - (sp.sqrt(r**2 + 1) - 1)) == 0  # line 3

# %% name="derivation-barron"
def at(r, alpha):
    return barron(np.array(r), alpha, 1.0, np.zeros(len(r)))

by = [general, sp.diff(general, r), sp.diff(general, alpha)]  # the library has formula and slopes
found = at(size, 0.5)
assert np.allclose(sp.lambdify((r, alpha), by)(size, 0.5), [found.value, *found.grad[:2]])
for a, limit in {2.0: 4.5, 0.0: np.log(5.5), -np.inf: 1 - np.exp(-4.5)}.items():  # line 3, at r = 3
    assert np.isclose(at([3.0], a).value, limit)
for a in (1.5, 1.0, 0.0, -2.0):  # line 4: ten times as far, 10^(alpha - 1) times the slope
    slope = at([1e4, 1e5], a).grad.pred
    assert np.isclose(slope[1] / slope[0], 10 ** (a - 1), rtol=0.01)
assert all((at([0.3, 1.0, 10.0], a).grad.alpha > 0).all() for a in np.linspace(-5, 5, 21))  # line 5
y = np.sinh(np.linspace(-40, 40, 400_001))
densities = [np.exp(-barron_nll(y, a, 1.0, 0 * y).value) for a in (0.0, 1.0, 2.0)]
assert all(np.isclose(np.trapezoid(p, y), 1) for p in densities)  # the area is 1
assert np.all(np.diff([p.max() for p in densities]) > 0)  # 1 / Z: a smaller alpha has the larger Z

# %% [markdown] name="code"
# ## Code

# %% name="source"
show(quantile_loss, log_cosh)

# %% [markdown] name="after-source"
# `times_difference` is the slope times $r$, in a form that does not overflow on the way; `near` is $\log \cosh r$ without the digits that `far` loses at a small $r$. Barron's formula divides by $\alpha$ and by $b$, which may be 0, and loses its digits nearby:

# %% name="plain"
def plain(r, alpha, c):
    b = abs(alpha - 2)
    return b / alpha * (((r / c) ** 2 / b + 1) ** (alpha / 2) - 1)

r = np.array([0.3, 3.0, 30.0])
assert all(np.allclose(plain(r, a, 2.0), barron(r, a, 2.0, 0 * r).value)
           for a in (-2.0, 0.5, 1.0, 1.5, 3.0))
assert np.isclose(barron(r, 1e-15, 1.0, 0 * r).value, np.log(r**2 / 2 + 1)).all()
assert abs(plain(r, 1e-15, 1.0) / np.log(r**2 / 2 + 1) - 1).max() > 0.01

# %% [markdown] name="after-plain"
# At $\alpha = 10^{-15}$ the plain formula is off by more than 1 per cent. The library (`lessons_lib/losses/barron.py`) rearranges it so that no limit of $\alpha$ needs a case of its own; `barron_nll` adds $\log c + \log Z$.
#
# ## Parity
#
# PyTorch has none of the four. The judge is its formula in plain torch, differentiated by autograd:

# %% tags=["nbval-ignore-output", "fold"] name="parity-quantile"
# Against PyTorch
parity.table("quantile_loss", setting.device)

# %% tags=["nbval-ignore-output", "fold"] name="parity-log-cosh"
# Against PyTorch
parity.table("log_cosh", setting.device)

# %% tags=["nbval-ignore-output", "fold"] name="parity-barron"
# Against PyTorch
parity.table("barron", setting.device)

# %% tags=["nbval-ignore-output", "fold"] name="parity-barron-nll"
# Against PyTorch
parity.table("barron_nll", setting.device)

# %% [markdown] name="picture-text"
# ## Picture
#
# A linear model of the diabetes data. A share of the *training* targets is spoilt: a meter that jams adds something between 0 and 8 standard deviations. The test data are clean. Targets are standardised by what one sees, the spoilt ones. Squared and absolute error run against three editions of Barron's loss. Two have a fixed $\alpha = -2$ and need a $c$: one takes the spread that one *sees*, the other fits the absolute error first and takes 1.48 times the median $|r|$ (for normal residuals, their standard deviation). The third learns $\alpha = 2 \sigma(a)$ (between 0 and 2; $\sigma$ is the sigmoid of lesson 1) and $c = e^k$ beside the weights; $a = k = 0$ starts it at the convex $\alpha = 1$, with $c = 1$.

# %% name="problem"
def regression(s, share, low=0, high=8):
    d, rng = data.diabetes(s), np.random.default_rng(s)
    jammed = rng.random(len(d.y)) < share
    y = d.y + jammed * d.y.std() * rng.uniform(low, high, len(d.y))
    x, x_test = (np.c_[v, np.ones(len(v))] for v in (d.x, d.x_test))
    middle, spread = y.mean(), y.std()
    return x, (y - middle) / spread, x_test, (d.y_test - middle) / spread

def stacked(problems):  # B problems as one: x is (B, N, D), y is (B, N)
    return [np.stack(part) for part in zip(*problems, strict=True)]

def times(x, v):
    return (x @ v[..., None])[..., 0]

def fit(gradient, x, y, extra=0, steps=300):
    start = np.zeros((len(x), x.shape[2] + extra))
    return descend(start, Adam(0.05), lambda theta: gradient(theta, x, y), steps)[-1]

# %% name="learned"
def of(loss):
    return lambda theta, x, y: times(x.swapaxes(1, 2), loss(times(x, theta), y).grad) / y.shape[1]

def fixed(c):
    return of(lambda pred, y: Loss(None, barron(pred, -2.0, c, y).grad.pred))

def twice(x, y):
    r = times(x, fit(of(absolute_error), x, y)) - y
    return fixed(1.48 * np.median(abs(r), axis=1, keepdims=True))

def alpha_of(theta):
    return 2 / (1 + np.exp(-theta[:, -2:-1]))

def learned(theta, x, y):
    alpha, scale = alpha_of(theta), np.exp(theta[:, -1:])
    grad = barron_nll(times(x, theta[:, :-2]), alpha, scale, y).grad
    by_a = grad.alpha.mean(1, keepdims=True) * alpha * (1 - alpha / 2)  # through the sigmoid
    by_k = grad.scale.mean(1, keepdims=True) * scale
    by_w = times(x.swapaxes(1, 2), grad.pred) / y.shape[1]
    return np.concatenate([by_w, by_a, by_k], axis=1)

# %% name="compare"
shares, error = (0.0, 0.1, 0.2, 0.4), {}
x, y, x_test, y_test = stacked(regression(s, p) for p in shares for s in setting.seeds)
kinds = {"squared": of(squared_error), "absolute": of(absolute_error),
         "alpha = -2, c seen": fixed(1.0), "alpha = -2, fitted twice": twice(x, y),
         "alpha, c learned": learned}
for name, gradient in kinds.items():
    theta = fit(gradient, x, y, extra=2 if gradient is learned else 0)
    miss = np.mean((times(x_test, theta[:, : x.shape[2]]) - y_test) ** 2, axis=1)
    error[name] = (miss / y_test.var(axis=1)).reshape(len(shares), -1)  # (shares, seeds)
alphas = alpha_of(theta).reshape(len(shares), -1)

# %% name="picture" tags=["fold"]
# The picture
plots.lines(
    np.array(shares) * 100,
    {name: tuple(np.quantile(e, [0, 0.5, 1], axis=1)) for name, e in error.items()},
    "spoilt training targets, per cent", "squared error / variance, clean test data (log)",
    "Test error against the share of spoilt targets. Squared error grows fastest, then alpha = -2 "
    "with the scale seen; absolute error, alpha = -2 fitted twice and the learned loss stay low. "
    "Without spoilt targets all are close.",
    title="Who notices the jammed meter? (band: all seeds)", log="y",
)

# %% name="picture-verdict"
over = {name: error["alpha, c learned"] / e for name, e in error.items()}  # rows: shares
squared, absolute, seen, twice_fitted, _ = (np.median(o, axis=1) for o in over.values())
assert abs(squared[0] - 1) < 0.1 and squared[2:].max() < 0.6
assert abs(absolute[:3] - 1).max() < 0.15 and absolute[3] < 0.95
assert seen[1] > 0.85 and seen[3] < 0.8 and abs(twice_fitted - 1).max() < 0.25
assert min(alphas[0]) > 1.6 and max(alphas[1]) < 0.8
Table(["spoilt targets, per cent", "learned alpha", "its error over the absolute loss's",
       "over the robust scale's"],
      [[f"{100 * p:.0f}", f"{min(a):.1f} to {max(a):.1f}", f"{b:.2f}", f"{r:.2f}"]
       for p, a, b, r in zip(shares, alphas, absolute, twice_fitted, strict=True)],
      "Alpha: lowest to highest of the seeds; errors: medians.")

# %% [markdown] name="after-picture-verdict"
# The loss finds out by itself: near 2 (squared error) where the data are clean, at hardly any cost, and far lower where they are not. Divide its error by that of the absolute loss, seed by seed (the wide bands hide this): in the median the two are close up to 20 per cent spoilt, and it wins at 40. A fixed $\alpha = -2$ with the scale that one sees keeps up at 10 per cent; at 40 that scale is inflated by the very errors that it should ignore. (Log-cosh and Huber need a scale too.) But take the scale from a first, robust fit, and **little is left to win by learning**: divided likewise, the median stays near 1 at every share (last column).
#
# This meter errs grossly. Let it add less, in two targets of five:

# %% name="mild" tags=["nbval-ignore-output"]
meters = ((0, 8), (0, 4), (-4, 4))
x, y, x_test, y_test = stacked(regression(s, 0.4, *m) for m in meters for s in setting.seeds)
theta, other = fit(learned, x, y, extra=2), fit(kinds["absolute"], x, y)
miss, other_miss = (np.mean((times(x_test, w) - y_test) ** 2, axis=1)
                    for w in (theta[:, :-2], other))
alpha, ratio = (a.reshape(len(meters), -1) for a in (alpha_of(theta), miss / other_miss))
middle = np.median(ratio, axis=1)
assert middle[0] < 0.95 and middle[1] > 1.05 and abs(middle[2] - 1) < 0.1

def span(v):
    return f"{np.median(v):.1f} ({min(v):.1f} to {max(v):.1f})"

rows = [[f"{low} to {high}", span(a), span(e)]
        for (low, high), a, e in zip(meters, alpha, ratio, strict=True)]
Table(["the meter adds", "learned alpha", "test error, over that of the absolute loss"], rows,
      "Median (lowest to highest seed).")

# %% [markdown] name="after-mild"
# Errors of 0 to 4 leave no gap and no long tail, only one broad hill in the wrong place: $\alpha$ stays high in most seeds, and the loss takes the middle of the hill. Against errors of the same size to *both* sides it is as good as the absolute error. The loss learns how far values spread, not on which side the truth is.
#
# ## An interval instead of a number
#
# Two quantiles, 0.1 and 0.9, enclose four targets in five. The usual shortcut does the same with one model: least squares, plus and minus 1.28 standard deviations of its residuals (four in five of a normal distribution). Which interval holds what it says, on clean targets?

# %% name="intervals"
x, y, x_test, y_test = stacked(regression(s, 0.0) for s in setting.seeds)
ends = [times(x_test, fit(of(lambda pred, y, q=q: quantile_loss(pred, y, q)), x, y, steps=600))
        for q in (0.1, 0.9)]
held = {"two quantiles": [], "least squares ± 1.28 sd": []}
for i, (low, high) in enumerate(zip(*ends, strict=True)):
    w = np.linalg.lstsq(x[i], y[i], rcond=None)[0]
    middle, sd = x_test[i] @ w, (y[i] - x[i] @ w).std()
    thirds = np.array_split(np.argsort(middle), 3)
    insides = (low < y_test[i]) & (y_test[i] < high), abs(y_test[i] - middle) < 1.28 * sd
    for name, inside in zip(held, insides, strict=True):
        held[name].append([inside.mean(), *(inside[third].mean() for third in thirds)])

# %% name="intervals-table" tags=["nbval-ignore-output"]
spans = {name: zip(np.mean(h, 0), np.std(h, 0), strict=True) for name, h in held.items()}
rows = [[name, *(f"{m:.2f} ± {e:.2f}" for m, e in span)] for name, span in spans.items()]
two, one = (np.mean(h, 0) for h in held.values())
assert abs(two[0] - one[0]) < 0.05 and min(two[0], one[0]) > 0.7
assert one[1] > max(0.82, two[1]) and max(two[2], *one[2:]) < 0.8
assert abs(two[1:] - 0.8).mean() < abs(one[1:] - 0.8).mean()
Table(["share of test targets inside (0.80 was asked)", "all",
       "lowest third", "middle third", "highest third"], rows,
      "Thirds by the prediction. ± is the standard deviation over seeds.")

# %% [markdown] name="after-intervals-table"
# On the whole the two agree. But mild cases vary less, and one width cannot follow: too wide for them, too narrow for the rest. Over the thirds two quantiles come nearer; in the middle third both hold too few.
#
# ## What breaks
#
# ### A loss that lets go can let go of the wrong ones
#
# For $\alpha < 1$ the loss is not convex: there may be more than one valley. 70 values near 0, 30 near 20; gradient descent for the best constant, from both ends:

# %% name="stuck"
rng = np.random.default_rng(seed)
values = np.concatenate([rng.normal(0, 1, 70), rng.normal(20, 1, 30)])

def settle(a, constant):  # many descents at once: a, constant (B, 1)
    target, constant = np.tile(values, (len(a), 1)), np.array(constant)
    for _ in range(2000):
        pred = constant + 0 * target
        constant = constant - barron(pred, a, 1.0, target).grad.pred.mean(axis=1, keepdims=True)
    return constant

(robust,), = settle(np.array([[1.0]]), [[20.0]])
shapes = np.array([2.0, 1.0, 0.5, 0.0, -2.0])
found = settle(shapes.repeat(3)[:, None], np.tile([0.0, 20.0, robust], 5)[:, None])
ends = dict(zip(shapes, found.reshape(5, 3), strict=True))
assert all(np.ptp(ends[a]) < 0.1 for a in (2.0, 1.0, 0.5))
assert all(ends[a][1] - ends[a][0] > 18 and abs(ends[a][2] - ends[a][0]) < 0.1 for a in (0.0, -2.0))
rows = [[f"{a:g}", *(f"{v:.1f}" for v in e)] for a, e in ends.items()]
Table(["alpha", "from 0", "from 20", "from the answer of alpha = 1"], rows)

# %% [markdown] name="after-stuck"
# $\alpha = 2$ answers with the mean, which is in neither group; $\alpha = 1$ from everywhere with a value in the larger group, still pulled aside, 0.5 likewise, pulled less. At 0 and $-2$ the start decides: from 20, the *majority* is taken for outliers. Started from the answer of the convex $\alpha = 1$, the same two losses find the larger group.
#
# ## Exercises
#
# ### 1. How many loaves? (7 minutes, easy)
# A missing loaf costs the bakery `short`, a loaf left over costs `left`. Given the demands `y` of past days, return the number of loaves, one of the `y`, with the lowest total cost.

# %% name="exercise-loaves"
def loaves(y, short, left):
    ### BEGIN SOLUTION
    q = short / (short + left)
    y = np.sort(y)
    return y[np.argmax(np.arange(1, len(y) + 1) / len(y) >= q)]
    ### END SOLUTION

# %% name="check-loaves"
check("loaves")

# %% [markdown] name="after-check-loaves"
# <details><summary>Hint 1</summary>The cost of one day has two slopes. Which q has the same two, up to a factor?</details>
# <details><summary>Hint 2</summary>Or try every y: an answer need not be clever to be right.</details>
#
# ### 2. The expectile (5 minutes, medium)
# Squared error has a lopsided relative: $w\, r^2$ with $w = 1 - q$ where $r > 0$ and $w = q$ elsewhere. Return its value and its slope by the prediction, as a pair.

# %% name="exercise-expectile"
def expectile_loss(pred, target, q):
    ### BEGIN SOLUTION
    r = pred - target
    w = np.where(r > 0, 1 - q, q)
    return w * r**2, 2 * w * r
    ### END SOLUTION

# %% name="check-expectile"
check("expectile_loss")

# %% [markdown] name="after-check-expectile"
# <details><summary>Hint 1</summary>r is prediction less target: r > 0 means that the prediction is too high.</details>
# <details><summary>Hint 2</summary>On each side of 0, w is a constant.</details>
#
# ### 3. Least squares that forgives (8 minutes, hard)
# A slope $\psi(r)$ is $w r$ with $w = \psi(r) / r$: the slope of $\frac12 w r^2$, were $w$ fixed. So a loss whose $w$ falls as $|r|$ grows can be fitted by *weighted* least squares, repeated with new weights. Make one such step for Barron's loss at $\alpha = 0$: from `theta`, compute the weights, and return the minimiser of $\sum_n w_n (x_n \cdot \theta' - y_n)^2$.

# %% name="exercise-reweighted"
def reweighted(theta, x, y, c):
    ### BEGIN SOLUTION
    r = x @ theta - y
    w = 1 / (r**2 / 2 + c**2)
    return np.linalg.solve(x.T @ (w[:, None] * x), x.T @ (w * y))
    ### END SOLUTION

# %% name="check-reweighted"
check("reweighted")

# %% [markdown] name="after-check-reweighted"
# <details><summary>Hint 1</summary>Differentiate line 3's formula for α = 0, and divide by r. A factor common to all weights changes nothing.</details>
# <details><summary>Hint 2</summary>The minimiser solves (Xᵀ W X) θ' = Xᵀ W y, W diagonal: np.linalg.solve.</details>
#
# ## Takeaways
#
# - A quantile loss asks for a quantile, two of them for an interval that can widen where the data do; on new data it held nearly what it promises.
# - On these data, and for gross errors, Barron's loss, normalised, learns its own $\alpha$ and $c$ and loses hardly anything on clean targets; a fixed $\alpha$ with a robust scale did as well, and against many milder errors to one side the absolute error was better. Without $\log Z$ it would always choose to forgive everything.
# - Do not use $\alpha < 1$ from an arbitrary start, nor robust losses where the far values are the ones that matter (floods, fraud): they are built to ignore them.
