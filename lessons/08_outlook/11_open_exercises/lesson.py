# ---
# jupyter:
#   lesson:
#     title: "Open exercises"
#     question: "Each of two optimizers leaves the larger loss on average, in the same ten runs. Who is ahead, and how do you score an answer that nobody knows?"
#     minutes: 60
#     needs: [07_without_a_schedule, 08_memory, 09_a_fair_race, 03_algorithms/16_schedules, 06_applications/08_reward_tuning]
#     settles: []
#     studies: [core.weighted_mean]
#     terms: [geometric mean, mark, place]
# ---

# %% [markdown] name="title"
# # Open exercises
#
# **Goal.** Work on five problems without a known best answer, and score what you find so that the score means something.
#
# **The question.** Momentum and Adam each run once on the same five problems. We divide momentum's last loss by Adam's, problem by problem, and take the mean of the five ratios. It is far above 1, so momentum looks worse. Then we divide Adam's loss by momentum's. That mean is far above 1 as well. Who is ahead?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import hashlib
from functools import lru_cache

import numpy as np
import sympy as sp
import torch
from sklearn.datasets import load_digits

from lessons_lib import bridge, data, exercises, landscapes, plots
from lessons_lib.core import Loss, weighted_mean
from lessons_lib.derive import derive
from lessons_lib.exercises.attempt import within
from lessons_lib.losses import leave_one_out_advantage
from lessons_lib.optim import Adam, Momentum, Prodigy, descend
from lessons_lib.optim.quantize import dequantize, quantize
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("08_outlook/11_open_exercises")

def spread(values, form=".1f"):  # median (lowest to highest)
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

# %% tags=["fold"] name="five-problems"
# Five problems: {name: (start, loss, gradient)}; three have real data, two are formulas.
def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)

@lru_cache(200)
def split_of(name, number):  # each split is read once
    return getattr(data, name)(int(number))

def five(rng):
    patients, tumours, digits = (split_of(name, rng.integers(10**6))
                                 for name in ("diabetes", "breast_cancer", "digits"))
    x, y = np.c_[patients.x, np.ones(len(patients.x))], patients.y
    floor = ((x @ np.linalg.lstsq(x, y, rcond=None)[0] - y) ** 2).mean()
    signed = (2.0 * tumours.y - 1)[:, None] * tumours.x
    pixels, hot = digits.x[:200], np.eye(10)[digits.y[:200]]
    bend, valley = np.geomspace(1, 100, 20), landscapes.rosenbrock()
    return {
        "diabetes": (np.zeros(11), lambda t: ((x @ t - y) ** 2).mean() - floor,
                     lambda t: 2 * x.T @ (x @ t - y) / len(y)),
        "tumours": (np.zeros(30), lambda t: np.logaddexp(0, -signed @ t).mean(),
                    lambda t: -signed.T @ np.exp(-np.logaddexp(0, signed @ t)) / len(signed)),
        "digits": (np.zeros((64, 10)),
                   lambda t: -np.log(np.maximum((softmax(pixels @ t) * hot).sum(1), 1e-30)).mean(),
                   lambda t: pixels.T @ (softmax(pixels @ t) - hot) / len(hot)),
        "bowl": (rng.normal(size=20), lambda t: (bend * t * t).sum() / 2, lambda t: bend * t),
        "valley": (np.array([-1.2, 1.0]), valley.value, valley.gradient),
    }

def left_over(rule, rng, units=0.0, steps=100):  # last loss / first loss on each of the five
    found = []
    for start, loss, gradient in five(rng).values():
        unit = 10.0 ** rng.uniform(-units, units)  # theta is measured in this unit
        with np.errstate(all="ignore"):
            at = descend(unit * start, rule, lambda t, g=gradient, u=unit: g(t / u) / u, steps)[-1]
            share = loss(at / unit) / loss(start)
        found.append(min(max(np.nan_to_num(share, nan=1e3), 1e-5), 1e3))
    return np.array(found)

# %% tags=["fold", "nbval-ignore-output"] name="question-picture"
# The last losses of both rules, with five splits and starts.
rule_of = {"momentum": Momentum(0.001), "Adam": Adam(0.1)}
a, b = (np.array([left_over(rule, np.random.default_rng(s)) for s in setting.seeds])
        for rule in rule_of.values())
one, other = (a / b).mean(1), (b / a).mean(1)
print(f"mean of momentum / Adam: {spread(one, '.0f')}\nmean of Adam / momentum: "
      f"{spread(other, '.0f')}\n(median, lowest to highest of {len(a)} seeds)")
assert one.min() > 20 and other.min() > 5
fig, (ax,) = plots.panels()
plots.draw_matrix(ax, np.log10(a / b), "problem", "seed", "log10 (momentum's loss / Adam's)",
                  "The smaller loss after 100 steps: momentum (blue) or Adam (red)")
