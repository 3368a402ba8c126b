# ---
# jupyter:
#   lesson:
#     title: "Losses that adapt"
#     question: "Same patients, same code, another unit: the model gives up one of its two tasks. Can it learn how to weigh them?"
#     minutes: 40
#     needs: [02_concepts/02_what_makes_a_loss_good, 03_algorithms/06_robust, 03_algorithms/07_probabilistic_regression]
#     settles: []
#     studies: [losses.uncertainty_weighting]
#     terms: [multi-task learning, uncertainty weighting, front]
# ---

# %% [markdown] name="title"
# # Losses that adapt
#
# **Goal.** Let the weights between two losses be learned, and know what you get.
#
# **The question.** From eight measurements of a patient a model computes one number, the *score*. The score times a factor predicts the blood pressure. The score times another factor predicts the HDL cholesterol. The loss is the sum of the two mean squared errors. New York notes HDL in mg/dl, Berlin in mmol/l. Patients, code and training are the same.

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports, and the recorded runs.
import numpy as np
import sympy as sp
import torch
from sklearn.datasets import load_diabetes

from lessons_lib import bridge, data, exercises, plots, records
from lessons_lib.bridge import as_autograd
from lessons_lib.derive import derive
from lessons_lib.losses import barron, barron_nll, uncertainty_weighting
from lessons_lib.optim import Adam, descend
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("08_outlook/02_losses_that_adapt")
record, room = (f("08_outlook/02_losses_that_adapt") for f in (records.of, records.load))

def spread(values, form=".2f"):  # median (lowest to highest) over splits or seeds
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

# %% tags=["fold"] name="patients"
# Eight splits of the patients: x (8, 300, 8) uncorrelated features, y (8, 300, 2) two targets.
raw = load_diabetes(scaled=False).data
PER_MMOL = 38.67  # mg/dl of HDL in one mmol/l
cities = {"New York": [1.0, 1.0], "Berlin": [1.0, 1 / PER_MMOL]}

def split(s, targets=(3, 6)):  # training and held-out patients of a split
    order = np.random.default_rng(s).permutation(len(raw))
    given, wanted = np.delete(raw, targets, 1), raw[:, targets]
    here = order[:300]
    given = (given - given[here].mean(0)) / given[here].std(0)
    _, size, turn = np.linalg.svd(given[here], full_matrices=False)
    given = given @ (turn.T / size) * 300**0.5  # uncorrelated, mean 0, variance 1
    wanted = wanted - wanted[here].mean(0)
    return [a[rows] for rows in (here, order[300:]) for a in (given, wanted)]

parts = [[*map(np.array, split(s))] for s in range(seed, seed + 8)]
x, y, x_new, y_new = (torch.tensor(np.array(p)) for p in zip(*parts, strict=True))
variance = (y**2).mean(1).numpy()
pull = x.mT @ y / 300  # (8, 8, 2), the best direction for each task
pull = pull / pull.norm(dim=1, keepdim=True)
side = (pull[..., :1] * pull[..., 1:]).sum(1, keepdim=True).sign()
middle = pull[..., :1] + side * pull[..., 1:]  # every training starts halfway between them
middle = middle / middle.norm(dim=1, keepdim=True)
factors, zeros = middle.mT @ (x.mT @ y) / 300, torch.zeros(8, 2, dtype=torch.float64)

# %% tags=["fold"] name="plane"
# The share of the variance that is left, as a function of the score's direction in the plane.
def plane(x, y):  # the best share of each task, and the angle between the two best directions
    b = x.T @ y / len(x)
    lengths = np.linalg.norm(b, axis=0)
    gap = np.arccos(np.clip(abs(b[:, 0] @ b[:, 1]) / lengths.prod(), 0, 1))
    return lengths**2 / (y**2).mean(0), gap

def left(phi, best, gap):
    return np.stack([1 - best[0] * np.cos(phi) ** 2, 1 - best[1] * np.cos(gap - phi) ** 2])

planes = [plane(a.numpy(), b.numpy()) for a, b in zip(x, y, strict=True)]
turns = [np.linspace(0, gap, 2001) for _, gap in planes]
shares = [left(t, *p) for t, p in zip(turns, planes, strict=True)]  # (2, 2001) in each split

def chosen(units):  # the angle with the lowest sum of the two losses, in each split
    weight = variance * np.array(units) ** 2
    return np.array([(w @ share).argmin() for w, share in zip(weight, shares, strict=True)])

at = {city: chosen(units) for city, units in cities.items()}
rest = {city: np.array([s[:, i] for s, i in zip(shares, found, strict=True)])
        for city, found in at.items()}

# %% tags=["fold", "nbval-ignore-output"] name="question-picture"
# What each city's model explains.
for city, found in rest.items():
    print(f"{city}: explained {spread(1 - found[:, 0], '.0%')} of the blood pressure, "
          f"{spread(1 - found[:, 1], '.0%')} of HDL")
