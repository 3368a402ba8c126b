# ---
# jupyter:
#   lesson:
#     title: "Without a schedule"
#     question: "No decay, no end date, and it ends where cosine ends. Where is the decay hidden?"
#     minutes: 50
#     needs: [03_algorithms/13_adamw, 03_algorithms/16_schedules]
#     settles: []
#     studies: [optim.ScheduleFreeSGD, optim.ScheduleFreeAdamW, optim.Prodigy]
#     terms: [schedule-free, Prodigy]
# ---

# %% [markdown] name="title"
# # Without a schedule
#
# **Goal.** Know what schedule-free training and Prodigy take off your hands, and what they leave there.
#
# **The question.** A cosine must know its last step before the first one. Schedule-free AdamW keeps one rate for good, and may stop at any time. Here both train one small language model. No decay, no end date, and it ends near where cosine ends. Where is the decay hidden?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports, and the recorded runs.
import numpy as np
import sympy as sp

from lessons_lib import bridge, data, exercises, plots, records
from lessons_lib.derive import derive
from lessons_lib.landscapes import quadratic
from lessons_lib.optim import AdamW, Prodigy, ScheduleFreeAdamW, ScheduleFreeSGD
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("08_outlook/07_without_a_schedule")
record, made = (f("08_outlook/07_without_a_schedule") for f in (records.of, records.load))
rates, looks, last = np.array(made["RATES"]), made["LOOKS"], made["LAST"]
judges = [s for s in record.runs if s not in made["TUNING"]]

def spread(values, form=".3f"):  # median (lowest to highest) over the seeds
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

def ends(name, place=0):  # (seeds, rates): the last loss; place: x, y, z of schedule-free
    found = np.array([record.runs[s][name] for s in record.runs])
    if name == "free":
        return found[:, :, -1, place]
    return found[..., place if "free" in name else -1] if found.ndim == 3 else found

def chosen(name):  # the place of the rate that the tuning seeds choose, inside the grid
    at = ends(name)[: len(made["TUNING"])].mean(0).argmin()
    assert 0 < at < len(rates) - 1
    return at

def judged(name, place=0):  # the other seeds at that rate
    return ends(name, place)[len(made["TUNING"]) :, chosen(name)]

assert list(made["TUNING"]) == list(record.runs)[: len(made["TUNING"])]

# %% [markdown] name="question-text"
# The model reads a word and predicts the next one, among the 128 most frequent words of Python's documentation (PSF licence). It keeps 16 numbers for each word that is read and 16 for each that is predicted. A batch is 32 pairs of words, and each step draws new ones. The loss is always that of the whole text.
#
# Every rule takes 800 steps, the first 20 as warm-up (Prodigy with a constant rate has none). Nothing decays the weights, so AdamW is Adam here.

# %% tags=["fold", "nbval-ignore-output"] name="question-picture"
# One seed, live: cosine, a constant rate, and two points of schedule-free AdamW.
task, rate = made["Task"](seed), rates[6]
every = [1, *range(10, last + 1, 10)]
adam = AdamW(rate, beta2=0.99, weight_decay=0.0)
free = ScheduleFreeAdamW(rate, beta2=0.99)
curves = {}
for name, factor in (("AdamW, cosine", made["falling"](last)), ("AdamW, constant", made["warm"])):
    curves[name] = np.array(made["train"](task, adam, factor, last, every)[0])[:, 0]
three = np.array(made["train"](task, free, made["warm"], last, every, made["three"])[0])
curves |= {"schedule-free, x": three[:, 0], "schedule-free, z": three[:, 2]}
for name, curve in curves.items():
    print(f"{name}: {curve[-1]:.2f} nats at the end")
print(f"at the start: {task.loss(task.start):.2f} nats")
assert three[-1, 2] > task.loss(task.start) and three[-1, 0] < curves["AdamW, constant"][-1] - 0.05
plots.lines(every, curves, "step", "loss of the whole text (nats)",
    f"Four lines over 800 steps, all at the rate {rate:g}. The constant rate stops falling near "
    "3.4. Cosine and schedule-free x fall together to about 3.1. Schedule-free z turns after 50 "
    "steps and climbs far above the start.", title=f"Every rule at the rate {rate:g}")

