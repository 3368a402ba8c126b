# ---
# jupyter:
#   lesson:
#     title: Stochastic gradient descent
#     question: "Every step goes downhill, and half of them end higher. Is something broken?"
#     minutes: 45
#     needs: [01_binary_cross_entropy]
#     studies: [optim.SGD]
#     settles: [F5, F6, G11, G12, E9, E13, E14]
#     claims:
#       C26: {verdict: conditional, cell: source, says: "The most basic, yes: its state is a count of steps and nothing else. How much it is used was not measured; language models are trained with AdamW."}
#     terms: [seed, parameters, objective, batch, step, learning rate, gradient descent, curvature, edge, unbiased, variance, noise ball, epoch]
# ---

# %% [markdown] name="title"
# # Stochastic gradient descent
#
# **Goal.** Derive how long a step against the gradient may be and what a batch's noise does to it, and write the training loop yourself.
#
# **The question.** A model learns to foretell how a disease will progress, from two measurements of 310 patients. It learns in steps, and each step looks at eight patients. Every step lowers the loss of its eight.
# Then look at the loss of all 310 patients, after each step:

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup" tags=["fold"]
# Set-up: what this lesson imports.
from itertools import combinations

import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.derive import derive
from lessons_lib.landscapes import Landscape, quadratic
from lessons_lib.optim import SGD, descend
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/03_sgd")

# %% tags=["fold"] name="problem"
# The patients, the gradient, and the training in steps.
def patients(seed, columns=(2, 3)):  # body mass index and blood pressure; y: the progress
    x, y, *_ = data.diabetes(seed)
    return x[:, columns], (y - y.mean()) / y.std()

def gradient(theta, x, y):  # of the mean squared error
    return 2 * x.T @ (x @ theta - y) / len(x)

def lowest(x, y):  # the best parameters
    return np.linalg.lstsq(x, y)[0]

def gap(thetas, x, y):  # how far the mean loss is above its lowest value
    losses = [np.mean((t @ x.T - y) ** 2, axis=-1) for t in (np.array(thetas), lowest(x, y))]
    return losses[0] - losses[1]

def sgd(x, y, B, lr, steps, seed):
    rng, batches = np.random.default_rng(seed), []

    def of_a_batch(theta):
        batches.append(rng.choice(len(x), B, replace=False))
        return gradient(theta, x[batches[-1]], y[batches[-1]])

    return np.array(descend(np.zeros(x.shape[1]), SGD(lr), of_a_batch, steps)), batches

# %% tags=["fold"] name="question-picture"
# Steps with batches of eight, and with all patients until the gap is a hundred-thousandth.
problems = [patients(s) for s in setting.seeds]
x, y = problems[0]
N = len(x)
visited, batches = sgd(x, y, 8, 0.1, 300, seed)
gaps = {"each step looks at 8": gap(visited[:101], x, y),
        "each step looks at all": gap(sgd(x, y, N, 0.1, 100, seed)[0], x, y)}
gaps["each step looks at all"] = (smooth := gaps["each step looks at all"])[smooth > 1e-5]
picture = plots.lines(
    {name: np.arange(len(g)) for name, g in gaps.items()}, gaps,
    "step", "loss above its lowest value (log)",
    "Two curves over 100 steps on a logarithmic axis. Looking at all patients: it falls steadily. "
    "Looking at eight: it falls within four steps below 0.01, then jumps between 0.0001 and 0.05 "
    "and does not settle.",
    title="The loss of all 310 patients", log="y",
)
picture.fig.set_size_inches(4.7, 2.8)
picture

# %% tags=["fold"] name="question-numbers"
# How often does a step lower the loss of its own eight, and how often does it raise that of all?
own, up = [], []
for s, (x_s, y_s) in zip(setting.seeds, problems, strict=True):
    thetas, drawn = sgd(x_s, y_s, 8, 0.1, 1000, s)
    r = [(x_s[b] @ thetas[t : t + 2].T).T - y_s[b] for t, b in enumerate(drawn)]
    own += [np.diff(np.mean(np.square(r), axis=-1))[:, 0] < 0]
    up.append(np.mean(np.diff(gap(thetas, x_s, y_s)[100:]) > 0))
found = f"{np.median(up):.0%} ({min(up):.0%} to {max(up):.0%} over {len(up)} seeds)"
print(f"steps that lower the loss of their own eight: {np.sum(own)} of {np.size(own)}")
print(f"steps 100 to 1000 that raise the loss of all: {found}")
assert np.mean(own) > 0.97 and max(abs(np.array(up) - 0.5)) < 0.06

# %% [markdown] name="question-reading"
# Every step goes downhill, and half of them end higher. Is something broken?
#
# A **seed** is the number that starts the random draws. Here it decides which patients are in and which eight come next. Five seeds are five repetitions: the **median** is the middle one, and the spread tells what is luck.
#
# ## The idea, drawn
#
# The model has two **parameters**: numbers that training may change. The first, $\theta_1$, multiplies the body mass index, the second, $\theta_2$, the blood pressure, and the sum of the two products is the prediction. (All three quantities are shifted and stretched to mean 0 and spread 1.)
# The loss of one patient is the squared error, $(\text{prediction} - \text{truth})^2$. The **objective** is what training is to make small: the mean loss of all patients. It is a bowl over the two parameters; the picture shows its contours, lines of equal loss.
#
# A **batch** is a small set of examples, drawn anew for each step. Each arrow below is the step that one batch of eight would take. Twenty batches at the start, twenty at the minimum:

# %% tags=["fold"] name="arrows"
# The steps of 20 batches at two places, and the steps of all patients.
best = lowest(x, y)
bowl = Landscape(
    lambda theta: gap(theta, x, y), lambda theta: gradient(theta, x, y),
    lambda theta: 2 * x.T @ x / N, (best,),
)
rng = np.random.default_rng(seed)
fig, (ax,) = plots.panels()
fig.set_size_inches(4.4, 2.9)
plots.draw_contours(ax, bowl, ((-0.2, 0.8), (-0.2, 0.5)), "Where 40 batches want to go")
whole = {"angles": "xy", "scale_units": "xy", "scale": 1}
bundles = {}
for name, place in {"the start": np.zeros(2), "the minimum": best}.items():
    some = [rng.choice(N, 8, replace=False) for _ in range(1000)]
    bundles[name] = steps = np.array([-0.1 * gradient(place, x[b], y[b]) for b in some])
    places = np.tile(place, (20, 1))
    ax.quiver(*places.T, *steps[:20].T, color="C0", width=0.004, alpha=0.7, **whole)
    ax.quiver(*place, *-0.1 * gradient(place, x, y), color="k", width=0.009, **whole)
