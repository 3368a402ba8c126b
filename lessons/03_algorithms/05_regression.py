# ---
# jupyter:
#   lesson:
#     title: Squared, absolute and Huber error
#     minutes: 40
#     settles: [F3, F4, G7, C25, E6]
# ---

# %% [markdown]
# # Squared, absolute and Huber error
#
# **Goal.** Know which number each loss asks for, what its average is an average of, and what one wrong record can do to it. **40 minutes.**
#
# **The question.** In a table of 310 patients one value is mistyped: a hundred times too large. We predict the same number for everybody. How far does the mistake move it, and is the loss that does not move the better one?

# %% tags=["parameters"] name="parameters"
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup"
import numpy as np
import sympy as sp
import torch
import torch.nn.functional as F
from sklearn.linear_model import QuantileRegressor

from lessons_lib import bridge, data, parity, plots
from lessons_lib.checks import check
from lessons_lib.core import Loss, mean, total
from lessons_lib.losses import absolute_error, huber, squared_error
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)

# %% [markdown]
# ## The formula
#
# The source document has the squared error of one example (F4) and, under the same name, its mean over the examples (F3). It names the absolute loss and gives no formula (E6); Huber's loss joins the two (G7). (F are its formulas, C its claims, E
# its errors, G what it lacks.) With the **residual** $r = \hat y - y$, prediction less target:
#
# $$\text{squared: } r^2 \qquad \text{absolute: } |r| \qquad \text{Huber: } \tfrac12 r^2 \text{ if } |r| \le \delta, \text{ else } \delta\, (|r| - \tfrac\delta2)$$
#
# | symbol | code | shape | unit |
# |---|---|---|---|
# | $\hat y$; $y$ | `pred`; `target` | any, the same | that of the data |
# | $r$ | `r` | the same | that of the data |
# | $\delta$ | `delta` | a number | that of the data |
# | $\ell$ | `.value` | the same | squared error and Huber: that of the data, squared; absolute: that of the data |
# | slope of $\ell$ | `.grad` | the same | squared error and Huber: that of the data; absolute: none |
#
# ## Derivation
#
# 1. Slopes by the prediction: $2r$; $\operatorname{sign}(r)$; $r$ clipped to $[-\delta, \delta]$. Huber's two pieces meet at $\delta$ with the same value and the same slope.
# 2. Predict one number $c$ for all $y_n$. The mean squared error has the slope $\frac2N \sum_n (c - y_n)$, which is 0 at the **mean**; its second derivative is 2, so this is the lowest point.
# 3. The mean absolute error has the slope (number of $y_n$ below $c$, less the number above) $/ N$. It changes sign where both are equal: at a **median**.
# 4. Huber's slope is a mean of clipped residuals. For $\delta \to \infty$ none is clipped: the mean. For $\delta \to 0$ all are, and divided by $\delta$ they are signs: a median.
# 5. Move one $y_n$ by $a$: the mean moves by $a / N$, without limit. In lines 3 and 4 a far $y_n$ has only a sign, or $\pm\delta$: moving it further moves nothing.

# %% name="derivation"
c, r, delta, a = sp.Symbol("c", real=True), sp.Symbol("r", real=True), sp.Symbol("delta", positive=True), sp.Symbol("a")
y = sp.symbols("y1:6", real=True)
far = delta * (r - delta / 2)  # Huber to the right of delta
assert sp.diff(r**2 / 2 - far, r).subs(r, delta) == 0 == sp.simplify((r**2 / 2 - far).subs(r, delta))  # line 1
J = sum((c - v) ** 2 for v in y) / 5
best = sp.solve(sp.diff(J, c), c)[0]
assert sp.expand(best - sum(y) / 5) == 0 and sp.diff(J, c, 2) == 2  # line 2
assert sp.expand(best.subs(y[0], y[0] + a) - best - a / 5) == 0  # line 5

values = np.array([9.0, 10.0, 10.5, 12.0, 70.0])
grid = np.arange(0, 800) / 10
lowest = {}
for name, loss in {"squared": squared_error, "absolute": absolute_error}.items():
    lowest[name] = grid[np.argmin([loss(np.full(5, g), values).value.mean() for g in grid])]
    assert abs(mean(loss(np.full(5, lowest[name]), values)).grad.sum()) < 1e-9  # lines 2 and 3
