# ---
# jupyter:
#   lesson:
#     title: "How far may a step go?"
#     question: "The loss shoots up to several times its value, again and again, and ends below that of the careful run. Luck?"
#     minutes: 45
#     needs: [03_algorithms/03_sgd]
#     settles: [G12]
#     studies: [optim.SGD, losses.binary_cross_entropy]
#     terms: [sharpness, progressive sharpening, edge of stability]
# ---

# %% [markdown] name="goal"
# # How far may a step go?
#
# **Goal.** Derive how far a gradient can be trusted on any objective, and see what a network does where the trust ends.
#
# **The question.** A small network learns from 150 patients. One run takes careful steps, the other takes steps four times as long. Both start at the same point, and every step sees all patients: there is no noise, and nothing is drawn at random.

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, data, exercises, plots
from lessons_lib.derive import derive
from lessons_lib.losses import binary_cross_entropy
from lessons_lib.optim import SGD, Momentum, descend
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("04_mathematics/05_how_far_may_a_step_go")

# %% tags=["fold"] name="network"
# The network: 10 measurements, 10 units of tanh, 1 output; its 121 parameters stand in one row.
drawn = [data.diabetes(s) for s in setting.seeds]
x = np.stack([d.x[:150] for d in drawn])  # (seeds, 150, 10)
y = np.stack([(d.y[:150] - d.y[:150].mean()) / d.y[:150].std() for d in drawn])[..., None]

def start_at(s, n_in=10, units=10, n_out=1):
    rng = np.random.default_rng(s)
    first, last = rng.normal(size=n_in * units), rng.normal(size=units * n_out)
    return 0.7 * np.r_[first / n_in**0.5, 0 * rng.normal(size=units), last / units**0.5,
                       np.zeros(n_out)]

def objective(theta, x=x, y=y, units=10):  # the mean squared error, and its gradient
    n_in, n_out, many = x.shape[-1], y.shape[-1], theta.shape[:-1]
    cuts = np.cumsum([n_in * units, units, units * n_out])
    W, b, V, c = np.split(theta, cuts, axis=-1)
    V = V.reshape(*many, units, n_out)
    a = np.tanh(x @ W.reshape(*many, n_in, units) + b[..., None, :])
    r = a @ V + c[..., None, :] - y
    e = 2 * r / r.shape[-2]
    back = e @ V.mT * (1 - a**2)
    g = [(x.mT @ back).reshape(W.shape), back.sum(-2), (a.mT @ e).reshape(*many, -1), e.sum(-2)]
    return (r**2).sum(-1).mean(-1), np.concatenate(g, axis=-1)

# %% tags=["fold"] name="runs"
# Four runs for every seed; beside the loss the sharpness (explained below), measured every 5 steps.
def unit(v):
    return v / np.linalg.norm(v, axis=-1, keepdims=True)

def bend(theta, v, of=objective):  # the Hessian times v, from two gradients
    return (of(theta + 1e-4 * v)[1] - of(theta - 1e-4 * v)[1]) / 2e-4

def steepest(theta, rounds, of=objective, v=None):  # the direction, and the curvature along it
    v = np.random.default_rng(0).normal(size=theta.shape) if v is None else v
    for _ in range(rounds):
        v = unit(bend(theta, v, of))
    return v, (v * bend(theta, v, of)).sum(-1)

def follow(theta, lr, steps, of=objective, change=None, rule=None, every=5, rounds=8):
    (v, S), seen = steepest(theta, 30, of), []

    def step(theta):
        nonlocal v, S
        J, g = of(theta)
        if len(seen) % every == 0:
            v, S = steepest(theta, rounds, of, v)
        seen.append((J, S))
        return lr * (change(theta, g, v, S) if change else g)

    descend(theta, rule or SGD(1.0), step, steps)
    return np.array(seen).swapaxes(0, 1)  # loss and sharpness: each (steps, ..., seeds)

rates = np.array([0.05, 0.15, 0.2, 0.3])
begin = np.stack([start_at(s) for s in setting.seeds])
J, S = follow(np.broadcast_to(begin, (4, *begin.shape)), rates[:, None, None], 2000)
careful, bold = J[:, 0], J[:, 2]  # (steps, seeds)
assert np.isfinite(J).all()

# %% tags=["fold"] name="question-picture"
# The two runs of the first seed.
picture = plots.lines(
    np.arange(2000), {"careful, rate 0.05": careful[:, 0], "bold, rate 0.2": bold[:, 0]},
    "step", "mean squared error (log)",
    "Two curves over 2000 steps on a logarithmic axis. The careful run falls smoothly from 0.7 to "
    "0.16. The bold run lies below it, but for some sharp spikes between steps 250 and 1000, the "
    "highest of which is above the start. Later spikes are lower, and it ends at 0.08.",
    title="The loss of the 150 patients", log="y",
)
picture.fig.set_size_inches(6.2, 2.9)
picture

# %% tags=["fold", "nbval-ignore-output"] name="question-numbers"
# Spikes and ends, over the seeds.
def spread(values, form=".2g"):
    return f"{np.median(values):{form}} ({np.min(values):{form}} to {np.max(values):{form}})"

height = (bold / np.minimum.accumulate(bold))[100:].max(0)
print(f"highest spike / lowest loss before it: {spread(height)}")
print(f"loss after 2000 steps: careful {spread(careful[-1])}, bold {spread(bold[-1])}")
print(f"bold / careful, seed by seed: {spread(bold[-1] / careful[-1])}")

# %% tags=["fold"] name="question-verdict"
# The bold run leaps up, and ends lower.
assert height.min() > 2 and np.median(bold[-1] / careful[-1]) < 0.7
assert (bold[-1] / careful[-1]).max() < 0.9

