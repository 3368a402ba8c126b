# ---
# jupyter:
#   lesson:
#     title: "The Adam family: AMSGrad, NAdam, RAdam, Adamax"
#     question: "Adam walks to the worst end of a convex problem. Should you use AMSGrad?"
#     minutes: 45
#     needs: [04_adam]
#     settles: []
#     studies: [optim.AMSGrad, optim.RAdam, optim.NAdam, optim.Adamax]
# ---

# %% [markdown] name="goal"
# # The Adam family: AMSGrad, NAdam, RAdam, Adamax
#
# **Goal.** For each of four variants: which flaw of Adam does it mend, what does the cure cost, and does it matter?
#
# **The question.** There is a problem with one parameter, a convex one, on which Adam walks to the *worst* end and stays. It is why AMSGrad was invented. Should you then use AMSGrad?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: device, seed, profile
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup" tags=["fold"]
# Set-up: imports, and the device to compute on
from math import lgamma

import numpy as np

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.losses import cross_entropy
from lessons_lib.optim import Adam, Adamax, AMSGrad, NAdam, RAdam, descend
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/14_adam_family")

# %% [markdown] name="formula"
# ## The formula
#
# Adam's step is $-\eta\, \hat m / (\sqrt{\hat v} + \epsilon)$ (the Adam lesson). Each variant changes one thing:
#
# | variant | what changes | the flaw it is for |
# |---|---|---|
# | AMSGrad | the largest $v$ so far in place of $v$ | $v$ forgets rare, large gradients |
# | RAdam | while $\rho_t \le 5$ the step is $-\eta\, \hat m$, undivided; from then on $-\eta\, r_t\, \hat m\, \sqrt{1 - \beta_2^t} / (\sqrt v + \epsilon)$: Adam's step times $r_t$, but for the place of $\epsilon$ | the first $v$ rest on few gradients |
# | NAdam | $\hat m = \frac{\mu_{t+1}\, m}{1 - P_{t+1}} + \frac{(1 - \mu_t)\, g}{1 - P_t}$ | momentum reacts late |
# | Adamax | $u = \max(\beta_2 u, \lvert g \rvert + \epsilon)$ in place of $\sqrt{\hat v} + \epsilon$ | a step may be several $\eta$ long |
#
# AMSGrad is by Reddi, Kale and Kumar (2018, *On the convergence of Adam and beyond*), RAdam by Liu et al. (2020, *On the variance of the adaptive learning rate and beyond*), NAdam by Dozat (2016, *Incorporating Nesterov momentum into Adam*), Adamax by Kingma and Ba (2015, in the paper on Adam). The numbers: $\rho = \frac{2}{1 - \beta_2} - 1$, $\rho_t = \rho - \frac{2 t \beta_2^t}{1 - \beta_2^t}$, $r_t = \sqrt{\frac{(\rho_t - 4)(\rho_t - 2)\, \rho}{(\rho - 4)(\rho - 2)\, \rho_t}}$ and $\mu_t = \beta_1 (1 - 0.96^{0.004\, t} / 2)$, $P_t = \mu_1 \mu_2 \cdots \mu_t$. $m, v, u$ have the shape of $\theta$; $\eta$ is `lr`, in units of $\theta$ where numerator and denominator have the unit of $g$.
#
# ## Derivation
#
# 1. One parameter $x$ in $[-1, 1]$; every $N$-th gradient is $C$, the others are $-1$. For $C > N - 1$ the best point is $-1$. Take $\beta_1 = 0$ and let only $C$ count in $v$. After $k$ more steps $v$ has faded by $\beta_2^k$, and a gradient of $-1$ moves $x$ by $\beta_2^{-k/2}$ where $C$ moved it by $-C$, in the same unit. **Adam walks to the worst end for** $N - 1 < C < \sum_{k=1}^{N-1} \beta_2^{-k/2}$. AMSGrad in the end divides all by one number, so the sign is right. (Tested under "What breaks".)
# 2. A plain average of $n$ gradients has the mean age $\frac{n - 1}{2}$. The weights $\beta_2^k$ of $v$, $k < t$, have the mean age $\frac{\beta_2}{1 - \beta_2} - \frac{t \beta_2^t}{1 - \beta_2^t}$. Equal ages: $n = \rho_t$. So $v$ is worth $\rho_t$ gradients: 1 at $t = 1$, above 5 from step 6 ($\beta_2 = 0.999$), $\rho$ in the end. **Up to step 5 RAdam steps by $\eta\, \hat m$, in the unit of the gradient.**
# 3. Liu et al. look at the divisor alone. Say that $\hat v$ is a mean of $\rho_t$ squared standard normal numbers. Then $y = 1 / \hat v$ has the mean $\frac{\rho_t}{\rho_t - 2}$ and the variance $\frac{2 \rho_t^2}{(\rho_t - 2)^2 (\rho_t - 4)}$, finite above $\rho_t = 4$ only. To first order $\sqrt y$ has the variance $\frac{\operatorname{Var} y}{4\, \mathbb E y} = \frac{\rho_t}{2 (\rho_t - 2)(\rho_t - 4)}$. $r_t$ is the root of its last value over its present one. In effect it multiplies Adam's rate: **a warm-up**, 0.03 at step 6, 0.37 at step 300, 0.96 at step 4000.
#    **This reason does not hold.** A step is a quotient, and $\hat m$ and $\hat v$ come from the same gradients: at $t = 1$ it is $g / |g|$, so **Adam's first step is exactly $\eta$ long,** though the variance of line 3 is infinite there. Ma and Yarats (2021, *On the adequacy of untuned warmup for adaptive optimization*) refute it so. What they find instead: the first steps do not scatter, they are *all long*, and a plain warm-up over $2 / (1 - \beta_2)$ steps did as well as RAdam. Below we measure both on pure noise.
# 4. Adamax: $u_t \ge \beta_2^k |g_{t-k}|$ for every earlier gradient, so $|\hat m_t| \le \frac{1 - \beta_1}{1 - \beta_1^t} \sum_{k<t} (\beta_1 / \beta_2)^k u_t$. The sum is geometric, and $1 - (\beta_1 / \beta_2)^t \le 1 - \beta_1^t$. So, for $\beta_1 < \beta_2$, **no step is longer than** $\eta\, \frac{1 - \beta_1}{1 - \beta_1 / \beta_2}$, that is $1.01\, \eta$. And a large gradient enters $u$ at its full size, where Adam's $v$ takes only $1 - \beta_2$ of its square.
# 5. Once $P_t$ is gone, NAdam's newest gradient has the weight $\mu_{t+1} (1 - \beta_1) + 1 - \mu_t \approx 1 - \beta_1 \mu_t$; Adam's has $1 - \beta_1 = 0.1$. $\mu_t$ starts at 0.45 and is halfway to 0.9 at step 4245 only. **In the step in which it comes, a gradient, signal or noise, counts six times as much as in Adam around step 50, and still twice in the end.** Summed over all steps it counts the same in both, namely once.

