# ---
# jupyter:
#   lesson:
#     title: "The bowl under softmax"
#     question: "Two networks answer every picture alike. The average of their weights guesses. Why?"
#     minutes: 50
#     needs: [02_prediction_minus_target, 03_algorithms/04_adam, 02_concepts/03_optimizers_side_by_side]
#     settles: [G3]
#     studies: [losses.cross_entropy, losses.squared_error]
#     terms: [convex, eigenvector, normal equations, hidden layer, twin, barrier]
# ---

# %% [markdown] name="goal"
# # The bowl under softmax
#
# **Goal.** Prove that softmax regression has one bowl, see how a hidden layer breaks it into many, and know when weights may be averaged.
#
# **The question.** Two networks read handwritten digits. They give the same answer to every picture, with the same probabilities. The average of their weights guesses. **Why?**
#
# We average three pairs of trained models. The first pair has no hidden layer: *softmax regression*, one weighted sum for each digit. The other two pairs are networks with twelve units between the 64 pixels and the ten logits.

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
from math import factorial

import numpy as np
import sympy as sp
import torch
from matplotlib.colors import BoundaryNorm
from scipy.optimize import linear_sum_assignment
from sklearn.datasets import load_digits

from lessons_lib import bridge, data, exercises, plots
from lessons_lib.derive import derive
from lessons_lib.losses import cross_entropy, squared_error
from lessons_lib.optim import Adam
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("04_mathematics/04_the_bowl_under_softmax")

# %% tags=["fold"] name="models"
# The digits, and both models for many sets of weights at once: theta is (seeds, models, numbers).
splits = [data.digits(s) for s in setting.seeds]
x, y, x_test, y_test = (np.stack(a)[:, None] for a in zip(*splits, strict=True))
UNITS = 12

def shapes(H):  # 0 units: no hidden layer
    return [(64, H), (1, H), (H, 10), (1, 10)] if H else [(64, 10), (1, 10)]

def parts(theta, H):  # the matrices in a row of numbers
    cuts = np.cumsum([a * b for a, b in shapes(H)])[:-1]
    pieces = np.split(theta, cuts, axis=-1)
    return [p.reshape(*theta.shape[:-1], *s) for p, s in zip(pieces, shapes(H), strict=True)]

def joined(*pieces):
    return np.concatenate([p.reshape(*p.shape[:-2], -1) for p in pieces], axis=-1)

def forward(theta, x, H, relu=False):  # the hidden units, the logits
    *first, W, b = parts(theta, H)
    a = x @ first[0] + first[1] if H else x
    h = (np.maximum(a, 0) if relu else np.tanh(a)) if H else x
    return h, h @ W + b

def slopes(theta, x, y, H, relu=False):  # of the mean loss; derived below
    h, z = forward(theta, x, H, relu)
    to_z = cross_entropy(z, np.broadcast_to(y, z.shape[:-1])).grad / x.shape[-2]
    last = [h.mT @ to_z, to_z.sum(-2, keepdims=True)]
    if not H:
        return joined(*last)
    to_a = to_z @ parts(theta, H)[2].mT * ((h > 0) if relu else 1 - h**2)
    return joined(x.mT @ to_a, to_a.sum(-2, keepdims=True), *last)

def begin(H, start, models=2):  # random weights, biases 0; `start` numbers the draw
    def draw(rng):
        return np.concatenate(
            [rng.normal(size=a * b) * (a > 1) / np.sqrt(a) for a, b in shapes(H)]
        )

    rngs = [[np.random.default_rng([s, start, m]) for m in range(models)] for s in setting.seeds]
    return np.array([[draw(rng) for rng in row] for row in rngs])

def train(theta, H, steps=1000, lr=0.01, draw=0, own=False, relu=False):
    # Batches of 64; own: every model draws its own batches
    rng, rule, seeds = np.random.default_rng([seed, draw]), Adam(lr), np.arange(len(x))
    state = rule.init(theta)
    for _ in range(steps):
        rows = rng.integers(0, x.shape[2], (theta.shape[1] if own else 1, 64))
        batch = x[seeds[:, None, None], 0, rows], y[seeds[:, None, None], 0, rows]
        theta, state = rule.update(theta, slopes(theta, *batch, H, relu), state)
    return theta

def judge(theta, H, relu=False):  # the loss of the training digits, right answers in % of new ones
    labels = [np.broadcast_to(a, (*theta.shape[:-1], a.shape[-1])) for a in (y, y_test)]
    value = cross_entropy(forward(theta, x, H, relu)[1], labels[0]).value.mean(-1)
    answers = forward(theta, x_test, H, relu)[1].argmax(-1)
    return value, 100 * (answers == labels[1]).mean(-1)

# %% tags=["fold"] name="pairs"
# Three pairs. The third is the first network of the second pair and a copy that answers alike.
regressions, networks = train(begin(0, 1), 0), train(begin(UNITS, 2), UNITS)
A, B = networks[:, :1], networks[:, 1:]
W1, b1, W2, b2 = parts(A, UNITS)
alike = np.concatenate([A, joined(-W1, -b1, -W2, b2)], axis=1)
pairs = {
    "two softmax regressions": (regressions, 0),
    "two networks, trained apart": (networks, UNITS),
    "two networks that answer alike": (alike, UNITS),
}
steps_between = np.linspace(0, 1, 21)

def line(pair, H, relu=False):  # the loss from the first model (t = 0) to the second (t = 1)
    a, b = pair[:, :1], pair[:, 1:]
    values = [judge((1 - t) * a + t * b, H, relu)[0][:, 0] for t in steps_between]
    return np.array(values).T  # (seeds, places)

def average(pair):
    return pair.mean(axis=1, keepdims=True)

lines = {name: line(*pair) for name, pair in pairs.items()}
between = {name: judge(average(pair), H)[1][:, 0] for name, (pair, H) in pairs.items()}

# %% tags=["fold"] name="question-picture"
# The loss between the two models of each pair.
picture = plots.lines(
    steps_between, {name: plots.band(v) for name, v in lines.items()},
    "share of the second model's weights", "loss of the training digits (nats)",
    "Three curves with bands over the way from one model to the other. The softmax regressions: "
    "flat near 0. The networks trained apart: 0 at both ends, a hill of about 0.5 nats between "
    "them. The networks that answer alike: 0 at both ends, a hill of 2.3 nats in the middle.",
    title="Between two models (band: all seeds)",
)
picture.fig.set_size_inches(6.4, 3.4)
picture.fig.axes[0].legend(loc="upper left", fontsize=8)
picture