assert (rest["New York"][:, 0] - rest["Berlin"][:, 0]).min() > 0.12
assert (rest["Berlin"][:, 1] - rest["New York"][:, 1]).min() > 0.5
plots.bars(
    {f"{city}: {task}": plots.band(1 - found[:, k])
     for city, found in rest.items() for k, task in enumerate(("blood pressure", "HDL"))},
    "share of the variance that the score explains",
    "Four bars. In New York the score explains less than a tenth of the blood pressure and nine "
    "tenths of HDL. In Berlin it explains three tenths of the blood pressure and little of HDL.",
    title="Eight splits: median, lowest to highest",
)

# %% [markdown] name="question-reading"
# New York has a model of HDL. Berlin has a model of the blood pressure. Nobody asked for either.
#
# The data are 442 patients with diabetes (Efron and others 2004, scikit-learn's copy). The features are age, sex, body mass index and five blood values. A split draws 300 patients to train on; ranges run over eight splits.
#
# Somebody must set the weights between the two losses. Can they be learned? The article promises adaptive losses and gives none. [Robust and quantile regression](../03_algorithms/06_robust.ipynb) has a loss that learns its *shape*. Here a loss learns its *weights*.
#
# ## Two tasks, one direction
#
# In **multi-task learning** one model learns several tasks, and the tasks share parameters. Here they share one direction. We make the features $x$ uncorrelated, with variance 1. The score is $x \cdot u$, where $u$ is a unit vector. Each task has its own best direction. Directions outside the plane of these two help neither task. So all that is left to choose is an angle $\varphi$ in that plane, and the loss of task $k$ is
#
# $$L_k = c_k^2\, \sigma_k^2 \left( 1 - R_k^2 \cos^2(\varphi - \varphi_k) \right)$$
#
# | symbol | meaning |
# |---|---|
# | $\sigma_k^2$ | variance of the target, in mmHg² or (mg/dl)² |
# | $c_k$ | change of unit: 1 in New York, and 1/38.67 for HDL in Berlin |
# | $R_k^2$ | the largest share of the variance that one score can explain |
# | $\varphi_k$ | the best direction for task $k$ |
#
# The bracket is the *share left*: 1 means that nothing is explained.

# %% tags=["fold"] name="angle-picture"
# The share left over the angle, in the first split, and where the two cities stand.
degrees = np.degrees(turns[0])
fig, (ax,) = plots.panels()
plots.draw_lines(ax, degrees, {"blood pressure": shares[0][0], "HDL": shares[0][1]},
                 "angle from the best direction for the blood pressure (degrees)", "share left")
for city, mark in (("New York", "s"), ("Berlin", "o")):
    i = at[city][0]
    ax.plot([degrees[i]] * 2, shares[0][:, i], mark, color="0.15", ms=7)
    ax.annotate(city, (degrees[i], 0.5), ha="center", rotation=90, va="center", color="0.15",
                bbox={"fc": "white", "ec": "none", "pad": 1})
ax.set(ylim=(0, 1.05))
ax.legend(loc="lower left")
best = np.array([p[0] for p in planes])
gaps = np.degrees([p[1] for p in planes])
print(f"one score explains at most {spread(best[:, 0], '.0%')} of the blood pressure and "
      f"{spread(best[:, 1], '.0%')} of HDL; between the best directions: {spread(gaps, '.0f')} "
      "degrees")
plots.Picture(fig, "Two curves over the angle. The blood pressure's share left rises a little, "
              "from 0.7 to nearly 1. HDL's falls from 0.9 to below 0.1. Berlin stands near angle "
              "0, New York near the other end.")

# %% [markdown] name="formula"
# The blood pressure is a noisy task: at best 32 per cent of it can be explained. HDL is an easy one, since other cholesterol values are among the features. A larger $c_k$ pulls the model towards task $k$. In Berlin $c_k^2$ is 1/1495 for HDL, and the task hardly counts.
#
# ## Weights that are learned
#
# Give every task a number $s_k$ that is trained along with the model:
#
# $$J = \sum_{k=1}^{K} \left( e^{-s_k} L_k + s_k \right)$$
#
# The weight of the task is $e^{-s_k}$. The second $s_k$ is its price: without it, all $s_k$ would grow until nothing counts. For squared errors this is twice [minus the log-likelihood of a normal distribution](../03_algorithms/07_probabilistic_regression.ipynb), up to a constant, with one variance $e^{s_k}$ for the whole task. Weights $e^{-s_k}$ that are trained this way are called **uncertainty weighting** (Kendall, Gal and Cipolla 2018).
#
# ## Derivation: what the weights learn
#
# First one task, without its index:

# %% tags=["fold"] name="derivation"
# The best log variance of a task, tied to the library's loss and its slopes.
s_, L_ = sp.Symbol("s", real=True), sp.Symbol("L", positive=True)

def one(L, s):
    return uncertainty_weighting(L[:, None], s[:, None])

(
    derive("J", "exp(-s) * L + s", "weight times loss, and the price", {"s": s_, "L": L_})
    .library("uncertainty_weighting(L, s).value", lambda L, s: one(L, s).value)
    .slope(s_, "1 - exp(-s) * L", "the price has the slope 1; a larger $s$ lowers the weight")
    .library("uncertainty_weighting(L, s).grad.log_variance",
             lambda L, s: one(L, s).grad.log_variance[:, 0])
    .zero_at(s_, "log(L)",
             "**the best $s$ is the logarithm of the loss, so the weight is $1 / L$**")
)

