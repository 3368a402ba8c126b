# ---
# jupyter:
#   lesson:
#     title: "From data to an objective"
#     question: "Two programs agree on ten patients. On 442, one has learned and the other has not. What differs?"
#     minutes: 45
#     needs: [02_concepts/01_model_and_objective, 02_concepts/02_what_makes_a_loss_good, 03_algorithms/01_binary_cross_entropy, 03_algorithms/03_sgd, 03_algorithms/05_regression, 03_algorithms/07_probabilistic_regression]
#     settles: [G6]
#     studies: [losses.gaussian_nll, losses.squared_error, optim.SGD]
#     terms: [prior, posterior, population, risk, test part]
# ---

# %% [markdown] name="goal"
# # From data to an objective
#
# **Goal.** Derive an objective from data and a belief, carry its penalty over to more data, and know which mean loss to report.
#
# **The question.** Two programs predict the progress of diabetes from the body mass index, by a line through the middle of the data. One parameter $\theta$ is left, the rise. One program adds up its losses, the other takes their mean. Each has a penalty:

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import numpy as np
import sympy as sp
from scipy.stats import binom
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits

from lessons_lib import bridge, exercises, plots
from lessons_lib.core import mean
from lessons_lib.derive import derive
from lessons_lib.losses import binary_cross_entropy, gaussian_nll, squared_error
from lessons_lib.optim import SGD
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("04_mathematics/01_from_data_to_objective")

# %% name="programs"
def added_up(theta, x, y):
    return np.sum((theta * x - y) ** 2) + 10 * theta**2

def averaged(theta, x, y):
    return np.mean((theta * x - y) ** 2) + 1 * theta**2

def best(objective, x, y):
    rises = np.linspace(-1, 2, 3001)
    return rises[np.argmin([objective(theta, x, y) for theta in rises])]

# %% [markdown] name="question-text"
# On ten patients the first objective is ten times the second, so both have the same minimum. Now give them more and more of the 442 patients. Index and progress are counted in standard deviations from their means:

# %% tags=["fold"] name="question-picture"
# Both programs on the first N patients, in the order of every seed.
study = load_diabetes(scaled=False)
index, progress = ((a - a.mean()) / a.std() for a in (study.data[:, 2], study.target))
orders = [np.random.default_rng(s).permutation(442) for s in setting.seeds]
counts = [10, 20, 40, 80, 160, 300, 442]
rises = {
    name: np.array([[best(program, index[o[:n]], progress[o[:n]]) for n in counts] for o in orders])
    for name, program in {"adds up, penalty 10": added_up, "mean, penalty 1": averaged}.items()
}
truth = np.mean(index * progress) / np.mean(index**2)
fig, (ax,) = plots.panels()
fig.set_size_inches(6.4, 3.3)
plots.draw_lines(
    ax, counts, {name: plots.band(r) for name, r in rises.items()},
    "patients N (log)", "rise (sd of progress per sd of index)",
    "One penalty, more and more patients", log="x",
)
ax.axhline(truth, color="0.3", lw=1, ls=":")
ax.text(10, truth + 0.02, "no penalty, all 442", fontsize=9, color="0.3")
ax.set(xticks=counts, xticklabels=counts, ylim=(0, 0.75))
ax.minorticks_off()
plots.Picture(
    fig,
    alt="The rise over the number of patients, two lines with bands. Both start at the same values "
    "at 10 patients. The line of the program that adds up climbs to 0.57, near a dotted line at "
    "0.59. The line of the program that averages stays at 0.3 up to 442 patients.",
)

# %% tags=["fold"] name="question-numbers"
# The ends of the lines.
ends = {name: r[:, -1].mean() for name, r in rises.items()}
print(f"442 patients: without penalty {truth:.3f}, " +
      ", ".join(f"{name}: {rise:.3f}" for name, rise in ends.items()))
first, second = ends.values()
assert first > 0.75 * truth and second < 0.65 * truth
assert np.allclose(*(r[:, 0] for r in rises.values()), atol=2e-3)

# %% [markdown] name="question-reading"
# Each line is the middle of five orders of the patients, its band goes from the lowest to the highest. The first program arrives near the dotted line. **The second stands at half of it, and no number of patients will move it.** Yet it is the usual way: PyTorch's losses are means, and its `weight_decay` is a constant. Why do 442 patients not outvote a penalty that was meant for ten?
#
# ## The idea, drawn
#
# Look at the penalty $10\,\theta^2$ once more. It is the loss of ten patients who do not exist. Each has the index 1 or -1 and exactly the average progress, $y = 0$. So each has the loss $(\theta \cdot (\pm 1) - 0)^2 = \theta^2$. They vote for a level line. Left, ten real patients: the same line for both programs. In the middle, all patients, added up. Right, all patients, the mean.

# %% tags=["fold"] name="imagined"
# Real patients and imagined ones, with the line that both together ask for.
fig, axes = plots.panels(3, sharey=True)
fig.set_size_inches(10, 3.3)
scatter = np.random.default_rng(0)
for ax, n, ghosts in zip(axes, (10, 442, 442), (10, 10, 442), strict=True):
    x, y = index[orders[0][:n]], progress[orders[0][:n]]
    side = np.where(np.arange(ghosts) % 2, 1.0, -1.0)
    ax.plot(x, y, "o", ms=3.5, color="0.6", mew=0, label="real")
    ax.plot(side + scatter.normal(0, 0.05, ghosts), scatter.normal(0, 0.05, ghosts), "x",
            ms=5, color="#D55E00", label="imagined")
    everyone = np.r_[x, side], np.r_[y, 0 * side]
    rise = everyone[0] @ everyone[1] / (everyone[0] @ everyone[0])
    at = np.array([-2.3, 3.2])
    ax.plot(at, rise * at, color="#0072B2", lw=2, label="line through both")
    ax.set_title(f"{n} real, {ghosts} imagined: rise {rise:.2f}", fontsize=11)
    ax.set(xlabel="body mass index (sd)", xlim=(-2.4, 3.3), ylim=(-2.2, 3.2))
