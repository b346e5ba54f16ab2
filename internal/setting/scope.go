package setting

import "github.com/virga-cloud/virga/uid"

// Scope is a kind of thing that can have a value of its own for a setting. Its text is stored.
type Scope string

// The scopes. Global is the cloud as a whole.
const (
	Global    Scope = ""
	OfZone    Scope = "zone"
	OfCluster Scope = "cluster"
	OfPool    Scope = "storagepool"
	OfDomain  Scope = "domain"
	OfAccount Scope = "account"
	// OfImageStore is a scope of CloudStack's in which there is no setting here.
	OfImageStore Scope = "imagestore"
)

// Place is one thing that may have values of its own; the zero Place is the cloud as a whole.
type Place struct {
	Scope Scope
	ID    string
}

// InZone is a zone as a place.
func InZone(id uid.Zone) Place { return Place{OfZone, string(id)} }

// InCluster is a cluster as a place.
func InCluster(id uid.Cluster) Place { return Place{OfCluster, string(id)} }

// InPool is a storage pool as a place.
func InPool(id uid.Pool) Place { return Place{OfPool, string(id)} }

// InImageStore is an image store as a place.
func InImageStore(id uid.ImageStore) Place { return Place{OfImageStore, string(id)} }

// InDomain is a domain as a place.
func InDomain(id uid.Domain) Place { return Place{OfDomain, string(id)} }

// InAccount is an account as a place.
func InAccount(id uid.Account) Place { return Place{OfAccount, string(id)} }
