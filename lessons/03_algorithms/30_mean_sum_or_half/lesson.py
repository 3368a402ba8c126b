# ---
# jupyter:
#   lesson:
#     title: Mean, sum or half
#     question: "The loss falls, nothing is raised, and the model tells everybody the same. What was averaged?"
#     minutes: 25
#     needs: [03_sgd, 05_regression]
#     studies: [losses.squared_error]
#     settles: [F3, F4, E6]
# ---

# %% [markdown] name="goal"
# # Mean, sum or half
#
# **Goal.** Know over which numbers a loss is averaged, what a sum or a half would change, and recognise the mean over the wrong pairs.
#
# **The question.** Two programs fit a line: how does a disease progress, given the body mass index? Both train with PyTorch's squared error, on the same patients, for 200 steps. In both the loss falls. One model gives every patient the same answer.

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import warnings

import numpy as np
import sympy as sp
import torch
import torch.nn.functional as F

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.core import Loss, mean, total
from lessons_lib.derive import derive
from lessons_lib.losses import squared_error
from lessons_lib.optim import SGD, descend
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/30_mean_sum_or_half")

# %% tags=["fold"] name="question-picture"
# Both programs: the predictions have the shape (310,) in one and (310, 1) in the other.
x, y = (torch.tensor(a) for a in (data.diabetes(seed).x[:, 2], data.diabetes(seed).y))
inputs = torch.stack([torch.ones_like(x), x], dim=1)

def trained(shape):
    losses = []
    def gradient(theta):
        theta = theta.clone().requires_grad_()
        loss = F.mse_loss((inputs @ theta).reshape(shape), y)
        losses.append(loss.item())
        return torch.autograd.grad(loss, theta)[0]
    theta = descend(torch.zeros(2, dtype=torch.float64), SGD(0.1), gradient, 200)[-1].numpy()
    return theta, losses

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    (one, one_loss), (other, other_loss) = trained((-1,)), trained((-1, 1))
assert one[1] > 30 and abs(other[1]) < 1e-6 and other_loss[-1] < other_loss[0] / 3
plots.fitted(
    x.numpy(), y.numpy(),
    {"one program": lambda x: one[0] + one[1] * x, "the other": lambda x: other[0] + other[1] * x},
    "body mass index (standardised)", "progress of the disease",
    "310 patients as dots. The line of one program rises with the body mass index, that of the "
    "other is level, at the mean of all patients.",
)

# %% tags=["fold"] name="question-numbers"
# The losses of both.
for name, losses in {"one program": one_loss, "the other": other_loss}.items():
    print(f"{name}: loss {losses[0]:.0f} at first, {losses[-1]:.0f} after 200 steps")

# %% [markdown] name="formula"
# ## Formula
#
# A model gives $d$ numbers for each of $N$ examples. The squared error of each number is $r_{ni}^2$. PyTorch's default is the mean over *all* of them:
#
# $$J = \frac{1}{N d} \sum_{n=1}^{N} \sum_{i=1}^{d} r_{ni}^2$$
#
# The article writes "loss" both for the error of a single example and for the mean. Books differ as well: some halve it, so that the slope has no 2; some add up instead of averaging; some add up over an example and average over the examples.
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $r$ | `pred - target` | `(N, d)` | the residuals |
# | $d$ | `shape[1]` | a number | how many numbers an example has |
#
# ## Derivation
#
# ### A sum with a smaller rate makes the same step
#
# Take the constant $c$ of the lesson on squared error, and one step of gradient descent on the *sum*, from $c$ to $c_t$, with the rate $\eta / N$:

# %% tags=["fold"] name="derive-sum"
# Derivation 1: a step on the sum, and one on the mean.
y_, p_ = (sp.IndexedBase(name, real=True) for name in "yp")
c, eta = sp.Symbol("c", real=True), sp.Symbol("eta", positive=True)
n, i, k, N_ = sp.symbols("n i k N", integer=True, positive=True)

