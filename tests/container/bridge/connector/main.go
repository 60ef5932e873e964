// Command fixture-bridge is a real mautrix bridge to the network that a test holds in its hand
// (network.py). What Synapse, Postgres and the appliance see of it is the framework of every
// other bridge; only what is here is ours.
package main

import (
	"maunium.net/go/mautrix/bridgev2/matrix/mxmain"
)

// Tag is the version, given by the linker as for every bridge.
var Tag = ""

func main() {
	bridge := mxmain.BridgeMain{
		Name:        "fixture-bridge",
		Description: "A bridge to the network of a test.",
		URL:         "https://fixture.invalid",
		Version:     "0.1.0",
		Connector:   &Connector{},
	}
	bridge.InitVersion(Tag, "", "")
	bridge.Run()
}
