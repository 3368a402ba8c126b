# ---
# jupyter:
#   lesson:
#     title: "Soft targets, class weights, ignored tokens, focal loss"
#     minutes: 40
#     settles: [G9]
# ---

# %% [markdown]
# # Soft targets, class weights, ignored tokens, focal loss
#
# **Goal.** Four knobs on cross-entropy: know what each turns, and by what each mean is divided. **40 minutes:** reading 20, exercises 20.
#
# **The question.** A rare class gets the weight 19. With batches of one example the training is *exactly* the same as with the weight 1. Why?

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
from lessons_lib.core import mean, weighted_mean
from lessons_lib.losses import cross_entropy, focal, smooth_labels, soft_cross_entropy
from lessons_lib.optim import Adam
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)

# %% [markdown]
# ## The formula
#
# With $p = \operatorname{softmax}(z)$ and the class $k$ of an example, cross-entropy is $-\log p_k$ (lesson 2). G9, in our list of what the source document lacks, holds two changes:
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
# | $\varepsilon$ | `smoothing` | in $[0, 1]$ | what is taken from the label and spread over all classes |
# | $\gamma$; $\alpha$ | `gamma`; `alpha` | a number $\ge 0$; $(C,)$ | how fast the sure fall silent; weights |
# | $w$ | `w` | $(N,)$ | weights $\ge 0$ |
#
# ## Derivation
#
# 1. Cross-entropy with a soft target has the gradient $p - y'$: it is 0 at $p = y'$. With smoothing the best logit of the right class leads the others by $\log \big( \frac{(1 - \varepsilon) C}{\varepsilon} + 1 \big)$, **a finite number**; with $\varepsilon = 0$ no lead is enough.
# 2. By the logit $z_j$ the focal loss with $\alpha = 1$ has the gradient $(1 - p_k)^\gamma \big( 1 - \gamma \frac{p_k \log p_k}{1 - p_k} \big) \cdot (p_j - y_j)$: the direction of cross-entropy, times a factor that goes to 0 as $p_k \to 1$ and to 1 as $p_k \to 0$ (in between it is a little above 1: at most 1.22 for $\gamma = 2$).
# 3. In a weighted mean an example's share is $w_n / \sum_m w_m$. Alone in its batch, it is $w_n / w_n = 1$, **whatever its weight.** In PyTorch's `cross_entropy(weight=...)` too: its mean divides by the weights.
# 4. Let $t$ be the true probability of the rare class at some $x$, and $w$ its weight. The best prediction $q$ minimises $-w\,t \log q - (1 - t) \log(1 - q)$, so that $\frac{q}{1 - q} = w\,\frac{t}{1 - t}$: as if the rare class were $w$ times as frequent. The log-odds of every prediction rise by $\log w$ (if the model can): **a weight moves the threshold.**

# %% name="derivation"
C, eps = sp.symbols("C epsilon", positive=True)
lead = sp.log(((1 - eps) + eps / C) / (eps / C))
assert sp.simplify(sp.exp(lead) - ((1 - eps) * C / eps + 1)) == 0  # line 1
p, g = sp.symbols("p gamma", positive=True)
by_log_p = p * sp.diff(-((1 - p) ** g) * sp.log(p), p)  # d/d log p = p d/dp, and d log p / dz = y - p
assert sp.simplify(by_log_p + (1 - p) ** g * (1 - g * p * sp.log(p) / (1 - p))) == 0  # line 2
z, k = np.array([[1.0, -2.0, 0.5]]), np.array([1])
for w in (1.0, 19.0):
    assert np.allclose(weighted_mean(cross_entropy(z, k), np.array([w])).grad, cross_entropy(z, k).grad)  # line 3
q, t, w = sp.symbols("q t w", positive=True)  # t: the true probability of the rare class at some x
best = sp.solve(sp.diff(-w * t * sp.log(q) - (1 - t) * sp.log(1 - q), q), q)[0]
assert sp.simplify(best / (1 - best) - w * t / (1 - t)) == 0  # line 4
at = np.linspace(0.001, 0.999, 999)
assert round(((1 - at) ** 2 * (1 - 2 * at * np.log(at) / (1 - at))).max(), 2) == 1.22  # line 2, gamma = 2
print("lines 1 to 4 hold")

