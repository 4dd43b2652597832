"""A local server that answers as the API does, for the tests of infra/doctor."""

import datetime
import http.server
import ipaddress
import json
import ssl
import threading
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).resolve().parents[2]


def document(name):
    """Loads a YAML document. A CloudFormation short form, such as !Ref, becomes its argument."""

    class Loader(yaml.SafeLoader):
        pass

    def plain(loader, _, node):
        construct = {"scalar": loader.construct_scalar, "sequence": loader.construct_sequence}
        return construct.get(node.id, loader.construct_mapping)(node)

    Loader.add_multi_constructor("!", plain)
    return yaml.load((ROOT / "infra" / name).read_text(), Loader)


class Api:
    """Answers the doctor's calls as the functions do; `broken` changes an answer."""

    HEADERS = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
    }

    def __init__(self, certificate=None):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.restore()

    def restore(self):
        self.keys_required, self.broken, self.seen = False, lambda path, status, headers: (status, headers), []
        self.origin_secret, self.secrets = None, set()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def status(self, method, path, query, body, key):
        path = path.rstrip("/") + ("" if path.startswith("/auth/") else "/")
        operation = PATHS.get(path, {}).get(method.lower())
        if operation is None:
            return None
        if method == "GET" and not query and "security" in operation or path == PAGE and method == "GET" and not query:
            return 404 if self.keys_required else 200
        if self.keys_required or key or path in ("/auth/reset/validate", "/organizations/invite/"):
            return 401
        if isinstance(body, str):
            return 415
        return 404 if "token" in query or "token" in (body or {}) else 400

    def _handler(api):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path, _, query = self.path.partition("?")
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                if body.startswith("{") or not body:
                    body = json.loads(body or "null")
                api.secrets.add(self.headers.get("X-Origin-Secret"))
                api.seen.append((self.command, self.path, body))
                status = api.status(self.command, path, query, body, self.headers.get("Authorization"))
                headers = api.HEADERS | ({"WWW-Authenticate": "Bearer"} if status == 401 else {})
                if api.origin_secret not in (None, self.headers.get("X-Origin-Secret")):
                    status = 403
                if status is None:
                    status, headers = 404, {}
                status, headers = api.broken(path, status, dict(headers))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_GET

            def log_message(self, *_):
                pass

        return Handler


PATHS = document("openapi.yaml")["paths"]
PAGE = "/organizations/complete-password/"


def make_certificate(path):
    """Writes a self-signed certificate for 127.0.0.1 and its key to one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(signed.public_bytes(pem) + private)
