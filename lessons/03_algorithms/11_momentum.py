# ---
# jupyter:
#   lesson:
#     title: Momentum and Nesterov
#     minutes: 40
#     settles: [G13]
# ---

# %% [markdown]
# # Momentum and Nesterov
#
# **Goal.** Find out what a memory of past gradients buys, and when it is no more than a larger learning rate. **40 minutes.**
#
# **The question.** A momentum of 0.9 makes steps up to ten times longer. So why not take a learning rate ten times as large and forget the memory? On some problems the
# two are the same run. On which are they not?

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
from lessons_lib.landscapes import quadratic
from lessons_lib.losses import squared_error
from lessons_lib.optim import SGD, Momentum
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)

# %% [markdown]
# ## The formula
#
# The source document names momentum and gives no formula. Polyak's **heavy ball** (G13), as PyTorch computes it, keeps a sum of gradients that fades, and steps along it:
#
# $$u_t = \mu\, u_{t-1} + g_t \qquad \theta_{t+1} = \theta_t - \eta\, u_t \qquad u_0 = 0$$
#
# **Nesterov's** variant changes the step only: $\theta_{t+1} = \theta_t - \eta\, (g_t + \mu\, u_t)$.
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $\theta$, $g$ | `theta`, `g` | any, the same | parameters; gradient |
# | $u$ | `u` | as $\theta$ | fading sum of gradients |
# | $\mu$ | `momentum` | a number in $[0, 1)$ | what is kept of the sum at each step |
# | $\eta$ | `lr` | a number | learning rate |
# | $h$; $\kappa$ | `h` | numbers | curvature of a quadratic along an axis; largest over smallest curvature |

# %% [markdown]
# ## Derivation
#
# 1. Put the first line into itself: $u_t = \sum_{k=0}^{t-1} \mu^k g_{t-k}$. Under a constant gradient the sum grows to $g / (1 - \mu)$: with $\mu = 0.9$ ten times a gradient.
# 2. Adam's average (F7) is $m_t = \mu\, m_{t-1} + (1 - \mu) g_t$. It is $u_t$ times $1 - \mu$. The two walk the same path if the average gets the rate $\eta / (1 - \mu)$.
# 3. On a quadratic, along an axis with curvature $h$, $g_t = h\, \theta_t$. Eliminate $u$ by $\eta\, u_{t-1} = \theta_{t-1} - \theta_t$: $\theta_{t+1} = (1 + \mu - \eta h)\, \theta_t - \mu\, \theta_{t-1}$. Such a
#    sequence is made of powers $z^t$ with $z^2 - (1 + \mu - \eta h)\, z + \mu = 0$. The product of the two roots is $\mu$. If they are complex they are a conjugate pair,
#    so both have the size $\sqrt\mu$: **in the long run the distance shrinks by $\sqrt\mu$ per step, whatever the curvature** between the borders of line 4.
# 4. They are complex if $(1 + \mu - \eta h)^2 < 4 \mu$, that is for $(1 - \sqrt\mu)^2 < \eta h < (1 + \sqrt\mu)^2$. For curvatures from $h_{\min}$ to $h_{\max}$ the smallest $\sqrt\mu$ puts both ends on
#    the border: $\sqrt{\mu} = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}$. Without momentum the best factor is $\frac{\kappa - 1}{\kappa + 1}$: momentum replaces $\kappa$ by its square root.
# 5. The edge of stability: a root at $-1$ gives $\eta h = 2 (1 + \mu)$, nearly twice gradient descent's 2. With Nesterov's step, $\theta_{t+1} = \theta_t - \eta g_t - \mu\, \eta u_t$ and $\eta u_t = \mu\, \eta u_{t-1} + \eta h\, \theta_t$: the pair $(\theta, \eta u)$ goes through a two-by-two matrix, whose characteristic equation is $z^2 - (1 + \mu)(1 - \eta h)\, z + \mu (1 - \eta h) = 0$, and
#    the edge $\eta h = \frac{2 (1 + \mu)}{1 + 2 \mu}$, *less* than 2.

