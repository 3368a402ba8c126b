# ---
# jupyter:
#   lesson:
#     title: "Learning to learn"
#     question: "One start is ten times worse at every task, and five steps later it is far ahead. What was optimised?"
#     minutes: 45
#     needs: [01_background/01_why_fine_tune, 03_algorithms/03_sgd, 03_algorithms/04_adam, 05_project/03_fine_tuning]
#     settles: [G24]
#     studies: [optim.maml_gradient, optim.reptile_gradient]
#     terms: [meta-learning, inner step, support set, query set, MAML, Reptile]
# ---

# %% [markdown] name="title"
# # Learning to learn
#
# **Goal.** Train a start for fine-tuning instead of a model, and find out for which tasks that pays.
#
# **The question.** A task is a loss of its own, and a start is where its training begins. Below are two tasks with two parameters, and two starts. The first start is the best *model*: nowhere is the mean loss of the two tasks lower. The second start has ten times that loss on both tasks. From each start we take five steps of gradient descent on one task or the other. Now the second start is far ahead. What was optimised?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports, and the recorded runs.
import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, exercises, parity, plots, records
from lessons_lib.derive import derive
from lessons_lib.optim import SGD, Adam, descend, maml_gradient, reptile_gradient
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("08_outlook/03_learning_to_learn")
record, made = (f("08_outlook/03_learning_to_learn") for f in (records.of, records.load))

def spread(values, form=".2f"):  # median (lowest to highest) over the seeds
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

# %% tags=["fold"] name="plane"
# The two tasks in the plane, and the two starts.
tasks = [(np.array([9.0, 1.0]), np.array([-1.0, -1.0])),  # curvatures, and the minimum
         (np.array([1.0, 9.0]), np.array([1.0, 1.0]))]

def value(theta, task):
    h, c = task
    return (h * (theta - c) ** 2).sum(-1) / 2

def slope(task):
    h, c = task
    return lambda theta: h * (theta - c)

def bend(task):  # the Hessian times v
    return lambda theta, v: task[0] * v

def settled(gradient, rate):  # where descent with the mean over the tasks ends
    def mean(theta):
        return sum(gradient(theta, task) for task in tasks) / 2
    return descend(np.zeros(2), SGD(rate), mean, 300)[-1]

joint = settled(lambda t, task: slope(task)(t), 0.1)
second = settled(
    lambda t, task: maml_gradient(slope(task), slope(task), t, 0.1, 5, bend(task)), 1.0)
trails = {(name, i): np.array(descend(begin, SGD(0.1), slope(task), 5))
          for name, begin in (("best model", joint), ("second start", second))
          for i, task in enumerate(tasks)}

# %% tags=["fold"] name="question-picture"
# Two tasks, two starts, five steps of 0.1.
grid = np.stack(np.meshgrid(np.linspace(-1.7, 1.7, 120), np.linspace(-1.7, 1.7, 120)), -1)
fig, (ax,) = plots.panels()
fig.set_size_inches(5.4, 5.0)
for task, name, colour, ls in ((tasks[0], "A", "C0", "solid"), (tasks[1], "B", "C1", "dashed")):
    ax.contour(grid[..., 0], grid[..., 1], value(grid, task), levels=[0.2, 1.8, 6, 18],
               colors=colour, linewidths=1, linestyles=ls, alpha=0.7)
    ax.plot(*task[1], "*", ms=14, color=colour)
    ax.annotate(f"task {name}", task[1], (0, -20) if name == "A" else (26, -14), color=colour,
                textcoords="offset points", ha="center")
for (name, i), trail in trails.items():
    ax.plot(*trail.T, marker=".", lw=1.6, ms=7, color="C2" if name == "best model" else "C3",
            ls="--" if i else "-")
for begin, name, colour, at in ((joint, "best model: 1.8", "C2", (-44, 36)),
                                (second, "second\nstart: 18", "C3", (34, -38))):
    ax.plot(*begin, "o", ms=11, mfc="none", mew=2, color=colour)
    ax.annotate(name, begin, at, textcoords="offset points", ha="center", color=colour)
ax.set(xlabel=r"$\theta_1$", ylabel=r"$\theta_2$", xlim=(-1.7, 1.7), ylim=(-1.7, 1.7),
       aspect="equal")
ends = {}
for name in ("best model", "second start"):
    a, b = (value(trails[name, i][[0, -1]], task) for i, task in enumerate(tasks))
    ends[name] = (a + b) / 2
    print(f"{name}: loss {a[0]:.2f} on A and {b[0]:.2f} on B, "
          f"after five steps {a[1]:.2g} and {b[1]:.2g}")
tried = np.arange(0.01, 0.221, 0.01)
best = [sum(value(descend(joint, SGD(r), slope(t), 5)[-1], t) for t in tasks) / 2 for r in tried]
print(f"best model, with the best of {len(tried)} learning rates "
      f"({tried[np.argmin(best)]:.2f}): {min(best):.2f}")
