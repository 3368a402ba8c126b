# ---
# jupyter:
#   lesson:
#     title: Squared, absolute and Huber error
#     question: "One of 310 values is mistyped. How far does it move the prediction, and is the loss that ignores it better?"
#     minutes: 45
#     needs: []
#     studies: [losses.squared_error, losses.absolute_error, losses.huber]
#     settles: [F3, F4, G7, C25, E6]
# ---

# %% [markdown] name="goal"
# # Squared, absolute and Huber error
#
# **Goal.** Know which number each loss asks for, what its average is an average of, and what one wrong record can do to it.
#
# **The question.** In a table of 310 patients one value is mistyped: a hundred times too large. We predict the same number for everybody. How far does the mistake move it, and is the loss that does not move the better one?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: device, seed, profile
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup" tags=["fold"]
# Set-up: imports, and the device to compute on
import warnings

import numpy as np
import sympy as sp
import torch
import torch.nn.functional as F
from sklearn.linear_model import QuantileRegressor

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.core import Loss, mean, total
from lessons_lib.losses import absolute_error, huber, squared_error
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/05_regression")

# %% [markdown] name="formula"
# ## The formula
#
# The source document has the squared error of one example and, under the same name, its mean over the examples (least squares: Legendre 1805, Gauss 1809). It names the absolute loss (Boscovich 1757) without a formula and lacks Huber's, which joins the two (1964, *Robust estimation of a location parameter*). With the **residual** $r = \hat y - y$, prediction less target:
#
# $$\text{squared: } r^2 \qquad \text{absolute: } |r| \qquad \text{Huber: } \tfrac12 r^2 \text{ if } |r| \le \delta, \text{ else } \delta\, (|r| - \tfrac\delta2)$$
#
# | symbol | code | shape | unit |
# |---|---|---|---|
# | $\hat y$; $y$; $r$ | `pred`; `target`; `r` | any, the same | that of the data |
# | $\delta$ | `delta` | a number | that of the data |
# | loss | `.value` | that of $r$ | squared error and Huber: the data's, squared; absolute: the data's |
# | its slope | `.grad` | that of $r$ | squared error and Huber: the data's; absolute: none |
#
# ## Derivation
#
# 1. Slopes by the prediction: $2r$; $\operatorname{sign}(r)$; $r$ clipped to $[-\delta, \delta]$. Huber's two pieces meet at $\delta$ with the same value and the same slope.
# 2. Predict one number $c$ for all $N$ targets $y_n$. The mean squared error has the slope $\frac2N \sum_n (c - y_n)$, which is 0 at the **mean**; its second derivative is 2, so this is the lowest point.
# 3. The mean absolute error has the slope (number of $y_n$ below $c$, less the number above) $/ N$. It changes sign where both are equal: at a **median**.
# 4. Huber's slope is a mean of clipped residuals. For $\delta \to \infty$ none is clipped: the mean. For $\delta \to 0$ all are, and divided by $\delta$ they are signs: a median. A $\delta$ in between gives a compromise, not always a number between the two.
# 5. Move one $y_n$ by $a$: the mean moves by $a / N$, without limit. In lines 3 and 4 a far $y_n$ has only a sign, or $\pm\delta$: moving it further moves nothing.

# %% name="derivation"
size, zero = np.array([-70.0, -2.0, -0.5, 0.0, 0.5, 2.0, 70.0]), np.zeros(7)
far = abs(size) > 2
for loss, value, slope in (  # line 1, with delta = 2
    (squared_error(size, zero), size**2, 2 * size),
    (absolute_error(size, zero), abs(size), np.sign(size)),
    (huber(size, zero, 2.0), np.where(far, 2 * (abs(size) - 1), size**2 / 2), size.clip(-2, 2)),
):
    assert np.allclose([loss.value, loss.grad], [value, slope])
