"""Run under torchrun by `test_parallel.py`: fercore in a group whose patience is two seconds."""

from datetime import timedelta
from functools import partial

import torch.distributed as dist

from fercore.cli import main

PATIENCE = timedelta(seconds=2)  # half an hour by default

if __name__ == "__main__":
    dist.init_process_group = partial(dist.init_process_group, timeout=PATIENCE)
    main()
