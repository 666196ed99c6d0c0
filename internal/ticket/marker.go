package ticket

import (
	"crypto/sha256"
	"encoding/hex"
)

// OperationHash is what identifies an operation where there is room for 32
// characters only: the first 16 bytes of its SHA-256, as lower-case hexadecimal
// digits. It is the form of the ids that some providers let the client choose.
func OperationHash(operation string) string {
	sum := sha256.Sum256([]byte(operation))
	return hex.EncodeToString(sum[:16])
}
