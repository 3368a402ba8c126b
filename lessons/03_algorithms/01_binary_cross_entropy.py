# ---
# jupyter:
#   lesson:
#     title: Binary cross-entropy
#     minutes: 35
#     settles: [F1, G2, E2, G8]
# ---

# %% [markdown]
# # Binary cross-entropy
#
# **Goal.** Derive the loss of a yes-or-no prediction, and compute it so that it never stops teaching. **35 minutes.**
#
# **The question.** A model is certain, and wrong. One would expect such an example to push hardest. Computed by the textbook
# formula in float32, it does not push at all. At which point does the push end, and why?

# %% tags=["parameters"] name="parameters"
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup"
import numpy as np
import sympy as sp
import torch
import torch.nn.functional as F

from lessons_lib import bridge, data, parity, plots
from lessons_lib.checks import check
from lessons_lib.core import mean
from lessons_lib.losses import binary_cross_entropy
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)

# %% [markdown]
# ## The formula
#
# For one example the model gives a **logit** $z$, any real number. The **sigmoid** turns it into a probability (this is G1 for two classes):
#
# $$p = \sigma(z) = \frac{1}{1 + e^{-z}}$$
#
# The label is $y \in \{0, 1\}$. The source document states the loss on the probability (F1, with $\hat y = p$):
#
# $$\ell(y, p) = -y \log p - (1 - y) \log (1 - p)$$
#
# $\log$ is the natural logarithm, so the unit is the **nat**. $\ell$ belongs to *one* example; what is minimised is the mean over a batch,
# and we will always say which of the two we mean.
#
# | symbol | code | shape |
# |---|---|---|
# | $z$ | `logits` | `(N,)` |
# | $y$ | `target` | `(N,)`, in $[0, 1]$ |
# | $\ell$ | `.value` | `(N,)`, in nats |
# | $\partial \ell / \partial z$ | `.grad` | `(N,)` |

# %% [markdown]
# ## Derivation
#
# 1. The model claims: the label is 1 with probability $p$ and 0 with probability $1 - p$. Both cases in one expression (the Bernoulli
#    distribution): $P(y) = p^{\,y} (1 - p)^{1 - y}$, because the exponent 0 turns a factor into 1.
# 2. Good parameters make the observed labels likely. Probabilities of independent examples multiply; logarithms turn the product into a
#    sum, and the minus makes it something to minimise: $-\log P(y)$ is exactly F1.
# 3. Put $p = \sigma(z)$ in. Because $\log \sigma(z) = -\log(1 + e^{-z})$ and $1 - \sigma(z) = \sigma(-z)$, the logarithms lose their fractions:
#    $\ell = y \log(1 + e^{-z}) + (1 - y) \log(1 + e^{z}) = \log(1 + e^{z}) - y z$.
# 4. Differentiate by $z$: the first term gives $e^z / (1 + e^z) = \sigma(z)$, the second $-y$. So $\partial \ell / \partial z = \sigma(z) - y$: **prediction minus label**.
# 5. $e^{z}$ overflows for large $z$. Take $e^{z}$ out of the logarithm when $z > 0$; with $|z|$ one line covers both signs (G2):
#    $\ell = \max(z, 0) - y z + \log(1 + e^{-|z|})$. Now the exponent is never positive.
#
# A machine checks each line: the likelihood, the short form, the slope, and both signs of the last step.

# %% name="derivation"
z, y, a = sp.Symbol("z", real=True), sp.Symbol("y", real=True), sp.Symbol("a", positive=True)
p = 1 / (1 + sp.exp(-z))
F1 = -y * sp.log(p) - (1 - y) * sp.log(1 - p)
short = sp.log(1 + sp.exp(z)) - y * z

for label in (0, 1):  # line 2: minus the log of the likelihood
    assert F1.subs(y, label) == -sp.log((p**y * (1 - p) ** (1 - y)).subs(y, label))
# line 3: the same slope everywhere, and the same value at 0
assert sp.simplify(sp.diff(F1 - short, z)) == 0 and sp.simplify((F1 - short).subs(z, 0)) == 0
assert sp.simplify(sp.diff(short, z) - (p - y)) == 0  # line 4
# line 5 for z = a > 0; at z < 0 nothing changes
assert sp.simplify((1 + sp.exp(a)) - sp.exp(a) * (1 + sp.exp(-a))) == 0
assert sp.simplify(sp.diff(short, z, 2) - p * (1 - p)) == 0
print("slope = p - y, curvature = p (1 - p)")

# %% [markdown]
# The curvature $\sigma(z)(1 - \sigma(z))$ is positive everywhere: the loss is convex in the logit.

