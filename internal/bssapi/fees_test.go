package bssapi

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/purser-cloud/purser/client/bss"
)

// What code of the house reads without the wire is what the wire would have brought, field by field.
func TestFeesWithoutTheWire(t *testing.T) {
	var f ResFeeRecordV2
	v := reflect.ValueOf(&f).Elem()
	for i := range v.NumField() {
		field := v.Field(i)
		if field.Kind() == reflect.Pointer {
			field.Set(reflect.New(field.Type().Elem()))
			field = field.Elem()
		}
		if field.Kind() == reflect.String {
			field.SetString(fmt.Sprint(i, ".5")) // texts and decimals
		} else {
			field.SetInt(int64(i))
		}
	}
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var wire bss.ResFeeRecordV2
	if err := json.Unmarshal(text, &wire); err != nil {
		t.Fatal(err)
	}
	if got := asClient(&f); !reflect.DeepEqual(got, wire) {
		t.Errorf("%+v\n%+v", got, wire)
	}
	if n := reflect.TypeFor[bss.ResFeeRecordV2]().NumField(); n != v.NumField() {
		t.Errorf("%d fields there, %d here", n, v.NumField())
	}
}