# %% [markdown]
# ## Code

# %% name="source"
show(focal, smooth_labels, weighted_mean)

# %% [markdown]
# `weighted_mean` is the source document's step "mean over the examples", said exactly (its divisor: E27, lesson 2). Class weights, padding and prompts that should not be learned are all a `w`. A weight of 0 removes an example even where its loss is `inf` or `NaN`; with nothing left, the value is 0.
#
# ## Parity with PyTorch
#
# `F.cross_entropy` with `weight`, `ignore_index`, `label_smoothing`, and `weight` with `label_smoothing` (then PyTorch weighs every term of the smoothed target, and divides by the weights of the labels alone). PyTorch has no focal loss (torchvision has `sigmoid_focal_loss`, for a single logit); the judge is its formula, differentiated by autograd. Its mean here divides by $N$, also with $\alpha$; Lin et al. (2017, arXiv 1708.02002) divide by the number of boxes that hold an object.

# %% tags=["nbval-ignore-output"] name="parity-cross-entropy"
parity.table("cross_entropy", setting.device)

# %% tags=["nbval-ignore-output"] name="parity-focal"
parity.table("focal", setting.device)

# %% [markdown]
# ## Picture
#
# What is left of the weight 19 in a batch of size $B$? One example in twenty is rare. Drawn 20 000 times: the mean share $w_n / \sum w$ of a rare example, over that of a common one.

# %% name="shares"
sizes = 2 ** np.arange(11)

def kept(B, s, w=19.0, rare=0.05):
    others = np.random.default_rng(s).binomial(B - 1, rare, 20_000)  # how many rare ones are beside it
    rest = others * w + (B - 1 - others)
    return np.mean(w / (w + rest)) / np.mean(1 / (1 + rest))

weights = np.array([[kept(B, s) for B in sizes] for s in setting.seeds])

# %% name="picture"
plots.lines(
    sizes, {"what a rare example counts": tuple(np.quantile(weights, [0, 0.5, 1], axis=0)), "what was asked for": 19.0 + 0 * sizes},
    "batch size (log)", "times a common example",
    "What a rare example counts, in units of a common one, against the batch size. It is 1 at batch size 1, below "
    "12 at 8, and near the wanted 19 at a thousand.",
    title="A class weight of 19, one batch at a time", log="x",
)

# %% name="picture-verdict"
at = dict(zip(sizes.tolist(), np.median(weights, 0), strict=True))
assert at[1] == 1 and at[8] < 12 and at[1024] > 18
print(f"batch of 1: counts {at[1]:.0f} times; of 8: less than 12; of 1024: more than 18")

# %% [markdown]
# Line 3: a weighted mean compares only within its batch. With small batches, or when a large batch is computed in parts whose gradients are added (*micro-batches*), divide by a constant instead: `reduction="none"`, times $w$, over $B$ times the mean weight of the data set (here $0.05 \cdot 19 + 0.95 = 1.9$). Then the weight is what you asked for, and the size of the loss stays what it was.
#
# ## What breaks
#
# ### "Focal loss handles imbalance"
#
# One example in twenty is positive; two classes that overlap in five numbers, three of which help. The same linear model with four losses, compared by *balanced accuracy* (the mean of the accuracy in each class) at the usual threshold $p = \frac12$, at the best threshold on the training data, and by the cross-entropy of its probabilities:

# %% name="imbalance"
def draw(s, n):
    rng = np.random.default_rng(s)
    y = (rng.random(n) < 0.05).astype(int)
    return np.c_[rng.normal(size=(n, 5)) + y[:, None] * [1, 0.7, 0.5, 0, 0], np.ones(n)], y

def fit(x, gradient, classes, steps=400):
    theta, rule = np.zeros((x.shape[1], classes)), Adam(0.05)
    state = rule.init(theta)
    for _ in range(steps):
        theta, state = rule.update(theta, x.T @ gradient(x @ theta), state)
    return theta

def balanced(score, y, threshold):
    return ((score[y == 1] > threshold).mean() + (score[y == 0] <= threshold).mean()) / 2