axes[0].set_ylabel("progress (sd)")
axes[0].legend(fontsize=8, loc="upper left")
assert abs(rise - second) < 0.01
plots.Picture(
    fig,
    alt="Three clouds of patients with crosses for imagined ones at index -1 and 1 on the level "
    "line. Ten real and ten imagined: a flat line. 442 real and ten imagined: a line along the "
    "cloud. 442 real and 442 imagined: a line half as steep.",
)

# %% [markdown] name="imagined-reading"
# In a sum they stay ten. In front of a mean, the factor 1 says: for each real patient an imagined one. **Their number grows with that of the real ones.** (The crosses are spread a little.)
#
# So a penalty says what its author believes before a real patient has come. We write that belief down.
#
# ## Formula
#
# The *data* are $N$ pairs $(x_n, y_n)$. The *model* says how a target comes about: $y = \theta x$ plus a normally distributed error with the variance $\sigma^2$. The *likelihood* is the probability density of the targets under the model. The patients count as independent, so it is a product:
#
# $$p(y \mid \theta) = \prod_{n=1}^{N} \frac{1}{\sqrt{2\pi\sigma^2}}\, e^{-(\theta x_n - y_n)^2 / 2\sigma^2}$$
#
# The **prior** is the distribution of the parameters in which we believe before we have seen the data. Ours: the rise is somewhere around 0, with the standard deviation $\tau$.
#
# $$p(\theta) = \frac{1}{\sqrt{2\pi\tau^2}}\, e^{-\theta^2 / 2\tau^2}$$
#
# Imagine that a rise is drawn from the prior, then targets from the model, a billion times. Keep only the draws whose targets are ours, to some decimals. The rises that are left have a distribution. This is the **posterior**, what we believe about the parameters after the data. A rise is kept as often as it is drawn *and* gives our targets, so the posterior is a product too (Bayes' rule):
#
# $$p(\theta \mid y) \;\propto\; p(y \mid \theta)\; p(\theta)$$
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $\sigma$ (sigma) | `sigma` | a number > 0 | standard deviation of the targets around the line |
# | $\tau$ (tau) | `tau` | a number > 0 | standard deviation of the prior: how large a rise we think possible |
# | $\propto$ | | | equal up to a factor that does not contain $\theta$ |
#
# ## Derivation
#
# We look for the $\theta$ with the largest posterior (*maximum a posteriori*, MAP). Minus its logarithm is smallest there, also when it is divided by $N$. Call this $F$:

# %% tags=["fold"] name="derive-nats"
# Derivation 1: minus the logarithm of likelihood times prior, and its slope.
theta = sp.Symbol("theta", real=True)
sigma, tau = sp.symbols("sigma tau", positive=True)
N, n = sp.symbols("N n", integer=True, positive=True)
x, y = sp.IndexedBase("x", real=True), sp.IndexedBase("y", real=True)
names = {"theta": theta, "sigma": sigma, "tau": tau, "N": N, "n": n, "x": x, "y": y}
wide = {sigma: (0.5, 2), tau: (0.3, 2)}

def belief(theta, tau, N):  # minus log of the prior, a share for each example
    return (theta**2 / tau**2 + np.log(2 * np.pi * tau**2)) / (2 * N)

def moved(theta, slope, weight_decay):  # how far the library's SGD goes at the learning rate 1
    rule, at = SGD(1.0, float(weight_decay)), np.array([theta])
    return (at - rule.update(at, np.array([slope]), rule.init(at))[0])[0]

def nats_step(theta, x, y, sigma, tau, N):
    slope = mean(gaussian_nll(theta * x, sigma**2, y)).grad.pred @ x
    return moved(theta, slope, 1 / (N * tau**2))

def nats(theta, x, y, sigma, tau, N):
    return mean(gaussian_nll(theta * x, sigma**2, y, full=True)).value + belief(theta, tau, N)

(
    derive("F",
           "-1/N * log(Product(exp(-(theta * x[n] - y[n])**2 / (2 * sigma**2))"
           " / sqrt(2 * pi * sigma**2), (n, 1, N))"
           " * exp(-theta**2 / (2 * tau**2)) / sqrt(2 * pi * tau**2))",
           "minus the logarithm of likelihood times prior", names, {N: (2, 3)}, ranges=wide,
           tex=r"-\frac1N \log \left( \prod_{n=1}^{N} \frac{e^{-(\theta x_n - y_n)^2 / 2\sigma^2}}"
           r"{\sqrt{2\pi\sigma^2}} \cdot \frac{e^{-\theta^2 / 2\tau^2}}{\sqrt{2\pi\tau^2}} \right)")
    .equals("1/N * Sum((theta * x[n] - y[n])**2 / (2 * sigma**2) + log(2 * pi * sigma**2) / 2,"
            " (n, 1, N)) + theta**2 / (2 * N * tau**2) + log(2 * pi * tau**2) / (2 * N)",
            "the logarithm of a product is a sum: **a mean of losses, one per example, and one "
            "prior for all of them**",
            tex=r"\frac1N \sum_{n=1}^{N} \Big( \frac{(\theta x_n - y_n)^2}{2\sigma^2} + "
            r"\frac12 \log 2\pi\sigma^2 \Big) + \frac{\theta^2}{2 N \tau^2} + "
            r"\frac{1}{2N} \log 2\pi\tau^2")
    .library("mean(gaussian_nll(theta * x, sigma**2, y, full=True)).value + share of the prior",
             nats, each=True)
    .slope(theta, "1/N * Sum((theta * x[n] - y[n]) / sigma**2 * x[n], (n, 1, N))"
           " + theta / (N * tau**2)", "chain rule",
           tex=r"\frac1N \sum_{n=1}^{N} \frac{\theta x_n - y_n}{\sigma^2}\, x_n + "
           r"\frac{\theta}{N \tau^2}")
    .library("SGD(1, weight_decay=1 / (N tau**2))", nats_step,
             "the library's step goes along this line", each=True)
)

