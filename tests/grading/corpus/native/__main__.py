"""Makes the logs of C and C++ anew, with the frameworks of a Debian release.

    python -m tests.grading.corpus.native [--root DIR] [NAME ...]

DIR is another release's root directory, as debootstrap makes it; commands are run in it with
bubblewrap. It needs: g++ make cmake ninja-build libgtest-dev catch2 doctest-dev libboost-test-dev
check libcmocka-dev automake meson libcppunit-dev dejagnu python3 pkg-config.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.grading.corpus.native import (
    automake,
    boost,
    catch2,
    check,
    cmocka,
    cppunit,
    ctest,
    dejagnu,
    doctest,
    gtest,
    meson,
)

MAKERS = {
    "gtest": gtest.make,
    "catch2": catch2.make,
    "catch": catch2.make_first,
    "doctest": doctest.make,
    "boost": boost.make,
    "check": check.make,
    "ctest": ctest.make,
    "cmocka": cmocka.make,
    "cppunit": cppunit.make,
    "automake": automake.make,
    "meson": meson.make,
    "dejagnu": dejagnu.make,
}


def main() -> None:
    """Make them all, or those that are named."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--root", type=Path, default=Path("/"))
    options.add_argument("names", nargs="*", choices=[[], *MAKERS])
    given = options.parse_args()
    for name in given.names or MAKERS:
        print(name)
        MAKERS[name](given.root.resolve())


if __name__ == "__main__":
    main()