# %% [markdown] name="question-reading"
# The bold run shoots up to several times its value, comes down, and shoots up again. After 2000 steps its loss is far below the careful run's, for every seed. Is that luck?
#
# (The data: diabetes patients of Efron and others, 2004; they come with scikit-learn, BSD licence. In brackets: lowest to highest of five seeds; each draws other patients and another start. This lesson looks at the training loss alone; what new patients gain is another question.)
#
# [Stochastic gradient descent](../03_algorithms/03_sgd.ipynb) derived for a parabola: beyond the learning rate $2/h$, the edge, every jump lands higher than the last. A run that leaps up has crossed its edge. It should never come back.
#
# ## The idea, drawn
#
# A network is no parabola. Begin with something in between: logistic regression, the [one-layer model](../03_algorithms/01_binary_cross_entropy.ipynb) that tells benign tumours from malignant ones by 30 measurements. Stand at a point, look along the step, and draw the loss over the learning rate. The gradient knows one thing about this curve: its slope at the left end.
#
# How far does the slope tell the truth? As long as it has not changed much, and curvature is how fast it changes. Take a parabola that starts with the same height and slope and bends everywhere *at least as much* as the curve does. The curve never gets above it. **Move the learning rate.**

# %% tags=["fold"] name="tumours"
# Logistic regression on the tumours, the largest curvature L, and points on the way of training.
tumours = data.breast_cancer(seed)
X = np.c_[np.ones(len(tumours.x)), tumours.x]  # a column of ones for the bias
labels = tumours.y.astype(float)
N = len(X)
L = np.linalg.eigvalsh(X.T @ X)[-1] / (4 * N)

def logistic(theta):
    return binary_cross_entropy(X @ theta, labels).value.mean()

def slopes(theta):  # of the objective
    return X.T @ binary_cross_entropy(X @ theta, labels).grad / N

way = descend(np.zeros(31), SGD(1 / L), slopes, 100)

def along(theta, lr):  # the loss after a step; the parabola
    g = slopes(theta)
    return (np.array([logistic(theta - eta * g) for eta in lr]),
            logistic(theta) - lr * (1 - L * lr / 2) * (g @ g))

# %% tags=["fold"] name="promise"
# The figure to move: the loss along the first step and along step 11, with the parabola above it.
places = {"the first step": way[0], "step 11": way[10]}
spots = np.linspace(0, 3 / L, 61)
fig, axes = plots.panels(2)
fig.set_size_inches(8.0, 3.2)
for ax, (name, place) in zip(axes, places.items(), strict=True):
    curve, bound = along(place, spots)
    ax.plot(spots, curve, color="C0", label="the loss")
    ax.plot(spots, bound, "--", color="C1", label="the parabola")
    ax.axhline(curve[0], color="0.6", lw=1, zorder=0)
    reach = curve[0] - curve.min()
    ax.set(xlabel="learning rate", ylabel="loss after the step (nats)", title=name,
           ylim=(curve[0] - 1.3 * reach, curve[0] + 0.45 * reach))
    ax.legend(fontsize=8, loc="lower left")

def move(first, later, lr):
    told = []
    for ax, (name, place) in zip((first, later), places.items(), strict=True):
        (before, real), (_, bound) = along(place, np.array([0.0, lr]))
        ax.plot(lr, real, "o", color="C0", ms=7)
        ax.plot(lr, bound, "s", color="C1", ms=6)
        if (promised := before - bound) > 1e-9:
            told.append(f"{name}: promised a fall of {promised:.2g}, it is {before - real:.2g}")
        else:
            told.append(f"{name}: promised no fall, it is {before - real:.2g}")
    return "; ".join(told).capitalize() + "."

plots.moving(
    fig, "learning rate", [*np.round(np.arange(0.04, 0.85, 0.04), 2)], move, start=0.28,
    alt="Two panels: the loss after a step over the learning rate, below a dashed parabola with "
    "the same slope at the left end. Left, the first step: curve and parabola part slowly; the "
    "parabola is lowest at 0.3 and back at its start at 0.6, where the loss still falls. Right, "
    "step 11: the loss is nearly a straight line and leaves the parabola at once.",
)

# %% tags=["fold"] name="promise-numbers"
# The parabola's numbers, and how far the loss really falls.
wide = np.geomspace(0.1, 3000, 2000) / L
rows = []
for k in (0, 10, 100):
    curve, _ = along(way[k], wide)
    back = wide[np.flatnonzero(curve < logistic(way[k]))[-1]]
    p_there = binary_cross_entropy(X @ way[k], labels).grad + labels
    most = np.linalg.eigvalsh((X.T * (p_there * (1 - p_there))) @ X / N)[-1]
    rows.append([k + 1, wide[curve.argmin()], back, most])
print(f"largest curvature L = {L:.2f}: the parabola is lowest at 1/L = {1 / L:.2f},")
print(f"and back at its start at 2/L = {2 / L:.2f}")
assert rows[0][2] > 5 * 2 / L and rows[1][2] > 30 * 2 / L and rows[0][1] > 2 / L
assert abs(rows[0][3] / L - 1) < 1e-6 and rows[1][3] < L / 2
Table(["step", "rate with the lowest loss", "the loss is back at its start at the rate",
       "largest curvature before the step"],
      [[k, f"{a:.1f}", f"{b:.0f}", f"{c:.2g}"] for k, a, b, c in rows])

# %% [markdown] name="promise-reading"
# (The data: tumours from scikit-learn, CC BY 4.0.)
#
# 1. At which rate does the parabola promise most? At which rate does it promise nothing any more?
# 2. Which of the two steps keeps the promise more generously?
#
# <details><summary>Answers</summary>
#
# 1. Most at $1/L$, about 0.3. Nothing at $2/L$, about 0.6.
# 2. Step 11. There the loss is nearly a straight line, and the gradient could be trusted far beyond the picture.
#
# </details>
#
# The curve never rises above the parabola. What is promised is kept, and more. But the parabola is cautious: in the first step the loss would fall up to a rate many times $2/L$.
#
# ## Formula
#
# Let $L$ be a number that the curvature nowhere exceeds on the way of the step, in the direction of the step. Then
#
# $$J(\theta - \eta\, g) \;\le\; J(\theta) - \eta \left(1 - \frac{L \eta}{2}\right) |g|^2$$
#
# This is the *descent lemma*. It asks for a bounded curvature, and for no parabola, no valley, no single minimum.
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $g$ | `g` | `(d,)` | the gradient at $\theta$, of the objective $J$ |
# | $\vert g\vert^2$ | `g @ g` | a number | the squared length of the gradient, the sum of its squares |
# | $h(u)$ | | a number | the curvature in the direction of the step, at the learning rate $u$ on the way |
# | $L$ | `L` | a number | a bound of it: $h(u) \le L$ for all $u$ up to $\eta$ |
#
# ## Derivation
#
# ### The promise
#
# Walk along the step, from the learning rate 0 to $\eta$, and call the place $u$. Your height is $J(\theta - u\, g)$. At the start it falls with the slope $-|g|^2$: each parameter moves by $-g_i$ per unit of $u$ and contributes the slope $g_i$, so the sum is $-\sum_i g_i^2$. From there the curvature $h$ changes the slope, by $h(u)\, |g|^2$ per unit of $u$. (A unit of $u$ is $|g|$ long, and a second derivative counts the length twice.)

