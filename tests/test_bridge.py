"""Our rules inside torch's training loop, and our gradients inside autograd."""

import copy
import inspect
import io
import os
import pickle
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lessons_lib import bridge
from lessons_lib.bridge import TorchOptimizer, as_autograd
from lessons_lib.losses import barron, binary_cross_entropy, cross_entropy, gaussian_nll, info_nce, squared_error
from lessons_lib.optim import SGD, Adam, AdamW, Momentum, Muon
from lessons_lib.optim.averages import ema


def net(seed=0):
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Linear(6, 8), torch.nn.Tanh(), torch.nn.LayerNorm(8), torch.nn.Linear(8, 3)
    ).double()


def batch(seed=1):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(20, 6, generator=g, dtype=torch.float64), torch.randint(0, 3, (20,), generator=g)


def train(model, optimizer, loss_fn, steps=20, scheduler=None):
    x, k = batch()
    for _ in range(steps):
        optimizer.zero_grad()
        loss_fn(model(x), k).mean().backward()
        optimizer.step()
        if scheduler:
            scheduler.step()
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def groups(model, **options):
    params = list(model.parameters())
    return [{"params": [p for p in params if p.ndim > 1]}, {"params": [p for p in params if p.ndim < 2], **options}]


def test_trains_a_network_with_our_loss_and_our_optimizer_like_torch():
    ours, theirs = net(), net()
    a = train(
        ours, TorchOptimizer(AdamW(0.05, weight_decay=0.5), groups(ours, weight_decay=0.0)), as_autograd(cross_entropy)
    )
    optimizer = torch.optim.AdamW(groups(theirs, weight_decay=0.0), lr=0.05, weight_decay=0.5)
    b = train(theirs, optimizer, F.cross_entropy)
    torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def test_a_scheduler_on_top():
    models, ends = (net(), net()), []
    for model, optimizer in zip(
        models,
        (TorchOptimizer(Momentum(0.1), models[0].parameters()), torch.optim.SGD(models[1].parameters(), 0.1, 0.9)),
        strict=True,
    ):
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)
        ends.append(train(model, optimizer, F.cross_entropy, scheduler=scheduler))
        assert optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-12)
    torch.testing.assert_close(*ends, rtol=1e-10, atol=1e-12)


def test_state_dict_resumes_exactly():
    whole, first = net(), net()
    expected = train(whole, TorchOptimizer(Adam(0.05), whole.parameters()), F.cross_entropy, 20)
    optimizer = TorchOptimizer(Adam(0.05), first.parameters())
    train(first, optimizer, F.cross_entropy, 10)
    second = copy.deepcopy(first)
    resumed = TorchOptimizer(Adam(9.0), second.parameters())  # the saved learning rate must win
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    torch.testing.assert_close(train(second, resumed, F.cross_entropy, 10), expected, rtol=0, atol=0)
    assert resumed.state[next(second.parameters())]["t"] == 20


def test_state_dict_keeps_float32_state_of_half_parameters():
    p = torch.nn.Parameter(torch.ones(3, dtype=torch.float16))
    p.grad = torch.full((3,), 1e-4, dtype=torch.float16)  # its square is below float16
    optimizer = TorchOptimizer(Adam(0.1), [p])
    optimizer.step()
    other = TorchOptimizer(Adam(0.1), [p])
    other.load_state_dict(optimizer.state_dict())
    assert other.state[p]["v"].dtype == torch.float32 and bool((other.state[p]["v"] > 0).all())
    other.step()
    assert optimizer.state[p]["t"] == 1 and other.state[p]["t"] == 2  # the two do not share their state


def test_closure_zero_grad_and_missing_gradients():
    p, unused = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))
    optimizer = TorchOptimizer(SGD(0.5, weight_decay=0.1), [p, unused])

    def closure():
        optimizer.zero_grad()
        loss = (p**2).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 2.0
    torch.testing.assert_close(p.detach(), torch.full((2,), 1 - 0.5 * 2.1))
    assert unused.tolist() == [1, 1] and unused not in optimizer.state  # no gradient: no decay, no step count
    optimizer.zero_grad()
    assert p.grad is None


