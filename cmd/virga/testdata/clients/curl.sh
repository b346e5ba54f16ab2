#!/usr/bin/env bash
# The cloud with nothing but curl and openssl: first with keys, then with a password.
#
#   curl.sh ENDPOINT USER PASSWORD APIKEY SECRETKEY
set -euo pipefail
endpoint=$1 user=$2 password=$3 apikey=$4 secret=$5
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
	echo "curl.sh: $*" >&2
	exit 1
}

# encode TEXT: percent-encodes all bytes but letters, digits and . - _ *
encode() {
	local LC_ALL=C text=$1 out='' c i
	for ((i = 0; i < ${#text}; i++)); do
		c=${text:i:1}
		case $c in
		[A-Za-z0-9.*_-]) out+=$c ;;
		*) out+=$(printf '%s' "$c" | od -An -tx1 | tr -d ' \n' | tr 'a-f' 'A-F' | sed 's/../%&/g') ;;
		esac
	done
	printf '%s' "$out"
}

# signed NAME=VALUE...: the query with its signature
signed() {
	local pair pairs=() query signature
	for pair in "$@" "apiKey=$apikey" response=json; do
		pairs+=("${pair%%=*}=$(encode "${pair#*=}")")
	done
	query=$(printf '%s\n' "${pairs[@]}" | LC_ALL=C sort | paste -sd '&')
	signature=$(printf '%s' "$query" | tr 'A-Z' 'a-z' | openssl dgst -sha1 -hmac "$secret" -binary | openssl base64)
	printf '%s&signature=%s' "$query" "$(encode "$signature")"
}

# ask STATUS CURL-ARGUMENTS...: the answer, which must have that status
ask() {
	local want=$1 status
	shift
	status=$(curl -sS --max-time 20 -o "$dir/answer" -w '%{http_code}' "$@") || fail "curl $* failed"
	[ "$status" = "$want" ] || fail "status $status, want $want, from $*: $(cat "$dir/answer")"
	cat "$dir/answer"
}

# field NAME: the first text of that name in the JSON of the input
field() {
	sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p" | head -n 1
}

# With keys.
zones=$(ask 200 "$endpoint?$(signed command=listZones available=true)")
[[ $zones == '{"listzonesresponse":'*'"zone":'* ]] || fail "no zones in $zones"
zone=$(printf '%s' "$zones" | sed 's/.*"zone" *: *\[ *{\([^}]*\)}.*/\1/' | field id)
[[ $zone =~ ^[0-9a-f-]{36}$ ]] || fail "the first zone's id is $zone"
found=$(ask 200 "$endpoint?$(signed command=listZones "id=$zone")")
[ "$(printf '%s' "$found" | grep -o '"count":[0-9]*')" = '"count":1' ] || fail "not one zone with the id $zone: $found"
none=$(ask 200 "$endpoint?$(signed command=listVirtualMachines 'keyword=ü ~*[x](+/=&%)')")
[[ $none == '{"listvirtualmachinesresponse":'* ]] || fail "a keyword with every sort of character: $none"
query=$(signed command=listZones)
ask 401 "$endpoint?${query/listZones/listHosts}" >/dev/null

# With a password: the form in the body, so that no log has it.
jar=$dir/cookies
login=$(ask 200 -c "$jar" --data-urlencode "username=$user" --data-urlencode "password=$password" \
	-d command=login -d domain=/ -d response=json "$endpoint")
key=$(printf '%s' "$login" | field sessionkey)
[ -n "$key" ] || fail "no session key in $login"
hosts=$(ask 200 -b "$jar" -G -d command=listHosts -d response=json --data-urlencode "sessionkey=$key" "$endpoint")
[[ $hosts == '{"listhostsresponse":'*'"host":'* ]] || fail "no hosts in $hosts"
ask 200 -b "$jar" -G -d command=listHosts -d response=json "$endpoint" >/dev/null # cookies alone do for lists
cp "$jar" "$dir/before"
ask 401 -b "$dir/before" -c /dev/null -X POST "$endpoint" -d command=queryAsyncJobResult -d sessionkey=wrong >/dev/null

# A session ends where its user says so, and stays ended for who has kept the cookies.
login=$(ask 200 -c "$jar" -d command=login --data-urlencode "username=$user" --data-urlencode "password=$password" -d response=json "$endpoint")
key=$(printf '%s' "$login" | field sessionkey)
cp "$jar" "$dir/before"
bye=$(ask 200 -b "$jar" -c "$jar" -G -d command=logout -d response=json --data-urlencode "sessionkey=$key" "$endpoint")
[[ $bye == '{"logoutresponse":'*success* ]] || fail "logout answers $bye"
ask 401 -b "$dir/before" -G -d command=listHosts -d response=json --data-urlencode "sessionkey=$key" "$endpoint" >/dev/null
ask 401 -b "$jar" -G -d command=listHosts -d response=json "$endpoint" >/dev/null
wrong=$(ask 531 -d command=login -d "username=$user" -d password=wrong -d response=json "$endpoint")
[[ $wrong == *'"errorcode":531'* ]] || fail "a wrong password answers $wrong"

echo "zone $zone"
