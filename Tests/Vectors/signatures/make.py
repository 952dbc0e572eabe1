#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Signatures of the reference tool of OpenSSF Model Signing over the folder `model`.

    pip install model-signing==1.1.1 pyOpenSSL
    python3 make.py

Keys and the nonces of ECDSA are random, so that every run makes other files. The private keys are not
kept.
"""

import os
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = {
    "config.json": b'{"model_type": "sample"}\n',
    "a/b.bin": bytes(range(256)) * 4,
    "a-b.bin": b"sorts before a/b.bin by code points, and after it by components\n",
    "empty.txt": b"",
    "\u00e9.txt": "a name with an accent\n".encode(),
    "model.safetensors": bytes(8) + b"{}" + b"\0" * 1000,
}


def main():
    model = f"{HERE}/model"
    shutil.rmtree(model, ignore_errors=True)
    for name, content in FILES.items():
        os.makedirs(os.path.dirname(f"{model}/{name}"), exist_ok=True)
        with open(f"{model}/{name}", "wb") as file:
            file.write(content)
    with tempfile.TemporaryDirectory() as work:
        for curve, name in [("prime256v1", "p256"), ("secp384r1", "p384"), ("secp521r1", "p521")]:
            key = f"{work}/{name}.pem"
            subprocess.run(["openssl", "ecparam", "-name", curve, "-genkey", "-noout", "-out", key],
                           check=True)
            subprocess.run(["openssl", "ec", "-in", key, "-pubout", "-out", f"{HERE}/{name}.pub"],
                           check=True, stderr=subprocess.DEVNULL)
            # Outside the folder, so that the statement lists the files of the model only.
            subprocess.run(["model_signing", "sign", "key", model, "--private_key", key,
                            "--signature", f"{HERE}/{name}.sig"], check=True)
        # Parts of 300 bytes, with the key of P-256.
        from model_signing import hashing, signing
        config = signing.Config().use_elliptic_key_signer(private_key=f"{work}/p256.pem")
        config.set_hashing_config(hashing.Config().use_shard_serialization(shard_size=300))
        config.sign(model, f"{HERE}/shards.sig")


if __name__ == "__main__":
    main()