assert np.isclose(lowest["squared"], values.mean()) and lowest["absolute"] == np.median(values)
for width, goal in ((1e3, values.mean()), (1e-3, np.median(values))):
    assert abs(huber(np.full(5, goal), values, width).grad.sum()) < 1e-9  # line 4
for loss in (absolute_error, lambda p, t: huber(p, t, 2.0)):  # line 5: moved further, the far value changes nothing
    assert (loss(np.full(5, 11.0), values).grad == loss(np.full(5, 11.0), values * [1, 1, 1, 1, 100]).grad).all()
print("five bus rides, 9 to 12 minutes and one of 70: squared error asks for", lowest["squared"], "absolute for", lowest["absolute"])

# %% [markdown]
# ## Code

# %% name="source"
show(squared_error, absolute_error, huber)

# %% [markdown]
# The source document's steps: (1) predictions and targets, (2) the squared error of each (F4), (3) their mean (F3). Step 3 hides a choice (E6): over what is the mean, and is there a factor? Four people, four numbers, one minimiser:

# %% name="reductions"
pred = np.arange(12.0).reshape(4, 3) / 4  # 4 examples with 3 numbers each
target = np.ones((4, 3))
loss = squared_error(pred, target)  # steps 1 and 2
rows = []
for name, j in {
    "mean over all 12 numbers (PyTorch)": mean(loss),
    "sum over an example, mean over the 4": Loss(total(loss).value / 4, loss.grad / 4),
    "sum over everything": total(loss),
    "half of the mean": Loss(mean(loss).value / 2, mean(loss).grad / 2),
}.items():
    rows.append([name, j.value, j.grad[0, 0], f"{mean(loss).grad[0, 0] / j.grad[0, 0]:.3f}"])
assert np.isclose(rows[0][1], F.mse_loss(torch.tensor(pred), torch.tensor(target)).item())
Table(["step 3", "value", "first slope", "the learning rate for the same step, times"], rows)

# %% [markdown]
# ## Parity with PyTorch
#
# Value and slope against `F.mse_loss`, `F.l1_loss` and `F.huber_loss`: the largest relative difference. For half precision the judge is PyTorch in float32.

# %% tags=["nbval-ignore-output"] name="parity-squared"
parity.table("squared_error", setting.device)

# %% tags=["nbval-ignore-output"] name="parity-absolute"
parity.table("absolute_error", setting.device)

# %% tags=["nbval-ignore-output"] name="parity-huber"
parity.table("huber", setting.device)

# %% [markdown]
# ## Picture
#
# The progress of the disease in 310 patients (scikit-learn's diabetes data). One value is multiplied by a factor. Which constant has the lowest mean loss? Found by bisection on the slope, the mean of `.grad`.

# %% name="constants"
def best_by_slope(loss, y):
    low, high = y.min(), y.max()
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if loss(np.full(len(y), middle), y).grad.mean() > 0 else (middle, high)
    return middle

kinds = {
    "squared": squared_error,
    "Huber, delta = 50": lambda pred, target: huber(pred, target, 50.0),
    "absolute": absolute_error,
}
factors = np.logspace(0, 2, 25)

def curve(loss, s):  # how far the best constant moves when one value is multiplied
    y = data.diabetes(s).y
    wrong = np.random.default_rng(s).integers(len(y))
    spoilt = [np.where(np.arange(len(y)) == wrong, f * y, y) for f in factors]
    return np.array([best_by_slope(loss, v) for v in spoilt]) - best_by_slope(loss, y)

moves = {name: np.array([curve(loss, s) for s in setting.seeds]) for name, loss in kinds.items()}

# %% name="picture"
plots.lines(
    factors, {name: tuple(np.quantile(m, [0, 0.5, 1], axis=0)) for name, m in moves.items()},
    "factor on one of the 310 values", "the best constant moves by (units of the score)",
    "Shift of the best constant (linear axis) against the factor on one value (logarithmic axis, so that growth in proportion "
    "looks bent). Squared error: grows to tens of units. Huber and absolute error: hardly at all.",
    title="One mistyped record (band: all seeds)", log="x",
)

