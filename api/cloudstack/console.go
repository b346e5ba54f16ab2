package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreateConsoleEndpoint lets a browser see and use a machine's screen.
var CreateConsoleEndpoint = api.Call[CreateConsoleEndpointIn, ConsoleEndpoint]{
	Name: "createConsoleEndpoint", Noun: "Console", Role: api.Everyone, Object: "consoleendpoint", Since: "4.18.0",
	Doc: "Makes an address at which a browser shows the screen of a running virtual machine, with its keyboard and mouse. It is good for " +
		"five minutes and for one connection. The connection ends when its user may not use the machine any more.",
}

// CreateConsoleEndpointIn names the machine.
type CreateConsoleEndpointIn struct {
	VMID  uid.VM `api:"virtualmachineid,required" doc:"The ID of the machine."`
	Token string `api:"token,secret" doc:"A secret of the caller's that the websocket must be told besides, as its parameter extra. The page at url does."`
}

// ConsoleEndpoint is where a machine's screen is.
type ConsoleEndpoint struct {
	Success   bool          `json:"success" doc:"Whether there is one."`
	Details   string        `json:"details,omitempty" doc:"Why there is none."`
	URL       string        `json:"url" doc:"The address of a page that shows the screen."`
	WebSocket ConsoleSocket `json:"websocket" doc:"Where programs connect that show it themselves: to PATH at HOST:PORT, with TOKEN and EXTRA as the parameters token and extra. RFB (VNC) is spoken there, without a password."`
	Pending
}

// ConsoleSocket is where a machine's screen is for programs.
type ConsoleSocket struct {
	Token string `json:"token" doc:"The parameter token."`
	Host  string `json:"host" doc:"The host."`
	Port  string `json:"port" doc:"The port."`
	Path  string `json:"path" doc:"The path."`
	Extra string `json:"extra,omitempty" doc:"The parameter extra, where the caller has given a secret."`
}
