# ---
# jupyter:
#   lesson:
#     title: Schedules, warm-up and averaging
#     question: "SGD circles. Lower the rate, or average the circle: on paper both end at one place. On data?"
#     minutes: 55
#     needs: [03_sgd, 11_momentum]
#     studies: [optim.schedules.warmup_cosine, optim.averages.ema, optim.averages.running_mean]
#     settles: [G19, E22]
# ---

# %% [markdown] name="title"
# # Schedules, warm-up and averaging
#
# **Goal.** Choose what the learning rate does over time, know what averaging the weights can do instead, and when warm-up matters.
#
# **The question.** At a constant rate SGD stops getting closer: it circles around the minimum (lesson 3). One may lower the rate, or go on circling and take the average of the weights. On paper both end at the same place, and for the average the rate does not even matter. Does that hold on data?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: device, seed, profile
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup" tags=["fold"]
# Set-up: imports, and the device to compute on
from itertools import pairwise, product

import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, data, exercises, plots
from lessons_lib.core import mean
from lessons_lib.losses import binary_cross_entropy, cross_entropy
from lessons_lib.optim import averages, schedules
from lessons_lib.optim.schedules import cosine, warmup_cosine, warmup_stable_decay
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/16_schedules")

# %% [markdown] name="the-formula"
# ## The formula
#
# The source document has one constant $\eta$. The usual schedule today is **warm-up, then cosine** (the warm-up of Goyal and others, 2017, the cosine of Loshchilov and Hutter, 2017), over $T$ steps of which $T_w$ warm up:
#
# $$\eta_t = \eta\, \frac{t}{T_w} \ \text{ for } t < T_w, \qquad \eta_t = \eta_{\min} + \tfrac12 (\eta - \eta_{\min}) \Big( 1 + \cos \pi \frac{t - T_w}{T - T_w} \Big) \ \text{ after}$$
#
# **Averages** of the weights leave training alone (Ruppert 1988; Polyak and Juditsky 1992): the running mean $\bar\theta_t = \bar\theta_{t-1} + \frac{1}{t} (\theta_t - \bar\theta_{t-1})$ (stochastic weight averaging, SWA, is this, once an epoch: Izmailov and others, 2018), and the exponential one, $\bar\theta_t = \beta\, \bar\theta_{t-1} + (1 - \beta)\, \theta_t$ (EMA).
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $t$; $T, T_w$ | `t`; `total`, `warmup` | numbers | the step, 1 to $T$; how many steps, and how many of them warm up |
# | $\eta, \eta_{\min}$; $\eta_t$ | `lr`, `lr_min`; `rate` | numbers | highest and last learning rate; the rate in step $t$ |
# | $\theta, \bar\theta$ | `theta`, `average` | any, the same | the weights; their average |
# | $\beta$ | `decay` | a number in $[0, 1)$ | the share of the old average that stays |
# | $h$; $\xi_t$; $\sigma^2$ | `h`; `xi`; `sigma**2` | numbers | curvature; noise of a gradient, mean 0; its variance |
# | $V$; $\rho$; $n$ | `V`; `rho`; `n` | numbers | variance of $\theta$; $1 - \eta h$; how many weights are averaged |
#
# ## Derivation
#
# One parameter near a minimum at 0, the gradient $h \theta + \xi_t$, the noise independent in each step: $\theta_t = \rho\, \theta_{t-1} - \eta\, \xi_t$, with $0 < \eta h < 2$.
#
# 1. The start is forgotten like $\rho^t$. The variance settles where $V = \rho^2 V + \eta^2 \sigma^2$: at $V = \frac{\eta\, \sigma^2}{h (2 - \eta h)}$, **for small rates in proportion to $\eta$.** A large rate forgets fast and circles wide; a small one is slow and precise. A falling rate does one after the other. (Without noise $V$ is 0: there is no circle to narrow.)
# 2. Weights $k$ steps apart on the circle have the correlation $\rho^k$. Added up over all pairs, the mean of many, $n$, has about the variance $\frac{V}{n} \cdot \frac{1 + \rho}{1 - \rho} = \frac{\sigma^2}{n h^2}$: **the rate has cancelled.**
# 3. The rate $\eta_t = \frac{1}{h t}$ gives $\theta_t = -\frac{1}{h t} \sum_{i \le t} \xi_i$, whatever the start: its variance is $\frac{\sigma^2}{t h^2}$, the same. Decay and averaging are two ways to one place (the average without knowing $h$), **if curvature and noise are the same everywhere.**
# 4. An EMA that has settled has the variance $V \frac{1 - \beta}{1 + \beta} \cdot \frac{1 + \beta \rho}{1 - \beta \rho}$: below $V$, but above 0 for good. Its memory is about $\frac{1}{1 - \beta}$ steps, not all of them.
# 5. Why warm up? Take $J = \frac14 \theta^4$, gradient $\theta^3$. A step lands farther out than it started if $\eta\, \theta^2 > 2$: far out the edge is low, near 0 high. **Where the curvature falls along the way, a rate that would be right later is too large at first.** On a quadratic the edge $2 / h$ never moves.