# %% name="picture-verdict"
far = {name: abs(m[:, -1]) for name, m in moves.items()}
assert (far["squared"] > 5).all() and far["absolute"].max() < 4 and far["Huber, delta = 50"].max() < 1
print("one record times 100 moves the mean by more than 5 units, every seed; the other two by less than 4")

# %% [markdown]
# The mean runs away with the mistake (line 5); the other two hardly notice whether it is twice or a hundred times the truth.
#
# ## What breaks
#
# ### Is the robust loss better?
#
# Without outliers, both aim at the same middle of a symmetric distribution. Which estimates it better from 101 values? We draw 10 000 samples from a normal distribution, and as many with one value in ten from one ten times as wide:

# %% name="efficiency"
rows, ratios = [], {}
for name, spoilt in (("normal", 0.0), ("one in ten is 10 times as wide", 0.1)):
    found = []
    for s in setting.seeds:
        rng = np.random.default_rng(s)
        samples = rng.normal(size=(10_000, 101)) * np.where(rng.random((10_000, 101)) < spoilt, 10.0, 1.0)
        median = middle = np.median(samples, axis=1)
        for _ in range(30):  # Huber's estimate by gradient descent, all samples at once; delta = 1.345
            middle = middle - huber(middle[:, None] + 0 * samples, samples, 1.345).grad.mean(axis=1)
        found.append([median.var() / samples.mean(axis=1).var(), middle.var() / samples.mean(axis=1).var()])
    ratios[name] = np.array(found)
    rows.append([name, *(f"{m:.2f} ± {e:.2f}" for m, e in zip(np.mean(found, 0), np.std(found, 0), strict=True))])
normal, spoilt = ratios.values()
assert (abs(normal[:, 0] - np.pi / 2) < 0.1).all() and (spoilt < 0.5).all()
assert (normal[:, 1] < 1.15).all() and (spoilt[:, 1] < spoilt[:, 0]).all()
Table(["samples of 101, variance over that of the mean", "median", "Huber's"], rows, "± is the standard deviation over seeds.")

# %% [markdown]
# With normal noise the median needs $\pi / 2$ times as many data for the same accuracy; with one value in ten spoilt the mean is the bad bargain. Huber's estimate ($\delta$ = 1.345 widths of the noise) pays a few per cent in the first case and beats both in the second. So C25, "the squared error is for regression", is conditional: it is best for normal noise, and the choice belongs to the noise.
#
# ### A slope that does not fade
#
# The absolute error pushes with 1 until the very end. What does gradient descent with a constant rate do with that? A linear model of the diabetes data, the full batch, no noise at all, at two constant rates at which all three are stable, and at one that falls to 0. The lowest possible mean absolute error comes from linear programming (scikit-learn):

# %% name="descent"
def descend(loss, x, y, rate, steps=3000):
    theta, values = np.zeros(10), []
    for t in range(steps):
        batch = mean(loss(x @ theta, y))
        theta = theta - rate(t / steps) * x.T @ batch.grad
        values.append(batch.value)
    assert np.isfinite(values).all()  # a run that diverged has no steps that go up either
    return np.array(values)

rates = {"0.2": lambda t: 0.2, "0.05": lambda t: 0.05, "0.2, falling to 0": lambda t: 0.2 * (1 - t)}
losses = {"squared": squared_error, "Huber": lambda p, t: huber(p, t, 0.5), "absolute": absolute_error}
share, excess = {name: [] for name in losses}, []
for s in setting.seeds[:3]:
    x, y = data.diabetes(s)[:2]
    y = (y - y.mean()) / y.std()
    lowest = abs(y - QuantileRegressor(quantile=0.5, alpha=0, fit_intercept=False).fit(x, y).predict(x)).mean()
    for name, loss in losses.items():
        runs = [descend(loss, x, y, rate)[-500:] for rate in rates.values()]
        share[name].append([(np.diff(run) > 1e-12).mean() for run in runs])
        excess += [[run.mean() / lowest - 1 for run in runs]] if name == "absolute" else []

