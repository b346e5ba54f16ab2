#!/usr/bin/env python3
"""The two classic recipes for a CloudStack client, with Python's standard library and nothing else.

    recipe.py CREDENTIALS_FILE

The first recipe logs in and sends a session key along; the second signs each request with keys. Scripts all over the
world write the second one down a little differently, so this file signs in each of their styles.
"""
import base64
import hashlib
import hmac
import http.cookiejar
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timedelta, timezone

quote, quote_plus = urllib.parse.quote, urllib.parse.quote_plus


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"status {status}: {body}")
        self.status, self.body = status, body


def check(true, what):
    if not true:
        raise AssertionError(what)


def fetch(opener, url, data=None):
    """Opens the one envelope of an answer and gives its name and what is inside."""
    try:
        with opener.open(url, data, timeout=20) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        raise Refused(e.code, e.read().decode()) from None
    envelope = json.loads(text)
    check(status == 200 and len(envelope) == 1, f"not one envelope: {text}")
    return next(iter(envelope.items()))


class Session:
    """The recipe of the user name: cookies, and the session key in each request."""

    def __init__(self, endpoint, username, password):
        self.endpoint = endpoint
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        form = {"command": "login", "username": username, "password": password, "domain": "/", "response": "json"}
        name, answer = fetch(self.opener, endpoint, urllib.parse.urlencode(form).encode())
        check(name == "loginresponse", name)
        self.key = answer["sessionkey"]

    def call(self, command, **params):
        params.update(command=command, response="json", sessionkey=self.key)
        query = "&".join(name + "=" + quote(str(value), safe="") for name, value in params.items())
        return fetch(self.opener, self.endpoint + "?" + query)


class Style:
    """How a script writes down what it signs, and under which name it sends the API key."""

    def __init__(self, name, encode, sort_key=lambda pair: pair[0], keyname="apiKey", lower_first=False):
        self.name, self.encode, self.sort_key, self.keyname, self.lower_first = name, encode, sort_key, keyname, lower_first

    def text(self, params):
        pairs = sorted(params.items(), key=self.sort_key)
        if self.lower_first:  # lower case before the encoding leaves %2F as it is
            return "&".join(name.lower() + "=" + self.encode(value.lower()) for name, value in pairs)
        return "&".join(name + "=" + self.encode(value) for name, value in pairs).lower()


def lower_name(pair):
    return pair[0].lower()


STYLES = [
    Style("quote, sorted pairs", quote),
    Style("quote, nothing safe, sorted by lower-case name", lambda v: quote(v, safe=""), lower_name, "apikey"),
    Style("quote, the star safe", lambda v: quote(v, safe="*"), lower_name, "apiKey"),
    Style("quote_plus, then %20", lambda v: quote_plus(v).replace("+", "%20"), lower_name, "apikey"),
    Style("quote_plus, then %20, sorted by name", lambda v: quote_plus(v).replace("+", "%20")),
    Style("brackets and the star raw", lambda v: quote(v, safe="[]*"), lower_name, "apiKey"),
]
# This one can't sign what needs an escape with letters; for plain values it is good.
PLAIN = Style("lower case first", lambda v: quote_plus(v.replace("+", "%20")), keyname="apikey", lower_first=True)


class Keys:
    """The recipe of the keys."""

    def __init__(self, endpoint, apikey, secret, style=STYLES[0], digest=hashlib.sha1, post=False):
        self.endpoint, self.apikey, self.secret = endpoint, apikey, secret
        self.style, self.digest, self.post = style, digest, post
        self.opener = urllib.request.build_opener()

    def call(self, command, **params):
        params = {name: str(value) for name, value in params.items()}
        params.update({"command": command, "response": "json", self.style.keyname: self.apikey})
        mac = hmac.new(self.secret.encode(), self.style.text(params).encode(), self.digest)
        params["signature"] = base64.b64encode(mac.digest()).decode()
        if self.post:
            return fetch(self.opener, self.endpoint, urllib.parse.urlencode(params).encode())
        query = "&".join(name + "=" + quote(value, safe="") for name, value in params.items())
        return fetch(self.opener, self.endpoint + "?" + query)


def listed(client, command, noun, **params):
    name, answer = client.call(command, **params)
    check(name == command.lower() + "response", f"{command} answers {name}")
    return answer.get(noun, [])


def finish(client, command, **params):
    """Starts a job, polls until it is over and gives its result."""
    name, started = client.call(command, **params)
    check(name == command.lower() + "response" and started["jobid"], f"{command} answers {name}: {started}")
    deadline = time.monotonic() + 30
    while True:
        name, job = client.call("queryAsyncJobResult", jobid=started["jobid"])
        check(name == "queryasyncjobresultresponse", name)
        if job["jobstatus"] == 1:
            check(job["jobresulttype"] == "object", job)
            return job["jobresult"]
        check(job["jobstatus"] == 0, f"{command} failed: {job}")
        check(time.monotonic() < deadline, f"{command} is not done: {job}")
        time.sleep(0.05)


def refused(status, call, *args, **params):
    try:
        name, answer = call(*args, **params)
    except Refused as e:
        check(e.status == status, f"{args} {params}: {e}, want status {status}")
        inner = next(iter(json.loads(e.body).values()))
        check(inner["errorcode"] == status and inner["errortext"], e.body)
    else:
        raise AssertionError(f"{args} {params}: {name} {answer}, want status {status}")


