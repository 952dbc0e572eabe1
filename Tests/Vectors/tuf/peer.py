#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""python-tuf as the other side of signed registry folders.

    peer.py read REGISTRY TARGET...   reads index documents of a folder that ami-zoo signed, as its client
    peer.py make FOLDER               writes the folder 'repository': a repository of python-tuf in three states

'read' starts from tuf/1.root.json, checks each target and prints its digest; the exit status is that of the client.
'make' writes a folder of files for each state. Its keys are new each time; expiry dates are fixed.

Versions: tuf 7.0.0, securesystemslib 1.4.0, cryptography 50.0.2.
"""

import datetime
import hashlib
import pathlib
import shutil
import sys
import tempfile

from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import DownloadHTTPError
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    SuccinctRoles,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer
from tuf.ngclient import FetcherInterface, Updater

EXPIRES = datetime.datetime(2040, 1, 1, tzinfo=datetime.timezone.utc)


class FolderFetcher(FetcherInterface):
    """Reads files instead of addresses."""

    def _fetch(self, url):
        path = pathlib.Path(url.removeprefix("file://"))
        if not path.is_file():
            raise DownloadHTTPError(f"{path} does not exist", 404)
        yield path.read_bytes()


def read(registry, targets):
    registry = pathlib.Path(registry).resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        updater = Updater(
            metadata_dir=str(folder / "metadata"),
            metadata_base_url=f"file://{registry}/tuf/",
            target_dir=str(folder),
            target_base_url=f"file://{registry}/index/",
            fetcher=FolderFetcher(),
            bootstrap=(registry / "tuf" / "1.root.json").read_bytes(),
        )
        updater.refresh()
        for target in targets:
            info = updater.get_targetinfo(target)
            if info is None:
                sys.exit(f"{target}: no role lists it")
            path = updater.download_target(info, filepath=str(folder / "target"))
            print(target, hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest())


class Repository:
    """A repository of python-tuf in a folder: metadata in tuf/, targets in index/."""

    def __init__(self, folder):
        self.folder = folder
        self.signers = {
            "root": [CryptoSigner.generate_ecdsa(), CryptoSigner.generate_ed25519()],
            "targets": [CryptoSigner.generate_ecdsa()],
            "snapshot": [CryptoSigner.generate_ed25519()],
            "timestamp": [CryptoSigner.generate_rsa()],
            "ami": [CryptoSigner.generate_ecdsa()],
        }
        self.root = Root(expires=EXPIRES)
        for role in ("root", "targets", "snapshot", "timestamp"):
            for signer in self.signers[role]:
                self.root.add_key(signer.public_key, role)
        self.root.roles["root"].threshold = 2
        key = self.signers["ami"][0].public_key
        role = DelegatedRole("ami", [key.keyid], 1, True, ["ami/*.json"])
        self.roles = {
            "targets": Targets(expires=EXPIRES, delegations=Delegations({key.keyid: key}, {"ami": role})),
            "ami": Targets(expires=EXPIRES),
        }
        self.snapshot = Snapshot(expires=EXPIRES)
        self.timestamp = Timestamp(expires=EXPIRES)

    def write(self, name, role, signed, signers):
        document = Metadata(signed)
        for signer in signers:
            document.sign(signer, append=True)
        path = self.folder / "tuf" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(document.to_bytes(JSONSerializer(compact=True)))

    def write_root(self, others=()):
        self.write(f"{self.root.version}.root.json", "root", self.root, self.signers["root"] + list(others))

    def add(self, role, path, content):
        target = TargetFile.from_data(path, content, ["sha256"])
        self.roles[role].targets[path] = target
        directory, name = path.rsplit("/", 1)
        place = self.folder / "index" / directory / f"{target.hashes['sha256']}.{name}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    def publish(self):
        for role, targets in self.roles.items():
            signers = self.signers.get(role, self.signers["ami"])
            self.write(f"{targets.version}.{role}.json", role, targets, signers)
            data = (self.folder / "tuf" / f"{targets.version}.{role}.json").read_bytes()
            self.snapshot.meta[f"{role}.json"] = MetaFile.from_data(targets.version, data, ["sha256"])
        self.write(f"{self.snapshot.version}.snapshot.json", "snapshot", self.snapshot, self.signers["snapshot"])
        data = (self.folder / "tuf" / f"{self.snapshot.version}.snapshot.json").read_bytes()
        self.timestamp.snapshot_meta = MetaFile.from_data(self.snapshot.version, data, ["sha256"])
        self.write("timestamp.json", "timestamp", self.timestamp, self.signers["timestamp"])

    def raise_versions(self, *roles):
        for role in roles:
            self.roles[role].version += 1
        self.snapshot.version += 1
        self.timestamp.version += 1


def make(folder):
    base = pathlib.Path(folder) / "repository"
    shutil.rmtree(base, ignore_errors=True)
    work = base / "work"
    repository = Repository(work)
    repository.write_root()
    repository.add("ami", "ami/ball-drop.json", b"first")
    repository.add("targets", "other/model.json", b"other")
    repository.publish()
    shutil.copytree(work, base / "1")
    # Another document.
    repository.add("ami", "ami/ball-drop.json", b"second")
    repository.raise_versions("ami")
    repository.publish()
    shutil.copytree(work, base / "2")
    # New keys of root and timestamp; the namespace in hash bins.
    old = repository.signers["root"]
    repository.signers["root"] = [CryptoSigner.generate_ecdsa(), CryptoSigner.generate_ecdsa()]
    repository.signers["timestamp"] = [CryptoSigner.generate_ecdsa()]
    for role, revoked in (("root", [signer.public_key.keyid for signer in old]),
                          ("timestamp", list(repository.root.roles["timestamp"].keyids))):
        for keyid in revoked:
            repository.root.revoke_key(keyid, role)
        for signer in repository.signers[role]:
            repository.root.add_key(signer.public_key, role)
    repository.root.version = 2
    repository.write_root(old)
    key = repository.signers["ami"][0].public_key
    bins = SuccinctRoles([key.keyid], 1, 2, "ami-bin")
    repository.roles["ami"].delegations = Delegations({key.keyid: key}, None, bins)
    targets = dict(repository.roles["ami"].targets)
    repository.roles["ami"].targets.clear()
    for role in bins.get_roles():
        repository.roles[role] = Targets(expires=EXPIRES)
    for path in targets:
        repository.add(bins.get_role_for_target(path), path, b"third")
    repository.raise_versions("ami")
    repository.publish()
    shutil.copytree(work, base / "3")
    shutil.rmtree(work)


if len(sys.argv) > 3 and sys.argv[1] == "read":
    read(sys.argv[2], sys.argv[3:])
elif len(sys.argv) == 3 and sys.argv[1] == "make":
    make(sys.argv[2])
else:
    sys.exit(__doc__)
