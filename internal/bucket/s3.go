package bucket

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// s3 is a bucket of a service that speaks S3. Requests are signed with AWS Signature Version 4.
type s3 struct {
	scheme, host, bucket, prefix, region string
	hosted                               bool
	keys                                 Keys
	clock                                func() time.Time
	client                               *http.Client
}

// Bounds of a request.
const (
	answerMost = 16 << 20 // of a list or a refusal, bytes
	tries      = 3
	firstPause = 200 * time.Millisecond
)

func newClient() *http.Client {
	return &http.Client{
		Timeout:       15 * time.Minute,
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

const metaHeader = "X-Amz-Meta-"

func (s *s3) Put(ctx context.Context, key string, body io.ReadSeeker, meta map[string]string) error {
	if err := check(key); err != nil {
		return err
	}
	sum := sha256.New()
	size, err := io.Copy(sum, body)
	if err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	header := http.Header{}
	for name, value := range meta {
		header.Set(metaHeader+name, value)
	}
	answer, err := s.do(ctx, http.MethodPut, s.prefix+key, nil, header, body, size, hex.EncodeToString(sum.Sum(nil)))
	if err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	return answer.Body.Close()
}

func (s *s3) Get(ctx context.Context, key string) (io.ReadCloser, map[string]string, error) {
	if err := check(key); err != nil {
		return nil, nil, err
	}
	answer, err := s.do(ctx, http.MethodGet, s.prefix+key, nil, http.Header{}, nil, 0, emptyHash)
	if err != nil {
		return nil, nil, fmt.Errorf("get %s: %w", key, err)
	}
	meta := map[string]string{}
	for name := range answer.Header {
		if rest, ok := strings.CutPrefix(name, metaHeader); ok {
			meta[strings.ToLower(rest)] = answer.Header.Get(name)
		}
	}
	return answer.Body, meta, nil
}

func (s *s3) Delete(ctx context.Context, key string) error {
	if err := check(key); err != nil {
		return err
	}
	answer, err := s.do(ctx, http.MethodDelete, s.prefix+key, nil, http.Header{}, nil, 0, emptyHash)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return answer.Body.Close()
}

// listing is a page of ListObjectsV2.
type listing struct {
	Contents []struct {
		Key  string
		Size int64
	}
	NextContinuationToken string
	IsTruncated           bool
}

func (s *s3) List(ctx context.Context, prefix string, each func(Object) error) error {
	query := url.Values{"list-type": {"2"}, "prefix": {s.prefix + prefix}}
	for {
		answer, err := s.do(ctx, http.MethodGet, "", query, http.Header{}, nil, 0, emptyHash)
		if err != nil {
			return fmt.Errorf("list %s: %w", prefix, err)
		}
		var page listing
		err = xml.NewDecoder(io.LimitReader(answer.Body, answerMost)).Decode(&page)
		if err = errors.Join(err, answer.Body.Close()); err != nil {
			return fmt.Errorf("list %s: %w", prefix, err)
		}
		for _, o := range page.Contents {
			if err := each(Object{strings.TrimPrefix(o.Key, s.prefix), o.Size}); err != nil {
				return err
			}
		}
		if !page.IsTruncated || page.NextContinuationToken == "" {
			return nil
		}
		query.Set("continuation-token", page.NextContinuationToken)
	}
}

var emptyHash = hex.EncodeToString(sha256.New().Sum(nil))

// do makes one request, again when the service is overtaxed or cannot be reached. An answer that is not 2xx is an error.
func (s *s3) do(ctx context.Context, method, key string, query url.Values, header http.Header, body io.ReadSeeker, size int64, hash string) (*http.Response, error) {
	host, path := s.host, "/"+s.bucket+"/"+key
	if s.hosted {
		host, path = s.bucket+"."+s.host, "/"+key
	}
	if key == "" && !s.hosted {
		path = "/" + s.bucket
	}
	pause := firstPause
	for try := 1; ; try++ {
		var content io.Reader
		if body != nil {
			if _, err := body.Seek(0, io.SeekStart); err != nil {
				return nil, err
			}
			content = io.NopCloser(body)
		}
		r, err := http.NewRequestWithContext(ctx, method, s.scheme+"://"+host, content)
		if err != nil {
			return nil, err
		}
		r.URL.Path, r.URL.RawPath, r.URL.RawQuery = path, escape(path, true), canonicalQuery(query)
		r.Header = header.Clone()
		if r.ContentLength = size; size == 0 {
			r.Body = nil
		}
		s.sign(r, hash)
		answer, err := s.client.Do(r)
		if err == nil && answer.StatusCode/100 == 2 {
			return answer, nil
		}
		again := err != nil && ctx.Err() == nil
		if err == nil {
			text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
			answer.Body.Close() //nolint:errcheck // it was read as far as it matters
			if answer.StatusCode == http.StatusNotFound && key != "" && !bytes.Contains(text, []byte("NoSuchBucket")) {
				return nil, fmt.Errorf("%w: %s", ErrNotFound, key)
			}
			again = answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests
			err = fmt.Errorf("%s %s: %s %s", method, path, answer.Status, bytes.TrimSpace(text))
		}
		if !again || try == tries {
			return nil, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		pause *= 4
	}
}

// sign adds the signature over every header that the request has.
func (s *s3) sign(r *http.Request, hash string) {
	now := s.clock().UTC()
	stamp, day := now.Format("20060102T150405Z"), now.Format("20060102")
	r.Header.Set("X-Amz-Date", stamp)
	r.Header.Set("X-Amz-Content-Sha256", hash)
	if s.keys.Token != "" {
		r.Header.Set("X-Amz-Security-Token", s.keys.Token)
	}
	names := []string{"host"}
	for name := range r.Header {
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString(r.Method + "\n" + escape(r.URL.Path, true) + "\n" + r.URL.RawQuery + "\n")
	for _, name := range names {
		value := r.URL.Host
		if name != "host" {
			value = strings.Join(r.Header.Values(name), ",")
		}
		b.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
	}
	signed := strings.Join(names, ";")
	b.WriteString("\n" + signed + "\n" + hash)
	sum := sha256.Sum256([]byte(b.String()))
	scope := day + "/" + s.region + "/s3/aws4_request"
	key := mac([]byte("AWS4"+s.keys.Secret), day)
	for _, part := range []string{s.region, "s3", "aws4_request"} {
		key = mac(key, part)
	}
	signature := hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n"+stamp+"\n"+scope+"\n"+hex.EncodeToString(sum[:])))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+s.keys.Access+"/"+scope+", SignedHeaders="+signed+", Signature="+signature)
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// canonicalQuery is the query as it is signed and sent.
func canonicalQuery(query url.Values) string {
	names := make([]string, 0, len(query))
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = escape(name, false) + "=" + escape(query.Get(name), false)
	}
	return strings.Join(parts, "&")
}

// escape percent-encodes everything but letters, digits and -._~, and slashes in a path.
func escape(text string, path bool) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0, path && c == '/':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
