# ---
# jupyter:
#   lesson:
#     title: "Margins: hinge, ranking, triplet, cosine"
#     question: "Throw away 8 of 10 training examples: is it possible that nothing changes?"
#     minutes: 45
#     needs: [01_binary_cross_entropy]
#     settles: []
#     studies: [losses.hinge, losses.margin_ranking, losses.soft_margin, losses.triplet, losses.cosine_embedding]
# ---

# %% [markdown] name="goal"
# # Margins: hinge, ranking, triplet, cosine
#
# **Goal.** Read hinge, ranking and triplet loss as one sentence, "lead by this much, then rest", and know what the resting costs.
#
# **The question.** We train a classifier, throw away the 8 of 10 training examples that it finds easiest, and train again. Is it possible that nothing changes, and for which loss?

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
from lessons_lib.losses import (
    binary_cross_entropy,
    cosine_embedding,
    hinge,
    margin_ranking,
    soft_margin,
    triplet,
)
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/08_margins")

# %% [markdown] name="formula"
# ## The formula
#
# The source document has no margin losses; every PyTorch user meets them. Call by how much an example is right its **lead** $l$. Three losses differ only in what leads:
#
# $$\ell = \max(0,\ m - l), \qquad l = \begin{cases} y\, s & \text{hinge: a score on its side of 0}\\ y\, (a - b) & \text{margin ranking: one score above another}\\ d(x, n) - d(x, p) & \text{triplet: nearer to its like}\end{cases}$$
#
# Two relatives: the **soft margin** $\log(1 + e^{-l})$ with $l = y\, s$ rounds the corner off; the **cosine embedding** loss is $1 - c$ for a similar pair and $\max(0, c - m)$ for a dissimilar one, $c$ the cosine of the angle between $x$ and $p$, or $x$ and $n$. The hinge became known through Cortes and Vapnik (1995, *Support-vector networks*), its use on pairs of scores from Herbrich, Graepel and Obermayer (2000, *Large margin rank boundaries for ordinal regression*), the triplet loss in this form, there with squared distances, from Schroff, Kalenichenko and Philbin (2015, *FaceNet*).
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $s$; $a, b$ | `score`; `first`, `second` | $(N,)$ | scores, any real numbers |
# | $y$ | `labels` | $(N,)$ | $+1$ or $-1$ |
# | $x, p, n$ | `anchor`, `positive`, `negative` | $(N, D)$ | a vector, one of its class, one of another |
# | $d$ | | | Euclidean distance |
# | $m$ | `margin` | a number $\ge 0$; for the cosine from $-1$ to 1 | the lead that is enough; for the cosine, the largest $c$ that is free |
#
# ## Derivation
#
# 1. By the lead, the slope is $-1$ below the margin and **0 above: an example that leads enough is silent.**
# 2. Minimise $\frac1N \sum_n \ell(y_n\, w \cdot x_n) + \frac\lambda2 \lVert w \rVert^2$ for the hinge. Where the gradient is 0, $w = \frac{1}{\lambda N} \sum y_n x_n$ over the examples that do not lead enough (those exactly at the margin may count in part). The others do not occur in it: remove them, *keep dividing by the old $N$*, and $w$ is still a minimum. With the penalty the objective is strictly convex, so it is *the* minimum.
# 3. Multiply $w$ and $m$ by $k$: the loss is multiplied by $k$, the decisions are the same. Without the penalty $\lambda$ a larger margin is only a larger unit.
# 4. The soft margin is binary cross-entropy with other names: $\log(1 + e^{-s})$ for $y = 1$. Its slope is never 0: **everyone keeps talking.** For a group with one score and the share $q$ of $y = 1$, its best score is $\log \frac{q}{1 - q}$, from which $\sigma$ makes $q$ again; the hinge's is 1 for *every* $q$ between $\frac12$ and 1.
# 5. Send every input to one point: all distances are 0, no lead, and **the triplet loss is exactly $m$,** whatever the data are.
# 6. The cosine does not depend on the length of $x$, so its gradient by $x$ is orthogonal to $x$; by Pythagoras a step $x - \eta g$ has the squared length $\lVert x \rVert^2 + \eta^2 \lVert g \rVert^2$. **Gradient descent can only lengthen the vectors.** The gradient is proportional to $1 / \lVert x \rVert$: for a vector $k$ times as long, the step is $k$ times shorter, and turns it by an angle (its tangent) $k^2$ times smaller.

