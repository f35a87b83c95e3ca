package usage

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-faster/jx"

	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
)

// Reader reads usage records as they are sent. What cannot be read of one record does not keep it from the others.
type Reader struct {
	Most    int // records
	Records []Record
	wrong   map[int]*fault.Fault // of records that cannot be read, by their place
	texts   map[string]string    // that were read before: most texts come again and again
}

// Wrong is why the record at a place cannot be read; nil: it can.
func (in *Reader) Wrong(i int) *fault.Fault { return in.wrong[i] }

// Each calls each with the outcome of every record in the order in which they were sent.
func (in *Reader) Each(outcomes []Outcome, each func(index int, o *Outcome)) {
	for i := range outcomes {
		o := outcomes[i]
		if why := in.wrong[i]; why != nil {
			o = Outcome{Verdict: Refused, Why: why}
		}
		each(i, &o)
	}
}

// Array reads a JSON array of records.
func (in *Reader) Array(text []byte) error {
	d := jx.DecodeBytes(text)
	if d.Next() != jx.Array {
		return fault.New(fault.Invalid, "CBC.0100", "the body must be a JSON array of usage records")
	}
	if err := d.Arr(in.one); err != nil {
		return in.broken(err)
	}
	return in.end(d)
}

// Lines reads one JSON object a line; empty lines are left out.
func (in *Reader) Lines(text []byte) error {
	for len(text) > 0 {
		line := text
		if at := bytes.IndexByte(text, '\n'); at >= 0 {
			line, text = text[:at], text[at+1:]
		} else {
			text = nil
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		d := jx.DecodeBytes(line)
		if err := in.one(d); err != nil {
			if _, ok := fault.As(err); ok {
				return err
			}
			in.unreadable("the line is not a JSON object: " + err.Error()) // the next line begins anew
		} else if err := d.Skip(); !errors.Is(err, io.EOF) {
			in.unreadableLast("the line has more behind its record")
		}
	}
	return nil
}

// Events reads a batch of CloudEvents, each with a record as its data.
func (in *Reader) Events(text []byte) error {
	d := jx.DecodeBytes(text)
	if d.Next() != jx.Array {
		return fault.New(fault.Invalid, "CBC.0100", "the body must be a JSON array of CloudEvents")
	}
	if err := d.Arr(in.event); err != nil {
		return in.broken(err)
	}
	return in.end(d)
}

// event reads a CloudEvent; one of a wrong form is refused by itself.
func (in *Reader) event(d *jx.Decoder) error {
	if d.Next() != jx.Object {
		return in.one(d) // which refuses it, too
	}
	var source, id string
	var data jx.Raw
	wrong := ""
	err := d.Obj(func(d *jx.Decoder, key string) (err error) {
		var text *string
		switch key {
		case "source":
			text = &source
		case "id":
			text = &id
		case "data":
			data, err = d.Raw()
			return err
		default:
			return d.Skip()
		}
		if d.Next() != jx.String {
			wrong = key + ": must be a string"
			return d.Skip()
		}
		*text, err = d.Str()
		return err
	})
	switch {
	case err != nil:
		return err
	case data == nil && wrong == "":
		wrong = "data: is missing"
	}
	if wrong != "" {
		in.unreadable(wrong)
		return in.full()
	}
	if err := in.one(jx.DecodeBytes(data)); err != nil {
		return err
	}
	last := &in.Records[len(in.Records)-1]
	last.Source, last.ID = source, id
	return nil
}

// end refuses what comes behind the array: it would be lost without a word.
func (in *Reader) end(d *jx.Decoder) error {
	if err := d.Skip(); errors.Is(err, io.EOF) {
		return nil
	}
	return fault.New(fault.Invalid, "CBC.0100", "the body has more behind its array")
}

func (in *Reader) broken(err error) error {
	if _, ok := fault.As(err); ok {
		return err
	}
	return fault.New(fault.Invalid, "CBC.0100", "the body is not JSON of the form that its content type names: %s", err)
}

func (in *Reader) full() error {
	if len(in.Records) > in.Most {
		return fault.New(fault.Invalid, "CBC.0100", "a batch has at most %d records", in.Most)
	}
	return nil
}

// unreadable keeps a place for a record that cannot be read.
func (in *Reader) unreadable(why string) {
	in.Records = append(in.Records, Record{})
	in.unreadableLast(why)
}

func (in *Reader) unreadableLast(why string) {
	if in.wrong == nil {
		in.wrong = map[int]*fault.Fault{}
	}
	in.wrong[len(in.Records)-1] = fault.New(fault.Invalid, "CBC.0100", "%s", why)
	in.Records[len(in.Records)-1] = Record{}
}

// one reads a record. A field of a wrong form refuses that record only; an error is JSON that is broken.
func (in *Reader) one(d *jx.Decoder) error {
	if d.Next() != jx.Object {
		if d.Next() == jx.Invalid {
			return errors.New("not JSON")
		}
		if err := d.Skip(); err != nil {
			return err
		}
		in.unreadable("a usage record must be a JSON object")
		return in.full()
	}
	in.Records = append(in.Records, Record{})
	if err := in.full(); err != nil {
		return err
	}
	r := &in.Records[len(in.Records)-1]
	wrong := ""
	err := d.ObjBytes(func(d *jx.Decoder, key []byte) error {
		problem, err := in.field(d, r, key)
		if problem != "" && wrong == "" {
			wrong = problem
		}
		return err
	})
	if err != nil {
		in.Records = in.Records[:len(in.Records)-1]
		return err
	}
	if wrong != "" {
		in.unreadableLast(wrong)
	}
	return nil
}

// field reads one field of a record; problem says what is wrong with its value.
func (in *Reader) field(d *jx.Decoder, r *Record, key []byte) (problem string, err error) {
	var text *string
	switch string(key) {
	case "source":
		text = &r.Source
	case "id":
		text = &r.ID
	case "customer_id":
		text = &r.Customer
	case "resource_id":
		text = &r.Resource
	case "resource_name":
		text = &r.Name
	case "cloud_service_type":
		text = &r.Service
	case "resource_type":
		text = &r.ResourceType
	case "resource_spec":
		text = &r.Spec
	case "region":
		text = &r.Region
	case "enterprise_project_id":
		text = &r.Project
	case "usage_factor":
		text = &r.Factor
	case "usage_value":
		return decimalIn(d, key, &r.Value)
	case "resource_size":
		return decimalIn(d, key, &r.Size.Value)
	case "usage_measure_id":
		return unitIn(d, key, &r.Unit)
	case "size_measure_id":
		return unitIn(d, key, &r.Size.Unit)
	case "start_time":
		return in.timeIn(d, key, &r.Start)
	case "end_time":
		return in.timeIn(d, key, &r.End)
	case "tags":
		return in.tagsIn(d, r)
	default:
		return "", d.Skip()
	}
	switch d.Next() {
	case jx.Null:
		return "", d.Null()
	case jx.String:
		b, err := d.StrBytes()
		if err == nil {
			*text = in.text(b, text == &r.ID)
		}
		return "", err
	}
	return string(key) + ": must be a string", d.Skip()
}

// textsMost bounds what a reader remembers.
const textsMost = 4096

// text is a string of some bytes; one that was read before is not made again, but ids never come again.
func (in *Reader) text(b []byte, once bool) string {
	if once || len(b) > textMost {
		return string(b)
	}
	if s, ok := in.texts[string(b)]; ok {
		return s
	}
	s := string(b)
	if in.texts == nil {
		in.texts = map[string]string{}
	}
	if len(in.texts) < textsMost {
		in.texts[s] = s
	}
	return s
}

// decimalIn reads a decimal, quoted or not.
func decimalIn(d *jx.Decoder, key []byte, into *money.Decimal) (problem string, err error) {
	var b []byte
	switch d.Next() {
	case jx.String:
		b, err = d.StrBytes()
	case jx.Number:
		var n jx.Num
		n, err = d.Num()
		b = n
	case jx.Null:
		return "", d.Null()
	default:
		return string(key) + ": must be a decimal", d.Skip()
	}
	if err != nil {
		return "", err
	}
	v, wrong := money.ParseDecimal(string(b))
	if wrong != nil {
		return fmt.Sprintf("%s: %q is no plain decimal of at most 18 digits", key, clip(b)), nil
	}
	*into = v
	return "", nil
}

func clip(b []byte) []byte {
	const most = 40
	return b[:min(len(b), most)]
}

func unitIn(d *jx.Decoder, key []byte, into *int32) (problem string, err error) {
	problem = string(key) + ": must be the number of a measure unit"
	switch d.Next() {
	case jx.Null:
		return "", d.Null()
	case jx.Number, jx.String:
		var v money.Decimal
		if wrong, err := decimalIn(d, key, &v); wrong != "" || err != nil {
			return problem, err
		}
		n, whole := v.Int64()
		if !whole || n < 0 || n > 1<<20 {
			return problem, nil
		}
		*into = int32(n)
		return "", nil
	}
	return problem, d.Skip()
}

// timeIn reads an instant of RFC 3339.
func (in *Reader) timeIn(d *jx.Decoder, key []byte, into *time.Time) (problem string, err error) {
	switch d.Next() {
	case jx.Null:
		return "", d.Null()
	case jx.String:
		b, err := d.StrBytes()
		if err != nil {
			return "", err
		}
		at, wrong := time.Parse(time.RFC3339, string(b))
		if wrong != nil {
			return fmt.Sprintf("%s: %q is no time of the form 2026-11-23T05:00:00Z", key, clip(b)), nil
		}
		*into = at.UTC().Truncate(time.Microsecond)
		return "", nil
	}
	return string(key) + ": must be a time of the form 2026-11-23T05:00:00Z", d.Skip()
}

func (in *Reader) tagsIn(d *jx.Decoder, r *Record) (problem string, err error) {
	switch d.Next() {
	case jx.Null:
		return "", d.Null()
	case jx.Object:
		r.Tags = map[string]string{}
		err = d.Obj(func(d *jx.Decoder, name string) error {
			if d.Next() != jx.String {
				problem = "tags: every value must be a string"
				return d.Skip()
			}
			value, err := d.StrBytes()
			if err == nil {
				r.Tags[name] = in.text(value, false)
			}
			return err
		})
		return problem, err
	}
	return "tags: must be an object of strings", d.Skip()
}