# %% [markdown] name="question-reading"
# Schedule-free keeps two points. The point $z$ takes the steps, and the point $x$ is the mean of all $z$ so far. Look at $z$: it ends worse than the untrained model. And the mean of these bad models is good, far better than Adam at the same constant rate.
#
# ## The idea, drawn
#
# The [mean of a circling walk](../03_algorithms/16_schedules.ipynb) is not new. In **schedule-free** training (Defazio and others, 2024) the gradient is taken at a third point $y$, between SGD's point $z$ and the mean $x$ of these points.
#
# $$y = (1 - \beta)\, z + \beta\, x, \qquad z \leftarrow z - \eta\, g(y), \qquad x \leftarrow x + \tfrac{1}{t}\,(z - x)$$
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $z$ | `state.z` | any | takes the steps |
# | $x$ | `rule.averaged(theta, state)` | as $z$ | the mean of all $z$ after their steps: predict with it |
# | $y$ | `theta` | as $z$ | where the gradient $g$ is taken |
# | $\beta$ | `beta` | number in (0, 1) | how near $y$ is to $x$; 0.9 by default |
# | $\eta$, $t$ | `lr`, `t` | numbers | the rate; the step 1, 2, ... |
#
# Here are the three on a bowl with curvatures 1 and 10 whose gradients are noisy. Move $\beta$. At which end is the walk of $z$ narrow, and at which is $x$ late? And which $\beta$ has the lowest mean loss?

# %% tags=["fold", "nbval-ignore-output"] name="play-picture"
# The paths of z, y and x with one noise; mean losses over 300 noises.
bowl, begin = np.array([1.0, 10.0]), np.array([-1.7, 1.0])
noise = np.random.default_rng(seed).normal(size=(60, 300, 2)) * 4.0

def walk(beta, lr=0.1):  # z, y, x: (steps, 3, noises, 2)
    rule, theta = ScheduleFreeSGD(lr, beta), np.tile(begin, (300, 1))
    state, seen = rule.init(theta), [[theta] * 3]
    for xi in noise:
        theta, state = rule.update(theta, bowl * theta + xi, state)
        seen.append([state.z, theta, rule.averaged(theta, state)])
    return np.array(seen)

def height(points):
    return (bowl * points**2).sum(-1) / 2

betas = [0.02, *np.arange(0.05, 0.96, 0.05).round(2), 0.98]
walks = {beta: walk(beta) for beta in betas}
low = {beta: height(w[-1]).mean(-1) for beta, w in walks.items()}
fig, (ax,) = plots.panels()
fig.set_size_inches(6.6, 4.4)
plots.draw_contours(ax, quadratic(*bowl), ((-3.2, 3.2), (-2.0, 2.0)))
for name, look in (("z", "C0-"), ("y", "C1--"), ("x", "C2:")):
    ax.plot([], [], look, marker=".", label=name)
ax.legend(loc="upper right")

def at(ax, beta):
    plots.draw_trails(ax, dict(zip("zyx", np.moveaxis(walks[beta][:, :, 0], 1, 0), strict=True)))
    z, y, x = low[beta]
    return (f"beta {beta:g}, after 60 steps, mean of 300 noises: loss at z {z:.2f}, "
            f"at y {y:.2f}, at x {x:.2f}.")

for beta in (0.02, 0.5, 0.9, 0.98):
    print(at(plots.panels()[1][0], beta))
plots.moving(fig, "beta", betas, at, start=0.5, alt="Three paths from one start on the "
    "contours of a bowl. z jumps about widely. y follows with smaller jumps. x glides smoothly "
    "to the minimum.")

# %% [markdown] name="play-reading"
# At the lower end the walk of $z$ is narrow: the gradient is taken nearly at $z$ and calls it back. At the upper end the gradient is that of $x$, so nothing calls $z$ back. It strays, and $x$ is late, because it moves only by $1/t$ of the way.
#
# On this bowl the loss at $x$ is lowest for the smallest $\beta$, which is plain averaging. A bowl has one curvature everywhere. In a network a wide circle has [another centre](../03_algorithms/16_schedules.ipynb), and there $\beta = 0.1$ loses (controls, at the end).
#
# ## Derivation: the hidden decay
#
# Let $u_i$ be the step of number $i$ before it is multiplied by the rate: the gradient for SGD, the gradient over its root mean square for AdamW.

