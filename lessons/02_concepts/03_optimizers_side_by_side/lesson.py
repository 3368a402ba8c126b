# ---
# jupyter:
#   lesson:
#     title: "Optimizers side by side"
#     question: "The fastest of seven optimizers needs one step. Why does nobody train a large model with it?"
#     minutes: 45
#     needs: [01_model_and_objective]
#     settles: [E1, E8, E13]
#     studies: [optim.SGD, second_order.newton_direction]
#     claims:
#       C18: {verdict: conditional, cell: saddle-table, says: "The loop ends when a stop condition holds, and that need not be an optimum: with the condition 'gradient below 0.001' gradient descent from a ridge and Newton from nearby stop at a saddle. Newton and line searches use more than the gradient."}
#       C19: {verdict: confirmed, cell: table, says: "SGD, momentum, RMSProp, Adam, Newton, conjugate gradient and L-BFGS run the same race, and all arrive."}
#       C20: {verdict: confirmed, cell: table, says: "On the same bowl Newton needs 1 step and gradient descent hundreds, and a Newton step with 500 parameters takes dozens of times as long. The rate of gradient descent must be right within a factor of 2, Adam's within 30. With batches of 16 the order is gone: all seven end within a factor of 2.5."}
#     terms: [stop condition, Hessian, line search, stationary point, saddle]
# ---

# %% [markdown] name="goal"
# # Optimizers side by side
#
# **Goal.** Know seven optimizers by what they ask for, how fast they are and what they cost, and see what noise makes of the order.
#
# **The question.** The optimizer turns gradients into new parameters. Seven of them start at the same point, each at its best setting. The fastest is done after one step. Why does nobody train a large model with it?
#
# Press play. On the left is a bowl: a narrow valley that lies aslant. On the right is a curved valley, which Rosenbrock (1960) made to test optimizers. The star is the minimum, and each marker is one optimizer with its last steps behind it. You need not know their names yet.

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
from time import process_time

import numpy as np
import sympy as sp

from lessons_lib import bridge, data, exercises, plots
from lessons_lib import second_order as second
from lessons_lib.derive import derive
from lessons_lib.landscapes import Landscape, rosenbrock
from lessons_lib.optim import SGD, Adam, Momentum, RMSProp, descend
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("02_concepts/03_optimizers_side_by_side")


# %% tags=["fold"] name="landscapes"
# The two landscapes, and five starts in each.
def turned_bowl(kappa, degrees):  # curvature 1 along the floor, kappa across it
    along = np.radians(degrees)
    turn = np.array([[np.cos(along), -np.sin(along)], [np.sin(along), np.cos(along)]])
    h = turn @ np.diag([1.0, kappa]) @ turn.T

    def gradient(theta):  # theta: (2,), or (2, starts, rates) for many runs at once
        return np.tensordot(h, theta, 1)

    return Landscape(
        lambda theta: (theta * gradient(theta)).sum(0) / 2,
        gradient,
        lambda theta: h,
        (np.zeros(2),),
    )


bowl, valley = turned_bowl(100, 30), rosenbrock()
rng = np.random.default_rng(seed)
angles = rng.uniform(0, 2 * np.pi, len(setting.seeds))
starts = {
    "bowl": 1.8 * np.stack([np.cos(angles), np.sin(angles)], 1),
    "valley": np.array([-1.2, 1.0]) + rng.normal(0, 0.3, (len(angles), 2)),
}
lands = {"bowl": bowl, "valley": valley}
shown_start = {"bowl": np.array([-1.75, -0.35]), "valley": np.array([-1.2, 1.0])}


def grey_contours(ax, land, span, title):  # few thin lines, a star at each minimum
    across, up = np.meshgrid(*(np.linspace(*side, 101) for side in span))
    height = np.log10(land.value(np.stack([across, up])) + 1e-2)
    ax.contour(across, up, height, levels=5, colors="0.72", linewidths=0.7, linestyles="solid")
    ax.plot(*np.transpose(land.minima), "*", color="0.3", ms=12, zorder=3)
    ax.grid(False)
    ax.set(xlabel=r"$\theta_1$", ylabel=r"$\theta_2$", title=title, xlim=span[0], ylim=span[1])


# %% tags=["fold"] name="race"
# Every start at every one of 181 rates; the best rate is the first at which all starts arrive.
# To know how near to it a rate must be, the race goes on until twice that step.
rates = 10.0 ** np.linspace(-5, 1, 181)
rules = {
    "gradient descent": SGD(1.0),
    "momentum": Momentum(1.0),
    "RMSProp": RMSProp(1.0),
    "Adam": Adam(1.0),
}


def race(rule, land, begin, longer=1):  # best rate, steps of every start, range of good rates
    theta = np.repeat(begin.T[..., None], len(rates), -1)  # (2, starts, rates)
    goal, state = 1e-6 * land.value(theta), rule.init(theta)
    arrived = np.zeros(goal.shape, dtype=int)
    end = most = 60_000
    with np.errstate(all="ignore"):  # rates that are too large diverge
        while state.t < end:
            step, state = rule.update(0 * theta, land.gradient(theta), state)
            theta = theta + rates * step  # the rule's step at the rate 1, times the rate
            arrived[(arrived == 0) & (land.value(theta) <= goal)] = state.t
            if end == most and arrived.all(0).any():
                end = longer * state.t
    good = arrived.all(0)
    if not good.any():
        raise ValueError(f"no rate of the grid brings all starts to the goal in {most} steps")
    first = np.where(good, arrived.max(0), most).argmin()
    assert 1.3 * rates[0] < rates[first] < rates[-1] / 1.3  # the best rate lies inside the grid
    return rates[first], arrived[:, first], rates[good].max() / rates[good].min()


found = {
    (name, where): race(rule, lands[where], starts[where], 2 if where == "bowl" else 1)
    for name, rule in rules.items()
    for where in lands
}


# %% tags=["fold"] name="asking"
# The methods that need no learning rate: their path, their steps to the goal, their gradients.
def cg(land, theta, steps):
    return second.nonlinear_cg(land.value, land.gradient, theta, steps=steps, tolerance_grad=1e-9)


def lbfgs(land, theta, steps):
    free = {"history": 10, "tolerance_grad": 1e-9, "tolerance_change": 0, "max_evals": 9999}
    return second.lbfgs(land.value, land.gradient, theta, steps=steps, **free)


def newton(land, theta, steps):
    return second.newton(land.gradient, land.hessian, theta, steps=steps, tolerance_grad=1e-9)


askers = {"Newton": newton, "conjugate gradient": cg, "L-BFGS": lbfgs}


def priced(method, land, theta):  # (steps, gradients); a Hessian costs d gradients
    values = np.array([land.value(point) for point in method(land, theta, 500)])
    steps = int(np.argmax(values <= 1e-6 * values[0]))
    assert steps > 0  # it arrives
    calls = {"gradient": 0, "hessian": 0}

    def counted(name):
        def call(point):
            calls[name] += 1
            return getattr(land, name)(point)

        return call

    method(land.__class__(land.value, counted("gradient"), counted("hessian"), ()), theta, steps)
    return steps, calls["gradient"] + len(theta) * calls["hessian"]


prices = {
    (name, where): np.array([priced(m, lands[where], s) for s in starts[where]])
    for name, m in askers.items()
    for where in lands
}
prices |= {key: np.stack([steps, steps], 1) for key, (_, steps, _) in found.items()}
methods = [*rules, *askers]


