"""Our rules inside torch's training loop, and our gradients inside autograd."""

import copy

import pytest
import torch
import torch.nn.functional as F

from lessons_lib import bridge
from lessons_lib.bridge import TorchOptimizer, as_autograd
from lessons_lib.losses import binary_cross_entropy, cross_entropy, squared_error
from lessons_lib.optim import SGD, Adam, AdamW, Momentum


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
