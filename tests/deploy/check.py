"""Checks the files of a fleet against each other, the program's help and the rules of their formats."""

import pathlib
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = sys.argv[1]
mistakes = []


def expect(is_true, words):
    if not is_true:
        mistakes.append(words)


def check_command(place, words):
    """A command line of the program: its options exist."""
    names = [word for word in words if not word.startswith("-") and not word.startswith("/")]
    command = names[:2] if names[0] == "store" else names[:1]
    text = subprocess.run([PROGRAM, *command, "--help"], capture_output=True, text=True, check=True)
    for option in (word for word in words if word.startswith("--")):
        expect(option in text.stdout, f"{place}: {' '.join(command)} has no {option}")


def check_mounts(place, mounts, volumes):
    """Each mount has its volume, and each volume is mounted."""
    expect(mounts == volumes, f"{place}: mounts {mounts} and volumes {volumes} differ")


def check_compose(path):
    file = yaml.safe_load(path.read_text())
    services, secrets = file["services"], file["secrets"]
    named = set()
    for name, service in services.items():
        place = f"{path.name}: {name}"
        expect("image" in service, f"{place} has no image")
        expect(set(service.get("secrets", [])) <= set(secrets), f"{place} has an unknown secret")
        for other in service.get("depends_on", {}):
            expect(other in services, f"{place} depends on {other}, which is missing")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if "/" not in source:
                named.add(source)
        if "command" in service:
            check_command(place, service["command"])
    expect(named == set(file["volumes"]), f"{path.name}: volumes {named} are used")
    nodes = [service for name, service in services.items() if name.startswith("node-")]
    expect(len(nodes) == 2, "two nodes")
    for key in ("hostname", "ports", "volumes"):
        values = [str(node[key]) for node in nodes]
        expect(len(set(values)) == len(nodes), f"the nodes share {key}")
    for node in nodes:
        seconds = int(re.fullmatch(r"(\d+)s", node["stop_grace_period"])[1])
        expect(seconds > 10, "a node has less time to stop than stop_deadline")


def pod_of(document):
    return document["spec"]["template"]


def check_kubernetes(path):
    for document in yaml.safe_load_all(path.read_text()):
        place = f"{path.name}: {document['kind']}"
        expect(document["metadata"]["name"].startswith("mynah"), f"{place} has another name")
        version = {
            "StatefulSet": "apps/v1",
            "Service": "v1",
            "PodDisruptionBudget": "policy/v1",
            "Job": "batch/v1",
        }[document["kind"]]
        expect(document["apiVersion"] == version, f"{place} is of {version}")
        if document["kind"] in ("Service", "PodDisruptionBudget"):
            selector = document["spec"]["selector"]
            expect(selector.get("matchLabels", selector) == {"app": "mynah"}, f"{place} selects others")
            continue
        pod = pod_of(document)["spec"]
        volumes = {volume["name"] for volume in pod.get("volumes", [])}
        for claim in document["spec"].get("volumeClaimTemplates", []):
            volumes.add(claim["metadata"]["name"])
        for container in pod["containers"]:
            check_command(place, container["args"])
            check_mounts(place, {mount["name"] for mount in container["volumeMounts"]}, volumes)
            context = container["securityContext"]
            expect(context["readOnlyRootFilesystem"] is True, f"{place} may write everywhere")
            expect(context["capabilities"] == {"drop": ["ALL"]}, f"{place} has capabilities")
        expect(pod["securityContext"]["runAsUser"] == user(), f"{place} runs as another user")
        if document["kind"] == "StatefulSet":
            labels = pod_of(document)["metadata"]["labels"]
            expect(document["spec"]["selector"]["matchLabels"] == labels, f"{place} selects others")
            expect(pod["terminationGracePeriodSeconds"] > 10, f"{place} has too little time to stop")


def user():
    """The user of the image."""
    recipe = (ROOT / "config/Containerfile").read_text()
    return int(re.search(r"--uid (\d+)", recipe)[1])


check_compose(ROOT / "config/compose.fleet.yaml")
for manifest in sorted((ROOT / "config/kubernetes").glob("*.yaml")):
    check_kubernetes(manifest)
if mistakes:
    sys.exit("\n".join(mistakes))
print("the files of a fleet fit together")
