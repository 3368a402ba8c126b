# ---
# jupyter:
#   lesson:
#     title: AdamW and decoupled weight decay
#     minutes: 45
#     settles: [G18, E21]
# ---

# %% [markdown]
# # AdamW and decoupled weight decay
#
# **Goal.** Tell weight decay from an L2 penalty, know what each does to which weight, and set the number. **45 minutes.**
#
# **The question.** A word that is rare in the training text has small gradients, a common one large ones. We pull all weights towards 0 with Adam, once by an L2 penalty, once by AdamW's decay, equally
# strongly for the common words. Whose weights are pulled most, and which of the two then reads *new* text better?

# %% tags=["parameters"] name="parameters"
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup"
import inspect
import re
from collections import Counter
from pydoc_data.topics import topics

import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, parity, plots
from lessons_lib.checks import check
from lessons_lib.core import mean
from lessons_lib.losses import cross_entropy
from lessons_lib.optim import Adam, AdamW
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)

# %% [markdown]
# ## The formula
#
# The source document has neither weight decay nor AdamW (E21). Two ways to keep weights small, with the strength $\lambda$ (`weight_decay`), the rate $\eta$ and Adam's averages $\hat m, \hat v$ of the Adam lesson:
#
# $$\text{L2 penalty:}\quad g_t \leftarrow g_t + \lambda\, \theta_t, \text{ then Adam} \qquad\qquad \text{AdamW (G18):}\quad \theta_{t+1} = (1 - \eta \lambda)\, \theta_t - \eta\, \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}$$
#
# The first is the gradient of $J + \frac{\lambda}{2} \lVert \theta \rVert^2$. In the second the decay never enters the averages: it is **decoupled** from the gradient. All operations are elementwise, shapes are those of $\theta$.
#
# ## Derivation
#
# 1. Under gradient descent the two are one: $\theta - \eta (g + \lambda \theta) = (1 - \eta \lambda)\, \theta - \eta\, g$. The two names were used for the same thing until Adam came.
# 2. In Adam the sum $g + \lambda \theta$ is divided by the root of its own mean square. Take a weight with no gradient, $g = 0$: a sum of $\lambda \theta$ alone, and the Adam lesson's line 3 says that the step is $\eta$, whatever the
#    size of what comes in. **The weight walks to 0 by $\eta$ per step, for every $\lambda > 0$.** A large gradient, on the other hand, drowns $\lambda \theta$ in the root.
# 3. In AdamW a weight with no gradient keeps $1 - \eta \lambda$ per step: $(1 - \eta \lambda)^t$ after $t$ steps, $\prod_t (1 - \eta_t \lambda)$ if the rate changes. Half the rate, half the decay.
# 4. A constant gradient: the step is $\eta \operatorname{sign}(g)$. It is balanced by the decay at $\eta \lambda \theta = -\eta \operatorname{sign}(g)$, so AdamW settles at $\theta = -\operatorname{sign}(g) / \lambda$: **$1 / \lambda$ is as far as
#    any constant gradient can push, at whatever rate.** (One that grows all the time pushes further, because its steps are longer than $\eta$.) With the penalty Adam settles where $g + \lambda \theta = 0$, at $-g / \lambda$.

# %% name="derivation"
theta, g, lr, wd = sp.symbols("theta g eta lambda")
assert sp.expand((theta - lr * (g + wd * theta)) - ((1 - lr * wd) * theta - lr * g)) == 0  # line 1
fixed = sp.solve((1 - lr * wd) * theta - lr * sp.sign(g) - theta, theta)
assert sp.simplify(fixed[0] + sp.sign(g) / wd) == 0  # line 4

def run(rule, gradient, steps, start=1.0):
    theta = np.array([start])
    state = rule.init(theta)
    for _ in range(steps):
        theta, state = rule.update(theta, np.array([gradient]), state)
    return theta[0]

