# ---
# jupyter:
#   lesson:
#     title: "A fair race"
#     question: "One optimizer beats the other in four races of five, and both are the same program. How?"
#     minutes: 50
#     needs: [05_matrix_optimizers, 01_background/02_the_map, 03_algorithms/04_adam, 05_project/07_which_optimizer]
#     settles: []
#     studies: [optim.Adam]
#     terms: [try, prior, paired interval]
# ---

# %% [markdown] name="title"
# # A fair race
#
# **Goal.** Build a comparison of optimizers that cannot favour anybody, run it on five tasks, and read off where its ranking holds.
#
# **The question.** Adam races against a copy of Adam. They are the same program, they meet the same data, and each reports the best of the learning rates it has tried. The copy wins four races of five. How?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports, and the recorded runs.
import time
from itertools import combinations
from math import comb

import numpy as np
import sympy as sp
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from scipy import stats

from lessons_lib import bridge, data, exercises, plots, records
from lessons_lib.derive import derive
from lessons_lib.optim import Adam
from lessons_lib.show import Table

ROOM = "08_outlook/09_a_fair_race"
setting = bridge.start(device, seed, profile)
check = exercises.of(ROOM)
record, made = records.of(ROOM), records.load(ROOM)
rates, tasks, rules = np.array(made["RATES"]), list(made["TASKS"]), list(made["RULES"])
runs, few = [record.runs[s] for s in sorted(record.runs)], made["TUNING"]

def recorded(task):  # (rules, rates, seeds); a valley's loss in powers of ten
    found = np.array([[run[f"{task}, {rule}"] for run in runs] for rule in rules])
    found = np.moveaxis(found, 1, 2)
    return np.log10(found) if task == "valley" else found

def spread(values, form=".2f"):  # median (lowest to highest)
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

# %% tags=["fold"] name="race"
# Adam with many rates at once, on a linear model of the patients.
def ends(rates, split, steps=40):  # the loss of each rate after so many steps
    x = np.column_stack([split.x, np.ones(len(split.x))])
    y = (split.y - split.y.mean()) / split.y.std()
    bend, pull = x.T @ x / len(y), x.T @ y / len(y)
    theta = np.zeros((*rates.shape, 11))
    state = Adam(1.0).init(theta)
    for _ in range(steps):
        step, state = Adam(1.0).update(0 * theta, theta @ bend - pull, state)
        theta = theta + rates[..., None] * step
    return ((theta @ bend - 2 * pull) * theta).sum(-1) / 2 + (y**2).mean() / 2

# %% tags=["fold", "nbval-ignore-output"] name="question-picture"
# 400 races in each of five splits: the original has two tries, the copy two to sixteen.
many = (2, 4, 8, 16)
won = {m: [] for m in many}
for s in setting.seeds:
    drawn = 10 ** np.random.default_rng(s).uniform(-5, 1, (400, 2 + max(many)))
    loss = ends(drawn, data.diabetes(s))
    for m in many:
        won[m].append((loss[:, 2 : 2 + m].min(1) < loss[:, :2].min(1)).mean())
for m in many:
    print(f"{m} tries against 2: the copy wins {spread(won[m], '.0%')} of the races")
assert 0.6 < np.median(won[8]) < 0.98 and 0.35 < np.median(won[2]) < 0.65
plots.bars(
    {f"{m} tries": plots.band(100 * np.array(won[m])) for m in many},
    "races that the copy wins (per cent)",
    "Four bars. The copy of Adam wins half of the races with as many tries as the original, and "
    "more the more tries it has: four of five with four times as many.",
    title="Adam with 2 tries against a copy of Adam",
)

# %% [markdown] name="question-reading"
# With as many tries as the original the copy wins half of the races. With eight against two it wins four of five. A **try** is one training with one setting, here with one learning rate. The rates are drawn at random, evenly over the powers of ten from 0.00001 to 10. The task is a linear model of the diabetes data of scikit-learn (310 patients, CC BY 4.0), 40 steps with all patients. Each of five seeds draws a split of the patients and 400 races.
#
# [The map](../01_background/02_the_map.ipynb) showed on one task that a ranking belongs to one tuning budget. Here nothing is left to rank, and an unequal budget still makes a winner.
#
# ## The idea, drawn
#
# This is one such race. The curve is the loss that each rate gives, the *sensitivity curve*. Both runners have the same curve. A try is a ticket for a random place under it.