# %% tags=["fold", "nbval-ignore-output"] name="question-picture"
# The race, played: seven trails in two landscapes, each method at its best rate.
def trail(name, where, steps=400):
    theta, land = shown_start[where], lands[where]
    if name in askers:
        return np.array(askers[name](land, theta, steps))
    rule = type(rules[name])(found[name, where][0])
    return np.array(descend(theta, rule, land.gradient, steps))


def arrival(path, land):  # the first step below a millionth of the first value
    values = np.array([land.value(point) for point in path])
    return np.append(np.flatnonzero(values <= 1e-6 * values[0]), len(path))[0]


trails = {(name, where): trail(name, where) for name in methods for where in lands}
arrivals = {key: arrival(path, lands[key[1]]) for key, path in trails.items()}
colours = "#0072B2", "#D55E00", "#CC79A7", "#E69F00", "black", "#009E73", "#56B4E9"
COLOURS = dict(zip(methods, colours, strict=True))
MARKS = dict(zip(methods, "osv^XDP", strict=True))
SPANS = {"bowl": ((-2.3, 1.2), (-1.6, 1.1)), "valley": ((-1.8, 1.6), (-0.7, 2.2))}
fig, axes = plots.panels(2)
fig.set_size_inches(6.8, 3.6)
titles = {"bowl": "A bowl, aslant", "valley": "Rosenbrock's curved valley"}
for ax, (where, title) in zip(axes, titles.items(), strict=True):
    grey_contours(ax, lands[where], SPANS[where], title)
for name in methods:
    axes[0].plot([], [], color=COLOURS[name], marker=MARKS[name], label=name)
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)


def after(left, right, step):
    home = {}
    for ax, where in ((left, "bowl"), (right, "valley")):
        for name in methods:
            path, style = trails[name, where], {"color": COLOURS[name], "zorder": 4}
            tail = path[max(0, min(step, len(path) - 1) - 6) : step + 1]
            ax.plot(*tail.T, lw=1.2, **style)
            ax.plot(*tail[-1], marker=MARKS[name], ms=7, **style)
        home[where] = ", ".join(n for n in methods if arrivals[n, where] <= step) or "nobody"
    return f"Step {step}. At the goal in the bowl: {home['bowl']}. In the valley: {home['valley']}."


plots.moving(
    fig,
    "steps taken",
    [0, 1, 2, 3, 4, 5, 6, 8, 11, 15, 22, 33, 45, 60, 80, 110, 150, 190, 230, 320, 400],
    after,
    start=4,
    play=True,
    alt="Contours of a slanting bowl and of a curved valley, with seven markers. After four "
    "steps Newton and conjugate gradient sit on the star of the bowl, the others are "
    "still on the slopes. In the curved valley Newton is near the star, the other six "
    "near the start.",
)

# %% [markdown] name="question-reading"
# In the bowl Newton's method arrives with its first step, conjugate gradient with its second. Gradient descent still creeps along the floor after 200. In the curved valley Newton leaps out of the frame with its second step, and is home after five. Conjugate gradient and L-BFGS are home after 40. The other four are still on their way after 400.
#
# So the order seems clear. Remember it: further down the same seven methods meet real data in small batches.
#
# The article that this course follows calls these methods "optimization functions". The usual word is optimizer. The function that is optimized is another thing, the objective.
#
# ## The idea, drawn
#
# An optimizer stands at a point, in fog. What can it find out there? The gradient says which way is steepest. It does not say how far to go, and seldom where the minimum lies. Here are three directions from each of five points:

# %% tags=["fold"] name="arrows"
# The first step of three methods, all arrows equally long; a rounder bowl than in the race.
round_bowl = turned_bowl(12, 30)
points = np.array([[-1.5, -0.2], [-0.6, 0.75], [0.9, 1.0], [1.4, -0.1], [0.1, -0.9]])
first = {
    "gradient descent, momentum": -np.array([round_bowl.gradient(p) for p in points]),
    "RMSProp, Adam": -np.array([np.sign(round_bowl.gradient(p)) for p in points]),
    "Newton": np.array(
        [second.newton_direction(round_bowl.gradient(p), round_bowl.hessian(p)) for p in points]
    ),
}
fig, (ax,) = plots.panels()
fig.set_size_inches(4.8, 3.3)
grey_contours(ax, round_bowl, ((-2.1, 2.1), (-1.5, 1.7)), "Which way is the first step?")
for (name, to), colour in zip(first.items(), ("#0072B2", "#E69F00", "black"), strict=True):
    unit = 0.55 * to / np.linalg.norm(to, axis=1, keepdims=True)
    as_drawn = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.007, "zorder": 4}
    ax.quiver(*points.T, *unit.T, color=colour, label=name, **as_drawn)
ax.set_aspect("equal")  # so that a right angle looks like one
ax.legend(fontsize=8, loc="upper left")
plots.Picture(
    fig,
    alt="Contours of a slanting bowl with three arrows at each of five points. Gradient "
    "descent's arrow stands at a right angle to the contour and mostly points across the "
    "valley. The arrow of RMSProp and Adam is a diagonal. Newton's arrow points straight "
    "at the minimum.",
)

# %% [markdown] name="formula"
# Gradient descent goes straight downhill, which is mostly *across* the valley. RMSProp and Adam make all numbers of the first step equally large, so they begin along a diagonal. Newton's method also knows how the slope changes. It aims at the minimum.
#
# ## Formula
#
# Let $\theta$ be the $d$ parameters, $g$ the gradient there (the $d$ slopes), and $\eta$ the learning rate: how far a step goes. One line for each method; its own lesson derives it.
#
# | method | one step | keeps beside $\theta$ | lesson |
# |---|---|---|---|
# | gradient descent | $\theta \leftarrow \theta - \eta\, g$ | nothing | [SGD](../03_algorithms/03_sgd.ipynb) |
# | momentum | $u \leftarrow \mu u + g$, then $\theta \leftarrow \theta - \eta\, u$ | a fading sum of gradients | [Momentum](../03_algorithms/11_momentum.ipynb) |
# | RMSProp | $v \leftarrow \alpha v + (1 - \alpha) g^2$, then $\theta \leftarrow \theta - \eta\, g / (\sqrt v + \epsilon)$ | a mean of squared gradients | [Adaptive rates](../03_algorithms/12_adaptive.ipynb) |
# | Adam | $\theta \leftarrow \theta - \eta\, \hat m / (\sqrt{\hat v} + \epsilon)$ | a mean $\hat m$ of gradients and a mean $\hat v$ of squares | [Adam](../03_algorithms/04_adam.ipynb) |
# | Newton | $\theta \leftarrow \theta - H^{-1} g$ | the matrix $H$ | [Second order](../03_algorithms/15_second_order.ipynb) |
# | conjugate gradient | $p \leftarrow \beta p - g$, then $\theta \leftarrow \theta + a\, p$ | the last direction and gradient | same |
# | L-BFGS | $\theta \leftarrow \theta - a\, K g$ | its last ten steps, and what they did to $g$ | same |
#
# The numbers $\mu$ and $\alpha$ lie between 0 and 1, $\epsilon$ is tiny, and $\beta$ is found anew in each step. Squares, roots and divisions act on each parameter alone. The article names five of the seven: SGD (gradient descent on batches), RMSProp, Adam, Newton and conjugate gradient.
#
# The **Hessian** $H$ is the table of all second derivatives of the objective, $d$ rows and $d$ columns: it says how each slope changes with each parameter. The second derivative along an axis is its curvature. $H^{-1} g$ is the $s$ that solves the $d$ equations $H s = g$. L-BFGS cannot afford $H$: its $K$ is a guess at $H^{-1}$, made from the kept steps.
#
# The length $a$ comes from a **line search**: the optimizer tries several lengths along its direction, and takes one at which the value is clearly lower and the slope nearly gone.
#
# So there are two families. The first four **take the gradient as it comes**: one gradient a step, and a rate chosen beforehand. The last three **ask the function**: for its curvature, or for its value at many lengths. The article says that an optimizer uses gradients. For the second family that is only half of it.
#
# ## Derivation
#
# ### Why gradient descent is slow in a narrow bowl
#
# Take one axis of a bowl with the curvature $h$. Its slope at the distance $\theta$ from the minimum is $h\,\theta$.