# %% name="derivation"
mu, a, now, before, z = sp.symbols("mu a now before z")  # a stands for lr times h; lr = 1
g = sp.symbols("g1:6")
u = m = 0
for g_t in g:
    u, m = mu * u + g_t, mu * m + (1 - mu) * g_t
assert sp.expand(u - sum(mu**k * g[4 - k] for k in range(5))) == 0  # line 1
assert sp.expand(m - (1 - mu) * u) == 0  # line 2

u_old = before - now  # the last step was -u_old
after = now - (mu * u_old + a * now)
ball = sp.expand(after - ((1 + mu - a) * now - mu * before))
assert ball == 0  # line 3
r = sp.Symbol("r", positive=True)  # the square root of mu
discriminant = sp.factor((1 + r**2 - a) ** 2 - 4 * r**2)
assert sp.expand(discriminant - (a - (1 - r) ** 2) * (a - (1 + r) ** 2)) == 0  # line 4: negative between the two
low, high = sp.symbols("low high", positive=True)  # roots of the curvatures at both ends
root = (high - low) / (high + low)
rate = 4 / (high + low) ** 2
assert sp.simplify(rate * low**2 - (1 - root) ** 2) == 0 and sp.simplify(rate * high**2 - (1 + root) ** 2) == 0

# %% name="edges"
heavy = z**2 - (1 + mu - a) * z + mu
nesterov = z**2 - (1 + mu) * (1 - a) * z + mu * (1 - a)
edges = [sp.solve(equation.subs(z, -1), a)[0] for equation in (heavy, nesterov)]
assert sp.simplify(edges[0] - 2 * (1 + mu)) == 0 and sp.simplify(edges[1] - 2 * (1 + mu) / (1 + 2 * mu)) == 0  # line 5
step = sp.Matrix([[1 - a - mu * a, -(mu**2)], [a, mu]])  # one Nesterov step of (theta, u), lr = 1
assert sp.expand(step.charpoly(z).as_expr() - nesterov) == 0
print("lr times h may grow to 2 without momentum; at momentum 0.9 to", *(f"{e.subs(mu, 0.9):.2f}" for e in edges))

# %% [markdown]
# The first number is the heavy ball's, the second Nesterov's. A rate just below gradient descent's edge is safe with a heavy ball, and explodes with Nesterov:

# %% name="edge-check"
rows = []
for name, rule, factor in [
    ("gradient descent", SGD, 2.0),
    ("heavy ball", lambda lr: Momentum(lr, 0.9), 3.8),
    ("Nesterov", lambda lr: Momentum(lr, 0.9, nesterov=True), 3.8 / 2.8),
]:
    ends = []
    for lr in (0.99 * factor, 1.01 * factor, 1.9):
        theta, state = np.ones(1), rule(lr).init(np.ones(1))
        for _ in range(500):
            theta, state = rule(lr).update(theta, theta, state)  # curvature 1: the gradient is theta
        ends.append("falls" if abs(theta[0]) < 1 else "grows")
    assert ends[:2] == ["falls", "grows"]
    rows.append([name, *ends])
Table(["curvature 1", "1 % below its own edge", "1 % above", "lr = 1.9"], rows)

# %% [markdown]
# And the question? 60 steps on two bowls, the start at $(1, 1)$, the rate of momentum well below its edge:

# %% name="question"
rows, ends = [], {}
for kappa in (25.0, 200.0):
    hill = quadratic(1.0, kappa)
    for name, rule in [("momentum", Momentum(0.5 / kappa)), ("ten", SGD(5 / kappa)), ("best", SGD(2 / (1 + kappa)))]:
        theta = np.ones(2)
        state = rule.init(theta)
        for _ in range(60):
            theta, state = rule.update(theta, hill.gradient(theta), state)
        ends[name, kappa] = np.linalg.norm(theta)
    rows.append([f"{kappa:g}", *(f"{ends[name, kappa]:.2g}" for name in ("momentum", "ten", "best"))])
assert min(ends["ten", 25.0], ends["ten", 200.0]) > 1e30
assert ends["best", 25.0] < ends["momentum", 25.0] and ends["momentum", 200.0] < ends["best", 200.0] / 2
Table(["largest curvature", "momentum 0.9", "SGD, ten times that rate", "SGD, its own best rate"], rows, "Distance to the minimum.")

