# ---
# jupyter:
#   lesson:
#     title: AdaGrad, RMSProp, Adadelta
#     question: "AdaGrad never forgets a gradient. Is that a disease, and what really stops it?"
#     minutes: 50
#     needs: [04_adam]
#     settles: [G14]
#     studies: [optim.AdaGrad, optim.RMSProp, optim.Adadelta]
# ---

# %% [markdown] name="goal"
# # AdaGrad, RMSProp, Adadelta
#
# **Goal.** Give every parameter its own step by dividing by what its gradients were, and decide how much of the past to remember.
#
# **The question.** AdaGrad never forgets a gradient: what it divides by only ever grows. Adadelta was proposed to cure this, and RMSProp forgets too. Is it a disease? And what does it take to make AdaGrad really stop?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: device, seed, profile
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup" tags=["fold"]
# Set-up: imports, and the device to compute on
from dataclasses import replace

import numpy as np
import torch

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.optim import SGD, Adadelta, AdaGrad, Adam, RMSProp
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/12_adaptive")

# %% [markdown] name="formula"
# ## The formula
#
# The source document names RMSProp without a formula: Tieleman and Hinton taught it in their lectures *Neural Networks for Machine Learning* (2012, lecture 6.5). The older AdaGrad (Duchi, Hazan and Singer 2011, *Adaptive subgradient methods for online learning and stochastic optimization*) it leaves out. Both keep one number $s$ per parameter:
#
# $$\text{AdaGrad:}\quad s_t = s_{t-1} + g_t^2 \qquad \text{RMSProp:}\quad s_t = \rho\, s_{t-1} + (1 - \rho)\, g_t^2 \qquad\quad \theta_t = \theta_{t-1} - \eta\, \frac{g_t}{\sqrt{s_t} + \epsilon}$$
#
# **Adadelta** (Zeiler 2012, *ADADELTA: an adaptive learning rate method*, arXiv 1212.5701) replaces the rate $\eta$ by the size of its own earlier steps, kept in a second average $d$:
#
# $$\Delta_t = \frac{\sqrt{d_{t-1} + \epsilon}}{\sqrt{s_t + \epsilon}}\, g_t \qquad d_t = \rho\, d_{t-1} + (1 - \rho)\, \Delta_t^2 \qquad \theta_t = \theta_{t-1} - \eta\, \Delta_t, \ \text{with } \eta = 1$$
#
# | symbol | code | shape | default in PyTorch |
# |---|---|---|---|
# | $\theta, g$ | `theta`, `g` | any, the same | |
# | $s$ | `v` | as $\theta$, starts at 0 | |
# | $d$ | `d` | as $\theta$, starts at 0 | |
# | $\eta$ | `lr` | a number | 0.01; Adadelta 1 |
# | $\rho$ | `alpha`, `rho` | a number in $[0, 1)$ | 0.99; Adadelta 0.9 |
# | $\epsilon$ | `eps` | a number | AdaGrad $10^{-10}$, RMSProp $10^{-8}$, Adadelta $10^{-6}$ |
#
# Square, root and division are elementwise.
#
# ## Derivation
#
# Lines 1 to 3 leave out $\epsilon$; in lines 2 and 3 ordinary gradients keep their size $|g|$.
#
# 1. AdaGrad: $s_t$ is $t$ times the mean of all squares so far. So under **any** gradients a step is the gradient over its root mean square, at the rate $\eta / \sqrt t$: **a schedule is built in.** If the size stays the same, step $t$ is
#    $\eta / \sqrt t$ long, whatever the size. The steps shrink, but their sum grows without end, like $2 \eta \sqrt t$.
# 2. RMSProp: $s_t = (1 - \rho^t)\, g^2$. Step $t$ is $\eta / \sqrt{1 - \rho^t}$: it falls from $\eta / \sqrt{1 - \rho}$, ten rates at $\rho = 0.99$, to one rate, and stays there.
# 3. Now $n$ gradients in a row are $K$ times as large. AdaGrad's sum grows by $n K^2 g^2$, as much as in $n K^2$ ordinary steps, and keeps it for good. In RMSProp a large gradient enters with the weight $1 - \rho$ and
#    fades by $\rho$ per step: the wait until it is gone grows only like $\log K / (1 - \rho)$.
# 4. Adadelta, where $\epsilon$ is small beside $s$: divide $\Delta_t$ by $\sqrt\epsilon$ and $d_t$ by $\epsilon$: only $d / \epsilon$ is left, which starts at 0. So a hundred times $\epsilon$ makes **every** step ten times
#    as long, under any gradients; the first is $\sqrt{\epsilon / (1 - \rho)}$. **The rate has not gone; it is called $\sqrt\epsilon$.**

