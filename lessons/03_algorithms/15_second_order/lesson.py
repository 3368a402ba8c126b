# ---
# jupyter:
#   lesson:
#     title: "Second order: Newton, conjugate gradient, L-BFGS"
#     question: "Newton needs one step where gradient descent needs thousands: is it the price, the noise or the saddles that keeps it out of training?"
#     minutes: 60
#     needs: [03_sgd]
#     settles: [G22, E8]
#     studies: [second_order.newton_direction, second_order.conjugate_gradient, second_order.two_loop]
# ---

# %% [markdown] name="goal"
# # Second order: Newton, conjugate gradient, L-BFGS
#
# **Goal.** Know what curvature buys, count honestly what it costs, and see where it fails.
#
# **The question.** Newton's method reaches in *one* step the bottom of a bowl that takes gradient descent thousands. Yet PyTorch does not even offer it. Three suspects: the **price** of a step,
# the **noise** of mini-batches, the **saddle points**. Which of them is guilty?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: device, seed, profile
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup" tags=["fold"]
# Set-up: imports, and the device to compute on
import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, data, exercises, plots
from lessons_lib import second_order as second
from lessons_lib.landscapes import quadratic, rosenbrock, styblinski_tang
from lessons_lib.losses import binary_cross_entropy
from lessons_lib.optim import SGD, Adam, Momentum
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/15_second_order")

# %% [markdown] name="formula"
# ## The formula
#
# The source document names Newton's method (Newton 1669, Raphson 1690) and conjugate gradients without a formula. The damping $\nu$ is Levenberg's (1944, *A method for the solution of certain non-linear problems in least squares*) and Marquardt's (1963, *An algorithm for least-squares estimation of nonlinear parameters*).
#
# $$\text{Newton:}\quad \theta_t = \theta_{t-1} - H^{-1} g \qquad\qquad \text{damped:}\quad \theta_t = \theta_{t-1} - (H + \nu I)^{-1} g$$
#
# **Conjugate gradients** (CG; Hestenes and Stiefel 1952, *Methods of conjugate gradients for solving linear systems*) minimise $\frac12 \theta \cdot A \theta - b \cdot \theta$ from products $A p$ alone. Start with $p = r = b - A \theta$, which is $-g$; then, with $'$ for the new value,
#
# $$a = \frac{r \cdot r}{p \cdot A p} \qquad \theta' = \theta + a\, p \qquad r' = r - a\, A p \qquad p' = r' + \beta\, p, \quad \beta = \frac{r' \cdot r'}{r \cdot r}$$
#
# On any other function $-g$ stands for $r$, a line search finds $a$, and $\beta = \max\big(0, \frac{g' \cdot (g' - g)}{g \cdot g}\big)$ (Polak and Ribière 1969, with the maximum of Powell 1986) forgets the old direction after a step without progress.
# **L-BFGS** (Liu and Nocedal 1989, *On the limited memory BFGS method for large scale optimization*, after Broyden, Fletcher, Goldfarb and Shanno, all 1970) steps by $-K g$. Its estimate $K$ of $H^{-1}$ starts as the multiple of $I$ that brings the newest $y$ (below) nearest to its $s$, $\frac{s \cdot y}{y \cdot y} I$; each of the last few pairs $s = \theta' - \theta$, $y = g' - g$, oldest first, makes of it, with $\rho = 1 / (s \cdot y)$,
#
# $$K' = (I - \rho\, s y^\top)\, K\, (I - \rho\, y s^\top) + \rho\, s s^\top$$
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $\theta, g$ | `theta`, `g` | $(d,)$ | parameters; gradient of the objective $J$ |
# | $H$; $A$; $K$ | `h`; `A`; `K` | $(d, d)$ | second derivatives of $J$ (the Hessian); a constant, positive definite one; an estimate of $H^{-1}$ |
# | $\nu$ | `damping` | a number $\ge 0$ | what is added to every curvature |
# | $r, p$; $a, \beta$ | `r`, `p`; `step`, `beta` | $(d,)$; numbers | residual, direction; step length, share of the old direction |
# | $s, y$ | `s`, `y` | $(d,)$ | change of $\theta$ and of $g$ in one step |
#
# ## Derivation
#
# 1. The parabola $J + g \cdot u + \frac12 u \cdot H u$ has the gradient $g + H u$ with respect to the step $u$, which is 0 at $u = -H^{-1} g$. If $J$ *is* a parabola, **one step** is enough.
# 2. Stretch and turn the axes, $\theta = M \phi$ with an invertible $M$: the gradient becomes $M^\top g$, the Hessian $M^\top H M$, and Newton's step in $\phi$, brought back by $M$, is the old one. **The condition number does not matter.**
# 3. Near a minimum of a function $f$ of one number, with $f_2 > 0$, at the distance $e$, Newton's next distance is $\frac{f_3}{2 f_2} e^2$ and smaller terms ($f_k$: the $k$-th derivative there). **The number of right digits doubles.**
# 4. Along an eigenvector of curvature $h$ the step is $-g / h$: for $h < 0$ it goes *uphill*, towards a flat point of whichever kind. Damping with $\nu > -h$ turns it downhill.
# 5. No slope is left along the last direction, so $r \cdot p = r \cdot r$, and the step $a$ leaves none along $p$: $r' \cdot p = 0$. The last direction stays flat, too, for $A p$ is orthogonal to it; so $r' \cdot r = 0$. As $A p = (r - r') / a$, CG's $\beta$ makes $p' \cdot A p = (\beta\, r \cdot r - r' \cdot r') / a = 0$. With the older directions it holds by induction: all are
#    *conjugate*, $p_i \cdot A p_j = 0$. A step along one does not spoil what the others did, and there are at most $d$: **$d$ steps**. And from $\theta = 0$, $r$ after $k$ steps is $b$ times a polynomial of degree $k$ in $A$ that is 1 at
#    0; CG picks the one with the lowest objective. A polynomial that is 0 at every eigenvalue gives $r = 0$: **one step per *different* eigenvalue** will do.
# 6. On a parabola $y = H s$, so an estimate of $H^{-1}$ should turn $y$ into $s$. In $K' y$ the right bracket wipes out what $K$ said of $y$, as $(I - \rho\, y s^\top)\, y = 0$, and the last term puts $s$ there: **$K' y = s$**. The left bracket keeps $K'$ symmetric.
#    No matrix is built: applied to $g$, the right brackets come first, newest pair first, then the multiple of $I$, then each left one with its $\rho\, s s^\top$, oldest first: two loops over the pairs.

