package cli

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Listing shows the candidates of a completion, each with what it is, in a terminal of that size. Where there are more of them than lines
// it shows their names only.
func Listing(found []Candidate, columns, rows int) string {
	const gap = 2
	columns = max(columns, 20)
	width, explained := 0, false
	names := make([]string, len(found))
	for i, c := range found {
		names[i] = clean(strings.TrimSpace(c.Value))
		width, explained = max(width, utf8.RuneCountInString(names[i])), explained || c.Doc != ""
	}
	var b strings.Builder
	if explained && len(found) < rows-1 && width+gap < columns*2/3 {
		for i, c := range found {
			b.WriteString(names[i])
			if c.Doc != "" {
				doc := []rune(clean(firstSentence(c.Doc)))
				if room := columns - width - gap - 1; len(doc) > room {
					doc = append(doc[:room-1], '…')
				}
				b.WriteString(strings.Repeat(" ", width-utf8.RuneCountInString(names[i])+gap) + string(doc))
			}
			b.WriteByte('\n')
		}
		return b.String()
	}
	perLine := max(1, columns/(width+gap))
	lines := (len(names) + perLine - 1) / perLine
	for i := range lines {
		for j := i; j < len(names); j += lines { // down the columns, as ls does
			b.WriteString(names[j])
			if j+lines < len(names) {
				b.WriteString(strings.Repeat(" ", width-utf8.RuneCountInString(names[j])+gap))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Common is what all candidates begin with, without regard to the case of what is typed already.
func Common(found []Candidate, typed string) string {
	common := []rune(found[0].Value)
	for _, c := range found[1:] {
		value := []rune(c.Value)
		n := 0
		for n < len(common) && n < len(value) && common[n] == value[n] {
			n++
		}
		common = common[:n]
	}
	if len(common) <= utf8.RuneCountInString(typed) {
		return typed
	}
	return string(common)
}

// confided are the names of what is nobody else's business, with its value after them.
var confided = regexp.MustCompile(`(?i)(password|passwd|passphrase|secret|credential|token|psk|(api|private|session|preshared)_?key)` +
	`[\w.\[\]-]*\s*=`)

// Confidential tells whether a line has a password or a key in it, and so is not to be kept.
func Confidential(line string) bool { return confided.MatchString(line) }
