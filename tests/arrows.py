#!/usr/bin/env python3
"""Fails on an #include that points up: folders may include only themselves and the folders listed beside them (docs/design.md)."""
import pathlib
import re
import sys

ALLOWED = {
    "kernels": set(),
    "datasets": set(),
    "analysis": {"kernels"},
    "engine": {"kernels"},
    "tools": {"kernels", "datasets", "analysis", "engine"},
    "bench": {"kernels", "datasets", "analysis", "engine"},
}
CUDA_FOLDERS = ("kernels/cuda/", "kernels/simt/")
CUDA_HEADER = re.compile(r"^(cuda|cublas|curand|cusolver|cub/|thrust/|cooperative_groups)")


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
        if found:
            yield number, found.group(1)


def main():
    root = pathlib.Path(sys.argv[1])
    wrong, files = [], 0
    for folder, allowed in ALLOWED.items():
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in {".h", ".cpp", ".cu", ".cuh"}:
                continue
            files += 1
            name = path.relative_to(root).as_posix()
            for number, target in includes(path):
                top = target.split("/")[0]
                if top in ALLOWED and top != folder and top not in allowed:
                    wrong.append(f"{name}:{number} includes {target}: {folder} may include {sorted(allowed) or 'nobody'}")
                if CUDA_HEADER.match(target) and not name.startswith(CUDA_FOLDERS):
                    wrong.append(f"{name}:{number} includes the CUDA header {target}")
    print("\n".join(wrong) if wrong else f"{files} files, no include points up")
    return 1 if wrong or files < 50 else 0


sys.exit(main())
