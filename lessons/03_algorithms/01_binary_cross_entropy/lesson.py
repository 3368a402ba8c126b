# ---
# jupyter:
#   lesson:
#     title: Binary cross-entropy
#     question: "A model is certain, and wrong. Why does its loss stop teaching it?"
#     minutes: 60
#     needs: []
#     studies: [losses.binary_cross_entropy]
#     settles: [F1, G2, E2, G8]
# ---

# %% [markdown] name="title"
# # Binary cross-entropy
#
# **Goal.** Derive the loss of a yes-or-no prediction, and compute it so that it never stops teaching.
#
# **The question.** A model is certain, and wrong. One would expect such an example to push hardest. Computed from the probability in
# float32, as PyTorch's `BCELoss` does it, it does not push at all. At which point does the push end, and why?

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
import torch.nn.functional as F

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.core import mean
from lessons_lib.losses import binary_cross_entropy
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/01_binary_cross_entropy")

# %% [markdown] name="the-formula"
# ## The formula
#
# For one example the model gives a **logit** $z$, any real number. The **sigmoid** turns it into a probability:
#
# $$p = \sigma(z) = \frac{1}{1 + e^{-z}}$$
#
# The label is $y \in \{0, 1\}$; the loss also takes a probability as the label, any $y$ in $[0, 1]$. The article that this course follows, the *source document*, states the loss on the probability (with $\hat y = p$):
#
# $$\ell(y, p) = -y \log p - (1 - y) \log (1 - p)$$
#
# $\log$ is the natural logarithm, so the unit is the **nat**. $\ell$ belongs to *one* example; what is minimised is the mean over a batch.
#
# | symbol | code | shape |
# |---|---|---|
# | $z$ | `logits` | `(N,)` |
# | $y$ | `target` | `(N,)`, in $[0, 1]$ |
# | $\ell$ | `.value` | `(N,)`, in nats |
# | $\partial \ell / \partial z$ | `.grad` | `(N,)` |

# %% [markdown] name="derivation-text"
# ## Derivation
#
# 1. The model claims: the label is 1 with probability $p$ and 0 with probability $1 - p$. Both cases in one expression (the Bernoulli
#    distribution): $P(y) = p^{\,y} (1 - p)^{1 - y}$, because the exponent 0 turns a factor into 1.
# 2. Good parameters make the observed labels likely. Probabilities of independent examples multiply; logarithms turn the product into a
#    sum, and the minus makes it something to minimise: $-\log P(y)$ is exactly that loss.
# 3. Put $p = \sigma(z)$ in. Because $\log \sigma(z) = -\log(1 + e^{-z})$ and $1 - \sigma(z) = \sigma(-z)$, the logarithms lose their fractions:
#    $\ell = y \log(1 + e^{-z}) + (1 - y) \log(1 + e^{z}) = \log(1 + e^{z}) - y z$.
# 4. Take the slope, the derivative with respect to $z$: the first term gives $e^z / (1 + e^z) = \sigma(z)$, the second $-y$. So $\partial \ell / \partial z = \sigma(z) - y$: **prediction minus label**.
# 5. $e^{z}$ overflows for large $z$. Take $e^{z}$ out of the logarithm when $z > 0$; with $|z|$ one line covers both signs:
#    $\ell = \max(z, 0) - y z + \log(1 + e^{-|z|})$. Now the exponent is never positive.
#
# Differentiate once more: the curvature is $\sigma(z)(1 - \sigma(z))$, positive everywhere. The loss is **convex** in the logit: it has no
# second valley (for a label 0 or 1 not even one: it falls for ever). A machine checks each line, and that the library computes the last ones.

# %% name="derivation"
z, y, a = sp.Symbol("z", real=True), sp.Symbol("y", real=True), sp.Symbol("a", positive=True)
p = 1 / (1 + sp.exp(-z))
stated = -y * sp.log(p) - (1 - y) * sp.log(1 - p)
two = y * sp.log(1 + sp.exp(-z)) + (1 - y) * sp.log(1 + sp.exp(z))
short = sp.log(1 + sp.exp(z)) - y * z
stable = sp.Max(z, 0) - y * z + sp.log(1 + sp.exp(-sp.Abs(z)))

for label in (0, 1):  # line 2: minus the log of the likelihood
    assert stated.subs(y, label) == -sp.log((p**y * (1 - p) ** (1 - y)).subs(y, label))
for apart in (stated - short, two - short):  # line 3: slope 0 everywhere, and the value 0 at z = 0
    assert sp.simplify(sp.diff(apart, z)) == 0 and sp.simplify(apart.subs(z, 0)) == 0