assert ends["second start"][0] > 7 * ends["best model"][0] and ends["second start"][1] < 0.01
assert min(best) > 0.1 and 0 < np.argmin(best) < len(tried) - 1
plots.Picture(fig, "Two long narrow valleys that cross: task A runs up and down, task B from left "
              "to right. The best model stands at the upper left, inside both valleys, and its "
              "steps crawl along them without reaching a star. The second start stands at the "
              "lower right, outside both; one long step and some short ones reach each star.")

# %% [markdown] name="question-reading"
# Ovals are lines of equal loss, solid for task A and dashed for task B. Each start lies on an oval of both tasks: the best model at 1.8, the second start at 18. Five steps of 0.1 bring the best model to 0.56, and the second start to two billionths. Another learning rate does not save the best model: with the best of 22 it ends at 0.19.
#
# Why? The best model stands inside both valleys. The way to each star leads *along* a valley, where the slope is small, and five steps do not get there. The second start stands on the steep walls of both valleys. Gradient descent comes down a steep wall in a few steps. Along the flat directions it stands right from the beginning.
#
# So nobody made the loss at the start small. What was made small is the loss *after five steps*.
#
# ## What is trained
#
# In **meta-learning** one trains on many tasks, so that a new task of the same kind is learned in few steps. The article promises "meta-learned optimization" and gives none. This lesson learns the start; the next one, [A learned optimizer](04_a_learned_optimizer.ipynb), learns the rule.
#
# An **inner step** is a step on the loss of a single task. Each task has two sets of examples. The inner steps learn from the **support set**. The **query set** of a task, other examples of it, judges the result. From the start $\theta$, task $i$ goes
#
# $$\theta_i^{(0)} = \theta, \qquad \theta_i^{(j)} = \theta_i^{(j-1)} - \eta\, \nabla S_i\big(\theta_i^{(j-1)}\big), \qquad j = 1, \dots, k$$
#
# and the start is to make small
#
# $$J(\theta) = \frac{1}{N} \sum_{i=1}^{N} Q_i\big(\theta_i^{(k)}\big)$$
#
# | symbol | in the code | meaning |
# |---|---|---|
# | $S_i$, $Q_i$ | `support`, `query`: their gradients | loss of task $i$ on its support set, on its query set |
# | $\eta$, $k$ | `lr`, `steps` | learning rate and number of the inner steps |
# | $N$ | | number of tasks |
#
# **MAML**, model-agnostic meta-learning (Finn and others 2017), is descent on $J$, the loss after the inner steps. With $k = 0$ it is the usual training on all tasks together, *joint training*.
#
# ## Derivation: the slope through a step
#
# Take one task, one parameter and one inner step. The start moves the loss in two ways at once: it is where the step begins, and it decides how long the step is.

# %% tags=["fold"] name="derivation-step"
# One inner step, checked with S' = a u + sin(u) and Q = cos(b u).
theta, eta, a, b, u = sp.symbols("theta eta a b u", real=True)
S1, S2, Q, Q1 = (sp.Function(n) for n in ("S_1", "S_2", "Q", "Q_1"))

def one_step(theta, eta, a, b):
    found = []
    for t, e, p, q in zip(theta, eta, a, b, strict=True):
        support, query = (lambda x, a=p: a * x + np.sin(x)), (lambda x, b=q: -b * np.sin(b * x))
        found += maml_gradient(support, query, np.array([t]), e, 1,
                               lambda x, v, a=p: (a + np.cos(x)) * v).tolist()
    return np.array(found)

def stepped(theta, eta, a, b):
    ends = [descend(t, SGD(e), lambda x, a=p: a * x + np.sin(x), 1)[-1]
            for t, e, p in zip(theta, eta, a, strict=True)]
    return np.cos(b * np.array(ends))

end_of = theta - eta * (a * theta + sp.sin(theta))

(
    derive("J", sp.cos(b * end_of), "the query loss where the step has ended",
           {"theta": theta, "eta": eta, "a": a, "b": b}, ranges={eta: (0.01, 0.5)},
           tex=r"Q\big(\theta - \eta\, S'(\theta)\big)")
    .library("Q(descend(theta, SGD(eta), S', 1)[-1])", stepped, "the library takes the step")
    .slope(theta, -b * sp.sin(b * end_of) * (1 - eta * (a + sp.cos(theta))),
           "the chain rule: the slope at the end, times "
           "**how far the end moves if the start moves**",
           tex=r"Q'\big(\theta - \eta\, S'(\theta)\big)\; \big(1 - \eta\, S''(\theta)\big)")
    .library("maml_gradient(S', Q', theta, eta, 1, hvp)", one_step)
)