# %% [markdown] name="nats-reading"
# **In the objective the prior is a penalty, divided by $N$.** Another noise model gives [another loss](../03_algorithms/07_probabilistic_regression.ipynb), another prior gives another penalty. The form stays, and it is that of [Model and objective](../02_concepts/01_model_and_objective.ipynb):
#
# $$J(\theta) = \frac1N \sum_{n=1}^{N} \ell_n + \lambda\, \Omega(\theta)$$
#
# Ours has $\Omega(\theta) = \theta^2$. Which factor $\lambda$ does our belief ask for?
#
# Multiply $F$ by $2\sigma^2$ and drop what does not contain $\theta$. The minimum stays where it is:

# %% tags=["fold"] name="derive-minimum"
# Derivation 2: the objective in squared errors, its slope, its minimum.
def objective(theta, x, y, sigma, tau, N):
    return mean(squared_error(theta * x, y)).value + sigma**2 / (N * tau**2) * theta**2

def step(theta, x, y, sigma, tau, N):
    slope = mean(squared_error(theta * x, y)).grad @ x
    return moved(theta, slope, 2 * sigma**2 / (N * tau**2))

(
    derive("J", "1/N * Sum((theta * x[n] - y[n])**2, (n, 1, N))"
           " + sigma**2 / (N * tau**2) * theta**2", "mean of squares, and the prior",
           names, {N: (2, 3)}, ranges=wide,
           tex=r"\frac1N \sum_{n=1}^{N} (\theta x_n - y_n)^2 + "
           r"\frac{\sigma^2}{N \tau^2}\, \theta^2")
    .library("mean(squared_error(theta * x, y)).value + sigma**2 / (N tau**2) theta**2",
             objective, each=True)
    .slope(theta, "2/N * Sum((theta * x[n] - y[n]) * x[n], (n, 1, N))"
           " + 2 * sigma**2 / (N * tau**2) * theta", "chain rule",
           tex=r"\frac2N \sum_{n=1}^{N} (\theta x_n - y_n)\, x_n + "
           r"\frac{2 \sigma^2}{N \tau^2}\, \theta")
    .library("SGD(1, weight_decay=2 sigma**2 / (N tau**2))", step,
             "the library's step goes along this line", each=True)
    .zero_at(theta, "Sum(x[n] * y[n], (n, 1, N)) / (Sum(x[n]**2, (n, 1, N)) + sigma**2 / tau**2)",
             r"**the prior counts as $\sigma^2 / \tau^2$ examples with $x = \pm 1$ and $y = 0$**",
             tex=r"\frac{\sum_n x_n y_n}{\sum_n x_n^2 + \sigma^2 / \tau^2}")
)

# %% [markdown] name="minimum-reading"
# Here are the imagined patients. Call their number $N_0$:
#
# $$N_0 = \frac{\sigma^2}{\tau^2} \qquad\qquad \lambda = \frac{N_0}{N}$$
#
# The narrower the prior, the more of them. In squared errors a belief is a *number of examples*, so it does not depend on $N$. The factor $\lambda$ in front of a mean does. Whoever keeps $\lambda$ and collects data changes the belief: $\lambda$ stands for $N_0 = \lambda N$ imagined examples, and for a prior of the width
#
# $$\tau = \frac{\sigma}{\sqrt{\lambda N}}$$
#
# **Ten times as many data, the same factor: you now claim to have been three times as sure before you saw any of them.** That is the second program: with $\lambda N$ imagined examples $N$ drops out of the minimum.
#
# $$\theta = \frac{\sum_n x_n y_n}{\sum_n x_n^2 + \lambda N} = \frac{\frac1N \sum_n x_n y_n}{\frac1N \sum_n x_n^2 + \lambda}$$
#
# The index is counted in standard deviations, so over all patients the mean of $x_n^2$ is 1. With $\lambda = 1$ that halves the rise.
#
# PyTorch adds `weight_decay` times $\theta$ to the gradient, and the slope of $\lambda \theta^2$ is $2 \lambda \theta$. So for the same belief:
#
# | mean of | $\lambda$, in front of $\theta^2$ | `weight_decay` of SGD |
# |---|---|---|
# | squared errors | $\sigma^2 / (N \tau^2)$ | $2 \sigma^2 / (N \tau^2)$ |
# | minus log-likelihoods in nats, as cross-entropy | $1 / (2 N \tau^2)$ | $1 / (N \tau^2)$ |
#
# $N$ counts the examples of the whole training set, not those of a batch. The mean over a batch estimates the mean over all examples.
#
# ## Play
#
# Belief, data, and both together. Each curve is scaled to the height 1. Left the prior stays (ten imagined patients). Right the factor stays (as many imagined patients as real ones). The grey line is the rise of all 442 without penalty; they also give $\sigma$. Let the patients arrive.

# %% tags=["fold"] name="play-picture"
# Prior, likelihood and posterior on a grid of rises, for the first N patients.
grid = np.linspace(-0.6, 1.2, 361)
noise = np.mean((truth * index - progress) ** 2)  # sigma squared
arrivals = np.unique(np.geomspace(5, 442, 24).astype(int)).tolist()
ordered = index[orders[0]], progress[orders[0]]

