# ---
# jupyter:
#   lesson:
#     title: "The auto-encoder and its reduction"
#     question: "Sum or mean over the pixels: Adam cannot tell them apart. Until when?"
#     minutes: 25
#     needs: [02_concepts/04_how_the_two_interact, 03_algorithms/04_adam, 03_algorithms/13_adamw, 03_algorithms/30_mean_sum_or_half]
#     settles: []
#     studies: [losses.squared_error, optim.Adam]
#     terms: [auto-encoder, code, principal directions]
# ---

# %% [markdown] name="title"
# # The auto-encoder and its reduction
#
# **Goal.** Know what changes when the squared error of a picture is averaged over its pixels and not added up.
#
# **The question.** A network cleans noisy digits, 8 x 8 pixels each. Four people train it with Adam at the same rate. Two of them add up the squared errors of the pixels, two average them. In each pair, one also adds a penalty on the weights: Adam's `weight_decay`, 0.05 in both pairs.

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
from sklearn.datasets import load_digits

from lessons_lib import bridge, exercises, plots
from lessons_lib.derive import derive
from lessons_lib.losses import squared_error
from lessons_lib.optim import SGD, Adam, AdamW, Each, descend
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("04_mathematics/10_the_auto_encoder")

# %% tags=["fold"] name="data"
# The digits, brightness from 0 to 1, without their mean; for every seed another split and start.
P, K, noise = 64, 16, 0.25  # pixels, numbers in the code, standard deviation of the noise
pictures, digit = load_digits(return_X_y=True)
draws = [np.random.default_rng(s) for s in setting.seeds]
orders = np.stack([r.permutation(len(pictures)) for r in draws])
shuffled = pictures[orders] / 16
shown = [int(np.argmax(digit[orders[0]] == d)) for d in range(8)]  # the first 0, the first 1, ...
middle = shuffled[:, 539:].mean(1, keepdims=True)
test, train_set = np.split(shuffled - middle, [539], axis=1)  # (seeds, pictures, 64)
spoiled = test + np.stack([r.normal(0, noise, (539, P)) for r in draws])
start = {
    "W": np.stack([r.normal(0, 1 / 8, (P, K)) for r in draws]),
    "V": np.stack([r.normal(0, 1 / 4, (K, P)) for r in draws]),
}

def batches(B=64):
    rng = np.random.default_rng(seed)
    while True:
        rows = rng.integers(0, train_set.shape[1], (len(train_set), B, 1))
        clean = np.take_along_axis(train_set, rows, 1)
        yield clean, clean + rng.normal(0, noise, clean.shape)

def train(rule, scale, steps=400):  # the networks of all seeds, after the last step
    supply = batches()
    with np.errstate(over="ignore", invalid="ignore"):
        return descend(start, Each(rule), lambda theta: slopes(theta, *next(supply), scale), steps)

def cleaned(theta):
    return spoiled @ theta["W"] @ theta["V"]

def error(output):  # squared error of a test picture, summed over its pixels: one number per seed
    with np.errstate(over="ignore", invalid="ignore"):
        return ((output - test) ** 2).sum(-1).mean(-1)

def spread(values):
    return f"{np.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"

# %% [markdown] name="network-text"
# The network is two matrices. `W` makes 16 numbers (`code`) of the 64 pixels, `V` makes 64 pixels of the 16 numbers. This is the gradient that all four hand to Adam. `scale` is 1 for the sum over the pixels, and 1/64 for the mean.

# %% name="network"
def slopes(theta, clean, noisy, scale):
    code = noisy @ theta["W"]
    push = scale * squared_error(code @ theta["V"], clean).grad / clean.shape[-2]
    return {"W": noisy.mT @ (push @ theta["V"].mT), "V": code.mT @ push}

# %% tags=["fold"] name="question-picture"
# Four trainings with Adam, and what they make of eight noisy test pictures.
adam = {
    "sum": train(Adam(0.01), 1.0)[-1],
    "mean": train(Adam(0.01), 1 / P)[-1],
    "sum, penalty": train(Adam(0.01, weight_decay=0.05), 1.0)[-1],
    "mean, penalty": train(Adam(0.01, weight_decay=0.05), 1 / P)[-1],
}

def strip(rows):  # rows of flat pictures as one array
    frames = [[np.pad((p + middle[0, 0]).reshape(8, 8), 1) for p in row] for row in rows]
    return np.block(frames)

def draw_strip(ax, rows, names):
    ax.imshow(strip(rows), cmap="gray_r", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=np.arange(len(rows)) * 10 + 4.5, yticklabels=names)
    ax.grid(False)

