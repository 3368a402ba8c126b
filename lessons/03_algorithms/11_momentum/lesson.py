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
# A long valley: across it, the curvature is 100 times as large as along it. Two methods start at the same point. Both tried 49 learning rates; drawn is each one's best after 60 steps.

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
# Both methods at each of 49 rates, 60 steps; the best path of each is drawn.
valley, begin = quadratic(1.0, 100.0), np.array([-1.8, 1.2])

def path(rule, steps=60):
    return np.array(descend(begin, rule, valley.gradient, steps))

def far(trail):  # distance from the minimum
    return np.linalg.norm(trail, axis=-1)

rates, trails, best = 10.0 ** np.linspace(-4, 0, 49), {}, {}
for name, kind in {"gradient descent": SGD, "momentum 0.9": Momentum}.items():
    runs = [path(kind(lr)) for lr in rates]
    i = np.argmin([far(run[-1]) for run in runs])
    assert 0 < i < len(rates) - 1
    trails[name], best[name] = runs[i], rates[i]
plots.paths(
    valley,
    trails,
    title="Two methods, one valley, 60 steps",
    alt="Contours of a long valley with two paths. Gradient descent jumps from side to side "
    "at first, then creeps along the floor and ends a third of the way before the "
    "minimum. Momentum swings across the valley in wide curves, runs past the minimum and"
    " comes back to it.",
)

# %% tags=["fold"] name="question-numbers"
# The ends of the two paths, and of gradient descent at ten times its rate.
for name, trail in trails.items():
    away, end = (np.diff(far(trail)) > 0).mean(), far(trail[-1])
    print(f"{name}, rate {best[name]:.2g}: ends {end:.2g} away; {away:.0%} of its steps lead away")
tenfold = path(SGD(10 * best["gradient descent"]))
print(f"gradient descent, ten times its rate: ends {far(tenfold[-1]):.0e} away")
assert (
    far(trails["momentum 0.9"][-1]) < far(trails["gradient descent"][-1]) / 5
    and far(tenfold[-1]) > 1e50
)

# %% [markdown] name="question-reading"
# Gradient descent jumps across the valley and then creeps along it. At ten times its rate it explodes. Momentum arrives, although nearly half of its steps lead *away* from the minimum.
# So the memory is more than a larger rate, at least here. What does it do?
#
# ## The idea, drawn
#
# Gradient descent forgets each step as soon as it is taken. A ball that rolls downhill does not: it keeps most of its speed, and the slope only changes it.
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
ax.set(xlabel="along the valley", ylabel="across the valley")
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
# Polyak (1964) invented the method; it is also called the heavy ball. (At a constant rate his form is the one below.) Here $t = 1, 2, \dots$ counts the steps, and $g_t$ is the gradient where step $t$ begins, at $\theta_{t-1}$ (in the lesson on gradient descent this point was called $\theta_t$). The memory is a sum of gradients that fades. It starts at $u_0 = 0$:
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
# The power fades again, and $\frac{g}{1 + \mu}$ is left: at $\mu = 0.9$ about half a gradient. (The first contradiction nearly cancels what was there; both kinds end at a half.) Here are the first 30 steps of both kinds:

# %% tags=["fold"] name="speeds"
# The library's steps along equal and along alternating gradients, as bars.
fig, axes = plots.panels(2)
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
    "the first is 1, the second -0.1, and both kinds end at half a unit.",
)

