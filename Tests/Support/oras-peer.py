#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Pushes or pulls an artifact with oras (PyPI, 0.2.43; scripts/setup --test installs it).

    oras-peer.py push HOST/REPOSITORY:TAG FILE...    files of the current folder
    oras-peer.py pull HOST/REPOSITORY:TAG FOLDER     prints the path of each file
"""

import os
import sys

import oras.client
import oras.decorator

# It repeats a refused request for two minutes.
oras.decorator.time.sleep = lambda _: None
action, target, *arguments = sys.argv[1:]
client = oras.client.OrasClient(hostname=target.split("/")[0], insecure=True)
if token := os.environ.get("PEER_TOKEN"):
    client.auth.set_basic_auth("x", token)
if action == "push":
    reply = client.push(target=target, files=arguments)
    print(reply.status_code, reply.headers.get("Docker-Content-Digest", ""))
else:
    print("\n".join(client.pull(target=target, outdir=arguments[0])))
