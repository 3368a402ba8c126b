# ---
# jupyter:
#   lesson:
#     title: "A learned optimizer"
#     question: "A network of forty weights writes the update rule. Does it beat an Adam that was tuned with as many tries?"
#     minutes: 35
#     needs: [03_algorithms/04_adam, 03_algorithms/16_schedules, 01_background/02_the_map]
#     settles: [E20]
#     studies: [optim.es_gradient]
#     terms: [learned optimizer, meta-training, horizon, evolution strategies]
# ---

# %% [markdown] name="title"
# # A learned optimizer
#
# **Goal.** Train an update rule instead of writing it, race it against Adam, and find out what it may be used for.
#
# **The question.** Adam is a formula that somebody thought of. A small network can take the formula's place, and its weights can be trained, on thousands of short runs. Is the result better than Adam, if Adam's knobs are tuned on as many runs?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports, the recorded runs, and the tasks of record.py.
from types import SimpleNamespace

import numpy as np
import sympy as sp
from matplotlib import colormaps

from lessons_lib import bridge, exercises, plots, records
from lessons_lib.derive import derive
from lessons_lib.optim import Adam, LearnedOptimizer, descend, es_gradient
from lessons_lib.optim.learned_optimizer import initial_weights
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("08_outlook/04_a_learned_optimizer")
record = records.of("08_outlook/04_a_learned_optimizer")
runs = [record.runs[s] for s in sorted(record.runs)]
lab = SimpleNamespace(**records.load("08_outlook/04_a_learned_optimizer"))
Pixels, evolve, score = lab.Pixels, lab.evolve, lab.score
ours = min(record.runs)  # the split of digits on which this page runs
split, x, train, test = lab.pictures(ours)
lr, trained = runs[0]["lr"], runs[0]["weights"]
textbook, searched, falling, learned = names = [
    "textbook Adam", "Adam, searched", "Adam, falling rate", "learned"]

def of(family, rule, how, at=0):  # log10 of what is left, over the splits
    return np.array([run[f"{family}, {rule}"][how][at] for run in runs])

def spread(logs, form=".3f"):  # what is left: median (lowest to highest) over the splits
    low, middle, high = (format(10**v, form) for v in plots.band(logs))
    return f"{middle} ({low} to {high})"

HOME = lab.TIMES.index(40)

# %% tags=["fold"] name="question-picture"
# What is left of the loss, at home and away.
opening = {"at home: Adam": of("home", searched, "as it is", HOME),
           "at home: learned": of("home", learned, "as it is", HOME),
           "two digits, as it is: Adam": of("two digits", searched, "as it is"),
           "two digits, as it is: learned": of("two digits", learned, "as it is"),
           "two digits, rate tuned: Adam": of("two digits", searched, "tuned"),
           "two digits, rate tuned: learned": of("two digits", learned, "tuned")}
for label, logs in opening.items():
    print(f"{label}: {spread(logs)}")
plots.bars(
    {label: plots.band(10**logs) for label, logs in opening.items()},
    "share of the loss that is left after 40 steps",
    "Six bars in three pairs. At home the learned rule leaves less than Adam. On two digits both "
    "leave far more as they are than with a rate that was tuned there.",
    title="Median of five trainings, lowest to highest",
)

# %% [markdown] name="question-reading"
# At home, on tasks like those of its training, the learned rule leaves less of the loss than Adam. On another task, telling two digits apart, both leave several times what they leave once their rate is tuned there. What has the rule learned, and what not?
#
# ## The tasks
#
# The data are scikit-learn's handwritten digits (UCI, CC BY 4.0). A task at home: guess one pixel of a digit from 16 others, with a linear model $\theta$ of 16 numbers, squared error, and batches of 16 pictures. A run starts at $\theta = 0$ and has 40 steps. The number of steps for which a rule is made is its **horizon**. What counts is the loss above its minimum, as a share of that at the start: what is *left*. Twelve pixels are never guessed in the training. They are the targets of the test.
#
# ## The rule
#
# A **learned optimizer** is an update rule with weights that are trained, on many runs, to make the loss small at the end. Ours looks at every number of $\theta$ by itself, as Adam does. It sees three features: the gradient, a fast mean of the past gradients, and a slow one. All are divided by the root mean square of the gradients:
#
# $$f = \frac{(g,\; m^{\text{fast}},\; m^{\text{slow}})}{\sqrt{v}}$$
#
# Eight units take weighted sums of the features and cut them off at 0. A sum over the units gives the direction $d$ and another one the size $e^s$:
#
# $$h_j = \max(0,\; w_j \cdot f), \qquad d = \sum_{j=1}^{8} u_j h_j, \qquad s = \sum_{j=1}^{8} q_j h_j, \qquad \theta \leftarrow \theta - \eta\, d\, e^{s}$$
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $f$ | `f` | 3 | features of one number of $\theta$; the means have decays 0.9 and 0.99, $v$ has 0.999, all corrected as in Adam |
# | $w_j, u_j, q_j$ | `weights` | 8 × 5 | the forty weights, the same for every number of $\theta$ |
# | $\eta$ | `lr` | 1 | the learning rate |
#
# With the right forty numbers this *is* Adam: one unit for the positive part of the fast mean, one for its negative part. That is where the training begins.