# %% tags=["fold", "nbval-ignore-output"] name="question-numbers"
# Right answers on new digits: each model, and the average of the two.
def spread(values, form=".0f"):
    middle, low, high = (f"{v:{form}}" for v in (np.median(values), np.min(values), np.max(values)))
    return f"{middle} ({low} to {high})".replace("-0.0 ", "0.0 ")

same = abs(np.diff(forward(alike, x_test, UNITS)[1], axis=1)).max()
rows = [[name, spread(judge(pair, H)[1]), spread(between[name])] for name, (pair, H) in
        pairs.items()]
Table(["pair", "each model, % right", "their average, % right"], rows,
      "New digits; median and range over seeds.")

# %% tags=["fold"] name="question-verdict"
# The average of the regressions is as good, the others are worse.
each, apart, twins = ([judge(p, H)[1], between[n]] for n, (p, H) in pairs.items())
assert same < 1e-12 and (each[0].min(1) - each[1] < 2).all() and (twins[1] < 20).all()
assert np.median(apart[0].min(1) - apart[1]) > 4
assert (lines["two softmax regressions"][:, 10] < 0.25).all()

# %% [markdown] name="question-reading"
# (The data: 1797 digits of 8 by 8 pixels from scikit-learn, CC BY 4.0; 1258 are for training. In brackets: lowest to highest of five seeds. Both models of a pair see the same batches.)
#
# Averaging does no harm to softmax regressions. Of two networks trained apart, each is wrong on about 5 digits of 100, and their average on about 20. And the average of two networks that agree on everything is right one time in ten.
#
# People do average the weights of fine-tuned models. So one would like to know when it works.
#
# ## The idea, drawn
#
# Take models so small that the whole loss can be seen. They tell a 7 from a 1 by the ink in the middle of the picture, $x$. The first model's logit is $b + wx$. The second one's is $u \tanh(wx)$: a *hidden unit*, $\tanh(wx)$, stands between the ink and the logit. Each model has two parameters.

# %% tags=["fold"] name="surfaces"
# The loss of both models over their two parameters.
pictures = load_digits()
chosen = np.isin(pictures.target, (1, 7))
ink = pictures.images[chosen][:, 2:6, 3:5].sum((1, 2))
ink, seven = (ink - ink.mean()) / ink.std(), (pictures.target[chosen] == 7).astype(int)
spots = np.linspace(-4, 4, 41)
across, along = np.meshgrid(spots, spots, indexing="ij")

def two_class(z):  # the mean loss; the logits are 0 and z
    z = np.stack([0 * z, z], axis=-1)
    return cross_entropy(z, np.broadcast_to(seven, z.shape[:-1])).value.mean(-1)

w, other = across[..., None], along[..., None]
heights = {
    "no hidden layer: b + w x": two_class(other + w * ink),
    "one hidden unit: u tanh(w x)": two_class(other * np.tanh(w * ink)),
}
fig, axes = plots.panels(2)
fig.set_size_inches(8.6, 3.9)
for ax, (name, height), second in zip(axes, heights.items(), "bu", strict=True):
    ax.axis("off")
    ax.set_title(name)
    inner = ax.inset_axes(
        (-0.12, -0.1, 1.24, 1.18), projection="3d", computed_zorder=False
    )
    inner.contour(across, along, height, zdir="z", offset=-0.6, cmap="cividis",
                  levels=np.geomspace(1.01 * height.min(), height.max(), 9), linewidths=0.8)
    lowest = height < height.min() + 1e-9
    inner.plot_surface(across, along, height, cmap="cividis", rcount=40, ccount=40, lw=0)
    inner.plot(across[lowest], along[lowest], height[lowest], "*", color="w", mec="k", ms=13,
               zorder=9)
    inner.set(xlabel="w", ylabel=second, zlabel="loss (nats)", zlim=(-0.6, height.max()))
    inner.locator_params(nbins=4)
    inner.view_init(26, -50)
plots.Picture(
    fig,
    "Two surfaces over two parameters, with contours below. Left a bowl; one star marks its "
    "lowest place. Right a saddle: two valleys in opposite corners, a star in each, and high "
    "walls in the other two corners.",
)

# %% tags=["fold"] name="surface-numbers"
# The lowest places of the second surface, and the height of the pass between them.
height = heights["one hidden unit: u tanh(w x)"]
w_low, u_low = (abs(a[np.unravel_index(height.argmin(), height.shape)]) for a in (across, along))
print(f"lowest loss {height.min():.2f}, at w = -{w_low:.1f}, u = {u_low:.1f}")
print(f"and at w = {w_low:.1f}, u = -{u_low:.1f}; in the middle: {height[20, 20]:.2f}")
assert np.allclose(height, height[::-1, ::-1]) and height[20, 20] > 1.2 * height.min()

# %% [markdown] name="surface-reading"
# On the left, a bowl. On the right, two valleys: whoever turns the signs of both $w$ and $u$ has the same network, because $\tanh(-a) = -\tanh(a)$. The average of the two lowest places is the middle, a [saddle](../02_concepts/03_optimizers_side_by_side.ipynb). There the network says nothing.
#
# A function is **convex** if it never rises above the chord, the straight line between any two points of its graph. In the first picture the chord of a curve joins its two ends: the flat curve hangs below its chord, the two hills rise above theirs. The left surface is convex. The right one is not.
#
# ## Formula
#
# For logits $z_1, \dots, z_C$ and the label $k$, with $p$ the softmax of the logits ($y_k = 1$, all other $y_i = 0$):
#
# $$\ell = \log \sum_{i=1}^{C} e^{z_i} - z_k$$
#
# Its slopes are [prediction minus label](../03_algorithms/02_cross_entropy.ipynb), $p_i - y_i$. That lesson has also derived the second derivatives. They form a table with $C$ rows and columns, the Hessian of the logits:
#
# $$H = \operatorname{diag}(p) - p\, p^\top \qquad\qquad H_{ij} = p_i\, (\delta_{ij} - p_j)$$
#
# $\delta_{ij}$ is 1 if $i = j$, else 0. The label has dropped out.
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $p$ | `p` | `(C,)` | the probabilities |
# | $H$ | `hessian(p)` | `(C, C)` | how the slope of logit $i$ changes with logit $j$ |
# | $v$ | `v` | `(C,)` | a direction: how fast each logit changes on a straight way |
# | $\bar v$ | `p @ v` | a number | the mean of $v$, weighted by $p$ |
#
# ## Derivation
#
# ### The bend is a variance
#
# Walk straight through the logits, from $z$ along $v$. How much does the loss bend on this way? The second derivative along a direction is $v^\top H v$.

