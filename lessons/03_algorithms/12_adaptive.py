# ---
# jupyter:
#   lesson:
#     title: AdaGrad, RMSProp, Adadelta
#     minutes: 40
#     settles: [G14]
# ---

# %% [markdown]
# # AdaGrad, RMSProp, Adadelta
#
# **Goal.** Give every parameter its own step by dividing by what its gradients were, and decide how much of the past to remember. **40 minutes.**
#
# **The question.** AdaGrad never forgets a gradient, so its steps only ever get shorter. RMSProp was proposed to cure this. Is it a disease? Or what does it take to make AdaGrad really stop?

# %% tags=["parameters"] name="parameters"
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup"
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
from lessons_lib.optim import SGD, Adadelta, AdaGrad, RMSProp
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)

# %% [markdown]
# ## The formula
#
# The source document names RMSProp and gives no formula; its grandfather AdaGrad it leaves out. Both keep one number $s$ per parameter (G14, our number for formulas that the source lacks):
#
# $$\text{AdaGrad:}\quad s_t = s_{t-1} + g_t^2 \qquad \text{RMSProp:}\quad s_t = \rho\, s_{t-1} + (1 - \rho)\, g_t^2 \qquad\quad \theta_{t+1} = \theta_t - \eta\, \frac{g_t}{\sqrt{s_t} + \epsilon}$$
#
# **Adadelta** replaces the rate $\eta$ by the size of its own earlier steps, kept in a second average $d$:
#
# $$\Delta_t = \frac{\sqrt{d_{t-1} + \epsilon}}{\sqrt{s_t + \epsilon}}\, g_t \qquad d_t = \rho\, d_{t-1} + (1 - \rho)\, \Delta_t^2 \qquad \theta_{t+1} = \theta_t - \eta\, \Delta_t, \ \text{with } \eta = 1$$
#
# | symbol | code | shape | default in PyTorch |
# |---|---|---|---|
# | $\theta, g$ | `theta`, `g` | any, the same | |
# | $s$ | `v` | as $\theta$, starts at 0 | |
# | $d$ | `d` | as $\theta$, starts at 0 | |
# | $\eta$ | `lr` | a number | 0.01; Adadelta 1 |
# | $\rho$ | `alpha`, `rho` | a number in $[0, 1)$ | 0.99; Adadelta 0.9 |
# | $\epsilon$ | `eps` | a number | $10^{-10}$, $10^{-8}$, $10^{-6}$ |
#
# Square, root and division are elementwise. The library calls the average `v`, as Adam does.
#
# ## Derivation
#
# For gradients that keep their size $|g|$, and without $\epsilon$:
#
# 1. AdaGrad: $s_t = t\, g^2$, so step $t$ is $\eta / \sqrt t$ long, whatever $|g|$. The steps shrink, but their sum grows without end, like $2 \eta \sqrt t$.
# 2. RMSProp: $s_t = (1 - \rho^t)\, g^2$. Step $t$ is $\eta / \sqrt{1 - \rho^t}$: it falls from $\eta / \sqrt{1 - \rho}$, ten rates at $\rho = 0.99$, to one rate, and stays there.
# 3. Now $n$ gradients in a row are $K$ times as large. AdaGrad's sum grows by $n K^2 g^2$, as much as in $n K^2$ ordinary steps, and keeps it for good. In RMSProp a large gradient enters with the weight $1 - \rho$ and
#    fades by $\rho$ per step: the excess is gone after some multiple of $1 / (1 - \rho)$ steps, and the multiple grows only with the logarithm of $K$.
# 4. Adadelta's first step: $d_0 = 0$ and $s_1 = (1 - \rho) g^2$, so it is $\sqrt{\epsilon}\, |g| / \sqrt{(1 - \rho) g^2 + \epsilon}$, about $\sqrt{\epsilon / (1 - \rho)}$. **The rate has not gone; it is called $\epsilon$.**

# %% name="derivation"
g, rho, eps, K = sp.symbols("g rho epsilon K", positive=True)

def follow(rule, gradients):  # s after these gradients
    s = 0
    for x in gradients:
        s = s + x**2 if rule == "AdaGrad" else rho * s + (1 - rho) * x**2
    return s

