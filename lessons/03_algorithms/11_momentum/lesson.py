# ---
# jupyter:
#   lesson:
#     title: Momentum and Nesterov
#     question: "Momentum 0.9 makes steps up to ten times longer. Is it just a larger learning rate?"
#     minutes: 50
#     needs: [03_sgd]
#     studies: [optim.Momentum]
#     settles: [G13]
# ---

# %% [markdown] name="goal"
# # Momentum and Nesterov
#
# **Goal.** Find out what a memory of past gradients buys, and when it is no more than a larger learning rate.
#
# **The question.** A momentum of 0.9 makes steps up to ten times longer. So why not take a learning rate ten times as large and forget the memory? On some problems the
# two are the same run. On which are they not?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: device, seed, profile
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup" tags=["fold"]
# Set-up: imports, and the device to compute on
import numpy as np
import sympy as sp

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.landscapes import quadratic
from lessons_lib.losses import squared_error
from lessons_lib.optim import SGD, Momentum
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/11_momentum")

# %% [markdown] name="formula"
# ## The formula
#
# The source document names momentum and gives no formula. The **heavy ball** (Polyak 1964, *Some methods of speeding up the convergence of iteration methods*), as PyTorch computes it, keeps a sum of gradients that fades, and steps along it:
#
# $$u_t = \mu\, u_{t-1} + g_t \qquad \theta_{t+1} = \theta_t - \eta\, u_t \qquad u_0 = 0$$
#
# **Nesterov's** variant (1983, *A method for solving the convex programming problem with convergence rate O(1/k²)*) changes the step only: $\theta_{t+1} = \theta_t - \eta\, (g_t + \mu\, u_t)$.
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $\theta$, $g$ | `theta`, `g` | any, the same | parameters; gradient |
# | $u$ | `u` | as $\theta$ | fading sum of gradients |
# | $\mu$ | `momentum` | a number in $[0, 1)$ | what is kept of the sum at each step |
# | $\eta$ | `lr` | a number | learning rate |
# | $h$; $\kappa$ | `h`; `kappa` | numbers | curvature of a quadratic along an axis; largest over smallest curvature |
# | $\zeta$ | `zeta` | a number | factor per step: what a distance is multiplied by |

# %% [markdown] name="derivation-text"
# ## Derivation
#
# 1. Put the first line into itself: $u_t = \sum_{k=0}^{t-1} \mu^k g_{t-k}$. Under a constant gradient the sum grows to $g / (1 - \mu)$: with $\mu = 0.9$ ten times a gradient.
# 2. Adam's average (lesson 4) is $m_t = \mu\, m_{t-1} + (1 - \mu) g_t$. It is $u_t$ times $1 - \mu$. The two walk the same path if the average gets the rate $\eta / (1 - \mu)$.
# 3. On a quadratic, along an axis with curvature $h$, $g_t = h\, \theta_t$. Eliminate $u$ by $\eta\, u_{t-1} = \theta_{t-1} - \theta_t$: $\theta_{t+1} = (1 + \mu - \eta h)\, \theta_t - \mu\, \theta_{t-1}$. Such a
#    sequence is made of powers $\zeta^t$ with $\zeta^2 - (1 + \mu - \eta h)\, \zeta + \mu = 0$. The product of the two roots is $\mu$. If they are complex they are a conjugate pair,
#    so both have the size $\sqrt\mu$, and $\theta_t$ is $\sqrt\mu^{\,t}$ times a cosine of $t$: the ball **overshoots**, swings through the minimum and out on the other side, and many a single step ends farther away than it began.
#    What shrinks at every step is its envelope, **in the long run by the factor $\sqrt\mu$ per step, whatever the curvature**: exactly, $E_t = \theta_t^2 - (1 + \mu - \eta h)\, \theta_t \theta_{t-1} + \mu\, \theta_{t-1}^2$ becomes $E_{t+1} = \mu E_t$.
# 4. And if they are real? Take any $\zeta \ge \sqrt\mu$. The product $\mu$ forbids that both roots are larger in size than $\zeta$. One alone beyond $\zeta$ or $-\zeta$ makes the polynomial negative there. So neither is larger exactly if it is not negative at both:
#    $(1 - \zeta)(1 - \frac\mu\zeta) \le \eta h \le (1 + \zeta)(1 + \frac\mu\zeta)$. These **two borders** say everything:
#    - $\zeta = 1$, the edge of stability: $\eta h < 2 (1 + \mu)$, nearly twice gradient descent's 2.
#    - $\zeta = \sqrt\mu$, where line 3's bold words hold: $(1 - \sqrt\mu)^2 \le \eta h \le (1 + \sqrt\mu)^2$.
#    - The best constants: some rate fits all curvatures if $\kappa$ is at most the upper border over the lower. Without momentum that is $\frac{1 + \zeta}{1 - \zeta}$, so $\zeta = \frac{\kappa - 1}{\kappa + 1}$ at best. The
#      quotient grows with $\mu$, up to its square at $\mu = \zeta^2$: $\zeta = \sqrt\mu = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}$, with both ends of the curvatures on their borders. Momentum replaces $\kappa$ by its square root.
# 5. Nesterov's step is a gradient step, $x_{t+1} = \theta_t - \eta g_t$, that rolls on: $\theta_{t+1} = x_{t+1} + \mu\, (x_{t+1} - x_t)$. On the quadratic $x_{t+1} = (1 - \eta h)\, \theta_t$. So line 3's $1 + \mu - \eta h$ becomes
#    $(1 + \mu)(1 - \eta h)$, and its $\mu$ becomes $\mu (1 - \eta h)$. At $\zeta = 1$ the polynomial is $\eta h > 0$, and the product stays below 1 in size. So a root can leave only at $-1$; that is at $\eta h = \frac{2 (1 + \mu)}{1 + 2 \mu}$, *less* than 2.

