# ---
# jupyter:
#   lesson:
#     title: "Soft targets, class weights, ignored tokens, focal loss"
#     question: "A rare class gets the weight 19, and with batches of one nothing changes. Why?"
#     minutes: 45
#     needs: [02_cross_entropy]
#     studies: [losses.focal, losses.smooth_labels, core.weighted_mean]
#     settles: [G9]
# ---

# %% [markdown] name="goal"
# # Soft targets, class weights, ignored tokens, focal loss
#
# **Goal.** Four knobs on cross-entropy: know what each turns, and by what each mean is divided.
#
# **The question.** A rare class gets the weight 19. With batches of one example the training is *exactly* the same as with the weight 1. Why?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: device, seed, profile
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup" tags=["fold"]
# Set-up: imports, and the device to compute on
from itertools import product
from math import comb

import numpy as np
import sympy as sp
import torch
import torch.nn.functional as F

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.core import mean, weighted_mean
from lessons_lib.losses import cross_entropy, focal, smooth_labels, soft_cross_entropy
from lessons_lib.optim import Adam, descend
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/10_soft_targets")

# %% [markdown] name="derivation-text"
# ## The formula
#
# With $p = \operatorname{softmax}(z)$ and the class $k$ of an example, cross-entropy is $-\log p_k$; with a *soft target*, a distribution $y$ in place of $k$, it is $-\sum_i y_i \log p_i$ (lesson 2). Two changes of that loss, both missing in the source document: Szegedy et al. (2016, *Rethinking the Inception architecture for computer vision*) and Lin et al. (2017, *Focal loss for dense object detection*):
#
# $$\text{label smoothing: the target } y' = (1 - \varepsilon)\, y + \tfrac{\varepsilon}{C} \qquad \text{focal loss: } -\alpha_k\, (1 - p_k)^\gamma \log p_k$$
#
# Class weights and ignored tokens change the *mean*: with $w_n$ the weight of example $n$'s class, or 0 for a token to ignore,
#
# $$J = \frac{\sum_n w_n\, \ell_n}{\sum_n w_n}$$
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $z$; $k$ | `logits`; `labels` | $(N, C)$; $(N,)$ | scores; the right class |
# | $y, y'$ | `target` | $(N, C)$ | target, a distribution; smoothed |
# | $\varepsilon$ | `epsilon` | in $[0, 1]$ | what is taken from the label and spread over all classes |
# | $\gamma$; $\alpha$ | `gamma`; `alpha` | a number $\ge 0$; $(C,)$ | how fast the sure fall silent; weights |
# | $w$ | `w` | $(N,)$ | weights $\ge 0$ |
#
# ## Derivation
#
# 1. Cross-entropy with a soft target has the gradient $p - y'$ (lesson 2): it is 0 at $p = y'$. A lead $z_k - z_j$ is $\log \frac{p_k}{p_j}$, so that with smoothing the right class best leads the others by $\log \big( \frac{(1 - \varepsilon) C}{\varepsilon} + 1 \big)$, **a finite number**; with $\varepsilon = 0$ no lead is enough.
# 2. Product rule, with $\partial \log p_k / \partial z_j = y_j - p_j$: the focal loss with $\alpha = 1$ has the gradient $(1 - p_k)^\gamma \big( 1 - \gamma \frac{p_k \log p_k}{1 - p_k} \big) \cdot (p_j - y_j)$: the direction of cross-entropy, times a factor. For $\gamma > 0$ it goes to 0 as $p_k \to 1$; on the way from its limit 1 at $p_k \to 0$ it first rises above 1.
# 3. In a weighted mean an example's share is $w_n / \sum_m w_m$. Alone in its batch, it is $w_n / w_n = 1$, **whatever its weight** above 0. In PyTorch's `cross_entropy(weight=...)` too, for integer labels: its mean divides by their weights. Hand it the same labels one-hot, as distributions, and it divides by $N$: now 19 counts 19 times.
# 4. Let $y$ be the true probability of the rare class at some $x$, and $w$ its weight. The best prediction $p$ minimises $-w\,y \log p - (1 - y) \log(1 - p)$, so that $\frac{p}{1 - p} = w\,\frac{y}{1 - y}$: as if the rare class were $w$ times as frequent. The log-odds of every prediction rise by $\log w$ (if the model can): **a weight moves the threshold** (Elkan 2001, *The foundations of cost-sensitive learning*).
# 5. Focal loss with two classes: the best $p$ minimises $-y (1 - p)^\gamma \log p - (1 - y)\, p^\gamma \log(1 - p)$. With $f$ for the factor of line 2, its slope by the score is 0 where $y\,(1 - p) f(p) = (1 - y)\, p f(1 - p)$, that is $\frac{y}{1 - y} = \frac{v(p)}{v(1 - p)}$ with $v(p) = \frac{p f(1 - p)}{p^\gamma (1 - p)^\gamma} = \frac{p - \gamma (1 - p) \log(1 - p)}{(1 - p)^\gamma}$. This $v$ rises with $p$, so the quotient rises from 0 to $\infty$: **one turning point**, a minimum. Swap the classes ($y$ with $1 - y$, $p$ with $1 - p$) and the equation stays: at $y = \frac12$ the best is $p = \frac12$, **the threshold stays** (again, if the model can). Elsewhere the best is nearer to $\frac12$ than the truth, because $f$ is larger for the class held less likely (checked for $\gamma$ from 0.1 to 5).

