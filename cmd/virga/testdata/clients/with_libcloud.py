#!/usr/bin/env python3
"""Apache Libcloud's driver for CloudStack, as programs use it.

    with_libcloud.py CREDENTIALS_FILE
"""
import base64
import json
import os
import sys

from libcloud.common.types import ProviderError
from libcloud.compute.providers import get_driver
from libcloud.compute.types import InvalidCredsError, KeyPairDoesNotExistError, NodeState, Provider, StorageVolumeState


def check(true, what):
    if not true:
        raise AssertionError(what)


def refused(error, call, *args, **params):
    try:
        got = call(*args, **params)
    except error as e:
        return e
    raise AssertionError(f"{call} gives {got}, want {error}")


def one(things, name):
    found = [thing for thing in things if thing.name == name]
    check(len(found) == 1, f"{len(found)} of {things} are called {name}")
    return found[0]


def public_key():
    """An Ed25519 key that nobody has the private half of."""
    parts = [b"ssh-ed25519", os.urandom(32)]
    return "ssh-ed25519 " + base64.b64encode(b"".join(len(p).to_bytes(4, "big") + p for p in parts)).decode() + " somebody@here"


def keys(driver):
    made = driver.create_key_pair("libcloud-made")
    check(made.private_key.startswith("-----BEGIN ") and made.fingerprint, made)
    material = public_key()
    imported = driver.import_key_pair_from_string("libcloud-imported", material)
    check(imported.fingerprint and not imported.private_key, imported)
    names = {pair.name: pair.fingerprint for pair in driver.list_key_pairs()}
    check(names["libcloud-made"] == made.fingerprint and names["libcloud-imported"] == imported.fingerprint, names)
    check(driver.get_key_pair("libcloud-imported").fingerprint == imported.fingerprint, "another key by the same name")
    e = refused(ProviderError, driver.import_key_pair_from_string, "libcloud-imported", material)
    check(e.http_code == 431 and "libcloud-imported" in e.value, e)
    return made, imported