# %% tags=["fold"] name="derive-factor"
# Derivation 1: one step of gradient descent on one axis.
eta, h, kappa = sp.symbols("eta h kappa", positive=True)
theta = sp.Symbol("theta", real=True)


def sgd_step(eta, h, theta):
    rule, now = SGD(float(eta)), np.array([float(theta)])
    return rule.update(now, float(h) * now, rule.init(now))[0][0]


(
    derive(
        r"\theta'",
        "theta - eta * h * theta",
        "the formula, with $g = h\\, \\theta$",
        [eta, h, theta],
    )
    .equals("(1 - eta * h) * theta", "**each step multiplies the distance by $1 - \\eta h$**")
    .library("SGD(eta)", sgd_step, "the library's step", each=True)
)

# %% [markdown] name="factor-text"
# To be quick, $\eta h$ must be near 1. But the curvatures of our bowl are 1 and 100, and there is only one rate.

# %% tags=["fold"] name="factors"
# The factor per step on both axes, against the rate.
at = np.linspace(0.0005, 0.0215, 300)
balance = 2 / 101
fig, (ax,) = plots.panels()
fig.set_size_inches(4.8, 3.0)
plots.draw_lines(
    ax,
    at,
    {"curvature 1, along the floor": abs(1 - at), "curvature 100, across it": abs(1 - 100 * at)},
    "learning rate",
    "distance after the step / before",
    "One rate, two curvatures",
)
ax.plot(balance, 99 / 101, "ko", ms=8)
to = {"arrowstyle": "->"}
ax.annotate("best rate: both at 0.98", (balance, 99 / 101), (0.0095, 1.14), arrowprops=to)
ax.set(ylim=(0, 1.25))
ax.legend(loc="lower right", fontsize=8)
plots.Picture(
    fig,
    alt="Two curves over the learning rate. The factor of curvature 1 hardly falls below 1 "
    "anywhere. That of curvature 100 falls to 0 at the rate 0.01 and rises again to 1 at "
    "0.02. They meet just before 0.02, at 0.98.",
)

# %% [markdown] name="factors-reading"
# The steep axis allows no rate above 0.02, and at such rates the flat axis hardly moves. The best that can be had is where the curves meet. Let the curvatures be $h$ and $\kappa h$. Their ratio $\kappa$ (kappa) is known as the condition number. The curves meet where one factor is minus the other:
#
# $$1 - \eta\, h = -(1 - \eta\, \kappa h), \qquad \text{so} \qquad \eta = \frac{2}{h + \kappa h}$$

# %% tags=["fold"] name="derive-best"
# Derivation 2: the factor at the rate where the curves meet.
def flat_axis(h, kappa):
    return sgd_step(2 / (h + kappa * h), h, 1.0)


def steep_axis(h, kappa):
    return -sgd_step(2 / (h + kappa * h), kappa * h, 1.0)


(
    derive(
        "f",
        "1 - 2 * h / (h + kappa * h)",
        "the flat axis: $1 - \\eta\\, h$ at the rate $\\eta$ above",
        [h, kappa],
        tex=r"1 - \frac{2 h}{h + \kappa h}",
    )
    .equals(
        "(kappa - 1) / (kappa + 1)",
        "$h$ cancels: **only the ratio counts**",
        tex=r"\frac{\kappa - 1}{\kappa + 1}",
    )
    .library("SGD(2 / (h + kappa h))", flat_axis, "the library's step, flat axis", each=True)
    .library("SGD(2 / (h + kappa h))", steep_axis, "steep axis, with a minus sign", each=True)
)

# %% [markdown] name="newton-text"
# For $\kappa = 100$ the factor is $99/101$: after 35 steps about half of the distance is still left. The steep axis has the factor $-99/101$. There each step leaps across the floor.
#
# ### Why Newton's method needs one step
#
# A bowl with two parameters, turned in any way. Its Hessian has the rows $(h_1, h_{12})$ and $(h_{12}, h_2)$, so its gradient is
#
# $$g_1 = h_1 \theta_1 + h_{12}\, \theta_2, \qquad g_2 = h_{12}\, \theta_1 + h_2 \theta_2$$
#
# What is the first number of Newton's step $\Delta = -H^{-1} g$?

# %% tags=["fold"] name="derive-newton"
# Derivation 3: Newton's step in a turned bowl.
h1, h12, h2 = sp.symbols("h_1 h_12 h_2", real=True)
t1, t2, g1, g2 = sp.symbols("theta_1 theta_2 g_1 g_2", real=True)
names = {str(symbol): symbol for symbol in (h1, h12, h2, t1, t2, g1, g2)}


def newton_step(h_1, h_12, h_2, theta_1, theta_2):
    H, now = np.array([[h_1, h_12], [h_12, h_2]], float), np.array([theta_1, theta_2], float)
    return second.newton_direction(H @ now, H)[0]


(
    derive(
        r"\Delta_1",
        "-(h_2 * g_1 - h_12 * g_2) / (h_1 * h_2 - h_12**2)",
        "the two equations $H \\Delta = -g$, solved for $\\Delta_1$",
        names,
        means={g1: "h_1 * theta_1 + h_12 * theta_2", g2: "h_12 * theta_1 + h_2 * theta_2"},
        ranges={h1: (2, 5), h2: (2, 5), h12: (-1, 1)},
    )
    .equals(
        "-(h_2 * (h_1 * theta_1 + h_12 * theta_2) - h_12 * (h_12 * theta_1 + h_2 * theta_2))"
        " / (h_1 * h_2 - h_12**2)",
        "the gradient put in",
    )
    .equals(
        "-(h_1 * h_2 - h_12**2) * theta_1 / (h_1 * h_2 - h_12**2)",
        "the terms with $\\theta_2$ cancel",
        tex=r"-\frac{(h_1 h_2 - h_{12}^2)\, \theta_1}{h_1 h_2 - h_{12}^2}",
    )
    .equals("-theta_1", "**exactly the way to the minimum**")
    .library("newton_direction(g, H)", newton_step, "the library's step", each=True)
)

# %% [markdown] name="code-text"
# The second number is $-\theta_2$ in the same way. So $\theta + \Delta = 0$: Newton multiplies every distance by 0, whatever the curvatures. No learning rate was chosen. The Hessian says how far to go.
#
# ## Code: a loop and what ends it
#
# The article says that an optimizer updates the parameters "until it reaches an optimum or a stop condition". Here is that loop. A **stop condition** is the test that ends it: the loss is low enough, the gradient is nearly zero, or the steps are used up.


# %% name="loop"
def train(theta, rule, gradient, done, most=100_000):
    state = rule.init(theta)
    for step in range(most):
        if done(theta):
            return theta, step
        theta, state = rule.update(theta, gradient(theta), state)
    return theta, most


# %% tags=["fold"] name="loop-check"
# The loop above against the race, which ran all rates and starts at once.
for name in ("gradient descent", "Adam"):
    lr, steps, _ = found[name, "bowl"]
    begin = starts["bowl"][0]
    goal = 1e-6 * bowl.value(begin)
    _, counted = train(
        begin, type(rules[name])(lr), bowl.gradient, lambda t, goal=goal: bowl.value(t) <= goal
    )
    assert abs(counted - steps[0]) <= 1