# %% [markdown]
# Ten times the rate explodes: here the two are *not* the same. Against SGD's own best rate momentum loses on the round bowl and wins on the long one. Where the border lies is the picture's business.
#
# ## Code

# %% name="source"
show(Momentum)

# %% [markdown]
# `dampening` multiplies the incoming gradient, but not the first one: set to $\mu$, it gives the recursion of Adam's average, started at $g_1$ instead of $(1 - \mu)\, g_1$. Under a constant gradient it is $g$ from the first step on, where Adam's $m$ is $(1 - \mu^t)\, g$.
# And why "look ahead"? Nesterov's own form takes the gradient at the point where the old velocity alone would land. Follow *that* point, and it is PyTorch's:

# %% name="look-ahead"
bowl, lr, momentum = quadratic(1.0, 25.0), 0.02, 0.9
rule = Momentum(lr, momentum, nesterov=True)
theta, state = np.array([1.0, 1.0]), rule.init(np.ones(2))
point, velocity = np.array([1.0, 1.0]), np.zeros(2)
for _ in range(50):
    theta, state = rule.update(theta, bowl.gradient(theta), state)
    ahead = point + momentum * velocity
    velocity = momentum * velocity - lr * bowl.gradient(ahead)
    point = point + velocity
    assert np.allclose(theta, point + momentum * velocity, rtol=1e-10)
print("PyTorch's Nesterov is the look-ahead point of Nesterov's own form: True")

damped = Momentum(1.0, 0.9, dampening=0.9)
theta, state = np.zeros(1), damped.init(np.zeros(1))
for _ in range(10):
    theta, state = damped.update(theta, np.ones(1), state)
    assert np.isclose(state.u[0], 1)  # Adam's m would be 1 - 0.9**t

# %% [markdown]
# ## Parity with PyTorch
#
# The largest relative difference after 50 steps; in half precision the judge is PyTorch in float32.

# %% tags=["nbval-ignore-output"] name="parity"
parity.table("Momentum", setting.device)

# %% [markdown]
# ## Picture
#
# How many steps until the distance to the minimum is a millionth of what it was, if every method has its best constants for the bowl? Curvatures run from 1 to $\kappa$. The factor per step is the
# size of the larger root; for Nesterov the best constants are Lessard et al.'s (2016, arXiv 1408.3595). The dotted line keeps $\mu = 0.9$ and tunes only the rate.

# %% name="rates"
def factor(lr, momentum, h, nesterov=False):  # the larger root of line 3, or of line 5
    b, c = 1 + momentum - lr * h, momentum
    if nesterov:
        b, c = (1 + momentum) * (1 - lr * h), momentum * (1 - lr * h)
    half = np.sqrt(b**2 / 4 - c + 0j)
    return max(abs(b / 2 + half), abs(b / 2 - half))

def constants(kappa):
    r, s = np.sqrt(kappa), np.sqrt(3 * kappa + 1)
    return {
        "gradient descent": (2 / (1 + kappa), 0.0, False),
        "heavy ball": (4 / (1 + r) ** 2, ((r - 1) / (r + 1)) ** 2, False),
        "Nesterov": (4 / (3 * kappa + 1), (s - 2) / (s + 2), True),
    }

def steps_needed(lr, momentum, nesterov, kappa):
    worst = max(factor(lr, momentum, h, nesterov) for h in (1.0, kappa))
    return np.log(1e-6) / np.log(worst)

# %% name="picture"
kappas = np.logspace(0.5, 4, 40)
curves = {m: np.array([steps_needed(*constants(k)[m], k) for k in kappas]) for m in constants(1.0)}
rates = np.linspace(0.01, 3.79, 400)  # for momentum 0.9: times 1 / kappa
curves["heavy ball, 0.9"] = np.array([min(steps_needed(r / k, 0.9, False, k) for r in rates) for k in kappas])
plots.lines(
    kappas, curves, "condition number, largest over smallest curvature", "steps to a millionth",
    "Steps against condition number, both logarithmic. Gradient descent rises with slope one. Tuned heavy ball and "
    "Nesterov rise with slope one half. Momentum 0.9 is flat up to about 1400, worse than gradient descent below "
    "about 38, then rises with slope one.",
    title="Best constants for each bowl", log="xy",
)