# %% tags=["fold"] name="derivation"
# What x is made of, tied to both rules of the library.
T, i, k = sp.symbols("T i k", integer=True, positive=True)
eta_, theta0 = sp.Symbol("eta", positive=True), sp.Symbol("theta0", real=True)
z, u = sp.IndexedBase("z"), sp.IndexedBase("u")
up_to = sp.Min(1, sp.Max(0, k - i + 1)) * u[i]  # u_i for i up to k, else 0

def x_of(rule, gradients, theta0):
    theta = np.array([theta0])
    state = rule.init(theta)
    for g in gradients:
        theta, state = rule.update(theta, np.array([g]), state)
    return rule.averaged(theta, state)[0]

(
    derive(r"x_T", "Sum(z[k], (k, 1, T)) / T",
           "the mean of all $z$: $T x_T = (T - 1)\\, x_{T-1} + z_T$ is the line of $x$ above",
           {"T": T, "i": i, "k": k, "eta": eta_, "theta0": theta0, "z": z, "u": u},
           {T: (2, 3, 5)}, ranges={u: (-0.9, 0.9)},
           means={z[k]: theta0 - eta_ * sp.Sum(up_to, (i, 1, T))},
           tex=r"\frac1T \sum_{k=1}^{T} z_k")
    .equals(theta0 - eta_ * sp.Sum(sp.Sum(up_to, (i, 1, T)), (k, 1, T)) / T,
            "$z$ has made $k$ steps, all at the rate $\\eta$",
            tex=r"\theta_0 - \frac{\eta}{T} \sum_{k=1}^{T} \sum_{i=1}^{k} u_i")
    .equals("theta0 - Sum(eta * (1 - (i - 1) / T) * u[i], (i, 1, T))",
            "step $i$ is in $z_i, z_{i+1}, \\ldots, z_T$: in $T - i + 1$ of the $T$ points. "
            "**A decay along a line**",
            tex=r"\theta_0 - \sum_{i=1}^{T} \eta \left( 1 - \frac{i - 1}{T} \right) u_i")
    .library("ScheduleFreeSGD(eta).averaged(theta, state)",
             lambda theta0, eta, u: x_of(ScheduleFreeSGD(eta, 0.7), u, theta0), each=True)
    .library("ScheduleFreeAdamW(eta, beta2=0, eps=1).averaged(theta, state)",
             lambda theta0, eta, u: x_of(ScheduleFreeAdamW(eta, 0.7, 0.0, 1.0),
                                         u / (1 - abs(u)), theta0),
             "the same in AdamW, where $u = g / (|g| + 1)$ with these options", each=True)
)

# %% [markdown] name="derivation-reading"
# The first step counts with the full rate $\eta$ and the last with $\eta / T$. That is the hidden decay. And $T$ is the present step: **at every step $x$ is the sum of a line that ends just now.** One more step, and every earlier step counts a little more.

# %% tags=["fold"] name="decay-picture"
# With which rate each step counts in x, read off the library's rule.
def counts(T):  # the library's answer to a gradient of -1 in one step and 0 in the others
    return np.array([x_of(ScheduleFreeSGD(1.0), row, 0.0) for row in -np.eye(T)])

fig, (ax,) = plots.panels()
for T_, look in ((20, "-"), (40, "--"), (80, ":")):
    ax.step(np.arange(1, T_ + 1), counts(T_), look, where="mid", label=f"x at step {T_}")
ax.axhline(1, color="0.4", lw=1)
ax.text(80, 1.02, "z at any step", ha="right", va="bottom")
ax.set(xlabel="step in which the gradient came", ylabel="its rate in x, as a share of η",
       ylim=(0, 1.12))
ax.legend(loc="upper right", bbox_to_anchor=(1, 0.88))
print("rate of step 20, as a share: " + ", ".join(
    f"{counts(n)[19]:.2f} in x at step {n}" for n in (20, 40, 80)))
assert abs(counts(40)[19] - 0.525) < 1e-9
plots.Picture(fig, "Three falling lines. Each begins at 1 in step 1 and reaches 0 at its own last "
    "step: 20, 40 or 80. A level line at 1 stands for z.")

# %% [markdown] name="decay-reading"
# A schedule decides the rate of a step when it is made. The average decides it later, again and again.
#
# One thing the derivation leaves open: the steps themselves. A run with a linear schedule takes its gradients at its own weights, schedule-free at $y$. So we test it.
#
# ## Code