# %% name="derivation"
e, f2, f3, f4 = sp.symbols("e f2 f3 f4")
H, M = sp.Matrix([[3, 1], [1, 2]]), sp.Matrix(2, 2, sp.symbols("m1:5"))
g, u = sp.Matrix(sp.symbols("g1:3")), sp.Matrix(sp.symbols("u1:3"))
parabola = (g.T * u + u.T * H * u / 2)[0]
stationary = sp.solve([parabola.diff(x) for x in u], list(u))
assert sp.simplify(u.subs(stationary) + H.inv() * g) == sp.zeros(2, 1)  # line 1
assert sp.simplify(M * (M.T * H * M).inv() * M.T * g - H.inv() * g) == sp.zeros(2, 1)  # line 2
f = f2 * e**2 / 2 + f3 * e**3 / 6 + f4 * e**4 / 24  # its minimum is at 0
next_e = sp.series(e - f.diff(e) / f.diff(e, 2), e, 0, 3).removeO()
assert sp.simplify(next_e - f3 / (2 * f2) * e**2) == 0  # line 3

# %% name="derivation-cg"
turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(5, 5)))[0]
for curvatures in ([1, 2, 3, 4, 5], [1, 1, 1, 7, 7]):
    A, b = (turn * curvatures) @ turn.T, np.ones(5)
    path = second.conjugate_gradient(A.dot, b, tolerance=1e-8)
    steps = np.diff(path, axis=0)  # along the directions
    scaled = steps / np.sqrt(np.sum(steps @ A * steps, axis=1, keepdims=True))
    assert np.allclose(scaled @ A @ scaled.T, np.eye(len(steps)), atol=1e-6)  # conjugate: line 5
    assert len(steps) == len(set(curvatures)) and np.allclose(A @ path[-1], b)

