"""The manifests fit together, and ask for nothing that a careful cluster refuses.

`make lint` holds each of them against the schemas of Kubernetes.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from exosync.config import load
from exosync.config.models import Config
from exosync.core.listen import split_listen

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
SETS = ("service", "one-shot")
MADE_BY_HAND = "exosync-secrets"
"""The Secret: the guide tells how it is made, and none of it is in the tree."""

Json = dict[str, Any]


def kustomization(folder: Path) -> Json:
    """A folder's kustomization."""
    found: Json = yaml.safe_load((folder / "kustomization.yaml").read_text())
    return found


def resources(folder: Path) -> Iterator[Json]:
    """What `kubectl kustomize` builds from a folder, as far as these files go."""
    told = kustomization(folder)
    for name in told["resources"]:
        path = folder / name
        if path.is_dir():
            yield from resources(path.resolve())
        else:
            yield yaml.safe_load(path.read_text())
    for made in told.get("configMapGenerator", []):
        data = {name: (folder / name).read_text() for name in made["files"]}
        yield {"kind": "ConfigMap", "metadata": {"name": made["name"]}, "data": data}


def of_kind(name: str, kind: str) -> list[Json]:
    """The resources of one kind in a set."""
    return [one for one in resources(FOLDER / name) if one["kind"] == kind]


def pod_of(name: str) -> Json:
    """The one template of a pod in a set."""
    if name == "service":
        [deployment] = of_kind(name, "Deployment")
        found: Json = deployment["spec"]["template"]
    else:
        [job] = of_kind(name, "CronJob")
        found = job["spec"]["jobTemplate"]["spec"]["template"]
    return found


def container_of(name: str) -> Json:
    """The one container of a set's pod."""
    [container] = pod_of(name)["spec"]["containers"]
    found: Json = container
    return found


def configuration() -> Config:
    """The configuration that the ConfigMap is made from."""
    return load(FOLDER / "base" / "exosync.yaml", environ={}).config


def selects(selector: Json, name: str) -> bool:
    """Whether labels are among those of a set's pods."""
    return bool(selector) and selector.items() <= pod_of(name)["metadata"]["labels"].items()


def test_every_file_is_part_of_a_set() -> None:
    """No manifest lies about that no kustomization names."""
    named = {
        (folder / one).resolve()
        for folder in FOLDER.iterdir()
        for told in [kustomization(folder)]
        for one in [
            "kustomization.yaml",
            *told["resources"],
            *(file for made in told.get("configMapGenerator", []) for file in made["files"]),
        ]
    }
    assert {one.resolve() for one in FOLDER.glob("*/*")} <= named


@pytest.mark.parametrize("name", SETS)
def test_kustomize_builds_what_these_tests_look_at(name: str) -> None:
    """The real kustomize, where there is one, gives the same resources, each in the namespace."""
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("kubectl is not on this machine (Debian 12 has 1.20; 1.21 or newer is needed)")
    told = subprocess.run(
        [program, "kustomize", FOLDER / name], capture_output=True, text=True, check=False
    )
    if "must be a file" in told.stderr:
        pytest.skip("this kubectl is older than 1.21 and takes no folder as a resource")
    assert 0 == told.returncode, told.stderr
    built = list(yaml.safe_load_all(told.stdout))
    assert sorted((one["kind"], one["metadata"]["name"]) for one in resources(FOLDER / name)) == (
        sorted(
            (one["kind"], re.sub(r"-[a-z0-9]{10}$", "", one["metadata"]["name"])) for one in built
        )
    )
    assert {"exosync"} == {
        one["metadata"].get("namespace", one["metadata"]["name"]) for one in built
    }
    assert f"image: {kustomization(FOLDER / name)['images'][0]['newName']}:" in told.stdout


@pytest.mark.parametrize("name", SETS)
def test_all_is_in_one_namespace(name: str) -> None:
    """The namespace that the kustomizations put everything into is the one that is made."""
    [namespace] = of_kind(name, "Namespace")
    assert namespace["metadata"]["name"] == kustomization(FOLDER / name)["namespace"]
    assert namespace["metadata"]["name"] == kustomization(FOLDER / "base")["namespace"]


