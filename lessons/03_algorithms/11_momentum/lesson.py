# ---
# jupyter:
#   lesson:
#     title: Momentum
#     question: "Momentum 0.9 makes steps up to ten times longer. Is it just a larger learning rate?"
#     minutes: 45
#     needs: [03_sgd]
#     settles: [G13]
#     studies: [optim.Momentum]
#     terms: [overshoot, condition number]
# ---

# %% [markdown] name="goal"
# # Momentum
#
# **Goal.** Write gradient descent with a memory, see what the memory buys, and know when it is only a larger learning rate.
#
# **The question.** Momentum 0.9 makes steps up to ten times longer. So why not take a learning rate ten times as large, and forget the memory?
#
# A long valley: across it, the curvature is 100 times as large as along it. Two methods start at the same point, and each tries 61 learning rates. Momentum swings, so a run of 60 steps is judged by the farthest of its last 10. Left are the paths at the best rates, right is every rate.

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import numpy as np
import sympy as sp

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.derive import derive
from lessons_lib.landscapes import quadratic
from lessons_lib.losses import squared_error
from lessons_lib.optim import SGD, Momentum, descend
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/11_momentum")

# %% tags=["fold"] name="question-picture"
# Both methods at each of 61 rates; the paths of the best ones, and how every rate ends.
valley, begin = quadratic(1.0, 100.0), np.array([-1.8, 1.2])
along = {"xlabel": "along the valley", "ylabel": "across the valley"}

def path(rule, steps=60, start=begin):
    return np.array(descend(np.array(start), rule, valley.gradient, steps))

def far(trail):  # distance from the minimum
    return np.linalg.norm(trail, axis=-1)

def late(trail):  # the farthest of the last 10 steps
    return far(trail[-10:]).max()

rates, trails, best, close = 10.0 ** np.linspace(-3, -1, 61), {}, {}, {}
for name, kind in {"gradient descent": SGD, "momentum 0.9": Momentum}.items():
    runs = [path(kind(lr)) for lr in rates]
    close[name] = np.array([late(run) for run in runs])
    i = close[name].argmin()
    assert 0 < i < len(rates) - 1
    trails[name], best[name] = runs[i], rates[i]
fig, (ax, over) = plots.panels(2)
plots.draw_contours(ax, valley, title="Two methods, one valley, 60 steps")
plots.draw_trails(ax, trails)
ax.grid(False)
ax.set(**along)
ax.legend(frameon=False)
plots.draw_lines(
    over,
    rates,
    close,
    "learning rate (log)",
    "farthest of steps 51 to 60 (log)",
    "Distance from the minimum at the end",
    log="xy",
)
over.set(ylim=(0.05, 5))
plots.Picture(
    fig,
    alt="Left: contours of a long valley with two paths. Gradient descent jumps from side to "
    "side at first, then creeps along the floor and ends a third of the way before the "
    "minimum. Momentum swings across the valley in wide curves and arrives at the minimum. "
    "Right: the distance at the end over the learning rate. Gradient descent's curve falls to "
    "its lowest point just before it explodes at 0.02. Momentum's curve lies far below it "
    "between 0.004 and 0.03, and explodes at nearly twice the rate.",
)

# %% tags=["fold"] name="question-numbers"
# The last 10 steps of the two paths, and of gradient descent at ten times its rate.
for name, trail in trails.items():
    away = (np.diff(far(trail)) > 0).mean()
    print(f"{name}, rate {best[name]:.2g}: at most {late(trail):.2g} away in steps 51 to 60;")
    print(f"    {away:.0%} of all its steps lead away")
tenfold = path(SGD(10 * best["gradient descent"]))
print(f"gradient descent, ten times its rate: {late(tenfold):.0e} away")
print(f"gradient descent's distance / momentum's: {np.divide(*map(late, trails.values())):.2g}")
assert np.divide(*map(late, trails.values())) > 5 and late(tenfold) > 1e50

# %% [markdown] name="question-reading"
# Gradient descent jumps across the valley and then creeps along it. At ten times its rate it explodes. Momentum ends nine times nearer. Its best rate is even smaller, and nearly a third of its steps lead *away* from the minimum.
#
# So the memory is more than a larger rate, at least here. What does it do?
#
# ## The idea, drawn
#
# Gradient descent forgets each step as soon as it is taken. A ball that rolls downhill does not: it keeps most of its speed, and the slope only changes it.
#
# **Momentum** moves the parameters like such a ball: each step is a part of the last step plus a step of gradient descent.

# %% tags=["fold"] name="arrows"
# Six steps of momentum 0.9, each as the sum of two arrows.
gentle = quadratic(1.0, 12.0)
trail = np.array(descend(np.array([-1.8, 0.9]), Momentum(0.05, 0.9), gentle.gradient, 6))
kept = 0.9 * np.vstack([np.zeros(2), np.diff(trail, axis=0)[:-1]])
fig, (ax,) = plots.panels()
plots.draw_contours(
    ax, gentle, ((-2.0, 0.4), (-1.35, 1.1)), "Each step = 0.9 x the last step + a gradient step"
)
corner = trail[:-1] + kept
for start, end, colour, label in (
    (trail[:-1], corner, "#CC79A7", "0.9 x the last step"),
    (corner, trail[1:], "#D55E00", "- learning rate x gradient"),
    (trail[:-1], trail[1:], "#0072B2", "the step"),
):
    ax.quiver(
        *start.T,
        *(end - start).T,
        color=colour,
        angles="xy",
        scale_units="xy",
        scale=1,
        width=0.006,
        label=label,
    )
ax.grid(False)
ax.set(**along)
ax.legend(fontsize=8, loc="upper right")
plots.Picture(
    fig,
    alt="A path of six steps on contours. Each step is drawn as the sum of two arrows: one "
    "continues the last step, the other points down the slope. The first step has no memory. "
    "The path curves past the floor of the valley.",
)

# %% [markdown] name="formula"
# The first step is a gradient step alone. Every later one begins with 0.9 of the step before. So the ball turns slowly, and rolls past the floor of the valley.
#
# ## Formula
#
# Polyak (1964) invented the method, which is also called the heavy ball. At a constant rate his form is the one below. Here $t = 1, 2, \dots$ counts the steps, and $g_t$ is the gradient at $\theta_{t-1}$, where step $t$ begins. The memory is a sum of gradients that fades. It starts at $u_0 = 0$:
#
# $$u_t = \mu\, u_{t-1} + g_t$$
#
# The step goes along it:
#
# $$\theta_t = \theta_{t-1} - \eta\, u_t$$
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $u$ | `u` | as $\theta$ | the fading sum of gradients; the last step was $-\eta\, u$ |
# | $\mu$ (mu) | `momentum` | a number in $[0, 1)$ | what is kept of the sum in each step; 0 is gradient descent |
#
# The article that this course follows names momentum and gives no formula; this is the one that PyTorch computes.
#
# ## Derivation
#
# ### What is in the sum?
#
# Three steps, by hand: put the first line into itself.

