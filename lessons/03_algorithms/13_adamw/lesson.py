# ---
# jupyter:
#   lesson:
#     title: AdamW and decoupled weight decay
#     question: "Penalty or decay: whose weights are pulled most, and which reads new text better?"
#     minutes: 50
#     needs: [04_adam]
#     settles: [G18, E21]
#     studies: [optim.AdamW]
# ---

# %% [markdown] name="goal"
# # AdamW and decoupled weight decay
#
# **Goal.** Tell weight decay from an L2 penalty, know what each does to which weight, and carry the number to another schedule.
#
# **The question.** A word that is rare in the training text has small gradients, a common one large ones. We pull all weights towards 0 with Adam, once by an L2 penalty, once by AdamW's decay, equally
# strongly for the common words. Whose weights are pulled most, and which of the two then reads *new* text better?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: device, seed, profile
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup" tags=["fold"]
# Set-up: imports, and the device to compute on
import inspect

import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.optim import Adam, AdamW, Momentum, descend
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/13_adamw")

# %% [markdown] name="formula"
# ## The formula
#
# The source document has neither weight decay nor AdamW (Loshchilov and Hutter 2019, *Decoupled weight decay regularization*, arXiv 1711.05101). Two ways to keep weights small, with the strength $\lambda$ (`weight_decay`), the rate $\eta$ and Adam's averages $\hat m, \hat v$ of the Adam lesson:
#
# $$\text{L2 penalty:}\quad g_t \leftarrow g_t + \lambda\, \theta_{t-1}, \text{ then Adam} \qquad\qquad \text{AdamW:}\quad \theta_t = (1 - \eta \lambda)\, \theta_{t-1} - \eta\, \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}$$
#
# The first is the gradient of $J + \frac{\lambda}{2} \lVert \theta \rVert^2$. In the second the decay never enters the averages: it is **decoupled** from the gradient. All operations are elementwise, shapes are those of $\theta$.
#
# ## Derivation
#
# 1. Under plain gradient descent the two are one: $\theta - \eta (g + \lambda \theta) = (1 - \eta \lambda)\, \theta - \eta\, g$ (why it helps: Krogh and Hertz 1991, *A simple weight decay can improve generalization*). So the two names were long used for one thing, and `torch.optim.Adam` still calls its penalty `weight_decay`.
# 2. In Adam the sum $g + \lambda \theta$ is divided by the root of its own mean square. Take a weight with no gradient, $g = 0$: only $\lambda \theta$ comes in, above and below the line, and while it is far above $\epsilon$, **$\lambda$ cancels.** The weight
#    takes the same walk to 0 under every penalty; by the Adam lesson's line 3 it begins with a step of $\eta$. A large gradient, on the other hand, drowns $\lambda \theta$ in the root.
# 3. In AdamW a weight with no gradient keeps $1 - \eta \lambda$ per step: $(1 - \eta \lambda)^t$ after $t$ steps, $\prod_t (1 - \eta_t \lambda)$ if the rate changes. Half the rate, half the decay.
# 4. A constant gradient: the step is $\eta \operatorname{sign}(g)$. It is balanced by the decay at $\eta \lambda \theta = -\eta \operatorname{sign}(g)$, so AdamW settles at $\theta = -\operatorname{sign}(g) / \lambda$: **$1 / \lambda$ is as far as
#    any constant gradient can push, at whatever rate below $1 / \lambda$.** With the penalty Adam settles where $g + \lambda \theta = 0$, at $-g / \lambda$.
# 5. Rare words. Let word $i$ be the share $f_i$ of a text and $\theta_i$ its own weights, so that $J = \sum_i f_i\, J_i(\theta_i)$. With the penalty, $J$ is lowest where $f_i \nabla J_i + \lambda\, \theta_i = 0$, just as if $J_i$ stood alone with the penalty $\lambda / f_i$:
#    **the rarer the word, the stronger the penalty, whichever optimizer goes there.** Adam's own step has lost the factor $f_i$, which stands in $\hat m$ and in $\sqrt{\hat v}$. AdamW sets its decay against *this* step, and so treats every word alike.

# %% name="derivation"
theta, g, lr, wd = sp.symbols("theta g eta lambda")
assert sp.expand((theta - lr * (g + wd * theta)) - ((1 - lr * wd) * theta - lr * g)) == 0  # line 1
fixed = sp.solve((1 - lr * wd) * theta - lr * sp.sign(g) - theta, theta)
assert sp.simplify(fixed[0] + sp.sign(g) / wd) == 0  # line 4

def run(rule, gradient, steps, start=1.0):
    return descend(np.array([start]), rule, gradient, steps)[-1][0]

def push(c):  # a constant gradient
    return lambda theta: 0 * theta + c

