"""What only the losses of language models promise: logits, two models, a router, several tasks, the fused head."""

import tracemalloc

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from arrays import INTO, assert_near, back

from lessons_lib.bridge import as_autograd
from lessons_lib.core import Loss, mean, weighted_mean
from lessons_lib.fast.linear_cross_entropy import linear_cross_entropy
from lessons_lib.losses import (
    cross_entropy,
    dft,
    distillation,
    gaussian_nll,
    generalized_jensen_shannon,
    jensen_shannon,
    load_balance,
    reverse_kl,
    soft_cross_entropy,
    softcap,
    uncertainty_weighting,
    z_loss,
)
from lessons_lib.optim.balancing_bias import balancing_bias

RNG = np.random.default_rng(0)
Z, T, K = 2 * RNG.normal(size=(7, 5)), 2 * RNG.normal(size=(7, 5)), RNG.integers(0, 5, 7)


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def slope(f, z, h=1e-6):
    """The central differences of f, one number per row, by every number of z."""
    steps = h * np.eye(z.shape[-1])
    return np.stack([(f(z + step) - f(z - step)) / (2 * h) for step in steps], axis=-1)


# On logits


def test_the_z_loss_of_equal_logits_and_where_it_is_0():
    assert_near(z_loss(np.zeros((2, 8)), 0.5).value, 0.5 * np.log(8) ** 2)
    at_1 = z_loss(np.full((1, 8), -np.log(8)))
    assert_near([at_1.value[0], *at_1.grad[0]], 0, atol=1e-18)


def test_the_z_loss_sees_the_shift_that_cross_entropy_does_not_and_takes_it_back():
    z = Z.copy()
    for _ in range(300):
        z = z - z_loss(z, 0.5).grad
    assert_near(np.log(np.exp(z).sum(-1)), 0, atol=1e-12)
    assert_near(z_loss(Z).grad.sum(-1), 2e-4 * np.log(np.exp(Z).sum(-1)))


def test_capped_logits_keep_their_order_and_small_ones_their_value():
    z = np.array([-1e5, -90.0, -1e-3, 0.0, 1e-3, 90.0, 100.0])
    value, grad = softcap(z)
    assert (np.diff(value) > 0).all() and (np.abs(value) <= 30).all()
    assert_near(value[2:5], z[2:5], rtol=1e-9)
    assert grad[3] == 1 and grad[0] == 0
    assert_near(softcap(np.array([30.0])).grad, 0.41997434161402614)  # 1 - tanh(1)^2


def test_a_slope_far_beyond_the_cap_is_small_but_right_in_float32():
    z = torch.tensor([300.0, -450.0])
    assert (1 - torch.tanh(z / 30) ** 2 == 0).any()  # as the formula stands
    torch.testing.assert_close(softcap(z).grad.double(), softcap(z.double()).grad, rtol=1e-5, atol=0)


def test_capped_cross_entropy_is_two_lines():
    capped = softcap(Z, 3.0)
    loss = cross_entropy(capped.value, K)
    leaf = torch.tensor(Z, requires_grad=True)
    F.cross_entropy(3 * torch.tanh(leaf / 3), torch.tensor(K), reduction="sum").backward()
    assert_near(capped.grad * loss.grad, leaf.grad.numpy())


def test_the_gradient_of_dft_is_the_slope_with_p_held_and_not_the_slope_of_its_value():
    loss, p = dft(Z, K), np.exp(-cross_entropy(Z, K).value)
    assert_near(loss.grad, slope(lambda z: p * cross_entropy(z, K).value, Z), rtol=1e-6, atol=1e-9)
    assert_near(loss.grad, slope(lambda z: -np.exp(-cross_entropy(z, K).value), Z), rtol=1e-6, atol=1e-9)
    assert np.abs(loss.grad - slope(lambda z: dft(z, K).value, Z)).max() > 0.1


def test_dft_lets_impossible_labels_go_and_its_value_is_highest_at_1_over_e():
    p = np.array([1e-9, 0.2, 1 / np.e, 0.5, 1 - 1e-9])
    value, grad = dft(np.log(np.stack([p, 1 - p], -1)), np.zeros(5, int))
    assert value.argmax() == 2 and value[2] == pytest.approx(1 / np.e)
    assert_near(grad[:, 0], -p * (1 - p), rtol=1e-6)


# Between a student and a teacher