rows = []
for wd in (0.001, 0.1, 2.0):
    penalty, decay = (run(rule(0.01, weight_decay=wd, eps=1e-12), 0.0, 10) for rule in (Adam, AdamW))
    assert np.isclose(decay, (1 - 0.01 * wd) ** 10, rtol=1e-12)  # line 3
    assert abs(penalty - (1 - 10 * 0.01)) < 1e-3  # line 2: by eta per step
    assert np.isclose(run(Adam(0.01, weight_decay=wd), 1e4, 10), run(Adam(0.01), 1e4, 10), atol=1e-5)  # line 2: drowned
    rows.append([wd, penalty, decay])
Table(["weight_decay", "Adam + L2, 10 steps from 1", "AdamW"], rows, "No gradient, lr = 0.01.")

# %% [markdown]
# The middle column is line 2: two thousand times the penalty, nearly the same walk (the first step is $\eta$ exactly; later ones a little less, because what comes in shrinks with $\theta$).

# %% name="settle"
ends = {wd: run(AdamW(0.01, weight_decay=wd), 3.0, 20_000) for wd in (0.5, 4.0)}
assert all(np.isclose(end, -1 / wd, rtol=1e-3) for wd, end in ends.items())  # line 4: whatever the gradient
assert np.isclose(run(AdamW(0.05, weight_decay=0.5), 0.001, 20_000), -2.0, rtol=1e-3)  # ... and the rate
penalised = run(Adam(0.01, weight_decay=0.5), 3.0, 20_000)
assert np.isclose(penalised, -3 / 0.5, rtol=1e-3)
theta, rule = np.zeros(1), AdamW(0.01, weight_decay=1.0)
state = rule.init(theta)
for t in range(2000):  # the gradient of the Adam lesson's longest steps
    theta, state = rule.update(theta, np.array([(0.999 / 0.9) ** t]), state)
print(f"weight_decay 1, a gradient that grows by 11 per cent per step: {theta[0]:.2f}")
assert 6 < -theta[0] < 7.27
print(f"constant gradient 3, weight_decay 0.5: AdamW ends at {ends[0.5]:.3f}, Adam + L2 at {penalised:.3f}")

# %% [markdown]
# ## Code

# %% name="source"
show(AdamW)

# %% [markdown]
# The source document's list of Adam's steps, completed in the Adam lesson, gets one more before the last: **shrink**, then move. May one swap them?

# %% name="steps"
def shrink(r, theta):
    return (1 - r.lr * r.weight_decay) * theta

def move(r, theta, m_hat, v_hat):
    return theta - r.lr * m_hat / (v_hat**0.5 + r.eps)

def train(r, gradient, theta, steps, swapped=False):
    m, v = 0 * theta, 0 * theta
    for t in range(1, steps + 1):
        g = gradient(theta)
        m, v = r.beta1 * m + (1 - r.beta1) * g, r.beta2 * v + (1 - r.beta2) * g**2
        hats = m / (1 - r.beta1**t), v / (1 - r.beta2**t)
        theta = shrink(r, move(r, theta, *hats)) if swapped else move(r, shrink(r, theta), *hats)
    return theta

# %% name="order"
rule, start = AdamW(0.1, weight_decay=0.5), np.array([1.0, -2.0])
library, state = start, rule.init(start)
for _ in range(100):
    library, state = rule.update(library, library - 3, state)  # a bowl around 3
ours, swapped = (train(rule, lambda theta: theta - 3, start, 100, swapped=s) for s in (False, True))
assert np.allclose(ours, library, rtol=1e-12)
print(f"after 100 steps: {ours[0]:.4f}, swapped {swapped[0]:.4f}; the swap shrinks the step too, by lr * weight_decay = {0.1 * 0.5:.2f}")

# %% [markdown]
# ## Parity with PyTorch
#
# The largest relative difference after 50 steps; in half precision the judge is PyTorch in float32. PyTorch's defaults differ: read the signatures.