# %% [markdown] name="step-reading"
# (The check took $S' = a\theta + \sin\theta$ and $Q = \cos b\theta$.) With many parameters, $S''$ becomes the Hessian $H$, the table of all second derivatives. Each further step brings one more factor $I - \eta H$, with the Hessian at the point where that step begins. The library multiplies them in from the last step to the first:

# %% tags=["fold"] name="show"
# The library's code.
show(maml_gradient)

# %% [markdown] name="parity-text"
# `hvp(x, g)` is the product of the Hessian at `x` and the vector `g`. Leave it out, and all factors count as 1: that is *first-order MAML*. It needs no second derivatives. Our code gives the gradient that PyTorch's autograd finds through the steps (folded table).

# %% tags=["fold-all"] name="parity"
# Parity with PyTorch's autograd.
parity.table("maml_gradient", setting.device)

# %% [markdown] name="settle-text"
# ## Derivation: whose minimum counts
#
# What does the factor do? Let every task be a parabola with curvature $h_i$ and its minimum at $c_i$, the same for support and query set. An inner step multiplies the distance from the minimum by $1 - \eta h_i$ ([derived here](../03_algorithms/03_sgd.ipynb)), so $k$ of them leave the share
#
# $$r_i = (1 - \eta h_i)^k$$

# %% tags=["fold"] name="derivation-settle"
# Where descent on J ends when every task is a parabola.
N, i, k = sp.symbols("N i k", integer=True, positive=True)
h, c, r = sp.IndexedBase("h", positive=True), sp.IndexedBase("c"), sp.IndexedBase("r")

def mean_slope(theta, h, c, eta, k):
    def one(t, h, c, e, n):
        def line(x):
            return h * (x - c)
        return maml_gradient(line, line, np.array([t]), e, int(n), lambda x, v: h * v)[0]

    return np.array([np.mean([one(t, hi, ci, e, n) for hi, ci in zip(hs, cs, strict=True)])
                     for t, hs, cs, e, n in zip(theta, h, c, eta, k, strict=True)])

def stepped(theta, h, c, eta, k):
    ends = [descend(np.full(len(hs), t), SGD(e), lambda x, h=hs, c=cs: h * (x - c), int(n))[-1]
            for t, hs, cs, e, n in zip(theta, h, c, eta, k, strict=True)]
    return (h * (np.array(ends) - c) ** 2 / 2).mean(1)

(
    derive("J", "Sum(h[i] * (r[i] * (theta - c[i]))**2 / 2, (i, 1, N)) / N",
           "after the inner steps the distance is $r_i (\\theta - c_i)$",
           {"N": N, "i": i, "k": k, "h": h, "c": c, "r": r, "theta": theta, "eta": eta},
           {N: (2, 3)},
           ranges={eta: (0.01, 0.1), k: (1, 4)}, means={r[i]: (1 - eta * h[i]) ** k})
    .library("descend(theta, SGD(eta), ..., k), and the mean loss there", stepped,
             "the library takes the steps")
    .slope(theta, "Sum(h[i] * r[i]**2 * (theta - c[i]), (i, 1, N)) / N",
           "the slope of each parabola")
    .library("maml_gradient(...), as a mean over the tasks", mean_slope)
    .zero_at(theta, "Sum(h[i] * r[i]**2 * c[i], (i, 1, N)) / Sum(h[i] * r[i]**2, (i, 1, N))",
             "**a mean of the minima, each with the weight $h_i r_i^2$**")
)

# %% [markdown] name="reptile-text"
# Joint training has $r_i = 1$: its weight is $h_i$, and steep tasks count most. First-order MAML leaves out one $r_i$, so its weight is $h_i r_i$. There is a third and even simpler rule. **Reptile** (Nichol and others 2018) takes the inner steps and moves the start a little towards where they end. That way is $\eta$ times the sum $g$ of the gradients met on it:

# %% tags=["fold"] name="derivation-reptile"
# The sum of the gradients on the way, for one parabola.
j = sp.Symbol("j", integer=True, nonnegative=True)
h1, c1 = sp.Symbol("h", positive=True), sp.Symbol("c", real=True)

def way(theta, h, c, eta, k):
    rows = zip(theta, h, c, eta, np.broadcast_to(k, len(theta)), strict=True)
    return np.array([reptile_gradient(lambda x, h=p, c=q: h * (x - c), np.array([t]), e, int(n))[0]
                     for t, p, q, e, n in rows])

(
    derive("g", "Sum(h * (1 - eta * h)**j * (theta - c), (j, 0, k - 1))",
           "$k$ slopes; before step $j + 1$ the distance is $(1 - \\eta h)^j (\\theta - c)$",
           {"j": j, "k": k, "h": h1, "c": c1, "theta": theta, "eta": eta}, {k: (1, 2, 5)},
           ranges={eta: (0.01, 0.1)})
    .equals("(1 - (1 - eta * h)**k) / eta * (theta - c)",
            "a geometric sum: **the weight is $(1 - r) / \\eta$**")
    .library("reptile_gradient(...)", way)
)