@pytest.mark.parametrize("shape", [(), (0,), (1000,), (40, 50)])
def test_large_parameters_are_updated_in_pieces_like_small_ones(shape, monkeypatch):
    ends = []
    for size in (7, 10**9):
        monkeypatch.setattr(bridge.optimizer, "BLOCK", size)
        torch.manual_seed(0)
        p = torch.nn.Parameter(torch.randn(shape))
        optimizer = TorchOptimizer(AdamW(0.1), [p])
        for _ in range(3):
            p.grad = torch.randn(shape)
            optimizer.step()
        ends.append(p.detach())
    torch.testing.assert_close(*ends, rtol=0, atol=0)


def test_a_transposed_parameter_and_a_sparse_gradient():
    p = torch.nn.Parameter(torch.randn(4, 3).T)
    p.grad = torch.ones(3, 4)
    before = p.detach().clone()
    TorchOptimizer(SGD(0.1), [p]).step()
    torch.testing.assert_close(p.detach(), before - 0.1)
    table = torch.nn.Embedding(5, 2, sparse=True)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(TypeError, match="sparse gradients"):
        TorchOptimizer(SGD(0.1), table.parameters()).step()


def test_a_rule_refuses_what_a_scheduler_hands_over():
    p = torch.nn.Parameter(torch.ones(1))
    p.grad = torch.ones(1)
    optimizer = TorchOptimizer(SGD(0.1), [p])
    optimizer.param_groups[0]["lr"] = -1.0
    with pytest.raises(ValueError, match=r"lr=-1\.0 is not allowed"):
        optimizer.step()


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_our_backward_is_the_closed_form_under_random_upstream(device):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    z = torch.randn(6, 4, dtype=torch.float64, device=device, requires_grad=True)
    k, up = torch.arange(6, device=device) % 4, torch.randn(6, dtype=torch.float64, device=device)
    (ours,) = torch.autograd.grad(as_autograd(cross_entropy)(z, k), z, up)
    (theirs,) = torch.autograd.grad(F.cross_entropy(z, k, reduction="none"), z, up)
    torch.testing.assert_close(ours, theirs)
    target = torch.rand_like(z)
    for loss in (squared_error, binary_cross_entropy):
        assert torch.autograd.gradcheck(lambda a, f=loss: as_autograd(f)(a, target), (z,))


def test_a_second_derivative_is_refused_not_wrong():
    z = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="no second derivative; drop create_graph=True"):
        torch.autograd.grad(as_autograd(squared_error)(z, torch.zeros(2)).sum(), z, create_graph=True)


# The state is the bridge's own


class LookaheadState(NamedTuple):
    t: int
    slow: Any
    inner: Any
    last: list


@dataclass(frozen=True)
class Lookahead:
    """Every k steps halfway back to where the slow weights are. Its init keeps theta itself, its state is a nest."""

    rule: Any
    k: int = 2

    def init(self, theta):
        return LookaheadState(0, theta, self.rule.init(theta), [None, {"g": theta}])

    def update(self, theta, g, state):
        theta, inner = self.rule.update(theta, g, state.inner)
        t, slow = state.t + 1, state.slow
        if t % self.k == 0:
            theta = slow = (theta + slow) / 2
        return theta, LookaheadState(t, slow, inner, [state.last[1]["g"].sum(), {"g": g}])


@dataclass(frozen=True)
class Swap:
    """Two weights that change places: each half of the result is the other half of what went in."""

    elementwise = True

    def init(self, theta):
        return {"other": theta}

    def update(self, theta, g, state):
        return state["other"], {"other": theta - g}


@dataclass(frozen=True)
class Averaged:
    """A rule beside whose steps the mean of the weights is kept."""

    rule: Any

    def init(self, theta):
        return {"inner": self.rule.init(theta), "mean": theta}

    def update(self, theta, g, state):
        theta, inner = self.rule.update(theta, g, state["inner"])
        return theta, {"inner": inner, "mean": ema(state["mean"], theta, 0.9)}


