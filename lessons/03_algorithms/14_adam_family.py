# ---
# jupyter:
#   lesson:
#     title: "The Adam family: AMSGrad, NAdam, RAdam, Adamax"
#     minutes: 40
#     settles: []
# ---

# %% [markdown]
# # The Adam family: AMSGrad, NAdam, RAdam, Adamax
#
# **Goal.** For each of four variants: which flaw of Adam does it mend, what does the cure cost, and does it matter? **40 minutes:** reading 20, exercises 20.
#
# **The question.** There is a problem with one parameter, a convex one, on which Adam walks to the *worst* end and stays. It is why AMSGrad was invented. Should you then use AMSGrad?

# %% tags=["parameters"] name="parameters"
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup"
import numpy as np
import sympy as sp

from lessons_lib import bridge, data, parity, plots
from lessons_lib.checks import check
from lessons_lib.core import mean
from lessons_lib.losses import cross_entropy
from lessons_lib.optim import Adam, Adamax, AMSGrad, NAdam, RAdam
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)

# %% [markdown]
# ## The formula
#
# Adam (F7 to F11 of the source document, lesson 4): $m$ and $v$ are running means of $g$ and $g^2$ with $\beta_1$ and $\beta_2$; $\hat m = m / (1 - \beta_1^t)$, $\hat v = v / (1 - \beta_2^t)$; the step is $-\eta\, \hat m / (\sqrt{\hat v} + \epsilon)$. Each variant changes one thing:
#
# | variant | what changes | the flaw it is for |
# |---|---|---|
# | AMSGrad | the largest $v$ so far in place of $v$ | $v$ forgets rare, large gradients |
# | RAdam | no division while $v$ rests on too few gradients: while $\rho_t \le 5$ | the first $v$ is noise |
# | NAdam | the *next* step's momentum in $\hat m$, and $\mu_t$, which warms up to $\beta_1$ | momentum reacts late |
# | Adamax | $u = \max(\beta_2 u, \lvert g \rvert + \epsilon)$ in place of $\sqrt{\hat v}$ | a step may be several $\eta$ long |
#
# with $\rho = \frac{2}{1 - \beta_2} - 1$ and $\rho_t = \rho - \frac{2 t \beta_2^t}{1 - \beta_2^t}$. All have the shape of $\theta$; $\eta$ is `lr`, in units of $\theta$, because numerator and denominator have the unit of $g$.
#
# ## Derivation
#
# 1. One parameter $x$ in $[-1, 1]$; the gradient is $C$ in every third step and $-1$ in the others. On average $\frac{C - 2}{3}$: for $C > 2$ the best point is $-1$. Take $\beta_1 = 0$ and let $\beta_2 \to 0$: Adam's step is $-\eta\, g / |g|$. In three steps it moves by $-\eta + \eta + \eta = +\eta$, **to the worst end.** AMSGrad divides all three by about $C$: $\eta\, (-C + 2) / C < 0$.
# 2. $\rho_t$ estimates on how many gradients $v$ really rests. At $t = 1$ it is 1, whatever $\beta_2$; it grows like $t$ at first and ends at $\rho$. With $\beta_2 = 0.999$ it passes 5 at step 6. **Up to step 5 RAdam is not divided by anything: its steps are $\eta\, \hat m$, in the unit of the gradient.**
# 3. Adamax: $u_t \ge \beta_2^k |g_{t-k}|$ for every earlier gradient, so $|\hat m| \le \frac{1 - \beta_1}{1 - \beta_1 / \beta_2} u$ after many steps: **no step is longer than $1.01\, \eta$** at the defaults. And a large gradient stays in $u$ at its full size, where Adam's $v$ keeps only $1 - \beta_2$ of its square.
# 4. NAdam's newest gradient has the weight $\beta_1 (1 - \beta_1) + (1 - \beta_1) = (1 - \beta_1)(1 + \beta_1)$ after many steps; Adam's has $1 - \beta_1$. **It reacts nearly twice as fast, to signal and to noise.**

# %% name="derivation"
def rho(b2, t):
    return 2 / (1 - b2) - 1 - 2 * t * b2**t / (1 - b2**t)

b1, x, state = sp.Symbol("beta1", positive=True), np.zeros(1), Adam(1.0, 0.0, 1e-9).init(np.zeros(1))
for g in (3.0, -1.0, -1.0):
    x, state = Adam(1.0, 0.0, 1e-9).update(x, np.full(1, g), state)