# %% [markdown] name="derivation-between"
# Now all tasks, each with its best $s_k = \log L_k$:

# %% tags=["fold"] name="derivation-all"
# All tasks at their best log variances, and what the loss of one task then counts.
K, k, j = sp.symbols("K k j", integer=True, positive=True)
Ls, ss = sp.IndexedBase("L", positive=True), sp.IndexedBase("s", real=True)

def settled(L):
    return uncertainty_weighting(L, np.log(L))

(
    derive("J", "Sum(exp(-s[k]) * L[k] + s[k], (k, 1, K))", "the sum over all tasks",
           {"K": K, "k": k, "j": j, "L": Ls, "s": ss}, {K: (2, 3)}, means={ss[k]: "log(L[k])"})
    .equals("K + Sum(log(L[k]), (k, 1, K))",
            "$s_k = \\log L_k$: each weighted loss is 1, and **what is left is the sum of the "
            "logarithms**")
    .library("uncertainty_weighting(L, log(L)).value", lambda L: settled(L).value)
    .slope(Ls[j], "1 / L[j]", "the slope of a logarithm: **the learned weight**")
    .library("uncertainty_weighting(L, log(L)).grad.losses", lambda L: settled(L).grad.losses)
)

# %% [markdown] name="derivation-reading"
# So the learned weights are the derivative of a logarithm, and nothing else. **You can leave them out: minimise $\sum_k \log L_k$, and you get the same model.** It has the smallest product of the losses.
#
# The unit drops out:
#
# $$\log\!\left(c^2 L\right) = 2 \log c + \log L$$
#
# The first term is a constant, and a constant moves no minimum. In the library:

# %% name="show"
show(uncertainty_weighting)

# %% [markdown] name="code-reading"
# The loop multiplies the loss by $e^{-s}$ in four small factors, so that no number gets too large on the way.
#
# ## Three objectives, two cities
#
# Score, factors and log variances are trained together, by Adam. Every training starts halfway between the two best directions, with the best factors for that score and with $s_k = 0$.

# %% name="train"
def train(objective, units, lr=0.2, steps=500):
    c = torch.tensor(units)
    u, v, s = (p.clone().requires_grad_() for p in (middle, c * factors, zeros))
    adam = torch.optim.Adam([u, v, s], lr)
    slower = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.0, steps)
    for _ in range(steps):
        losses = ((x @ u @ v - c * y) ** 2).mean(1)  # (splits, tasks)
        adam.zero_grad()
        objective(losses, s).sum().backward()
        adam.step()
        slower.step()
    return [p.detach() for p in (u, v / c, s)]

objectives = {
    "sum": lambda losses, s: losses.sum(-1),
    "learned weights": as_autograd(uncertainty_weighting),
    "sum of logarithms": lambda losses, s: losses.log().sum(-1),
}

# %% tags=["fold", "nbval-ignore-output"] name="train-table"
# The share left of both tasks, for each objective in each city.
def share_left(u, v, x=x, y=y):
    return (((x @ u @ v - y) ** 2).mean(1) / (y**2).mean(1)).numpy()

ends = {(name, city): train(f, units)
        for name, f in objectives.items() for city, units in cities.items()}
ends["sum, each target divided by its standard deviation", "any"] = train(
    lambda losses, s: (losses / torch.tensor(variance)).sum(-1), [1.0, 1.0])
ended = {key: share_left(u, v) for key, (u, v, s) in ends.items()}
ratio = {}
for city, units in cities.items():
    s = ends["learned weights", city][2].numpy()
    ratio[city] = np.exp(s[:, 0] - s[:, 1]) * units[1] ** 2 * variance[:, 1] / variance[:, 0]
apart = max(abs(ended["learned weights", city] - ended["sum of logarithms", other]).max()
            for city in cities for other in cities)
print(f"learned weights against sum of logarithms, any city: the shares differ by at most "
      f"{apart:.4f}")
print(f"learned weight of HDL over that of the blood pressure (per share left): "
      f"{spread(ratio['New York'], '.1f')} in New York, {spread(ratio['Berlin'], '.1f')} in "
      "Berlin")
assert apart < 0.02 and all(abs(ended["sum", c] - rest[c]).max() < 0.02 for c in cities)
assert min(r.min() for r in ratio.values()) > 8
kept = (1 - ended["learned weights", "New York"][:, 0]) / best[:, 0]
print(f"of what one score can explain of the blood pressure, learned weights keep "
      f"{spread(kept, '.0%')}")
assert kept.max() < 0.45
Table(["objective", "city", "share left: blood pressure", "HDL"],
      [[name, city, *(spread(found[:, k], ".3f") for k in (0, 1))]
       for (name, city), found in ended.items()])

# %% [markdown] name="play-text"
# With learned weights New York and Berlin get the same model. The sum of logarithms gives that model too, without any weight. And a cheap rival also does without the unit: divide each target by its standard deviation.
#
# ## A unit is a weight
#
# All models at which no loss can fall unless another one rises form the **front**. It is the curve below. The grey lines join points with the same product of the two losses. The star is the model of the learned weights. Move the slider: it changes the unit of HDL. Where does the sum agree with the star? And what does the star do?