assert sp.expand(follow("AdaGrad", [g] * 6) - 6 * g**2) == 0  # line 1
assert sp.expand(follow("RMSProp", [g] * 6) - (1 - rho**6) * g**2) == 0  # line 2
n, later = 3, 4
excess = {}
for rule in ("AdaGrad", "RMSProp"):
    spiky = [g] * 2 + [K * g] * n + [g] * later
    excess[rule] = sp.expand(follow(rule, spiky) - follow(rule, [g] * len(spiky)))
assert sp.expand(excess["AdaGrad"] - n * (K**2 - 1) * g**2) == 0  # line 3: it stays
assert sp.expand(excess["RMSProp"] - rho**later * (1 - rho**n) * (K**2 - 1) * g**2) == 0  # line 3: it fades
first = sp.sqrt(0 + eps) / sp.sqrt((1 - rho) * g**2 + eps) * g
assert sp.simplify(sp.limit(first.subs(rho, sp.Rational(9, 10)), g, sp.oo) / sp.sqrt(10 * eps)) == 1  # line 4
print("one rule keeps a spike for good, the other lets it fade by rho per step")

# %% name="lengths"
def lengths(rule, gradients):  # of the library's own steps
    theta, state, found = np.zeros(1), rule.init(np.zeros(1)), []
    for x in gradients:
        new, state = rule.update(theta, np.full(1, x), state)
        found.append(abs(new - theta)[0])
        theta = new
    return np.array(found)

t = np.arange(1, 2001)
assert np.allclose(lengths(AdaGrad(0.5), [7.0] * 2000), 0.5 / np.sqrt(t))
assert np.allclose(lengths(RMSProp(0.5), [7.0] * 2000), 0.5 / np.sqrt(1 - 0.99**t))
walked = lengths(AdaGrad(0.5), [7.0] * 2000).sum() / (2 * 0.5 * np.sqrt(2000))
assert np.allclose(lengths(Adadelta(), [7.0])[0], np.sqrt(1e-6) * 7 / np.sqrt(0.1 * 7**2 + 1e-6))  # line 4
print(f"AdaGrad's 2000 steps together: {walked:.2f} times 2 lr sqrt(t)")
Table(
    ["Adadelta, gradient 7", "first step", "step 100", "step 2000"],
    [[f"eps = {e:g}", *lengths(Adadelta(eps=e), [7.0] * 2000)[[0, 99, 1999]]] for e in (1e-6, 1e-4)],
)

# %% [markdown]
# With a hundred times $\epsilon$, Adadelta starts with ten times the steps, and is ahead for long: under a constant gradient its steps keep growing, each a little longer than the ones it remembers.
#
# ## Code

# %% name="source"
show(AdaGrad, RMSProp, Adadelta)

# %% [markdown]
# What the formulas do not have: `weight_decay` adds an L2 penalty to the gradient, `centered` divides by a standard deviation, $s$ less the square of an average gradient, and `momentum` sums up the divided gradients. They are 0 or off here.
#
# ## Parity with PyTorch
#
# The largest relative difference after 50 steps; each column of the parameter gets gradients of another size. For half precision the judge is PyTorch in float32.

# %% tags=["nbval-ignore-output"] name="parity-adagrad"
parity.table("AdaGrad", setting.device)

# %% tags=["nbval-ignore-output"] name="parity-rmsprop"
parity.table("RMSProp", setting.device)

# %% tags=["nbval-ignore-output"] name="parity-adadelta"
parity.table("Adadelta", setting.device)

# %% [markdown]
# ## Picture
#
# The word pairs of the Adam lesson: `theta[i, j]` is the logit of word `j` after word `i`, counted in CPython's own documentation, in batches of 64 pairs. We report the **gap** of the objective above its floor, the entropy of the counts.
# Left, 1500 ordinary steps at rates that suit each rule. Right, the same runs, but in the steps 20 to 24 the loss is multiplied by 1000, as a bad batch or a wrong unit would do.

# %% name="words"
def words(seed, size=64):
    pages = np.random.default_rng(seed).permutation(sorted(topics))[::2]
    text = re.findall("[a-z]+", " ".join(topics[p] for p in pages).lower())
    number = {word: i for i, (word, _) in enumerate(Counter(text).most_common(size - 1))}
    return torch.tensor([number.get(word, size - 1) for word in text], device=setting.device)

