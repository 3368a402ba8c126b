# ---
# jupyter:
#   lesson:
#     title: Adam
#     minutes: 45
#     question: Two lines of Adam look like small print. How long are its steps without them?
#     needs: [02_cross_entropy, 03_sgd]
#     settles: [F7, F8, F9, F10, F11, G15, G16, E10, E11, E12]
#     claims:
#       C28: {verdict: conditional, cell: source, says: "Nearly. Momentum adds gradients up where Adam averages them, RMSProp has no bias correction; and the corrections are new."}
#       C29: {verdict: conditional, cell: epsilon, says: "Epsilon does more than avoid a division by zero: it shortens every step whose gradients are not far above it, and its place decides by how much."}
#     studies: [optim.Adam]
#     terms: [elementwise, running averages, bias correction]
# ---

# %% [markdown] name="goal"
# # Adam
#
# **Goal.** Derive each line of Adam, write it yourself, and see what its small print is for.
#
# **The question.** Two of Adam's lines divide by $1 - \beta^t$, where $\beta$ is 0.9 or 0.999 and $t$ counts the steps. They look like small print.
# Give Adam the simplest gradient there is, the constant 1, and leave the two lines out. How long are its steps?

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

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.derive import derive
from lessons_lib.landscapes import quadratic
from lessons_lib.losses import soft_cross_entropy
from lessons_lib.optim import SGD, Adam, Momentum, RMSProp, descend
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/04_adam")

# %% tags=["fold"] name="question-picture"
# 3000 steps along a constant gradient; m / sqrt(v) is the step without the two lines.
def walk(rule, gradient, steps):  # step lengths: as the rule takes them, and without corrections
    theta, state, taken, bare = 0 * gradient, rule.init(gradient), [], []
    for _ in range(steps):
        before = theta
        theta, state = rule.update(theta, gradient, state)
        taken.append(before - theta)
        bare.append(rule.lr * state.m / np.sqrt(state.v))
    return np.array(taken), np.array(bare)

taken, bare = (found[:, 0] for found in walk(Adam(1.0), np.ones(1), 3000))
plots.lines(
    np.arange(1, 3001), {"Adam": taken, "without the two lines": bare},
    "step t (log)", "step / learning rate",
    "Step length against the step. Adam: 1 throughout. Without the two lines the first step is "
    "3.16 learning rates, the twelfth 6.57, and after a thousand steps it is still above 1.",
    title="A constant gradient of 1", log="x",
)

# %% tags=["fold"] name="question-numbers"
# The numbers in the picture.
assert np.allclose(taken, 1, rtol=1e-6)
print(f"without the two lines: {bare[0]:.2f} learning rates at t = 1, "
      f"{bare.max():.2f} at t = {bare.argmax() + 1}, {bare[999]:.2f} at t = 1000")

# %% [markdown] name="question-reading"
# With the two lines every step is one learning rate long. Without them the first steps are several times too long, and the fault takes thousands of steps to fade.
# Why is it worst at step 12, and not at the start? The derivation answers that.
#
# ## The idea, drawn
#
# A long valley: across it, the curvature is 25 times as large as along it. Four optimizers start at the same point. Besides gradient descent and Adam these are two that came before Adam.
# **Momentum** steps along a sum of the gradients so far, $u \leftarrow 0.9\, u + g$. **RMSProp** divides each coordinate of the gradient by the root of a running average of its square:
#
# $$v \leftarrow 0.9\, v + 0.1\, g^2 \qquad \theta \leftarrow \theta - \eta\, \frac{g}{\sqrt v}$$
#
# We tried 25 learning rates for each, 40 steps long. Drawn is the one that stays nearest to the minimum in its last ten steps. Press *Play*.

# %% tags=["fold"] name="race"
# The race: find each rule's best rate, then draw the paths, frame by frame.
valley, begin = quadratic(1.0, 25.0), np.array([-1.8, 1.2])
kinds = {
    "gradient descent": SGD, "momentum": Momentum,
    "RMSProp": lambda lr: RMSProp(lr, alpha=0.9), "Adam": Adam,
    "Adam, beta1 = 0": lambda lr: Adam(lr, beta1=0.0),
}
rates, paths, best = 10.0 ** np.linspace(-3, 0, 25), {}, {}

def last_ten(run):  # mean distance from the minimum
    return np.linalg.norm(run[-10:], axis=1).mean()

for name, kind in kinds.items():
    runs = [np.array(descend(begin, kind(lr), valley.gradient, 40)) for lr in rates]
    best[name] = np.argmin([last_ten(run) for run in runs])
    paths[name] = runs[best[name]]
assert all(0 < i < len(rates) - 1 for i in best.values())

fig, (ax,) = plots.panels()
plots.draw_contours(ax, valley, ((-2.1, 1.3), (-1.4, 1.4)))
looks = dict(zip(paths, ("o-", "s--", "^-.", "D:"), strict=False))
for name, look in looks.items():
    ax.plot([], [], look, ms=4, label=f"{name}, rate {rates[best[name]]:.2g}")
ax.set(xlabel="along the valley", ylabel="across the valley", title="Four optimizers, one valley")
ax.legend(fontsize=8, loc="lower right")

def race(ax, step):
    for name, look in looks.items():
        ax.plot(*paths[name][: step + 1].T, look, ms=3, lw=1)
    far = (f"{name} {np.linalg.norm(paths[name][step]):.1g}" for name in looks)
    return f"Step {step}. Distance from the minimum: {', '.join(far)}."

plots.moving(
    fig, "step", range(0, 41, 2), race, start=12, play=True,
    alt="Contours of a long valley with four paths. Gradient descent jumps from side to side and "
    "creeps along. Momentum swings. RMSProp and Adam leave diagonally; RMSProp arrives first, Adam "
    "swings past the minimum.",
)

