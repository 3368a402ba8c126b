# ---
# jupyter:
#   lesson:
#     title: "Margins: hinge, ranking, triplet, cosine"
#     minutes: 40
#     settles: []
# ---

# %% [markdown]
# # Margins: hinge, ranking, triplet, cosine
#
# **Goal.** Read every margin loss as the same sentence, "lead by this much, then rest", and know what the resting costs. **40 minutes:** reading 20, exercises 20.
#
# **The question.** We train a classifier, throw away 8 of 10 training examples, and train again. Is it possible that nothing changes, and for which loss?

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
from lessons_lib.losses import binary_cross_entropy, cosine_embedding, hinge, margin_ranking, soft_margin, triplet
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)

# %% [markdown]
# ## The formula
#
# The source document has no margin losses; every PyTorch user meets them. Call by how much an example is right its **lead** $l$. Three losses differ only in what leads:
#
# $$\ell = \max(0,\ m - l), \qquad l = \begin{cases} y\, s & \text{hinge: a score on its side of 0}\\ y\, (a - b) & \text{margin ranking: one score above another}\\ d(x, n) - d(x, p) & \text{triplet: nearer to its like}\end{cases}$$
#
# Two relatives: the **soft margin** $\log(1 + e^{-l})$ with $l = y\, s$ rounds the corner off; the **cosine embedding** loss is $1 - c$ for a similar pair and $\max(0, c - m)$ for a dissimilar one, $c$ the cosine of their angle.
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $s$; $a, b$ | `score`; `first`, `second` | $(N,)$ | scores, any real numbers |
# | $y$ | `labels` | $(N,)$ | $+1$ or $-1$ |
# | $x, p, n$ | `anchor`, `positive`, `negative` | $(N, D)$ | a vector, one of its class, one of another |
# | $d$ | | | Euclidean distance |
# | $m$ | `margin` | a number $\ge 0$ | the lead that is enough |
#
# ## Derivation
#
# 1. By the lead, the slope is $-1$ below the margin and **0 above: an example that leads enough is silent.**
# 2. Minimise $\frac1N \sum_n \ell(y_n\, w \cdot x_n) + \frac\lambda2 \lVert w \rVert^2$ for the hinge. Where the gradient is 0, $w = \frac{1}{\lambda N} \sum y_n x_n$ over the examples that do not lead enough (those exactly at the margin may count in part). The others do not occur in it: remove them, and $w$ is still a minimum. The objective is convex, so it is *the* minimum.
# 3. Multiply $w$ and $m$ by $k$: the loss is multiplied by $k$, the decisions are the same. Without the penalty $\lambda$ a larger margin is only a larger unit.
# 4. The soft margin is binary cross-entropy with other names: $\log(1 + e^{-s})$ for $y = 1$. Its slope is never 0: **everyone keeps talking.**
# 5. Send every input to one point: all distances are 0, no lead, and **the triplet loss is exactly $m$,** whatever the data are. In the gradient by $x$ the pulls towards $p$ and away from $n$ cancel.
# 6. The cosine does not depend on the length of $a$, so its gradient by $a$ is orthogonal to $a$; a step $a - \eta g$ has the squared length $\lVert a \rVert^2 + \eta^2 \lVert g \rVert^2$. **Gradient descent can only lengthen the vectors.** The gradient is proportional to $1 / \lVert a \rVert$: for a vector $k$ times as long, a step turns it by an angle $k^2$ times smaller.