ax.set_xticks(range(5), ["diabetes", "tumours", "digits", "bowl", "valley"])
plots.Picture(
    fig,
    "Five columns of five cells. Two columns are blue, diabetes and valley: momentum is "
    "ahead. Three are red, tumours, digits and bowl: Adam is ahead, most of all on digits.",
)

# %% [markdown] name="question-reading"
# Momentum is ahead on two problems (blue) and Adam on three (red). A ratio that is far above 1 enters a mean with its full size. A ratio that is far below 1 enters as almost nothing. So the mean hears only the problems on which the rule *above* the fraction bar is bad.
#
# Real data are scikit-learn's copies of three UCI data sets (CC BY 4.0): diabetes, tumours, digits. The bowl is a quadratic with 20 curvatures from 1 to 100, and the valley is Rosenbrock's. Each rule keeps one learning rate on all five: 0.001 for momentum, 0.1 for Adam. Another rate would give other ratios. Here we study the mean and not the rules.
#
# ## Move the reference
#
# The **geometric mean** of $K$ positive numbers is the $K$-th root of their product. Choose a reference, divide both rules' losses by the reference's, and take both kinds of mean. At 0 the reference is momentum and at 1 it is Adam. Between them its loss on each problem is (momentum's)$^{1-s}$ (Adam's)$^{s}$.

# %% tags=["fold", "nbval-ignore-output"] name="play"
# Two kinds of mean over five problems, while the reference moves.
fig, (left, right) = plots.panels(2, sharex=True)
for ax, title in ((left, "mean of the ratios"), (right, "geometric mean of the ratios")):
    ax.set(title=title, xscale="log", xlim=(0.05, 2e3), yticks=[0, 1],
           xlabel="loss / reference's loss")
    ax.set_yticklabels([*rule_of])
    ax.set_ylim(1.7, -0.7)

def means(s):  # of momentum and of Adam, over the reference: two kinds
    ratios = np.array([a[0], b[0]]) / (a[0] ** (1 - s) * b[0] ** s)
    return ratios.mean(1), np.exp(np.log(ratios).mean(1))

def reference(left, right, s):
    kinds = means(s)
    for ax, values in zip((left, right), kinds, strict=True):
        ax.barh([0, 1], values - 0.05, left=0.05, color=["C0", "C1"], height=0.6)
        ax.axvline(1, color="0.3", lw=1)
    m, g = (v[0] / v[1] for v in kinds)
    return f"Momentum's mean is {m:.2g} times Adam's; its geometric mean is {g:.2g} times Adam's."

assert means(0)[0][0] < means(0)[0][1] / 3 and means(1)[0][0] > 3 * means(1)[0][1]
plots.moving(fig, "reference (0: momentum, 1: Adam)", [round(s / 20, 2) for s in range(21)],
             reference, start=0,
             alt="Two panels with a bar for momentum and one for Adam. As the reference moves, the "
             "order of the bars on the left turns round, and the distance on the right stays.")

# %% [markdown] name="derivation-text"
# At either end the rule that serves as the reference wins on the left. The order turns round on the way. On the right both bars move together and their ratio stays. At which place do the left bars swap? And which number in the sentence below the picture never changes?
#
# ## Derivation: two kinds of mean
#
# $r$ and $q$ are the ratios of two problems. The mean of the ratios, times the mean of the same ratios upside down:

# %% tags=["fold"] name="derivation-mean"
# Derivation: two arithmetic means cannot both be right.
r, q = sp.symbols("r q", positive=True)
(
    derive("M", "(r + q)/2 * (1/r + 1/q)/2", "the mean, times the mean upside down", [r, q])
    .equals("(2 + r/q + q/r)/4", "multiply out")
    .equals("1 + (r - q)**2/(4*r*q)", r"$r^2 + q^2 = (r - q)^2 + 2rq$")
    .library("weighted_mean(r) * weighted_mean(1/r)",
             lambda r, q: np.array([
                 weighted_mean(Loss(u, 0 * u + 1), np.ones(2)).value
                 * weighted_mean(Loss(1 / u, 0 * u + 1), np.ones(2)).value
                 for u in np.stack([r, q], 1)]))
    .at_least("1", "**both means are too large together, unless $r = q$**")
)

# %% [markdown] name="derivation-geometric-text"
# A product of 1 is no contradiction: one mean says "twice", the other "half". The product is larger than 1 as soon as the two ratios differ. Then one of the means, or both, overstates. In the geometric mean $G$ this cannot happen. Let $a_k$ and $b_k$ be the losses of two rules on problem $k$, and let $u_k$ be any number, such as a unit or the loss of a reference:

# %% tags=["fold"] name="derivation-geometric"
# Derivation: the geometric mean of ratios knows neither units nor references.
j, k, K = sp.symbols("j k K", integer=True, positive=True)
A, B, U = (sp.IndexedBase(name, positive=True) for name in "abu")
(
    derive(r"\log G(a, b)", "Sum(log(a[k]/b[k]), (k, 1, K))/K", "the logarithm makes a sum of "
           "the product", {"a": A, "b": B, "u": U, "j": j, "k": k, "K": K}, {K: (2, 3)})
    .equals("Sum(log(a[k]/u[k]), (k, 1, K))/K - Sum(log(b[k]/u[k]), (k, 1, K))/K",
            "each is compared with $u$: **the $u_k$ cancel**")
    .equals("-Sum(log(b[k]/a[k]), (k, 1, K))/K", "upside down: **the same with a minus**")
    .library("weighted_mean(log(a / b), 1)",
             lambda a, b: weighted_mean(Loss(np.log(a / b), 1 / a), 0 * a + 1).value,
             each=True)
    .slope(A[j], "1/(K*a[j])", "**one per cent more on any problem counts the same**")
    .library("weighted_mean(log(a / b), 1).grad",
             lambda a, b: weighted_mean(Loss(np.log(a / b), 1 / a), 0 * a + 1).grad,
             each=True)
)

# %% tags=["fold", "nbval-ignore-output"] name="answer"
# The answer to the question.
factor = np.exp(np.log(a / b).mean(1))
print(f"geometric mean of momentum / Adam: {spread(factor)}")
assert factor.min() > 1.25

# %% [markdown] name="score-text"
# Momentum's loss is about three times Adam's, and Adam's is a third of momentum's. Both sentences say the same.
#
# ## A score for an open answer
#
# An open exercise has no solution to compare with. It has two **marks**: a **mark** is the cost of a known answer on the same data. Mark 0 is the baseline, with cost $c_0$. Mark 100 is the best answer we know, with cost $c_{100}$. The **place** of your answer is where its cost $c$ lies between the two marks, on a logarithmic scale:
#
# $$\text{place} = 100\, \frac{\log G(c_0, c)}{\log G(c_0, c_{100})}$$
#
# The geometric means run over fresh data sets. You may end below 0 or above 100. Nothing here says "right".

# %% name="score"
def fingerprint(answer):  # a number from the code of an answer
    if isinstance(answer, tuple):
        return "".join(map(fingerprint, answer))
    code = getattr(answer, "__code__", None) or type(answer).update.__code__
    inner = [fingerprint_of(c) for c in code.co_consts]
    return f"{code.co_code.hex()} {inner} {'' if hasattr(answer, '__code__') else answer}"

def fresh(answer, repeats=5):  # other code, other data
    key = hashlib.sha256(f"{seed} {fingerprint(answer)}".encode()).digest()
    return [[int.from_bytes(key[:8], "big"), n] for n in range(repeats)]

def place(cost, zero, hundred):  # arrays, one cost per data set
    gain, whole = np.log(zero / cost), np.log(zero / hundred).mean()
    return 100 * gain / whole

# %% tags=["fold"] name="judge"
# The judge: your answer and both marks on the same fresh data, or one sentence.
def fingerprint_of(constant):  # constants of the code, nested functions too
    if not hasattr(constant, "co_code"):
        return repr(constant)
    return constant.co_code.hex() + "".join(map(fingerprint_of, constant.co_consts))

def judge(problem, answer, show=True):
    cost, unit, zero, hundred = PROBLEMS[problem]
    def on_fresh(who):
        with np.errstate(all="ignore"):
            return np.array([cost(who, np.random.default_rng(s)) for s in fresh(answer)], float)
    try:
        if isinstance(answer, type) or not (callable(answer) or hasattr(answer, "update")
                                            or isinstance(answer, tuple)):
            raise TypeError("an answer is a function, a rule or a pair of functions")
        mine, *marks = within(20, lambda: [on_fresh(who) for who in (answer, zero, hundred)])
        if not np.isfinite(mine).all():
            raise ValueError("its cost is not a finite number")
    except Exception as error:
        text = " ".join(str(error).split())[:160]
        print(f"{problem}: no score, {type(error).__name__}: {text}")
        return None
    each = place(np.maximum(mine, 1e-9), *marks)
    mean = weighted_mean(Loss(each, np.ones(len(each))), np.ones(len(each))).value
    if show:
        costs = [f"{np.exp(np.log(np.maximum(c, 1e-9)).mean()):.3g}" for c in (mine, *marks)]
        print(f"{problem}: place {mean:.0f} ({each.min():.0f} to {each.max():.0f} on "
              f"{len(each)} fresh data sets)\n{unit}: yours {costs[0]}, mark 0 {costs[1]}, "
              f"mark 100 {costs[2]}")
    return None if show else each