# %% tags=["fold", "nbval-ignore-output"] name="race-numbers"
# The ends of the paths; and Adam without the average of the gradient.
def near(distance, digits=2):  # what is smaller depends on the grid of rates
    return f"{distance:.{digits}g}" if distance > 1e-9 else "below 1e-9"

Table(["", "best rate", "mean distance in the last ten steps"],
      [[name, f"{rates[best[name]]:.2g}", near(last_ten(path), 1)] for name, path in paths.items()])

# %% [markdown] name="race-reading"
# Gradient descent has one rate for both directions: the steep one forbids a larger rate, and the flat one starves. RMSProp and Adam divide each coordinate of the gradient by its own usual size.
# This valley lies along the axes, so each coordinate runs on its own. The division cancels its curvature. Both coordinates start about equally far away, at 1.8 and 1.2, so one rate suits both for these 40 steps. RMSProp's steps do not fade by themselves: at this rate it has left the minimum again by step 80 (under "Does it hold?"). In a valley turned by 45 degrees the help is mostly gone: RMSProp ends at 0.07 and gradient descent at 0.12.
# **Adam does not win here.** It ends no nearer than gradient descent, because it also averages the gradient itself, and the average swings past the minimum. Without it ($\beta_1 = 0$, last row) Adam arrives as RMSProp does. What is the average good for, then? We shall see.
#
# ## Formula
#
# Adam is due to Kingma and Ba (2015). The gradient at $\theta_{t-1}$ is $g_t$, with $t = 1$ in the first step. Squares, roots and divisions are **elementwise**: each parameter has its own.
# Two **running averages** start at $m_0 = v_0 = 0$ and follow the gradient and its square:
#
# $$m_t = \beta_1 m_{t-1} + (1 - \beta_1)\, g_t$$
#
# $$v_t = \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2$$
#
# The small print: the **bias correction** divides each average by what its start at zero has cost.
#
# $$\hat m_t = \frac{m_t}{1 - \beta_1^t} \qquad\qquad \hat v_t = \frac{v_t}{1 - \beta_2^t}$$
#
# And the step:
#
# $$\theta_t = \theta_{t-1} - \eta\, \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}$$
#
# | symbol | code | shape | meaning, usual value |
# |---|---|---|---|
# | $m, v$ | `m`, `v` | as $\theta$ | averages of the gradient and of its square |
# | $\hat m, \hat v$ | `m_hat`, `v_hat` | as $\theta$ | the same, corrected |
# | $\beta_1, \beta_2$ | `beta1`, `beta2` | numbers in $[0, 1)$ | how slowly $m$ and $v$ forget: 0.9 and 0.999 |
# | $\epsilon$ | `eps` | a number | a floor under the divisor: $10^{-8}$ |
#
# The article that this course follows leaves two things unsaid. The averages must start at 0: the corrections fit no other start. And $t$ is **1** in the first step: at $t = 0$ both corrections divide by zero.
#
# ## Derivation
#
# ### What is an average worth that starts at zero?
#
# Put the line for $m$ into itself:
#
# $$m_2 = (1 - \beta)\, g_2 + \beta\, (1 - \beta)\, g_1$$
#
# $$m_t = \sum_{k=0}^{t-1} (1 - \beta)\, \beta^k\, g_{t-k}$$
#
# The gradient of $k$ steps ago has the weight $(1 - \beta) \beta^k$. Let the gradients be random, all with the mean $g$. The mean of a sum is the sum of the means:

# %% tags=["fold"] name="derive-bias"
# Derivation 1: the mean of the average.
beta, beta1, beta2, eta, g = sp.symbols("beta beta_1 beta_2 eta g", positive=True)
ranges = {beta1: (0.05, 0.95), beta2: (0.05, 0.95)}
k, t = sp.Symbol("k", integer=True, nonnegative=True), sp.Symbol("t", integer=True, positive=True)

def average(beta, g, t):  # of the library's Adam, after t steps of the gradient g
    rule, state = Adam(beta1=float(beta)), Adam().init(np.zeros(1))
    for _ in range(int(t)):
        _, state = rule.update(np.zeros(1), np.array([float(g)]), state)
    return state.m[0]

(
    derive(r"\mathbb E[m_t]", "Sum((1 - beta) * beta**k * g, (k, 0, t - 1))",
           "each gradient replaced by its mean $g$",
           [beta, g, k, t], ranges={beta: (0.05, 0.95)})
    .equals("(1 - beta) * g * (1 - beta**t) / (1 - beta)", "a geometric sum")
    .equals("(1 - beta**t) * g", r"**too small by the factor** $1 - \beta^t$")
    .library("Adam(beta1=beta)", average, "the library's $m$ after $t$ gradients of $g$", each=True)
)

# %% [markdown] name="bias-reading"
# The average is too small, because its start at zero is still in it. Dividing by $1 - \beta_1^t$ mends that. The same holds for $v$, with the mean of $g_t^2$ in place of the mean of $g_t$. **This is the small print, derived.** (For random gradients it is tried out under "Does it hold?".)
#
# ### How long is the first step?
#
# In the first step the corrected averages are $\hat m_1 = g$ and $\hat v_1 = g^2$. Let the gradient be positive, and leave the tiny $\epsilon$ out:

# %% tags=["fold"] name="derive-first"
# Derivation 2: the first step.
def first_step(eta, beta_1, beta_2, g):
    rule = Adam(float(eta), float(beta_1), float(beta_2), eps=0.0)
    theta, _ = rule.update(np.zeros(1), np.array([float(g)]), rule.init(np.zeros(1)))
    return -theta[0]

