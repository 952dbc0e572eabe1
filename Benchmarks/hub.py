# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""A stub of the Hugging Face Hub that serves one file, for `hf download REPOSITORY FILE` with HF_ENDPOINT.

Source of the fields: huggingface_hub, `file_download.py` (get_hf_file_metadata).
"""

import hashlib
import os
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0" * 40


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def start(path, repository, name):
    """Serves the file at `path` until the process ends; returns the address."""
    size, tag = os.path.getsize(path), sha256(path)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_HEAD(self):
            self.answer(with_body=False)

        def do_GET(self):
            self.answer(with_body=True)

        def answer(self, with_body):
            if self.path.split("?")[0] not in (
                    f"/{repository}/resolve/main/{name}", f"/{repository}/resolve/{COMMIT}/{name}"):
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            start = int(wanted[1]) if wanted else 0
            end = min(int(wanted[2]), size - 1) if wanted and wanted[2] else size - 1
            self.send_response(206 if wanted else 200)
            if wanted:
                self.send_header("Content-Range", f"bytes {start}-{end}/{size}")
            for field, value in {
                    "Content-Length": end - start + 1, "Accept-Ranges": "bytes", "ETag": f'"{tag}"',
                    "X-Repo-Commit": COMMIT, "X-Linked-Size": size, "X-Linked-ETag": f'"{tag}"'}.items():
                self.send_header(field, str(value))
            self.end_headers()
            if with_body:
                with open(path, "rb") as file:
                    while start <= end:
                        start += os.sendfile(self.connection.fileno(), file.fileno(), start, end + 1 - start)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