# %% name="derivation-library"
draw = np.random.default_rng(seed).normal
g, A, M = draw(size=3), np.diag([1.0, 20.0, 400.0]), draw(size=(3, 3))
step = second.newton_direction(g, A)
assert np.allclose(A @ step, -g)  # line 1
assert np.allclose(M @ second.newton_direction(M.T @ g, M.T @ A @ M), step)  # line 2
g, h = np.array([1.0, 1.0]), np.diag([2.0, -1.0])
uphill, downhill = (second.newton_direction(g, h, damping)[1] for damping in (0, 1.5))
assert uphill > 0 > downhill  # line 4
bowl, I = np.diag(np.linspace(1, 9, 6)), np.eye(6)
*changes, g = np.random.default_rng(seed).normal(size=(4, 6))
pairs = [(s, bowl @ s) for s in changes]
s, y = pairs[-1]
K = (s @ y) / (y @ y) * I
for s, y in pairs:
    left = I - np.outer(s, y) / (s @ y)
    K = left @ K @ left.T + np.outer(s, s) / (s @ y)
    assert np.allclose(K @ y, s)  # line 6
assert np.allclose(second.two_loop(g, pairs), -K @ g)  # without a matrix

# %% [markdown] name="code"
# ## Code

# %% name="source"
show(second.newton_direction, second.two_loop)

# %% [markdown] name="after-source"
# Newton makes one `solve`, no inverse. The line search of L-BFGS and CG looks for a step that lowers the value enough and leaves little slope (`strong_wolfe`).
#
# Now a race, until every $|g| \le 10^{-4}$: on bowls with $d = 20$ and $d = 500$ curvatures from 1 to 1000, and in Rosenbrock's curved valley, $d = 2$. **The unit is one gradient**; its value comes along, and a
# Hessian costs $d$ of them, one for each column. That is kind to Newton: its `solve`, some $d^3$ multiplications, is not charged. Gradient descent and momentum get the bowl's constants from the lesson on momentum; in the valley a
# rate 5 % below gradient descent's edge at the minimum, and momentum 0.9 at half of it.

# %% name="price"
def price(method, land, starts):  # in gradients, one for each start
    def counted(name):
        def call(theta):
            calls[name] += 1
            return getattr(land, name)(theta)
        return call
    costs = []
    for start in starts:
        calls = {"value": 0, "gradient": 0, "hessian": 0}
        method(*map(counted, calls), start)
        costs.append(calls["gradient"] + len(start) * calls["hessian"])
    return costs

# %% name="first-order"
def first_order(on_bowl, in_valley):
    def run(value, gradient, hessian, theta):
        rule, g = (on_bowl if len(theta) > 2 else in_valley), gradient(theta)
        state = rule.init(theta)
        while abs(g).max() > 1e-4:
            theta, state = rule.update(theta, g, state)
            g = gradient(theta)
        assert np.isfinite(g).all()  # it has not diverged
    return run

# %% name="methods"
valley, r = rosenbrock(), 1000**0.5
lr = 0.95 * 2 / np.linalg.eigvalsh(valley.hessian(np.ones(2))).max()
heavy = Momentum(4 / (1 + r) ** 2, ((r - 1) / (r + 1)) ** 2)
stop = {"tolerance_grad": 1e-4, "steps": 2000}
more = {"history": 10, "tolerance_change": 0, "max_evals": 9999}
methods = {  # how it runs; the numbers that it keeps beside theta and g
    "gradient descent": (first_order(SGD(2 / 1001), SGD(lr)), "0"),
    "momentum": (first_order(heavy, Momentum(lr / 2)), "d"),
    "CG with line search": (lambda f, g, h, x: second.nonlinear_cg(f, g, x, **stop), "2 d"),
    "L-BFGS, 10 pairs": (lambda f, g, h, x: second.lbfgs(f, g, x, **more, **stop), "20 d"),
    "Newton": (lambda f, g, h, x: second.newton(g, h, x, **stop), "d²"),
}

# %% name="race" tags=["nbval-ignore-output"]
def starts(centre, spread):
    rngs = map(np.random.default_rng, setting.seeds[:3])
    return [centre + spread * rng.normal(size=len(centre)) for rng in rngs]