# %% tags=["fold"] name="derive-bend"
# Derivation 1: the curvature of the loss along any direction.
z_, v_ = sp.IndexedBase("z", real=True), sp.IndexedBase("v", real=True)
p_ = sp.IndexedBase("p", positive=True)
i, j, C = sp.symbols("i j C", integer=True, positive=True)
v_bar = sp.Symbol(r"\bar v", real=True)
share = sp.exp(z_[i]) / sp.Sum(sp.exp(z_[j]), (j, 1, C))

def bend_of(z, v):  # the library's slope along v, differentiated by PyTorch, along v again
    z, v = torch.tensor(z, requires_grad=True), torch.tensor(v)
    slope = (cross_entropy(z, torch.zeros(len(z), dtype=torch.long)).grad * v).sum()
    return (torch.autograd.grad(slope, z)[0] * v).sum(-1)

(
    derive(r"v^\top H v",
           "Sum(Sum(v[i] * p[i] * (KroneckerDelta(i, j) - p[j]) * v[j], (j, 1, C)), (i, 1, C))",
           "each cell of the table, times its two numbers of $v$",
           {"z": z_, "v": v_, "p": p_, "vbar": v_bar, "i": i, "j": j, "C": C}, {C: (2, 3)},
           means={v_bar: sp.Sum(p_[i] * v_[i], (i, 1, C)), p_[i]: share})
    .library("v · (slope of cross_entropy(z, k).grad along v)", bend_of,
             "the library's gradient, differentiated automatically by PyTorch")
    .equals("Sum(p[i] * v[i]**2, (i, 1, C)) - Sum(p[i] * v[i], (i, 1, C))**2",
            r"$\delta_{ij}$ leaves the cells with $i = j$; the rest is a product of two sums")
    .equals("Sum(p[i] * (v[i] - vbar)**2, (i, 1, C))",
            r"mean of the squares less square of the mean. **The variance of $v$ under $p$**",
            tex=r"\sum_{i=1}^{C} p_i\, (v_i - \bar v)^2")
    .at_least("0", "**no square is negative**")
)

# %% [markdown] name="bend-reading"
# So the loss is convex in the logits. Is it convex in the weights?
#
# In softmax regression $z = Wx + b$. Walk straight from one set of weights to another, and the logits of every picture walk straight too. Let $t$ run from 0 to 1 on this way, and let picture $n$ of $N$ have the direction $v_n$ and the probabilities $p_n$. The objective $J$ is the mean loss, so it bends by a mean of variances:
#
# $$\frac{d^2 J}{dt^2} = \frac1N \sum_{n=1}^{N} \operatorname{Var}_{p_n}(v_n) \ge 0$$
#
# A curve whose slope never falls hangs below its chord. In the middle of the way that says
#
# $$J\left(\tfrac{\theta_A + \theta_B}{2}\right) \le \tfrac12 \big( J(\theta_A) + J(\theta_B) \big)$$
#
# **On the training data, the loss of the average is at most the mean of the two losses.** This holds for any two, trained or not. It is the flat line of the first picture.
#
# ### Which directions are flat?
#
# An **eigenvector** of a table is a direction that the table only stretches; the factor, its *eigenvalue*, is here the curvature along it. The Hessian of ten logits has ten. Below, the logits of one picture are multiplied by a number, the *scale*. At 0 the model knows nothing; the larger the scale, the more certain it is. **Make the model certain.**

# %% tags=["fold"] name="play"
# The figure to move: the Hessian of one picture's logits, and its ten eigenvalues.
def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)

def hessian(p):
    return np.diag(p) - np.outer(p, p)

logits = forward(regressions[:1, :1], x_test[:1], 0)[1][0, 0]
ranked = np.sort(logits, axis=1)
doubtful = logits[abs(ranked[:, -1] - ranked[:, -2] - 0.7).argmin()]
doubtful = doubtful - doubtful.mean()
fig, (left, right) = plots.panels(2)
fig.set_size_inches(8.4, 3.6)
left.grid(False)
left.set(xlabel="class j", ylabel="class i", title="The Hessian", xticks=range(10),
         yticks=range(10), xlim=(-0.5, 9.5), ylim=(9.5, -0.5))
look = {"cmap": "RdBu_r", "vmin": -0.3, "vmax": 0.3}
fig.colorbar(left.scatter([], [], c=[], **look), ax=left, label="second derivative")
right.set(xlabel="eigenvalue, in order", ylabel="curvature", title="Its ten eigenvalues",
          xticks=range(1, 11), ylim=(0, 0.55), xlim=(0.3, 10.7))

seen = []

def certain(left, right, colours, scale):
    p = softmax(scale * doubtful)
    values = np.maximum(np.linalg.eigvalsh(hessian(p)), 0)
    left.pcolormesh(np.arange(-0.5, 10), np.arange(-0.5, 10), hessian(p), **look)
    right.bar(np.arange(1, 11), values, color="C0")
    likely = ", ".join(f"{k} with {p[k]:.0%}" for k in np.argsort(-p)[:2])
    seen.append(values[-1])
    return (f"Most likely: {likely}. Smallest curvature {values[0]:.2f}, "
            f"largest {values[-1]:.2f}.")

shown = plots.moving(
    fig, "scale", [*np.round(np.geomspace(0.05, 12.8, 25), 2).tolist()], certain, start=0.05,
    alt="Left an image of ten by ten cells: red on the diagonal, pale blue elsewhere. Right ten "
    "bars: the first is 0, the other nine are near 0.1.",
)
assert max(seen) > 0.2 and seen[-1] < 0.1
shown

# %% [markdown] name="play-reading"
# 1. One eigenvalue is 0 at every scale. Which direction is it?
# 2. When is the largest eigenvalue largest? What becomes of all ten in the end?
#
# <details><summary>Answers</summary>
#
# 1. Add the same number to all ten logits. A $v$ with equal numbers has no variance, so the loss does not bend; softmax does not notice.
# 2. While two classes fight for the picture. Here it reaches about 0.4; two classes with one half each would give 0.5. When one class has won, all ten fade to 0.
#
# </details>
#
# So the bowl is convex, and **flat far out**, where the model is certain. It need not have a bottom. Once every training digit is right, its logit leads, and doubling all weights doubles every lead. Then larger weights are always better:

# %% tags=["fold", "nbval-ignore-output"] name="flat"
# Softmax regression, trained on and on: medians over seeds.
theta, rows, trail, done = begin(0, 1, 1), [], [], 0
for stop in (100, 400, 1600):
    theta = train(theta, 0, stop - done, draw=stop)
    done = stop
    p = softmax(forward(theta, x, 0)[1])
    value = judge(theta, 0)[0]
    right = 100 * (p.argmax(-1) == y).mean(-1)
    curvature = (1 - (p**2).sum(-1)).mean(-1)  # the sum of the eigenvalues
    trail.append([value, curvature, np.linalg.norm(theta, axis=-1)])
    rows.append([stop, f"{np.median(right):.1f}", *(f"{np.median(v):.2g}" for v in trail[-1])])
