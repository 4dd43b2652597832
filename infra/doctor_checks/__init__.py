"""The checks of infra/doctor, by area."""

import sys

try:
    import boto3  # noqa: F401
except ImportError:
    print("infra/doctor needs boto3: python3 -m pip install boto3", file=sys.stderr)
    sys.exit(2)