ax.plot([], [], color="C0", label="step of a batch of 8")
ax.plot([], [], color="k", lw=4, label="step of all patients")
ax.legend(loc="lower right")
plots.Picture(
    fig, "Contours of a bowl with two bundles of arrows. At the start, far from the minimum, "
    "twenty thin arrows form a fan around one thick arrow that points into the bowl. At the "
    "minimum there is no thick arrow, and thin ones point everywhere.",
)

# %% tags=["fold", "nbval-ignore-output"] name="arrows-numbers"
# How many of 1000 batches would lower the objective at the start, where both parameters are 0?
part = np.mean(gap(bundles["the start"], x, y) < gap(np.zeros(2), x, y))
print(f"at the start: {part:.0%} of the steps lower the loss of all patients")
assert part > 0.9

# %% [markdown] name="arrows-reading"
# Far out the batches agree: nearly every arrow leads down into the bowl. At the minimum the arrow of all patients has the length 0, but each batch has a bowl of its own, with its minimum elsewhere, and steps down that one. At the minimum no step can lower the loss of all.
# **Nothing is broken. A batch knows the way into the bowl, and does not know the way to its bottom.** How near does one get? That depends on two numbers that you choose: the length of the steps and the size of the batch.
#
# ## Formula
#
# The number $\ell_n$ is the loss of example $n$, and $\nabla \ell_n$ its gradient: the slopes by all parameters. Step $t = 1, 2, \dots$ begins at the parameters $\theta_{t-1}$. Of a batch $\mathcal B$ with $B$ examples it takes the **mean** gradient there:
#
# $$g_t = \frac1B \sum_{n \in \mathcal B} \nabla \ell_n(\theta_{t-1})$$
#
# A **step** moves the parameters against the gradient. The **learning rate** $\eta$ says how far a step goes:
#
# $$\theta_t = \theta_{t-1} - \eta\, g_t$$
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $\theta_t$ | `theta` | `(d,)` | the $d$ parameters after step $t$ |
# | $\theta_i$ | `theta[i]` | a number | one of them, $i = 1, \dots, d$ |
# | $\eta$ | `lr` | a number | learning rate |
# | $N$, $B$ | `N`, `B` | numbers | how many examples there are; how many are in a batch |
# | $g_t$ | `g` | `(d,)` | gradient of the batch's mean loss, in step $t$ |
# | $g_n$, $g$ | `g[n]`, `g[list(batch)].mean()` | numbers | slope of example $n$ by one parameter; the batch's mean of them |
# | $J = \frac1N \sum_n \ell_n$ | `gap` shows $J - \min J$ | a number | the objective |
# | $\partial_i J$ | `g[i]` | a number | slope of the objective by $\theta_i$ |
# | $h_i$, $h_{\max}$ | `h[i]`, `h_max` | numbers | curvature along axis $i$; the steepest |
# | $\sigma^2$ | `sigma**2` | a number | variance of the slopes of single examples |
# | $V_t$ | `V` is $V_{t-1}$ | a number | mean squared distance from the minimum after step $t$ |
#
# Steps with the gradient of all examples are **gradient descent** (Cauchy 1847). Steps with random batches are *stochastic* gradient descent, SGD. It goes back to Robbins and Monro (1951), who had one noisy observation a step.
#
# The article writes the step with the gradient of a *single* example. One line earlier it draws a batch. The two fit together once the mean is written down. A sum would do as well, but it is $B$ times as large, and so is the step.
#
# ## Derivation
#
# ### Does a step go down at all?
#
# First without noise. Take a bowl that is a parabola along each of its axes. The **curvature** $h_i$ is the second derivative along axis $i$: it says how fast the slope grows. The patients' bowl has such axes too; they lie slanted. The minimum is at 0, the steepest curvature is $h_{\max}$:
#
# $$J = \sum_{i=1}^{d} \frac{h_i}{2} \theta_i^2 \qquad\qquad \partial_i J = h_i \theta_i$$
#
# How much does one step change $J$?

# %% tags=["fold"] name="derive-descent"
# Derivation 1: what a step does to the objective.
T, H, G, share = (sp.IndexedBase(name, real=True) for name in ("theta", "h", "g", "s"))
eta, h, h_max, V, sigma = sp.symbols("eta h h_max V_{t-1} sigma", positive=True)
i, n, k, d, N_, B_ = sp.symbols("i n k d N B", integer=True, positive=True)

def change(theta, s, eta, h_max):  # of the library's bowl, in a step of the library's SGD
    J = quadratic(*(h_max * s))
    after, _ = SGD(eta).update(theta, J.gradient(theta), SGD(eta).init(theta))
    return J.value(after) - J.value(theta)

(
    derive(r"J(\theta - \eta \nabla J) - J(\theta)",
           "Sum(h[i]/2 * (theta[i] - eta*g[i])**2 - h[i]/2 * theta[i]**2, (i, 1, d))",
           r"the bowl, after and before", [T, H, G, share, eta, h_max, i, d], {d: (2, 3)},
           means={G[i]: H[i] * T[i], H[i]: h_max * share[i]},
           ranges={share: (0.01, 1), eta: (0.01, 2), h_max: (0.5, 2)},
           tex=r"\sum_{i = 1}^d \left(\frac{h_i}{2} (\theta_i - \eta\, \partial_i J)^2 "
               r"- \frac{h_i}{2} \theta_i^2\right)")
    .library("J(SGD(eta).update(theta, g)) - J(theta)", change,
             "the library's step on the library's bowl", each=True)
    .equals("-eta * Sum(g[i]**2, (i, 1, d)) + eta**2/2 * Sum(h[i] * g[i]**2, (i, 1, d))",
            r"the square, multiplied out; $h_i \theta_i = \partial_i J$",
            tex=r"-\eta \sum_{i = 1}^d (\partial_i J)^2 "
                r"+ \frac{\eta^2}{2} \sum_{i = 1}^d h_i (\partial_i J)^2")
    .at_most("-eta * (1 - eta*h_max/2) * Sum(g[i]**2, (i, 1, d))",
             r"**no $h_i$ is above $h_{\max}$**",
             tex=r"-\eta \Big(1 - \frac{\eta h_{\max}}{2}\Big) \sum_{i = 1}^d (\partial_i J)^2")
)