# %% [markdown] name="table-text"
# Now the race in numbers. Every method starts at the same five points and stops when the loss is below a millionth of the first. The first family tries 181 learning rates from 0.00001 to 10; the best is the one at which all five starts have arrived first. Its other numbers are the usual ones: $\mu = 0.9$, RMSProp's $\alpha = 0.99$, and 0.9 and 0.999 for Adam's two means.

# %% tags=["fold", "nbval-ignore-output"] name="table"
# Steps, gradients, memory, and the time of one step with 500 parameters.
d = 500
mixed = np.random.default_rng(seed).normal(size=(d, d))
big_h = mixed @ mixed.T / d + 0.01 * np.eye(d)  # a bowl with 500 parameters
big = Landscape(lambda t: t @ (big_h @ t) / 2, lambda t: big_h @ t, lambda t: big_h, ())
begin = np.ones(d)


def seconds(name, steps):  # of one step
    clock = process_time()
    if name in askers:
        path = askers[name](big, begin, steps)
    else:
        path = descend(begin, type(rules[name])(1e-4), big.gradient, steps)
    return (process_time() - clock) / (len(path) - 1)


fastest = {
    name: min(seconds(name, 1 if name == "Newton" else 12) for _ in range(6)) for name in methods
}
slower = {name: time / fastest["gradient descent"] for name, time in fastest.items()}
KEPT = dict(zip(methods, ("0", "d", "d", "2 d", "d²", "2 d", "20 d"), strict=True))


def middle_of(values):
    return f"{np.median(values):.0f} ({min(values)} to {max(values)})"


rows = []
for name in methods:
    pairs = [prices[name, where] for where in lands]
    cells = [middle_of(p[:, i]) for p in pairs for i in (0, 1)]
    rows.append([name, *cells, KEPT[name], f"{slower[name]:.1f}"])
counted = [f"{where}: {what}" for where in lands for what in ("steps", "gradients")]
Table(
    ["method", *counted, "numbers kept", "time of a step"],
    rows,
    "Median (least to most) of five starts. A Hessian costs d gradients. Time: of one step with "
    "d = 500 on this machine, as a multiple of gradient descent's; Newton's Hessian is given free.",
)

# %% tags=["fold"] name="table-verdict"
# What the text says about the table.
steps = {key: np.median(p[:, 0]) for key, p in prices.items()}
grads = {key: np.median(p[:, 1]) for key, p in prices.items()}
assert (prices["Newton", "bowl"][:, 0] == 1).all() and steps["conjugate gradient", "bowl"] <= 3
assert steps["gradient descent", "bowl"] > 10 * steps["L-BFGS", "bowl"]
assert (
    steps["gradient descent", "valley"]
    > 2 * steps["momentum", "valley"]
    > 20 * steps["L-BFGS", "valley"]
)
assert slower["Newton"] > 10
wide = {name: found[name, "bowl"][2] for name in rules}
assert wide["gradient descent"] < 3 < 6 < min(wide["momentum"], wide["Adam"] / 2)

# %% tags=["fold", "nbval-ignore-output"] name="rising"
# How often the loss rises on the way to the goal in the bowl, and how exact the rate must be.
for name in methods:
    way = trails[name, "bowl"][: arrivals[name, "bowl"] + 1]
    rises = np.mean(np.diff([bowl.value(point) for point in way]) > 0)
    line = f"{name}: the loss rose in {rises:.0%} of {len(way) - 1} steps"
    print(line + (f"; good rates span a factor of {wide[name]:.0f}" if name in wide else ""))

# %% [markdown] name="table-reading"
# **They differ in speed, in cost and in robustness**, as the article says. Newton needs 1 step where gradient descent needs hundreds, and about 5 where it needs thousands. Counted in gradients the lead is smaller, because Newton and the line searches ask more often. And a Newton step is dear: it solves $d$ equations with $d$ unknowns. With 500 parameters it took dozens of times as long as a step of gradient descent. For twice as many parameters it is eight times the work.
#
# Robust: how exactly must one know the rate? Call a rate good if it needs at most twice the steps of the best. In the bowl the good rates of gradient descent span a factor of 2, those of momentum 13, of Adam 34, and of RMSProp even more. The second family needs no rate.
#
# The article also says that the loss is reduced step by step. At their best rates momentum and Adam *raise* it in nearly half of their steps: they swing through the valley, and arrive sooner all the same.
#
# ### What else the loop may stop at
#
# A **stationary point** is a point at which the gradient is zero. It need not be a minimum. A **saddle** is a stationary point that is lowest along one direction and highest along another, like the middle of a horse's saddle. The stop condition "the gradient is nearly zero" cannot tell them apart.

# %% tags=["fold"] name="saddle-picture"
# A saddle between two minima; gradient descent from two starts and Newton from one.
ridge = Landscape(
    lambda t: (t[0] ** 2 - 1) ** 2 / 4 + t[1] ** 2 / 2,
    lambda t: np.array([t[0] ** 3 - t[0], t[1]]),
    lambda t: np.diag([3 * t[0] ** 2 - 1, 1.0]),
    (np.array([1.0, 0.0]), np.array([-1.0, 0.0])),
)
ways = {
    f"gradient descent from ({x:g}, 1)": descend(np.array([x, 1.0]), SGD(0.2), ridge.gradient, 60)
    for x in (0.0, 0.01)
}
ways["Newton from (0.4, 1)"] = newton(ridge, np.array([0.4, 1.0]), 20)
fig, (ax,) = plots.panels(subplot_kw={"projection": "3d", "computed_zorder": False})
fig.set_size_inches(4.6, 3.9)
across, up = np.meshgrid(np.linspace(-1.5, 1.5, 25), np.linspace(-1.2, 1.2, 19))
heights = ridge.value(np.stack([across, up]))
ax.plot_surface(across, up, heights, cmap="cividis", lw=0, rcount=19, ccount=25, antialiased=False)
ax.set(xlabel=r"$\theta_1$", ylabel=r"$\theta_2$", zlabel="objective")
ax.set(xticks=(-1, 0, 1), yticks=(-1, 0, 1), title="Two minima, and a saddle between")
ax.view_init(48, -65)
looks = (("white", "-", 5, "o"), ("#D55E00", "--", 2, "s"), ("black", "-", 2, "X"))
for (name, way), (colour, dash, width, mark) in zip(ways.items(), looks, strict=True):
    way = np.array(way)
    z = ridge.value(way.T) + 0.02
    ax.plot(*way.T, z, dash, color=colour, lw=width, zorder=5)
    size = {"marker": mark, "ms": 6 + width, "mec": "black", "mew": 0.7}
    ax.plot(*way[-1:].T, z[-1:], ls=dash, lw=width, color=colour, zorder=6, label=name, **size)
fig.legend(fontsize=8, loc="outside lower center", facecolor="0.8")
plots.Picture(
    fig,
    alt="A surface with two hollows and a saddle between them, and three paths that start on "
    "the far rim. Gradient descent from the ridge and Newton from (0.4, 1) end at the "
    "saddle. Gradient descent from a hundredth beside the ridge turns there and ends in the "
    "right hollow.",
)

# %% name="saddle-runs"
runs = {}
for x, tolerance in ((0.0, 1e-3), (0.01, 0.1), (0.01, 1e-3)):

    def flat(theta, tolerance=tolerance):
        return abs(ridge.gradient(theta)).max() <= tolerance

    runs[x, tolerance] = train(np.array([x, 1.0]), SGD(0.2), ridge.gradient, flat)

