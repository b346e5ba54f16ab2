package auth

import "github.com/virga-cloud/virga/uid"

// DefaultRole is the role that accounts of a type have where nobody chose one, "" for a type that there is not. The ids are the
// same in every cloud, so that nobody has to look them up.
func DefaultRole(t AccountType) uid.Role {
	switch t {
	case RootAdmin:
		return "00000000-0000-7000-8000-000000000011"
	case ResourceAdmin:
		return "00000000-0000-7000-8000-000000000012"
	case DomainAdmin:
		return "00000000-0000-7000-8000-000000000013"
	case User:
		return "00000000-0000-7000-8000-000000000014"
	default:
		return ""
	}
}

// Rank orders account types by how far they reach; one that there is not is below all.
func (t AccountType) Rank() int {
	switch t {
	case User:
		return 0
	case ResourceAdmin:
		return 1
	case DomainAdmin:
		return 2
	case RootAdmin:
		return 3
	default:
		return -1
	}
}