# %% name="derivation"
def walk(rule, gradients):  # the library's own steps: their lengths, and s at the end
    state, lengths = rule.init(np.zeros(1)), []
    for x in gradients:
        new, state = rule.update(np.zeros(1), np.full(1, x), state)
        lengths.append(abs(new[0]))
    return np.array(lengths), state.v[0]

g, K, n, later, rho = 0.7, 50, 3, 4, 0.9
even, spiky = [g] * 9, [g] * 2 + [K * g] * n + [g] * later
for rule, constant, excess in [
    (AdaGrad(), 9 * g**2, n * (K**2 - 1) * g**2),  # line 1; 3: it stays
    # line 2; 3: it fades
    (RMSProp(alpha=rho), (1 - rho**9) * g**2, rho**later * (1 - rho**n) * (K**2 - 1) * g**2),
]:
    s, s_spiky = (walk(rule, gradients)[1] for gradients in (even, spiky))
    assert np.allclose([s, s_spiky - s], [constant, excess])
    print(f"{type(rule).__name__:7} s after 9 steps: {s:.3f}, with a spike {s_spiky:.1f}")

# %% name="lengths"
def lengths(rule, gradients):
    return walk(rule, gradients)[0]

t, even = np.arange(1, 2001), [7.0] * 2000
wild = np.random.default_rng(seed).uniform(1, 40, 2000) * (-1.0) ** t
falling, mean_of_all = lengths(AdaGrad(0.5), even), Adam(0.5, beta1=0, beta2=1 - 1e-8)
assert np.allclose(lengths(AdaGrad(0.5), wild), lengths(mean_of_all, wild) / np.sqrt(t), rtol=1e-4)
assert np.allclose(falling, 0.5 / np.sqrt(t)) and np.isclose(falling.sum(), 2000**0.5, rtol=0.02)
level = lengths(RMSProp(0.5), even)
assert np.allclose(level, 0.5 / np.sqrt(1 - 0.99**t))
small, large = (lengths(Adadelta(eps=eps), wild) for eps in (1e-6, 1e-4))
assert np.allclose(large / small, 10, rtol=0.02) and np.isclose(small[0], 1e-5**0.5, rtol=0.01)
for name, found in {"AdaGrad, lr 0.5": falling, "RMSProp, lr 0.5": level, "Adadelta, wild": small,
                    "the same, eps x 100": large}.items():
    print(f"{name:20} first step {found[0]:.3f}, all 2000 together {found.sum():.1f}")

# %% [markdown] name="code"
# ## Code

# %% name="source"
show(AdaGrad, RMSProp, Adadelta)

# %% [markdown] name="parity-with-pytorch"
# What the formulas do not have is off by default: `weight_decay`, an L2 penalty; `lr_decay`, a schedule on top; `initial_accumulator_value`, another start of $s$; `momentum`, which sums up the divided gradients; `centered`, which takes the square of the average gradient off $s$.
#
# ## Parity with PyTorch
#
# The largest relative difference after 50 steps; each column of the parameter gets gradients of another size. For half precision the judge is PyTorch in float32.

# %% tags=["nbval-ignore-output", "fold"] name="parity-adagrad"
# Against PyTorch
parity.table("AdaGrad", setting.device)

# %% tags=["nbval-ignore-output", "fold"] name="parity-rmsprop"
# Against PyTorch
parity.table("RMSProp", setting.device)