@pytest.mark.parametrize("name", SETS)
def test_everything_that_a_pod_names_is_there(name: str) -> None:
    """Account, claim and configuration are made; only the secrets are left to a person."""
    pod = pod_of(name)["spec"]
    wanted = {("ServiceAccount", pod["serviceAccountName"])}
    for volume in pod["volumes"]:
        if "persistentVolumeClaim" in volume:
            wanted.add(("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]))
        elif "configMap" in volume:
            wanted.add(("ConfigMap", volume["configMap"]["name"]))
        else:
            assert MADE_BY_HAND == volume["secret"]["secretName"]
    there = {(one["kind"], one["metadata"]["name"]) for one in resources(FOLDER / name)}
    assert wanted <= there


@pytest.mark.parametrize("name", SETS)
def test_every_volume_is_mounted_once(name: str) -> None:
    """The names of volumes and of mounts are the same."""
    volumes = sorted(one["name"] for one in pod_of(name)["spec"]["volumes"])
    assert volumes == sorted(one["name"] for one in container_of(name)["volumeMounts"])


@pytest.mark.parametrize("name", SETS)
def test_the_configuration_looks_where_the_volumes_are(name: str) -> None:
    """The state lies on the claim, and the secrets and the configuration where they are mounted."""
    mounts = {
        one["name"]: PurePosixPath(one["mountPath"]) for one in container_of(name)["volumeMounts"]
    }
    config = configuration()
    assert config.state.startswith(f"sqlite:///{mounts['state']}/")
    assert config.web.token is not None
    assert config.web.token.file is not None
    assert PurePosixPath(config.web.token.file).parent == mounts["secrets"]
    assert PurePosixPath("/etc/exosync") == mounts["config"]
    [made] = kustomization(FOLDER / "base")["configMapGenerator"]
    assert ["exosync.yaml"] == made["files"]


def test_the_page_is_where_the_service_and_the_probes_look() -> None:
    """Port and labels lead from the Service to the pod, and the configuration listens there."""
    container = container_of("service")
    [port] = container["ports"]
    [service] = of_kind("service", "Service")
    [served] = service["spec"]["ports"]
    assert configuration().web.listen is not None
    address, number = split_listen(configuration().web.listen or "")
    assert address.is_unspecified
    assert number == port["containerPort"]
    assert served["targetPort"] == port["name"]
    assert selects(service["spec"]["selector"], "service")
    assert not selects(service["spec"]["selector"], "one-shot")
    assert {service["metadata"]["name"]} <= set(configuration().web.hosts)
    probes = {
        name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")
    }
    assert {"/livez", "/readyz"} == {one["path"] for one in probes.values()}
    assert "/readyz" == probes["readiness"]["path"]
    assert {port["name"]} == {one["port"] for one in probes.values()}


@pytest.mark.parametrize("name", SETS)
def test_the_network_is_closed_but_for_what_is_needed(name: str) -> None:
    """Both ways are closed to the pods of the set, with named ports as the only exceptions."""
    [policy] = [one["spec"] for one in of_kind(name, "NetworkPolicy")]
    assert {"Ingress", "Egress"} == set(policy["policyTypes"])
    assert selects(policy["podSelector"]["matchLabels"], name)
    out = {(one["port"], one["protocol"]) for rule in policy["egress"] for one in rule["ports"]}
    mail = {(port, "TCP") for port in (25, 465, 587)}
    assert {(53, "UDP"), (53, "TCP"), (443, "TCP"), *mail} == out
    [rule] = policy["ingress"]
    assert [{"port": container_of("service")["ports"][0]["containerPort"], "protocol": "TCP"}] == (
        rule["ports"]
    )
    assert all(one["namespaceSelector"]["matchLabels"] for one in rule["from"])


def test_there_is_never_a_second_one() -> None:
    """The state is a file: the old pod ends before the new one starts, and runs wait for another."""
    [deployment] = of_kind("service", "Deployment")
    assert 1 == deployment["spec"]["replicas"]
    assert "Recreate" == deployment["spec"]["strategy"]["type"]
    assert selects(deployment["spec"]["selector"]["matchLabels"], "service")
    [job] = of_kind("one-shot", "CronJob")
    assert "Forbid" == job["spec"]["concurrencyPolicy"]


@pytest.mark.parametrize("name", SETS)
def test_a_pod_keeps_to_the_restricted_standard(name: str) -> None:
    """Pod Security Standards, "Restricted", and a read-only root without the cluster's token."""
    pod, container = pod_of(name)["spec"], container_of(name)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert 65532 == pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"]
    assert {"type": "RuntimeDefault"} == pod["securityContext"]["seccompProfile"]
    assert {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    } == container["securityContext"]
    assert pod["automountServiceAccountToken"] is False
    assert "memory" in container["resources"]["limits"]
    assert all(one["readOnly"] for one in container["volumeMounts"] if one["name"] != "state")


@pytest.mark.parametrize("name", SETS)
def test_there_is_time_to_finish_the_step_in_hand(name: str) -> None:
    """The cluster waits longer for the end than exosync needs for it."""
    grace = pod_of(name)["spec"]["terminationGracePeriodSeconds"]
    assert configuration().schedule.stop_within.total_seconds() < grace


@pytest.mark.parametrize("name", SETS)
def test_the_image_is_named_in_one_place(name: str) -> None:
    """The name in the pod is the one that the kustomization puts the registry's in place of."""
    [image] = kustomization(FOLDER / name)["images"]
    assert image["name"] == container_of(name)["image"]
