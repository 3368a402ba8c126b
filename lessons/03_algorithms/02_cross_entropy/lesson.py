# ---
# jupyter:
#   lesson:
#     title: Multi-class cross-entropy
#     question: "Nearly every answer is right, and the loss will not fall below 1.46. Why?"
#     minutes: 75
#     needs: [01_binary_cross_entropy]
#     studies: [losses.cross_entropy, losses.soft_cross_entropy]
#     settles: [F2, G1, G3, G4, C24, E3, E4, E5, E7, E27]
# ---

# %% [markdown] name="goal"
# # Multi-class cross-entropy
#
# **Goal.** Derive the loss of a choice among $C$ classes, and know which values it can take at all.
#
# **The question.** A model learns to read handwritten digits and gets almost every training example right. Yet its training loss hangs
# above 1.46 nats, as if it gave the right digit a probability of 23 %. One word too many in its code is to blame. Where does 1.46 come from, and what
# does the mistake cost?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: device, seed, profile
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup" tags=["fold"]
# Set-up: imports, and the device to compute on
from itertools import product

import numpy as np
import sympy as sp
import torch
import torch.nn.functional as F

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.core import Loss, mean, weighted_mean
from lessons_lib.losses import binary_cross_entropy, cross_entropy, soft_cross_entropy
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/02_cross_entropy")

# %% [markdown] name="formula"
# ## The formula
#
# For one example the model gives $C$ logits $z_1, \dots, z_C$, one per class. The **softmax** (Bridle 1990, *Probabilistic interpretation of feedforward classification network outputs*) turns them into a distribution,
# positive numbers that sum to 1:
#
# $$p_i = \mathrm{softmax}(z)_i = \frac{e^{z_i}}{\sum_{j=1}^{C} e^{z_j}}$$
#
# The label is the number $k$ of the right class, or the same as a distribution $y$ with $y_k = 1$ and all other $y_i = 0$ (**one-hot**).
# The source document's loss (with its $\hat y$ written $p$), the logarithmic score of Good (1952, *Rational decisions*):
#
# $$\ell(y, p) = -\sum_{i=1}^{C} y_i \log p_i$$
#
# The source document lets $i$ count classes here and examples in its next formula, and calls everything $L$. We keep them apart:
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $i, j = 1 \dots C$; $n = 1 \dots N$ | axis `-1`; axis `0` | | a class; an example |
# | $z$ | `logits` | `(N, C)` | |
# | $k$ | `labels` | `(N,)`, integers from 0 | the right class |
# | $y$ | `target` | `(N, C)`, rows sum to 1 | the same, or any distribution |
# | $\ell_n$ | `.value` | `(N,)`, in nats | loss of **one example** |
# | $\partial \ell_n / \partial z_n$ | `.grad` | `(N, C)` | |
# | $\frac{1}{B} \sum_{n \in \text{batch}} \ell_n$ | `mean(loss)` | a number | **batch mean**: what one training step sees, $B$ examples |
# | $J = \frac{1}{N} \sum_n \ell_n$ | `mean(loss)`, all rows | a number | **objective**: what training is meant to lower |
# | share of right answers | `accuracy` | a number | **metric**: what we want; it moves in jumps and has no useful gradient |

# %% [markdown] name="derivation-text"
# ## Derivation
#
# 1. The model claims: the class is $i$ with probability $p_i$. In one expression (the categorical distribution): $P(y) = \prod_i p_i^{\,y_i}$,
#    because every exponent but $y_k$ is 0. Minus its logarithm is the loss, and only one term survives: $-\log p_k$.
# 2. Put the softmax in: $\log p_i = z_i - \operatorname{logsumexp}(z)$ with $\operatorname{logsumexp}(z) = \log \sum_j e^{z_j}$. Since $y$ sums to 1,
#    $\ell = \operatorname{logsumexp}(z) - \sum_i y_i z_i$; for a one-hot $y$ this is $\operatorname{logsumexp}(z) - z_k$.
# 3. Differentiate by $z_i$: the first term gives $e^{z_i} / \sum_j e^{z_j} = p_i$, the second $-y_i$. So $\nabla_z \ell = p - y$: **prediction minus label**, again.
# 4. Differentiate once more. $\partial p_i / \partial z_j = p_i (1 - p_i)$ if $i = j$, else $-p_i p_j$: the matrix of second derivatives is
#    $\nabla^2_z \ell = \operatorname{diag}(p) - p p^\top$.
#
# Only line 1 used that $y$ is one-hot; lines 2 to 4 need only that it sums to 1.

