# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
#
# Clients that harm an HTTP server: hostile-clients.py PORT BEHAVIOUR COUNT [TARGET]
# They stay connected until standard input ends or they are killed, and print "ready" when all have begun.
import socket, sys, time

port, behaviour, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
target = sys.argv[4] if len(sys.argv) > 4 else "/zoo.json"
host = b"Host: 127.0.0.1\r\n"
first = {
    # A request whose header never ends.
    "slow-header": b"GET /zoo.json HTTP/1.1\r\n" + host + b"X: " + b"a" * 8000,
    # A response that is never read.
    "no-reading": b"GET " + target.encode() + b" HTTP/1.1\r\n" + host + b"\r\n",
    # A body that is announced and does not come.
    "no-body": b"PUT /v2/ami/x/manifests/1.0.0 HTTP/1.1\r\n" + host + b"Content-Length: 4000000\r\n\r\n{",
}[behaviour]
clients = []
for _ in range(count):
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.sendall(first)
    clients.append(client)
print("ready", flush=True)
while True:
    time.sleep(0.2)
    if behaviour == "slow-header":
        for client in clients:
            try:
                client.sendall(b"a")
            except OSError:
                pass