# %% name="descent-verdict"
up = {name: np.array(found) for name, found in share.items()}  # (seeds, rates)
assert max(up["squared"].max(), up["Huber"].max()) == 0 and up["absolute"][:, :2].min() > 0.1
constant, falling = np.array(excess)[:, 0], np.array(excess)[:, 2]
assert np.median(constant / falling) > 1.5 and constant.max() < 0.005
print("rate 0.2: the absolute error ends less than 0.5 % above its lowest value, over 1.5 times as far as with a falling rate (median)")
Table(["share of the last 500 steps that go up", *(f"rate {name}" for name in rates)], [[n, *(f"{v:.2f}" for v in np.mean(f, 0))] for n, f in up.items()])

# %% [markdown]
# The sign jumps from $-1$ to $1$ where a residual passes 0, so the mean slope does not go smoothly to 0: the loss hovers above its minimum, at a height that the rate sets. The price is small here, and a falling rate removes most of it. Huber's slope fades inside $\delta$: robust like the one, and settling like the other.
#
# ## Exercises
#
# ### 1. A Huber loss without a seam (8 minutes, medium)
# The *pseudo-Huber* loss is $\delta^2 \big( \sqrt{1 + (r / \delta)^2} - 1 \big)$. Return its value and its slope by $r$, as a pair, for NumPy arrays.

# %% name="exercise-pseudo"
def pseudo_huber(r, delta):
    ### BEGIN SOLUTION
    root = np.sqrt(1 + (r / delta) ** 2)
    return delta**2 * (root - 1), r / root
    ### END SOLUTION

# %% name="check-pseudo"
check("pseudo_huber")

# %% [markdown]
# <details><summary>Hint 1</summary>The derivative of a root is 1 / (2 root), times the derivative of what stands under it.</details>
# <details><summary>Hint 2</summary>For small r the slope must be r, for large r it must be δ times the sign: check yours.</details>
#
# ### 2. The best constant, weighted (8 minutes, medium)
# Example `n` counts `w[n]` times. Return the constant that minimises the sum of `w[n] * |c - y[n]|`. (In the check it is unique, and one of the `y`.)

# %% name="exercise-constant"
def best_constant(y, w):
    ### BEGIN SOLUTION
    order = np.argsort(y)
    reached = np.cumsum(w[order]) >= np.sum(w) / 2
    return y[order][np.argmax(reached)]
    ### END SOLUTION

# %% name="check-constant"
check("best_constant")

# %% [markdown]
# <details><summary>Hint 1</summary>Line 3 with weights: the slope is the weight below c, less the weight above.</details>
# <details><summary>Hint 2</summary>Sort, add up the weights with <code>np.cumsum</code>, and stop where half of the whole is reached.</details>
#
# ### 3. The same step (4 minutes, easy)
# `lr` was tuned for PyTorch's mean over a batch of `shape` (examples, numbers per example). Return three rates that make the same step: for the sum over everything, for the sum over an example and mean over examples, and for half of PyTorch's mean.

# %% name="exercise-rate"
def lr_for(lr, shape):
    ### BEGIN SOLUTION
    return lr / (shape[0] * shape[1]), lr / shape[1], lr * 2
    ### END SOLUTION

# %% name="check-rate"
check("lr_for")

# %% [markdown]
# <details><summary>Hint</summary>By which factor is each gradient larger or smaller than that of the mean over all numbers?</details>
#
# [All solutions of this lesson](../../solutions/03_algorithms/05_regression.ipynb)
#
# ## Takeaways
#
# - The squared error asks for the mean, the absolute error for a median, Huber's for something between. **F3, F4, G7: confirmed. C25: conditional,** on the noise. **E6:** mean, sum and half have one minimiser and different gradients; PyTorch's mean is over all numbers.
# - One target can move a mean as far as it likes, a median at most to the neighbouring value, a Huber estimate by a bounded amount. This holds for mistyped targets; a mistyped *input* is another matter.
# - Do not choose the absolute error where there are no outliers (with normal noise it wastes a third of the data), nor where you need the mean of a skewed quantity (a total, a cost). At a constant rate it hovers above its minimum.
