package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// shown is how many guesses an error names.
const shown = 3

// meant asks whether one of the choices that are like a word was meant; "" where none is like it.
func meant(word string, choices []string) string { return meantAfter("", word, choices) }

// meantAfter is meant, for choices that are shown with something before them.
func meantAfter(before, word string, choices []string) string {
	likely := near(word, choices)
	if len(likely) == 0 {
		return ""
	}
	for i := range likely {
		likely[i] = fmt.Sprintf("%q", before+likely[i])
	}
	if n := len(likely) - 1; n > 0 {
		return ": did you mean " + strings.Join(likely[:n], ", ") + " or " + likely[n] + "?"
	}
	return ": did you mean " + likely[0] + "?"
}

// orElse is a guess, or where there is none a hint.
func orElse(guess, hint string) string {
	if guess == "" {
		return "; " + hint
	}
	return guess
}

// near gives the choices most like a word, best first.
func near(word string, choices []string) []string {
	type guess struct {
		text string
		off  int
	}
	word = strings.ToLower(word)
	limit := max(1, len(word)/3)
	var guesses []guess
	for _, choice := range choices {
		lower := strings.ToLower(choice)
		off := distance(word, lower)
		switch {
		case off <= limit:
		case len(word) >= 2 && (strings.HasPrefix(lower, word) || strings.HasPrefix(word, lower) && len(lower) > 2):
			off = limit + 1
		case len(word) >= 3 && strings.Contains(lower, word):
			off = limit + 2
		default:
			continue
		}
		guesses = append(guesses, guess{choice, off})
	}
	slices.SortStableFunc(guesses, func(a, b guess) int { return cmp.Compare(a.off, b.off) })
	var out []string
	for _, g := range guesses[:min(shown, len(guesses))] {
		out = append(out, g.text)
	}
	return out
}

// distance is how many letters must be put in, left out, replaced, or swapped with their neighbour to make b of a.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