# %% name="derivation"
z = sp.Matrix(sp.symbols("z1:4", real=True))
y1, y2 = sp.symbols("y1 y2")
y = sp.Matrix([y1, y2, 1 - y1 - y2])
s = sum(z.applyfunc(sp.exp))
p = z.applyfunc(sp.exp) / s
stated = -sum(y[i] * sp.log(p[i]) for i in range(3))
short = sp.log(s) - y.dot(z)

for label in [(1, 0), (0, 1), (0, 0)]:  # line 1: minus the log of the likelihood
    P = sp.prod(p[i] ** y[i] for i in range(3))
    known = {y1: label[0], y2: label[1]}
    assert stated.subs(known) == -sp.log(P.subs(known))
assert sp.simplify(sp.expand_log(stated - short, force=True)) == 0  # line 2
assert sp.simplify(short.diff(z) - (p - y)) == sp.zeros(3, 1)  # line 3
assert sp.simplify(sp.hessian(short, list(z)) - (sp.diag(*p) - p * p.T)) == sp.zeros(3)  # line 4
# and the library, at 50 points, with random y and with the classes 0, 1, 2:
random = np.random.default_rng(seed)
zs, ys, ks = 3 * random.normal(size=(50, 3)), random.dirichlet(np.ones(3), 50), np.arange(50) % 3
compute = sp.lambdify([*z, y1, y2], [short, *(p - y)])
for ours, target in ((soft_cross_entropy(zs, ys), ys), (cross_entropy(zs, ks), np.eye(3)[ks])):
    value, *push = compute(*zs.T, *target.T[:2])
    assert np.allclose(ours.value, value) and np.allclose(ours.grad.T, push)

# %% [markdown] name="after-derivation"
# **Convex.** For any direction $v$, $v^\top (\operatorname{diag}(p) - p p^\top) v = \sum_{i<j} p_i p_j (v_i - v_j)^2$: a sum of squares, never
# negative. It is 0 in one direction only: all $v_i$ equal. Adding one number to every logit changes nothing.
#
# **Two classes.** Divide numerator and denominator of $e^{z_1} / (e^{z_0} + e^{z_1})$ by $e^{z_1}$: it is $\sigma(z_1 - z_0)$. So with $C = 2$ we are back at the last lesson, with $z = z_1 - z_0$.

# %% name="convex"
q1, q2 = sp.symbols("q1 q2")
q, v = sp.Matrix([q1, q2, 1 - q1 - q2]), sp.Matrix(sp.symbols("v1:4"))
H = sp.diag(*q) - q * q.T
squares = sum(q[i] * q[j] * (v[i] - v[j]) ** 2 for i, j in [(0, 1), (0, 2), (1, 2)])
assert sp.expand((v.T * H * v)[0] - squares) == 0
at_point = H.subs({q1: sp.S(1) / 2, q2: sp.S(1) / 3}).eigenvals()
print("eigenvalues at p = (1/2, 1/3, 1/6):", *sorted(round(float(e), 4) for e in at_point))

two = np.random.default_rng(seed).normal(size=(5, 2))
k = np.array([0, 1, 1, 0, 1])
assert np.allclose(cross_entropy(two, k).value,
                   binary_cross_entropy(two[:, 1] - two[:, 0], k.astype(float)).value)

