package front

import (
	"strings"
	"unicode/utf8"
)

// printable leaves control characters out of a text that came from outside and is told back.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == utf8.RuneError {
			return -1
		}
		return c
	}, text)
}

// shortened gives at most n characters of a text.
func shortened(text string, n int) string {
	for i := range text {
		if n--; n < 0 {
			return text[:i] + "…"
		}
	}
	return text
}

// headerText makes a text fit for a header, where clients read anything but ASCII in their own ways.
func headerText(text string) string {
	return shortenedASCII(strings.Map(func(c rune) rune {
		switch {
		case c < ' ' || c == 0x7f:
			return ' '
		case c > 0x7f:
			return '?'
		}
		return c
	}, text), 1024)
}

func shortenedASCII(text string, n int) string { return text[:min(n, len(text))] }
