# ---
# jupyter:
#   lesson:
#     title: Robust and quantile regression
#     minutes: 40
#     settles: [G10]
# ---

# %% [markdown]
# # Robust and quantile regression
#
# **Goal.** Ask a model for a quantile instead of the middle, and let a loss find out by itself how far it should trust far values. **40 minutes:** reading 20, exercises 20.
#
# **The question.** Lesson 5 left us with a choice: squared error for clean data, absolute error for spoilt data. Nobody tells us which we have. Can the loss learn it?

# %% tags=["parameters"] name="parameters"
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup"
import numpy as np
import sympy as sp

from lessons_lib import bridge, data, parity, plots
from lessons_lib.checks import check
from lessons_lib.losses import absolute_error, barron, barron_nll, log_cosh, quantile_loss, squared_error
from lessons_lib.optim import Adam
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)

# %% [markdown]
# ## The formula
#
# The source document promises adaptive losses and gives none. G10 in our list of what it lacks is Barron's, one formula for a whole family; beside it stand two that other libraries have, though PyTorch does not. With the residual $r = \hat y - y$:
#
# $$\text{quantile: } \begin{cases}(1 - q)\, r & r > 0\\ -q\, r & \text{else}\end{cases} \qquad \text{log-cosh: } \log \cosh r \qquad \text{Barron: } \rho_\alpha(r) = \frac{b}{\alpha} \bigg[ \Big( \frac{(r / c)^2}{b} + 1 \Big)^{\alpha / 2} - 1 \bigg],\ b = |\alpha - 2|$$
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $\hat y$; $y$ | `pred`; `target` | any, the same | prediction and target |
# | $q$ | `q` | a number in $(0, 1)$ | the share of targets that should lie below |
# | $\alpha$ | `alpha` | a number | the shape: how much a far value counts |
# | $c$ | `scale` | a number > 0 | the size of an ordinary residual |
#
# ## Derivation
#
# 1. The quantile loss has the slope $1 - q$ for targets below the prediction, $-q$ for those above. If a share $s$ of the targets lies below, the mean slope is $s (1 - q) - (1 - s)\, q = s - q$. It is 0 where $s = q$: **at the quantile.** For $q = \frac12$ this is half the absolute error.
# 2. $\log\cosh r$ is about $r^2 / 2$ near 0 and $|r| - \log 2$ far away. Its slope is $\tanh r$: Huber without a seam.
# 3. Barron's loss at $\alpha = 2$ (as a limit) is $\frac12 (r/c)^2$, at 1 $\sqrt{(r/c)^2 + 1} - 1$, at 0 (a limit) $\log(\frac12 (r/c)^2 + 1)$.
# 4. Its slope far away goes like $|r|^{\alpha - 1}$: it grows for $\alpha > 1$, stays for $\alpha = 1$, and **falls back to 0 for $\alpha < 1$**: such a loss lets go of a far value.
# 5. At every $r \ne 0$, $\rho_\alpha$ grows with $\alpha$. Told to minimise it over $\alpha$, an optimizer would choose $-\infty$, whatever the data. As a probability, $p(y) = e^{-\rho_\alpha} / (c\, Z(\alpha))$, it must sum to 1: then a smaller $\alpha$ has a price, $\log Z$, and $-\log p = \rho_\alpha + \log c + \log Z(\alpha)$ can be minimised over $\alpha$ and $c$. ($Z$ is finite only for $\alpha \ge 0$: below 0, $\rho_\alpha$ levels off, so that $e^{-\rho_\alpha}$ never falls to 0.)