WRAPPED = [Lookahead(SGD(0.1)), Lookahead(Lookahead(Adam(0.1))), Swap(), Averaged(Momentum(0.1))]


def folded(rule, start, gradients):
    theta, state = start, rule.init(start)
    for g in gradients:
        theta, state = rule.update(theta, g, state)
    return theta


def stepped(optimizer, p, gradients):
    for g in gradients:
        p.grad = g.clone()
        optimizer.step()
        p.grad.zero_()  # as zero_grad(set_to_none=False) does: nobody may have kept it
    return p.detach().clone()


def random(n=6, shape=(3, 2), dtype=torch.float32):
    generator = torch.Generator().manual_seed(n)
    return [torch.randn(shape, generator=generator).to(dtype) for _ in range(n)]


@pytest.mark.parametrize("shape", [(3, 2), (300, 256)])
@pytest.mark.parametrize("rule", WRAPPED, ids=repr)
def test_a_rule_around_a_rule_trains_as_a_fold_over_it(rule, shape):
    start, *gradients = random(7, shape)
    p = torch.nn.Parameter(start.clone())
    assert torch.equal(stepped(TorchOptimizer(rule, [p]), p, gradients), folded(rule, start, gradients))


def by_state_dict(optimizer, p):
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    q = torch.nn.Parameter(p.detach().clone())
    other = TorchOptimizer(optimizer.rule, [q])
    other.load_state_dict(torch.load(file, weights_only=True))
    return other