# %% name="derivation"
mu, a, zeta, now, before = sp.symbols("mu a zeta now before", positive=True)
# a stands for lr times h; lr = 1
g = sp.symbols("g1:6")
u = m = 0
for g_t in g:
    u, m = mu * u + g_t, mu * m + (1 - mu) * g_t
assert sp.expand(u - sum(mu**k * g[4 - k] for k in range(5))) == 0  # line 1
assert sp.expand(m - (1 - mu) * u) == 0  # line 2
after = now - (mu * (before - now) + a * now)
assert sp.expand(after - ((1 + mu - a) * now - mu * before)) == 0  # line 3
def E(now, before, mu, a):
    return now**2 - (1 + mu - a) * now * before + mu * before**2

assert sp.expand(E(after, now, mu, a) - mu * E(now, before, mu, a)) == 0

# %% name="borders"
def heavy(zeta):
    return zeta**2 - (1 + mu - a) * zeta + mu

lower, upper = (1 - zeta) * (1 - mu / zeta), (1 + zeta) * (1 + mu / zeta)
assert sp.expand(heavy(zeta) - zeta * (a - lower)) == 0  # line 4
assert sp.expand(heavy(-zeta) - zeta * (upper - a)) == 0
assert sp.expand(upper.subs(zeta, 1) - 2 * (1 + mu)) == 0
assert sp.simplify((upper / lower).subs(mu, zeta**2) - ((1 + zeta) / (1 - zeta)) ** 2) == 0
growth = sp.diff(upper / lower, mu) * (1 - zeta) * (zeta - mu) ** 2 / (1 + zeta)
assert sp.simplify(growth - 2 * zeta) == 0  # positive: the quotient grows with mu
(edge,) = sp.solve(1 + (1 + mu) * (1 - a) + mu * (1 - a), a)  # line 5 at -1
assert sp.simplify(edge - 2 * (1 + mu) / (1 + 2 * mu)) == 0

# %% [markdown] name="after-borders"
# The library's own rule: its sum of random gradients (line 1), and its swing along one axis (line 3).

# %% name="swing"
def path(rule, gradient, theta, steps):  # theta after 0, 1, ..., steps steps
    trail, state = [theta], rule.init(theta)
    for _ in range(steps):
        theta, state = rule.update(theta, gradient(theta), state)
        trail.append(theta)
    return np.array(trail)