# %% tags=["fold"] name="costs"
# The five costs. Each takes an answer and random numbers; smaller is better.
def wrong_labels(rng, seeds=2, n=400):
    splits = [split_of("digits", s) for s in rng.integers(10**6, size=seeds)]
    x, true = np.array([s.x[:n] for s in splits]), np.array([s.y[:n] for s in splits])
    flip = rng.random(true.shape) < 0.3
    y = np.where(flip, (true + rng.integers(1, 10, true.shape)) % 10, true)
    return splits, torch.tensor(x).float(), torch.tensor(y)

def loss_cost(loss, rng):  # share of wrong test digits
    splits, x, y = wrong_labels(rng)
    hot, w, rule = torch.nn.functional.one_hot(y, 10).float(), torch.zeros(2, 64, 10), Adam(0.03)
    state = rule.init(w)
    for _ in range(100):
        w = w.detach().requires_grad_()
        each = loss(torch.softmax(x @ w, -1), hot)
        if tuple(getattr(each, "shape", ())) != tuple(y.shape):
            raise ValueError("the loss must have one number per picture, shape (2, 400)")
        w, state = rule.update(w.detach(), torch.autograd.grad(each.sum() / 400, w)[0], state)
    test, goal = (torch.tensor(np.array([getattr(s, part) for s in splits]))
                  for part in ("x_test", "y_test"))
    if not w.isfinite().all():
        raise ValueError("the weights are no longer finite numbers")
    wrong = ((test.float() @ w).argmax(-1) != goal).float().mean()
    return max(float(wrong), 1e-3)

def rule_cost(rule, rng):  # the worst of five problems, each in a unit between 0.01 and 100
    return left_over(rule, rng, units=2.0).max()

def gaps(rate, batches, split):  # of each run: mean squared error above the best line's
    patients = split_of("diabetes", split)
    x, y = np.c_[patients.x, np.ones(len(patients.x))], patients.y
    y = (y - y.mean()) / y.std()
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    batches = (len(y) * batches).astype(int)
    w = np.zeros((batches.shape[1], 11))
    for t, i in enumerate(batches):
        error = (x[i] @ w[..., None])[..., 0] - y[i]
        w = w - rate(t / len(batches)) * (error[:, None] @ x[i])[:, 0] / 2
    return ((x @ w.T - y[:, None]) ** 2).mean(0) - ((x @ best - y) ** 2).mean()

def schedule_cost(rate, rng, runs=80, steps=400):
    split = rng.integers(10**6)
    return gaps(lambda u: float(rate(u)), rng.random((steps, runs, 4)), split).mean()

def adam_state(rng):  # v of Adam after 30 steps on the digits, 640 numbers
    digits, w, rule = split_of("digits", rng.integers(10**6)), np.zeros((64, 10)), Adam(0.01)
    state = rule.init(w)
    for _ in range(30):
        i = rng.integers(len(digits.y), size=8)
        p = softmax(digits.x[i] @ w)
        w, state = rule.update(w, digits.x[i].T @ (p - np.eye(10)[digits.y[i]]) / 8, state)
    return state.v.ravel().astype(np.float32)

def bytes_and_error(answer, rng):
    v = adam_state(rng)
    parts = answer[0](v.copy())
    back = np.asarray(answer[1](parts, v.size), float)
    if back.shape != v.shape:
        raise ValueError(f"unpack must return {v.size} numbers, got shape {back.shape}")
    off = np.log2(np.maximum(back, 1e-30)[v > 0] / v[v > 0])
    return sum(part.nbytes for part in parts) / v.size, np.minimum(abs(off), 10).mean()

def state_cost(answer, rng):  # mean error in powers of two
    size, error = bytes_and_error(answer, rng)
    if size > 1.1001:
        raise ValueError(f"{size:.2f} bytes per number, and 1.1 are allowed")
    return max(error, 1e-6)

def advantage_cost(advantage, rng, runs=4, questions=32, arms=10, draws=4):  # reward missed
    reward = rng.normal(size=(runs, questions, arms)) + 3 * rng.normal(size=(runs, questions, 1))
    z = np.zeros(reward.shape)
    for _ in range(60):
        p = softmax(z)
        at = (p.cumsum(-1)[..., None, :] < rng.random((runs, questions, draws, 1))).sum(-1)
        at = at.clip(0, arms - 1)
        r = np.take_along_axis(reward, at, -1) + 0.5 * rng.normal(size=at.shape)
        A = np.asarray(advantage(r.copy()), float)
        if A.shape != r.shape:
            raise ValueError(f"one advantage per reward, shape {r.shape}, got {A.shape}")
        g = (A[..., None] * (np.eye(arms)[at] - p[..., None, :])).mean(-2)
        z = z + 2 * g / (np.sqrt((g**2).sum((1, 2), keepdims=True)) + 1e-12)
    return (reward.max(-1) - (softmax(z) * reward).sum(-1)).mean()

