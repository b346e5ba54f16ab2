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

// Taker is a driver whose hosts take into stores of images what is sent to them. What is on its way goes with [Imager] DropImage or
// [Snapshotter] DropSnapshot.
type Taker interface {
	// WriteStored keeps a piece of what is sent, apart from what is in the store. A piece at offset 0 begins anew; of any other one those
	// before it must be there, else it is fault.Conflict. A piece may come twice.
	WriteStored(ctx context.Context, host uid.Host, s Stored, offset int64, data []byte) error
	// TakeStored makes what was sent the image or the snapshot that it is to be. One that is there already is a success. It is fault.Conflict
	// when nothing was sent, and when it is not what it should be.
	TakeStored(ctx context.Context, host uid.Host, s Stored, as Sent) (ImageReport, error)
}

// Sent is what something is that was sent.
type Sent struct {
	Format    string // QCOW2, RAW, VHD, OVA, VMDK or, of images only, ISO
	Checksum  string // as [Image] has it
	MostBytes int64  // that a disk made from it may have; 0 for any number
	Bytes     int64  // that were sent; fewer are fault.Conflict, as some were lost
	Link      string `json:",omitempty"` // by which a host gets what was sent, where that was into a bucket
}
