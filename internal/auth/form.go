package auth

import (
	"net/url"
	"slices"
	"strings"
)

// form is a way of writing parameters down to be signed. The zero value is CloudStack's own: sorted by name as it is, names
// not encoded, values encoded as Java's URLEncoder does but with spaces as %20, all in lower case.
//
// Where clients differ:
//
//	foldOrder   sorted by the lower-case name                      libcloud, Marvin
//	encodeStar  "*" as %2a                                         Marvin 4.1, Python recipes
//	rawTilde    "~" as it is                                       cloudstack-go, cmk, Python, all that follow RFC 3986
//	rawBracket  "[" and "]" as they are, in values too             libcloud
//	plusSpace   a space as "+"                                     recipes with quote_plus or urlencode
//	encodeName  names encoded like values                          recipes with urlencode
//	rawSlash    "/" as it is                                       Python's quote without its safe argument
//	rawMarks    "!", "'", "(" and ")" as they are                  JavaScript's encodeURIComponent
type form struct {
	foldOrder, encodeStar, rawTilde, rawBracket, plusSpace, encodeName, rawSlash, rawMarks bool
}

// text is what is signed, for parameters without the signature.
func (f form) text(params []Param) string {
	params = slices.Clone(params)
	slices.SortStableFunc(params, func(a, b Param) int {
		if f.foldOrder {
			return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
		}
		return strings.Compare(a.Name, b.Name)
	})
	encode := strings.NewReplacer(f.escapes()...)
	var b strings.Builder
	for i, p := range params {
		if i > 0 {
			b.WriteByte('&')
		}
		if f.encodeName {
			p.Name = encode.Replace(url.QueryEscape(p.Name))
		}
		b.WriteString(p.Name)
		b.WriteByte('=')
		_, _ = encode.WriteString(&b, url.QueryEscape(p.Value))
	}
	return strings.ToLower(b.String())
}

// escapes turns what url.QueryEscape writes into what the form wants: pairs for a strings.Replacer.
func (f form) escapes() []string {
	var pairs []string
	add := func(wanted bool, from, to string) {
		if wanted {
			pairs = append(pairs, from, to)
		}
	}
	add(!f.encodeStar, "%2A", "*")
	add(!f.rawTilde, "~", "%7E")
	add(f.rawBracket, "%5B", "[")
	add(f.rawBracket, "%5D", "]")
	add(!f.plusSpace, "+", "%20")
	add(f.rawSlash, "%2F", "/")
	for _, mark := range "!'()" {
		add(f.rawMarks, url.QueryEscape(string(mark)), string(mark))
	}
	return pairs
}

// formsFor gives the forms that make a difference for params, CloudStack's own first: a choice about tildes is none where
// there is no tilde.
func formsFor(params []Param) []form {
	var names, values strings.Builder
	for _, p := range params {
		names.WriteString(p.Name)
		values.WriteString(p.Value)
	}
	in := func(chars string) bool {
		return strings.ContainsAny(values.String(), chars) || strings.ContainsAny(names.String(), chars)
	}
	forms := []form{{}}
	double := func(matters bool, choose func(*form)) {
		if !matters {
			return
		}
		for _, f := range slices.Clone(forms) {
			choose(&f)
			forms = append(forms, f)
		}
	}
	double(true, func(f *form) { f.foldOrder = true })
	double(in("~"), func(f *form) { f.rawTilde = true })
	double(in("*"), func(f *form) { f.encodeStar = true })
	double(in("[]"), func(f *form) { f.rawBracket = true })
	double(in("/"), func(f *form) { f.rawSlash = true })
	double(in("!'()"), func(f *form) { f.rawMarks = true })
	double(in(" "), func(f *form) { f.plusSpace = true })
	double(url.QueryEscape(names.String()) != names.String(), func(f *form) { f.encodeName = true })
	return forms
}