# %% name="derivation"
r, alpha, q, s = sp.symbols("r alpha q s", positive=True)
assert sp.simplify(s * (1 - q) - (1 - s) * q - (s - q)) == 0  # line 1
assert sp.simplify(sp.diff(sp.log(sp.cosh(r)), r) - sp.tanh(r)) == 0  # line 2
assert sp.series(sp.log(sp.cosh(r)), r, 0, 4).removeO() == r**2 / 2
assert np.isclose(log_cosh(np.array([20.0]), np.zeros(1)).value, 20 - np.log(2))
general = (2 - alpha) / alpha * ((r**2 / (2 - alpha) + 1) ** (alpha / 2) - 1)  # c = 1, alpha < 2
assert sp.simplify(general.subs(alpha, 1) - (sp.sqrt(r**2 + 1) - 1)) == 0  # line 3
near_2, near_0 = barron(np.array([3.0]), 2.0, 1.0, np.zeros(1)), barron(np.array([3.0]), 0.0, 1.0, np.zeros(1))
assert np.isclose(near_2.value, 4.5) and np.isclose(near_0.value, np.log(5.5))
far = np.array([1e4, 1e5])
for a in (1.5, 1.0, 0.0, -2.0):  # line 4: ten times as far, 10^(alpha - 1) times the slope
    slope = barron(far, a, 1.0, 0 * far).grad.pred
    assert np.isclose(slope[1] / slope[0], 10 ** (a - 1), rtol=0.01)
at = np.array([0.3, 1.0, 10.0])
assert all((barron(at, a, 1.0, 0 * at).grad.alpha > 0).all() for a in np.linspace(-5, 1.9, 20))  # line 5
y = np.sinh(np.linspace(-40, 40, 400_001))
for a in (0.0, 1.0, 2.0):  # the density sums to 1
    assert np.isclose(np.trapezoid(np.exp(-barron_nll(y, a, 1.0, 0 * y).value), y), 1)
print("lines 1 to 5 hold")

# %% [markdown]
# ## Code

# %% name="source"
show(quantile_loss, log_cosh, barron, barron_nll)

# %% [markdown]
# The formula divides by $\alpha$ and by $b$, which may be 0; the code rearranges it so that no limit needs a case of its own. The source document's steps (predict, loss of each example, mean) stay as they are; one more parameter, $\alpha$, is learned beside the model's.
#
# ## Parity
#
# PyTorch has none of the four. The judge is its formula in plain torch, differentiated by autograd:

# %% tags=["nbval-ignore-output"] name="parity-quantile"
parity.table("quantile_loss", setting.device)

# %% tags=["nbval-ignore-output"] name="parity-log-cosh"
parity.table("log_cosh", setting.device)

# %% tags=["nbval-ignore-output"] name="parity-barron"
parity.table("barron", setting.device)

# %% tags=["nbval-ignore-output"] name="parity-barron-nll"
parity.table("barron_nll", setting.device)

# %% [markdown]
# ## Picture
#
# A linear model of the diabetes data, targets standardised. A share of the *training* targets is spoilt: a meter that jams adds something between 0 and 8. The test data are clean. Five losses; the last learns $\alpha = 2 \sigma(a)$ (between 0 and 2; $\sigma$ is the sigmoid of lesson 1) and $c = e^k$ beside the weights.

# %% name="problem"
def regression(s, share, jam=8):
    d, rng = data.diabetes(s), np.random.default_rng(s)
    y, y_test = ((v - d.y.mean()) / d.y.std() for v in (d.y, d.y_test))
    jammed = rng.random(len(y)) < share
    x, x_test = (np.c_[v, np.ones(len(v))] for v in (d.x, d.x_test))
    return x, y + jammed * jam * rng.random(len(y)), x_test, y_test

def fit(gradient, x, y, extra=0, steps=300):
    theta, rule = np.zeros(x.shape[1] + extra), Adam(0.05)
    state = rule.init(theta)
    for _ in range(steps):
        theta, state = rule.update(theta, gradient(theta, x, y), state)
    return theta

def of(loss):
    return lambda theta, x, y: x.T @ loss(x @ theta, y).grad / len(y)

