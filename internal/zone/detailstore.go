package zone

import (
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/detail"
)

// Detailed are the zones that can have details.
var Detailed = detail.Kind{
	Type: "Zone", Table: "zones", Live: "removed is null", Common: true,
	Keep: detail.Keep(detailedSet),
}

var detailedSet = db.Prepare("update zones set details = ? where id = ?")