# %% tags=["fold"] name="marks"
# The marks: for each problem the answers at place 0 and at place 100.
def cross_entropy(p, y):
    return -(y * p.clamp(min=1e-12).log()).sum(-1)

def even(block=40):  # 255 equal steps up to the largest of each block
    def pack(v):
        rows = np.pad(v, (0, -len(v) % block)).reshape(-1, block)
        top = rows.max(1)
        return [np.round(rows / np.where(top > 0, top, 1)[:, None] * 255).astype(np.uint8), top]
    return pack, lambda parts, n: (parts[0] / 255 * parts[1][:, None]).ravel()[:n]

def dynamic(block=40):
    return (lambda v: list(quantize(v, False, block)),
            lambda parts, n: dequantize(*parts, False, block))

def logarithmic(block=40):  # equal factors between the smallest and the largest of each block
    def pack(v):
        rows = np.pad(v, (0, -len(v) % block), mode="edge").reshape(-1, block)
        rows = np.log2(np.maximum(rows, v[v > 0].min()))
        low, high = rows.min(1), rows.max(1)
        codes = (rows - low[:, None]) / np.where(high > low, high - low, 1)[:, None]
        return [np.round(255 * codes).astype(np.uint8), np.float16(low), np.float16(high)]

    def unpack(parts, n):
        low, high = (part.astype(float)[:, None] for part in parts[1:])
        return 2.0 ** (low + parts[0] / 255 * (high - low)).ravel()[:n]
    return pack, unpack

PROBLEMS = {
    "loss": (loss_cost, "share of wrong test digits", cross_entropy,
             lambda p, y: 1 - (y * p).sum(-1)),
    "optimizer": (rule_cost, "last loss / first loss, worst of five", Adam(0.001),
                  Prodigy(beta2=0.99)),
    "schedule": (schedule_cost, "gap of the mean squared error", lambda u: 0.004,
                 lambda u: 0.01 * (1 - u)),
    "8-bit state": (state_cost, "mean error in powers of two", even(), logarithmic()),
    "advantage": (advantage_cost, "reward missed per question", lambda r: r,
                  leave_one_out_advantage),
}

# %% [markdown] name="problems-text"
# Whoever sees the test data can fit them, without wanting to. So the data come from a *hash*, a number that the program computes from the code of your answer. Change the answer, and it is judged on other data. Your answer and both marks always meet the same data. An answer that cannot be judged gets one sentence and no score. The marks stand in a folded cell above: look when you are done.
#
# ## Five open problems
#
# Each cell below holds an answer that runs. Change it, run it, and write down your places. Do not stop at 100.
#
# **1. A loss for wrong labels.** A linear model learns 400 digits, and 30 per cent of the labels are wrong. `p` holds the probabilities and `y` the one-hot labels, both `(..., 10)`. Return one loss per picture, as a torch expression.

# %% tags=["fold"] name="labels-picture"
# Sixteen digits with labels of which 30 per cent are wrong.
raw, true = load_digits(return_X_y=True)
draw = np.random.default_rng(seed)
flip = draw.random(len(true)) < 0.3
told = np.where(flip, (true + draw.integers(1, 10, len(true))) % 10, true)
print(f"wrong labels: {flip.mean():.0%} of {len(true)}")
plots.images(raw[:16].reshape(-1, 8, 8),
             [f"{t} (wrong)" if bad else f"{t}"
              for t, bad in zip(told[:16], flip[:16], strict=True)],
             alt="Sixteen handwritten digits, each under its label. Some labels are wrong.")

# %% [markdown] name="problem-loss-text"
# About three in ten pictures carry a wrong number. The model cannot know which ones. A loss decides how loudly a picture may complain that its label does not fit.

# %% tags=["nbval-ignore-output"] name="problem-loss"
def my_loss(p, y):
    return ((p - y) ** 2).sum(-1)

judge("loss", my_loss)

# %% [markdown] name="problem-optimizer-text"
# **2. An optimizer without a rate to tune.** The five problems of the opening come back. In each, $\theta$ is measured in a random unit between 0.01 and 100. One setting must do for all, and the worst of the five counts. Use any rule of `lessons_lib.optim`, or write a class with `init(theta)` and `update(theta, g, state)`.

# %% tags=["nbval-ignore-output"] name="problem-optimizer"
my_rule = Adam(0.1)

judge("optimizer", my_rule)

# %% [markdown] name="problem-schedule-text"
# **3. A schedule for a fixed budget.** SGD fits the diabetes data in 400 steps with batches of 4. Return the learning rate when the share `u` of the steps is done, from 0 to 1. Both marks had eleven rates to choose from, on other data.

# %% tags=["nbval-ignore-output"] name="problem-schedule"
def my_schedule(u):
    return 0.01 if u < 0.5 else 0.002

