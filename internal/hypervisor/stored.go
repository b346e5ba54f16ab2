package hypervisor

import (
	"context"

	"github.com/virga-cloud/virga/uid"
)

// Giver is a driver whose hosts give out what is in stores of images.
type Giver interface {
	// ReadStored reads a piece of what is in a store, from an offset on: most bytes, or [MostPiece], or what there is until the end. It is
	// fault.Conflict when the store does not have it.
	ReadStored(ctx context.Context, host uid.Host, s Stored, offset int64, most int) (Piece, error)
}

// MostPiece is how many bytes a piece has at most: the bus takes messages of 1 MB, and bytes are in base64 there.
const MostPiece = 256 << 10

// Stored names an image or a snapshot in a store.
type Stored struct {
	Store    uid.ImageStore
	StoreURL string
	Template uid.Template `json:",omitempty"` // one of the two
	Snapshot uid.Snapshot `json:",omitempty"`
}

// Piece is a part of something in a store.
type Piece struct {
	Data   []byte
	Size   int64  // of the whole
	Ending string // that a file of its kind has: qcow2, iso
}
