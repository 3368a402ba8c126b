# ---
# jupyter:
#   lesson:
#     title: How large a batch?
#     question: "Read 310 patients once: one good step, or 38 rough ones?"
#     minutes: 30
#     needs: [03_sgd]
#     studies: [optim.SGD]
#     settles: [G11, E23]
#     claims:
#       C27: {verdict: confirmed, cell: per-example, says: "Read once, small batches end far nearer to the minimum than one step with all; and the variance of the gradient falls as one over the batch size."}
# ---

# %% [markdown] name="title"
# # How large a batch?
#
# **Goal.** Know what a larger batch buys and what it costs, and where to stop.
#
# **The question.** You may read the records of 310 patients once. With the batch of all you take one step, and it is as good as a step can be. With batches of eight you take 38 steps, each with a noisy gradient. Each way may use the best learning rate, out of seven. Which ends nearer to the minimum?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import numpy as np
import sympy as sp

from lessons_lib import bridge, data, exercises, plots
from lessons_lib.derive import derive
from lessons_lib.optim import SGD, descend
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/26_how_large_a_batch")

# %% tags=["fold"] name="problem"
# The patients with all ten measurements, for every seed at once: x is (seeds, N, 10).
drawn = [data.diabetes(s) for s in setting.seeds]
x = np.array([split.x for split in drawn])
y = np.array([(split.y - split.y.mean()) / split.y.std() for split in drawn])
N = x.shape[1]
best = np.array([np.linalg.lstsq(*p)[0] for p in zip(x, y, strict=True)])
edge = 2 / np.linalg.eigvalsh(2 * np.swapaxes(x, 1, 2) @ x / N)[:, -1:]  # of the learning rate

def residuals(theta, x=x, y=y):
    return (x @ theta[..., None])[..., 0] - y

lowest = np.mean(residuals(best) ** 2, axis=1)

def gap(theta):  # of the mean squared error of all patients, for every seed
    return np.mean(residuals(theta) ** 2, axis=1) - lowest

# %% name="training"
def batches(B, seed):  # an endless supply of batches, for every seed at once
    rng = np.random.default_rng(seed)
    while True:
        chosen = rng.random(y.shape).argsort(axis=1)[:, :B]
        yield np.take_along_axis(x, chosen[..., None], 1), np.take_along_axis(y, chosen, 1)

def train(B, lr, steps, seed=seed):  # the last theta; lr: a number, or one for each seed
    supply = batches(B, seed)

    def step(theta):  # learning rate times gradient
        x_b, y_b = next(supply)
        return lr * 2 / B * (residuals(theta, x_b, y_b)[:, None] @ x_b)[:, 0]

    return descend(np.zeros_like(best), SGD(1.0), step, steps)[-1]

