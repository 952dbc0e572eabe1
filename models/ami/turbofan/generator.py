# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Simulated turbofan engines that wear out: operating conditions, sensors, remaining life, and sensor faults.

An engine flies cycle after cycle; each step of a run is one snapshot per cycle, as in the public C-MAPSS runs. The
conditions (altitude, Mach number, throttle) differ from flight to flight. One of three components (fan, high-pressure compressor,
high-pressure turbine) loses efficiency faster and faster after a random onset until the engine fails; the other two
wear a little. Sensors are smooth functions of conditions and wear, with offsets of each engine (manufacturing and
calibration) and noise. The formulas are a textbook two-spool cycle with constant heat capacity, not a real engine.

Everything follows from a seed: engine `i` of seed `s` is drawn by `np.random.default_rng([s, i])`.
"""

from __future__ import annotations

import numpy as np

WINDOW = 64
LIFE_CAP = 125  # remaining life is told only so far, as is usual for C-MAPSS
COMPONENTS = ("fan", "compressor", "turbine")
FAULTS = ("drift", "stuck", "spike", "decorrelated")

# name, UCUM unit, decimals that the data set keeps
CHANNELS = (
    ("altitude", "m", 0), ("mach", "1", 4), ("throttle", "%", 2),
    ("fan-outlet-temperature", "K", 2), ("compressor-outlet-temperature", "K", 2),
    ("turbine-outlet-temperature", "K", 2), ("bypass-pressure", "kPa", 2),
    ("compressor-outlet-pressure", "kPa", 1), ("fan-speed", "/min", 1), ("core-speed", "/min", 1),
    ("combustor-pressure", "kPa", 1), ("fuel-flow-ratio", "g/(s.kPa)", 5), ("corrected-fan-speed", "/min", 1),
    ("corrected-core-speed", "/min", 1), ("bypass-ratio", "1", 4), ("bleed-enthalpy", "kJ/kg", 2),
    ("coolant-flow", "kg/s", 4),
)
CONDITIONS = 3
# The scale of each sensor in its unit, about 0.85 std over the flights of a new engine: offsets, noise and faults are
# multiples of it.
SPREAD = np.array([5.9, 17.5, 31.6, 6.46, 104, 66.1, 132, 99.6, 0.0085, 67.7, 114, 0.0693, 11.6, 0.113])
OFFSET, NOISE = 0.15, 0.05
SEVERITY = 1.8  # scales the effect of wear on all sensors


def sensors(conditions: np.ndarray, wear: np.ndarray) -> np.ndarray:
    """[steps, 3] conditions and [steps, 3] efficiency losses (0 to about 1) to [steps, 14] sensors."""
    altitude, mach, throttle = conditions.T
    fan, compressor, turbine = SEVERITY * wear.T
    # International Standard Atmosphere below 11 km, and stagnation at the inlet.
    temperature = 288.15 - 0.0065 * altitude
    pressure = 101.325 * (temperature / 288.15) ** 5.2559
    ram = 1 + 0.2 * mach**2
    t2, p2 = temperature * ram, pressure * ram**3.5
    power = throttle / 100
    n1 = (0.55 + 0.45 * power) * (1 + 0.024 * turbine - 0.020 * fan)
    n2 = (0.80 + 0.20 * power) * (1 + 0.020 * compressor + 0.012 * turbine)
    fan_ratio = 1 + 0.62 * n1**2 * (1 - 0.10 * fan)
    core_ratio = 1 + 15.0 * n2**3 * (1 - 0.10 * compressor)
    t24 = t2 * (1 + (fan_ratio**0.2857 - 1) / (0.90 - 0.12 * fan))
    t30 = t24 * (1 + (core_ratio**0.2857 - 1) / (0.86 - 0.09 * compressor))
    p15 = p2 * fan_ratio
    p30 = p15 * core_ratio
    burner = t30 + 420 + 480 * power
    t50 = burner - (t30 - t24) * (1.02 - 0.10 * turbine) - 0.35 * (t24 - t2)
    flow = 60 * (p2 / 101.325) * np.sqrt(288.15 / t2) * n1 * (1 - 0.02 * fan)
    fuel = flow * (burner - t30) * 1.15 / 43_000 * (1 + 0.06 * turbine + 0.02 * compressor)
    bypass = 8.4 - 1.1 * power + 0.12 * compressor - 0.10 * fan
    root = np.sqrt(t2 / 288.15)
    return np.stack([
        t24, t30, t50, p15, p30, 2388 * n1 * root, 9050 * n2 * root, 0.955 * p30 * (1 - 0.02 * turbine),
        1000 * fuel / p30, 2388 * n1, 9050 * n2, bypass, 1.005 * 0.5 * (t24 + t30) * (1 + 0.01 * compressor),
        0.045 * flow * (1 + 0.10 * turbine) / bypass * 8,
    ], 1)


def run(seed: int, index: int) -> dict[str, np.ndarray]:
    """The run of one engine until it fails: values [steps, 17], life [steps], wear [steps, 3], mode."""
    rng = np.random.default_rng([seed, index])
    life = int(rng.integers(160, 340))
    steps = np.arange(life)
    mode = int(rng.integers(3))
    wear = np.empty((life, 3))
    for component in range(3):
        onset = rng.uniform(0.1, 0.5) * life
        rate = rng.uniform(1.5, 4.0)
        share = np.clip((steps - onset) / (life - onset), 0, None)
        growth = np.expm1(rate * share) / np.expm1(rate)
        wear[:, component] = rng.uniform(0, 0.05) + growth * (1 if component == mode else rng.uniform(0.05, 0.2))
    flights = rng.uniform(-1, 1, (life, CONDITIONS))
    conditions = np.array([9_500, 0.78, 80]) + flights * [1_250, 0.05, 12.5]
    clean = sensors(conditions, wear)
    offset = OFFSET * rng.standard_normal(clean.shape[1])
    noise = NOISE * rng.standard_normal(clean.shape)
    values = np.concatenate([conditions, clean + SPREAD * (offset + noise)], 1)
    remaining = np.minimum(life - 1 - steps, LIFE_CAP)
    return {"values": values, "life": remaining, "wear": wear, "mode": mode}


def rounded(values: np.ndarray) -> np.ndarray:
    """[.., 17] to float32 with the decimals of a real recorder."""
    decimals = [decimals for _, _, decimals in CHANNELS]
    return np.stack([np.round(values[..., i], d) for i, d in enumerate(decimals)], -1).astype(np.float32)


def windows(seed: int, engines: range, each: int) -> dict[str, np.ndarray]:
    """`each` windows of every engine, ends drawn evenly over its run.

    values [n, WINDOW, 17]; life [n, 1], the remaining life at the last step; stage [n, 1]: 0 for little wear at the
    last step (a loss under 0.15), otherwise 1 + the component that wears; unit [n, 1], the engine.
    """
    parts: dict[str, list] = {name: [] for name in ("values", "life", "stage", "unit")}
    for index in engines:
        engine = run(seed, index)
        rng = np.random.default_rng([seed, index, 1])
        edges = np.linspace(WINDOW, len(engine["life"]), each + 1)
        for low, high in zip(edges[:-1], edges[1:]):
            end = int(rng.uniform(low, high))
            loss = engine["wear"][end - 1, engine["mode"]]
            parts["values"].append(engine["values"][end - WINDOW : end])
            parts["life"].append([engine["life"][end - 1]])
            parts["stage"].append([0 if loss < 0.15 else 1 + engine["mode"]])
            parts["unit"].append([index])
    values = rounded(np.asarray(parts.pop("values")))
    return {"values": values} | {name: np.asarray(part, np.float32) for name, part in parts.items()}


def inject(values: np.ndarray, other: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """A window [WINDOW, 17] with a fault of one sensor that begins in its second quarter to its middle.

    `other` is a window of another engine, from which `decorrelated` takes the sensor.
    """
    out = np.array(values, np.float64)
    sensor = int(rng.integers(len(SPREAD)))
    channel, spread = CONDITIONS + sensor, SPREAD[sensor]
    onset = int(rng.integers(WINDOW // 4, WINDOW // 2))
    sign = rng.choice([-1, 1])
    if kind == "drift":
        out[onset:, channel] += sign * spread * rng.uniform(0.5, 1.2) * np.linspace(0, 1, WINDOW - onset)
    elif kind == "stuck":
        out[onset:, channel] = out[onset, channel]
    elif kind == "spike":
        at = int(rng.integers(WINDOW // 4, WINDOW))
        out[at, channel] += sign * spread * rng.uniform(1.0, 2.0)
    elif kind == "decorrelated":
        out[onset:, channel] = other[onset:, channel]
    else:
        raise ValueError(kind)
    return rounded(out)


def anomalies(seed: int, engines: range, normal: int, each: int) -> dict[str, np.ndarray]:
    """`normal` sound windows, then `each` of every fault: values, and kind [n, 1], 0 for sound, 1 + fault otherwise.

    No two windows come from one engine, so that they are independent.
    """
    count = normal + each * len(FAULTS)
    assert len(engines) >= count + 1, "too few engines"
    rng = np.random.default_rng([seed, 2])
    sound = [windows(seed, range(index, index + 1), 1)["values"][0] for index in engines[: count + 1]]
    values, kinds = list(sound[:normal]), [0] * normal
    for number, kind in enumerate(FAULTS):
        for place in range(normal + number * each, normal + (number + 1) * each):
            values.append(inject(sound[place], sound[place + 1], kind, rng))
            kinds.append(number + 1)
    return {"values": np.asarray(values), "kind": np.asarray(kinds, np.float32)[:, None]}