# %% name="derivation"
h, eta, sigma, V, n = sp.symbols("h eta sigma V n", positive=True)
rho = 1 - eta * h
settled = sp.solve(sp.Eq(V, rho**2 * V + eta**2 * sigma**2), V)[0]
assert sp.simplify(settled - eta * sigma**2 / (h * (2 - eta * h))) == 0  # line 1
assert sp.simplify(settled / n * (1 + rho) / (1 - rho) - sigma**2 / (n * h**2)) == 0  # line 2
xi, theta = sp.symbols("x1:6"), sp.Symbol("theta0")
for t in range(1, 6):
    theta = theta - (h * theta + xi[t - 1]) / (h * t)
assert sp.simplify(theta + sum(xi) / (5 * h)) == 0  # line 3
for t in range(1, 301):  # the formula of the schedule, at T = 300, T_w = 50, from 0.3 to 0.01
    fall = 0.01 + 0.29 * (1 + np.cos(np.pi * (t - 50) / 250)) / 2
    assert np.isclose(warmup_cosine(t, 50, 300, 0.3, 0.01), 0.3 * t / 50 if t < 50 else fall)

# %% name="law"
def circling(lr, steps=400, decay=0.9):  # 20 000 walks at once, h = 1, noise of variance 1
    rng, theta, mean_of_all = np.random.default_rng(seed), np.zeros(20_000), np.zeros(20_000)
    ema = theta
    for t in range(steps):
        theta = theta - lr * (theta + rng.normal(size=20_000))
        ema = averages.ema(ema, theta, decay)
        mean_of_all = averages.running_mean(mean_of_all, theta, t)
    return theta.var(), steps * mean_of_all.var(), ema.var()

rows = []
for lr in (0.1, 0.3, 1.0):
    r, v = 1 - lr, lr / (2 - lr)
    wide = [v, 1, v * 0.1 / 1.9 * (1 + 0.9 * r) / (1 - 0.9 * r)]
    measured = circling(lr)
    assert np.allclose(measured, wide, rtol=0.1)
    rows.append([lr, *(f"{m:.2g}, {w:.2g}" for m, w in zip(measured, wide, strict=True))])
Table(["rate", "circle: measured, line 1", "n x mean of all: measured, line 2",
       "EMA: measured, line 4"], rows)

# %% name="edge"
def last(lr, warmup=1):  # line 5, from 10
    x = 10.0
    for t in range(1, 1001):
        x = x - lr * min(1, t / warmup) * x**3 if abs(x) < 1e3 else np.inf
    return abs(x)

assert last(0.019) < 1 and last(0.021) == np.inf
assert last(1.0) == np.inf and last(1.0, warmup=200) < 0.1
for lr, warmup in ((0.019, 1), (0.021, 1), (1.0, 1), (1.0, 200)):
    print(f"rate {lr}, warm-up {warmup}: from 10 to {last(lr, warmup):.1g}")

# %% [markdown] name="code"
# ## Code

# %% name="source"
show(warmup_cosine, warmup_stable_decay)

# %% [markdown] name="after-source"
# A schedule is a plain function of $t$: a resumed run needs only its step. The source document's loop gains one line: (a) **rate for step $t$**, (b) sample, (c) gradient, (d) update.
#
# **Where to count from.** Of twelve updates under a plan for twelve, one has the rate 0: counted from 0 the first, counted from 1 the last. A plan one step longer, or $\eta_{\min} > 0$, saves the last:

# %% name="count"
rows = []
for first, total in ((0, 12), (1, 12), (1, 13)):
    r = [warmup_cosine(t, 4, total, 1.0) for t in range(first, first + 12)]
    assert sum(x < 1e-15 for x in r) == (total == 12)
    rows.append([f"t from {first}, total {total}", *(f"{x:.2f}" for x in r)])
Table(["rate in update", *range(1, 13)], rows)

