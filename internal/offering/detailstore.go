package offering

import (
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/detail"
)

// DetailedCompute are the service offerings that can have details.
var DetailedCompute = detail.Kind{
	Type: "ServiceOffering", Table: "service_offerings", Live: "removed is null", Common: true, Seen: seen,
	Keep: detail.Keep(detailedComputeSet, forget),
}

var detailedComputeSet = db.Prepare("update service_offerings set details = ? where id = ?")

// DetailedDisk are the disk offerings that can have details.
var DetailedDisk = detail.Kind{
	Type: "DiskOffering", Table: "disk_offerings", Live: "removed is null", Common: true, Seen: seen,
	Keep: detail.Keep(detailedDiskSet, forget),
}

var detailedDiskSet = db.Prepare("update disk_offerings set details = ? where id = ?")

// DetailedNetwork are the network offerings that can have details.
var DetailedNetwork = detail.Kind{
	Type: "NetworkOffering", Table: "network_offerings", Live: "removed is null", Common: true, Seen: seen,
	Keep: detail.Keep(detailedNetworkSet, forget),
}

var detailedNetworkSet = db.Prepare("update network_offerings set details = ? where id = ?")