# %% [markdown] name="the-label-may-be-a-distribution"
# ## The label may be a distribution
#
# The source document allows only $y_i \in \{0, 1\}$, and claims that the loss measures the difference of two distributions. Take any
# distribution $y$ and put $\log p_i = \log y_i - \log (y_i / p_i)$ into the loss:
#
# $$\underbrace{-\sum_i y_i \log p_i}_{\ell(y, p)} \;=\; \underbrace{-\sum_i y_i \log y_i}_{H(y),\ \text{the entropy}} \;+\; \underbrace{\sum_i y_i \log \frac{y_i}{p_i}}_{\mathrm{KL}(y \Vert p)}$$
#
# KL is the Kullback-Leibler divergence (1951, *On information and sufficiency*; lesson 9 writes it, as is usual there, with $p$ for our $y$ and $q$ for our $p$); $H(y)$ is the loss of the best possible prediction. Only the second part depends on the model. It is never negative, because $\log x \le x - 1$ gives $-\mathrm{KL} = \sum_i y_i \log (p_i / y_i) \le \sum_i (p_i - y_i) = 0$,
# and it is 0 at $p = y$. So the lowest loss is $H(y)$, which is 0 only if $y$ is one-hot.

# %% name="entropy"
def loss_between(y, p):
    return soft_cross_entropy(np.log(p), y).value  # log p is one choice of logits for p

def kl(y, p):
    return np.sum(y * np.log(y / p), axis=-1)

rng = np.random.default_rng(seed)
y, p = rng.dirichlet(np.ones(10), 1000), rng.dirichlet(np.ones(10), 1000)
assert np.allclose(loss_between(y, p), loss_between(y, y) + kl(y, p)) and np.all(kl(y, p) > 0)

# %% name="entropy-smooth"
from lessons_lib.losses import smooth_labels

# label 3 keeps nine tenths, one tenth is spread over all classes
smooth = smooth_labels(np.array([3]), 10, 0.1)
print("10 classes, labels smoothed by 0.1: no model gets below "
      f"{loss_between(smooth, smooth)[0]:.4f} nats")

# %% [markdown] name="after-entropy-smooth"
# Is it then a distance, a "metric"? A distance is 0 between equal things, the same both ways, and no shorter by a detour.
# Three coins, given as distributions:

# %% name="not-a-distance"
a, b, c = np.array([[0.5, 0.5], [0.25, 0.75], [0.01, 0.99]])
rows = [
    [name, d(a, a), d(a, b), d(b, a), d(a, c), d(a, b) + d(b, c)]
    for name, d in [("cross-entropy", loss_between), ("its KL part", kl)]
]
assert all(forth != back and direct > detour for _, _, forth, back, direct, detour in rows)
Table(["", "a to a", "a to b", "b to a", "a to c", "a to c through b"], rows)

# %% [markdown] name="after-not-a-distance"
# The two directions differ, and the detour is shorter, for both. Only the KL part is 0 at equality: it is the difference that the source document has in mind.
#
# The loss with a softmax answers "which *one* of $C$?". If a picture may hold several things at once (**multi-label**), the classes must not compete: one sigmoid and one
# binary cross-entropy per class.

# %% name="multi-label"
z = torch.tensor([4.0, 4.0, -4.0])  # a picture with a cat and a dog, and no fish
Table(["", "cat", "dog", "fish"],
      [["softmax", *torch.softmax(z, 0)], ["sigmoid per label", *torch.sigmoid(z)]])

# %% [markdown] name="code-text"
# ## Code
#
# The library's own files: one takes the number of the class, the other a whole distribution (its `log_softmax` is exercise 1). Both are lines 2 and 3, rearranged so that nothing overflows and a tiny loss or gradient keeps its digits. In the first, `others` is the sum over all classes but the label, so that $p_k - 1$, the gradient at the label, is `-others / (others + e_k)`, without a difference. In the second, `behind` is $y_i$ times how far $z_i$ lies behind the largest logit. Its last line is $p\,(1 - y) + y\,(p - 1) = p - y$ where $y$ sums to 1 (`total`), with `expm1(log_p)` for $p - 1$; it is right also for a target that does not sum to 1, which PyTorch allows too.

# %% name="source"
show(cross_entropy, soft_cross_entropy)

# %% [markdown] name="after-source"
# Why `shifted`? The softmax as written overflows: $e^{1000}$ is `inf` in float32, and `inf / inf` is NaN. But adding a number to every logit changes nothing, so we may
# subtract the largest one; then no exponent is positive.

# %% name="overflow"
z = torch.tensor([1000.0, 0.0, -1000.0])
e, e_shifted = z.exp(), (z - z.max()).exp()
print("as written:", *(e / e.sum()).tolist(),
      "   shifted:", *(e_shifted / e_shifted.sum()).tolist())
