package cli

import "strings"

// lexed is a line taken apart as a shell does: at spaces, outside quotes.
type lexed struct {
	words []string // the last may be unfinished; it is empty after a space
	last  int      // where the last word begins
	quote rune     // the quote that is still open, 0 for none
	pipe  int      // where the first | stands outside quotes, -1 for none
}

// lex takes a line apart.
func lex(line string) lexed {
	l := lexed{pipe: -1}
	var b strings.Builder
	escaped, inside := false, false
	for i, ch := range line {
		if !inside {
			l.last = i
		}
		switch {
		case escaped:
			b.WriteRune(ch)
			escaped = false
		case ch == '\\' && l.quote != '\'':
			escaped, inside = true, true
		case l.quote != 0:
			if ch == l.quote {
				l.quote = 0
			} else {
				b.WriteRune(ch)
			}
		case ch == '"' || ch == '\'':
			l.quote, inside = ch, true
		case ch == ' ' || ch == '\t':
			if inside {
				l.words = append(l.words, b.String())
				b.Reset()
				inside = false
			}
		default:
			if ch == '|' && l.pipe < 0 {
				l.pipe = i
			}
			b.WriteRune(ch)
			inside = true
		}
	}
	if !inside {
		l.last = len(line)
	}
	l.words = append(l.words, b.String())
	return l
}

// finished are the words without the empty one after a space.
func (l lexed) finished() []string {
	if n := len(l.words) - 1; l.words[n] == "" && l.quote == 0 {
		return l.words[:n]
	}
	return l.words
}

// raw is a word as it is typed: inside the quotes that the user has opened, or with what a shell would take for its own escaped.
func raw(word string, quote rune) string {
	if quote != 0 {
		return word
	}
	var b strings.Builder
	for _, ch := range word {
		if strings.ContainsRune(" \t\"'\\$`!&|;<>()[]{}*?#~", ch) {
			b.WriteByte('\\')
		}
		b.WriteRune(ch)
	}
	return b.String()
}
