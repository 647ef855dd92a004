# SPDX-License-Identifier: Apache-2.0
"""oracles.py: where other people's programs are, for the tests beside it.

They live in a Python virtual environment that FLOWRUN_VENV names; what is missing is skipped, and
seen to be.
"""
import importlib
import os
import sys


def enter(*unset):
    """Goes on in the environment's own Python, without the variables UNSET; here, where there is none."""
    venv = os.environ.get("FLOWRUN_VENV")
    python = os.path.join(venv or "", "bin", "python")
    if venv and os.path.realpath(sys.prefix) != os.path.realpath(venv) and os.path.exists(python):
        for name in unset:
            os.environ.pop(name, None)
        if os.environ.get("FLOWRUN_IN_VENV") != str(os.getpid()):  # once: execv() keeps the process
            os.environ["FLOWRUN_IN_VENV"] = str(os.getpid())
            os.execv(python, [python] + sys.argv)


def skip_all(why):
    """Ends the test, of which nothing can be run."""
    print("1..0 # SKIP " + why)
    sys.exit(0)


def load(name):
    """The module NAME; None where it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