# %% name="code"
show(ScheduleFreeSGD.update)

# %% [markdown] name="race-text"
# The rule keeps $y$ and $z$ and never $x$. PyTorch has none of the three rules of this lesson. The authors' packages are called `schedulefree` and `prodigyopt`.
#
# ## Is there still a rate to tune?
#
# Twelve rates, a factor of $\sqrt 2$ apart, for AdamW with cosine, AdamW with a line down to 0, and schedule-free AdamW. Four seeds choose the rate, eight others judge.

# %% tags=["fold", "nbval-ignore-output"] name="record"
# What made the recorded runs.
record

# %% tags=["fold"] name="race-picture"
# Loss after 800 steps against the rate, eight seeds.
names = {"constant": "AdamW, constant", "cosine for 800": "AdamW, cosine",
         "line": "AdamW, line to 0", "free, beta 0.5": "schedule-free, β = 0.5",
         "free": "schedule-free, β = 0.9"}
shown = {label: np.median(ends(k)[len(made["TUNING"]) :], 0) for k, label in names.items()}
for k, label in names.items():
    print(f"{label}: best rate {rates[chosen(k)]:g}, loss {spread(judged(k))}")
behind = judged("free") - judged("cosine for 800")
print(f"schedule-free, β = 0.9, minus cosine, seed by seed: {spread(behind)}")
apart = abs(shown["schedule-free, β = 0.5"] - shown["AdamW, line to 0"])[:9]
print(f"schedule-free, β = 0.5, and the line, rates up to {rates[8]:g}: "
      f"at most {apart.max():.3f} apart")
for label, curve in shown.items():
    good = rates[curve < curve.min() + 0.05]
    print(f"within 0.05 nats of the best: {label}, from {good[0]:g} to {good[-1]:g}")
assert behind.min() > 0.01 and apart.max() < 0.03
fig, (ax,) = plots.panels()
fig.set_size_inches(9.0, 4.2)
plots.draw_lines(ax, rates, shown, "learning rate", "loss after 800 steps (nats)", "", log="x")
ax.set(ylim=(3.0, 3.5))
ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
plots.Picture(fig, "Five curves over the rate. The constant rate has its lowest point at 0.017 and "
    "climbs steeply. The other four form one valley with its bottom between 0.048 and 0.068; the "
    "line and schedule-free with beta 0.5 nearly coincide, beta 0.9 lies a little higher.")

# %% [markdown] name="race-reading"
# The hidden line behaves as the open one: up to the rate 0.096, schedule-free with $\beta = 0.5$ and AdamW with a line to 0 are at most 0.021 nats apart. The decay is gone from the code and present in the loss.
#
# The rate is not gone. Away from its best rate schedule-free loses as cosine does: within 0.05 nats of the best are rates over a factor of 4 for cosine, of 2.8 for $\beta = 0.5$, and of 8 for $\beta = 0.9$. With $\beta = 0.9$, the default, it ends 0.030 nats above cosine (0.021 to 0.037 over eight seeds), each at its own rate.
#
# ## Stop where you like
#
# Does it pay to be ready at any time? The first column is a cosine made for just that many steps, tuned for it. The second is the cosine for 800, cut short. The others need no plan. Here the constant rate is that of the cosine for 800.

# %% tags=["fold"] name="anytime-table"
# Losses at four stops; the rates of the last three columns were chosen at 800 steps.
tail = len(made["TUNING"])
runs = {k: np.array([record.runs[s][k] for s in record.runs])[tail:]
        for k in ("cosine for 800", "constant", "free")}
at_cosine, at_free = chosen("cosine for 800"), chosen("free")
rows, stop = [], {}
for j, look in enumerate(looks[1:], 1):
    stop[look] = [judged(f"cosine for {look}"), runs["cosine for 800"][:, at_cosine, j],
                  runs["free"][:, at_free, j, 0], runs["constant"][:, at_cosine, j]]
    rows.append([look, *map(spread, stop[look])])
cut, at_x, flat = (stop[400][k] - stop[400][0] for k in (1, 2, 3))
print(f"at 400, above the cosine made for 400: cut cosine {spread(cut)}, "
      f"schedule-free {spread(at_x)}, constant {spread(flat)}")