def judge(theta, x, y, x_test, y_test):
    train, test = (v @ (theta[:, 1] - theta[:, 0]) for v in (x, x_test))
    best = max(np.quantile(train, np.linspace(0.01, 0.99, 99)), key=lambda c: balanced(train, y, c))
    return balanced(test, y_test, 0.0), balanced(test, y_test, best), mean(cross_entropy(x_test @ theta, y_test)).value

# %% name="imbalance-runs"
found = {}
for s in setting.seeds:
    (x, y), test = draw(s, 2000), draw(s + 1000, 20_000)
    kinds = {
        "cross-entropy": lambda z, y=y: mean(cross_entropy(z, y)).grad,
        "weights 19 : 1": lambda z, y=y: weighted_mean(cross_entropy(z, y), 1.0 + 18 * y).grad,
        "focal, gamma = 2": lambda z, y=y: mean(focal(z, y, 2.0)).grad,
        "focal, gamma = 5": lambda z, y=y: mean(focal(z, y, 5.0)).grad,
    }
    for name, gradient in kinds.items():
        found.setdefault(name, []).append(judge(fit(x, gradient, 2), x, y, *test))
found = {name: np.array(f) for name, f in found.items()}

# %% name="imbalance-table" tags=["nbval-ignore-output"]
rows = [[n, *(f"{m:.2f} ± {e:.2f}" for m, e in zip(f.mean(0), f.std(0), strict=True))] for n, f in found.items()]
Table(["loss", "balanced accuracy at 1/2", "at the best threshold", "cross-entropy on test data"], rows)

# %% name="imbalance-verdict"
half, moved, nats = (np.array([np.median(f[:, i]) for f in found.values()]) for i in range(3))
assert half[1] > 0.7 and max(half[[0, 2, 3]]) < 0.6 and np.ptp(moved) < 0.03
assert (found["cross-entropy"][:, 2] < min(f[:, 2].min() for n, f in found.items() if n != "cross-entropy")).all()
print("at 1/2 only the weights help; at the best threshold all four are equal within 0.03")
print("probabilities: plain cross-entropy is best, every seed")

# %% [markdown]
# **Weights move the threshold (line 4), and so can you,** after training, for free, and keep the probabilities. Focal loss does neither: it turns down the sure examples of *both* classes. It was made for detectors with very many easy negatives (Lin et al. 2017); here, with a linear model and no $\alpha$, it gains nothing. "Cross-entropy handles imbalance" is as wrong: at $\frac12$ it hardly finds the rare class.
#
# ### How much smoothing?
#
# Ten digits, linear softmax, 600 steps of Adam on all training data: long enough to be right, and sure, about every one of them.

# %% name="smoothing"
amounts, table = (0.0, 0.01, 0.1, 0.3, "focal"), {}
for s in setting.seeds:
    d = data.digits(s)
    x, x_test = (np.c_[v, np.ones(len(v))] for v in (d.x, d.x_test))
    for amount in amounts:
        if amount == "focal":
            z = x_test @ fit(x, lambda z, k=d.y: mean(focal(z, k, 2.0)).grad, 10, steps=600)
        else:
            target = smooth_labels(d.y, 10, amount, np.dtype(float))
            z = x_test @ fit(x, lambda z, t=target: mean(soft_cross_entropy(z, t)).grad, 10, steps=600)
        p = np.exp(z - z.max(1, keepdims=True))
        sure = (p.max(1) / p.sum(1)).mean()
        table.setdefault(amount, []).append([mean(cross_entropy(z, d.y_test)).value, (z.argmax(1) == d.y_test).mean(), sure])
table = {amount: np.array(t) for amount, t in table.items()}

# %% name="smoothing-table" tags=["nbval-ignore-output"]
rows = [["focal, gamma = 2" if a == "focal" else f"{a:g}", *(f"{m:.2f} ± {e:.2f}" for m, e in zip(t.mean(0), t.std(0), strict=True))] for a, t in table.items()]
for row, t in zip(rows, table.values(), strict=True):
    row.append(f"{(t[:, 0] < table[0.0][:, 0]).sum()} of {len(t)}")