# %% tags=["nbval-ignore-output", "fold"] name="parity-adadelta"
# Against PyTorch
parity.table("Adadelta", setting.device)

# %% [markdown] name="picture-text"
# ## Picture
#
# The word pairs of the Adam lesson: `theta[i, j]` is the logit of word `j` after word `i`, counted in CPython's own documentation, in batches of 64 pairs. We report the **gap** of the objective above its floor, the entropy of the counts.
# Left, 1500 ordinary steps at rates that suit each rule. Right, the loss is multiplied by 1000 in steps 20 to 24, as a wrong unit would do.

# %% name="words"
def words(seed, size=48):  # each pair (word, next word) as one number
    ids = torch.tensor(data.words(seed, size).ids, device=setting.device)
    return ids[:-1] * size + ids[1:]

def counts(rows, size=48):  # how often each pair occurs in each row
    offset = size * size * torch.arange(len(rows), device=rows.device)[:, None]
    found = torch.bincount((rows + offset).ravel(), minlength=len(rows) * size * size)
    return found.reshape(len(rows), size, size)

def loss(theta, share):
    return -(share * torch.log_softmax(theta.double(), 2)).sum((1, 2))

# %% name="gaps"
texts = {s: words(s) for s in setting.seeds}
share = torch.cat([counts(pairs[None]) / len(pairs) for pairs in texts.values()])
batches = []
for s, pairs in texts.items():
    picked = torch.randint(len(pairs), (1500, 64), generator=torch.Generator().manual_seed(s))
    batches.append(counts(pairs[picked.to(pairs.device)]).to(torch.uint8))
floor, at = loss(share.clamp(min=1e-30).log(), share), np.arange(10, 1501, 10)

def gaps(rule, spike=1, noise=True, falling=False):  # all seeds at once; every tenth step
    theta, found, state = torch.zeros_like(share), [], rule.init(share)
    for t in range(1, 1501):
        batch = torch.stack([b[t - 1] for b in batches]) / 64 if noise else share
        g = batch.sum(2, keepdim=True) * torch.softmax(theta, 2) - batch  # p - target, in the mean
        now = replace(rule, lr=rule.lr / t**0.5) if falling else rule
        theta, state = now.update(theta, g * spike if 20 <= t <= 24 else g, state)
        if t % 10 == 0:
            found.append(loss(theta, share) - floor)
    return torch.stack(found, 1).cpu().numpy()

# %% name="runs"
rules = {"AdaGrad, 0.5": AdaGrad(0.5), "RMSProp, 0.02": RMSProp(0.02)}
runs = {k: {label: gaps(rule, spike=k) for label, rule in rules.items()} for k in (1, 10, 1000)}

# %% name="picture"
def bands(runs):
    return {label: tuple(np.quantile(r, [0, 0.5, 1], axis=0)) for label, r in runs.items()}

plots.side_by_side(
    at, bands(runs[1]), bands(runs[1000]),
    "step", ("gap above the floor (nats)",) * 2,
    "Left, on logarithmic axes: AdaGrad is ahead, RMSProp catches up after some 500 steps and "
    "levels off near 0.02, AdaGrad falls on to 0.013. Right: from the spike on AdaGrad creeps and "
    "ends near 0.14; RMSProp, above it, hardly moves for some 500 steps, then falls to 0.03.",
    titles=("Ordinary steps", "Loss x 1000 in steps 20 to 24"), logs=("xy", "xy"),
)

# %% [markdown] name="after-picture"
# Left: RMSProp levels off where its steps of constant length meet the noise of the batches; AdaGrad's shrink, and it falls on. Right: **what stops AdaGrad is not time, it is a few large gradients.** Line 3: five of size 1000 weigh as much as
# five million ordinary ones. RMSProp waits until they have faded.
#
# Is noise the reason? Take the exact gradient at every step:

# %% tags=["nbval-ignore-output"] name="noise"
def shown(found):
    return f"{np.median(found):.2g} ({found.min():.2g} to {found.max():.2g})"