# %% name="lengths"
def moves(rule, gradients):  # in units of lr; one row of gradients a step
    start, rows = np.zeros(np.shape(gradients)[1:] or 1), iter(gradients)
    visited = descend(start, rule, lambda x: next(rows) + 0 * x, len(gradients))
    return np.diff(visited, axis=0) / rule.lr

# %% name="derivation"
def rho(b2, t):
    return 2 / (1 - b2) - 1 - 2 * t * b2**t / (1 - b2**t)

def scatter(n):  # line 3, to first order
    return n / (2 * (n - 2) * (n - 4))

r, mu = RAdam().rectifier, NAdam().mu
for t in (1, 5, 6, 300):  # line 2
    age = np.average(np.arange(t), weights=0.999 ** np.arange(t))
    assert np.isclose(age, (rho(0.999, t) - 1) / 2)
for n, over in ((6, 2.15), (100, 1.02)):  # line 3: first order over true variance
    root = (n / 2) ** 0.5 * np.exp(lgamma((n - 1) / 2) - lgamma(n / 2))  # the mean of sqrt(y)
    assert np.isclose(scatter(n) / (n / (n - 2) - root**2), over, atol=0.01)
assert np.isclose(r(300) ** 2, scatter(1999) / scatter(rho(0.999, 300)))

# %% name="derivation-moves"
noise = np.random.default_rng(seed).normal(size=(300, 1000))
adam, rectified = (moves(rule(eps=0.0), noise) for rule in (Adam, RAdam))
m_hat = moves(Adam(beta2=0.0, eps=0.0), noise[:5]) * abs(noise[:5])  # beta2 = 0: divided by |g|
assert np.allclose(rectified[:5], m_hat)  # line 2: undivided
factors = np.array([r(t) for t in range(6, 301)])
assert np.allclose(rectified[5:], factors[:, None] * adam[5:])  # line 3
assert np.allclose(abs(adam[0]), 1)
rows = [[t, np.mean(abs(adam[t - 1])), np.mean(abs(rectified[t - 1]))] for t in (1, 6, 30, 300)]
Table(["step", "Adam", "RAdam"], [[t, f"{a:.2f}", f"{b:.2f}"] for t, a, b in rows],
      "Mean length of a step in lr; each gradient is standard normal.")