# %% [markdown] name="parity-with-pytorch"
# ## Parity with PyTorch
#
# In PyTorch `optimizer.step()` comes first, `scheduler.step()` after it. Most of its schedulers compute each rate from the one they find; ours are closed forms in $t$, from 0 here as there. Its averages are `torch.optim.swa_utils.AveragedModel`, by default the running mean, with `avg_fn=get_ema_avg_fn(0.99)` the EMA. Statistics that layers collect (batch normalization) are copied, not averaged: run `update_bn` at the end. The same rates over 100 updates:

# %% name="used"
sched = torch.optim.lr_scheduler

def used(make, steps=100):  # the rates of the updates, the base rate being 1
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, rates = make(optimizer), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates

def rise_and_fall(o):
    up, down = sched.LinearLR(o, 0.1, 1.0, 20), sched.ExponentialLR(o, 0.97)
    return sched.SequentialLR(o, [up, down], [20])

# %% name="parity-table"
parts = [lambda t: schedules.linear(t, 20, 1.0, 0.1), lambda t: schedules.exponential(t, 1.0, 0.97)]
pairs = {
    "StepLR": (lambda o: sched.StepLR(o, 30), lambda t: schedules.step_decay(t, 30, 1.0)),
    "CosineAnnealingLR": (lambda o: sched.CosineAnnealingLR(o, 40), lambda t: cosine(t, 40, 1)),
    "SequentialLR": (rise_and_fall, lambda t: schedules.sequential(t, parts, [20])),
}
rows = []
for name, (make, ours) in pairs.items():
    worst = max(abs(rate - ours(t)) for t, rate in enumerate(used(make)))
    assert worst < 1e-12
    rows.append([name, f"{worst:.1e}"])
Table(["scheduler", "largest difference over 100 updates, rate 1"], rows)

# %% [markdown] name="picture-text"
# ## Picture
#
# The tumours of lesson 1, logistic regression with a small penalty, SGD with batches of 16, $T = 1500$. Constant rate; cosine; and of the constant rate the EMA ($\beta = 0.99$) and the mean of the last half. All see the same batches, at rates from 0.1 to 10.
#
# Beside it a **bowl** like this problem at its minimum: the same Hessian, and in each step the noise that the batch has *there*. In it lines 1 to 4 are true everywhere.

# %% name="tumours"
def sigmoid(z):
    return (1 + np.tanh(z / 2)) / 2

class Tumours:
    def __init__(self, s):
        d = data.breast_cancer(s)
        self.x, self.y = np.c_[d.x, np.ones(len(d.x))], d.y * 1.0
        self.best = np.zeros(31)
        for _ in range(30):  # Newton's method: the minimum, to compare with
            p = sigmoid(self.x @ self.best)
            self.hessian = (self.x.T * (p * (1 - p))) @ self.x / len(p) + 0.001 * np.eye(31)
            self.best = self.best - np.linalg.solve(self.hessian, self.gradient(self.best))

    def gradient(self, theta, n=slice(None)):
        x, y = self.x[n], self.y[n]
        return (sigmoid(theta @ x.T) - y) @ x / len(y) + 0.001 * theta

# %% name="bowl"
def objective(job, theta):  # theta: one or many sets of weights, shape (..., 31)
    z = theta @ job.x.T
    return binary_cross_entropy(z, job.y + 0 * z).value.mean(-1) + 0.0005 * (theta**2).sum(-1)

def gap(job, theta):
    return objective(job, theta) - objective(job, job.best)

class Bowl:
    def __init__(self, job):
        self.job, self.y = job, job.y

    def gradient(self, theta, n):
        return (theta - self.job.best) @ self.job.hessian + self.job.gradient(self.job.best, n)

def bowl_gap(bowl, theta):
    off = theta - bowl.job.best
    return (off @ bowl.job.hessian * off).sum(-1) / 2

# %% name="walk"
T, lrs = 1500, np.array([0.1, 0.3, 1.0, 3.0, 10.0])