(
    derive(r"\theta_0 - \theta_1",
           "eta * (1 - beta_1) * g / (1 - beta_1) / sqrt((1 - beta_2) * g**2 / (1 - beta_2))",
           "the formula at $t = 1$", [beta1, beta2, eta, g], ranges=ranges,
           tex=r"\eta\, \frac{(1 - \beta_1)\, g}{1 - \beta_1} \Big/ "
               r"\sqrt{\frac{(1 - \beta_2)\, g^2}{1 - \beta_2}}")
    .equals("eta * g / sqrt(g**2)", "the corrections undo the small weights")
    .equals("eta", "**the size of the gradient cancels**")
    .library("Adam(eta, beta1, beta2, eps=0)", first_step, "the library's first step", each=True)
)

# %% [markdown] name="first-reading"
# In each coordinate the first step is one learning rate long, whether the gradient is a thousand or a thousandth. Under a constant gradient every later step is as long.
#
# ### And without the corrections?
#
# Write $\hat m_t$ and $\hat v_t$ for the corrected averages. Without the corrections the step uses $m_t$ and $v_t$:

# %% tags=["fold"] name="derive-bare"
# Derivation 3: the step without corrections.
def bare_step(eta, beta_1, beta_2, g, t):
    _, bare = walk(Adam(float(eta), float(beta_1), float(beta_2)), np.array([float(g)]), int(t))
    return bare[-1, 0]

m, v = sp.symbols(r"\hat{m}_t \hat{v}_t", positive=True)
names = {"eta": eta, "beta_1": beta1, "beta_2": beta2, "m": m, "v": v, "t": t, "g": g}
(
    derive(r"\eta\, \frac{m_t}{\sqrt{v_t}}",
           "eta * (1 - beta_1**t) * m / sqrt((1 - beta_2**t) * v)",
           r"$m_t = (1 - \beta_1^t)\, \hat{m}_t$, and $v_t$ likewise", names, ranges=ranges)
    .equals("eta * (1 - beta_1**t) / sqrt(1 - beta_2**t) * m / sqrt(v)",
            "**the same fault for all gradients**",
            tex=r"\frac{1 - \beta_1^t}{\sqrt{1 - \beta_2^t}} \cdot "
                r"\eta\, \frac{\hat{m}_t}{\sqrt{\hat{v}_t}}")
    .put(v, "m**2", "eta * (1 - beta_1**t) / sqrt(1 - beta_2**t)",
         "a constant gradient: **the curve of the question**",
         tex=r"\eta\, \frac{1 - \beta_1^t}{\sqrt{1 - \beta_2^t}}")
    .library("Adam(eta, beta1, beta2)", bare_step,
             r"the library's $m / \sqrt v$ after $t$ gradients of $g$", each=True)
)

# %% [markdown] name="bare-reading"
# At $t = 1$ the average $m$ is 10 times too small and $v$ is 1000 times too small. $v$ stands under a root, so the step is $\sqrt{1000} / 10 = 3.16$ times too long.
#
# **Why is it worst at step 12?** While $t$ is small beside 1000, $1 - \beta_2^t$ is nearly $t\,(1 - \beta_2)$, its tangent at $\beta_2 = 1$. So but for a constant factor the step grows and falls as
#
# $$\frac{1 - \beta_1^t}{\sqrt t}$$
#
# Write $x = -t \log \beta_1$, so that $\beta_1^t = e^{-x}$. The slope of $(1 - e^{-x}) / \sqrt x$ is $e^{-x} / \sqrt x - (1 - e^{-x}) / (2 x \sqrt x)$. It is zero where
#
# $$2x\, e^{-x} = 1 - e^{-x} \qquad\text{or}\qquad e^x = 1 + 2x$$

# %% tags=["fold"] name="why-twelve"
# Solve it, and look where the library's longest step stands.
x = float(sp.nsolve(sp.exp(names["eta"]) - 1 - 2 * names["eta"], names["eta"], 1.2))
print(f"x = {x:.3f}, so t = {x / -np.log(0.9):.1f}; the longest step is number {bare.argmax() + 1}")
assert abs(x / -np.log(0.9) - (bare.argmax() + 1)) < 1

# %% [markdown] name="code"
# At first $m$ recovers faster than the root of $v$, and the fault grows. Once $m$ is nearly whole, only $v$ is left to recover, and that takes thousands of steps.
#
# ## Code

# %% name="source"
show(Adam)

# %% [markdown] name="source-reading"
# `weight_decay` is a penalty that we leave at 0. With `eps` = 0, `divide` takes 0 / 0 as 0: a parameter that never had a gradient stays where it is.
#
# The article's list of Adam's steps breaks off in the middle. Here it is whole: (1) set $\theta$, $m = v = 0$, $t = 0$; (2) repeat: draw a batch, compute its gradient, **add 1 to $t$**, update $m$ and $v$, **correct, step**; (3) stop when the loss is good enough.
#
# ## Parity
#
# After 50 steps the library's Adam and `torch.optim.Adam` differ by rounding only (folded table).

# %% tags=["fold-all", "nbval-ignore-output"] name="parity"
# Parity with PyTorch: the largest relative difference after 50 steps.
parity.table("Adam", setting.device)

# %% [markdown] name="play"
# ## Play
#
# Move $\beta_2$, the memory of $v$. Left: how much of a constant gradient 1 the averages have reached. Right: their quotient, the step **without** corrections.
#
# 1. At one $\beta_2$ the first step is right, although nothing is corrected. Which one, and why?
# 2. At $\beta_2 = 0.95$, is the uncorrected first step too long or too short?

# %% tags=["fold"] name="play-picture"
# The figure to move: the averages and the step without corrections, for one beta2 after the other.
fig, (left, right) = plots.panels(2)
left.plot([], [], label="m")
left.plot([], [], "--", label="root of v")
left.set(xscale="log", xlim=(0.9, 1100), ylim=(0, 1.05), xlabel="step t (log)", ylabel="average",
         title="The averages without corrections")
