package auth

// Cost is what one password hash costs.
type Cost struct {
	MemoryKiB uint32
	Passes    uint32
}

// The costs.
var (
	StrongCost = Cost{MemoryKiB: 19 * 1024, Passes: 2}
	TestCost   = Cost{MemoryKiB: 64, Passes: 1}
)

// Hasher hashes passwords.
type Hasher struct{ cost Cost }

// NewHasher makes a hasher.
func NewHasher(cost Cost) *Hasher { return &Hasher{cost: cost} }