# %% [markdown] name="descent-reading"
# The line with $\eta^2$ has two terms. The first is the gain, and it grows with $\eta$. The second is the price of a long step, and it grows with $\eta^2$. For a small rate the gain wins: **a step lowers the objective by about $\eta$ times the squared length of the gradient.**
# By the last line the gain certainly wins while $\eta < 2 / h_{\max}$. The last line holds for every smooth $J$ whose curvature stays below $h_{\max}$, not only for bowls: this is the *descent lemma* (Nesterov 2004).
#
# ### How long may a step be?
#
# One axis alone. The minimum is at 0, so $\theta_{t-1}$ is the distance from it:

# %% tags=["fold"] name="derive-factor"
# Derivation 2: the factor of a step, and the edge.
now = sp.Symbol(r"\theta_{t-1}", real=True)

def next_theta(now, eta, h):
    return descend(np.array(now), SGD(eta), lambda t: h * t, 1)[1]

(
    derive(r"\theta_t", "now - eta*(h*now)", r"the gradient is $h\,\theta_{t-1}$",
           {"now": now, "eta": eta, "h": h})
    .library("SGD(eta).update(theta, h * theta)", next_theta, each=True)
    .equals("(1 - eta*h) * now", "**each step multiplies the distance by the same factor**")
    .put(eta, "2/h", "-now", "across the valley and back, for ever")
)

# %% [markdown] name="factor-reading"
# The **edge** is the learning rate $2/h$: below it the distance shrinks, above it each jump lands higher on the other side. Half-way, at $1/h$, the factor is 0: one step, and one is there.
#
# With several axes there is one rate for all. The steepest axis sets the edge, $2 / h_{\max}$; the flattest axis waits.
#
# **Move the learning rate.** Left, a model with the body mass index alone. The squared error $(\theta x - y)^2$ has the second derivative $2 x^2$, so $h$ is twice the mean of $x^2$; here this is 2, and the edge is 1. Right, our two parameters. The right bowl is steepest in the direction in which both parameters grow together. How much of the learning rate does the second parameter cost?

# %% tags=["fold"] name="edge-picture"
# The figure to move: ten steps of gradient descent for each learning rate.
curvature, axes_of_bowl = np.linalg.eigh(bowl.hessian(best))
first, target = x[:, :1], lowest(x[:, :1], y)[0]
fig, (left, right) = plots.panels(2)
fig.set_size_inches(7.3, 3.0)
grid = np.linspace(target - 1.6, target + 1.6, 81)
left.plot(grid, gap(grid[:, None], first, y), color="0.6", lw=1)
left.plot(target, 0, "k*", ms=11)
left.set(title="One parameter", xlabel=r"$\theta_1$", ylabel="objective above its minimum",
         xlim=grid[[0, -1]], ylim=(-0.1, 2.6))
plots.draw_contours(right, bowl, ((-1.0, 2.0), (-1.2, 1.6)), "Two parameters")

def ten_steps(left, right, lr):
    one = np.array(descend(np.array([-0.6]), SGD(lr), lambda t: gradient(t, first, y), 10))
    two = descend(np.array([-0.6, 0.4]), SGD(lr), bowl.gradient, 10)
    left.plot(one[:, 0], gap(one, first, y), "C0o-", ms=4, lw=1)
    plots.draw_trails(right, {"": two})
    f = 1 - lr * curvature
    return (f"One parameter: each step multiplies the distance by {1 - 2 * lr:.2f}. "
            f"Two: by {f[0]:.2f} along the flat axis, by {f[1]:.2f} along the steep one.")

plots.moving(
    fig, "learning rate", np.round(np.arange(0.05, 1.11, 0.05), 2).tolist(), ten_steps, start=0.65,
    alt="Left: a parabola with a path that jumps from side to side and sinks to the bottom. "
    "Right: contours of a bowl with a path that jumps across it and comes nearer to the star "
    "in the middle.",
)

# %% tags=["fold"] name="edge-numbers"
# The two edges.
assert np.isclose(2 * np.mean(first**2), 2)
flat, steep = curvature
print(f"curvatures of the right bowl: {flat:.2f} and {steep:.2f}")
print(f"its edge: 2 / {steep:.2f} = {2 / steep:.2f}")
assert 0.65 < 2 / steep < 0.8

# %% [markdown] name="edge-reading"
# At 0.5 the left model is there in one step. From 0.55 on it jumps over the minimum, and still arrives. At 1 it jumps for ever. The right one is lost at 0.75 already, so the second parameter costs about a quarter of the rate. The two measurements rise together in the patients, and that makes one direction steeper than either measurement alone.
#
# ### What does a batch know?
#
# Now the noise. Look at the slope by one parameter: $g_n$ is that of example $n$, and $g$ is the batch's. Draw $B$ of the $N$ examples, every set equally likely. What is $g$ on average, written $\mathbb E[g]$?

# %% tags=["fold"] name="derive-unbiased"
# Derivation 3: the batch's gradient is right on average.
def over_all_batches(g, B):
    return np.mean([g[list(batch)].mean() for batch in combinations(range(len(g)), B)])

(
    derive(r"\mathbb E[g]", "1/B * Sum(B/N * g[n], (n, 1, N))",
           "each example is in the batch with probability $B / N$",
           [G, n, N_, B_], {N_: (3, 4)}, ranges={B_: (1, 3)})
    .library("mean over all batches", over_all_batches,
             "all batches, one after the other", each=True)
    .equals("1/N * Sum(g[n], (n, 1, N))", "**the gradient of the objective**")
)

# %% [markdown] name="unbiased-reading"
# An estimate that is right on average is called **unbiased**. That does not mean that as many batches err upwards as downwards; it means that over all batches the errors add up to 0.
#
# How large are the errors? A **variance** is the mean of the squared deviations from the mean. Here the deviations are the errors. Let $\sigma^2$ be the variance of the $g_n$. Draw with replacement, so that the draws are independent:

# %% tags=["fold"] name="derive-variance"
# Derivation 4: the noise of a batch.
def squared_errors(rng, size, sigma, B):  # of the mean of B draws
    return rng.normal(0, sigma, (size, B)).mean(axis=1) ** 2

(
    derive(r"\operatorname{Var}[g]", "1/B**2 * Sum(sigma**2, (k, 1, B))",
           r"variances of independent draws add; the factor $1/B$ is squared", [sigma, k, B_])
    .expects("mean of B draws, squared", squared_errors, "random draws")
    .equals("sigma**2 / B", "**four times the batch, a quarter of the variance**")
)

# %% [markdown] name="variance-reading"
# The typical error is the root of the variance: four times the batch halves it. Without replacement it is a little less still (see "Does it hold?"), and 0 when the batch is everything.
#
# ### How near does one get?
#
# Put both together. On one axis of the bowl, a step multiplies the distance by $1 - \eta h$ and adds $\eta$ times a random error with variance $\sigma^2 / B$. Let $V_t$ be the squared distance from the minimum after step $t$, averaged over the draws of batches:

# %% tags=["fold"] name="derive-ball"
# Derivation 5: where shrinking and noise balance.
def growth(rng, size, eta, h, V, sigma, B):  # of the squared distance, in one step
    theta = rng.normal(0, V**0.5, size)
    g = h * theta + rng.normal(0, sigma / B**0.5, size)
    return SGD(eta).update(theta, g, SGD(eta).init(theta))[0] ** 2 - V

(
    derive("V_t - V_{t-1}", "(1 - eta*h)**2 * V + eta**2 * sigma**2 / B - V",
           "the error is 0 on average and independent of the place",
           {"eta": eta, "h": h, "V": V, "sigma": sigma, "B": B_},
           ranges={eta: (0.05, 0.8), h: (0.5, 2)})
    .expects("SGD(eta).update(theta, h * theta + error)", growth,
             "the library's step, random places and errors")
    .equals("eta**2 * sigma**2 / B - eta*h * (2 - eta*h) * V", "noise in, shrinking out")
    .zero_at(V, "eta * sigma**2 / (B*h * (2 - eta*h))", "**the noise ball**")
)

# %% [markdown] name="ball-reading"
# Far out, $V_{t-1}$ is large and the second term wins: the way leads in. At the value of the last line both terms are equal, and on average nothing changes any more. Call this value $V$. The parameters then wander about in a cloud around the minimum, the **noise ball**. What some steps gain, others must lose. **That is the answer to the question.** (That gains and losses balance is derived. That about half of the steps lose is counted.)
#
# For a small rate, $2 - \eta h$ is nearly 2, and $V$ is nearly proportional to $\eta / B$. Let us measure. Each bar changes one thing against the second one:

# %% tags=["fold"] name="ball-bars"
# The root of the mean squared distance from the minimum, steps 200 to 1200.
def width(x, y, B, lr, seed):
    thetas, _ = sgd(x, y, B, lr, 1200, seed)
    return np.sqrt(np.mean(np.sum((thetas[200:] - lowest(x, y)) ** 2, axis=1)))

cases = {"batch 2, rate 0.1": (2, 0.1), "batch 8, rate 0.1": (8, 0.1),
         "batch 32, rate 0.1": (32, 0.1), "batch 8, rate 0.025": (8, 0.025)}
runs = [*zip(problems, setting.seeds, strict=True)]
widths = {name: np.array([width(*p, *case, s) for p, s in runs]) for name, case in cases.items()}
plots.bars(
    {name: plots.band(w) for name, w in widths.items()},
    "root mean square distance from the minimum",
    "Four bars. Batch 2: 0.28. Batch 8: 0.12. Batch 32: 0.06. Batch 8 at a quarter of the rate: "
    "0.06 too.",
    title="How wide is the noise ball? (line: lowest to highest seed)",
)

# %% tags=["fold", "nbval-ignore-output"] name="ball-numbers"
# The same as ratios, seed by seed.
other = {"four times the batch": "batch 32, rate 0.1",
         "a quarter of the rate": "batch 8, rate 0.025"}
for what, name in other.items():
    r = widths["batch 8, rate 0.1"] / widths[name]
    print(f"{what}: the ball is {np.median(r):.1f} times narrower ({r.min():.1f} to {r.max():.1f})")
    assert r.min() > 1.4 and r.max() < 3

# %% [markdown] name="code"
# Four times the batch, or a quarter of the rate: each alone halves the ball, as derived. The price differs. A larger batch reads more examples for each step. A smaller rate needs more steps to get there. With a rate that falls slowly towards 0, the ball shrinks on and on (Robbins and Monro 1951; measured under "Does it hold?").
#
# ## Code

# %% name="source"
show(SGD)

# %% [markdown] name="source-reading"
# `weight_decay` is a penalty that we leave at 0. The state is a count of steps; plain SGD remembers nothing else. It is the most basic optimizer, as the article says.
#
# ### Who computes the gradient?
#
# The article says that the optimizer computes it. It does not. PyTorch's *autograd*, which takes derivatives, fills in the gradient. A training step has five calls, and only two of them are the optimizer's:

# %% name="training-step"
model = torch.nn.Linear(2, 1, bias=False, dtype=torch.float64, device=setting.device)
torch.nn.init.zeros_(model.weight)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for batch in batches:  # of the first picture
    inputs, truth = (torch.tensor(a[batch], device=setting.device) for a in (x, y))
    pred = model(inputs)[:, 0]  # the model's: predictions
    loss = ((pred - truth) ** 2).mean()  # the loss's: one number
    optimizer.zero_grad()  # the optimizer's: forget the gradient of the step before
    loss.backward()  # autograd's: HERE the gradient is computed
    optimizer.step()  # the optimizer's: theta <- theta - lr * gradient

# %% tags=["fold"] name="training-step-same"
# The same path as in the first picture?
theirs = model.weight.detach().cpu().numpy()[0]
assert np.allclose(theirs, visited[-1], rtol=1e-9)
Table(["after 300 steps", "body mass index", "blood pressure"],
      [["PyTorch's loop", *theirs], ["ours", *visited[-1]]])

# %% [markdown] name="parity-with-pytorch"
# The article's list of steps is this loop: (1) choose the first $\theta$; (2) repeat: a. draw a batch, b. compute its gradient, c. take the step; (3) stop.
#
# ## Parity
#
# After 50 steps the library's SGD and `torch.optim.SGD` agree to rounding: plain steps, weight decay and maximize (steps uphill), in four number formats.