# %% [markdown] name="after-derivation-moves"
# Adam's steps are longest at the start, with no scatter at all in the first, and fall to a fifth within 30 steps. Lines 1, 4 and 5:

# %% name="derivation-family"
C, period = 3.0, [3.0, -1.0, -1.0]
last = moves(AMSGrad(1.0, beta1=0.0, beta2=0.1), period * 20)[-3:, 0]
assert np.allclose(last / last[0], [1, -1 / C, -1 / C])  # line 1: one divisor for all
wild = noise**9
assert abs(moves(Adamax(1.0), wild)).max() <= 0.1 / (1 - 0.9 / 0.999)  # line 4
assert np.allclose(moves(Adamax(1.0), [5.0] * 9), -1)
for n in (50, 5000):  # line 5: the first gradient after n zeros
    weight = -moves(NAdam(1.0), [0.0] * n + [1.0])[-1] * np.sqrt(0.001 / (1 - 0.999 ** (n + 1)))
    assert np.isclose(weight, 1 - 0.9 * mu(n + 1), rtol=1e-3)
print(f"r: {r(6):.2f}, {r(300):.2f}, {r(4000):.2f}   mu: {mu(1):.2f}, {mu(4245):.3f}")
print(f"newest gradient, NAdam over Adam: {10 - 9 * mu(51):.1f} at step 51, "
      f"{10 - 8.1:.1f} in the end")

# %% [markdown] name="code"
# ## Code

# %% name="source"
show(RAdam.rectifier, RAdam.update, NAdam.mu, NAdam.update)

# %% [markdown] name="parity-with-pytorch"
# `mu_product` is $P_t$, `ahead` is $\mu_{t+1}$. AMSGrad and Adamax are Adam with the one line of the table.
#
# ## Parity with PyTorch
#
# 50 steps with gradients from $10^{-3}$ to $10$, against `torch.optim.AdamW(amsgrad=True)`, `NAdam`, `RAdam`, `Adamax`. PyTorch's choices, not the papers': AMSGrad takes the maximum before the bias correction, RAdam waits for $\rho_t > 5$ (the paper: 4), Adamax adds $\epsilon$ inside the maximum.

# %% tags=["nbval-ignore-output", "fold"] name="parity-amsgrad"
# Against PyTorch
parity.table("AMSGrad", setting.device)

# %% tags=["nbval-ignore-output", "fold"] name="parity-nadam"
# Against PyTorch
parity.table("NAdam", setting.device)

# %% tags=["nbval-ignore-output", "fold"] name="parity-radam"
# Against PyTorch
parity.table("RAdam", setting.device)

# %% tags=["nbval-ignore-output", "fold"] name="parity-adamax"
# Against PyTorch
parity.table("Adamax", setting.device)

# %% [markdown] name="picture-text"
# ## Picture
#
# Two surprises. Left: 2000 steps with a gradient of 0.001, then 1. How long are the steps? Right: the gradient is 1 in every step, but once, after 2000 steps, it is 100. What is left of the steps?

# %% name="picture"
family = {"Adam": Adam, "AMSGrad": AMSGrad, "NAdam": NAdam, "RAdam": RAdam, "Adamax": Adamax}
after, hit, calm = np.ones((3, 5000))  # a silence, a spike, and neither
after[:2000], hit[2000] = 0.001, 100.0
found = {name: abs(moves(rule(), np.stack([after, hit, calm], 1))) for name, rule in family.items()}
silence, spike = ({name: a[2000:, column] for name, a in found.items()} for column in (0, 1))
plots.side_by_side(
    np.arange(1, 3001), silence, spike, "steps since the surprise", ("step length (lr)",) * 2,
    "Left: step lengths after a silence. Adam and AMSGrad peak at six, RAdam at five; NAdam starts "
    "at fourteen; Adamax rises to one. Right, logarithmic: a spike sends NAdam fourteen lr far, "
    "Adam, AMSGrad and RAdam three, Adamax never more than 0.2. Then Adam, NAdam and RAdam recover "
    "from 0.3 to 0.8; AMSGrad stays at 0.3; Adamax climbs from 0.01 to 0.2.",
    titles=("A sudden gradient", "One spike"), logs=("x", "xy"),
)

# %% name="picture-verdict"
peak = {name: steps.max() for name, steps in silence.items()}
left = {name: a[-1, 1] / a[-1, 2] for name, a in found.items()}
settled = abs(moves(NAdam(momentum_decay=1e6), after)).max()
print(f"mu at step 2000: {mu(2000):.2f}; "
      f"with mu = beta1 from the start NAdam's longest step is {settled:.1f} lr")
