"""Two sidecars over one PostgreSQL: leaders.py PROGRAM ACCOUNT-URL FOLDER PSQL PORT SERVER-SCRIPT ROUNDS; `skew.so` and
`strike.so` are in the folder.

Each has a proxy of its own to the account and a wire of its own to the database, which can be frozen or cut. All the while somebody
wants something else of the pool, so that whoever leads orders. A trigger in the database writes down from whom each line came and under
which fence; each order is held against who leads at that moment. What must hold in every round: one leads, and its lines
and orders are the only ones.
"""

import collections
import functools
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time

import witness
from witness import Account, Answer, Judge, Pages, Proxy, fail, spawn, write

PROGRAM, FOLDER, PSQL, PORT, SERVER, ROUNDS = sys.argv[1], sys.argv[3], sys.argv[4], int(sys.argv[5]), sys.argv[6], int(sys.argv[7])
ACCOUNT = Account(sys.argv[2])
LEASE = 6.0
# A standby asks 15 times while a lease lasts; the rest is for a busy machine.
SLACK = 2.5
LOGS = ["one.log", "two.log"]
within = functools.partial(witness.within, logs=LOGS)
# How far a clock is off in seconds: the account takes signatures of the last 15 minutes.
SKEW_MOST = 540


class Database:
    """Asks the database directly, over a connection that nobody cuts."""

    def __init__(self):
        self.lock, self.process = threading.Lock(), None

    def ask(self, question):
        """Returns the rows, each a list of texts; `None` while the database is away."""
        with self.lock:
            try:
                if self.process is None:
                    address = f"postgres://app@127.0.0.1:{PORT}/postgres"
                    self.process = subprocess.Popen(
                        [PSQL, "-qAtX", "-F", "\x1f", "-R", "\x1e", address],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                    )
                self.process.stdin.write(f"{question};\n\\echo =\n")
                self.process.stdin.flush()
                said = ""
                while not said.endswith("=\n"):
                    letters = self.process.stdout.readline()
                    if not letters:
                        raise OSError("it is away")
                    said += letters
            except OSError:
                self.process.kill()
                self.process.wait()
                self.process = None
                return None
        rows = said[: -len("=\n")].strip("\n")
        return [row.split("\x1f") for row in rows.split("\x1e")] if rows else []

    def lead(self):
        """Returns the process that leads, its fence, and whether its time is not over."""
        rows = self.ask("SELECT holder, fence, expires_at > clock_timestamp() FROM lowtide_lead")
        if not rows:
            return None
        holder, fence, holds = rows[0]
        return int(holder.rsplit("/", 1)[1]), int(fence), holds == "t"


DATABASE = Database()
WATCHES_LINES = """
CREATE TABLE witnessed (number bigint, writer text, fence bigint, holder text);
CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO witnessed SELECT NEW.number, session_user, fence, holder FROM lowtide_lead; RETURN NULL; END $$;
CREATE TRIGGER witness AFTER INSERT ON lowtide_ledger FOR EACH ROW EXECUTE FUNCTION witness()
"""


class Wire:
    """Carries what one sidecar and the database say to each other, until it is frozen or cut."""

    def __init__(self):
        self.state, self.pairs = "whole", []
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self.open_door, daemon=True).start()

    def open_door(self):
        """Takes connections; a frozen wire takes them and says nothing, as a network does that drops everything."""
        while True:
            near, _ = self.door.accept()
            if self.state == "cut":
                near.close()
                continue
            threading.Thread(target=self.carry, args=(near,), daemon=True).start()

    def carry(self, near):
        """Carries bytes both ways."""
        try:
            while self.state == "frozen":
                time.sleep(0.02)
            far = socket.create_connection(("127.0.0.1", PORT))
            self.pairs.append((near, far))
            while True:
                ready, _, _ = select.select([near, far], [], [])
                while self.state == "frozen":
                    time.sleep(0.02)
                for side in ready:
                    said = side.recv(65536)
                    if not said:
                        return
                    (far if side is near else near).sendall(said)
        except (OSError, ValueError):
            pass
        finally:
            near.close()

    def cut(self):
        """Ends every connection, and lets none come about."""
        self.state = "cut"
        for pair in self.pairs:
            for side in pair:
                try:
                    side.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.pairs = []