def walk(job, s, *shapes, gap=gap, steps=T):  # each shape at each rate; averages of the first
    rng, theta, gaps = np.random.default_rng(s), np.zeros((len(shapes), 5, 31)), []
    ema = half = theta[0]
    for t in range(1, steps + 1):
        rates = np.multiply.outer([shape(t) for shape in shapes], lrs)  # (a)
        n = rng.integers(len(job.y), size=16)  # (b)
        theta = theta - rates[..., None] * job.gradient(theta, n)  # (c), (d)
        ema = averages.ema(ema, theta[0], 0.99)
        half = averages.running_mean(half, theta[0], max(0, t - steps // 2 - 1))
        if t % 50 == 0:
            gaps.append(gap(job, np.array([*theta, ema, half])))
    return np.moveaxis(gaps, 0, -1)  # (way, rate, time)

# %% name="race"
def constant(t):
    return 1.0

def best(ends):  # per way, the rate with the lowest median; chosen on the seeds it is shown on
    return np.median(ends, 0).argmin(-1)

ways = ["constant", "cosine", "EMA", "mean of last half"]
shapes = (constant, lambda t: cosine(t, T, 1.0))
jobs = {s: Tumours(s) for s in setting.seeds}
gaps = np.array([walk(job, s, *shapes) for s, job in jobs.items()])
bowls = np.array([walk(Bowl(job), s, *shapes, gap=bowl_gap) for s, job in jobs.items()])
ends, bowl_ends = (g[..., -5:].mean(-1) for g in (gaps, bowls))  # the mean of five looks

# %% name="picture"
left, right = (
    {way: tuple(np.quantile(e[:, i], [0, 0.5, 1], axis=0)) for i, way in enumerate(ways)}
    for e in (ends, bowl_ends)
)
plots.side_by_side(
    lrs, left, right, "learning rate", ("objective above its minimum", "the same, of the bowl"),
    "End gap against learning rate, both logarithmic. On the tumours all four fall to a lowest "
    "point; beyond rate 1 the constant rate and both averages rise steeply, the cosine far less. "
    "In the bowl only the constant rate rises much, and beyond rate 1 the mean of the last half "
    "stays level.",
    titles=("Tumours (band: all seeds)", "A bowl like it"), logs=("xy", "xy"),
)

# %% name="picture-verdict"
at = best(ends)
own = np.median(ends, 0)[range(4), at]
assert ((at > 0) & (at < 4)).all() and own[0] > 1.2 * max(own[1:]) and 0.4 < own[3] / own[1] < 2.5
Table(["way", "best rate", "end gap there, median"],
      [[way, f"{lrs[i]:g}", f"{gap_there:.1e}"]
       for way, i, gap_there in zip(ways, at, own, strict=True)])

# %% name="ten-times" tags=["nbval-ignore-output"]
worse, in_bowl = ends[..., 4] / ends[..., 2], bowl_ends[..., 4] / bowl_ends[..., 2]
longer = np.array([walk(job, s, constant, steps=4 * T) for s, job in jobs.items()])
still = longer[:, 2, 4, -5:].mean(-1) / ends[:, 3, 4]
print("end gap at rate 10 over that at rate 1, medians (tumours, bowl):")
for way, there, bowl_there in zip(ways, np.median(worse, 0), np.median(in_bowl, 0), strict=True):
    print(f"  {way}: {there:.2g}, {bowl_there:.2g}")
print("mean of last half, rate 10, four times the steps: "
      f"{np.median(still):.1g} of its gap is left")
assert (worse[:, 2:] > 20).all() and np.median(worse[:, 1]) < 6
assert (still > 0.4).all() and (in_bowl[:, 3] < 1.3).all()

# %% [markdown] name="what-breaks"
# Left of rate 1 the start is not forgotten yet (line 1). Each at its best rate, all beat the bare constant, and decay and the mean of the last half end near each other. But line 2 says that the rate cancels: in the bowl a large one does the average no harm, on the tumours it ruins it. The formula is right, its condition fails: where the curvature changes along a wide circle, the mean of the gradients is not the gradient at the mean. The circle has another centre. Four times the steps would leave a quarter of mere noise; here they leave more: **averaging for longer does not move the centre back.** A cosine ends with small steps: it forgives a rate that is too large.
#
# ## What breaks
#
# ### The plan
#
# A cosine for 500 steps, but training goes on. `warmup_cosine` stays at 0; PyTorch's class and our `cosine` turn, and are back at the full rate at 1000. **Mended:** keep a plateau, and let the rate fall when you stop (warm-up, stable, decay: Hu and others, 2024); here in the last 200 of 1000 steps:

# %% name="plan"
plans = (
    constant,
    lambda t: cosine(t, 500, 1.0),
    lambda t: warmup_stable_decay(t, 0, 800, 1000, 1.0),
)
gaps_short = np.array([walk(job, s, *plans, steps=1000) for s, job in jobs.items()])
at_500, at_1000 = (np.median(gaps_short[..., i - 2 : i], 0).mean(-1) for i in (10, 20))
i, late = at_500.argmin(-1)[1], at_1000.min(-1)

# %% name="plan-verdict"
for when, gap_then in (
    ("at 500: cosine for 500", at_500[1, i]), ("at 500: best constant rate", at_500[0].min()),
    ("at 1500: cosine for 1500", own[1]),
    ("at 1000: cosine for 500, at full rate again", at_1000[1, i]),
    ("at 1000: best constant rate", late[0]), ("at 1000: fall in the last 200", late[2]),
):
    print(f"{when}: {gap_then:.1e}")
assert at_500[1, i] < at_500[0].min() and at_500[1, i] > 1.3 * own[1]
assert at_1000[1, i] > 2 * at_500[1, i] and late[0] > 1.3 * late[2]

# %% [markdown] name="a-range-test-depends-on"
# ### A range test depends on its speed
#
# After Smith (2017, *Cyclical learning rates for training neural networks*): raise the rate a little in each step, and see where the loss takes off. Here from 0.001 to 100, until the mean of the last ten batches is over four times its lowest so far; once in 100 steps, once in 1000:

# %% name="range-test"
def takes_off(job, s, steps):
    rng, theta, losses, means = np.random.default_rng(s), np.zeros(31), [], []
    for rate in np.geomspace(0.001, 100, steps):
        n = rng.integers(len(job.y), size=16)
        losses.append(mean(binary_cross_entropy(job.x[n] @ theta, job.y[n])).value)
        means.append(np.mean(losses[-10:]))
        if means[-1] > 4 * min(means):
            return rate
        theta = theta - rate * job.gradient(theta, n)

fast, slow = np.array([[takes_off(job, s, k) for s, job in jobs.items()] for k in (100, 1000)])
assert (slow < fast).all() and np.median(fast / slow) > 2 and (fast > lrs[at].max()).all()
for what, rate in (("100 steps", fast), ("1000 steps", slow)):
    print(f"{what}: takes off at {rate.min():.1g} to {rate.max():.1g} (all seeds)")

# %% [markdown] name="warm-up-where-it-helps"
# A fast test says, roughly, where to stop searching, and little of where to begin.
#
# ### Warm-up: where it helps and where not
#
# Digits, three hidden layers of 48 or 24, momentum 0.9 (lesson 11), 300 steps, the rate falling in a straight line, with and without 50 steps of warm-up. Two starts: weights of the usual size, and three times as large, so the logits are $3^4 = 81$ times as large and the beginning is steep. With four rates, sixteen networks are trained side by side:

# %% name="deep"
grid = list(product((1, 3), (1, 50), (0.001, 0.003, 0.01, 0.02)))
start, warm, lr = torch.tensor(grid, device=setting.device).T.reshape(3, 16, 1, 1)
lr = lr * torch.where(start == 1, 10, 1)  # the usual start stands ten times the rate
loss = bridge.as_autograd(cross_entropy)

def forward(p, x, y):  # the loss of each network, shape (16,)
    for i in range(0, 8, 2):
        x = (x.relu() if i else x) @ p[i] + p[i + 1]
    return loss(x.flatten(0, 1), y.repeat(16)).reshape(16, -1).mean(1)

# %% name="deep-train"
def deep(s, width, steps=300):
    d, draw, to = data.digits(s), torch.Generator().manual_seed(s), setting.device
    x, y = torch.tensor(d.x, dtype=torch.float32, device=to), torch.tensor(d.y, device=to)
    p, u = [], [0.0] * 8
    for a, b in pairwise((64, width, width, width, 10)):
        weights = torch.randn(a, b, generator=draw).to(to) * (2 / a) ** 0.5
        p += [start * weights, torch.zeros(16, 1, b, device=to)]
    for t in range(1, steps + 1):
        rate = lr * (t / warm).clamp(max=1) * (1 - t / (steps + 1))  # (a)
        n = torch.randint(len(y), (64,), generator=draw).to(to)  # (b)
        total = forward([a.requires_grad_() for a in p], x[n], y[n]).sum()
        g = torch.autograd.grad(total, p)  # (c)
        u = [0.9 * a + b for a, b in zip(u, g, strict=True)]
        p = [(a - rate * b).detach() for a, b in zip(p, u, strict=True)]  # (d)
    return forward(p, x, y).detach().nan_to_num(np.inf).cpu().numpy().reshape(2, 2, 4)

# %% name="deep-table" tags=["nbval-ignore-output"]
trained = {w: np.median([deep(s, w) for s in setting.seeds], 0) for w in (48, 24)}
rows = []
for (w, m), i in product(trained.items(), (0, 1)):
    ratios = [*(m[i, 0] / m[i, 1]), m[i, 0].min() / m[i, 1].min()]  # without over with
    rows.append([("usual", "3 x")[i], w, *("over 50" if r > 50 else f"{r:.2g}" for r in ratios)])
    assert i == 0 or ratios[3] > 1  # after the usual start it may go either way
headers = ["start", "width", "lowest rate", "x 3", "x 10", "x 20", "each at its best"]
Table(headers, rows,
      "Training loss without warm-up over that with it, medians over seeds; above 1 it helps.")

# %% [markdown] name="exercises"
# After the large start warm-up helps at the highest rate, at both widths, as line 5 leads to expect (the curvature is not measured here). After the usual start it may go either way, and **a lower rate does about as well** (last column: each side at its *own* best rate of this coarse grid). All this is SGD with momentum. For Adam, Liu and others (2020) gave a reason of its own: the few gradients in its first $v$. Ma and Yarats (2021, *On the adequacy of untuned warmup for adaptive optimization*) refute it (lesson 14).
#
# ## Exercises
#
# ### 1. Warm-up, then the inverse root (4 minutes, easy)
# The first transformers (Vaswani and others, 2017) rose in a straight line to `lr` at `t = warmup`, then fell like $1 / \sqrt t$, without a jump. Return the rate in step `t` (1, 2, ...).

# %% name="exercise-root"
def inverse_root(t, warmup, lr):
    ### BEGIN SOLUTION
    return lr * min(t / warmup, (warmup / t) ** 0.5)
    ### END SOLUTION

# %% name="check-root"
check("inverse_root")

# %% [markdown] name="2-two-ways-to-one"
# <details><summary>Hint 1</summary>c / √t must be lr at t = warmup: what is c?</details>
# <details><summary>Hint 2</summary>Which of the two branches is the smaller one before warmup, which after?</details>
#
# ### 2. Two ways to one place (5 minutes, medium)
# Somebody circles, long after the start, and averages the last `n` weights. At which constant rate would circling alone be as precise? `h` is the curvature; take lines 1 and 2 as they stand.

# %% name="exercise-equal"
def as_precise(h, n):
    ### BEGIN SOLUTION
    return 2 / (h * (n + 1))
    ### END SOLUTION

# %% name="check-equal"
check("as_precise")

# %% [markdown] name="3-in-pytorch-s-numbers"
# <details><summary>Hint 1</summary>Set the variance of line 1 equal to the last one of line 2. σ² cancels.</details>
# <details><summary>Hint 2</summary>Multiply by both denominators: what is left is linear in η.</details>
#
# ### 3. In PyTorch's numbers (7 minutes, hard)
# Write warm-up, then cosine with PyTorch's classes: `SequentialLR(o, [LinearLR(o, start_factor, 1.0, total_iters), CosineAnnealingLR(o, T_max)], [milestone])`. Update 1, 2, ..., `total` shall have the rate that the lesson's first formula gives for that $t$, with $\eta_{\min} = 0$: `lr / warmup` in the first, `lr` in update `warmup`, 0 in update `total`. (A start factor of 0 is refused.) Return the four numbers `(start_factor, total_iters, milestone, T_max)`.

# %% name="exercise-numbers"
def torch_numbers(warmup, total):
    ### BEGIN SOLUTION
    return 1 / warmup, warmup - 1, warmup - 1, total - warmup
    ### END SOLUTION

# %% name="check-numbers"
check("torch_numbers")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>The schedulers count their steps from 0, the formula from 1. In which of their steps does update <code>warmup</code> fall?</details>
# <details><summary>Hint 2</summary>From the peak on, the cosine counts from 0 again. In which of <em>its</em> steps does update <code>total</code> fall?</details>
#
# ## Takeaways
#
# - A constant rate circles, for small rates at a height in proportion to $\eta$. Lowering the rate and averaging both go below. Once the start is forgotten, the mean does so in a bowl at any stable rate; on the tumours only at a well chosen one, where a cosine forgives.
# - Warm-up, then cosine is what PyTorch's classes give as well (exercise 3); know which update gets the rate 0.
# - Without noise there is no circle to narrow: keep a rate that works. Do not plan a cosine for an end you do not know. Where the start is good, expect warm-up to save too high a rate, not to beat a good one.