judge("schedule", my_schedule)

# %% [markdown] name="problem-state-text"
# **4. An 8-bit state of your own.** Adam's $v$ has 640 numbers here. Most are positive, from about $2^{-24}$ to $2^{-8}$. Pack them into NumPy arrays of at most 1.1 bytes per number, and unpack them. The error is the mean of $|\log_2(\hat v / v)|$ over all $v > 0$, and one number counts at most 10.

# %% tags=["nbval-ignore-output"] name="problem-state"
def my_pack(v):  # even steps of the square root
    return [np.round(255 * np.sqrt(v / v.max())).astype(np.uint8), v.max(keepdims=True)]

def my_unpack(parts, n):
    return parts[1] * (parts[0] / 255.0) ** 2

judge("8-bit state", (my_pack, my_unpack))

# %% tags=["fold", "nbval-ignore-output"] name="front-picture"
# Bytes and error of three maps, for five block sizes; and another error for blocks of 40.
fig, (ax,) = plots.panels()
front, absolute = {}, {}
states = [adam_state(np.random.default_rng(s)) for s in range(seed, seed + 10)]
for (label, kind), style in zip((("even steps", even), ("dynamic map", dynamic),
                                 ("equal factors", logarithmic)), ("o-", "s--", "^:"), strict=True):
    points = np.array([[bytes_and_error(kind(n), np.random.default_rng(s))
                        for n in (16, 32, 64, 160, 640)] for s in setting.seeds])
    front[label] = points[..., 1]
    ax.plot(*np.median(points, 0).T, style, label=label)
    pack, unpack = kind()
    absolute[label] = [abs(unpack(pack(v), v.size) - v).mean() / v.max() * 1e6 for v in states]
ax.axvline(1.1, color="0.5", lw=1)
ax.set(yscale="log", xlabel="bytes per number (the grey line is the budget)",
       ylabel="mean error (powers of two)", ylim=(0.004, 3))
ax.legend(loc="center", bbox_to_anchor=(0.75, 0.6))
for label, errors in front.items():
    print(f"{label}: error {spread(errors[:, 0], '.3f')} with blocks of 16, "
          f"{spread(errors[:, -1], '.3f')} with one block; absolute error, blocks of 40: "
          f"{spread(absolute[label], '.0f')} millionths of the largest v")
assert (front["equal factors"].mean(0) < front["dynamic map"].mean(0)).all()
plots.Picture(fig, "Error over bytes for three maps, each falling from left to right. Even steps "
              "lie far above the dynamic map, and equal factors below it.")

# %% [markdown] name="problem-advantage-text"
# Each point is a block size, from one block of 640 on the left to blocks of 16 on the right. The dynamic map is that of [Memory](08_memory.ipynb). Equal factors divide the range between the smallest and the largest $v$ of a block into steps of the same factor. Here they leave the least error for the same bytes, at every size: they are the [front](02_losses_that_adapt.ipynb), and mark 100 is one of its points. That is a fact about this cost. Measured by the mean absolute error, the last number of each line, the three maps have overlapping ranges and none is clearly ahead. **Choose the cost before you look for the winner.**
#
# **5. An advantage for few samples.** A policy has 32 questions with ten possible answers each. In each of 60 steps it draws four answers per question and gets four noisy rewards. Questions differ by a constant that no answer can change. `r` has the shape `(runs, 32, 4)`. Return an [advantage](../06_applications/08_reward_tuning.ipynb) for each reward. Every step has the same length, so the size of the advantages does not matter as a whole.

# %% tags=["nbval-ignore-output"] name="problem-advantage"
def my_advantage(r):
    return np.sign(r - np.median(r, -1, keepdims=True))

judge("advantage", my_advantage)

# %% tags=["fold", "nbval-ignore-output"] name="scale-picture"
# Where eight known answers stand, each on its own fresh data.
known = {
    "loss: (1 - p^0.7) / 0.7": ("loss", lambda p, y: (1 - ((y * p).sum(-1) + 1e-9) ** 0.7) / 0.7),
    "optimizer: Adam, rate 0.1": ("optimizer", Adam(0.1)),
    "schedule: 0.017 (1 - u)^2": ("schedule", lambda u: 0.017 * (1 - u) ** 2),
    "8-bit: equal factors, 1 block": ("8-bit state", logarithmic(640)),
    "8-bit: dynamic map": ("8-bit state", dynamic()),
    "advantage: less one mean for all": ("advantage", lambda r: r - r.mean()),
    "advantage: best of four": ("advantage",
                                lambda r: (r == r.max(-1, keepdims=True)) - 0.25),
    "advantage: rank": ("advantage", lambda r: r.argsort(-1).argsort(-1) - 1.5),
}
places = {label: judge(*pair, show=False) for label, pair in known.items()}
for label, each in places.items():
    print(f"{label}: {spread(each, '.0f')}")