random = np.random.default_rng(seed).normal(size=5)
given = iter(random[:, None])
trail = path(Momentum(0.1, 0.9), lambda _: next(given), np.zeros(1), 5)[:, 0]
assert np.allclose((trail[4] - trail[5]) / 0.1, 0.9 ** np.arange(4, -1, -1) @ random)  # u after 5
ball = path(Momentum(0.1, 0.9), quadratic(1.0).gradient, np.ones(1), 200)[:, 0]
size = E(ball[1:], ball[:-1], 0.9, 0.1)
assert np.allclose(size[1:], 0.9 * size[:-1])
farther = (abs(ball[1:]) > abs(ball[:-1])).mean()
print(f"lr h = 0.1: lowest point {ball.min():.2f}, {farther:.0%} of 200 steps end farther away")

# %% [markdown] name="after-swing"
# And both rules, 1 % below and 1 % above their edges:

# %% name="edges"
for name, rule, edge in [
    ("gradient descent", SGD, 2.0),
    ("heavy ball", lambda lr: Momentum(lr, 0.9), 3.8),
    ("Nesterov", lambda lr: Momentum(lr, 0.9, nesterov=True), 3.8 / 2.8),
]:
    gradient, start = quadratic(1.0).gradient, np.ones(1)
    below, above = (path(rule(f * edge), gradient, start, 500)[-1] for f in (0.99, 1.01))
    assert abs(below[0]) < 1 < abs(above[0])
    print(f"{name}: lr times h may grow to {edge:.2f}")

# %% [markdown] name="after-edges"
# A rate just below gradient descent's edge is safe with a heavy ball, and explodes with Nesterov. And the question? 60 steps on two bowls, the start at $(1, 1)$, momentum at the rate $1 / h_{\max}$:

# %% name="question"
rows, ends = [], {}
for kappa in (10.0, 200.0):
    rules = {"momentum": Momentum(1 / kappa), "ten": SGD(10 / kappa), "best": SGD(2 / (1 + kappa))}
    for name, rule in rules.items():
        end = path(rule, quadratic(1.0, kappa).gradient, np.ones(2), 60)[-1]
        ends[name, kappa] = np.linalg.norm(end)
    rows.append([f"{kappa:g}", *(f"{ends[name, kappa]:.1g}" for name in rules)])
assert min(ends["ten", 10.0], ends["ten", 200.0]) > 1e30
assert np.isclose(ends["momentum", 10.0], ends["momentum", 200.0], rtol=0.2)
assert ends["best", 10.0] < ends["momentum", 10.0] / 1000
assert ends["best", 200.0] > 10 * ends["momentum", 200.0]
Table(
    ["condition number", "momentum 0.9", "SGD, ten times that rate", "SGD, its own best rate"],
    rows, "Distance to the minimum.",
)

# %% [markdown] name="after-question"
# Ten times the rate explodes: here the two are *not* the same. Momentum comes equally far on both bowls, as line 3 says. SGD at its own best rate leaves it far behind on the round bowl, and is left behind on the long one. Where is the border?

# %% [markdown] name="code-text"
# ## Code

# %% name="source"
show(Momentum)

# %% [markdown] name="after-source"
# Each incoming gradient but the first is multiplied by 1 - `dampening`. And why is Nesterov's step said to look ahead? In the form of Sutskever et al. (2013, *On the importance of initialization and momentum in deep learning*) a velocity rolls on *first*, and the gradient is taken where it lands. At a constant rate that point is PyTorch's `theta`; where the gradient step ends is line 5's $x$:

# %% name="look-ahead"
bowl, lr, momentum = quadratic(1.0, 25.0), 0.02, 0.9
rule = Momentum(lr, momentum, nesterov=True)
x, velocity = np.ones(2), np.zeros(2)
trail = path(rule, bowl.gradient, np.ones(2), 50)
for t in range(50):
    ahead = x + momentum * velocity
    assert np.allclose(trail[t], ahead, rtol=1e-10)
    velocity = momentum * velocity - lr * bowl.gradient(ahead)
    x = x + velocity

