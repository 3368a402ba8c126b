# ---
# jupyter:
#   lesson:
#     title: Nesterov's step, and momentum in other forms
#     question: "At a rate that is safe for gradient descent and for the heavy ball, Nesterov's step explodes. Why use it?"
#     minutes: 40
#     needs: [11_momentum]
#     settles: [G13]
#     studies: [optim.Momentum]
# ---

# %% [markdown] name="goal"
# # Nesterov's step, and momentum in other forms
#
# **Goal.** Tell the forms of momentum apart that papers and libraries use, and know what Nesterov's step is good for.
#
# **The question.** Take an axis with curvature 1 and the learning rate 1.5. Gradient descent is safe there, and so is the heavy ball, the method of the momentum lesson. Nesterov's famous step explodes. Why should anyone use it?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import numpy as np
import sympy as sp

from lessons_lib import bridge, exercises, parity, plots
from lessons_lib.derive import derive
from lessons_lib.landscapes import quadratic
from lessons_lib.optim import SGD, Momentum, descend
from lessons_lib.show import show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/28_nesterov")

# %% tags=["fold"] name="question-picture"
# 60 steps on an axis with curvature 1, at the learning rate 1.5.
def path(rule, gradient, start, steps):
    return np.array(descend(start, rule, gradient, steps))

rules = {
    "gradient descent": SGD(1.5),
    "heavy ball": Momentum(1.5, 0.9),
    "Nesterov": Momentum(1.5, 0.9, nesterov=True),
}
trails = {
    name: abs(path(rule, quadratic(1.0).gradient, np.ones(1), 60)[:, 0])
    for name, rule in rules.items()
}
assert (
    trails["Nesterov"][-1] > 1e3
    and trails["heavy ball"][-1] < 0.2
    and trails["gradient descent"][-1] < 1e-10
)
plots.lines(
    np.arange(61),
    trails,
    "step t",
    "distance from the minimum (log)",
    "Distance over 60 steps, logarithmic. Gradient descent falls fastest, the heavy ball "
    "falls slowly in waves, Nesterov's step rises.",
    title="Learning rate 1.5, curvature 1, momentum 0.9",
    log="y",
)

# %% [markdown] name="formula"
# ## Formula
#
# The heavy ball keeps a sum of gradients, and steps along it:
#
# $$u_t = \mu\, u_{t-1} + g_t \qquad\qquad \theta_t = \theta_{t-1} - \eta\, u_t$$
#
# Nesterov's method (1983), with a constant $\mu$ and as PyTorch computes it, changes the step only:
#
# $$\theta_t = \theta_{t-1} - \eta\, (g_t + \mu\, u_t)$$
#
# Three more forms are met in papers and libraries. The first **averages** instead of adding up:
#
# $$m_t = \mu\, m_{t-1} + (1 - \mu)\, g_t \qquad\qquad \theta_t = \theta_{t-1} - \eta\, m_t$$
#
# The second has the **rate inside** the sum, here called the velocity $s$:
#
# $$s_t = \mu\, s_{t-1} + \eta\, g_t \qquad\qquad \theta_t = \theta_{t-1} - s_t$$
#
# The third is **dampening**, an option of PyTorch: each gradient but the first is multiplied by 1 - `dampening` before it is added. With `dampening` = $\mu$ that is the average, except for the first gradient.
#
# ## Derivation
#
# ### The average is the sum at another rate

# %% tags=["fold"] name="derive-average"
# Derivation 1: the average after three steps.
mu, eta, h = sp.symbols("mu eta h", positive=True)
memory = {mu: (0.05, 0.95)}

def sum_of(mu, *gradients):  # the library's u after these, read off its step at the rate 1
    given, rule = iter(np.array(gradients, dtype=float)[:, None]), Momentum(1.0, float(mu))
    last, now = descend(np.zeros(1), rule, lambda theta: next(given), len(gradients))[-2:]
    return (last - now)[0]

(
    derive(
        "m_3",
        "mu * (mu * (1 - mu) * g_1 + (1 - mu) * g_2) + (1 - mu) * g_3",
        "the formula, three times",
        [mu, *sp.symbols("g_1:4")],
        ranges=memory,
    )
    .equals("(1 - mu) * (g_3 + mu * g_2 + mu**2 * g_1)", "**$1 - \\mu$ times the sum** $u_3$")
    .library(
        "(1 - mu) * u",
        lambda mu, g_1, g_2, g_3: (1 - mu) * sum_of(mu, g_1, g_2, g_3),
        "the library's sum",
        each=True,
    )
)

