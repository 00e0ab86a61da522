"""What a model costs: parameters, and floating-point operations per image."""

from collections.abc import Mapping
from statistics import median
from time import perf_counter

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from fercore.labels import SIZE


def count_parameters(model: nn.Module) -> int:
    """Trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


@torch.inference_mode()
def flops_per_image(model: nn.Module) -> int:
    """FLOPs of one forward pass, a multiplication and an addition counted as two.

    Convolutions and matrix products as counted by torch; an LSTM's come from its sizes, since the
    counter sees through its kernel on some platforms only.
    """
    lstm_flops = 0

    def add_lstm(module: nn.Module, inputs: tuple[Tensor, ...], _outputs: object) -> None:
        nonlocal lstm_flops
        sequences, steps = inputs[0].shape[:2]  # a sequence for each view
        weights = sum(p.numel() for name, p in module.named_parameters() if "weight" in name)
        lstm_flops += 2 * sequences * steps * weights

    hooks = [m.register_forward_hook(add_lstm) for m in model.modules() if isinstance(m, nn.LSTM)]
    training = model.training
    counter = FlopCounterMode(display=False)
    with counter:
        model.eval()(torch.zeros(1, 1, SIZE, SIZE, device=next(model.parameters()).device))
    model.train(training)
    for hook in hooks:
        hook.remove()
    inside = [name for name, module in model.named_modules() if isinstance(module, nn.LSTM)]
    counted = counter.get_flop_counts()
    seen = sum(sum(counted.get(f"{type(model).__name__}.{name}", {}).values()) for name in inside)
    return counter.get_total_flops() - seen + lstm_flops


def latencies(models: Mapping[str, nn.Module], *, rounds: int = 30) -> dict[str, float]:
    """Median milliseconds for one face on one thread, by name.

    The models take turns in every round, so that what disturbs the machine disturbs them alike.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    face = torch.zeros(1, 1, SIZE, SIZE)
    times: dict[str, list[float]] = {name: [] for name in models}
    with torch.inference_mode():
        for _ in range(rounds):
            for name, model in models.items():
                model.eval()(face)
                start = perf_counter()
                for _ in range(3):
                    model(face)
                times[name].append((perf_counter() - start) / 3)
    torch.set_num_threads(threads)
    return {name: round(1000 * median(values), 3) for name, values in times.items()}