c, r, delta, a, *y = sp.symbols("c r delta a y1:6", positive=True)
seam = r**2 / 2 - delta * (r - delta / 2)  # the near piece less the far one
assert sp.expand(seam.subs(r, delta)) == 0 == sp.diff(seam, r).subs(r, delta)  # line 1
J = sum((c - v) ** 2 for v in y) / 5
best = sp.solve(sp.diff(J, c), c)[0]
assert sp.expand(best - sum(y) / 5) == 0 and sp.diff(J, c, 2) == 2  # line 2
assert sp.expand(best.subs(y[0], y[0] + a) - best - a / 5) == 0  # line 5

rides = np.array([9.0, 10.0, 10.5, 12.0, 70.0])  # minutes on the bus, five mornings
grid = np.arange(0, 800) / 10
for loss, goal in ((squared_error, rides.mean()), (absolute_error, np.median(rides))):
    values = [loss(np.full(5, g), rides).value.mean() for g in grid]
    asks = grid[np.argmin(values)]
    print(f"{loss.__name__} asks for {asks:.1f} minutes, in five rides {5 * asks:.1f}")
    assert np.isclose(asks, goal)  # lines 2 and 3

# %% name="derivation-huber"
for width, goal in ((1e3, rides.mean()), (1e-3, np.median(rides))):
    assert abs(huber(np.full(5, goal), rides, width).grad.sum()) < 1e-9  # line 4
lean = np.array([-5.0, -1.0, 0.0, 3.0, 3.0])
assert lean.mean() == np.median(lean) == 0 > huber(np.zeros(5), lean, 2.0).grad.sum()  # line 4
further = rides * [1, 1, 1, 1, 100]
for loss in (absolute_error, huber):  # line 5
    assert (loss(np.full(5, 11.0), rides).grad == loss(np.full(5, 11.0), further).grad).all()

# %% [markdown] name="after-derivation-huber"
# The five rides took 111.5 minutes. Whoever multiplies the median by five believes in 52.5: a far value is not always a mistake.
#
# ## Code

# %% name="source"
show(squared_error, absolute_error, huber)

# %% [markdown] name="after-source"
# With the slope $g$, Huber's value is $g r - g^2 / 2$: both pieces at once; `half_r` is $r / 2$, in a form that does not overflow. The source document's steps: (1) predictions and targets, (2) the squared error of each, (3) their mean. Step 3 hides a choice: a mean over what, with which factor? Four conventions, one minimiser:

# %% name="reductions"
pred = np.arange(12.0).reshape(4, 3) / 4  # 4 examples with 3 numbers each
target = np.ones((4, 3))
loss = squared_error(pred, target)  # steps 1 and 2
third = {
    "mean over all 12 numbers (PyTorch)": mean(loss),
    "sum over an example, mean over the 4": Loss(total(loss).value / 4, loss.grad / 4),
    "sum over everything": total(loss),
    "half of the mean": Loss(mean(loss).value / 2, mean(loss).grad / 2),
}
both = torch.tensor(pred), torch.tensor(target)
assert np.isclose(mean(loss).value, F.mse_loss(*both).item())
assert torch.isclose(F.smooth_l1_loss(*both, beta=2.0), F.huber_loss(*both, delta=2.0) / 2.0)
Table(["step 3", "value", "first slope"], [[n, j.value, j.grad[0, 0]] for n, j in third.items()])

# %% [markdown] name="after-reductions"
# Each needs its own learning rate. (Adam divides such a factor out, up to its $\epsilon$.) So does `F.smooth_l1_loss`: with `beta` $= \delta$ it is Huber's loss divided by $\delta$.

# %% [markdown] name="parity-with-pytorch"
# ## Parity with PyTorch
#
# Value and slope against `F.mse_loss`, `F.l1_loss` and `F.huber_loss`: the largest relative difference. For half precision the judge is PyTorch in float32.

# %% tags=["nbval-ignore-output", "fold"] name="parity-squared"
# Against PyTorch
parity.table("squared_error", setting.device)

