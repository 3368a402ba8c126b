"""Derivations: what follows is shown and counted, what does not is refused with a point at which the sides differ."""

import ast
import inspect
import itertools
import os
import random
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from automutants import one_edit
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from lessons_lib.core import Loss
from lessons_lib.derive import DoesNotFollow, derive
from lessons_lib.derive.tex import latex
from lessons_lib.losses import (
    absolute_error,
    binary_cross_entropy,
    huber,
    kl_divergence,
    soft_cross_entropy,
    squared_error,
)
from lessons_lib.optim import SGD, Adam, Momentum
from tools._mathml import mathml

z, y, p, q, x = (sp.IndexedBase(name, real=True) for name in "zypqx")
i, j, k, C, n, t = sp.symbols("i j k C n t", integer=True, positive=True)
c, g, r, theta, before, zeta = sp.symbols("c g r theta before zeta", real=True)
logit, label, prob = sp.symbols("z y p", real=True)
eta, h, mu, delta, beta1, beta2, eps = sp.symbols("eta h mu delta beta1 beta2 epsilon", positive=True)
CLASSES = {"names": [z, y, p, q, i, j, k, C], "sizes": {C: (2, 3)}}
BETAS = {beta1: (0.01, 0.99), beta2: (0.01, 0.99)}


def binary():
    return (
        derive(
            r"\ell",
            "-y*log(p) - (1 - y)*log(1 - p)",
            "minus the log-likelihood of the label",
            [logit, label, prob],
            ranges={label: (0, 1)},
            means={prob: "1/(1 + exp(-z))"},
        )
        .library("binary_cross_entropy(z, y).value", lambda z, y: binary_cross_entropy(z, y).value)
        .equals("log(1 + exp(z)) - y*z", r"$\log p = z - \log(1 + e^z)$ and $\log(1 - p) = -\log(1 + e^z)$")
        .equals("Max(z, 0) - y*z + log1p(exp(-Abs(z)))", "no exponent is positive")
        .slope(logit, "p - y", "**prediction minus label**")
        .library("binary_cross_entropy(z, y).grad", lambda z, y: binary_cross_entropy(z, y).grad)
        .zero_at(logit, "log(y/(1 - y))", "so the prediction is the label")
    )


def softmax():
    return (
        derive(
            r"\ell",
            "-Sum(y[i]*log(p[i]), (i, 1, C))",
            "minus the log-likelihood",
            **CLASSES,
            simplex=[y],
            means={p[i]: sp.exp(z[i]) / sp.Sum(sp.exp(z[j]), (j, 1, C))},
        )
        .library("soft_cross_entropy(z, y).value", lambda z, y: soft_cross_entropy(z, y).value)
        .equals("log(Sum(exp(z[j]), (j, 1, C))) - Sum(y[i]*z[i], (i, 1, C))", "the $y_i$ sum to 1")
        .slope(z[k], "exp(z[k])/Sum(exp(z[j]), (j, 1, C)) - y[k]", "the first term gives $e^{z_k}$ over the sum")
        .equals("p[k] - y[k]", "**prediction minus label**")
        .library("soft_cross_entropy(z, y).grad", lambda z, y: soft_cross_entropy(z, y).grad)
        .slope(z[k], "p[k]*(1 - p[k])", "the slope of the softmax")
        .at_most("1/4", "the largest product of two numbers that sum to 1")
    )


def divergence():
    return (
        derive(
            r"-\mathrm{KL}(y | q)",
            "Sum(y[i]*log(q[i]/y[i]), (i, 1, C))",
            "its sign | turned",
            **CLASSES,
            simplex=[y, q],
        )
        .library("-kl_divergence(log(q), y).value", lambda q, y: -kl_divergence(np.log(q), y).value)
        .at_most("Sum(y[i]*(q[i]/y[i] - 1), (i, 1, C))", r"$\log x \le x - 1$, term by term")
        .equals(0, "both sum to 1")
    )


