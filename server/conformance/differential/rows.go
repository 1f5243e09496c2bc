package differential

import "slices"

// Rows is the table.
func Rows() []Row {
	return slices.Concat(
		routeRows(), assignmentRows(), sendRows(), storedRows(), batchRows(), receiveRows(), filterRows(),
		ackRows(), changeRows(), forwardRows(), transactionRows(), recallRows(), liteRows(),
		settingsRows(), sessionRows(), metadataRows(), wireRows(),
	)
}