def volumes(driver, zone, node):
    check({d.name: d.size for d in driver.ex_list_disk_offerings()}["Small"] == 5, "the disk offering Small hasn't 5 GB")
    volume = driver.create_volume(5, "libcloud-data", location=zone)
    check(volume.state == StorageVolumeState.AVAILABLE, volume)
    check(driver.attach_volume(node, volume), "attach_volume")
    attached = {v.name: v for v in driver.list_volumes(node)}
    check(len(attached) == 2 and attached["libcloud-data"].id == volume.id, attached)
    check(attached["libcloud-data"].size == 5 << 30 and attached["libcloud-data"].state == StorageVolumeState.INUSE, attached)
    check(attached["libcloud-data"].extra["instance_id"] == node.id, attached["libcloud-data"].extra)
    e = refused(ProviderError, driver.destroy_volume, volume)
    check(e.http_code == 431 and e.value, e)
    snapshot = driver.create_volume_snapshot(volume)
    check([(s.id, s.extra["volume_id"]) for s in driver.list_snapshots()] == [(snapshot.id, volume.id)], "list_snapshots")
    check(driver.destroy_volume_snapshot(snapshot), "destroy_volume_snapshot")
    check(driver.detach_volume(volume), "detach_volume")
    check(one(driver.list_volumes(), "libcloud-data").state == StorageVolumeState.AVAILABLE, "a detached volume is in use")
    custom = driver.create_volume(7, "libcloud-custom", location=zone, ex_volume_type="Custom")
    check(driver.ex_get_volume(custom.id).size == 7 << 30, "a volume of a size of its own")
    for gone in (volume, custom):
        check(driver.destroy_volume(gone), "destroy_volume")
    left = [v.name for v in driver.list_volumes()]
    check("libcloud-data" not in left and "libcloud-custom" not in left, left)


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        given = json.load(f)
    connect = get_driver(Provider.CLOUDSTACK)
    driver = connect(given["apikey"], given["secretkey"], url=given["endpoint"], secure=False)
    driver.connection.poll_interval = 0.05

    zone = one(driver.list_locations(), "Sandbox-simulator")
    image = one(driver.list_images(), "CentOS 5.6 (64-bit) no GUI (Simulator)")
    check(image.extra["hypervisor"] == "Simulator" and image.extra["os"] == "CentOS 5.6 (64-bit)", image.extra)
    check([i.id for i in driver.list_images(location=zone)] == [i.id for i in driver.list_images()], "images of the only zone")
    size = one(driver.list_sizes(), "Small Instance")
    check(size.ram == 512 and size.extra["cpu"] == 1, size)
    check(driver.ex_list_os_types(), "no OS types")
    # It wants to know of each offering what the network's routers are made from, and layer 2 networks have no routers.
    check("serviceofferingid" in str(refused(KeyError, driver.ex_list_network_offerings)), "an offering without routers")
    offerings = driver._sync_request(command="listNetworkOfferings", method="GET")["networkoffering"]
    check(all("serviceofferingid" in o for o in offerings if o["guestiptype"] == "Isolated"), "an offering with routers says nothing of them")

    made, imported = keys(driver)
    node = driver.create_node(
        "libcloud-1", size, image, location=zone, ex_start_vm=True, ex_keyname="libcloud-made", ex_displayname="a~b *c [d] ü", ex_userdata="#cloud-config\n")
    check(node.state == NodeState.RUNNING and node.name == "libcloud-1" and len(node.private_ips) == 1, node)
    check(node.extra["key_name"] == "libcloud-made" and node.extra["size_id"] == size.id and node.extra["image_id"] == image.id, node.extra)
    network = one(driver.ex_list_networks(), node.extra["nics:"][0]["networkname"])
    beside = driver.create_node("libcloud-2", size, image, location=zone, networks=[network])
    check(beside.state == NodeState.STOPPED, f"not told to start, a node is {beside.state}")  # ex_start_vm is False unless one says
    check(driver.ex_start(beside) == "Running" and driver.ex_stop(beside) == "Stopped", "ex_start, ex_stop")
    check(node.reboot() and beside.ex_start() == "Running", "reboot, ex_start")
    check([a.address for a in driver.ex_list_public_ips()], "the network has no public address")
    volumes(driver, zone, node)

    limits = driver.ex_limits()
    check(len(limits) == 12 and limits["max_instances"] == -1, limits)
    check(driver.ex_create_tags([node.id], "UserVm", {"owner": "ann"}), "ex_create_tags")
    tagged = driver._sync_request(command="listTags", params={"resourceid": node.id}, method="GET")["tag"]
    check([(t["key"], t["value"], t["resourcetype"]) for t in tagged] == [("owner", "ann", "UserVm")], tagged)
    check(driver.ex_delete_tags([node.id], "UserVm", ["owner"]), "ex_delete_tags")

    check({n.id for n in driver.list_nodes()} >= {node.id, beside.id}, "list_nodes")
    check(driver.ex_get_node(node.id).name == "libcloud-1", "ex_get_node")
    more = driver.ex_allocate_public_ip(location=zone)
    forwarded = driver.ex_create_port_forwarding_rule(node, more, 22, 2222, "TCP")
    check(str(forwarded.public_port) == "2222" and str(forwarded.private_port) == "22" and forwarded.node.id == node.id, vars(forwarded))
    check([r.id for r in driver.ex_list_port_forwarding_rules()] == [forwarded.id], "ex_list_port_forwarding_rules")
    check(driver.ex_delete_port_forwarding_rule(node, forwarded), "ex_delete_port_forwarding_rule")
    check(driver.ex_release_public_ip(more), "ex_release_public_ip")

    card, = driver.ex_list_nics(node)
    check(card.ip_address == node.private_ips[0] and card.network_id == network.id, vars(card))

    for end in (node, beside):
        check(driver.destroy_node(end, ex_expunge=True), "destroy_node")
    e = refused(ProviderError, driver.reboot_node, node)
    check(e.http_code == 431 and node.id in e.value, e)
    for pair in (made, imported):
        driver.delete_key_pair(pair)  # says False: it wants the text "true", which CloudStack itself has long ceased to answer
        refused(KeyPairDoesNotExistError, driver.get_key_pair, pair.name)
    stranger = connect(given["apikey"], "wrong", url=given["endpoint"], secure=False)
    refused(InvalidCredsError, stranger.list_locations)
    print("ok")


if __name__ == "__main__":
    main()