# %% tags=["fold"] name="saddle-table"
# Where each run stopped, and how high that is; the minima have the objective 0.
stops = [["gradient descent", *key, steps, end] for key, (end, steps) in runs.items()]
for x in (0.4, 0.8):
    way = newton(ridge, np.array([x, 1.0]), 20)
    stops.append(["Newton", x, 1e-9, len(way) - 1, way[-1]])
heights = [ridge.value(stop[-1]) for stop in stops]
assert np.allclose(heights, [0.25, 0.25, 0, 0.25, 0], atol=0.02)
rows = []
for (name, x, tolerance, steps, end), high in zip(stops, heights, strict=True):
    where = "({:.2f}, {:.2f})".format(*(end + 0.0))
    rows.append([name, f"({x:g}, 1)", f"gradient below {tolerance:g}", steps, where, f"{high:.2f}"])
Table(["method", "start", "stop condition", "steps", "stopped at", "objective there"], rows)

# %% [markdown] name="saddle-reading"
# On the ridge the gradient leads straight to the saddle, and the loop reports success at 0.25. A start a hundredth beside the ridge escapes, if the stop condition is strict enough to wait. Newton is worse: from (0.4, 1) it *heads* for the saddle, because it looks for a flat point of whatever kind. (The cure is in [the lesson on second order](../03_algorithms/15_second_order.ipynb).)
#
# So the article's "or" matters: an optimizer runs until a stop condition holds, and that need not be at an optimum.
#
# ## Now with noise
#
# So far each gradient was exact. Training sees a small random batch of the data in each step, and its gradient is right only on average. We take real data: 442 diabetes patients, ten measurements each, a linear model with ten weights (the data of Efron and others, 2004; they come with scikit-learn, BSD licence). The mean squared error is a bowl, and a narrow one. The gradient of a batch's mean squared error is $h\, \theta - c$; the table $h$ and the numbers $c$ are made of that batch's patients, and $h$ is its Hessian. The gap is the objective minus its lowest value.

# %% tags=["fold"] name="patients"
# The patients for every seed at once; a batch is told by (h, c): its gradient is theta h - c.
drawn = [data.diabetes(s) for s in setting.seeds]
x = np.stack([split.x for split in drawn])  # (seeds, 310, 10)
y = np.stack([(split.y - split.y.mean()) / split.y.std() for split in drawn])
N, each = x.shape[1], np.arange(len(drawn))[:, None]


def parabola(x, y):  # of the mean squared error of some patients
    return 2 / x.shape[1] * np.swapaxes(x, 1, 2) @ x, 2 / x.shape[1] * np.einsum(
        "snd,sn->sd", x, y
    )


H, C = parabola(x, y)
lowest = np.linalg.solve(H, C[..., None])[..., 0]
spread = np.linalg.eigvalsh(H)
conditions = spread[:, -1] / spread[:, 0]


def gap(theta):  # theta: (seeds, rates, 10); the objective above its lowest value
    off = theta - lowest[:, None]
    return (off @ H * off).sum(-1) / 2


def batches(B, seed=0):  # parabolas of random batches
    rng = np.random.default_rng([seed, B])
    while True:
        chosen = rng.random((len(drawn), N)).argsort(axis=1)[:, :B]
        yield parabola(x[each, chosen], y[each, chosen])


print(f"condition number: {conditions.min():.0f} to {conditions.max():.0f}")


# %% name="noisy"
def noisy(method, B, steps=400, rates=rates, draws=0, fall=0):  # what is left of the gap
    theta = np.zeros((len(drawn), len(rates), 10))  # a run for each seed and each rate
    move, supply, gaps = method(), batches(B, draws), []
    for t in range(steps):
        h, c = next(supply)  # a new batch for each step
        g = theta @ h - c[:, None]
        rate = rates[:, None] * (1 - fall * t / steps)  # fall = 0: the same in all steps
        theta = theta + rate * move(theta, g, h)
        gaps.append(gap(theta))
    left = np.mean(gaps[-50:], axis=0) / gap(0 * theta)
    return np.where(np.isfinite(left), left, np.inf)


# %% tags=["fold"] name="movers"
# The seven methods as moves, for many seeds and rates at once; g and h are the batch's.
def by_rule(rule):
    def begin():
        kept = []

        def move(theta, g, h):
            kept[:] = kept or [rule.init(theta)]
            step, kept[0] = rule.update(0 * theta, g, kept[0])
            return step

        return move

    return begin


def newton_on(hessian):  # hessian(h): which matrix it uses on a batch whose own is h
    return lambda: (
        lambda theta, g, h: -np.swapaxes(np.linalg.solve(hessian(h), np.swapaxes(g, 1, 2)), 1, 2)
    )


def dots(a, b):
    return (a * b).sum(-1, keepdims=True)


def over(a, b):  # a / b, and 0 where a run has come to rest
    return np.divide(a, b, out=np.zeros_like(a), where=b > 1e-300)


def conjugate():  # the lowest point of the batch's own parabola along the direction
    kept = []

    def move(theta, g, h):
        p = -g
        if kept:
            old, last = kept.pop()
            p = p + np.maximum(0, over(dots(g, g - old), dots(old, old))) * last
        kept.append((g, p))
        return over(-dots(g, p), dots(p @ h, p)) * p

    return move


def two_loops(g, pairs):  # second.two_loop for many runs at once
    d, shares = -g, []
    for s, y in reversed(pairs):
        shares.insert(0, over(dots(s, d), dots(s, y)))
        d = d - shares[0] * y
    if pairs:
        s, y = pairs[-1]
        d = d * np.where(dots(y, y) > 1e-300, over(dots(s, y), dots(y, y)), 1)
    for (s, y), share in zip(pairs, shares, strict=True):
        d = d + (share - over(dots(y, d), dots(s, y))) * s
    return d


def limited():  # both ends of a pair are measured on the same batch
    kept, pairs = [], []

    def move(theta, g, h):
        if kept:
            s = theta - kept[0]
            pairs.append((s, s @ kept[1]))
        kept[:] = theta, h
        return two_loops(g, pairs[-10:])

    return move


movers = {name: by_rule(rule) for name, rule in rules.items()}
movers |= {"Newton": newton_on(lambda h: h), "conjugate gradient": conjugate, "L-BFGS": limited}

# %% [markdown] name="collapse-text"
# All seven methods run for 400 steps: first with the gradients of all 310 training patients, then with batches of 16. For batches each method multiplies its step by the best of the same 181 rates, Newton and its relatives too.


# %% tags=["fold", "nbval-ignore-output"] name="collapse"
# What is left of the gap after 400 steps: the middle of the seeds, lowest and highest.
def at_best(left):  # (lowest, middle, highest) over the seeds at the best rate, and its place
    place = np.median(left, axis=0).argmin()
    assert 1.3 * rates[0] < rates[place] < rates[-1] / 1.3
    return plots.band(left[:, place]), place


one = int(np.argmin(abs(rates - 1)))
with np.errstate(all="ignore"):
    left = {(name, B): noisy(begin, B) for name, begin in movers.items() for B in (N, 16)}
ends = {key: at_best(runs)[0] for key, runs in left.items()}
own = {name: plots.band(left[name, 16][:, one]) for name in askers}  # steps as they come: rate 1
fig, (ax,) = plots.panels()
fig.set_size_inches(6.2, 3.1)
for row, name in enumerate(reversed(methods)):
    for B, dot, colour, label in (
        (N, "o", "#0072B2", "gradients of all patients"),
        (16, "s", "#D55E00", "batches of 16"),
    ):
        low_, mid, high_ = np.maximum(ends[name, B], 1e-31)
        ax.plot([low_, high_], [row, row], color=colour, lw=2)
        ax.plot(mid, row, dot, color=colour, ms=8, label=label if row == 0 else None)