assert np.median(flat) > 2 * np.median(at_x) and abs(np.median(cut) - np.median(at_x)) < 0.06
Table(["stop after", "cosine made for it", "cosine for 800, cut", "schedule-free, x",
       "constant"], rows, "Nats: median and range of eight seeds.")

# %% [markdown] name="anytime-reading"
# At 400 steps schedule-free is 0.043 nats above the cosine that was made for 400. A constant rate is 0.166 above it. But so near comes the cut cosine, too: 0.043, with a spread that covers schedule-free's. Halfway a cosine has already come down to half its rate. Here being cut costs a cosine no more than schedule-free costs anyway. What it cannot do is go on: at step 800 its rate is 0, and schedule-free takes step 801 as any other.
#
# ## The other half: Prodigy
#
# Schedule-free leaves the rate to you. **Prodigy** (Mishchenko and Defazio, 2024) is Adam whose rate is $d$, an estimate of the distance from the start to the solution. It begins far too small, at $d_0 = 10^{-6}$, and only grows.
#
# $$r \leftarrow \sqrt{\beta_2}\, r + w\, g \cdot (\theta_0 - \theta), \qquad s \leftarrow \sqrt{\beta_2}\, s + w\, g, \qquad d \leftarrow \max\Big(d, \frac{r}{\sum |s|}\Big), \qquad w = \frac{d^2}{d_0}$$
#
# The number $r$ says how far the weights have gone against the gradients. The array $s$ adds up the gradients. $\beta_1$ and $\beta_2$ are Adam's.
#
# Does it find the scale? Least squares on 310 patients of the diabetes data (scikit-learn, CC BY 4.0), the inputs multiplied by 1000, 1 or 0.001. That multiplies the distance to the solution by 0.001, 1 or 1000.

# %% tags=["fold", "nbval-ignore-output"] name="scale-picture"
# d over 80 steps at three scales, and the distance of the farthest weight.
patients = data.diabetes(seed)
inputs, target = patients.x, (patients.y - patients.y.mean()) / patients.y.std()
fig, (ax,) = plots.panels()
reached = {}
for n, (scale, look) in enumerate(((1000.0, ":"), (1.0, "--"), (0.001, "-"))):
    features = inputs * scale
    best = np.linalg.lstsq(features, target, rcond=None)[0]
    rule, theta = Prodigy(), np.zeros(features.shape[1])
    state, ds = rule.init(theta), [rule.d0]
    for _ in range(80):
        g = features.T @ (features @ theta - target) / len(target)
        theta, state = rule.update(theta, g, state)
        ds.append(state.d)
    far = abs(best).max()
    reached[scale] = ds[-1] / far
    ax.plot(ds, look, color=f"C{n}", label=f"inputs times {scale:g}")
    ax.axhline(far, color=f"C{n}", lw=1, alpha=0.6)
    first = next(t for t, d in enumerate(ds) if d > far / 30)
    print(f"inputs times {scale:g}: distance {far:.2g}, d {ds[-1]:.2g}, "
          f"above a thirtieth of the distance after {first} steps")
assert all(0.035 < v < 0.2 for v in reached.values())
loss_left = ((features @ theta - target) ** 2).mean() / ((features @ best - target) ** 2).mean()
assert loss_left < 1.01
ax.set(yscale="log", xlabel="step", ylabel="d (log)", ylim=(3e-7, 3e4))
ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
plots.Picture(fig, "Three rising lines from one start, on a log axis. Each climbs in a "
    "straight line and turns level at about a fifteenth of its own level line, the distance.")

# %% [markdown] name="scale-reading"
# Thin level lines are the distances. In all three cases $d$ ends at about a fifteenth of the distance, and the least squares are solved. The solution a million times as far away costs 15 steps more.
#
# ## Derivation: why d stops in time
#
# One weight, with its minimum at $\theta^*$. In a bowl the gradient points away from the minimum: $g_k = a_k (\theta_k - \theta^*)$ with $a_k > 0$. We leave $w = 1$ and write $b$ for $\sqrt{\beta_2}$.

# %% tags=["fold"] name="derivation-prodigy"
# The bound on r, and the first growth of d, tied to the library's Prodigy.
T, k = sp.symbols("T k", integer=True, positive=True)
b, star = sp.Symbol("b", positive=True), sp.Symbol("star", real=True)
a, p_, g_ = map(sp.IndexedBase, ("a", "p", "g"))

