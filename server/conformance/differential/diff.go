package differential

import (
	"slices"
	"strings"
)

// Hunk is a run of lines that the reference has and a side has not, and the other way round.
type Hunk struct {
	Theirs, Ours []string
}

// rest stands for all further lines of a hunk in the list of what is allowed.
const rest = "..."

// shownLines is how many lines of a long hunk are shown before the rest.
const shownLines = 3

// String is the hunk as the list of what is allowed has it.
func (h Hunk) String() string { return signedLines("- ", h.Theirs) + signedLines("+ ", h.Ours) }

func signedLines(sign string, lines []string) string {
	if len(lines) > shownLines+1 {
		lines = append(slices.Clone(lines[:shownLines]), rest)
	}
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(sign + line + "\n")
	}
	return b.String()
}

// like tells whether lines are those of a list, in which the last may stand for the rest.
func like(listed, lines []string) bool {
	if n := len(listed) - 1; n >= 0 && listed[n] == rest {
		return len(lines) > n && slices.Equal(listed[:n], lines[:n])
	}
	return slices.Equal(listed, lines)
}

// WithoutStored leaves out what Stored wrote down, which Local mode's broker cannot be asked for.
func (t Transcript) WithoutStored() Transcript {
	return slices.DeleteFunc(slices.Clone(t), func(line string) bool {
		_, path, _ := strings.Cut(line, " ")
		return strings.HasPrefix(path, "stored.")
	})
}

// Diff is how ours differs from theirs, the reference's, by the longest common subsequence.
func Diff(theirs, ours Transcript) []Hunk {
	// common[i][j] is the length for what is left from i and j on.
	common := make([][]int, len(theirs)+1)
	for i := range common {
		common[i] = make([]int, len(ours)+1)
	}
	for i, their := range slices.Backward(theirs) {
		for j, our := range slices.Backward(ours) {
			if same(their, our) {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var hunks []Hunk
	var open *Hunk
	hunk := func() *Hunk {
		if open == nil {
			hunks = append(hunks, Hunk{})
			open = &hunks[len(hunks)-1]
		}
		return open
	}
	for i, j := 0, 0; i < len(theirs) || j < len(ours); {
		switch {
		case i < len(theirs) && j < len(ours) && same(theirs[i], ours[j]):
			i, j, open = i+1, j+1, nil
		case j == len(ours) || i < len(theirs) && common[i+1][j] >= common[i][j+1]:
			hunk().Theirs = append(hunk().Theirs, theirs[i])
			i++
		default:
			hunk().Ours = append(hunk().Ours, ours[j])
			j++
		}
	}
	return hunks
}

// same compares two lines; any text is as good as an exception's.
func same(theirs, ours string) bool {
	if theirs == ours {
		return true
	}
	path, text, _ := strings.Cut(theirs, ": ")
	return strings.HasSuffix(text, thrown+`"`) && strings.HasPrefix(ours, path+`: "`)
}
