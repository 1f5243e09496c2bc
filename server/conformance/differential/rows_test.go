package differential

import "testing"

// rowsMin is what the table is promised to have.
const rowsMin = 300

func TestRowsHaveNamesOfTheirOwn(t *testing.T) {
	rows := Rows()
	if len(rows) < rowsMin {
		t.Errorf("the table has %d rows, want %d at least", len(rows), rowsMin)
	}
	seen := map[string]bool{}
	for _, row := range rows {
		if seen[row.Name] || len(row.Steps) == 0 {
			t.Errorf("row %q is there twice, or does nothing", row.Name)
		}
		seen[row.Name] = true
	}
}