# %% tags=["nbval-ignore-output", "fold"] name="parity-absolute"
# Against PyTorch
parity.table("absolute_error", setting.device)

# %% tags=["nbval-ignore-output", "fold"] name="parity-huber"
# Against PyTorch
parity.table("huber", setting.device)

# %% [markdown] name="picture-text"
# ## Picture
#
# The progress of the disease in 310 patients (scikit-learn's diabetes data). One value, drawn by the seed, is multiplied by a factor; bisection on the mean slope finds the constant with the lowest mean loss.

# %% name="constants"
def best_by_slope(loss, y):
    low, high = y.min(), y.max()
    for _ in range(40):
        middle = (low + high) / 2
        above = loss(np.full(len(y), middle), y).grad.mean() > 0
        low, high = (low, middle) if above else (middle, high)
    return middle

def constants(loss, s):  # the best constant for each factor on one value
    y = data.diabetes(s).y
    wrong = np.arange(len(y)) == np.random.default_rng(s).integers(len(y))
    return [best_by_slope(loss, np.where(wrong, f * y, y)) for f in factors]

factors = np.linspace(1, 100, 25)

# %% name="moves"
kinds = {
    "squared": squared_error,
    "Huber, delta = 50": lambda pred, target: huber(pred, target, 50.0),
    "absolute": absolute_error,
}
best = {n: np.array([constants(loss, s) for s in setting.seeds]) for n, loss in kinds.items()}
moves = {name: b - b[:, :1] for name, b in best.items()}  # from factor 1, where nothing is wrong

# %% name="picture" tags=["fold"]
# The picture
plots.lines(
    factors, {name: tuple(np.quantile(m, [0, 0.5, 1], axis=0)) for name, m in moves.items()},
    "factor on one of the 310 values", "the best constant moves by (units of the score)",
    "Shift of the best constant against the factor on one value. Squared error: straight lines to "
    "tens of units, steeper or flatter by seed. Huber and absolute error: flat, at most 4 units.",
    title="One mistyped record (line: median, band: all seeds)",
)

# %% name="picture-verdict"
straight = moves["squared"][:, -1:] * (factors - 1) / 99
gap = best["squared"][:, 0] - best["absolute"][:, 0]
far = {n: abs(m[:, -1]) for n, m in moves.items()}
assert np.allclose(moves["squared"], straight) and far["squared"].min() > 5 and gap.min() > 5
assert max(far["absolute"].max(), far["Huber, delta = 50"].max()) < 4
low, high = far["squared"].min(), far["squared"].max()
print(f"times 100 moves the mean by {low:.0f} to {high:.0f} units, the other two by less than 4.")
print(f"Before any mistake the mean is {gap.min():.0f} to {gap.max():.0f} units above the median.")

# %% [markdown] name="after-picture-verdict"
# The mean runs away with the mistake, by 99/310 of the true value (line 5); the other two soon stop: once a value is far off, it does not matter how far. But look at the last line: these scores are skewed, and whoever takes the absolute error to be safe has moved the answer before anything went wrong. First ask *which number you want*.
#
# ## What breaks
#
# ### Four predictions, sixteen residuals
#
# A model returns the shape (4, 1), the targets have (4,). Our code refuses; PyTorch pairs each prediction with each target:

# %% name="broadcast"
p, y = torch.zeros(4, 1, requires_grad=True), torch.tensor([1.0, 2.0, 3.0, 10.0])
with warnings.catch_warnings(record=True) as heard:
    warnings.simplefilter("always")
    F.mse_loss(p, y).backward()
assert len(heard) == 1 and torch.allclose(p.grad, -2 * y.mean() / 4)
print("slopes", p.grad.flatten().tolist(), "where", (-2 * y / 4).tolist(), "are right")