def mean():
    return (
        derive("L(c)", "1/n*Sum((c - x[i])**2, (i, 1, n))", "mean squared error", [c, x, i, n], sizes={n: (2, 3)})
        .library("mean of squared_error(c, x)", lambda c, x: squared_error(c[:, None] + 0 * x, x).value.mean(-1))
        .slope(c, "2*(c - Sum(x[i], (i, 1, n))/n)", "term by term")
        .zero_at(c, "1/n*Sum(x[i], (i, 1, n))", "**the mean**")
    )


def median():
    return (
        derive("L(c)", "1/n*Sum(Abs(c - x[i]), (i, 1, n))", "mean absolute error", [c, x, i, n], sizes={n: (1, 3)})
        .library("mean of absolute_error(c, x)", lambda c, x: absolute_error(c[:, None] + 0 * x, x).value.mean(-1))
        .slope(c, "1/n*Sum(sign(c - x[i]), (i, 1, n))", "as many below as above: 0")
    )


def clipped():
    def ours(r, delta):
        return huber(np.array(r), np.array(0.0), float(delta))

    return (
        derive(
            r"\ell",
            "Piecewise((r**2/2, Abs(r) <= delta), (delta*(Abs(r) - delta/2), True))",
            "squared near the target, absolute far from it",
            [r, delta],
        )
        .library("huber(r, 0, delta).value", lambda r, delta: ours(r, delta).value, each=True)
        .slope(r, "Piecewise((r, Abs(r) <= delta), (delta*sign(r), True))", "piece by piece")
        .equals("Max(-delta, Min(delta, r))", r"the residual, **clipped** at $\delta$")
        .library("huber(r, 0, delta).grad", lambda r, delta: ours(r, delta).grad, each=True)
    )


def parabola():
    def step(theta, eta, h):
        rule, theta = SGD(eta), np.array(theta)
        return rule.update(theta, h * theta, rule.init(theta))[0]

    return (
        derive(
            r"\theta_{t+1}", "theta - eta*(h*theta)", r"the gradient of $h \theta^2 / 2$ is $h \theta$", [theta, eta, h]
        )
        .library("SGD(eta).update(theta, h*theta)", step, each=True)
        .equals("(1 - eta*h)*theta", "each step multiplies by the same factor")
        .put(eta, "2/h", "-theta", "**the edge**: across the valley and back, for ever")
    )


def edge():
    def step(theta, before, eta, h, mu):
        rule, theta = Momentum(eta, mu), np.array(theta)
        state = rule.init(theta)._replace(t=1, u=(before - theta) / eta)
        return rule.update(theta, h * theta, state)[0]

    return (
        derive(
            r"\chi(\zeta)",
            "zeta**2 - (zeta - eta*h*zeta + mu*(zeta - 1))",
            r"$\theta_t = \zeta^t$ fits where this is zero",
            [zeta, eta, h, mu],
            ranges={mu: (0, 1)},
        )
        .library("Momentum(eta, mu)", lambda zeta, eta, h, mu: zeta**2 - step(zeta, 1, eta, h, mu), each=True)
        .equals("zeta**2 - (1 + mu - eta*h)*zeta + mu", "sorted by powers")
        .put(zeta, -1, "2*(1 + mu) - eta*h", "a root leaves the unit circle at $-1$")
        .zero_at(h, "2*(1 + mu)/eta", "**the edge**, nearly twice that of gradient descent")
    )


def bias():
    def first_moment(beta1, g, t):
        rule, theta = Adam(beta1=beta1), np.array(g)
        state = rule.init(theta)
        for _ in range(t):
            theta, state = rule.update(theta, np.array(g), state)
        return state.m

    def noisy(rng, size, beta1, g, t):
        return first_moment(beta1, rng.normal(g, 0.1, size), t)

    return (
        derive(r"\mathbb E[m_t]", "(1 - beta1)*Sum(beta1**k*g, (k, 0, t - 1))", "", [beta1, g, k, t], ranges=BETAS)
        .library("state.m after t steps", first_moment, each=True)
        .expects("state.m, gradients scattered around g", noisy, "a mean of means")
        .equals("(1 - beta1)*g*(1 - beta1**t)/(1 - beta1)", "a geometric sum")
        .equals("(1 - beta1**t)*g", r"**too small by** $1 - \beta_1^t$")
        .limit(t, "oo", "g", "the start is forgotten")
    )


