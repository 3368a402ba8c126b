# ---
# jupyter:
#   lesson:
#     title: Schedules, warm-up and averaging
#     minutes: 40
#     settles: [G19, E22]
# ---

# %% [markdown]
# # Schedules, warm-up and averaging
#
# **Goal.** Choose what the learning rate does over time, know what averaging the weights can do instead, and when warm-up matters. **40 minutes:** reading 20, exercises 20.
#
# **The question.** At a constant rate SGD stops getting closer: it circles around the minimum. One may lower the rate, or go on circling and take the average. Which gets closer?

# %% tags=["parameters"] name="parameters"
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup"
import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, data, plots
from lessons_lib.checks import check
from lessons_lib.core import mean
from lessons_lib.losses import binary_cross_entropy, cross_entropy
from lessons_lib.optim import Momentum, averages, cycles, schedules
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
# | symbol | code | meaning |
# |---|---|---|
# | $t$ | `t` | the step, 1 to $T$ |
# | $T, T_w$ | `total`, `warmup` | number of steps, and of those that warm up |
# | $\eta, \eta_{\min}$ | `lr`, `lr_min` | highest and last learning rate |
# | $\theta, \bar\theta$ | `theta`, `average` | the weights, their average (the same shape) |
# | $\beta$ | `decay` | the share of the old average that stays |
#
# ## Derivation
#
# One parameter near a minimum at 0, curvature $\lambda$, the gradient $\lambda \theta$ plus noise of variance $\sigma^2$, independent in each step: $\theta_t = (1 - \eta \lambda)\, \theta_{t-1} - \eta\, \xi_t$.
#
# 1. The start is forgotten like $(1 - \eta \lambda)^t$. The variance settles where $V = (1 - \eta \lambda)^2 V + \eta^2 \sigma^2$: at $V = \frac{\eta\, \sigma^2}{\lambda (2 - \eta \lambda)}$, **about in proportion to $\eta$.** A large rate forgets fast and circles wide; a small one is slow and precise. A falling rate does one after the other.
# 2. Neighbours on the circle are correlated by $\rho = 1 - \eta \lambda$, steps $k$ apart by $\rho^k$. The mean over many steps $n$ has the variance $\frac{V}{n} \cdot \frac{1 + \rho}{1 - \rho} = \frac{\sigma^2}{n \lambda^2}$: **the rate has cancelled.**
# 3. The rate $\eta_t = \frac{1}{\lambda t}$ gives $\theta_t = -\frac{1}{\lambda t} \sum_{i \le t} \xi_i$, whatever the start: its variance is $\frac{\sigma^2}{t \lambda^2}$, the same. **The best decay and the average of a constant rate are two ways to one place**, as long as the noise is what it is here.
# 4. Why warm up? Take $J = \frac14 \theta^4$, gradient $\theta^3$. A step overshoots beyond its starting point if $\eta\, \theta^2 > 2$: far out the edge is low, near 0 high. **Where the curvature falls along the way, a rate that would be right later is too large at first.** On a quadratic the edge $2 / \lambda$ never moves, and there is nothing to wait for.

# %% name="derivation"
lam, eta, sigma, V, n = sp.symbols("lambda eta sigma V n", positive=True)
rho = 1 - eta * lam
settled = sp.solve(sp.Eq(V, rho**2 * V + eta**2 * sigma**2), V)[0]
assert sp.simplify(settled - eta * sigma**2 / (lam * (2 - eta * lam))) == 0  # line 1
assert sp.simplify(settled / n * (1 + rho) / (1 - rho) - sigma**2 / (n * lam**2)) == 0  # line 2
xi, theta = sp.symbols("x1:6"), sp.Symbol("theta0")
for t in range(1, 6):
    theta = theta - (lam * theta + xi[t - 1]) / (lam * t)
assert sp.simplify(theta + sum(xi) / (5 * lam)) == 0  # line 3
def last(lr, warmup=1):  # line 4, from 10
    x = 10.0
    for t in range(1, 1001):
        x = x - lr * min(1, t / warmup) * x**3 if abs(x) < 1e3 else np.inf
    return abs(x)
assert last(0.019) < 1 and last(0.03) == np.inf and last(1.0) == np.inf and last(1.0, warmup=100) < 0.1
print("lines 1 to 4 hold; from 10, the largest rate is 0.02 at once, and over 1 with a warm-up of 100 steps")

# %% [markdown]
# ## Code