# %% tags=["fold"] name="derive-promise"
# Derivation 1: the descent lemma. To check it, h(u) is a cosine, up and down, never above L.
u, w = sp.symbols("u w", nonnegative=True)
eta, bound = sp.symbols("eta L", positive=True)
length = sp.Symbol(r"{\vert g\vert}", positive=True)
a, b, q, k = sp.symbols("a b q k", real=True)
h, slope, p = sp.Function("h"), sp.Function("slope"), sp.Symbol("p", real=True)

def promise_kept():  # the library's step on the library's loss: 1000 random sets of data and rates
    rng, kept = np.random.default_rng(0), []
    for _ in range(1000):
        data_x, target = rng.normal(size=(6, 3)), rng.integers(0, 2, 6) * 1.0
        theta, top = 3 * rng.normal(size=3), np.linalg.eigvalsh(data_x.T @ data_x)[-1] / 24
        before = binary_cross_entropy(data_x @ theta, target)
        grad, lr = data_x.T @ before.grad / 6, rng.uniform(0.1, 3) / top
        after, _ = SGD(lr).update(theta, grad, SGD(lr).init(theta))
        fall = (before.value - binary_cross_entropy(data_x @ after, target).value).mean()
        promised = lr * (1 - top * lr / 2) * (grad @ grad)
        kept.append(fall >= promised - 1e-12 and (fall > 0 or lr >= 2 / top))
    return all(kept)

(
    derive(r"J(\theta - \eta g) - J(\theta)",
           "Integral(slope(u), (u, 0, eta))", "the height is the sum of all slopes on the way",
           {"eta": eta, "L": bound, "G": length, "u": u, "w": w, "h": h, "slope": slope,
            "a": a, "b": b},
           means={slope(u): -length**2 + sp.Integral(h(w) * length**2, (w, 0, u)),
                  h(u): bound * sp.cos(a * u + b)},
           tex=r"\int_0^\eta (\text{slope at } u)\, du")
    .equals("Integral(-G**2 + Integral(h(w) * G**2, (w, 0, u)), (u, 0, eta))",
            "a slope is the first one and the sum of all curvatures since",
            tex=r"\int_0^\eta \Big( -|g|^2 + \int_0^u h(w)\, |g|^2\, dw \Big)\, du")
    .at_most("Integral(-G**2 + Integral(L * G**2, (w, 0, u)), (u, 0, eta))",
             "$h(w) \\le L$ everywhere on the way",
             tex=r"\int_0^\eta \Big( -|g|^2 + \int_0^u L\, |g|^2\, dw \Big)\, du")
    .equals("Integral(-G**2 + L*u * G**2, (u, 0, eta))", "a constant over a length",
            tex=r"\int_0^\eta \left( -1 + L u \right) |g|^2\, du")
    .equals("-eta * (1 - L*eta / 2) * G**2", "**the descent lemma**",
            tex=r"-\eta \left(1 - \frac{L \eta}{2}\right) |g|^2")
    .law("No step of the library's `SGD` on `binary_cross_entropy` ends above this line; below "
         "$2/L$ every one goes down.", "the promise is kept", "1000 random sets of data, rates up "
         "to $3/L$", promise_kept)
)

# %% [markdown] name="promise-derived"
# The bracket is positive up to $\eta = 2/L$: **shorter steps go down, whatever the objective.** And $\eta (1 - L\eta/2)$ is largest at $\eta = 1/L$, where half is lost to the curvature and $|g|^2 / (2L)$ is left.
#
# ### Where does one get L?
#
# For logistic regression, with a pencil. The slope of binary cross-entropy by the logit $z$ is $p - y$, as [derived in its lesson](../03_algorithms/01_binary_cross_entropy.ipynb), with $p$ the sigmoid of $z$. Its slope is the curvature:

# %% tags=["fold"] name="derive-curvature"
# Derivation 2: the curvature of binary cross-entropy.
z, target = sp.symbols("z y", real=True)
(
    derive(r"\ell'(z)", "p - y", "prediction minus label",
           {"z": z, "y": target, "p": p}, means={p: 1 / (1 + sp.exp(-z))}, ranges={target: (0, 1)})
    .library("binary_cross_entropy(z, y).grad", lambda z, y: binary_cross_entropy(z, y).grad)
    .slope(z, "p * (1 - p)", "the label is gone; the sigmoid has this slope")
    .at_most("1/4", "two numbers with the sum 1: the product is largest at $\\frac12$, $\\frac12$")
)

# %% [markdown] name="curvature-reading"
# Go along a direction $v$ of length 1. The logit of example $n$ changes by $x_n \cdot v$ per unit, so the curvature of the mean loss is
#
# $$\frac1N \sum_{n} p_n (1 - p_n)\, (x_n \cdot v)^2 \;\le\; \frac{1}{4N} |X v|^2 \;\le\; \frac{\lambda_{\max}}{4N} = L$$
#
# where $\lambda_{\max}$, the largest eigenvalue of $X^\top X$, is the largest value that $|Xv|^2$ can have. `np.linalg.eigvalsh` computes it. The bound is reached where the model knows nothing, at $p = \frac12$: at the start. Later $p$ comes near 0 or 1 and the curvature fades (last column of the table above). **L is the curvature at the worst place, and training leaves it.** That is why step 11 could be trusted so much farther.
#
# ## The network
#
# For a network nobody has such an $L$. The curvature in the steepest direction can be measured, though, at each point on the way. The **sharpness** $S$ of a point is the largest curvature that any direction has there (the largest eigenvalue of the [Hessian](../02_concepts/03_optimizers_side_by_side.ipynb)). It needs no second derivatives. Go a little to both sides along a direction $v$ and subtract the two gradients: that is how the slopes change along $v$. The result points more along the steep directions than $v$ did. Make it the new $v$ and repeat:

# %% name="power-iteration"
def sharpness_at(theta, rounds=60):
    v = np.random.default_rng(0).normal(size=theta.shape)
    for _ in range(rounds):
        v = v / np.linalg.norm(v, axis=-1, keepdims=True)
        change = objective(theta + 1e-4 * v)[1] - objective(theta - 1e-4 * v)[1]
        v = change / 2e-4  # its length tends to the largest curvature
    return np.linalg.norm(v, axis=-1)

# %% [markdown] name="sharpness-text"
# With the sharpness comes an edge that belongs to the point: $2/S$. A run with the learning rate $\eta$ is beyond it where $S > 2 / \eta$. So the run has an edge as well, the sharpness $2/\eta$, and from here on we mean that one. Here are four runs from the same start, with rates from 0.05 to 0.3. Each has its line $2/\eta$; that of the careful run is at 40, far above the picture.

# %% tags=["fold"] name="edge-picture"
# The sharpness of the first seed's four runs, with the lines 2 / rate.
assert np.allclose(sharpness_at(begin), S[0, 0], rtol=0.05)
fig, (ax,) = plots.panels()
fig.set_size_inches(7.0, 3.7)
for i, lr in enumerate(rates):
    ax.plot(S[:, i, 0], color=f"C{i}", lw=1.2, label=f"rate {lr:g}")
    if i == 0:
        continue
    ax.axhline(2 / lr, color=f"C{i}", ls="--", lw=1)
    ax.text(2015, 2 / lr, f"2/{lr:g}", color=f"C{i}", va="center", fontsize=9)
ax.set(xlabel="step", ylabel="sharpness S", xlim=(0, 2000), ylim=(0, 20),
       title="The curvature climbs to the edge and stays")
ax.legend(fontsize=9, loc="upper left", ncols=2)
plots.Picture(
    fig,
    alt="Four curves over 2000 steps, three of them with a dashed line at 2 over the learning "
    "rate: 13.3, 10 and 6.7. All start near 4.5 and rise. Each of the three rises past its own "
    "line, drops sharply, rises again; the swings die out, and the curve lies on its line. The "
    "curve of the smallest rate climbs slowly all the time.",
)

# %% tags=["fold", "nbval-ignore-output"] name="edge-numbers"
# How near to the edge, in the last 800 steps; the share of steps that raise the loss.
reach = S * rates[:, None] / 2  # sharpness / edge
near = (abs(reach[1200:] - 1) < 0.1).mean(0)
up = (np.diff(J[1200:], axis=0) > 0).mean(0)
Table(["rate", "sharpness at the start / edge", "at the end / edge",
       "steps within 10 % of the edge", "steps that raise the loss", "final loss"],
      [[f"{lr:g}", spread(reach[0, i]), spread(reach[-1, i], ".2f"), f"{np.median(near[i]):.0%}",
        f"{np.median(up[i]):.0%}", spread(J[-1, i])] for i, lr in enumerate(rates)],
      "Median over seeds (lowest to highest); the two shares are of the last 800 steps.")

# %% tags=["fold"] name="edge-verdict"
# The two largest rates sit at their edges, and the loss goes down all the same.
assert np.median(near[2]) > 0.8 and np.median(near[3]) > 0.8 and near[2:].min() > 0.5
assert (J[-1, 2:] < 0.5 * J[0, 2:]).all() and np.median(up[2:]) > 0.05

# %% [markdown] name="edge-reading"
# Nobody told the network what $2/\eta$ is, and it finds the number to a few percent. Two things happen.
#
# In **progressive sharpening** the curvature in the steepest direction grows while the loss falls. At the **edge of stability** the sharpness stays at $2/\eta$, the loss rises in some steps and falls over many, and the run does not fly apart. Cohen, Kaur, Li, Kolter and Talwalkar (2021) found both in network after network. (It has a limit: at the rate 0.8 this network does fly apart, see "Does it hold?".)
#
# This turns the rule around. On a parabola the curvature is given and limits the rate. **In this network the rate is given and limits the curvature.** Who holds it there?
#
# ### What a bounce does
#
# Draw the valley as a floor that runs along $a$, with walls across, along $c$. The walls become steeper along the way, so the curvature across is a function $S(a)$:
#
# $$J(a, c) = \frac{S(a)}{2}\, c^2$$
#
# A run beyond the edge bounces from wall to wall:

# %% tags=["fold"] name="valley-picture"
# The valley with S(a) = 2 + 2a, and steps at the rate 1: the edge, S = 2, lies at a = 0.
def valley(a, c):
    return (1 + a) * c**2

bounces = np.array(descend(np.array([0.25, 0.02]), SGD(1.0), lambda place: np.array(
    [place[1] ** 2, 2 * (1 + place[0]) * place[1]]), 40))
assert bounces[-1, 0] < 0 and abs(bounces[-1, 1]) < abs(bounces[:, 1]).max() / 10
fig, (ax,) = plots.panels()
fig.set_size_inches(6.6, 3.3)
along_a, across_c = np.meshgrid(np.linspace(-0.5, 0.4, 81), np.linspace(-0.6, 0.6, 81))
ax.contour(along_a, across_c, valley(along_a, across_c), 12, cmap="cividis", linewidths=0.7,
           alpha=0.6)
plots.draw_trails(ax, {"40 steps": bounces})
ax.axvline(0, color="C1", ls="--", lw=1, label="the edge")
ax.set(xlabel="a, along the valley (to the right the walls are steeper)", ylabel="c, across",
       title="Bounces in a valley")