# %% name="no-gradient"
rows = []
for wd in (0.001, 0.1, 2.0):
    penalty, decay = (run(rule(0.01, weight_decay=wd, eps=1e-12), push(0), 100)
                      for rule in (Adam, AdamW))
    assert np.isclose(decay, (1 - 0.01 * wd) ** 100, rtol=1e-12)  # line 3
    large = [run(Adam(0.01, weight_decay=w), push(1e4), 100) for w in (wd, 0.0)]
    assert np.isclose(*large, atol=1e-3)  # line 2: drowned
    rows.append([wd, penalty, decay])
assert np.allclose([penalty for _, penalty, _ in rows], rows[0][1])  # line 2: lambda cancels
Table(["weight_decay", "Adam + L2", "AdamW"], rows,
      "No gradient: what is left of 1 after 100 steps, lr = 0.01.")

# %% [markdown] name="after-no-gradient"
# Two thousand times the penalty, the same walk. Lines 4 and 5, the latter with a bowl around 3 whose loss is multiplied by $f$:

# %% name="settle"
for lr, wd, c in ((0.01, 0.5, 3), (0.01, 4.0, 3), (0.05, 0.5, 0.001)):  # line 4
    end, penalised = (run(rule(lr, weight_decay=wd), push(c), 4000) for rule in (AdamW, Adam))
    assert np.isclose(end, -1 / wd, rtol=1e-3) and np.isclose(penalised, -c / wd, rtol=1e-3)
    print(f"gradient {c}, weight_decay {wd}: AdamW ends at {end:.3f}, Adam + L2 at {penalised:.3f}")

# %% name="weighed"
paths = []
for f in (1.0, 0.01):
    l2 = run(Adam(0.01, weight_decay=0.1), lambda theta, f=f: f * (theta - 3), 3000)
    decoupled = run(AdamW(0.01, weight_decay=0.1), lambda theta, f=f: f * (theta - 3), 300)
    assert np.isclose(l2, 3 / (1 + 0.1 / f))  # line 5: lowest with the penalty 0.1 / f
    paths.append(decoupled)
    print(f"bowl times {f:<4}: Adam + L2 ends at {l2:.3f}; AdamW, on its way: {decoupled:.3f}")
assert np.isclose(*paths, rtol=1e-5)  # line 5: AdamW does not see f

# %% [markdown] name="code"
# ## Code

# %% name="source"
show(AdamW)

# %% [markdown] name="after-source"
# The source document's list of Adam's steps, completed in the Adam lesson, gets one more before the last: **shrink**, then move. Not the other way round: that would shrink the move too, $(1 - \eta \lambda)(\theta - s) = (1 - \eta \lambda)\, \theta - (1 - \eta \lambda)\, s$.

# %% [markdown] name="parity-with-pytorch"
# ## Parity with PyTorch
#
# The largest relative difference after 50 steps; in half precision the judge is PyTorch in float32. `of Adam` is the same rule under its second name, `torch.optim.Adam(decoupled_weight_decay=True)`.

# %% tags=["nbval-ignore-output", "fold"] name="parity"
# Against PyTorch
parity.table("AdamW", setting.device)

# %% name="defaults"
for optimizer in (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW):
    default = inspect.signature(optimizer).parameters["weight_decay"].default
    print(f"{optimizer.__name__:6} weight_decay = {default}")

# %% [markdown] name="picture-text"
# Change the class, and a decay comes with it. The paper multiplies AdamW's decay by the schedule's factor only, not by the base rate; PyTorch's number times the base rate is the paper's.
#
# ## Picture
#
# The model of the Adam lesson: which word follows which in CPython's own documentation. `theta[i, j]` is the logit of word `j` after word `i`, so a row belongs to a word. Half of the pages are for training, in batches of 256 pairs; the
# other half is new text. Line 5 speaks of exact gradients; does it show in batches, from which a rare word is often missing? We compare each row's length with that of the same run without decay. Momentum with an L2 penalty is there as a witness: it divides by nothing.

# %% name="words"
def words(seed, size=64):  # each pair (word, next word) as one number; first half, second half
    ids = [torch.tensor(half, device=setting.device) for half in data.words(seed, size)[:2]]
    return [half[:-1] * size + half[1:] for half in ids]

def counts(rows, size=64):  # how often each pair occurs in each row
    offset = size * size * torch.arange(len(rows), device=rows.device)[:, None]
    found = torch.bincount((rows + offset).ravel(), minlength=len(rows) * size * size)
    return found.reshape(len(rows), size, size)

# %% name="train"
texts = {s: words(s) for s in setting.seeds}
read, new = (torch.cat([counts(t[half][None]) / len(t[half]) for t in texts.values()])
             for half in (0, 1))