ax.set_yticks(range(len(methods)), reversed(methods))
ax.set(
    xscale="log",
    xlim=(1e-31, 3),
    xlabel="share of the gap that is left after 400 steps (log)",
    title="One bowl, seven methods, without and with noise",
)
ax.legend(loc="upper left", frameon=True, fontsize=7)
plots.Picture(
    fig,
    alt="Seven rows, two marks in each. Without noise the marks lie between 1e-29 and 1e-3: "
    "Newton, conjugate gradient and L-BFGS far left, gradient descent and RMSProp far "
    "right. With batches of 16 all seven marks lie in one column at about 0.01.",
)


# %% tags=["fold", "nbval-ignore-output"] name="collapse-numbers"
# The same as numbers; "as it comes" is the step at the rate 1.
def spanned(band):
    return "{1:.2g} ({0:.2g} to {2:.2g})".format(*band)


noise = [ends[name, 16][1] for name in methods]
calm = [ends[name, N][1] for name in methods]
assert max(noise) / min(noise) < 3.5 and max(calm) / min(calm) > 1e20
assert own["Newton"][1] > 50 * ends["gradient descent", 16][1]
short = rates[at_best(left["Newton", 16])[1]]
apart = [max(x) / min(x) for x in (calm, noise)]
print("worst / best median: {:.0e} without noise, {:.1f} with".format(*apart))
print(f"Newton's best rate on batches of 16: {short:.2g}")
Table(
    ["method", "left, no noise", "left, batches of 16", "batches, step as it comes"],
    [
        [
            name,
            spanned(ends[name, N]),
            spanned(ends[name, 16]),
            spanned(own[name]) if name in own else "needs a rate",
        ]
        for name in methods
    ],
    "Share of the gap, median (lowest to highest) over the seeds; below 1e-20 it is rounding. "
    "On a batch L-BFGS uses two gradients a step, "
    "conjugate gradient the curvature along its direction.",
)

# %% [markdown] name="collapse-reading"
# **Noise wipes out the order.** Without it 25 powers of ten lie between the methods. With it the worst leaves 1.5 times as much as the best. Newton keeps up only with tiny steps, a hundredth of its own. With full steps (last column) it ends *above* its start. Why? A full step leads exactly to the minimum, but to the minimum of the batch:

# %% tags=["fold"] name="cloud"
# 100 runs of 60 steps on batches of 16; a model with two weights (body mass, serum value s5).
two, x0, y0 = [2, 8], x[:1], y[:1]
(h2,), (c2,) = parabola(x0[..., two], y0)
best2 = np.linalg.solve(h2, c2)
from_best = best2[:, None, None]
plane = Landscape(  # theta: (2, ...)
    lambda t: ((t - from_best) * np.tensordot(h2, t - from_best, 1)).sum(0) / 2,
    None,
    None,
    (best2,),
)
rng = np.random.default_rng(seed)
newtons, gentle = np.zeros((100, 2)), np.zeros((100, 2))
for _ in range(60):
    chosen = rng.random((100, N)).argsort(axis=1)[:, :16]
    hs, cs = parabola(x0[0][chosen][..., two], y0[0][chosen])
    newtons = newtons - np.linalg.solve(hs, (hs @ newtons[..., None]) - cs[..., None])[..., 0]
    gentle = gentle - 0.05 * ((hs @ gentle[..., None])[..., 0] - cs)
lot = [plane.value(t.T[..., None]).mean() for t in (newtons, gentle, np.zeros((1, 2)))]
share = np.divide(lot[:2], lot[2])
assert share[0] > 5 * share[1]
fig, (ax,) = plots.panels()
fig.set_size_inches(4.2, 3.3)
grey_contours(ax, plane, ((-0.3, 1.2), (-0.4, 1.1)), "Where 100 runs are after 60 steps")
ax.plot(*newtons.T, ".", color="black", ms=4, label="Newton, full steps")
ax.plot(*gentle.T, ".", color="#0072B2", ms=4, label="gradient descent, rate 0.05")
ax.plot(0, 0, "o", ms=10, mfc="none", mec="#D55E00", mew=2, label="start of all runs")
ax.plot(*best2, "k*", ms=12, mec="white")
ax.grid(False)
ax.set(xlabel="weight of the body mass", ylabel="weight of the serum value s5")
ax.legend(frameon=True, fontsize=8, loc="upper right")
print(f"mean share of the gap left: Newton {share[0]:.2g}, gradient descent {share[1]:.2g}")
plots.Picture(
    fig,
    alt="Contours of a bowl of two weights with a star at its minimum. Gradient descent's 100 "
    "runs form a small cloud around the star. Newton's form a cloud several times as "
    "wide.",
)

# %% [markdown] name="cloud-reading"
# Each Newton step forgets all others and lands at the minimum of its last batch. More steps do not help. Short steps average over many batches, as gradient descent's do, but with short steps Newton's lead is gone.
#
# Does the loss of gradient descent at least fall in every step now? No:

# %% tags=["fold"] name="rising-noise"
# Gradient descent on batches of 16: how often the objective of all patients rises.
place = np.median(left["gradient descent", 16], axis=0).argmin()
supply = batches(16)


def batch_gradient(theta):
    h, c = next(supply)
    return (h @ theta[..., None])[..., 0] - c


path = descend(np.zeros((len(drawn), 10)), SGD(rates[place]), batch_gradient, 400)
values = np.array([gap(theta[:, None])[:, 0] for theta in path])
rises = np.diff(values, axis=0) > 0
print(
    f"the objective rose in {rises[:50].mean():.0%} of the first 50 steps "
    f"and in {rises[-200:].mean():.0%} of the last 200"
)
assert 0.2 < rises[-200:].mean() < 0.8

# %% [markdown] name="play-text"
# Near the minimum about every second step leads upwards. "The loss falls step by step" describes exact gradients and small rates, not training.
#
# ## Play: how large must the batch be?
#
# Move the batch size. "Newton, exact Hessian" gets its curvature from all patients, free of charge; its gradient still comes from the batch.

# %% tags=["fold"] name="play-picture"
# The gap after 400 steps at the best rate, for every batch size.
players = {name: movers[name] for name in ("gradient descent", "Adam", "Newton")}
players["Newton, exact Hessian"] = newton_on(lambda h: H)
sizes = [12, 13, 14, 15, 16, 18, 20, 23, 26, 30, 35, 40, 48, 57, 68, 82, 100, 130, 180, 250]
some = rates[60:150:2]  # the best ones lie well inside
with np.errstate(all="ignore"):
    runs = {
        (name, B): noisy(begin, B, rates=some) for name, begin in players.items() for B in sizes
    }
best_of = {key: np.median(run, 0).argmin() for key, run in runs.items()}
assert all(1.3 * some[0] < some[place] < some[-1] / 1.3 for place in best_of.values())
played = {key: plots.band(run[:, best_of[key]]) for key, run in runs.items()}
fig, (ax,) = plots.panels()
fig.set_size_inches(6.6, 2.6)
ax.set_yticks(range(4), reversed(players))
ax.set(
    xscale="log",
    xlim=(1e-6, 0.2),
    ylim=(-0.5, 3.5),
    xlabel="share of the gap that is left after 400 steps (log)",
    title="The same bowl, batches of another size",
)