class Sidecar(Judge, Pages):
    """One of the two, with all that it is connected by."""

    def __init__(self, name):
        self.name, self.wire, self.proxy = name, Wire(), Proxy(ACCOUNT, self)
        self.process, self.pids, self.orders = None, set(), 0
        # Whether its orders are put off, how many were, and whether one is too late.
        self.stalled, self.stalls, self.late = False, 0, False
        Pages.__init__(self)
        write(
            f"{name}.toml",
            f'version = 1\n[account]\nendpoint = "{self.proxy.url}"\nname = "{ACCOUNT.name}"\nkeyEnv = "AZURE_BATCH_ACCESS_KEY"\n'
            f'[policies]\nfolder = "policies"\n[ledger]\npostgresEnv = "LEDGER"\nlease = "{LEASE:.0f}s"\n'
            f'[http]\nlisten = "127.0.0.1:{self.port}"\n',
        )

    def start(self, skew=None, **more):
        """Starts it, with a clock that is off."""
        skew = random.randint(-SKEW_MOST, SKEW_MOST) if skew is None else skew
        more |= {
            "LEDGER": f"postgres://{self.name}@127.0.0.1:{self.wire.port}/postgres",
            "LD_PRELOAD": f"{FOLDER}/skew.so {FOLDER}/strike.so",
            "SKEW_SECONDS": str(skew),
        }
        self.process = spawn([PROGRAM, "serve", "--config", f"{self.name}.toml"], f"{self.name}.log", env=os.environ | more)
        self.pids.add(self.process.pid)

    def tell(self, word):
        """Sends it a signal."""
        self.process.send_signal(word)

    def before(self, method, path, body):
        """Nobody orders but who leads, and nothing but what is written down."""
        if self.stalled:
            self.stalls += 1
            return Answer(429, [("Retry-After", str(int(LEASE) + 2)), ("Content-Type", "application/json")], b'{"code":"TooManyRequests"}')
        if self.late:
            return None
        told, lead = json.loads(body or b"{}"), DATABASE.lead()
        lines = DATABASE.ask("SELECT number, line FROM lowtide_ledger WHERE kind = 'decided' ORDER BY number DESC LIMIT 1")
        if lead is None or lines is None:
            # The database is away, so that nobody else can have taken the lead.
            return None
        number, line = int(lines[0][0]), json.loads(lines[0][1])
        what = f"{self.name} ({self.process.pid}) sends {told} to {path}"
        if lead[0] != self.process.pid:
            fail(f"{what}, and {lead} leads", *LOGS)
        order = line.get("order") or {}
        if (order.get("dedicated"), order.get("spot")) != (told.get("targetDedicatedNodes"), told.get("targetLowPriorityNodes")):
            fail(f"{what}, and the newest line {number} says {order}", *LOGS)
        return number

    def after(self, seen, status):
        """None twice."""
        if self.late:
            if status != 412:
                fail(f"an order of {self.name} came too late, and the account answered {status}", *LOGS)
            self.late = False
        elif status == 202:
            self.orders += 1
            if seen is not None:
                TAKEN[seen] += 1
                if TAKEN[seen] > 1:
                    fail(f"line {seen} was ordered twice", *LOGS)


TAKEN = collections.Counter()
ONE, TWO = Sidecar("one"), Sidecar("two")


class Wishes(threading.Thread):
    """Wants something else of the pool all the while."""

    def __init__(self):
        super().__init__(daemon=True)
        self.wanted, self.on = 3, threading.Event()

    def run(self):
        while True:
            self.on.wait()
            self.want()
            time.sleep(0.6 + random.random() * 0.5)

    def want(self):
        """Wants something that it has not wanted before."""
        self.wanted = random.choice([nodes for nodes in range(1, 10) if nodes != self.wanted])
        write(
            "policies/render.yaml",
            "version: 1\npool: render\ninterval: 10s\n"
            f'demand: [ {{ formula: {{ role: targets, text: "$TargetDedicatedNodes = {self.wanted};" }} }} ]\nbounds: {{ total: [0, 20] }}\n',
        )


WISHES = Wishes()


def leads(sidecar):
    """Says whether the database names it, and its time is not over."""
    lead = DATABASE.lead()
    return lead is not None and lead[0] == sidecar.process.pid and lead[2]


def pair():
    """Returns who leads and who stands by."""
    within(LEASE + SLACK + 5, "somebody leads", lambda: leads(ONE) or leads(TWO))
    return (ONE, TWO) if leads(ONE) else (TWO, ONE)


def orders(sidecar):
    """Waits until it orders, and until the pool is as wanted when nobody wishes anything any more."""
    before = sidecar.orders
    within(15, f"{sidecar.name} orders", lambda: sidecar.orders > before)


def settles():
    """Nobody wishes anything more: the pool comes to what was wished last."""
    WISHES.on.clear()
    within(25, "the pool is as it is wanted", lambda: ACCOUNT.pool("render")["targetDedicatedNodes"] == WISHES.wanted)
    WISHES.on.set()


def lines_of(sidecar):
    """Returns how many lines it has written."""
    return int(DATABASE.ask(f"SELECT count(*) FROM witnessed WHERE writer = '{sidecar.name}'")[0][0])


