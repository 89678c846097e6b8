"""Runs the sidecar as the systemd unit does, and hears what it tells systemd: ready, alive, alive after a reload, ending.

`notified.py PROGRAM FOLDER`
"""

import pathlib
import signal
import socket
import sys

import sidecar

# Shorter than the unit's, so that a program that is not heard of in time is seen here first.
WATCHDOG_SECONDS = 20


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
    with sidecar.local_account(program, folder) as account, sidecar.sidecar(program, account, folder, variables) as (process, log, _):
        sidecar.wait("ready", lambda: "READY=1" in listen(), process, log)
        sidecar.wait("alive", lambda: "WATCHDOG=1" in listen(), process, log, WATCHDOG_SECONDS)
        count = len(listen())
        process.send_signal(signal.SIGHUP)
        sidecar.wait("alive after a reload", lambda: "WATCHDOG=1" in listen()[count:], process, log, WATCHDOG_SECONDS)
        process.send_signal(signal.SIGTERM)
        code = process.wait(90)
        if code != 0:
            sys.exit(f"failed: SIGTERM ended it with {code}:\n{log.read_text()}")
        if "STOPPING=1" not in listen():
            sys.exit(f"failed: it did not say that it ends; it said {sorted(set(told))}")
    status = [line for line in told if line.startswith("STATUS=")]
    print(f"told: {', '.join(sorted(set(told) - set(status)))}" + (f"; at last {status[-1]}" if status else ""))


main(sys.argv[1], pathlib.Path(sys.argv[2]))