# %% name="code"
show(LearnedOptimizer)

# %% tags=["fold"] name="code-check"
# It starts as Adam; and record.py's rule, for many weights at once, is the library's.
tasks = Pixels(x, test, np.random.default_rng([1, seed]), 4)

def batches():  # the gradients of the steps, one after the other
    steps = iter(range(40))
    return lambda theta: tasks.gradient(theta, next(steps))

as_adam = descend(tasks.start, Adam(lr, eps=0.0), batches(), 40)[-1]
first = descend(tasks.start, LearnedOptimizer(lr, initial_weights(3)), batches(), 40)[-1]
after = descend(tasks.start, LearnedOptimizer(lr, tuple(trained)), batches(), 40)[-1]
assert np.allclose(first, as_adam, atol=1e-9) and not np.allclose(after, as_adam, atol=1e-3)
assert np.allclose(tasks.left(after), lab.learned(tasks, [trained], [lr])[0, 0])
print(f"largest difference from Adam after 40 steps, before training: "
      f"{'below 1e-12' if abs(first - as_adam).max() < 1e-12 else 'above 1e-12'}; "
      f"after training: {abs(after - as_adam).max():.2f}")

# %% [markdown] name="play-text"
# What did the training do? The picture shows the move $-d\,e^s$ for every gradient and fast mean; the slow mean is set equal to the fast one. Red is up, blue is down. Adam looks at the fast mean alone, so its picture has stripes. Move the slider. When does the gradient itself begin to count? And turn the picture by half a turn: Adam's stays the same but for the colours. Does the trained one?

# %% tags=["fold"] name="play-picture"
# The move as a function of two features, along the training.
kept = np.array(runs[0]["kept"])
wide, high = np.linspace(-1.5, 1.5, 31), np.linspace(-1, 1, 21)
now, fast = np.meshgrid(wide, high)
plane = np.stack([now, fast, fast], -1)

def move_of(weights, seen):
    units = np.reshape(weights, (8, 5))
    d, s = np.moveaxis(np.maximum(seen @ units[:, :3].T, 0) @ units[:, 3:], -1, 0)
    return -d * np.exp(s)

judges = Pixels(x, test, np.random.default_rng([2, seed]), 128)
quality = 10 ** score(lab.learned(judges, kept, [lr])[0])
fig, (left, right) = plots.panels(2)
for ax, title in ((left, "Adam"), (right, "the rule in training")):
    ax.set(xlabel="gradient $g / \\sqrt{v}$", title=title, xlim=(-1.5, 1.5), ylim=(-1, 1))
    ax.grid(False)
left.set_ylabel("fast mean $m / \\sqrt{v}$")
shades = {"cmap": colormaps["RdBu_r"].resampled(17), "vmin": -2, "vmax": 2,
          "origin": "lower", "aspect": "auto", "extent": (-1.55, 1.55, -1.05, 1.05)}
rings = {"levels": [-1.5, -1, -0.5, 0, 0.5, 1, 1.5], "colors": "0.3", "linewidths": 0.6}
shown = left.imshow(move_of(kept[0], plane), **shades)
left.contour(wide, high, move_of(kept[0], plane), **rings)
fig.colorbar(shown, ax=[left, right], label="move, in learning rates", shrink=0.7)
updates = [0, *lab.KEPT]

def trained_for(left, right, bar, k):
    moves = move_of(kept[updates.index(k)], plane)
    right.imshow(moves, **shades)
    right.contour(wide, high, moves, **rings)
    return (f"After {k} updates the rule leaves {quality[updates.index(k)]:.3f}. At fast mean 0.5 "
            f"it moves by {moves[15, 25]:.1f} if the gradient is 1, and by {moves[15, 5]:.1f} if "
            "the gradient is -1.")

plots.moving(
    fig, "updates", updates, trained_for, start=updates[-1], play=True,
    alt="Two coloured squares over gradient and fast mean. Adam's has horizontal stripes. The "
    "trained rule's run from the upper left to the lower right, and are bent.",
)

# %% tags=["fold", "nbval-ignore-output"] name="play-numbers"
# The moves in runs of the five trained rules, by the signs of the gradient and the fast mean.
def moves_in(split_seed, run):
    _, x, _, test = lab.pictures(split_seed)
    tasks, steps = Pixels(x, test, np.random.default_rng([2, seed]), 32), iter(range(40))
    pushes, seen, m, slow, v = [], [], 0.0, 0.0, 0.0

    def noted(theta):
        pushes.append(tasks.gradient(theta, next(steps)))
        return pushes[-1]

    descend(tasks.start, LearnedOptimizer(run["lr"], tuple(run["weights"])), noted, 40)
    for t, g in enumerate(pushes, 1):
        m, slow, v = 0.9 * m + 0.1 * g, 0.99 * slow + 0.01 * g, 0.999 * v + 0.001 * g**2
        size = np.sqrt(v / (1 - 0.999**t))
        seen.append(np.stack([g, m / (1 - 0.9**t), slow / (1 - 0.99**t)], -1) / size[..., None])
    f = np.concatenate(seen[1:]).reshape(-1, 3)
    where = [(f[:, 0] * g > 0) & (f[:, 1] * m > 0.2) for g, m in signs]
    ours, adams = move_of(run["weights"], f), -f[:, 1]
    corners = [move_of(run["weights"], np.full(3, float(g))) for g in (1, -1)]
    means = ((ours[k].mean(), adams[k].mean()) for k in where)
    return [*means, *zip(corners, (-1, 1), strict=True)]