# %% name="derivation"
scores, y = np.array([-2.0, 0.5, 0.99, 1.01, 30.0]), np.ones(5, dtype=int)
assert hinge(scores, y).grad.tolist() == [-1, -1, -1, 0, 0]  # line 1
assert np.allclose(hinge(3 * scores, y, margin=3.0).value, 3 * hinge(scores, y).value)  # line 3
pairs, steps = margin_ranking(scores, 0 * scores, y, margin=1.0), hinge(scores, y).grad
assert np.allclose(pairs.value, hinge(scores, y).value)
assert np.allclose(pairs.grad, [steps, -steps])  # by the first score, by the second
for sign in (y, -y):  # line 4
    ours, other = soft_margin(scores, sign), binary_cross_entropy(scores, (sign + 1) / 2)
    assert np.allclose(ours.value, np.log(1 + np.exp(-sign * scores)))
    assert np.allclose([ours.value, ours.grad], [other.value, other.grad])
s, q = sp.Symbol("s", real=True), sp.Symbol("q", positive=True)
group = q * sp.log(1 + sp.exp(-s)) + (1 - q) * sp.log(1 + sp.exp(s))
assert sp.simplify(sp.diff(group, s).subs(s, sp.log(q / (1 - q)))) == 0
grid, up = np.arange(-300, 301) / 100, np.ones(601, dtype=int)
for share in (0.6, 0.9):
    cost = share * hinge(grid, up).value + (1 - share) * hinge(grid, -up).value
    assert grid[cost.argmin()] == 1
point = np.ones((1, 4))
assert np.isclose(triplet(point, point, point, margin=0.2).value, 0.2)  # line 5

# %% name="derivation-cosine"
x, p = np.random.default_rng(seed).normal(size=(2, 100, 4))
similar = np.ones(100, dtype=int)
c = (x * p).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(p, axis=1)
assert np.allclose(cosine_embedding(x, p, similar).value, 1 - c)
assert np.allclose(cosine_embedding(x, p, -similar, 0.2).value, np.maximum(0, c - 0.2))
g = cosine_embedding(x, p, similar).grad.first
assert np.allclose((g * x).sum(1), 0) and ((g * p).sum(1) < 0).all()  # line 6: -g turns x to p
assert np.allclose(cosine_embedding(3 * x, p, similar).grad.first, g / 3)

# %% [markdown] name="after-derivation-cosine"
# Line 2 is the picture's.
#
# ## Code

# %% name="source"
show(hinge, margin_ranking, soft_margin)

# %% [markdown] name="after-source"
# At the kink, where the lead is exactly $m$, we take the slope 0; PyTorch's releases differ there (`results/parity.md`, the course's parity page). `positive_part` is $\max(x, 0)$ with its slope. PyTorch has no `hinge` (`F.hinge_embedding_loss` is something else): call `F.margin_ranking_loss(score, zeros, labels, margin=1.0)`.
#
# ## Parity with PyTorch
#
# Against `F.triplet_margin_loss`, which has the most options; the others are on the parity page. `p` is the norm that measures $d$, `eps` is added to the differences, and `swap` takes $d(p, n)$ for $d(x, n)$ where it is smaller.

# %% tags=["nbval-ignore-output", "fold"] name="parity-triplet"
# Against PyTorch
parity.table("triplet", setting.device)

# %% [markdown] name="picture-text"
# ## Picture
#
# The tumours of lesson 1, a linear score, $\lambda = 0.01$. Train on all; sort the training examples by lead; remove those with the largest leads; train again, every step as before: (1) score, (2) loss, (3) gradient, (4) update. How far is the new $w$ from the old one?

# %% name="train"
splits = [data.breast_cancer(s) for s in setting.seeds]
x = np.stack([np.c_[d.x, np.ones(len(d.x))] for d in splits])  # (S, N, D)
y = np.stack([2 * d.y - 1 for d in splits])
n = y.shape[1]

