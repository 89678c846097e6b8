"""A forward proxy for plain http, on a free port of loopback that it prints: proxy.py LOG HOST:PORT.

Whatever host a request names, it goes to HOST:PORT: the names are made up. Each request is a line of the log.
"""

import http.client
import http.server
import sys
import urllib.parse


class Proxy(http.server.BaseHTTPRequestHandler):
    """Passes a request on as it is, and its answer back."""

    protocol_version = "HTTP/1.1"

    def pass_on(self):
        """Sends the request to the one server behind this proxy."""
        with open(sys.argv[1], "a", encoding="utf-8") as log:
            print(self.command, self.path, file=log)
        url = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server = http.client.HTTPConnection(sys.argv[2], timeout=30)
        path = urllib.parse.urlunsplit(("", "", url.path, url.query, ""))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "proxy-connection"}
        server.request(self.command, path, body or None, headers)
        answer = server.getresponse()
        content = answer.read()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        server.close()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on

    def log_message(self, *_):
        """Keeps quiet; the log has the lines."""


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
print(server.server_port, flush=True)
server.serve_forever()