signs = ((1, 1), (-1, 1), (-1, -1), (1, -1))  # of gradient and fast mean
cases = ["both above 0", "gradient below 0, mean above", "both below 0",
         "gradient above 0, mean below", "first step, gradient above 0",
         "first step, gradient below 0"]
moves = np.array([moves_in(s, run) for s, run in sorted(record.runs.items())])
rows = [[case, *(f"{middle:.2f} ({low:.2f} to {high:.2f})" for low, middle, high in
                 (plots.band(moves[:, k, 1]), plots.band(moves[:, k, 0])))]
        for k, case in enumerate(cases)]
sizes = abs(np.median(moves, axis=0))
assert (sizes[[0, 2], 0] > 1.05 * sizes[[0, 2], 1]).all() and sizes[1, 0] < 0.5 * sizes[1, 1]
assert sizes[3, 0] > 1.5 * sizes[1, 0] and sizes[5, 0] > 1.15 * sizes[4, 0]
Table(["features", "Adam moves", "the learned rule moves"], rows,
      "Mean move in learning rates, in runs of the learned rule, where the fast mean is beyond "
      "0.2: median (lowest to highest of five trainings).")

# %% [markdown] name="meta-text"
# Adam follows the fast mean, whatever the gradient is. The trained rule has two habits. It *asks the newest gradient*: where gradient and mean agree it goes further than Adam, and where they do not, mostly less far. And it is *lopsided*: where the two do not agree it stands still if the mean says down (above 0), and still moves if the mean says up; and its first step is longer upwards.
#
# ## Training a rule
#
# The training of the rule's own weights is called **meta-training**. Its loss is the mean, over tasks, of what the rule leaves at the horizon, as a logarithm:
#
# $$J(w) = \operatorname*{mean}_{\text{tasks}}\; \log_{10} \text{left}_{40}(w)$$
#
# To get its slope by the chain rule, one would go back through 40 steps. There is a way without. The method of **evolution strategies** adds random noise to the weights, looks whether the loss gets better or worse, and moves them accordingly. For noise $\varepsilon$ (standard normal, one number per weight) they try the weights on both sides:
#
# $$\hat g = \frac{J(w + \sigma\varepsilon) - J(w - \sigma\varepsilon)}{2\sigma}\; \varepsilon$$
#
# Only values of $J$ are needed. The mean over some such pairs goes into Adam, which moves $w$:

# %% name="es"
show(es_gradient)

# %% [markdown] name="derive-text"
# ## Derivation: why may one do this?
#
# Take one weight $w$. From here on $f$ is a loss, no longer the features, and a cubic: $f(w) = a w + b w^2 + c w^3$. Cubics suffice to see what is kept and what is lost. First one pair:

# %% tags=["fold"] name="derive-pair"
# One pair of mirrored samples, tied to the library's es_gradient.
a, b, c, w = sp.symbols("a b c w", real=True)
sigma = sp.Symbol("sigma", positive=True)
eps = sp.Symbol("epsilon", real=True)
symbols = {"a": a, "b": b, "c": c, "w": w, "sigma": sigma, "epsilon": eps}

def cubic(a, b, c):
    return lambda w: float((a * w + b * w**2 + c * w**3).sum())

def one_pair(a, b, c, w, sigma, epsilon):
    return es_gradient(cubic(a, b, c), np.array([w]), float(sigma), np.array([[epsilon]]))[0]

ahead, behind = (f"(a*(w {s} sigma*epsilon) + b*(w {s} sigma*epsilon)**2"
                 f" + c*(w {s} sigma*epsilon)**3)" for s in "+-")
(
    derive(r"\hat g", f"({ahead} - {behind}) / (2*sigma) * epsilon", "both sides of $w$", symbols,
           tex=r"\frac{f(w + \sigma\varepsilon) - f(w - \sigma\varepsilon)}{2\sigma}\, \varepsilon")
    .library("es_gradient(f, w, sigma, [[epsilon]])", one_pair, each=True)
    .equals("(a + 2*b*w + 3*c*w**2) * epsilon**2 + c * sigma**2 * epsilon**4",
            "the even powers of $\\varepsilon$ are equal on both sides and cancel: **the slope "
            "$f'(w)$, times $\\varepsilon^2$, and a rest**",
            tex=r"f'(w)\, \varepsilon^2 + c\, \sigma^2 \varepsilon^4")
)

# %% [markdown] name="derive-mean-text"
# Now the mean over the noise. For a standard normal number the mean of $\varepsilon^2$ is 1, that of $\varepsilon^4$ is 3. The six numbers $\sqrt3, 0, 0, 0, 0, -\sqrt3$ have the same two means. With them as noise the library gives the mean exactly:

# %% tags=["fold"] name="derive-mean"
# The mean of the estimate.
six = np.array([3.0, 0, 0, 0, 0, -3.0])[:, None] / 3**0.5

def six_pairs(a, b, c, w, sigma):
    return es_gradient(cubic(a, b, c), np.array([w]), float(sigma), six)[0]

(
    derive(r"\mathbb E[\hat g]", "(a + 2*b*w + 3*c*w**2) * 1 + c * sigma**2 * 3",
           "the means 1 and 3 in the line above", symbols,
           tex=r"f'(w) \cdot 1 + c\, \sigma^2 \cdot 3")
    .library("es_gradient(f, w, sigma, six)", six_pairs, each=True)
    .equals("a + 2*b*w + 3*c*(w**2 + sigma**2)", "sorted: **not quite $f'(w)$**")
)

# %% [markdown] name="derive-smooth-text"
# The rest $3 c \sigma^2$ is no error. It belongs to another loss: $F(w)$, the mean of $f$ over the noise, which is $f$ *smoothed*.

# %% tags=["fold"] name="derive-smooth"
# The smoothed loss, and its slope.
(
    derive("F(w)", "a*w + b*(w**2 + sigma**2) + c*(w**3 + 3*w*sigma**2)",
           "the mean of $f(w + \\sigma\\varepsilon)$: odd powers of $\\varepsilon$ have the mean 0",
           symbols)
    .expects("f(w + sigma * epsilon)", lambda rng, size, a, b, c, w, sigma: (
        lambda at: a * at + b * at**2 + c * at**3)(w + sigma * rng.normal(size=size)),
        "random noise")
    .slope(w, "a + 2*b*w + 3*c*(w**2 + sigma**2)", "**the same: the estimate is right on average, "
           "for the smoothed loss**")
)

# %% [markdown] name="landscape-text"
# For other losses the same follows by integration by parts, even where $f$ has kinks (Nesterov and Spokoiny). So $\sigma$ decides what is seen. Here is the loss $J$ along one line through the trained weights, in a random direction, and smoothed along that line:

# %% tags=["fold", "nbval-ignore-output"] name="landscape"
# J along a random line through the trained weights, and smoothed by three sizes of noise.
lines = np.stack([np.random.default_rng(k).normal(size=40) for k in (3, 0, 1, 2, 4, 5, 6, 7)])
lines /= np.linalg.norm(lines, axis=1)[:, None]
way = np.linspace(-8, 8, 81)
few = Pixels(x, train, np.random.default_rng([4, seed]), 16)
near_by = np.array(trained) + way[:, None] * lines[:, None]
heights = score(lab.learned(few, near_by.reshape(-1, 40), [lr])[0]).reshape(8, -1)
middle = abs(way) < 3.01

def smooth(height, size):
    near = np.exp(-((way[:, None] - way) ** 2) / (2 * size**2))
    return (near * height).sum(1) / near.sum(1)

def lowest(height):
    return way[middle][height[middle].argmin()]

drawn = {"J": heights[0]} | {f"smoothed, $\\sigma$ = {size:g}": smooth(heights[0], size)
                             for size in (0.5, 1, 2)}
for label, curve in drawn.items():
    print(f"{label}: lowest at {lowest(curve):.1f}")
moved = [(lowest(smooth(h, 2)) - lowest(h)) * np.sign(h[20] - h[60]) for h in heights]
assert np.median(moved) > 0.1
print("sigma = 2, eight random lines: the lowest point moves to the flat side by "
      f"{np.median(moved):.1f} ({min(moved):.1f} to {max(moved):.1f})")
plots.lines(
    way[middle], {label: curve[middle] for label, curve in drawn.items()},
    "distance from the trained weights", "$J$: mean log10 of what is left",
    "A lopsided valley, steep on the right. The more it is smoothed, the higher and the further "
    "to the left its lowest point lies.",
    title="The loss of meta-training along a line",
)

# %% [markdown] name="live-text"
# The valley is lopsided. The larger the noise, the further the lowest point moves to the flat side: that is the work of $3c\sigma^2$. On the line drawn it moves far; the last printed line has eight. Our training uses $\sigma = 0.05$, a tenth of the smallest noise in the picture.
#
# The meta-training itself, in a short form: 100 updates, each with 16 pairs and 8 fresh tasks.

# %% tags=["nbval-ignore-output"] name="live"
rng = np.random.default_rng(seed)
begin = initial_weights(seed)
found, _ = evolve(begin, lr, lambda: Pixels(x, train, rng, 8), rng, updates=100)

now = score(lab.learned(judges, [begin, found], [lr])[0])  # on the twelve pixels of the test
print(f"left after 40 steps: untrained {10 ** now[0]:.3f}, trained {10 ** now[1]:.3f}")

# %% tags=["fold"] name="live-check"
# The update in record.py is that of the library's es_gradient.
noise, few = np.random.default_rng(5).normal(size=(2, 40)), Pixels(x, train, rng, 2)

def J(w):
    return float(score(lab.learned(few, [w], [lr])[0])[0])

