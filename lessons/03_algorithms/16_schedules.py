# ---
# jupyter:
#   lesson:
#     title: Schedules, warm-up and averaging
#     minutes: 50
#     settles: [G19, E22]
# ---

# %% [markdown]
# # Schedules, warm-up and averaging
#
# **Goal.** Choose what the learning rate does over time, know what averaging the weights can do instead, and when warm-up matters. **50 minutes:** reading 25, exercises 25.
#
# **The question.** At a constant rate SGD stops getting closer: it circles around the minimum (lesson 3). One may lower the rate, or go on circling and take the average of the weights. On paper both end at the same place, whatever the rate. Do they on data?

# %% tags=["parameters"] name="parameters"
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup"
import warnings
from itertools import pairwise, product

import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, data, plots
from lessons_lib.checks import check
from lessons_lib.core import mean
from lessons_lib.losses import binary_cross_entropy, cross_entropy
from lessons_lib.optim import averages, cycles, schedules
from lessons_lib.optim.warmup import warmup_cosine, warmup_stable_decay
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)

# %% [markdown]
# ## The formula
#
# The source document has one constant $\eta$ (E22 in our list of its gaps). The usual schedule today is **warm-up, then cosine** (G19, a formula it lacks), over $T$ steps of which $T_w$ warm up:
#
# $$\eta_t = \eta\, \frac{t}{T_w} \ \text{ for } t < T_w, \qquad \eta_t = \eta_{\min} + \tfrac12 (\eta - \eta_{\min}) \Big( 1 + \cos \pi \frac{t - T_w}{T - T_w} \Big) \ \text{ after}$$
#
# **Averages** of the weights leave training alone: the running mean $\bar\theta_t = \bar\theta_{t-1} + \frac{1}{t} (\theta_t - \bar\theta_{t-1})$ (SWA is this, once an epoch), and the exponential one, $\bar\theta_t = \beta\, \bar\theta_{t-1} + (1 - \beta)\, \theta_t$ (EMA).
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $t$; $T, T_w$ | `t`; `total`, `warmup` | numbers | the step, 1 to $T$; how many steps, and how many of them warm up |
# | $\eta, \eta_{\min}$; $\eta_t$ | `lr`, `lr_min`; `rate` | numbers | highest and last learning rate; the rate in step $t$ |
# | $\theta, \bar\theta$ | `theta`, `average` | any, the same | the weights; their average |
# | $\beta$ | `decay` | a number in $[0, 1)$ | the share of the old average that stays |
# | $h$; $\xi_t$; $\sigma^2$ | `h`; `xi`; `s2` | numbers | curvature; noise of a gradient, mean 0; its variance |
# | $V$; $\rho$; $n$ | `V`; `rho`; `n` | numbers | variance of $\theta$; $1 - \eta h$; how many weights are averaged |
#
# ## Derivation
#
# One parameter near a minimum at 0, the gradient $h \theta + \xi_t$, the noise independent in each step: $\theta_t = \rho\, \theta_{t-1} - \eta\, \xi_t$, with $0 < \eta h < 2$.
#
# 1. The start is forgotten like $\rho^t$. The variance settles where $V = \rho^2 V + \eta^2 \sigma^2$: at $V = \frac{\eta\, \sigma^2}{h (2 - \eta h)}$, **for small rates in proportion to $\eta$.** A large rate forgets fast and circles wide; a small one is slow and precise. A falling rate does one after the other.
# 2. Weights $k$ steps apart on the circle have the correlation $\rho^k$. Added up over all pairs, the mean of many, $n$, has about the variance $\frac{V}{n} \cdot \frac{1 + \rho}{1 - \rho} = \frac{\sigma^2}{n h^2}$: **the rate has cancelled.**
# 3. The rate $\eta_t = \frac{1}{h t}$ gives $\theta_t = -\frac{1}{h t} \sum_{i \le t} \xi_i$, whatever the start: its variance is $\frac{\sigma^2}{t h^2}$, the same. Decay and averaging are two ways to one place, **if curvature and noise are the same everywhere.**
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