# %% name="derivation"
C, eps, p, gamma, y, w, L = sp.symbols("C epsilon p gamma y w L", positive=True)
lead = (1 - eps) * C / eps + 1
assert sp.simplify((1 - eps + eps / C) / (eps / C) - lead) == 0  # line 1
target = smooth_labels(np.array([2]), 5, 0.1)
assert np.allclose(soft_cross_entropy(np.log(target), target).grad, 0)
assert np.isclose(target[0, 2] / target[0, 0], float(lead.subs({C: 5, eps: 0.1})))
slope = p * sp.diff(-((1 - p) ** gamma) * sp.log(p), p)  # by log p; and d log p_k / dz = y - p
f = (1 - p) ** gamma * (1 - gamma * p * sp.log(p) / (1 - p))
assert sp.simplify(slope + f) == 0 and f.subs({p: 0.1, gamma: 2}) > 1  # line 2
z, k = np.random.default_rng(seed).normal(size=(20, 3)), np.arange(20) % 3
value, push = cross_entropy(z, k)
ours, formula = focal(z, k, 2.0), sp.lambdify(p, [(1 - p) ** 2, f.subs(gamma, 2)])(np.exp(-value))
assert np.allclose(ours.value, formula[0] * value)
assert np.allclose(ours.grad, formula[1][:, None] * push)

# %% name="derivation-weights"
z, k, nineteen = torch.tensor([[1.0, -2.0, 0.5]]), torch.tensor([1]), torch.full((3,), 19.0)
one = cross_entropy(z, k)
alone = weighted_mean(one, nineteen[k])
assert torch.allclose(alone.grad, one.grad) and torch.allclose(alone.value, one.value)  # line 3
for target in (k, F.one_hot(k, 3).float()):  # line 3, PyTorch
    times = (F.cross_entropy(z, target, weight=nineteen) / one.value).item()
    print(f"PyTorch, one example of weight 19, labels {target.tolist()}: counts {times:.0f} times")