def step_on_sum(c, y, eta):
    rule = SGD(float(eta) / len(y))
    return descend(c, rule, lambda c: total(squared_error(c + 0 * y, y)).grad.sum(), 1)[1]

(
    derive("c_t", "c - eta/N * Sum(2*(c - y[n]), (n, 1, N))", "the slopes, added "
        "up", [c, eta, y_, n, N_], {N_: (2, 3)})
    .library("SGD(eta / N) on total(squared_error(c, y))", step_on_sum, each=True)
    .equals("c - eta * (1/N * Sum(2*(c - y[n]), (n, 1, N)))", r"**the step on the mean, with the "
        r"rate $\eta$**")
)

# %% [markdown] name="pairs-text"
# A constant factor of the loss moves no minimum. It changes the length of the step, and the learning rate must make up for it.
#
# ### A mean over all pairs
#
# Now the predictions have the shape (N, 1) and the targets (N,). Array libraries *broadcast*: they pair each prediction with each target. What does the mean over all these pairs ask for?

# %% tags=["fold"] name="derive-pairs"
# Derivation 2: the mean over all pairs.
def pairs(p, y):
    p, y = np.broadcast_arrays(p[:, :, None], y[:, None, :])
    return squared_error(p, y)

(
    derive("J", "1/N**2 * Sum(Sum((p[i] - y[n])**2, (n, 1, N)), (i, 1, N))", "the mean over all "
        "pairs",
           [p_, y_, n, i, k, N_], {N_: (2, 3)}, tex=r"\frac{1}{N^2} \sum_{i=1}^{N} "
               r"\sum_{n=1}^{N} (p_i - y_n)^2")
    .library("mean of squared_error(p, y).value over all "
        "pairs", lambda p, y: pairs(p, y).value.mean((1, 2)))
    .slope(p_[k], "2/N**2 * Sum(p[k] - y[n], (n, 1, N))", "prediction $k$ stands in $N$ pairs")
    .equals("2/N * (p[k] - 1/N * Sum(y[n], (n, 1, N)))", "**it is pulled to the mean of all "
        "targets**")
    .library("sum of squared_error(p, y).grad over the targets, / N^2",
             lambda p, y: pairs(p, y).grad.sum(2) / y.shape[1] ** 2)
)

# %% [markdown] name="code"
# So each prediction is asked for the mean of *all* targets. The patient it belongs to plays no part. The loss falls as long as the predictions come nearer to that mean.
#
# ## Code

# %% name="source"
show(squared_error, mean, total)

# %% [markdown] name="parity-text"
# ## Parity
#
# The library's squared error and PyTorch's `F.mse_loss` agree to rounding.

# %% tags=["fold-all", "nbval-ignore-output"] name="parity-squared"
# Parity with PyTorch: the largest relative difference.
parity.table("squared_error", setting.device)

# %% [markdown] name="reductions-text"
# ## Four conventions
#
# Four examples with three numbers each. One minimiser, four slopes:

# %% name="reductions"
pred = np.arange(12.0).reshape(4, 3) / 4
target = np.ones((4, 3))
loss = squared_error(pred, target)
third = {
    "mean over all 12 numbers (PyTorch)": mean(loss),
    "sum over an example, mean over the 4": Loss(total(loss).value / 4, loss.grad / 4),
    "sum over everything": total(loss),
    "half of the mean": Loss(mean(loss).value / 2, mean(loss).grad / 2),
}
rows = [[name, j.value, j.grad[0, 0]] for name, j in third.items()]
Table(["convention", "value", "first slope"], rows)

# %% tags=["fold"] name="reductions-test"
# PyTorch's mean, and its smooth_l1_loss.
both = torch.tensor(pred), torch.tensor(target)
assert np.isclose(mean(loss).value, F.mse_loss(*both).item())
assert torch.isclose(F.smooth_l1_loss(*both, beta=2.0), F.huber_loss(*both, delta=2.0) / 2.0)

