// Package client speaks the contracts of api/: it signs requests with an access key and holds one generated
// client per contract. It imports nothing of the house, so it is also the example to copy: point Endpoint at
// purser, or at any other server of the same API.
//
// It does not retry and keeps no state but the HTTP connections of its http.Client.
package client

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"

	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/client/cts"
	"github.com/purser-cloud/purser/client/eps"
	"github.com/purser-cloud/purser/client/iam"
	"github.com/purser-cloud/purser/client/purser"
)

// Credential is an access key; SecurityToken goes with a temporary one. With Token the request is not signed but
// carries that IAM token.
type Credential struct {
	AccessKey, SecretKey, SecurityToken string
	DomainID                            string // sent and signed when set
	Token                               string
}

// Client holds a client of each contract.
type Client struct {
	BSS    *bss.ClientWithResponses
	IAM    *iam.ClientWithResponses
	EPS    *eps.ClientWithResponses
	CTS    *cts.ClientWithResponses
	Purser *purser.ClientWithResponses
}

// New makes the clients for an endpoint ("http://127.0.0.1:8080"). A nil doer is http.DefaultClient; a nil clock is
// real time, which must be within 15 minutes of the server's.
func New(endpoint string, credential Credential, doer *http.Client, clock func() time.Time) (*Client, error) {
	if doer == nil {
		doer = http.DefaultClient
	}
	if clock == nil {
		clock = time.Now
	}
	edit := func(_ context.Context, r *http.Request) error { return credential.Apply(r, clock()) }
	var c Client
	var errs [5]error
	c.BSS, errs[0] = bss.NewClientWithResponses(endpoint, bss.WithHTTPClient(doer), bss.WithRequestEditorFn(edit))
	c.IAM, errs[1] = iam.NewClientWithResponses(endpoint, iam.WithHTTPClient(doer), iam.WithRequestEditorFn(edit))
	c.EPS, errs[2] = eps.NewClientWithResponses(endpoint, eps.WithHTTPClient(doer), eps.WithRequestEditorFn(edit))
	c.CTS, errs[3] = cts.NewClientWithResponses(endpoint, cts.WithHTTPClient(doer), cts.WithRequestEditorFn(edit))
	c.Purser, errs[4] = purser.NewClientWithResponses(endpoint, purser.WithHTTPClient(doer), purser.WithRequestEditorFn(edit))
	return &c, errors.Join(errs[:]...)
}

// Apply puts the credential on a request: the token, or a signature of algorithm SDK-HMAC-SHA256.
func (c Credential) Apply(r *http.Request, now time.Time) error {
	if c.Token != "" {
		r.Header.Set("X-Auth-Token", c.Token)
		return nil
	}
	if c.AccessKey == "" {
		return nil
	}
	return c.Sign(r, now)
}

// Sign signs the request as it is. Headers added later are not signed; a body read here is put back.
func (c Credential) Sign(r *http.Request, now time.Time) error {
	body, err := peek(r)
	if err != nil {
		return fmt.Errorf("sign the request: %w", err)
	}
	date := now.UTC().Format("20060102T150405Z")
	r.Header.Set("X-Sdk-Date", date)
	if c.DomainID != "" {
		r.Header.Set("X-Domain-Id", c.DomainID)
	}
	if c.SecurityToken != "" {
		r.Header.Set("X-Security-Token", c.SecurityToken)
	}
	names := []string{"host"}
	for name := range r.Header {
		names = append(names, strings.ToLower(name))
	}
	sort.Strings(names)
	signed := strings.Join(names, ";")
	sum := sha256.Sum256(body)
	canonical := strings.Join([]string{
		r.Method, canonicalPath(r.URL.Path), canonicalQuery(r.URL.Query()), canonicalHeaders(r, names), signed, hex.EncodeToString(sum[:]),
	}, "\n")
	digest := sha256.Sum256([]byte(canonical))
	mac := hmac.New(sha256.New, []byte(c.SecretKey))
	fmt.Fprintf(mac, "SDK-HMAC-SHA256\n%s\n%x", date, digest)
	r.Header.Set("Authorization", fmt.Sprintf("SDK-HMAC-SHA256 Access=%s, SignedHeaders=%s, Signature=%x", c.AccessKey, signed, mac.Sum(nil)))
	return nil
}

func peek(r *http.Request) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, r.Context().Err()
}

func canonicalPath(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = escape(s)
	}
	out := strings.Join(segments, "/")
	if !strings.HasSuffix(out, "/") {
		out += "/"
	}
	return out
}

func canonicalQuery(values url.Values) string {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	sort.Strings(names)
	var pairs []string
	for _, name := range names {
		list := append([]string(nil), values[name]...)
		sort.Strings(list)
		for _, value := range list {
			pairs = append(pairs, escape(name)+"="+escape(value))
		}
	}
	return strings.Join(pairs, "&")
}

func canonicalHeaders(r *http.Request, names []string) string {
	var b strings.Builder
	for _, name := range names {
		if name == "host" {
			host := r.Host
			if host == "" {
				host = r.URL.Host
			}
			b.WriteString("host:" + host + "\n")
			continue
		}
		values := append([]string(nil), r.Header.Values(name)...)
		sort.Strings(values)
		for _, value := range values {
			b.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
		}
	}
	return b.String()
}

// escape is the percent-encoding of the signature: only unreserved characters stay.
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
