"""A board whose clock says 1970: a library that is loaded before the C library's own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from boards_served import ServedBoard

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <sys/time.h>
#include <time.h>

static time_t since_start(void) {
  struct timespec up;
  int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
  real(CLOCK_MONOTONIC, &up);
  return 12 + up.tv_sec % 86400;
}
int clock_gettime(clockid_t id, struct timespec *now) {
  int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
  int code = real(id, now);
  if (id == CLOCK_REALTIME && !code) now->tv_sec = since_start();
  return code;
}
int gettimeofday(struct timeval *now, void *zone) {
  now->tv_sec = since_start();
  now->tv_usec = 0;
  return 0;
}
time_t time(time_t *now) {
  time_t said = since_start();
  if (now) *now = said;
  return said;
}
"""


def clock_of_1970(board: ServedBoard, scratch: Path) -> Path:
    """Return a library, as the board names it, for ``LD_PRELOAD``."""
    compiler = shutil.which("gcc" if board.profile == "x86-64" else "aarch64-linux-gnu-gcc")
    if compiler is None:
        packages = "gcc, or gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
        pytest.skip(f"no C compiler: apt install {packages}")
    (scratch / "clock.c").write_text(_SOURCE)
    place = board.place()
    library = board.here(place) / "clock.so"
    words = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(scratch / "clock.c")]
    subprocess.run([*words, "-ldl"], check=True)
    return place / "clock.so"
