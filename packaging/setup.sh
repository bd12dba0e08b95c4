# shellcheck shell=bash
# The set-up that run.sh and test.sh share. Sourced by them: set_up run | set_up test
#
# Makes .venv in the checkout, installs the project and its dependencies into it (editable, at the
# versions of constraints.txt) and, on Linux, Qt's system libraries. A stamp in .venv holds what was
# installed, so that the second time takes seconds; every step is safe to repeat after a break.
# Works in bash 3.2 (macOS). `root` is the checkout.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="$root/.venv"
disk_needed_gb=9

# Libraries that Qt loads and a bare system lacks, with the Debian/Ubuntu package of each
# (readelf -d on PySide6's QtGui, QtWidgets, QtSvg, QtDBus and the platform plugins xcb, offscreen, wayland).
qt_libraries="
libGL.so.1:libgl1
libEGL.so.1:libegl1
libX11.so.6:libx11-6
libX11-xcb.so.1:libx11-xcb1
libdbus-1.so.3:libdbus-1-3
libfontconfig.so.1:libfontconfig1
libfreetype.so.6:libfreetype6
libglib-2.0.so.0:libglib2.0-0
libgthread-2.0.so.0:libglib2.0-0
libgssapi_krb5.so.2:libgssapi-krb5-2
libbrotlidec.so.1:libbrotli1
libz.so.1:zlib1g
libzstd.so.1:libzstd1
libxkbcommon.so.0:libxkbcommon0
libxkbcommon-x11.so.0:libxkbcommon-x11-0
libxcb.so.1:libxcb1
libxcb-cursor.so.0:libxcb-cursor0
libxcb-glx.so.0:libxcb-glx0
libxcb-icccm.so.4:libxcb-icccm4
libxcb-image.so.0:libxcb-image0
libxcb-keysyms.so.1:libxcb-keysyms1
libxcb-randr.so.0:libxcb-randr0
libxcb-render.so.0:libxcb-render0
libxcb-render-util.so.0:libxcb-render-util0
libxcb-shape.so.0:libxcb-shape0
libxcb-shm.so.0:libxcb-shm0
libxcb-sync.so.1:libxcb-sync1
libxcb-util.so.1:libxcb-util1
libxcb-xfixes.so.0:libxcb-xfixes0
libxcb-xkb.so.1:libxcb-xkb1
libwayland-client.so.0:libwayland-client0
libwayland-cursor.so.0:libwayland-cursor0
libwayland-egl.so.1:libwayland-egl1
"
font_package="fonts-dejavu-core"

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

# find_python: sets `python` to the first interpreter of 3.11 or newer.
find_python() {
  local name
  for name in ${PYTHON:-} python3.11 python3.12 python3.13 python3 python3.14; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      python="$name"
      return
    fi
  done
  fail "SIP Explorer needs Python 3.11 or newer and none was found: install it (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.12), or name one with PYTHON=/path/to/python3, and run this again."
}

# install_packages WHY NAME...: through apt, as root or with sudo that asks no password; else one sentence.
install_packages() {
  local why="$1" runner=()
  shift
  if ! command -v apt-get >/dev/null 2>&1; then
    fail "$why: install what your system calls these Debian packages and run this again: $*."
  fi
  if [ "$(id -u)" != 0 ]; then
    if ! sudo -n true >/dev/null 2>&1; then
      fail "$why: run 'sudo apt-get install $*' and then this again."
    fi
    runner=(sudo -n)
  fi
  say "$why: installing $* with apt."
  local log
  log="$(mktemp)"
  # Old package lists name files that are gone, so they are renewed first; a source that does not answer
  # is no reason to stop while the others hold the packages.
  ${runner[@]+"${runner[@]}"} apt-get update </dev/null >"$log" 2>&1 || true
  if ! ${runner[@]+"${runner[@]}"} env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "$@" </dev/null >>"$log" 2>&1; then
    tail -n 5 "$log" >&2
    fail "apt could not install $* (its last lines are above, all of them in $log): mend that and run this again."
  fi
  rm -f "$log"
}