WAYS = {
    "state_dict": by_state_dict,
    "deepcopy": lambda o, p: copy.deepcopy(o),
    "pickle": lambda o, p: pickle.loads(pickle.dumps(o)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rule", [*WRAPPED, Adam(0.1)], ids=repr)
def test_a_copy_goes_on_exactly_and_shares_nothing(rule, dtype, way):
    start, *gradients = random(7, dtype=dtype)
    p = torch.nn.Parameter(start.clone())
    optimizer = TorchOptimizer(rule, [p])
    stepped(optimizer, p, gradients[:3])
    other = WAYS[way](optimizer, p)
    whole = stepped(optimizer, p, gradients[3:])
    (q,) = other.param_groups[0]["params"]
    assert torch.equal(stepped(other, q, gradients[3:]), whole) and q is not p
    assert torch.equal(whole, folded(rule, start, gradients))


def test_what_a_rule_may_not_keep_is_refused_at_construction():
    @dataclass(frozen=True)
    class Keeps:
        thing: Any

        def init(self, theta):
            return {"thing": self.thing}

        def update(self, theta, g, state):
            return theta, state

    for thing in (np.ones(2), object(), len):
        with pytest.raises(TypeError, match=r"state\.thing of .* must be a tensor, a number or None"):
            TorchOptimizer(Keeps(thing), [torch.nn.Parameter(torch.ones(2))])
    for rule in (Adam, 3, None, "Adam", len):
        with pytest.raises(TypeError, match=r"rule=.* is not allowed; it must be a rule"):
            TorchOptimizer(rule, [torch.nn.Parameter(torch.ones(2))])


def test_load_hooks_run_on_half_parameters_too():
    p = torch.nn.Parameter(torch.ones(3, dtype=torch.float16))
    optimizer = TorchOptimizer(Adam(0.1), [p])
    stepped(optimizer, p, [torch.full((3,), 1e-4, dtype=torch.float16)])
    other, seen = TorchOptimizer(Adam(0.1), [p]), []

    def doubled(_, given):
        given = copy.deepcopy(given)
        given["state"][0]["v"] *= 2
        return given

    other.register_load_state_dict_pre_hook(doubled)
    other.register_load_state_dict_post_hook(lambda o: seen.append(o.state[p]["v"].clone()))
    other.load_state_dict(optimizer.state_dict())
    v = optimizer.state[p]["v"]
    assert v.dtype == seen[0].dtype == torch.float32 and torch.equal(seen[0], 2 * v) and bool((v > 0).all())


def test_a_tensor_lr_belongs_to_its_group_alone():
    rate = torch.tensor(0.1, dtype=torch.float64)
    rule, (p, q) = SGD(rate), (torch.nn.Parameter(torch.ones(1).double()) for _ in range(2))
    optimizer = TorchOptimizer(rule, [{"params": [p]}, {"params": [q], "lr": 0.5}])
    optimizer.add_param_group({"params": [r := torch.nn.Parameter(torch.ones(1).double())]})
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.1)
    for _ in range(2):
        for a in (p, q, r):
            a.grad = torch.ones(1).double()
        optimizer.step()
        scheduler.step()
    assert rate.item() == rule.lr.item() == 0.1
    torch.testing.assert_close(torch.cat([p, q, r]).detach(), torch.tensor([0.89, 0.45, 0.89]).double())


@pytest.mark.parametrize("grad_dtype", ["as theta", "bfloat16", "float64"])
def test_float32_weights_stay_float32_whatever_their_gradients_are(grad_dtype):
    p = torch.nn.Parameter(torch.ones(3))
    g = torch.ones(3)
    if grad_dtype != "as theta":
        if not hasattr(p, "grad_dtype"):
            pytest.skip("this torch has no grad_dtype")
        p.grad_dtype = getattr(torch, grad_dtype)
        g = g.to(p.grad_dtype)
    optimizer = TorchOptimizer(AdamW(1e-4), [p])
    for _ in range(100):
        p.grad = g
        optimizer.step()
    assert p.dtype == torch.float32 and p.tolist() == pytest.approx([0.9899] * 3, abs=2e-4)


def test_autocast_around_a_step_changes_nothing():
    start, g = random(2, (4, 3))
    ends = []
    for enabled in (True, False):
        p = torch.nn.Parameter(start.clone())
        p.grad = g
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            TorchOptimizer(Muon(0.1), [p]).step()
        ends.append(p.detach())
    assert torch.equal(*ends)


# It is a torch optimizer


def schedulers():
    """Every scheduler of torch, as a function of an optimizer."""
    made = {
        "LambdaLR": {"lr_lambda": lambda t: np.float64(0.9) ** t}, "MultiplicativeLR": {"lr_lambda": lambda t: 0.9},
        "StepLR": {"step_size": 2}, "MultiStepLR": {"milestones": [2, 3]}, "ExponentialLR": {"gamma": 0.9},
        "CosineAnnealingLR": {"T_max": 5}, "CosineAnnealingWarmRestarts": {"T_0": 2},
        "CyclicLR": {"base_lr": 0.01, "max_lr": 0.1}, "OneCycleLR": {"max_lr": 0.1, "total_steps": 9},
    }  # fmt: skip
    torchs = torch.optim.lr_scheduler
    two = lambda o: [torchs.ConstantLR(o), torchs.LinearLR(o)]  # noqa: E731
    built = {
        "SequentialLR": lambda o: torchs.SequentialLR(o, two(o), [3]),
        "ChainedScheduler": lambda o: torchs.ChainedScheduler(two(o)),
    }
    found = {n: c for n, c in vars(torchs).items() if inspect.isclass(c) and issubclass(c, torchs.LRScheduler)}
    found = {n: c for n, c in found.items() if c is not torchs.LRScheduler and not n.startswith("_")}
    return [(n, built.get(n, lambda o, c=c, n=n: c(o, **made.get(n, {})))) for n, c in found.items()]


@pytest.mark.parametrize(("name", "make"), schedulers())
def test_every_scheduler_of_torch_runs_on_it_as_on_torchs(name, make):
    start, *gradients = random(8)
    ends = []
    for build in (lambda p: TorchOptimizer(Adam(0.05), [p]), lambda p: torch.optim.Adam([p], 0.05)):
        p = torch.nn.Parameter(start.clone())
        optimizer = build(p)
        scheduler = make(optimizer)
        for g in gradients:
            p.grad = g
            optimizer.step()
            scheduler.step(*([1.0] if "Plateau" in name else []))
        ends.append((p.detach(), optimizer.param_groups[0]["betas"]))
    torch.testing.assert_close(*ends)


def test_a_state_dict_is_plain_also_where_a_schedule_makes_numpys_numbers():
    (p,) = parameters(2)
    optimizer = TorchOptimizer(Adam(np.float64(0.1)), [p])
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: np.float64(0.9) ** t)
    p.grad = torch.ones(2)
    optimizer.step()
    scheduler.step()
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    assert torch.load(file, weights_only=True)["param_groups"][0]["lr"] == pytest.approx(0.09)


