"""What the scripts beside this one share: the account as somebody else asks it, and a proxy before it that sees every request.

A sidecar under test has the proxy for its account. Whatever changes something is told to a judge before the account hears of it,
and once more when the account has answered.
"""

import atexit
import base64
import datetime
import hashlib
import hmac
import http.client
import http.server
import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
import typing
import urllib.error
import urllib.parse
import urllib.request


STARTED = []


def spawn(command, log, **more):
    """Starts a process that writes into a log, and that ends with this one."""
    with open(log, "a", encoding="utf-8") as file:
        process = subprocess.Popen(command, stderr=file, stdout=file, **more)
    STARTED.append(process)
    return process


def end_all():
    """Ends what was started and still lives."""
    for process in STARTED:
        if process.poll() is None:
            process.kill()
            process.wait()


atexit.register(end_all)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def fail(why, *logs):
    """Ends with what is wrong, and with the end of what was logged."""
    print(f"failed: {why}", file=sys.stderr)
    for name in logs:
        if os.path.exists(name):
            with open(name, encoding="utf-8", errors="replace") as log:
                print(f"--- {name}", "".join(log.readlines()[-20:]), sep="\n", file=sys.stderr)
    sys.stderr.flush()
    end_all()
    os._exit(1)


def within(seconds, what, holds, logs=(), told=None):
    """Waits until something holds; returns how long that took. Otherwise `told` says what there was instead."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() > began + seconds:
            fail(f"not within {seconds:g} s: {what}{'; ' + told() if told else ''}", *logs)
        time.sleep(0.05)
    return time.monotonic() - began


def write(name, text):
    """Writes a file so that whoever watches the folder sees it whole."""
    with open(name + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(name + ".new", name)


def now():
    """Returns the time of the account: the machine's, or the faster one of `skew.c`."""
    since, speed = float(os.environ.get("SKEW_SINCE", "0")), float(os.environ.get("SKEW_SPEED", "1"))
    told = since + (time.time() - since) * speed
    return datetime.datetime.fromtimestamp(told, datetime.UTC)


class Account:
    """The account as somebody with its key asks it."""

    def __init__(self, url):
        self.at = urllib.parse.urlsplit(url)
        self.name = os.environ["LOWTIDE_ACCOUNT"]
        self.key = base64.b64decode(os.environ["AZURE_BATCH_ACCESS_KEY"])

    def pass_on(self, method, path, body, headers):
        """Sends a request as it is; returns status, headers and content."""
        server = http.client.HTTPConnection(self.at.hostname, self.at.port, timeout=30)
        try:
            server.request(method, path, body or None, headers)
            answer = server.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            server.close()

    def ask(self, method, path, what=None):
        """Asks for something; returns status and content."""
        date = now().strftime("%a, %d %b %Y %H:%M:%S GMT")
        body = b"" if what is None else json.dumps(what).encode()
        kind = "application/json; odata=minimalmetadata" if body else ""
        length = str(len(body)) if body else ("0" if method == "POST" else "")
        lines = [method, "", "", length, "", kind, *[""] * 6, f"ocp-date:{date}", f"/{self.name}{path}", "api-version:2025-06-01"]
        proof = hmac.new(self.key, "\n".join(lines).encode(), hashlib.sha256).digest()
        headers = {"ocp-date": date, "Authorization": f"SharedKey {self.name}:{base64.b64encode(proof).decode()}"}
        if length:
            headers["Content-Length"] = length
        if body:
            headers["Content-Type"] = kind
        status, _, content = self.pass_on(method, f"{path}?api-version=2025-06-01", body, headers)
        return status, content

    def pool(self, name):
        """Returns a pool as it truly is."""
        status, content = self.ask("GET", f"/pools/{name}")
        if status != 200:
            fail(f"the account answers {status}: {content[:300]}")
        return json.loads(content)


class Pages:
    """What a sidecar tells over HTTP, on a port of its own."""

    def __init__(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def page(self, path):
        """Returns the status and text of a page."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def stands(self):
        """Returns its readiness in one word."""
        text = self.page("/readyz")[1]
        return json.loads(text)["status"] if text else "silent"

    def reasons(self):
        """Returns why it is not ready, in its own words."""
        text = self.page("/readyz")[1]
        return "; ".join(reason["message"] for reason in json.loads(text)["reasons"]) if text else ""

    def metric(self, name):
        """Returns a metric without labels."""
        for line in self.page("/metrics")[1].splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[1])
        return None


class Answer(typing.NamedTuple):
    """What is answered in the account's place."""

    status: int
    headers: list
    content: bytes


class Judge:
    """Sees the requests of one sidecar; a judge of a script does more than this."""

    def look(self):
        """Takes in a request that changes nothing."""

    def before(self, method, path, body):
        """Takes in a request for a change before the account hears of it; what it returns is given back with the answer. To answer
        in the account's place it returns an `Answer`."""

    def after(self, seen, status):
        """Takes in the answer of the account."""


class Handler(http.server.BaseHTTPRequestHandler):
    """Passes requests on."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def pass_on(self):
        """Counts the requests that are under way."""
        with self.server.lock:
            self.server.under_way += 1
        try:
            self.pass_one_on()
        finally:
            with self.server.lock:
                self.server.under_way -= 1

    def pass_one_on(self):
        """Sends a request to the account, unless it broke off, and its answer back."""
        account, judge = self.server.account, self.server.judge
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        path = self.path.split("?")[0]
        changes = self.command not in ("GET", "HEAD")
        seen = judge.before(self.command, path, body) if changes else judge.look()
        if isinstance(seen, Answer):
            status, headers, content = seen
        else:
            status, headers, content = account.pass_on(self.command, self.path, body, dict(self.headers.items()))
            if changes:
                judge.after(seen, status)
        try:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            # Whoever asked is dead, which is what this is about.
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on

    def log_message(self, *_):
        """Keeps quiet."""


class Proxy(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Stands before the account for one sidecar."""

    daemon_threads = True

    def __init__(self, account, judge):
        super().__init__(("127.0.0.1", 0), Handler)
        self.account, self.judge, self.under_way, self.lock = account, judge, 0, threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        """Returns where the sidecar finds it."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_):
        """A client that is dead is what this is about."""
        why = sys.exc_info()[1]
        if not isinstance(why, OSError | http.client.HTTPException):
            fail(f"the proxy: {why!r}")