def first_step():
    def step(g, eta, epsilon, beta1, beta2):
        rule, theta = Adam(eta, beta1, beta2, epsilon), np.zeros(())
        return rule.update(theta, np.array(g), rule.init(theta))[0]

    m, v = sp.symbols("m v", real=True)
    return (
        derive(
            r"\Delta \theta_1",
            "-eta*(m/(1 - beta1))/(sqrt(v/(1 - beta2)) + epsilon)",
            "both moments corrected, $t = 1$",
            [m, v, g, eta, eps, beta1, beta2],
            ranges=BETAS,
            means={m: (1 - beta1) * g, v: (1 - beta2) * g**2},
        )
        .library("Adam(...).update(0, g)", step, each=True)
        .equals("-eta*g/(Abs(g) + epsilon)", "the corrections undo the first averages")
        .limit(eps, 0, "-eta*sign(g)", r"**a step of $\eta$**, whatever the gradient")
    )


ALL = [binary, softmax, divergence, mean, median, clipped, parabola, edge, bias, first_step]
USED = [
    absolute_error,
    binary_cross_entropy,
    huber,
    kl_divergence,
    soft_cross_entropy,
    squared_error,
    SGD,
    Adam,
    Momentum,
]


@pytest.mark.parametrize("derivation", ALL, ids=lambda d: d.__name__)
def test_every_step_is_checked_and_every_formula_is_set_by_the_site(derivation, record_property):
    found = derivation()
    record_property("steps", (found.checked, found.unchecked))
    assert (found.checked, found.unchecked) == (len(found.lines), 0)
    assert derive.written[-1] is found
    data, metadata = found._repr_mimebundle_()
    assert metadata == {"derive": {"checked": found.checked, "unchecked": 0}}
    tokens = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin).parse(data["text/markdown"])
    kinds = [token.type for token in tokens]
    assert (kinds.count("tr_open"), kinds.count("td_open")) == (1 + len(found.lines), 4 * len(found.lines))
    formulas = [part.content for token in tokens for part in token.children or [] if part.type == "math_inline"]
    assert len(formulas) >= len(found.lines) - data["text/plain"].count("own code")
    for tex in formulas:
        assert tex == tex.strip() and "|" not in tex
        mathml(tex, False)


def zeros(thing):
    """The same loss or rule, whose results are 0."""
    if not isinstance(thing, type):
        return lambda *args: Loss(0 * thing(*args).value, 0 * thing(*args).grad)
    return type("Zeros", (thing,), {"update": lambda self, theta, g, state: (0 * theta, self.init(theta))})


def broken(thing):
    def fails(*args, **kwargs):
        raise NotImplementedError("broken")

    return fails


@pytest.mark.parametrize("thing", USED, ids=lambda thing: thing.__name__)
def test_a_derivation_turns_red_with_the_library_it_is_tied_to(thing, monkeypatch):
    tied = [d for d in ALL if re.search(rf"\b{thing.__name__}\(", inspect.getsource(d))]
    assert tied
    for break_it, error in (zeros, DoesNotFollow), (broken, NotImplementedError):
        monkeypatch.setitem(globals(), thing.__name__, break_it(thing))
        for derivation in tied:
            with pytest.raises(error):
                derivation()
        monkeypatch.undo()


PLACE = {"derive": 1, "equals": 0, "slope": 1, "put": 2, "zero_at": 1, "at_most": 0, "limit": 2}  # of the expression