# %% name="learned"
def learned(theta, x, y):
    w, a, k = theta[:-2], theta[-2], theta[-1]
    alpha, scale = 2 / (1 + np.exp(-a)), np.exp(k)
    grad = barron_nll(x @ w, alpha, scale, y).grad
    by_a = grad.alpha.mean() * alpha * (1 - alpha / 2)  # the chain rule through the sigmoid
    by_k = grad.scale.mean() * scale
    return np.concatenate([x.T @ grad.pred / len(y), [by_a, by_k]])

kinds = {"squared": of(squared_error), "absolute": of(absolute_error), "log-cosh": of(log_cosh)}
kinds["Barron, alpha = -2"] = lambda theta, x, y: x.T @ barron(x @ theta, -2.0, 1.0, y).grad.pred / len(y)
kinds["Barron, alpha learned"] = learned

# %% name="compare"
shares, error, alphas = (0.0, 0.1, 0.2, 0.4), {}, {}
for share in shares:
    for s in setting.seeds:
        x, y, x_test, y_test = regression(s, share)
        for name, gradient in kinds.items():
            theta = fit(gradient, x, y, extra=2 if gradient is learned else 0)
            error.setdefault((name, share), []).append(np.mean((x_test @ theta[: x.shape[1]] - y_test) ** 2))
        alphas.setdefault(share, []).append(2 / (1 + np.exp(-theta[-2])))
error = {key: np.array(v) for key, v in error.items()}

# %% name="picture"
plots.lines(
    np.array(shares) * 100,
    {name: tuple(np.quantile([error[name, p] for p in shares], [0, 0.5, 1], axis=1)) for name in kinds},
    "spoilt training targets, per cent", "squared error on clean test data (log)",
    "Test error against the share of spoilt targets. Squared error grows fastest, log-cosh and absolute error slowly, both "
    "Barron losses least. Without spoilt targets all five are close.",
    title="Who notices the jammed meter? (band: all seeds)", log="y",
)

# %% name="picture-verdict"
def better(a, b, share):  # in every seed, by how much at least
    return (error[b, share] / error[a, share]).min()

best, fixed = "Barron, alpha learned", "Barron, alpha = -2"
assert np.median(error[best, 0.0] / error["squared", 0.0]) < 1.02  # nothing lost on clean data
assert better(best, "squared", 0.2) > 1.1 and np.median(error["log-cosh", 0.2] / error[best, 0.2]) > 1.05
assert np.median(error[best, 0.4] / error[fixed, 0.4]) > 1.05 and min(alphas[0.4]) > 0.02  # where it loses, away from 0
assert min(alphas[0.0]) > 1.6 and max(alphas[0.1]) < 0.8
print("learned alpha: above 1.6 on clean targets, below 0.8 with one in ten spoilt, in every seed")

# %% [markdown]
# The loss finds out by itself: near 2 (squared error) where the data are clean, far lower where they are not, at no cost in the first case. At 40 per cent it loses to the fixed $\alpha = -2$, and not for want of a smaller $\alpha$, which settles above its limit 0: a density must give every target its probability, the spoilt ones too; a fixed loss need not explain what it lets go.
#
# This meter errs grossly. One that adds between 0 and 3, in two targets of five:

# %% name="mild"
mild = []
for s in setting.seeds:
    x, y, x_test, y_test = regression(s, 0.4, jam=3)
    thetas = fit(learned, x, y, extra=2)[:-2], fit(kinds["absolute"], x, y)
    mild.append(np.divide(*(np.mean((x_test @ theta - y_test) ** 2) for theta in thetas)))
print("mild errors: over 1.05 times the error of the absolute loss, in the median:", np.median(mild) > 1.05)
assert np.median(mild) > 1.05

# %% [markdown]
# Small errors look like noise, and the loss takes them for it. And the fixed loss of the picture? It has a scale to be set: $c = 1$ suits standardised targets. With another, one target in five spoilt:

# %% name="scales"
def with_scale(c):
    return lambda theta, x, y: x.T @ barron(x @ theta, -2.0, c, y).grad.pred / len(y)

