"""What a run was made on: processor, threads, package versions."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "numpy", "pandas", "pillow", "safetensors")


def describe_hardware(device: str, dtype: str) -> dict[str, Any]:
    """Processor or GPU, cores, threads and number format of a training, for its record."""
    import torch

    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if device == "cuda" else device,
        "precision": dtype,
        "system": f"{platform.system()} {platform.machine()}",
    }


def describe_software() -> dict[str, str]:
    """Versions of Python and of the packages a result depends on."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(": ", 1)[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration, IndexError):
        return platform.processor() or platform.machine()
