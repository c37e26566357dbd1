#!/usr/bin/env bash
# Installs what building, testing and drawing need, from Debian's own packages, and only what is missing: nothing is run when all is there.
# As root, or through sudo where that asks for no password. Exit 1 with the names of the missing packages when they cannot be installed.
set -euo pipefail

# "package:command" is satisfied by the command wherever it comes from; a bare name by the installed package.
needed=(
  g++:g++ cmake:cmake ninja-build:ninja make:make git:git
  zlib1g-dev libfmt-dev nlohmann-json3-dev libcli11-dev libtomlplusplus-dev
  doctest-dev libboost-math-dev python3:python3 binutils:addr2line qemu-user:qemu-x86_64
  gnuplot-nox:gnuplot fonts-liberation
  libopenblas0-pthread  # eigenvalues (kernels/lapack.h): 6 times the reference LAPACK's rate for 1024 x 1024
)

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  absent=()
  for item in "${needed[@]}"; do
    [[ $item == *:* ]] && ! command -v "${item#*:}" >/dev/null && absent+=("${item#*:}")
  done
  echo "setup: this is not a Debian system, so nothing is installed here. Needed, by their Debian names:" >&2
  echo "  ${needed[*]%%:*}" >&2
  if ((${#absent[@]})); then
    echo "setup: commands not found: ${absent[*]}" >&2
    exit 1
  fi
  exit 0
fi

missing=()
for item in "${needed[@]}"; do
  package=${item%%:*}
  if [[ $item == *:* ]] && command -v "${item#*:}" >/dev/null; then continue; fi
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true) == installed ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

as_root=()
if ((EUID != 0)); then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
  else
    echo "setup: missing packages, and neither root nor a password-free sudo to install them. Please run:" >&2
    echo "  sudo apt-get install ${missing[*]}" >&2
    exit 1
  fi
fi

echo "setup: installing ${missing[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1; }
install() { apt install --no-install-recommends "${missing[@]}"; }
# The package lists of a machine may be absent or old, so they are fetched first; a machine whose lists cannot be refreshed may still install.
apt update || echo "setup: apt-get update failed, trying with the package lists that are there" >&2
if ! install; then
  tail -n 15 "$log" >&2
  echo "setup: apt-get could not install: ${missing[*]}" >&2
  echo "setup: install them by hand, then repeat. Debian 12 (bookworm) has all of them." >&2
  exit 1
fi
