package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// obeyed tells whether a terminal does what a character says, instead of showing it: control characters, and those that turn the
// direction of what is written, so that it reads as something else.
func obeyed(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// clean shows characters that a terminal would obey. Names are other users' texts, and a server may be anybody's.
func clean(text string) string {
	if !strings.ContainsFunc(text, obeyed) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		b.WriteString(visible(r))
	}
	return b.String()
}

func visible(r rune) string {
	switch {
	case !obeyed(r):
		return string(r)
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// cleaner is a terminal that shows what it would obey, but for the ends of lines.
type cleaner struct{ io.Writer }

func (c cleaner) Write(text []byte) (int, error) {
	if bytes.ContainsFunc(text, func(r rune) bool { return obeyed(r) && r != '\n' }) {
		lines := strings.Split(string(text), "\n")
		for i := range lines {
			lines[i] = clean(lines[i])
		}
		if _, err := io.WriteString(c.Writer, strings.Join(lines, "\n")); err != nil {
			return 0, err
		}
		return len(text), nil
	}
	return c.Writer.Write(text)
}