# %% tags=["fold", "nbval-ignore-output"] name="play-picture"
# The front of the first split; the plain sum moves along it with the unit.
front = shares[0]
star = front[:, np.log(front).sum(0).argmin()]
fig, (ax,) = plots.panels()
first, second = np.meshgrid(np.linspace(0.6, 1.02, 80), np.linspace(0.02, 1.0, 80))
ax.contour(first, second, np.log(first * second), np.log(star.prod()) + np.arange(6) * 0.5,
           colors="0.75", linewidths=0.9, linestyles="solid")
ax.plot([], [], color="0.75", lw=0.9, label="equal product")
ax.plot(*front, color="C0", lw=2.5, label="front")
ax.plot(*star, "*", color="C1", ms=17, zorder=5, label="learned weights")
ax.plot([], [], "o", color="0.1", ms=8, label="sum")
ax.plot([], [], "--", color="0.1", lw=1.2, label="equal sum")
ax.set(xlabel="blood pressure: share left", ylabel="HDL: share left", ylim=(0, 1),
       xlim=(front[0].min() - 0.02, 1.01))
ax.legend(loc="upper right")
units = [*(float(f"{c:.2g}") for c in np.geomspace(0.1, 100, 28)), PER_MMOL]

def with_unit(ax, c):
    weight = variance[0] * np.array([1, 1 / c**2])
    point = front[:, (weight @ front).argmin()]
    across = np.array([0.6, 1.05])
    ax.plot(across, point[1] - weight[0] / weight[1] * (across - point[0]), "--", color="0.1",
            lw=1.2)
    ax.plot(*point, "o", color="0.1", ms=8, zorder=6)
    return (f"HDL in units of {c:g} mg/dl: the sum leaves {point[0]:.2f} of the blood pressure "
            f"and {point[1]:.2f} of HDL; the learned weights leave {star[0]:.2f} and "
            f"{star[1]:.2f}.")

plots.moving(
    fig, "unit of HDL (mg/dl)", sorted(units), with_unit, start=PER_MMOL,
    alt="The front falls from the upper left, where the blood pressure has its best model, to the "
    "lower right, where HDL has. The star of the learned weights lies near the lower right end. "
    "With HDL in mmol/l the sum's point lies near the upper left end.",
)

# %% tags=["fold", "nbval-ignore-output"] name="meeting"
# Where the sum and the learned weights agree.
meeting = np.sqrt(variance[:, 1] / variance[:, 0] / ratio["New York"])
print(f"the sum agrees with the learned weights where HDL comes in units of {spread(meeting)} "
      "mg/dl")

# %% [markdown] name="play-reading"
# The sum's point runs along the whole front: **a change of unit is a change of weight.** The star stays. The sum reaches the star only if HDL comes in units of a quarter of a mg/dl.
#
# But look where the star lies. On the learned objective one per cent of a loss is worth one per cent of any other loss. HDL has 0.06 of its variance left, so one per cent of that is little, and it weighs as much as one per cent of the blood pressure's 0.96. So HDL gets 14 times the weight, measured in shares left. Of what one score can explain of the blood pressure, the learned weights keep a ninth. **The task that is nearly solved gets the largest weight, and the noisy task is given up.** Whether you want that, no formula says. The learned weights find a point on the front. They do not find a better front.
#
# ## Is it the better trade?
#
# A harder test: tasks of two kinds, a network, and new data. From the upper half of a handwritten digit (UCI, CC BY 4.0) a network with eight hidden units names the digit (cross-entropy) and guesses the lower half (squared error). All train with Adam. Both sides get seven tries. One side tries seven fixed weights of the lower half, from 0.1 to 100. The other side tries six learning rates for the log variances, and the sum of logarithms. Every 100 steps we look at pictures that are in neither the training nor the test part. Each side chooses its try and its step by these, over ten recorded seeds.
#
# The share left is now the test loss divided by that of a constant prediction. A side is judged by the sum of its two shares.

# %% tags=["fold"] name="race"
# The recorded runs: each side chooses by the validation part and is judged on the test part.
ways, runs = room["WAYS"], [record.runs[s] for s in sorted(record.runs)]
fixed, learned = (np.array([kind in kinds for kind, _ in ways])
                  for kinds in (["fixed"], ["learned", "logs"]))

def of(name):
    return np.array([run[name] for run in runs])

def picked(n, by, side):  # the test shares of the try that is best on the validation part
    own = np.where(side, of(f"{n}, {by}: validation"), np.inf).argmin(1)
    return of(f"{n}, {by}: test")[np.arange(len(runs)), own], own

def judged(n, by="sum"):
    score = {"sum": lambda a: a.sum(-1), "product": lambda a: a.prod(-1)}[by]
    return [score(picked(n, by, side)[0]) for side in (fixed, learned)]

chosen_fixed, chosen_learned = judged(1000)
extra = chosen_learned - chosen_fixed
ends_400 = of("400, end: test")
assert fixed.sum() == learned.sum() == 7
print(f"1000 pictures, stopped in time: fixed {spread(chosen_fixed, '.3f')}, learned "
      f"{spread(chosen_learned, '.3f')}")
print(f"learned minus fixed: {spread(extra, '+.3f')}; learned is better in "
      f"{(extra < 0).sum()} of {len(runs)} seeds")