# %% [markdown] name="average-reading"
# So the average walks the path of the sum if it gets the rate $\frac{\eta}{1 - \mu}$. A rate that is copied from one form to the other is wrong by that factor: by 10 at $\mu = 0.9$.
#
# ### Nesterov's step is a gradient step that rolls on
#
# Call the end of a gradient step $x_t = \theta_{t-1} - \eta\, g_t$. From there Nesterov's step goes on by $\mu$ times the way that $x$ has moved:
#
# $$\theta_t = x_t + \mu\, (x_t - x_{t-1})$$
#
# (Both forms agree because $x_t - x_{t-1} = -\eta\, u_t$.) On an axis with the curvature $h$ the gradient is $h\,\theta$, so $x_t = (1 - \eta h)\, \theta_{t-1}$.

# %% tags=["fold"] name="derive-nesterov"
# Derivation 2: the next point from the last two.
now, before = sp.Symbol(r"\theta_{t-1}", real=True), sp.Symbol(r"\theta_{t-2}", real=True)
names = {
    "mu": mu,
    "eta": eta,
    "h": h,
    "now": now,
    "before": before,
    "zeta": sp.Symbol("zeta", real=True),
}

def one_step(eta, mu, h, now, before):
    rule, theta = Momentum(float(eta), float(mu), nesterov=True), np.array([float(now)])
    u = ((before - now) / eta - h * before) / mu  # the sum with which the last step came here
    state = rule.init(theta)._replace(t=1, u=np.array([float(u)]))
    return rule.update(theta, h * theta, state)[0][0]

(
    derive(
        r"\theta_t",
        "(1 - eta * h) * now + mu * ((1 - eta * h) * now - (1 - eta * h) * before)",
        "$x_t$ and $x_{t-1}$ put in",
        names,
        ranges=memory | {eta: (0.1, 2), h: (0.1, 2)},
    )
    .equals("(1 + mu) * (1 - eta * h) * now - mu * (1 - eta * h) * before", "sorted by points")
    .library("Momentum(eta, mu, nesterov=True)", one_step, "the library's step", each=True)
)

# %% [markdown] name="nesterov-reading"
# In the momentum lesson, the heavy ball had $(1 + \mu - \eta h)$ and $\mu$ in these two places. Again put $\theta_t = \zeta^t$ into it and look for the rate at which a factor $\zeta$ passes $-1$. (Nothing else can go wrong before: at $\zeta = 1$ the polynomial is $\eta h$, never zero, and the product of the two factors, $\mu (1 - \eta h)$, stays smaller than 1.)

# %% tags=["fold"] name="derive-edge"
# Derivation 3: the largest stable rate of Nesterov's step.
(
    derive(
        "p(\\zeta)",
        "zeta**2 - ((1 - eta * h) * zeta + mu * ((1 - eta * h) * zeta - (1 - eta * h)))",
        "zero at a factor",
        names,
        ranges=memory,
    )
    .equals("zeta**2 - (1 + mu) * (1 - eta * h) * zeta + mu * (1 - eta * h)", "sorted")
    .put("zeta", -1, "1 + (1 + mu) * (1 - eta * h) + mu * (1 - eta * h)", "a factor of $-1$")
    .equals("2 * (1 + mu) - (1 + 2 * mu) * eta * h", "sorted")
    .zero_at(
        eta,
        "2 * (1 + mu) / ((1 + 2 * mu) * h)",
        "**the edge**",
        tex=r"\frac{2 (1 + \mu)}{(1 + 2 \mu)\, h}",
    )
)

# %% [markdown] name="after-edge"
# At $\mu = 0.9$ that is $1.36 / h$: *less* than gradient descent's $2 / h$, and far less than the heavy ball's $3.8 / h$. Each rule, 1 % below and 1 % above its edge:

# %% name="edges"
for name, rule, edge in [
    ("gradient descent", SGD, 2.0),
    ("heavy ball", lambda lr: Momentum(lr, 0.9), 3.8),
    ("Nesterov", lambda lr: Momentum(lr, 0.9, nesterov=True), 3.8 / 2.8),
]:
    gradient, start = quadratic(1.0).gradient, np.ones(1)
    below, above = (abs(path(rule(f * edge), gradient, start, 500)[-1, 0]) for f in (0.99, 1.01))
    assert below < 1 < above
    print(f"{name}: edge {edge:.2f}, distance after 500 steps {below:.0e} below, {above:.0e} above")

