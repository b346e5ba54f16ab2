package hypervisor

import (
	"encoding/json"
	"strings"
)

// NoCloud is the document meta-data as cloud-init's data source NoCloud reads it, of metadata by name ("instance-id", "local-hostname",
// "public-keys"): YAML, of which JSON is a part.
func NoCloud(meta map[string]string) ([]byte, error) {
	out := map[string]any{"instance-id": meta["instance-id"], "local-hostname": meta["local-hostname"]}
	if keys := strings.FieldsFunc(meta["public-keys"], func(r rune) bool { return r == '\n' }); len(keys) > 0 {
		out["public-keys"] = keys
	}
	return json.MarshalIndent(out, "", " ")
}