# %% [markdown]
# ## Code
#
# The library's own file. It keeps the two terms of F1 apart, each as a *softplus* $\log(1 + e^{x})$, so that a confident and right
# prediction keeps its tiny gradient, and a weight for the positive class has a place. The decorator lets half precision compute in float32.

# %% name="source"
from lessons_lib.losses import _stable

show(binary_cross_entropy, _stable.softplus, _stable.sigmoid)

# %% [markdown]
# The source document computes the loss in three steps: obtain the predictions, apply the formula to each example, take the mean.
# Here they are as three functions, on real tumours with 30 measurements each (`y = 1`: benign).

# %% name="steps"
def predict(x, theta):  # step 1
    return x @ theta

def each(logits, target):  # step 2
    return binary_cross_entropy(logits, target)

def average(loss):  # step 3
    return mean(loss)

split = data.breast_cancer(seed)
loss = average(each(predict(split.x, np.zeros(30)), split.y.astype(float)))
assert np.isclose(loss.value, np.log(2))
print(f"{len(split.x)} tumours; mean loss of a model that knows nothing: {loss.value:.4f} nats = log 2")

# %% [markdown]
# The order matters. Take the average first, so that the mean logit meets the mean label, and the number no longer says how the examples
# fare: it flatters random parameters and slanders good ones.

# %% name="order"
target = split.y.astype(float)
random, good = np.random.default_rng(seed).normal(size=30), split.x.T @ (target - target.mean()) / len(target)
for name, theta in {"random": random, "good": good}.items():
    logits = predict(split.x, theta)
    right = average(each(logits, target)).value
    broken = each(logits.mean(keepdims=True), target.mean(keepdims=True)).value[0]
    print(f"{name:6} parameters: broken order too", "low" if broken < right else "high")

# %% [markdown]
# ## Parity with PyTorch
#
# Value and gradient against `F.binary_cross_entropy_with_logits`, every option, every dtype: the largest relative error of the value, then
# of the gradient. In half precision the judge is PyTorch in float32: we promise one rounding. The cell fails if a row exceeds what is allowed.

# %% tags=["nbval-ignore-output"] name="parity"
parity.table("binary_cross_entropy", setting.device)

# %% [markdown]
# ## Picture
#
# How hard does one example with label $y = 0$ push, as its logit grows and the model becomes ever more certain of the wrong answer?
# Four ways to compute a loss in float32, each with its gradient from autograd; the first is ours.

# %% name="four-ways"
ours = bridge.as_autograd(binary_cross_entropy)

def probability(z, y):  # F1, word by word: PyTorch's BCELoss
    return F.binary_cross_entropy(torch.sigmoid(z), y, reduction="none")

def clipped(z, y):  # the popular repair
    p = torch.sigmoid(z).clamp(1e-7, 1 - 1e-7)
    return -y * p.log() - (1 - y) * (1 - p).log()

def squared(z, y):  # squared error through a sigmoid (G8)
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
    grid, pushes, "logit z of an example whose label is 0", "gradient by z",
    "Gradient against the logit for four losses. From the logit it rises to 1 and stays. From the "
    "probability it drops to 0 just before 17, clipped just before 16; for the squared error it fades from 1 on.",
    title="Certain and wrong: who still pushes?",
)

# %% [markdown]
# Only the top line stays at 1, where F1's gradient belongs. The textbook computation follows it and then falls off a cliff; the squared error
# has faded long before, because its gradient $2(\sigma - y)\,\sigma(1 - \sigma)$ (G8) carries the factor $1 - \sigma$.

# %% [markdown]
# ## What breaks
#
# Why a cliff, and why just there? The smallest float32 above 1 is $1 + \varepsilon$. When $e^{-z}$ drops below half of $\varepsilon$,
# $1 + e^{-z}$ rounds to 1 and $\sigma(z)$ is exactly 1. Then $\log(1 - p) = \log 0$; PyTorch's `BCELoss` clamps it at $-100$, and the
# sigmoid's own derivative $p(1 - p)$ is exactly 0 (E2).

# %% name="cliff"
half_gap = torch.finfo(torch.float32).eps / 2
print(f"exp(-z) is half of epsilon at z = {-np.log(half_gap):.2f}")

z = torch.tensor([16.0, 17.0, 50.0], requires_grad=True)
rows = []
for label, way in ways.items():
    value = way(z, torch.zeros(3))
    grad = torch.autograd.grad(value.sum(), z)[0]
    rows += [[label, *value.detach().tolist()], ["its gradient", *grad.tolist()]]
Table(["y = 0", "z = 16", "z = 17", "z = 50"], rows)

# %% [markdown]
# Clipping makes the loss look sane, and its gradient is 0 as well: it hides the fault, it does not cure it.
#
# Does this matter in training? Take a classifier trained well on the *opposite* convention (benign = 0), as when a model is fine-tuned on
# somebody else's labels. Multiply its weights by 1, 5 or 20: it becomes that much more certain. Then train 300 steps on the true labels.