# %% name="source"
show(warmup_cosine, warmup_stable_decay)

# %% [markdown]
# `warmup_cosine` is the case without a plateau of the general one. A schedule is a plain function of $t$; nothing has to be remembered, and a resumed run needs only its step. The source document's loop gains one line, and its order matters: (a) **rate for step $t$**, (b) sample, (c) gradient, (d) update. With PyTorch's classes: `optimizer.step()` first, `scheduler.step()` after it.
#
# With `t` counted from 0 the first rate of a warm-up is 0, and the first batch is thrown away:

# %% name="count"
rates = [[warmup_cosine(t, 4, 12, 1.0) for t in range(first, first + 12)] for first in (1, 0)]
assert rates[0][3] == 1 and rates[0][-1] < 1e-15 and rates[1][0] == 0 and rates[1][-1] > 0.03
Table(["rate in update", *range(1, 13)], [[f"t from {f}", *(f"{x:.2f}" for x in r)] for f, r in zip((1, 0), rates, strict=True)])

# %% [markdown]
# ## Parity with PyTorch
#
# Its schedulers compute each rate from the one before. Against our functions of $t$, 100 steps, the largest difference:

# %% name="parity" tags=["nbval-ignore-output"]
sched = torch.optim.lr_scheduler
pairs = {
    "StepLR": (lambda o: sched.StepLR(o, 30, 0.5), lambda t: schedules.step_decay(t, 30, 0.5)),
    "MultiStepLR": (lambda o: sched.MultiStepLR(o, [20, 70]), lambda t: schedules.multi_step(t, [20, 70])),
    "ExponentialLR": (lambda o: sched.ExponentialLR(o, 0.97), lambda t: schedules.exponential(t, 0.97)),
    "LinearLR": (lambda o: sched.LinearLR(o, 0.1, 1.0, 50), lambda t: schedules.linear(t, 0.1, 1.0, 50)),
    "PolynomialLR": (lambda o: sched.PolynomialLR(o, 90, 2.0), lambda t: schedules.polynomial(t, 90, 2.0)),
    "CosineAnnealingLR": (lambda o: sched.CosineAnnealingLR(o, 100, 0.1), lambda t: cycles.cosine(t, 100, 1.0, 0.1)),
    "... WarmRestarts": (lambda o: sched.CosineAnnealingWarmRestarts(o, 30), lambda t: cycles.cosine_restarts(t, 30, 1.0)),
    "CyclicLR": (lambda o: sched.CyclicLR(o, 0.1, 1.0, 20, cycle_momentum=False), lambda t: cycles.cyclic(t, 0.1, 1.0, 20)),
    "OneCycleLR": (lambda o: sched.OneCycleLR(o, 1.0, 101, cycle_momentum=False), lambda t: cycles.one_cycle(t, 101, 1.0)),
}

# %% name="parity-table" tags=["nbval-ignore-output"]
rows = []
for name, (make, ours) in pairs.items():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, worst = make(optimizer), 0.0
    for t in range(100):
        worst = max(worst, abs(optimizer.param_groups[0]["lr"] - ours(t)))
        optimizer.step()
        scheduler.step()
    assert worst < 1e-12
    rows.append([name, f"{worst:.1e}"])
Table(["scheduler", "largest difference over 100 steps, rate 1"], rows, "The other six, plateau and averages: tests of the library.")

# %% [markdown]
# ## Picture
#
# The tumours of lesson 1, logistic regression with a small penalty, SGD with batches of 16, 1500 steps. Four ways, each with the best rate of 0.3, 1, 3 and 10 (the lowest median over seeds at the end): constant; cosine; the EMA ($\beta = 0.99$) of a constant rate; the mean of its last half.

# %% name="tumours"
def sigmoid(z):
    return (1 + np.tanh(z / 2)) / 2

class Tumours:
    def __init__(self, s):
        d = data.breast_cancer(s)
        self.x, self.y = np.c_[d.x, np.ones(len(d.x))], d.y * 1.0
        theta = np.zeros(31)
        for _ in range(30):  # Newton's method: the minimum, to compare with
            p = sigmoid(self.x @ theta)
            hessian = (self.x.T * (p * (1 - p))) @ self.x / len(p) + 0.001 * np.eye(31)
            theta = theta - np.linalg.solve(hessian, self.gradient(theta, slice(None)))
        self.low = self.value(theta)

    def value(self, theta):
        return mean(binary_cross_entropy(self.x @ theta, self.y)).value + 0.0005 * theta @ theta

    def gradient(self, theta, n):
        return self.x[n].T @ (sigmoid(self.x[n] @ theta) - self.y[n]) / len(self.y[n]) + 0.001 * theta

