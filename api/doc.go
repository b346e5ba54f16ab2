// Package api says what a command is. A command is declared once as a typed value (a [Call], a [Job] or a [List] over an
// input struct and a wire struct), and everything else is made from that value: the decoder, the JSON and XML answers, the
// typed Go client, listApis, OpenAPI and the reference pages. The dialect is CloudStack's, API level 4.22: one endpoint,
// parameters as name=value, an envelope lower(command)+"response".
//
// An input struct names its parameters in tags:
//
//	ID   uid.VM `api:"id,required" doc:"The machine."`
//	Size int64  `api:"size,since=4.4" doc:"The size of the data disk in GB."`
//
// The options are required, admin (refused from others than root admins), since=, max= (characters, 255 unless told;
// in a map[string]string, of each name and value), one=a|b, secret (never echoed in an error), end (a date without a time
// means the end of that day), lines (may have several lines) and map (a reminder for the reader: map[string]string and slices of
// structs always travel as name[i].field=value, with 100 entries at most, or as many as entries= says).
//
// Parameters are bool, int, int64, float64, string, their pointers where presence matters, ids of package uid, time.Time,
// slices of strings, ids and integers (comma-separated), map[string]string, and slices of structs tagged the same way.
// Structs may be embedded by value ([Paging], [Scope]).
//
// A wire struct names its fields with json tags and documents them with doc tags; `api:"admin"` shows a field to root
// admins only, `api:"set"` says "set" instead of "list" in listApis, `api:"since=4.2"` is documentation. Wire fields are
// strings, ids, numbers, booleans, [Time], [Result], pointers to scalars, nested structs, map[string]string, and slices.
//
// A wrong declaration panics when the command is first described, so that no test or server starts with one.
package api