@pytest.mark.parametrize("fn", [distillation, reverse_kl, generalized_jensen_shannon])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_student_and_teacher_who_agree_cost_nothing(fn, dtype):
    z = torch.tensor(8 * Z).to(dtype)
    loss = fn(z, z)
    assert not loss.value.any() and not loss.grad.any()
    assert (fn(torch.tensor(Z), torch.tensor(T)).value > 0).all()


def test_distillation_is_cross_entropy_with_soft_labels_less_their_entropy():
    p = softmax(T)
    loss, soft = distillation(Z, T), soft_cross_entropy(Z, p)
    assert_near(loss.grad, soft.grad, atol=1e-13)
    assert_near(loss.value, soft.value + (p * np.log(p)).sum(-1))


def test_a_high_temperature_matches_logits_and_keeps_the_size_of_the_gradient():
    z, t = (a - a.mean(-1, keepdims=True) for a in (Z, T))
    assert_near(distillation(Z, T, 1e5).grad, (z - t) / 5, rtol=0, atol=1e-4)
    assert np.abs(reverse_kl(Z, T, 1e5).grad).max() < 1e-9  # without T^2


def test_a_student_of_one_mode_prefers_one_and_distillation_the_middle():
    """The teacher has two modes, and the student a single bump of fixed width."""
    x = np.arange(-10, 11.0)
    teacher = np.logaddexp(-((x - 6) ** 2), -((x + 6) ** 2) - 0.5)
    students = [-((x - c) ** 2) / 2 for c in range(-9, 10)]
    best = {fn: min(students, key=lambda z: fn(z[None], teacher[None]).value[0]) for fn in (distillation, reverse_kl)}
    assert x[best[distillation].argmax()] in (0, 1, 2) and x[best[reverse_kl].argmax()] == 6


def test_a_class_that_one_of_them_leaves_out():
    z, t = np.array([[0.0, 1.0, -np.inf]]), np.array([[0.0, 1.0, 2.0]])
    assert distillation(z, t).value == np.inf and reverse_kl(z, t).value < np.inf
    lost = reverse_kl(t, z)
    assert lost.value == np.inf and not lost.grad.any()
    assert distillation(t, z).value == pytest.approx(-np.log(softmax(t)[0, :2].sum()))
    both = np.array([[0.5, 0.0, -np.inf]])
    for beta in (0.0, 0.3, 1.0):
        loss, two = generalized_jensen_shannon(both, z, beta), generalized_jensen_shannon(both[:, :2], z[:, :2], beta)
        assert_near(loss.value, two.value)
        assert_near(loss.grad, [[*two.grad[0], 0]])
        assert beta in (0, 1) or np.isfinite(generalized_jensen_shannon(z, t, beta).grad).all()


def test_equal_weights_are_jensen_shannon_and_unequal_ones_swap_with_the_models():
    a, b = generalized_jensen_shannon(Z, T), jensen_shannon(Z, softmax(T))
    assert_near(a.value, b.value)
    assert_near(a.grad, b.grad)
    assert_near(generalized_jensen_shannon(Z, T, 0.2).value, generalized_jensen_shannon(T, Z, 0.8).value)