trail = np.array(trail)
assert (np.diff(trail[:, :2], axis=0) < 0).all() and (np.diff(trail[:, 2], axis=0) > 0).all()
assert (trail[0, 1] / trail[-1, 1] > 10).all()
Table(["steps", "training digits right, %", "loss (nats)", "curvature", "length of the weights"],
      rows, "Curvature: the sum of the ten eigenvalues, mean over the pictures.")

# %% [markdown] name="flat-reading"
# The loss falls, the curvature falls with it, the weights grow. No weights are the best ones.
#
# ### A bowl with a bottom
#
# Squared error of a linear model is the other bowl. Its slope is a straight line, so one equation finds the place without slope. In a bowl that is the bottom. With one weight $w$:

# %% tags=["fold"] name="derive-normal"
# Derivation 2: the lowest point of squared error.
x_, y_ = sp.IndexedBase("x", real=True), sp.IndexedBase("y", real=True)
n, N = sp.symbols("n N", integer=True, positive=True)
w_ = sp.Symbol("w", real=True)
(
    derive("J", "Sum((w*x[n] - y[n])**2, (n, 1, N)) / N", "the mean squared error",
           {"w": w_, "x": x_, "y": y_, "n": n, "N": N}, {N: (2, 3)})
    .library("squared_error(w * x, y).value.mean()",
             lambda w, x, y: squared_error(w[:, None] * x, y).value.mean(-1))
    .slope(w_, "2 * Sum(x[n] * (w*x[n] - y[n]), (n, 1, N)) / N",
           "prediction minus target, times the input")
    .library("(squared_error(w * x, y).grad * x).mean()",
             lambda w, x, y: (squared_error(w[:, None] * x, y).grad * x).mean(-1),
             "the library's slope and the chain rule")
    .zero_at(w_, "Sum(x[n]*y[n], (n, 1, N)) / Sum(x[n]**2, (n, 1, N))",
             "linear in $w$: **one solve**")
)

# %% [markdown] name="normal-reading"
# With $d$ weights and all inputs in a matrix $X$ with $N$ rows, the same lines are the **normal equations**, $d$ linear equations for the $d$ weights at which the gradient is zero:
#
# $$X^\top X\, \theta = X^\top y$$
#
# The Hessian is $\frac2N X^\top X$ everywhere, at the bottom and far out. The curvature along $v$ is $\frac2N \lVert Xv \rVert^2$, which is never negative. No step size and no start are needed. (There is one bottom if no column of $X$ is a weighted sum of the others.)

# %% name="normal"
patients = data.diabetes(seed)
X = np.c_[np.ones(len(patients.x)), patients.x]  # a column of ones for the bias
theta = np.linalg.solve(X.T @ X, X.T @ patients.y)
gradient = [2 * X.T @ (X @ t - patients.y) / len(X) for t in (np.zeros(11), theta)]
print(f"largest slope at the start: {abs(gradient[0]).max():.0f}")
print(f"after one solve: {'below 1e-9' if abs(gradient[1]).max() < 1e-9 else 'not 0'}")

# %% [markdown] name="chain-text"
# (310 of 442 patients, 10 measurements each, of Efron and others, 2004; they come with scikit-learn, BSD licence.) How long gradient descent would take instead is a question of the [condition number](../03_algorithms/11_momentum.ipynb) of $X^\top X$.
#
# ### What a hidden layer does
#
# A **hidden layer** is a row of numbers between input and logits: each *unit* takes a weighted sum of the inputs and bends it, here by $\tanh$. Follow one unit $h$ with one input $x$. The weight $w$ leads into it, and the weights $u_1, \dots, u_C$ lead from it to the logits. Everything else that adds to logit $i$ is $c_i$. The right class has the number 1.

# %% tags=["fold"] name="derive-chain"
# Derivation 3: the chain rule through one hidden unit.
c_, u_ = sp.IndexedBase("c", real=True), sp.IndexedBase("u", real=True)
label = sp.IndexedBase("y", real=True)
h_, input_ = sp.symbols("h x", real=True)
names = {"c": c_, "u": u_, "p": p_, "y": label, "h": h_, "w": w_, "x": input_, "i": i, "j": j,
         "C": C}
bent = sp.tanh(w_ * input_)
given = {"sizes": {C: (2, 3)}, "means": {
    p_[i]: sp.exp(c_[i] + u_[i] * bent) / sp.Sum(sp.exp(c_[j] + u_[j] * bent), (j, 1, C)),
    label[i]: sp.KroneckerDelta(i, 1), h_: bent}}
loss_of = bridge.as_autograd(cross_entropy)  # our value and gradient, for torch

def by_autograd(which):
    def slope(c, u, w, x):
        t = {name: torch.tensor(a, requires_grad=True) for name, a in
             {"c": c, "u": u, "w": w, "x": x}.items()}
        h = torch.tanh(t["w"] * t["x"])
        z = t["c"] + t["u"] * h[:, None]
        loss_of(z, torch.zeros(len(z), dtype=torch.long)).sum().backward()
        return t[which].grad
    return slope

(
    derive(r"\ell",
           "log(Sum(exp(c[i] + u[i]*h), (i, 1, C))) - Sum(y[i]*(c[i] + u[i]*h), (i, 1, C))",
           r"cross-entropy of the logits $z_i = c_i + u_i h$", names, **given)
    .library("cross_entropy(c + u tanh(w x), k).value",
             lambda c, u, w, x: cross_entropy(c + u * np.tanh(w * x)[:, None],
                                              np.zeros(len(w), dtype=int)).value)
    .slope(w_, "Sum((p[i] - y[i]) * u[i], (i, 1, C)) * (1 - h**2) * x",
           r"slope by $z_i$, times that of $z_i$ by $h$, of $\tanh$, of $wx$",
           tex=r"\sum_{i=1}^{C} (p_i - y_i) \cdot u_i \cdot (1 - h^2) \cdot x")
    .library("w.grad after backward()", by_autograd("w"),
             "PyTorch's chain rule, with the library's cross-entropy")
)

# %% tags=["fold"] name="derive-out"
# The weights that lead out of the unit.
(
    derive(r"\ell",
           "log(Sum(exp(c[i] + u[i]*h), (i, 1, C))) - Sum(y[i]*(c[i] + u[i]*h), (i, 1, C))",
           "as before", names, **given)
    .equals("-log(p[1])", "minus the log-probability of the right class")
    .slope(u_[j], "(p[j] - y[j]) * h", r"slope by $z_j$, times that of $z_j$ by $u_j$",
           tex=r"(p_j - y_j) \cdot h")
    .library("u.grad after backward()", by_autograd("u"),
             "PyTorch's chain rule, with the library's cross-entropy")
)

