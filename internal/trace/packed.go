package trace

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/go-faster/jx"

	"github.com/purser-cloud/purser/internal/db"
)

// packedForm is the first byte of a line that waits. Another form gets another number; '{' is a line as earlier pursers let it wait:
// as it is written.
const packedForm = 1

// pack is a line without what its key says: less than half of the text that it will be.
func (l *Line) pack() []byte {
	b := append(make([]byte, 0, 640), packedForm)
	for _, text := range l.packed() {
		b = binary.AppendUvarint(b, uint64(len(*text)))
		b = append(b, *text...)
	}
	b = binary.AppendVarint(b, db.Micros(l.Happened))
	b = binary.AppendVarint(b, db.Micros(l.SignedIn))
	return append(b, byte(db.Bool(l.Root)|db.Bool(l.Console)<<1|db.Bool(l.ReadOnly)<<2))
}

// packed are the texts of a line that are packed, in their order, which never changes for a form.
func (l *Line) packed() [23]*string {
	return [...]*string{
		&l.Kind, &l.ResourceType, &l.Name, &l.ResourceID, &l.ResourceName, &l.ResourceAccount, &l.Enterprise, &l.Rating, &l.Caller, &l.CallerName,
		&l.CallerAccount, &l.CallerDomain, &l.AccessKey, &l.Source, &l.RequestID, &l.Operation, &l.APIVersion, &l.Endpoint, &l.URL, &l.Code, &l.Message,
		&l.Request, &l.Response,
	}
}

var errPacked = errors.New("trace: a line that waits cannot be read")

// unpack reads what pack wrote.
func (l *Line) unpack(packed []byte) error {
	if len(packed) == 0 || packed[0] != packedForm {
		return errPacked
	}
	rest := string(packed[1:]) // one copy, of which all texts are parts
	at := packed[1:]
	for _, text := range l.packed() {
		n, width := binary.Uvarint(at)
		if width <= 0 || n > uint64(len(at)-width) {
			return errPacked
		}
		from := len(rest) - len(at) + width
		*text, at = rest[from:from+int(n)], at[width+int(n):]
	}
	for _, to := range [...]*time.Time{&l.Happened, &l.SignedIn} {
		v, width := binary.Varint(at)
		if width <= 0 {
			return errPacked
		}
		*to, at = db.TimeOf(v), at[width:]
	}
	if len(at) != 1 {
		return errPacked
	}
	l.Root, l.Console, l.ReadOnly = at[0]&1 != 0, at[0]&2 != 0, at[0]&4 != 0
	return nil
}

// appendWaiting writes a line that waits, at its place, as files have it.
func appendWaiting(w *jx.Writer, at place, packed []byte) error {
	if len(packed) > 0 && packed[0] == '{' {
		w.Buf = append(w.Buf, packed...)
		return nil
	}
	var l Line
	if err := l.unpack(packed); err != nil {
		return err
	}
	l.Service, l.ID, l.Recorded = at.service, at.id, db.TimeOf(at.at)
	l.AppendJSON(w)
	return nil
}