# %% tags=["fold"] name="derive-sum"
# Derivation 1: the sum after three steps.
mu, eta, g, h = sp.symbols("mu eta g h", positive=True)
t, k = sp.Symbol("t", integer=True, positive=True), sp.Symbol("k", integer=True, nonnegative=True)
memory = {mu: (0.05, 0.95)}

def taken(mu, gradients):  # the library's steps along given gradients, at the learning rate 1
    given, rule = iter(np.array(gradients, dtype=float)[:, None]), Momentum(1.0, float(mu))
    trail = descend(np.zeros(1), rule, lambda theta: next(given), len(gradients))
    return -np.diff(np.array(trail)[:, 0])

def alternating(mu, g, t):
    return taken(mu, [(-1) ** (t - j) * g for j in range(1, int(t) + 1)])[-1]

(
    derive(
        "u_3",
        "mu * (mu * g_1 + g_2) + g_3",
        "the formula, three times",
        [mu, *sp.symbols("g_1:4")],
        ranges=memory,
    )
    .equals(
        "g_3 + mu * g_2 + mu**2 * g_1", "**the gradient of $k$ steps ago has the weight** $\\mu^k$"
    )
    .library(
        "Momentum(1, mu)",
        lambda mu, g_1, g_2, g_3: taken(mu, [g_1, g_2, g_3])[-1],
        "the library's third step",
        each=True,
    )
)

# %% [markdown] name="agree-text"
# After $t$ steps:
#
# $$u_t = g_t + \mu\, g_{t-1} + \mu^2 g_{t-2} + \dots + \mu^{t-1} g_1$$
#
# What does the sum make of gradients that agree? Let all be equal to $g$:

# %% tags=["fold"] name="derive-agree"
# Derivation 2: gradients that agree.
(
    derive(
        "u_t", "Sum(mu**k * g, (k, 0, t - 1))", "$t$ equal gradients", [mu, g, k, t], ranges=memory
    )
    .equals("g * (1 - mu**t) / (1 - mu)", "a geometric sum", tex=r"\frac{1 - \mu^t}{1 - \mu}\, g")
    .library(
        "Momentum(1, mu)",
        lambda mu, g, t: taken(mu, [g] * int(t))[-1],
        "the library's step $t$",
        each=True,
    )
    .limit(
        t, sp.oo, "g / (1 - mu)", "$\\mu^t$ fades: **the final speed**", tex=r"\frac{g}{1 - \mu}"
    )
)

# %% [markdown] name="alternate-text"
# With $\mu = 0.9$ the steps grow to ten times a gradient step. And gradients that alternate, $g, -g, g, \dots$, as they do when gradient descent jumps across a valley? Take the latest one positive:

# %% tags=["fold"] name="derive-alternate"
# Derivation 3: gradients that alternate.
(
    derive(
        "u_t",
        "Sum((-mu)**k * g, (k, 0, t - 1))",
        "every other sign is turned",
        [mu, g, k, t],
        ranges=memory,
    )
    .equals(
        "g * (1 - (-mu)**t) / (1 + mu)",
        "a geometric sum again",
        tex=r"\frac{1 - (-\mu)^t}{1 + \mu}\, g",
    )
    .library("Momentum(1, mu)", alternating, "the library's step $t$", each=True)
)

# %% [markdown] name="speeds-text"
# The power fades again, and $\frac{g}{1 + \mu}$ is left: at $\mu = 0.9$ about half a gradient. Here are the first 30 steps along both kinds of gradients:

# %% tags=["fold"] name="speeds"
# The library's steps along equal and along alternating gradients, as bars.
fig, axes = plots.panels(2)
fig.set_size_inches(7.8, 3.0)
final = []
for ax, sign, title in zip(axes, (1, -1), ("gradients agree", "gradients alternate"), strict=True):
    length = taken(0.9, [float(sign) ** j for j in range(30)])
    final.append(abs(length[-1]))
    ax.bar(np.arange(1, 31), length)
    ax.axhline(0, color="0.3", lw=1)
    ax.set(
        xlabel="step t", ylabel="step, in gradient steps", ylim=(-1.5, 10.5), title=title
    )
assert np.isclose(final[0], 10, rtol=0.05) and np.isclose(final[1], 1 / 1.9, rtol=0.05)
plots.Picture(
    fig,
    alt="Two bar charts of 30 steps at momentum 0.9. Left, gradients agree: the bars grow "
    "from 1 towards 10. Right, gradients alternate: the bars alternate around 0, "
    "the first is 1, the second -0.1, and in the end each is about half a unit long.",
)

# %% [markdown] name="speeds-reading"
# **The memory lengthens the steps on which gradients agree, and shortens those on which they contradict each other.** One learning rate cannot do both. This is the first half of the answer. Along a valley the gradients agree for many steps, and there momentum gains.
#
# ### The ball on one axis
#
# So far the gradients were given. In a valley they depend on where the ball is. Take one axis with the curvature $h$, as in the lesson on gradient descent: there the gradient is $h\,\theta$, and without momentum each step multiplies $\theta$ by $1 - \eta h$. With momentum two earlier points decide, because the step that led to $\theta_{t-1}$ tells $u_{t-1}$: $\theta_{t-1} = \theta_{t-2} - \eta\, u_{t-1}$.

# %% tags=["fold"] name="derive-axis"
# Derivation 4: the next point from the last two.
now, before = sp.Symbol(r"\theta_{t-1}", real=True), sp.Symbol(r"\theta_{t-2}", real=True)
b, zeta = sp.symbols("b zeta", real=True)
names = {"mu": mu, "eta": eta, "h": h, "now": now, "before": before, "b": b, "zeta": zeta}
shorter = {b: "1 + mu - eta * h"}

def one_step(eta, mu, h, now, before):
    rule, theta = Momentum(float(eta), float(mu)), np.array([float(now)])
    state = rule.init(theta)._replace(t=1, u=np.array([float((before - now) / eta)]))
    return rule.update(theta, h * theta, state)[0][0]