# %% [markdown] name="code-text"
# ## Code

# %% name="source"
show(Momentum)

# %% [markdown] name="after-source"
# Why is Nesterov's step said to look ahead? In the form of Sutskever and others (2013) a velocity rolls on *first*, and the gradient is taken where it lands. At a constant rate that point is PyTorch's `theta`, and the parameters are our $x$:

# %% name="look-ahead"
bowl, lr, momentum = quadratic(1.0, 25.0), 0.02, 0.9
x, velocity = np.ones(2), np.zeros(2)
for theta in path(Momentum(lr, momentum, nesterov=True), bowl.gradient, np.ones(2), 50)[:-1]:
    ahead = x + momentum * velocity
    assert np.allclose(theta, ahead, rtol=1e-10)
    velocity = momentum * velocity - lr * bowl.gradient(ahead)
    x = x + velocity

# %% [markdown] name="parity-text"
# ## Parity
#
# After 50 steps the library's rule and `torch.optim.SGD` agree to rounding, for every option and number format.

# %% tags=["fold-all", "nbval-ignore-output"] name="parity"
# Parity with PyTorch: the largest relative difference after 50 steps.
parity.table("Momentum", setting.device)

# %% [markdown] name="picture-text"
# ## How fast is each at its best?
#
# How many steps until the distance to the minimum is a millionth of what it was, if every method has its best constants for the valley? Curvatures run from 1 to $\kappa$, and the slower end counts. Gradient descent's and the heavy ball's constants are those of the momentum lesson. Nesterov's are from Lessard, Recht and Packard (2016).
# The last line keeps $\mu = 0.9$, and puts the steepest curvature on the upper border of the band in which the ball swings.

# %% name="rates"
def constants(kappa):  # rate, momentum, Nesterov's step or not
    r, s = np.sqrt(kappa), np.sqrt(3 * kappa + 1)
    return {
        "gradient descent": (2 / (1 + kappa), 0.0, False),
        "heavy ball": (4 / (1 + r) ** 2, ((r - 1) / (r + 1)) ** 2, False),
        "Nesterov": (4 / (3 * kappa + 1), (s - 2) / (s + 2), True),
        "heavy ball, 0.9": ((1 + np.sqrt(0.9)) ** 2 / kappa, 0.9, False),
    }

# %% tags=["fold"] name="factor"
# The steps that the formulas promise: the slower factor of the slower end.
def factor(h, lr, momentum, nesterov):
    b, c = 1 + momentum - lr * h, momentum
    if nesterov:
        b, c = (1 + momentum) * (1 - lr * h), momentum * (1 - lr * h)
    return max(abs(np.roots([1, -b, c])))

def steps_needed(kappa, *rule):
    return np.log(1e-6) / np.log(max(factor(1.0, *rule), factor(kappa, *rule)))

# %% tags=["fold"] name="picture"
# Steps over the condition number.
kappas = np.logspace(0.5, 4, 40)
curves = {m: np.array([steps_needed(k, *constants(k)[m]) for k in kappas]) for m in constants(1.0)}
plots.lines(
    kappas,
    curves,
    "condition number, largest over smallest curvature (log)",
    "steps to a millionth (log)",
    "Steps against condition number, both logarithmic. Gradient descent rises with slope "
    "one. Tuned heavy ball and Nesterov rise with slope one half. Momentum 0.9 is flat up"
    " to about 1400, worse than gradient descent below about 38, then rises with slope "
    "one.",
    title="Best constants for each valley",
    log="xy",
)

# %% tags=["fold"] name="picture-numbers"
# Where the curves bend and cross; two points of them, walked by the library's rule.
root = np.sqrt(0.9)
crossing, flat = (1 + root) / (1 - root), ((1 + root) / (1 - root)) ** 2
plain, fixed = curves["gradient descent"], curves["heavy ball, 0.9"]
assert (
    np.allclose(fixed[kappas < flat], fixed[0], rtol=1e-3)
    and ((plain > fixed) == (kappas > crossing)).all()
)
slopes = [np.log(c[-1] / c[-4]) / np.log(kappas[-1] / kappas[-4]) for c in curves.values()]
assert np.allclose(slopes, [1, 0.5, 0.5, 1], atol=0.1)
print(f"momentum 0.9 is flat up to a condition number of {flat:.0f}, at {fixed[0]:.0f} steps")
print(f"below {crossing:.0f} gradient descent needs fewer")
print(f"at 10000 momentum 0.9 is {plain[-1] / fixed[-1]:.0f} times as fast")
for name, rule in list(constants(1000.0).items())[1:3]:
    steps, gradient = steps_needed(1000.0, *rule), quadratic(1.0, 1000.0).gradient
    trail = path(Momentum(*rule[:2], nesterov=rule[2]), gradient, np.ones(2), int(2 * steps))
    needed = 1 + np.flatnonzero(np.linalg.norm(trail, axis=1) > 1e-6 * np.sqrt(2))[-1]
    print(f"{name} at 1000: {steps:.0f} steps in the picture, {needed} taken by the library's rule")
    assert 0.9 < needed / steps < 1.6

