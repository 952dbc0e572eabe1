# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Times commands against each other: interleaved, repeated, medians and ratios."""

import os
import statistics
import subprocess
import sys
import time


def run(command, **options):
    """Runs a command; returns (seconds, peak resident bytes). Fails loudly."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command} exited with {process.returncode}: {process.stderr.read().decode()}")
    process.stderr.close()
    return seconds, usage.ru_maxrss * 1024


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
    """The release executable."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    path = os.environ.get("AMI_ZOO", os.path.join(root, ".build/release/ami-zoo"))
    if not os.path.exists(path):
        sys.exit("build first: swift build -c release --product ami-zoo")
    return path