# %% tags=["fold", "nbval-ignore-output"] name="idea-picture"
# One race: the sensitivity curve, two tries of the original and eight of the copy.
fine = np.logspace(-5, 1, 121)
curve, split = ends(fine, data.diabetes(seed)), data.diabetes(seed)
fig, (ax,) = plots.panels()
fig.set_size_inches(6.6, 3.1)
ax.plot(fine, curve, color="0.45", zorder=1, label="loss of each rate")
rng = np.random.default_rng(3)
for label, mark, count, colour in (("original, 2 tries", "s", 2, "#D55E00"),
                                   ("copy, 8 tries", "o", 8, "#0072B2")):
    at = 10 ** rng.uniform(-5, 1, count)
    loss = ends(at, split)
    ax.scatter(at, loss, marker=mark, s=46, color=colour, label=label, zorder=3)
    ax.scatter(at[loss.argmin()], loss.min(), marker=mark, s=190, zorder=2, facecolors="none",
               edgecolors=colour, linewidths=1.8)
ax.set(xscale="log", xlabel="learning rate", ylabel="loss (half the mean squared error)",
       ylim=(0.2, 1.0), title="Who falls deeper? (ring: the best try)")
ax.legend(loc="upper left", fontsize=8.5)
plots.Picture(fig, "A flat curve at small rates, a valley between 0.01 and 1, and a rise. Two "
              "squares of the original and eight circles of the copy lie on it. A ring marks the "
              "best of each.")

# %% [markdown] name="derivation-text"
# More tickets, a deeper best one. How often does that make a winner?
#
# ## Derivation
#
# The copy has $m$ tries, the original $n$. Let $u$ be the share of all possible tries that are worse than the copy's best one. If no two tries tie, $u$ says all that matters about the losses. Each try by itself has an even share between 0 and 1. The largest of $m$ such shares lies below $u$ with the chance $u^m$, so it has the density $m\,u^{m-1}$. The copy wins if all $n$ tries of the original are worse, which has the chance $u^n$.

# %% tags=["fold"] name="derivation"
# The chance of the copy, tied to races of the library's Adam.
m, n = sp.symbols("m n", integer=True, positive=True)
u = sp.Symbol("u", positive=True)

def copy_wins(rng, size, m, n):  # Adam in a valley; a winner must end below the start
    drawn = 10 ** rng.uniform(-3, 0, (size, m + n, 1))
    theta = np.ones((size, m + n, 2))
    state = Adam(1.0).init(theta)
    for _ in range(3):
        step, state = Adam(1.0).update(0 * theta, theta * [1.0, 9.0], state)
        theta = theta + drawn * step
    loss = theta**2 @ [0.5, 4.5]
    best, rival = loss[:, :m].min(1), loss[:, m:].min(1)
    return (best < rival) & (best < 5.0)

(
    derive("P", "Integral(m * u**(m - 1) * u**n, (u, 0, 1))",
           "density of the copy's best try, times the chance that the original has no better one",
           {"m": m, "n": n, "u": u}, tex=r"\int_0^1 m\, u^{m-1}\, u^n \, du")
    .equals("Integral(m * u**(m + n - 1), (u, 0, 1))", "the powers add up",
            tex=r"\int_0^1 m\, u^{m+n-1} \, du")
    .equals("m / (m + n)", "**the copy's share of all tries**: neither task nor rule is left")
    .expects("Adam(1.0).update(theta, g, state)", copy_wins,
             "races of the library's Adam against itself, with random rates")
    .put(m, "4*n", "4/5", "four times as many tries")
)