picture = plots.bars({label: plots.band(each) for label, each in places.items()},
                     "place (0: baseline, 100: best we know)",
                     "Eight bars with their spread. Two stand near place 0: Adam with a rate of "
                     "0.1, and advantages less one mean for all. Six lie between 79 and 104.",
                     title="Median and range of 5 data sets")
picture

# %% [markdown] name="breaks-text"
# A single mean for all questions (place near 0) does not help: the constants of the questions stay in. Ranks of the four rewards do as well as the rewards themselves, and even "best of four" comes near. The dynamic map loses a tenth of the way to equal factors. Adam at a rate of 0.1 stands near 0: in most data sets the worst of its five problems has hardly moved. Wide spreads are part of the result. One look does not rank two answers whose spreads overlap.
#
# ## What breaks
#
# **The mistake.** You try 30 answers on one test set and report the best. Here the answers are random schedules that fall from one rate to another. The "test set" is one run of SGD with a fixed seed. The winner is then judged on 40 fresh runs. We do this ten times:

# %% tags=["nbval-ignore-output"] name="breaks"
draw = np.random.default_rng([seed, 7])
high, low = 10 ** draw.uniform(-2.4, -1.6, (1, 30, 1)), 10 ** draw.uniform(-4, -2.7, (1, 30, 1))

def gaps_of_all(runs):  # every schedule on the same runs: (runs, 30)
    batches = np.repeat(draw.random((400, runs, 4)), 30, axis=1)
    rates = [np.tile(r, (runs, 1, 1)).reshape(-1, 1) for r in (high, low)]
    return gaps(lambda u: rates[0] * (1 - u) + rates[1] * u, batches, seed).reshape(runs, 30)

tests, honest = gaps_of_all(10), gaps_of_all(40).mean(0)
winner = tests.argmin(1)  # of each of ten tests
reported, worth = tests.min(1), honest[winner]

# %% tags=["fold", "nbval-ignore-output"] name="breaks-table"
# The winner's lead over the median schedule: as reported, and as it is.
lead, real = 100 * (1 - reported / np.median(tests, 1)), 100 * (1 - worth / np.median(honest))
print(f"different winners in ten tests: {len(set(winner))}")
assert lead.mean() > real.mean() + 2
Table(["lead over the median schedule (per cent)", "median (lowest to highest of ten tests)"],
      [["reported, on the run that chose the winner", spread(lead, ".0f")],
       ["the same winner, 40 fresh runs", spread(real, ".0f")],
       ["the best schedule of all, 40 fresh runs",
        f"{100 * (1 - honest.min() / np.median(honest)):.0f}"]])

# %% [markdown] name="exercises"
# **The signature.** The reported lead is three times what the winner is worth, and twice the lead of the best schedule of all. Ten test sets name six winners. **The cure.** Judge every answer on data that it cannot have seen. Our hash does that, for one look. If you run 30 answers and keep the best *place*, you have chosen by luck again ([A fair race](09_a_fair_race.ipynb)). Then judge the winner once more: add a line with a new number to its code, such as `_ = 17`, and the data are new.
#
# ## Exercises
#
# Three exercises with a solution. Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. Who is ahead? (4 minutes, easy)
# `a` and `b` hold the losses of two rules, shape `(runs, K)`, one column per problem. By which factor do `a`'s losses lie above `b`'s? Return the geometric mean of the ratios over the problems, one number per run.

# %% name="exercise-ahead"
def ahead(a, b):
    ### BEGIN SOLUTION
    return np.exp(np.log(a / b).mean(1))
    ### END SOLUTION

# %% name="check-ahead"
check("ahead")

# %% [markdown] name="exercise-families-text"
# <details><summary>Hint 1</summary>A product of many numbers is a sum of their logarithms.</details>
# <details><summary>Hint 2</summary>Take the logarithm of the ratio, its mean over the columns, and undo the logarithm.</details>
#
# ### 2. Problems that are relatives (8 minutes, medium)
# A collection has ten problems, and eight of them are the same task in eight sizes. `ratio` holds one ratio per problem, shape `(K,)`, and `family` the number of each problem's family, shape `(K,)`. Return one geometric mean in which every *family* counts the same, and inside a family every problem. This is how to score a collection with near-copies.

# %% name="exercise-families"
def families(ratio, family):
    ### BEGIN SOLUTION
    logs = [np.log(ratio[family == f]).mean() for f in np.unique(family)]
    return np.exp(np.mean(logs))
    ### END SOLUTION

# %% name="check-families"
check("families")

