#!/usr/bin/env python3
"""Apache Libcloud as a tenant among others, whose ids it knows.

    tenant_libcloud.py TENANT_FILE
"""
import json
import sys

from libcloud.common.types import ProviderError
from libcloud.compute.base import Node, StorageVolume
from libcloud.compute.providers import get_driver
from libcloud.compute.types import KeyPairDoesNotExistError, NodeState, Provider


def check(true, what):
    if not true:
        raise AssertionError(what)


def refused(call, *args, **params):
    try:
        got = call(*args, **params)
    except ProviderError as e:
        check(e.http_code in (431, 531) and e.value, e)
        return
    raise AssertionError(f"{call} {args} gives {got}, want the error 431 or 531")


def node(driver, id):
    return Node(id, "a machine", NodeState.RUNNING, [], [], driver)


def volume(driver, id):
    return StorageVolume(id, "a volume", 5, driver)


def sees(driver, own):
    check(sorted(v.id for v in driver.list_volumes()) == sorted([own["volume"], own["disk"]]), driver.list_volumes())
    check([n.id for n in driver.ex_list_networks()] == [own["network"]], driver.ex_list_networks())
    check([pair.name for pair in driver.list_key_pairs()] == [own["keypair"]], driver.list_key_pairs())
    machines = driver._sync_request(command="listVirtualMachines", params={"listall": "true"}, method="GET")["virtualmachine"]
    check([vm["id"] for vm in machines] == [own["machine"]], machines)


def meets(driver, own, other):
    theirs, mine = node(driver, other["machine"]), node(driver, own["machine"])
    check(driver.list_volumes(theirs) == [], "another's volumes")
    refused(driver.ex_stop, theirs)
    refused(driver.ex_start, theirs)
    refused(driver.reboot_node, theirs)
    refused(driver.destroy_node, theirs, ex_expunge=True)
    refused(driver.attach_volume, theirs, volume(driver, own["disk"]))
    refused(driver.attach_volume, mine, volume(driver, other["disk"]))
    refused(driver.detach_volume, volume(driver, other["volume"]))
    refused(driver.destroy_volume, volume(driver, other["disk"]))
    refused(driver.ex_delete_network, next(n for n in networks_of(driver, other["network"])))
    refused(driver.ex_create_tags, [other["machine"]], "UserVm", {"a": "b"})
    try:
        got = driver.get_key_pair(other["keypair"])
    except KeyPairDoesNotExistError:
        return
    raise AssertionError(f"another's key pair: {got}")


def networks_of(driver, id):
    """The own network, under the ID of another one: the driver wants an object."""
    for network in driver.ex_list_networks():
        network.id = id
        yield network


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        given = json.load(f)
    driver = get_driver(Provider.CLOUDSTACK)(given["apikey"], given["secretkey"], url=given["endpoint"], secure=False)
    driver.connection.poll_interval = 0.05
    own = given["own"]
    for _ in range(3):
        sees(driver, own)
        for other in given["others"]:
            meets(driver, own, other)
        check(driver.attach_volume(node(driver, own["machine"]), volume(driver, own["disk"])), "attach_volume")
        check(driver.detach_volume(volume(driver, own["disk"])), "detach_volume")
    print("ok")


if __name__ == "__main__":
    main()
