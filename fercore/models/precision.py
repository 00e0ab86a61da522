"""Which device and which number format a training uses, detected and then recorded."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from fercore.errors import ConfigError

CHOICES = ("auto", "fp32", "bf16")


@dataclass(frozen=True)
class Precision:
    device: str  # 'cpu', 'cuda' or 'mps'
    dtype: str  # 'fp32' or 'bf16'

    def autocast(self) -> AbstractContextManager[object]:
        return (
            torch.autocast(self.device, torch.bfloat16) if self.dtype == "bf16" else nullcontext()
        )


# Scores and photos: the same numbers on any machine, whatever a model was trained in.
REFERENCE = Precision("cpu", "fp32")


def choose_precision(dtype: str = "auto") -> Precision:
    """bf16 where the hardware multiplies it natively, fp32 elsewhere; or what is asked for.

    Without instructions for it (AMX or AVX512-BF16 on a CPU, tensor cores on a GPU), bf16 is
    emulated and slower.
    Raises `ConfigError` for another word than 'auto', 'fp32' or 'bf16'.
    """
    if dtype not in CHOICES:
        raise ConfigError(f"There is no precision '{dtype}'. Choose one of: {', '.join(CHOICES)}.")
    if torch.cuda.is_available():
        device, native = "cuda", torch.cuda.is_bf16_supported(including_emulation=False)
    elif torch.backends.mps.is_available():
        device, native = "mps", False
    else:
        device = "cpu"
        native = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    if dtype == "auto":
        dtype = "bf16" if native else "fp32"
    return Precision(device, dtype)