left.legend()
right.axhline(1, color="0.5", lw=1, ls="--")
right.set(xscale="log", yscale="log", xlim=(0.9, 1100), ylim=(0.08, 11), xlabel="step t (log)",
          ylabel="step / learning rate (log)", title="m / root of v (dashed: corrected)")

def other_memory(left, right, beta2):
    state, m, v = Adam().init(np.zeros(1)), [], []
    for _ in range(1000):
        _, state = Adam(beta2=beta2).update(np.zeros(1), np.ones(1), state)
        m.append(state.m[0])
        v.append(state.v[0] ** 0.5)
    step = np.divide(m, v)
    left.plot(range(1, 1001), m)
    left.plot(range(1, 1001), v, "--")
    right.plot(range(1, 1001), step)
    right.plot(1, step[0], "o")
    longest = f"{step.max():.2f}, at step {step.argmax() + 1}"
    longest = longest if step.max() > 1.01 else "never above 1"
    return f"First step: {step[0]:.2f} learning rates. Longest: {longest}."

plots.moving(
    fig, "beta2", [0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995], other_memory,
    start=0.999, alt="For beta2 = 0.999. Left, m climbs from 0.1 to 1 within some 40 steps, the "
    "root of v from 0.03 to 0.8 in 1000. Right, their quotient: 3.16 at first, 6.57 at step 12, "
    "then falling slowly towards 1.",
)

# %% [markdown] name="play-reading"
# <details><summary>Answers</summary>
#
# 1. At 0.99: there $\sqrt{1 - \beta_2} = 0.1 = 1 - \beta_1$. Numerator and denominator are too small by the same factor, and that cancels.
# 2. Too short: $0.1 / \sqrt{0.05} = 0.45$ learning rates.
#
# </details>
#
# ## A learning rate for each parameter
#
# What is the division good for? Take real text: half of the help pages that come with Python, their 63 most frequent words and, as the 64th, "any other word". Which word follows which?
# The model is a table: `theta[i, j]` is the logit of word $j$ after word $i$. The loss is the [cross-entropy](02_cross_entropy.ipynb).

# %% name="words"
counts = [data.pairs(data.words(s, 64).ids, 64) for s in setting.seeds]  # how often j follows i
pairs = torch.tensor(np.array(counts), dtype=torch.float64, device=setting.device)
# (seeds, 64, 64); a row counts as often as its word occurs
weight = pairs.sum(-1, keepdim=True) / pairs.sum((-2, -1), keepdim=True)
follows = pairs / pairs.sum(-1, keepdim=True)

def gradient(theta):
    return weight * soft_cross_entropy(theta, follows.expand_as(theta)).grad

def gap(theta):  # loss above its lowest value, in nats, for each seed
    value, lowest = (soft_cross_entropy(z, follows.expand_as(z)).value
                     for z in (theta, follows.log()))
    return ((value - lowest) * weight[..., 0]).sum(-1).cpu().numpy()

# %% [markdown] name="words-reading"
# We train 100 steps of Adam. Then we look at $\eta / (\sqrt{\hat v} + \epsilon)$. This is the number by which a parameter's averaged gradient is multiplied: its own learning rate.

# %% tags=["fold"] name="own-rates"
# 100 steps of Adam; the rate of each parameter, without "any other word", for the first seed.
rule, theta = Adam(1.0), 0 * pairs
state = rule.init(theta)
for _ in range(100):
    theta, state = rule.update(theta, gradient(theta), state)
own = (rule.lr / ((state.v / (1 - rule.beta2**100)).sqrt() + rule.eps))[:, :-1, :-1]
own = (own / own.flatten(1).median(1).values[:, None, None]).log10().cpu().numpy()
fig, (ax,) = plots.panels()
fig.colorbar(ax.imshow(own[0], cmap="cividis", aspect="auto"), label="log10(rate / median)")
ax.grid(False)
some, spelling = range(0, 63, 8), data.words(setting.seeds[0], 64).spelling
ax.set_xticks(some, [spelling[i] for i in some], rotation=90)
ax.set_yticks(some, [spelling[i] for i in some])
ax.set(xlabel="next word, most frequent first", ylabel="word, most frequent first",
       title="Each parameter's own learning rate")
plots.Picture(
    fig, "An image with a row for each word and a column for each next word; every eighth word is "
    "named. The rates are low at the top and at the left, where words are frequent, and high at "
    "the bottom right, with single low points all over.",
)

# %% tags=["fold", "nbval-ignore-output"] name="own-numbers"
# How far apart are they?
ratio = 10 ** np.diff(np.quantile(own, [0.05, 0.95], axis=(1, 2)), axis=0)[0]
print("leave out the lowest and the highest 5 % of the rates: the rest differ by a factor of "
      f"{np.median(ratio):.0f} ({min(ratio):.0f} to {max(ratio):.0f} over the seeds)")
assert min(ratio) > 5

# %% [markdown] name="own-reading"
# Each row is a word, the most frequent at the top; "any other word" is left out. Frequent words have large gradients and get small rates, rare words get large ones. Within a row, words that often follow get the smaller rates. One learning rate for all cannot do that. What it is worth is measured in [Where Adam wins](20_where_adam_wins.ipynb).
#
# ## What is the average good for?
#
# Give Adam gradients that are 1 plus noise with the standard deviation (the root of the variance) 0.1, 1 and 10. Here is the 300th step of 2000 parameters, with $m$ and without it ($\beta_1 = 0$):

# %% tags=["fold"] name="noise"
# The 300th step of 2000 parameters with the gradient 1 + noise.
def noisy_walk(spread, beta1):  # the points from step 299 to step 800
    rng, rule, theta = np.random.default_rng(seed), Adam(1.0, beta1=beta1), np.zeros(2000)
    noisy = iter(1 + spread * rng.normal(size=(800, 2000)))
    return np.array(descend(theta, rule, lambda theta: next(noisy), 800)[299:])

