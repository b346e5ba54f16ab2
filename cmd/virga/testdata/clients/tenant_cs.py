#!/usr/bin/env python3
"""The client "cs" as a tenant among others, whose ids it knows.

    tenant_cs.py TENANT_FILE
"""
import json
import sys

from cs import CloudStack, CloudStackApiException


def check(true, what):
    if not true:
        raise AssertionError(what)


def refused(call, **params):
    try:
        got = call(**params)
    except CloudStackApiException as e:
        check(e.response.status_code in (431, 531) and e.error["errortext"], (e, e.error))
        return
    raise AssertionError(f"{params} gives {got}, want the error 431 or 531")


def sees(cloud, given):
    own = given["own"]
    for command, ids in (("listVirtualMachines", [own["machine"]]), ("listVolumes", [own["volume"], own["disk"]]), ("listNetworks", [own["network"]])):
        for params in ({}, {"listall": True}):
            found = getattr(cloud, command)(fetch_list=True, **params)
            check(sorted(one["id"] for one in found) == sorted(ids), (command, found))
            check(all(one["account"] == given["account"] for one in found), found)
    check([pair["name"] for pair in cloud.listSSHKeyPairs(fetch_list=True, listall=True)] == [own["keypair"]], "key pairs")
    events = cloud.listEvents(fetch_list=True, listall=True)
    check(events and all(event["account"] == given["account"] for event in events), events)


def meets(cloud, own, other):
    check(cloud.listVirtualMachines(id=other["machine"], fetch_list=True, listall=True) == [], "another's machine")
    check(cloud.listVolumes(virtualmachineid=other["machine"], fetch_list=True, listall=True) == [], "another's volumes")
    check(cloud.listNetworks(id=other["network"], fetch_list=True, listall=True) == [], "another's network")
    vm = cloud.listVirtualMachines(id=own["machine"])["virtualmachine"][0]
    refused(cloud.stopVirtualMachine, id=other["machine"], fetch_result=True)
    refused(cloud.updateVirtualMachine, id=other["machine"], displayname="mine")
    refused(cloud.destroyVirtualMachine, id=other["machine"], expunge=True, fetch_result=True)
    refused(cloud.attachVolume, id=own["disk"], virtualmachineid=other["machine"], fetch_result=True)
    refused(cloud.attachVolume, id=other["disk"], virtualmachineid=own["machine"], fetch_result=True)
    refused(cloud.detachVolume, id=other["volume"], fetch_result=True)
    refused(cloud.deleteVolume, id=other["disk"])
    refused(cloud.deleteNetwork, id=other["network"], fetch_result=True)
    refused(cloud.deleteSSHKeyPair, name=other["keypair"])
    refused(cloud.createTags, resourceids=[other["machine"]], resourcetype="UserVm", tags={"a": "b"}, fetch_result=True)
    refused(cloud.deployVirtualMachine, zoneid=vm["zoneid"], serviceofferingid=vm["serviceofferingid"], templateid=vm["templateid"],
            networkids=[other["network"]], fetch_result=True)
    refused(cloud.deployVirtualMachine, zoneid=vm["zoneid"], serviceofferingid=vm["serviceofferingid"], templateid=vm["templateid"],
            networkids=[own["network"]], keypair=other["keypair"], fetch_result=True)


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        given = json.load(f)
    cloud = CloudStack(endpoint=given["endpoint"], key=given["apikey"], secret=given["secretkey"], poll_interval=0.05, job_timeout=30)
    own = given["own"]
    for _ in range(3):
        sees(cloud, given)
        for other in given["others"]:
            meets(cloud, own, other)
        volume = cloud.attachVolume(id=own["disk"], virtualmachineid=own["machine"], fetch_result=True)["volume"]
        check(volume["virtualmachineid"] == own["machine"], volume)
        cloud.detachVolume(id=own["disk"], fetch_result=True)
    print("ok")


if __name__ == "__main__":
    main()
