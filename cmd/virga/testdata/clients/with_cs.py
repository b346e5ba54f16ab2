#!/usr/bin/env python3
"""The client "cs" for CloudStack, by GET and by POST, and as a program.

    with_cs.py CREDENTIALS_FILE
"""
import json
import os
import subprocess
import sys

from cs import CloudStack, CloudStackApiException


def check(true, what):
    if not true:
        raise AssertionError(what)


def refused(status, call, **params):
    """The error that a command is refused with: its code is the status, and its words say something."""
    try:
        got = call(**params)
    except CloudStackApiException as e:
        check(e.response.status_code == status and e.error["errorcode"] == status and e.error["errortext"], (e, e.error))
        return e.error
    raise AssertionError(f"{params} gives {got}, want the error {status}")


def life(cloud, name):
    zone = cloud.listZones(name="Sandbox-simulator")["zone"][0]
    offering = cloud.listServiceOfferings(name="Small Instance")["serviceoffering"][0]
    template = cloud.listTemplates(templatefilter="featured", zoneid=zone["id"])["template"][0]
    kind = cloud.listNetworkOfferings(name="DefaultIsolatedNetworkOfferingWithSourceNatService")["networkoffering"][0]
    title = f"{name}: a+b *c ~d [e] ü/– & g=h"
    network = cloud.createNetwork(name=name, displaytext=title, networkofferingid=kind["id"], zoneid=zone["id"])["network"]
    check(network["displaytext"] == title, network)

    # The answer is the job, which is asked for; or the outcome, for which cs asks itself.
    started = cloud.deployVirtualMachine(
        zoneid=zone["id"], serviceofferingid=offering["id"], templateid=template["id"], networkids=[network["id"]],
        name=name, displayname=title, details={"purpose": "a test"}, startvm=False)
    check(sorted(started) == ["id", "jobid"], started)
    while True:
        job = cloud.queryAsyncJobResult(jobid=started["jobid"])
        if job["jobstatus"] != 0:
            break
    vm = job["jobresult"]["virtualmachine"]
    check(job["jobstatus"] == 1 and job["jobinstanceid"] == started["id"] == vm["id"], job)
    check(vm["state"] == "Stopped" and vm["displayname"] == title and vm["details"]["purpose"] == "a test", vm)
    for command, state in ((cloud.startVirtualMachine, "Running"), (cloud.rebootVirtualMachine, "Running"), (cloud.stopVirtualMachine, "Stopped")):
        vm = command(id=vm["id"], fetch_result=True)["virtualmachine"]
        check(vm["state"] == state, vm)
    check(cloud.listVirtualMachines(id=vm["id"], listall=True)["virtualmachine"][0]["state"] == "Stopped", "not listed as stopped")
    cloud.destroyVirtualMachine(id=vm["id"], expunge=True, fetch_result=True)
    check(cloud.listVirtualMachines(id=vm["id"]) == {}, "an expunged machine is listed")
    check(refused(431, cloud.startVirtualMachine, id=vm["id"])["cserrorcode"] == 4350, "the code of a wrong value")
    fails(cloud, name, zone, template, network)
    check(cloud.deleteNetwork(id=network["id"], fetch_result=True)["success"] is True, "the network stays")


def fails(cloud, name, zone, template, network):
    """A job that fails: no host is as large as this."""
    offering = cloud.createServiceOffering(
        name=name, displaytext="larger than any host", cpunumber=1, cpuspeed=100, memory=1 << 25)["serviceoffering"]
    try:
        got = cloud.deployVirtualMachine(
            zoneid=zone["id"], serviceofferingid=offering["id"], templateid=template["id"], networkids=[network["id"]], name=name, fetch_result=True)
    except CloudStackApiException as e:
        check(e.response.status_code == 200 and e.error["errorcode"] == 533 and e.error["errortext"], (e, e.error))
    else:
        raise AssertionError(f"a machine larger than any host: {got}")
    check(cloud.listVirtualMachines(networkid=network["id"], fetch_list=True) == [], "something of a failed deployment stays")
    check(cloud.deleteServiceOffering(id=offering["id"])["success"] is True, "the offering stays")


def paging(cloud, name):
    names = [f"{name}-{n}" for n in range(5)]
    for key in names:
        cloud.createSSHKeyPair(name=key)
    pages = cloud.listSSHKeyPairs(keyword=name, pagesize=2, fetch_list=True)
    check(sorted(pair["name"] for pair in pages) == names, pages)
    check(sorted(pair["name"] for pair in cloud.listSSHKeyPairs(keyword=name, fetch_list=True)) == names, "in one page")
    last = cloud.listSSHKeyPairs(keyword=name, page=3, pagesize=2)
    check(last["count"] == 5 and len(last["sshkeypair"]) == 1, last)
    for key in names:
        check(cloud.deleteSSHKeyPair(name=key)["success"] is True, key)
    check(cloud.listSSHKeyPairs(keyword=name, fetch_list=True) == [], "a list of nothing")


def errors(cloud, connect):
    text = refused(431, cloud.deployVirtualMachine)["errortext"]
    check("serviceofferingid" in text, f"what is missing is not named: {text}")
    refused(431, cloud.stopVirtualMachine, id="not-an-id")
    refused(432, cloud.listNonsense)
    refused(401, connect(secret="wrong").listZones)
    refused(401, connect(key="nobody").listZones)
    check(connect(expiration=-1).listZones()["count"] == 1, "a signature that doesn't expire")


def program(given):
    """The program of the same name, configured by its environment."""
    env = {**os.environ, "CLOUDSTACK_ENDPOINT": given["endpoint"], "CLOUDSTACK_KEY": given["apikey"], "CLOUDSTACK_SECRET": given["secretkey"]}
    for how in ([], ["--post"]):
        out = subprocess.run([sys.executable, "-m", "cs", *how, "listZones", "name=Sandbox-simulator"], env=env, stdout=subprocess.PIPE, check=True).stdout
        check(json.loads(out)["zone"][0]["name"] == "Sandbox-simulator", out)


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        given = json.load(f)
    for method in ("get", "post"):
        def connect(**other):
            options = {"key": given["apikey"], "secret": given["secretkey"], **other}
            return CloudStack(endpoint=given["endpoint"], method=method, poll_interval=0.05, job_timeout=30, **options)

        cloud = connect()
        life(cloud, "cs-" + method)
        paging(cloud, "cs-keys-" + method)
        errors(cloud, connect)
    program(given)
    print("ok")


if __name__ == "__main__":
    main()
