"""Starts the sidecar again and again and kills it where it hurts: kill.py PROGRAM ACCOUNT-URL KILLS SECONDS.

A proxy between the sidecar and the account sees every request, and is where lives end: at a look, between the look and the line,
before an order reaches the account, after it did, at its receipt. Between two lives somebody else resizes the pool: below what its
policy wants, so that the next life orders, or above, which the cooldown must leave alone however often the sidecar dies.
"""

import base64
import collections
import datetime
import hashlib
import hmac
import http.client
import http.server
import json
import os
import random
import signal
import socketserver
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.parse
import zlib

WANTS = 5
PROGRAM, ACCOUNT, KILLS, SECONDS = sys.argv[1], urllib.parse.urlsplit(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
NAME, KEY = os.environ["LOWTIDE_ACCOUNT"], base64.b64decode(os.environ["AZURE_BATCH_ACCESS_KEY"])
LEDGER = "lowtide.db"
POINTS = ["at the start", "at a look", "before a line", "before an order", "after an order", "at a receipt"]


def fail(why):
    """Ends with what is wrong."""
    print(f"failed: {why}", file=sys.stderr)
    if os.path.exists("serve.log"):
        with open("serve.log", encoding="utf-8") as log:
            print("".join(log.readlines()[-20:]), file=sys.stderr)
    os._exit(1)


def lines_after(number):
    """Returns the lines of the ledger that came after a number, as another process finds them on the disk."""
    if not os.path.exists(LEDGER):
        return []
    for _ in range(200):
        try:
            ledger = sqlite3.connect(f"file:{LEDGER}?mode=ro", uri=True, timeout=5)
            try:
                rows = ledger.execute(
                    "SELECT number, line, packed FROM ledger WHERE number > ? ORDER BY number", (number,)
                ).fetchall()
            finally:
                ledger.close()
            return [(at, json.loads(line if line is not None else unpack(packed))) for at, line, packed in rows]
        except sqlite3.OperationalError as error:
            # The file is there before its tables are.
            if "no such table" in str(error):
                return []
            time.sleep(0.01)
    return fail("the ledger cannot be read")


def unpack(packed):
    """Inflates a long line, with or without a header."""
    try:
        return zlib.decompress(packed)
    except zlib.error:
        return zlib.decompress(packed, -15)


class Life:
    """One life of the sidecar: where it shall end, and what it sent."""

    def __init__(self, point):
        self.point = point
        self.process = None
        self.looks = 0
        self.look_after = random.randint(1, 4)
        self.ended = threading.Event()

    def start(self):
        """Starts the process."""
        with open("serve.log", "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([PROGRAM, "serve", "--config", "lowtide.toml"], stderr=log, stdout=log)

    def end(self):
        """Kills the process; it can do nothing about it."""
        if not self.ended.is_set():
            self.process.send_signal(signal.SIGKILL)
            self.ended.set()


class Watch:
    """What is known over all lives."""

    def __init__(self):
        self.life = None
        self.lock = threading.Lock()
        # Orders that the account took, by the number of their line.
        self.taken = collections.Counter()
        self.orders = 0
        self.shrunk = 0


WATCH = Watch()


def newest_decision():
    """Returns the newest line with an order."""
    found = None
    for number, line in lines_after(max(0, newest_number() - 6)):
        if line["kind"] == "decided":
            found = (number, line)
    return found


def newest_number():
    """Returns the number of the newest line."""
    if not os.path.exists(LEDGER):
        return 0
    ledger = sqlite3.connect(f"file:{LEDGER}?mode=ro", uri=True, timeout=5)
    try:
        return ledger.execute("SELECT coalesce(max(number), 0) FROM ledger").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
    finally:
        ledger.close()


class Proxy(http.server.BaseHTTPRequestHandler):
    """Passes requests on, and ends lives on the way."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def pass_on(self):
        """Sends the request to the account, unless the sidecar dies first."""
        life = WATCH.life
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        writes = self.command != "GET"
        number = self.judge(body) if writes else None
        if writes and life.point == "before an order":
            life.end()
            self.close_connection = True
            return
        status, headers, content = ask(self.command, self.path, body, dict(self.headers.items()))
        if writes and status == 202:
            with WATCH.lock:
                WATCH.orders += 1
                WATCH.taken[number] += 1
                if WATCH.taken[number] > 1:
                    fail(f"line {number} was ordered twice")
        if writes and life.point == "after an order":
            life.end()
            self.close_connection = True
            return
        if not writes:
            life.looks += 1
            if life.point == "at a look" and life.looks >= life.look_after:
                life.end()
        try:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            return
        if writes and life.point == "at a receipt":
            time.sleep(random.random() * 0.004)
            life.end()
        if not writes and life.point == "before a line" and life.looks >= 3:
            time.sleep(random.random() * 0.02)
            life.end()

    def judge(self, body):
        """No order without its line: it must be on the disk before the request is here."""
        if not self.path.split("?")[0].endswith("/resize"):
            return fail(f"{self.command} {self.path} is nothing that was decided")
        found = newest_decision()
        if found is None:
            return fail("an order came before any line")
        number, line = found
        told = json.loads(body)
        order = line.get("order") or {}
        if (order.get("dedicated"), order.get("spot")) != (told["targetDedicatedNodes"], told["targetLowPriorityNodes"]):
            fail(f"{told} was ordered, and the newest line {number} says {order}")
        if told["targetDedicatedNodes"] < WANTS:
            fail(f"{told} is not what the policy wants")
        start = target()
        if told["targetDedicatedNodes"] < start:
            WATCH.shrunk += 1
            fail(f"the pool went from {start} to {told['targetDedicatedNodes']} nodes within its cooldown: it was forgotten")
        return number

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on

    def log_message(self, *_):
        """Keeps quiet."""


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """A proxy of many threads that minds no dead client."""

    daemon_threads = True

    def handle_error(self, *_):
        """A client that is dead is what this is about."""


def ask(method, path, body, headers):
    """Asks the account."""
    server = http.client.HTTPConnection(ACCOUNT.hostname, ACCOUNT.port, timeout=30)
    server.request(method, path, body or None, headers)
    answer = server.getresponse()
    content = answer.read()
    server.close()
    return answer.status, answer.getheaders(), content


def signed(method, path, body):
    """Asks the account as somebody else with its key."""
    date = datetime.datetime.now(datetime.UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    kind = "application/json; odata=minimalmetadata" if body else ""
    length = str(len(body)) if body else ("0" if method == "POST" else "")
    text = "\n".join(
        [method, "", "", length, "", kind, "", "", "", "", "", "", f"ocp-date:{date}", f"/{NAME}{path}", "api-version:2025-06-01"]
    )
    proof = base64.b64encode(hmac.new(KEY, text.encode(), hashlib.sha256).digest()).decode()
    headers = {"ocp-date": date, "Authorization": f"SharedKey {NAME}:{proof}"}
    if body:
        headers["Content-Type"] = kind
    elif method == "POST":
        headers["Content-Length"] = "0"
    return ask(method, f"{path}?api-version=2025-06-01", body, headers)


def pool():
    """Returns the pool as it truly is."""
    status, _, content = signed("GET", "/pools/render", b"")
    if status != 200:
        fail(f"the account answers {status}: {content[:300]}")
    return json.loads(content)


def target():
    """Returns the dedicated nodes that the pool was told to have."""
    return pool()["targetDedicatedNodes"]


def steady():
    """Waits until nothing is under way."""
    for _ in range(400):
        found = pool()
        if found["allocationState"] == "steady":
            return found
        time.sleep(0.01)
    return fail("the pool does not come to rest")


def resize(nodes):
    """Resizes the pool as somebody else."""
    body = json.dumps({"targetDedicatedNodes": nodes, "targetLowPriorityNodes": 0}).encode()
    status, _, content = signed("POST", "/pools/render/resize", body)
    if status != 202:
        fail(f"the account does not resize: {status} {content[:300]}")
    steady()


def live(point):
    """Lives once, until it is killed; returns whether it was killed where it should."""
    life = Life(point)
    WATCH.life = life
    life.start()
    if point == "at the start":
        time.sleep(random.random() * 0.25)
        life.end()
    for _ in range(80):
        if life.ended.wait(0.05):
            break
        if life.process.poll() is not None:
            fail("the sidecar ended by itself")
    else:
        # There was nothing to order in this life.
        life.end()
        life.process.wait()
        return False
    life.process.wait()
    return True


def hold(last):
    """Holds the lines that a life left behind against what lines may be."""
    expected = last + 1
    for number, line in lines_after(last):
        if number != expected:
            fail(f"line {expected} is lost: {number} follows")
        expected += 1
        last = number
        kind = line["kind"]
        if kind not in ("started", "blind", "unmatched", "account", "decided", "settled"):
            fail(f"line {number} is of no kind: {kind}")
    return last


def write(name, text):
    """Writes a file."""
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    """Kills until it was often enough, or long enough."""
    random.seed(20261125)
    server = Server(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.makedirs("policies", exist_ok=True)
    write(
        "policies/render.yaml",
        f"""version: 1
pool: render
interval: 10s
demand: [ {{ formula: {{ role: targets, text: "$TargetDedicatedNodes = {WANTS};" }} }} ]
bounds: {{ total: [0, 20] }}
guards: {{ cooldown: {{ in: 20h }}, missing: {{ then: ignore }} }}
""",
    )
    write(
        "lowtide.toml",
        f"""version = 1
[account]
endpoint = "http://127.0.0.1:{server.server_port}"
name = "{NAME}"
keyEnv = "AZURE_BATCH_ACCESS_KEY"
[policies]
folder = "policies"
[ledger]
sqlite = "{LEDGER}"
[http]
listen = "127.0.0.1:0"
""",
    )
    began, last = time.monotonic(), 0
    killed = collections.Counter()
    kills, above = 0, False
    while kills < KILLS and time.monotonic() - began < SECONDS:
        found = steady()
        if random.random() < 0.15:
            above = not above
        wished = WANTS + 3 if above else WANTS - random.randint(1, 3)
        if found["targetDedicatedNodes"] != wished:
            resize(wished)
        point = random.choice(POINTS[:3] if above else POINTS)
        if live(point):
            kills += 1
            killed[point] += 1
        last = hold(last)
    # At last it lives in peace and does what is to be done.
    resize(WANTS - 1)
    life = Life("never")
    WATCH.life = life
    life.start()
    for _ in range(200):
        if target() == WANTS:
            break
        time.sleep(0.05)
    else:
        fail("after all kills it orders nothing any more")
    time.sleep(0.3)
    life.process.send_signal(signal.SIGTERM)
    if life.process.wait(timeout=20) != 0:
        fail("it does not end in order")
    hold(last)
    ledger = sqlite3.connect(f"file:{LEDGER}?mode=ro", uri=True)
    if ledger.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
        fail("the ledger is damaged")
    decided = [line for _, line in lines_after(0) if line["kind"] == "decided"]
    cooled = sum(any(step["reason"]["code"] == "cooldown" for step in line["steps"]) for line in decided)
    if above and not cooled:
        fail("no cooldown was ever remembered")
    points = ", ".join(f"{count} {point}" for point, count in sorted(killed.items()))
    print(f"ok  {kills} kills in {time.monotonic() - began:.0f} s: {points}")
    print(f"ok  {WATCH.orders} orders were taken, each with its line before it, none twice; {len(decided)} decisions, no line lost")
    print(f"ok  {cooled} decisions kept to a cooldown that began in an earlier life")


main()