batches = []
for s, (pairs, _) in texts.items():
    picked = torch.randint(len(pairs), (1500, 256), generator=torch.Generator().manual_seed(s))
    batches.append(counts(pairs[picked.to(pairs.device)]).to(torch.uint8))

def fit(rule):  # all seeds at once
    theta, state = torch.zeros_like(read), rule.init(read)
    for t in range(1500):
        batch = torch.stack([b[t] for b in batches]) / 256
        g = batch.sum(2, keepdim=True) * torch.softmax(theta, 2) - batch  # p - target, in the mean
        theta, state = rule.update(theta, g, state)
    return theta

def new_text(theta):
    return -(new * torch.log_softmax(theta.double(), 2)).sum((1, 2)).cpu().numpy()

# %% name="fits"
decays = {Adam: [0.0, 3e-7, 3e-6, 3e-5], AdamW: [0.01, 0.03, 0.1]}
trials = [(kind, wd) for kind, grid in decays.items() for wd in grid]
fits, slow = ({(kind, wd): fit(kind(lr, weight_decay=wd)) for kind, wd in trials}
              for lr in (0.02, 0.005))
fits |= {(Momentum, wd): fit(Momentum(5.0, weight_decay=wd)) for wd in (0.0, 1e-4)}

# %% name="shares"
def lengths(theta):  # of the rows, without the constant that a softmax does not see
    return (theta - theta.mean(2, keepdim=True)).norm(dim=2)

often = read.sum(2).argsort(dim=1, descending=True)

def kept(kind, wd):  # share of the undecayed length, most frequent words first, in groups of 8
    without = fits[Momentum if kind is Momentum else Adam, 0.0]
    share = (lengths(fits[kind, wd]) / lengths(without)).gather(1, often)
    return share.reshape(-1, 8, 8).mean(2).cpu().numpy()

shares = {(kind, wd): kept(kind, wd) for kind, wd in fits if wd > 0}
tilts = {c: a[:, 0] / a[:, -3:].mean(1) for c, a in shares.items()}  # frequent over rare

# %% name="picture"
chosen = {"Adam + L2, 3e-6": (Adam, 3e-6), "AdamW, 0.03": (AdamW, 0.03),
          "momentum + L2, 1e-4": (Momentum, 1e-4)}
bands = {label: tuple(np.quantile(shares[c], [0, 0.5, 1], axis=0)) for label, c in chosen.items()}
picture = plots.lines(
    np.arange(4.5, 64, 8), bands,
    "rank of the word by frequency", "share of the weights' length that is kept",
    "Share kept against rank. AdamW: level, near 0.8. Adam with L2: near 0.8 for the most frequent "
    "words, about 0.6 for the rare ones. Momentum with L2: falling, too, from 0.6 to 0.45.",
    title="Who is pulled most? (band: all seeds)",
)
picture.fig.axes[0].set_ylim(0, 1)
picture

# %% tags=["nbval-ignore-output"] name="picture-verdict"
assert all((tilts[AdamW, wd] - 1 < 0.1).all() for wd in decays[AdamW])
assert (tilts[AdamW, 0.1] - 1 > 2 * (tilts[AdamW, 0.01] - 1)).all()
assert all((tilts[c] - 1 > 0.2).all() for c in [(Adam, 3e-6), (Momentum, 1e-4)])
names = {Adam: "Adam + L2", AdamW: "AdamW", Momentum: "momentum + L2"}
Table(["rule", "weight_decay", "share kept, frequent over rare"],
      [[names[k], f"{wd:g}", f"{t.min():.2f} to {t.max():.2f}"] for (k, wd), t in tilts.items()],
      "Lowest to highest of the seeds.")

# %% [markdown] name="after-picture-verdict"
# The penalties take most from the rare words, with Adam's division and without it. The odd one out is AdamW, which takes nearly the same share from every word: only nearly, for line 5 holds for exact gradients, and the less so the stronger the decay.
#
# And on new text? Three values of $\lambda$ for each way, at two learning rates. The losses are differences from Adam without decay at the rate 0.02: below 0 is better.

# %% tags=["nbval-ignore-output"] name="new-text"
none = new_text(fits[Adam, 0.0])
change, slower = ({c: new_text(models[c]) - none for c in trials} for models in (fits, slow))

def best(kind):  # the decay that is best in the median over the seeds
    return min((wd for wd in decays[kind] if wd > 0), key=lambda wd: np.median(change[kind, wd]))

penalty, decay = change[Adam, best(Adam)], change[AdamW, best(AdamW)]
assert best(Adam) == 3e-6 and best(AdamW) < 0.1  # no end of a grid, for 0 is tried, too
assert np.median(penalty) < 0 and np.median(decay) < 0 and 0 < np.median(decay - penalty) < 0.02
rate_alone = slower[Adam, 0.0]
assert all(np.median(a - rate_alone) > -0.001 for a in slower.values())
assert np.median(decay - rate_alone) > 0