# %% tags=["fold", "nbval-ignore-output"] name="per-example"
# One pass over the patients, the mean of 10 ways to draw the batches, at the best of seven rates.
rates = (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2)
def one_pass(B, lr):
    return np.mean([gap(train(B, lr, N // B, draw)) for draw in range(10 if B < N else 1)], axis=0)

once = {B: np.min([one_pass(B, lr) for lr in rates], axis=0) for B in (8, N)}
nearer = once[8] / once[N]
print(f"gap of 38 rough steps / gap of one good step: {nearer.min():.2f} to {nearer.max():.2f}")
assert (nearer < 0.6).all()
plots.bars(
    {f"{N // B} x batch of {B}": plots.band(g) for B, g in once.items()},
    "mean loss of all patients above its lowest value",
    "Two bars. 38 steps with batches of 8: the gap is small. One step with all: it is larger.",
    title="310 patients, read once (line: lowest to highest seed)",
)

# %% [markdown] name="per-example-reading"
# The 38 rough steps end nearer. Noise costs something, but a good gradient is wasted on one step: the next 37 would have needed it elsewhere. This is what mini-batches are for. So is a smaller batch always better?
#
# ## Derivation
#
# One axis of a bowl, with the curvature $h$, at the distance $\theta$ from the minimum. The gradient of a batch is $h \theta$ plus an error with variance $\sigma^2 / B$. By how much does one step change the objective $J$, on average?

# %% tags=["fold"] name="derive-change"
# Derivation 1: the mean change of the objective in one step.
theta = sp.Symbol("theta", real=True)
eta, h, sigma = sp.symbols("eta h sigma", positive=True)
B = sp.Symbol("B", integer=True, positive=True)

def change(rng, size, theta, eta, h, sigma, B):  # in a step of the library's SGD
    g = h * theta + rng.normal(0, sigma / B**0.5, size)
    after, _ = SGD(eta).update(theta + 0 * g, g, SGD(eta).init(g))
    return h / 2 * after**2 - h / 2 * theta**2

(
    derive(r"\mathbb E[\Delta J]",
           "h/2 * ((1 - eta*h)**2 * theta**2 + eta**2 * sigma**2 / B) - h/2 * theta**2",
           "the error is 0 on average, its square is not", [theta, eta, h, sigma, B],
           ranges={eta: (0.05, 0.8), h: (0.5, 2)})
    .expects("SGD(eta).update(theta, h * theta + error)", change,
             "the library's step, random errors")
    .equals("-eta * (1 - eta*h/2) * (h*theta)**2 + eta**2 * h * sigma**2 / (2*B)",
            "**gain, and price of the noise**")
)

# %% [markdown] name="change-reading"
# For small rates the gain is $\eta$ times the squared gradient. The price is $\eta$ times $\eta / B$ times a constant. So gain and price keep their proportion when rate and batch grow together. This suggests a rule that is often stated as a law: **with a batch $k$ times as large, take a rate $k$ times as large**, and the same number of epochs leads to the same place, in fewer steps.
# The derivation also says where the rule must end: the factor $1 - \eta h / 2$ is 0 at the edge $2/h$.
#
# ## Does the rule hold?
#
# Twenty epochs, the rate proportional to $B$. On one line the batch of 256 gets half of the edge, on the other 1.05 times the edge.

# %% tags=["fold"] name="scaling"
# The gap after 20 epochs for five batch sizes.
batch_sizes = [2, 8, 32, 128, 256]
with np.errstate(over="ignore", invalid="ignore"):
    ends = {f: np.array([gap(train(B, f * edge * B / 256, 20 * N // B)) for B in batch_sizes])
            for f in (0.5, 1.05)}
plots.lines(
    batch_sizes, {f"{f} x edge at B = 256": plots.band(g, axis=1) for f, g in ends.items()},
    "batch size (log)", "gap after 20 epochs (log)",
    "Gap against batch size on logarithmic axes. Both lines are nearly flat up to 128. At 256 the "
    "line of half the edge stays flat, the other jumps up by several powers of ten.",
    title="The rate grows with the batch (band: all seeds)", log="xy",
)

# %% tags=["fold", "nbval-ignore-output"] name="scaling-numbers"
# The medians against that of B = 2.
ratio = {f: np.median(g, axis=1) / np.median(g[0]) for f, g in ends.items()}
Table(["B", "steps", "gap / gap at B = 2, half the edge", "1.05 times the edge"],
      [[B, 20 * N // B, ratio[0.5][i], ratio[1.05][i]] for i, B in enumerate(batch_sizes)],
      "Medians over seeds.")

# %% tags=["fold"] name="scaling-verdict"
# Flat, but for the batch beyond the edge.
assert (ratio[0.5] < 3).all() and (ratio[1.05][:4] < 3).all() and ratio[1.05][4] > 100

# %% [markdown] name="scaling-reading"
# Up to the edge the rule holds: the largest batch arrives with 24 steps instead of 3100. Beyond the edge it fails at once. The largest batch is even favoured here, because 256 of 310 patients drawn without replacement have less noise than $\sigma^2 / B$.
#
# The article says that mini-batches bring efficiency and stability. Efficiency: the first picture shows it. Stability: the variance of the gradient falls as $1/B$. How long a step takes on a machine is a question of its own, which we did not measure.
#
# ## What breaks
#
# "Train until the loss has converged." Which loss? The one at hand is the batch's, and it costs nothing. After how many steps does the loss of one batch of eight fall below the *lowest value that the loss of all patients can have*?

# %% tags=["fold"] name="stop"
# The first step at which a batch looks better than anything possible, at the rate 0.005.
supply, losses, gaps = batches(8, seed), [], []

def small_step(theta):
    x_b, y_b = next(supply)
    r = residuals(theta, x_b, y_b)
    losses.append(np.mean(r**2, axis=1))
    gaps.append(gap(theta))
    return 0.005 * 2 / 8 * (r[:, None] @ x_b)[:, 0]

descend(np.zeros_like(best), SGD(1.0), small_step, 300)
below = np.array(losses) < lowest
first = below.argmax(axis=0)
there = np.array(gaps)[first, np.arange(len(first))] / gaps[0]
assert below.any(axis=0).all()

# %% tags=["fold", "nbval-ignore-output"] name="stop-numbers"
# How far was the training then?
print(f"a batch looks better than possible after {first.min()} to {first.max()} steps")
print(f"the share of the gap that is left then: {there.min():.2f} to {there.max():.2f}")
assert first.max() < 80 and there.min() > 0.1

# %% [markdown] name="exercises"
# A lucky batch says "done" long before. **One batch's loss is no stop criterion.** How much of the way is left depends on the rate and on luck. The usual cure is a fixed validation set and *patience*: stop when it has not improved for several evaluations.
#
# ## Exercises
#
# ### 1. The best rate for one step (8 minutes, medium)
# At the distance `theta` from the minimum of a parabola with curvature `h`, with the noise `sigma` of single examples and a batch of `B`: at which learning rate does one step lower the objective most, on average?

# %% name="exercise-rate"
def best_rate(theta, h, sigma, B):
    ### BEGIN SOLUTION
    squared = (h * theta) ** 2
    return squared / (h * (squared + sigma**2 / B))
    ### END SOLUTION

# %% name="check-rate"
check("best_rate")

# %% [markdown] name="exercise-size-text"
# <details><summary>Hint 1</summary>The derivation's last line is a parabola in eta. Where is it lowest?</details>
# <details><summary>Hint 2</summary>Its slope by eta is minus the squared gradient, plus eta times something. Set it to 0.</details>
#
# ### 2. How large a batch? (10 minutes, medium)
# `a` holds one number per example, shape `(N,)`. A batch is drawn without replacement, so the variance of its mean is $\frac{\sigma^2}{B} \cdot \frac{N - B}{N - 1}$, where $\sigma^2$ is the variance of `a`. Return the smallest batch size for which that is at most `v > 0`.

# %% name="exercise-variance"
def batch_size(a, v):
    ### BEGIN SOLUTION
    N, variance = len(a), a.var()
    return max(1, int(np.ceil(N * variance / (v * (N - 1) + variance))))
    ### END SOLUTION

# %% name="check-variance"
check("batch_size")

# %% [markdown] name="exercise-epoch-text"
# <details><summary>Hint 1</summary>Set the variance equal to v and solve for B. Which divisor has the variance of a: N or N - 1?</details>
# <details><summary>Hint 2</summary>However small v is, the answer never exceeds N. However large, it is at least 1.</details>
#
# ### 3. One epoch (5 minutes, easy)
# `order` is a shuffled array of all indices. Cut it into consecutive batches of `B`, so that every example is used exactly once; the last batch may be smaller. Return a list of arrays.

# %% name="exercise-epoch"
def epoch(order, B):
    ### BEGIN SOLUTION
    return [order[i : i + B] for i in range(0, len(order), B)]
    ### END SOLUTION

# %% name="check-epoch"
check("epoch")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Which index begins the second batch, and the third?</details>
# <details><summary>Hint 2</summary>A slice that runs past the end is cut short, without an error.</details>
#
# ## Takeaways
#
# - Early in training small batches go farther for each example read: many rough steps beat one good one. In the end their noise ball is larger.
# - A batch $k$ times as large bears a rate $k$ times as large, up to the edge. Then it needs fewer steps.
# - Do not stop on the loss of one batch, and do not take a larger batch where the rate is at its edge already: it reads more and goes no farther.
#
# ## Sources
#
# - L. Bottou, F. Curtis and J. Nocedal, 2018: *Optimization methods for large-scale machine learning*, SIAM Review 60.
# - P. Goyal and others, 2017: *Accurate, large minibatch SGD: training ImageNet in 1 hour*, arXiv 1706.02677 (the rule).