bowls = [quadratic(*np.logspace(0, 3, d)) for d in (20, 500)]
lands = [(bowl, starts(bowl.minima[0], 1)) for bowl in bowls]
lands += [(valley, starts(np.array([-1.2, 1]), 0.1))]
costs = {name: [price(run, *land) for land in lands] for name, (run, _) in methods.items()}

def shown(prices):
    return [f"{np.median(p):.0f} ({min(p)} to {max(p)})" for p in prices]

b = bowls[0].gradient(np.ones(20))
enough = 1e-4 / np.linalg.norm(b)
products = len(second.conjugate_gradient(bowls[0].gradient, b, tolerance=enough, steps=99)) - 1
small, large, bent = np.median([*costs.values()], axis=2).T
for descent, momentum, nonlinear, limited, newton in (small, bent):
    assert 10 * newton < momentum < descent / 2 and newton < nonlinear and limited < momentum
assert small[-1] == 22 and small[0] > 5000 and 20 <= products < 40
assert large[-1] == 502 and 1.5 * large[3] < 502 and large[3] < 2 * small[3]
headers = ["", "bowl, d = 20", "bowl, d = 500", "valley, d = 2", "kept beside θ and g"]
rows = [[name, *shown(cost), methods[name][1]] for name, cost in costs.items()]
Table(headers, rows, "Gradients: median over three starts (lowest to highest). Linear CG "
                     f"needs {products} products A p on the bowl with d = 20.")

# %% name="memory"
kept = {"Adam": 2, "L-BFGS": 20, "Newton": 10**9}  # times d = a billion float32 numbers
print("a billion parameters, gigabytes:", {name: 4 * n for name, n in kept.items()})

# %% name="digits"
start = np.array([-1.2, 1.0])
path = second.newton(valley.gradient, valley.hessian, start)
digits = [-np.log10(np.linalg.norm(x - 1) + 1e-14) for x in path]  # 14 at most
assert digits[-2] > 2 * digits[-3]
print("right digits after each Newton step in the valley:", *(f"{n:.1f}" for n in digits[1:]))

# %% [markdown] name="parity-with-pytorch"
# Lines 1 and 3 at work. But with 25 times as many curvatures Newton's bill is some 23 times as high, L-BFGS's less than twice. **The price is guilty** where $d$ is large, at this condition number: Newton's bill on a bowl does not depend on it (line 2), the others' do.
#
# ## Parity with PyTorch
#
# PyTorch has neither Newton nor CG. Its L-BFGS searches no line unless told to. The valley with six parameters, ten steps, with different histories and rates:

# %% name="parity-runs"
def long_valley(p):
    return ((1 - p[:-1]) ** 2 + 100 * (p[1:] - p[:-1] ** 2) ** 2).sum()

def both(dtype, history, search, lr):
    start = torch.tensor([-1.2, 1.0, 0.7, -0.5, 1.3, 0.2], dtype=dtype, device=setting.device)
    p, slope = start.clone().requires_grad_(), torch.func.grad(long_valley)
    options = {"history_size": history, "line_search_fn": "strong_wolfe" if search else None}
    optimizer = torch.optim.LBFGS([p], lr=lr, max_iter=10, max_eval=100, **options)
    def closure():
        p.grad = slope(p.detach())
        return long_valley(p)
    optimizer.step(closure)
    ours = {"steps": 10, "lr": lr, "history": history, "line_search": search, "max_evals": 100}
    end = second.lbfgs(long_valley, slope, start, **ours)[-1]
    return ((end - p).norm() / p.norm()).item()

# %% name="parity" tags=["nbval-ignore-output"]
allowed = {torch.float64: 1e-10, torch.float32: 1e-3}  # the valley amplifies the last bit
variants = [(100, True, 1), (2, True, 1), (100, True, 0.3), (100, False, 0.01), (2, False, 0.01)]
rows = [[str(v), *(both(dtype, *v) for dtype in allowed)] for v in variants]
headers = ["history, line search, lr", "float64: relative difference", "float32"]
cells = [*rows, ["allowed", *allowed.values()]]
Table(headers, [[v, f"{a:.1e}", f"{b:.1e}"] for v, a, b in cells])