# missing_qt_packages: prints the packages of the libraries that cannot be loaded, one a line.
missing_qt_packages() {
  local pair
  for pair in $qt_libraries; do printf '%s\n' "$pair"; done | "$venv/bin/python" -c '
import ctypes, sys
missing = []
for library, package in (line.strip().split(":") for line in sys.stdin):
    try:
        ctypes.CDLL(library)
    except OSError:
        missing.append(package)
print("\n".join(dict.fromkeys(missing)))'
  # Without any font Qt draws no letters at all.
  if [ -z "$(find -L /usr/share/fonts /usr/local/share/fonts "${HOME:-/root}/.fonts" "${HOME:-/root}/.local/share/fonts" \
    \( -name '*.ttf' -o -name '*.otf' -o -name '*.ttc' \) -print 2>/dev/null | head -n 1)" ]; then
    printf '%s\n' "$font_package"
  fi
}

install_qt_libraries() {
  [ "$(uname -s)" = Linux ] || return 0
  local packages
  packages="$(missing_qt_packages | tr '\n' ' ')"
  packages="${packages# }"
  packages="${packages% }"
  if [ -n "$packages" ]; then
    # shellcheck disable=SC2086  # one word per package
    install_packages "Qt needs system libraries that are missing here" $packages
  fi
}

make_venv() {
  if "$venv/bin/python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    return
  fi
  find_python
  if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    install_packages "Python's venv module is missing" \
      "python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
  fi
  say "Making the virtual environment .venv with $("$python" --version)."
  rm -rf "$venv"
  "$python" -m venv "$venv" >&2 || fail "Python could not make the virtual environment $venv; its own words are above."
}

# What an installation depends on; the checkout's place too, because the scripts in .venv/bin hold it.
fingerprint() {
  printf '%s %s %s ' "$1" "$root" "$("$venv/bin/python" --version 2>&1)"
  cat "$root/pyproject.toml" "$root/packaging/constraints.txt" | cksum
}

check_disk() {
  local free_kb
  free_kb="$(cd "$root" && df -Pk . | awk 'NR == 2 {print $4}')" || return 0
  if [ "$free_kb" -lt $((disk_needed_gb * 1024 * 1024)) ]; then
    fail "Installing needs $disk_needed_gb GB on the disk of $root and $((free_kb / 1024 / 1024)) GB are free: make room and run this again."
  fi
}

install_project() {
  local target="$1" extras=""
  if [ "$target" = test ]; then extras="[test]"; fi
  local stamp="$venv/sip-explorer-$target.stamp"
  # The test installation holds all that the program needs.
  if [ "$(cat "$stamp" 2>/dev/null || true)" = "$(fingerprint "$target")" ] ||
    [ "$(cat "$venv/sip-explorer-test.stamp" 2>/dev/null || true)" = "$(fingerprint test)" ]; then
    return
  fi
  if ! "$venv/bin/python" -c 'import importlib.metadata as m; m.version("torch")' >/dev/null 2>&1; then
    check_disk
    if [ "$(uname -s)" = Linux ]; then
      say "Installing the dependencies into .venv: about 2.6 GB to download and 6 GB on disk (PyTorch with CUDA), 2 to 15 minutes. Once only."
    else
      say "Installing the dependencies into .venv: about 0.5 GB to download and 2 GB on disk, 1 to 5 minutes. Once only."
    fi
  else
    say "Bringing .venv up to date."
  fi
  # pip unpacks beside .venv: /tmp may be a small memory disk.
  mkdir -p "$venv/tmp"
  if ! TMPDIR="$venv/tmp" "$venv/bin/python" -m pip install --quiet --quiet --disable-pip-version-check --no-input \
    --constraint "$root/packaging/constraints.txt" --editable "$root$extras" </dev/null >&2; then
    rm -rf "$venv/tmp"
    fail "pip could not install the dependencies (its own words are above): check the network and the free disk space, and run this again; what is installed already stays."
  fi
  rm -rf "$venv/tmp"
  fingerprint "$target" >"$stamp"
}

set_up() {
  make_venv
  install_qt_libraries
  install_project "$1"
}