def r_of(theta0, star, a, p, b):  # d_coef is tiny, so d stays at 1 and w = 1
    rule = Prodigy(beta2=b**2, d0=1.0, d_coef=1e-300)
    state = rule.init(np.array([theta0]))
    for a_k, at_k in zip(a, p, strict=True):
        _, state = rule.update(np.array([at_k]), np.array([a_k * (at_k - star)]), state)
    return state.r

(
    derive(r"r_T", "Sum(b**(T - k) * g[k] * (theta0 - p[k]), (k, 1, T))",
           "the line of $r$ above, written out",
           {"T": T, "k": k, "b": b, "theta0": theta0, "star": star, "a": a, "p": p_, "g": g_},
           {T: (2, 3)}, simplex=[a], ranges={b: (0.3, 0.99)},
           means={g_[k]: a[k] * (p_[k] - star)},
           tex=r"\sum_{k=1}^{T} b^{T-k} g_k (\theta_0 - \theta_k)")
    .library("Prodigy(...).update(theta, g, state)[1].r", r_of, each=True)
    .equals("(theta0 - star) * Sum(b**(T - k) * g[k], (k, 1, T)) "
            "- Sum(b**(T - k) * a[k] * (p[k] - star)**2, (k, 1, T))",
            "go by way of the minimum: $\\theta_0 - \\theta_k = (\\theta_0 - \\theta^*) - "
            "(\\theta_k - \\theta^*)$",
            tex=r"(\theta_0 - \theta^*) \sum_k b^{T-k} g_k - \sum_k b^{T-k} a_k "
            r"(\theta_k - \theta^*)^2")
    .at_most("(theta0 - star) * Sum(b**(T - k) * g[k], (k, 1, T))",
             "the second sum has no negative term; the first is $s$",
             tex=r"(\theta_0 - \theta^*)\, s_T")
    .at_most("Abs(theta0 - star) * Abs(Sum(b**(T - k) * g[k], (k, 1, T)))",
             "so $r / |s|$ is **at most the distance**", tex=r"|\theta_0 - \theta^*|\, |s_T|")
)

# %% [markdown] name="growth-text"
# So $d$ stops in time. With many weights the same lines hold, if $\sum |s|$ stands for $|s|$ and the distance is that of the farthest weight. And how does it grow? Take a gradient that stays the same, far from the minimum. The first step has the length $d_0 (1 - \beta_1) / \sqrt{1 - \beta_2}$.

# %% tags=["fold"] name="derivation-growth"
# What the second step makes of d.
b1, b2, d0, slope = sp.symbols("beta1 beta2 d0 g", positive=True)

def second_d(beta1, beta2, d0, g):
    rule, theta = Prodigy(beta1=beta1, beta2=beta2, d0=d0, eps=0.0), np.array([5.0])
    state = rule.init(theta)
    for _ in range(2):
        theta, state = rule.update(theta, np.array([g]), state)
    return state.d

(
    derive(r"d", "d0 * g * (d0 * (1 - beta1) / sqrt(1 - beta2)) / "
           "(sqrt(beta2) * d0 * g + d0 * g)",
           "$r / |s|$ in the second step, with $w = d_0$",
           {"beta1": b1, "beta2": b2, "d0": d0, "g": slope},
           ranges={b1: (0.05, 0.3), b2: (0.9, 0.999), d0: (0.01, 0.1)},
           tex=r"\frac{d_0\, g \cdot d_0 (1 - \beta_1) / \sqrt{1 - \beta_2}}"
           r"{\sqrt{\beta_2}\, d_0\, g + d_0\, g}")
    .equals("d0 * (1 - beta1) / (sqrt(1 - beta2) * (1 + sqrt(beta2)))",
            "**the size of the gradient has cancelled**; a factor times $d_0$ is left",
            tex=r"d_0\, \frac{1 - \beta_1}{\sqrt{1 - \beta_2}\, (1 + \sqrt{\beta_2})}")
    .library("state.d of Prodigy(beta1=beta1, beta2=beta2, d0=d0, eps=0), two steps", second_d,
             each=True)
)

# %% tags=["fold"] name="growth-number"
# The factor with the default betas.
growth = second_d(0.9, 0.999, 1e-6, 3.0) / 1e-6
print(f"with beta1 = 0.9 and beta2 = 0.999, d after two steps is {growth:.2f} times d0")
assert 1.5 < growth < 1.7

