# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Times commands against each other: interleaved repetitions, medians and ratios."""

import os
import statistics
import subprocess
import sys


# The peak memory of a child process starts at that of its parent, so a small process launches the
# command instead of a large one that has loaded PyTorch.
LAUNCHER = """
import os, sys, time
start = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ,
    file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
_, status, usage = os.wait4(child, 0)
print(time.perf_counter() - start, usage.ru_maxrss * 1024)
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""


def run(command, **options):
    """Runs a command; returns (seconds, peak resident bytes), at least the 10 MB of the launcher."""
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", LAUNCHER, *command], capture_output=True, text=True, **options)
    if result.returncode != 0:
        sys.exit(f"{command} failed: {result.stderr}")
    seconds, peak = result.stdout.split()
    return float(seconds), int(peak)


def interleave(cases, repeats):
    """`cases`: name -> function that returns (seconds, bytes). Returns name -> (median s, max bytes)."""
    times = {name: [] for name in cases}
    peaks = {name: 0 for name in cases}
    for _ in range(repeats):
        for name, case in cases.items():
            seconds, peak = case()
            times[name].append(seconds)
            peaks[name] = max(peaks[name], peak)
    return {name: (statistics.median(times[name]), peaks[name], times[name]) for name in cases}


def table(rows, header=("what", "median", "range", "peak memory")):
    cells = [header] + [tuple(str(cell) for cell in row) for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def row(name, result):
    median, peak, times = result
    return name, f"{median:.3f} s", f"{min(times):.3f} to {max(times):.3f}", f"{peak / 1e6:.0f} MB"


def zoo():
    """The path of the release build."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    path = os.environ.get("AMI_ZOO", os.path.join(root, ".build/release/ami-zoo"))
    if not os.path.exists(path):
        sys.exit("build first: swift build -c release --static-swift-stdlib --product ami-zoo")
    return path