# %% tags=["nbval-ignore-output"] name="parity"
parity.table("AdamW", setting.device)

# %% name="defaults"
for optimizer in (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW):
    print(f"{optimizer.__name__:6} weight_decay = {inspect.signature(optimizer).parameters['weight_decay'].default}")

# %% [markdown]
# `torch.optim.Adam(weight_decay=...)` is the L2 penalty. The paper writes AdamW's decay without the factor $\eta$; PyTorch's number times the learning rate is the paper's.
#
# ## Picture
#
# The model of the Adam lesson: which word follows which in CPython's own documentation. `theta[i, j]` is the logit of word `j` after word `i`, so a row belongs to a word. Half of the pages are for training, in batches of 256 pairs; the
# other half is new text. For the picture, $\lambda$ is such that the most frequent words lose about equally: which share of its undecayed length does each row keep?

# %% name="words"
def words(seed, size=64):
    pages = np.random.default_rng(seed).permutation(sorted(topics))
    halves = [re.findall("[a-z]+", " ".join(topics[p] for p in half).lower()) for half in (pages[::2], pages[1::2])]
    number = {word: i for i, (word, _) in enumerate(Counter(halves[0]).most_common(size - 1))}
    return [torch.tensor([number.get(w, size - 1) for w in half], device=setting.device) for half in halves]

def fit(rule, ids, seed, steps=1500):
    pick = torch.Generator().manual_seed(seed)
    theta = torch.zeros(64, 64, device=setting.device)
    state = rule.init(theta)
    for _ in range(steps):
        at = torch.randint(len(ids) - 1, (256,), generator=pick).to(setting.device)
        grad = mean(cross_entropy(theta[ids[at]], ids[at + 1])).grad
        theta, state = rule.update(theta, torch.zeros_like(theta).index_add(0, ids[at], grad), state)
    return theta

def new_text(theta, ids):
    return mean(cross_entropy(theta[ids[:-1]], ids[1:])).value.item()

# %% name="fits"
decays = {Adam: [1e-7, 1e-6, 1e-5, 1e-4], AdamW: [0.01, 0.03, 0.1, 0.3]}
texts = {s: words(s) for s in setting.seeds}
fits = {(AdamW, 0.0, s): fit(AdamW(0.02, weight_decay=0.0), texts[s][0], s) for s in setting.seeds}
for kind, grid in decays.items():
    for wd in grid:
        fits |= {(kind, wd, s): fit(kind(0.02, weight_decay=wd), texts[s][0], s) for s in setting.seeds}

def lengths(theta):  # of the rows, without the constant that a softmax does not see
    return (theta - theta.mean(1, keepdim=True)).norm(dim=1)

def kept(kind, wd, s):  # share of the undecayed length, the most frequent words first, in groups of 8
    share = lengths(fits[kind, wd, s]) / lengths(fits[AdamW, 0.0, s])
    often = torch.bincount(texts[s][0], minlength=64).argsort(descending=True)
    return share[often].reshape(8, 8).mean(1).cpu().numpy()

# %% name="picture"
chosen = {"Adam + L2, 1e-5": (Adam, 1e-5), "AdamW, 0.1": (AdamW, 0.1)}
shares = {label: np.array([kept(*c, s) for s in setting.seeds]) for label, c in chosen.items()}
bands = {label: tuple(np.quantile(a, [0, 0.5, 1], axis=0)) for label, a in shares.items()}
plots.lines(
    np.arange(4.5, 64, 8), bands, "rank of the word by frequency", "share of the weights' length that is kept",
    "Share kept against rank. AdamW: nearly level, a little above 0.6. Adam with L2: about the same for the most "
    "frequent words, and below one half for the rare ones.",
    title="Who is pulled most? (band: all seeds)",
)

# %% [markdown]
# AdamW takes nearly the same share from every word. The penalty takes most from the rare words: their gradients are small, so little drowns it in the root (line 2).