assert sp.simplify(sp.diff(short, z) - (p - y)) == 0  # line 4
assert sp.simplify(sp.diff(short, z, 2) - p * (1 - p)) == 0 and sp.simplify(p * (1 - p)).is_positive
for point in (a, -a, 0):  # line 5: both signs of z, and the seam
    assert sp.simplify((stable - short).subs(z, point)) == 0
random = np.random.default_rng(seed)  # and the library, at 100 points
zs, ys = 5 * random.normal(size=100), random.integers(0, 2, 100) * 1.0
ours = binary_cross_entropy(zs, ys)
assert np.allclose(ours.value, sp.lambdify((z, y), short)(zs, ys))
assert np.allclose(ours.grad, sp.lambdify((z, y), p - y)(zs, ys))

# %% [markdown] name="code"
# ## Code
#
# The library's own file. It keeps the two terms apart, each as a *softplus* $\log(1 + e^{x})$, so that a confident and right
# prediction keeps its tiny gradient, and a weight for the positive class has a place. The line above the function says what each argument may be, refuses anything else, and lets half precision (float16, bfloat16) compute in float32;
# `xp` is the library that the arrays come from, NumPy or PyTorch.

# %% name="source"
from lessons_lib.losses import _stable

show(binary_cross_entropy, _stable.softplus, _stable.sigmoid)

# %% [markdown] name="after-source"
# The source document computes the loss in three steps: obtain the predictions, apply the formula to each example, take the mean.
# The first is ours to write, the other two the library has. On real tumours with 30 measurements each (`y = 1`: benign):

# %% name="steps"
def predict(x, theta):
    return x @ theta

split = data.breast_cancer(seed)
target = split.y.astype(float)
logits = predict(split.x, np.zeros(30))  # step 1
each = binary_cross_entropy(logits, target)  # step 2
loss = mean(each)  # step 3
assert np.isclose(loss.value, np.log(2))
print(f"{len(split.x)} tumours; mean loss of a model that knows nothing: "
      f"{loss.value:.4f} nats = log 2")

# %% [markdown] name="after-steps"
# Average first and compute the loss after, and the mean logit meets the mean label. The columns of our data have mean 0, so the mean logit is
# 0 whatever the parameters: the number is log 2 for all of them, and nothing could be learned from it.

# %% name="order"
random = np.random.default_rng(seed).normal(size=30)
good = split.x.T @ (target - target.mean()) / len(target)  # one step down the slope, from zero
right = {}
for name, theta in {"random": random, "good": good}.items():
    logits = predict(split.x, theta)
    right[name] = mean(binary_cross_entropy(logits, target)).value
    broken = binary_cross_entropy(logits.mean(keepdims=True), target.mean(keepdims=True)).value[0]
    assert np.isclose(broken, np.log(2))
    print(f"{name:6} parameters: right order {right[name]:.2f}, broken order {broken:.2f}")
assert right["random"] > 1.2 * right["good"]

# %% [markdown] name="parity-with-pytorch"
# ## Parity with PyTorch
#
# Value and gradient against `F.binary_cross_entropy_with_logits`, every option, every dtype (`reduction` says what is done with the batch: nothing, the mean or the sum): the largest difference of the value, then of
# the gradient, relative to the largest number. In half precision the judge is PyTorch in float32; allowed is one epsilon, twice what a single rounding costs. The cell fails if a row exceeds what is allowed.

# %% tags=["nbval-ignore-output", "fold"] name="parity"
# Against PyTorch
parity.table("binary_cross_entropy", setting.device)

# %% [markdown] name="after-parity"
# One difference the table cannot show, because it is relative to the largest number: certain and *right*, PyTorch computes $\sigma(z) - 1$, which rounds to 0; two terms kept apart do not. No training here depends on it.

# %% name="certain-and-right"
z = torch.tensor([17.0, 50.0], device=setting.device, requires_grad=True)
total = F.binary_cross_entropy_with_logits(z, torch.ones_like(z), reduction="sum")
theirs = torch.autograd.grad(total, z)[0]
mine = binary_cross_entropy(z.detach(), torch.ones_like(z)).grad
assert (mine < 0).all() and (theirs.abs() <= mine.abs()).all()
print("y = 1, gradient at z = 17 and 50:",
      *(f"ours {a:.1e}, PyTorch {b:g};" for a, b in zip(mine, theirs, strict=True)))