# %% [markdown] name="chain-reading"
# Rumelhart, Hinton and Williams (1986) made this the way to train networks. For $N$ pictures, 64 pixels and 12 units each factor becomes an array, computed from the end to the start:
#
# | factor | formula | code | shape |
# |---|---|---|---|
# | slope by the logits | $p - y$ | `to_z` | `(N, 10)` |
# | by the units | times $u$, summed over the logits | `to_h = to_z @ W2.T` | `(N, 12)` |
# | by the weighted sums | times $1 - h^2$ | `to_a` | `(N, 12)` |
# | by the weights in | times $x$, summed over the pictures | `x.T @ to_a` | `(64, 12)` |
# | by the weights out | $p - y$ times $h$, summed over the pictures | `h.T @ to_z` | `(12, 10)` |

# %% name="by-hand"
def by_hand(x, y, W1, b1, W2, b2):
    h = np.tanh(x @ W1 + b1)  # (N, 12)
    to_z = cross_entropy(h @ W2 + b2, y).grad / len(x)  # p - y, for the mean loss
    to_h = to_z @ W2.T
    to_a = to_h * (1 - h**2)
    return x.T @ to_a, to_a.sum(0), h.T @ to_z, to_z.sum(0)

# %% tags=["fold", "nbval-ignore-output"] name="by-hand-check"
# The four arrays against autograd, with PyTorch's own cross-entropy, at random weights.
start = [a[0, 0] for a in parts(begin(UNITS, 3), UNITS)]
tensors = [torch.tensor(a, requires_grad=True) for a in start]
pixels, digit = torch.tensor(x[0, 0]), torch.tensor(y[0, 0])
z = torch.tanh(pixels @ tensors[0] + tensors[1]) @ tensors[2] + tensors[3]
torch.nn.functional.cross_entropy(z, digit).backward()
ours = by_hand(x[0, 0], y[0, 0], *start)
off = [abs(np.reshape(a, t.shape) - t.grad.numpy()).max() for a, t in
       zip(ours, tensors, strict=True)]
assert max(off) < 1e-12
assert np.allclose(slopes(begin(UNITS, 3)[:1, :1], x[:1], y[:1], UNITS)[0, 0], np.concatenate(
    [np.ravel(a) for a in ours]), atol=1e-12)  # what trains here is by_hand, for many at once
Table(["gradient of", "shape", "largest number", "largest difference from autograd"],
      [[name, str(a.shape), f"{abs(a).max():.2g}", f"{d:.0e}"] for name, a, d in
       zip(("W1", "b1", "W2", "b2"), ours, off, strict=True)])

# %% [markdown] name="twin-text"
# The first factor of the chain is the $p - y$ of the bowl. The others depend on the weights themselves, so the logits no longer walk straight when the weights do. The proof of convexity has lost its second half. Is the bowl lost as well?
#
# ### One function, many places
#
# A **twin** of a network has the same hidden units in another order, or some of them with all signs turned: of the weights in, the unit's bias and the weights out. A twin gives the same answers, because $u \tanh(wx)$ is $(-u) \tanh(-wx)$, and a sum does not care for the order of its terms.
#
# Turn *every* unit. This twin, $\theta^-$, has the loss of $\theta$. In the middle between the two all weights of the hidden layer are 0. Only the biases of the logits are left: one guess for all pictures. The best one gives each digit its share $q_i$ of the data. Its loss is the [entropy](03_the_floor_of_cross_entropy.ipynb) of the shares. If $J$ were convex, then
#
# $$-\sum_i q_i \log q_i \;\le\; J\left(\tfrac{\theta + \theta^-}{2}\right) \;\le\; \tfrac12 \big( J(\theta) + J(\theta^-) \big) = J(\theta)$$
#
# The left side is 2.3 nats for ten digits. **So every network with a lower loss refutes the bowl.** This was the third pair of the first picture: a network and its full turn.

# %% tags=["fold"] name="twin-numbers"
# The three numbers, and in how many places one network sits.
q = np.array([np.bincount(a[0], minlength=10) / a.shape[1] for a in y])
floor = -(q * np.log(q)).sum(1)
values = judge(alike, UNITS)[0], judge(average(alike), UNITS)[0]
print(f"loss of each twin {spread(values[0], '.3f')}, in the middle {spread(values[1], '.2f')}")
print(f"the best guess without a picture: {spread(floor, '.2f')}")
print(f"places of one network with {UNITS} units: 12! * 2^12 = {factorial(12) * 2**12:.1e}")
assert (values[1][:, 0] - floor > 0).all() and (np.exp(floor) > 7).all() and (values[0] < 0.2).all()

# %% [markdown] name="many-reading"
# Twelve units have $12!$ orders, and each of the twelve may be turned. So one network sits at two million million places, and half way between any of them and its full turn stands the guess.
#
# ## Two runs, two valleys
#
# Back to the networks that were trained apart, $A$ and $B$. Are they in different valleys only because their units stand in another order? Then a twin of $B$ should lie near $A$. The *likeness* of two units is the product of their weights, summed. We pair the units of $A$ and $B$ so that the sum of all likenesses is largest (an *assignment problem*, which SciPy solves). A pair that is opposite gets its signs turned.
#
# Why this sum? Let $T$ be any twin of $B$:
#
# $$\lVert A - T \rVert^2 = \lVert A \rVert^2 + \lVert T \rVert^2 - 2\, A^\top T$$
#
# All twins are equally long, and $A^\top T$ is the sum of the likenesses and of a term that no twin changes. So of two million million twins we find **the nearest to $A$**.

# %% name="match"
def twin_near(a, b, units=UNITS):  # of all twins of b, the nearest to a
    W1, b1, W2, b2 = parts(b, units)
    all_a, all_b = (np.vstack([p[0], p[1], p[2].T]) for p in (parts(a, units), (W1, b1, W2)))
    likeness = all_a.T @ all_b  # a row for each unit of a
    _, order = linear_sum_assignment(-abs(likeness))
    sign = np.sign(likeness[range(units), order])
    return joined(W1[:, order] * sign, b1[:, order] * sign, W2[order] * sign[:, None], b2)