assert peak["NAdam"] > 2 * peak["Adam"] > 10 and peak["Adamax"] < 1.02
assert settled < 1.1 * peak["Adam"]
assert left["Adamax"] < 0.25 < left["AMSGrad"] < 0.35 and left["NAdam"] > 0.75
rows = [["longest step after the silence, in lr", *(f"{v:.1f}" for v in peak.values())],
        ["3000 steps after the spike, of a step without it", *(f"{v:.2f}" for v in left.values())]]
Table(["", *family], rows)

# %% [markdown] name="worst-text"
# Each cure has its disease. Adamax never makes a long step, and one spike puts it to sleep (line 4). NAdam's longest step is over twice Adam's, because $\mu$ is only at 0.58 after 2000 steps (line 5): with $\mu = \beta_1$ it is hardly longer. AMSGrad never forgets a spike: the price of its cure, and half of the answer to our question.
#
# ## What breaks
#
# ### Adam at the worst end
#
# The example is Reddi, Kale and Kumar's. The Adam lesson showed it with $\beta_1 = 0$, $\beta_2 = 0.1$ and $N = C = 3$; with the default betas Adam was right. Are they safe? Not for a $C$ in the window of line 1, which opens as $N$ grows. We test both sides of its upper end, from $x = 0$, $C$ first:

# %% name="worst"
N = np.array([300, 1000, 3000])
upper = np.array([sum(0.999 ** (-k / 2) for k in range(1, n)) for n in N])
C = np.array([(N - 1 + upper) / 2, 1.1 * upper])  # in the middle of the window; 10 % above it

def ends(rule, steps=12_000):  # the mean over the last 3000 steps
    x, tail = np.zeros(C.shape), 0.0
    state = rule.init(x)
    for t in range(steps):
        x, state = rule.update(x, np.where(t % N == 0, C, -1.0), state)
        x = np.clip(x, -1, 1)
        tail = tail + (x if t >= steps - 3000 else 0.0)
    return tail / 3000

# %% name="worst-verdict"
adam, amsgrad, thrown = ends(Adam(0.03)), ends(AMSGrad(0.03)), ends(AMSGrad(0.1))
assert (adam[0] > 0).all() and (adam[1] < 0).all() and (amsgrad < 0).all()
rows = [[f"{n}", f"{u / (n - 1) - 1:.0%}", *(f"{v:.2f}" for v in end)]
        for n, u, *end in zip(N, upper, *adam, amsgrad[0], thrown[0], strict=True)]
headers = ["N", "window: C above N - 1 by up to", "Adam, inside", "Adam, above", "AMSGrad, inside",
           "the same, lr = 0.1"]
Table(headers, rows,
      "Mean x in the last 3000 of 12000 steps; best: -1, worst: 1. Mostly lr = 0.03.")

# %% [markdown] name="scale-text"
# Line 1 holds at this small rate. **Default Adam goes wrong where a gradient is rare and outweighs the others by little**: by less than 8 % at one in 300, less than 30 % at one in 1000, less than 132 % at one in 3000. A heavier one leads it the right way. No one sits at the very end, since each $C$ throws $x$ back by up to $\eta / \sqrt{1 - \beta_2} = 32\, \eta$. At $\eta = 0.1$ that is more than the whole interval: even AMSGrad is thrown about, and never settles.
#
# ### RAdam is not scale-free at first
#
# Multiply the loss by 1000. Adam does not notice (the Adam lesson). RAdam does, for five steps (line 2). A constant gradient:

# %% name="scale"
tried = {(n, g): abs(moves(family[n](), np.full(300, g)))[:, 0]
         for n in ("Adam", "RAdam") for g in (1.0, 1000.0)}
assert np.allclose(tried["Adam", 1.0], tried["Adam", 1000.0])
assert np.allclose(tried["RAdam", 1000.0][:5], 1000)
assert np.allclose(tried["RAdam", 1000.0][5:], [r(t) for t in range(6, 301)])  # line 3
rows = [[f"{n}, g = {g:g}", *(f"{s[t - 1]:.2f}" for t in (1, 5, 6, 300))]
        for (n, g), s in tried.items()]
Table(["step length in lr", "step 1", "step 5", "step 6", "step 300"], rows)

# %% [markdown] name="race-text"
# ### The race
#
# Digits, linear softmax, batches of 32, 300 steps. Each gets the same seven rates; the best by the median test loss is kept (so all are a little flattered, all alike). A seed fixes split and batches, so we compare seed by seed.