# %% [markdown]
# Tuned, the memory turns $\kappa$ into $\sqrt\kappa$. With the usual 0.9 there is a wide flat stretch, up to about 1400, where every bowl takes the same number of steps (line 3). In its left part, below 38, the memory only delays; right of the stretch
# the method is a gradient descent again, with longer steps.

# %% name="picture-verdict"
slope = {m: np.diff(np.log(c[[-12, -1]]))[0] / np.diff(np.log(kappas[[-12, -1]]))[0] for m, c in curves.items()}
assert abs(slope["gradient descent"] - 1) < 0.05 and abs(slope["heavy ball"] - 0.5) < 0.05 and abs(slope["Nesterov"] - 0.5) < 0.05
flat = (1 + np.sqrt(0.9)) ** 2 / (1 - np.sqrt(0.9)) ** 2
crossing = (1 + np.sqrt(0.9)) / (1 - np.sqrt(0.9))  # where (k - 1) / (k + 1) is the root of 0.9
assert all((curves["gradient descent"] > curves["heavy ball, 0.9"])[kappas < flat] == (kappas > crossing)[kappas < flat])
print(f"momentum 0.9 is flat up to a condition number of {flat:.0f}, at {curves['heavy ball, 0.9'][10]:.0f} steps")
print(f"below {crossing:.0f}, the square root of that, gradient descent needs fewer")

def walk(kappa, method):  # the library's rule, until it is there
    lr, momentum, nesterov = constants(kappa)[method]
    rule, hill, theta = Momentum(lr, momentum, nesterov=nesterov), quadratic(1.0, kappa), np.ones(2)
    state, n = rule.init(theta), 0
    while np.linalg.norm(theta) > 1e-6 * np.sqrt(2):
        (theta, state), n = rule.update(theta, hill.gradient(theta), state), n + 1
    return n

walked = {(k, m): walk(k, m) / steps_needed(*constants(k)[m], k) for k in (30.0, 1000.0) for m in ("heavy ball", "Nesterov")}
assert all(0.9 < ratio < 1.6 for ratio in walked.values())
print("at 30 and 1000 the library's own runs take as many, or up to 1.6 times as many (a double root starts slowly): True")

# %% [markdown]
# ## What breaks
#
# ### A small rate: only a larger learning rate
#
# Now the diabetes data of the SGD lesson, 310 training rows, in mini-batches of 8, at a rate far below the edge. Same batches, three runs: SGD; momentum 0.9 at the same rate; SGD at ten times the rate.

# %% name="noise"
def problem(seed):
    x, y, *_ = data.diabetes(seed)
    y = (y - y.mean()) / y.std()
    lowest = np.mean((x @ np.linalg.lstsq(x, y)[0] - y) ** 2)
    return x, y, lambda theta: np.mean((x @ theta - y) ** 2) - lowest

def train(rule, seed, B=8, steps=2000):
    (x, y, gap), rng = problem(seed), np.random.default_rng(seed)
    theta, gaps = np.zeros(10), []
    state = rule.init(theta)
    for _ in range(steps):
        b = rng.choice(len(x), B, replace=False)
        theta, state = rule.update(theta, x[b].T @ mean(squared_error(x[b] @ theta, y[b])).grad, state)
        gaps.append(gap(theta))
    return np.array(gaps)

runs = {"SGD, 0.0003": SGD(0.0003), "momentum 0.9, 0.0003": Momentum(0.0003), "SGD, 0.003": SGD(0.003)}
gaps = {name: np.array([train(rule, s) for s in setting.seeds]) for name, rule in runs.items()}

# %% name="noise-picture"
plots.lines(
    np.arange(1, 2001), {name: tuple(np.quantile(g, [0, 0.5, 1], axis=0)) for name, g in gaps.items()},
    "step", "objective above its minimum",
    "Gap against step on logarithmic axes: the run with momentum 0.9 and the run without it at ten times the rate lie on "
    "each other; plain SGD at the small rate is far behind.",
    title="Batches of 8 (median, band: all seeds)", log="xy",
)

