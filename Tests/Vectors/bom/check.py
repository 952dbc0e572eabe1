#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Checks the bills of materials in this folder, which `BillOfMaterialsTests` compares the program with.

    pip install "cyclonedx-python-lib[json-validation]==11.12.0" spdx-python-model==0.0.6
    python3 check.py

CycloneDX: against the JSON schema of 1.6, strictly, and that every reference leads to one element. SPDX: with the bindings
that the SPDX project generates from its model of 3.0.1 (properties, types, cardinalities, values), and the cardinalities that
the AI profile adds to them (spdx/spdx-3-model `model/AI/Classes/AIPackage.md`).
"""

import json
import os
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_python_model import v3_0_1 as spdx

NO_LICENCE = "https://spdx.org/rdf/3.0.1/terms/ExpandedLicensing/NoAssertionLicense"
HERE = os.path.dirname(os.path.abspath(__file__))


def references(node, found):
    """Collects every `bom-ref`."""
    if isinstance(node, dict):
        if "bom-ref" in node:
            found.append(node["bom-ref"])
        for value in node.values():
            references(value, found)
    elif isinstance(node, list):
        for value in node:
            references(value, found)


def check_cyclonedx(text):
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert error is None, error
    document = json.loads(text)
    found = []
    references(document, found)
    assert len(found) == len(set(found)), "a bom-ref twice"
    for item in document["dependencies"]:
        assert {item["ref"], *item["dependsOn"]} <= set(found), item
    card = document["metadata"]["component"]["modelCard"]
    for item in card["modelParameters"]["datasets"]:
        assert item["ref"] in found, item


def check_spdx(text):
    objects = spdx.SHACLObjectSet()
    spdx.JSONLDDeserializer().deserialize_data(json.loads(text), objects)
    assert objects.missing_ids <= {NO_LICENCE}, objects.missing_ids
    packages = list(objects.foreach_type(spdx.ai_AIPackage))
    assert len(packages) == 1
    package = packages[0]
    for name in ["releaseTime", "suppliedBy", "software_downloadLocation", "software_packageVersion",
                 "software_primaryPurpose"]:
        assert getattr(package, name), name
    relations = [r for r in objects.foreach_type(spdx.Relationship) if r.from_ is package]
    kinds = [str(r.relationshipType).split("/")[-1] for r in relations]
    assert kinds.count("hasDeclaredLicense") == kinds.count("hasConcludedLicense") == 1, kinds
    documents = list(objects.foreach_type(spdx.SpdxDocument))
    assert len(documents) == 1 and list(documents[0].rootElement) == [package]


def main():
    checks = {"cyclonedx": check_cyclonedx, "spdx": check_spdx}
    names = sorted(name for name in os.listdir(HERE) if name.endswith(".json"))
    assert names
    for name in names:
        with open(f"{HERE}/{name}", encoding="utf-8") as file:
            checks[name.split(".")[1]](file.read())
        print(name, "holds")


if __name__ == "__main__":
    sys.exit(main())
