"""How much memory this process may still take."""

import os
from pathlib import Path

# Assumed where the system does not tell: the least a machine that trains networks has to spare.
_FALLBACK = 2 * 1024**3

# (limit, usage) of the control group a container runs in: version 2, then version 1.
_CGROUPS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes")),
)


def available_memory() -> int:
    """Return the bytes that can be allocated without swapping: the system's or the container's, the smaller."""
    limits = [_system_memory(), *_container_memory()]
    return max(0, min(limits))


def _system_memory() -> int:
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        # Elsewhere only the installed memory is known; half of it is taken to be in use.
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, OSError, ValueError):
        return _FALLBACK


def _container_memory() -> list[int]:
    free = []
    for limit, usage in _CGROUPS:
        try:
            # The word "max" (no limit) is a ValueError like any other text that is not a number.
            free.append(int(limit.read_text()) - int(usage.read_text()))
        except (OSError, ValueError):
            continue
    return free