# %% [markdown] name="picture-text"
# ## Picture
#
# How hard does one example with label $y = 0$ push, as its logit grows and the model becomes ever more certain of the wrong answer?
# The push is the gradient: the slope of the example's loss in its logit, which every parameter's gradient has as a factor.
# Four ways to compute a loss in float32. The first carries our closed-form gradient (`as_autograd` hands it to PyTorch); the others are
# differentiated by autograd, PyTorch's automatic derivative.

# %% name="four-ways"
ours = bridge.as_autograd(binary_cross_entropy)

def probability(z, y):  # PyTorch's BCELoss: the formula with its logarithm clamped at -100
    return F.binary_cross_entropy(torch.sigmoid(z), y, reduction="none")

def clipped(z, y):  # the popular repair
    p = torch.sigmoid(z).clamp(1e-6, 1 - 1e-6)
    return -y * p.log() - (1 - y) * (1 - p).log()

def squared(z, y):  # squared error through a sigmoid
    return (torch.sigmoid(z) - y) ** 2

ways = {"from the logit": ours, "from the probability": probability}
ways |= {"clipped probability": clipped, "squared error": squared}

# %% name="picture"
def push(way, z):
    z = torch.tensor(z, dtype=torch.float32, requires_grad=True)
    return torch.autograd.grad(way(z, torch.zeros_like(z)).sum(), z)[0].numpy()

grid = np.arange(-5, 25.01, 0.1)
pushes = {label: push(way, grid) for label, way in ways.items()}
plots.lines(
    grid, pushes, "logit z of an example whose label is 0", "gradient with respect to z",
    "Gradient against the logit for four losses. From the logit it rises to 1 and stays. From the "
    "probability it drops to 0 between 16 and 17, clipped just before 14; for the squared error it "
    "fades from 1 on.",
    title="Certain and wrong: who still pushes?",
)

# %% [markdown] name="after-picture"
# Only the top line stays at 1, where the formula's gradient belongs. The computation from the probability follows it and then falls off a cliff; the squared error
# has faded long before, because its gradient $2(\sigma - y)\,\sigma(1 - \sigma)$ carries the factor $1 - \sigma$.

# %% [markdown] name="what-breaks"
# ## What breaks
#
# Why a cliff, and why just there? The smallest float32 above 1 is $1 + \varepsilon$. When $e^{-z}$ drops below half of $\varepsilon$,
# $1 + e^{-z}$ rounds to 1 and $\sigma(z)$ is exactly 1. Then $\log(1 - p) = \log 0$; PyTorch's `BCELoss` clamps it at $-100$, and the
# sigmoid's own derivative $p(1 - p)$ is exactly 0.

# %% name="cliff"
half_gap = torch.finfo(torch.float32).eps / 2
print(f"exp(-z) is half of epsilon at z = {-np.log(half_gap):.2f}")
print(f"the clipped probability meets its bound at z = {torch.logit(torch.tensor(1 - 1e-6)):.2f}")
fine = np.arange(12, 18, 0.01)
for label in ("from the probability", "clipped probability"):
    print(f"{label}: the last push is at z = {fine[push(ways[label], fine) > 0].max():.2f}")

z = torch.tensor([16.0, 17.0, 50.0], requires_grad=True)
rows = []
for label, way in ways.items():
    value = way(z, torch.zeros(3))
    grad = torch.autograd.grad(value.sum(), z)[0]
    rows += [[label, *value.detach().tolist()], ["its gradient", *grad.tolist()]]
Table(["y = 0", "z = 16", "z = 17", "z = 50"], rows)

# %% [markdown] name="after-cliff"
# Clipping makes the loss look sane, and beyond the bound its gradient is 0 as well: it hides the fault, it does not cure it. And the formula word by word, without the
# clamp? And the other side, $y = 1$ and $z \to -\infty$?

# %% name="other-side"
def literal(z, y):
    p = torch.sigmoid(z)
    return -y * p.log() - (1 - y) * (1 - p).log()

def value_and_push(way, z, y):
    z = torch.tensor(z, requires_grad=True)
    value = way(z, torch.tensor(y))
    return value.item(), torch.autograd.grad(value, z)[0].item()

for label in (0.0, 1.0):
    value, grad = value_and_push(literal, 17.0, label)
    print(f"word by word, y = {label:.0f}, z = 17: loss {value} and gradient {grad}")
for z_far in (-20.0, -30.0, -50.0):
    pushes = [value_and_push(way, z_far, 1.0)[1] for way in (ours, probability)]
    print(f"y = 1, z = {z_far:.0f}: gradient from the logit {pushes[0]:.3f}, "
          f"from the probability {pushes[1]:.3f}")