# %% name="parity-verdict" tags=["fold"]
# The check of what the text says
assert all(row[i] <= limit for row in rows for i, limit in enumerate(allowed.values(), 1))
assert not hasattr(torch.optim, "Newton")

# %% [markdown] name="picture-text"
# ## Picture
#
# The tumours of binary cross-entropy: logistic regression, 30 weights, a small L2 penalty. At each batch size every optimizer gets the same budget, **the gradients of 20 passes** over the training data, and the best constant setting of its grid.
# L-BFGS takes $g$ before and after each step *on the same batch*, so that $y$ compares like with like; on all data the second is the next step's first. Newton gets a gift: its **Hessians are free**. At 30 gradients each, the budget would not hold a single step on all data.

# %% name="tumours"
splits = [data.breast_cancer(s) for s in setting.seeds]
X, Y = (np.stack([split[i] for split in splits]) for i in (0, 1))  # all seeds at once

def value(theta, x, y):  # of one seed or of all
    logits = (x @ theta[..., None])[..., 0]
    loss = binary_cross_entropy(logits, y * 1.0).value
    return loss.mean(-1) + 0.0005 * (theta**2).sum(-1)

def sigmoid(theta, x):
    return (1 + np.tanh(x @ theta[..., None] / 2)) / 2

def gradient(theta, x, y):
    r = sigmoid(theta, x) - y[..., None]
    return (x.swapaxes(-1, -2) @ r)[..., 0] / y.shape[-1] + 0.001 * theta

def hessian(theta, x):
    p = sigmoid(theta, x)
    return (x * p * (1 - p)).swapaxes(-1, -2) @ x / x.shape[-2] + 0.001 * np.eye(30)

def lowest(x, y):
    functions = (lambda t: value(t, x, y), lambda t: gradient(t, x, y), lambda t: hessian(t, x))
    return value(second.damped_newton(*functions, np.zeros(30))[-1], x, y)

low = np.array([*map(lowest, X, Y)])

# %% name="updates"
def rule_update(rule):
    def update(theta, x, y, state):
        return rule.update(theta, gradient(theta, x, y), state or rule.init(theta))
    return update

def newton_update(lr, damping, exact_h=False):  # with the Hessian of all data
    def update(theta, x, y, _):
        g, h = gradient(theta, x, y), hessian(theta, X if exact_h else x)
        pairs = zip(g, h, strict=True)
        return theta + lr * np.stack([second.newton_direction(*p, damping) for p in pairs]), None
    return update

def lbfgs_update(lr):
    def update(theta, x, y, pairs):
        g, pairs = gradient(theta, x, y), pairs or [[] for _ in theta]
        new = theta + lr * np.stack([*map(second.two_loop, g, pairs)])
        changes = zip(pairs, new - theta, gradient(new, x, y) - g, strict=True)
        return new, [[*old, (a, b)][-5:] if a @ b > 1e-10 else old for old, a, b in changes]
    return update

# %% name="walk"
def walk(update, B, gradients_per_step=1, passes=20, falling=False):
    rngs = [np.random.default_rng(s) for s in setting.seeds]
    theta, memory, row = np.zeros((len(rngs), 30)), None, np.arange(len(rngs))[:, None]
    steps = passes * Y.shape[1] // (B * gradients_per_step)
    for t in range(steps):
        n = np.stack([rng.choice(Y.shape[1], B, replace=False) for rng in rngs])
        new, memory = update(theta, X[row, n], Y[row, n], memory)
        theta = theta + (1 - t / steps if falling else 1) * (new - theta)
    return np.maximum(value(theta, X, Y) - low, 1e-7)  # the floor of the drawing

def best(updates, B, cost=1, **how):  # the gaps of the setting with the smallest median
    return min((walk(u, B, cost, **how) for u in updates), key=np.median)