# %% name="race"
splits = [data.digits(s) for s in setting.seeds]
def stacked(name):
    found = np.stack([getattr(d, name) for d in splits])
    return np.concatenate([found, np.ones((*found.shape[:2], 1))], 2) if found.ndim == 3 else found

x, y, x_test, y_test = map(stacked, ("x", "y", "x_test", "y_test"))
rngs = [np.random.default_rng(s) for s in setting.seeds]
drawn = np.stack([rng.integers(y.shape[1], size=(300, 32)) for rng in rngs], 1)
seed_of = np.arange(len(rngs))[:, None]

def race(rule):  # all seeds at once: the test loss of each
    theta = np.zeros((len(rngs), 65, 10))
    state = rule.init(theta)
    for n in drawn:
        batch = x[seed_of, n]
        grad = cross_entropy(batch @ theta, y[seed_of, n]).grad / n.shape[1]
        theta, state = rule.update(theta, batch.swapaxes(1, 2) @ grad, state)
    return cross_entropy(x_test @ theta, y_test).value.mean(1)

lrs = [0.005 * 2**k for k in range(7)]
losses = {(name, lr): race(rule(lr)) for name, rule in family.items() for lr in lrs}
best = {name: min(lrs, key=lambda lr: np.median(losses[name, lr])) for name in family}

# %% name="race-table" tags=["nbval-ignore-output"]
own = {name: losses[name, best[name]] for name in family}
ratio = {name: own[name] / own["Adam"] for name in family}
borrowed = {name: np.median(losses[name, best["Adam"]] / own[name]) for name in family}
assert max(abs(np.median(q) - 1) for q in ratio.values()) < 0.15
assert abs(ratio["AMSGrad"] - 1).max() < 0.02 and borrowed["RAdam"] > 1.1
assert all(lrs[0] < rate < lrs[-1] for rate in best.values())  # no best rate at an end of the grid
rows = [[name, best[name], f"{np.median(own[name]):.3f}",
         f"{np.median(q):.2f} ({q.min():.2f} to {q.max():.2f})", f"{borrowed[name]:.2f}"]
        for name, q in ratio.items()]
headers = ["", "best lr", "test loss", "divided by Adam's",
           "at Adam's rate, divided by its own best"]
Table(headers, rows, "Medians over seeds, (range).")

# %% [markdown] name="radam-wakes"
# **The rate matters more than the name.** RAdam warms up (line 3) and wants a larger $\eta$; keep Adam's, and it looks bad. The limit: in 300 steps $v$ can lose 26 % at most, so AMSGrad had little to hold on to.
#
# ## Exercises
#
# ### 1. When does RAdam wake up? (5 minutes, easy)
# Return the first step in which RAdam divides, for any $\beta_2$ from 0.5 on; 0 (not `None`, and no endless loop) if it never does.

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

# %% [markdown] name="nadam-longest"
# <details><summary>Hint</summary>Count t up from 1 until the condition of the table no longer holds. Where does ρ_t end, if that is not to take for ever?</details>
#
# ### 2. How long is NAdam's longest step? (8 minutes, medium)
# After a very long silence ($m = v = 0$, no bias correction left, $\epsilon = 0$) the gradient is 1 in every step. $\mu$ stands still at `mu`. Return the length of NAdam's `k`-th step since then, in units of the rate, and the number of the longest step.

# %% name="exercise-longest"
def after_silence(beta1, beta2, mu, k):
    ### BEGIN SOLUTION
    def length(j):
        return (1 - mu * beta1**j) / (1 - beta2**j) ** 0.5

    return length(k), max(range(1, 1000), key=length)
    ### END SOLUTION

# %% name="check-longest"
check("after_silence")

# %% [markdown] name="amsgrad-that-forgives"
# <details><summary>Hint 1</summary>What is a running mean that starts at 0 after k gradients of 1? Once P is 0, the table's m̂ is mu m + (1 - mu) g.</details>
# <details><summary>Hint 2</summary>Try the first thousand steps, and look where the longest one is. The first step has the number 1.</details>
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

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>v is made from all gradients; only the maximum looks at the last n.</details>
#
# ## Takeaways
#
# - Adam fails where a gradient is rare and outweighs the others by little; AMSGrad mends that, at a small rate, and never forgets a spike. Use it for such gradients, not by habit.
# - RAdam is Adam with a warm-up, after five steps in the unit of the gradient; NAdam hears sooner, with longer steps; Adamax bounds every step and sleeps after a spike.
# - Do not change within the family for a better result: in our race the seeds scatter more than the variants differ. And never compare two of them at one rate. That Adam "speeds convergence and improves stability" stays **conditional,** as in the Adam lesson.