# %% name="picture-verdict"
tilt = {label: a[:, 0] / a[:, -3:].mean(1) for label, a in shares.items()}
even, tilted = tilt["AdamW, 0.1"] < 1.1, tilt["Adam + L2, 1e-5"] > 1.2
print("AdamW: frequent words keep at most 1.1 times as much as rare ones, every seed:", even.all())
print("Adam + L2: at least 1.2 times, every seed:", tilted.all())
assert even.all() and tilted.all()

# %% [markdown]
# Does it hang on these two numbers? How many times as large a share the frequent words keep, for every $\lambda$:

# %% name="tilts"
def tilted_by(kind, wd):
    a = np.array([kept(kind, wd, s) for s in setting.seeds])
    return a[:, 0] / a[:, -3:].mean(1)

tilts = {(kind, wd): tilted_by(kind, wd) for kind, grid in decays.items() for wd in grid}
assert all((tilts[AdamW, wd] < 1.1).all() for wd in (0.01, 0.03, 0.1)) and all((tilts[Adam, wd] > 1.1).all() for wd in (1e-5, 1e-4))

# %% name="tilts-table" tags=["nbval-ignore-output"]
rows = [[k.__name__ + (" + L2" if k is Adam else ""), f"{wd:g}", f"{a.min():.2f} to {a.max():.2f}"] for (k, wd), a in tilts.items()]
Table(["rule", "weight_decay", "share kept, frequent over rare"], rows)

# %% [markdown]
# And on new text? Each way gets the $\lambda$ that does best there (picked on the new text for both alike).

# %% name="new-text"
losses = {(k, wd): np.array([new_text(fits[k, wd, s], texts[s][1]) for s in setting.seeds]) for k, wd, _ in fits}
none = losses[AdamW, 0.0]
best = {kind: np.min([losses[kind, wd] for wd in grid], axis=0) for kind, grid in decays.items()}

# %% tags=["nbval-ignore-output"] name="new-text-table"
rows = [
    [k.__name__ + (" + L2" if k is Adam else ""), f"{wd:g}", f"{(a - none).mean():+.3f} ± {(a - none).std():.3f}"]
    for (k, wd), a in losses.items()
]
Table(["rule", "weight_decay", "loss on new text less that without decay (nats, mean ± sd over seeds)"], rows)

# %% name="new-text-verdict"
gain, lead = {kind: none - end for kind, end in best.items()}, best[AdamW] - best[Adam]
print("both help a little, in the median over seeds:", all(np.median(a) > 0 for a in gain.values()))
print("Adam + L2 is the better of the two, in the median:", np.median(lead) > 0)
print("the margin is below 0.02 nats, every seed:", (abs(lead) < 0.02).all())
assert all(np.median(a) > 0 for a in gain.values()) and np.median(lead) > 0 and (abs(lead) < 0.02).all()

# %% [markdown]
# A surprise: here the old way is a little *better*. Where does it gain? Split the loss by the rank of the word that comes before. And at a quarter of the rate, where 1500 steps do not reach the floor of the training text?

# %% name="where"
def halves(theta, s):  # what the frequent and the rare half of the words add to the loss on new text
    ids = texts[s][1]
    rank = torch.bincount(texts[s][0], minlength=64).argsort(descending=True).argsort()[ids[:-1]]
    each = cross_entropy(theta[ids[:-1]], ids[1:]).value / (len(ids) - 1)
    return np.array([each[rank < 32].sum().item(), each[rank >= 32].sum().item()])

def change(kind, wd, s, lr=0.02):
    models = [fit(k(lr, weight_decay=d), texts[s][0], s) for k, d in ((AdamW, 0.0), (kind, wd))] if lr != 0.02 else None
    without, decayed = models or (fits[AdamW, 0.0, s], fits[kind, wd, s])
    return halves(decayed, s) - halves(without, s)