(
    derive(
        r"\theta_t",
        "now - eta * (mu * (before - now) / eta + h * now)",
        "the formula, with $u_{t-1} = (\\theta_{t-2} - \\theta_{t-1}) / \\eta$",
        names,
        means=shorter,
        ranges=memory,
    )
    .equals("(1 + mu - eta * h) * now - mu * before", "sorted by points")
    .equals("b * now - mu * before", "with the short name $b = 1 + \\mu - \\eta h$")
    .library("Momentum(eta, mu)", one_step, "the library's step", each=True)
)

# %% [markdown] name="factor-text"
# ### The factor per step
#
# Gradient descent multiplies $\theta$ by the same number in every step. Can momentum do that too? Try $\theta_t = \zeta^t$ with some number $\zeta$ (zeta), and divide by $\zeta^{t-2}$:
#
# $$\zeta^t = b\, \zeta^{t-1} - \mu\, \zeta^{t-2}$$
#
# $$\zeta^2 - b\, \zeta + \mu = 0$$
#
# Call the left side $F(\zeta)$. It is zero at:
#
# $$\zeta = \frac{b \pm \sqrt{b^2 - 4 \mu}}{2}$$
#
# Where $b^2 > 4\mu$ these are two factors, and every run is a mixture of their powers:
#
# $$\theta_t = c_1\, \zeta_1^t + c_2\, \zeta_2^t$$
#
# Why? Sums of solutions are solutions. Choose $c_1$ and $c_2$ so that the first two points are right: these two decide all others. In the long run the part with the larger factor is all that is left.
#
# Where $b^2 = 4\mu$ there is one factor, and $t\, \zeta^t$ is the second solution (put it in). In the long run the power outruns the $t$.
#
# The product of the factors is simple:

# %% tags=["fold"] name="derive-product"
# Derivation 5: the product of the two factors.
(
    derive(
        r"\zeta_1 \zeta_2",
        "((b + sqrt(b**2 - 4 * mu)) / 2) * ((b - sqrt(b**2 - 4 * mu)) / 2)",
        "the two solutions",
        names,
        tex=r"\frac{b + \sqrt{b^2 - 4\mu}}{2} \cdot \frac{b - \sqrt{b^2 - 4\mu}}{2}",
    )
    .equals(
        "(b**2 - (b**2 - 4 * mu)) / 4",
        "$(x + y)(x - y) = x^2 - y^2$",
        tex=r"\frac{b^2 - (b^2 - 4\mu)}{4}",
    )
    .equals("mu", "**the two factors multiply to** $\\mu$")
)

# %% [markdown] name="swing-text"
# Where $b^2 < 4\mu$ no real number $\zeta$ solves this, so no run shrinks by a constant factor. The ball **swings** instead: it runs through the minimum and out on the other side. That is the **overshoot**: the ball passes the minimum, because its memory still points ahead.
#
# The swing becomes narrower. By which factor per step? Two equal factors with the product $\mu$ would each be $\sqrt\mu$. To see that this is right, we need a number that plays the part of the ball's energy. Take $F(\zeta) = \zeta^2 - b\, \zeta + \mu$. Put $\theta_t$ in the place of $\zeta$, and $\theta_{t-1}$ in the place of 1:
#
# $$E_t = \theta_t^2 - b\, \theta_t\, \theta_{t-1} + \mu\, \theta_{t-1}^2$$

# %% tags=["fold"] name="derive-energy"
# Derivation 6: the energy shrinks by mu in each step.
def energy_after(eta, mu, h, now, before):
    after = one_step(eta, mu, h, now, before)
    return after**2 - (1 + mu - eta * h) * after * now + mu * now**2

(
    derive(
        "E_t",
        "(b * now - mu * before)**2 - b * (b * now - mu * before) * now + mu * now**2",
        "$\\theta_t = b\\, \\theta_{t-1} - \\mu\\, \\theta_{t-2}$",
        names,
        means=shorter,
        ranges=memory | {eta: (0.1, 1), h: (0.1, 2)},
    )
    .equals(
        "mu**2 * before**2 - mu * b * now * before + mu * now**2",
        "multiply out; the terms with $b^2$ cancel",
    )
    .equals("mu * (now**2 - b * now * before + mu * before**2)", "**$\\mu$ times $E_{t-1}$**")
    .library("Momentum(eta, mu)", energy_after, "the energy after the library's step", each=True)
)

# %% [markdown] name="energy-reading"
# Completing the square shows that a swinging ball's energy is a sum of two squares, because $\mu - b^2/4 > 0$:
#
# $$E_t = \left(\theta_t - \tfrac b2\, \theta_{t-1}\right)^2 + \left(\mu - \tfrac{b^2}{4}\right) \theta_{t-1}^2$$
#
# Leave the first square out, and what remains is no larger. So
#
# $$\theta_{t-1}^2 \le \frac{E_t}{\mu - b^2 / 4}$$
#
# This is the width that the energy allows, squared. $E_t$ shrinks by the factor $\mu$ per step, and the denominator stays. So **the width of the swing shrinks by $\sqrt\mu$ per step, whatever the curvature.**
#
# When does the ball swing? If $b$ lies between $-2\sqrt\mu$ and $2\sqrt\mu$. Because $1 + \mu \mp 2\sqrt\mu = (1 \mp \sqrt\mu)^2$, this means that $\eta h$ lies between two borders:
#
# $$(1 - \sqrt\mu)^2 < \eta h < (1 + \sqrt\mu)^2$$
#
# At $\mu = 0.9$ they are 0.0026 and 3.8. Near them $\mu - b^2/4$ is nearly 0, so there the swing is wide from the start. How wide?

# %% tags=["fold"] name="swing"
# The library's momentum 0.9 at three places, with the width that the energy allows.
at = np.arange(61)

def swing(a, steps=60, mu=0.9):
    return np.array(descend(np.ones(1), Momentum(a, mu), lambda theta: theta, steps))[:, 0]

def width(a, mu=0.9):  # at step 0, from E_1
    b, run = 1 + mu - a, swing(a, 1, mu)
    return np.sqrt((run[1] ** 2 - b * run[1] + mu) / (mu - b**2 / 4))

