package trace

import (
	"strconv"
	"time"

	"github.com/go-faster/jx"
)

// SystemName is who the lines of the house itself name as their user.
const SystemName = "system"

// AppendJSON writes a line as the log service shows it, in answers, files and notifications alike (billing-rules 9).
func (l *Line) AppendJSON(w *jx.Writer) {
	w.RawStr(`{"time":`)
	w.Int64(l.Happened.UnixMilli())
	w.RawStr(`,"record_time":`)
	w.Int64(l.Recorded.UnixMilli())
	w.RawStr(`,"user":`)
	l.user(w)
	for _, f := range [...]struct{ name, value string }{
		{`,"service_type":`, l.Service}, {`,"resource_type":`, l.ResourceType}, {`,"resource_name":`, l.ResourceName}, {`,"resource_id":`, l.ResourceID},
		{`,"source_ip":`, l.Source}, {`,"trace_name":`, l.Name}, {`,"trace_rating":`, l.Rating}, {`,"trace_type":`, l.Kind}, {`,"trace_id":`, l.ID},
		{`,"request":`, l.Request}, {`,"response":`, l.Response}, {`,"code":`, l.Code}, {`,"api_version":`, l.APIVersion}, {`,"message":`, l.Message},
		{`,"request_id":`, l.RequestID}, {`,"location_info":`, ""}, {`,"endpoint":`, l.Endpoint}, {`,"resource_url":`, l.URL},
		{`,"enterprise_project_id":`, l.Enterprise}, {`,"resource_account_id":`, l.ResourceAccount},
	} {
		w.RawStr(f.name)
		w.Str(f.value)
	}
	w.RawStr(`,"read_only":`)
	w.Bool(l.ReadOnly)
	w.RawStr(`,"operation_id":`)
	w.Str(l.Operation)
	w.RawStr("}")
}

// user writes who acted. The house itself has a name and no id.
func (l *Line) user(w *jx.Writer) {
	name := l.CallerName
	if l.Kind == BySystem {
		name = SystemName
	}
	w.RawStr(`{"id":`)
	w.Str(l.Caller)
	w.RawStr(`,"name":`)
	w.Str(name)
	w.RawStr(`,"user_name":`)
	w.Str(name)
	w.RawStr(`,"domain":{"id":`)
	w.Str(l.CallerAccount)
	w.RawStr(`,"name":`)
	w.Str(l.CallerDomain)
	w.RawStr(`},"account_id":`)
	w.Str(l.CallerAccount)
	w.RawStr(`,"access_key_id":`)
	w.Str(l.AccessKey)
	if l.Kind != BySystem {
		w.RawStr(`,"principal_urn":`)
		w.Str("iam::" + l.CallerAccount + ":user:" + name)
		w.RawStr(`,"principal_id":`)
		w.Str(l.Caller)
		w.RawStr(`,"principal_is_root_user":`)
		w.Str(strconv.FormatBool(l.Root))
		w.RawStr(`,"type":"User"`)
	} else {
		w.RawStr(`,"type":"System"`)
	}
	if l.Console {
		w.RawStr(`,"invoked_by":["service.console"]`)
	}
	if !l.SignedIn.IsZero() {
		w.RawStr(`,"session_context":{"attributes":{"created_at":`)
		w.Str(millis(l.SignedIn))
		w.RawStr(`,"mfa_authenticated":"false"}}`)
	}
	w.RawStr("}")
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// PageJSON is the answer to a query: the lines, how many there are, and the id of the last.
func PageJSON(lines []Line) []byte {
	var w jx.Writer
	w.RawStr(`{"traces":[`)
	for i := range lines {
		if i > 0 {
			w.RawStr(",")
		}
		lines[i].AppendJSON(&w)
	}
	w.RawStr(`],"meta_data":{"count":`)
	w.Int(len(lines))
	w.RawStr(`,"marker":`)
	if n := len(lines); n > 0 {
		w.Str(lines[n-1].ID)
	} else {
		w.Null()
	}
	w.RawStr("}}")
	return w.Buf
}