# %% [markdown] name="after-broadcast"
# Each prediction is asked for the mean of *all* targets (line 2): nothing is learned from the inputs, the loss still falls, and only a warning tells.
#
# ### Is the robust loss better?
#
# On a symmetric distribution all three aim at one middle. Which finds it best from 101 values? In 4000 samples from a normal distribution, let values picked at random come from a wider one (width: the standard deviation):

# %% name="efficiency"
def ratios(share, width, s):  # variances of the median and of Huber's estimate, over the mean's
    rng = np.random.default_rng(s)
    y = rng.normal(size=(4000, 101)) * np.where(rng.random((4000, 101)) < share, width, 1.0)
    median = middle = np.median(y, axis=1)
    for _ in range(15):  # gradient descent from the median, all samples at once
        middle = middle - huber(middle[:, None] + 0 * y, y, 1.345).grad.mean(axis=1)
    return np.array([median.var(), middle.var()]) / y.mean(axis=1).var()

cases = {
    "normal": (0.0, 1.0),
    "1 in 100 is 10 times as wide": (0.01, 10.0),
    "1 in 10 is 3 times as wide": (0.1, 3.0),
}

# %% name="efficiency-verdict"
found = {n: np.array([ratios(*case, s) for s in setting.seeds]) for n, case in cases.items()}
normal, rare, mild = found.values()  # each (seeds, 2)
assert (abs(normal[:, 0] - np.pi / 2) < 0.15).all() and (abs(normal[:, 1] - 1.05) < 0.05).all()
assert rare.max() < 0.95 and (abs(mild[:, 0] - 1) < 0.15).all()
assert max(rare[:, 1].max(), mild[:, 1].max()) < 0.85
rows = [
    [n, *(f"{m:.2f} ± {e:.2f}" for m, e in zip(f.mean(0), f.std(0), strict=True))]
    for n, f in found.items()
]
heads = ["variance, over the mean's", "median", "Huber's"]
Table(heads, rows, "± is the standard deviation over seeds.")

# %% [markdown] name="after-efficiency-verdict"
# With normal noise the median needs $\pi / 2$ times as many data for the same accuracy. Yet **one value in a hundred can turn the verdict,** if ten times as wide; at three times, one in ten makes a draw. Huber's estimate pays a few per cent in the first row and wins the others. It had help: $\delta$ is 1.345 widths of the clean noise, the usual choice, and we knew that width; one far too large gives the mean, far too small the median (line 4). So the source document's "the squared error is for regression" is conditional: on the noise, and on the number you want.
#
# ### A slope that does not fade
#
# The absolute error pushes with 1 until the very end. So let us start *at* the end: a linear model of the diabetes data with the lowest possible mean absolute error (scikit-learn finds it by linear programming). Does gradient descent, with the full batch, stay there?

# %% name="descent"
def descend(loss, x, y, theta, steps=1000):  # at all rates at once: theta is (inputs, rates)
    theta, target, values = np.tile(theta[:, None], len(rates)), np.tile(y[:, None], len(rates)), []
    for t in range(steps):
        batch = loss(x @ theta, target)
        values.append(batch.value.mean(axis=0))
        theta = theta - [rate(t / steps) for rate in rates.values()] * (x.T @ batch.grad) / len(y)
    return np.array(values).T

rates = {"0.4": lambda t: 0.4, "0.05": lambda t: 0.05, "0.4 to 0": lambda t: 0.4 * (1 - t)}
losses, runs = (huber, absolute_error), []
for s in setting.seeds:
    x, y = data.diabetes(s)[:2]
    y = (y - y.mean()) / y.std()  # so that delta = 1 is one standard deviation
    fit = QuantileRegressor(quantile=0.5, alpha=0, fit_intercept=False).fit(x, y)
    start = x, y, fit.coef_
    runs.append([descend(f, *start) for f in losses])

