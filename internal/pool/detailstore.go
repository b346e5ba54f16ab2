package pool

import (
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/detail"
)

// Detailed are the storage pools that can have details.
var Detailed = detail.Kind{
	Type: "Storage", Table: "storage_pools", Live: "removed is null", Common: true,
	Keep: detail.Keep(detailedSet),
}

var detailedSet = db.Prepare("update storage_pools set details = ? where id = ?")