# %% tags=["fold"] name="weights-picture"
# The weight of a task over its curvature, for one inner step and for five.
x = np.linspace(0.02, 0.98, 200)
fig, axes = plots.panels(2)
for ax, steps in zip(axes, (1, 5), strict=True):
    def relative(x, steps=steps):
        r = (1 - x) ** steps
        return {"joint": x, "Reptile": 1 - r, "first-order MAML": x * r, "MAML": x * r**2}

    flat = relative(0.1)
    plots.draw_lines(ax, x, {n: w / flat[n] for n, w in relative(x).items()},
                     r"curvature times rate, $\eta h$", "weight (1 at the grey line)",
                     f"{steps} inner step{'s' * (steps > 1)}", "y")
    ax.set(ylim=(3e-3, 20))
    ax.axvline(0.1, color="0.5", lw=0.8)
    if steps == 1:
        ax.legend(loc=(0.2, 0.03), fontsize=8)
    else:
        ax.get_legend().remove()
plots.Picture(fig, "Two panels with four curves over the curvature. Joint rises steadily. Reptile "
              "equals it for one step and flattens for five. First-order MAML rises and falls for "
              "one step, and MAML falls more. For five steps both fall steeply, and steep tasks "
              "weigh almost nothing.")

# %% tags=["fold"] name="settle-table"
# Where each method settles in the plane; by symmetry theta_2 is the negative.
rows, rules = [], {
    "joint": lambda t, task, n: slope(task)(t),
    "Reptile": lambda t, task, n: reptile_gradient(slope(task), t, 0.1, n),
    "first-order MAML": lambda t, task, n: maml_gradient(slope(task), slope(task), t, 0.1, n),
    "MAML": lambda t, task, n: maml_gradient(slope(task), slope(task), t, 0.1, n, bend(task))}
for name, rule in rules.items():
    places = [settled(lambda t, task, n=n, rule=rule: rule(t, task, n), 0.2)[0] for n in (1, 5)]
    rows.append([name, *(f"{round(place, 2) + 0.0:+.2f}" for place in places)])
assert np.allclose(second, [1, -1], atol=1e-4) and np.allclose(joint, [-0.8, 0.8])
Table(["", "theta_1, trained for 1 step", "trained for 5 steps"], rows)

# %% [markdown] name="weights-reading"
# In the plane above, $\theta_1$ has $\eta h = 0.9$ in task A, with its minimum at $-1$, and $\eta h = 0.1$ in task B, with its minimum at $+1$. The table says where each method settles. **MAML leaves to the inner steps what they repair quickly, and stands where they are slow.** With one step, first-order MAML stands just in the middle. Reptile's weight rises with the curvature and flattens. In the limit of many steps all tasks weigh the same, and Reptile settles at the plain mean of the minima.
#
# ## Sine waves
#
# A parabola has one shape. A network can do more: its start can also hold features that suit all tasks. The classical test (Finn and others) is a family of sine waves: height from 0.1 to 5, shift from 0 to $\pi$, both drawn at random, and ten points of $x \in [-5, 5]$ to learn from. Our network has two hidden layers of 32 units with tanh. The loss is the mean squared error. All tasks together have a best prediction at each $x$, their *mean wave*; joint training seeks it. Here is a short live training, once joint, once with MAML and one inner step of $\eta = 0.02$. A network's parameters are a row of numbers, with one row per task; `net.slope` gives the gradient of each row, and `net.bend` its Hessian times a vector.

# %% name="live"
net, waves = made["Net"]([1, 32, 32, 1], lambda z, y: ((z - y) ** 2).mean((1, 2))), made["waves"]
begin = net.start(np.random.default_rng(seed))

def train(task_gradient, steps=500):
    theta, rule, rng = begin, Adam(0.01), np.random.default_rng(1000 + seed)
    state = rule.init(theta)
    for _ in range(steps):
        x, y = waves(rng, 20, 20)  # 20 tasks; 10 points to learn from, 10 to judge
        support, query = (x[:, :10], y[:, :10]), (x[:, 10:], y[:, 10:])
        rows = task_gradient(theta.expand(20, -1), net.slope(*support), net.slope(*query),
                             net.bend(*support))
        theta, state = rule.update(theta, rows.mean(0), state)
    return theta

starts = {"joint training": train(lambda rows, s, q, hvp: (s(rows) + q(rows)) / 2),
          "MAML": train(lambda rows, s, q, hvp: maml_gradient(s, q, rows, 0.02, 1, hvp))}

