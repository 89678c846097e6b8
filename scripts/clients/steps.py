"""What every walk shares: numbered steps, waiting for what must come, and refusals by status and code."""

import json
import sys
import time

# Seconds to wait for what must come; the account's clock runs much faster than the wall's.
PATIENCE = 60

_count = 0
_begun = time.monotonic()


def step(text):
    """Says what was seen, once it was seen."""
    global _count
    _count += 1
    print(f"ok {_count:3} {time.monotonic() - _begun:6.1f} s  {text}", flush=True)


def done(name):
    print(f"{name}: {_count} steps in {time.monotonic() - _begun:.1f} s", flush=True)


def expect(truth, seen):
    if not truth:
        sys.exit(f"not as expected: {seen}")


def wait(what, look, holds, patience=PATIENCE):
    """Looks until what is seen holds, and returns it."""
    until = time.monotonic() + patience
    while True:
        seen = look()
        if holds(seen):
            return seen
        if time.monotonic() > until:
            sys.exit(f"waited {patience} s for {what}; last seen: {seen}")
        time.sleep(0.05)


def refused(error, status, code):
    """Checks an error of an SDK against the service's status and code, and returns its body."""
    response = error.response
    text = response.text() if callable(response.text) else response.text
    expect(response.status_code == status, f"{response.status_code}, not {status}: {text}")
    body = json.loads(text)
    expect(body["code"] == code, f"{body['code']}, not {code}: {text}")
    return body