fig, axes = plots.panels(2, sharey=True)
found = {}  # steps, and their sum over the next 500 steps
for ax, beta1, title in zip(axes, (0.9, 0.0), ("Adam", "beta1 = 0"), strict=True):
    for spread, look in ((0.1, "-"), (1, "--"), (10, "-.")):
        points = noisy_walk(spread, beta1)
        found[spread, beta1] = step, _ = points[0] - points[1], points[1] - points[-1]
        ax.hist(step, np.linspace(-4, 4, 81), histtype="step", ls=look, lw=1.5,
                label=f"noise {spread:g}")
    ax.set(xlabel="step / learning rate (positive: downhill)", ylabel="parameters", title=title)
axes[1].legend(fontsize=8)
plots.Picture(
    fig, "Histograms of step lengths. Left, Adam. Noise 0.1: all near 1. Noise 1: narrow, around "
    "0.7. Noise 10: around 0.1, a third of them negative. Right, without m: the same centres. "
    "Noise 1 spreads from about -1.5 to 2.5, noise 10 from about -3 to 3, with few beyond.",
)

# %% tags=["fold"] name="noise-numbers"
# The steps, and how far apart the parameters are 500 steps later.
rows = []
for (spread, beta1), (step, later) in found.items():
    name = "Adam" if beta1 else "beta1 = 0"
    rows.append([f"{spread:g}", name, f"{1 / np.sqrt(1 + spread**2):.2f}", f"{step.mean():.2f}",
                 f"{step.std():.2f}", f"{later.std():.1f}"])
    with_m = found[spread, 0.9]
    assert abs(with_m[0].mean() - step.mean()) < 0.1 and 0.75 < later.std() / with_m[1].std() < 1.3
    assert beta1 or with_m[0].std() < 0.6 * step.std()
Table(["noise s", "", "1 / sqrt(1 + s^2)", "mean step", "spread of the step",
       "spread after 500 more steps"], sorted(rows, key=lambda row: float(row[0])),
      "In learning rates. A spread is a standard deviation over the 2000 parameters.")

# %% [markdown] name="breaks"
# Let $s$ be the standard deviation of the noise. The mean of $g^2$ is $1 + s^2$. That is where $v$ settles, so the mean step is about
#
# $$\frac{1}{\sqrt{1 + s^2}}$$
#
# learning rates, with $m$ and without (table). $m$ makes single steps steadier: at noise 1 their spread is 0.16 instead of 0.72. It does not keep the parameters together: 500 steps later they are scattered by 14, with $m$ and without.
# The reason is that the noise of one gradient enters the following steps with weights that add up to 1. The average spreads it over many steps and removes nothing. **$v$ decides how far Adam goes; $m$ makes single steps steadier.** At small rates the average brings Adam hardly nearer to a minimum; at large ones it does (below).
#
# ## Momentum plus RMSProp?
#
# The article says that Adam combines momentum and RMSProp. Nearly. Momentum (Polyak 1964) *adds up* gradients where Adam averages them: under a constant gradient $g$ its $u$ grows to $10\, g$, Adam's $m$ to $g$. RMSProp (Tieleman and Hinton 2012) is Adam with $\beta_1 = 0$ and without the corrections. Those are new in Adam: RMSProp's first step, with its 0.9, is $1 / \sqrt{0.1} = 3.2$ learning rates long.
#
# ## What breaks
#
# Somebody writes Adam and forgets the corrections, or one of them. The words again, 60 steps, and the learning rate 1, which suits Adam:

# %% name="forgetful"
def train(rates, correct, steps=60, measure=gap, every=1):  # for each rate and seed
    lr = torch.tensor(rates, device=pairs.device)[:, None, None, None]
    theta = torch.zeros(len(rates), *pairs.shape, dtype=pairs.dtype, device=pairs.device)
    state, found = Adam().init(theta), [measure(theta)]
    for t in range(1, steps + 1):
        _, state = Adam().update(theta, gradient(theta), state)
        m_hat = state.m / (1 - 0.9**t if "m" in correct else 1)
        v_hat = state.v / (1 - 0.999**t if "v" in correct else 1)
        theta = theta - lr * m_hat / (v_hat.sqrt() + 1e-8)
        if t % every == 0:
            found.append(measure(theta))
    return np.array(found)  # (1 + steps / every, rates, seeds)

# %% tags=["fold"] name="forgetful-picture"
# Left: the gap over the steps at the rate 1. Right: the gap after 60 steps at other rates.
tried = [0.01, 0.02, 0.03, 0.06, 0.1, 0.2, 0.3, 0.6, 1.0, 2.0, 3.0]
ways = {"both corrected": "mv", "neither corrected": "", "only m corrected": "m",
        "only v corrected": "v"}
runs = {name: train(tried, way) for name, way in ways.items()}
fig, (left, right) = plots.panels(2)
over_steps = {name: plots.band(run[:, tried.index(1.0)], axis=1) for name, run in runs.items()}
plots.draw_lines(left, range(61), over_steps, "step t", "gap (nats, log)", "Learning rate 1", "y")
over_rates = {name: plots.band(run[-1], axis=1) for name, run in runs.items()}
plots.draw_lines(right, tried, over_rates, "learning rate (log)", "gap after 60 steps (nats, log)",
                 "Other learning rates", "xy")
plots.Picture(
    fig, "Left, the gap over 60 steps at the rate 1. Both corrected: it falls to 0.001. Only v "
    "corrected: the same some ten steps later. Neither: ends ten times higher. Only m: jumps up "
    "tenfold. Right, the gap after 60 steps against the rate. Three curves come down to about "
    "0.001: both corrected at 0.6 to 1, neither at 0.1 to 0.3, only m, a little deeper, at 0.06. "
    "Only v flattens at 0.003 from 0.6 on.",
)