# %% tags=["fold"] name="plane"
# The plane through A, B and the twin of B near A: the training loss of the first seed.
matched = np.array([[a, twin_near(a, b)] for a, b in networks])
corner, far_end, near_end = networks[0, 0], networks[0, 1], matched[0, 1]
to_far, to_near = far_end - corner, near_end - corner
size = np.linalg.norm(to_far)
unit = to_far / size  # axes at right angles, measured in weights
upward = to_near - (to_near @ unit) * unit
places = {"A": (0, 0), "B": (size, 0), "twin of B": (to_near @ unit, np.linalg.norm(upward))}
upward = upward / np.linalg.norm(upward)
low, high = np.min([*places.values()], axis=0), np.max([*places.values()], axis=0)
margin = 0.3 * size
columns, ups = (np.linspace(a - margin, b + margin, 31) for a, b in zip(low, high, strict=True))
plane = []
for up in ups:
    z = forward(corner + columns[:, None] * unit + up * upward, x[0, 0, :600], UNITS)[1]
    labels = np.broadcast_to(y[0, 0, :600], z.shape[:-1])
    plane.append(cross_entropy(z, labels).value.mean(-1))
fig, (ax,) = plots.panels()
fig.set_size_inches(6.6, 4.4)
levels = [0, 0.01, 0.02, 0.04, 0.06, 0.1, 0.2, 0.4, 0.6, 1.0, 1.5]
drawn = ax.contourf(columns, ups, plane, levels, cmap="cividis", extend="max",
                    norm=BoundaryNorm(levels, 256, extend="max"))
fig.colorbar(drawn, ax=ax, label="loss of 600 training digits (nats)")
for name, style, colour in (("B", "--", "#D55E00"), ("twin of B", "-", "w")):
    ax.plot(*zip((0, 0), places[name], strict=True), style, color=colour, lw=2)
for name, place in places.items():
    ax.plot(*place, "o", color="w", mec="k", ms=7)
    ax.annotate(name, place, xytext=(6, 7), textcoords="offset points", color="w", weight="bold")
ax.grid(False)
ax.set(xlabel="distance from A towards B (length of the change of weights)",
       ylabel="distance, at right angles", title="Three points, two functions", aspect="equal")
plots.Picture(
    fig,
    "Coloured contours of the loss with three valleys. A and B lie in two dark valleys with a "
    "bright ridge across the dashed line between them. The twin of B lies in a valley of its own, "
    "nearer to A; the solid line from A to it crosses a much lower pass.",
)

# %% [markdown] name="plane-reading"
# $B$ and its twin are the same function with the same loss. The straight way from $A$ to $B$ climbs a ridge. The way to the twin crosses a low pass.
#
# Here are units of $A$ as pictures of their 64 weights. Below them stand the units of $B$, first in their own order, then as the twin has them:

# %% tags=["fold"] name="units"
# The weights into the units of A, of B, and of the twin of B.
rows = [parts(theta, UNITS)[0].T for theta in (corner, far_end, near_end)]
unit_rows = [r / np.linalg.norm(r, axis=1, keepdims=True) for r in rows]
best_first = np.argsort(-(unit_rows[0] * unit_rows[2]).sum(1))
rows = [r[best_first].reshape(-1, 8, 8) for r in rows]
most = max(abs(r).max() for r in rows)
fig, axes = plots.panels(3)
fig.set_size_inches(9.4, 2.8)
fig.set_layout_engine("none")
for k, (ax, row, name) in enumerate(zip(axes, rows, ("A", "B", "twin of B"), strict=True)):
    ax.set_position((0.09, 0.73 - 0.32 * k, 0.9, 0.25))
    wide = np.full((8, 12 * 9 - 1), np.nan)
    for u, picture in enumerate(row):
        wide[:, 9 * u : 9 * u + 8] = picture
    ax.imshow(wide, cmap="RdBu_r", vmin=-0.6 * most, vmax=0.6 * most, interpolation="nearest")
    ax.grid(False)
    cosines = (unit_rows[0] * unit_rows[k]).sum(1)[best_first]
    ax.set_xticks(9 * np.arange(12) + 3.5, [f"{c:.2f}" for c in cosines] if k else [""] * 12)
    ax.tick_params(length=0, labelsize=8)
    ax.set_yticks([])
    ax.set_ylabel(name, rotation=0, ha="right", va="center")
    for spine in ax.spines.values():
        spine.set_visible(False)
plots.Picture(
    fig,
    "Three rows of twelve small images of 8 by 8 weights, red for positive and blue for negative. "
    "Below each unit of B and of its twin stands its cosine with the unit of A: of either sign "
    "for B; for the twin high on the left, falling to the right.",
)

# %% tags=["fold", "nbval-ignore-output"] name="units-numbers"
# How alike two units are: the cosine of the angle between their weights, mean over 12 units.
def likeness(pair):
    a, b = (np.concatenate(parts(pair, UNITS)[:2], axis=-2)[:, m] for m in (0, 1))
    return ((a * b).sum(-2) / np.linalg.norm(a, axis=-2) / np.linalg.norm(b, axis=-2)).mean(-1)

untrained = np.array([[a, twin_near(a, b)] for a, b in begin(UNITS, 2)])
print("cosine of the weights into a pair of units, mean over the pairs")
for name, pair in (("A and B", networks), ("A and the twin of B", matched),
                   ("two untrained networks, paired in the same way", untrained)):
    print(f"{name}: {spread(likeness(pair), '.2f')}")
assert (likeness(matched) > 1.3 * likeness(untrained)).all()

# %% [markdown] name="units-reading"
# (Red: positive, blue: negative weights, in the places of the pixels. Below each unit: the cosine of the angle between its weights and those of the unit of $A$, 1 for equal units, 0 for unrelated ones.) With the nearest twin the cosine is 0.52. So the two runs did not find the same units in another order. They found related ones.
#
# ## When may one average?
#
# Two experiments separate the causes. First, only the start differs: other random weights, the same batches. Second, only the batches differ: the same random weights, other batches. In a third, both models begin at one *trained* network and go on with other batches. Fine-tuning does the same with new data.

# %% tags=["fold"] name="when"
# Four pairs of networks and the regressions, averaged.
same_start = train(begin(UNITS, 2)[:, [0, 0]], UNITS, draw=1, own=True)
tuned = train(networks[:, [0, 0]], UNITS, 300, draw=2, own=True)
families = {
    "softmax regression, other starts": (regressions, 0),
    "networks, other starts": (networks, UNITS),
    "networks, other starts, nearest twin": (matched, UNITS),
    "networks, one random start, other batches": (same_start, UNITS),
    "networks, one trained start, other batches": (tuned, UNITS),
}
lost, walks = {}, {}
for name, (pair, H) in families.items():
    each, middle = judge(pair, H), judge(average(pair), H)
    lost[name] = (each[1] - middle[1]).mean(1)  # points of accuracy
    walks[name] = line(pair, H)
