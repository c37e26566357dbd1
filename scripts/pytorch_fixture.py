#!/usr/bin/env python3
"""Writes tests/engine/fixtures/pytorch_mlp.h: a small MLP trained and evaluated by PyTorch.

By hand: apt-get install python3-torch
         /usr/bin/python3 scripts/pytorch_fixture.py > tests/engine/fixtures/pytorch_mlp.h
         clang-format -i tests/engine/fixtures/pytorch_mlp.h

The file that a state_dict becomes (safetensors, as its own library orders it: by element size, then by name) is
kept as text, its header and its numbers, so that the test rebuilds the bytes and loads them as a file. Debian has
no python3-safetensors; the format is written by hand here: 8 bytes length, JSON, data.
"""
import json
import math

import torch
from torch import nn

FEATURES, HIDDEN, CLASSES = 5, (17, 6), 3
SAMPLES = 12


def train() -> tuple[nn.Sequential, torch.Tensor]:
    torch.manual_seed(7)
    torch.set_num_threads(1)
    model = nn.Sequential(
        nn.Linear(FEATURES, HIDDEN[0]), nn.ReLU(), nn.Linear(HIDDEN[0], HIDDEN[1]), nn.ReLU(), nn.Linear(HIDDEN[1], CLASSES)
    )
    x = torch.randn(600, FEATURES)
    radius = x.norm(dim=1)
    labels = (radius > 1.8).long() + (radius > 2.4).long()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(200):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), labels).backward()
        optimizer.step()
    return model, x[:SAMPLES]


def header_of(state: dict[str, torch.Tensor]) -> tuple[str, list[str]]:
    names = sorted(state)
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name in names:
        begin, end = end, end + 4 * state[name].numel()
        header[name] = {"dtype": "F32", "shape": list(state[name].shape), "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":"))
    return text + " " * (-len(text) % 8), names


def array(kind: str, name: str, values: torch.Tensor, comment: str) -> str:
    """Floats with 9 digits, doubles with 17: each is read back as the number it was."""
    digits, suffix = (9, "f") if kind == "float" else (17, "")
    numbers = []
    for v in values.flatten().tolist():
        assert math.isfinite(v)
        text = f"{v:.{digits}g}"
        numbers.append(text + ("" if "." in text or "e" in text else ".0") + suffix)
    return f"// {comment}\ninline constexpr {kind} {name}[] = {{{', '.join(numbers)}}};\n"


def main() -> None:
    model, inputs = train()
    state = {name: t.detach() for name, t in model.state_dict().items()}
    header, names = header_of(state)
    with torch.no_grad():
        outputs = model(inputs)
        exact = model.double()(inputs.double())
    print(f"// Made by scripts/pytorch_fixture.py with PyTorch {torch.__version__}; do not edit.")
    print("#pragma once\n\nnamespace pytorch_mlp {\n")
    print(f"inline constexpr int kFeatures = {FEATURES}, kClasses = {CLASSES}, kSamples = {SAMPLES};")
    print(f'inline constexpr char kHeader[] = R"({header})";')
    print(array("float", "kData", torch.cat([state[n].flatten() for n in names]), "all tensors, in the header's order"))
    print(array("float", "kInputs", inputs, "[samples][features]"))
    print(array("float", "kOutputs", outputs, "[samples][classes], computed by PyTorch in float32"))
    print(array("double", "kExact", exact, "the same in float64, from the same float32 weights"))
    print("}  // namespace pytorch_mlp")


if __name__ == "__main__":
    main()