# %% tags=["fold", "nbval-ignore-output"] name="forgetful-table"
# Each way at the rate 1, and at its own best rate.
ends = {name: run[-1] for name, run in runs.items()}  # (rates, seeds)
one, full = tried.index(1.0), ends["both corrected"]
times = {name: (end[one] / full[one], end.min(0) / full.min(0)) for name, end in ends.items()}

def span(numbers):
    low, middle, high = (f"{x:.0f}" if x >= 10 else f"{x:.2g}"
                         for x in (min(numbers), np.median(numbers), max(numbers)))
    return f"{middle} ({low} to {high})"

rows = [[name, span(times[name][0]), f"{tried[int(np.median(end, axis=1).argmin())]:g}",
         span(times[name][1])] for name, end in ends.items()]
assert all(min(times[name][0]) > 2 for name in ways if name != "both corrected")
assert max(times["neither corrected"][1]) < 3 and max(times["only m corrected"][1]) < 1.3
assert min(times["only v corrected"][1]) > 2
Table(["", "at the rate 1", "own best rate", "there"], rows,
      "Gap after 60 steps, as a multiple of that with both corrections in the same column; "
      "median (lowest to highest seed).")

# %% [markdown] name="breaks-reading"
# After 60 steps at a rate copied from Adam, the forgetful versions are 3 to 1000 times behind. (In longer runs the order turns, see below.) Leaving both corrections out multiplies the learning rate by the curve of the question; leaving out one multiplies it by one of the curve's two factors.
# Where that makes the steps too long, a smaller rate mends it: at its own best rate, "neither" ends within a factor of 2 of Adam, and "only $m$" even a little ahead. With only $v$ corrected the first steps are too short. No rate mends that: "only $v$" stays 3 to 4 times behind. **So in a run of 60 steps two of the three faults show only when a rate is copied.** In longer runs a smaller rate does not always mend them (below).
# It was found the hard way: an Adam without corrections made it unreliable to train a ready language model, BERT, on a small new task (Zhang and others 2021). A related fault is a resumed run that forgets $t$; it is your first exercise.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. The resumed run (5 minutes, medium)
# A long run under a constant gradient is stopped and resumed. `m` and `v` were saved, but `t` starts again at 1. How long is step `t` after the restart, in learning rates, without `eps`?

# %% name="exercise-resumed"
def resumed(t, beta1, beta2):
    ### BEGIN SOLUTION
    return np.sqrt(1 - beta2**t) / (1 - beta1**t)
    ### END SOLUTION

# %% name="check-resumed"
check("resumed")

# %% [markdown] name="exercise-step-text"
# <details><summary>Hint 1</summary>After a long run under a constant gradient c, what are m and v? Does the next step change them?</details>
# <details><summary>Hint 2</summary>What do the corrections of step t make of an m that is c, and of a v that is c squared?</details>
#
# ### 2. Adam itself (10 minutes, medium)
# Write the step. `theta`, `g`, `m`, `v` are NumPy arrays of one shape, `t` is 1 in the first step. Return the new `theta`, `m`, `v`.

# %% name="exercise-step"
def adam_step(theta, g, m, v, t, lr, beta1, beta2, eps):
    ### BEGIN SOLUTION
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return theta - lr * m_hat / (np.sqrt(v_hat) + eps), m, v
    ### END SOLUTION

# %% name="check-step"
check("adam_step")

# %% [markdown] name="exercise-weights-text"
# <details><summary>Hint 1</summary>Five lines of the formula, five lines of code, and a return. <code>g**2</code> squares each number.</details>
# <details><summary>Hint 2</summary>Return m and v, not the hats: the next step averages on from m and v.</details>
#
# ### 3. Betas that change (8 minutes, hard)
# Somebody changes $\beta$ from step to step: `betas` lists its values so far, the first step first. By what must the average be divided now, in place of $1 - \beta^t$? Find the sum of the weights of all gradients so far.

# %% name="exercise-weights"
def total_weight(betas):
    ### BEGIN SOLUTION
    return 1 - np.prod(betas)
    ### END SOLUTION

# %% name="check-weights"
check("total_weight")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>The weights of all gradients and the weight of the zero start add up to 1. What does a step make of the weight of the start?</details>
# <details><summary>Hint 2</summary>For two steps: the first gradient has the weight (1 - b1) b2, the second 1 - b2. Add.</details>
#
# ## Takeaways
#
# - Adam divides an average of gradients by the root of an average of their squares. So the size of the gradient cancels, and each parameter has its own rate. $v$ decides how far Adam goes; $m$ makes single steps steadier.
# - Both averages start at 0, so the weights of the gradients add up to only $1 - \beta^t$. The corrections make that sum 1.
# - Do not use Adam where memory has no room for its two averages, two more numbers per parameter.
#
# ## Does it hold?
#
# Do the ends of the race hold on a finer grid of rates, in a turned valley, from another start, over more steps? 57 rates from 0.001 to 3.2, and the mean distance in the last ten steps at the best of them:

# %% tags=["fold", "nbval-ignore-output"] name="control-race"
# The race again in other settings; and the drawn run of RMSProp, continued.
def ends_of(kind, degrees=0, steps=40, begin=begin):
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    turn = np.array([[c, -s], [s, c]])
    with np.errstate(over="ignore", invalid="ignore"):  # rates at which a run flies away
        runs = [np.array(descend(turn @ begin, kind(lr), lambda p: turn @ valley.gradient(p @ turn),
                                 steps)) for lr in 10.0 ** np.linspace(-3, 0.5, 57)]
        return np.nanmin([last_ten(run) for run in runs])

changes = {"finer grid": {}, "turned by 20 degrees": {"degrees": 20},
            "turned by 45 degrees": {"degrees": 45},
            "start (-1.8, 0.3)": {"begin": begin * [1, 0.25]},
            "100 steps": {"steps": 100}, "300 steps": {"steps": 300}}