# %% name="law"
def circling(lr, steps=400, decay=0.9):  # 20 000 walks at once, h = 1, noise of variance 1
    rng, theta, mean_of_all = np.random.default_rng(seed), np.zeros(20_000), np.zeros(20_000)
    ema = theta
    for t in range(steps):
        theta = theta - lr * (theta + rng.normal(size=20_000))
        ema = averages.ema(ema, theta, decay)
        mean_of_all = averages.running_mean(mean_of_all, theta, t)
    return theta.var(), steps * mean_of_all.var(), ema.var()

for lr in (0.1, 0.3, 1.0):
    r, v = 1 - lr, lr / (2 - lr)
    assert np.allclose(circling(lr), [v, 1, v * 0.1 / 1.9 * (1 + 0.9 * r) / (1 - 0.9 * r)], rtol=0.1)
print("rates 0.1, 0.3, 1: the circle, the mean of all and the EMA are as wide as lines 1, 2 and 4 say")

# %% name="edge"
def last(lr, warmup=1):  # line 5, from 10
    x = 10.0
    for t in range(1, 1001):
        x = x - lr * min(1, t / warmup) * x**3 if abs(x) < 1e3 else np.inf
    return abs(x)

assert last(0.019) < 1 and last(0.021) == np.inf and last(1.0) == np.inf and last(1.0, warmup=100) < 0.1
print("from 10: the edge is 0.02 at once; with a warm-up of 100 steps a rate of 1 arrives")

# %% [markdown]
# ## Code

# %% name="source"
show(warmup_cosine, warmup_stable_decay)

# %% [markdown]
# `warmup_cosine` is the case without a plateau of the general one. A schedule is a plain function of $t$: a resumed run needs only its step. The source document's loop gains one line: (a) **rate for step $t$**, (b) sample, (c) gradient, (d) update. (Averaged weights need a batch normalisation's running statistics computed anew, PyTorch's `update_bn`.)
#
# **Trap 1: where to count from.** From $t = 0$ the first rate of a warm-up is 0, so the first batch is lost:

# %% name="count"
rates = [[warmup_cosine(t, 4, 12, 1.0) for t in range(first, first + 12)] for first in (1, 0)]
assert rates[0][3] == 1 and rates[0][-1] < 1e-15 and rates[1][0] == 0 and rates[1][-1] > 0.03
rows = [[f"t from {first}", *(f"{x:.2f}" for x in r)] for first, r in zip((1, 0), rates, strict=True)]
Table(["rate in update", *range(1, 13)], rows)

# %% [markdown]
# **Trap 2: the order.** In PyTorch `optimizer.step()` comes first, `scheduler.step()` after it:

# %% name="order"
sched = torch.optim.lr_scheduler

def used(make, steps=100, early=False):  # the rates of the updates, the base rate being 1
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, rates = make(optimizer), []
    for _ in range(steps):
        if early:
            scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if not early:
            scheduler.step()
    return rates

# %% name="traps"
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    right, swapped = (used(lambda o: sched.StepLR(o, 2, 0.5), 6, early) for early in (False, True))
assert swapped[:5] == right[1:] and len(caught) == 1
print("right order:", right)
print("swapped:    ", swapped, "(PyTorch warns once)")

# %% [markdown]
# ## Parity with PyTorch
#
# Most of its schedulers compute each rate from the one they find, so they can be chained; ours are closed forms in $t$. The same rates over 100 updates:

# %% name="parity"
parts = [lambda t: schedules.linear(t, 0.1, 1.0, 20), lambda t: schedules.exponential(t, 0.97)]

def theirs(o):
    return [sched.LinearLR(o, 0.1, 1.0, 20), sched.ExponentialLR(o, 0.97)]