# %% [markdown] name="parity-text"
# ## Parity with PyTorch
#
# The largest relative difference after 50 steps; in half precision the judge is PyTorch in float32.

# %% tags=["nbval-ignore-output", "fold"] name="parity"
# Against PyTorch
parity.table("Momentum", setting.device)

# %% [markdown] name="picture-text"
# ## Picture
#
# How many steps until the distance to the minimum is a millionth of what it was, if every method has its best constants for the bowl? Curvatures run from 1 to $\kappa$, and the slower end counts. Nesterov's
# constants are from Lessard, Recht and Packard (2016, *Analysis and design of optimization algorithms via integral quadratic constraints*). The dotted line keeps $\mu = 0.9$ and puts the steepest curvature on line 4's upper border for $\zeta = \sqrt\mu$.

# %% name="rates"
def constants(kappa):
    r, s = np.sqrt(kappa), np.sqrt(3 * kappa + 1)
    return {
        "gradient descent": (2 / (1 + kappa), 0.0, False),
        "heavy ball": (4 / (1 + r) ** 2, ((r - 1) / (r + 1)) ** 2, False),
        "Nesterov": (4 / (3 * kappa + 1), (s - 2) / (s + 2), True),
        "heavy ball, 0.9": ((1 + np.sqrt(0.9)) ** 2 / kappa, 0.9, False),
    }

# %% name="factor"
def factor(h, lr, momentum, nesterov):  # the larger root of line 3, or of line 5
    b, c = 1 + momentum - lr * h, momentum
    if nesterov:
        b, c = (1 + momentum) * (1 - lr * h), momentum * (1 - lr * h)
    return max(abs(np.roots([1, -b, c])))

def steps_needed(kappa, *rule):
    return np.log(1e-6) / np.log(max(factor(1.0, *rule), factor(kappa, *rule)))

# %% name="picture"
kappas = np.logspace(0.5, 4, 40)
curves = {m: np.array([steps_needed(k, *constants(k)[m]) for k in kappas]) for m in constants(1.0)}
plots.lines(
    kappas, curves, "condition number, largest over smallest curvature", "steps to a millionth",
    "Steps against condition number, both logarithmic. Gradient descent rises with slope one. "
    "Tuned heavy ball and Nesterov rise with slope one half. Momentum 0.9 is flat up to about "
    "1400, worse than gradient descent below about 38, then rises with slope one.",
    title="Best constants for each bowl", log="xy",
)

# %% [markdown] name="after-picture"
# Tuned, the memory turns $\kappa$ into $\sqrt\kappa$. With the usual 0.9 there is a wide flat stretch where every bowl takes the same number of steps (line 3). In its left part the memory only delays; right of the stretch
# the method is a gradient descent again, with longer steps: by $\frac{1}{1 - \mu} = 10$ for the sum, and by $\frac{(1 + \sqrt\mu)^2}{2} = 1.9$ because the edge lets it.

# %% name="picture-verdict"
root = np.sqrt(0.9)
crossing, flat = (1 + root) / (1 - root), ((1 + root) / (1 - root)) ** 2
plain, fixed = curves["gradient descent"], curves["heavy ball, 0.9"]
assert np.allclose(fixed[kappas < flat], fixed[0], rtol=1e-3)
assert ((plain > fixed) == (kappas > crossing)).all()
slopes = [np.log(c[-1] / c[-4]) / np.log(kappas[-1] / kappas[-4]) for c in curves.values()]
assert np.allclose(slopes, [1, 0.5, 0.5, 1], atol=0.1)
print(f"momentum 0.9 is flat up to a condition number of {flat:.0f}, at {fixed[0]:.0f} steps")
print(f"below {crossing:.0f}, the square root of that, gradient descent needs fewer")
print(f"at 10000 it is {plain[-1] / fixed[-1]:.0f} times as fast as gradient descent")