def test_momentum_is_cycled_and_sgd_without_any_is_refused_as_torch_refuses():
    p = torch.nn.Parameter(torch.ones(1))
    optimizer = TorchOptimizer(Momentum(0.1), [p])
    torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=9)
    assert optimizer.param_groups[0]["momentum"] == 0.95
    with pytest.raises(ValueError, match="must support momentum"):
        torch.optim.lr_scheduler.OneCycleLR(TorchOptimizer(SGD(0.1), [p]), 0.1, total_steps=9)


def test_betas_in_a_group_are_understood_in_torchs_name_and_in_ours():
    start, *gradients = random(5)
    ends = []
    for option in ({"betas": (0.5, 0.9)}, {"beta1": 0.5, "beta2": 0.9}):
        p = torch.nn.Parameter(start.clone())
        ends.append(stepped(TorchOptimizer(Adam(0.1), [{"params": [p], **option}]), p, gradients))
    assert torch.equal(*ends) and torch.equal(ends[0], folded(Adam(0.1, 0.5, 0.9), start, gradients))


def parameters(*shapes):
    return [torch.nn.Parameter(torch.ones(shape)) for shape in shapes]


@pytest.mark.parametrize(
    ("rule", "option", "says"),
    [
        (Adam(), {"momentum": 0.9}, "group option 'momentum' is unknown.*betas"),
        (SGD(), {"betas": (0.9, 0.99)}, "group option 'betas' is unknown"),
        (Adam(), {"betas": (0.9, 0.99), "beta1": 0.5}, "'beta1' and 'betas' contradict"),
        (Adam(), {"betas": 0.9}, "betas=0.9 is not allowed"),
        (Adam(), {"betas": (0.9, 1.0)}, "beta2=1.0 is not allowed"),
        (Adam(), {"lr": -1}, "lr=-1 is not allowed"),
        (Adam(), {"lr": "0.1"}, "lr='0.1' is not allowed"),
        (Adam(), {"lr": None}, "lr=None is not allowed"),
        (Momentum(), {"nesterov": 1}, "nesterov=1 is not allowed"),
        (Lookahead(SGD()), {"lr": -1}, "lr=-1 is not allowed"),
        (Adam(), {"rule": "SGD"}, "rule='SGD' is not"),
    ],
)
def test_a_group_is_refused_by_name_when_it_is_made(rule, option, says):
    first, second = parameters(2, 3)
    with pytest.raises((ValueError, TypeError), match=says):
        TorchOptimizer(rule, [{"params": [first]}, {"params": [second], **option}])
    optimizer = TorchOptimizer(rule, [first])
    with pytest.raises((ValueError, TypeError), match=says):
        optimizer.add_param_group({"params": [second], **option})
    assert len(optimizer.param_groups) == 1


def test_what_a_rule_or_a_gradient_refuses_is_refused_before_anything_has_moved():
    with pytest.raises(ValueError, match="theta must be a matrix"):
        TorchOptimizer(Muon(), torch.nn.Linear(3, 2).parameters())
    with pytest.raises(TypeError, match=r"params\[1\] must hold real floating point numbers"):
        TorchOptimizer(SGD(), [*parameters(2), torch.nn.Parameter(torch.ones(2, dtype=torch.complex64))])
    first, second = parameters((2, 2), (2, 2))
    optimizer = TorchOptimizer(SGD(0.1), [{"params": [first]}, {"params": [second]}])
    first.grad, second.grad = torch.ones(2, 2), torch.ones(2, 2).to_sparse()
    with pytest.raises(TypeError, match="sparse gradients"):
        optimizer.step()
    second.grad = torch.ones(2, 2)
    optimizer.param_groups[1]["lr"] = -1.0
    with pytest.raises(ValueError, match=r"lr=-1\.0 is not allowed"):
        optimizer.step()
    optimizer = TorchOptimizer(Adam(0.1), [first])
    optimizer.param_groups[0]["beta1"] = 0.5
    with pytest.raises(ValueError, match=r"'beta1' is unknown; set group\['betas'\]"):
        optimizer.step()
    assert bool((first == 1).all())