print("loss of each class:", *cross_entropy(z.expand(3, 3), torch.arange(3)).value.tolist())

# %% [markdown] name="after-overflow"
# The source document's steps: (1) obtain the predictions and the labels, (2) binary cross-entropy for two classes or (3) the loss above for more, (4) take the mean over all training
# samples. The first is ours to write, the others the library has. On digits of $8 \times 8$ pixels:

# %% name="steps"
def predict(x, theta):
    return x @ theta

x, labels, x_test, labels_test = data.digits(seed)
print("pictures, pixels:", x.shape)
logits = predict(x, np.zeros((64, 10)))  # step 1: logits, not yet probabilities
each = cross_entropy(logits, labels)  # step 3 (step 2 is for two classes)
knows_nothing = mean(each)  # step 4
assert np.isclose(knows_nothing.value, np.log(10))
print(f"mean loss of a model that knows nothing: {knows_nothing.value:.4f} nats = log 10")

# %% [markdown] name="after-steps"
# Step 4 is not what training does: a step sees one batch, and its mean. To report $J$, many then average the batch means, which is wrong as soon
# as the batches count unequally many labels. That happens in two ways: the last batch is smaller, or some labels are **ignored** (padding in a text: weight 0).
# `weighted_mean(loss, w)` is $\sum_n w_n \ell_n / \sum_n w_n$, and 0 if all weights are 0.

# %% name="mean-of-means"
loss = cross_entropy(predict(x, np.random.default_rng(seed).normal(size=(64, 10))), labels)
row = np.arange(len(x))
keep = (row < 1024) | (row % 39 == 0)  # in the last batch only every 39th label counts

rows = []
for name, w in [("all labels count", np.ones(len(x))), ("some are ignored", keep.astype(float))]:
    batches = [slice(i, i + 256) for i in range(0, len(x), 256)]
    means = np.array([weighted_mean(Loss(loss.value[b], loss.grad[b]), w[b]).value
                      for b in batches])
    counts = np.array([w[b].sum() for b in batches])
    right, rebuilt, slip = weighted_mean(loss, w).value, counts @ means / counts.sum(), means.mean()
    assert np.isclose(right, rebuilt, rtol=1e-12) and not np.isclose(right, slip, rtol=1e-6)
    listed, excess = ", ".join(f"{n:.0f}" for n in counts), f"{counts[0] / counts[-1]:.3f}"
    rows.append([name, listed, f"{right:.4f}", f"{slip:.4f}", excess])
Table(["", "labels per batch", "mean of all", "mean of means",
       "a last-batch label counts, times"], rows)

# %% [markdown] name="after-mean-of-means"
# The cure is in the code: multiply each batch mean by its count, add up, divide once. A batch in which *nothing* counts is a matter of definition:

# %% name="all-ignored"
z, k = torch.zeros(4, 10), torch.full((4,), -100)  # -100 is PyTorch's mark for "ignore"
ours = weighted_mean(cross_entropy(z, torch.zeros(4, dtype=torch.int64)), torch.zeros(4))
print("ours:", ours.value.item(), "  PyTorch:", F.cross_entropy(z, k, ignore_index=-100).item())

# %% [markdown] name="parity-text"
# Ours says that there is nothing to learn, PyTorch that 0/0 is undefined. One such batch turns every mean of batch means into NaN (exercise 4).
#
# ## Parity with PyTorch
#
# As before: largest relative error of the value, then of the gradient. Class weights and ignored labels are `weighted_mean` here, `label_smoothing` is
# `soft_cross_entropy`; PyTorch wants the classes on axis 1, we on the last.

# %% tags=["nbval-ignore-output", "fold"] name="parity"
# Against PyTorch
parity.table("cross_entropy", setting.device)

# %% tags=["nbval-ignore-output", "fold"] name="parity-soft"
# Against PyTorch
parity.table("soft_cross_entropy", setting.device)

# %% [markdown] name="picture-text"
# ## Picture
#
# Read step 1 as the source document puts it, "obtain the predicted *distribution*", and you end the model with a softmax. But our loss, like PyTorch's, expects
# logits: it takes the probabilities for logits and applies a second softmax. No error, no warning. We train both ways, 150 steps over all 1258 pictures at learning rate 2.

