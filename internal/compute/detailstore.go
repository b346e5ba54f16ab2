package compute

import (
	"strings"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/detail"
	"github.com/virga-cloud/virga/internal/firmware"
)

// Detailed are the vms that can have details.
var Detailed = detail.Kind{
	Type: "UserVm", Table: "vms", Live: "removed is null",
	Keep: detail.Keep(detailedSet),
	Fixed: func(key string) string {
		if isSize(key) {
			return "it is the machine's size, which changeServiceForVirtualMachine changes"
		}
		if strings.EqualFold(key, firmware.Detail) {
			return "it is the machine's firmware, which updateVirtualMachine changes while the machine is stopped"
		}
		return ""
	},
}

var detailedSet = db.Prepare("update vms set details = ?, version = version + 1 where id = ?")

// DetailedNIC are the network cards that can have details. They belong to whom their machine belongs to.
var DetailedNIC = detail.Kind{
	Type: "Nic", Table: "(select n.id, v.account_id, v.domain_id from nics as n join vms as v on v.id = n.vm_id and v.removed is null)",
}