far = {name: [ends_of(kind, **changed) for changed in changes.values()]
       for name, kind in kinds.items()}
descent, rms, adam = (np.array(far[name]) for name in ("gradient descent", "RMSProp", "Adam"))
assert (adam > 0.4 * descent).all() and (rms[[0, 4]] < 1e-9).all() and rms[2] > 0.4 * descent[2]
assert 0.003 < rms[3] < 0.5 * descent[3] and rms[5] > 1000 * max(adam[5], descent[5])
drawn = kinds["RMSProp"](rates[best["RMSProp"]])
away = np.linalg.norm(descend(begin, drawn, valley.gradient, 80), axis=1)
assert away[40] < 1e-9 and away[80] > 0.05
print("the drawn run of RMSProp, distance from the minimum: "
      + ", ".join(f"step {step}: {near(away[step], 1)}" for step in (40, 60, 80)))
Table(["", *changes], [[name, *map(near, row)] for name, row in far.items()])

# %% [markdown] name="control-ball-text"
# RMSProp's lead fades as the valley turns. From the other start it is a factor of 7, and after 300 steps RMSProp comes last. Adam is ahead of gradient descent in two of the six columns, by factors of 1.2 and 1.8.
#
# Does the average $m$ bring Adam nearer to a minimum when gradients are noisy? 500 parameters on the parabola $\theta^2 / 2$, the gradient $\theta$ plus noise of standard deviation 1; the root of the mean of $\theta^2$ over the steps 500 to 1500:

# %% tags=["fold"] name="control-ball"
# How far from the minimum noise keeps Adam, with m and without.
def ball(lr, beta1, s):
    rng = np.random.default_rng(s)
    points = descend(np.zeros(500), Adam(lr, beta1=beta1),
                     lambda theta: theta + rng.normal(size=500), 1500)
    return np.sqrt(np.mean(np.square(points[500:])))

rows = []
for lr, least, most in ((0.01, -0.1, 0.1), (0.1, -0.1, 0.1), (0.3, 0, 0.15), (1, 0.1, 0.3),
                        (3, 0.25, 0.6)):
    both = np.array([[ball(lr, beta1, s) for s in setting.seeds[:3]] for beta1 in (0.9, 0.0)])
    nearer = 1 - both[0] / both[1]
    rows.append([f"{lr:g}", *(f"{np.mean(b):.3f} ± {np.std(b):.3f}" for b in both),
                 f"{nearer.mean():.1%}"])
    assert nearer.min() > least and nearer.max() < most
Table(["learning rate", "Adam", "beta1 = 0", "nearer by"], rows,
      "± is the standard deviation over 3 seeds.")

# %% [markdown] name="control-bias-text"
# The average brings Adam nearer by 39 per cent at the rate 3, by 18 per cent at 1, by 7 per cent at 0.3, by 2 per cent at 0.1, and not visibly at 0.01.
#
# Does the order of the forgetful versions hold for longer runs at the rate 1? The gap as a multiple of that with both corrections:

# %% tags=["fold", "nbval-ignore-output"] name="control-steps"
# 200 steps; the last column leaves out the word pairs that never occur.
never = torch.where(pairs > 0, 0.0, -1e9)  # added to the logits: the probability becomes 0
longer = {name: train([1.0], way, 200, lambda theta: (gap(theta), gap(theta + never)), 10)
          for name, way in ways.items()}  # (steps, with and without those pairs, seeds)
longer = {name: (run / longer["both corrected"])[[6, 10, 15, 20], :, 0]
          for name, run in longer.items()}  # after 60, 100, 150 and 200 steps
rows = [[last, *(span(longer[name][i, 0]) for name in [*ways][1:]),
         span(longer["neither corrected"][i, 1])] for i, last in enumerate((60, 100, 150, 200))]
bare_gap = longer["neither corrected"]
assert np.median(bare_gap[-1, 0]) < 0.5 and bare_gap[:, 1].min() > 2
Table(["steps", *[*ways][1:], "neither, without pairs that never occur"], rows,
      "Median (lowest to highest seed).")

# %% [markdown] name="control-steps-reading"
# The order turns: after 200 steps the median seed is ahead without the corrections. This comes from the word pairs that never occur. Their best logit is minus infinity, so there no step is too long. Without these pairs (last column) the corrected Adam stays ahead.
#
# Does a smaller rate mend "neither" and "only $m$" in a run of 100 steps, too? Seven rates for each, and the gap at the best of them:

# %% tags=["fold", "nbval-ignore-output"] name="control-rates"
# Own best rates after 60 and after 100 steps.
middle = {"both corrected": 1.0, "neither corrected": 0.25, "only m corrected": 0.09}
around = 2.0 ** np.linspace(-1.5, 1.5, 7)
tuned = {name: train(c * around, ways[name], 100, every=20)[[3, 5]] for name, c in middle.items()}
at_best = {name: run.min(1) / tuned["both corrected"].min(1) for name, run in tuned.items()}
place = {name: np.median(run, axis=2).argmin(1) for name, run in tuned.items()}
assert all(0 < i < 6 for where in place.values() for i in where)
assert at_best["neither corrected"][0].max() < 3 and at_best["only m corrected"][0].max() < 1.3
assert at_best["only m corrected"][1].max() > 1.5
rows = [[name, *(x for i in (0, 1) for x in (
            f"{c * around[place[name][i]]:.2g}", span(at_best[name][i])))]
        for name, c in middle.items()]
Table(["", "own best rate", "after 60 steps", "own best rate", "after 100 steps"], rows,
      "Gap as a multiple of that with both corrections; median (lowest to highest seed).")

# %% [markdown] name="control-rates-reading"
# After 60 steps it does. After 100 steps the outcome depends on the seed: "only $m$" ends up to 5 times behind, and "neither" up to 2.2 times.
#
# Gradients that are random with mean 1 and standard deviation 2: does the mean of the averages fall short by the factors of derivation 1?