# %% [markdown] name="after-other-side"
# Word by word it is worse. With $p = 1$ and $y = 0$ the loss is infinite, and the chain rule multiplies $1/(1-p) = \infty$ by $p(1-p) = 0$: NaN. With $y = 1$ the model is *right*, and $0 \cdot \log 0$ makes even the loss NaN.
# For $y = 1$ and $z \to -\infty$ a sigmoid near 0 keeps its digits, so the push lasts longer. `BCELoss` divides by $\max(p(1-p), 10^{-12})$ in its gradient; once $p$ is smaller than that, at $z < -27.6$, the push fades like $e^{z}$.
#
# Does this matter in training? Take a classifier trained well on the *opposite* convention (benign = 0), as when a model is fine-tuned on
# somebody else's labels. Multiply its weights by 1, 5 or 20: it becomes that much more certain. Then train 300 steps on the true labels, the most certain one also ten times as long, and also with a hundred times the learning rate. How
# many examples push at all at the start, with a gradient above 0.1? (The seed changes the split into training and test data.)

# %% name="fine-tune"
def descend(way, theta, x, y, lr, steps=300):  # many runs at once, a row of theta each
    for _ in range(steps):
        theta = theta.detach().requires_grad_()
        z = (x @ theta[..., None])[..., 0]
        theta = theta - lr * torch.autograd.grad(way(z, y).mean(-1).sum(), theta)[0]
    return theta.detach()

splits = [data.breast_cancer(s) for s in setting.seeds]
x, y, x_test, y_test = (
    torch.tensor(np.array(a), dtype=torch.float32, device=setting.device)
    for a in zip(*splits, strict=True)
)
opposite = descend(ours, torch.zeros_like(x[:, 0]), x, 1 - y, lr=1.0)

# %% name="tune"
def tune(way, certainty, lr, steps):  # test accuracy, share of examples that push at first
    start = certainty * opposite
    z = (x @ start[..., None])[..., 0].requires_grad_()
    pushing = torch.autograd.grad(way(z, y).sum(), z)[0].abs() > 0.1
    theta = descend(way, start, x, y, lr, steps)
    right = ((x_test @ theta[..., None])[..., 0] > 0) == (y_test > 0.5)
    return torch.stack([right.float().mean(-1), pushing.float().mean(-1)], -1).cpu().numpy()

# %% name="run-fine-tune"
plans = [(1, 2.0, 300), (5, 2.0, 300), (20, 2.0, 300), (20, 2.0, 3000), (20, 200.0, 300)]
results = {(w, p): tune(way, *p) for w, way in ways.items() for p in plans}

# %% tags=["nbval-ignore-output"] name="fine-tune-table"
def cell(runs):
    (accuracy, pushing), spread = runs.mean(0), runs[:, 0].std()
    return f"{accuracy:.0%} ± {spread:.0%} ({pushing:.0%} push)"

headers = [f"× {c}, lr {lr:g}, {n} steps" for c, lr, n in plans]
rows = [[w, *(cell(results[w, p]) for p in plans)] for w in ways]
Table([f"test accuracy, mean ± sd, {len(setting.seeds)} splits", *headers], rows)

# %% [markdown] name="after-fine-tune-table"
# *Learned*: every split above 75 per cent. *Not yet*: every split below 60. *Depends*: anything else.

# %% name="fine-tune-verdict"
def verdict(accuracies):
    return ("learned" if min(accuracies) > 0.75
            else "not yet" if max(accuracies) < 0.6 else "depends")

median = {key: np.median(runs[:, 0]) for key, runs in results.items()}
Table(["", *headers], [[w, *(verdict(results[w, p][:, 0]) for p in plans)] for w in ways])

# %% name="fine-tune-asserts"
assert all(median["from the logit", p] > 0.8 for p in plans)
assert max(median[w, (20, 2.0, 300)] for w in ways if w != "from the logit") < 0.5
for p in [(20, 2.0, 3000), (20, 200.0, 300)]:
    assert median["from the probability", p] > 0.8 > median["squared error", p]

# %% [markdown] name="after-fine-tune-asserts"
# With ordinary certainty (× 1) the accuracies do not differ. The more certain the wrong start, the fewer examples still push, except from the logit. At learning rate 2, 300 steps turn the most certain model around from the logit only. Ten times
# the steps, or a hundred times the learning rate, do it from the probability too: the few that still push are heard late, or must be amplified. Clipped, it depends. The squared error at × 20 learns in none of the three columns. So
# each verdict belongs to its learning rate and its patience; the cliff does not.

