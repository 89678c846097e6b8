"""Runs the sidecar as the systemd unit does, and hears what it tells systemd: ready, alive, hanging, reloading, ending.

`notified.py PROGRAM FOLDER`
"""

import pathlib
import signal
import socket
import sys
import time

import sidecar

# Much shorter than the 30 s between two looks: a sidecar that waits for the next one lives.
WATCHDOG_SECONDS = 6


def main(program, folder):
    heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    heard.bind(str(folder / "notify"))
    heard.setblocking(False)
    told = []

    def listen():
        while True:
            try:
                told.extend(heard.recv(4096).decode().splitlines())
            except BlockingIOError:
                return told

    variables = {"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": str(WATCHDOG_SECONDS * 1_000_000)}
    with (
        sidecar.local_account(program, folder) as account,
        sidecar.sidecar(program, account, folder, variables) as (process, log, address),
    ):
        sidecar.wait("ready", lambda: "READY=1" in listen(), process, log)
        alive = lambda: listen().count("WATCHDOG=1")
        sidecar.wait("seen to look", lambda: "lowtide_last_tick" in sidecar.scraped(address), process, log)
        count = alive()
        sidecar.wait("alive between two looks", lambda: alive() >= count + 4, process, log, 2 * WATCHDOG_SECONDS)
        # A look that hangs: the account takes requests and answers none, and a policy that changes is looked by at once.
        account["process"].send_signal(signal.SIGSTOP)
        policy = folder / "etc/policies/genomics.yaml"
        policy.write_text(policy.read_text().replace("[1, 30]", "[1, 29]"))
        time.sleep(2 * WATCHDOG_SECONDS)
        count = alive()
        time.sleep(WATCHDOG_SECONDS)
        if alive() != count:
            sys.exit(f"failed: it says that it lives while a look hangs:\n{log.read_text()}")
        account["process"].send_signal(signal.SIGCONT)
        sidecar.wait("alive again", lambda: alive() > count, process, log)
        count = len(listen())
        process.send_signal(signal.SIGHUP)
        sidecar.wait("reloading", lambda: "RELOADING=1" in listen()[count:], process, log)
        sidecar.wait(
            "ready after a reload",
            lambda: "READY=1" in listen()[count + told[count:].index("RELOADING=1") :],
            process,
            log,
        )
        process.send_signal(signal.SIGTERM)
        code = process.wait(90)
        if code != 0:
            sys.exit(f"failed: SIGTERM ended it with {code}:\n{log.read_text()}")
        if "STOPPING=1" not in listen():
            sys.exit(f"failed: it did not say that it ends; it said {sorted(set(told))}")
    status = [line for line in told if line.startswith("STATUS=")]
    words = sorted({line for line in told if line not in status and not line.startswith("MONOTONIC_USEC=")})
    print(f"told: {', '.join(words)}" + (f"; at last {status[-1]}" if status else ""))


main(sys.argv[1], pathlib.Path(sys.argv[2]))
