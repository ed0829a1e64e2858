"""A time-stamp authority for tests: `openssl ts` behind HTTP (RFC 3161, section 3.4), with a root and a key of its own.

Usage: tsa.py DIRECTORY. Makes root.pem there, prints the address, and stamps until it is stopped."""

import http.server
import pathlib
import subprocess
import sys

CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = an authority
[root]
basicConstraints = critical,CA:TRUE
[stamping]
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = one
[one]
serial = serial
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""

NEW_ROOT = "req -x509 -new -newkey rsa:2048 -noenc -config tsa.cnf -extensions root -keyout root.key -subj /CN=root -days 2 -out root.pem"
NEW_KEY = "req -new -newkey rsa:2048 -noenc -config tsa.cnf -keyout tsa.key -out tsa.csr"
CERTIFY = "x509 -req -in tsa.csr -CA root.pem -CAkey root.key -CAcreateserial -days 2 -extfile tsa.cnf -extensions stamping -out tsa.pem"
STAMP = "ts -reply -config tsa.cnf -section one -queryfile query -signer tsa.pem -inkey tsa.key -out reply"


def openssl(directory, command):
    subprocess.run(["openssl", *command.split()], cwd=directory, check=True, capture_output=True)


class Authority(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        (self.server.directory / "query").write_bytes(self.rfile.read(int(self.headers["content-length"])))
        openssl(self.server.directory, STAMP)
        reply = (self.server.directory / "reply").read_bytes()
        self.send_response(200)
        self.send_header("content-type", "application/timestamp-reply")
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_):
        pass


def main():
    directory = pathlib.Path(sys.argv[1])
    (directory / "tsa.cnf").write_text(CONFIG)
    (directory / "serial").write_text("01\n")
    for command in (NEW_ROOT, NEW_KEY, CERTIFY):
        openssl(directory, command)
    server = http.server.HTTPServer(("127.0.0.1", 0), Authority)
    server.directory = directory
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