def with_batch(ax, B):
    for row, name in enumerate(reversed(players)):
        low_, mid, high_ = played[name, B]
        style = {"color": COLOURS[name.split(",")[0]]}
        ax.plot([low_, high_], [row, row], lw=3, **style)
        ax.plot(mid, row, "s" if name in movers else "D", ms=9, **style)
    ratio = {n: played["gradient descent", B][1] / played[n, B][1] for n in players}
    return (
        f"Batches of {B}: gradient descent leaves "
        f"{played['gradient descent', B][1]:.2g} of the gap. "
        f"Newton ends {ratio['Newton']:.2g} times as near, "
        f"with the exact Hessian {ratio['Newton, exact Hessian']:.2g} times."
    )


plots.moving(
    fig,
    "batch size",
    sizes,
    with_batch,
    start=16,
    alt="Four rows with a mark and a line for the spread. At batches of 16, gradient descent, "
    "Adam and Newton are side by side near 0.01; Newton with the exact Hessian is a "
    "quarter of that.",
)

# %% [markdown] name="play-questions"
# - At which batch size does Newton with the batch's own Hessian leave gradient descent behind?
# - What does the exact Hessian add at 16, and what at 100?
#
# <details><summary>Answers</summary>At about 30: from there on it stays ahead, 2 to 3 times nearer at 40 and 18 times at 100. The exact Hessian brings Newton nearly 5 times nearer than gradient descent at 16. At 100 it is 21 times, hardly more than with the batch's own: a batch of 100 knows the curvature well enough.</details>
#
# Why does a batch of 16 fail where 40 succeed? The model has ten weights, and the batch must show the curvature along all ten directions. Each patient shows it along one. Below 10 patients Newton's equations have no unique solution at all:

# %% tags=["fold"] name="rank"
# How many of the ten directions have any curvature in a batch, and how flat the flattest looks.
flattest = {}
for B in (4, 8, 16, 40):
    supply = batches(B, seed=2)
    hs = np.stack([next(supply)[0] for _ in range(100)])  # (draws, seeds, 10, 10)
    ranks = np.linalg.matrix_rank(hs[0])
    flattest[B] = np.median(np.linalg.eigvalsh(hs)[..., 0] / spread[:, 0])
    print(
        f"batch of {B}: curvature along {ranks.min()} of 10 directions"
        + (f", the smallest {flattest[B]:.2f} of the true one" if B > 10 else "")
    )
assert 2 * flattest[16] < flattest[40]

# %% [markdown] name="price-text"
# A batch of 16 shows all ten, but the smallest curvature looks far too small. Newton divides by it, and so steps far too long there. A batch of 40 is nearer the truth.
#
# A large model has billions of weights, and its batches show a few million words at most. And before the noise there is the price. How many gigabytes must each method keep, with 4 bytes a number?

# %% tags=["fold"] name="price"
# Memory beside the parameters; G is 10^9 bytes.
counts = {
    "gradient descent": lambda d: 0,
    "momentum": lambda d: d,
    "Adam": lambda d: 2 * d,
    "L-BFGS, ten pairs": lambda d: 20 * d,
    "Newton": lambda d: d * d,
}


def gigabytes(numbers):
    size = 4 * numbers / 1e9
    return f"{size:,.0f} GB" if size >= 1 or size == 0 else f"{size:g} GB"


Table(
    ["method", "a million parameters", "7 billion parameters"],
    [[name, *(gigabytes(kept(d)) for d in (10**6, 7 * 10**9))] for name, kept in counts.items()],
)

# %% [markdown] name="price-reading"
# Newton's matrix for a million parameters fills 4 terabytes. For 7 billion it would fill two billion graphics cards of 100 gigabytes. This is the answer to the question: **the fastest optimizer is the one that nobody can pay, and small batches take its lead away.**
#
# ## What breaks
#
# L-BFGS and conjugate gradient ask the function several times within one step. PyTorch's L-BFGS therefore wants a function to call, the *closure*. A common mistake is a closure that draws the next batch in each call. Then the function gives another answer each time, and the line search compares values that do not belong together.


# %% name="closure"
def answers(i, B, fixed):  # value and gradient for seed i: one batch, or a new one in each call
    supply = batches(B, seed=1)
    batch = [next(supply)]

    def gradient(theta):
        if not fixed:
            batch[0] = next(supply)
        h, c = batch[0]
        return h[i] @ theta - c[i]

    def value(theta):
        h, c = batch[0]
        return theta @ h[i] @ theta / 2 - c[i] @ theta

    return value, gradient


# %% tags=["fold"] name="closure-table"
# L-BFGS with a line search, 20 steps at most.
def searched(B, fixed):
    share, steps = [], []
    for i in range(len(drawn)):
        way = second.lbfgs(*answers(i, B, fixed), np.zeros(10), steps=20, history=10)
        off = way[-1] - lowest[i]
        share.append((off @ H[i] @ off) / (lowest[i] @ H[i] @ lowest[i]))
        steps.append(len(way) - 1)
    return plots.band(share), steps


kinds = {
    "all patients": (N, True),
    "64 patients, a new batch in each call": (64, False),
    "64 patients, one batch for the whole run": (64, True),
}
closures = {name: searched(*kind) for name, kind in kinds.items()}
Table(
    ["the closure uses", "steps", "share of the gap left"],
    [[name, f"{min(s)} to {max(s)}", spanned(band)] for name, (band, s) in closures.items()],
    "Median (lowest to highest) over the seeds.",
)

# %% [markdown] name="exercises"
# The signature: the search gives up after a few of its 20 steps, without an error, and with about a fifth of the gap left. The test takes a line: call the closure twice at the same parameters, and compare.
#
# The cure is not one fixed batch either (last row): then the search solves that batch. Give such a method all the data, or take a method that asks only once.
#
# ## Exercises
#
# ### 1. How long will it take? (5 minutes, easy)
# A bowl with the condition number `kappa`, a start on its flattest axis, gradient descent at the best rate. After how many steps is the *loss* at most `share` of what it was? Return a whole number.


# %% name="exercise-steps"
def gd_steps(kappa, share):
    ### BEGIN SOLUTION
    factor = (kappa - 1) / (kappa + 1)
    return int(np.ceil(np.log(share) / (2 * np.log(factor))))
    ### END SOLUTION


# %% name="check-steps"
check("gd_steps")

# %% [markdown] name="exercise-newton-text"
# <details><summary>Hint 1</summary>The distance is multiplied by derivation 2's factor in each step. The loss is half of the curvature times the distance squared.</details>
# <details><summary>Hint 2</summary>Solve factor^(2n) = share for n with logarithms, and round up.</details>
# <details><summary>What it means (after solving)</summary>About κ times 3.5 steps for a millionth: 346 for κ = 100.</details>
#
# ### 2. Newton with a stop condition (10 minutes, medium)
# `gradient` and `hessian` are functions of `theta`. Step until every number of the gradient is at most `tolerance` in size, or `most` steps are done. Return `theta` and the number of steps. Look at the gradient *before* each step.


# %% name="exercise-newton"
def newton_until(theta, gradient, hessian, tolerance, most):
    ### BEGIN SOLUTION
    for step in range(most):
        g = gradient(theta)
        if np.abs(g).max() <= tolerance:
            return theta, step
        theta = theta - np.linalg.solve(hessian(theta), g)
    return theta, most
    ### END SOLUTION


# %% name="check-newton"
check("newton_until")

# %% [markdown] name="exercise-mean-text"
# <details><summary>Hint 1</summary>The loop is <code>train</code> above, with another condition and another step.</details>
# <details><summary>Hint 2</summary><code>np.linalg.solve(H, g)</code> is H⁻¹ g. Newton's step goes against it.</details>
#
# ### 3. Can Newton survive the noise? (12 minutes, medium)
# The batch's Hessian is noisy, so keep the *mean* of all Hessians seen so far. `t` is 1 in the first step, `h` is the Hessian of this step's batch, and `mean` the mean over the `t - 1` batches before (in the first step it counts for nothing). Update the mean, then step with it: `rate` times Newton's step. Return `theta` and the new `mean`. Before you run the last cell, guess: does this beat gradient descent on batches of 16?