# %% name="derivation-best"
best = sp.solve(sp.diff(-w * y * sp.log(p) - (1 - y) * sp.log(1 - p), p), p)[0]
assert sp.simplify(best / (1 - best) - w * y / (1 - y)) == 0  # line 4
v = (p - gamma * (1 - p) * sp.log(1 - p)) / (1 - p) ** gamma  # line 5
assert sp.simplify(v * (p * (1 - p)) ** gamma - p * f.subs(p, 1 - p)) == 0
rise = (sp.diff(v, p) * (1 - p) ** gamma).subs(p, 1 - sp.exp(-L))  # L = -log(1 - p)
# positive, as exp(L) > L:
assert sp.simplify(sp.expand(rise - (1 + gamma * (sp.exp(L) - L) + gamma**2 * L))) == 0

# %% name="derivation-focal"
at, truth = np.linspace(0.001, 0.999, 999), np.array([[0.05], [0.2], [0.4], [0.5]])
scores = np.log(np.stack([1 - at, at], axis=-1))
rare, common = (focal(scores, np.full(999, label), 2.0).value for label in (1, 0))
answer = at[(truth * rare + (1 - truth) * common).argmin(1)]
assert np.isclose(answer[3], 0.5) and (truth[:3, 0] < answer[:3]).all() and answer[2] < 0.5
for strength in (0.1, 1.0, 2.0, 5.0):  # why: f is larger for the class held less likely
    less, more = (sp.lambdify(p, f.subs(gamma, strength))(x) for x in (at[:499], 1 - at[:499]))
    assert (less > more).all()
Table(["the truth", "gamma = 2 asks for"], zip(truth[:, 0], answer, strict=True))

# %% [markdown] name="code-text"
# ## Code

# %% name="source"
show(focal, weighted_mean)

# %% [markdown] name="parity-text"
# `weighted_mean` is the source document's step "mean over the examples", said exactly (its divisor: lesson 25). A weight of 0 removes an example even where its loss is `inf` or `NaN`.
#
# ## Parity with PyTorch
#
# `F.cross_entropy` with `weight`, `ignore_index` and `label_smoothing` agrees with ours: the table of lesson 2 has these rows. With `weight` *and* `label_smoothing` PyTorch weighs every term of the smoothed target, and divides by the weights of the labels alone. PyTorch has no focal loss (torchvision has `sigmoid_focal_loss`, for a single logit); the judge is its formula, differentiated by autograd. Its mean here divides by $N$, also with $\alpha$; Lin et al. divide by the number of candidate boxes that were matched to an object.

# %% tags=["nbval-ignore-output", "fold"] name="parity-focal"
# Against PyTorch
parity.table("focal", setting.device)

# %% [markdown] name="picture-text"
# ## Picture
#
# What is left of the weight 19 in a batch of size $B$? One example in twenty is rare. We compute the expected share $w_n / \sum w$ of a rare example, over that of a common one.

# %% name="shares"
def counts(B, w=19.0, rare=0.05):
    n = np.arange(B)  # how many of the other B - 1 are rare, and how probable that is:
    chance = [comb(B - 1, i) * rare**i * (1 - rare) ** (B - 1 - i) for i in range(B)]
    rest = n * w + (B - 1 - n)
    return np.dot(chance, w / (w + rest)) / np.dot(chance, 1 / (1 + rest))

sizes = 2 ** np.arange(11)
times = np.array([counts(int(B)) for B in sizes])

# %% name="picture" tags=["fold"]
# The picture
plots.lines(
    sizes,
    {"what a rare example counts": times, "what was asked for": 19.0 + 0 * sizes},
    "batch size (log)",
    "times a common example",
    "What a rare example counts, in units of a common one, against the batch size. It is 1 at "
    "batch size 1, between 6 and 7 at 8, and just below the wanted 19 at a thousand.",
    title="A class weight of 19, one batch at a time",
    log="x",
)

# %% name="picture-verdict"
at = dict(zip(sizes.tolist(), times, strict=True))
assert np.isclose(at[1], 1) and 6 < at[8] < 7 and 18.5 < at[1024] < 19
print(*(f"batch of {B}: counts {at[B]:.1f} times" for B in (1, 2, 8, 1024)), sep="\n")

