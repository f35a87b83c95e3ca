package usage

import (
	"encoding/binary"
	"errors"
	"time"
)

// A segment packs records of one bucket: a form number, the meters it names, then each record as the place of its meter,
// quantity, end (backwards from the bucket's), length and key, numbers as varints, times in microseconds.
const segmentForm = 1

var errSegment = errors.New("usage: a segment cannot be read")

// counted is a record as it is kept.
type counted struct {
	meter    int64
	quantity int64
	start    int64 // microseconds since 1970
	end      int64
	key      string
}

// packSegment packs records of a bucket that ends at an instant, in the order given.
func packSegment(end time.Time, records []counted) []byte {
	places, meters := map[int64]uint64{}, []int64{}
	for i := range records {
		if _, known := places[records[i].meter]; !known {
			places[records[i].meter] = uint64(len(meters))
			meters = append(meters, records[i].meter)
		}
	}
	b := make([]byte, 0, 16+9*len(meters)+64*len(records))
	b = append(b, segmentForm)
	b = binary.AppendUvarint(b, uint64(len(meters)))
	for _, m := range meters {
		b = binary.BigEndian.AppendUint64(b, uint64(m))
	}
	ends := end.UnixMicro()
	for i := range records {
		r := &records[i]
		b = binary.AppendUvarint(b, places[r.meter])
		b = binary.AppendUvarint(b, uint64(r.quantity))
		b = binary.AppendUvarint(b, uint64(ends-r.end))
		b = binary.AppendUvarint(b, uint64(r.end-r.start))
		b = binary.AppendUvarint(b, uint64(len(r.key)))
		b = append(b, r.key...)
	}
	return b
}

// unpackSegment calls each with every record of a segment; the key's bytes are lent.
func unpackSegment(end time.Time, b []byte, each func(meter, quantity, start, end int64, key []byte) error) error {
	if len(b) == 0 || b[0] != segmentForm {
		return errSegment
	}
	b = b[1:]
	number := func() uint64 {
		n, size := binary.Uvarint(b)
		if size <= 0 {
			b = nil
			return 1 << 63 // beyond every bound below
		}
		b = b[size:]
		return n
	}
	count := number()
	if count > uint64(len(b)/8) {
		return errSegment
	}
	meters := b[:8*count]
	b = b[8*count:]
	for ends := end.UnixMicro(); len(b) > 0; {
		place, quantity, back, length, key := number(), number(), number(), number(), number()
		if place >= count || key > uint64(len(b)) || quantity >= 1<<63 {
			return errSegment
		}
		last := ends - int64(back)
		if err := each(int64(binary.BigEndian.Uint64(meters[8*place:])), int64(quantity), last-int64(length), last, b[:key]); err != nil {
			return err
		}
		b = b[key:]
	}
	return nil
}
