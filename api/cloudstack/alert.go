package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListAlerts shows alerts.
var ListAlerts = api.List[ListAlertsIn, Alert]{
	Name: "listAlerts", Noun: "Alert", Role: Infrastructure, Object: "alert",
	Doc: "Lists alerts, what is or was wrong with the cloud itself, the latest first. As long as its cause lasts an alert is raised once.",
}

// ListAlertsIn chooses alerts.
type ListAlertsIn struct {
	api.Paging
	ID   uid.Alert `api:"id" doc:"Shows only the alert with this ID."`
	Type string    `api:"type" doc:"Shows only alerts of the type with this number."`
	Name string    `api:"name,since=4.3" doc:"Shows only alerts of the type with this name, ALERT.COMPUTE.HOST for instance."`
}

// Alert is something that is, or was, wrong.
type Alert struct {
	ID          uid.Alert `json:"id" doc:"The ID of the alert."`
	Type        int       `json:"type" doc:"The number of the type: 0 memory, 1 CPU, 3 allocated storage, 4 public addresses, 7 hosts, 14 jobs that wait for an operator."`
	Name        string    `json:"name" doc:"The name of the type."`
	Description string    `json:"description" doc:"What is wrong."`
	Sent        api.Time  `json:"sent,omitzero" doc:"When it was raised."`
	Resolved    api.Time  `json:"resolved,omitzero" doc:"When its cause went; absent while it lasts. Virga's own."`
	Pending
}
