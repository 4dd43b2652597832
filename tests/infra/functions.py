"""Runs the functions as local processes, each with its own Lambda runtime API."""

import functools
import http.server
import io
import json
import os
import pathlib
import queue
import subprocess
import threading
import uuid
import zipfile

from template import REGION, ROOT

NAMES = ("reset", "validate", "complete", "mail")
# mail is another validate process, whose events are stream records.
BINARIES = {"reset": "reset", "validate": "validate", "complete": "complete", "mail": "validate"}
API_ID = "a1b2c3d4e5"


@functools.cache
def archive():
    """The code of a function that moto never runs. One for all: it contains the time."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("bootstrap", "")
    return file.getvalue()


class Function:
    """An execution environment. `call` and `run` return the answer; `idle` waits until it requests the next event."""

    def __init__(self, name, variables, credentials, endpoint, **other):
        self._events = queue.Queue()
        self._answers = queue.Queue()
        self._idle = threading.Event()
        self.lines = []
        self._api = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._api.serve_forever, daemon=True).start()
        environment = variables | {
            # As Lambda sets them. Nothing else from this process's environment is passed on.
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._api.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": credentials.key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret,
            "AWS_SESSION_TOKEN": credentials.token,
            "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
            "AWS_ENDPOINT_URL_SESV2": endpoint,
            "AWS_ENDPOINT_URL_SQS": endpoint,
        } | other
        # The binary from `sam build` if run.sh names it, otherwise cargo's.
        built_by_sam = os.environ.get("REKEY_ARTEFACTS")
        if built_by_sam:
            binary = pathlib.Path(built_by_sam) / f"{name.capitalize()}Function" / "bootstrap"
        else:
            binary = ROOT / "target" / "debug" / BINARIES[name]
        assert binary.exists(), f"build the functions first: cargo build --bin {BINARIES[name]}"
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        self._process = subprocess.Popen([binary], env=environment, **output)
        threading.Thread(target=self._read_lines, daemon=True).start()

    def _read_lines(self):
        for line in self._process.stdout:
            self.lines.append(line.rstrip())

    def _handler(function):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                function._idle.set()
                event = function._events.get()
                if event is None:
                    return
                body = json.dumps(event).encode()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", str(uuid.uuid4()))
                self.send_header("Lambda-Runtime-Deadline-Ms", "4102444800000")
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:f")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if not self.headers.get("Content-Length"):
                    body = self._chunks()
                function._answers.put((self.path.rsplit("/", 1)[1], body))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _chunks(self):
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def log_message(self, *_):
                pass

        return Handler

    def call(self, method, path, body=None, query="", ip="203.0.113.9", key=None):
        """Sends an event as an HTTP API does; returns the answer's status and body. `key` is the caller's API key."""
        # Without these, the functions would store no language, browser, system and country.
        headers = {"accept-language": "en", "x-origin-secret": "s3cret", "cloudfront-viewer-country": "DE"}
        headers |= {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"}
        headers |= {"content-type": "application/json"} if body is not None else {}
        headers |= {"authorization": f"Bearer {key}"} if key else {}
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": query,
            "headers": headers,
            "requestContext": {
                "apiId": API_ID,
                "stage": "$default",
                "requestId": "gateway",
                "http": {"method": method, "path": path, "sourceIp": ip},
            },
            "isBase64Encoded": False,
        }
        if body is not None:
            event["body"] = json.dumps(body)
        answer = self.run(event)
        return answer["statusCode"], answer.get("body") or ""

    def run(self, event):
        """The function's answer to any event."""
        self.idle()
        self._idle.clear()
        self._events.put(event)
        kind, answer = self._answers.get(timeout=60)
        assert kind == "response", f"{kind}: {answer} {self.lines[-5:]}"
        return json.loads(answer)

    def idle(self):
        assert self._idle.wait(timeout=30), self.lines[-5:]

    def close(self):
        self._process.kill()
        self._process.wait()
        self._events.put(None)
        self._api.shutdown()
        self._api.server_close()