def train(loss, weight, penalty=0.01, steps=2000):  # weight (K, S, N): K models for each split
    labels = np.broadcast_to(y, weight.shape)
    w = average = np.zeros((*weight.shape[:2], x.shape[-1], 1))
    for t in range(1, steps + 1):
        slope = weight * loss((x @ w)[..., 0], labels).grad
        g = x.swapaxes(1, 2) @ slope[..., None] + penalty * w
        w = w - g / (penalty * (t + 100))  # at its corner the hinge makes w jump: smaller steps
        average = average + w * (t > steps // 2)  # and the mean of the second half calm it
    return average / (steps // 2)

# %% name="models"
def leads(w):
    return y * (x @ w)[..., 0]

def kept(w, share):  # who stays when those with the largest leads go
    return leads(w).argsort(1).argsort(1) < round((1 - share) * n)

def moved(loss, w, weights, penalty=0.01):  # (K, S)
    again = train(loss, np.stack(weights), penalty)
    return np.linalg.norm(again - w, axis=(2, 3)) / np.linalg.norm(w, axis=(1, 2))

penalties, losses = (0.01, 1.0), {"hinge": hinge, "soft margin": soft_margin}
removed, models, change, own_mean = [0.5, 0.7, 0.8, 0.85, 0.9], {}, {}, []
for name, loss in losses.items():
    both = train(loss, np.full((2, *y.shape), 1 / n), np.reshape(penalties, (2, 1, 1, 1)))
    models[loss] = dict(zip(penalties, both, strict=True))
    keep = [kept(both[0], share) for share in removed]
    fifth = keep[2] / keep[2].sum(1, keepdims=True)  # divided by its own number
    *change[name], own = moved(loss, both[0], [*(k / n for k in keep), fifth])
    own_mean.extend(own)
silent = {p: np.mean(leads(w) > 1.1, axis=1) for p, w in models[hinge].items()}  # w is not exact

# %% name="picture" tags=["fold"]
# The picture
plots.lines(
    removed, {name: tuple(np.quantile(c, [0, 0.5, 1], axis=1)) for name, c in change.items()},
    "share of the training examples removed", "change of w, relative",
    "Relative change of w against the share removed. Hinge: flat at nearly 0 up to 85 per cent. "
    "Soft margin: rises from the start, to about 0.4 at 85 per cent.",
    title="Who is missed? (band: all seeds)",
)

# %% name="picture-verdict" tags=["nbval-ignore-output"]
hinges, softs = (c[removed.index(0.8)] for c in change.values())
assert (hinges < 0.05).all() and (softs > 0.15).all() and min(own_mean) > 0.3
assert min(silent[0.01]) > 0.8 and max(silent[1.0]) < 0.7
(w,) = train(soft_margin, np.full((1, *y.shape), 1 / n), 0.001)  # a tenth of the penalty
(weaker,) = moved(soft_margin, w, [kept(w, 0.8) / n], 0.001)
assert (weaker < softs / 2).all()
rows = {"hinge": hinges, "soft margin": softs, "soft margin, penalty 0.001": weaker}
rows |= {"either, divided by the new N": own_mean}
rows |= {f"silent in the hinge, penalty {p:g}": share for p, share in silent.items()}
Table(["change of w with 8 of 10 removed; share silent", "lowest to highest seed"],
      [[name, f"{min(v):.2f} to {max(v):.2f}"] for name, v in rows.items()])

# %% [markdown] name="after-picture-verdict"
# Line 2 at work: the hinge's solution rests on a few *support vectors*, and the rest may go. (The small change that remains shrinks with more `steps`: try it. At 90 per cent some seeds lose support vectors too.) The soft margin hears everyone, but a lead $l$ only as loudly as $1 / (1 + e^l)$: a weaker penalty lengthens $w$, the leads of the easy grow, and they are missed less.
#
# **But keep the old $N$:** the mean over the kept fifth gives each of them five times the weight, as if $\lambda$ were a fifth. Under a stronger penalty, which shortens $w$, fewer examples reach the margin, and fewer may go. Which ones is known only after training.
#
# ## What breaks
#
# ### A score is not a probability
#
# Take $\sigma(s)$ of both models for a probability, and measure it by the cross-entropy (line 4: the soft margin) on test data; then $\sigma(k s)$ with each model's best $k$, chosen on the test data in favour of both:

# %% name="probability" tags=["nbval-ignore-output"]
def nats(w, d):
    score = np.c_[d.x_test, np.ones(len(d.x_test))] @ w[:, 0]
    scales = (1.0, *np.logspace(-1, 1.5, 51))
    each = [soft_margin(k * score, 2 * d.y_test - 1).value.mean() for k in scales]
    return each[0], min(each)

measured, rows = {}, []
for p in penalties:
    for loss in losses.values():
        measured[loss, p] = np.array([*map(nats, models[loss][p], splits)]).T
    columns = [measured[loss, p][i] for i in (0, 1) for loss in losses.values()]
    rows.append([f"{p:g}", *(f"{c.mean():.3f} ± {c.std():.3f}" for c in columns)])
heads = ["penalty", "hinge", "soft margin", "hinge, best k", "soft margin, best k"]
Table(heads, rows, "± is the standard deviation over seeds.")

# %% name="probability-verdict"
plain, scaled = np.median(measured[hinge, 0.01] / measured[soft_margin, 0.01], axis=1)
assert plain > 1.1 and scaled - 1 < (plain - 1) / 2
assert np.median(measured[soft_margin, 1.0][0] / measured[soft_margin, 1.0][1]) > 1.3
assert np.median(measured[hinge, 1.0][1] / measured[soft_margin, 1.0][1]) < 0.95

# %% [markdown] name="after-probability-verdict"
# The hinge's scores are in units of its margin (line 3), not of $\sigma$. At penalty 0.01 a fitted scale takes most of the difference away: **at this penalty the unit was the trouble, hardly the scores.** Under a strong one the soft margin needs a scale too, since a short $w$ means small scores, and **with its scale the hinge is the nearer of the two.** (Such a scale, with a shift, fitted on data kept back: Platt 1999, *Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods*.) Line 4's promise is kept where nothing pulls at the scores. There is one thing that no $k$ mends: where a flexible model gives each group its own score, 6 of 10 and 9 of 10 both get 1 from the hinge (line 4).
#
# ### Two traps in PyTorch
#
# Equal scores for all, under the default `margin=0.0` of `margin_ranking_loss`; and a lead of $-100$ for `soft_margin_loss`, which computes $e^{-l}$ as it stands, in float32:

# %% name="traps"
same, labels = torch.zeros(5), torch.tensor([1, -1, 1, 1, -1])
for margin in (0.0, 1.0):
    loss = F.margin_ranking_loss(same, same, labels, margin=margin)
    print(f"margin {margin:g}: loss {loss.item():g}")
far, one = torch.tensor(-100.0, requires_grad=True), torch.tensor(1)
loss, ours = F.soft_margin_loss(far, one), soft_margin(far.detach(), one)
(slope,) = torch.autograd.grad(loss, far)
print(f"lead -100: {loss.item():g}, slope {slope:g}; ours {ours.value:g}, slope {ours.grad:g}")

# %% [markdown] name="after-traps"
# A loss of 0, "perfect", for a model that ranks nothing: give a margin. And a NaN ends the training: take binary cross-entropy with logits, labels 0 and 1.
#
# ### Reading a triplet loss
#
# Digits, a linear map $w$ from 64 pixels to 8 numbers, $m = 0.5$. Triplets are drawn at random, or the *hardest* of a batch: for each anchor the farthest of its class and the nearest of another. Each model is measured on both, and by a metric: the share of test digits whose nearest training digit is of their class.

# %% name="triplets"
triplet_loss = bridge.as_autograd(triplet)

def batch_loss(w, x, y, hard, draw, margin=0.5):
    i = torch.randint(len(y), (64,), generator=draw).to(y.device)
    e, same = x[i] @ w, y[i][:, None] == y[i]
    distance = torch.cdist(e, e).detach()
    if not hard:  # the farthest and the nearest by chance; an example is at 0 from itself
        distance = ((1 - torch.eye(64)) * torch.rand(64, 64, generator=draw)).to(y.device)
    p = torch.where(same, distance, -1.0).argmax(1)
    n = torch.where(same, torch.inf, distance).argmin(1)
    return triplet_loss(e, e[p], e[n], margin).mean()

# %% name="embed"
def embed(s, hard=True, steps=200, lr=0.1, margin=0.5, scale=0.125):
    d, draw = data.digits(s), torch.Generator().manual_seed(s)
    x, y, x_test, y_test = (torch.tensor(v, device=setting.device) for v in d)
    x, x_test = x.float(), x_test.float()
    w = scale * torch.randn(64, 8, generator=draw).to(setting.device)
    for _ in range(steps):
        w.requires_grad_()
        (g,) = torch.autograd.grad(batch_loss(w, x, y, hard, draw, margin), w)
        w = (w - lr * g).detach()
    ten = [[batch_loss(w, x, y, h, draw, margin).item() for h in (0, 1)] for _ in range(10)]
    nearest = torch.cdist(x_test @ w, x @ w).argmin(1)
    return *np.mean(ten, axis=0), w.norm().item(), (y[nearest] == y_test).float().mean().item()

# %% name="triplets-table" tags=["nbval-ignore-output"]
kinds = {"all at one point": {"steps": 0, "scale": 0.0}, "untrained": {"steps": 0}}
kinds |= {"trained on random": {"hard": False}, "on hardest": {}, "on hardest, lr = 1": {"lr": 1.0}}
found, rows = {}, []
for name, how in kinds.items():
    found[name] = np.array([embed(s, **how) for s in setting.seeds]).T
    rows.append([name, *(f"{v.mean():.2f} ± {v.std():.2f}" for v in found[name])])
Table(["model", "loss on random", "loss on hardest", "length of w", "right neighbours"], rows)

# %% name="triplets-verdict"
point, untrained, *trained = found.values()
assert np.allclose(point[:2], 0.5, atol=1e-6) and (point[3] < 0.3).all()  # line 5
for easy, hard, _, right in trained:
    assert (hard > 2 * easy).all() and (hard > 0.5).all() and (right > 0.8).all()
assert (trained[2][1] > untrained[1]).all() and (untrained[3] < 0.85).all()

# %% [markdown] name="after-triplets-verdict"
# Along a trained model's row: two losses far apart. Down those on the hardest: the least belongs to the model that knows nothing, the greatest to one with over 8 of 10 right neighbours. Its $w$ is longer; multiply $w$ by $k$, and every distance changes, but no neighbour. **A triplet loss speaks of its triplets and its vectors' length before it speaks of the model.** Watch a metric.
#
# ### Vectors that only grow
#
# Line 6, with PyTorch's loss: 50 pairs to be turned together; steps are compared at equal angles of a pair.

# %% name="lengths"
start, p = torch.randn(2, 50, 8, generator=torch.Generator().manual_seed(seed))
for lr in (0.02, 0.2, 2.0):
    x, lengths = start.clone().requires_grad_(), [start.norm(dim=1)]
    for _ in range(100):
        loss = F.cosine_embedding_loss(x, p, torch.ones(50), reduction="sum")
        (g,) = torch.autograd.grad(loss, x)
        x = (x - lr * g).detach().requires_grad_()
        lengths.append(x.detach().norm(dim=1))
        assert (lengths[-1] > lengths[-2] - 1e-5).all()
    turn = (lengths[0] / lengths[-1]).square().mean()
    longer = (lengths[-1] / lengths[0]).mean()
    print(f"lr = {lr:g}: {longer:.2f} times as long, so that a step turns {turn:.2f} times as far")

# %% [markdown] name="after-lengths"
# A hidden decay of the learning rate, which the largest rate feels most. It needs vectors that are trained themselves, by plain gradient steps: weight decay would shorten them again.
#
# ## Exercises
#
# ### 1. A hinge for many classes (8 minutes, medium)
# The lead of the right class is its score less the largest *other* score. Return, for the scores `z` of one example and the index `label` of its class, the hinge loss with margin 1 and its gradient by `z`, as a pair. (No ties in the check. PyTorch's `multi_margin_loss` adds up *every* other class and divides by the number of classes.)

# %% name="exercise-classes"
def classes_hinge(z, label):
    ### BEGIN SOLUTION
    others = np.where(np.arange(len(z)) == label, -np.inf, z)
    rival = np.argmax(others)
    value = max(0.0, 1 - z[label] + z[rival])
    grad = np.zeros(len(z))
    if value > 0:
        grad[rival], grad[label] = 1.0, -1.0
    return value, grad
    ### END SOLUTION

# %% name="check-classes"
check("classes_hinge")

# %% [markdown] name="after-check-classes"
# <details><summary>Hint 1</summary>np.argmax must not find the right class itself.</details>
# <details><summary>Hint 2</summary>How many of the scores occur in the value? The gradient has as many entries that are not 0, or none.</details>
#
# ### 2. What ranking losses are after (5 minutes, easy)
# The *AUC* is the share of all (positive, negative) pairs in which the positive example has the higher score; ties count half. Return it for two arrays of scores.

# %% name="exercise-auc"
def auc(positive, negative):
    ### BEGIN SOLUTION
    lead = positive[:, None] - negative[None, :]
    return np.mean((lead > 0) + (lead == 0) / 2)
    ### END SOLUTION

# %% name="check-auc"
check("auc")

# %% [markdown] name="after-check-auc"
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

# %% [markdown] name="after-check-semi"
# <details><summary>Hint 1</summary>First the indices of the other classes, then those of them that are far enough.</details>
# <details><summary>Hint 2</summary>np.argmin of a part of an array is a place in the part: look its index up.</details>
#
# ## Takeaways
#
# - A hinge falls silent where the lead is enough: the silent examples may go, as long as the weight of the penalty stays. Under the weak penalty more were silent than under the strong one.
# - A margin loss is in units of its scores or distances, and depends on how hard the pairs are: with all at one point the triplet loss is exactly $m$, that of a good model may be higher. Give a margin, and watch a metric.
# - Neither loss gives probabilities under a penalty that shrinks the scores: fit a scale on data that were not trained on. Without one the soft margin, which is binary cross-entropy, was nearer at the weak penalty; with one the hinge was nearer at the strong. Do not take a hinge where groups that share a score must keep their odds.