# %% name="fine-tune"
def descend(way, theta, x, y, lr, steps=300):
    for _ in range(steps):
        theta = theta.detach().requires_grad_()
        theta = theta - lr * torch.autograd.grad(way(x @ theta, y).mean(), theta)[0]
    return theta.detach()

def accuracy(way, certainty, seed):
    arrays = (torch.tensor(a, dtype=torch.float32) for a in data.breast_cancer(seed))
    x, y, x_test, y_test = (a.to(setting.device) for a in arrays)
    opposite = descend(ours, torch.zeros(30, device=setting.device), x, 1 - y, lr=1.0)
    theta = descend(way, certainty * opposite, x, y, lr=2.0)
    return ((x_test @ theta > 0) == (y_test > 0.5)).float().mean().item()

results = {(w, c): [accuracy(way, c, s) for s in setting.seeds] for w, way in ways.items() for c in (1, 5, 20)}

# %% tags=["nbval-ignore-output"] name="fine-tune-table"
rows = [[w, *(f"{np.mean(results[w, c]):.0%} ± {np.std(results[w, c]):.0%}" for c in (1, 5, 20))] for w in ways]
Table(["test accuracy, mean ± sd over seeds", "weights × 1", "weights × 5", "weights × 20"], rows)

# %% name="fine-tune-verdict"
median = {key: np.median(values) for key, values in results.items()}
for w in ways:
    print(f"{w:22}", *(f"x{c}: {'learns' if median[w, c] > 0.8 else 'stuck '}" for c in (1, 5, 20)), sep="   ")
assert all(median["from the logit", c] > 0.8 for c in (1, 5, 20))
assert max(median[w, 20] for w in ways if w != "from the logit") < 0.5

# %% [markdown]
# With ordinary certainty (× 1) nobody would notice a difference: that is why the slip survives in so much code. The more certain the wrong
# start, the fewer examples still push, until only the loss on logits can turn the model round.

# %% [markdown]
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. The value (8 minutes, easy)
# Write the loss per example with NumPy, finite for every logit.

# %% name="exercise-value"
def bce_value(logits, target):
    ### BEGIN SOLUTION
    return np.maximum(logits, 0) - logits * target + np.log1p(np.exp(-np.abs(logits)))
    ### END SOLUTION

# %% name="check-value"
check("bce_value")

# %% [markdown]
# <details><summary>Hint 1</summary>Line 5 of the derivation is the whole answer; each term is one NumPy call.</details>
# <details><summary>Hint 2</summary><code>np.log1p(a)</code> is log(1 + a), exact for small a. What is a here?</details>
#
# ### 2. The gradient (5 minutes, easy)
# The derivative of each loss by its logit. `np.exp` of a large positive number would overflow; `np.tanh` never does.

# %% name="exercise-grad"
def bce_grad(logits, target):
    ### BEGIN SOLUTION
    return (1 + np.tanh(logits / 2)) / 2 - target
    ### END SOLUTION

# %% name="check-grad"
check("bce_grad")

# %% [markdown]
# <details><summary>Hint 1</summary>Prediction minus label, with the sigmoid as the prediction.</details>
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

# %% [markdown]
# <details><summary>Hint 1</summary>Go back to line 3 of the derivation: the first of its two terms belongs to y.</details>
# <details><summary>Hint 2</summary><code>np.logaddexp(0, x)</code> is log(1 + exp(x)) without overflow.</details>
#
# ### 4. The first dead logit (4 minutes, easy)
# The smallest whole number $z$ for which `1 - torch.sigmoid(z)` is exactly 0 in float32. Find it by a loop, not from the text above.

# %% name="exercise-dead"
first_dead_logit = (
    ### BEGIN SOLUTION
    next(z for z in range(1, 200) if 1 - torch.sigmoid(torch.tensor(float(z))) == 0)
    ### END SOLUTION
)

# %% name="check-dead"
check("first_dead_logit")

# %% [markdown]
# <details><summary>Hint</summary>torch.tensor(float(z)) is float32; a generator inside next(...) finds the first one.</details>
#
# [All solutions of this lesson](../../solutions/03_algorithms/01_binary_cross_entropy.ipynb)
#
# ## Takeaways
#
# - Binary cross-entropy is minus the log-likelihood of a Bernoulli label; its slope by the logit is prediction minus label. **F1 and G2: confirmed.**
# - Hand logits to the loss. **E2: the formula on probabilities is right on paper, and its gradient is exactly 0 where the model is most wrong;** clipping does not help.
# - Do not use it when labels are often wrong: the loss of one confidently mislabelled example grows without bound. **G8:** the squared error
#   forgives such an example, and forgives a wrong model just as readily.