def mutants(derivation):
    """(what is changed, the derivation with one token of one of its expressions changed), or one symbol for another."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(derivation)))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        place = PLACE.get(getattr(call.func, "attr", getattr(call.func, "id", "")))
        if place is None or not isinstance(call.args[place], ast.Constant) or call.args[place].value in (0, "g"):
            continue
        right = call.args[place]
        for told, text in edits(str(right.value)):
            call.args[place] = ast.Constant(text)
            exec(compile(ast.fix_missing_locations(tree), "mutant", "exec"), found := dict(globals()))
            yield f"{right.value}: {told}", found[derivation.__name__]
        call.args[place] = right


def edits(text):
    for told, edited in one_edit(ast.parse(text).body[0]):
        yield told, ast.unparse(edited)
    words = [*re.finditer(r"\b[a-z]\w*\b(?!\()", text)]
    for here, other in itertools.pairwise(words):
        if here[0] != other[0]:
            yield f"{here[0]} for {other[0]}", text[: other.start()] + here[0] + text[other.end() :]


# What is true as well: a wider bound; an edge that no random point meets; by a sign divided, not multiplied.
BY_SIGN = r".*sign\(\w\) with Div"
AS_TRUE = {"softmax": "1/4: .*", "clipped": rf".*<= delta with Lt|{BY_SIGN}", "first_step": BY_SIGN}


@pytest.mark.parametrize("derivation", ALL, ids=lambda d: d.__name__)
def test_one_changed_token_is_refused(derivation):
    true = AS_TRUE.get(derivation.__name__, "-")
    found = [(told, mutant) for told, mutant in mutants(derivation) if not re.fullmatch(true, told)]
    for told, mutant in random.Random(0).sample(found, 8):
        with pytest.raises((DoesNotFollow, ValueError)):
            pytest.fail(f"passed: {told}, {mutant().unchecked} unchecked")


def half(**options):
    return derive(r"\ell", "z**2/2 - y*z", "", [logit, label], **options)


def scattered(width):
    return half().expects("noise", lambda rng, size, z, y: rng.normal(z - y, width, size), "")


POINT = "y = 0.25146, z = 1.00537"
REFUSED = {
    "equals": (
        lambda: half().equals("z**2/2 + y*z", ""),
        f"does not follow: z**2/2 + y*z. At {POINT} the line above is 0.25257 and this line 0.75819.",
    ),
    "slope": (
        lambda: half().slope(logit, "z - 2*y", ""),
        f"does not follow: z - 2*y. At {POINT} the slope by z of the line above is 0.753905 and this line 0.502445.",
    ),
    "put": (
        lambda: half().put(logit, "2*y", "y", ""),
        "does not follow: y. At y = 0.25146 the line above at z = 2*y is 0.0 and this line 0.25146.",
    ),
    "zero": (
        lambda: half().zero_at(logit, "y", ""),
        "does not follow: y. At y = 0.25146 the line above at z = y is -0.0316162 and this line 0.0.",
    ),
    "upper bound": (
        lambda: half().at_most("z**2/2", ""),
        "does not follow: z**2/2. At y = -0.26421, z = 1.97943 the line above is 2.48205 and this line 1.95906.",
    ),
    "lower bound": (
        lambda: half().at_least("0", ""),
        "does not follow: 0. At y = 1.89416, z = 1.24204 the line above is -1.58129 and this line 0.0.",
    ),
    "limit": (
        lambda: half().limit(logit, "oo", 0, ""),
        "does not follow: 0. At every point the limit for z to oo is +inf and this line 0.0.",
    ),
    "no number": (
        lambda: half().put(logit, "y/0", "1", ""),
        "does not follow: 1. At y = 0.25146 the line above at z = y/0 is no real number and this line 1.0.",
    ),
    "law": (lambda: half().law("all is well", "", "looking", lambda: False), "does not hold: all is well"),
    "library": (
        lambda: half().library("f(z, y)", lambda z, y: z - y),
        f": f(z, y) is not the line above: at {POINT} it gives 0.753905, the line above 0.25257",
    ),
    "shape": (
        lambda: half().library("f(z)", lambda z: z[0]),
        ": f(z) is not the line above: its result has the shape (), the line above (100,)",
    ),
    "mean": (
        lambda: scattered(1),
        f": noise is not the line above: at {POINT} its mean is 0.760217 ± 0.01, the line above 0.25257",
    ),
    "scatter": (
        lambda: scattered(1e3),
        ": noise is not the line above: its draws scatter too widely to tell the line above from 0",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_follow_is_named_with_a_point(case):
    wrong, words = REFUSED[case]
    with pytest.raises(DoesNotFollow) as refused:
        wrong()
    assert str(refused.value) == rf"line 2 of \ell{'' if words[0] == ':' else ' '}{words}"


def test_a_line_of_arrays_is_refused_with_length_and_index():
    wrong = derive(r"\ell", "Sum(z[i]**2, (i, 1, C))", "", **CLASSES)
    with pytest.raises(DoesNotFollow, match=r"At C = 2, k = 1, z\[1\] = \S+ the slope by z\[k\] of the line above is"):
        wrong.slope(z[k], "z[k]", "")


BAD = {
    "a name": (lambda: half().equals("z*w", ""), "w in 'z*w' is none of the names: z, y"),
    "a function": (lambda: half().equals("f(z)", ""), "f in 'f(z)' is none of the names: z, y"),
    "half a text": (lambda: half().equals("z*", ""), "cannot read 'z*': invalid syntax"),
    "no formula": (lambda: half().equals("z if z else y", ""), "'z if z else y' has no place in a formula"),
    "a parameter": (lambda: half().library("f", lambda q: q), "the parameter q is none of the names: y, z"),
    "nothing to tie": (
        lambda: derive("f", "z - z", "", logit).library("f", lambda z: 0 * z),
        "line 2 of f: the line above is 0 everywhere, and so would be a broken function",
    ),
    "slope by a meaning": (
        lambda: half(means={label: logit**2}).slope(label, "-z", ""),
        r"line 2 of \ell: y stands for z**2, name a symbol that is free",
    ),
    "a sum that stays": (
        lambda: derive("f", "Sum(y**k/k**3, (k, 1, t))", "", [label, k, t]).limit(t, "oo", "1", ""),
        "line 2 of f: SymPy knows no closed form of the sum, give one before its limit",
    ),
    "two lengths": (lambda: half(sizes={C: (2,), n: (3,)}), "sizes must name one symbol"),
    "an index": (
        lambda: derive("f", "z[k]", "", **CLASSES).equals("z[k] + 0", ""),
        "no number for z[k]: an index that nothing counts, or a place outside its array",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_read_is_named(case):
    wrong, words = BAD[case]
    with pytest.raises(ValueError, match=re.escape(words)):
        wrong()


def test_lines_are_counted_as_checked_only_by_what_checks_them():
    defined = derive("f", "z**2", "", logit)
    assert (defined.checked, defined.unchecked) == (0, 1)
    sloped = derive("f", "z**2 + 5", "", logit).slope(logit, "2*z", "").library("2z", lambda z: 2 * z)
    assert (sloped.checked, sloped.unchecked) == (2, 1)  # the 5 could be anything
    assert derive("f", "z**2", "", logit).equals("z*z", "").unchecked == 0
    assert derive("f", "z**2", "", logit).law("found", "", "a search", lambda: True).unchecked == 1


def test_how_a_line_was_checked_is_said():
    def how(line):
        return line.lines[-1].how

    assert how(half().equals("z*(z/2 - y)", "")) == "SymPy"
    assert how(derive("f", "z[1]", "", **CLASSES).equals("z[1] + 0", "")) == "SymPy, $C = 2, 3$"
    assert how(derive("f", "Abs(z)", "", logit).equals("Max(z, -z)", "")) == "100 random points"
    assert how(half().slope(logit, "z - y", "").zero_at(logit, "y", "")) == "SymPy; monotone at 100 random points"
    twice = half().zero_at(logit, "2*y", "")  # 0 is another zero
    assert how(twice) == "SymPy" and r"\Leftarrow" in twice.lines[-1].right


def test_a_difference_that_float64_would_not_see_is_seen():
    near = derive("f", "(1 - cos(z))/z**2", "", logit, ranges={logit: (1e-9, 2e-9)})
    near.equals("2*sin(z/2)**2/z**2", "")
    with pytest.raises(DoesNotFollow):
        near.equals("1/2 + z", "")


def test_a_symbol_array_or_function_may_stand_for_an_expression():
    sigma = sp.Function("sigma")
    found = derive(r"\ell", "z*s(z)", "", {"z": logit, "s": sigma}, means={sigma(logit): "1/(1 + exp(-z))"})
    assert found.lines[0].right == r"$\displaystyle = z \sigma(z)$"
    assert found.slope(logit, "s(z) + z*s(z)*s(-z)", "").lines[1].how


def test_the_mean_of_a_batch_is_tied_for_every_component():
    def batch(rng, size, x):
        return 2 * x[None] * rng.integers(0, 2, (size, 1))

    found = derive("L", "Sum(x[i]**2, (i, 1, n))/2", "", [x, i, k, n], {n: (2, 3)}).slope(x[k], "x[k]", "")
    assert "10,000 draws" in found.expects("half of the time twice x", batch, "").lines[-1].how
    with pytest.raises(DoesNotFollow, match="its mean is"):
        found.expects("the same, shifted", lambda rng, size, x: batch(rng, size, x) + 0.1, "")
    with pytest.raises(DoesNotFollow, match=r"its draws have the shape \(10000,\), needed are \(10000, 2\)"):
        found.expects("numbers", lambda rng, size, x: rng.normal(size=size), "")


def test_a_symbol_may_have_a_name_of_its_own_in_the_text():
    hat = sp.Symbol(r"\hat m", real=True)
    found = derive("f", "m_hat**2", "", {"m_hat": hat}).slope(hat, 2 * hat, "")
    assert found.lines[1].left == r"\frac{\partial f}{\partial \hat m}"
    assert found.lines[1].right == r"$\displaystyle = 2 \hat m$"


def test_own_latex_is_shown_in_place_of_ours():
    assert half().equals("z*(z/2 - y)", "", tex=r"z \odot \ldots").lines[1].right == r"$\displaystyle = z \odot \ldots$"


WRITTEN = {
    "1/a**2": r"\frac{1}{a^{2}}",
    "-a/b": r"-\frac{a}{b}",
    "a - (b - c)": "a - (b - c)",
    "a - -b": "a - (-b)",
    "b*-a": "b (-a)",
    "-(1 - a)*log(1 - b)": r"-(1 - a) \log(1 - b)",
    "log(a)*b": r"\log(a) b",
    "b*log(a)": r"b \log a",
    "log(a)**2": r"(\log a)^{2}",
    "(a*b)**2": "(a b)^{2}",
    "-a**2": "-a^{2}",
    "2*3*a*2": r"2 \cdot 3 a \cdot 2",
    "sqrt(a)/sqrt(b)": r"\frac{\sqrt{a}}{\sqrt{b}}",
    "exp(-(a - b)**2/(2*c))": "e^{-(a - b)^{2} / (2 c)}",
    "log1p(exp(a))": r"\log(1 + e^{a})",
    "(a/b)**2": r"\left(\frac{a}{b}\right)^{2}",
    "Abs(a - b)": r"\left\vert a - b \right\vert",
    "Sum(a + b, (i, 1, C))*c": r"\left(\sum_{i = 1}^{C} (a + b)\right) c",
    "beta1**t": r"\beta_{1}^{t}",
    "W[i, j]": "W_{i j}",
    "oo": r"\infty",
    "Piecewise((0, a < b), (a, True))": r"\begin{cases} 0 & a < b \\ a & a \ge b \end{cases}",
}


@pytest.mark.parametrize("text", WRITTEN)
def test_a_formula_is_set_as_it_was_written(text):
    found = latex(text, {"beta1": r"\beta_{1}"})
    assert found == WRITTEN[text]
    mathml(found, False)


def test_output_is_the_same_in_another_process():
    here = [repr(d()._repr_mimebundle_()) for d in (parabola, clipped)]
    program = "import test_derive as t; print([repr(d()._repr_mimebundle_()) for d in (t.parabola, t.clipped)])"
    path = os.pathsep.join(map(str, (Path(__file__).parent, Path(__file__).parent.parent)))
    env = os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
    found = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, check=True, encoding="utf-8")
    assert ast.literal_eval(found.stdout) == here