# %% tags=["nbval-ignore-output"] name="descent-verdict"
runs = np.swapaxes(runs, 1, 2)  # (seeds, rates, the two losses, steps)
up = (np.diff(runs) > 1e-12).mean((0, 3))
above = 100 * (runs[:, :, 1, -50:].mean(-1) / runs[:, :, 1, 0] - 1)
assert np.isfinite(runs).all() and up[:, 0].max() == 0 and up[:, 1].min() > 0.3
assert above.min() > 0 and (above[:, :1] > 5 * above[:, 1:]).all() and above[:, 1:].max() < 0.1
ends = [f"{a.min():.2g} to {a.max():.2g} %" for a in above.T]
rows = [[n, *(f"{v:.2f}" for v in u), e] for n, u, e in zip(rates, up, ends, strict=True)]
Table(["rate", "Huber: steps up", "absolute: steps up", "absolute: ends above its start by"], rows)

# %% [markdown] name="after-descent-verdict"
# The absolute error climbs out of its own minimum: where a residual passes 0 its sign jumps from $-1$ to 1, so the mean slope cannot go smoothly to 0, and the loss hovers. How high depends on the rate, and at 0.4 much on the seed: a small rate keeps the price small, one that falls to 0 removes nearly all of it. Huber's slope fades inside $\delta$: from this start and at these rates it only goes down.
#
# ## Exercises
#
# ### 1. A Huber loss without a seam (8 minutes, medium)
# Huber's slope has a corner at $\pm\delta$. The *pseudo-Huber* loss, $\delta^2 \big( \sqrt{1 + (r / \delta)^2} - 1 \big)$, has none. Return its value and its slope by $r$ for each number of the NumPy array `r`, as a pair.

# %% name="exercise-pseudo"
def pseudo_huber(r, delta):
    ### BEGIN SOLUTION
    root = np.sqrt(1 + (r / delta) ** 2)
    return delta**2 * (root - 1), r / root
    ### END SOLUTION

# %% name="check-pseudo"
check("pseudo_huber")

# %% [markdown] name="after-check-pseudo"
# <details><summary>Hint 1</summary>The derivative of a root is 1 / (2 root), times the derivative of what stands under it.</details>
# <details><summary>Hint 2</summary>For small r the slope must be r, for large r it must be δ times the sign: check yours.</details>
#
# ### 2. The best constant, weighted (8 minutes, medium)
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

# %% [markdown] name="after-check-constant"
# <details><summary>Hint 1</summary>Line 3 with weights: the slope is the weight below c, less the weight above. At the best c it changes its sign.</details>
# <details><summary>Hint 2</summary>Sort, add up the weights with <code>np.cumsum</code>, and stop where half of the whole is reached.</details>
#
# ### 3. The same step (4 minutes, easy)
# `lr` was tuned for PyTorch's mean over a batch of `shape` (examples, numbers per example). Return the three rates with which plain gradient descent makes the same step on the sum over everything, on the sum over an example (mean over the examples), and on half of PyTorch's mean.

# %% name="exercise-rate"
def lr_for(lr, shape):
    ### BEGIN SOLUTION
    return lr / (shape[0] * shape[1]), lr / shape[1], lr * 2
    ### END SOLUTION

# %% name="check-rate"
check("lr_for")

# %% [markdown] name="after-check-rate"
# <details><summary>Hint</summary>By which factor is each gradient larger or smaller than that of the mean over all numbers?</details>
#
# ## Takeaways
#
# - The squared error asks for the mean, the absolute error for a median; Huber's goes from a median to the mean as $\delta$ grows. Whether it is the loss for regression depends on the noise and on the number you want. Mean, sum and half: one minimiser, different gradients.
# - One target can move a mean as far as it likes, a median at most to the neighbouring value, a Huber estimate by a bounded amount. A mistyped *input* is another matter: in a linear model it multiplies the slope.
# - Do not choose the absolute error where the noise is normal (it wastes over a third of the data), nor where you need a mean: a total, a cost. At a constant rate it hovers above its minimum.