# %% [markdown] name="after-picture"
# Tuned, both memories turn $\kappa$ into $\sqrt\kappa$; the heavy ball needs fewer steps than Nesterov's. With the usual 0.9 there is a wide flat stretch on which every valley takes the same number of steps. Beyond it momentum 0.9 is a gradient descent again, some 20 times as fast: the sum gives a factor 10, the higher edge 1.9.
#
# So far nothing speaks for Nesterov's step.
#
# ## What breaks
#
# The heavy ball's constants are tuned to curvatures that never change. Lessard, Recht and Packard (2016) give a function with a curvature of 25 below 1, of 1 between 1 and 2, and of 25 above. It has one minimum, at 0. All three methods, with their best constants for $\kappa = 25$, from 1301 starts between $-5$ and 8:

# %% name="bent"
def bent(x):  # the gradient
    return np.where(x < 1, 25 * x, np.where(x < 2, x + 24, 25 * x - 24))

starts, ends = np.linspace(-5, 8, 1301), {}
for name, (lr, momentum, nesterov) in list(constants(25.0).items())[:3]:
    ends[name] = path(Momentum(lr, momentum, nesterov=nesterov), bent, starts, 603)

# %% tags=["fold"] name="bent-numbers"
# Which starts never arrive, and what they do instead.
lost = {name: abs(trail[600]) > 1e-3 for name, trail in ends.items()}
for name, trail in ends.items():
    assert (
        np.allclose(trail[600], trail[603])
        and not np.isclose(trail[600], trail[601])[lost[name]].any()
    )
    print(f"{name}: {lost[name].mean():.0%} of the starts never arrive")
assert lost["heavy ball"].mean() > 0.1 and not (lost["Nesterov"] | lost["gradient descent"]).any()

# %% tags=["fold"] name="bent-picture"
# The figure to move: both memories from one start after the other.
def height(x):  # the function whose gradient is `bent`
    return np.where(
        x < 1, 12.5 * x**2, np.where(x < 2, x**2 / 2 + 24 * x - 12, 12.5 * x**2 - 24 * x + 36)
    )

fig, (ax, over) = plots.panels(2)
line = np.linspace(-4, 4, 300)
ax.plot(line, height(line), color="0.6")
ax.set(xlabel="theta", ylabel="loss", title="the heavy ball, steps 31 to 60")
over.set(xlabel="step t", ylabel="theta", xlim=(0, 40), ylim=(-12, 12), title="both, 40 steps")
over.plot([], [], "-", color="#0072B2", label="heavy ball")
over.plot([], [], "--", color="#D55E00", label="Nesterov")
over.legend(loc="lower right")

def from_start(ax, over, start):
    i = abs(starts - start).argmin()
    late = ends["heavy ball"][31:61, i]
    ax.plot(late, height(late), "o")
    over.plot(ends["heavy ball"][:41, i], "-")
    over.plot(ends["Nesterov"][:41, i], "--")
    return "The heavy ball circles." if lost["heavy ball"][i] else "Both arrive."

plots.moving(
    fig,
    "start",
    np.arange(-5, 8.1, 0.5).tolist(),
    from_start,
    start=5.5,
    alt="Left: the loss, with three dots between which the heavy ball goes round. Right: theta "
    "over 40 steps from 5.5. Nesterov's step goes to 0, the heavy ball circles.",
)