# %% name="two-ways"
ours = bridge.as_autograd(cross_entropy)
# what is handed to the loss:
ways = {"logits": lambda z: z, "probabilities": lambda z: torch.softmax(z, -1)}

def load(seed):
    x, labels, x_test, labels_test = (
        torch.as_tensor(a, device=setting.device) for a in data.digits(seed)
    )
    return x.float(), labels, x_test.float(), labels_test

# %% name="descend"
def descend(way, theta, x, labels, lr=2.0, steps=150):
    trail = [theta]
    for _ in range(steps):
        theta = trail[-1].detach().requires_grad_()
        objective = ours(way(x @ theta), labels).mean()
        trail.append(theta - lr * torch.autograd.grad(objective, theta)[0])
    return torch.stack(trail).detach()  # theta after 0, 1, ..., steps steps

def accuracy(theta, x, labels):
    return ((x @ theta).argmax(-1) == labels).float().mean(-1).cpu().numpy()

# %% name="train"
zero = torch.zeros(64, 10, device=setting.device)
losses, right, right_train = ({w: [] for w in ways} for _ in range(3))  # one curve per seed
for w, s in product(ways, setting.seeds):
    x, labels, x_test, labels_test = load(s)
    trail = descend(ways[w], zero, x, labels)[1:]
    losses[w].append(ours(ways[w](x @ trail), labels.expand(len(trail), -1)).mean(-1).cpu().numpy())
    right[w].append(accuracy(trail, x_test, labels_test))
    right_train[w].append(accuracy(trail, x, labels)[-1])

# %% name="picture"
def band(runs):  # lowest, median and highest over the seeds
    return tuple(np.quantile(runs, [0, 0.5, 1], axis=0))

floor = np.log(np.e + 9) - 1
plots.side_by_side(
    np.arange(1, 151),
    {**{w: band(losses[w]) for w in ways}, "log(e + 9) - 1": np.full(150, floor)},
    {w: band(right[w]) for w in ways},
    "step", ("mean loss, training pictures (nats)", "share right, test pictures"),
    "Left: the training loss from logits falls towards 0, the one from probabilities levels off "
    "just above a horizontal line at 1.46. Right: the test accuracy of both ends at the same "
    "height; from probabilities it rises later.",
    titles=("The loss is stuck ...", "... and the accuracy is not"), logs=("x", "x"),
)

# %% [markdown] name="after-picture"
# Left, from probabilities the loss sinks towards the line at $\log(e + 9) - 1$, far above its twin. Right, it first gets worse, learns later, and at this rate ends as good after 150 steps (lines: medians, bands: lowest to highest seed).

# %% name="picture-verdict"
stuck, trained = losses["probabilities"], np.median(right_train["probabilities"])
early = np.median([r[2] - r[0] for r in right["probabilities"]])
gap = (np.median([r[-1] for r in right["logits"]])
       - np.median([r[-1] for r in right["probabilities"]]))
assert trained > 0.95 and np.min(stuck) > floor and np.max(stuck, axis=0)[-1] < floor + 0.2
assert np.max(losses["logits"], axis=0)[-1] < 0.15 and abs(gap) < 0.03 and early < 0
print(f"from probabilities: {trained:.0%} of the training pictures right")
print(f"... the loss ends at {np.median(stuck, axis=0)[-1]:.2f}, the line is at {floor:.2f}")
print(f"... test accuracy after step 3 minus after step 1: {100 * early:.0f} points")
print(f"from logits: the loss ends at {np.median(losses['logits'], axis=0)[-1]:.2f}, "
      f"the test accuracy {100 * gap:.1f} points higher")

# %% [markdown] name="what-breaks"
# ## What breaks
#
# **Why 1.46.** Handed $p$ instead of $z$, the loss becomes $\log \sum_j e^{p_j} - p_k = \log \big( 1 + \sum_{j \ne k} e^{p_j - p_k} \big)$. Probabilities lie between 0 and 1,
# so no $p_j - p_k$ is below $-1$, and the loss is at least
#
# $$\log \big( 1 + (C - 1) e^{-1} \big) = \log (e + C - 1) - 1 .$$
#
# A model reaches it only if it is entirely certain and right. If it is entirely certain and wrong, $p_k = 0$ and another $p_j = 1$: the loss is $\log(e + C - 1)$.
# That is the most it can be, since $e^{p} \le 1 + (e - 1) p$ on $[0, 1]$. From the best to the worst answer it is **one nat**, whatever $C$.

