package strictyaml

import "strings"

// Suggest ends a sentence about an unknown word: with the known word that was
// probably meant or, where none is near, with all of them.
func Suggest(word string, known []string) string {
	best, bestDistance := "", len(word)/3+2
	for _, candidate := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(candidate)); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	switch {
	case best != "":
		return `; did you mean "` + best + `"?`
	case len(known) == 0:
		return ""
	default:
		return "; known are " + strings.Join(known, ", ")
	}
}

// distance is the number of letters to add, drop or replace to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
