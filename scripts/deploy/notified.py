"""Runs the sidecar as the systemd unit does, and hears what it tells systemd: ready, alive, reloading, ending.

`notified.py PROGRAM FOLDER`
"""

import pathlib
import signal
import socket
import sys

import sidecar

# It says that it lives at the end of each look, and the policies here look every 30 s.
WATCHDOG_SECONDS = 60


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
        sidecar.sidecar(program, account, folder, variables) as (process, log, _),
    ):
        sidecar.wait("ready", lambda: "READY=1" in listen(), process, log)
        sidecar.wait("alive", lambda: "WATCHDOG=1" in listen(), process, log, WATCHDOG_SECONDS)
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