def spread(d):
    return f"{d.mean():+.3f} ± {d.std():.3f}"

Table(["rule", "weight_decay", "new text, lr = 0.02", "lr = 0.005"],
      [[names[k], f"{wd:g}", spread(a), spread(slower[k, wd])] for (k, wd), a in change.items()],
      "Nats, mean ± standard deviation over the seeds.")

# %% [markdown] name="who-is-spared"
# A surprise: at the rate 0.02 the old way is a little *better*, by less than 0.02 nats (with $\lambda$ picked on the new text for both alike). It is no law: at the smaller rate, in as many steps, no decay gains anything, and that rate alone has done more than AdamW; and on images the paper found AdamW clearly ahead of Adam with a penalty.
# What AdamW always is, is **predictable**. Its number says which share is taken per step, of every weight alike; the L2 numbers that do well here are ten thousand times smaller and say nothing of the kind.
#
# ## What breaks
#
# ### Who must not be decayed, and who is not
#
# The scale of a normalisation layer is a factor, neutral at 1 and not at 0, and by custom biases are spared, too: such parameters get a group with `weight_decay=0`. And a frozen parameter: does it decay?

# %% name="groups"
layer = torch.nn.Linear(2, 2, device=setting.device)
frozen = torch.nn.Parameter(torch.ones(2, device=setting.device))
torch.nn.init.ones_(layer.weight), torch.nn.init.ones_(layer.bias)
groups = [{"params": [layer.weight, frozen]}, {"params": [layer.bias], "weight_decay": 0.0}]
optimizer = torch.optim.AdamW(groups, lr=0.1, weight_decay=0.5)
for _ in range(10):
    layer.weight.grad = torch.zeros_like(layer.weight)
    layer.bias.grad = torch.zeros_like(layer.bias)
    optimizer.step()  # frozen.grad is None
print(f"gradient 0: weight {layer.weight[0, 0]:.4f}, bias in its own group {layer.bias[0]:.4f}")
print(f"gradient None: {frozen[0]:.4f}")
assert np.isclose(layer.weight[0, 0].item(), 0.95**10, rtol=1e-5)
assert layer.bias[0] == 1 == frozen[0]

# %% [markdown] name="rounded-away"
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
        visited = descend(theta, AdamW(rate, weight_decay=0.01), torch.zeros_like, 1000)
        ends.append(f"{visited[-1].item():.3f}")
    rows.append([str(dtype).removeprefix("torch."), *ends])
assert rows[1][1] == "1.000" and rows[0][1] == "0.990"
Table(["1000 steps without gradient", "lr = 0.001", "lr = 0.5"], rows)

# %% [markdown] name="after-half"
# A bfloat16 weight does not feel a change of less than 1/512 of itself. At the default rate $\eta \lambda$ is far below that, so every step is rounded back; at the rate 0.5 it is above. Keep a float32 copy of the weights.

# %% [markdown] name="decay-towards-a-start"
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

# %% [markdown] name="half-life"
# <details><summary>Hint 1</summary>One line for the decay, on theta alone; the rest is Adam's.</details>
# <details><summary>Hint 2</summary>The averages see g as it came in.</details>
#
# ### 2. The half-life (4 minutes, easy)
# A weight gets no gradient. After how many steps of AdamW is half of it left? (Exactly, so not in whole steps.)

# %% name="exercise-half-life"
def half_life(lr, weight_decay):
    ### BEGIN SOLUTION
    return np.log(0.5) / np.log(1 - lr * weight_decay)
    ### END SOLUTION

# %% name="check-half-life"
check("half_life")

# %% [markdown] name="a-bowl"
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

# %% [markdown] name="another-schedule"
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

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Line 3: what is the logarithm of the share that is kept?</details>
# <details><summary>Hint 2</summary>A product becomes a sum.</details>
#
# ## Takeaways
#
# - Under plain gradient descent decay and L2 penalty are the same; in Adam they are not. AdamW takes a share $\eta \lambda$ of every weight per step and under a constant gradient holds each within $1 / \lambda$; a penalty, in Adam as elsewhere, takes most where the loss has least to say.
# - The number alone does not carry over, neither from Adam to AdamW nor from the paper's form to PyTorch's. To another schedule carry $\lambda \sum_t \eta_t$.
# - Do not count on a better model from AdamW by itself (better on the paper's images; here, at one rate and length, slightly worse than the penalty), do not decay biases and norms without a reason, and do not count on a decay as small as PyTorch's default in bfloat16 weights.