# %% [markdown] name="after-bent"
# Move the start. From most starts both arrive; from some, here and there, the heavy ball circles between three points for ever. Nesterov's step, slower in the picture before, arrives from every start. With the rate $1 / h_{\max}$ and $\mu = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}$ there is even a proof that it arrives on every function whose curvature stays between two bounds (the paper recalls it).
# **That is what Nesterov's step is for: safety where the curvature changes.** Its lower edge is the price.
#
# ### A rate inside the sum
#
# With the rate inside the sum the path is the same, until the rate changes. Ten steps, then the rate is set to 0:

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
for name, theta in {"start": np.ones(2), "rate outside": outside, "rate inside": inside}.items():
    print(f"{name}: distance {np.linalg.norm(theta):.1f}")
assert np.linalg.norm(outside) < np.sqrt(2) < np.linalg.norm(inside)

# %% [markdown] name="after-forms"
# With the rate outside, the parameters stand still at once. With the rate inside, the old velocity rolls on, here to a point farther from the minimum than the start. A schedule that lowers the rate acts at once in one form, and late in the other.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
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
# <details><summary>Hint</summary>Derivation 1: m is u times 1 - momentum. Both steps must have the same length.</details>
#
# ### 2. One step (8 minutes, medium)
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
# ### 3. How much memory? (8 minutes, hard)
# The rate is given. Return the smallest momentum of a heavy ball with which every curvature from `low` to `high` lies in the band, its borders included: $(1 - \sqrt\mu)^2 \le \eta h \le (1 + \sqrt\mu)^2$.

# %% name="exercise-least"
def least_momentum(lr, low, high):
    ### BEGIN SOLUTION
    return max(1 - np.sqrt(lr * low), np.sqrt(lr * high) - 1) ** 2
    ### END SOLUTION

# %% name="check-least"
check("least_momentum")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Take the square root of each inequality: what must the root of the momentum exceed?</details>
# <details><summary>Hint 2</summary>Both must hold: the larger one counts.</details>
#
# ## Takeaways
#
# - The average is the sum at $1 - \mu$ times the rate. Never copy a rate from one form to another.
# - Nesterov's step is a gradient step that rolls on. Its edge is lower than gradient descent's.
# - Do not use the heavy ball's best constants where the curvature changes: it may circle for ever. There Nesterov's step is the safe one.
#
# ## Does it hold?
#
# **Are the heavy ball's constants the best?** Ask for a factor of at most $\zeta$ per step, with $\sqrt\mu \le \zeta < 1$. Two factors that multiply to $\mu$ cannot both be larger than $\zeta$. One alone beyond $\zeta$ or $-\zeta$ would make $p$ negative there. So the factor is at most $\zeta$ exactly if $p(\zeta) \ge 0$ and $p(-\zeta) \ge 0$:
#
# $$(1 - \zeta)\left(1 - \frac\mu\zeta\right) \le \eta h \le (1 + \zeta)\left(1 + \frac\mu\zeta\right)$$
#
# Some rate fits the whole valley if $\kappa$ is at most the upper border over the lower one. That quotient grows with $\mu$, up to $\mu = \zeta^2$, and there it is
#
# $$\kappa = \left(\frac{1 + \zeta}{1 - \zeta}\right)^2$$
#
# With no other momentum does $\zeta$ reach so large a $\kappa$. SymPy checks each of these sentences:

# %% tags=["fold"] name="borders"
# The borders, their quotient at mu = zeta^2, and its slope by mu.
zeta, a = sp.symbols("zeta a", positive=True)  # a stands for eta h

def p(z):
    return z**2 - (1 + mu - a) * z + mu

lower, upper = (1 - zeta) * (1 - mu / zeta), (1 + zeta) * (1 + mu / zeta)
assert (
    sp.expand(p(zeta) - zeta * (a - lower)) == 0 and sp.expand(p(-zeta) - zeta * (upper - a)) == 0
)
assert sp.simplify((upper / lower).subs(mu, zeta**2) - ((1 + zeta) / (1 - zeta)) ** 2) == 0
growth = sp.diff(upper / lower, mu) * (1 - zeta) * (zeta - mu) ** 2 / (1 + zeta)
assert sp.simplify(growth - 2 * zeta) == 0
print("p at both ends: right; quotient: right; its slope by mu is positive: right")

# %% [markdown] name="sources"
# ## Sources
#
# - Y. Nesterov, 1983: *A method for solving the convex programming problem with convergence rate O(1/k²)*.
# - B. Polyak, 1964: *Some methods of speeding up the convergence of iteration methods*.
# - I. Sutskever and others, 2013: *On the importance of initialization and momentum in deep learning*.
# - L. Lessard, B. Recht and A. Packard, 2016: *Analysis and design of optimization algorithms via integral quadratic constraints*.