# %% tags=["fold"] name="chosen"
# The recorded runs: two seeds choose the rates, and five other seeds judge.
STEPS, RATES = made["WAVES"]["steps"], made["WAVES"]["rates"]

def judged(name, column):  # five values; the training's rate and that of the steps, as places
    table = np.array([record.runs[s][f"waves, {name}"] for s in sorted(record.runs)])
    chooses = table[5:].mean(0)
    outer = chooses[..., STEPS.index(5)].min(1).argmin()
    inner = chooses[outer, :, column].argmin()
    return table[:5, outer, inner, column], outer, inner

# %% tags=["fold", "nbval-ignore-output"] name="play-picture"
# One new task: what each start makes of ten points, step by step.
rng = np.random.default_rng(seed)
x, y = made["wave"](rng, np.array([[[3.5]]]), np.array([[[0.6]]]), 10)
wide = torch.linspace(-5, 5, 120)[None, :, None]
truth = 3.5 * torch.sin(wide + 0.6)
steps_of = {}
for n, key in zip(starts, ("joint", "MAML"), strict=True):
    rate = RATES[judged(key, STEPS.index(5))[2]]  # the best one for five steps
    print(f"{n}: learning rate of the steps {rate:g}")
    steps_of[n] = descend(starts[n][None], SGD(rate), net.slope(x, y), 20)
fig, axes = plots.panels(2, sharey=True)
for ax, name in zip(axes, starts, strict=True):
    ax.plot(wide.ravel(), truth.ravel(), color="0.6", lw=3, label="the wave")
    ax.plot(x.ravel(), y.ravel(), "ko", ms=5, label="ten points")
    ax.plot([], [], color="C3", ls="--", label="network")
    ax.set(title=f"start from {name}", xlabel="x", ylim=(-6, 6))
axes[0].set_ylabel("y")
axes[1].legend(loc="upper left", fontsize=8, ncols=3)

def after(left, right, k):
    error = []
    for ax, name in zip((left, right), starts, strict=True):
        line = net(steps_of[name][k], wide)
        ax.plot(wide.ravel(), line.ravel(), color="C3", ls="--")
        error.append(float(((line - truth) ** 2).mean()))
    return (f"After {k} inner step{'s' * (k != 1)}, mean squared error: "
            f"joint training {error[0]:.2f}, MAML {error[1]:.2f}.")

moved = plots.moving(
    fig, "inner steps", range(21), after, start=1, play=True,
    alt="Two panels with one wave, ten points and the network's curve. After one step the curve "
    "from joint training has hardly moved towards the wave; the curve from MAML lies near it.",
)
for k in (0, 1, 5, 20):
    print(moved.captions[k])
errors = {n: [float(((net(row, wide) - truth) ** 2).mean()) for row in rows]
          for n, rows in steps_of.items()}
assert errors["MAML"][5] < errors["joint training"][5]
moved

# %% [markdown] name="play-reading"
# Move the slider. Does joint training get, within 20 steps, to where MAML is after one? And which of the two starts looks more like a wave at 0 steps?
#
# One wave proves little. So the training was recorded with seven seeds and twice as many steps, and each start was judged by 100 new waves. Six starts compete:
#
# - *random*: the network before any training;
# - *joint*: the best single model for all waves;
# - *own heads*: 100 fixed waves share the [body](../01_background/01_why_fine_tune.ipynb), and each has a head of its own; a new wave starts with the mean head;
# - *first-order MAML* and *MAML*, with one inner step of 0.02;
# - *Reptile*, with five, on both sets of a task together.
#
# Each had four learning rates for its training (random needs none). Two seeds choose the one that is best after five steps. They also choose among eight rates for the steps on a new wave, anew for each number of steps. The other five seeds judge.

# %% tags=["fold", "nbval-ignore-output"] name="waves-picture"
# The recorded runs: rates chosen by two seeds, judged by the other five.
NAMES = ("random", "joint", "own heads", "first-order MAML", "Reptile", "MAML")
found = {n: np.array([judged(n, c)[0] for c in range(len(STEPS))]).T for n in NAMES}
at = {k: STEPS.index(k) for k in (0, 1, 5, 50)}
ratio = found["joint"][:, at[5]] / found["MAML"][:, at[5]]
print(f"after 5 steps, joint training / MAML: {spread(ratio, '.1f')}")
floor = (5**3 - 0.1**3) / (6 * 4.9) - (2.55 * 2 / np.pi) ** 2 * (0.5 + np.sin(10) / 20)
print(f"error of the mean wave, over all tasks: {floor:.2f}")
assert ratio.min() > 2 and found["joint"][:, at[50]].min() > 1.3 * found["MAML"][:, at[5]].max()
fig, (ax,) = plots.panels()
bands = {n: plots.band(found[n][:, :-1]) for n in ("joint", "Reptile", "MAML")}
plots.draw_lines(ax, STEPS[:-1], bands, "steps on a new task",
                 "mean squared error on its query set",
                 "Ten points of a new wave (band: five seeds)", "y")