ax.legend(fontsize=8, loc="upper left")
plots.Picture(
    fig,
    alt="Contours of a valley from left to right, narrower to the right. A path starts at the "
    "bottom, right of the dashed edge. It zigzags from wall to wall, wider and wider, moves to "
    "the left past the edge, and there the zigzag shrinks to the bottom.",
)

# %% [markdown] name="valley-text"
# The path starts in the circle. Each bounce carries it to the left as well, where the walls are less steep. What does the run feel along the valley?

# %% tags=["fold"] name="derive-push"
# Derivation 3: the slope along the valley. To check it, S(a) = 2 + sin(k a + b).
S_of, S_slope, across = sp.Function("S"), sp.Function("T"), sp.Symbol("c", real=True)

def moved_along(a, c, b, k):  # by a step of the library's SGD with the rate 1, with its sign turned
    grad = np.stack([k * np.cos(k * a + b) * c**2 / 2, (2 + np.sin(k * a + b)) * c], axis=-1)
    place = np.stack([a, c], axis=-1)
    after, _ = SGD(1.0).update(place, grad, SGD(1.0).init(place))
    return (place - after)[..., 0]

(
    derive("J", "Integral(S(a) * w, (w, 0, c))", "the slope across is $S w$ at the place $w$",
           {"a": a, "c": across, "b": b, "k": k, "w": w, "S": S_of, "T": S_slope},
           means={S_of(a): 2 + sp.sin(k * a + b), S_slope(a): k * sp.cos(k * a + b)},
           tex=r"\int_0^c S(a)\, w\, dw")
    .equals("S(a) * c**2 / 2", "the valley", tex=r"\frac{S(a)}{2}\, c^2")
    .slope(a, "T(a) * c**2 / 2", "$c$ is held; $S'$ is the slope of the sharpness",
           tex=r"\frac{S'(a)}{2}\, c^2")
    .library("-step of SGD(1) along a", moved_along, "the library's step goes against it")
)

# %% [markdown] name="push-reading"
# The push has the sign of $S'$ whichever wall is hit, because $c$ enters squared. A step goes against it: **every bounce pushes the run to where the walls are less steep, and a bounce twice as wide pushes four times as hard.** Damian, Nichani and Lee (2023) call this *self-stabilization*. Why the sharpness climbs in the first place, we measured and did not derive.
#
# Watch one spike of the bold run, from dark to light. Right and left is the swing: how far the run is from the bottom of the valley, along the steepest direction. Up and down is the sharpness.

# %% tags=["fold"] name="loop-picture"
# The first spike of the bold run of the first seed, as a path; a run that does not bounce.
def first_seed(theta):
    return objective(theta, x[0], y[0])

def spike(before=9, after=13):  # steps, swing and sharpness around the top of the spike
    path = np.array(descend(begin[0], SGD(0.2), lambda theta: first_seed(theta)[1], 2000))
    peak = int((bold[100:, 0] / np.minimum.accumulate(bold[100:, 0])).argmax()) + 100
    steps = np.arange(peak - before, peak + after)
    v, S = steepest(path[steps], 300, first_seed)
    signs = np.cumprod(np.r_[1, np.sign((v[1:] * v[:-1]).sum(-1))])  # the same side for all
    return steps, signs * (first_seed(path[steps])[1] * v).sum(-1) / S, S * 0.1

window, swing, sharp = spike()
fig, (left, right) = plots.panels(2)
fig.set_size_inches(8.2, 3.5)
left.plot(swing, sharp, "-", color="0.75", lw=0.8, zorder=1)
dots = left.scatter(swing, sharp, c=window, cmap="viridis", s=24, zorder=2)
left.axhline(1, color="C1", ls="--", lw=1, label="the edge")
left.set(xlabel="swing across the valley", ylabel="sharpness / edge", title="One spike, 22 steps")
left.legend(fontsize=8, loc="upper right")
fig.colorbar(dots, ax=left, label="step", ticks=window[::3])

def damp(lr):  # along the steepest direction alone, a step never longer than to the bottom
    def change(theta, g, v, S):
        part = np.maximum(0, 1 - 1 / (lr * S))[..., None]
        return g - part * (g * v).sum(-1, keepdims=True) * v
    return change

calm = follow(begin, 0.2, 2000, change=damp(0.2), every=1, rounds=1)
right.plot(reach[:1000, 2, 0], lw=1.3, label="bouncing")
right.plot(calm[1][:1000, 0] * 0.1, "-.", color="C2", lw=1.3, label="no bounces")
right.axhline(1, color="C1", ls="--", lw=1, label="the edge")
right.set(xlabel="step", ylabel="sharpness / edge", title="With and without bounces")
right.legend(fontsize=8, loc="upper left")
plots.Picture(
    fig,
    alt="Left: a path of 22 dots, swing across against sharpness. It starts in the middle, above "
    "the dashed edge; it zigzags with growing width while it drops below the edge, and there the "
    "zigzag shrinks to the middle again. Right: sharpness over 1000 steps. "
    "The bouncing run saws around the edge. The run without bounces rises smoothly to twice the "
    "edge.",
)

# %% tags=["fold", "nbval-ignore-output"] name="loop-numbers"
# What the run without bounces does, over the seeds.
quiet = (np.diff(calm[0][:1000], axis=0) > 0).sum(0)
print(f"with bounces, step 1000: sharpness / edge {spread(reach[999, 2])}")
print(f"without bounces: {spread(calm[1][999] * 0.1)}; of its 1000 steps, "
      f"{spread(quiet, '.0f')} raise the loss")
equal, price = bold[499] / careful[-1], [bold[k] / calm[0][k] for k in (999, 1999)]
print(f"loss, bold at step 500 / careful at step 2000: {spread(equal, '.2f')}")
print(f"loss with bounces / without: step 1000 {spread(price[0], '.2f')}, "
      f"step 2000 {spread(price[1], '.2f')}")