a, r = rules
exact = {k: gaps(rule, noise=False)[:, -1] for k, rule in rules.items()}
higher = gaps(AdaGrad(5.0), noise=False)[:, -1]
assert (runs[1][a][:, -10:].mean(1) < runs[1][r][:, -10:].mean(1)).all()
assert (exact[r] < runs[1][r][:, -1] / 100).all()
assert (higher < exact[r] / 2).all() and (exact[r] < exact[a] / 2).all()
rows = [[k, shown(runs[1][k][:, -1]), shown(exact[k])] for k in rules]
Table(["gap after 1500 steps", "batches of 64", "exact gradients"],
      [*rows, ["AdaGrad, 5", "", shown(higher)]], "Median over the seeds (lowest to highest).")

# %% [markdown] name="after-noise"
# At this rate it is. And without noise AdaGrad can take a large rate: gradients that vanish add nothing to $s$, so its steps need not shrink.
#
# How large must the spike be, and how long does one wait?

# %% tags=["nbval-ignore-output"] name="spikes"
end = {(k, label): runs[k][label][:, -1] / runs[1][label][:, -1] for k in runs for label in rules}
assert end[10, a].max() < 1.4 and end[1000, a].min() > 5
assert max(end[k, r].max() for k in runs) < 2
assert (runs[1000][r][:, 29] > 1.5 * runs[1000][a][:, 29]).all()
columns = [(t, label) for t in (300, 1500) for label in rules]
Table(
    ["loss times", *(f"{label}: step {t}" for t, label in columns)],
    [[k, *(shown(runs[k][label][:, t // 10 - 1]) for t, label in columns)] for k in runs],
    "Median gap over the seeds (lowest to highest).",
)

# %% [markdown] name="after-spikes"
# Ten times does little: line 3 counts the five as 500 ordinary gradients. A thousand times leaves AdaGrad with more than five times its gap. RMSProp is back below twice its gap, **if the run is long enough**: at step 300 it still waits, behind AdaGrad.
#
# Does the left panel depend on the two rates? Four rates for AdaGrad, five for RMSProp, and beside them Adam without momentum, which is RMSProp with a corrected start, at the rates of line 1:

# %% tags=["nbval-ignore-output"] name="rates"
steps = np.array([100, 300, 600, 1500])
grid = {AdaGrad: (0.25, 0.5, 1.0, 2.0), RMSProp: (0.005, 0.01, 0.02, 0.05, 0.1)}

def medians(rule, **how):
    known = [runs[1][label] for label in rules if rules[label] == rule]
    return np.median(known[0] if known else gaps(rule, **how), 0)[steps // 10 - 1]

gap = {k: np.array([medians(k(lr)) for lr in grid[k]]) for k in grid}
best = [grid[RMSProp][i] for i in gap[RMSProp].argmin(0)]
adagrad, rmsprop = gap[AdaGrad][1], gap[RMSProp].min(0)
twin = medians(Adam(0.5, beta1=0, beta2=0.999), falling=True)
assert (adagrad < 1.1 * gap[AdaGrad].min(0)).all() and (gap[AdaGrad][[0, -1]] > adagrad).all()
assert best == sorted(best, reverse=True) and 0.1 > best[0] >= 3 * best[-1] > 3 * 0.005
assert np.allclose(rmsprop / adagrad, 1, atol=0.15) and np.allclose(twin / adagrad, 1, atol=0.1)
names = "steps", "AdaGrad, 0.5", "Adam, 0.5 / sqrt(t)", "RMSProp", "at its best rate"
columns = [[f"{gap:.2g}" for gap in x] for x in (adagrad, twin, rmsprop)]
rows = zip(steps.tolist(), *columns, map(str, best), strict=True)
Table(names, rows, "Median gap over the seeds.")

# %% [markdown] name="needs-no-learning-rate"
# AdaGrad's 0.5 stays within a tenth of its best rate at every length. RMSProp's best falls as the run grows, in all to a fifth over fifteen times the steps ($\sqrt{15}$ is 3.9): whoever tunes it for each length walks down about as $1 / \sqrt t$ by hand, and ends within 15 % of AdaGrad. With the schedule written out, Adam's corrected average does what AdaGrad does. **The disease
# is a schedule, $\eta / \sqrt t$,** and on this problem, which is convex and noisy, it is a good one.
#
# ## What breaks
#
# ### "Needs no learning rate"
#
# Adadelta's paper promises "no manual tuning of a learning rate". Line 4 found one in $\epsilon$, PyTorch's `lr` is another; here are 1500 steps with each, beside plain SGD:

# %% tags=["nbval-ignore-output"] name="adadelta"
trials = {
    "default": Adadelta(), "eps x 1000": Adadelta(eps=1e-3), "SGD, 1": SGD(1.0),
    "lr = 10": Adadelta(lr=10.0), "lr = 30": Adadelta(lr=30.0), "lr = 100": Adadelta(lr=100.0),
}
after = {label: gaps(rule)[:, -1] for label, rule in trials.items()}
assert after["default"].min() > 3 * after["lr = 10"].max()
assert np.allclose(after["eps x 1000"], after["SGD, 1"], rtol=0.05)
assert all((after["lr = 30"] < after[k]).all() for k in ("lr = 10", "lr = 100"))
Table(["1500 steps", "gap"], [[label, shown(found)] for label, found in after.items()],
      "Median over the seeds (lowest to highest).")

# %% [markdown] name="a-variance-of-zero"
# The default is far too slow here, and either number helps; $\epsilon$ only so far: where it is larger than $d$ and $s$, both roots are the same, and Adadelta *is* SGD with the rate `lr`, as rows two and three show. With $\epsilon$ left alone, the best of three `lr` is 30.
# A number that must be found is a learning rate, whatever its name.
#
# ### A variance of zero
#
# `centered` (Graves 2013, *Generating sequences with recurrent neural networks*) takes off $s$ the square of the average gradient. Under a constant gradient this average is $1 - \rho^t$ times it, and under the root there is left $(1 - \rho^t) - (1 - \rho^t)^2 = \rho^t (1 - \rho^t)$ times its square: nothing, in the end. With
# a gradient that varies a little, what is left is about its variance:

# %% name="centered"
rule, constant = RMSProp(1.0, alpha=0.9), [1.0] * 100
plain, centered = lengths(rule, constant), lengths(replace(rule, centered=True), constant)
left = 0.9 ** np.arange(1, 101)
assert np.allclose(centered, 1 / np.sqrt(left * (1 - left)), rtol=1e-4)
for step in (10, 50, 100):
    sizes = f"plain {plain[step - 1]:.1f} lr, centered {centered[step - 1]:.1f} lr"
    print(f"constant g, step {step}: {sizes}")
noisy = np.random.default_rng(seed).normal(1, 0.1, 1000)
varied = lengths(RMSProp(1.0, alpha=0.9, centered=True), noisy)[-500:].mean()
assert 8 < varied < 15
print(f"a gradient that varies by a tenth: {varied:.0f} lr")

# %% [markdown] name="after-centered"
# On a straight slope a step may be bold, but this one grows, in the end by $1 / \sqrt\rho$ each time, until $\epsilon$ or rounding stops it; and rounding may leave less than zero under the root. Constant gradients of 300 sizes in float32, ours and PyTorch's:

# %% name="centered-rounding"
g = np.linspace(0.1, 3, 300, dtype="float32")
rule, ours, theirs = RMSProp(alpha=0.9, centered=True), 0 * g, torch.zeros(300, requires_grad=True)
torch_rule, state = torch.optim.RMSprop([theirs], alpha=0.9, centered=True), rule.init(ours)
for _ in range(1000):
    ours, state = rule.update(ours, g, state)
    theirs.grad = torch.tensor(g)
    torch_rule.step()
lost = theirs.isnan().float().mean().item()
assert lost > 0.1 and np.isfinite(ours).all() and abs(ours).max() > 1e6
far = np.log10(abs(ours).max())
print(f"PyTorch: {lost:.1f} of them are NaN; ours: none, but one is thrown 10^{far:.0f} away")

# %% [markdown] name="rmsprop-corrected"
# PyTorch takes the root of the negative number; the library holds it at 0, and $\epsilon$ alone divides. Neither step is of use.
#
# ## Exercises
#
# ### 1. RMSProp, corrected (6 minutes, medium)
# Adam corrects its averages for their start at 0; RMSProp does not. Write the step with the correction: `s` comes in from step `t - 1`, `t` is 1 at the first step. Return `(theta, s)`.

# %% name="exercise-step"
def corrected_rmsprop(theta, g, s, t, lr, rho, eps):
    ### BEGIN SOLUTION
    s = rho * s + (1 - rho) * g**2
    return theta - lr * g / (np.sqrt(s / (1 - rho**t)) + eps), s
    ### END SOLUTION

# %% name="check-step"
check("corrected_rmsprop")

# %% [markdown] name="how-long-it-remembers"
# <details><summary>Hint 1</summary>Line 2: under gradients of one size, s is too small by a factor that depends on t.</details>
# <details><summary>Hint 2</summary>Divide by this factor for the step only; what you return is s as it is.</details>
#
# ### 2. How long it remembers (5 minutes, medium)
# RMSProp. All gradients have size 1, so that $s = 1$; one has the size `size`. How many steps after its own is what *it* added to $s$ down to 1? (A real number: do not round.)

# %% name="exercise-forget"
def steps_to_forget(size, rho):
    ### BEGIN SOLUTION
    return np.log(size**2 * (1 - rho)) / -np.log(rho)
    ### END SOLUTION

# %% name="check-forget"
check("steps_to_forget")

# %% [markdown] name="adagrad-under-any-gradients"
# <details><summary>Hint 1</summary>With which weight does it enter, and by which factor does it fade per step?</details>
# <details><summary>Hint 2</summary>Solve (1 - rho) size² rho^k = 1 for k. For 1000 and 0.99 it is some 900 steps. In the right picture RMSProp gets going a little earlier: its steps lengthen while the spike fades.</details>
#
# ### 3. AdaGrad under any gradients (4 minutes, easy)
# One parameter, `g` the array of its gradients in turn, none of them 0. Return the lengths of all of AdaGrad's steps, without `eps`, with NumPy alone.

# %% name="exercise-steps"
def adagrad_steps(g, lr):
    ### BEGIN SOLUTION
    return lr * np.abs(g) / np.sqrt(np.cumsum(g**2))
    ### END SOLUTION

# %% name="check-steps"
check("adagrad_steps")

# %% [markdown] name="adadelta-second-step"
# <details><summary>Hint</summary>np.cumsum gives the running sums of an array.</details>
#
# ### 4. Adadelta's second step (5 minutes, medium)
# The gradients `g` (an array, one for each parameter) are the same at the first and the second step; the lengths of the first are given, `first`. Return those of the **second**, at `lr = 1`, with NumPy alone and every `eps` in its place.

# %% name="exercise-second"
def adadelta_second(first, g, rho, eps):
    ### BEGIN SOLUTION
    d, s = (1 - rho) * first**2, (1 - rho**2) * g**2
    return np.sqrt(d + eps) / np.sqrt(s + eps) * np.abs(g)
    ### END SOLUTION

# %% name="check-second"
check("adadelta_second")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>d starts at 0. What does the first step leave in it?</details>
# <details><summary>Hint 2</summary>The second step divides by s after two gradients, line 2.</details>
#
# ## Takeaways
#
# - Dividing by the root of past squares takes the size out of a gradient. Under gradients of one size AdaGrad's steps are $\eta / \sqrt t$; RMSProp's fall from $\eta / \sqrt{1 - \rho}$ to $\eta$ and stay there.
# - AdaGrad's shrinking is a schedule, $\eta / \sqrt t$, and no disease on the noisy word pairs. A few huge gradients all but freeze it; RMSProp forgets them in time, and wants a rate that suits the length of the run.
# - Do not believe that a method has no learning rate, do not use `centered` where gradients hardly change, and do not use AdaGrad where gradients can spike.