ax.set_xticks([0, 1, 2, 3, 5, 10, 20])
ax.set_yticks([0.2, 0.5, 1, 2, 3], ["0.2", "0.5", "1", "2", "3"])
ax.set_yticks([], minor=True)
plots.Picture(fig, "Three falling curves. Joint training falls slowly. Reptile and MAML begin at "
              "the same height, drop below 1 in one step and end far below joint training.")

# %% tags=["fold", "nbval-ignore-output"] name="waves-table"
# All six starts.
Table(["start", *(f"{k} step{'s' * (k != 1)}" for k in at)],
      [[n, *(spread(found[n][:, c]) for c in at.values())] for n in NAMES],
      "Mean squared error on the query sets of 100 new tasks: median (lowest to highest) "
      "of five seeds.")

# %% [markdown] name="waves-reading"
# Over all waves, no single model can have less error than the mean wave: 3.01. (A hundred drawn waves scatter around that.) The trained starts begin at about 3, and first-order MAML at 4: before the first step meta-learning has won nothing. After one step MAML stands at 0.67, after five at 0.31. Joint training is at 1.93 after five, six times MAML's error, and at 0.99 after fifty.
#
# Is it the second derivatives? Mostly not. First-order MAML and Reptile need none; Reptile is level with MAML after five steps. Is it enough to know which points belong to one task? Own heads know that too (of their 100 waves; the others see new waves in every step). They help, but stay at 1.31. What the three best share is that their training contained the steps.
#
# ## Handwritten digits
#
# Now real data: scikit-learn's handwritten digits (UCI, CC BY 4.0), 8 x 8 pixels. Five of the ten digits, drawn by the seed, are *known*: the training on many tasks uses their pictures. A task is to tell five digits apart from five pictures of each, with the labels in a random order. The network has one hidden layer of 64 units with tanh and takes five inner steps. Joint training learns to name the five known digits; then it gets a [new head](../01_background/01_why_fine_tune.ipynb) of zeros. The random start is a random body with a head of zeros.
#
# Each trained start has four tries: joint training with four learning rates, MAML and Reptile with four rates of the inner steps. We keep the try that is best on known digits, for while one trains, the new ones are not there yet. Each start has eight rates for the five steps on a task. Two seeds choose and five others judge, as before. The pictures that judge are new to all.

# %% tags=["fold", "nbval-ignore-output"] name="digits-picture"
# The share of right answers after five steps.
def digits(where, name):  # five values per try, at its best rate; how the two other seeds like it
    stored = [record.runs[s][f"{where}, {name}"] for s in sorted(record.runs)]
    table = 100 * np.array(stored)[..., 1]
    inner = table[5:].mean(0).argmax(1)
    return np.array([table[:5, o, i] for o, i in enumerate(inner)]), table[5:].mean(0).max(1)

COMPETE = ("random", "joint", "Reptile", "MAML")
kept = {n: digits("known digits", n)[1].argmax() for n in COMPETE}  # the try kept
shares = {(where, n): digits(where, n)[0][kept[n]]
          for where in ("known digits", "new digits") for n in COMPETE}
for key, v in shares.items():
    print(f"{', '.join(key)}: {spread(v, '.1f')} %")
lost = shares["new digits", "random"] - shares["new digits", "MAML"]
gained = shares["known digits", "MAML"] - shares["known digits", "random"]
ahead = shares["known digits", "MAML"] - shares["known digits", "joint"]
less = shares["new digits", "joint"] - shares["new digits", "random"]
print(f"MAML less random start: known digits {spread(gained, '+.1f')}, new digits "
      f"{spread(-lost, '+.1f')} points")
print(f"MAML less joint training, known digits: {spread(ahead, '+.1f')} points")
print(f"joint training less random start, new digits: {spread(less, '+.1f')} points")
assert lost.min() > 2 and np.median(gained) > 3 and np.abs(ahead).max() < 1.5
plots.bars({", ".join(key): plots.band(v) for key, v in shares.items()},
           "right answers after five steps (%)",
           "Eight bars. On known digits the three trained starts are level, and above the random "
           "start. On new digits the random start is the highest.",
           title="Five pictures of each digit (line: five seeds)")

# %% [markdown] name="breaks-text"
# On *known* digits, all trained starts beat the random one; MAML wins 8.9 points. But joint training, which took no inner step, is as good as MAML. It had the names of the five digits, and features that tell them apart are all that such a task needs.
#
# On *new* digits, the random start is the best. MAML loses 6.0 points to it, joint training 10.6. Only the digits of the task have changed. What tells five known digits apart is not what tells five others apart, and 25 pictures do not undo it in five steps. **A start is good for the kind of tasks it was trained on.** Five digits are a narrow kind; sine waves of all heights and shifts are a wide one.
#
# ## What breaks
#
# PyTorch keeps the graph of a gradient, the record of how it was computed, only if you ask for it. Here is MAML with one inner step, in the plane from above:

# %% name="breaks"
def tensors(task):
    return tuple(map(torch.from_numpy, task))

def by_autograd(theta, task, create_graph):
    theta = torch.tensor(theta, requires_grad=True)
    inside = torch.autograd.grad(value(theta, tensors(task)), theta, create_graph=create_graph)[0]
    value(theta - 0.1 * inside, tensors(task)).backward()
    return theta.grad.numpy()

def measured(theta, task, far=1e-5):  # the loss after the step, a little to either side
    def after(t):
        return value(t - 0.1 * slope(task)(t), task)
    pairs = [(after(theta + far * e), after(theta - far * e)) for e in np.eye(2)]
    return np.array([(up - down) / (2 * far) for up, down in pairs])

# %% tags=["fold"] name="breaks-table"
# With and without the graph.
rows, reached = [], {}
for name, keep in (("create_graph=True", True), ("forgotten", False)):
    end = settled(lambda t, task, keep=keep: by_autograd(t, task, keep), 0.5)
    reached[name] = end
    loss = sum(value(end - 0.1 * slope(t)(end), t) for t in tasks) / 2
    at_0 = by_autograd(np.zeros(2), tasks[0], keep)
    rows.append([name, "({:+.2f}, {:+.2f})".format(*(end.round(2) + 0.0)), f"{loss:.2f}",
                 f"({at_0[0]:.2f}, {at_0[1]:.2f})"])
by_hand = measured(np.zeros(2), tasks[0])
rows.append(["measured", "", "", f"({by_hand[0]:.2f}, {by_hand[1]:.2f})"])
assert np.allclose(reached["forgotten"], 0, atol=1e-6) and reached["create_graph=True"][0] > 0.6
Table(["", "settles at", "loss after one step there", "gradient at 0, task A"], rows)

# %% [markdown] name="exercises"
# No error, no warning. Without `create_graph=True` PyTorch takes the step as a constant, and this is first-order MAML. Its loss after the step is 0.45 instead of 0.16. The signature: the gradient is not the slope that one measures by moving the start a little. Along the steep direction it is ten times too long, by the missing factor $1 - 0.9$.
#
# The cure: `create_graph=True`, and once, before the training, a comparison with measured slopes. If you want first-order MAML, say so in the code.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. Two sets, two minima (5 minutes, easy)
# Support and query set are different examples, so their losses differ a little. One parameter: the support loss is $\frac{h}{2}(\theta - c)^2$, the query loss $\frac{h}{2}(\theta - b)^2$. `k` inner steps with rate `lr` lead from the start `theta` to an end. Return the derivative of the query loss at the end with respect to `theta`.

# %% name="exercise-slope"
def meta_slope(theta, h, c, b, lr, k):
    ### BEGIN SOLUTION
    r = (1 - lr * h) ** k
    end = c + r * (theta - c)
    return h * r * (end - b)
    ### END SOLUTION

# %% name="check-slope"
check("meta_slope")

# %% [markdown] name="exercise-train-text"
# <details><summary>Hint 1</summary>After k steps the distance from c is r times what it was.</details>
# <details><summary>Hint 2</summary>The slope of the query loss at that end, times the derivative of the end with respect to theta.</details>
#
# ### 2. First-order MAML (8 minutes, medium)
# `tasks` is a list of pairs `(support, query)`, the gradients of the two losses as functions of `theta`. In each of `rounds` rounds, `theta` moves once: with the rate `rate`, against the mean over all tasks of the gradient of first-order MAML (`steps` inner steps with rate `lr`). Return the last `theta`. Program it without the library's rule.

# %% name="exercise-train"
def meta_train(tasks, theta, lr, steps, rate, rounds):
    ### BEGIN SOLUTION
    for _ in range(rounds):
        total = 0
        for support, query in tasks:
            end = theta
            for _ in range(steps):
                end = end - lr * support(end)
            total = total + query(end)
        theta = theta - rate * total / len(tasks)
    return theta
    ### END SOLUTION

# %% name="check-train"
check("meta_train")

# %% [markdown] name="exercise-steps-text"
# <details><summary>Hint 1</summary>Three loops: rounds, tasks, inner steps.</details>
# <details><summary>Hint 2</summary>theta stays as it is until all tasks of the round are done.</details>
#
# ### 3. When do more inner steps hurt? (7 minutes, medium)
# Now `theta`, `h`, `c` and `b` are arrays: one number per direction. The support loss is $\sum_d \frac{h_d}{2} (\theta_d - c_d)^2$, and the query loss has $b$ in place of $c$. Return the number of inner steps, from 0 to `most`, after which the query loss is lowest.