# %% name="race-of-batches"
lr_damping = [(0.3, 0.1), (1, 0), (1, 0.3), (1, 1), (10, 10)]
grids = {
    "SGD": [rule_update(SGD(lr)) for lr in (0.1, 0.3, 1, 3, 10, 30)],
    "Adam": [rule_update(Adam(lr)) for lr in (0.003, 0.01, 0.03, 0.1, 0.3, 1)],
    "L-BFGS": [lbfgs_update(lr) for lr in (0.01, 0.03, 0.1, 0.3, 1, 2)],
    "Newton, Hessians free": [newton_update(*p) for p in lr_damping],
}
sizes = [16, 144, Y.shape[1]]
charge = {name: [1] * 3 for name in grids} | {"L-BFGS": [2, 2, 1]}  # gradients per step
gaps = {name: np.array([*map(best, [grids[name]] * 3, sizes, charge[name])]) for name in grids}

# %% name="picture" tags=["fold"]
# The picture
plots.lines(
    [*map(str, sizes)],
    {name: tuple(np.quantile(a, [0, 0.5, 1], axis=1)) for name, a in gaps.items()},
    "batch size (the last: all training data)", "objective above its minimum",
    "Gap after 20 passes, logarithmic, against batch size. SGD and Adam end higher than they "
    "begin. L-BFGS starts above them at 16 and falls far below them on all data. "
    "Newton starts beside SGD and falls to the floor.",
    title="The same budget of gradients (median, band: all seeds)", log="y",
)

# %% [markdown] name="after-picture"
# On all data L-BFGS is far ahead, on batches of 16 behind. There even *free* Hessians leave Newton about where SGD is; on all data it reaches the floor of the drawing, $10^{-7}$. Would another budget decide otherwise?

# %% name="budget" tags=["nbval-ignore-output"]
def shown_gap(gaps):
    return f"{np.median(gaps):.1g} ({min(gaps):.1g} to {max(gaps):.1g})"

few = best([lbfgs_update(lr) for lr in (0.3, 1, 2, 3)], sizes[-1], passes=2)
many = best(grids["SGD"], 16, passes=2)
sgd, adam, limited, free = (np.median(a, axis=1) for a in gaps.values())
assert np.minimum(sgd, adam).min() > 10 * limited[-1] and free[-1] < 1.1e-7
assert limited[0] > min(sgd[0], adam[0]) and np.median(few) > np.median(many)
rows = [["L-BFGS, all data", gaps["L-BFGS"][-1], few], ["SGD, batches of 16", gaps["SGD"][0], many]]
Table(["gap", "20 passes", "2 passes"], [[name, shown_gap(a), shown_gap(b)] for name, a, b in rows],
      "Each at its best rate: median over the seeds (lowest to highest).")

# %% [markdown] name="budget-text"
# The **budget** decides, too: on all data a pass is one step, and 2 are too few. Large models often see each example only once.
#
# And which noise is it that stops Newton on batches of 16, the one in $H$ or the one in $g$? We take $H$ from all data, free of charge, and leave $g$ to the batch; and we let every rate fall to 0 on a straight line, which averages the noise in $g$.

# %% name="noises" tags=["nbval-ignore-output"]
kinds = {  # settings, and the update that a setting stands for
    "SGD": ([(0.3,), (1,), (3,), (10,)], lambda lr: rule_update(SGD(lr))),
    "Newton, the batch's H": ([(0.3, 0.1), (1, 1), (10, 10)], newton_update),
    "Newton, exact H": ([(0.01, 0.003), (0.03, 0.01), (0.1, 0.01), (0.1, 0.03), (0.3, 0.03)],
                        lambda *setting: newton_update(*setting, exact_h=True)),
}
rows = []
for falling in (False, True):
    for name, (settings, update) in kinds.items():
        runs = {p: walk(update(*p), 16, passes=10, falling=falling) for p in settings}
        chosen = min(runs, key=lambda p: np.median(runs[p]))
        rows.append([falling, name, chosen, runs[chosen]])
medians = np.median([row[-1] for row in rows], axis=1).reshape(2, 3)
(sgd, own, exact), (sgd_falling, _, exact_falling) = medians
assert own > sgd / 2 and 1e-5 < exact < own and exact_falling < min(exact, sgd_falling)
Table(["rate", "batches of 16", "best rate, damping", "gap", "times nearer than SGD"],
      [["falling" if falling else "constant", name, ", ".join(map(str, p)), shown_gap(gap),
        f"{(sgd_falling if falling else sgd) / np.median(gap):.1f}"]
       for falling, name, p, gap in rows],
      "Gap after 10 passes at the best setting: median over the seeds (lowest to highest).")

