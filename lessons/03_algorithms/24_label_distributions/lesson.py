# ---
# jupyter:
#   lesson:
#     title: Labels that are distributions
#     minutes: 40
#     question: "A perfect model, and its loss is 0.50 nats. What is it that nobody can learn?"
#     needs: [02_cross_entropy]
#     settles: [G4, E3, E4]
#     claims:
#       C24: {verdict: conditional, cell: not-a-distance, says: "Only the KL part of cross-entropy measures a difference. The rest is the entropy of the labels, which is not 0 between equal distributions; and neither part is a distance."}
#     studies: [losses.soft_cross_entropy]
# ---

# %% [markdown] name="goal"
# # Labels that are distributions
#
# **Goal.** Split cross-entropy into what a model can learn and what it cannot.
#
# **The question.** Ten classes. Each label gives nine tenths to its class and spreads one tenth over all ten. This is called **label smoothing**. We hand the loss the best prediction there is. It is 0.50 nats. Why not 0?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, exercises, parity, plots
from lessons_lib.derive import derive
from lessons_lib.losses import smooth_labels, soft_cross_entropy
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/24_label_distributions")

# %% name="entropy-smooth"
def loss_between(y, p):
    return soft_cross_entropy(np.log(p), y).value  # log p is one choice of logits for p

smooth = smooth_labels(np.array([3]), 10, 0.1)  # label 3, smoothed by 0.1
print(f"the best prediction, p = y: {loss_between(smooth, smooth)[0]:.4f} nats")

# %% [markdown] name="two-classes-text"
# With two classes we can see it. The label gives class 1 the share 0.9. The dashed curve is the loss of each prediction. Its lowest value is 0.33, not 0:

# %% tags=["fold"] name="two-classes"
# The loss of each prediction for a certain and for an uncertain label.
p = np.linspace(0.005, 0.995, 199)
both = np.stack([1 - p, p], axis=1)
curves = {
    f"label ({1 - share:.1f}, {share:.1f})": loss_between(
        np.tile([1 - share, share], (199, 1)), both
    )
    for share in (1.0, 0.9, 0.5)
}
plots.lines(
    p,
    curves,
    "predicted probability of class 1",
    "loss (nats)",
    "Three curves. For the label (0, 1) the loss falls to 0 at p = 1. For (0.1, 0.9) its lowest "
    "point is 0.33 at p = 0.9, for "
    "(0.5, 0.5) it is 0.69 at p = 0.5.",
    title="Where is the lowest loss?",
)

# %% [markdown] name="formula"
# Each curve is lowest where the prediction equals the label. How low that is depends on the label alone.
#
# ## Formula
#
# The article allows only labels $y_i \in \{0, 1\}$. The loss takes any distribution $y$: numbers from 0 to 1 that sum to 1. A class with $y_i = 0$ adds nothing.
#
# $$\ell = -\sum_{i=1}^{C} y_i \log p_i$$
#
# It is the sum of two parts. The **entropy** $H$ is how uncertain the label is. The **Kullback-Leibler divergence** KL (1951) is how far the prediction is off:
#
# $$H(y) = -\sum_{i=1}^{C} y_i \log y_i \qquad\qquad \mathrm{KL}(y \Vert p) = \sum_{i=1}^{C} y_i \log \frac{y_i}{p_i}$$
#
# ## Derivation
#
# ### Two parts

# %% tags=["fold"] name="derive-split"
# Derivation 1: cross-entropy is entropy plus divergence.
y, p_ = sp.symbols("y p", cls=sp.IndexedBase, real=True, positive=True)
i, C = sp.symbols("i C", integer=True, positive=True)
names = {"y": y, "p": p_, "i": i, "C": C}
given = {"sizes": {C: (2, 3)}, "simplex": [y, p_]}
(
    derive(
        r"\ell", "-Sum(y[i] * log(p[i]), (i, 1, C))", "cross-entropy of $y$ and $p$", names, **given
    )
    .library("soft_cross_entropy(log p, y).value", lambda y, p: loss_between(y, p))
    .equals(
        "-Sum(y[i] * (log(y[i]) - log(y[i] / p[i])), (i, 1, C))",
        r"$\log p_i = \log y_i - \log (y_i / p_i)$",
    )
    .equals(
        "-Sum(y[i] * log(y[i]), (i, 1, C)) + Sum(y[i] * log(y[i] / p[i]), (i, 1, C))",
        r"**entropy plus divergence**: $H(y) + \mathrm{KL}(y \Vert p)$",
    )
)

# %% [markdown] name="floor-text"
# ### The second part is never negative