# %% name="noise-verdict"
late = {name: np.log(g[:, 100:]) for name, g in gaps.items()}  # after a start of 100 steps
from_longer, from_same = (
    np.median(abs(late["momentum 0.9, 0.0003"] - late[name]), axis=1) for name in ("SGD, 0.003", "SGD, 0.0003")
)
print("median distance from SGD at ten times the rate: below 10 %, every seed:", (from_longer < 0.1).all())
print("... from SGD at the same rate: at least ten times as far, every seed:", (from_same > 10 * from_longer).all())
assert (from_longer < 0.1).all() and (from_same > 10 * from_longer).all()

# %% [markdown]
# Is it the noise, or the small rate? Both at three values, 800 steps:

# %% name="noise-or-rate"
apart = {}
for lr in (0.0003, 0.003, 0.01):
    for B in (8, 310):
        pairs = [[np.log(train(rule, s, B, 800)[100:]) for rule in (Momentum(lr), SGD(10 * lr))] for s in setting.seeds[:3]]
        apart[lr, B] = max(np.median(abs(m - longer)) for m, longer in pairs)
assert max(apart[lr, 310] for lr in (0.0003, 0.003, 0.01)) < 0.05 and apart[0.01, 8] > 5 * apart[0.0003, 8]
rows = [[f"{lr:g}", *(f"{apart[lr, B]:.0%}" for B in (8, 310))] for lr in (0.0003, 0.003, 0.01)]
Table(["rate of momentum", "batch of 8", "all rows"], rows, "Distance from SGD at ten times the rate, median over steps, the worst of three seeds.")

# %% [markdown]
# Where each step is short, the gradient hardly changes over the ten steps of the memory, and summing them up is line 1: a rate of $\eta / (1 - \mu)$. It is the small rate that does it: without noise the two lie closer still, and at larger rates the noisy runs part. **The memory pays where the steps are as long as the
# steepest direction allows** (the picture above), and not where caution keeps them short.
#
# ### Best constants, on a quadratic only
#
# The heavy ball's constants are tuned to curvatures that never change. A slope that is 25 below 1, 1 between 1 and 2, and 25 above (Lessard et al.): convex, the minimum at 0, and the same borders.

# %% name="bent"
def bent(x):
    return np.where(x < 1, 25 * x, np.where(x < 2, x + 24, 25 * x - 24))

ends = {}
for name, (lr, momentum, nesterov) in constants(25.0).items():
    rule, theta = Momentum(lr, momentum, nesterov=nesterov), np.array([3.3])
    state = rule.init(theta)
    for _ in range(300):
        theta, state = rule.update(theta, bent(theta), state)
    ends[name] = abs(theta[0])
assert ends["heavy ball"] > 0.1 > 1e-9 > max(ends["Nesterov"], ends["gradient descent"])
Table(["method", "distance after 300 steps"], [[name, f"{e:.1g}"] for name, e in ends.items()])

# %% [markdown]
# The heavy ball circles for ever. This is what Nesterov's slower curve in the picture buys: here it still arrives; and with the rate $1 / h_{\max}$ and $\mu = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}$ there is a proof for every function whose curvature stays between the two (the paper recalls it).
#
# ### The same number in another form
#
# A rate that was tuned for the sum $u$ is ten times too small for the average $m$ (line 2), and one for the form of many papers, with $\eta$ *inside* the sum, differs as soon as the rate changes:

# %% name="forms"
def three_forms(lr_at, steps=60, momentum=0.9):
    inside = np.array([1.0, 1.0])
    outside, average = inside, inside
    velocity, u, m = np.zeros((3, 2))
    for t in range(steps):
        velocity = momentum * velocity + lr_at(t) * bowl.gradient(inside)
        u = momentum * u + bowl.gradient(outside)
        m = momentum * m + (1 - momentum) * bowl.gradient(average)
        inside, outside, average = inside - velocity, outside - lr_at(t) * u, average - lr_at(t) * m
    return [np.linalg.norm(theta) for theta in (inside, outside, average)]