# %% tags=["fold"] name="loop-verdict"
# Without bounces the sharpness passes the edge, and the loss falls in nearly every step of 1000.
assert np.median(calm[1][999] * 0.1) > 1.25
assert np.median(quiet) <= 100
assert 0.7 < np.median(equal) < 1.5 and min(np.median(price, axis=1)) > 0.7

# %% [markdown] name="loop-reading"
# Left: the sharpness is far beyond the edge, and the run lies nearly still at the bottom. But beyond the edge the swing grows with each bounce, and the loss with its square: that is the spike. The wide bounces push the sharpness down, below the edge. There the swing dies out, and the climb begins again.
#
# Right is the test. In the second run we shortened the step along the steepest direction, and only there, so that it never jumps across. Now hardly a step raises the loss, and nothing holds the sharpness: it climbs far beyond the edge. **So it is not luck. The bounces themselves keep the walls from getting too steep.**
#
# And why does the bold run end lower? Its steps are four times as long: after 500 of them it is about where the careful run is after 2000. The leaps win nothing. At step 1000 the run without bounces has the lower loss. At step 2000 neither is ahead for every seed. What the bounces do is keep a run with long steps from flying apart.
#
# ## What breaks
#
# "When the loss does not fall any more, cut the rate." PyTorch has this rule as `ReduceLROnPlateau`, and as it comes it multiplies the rate by 0.1 when the loss has set no new record for more than 10 steps. A spike lasts longer. Run the bold network again, with that scheduler called after each step:

# %% name="plateau"
def with_scheduler(patience, steps=2000, lr=0.2):
    kind = torch.optim.lr_scheduler.ReduceLROnPlateau
    owners = [torch.optim.SGD([torch.zeros(1)], lr=lr) for _ in setting.seeds]
    schedulers = [kind(owner, patience=patience) for owner in owners]
    theta, losses, used = begin, [], []
    for _ in range(steps):
        loss, g = objective(theta)
        for scheduler, number in zip(schedulers, loss, strict=True):
            scheduler.step(float(number))
        now = np.array([owner.param_groups[0]["lr"] for owner in owners])
        losses, used = [*losses, loss], [*used, now]
        theta = theta - now[:, None] * g
    return np.array(losses), np.array(used)

# %% tags=["fold", "nbval-ignore-output"] name="plateau-picture"
# The final losses: with the default patience, with more, and with a constant rate.
cut, patient = with_scheduler(10), with_scheduler(200)
ends = {"rate 0.2, patience 10": cut[0][-1], "rate 0.2, patience 200": patient[0][-1],
        "rate 0.2, constant": bold[-1], "rate 0.05, constant": careful[-1]}
plots.bars(
    {name: plots.band(v) for name, v in ends.items()}, "mean squared error after 2000 steps",
    alt="Four bars. Patience 10: the highest, about 0.23. Patience 200 and constant 0.2: 0.07. "
    "Constant 0.05: 0.19.",
    title="Cut at the first spike (line: all seeds)",
)

# %% tags=["fold", "nbval-ignore-output"] name="plateau-numbers"
# When the rate was cut, what is left of it, and when the constant run was as low.
fell = (cut[1] < 0.2).argmax(0)
same = np.array([(bold[:, i] <= end).argmax() for i, end in enumerate(cut[0][-1])])
print(f"first cut: step {fell.min()} to {fell.max()}; cuts in 2000 steps: "
      f"{spread(np.round(np.log10(0.2 / cut[1][-1])), '.0f')}")
last = len(cut[1]) - (cut[1] > cut[1][-1])[::-1].argmax(0)
print(f"steps from the first cut to the last: {spread(last - fell, '.0f')}")
print(f"the constant rate was as low as its end at step {same.min()} to {same.max()}")
record = np.array([cut[0][:t, i].min() for i, t in enumerate(fell)])
print(f"final loss / record before the first cut: {spread(cut[0][-1] / record)}")
longest = [np.diff(np.flatnonzero(v == np.minimum.accumulate(v))).max() for v in bold.T]
print(f"constant rate, most steps without a new record: {spread(longest, '.0f')}")
for name, v in ends.items():
    print(f"final loss, {name}: {spread(v)}")
print(f"runs of {len(setting.seeds)} in which patience 200 cut the rate: "
      f"{(patient[1][-1] < 0.2).sum()}")

# %% tags=["fold"] name="plateau-verdict"
# The cut run stops.
assert np.median(cut[0][-1] / bold[-1]) > 1.8 and (cut[1][-1] < 0.03).all()

# %% [markdown] name="plateau-reading"
# The scheduler takes the spike for the end, and cuts in the middle of it. With a tenth of the rate the way down takes longer than ten steps. So for most seeds it cuts again before the loss is back, and again, down to nothing. The signature: **the logged rate falls by several powers of ten within a hundred steps, and the loss freezes near an old record.** The cure is patience that outlasts a spike, here up to 90 steps: patience 200 made no cut at all.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. A weight for one label (8 minutes, medium)
# Logistic regression, where each example with the label 1 counts `pos_weight` times in the mean over `N`. So its loss, its slope and its curvature are multiplied by that number. Up to which learning rate is every step of gradient descent promised to go down, from any point? `x` has the shape `(N, d)`, `y` holds 0 and 1.

# %% name="exercise-safe"
def safe_rate(x, y, pos_weight):
    ### BEGIN SOLUTION
    weights = np.where(y == 1, pos_weight, 1.0)
    L = np.linalg.eigvalsh((x.T * weights) @ x)[-1] / (4 * len(x))
    return 2 / L
    ### END SOLUTION

# %% name="check-safe"
check("safe_rate")

# %% [markdown] name="exercise-step-text"
# <details><summary>Hint 1</summary>Derivation 2 gives the largest curvature of one example. Which number multiplies it, for each label?</details>
# <details><summary>Hint 2</summary>Multiply each row of x by its weight in one of the two places of X^T X. <code>eigvalsh</code> sorts: the last is the largest. And the promise ends at 2/L.</details>
#
# ### 2. A step that keeps its promise (10 minutes, medium)
# The thing itself. `value` and `gradient` are functions of `theta`, an array of shape `(d,)`. Nobody knows their curvature; `L` is a first guess. Take the step at the rate `1 / L`. If it lowers the value by less than the lemma promises at that rate, double `L` and try again from the same place, at most 60 times. Return the new `theta` and the `L` that was used.

