"""How much memory a process takes, for the measurements of this folder."""

import os
import pathlib
import select


def peak_memory(pid):
    """In bytes, so far; 0 if it has ended."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def peak_memory_at_end(pid, sample_seconds):
    """In bytes, as last seen before it ended. Returns then, and leaves it to be reaped.

    Once a process has ended, its peak cannot be read any more; what the kernel says of it by wait4() is at
    least what the process had that started it.
    """
    ended = os.pidfd_open(pid)
    memory = peak_memory(pid)
    while not select.select([ended], [], [], sample_seconds)[0]:
        memory = max(memory, peak_memory(pid))
    os.close(ended)
    return memory