# %% [markdown] name="protocol"
# **Whoever has four times as many tries wins four races of five, by trying alone.** In a paper the eight tries would be the weeks with the new method, and the two what was left for the baseline, the older method beside it.
#
# ## The protocol
#
# A **prior** is the distribution from which a try is drawn, here the even one over the powers of ten. A **paired interval** belongs to the mean of the differences of two rules, taken seed by seed.
#
# | what makes a winner of nothing | what takes it away |
# |---|---|
# | more tries for one side | the same number of tries for everybody |
# | a better guess where to look | the same prior for everybody |
# | tuned and judged on the same runs | seeds that tune, and other seeds that judge |
# | a lucky seed | an interval over the judging seeds |
# | easy and hard seeds mixed up | paired intervals |
# | a step that costs more | a column for the costs |
# | one task | several tasks, and all of them reported |
#
# For the differences $d_s$ of $S$ judging seeds with mean $\bar d$ and standard deviation $\sigma_d$ the paired interval is
#
# $$\bar d \pm t\, \frac{\sigma_d}{\sqrt S}$$
#
# Eight rules make 28 pairs. The factor $t$ is so large that all 28 intervals of a task together are right in at least 95 of 100 cases, for differences with a normal distribution (Bonferroni's rule). So it is also fair to the rule that happens to be in front.
#
# ## The runners and the course
#
# Each rule keeps the library's defaults in all but the learning rate, and nothing decays, so AdamW here is Adam. The rate falls to 0 along a line. Only schedule-free AdamW keeps it, as it is meant to. Eighty steps, eight judging seeds, four that tune. A seed draws the data, the starting weights and the batches. The prior for all: 19 rates from 0.00001 to 10, three for each power of ten, equally likely.

# %% tags=["fold"] name="tasks-table"
# The five tasks.
Table(["task", "what is learned", "weights", "batch", "why it is here"], [
    ["softmax", "digits, linear", "65 x 10, from 0", "16", "convex"],
    ["net", "digits, one hidden layer of 12", "65 x 12 and 13 x 10", "16", "a small network"],
    ["words", "the next word, of 64 in Python's documentation", "64 x 8 and 8 x 64", "32",
     "a small language model"],
    ["patients", "progress of diabetes, linear, squared error", "11 x 1", "4", "much noise"],
    ["valley", "a bowl with curvatures from 0.0001 to 1, turned", "12 x 12", "no noise",
     "badly conditioned"],
], "Digits and patients: scikit-learn's copies of UCI data (CC BY 4.0). Words: PSF licence.")

# %% [markdown] name="cost-text"
# All rules take one gradient a step. What else does a step cost? The matrix rules multiply matrices. We count these multiplications for a matrix of 64 x 64, and those of a gradient: for a batch of $B$ rows it takes $3B$ for each weight (forward once, backward twice).

# %% tags=["fold", "nbval-ignore-output"] name="cost-table"
# State, multiplications and time of one update of a 64 x 64 matrix.
side = 64
ideas = {
    "momentum": "adds up gradients", "RMSProp": "divides by the size of recent gradients",
    "AdamW": "averages, then divides by that size",
    "Adafactor": "keeps that size by rows and columns; step relative to the weights",
    "Lion": "the sign of an average", "schedule-free": "AdamW with an average of the weights",
    "Muon": "sets the singular values of the average to about 1",
    "SOAP": "Adam in turned axes"}
products = {"Muon": 5 * 3 * side, "SOAP": 4 * 2 * side}
rows, slow = [], {}
for label, rule in made["RULES"].items():
    theta = np.random.default_rng(0).normal(size=(side, side))
    state, times = rule.init(theta), []
    numbers = side**2 if label == "RMSProp" else sum(getattr(v, "size", 0) for v in state)
    for k in range(40):
        begin = time.perf_counter()
        _, state = rule.update(theta, theta + 0.1 * k, state)
        times.append(time.perf_counter() - begin)
    slow[label] = np.mean(np.sort(times)[:36])
    rows.append([label, ideas[label], f"{numbers / side**2:.2g}", products.get(label, 0),
                 *(f"{products.get(label, 0) / (3 * b):.2g}" for b in (16, 4096))])
for row, label in zip(rows, rules, strict=True):
    row.append(f"{slow[label] / slow['AdamW']:.1f}")
Table(["rule", "what it does", "state (numbers per weight)", "extra products per weight",
       "in gradients, 16 rows", "4096 rows", "time of an update (AdamW = 1)"], rows,
      "RMSProp needs one number per weight; the library keeps two more for its options.")

# %% [markdown] name="cost-reading"
# No rule takes a second gradient, so equal steps are equal gradients. They are not equal time. With 16 rows the products of one Muon step cost as much as 20 gradients. With 4096 rows they cost 8 per cent of one. Adafactor needs next to no state. The last column is the time of NumPy on one processor; it differs from machine to machine.
#
# ## The sensitivity curves
#
# All eight rules on two of the tasks. A run that ends above its start, or nowhere, counts as its start: one would throw it away.

