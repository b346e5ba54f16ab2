package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// PrepareHostForMaintenance takes a host out of service.
var PrepareHostForMaintenance = api.Job[PrepareHostForMaintenanceIn, Host]{
	Name: "prepareHostForMaintenance", Noun: "Host", Role: api.RootOnly, Object: "host", Event: "MAINT.PREPARE",
	Doc: "Begins to take a host out of service: nothing new comes to it, and machines that run on it are moved to others, without the job " +
		"waiting for that. When none is left its resourcestate is Maintenance; where some can't be moved it is ErrorInMaintenance, and an " +
		"alert names them: stop them or make room elsewhere, and prepare it once more.",
}

// PrepareHostForMaintenanceIn names the host.
type PrepareHostForMaintenanceIn struct {
	ID uid.Host `api:"id,required" doc:"The ID of the host."`
}

// CancelHostMaintenance takes a host into service again.
var CancelHostMaintenance = api.Job[CancelHostMaintenanceIn, Host]{
	Name: "cancelHostMaintenance", Noun: "Host", Role: api.RootOnly, Object: "host", Event: "MAINT.CANCEL",
	Doc: "Takes a host into service again that is in maintenance, or on the way there. Machines that have been moved away don't come back " +
		"by themselves.",
}

// CancelHostMaintenanceIn names the host.
type CancelHostMaintenanceIn struct {
	ID uid.Host `api:"id,required" doc:"The ID of the host."`
}
