#!/usr/bin/env python3
"""Makes the C++ of one service's API layer from models/<service>.json and models/overlays/<service>.json.

  generate.py --sources SERVICE          names of the .cc files it will write, for the build system
  generate.py --out FOLDER SERVICE       writes FOLDER/*.h, *.cc; a file that would not change is left alone
  generate.py --registry FILE SERVICE…   writes the table of all services
"""

import argparse
import os

import emit_service
import emit_shapes
from model import Model

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def write(path, content):
    try:
        with open(path, encoding="utf-8") as old:
            if old.read() == content:
                return
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(content)


def sources(model):
    return sorted(n for n in files(model) if n.endswith(".cc"))


def files(model):
    out = emit_shapes.shape_headers(model)
    out.update(emit_shapes.units(model))
    for name, make in (("handlers.h", emit_service.handlers_header), ("binding.h", emit_service.binding_header), ("client.h", emit_service.client_header),
                       ("service.h", emit_service.service_header), ("service.cc", emit_service.service_source),
                       ("enums.h", emit_shapes.enums_header), ("tables.h", emit_shapes.tables_header)):
        if name in out:
            raise SystemExit("%s: an operation's header is called %s" % (model.service, name))
        out[name] = make(model)
    # Few units, each near the limit of 6 CPU s: every unit pays over a second for the same standard headers. (A precompiled
    # header would be cheaper once, but no compiler cache shares it between working trees.)
    out["service.cc"] += emit_service.handlers_source(model)
    if emit_shapes.is_small(model):
        out["service.cc"] += out.pop("unit_0.cc")
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sources", action="store_true")
    parser.add_argument("--out")
    parser.add_argument("--registry")
    parser.add_argument("services", nargs="+")
    args = parser.parse_args()
    if args.registry:
        write(args.registry, emit_service.registry_source(sorted(args.services)))
        return
    model = Model(ROOT, args.services[0])
    if args.sources:
        print(";".join(sources(model)), end="")
        return
    made = files(model)
    for name, content in made.items():
        write(os.path.join(args.out, name), content)
    # What an earlier model had and this one has not.
    for folder in (args.out, os.path.join(args.out, "shapes")):
        prefix = os.path.relpath(folder, args.out)
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            full = name if prefix == "." else os.path.join(prefix, name)
            if name.endswith((".h", ".cc")) and full not in made:
                os.remove(os.path.join(folder, name))


if __name__ == "__main__":
    main()
