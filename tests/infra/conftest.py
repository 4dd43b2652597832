"""Fixtures, and the import path of infra/doctor_checks. Writes no __pycache__ beside the sources.

The mark `functions` is for tests that run the functions' processes.
"""

import sys
from pathlib import Path

import pytest

sys.dont_write_bytecode = not sys.pycache_prefix
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "infra"))

import doctor_checks.api  # noqa: E402
from doctor_checks import main as doctor  # noqa: E402

from doctor_api import Api, make_certificate  # noqa: E402
from doctor_aws import Aws  # noqa: E402
import lines as log_lines  # noqa: E402
from sets import SETS  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "functions: runs the functions' processes")


@pytest.fixture(params=SETS, ids=lambda name: name.replace(" ", "_"))
def name(request):
    """The name of each set of parameters."""
    return request.param


@pytest.fixture(scope="session")
def lines():
    return log_lines.written()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    make_certificate(path)
    return path


@pytest.fixture(scope="module")
def server(certificate):
    api = Api(certificate)
    yield api
    api.close()


@pytest.fixture(scope="module")
def plain_server():
    api = Api()
    yield api
    api.close()


@pytest.fixture
def aws(server, plain_server, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setattr(doctor_checks.api, "PLAIN_PORT", 1)  # no server listens there
    for api in (server, plain_server):
        api.restore()
    aws = Aws(server)
    aws.plain = plain_server
    monkeypatch.setattr(doctor, "open_session", aws.session)
    return aws
