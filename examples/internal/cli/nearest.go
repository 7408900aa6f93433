// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package cli

// Nearest returns the word that was probably meant, empty if none comes near.
func Nearest(word string, words []string) string {
	best, bestAt := "", max(2, len(word)/3)+1
	for _, w := range words {
		if d := editDistance(word, w); d < bestAt && d < len(w) {
			best, bestAt = w, d
		}
	}
	return best
}

// editDistance counts the letters to insert, delete, replace or swap with their
// neighbour to make b of a.
func editDistance(a, b string) int {
	var before, prev []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, prev = prev, row
		row = make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(prev[j+1]+1, row[j]+1, prev[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}

// DidYouMean returns the end of a sentence about a word that is none.
func DidYouMean(word string, words []string) string {
	if w := Nearest(word, words); w != "" {
		return "; did you mean " + w + "?"
	}
	return ""
}