outputs = {name: cleaned(theta) for name, theta in adam.items()}
fig, (ax,) = plots.panels()
fig.set_size_inches(6.6, 4.9)
stacks = {"true": test, "noisy": spoiled, **outputs}
draw_strip(ax, [stack[0, shown] for stack in stacks.values()], list(stacks))
ax.set(xlabel="eight test pictures", title="Adam at the rate 0.01, 400 steps")
plots.Picture(
    fig,
    alt="Six rows of eight digits: true, noisy, and four cleaned versions. The rows sum and mean "
    "are equal and readable, and so is the sum with a penalty. In the row of the mean with a "
    "penalty all eight pictures are the same grey blob.",
)

# %% tags=["fold"] name="question-numbers"
# The errors, and how far the outputs of the first two are apart.
print(f"squared error of a test picture: median (range) of {len(setting.seeds)} seeds")
for name, output in {**outputs, "mean picture": 0 * test, "noisy picture": spoiled}.items():
    print(f"{name:14} {spread(error(output))}")
apart = abs(outputs["sum"] - outputs["mean"]).max()
print(f"sum and mean without a penalty: no pixel differs by more than {apart:.0e}")
assert apart < 0.002 and abs(outputs["mean, penalty"]).max() < 1e-6
assert max(error(outputs["sum, penalty"])) < 0.45 * min(error(outputs["mean, penalty"]))
assert min(error(0 * test) - error(spoiled)) > 0.4

# %% [markdown] name="idea"
# Without the penalty Adam cannot tell the sum from the mean. With it, the mean makes *the same picture of every digit*: the mean of all training pictures. Its error is even larger than that of the noisy pictures. What went wrong?
#
# ## The idea, drawn
#
# An **auto-encoder** is a network that must repeat its input through a narrow place. The few numbers in the narrow place are the **code**. Ours is a *denoising* one: noise is added to the input, and the target is the picture without noise.