# %% name="range"
p = torch.as_tensor(rng.dirichlet(np.full(10, 0.1), 10_000))  # from undecided to certain
k = torch.as_tensor(rng.integers(0, 10, 10_000))
values = cross_entropy(p, k).value
certain = cross_entropy(torch.eye(10).double(), torch.zeros(10, dtype=torch.int64)).value
assert floor <= values.min() and values.max() <= floor + 1 + 1e-12
# PyTorch does the same, as silently:
assert torch.allclose(values, F.cross_entropy(p, k, reduction="none"))
print(f"certain and right: {certain[0].item():.4f}   certain and wrong: {certain[1].item():.4f}")

# %% [markdown] name="after-range"
# **What it does to the gradient.** By the chain rule the inner gradient $\mathrm{softmax}(p) - y$ is multiplied by the derivative of the first softmax,
# $\partial p_i / \partial z_j$, which is the matrix of line 4 of the derivation:
#
# $$\nabla_z = (\operatorname{diag}(p) - p p^\top) \, (\mathrm{softmax}(p) - y)$$
#
# At the start, all logits 0, the matrix divides by $C$. When the model is certain, it is 0.

# %% name="gradient"
def push(way, z, k):
    z = z.double().requires_grad_()
    return torch.autograd.grad(ours(way(z), torch.tensor(k)), z)[0]

z = torch.as_tensor(rng.normal(size=10))
p, y = torch.softmax(z, 0), F.one_hot(torch.tensor(3), 10)
closed = (torch.diag(p) - torch.outer(p, p)) @ (torch.softmax(p, 0) - y)
assert torch.allclose(push(ways["probabilities"], z, 3), closed, rtol=1e-10)

rows = []
for C in (2, 10, 1000, 50257):
    once, twice = (push(way, torch.zeros(C), 1).norm() for way in ways.values())
    rows.append([C, np.log(C), np.log(np.e + C - 1) - 1, f"{once / twice:.1f}"])
Table(["classes", "loss at the start", "lowest loss", "gradient at the start, times too small"],
      rows)

# %% [markdown] name="after-gradient"
# With 10 classes this delays the training, as the picture showed. With 50 257, the vocabulary of the language model GPT-2, a plain gradient step from zero logits is 50 257 times too short.
# And once a model is certain of the wrong class:

# %% name="certain-and-wrong"
rows = []
for certainty in (0, 5, 10, 20):
    z = torch.zeros(10)
    z[0] = certainty  # the model says class 0, the label is 1
    rows.append([certainty, *(push(way, z, 1).norm() for way in ways.values())])
Table(["logit of the wrong class", "gradient, from logits", "gradient, from probabilities"], rows)

# %% [markdown] name="after-certain-and-wrong"
# A certain and wrong example no longer pushes. Whether that is good or bad depends on who is wrong, the label or the model. We compare six cases with the clean one, three seeds each:
#
# - *Noise*: 40 % of the training labels are redrawn among the ten digits, so that about 36 % become wrong. Three runs: learning rate 2; 0.06; 0.06 with four times the steps.
# - *Off by one*: a model first trained on labels shifted by one (0 called 1, ..., 9 called 0) must now learn the right ones. Three runs: as it is; with four times the steps; with its weights × 5, which makes it certain.

# %% name="cases"
def spoil(labels, seed):
    g = torch.Generator().manual_seed(seed)
    replaced = torch.rand(len(labels), generator=g) < 0.4
    digit = torch.randint(0, 10, (len(labels),), generator=g)
    return torch.where(replaced, digit, labels.cpu()).to(labels.device)