# %% tags=["fold"] name="derive-floor"
# Derivation 2: the divergence is at least 0.
(
    derive(
        r"-\mathrm{KL}(y \Vert p)",
        "Sum(y[i] * log(p[i] / y[i]), (i, 1, C))",
        "the definition, with its sign turned",
        names,
        **given,
    )
    .library(
        "loss of (y, y) - loss of (y, p)",
        lambda y, p: loss_between(y, y) - loss_between(y, p),
        "derivation 1",
    )
    .at_most("Sum(y[i] * (p[i] / y[i] - 1), (i, 1, C))", r"$\log x \le x - 1$ in every term")
    .equals("Sum(p[i], (i, 1, C)) - Sum(y[i], (i, 1, C))", "$y_i$ cancels")
    .equals("0", "both sum to 1")
)

# %% [markdown] name="slope-text"
# ### The slope asks for the label
#
# From logits $z$, as in the lesson on multi-class cross-entropy. Nothing in it needs a one-hot label:

# %% tags=["fold"] name="derive-slope"
# Derivation 3: the slope is prediction minus label.
z, j = sp.IndexedBase("z", real=True), sp.Symbol("j", integer=True, positive=True)
(
    derive(
        r"\ell",
        "log(Sum(exp(z[j]), (j, 1, C))) - Sum(y[j] * z[j], (j, 1, C))",
        "log-sum-exp minus the label's logits",
        names | {"z": z, "j": j},
        sizes={C: (2, 3)},
        simplex=[y],
    )
    .library("soft_cross_entropy(z, y).value", lambda z, y: soft_cross_entropy(z, y).value)
    .slope(
        z[i],
        "exp(z[i]) / Sum(exp(z[j]), (j, 1, C)) - y[i]",
        "**prediction minus label**, whatever the label",
    )
    .library("soft_cross_entropy(z, y).grad", lambda z, y: soft_cross_entropy(z, y).grad)
)

# %% [markdown] name="floor-reading"
# $\log x = x - 1$ only at $x = 1$: the divergence is 0 only where $p = y$. So the lowest loss is the entropy of the label. It is 0 for a one-hot label only. **The entropy is what nobody can learn**: no prediction of a coin is right more often than the coin allows.
#
# Smoothed labels of ten classes have the entropy 0.50 nats. Labels that are wrong at random have a floor too: with 40 % of ten classes' labels redrawn, the right one keeps the share 0.64.

# %% tags=["fold"] name="floors"
# The entropy of some labels of ten classes; random predictions never get below it.
rows = []
labels = {
    "one-hot": np.eye(10)[3], "smoothed by 0.1": smooth[0],
    "40 % redrawn": np.array([0.64] + [0.04] * 9), "no idea": np.full(10, 0.1),
}
rng = np.random.default_rng(seed)
guesses = rng.dirichlet(np.ones(10), 10_000)
for name, label in labels.items():
    tiled = np.tile(label, (10_000, 1))
    lowest = loss_between(label[None], np.clip(label, 1e-300, 1)[None])[0]
    assert loss_between(tiled, guesses).min() > lowest
    rows.append([name, f"{lowest:.3f}"])
Table(["label of ten classes", "lowest loss (nats)"], rows)

# %% [markdown] name="distance-text"
# ## Is it a distance?
#
# The article says that the loss measures the difference between two distributions, and calls a loss a metric. A distance is 0 between equal things, the same both ways, and no shorter by a detour. Take three coins:

# %% tags=["fold"] name="not-a-distance"
# Cross-entropy and divergence between three coins a, b, c.
def kl(y, p):
    return loss_between(y, p) - loss_between(y, y)

a, b, c = np.array([[0.5, 0.5], [0.25, 0.75], [0.01, 0.99]])
rows = [
    [name, d(a, a), d(a, b), d(b, a), d(a, c), d(a, b) + d(b, c)]
    for name, d in [("cross-entropy", loss_between), ("its KL part", kl)]
]
assert all(forth != back and direct > detour for _, _, forth, back, direct, detour in rows)
Table(["", "a to a", "a to b", "b to a", "a to c", "a to c through b"], rows)

# %% [markdown] name="after-not-a-distance"
# The two directions differ, and the detour is shorter, for both. Only the KL part is 0 at equality: it is the difference that the article has in mind. Neither is a distance.
#
# ## Code

# %% name="source"
show(soft_cross_entropy)

