package api

import (
	"time"

	"github.com/virga-cloud/virga/uid"
)

// What the tests of this package speak: a noun of their own, with every kind of parameter and field.

const aVM, aZone, aDomain, aJob = "0192f0c1-2b6e-7c3a-9d41-5f0e8a7b6c5d", "0192f0c1-2b6e-7c3a-9d41-5f0e8a7b6c5e",
	"0192f0c1-2b6e-7c3a-9d41-5f0e8a7b6c5f", "0192f0c1-2b6e-7c3a-9d41-5f0e8a7b6c60"

// makeThingIn is thingIn for a command that makes one.
type makeThingIn struct {
	Once
	thingIn
}

type thingIn struct {
	Paging
	Scope
	ID      uid.VM            `api:"id" doc:"d"`
	ZoneID  uid.Zone          `api:"zoneId" doc:"d"`
	IDs     []uid.VM          `api:"ids" doc:"d"`
	Name    string            `api:"name,max=5" doc:"d"`
	Text    *string           `api:"text" doc:"d"`
	On      bool              `api:"on" doc:"d"`
	Maybe   *bool             `api:"maybe" doc:"d"`
	N       int               `api:"n" doc:"d"`
	Long    int64             `api:"long" doc:"d"`
	MaybeN  *int64            `api:"mayben" doc:"d"`
	F       float64           `api:"f" doc:"d"`
	MaybeF  *float64          `api:"maybef" doc:"d"`
	Words   []string          `api:"words" doc:"d"`
	Numbers []int64           `api:"numbers" doc:"d"`
	From    time.Time         `api:"from" doc:"d"`
	Until   time.Time         `api:"until,end" doc:"d"`
	One     string            `api:"one,one=red|green" doc:"d"`
	Hidden  string            `api:"hidden,secret" doc:"d"`
	Lines   string            `api:"lines,lines" doc:"d"`
	HostID  uid.Host          `api:"hostid,admin" doc:"d"`
	Details map[string]string `api:"details,map" doc:"d"`
	Nets    []netIn           `api:"nets,map" doc:"d"`
}

type netIn struct {
	ID uid.Network `api:"networkid,required" doc:"d"`
	IP string      `api:"ip" doc:"d"`
}

type thing struct {
	ID     uid.VM            `json:"id" doc:"d"`
	Name   string            `json:"name,omitempty" doc:"d"`
	Host   string            `json:"host,omitempty" api:"admin" doc:"d"`
	Count  int               `json:"size" doc:"d"`
	On     bool              `json:"on" doc:"d"`
	Maybe  *int64            `json:"maybe,omitempty" doc:"d"`
	Rate   float64           `json:"rate" doc:"d"`
	Made   Time              `json:"made,omitzero" doc:"d"`
	Words  []string          `json:"word,omitempty" doc:"d"`
	Map    map[string]string `json:"map,omitempty" doc:"d"`
	Parts  []part            `json:"part,omitempty" api:"set" doc:"d"`
	Result Result            `json:"jobresult,omitzero" doc:"d"`
}

type part struct {
	Name string `json:"name" doc:"d"`
	Wire string `json:"wire,omitempty" api:"admin" doc:"d"`
}

var (
	getThing   = Call[thingIn, thing]{Name: "getThing", Noun: "Thing", Doc: "d", Role: Everyone, Object: "thing"}
	dropThing  = Call[None, Success]{Name: "dropThing", Noun: "Thing", Doc: "d", Role: RootOnly}
	listThings = List[thingIn, thing]{Name: "listThings", Noun: "Thing", Doc: "d", Role: Everyone, Object: "thing"}
	makeThing  = Job[makeThingIn, thing]{Name: "makeThing", Noun: "Thing", Doc: "d", Role: Everyone, Object: "thing", Creates: true}
	moveThing  = Job[thingIn, Success]{Name: "moveThing", Noun: "Thing", Doc: "d", Role: Everyone}
)