# %% [markdown] name="speeds-reading"
# **The memory lengthens the steps on which gradients agree, and shortens those on which they contradict each other.** One learning rate cannot do both. This is the first half of the answer. (These gradients were given. In a valley the ball itself makes them, and on it goes; along the valley they agree for many steps, and there momentum gains.)
#
# ### The ball on one axis
#
# Now the gradient answers to where the ball is. Take one axis with the curvature $h$, as in the lesson on gradient descent: there the gradient is $h\,\theta$, and without momentum each step multiplies $\theta$ by $1 - \eta h$. With momentum two earlier points decide, because the step that led to $\theta_{t-1}$ tells $u_{t-1}$: $\theta_{t-1} = \theta_{t-2} - \eta\, u_{t-1}$.

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
# $$\zeta = \frac{b \pm \sqrt{b^2 - 4 \mu}}{2}$$
#
# Every run is a mixture of the two, with two numbers $A$ and $B$ that the first two points fix:
#
# $$\theta_t = A\, \zeta_1^t + B\, \zeta_2^t$$
#
# In the long run the part with the larger factor is all that is left. The product of the factors is simple:

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
# Where $b^2 < 4\mu$ there is no solution: no run shrinks by a constant factor. The ball **swings** instead: it runs through the minimum and out on the other side. That is the **overshoot**: the ball passes the minimum, because its memory still points ahead. The width of the swing does shrink. By how much? Two equal factors with the product $\mu$ would each be $\sqrt\mu$. To see that this is right, take the polynomial of the factor, and put the last two points into it: $\theta_t$ in the place of $\zeta$, $\theta_{t-1}$ in the place of 1. The number plays the part of the ball's energy:
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
# $E$ shrinks by the factor $\mu$ per step, and $E$ is made of squared distances. So **the width of the swing shrinks by $\sqrt\mu$ per step, whatever the curvature.** When does the ball swing? If $b$ lies between $-2\sqrt\mu$ and $2\sqrt\mu$. Because $1 + \mu \mp 2\sqrt\mu = (1 \mp \sqrt\mu)^2$, this means:
#
# $$1 + \mu - \eta h < 2\sqrt\mu \iff \eta h > (1 - \sqrt\mu)^2$$
#
# $$1 + \mu - \eta h > -2\sqrt\mu \iff \eta h < (1 + \sqrt\mu)^2$$

# %% tags=["fold"] name="swing"
# Two runs of the library's momentum 0.9, and the width that the energy allows.
at, curves = np.arange(61), {}
for a in (0.03, 1.0):
    curves[f"lr h = {a:g}"] = np.array(
        descend(np.ones(1), Momentum(a, 0.9), lambda theta: theta, 60)
    )[:, 0]
width = 1.2 * np.sqrt(0.9) ** at
assert all((abs(curve) <= width + 1e-12).all() for curve in curves.values())
fig, (ax,) = plots.panels()
ax.fill_between(at, -width, width, color="0.9", label="1.2 x 0.9^(t/2) to both sides")
plots.draw_lines(
    ax,
    at,
    curves,
    "step t",
    "distance from the minimum, with its sign",
    "Momentum 0.9 on two curvatures, one width",
)
plots.Picture(
    fig,
    alt="Two oscillating curves over 60 steps inside one grey funnel. At lr h = 0.03 the ball "
    "swings slowly, at lr h = 1 quickly. The funnel shrinks to a twentieth in 60 steps.",
)

# %% tags=["fold"] name="swing-numbers"
# How many steps of 200 end farther away than they began?
for a in (0.03, 0.1, 1.0):
    run = abs(np.array(descend(np.ones(1), Momentum(a, 0.9), lambda theta: theta, 200))[:, 0])
    farther = (np.diff(run) > 0).mean()
    print(f"lr h = {a:g}: {farther:.0%} of 200 steps end farther away")
    assert 0.3 < farther < 0.55

# %% [markdown] name="swing-reading"
# A curvature 33 times as large swings faster, and dies out no faster. Only the grey funnel shrinks from step to step; **nearly half of the single steps end farther away** than they began (fewer with less memory, and near the borders).
#
# <details><summary>If you know complex numbers</summary>
#
# For $b^2 < 4\mu$ the two factors are complex and conjugate to each other. Their product is the square of their size, so each has the size $\sqrt\mu$. The path is $\sqrt\mu^{\,t}$ times a cosine of $t$.
#
# </details>
#
# ### The edge
#
# Beyond the upper of these two borders both factors are negative: their product $\mu$ is positive, and their sum is $b < 0$. The ball jumps across the minimum in every step, as gradient descent does when its rate is too large. It explodes when one factor passes $-1$:

# %% tags=["fold"] name="derive-edge"
# Derivation 7: the largest stable rate.
(
    derive(
        r"p(\zeta)",
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
# (No factor can pass $+1$, because $p(1) = \eta h$ is never zero. And the two cannot both pass $-1$, because their product is $\mu < 1$.)
#
# With $\mu = 0.9$ the rate may be 1.9 times as large as without. Now one picture can hold everything: the slower factor for every $\eta h$ and every $\mu$. Dark is fast.

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

a, m = np.linspace(0.005, 4, 500), np.linspace(0, 1, 300)
speed = factor(a, m[:, None])
fig, (ax,) = plots.panels()
image = ax.imshow(
    np.where(speed < 1, speed, np.nan),
    origin="lower",
    extent=(0, 4, 0, 1),
    aspect="auto",
    cmap="cividis",
    vmin=0,
    vmax=1,
)
fig.colorbar(image, ax=ax, label="factor per step")
ax.plot(2 * (1 + m), m, color="#D55E00", lw=3)
ax.plot(np.r_[(1 - np.sqrt(m))[::-1] ** 2, (1 + np.sqrt(m)) ** 2], np.r_[m[::-1], m], "w--", lw=1.5)
for place, text, colour in (
    ((1.0, 0.5), "swings", "w"),
    ((0.03, 0.03), "slides", "w"),
    ((2.45, 0.34), "jumps", "w"),
    ((3.0, 0.2), "explodes", "0.3"),
    ((2.65, 0.12), "the edge", "#D55E00"),
):
    ax.text(*place, text, color=colour)
ax.grid(False)
ax.set(
    xlim=(0, 4),
    xlabel="learning rate x curvature",
    ylabel="momentum",
    title="How fast is each pair?",
)
plots.Picture(
    fig,
    alt="An image over learning rate times curvature (0 to 4) and momentum (0 to 1). A dashed "
    "curve touches the bottom at 1 and opens upwards: inside it the factor depends on "
    "momentum alone, darker below. A straight orange line, the edge, runs from 2 at "
    "momentum 0 to 4 at momentum 1; right of it everything explodes.",
)

# %% tags=["fold"] name="map-check"
# The formula of the map against the library's own runs.
rng = np.random.default_rng(seed)
places = np.column_stack([rng.uniform(0.02, 3.9, 60), rng.uniform(0.05, 0.95, 60)])
gaps = np.array([measured(a, m) - factor(a, m) for a, m in places])
print(f"60 random places, runs against the formula: largest difference {abs(gaps).max():.1g}")
assert abs(gaps).max() < 0.05 and round(((1 + np.sqrt(0.9)) / (1 - np.sqrt(0.9))) ** 2) == 1442

# %% [markdown] name="map-reading"
# Gradient descent is the bottom row: perfect at $\eta h = 1$, and slow to both sides of it. Higher up lies **the band**, between the two dashed borders, where the ball swings. Along the band the colour does not change: all curvatures shrink by the same $\sqrt\mu$. (Left of it the ball slides to the minimum without passing it; between band and edge it jumps.)
# A valley is a row of places in this map: each of its curvatures, times the one rate. The **condition number** $\kappa$ (kappa) is the largest curvature divided by the smallest. At $\mu = 0.9$, with the right rate, the band has room for a valley of the condition number
#
# $$\kappa = \frac{(1 + \sqrt{0.9})^2}{(1 - \sqrt{0.9})^2} = 1442$$
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
# Move the momentum. The valley is the first one, the learning rate stays at 0.01, which is 1 divided by the largest curvature.
#
# 1. Which momenta come nearest in 80 steps? How does the ball arrive with less, and how with more?
# 2. At 0.99 the ball is farther away than with less memory. Is it too slow?

# %% tags=["fold"] name="play-picture"
# The figure to move: path and distance for one momentum after the other.
fig, (ax, over) = plots.panels(2)
plots.draw_contours(ax, valley, ((-2.1, 2.1), (-1.6, 1.6)))
ax.set(xlabel="along the valley", ylabel="across the valley")
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
    end, away = far(trail[-1]), (np.diff(far(trail)) > 0).mean()
    return f"After 80 steps: {end:.2g} from the minimum. {away:.0%} of the steps end farther away."

values = [
    0,
    0.2,
    0.4,
    0.5,
    0.6,
    0.65,
    0.7,
    0.74,
    0.78,
    0.81,
    0.84,
    0.87,
    0.9,
    0.92,
    0.94,
    0.96,
    0.97,
    0.98,
    0.99,
]
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
# The momentum that comes nearest.
ends = {mu: far(path(Momentum(0.01, mu), 80)[-1]) for mu in values}
nearest = min(ends, key=ends.get)
assert 0.74 < nearest < 0.9 and ends[0.99] > 10 * ends[nearest]

# %% [markdown] name="play-reading"
# <details><summary>Answers</summary>
#
# 1. Those just above 0.81. Along the valley $\eta h = 0.01$, and the ball swings as soon as $(1 - \sqrt\mu)^2 < 0.01$, which is $\mu > 0.81$. With less memory it creeps along the valley and does not pass the minimum. With more it swings wider, and the swing lives longer.
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
# On the first, nearly round valley momentum 0.9 loses by many powers of ten: it still swings when gradient descent has long arrived. On the two long ones it wins. Tuned momentum is never behind, because it may choose 0 or 0.9 as well; it needs another momentum for each valley.
#
# ## What breaks
#
# Somebody has tuned gradient descent on noisy gradients. Then momentum 0.9 is switched on, and the rate is left as it is. Take one axis with curvature 1, start at the minimum, add noise to every gradient, and look where 4000 such runs are after 500 steps:

# %% name="noise"
def noisy_end(rule, rng, runs=4000, steps=500):
    noise = iter(rng.normal(size=(steps, runs)))
    return descend(np.zeros(runs), rule, lambda theta: theta + next(noise), steps)[-1]

rules = {
    "gradient descent, rate 0.02": SGD(0.02),
    "momentum 0.9, rate 0.02": Momentum(0.02, 0.9),
    "momentum 0.9, rate 0.002": Momentum(0.002, 0.9),
}

# %% tags=["fold"] name="noise-picture"
# Where the runs end.
ball = {name: noisy_end(rule, np.random.default_rng(seed)) for name, rule in rules.items()}
plots.histogram(
    ball,
    "distance from the minimum after 500 steps, with its sign",
    alt="Three histograms around 0. Gradient descent at 0.02 and momentum 0.9 at 0.002 lie on"
    " each other, narrow. Momentum 0.9 at 0.02 is about three times as wide.",
)

# %% tags=["fold"] name="noise-numbers"
# The spreads over all seeds.
rows = []
for name, rule in rules.items():
    spreads = [noisy_end(rule, np.random.default_rng(s)).std() for s in setting.seeds]
    rows.append([name, f"{np.mean(spreads):.4f} ({min(spreads):.4f} to {max(spreads):.4f})"])
    ball[name] = np.mean(spreads)
plain, left, lowered = ball.values()
assert 2.7 < left / plain < 3.7 and 0.9 < lowered / plain < 1.1
Table(["", "standard deviation of the ends (seeds)"], rows)

# %% [markdown] name="noise-reading"
# The ends are the noise ball of the lesson on gradient descent. With the old rate momentum makes it three times as wide. With the rate times $1 - \mu$ momentum ends where gradient descent did. Why? Each gradient stays in the sum and moves the ball in every later step, with the weights $1, \mu, \mu^2, \dots$ All its moves together are
#
# $$-\eta\, (1 + \mu + \mu^2 + \dots)\, g = -\frac{\eta}{1 - \mu}\, g$$
#
# Where the steps are small it hardly matters *when* a gradient acts. Then the memory is a larger learning rate, $\frac{\eta}{1 - \mu}$, and nothing else.
#
# This is the other half of the answer. **Where noise keeps the rate small, momentum is only a larger learning rate. Where the edge limits the rate, it is more.**
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
# <details><summary>What it means (after solving)</summary>The factor per step is the root of your momentum. For low = 1 it is (√κ - 1) / (√κ + 1), where gradient descent at its best has (κ - 1) / (κ + 1). Momentum turns the condition number into its square root: some 10 times fewer steps for κ = 100.</details>
#
# ## Takeaways
#
# - Momentum adds up past gradients with fading weights. Steps on which gradients agree grow to $\frac{1}{1 - \mu}$ times their length; steps on which they alternate end at $\frac{1}{1 + \mu}$ of it.
# - A swinging ball overshoots, and with much memory up to half of its steps end farther away. The width of its swing shrinks by $\sqrt\mu$ per step on every curvature in the band. At its best, momentum turns the condition number into its square root.
# - Do not use momentum 0.9 on short valleys: it shrinks no faster than $\sqrt{0.9}$ per step, and gradient descent at its best is faster up to the condition number 38. Where noise keeps the rate small, momentum is only a larger learning rate.
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
# **Other lengths of training.** The table of three valleys had 100 steps. The valley with the condition number 100, after 50 and after 200:

# %% tags=["fold"] name="control-steps"
# The same grid of rates and momenta, two other numbers of steps.
rows = []
for steps in (50, 200):
    found = np.array([ends(mu, 100, steps) for mu in memories])
    i, j = np.unravel_index(found.argmin(), found.shape)
    each = (found[0].min(), found[45].min(), found[i, j])
    assert 0 < i < len(memories) - 1 and 0 < j < 99 and each[0] > 2 * each[1] > 20 * each[2]
    rows.append([steps, *(f"{d:.1g}" for d in each), f"{memories[i]:.2f}"])
Table(["steps", "gradient descent", "momentum 0.9", "momentum, tuned", "its momentum"], rows)

# %% [markdown] name="control-steps-text"
# The order stays, and the tuned momentum hardly changes. Momentum 0.9 leads by a factor of 4 after 50 steps and of 600 after 200.
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