Table(["smoothing", "cross-entropy on test data", "right", "mean probability of its answer", "seeds that beat 0"], rows)

# %% name="smoothing-verdict"
none, little, some, much, focused = table.values()
assert (none[:, 2] > none[:, 1]).all() and (some[:, 2] < some[:, 1]).all()
assert (much[:, 0] > none[:, 0]).all() and max(abs(np.median(t[:, 1] - none[:, 1])) for t in (little, some, much)) < 0.03
print("no smoothing: surer than right; 0.1: less sure than right; 0.3: worse probabilities than without; every seed")
assert np.median(focused[:, 2] - none[:, 2]) < 0
print("the share of right answers, in the median over seeds: within 0.03 of each other")

# %% [markdown]
# The model without smoothing is too sure, and smoothing makes it less so: no more than that. The usual $0.1$ makes it less sure than right, and whether an amount beats none depends on the split: the last column counts the seeds. (On 20 seeds, `profile = "full"`, fewer of them favour $0.1$ than among the first five.) Focal loss, last row, also makes it less sure. It repairs overconfidence, if there is some, by an amount that must be chosen on validation data. (Other cures: fewer steps, weight decay.)
#
# ### Nothing left

# %% name="nothing-left"
z, padding = torch.randn(2, 3, generator=torch.Generator().manual_seed(seed)), torch.tensor([-100, -100])
z.requires_grad_()
loss = F.cross_entropy(z, padding)
loss.backward()
print("PyTorch, every token ignored:", loss.item(), "with the largest gradient", z.grad.abs().max().item())
ours = weighted_mean(cross_entropy(z.detach(), torch.zeros(2, dtype=torch.int64)), padding != -100)
print("ours:", ours.value.item())

# %% [markdown]
# In fine-tuning a language model this is a batch of prompts with no answer to learn. PyTorch's *loss* is `NaN`, its *gradient* 0: the parameters are safe. What breaks is whatever reads the loss: the logged mean, a rule that stops on the best value, a guard that halts at `NaN`.
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

# %% [markdown]
# <details><summary>Hint 1</summary>The divisor must be the same for every micro-batch. What is the sum of the weights of B examples, on average?</details>
#
# ### 2. A target with doubt (6 minutes, easy)
# Annotators disagree: `votes[n, i]` of them said class `i` for example `n`. Return the soft targets, smoothed by one more vote *spread evenly over all classes*.

# %% name="exercise-votes"
def from_votes(votes):
    ### BEGIN SOLUTION
    smoothed = votes + 1 / votes.shape[1]
    return smoothed / smoothed.sum(1, keepdims=True)
    ### END SOLUTION

# %% name="check-votes"
check("from_votes")

# %% [markdown]
# <details><summary>Hint 1</summary>How many votes does each row have in the end? Rows may differ.</details>
#
# ### 3. Undo the weights (8 minutes, hard)
# A two-class model was trained with the weight `w` on class 1. Its probability of class 1 is `p`. Return the probability that it would give without the weights (line 4).

# %% name="exercise-undo"
def unweighted(p, w):
    ### BEGIN SOLUTION
    return p / (p + w * (1 - p))
    ### END SOLUTION

# %% name="check-undo"
check("unweighted")

# %% [markdown]
# <details><summary>Hint 1</summary>By what were the odds p / (1 - p) multiplied?</details>
# <details><summary>Hint 2</summary>From odds o back to a probability: o / (1 + o). Then make it safe for p = 1.</details>
#
# [All solutions of this lesson](../../solutions/03_algorithms/10_soft_targets.ipynb)
#
# ## Takeaways
#
# - Weights, masks and ignored tokens are one weighted mean; say by what it divides. Within a batch of one, a weight does nothing.
# - **G9: confirmed** as formulas; conditional as remedies. Smoothing makes logits finite, and easily too modest. A class weight moves the threshold; focal loss without $\alpha$ does not, and gained nothing on the imbalanced linear model here.
# - Where you need probabilities, do not weigh classes (or undo the weight: exercise 3); move the threshold. Focal loss made well-fitted probabilities worse; where a model is too sure, as on the digits, it can make them better: judge it on validation data.
