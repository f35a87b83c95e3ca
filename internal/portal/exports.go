package portal

import (
	"io"
	"net/http"
	"strings"

	"github.com/purser-cloud/purser/client/purser"
)

// answerMost bounds how much of a refusal is read, in bytes.
const answerMost = 64 << 10

// handOn is a file of the API, handed on as it comes: a month may be longer than what fits into memory.
func handOn(r *http.Response, err error, name string) (*download, error) {
	if err != nil {
		return nil, &problem{text: err.Error()}
	}
	if r.StatusCode != http.StatusOK {
		defer r.Body.Close()
		body, err := io.ReadAll(io.LimitReader(r.Body, answerMost))
		if err != nil {
			return nil, err
		}
		return nil, problemOf(r.StatusCode, body)
	}
	kind := r.Header.Get("Content-Type")
	if strings.HasPrefix(kind, "text/csv") {
		kind = "text/csv; charset=utf-8"
	}
	return &download{name: name, kind: kind, stream: r.Body}, nil
}

func exportSummary(v *visit) (*download, error) {
	r, err := v.api.Purser.ExportSummary(v.ctx, &purser.ExportSummaryParams{Month: v.cycle()})
	return handOn(r, err, "bill-"+v.cycle()+".xlsx")
}

func exportDetails(v *visit) (*download, error) {
	r, err := v.api.Purser.ExportDetails(v.ctx, &purser.ExportDetailsParams{Month: v.cycle()})
	return handOn(r, err, "fee-records-"+v.cycle()+".csv")
}

func exportFocus(v *visit) (*download, error) {
	r, err := v.api.Purser.ExportFocus(v.ctx, &purser.ExportFocusParams{Month: v.cycle()})
	return handOn(r, err, "focus-"+v.cycle()+".csv")
}