# %% name="exercise-mean"
def mean_newton(theta, g, h, mean, t, rate):
    ### BEGIN SOLUTION
    mean = mean + (h - mean) / t
    return theta - rate * np.linalg.solve(mean, g), mean
    ### END SOLUTION


# %% name="check-mean"
check("mean_newton")


# %% tags=["fold", "nbval-ignore-output"] name="mean-race"
# Your function on the batches of 16 of the race: what is left of the gap, at the best of 13 rates.
def in_the_race(function, tried=rates[78:104:2], steps=400):
    supply, theta = batches(16), np.zeros((len(drawn), len(tried), 10))
    means, gaps = np.zeros((*theta.shape, 10)), []
    if function(theta[0, 0], theta[0, 0], np.eye(10), np.eye(10), 1, 0.1) is None:
        return "not written yet"
    for t in range(1, steps + 1):
        h, c = next(supply)
        for i in range(len(drawn)):
            for j, rate in enumerate(tried):
                g = h[i] @ theta[i, j] - c[i]
                theta[i, j], means[i, j] = function(theta[i, j], g, h[i], means[i, j], t, rate)
        if t > steps - 50:
            gaps.append(gap(theta))
    share = np.mean(gaps, axis=0) / gap(0 * theta)
    return spanned(plots.band(share[:, np.median(share, axis=0).argmin()]))


print("Newton with the mean Hessian leaves", in_the_race(mean_newton))
for name in ("gradient descent", "Newton"):
    print(name, "left", spanned(ends[name, 16]))

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>A mean of t numbers is the mean of the first t - 1, moved by a t-th of the way to the newest.</details>
# <details><summary>Hint 2</summary>Solve with the new mean, not with <code>h</code>.</details>
# <details><summary>What it means (after solving)</summary>Newton with the mean Hessian ends more than four times nearer than gradient descent, as with the exact one: curvature averages out over batches. This works for a bowl, whose Hessian is the same everywhere, and for ten weights. The price, a d x d matrix, is still there.</details>
#
# ## Takeaways
#
# - Gradient descent has one rate for all curvatures, so its steps grow with the condition number. Newton's do not: on a bowl one step is enough.
# - A step has a price. Newton keeps $d^2$ numbers; for 7 billion parameters nobody has that memory. The methods that train large models keep $d$ or $2 d$ and ask for one gradient.
# - Do not use Newton, conjugate gradient or L-BFGS on small batches: on 16 examples for ten weights they gain little or nothing. Use them where all data fit into each step.
#
# ## Does it hold?

# %% [markdown] name="control-bowls-text"
# **Other bowls.** Another angle, another condition number: the steps until all five starts are at the goal, each method at its best rate.

# %% tags=["fold-all"] name="control-bowls"
# The race in five other bowls.
rows = []
for turn_by, ratio in ((5, 100), (15, 100), (45, 100), (30, 10), (30, 1000)):
    other = turned_bowl(ratio, turn_by)
    took = [race(rule, other, starts["bowl"])[1].max() for rule in rules.values()]
    asked = [max(priced(m, other, begin)[0] for begin in starts["bowl"]) for m in askers.values()]
    assert asked[0] == 1 and asked[2] < took[0]
    rows.append([turn_by, ratio, *map(int, took), *asked])
Table(["degrees", "condition number", *methods], rows, "Steps of the slowest start.")

# %% [markdown] name="control-bowls-reading"
# Newton's single step stays. Momentum 0.9 needs about 90 steps everywhere: at the condition number 10 that is too long a memory. RMSProp depends on the angle, since it scales each parameter alone: a valley that lies nearly along one parameter suits it.
#
# **Other lengths, other batches, a rate that falls to zero.**

# %% tags=["fold-all"] name="control-noise"
# Other lengths, draws, rates and batch sizes: what is left, as a multiple of gradient descent's.
entrants, rows = movers | {"Newton, exact Hessian": players["Newton, exact Hessian"]}, []
kinds = {
    "16, 100 steps": (16, 100),
    "16": (16,),
    "16, other batches": (16, 400, rates, 1),
    "16, falling rate": (16, 400, rates, 0, 1),
    "16, 800 steps": (16, 800),
    "32": (32,),
}
with np.errstate(all="ignore"):
    for kind, how in kinds.items():
        middles = [at_best(noisy(begin, *how))[0][1] for begin in entrants.values()]
        rows.append([kind, *(f"{middle / middles[0]:.2g}" for middle in middles)])
Table(["batches of", *entrants], rows, "Medians over the seeds, gradient descent = 1; 400 steps.")

# %% [markdown] name="control-cause-text"
# On batches of 16 the second family ends at most a third nearer than gradient descent, even if the rate falls to zero. With the exact Hessian it ends four to six times nearer in 400 steps. On batches of 32 Newton's own Hessian begins to lead, as the slider shows.
#
# **Which noise is it?** Newton with one of its two ingredients exact, batches of 16, 400 steps:


# %% tags=["fold-all", "nbval-ignore-output"] name="control-cause"
# The gradient, the Hessian, or both from the batch.
def clear_gradient():  # the batch's Hessian, the gradient of all patients
    return lambda theta, g, h: newton_on(lambda h: h)()(theta, theta @ H - C[:, None], h)


with np.errstate(all="ignore"):
    kinds = {
        "the Hessian alone": clear_gradient,
        "the gradient alone": newton_on(lambda h: H),
        "both": movers["Newton"],
    }
    parts = {name: at_best(noisy(begin, 16))[0] for name, begin in kinds.items()}
assert parts["the Hessian alone"][1] < 1e-3 * parts["the gradient alone"][1]
assert parts["both"][1] > 1.7 * parts["the gradient alone"][1]
Table(
    ["from the batch", "share of the gap left"],
    [[name, spanned(band)] for name, band in parts.items()],
)

# %% [markdown] name="control-cause-reading"
# A noisy Hessian alone does no harm in the end: near the minimum the exact gradient vanishes, and the step with it. A noisy gradient alone keeps Newton from ever arriving. Both together leave 4 times as much as the gradient alone.

# %% tags=["fold-all", "nbval-ignore-output"] name="control-library"
# The moves for many runs at once, against the library's functions for one.
rng = np.random.default_rng(seed)
g = rng.normal(size=(len(drawn), len(rates), 10))
h, _ = next(batches(16))
pairs = [(s := rng.normal(size=g.shape), s @ h) for _ in range(3)]
apart = [
    abs(
        two_loops(g, pairs)[1, 7]
        - second.two_loop(g[1, 7], [(s[1, 7], y[1, 7]) for s, y in pairs])
    ).max(),
    abs(movers["Newton"]()(g, g, h)[1, 7] - second.newton_direction(g[1, 7], h[1])).max()
    / abs(g).max(),
]
assert max(apart) < 1e-6
print("largest difference to the library: L-BFGS {:.0e}, Newton {:.0e}".format(*apart))

# %% [markdown] name="sources"
# ## Sources
#
# - L. Bottou, F. Curtis and J. Nocedal, 2018: *Optimization methods for large-scale machine learning*, SIAM Review 60.
# - F. Roosta-Khorasani and M. Mahoney, 2016: *Sub-sampled Newton methods I: globally convergent algorithms* (how large a batch Newton's Hessian needs).
# - PyTorch's documentation of `torch.optim.LBFGS`: the closure is called several times in a step.
# - The papers of the seven methods stand in their lessons, linked in the table above.
