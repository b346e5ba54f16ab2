// Package region translates the commands about regions: clouds that users are told of.
package region
