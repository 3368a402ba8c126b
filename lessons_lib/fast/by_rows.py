from ..core import Loss, array_namespace
from ..core.options import function, whole


def by_rows(loss_fn, rows: int = 16):
    """The same loss, computed a few rows at a time: the temporaries stay in the processor's cache.

    For losses whose `grad` is one array, on NumPy arrays or CPU tensors; every input is cut along axis 0.
    Raises TypeError or ValueError unless rows is an integer >= 1, and what the loss raises.
    """
    function(loss_fn=loss_fn)
    whole(least=1, rows=rows)

    def blocked(pred, target) -> Loss:
        lengths = {tuple(getattr(a, "shape", ()))[:1] for a in (pred, target)}
        if len(lengths) > 1 or () in lengths or pred.shape[0] <= rows:  # what does not fit, the loss refuses by name
            return loss_fn(pred, target)
        grad, values = array_namespace(pred).empty_like(pred), []
        for i in range(0, pred.shape[0], rows):
            piece = loss_fn(pred[i : i + rows], target[i : i + rows])
            grad[i : i + rows] = piece.grad  # written at once: joining the pieces at the end would copy them all
            values.append(piece.value)
        return Loss(array_namespace(pred).concat(values), grad)

    return blocked