def gaps(rule, ids, seed, steps=1500, spike=(), size=1000):
    pick, counts = torch.Generator().manual_seed(seed), torch.zeros(64, 64, device=setting.device)
    counts.index_put_((ids[:-1], ids[1:]), torch.ones(len(ids) - 1, device=setting.device), accumulate=True)
    share, follow = counts / counts.sum(), counts / counts.sum(1, keepdim=True)
    theta, found = torch.zeros_like(counts), []
    state = rule.init(theta)
    for t in range(steps):
        at = torch.randint(len(ids) - 1, (64,), generator=pick).to(setting.device)
        grad = mean(cross_entropy(theta[ids[at]], ids[at + 1])).grad * (size if t in spike else 1)
        theta, state = rule.update(theta, torch.zeros_like(theta).index_add(0, ids[at], grad), state)
        found.append((share * (follow.clamp(min=1e-30).log() - torch.log_softmax(theta, 1))).sum().item())
    return np.array(found)

# %% name="runs"
rules = {"AdaGrad, 0.5": AdaGrad(0.5), "RMSProp, 0.02": RMSProp(0.02)}
texts = {s: words(s) for s in setting.seeds}
calm, spiky = (
    {label: np.array([gaps(rule, texts[s], s, spike=spike) for s in setting.seeds]) for label, rule in rules.items()}
    for spike in ((), range(20, 25))
)

# %% name="picture"
def bands(runs):
    return {label: tuple(np.quantile(r, [0, 0.5, 1], axis=0)) for label, r in runs.items()}

plots.side_by_side(
    np.arange(1, 1501), bands(calm), bands(spiky), "step", ("gap above the floor (nats)",) * 2,
    "Left, on logarithmic axes: both fall together to about 0.03; AdaGrad ends a little lower. Right: after the spike "
    "AdaGrad creeps down and ends near 0.2; RMSProp stands still, then falls to where it was without the spike.",
    titles=("Ordinary steps", "Loss x 1000 in steps 20 to 24"), logs=("xy", "xy"),
)

# %% [markdown]
# Left: steps that shrink like $1 / \sqrt t$ are no disease. They are what a noisy gradient wants (the level of the SGD lesson falls with the rate), and AdaGrad ends lower, without a schedule. Right: **it is not time that stops AdaGrad, it is a
# few large gradients.** Line 3: five of size 1000 weigh as much as five million ordinary ones. RMSProp waits until they have faded.

# %% name="picture-verdict"
hurt = {label: np.median(spiky[label][:, -1]) / np.median(calm[label][:, -1]) for label in rules}
ahead = calm["RMSProp, 0.02"][:, -100:].mean(1) / calm["AdaGrad, 0.5"][:, -100:].mean(1)
print("1500 ordinary steps: AdaGrad ends lower than RMSProp, every seed:", (ahead > 1).all())
print("the spike leaves AdaGrad's gap more than five times as large:", hurt["AdaGrad, 0.5"] > 5)
print("... and RMSProp's less than one and a half times:", hurt["RMSProp, 0.02"] < 1.5)
assert (ahead > 1).all() and hurt["AdaGrad, 0.5"] > 5 and hurt["RMSProp, 0.02"] < 1.5

# %% [markdown]
# How large must the spike be? Five steps again, of three sizes:

# %% name="spikes"
sizes = {}
for k in (10, 100, 1000):
    for label, rule in rules.items():
        ends_at = [gaps(rule, texts[s], s, spike=range(20, 25), size=k)[-1] for s in setting.seeds[:3]]
        sizes[k, label] = np.array(ends_at) / calm[label][:3, -1]

# %% name="spikes-table" tags=["nbval-ignore-output"]
Table(
    ["spike", *(f"{label}: gap at the end, times the calm one's" for label in rules)],
    [[f"x {k}", *(f"{sizes[k, label].min():.1f} to {sizes[k, label].max():.1f}" for label in rules)] for k in (10, 100, 1000)],
)

# %% name="spikes-verdict"
assert all(sizes[10, label].max() < 1.6 for label in rules)
assert 2 < sizes[100, "AdaGrad, 0.5"].min() < sizes[1000, "AdaGrad, 0.5"].min()
print("ten times: no harm to either; a hundred times: AdaGrad ends over twice as high")

# %% [markdown]
# At ten times, the five count for 500 ordinary steps, and 1500 steps are enough to make up for it.
#
# Does the first verdict hang on these rates? The table has some for each, with the median gap after 300 and 1500 steps:

# %% name="rates"
grid = {AdaGrad: (0.2, 0.5, 1.0), RMSProp: (0.005, 0.01, 0.02, 0.05)}
ends = {}
for kind, rates in grid.items():
    for lr in rates:
        ends[kind, lr] = np.median([gaps(kind(lr), texts[s], s)[[299, 1499]] for s in setting.seeds[:3]], axis=0)

# %% tags=["nbval-ignore-output"] name="rates-table"
Table(["rule", "lr", "gap, 300 steps", "gap, 1500 steps"], [[k.__name__, lr, *map(float, e)] for (k, lr), e in ends.items()])

# %% name="rates-verdict"
best = {kind: np.min([ends[kind, lr] for lr in rates], axis=0) for kind, rates in grid.items()}
ratio = best[RMSProp] / best[AdaGrad]
print("each at its best rate: after 300 steps AdaGrad is ahead:", ratio[0] > 1)
print("... after 1500 steps they are within 30 %:", 1 / 1.3 < ratio[1] < 1.3)
assert ratio[0] > 1 and 1 / 1.3 < ratio[1] < 1.3

# %% [markdown]
# It does, for the end: RMSProp with a smaller rate starts slowly and arrives as low. A constant rate must be chosen for the length of the run; AdaGrad's shrinks by itself.
#
# ## What breaks
#
# ### "Needs no learning rate"
#
# So Adadelta's paper says. Its $\epsilon$ and PyTorch's `lr` are two rates; here are 1500 steps with each, beside plain SGD:

# %% name="adadelta"
trials = {
    "default": Adadelta(), "eps x 1000": Adadelta(eps=1e-3), "lr = 10": Adadelta(lr=10.0), "lr = 30": Adadelta(lr=30.0),
    "eps x 100000": Adadelta(eps=0.1), "SGD, 1": SGD(1.0), "SGD, 10": SGD(10.0),
}
after = {label: np.array([gaps(rule, texts[s], s)[-1] for s in setting.seeds[:3]]) for label, rule in trials.items()}
assert after["default"].min() > 3 * after["lr = 10"].max() and after["default"].min() > 1.5 * after["eps x 1000"].max()
assert after["default"].min() > 10 * calm["AdaGrad, 0.5"][:, -1].max()
assert np.allclose(after["eps x 100000"], after["SGD, 1"], rtol=0.02)
assert min(np.median(a) for label, a in after.items() if "SGD" not in label) > 1.2 * np.median(after["SGD, 10"])
print("Adadelta at its defaults ends with at least 3 times the gap of lr = 10, every seed: True")
print("... and with at least 10 times AdaGrad's: True")
print("a very large eps is SGD with rate 1, and none of these is as low as SGD at 10: True")

# %% tags=["nbval-ignore-output"] name="adadelta-table"
Table(["Adadelta, 1500 steps", "gap, median of 3 seeds"], [[label, float(np.median(a))] for label, a in after.items()])

# %% [markdown]
# On this problem the default is far too slow, and either number helps. A larger $\epsilon$ helps only so far: where it is larger than $d$ and $s$, both roots are the same, and Adadelta is SGD with rate $\eta = 1$. `lr` goes on where $\epsilon$
# ends, and its best value must be found. A number that must be found is a learning rate, whatever its name.
#
# ### A variance of zero
#
# `centered` subtracts the square of the average gradient. Under a constant gradient the average after $t$ steps is $1 - \rho^t$ times it, and what is left under the root is $(1 - \rho^t) - (1 - \rho^t)^2 = \rho^t (1 - \rho^t)$ times its square: nothing, in the end. With
# a gradient that varies a little, what is left is its variance:

# %% name="centered"
plain, centered = (lengths(RMSProp(1e-3, alpha=0.9, centered=c), [1.0] * 100) / 1e-3 for c in (False, True))
left = 0.9 ** np.arange(1, 101)
assert np.allclose(centered, 1 / np.sqrt(left * (1 - left)), rtol=1e-4)
for step in (10, 50, 100):
    print(f"constant gradient, step {step}: plain {plain[step - 1]:.1f} lr, centered {centered[step - 1]:.1f} lr")
