# ---
# jupyter:
#   lesson:
#     title: Whose mean?
#     minutes: 30
#     question: One model, the same pictures, two mean losses. Which one is right?
#     needs: [02_cross_entropy]
#     settles: [E5, E27]
#     studies: [losses.cross_entropy]
# ---

# %% [markdown] name="goal"
# # Whose mean?
#
# **Goal.** Tell apart four numbers that are all called "the loss", and average the right one rightly.
#
# **The question.** One model, the same pictures. One program takes the mean of all losses. Another takes the mean of each batch, and then the mean of these means. They print different numbers. Which one is right?

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
import torch.nn.functional as F

from lessons_lib import bridge, data, exercises, plots
from lessons_lib.core import Loss, mean, weighted_mean
from lessons_lib.derive import derive
from lessons_lib.losses import cross_entropy
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/25_whose_mean")

# %% [markdown] name="formula"
# ## Four numbers
#
# The article writes $L$ for the loss of one example, in its next formula for a mean, and then for what training minimises. They are not the same:
#
# | name | symbol | code | what for |
# |---|---|---|---|
# | loss of one example | $\ell_n$ | `loss.value[n]` | what the formulas derive |
# | **batch mean** | $\frac{1}{B} \sum_{n \in \text{batch}} \ell_n$ | `mean(loss)` of a batch | what one training step sees, $B$ examples |
# | **objective** | $J$ | `mean(loss)` of all | what training is meant to lower |
# | **metric** | share of right answers | `accuracy` | what we want; it moves in jumps, its slope is 0 nearly everywhere |
#
# $$J = \frac{1}{N} \sum_{n=1}^{N} \ell_n$$
#
# The article's steps for cross-entropy: get the predictions and the labels, compute the loss of each, take the mean over all training examples. Here they are, for digits and a model that knows nothing:

# %% name="steps"
x, labels, x_test, labels_test = data.digits(seed)
logits = x @ np.zeros((64, 10))  # the predictions: logits, not yet probabilities
each = cross_entropy(logits, labels)  # the loss of each picture
knows_nothing = mean(each)  # the objective
print(f"{len(x)} pictures, mean loss {knows_nothing.value:.4f} nats = log 10")
assert np.isclose(knows_nothing.value, np.log(10))

# %% [markdown] name="after-steps"
# ## Derivation
#
# How do the means of two batches make the mean of all? $S_1$ and $S_2$ are the sums of the losses in the batches, $n_1$ and $n_2$ how many there are.

# %% tags=["fold"] name="derive-mean"
# Derivation: the mean of all from the means of two batches.
S1, S2, m1, m2 = sp.symbols("S_1 S_2 m_1 m_2", real=True)
n1, n2 = sp.symbols("n_1 n_2", positive=True)
names = {"S1": S1, "S2": S2, "m1": m1, "m2": m2, "n1": n1, "n2": n2}

def rebuilt():  # value and slope of seven examples, from a batch of five and one of two
    z, k = np.random.default_rng(0).normal(size=(7, 3)), np.arange(7) % 3
    p, y = np.exp(z) / np.exp(z).sum(-1, keepdims=True), np.eye(3)[k]
    five, two = (mean(cross_entropy(z[b], k[b])) for b in (slice(5), slice(5, 7)))
    value, slope = (
        (5 * five.value + 2 * two.value) / 7,
        np.concatenate([5 * five.grad, 2 * two.grad]) / 7,
    )
    return np.allclose(value, -np.log(p[y == 1]).mean()) and np.allclose(slope, (p - y) / 7)

(
    derive(
        "J",
        "(S1 + S2) / (n1 + n2)",
        "the sum of all losses over their number",
        names,
        means={m1: S1 / n1, m2: S2 / n2},
    )
    .equals(
        "(n1 * m1 + n2 * m2) / (n1 + n2)",
        "a sum is a mean times its count: **each mean weighs as much as it counts**",
    )
    .law(
        "`mean(cross_entropy(z, k))`",
        "the library's means, joined like this: value and slope",
        "7 examples",
        rebuilt,
    )
)

# %% [markdown] name="breaks"
# If the counts are equal, this is the mean of the means.
#
# ## What breaks
#
# The last step is not what training does: a step sees one batch. To report $J$, many then average the batch means. Batches count unequally many labels in two cases. The last batch is smaller. Or some labels are **ignored**, such as padding in a text: they get the weight 0.
#
# `weighted_mean(loss, w)` divides by the weights that count:
#
# $$\frac{\sum_n w_n \ell_n}{\sum_n w_n}$$
#
# A random model, in batches of 256. In the second case only every 39th label of the last batch counts.

# %% name="mean-of-means"
loss = cross_entropy(x @ np.random.default_rng(seed).normal(size=(64, 10)), labels)
row = np.arange(len(x))
weights = {
    "all labels count": np.ones(len(x)),
    "some are ignored": ((row < 1024) | (row % 39 == 0)).astype(float),
}
batches = [slice(i, i + 256) for i in range(0, len(x), 256)]