assert np.isclose(x[0], 1.0, atol=1e-3)  # line 1: three steps, one lr upwards
assert all(abs(rho(b2, 1) - 1) < 1e-9 for b2 in (0.5, 0.9, 0.999))  # line 2
assert rho(0.999, 5) <= 5 < rho(0.999, 6) and abs(rho(0.999, 20_000) - 1999) < 1e-3
assert sp.simplify(b1 * (1 - b1) + (1 - b1) - (1 - b1) * (1 + b1)) == 0  # line 4
rng, x, rule = np.random.default_rng(seed), np.zeros(1000), Adamax(1.0)
state, longest = rule.init(x), 0.0
for step in range(300):  # line 3, with gradients of wildly different sizes
    new, state = rule.update(x, rng.standard_cauchy(1000) ** 3, state)
    longest = max(longest, abs(new - x).max()) if step > 100 else 0.0
    x = new
assert longest <= 0.1 / (1 - 0.9 / 0.999) + 1e-9
print("lines 1 to 4 hold; Adamax's longest step in 200, in units of lr, is at most 1.01")

# %% [markdown]
# ## Code

# %% name="source"
show(AMSGrad, Adamax)

# %% [markdown]
# `NAdam` and `RAdam` stand in files of their names. In the source document's steps all five differ in step (c), "update the moments", and in what divides; sampling and gradient stay.
#
# ## Parity with PyTorch
#
# 50 steps with gradients from $10^{-3}$ to $10$, against `torch.optim.AdamW(amsgrad=True)`, `NAdam`, `RAdam`, `Adamax`. PyTorch's choices, not the papers': AMSGrad takes the maximum before the bias correction, RAdam waits for $\rho_t > 5$ (the paper: 4), Adamax adds $\epsilon$ inside the maximum.

# %% tags=["nbval-ignore-output"] name="parity-amsgrad"
parity.table("AMSGrad", setting.device)

# %% tags=["nbval-ignore-output"] name="parity-nadam"
parity.table("NAdam", setting.device)

# %% tags=["nbval-ignore-output"] name="parity-radam"
parity.table("RAdam", setting.device)

# %% tags=["nbval-ignore-output"] name="parity-adamax"
parity.table("Adamax", setting.device)

# %% [markdown]
# ## Picture
#
# Two surprises for one parameter. Left: 2000 steps with a gradient of 0.001, then 1. How long are the steps? Right: the gradient is the sign of $x$, but in step 50, once, 100 times that. How far is the minimum?

# %% name="surprises"
family = {"Adam": Adam, "AMSGrad": AMSGrad, "NAdam": NAdam, "RAdam": RAdam, "Adamax": Adamax}

def steps_after_silence(rule):
    x = np.zeros(1)
    state, lengths = rule.init(x), []
    for t in range(2060):
        new, state = rule.update(x, np.full(1, 0.001 if t < 2000 else 1.0), state)
        lengths.append(abs(new - x)[0] / rule.lr)
        x = new
    return np.array(lengths[2000:])

def distances(rule, spike=100.0):
    x = np.array([10.0])
    state, away = rule.init(x), []
    for t in range(3000):
        x, state = rule.update(x, np.sign(x) * (spike if t == 50 else 1.0), state)
        away.append(abs(x[0]))
    return np.array(away)

# %% name="picture"
silence = {name: steps_after_silence(rule(0.001)) for name, rule in family.items()}
spike = {name: distances(rule(0.001))[::50] for name, rule in family.items()}
plots.side_by_side(
    np.arange(60), silence, spike, "step after the silence; right: step / 50", ("step length in units of lr", "distance to the minimum"),
    "Left: step lengths after a silence. Adam, AMSGrad and RAdam peak at five to six, NAdam at fourteen, Adamax stays at one. "
    "Right: after one spike Adam and NAdam go on, RAdam slower, AMSGrad half as fast, Adamax nearly stops.",
    titles=("A sudden gradient", "One spike"),
)

# %% name="picture-verdict"
peak = {name: lengths.max() for name, lengths in silence.items()}
gone = {name: (d[2] - d[-1]) / (spike["Adam"][2] - spike["Adam"][-1]) for name, d in spike.items()}
assert peak["NAdam"] > 2 * peak["Adam"] > 10 and peak["Adamax"] < 1.02
assert gone["Adamax"] < 0.2 < gone["AMSGrad"] < 0.7 and gone["NAdam"] > 0.95
Table(["", *family], [["longest step, in lr", *(f"{v:.1f}" for v in peak.values())],
                      ["way after the spike, of Adam's", *(f"{v:.2f}" for v in gone.values())]])