noisy = 1 + 0.1 * np.random.default_rng(seed).normal(size=1000)
varied = lengths(RMSProp(1e-3, alpha=0.9, centered=True), noisy)[-500:].mean() / 1e-3
assert 8 < varied < 15
print(f"a gradient that varies by a tenth: {varied:.0f} lr")
theirs = torch.zeros(1, dtype=torch.float64, requires_grad=True)
torch_rule = torch.optim.RMSprop([theirs], lr=1e-3, alpha=0.9, centered=True)
for _ in range(100):
    before, theirs.grad = theirs.item(), torch.ones_like(theirs)
    torch_rule.step()
assert np.isclose((before - theirs.item()) / 1e-3, centered[-1])

# %% [markdown]
# PyTorch does the same, as the cell checks. On a straight slope a step may be bold, but here it grows by $1 / \sqrt\rho$ with every step, without end.
#
# ## Exercises
#
# ### 1. RMSProp, corrected (8 minutes, medium)
# Adam corrects its averages for their start at 0; RMSProp does not. Write the step with the correction: `s` comes in from step `t - 1`, `t` is 1 at the first step. Return `(theta, s)`.

# %% name="exercise-step"
def corrected_rmsprop(theta, g, s, t, lr, rho, eps):
    ### BEGIN SOLUTION
    s = rho * s + (1 - rho) * g**2
    return theta - lr * g / (np.sqrt(s / (1 - rho**t)) + eps), s
    ### END SOLUTION

# %% name="check-step"
check("corrected_rmsprop")

# %% [markdown]
# <details><summary>Hint 1</summary>Line 2: under gradients of one size, s is too small by a factor that depends on t.</details>
# <details><summary>Hint 2</summary>Divide by this factor for the step only; what you return is s as it is.</details>
#
# ### 2. How long it remembers (6 minutes, medium)
# All gradients have size 1, so that $s = 1$; one has the size `size`. After how many steps is what *it* adds to $s$ down to 1? (Any real number.)

# %% name="exercise-forget"
def steps_to_forget(size, rho):
    ### BEGIN SOLUTION
    return np.log(size**2 * (1 - rho)) / -np.log(rho)
    ### END SOLUTION

# %% name="check-forget"
check("steps_to_forget")

# %% [markdown]
# <details><summary>Hint 1</summary>With which weight does it enter, and by which factor does it fade per step?</details>
# <details><summary>Hint 2</summary>Solve (1 - rho) size² rho^k = 1 for k. For 1000 and 0.99 it is about the standstill in the picture.</details>
#
# ### 3. AdaGrad under any gradients (4 minutes, easy)
# One parameter, `g` the array of its gradients in turn, none of them 0. Return the lengths of all of AdaGrad's steps, without `eps`.

# %% name="exercise-steps"
def adagrad_steps(g, lr):
    ### BEGIN SOLUTION
    return lr * np.abs(g) / np.sqrt(np.cumsum(g**2))
    ### END SOLUTION

# %% name="check-steps"
check("adagrad_steps")

# %% [markdown]
# <details><summary>Hint</summary>np.cumsum gives the running sums of an array.</details>
#
# ### 4. Adadelta's second step (6 minutes, medium)
# The gradients `g` (an array, one for each parameter) are the same at the first and the second step. Return the length of the **second** step of each, at `lr = 1`.

# %% name="exercise-second"
def adadelta_second(g, rho, eps):
    ### BEGIN SOLUTION
    first = np.sqrt(eps) / np.sqrt((1 - rho) * g**2 + eps) * g
    d, s = (1 - rho) * first**2, (1 - rho**2) * g**2
    return np.sqrt(d + eps) / np.sqrt(s + eps) * np.abs(g)
    ### END SOLUTION

# %% name="check-second"
check("adadelta_second")

# %% [markdown]
# <details><summary>Hint 1</summary>Line 4 gives the first step; what does it leave in d?</details>
# <details><summary>Hint 2</summary>The second step divides by s after two gradients, line 2.</details>
#
# [All solutions of this lesson](../../solutions/03_algorithms/12_adaptive.ipynb)
#
# ## Takeaways
#
# - Dividing by the root of past squares takes the size out of a gradient. **G14: confirmed.** AdaGrad's steps are $\eta / \sqrt t$, RMSProp's start at $\eta / \sqrt{1 - \rho}$ and stay at $\eta$.
# - AdaGrad's shrinking is a schedule, not a fault; a few large gradients are what stops it for good. RMSProp forgets them, and must be given a rate that suits the length of the run.
# - Do not believe that a method has no learning rate, do not use `centered` where gradients hardly change, and do not use AdaGrad where gradients can spike.