class Taken:
    """What an instance has done until now: nothing is to come to it."""

    def __init__(self, sidecar):
        self.sidecar, self.orders, self.lines = sidecar, sidecar.orders, lines_of(sidecar)

    def still(self):
        """Says that nothing came to it."""
        if self.sidecar.orders != self.orders:
            fail(f"{self.sidecar.name} ordered although another leads", *LOGS)
        if lines_of(self.sidecar) != self.lines:
            fail(f"{self.sidecar.name} wrote although another leads", *LOGS)


def killed():
    """SIGKILL: the standby leads within the lease."""
    leader, standby = pair()
    leader.tell(signal.SIGKILL)
    leader.process.wait()
    took = within(LEASE + SLACK, f"{standby.name} leads", lambda: leads(standby))
    orders(standby)
    leader.start()
    within(15, f"{leader.name} stands by", lambda: leader.stands() == "standby")
    return f"the standby led after {took:.1f} s"


def ended():
    """SIGTERM: the lease is released, and the standby leads at once."""
    leader, standby = pair()
    leader.tell(signal.SIGTERM)
    if leader.process.wait(timeout=20) != 0:
        fail(f"{leader.name} does not end in order", *LOGS)
    took = within(LEASE / 3, f"{standby.name} leads", lambda: leads(standby))
    orders(standby)
    leader.start()
    within(15, f"{leader.name} stands by", lambda: leader.stands() == "standby")
    return f"the standby led {took:.1f} s after the leader had ended"


def taken_over(leader, standby, mend, stands):
    """The standby takes over from a leader that is alive; afterwards the old one stands by and has done nothing more."""
    took = within(LEASE + SLACK, f"{standby.name} leads", lambda: leads(standby))
    done = Taken(leader)
    orders(standby)
    stands()
    mend()
    within(LEASE + SLACK, f"{leader.name} stands by", lambda: leader.stands() == "standby")
    orders(standby)
    done.still()
    return f"the standby led after {took:.1f} s, and the other woke up, wrote nothing, ordered nothing and stands by"


def stopped():
    """SIGSTOP beyond the lease, and SIGCONT."""
    leader, standby = pair()
    leader.tell(signal.SIGSTOP)
    return taken_over(leader, standby, lambda: leader.tell(signal.SIGCONT), lambda: None)


def unwired(how):
    """The connection between the leader and the database is frozen or cut."""
    leader, standby = pair()
    if how == "frozen":
        leader.wire.state = "frozen"
    else:
        leader.wire.cut()

    def told():
        within(LEASE + SLACK, f"{leader.name} says that it is cut off", lambda: leader.page("/readyz")[0] == 503)
        metrics = ["lowtide_ledger_writable", "lowtide_leader"]
        within(LEASE, f"the metrics of {leader.name} tell it", lambda: [leader.metric(name) for name in metrics] == [0, 0])

    def mend():
        leader.wire.state = "whole"

    return taken_over(leader, standby, mend, told) + "; /readyz and the metrics had told"


def stalled():
    """The account asks the leader to come again later, and the lead is lost meanwhile: that order must not come."""
    leader, standby = pair()
    leader.stalled, leader.stalls = True, 0
    within(15, f"an order of {leader.name} is put off", lambda: leader.stalls > 0)
    leader.wire.state = "frozen"
    within(LEASE + SLACK, f"{standby.name} leads", lambda: leads(standby))
    leader.stalled = False
    done = Taken(leader)
    orders(standby)
    time.sleep(4)
    leader.wire.state = "whole"
    within(30, f"{leader.name} stands by", lambda: leader.stands() == "standby")
    orders(standby)
    done.still()
    return "an order that the account had put off was not sent when its time came"


def late():
    """Stopped at the very moment in which it sends an order, which nothing in it can see: the account refuses it by its ETag."""
    leader, standby = pair()
    standby.tell(signal.SIGKILL)
    standby.process.wait()
    standby.start(STRIKE_AT="1", STRIKE_ONLY="order", STRIKE_HOW="before", STRIKE_SIGNAL=str(int(signal.SIGSTOP)))
    within(15, f"{standby.name} stands by", lambda: standby.stands() == "standby")
    leader.tell(signal.SIGTERM)
    leader.process.wait()
    within(LEASE / 3, f"{standby.name} leads", lambda: leads(standby))
    leader.start()
    # It stops itself at its first order.
    within(2 * LEASE + SLACK, f"{leader.name} leads again", lambda: leads(leader))
    orders(leader)
    done = Taken(standby)
    standby.late = True
    standby.tell(signal.SIGCONT)
    within(15, f"the order that {standby.name} had in hand is refused", lambda: not standby.late)
    within(LEASE + SLACK, f"{standby.name} stands by", lambda: standby.stands() == "standby")
    done.still()
    return "the account refused its order, which another had overtaken (412)"