# %% [markdown] name="source-reading"
# `unit` only serves targets larger than 1. `behind` is $y_i$ times how far $z_i$ lies behind the largest logit, and the last line but one is $p\,(1 - y) + y\,(p - 1) = p - y$, written so that a tiny slope keeps its digits.
#
# ## Parity
#
# Value and slope agree with `torch.nn.functional.cross_entropy`, which takes distributions as its target, to rounding.

# %% tags=["fold-all", "nbval-ignore-output"] name="parity"
# Parity with PyTorch.
parity.table("soft_cross_entropy", setting.device)

# %% [markdown] name="several-answers"
# ## Several answers at once
#
# One more thing that the article leaves out. A softmax answers "which *one* of these?". A picture may show a cat and a dog: **multi-label**. Then the classes must not compete. Give each one a sigmoid and its own binary cross-entropy.

# %% tags=["fold"] name="multi-label"
# The same three logits through a softmax and through three sigmoids.
z = torch.tensor([4.0, 4.0, -4.0])  # a picture with a cat and a dog, and no fish
Table(["", "cat", "dog", "fish"],
      [["softmax", *torch.softmax(z, 0)], ["a sigmoid for each", *torch.sigmoid(z)]])

# %% [markdown] name="the-stable-logarithm-of-the-softmax"
# The softmax cannot be sure of both.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it. All arrays are NumPy's.
#
# ### 1. The stable logarithm of the softmax (6 minutes, easy)
# With a whole distribution the loss needs $\log p$ of *every* class. `logits` has the shape `(N, C)`. Return $\log p$ in the same shape, finite for every logit.

# %% name="exercise-log-softmax"
def log_softmax(logits):
    ### BEGIN SOLUTION
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    ### END SOLUTION

# %% name="check-log-softmax"
check("log_softmax")

# %% [markdown] name="the-gradient-with-smoothed-labels"
# <details><summary>Hint 1</summary>What may you add to every logit of a row without changing p? Which choice keeps every exponent at or below 0?</details>
# <details><summary>Hint 2</summary>Subtract each row's largest logit before anything else; <code>keepdims=True</code> keeps the shape (N, 1).</details>
#
# ### 2. The slope with smoothed labels (8 minutes, medium)
# The label keeps `1 - smoothing`, and `smoothing` is spread evenly over all $C$ classes. Return the slope of each example's loss by its logits, shape `(N, C)`; `labels` are integers of the shape `(N,)`.

# %% name="exercise-grad"
def smoothed_grad(logits, labels, smoothing):
    ### BEGIN SOLUTION
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    C = logits.shape[-1]
    y = (1 - smoothing) * np.eye(C)[labels] + smoothing / C
    return e / e.sum(axis=-1, keepdims=True) - y
    ### END SOLUTION

# %% name="check-grad"
check("smoothed_grad")

# %% [markdown] name="exercise-lowest-text"
# <details><summary>Hint 1</summary>Prediction minus label holds for any label that is a distribution.</details>
# <details><summary>Hint 2</summary>Write y for one example with C = 4 and smoothing 0.2 by hand, then for all rows: <code>np.eye(C)[labels]</code> are the one-hot rows.</details>
#
# ### 3. The floor of a data set (8 minutes, medium)
# Some inputs occur many times, with different labels. `counts[a, i]` says how often input `a` came with the label `i`. What is the lowest mean loss, over all examples, that any model can reach? A count may be 0.

# %% name="exercise-lowest"
def lowest_mean_loss(counts):
    ### BEGIN SOLUTION
    often = counts.sum(axis=1, keepdims=True)
    y = counts / often
    entropy = -(y * np.log(y + (counts == 0))).sum(axis=1)
    return entropy @ often[:, 0] / counts.sum()
    ### END SOLUTION

# %% name="check-lowest"
check("lowest_mean_loss")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>A model gives equal inputs equal predictions. Which prediction is best for one input, and what does it cost?</details>
# <details><summary>Hint 2</summary>The mean goes over examples: an input that occurs often weighs more. A class that never came adds nothing, but the logarithm of 0 is infinite: put 1 in its place.</details>
#
# ## Takeaways
#
# - Cross-entropy is the entropy of the label plus a divergence. Only the second part depends on the model, and it is 0 where the prediction equals the label.
# - Know your floor before you call a loss high: it is the entropy of the labels.
# - Do not use cross-entropy, or its divergence, as a distance: it depends on the direction, and a detour can be shorter. Do not use a softmax where several answers are right.
#
# ## Sources
#
# - I. J. Good, 1952: *Rational decisions*.
# - S. Kullback and R. A. Leibler, 1951: *On information and sufficiency*.
# - C. Szegedy and others, 2016: *Rethinking the Inception architecture for computer vision*. Section 7: label smoothing.