# %% name="exercise-step"
def trusted_step(value, gradient, theta, L):
    ### BEGIN SOLUTION
    g = gradient(theta)
    for _ in range(60):
        new = theta - g / L
        if value(new) <= value(theta) - g @ g / (2 * L):
            break
        L = 2 * L
    return new, L
    ### END SOLUTION

# %% name="check-step"
check("trusted_step")

# %% [markdown] name="exercise-meets-text"
# <details><summary>Hint 1</summary>Put the rate 1/L into the lemma. What is left of the bracket?</details>
# <details><summary>Hint 2</summary>The promise is |g|²/(2L), with the L of this try. The gradient belongs to the old place: compute it once.</details>
#
# ### 3. When does a run meet its edge? (10 minutes, hard)
# The array `S[:, 0, 0]` holds the sharpness of the careful run at each step (measured every 5), at the rate 0.05. From this run alone, foretell at which step a run with a *larger* rate from the same start meets its edge (sharpness `2 / larger` or more). Find out first: draw `S[:, i, 0]` over `np.arange(2000) * rates[i]` for all four runs. Then write the formula. Return the step, not rounded; `np.inf` if the recorded run never gets that sharp.

# %% name="exercise-meets"
def meets(sharpness, lr, larger):
    ### BEGIN SOLUTION
    there = np.flatnonzero(sharpness >= 2 / larger)
    return there[0] * lr / larger if len(there) else np.inf
    ### END SOLUTION

# %% name="check-meets"
check("meets")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Over step times rate, the four curves lie on each other until each reaches its own line.</details>
# <details><summary>Hint 2</summary>Find the first step at which the recorded sharpness reaches 2 / larger. How many larger steps go as far as so many small ones?</details>
# <details><summary>What it means (after solving)</summary>Below the edge all rates follow the same curve, some faster than others. The edge is where their ways part. "Does it hold?" compares your formula with the runs.</details>
#
# ## Takeaways
#
# - A gradient can be trusted as far as the curvature lets it. Every step with a rate below $2/L$ goes down, and $1/L$ promises most: $|g|^2 / (2L)$.
# - Trained on all examples at once, the network took its curvature from the rate: the sharpness climbed to $2/\eta$, and bounces held it there. The long steps won, not the leaps.
# - Do not cut the rate at the first rise of the loss. And do not take $1/L$ for the best rate. It is a safe one: on the tumours the loss was lowest at a longer step, all three times.
#
# ## Does it hold?
#
# **Other networks, and batches.** The same measurement on other data and another width, for two seeds. The last two rows change one thing against the first, for all seeds: momentum 0.5, and batches of 15 instead of all 150 patients. Momentum's edge is $2 (1 + \mu) / \eta$, as [derived](../03_algorithms/11_momentum.ipynb).

# %% tags=["fold", "nbval-ignore-output"] name="control-networks"
# Sharpness over 2 / rate, and the loss at the end over the loss at the start.
def task(x, y, units, begin_at):
    return (lambda theta: objective(theta, x, y, units),
            np.stack([start_at(s, x.shape[-1], units, y.shape[-1]) for s in begin_at]))

def batches_of(size):
    rng = np.random.default_rng(seed)
    def change(theta, g, v, S):
        chosen = rng.random(y.shape[:2]).argsort(axis=1)[:, :size, None]
        return objective(theta, *(np.take_along_axis(a, chosen, 1) for a in (x, y)))[1]
    return change