picture = plots.bars(
    {name: plots.band(v) for name, v in lost.items()},
    "right answers that the average loses (% of new digits)",
    "Five bars. The networks with other starts lose 10 to 20 percent, the pair with the twin one "
    "or two. The regressions and the networks with one start, random or trained, lose nothing.",
    title="What the average of two models loses (line: all seeds)",
)
picture.fig.set_size_inches(8.2, 3.3)
picture

# %% tags=["fold", "nbval-ignore-output"] name="when-numbers"
# The numbers of the picture, and how far apart the two models are.
rows = []
for name, (pair, _) in families.items():
    apart = np.linalg.norm(np.diff(pair, axis=1), axis=-1) / np.linalg.norm(pair, axis=-1).mean(1)
    rows.append([name, spread(lost[name], ".1f"), spread(apart, ".2f")])
Table(["pair", "points lost by the average", "distance / length of the weights"], rows,
      "Points: % of new digits; median and range over seeds.")

# %% tags=["fold"] name="when-verdict"
# Only the other starts hurt; the twin mends most of it.
hurt = lost["networks, other starts"]
assert np.median(hurt) > 5 and np.median(lost["networks, one random start, other batches"]) < 2
assert (abs(lost["networks, one trained start, other batches"]) < 2).all()
assert np.median(lost["networks, other starts, nearest twin"]) < 0.4 * np.median(hurt)

# %% [markdown] name="when-reading"
# With other starts the average loses 17 digits of 100, although the batches were the same. With one start it loses none, although the batches differ. The nearest twin of $B$ repairs most of the damage.
#
# The trained start is the safer one. With steps ten times as large a common *random* start no longer suffices, and a common trained start still does. With steps thirty times as large even that is no longer reliable (first table under "Does it hold?").
#
# Wortsman and others (2022) average the weights of many models that were fine-tuned from one. They call the result a *model soup*, and often find it better than its best ingredient. Ainsworth, Hayase and Srinivasa (2022) pair the units of large networks as we did. Between two wide ResNets the ridge disappeared; they also give a counterexample, where no order of the units helps.
#
# ## What breaks
#
# A start that is its own twin. All weights 0 is such a start. A hidden layer whose units are equal is another: exchange two of them, and nothing changes. By the chain rule equal units get equal slopes, so they stay equal for ever. At zero the factor $u$ and the factor $h$ are 0, and the slope of every weight is 0.

# %% tags=["fold"] name="symmetric"
# The same training from three starts.
random = begin(UNITS, 4, 1)
W1, b1, W2, b2 = parts(random, UNITS)
equal = joined(np.repeat(W1[..., :1], UNITS, -1), b1, np.repeat(W2[..., :1, :], UNITS, -2), b2)
first_steps = train(np.concatenate([0 * random, equal, random], axis=1), UNITS, 300, draw=3)
value, right = judge(first_steps, UNITS)
W1 = parts(first_steps, UNITS)[0]
differ = W1.std(-1).mean(-1) / np.sqrt((W1**2).mean((-2, -1)) + 1e-30)

# %% tags=["fold", "nbval-ignore-output"] name="symmetric-numbers"
# After 300 steps.
names_of = ("all weights 0", "twelve equal units", "random")
Table(["start", "loss (nats)", "% right", "how far the units differ"],
      [[name, spread(value[:, k], ".2f"), spread(right[:, k]), spread(differ[:, k], ".2f")]
       for k, name in enumerate(names_of)],
      "Differ: spread over the units / size of a weight. Median and range over seeds.")

# %% tags=["fold"] name="symmetric-verdict"
# Zero guesses, equal units do little better, random ones learn.
assert (right[:, 0] < 20).all() and (right[:, 1] < 75).all() and (100 - right[:, 2] < 15).all()

# %% [markdown] name="exercises"
# The signature: a loss that stays at the 2.3 nats of guessing, or a wide network that learns no more than a single unit can. The cure is a random start, a different one for each unit.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. The bend without the table (6 minutes, easy)
# `z` holds the logits of N examples and `v` a direction for each, both of shape `(N, C)`. Return $v^\top H v$ for each example, shape `(N,)`, without building a table of $C \times C$ numbers: $C$ may be a vocabulary.

# %% name="exercise-bend"
def bend(z, v):
    ### BEGIN SOLUTION
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return (p * v**2).sum(axis=1) - (p * v).sum(axis=1) ** 2
    ### END SOLUTION

# %% name="check-bend"
check("bend")

# %% [markdown] name="exercise-deep-text"
# <details><summary>Hint 1</summary>First the softmax of every row. Take the largest logit off before exp.</details>
# <details><summary>Hint 2</summary>The second line of derivation 1: mean of the squares less square of the mean, with the weights p.</details>
#
# ### 2. Two hidden layers (12 minutes, medium)
# A network without biases: the units are $h_1 = \tanh(x W_1)$ and $h_2 = \tanh(h_1 W_2)$, the logits $h_2 W_3$. `to_z` is the slope of the mean loss by the logits, shape `(N, C)`. Return the gradients of the three matrices, in the order of the layers.

# %% name="exercise-deep"
def deep(x, W1, W2, W3, to_z):
    ### BEGIN SOLUTION
    h1 = np.tanh(x @ W1)
    h2 = np.tanh(h1 @ W2)
    to_a2 = to_z @ W3.T * (1 - h2**2)
    to_a1 = to_a2 @ W2.T * (1 - h1**2)
    return x.T @ to_a1, h1.T @ to_a2, h2.T @ to_z
    ### END SOLUTION

# %% name="check-deep"
check("deep")

# %% [markdown] name="exercise-barrier-text"
# <details><summary>Hint 1</summary>Write by_hand once more: the second hidden layer plays the part that the only one had.</details>
# <details><summary>Hint 2</summary>to_a2 is the slope by the weighted sums of the second layer. For the first layer it does what to_z did for the second, with W2 in the place of W3.</details>
#
# ### 3. How high is the ridge? (10 minutes, medium)
# `losses` has shape `(M, T)`: a row for each of M pairs, the loss at the shares `t`, which run from 0 to 1. The **barrier** of a pair is the most by which the loss on the way from one model to the other rises above the chord between its ends. Return the barriers, shape `(M,)`. A barrier is never negative.

# %% name="exercise-barrier"
def barrier(t, losses):
    ### BEGIN SOLUTION
    chord = (1 - t) * losses[:, :1] + t * losses[:, -1:]
    return (losses - chord).max(axis=1)
    ### END SOLUTION

# %% name="check-barrier"
check("barrier")

# %% [markdown] name="measure-text"
# <details><summary>Hint 1</summary>The chord at t is (1 - t) times the first loss plus t times the last one.</details>
# <details><summary>Hint 2</summary>losses[:, :1] keeps the shape (M, 1), so it can be multiplied by a row of T shares.</details>
#
# Now measure the five kinds of pairs. Which barriers must be 0, and which just are?