def curves(n, imagined):  # prior, likelihood, posterior; each with its largest value 1
    squares = ((grid[:, None] * ordered[0][:n] - ordered[1][:n]) ** 2).sum(axis=1)
    logs = [-imagined * grid**2 / (2 * noise), -squares / (2 * noise)]
    return [np.exp(log - log.max()) for log in (*logs, logs[0] + logs[1])]

fig, axes = plots.panels(2, sharey=True)
fig.set_size_inches(8.6, 3.4)
looks = (("prior", ":", "#D55E00"), ("likelihood", "--", "0.4"), ("posterior", "-", "#0072B2"))
for ax, title in zip(axes, ("belief kept", "factor kept"), strict=True):
    ax.axvline(truth, color="0.75", lw=1)
    ax.set(title=title, xlabel="rise (sd per sd)", ylim=(0, 1.25), xlim=(-0.6, 1.2))
    for name, dash, colour in looks:
        ax.plot([], [], dash, color=colour, label=name)
axes[0].set_ylabel("density, scaled to 1")
axes[0].legend(fontsize=8, loc="upper left", ncols=3)

def arrive(left, right, n):
    middles = []
    for ax, imagined in ((left, 10), (right, n)):
        drawn = curves(n, imagined)
        for curve, (_, dash, colour) in zip(drawn, looks, strict=True):
            ax.plot(grid, curve, dash, color=colour, lw=2)
        middles.append(grid[drawn[2].argmax()])
    return (f"{n} patients. Middle of the posterior: {middles[0]:.2f} with the belief kept "
            f"(10 imagined), {middles[1]:.2f} with the factor kept ({n} imagined).")

plots.moving(
    fig, "patients", arrivals, arrive, start=arrivals[13], play=True,
    alt="Two panels with a prior around 0, a likelihood around the rise of the data, and a "
    "posterior. Left the prior is wide, and likelihood and posterior nearly agree. Right the prior "
    "is as narrow as the likelihood, and the posterior stands half-way between both.",
)

# %% [markdown] name="play-reading"
# 1. Right: how does the width of the prior change from about 10 to about 40 patients?
# 2. Right: at the end, the posterior is narrow and far from both other curves. Which of the three should worry you?
#
# <details><summary>Answers</summary>
#
# 1. It halves. Its width is $\sigma / \sqrt{\lambda N}$, and $N$ is four times as large.
# 2. The prior. It became narrow although nobody's belief did. The posterior is certain of a rise that the data contradict.
#
# </details>
#
# ## Does it matter when many parameters are trained?
#
# The factor of a penalty is usually tuned by trial. If the best one stands for a belief about the task, then it must fall as $1/N$ when data come in.
#
# We try it on pictures of handwritten digits, with 640 weights: ten outputs, each a weighted sum of 64 pixels plus a base. The target is 1 for the right digit and 0 for the other nine, the loss of a picture is the sum of the ten squared errors. The penalty lies on the weights only.
#
# In each draw, 597 of the 1797 pictures are kept out and judge every factor. $N$ of the others train.

# %% tags=["fold"] name="factors"
# The mean loss over the 597 for each factor; 3 draws of the pictures for every seed.
pictures = load_digits()
pixels, label = pictures.data / 16, pictures.target
onehot, W = np.eye(10)[label], len(label)
tried = 10.0 ** np.arange(-3.75, 0.51, 0.125)

def scores(rows, over, steps=None):  # for each factor; after so many steps, or at the minimum
    middle, base = pixels[rows].mean(0), onehot[rows].mean(0)
    x, y = pixels[rows] - middle, onehot[rows] - base
    size, axes = np.linalg.eigh(x.T @ x / len(rows))
    pull = axes.T @ (x.T @ y) / len(rows)
    bend = size[:, None] + tried  # half the curvature along each axis, under each factor
    way = 1 if steps is None else 1 - (1 - 0.4 * bend) ** steps  # the share at the rate 0.2
    w = (pull[:, None] * (way / bend)[..., None]).reshape(64, -1)  # all factors
    a, t = (pixels[over] - middle) @ axes, onehot[over] - base
    linear = w * np.tile(a.T @ t / len(t), len(tried))
    parts = w * (a.T @ a / len(t) @ w) - 2 * linear  # the squares, multiplied out
    return np.sum(t**2) / len(t) + parts.sum(axis=0).reshape(-1, 10).sum(axis=1)

def held(rng, sizes, steps=None):
    order = rng.permutation(W)
    return [scores(order[:size], order[-597:], steps) for size in sizes]

sizes = [50, 100, 200, 400, 800, 1200]
draws = [(s, i) for s in setting.seeds for i in range(3)]
found = np.array([held(np.random.default_rng(draw), sizes) for draw in draws])
middle = found.mean(axis=0)  # (sizes, factors)
chosen = tried[middle.argmin(axis=1)]

# %% tags=["fold", "nbval-ignore-output"] name="factors-picture"
# Left the loss over the factor, right the best factor over N.
fig, (ax, over) = plots.panels(2)
fig.set_size_inches(9, 3.5)
plots.draw_lines(
    ax, tried, {f"N = {sizes[i]}": middle[i] for i in (0, 2, 5)}, "factor λ (log)",
    "mean loss over the 597 kept out", "Where is the best factor?", log="x",
)
for k, i in enumerate((0, 2, 5)):
    ax.plot(chosen[i], middle[i].min(), "o", ms=7, color=f"C{k}", mec="w")