both = score(lab.learned(few, np.array(begin) + 0.05 * np.concatenate([noise, -noise]), [lr])[0])
slope = ((both[:2] - both[2:])[:, None] * noise).mean(0) / 0.1
assert np.allclose(slope, es_gradient(J, np.array(begin), 0.05, noise))
assert now[0] - now[1] > 0.01

# %% [markdown] name="race-text"
# ## The race
#
# The recorded training has 998 updates of 32 rules on 8 tasks each. With the eight rates tried at its start, that makes 256,000 runs. Two Adams get as many:
#
# - *Adam, searched*: 1000 random settings of learning rate, $\beta_1$ and $\beta_2$, each on 256 tasks. The best counts.
# - *Adam, falling rate*: the same with a fourth knob. The rate falls on a [straight line](../03_algorithms/16_schedules.ipynb) to some share of itself at step 40.
#
# Beside them runs *textbook Adam*: $\beta_1 = 0.9$, $\beta_2 = 0.999$, and the best of eight rates. From this rule the training began.
#
# All are judged on the same 128 new tasks, with the twelve pixels that none has guessed before. There are five splits, each with its own digits, pixels, training and searches.

# %% tags=["fold"] name="race-picture"
# At home: what is left after 40 steps.
home = {name: of("home", name, "as it is", HOME) for name in names}
for name, logs in home.items():
    print(f"{name}: {spread(logs)}, of what the searched Adam leaves: "
          f"{spread(logs - home[searched], '.2f')}")
print(f"learned, of what Adam with the falling rate leaves: "
      f"{spread(home[learned] - home[falling], '.2f')}")
plots.bars(
    {name: plots.band(10 ** (logs - home[searched])) for name, logs in home.items()
     if name != searched},
    "left after 40 steps (1: as much as the searched Adam)",
    "Three bars. Textbook Adam is near 1, Adam with a falling rate below it, and the learned rule "
    "is the lowest.",
    title="At home (five splits)",
)

# %% tags=["fold"] name="race-record"
# What recorded these runs.
record

# %% [markdown] name="race-reading"
# **At home the learned rule wins.** It leaves 0.77 of what the searched Adam leaves, and less in each of the five splits. A thousand tries at Adam's three knobs brought little over the textbook. One more knob, the falling rate, goes about half of the way to the learned rule.
#
# ## Is the lead a prejudice?
#
# The rule is lopsided, and with reason. Neighbouring pixels are alike, so the large numbers of a minimum are mostly positive: up is a good guess. Is that why it wins? Two experiments tell.
#
# *Turn the test tasks around.* Change the sign of all inputs. Every gradient changes its sign, and the minimum moves from $\theta^*$ to $-\theta^*$. Nothing else changes, and Adam cannot notice.
#
# *Train with a coin.* A second training is like the first, with as many runs. But a coin decides for each of its tasks whether it is turned around. This rule cannot know where the minima lie.

# %% name="mirror"
def both_ways(split_seed, rule):  # log10 of what is left: as the tasks were, and turned around
    _, x, _, test = lab.pictures(split_seed)
    tasks = Pixels(x, test, np.random.default_rng([11, seed]), 128)
    before = score(rule(tasks)[0])[0]
    tasks = lab.turned(tasks, -np.ones(128))
    return before, score(rule(tasks)[0])[0]

# %% tags=["fold", "nbval-ignore-output"] name="mirror-table"
# Five splits, as they were and turned around.
def rule_of(run, name):
    if name == "Adam":
        return lambda tasks: lab.adam(tasks, *run["Adam"])
    return lambda tasks: lab.learned(tasks, [run[name]], [run["lr"]])

around = {name: np.array([both_ways(s, rule_of(record.runs[s], name)) for s in sorted(record.runs)])
          for name in ("Adam", "weights", "weights, coin")}
lead, blind = (around[name] - around["Adam"] for name in ("weights", "weights, coin"))
large = judges.best[abs(judges.best) > 0.3]
assert np.median(lead[:, 0]) < -0.05 < np.median(lead[:, 1]) and blind.max() < -0.02
assert (lead[:, 1] - lead[:, 0] > 0.01).all() and np.median(blind, axis=0).max() < -0.05
print(f"of the large numbers of a minimum (beyond 0.3), {(large > 0).mean():.0%} are positive")
Table(["tasks", "Adam, searched: left", "learned / this Adam", "learned with a coin / this Adam"],
      [[label, *(spread(logs[:, k], ".2f") for logs in (around["Adam"], lead, blind))]
       for k, label in enumerate(("as they were", "turned around"))],
      "Left after 40 steps: median (lowest to highest of five splits).")