# %% tags=["nbval-ignore-output"] name="measure"
for name, walk in walks.items():
    found = barrier(steps_between, walk)
    print(f"{name}: {'no answer yet' if found is None else spread(found, '.3f') + ' nats'}")

# %% [markdown] name="takeaways"
# <details><summary>What it means (after solving)</summary>The barrier of the regressions must be 0: that is convexity. No theorem makes it small for networks with one start; here it is small. Frankle and others (2020) measured such pairs. In large networks a common random start is not enough: the runs must share the first part of the training as well.</details>
#
# ## Takeaways
#
# - Cross-entropy bends along every direction by a variance, so it is convex in the logits and in the weights of softmax regression. The bowl is flat along equal shifts of all logits, and far out.
# - A hidden layer breaks the bowl: turn or exchange its units, and the same function sits at another place. On the way there the loss can rise as high as guessing.
# - Average weights of models that went in small steps from one trained start. Do not average networks from different starts, and do not start a hidden layer with equal units.
#
# ## Does it hold?
#
# **Larger steps.** Pairs trained for 1000 steps with ten times the learning rate. The trained start of the last pairs is network $A$:

# %% tags=["fold", "nbval-ignore-output"] name="control-rate"
# Points lost by the average, learning rate 0.1 (last row 0.3) instead of 0.01.
def loses(pair, H=UNITS, relu=False):
    return judge(pair, H, relu)[1].mean(1) - judge(average(pair), H, relu)[1][:, 0]

far = train(begin(UNITS, 2), UNITS, lr=0.1)
shared = train(begin(UNITS, 2)[:, [0, 0]], UNITS, lr=0.1, draw=1, own=True)
onward = train(networks[:, [0, 0]], UNITS, lr=0.1, draw=2, own=True)
fast = {"other starts": far, "other starts, nearest twin": np.array([[a, twin_near(a, b)]
        for a, b in far]), "one random start, other batches": shared,
        "one trained start, other batches": onward,
        "one trained start, rate 0.3": train(networks[:, [0, 0]], UNITS, lr=0.3, draw=4, own=True)}
rises = {name: judge(average(pair), UNITS)[0][:, 0] - judge(pair, UNITS)[0].mean(1)
         for name, pair in fast.items()}  # of the training loss
Table(["pair", "each, % right", "points lost by the average", "ridge in the middle (nats)"],
      [[name, spread(judge(pair, UNITS)[1]), spread(loses(pair), ".1f"),
        spread(rises[name], ".2f")] for name, pair in fast.items()],
      "Median and range over seeds.")

# %% tags=["fold"] name="control-rate-verdict"
# One random start is no longer enough; one trained start is.
assert np.median(loses(shared)) > 0.5 and np.median(loses(onward)) < 1
_, _, random_start, trained_start, too_far = (np.median(v) for v in rises.values())
assert trained_start < 0.75 * random_start and too_far > 1.25 * trained_start

# %% [markdown] name="control-rate-text"
# From one random start the average now loses 2 digits of 100. From one trained start it loses none, and the ridge is lower. At a rate of 0.3 even the trained start leaves a ridge of 0.4 nats in the median.
#
# **Other widths, another function in the units.** Pairs with other starts and their twins, for more and fewer units:

# %% tags=["fold", "nbval-ignore-output"] name="control-width"
# Points lost by the average; 600 steps.
rows, widths = [], {}
for units, relu in ((6, False), (12, False), (24, False), (48, False), (24, True)):
    pair = train(begin(units, 5), units, 600, relu=relu)
    twin = np.array([[a, twin_near(a, b, units)] for a, b in pair]) if not relu else None
    each = judge(pair, units, relu)[1].mean(1)
    losses_of = [loses(p, units, relu) for p in (pair, twin) if p is not None]
    widths[units, relu] = losses_of
    rows.append([units, "max(a, 0)" if relu else "tanh", spread(each),
                 *(spread(v, ".1f") for v in losses_of), *["-"] * (2 - len(losses_of))])
Table(["units", "function", "each, % right", "points lost by the average", "with the twin"], rows,
      "Median and range over seeds.")

# %% tags=["fold"] name="control-width-verdict"
# The twin helps at every width, and wide networks lose less than narrow ones.
assert np.median(widths[48, False][0]) < 0.6 * np.median(widths[6, False][0])
assert all(np.median(v[1]) < np.median(v[0]) for v in widths.values() if len(v) == 2)

# %% [markdown] name="control-width-text"
# 48 units lose less than 6. No pair trained apart falls to guessing; the full turn does. The rectifier $\max(a, 0)$ has no turned twins, only exchanged ones; its pairs suffer too.
#
# **Is the nearest twin just any twin?** Twenty random twins of each $B$, in random order and with random signs, averaged with $A$:

# %% tags=["fold", "nbval-ignore-output"] name="control-twins"
# Points lost by the average with a random twin, over twins and seeds.
rng, drawn_twins = np.random.default_rng(seed), []
for _ in range(20):
    order, sign = rng.permutation(UNITS), rng.choice([-1.0, 1.0], UNITS)
    W1, b1, W2, b2 = parts(B, UNITS)
    other = joined(W1[..., order] * sign, b1[..., order] * sign, W2[..., order, :] * sign[:, None],
                   b2)
    drawn_twins.append(judge(average(np.concatenate([A, other], axis=1)), UNITS)[1][:, 0])
drawn_twins = judge(networks, UNITS)[1].mean(1) - np.array(drawn_twins)
near = lost["networks, other starts, nearest twin"]
print(f"random twins lose {spread(drawn_twins)} points, the nearest one {spread(near, '.1f')}")
assert drawn_twins.min(0).mean() > near.mean()

# %% [markdown] name="sources"
# ## Sources
#
# - D. Rumelhart, G. Hinton and R. Williams, 1986: *Learning representations by back-propagating errors*, Nature 323.
# - R. Entezari, H. Sedghi, O. Saukh and B. Neyshabur, 2021: *The role of permutation invariance in linear mode connectivity of neural networks*, ICLR 2022 (the conjecture that reordered units leave no barrier).
# - S. Ainsworth, J. Hayase and S. Srinivasa, 2022: *Git Re-Basin: merging models modulo permutation symmetries*, ICLR 2023.
# - J. Frankle, G. Dziugaite, D. Roy and M. Carbin, 2020: *Linear mode connectivity and the lottery ticket hypothesis*, ICML 2020.
# - M. Wortsman and others, 2022: *Model soups: averaging weights of multiple fine-tuned models improves accuracy without increasing inference time*, ICML 2022.