def away():
    """PostgreSQL is stopped and started."""
    pair()
    subprocess.run(["bash", SERVER, "server", "stop"], check=True)
    within(LEASE + SLACK, "both say so", lambda: all(sidecar.page("/readyz")[0] == 503 for sidecar in (ONE, TWO)))
    for sidecar in (ONE, TWO):
        if sidecar.metric("lowtide_ledger_writable") != 0:
            fail(f"the metrics of {sidecar.name} do not tell that the ledger is away", *LOGS)
    before, target = ONE.orders + TWO.orders, ACCOUNT.pool("render")["targetDedicatedNodes"]
    time.sleep(3)
    if ONE.orders + TWO.orders != before or ACCOUNT.pool("render")["targetDedicatedNodes"] != target:
        fail("something was ordered without the ledger", *LOGS)
    subprocess.run(["bash", SERVER, "server", "start"], check=True)
    # Whose lease ran out meanwhile may have lost it to the other.
    took = within(LEASE + SLACK + 15, "somebody orders again", lambda: ONE.orders + TWO.orders > before)
    within(LEASE + SLACK, "one is ready and one stands by", lambda: sorted([ONE.stands(), TWO.stands()]) == ["ready", "standby"])
    return f"both said so, nothing was ordered, and {took:.1f} s after it was back the leader ordered again"


def watch_fences():
    """The fence of the lead only ever grows."""
    last = 0
    while True:
        lead = DATABASE.lead()
        if lead and lead[1] < last:
            fail(f"the fence went from {last} to {lead[1]}", *LOGS)
        last = lead[1] if lead else last
        time.sleep(0.05)


def judged():
    """Every line came from who led when it was written, and fences only grow from line to line."""
    rows = DATABASE.ask("SELECT number, writer, fence, holder FROM witnessed ORDER BY number")
    last, whose = 0, {}
    for number, writer, fence, holder in rows:
        if int(fence) < last:
            fail(f"line {number} has the fence {fence}, and the one before it {last}", *LOGS)
        last = int(fence)
        # A process is one sidecar's for good, and a fence one process's.
        for key in (("holder", holder), ("fence", fence)):
            if whose.setdefault(key, writer) != writer:
                fail(f"line {number} under fence {fence} of {holder} came from {writer}", *LOGS)
        if int(holder.rsplit("/", 1)[1]) not in {"one": ONE, "two": TWO}[writer].pids:
            fail(f"line {number} of {writer} was written while {holder} led", *LOGS)
    return len(rows), last


ALL = {
    "killed": killed,
    "stopped and woken": stopped,
    "its connection frozen": lambda: unwired("frozen"),
    "its connection cut": lambda: unwired("cut"),
    "its order put off": stalled,
    "stopped with an order in its hand": late,
    "the server gone": away,
    "ended": ended,
}


def main():
    """Goes through everything that can happen, again and again."""
    random.seed(int(os.environ.get("LOWTIDE_SEED", "20261125")))
    os.makedirs("policies", exist_ok=True)
    WISHES.want()
    began, only = time.monotonic(), os.environ.get("LOWTIDE_EVENT", "")
    for sidecar in (ONE, TWO):
        DATABASE.ask(f"CREATE ROLE {sidecar.name} SUPERUSER LOGIN")
    ONE.start(skew=SKEW_MOST)
    within(15, "one leads", lambda: leads(ONE))
    DATABASE.ask(WATCHES_LINES)
    TWO.start(skew=-SKEW_MOST)
    within(15, "two stands by", lambda: TWO.stands() == "standby")
    threading.Thread(target=watch_fences, daemon=True).start()
    WISHES.start()
    WISHES.on.set()
    rounds = 0
    for _ in range(ROUNDS):
        for name, happens in ALL.items():
            if only not in name:
                continue
            print(f"ok  {name}: {happens()}", flush=True)
            settles()
            rounds += 1
    WISHES.on.clear()
    time.sleep(0.5)
    for sidecar in (ONE, TWO):
        sidecar.tell(signal.SIGTERM)
    for sidecar in (ONE, TWO):
        if sidecar.process.wait(timeout=20) != 0:
            fail(f"{sidecar.name} does not end in order", *LOGS)
    n_lines, fence = judged()
    n_orders = ONE.orders + TWO.orders
    print(f"ok  {rounds} events in {time.monotonic() - began:.0f} s, clocks up to {2 * SKEW_MOST // 60} minutes apart: {n_lines} lines, {n_orders} orders")
    print(f"ok  each line came from who led then, under fences that grew to {fence}; each order from who led, with its line, none twice")


main()