# %% name="exercise-steps"
def best_steps(theta, h, c, b, lr, most):
    ### BEGIN SOLUTION
    losses = []
    for k in range(most + 1):
        left = (1 - lr * h) ** k
        end = c + left * (theta - c)
        losses.append(h @ (end - b) ** 2)
    return int(np.argmin(losses))
    ### END SOLUTION

# %% name="check-steps"
check("best_steps")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Exercise 1 has the end after k steps; it holds for each direction.</details>
# <details><summary>Hint 2</summary>Write down the query loss for each k, then take the place of the smallest.</details>
# <details><summary>What it means (after solving)</summary>The steep directions are done in a few steps, and their two minima lie nearer to each other. The flat one is misled by its few examples, and more steps follow it. In the check's first case 7 steps are best: the query loss is 0.03 there, and 0.69 after 40 steps.</details>
#
# ## Takeaways
#
# - MAML makes the loss *after* the inner steps small. Its start may be bad at every task.
# - The gradient through a step has the factor $I - \eta H$. It takes the weight off the tasks that a step repairs anyway.
# - Do not meta-train where the new tasks are of another kind, or where joint training already knows the tasks: on known digits joint training was as good, and on new digits a random start beat both.
#
# ## Does it hold?
#
# **Other rates for the steps.** Five steps on a new wave, with every rate that was tried; for each, the training's best rate:

# %% tags=["fold", "nbval-ignore-output"] name="control-rates"
# The mean squared error after five steps, for each learning rate of the steps.
def by_rate(name, column):  # five values for each rate of the steps
    table = np.array([record.runs[s][f"waves, {name}"] for s in sorted(record.runs)])[..., column]
    outer = table[5:].mean(0).argmin(0)
    return [table[:5, o, i] for i, o in enumerate(outer)]

lines = {n: by_rate(n, at[5]) for n in NAMES}
print(f"rate chosen for the training, of {', '.join(f'{r:g}' for r in made['OUTER'])}: "
      + ", ".join(f"{n} {made['OUTER'][judged(n, at[5])[1]]:g}" for n in NAMES[1:]))
assert all(judged(n, at[5])[1] < len(made["OUTER"]) - 1 for n in NAMES[1:])
assert min(map(np.median, lines["joint"])) > 2 * min(map(np.median, lines["MAML"]))
Table(["rate of the steps", *lines],
      [[f"{r:g}", *(f"{np.median(v[i]):.2f}" for v in lines.values())]
       for i, r in enumerate(RATES)],
      "Medians of five seeds.")

# %% [markdown] name="control-tries-text"
# Every trained start is best at a rate inside the list, and the rates of the training lie inside theirs. No rate brings joint training or own heads near the three others. The random start stays above 3.9 at every rate.
#
# **Every try on digits.** The share of right answers of each of the four tries, at its best rate for the five steps:

# %% tags=["fold", "nbval-ignore-output"] name="control-tries"
# All tries of each start on digits.
rows = []
for where in ("known digits", "new digits"):
    for name in ("joint", "Reptile", "MAML"):
        rows.append([where, name, *(spread(v, ".1f") + (" *" if k == kept[name] else "")
                                    for k, v in enumerate(digits(where, name)[0]))])
Table(["", "start", "try 1", "try 2", "try 3", "try 4"], rows,
      f"Joint training: Adam with {', '.join(f'{r:g}' for r in made['OUTER'])}. "
      f"Reptile and MAML: inner steps of {', '.join(f'{r:g}' for r in made['INNER'])}. "
      "The try with a star was kept.")

# %% [markdown] name="control-more-text"
# For all three the try that was kept lies inside its list. On new digits, MAML with an inner step of 4 comes level with the random start (88.5 against 87.6 %), but it has lost half of its lead on known digits. An inner step of 8 gains nothing there and loses the rest of the lead. Reptile and joint training stay at least 4 points below the random start in every try. The order *among* the trained starts there depends on the try.

# %% tags=["fold"] name="record"
# What made the record.
record

# %% [markdown] name="sources"
# ## Sources
#
# - C. Finn, P. Abbeel and S. Levine, 2017: *Model-agnostic meta-learning for fast adaptation of deep networks*, arXiv 1703.03400 (MAML, its first-order form, and the sine waves).
# - A. Nichol, J. Achiam and J. Schulman, 2018: *On first-order meta-learning algorithms*, arXiv 1803.02999 (Reptile). They also show, for small rates, that its mean update makes the gradients of different batches of one task agree more.
# - A. Raghu, M. Raghu, S. Bengio and O. Vinyals, 2020: *Rapid learning or feature reuse?*, arXiv 1909.09157. On their image tasks MAML's gain comes mainly from features that need not change.