split = {c: np.array([change(*c, s) for s in setting.seeds]) for c in chosen.values()}
slow = {c: np.array([change(*c, s, lr=0.005).sum() for s in setting.seeds[:3]]) for c in chosen.values()}

# %% name="where-table" tags=["nbval-ignore-output"]
rows = [
    [label, *(f"{m:+.3f} ± {e:.3f}" for m, e in zip(split[c].mean(0), split[c].std(0), strict=True)), f"{slow[c].mean():+.3f}"]
    for label, c in chosen.items()
]
Table(["change of the loss by the decay", "frequent half", "rare half", "all, lr = 0.005"], rows)

# %% name="where-verdict"
level, most = split[AdamW, 0.1], split[Adam, 1e-5]
assert np.median(most[:, 0]) < 0 < np.median(level[:, 0]) and np.median(level[:, 1]) < np.median(level[:, 0])
assert all((a > 0).all() for a in slow.values())
print("on the frequent words AdamW at 0.1 loses and the penalty gains; on the rare ones AdamW does better than on the frequent")
print("at a quarter of the rate, in as many steps, either only costs")

# %% [markdown]
# Rare words have been seen least and should be trusted least. The penalty happens to shrink these most; AdamW, which takes a level share, pays with the frequent words for the little that it gains on the rare ones. But that is this model, at this rate and length: where training has not gone far
# enough to overfit, there is nothing to gain. AdamW is not the better regulariser by law; it is the more **predictable** one: its number says which share is taken, of every weight alike. The L2 numbers that do well here are over a thousand times smaller and say nothing of the kind.
#
# ## What breaks
#
# ### Who must not be decayed, and who is not
#
# A bias or a normalisation's scale has no reason to be near 0; such parameters get a group with `weight_decay=0`. And a frozen parameter: does it decay?

# %% name="groups"
layer = torch.nn.Linear(2, 2, device=setting.device)
frozen = torch.nn.Parameter(torch.ones(2, device=setting.device))
torch.nn.init.ones_(layer.weight), torch.nn.init.ones_(layer.bias)
groups = [{"params": [layer.weight, frozen]}, {"params": [layer.bias], "weight_decay": 0.0}]
optimizer = bridge.TorchOptimizer(AdamW(0.1, weight_decay=0.5), groups)
for _ in range(10):
    layer.weight.grad, layer.bias.grad = torch.zeros_like(layer.weight), torch.zeros_like(layer.bias)
    optimizer.step()  # frozen.grad is None
print(f"gradient 0: weight {layer.weight[0, 0]:.4f}, bias in its own group {layer.bias[0]:.4f}; gradient None: {frozen[0]:.4f}")
assert np.isclose(layer.weight[0, 0].item(), 0.95**10, rtol=1e-5) and layer.bias[0] == 1 == frozen[0]

# %% [markdown]
# A gradient of 0 decays, a gradient of `None` is skipped. `zero_grad(set_to_none=False)` leaves zeros, and so a part of the model that no longer takes part fades away.
#
# ### A decay that is rounded away
#
# bfloat16 has 8 significant bits. What remains of $1 - \eta \lambda$ at PyTorch's defaults, $\eta = 0.001$ and $\lambda = 0.01$?

# %% name="half"
rows = []
for dtype in (torch.float32, torch.bfloat16):
    ends = []
    for rate in (1e-3, 0.5):
        theta = torch.ones(1, dtype=dtype, device=setting.device)
        rule = AdamW(rate, weight_decay=0.01)
        state = rule.init(theta)
        for _ in range(1000):
            theta, state = rule.update(theta, torch.zeros_like(theta), state)
        ends.append(f"{theta.item():.3f}")
    rows.append([str(dtype).removeprefix("torch."), *ends])
assert rows[1][1] == "1.000" and rows[0][1] == "0.990"
Table(["1000 steps without gradient", "lr = 0.001", "lr = 0.5"], rows)

# %% [markdown]
# Each step is rounded back to 1: keep a float32 copy of the weights.