ax.set_ylim(0.3, 0.8)
each = tried[found.argmin(axis=2)]  # (draws, sizes)
over.fill_between(sizes, each.min(axis=0), each.max(axis=0), color="C0", alpha=0.2, lw=0)
over.plot(sizes, chosen, "o-", color="C0", label="best factor (band: all draws)")
over.plot(sizes, chosen[0] * 50 / np.array(sizes), "--", color="C1",
          label="best at N = 50, then as 1/N")
over.set(xscale="log", yscale="log", xlabel="training pictures N (log)", ylabel="factor λ (log)",
         title="The best factor", xticks=sizes, xticklabels=sizes)
over.minorticks_off()
over.set(yticks=[0.003, 0.01, 0.03, 0.1], yticklabels=[0.003, 0.01, 0.03, 0.1])
over.legend(fontsize=8)
plots.Picture(
    fig,
    alt="Left: three curves of the mean loss over the factor, each falls and rises again. With "
    "more pictures the curve lies lower and its lowest point further to the left. Right: the best "
    "factor over N on logarithmic axes falls along a straight line that was drawn from its first "
    "point with the slope of one over N.",
)

# %% tags=["fold", "nbval-ignore-output"] name="factors-numbers"
# What a kept factor costs, and one that is carried over as 1/N.
def cost(i, lam):  # in percent of the lowest loss
    return 100 * (middle[i][abs(np.log(tried / lam)).argmin()] / middle[i].min() - 1)

kept = [cost(i, chosen[0]) for i in range(6)]
carried = [cost(i, chosen[0] * 50 / size) for i, size in enumerate(sizes)]
bare = [cost(i, tried[0]) for i in range(6)]
slope = np.polyfit(np.log(sizes), np.log(chosen), 1)[0]
assert -1.5 < slope < -0.6 and kept[5] > 8 and max(carried) < 3
assert bare[0] > 120 and bare[5] < 0.5 * kept[5]
Table(
    ["N", "best λ", "imagined examples λN", "cost of keeping λ", "cost of λ as 1/N",
     f"cost of λ = {tried[0]:.4f}"],
    [[size, f"{lam:.4f}", f"{lam * size:.1f}", f"{a:.0f} %", f"{b:.1f} %", f"{c:.0f} %"]
     for size, lam, a, b, c in zip(sizes, chosen, kept, carried, bare, strict=True)],
    f"Means over {len(draws)} draws. Slope of the best λ on logarithmic axes: {slope:.2f}.",
)

# %% [markdown] name="factors-reading"
# The dashed line was drawn from the 50 pictures alone. The best factors follow it up to 1200. The belief stays the same: about three imagined pictures for each of the 64 pixels. (In each of them one pixel is 1 above or below its mean, all else is average.) **Keep the factor of 50 pictures, and with 1200 the loss is 14 % above what it could be. Carry it over as $1/N$, and here there is nothing to tune again.** The last column has hardly any penalty. With 50 pictures the loss more than doubles. With 1200 it is far better than the factor of 50: so many data need no belief.
#
# ## Four risks
#
# The 597 pictures stood in for something that nobody has. The **population** is everything that the model may ever be asked about. A **risk** is a mean loss over some collection of examples. There are several, and all are called "the loss":
#
# | risk | mean over | use |
# |---|---|---|
# | training (or empirical) risk $R_{\text{train}}(\theta)$ | the training examples: the first term of the objective | is made small |
# | validation risk | other examples, kept aside | chooses between models |
# | test risk | others again | is reported |
# | population risk $R(\theta)$ | the population | is what we want, and nobody knows it |
#
# The **test part** is a set of examples that is looked at once, at the end, and chooses nothing.
#
# How good are the stand-ins? Let our 1797 pictures be the whole world, from which all others are drawn, with replacement. In this world we can compute even the last risk. The models are small networks: 40 hidden units with random weights that stay, and ten outputs that are fitted by squared error. A hundred hidden layers are drawn, and each serves ten networks. Each of these 1000 networks draws its own 100 training pictures, and 100 more for validation.

# %% tags=["fold"] name="networks"
# 100 random hidden layers, and the output layers that minimise the objective with λ = 0.001.
def layers(rng, units=40):
    weights, bias = rng.normal(size=(100, 64, units)) / 8, 0.3 * rng.normal(size=(100, 1, units))
    active = np.maximum((pixels - pixels.mean(0)) @ weights + bias, 0)
    return np.concatenate([active, np.ones((100, W, 1))], axis=2)  # (networks, pictures, units + 1)

def fit(hidden, rows):  # rows: (100, N), for each network its pictures
    x = np.take_along_axis(hidden, rows[..., None], 1)
    squares = x.mT @ x / rows.shape[1] + 0.001 * np.eye(x.shape[2])
    return np.linalg.solve(squares, x.mT @ onehot[rows] / rows.shape[1])

def means(table, rows):
    return np.take_along_axis(table, rows, 1).mean(axis=1)

hidden = layers(np.random.default_rng(seed))

# %% name="three-risks"
def three_risks(rng, N=100):
    train, aside = rng.integers(W, size=(2, 100, N))  # 100 networks, N pictures for each
    outputs = hidden @ fit(hidden, train)
    losses = ((outputs - onehot) ** 2).sum(axis=2)  # (networks, all pictures)
    return means(losses, train), means(losses, aside), losses.mean(axis=1)