# %% [markdown] name="exercise-needed-text"
# <details><summary>Hint 1</summary>First one number per family, then one number for all.</details>
# <details><summary>Hint 2</summary>Stay with logarithms until the end: a mean of means of logarithms.</details>
#
# ### 3. How many data sets? (8 minutes, medium)
# Two answers met the same few data sets. `d` holds the differences of their log costs, one per data set. A mean of $n$ such differences has the standard error $s / \sqrt{n}$, where $s$ is the standard deviation of one. Estimate $s$ from `d` (divide by one less than their number). Find the smallest whole $n$ for which the mean of `d` is more than two standard errors away from 0.

# %% name="exercise-needed"
def needed(d):
    ### BEGIN SOLUTION
    variance = ((d - d.mean()) ** 2).sum() / (len(d) - 1)
    return 4 * variance // d.mean() ** 2 + 1
    ### END SOLUTION

# %% name="check-needed"
check("needed")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Write the condition as an inequality and solve it for n.</details>
# <details><summary>Hint 2</summary>n must be larger than 4 s² / mean². Which whole number is the first?</details>
# <details><summary>What it means (after solving)</summary>The number grows with the square: a difference half as large needs four times as many data sets.</details>
#
# ## Takeaways
#
# - The mean of ratios depends on which rule stands below the fraction bar. The geometric mean of ratios does not.
# - An answer to an open problem gets a place between two marks, on data that it has not seen, with its spread.
# - Do not use a geometric mean where the sum itself is what you pay, such as hours or money. Do not use it for costs that can be 0: one perfect problem outweighs all others.
#
# ## Does it hold?
#
# **How sure is a place?** Ten more judgements of the dynamic map and twenty of "best of four", each with five fresh data sets:

# %% tags=["fold", "nbval-ignore-output"] name="control-places"
# The places of the same two answers, again and again.
def again(problem, answer, sets):
    sides = [[cost(who, np.random.default_rng([seed, n, 5])) for n in range(sets)]
             for cost in (PROBLEMS[problem][0],) for who in (answer, *PROBLEMS[problem][2:])]
    c, zero, hundred = np.maximum(np.array(sides, float), 1e-9).reshape(3, -1, 5)
    return (100 * np.log(zero / c).mean(1) / np.log(zero / hundred).mean(1))

often = {label: again(*known[label], sets) for label, sets in
         (("8-bit: dynamic map", 50), ("advantage: best of four", 100))}
for label, values in often.items():
    print(f"{label}: {spread(values, '.0f')}, standard deviation {values.std():.1f}")
plots.histogram(often, "place of the same answer",
                "Two outlines. The places of the dynamic map lie within 4 of each other, those "
                "of best of four within 15.", bins=20)

# %% [markdown] name="control-unit-text"
# The place of the dynamic map has a standard deviation of 1, and that of "best of four" one of 4. Two advantages whose places differ by less than 8 need more data sets; exercise 3 says how many.
#
# **Only one mean?** The rates of the opening, changed by a factor of 3 in either direction:

# %% tags=["fold", "nbval-ignore-output"] name="control-rates"
# The three means for other rates of both rules.
rows = []
for m in (0.0005, 0.001):
    for lr in (0.05, 0.1, 0.2):
        pair = [np.array([left_over(rule, np.random.default_rng(s)) for s in setting.seeds])
                for rule in (Momentum(m), Adam(lr))]
        r = pair[0] / pair[1]
        rows.append([m, lr, spread(r.mean(1)), spread((1 / r).mean(1)),
                     spread(np.exp(np.log(r).mean(1)))])
Table(["momentum's rate", "Adam's rate", "mean of momentum / Adam", "mean of Adam / momentum",
       "geometric mean of momentum / Adam"], rows)

# %% [markdown] name="sources"
# Both arithmetic means stay above 1 in every row. The geometric mean takes one side, and how far ahead Adam is depends on the rates. With 0.001 and 0.05 it depends on the seed too. A fair comparison of the two would tune both first.
#
# ## Sources
#
# - P. J. Fleming and J. J. Wallace, 1986: *How not to lie with statistics: the correct way to summarize benchmark results*, Communications of the ACM 29.
# - A. Blum and M. Hardt, 2015: *The Ladder: a reliable leaderboard for machine learning competitions*, arXiv 1502.04585.
# - Z. Zhang and M. Sabuncu, 2018: *Generalized cross entropy loss for training deep neural networks with noisy labels*, arXiv 1805.07836 (the losses $(1 - p^q)/q$ of problem 1; mark 100 is $q = 1$).
# - K. Mishchenko and A. Defazio, 2024: *Prodigy: an expeditiously adaptive parameter-free learner*, arXiv 2306.06101 (mark 100 of problem 2).
# - T. Dettmers, M. Lewis, S. Shleifer and L. Zettlemoyer, 2022: *8-bit optimizers via block-wise quantization*, arXiv 2110.02861 (mark 100 of problem 4).