worse = {}
for c in (0.1, 1.0, 10.0):
    for s, reference in zip(setting.seeds, error[best, 0.2], strict=True):
        x, y, x_test, y_test = regression(s, 0.2)
        theta = fit(with_scale(c), x, y)
        worse.setdefault(c, []).append(np.mean((x_test @ theta - y_test) ** 2) / reference)
    print(f"c = {c:4}: more than 1.1 times the error of the learned loss, in the median:", np.median(worse[c]) > 1.1)
assert np.median(worse[1.0]) < 1.1 < min(np.median(worse[0.1]), np.median(worse[10.0]))

# %% [markdown]
# ## An interval instead of a number
#
# Two quantiles, 0.1 and 0.9, enclose four targets in five. The usual shortcut does the same with one model: least squares, plus and minus 1.28 standard deviations of its residuals. Which interval holds what it says?

# %% name="intervals"
def quantile_model(x, y, q):
    return fit(lambda theta, x, y: x.T @ quantile_loss(x @ theta, y, q).grad / len(y), x, y, steps=600)

held = {"two quantiles": [], "least squares ± 1.28 sd": []}
for s in setting.seeds:
    x, y, x_test, y_test = regression(s, 0.0)
    low, high = (x_test @ quantile_model(x, y, q) for q in (0.1, 0.9))
    middle = np.linalg.lstsq(x, y, rcond=None)[0]
    sd = (y - x @ middle).std()
    order, n = np.argsort(x_test @ middle), len(y_test) // 3
    insides = (low < y_test) & (y_test < high), abs(y_test - x_test @ middle) < 1.28 * sd
    for name, inside in zip(held, insides, strict=True):
        held[name].append([inside.mean(), inside[order[:n]].mean(), inside[order[-n:]].mean()])

# %% name="intervals-table" tags=["nbval-ignore-output"]
rows = [[name, *(f"{m:.2f} ± {e:.2f}" for m, e in zip(np.mean(h, 0), np.std(h, 0), strict=True))] for name, h in held.items()]
Table(["share of test targets inside (0.80 was asked)", "all", "lowest third", "highest third"], rows,
      "Thirds by the prediction. ± is the standard deviation over seeds.")

# %% name="intervals-verdict"
gap = {name: np.median(np.abs(np.diff(np.array(h)[:, 1:]))) for name, h in held.items()}
both = [np.mean(np.array(h)[:, 0]) for h in held.values()]
assert gap["least squares ± 1.28 sd"] > max(0.1, gap["two quantiles"])
assert abs(both[0] - both[1]) < 0.05 and min(both) > 0.7
print("same share on the whole; one width for all patients is too wide for mild cases and too narrow for severe ones")

# %% [markdown]
# On the whole the two agree. But severe cases vary more, and one width cannot follow. Neither keeps its promise exactly: two quantiles hold 0.80 of the targets that they were fitted to, a little less of new ones, and the share differs from split to split (±).
#
# ## What breaks
#
# ### A loss that lets go can let go of the wrong ones
#
# For $\alpha < 1$ the loss is not convex. 70 values near 0, 30 near 20; gradient descent for the best constant, from both ends:

# %% name="stuck"
rng = np.random.default_rng(seed)
values = np.concatenate([rng.normal(0, 1, 70), rng.normal(20, 1, 30)])
ends, rows = {}, []
for a in (2.0, 1.0, 0.0, -2.0):
    for start in (0.0, 20.0):
        constant = start
        for _ in range(4000):
            constant -= 0.5 * barron(np.full(100, constant), a, 1.0, values).grad.pred.mean()
        ends[a, start] = constant
    rows.append([f"{a:g}", *(f"{ends[a, start]:.1f}" for start in (0.0, 20.0))])