# %% [markdown] name="after-reductions"
# Each convention needs its own learning rate. (Adam divides such a factor out, up to its $\epsilon$.) The same holds for PyTorch's `F.smooth_l1_loss`: with `beta` $= \delta$ it is Huber's loss divided by $\delta$.
#
# ## What breaks
#
# The second program of the question, with four targets. The library refuses unequal shapes. PyTorch warns, and goes on:

# %% name="broadcast"
p, y4 = torch.zeros(4, 1, requires_grad=True), torch.tensor([1.0, 2.0, 3.0, 14.0])
with warnings.catch_warnings(record=True) as heard:
    warnings.simplefilter("always")
    F.mse_loss(p, y4).backward()
print("slopes", p.grad.flatten().tolist(), "where", (-2 * y4 / 4).tolist(), "are right")

# %% tags=["fold"] name="broadcast-test"
# One warning, and the slope of derivation 2.
assert len(heard) == 1 and torch.allclose(p.grad, -2 * y4.mean() / 4)

# %% [markdown] name="exercise-text"
# **The signature: all predictions move to one number, whatever the input.** The cure: compare the shapes before the loss, or use one that refuses.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. Four predictions (3 minutes, easy)
# In the cell above, training goes on with the mean over all pairs. Which number do all four predictions approach?

# %% name="exercise-collapsed"
collapsed = (
    ### BEGIN SOLUTION
    (1 + 2 + 3 + 14) / 4
    ### END SOLUTION
)

# %% name="check-collapsed"
check("collapsed")

# %% [markdown] name="exercise-mse-text"
# <details><summary>Hint</summary>The last line of derivation 2: for which prediction is the slope 0?</details>
#
# ### 2. The mean squared error itself (8 minutes, medium)
# `pred` and `target` are NumPy arrays of one shape, (examples, numbers per example). Return PyTorch's mean of the squared errors, and its slope by `pred`.

# %% name="exercise-mse"
def my_mse(pred, target):
    ### BEGIN SOLUTION
    r = pred - target
    return np.mean(r**2), 2 * r / r.size
    ### END SOLUTION

# %% name="check-mse"
check("my_mse")

# %% [markdown] name="exercise-rate-text"
# <details><summary>Hint 1</summary>The mean is over all numbers, not over the examples.</details>
# <details><summary>Hint 2</summary>The slope has the shape of <code>pred</code>. Each of its numbers belongs to one term of the sum, and the sum is divided by <code>pred.size</code>.</details>
#
# ### 3. The same step (6 minutes, medium)
# `lr` was tuned for PyTorch's mean over a batch of `shape` (examples, numbers per example). Return the three rates with which plain gradient descent makes the same step on the sum over everything, on the sum over an example (mean over the examples), and on half of PyTorch's mean.

# %% name="exercise-rate"
def lr_for(lr, shape):
    ### BEGIN SOLUTION
    return lr / (shape[0] * shape[1]), lr / shape[1], lr * 2
    ### END SOLUTION

# %% name="check-rate"
check("lr_for")

# %% [markdown] name="takeaways"
# <details><summary>Hint</summary>By which factor is each gradient larger or smaller than that of the mean over all numbers?</details>
#
# ## Takeaways
#
# - Mean, sum and half have the same minimiser and different slopes. A learning rate belongs to its convention.
# - Predictions of the shape (N, 1) with targets (N,) are N times N pairs, and every prediction is pulled to the mean of all targets.
# - Do not judge a model by a falling loss alone: look whether its predictions differ between examples.
#
# ## Sources
#
# - A.-M. Legendre, 1805: *Nouvelles méthodes pour la détermination des orbites des comètes* (the sum of squares). C. F. Gauss, 1809: *Theoria motus corporum coelestium*.
# - The data: B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, 2004: *Least angle regression*.