# %% [markdown] name="prodigy-text"
# A quantity that grows by factors crosses six powers of ten in a few dozen steps. This is why the scale hardly matters.
#
# ## Prodigy on the language model
#
# Nothing is tuned here, and $\beta_2$ is 0.99 as for the others.

# %% tags=["fold"] name="prodigy-table"
# Prodigy with and without decay, and other first values of d.
one = {k: np.array([record.runs[s][f"Prodigy, {k}"] for s in judges]) for k in
       ("constant", "cosine", "d", "starts")}
best_rate = rates[chosen("cosine for 800")]
rows = [["AdamW, cosine, best of 12 rates", f"{best_rate:g}", spread(judged("cosine for 800"))],
        ["AdamW, constant, at that rate", f"{best_rate:g}",
         spread(ends("constant")[tail:, chosen("cosine for 800")])],
        ["Prodigy, cosine", "", spread(one["cosine"][:, -1])],
        ["Prodigy, constant", spread(one["d"]), spread(one["constant"][:, -1])]]
for j, d in enumerate(made["STARTS"]):
    rows.append([f"Prodigy, cosine, first d = {d:g}", spread(one["starts"][:, j, 1]),
                 spread(one["starts"][:, j, 0])])
lost = one["cosine"][:, -1] - judged("cosine for 800")
print(f"Prodigy with cosine, minus the tuned AdamW, seed by seed: {spread(lost)}")
assert one["d"].min() > 0.025 and one["d"].max() < 0.1 and abs(np.median(lost)) < 0.04
Table(["", "rate, or d at the end", "loss (nats)"], rows)

# %% [markdown] name="prodigy-reading"
# With cosine Prodigy ends 0.012 nats above the tuned AdamW (seed by seed, 0.008 to 0.019), and nobody told it a rate. Without decay its $d$ stops at 0.046; the best of twelve rates for the cosine was 0.048.
#
# But without decay it ends where AdamW ends at that constant rate, 0.2 nats higher. So **Prodigy replaces the search for the rate and not the schedule.**
#
# The first $d$ may be a hundred times smaller, or ten thousand times larger. It must only be too small. From 1 or 10 there is no way down, as $d$ never falls: at 10 the model ends far worse than untrained.
#
# ## What breaks
#
# The weights in the model are $y$. Somebody measures, or saves, what is in the model. In the package one must call `optimizer.eval()` before, which puts $x$ in its place, and `optimizer.train()` after.

# %% tags=["fold"] name="breaks-picture"
# How much higher the loss is at y than at x, at the rate that is best for x.
pairs = {"β = 0.1": "free, beta 0.1", "β = 0.5": "free, beta 0.5", "β = 0.9": "free",
         "β = 0.98": "free, beta 0.98"}
over = {label: judged(k, 1) - judged(k) for label, k in pairs.items()}
for label, v in over.items():
    print(f"{label}: loss at y minus loss at x {spread(v)} nats")
assert over["β = 0.5"].min() > 0.04 and over["β = 0.1"].min() > 0.06
plots.bars({k: plots.band(v) for k, v in over.items()}, "loss at y minus loss at x (nats)",
    "Four bars with spread. With beta 0.1 y costs about 0.14 nats, with 0.5 about 0.08, with 0.9 "
    "0.01, with 0.98 nothing.", title="Forgotten: optimizer.eval()")

# %% [markdown] name="exercises"
# With the default $\beta$ the mistake costs 0.01 nats: small enough to be taken for noise, and in no log as an error. With $\beta = 0.5$ it costs 0.08 nats, and with 0.1 it costs 0.14. The signature: in the curve of the test loss schedule-free looks like a constant rate, and it drops at once when `eval()` is called. The cure: `eval()` before every measurement and every checkpoint, `train()` before the next step. Statistics that layers collect in training, as batch normalization does, are those of $y$: collect them again at $x$.
#
# ## Exercises
#
# ### 1. Back to x (4 minutes, easy)
# A checkpoint holds only what the rule keeps: `y` and `z`. Return $x$, the weights to predict with.

# %% name="exercise-back"
def predict_with(y, z, beta):
    ### BEGIN SOLUTION
    return (y - (1 - beta) * z) / beta
    ### END SOLUTION