# %% tags=["fold"] name="flow"
# One digit on its way through the trained network.
k = shown[5]
stages = test[0, k], spoiled[0, k], spoiled[0, k] @ adam["sum"]["W"][0], outputs["sum"][0, k]
squares = (stages[3] - stages[0]) ** 2
fig, axes = plots.panels(5)
fig.set_size_inches(9.2, 2.3)
names = ["true picture", "noisy", "code = noisy · W", "output = code · V", "squared errors"]
for ax, name, stage in zip(axes, names, (*stages, squares), strict=True):
    if len(stage) == K:
        ax.bar(range(1, K + 1), stage)
        ax.set(xlabel="number", ylabel="value", xticks=[1, 8, 16])
    else:
        picture = stage if name == names[-1] else stage + middle[0, 0]
        ax.imshow(picture.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        ax.grid(False)
        ax.set(xticks=[], yticks=[])
    ax.set_title(name, fontsize=10)
axes[-1].set_xlabel(f"sum {squares.sum():.2f}, mean {squares.mean():.3f}")
plots.Picture(
    fig,
    alt="Five panels: a digit; the same with noise; a bar chart of its code, 16 numbers of both "
    "signs; the cleaned output, close to the digit; the 64 squared errors, nearly all pale, "
    "with their sum and their mean.",
)

# %% [markdown] name="formula"
# The same 64 errors give two numbers: their sum, and their mean, 64 times smaller.
#
# ## Formula
#
# The network only multiplies and adds: it is *linear*. So we can compute where its training ends. The mean $\bar x$ of the training pictures is taken off at the input and put back at the output:
#
# $$\hat x = \bar x + (\tilde x - \bar x)\, W\, V$$
#
# For $N$ pictures of $P$ pixels there are two ways to make one number of the errors. The mean over the pixels is PyTorch's default:
#
# $$J_\text{sum} = \frac1N \sum_{n=1}^{N} \sum_{i=1}^{P} (\hat x_{ni} - x_{ni})^2 \qquad\qquad J_\text{mean} = \frac1P\, J_\text{sum}$$
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $x$, $\tilde x$, $\hat x$ | `clean`, `noisy`, `code @ V` | `(N, 64)` | true picture, noisy picture, output; in the program each without $\bar x$ |
# | $W$, $V$ | `W`, `V` | `(64, 16)`, `(16, 64)` | the weights before and after the code |
# | $P$ | `P` | a number | pixels of a picture, 64 |
# | $\lambda$ | `weight_decay` | a number | strength of the penalty $\frac\lambda2 \theta^2$ for every weight $\theta$ |
#
# ## Derivation
#
# ### What one weight sees
#
# One weight $\theta$ adds $\theta a_i$ to pixel $i$ of the output. Let $r_i$ be the true pixel minus all that the other weights add there. Take the sum over the pixels, with a penalty:

# %% tags=["fold"] name="derive-factor"
# Derivation 1: the slope of the sum with a penalty.
a, r = (sp.IndexedBase(name, real=True) for name in "ar")
theta, g = sp.symbols("theta g", real=True)
eta, lam, eps, s, sigma = sp.symbols("eta lambda epsilon s sigma", positive=True)
i, P_ = sp.symbols("i P", integer=True, positive=True)
names = {"theta": theta, "lam": lam, "a": a, "r": r, "i": i, "P": P_}

def column(theta):
    return np.asarray(theta)[:, None]

(
    derive(r"J", "Sum((theta*a[i] - r[i])**2, (i, 1, P)) + lam/2 * theta**2",
           "the squared errors, and the penalty", names, {P_: (2, 3)})
    .library("squared_error(theta * a, r).value, summed",
             lambda theta, a, r, lam:
             squared_error(column(theta) * a, r).value.sum(1) + lam / 2 * theta**2)
    .slope(theta, "Sum(2*(theta*a[i] - r[i])*a[i], (i, 1, P)) + lam*theta",
           "the chain rule in every pixel")
    .library("squared_error(theta * a, r).grad * a, summed",
             lambda theta, a, r, lam:
             (squared_error(column(theta) * a, r).grad * a).sum(1) + lam * theta)
    .equals("P * (1/P * Sum(2*(theta*a[i] - r[i])*a[i], (i, 1, P)) + lam/P * theta)",
            r"**$P$ times the slope of the mean with the penalty $\lambda / P$**")
)

# %% [markdown] name="sgd-text"
# Take the last line, first with $\lambda = 0$: the slope is $P$ times as large, and nothing else changes. SGD steps 64 times as far, as [Mean, sum or half](../03_algorithms/30_mean_sum_or_half.ipynb) derived for a sum over examples. Adam divides the factor out, up to $\epsilon$ ([How loss and optimizer interact](../02_concepts/04_how_the_two_interact.ipynb)). Both show in the error after 100 steps, at every rate:

# %% tags=["fold"] name="rates"
# SGD and Adam, sum and mean, rates by factors of 4.
def over_rates(kind, powers):
    return {name: np.array([error(cleaned(train(kind(4.0**p), scale, 100)[-1])) for p in powers])
            for name, scale in (("sum over the pixels", 1.0), ("mean over the pixels", 1 / P))}

ranges = {"SGD": (SGD, np.arange(-4, 4)), "Adam": (Adam, np.arange(-6, 0))}
found = {name: over_rates(*how) for name, how in ranges.items()}
fig, axes = plots.panels(2, sharey=True)
for ax, name in zip(axes, found, strict=True):
    powers, curves = ranges[name][1], {}
    for label, values in found[name].items():
        values = np.where(np.isfinite(values) & (values < 1e3), values, 1e3)
        curves[label] = plots.band(values, axis=1)
    plots.draw_lines(ax, 4.0**powers, curves, "learning rate (log)",
                     "squared error of a picture (log)", name, "xy")
    ax.set(ylim=(0.8, 40))
    ax.legend(loc="lower left")
plots.Picture(
    fig,
    alt="Two panels: squared error after 100 steps over the learning rate. Left, SGD: two equal "
    "curves, the one of the mean shifted to the right by a factor of 64; each falls and then "
    "shoots up. Right, Adam: the two curves lie on each other and are lowest near 0.016.",
)

# %% tags=["fold"] name="rates-numbers"
# SGD at the rate 16: on the mean, on the sum, and on the sum at a 64th of the rate.
ends = {}
for name, lr, scale in (("mean", 16.0, 1 / P), ("sum", 16.0, 1.0), ("sum, rate / 64", 0.25, 1.0)):
    trail = train(SGD(lr), scale, 100)
    sizes = np.array([abs(theta["V"]).max() for theta in trail])
    lost = int(np.argmax(~(sizes < 1e3)))  # the first step with a weight beyond 1000, or 0
    ends[name] = cleaned(trail[-1]) if not lost else None
    print(f"SGD, {name:15}" + (f"diverged: a weight is beyond 1000 in step {lost}" if lost else
                               f"squared error {spread(error(ends[name]))}"))
same = abs(ends["mean"] - ends["sum, rate / 64"]).max()
print(f"first and last: largest difference of a pixel {same:.1g}")
assert ends["sum"] is None and same < 1e-8 and max(error(ends["mean"])) < 2.5
assert abs(found["Adam"]["sum over the pixels"] / found["Adam"]["mean over the pixels"] - 1
           ).max() < 0.05

# %% [markdown] name="sgd-reading"
# SGD's curves are one curve, shifted by 64. The rate 16, good for the mean, makes the sum diverge. A 64th of it gives the run of the mean, digit for digit. Adam's curves lie on each other.
#
# Now take $\lambda > 0$. **The sum with the penalty $\lambda$ has the same minimum as the mean with the penalty $\lambda / P$.** If $\lambda$ stays as it is, the factor changes the proportion of two terms *inside* the objective, and the minimum moves. Now Adam. Let $g$ be the slope of the errors with the mean; with the sum it is $P g$. This is the first step on the sum (later steps scale in the same way):

# %% tags=["fold"] name="derive-adam"
# Derivation 2: Adam's first step on the sum with a penalty.
def first(theta, g, **options):
    rule, at = Adam(**{k: float(v) for k, v in options.items()}), np.array([float(theta)])
    return (at - rule.update(at, np.array([float(g)]), rule.init(at))[0])[0]

(
    derive(r"\theta_0 - \theta_1", "eta * (P*g + lam*theta) / (Abs(P*g + lam*theta) + eps)",
           r"the slope of the penalty, $\lambda\theta$, joins that of the errors",
           {"eta": eta, "P": P_, "g": g, "lam": lam, "theta": theta, "eps": eps},
           ranges={eps: (0.01, 1)})
    .library("Adam(eta, eps=eps, weight_decay=lam), gradient P g",
             lambda eta, P, g, lam, theta, eps:
             first(theta, P * g, lr=eta, eps=eps, weight_decay=lam), each=True)
    .equals("eta * (g + lam/P*theta) / (Abs(g + lam/P*theta) + eps/P)",
            "divide above and below by $P$")
    .library("Adam(eta, eps=eps / P, weight_decay=lam / P), gradient g",
             lambda eta, P, g, lam, theta, eps:
             first(theta, g, lr=eta, eps=eps / P, weight_decay=lam / P),
             "**the step on the mean, with $\\lambda / P$**", each=True)
)

# %% [markdown] name="minimum-text"
# ### Where the penalty kills
#
# Handwritten digits do not vary in all directions alike. The **principal directions** of the pictures are axes of the 64-dimensional space, turned so that the product of any two coordinates is 0 on average; the first has the largest variance. Turning the axes changes no sum of squares, so we may add up the errors along these directions.
#
# Take one direction with variance $s$. Along it a picture is a number $u$, and the noise $\nu$ has the variance $\sigma^2$. Let one weight $w$ before the code and one weight $v$ after it serve this direction alone. (That the directions do not mix at the minimum was proved by Kunin and others, 2019, without noise. The errors of the networks trained below agree.) The output is $v\, w\, (u + \nu)$. On average, with the sum:

# %% tags=["fold"] name="derive-direction"
# Derivation 3: one direction, error and penalty.
w, v = sp.symbols("w v", positive=True)
k_ = sp.Symbol("k", real=True)

def with_noise(rng, size, s, sigma, gain):
    u = rng.normal(0, s**0.5, size)
    return squared_error(gain * (u + rng.normal(0, sigma, size)), u).value

(
    derive("J", "(1 - w*v)**2 * s + (w*v)**2 * sigma**2 + lam/2 * (w**2 + v**2)",
           "$u$ and $\\nu$ are independent", {"w": w, "v": v, "s": s, "sigma": sigma, "lam": lam})
    .expects("squared_error(v * w * (u + nu), u)",
             lambda rng, size, w, v, s, sigma, lam:
             with_noise(rng, size, s, sigma, w * v) + lam / 2 * (w**2 + v**2),
             "the library's loss, random $u$ and $\\nu$")
    .at_least("(1 - w*v)**2 * s + (w*v)**2 * sigma**2 + lam * w*v",
              r"$(w - v)^2 \ge 0$; equal where $w = v$")
)

# %% [markdown] name="minimum-text-2"
# The product $k = w v$ is the share of $u$ that arrives at the output. For a given $k$ the penalty is smallest, $\lambda k$, where the two weights are equal. A negative share only adds error. Which $k \ge 0$ is best?

# %% tags=["fold"] name="derive-minimum"
# Derivation 4: the best share.
(
    derive("J(k)", "(1 - k)**2 * s + k**2 * sigma**2 + lam*k", "with $k = w v$",
           {"k": k_, "s": s, "sigma": sigma, "lam": lam})
    .expects("squared_error(k * (u + nu), u)",
             lambda rng, size, k, s, sigma, lam: with_noise(rng, size, s, sigma, k) + lam * k,
             "the library's loss, random $u$ and $\\nu$")
    .slope(k_, "-2*(1 - k)*s + 2*k*sigma**2 + lam", "each term by itself")
    .zero_at(k_, "(s - lam/2) / (s + sigma**2)", r"**positive only where $s > \lambda / 2$**",
             tex=r"\frac{s - \lambda / 2}{s + \sigma^2}")
)

# %% [markdown] name="minimum-reading"
# Where $s \le \lambda / 2$, $J$ rises from $k = 0$ on, and $k = 0$ is the minimum: the direction is *dead*. It costs more penalty than it saves error. The code has room for 16 directions, and the larger $s$, the more error a direction saves: the 16 strongest get the room. By the first derivation, the mean with $\lambda$ is the sum with $P \lambda$:
#
# $$\text{alive with the sum: } s > \frac{\lambda}{2} \qquad\qquad \text{alive with the mean: } s > \frac{P \lambda}{2}$$
#
# With $P = 64$ and $\lambda = 0.05$ the mean asks for a variance above 1.6. How large are they?

# %% tags=["fold"] name="penalties"
# Trained networks (dots) and the derived minimum (lines), over the penalty.
covariance = train_set.mT @ train_set / train_set.shape[1]
variances, directions = np.linalg.eigh(covariance)  # rising
variances, directions = variances[:, :-K - 1:-1], directions[:, :, :-K - 1:-1]  # the first K

def shares(lam):  # derivation 4, for the sum
    return np.maximum(0, variances - lam / 2) / (variances + noise**2)

def at_minimum(lam):  # what the derived network makes of the noisy test pictures
    return (spoiled @ directions * shares(lam)[:, None]) @ directions.mT

strengths, dots, line = 2.0 ** np.arange(-10, 1), {}, np.geomspace(4.0**-6, 3, 60)
fig, (ax, over) = plots.panels(2)
ax.bar(range(1, K + 1), variances[0])
ax.axhline(1.6, color="#D55E00", ls="--", label="mean: P λ / 2 = 1.6")
ax.axhline(0.025, color="black", ls=":", label="sum: λ / 2 = 0.025")
ax.legend(loc="center right", bbox_to_anchor=(1, 0.75))
ax.set(yscale="log", ylim=(0.015, 3), xlabel="principal direction", ylabel="variance (log)",
       title="What λ = 0.05 asks for")
for name, scale, mark in (("sum", 1.0, "o"), ("mean", 1 / P, "s")):
    curve = np.array([np.median(error(at_minimum(lam / scale))) for lam in line])
    (drawn,) = over.plot(line, curve, "-" if scale == 1 else "--")
    dots[name] = np.array([error(cleaned(train(Adam(0.01, weight_decay=lam), scale, 300)[-1]))
                           for lam in strengths])
    over.plot(strengths, np.median(dots[name], axis=1), mark, color=drawn.get_color(),
              label=f"{name} over the pixels")
over.set(xscale="log", xlabel="penalty λ (log)", ylabel="squared error of a picture",
         title="Adam: trained (dots), derived (lines)", ylim=(0, 5.2))
over.legend()
plots.Picture(
    fig,
    alt="Left: 16 falling bars, from 0.7 to 0.07, between a dotted and a dashed line: all above "
    "that of the sum, all below that of the mean. Right: the error over the penalty. It is flat "
    "at 1.5, then rises to 4.7 and stays there. The mean's curve is that of the sum, shifted to "
    "the left by a factor of 64. The dots lie on the lines.",
)

# %% tags=["fold"] name="penalties-numbers"
# The largest variance, the two deadly penalties, and dots against lines.
top = variances[:, 0]
print(f"largest variance of a direction: {spread(top)}")
print(f"nothing is left with the sum from λ = {np.median(2 * top):.2f} on, "
      f"with the mean from {np.median(2 * top / P):.3f} on")
gaps = [abs(dots[name] / np.array([error(at_minimum(lam / scale)) for lam in strengths]) - 1)
        for name, scale in (("sum", 1.0), ("mean", 1 / P))]
shift = abs(dots["sum"][6:] / dots["mean"][:-6] - 1).max()
print(f"trained and derived error differ by at most {np.max(gaps):.0%}")
print(f"trained with the sum, and with the mean at λ / 64: at most {shift:.0e} apart")
assert np.max(gaps) < 0.15 and shift < 0.01 and top.min() > 0.5 and top.max() < 1.0

# %% [markdown] name="play-text"
# Even the strongest direction is too weak for the mean at 0.05. All die, and the output is $\bar x$, whatever comes in. The trained networks' errors are within 6% of the derived ones. Without a penalty the reduction shifted SGD's curve over the *rate* by 64. With a penalty it shifts the curve over the *penalty* by 64: the minimum itself has moved, and Adam cannot divide that out.
#
# ## Play
#
# Move the penalty. Nothing is trained here: bars and pictures come from the share $k$ derived above.
#
# 1. From which value on are all the mean's pictures the same? And the sum's?
# 2. Set 0.01 and remember the mean's row. At which value does the sum's row look like it?

# %% tags=["fold"] name="play-picture"
# The figure to move: the shares that arrive, and four cleaned digits, for each penalty.
fig, (ax, over) = plots.panels(2)
fig.set_size_inches(9.2, 3.6)
ax.set(xlabel="principal direction", ylabel="share that arrives at the output", ylim=(0, 1),
       xlim=(0, 17), title="What is left of each direction")
ax.bar([0], [0], color="#0072B2", label="sum")
ax.bar([0], [0], color="#D55E00", label="mean", hatch="//")
ax.legend()
over.set(title="The cleaned digits")
four = shown[2:6]

def frame(ax, over, lam):
    told, rows = [], [test[0, four]]
    for at, factor, colour, hatch, name in ((-0.2, 1, "#0072B2", "", "Sum"),
                                            (0.2, P, "#D55E00", "//", "Mean")):
        left = shares(factor * lam)[0]
        ax.bar(np.arange(1, K + 1) + at, left, 0.4, color=colour, hatch=hatch)
        output = at_minimum(factor * lam)
        rows.append(output[0, four])
        told.append(f"{name}: {(left > 0).sum()} of 16 directions alive, "
                    f"error {error(output)[0]:.2f}.")
    draw_strip(over, rows, ["true", "sum", "mean"])
    return " ".join(told)

last = {f: next(p for p in (0.01 * 2 ** (j / 2) for j in range(-8, 16))
                if not shares(f * p)[0].any()) for f in (1, P)}
assert abs(last[P] - 0.0283) < 1e-3 and abs(last[1] - 1.81) < 0.01
penalties = [float(f"{0.01 * 2 ** (j / 2):.2g}") for j in range(-8, 16)]
plots.moving(
    fig, "penalty λ", penalties, frame, start=0.01,
    alt="Left: two bars for each of 16 directions, the share that arrives. With the sum all are "
    "above 0.4, with the mean only the first few are left and they are shorter. Right: four "
    "digits, true, cleaned with the sum, and paler and blurred with the mean.",
)

# %% [markdown] name="breaks"
# <details><summary>Answers</summary>
#
# 1. The mean's at 0.028 (exactly: 0.022). The sum's at 1.8 (exactly: 1.4), 64 times as far.
# 2. At 0.64, which is 64 times 0.01.
#
# </details>
#
# ## What breaks
#
# Somebody takes over a strength from a program that adds up the pixels, and writes `F.mse_loss` with its default. Nothing is raised. This is the log of such a training, with the test pictures:

# %% tags=["fold"] name="log"
# The objective of the mean with the penalty 0.05, on the test pictures; medians over seeds.
rows = []
for step, theta in enumerate(train(Adam(0.01, weight_decay=0.05), 1 / P)):
    if step in (0, 25, 50, 100, 200, 400):
        output = cleaned(theta)
        first_term = error(output) / P
        second_term = 0.05 / 2 * sum((theta[k] ** 2).sum((1, 2)) for k in theta)
        parts = first_term + second_term, first_term, second_term, output.std(1).mean(-1)
        rows.append([step, *(f"{np.median(part):.3f}" for part in parts)])
assert float(rows[-1][1]) < 0.1 < 1 < float(rows[0][1]) and float(rows[-1][3]) < 0.001
Table(["step", "total", "mean squared error", "second term", "spread of a pixel between pictures"],
      rows)

# %% [markdown] name="breaks-signature"
# The total falls all the while. **The signature: all outputs are the same picture, and the second term in the log falls to 0.**
#
# The second term need not be a penalty on weights. A *variational* auto-encoder (Kingma and Welling, 2013) draws its codes at random. Its second term is the [KL divergence](03_the_floor_of_cross_entropy.ipynb) of these draws from a fixed distribution. Where it is 0, the codes tell nothing about the picture. A user of the program *VAE-Torch* asked in 2016 why averaging made this term 0 "after epoch 2-3" and the outputs identical. The answer was the one above: the average scales the errors down, and the second term takes over. ("Does it hold?" repeats it.)
#
# The cure: write the reduction beside the strength. A strength `lam` that was found with the sum, Adam's `weight_decay` too, needs the sum, or a division by $P$:
#
# ```python
# loss = F.mse_loss(output, x, reduction="sum") / len(x) + lam * second    # or
# loss = F.mse_loss(output, x) + lam / x[0].numel() * second
# ```
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. Another paper's penalty (3 minutes, easy)
# A paper minimises *half* of the squared error, summed over the pixels and averaged over the pictures, plus $\frac{\lambda}{2}$ times the squared weights. You use `F.mse_loss` with its default, and a penalty of the same form. Your batch `x` has the shape (pictures, height, width); the check hands over a NumPy array. Which strength leads you to the same minimum?

# %% name="exercise-penalty"
def my_penalty(lam, x):
    ### BEGIN SOLUTION
    return 2 * lam / np.prod(x.shape[1:])
    ### END SOLUTION

# %% name="check-penalty"
check("my_penalty")

# %% [markdown] name="exercise-objective-text"
# <details><summary>Hint 1</summary>By which factor must the paper's error term be multiplied to become yours?</details>
# <details><summary>Hint 2</summary>By 2 / P. The penalty must get the same factor. The pixels of one picture are the product of <code>x.shape[1:]</code>.</details>
#
# ### 2. The objective itself (5 minutes, medium)
# `pred` and `x` are NumPy arrays of the shape (pictures, pixels), `theta` is an array of weights. Add up the squared errors over the pixels, average over the pictures, and add the penalty $\frac\lambda2 \theta^2$ of all weights. Return the value, its slope by `pred`, and the slope of the *penalty* by `theta`.

# %% name="exercise-objective"
def objective(pred, x, theta, lam):
    ### BEGIN SOLUTION
    r = pred - x
    return np.sum(r**2) / len(x) + lam / 2 * np.sum(theta**2), 2 * r / len(x), lam * theta
    ### END SOLUTION

# %% name="check-objective"
check("objective")

# %% [markdown] name="exercise-deadly-text"
# <details><summary>Hint 1</summary>One number divides the errors: the number of pictures.</details>
# <details><summary>Hint 2</summary>The slopes have the shapes of pred and of theta. Nothing in the penalty is averaged.</details>
#
# ### 3. Where does everything die? (6 minutes, medium)
# `x` has the shape (pictures, pixels). With the *mean* over the pixels: return the smallest $\lambda$ at which no direction is alive. The variance of the strongest direction is the largest eigenvalue of the covariance matrix of the pixels (divide by the number of pictures). Compare `deadly(train_set[0])` with the number above "Play".

# %% name="exercise-deadly"
def deadly(x):
    ### BEGIN SOLUTION
    r = x - x.mean(0)
    return 2 * np.linalg.eigvalsh(r.T @ r / len(x))[-1] / x.shape[1]
    ### END SOLUTION

# %% name="check-deadly"
check("deadly")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Alive with the mean: s > P λ / 2. For which λ does the largest s just fail?</details>
# <details><summary>Hint 2</summary>Take the mean off each pixel; the covariance matrix is r.T @ r / N; np.linalg.eigvalsh gives its eigenvalues, rising.</details>
#
# ## Takeaways
#
# - From the mean over $P$ pixels to the sum, every slope grows by the factor $P$. For SGD that is the rate times $P$. Adam divides it out, up to $\epsilon$.
# - With a second term in the objective the factor changes the *minimum*: the sum with $\lambda$ is the mean with $\lambda / P$. In the linear auto-encoder the penalty kills every direction of the data whose variance is below $\lambda / 2$ with the sum, and below $P \lambda / 2$ with the mean.
# - Do not take over the strength of a second term without its reduction and its picture size: convert it. AdamW's decay is no such term.
#
# ## Does it hold?
#
# **Another optimizer's decay.** [AdamW](../03_algorithms/13_adamw.ipynb) shrinks the weights beside Adam's step. Its decay never enters the gradient, so sum and mean agree again:

# %% tags=["fold"] name="control-adamw"
# Squared error with the decay 0.05, sum and mean, median and range over seeds.
rows = []
for kind in (Adam, AdamW):
    ends = [cleaned(train(kind(0.01, weight_decay=0.05), scale)[-1]) for scale in (1.0, 1 / P)]
    rows.append([kind.__name__, *(spread(error(e)) for e in ends),
                 f"{abs(ends[0] - ends[1]).max():.0e}"])
    differ = abs(ends[0] - ends[1]).max()
    assert differ > 0.3 if kind is Adam else differ < 0.002
Table(["optimizer", "error with the sum", "error with the mean", "largest difference of a pixel"],
      rows)

# %% [markdown] name="control-vae-text"
# **A variational auto-encoder.** 64 pixels, 32 units with a tanh, a code of 8 numbers, 32 units, 64 pixels. Each number of the code is drawn at random; the network chooses its mean and its spread. The second term is the divergence of these draws from a normal distribution of mean 0 and variance 1, times 0.05. In the last row it is times 0.05 / 64. Adam, 400 steps:

# %% tags=["fold", "nbval-ignore-output"] name="control-vae"
# Sum and mean over the pixels; the median and range over seeds.
def variational(scale, steps=400, beta=0.05, hidden=32, d=8):
    draw = torch.Generator().manual_seed(seed)
    S, x_all = len(train_set), torch.tensor(train_set, dtype=torch.float32)
    shapes = {"A": (P, hidden), "B": (hidden, 2 * d), "C": (d, hidden), "D": (hidden, P)}
    net = {k: torch.randn(S, *n, generator=draw) / n[0] ** 0.5 for k, n in shapes.items()}
    every, last = torch.arange(S)[:, None], {}

    def gradient(net):
        net = {k: w.detach().requires_grad_() for k, w in net.items()}
        x = x_all[every, torch.randint(x_all.shape[1], (S, 64), generator=draw)]
        centre, log_var = (torch.tanh(x @ net["A"]) @ net["B"]).chunk(2, dim=-1)
        code = centre + torch.exp(log_var / 2) * torch.randn(centre.shape, generator=draw)
        output = torch.tanh(code @ net["C"]) @ net["D"]
        errors = ((output - x) ** 2).sum(-1).mean(-1)
        second = 0.5 * (centre**2 + log_var.exp() - 1 - log_var).sum(-1).mean(-1)
        last.update(error=errors.detach().numpy(), second=second.detach().numpy(),
                    varies=output.detach().std(1).mean(-1).numpy())
        return dict(zip(net, torch.autograd.grad((scale * errors + beta * second).sum(),
                                                 list(net.values())), strict=True))

    descend(net, Each(Adam(0.01)), gradient, steps)
    return last

runs = {"sum": variational(1.0), "mean": variational(1 / P),
        "mean, 0.05 / 64": variational(1 / P, beta=0.05 / P)}
rows = [[name, *(spread(run[k]) for k in ("error", "second", "varies"))]
        for name, run in runs.items()]
assert runs["mean"]["second"].max() < 0.2 < 2 < runs["sum"]["second"].min()
assert runs["mean, 0.05 / 64"]["second"].min() > 2
Table(["reduction", "squared error", "second term", "spread of a pixel between pictures"], rows)

# %% [markdown] name="control-size-text"
# With the mean the second term falls to 0 and the outputs hardly differ from picture to picture. Divide its strength by 64, and the numbers of the sum come back.
#
# **Is the sum right, then?** Not always. Enlarge each picture to 16 x 16 by repeating its pixels. Nothing new is in it, and all variances are 4 times as large. How many directions have a variance above the derived limit?

# %% tags=["fold"] name="control-size"
# Directions alive, of the 16 strongest, for penalties at which 8 x 8 leaves about half.
rows = []
for side in (8, 16):
    large = train_set.reshape(*train_set.shape[:2], 8, 8)
    large = large.repeat(side // 8, 2).repeat(side // 8, 3).reshape(*train_set.shape[:2], -1)
    grown = np.linalg.eigvalsh(large.mT @ large / large.shape[1])[:, -K:]
    counts = [(grown > 0.3 / 2).sum(1), (grown > side**2 * 0.3 / P / 2).sum(1)]
    rows.append([f"{side} x {side}", *(f"{np.median(c):.0f}" for c in counts)])
assert rows[0][1] == rows[0][2] == rows[1][2] != rows[1][1]
Table(["picture", "alive with the sum, λ = 0.3", "alive with the mean, λ = 0.3 / 64"], rows)

# %% [markdown] name="sources"
# The mean leaves the balance as it was, and the sum moves it. No reduction is right by itself. Know which one a strength belongs to.
#
# ## Sources
#
# - P. Vincent, H. Larochelle, Y. Bengio and P.-A. Manzagol, 2008: *Extracting and composing robust features with denoising autoencoders*.
# - P. Baldi and K. Hornik, 1989: *Neural networks and principal component analysis: learning from examples without local minima* (a linear auto-encoder finds the space of the strongest principal directions).
# - D. Kunin, J. Bloom, A. Goeva and C. Seed, 2019: *Loss landscapes of regularized linear autoencoders*, arXiv 1901.08168 (with a penalty on both matrices: it finds the directions themselves).
# - D. P. Kingma and M. Welling, 2013: *Auto-encoding variational Bayes*, arXiv 1312.6114.
# - The question about averaging: GitHub, y0ast/VAE-Torch, issue 11, 2016.
# - Data: scikit-learn's copy of the handwritten digits of the UCI repository (E. Alpaydin, 1998), CC BY 4.0.