# %% [markdown] name="noises-text"
# **Both noises cost.** The batch's own Hessian gains nothing at a constant rate and loses at a falling one. The exact one gains about two times at either, so the noise in $H$ was part of it. But it stays far above the floor, $10^{-7}$, that Newton reaches on all data in fewer steps, and there only $g$ differs: $H^{-1}$ stretches the error of $g$ as it stretches $g$.
#
# With the batch's $H$ Newton wants a damping that is large beside most curvatures, at the rate $\nu$: $\nu (H + \nu I)^{-1} \to I$ as $\nu$ grows, and the step becomes that of SGD with rate 1. **The batch's own Hessian drives Newton back towards SGD.**
#
# ## What breaks
#
# ### Noise: the batch is solved, the problem is not
#
# One call of PyTorch's L-BFGS walks up to `max_iter=20` steps towards the minimum of *the batch at hand*. We allow it fewer or all of them, with its line search, all gradients free. Each batch gets a new optimizer, so that no $y$ mixes two batches. Many steps flatten the batch, and end farther away than one:

# %% name="batch-solved"
def solved(start, x, y, max_iter):
    weights = torch.from_numpy(start.copy())
    def closure():
        weights.grad = torch.from_numpy(gradient(weights.numpy(), x, y))
        return value(weights.numpy(), x, y)
    options = {"max_iter": max_iter, "line_search_fn": "strong_wolfe"}
    torch.optim.LBFGS([weights], **options).step(closure)
    slopes = [abs(gradient(theta, x, y)).max() for theta in (start, weights.numpy())]
    flatter.setdefault(max_iter, []).append(slopes[0] / slopes[1])
    return weights.numpy()

def solve_batch(max_iter):
    def update(theta, x, y, _):
        return np.stack([solved(*each, max_iter) for each in zip(theta, x, y, strict=True)]), None
    return update

# %% name="batch-solved-table" tags=["nbval-ignore-output"]
flatter = {}  # {max_iter: how much smaller each step made its batch's slope}
ends = {m: walk(solve_batch(m), 16, passes=2) for m in (1, 5, 20)}
plain = best(grids["SGD"], 16, passes=2)
slopes = [np.median(flatter[m]) for m in ends]
assert slopes == sorted(slopes) and slopes[2] > 300
assert np.median(ends[20]) > 2 * max(np.median(plain), np.median(ends[1]))
rows = [[f"L-BFGS, max_iter={m}", f"{np.median(flatter[m]):,.0f}", shown_gap(end)]
        for m, end in ends.items()]
rows += [["SGD, best rate", "", shown_gap(plain)]]
Table(["2 passes, batches of 16", "batch's slope: before / after", "gap"], rows,
      "Median over the seeds (lowest to highest).")

# %% [markdown] name="saddle-points"
# ### Saddle points
#
# A sum of $d$ equal functions of one number, $\frac12 (x^4 - 16 x^2 + 5 x)$ (Styblinski and Tang 1990): two minima each, and a maximum between. Newton treats each axis alone. So if a share $q$ of the starts finds *a* minimum
# for $d = 1$, a share $q^d$ does in general.

# %% name="saddles"
def at_minimum(land, end):
    return np.linalg.eigvalsh(land.hessian(end)).min() > 0

rng, shares = np.random.default_rng(seed), {}
for d in (1, 2, 5, 10, 20):
    land, points = styblinski_tang(d), rng.uniform(-4, 4, (1000 if d == 1 else 200, d))
    f, g, h = land.value, land.gradient, land.hessian
    pure = [second.newton(g, h, x, 60)[-1] for x in points]
    careful = [second.damped_newton(f, g, h, x)[-1] for x in points[:20]]
    assert all(abs(g(x)).max() < 1e-4 for x in pure + careful)  # every end is flat
    shares[d] = [np.mean([at_minimum(land, x) for x in ends]) for ends in (pure, careful)]

