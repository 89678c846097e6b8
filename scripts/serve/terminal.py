"""Runs a program in a pseudo-terminal of a size, presses keys after pauses, and writes down all that it shows.

terminal.py OUT COLUMNSxROWS SECONDS:KEYS... -- PROGRAM ARGUMENT...
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

out, size, *rest = sys.argv[1:]
keys, command = rest[: rest.index("--")], rest[rest.index("--") + 1 :]
columns, rows = map(int, size.split("x"))

pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(TERM="xterm-256color", COLUMNS=str(columns), LINES=str(rows))
    os.environ.pop("NO_COLOR", None)
    os.execvp(command[0], command)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

shown = bytearray()


def read_for(seconds):
    end = time.time() + seconds
    while (left := end - time.time()) > 0:
        if select.select([terminal], [], [], left)[0]:
            try:
                shown.extend(os.read(terminal, 65536))
            except OSError:
                return


for key in keys:
    pause, text = key.split(":", 1)
    read_for(float(pause))
    os.write(terminal, text.encode().decode("unicode_escape").encode())
code = 124
end = time.time() + 15
while time.time() < end:
    read_for(0.1)
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        code = os.waitstatus_to_exitcode(status)
        break
else:
    os.kill(pid, 9)
with open(out, "wb") as file:
    file.write(shown)
sys.exit(code)
