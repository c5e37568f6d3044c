"""Reads `cargo metadata` on stdin, and fails if a dependency that users build declares a newer Rust than the members do."""

import json
import sys


def version(text):
    # Two numbers or three: 1.88 is 1.88.0.
    return tuple(int(part) for part in (text + ".0.0").split(".")[:3])


def check(metadata, members):
    missing = [package["name"] for package in members if not package["rust_version"]]
    if missing:
        sys.exit(f"no rust-version: {', '.join(missing)}")
    floor = min((package["rust_version"] for package in members), key=version)

    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    reached = set()
    todo = [package["id"] for package in members]
    while todo:
        package_id = todo.pop()
        if package_id in reached:
            continue
        reached.add(package_id)
        for dependency in nodes[package_id]["deps"]:
            if any(kind["kind"] != "dev" for kind in dependency["dep_kinds"]):
                todo.append(dependency["pkg"])

    above = [
        f"{package['name']} {package['version']} needs Rust {package['rust_version']}"
        for package in metadata["packages"]
        if package["id"] in reached and package["rust_version"] and version(package["rust_version"]) > version(floor)
    ]
    if above:
        sys.exit("\n".join([f"above the floor, {floor}:", *sorted(above)]))
    print(f"{len(reached)} packages build with Rust {floor} or older, or name no version")


def main():
    metadata = json.load(sys.stdin)
    ids = set(metadata["workspace_members"])
    members = [package for package in metadata["packages"] if package["id"] in ids]
    check(metadata, members)


main()