pairs = {
    "StepLR": (lambda o: sched.StepLR(o, 30), lambda t: schedules.step_decay(t, 30)),
    "CosineAnnealingLR": (lambda o: sched.CosineAnnealingLR(o, 40), lambda t: cycles.cosine(t, 40, 1.0)),
    "OneCycleLR": (
        lambda o: sched.OneCycleLR(o, 1, 101, cycle_momentum=False), lambda t: cycles.one_cycle(t, 101, 1)
    ),
    "SequentialLR": (
        lambda o: sched.SequentialLR(o, theirs(o), [20]), lambda t: schedules.sequential(t, parts, [20])
    ),
    "ChainedScheduler": (lambda o: sched.ChainedScheduler(theirs(o)), lambda t: schedules.chained(t, parts)),
}

# %% name="parity-table" tags=["nbval-ignore-output"]
rows = []
for name, (make, ours) in pairs.items():
    worst = max(abs(rate - ours(t)) for t, rate in enumerate(used(make)))
    assert worst < 1e-12
    rows.append([name, f"{worst:.1e}"])
Table(["scheduler", "largest difference over 100 updates, rate 1"], rows)

# %% [markdown]
# ## Picture
#
# The tumours of lesson 1, logistic regression with a small penalty, SGD with batches of 16, $T = 1500$. Constant rate; cosine; warm-up of 100 steps, then cosine; and of the constant rate the EMA ($\beta = 0.99$) and the mean of the last half. All see the same batches, at rates from 0.1 to 10.
#
# Beside it a **bowl** that imitates this problem at its minimum: the same Hessian, and in each step the noise that the batch has *there*. In the bowl, lines 1 to 4 are true everywhere.

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