# %% tags=["fold"] name="curves-picture"
# The loss over the rate on two tasks, each rule in a panel of its own.
loss = {task: recorded(task) for task in (*tasks, *made["CONTROLS"])}
judged = {task: found[..., few:] for task, found in loss.items()}
fig, _ = plots.panels()
fig.clear()
fig.set_size_inches(9.6, 4.2)
axes = fig.subplots(2, 4, sharex=True, sharey=True)
for k, (ax, rule) in enumerate(zip(axes.ravel(), rules, strict=True)):
    for task, colour, style in (("words", "#0072B2", "-"), ("softmax", "#D55E00", "--")):
        begin = np.mean([run[f"{task}, start"] for run in runs[few:]])
        share = judged[task] / begin
        low, middle, high = plots.band(share[k], axis=1)
        ax.plot(rates, share.mean(2).min(0), color="0.75", lw=1)
        ax.plot(rates, middle, style, color=colour, label=task)
        ax.fill_between(rates, low, high, color=colour, alpha=0.2, lw=0)
    ax.set(xscale="log", title=rule, ylim=(0, 1.08))
    ax.tick_params(labelsize=8)
axes[0, 0].legend(fontsize=8, loc="lower left")
fig.supxlabel("learning rate", fontsize=10)
fig.supylabel("loss (share of the start)", fontsize=10)
plots.Picture(fig, "Eight small panels with two valleys each, the loss over the learning rate for "
              "words and for softmax. The valleys differ in place and in width; Adafactor's on "
              "words is the widest.")

# %% tags=["fold"] name="curves-table"
# The best rate, and how many of the 19 rates come within a tenth of the way.
rows, width = [], {}
for task in ("words", "softmax", "net"):
    begin = np.mean([run[f"{task}, start"] for run in runs[few:]])
    mean = judged[task].mean(2)
    width[task] = (mean <= mean.min(1, keepdims=True) + 0.1 * (begin - mean.min(1, keepdims=True)))
    width[task] = width[task].sum(1)
best_rate = {task: rates[judged[task].mean(2).argmin(1)] for task in loss}
for k, rule in enumerate(rules):
    rows.append([rule, *(x for task in width for x in (f"{best_rate[task][k]:.2g}",
                                                       int(width[task][k])))])
Table(["rule", *(f"{task}: {what}" for task in width
                 for what in ("best rate", "rates within a tenth"))], rows)

# %% [markdown] name="expected-text"
# On words the best rates lie between 0.046 (Lion) and 1 (momentum). No common rate can be fair to both ([two examples](../05_project/07_which_optimizer.ipynb)). The grey line in each panel is the lowest of all curves.
#
# The valleys also differ in width. With Adafactor, seven of the 19 rates get on words to within a tenth of the way from the start to its best loss. With momentum, Lion, Muon and SOAP it is two. On the net it is seven against three or four. A wide valley is a gift to whoever has few tries.
#
# ## The race
#
# A try draws one of the 19 rates and one of the four tuning seeds. Among its tries a rule keeps the one with the lowest loss. Then its rate runs with the eight judging seeds. We need not draw: [the map](../01_background/02_the_map.ipynb) has the chance that try $i$, counted from the best, is kept out of $k$. Here it weighs the judging losses of its rate.