# %% [markdown] name="mirror-reading"
# **Turned around, the lead is gone.** So the prejudice made it? **No.** The rule that was trained with a coin has the same lead at home, and it keeps its lead when the tasks are turned around. The prejudice was not needed, and it cost the first rule its lead on the turned tasks. The training took it up because all tasks shared it. So let the training vary what a rule shall not learn.
#
# The article promises learned optimizers among its "recent results", and adaptive losses, and ends before it gives either. Here is the learned optimizer. Now take it somewhere else.
#
# ## What breaks
#
# Somebody takes the learned rule along, because it has no knob left to tune. We do this four times. *Longer*: the same tasks, 640 steps. *Far*: the start lies about twenty times as far from the minimum. *Two digits*: tell them apart from 16 pixels, with cross-entropy. *Network*: all ten digits, 64 pixels, 16 hidden units, 1210 parameters, cross-entropy. With cross-entropy the loss itself counts, as a share of that at the start.
#
# Each rule runs twice: as it is, with the rate from home; and with the best of thirteen rates, each twice the one before. The rates are tried on other tasks than those that judge. The forty weights stay.

# %% tags=["fold"] name="breaks-picture"
# What is left on other tasks: as the rules are, and with their rates tuned.
LONG = len(lab.TIMES) - 1
away = {"at home\n40 steps": ("home", HOME), "longer\n640 steps": ("home", LONG),
        "far\n40 steps": ("far", 0), "two digits\n40 steps": ("two digits", 0),
        "network\n40 steps": ("network", 0), "network\n320 steps": ("network", 1)}
ways = {"textbook Adam, as it is": (textbook, "as it is", "o", "C0", "white"),
        "learned, as it is": (learned, "as it is", "s", "C1", "white"),
        "textbook Adam, rate tuned": (textbook, "tuned", "o", "C0", "C0"),
        "learned, rate tuned": (learned, "tuned", "s", "C1", "C1")}
fig, (ax,) = plots.panels()
fig.set_size_inches(7.6, 4)
for k, (label, (rule, how, marker, colour, inside)) in enumerate(ways.items()):
    bands = 10 ** np.array([plots.band(of(family, rule, how, at)) for family, at in away.values()])
    low, middle, high = bands.T
    ax.errorbar(np.arange(len(away)) + (k - 1.5) * 0.17, middle, yerr=[middle - low, high - middle],
                fmt=marker, color=colour, mfc=inside, ms=8, capsize=3, label=label)
ax.set_xticks(range(len(away)), list(away))
ax.set(yscale="log", ylabel="share of the loss that is left", xlabel="task")
ax.set_ylim(top=4)
ax.legend(loc="upper right", fontsize=8, ncols=2)
plots.Picture(fig, "Six groups of four marks on a logarithmic axis. On the longer runs, far away "
              "and on two digits the two hollow marks, the rules as they are, lie close together "
              "and far above the two filled ones, the rules with a tuned rate.")

# %% tags=["fold"] name="breaks-table"
# What tuning the rate brings, and who leaves less.
rows = []
for label, (family, at) in away.items():
    best = {rule: sorted({run[f"{family}, {rule}"]["factor"][at] for run in runs})
            for rule in (learned, textbook, falling)}
    assert all(lab.RATES[0] < min(f) and max(f) < lab.RATES[-1] for f in best.values())
    ends, plain = of(family, learned, "tuned", at), of(family, learned, "as it is", at)
    pairs = (plain - ends, plain - of(family, textbook, "as it is", at),
             ends - of(family, textbook, "tuned", at), ends - of(family, falling, "tuned", at))
    rows.append([label.replace("\n", ", "), " or ".join(f"{f:g}" for f in best[learned]),
                 *(spread(logs, ".2f") for logs in pairs)])
drawn = 3 * np.random.default_rng(9).normal(size=judges.best.shape)
reach = np.linalg.norm(drawn, axis=1) / np.linalg.norm(judges.best, axis=1)
print(f"far: the start lies {np.median(reach):.0f} times as far from 0 as the minimum")
Table(["task", "best factor for the learned rule's rate", "learned: as it is / tuned",
       "both as they are: learned / textbook Adam", "both tuned: learned / textbook Adam",
       "both tuned: learned / Adam with a falling rate"],
      rows, "Ratios of what is left: median (lowest to highest of five splits). In the last three "
      "columns the learned rule wins below 1.")

# %% [markdown] name="breaks-reading"
# Taken along as it is, the learned rule pays dearly on three of these tasks. Where the minimum lies far away it crawls: the best rate is 32 times its own. On 640 steps it cannot settle: the best rate is a quarter or an eighth of its own. The features are free of all scales, so **the length of a step stands in $\eta$ alone, and $\eta$ was made for the tasks at home and their 40 steps.** Adam with its rate from home breaks in the same places (hollow circles). Training the rule has not taken the knob away.
#
# The forty weights travel better. Treated as Adam is, the learned rule stays ahead of textbook Adam on every task of 40 steps. On 640 steps with tuned rates it is behind. Away from home Adam with a falling rate does as well or better: on *far* and on *longer* it leaves less in every split. The next picture shows where its lead over textbook Adam ends.

# %% tags=["fold"] name="horizon-picture"
# Beyond the horizon: what is left at home, over the steps.
def over_time(rule, how):
    return 10 ** np.array([of("home", rule, how, at) for at in range(len(lab.TIMES))])

for t in (160, 320, 640):
    at = lab.TIMES.index(t)
    lead_at = of("home", learned, "tuned", at) - of("home", textbook, "tuned", at)
    print(f"{t} steps, both tuned: learned / textbook Adam {spread(lead_at, '.2f')}")
