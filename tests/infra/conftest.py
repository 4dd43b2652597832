"""Makes the libraries beside the tests importable, and keeps compiled ones out of the sources."""

import sys

sys.dont_write_bytecode = True