# %% [markdown]
# ## Exercises
#
# ### 1. Decay towards a start (8 minutes, medium)
# In fine-tuning the weights should stay near the pretrained ones, `start`, not near 0. Write AdamW with its decoupled decay towards `start`: without a gradient the *distance* from it shrinks by $1 - \eta \lambda$ per step.
# `m` and `v` come in from step `t - 1`; `t` is 1 at the first step. Return `(theta, m, v)`. The check uses a large decay and a large `eps`.

# %% name="exercise-step"
def adamw_towards(theta, g, m, v, t, start, lr, beta1, beta2, eps, weight_decay):
    ### BEGIN SOLUTION
    theta = start + (1 - lr * weight_decay) * (theta - start)
    m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return theta - lr * m_hat / (np.sqrt(v_hat) + eps), m, v
    ### END SOLUTION

# %% name="check-step"
check("adamw_towards")

# %% [markdown]
# <details><summary>Hint 1</summary>One line for the decay, on theta alone; the rest is Adam's.</details>
# <details><summary>Hint 2</summary>The averages see g as it came in.</details>
#
# ### 2. The half-life (5 minutes, easy)
# A weight gets no gradient. After how many steps of AdamW is half of it left? (Any real number; exactly.)

# %% name="exercise-half-life"
def half_life(lr, weight_decay):
    ### BEGIN SOLUTION
    return np.log(0.5) / np.log(1 - lr * weight_decay)
    ### END SOLUTION

# %% name="check-half-life"
check("half_life")

# %% [markdown]
# <details><summary>Hint</summary>Line 3: set (1 - lr λ)^t to one half, and take logarithms.</details>
#
# ### 3. A bowl (5 minutes, medium)
# The loss of each weight is $\frac12 (\theta - a)^2$, with $a$ in the array `a`. Where does AdamW end, with a small rate, a tiny `eps` and any patience? (As long as a gradient keeps its sign, line 4 holds.)

# %% name="exercise-settles"
def bowl_end(a, weight_decay):
    ### BEGIN SOLUTION
    return np.clip(a, -1 / weight_decay, 1 / weight_decay)
    ### END SOLUTION

# %% name="check-settles"
check("bowl_end")

# %% [markdown]
# <details><summary>Hint 1</summary>How far can the gradient push against the decay? Does it reach a before that?</details>
# <details><summary>Hint 2</summary>The gradient need not be large to balance the decay: Adam divides by its size.</details>
#
# ### 4. A decay for another schedule (5 minutes, medium)
# With the learning rates `lrs`, one for each step, `weight_decay` did well. Which decay takes the same share of a weight without gradient under the rates `new_lrs`, which may be more or fewer? Take $\ln(1 - x) = -x$, for small $x$.

# %% name="exercise-carry"
def carried_over(weight_decay, lrs, new_lrs):
    ### BEGIN SOLUTION
    return weight_decay * np.sum(lrs) / np.sum(new_lrs)
    ### END SOLUTION

# %% name="check-carry"
check("carried_over")

# %% [markdown]
# <details><summary>Hint 1</summary>Line 3: what is the logarithm of the share that is kept?</details>
# <details><summary>Hint 2</summary>A product becomes a sum.</details>
#
# [All solutions of this lesson](../../solutions/03_algorithms/13_adamw.ipynb)
#
# ## Takeaways
#
# - Under gradient descent decay and L2 penalty are the same; in Adam they are not. **G18: confirmed. E21: mended;** AdamW takes a share $\eta \lambda$ of every weight per step and under a constant gradient holds each within $1 / \lambda$; the penalty in Adam takes most where gradients are small.
# - The numbers do not carry over: neither from Adam to AdamW, nor from the paper's form to PyTorch's, nor to another learning rate.
# - Do not expect a better model from AdamW by itself (here, at one rate and length, the penalty did slightly better), do not decay biases and norms without a reason, and do not count on any decay in bfloat16 weights.