def test_the_ends_are_the_two_divergences_and_the_limits_of_value_over_weight():
    for beta, near, whole in ((0.0, 1e-7, distillation), (1.0, 1 - 1e-7, reverse_kl)):
        end, beside, exact = (*(generalized_jensen_shannon(Z, T, b) for b in (beta, near)), whole(Z, T))
        for a, b, c in zip(end, beside, exact, strict=True):
            assert_near(a, c)
            assert_near(b / 1e-7, c, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("beta", [1e-9, 1e-3, 0.5, 1 - 1e-7])
def test_the_divergence_is_at_most_the_entropy_of_its_weights_and_reaches_it(beta):
    z = torch.tensor([[1e4, -1e4], [3.0, -2.0]])
    loss, exact = (generalized_jensen_shannon(a, -a, beta) for a in (z, z.double()))
    entropy = -beta * np.log(beta) - (1 - beta) * np.log1p(-beta)
    assert exact.value[0].item() == pytest.approx(entropy) and exact.value[1] < entropy
    torch.testing.assert_close(loss.value.double(), exact.value, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(loss.grad.double(), exact.grad, rtol=1e-5, atol=1e-7)


def test_a_sure_student_still_feels_all_other_classes():
    """q (d - KL) of a class with q = 1 would be 0 in float32."""
    z, t = torch.tensor([[30.0, 0.0, 0.0]]), torch.tensor([[-90.0, 50.0, 40.0]])
    for beta in (0.5, 1.0):
        ours, exact = generalized_jensen_shannon(z, t, beta).grad, generalized_jensen_shannon(z.double(), t, beta).grad
        torch.testing.assert_close(ours.double(), exact, rtol=1e-5, atol=0)


# On a router


def test_balance_is_k_when_even_and_the_number_of_experts_when_one_gets_all():
    even = 5 * np.eye(4)
    for k in (1, 2):
        assert load_balance(np.tile(even + np.roll(even, 1, 1) / 2, (3, 1)), k).value == pytest.approx(k)
    assert load_balance(np.array([[50.0, 0, 0, 0]] * 6)).value == pytest.approx(4)
    assert load_balance(np.zeros((3, 4)), 4).value == pytest.approx(4) and load_balance(np.zeros((0, 4))).value == 0


def test_balance_as_transformers_has_it():
    modeling = pytest.importorskip("transformers.models.mixtral.modeling_mixtral")
    z = torch.randn(40, 6, generator=torch.Generator().manual_seed(0)) + torch.arange(6) / 2
    for k in (1, 2, 3):
        leaf = z.clone().requires_grad_()
        theirs = modeling.load_balancing_loss_func((leaf,), 6, k)
        theirs.backward()
        loss = load_balance(z, k)
        torch.testing.assert_close(loss.value, theirs.detach())
        torch.testing.assert_close(loss.grad, leaf.grad)


def test_balance_pushes_down_the_crowded_expert_and_no_token_as_a_whole():
    z = RNG.normal(size=(50, 4)) + np.array([2.0, 0, 0, 0])
    grad = load_balance(z).grad
    assert (grad[:, 0] > 0).all() and grad[:, 1:].sum() < 0
    assert_near(grad.sum(-1), 0, atol=1e-16)


def chosen(scores, k):
    return np.bincount(np.argsort(-scores, axis=-1)[:, :k].ravel(), minlength=scores.shape[1])


def test_the_bias_evens_a_crowded_router_out():
    scores, bias = RNG.random((400, 4)) + np.array([0.5, 0, 0, -0.2]), np.zeros(4)
    before = chosen(scores, 2)
    for _ in range(500):
        bias = balancing_bias(bias, chosen(scores + bias, 2))
    after = chosen(scores + bias, 2)
    assert before.max() - before.min() > 200 and after.max() - after.min() < 20


def test_the_bias_by_hand_and_its_dtype():
    for load in (np.array([1, 2, 6, 3]), np.array([1.0, 2, 6, 3]) / 12):
        assert_near(balancing_bias(np.array([0.0, 1, 2, 3]), load, 0.5), [0.5, 1.5, 1.5, 3])
    assert balancing_bias(torch.zeros(2), torch.tensor([3, 4])).dtype == torch.float32
    assert balancing_bias(np.zeros(2, "f4"), np.array([0.2, 0.8])).dtype == np.float32


# Over several tasks


def test_the_best_variance_of_a_task_is_its_loss():
    losses = np.array([0.1, 1.0, 30.0])
    value, grad = uncertainty_weighting(losses, np.log(losses))
    assert value == pytest.approx(3 + np.log(losses).sum())
    assert_near(grad.log_variance, 0, atol=1e-14)
    assert_near(grad.losses * losses, 1)


def test_it_is_twice_a_gaussian_likelihood_of_squared_errors():
    r, s = RNG.normal(size=(6, 3)), RNG.normal(size=3)
    twice = 2 * gaussian_nll(r, np.broadcast_to(np.exp(s), r.shape).copy(), np.zeros_like(r), eps=1e-12).value.sum(-1)
    assert_near(uncertainty_weighting(r**2, s).value, twice)


def test_variances_that_a_batch_shares_are_learned_through_autograd():
    losses, s = torch.rand(64, 3).double() * torch.tensor([0.1, 1, 20]), torch.zeros(3).double().requires_grad_()
    optimizer = torch.optim.SGD([s], lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        as_autograd(uncertainty_weighting)(losses, s).mean().backward()
        optimizer.step()
    torch.testing.assert_close(s.exp().detach(), losses.mean(0), rtol=1e-4, atol=0)


def test_a_small_loss_over_a_smaller_variance_is_no_infinity():
    loss = uncertainty_weighting(torch.tensor([1e-30, 0.0]), torch.tensor([-100.0, -1e30]))
    assert loss.value == pytest.approx(-1e30) and loss.grad.log_variance[1] == 1
    value = uncertainty_weighting(torch.tensor([1e-30]), torch.tensor([-100.0])).value.item()
    assert value == pytest.approx(np.exp(100) * 1e-30 - 100, rel=1e-5)


# The fused head

HIDDEN, WEIGHT, LABELS = RNG.normal(size=(23, 6)), RNG.normal(size=(11, 6)), RNG.integers(0, 11, 23)


def composed(hidden, weight, labels, w=None):
    """The same in two steps, with all the logits."""
    plain = cross_entropy(hidden @ weight.T, labels)
    loss = mean(plain) if w is None else weighted_mean(plain, w)
    return Loss(loss.value, (loss.grad @ weight, loss.grad.T @ hidden))


@pytest.mark.parametrize("library", INTO)
@pytest.mark.parametrize("rows", [1, 8, 23, 1000])
@pytest.mark.parametrize("w", [None, RNG.integers(0, 3, 23), RNG.random(23), np.arange(23) % 3 == 0])
def test_blocks_of_rows_give_what_the_whole_gives(library, rows, w):
    given = [INTO[library](a) for a in (HIDDEN, WEIGHT, LABELS)]
    loss = linear_cross_entropy(*given, w if w is None else INTO[library](w), rows=rows)
    exact = composed(HIDDEN, WEIGHT, LABELS, w)
    assert_near(back(loss.value), exact.value)
    for ours, right, a in zip(loss.grad, exact.grad, given, strict=False):
        assert_near(back(ours), right)
        assert type(ours) is type(a) and ours.dtype == a.dtype and ours.shape == a.shape
    for a, kept in zip(given, (HIDDEN, WEIGHT, LABELS), strict=True):
        np.testing.assert_array_equal(back(a), kept)


@pytest.mark.skipif(not hasattr(F, "linear_cross_entropy"), reason="this torch has no F.linear_cross_entropy")
def test_the_head_as_pytorch_has_it():
    leaves = [torch.tensor(a, requires_grad=True) for a in (HIDDEN, WEIGHT)]
    labels = torch.tensor(LABELS)
    ignored = torch.where(torch.arange(23) % 4 == 0, -100, labels)
    for w, target in ((None, labels), (ignored != -100, ignored)):
        theirs = F.linear_cross_entropy(*leaves, target)
        loss = linear_cross_entropy(torch.tensor(HIDDEN), torch.tensor(WEIGHT), labels, w, rows=5)
        torch.testing.assert_close(loss.value, theirs.detach())
        torch.testing.assert_close(tuple(loss.grad), torch.autograd.grad(theirs, leaves))


def test_the_logits_never_stand_in_memory():
    n, c = 2048, 4000
    hidden, weight, labels = np.zeros((n, 4)), np.zeros((c, 4)), np.zeros(n, int)
    peaks = []
    for fn in (composed, linear_cross_entropy):
        tracemalloc.start()
        fn(hidden, weight, labels)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[0] > 8 * n * c and peaks[1] < peaks[0] / 4


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_head_in_half_precision_is_rounded_once(dtype):
    given = [torch.tensor(a).to(dtype) for a in (HIDDEN, WEIGHT)]
    loss = linear_cross_entropy(*given, torch.tensor(LABELS), rows=2)
    exact = linear_cross_entropy(*(a.double() for a in given), torch.tensor(LABELS))
    for ours, right in zip((loss.value, *loss.grad), (exact.value, *exact.grad), strict=True):
        torch.testing.assert_close(ours, right.to(dtype), rtol=torch.finfo(dtype).eps, atol=1e-6)


def test_a_head_without_tokens_and_one_with_a_hopeless_token_left_out():
    loss = linear_cross_entropy(HIDDEN[:0], WEIGHT, LABELS[:0])
    assert loss.value == 0 and loss.grad.hidden.shape == (0, 6) and not loss.grad.weight.any()
    far = np.where(np.arange(23)[:, None] == 2, 1e308, HIDDEN)
    keep = np.arange(23) != 2
    with np.errstate(all="ignore"):
        loss = linear_cross_entropy(far, WEIGHT, LABELS, keep)
    assert_near(loss.value, linear_cross_entropy(HIDDEN[keep], WEIGHT, LABELS[keep]).value)
    ignored = linear_cross_entropy(HIDDEN, WEIGHT, LABELS, np.zeros(23))
    assert ignored.value == 0 and not ignored.grad.weight.any()


def test_a_head_trains_through_autograd():
    hidden, weight = (torch.tensor(a, requires_grad=True) for a in (HIDDEN, WEIGHT))
    as_autograd(linear_cross_entropy)(hidden, weight, torch.tensor(LABELS)).backward()
    exact = composed(HIDDEN, WEIGHT, LABELS).grad
    assert_near(hidden.grad.numpy(), exact[0])
    assert_near(weight.grad.numpy(), exact[1])


# Bad input

BAD = [
    (lambda: z_loss(Z, -1.0), ValueError, r"weight=-1\.0 is not allowed; it must be a finite number >= 0"),
    (lambda: z_loss(K), TypeError, "logits must be a floating point array"),
    (lambda: softcap(Z, 0.0), ValueError, r"cap=0\.0 is not allowed; it must be a finite number > 0"),
    (lambda: softcap(Z, np.inf), ValueError, "cap=inf is not allowed"),
    (lambda: dft(Z, K + 5), ValueError, r"labels must lie in 0\.\.4"),
    (lambda: dft(Z, K[:3]), ValueError, r"got logits \(7, 5\), labels \(3,\)"),
    (lambda: distillation(Z, T[:, :4]), ValueError, r"shapes must be equal, got logits \(7, 5\), teacher_logits"),
    (lambda: distillation(Z, K), TypeError, "teacher_logits must be a floating point array"),
    (lambda: distillation(Z, T, 0), ValueError, "temperature=0 is not allowed; it must be a finite number > 0"),
    (lambda: reverse_kl(Z, T, -1.0), ValueError, r"temperature=-1\.0 is not allowed"),
    (lambda: reverse_kl(Z, T[:1]), ValueError, "shapes must be equal"),
    (lambda: generalized_jensen_shannon(Z, T, 1.5), ValueError, r"beta=1\.5 is not allowed; it must lie in \[0, 1\]"),
    (lambda: generalized_jensen_shannon(Z, T, 0.5, np.nan), ValueError, "temperature=nan is not allowed"),
    (lambda: load_balance(Z, 6), ValueError, r"k=6 is not allowed; it must lie in 1\.\.5"),
    (lambda: load_balance(Z, 1.0), TypeError, "k=1.0 is not allowed; it must be an integer"),
    (lambda: load_balance(Z[None]), ValueError, r"router_logits \(N, E\)"),
    (
        lambda: balancing_bias(np.zeros(3), np.ones(2)),
        ValueError,
        r"shapes must be equal, got bias \(3,\), load \(2,\)",
    ),
    (
        lambda: balancing_bias(np.zeros(2), np.array([1, -1])),
        ValueError,
        "load must hold finite numbers >= 0 and no NaN, got -1",
    ),
    (lambda: balancing_bias(np.zeros(2), np.ones(2), -1), ValueError, "rate=-1 is not allowed"),
    (lambda: balancing_bias(np.zeros(2, int), np.ones(2)), TypeError, "bias must be a floating point array"),
    (lambda: uncertainty_weighting(Z, np.zeros(4)), ValueError, r"log_variance must be a number or shaped like losses"),
    (lambda: uncertainty_weighting(Z, np.full(5, np.nan)), ValueError, "log_variance must lie in .* hold no NaN"),
    (lambda: uncertainty_weighting(K, np.zeros(7)), TypeError, "losses must be a floating point array"),
    (lambda: linear_cross_entropy(HIDDEN, WEIGHT.T, LABELS), ValueError, r"hidden \(N, D\), weight \(C, D\)"),
    (lambda: linear_cross_entropy(HIDDEN, WEIGHT, LABELS - 100), ValueError, r"labels must lie in 0\.\.10"),
    (lambda: linear_cross_entropy(HIDDEN, WEIGHT, LABELS, -LABELS), ValueError, "w must .*>= 0 and no NaN"),
    (lambda: linear_cross_entropy(HIDDEN, WEIGHT, LABELS, rows=0), ValueError, "rows=0 is not allowed"),
    (lambda: linear_cross_entropy(HIDDEN, WEIGHT, LABELS, rows=True), TypeError, "rows=True is not allowed"),
]


@pytest.mark.parametrize(("call", "error", "says"), BAD)
def test_bad_input_is_refused_by_name(call, error, says):
    with pytest.raises(error, match=says):
        call()