worst = of("1000, sum: test").sum(-1).mean(0)
print(f"mean of each try: fixed weights from {worst[fixed].min():.3f} to {worst[fixed].max():.3f}, "
      f"learned ones from {worst[learned].min():.3f} to {worst[learned].max():.3f}, "
      f"sum of logarithms {worst[ways.index(('logs', 0.0))]:.3f}")

# %% tags=["fold"] name="race-picture"
# Mean test shares of every try: stopped in time, and trained to the end.
fig, axes = plots.panels(2)
for ax, name, title in ((axes[0], "1000, sum: test", "1000 pictures, stopped in time"),
                        (axes[1], "400, end: test", "400 pictures, 800 steps")):
    points = of(name).mean(0)
    ax.plot(*points[fixed].T, "o-", color="C0", ms=6, label="fixed weights")
    ax.plot(*points[learned].T, "*", color="C1", ms=11, label="learned weights")
    for (_, w), point in zip([w for w in ways if w[0] == "fixed"], points[fixed], strict=True):
        if w in (0.1, 1.0, 10.0, 100.0):
            ax.annotate(f"{w:g}", point, (5, 6), textcoords="offset points")
    ax.set(xlabel="digit: share left of the test loss", ylabel="lower half: share left",
           title=title)
    ax.margins(0.12)
axes[0].legend(loc="upper right")
plots.Picture(fig, "Test shares of two tasks. Left: the fixed weights form a falling curve, and "
              "the learned weights lie close together beside the fixed weight 1. Right: the "
              "learned weights lie far to the right of the curve.")

# %% [markdown] name="race-reading"
# The numbers at the points are the fixed weights of the lower half. Left: all seven learned tries land in one place, beside the fixed weight 1. The chosen fixed weight is as good or a little better. The difference, 0.01, is smaller than its spread over the seeds. **Learned weights save the search. They do not beat it.** A careless fixed weight costs up to 0.07 more.
#
# And on the right?
#
# ## What breaks
#
# Somebody has only 400 pictures and trains to the end. The network begins to know their digits by heart. We compare learned and fixed weights, and two mixtures that take them apart.

# %% name="breaks"
compared = {
    "learned": ("learned", 0.03),
    "fixed": ("fixed", 1.0),
    "same ratio, no rise": ("ratio", 0.0),  # learned weights, both divided by that of the digit
    "same rise, ratio 1": ("rise", 0.0),  # both tasks get the learned weight of the digit
}
found = room["race"](seed, 400, [*compared.values()], steps=800, every=50)
weights = dict(zip(compared, np.exp(-found["s"][..., 0]).T, strict=True))

# %% tags=["fold", "nbval-ignore-output"] name="breaks-picture"
# The weight of the digit, and its test loss, in one live run; the numbers of ten recorded seeds.
trained, tests = (of(f"400, end: {part}")[..., 0] for part in ("train", "test"))
last = np.exp(-of("400, end: s")[..., 0])
print("400 pictures, 800 steps, ten seeds; the digit:")
for label, way in (compared | {"fixed, ten times the lower half's": ways[0],
                               "held-out losses": ("held-out", 0.0)}).items():
    i = ways.index(way)
    print(f"  {label}: weight {spread(last[:, i], '.2g')}, share left in training "
          f"{spread(trained[:, i], '.3f')}, in the test {spread(tests[:, i])}")
more = {label: tests[:, ways.index(way)] - tests[:, ways.index(("fixed", 1.0))]
        for label, way in compared.items()}
for label in ("learned", "same ratio, no rise", "same rise, ratio 1"):
    print(f"  test, {label} minus fixed: {spread(more[label], '+.2f')}")
assert min(np.median(more[k]) for k in ("learned", "same rise, ratio 1")) > 0.08
assert np.median(more["same ratio, no rise"]) < 0.03 and weights["learned"][-1] > 3
plots.side_by_side(
    np.arange(0, 801, 50), weights, dict(zip(compared, found["test"][..., 0].T, strict=True)),
    "step", ("weight of the digit", "digit: share left of the test loss"), logs=("y", ""),
    alt="Left: the learned weight of the digit rises from 1 to more than 10. Right: the test loss "
    "falls, then rises. With learned weights and with the same rise for both tasks it rises far; "
    "with fixed weights and with the same ratio but no rise it rises little.",
)

# %% [markdown] name="breaks-reading"
# The training loss of the digit falls towards 0. So its logarithm falls without end, and its weight $1/L$ rises to about 24. On new pictures the digit's share left is 0.54 at the end, and 0.40 with fixed weights of 1.
#
# Is it the *ratio* of the weights? We keep the ratio and take away the rise: 0.38. Is it the *rise*? We let both weights rise alike: 0.55. So it is the rise. The gradient of $\log L$ is that of $L$ divided by $L$. It does not fade when the loss does, and the network goes on memorising. A task that can be solved exactly, such as a target that leaks into the features, is worse still: $\log L$ has no lowest value.
#
# **The signature: a log variance that keeps falling while the task's test loss rises.** The cure: stop at the best validation loss, as in the left picture. Or set $s_k$ to the logarithm of the *held-out* loss: the weight then ends at 1.1, and the digits at 0.41.
#
# ## A shape for every output
#
# One can go on: a weight for every single output. Barron (2019) does so for images and adds the shape $\alpha$, [learned as here](../03_algorithms/06_robust.ipynb): 2 is the normal distribution, and a smaller $\alpha$ allows values far out. We rebuild digits from their ten [principal directions](../04_mathematics/10_the_auto_encoder.ipynb) and look at what is missing in each pixel. Each pixel learns its own $\alpha$ and its own scale. Guess before you look: where in the picture is $\alpha$ small?