# %% name="library-check"
for name, rule in list(constants(1000.0).items())[1:3]:
    steps, gradient = steps_needed(1000.0, *rule), quadratic(1.0, 1000.0).gradient
    trail = path(Momentum(*rule[:2], nesterov=rule[2]), gradient, np.ones(2), int(2 * steps))
    taken = 1 + np.flatnonzero(np.linalg.norm(trail, axis=1) > 1e-6 * np.sqrt(2))[-1]
    assert 0.9 < taken / steps < 1.6
    print(f"{name}, 1000: {steps:.0f} steps in the picture, {taken} taken by the library's rule")

# %% [markdown] name="a-small-rate-only-a-larger-learning-rate"
# ## What breaks
#
# ### A small rate: only a larger learning rate
#
# Now the diabetes data of the SGD lesson, 310 training rows, in mini-batches of 16, at a rate far below the edge. Same batches, three runs: SGD; momentum 0.9 at the same rate; SGD at ten times the rate.

# %% name="noise"
sets, every = [data.diabetes(s) for s in setting.seeds], np.arange(len(setting.seeds))[:, None]
x = np.stack([d.x for d in sets])  # (seeds, 310, 10)
measured = np.stack([(d.y - d.y.mean()) / d.y.std() for d in sets])
best = np.stack([np.linalg.lstsq(*d)[0] for d in zip(x, measured, strict=True)])
clean = np.einsum("snd,sd->sn", x, best)  # the same minimum, every row fitted
rows = np.tile(np.arange(310), (1000, 1))
draws = [np.random.default_rng(s).permuted(rows, axis=1)[:, :16] for s in setting.seeds]
batches = np.stack(draws, 1)

def train(rule, y, steps):  # the gap after each step, (seeds, steps)
    theta, gaps = np.zeros((len(x), 10)), []
    state = rule.init(theta)
    for b in batches[:steps]:
        some = x[every, b]
        push = squared_error(np.einsum("snd,sd->sn", some, theta), y[every, b]).grad / 16
        theta, state = rule.update(theta, np.einsum("snd,sn->sd", some, push), state)
        off = x @ (theta - best)[:, :, None]
        gaps.append((off**2).mean((1, 2)))  # the objective above its minimum
    return np.array(gaps).T

# %% name="noise-picture"
rules = (SGD(0.0003), Momentum(0.0003), SGD(0.003))
gaps = [train(rule, measured, 1000) for rule in rules]
names = ("SGD, 0.0003", "momentum 0.9, 0.0003", "SGD, 0.003")
bands = (tuple(np.quantile(g, [0, 0.5, 1], axis=0)) for g in gaps)
plots.lines(
    np.arange(1, 1001), dict(zip(names, bands, strict=True)),
    "step", "objective above its minimum",
    "Gap against step on logarithmic axes: the run with momentum 0.9 and the run without it at ten "
    "times the rate lie on each other after the first fifty steps; plain SGD at the small rate is "
    "far behind.",
    title="Batches of 16 (median, band: all seeds)", log="xy",
)

# %% name="noise-verdict"
small, sums, longer = (np.log(g[:, 100:]) for g in gaps)  # after a start of 100 steps
near, far = (np.median(abs(sums - other), axis=1) for other in (longer, small))
assert (near < 0.1).all() and (far > 10 * near).all()
print(f"from SGD at ten times the rate, median step, farthest seed: {np.expm1(near.max()):.0%}")
print(f"from SGD at the same rate, nearest seed: {np.exp(far.min()):.0f} times")

# %% [markdown] name="after-noise-verdict"
# By line 1 every gradient is spent in the end, $1 / (1 - \mu)$ times in all. The steps are so short that it hardly matters *when*: that is a rate of $\eta / (1 - \mu)$. But who made us take such short steps? Let each rule choose its best of a row of rates, with `y` as it was measured, and with the noise taken out, that is with
# each `y` on the best linear fit:

# %% name="best-rates"
def race(y, rates):  # per seed: best rate of SGD, of momentum; SGD's gap over momentum's
    ends = np.array([[train(rule(r), y, 400)[:, -50:].mean(1) for r in rates]
                     for rule in (SGD, Momentum)])  # (rules, rates, seeds)
    at = ends.argmin(1)
    assert at.min() > 0 and at.max() < len(rates) - 1  # not at the end of the row
    return *rates[at], np.divide(*ends.min(1))