# %% name="derivation"
s = sp.Symbol("s", real=True)
assert sp.simplify(sp.log(1 + sp.exp(-s)) + sp.log(1 / (1 + sp.exp(-s)))) == 0  # line 4
scores, y = np.array([-2.0, 0.5, 0.99, 1.01, 30.0]), np.ones(5, dtype=int)
assert hinge(scores, y).grad.tolist() == [-1, -1, -1, 0, 0]  # line 1
assert np.allclose(hinge(3 * scores, y, margin=3.0).value, 3 * hinge(scores, y).value)  # line 3
assert np.allclose(soft_margin(scores, y).value, binary_cross_entropy(scores, y * 1.0).value)  # line 4
assert (soft_margin(scores, y).grad < 0).all()
point = np.ones((1, 4))
collapsed = triplet(point, point, point, margin=0.2)
assert np.isclose(collapsed.value, 0.2) and np.allclose(collapsed.grad.anchor, 0)  # line 5
rng = np.random.default_rng(seed)
a, b = rng.normal(size=(2, 100, 4))
g = cosine_embedding(a, b, np.ones(100, dtype=int)).grad.first
assert np.allclose((g * a).sum(1), 0) and (np.linalg.norm(a - 0.5 * g, axis=1) > np.linalg.norm(a, axis=1)).all()  # line 6
longer = cosine_embedding(3 * a, b, np.ones(100, dtype=int)).grad.first
assert np.allclose(longer, g / 3)  # line 6: a third of the gradient on three times the length is a ninth of the angle (its tangent)
print("lines 1 and 3 to 6 hold; line 2 is the picture")

# %% [markdown]
# ## Code

# %% name="source"
show(hinge, margin_ranking, soft_margin)

# %% [markdown]
# At the kink, where the lead is exactly $m$, we take the slope 0; PyTorch's releases differ there (see the parity page of the course). `positive_part` is $\max(x, 0)$ with its slope.
#
# ## Parity with PyTorch
#
# Against `F.margin_ranking_loss` and `F.triplet_margin_loss`. `F.cosine_embedding_loss`, `F.soft_margin_loss` and the losses for many labels are on the parity page.

# %% tags=["nbval-ignore-output"] name="parity-ranking"
parity.table("margin_ranking", setting.device)

# %% tags=["nbval-ignore-output"] name="parity-triplet"
parity.table("triplet", setting.device)

# %% [markdown]
# ## Picture
#
# The tumours of lesson 1, a linear score, $\lambda = 0.01$. Train on all; sort the training examples by lead; remove those with the largest leads; train again, every step as before: (1) score, (2) loss, (3) gradient, (4) update. (The removed count as silent: the sum is still divided by the old $N$.) How far is the new $w$ from the old one?

