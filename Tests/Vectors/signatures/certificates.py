#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Signatures with certificates over the folder `model`, by the reference tool of OpenSSF Model Signing.

    pip install model-signing==1.1.1 pyOpenSSL
    python3 certificates.py            (needs openssl 3)

Writes `certificates/`: for each case `NAME.sig` and `NAME.pem`, the certificates that a verifier is given, and
`reference.json`: whether the reference tool accepts each of them. Keys, serial numbers and nonces are random, so that
every run makes other files. The private keys are not kept. Certificates are valid for a hundred years unless the
case says otherwise; the two short ones are valid for a day.
"""

import json
import os
import shutil
import subprocess
import tempfile

from model_signing import signing, verifying

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = f"{HERE}/certificates"
CENTURY = 36500

ROOT = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
ISSUER = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n"
SIGNER = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
CODE = "extendedKeyUsage=codeSigning\n"


class Authority:
    """Issues certificates with openssl in a temporary folder."""

    def __init__(self, work):
        self.work, self.count = work, 0

    def run(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, stderr=subprocess.DEVNULL)

    def key(self, kind="prime256v1"):
        self.count += 1
        path = f"{self.work}/{self.count}.key"
        if kind == "rsa":
            self.run("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path)
        else:
            self.run("ecparam", "-name", kind, "-genkey", "-noout", "-out", path)
        return path

    def root(self, name="/O=Lab/CN=Root", extensions=ROOT, kind="prime256v1"):
        key = self.key(kind)
        return self.issue(name, extensions, key, None)

    def issue(self, name, extensions, key, issuer, days=CENTURY, hash="sha256"):
        """A certificate (path, key) of an issuer (path, key); None for one that signs itself."""
        self.count += 1
        path, config = f"{self.work}/{self.count}.pem", f"{self.work}/{self.count}.cnf"
        request = f"{self.work}/{self.count}.csr"
        self.run("req", "-new", "-key", key, "-subj", name, "-out", request)
        arguments = ["x509", "-req", "-in", request, "-days", str(days), f"-{hash}", "-out", path]
        if extensions is not None:
            with open(config, "w") as file:
                file.write(extensions)
            arguments += ["-extfile", config]
        if issuer is None:
            arguments += ["-signkey", key]
        else:
            arguments += ["-CA", issuer[0], "-CAkey", issuer[1], "-CAcreateserial"]
        self.run(*arguments)
        return path, key


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    with tempfile.TemporaryDirectory() as work:
        lab = Authority(work)
        root = lab.root()

        def issuer(extensions=ISSUER, above=root, kind="prime256v1", **options):
            return lab.issue("/O=Lab/CN=Issuer", extensions, lab.key(kind), above, **options)

        def signer(extensions=SIGNER, above=None, kind="prime256v1", **options):
            return lab.issue("/O=Lab/CN=Signer", extensions, lab.key(kind), above, **options)

        middle = issuer()
        rsa_root = lab.root("/O=Lab/CN=RSA Root", kind="rsa")
        rsa = issuer(above=rsa_root, kind="rsa")
        # The same name as the root, with another key.
        stranger = issuer(above=lab.root())
        flat = lab.root(extensions=ROOT.replace("CA:TRUE", "CA:TRUE,pathlen:0"))
        low = issuer(above=flat)
        day = issuer(days=1)
        short = signer(above=middle, days=1)
        not_ca = issuer(SIGNER)
        no_cert_sign = issuer("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature\n")
        first = issuer(None)
        mail = issuer(ISSUER + "extendedKeyUsage=emailProtection\n")
        alone = lab.issue("/O=Lab/CN=Alone", SIGNER, lab.key(), None)

        # The reference tool cannot sign without a chain, so that cases without issuers have those of another root.
        # The case: signer, the chain in the signature, the certificates of the verifier.
        cases = {
            "sound": (signer(SIGNER + CODE, middle), [middle], [root]),
            "p384": (signer(above=rsa, kind="secp384r1"), [rsa], [rsa_root]),
            "p521": (signer(above=root, kind="secp521r1"), [root], [root]),
            "whole-chain": (signer(above=middle), [middle, root], [root]),
            "issuer-known": (signer(above=middle), [stranger], [root, middle]),
            "issuer-missing": (signer(above=middle), [stranger], [root]),
            "no-usage": (signer("basicConstraints=critical,CA:FALSE\n", middle), [middle], [root]),
            "extended-usage-only": (signer(CODE, middle), [middle], [root]),
            "encipherment": (signer("keyUsage=critical,keyEncipherment\n" + CODE, middle), [middle], [root]),
            "web-server": (signer(SIGNER + "extendedKeyUsage=serverAuth\n", middle), [middle], [root]),
            "authority": (
                signer("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature,keyCertSign\n", root),
                [root], [root]),
            "alone": (alone, [alone], [alone]),
            "expired": (short, [middle], [root]),
            "issuer-expired": (signer(above=day), [day], [root]),
            "issuer-not-authority": (signer(above=not_ca), [not_ca], [root]),
            "issuer-without-usage": (signer(above=no_cert_sign), [no_cert_sign], [root]),
            "issuer-version-1": (signer(above=first), [first], [root]),
            "issuer-of-mail": (signer(above=mail), [mail], [root]),
            "path-too-long": (signer(above=low), [low], [flat]),
            "other-root": (signer(above=stranger), [stranger], [root]),
            "sha1": (signer(above=rsa, hash="sha1"), [rsa], [rsa_root]),
            "critical": (signer(SIGNER + "1.2.3.4=critical,DER:0500\n", middle), [middle], [root]),
        }
        accepted = {}
        for name, ((certificate, key), chain, trusted) in cases.items():
            signature, given = f"{OUT}/{name}.sig", f"{OUT}/{name}.pem"
            with open(given, "wb") as file:
                for path, _ in trusted:
                    with open(path, "rb") as part:
                        file.write(part.read())
            signing.Config().use_certificate_signer(
                private_key=key, signing_certificate=certificate,
                certificate_chain=[path for path, _ in chain]).sign(f"{HERE}/model", signature)
            try:
                verifying.Config().use_certificate_verifier(certificate_chain=[given]).verify(
                    f"{HERE}/model", signature)
                accepted[name] = True
            except Exception:
                accepted[name] = False
        with open(f"{OUT}/reference.json", "w") as file:
            json.dump(accepted, file, indent=1, sort_keys=True)
            file.write("\n")
        # A certificate that the reference tool cannot sign with.
        shutil.copyfile(signer(above=rsa, kind="rsa")[0], f"{OUT}/rsa-signer.pem")


if __name__ == "__main__":
    main()