def saved(rule, shape=(2, 3)):
    (p,) = parameters(shape)
    optimizer = TorchOptimizer(rule, [p])
    p.grad = torch.ones(shape)
    optimizer.step()
    return optimizer.state_dict()


def other_state(**state):
    given = saved(Adam())
    given["state"][0] = state
    return given


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (lambda: saved(AdamW()), "saved by AdamW, this optimizer is Adam"),
        (lambda: saved(Lookahead(Adam())), r"saved by Lookahead\(Adam\), this optimizer is Adam"),
        (lambda: torch.optim.Adam(parameters(2)).state_dict(), "saved by no rule, this optimizer is Adam"),
        (lambda: saved(Adam(), (3, 2)), r"parameter 0 has m \(3, 2\), it must be \(2, 3\)"),
        (lambda: other_state(t=1, m=torch.ones(2, 3)), r"parameter 0 has \['t', 'm'\], it must have \['t', 'm', 'v'\]"),
        (lambda: other_state(t=1, m=2.0, v=torch.ones(2, 3)), "parameter 0 has m=float"),
        (lambda: {"state": {}}, "state_dict must hold 'state' and 'param_groups'"),
    ],
)
def test_the_state_of_another_rule_is_refused_at_load_by_name(given, says):
    (p,) = parameters((2, 3))
    optimizer = TorchOptimizer(Adam(), [p])
    with pytest.raises(ValueError, match=says):
        optimizer.load_state_dict(given())
    assert not optimizer.state
    p.grad = torch.ones(2, 3)
    optimizer.step()


# Autograd


def leaf(*numbers):
    return torch.tensor(numbers, dtype=torch.float64, requires_grad=True)


def test_a_gradient_that_the_loss_does_not_have_is_refused_by_name():
    z, target, scores = leaf(1.0, 2.0), leaf(0.0, 1.0), leaf(0.2, 0.4, 0.1, 0.3).reshape(2, 2)
    for call, says in (
        (lambda: as_autograd(squared_error)(z, target), "squared_error has no gradient for target"),
        (lambda: as_autograd(binary_cross_entropy)(z, target.detach(), pos_weight=leaf(2.0, 3.0)), "for pos_weight"),
        (lambda: as_autograd(info_nce)(scores, leaf(0.5)[0]), "for temperature"),
        (lambda: as_autograd(lambda *a: squared_error(*a))(z, target), r"for a\[1\]"),
    ):
        with pytest.raises(ValueError, match=says):
            call()
    with torch.no_grad():
        assert as_autograd(squared_error)(z, target).shape == (2,)
    as_autograd(squared_error)(z, target.detach()).sum().backward()
    torch.testing.assert_close(z.grad, 2 * (z - target).detach(), rtol=0, atol=0)


def test_inputs_that_are_numbers_shared_or_named():
    z, y, var, alpha = leaf(0.5, -1.0), torch.tensor([0.0, 2.0]).double(), leaf(2.0), leaf(1.5)[0]
    (g,) = torch.autograd.grad(as_autograd(gaussian_nll)(z, 1.0, y).sum(), z)
    torch.testing.assert_close(g, (z - y).detach())
    g_z, g_var = torch.autograd.grad(as_autograd(gaussian_nll)(target=y, var=var, pred=z).sum(), (z, var))
    torch.testing.assert_close(g_var, ((1 / var - (z - y) ** 2 / var**2) / 2).sum(0, keepdim=True).detach())
    torch.testing.assert_close(g_z, ((z - y) / var).detach())
    up = torch.tensor([3.0, -2.0]).double()

    def f(z, alpha):
        return as_autograd(barron)(z, alpha, 1.0, y) @ up

    assert torch.autograd.gradcheck(f, (z, alpha))  # one alpha for all: the sum over what it decides
    with pytest.raises(TypeError, match="at least one tensor"):
        as_autograd(squared_error)(np.ones(2), np.ones(2))