# %% name="train"
def train(loss, x, y, n, steps=2000, penalty=0.01):
    w, average = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for t in range(1, steps + 1):
        g = x.T @ loss(x @ w, y).grad / n + penalty * w
        w = w - g / (penalty * (t + 100))  # a falling rate, because the hinge has a corner
        average += w * (t > steps // 2)
    return average / (steps // 2)

removed, change = [0.5, 0.7, 0.8, 0.85, 0.9], {"hinge": [], "soft margin": []}
for s in setting.seeds:
    d = data.breast_cancer(s)
    x, y = np.c_[d.x, np.ones(len(d.x))], 2 * d.y - 1
    for name, loss in {"hinge": hinge, "soft margin": soft_margin}.items():
        w = train(loss, x, y, len(y))
        order = np.argsort(y * (x @ w))
        kept = [order[: round((1 - share) * len(y))] for share in removed]
        again = [train(loss, x[k], y[k], len(y)) for k in kept]
        change[name].append([np.linalg.norm(v - w) / np.linalg.norm(w) for v in again])

# %% name="picture"
plots.lines(
    removed, {name: tuple(np.quantile(c, [0, 0.5, 1], axis=0)) for name, c in change.items()},
    "share of the training examples removed", "change of w, relative",
    "Relative change of w against the share removed. Hinge: flat at nearly 0 up to 85 per cent. Soft margin: rises from the "
    "start, to more than a third at 85 per cent.",
    title="Who is missed? (band: all seeds)",
)

# %% name="picture-verdict"
hinges, softs = (np.array(c) for c in change.values())
assert (hinges[:, removed.index(0.8)] < 0.05).all() and (softs[:, removed.index(0.8)] > 0.15).all()
print("8 of 10 examples removed: hinge moves by less than 5 per cent, soft margin by more than 15, every seed")

# %% [markdown]
# Line 2 at work: the hinge's solution rests on a few *support vectors*, and the rest may go (what remains of the change is the optimizer's). The soft margin hears everyone.
#
# 8 of 10 is the answer for $\lambda = 0.01$. A stronger penalty makes $w$ shorter, so that fewer examples reach the margin:

# %% name="penalties" tags=["nbval-ignore-output"]
models = {}
for s in setting.seeds:
    d = data.breast_cancer(s)
    x = np.c_[d.x, np.ones(len(d.x))]
    for penalty in (0.01, 0.1, 1.0):
        for loss in (hinge, soft_margin):
            models[loss, penalty, s] = train(loss, x, 2 * d.y - 1, len(x), penalty=penalty)

def silent(penalty, s):  # the share whose lead is enough (by 0.1, as w is not exact), and the change of w without them
    d = data.breast_cancer(s)
    x, y, w = np.c_[d.x, np.ones(len(d.x))], 2 * d.y - 1, models[hinge, penalty, s]
    k = y * (x @ w) <= 1.1
    return 1 - k.mean(), np.linalg.norm(train(hinge, x[k], y[k], len(y), penalty=penalty) - w) / np.linalg.norm(w)

rests = {penalty: np.array([silent(penalty, s) for s in setting.seeds]).T for penalty in (0.01, 0.1, 1.0)}
rows = [[f"{p:g}", f"{share.mean():.2f} ± {share.std():.2f}", f"{moved.max():.3f}"] for p, (share, moved) in rests.items()]
Table(["penalty", "silent share, hinge", "largest change of w without the silent"], rows)

# %% name="penalties-verdict"
assert all((moved < 0.1).all() for _, moved in rests.values())
assert (rests[0.01][0] > 0.8).all() and (rests[1.0][0] < 0.7).all()
print("the silent may go at every penalty, but at 1.0 they are fewer than 7 of 10")

# %% [markdown]
# ## What breaks
#
# ### A score is not a probability
#
# Take $\sigma(s)$ of both models for a probability, and measure it by the cross-entropy on test data; and once more for $\sigma(k s)$ with the best $k$ for each model, chosen on the test data themselves, in favour of both:

# %% name="probability" tags=["nbval-ignore-output"]
def nats(loss, penalty, s):
    d = data.breast_cancer(s)
    score = np.c_[d.x_test, np.ones(len(d.x_test))] @ models[loss, penalty, s]
    each = [mean(binary_cross_entropy(k * score, d.y_test * 1.0)).value for k in (1.0, *np.logspace(-1.5, 1.5, 121))]
    return each[0], min(each)

measured = {key: np.array([nats(*key, s) for s in setting.seeds]).T for key in dict.fromkeys(key[:2] for key in models)}
rows = [
    [f"{p:g}", *(f"{measured[loss, p][i].mean():.3f}" for i in (0, 1) for loss in (hinge, soft_margin))]
    for p in (0.01, 0.1, 1.0)
]
Table(["penalty", "hinge", "soft margin", "hinge, best k", "soft margin, best k"], rows)

# %% name="probability-verdict"
plain, scaled = (np.median(measured[hinge, 0.01][i] / measured[soft_margin, 0.01][i]) for i in (0, 1))
assert plain > 1.1 and scaled < plain
gain = np.median(measured[soft_margin, 1.0][0] / measured[soft_margin, 1.0][1])
assert gain > 1.3
print(f"penalty 0.01: the hinge's sigmoid costs over 1.1 times the soft margin's, with the best k less: {scaled < plain}")

# %% [markdown]
# The hinge's scores are in units of its margin (line 3), and nothing makes that unit the one of $\sigma$. With a scale fitted to data, most of the difference is gone: **the scores were not worse, their unit was.** The soft margin needs a scale too
# when the penalty is strong, because the penalty shortens $w$. Before you read a score as a probability, fit $k$ on data that were not trained on.
#
# ### The default margin of 0
#
# PyTorch's `margin_ranking_loss` has `margin=0.0`. A model that gives everything the same score:

# %% name="margin-zero"
same, labels = torch.zeros(5, requires_grad=True), torch.tensor([1, -1, 1, 1, -1])
for margin in (0.0, 1.0):
    loss = F.margin_ranking_loss(same, torch.zeros(5), labels, margin=margin)
    ours = mean(margin_ranking(torch.zeros(5), torch.zeros(5), labels, margin)).value
    print(f"margin {margin:g}: PyTorch {loss.item():g}, ours {ours.item():g}")

# %% [markdown]
# A loss of 0, "perfect", for a model that ranks nothing. Give a margin.
#
# ### Reading a triplet loss
#
# Digits, a linear map from 64 pixels to 8 numbers, $m = 0.5$. Triplets are drawn at random, or the *hardest* of a batch: for each anchor the farthest of its class and the nearest of another. And once more the hardest, with *shuffled labels*, where there is nothing to learn:

# %% name="triplets"
def pick(distance, same, hard, draw):
    if hard:
        return torch.where(same, distance, -1.0).argmax(1), torch.where(same, torch.inf, distance).argmin(1)
    r = torch.rand(same.shape, generator=draw).to(same.device)
    others = same & ~torch.eye(len(same), dtype=torch.bool, device=same.device)
    return (r + 2 * others).argmax(1), (r + 2 * ~same).argmax(1)

def embed(s, hard, shuffled=False, steps=400, lr=0.1, margin=0.5):
    d, draw = data.digits(s), torch.Generator().manual_seed(s)
    x, x_test = (torch.tensor(v, dtype=torch.float32, device=setting.device) for v in (d.x, d.x_test))
    y = torch.tensor(np.random.default_rng(s).permutation(d.y) if shuffled else d.y, device=setting.device)
    w, last, active = torch.randn(64, 8, generator=draw).to(setting.device) / 8, [], []
    for _ in range(steps):
        i = torch.randint(len(y), (64,), generator=draw).to(setting.device)
        e, same = x[i] @ w, y[i][:, None] == y[i]
        p, n = pick(torch.cdist(e, e), same, hard, draw)
        loss = triplet(e, e[p], e[n], margin=margin)
        by_e = loss.grad.anchor.index_add(0, p, loss.grad.positive).index_add(0, n, loss.grad.negative)
        w = w - lr * x[i].T @ by_e / 64
        last.append(loss.value.mean().item())
        active.append((loss.value > 0).float().mean().item())
    nearest = y[torch.cdist(x_test @ w, x @ w).argmin(1)]
    right = (nearest == torch.tensor(d.y_test, device=y.device)).float().mean().item()
    return np.mean(last[-50:]), np.mean(active[-50:]), right

# %% name="triplets-table" tags=["nbval-ignore-output"]
kinds = {"random": (False, False), "hardest": (True, False), "hardest, labels shuffled": (True, True)}
found = {name: np.array([embed(s, *how) for s in setting.seeds]) for name, how in kinds.items()}
rows = [[n, *(f"{m:.2f} ± {e:.2f}" for m, e in zip(f.mean(0), f.std(0), strict=True))] for n, f in found.items()]
Table(["triplets", "loss at the end", "share not silent", "test digits whose nearest neighbour is right"], rows)

# %% name="triplets-verdict"
(easy, quiet, right), (hard, loud, right_too), (nothing, _, wrong) = (f.T for f in found.values())
assert (hard > 0.5).all() and (hard > 5 * easy).all()  # worse than a collapsed model
assert (quiet < 0.3).all() and min(right.min(), right_too.min()) > 0.9
assert np.median(wrong) < 0.3
for other in ({"lr": 0.01}, {"lr": 1.0}, {"steps": 1600}, {"margin": 0.1}, {"margin": 1.0}):
    end, _, good = embed(seed, True, **other)
    assert end > other.get("margin", 0.5) and good > 0.85
print("hardest triplets: the loss is above the margin, and over 9 of 10 neighbours are right, as with random ones;")
print("so too (85 of 100) at learning rates 0.01 and 1, with 4 times the steps, at margins 0.1 and 1")

# %% [markdown]
# A model that sends everything to one point would have the loss $m = 0.5$ (line 5). With the hardest triplets the loss ends *above* that, and yet the embedding is about as good as with random ones, where nearly all triplets have fallen silent. **A triplet loss says how hard its triplets are, not how good the model is.** Watch a metric: shuffled labels are told from real ones by the last column.
#
# ### Vectors that only grow
#
# Line 6, with PyTorch's loss and plain gradient descent: 50 pairs to be turned together. (The loss is a mean, so each pair gets a 50th of the learning rate.)

# %% name="lengths"
draw = torch.Generator().manual_seed(seed)
a, b = torch.randn(2, 50, 8, generator=draw)
for lr in (1.0, 10.0, 100.0):
    p, lengths = a.clone().requires_grad_(), [a.norm(dim=1).mean().item()]
    for _ in range(100):
        (g,) = torch.autograd.grad(F.cosine_embedding_loss(p, b, torch.ones(50)), p)
        p = (p - lr * g).detach().requires_grad_()
        lengths.append(p.detach().norm(dim=1).mean().item())
    assert min(np.diff(lengths)) > -1e-5
    print(f"lr = {lr:g}: mean length {lengths[0]:.2f} at first, {lengths[-1]:.2f} at the end")

# %% [markdown]
# By line 6 each step turns a vector less, the longer it has grown: a hidden decay of the learning rate, small at the first two rates, larger at the third. Where vectors are brought back to length 1 after each step, there is none.
#
# ## Exercises
#
# ### 1. A hinge for many classes (8 minutes, medium)
# The lead of the right class $k$ is $z_k$ less the largest *other* score. Return, for the scores `z` of one example, the hinge loss with margin 1 and its gradient by `z`, as a pair. (There are no ties in the check.)

# %% name="exercise-classes"
def classes_hinge(z, k):
    ### BEGIN SOLUTION
    others = np.where(np.arange(len(z)) == k, -np.inf, z)
    rival = np.argmax(others)
    value = max(0.0, 1 - z[k] + z[rival])
    grad = np.zeros(len(z))
    if value > 0:
        grad[rival], grad[k] = 1.0, -1.0
    return value, grad
    ### END SOLUTION

# %% name="check-classes"
check("classes_hinge")

# %% [markdown]
# <details><summary>Hint 1</summary>np.argmax must not find class k itself.</details>
# <details><summary>Hint 2</summary>How many of the scores occur in the value? The gradient has as many entries that are not 0, or none.</details>
#
# ### 2. What ranking losses are after (6 minutes, easy)
# The *AUC* is the share of all (positive, negative) pairs in which the positive example has the higher score; ties count half. Return it for two arrays of scores.

# %% name="exercise-auc"
def auc(positive, negative):
    ### BEGIN SOLUTION
    lead = positive[:, None] - negative[None, :]
    return np.mean((lead > 0) + (lead == 0) / 2)
    ### END SOLUTION

# %% name="check-auc"
check("auc")

# %% [markdown]
# <details><summary>Hint 1</summary>Every positive meets every negative: a table of differences.</details>
# <details><summary>Hint 2</summary>A model that gives everything one score has the AUC 1/2.</details>
#
# ### 3. Semi-hard negatives (6 minutes, medium)
# Between easy and hardest: given one anchor's `distance` to each example of a batch, whether each is of the `same` class, and the distance `d_p` to its positive, return the index of the *nearest* example of another class that is *farther* than the positive. If there is none, the farthest of another class.

# %% name="exercise-semi"
def semi_hard(distance, same, d_p):
    ### BEGIN SOLUTION
    other = np.flatnonzero(~same)
    beyond = other[distance[other] > d_p]
    return beyond[np.argmin(distance[beyond])] if len(beyond) else other[np.argmax(distance[other])]
    ### END SOLUTION

# %% name="check-semi"
check("semi_hard")

# %% [markdown]
# <details><summary>Hint 1</summary>First the indices of the other classes, then those of them that are far enough.</details>
# <details><summary>Hint 2</summary>np.argmin of a part of an array is a place in the part: look its index up.</details>
#
# [All solutions of this lesson](../../solutions/03_algorithms/08_margins.ipynb)
#
# ## Takeaways
#
# - A margin loss falls silent where the lead is enough: its solution rests on a few examples, and the others may go.
# - Its value is in units of the margin, and depends on how hard the pairs are: the triplet loss of a useless model is exactly $m$, that of a good one may be higher. Give a margin, and watch a metric.
# - A score is not a probability before its unit is fitted. Where you need probabilities from the start, take the soft margin, which is binary cross-entropy, with a small penalty.