sgd, memory, gain = race(measured, 0.01 * 2.0 ** np.arange(-6, 3))
clean_sgd, clean_memory, clean_gain = race(clean, 0.01 * 2.0 ** np.arange(6))
edge = np.array([310 / np.linalg.norm(a, 2) ** 2 for a in x])  # lr times h_max = 2
conditions = np.array([np.linalg.cond(a) ** 2 for a in x])

# %% name="best-rates-table"
assert (sgd > 3 * memory).all() and (gain > 0.6).all() and (gain < 1.7).all()
assert (clean_sgd < 3 * clean_memory).all() and (clean_gain > 50).all()
assert ((clean_sgd < edge) & (edge < 2 * clean_sgd) & (clean_sgd > 3 * sgd)).all()
def spread(values):
    return " to ".join(f"{float(f'{v:.2g}'):g}" for v in (values.min(), values.max()))

Table(
    ["lowest and highest seed", "SGD's best rate", "over momentum's", "SGD's gap over momentum's"],
    [
        ["y as measured", *map(spread, (sgd, sgd / memory, gain))],
        ["y without noise", *map(spread, (clean_sgd, clean_sgd / clean_memory, clean_gain))],
    ],
    f"Rates by factors of 2. Edge of SGD: {spread(edge)}. Condition number: {spread(conditions)}.",
)

# %% [markdown] name="best-constants-on-a-quadratic-only"
# With noise, each rule scales its best rate to its own steps, and in these 400 steps the memory has bought nothing. Without it, on the same batches, the rate can grow until the edge stops it: there is no room for ten times the rate, and on this long bowl the memory wins. **It paid where the edge limited
# the rate, not where the noise did** (one data set, one size of batch).
#
# ### Best constants, on a quadratic only
#
# The heavy ball's constants are tuned to curvatures that never change. Take a curvature of 25 below 1, of 1 between 1 and 2, and of 25 above (Lessard and others): convex, the minimum at 0. 1301 starts from $-5$ to 8, each a run of its own:

# %% name="bent"
def bent(x):  # the gradient
    return np.where(x < 1, 25 * x, np.where(x < 2, x + 24, 25 * x - 24))

starts, lost = np.linspace(-5, 8, 1301), {}
for name, (lr, momentum, nesterov) in list(constants(25.0).items())[:3]:
    trail = path(Momentum(lr, momentum, nesterov=nesterov), bent, starts, 603)
    lost[name] = abs(trail[600]) > 1e-3
    assert np.allclose(trail[600], trail[603])
    assert not np.isclose(trail[600], trail[601])[lost[name]].any()
assert lost["heavy ball"].mean() > 0.1 and not (lost["Nesterov"] | lost["gradient descent"]).any()
print(f"never arrive: {lost['heavy ball'].mean():.0%} of the heavy balls, no other")

# %% [markdown] name="the-same-number-in-another-form"
# The lost ones circle between three points: after 600 steps each is where it was three steps before, and elsewhere a step later. Nesterov's step, slower in the picture, arrives from all; and with the rate $1 / h_{\max}$ and $\mu = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}$ there is a proof for every function whose curvature stays between the two (the paper recalls it).
#
# ### The same number in another form
#
# Many papers put $\eta$ *inside* the sum. That is the same path, until the rate changes:

# %% name="forms"
inside = outside = np.ones(2)
velocity, u = np.zeros((2, 2))
for t in range(60):
    lr = 0.01 if t < 10 else 0.0
    velocity = 0.9 * velocity + lr * bowl.gradient(inside)
    u = 0.9 * u + bowl.gradient(outside)
    inside, outside = inside - velocity, outside - lr * u
    if t < 10:
        assert np.allclose(inside, outside)
assert np.linalg.norm(outside) < np.sqrt(2) < np.linalg.norm(inside)
for name, theta in {"start": np.ones(2), "rate outside": outside, "rate inside": inside}.items():
    print(f"{name}: distance {np.linalg.norm(theta):.1f}")

