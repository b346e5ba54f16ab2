package datacenter

import (
	"strconv"
	"strings"

	"github.com/virga-cloud/virga/api"
)

var (
	serviceOfferings = noun{
		kind: "service offering", list: "listServiceOfferings", object: "serviceoffering", key: "name", create: "createServiceOffering",
		update: "updateServiceOffering", fields: map[string]string{"tags": "storagetags"}, mutable: []string{"displaytext", "hosttags", "tags"},
		sets: map[string]string{"tags": "storagetags"},
	}
	diskOfferings = noun{
		kind: "disk offering", list: "listDiskOfferings", object: "diskoffering", key: "name", create: "createDiskOffering",
		update: "updateDiskOffering", fields: map[string]string{"customized": "iscustomized"}, mutable: []string{"displaytext", "tags"},
	}
)

func (r *run) serviceOffering(o ServiceOffering) {
	r.ensure(serviceOfferings, wanted{
		name: o.Name, only: api.Params{"displaytext": orName(o.DisplayText, o.Name)}, params: api.Params{
			"displaytext": o.DisplayText, "cpunumber": number(o.CPUNumber), "cpuspeed": number(o.CPUSpeed), "memory": number(o.Memory),
			"hosttags": strings.Join(o.HostTags, ","), "tags": strings.Join(o.StorageTags, ","), "storagetype": o.StorageType,
			"offerha": string(o.OfferHA),
		},
	})
}

func (r *run) diskOffering(o DiskOffering) {
	r.ensure(diskOfferings, wanted{
		name: o.Name, only: api.Params{"displaytext": orName(o.DisplayText, o.Name)}, params: api.Params{
			"displaytext": o.DisplayText, "disksize": number(int(o.DiskSize)), "customized": whenTrue(o.Customized || o.DiskSize == 0),
			"tags": strings.Join(o.Tags, ","), "storagetype": o.StorageType,
		},
	})
}

// orName is a text that the API asks for where the file has none.
func orName(text, name string) string {
	if text == "" {
		return name
	}
	return text
}

func whenTrue(b bool) string {
	if b {
		return "true"
	}
	return ""
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