curves = {f"lr h = {a:g}": swing(a) for a in (0.03, 1.0, 0.003)}
fig, (ax,) = plots.panels()
for places, grey in (((0.003,), "0.93"), ((0.03, 1.0), "0.82")):
    wide = max(map(width, places)) * np.sqrt(0.9) ** at
    label = f"width {wide[0]:.1f} x 0.9^(t/2)"
    ax.fill_between(at, -wide, wide, color=grey, label=label)
    assert all((abs(curves[f"lr h = {a:g}"]) <= wide + 1e-12).all() for a in places)
signed = "distance from the minimum, with its sign"
plots.draw_lines(ax, at, curves, "step t", signed, "Momentum 0.9: three places, two widths")
ax.grid(False)
plots.Picture(
    fig,
    alt="Three curves over 60 steps in two grey funnels. In the inner, darker funnel, which "
    "begins 1.1 wide, the ball swings slowly at lr h = 0.03 and quickly at lr h = 1. The outer "
    "funnel begins 2.8 wide: in it the curve of lr h = 0.003 falls from 1 towards 0 without "
    "crossing it. Both funnels shrink to a twentieth in 60 steps.",
)

# %% tags=["fold"] name="swing-numbers"
# The width, the shrinking taken out; and how many of 200 steps end farther away.
rows = []
for a in (0.003, 0.03, 1.0, 3.7):
    scaled = abs(swing(a, 800)) / np.sqrt(0.9) ** np.arange(801)
    halves, farther = (scaled[:401].max(), scaled[401:].max()), np.diff(abs(swing(a, 200))) > 0
    assert np.allclose(halves, width(a), rtol=0.03)
    first = int(np.argmax(swing(a, 800) < 0))
    rows.append([f"{a:g}", *(f"{v:.2f}" for v in halves), str(first), f"{farther.mean():.0%}"])
    assert 0.3 < farther.mean() < 0.55 or first == 142
Table(
    [
        "lr h",
        *("width, steps 0 to 400", "width, steps 401 to 800"),
        *("first step beyond the minimum", "steps that end farther away"),
    ],
    rows,
    "Width: the largest distance divided by 0.9^(t/2). Last column: of 200 steps. "
    "The borders: {:.4f} and {:.1f}.".format(*(1 + np.sqrt(0.9) * np.array([-1, 1])) ** 2),
)

# %% [markdown] name="swing-reading"
# A curvature 33 times as large swings faster, and dies out no faster. Near a border the funnel is wider, and it shrinks by the same factor: the two columns of widths agree. Near the lower border the swing is also slow: the green curve crosses the minimum only at step 142. Only the funnel shrinks from step to step. Well between the borders, **nearly half of the single steps end farther away** than they began.
#
# <details><summary>If you know complex numbers</summary>
#
# For $b^2 < 4\mu$ the two factors are complex and conjugate to each other. Their product is the square of their size, so each has the size $\sqrt\mu$. The path is $\sqrt\mu^{\,t}$ times a cosine of $t$.
#
# </details>
#
# ### The edge
#
# Beyond the upper border both factors are negative: their product $\mu$ is positive, and their sum is $b < 0$. The ball jumps across the minimum in every step, as gradient descent does when its rate is too large. It explodes when one factor passes $-1$:

# %% tags=["fold"] name="derive-edge"
# Derivation 7: the largest stable rate.
(
    derive(
        r"F(\zeta)",
        "zeta**2 - b * zeta + mu",
        "zero at a factor",
        names,
        means=shorter,
        ranges=memory,
    )
    .equals("zeta**2 - (1 + mu - eta * h) * zeta + mu", "$b$ written out")
    .put(zeta, -1, "1 + (1 + mu - eta * h) + mu", "a factor of $-1$")
    .equals("2 * (1 + mu) - eta * h", "sorted")
    .zero_at(
        eta,
        "2 * (1 + mu) / h",
        "**the edge**: gradient descent's is $2 / h$",
        tex=r"\frac{2 (1 + \mu)}{h}",
    )
)

# %% [markdown] name="map-text"
# No factor can pass $+1$, because $F(1) = \eta h$ is never zero. The two cannot both be beyond $-1$, because their product is $\mu < 1$.
#
# So with $\mu = 0.9$ the rate may be 1.9 times as large as without.
#
# Now one picture can hold everything: the slower factor for every $\eta h$ and every $\mu$. Dark is fast. A valley has two curvatures, so at one rate and one momentum it is two places in one row of the map. The valley of the first picture is drawn as a bar, at the best rate of each method.
#
# The **condition number** $\kappa$ (kappa) is the largest curvature divided by the smallest. Here it is 100. On the logarithmic axis it is the length of the bar. The rate moves the bar, and cannot shorten it:

# %% tags=["fold"] name="map"
# The factor per step, by the formulas above.
def factor(a, mu):  # a: learning rate times curvature
    b = 1 + mu - a
    return np.where(
        b**2 < 4 * mu, np.sqrt(mu), (abs(b) + np.sqrt(np.maximum(b**2 - 4 * mu, 0))) / 2
    )