# Checkpoints


def test_a_checkpoint_comes_back_whole_and_leaves_nothing_beside_it(tmp_path):
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = TorchOptimizer(Lookahead(Adam(0.1)), [p])
    stepped(optimizer, p, random(3, (3,)))
    path = tmp_path / "run.pt"
    for step in (7, 8):
        bridge.save(path, optimizer=optimizer.state_dict(), step=step, rates=[0.1, None, "cosine"])
    back = bridge.load(path)
    assert back["step"] == 8 and back["rates"] == [0.1, None, "cosine"]
    TorchOptimizer(Lookahead(Adam(0.1)), [p]).load_state_dict(back["optimizer"])
    (tmp_path / "link.pt").symlink_to(path)
    bridge.save(tmp_path / "link.pt", step=9)
    assert bridge.load(path) == {"step": 9} and (tmp_path / "link.pt").is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["link.pt", "run.pt"]


def test_a_save_that_fails_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    bridge.save(path, step=1)
    with pytest.raises(TypeError, match="model: only nests of tensors, numbers and strings"):
        bridge.save(path, model=torch.nn.Linear(2, 2))
    with pytest.raises(TypeError, match="rule: only nests"):
        bridge.save(path, rule=lambda x: x)
    for error in (OSError(28, "No space left on device"), KeyboardInterrupt()):

        def full(things, file, error=error):
            file.write(b"half a fi")
            raise error

        with monkeypatch.context() as patched:
            patched.setattr(torch, "save", full)
            with pytest.raises(type(error)):
                bridge.save(path, step=2)
    assert bridge.load(path) == {"step": 1} and os.listdir(tmp_path) == ["run.pt"]


def test_a_torn_or_foreign_file_is_refused_by_its_name(tmp_path):
    whole = tmp_path / "whole.pt"
    bridge.save(whole, model=torch.nn.Linear(20, 20).state_dict())
    data, bad = whole.read_bytes(), tmp_path / "bad.pt"
    foreign = io.BytesIO()
    torch.save({"model": 1}, foreign)
    for content in (b"", b"PK", b"not a checkpoint", data[:100], data[:-1], data[: len(data) // 2], data[50:],
                    foreign.getvalue(), pickle.dumps({"a": 1}), pickle.dumps(Adam())):  # fmt: skip
        bad.write_bytes(content)
        with pytest.raises(ValueError, match=r"bad\.pt is not a .*checkpoint that bridge.save wrote") as found:
            bridge.load(bad)
        assert "\n" not in str(found.value)
    with pytest.raises(FileNotFoundError, match=r"gone\.pt"):
        bridge.load(tmp_path / "gone.pt")


WRITER = """
import sys, torch
from lessons_lib import bridge
for step in range(10**6):
    bridge.save(sys.argv[1], step=step, model=torch.full((300_000,), float(step)))
    print(step, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system stops no process")
def test_whoever_is_killed_while_saving_leaves_a_whole_file(tmp_path):
    path = tmp_path / "run.pt"
    root = Path(__file__).parent.parent
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, text=True) as writer:
        try:
            assert writer.stdout is not None and writer.stdout.readline() == "0\n"
            for _ in range(5):  # stopped anywhere in a save: what lies there is what a kill would leave
                writer.send_signal(signal.SIGSTOP)
                found = bridge.load(path)
                assert bool((found["model"] == found["step"]).all())
                writer.send_signal(signal.SIGCONT)
                writer.stdout.readline()
        finally:
            writer.kill()
    found = bridge.load(path)
    assert bool((found["model"] == found["step"]).all())