# %% [markdown] name="focal-loss-handles-imbalance"
# A weighted mean compares only within its batch: alone, a rare example is measured against itself (line 3), and next to few others it makes up much of its own divisor. The same happens when a large batch is computed in parts whose gradients are added (*micro-batches*). Divide by a constant instead, the same for every part (exercise 1): then the weight is what you asked for. The price is noise: a small batch that happens to hold a rare example now makes a far longer step of SGD.
#
# ## What breaks
#
# ### "Focal loss handles imbalance"
#
# One example in twenty is positive; two classes that overlap in five numbers, three of which help. The same linear model with three losses, and the weighted one *undone* (line 4 backwards: $\log 19$ off the log-odds), compared by *balanced accuracy* (the mean of the accuracy in each class) at the usual threshold $p = \frac12$, at the best threshold on the training data, and by the cross-entropy of its probabilities:

# %% name="imbalance"
def draw(s, n):
    rng = np.random.default_rng(s)
    y = (rng.random(n) < 0.05).astype(int)
    return np.c_[rng.normal(size=(n, 5)) + y[:, None] * [1, 0.7, 0.5, 0, 0], np.ones(n)], y

def fit(x, gradient, classes, steps, lr):
    start = np.zeros((*x.shape[:-2], x.shape[-1], classes))
    return descend(start, Adam(lr), lambda theta: x.mT @ gradient(x @ theta), steps)[-1]

# %% name="imbalance-judge"
def balanced(score, y, threshold):
    return ((score[y == 1] > threshold).mean() + (score[y == 0] <= threshold).mean()) / 2

def judge(theta, x, y, x_test, y_test):
    train, test = (v @ (theta[:, 1] - theta[:, 0]) for v in (x, x_test))
    cuts = np.quantile(train, np.linspace(0.01, 0.99, 99))
    best = max(cuts, key=lambda c: balanced(train, y, c))
    nats = mean(cross_entropy(x_test @ theta, y_test)).value
    return balanced(test, y_test, 0.0), balanced(test, y_test, best), nats

# %% name="imbalance-runs"
found = {}
for s in setting.seeds:
    (x, y), test = draw(s, 2000), draw(s + 1000, 20_000)
    kinds = {
        "cross-entropy": lambda z, y=y: mean(cross_entropy(z, y)).grad,
        "weights 19 : 1": lambda z, y=y: weighted_mean(cross_entropy(z, y), 1 + 18 * y).grad,
        "focal, gamma = 2": lambda z, y=y: mean(focal(z, y, 2.0)).grad,
    }
    thetas = {name: fit(x, gradient, 2, 200, 0.1) for name, gradient in kinds.items()}
    thetas["weights, undone"] = thetas["weights 19 : 1"].copy()
    thetas["weights, undone"][-1, 1] -= np.log(19)  # the bias of class 1
    for name, theta in thetas.items():
        found.setdefault(name, []).append(judge(theta, x, y, *test))
found = {name: np.array(f) for name, f in found.items()}

# %% name="imbalance-table" tags=["nbval-ignore-output"]
def spread(values):
    return [f"{m:.2f} ± {e:.2f}" for m, e in zip(values.mean(0), values.std(0), strict=True)]

headers = ["loss", "balanced accuracy at 1/2", "at the best threshold", "test cross-entropy"]
rows = [[name, *spread(f)] for name, f in found.items()]
Table(headers, rows, "± is the standard deviation over seeds.")

# %% name="imbalance-verdict"
half, moved, _ = np.median(list(found.values()), axis=1).T
assert half[1] > 0.65 and max(half[[0, 2, 3]]) < 0.6 and np.ptp(moved) < 0.03
plain, weighted, focused, undone = (f[:, 2] for f in found.values())
assert (plain < np.minimum(weighted, focused)).all() and abs(undone - plain).max() < 0.02
print(f"medians, at 1/2: weights {half[1]:.2f}, the others at most {max(half[[0, 2, 3]]):.2f}")
print(f"at the best threshold: {moved.min():.2f} to {moved.max():.2f}")