# %% [markdown] name="after-forms"
# Set the rate to 0, and PyTorch's parameters stand still at once; with the rate inside the sum the old velocity rolls on, here to a point farther from the minimum than the start.

# %% [markdown] name="the-same-path"
# ## Exercises
#
# ### 1. The same path (2 minutes, easy)
# A paper tuned the rate `lr` for the average $m$. Which rate makes PyTorch's sum walk the same path?

# %% name="exercise-same"
def same_path_lr(lr, momentum):
    ### BEGIN SOLUTION
    return lr * (1 - momentum)
    ### END SOLUTION

# %% name="check-same"
check("same_path_lr")

# %% [markdown] name="one-step"
# <details><summary>Hint</summary>Line 2: m is u times 1 - momentum. Both steps must have the same length.</details>
#
# ### 2. One step (5 minutes, medium)
# The other way round: `lr` is meant for PyTorch's sum, but what comes in from the step before is the average `m`. Return `(theta, m)`, so that `theta` walks PyTorch's path, with and without Nesterov. The check changes the rate half-way.

# %% name="exercise-step"
def momentum_step(theta, g, m, lr, momentum, nesterov):
    ### BEGIN SOLUTION
    m = momentum * m + (1 - momentum) * g
    u = m / (1 - momentum)
    return theta - lr * (g + momentum * u if nesterov else u), m
    ### END SOLUTION

# %% name="check-step"
check("momentum_step")

# %% [markdown] name="how-much-memory"
# <details><summary>Hint 1</summary>First the new m. Which u belongs to it?</details>
# <details><summary>Hint 2</summary>Only the step differs between the two; the state does not. The rate multiplies the whole step, once, at the end.</details>
#
# ### 3. How much memory? (5 minutes, medium)
# The rate is given. Return the smallest momentum of a heavy ball with which line 3's bold words hold for all curvatures from `low` to `high` (the borders of line 4 included).

# %% name="exercise-least"
def least_momentum(lr, low, high):
    ### BEGIN SOLUTION
    return max(1 - np.sqrt(lr * low), np.sqrt(lr * high) - 1) ** 2
    ### END SOLUTION

# %% name="check-least"
check("least_momentum")

# %% [markdown] name="the-best-constants"
# <details><summary>Hint 1</summary>Line 4, at ζ = √μ, has two borders. Take the square root of each inequality: what must the root of μ exceed?</details>
# <details><summary>Hint 2</summary>Both must hold: the larger one counts.</details>
#
# ### 4. The best constants (4 minutes, medium)
# Line 4 gives the momentum; the rate in `constants` came without a reason, and for a smallest curvature of 1. Derive it: for curvatures from `low` to `high`, return the heavy ball's best `(lr, momentum)`.

# %% name="exercise-tuned"
def tuned(low, high):
    ### BEGIN SOLUTION
    a, b = np.sqrt(low), np.sqrt(high)
    root = (b - a) / (b + a)
    return 4 / (a + b) ** 2, root**2
    ### END SOLUTION

# %% name="check-tuned"
check("tuned")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Both ends stand on line 4's borders: with ζ the root of the momentum, lr low = (1 - ζ)² and lr high = (1 + ζ)².</details>
# <details><summary>Hint 2</summary>Take square roots of both, then add and subtract the two equations.</details>
#
# ## Takeaways
#
# - Momentum sums fading gradients; the average is the same thing at another rate. Along a curved axis the ball overshoots, and only the envelope shrinks, by $\sqrt\mu$ per step. Nesterov's step looks one velocity ahead, and its edge of stability is *lower* than gradient descent's.
# - Tuned, **on a quadratic**, it turns the condition number into its square root. Where the curvature changes, the heavy ball's best constants may circle for ever; Nesterov's step is safer. Untuned, at 0.9, it takes the same number of steps over a wide range of condition numbers, and is slower than no memory on easy ones.
# - Do not expect more than a larger learning rate where noise keeps the rate far below the edge; and never copy a rate from one form to another.