# %% [markdown]
# Each cure has its disease. Adamax never makes a long step, and one spike puts it to sleep (line 3). NAdam hears a new gradient sooner, and its longest step is over twice Adam's (line 4). AMSGrad never forgets a spike.
#
# ## What breaks
#
# ### Adam at the worst end
#
# Line 1 in practice, $C = 3$. The end of 6000 steps from 0, for several memories:

# %% name="worst"
def end(rule, big, period, steps):
    x = np.zeros(1)
    state, tail = rule.init(x), []
    for t in range(steps):
        x, state = rule.update(x, np.full(1, big if t % period == 0 else -1.0), state)
        x = np.clip(x, -1, 1)
        tail.append(x[0])
    return np.mean(tail[-steps // 6 :])

memories, ends = (0.1, 0.5, 0.9, 0.999), {}
for name, rule, beta1 in (("Adam", Adam, 0.0), ("Adam", Adam, 0.9), ("AMSGrad", AMSGrad, 0.0)):
    ends[f"{name}, beta1 = {beta1:g}"] = [end(rule(0.01, beta1, b2), 3.0, 3, 6000) for b2 in memories]
Table(["end (best: -1, worst: 1)", *(f"beta2 = {b:g}" for b in memories)], [[n, *(f"{v:.2f}" for v in e)] for n, e in ends.items()])

# %% name="worst-verdict"
assert ends["Adam, beta1 = 0"][0] > 0.9 and max(ends["Adam, beta1 = 0"][2:]) < -0.9
assert max(ends["Adam, beta1 = 0.9"]) < -0.9 and max(ends["AMSGrad, beta1 = 0"]) < -0.9
rare = {name: [end(rule(lr), 1200.0, 1000, 30_000) for lr in (0.01, 0.02)] for name, rule in (("Adam", Adam), ("AMSGrad", AMSGrad))}
assert min(rare["Adam"]) > 0 > max(rare["AMSGrad"])
print("defaults, one gradient of 1200 in 999 of -1: Adam on the wrong side, AMSGrad on the right one, at both rates")

# %% [markdown]
# The famous failure needs a memory *shorter than the time between the gradients that matter*. With the default $\beta_1 = 0.9$, or $\beta_2 \ge 0.9$, Adam solves the example. But make the rare gradient as rare as the memory is long, one in a thousand, and default Adam goes wrong too. (A word that occurs once in a thousand sends such gradients.)
#
# ### RAdam is not scale-free at first
#
# Multiply the loss by 1000. Adam does not notice (lesson 4). RAdam's first five steps are not divided by anything (line 2):

# %% name="scale"
jumps = {}
for name, rule in {"Adam": Adam(0.001), "RAdam": RAdam(0.001)}.items():
    for size in (1.0, 1000.0):
        x, state = np.array([1.0, -2.0]), rule.init(np.zeros(2))
        for _ in range(5):
            x, state = rule.update(x, size * x, state)
        jumps[name, size] = np.linalg.norm(x - [1.0, -2.0]) / rule.lr
assert jumps["Adam", 1000.0] < 8 and jumps["RAdam", 1.0] < 12 and jumps["RAdam", 1000.0] > 500
Table(["way of five steps, in lr", "loss", "1000 x loss"], [[n, *(f"{jumps[n, s]:.0f}" for s in (1.0, 1000.0))] for n in ("Adam", "RAdam")])

# %% [markdown]
# ### The race
#
# Digits, linear softmax, batches of 32, 300 steps. Each gets the same budget, four rates; the best by the median test loss is kept (so all are a little flattered, all alike).

# %% name="race"
def race(rule, s):
    d = data.digits(s)
    x, x_test = (np.c_[v, np.ones(len(v))] for v in (d.x, d.x_test))
    theta, rng = np.zeros((65, 10)), np.random.default_rng(s)
    state = rule.init(theta)
    for _ in range(300):
        n = rng.integers(len(d.y), size=32)
        theta, state = rule.update(theta, x[n].T @ mean(cross_entropy(x[n] @ theta, d.y[n])).grad, state)
    return mean(cross_entropy(x_test @ theta, d.y_test)).value

lrs = (0.003, 0.01, 0.03, 0.1)
losses = {(name, lr): [race(rule(lr), s) for s in setting.seeds] for name, rule in family.items() for lr in lrs}
best = {name: min(lrs, key=lambda lr: np.median(losses[name, lr])) for name in family}

# %% name="race-table" tags=["nbval-ignore-output"]
rows = [[name, best[name], f"{np.mean(losses[name, best[name]]):.3f} ± {np.std(losses[name, best[name]]):.3f}"] for name in family]
Table(["", "best lr", "test loss"], rows, "± is the standard deviation over seeds.")

# %% name="race-verdict"
middle = {name: np.median(losses[name, best[name]]) for name in family}
spread = np.median([np.std(losses[name, best[name]]) for name in family])
print("the best and the worst of the five differ by less than a seed's standard deviation times 2:", np.ptp([*middle.values()]) < 2 * spread)
print("best rates: Adam", best["Adam"], ", RAdam larger:", best["RAdam"] > best["Adam"])
assert np.ptp([*middle.values()]) < 2 * spread and best["RAdam"] > best["Adam"]

# %% [markdown]
# **No winner.** Each at its own rate, the five are as different as seeds are; what differs is the rate. So claim C30 ("Adam adapts each rate and so speeds convergence and improves stability") and its correction E25 stay where lesson 4 left them: conditional; here is one case more where the choice within the family does not matter, and four made-up ones where it does.
#
# ## Exercises
#
# ### 1. When does RAdam wake up? (5 minutes, easy)
# Return the first step in which RAdam divides, for any $\beta_2$ from 0.5 on; 0 if it never does.

# %% name="exercise-wake"
def first_division(beta2):
    ### BEGIN SOLUTION
    rho = 2 / (1 - beta2) - 1
    if rho <= 5:
        return 0
    t = 1
    while rho - 2 * t * beta2**t / (1 - beta2**t) <= 5:
        t += 1
    return t
    ### END SOLUTION

# %% name="check-wake"
check("first_division")

# %% [markdown]
# <details><summary>Hint</summary>Count t up from 1 until the condition of the table no longer holds. Where does ρ_t end, if that is not to take for ever?</details>
#
# ### 2. How long is the longest step? (8 minutes, medium)
# After a very long silence ($m = v = 0$, no bias correction left) the gradient is 1 in every step. Return the length of Adam's `k`-th step since then, in units of the rate ($\epsilon = 0$), and the `k` of the longest one.

# %% name="exercise-longest"
def after_silence(beta1, beta2, k):
    ### BEGIN SOLUTION
    lengths = [(1 - beta1**j) / (1 - beta2**j) ** 0.5 for j in range(1, 1000)]
    return lengths[k - 1], 1 + lengths.index(max(lengths))
    ### END SOLUTION

# %% name="check-longest"
check("after_silence")

# %% [markdown]
# <details><summary>Hint 1</summary>What is a running mean that starts at 0 after k gradients of 1?</details>
# <details><summary>Hint 2</summary>Try the first thousand steps, and look where the longest one is.</details>
#
# ### 3. AMSGrad that forgives (7 minutes, medium)
# A compromise: the largest $v$ of the *last* `n` steps, instead of the largest ever. Given all gradients so far (one number each, oldest first), return the divisor of the newest step: the root of that maximum, without bias correction or $\epsilon$. $v$ starts at 0.

# %% name="exercise-window"
def windowed_divisor(gradients, beta2, n):
    ### BEGIN SOLUTION
    v, all_v = 0.0, []
    for g in gradients:
        v = beta2 * v + (1 - beta2) * g**2
        all_v.append(v)
    return max(all_v[-n:]) ** 0.5
    ### END SOLUTION

# %% name="check-window"
check("windowed_divisor")

# %% [markdown]
# <details><summary>Hint 1</summary>v is made from all gradients; only the maximum looks at the last n.</details>
#
# [All solutions of this lesson](../../solutions/03_algorithms/14_adam_family.ipynb)
#
# ## Takeaways
#
# - Adam fails where the gradients that matter are rarer than its memory; AMSGrad mends that, and never forgets a spike.
# - RAdam waits five steps, in the unit of the gradient; NAdam hears sooner, with longer steps; Adamax bounds every step and sleeps after a spike.
# - Do not expect a better result from a change within the family on ordinary data: tune the rate of the one you have. **E25, C30: conditional,** as before.
