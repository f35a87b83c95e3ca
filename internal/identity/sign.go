package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/fault"
)

// algorithm is the one signature algorithm taken; the SDKs' other ones are opt-in there and refused here.
const algorithm = "SDK-HMAC-SHA256"

// dateLayout is the form of X-Sdk-Date, UTC.
const dateLayout = "20060102T150405Z"

// signedMost bounds how many headers a signature may list.
const signedMost = 64

// signature is a parsed Authorization header.
type signature struct {
	access  string
	headers []string // as listed, lower case
	listed  string
	value   string
}

// Refusals of a signature, in the order in which they are looked for. The code is the gateway's (api.md 0.5).
func refuse(text string, args ...any) error {
	return fault.New(fault.Unauthenticated, "APIGW.0301", "Incorrect IAM authentication information: "+text, args...)
}

// parseAuthorization reads "SDK-HMAC-SHA256 Access=…, SignedHeaders=…, Signature=…".
func parseAuthorization(header string) (signature, error) {
	var s signature
	name, rest, ok := strings.Cut(header, " ")
	if !ok || name != algorithm {
		return s, refuse("the Authorization header must begin with %s", algorithm)
	}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Access":
			s.access = value
		case "SignedHeaders":
			s.listed = value
		case "Signature":
			s.value = value
		}
	}
	if s.access == "" || s.listed == "" || s.value == "" {
		return s, refuse("the Authorization header must have Access, SignedHeaders and Signature")
	}
	if strings.Count(s.listed, ";") >= signedMost {
		return s, refuse("too many signed headers")
	}
	s.headers = strings.Split(strings.ToLower(s.listed), ";")
	return s, nil
}

// signedHeader says whether a header is among those signed.
func (s *signature) signedHeader(name string) bool { return slices.Contains(s.headers, name) }

// checkDate refuses a request whose X-Sdk-Date is missing, not signed, malformed or too far from real time.
func (s *signature) checkDate(r *http.Request, real time.Time, skew time.Duration) error {
	text := r.Header.Get("X-Sdk-Date")
	if text == "" || !s.signedHeader("x-sdk-date") {
		return refuse("the X-Sdk-Date header is missing or not signed")
	}
	at, err := time.Parse(dateLayout, text)
	if err != nil {
		return refuse("the X-Sdk-Date header must look like 20260102T150405Z (UTC)")
	}
	if d := real.Sub(at); d > skew || d < -skew {
		return refuse("signature expired: X-Sdk-Date %s is more than %s from the server's time %s", text, skew, real.UTC().Format(dateLayout))
	}
	return nil
}

// verify compares the signature in constant time.
func (s *signature) verify(r *http.Request, body []byte, secret Secret) error {
	want := sign(r, body, s.headers, s.listed, secret)
	if !hmac.Equal([]byte(strings.ToLower(s.value)), want) {
		return refuse("verify aksk signature fail")
	}
	return nil
}

// sign is the signature of a request over the headers listed (api.md 0.3), in lower-case hex.
func sign(r *http.Request, body []byte, headers []string, listed string, secret Secret) []byte {
	b := make([]byte, 0, 1024)
	b = append(b, r.Method...)
	b = append(b, '\n')
	b = appendPath(b, r.URL.Path)
	b = append(b, '\n')
	b = appendQuery(b, r.URL.RawQuery)
	b = append(b, '\n')
	for _, name := range headers {
		b = appendHeader(b, r, name)
	}
	b = append(b, '\n')
	b = append(b, listed...)
	b = append(b, '\n')
	if hash := r.Header.Get("X-Sdk-Content-Sha256"); hash != "" {
		b = append(b, hash...)
	} else {
		sum := sha256.Sum256(body)
		b = hex.AppendEncode(b, sum[:])
	}
	digest := sha256.Sum256(b)
	b = append(b[:0], algorithm...)
	b = append(b, '\n')
	b = append(b, r.Header.Get("X-Sdk-Date")...)
	b = append(b, '\n')
	b = hex.AppendEncode(b, digest[:])
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(b)
	return hex.AppendEncode(nil, mac.Sum(nil))
}

// appendPath appends the path with each segment encoded, always ending in a slash.
func appendPath(b []byte, path string) []byte {
	for i := 0; i < len(path); i++ {
		if path[i] == '/' {
			b = append(b, '/')
			continue
		}
		b = appendEscaped(b, path[i])
	}
	if !strings.HasSuffix(path, "/") {
		b = append(b, '/')
	}
	return b
}

// appendQuery appends the query rebuilt from its decoded values: sorted by name, the values of one name sorted. A
// wire query may come unsorted, raw, or with a bare name ("a" was signed as "a=").
func appendQuery(b []byte, raw string) []byte {
	if raw == "" {
		return b
	}
	type pair struct{ name, value string }
	var few [8]pair
	pairs := few[:0]
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		pairs = append(pairs, pair{decoded(name), decoded(value)})
	}
	slices.SortFunc(pairs, func(x, y pair) int {
		if c := strings.Compare(x.name, y.name); c != 0 {
			return c
		}
		return strings.Compare(x.value, y.value)
	})
	for i, p := range pairs {
		if i > 0 {
			b = append(b, '&')
		}
		b = appendText(b, p.name)
		b = append(b, '=')
		b = appendText(b, p.value)
	}
	return b
}

// decoded undoes percent-encoding; text that is not well encoded is taken as it is.
func decoded(text string) string {
	if !strings.ContainsAny(text, "%+") {
		return text
	}
	if out, err := url.QueryUnescape(text); err == nil {
		return out
	}
	return text
}

func appendText(b []byte, text string) []byte {
	for i := 0; i < len(text); i++ {
		b = appendEscaped(b, text[i])
	}
	return b
}

const hexDigits = "0123456789ABCDEF"

// appendEscaped leaves only unreserved characters (RFC 3986) as they are.
func appendEscaped(b []byte, c byte) []byte {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.', c == '~':
		return append(b, c)
	}
	return append(b, '%', hexDigits[c>>4], hexDigits[c&15])
}

// appendHeader appends the lines of one signed header: one a value, sorted. The server finds the host apart.
func appendHeader(b []byte, r *http.Request, name string) []byte {
	if name == "host" {
		return appendLine(b, name, r.Host)
	}
	values := r.Header.Values(name)
	switch {
	case name == "content-length" && len(values) == 0:
		values = []string{strconv.FormatInt(r.ContentLength, 10)} // the server has taken it out of the header
	case len(values) > 1:
		values = slices.Clone(values)
		slices.Sort(values)
	case len(values) == 0:
		values = absent
	}
	for _, value := range values {
		b = appendLine(b, name, value)
	}
	return b
}

var absent = []string{""}

func appendLine(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ':')
	b = append(b, strings.TrimSpace(value)...)
	return append(b, '\n')
}