def batch_means(w):  # the mean of each batch, and how many labels it counts
    means = [weighted_mean(Loss(loss.value[b], loss.grad[b]), w[b]).value for b in batches]
    return np.array(means), np.array([w[b].sum() for b in batches])

# %% tags=["fold"] name="mean-of-means-table"
# The mean of all labels, rebuilt from the batches, and the mean of means.
rows, shares = [], {}
for name, w in weights.items():
    means, counts = batch_means(w)
    right, slip = weighted_mean(loss, w).value, means.mean()
    assert np.isclose(right, counts @ means / counts.sum(), rtol=1e-12) and not np.isclose(
        right, slip, rtol=1e-6
    )
    rows.append([name, ", ".join(f"{n:.0f}" for n in counts), f"{right:.3f}", f"{slip:.3f}"])
    shares[name] = counts[0] / counts[-1]
Table(["", "labels per batch", "mean of all", "mean of means"], rows)

# %% tags=["fold"] name="weight-of-a-label"
# How much a label of the last batch counts in the mean of means, against one of the first batch.
plots.bars(
    shares,
    "weight of a label in the last batch, times one in the first",
    "Two bars. If all labels count, a label of the last batch weighs slightly more than one of "
    "the first; if some are "
    "ignored, more than thirty times as much.",
    title="What the mean of means does to one label",
)

# %% [markdown] name="after-mean-of-means"
# **The mean of all is right.** In a mean of means every *batch* weighs the same, so a label in a small batch weighs more. The cure: multiply each batch mean by its count, add up, divide once.
#
# Class weights change the divisor in the same way: it is the sum of the weights, not the number of examples. A batch in which *nothing* counts is a matter of definition:

# %% name="all-ignored"
z, k = torch.zeros(4, 10), torch.full((4,), -100)  # -100 is PyTorch's mark for "ignore"
ours = weighted_mean(cross_entropy(z, torch.zeros(4, dtype=torch.int64)), torch.zeros(4))
print("ours:", ours.value.item(), "  PyTorch:", F.cross_entropy(z, k, ignore_index=-100).item())
assert ours.value.item() == 0

# %% [markdown] name="the-mean-over-everything"
# Ours says that there is nothing to learn. PyTorch says that 0 / 0 is undefined, and one such batch turns every mean of batch means into NaN.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it. All arrays are NumPy's.
#
# ### 1. The short batch (4 minutes, easy)
# `examples` examples are cut into batches of `size`; the last batch takes what is left, 1 to `size` of them. In a mean of batch means, how many times as much does an example of the last batch weigh as one of a full batch?

# %% name="exercise-short"
def weight_in_last(examples, size):
    ### BEGIN SOLUTION
    last = (examples - 1) % size + 1
    return size / last
    ### END SOLUTION

# %% name="check-short"
check("weight_in_last")

# %% [markdown] name="exercise-weighted-text"
# <details><summary>Hint 1</summary>In a batch of n an example has the share 1 / n of its batch's mean.</details>
# <details><summary>Hint 2</summary>The remainder of a division tells what is left; it must give <code>size</code>, not 0, when all batches are full.</details>
#
# ### 2. Class weights (5 minutes, easy)
# `values` are the losses of the examples, `labels` their classes, `weights` a weight for each class. Return the weighted mean.

# %% name="exercise-weighted"
def class_weighted_mean(values, labels, weights):
    ### BEGIN SOLUTION
    w = weights[labels]
    return (w * values).sum() / w.sum()
    ### END SOLUTION

# %% name="check-weighted"
check("class_weighted_mean")

# %% [markdown] name="exercise-mean-text"
# <details><summary>Hint 1</summary><code>weights[labels]</code> is the weight of each example.</details>
# <details><summary>Hint 2</summary>What is the divisor if all examples belong to a class of weight 3?</details>
#
# ### 3. The mean over everything (8 minutes, medium)
# PyTorch has given you the mean loss of each batch in `means`, and you have counted the labels that were not ignored in `counts`, both of the shape `(batches,)`. Return the mean
# over all labels that count. A batch with a count of 0 has the mean NaN. (If another one is NaN, so must the result be: look at the counts.)

# %% name="exercise-mean"
def mean_of_all(means, counts):
    ### BEGIN SOLUTION
    sums = np.where(counts > 0, means * counts, 0.0)
    return sums.sum() / counts.sum()
    ### END SOLUTION

# %% name="check-mean"
check("mean_of_all")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>What is the sum of the losses of one batch? And of a batch in which nothing counts?</details>
# <details><summary>Hint 2</summary>NaN times 0 is NaN. <code>np.where(condition, a, b)</code> takes a where the condition holds.</details>
#
# ## Takeaways
#
# - Say whose mean it is: of a batch, or of all examples. Training steps along the first and is meant to lower the second.
# - To join batch means, multiply each by its count. Weights and ignored labels change the count.
# - Do not average batch means when batches count unequally many labels. When all count equally many, you may.