few = setting.seeds[:2]
all_y = np.stack([(d.y - d.y.mean()) / d.y.std() for d in drawn])[..., None]
sick = [data.breast_cancer(s) for s in few]
digits = [data.digits(s) for s in few]
base = objective, begin
runs = {
    "as above": (base, 0.2, 2000, {}),
    "310 patients": (task(np.stack([d.x for d in drawn[:2]]), all_y[:2], 10, few), 0.2, 2000, {}),
    "40 units": (task(x[:2], y[:2], 40, few), 0.2, 1500, {}),
    "tumours, labels -1 and 1": (task(np.stack([d.x[:150] for d in sick]), np.stack(
        [2.0 * d.y[:150, None] - 1 for d in sick]), 10, few), 0.3, 2000, {}),
    "digits, one-hot labels": (task(np.stack([d.x[:150] for d in digits]), np.stack(
        [np.eye(10)[d.y[:150]] for d in digits]), 10, few), 0.4, 2000, {}),
    "momentum 0.5": (base, 0.2, 2000, {"rule": Momentum(1.0, 0.5)}),
    "batches of 15": (base, 0.2, 2000, {"change": batches_of(15)}),
}
rows, found = [], {}
for name, ((of, start), lr, steps, more) in runs.items():
    losses, sharp = follow(start, lr, steps, of, rounds=5, **more)
    edge = 2 * (1.5 if "momentum" in name else 1) / lr
    found[name] = (sharp[-steps // 5 :] / edge).mean(0)
    rows.append([name, f"{lr:g}", spread(sharp[0] / edge), spread(found[name], ".2f"),
                 spread(losses[-1] / losses[0])])
Table(["", "rate", "sharpness / edge, at the start", "mean of the last fifth", "loss, end / start"],
      rows, "Median over seeds (lowest to highest).")

# %% tags=["fold"] name="control-networks-verdict"
# Full batches sit at their edge, small batches stay below.
together = np.array([np.median(v) for name, v in found.items() if "batches" not in name])
assert (abs(together - 1) < 0.15).all() and np.median(found["batches of 15"]) < 0.85

# %% [markdown] name="control-networks-text"
# The first six rows end at their edge, even from a start beyond it. With small batches the sharpness is well below after 2000 steps. Do not read a full-batch edge into a run with small batches. (A batch's gradient is right on average. How far it scatters, also when the batch is drawn without replacement, is [derived in Stochastic gradient descent](../03_algorithms/03_sgd.ipynb#Derivation).)
#
# **What is pushed, and how hard.** The lesson derived a push that grows with the square of the swing and has one sign on both sides. Stop a run at the rate 0.1 after 200 steps, well below its edge. Move it by hand along the steepest direction, to one side or to the other, and go on for 15 steps, in which the swing dies out. How much less sharp is it than without the kick? The last column kicks it as far in a random direction.

# %% tags=["fold", "nbval-ignore-output"] name="control-push"
# Kicks along the steepest direction, and along a random one.
def sharp_after(theta):
    theta = descend(theta, SGD(0.1), lambda theta: objective(theta)[1], 15)[-1]
    return steepest(theta, 80)[1]

stop = descend(begin, SGD(0.1), lambda theta: objective(theta)[1], 200)[-1]
v, sharp = steepest(stop, 80)
by_chance = unit(np.random.default_rng(seed).normal(size=v.shape))
calm_end, rows, lost = sharp_after(stop), [], []
for kick in (0.05, 0.1, 0.2, 0.4):
    drops = [calm_end - sharp_after(stop + kick * d) for d in (v, -v, by_chance)]
    lost.append(drops)
    rows.append([f"{kick:g}", *(spread(d) for d in drops)])
lost = np.array(lost)  # (kicks, directions, seeds)
print(f"sharpness / edge at the stop: {spread(sharp * 0.05)}")
ratio = np.median(np.log2(lost[1:3, :2] / lost[:2, :2]), axis=-1)
assert (np.median(lost[:, :2], axis=-1) > 0).all() and (abs(ratio - 2) < 0.5).all()
Table(["kick", "sharpness lost, to one side", "to the other side", "random direction"], rows,
      "Median over seeds (lowest to highest).")

# %% [markdown] name="control-push-text"
# Twice the kick, four times the loss of sharpness, on both sides alike. A kick in a random direction has no fixed sign.
#
# **Are the edges met when foretold?** Exercise 3's formula, from the careful run, against the other runs:

# %% tags=["fold", "nbval-ignore-output"] name="control-meets"
# The step at which the sharpness first reaches 2 / rate. (This is the answer of exercise 3.)
def foretell(sharpness, lr, larger):
    there = np.flatnonzero(sharpness >= 2 / larger)
    return there[0] * lr / larger if len(there) else np.inf

rows, errors = [], []
for i in (1, 2, 3):
    wanted = np.array([foretell(S[:, 0, s], 0.05, rates[i]) for s in range(len(begin))])
    real = (S[:, i] >= 2 / rates[i]).argmax(0)
    ok = np.isfinite(wanted) & (real > 0)
    errors.append(np.median(wanted[ok] / real[ok]))
    rows.append([f"{rates[i]:g}", spread(wanted[ok], ".0f"), spread(real[ok], ".0f"),
                 spread(wanted[ok] / real[ok], ".2f")])
assert np.all(abs(np.array(errors[:2]) - 1) < 0.25)
Table(["rate", "foretold step", "step", "foretold / real"], rows,
      "Median over the seeds that meet the edge (lowest to highest).")

# %% [markdown] name="control-rates-text"
# The formula foretells the two smaller rates well. For 0.3 it is less exact: that edge lies near the sharpness at the start, and the first long steps leave the common path.
#
# **Larger rates.** The bounces hold the network up to a point:

# %% tags=["fold", "nbval-ignore-output"] name="control-rates"
# Rates from 0.05 to 0.8, 2000 steps.
def far_run(lr):
    theta, alive = begin, np.ones(len(begin), bool)
    for _ in range(2000):
        loss, g = objective(theta)
        alive &= loss < 1e3
        theta = np.where(alive[:, None], theta - lr * g, begin)
    return np.where(alive, loss, np.nan)

rows = []
for lr in (0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8):
    loss = far_run(lr)
    lost = int(np.isnan(loss).sum())
    ended = spread(loss[~np.isnan(loss)]) if lost < len(loss) else "none"
    rows.append([f"{lr:g}", ended, f"{lost} of {len(loss)}"])
Table(["rate", "final loss of the others", "runs that flew apart (loss above 1000)"], rows)

# %% [markdown] name="control-hessian-text"
# Longer steps help up to 0.2 or 0.3. At 0.6 the lead over the careful run is gone, and at 0.8 the bounces do not hold the run any more.
#
# **Is the sharpness measured right?** The whole Hessian of the bold run of the first seed, 121 times 121 numbers, and its largest eigenvalue, against the power iteration, one row in the middle of a spike. (The iteration finds the curvature of the largest size, up or down. The last column is nearer to 0 than the first, so here it finds the largest.)

# %% tags=["fold", "nbval-ignore-output"] name="control-hessian"
# Largest eigenvalue, measured sharpness, and the next and lowest eigenvalue.
path = np.array(descend(begin[0], SGD(0.2), lambda theta: first_seed(theta)[1], 2000))
rows, off = [], []
middle = int(window[9]) // 5 * 5
for t in sorted({0, 100, 200, 1000, 1995, middle}):
    table = bend(path[t], np.eye(121), first_seed)
    eigen = np.linalg.eigvalsh((table + table.T) / 2)
    off += [abs(S[t, 2, 0] / eigen[-1] - 1)] if t != middle else []
    rows.append([f"{t}" + " (spike)" * (t == middle), eigen[-1], S[t, 2, 0], eigen[-2], eigen[0]])
assert max(off) < 0.1
Table(["step", "largest eigenvalue", "measured", "next eigenvalue", "lowest"], rows)

# %% [markdown] name="sources"
# ## Sources
#
# - Y. Nesterov, 2004: *Introductory lectures on convex optimization: a basic course* (the bound by a parabola, and the rate $1/L$).
# - J. Cohen, S. Kaur, Y. Li, J. Kolter and A. Talwalkar, 2021: *Gradient descent on neural networks typically occurs at the edge of stability*, arXiv 2103.00065.
# - A. Damian, E. Nichani and J. Lee, 2023: *Self-stabilization: the implicit bias of gradient descent at the edge of stability*, arXiv 2209.15594.