# %% name="expected"
def expected(loss, most=32):  # the loss to expect after 1 to `most` tries: (rules, tries, seeds)
    found = []
    for one in loss:
        tune, judge = one[:, :few], one[:, few:]
        count, order = tune.size, tune.ravel().argsort(kind="stable")
        keep = [[comb(count - i, k - 1) / comb(count, k) for i in range(1, count + 1)]
                for k in range(1, most + 1)]
        found.append(np.array(keep) @ judge[order // few])  # each try's rate, on other seeds
    return np.array(found)

score = {task: expected(loss[task]) for task in tasks}

# %% [markdown] name="play-text"
# ## Play
#
# Every column is a task, and the number is the rank. A rule with = has a paired interval to the first that contains 0: on eight seeds the two cannot be told apart. Move the number of tries. Which rule loses most ranks in a column? And is there a number of tries at which one row is dark all the way?

# %% tags=["fold"] name="play-picture"
# The rank of each rule on each task, for every number of tries.
pairs = len(rules) * (len(rules) - 1) // 2

def against_first(at, cases=pairs):  # at: (rules, seeds); mean difference, half of its interval
    d = at - at[at.mean(1).argmin()]
    t = stats.t.ppf(1 - 0.05 / (2 * cases), d.shape[1] - 1)
    return d.mean(1), t * d.std(1, ddof=1) / d.shape[1] ** 0.5

def ranks(at):
    return at.mean(1).argsort(kind="stable").argsort(kind="stable") + 1

def table_of(score, k):  # ranks and who is level with the first: (rules, tasks) each
    at = [score[task][:, k - 1] for task in score]
    level = [np.less_equal(*against_first(a)) for a in at]
    return np.array([*map(ranks, at)]).T, np.array(level).T

fig, (ax,) = plots.panels()
fig.set_size_inches(7.0, 4.0)
scale = ScalarMappable(Normalize(1, 8), "cividis")
fig.colorbar(scale, ax=ax, label="rank (1: lowest loss)")
ax.set_xticks(range(5), labels=tasks)
ax.set_yticks(range(8), labels=rules)
ax.set(xlim=(-0.5, 4.5), ylim=(7.5, -0.5), xlabel="task")
ax.set_title("Ranks on five tasks (=: level with the first)")
ax.grid(False)

def with_tries(ax, bar, k):
    rank, level = table_of(score, k)
    ax.imshow(rank, cmap="cividis", vmin=1, vmax=8, aspect="auto")
    for (i, j), r in np.ndenumerate(rank):
        sign = " =" if level[i, j] and r > 1 else ""
        ax.text(j, i, f"{r}{sign}", ha="center", va="center", fontsize=10,
                color="white" if r < 5 else "black")
    firsts = ", ".join(f"{rules[rank[:, j].argmin()]} ({task})" for j, task in enumerate(tasks))
    return (f"{k} tr{'ies' if k > 1 else 'y'}. First: {firsts}. "
            f"Level with the first, itself included: {', '.join(map(str, level.sum(0)))} rules.")

plots.moving(
    fig, "tries for each rule", range(1, 33), with_tries, start=1, play=True,
    alt="A matrix of eight rules and five tasks with the rank as colour and number. Each row has "
    "dark and bright cells, and the first place changes with the task.")

# %% tags=["fold"] name="verdict"
# Ranks with 1 and with 32 tries, and how well rankings agree.
def agreement(a, b):  # Spearman's correlation of two rankings
    return np.corrcoef(a, b)[0, 1]

short, _ = table_of(score, 1)
rank, level = table_of(score, 32)
rows = [[rule, *(f"{short[i, j]} → {rank[i, j]}" for j in range(5)),
         f"{rank[i].min()} to {rank[i].max()}"] for i, rule in enumerate(rules)]
between = [agreement(rank[:, i], rank[:, j]) for i, j in combinations(range(5), 2)]
budgets = [agreement(short[:, j], rank[:, j]) for j in range(5)]
half = {task: [ranks(s[:, -1, part]) for part in (slice(4), slice(4, 8))]
        for task, s in score.items()}
again = [agreement(*both) for both in half.values()]
print(f"two tasks, 32 tries: rank correlation {spread(between)}")
print(f"one task, 1 and 32 tries: {spread(budgets)}")
print(f"one task, 32 tries, four of the seeds and the other four: {spread(again)}")
factor = stats.t.ppf(1 - 0.05 / (2 * pairs), len(runs) - few - 1)
print(f"t = {factor:.2f} for {pairs} pairs and {len(runs) - few} seeds")
assert np.median(between) < 0.5 and np.median(again) > 0.7 and level[:, 3].all()
print("level with the first at 32 tries:", ", ".join(
    f"{task} {level[:, j].sum()}" for j, task in enumerate(tasks)))
Table(["rank with 1 try → 32 tries", *tasks, "with 32 tries"], rows)

# %% [markdown] name="verdict-reading"
# **No row is dark all the way.** Adafactor is first on the net and on words, and last on softmax. Muon is first in the valley and seventh on the patients. Schedule-free AdamW is the one that never leaves the upper half. On the patients all eight rules are level: the ranks 1 to 8 are printed there, and they mean nothing.
#
# Is it noise that moves the ranks? The rank correlation compares two rankings: 1 for the same order, 0 for no relation. Two halves of the judging seeds agree on a task with 0.95 in the median. So most of the order on one task is real. Two tasks agree with 0.24: **what is real on one task says little about the next.**
#
# The number of tries moves ranks, too. On the net Muon rises from the last place with one try to the third with 32. The mean over all its rates is poor, and its best rate is good.

# %% tags=["fold"] name="interval-picture"
# How far each rule is behind the first, with the paired interval.
fig, axes = plots.panels(5, sharey=True)
fig.set_size_inches(11.5, 3.3)
units = ("nats", "nats", "nats", "squared error", "powers of ten")
for j, (ax, task) in enumerate(zip(axes, tasks, strict=True)):
    middle, wide = against_first(score[task][:, -1])
    for i in range(8):
        same = level[i, j]
        ax.errorbar(middle[i], i, xerr=wide[i], fmt="o", capsize=3, ms=6,
                    color="#0072B2" if same else "#D55E00", mfc=None if same else "white")
    ax.axvline(0, color="0.4", lw=1)
    ax.set(title=task, xlabel=f"behind the first ({units[j]})", ylim=(7.5, -0.5))
    ax.xaxis.label.set_size(8.5)
    ax.tick_params(labelsize=8)
    ax.locator_params(axis="x", nbins=4)
axes[0].set_yticks(range(8), labels=rules)
plots.Picture(fig, "Five panels with a point and an interval for each rule: how far it is behind "
              "the first. Filled points have an interval that contains 0.")

# %% [markdown] name="interval-reading"
# Filled points are level with the first. On softmax six rules share the first place, on the net two, on words and in the valley one, and on the patients all eight. So "which optimizer is best?" has an answer on two of the five tasks, and there it is Adafactor once and Muon once. Even that holds for one tuned knob, 80 steps and weights as few as these.
#
# ## What breaks
#
# Somebody trains with eight seeds and reports the best. That is tuning of the seed, and nobody else can repeat it. Here is each rule on the net, at the rate with the lowest mean loss on the tuning seeds.

# %% tags=["fold"] name="breaks-picture"
# Eight judging seeds of each rule on the net, and the best.
tuned = {task: np.array([one[one[:, :few].mean(1).argmin(), few:] for one in loss[task]])
         for task in tasks}
at = tuned["net"]
fig, (ax,) = plots.panels()
fig.set_size_inches(6.8, 3.4)
for i, losses in enumerate(at):
    ax.plot(losses, [i] * 8, "o", color="#0072B2", alpha=0.6, ms=5, label="a seed" if not i else "")
    ax.plot(losses.mean(), i, "|", color="0.1", ms=18, mew=2, label="mean" if not i else "")
    ax.plot(losses.min(), i, "o", mfc="none", color="#D55E00", ms=11, mew=1.6,
            label="best seed" if not i else "")
ax.set(xlabel="loss after 80 steps (nats)", ylim=(7.5, -0.6), title="The net, eight judging seeds")
ax.set_yticks(range(8), labels=rules)
ax.legend(fontsize=8.5)
plots.Picture(fig, "A row of eight points for each rule, with its mean and a ring around the best "
              "seed. Many rings lie left of the means of better rules.")

# %% tags=["fold"] name="breaks-table"
# How often a rule with the worse mean is printed as the better one.
rows, turned = [], {}
for task, at in tuned.items():
    mean = at.mean(1)
    turned[task] = sum(at[i].min() < mean[j]
                       for i in range(8) for j in range(8) if mean[i] > mean[j])
    shares = at.min(1) - mean
    rows.append([task, f"{np.ptp(mean):.3f}", spread(-shares, ".3f"),
                 f"{turned[task]} of {pairs}"])
total = sum(turned.values())
print(f"in {total} of {5 * pairs} pairs the rule with the higher mean has a best seed below "
      f"the mean of the other ({total / (5 * pairs):.0%})")
assert total / (5 * pairs) > 0.3
Table(["task", "from the first to the last mean", "best seed below its own mean",
       "pairs that turn around"], rows)

# %% [markdown] name="exercises"
# Many rings lie left of the means of better rules. In 84 of 140 pairs the rule with the higher mean has a best seed below the other's mean. On the patients this holds for every pair. **The signature: one number without a spread, and a seed among the settings.** The cure: judge with seeds that have chosen nothing, and print all of them.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. The newcomer (3 minutes, easy)
# A newcomer with `m` tries meets `rivals` other rules with `n` tries each. All of them are the same program. With which chance is the newcomer first?

# %% name="exercise-first"
def newcomer_wins(m, rivals, n):
    ### BEGIN SOLUTION
    return m / (m + rivals * n)
    ### END SOLUTION

# %% name="check-first"
check("newcomer_wins")

# %% [markdown] name="exercise-judge-text"
# <details><summary>Hint 1</summary>The newcomer is first if the best of all tries is one of its own.</details>
# <details><summary>Hint 2</summary>Each of all the tries is equally likely to be the best. Count them.</details>
# <details><summary>What it means (after solving)</summary>With 20 tries against seven baselines of 5 tries each, a newcomer that is no better is first in 36 of 100 papers, instead of one in eight.</details>
#
# ### 2. Tune here, judge there (7 minutes, medium)
# `loss` has the shape `(rates, seeds)`. The first `few` seeds tune, the others judge. `tries` holds the numbers of the rates that were tried. Keep the tried rate with the lowest mean loss on the tuning seeds, and return its mean loss on the judging seeds.

# %% name="exercise-judge"
def tune_and_judge(loss, tries, few):
    ### BEGIN SOLUTION
    tune = loss[tries, :few].mean(axis=1)
    return loss[tries[np.argmin(tune)], few:].mean()
    ### END SOLUTION

# %% name="check-judge"
check("tune_and_judge")

# %% [markdown] name="exercise-level-text"
# <details><summary>Hint 1</summary>np.argmin counts within the tries. Which rate is that?</details>
# <details><summary>Hint 2</summary>tries[np.argmin(...)] is the rate; its judging losses stand behind the first few columns.</details>
#
# ### 3. Who shares the first place? (8 minutes, medium)
# The verdict of a race. `losses` has the shape `(rules, seeds)`, and column $s$ holds the same seed for all. The first is the rule with the lowest mean. A rule shares its place if the paired interval $\bar d \pm t\,\sigma_d / \sqrt S$ contains 0, where $\sigma_d$ divides by $S - 1$. Return an array of booleans, one for each rule.

# %% name="exercise-level"
def shares_first(losses, t):
    ### BEGIN SOLUTION
    d = losses - losses[np.argmin(losses.mean(axis=1))]
    half = t * d.std(axis=1, ddof=1) / np.sqrt(losses.shape[1])
    return d.mean(axis=1) <= half
    ### END SOLUTION

# %% name="check-level"
check("shares_first")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Subtract the row of the first from all rows before anything else.</details>
# <details><summary>Hint 2</summary>The mean of d is never negative, so only one end of the interval decides.</details>
# <details><summary>Find out (after solving)</summary>Call shares_first(score["net"][:, k - 1], factor) for k = 1, 8 and 32. Then shuffle the seeds of every row but the first by itself, as if nobody had paired them. Who shares the first place now?</details>
#
# ## Takeaways
#
# - A copy of an optimizer with $m$ of all $m + n$ tries wins the share $m / (m + n)$ of its races against the original. Count the tries before you read a ranking.
# - With the same tries, prior and seeds for all, eight rules on five tasks put three different rules in front, and on one task none. Rankings of two tasks agreed with a correlation of 0.24.
# - Do not carry a ranking to another task or another start: from weights of 0 Adafactor was last on softmax, from random ones it was level with the best. Do not print ranks where the intervals contain 0.
#
# ## Does it hold?
#
# **Is a best rate at the end of the prior?**

# %% tags=["fold"] name="control-ends"
# The best rate of each rule on each task.
Table(["best rate", *tasks], [[rule, *(f"{best_rate[task][i]:.2g}" for task in tasks)]
                              for i, rule in enumerate(rules)])

# %% [markdown] name="control-prior-text"
# One stands at the end: 10, for Adafactor on softmax. It is no edge. In step $t$ Adafactor takes at most $1/\sqrt t$ as its rate, and at 10 this limit holds in every step. A larger rate gives the same run.
#
# **Another prior.** The same tries with 10 rates from 0.001 to 1 only:

# %% tags=["fold"] name="control-prior"
# Ranks with a narrower prior, and how well they agree with the wide one.
near = (rates > 0.9e-3) & (rates < 1.1)
tight = {task: expected(loss[task][:, near]) for task in tasks}
narrow = {k: table_of(tight, k)[0] for k in (1, 32)}
for k, wide in ((1, short), (32, rank)):
    found = [agreement(narrow[k][:, j], wide[:, j]) for j in range(5)]
    print(f"tries: {k}, rank correlation with the wide prior {spread(found)}, "
          f"lowest on {tasks[np.argmin(found)]}")
last = {task: expected(np.roll(loss[task], few, 2)) for task in tasks}
swap = table_of(last, 32)[0]
found = [agreement(swap[:, j], rank[:, j]) for j in range(5)]
print(f"tries: 32, other seeds tune: rank correlation {spread(found)}")
Table(["rank with 1 try → 32 tries", *tasks],
      [[rule, *(f"{narrow[1][i, j]} → {narrow[32][i, j]}" for j in range(5))]
       for i, rule in enumerate(rules)])

# %% [markdown] name="control-start-text"
# With one try the prior decides: on the net Adafactor falls from the first place to the seventh. With 32 tries the correlation is 0.98 in the median. It is lowest on the patients, where there is nothing to rank.
#
# In the third line other seeds tune: the last four, judged by the first eight. The ranking is nearly the same.
#
# **Another start.** Softmax begins at weights of 0. Only the start changes: random weights instead.

# %% tags=["fold"] name="control-start"
# Ranks on softmax from 0 and from random weights, and on words after 20 steps instead of 80.
other = {task: expected(loss[task]) for task in made["CONTROLS"]}
changed = {task: ranks(s[:, -1]) for task, s in other.items()}
for task, s in other.items():
    middle, wide = against_first(s[:, -1])
    print(f"{task}: level with the first, itself included, {(middle <= wide).sum()} rules")
Table(["rank with 32 tries", "softmax from 0", "from random weights", "words, 80 steps",
       "20 steps"],
      [[rule, int(rank[i, 0]), int(changed["softmax, random start"][i]), int(rank[i, 2]),
        int(changed["words, 20 steps"][i])] for i, rule in enumerate(rules)])

# %% [markdown] name="control-pairs-text"
# Adafactor's step is a share of the size of the weights, so from 0 it hardly gets away. From random weights it has the lowest loss, level with five others. The other ranks move by two at most.
#
# In the two right columns only the number of steps changes. With 20 steps Lion is fourth on words, with 80 steps last. A race that is stopped early has another order.
#
# **What pairing buys.** The interval of a rule against the first, paired by seed and not:

# %% tags=["fold"] name="control-pairs"
# Half of the interval, with and without pairing.
rows = []
for task in tasks:
    at = score[task][:, -1]
    lead = at.mean(1).argmin()
    mean, paired = against_first(at)
    t = stats.t.ppf(1 - 0.05 / (2 * pairs), 14)
    loose = t * np.sqrt((at.var(1, ddof=1) + at[lead].var(ddof=1)) / 8)
    others = np.arange(8) != lead
    rows.append([task, spread(paired[others], ".3f"), spread(loose[others], ".3f"),
                 int((mean > paired).sum()), int((mean > loose).sum())])
Table(["task", "half interval, paired", "not paired", "told from the first, paired",
       "not paired"], rows)

# %% [markdown] name="sources"
# On words a seed draws its own pages, and some pages are harder for everybody. Pairing takes this out. The intervals become six times as narrow, and seven rules instead of two can be told from the first. On softmax, on the net and in the valley pairing brings nothing. There its interval is a little wider: it estimates a spread from 8 differences instead of 16 losses, so its factor $t$ is larger.
#
# The recorded runs:

# %% tags=["fold"] name="record"
# What made the recorded runs.
record

# %% [markdown] name="sources-list"
# ## Sources
#
# - J. Dodge, S. Gururangan, D. Card, R. Schwartz and N. A. Smith, 2019: *Show your work: improved reporting of experimental results*, arXiv 1909.03004 (the result to expect as a function of the number of tries).
# - D. Choi, C. J. Shallue, Z. Nado, J. Lee, C. J. Maddison and G. E. Dahl, 2019: *On empirical comparisons of optimizers for deep learning*, arXiv 1910.05446 (the prior decides rankings).
# - R. M. Schmidt, F. Schneider and P. Hennig, 2021: *Descending through a crowded valley: benchmarking deep learning optimizers*, arXiv 2007.01547 (no rule is ahead on all tasks).
# - G. E. Dahl and others, 2023: *Benchmarking neural network training algorithms*, arXiv 2306.07179 (AlgoPerf: fixed hardware, time to a result, several tasks).
# - K. Wen, D. Hall, T. Ma and P. Liang, 2025: *Fantastic pretraining optimizers and where to find them*, arXiv 2509.02046 (with equal tuning, 1.4 times faster than AdamW at 0.1 billion weights and 1.1 times at 1.2 billion).