steady, dropped = three_forms(lambda t: 0.01), three_forms(lambda t: 0.01 if t < 10 else 0.0)
assert np.isclose(steady[0], steady[1], rtol=1e-9) and steady[2] > 2 * steady[1] and not np.isclose(dropped[0], dropped[1], rtol=0.1)
Table(
    ["distance to the minimum", "rate inside the sum", "rate outside (PyTorch)", "average"],
    [["rate 0.01, 60 steps", *steady], ["rate 0.01, set to 0 after 10 steps", *dropped]],
)

# %% [markdown]
# Set the rate to 0, and PyTorch's parameters stand still at once; with the rate inside the sum the old velocity rolls on.

# %% [markdown]
# ## Exercises
#
# ### 1. One step (8 minutes, medium)
# `u` comes in from the step before. Return `(theta, u)`. The check changes the rate half-way.

# %% name="exercise-step"
def momentum_step(theta, g, u, lr, momentum, nesterov):
    ### BEGIN SOLUTION
    u = momentum * u + g
    return theta - lr * (g + momentum * u if nesterov else u), u
    ### END SOLUTION

# %% name="check-step"
check("momentum_step")

# %% [markdown]
# <details><summary>Hint 1</summary>First the new u, then the step; only the step differs between the two.</details>
# <details><summary>Hint 2</summary>The rate multiplies the whole step, once, at the end.</details>
#
# ### 2. The same path (3 minutes, easy)
# A paper tuned the rate `lr` for the average $m$. Which rate makes PyTorch's sum walk the same path?

# %% name="exercise-same"
def same_path_lr(lr, momentum):
    ### BEGIN SOLUTION
    return lr * (1 - momentum)
    ### END SOLUTION

# %% name="check-same"
check("same_path_lr")

# %% [markdown]
# <details><summary>Hint</summary>Line 2: m is u times 1 - momentum. Both steps must have the same length.</details>
#
# ### 3. How much memory? (8 minutes, medium)
# The rate is given. Return the smallest momentum of a heavy ball with which all curvatures from `low` to `high` shrink by $\sqrt\mu$ per step (the borders of line 4 included).

# %% name="exercise-least"
def least_momentum(lr, low, high):
    ### BEGIN SOLUTION
    return max(1 - np.sqrt(lr * low), np.sqrt(lr * high) - 1) ** 2
    ### END SOLUTION

# %% name="check-least"
check("least_momentum")

# %% [markdown]
# <details><summary>Hint 1</summary>Line 4 has two borders. Take the square root of each inequality: what must the root of μ exceed?</details>
# <details><summary>Hint 2</summary>Both must hold: the larger one counts.</details>
#
# ### 4. The best constants, and what they promise (8 minutes, hard)
# For curvatures from `low` to `high`: return the heavy ball's best `lr` and `momentum`, and the number of steps to a millionth of the distance by line 3, rounded up.

# %% name="exercise-tuned"
def tuned(low, high):
    ### BEGIN SOLUTION
    a, b = np.sqrt(low), np.sqrt(high)
    root = (b - a) / (b + a)
    return 4 / (a + b) ** 2, root**2, np.ceil(np.log(1e-6) / np.log(root))
    ### END SOLUTION

# %% name="check-tuned"
check("tuned")

# %% [markdown]
# <details><summary>Hint 1</summary>Line 4: with r the root of the momentum, lr low = (1 - r)² and lr high = (1 + r)².</details>
# <details><summary>Hint 2</summary>Take square roots of both, then add and subtract the two equations.</details>
#
# [All solutions of this lesson](../../solutions/03_algorithms/11_momentum.ipynb)
#
# ## Takeaways
#
# - Momentum sums fading gradients; the average is the same thing at another rate. **G13: confirmed**, as PyTorch writes it; Nesterov's step looks one velocity ahead, and its edge of stability is *lower* than gradient descent's.
# - Tuned, **on a quadratic**, it turns the condition number into its square root. Where the curvature changes, the heavy ball's best constants may circle for ever; Nesterov's step is safer. Untuned, at 0.9, it is flat over a wide range of condition numbers, and slower than no memory on easy ones.
# - Do not expect more than a larger learning rate where the rate is far below the edge; and never copy a rate from one form to another.