def measured(a, mu, steps=400):  # the library's factor per step, in the second half of a run
    run = np.array(descend(np.ones(1), Momentum(a, mu), lambda theta: theta, steps))[:, 0]
    size = np.hypot(run[1:], run[:-1])
    late = np.log(size[steps // 2 :] + 1e-300)
    return np.exp(np.polyfit(np.arange(len(late)), late, 1)[0])

a, m = 10 ** np.linspace(np.log10(0.002), 1, 500), np.linspace(0, 1, 300)
speed = factor(a, m[:, None])
fig, (ax, over) = plots.panels(2)
p, q = np.linspace(-2, 2, 101), np.linspace(-1.5, 1.5, 301)
height = [[valley.value(np.array([x, y])) for x in p] for y in q]
ax.contour(p, q, height, [0.1, 0.6, 2, 7, 20, 50], colors="0.6", linewidths=0.8)
for *tip, mark, text in (
    (1.1, 0, "o", "along: curvature 1"),
    (0, 1.1, "s", "across: curvature 100"),
):
    ax.plot((0, tip[0]), (0, tip[1]), "k", lw=1.5)
    ax.plot(*tip, "k" + mark, mfc="w", ms=8)
    ax.annotate(text, tip, (0, 9), textcoords="offset points", ha="center")
ax.grid(False)
ax.set(**along, title="The valley")
cividis = ["#00224e", "#213b6e", "#4c556c", "#6c6e72", "#8e8978", "#b1a570", "#d9c55c", "#fee838"]
image = over.contourf(a, m, speed, [0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1], colors=cividis)
fig.colorbar(image, ax=over, label="factor per step")
over.plot(2 * (1 + m), m, color="#D55E00", lw=3)
over.plot((1 - np.sqrt(m)) ** 2, m, "w--", (1 + np.sqrt(m)) ** 2, m, "w--", lw=1.5)
for name, mu in {"gradient descent": 0, "momentum 0.9": 0.9}.items():
    tips = best[name] * np.array([1, 100])
    for colour, lw in (("w", 4), ("k", 1.5)):
        over.plot(tips, [mu, mu], color=colour, lw=lw, clip_on=False, zorder=4)
    for tip, mark in zip(tips, "os", strict=True):
        over.plot(tip, mu, "k" + mark, mfc="w", ms=8, clip_on=False, zorder=5)
for place, text, colour, turn in (
    ((0.25, 0.5), "swings", "w", 0),
    ((0.004, 0.4), "slides", "k", 0),
    ((5.0, 0.4), "explodes", "0.3", 90),
    ((2.9, 0.05), "the edge", "#D55E00", 90),
    ((0.0023, 0.05), "gradient descent", "k", 0),
    ((0.0075, 0.92), "momentum 0.9", "k", 0),
):
    over.text(*place, text, color=colour, rotation=turn)
over.grid(False)
over.set(
    xscale="log",
    xlim=(0.002, 10),
    ylim=(0, 1),
    xlabel="learning rate x curvature (log)",
    ylabel="momentum",
    title="The valley in the map",
)
plots.Picture(
    fig,
    alt="Left: contours of the valley, a circle on the axis along it and a square on the axis "
    "across. Right: an image over learning rate times curvature (0.002 to 10, logarithmic) and "
    "momentum (0 to 1). Two dashed borders start at 1 on the bottom and open upwards; between "
    "them the colour depends on momentum alone, darker below. Right of an orange line, the "
    "edge, everything explodes. The valley is a bar from its circle to its square. Gradient "
    "descent's bar lies on the bottom, its circle far left in the bright part; momentum's bar "
    "lies at 0.9, all of it between the borders.",
)

# %% tags=["fold"] name="map-check"
# The factors of the two bars, and at 2 / 101; the formula of the map against the library's runs.
at_best = [(name, mu, best[name]) for name, mu in (("momentum 0.9", 0.9), ("gradient descent", 0))]
for name, mu, lr in (*at_best, ("gradient descent", 0, 2 / 101)):
    pair = factor(lr * np.array([1, 100]), mu)
    print("{}, rate {:.3g}: factor {:.3f} along, {:.3f} across;".format(name, lr, *pair))
    print(f"    at most {late(path(Momentum(lr, mu))):.2g} away in steps 51 to 60")
root = np.sqrt(0.9)
room, even = ((1 + root) / (1 - root)) ** 2, (1 + root) / (1 - root)
print(f"condition numbers: {room:.0f} fits between the borders at momentum 0.9;")
print(f"    up to {even:.0f} gradient descent at its best is faster in the long run")
rng = np.random.default_rng(seed)
places = np.column_stack([rng.uniform(0.02, 3.9, 60), rng.uniform(0.05, 0.95, 60)])
gaps = np.array([measured(a, m) - factor(a, m) for a, m in places])
print(f"60 random places, runs against the formula: largest difference {abs(gaps).max():.1g}")
assert abs(gaps).max() < 0.05 and round(room) == 1442 and round(even) == 38

# %% [markdown] name="map-reading"
# Gradient descent is the bottom row: perfect at $\eta h = 1$, and slow to both sides of it. Its circle lies far left: a step multiplies the distance along the valley by 0.98. Higher up lies **the band**, between the two dashed borders, where the ball swings. Along the band the colour does not change: momentum has lifted the whole valley into it, and the swings along and across shrink by the same $\sqrt{0.9} = 0.95$.
#
# Left of the band the ball slides to the minimum without swinging. In the narrow strip between band and edge it jumps.
#
# How long may the bar be? Divide the upper border of the band by the lower one:
#
# $$\kappa = \left(\frac{1 + \sqrt\mu}{1 - \sqrt\mu}\right)^2$$
#
# At $\mu = 0.9$ the band has room for $\kappa = 1442$.
#
# Gradient descent's factor is $|1 - \eta h|$, and in the long run the slower end of the bar decides. So it does best with the ends at $1 - x$ and $1 + x$, where both have the factor $x$. (On the logarithmic axis this does not look even.) Then
#
# $$\kappa = \frac{1 + x}{1 - x} \qquad\qquad x = \frac{\kappa - 1}{\kappa + 1}$$
#
# The factor $x$ is smaller than $\sqrt{0.9}$ up to $\kappa = 38$. At $\kappa = 100$ the rate is 0.0198. In 60 steps the slightly lower 0.0185 ends nearer: the jumps across die out much sooner, the way along takes hardly longer.
#
# Compare the two formulas for $\kappa$: the factor is $\sqrt\mu$ in the first and $x$ in the second, and the first has a square. So **where the band just holds the valley, momentum is as fast as gradient descent with $\sqrt\kappa$ in the place of $\kappa$.**
#
# ## Code

# %% name="source"
show(Momentum)

# %% [markdown] name="source-reading"
# In the first step `u` is `g`: the formula's first step from $u_0 = 0$. Three options stay at their defaults here. `weight_decay` adds a penalty. `nesterov` and `dampening` belong to the lesson on Nesterov's step.
#
# ## Parity
#
# After 50 steps the library's rule and `torch.optim.SGD` with `momentum` agree to rounding, for every option and number format.

# %% tags=["fold-all", "nbval-ignore-output"] name="parity"
# Parity with PyTorch: the largest relative difference after 50 steps.
parity.table("Momentum", setting.device)

# %% [markdown] name="play"
# ## Play
#
# Move the momentum. The valley is the first one. The learning rate stays at 0.01, which is 1 divided by the largest curvature.
#
# 1. Which momentum ends nearest? How does the ball arrive with less, and how with more?
# 2. At 0.99 the ball ends farther away than without memory. Is it too slow?

# %% tags=["fold"] name="play-picture"
# The figure to move: path and distance for one momentum after the other.
fig, (ax, over) = plots.panels(2)
plots.draw_contours(ax, valley, ((-2.1, 2.1), (-1.6, 1.6)))
ax.grid(False)
ax.set(**along)
over.set(
    xlabel="step t",
    ylabel="distance from the minimum (log)",
    yscale="log",
    xlim=(0, 80),
    ylim=(1e-4, 4),
)

def remember(ax, over, mu):
    trail = path(Momentum(0.01, mu), 80)
    ax.plot(*trail.T, ".-", lw=1, ms=4)
    over.plot(far(trail))
    away = (np.diff(far(trail)) > 0).mean()
    return f"Farthest of steps 71 to 80: {late(trail):.2g}. {away:.0%} of the steps lead away."

values = [0, 0.25, 0.5, 0.6, 0.7, 0.74, 0.78, 0.81]
values += [0.82, 0.84, 0.87, 0.9, 0.94, 0.96, 0.98, 0.99]
plots.moving(
    fig,
    "momentum",
    values,
    remember,
    start=0.5,
    alt="Left: the path on the contours of the valley at momentum 0.5; it creeps along the "
    "floor and stops before the minimum. Right: its distance from the minimum over 80 "
    "steps, falling slowly.",
)

# %% tags=["fold"] name="play-best"
# The momentum that ends nearest.
found = {mu: late(path(Momentum(0.01, mu), 80)) for mu in values}
assert min(found, key=found.get) == 0.82 and found[0.99] > found[0] > 10 * found[0.82]

# %% [markdown] name="play-reading"
# <details><summary>Answers</summary>
#
# 1. 0.82, just above 0.81. Along the valley $\eta h = 0.01$, and the ball swings as soon as $(1 - \sqrt\mu)^2 < 0.01$, which is $\mu > 0.81$. With less memory it creeps along the valley and does not pass the minimum. With more it swings wider, and the swing lives longer.
# 2. No, it is fast. It overshoots by nearly as much as it came from, and the swing lives long: it shrinks by $\sqrt{0.99} = 0.995$ per step, so after 80 steps two thirds of its width are left.
#
# </details>
#
# ## What is it worth?
#
# Three valleys, 100 steps, the start at $(1, 1)$. Gradient descent may choose its rate. Momentum 0.9 may choose its rate too. Tuned momentum may choose both. Each has the same 100 rates to choose from:

# %% tags=["fold"] name="tuned-grid"
# Only rate x curvature counts, so all rates run at once, as curvatures.
# The distance is the farthest of the last 10 steps.
grid = 0.05 * 80 ** np.linspace(0, 1, 100)  # rate x largest curvature
memories = np.r_[0, np.linspace(0.02, 0.98, 49)]

def ends(mu, kappa, steps=100):
    trail = descend(
        np.ones((100, 2)),
        Momentum(1.0, mu),
        lambda theta: grid[:, None] * [1 / kappa, 1] * theta,
        steps,
    )
    return far(np.array(trail[-10:])).max(axis=0)

rows, worth = [], {}
for kappa in (4, 100, 1000):
    found = np.array([ends(mu, kappa) for mu in memories])
    i, j = np.unravel_index(found.argmin(), found.shape)
    assert (
        0 < i < len(memories) - 1
        and 0 < j < 99
        and all(0 < found[k].argmin() < 99 for k in (0, 45))
    )
    worth[kappa] = found[0].min(), found[45].min(), found[i, j]
    rows.append([kappa, *(f"{d:.1g}" for d in worth[kappa]), f"{memories[i]:.2f}"])
assert (
    np.isclose(memories[45], 0.9) and worth[4][1] > 1e6 * worth[4][0] and worth[4][2] < worth[4][0]
)
assert (
    worth[100][0] > 10 * worth[100][1]
    and worth[100][1] > 100 * worth[100][2]
    and worth[1000][0] > 20 * worth[1000][1]
)
Table(
    ["condition number", "gradient descent", "momentum 0.9", "momentum, tuned", "its momentum"],
    rows,
    "Distance from the minimum, the farthest of steps 91 to 100, each at its best rate.",
)

# %% [markdown] name="tuned-reading"
# On the first, nearly round valley momentum 0.9 loses by many powers of ten: it still swings when gradient descent has long arrived. On the two long ones it wins. Tuned momentum is never behind, because it may choose 0 or 0.9 as well. It needs another momentum for each valley; exercise 3 finds the best one for a long run.
#
# ## What breaks
#
# Somebody has tuned gradient descent on noisy gradients. Then momentum 0.9 is switched on, and the rate is left as it is. Take one axis with curvature 1, start at the minimum, add noise to every gradient, and look where 4000 such runs are after 500 steps. A lower rate with momentum and a higher one without stand beside it:

# %% name="noise"
def noisy_end(rule, rng, runs=4000, steps=500):
    noise = iter(rng.normal(size=(steps, runs)))
    return descend(np.zeros(runs), rule, lambda theta: theta + next(noise), steps)[-1]

rules = {
    "gradient descent, rate 0.02": SGD(0.02),
    "momentum 0.9, rate 0.02": Momentum(0.02, 0.9),
    "momentum 0.9, rate 0.002": Momentum(0.002, 0.9),
    "gradient descent, rate 0.2": SGD(0.2),
}

# %% tags=["fold"] name="noise-picture"
# Where the runs end.
ball = {name: noisy_end(rule, np.random.default_rng(seed)) for name, rule in rules.items()}
plots.histogram(
    ball,
    "distance from the minimum after 500 steps, with its sign",
    alt="Four histograms around 0, in two pairs. Gradient descent at 0.02 and momentum 0.9 at "
    "0.002 lie on each other, narrow. Momentum 0.9 at 0.02 and gradient descent at 0.2 lie on "
    "each other, about three times as wide.",
)

# %% tags=["fold"] name="noise-numbers"
# The spreads over all seeds.
rows = []
for name, rule in rules.items():
    spreads = [noisy_end(rule, np.random.default_rng(s)).std() for s in setting.seeds]
    rows.append([name, f"{np.mean(spreads):.4f} ({min(spreads):.4f} to {max(spreads):.4f})"])
    ball[name] = np.mean(spreads)
plain, left, lowered, larger = ball.values()
assert 2.7 < left / plain < 3.7 and 0.9 < lowered / plain < 1.1 and 0.7 < left / larger < 1.25
Table(["", "standard deviation of the ends (seeds)"], rows)

# %% [markdown] name="noise-reading"
# The ends are the noise ball of the lesson on gradient descent. With the old rate momentum makes it three times as wide: about as wide as ten times the rate makes it without momentum. With the rate times $1 - \mu$ momentum ends where gradient descent did. Why? Each gradient stays in the sum and moves the ball in every later step, with the weights $1, \mu, \mu^2, \dots$ All its moves together are
#
# $$-\eta\, (1 + \mu + \mu^2 + \dots)\, g = -\frac{\eta}{1 - \mu}\, g$$
#
# Where the steps are small it hardly matters *when* a gradient acts. Then the memory is a larger learning rate, $\frac{\eta}{1 - \mu}$, and nothing else. Here it is ten times the rate. In the lesson on gradient descent the squared width of the ball was proportional to $\frac{\eta}{2 - \eta h}$, which at small rates is nearly proportional to $\eta$. So ten times the rate makes the ball about $\sqrt{10} = 3.2$ times as wide.
#
# This is the other half of the answer. **Where noise keeps the rate small, momentum is only a larger learning rate. Where the edge limits the rate, it is more.**
#
# The cure, where there is noise: when you switch momentum on, multiply the rate by $1 - \mu$; then tune.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. Run-up (4 minutes, easy)
# All gradients agree. After how many steps has the step reached the part `share` of its final length, for instance 0.9? Return a formula for $t$, not rounded.

# %% name="exercise-run-up"
def run_up(momentum, share):
    ### BEGIN SOLUTION
    return np.log(1 - share) / np.log(momentum)
    ### END SOLUTION

# %% name="check-run-up"
check("run_up")

# %% [markdown] name="exercise-ball-text"
# <details><summary>Hint 1</summary>Derivation 2: divide the step at t by its limit.</details>
# <details><summary>Hint 2</summary>Solve 1 - mu^t = share for t, with logarithms.</details>
#
# ### 2. Momentum itself (5 minutes, easy)
# Write the step. `theta`, `g`, `u` are NumPy arrays of one shape. Return the new `theta` and the new `u`.

# %% name="exercise-ball"
def heavy_ball(theta, g, u, lr, momentum):
    ### BEGIN SOLUTION
    u = momentum * u + g
    return theta - lr * u, u
    ### END SOLUTION

# %% name="check-ball"
check("heavy_ball")

# %% [markdown] name="exercise-tuned-text"
# <details><summary>Hint 1</summary>Two lines of formula, two lines of code; first the sum, then the step along it.</details>
# <details><summary>Hint 2</summary>The rate multiplies the whole sum, once, at the end. The check changes it from step to step.</details>
#
# ### 3. The best constants (10 minutes, hard)
# A valley has curvatures from `low` to `high`. Find the pair `(lr, momentum)` with which every curvature swings or lies on a border of the band, and the swing dies out as fast as possible. Look at the map: how must the valley lie in the band?

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
# <details><summary>Hint 1</summary>The less momentum, the narrower the band. Take the least with which the valley just fits: its two ends lie on the two borders.</details>
# <details><summary>Hint 2</summary>Write s for the root of the momentum: lr low = (1 - s)² and lr high = (1 + s)². Take roots of both, then add and subtract.</details>
# <details><summary>What it means (after solving)</summary>The factor per step is the root of your momentum. It is (√κ - 1) / (√κ + 1), where gradient descent at its best has (κ - 1) / (κ + 1). For κ = 100 that is 7 times fewer steps to a millionth of the distance, and 10 times fewer in the long run ("Does it hold?").</details>
#
# ## Takeaways
#
# - Momentum adds up past gradients with fading weights. Steps on which gradients agree grow to $\frac{1}{1 - \mu}$ times their length; steps on which they alternate end at $\frac{1}{1 + \mu}$ of it.
# - The width of the swing shrinks by $\sqrt\mu$ per step on every curvature in the band. At its best, momentum turns the condition number into its square root.
# - Do not use momentum against noise: there it is only a larger learning rate. Do not use 0.9 on nearly round valleys: up to a condition number of about 40, gradient descent at its best is faster in the long run.
#
# ## Does it hold?
#
# **Real data, with noise and without.** The diabetes data of the lesson on gradient descent, a linear model, batches of 16, 400 steps. Each rule chooses the best of a row of rates. First with `y` as measured, then with the noise taken out: every `y` put on the best linear fit.

# %% tags=["fold"] name="control-data"
# Every seed: another split, other batches.
# The gap is the loss over all training rows above its minimum, mean of the last 50 steps.
sets, every = [data.diabetes(s) for s in setting.seeds], np.arange(len(setting.seeds))[:, None]
x = np.stack([d.x for d in sets])  # (seeds, 310, 10)
noisy = np.stack([(d.y - d.y.mean()) / d.y.std() for d in sets])
optimum = np.stack([np.linalg.lstsq(*d)[0] for d in zip(x, noisy, strict=True)])
clean = np.einsum("snd,sd->sn", x, optimum)
draws = [
    np.random.default_rng(s).permuted(np.tile(np.arange(310), (400, 1)), axis=1)[:, :16]
    for s in setting.seeds
]

def gap(rule, y):
    batches = iter(np.stack(draws, 1))

    def gradient(theta):
        b = next(batches)
        push = squared_error(np.einsum("snd,sd->sn", x[every, b], theta), y[every, b]).grad / 16
        return np.einsum("snd,sn->sd", x[every, b], push)

    off = np.array(descend(np.zeros((len(x), 10)), rule, gradient, 400)[-50:]) - optimum
    return (np.einsum("snd,tsd->tsn", x, off) ** 2).mean(axis=(0, 2))

def duel(y, rates):  # best rate of SGD, of momentum; SGD's gap over momentum's: a number per seed
    found = np.array([[gap(rule(lr), y) for lr in rates] for rule in (SGD, Momentum)])
    at = found.argmin(axis=1)
    assert at.min() > 0 and at.max() < len(rates) - 1
    return *rates[at], np.divide(*found.min(axis=1))

def spread(values):
    return f"{np.median(values):.2g} ({min(values):.2g} to {max(values):.2g})"

duels = {
    "as measured": duel(noisy, 0.01 * 2.0 ** np.arange(-6, 3)),
    "without noise": duel(clean, 0.01 * 2.0 ** np.arange(6)),
}
assert (duels["as measured"][0] > 3 * duels["as measured"][1]).all() and (
    abs(np.log(duels["as measured"][2])) < 0.7
).all()
assert (duels["without noise"][0] < 3 * duels["without noise"][1]).all() and (
    duels["without noise"][2] > 50
).all()
Table(
    ["y", "SGD's best rate", "momentum 0.9's best rate", "SGD's gap / momentum's gap"],
    [[name, *map(spread, found)] for name, found in duels.items()],
    "Median and range over seeds; rates by factors of 2.",
)

# %% [markdown] name="control-spread-text"
# With noise momentum's best rate is about $1 - \mu$ times SGD's, and the gaps are about equal: the memory bought nothing. Without noise in `y` the gradients of all batches vanish at the minimum, both rules may take larger rates, and momentum's gap is far smaller. Same data, same batches: only the noise is different.
#
# **Other starts.** The first picture began far out along the valley. Its 61 rates and 60 steps, from four starts:

# %% tags=["fold"] name="control-start"
# Each method at the best of the 61 rates; the ratio is gradient descent's over momentum's.
rows = []
for start in ((-1.8, 0.1), (-1.8, 1.2), (-0.6, 1.2), (-0.1, 1.2)):
    ended = [[late(path(kind(lr), start=start)) for lr in rates] for kind in (SGD, Momentum)]
    assert all(0 < np.argmin(row) < len(rates) - 1 for row in ended)
    least = [min(row) for row in ended]
    rows.append([*map(str, start), *(f"{d:.2g}" for d in (*least, least[0] / least[1]))])
Table(["along", "across", "gradient descent", "momentum 0.9", "ratio"], rows)

# %% [markdown] name="control-start-text"
# The farther the start lies along the valley, the more momentum gains (rows 2 to 4). In the last row gradient descent ends nearer: it has little way to go along the valley, and momentum still swings across.
#
# **Other lengths of training, and a longer valley.** The table of three valleys had 100 steps. Here are others, and the condition number 10 000:

# %% tags=["fold"] name="control-steps"
# The same grid of rates and momenta; the ratio is gradient descent's distance over momentum's.
rows = []
for kappa, steps in ((100, 50), (100, 200), (10_000, 100), (10_000, 300)):
    found = np.array([ends(mu, kappa, steps) for mu in memories])
    i, j = np.unravel_index(found.argmin(), found.shape)
    each = (found[0].min(), found[45].min(), found[i, j])
    assert 0 < i < len(memories) - 1 and 0 < j < 99 and each[0] > 1.2 * each[1] > 1.3 * each[2]
    rows.append([kappa, steps, *(f"{d:.2g}" for d in each), f"{memories[i]:.2f}"])
    rows[-1].insert(4, f"{each[0] / each[1]:.1f}")
names_of = ["gradient descent", "momentum 0.9", "ratio", "momentum, tuned", "its momentum"]
Table(["condition number", "steps", *names_of], rows)

# %% [markdown] name="control-steps-text"
# At the condition numbers 100 and 10 000 the order of the table of three valleys stays. (At 4 gradient descent was ahead of momentum 0.9.) At 100 momentum 0.9 leads by a factor of 4 after 50 steps and of 600 after 200. At 10 000 it leads by a factor of 2.8 after 300: its band has room for 1442 only. There the best momentum is 0.96.
#
# **The square root.** Both methods with their best constants for a long run, from $(1, 1)$. Steps until the distance stays below a millionth of the first one:

# %% tags=["fold"] name="control-root"
# Momentum's constants are those of exercise 3. "Grid": the least slower factor of any pair.
rows, places = [], np.linspace(0.001, 4, 1000)
for kappa in (100, 1000):
    s = np.sqrt(kappa)
    slower, root = (kappa - 1) / (kappa + 1), (s - 1) / (s + 1)
    pairs = [factor(places / k, np.linspace(0, 1, 1000)[:, None]) for k in (1, kappa)]
    least, counts = np.maximum(*pairs).min(), []
    for rule in (SGD(2 / (1 + kappa)), Momentum(4 / (1 + s) ** 2, root**2)):
        run = far(np.array(descend(np.ones(2), rule, quadratic(1.0, kappa).gradient, 8 * kappa)))
        counts.append(int(np.flatnonzero(run > 1e-6 * run[0])[-1]) + 1)
    gains = counts[0] / counts[1], np.log(root) / np.log(slower)
    assert 0 < least / root - 1 < 0.01 and 0.5 < gains[0] / gains[1] < 0.95
    rows.append([kappa, *counts, *(f"{v:.1f}" for v in gains), f"{root:.4f}", f"{least:.4f}"])
names_of = ["gradient descent", "momentum", "ratio", "ratio in the long run"]
Table(["condition number", *names_of, "momentum's factor", "grid"], rows)

# %% [markdown] name="control-root-text"
# In the long run the ratio of the steps is that of the logarithms of the factors, about $\sqrt\kappa$. A millionth is not yet the long run: on the borders $b^2 = 4\mu$, and the $t$ beside the power costs momentum some steps. No rate and momentum of a grid of a million pairs has a smaller factor at the slower end.
#
# **Other momenta.** If momentum is a larger rate under noise, the spread of the ends grows by $\frac{1}{\sqrt{1 - \mu}}$ when the rate is left as it is:

# %% tags=["fold"] name="control-spread"
# Spread at the same rate, over the spread of gradient descent.
rows = []
for mu in (0.5, 0.8, 0.9, 0.95):
    ratios = [
        noisy_end(Momentum(0.02, mu), np.random.default_rng(s)).std()
        / noisy_end(SGD(0.02), np.random.default_rng(s)).std()
        for s in setting.seeds
    ]
    rows.append([mu, spread(ratios), 1 / np.sqrt(1 - mu)])
    assert np.allclose(ratios, rows[-1][2], rtol=0.15)
Table(["momentum", "spread / gradient descent's spread", "1 / root of (1 - momentum)"], rows)

# %% [markdown] name="control-edge-text"
# **The edge.** A run 1 % below it must shrink, and one 1 % above it must grow. The distance after 2000 steps from a start at 1:

# %% tags=["fold"] name="control-edge"
# Both sides of the edge, on an axis with curvature 1.
rows = []
for mu in (0.0, 0.5, 0.9, 0.99):
    edge = 2 * (1 + mu)
    below, above = (
        abs(descend(np.ones(1), Momentum(f * edge, mu), lambda theta: theta, 2000)[-1][0])
        for f in (0.99, 1.01)
    )
    rows.append([mu, edge, f"{below:.0e}", f"{above:.0e}"])
    assert below < 0.01 and above > 100
Table(["momentum", "edge of lr h", "1 % below", "1 % above"], rows)

# %% [markdown] name="sources"
# ## Sources
#
# - B. Polyak, 1964: *Some methods of speeding up the convergence of iteration methods*.
# - G. Goh, 2017: *Why momentum really works*, Distill; the reader moves the rate and the momentum of a ball there.