# %% [markdown] name="how-much-smoothing"
# **Weights move the threshold (line 4), and so can you,** after training, for free, and keep the probabilities. Cross-entropy hardly finds the rare class at $\frac12$, but it is the $\frac12$ that is wrong. Focal loss moves no threshold, and pulls the probabilities towards $\frac12$ (line 5). It was made for detectors with very many easy negatives; here, without $\alpha$, it gains nothing. Line 4 speaks of the best prediction, and this linear model with its 2000 examples comes near it. One that cannot, or that saw a handful of rare examples, may end elsewhere, undone or not: compare on validation data.
#
# ### How much smoothing?
#
# Ten digits, 400 pictures, linear softmax, 150 steps of Adam at two learning rates: the faster one ends surer. Eight random splits, all trained at once:

# %% name="smoothing"
amounts, rates, splits = (0.0, 0.01, 0.1), (0.02, 0.2), [data.digits(seed + i) for i in range(8)]
x, x_test = (np.stack([np.c_[v, np.ones(len(v))] for v in vs]) for vs in (
    [d.x[:400] for d in splits], [d.x_test for d in splits]))
labels = np.stack([d.y[:400] for d in splits])
labels_test = np.stack([d.y_test for d in splits])
runs = {}
for lr, amount in product(rates, amounts):
    target = smooth_labels(labels, 10, amount)
    z = x_test @ fit(x, lambda z, t=target: soft_cross_entropy(z, t).grad / 400, 10, 150, lr)
    p = np.exp(z - z.max(-1, keepdims=True))
    nats, right = cross_entropy(z, labels_test).value, z.argmax(-1) == labels_test
    runs[lr, amount] = np.stack([v.mean(-1) for v in (nats, right, p.max(-1) / p.sum(-1))], -1)
better = {(lr, a): (r[:, 0] < runs[lr, 0.0][:, 0]).sum() for (lr, a), r in runs.items()}

# %% name="smoothing-table" tags=["nbval-ignore-output"]
rows = [[f"{lr:g}", f"{a:g}", *spread(r), f"{better[lr, a]} of 8"] for (lr, a), r in runs.items()]
measures = ["test cross-entropy", "right", "mean probability of its answer"]
Table(["learning rate", "smoothing", *measures, "splits where it beats 0"], rows)

# %% name="smoothing-verdict"
slow, fast = rates
assert better[slow, 0.1] < 3 and min(better[fast, 0.1], better[slow, 0.01], better[fast, 0.01]) > 5
assert all((runs[lr, 0.1][:, 2] < runs[lr, 0.1][:, 1]).all() for lr in rates)  # modest
assert (runs[fast, 0.0][:, 2] > runs[slow, 0.0][:, 2]).all()  # the faster is surer
print("surer than right by, without smoothing and with 0.1:")
for lr in rates:
    gaps = (np.median(runs[lr, a][:, 2] - runs[lr, a][:, 1]) for a in (0, 0.1))
    print(f"  rate {lr}:", *(f"{g:.2f}" for g in gaps))

# %% [markdown] name="nothing-left-text"
# A little smoothing, 0.01, helped on most splits at both rates. The usual 0.1 ends at the same modest probabilities at both rates: worse than a model that is hardly too sure, better than one far too sure. The learning rate alone turned the verdict. Smoothing may also improve the scores themselves; the table does not separate the two. Choose the amount on validation data.
#
# ### Nothing left