def life(client, tag):
    """A machine from its deployment to its end."""
    zone = listed(client, "listZones", "zone", available="true")[0]
    offering = listed(client, "listServiceOfferings", "serviceoffering", name="Small Instance")[0]
    template = listed(client, "listTemplates", "template", templatefilter="featured", zoneid=zone["id"])[0]
    kind = next(o for o in listed(client, "listNetworkOfferings", "networkoffering") if o["guestiptype"] == "Isolated")
    title = f"{tag}: *a* ~b [c] ü – d/e+f & g=h"
    name, made = client.call(
        "createNetwork", name=title, displaytext=title, networkofferingid=kind["id"], zoneid=zone["id"],
        gateway="10.9.0.1", netmask="255.255.255.0")
    check(name == "createnetworkresponse" and made["network"]["name"] == title, made)
    vm = finish(
        client, "deployVirtualMachine", serviceofferingid=offering["id"], templateid=template["id"], zoneid=zone["id"],
        networkids=made["network"]["id"], name=tag, displayname=title)["virtualmachine"]
    check(vm["state"] == "Running" and vm["name"] == tag and vm["displayname"] == title, vm)
    check(vm["nic"][0]["ipaddress"].startswith("10.9.0."), vm)
    check(vm["cpunumber"] == offering["cpunumber"] and vm["memory"] == offering["memory"], (vm, offering))

    found = listed(client, "listVirtualMachines", "virtualmachine", keyword=tag)
    check([v["id"] for v in found] == [vm["id"]], found)
    check(listed(client, "listVirtualMachines", "virtualmachine", keyword=tag + "[*~ ü]") == [], "found by a wrong keyword")
    refused(431, client.call, "startVirtualMachine", id="not-an-id")
    check(finish(client, "stopVirtualMachine", id=vm["id"])["virtualmachine"]["state"] == "Stopped", "not stopped")
    check(listed(client, "listVirtualMachines", "virtualmachine", id=vm["id"])[0]["state"] == "Stopped", "not listed as stopped")
    gone = finish(client, "destroyVirtualMachine", id=vm["id"], expunge="true")
    check("virtualmachine" in gone, gone)
    check(listed(client, "listVirtualMachines", "virtualmachine", id=vm["id"]) == [], "still listed")
    check(finish(client, "deleteNetwork", id=made["network"]["id"])["success"] is True, "the network stays")


def styles(make):
    """Each style of signature, by GET and in a form, with values that they all encode differently."""
    odd = ["two words", "a*b", "a~b", "a[0]", "ünï – ✓", "a/b:c", "a+b", "100%", "x&y=z", "(e)", "it's!", "Z[*~ ü/+]", ""]
    for style in STYLES:
        for post in (False, True):
            for value in odd:
                try:
                    listed(make(style=style, post=post), "listVirtualMachines", "virtualmachine", keyword=value)
                except Refused as e:
                    raise AssertionError(f"{style.name}, post {post}, keyword {value!r}: {e}") from None
    listed(make(style=PLAIN), "listUsers", "user", username="admin")
    for digest, method in ((hashlib.sha256, "HmacSHA256"), (hashlib.sha512, "HmacSHA512"), (hashlib.sha1, "HmacSHA1")):
        listed(make(digest=digest), "listUsers", "user", signaturemethod=method, keyword="a b*~")
        listed(make(digest=digest, post=True), "listUsers", "user", signatureMethod=method)
    refused(401, make(digest=hashlib.sha256).call, "listUsers", signaturemethod="HmacSHA1")
    refused(401, make(digest=hashlib.sha256).call, "listUsers")


def expiry(make):
    now = datetime.now(timezone.utc)
    for spelling in ("%Y-%m-%dT%H:%M:%S+0000", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S+00:00", "%Y-%m-%dT%H:%M:%S.%fZ"):
        for post in (False, True):
            client = make(post=post)
            soon, past = (now + timedelta(minutes=10)).strftime(spelling), (now - timedelta(minutes=10)).strftime(spelling)
            listed(client, "listZones", "zone", signatureVersion=3, expires=soon)
            listed(client, "listZones", "zone", signatureversion=3, expires=soon)
            refused(401, client.call, "listZones", signatureVersion=3, expires=past)
    east = timezone(timedelta(hours=5, minutes=30))
    listed(make(), "listZones", "zone", signatureVersion=3, expires=(now + timedelta(minutes=10)).astimezone(east).strftime("%Y-%m-%dT%H:%M:%S%z"))
    refused(401, make().call, "listZones", signatureVersion=3, expires=(now - timedelta(minutes=10)).astimezone(east).strftime("%Y-%m-%dT%H:%M:%S%z"))
    refused(401, make().call, "listZones", signatureVersion=3)
    refused(401, make().call, "listZones", signatureVersion=3, expires="tomorrow")
    listed(make(), "listZones", "zone", expires=(now - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"))  # counts with version 3 only


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        given = json.load(f)
    endpoint, secret = given["endpoint"], given["secretkey"]

    def make(**how):
        return Keys(endpoint, given["apikey"], secret, **how)

    styles(make)
    expiry(make)
    refused(401, Keys(endpoint, given["apikey"], "wrong").call, "listZones")
    refused(401, Keys(endpoint, "nobody", secret).call, "listZones")
    refused(432, make().call, "listNonsense")

    session = Session(endpoint, given["username"], given["password"])
    life(session, "by-session")
    life(make(style=STYLES[0]), "by-keys")
    life(make(style=STYLES[3], post=True), "by-form")
    check(session.call("logout")[0] == "logoutresponse", "logout")
    refused(401, session.call, "listZones")
    print("ok")


if __name__ == "__main__":
    main()