# %% tags=["fold", "nbval-ignore-output"] name="risks-picture"
# 1000 networks.
rounds = [np.random.default_rng([s, i, 1]) for s in setting.seeds for i in range(2)]
risks = np.concatenate([three_risks(rng) for rng in rounds], axis=1)
picture = plots.histogram(
    dict(zip(("training risk", "validation risk", "population risk"), risks, strict=True)),
    "mean loss per picture",
    "Three outlines. The training risks of 1000 networks lie between 0.15 and 0.35. The population "
    "risks lie between 0.45 and 0.65. The validation risks have the same middle as the population "
    "risks and spread more.",
    title="Three risks of the same 1000 networks",
)
picture.fig.set_size_inches(6.4, 3.2)
picture

# %% tags=["fold", "nbval-ignore-output"] name="risks-numbers"
# Their means, and how far a single validation risk is off.
training, validation, whole = risks
off = validation - whole
print("means: training {:.3f}, validation {:.3f}, population {:.3f}".format(*risks.mean(axis=1)))
print(f"validation less population: {off.mean():+.4f} on average, sd {off.std():.3f}")
below = np.greater(whole, training).mean()
assert below > 0.75 and abs(off.mean()) < 0.2 * off.std()
assert training.mean() < 0.7 * whole.mean()

# %% [markdown] name="risks-reading"
# The training risk is less than half of the population risk. A validation risk is right on average, and off by some 0.04 in a single case. Why is one too low and the other not?
#
# Let $\hat\theta$ be what training finds on its examples, and $\theta^*$ the best parameters for the population. The training examples are random, so take the mean $\mathbb E$ over their draws:
#
# $$\mathbb E\big[R_{\text{train}}(\hat\theta)\big] \;\le\; \mathbb E\big[R_{\text{train}}(\theta^*)\big] \;=\; R(\theta^*) \;\le\; \mathbb E\big[R(\hat\theta)\big]$$
#
# - First step: $\hat\theta$ minimises the training risk, so no other parameters have a lower one.
# - Second: $\theta^*$ does not depend on the draw. The mean loss of a *fixed* model over random examples is right on average.
# - Third: $\theta^*$ minimises the population risk.
#
# With a penalty, read "risk plus penalty" in every place. The penalty of $\hat\theta$ then stands on both ends and cancels.
#
# So the training risk is too low **because it was minimised**: for a model that was not fitted to them, the training examples are as good as any others. Nothing in the argument is special to training. That is the next trap.
#
# ## What breaks
#
# Someone trains 100 networks with 100 seeds on the same 100 pictures, and takes the one with the fewest errors on 100 validation pictures. A hundred tries are soon made: rates, seeds, penalties, prompts. Which error does one report? Here the contest is held 100 times, with other pictures and the same hundred hidden layers:

# %% name="contest"
def contest(rng):
    train, aside = rng.integers(W, size=(2, 100))  # the same for all 100 networks
    test = rng.integers(W, size=400)
    outputs = fit(hidden, np.tile(train, (100, 1)))

    def wrong(rows, networks=slice(None)):  # the share of wrong answers
        guess = (hidden[networks][..., rows, :] @ outputs[networks]).argmax(axis=-1)
        return (guess != label[rows]).mean(axis=-1)

    winner = wrong(aside).argmin()
    return [wrong(r, winner) for r in (aside, test, np.arange(W))] + [wrong(test).mean()]

# %% tags=["fold", "nbval-ignore-output"] name="contest-picture"
# The winner's three shares of wrong pictures.
games = [np.random.default_rng([s, i, 2]) for s in setting.seeds for i in range(20)]
results = 100 * np.array([contest(rng) for rng in games]).T
claimed, tested, true, average = results
picture = plots.histogram(
    {"on the 100 it was chosen by": claimed, "on 400 test pictures": tested,
     "on the population": true},
    "wrong pictures of the winner (%)",
    "Three outlines over 100 contests. The winner's errors on the validation pictures lie around "
    "12 percent. Its errors on the test pictures and on the population both lie around 19 "
    "percent, those on the test pictures with a little more spread.",
    title="100 contests of 100 networks", bins=np.arange(2.5, 35, 2),
)
picture.fig.axes[0].set_ylim(0, 45)
picture.fig.set_size_inches(6.4, 3.2)
picture

# %% tags=["fold", "nbval-ignore-output"] name="contest-numbers"
# The means over the contests.
print(f"winner: claimed {claimed.mean():.1f} %, test {tested.mean():.1f} %, "
      f"population {true.mean():.1f} %; the average network: {average.mean():.1f} %")
low = np.greater(true, claimed).mean()
print(f"the claim is too low in {low:.0%} of the contests")
assert low > 0.75 and true.mean() - claimed.mean() > 3.5
assert abs(tested.mean() - true.mean()) < 1.5 and average.mean() - true.mean() > 1

# %% [markdown] name="exercises"
# Choosing helped: the winner is better than the average network. But its validation errors flatter it. **The signature: the result is best where it was chosen, and falls back on new examples.** The chain above says why, with "the best of 100" in the place of $\hat\theta$: choosing is minimising, and what was minimised is too low on average. The cure is a test part that chose nothing: its mean agrees with the population's.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. Carry a belief over (5 minutes, easy)
# On `N` examples the best `weight_decay` of SGD was `w`, for a mean cross-entropy in nats. Which $\tau$ does it stand for, and which `weight_decay` means the same belief for `M` examples?

# %% name="exercise-carry"
def carry(w, N, M):
    ### BEGIN SOLUTION
    return 1 / np.sqrt(w * N), w * N / M
    ### END SOLUTION

# %% name="check-carry"
check("carry")

# %% [markdown] name="exercise-objective-text"
# <details><summary>Hint 1</summary>The second row of the table of factors, read from right to left.</details>
# <details><summary>Hint 2</summary>The product of weight_decay and the number of examples must stay.</details>
#
# ### 2. The objective itself (10 minutes, medium)
# A classifier with the logits `x @ theta`, labels `y` (0 or 1, as floats), and for each parameter a normal prior around 0 with the standard deviation `tau`. Return $-\frac1N \log \big(p(y \mid \theta)\, p(\theta)\big)$ without the terms that do not contain $\theta$, and its gradient. `binary_cross_entropy(logits, y)` gives you `.value` and `.grad`, one number per example.