# %% [markdown] name="exercises"
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. The value (8 minutes, easy)
# Write the loss per example with NumPy, finite for every logit. Targets may lie anywhere in $[0, 1]$, here and below.

# %% name="exercise-value"
def bce_value(logits, target):
    ### BEGIN SOLUTION
    return np.maximum(logits, 0) - logits * target + np.log1p(np.exp(-np.abs(logits)))
    ### END SOLUTION

# %% name="check-value"
check("bce_value")

# %% [markdown] name="2-the-gradient-5-minutes"
# <details><summary>Hint 1</summary>Line 5 of the derivation never takes exp of a positive number.</details>
# <details><summary>Hint 2</summary><code>np.log1p(a)</code> is log(1 + a), accurate for small a. What is a here?</details>
#
# ### 2. The gradient (5 minutes, easy)
# The derivative of each loss with respect to its logit, finite for every logit. (With `np.tanh` nothing overflows; gradients below 1e-16 are lost, which the library avoids.)

# %% name="exercise-grad"
def bce_grad(logits, target):
    ### BEGIN SOLUTION
    return (1 + np.tanh(logits / 2)) / 2 - target
    ### END SOLUTION

# %% name="check-grad"
check("bce_grad")

# %% [markdown] name="3-a-weight-for-the"
# <details><summary>Hint 1</summary>Differentiate the short form of line 3, log(1 + exp(z)) - y z.</details>
# <details><summary>Hint 2</summary>The sigmoid is (1 + tanh(z / 2)) / 2.</details>
#
# ### 3. A weight for the rare class (10 minutes, medium)
# If only one patient in a hundred is ill, one may count a positive example `w` times: multiply the term with $y$ by `w` and leave the other
# alone. Return the loss per example, finite for every logit.

# %% name="exercise-weighted"
def weighted_bce(logits, target, w):
    ### BEGIN SOLUTION
    return w * target * np.logaddexp(0, -logits) + (1 - target) * np.logaddexp(0, logits)
    ### END SOLUTION

# %% name="check-weighted"
check("weighted_bce")

# %% [markdown] name="4-the-first-dead-logit"
# <details><summary>Hint 1</summary>Go back to line 3 of the derivation: the first of its two terms belongs to y.</details>
# <details><summary>Hint 2</summary><code>np.logaddexp(0, x)</code> is log(1 + exp(x)) without overflow.</details>
#
# ### 4. The first dead logit (8 minutes, medium)
# The smallest whole number $z$ for which `1 - torch.sigmoid(z)` is exactly 0, as a list for bfloat16, float16, float32 and float64.
# Guess first: bfloat16 keeps 8 significant bits, float16 11, float32 24, float64 53. Then measure.

# %% name="exercise-dead"
def dead_logits():
    ### BEGIN SOLUTION
    def first(dtype):
        return next(z for z in range(1, 200)
                    if 1 - torch.sigmoid(torch.tensor(float(z), dtype=dtype)) == 0)

    return [first(dtype) for dtype in (torch.bfloat16, torch.float16, torch.float32, torch.float64)]
    ### END SOLUTION

# %% name="check-dead"
check("dead_logits")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary><code>torch.tensor(float(z), dtype=torch.float16)</code> is the logit in that precision.</details>
# <details><summary>Hint 2</summary>A loop over z = 1, 2, 3, ... that stops at the first 0; a second loop around it over the four dtypes.</details>
#
# <details><summary>After you have measured</summary>Half of epsilon predicts 6, 8, 17, 37. float32 and float64 form 1 + exp(-z) in their own precision, and there the rule holds. bfloat16 and float16 compute the sigmoid in float32 and round the result once; below 1 the numbers lie twice as dense as above it, so exp(-z) must drop below a quarter of epsilon: 7 and 9.</details>
#
# ## Takeaways
#
# - Binary cross-entropy is minus the log-likelihood of a Bernoulli label; its slope with respect to the logit is prediction minus label.
# - Hand logits to the loss. **The article's formula is right on paper. In float32, from $z \approx 16.64$ on, its gradient is NaN whatever the label; `BCELoss`'s is 0 where $y = 0$,** and clipping only moves the end to a smaller logit.
# - Think twice where the model is sure of a wrong *label*: the loss of one such example grows without bound. The squared error
#   ignores such an example, and ignores a wrong model just as readily.
