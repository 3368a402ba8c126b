# ---
# jupyter:
#   lesson:
#     title: A slope that does not fade
#     question: "Start gradient descent at the minimum. Does it stay there?"
#     minutes: 35
#     needs: [03_sgd, 05_regression]
#     studies: [losses.absolute_error, losses.huber]
#     settles: [G7]
# ---

# %% [markdown] name="goal"
# # A slope that does not fade
#
# **Goal.** See why absolute error is hard to train, and why a loss without a corner is easier.
#
# **The question.** A line has the smallest mean absolute error that a line can have. We start gradient descent *there*, with all data in each step, so that nothing is noisy. Does it stay?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import numpy as np
import sympy as sp
from sklearn.linear_model import QuantileRegressor

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.derive import derive
from lessons_lib.losses import absolute_error, huber
from lessons_lib.optim import SGD, descend
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/31_a_slope_that_does_not_fade")

# %% tags=["fold"] name="descent"
# Ten inputs; linear programming finds the minimum; then 1000 steps for each rate and loss.
def descent(loss, x, y, theta, rates, steps=1000):  # all rates at once: theta is (inputs, rates)
    theta, target, values = np.tile(theta[:, None], len(rates)), np.tile(y[:, None], len(rates)), []
    for t in range(steps):
        batch = loss(x @ theta, target)
        values.append(batch.value.mean(axis=0))
        theta = theta - [rate(t / steps) for rate in rates.values()] * (x.T @ batch.grad) / len(y)
    return np.array(values).T

rates = {"0.4": lambda t: 0.4, "0.05": lambda t: 0.05, "0.4 to 0": lambda t: 0.4 * (1 - t)}
runs = []
for s in setting.seeds:
    x, y = data.diabetes(s)[:2]
    y = (y - y.mean()) / y.std()  # so that delta = 1 is one standard deviation
    fit = QuantileRegressor(quantile=0.5, alpha=0, fit_intercept=False).fit(x, y)
    runs.append([descent(loss, x, y, fit.coef_, rates) for loss in (huber, absolute_error)])
runs = np.swapaxes(runs, 1, 2)  # (seeds, rates, the two losses, steps)

# %% tags=["fold"] name="question-picture"
# The mean absolute error, averaged over 20 steps each.
above = 100 * (runs[:, :, 1] / runs[:, :, 1, :1] - 1)  # in per cent of the start
twenty = above.reshape(*above.shape[:2], 50, 20).mean(-1)
plots.lines(
    np.arange(10, 1000, 20),
    {f"rate {name}": plots.band(twenty[:, i]) for i, name in enumerate(rates)},
    "step", "mean absolute error above its start (%, log)",
    "Three curves over 1000 steps, all above the start. At the rate 0.4 the loss is some per cent "
    "too high, at 0.05 a hundredth of a per cent. With a rate that falls to 0 the loss comes down "
    "again, almost to its start.",
    title="Gradient descent from the minimum (band: all seeds)", log="y",
)

# %% [markdown] name="formula"
# It climbs out. Each step goes against the slope, and the loss rises, and stays there.
#
# ## Formula
#
# With the residual $r = \hat y - y$, the slope of the absolute error is
#
# $$\operatorname{sign}(r)$$
#
# and that of Huber's loss is $r$ where $|r| \le \delta$. One parameter is enough to see the difference: predict a constant for a single target, so that $r$ itself is what a step changes.
#
# ## Derivation
#
# ### Across and back
#
# The residual is smaller than the learning rate, $0 < r < \eta$. Two steps of the absolute error, the first from $r$ to $r_t$:

# %% tags=["fold"] name="derive-absolute"
# Derivation 1: two steps on the absolute error.
r, eta = sp.symbols("r eta", positive=True)
close = {r: (0.01, 0.3), eta: (0.3, 1.5)}

def steps(loss, how_many):
    def after(r, eta):
        rule = SGD(float(eta))
        return descend(np.array([r]), rule, lambda r: loss(r, 0 * r).grad, how_many)[-1][0]
    return after

(
    derive("r_t", "r - eta*sign(r)", "the slope is 1", [r, eta], ranges=close)
    .library("one step on absolute_error(r, 0)", steps(absolute_error, 1), each=True)
    .equals("r - eta", "negative: the step went past the target")
)

# %% tags=["fold"] name="derive-back"
# Derivation 2: the second step.
(
    derive("r_{t+1}", "(r - eta) - eta*sign(r - eta)", "now the slope is "
        "$-1$", [r, eta], ranges=close)
    .library("two steps on absolute_error(r, 0)", steps(absolute_error, 2), each=True)
    .equals("r", "**back where it was**")
)

# %% [markdown] name="fade-text"
# So it jumps to and fro for ever. The loss hovers between 0 and $\eta$, and only a smaller rate makes the band narrower.
#
# ### A slope that fades
#
# Huber's loss, near the target:

# %% tags=["fold"] name="derive-huber"
# Derivation 3: one step on Huber's loss, near the target.
(
    derive("r_t", "r - eta*r", r"$|r| \le \delta$, so the slope is $r$", [r, eta], ranges=close)
    .library("one step on huber(r, 0)", steps(huber, 1), each=True)
    .equals("(1 - eta)*r", r"**each step multiplies the residual**: for $0 < \eta < 2$ it shrinks")
)

# %% [markdown] name="code"
# ## Code

# %% name="source"
show(absolute_error, huber)

# %% [markdown] name="parity-text"
# ## Parity
#
# The library's absolute error and PyTorch's `F.l1_loss` agree to rounding.

# %% tags=["fold-all", "nbval-ignore-output"] name="parity-absolute"
# Parity with PyTorch: the largest relative difference.
parity.table("absolute_error", setting.device)

# %% [markdown] name="descent-text"
# ## Many residuals
#
# With 310 patients and ten inputs, some residuals pass 0 in each step, and their slopes jump from $-1$ to 1. Over 1000 steps:

# %% tags=["fold", "nbval-ignore-output"] name="descent-verdict"
# The share of steps that go up, and where the absolute error ends (mean of the last 50 steps).
up = (np.diff(runs) > 1e-12).mean((0, 3))
ends = above[:, :, -50:].mean(-1)
assert np.isfinite(runs).all() and up[:, 0].max() == 0 and up[:, 1].min() > 0.3
assert ends.min() > 0 and (ends[:, :1] > 5 * ends[:, 1:]).all() and ends[:, 1:].max() < 0.1
rows = [[n, *(f"{v:.2f}" for v in u), f"{e.min():.2g} to {e.max():.2g} %"]
        for n, u, e in zip(rates, up, ends.T, strict=True)]
Table(["rate", "Huber: steps up", "absolute: steps up", "absolute: ends above its start by"], rows)

# %% [markdown] name="after-descent-verdict"
# How high the absolute error hovers depends on the rate. A rate that falls to 0 removes nearly all of it. Huber's loss only goes down, from this start and at these rates.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. Hovering (4 minutes, easy)
# One target, absolute error, the learning rate 0.4. The residual is 0.1 now. What is the mean of the absolute error over the next thousand steps?

# %% name="exercise-hover"
hover = (
    ### BEGIN SOLUTION
    (0.3 + 0.1) / 2
    ### END SOLUTION
)

# %% name="check-hover"
check("hover")

# %% [markdown] name="exercise-pseudo-text"
# <details><summary>Hint</summary>Derivations 1 and 2: which residuals take turns?</details>
#
# ### 2. A Huber loss without a seam (10 minutes, medium)
# Huber's slope has a corner at $\pm\delta$. The *pseudo-Huber* loss has none:
#
# $$\ell = \delta^2 \left( \sqrt{1 + (r / \delta)^2} - 1 \right)$$
#
# Return its value and its slope by $r$ for each number of the NumPy array `r`.

# %% name="exercise-pseudo"
def pseudo_huber(r, delta):
    ### BEGIN SOLUTION
    root = np.sqrt(1 + (r / delta) ** 2)
    return delta**2 * (root - 1), r / root
    ### END SOLUTION

# %% name="check-pseudo"
check("pseudo_huber")

# %% [markdown] name="exercise-constant-text"
# <details><summary>Hint 1</summary>The derivative of a root is 1 / (2 root), times the derivative of what stands under it.</details>
# <details><summary>Hint 2</summary>For small r the slope must be r, for large r it must be δ times the sign: check yours.</details>
#
# ### 3. The best constant, weighted (8 minutes, medium)
# Example `n` counts `w[n]` times, which may be a fraction; `y` and `w` are NumPy arrays. Return the constant that minimises the sum of `w[n] * |c - y[n]|`. (In the check it is unique, and one of the `y`.)

# %% name="exercise-constant"
def best_constant(y, w):
    ### BEGIN SOLUTION
    order = np.argsort(y)
    reached = np.cumsum(w[order]) >= np.sum(w) / 2
    return y[order][np.argmax(reached)]
    ### END SOLUTION

# %% name="check-constant"
check("best_constant")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>The slope is the weight below c, less the weight above. At the best c it changes its sign.</details>
# <details><summary>Hint 2</summary>Sort, add up the weights with <code>np.cumsum</code>, and stop where half of the whole is reached.</details>
#
# ## Takeaways
#
# - The slope of the absolute error is as large at the target as far from it. At a constant rate gradient descent hovers above the minimum.
# - A rate that falls to 0 brings it down. A loss that is round near 0 needs none: Huber's and pseudo-Huber's slopes fade.
# - Do not train absolute error at a constant rate if the last per cent counts.
#
# ## Sources
#
# - P. J. Huber, 1964: *Robust estimation of a location parameter*.
# - P. Charbonnier and others, 1997: *Deterministic edge-preserving regularization in computed imaging* (the pseudo-Huber form).
# - The data: B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, 2004: *Least angle regression*.