assert all(abs(ends[a, 0.0] - ends[a, 20.0]) < 0.1 for a in (2.0, 1.0))
assert all(ends[a, 20.0] - ends[a, 0.0] > 18 for a in (0.0, -2.0))
Table(["alpha", "from 0", "from 20"], rows)

# %% [markdown]
# $\alpha = 2$ answers with the mean, which is in neither group; $\alpha = 1$ with nearly the middle of the larger group, from everywhere. Below 1 the start decides: from 20, the *majority* is taken for outliers. Start such a loss from a robust fit, or lower $\alpha$ slowly from 2.
#
# ## Exercises
#
# ### 1. How many loaves? (7 minutes, easy)
# A missing loaf costs the bakery `short`, a loaf left over costs `left`. Given the demands `y` of past days, return the number of loaves, one of the `y`, with the lowest total cost.

# %% name="exercise-loaves"
def loaves(y, short, left):
    ### BEGIN SOLUTION
    q = short / (short + left)
    y = np.sort(y)
    return y[np.argmax(np.arange(1, len(y) + 1) / len(y) >= q)]
    ### END SOLUTION

# %% name="check-loaves"
check("loaves")

# %% [markdown]
# <details><summary>Hint 1</summary>The cost of one day has two slopes. Which q has the same two, up to a factor?</details>
# <details><summary>Hint 2</summary>Or try every y: an answer need not be clever to be right.</details>
#
# ### 2. The expectile (6 minutes, medium)
# Squared error has a lopsided relative: $w\, r^2$ with $w = 1 - q$ where $r > 0$ and $w = q$ elsewhere. Return its value and its slope by the prediction, as a pair.

# %% name="exercise-expectile"
def expectile_loss(pred, target, q):
    ### BEGIN SOLUTION
    r = pred - target
    w = np.where(r > 0, 1 - q, q)
    return w * r**2, 2 * w * r
    ### END SOLUTION

# %% name="check-expectile"
check("expectile_loss")

# %% [markdown]
# <details><summary>Hint 1</summary>r is prediction less target: r > 0 means that the prediction is too high.</details>
# <details><summary>Hint 2</summary>On each side of 0, w is a constant.</details>
#
# ### 3. Least squares that forgives (7 minutes, hard)
# A loss with slope $\psi(r)$ whose $\psi(r) / r$ falls as $|r|$ grows can be fitted by repeated *weighted* least squares with the weights $\psi(r) / r$. (For $r^4$, where it grows, the steps may swing for ever.) Make one such step for Barron's loss at $\alpha = 0$: from `theta`, compute the weights, and return the minimiser of $\sum_n w_n (x_n \cdot \theta' - y_n)^2$.

# %% name="exercise-reweighted"
def reweighted(theta, x, y, c):
    ### BEGIN SOLUTION
    r = x @ theta - y
    w = 1 / (r**2 / 2 + c**2)
    return np.linalg.solve(x.T @ (w[:, None] * x), x.T @ (w * y))
    ### END SOLUTION

# %% name="check-reweighted"
check("reweighted")

# %% [markdown]
# <details><summary>Hint 1</summary>Differentiate line 3's formula for α = 0, and divide by r. A factor common to all weights changes nothing.</details>
# <details><summary>Hint 2</summary>The minimiser solves (Xᵀ W X) θ' = Xᵀ W y, W diagonal: np.linalg.solve.</details>
#
# [All solutions of this lesson](../../solutions/03_algorithms/06_robust.ipynb)
#
# ## Takeaways
#
# - A quantile loss asks for a quantile, two of them for an interval that widens where the data do; on new data it holds about what it promises, not exactly.
# - **G10: confirmed on these data, for gross errors:** Barron's loss, normalised, learns its own $\alpha$ and loses nothing on clean targets; against many mild errors the absolute error was better. Without $\log Z$ it would always choose to forgive everything.
# - Do not use $\alpha < 1$ from an arbitrary start, nor robust losses where the far values are the ones that matter (floods, fraud): they are built to ignore them.