plots.lines(
    lab.TIMES, {"learned, as it is": plots.band(over_time(learned, "as it is"), 1),
                "learned, rate tuned for each length": plots.band(over_time(learned, "tuned"), 1),
                "textbook Adam, the same": plots.band(over_time(textbook, "tuned"), 1)},
    "steps of the run", "share of the loss that is left",
    "Three falling curves on logarithmic axes. Up to 40 steps the learned rule is lowest. Then its "
    "curve bends and lies flat; the two with a tuned rate go on falling together.",
    title="Trained for 40 steps", log="xy",
)

# %% [markdown] name="exercises"
# With a tuned rate some lead is left at 160 steps, four times the horizon. At 320 steps it is gone.
#
# **The signature:** the run crawls from the start, or goes flat soon after the horizon, and another rate improves it several times over. **The cure:** give a learned rule its one knob back, and tune it where it is used.
#
# VeLO, the largest attempt, was trained for about four thousand TPU-months on thousands of tasks, to need no tuning. An independent evaluation found that it has one number that must be set for the task, and that it is not faster than its rivals.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. One move (5 minutes, easy)
# `f` holds the three features of one number of $\theta$. `units` has the shape (8, 5): in each row the three weights $w_j$, then $u_j$, then $q_j$. Return what the rule with the learning rate `lr` adds to the number.

# %% name="exercise-move"
def move(f, units, lr):
    ### BEGIN SOLUTION
    h = np.maximum(units[:, :3] @ f, 0)
    return -lr * (h @ units[:, 3]) * np.exp(h @ units[:, 4])
    ### END SOLUTION

# %% name="check-move"
check("move")

# %% [markdown] name="exercise-estimate-text"
# <details><summary>Hint 1</summary>units[:, :3] @ f gives eight sums. Which of them speak?</details>
# <details><summary>Hint 2</summary>np.maximum(..., 0) gives the eight h. Then d and s are two sums over them; mind the sign of the step.</details>
#
# ### 2. Evolution strategies (6 minutes, medium)
# The thing itself. `f` is a function of the weights `w`, an array of shape (n,), with one number as value. Each row of `noise` is one $\varepsilon$. Return the mean over the rows of the estimate $\hat g$, shape (n,).

# %% name="exercise-estimate"
def estimate(f, w, sigma, noise):
    ### BEGIN SOLUTION
    rows = [(f(w + sigma * e) - f(w - sigma * e)) / (2 * sigma) * e for e in noise]
    return np.mean(rows, axis=0)
    ### END SOLUTION

# %% name="check-estimate"
check("estimate")

# %% [markdown] name="exercise-report-text"
# <details><summary>Hint 1</summary>A loop over the rows of noise: two values of f, one number, times the row.</details>
# <details><summary>Hint 2</summary>np.mean(..., axis=0) over the list of rows.</details>
#
# ### 3. A fair report (5 minutes, medium)
# Rules were tried on a grid of rates: `tried[i, k]` is what rule `i` leaves with rate `k` on the tasks for tuning, `judged[i, k]` the same on the tasks that judge. Less is better. Return for each rule the number that a fair race reports.

# %% name="exercise-report"
def report(tried, judged):
    ### BEGIN SOLUTION
    best = np.argmin(tried, axis=1)
    return judged[np.arange(len(tried)), best]
    ### END SOLUTION

# %% name="check-report"
check("report")

# %% tags=["fold"] name="exercise-data"
# To play with: two rules, thirteen rates, tasks with two digits.
rules = lab.rules_of(lr, trained, runs[0]["Adam"], runs[0]["Adam, falling"])
tried, judged = (
    np.array([10 ** score(rules[name](lab.Digits(x, split.y, np.random.default_rng([s, seed]), 32),
                                      lab.RATES)[0]) for name in (textbook, learned)])
    for s in (6, 7))

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>The rate is chosen by tried alone.</details>
# <details><summary>Hint 2</summary>np.argmin(tried, axis=1) gives one rate for each rule.</details>
# <details><summary>Find out (after solving)</summary>The cell above has made tried and judged for textbook Adam and the learned rule, with the rates lr * lab.RATES. Compare report(tried, judged) with judged.min(1). How much better does a race look that chooses the rate on the judging tasks? Then change 32 tasks to 2.</details>
#
# ## Takeaways
#
# - A learned optimizer is a rule whose weights are trained on many short runs. At home ours leaves about a fifth less than an Adam that was searched with as many runs. It also learned which way the minima lie, which it did not need: a coin in the training cures that.
# - A mean over mirrored pairs of values estimates the slope of the smoothed loss. No gradient has to go back through the steps.
# - Do not use a learned rule as if it had no knob. On other tasks and longer runs its rate was wrong by factors of up to 128. Tune the rate, and race it against Adam with a falling rate.
#
# ## Does it hold?
#
# **Is it the training, or the luck of one split?** What the learned rule leaves, split by split, of what the two searched Adams leave:

# %% tags=["fold"] name="control-splits"
# Split by split.
assert (home[searched] - home[learned]).min() > 0.03
Table(["split", "of the searched Adam", "of Adam with a falling rate", "searched: lr, beta1, beta2",
       "falling: lr, beta1, beta2, last share"],
      [[str(s), f"{10 ** (home[learned] - home[searched])[k]:.2f}",
        f"{10 ** (home[learned] - home[falling])[k]:.2f}",
        ", ".join(f"{v:.3g}" for v in run["Adam"][:3]),
        ", ".join(f"{v:.3g}" for v in run["Adam, falling"])]
       for k, (s, run) in enumerate(zip(sorted(record.runs), runs, strict=True))])

# %% [markdown] name="control-hand-text"
# It wins in every split, against both. All settings of the evolution, and the ranges of Adam's search, were chosen on another split.
#
# **Can one write by hand what it has learned?** The table of its moves says: ask the gradient as well as the mean. So let the move be $-(1 - \nu)\, m^{\text{fast}} - \nu\, g$, both divided by $\sqrt v$, without a size. Its two numbers $\eta$ and $\nu$ are tuned on 32 tasks of the training.

# %% tags=["fold", "nbval-ignore-output"] name="control-hand"
# A rule with two numbers, written into the same forty weights.
def by_hand(nu):
    units = np.zeros((8, 5))
    units[0], units[1] = [nu, 1 - nu, 0, 1, 0], [-nu, nu - 1, 0, -1, 0]
    return units.ravel()

shares, factors, rows, ends = (0, 0.2, 0.4, 0.6, 0.8), 2.0 ** (np.arange(-2, 3) / 2), [], []
hand = [by_hand(nu) for _ in factors for nu in shares]
for k, (s, run) in enumerate(sorted(record.runs.items())):
    _, pixels, seen_targets, new_targets = lab.pictures(s)
    rates = run["lr"] * np.repeat(factors, len(shares))
    tuning = Pixels(pixels, seen_targets, np.random.default_rng([10, seed]), 32)
    best = score(lab.learned(tuning, hand, rates)[0]).argmin()
    home_tasks = Pixels(pixels, new_targets, np.random.default_rng([11, seed]), 128)
    ends.append(score(lab.learned(home_tasks, [hand[best]], [rates[best]])[0])[0])
    rows.append([str(s), f"{rates[best]:.3f}", f"{shares[best % len(shares)]:.1f}",
                 f"{10 ** (ends[-1] - around['Adam'][k, 0]):.2f}", f"{10 ** lead[k, 0]:.2f}"])
assert np.median(ends - around["Adam"][:, 0] - lead[:, 0]) > 0.03
print(f"by hand / searched Adam: {spread(ends - around['Adam'][:, 0], '.2f')}")
Table(["split", "rate", "nu", "by hand / searched Adam", "learned / searched Adam"], rows,
      "Left after 40 steps.")

# %% [markdown] name="control-scale-text"
# No: two numbers bring little over the searched Adam. What else the forty weights do, the table does not tell.
#
# **A loss that is 100 times larger.** The features are divided by $\sqrt v$, so nothing should change:

# %% tags=["fold"] name="control-scale"
# The same tasks, and 100 times their loss.
one, hundred = (lab.learned(Pixels(x, test, np.random.default_rng([8, seed]), 32, scale=k),
                            [trained], [lr])[0, 0] for k in (1.0, 100.0))
change = abs(hundred / one - 1).max()
print(f"largest change of what is left: {'below one millionth' if change < 1e-6 else change}")
assert change < 1e-6

# %% [markdown] name="sources"
# The rule is blind to the scale of the loss, as Adam is. It is not blind to the scale of $\theta$: that stands in the learning rate.
#
# ## Sources
#
# - M. Andrychowicz, M. Denil, S. Gómez Colmenarejo, M. W. Hoffman, D. Pfau, T. Schaul, B. Shillingford and N. de Freitas, 2016: *Learning to learn by gradient descent by gradient descent*, arXiv 1606.04474. Their rule is a recurrent network, trained by the chain rule through the steps.
# - L. Metz, J. Harrison, C. D. Freeman and others, 2022: *VeLO: training versatile learned optimizers by scaling up*, arXiv 2211.09760. Trained with evolution strategies, on about four thousand TPU-months.
# - F. Rezk, A. Antoniou, H. Gouk and T. Hospedales, 2023: *Is scaling learned optimizers worth it? Evaluating the value of VeLO's 4000 TPU months*, arXiv 2310.18191 (the independent evaluation).
# - Y. Wu, M. Ren, R. Liao and R. Grosse, 2018: *Understanding short-horizon bias in stochastic meta-optimization*, arXiv 1803.02021 (what a short horizon teaches).
# - T. Salimans, J. Ho, X. Chen, S. Sidor and I. Sutskever, 2017: *Evolution strategies as a scalable alternative to reinforcement learning*, arXiv 1703.03864. Mirrored samples: D. Brockhoff, A. Auger, N. Hansen, D. V. Arnold and T. Hohm, 2010: *Mirrored sampling and sequential selection for evolution strategies*, PPSN XI.
# - Y. Nesterov and V. Spokoiny, 2017: *Random gradient-free minimization of convex functions*, Foundations of Computational Mathematics 17 (the slope of the smoothed function).