# %% tags=["fold-all", "nbval-ignore-output"] name="parity"
# Parity with PyTorch: the largest relative difference after 50 steps.
parity.table("SGD", setting.device)

# %% [markdown] name="play"
# ## Play
#
# The learning rate stays at 0.1. Move the batch size, from 1 to all patients. Each dot is where one of the last 200 steps of one run ended; the cross is the minimum. The sentence below the picture gives medians over the seeds.
#
# 1. The formula says that the ball halves when the batch is four times as large. From 64 to 256 it shrinks by much more. Why?
# 2. At which batch sizes do about half of the steps go up? Does a larger batch change that?

# %% tags=["fold"] name="play-picture"
# The figure to move: the noise ball for batch sizes from 1 to all.
fig, (ax,) = plots.panels()
fig.set_size_inches(4.7, 3.1)
plots.draw_contours(ax, bowl, ((best[0] - 1, best[0] + 1), (best[1] - 0.9, best[1] + 0.9)),
                    "The last 200 of 400 steps, rate 0.1")
ax.lines[0].set(marker="+", ms=14, mew=0.9)  # the star would hide the smallest balls

def ball(ax, B):
    last = [sgd(*p, B, 0.1, 400, s)[0][-200:] for p, s in runs]
    ax.plot(*last[0].T, "C0.", ms=4, alpha=0.6, zorder=4)
    far = [np.sqrt(np.mean(np.sum((t - lowest(*p)) ** 2, axis=1)))
           for t, p in zip(last, problems, strict=True)]
    rise = [np.mean(np.diff(gap(t, *p)) > 1e-12) for t, p in zip(last, problems, strict=True)]
    far = f"{np.median(far):.2g}" if max(far) > 1e-6 else "0"
    return (f"Medians over {len(runs)} seeds: the root mean square distance from the minimum is "
            f"{far}, and {np.median(rise):.0%} of the steps raise the objective.")

plots.moving(
    fig, "batch size", [1, 2, 4, 8, 16, 32, 64, 128, 256, N], ball, start=4,
    alt="Contours of a bowl with 200 dots around its minimum, a cross: a round cloud, densest in "
    "the middle, nearly all within 0.4 of the cross.",
)

# %% [markdown] name="play-reading"
# <details><summary>Answers</summary>
#
# 1. The formula is for draws with replacement. Without replacement, 256 of 310 patients are nearly everybody, and nearly everybody knows nearly everything. "Does it hold?" derives the factor. At 310 the ball is a point.
# 2. At all but 310. The ball shrinks, and inside the smaller ball the same balance holds: about half of the steps go up. So "how often does it go up?" tells that the ball is reached, and not how wide it is.
#
# </details>
#
# The article says that the loss falls gradually until the optimum. That holds for gradient descent with all examples and a rate below the edge. With batches at a rate of 0.1 the objective falls to the noise ball and stays in it. Batches of one have a wider ball. At 0.3 they even end above the start ("Does it hold?").
#
# ## What breaks
#
# An **epoch** is one pass through all examples. Most programs do not draw batches at random: they cut a shuffled list into batches and shuffle again for the next epoch. PyTorch's `DataLoader` does so only when asked, with `shuffle=True`. Unasked, it walks through the data in the order in which they are stored.
#
# Suppose that somebody has sorted the patients by the progress of their disease, and forgets to shuffle. Each epoch then begins with the mildest cases and ends with the gravest. Left, the last of 30 epochs; right, the gap in the last three:

# %% tags=["fold"] name="sorted"
# Epochs of batches of eight, in an order that is asked for anew in each epoch.
def walk(x, y, order, lr=0.1, epochs=30, losses=None):
    def passes():
        for _ in range(epochs):
            yield from np.split(order(), range(8, len(x), 8))
    todo, steps = passes(), epochs * -(-len(x) // 8)
    def of_next(theta):
        batch = next(todo)
        if losses is not None:  # the batch's own, as a training loop shows them
            losses.append(np.mean((x[batch] @ theta - y[batch]) ** 2))
        return gradient(theta, x[batch], y[batch])
    return np.array(descend(np.zeros(2), SGD(lr), of_next, steps))

rng = np.random.default_rng(seed)
orders = {"shuffled": lambda: rng.permutation(N), "sorted": lambda: np.argsort(y)}
walks = {name: walk(x, y, order) for name, order in orders.items()}

# %% tags=["fold"] name="sorted-picture"
# The last epoch of both as a path, and the gap in the last three epochs.
fig, (left, right) = plots.panels(2)
fig.set_size_inches(7.2, 2.7)
plots.draw_contours(left, bowl, ((-0.2, 1.2), (-0.3, 0.8)), "The 30th epoch")
plots.draw_trails(left, {name: path[-40:] for name, path in walks.items()})
last = {name: gap(path[-118:], x, y) for name, path in walks.items()}
plots.draw_lines(right, 27 + np.arange(118) / 39, last, "epochs", "gap", "The last three epochs")
right.plot(range(27, 31), last["sorted"][::39], "ko", mfc="none", label="ends of epochs")
right.set(xticks=range(27, 31), ylim=(0, 0.5))
right.legend(ncols=2, loc="upper center", frameon=False)
plots.Picture(
    fig, "Left: contours of a bowl with two paths of 39 steps. Shuffled: a small tangle around the "
    "minimum. Sorted: a long trip, from far on the upper right in to the minimum and past it "
    "towards the lower left and out again. Right: the gap over three epochs. Shuffled: low all the "
    "time. Sorted: the same two hills in every epoch; the ends of epochs lie high, all at one "
    "height.",
)

# %% tags=["fold", "nbval-ignore-output"] name="sorted-numbers"
# The gap at the ends of epochs 11 to 30, the batches' losses, and where the last epoch leads.
def ends(order_of, lr, epochs, all_steps=False):
    found = []
    for s, (x_s, y_s) in zip(setting.seeds, problems, strict=True):
        path = walk(x_s, y_s, order_of(np.random.default_rng(s), y_s), lr, epochs)
        each = len(path) // epochs
        found.append(gap(path[11 * each :: 1 if all_steps else each], x_s, y_s).mean())
    return np.array(found)

habits = {"shuffled": lambda rng, y: lambda: rng.permutation(len(y)),
          "sorted": lambda rng, y: lambda: np.argsort(y)}
sizes = {name: ends(habit, 0.1, 30) for name, habit in habits.items()}
before = np.array([gap(np.zeros(2), *p) for p in problems])

def spread(g):
    return f"{np.median(g):.2g} ({g.min():.2g} to {g.max():.2g})"

print(f"before training: the gap is {spread(before)}")
for name, g in sizes.items():
    print(f"{name}: at the ends of epochs 11 to 30 it is {spread(g)}")
shown = {}
for name, habit in habits.items():
    kept = [[] for _ in runs]
    for (p, s), losses in zip(runs, kept, strict=True):
        walk(*p, habit(np.random.default_rng(s), p[1]), losses=losses)
    shown[name] = np.mean(np.reshape(kept, (len(runs), 30, -1))[:, 10:], axis=(1, 2))
    print(f"{name}: the batches' own losses in epochs 11 to 30, mean: {spread(shown[name])}")
assert (shown["sorted"] < shown["shuffled"] - 0.03).all()
lasts = [walk(*p, lambda p=p: np.argsort(p[1]))[-40:] for p in problems]
trips = np.array([gap(t, *p) for t, p in zip(lasts, problems, strict=True)])
print(f"sorted, within the 30th epoch: lowest {spread(trips.min(axis=1))}")
print("sorted, the sum of both parameters minus that at the minimum:")
sums = np.array([np.sum(t - lowest(*p), axis=1) for t, p in zip(lasts, problems, strict=True)]).T
for when, k in {"at the start of the epoch": 0, "after the mildest third": 13,
                "after the middle third": 26, "after the gravest third": 39}.items():
    print(f"  {when}: {np.median(sums[k]):.2f} ({sums[k].min():.2f} to {sums[k].max():.2f})")
assert (sums[0] > 0.3).all() and (sums[13] < sums[0] / 2).all() and (sums[26] < -0.3).all()
assert np.allclose(sums[0], sums[39]) and (trips.min(axis=1) < trips[:, -1] / 10).all()
assert (sizes["sorted"] > 4 * sizes["shuffled"]).all()
assert (sizes["sorted"] > 0.1 * before).all()

# %% [markdown] name="breaks-reading"
# Sorted, each epoch is the same long trip. It begins where the last one ended, at parameters that are too large. The mildest third leads in to the minimum, the middle third leads on past it, and the gravest third leads out again. The gravest have the last word. At the ends of epochs the gap is still 0.28; before training it was 0.39. A smaller rate leaves less ("Does it hold?").
# A shuffled batch errs, and the next one errs another way, so that errors cancel. In sorted data the next batch errs to the same side. **The signature: the loss of all patients, computed at the ends of epochs, stands still, far too high. The batches' own losses do not show it: their mean is even lower than that of shuffled data. The cure: `shuffle=True`.**
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. How many steps? (6 minutes, medium)
# A model with one parameter: its prediction is $\theta x$, its loss the mean squared error of all examples. How many steps of gradient descent does it take until the distance from the minimum is at most `share` of what it was at the start? `x` holds the inputs. The rate is between 0 and the edge, and is not $1/h$. Only NumPy.

# %% name="exercise-steps"
def steps_needed(lr, x, share):
    ### BEGIN SOLUTION
    factor = abs(1 - lr * 2 * (x**2).mean())
    return np.ceil(np.log(share) / np.log(factor))
    ### END SOLUTION

# %% name="check-steps"
check("steps_needed")

# %% [markdown] name="exercise-epoch-text"
# <details><summary>Hint 1</summary>What is the curvature? The text above the movable bowls says it. By which factor does one step multiply the distance? And n steps?</details>
# <details><summary>Hint 2</summary>Take the logarithm of factor ** n = share. A negative factor has no logarithm: what matters is its size. Steps are whole.</details>
#
# ### 2. Training itself (12 minutes, medium)
# Write one epoch of SGD, from the formula to the step. The prediction is `x @ theta`, the loss the mean squared error of the batch. `order` is the shuffled array of all indices; cut it into consecutive batches of `B`, the last may be smaller. Take a step after each batch and return the last `theta`. Only NumPy.

# %% name="exercise-epoch"
def train_epoch(theta, x, y, order, B, lr):
    ### BEGIN SOLUTION
    for i in range(0, len(order), B):
        batch = order[i : i + B]
        r = x[batch] @ theta - y[batch]
        theta = theta - lr * 2 * x[batch].T @ r / len(batch)
    return theta
    ### END SOLUTION

# %% name="check-epoch"
check("train_epoch")

# %% [markdown] name="exercise-edge-text"
# <details><summary>Hint 1</summary>A loop over <code>range(0, len(order), B)</code>; the batch is <code>order[i : i + B]</code>, and <code>x[batch]</code> are its rows.</details>
# <details><summary>Hint 2</summary>The slope of one squared error by its prediction is 2 (prediction - truth); the chain rule multiplies it by the patient's row of x. <code>x[batch].T @ r</code> adds up over the batch. What makes a mean of the sum?</details>
#
# ### 3. The edge of a single example (8 minutes, hard)
# At a rate of 0.1, batches of eight kept their promise: each step lowered the loss of its own eight. Now take batches of *one*. Up to which learning rate does a step on one example lower that example's own squared error, whichever of the `N` is drawn? `x` has the shape `(N, d)`.
# Find it out: with `theta` and an example of your choice, compute the error before and after a step. Then write the formula.

# %% name="exercise-edge"
def single_edge(x):
    ### BEGIN SOLUTION
    return 1 / (x**2).sum(axis=1).max()
    ### END SOLUTION

# %% name="check-edge"
check("single_edge")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Call the row x and the error r = x·theta - y. The step subtracts 2 lr r x from theta. What is the new error? By which factor was r multiplied?</details>
# <details><summary>Hint 2</summary>The factor is 1 - 2 lr (x·x). Between which two numbers must it lie? Which of the N examples is the first to break it?</details>
#
# ## Takeaways
#
# - A step multiplies the distance from the minimum of a parabola by $1 - \eta h$. The steepest axis sets the edge for all: $2 / h_{\max}$.
# - A batch's gradient is right on average, and its error keeps the parameters in a noise ball around the minimum. A larger batch narrows the ball, and so does a smaller rate.
# - Do not use plain SGD where curvatures differ much: the steepest axis sets the rate, and the flattest waits.
#
# ## Does it hold?
#
# **The size of the ball**, derived for a parabola with a fixed noise. On the patients' bowl, with the noise of single patients at the minimum, the mean squared distance along both axes together:

# %% tags=["fold", "nbval-ignore-output"] name="control-ball"
# Measured over derived, seed by seed; each row changes one thing against the second.
def derived(x, y, B, lr):
    each = 2 * x * (x @ lowest(x, y) - y)[:, None]
    h, along = np.linalg.eigh(2 * x.T @ x / len(x))
    noise = (each @ along).var(axis=0) / B * (len(x) - B) / (len(x) - 1)
    return np.sum(lr * noise / (h * (2 - lr * h)))

rows = []
for name, (B, lr) in cases.items():
    r = widths[name] ** 2 / [derived(*p, B, lr) for p in problems]
    rows.append([name, f"{np.median(r):.2f} ({r.min():.2f} to {r.max():.2f})"])
    assert r.min() > 0.5 and r.max() < 2
Table(["", "V measured / V derived, median (range over seeds)"], rows)

# %% [markdown] name="control-without-text"
# With two patients in a batch the ball is somewhat wider than derived: farther from the minimum the errors are larger, and so is the noise.
#
# **Without replacement.** An example is in the batch (1) or not (0). This number has the variance $\frac BN (1 - \frac BN)$. Their sum is always $B$, so the variance of the sum is 0, and each pair has the covariance (the mean of the product of both deviations) $-\frac BN (1 - \frac BN) / (N - 1)$. With $u_n = g_n - \bar g$, the gradients minus their mean:

# %% tags=["fold"] name="derive-without"
# Derivation 6: the noise of a batch drawn without replacement.
U, m = sp.IndexedBase("u", real=True), sp.Symbol("m", integer=True, positive=True)

def variance_over_all(g, B):
    return np.var([g[list(batch)].mean() for batch in combinations(range(len(g)), B)])

(
    derive(r"\operatorname{Var}[g]",
           "B/N*(1 - B/N)/B**2 * (Sum(u[n]**2, (n, 1, N))"
           "- (Sum(u[n], (n, 1, N))**2 - Sum(u[n]**2, (n, 1, N)))/(N - 1))",
           r"variances, and covariances of all pairs", [G, U, n, m, N_, B_],
           {N_: (3, 4)}, ranges={B_: (1, 3)}, means={U[n]: G[n] - sp.Sum(G[m], (m, 1, N_)) / N_},
           tex=r"\frac{\frac BN (1 - \frac BN)}{B^2} \Big( \sum_n u_n^2 "
               r"- \frac{1}{N - 1} \sum_{m \ne n} u_m u_n \Big)")
    .library("variance over all batches", variance_over_all,
             "all batches, one after the other", each=True)
    .equals("B/N*(1 - B/N)/B**2 * Sum(u[n]**2, (n, 1, N)) * N/(N - 1)",
            r"$\sum_{m \ne n} u_m u_n = (\sum u_n)^2 - \sum u_n^2$, and the $u_n$ sum to 0",
            tex=r"\frac{\frac BN (1 - \frac BN)}{B^2} \cdot \frac{N}{N - 1} \sum_n u_n^2")
    .equals("Sum(u[n]**2, (n, 1, N))/N/B * (N - B)/(N - 1)", r"$\sigma^2 = \frac1N \sum_n u_n^2$",
            tex=r"\frac{\sigma^2}{B} \cdot \frac{N - B}{N - 1}")
)

# %% [markdown] name="control-edge-text"
# **The edge**, with all ten measurements of the data, 2 % below and 2 % above it. All patients in each step, 2000 steps:

# %% tags=["fold", "nbval-ignore-output"] name="control-edge"
# The gap after 2000 steps over the gap at the start.
wide = [patients(s, slice(None)) for s in setting.seeds]
edges = [2 / np.linalg.eigvalsh(2 * x_s.T @ x_s / len(x_s))[-1] for x_s, _ in wide]
rows = []
for factor in (0.98, 1.02):
    r = []
    for (x_s, y_s), edge in zip(wide, edges, strict=True):
        H_s, c_s, t = 2 * x_s.T @ x_s / len(x_s), 2 * x_s.T @ y_s / len(x_s), np.zeros(10)
        t = descend(t, SGD(factor * edge), lambda t, H=H_s, c=c_s: H @ t - c, 2000)[-1]
        r.append(gap(t, x_s, y_s) / gap(0 * t, x_s, y_s))
    rows.append([f"{factor} times the edge", f"{min(r):.0e} to {max(r):.0e}"])
    assert max(r) < 0.1 if factor < 1 else min(r) > 1e10
Table(["learning rate", "gap / gap at the start (range over seeds)"], rows)

# %% [markdown] name="control-curvatures-text"
# **Curvatures that differ.** How many steps with all patients until the gap is a thousandth of what it was, at the best of eight rates? Two measurements need a few. All ten, whose curvatures differ several hundredfold, need many times as many. The same ten, mixed so that all curvatures are equal, need one:

# %% tags=["fold", "nbval-ignore-output"] name="control-curvatures"
# The steepest curvature over the flattest, and the fewest steps at eight parts of the edge.
def fewest(x, y):
    h, counts = np.linalg.eigvalsh(2 * x.T @ x / len(x)), []
    for part in (0.3, 0.5, 0.7, 0.9, 0.95, 0.98, 0.99, 0.995):
        lr, start = part * 2 / h[-1], np.zeros(x.shape[1])
        g = gap(descend(start, SGD(lr), lambda t: gradient(t, x, y), 800), x, y)
        counts += [*np.flatnonzero(g <= g[0] / 1000)[:1]]
    return h[-1] / h[0], min(counts)

mixed = [(np.linalg.qr(x_s)[0] * len(x_s) ** 0.5, y_s) for x_s, y_s in wide]
found = {"two measurements": problems, "all ten": wide, "all ten, mixed": mixed}
found = {name: np.array([fewest(*p) for p in some]).T for name, some in found.items()}
assert (found["all ten"][1] > 5 * found["two measurements"][1]).all()
assert found["all ten, mixed"][1].max() == 1
Table(["", "curvatures, steepest / flattest (range over seeds)", "steps (range over seeds)"],
      [[name, *(f"{r.min():.3g} to {r.max():.3g}" for r in f)] for name, f in found.items()])

# %% [markdown] name="control-own-edge-text"
# **Batches of one.** A single patient's bowl has an edge of its own (exercise 3), and for many patients it lies below the edge of all. Take two measurements again, 1000 steps, and rates below the edge of all. All patients together arrive. Batches of one end above the start at 0.3, and are lost at 0.6:

# %% tags=["fold", "nbval-ignore-output"] name="control-own-edge"
# The gap of batches of one, median of steps 500 to 1000, and of all patients after 1000 steps.
rows, alone = [], {}
for lr in (0.1, 0.3, 0.6):
    above = np.array([np.mean(1 / (x_s**2).sum(axis=1) < lr) for x_s, _ in problems])
    g = np.array([gap(sgd(*p, 1, lr, 1000, s)[0][500:], *p) for p, s in runs])
    alone[lr] = np.median(g, axis=1)
    rest = max(gap(descend(np.zeros(2), SGD(lr), lambda t, p=p: gradient(t, *p), 1000)[-1], *p)
               for p in problems)
    assert rest < 1e-3
    rest = f"below {max(rest, 1e-12):.0e}"
    rows.append([f"{lr}", f"{np.median(above):.1%}", spread(alone[lr]), rest])
assert (alone[0.1] < before).all() and (alone[0.6] > 1e6).all()
assert np.median(alone[0.3]) > np.median(before)
Table(["rate", "patients whose own edge is lower", "gap, batches of 1: median (range over seeds)",
       "gap, all patients"], rows)

# %% [markdown] name="control-sorted-text"
# **Drawn, shuffled, sorted.** Draws with replacement take some patients twice and others not at all. A shuffled epoch takes each patient once, and its errors cancel. At a small rate its noise ball is narrower than that of the draws, at the ends of epochs above all. Sorted data stay behind:

# %% tags=["fold", "nbval-ignore-output"] name="control-sorted"
# The gap at the ends of epochs, at a tenth of the rate too.
drawn = {"drawn with replacement": lambda rng, y: lambda: rng.integers(len(y), size=len(y))}
habits = drawn | habits
sizes = {name: ends(habit, 0.1, 30) for name, habit in habits.items()}
slow = {name: ends(habit, 0.01, 60) for name, habit in habits.items()}
whole = {name: ends(habit, 0.01, 60, all_steps=True) for name, habit in habits.items()}
rows = [[name, *(spread(g[name]) for g in (sizes, slow, whole))] for name in habits]
assert np.median(slow["drawn with replacement"]) > 3 * np.median(slow["shuffled"])
assert np.median(whole["drawn with replacement"]) > 1.5 * np.median(whole["shuffled"])
assert (slow["sorted"] < sizes["sorted"] / 5).all()
assert (slow["sorted"] > 5 * slow["shuffled"]).all()
Table(["", "gap at the ends of epochs, rate 0.1: median (range over seeds)", "the same, rate 0.01",
       "gap at all steps, rate 0.01"], rows)

# %% [markdown] name="control-falling-text"
# **A falling rate.** Robbins and Monro let the rates fall slowly enough that their sum is infinite, and fast enough that the sum of their squares is finite. The first lets the steps cover any distance. The second keeps the noise that they add finite.
#
# $$\eta_t = \frac{0.1}{1 + t / 50} \qquad \sum_t \eta_t = \infty \qquad \sum_t \eta_t^2 < \infty$$
#
# At the constant rate the ball stays as it is. At the falling rate it shrinks, with batches of 8 from draws with replacement:

# %% tags=["fold", "nbval-ignore-output"] name="control-falling"
# The root mean square distance from the minimum, batches of 8.
def far(x, y, rate, s):
    rng, t = np.random.default_rng(s), iter(range(1, 3201))

    def of_next(theta):
        b = rng.integers(len(x), size=8)
        return rate(next(t)) * gradient(theta, x[b], y[b])

    d = descend(np.zeros(2), SGD(1.0), of_next, 3200) - lowest(x, y)
    return [np.mean(np.sum(d[n : 2 * n] ** 2, axis=1)) ** 0.5 for n in (100, 400, 1600)]

rates = {"constant, 0.1": lambda t: 0.1, "falling": lambda t: 0.1 / (1 + t / 50)}
fars = {name: np.array([far(*p, rate, s) for p, s in runs]).T for name, rate in rates.items()}
assert (fars["falling"][0] > 1.5 * fars["falling"][2]).all()
Table(["rate", "root mean square distance, steps 100 to 200: median (range)", "400 to 800",
       "1600 to 3200"],
      [[name, *map(spread, f)] for name, f in fars.items()])

# %% [markdown] name="control-exact-text"
# **No noise, no ball.** Replace each patient's truth by what the best model predicts. Then one $\theta$ fits every patient, and each batch has the same minimum. Batches of one, rate 0.02:

# %% tags=["fold", "nbval-ignore-output"] name="control-exact"
# The gap of single examples when the model can fit all of them.
rows = []
for s, (x_s, y_s) in zip(setting.seeds, problems, strict=True):
    exact = x_s @ lowest(x_s, y_s)
    thetas, _ = sgd(x_s, exact, 1, 0.02, 300, s)
    rows.append([f"seed {s}", *(f"{gap(thetas[t], x_s, exact):.0e}" for t in (0, 100, 300))])
    assert gap(thetas[300], x_s, exact) < 1e-3
Table(["", "gap at the start", "step 100", "step 300"], rows)

# %% [markdown] name="sources"
# ## Sources
#
# - A. Cauchy, 1847: *Méthode générale pour la résolution des systèmes d'équations simultanées*, Comptes rendus de l'Académie des sciences 25.
# - H. Robbins and S. Monro, 1951: *A stochastic approximation method*, Annals of Mathematical Statistics 22, 400–407 (with the conditions on a falling rate).
# - Y. Nesterov, 2004: *Introductory lectures on convex optimization: a basic course*.
# - L. Bottou, F. Curtis and J. Nocedal, 2018: *Optimization methods for large-scale machine learning*, SIAM Review 60 (the noise ball, section 4).
# - The data: B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, 2004: *Least angle regression*.
