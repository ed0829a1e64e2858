"""A witness and a log that nobody here wrote: PyPI `witness-log`, behind the HTTP that it leaves to its user.

    foreign.py witness VKEY        serves a witness of that log; prints its key, then where it listens
    foreign.py key                 prints the key of the foreign log
    foreign.py submit URL          shows the foreign log's checkpoints to a witness, honest and not; prints the answers
"""

import sys
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from witness_log import WitnessLog, WitnessService

SEED = bytes([5]) * 32


def serve_witness(log_vkey):
    service = WitnessService.new("foreign.example/witness", bytes([3]) * 32)
    service.add_log(log_vkey.split("+")[0], log_vkey)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, kind, answer = service.handle_add_checkpoint_http(body)
            content = answer.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(service.vkey(), flush=True)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


def log_of(*entries):
    log = WitnessLog.resume(SEED, 1)
    for entry in entries:
        log.append_intent(entry.encode())
    return log


def post(url, body):
    request = urllib.request.Request(url + "/add-checkpoint", data=body.encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def submit(url):
    honest, fork = log_of("one", "two", "three"), log_of("one", "other", "three", "four")
    for story, body in [
        ("first", honest.add_checkpoint_body_at(1, 0)),
        ("conflict", honest.add_checkpoint_body_at(3, 0)),
        ("grown", honest.add_checkpoint_body_at(3, 1)),
        ("again", honest.add_checkpoint_body_at(3, 3)),
        ("fork", fork.add_checkpoint_body_at(4, 3)),
        ("rollback", "old 3\n" + honest.add_checkpoint_body_at(1, 0).split("\n", 1)[1]),
    ]:
        status, answer = post(url, body)
        print(story, status, answer.split("\n")[0] if status in (200, 409) else "", flush=True)


def main(command, *arguments):
    if command == "witness":
        serve_witness(*arguments)
    elif command == "key":
        log = log_of("one")
        print(log.c2sp_vkey(log.canonical_origin()))
    elif command == "submit":
        submit(*arguments)


main(*sys.argv[1:])