# %% name="saddles-table" tags=["nbval-ignore-output"]
q = shares[1][0]
assert all(damped == 1 and abs(pure - q**d) < 0.15 for d, (pure, damped) in shares.items())
assert 0.5 < q < 0.8 and shares[10][0] < 0.1 and shares[20][0] < 0.05
headers = ["d", "Newton ends at a minimum", "q^d", "damped Newton"]
rows = [[d, f"{pure:.0%}", f"{q**d:.0%}", f"{damped:.0%}"] for d, (pure, damped) in shares.items()]
Table(headers, rows, "200 starts, 1000 for d = 1; damped: 20.")

# %% [markdown] name="after-saddles-table"
# At $d = 20$ every end is flat and hardly one a minimum: line 4. Damping mends that. Dauphin et al. (2014, *Identifying and attacking the saddle point problem in high-dimensional non-convex optimization*, arXiv 1406.2572) see saddles as the main
# hindrance in high dimensions; exercise 3 is their cure.

# %% [markdown] name="newton-for-counts"
# ## Exercises
#
# ### 1. Newton for counts (5 minutes, medium)
# Targets that are counts have the loss $e^z - y z$ per example, with $z = x \cdot \theta$; $J$ is its mean. `x`: $(n, d)$, `y`: $(n,)$. Return $\theta$ after one full Newton step.

# %% name="exercise-poisson"
def poisson_newton(theta, x, y):
    ### BEGIN SOLUTION
    rate = np.exp(x @ theta)
    return theta - np.linalg.solve((x.T * rate) @ x, x.T @ (rate - y))
    ### END SOLUTION

# %% name="check-poisson"
check("poisson_newton")

# %% [markdown] name="how-many-steps"
# <details><summary>Hint 1</summary>Differentiate the loss twice by z; the chain rule brings one x, then a second one.</details>
# <details><summary>Hint 2</summary>The Hessian is a sum of outer products of x with itself, each times the second derivative of its example. <code>hessian</code> above has the same form with other weights.</details>
#
# ### 2. How many steps? (4 minutes, medium)
# CG starts at 0 and solves $\mathrm{diag}(\text{curvatures})\, x = b$ in exact arithmetic. After how many steps is the residual 0? Careful: some entries of `b` may be 0.

# %% name="exercise-steps"
def cg_steps(curvatures, b):
    ### BEGIN SOLUTION
    return len({h for h, target in zip(curvatures, b, strict=True) if target != 0})
    ### END SOLUTION

# %% name="check-steps"
check("cg_steps")

# %% [markdown] name="newton-that-flees-saddles"
# <details><summary>Hint 1</summary>Line 5: at which eigenvalues does the polynomial have to be 0, if the residual must vanish?</details>
# <details><summary>Hint 2</summary>An axis on which b is 0 has no residual to begin with.</details>
#
# ### 3. Newton that flees saddles (6 minutes, hard)
# Along each eigenvector of the Hessian take Newton's step length, but always go *downhill*. Return the step $u$, shaped $(d,)$ (all eigenvalues differ from 0).

# %% name="exercise-saddle"
def saddle_free(g, h):
    ### BEGIN SOLUTION
    curvature, axes = np.linalg.eigh(h)
    return -axes @ ((axes.T @ g) / np.abs(curvature))
    ### END SOLUTION

# %% name="check-saddle"
check("saddle_free")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Line 4: along an eigenvector the step is -g / h. Which part of it must change, and for which h?</details>
# <details><summary>Hint 2</summary><code>np.linalg.eigh</code> returns the eigenvalues and a matrix whose <em>columns</em> are the eigenvectors. Turn g into their axes, divide, turn back.</details>
#
# ## Takeaways
#
# - **All three suspects are guilty:** the price ($d$ gradients, $d^2$ numbers, a $d^3$ solve), the noise (on batches of 16 in $H$ and in $g$), the saddles (here $q^d$). The document's claim that the methods differ in speed, price and robustness holds, and the three rank them differently; on batches of 16 neither Newton nor L-BFGS
#   beat SGD and Adam clearly, and with 2 passes L-BFGS on all data did not beat SGD.
# - On a parabola one Newton step is enough, or at most $d$ CG steps, the latter in exact arithmetic only (rounding made 28 of the first bowl's 20).
# - With a smooth objective, full gradients and dozens of passes take L-BFGS with a line search. Do not use these methods as they are on small batches, nor undamped Newton where the objective is not convex.
