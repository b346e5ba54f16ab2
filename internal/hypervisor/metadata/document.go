package metadata

import "github.com/virga-cloud/virga/uid"

// Document is what guests of a router are told.
type Document struct {
	Segments []Segment
}

// Segment is a guest network.
type Segment struct {
	Link      string   // the router's, in that network
	Addresses []string // the router's own there, where guests ask
	Guests    []Guest
}

// Guest is who asks, and what it is told.
type Guest struct {
	NIC      uid.NIC
	MAC      string
	IP       string
	IP6      string            `json:",omitempty"`
	UserData []byte            `json:",omitempty"`
	Meta     map[string]string `json:",omitempty"`
	NoCloud  []byte            `json:",omitempty"` // the same for cloud-init's data source NoCloud
	Password string            `json:",omitempty"` // a new one to fetch; "" leaves it as it is
}

// Status is how the process is.
type Status struct {
	Saved    []uid.NIC // guests that have saved the password that waited for them
	Problems []string  // links that it can't listen on
}