# %% name="walk"
T = 1500
jobs = {s: Tumours(s) for s in setting.seeds}

def walk(job, s, rate):  # the gap of the weights, of their EMA and of the mean of the last half, every 50 steps
    rng, theta, ema, half, gaps = np.random.default_rng(s), np.zeros(31), np.zeros(31), np.zeros(31), []
    for t in range(1, T + 1):
        theta = theta - rate(t) * job.gradient(theta, rng.integers(len(job.y), size=16))
        ema = averages.ema(ema, theta, 0.99)
        half = averages.running_mean(half, theta, max(0, t - T // 2 - 1))
        if t % 50 == 0:
            gaps.append([job.value(a) - job.low for a in (theta, ema, half)])
    return np.array(gaps).T

# %% name="race"
lrs, found = (0.3, 1.0, 3.0, 10.0), {}
for lr in lrs:
    constant = np.array([walk(job, s, lambda t, lr=lr: lr) for s, job in jobs.items()])
    falling = np.array([walk(job, s, lambda t, lr=lr: cycles.cosine(t, T, lr)) for s, job in jobs.items()])
    warmed = np.array([walk(job, s, lambda t, lr=lr: warmup_cosine(t, 100, T, lr)) for s, job in jobs.items()])
    for i, name in enumerate(("constant", "EMA of constant", "mean of the last half")):
        found[name, lr] = constant[:, i]
    found["cosine", lr], found["warm-up, cosine", lr] = falling[:, 0], warmed[:, 0]
names = ["constant", "EMA of constant", "mean of the last half", "cosine", "warm-up, cosine"]
def at_end(gaps):  # a walk circles: the mean of its last five looks
    return gaps[:, -5:].mean(1)
best = {name: min(lrs, key=lambda lr: np.median(at_end(found[name, lr]))) for name in names}

# %% name="picture"
plots.lines(
    np.arange(50, T + 1, 50), {name: tuple(np.quantile(found[name, best[name]], [0, 0.5, 1], axis=0)) for name in names[:4]},
    "step", "objective above its minimum (log)",
    "Gap against steps, logarithmic. The constant rate stays high and flickers; its two averages and the cosine end several "
    "times lower, the cosine only in its last third.",
    title="Each at its own best rate (band: all seeds)", log="y",
)

# %% name="picture-verdict"
end = {name: at_end(found[name, best[name]]) for name in names}
middle = {name: found[name, best[name]][:, T // 100] for name in names}
gain = {name: np.median(end["constant"] / end[name]) for name in names}
print("closer than the constant rate, in the median, at least 1.5 times:", [n for n in names[1:] if gain[n] > 1.5])
print("half way, the cosine is behind the EMA:", np.median(middle["cosine"] / middle["EMA of constant"]) > 1)
print("a warm-up changes the cosine's end by less than a factor of 2:", 0.5 < np.median(end["warm-up, cosine"] / end["cosine"]) < 2)
same = np.median(end["mean of the last half"] / end["cosine"])
print("mean of the last half and cosine are within a factor of 2 of each other:", 0.5 < same < 2)
assert min(gain[n] for n in names[1:]) > 1.5 and 0.5 < same < 2
assert np.median(middle["cosine"] / middle["EMA of constant"]) > 1.1
assert 0.5 < np.median(end["warm-up, cosine"] / end["cosine"]) < 2

# %% [markdown]
# The question has two answers, and they are one: averaging and decay end at the same height, as line 3 foretold, and both allow a larger rate than the bare constant. They differ on the way: **a cosine is good only at its planned end,** the average whenever you look. Warm-up did nothing here.
#
# ## What breaks
#
# ### Warm-up: where it helps and where not
#
# Digits, a network of three hidden layers of 64, momentum 0.9, 300 steps, rate falling in a straight line, with and without a warm-up of 50 steps. Two starts: the usual one, and one with three times larger weights, where the curvature is large at first:

# %% name="deep"
def network(s, size):
    torch.manual_seed(s)
    layers = [m for _ in range(3) for m in (torch.nn.Linear(64, 64), torch.nn.ReLU())]
    model = torch.nn.Sequential(*layers, torch.nn.Linear(64, 10))
    for layer in model[::2]:
        torch.nn.init.kaiming_normal_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
        layer.weight.data *= size
    return model.to(setting.device)

def deep(s, size, lr, warmup, steps=300):
    d, draw, model = data.digits(s), torch.Generator().manual_seed(s), network(s, size)
    x, y = torch.tensor(d.x, dtype=torch.float32, device=setting.device), torch.tensor(d.y, device=setting.device)
    optimizer = bridge.TorchOptimizer(Momentum(lr, 0.9), model.parameters())
    for t in range(1, steps + 1):
        optimizer.param_groups[0]["lr"] = lr * min(1, t / warmup) * (1 - t / (steps + 1))  # (a)
        n = torch.randint(len(y), (64,), generator=draw).to(setting.device)  # (b)
        optimizer.zero_grad()
        bridge.as_autograd(cross_entropy)(model(x[n]), y[n]).mean().backward()  # (c)
        optimizer.step()  # (d)
    return mean(cross_entropy(model(x).detach(), y)).value.item()

# %% name="deep-table" tags=["nbval-ignore-output"]
rows, factor = [], {}
for size in (1, 3):
    for lr in (0.01, 0.03):
        pair = np.array([[deep(s, size, lr, w) for w in (1, 50)] for s in setting.seeds])
        without, warmed_up = np.median(pair, 0)
        factor[size, lr] = without / warmed_up
        rows.append([f"{size} x", f"{lr:g}", f"{without:.3f}", f"{warmed_up:.3f}", f"{factor[size, lr]:.1f}"])
Table(["start", "lr", "training loss, no warm-up", "warm-up", "better by a factor"], rows, "Medians over seeds.")

# %% name="deep-verdict"
print("large start: warm-up better by a factor of 2 or more at both rates:", min(factor[3, 0.01], factor[3, 0.03]) > 2)
print("usual start: worse, or better by less than 1.3:", max(factor[1, 0.01], factor[1, 0.03]) < 1.3)
assert min(factor[3, 0.01], factor[3, 0.03]) > 2 and max(factor[1, 0.01], factor[1, 0.03]) < 1.3

# %% [markdown]
# Warm-up is a cure for a bad start, not a law: after the usual start it costs a few steps. (Adam has a reason of its own to warm up, its first noisy $v$: lesson 4.)
#
# ### No noise, no need
#
# All training data in each step: then nothing circles, and lowering the rate only loses time.

# %% name="noiseless"
def full_batch(job, rate):
    theta = np.zeros(31)
    for t in range(1, 301):
        theta = theta - rate(t) * job.gradient(theta, slice(None))
    return job.value(theta) - job.low

ratio = [full_batch(j, lambda t: cycles.cosine(t, 300, 1.0)) / full_batch(j, lambda t: 1.0) for j in jobs.values()]
print("full batch: the cosine ends at least 1.2 times as far away as the constant rate, every seed:", min(ratio) > 1.2)
assert min(ratio) > 1.2

# %% [markdown]
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
# ### 2. An average that starts at zero (8 minutes, medium)
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
# ### 3. Two ways to one place (7 minutes, medium)
# Curvature `lam`, noise of variance `s2` in each gradient, rate `lr`. Return two numbers: how many steps must be averaged for the variance of $\frac{1}{100}$ of the circling one; and the rate at which circling alone would be as precise.

# %% name="exercise-equal"
def as_precise(lam, s2, lr):
    ### BEGIN SOLUTION
    goal = lr * s2 / (lam * (2 - lr * lam)) / 100
    return s2 / (lam**2 * goal), 2 * lam * goal / (s2 + lam**2 * goal)
    ### END SOLUTION

# %% name="check-equal"
check("as_precise")

# %% [markdown]
# <details><summary>Hint 1</summary>Line 1 gives the circling variance V; the goal is V / 100. Solve line 2 for n.</details>
# <details><summary>Hint 2</summary>Solve line 1 for η at the goal: multiply by the denominator first. Neither answer depends on s2.</details>
#
# [All solutions of this lesson](../../solutions/03_algorithms/16_schedules.ipynb)
#
# ## Takeaways
#
# - A constant rate circles at a height in proportion to $\eta$. Decay and averaging both go below, to the same place; only the average is ready at any time. **E22: mended**, as to schedules; clipping has lesson 17.
# - **G19: confirmed**; count $t$ from 1, and set the rate before the update.
# - Do not expect warm-up to help where the curvature does not fall along the way, nor a schedule where there is no noise.