# %% tags=["fold"] name="pixels"
# Residuals of five splits, (splits, pictures, pixels), and an alpha and a scale for every pixel.
def missing(s, codes=10):
    d = data.digits(s)
    x, new = d.x[:300], d.x_test
    keep = np.linalg.svd(x, full_matrices=False)[2][:codes]
    lit = (x > x.min(0) + 1e-9).mean(0)
    return x - x @ keep.T @ keep, new - new @ keep.T @ keep, lit

residual, residual_new, lit = map(
    np.array, zip(*map(missing, range(seed, seed + 5)), strict=True))
used = (lit > 0.05).all(0)  # pixels that are rarely lit are left out
r, r_new = residual[..., used], residual_new[..., used]
grid = np.linspace(0, 2, 201)
area = barron_nll(0 * grid, grid, 1.0, 0 * grid)  # log Z and its slope, as a table

def knobs(theta):
    return 2 / (1 + np.exp(-theta[0])), np.exp(theta[1])

def push(theta):  # the slope of barron_nll in both knobs, mean over the pictures
    alpha, c = knobs(theta)
    slope = barron(r, alpha[:, None], c[:, None], 0 * r).grad
    by_alpha = slope.alpha.mean(1) + np.interp(alpha, grid, area.grad.alpha)
    return np.stack([by_alpha * alpha * (1 - alpha / 2), slope.scale.mean(1) * c + 1])

def nats(r, alpha, c):  # per picture
    value = barron(r, alpha[:, None], c[:, None], 0 * r).value
    return (value + (np.log(c) + np.interp(alpha, grid, area.value))[:, None]).sum(2).mean(1)

scale = (r**2).mean(1) ** 0.5  # the best scale of a normal distribution
alpha, c = knobs(descend(np.stack([0 * scale, np.log(scale)]), Adam(0.3), push, 45)[-1])
assert np.isclose(barron_nll(r[0, 0], alpha[0], c[0], 0 * r[0, 0]).value.sum(),
                  nats(r[:1, :1], alpha[:1], c[:1])[0], rtol=1e-3)
size = np.linspace(0, 5, 9)  # log(r^2 + n) is Barron's loss at alpha = 0, but for a constant
assert np.allclose(np.log(size**2 + 3) - np.log(3), barron(size, 0.0, 1.5**0.5, 0 * size).value)

# %% tags=["fold", "nbval-ignore-output"] name="pixels-picture"
# The learned alphas as a picture, and the residuals of a pixel with a low and one with a high one.
normal, own = nats(r_new, 0 * scale + 2, scale), nats(r_new, alpha, c)
print(f"{used.sum()} pixels; held-out nats per picture: normal {spread(normal, '.1f')}, own alpha "
      f"{spread(own, '.1f')}; saved {spread(normal - own, '.2f')}")
assert (normal - own).min() > 0.5
image = np.full(64, np.nan)
image[used] = np.median(alpha, 0)
edges = image.reshape(8, 8)
print(f"mean alpha: columns 4 and 5 {np.nanmean(edges[:, 3:5]):.1f}, columns 2 and 7 "
      f"{np.nanmean(edges[:, [1, 6]]):.1f}, lowest {np.nanmin(edges):.1f}")
assert np.nanmean(edges[:, 3:5]) > np.nanmean(edges[:, [1, 6]]) + 0.3
fig, axes = plots.panels(2)
shown = axes[0].imshow(np.floor(4 * edges) / 4 + 0.125, cmap="viridis", vmin=0, vmax=2)
fig.colorbar(shown, ax=axes[0], label="learned alpha (white: pixel left out)", shrink=0.85,
             boundaries=np.arange(0, 2.1, 0.25))
axes[0].set(xlabel="column", ylabel="row", xticks=range(8), yticks=range(8),
            xticklabels=range(1, 9), yticklabels=range(1, 9))
axes[0].grid(visible=False)
order = np.median(alpha, 0).argsort()
away = np.linspace(-6, 6, 241)
for p, colour, dash in ((order[1], "C1", "--"), (order[-2], "C0", "-")):
    z = r_new[0][:, p] / scale[0, p]
    kind, shade = ("step", 0.9) if dash == "-" else ("stepfilled", 0.3)
    axes[1].hist(z, np.linspace(-6, 6, 41), density=True, color=colour, lw=1, histtype=kind,
                 alpha=shade)
    a, b = alpha[0, p], c[0, p] / scale[0, p]
    axes[1].plot(away, np.exp(-barron_nll(away, a, b, 0 * away).value), color=colour, ls=dash,
                 lw=2.2, label=f"alpha {a:.1f}")