# %% name="exercise-objective"
def minus_log_posterior(theta, x, y, tau):
    ### BEGIN SOLUTION
    N, loss = len(y), binary_cross_entropy(x @ theta, y)
    value = loss.value.mean() + theta @ theta / (2 * N * tau**2)
    return value, x.T @ loss.grad / N + theta / (N * tau**2)
    ### END SOLUTION

# %% name="check-objective"
check("minus_log_posterior")

# %% [markdown] name="exercise-coins-text"
# <details><summary>Hint 1</summary>Derivation 1, with cross-entropy in the place of the first sum. Many parameters: their squares add up.</details>
# <details><summary>Hint 2</summary>The slope of a logit by theta is the row of x. Each example's slope multiplies its row; then the mean.</details>
#
# ### 3. A hundred coins (12 minutes, hard)
# `K` models answer yes or no by a coin that is wrong with probability `p`. None is better than another. Each is judged on `n` pictures of its own. Which share of wrong answers does the best of them show, on average? No simulation is needed: SciPy's `binom.sf(j, n, p)` is the probability that a coin is wrong *more than* `j` times in `n`.

# %% name="exercise-coins"
def best_of(K, n, p):
    ### BEGIN SOLUTION
    more = binom.sf(np.arange(n), n, p)  # more than 0 times, ..., more than n - 1 times
    return np.sum(more**K) / n
    ### END SOLUTION

# %% name="check-coins"
check("best_of")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>When is the smallest of K counts larger than j? All of them must be.</details>
# <details><summary>Hint 2</summary>The mean of a count is the sum of the probabilities that it is larger than 0, than 1, ..., than n - 1.</details>
# <details><summary>What it means (after solving)</summary>Compute <code>best_of(100, 100, 0.5)</code>: the best of 100 coins is wrong on 37.5 of 100 pictures on average, and it is a coin.</details>
#
# ## Takeaways
#
# - Minus the logarithm of likelihood times prior, divided by $N$, is an objective: a mean of losses and a penalty. The prior does not grow with the data, so in front of a mean its factor is divided by $N$.
# - A mean that was minimised is too low on average, whether training minimised it or your choice among tries. Report a mean that chose nothing.
# - Do not read a penalty as a belief where training stops early: the stop keeps parameters small too (below). The decay of [AdamW](../03_algorithms/13_adamw.ipynb) is no penalty, so it is no belief either.
#
# ## Does it hold?
#
# **The same pictures chose and judged.** The 597 pictures chose the best factors and also judged them: our own trap. Now half of them choose, and the other half judges:

# %% tags=["fold", "nbval-ignore-output"] name="control-halves"
# The draws of the main experiment; the costs with 1200 pictures.
cut = [np.random.default_rng(draw).permutation(W) for draw in draws]
halves = np.mean([[[scores(o[:size], o[-597:][k::2]) for k in (0, 1)] for size in (50, 1200)]
                  for o in cut], axis=0)  # (sizes, halves, factors)
at_50, at_1200 = halves[:, 0].argmin(axis=1)
as_share = abs(np.log(tried / (tried[at_50] * 50 / 1200))).argmin()
ours, carried_over, left = halves[1, 1, [at_1200, as_share, at_50]]
print(f"losses with 1200 pictures: chosen λ {ours:.3f}, λ as 1/N {carried_over:.3f}, "
      f"λ kept {left:.3f} ({100 * (left / ours - 1):+.0f} %)")
assert left / ours - 1 > 0.08 and carried_over / ours - 1 < 0.03

# %% [markdown] name="control-halves-text"
# The costs hardly change. Few factors were tried, and neighbours give nearly the same loss, so choosing flatters little.
#
# **Cross-entropy on tumours.** Logistic regression, 30 measurements, minus the log-likelihood in nats. The best factor by the loss on 169 tumours that are never trained on:

# %% tags=["fold", "nbval-ignore-output"] name="control-cancer"
# Newton's method for all factors at once; the mean over draws.
tumours = load_breast_cancer()
cells, benign = (tumours.data - tumours.data.mean(0)) / tumours.data.std(0), tumours.target
cells, wide_range = np.c_[cells, np.ones(569)], 10.0 ** np.arange(-4, -1.2, 0.1)
price = np.r_[np.ones(30), 0.0]  # the base is free

def logistic(rows, steps=25):
    x, w = cells[rows], np.zeros((len(wide_range), 31))
    for _ in range(steps):
        p = 1 / (1 + np.exp(-(w @ x.T)))
        g = (p - benign[rows]) @ x / len(rows) + 2 * wide_range[:, None] * price * w
        h = x.T @ ((p * (1 - p))[..., None] * x) / len(rows)
        h += (2 * wide_range[:, None] * price + 1e-9)[:, None] * np.eye(31)
        w = w - np.linalg.solve(h, g[..., None])[..., 0]
    return w

def judged(rng, sizes):
    order = rng.permutation(569)
    z = [logistic(order[:size]) @ cells[order[-169:]].T for size in sizes]
    return [(np.logaddexp(0, a) - benign[order[-169:]] * a).mean(axis=1) for a in z]

few = [25, 50, 100, 200, 400]
table = np.mean([judged(np.random.default_rng([s, i, 3]), few)
                 for s in setting.seeds for i in range(6)], axis=0)
lows = wide_range[table.argmin(axis=1)]
slope = np.polyfit(np.log(few), np.log(lows), 1)[0]