def cases(x, labels, seed):  # start, labels, learning rate, steps
    noisy = spoil(labels, seed)
    shifted = descend(ways["logits"], zero, x, (labels + 1) % 10, steps=50)[-1]
    return {
        "noise": (zero, noisy, 2.0, 150),
        "noise, lr 0.06": (zero, noisy, 0.06, 150),
        "noise, lr 0.06, 600 steps": (zero, noisy, 0.06, 600),
        "off by one": (shifted, labels, 2.0, 150),
        "off by one, 600 steps": (shifted, labels, 2.0, 600),
        "off by one, certain": (5 * shifted, labels, 2.0, 150),
    }

# %% name="run-cases"
results = {(w, "clean"): [r[-1] for r in right[w]] for w in ways}
for s in setting.seeds[:3]:
    x, labels, x_test, labels_test = load(s)
    for (case, (theta, k, lr, steps)), w in product(cases(x, labels, s).items(), ways):
        end = descend(ways[w], theta, x, k, lr, steps)[-1]
        results.setdefault((w, case), []).append(accuracy(end, x_test, labels_test))
results = {key: np.array(a) for key, a in results.items()}

# %% tags=["nbval-ignore-output"] name="cases-table"
names = ["clean", "noise", "noise, lr 0.06", "noise, lr 0.06, 600 steps",
         "off by one", "off by one, 600 steps", "off by one, certain"]
rows = [[w, *(f"{results[w, c].mean():.0%} ± {results[w, c].std():.0%}" for c in names)]
        for w in ways]
Table(["test accuracy, mean ± sd over seeds", *names], rows)

# %% name="cases-verdict"
lead = {case: results["probabilities", case] - results["logits", case] for case in names}
best = {w: np.maximum(results[w, "noise"], results[w, "noise, lr 0.06"]) for w in ways}
best_lead = best["probabilities"] - best["logits"]
assert np.min(lead["noise"]) > 0 and np.max(lead["noise, lr 0.06"]) < 0
assert abs(np.median(lead["noise, lr 0.06, 600 steps"])) < 0.06
assert 0 < np.median(best_lead) < np.median(lead["noise"])
def points(lead):
    low, middle, high = 100 * np.quantile(lead, [0, 0.5, 1])
    return f"{middle:+.0f} points ({low:+.0f} to {high:+.0f})"

print("by how much the mistake leads, median and range of the seeds:")
print(*(f"{case}: {points(lead[case])}" for case in names[1:4]), sep="\n")
print("each way at the better of the two rates:", points(best_lead))

# %% name="off-by-one-verdict"
after = {key: np.median(a) for key, a in results.items()}
assert after["probabilities", "off by one"] > 0.6
assert after["probabilities", "off by one, 600 steps"] > 0.85
assert after["probabilities", "off by one, certain"] < 0.2
assert after["logits", "off by one, certain"] > 0.8
print("right in the median, from logits and from probabilities:")
for c in names[4:]:
    print(f"{c}: {after['logits', c]:.0%}, {after['probabilities', c]:.0%}")

# %% name="noise-entropy"
# what a label that is redrawn in 40 % of cases says of the picture:
redrawn = np.array([0.64] + [0.04] * 9)
print(f"entropy of the noisy labels: {-(redrawn * np.log(redrawn)).sum():.3f}, "
      f"the floor of the mistake: {floor:.3f}")

# %% [markdown] name="after-noise-entropy"
# So the mistake is not simply bad. On these noisy digits it beats the right loss; at the small rate it is only late, since its gradient starts ten times smaller (rates picked on the test pictures, for both ways alike).
# It forgives wrong labels: none costs more than one nat above the floor, and one that the model is certain is wrong no longer pushes. For the second reason a model that is *certain* and wrong hardly moves in these 150 steps at learning rate 2. How long it stays depends on its certainty, the rate and your patience: the gradient is tiny, not zero. At a large rate and with
# clean labels accuracy does not tell you of the mistake, but the loss does: it levels off just above the floor. At a small rate both look like slow training, since the floor is still far below. What tells you at every rate is one line: do the rows that you hand to the loss sum to 1?
#
# What is lost for certain is the meaning of $p$. Of two classes, let class 1 be right in a share $\pi$ of equal-looking examples. The loss is lowest at $p = \pi$, as the section
# on entropy showed. With the softmax twice the lowest point is where $\mathrm{softmax}(p) = \pi$, that is $p_1 - p_0 = \log \frac{\pi}{1 - \pi}$, and a difference of probabilities stops at 1:

# %% name="asks-for"
p = np.arange(1, 1000) / 1000
both = np.stack([1 - p, p], axis=-1)
rows = []
for share in (0.6, 0.7, 0.74, 0.9):
    y = np.broadcast_to([1 - share, share], both.shape)
    asked = (p[soft_cross_entropy(logits, y).value.argmin()] for logits in (np.log(both), both))
    rows.append([f"{share:.2f}", *(f"{a:.3f}" for a in asked)])
print(f"p_1 - p_0 would exceed 1 from a share of {1 / (1 + np.exp(-1)):.3f} on")
Table(["class 1 is right in a share", "p asked for, from logits",
       "p asked for, from probabilities"], rows)

# %% [markdown] name="after-asks-for"
# Whatever is true three times in four is reported as certain (0.999 is the end of our grid).

# %% [markdown] name="the-stable-logarithm-of-the-softmax"
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it. All arrays are NumPy's.
#
# ### 1. The stable logarithm of the softmax (8 minutes, easy)
# `logits` has shape `(N, C)`, classes on the last axis. Return $\log p$ in the same shape, finite for every logit.

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
# ### 2. The gradient with smoothed labels (8 minutes, medium)
# The label keeps `1 - smoothing`, and `smoothing` is spread evenly over all $C$ classes. Return the gradient of each example's loss by its logits, shape `(N, C)`; `labels` are integers of shape `(N,)`.

# %% name="exercise-grad"
def ce_grad(logits, labels, smoothing):
    ### BEGIN SOLUTION
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    C = logits.shape[-1]
    y = (1 - smoothing) * np.eye(C)[labels] + smoothing / C
    return e / e.sum(axis=-1, keepdims=True) - y
    ### END SOLUTION

# %% name="check-grad"
check("ce_grad")

# %% [markdown] name="another-floor"
# <details><summary>Hint 1</summary>Which lines of the derivation did not need a one-hot y?</details>
# <details><summary>Hint 2</summary>Write y for one example with C = 4 and smoothing 0.2 by hand, then for all rows: <code>np.eye(C)[labels]</code> are the one-hot rows.</details>
#
# ### 3. Another floor (8 minutes, medium)
# Some models compare directions: every logit is a cosine, so it lies in $[-1, 1]$, and people wonder why the loss stays high. Write the lowest cross-entropy that
# any model can reach for one example if each of its `classes` logits must lie in `[low, high]`.

# %% name="exercise-floor"
def loss_floor(classes, low, high):
    ### BEGIN SOLUTION
    return np.log(1 + (classes - 1) * np.exp(low - high))
    ### END SOLUTION

# %% name="check-floor"
check("loss_floor")

# %% [markdown] name="the-mean-over-everything"
# <details><summary>Hint 1</summary>Which logit should the right class have, and which all the others?</details>
# <details><summary>Hint 2</summary>Follow "Why 1.46": there low is 0 and high is 1.</details>
#
# ### 4. The mean over everything (8 minutes, medium)
# PyTorch has given you the mean loss of each batch in `means`, and you have counted the labels that were not ignored in `counts`, both of shape `(batches,)`. Return the mean
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
# - Cross-entropy is minus the log-likelihood of a categorical label; on logits it is $\operatorname{logsumexp}(z) - z_k$, its gradient is prediction minus label, and it is convex in
#   the logits. For $C = 2$ it is the loss of the last lesson. The label may be any distribution; several labels at once want sigmoids.
# - Know your floor: it is the entropy of the labels, 0 only for one-hot ones. The loss contains a difference of distributions, its KL part, and neither is a
#   distance. With clean labels, a training loss that sinks towards $\log(e + C - 1) - 1$ and no further was probably handed numbers between 0 and 1 instead of logits: a softmax or a sigmoid too many. Noisy labels have a floor of their own, here nearly the same number. Say whose mean it is; a mean of batch means is not $J$.
# - Think twice where labels are often wrong: with 40 % of the digits' labels redrawn at random a bounded loss did better, even one bounded by mistake. And do not use a softmax where several classes may be right.