# %% tags=["fold"] name="control-bias"
# 10,000 runs for each seed; the mean of v is divided by E[g^2] = 5.
draws = [np.random.default_rng(s).normal(1.0, 2.0, size=(30, 10_000)) for s in setting.seeds]
rows = []
for last in (1, 3, 10, 30):
    m, v = [], []
    for drawn in draws:
        gradients, state = iter(drawn[:last]), Adam().init(drawn[0])
        for g_t in gradients:
            _, state = Adam().update(drawn[0], g_t, state)
        m.append(state.m.mean())
        v.append(state.v.mean() / 5)
    rows.append([last, 1 - 0.9**last, f"{np.mean(m):.3f} ± {np.std(m):.3f}",
                 1 - 0.999**last, f"{np.mean(v):.6f} ± {np.std(v):.6f}"])
    assert np.allclose(m, 1 - 0.9**last, atol=0.015) and np.allclose(v, 1 - 0.999**last, rtol=0.06)
Table(["t", "1 - 0.9^t", "mean of m", "1 - 0.999^t", "mean of v / 5"], rows,
      "± is the standard deviation over seeds.")

# %% [markdown] name="control-scale-text"
# Does the size of the loss really cancel? The valley's loss times 100, and times $10^{-9}$, 50 steps at the learning rate 0.05:

# %% tags=["fold"] name="control-scale"
# The same path for another unit of the loss?
def path(rule, factor):
    return np.array(descend(begin, rule, lambda theta: factor * valley.gradient(theta), 50))

sgd = path(SGD(0.05), 100)
large, tiny = (abs(path(Adam(0.05), f) - path(Adam(0.05), 1)).max() for f in (100, 1e-9))
print(f"loss x 100:  gradient descent leaves for a distance of {abs(sgd[-1]).max():.0e}")
print(f"loss x 100:  Adam's path changes by {large:.0e}")
print(f"loss x 1e-9: Adam's path changes by {tiny:.1f}")
assert abs(sgd[-1]).max() > 1e50 and large < 1e-6 and tiny > 0.5

# %% [markdown] name="epsilon-text"
# It cancels as long as gradients are far above $\epsilon$. The article says that $\epsilon$ avoids a division by zero. It does more: where gradients are not much larger than $\epsilon$, it shortens the step. And its place matters. TensorFlow and Keras add it before the correction, as a short form in Adam's paper does; a third place is under the root:
#
# $$\frac{\hat m}{\sqrt{\hat v} + \epsilon} \qquad\qquad \frac{1}{1 - \beta_1^t}\, \frac{m \sqrt{1 - \beta_2^t}}{\sqrt v + \epsilon} \qquad\qquad \frac{\hat m}{\sqrt{\hat v + \epsilon}}$$
#
# The first step of each, in learning rates:

# %% tags=["fold"] name="epsilon"
# Three places for epsilon; the first is the library's.
places = {
    "outside the root, after the correction (ours, PyTorch)": lambda g, eps: g / (g + eps),
    "outside the root, before the correction (the paper's short form)":
        lambda g, eps: g / (g + eps / 0.001**0.5),
    "under the root": lambda g, eps: g / (g**2 + eps) ** 0.5,
}
sizes = (1.0, 1e-4, 1e-8)
ours = [-descend(np.zeros(1), Adam(1.0), lambda theta, g=g: np.array([g]), 1)[1][0] for g in sizes]
rows = [[name, *(place(g, 1e-8) for g in sizes)] for name, place in places.items()]
assert np.allclose(rows[0][1:], ours)
Table(["eps = 1e-8 stands", *(f"g = {g:g}" for g in sizes)], rows)

# %% [markdown] name="control-half-text"
# At ordinary gradients the three agree. At $10^{-4}$ the form under the root is already 1.4 times too short, because there $10^{-8}$ acts like $\sqrt{10^{-8}} = 10^{-4}$. (In later steps the second row comes closer to the first.) When you move an $\epsilon$ from one library to another, look where it stands.
#
# In float16 there is a second limit: the smallest number is about $6 \cdot 10^{-8}$, so $\epsilon = 10^{-8}$ becomes 0. One step from 1 at the learning rate 0.1, computed in float16 as PyTorch does by default, and by ours, which computes in float32 and rounds once:

# %% tags=["fold"] name="control-half"
# Adam in float16.
rows = []
for size in (0.0, 1e-4, 1e4):
    weights = torch.ones(1, dtype=torch.float16, device=setting.device, requires_grad=True)
    weights.grad = torch.full_like(weights, size)
    begin_at = weights.detach().clone()
    ours, _ = Adam(0.1).update(begin_at, weights.grad, Adam().init(begin_at))
    torch.optim.Adam([weights], lr=0.1, foreach=False, fused=False).step()
    rows.append([f"{size:g}", str(weights.item()), ours.item()])
assert rows[0][1] == "nan" and abs(ours.item() - 0.9) < 1e-3
Table(["gradient", "PyTorch, float16", "ours"], rows)

# %% [markdown] name="sources"
# A zero gradient gives 0 / 0. What must fit into float16 is $v_1 = 0.001\, g^2$: below about $g = 0.005$ it is 0 and the step infinite, above about 8000 it is infinite and the step 0.
#
# ## Sources
#
# - D. P. Kingma and J. Ba, 2015: *Adam: a method for stochastic optimization*, arXiv 1412.6980; the short form stands before section 2.1. The documentation of Keras's `Adam` names its $\epsilon$ after it.
# - B. Polyak, 1964: *Some methods of speeding up the convergence of iteration methods*. T. Tieleman and G. Hinton, 2012: *Lecture 6.5: RMSProp*, Coursera.
# - T. Zhang and others, 2021: *Revisiting few-sample BERT fine-tuning*, arXiv 2006.05987.