# %% name="check-back"
check("predict_with")

# %% [markdown] name="exercise-free-text"
# <details><summary>Hint 1</summary>Which of the three lines of the formula holds y, z and x, and no gradient?</details>
# <details><summary>Hint 2</summary>Solve y = (1 - β) z + β x for x.</details>
#
# ### 2. Schedule-free descent (8 minutes, medium)
# Return $x$ after `steps` steps from `theta`. `gradient` is a function of the weights.

# %% name="exercise-free"
def schedule_free(theta, gradient, lr, beta, steps):
    ### BEGIN SOLUTION
    z = x = theta
    for t in range(1, steps + 1):
        y = (1 - beta) * z + beta * x
        z = z - lr * gradient(y)
        x = x + (z - x) / t
    return x
    ### END SOLUTION

# %% name="check-free"
check("schedule_free")

# %% [markdown] name="exercise-warm-text"
# <details><summary>Hint 1</summary>Follow the three formulas in their order, once a step.</details>
# <details><summary>Hint 2</summary>After the first step, with t = 1, x must be z.</details>
#
# ### 3. The hidden decay after a warm-up (12 minutes, hard)
# The rates of the steps were `lrs`. The library then weighs each $z_k$ in the mean by $w_k$, the square of the largest rate up to step $k$. Return the rates with which the steps count in $x$ at the end. Then draw it for a warm-up of 20 steps in 100: where is the peak, and how high?

# %% name="exercise-warm"
def hidden_rates(lrs):
    ### BEGIN SOLUTION
    w = np.maximum.accumulate(lrs) ** 2
    later = np.cumsum(w[::-1])[::-1]  # of step i: the weights of all z from i on
    return lrs * later / w.sum()
    ### END SOLUTION

# %% name="check-warm"
check("hidden_rates")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Step i is in z_i and in every z after it. In the derivation each z weighed 1 / T.</details>
# <details><summary>Hint 2</summary>np.maximum.accumulate gives the largest rate so far; np.cumsum(w[::-1])[::-1] gives the sums from i to the end.</details>
# <details><summary>What it means (after solving)</summary>The rates rise during the warm-up, peak at its end just below the full rate, and fall along a line to nearly 0. It is the usual trapezoid with a sharp top, and no schedule was given but the warm-up.</details>
#
# ## Takeaways
#
# - The average hides a decay along a line, and the line ends at whichever step you look.
# - Schedule-free removes the end date and leaves the rate to you. Prodigy finds the rate and leaves the decay to you.
# - Do not change to schedule-free if you know how long you will train: at its default $\beta$ a tuned cosine ends lower here.
#
# ## Does it hold?
#
# **The second knob.** Schedule-free has $\beta$, AdamW has $\beta_1$. Each gets four values and twelve rates for each value.

# %% tags=["fold"] name="control-beta"
# The same four values for both; the last line: the best of all as chosen by the tuning seeds.
rows = []
for beta in (0.1, 0.5, 0.9, 0.98):
    keys = ("free", "cosine for 800") if beta == 0.9 else [f"{k}, beta {beta}" for k in
                                                            ("free", "cosine")]
    rows.append([f"{beta:g}", *(f"{spread(judged(k))} at {rates[chosen(k)]:g}" for k in keys)])
both = judged("free, beta 0.5") - judged("cosine, beta 0.5")
print(f"schedule-free minus cosine, both at 0.5, seed by seed: {spread(both)}")
assert abs(np.median(both)) < 0.02
Table(["β or β1", "schedule-free, x", "AdamW, cosine"], rows, "Nats, and the rate chosen.")

# %% [markdown] name="sources"
# With the second knob tuned for both, they end level. The default $\beta = 0.9$ is not the best here, and 0.5 is no rule either: these are 800 steps of a small model.
#
# ## Sources
#
# - A. Defazio, X. Yang, H. Mehta, K. Mishchenko, A. Khaled and A. Cutkosky, 2024: *The road less scheduled*, arXiv 2405.15682.
# - K. Mishchenko and A. Defazio, 2024: *Prodigy: an expeditiously adaptive parameter-free learner*, ICML 2024, arXiv 2306.06101.
# - The page of the package `schedulefree` (version 1.4.1) on PyPI: it says that test losses belong at $x$.