axes[1].set(xlabel="residual (standard deviations)", ylabel="density", yscale="log",
            ylim=(1e-3, 5))
axes[1].legend()
plots.Picture(fig, "Left: a picture of eight by eight pixels. Alpha is near 2 in the middle "
              "columns and well below 1 at the left and right edge. Right: residuals of two "
              "pixels. The one with small alpha is narrow with long tails.")

# %% [markdown] name="pixels-reading"
# The right picture shows held-out residuals of two pixels in one split. In the middle columns of the left one $\alpha$ is near 2. Towards the left and right edge it falls to 0.5: ink is rare there, so most residuals are small and a few are large. Nobody told the loss where the edge is. On held-out pictures the own shapes save 1.5 nats of 46, and in every split they save some.
#
# The two losses are relatives. Take squared error with a floor $n$ that no model can remove. Then $\log(r^2 + n)$ is, up to a constant, Barron's loss at $\alpha = 0$. That loss [lets go of what is far away](../03_algorithms/06_robust.ipynb). So does the learned weight: it gives up the task with the large loss.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. Is it progress? (4 minutes, easy)
# A training step moves the losses of K tasks from `before` to `after`, two arrays. Before and after it, every $s_k$ is at its best. By how much does the objective $J$ change?

# %% name="exercise-change"
def change(before, after):
    ### BEGIN SOLUTION
    return np.log(after / before).sum()
    ### END SOLUTION

# %% name="check-change"
check("change")

# %% [markdown] name="exercise-step-text"
# <details><summary>Hint 1</summary>At the best weights J is K plus the sum of the logarithms of the losses.</details>
# <details><summary>Hint 2</summary>K does not change. A difference of logarithms is the logarithm of a quotient.</details>
# <details><summary>What it means (after solving)</summary>Try before = np.array([0.95, 0.061]) and after = np.array([0.90, 0.066]). The blood pressure gains ten times what HDL loses. To the learned weights it is no progress: +0.02.</details>
#
# ### 2. One step with learned weights (6 minutes, medium)
# The thing itself, without a library. `losses` (K,) holds the losses of the tasks and `grads` (K, d) their gradients in the shared parameters `theta` (d,). Make one step of gradient descent with rate `lr` on $J$, in `theta` and in `s` (K,) at once. Return the new `theta` and the new `s`.

# %% name="exercise-step"
def step(theta, s, losses, grads, lr):
    ### BEGIN SOLUTION
    weight = np.exp(-s)
    return theta - lr * weight @ grads, s - lr * (1 - weight * losses)
    ### END SOLUTION

# %% name="check-step"
check("step")

# %% [markdown] name="exercise-meet-text"
# <details><summary>Hint 1</summary>The gradient of J in theta is the sum of the tasks' gradients, each times its weight.</details>
# <details><summary>Hint 2</summary>The slope in s is the second line of the derivation. Both steps use the old s.</details>
#
# ### 3. Do they meet in the middle? (9 minutes, hard)
# One parameter $\theta$ serves two tasks that want different values: $L_1 = \theta^2 + n$ and $L_2 = (\theta - d)^2 + n$ with $d, n > 0$. Their sum is lowest at $d/2$. Where is $\log L_1 + \log L_2$ lowest? Return two numbers, the smaller first: the two places, or twice the same if there is only one.

# %% name="exercise-meet"
def meet(d, n):
    ### BEGIN SOLUTION
    apart = np.sqrt(max(d * d / 4 - n, 0))
    return d / 2 - apart, d / 2 + apart
    ### END SOLUTION

# %% name="check-meet"
check("meet")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Minimise the product. With t = theta - d/2 it is (t² + d²/4 + n)² - t² d².</details>
# <details><summary>Hint 2</summary>That is a parabola in t². Its lowest point is t² = d²/4 - n, but t² cannot be negative.</details>
# <details><summary>What it means (after solving)</summary>For n above d²/4 the tasks meet in the middle. Below it the middle is the worst place between two valleys: the model serves one task and gives up the other, and the start decides which.</details>
#
# ## Takeaways
#
# - A learned weight is the derivative of a logarithm: uncertainty weighting minimises the sum of the logarithms of the losses. Units drop out, and the weights need no training.
# - It finds a point on the front, no better front. An easy task gets a large weight, and a noisy one is given up.
# - Do not use it where a task can be memorised or solved exactly, unless you stop on held-out data: the weight of that task grows without end.
#
# ## Does it hold?
#
# **Other patients.** The first table shows training patients. Here are the 142 that the models have not seen:

# %% tags=["fold", "nbval-ignore-output"] name="control-new"
# The share left on held-out patients.
new = {key: share_left(u, v, x_new, y_new) for key, (u, v, s) in ends.items()}
assert np.median(new["sum", "Berlin"][:, 1] - new["sum", "New York"][:, 1]) > 0.4
Table(["objective", "city", "share left: blood pressure", "HDL"],
      [[name, city, *(spread(found[:, k]) for k in (0, 1))]
       for (name, city), found in new.items()])

# %% [markdown] name="control-slow-text"
# The same picture, with more noise.
#
# **A slower walk.** All $s_k$ start at 0. In Berlin they must walk to $\log L$: up to 5 for the blood pressure, and down to -5 for HDL. With a quarter of the learning rate the 500 steps are too few:

# %% tags=["fold", "nbval-ignore-output"] name="control-slow"
# A quarter of the learning rate.
slow = {(name, city): share_left(*train(objectives[name], units, lr=0.05)[:2])
        for name in ("learned weights", "sum of logarithms") for city, units in cities.items()}
goal = ends["learned weights", "Berlin"][2].numpy()
print(f"log variances in Berlin: {spread(goal[:, 0], '.1f')} for the blood pressure, "
      f"{spread(goal[:, 1], '.1f')} for HDL")
differ = abs(slow["learned weights", "Berlin"] - slow["learned weights", "New York"])[:, 1]
print(f"HDL's share left, Berlin against New York, learned weights: apart by {spread(differ)}")
assert np.median(differ) > 0.05
assert max(abs(slow["sum of logarithms", c] - ended["sum of logarithms", c]).max()
           for c in cities) < 0.02
Table(["objective, rate 0.05", "city", "share left: blood pressure", "HDL"],
      [[name, city, *(spread(found[:, k], ".3f") for k in (0, 1))]
       for (name, city), found in slow.items()])

# %% [markdown] name="control-judge-text"
# On the way the weights are not yet learned, and the unit is back. The sum of logarithms has no way to walk.
#
# **Another judge.** The race on the digits, judged by the product of the shares, which is what learned weights minimise; and with fewer pictures. Each side also chooses by that judge.

# %% tags=["fold"] name="control-judge"
# The same race, other judges and fewer pictures.
rows = []
for n in (1000, 400):
    for by in ("sum", "product"):
        a, b = judged(n, by)
        rows.append([n, by, spread(a, ".3f"), spread(b, ".3f"), spread(b - a, "+.3f"),
                     f"{(b < a).sum()} of {len(runs)}"])
Table(["training pictures", "judged by", "best fixed weight", "learned", "learned minus fixed",
       "learned better"], rows)

# %% tags=["fold"] name="control-record"
# What recorded these runs, and which tries were chosen.
for label, side in (("fixed", fixed), ("learned", learned)):
    own = picked(1000, "sum", side)[1]
    counts = {f"{ways[i][0]} {ways[i][1]:.2g}": int((own == i).sum()) for i in sorted(set(own))}
    print(f"{label}: chosen with 1000 pictures:", counts)
record

# %% [markdown] name="control-valleys-text"
# No judge and no number of pictures gives either side a lead beyond its spread. The chosen fixed weights lie inside their grid. The learned tries differ by less than 0.01, so chance decides between them. The slowest one, 0.001, stays nearest to fixed weights of 1.
#
# **Two valleys.** Exercise 3, with patients: the targets are HDL and the logarithm of the triglycerides. The sum of logarithms as a function of the angle, in eight splits:

# %% tags=["fold", "nbval-ignore-output"] name="control-valleys"
# The valleys of the sum of logarithms for two easy tasks that want different directions.
valleys = []
for s in range(seed, seed + 8):
    (a, b, _, _), turn = split(s, (6, 8)), np.linspace(-np.pi / 2, np.pi / 2, 4000)
    share = left(turn, *plane(a, b))
    total = np.log(share).sum(0)
    low = [i for i in range(1, 3999) if total[i] < min(total[i - 1], total[i + 1])]
    low = sorted(low, key=lambda i: total[i])
    valleys.append(np.array([[*share[:, i], total[i]] for i in low]))
print("valleys in each split:", [len(v) for v in valleys])
pairs = np.array([v for v in valleys if len(v) == 2])
assert len(pairs) >= 5
Table(["valley", "HDL: share left", "triglycerides: share left", "sum of logarithms"],
      [[name, *(spread(pairs[:, i, k]) for k in range(3))]
       for i, name in enumerate(("the lower one", "the other one"))],
      "Splits with two valleys.")

# %% [markdown] name="sources"
# One valley serves HDL, the other the triglycerides. Small steps downhill end in the one where they start.
#
# ## Sources
#
# - A. Kendall, Y. Gal and R. Cipolla, 2018: *Multi-task learning using uncertainty to weigh losses for scene geometry and semantics*, arXiv 1705.07115. For a cross-entropy they use half the price.
# - J. T. Barron, 2019: *A general and adaptive robust loss function*, arXiv 1701.03077.
# - S. Chennupati, G. Sistu, S. Yogamani and S. A. Rawashdeh, 2019: *MultiNet++: multi-stream feature aggregation and geometric loss strategy for multi-task learning*, arXiv 1904.08492. They minimise the geometric mean of the losses.
# - L. Kirchdorfer, C. Elich, S. Kutsche, H. Stuckenschmidt, L. Schott and J. M. Köhler, 2024: *Analytical uncertainty-based loss weighting in multi-task learning*, arXiv 2408.07985. They put the best $s_k$ in directly, and report slow and overfitted weights.
# - V. Kurin, A. De Palma, I. Kostrikov, S. Whiteson and M. P. Kumar, 2022: *In defense of the unitary scalarization for deep multi-task learning*, arXiv 2201.04122. A plain sum, well tuned, is hard to beat.
# - B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, 2004: *Least angle regression* (the patients).
