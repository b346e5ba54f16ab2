package setting

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
)

// Shown is a setting with its value in a place.
type Shown struct {
	*Setting
	Place   Place
	Value   string
	Default string // as it is on this server
}

// Filter says which settings to list. Zero fields do not restrict.
type Filter struct {
	Name     string
	Category string // in any case
	Group    string // in any case
	Subgroup string // in any case
	Parent   string // shows those that have an effect only where this one is true
	Keyword  string // part of name or description, in any case
	// Place is where the values are looked at; but for the zero Place only settings are listed that can have a value there.
	Place         Place
	Offset, Limit int // Limit 0: all
}

// List gives one page of the settings by name, and how many there are on all pages. A place where there is nothing is refused.
func (s *Settings) List(ctx context.Context, f Filter) ([]Shown, int, error) {
	if err := s.there(ctx, s.db.Read(), f.Place); err != nil {
		return nil, 0, err
	}
	places, err := s.holding(ctx, s.db.Read(), f.Place)
	if err != nil {
		return nil, 0, err
	}
	var found []Shown
	for _, of := range slices.SortedFunc(maps.Values(all), func(a, b *Setting) int { return cmp.Compare(a.Name, b.Name) }) {
		if f.keeps(of) {
			found = append(found, s.show(of, places))
		}
	}
	total := len(found)
	found = found[min(f.Offset, total):]
	if f.Limit > 0 {
		found = found[:min(f.Limit, len(found))]
	}
	return found, total, nil
}

func (f Filter) keeps(of *Setting) bool {
	word := strings.ToLower(f.Keyword)
	return (f.Name == "" || f.Name == of.Name) &&
		(f.Category == "" || strings.EqualFold(f.Category, string(of.Category))) &&
		(f.Group == "" || strings.EqualFold(f.Group, of.Group)) &&
		(f.Subgroup == "" || strings.EqualFold(f.Subgroup, of.Subgroup())) &&
		(f.Parent == "" || f.Parent == of.Parent()) &&
		(strings.Contains(strings.ToLower(of.Name), word) || strings.Contains(strings.ToLower(of.Doc), word)) &&
		of.Takes(f.Place.Scope)
}

// show shows a setting in the first of some places, with the value that holds there.
func (s *Settings) show(of *Setting, places []Place) Shown {
	return Shown{
		Setting: of, Place: places[0], Value: of.format(s.value(of, places)), Default: of.format(s.initially(of)),
	}
}