# %% name="nothing-left"
z = torch.randn(2, 3, generator=torch.Generator().manual_seed(seed)).requires_grad_()
k, mask = torch.zeros(2, dtype=torch.int64), torch.zeros(2)
each = F.cross_entropy(z, k, reduction="none")
losses = {
    "PyTorch, every label ignored": F.cross_entropy(z, k - 100),  # ignore_index is -100
    "PyTorch, every label of weight 0": F.cross_entropy(z, k, weight=torch.tensor([0.0, 1, 1])),
    "by hand, every token masked": (each * mask).sum() / mask.sum(),
    "by hand, 0/1 mask, divided by at least 1": (each * mask).sum() / mask.sum().clamp(min=1),
}
grads = {name: torch.autograd.grad(loss, z, retain_graph=True)[0] for name, loss in losses.items()}
losses["ours"], grads["ours"] = weighted_mean(cross_entropy(z.detach(), k), mask)
assert [bool(g.isnan().any()) for g in grads.values()] == [False, True, True, False, False]
rows = [[name, losses[name].item(), grads[name].abs().max().item()] for name in losses]
Table(["", "loss", "largest gradient"], rows)

# %% [markdown] name="the-weight-you-asked-for"
# In fine-tuning a language model this is a batch of prompts with no answer to learn. With `ignore_index` only the *loss* is NaN, which spoils the logged mean and any rule that reads it. With a class weight of 0, or a mask divided by its own sum, the *gradient* is NaN, and one step ruins every parameter.
#
# ## Exercises
#
# ### 1. The weight you asked for (6 minutes, medium)
# A batch of `B` values comes in micro-batches; `values` and `weights` are those of one. Over the whole *data set* the mean weight is `mean_weight`. Return what this micro-batch adds to the loss, so that the sum over the batch is, on average over batches, the weighted mean over the data set.

# %% name="exercise-share"
def micro_batch_share(values, weights, B, mean_weight):
    ### BEGIN SOLUTION
    return np.sum(weights * values) / (B * mean_weight)
    ### END SOLUTION

# %% name="check-share"
check("micro_batch_share")

# %% [markdown] name="a-target-with-doubt"
# <details><summary>Hint 1</summary>The divisor must be the same for every micro-batch. What is the sum of the weights of B examples, on average?</details>
#
# ### 2. A target with doubt (5 minutes, easy)
# Annotators disagree: `votes[n, i]` of them said class `i` for example `n`. Return the soft targets, smoothed by one more vote *spread evenly over all classes*.

# %% name="exercise-votes"
def from_votes(votes):
    ### BEGIN SOLUTION
    smoothed = votes + 1 / votes.shape[1]
    return smoothed / smoothed.sum(1, keepdims=True)
    ### END SOLUTION

# %% name="check-votes"
check("from_votes")

# %% [markdown] name="undo-the-weights"
# <details><summary>Hint 1</summary>How many votes does each row have in the end? Rows may differ.</details>
#
# ### 3. Undo the weights (6 minutes, medium)
# A two-class model was trained with the weight `w` on class 1. `p` is an array of its probabilities of class 1, all between 0 and 1. Return those that it would give without the weight (line 4; assume that the model can).

# %% name="exercise-undo"
def unweighted(p, w):
    ### BEGIN SOLUTION
    return p / (p + w * (1 - p))
    ### END SOLUTION

# %% name="check-undo"
check("unweighted")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>By what were the odds p / (1 - p) multiplied?</details>
# <details><summary>Hint 2</summary>From odds o back to a probability: o / (1 + o).</details>
#
# ## Takeaways
#
# - Weights, masks and ignored tokens are one weighted mean; say by what it divides. Divided by its own weights, a batch of one undoes any weight above 0.
# - Smoothing makes logits finite; whether its probabilities are better turned on the amount and the learning rate here. A class weight moves the threshold, focal loss without $\alpha$ does not (both if the model can), and it gained nothing on the imbalanced linear model here.
# - Where you need probabilities, do not weigh classes: move the threshold. A weight already in the model can be undone (exercise 3) as far as line 4 holds. Focal loss spoiled well-fitted probabilities; in deep networks that are too sure it can help (Mukhoti et al. 2020, *Calibrating deep neural networks using focal loss*).
