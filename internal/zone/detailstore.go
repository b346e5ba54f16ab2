package zone

import (
	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/detail"
)

// Detailed are the zones that can have details.
var Detailed = detail.Kind{
	Type: "Zone", Table: "zones", Live: "removed is null", Common: true,
	Seen: func(q *bun.SelectQuery, caller auth.Caller) { Known(q, caller, "x.id") },
	Keep: detail.Keep(detailedSet, forget),
}

var detailedSet = db.Prepare("update zones set details = ? where id = ?")
