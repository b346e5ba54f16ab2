package image

import (
	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/detail"
)

// Detailed are the templates that can have details.
var Detailed = detail.Kind{
	Type: "Template", Table: "templates", Live: "removed is null and format <> 'ISO'",
	Keep: detail.Keep(detailedSet, known.Forget),
}

var detailedSet = db.Prepare("update templates set details = ? where id = ?")

// DetailedOS are the operating systems that can have details.
var DetailedOS = detail.Kind{Type: "GuestOs", Table: "os_types", Common: true, Seen: func(*bun.SelectQuery, auth.Caller) {}}