def walk(job, s, *shapes, gap=gap):  # each shape at each rate; the first one's EMA and mean of the last half
    rng, theta, gaps = np.random.default_rng(s), np.zeros((len(shapes), 5, 31)), []
    ema = half = theta[0]
    for t in range(1, T + 1):
        rates = np.multiply.outer([shape(t) for shape in shapes], lrs)  # (a)
        n = rng.integers(len(job.y), size=16)  # (b)
        theta = theta - rates[..., None] * job.gradient(theta, n)  # (c), (d)
        ema = averages.ema(ema, theta[0], 0.99)
        half = averages.running_mean(half, theta[0], max(0, t - T // 2 - 1))
        if t % 50 == 0:
            gaps.append(gap(job, np.array([*theta, ema, half])))
    return np.moveaxis(gaps, 0, -1)  # (way, rate, time)

# %% name="race"
def constant(t):
    return 1.0

def best(ends):  # per way, the rate whose median over seeds is lowest: chosen on the seeds it is shown on
    return np.median(ends, 0).argmin(-1)

ways = ["constant", "cosine", "warm-up, cosine", "EMA", "mean of last half"]
shapes = (constant, lambda t: cycles.cosine(t, T, 1.0), lambda t: warmup_cosine(t, 100, T, 1.0))
jobs = {s: Tumours(s) for s in setting.seeds}
gaps = np.array([walk(job, s, *shapes) for s, job in jobs.items()])
bowls = np.array([walk(Bowl(job), s, *shapes, gap=bowl_gap) for s, job in jobs.items()])
ends, bowl_ends = (g[..., -5:].mean(-1) for g in (gaps, bowls))  # a walk circles: the mean of five looks

# %% name="picture"
left, right = (
    {ways[i]: tuple(np.quantile(e[:, i], [0, 0.5, 1], axis=0)) for i in (0, 1, 3, 4)}
    for e in (ends, bowl_ends)
)
plots.side_by_side(
    lrs, left, right, "learning rate", ("objective above its minimum", ""),
    "End gap against learning rate, both logarithmic. On the tumours all four fall to a lowest point; beyond "
    "rate 1 the constant rate and both averages rise steeply, the cosine hardly. In the bowl only the "
    "constant rate rises much, and the mean of the last half stays level.",
    titles=("Tumours (band: all seeds)", "A bowl like it"), logs=("xy", "xy"),
)

# %% name="picture-verdict"
at = best(ends)
own = np.median(ends, 0)[range(5), at]
verdicts = {
    "every best rate lies inside the grid": ((at > 0) & (at < 4)).all(),
    "the others end at least 1.5 times closer than the constant rate": own[0] > 1.5 * max(own[1:]),
    "mean of last half and cosine are within a factor of 2.5": 0.4 < own[4] / own[1] < 2.5,
    "a warm-up changes the cosine's end by less than 1.5": 0.67 < own[2] / own[1] < 1.5,
}
print("each at its best rate, medians:", *(f"  {v}: {bool(ok)}" for v, ok in verdicts.items()), sep="\n")
assert all(verdicts.values())

# %% name="ten-times"
worse, in_bowl = ends[..., 4] / ends[..., 2], bowl_ends[..., 4] / bowl_ends[..., 2]
verdicts = {
    "tumours, both averages: over 20 times as far, every seed": (worse[:, 3:] > 20).all(),
    "tumours, cosine: less than 6 times, in the median": np.median(worse[:, 1]) < 6,
    "bowl, mean of last half: at most 1.2 times, every seed": (in_bowl[:, 4] < 1.2).all(),
}
print("rate 10 instead of 1:", *(f"  {v}: {bool(ok)}" for v, ok in verdicts.items()), sep="\n")
assert all(verdicts.values())

# %% [markdown]
# At its own best rate everything beats the bare constant, and averaging and decay end close together. But line 2 says that the rate cancels, and on the tumours it does not. In the bowl a large rate does no harm, so the formula is right and its condition fails: a walk that circles wide meets other
# curvatures and other noise than at the minimum, the centre of its circle is another place, and **no average removes that.** A cosine ends with small steps: it forgives a rate that is too large.
#
# ## What breaks
#
# ### The plan
#
# A cosine for 500 steps, but training goes on to 1500. `warmup_cosine` stays at 0; PyTorch's class and our `cosine` turn, and climb to the full rate at 1000:

# %% name="plan"
short = (constant, lambda t: warmup_cosine(t, 0, 500, 1.0), lambda t: cycles.cosine(t, 500, 1.0))
gaps_short = np.array([walk(job, s, *short) for s, job in jobs.items()])
at_500, at_1000, at_1500 = (np.median(gaps_short[..., i - 2 : i], 0).mean(-1) for i in (10, 20, 30))
cosine, ema = at_500.argmin(-1)[1], at_1500.argmin(-1)[3]
verdicts = {
    "after 500 steps at most 1.3 times as far as the EMA": at_500[1, cosine] < 1.3 * at_500[3].min(),
    "after 1500 at least 1.3 times as far": at_1500[1, cosine] > 1.3 * at_1500[3, ema],
    "PyTorch's, half way up again, over 3 times as far as at 500": at_1000[2, cosine] > 3 * at_500[2, cosine],
}
print("a cosine for 500, medians:", *(f"  {v}: {bool(ok)}" for v, ok in verdicts.items()), sep="\n")
assert all(verdicts.values())

# %% [markdown]
# ### No noise, no need
#
# All training data in each step: nothing circles, and lowering the rate only loses time.

# %% name="noiseless"
ratio = []
for job, lr in product(jobs.values(), (0.1, 0.3, 1.0)):
    theta = np.zeros((2, 31))
    for t in range(1, 301):
        theta = theta - [[cycles.cosine(t, 300, lr)], [lr]] * job.gradient(theta)
    falling, steady = gap(job, theta)
    ratio.append(falling / steady)
print("rates 0.1, 0.3, 1: the cosine ends over 1.2 times as far, every seed:", min(ratio) > 1.2)
assert min(ratio) > 1.2

# %% [markdown]
# ### A range test finds the edge, not the best rate
#
# Smith (2017): raise the rate a little in each step, and see where the loss takes off. Here from 0.001 to 100 in 200 steps, until the mean of the last ten batches is twice, or four times, its lowest so far:

# %% name="range-test"
def takes_off(job, s, times):
    rng, theta, losses, lowest = np.random.default_rng(s), np.zeros(31), [], np.inf
    for rate in np.geomspace(0.001, 100, 200):
        n = rng.integers(len(job.y), size=16)
        losses.append(mean(binary_cross_entropy(job.x[n] @ theta, job.y[n])).value)
        if len(losses) >= 10:
            lowest = min(lowest, np.mean(losses[-10:]))
        if np.mean(losses[-10:]) > times * lowest:
            return rate
        theta = theta - rate * job.gradient(theta, n)

edges = np.array([[takes_off(job, s, times) for times in (2, 4)] for s, job in jobs.items()])
far, near = (edges > 5 * lrs[at[0]]).all(), (np.median(edges, 0) > lrs[at[1]]).all()
print("over 5 times the constant rate's best, every seed:", bool(far))
print("above the cosine's best, in the median:", bool(near))
assert far and near

# %% [markdown]
# It says where to stop searching, not where the best rate is: for a constant rate that lies far below.
#
# ### Warm-up: where it helps and where not
#
# Digits, three hidden layers of 64 or 32, momentum 0.9 (lesson 11), 300 steps, the rate falling in a straight line, with and without 50 steps of warm-up. Two starts: weights of the usual size, and three times as large, for a steep beginning. With four rates that makes sixteen networks a seed and width, trained side by side on the same batches:

# %% name="deep"
grid = list(product((1, 3), (1, 50), (0.001, 0.003, 0.01, 0.03)))
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
        g = torch.autograd.grad(forward([a.requires_grad_() for a in p], x[n], y[n]).sum(), p)  # (c)
        u = [0.9 * a + b for a, b in zip(u, g, strict=True)]
        p = [(a - rate * b).detach() for a, b in zip(p, u, strict=True)]  # (d)
    return forward(p, x, y).detach().nan_to_num(np.inf).cpu().numpy().reshape(2, 2, 4)

# %% name="deep-table" tags=["nbval-ignore-output"]
trained = {w: np.median([deep(s, w) for s in setting.seeds], 0) for w in (64, 32)}  # (start, warm-up, rate)
rows = []
for (w, m), i in product(trained.items(), (0, 1)):
    pairs_of = [*m[i].T, m[i].min(1)]  # (without, with) at each rate, then each at its best
    cells = ["both fail" if min(p) > 2 else f"{p[0] / p[1]:.2g}" for p in pairs_of]  # log 10 = 2.3 is guessing
    rows.append([("usual", "3 x")[i], w, *cells])
headers = ["start", "width", "lowest rate", "x 3", "x 10", "x 30", "each at its best"]
Table(headers, rows, "Training loss without warm-up over that with it, medians over seeds.")

# %% name="deep-verdict"
little = all(0.5 < m[0, 0].min() / m[0, 1].min() < 2 for m in trained.values())
saves = all(m[1, 0, 3] > 1.2 * m[1, 1, 3] for m in trained.values())
print("usual start, best rates: warm-up changes the loss by less than 2, both widths:", little)
print("large start, highest rate: warm-up is better by 1.2 or more, both widths:", saves)
assert little and saves

# %% [markdown]
# (Above 1: warm-up helps.) After the usual start it changes little, at the best rate. After the large one it saves a rate that is too large. How much is left of that once each side has its *own* best rate hangs on the network and on the seeds (last column; try others): a cure for a bad start, not a law.
#
# ## Exercises
#
# ### 1. Warm-up, then the inverse root (5 minutes, easy)
# The first transformers rose in a straight line to `lr` at `t = warmup`, then fell like $1 / \sqrt t$, without a jump. Return the rate in step `t` (1, 2, ...).

# %% name="exercise-root"
def inverse_root(t, warmup, lr):
    ### BEGIN SOLUTION
    return lr * min(t / warmup, (warmup / t) ** 0.5)
    ### END SOLUTION

# %% name="check-root"
check("inverse_root")

# %% [markdown]
# <details><summary>Hint 1</summary>c / √t must be lr at t = warmup: what is c?</details>
# <details><summary>Hint 2</summary>Which of the two branches is the smaller one before warmup, which after?</details>
#
# ### 2. An average that starts at zero (7 minutes, medium)
# Many programs start the EMA at 0 instead of at the first weights, and mend it afterwards. `thetas` holds the weights of steps 1, 2, ..., `n` as rows. Return the mended EMA after the last one.

# %% name="exercise-ema"
def mended_ema(thetas, decay):
    ### BEGIN SOLUTION
    average = np.zeros(thetas.shape[1])
    for theta in thetas:
        average = decay * average + (1 - decay) * theta
    return average / (1 - decay ** len(thetas))
    ### END SOLUTION

# %% name="check-ema"
check("mended_ema")

# %% [markdown]
# <details><summary>Hint 1</summary>If all weights were 1, what would the average be after n steps? It should be 1.</details>
# <details><summary>Hint 2</summary>Adam does the same to its m and v.</details>
#
# ### 3. Two ways to one place (6 minutes, medium)
# Curvature `h`, noise of variance `s2` in each gradient, rate `lr`. Return two numbers: how many steps must be averaged for the variance of $\frac{1}{100}$ of the circling one; and the rate at which circling alone would be as precise.

# %% name="exercise-equal"
def as_precise(h, s2, lr):
    ### BEGIN SOLUTION
    goal = lr * s2 / (h * (2 - lr * h)) / 100
    return s2 / (h**2 * goal), 2 * h * goal / (s2 + h**2 * goal)
    ### END SOLUTION

# %% name="check-equal"
check("as_precise")

# %% [markdown]
# <details><summary>Hint 1</summary>Line 1 gives the circling variance V; the goal is V / 100. Solve line 2 for n.</details>
# <details><summary>Hint 2</summary>Solve line 1 for η at the goal: multiply by the denominator first. Neither answer depends on s2.</details>
#
# ### 4. In PyTorch's numbers (7 minutes, hard)
# Write G19 with PyTorch's classes: `SequentialLR(o, [LinearLR(o, start_factor, 1.0, total_iters), CosineAnnealingLR(o, T_max)], [milestone])`. The rate of the first update shall be `lr / warmup`, that of update `warmup` shall be `lr`, and so on through update `total`, without an update too many. (A start factor of 0 is refused.) Return the four numbers `(start_factor, total_iters, milestone, T_max)`.

# %% name="exercise-numbers"
def torch_numbers(warmup, total):
    ### BEGIN SOLUTION
    return 1 / warmup, warmup - 1, warmup - 1, total - warmup
    ### END SOLUTION

# %% name="check-numbers"
check("torch_numbers")

# %% [markdown]
# <details><summary>Hint 1</summary>The schedulers count their steps from 0, G19 from 1. In which of their steps does update <code>warmup</code> fall?</details>
# <details><summary>Hint 2</summary>From the peak on, the cosine counts from 0 again. In which of <em>its</em> steps does update <code>total</code> fall?</details>
#
# [All solutions of this lesson](../../solutions/03_algorithms/16_schedules.ipynb)
#
# ## Takeaways
#
# - A constant rate circles, for small rates at a height in proportion to $\eta$. Lowering the rate and averaging both go below. In a bowl the average does so at any rate; on data only at a well chosen one, where a cosine forgives. **E22: mended**, as to schedules, warm-up and the range test; clipping and accumulation have lesson 17.
# - **G19: confirmed**; count $t$ from 1, set the rate before the update, and let the plan end where training ends.
# - Do not lower the rate where there is no noise, do not plan a cosine for an end you do not know, and do not expect warm-up to help where the start is good.