def at_factor(row, lam):
    return row[abs(np.log(wide_range / lam)).argmin()]

rows = [[size, f"{lam:.4f}", f"{lam * size:.2f}", row.min(), at_factor(row, lows[0]),
         at_factor(row, lows[0] * 25 / size)]
        for size, lam, row in zip(few, lows, table, strict=True)]
assert slope < -0.35 and 400 * lows[4] > 25 * lows[0]
assert rows[4][4] / rows[4][3] - 1 > 0.05 and rows[4][4] - rows[4][5] > 0
Table(["N", "best λ", "λN", "loss", "at the λ of N = 25", "at that λ as 1/N"],
      [[*row[:3], *(f"{loss:.3f}" for loss in row[3:])] for row in rows],
      f"Means over {6 * len(setting.seeds)} draws, factors by steps of 1.26. "
      f"Slope of the best λ on logarithmic axes: {slope:.1f}.")

# %% [markdown] name="control-cancer-text"
# The best factor falls here too, more slowly than $1/N$. The $1/N$ follows from the prior; that *this* prior describes the task is an assumption. It fits the digits, and the tumours in part. With 400 tumours, keeping the factor costs more than carrying it over as $1/N$.
#
# **Training that stops early.** The digits again, by gradient descent from zero at the rate 0.2. $\lambda N$ of the best factor:

# %% tags=["fold", "nbval-ignore-output"] name="control-early"
# The same experiment, stopped after some steps.
few, early = [50, 200, 800], {}
for steps in (30, 100, 1000, None):
    mean_loss = np.mean([held(np.random.default_rng([s, i, 4]), few, steps)
                         for s in setting.seeds for i in range(2)], axis=0)
    early[steps] = mean_loss.argmin(axis=1)
assert early[100][2] < 6 and early[1000][2] > 6 and early[None][2] > 6
Table(["stopped after", *(f"N = {size}" for size in few)],
      [[f"{steps} steps" if steps else "the minimum",
        *(f"{tried[k] * size:.1f}" if k else "none" for size, k in zip(few, lows, strict=True))]
       for steps, lows in early.items()],
      f"None: the smallest factor tried, {tried[0]:.4f}, was the best.")

# %% [markdown] name="control-early-text"
# After 1000 steps the best penalties stand for the belief of the minimum. After 100 steps they do not: 800 pictures want no penalty at all. The early stop has done its work.
#
# **Other numbers of tries, other validation sets.** By how many percentage points the claim is too low:

# %% tags=["fold", "nbval-ignore-output"] name="control-tries"
# Mean over 10 trainings of the 100 networks, each with 20 draws of every validation set.
gaps = []
for rng in (np.random.default_rng([s, i, 5]) for s in setting.seeds for i in range(2)):
    outputs = fit(hidden, np.tile(rng.integers(W, size=100), (100, 1)))
    wrong = (hidden @ outputs).argmax(axis=2) != label
    everywhere = wrong.mean(axis=1)

    def gap(tries, n_aside, rng=rng, wrong=wrong, everywhere=everywhere):
        claims = wrong[:tries, rng.integers(W, size=n_aside)].mean(axis=1)
        return 100 * (everywhere[claims.argmin()] - claims.min())

    gaps.append([[np.mean([gap(tries, n) for _ in range(20)]) for n in (50, 100, 400)]
                 for tries in (1, 10, 100)])
gaps = np.mean(gaps, axis=0)
assert gaps[2, 0] - gaps[2, 1] > 0.5 < gaps[2, 1] - gaps[2, 2]
assert gaps[2, 1] - gaps[1, 1] > 0.3
rows = [[tries, *(f"{gap:.1f}" for gap in row)]
        for tries, row in zip((1, 10, 100), gaps, strict=True)]
Table(["tries", "50 validation pictures", "100", "400"], rows)

# %% [markdown] name="control-gap-text"
# A single try is right on average. The more tries, the lower the claim; the more validation pictures, the nearer to the truth.
#
# **More training pictures.** The gap between training and population risk, for the same networks:

# %% tags=["fold", "nbval-ignore-output"] name="control-gap"
# The means over 100 networks.
rows = []
for size in (100, 200, 400):
    risk = np.mean(three_risks(np.random.default_rng([seed, size]), size), axis=1)
    rows.append([size, f"{risk[0]:.3f}", f"{risk[2]:.3f}", f"{risk[2] - risk[0]:.3f}"])
    rows[-1].append(f"{size * (risk[2] - risk[0]):.0f}")
    assert risk[2] - risk[0] > 0.02
Table(["N", "training risk", "population risk", "gap", "N times the gap"], rows)

# %% [markdown] name="sources"
# $N$ times the gap hardly changes: here the gap falls nearly as $1/N$, and keeps its sign.
#
# ## Sources
#
# - T. Bayes, 1763: *An essay towards solving a problem in the doctrine of chances*, Philosophical Transactions.
# - A. Hoerl and R. Kennard, 1970: *Ridge regression: biased estimation for nonorthogonal problems*, Technometrics (the penalty on squares).
# - D. MacKay, 1992: *Bayesian interpolation*, Neural Computation (the factor of a penalty as a belief that the data can judge).
# - V. Vapnik, 1991: *Principles of risk minimization for learning theory*, NIPS (empirical and population risk).
# - G. Cawley and N. Talbot, 2010: *On over-fitting in model selection and subsequent selection bias in performance evaluation*, JMLR (what breaks).
# - Patients: B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, 2004: *Least angle regression*, Annals of Statistics. Digits and tumours: UCI Machine Learning Repository, CC BY 4.0. All come with scikit-learn (BSD licence).
