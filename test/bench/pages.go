package main

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"slices"
	"time"
)

// Bars of the pages (issue 8): calls of the API for a page, and what is transferred for it, with style and script for the first.
const (
	pageCalls = 8
	pageBytes = 150 << 10
)

var (
	pageLinks  = regexp.MustCompile(`<nav id="nav"[\s\S]*?</nav>`)
	pageLink   = regexp.MustCompile(`href="(/[^"]*)"`)
	pageAssets = regexp.MustCompile(`(?:href|src)="(/assets/[^"]*)"`)
	pageCall   = regexp.MustCompile(`<code class="verb">([A-Z]+)</code>\s*<code>([^<]*)</code>\s*<span class="dim">([A-Za-z]+)</span>`)
)

// runPages measures the pages of a demo cloud.
func runPages(purser string) error {
	dir, err := os.MkdirTemp("", "purser-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	server, d, err := startPurser(purser, dir)
	if err != nil {
		return err
	}
	defer stop(server)
	lines, err := benchPages(d)
	if err != nil {
		return err
	}
	return report(lines)
}

// benchPages visits every page of the navigation as a customer and as the operator.
func benchPages(d demo) (lines []line, err error) {
	for _, who := range []struct {
		name string
		holder
	}{{"customer", d.Customers[0]}, {"operator", d.Operator}} {
		jar, err := cookiejar.New(nil)
		if err != nil {
			return nil, err
		}
		b := &visitor{at: d.Endpoint, client: http.Client{Jar: jar}}
		if _, err := b.fetch("/signin", url.Values{"account": {who.DomainName}, "user": {who.User}, "password": {who.Password}}); err != nil {
			return nil, err
		}
		front, err := b.fetch("/", nil)
		if err != nil {
			return nil, err
		}
		first := len(front)
		for _, m := range pageAssets.FindAllStringSubmatch(front, -1) {
			asset, err := b.fetch(html.UnescapeString(m[1]), nil)
			if err != nil {
				return nil, err
			}
			first += len(asset)
		}
		pages, calls, most, largest, looped := 0, "", 0, 0, ""
		var took []time.Duration
		for _, m := range pageLink.FindAllStringSubmatch(pageLinks.FindString(front), -1) {
			began := time.Now()
			text, err := b.fetch(m[1], nil)
			if err != nil {
				return nil, err
			}
			took = append(took, time.Since(began))
			pages++
			largest = max(largest, len(text))
			seen := map[string]int{}
			made := pageCall.FindAllStringSubmatch(text, -1)
			if len(made) == 0 {
				return nil, fmt.Errorf("%s shows no calls", m[1])
			}
			for _, one := range made { // an operation may be called for two months, say, but not for each row
				if seen[one[3]]++; seen[one[3]] > 2 {
					looped = m[1] + " " + one[3]
				}
			}
			if len(made) > most {
				most, calls = len(made), m[1]
			}
		}
		if pages < 10 {
			return nil, fmt.Errorf("only %d pages in the navigation of the %s", pages, who.name)
		}
		slices.Sort(took)
		if looped != "" {
			calls += ", again: " + looped
		}
		lines = append(lines,
			line{fmt.Sprintf("%s: most API calls of %d pages (%s)", who.name, pages, calls), fmt.Sprint(most), "-", "-", fmt.Sprint(pageCalls), most <= pageCalls && looped == ""},
			line{fmt.Sprintf("%s: first page with style and script; largest", who.name), fmt.Sprintf("%d; %d KiB", first>>10, largest>>10), "-", "-", "150 KiB", max(first, largest) < pageBytes},
			line{fmt.Sprintf("%s: a page, the middle one of all", who.name), took[len(took)/2].Round(10 * time.Microsecond).String(), "-", "-", "-", true},
		)
	}
	return lines, nil
}

// visitor is a browser as far as pages can be read without one.
type visitor struct {
	at     string
	client http.Client
}

// fetch reads a page, or sends a form and reads where that leads.
func (b *visitor) fetch(path string, form url.Values) (string, error) {
	var r *http.Response
	var err error
	if form != nil {
		r, err = b.client.PostForm(b.at+path, form)
	} else {
		r, err = b.client.Get(b.at + path)
	}
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, r.Status)
	}
	return string(text), err
}
