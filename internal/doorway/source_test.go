package doorway

import (
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestOrigin(t *testing.T) {
	f := &Frame{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
	for _, c := range []struct {
		what, peer, want string
		forwarded        []string
		inside, console  bool
	}{
		{"nobody in between", "198.51.100.1:4000", "198.51.100.1", nil, false, false},
		{"somebody who claims", "198.51.100.1:4000", "198.51.100.1", []string{"192.0.2.9"}, false, false},
		{"a proxy", "10.1.1.1:4000", "192.0.2.9", []string{"192.0.2.9"}, false, false},
		{"a proxy that says nothing", "10.1.1.1:4000", "10.1.1.1", nil, false, false},
		{"a client that claims through a proxy", "10.1.1.1:4000", "192.0.2.9", []string{"203.0.113.66, 192.0.2.9"}, false, false},
		{"two proxies, two headers", "10.1.1.1:4000", "192.0.2.9", []string{"203.0.113.66,192.0.2.9", "10.2.2.2"}, false, false},
		{"rubbish behind a proxy", "10.1.1.1:4000", "10.2.2.2", []string{"192.0.2.9, what, 10.2.2.2"}, false, false},
		{"with ports, IPv6", "[fd00::1]:4000", "2001:db8::7", []string{"[2001:db8::7]:443"}, false, false},
		{"mapped", "[::ffff:10.1.1.1]:4000", "192.0.2.9", []string{"::ffff:192.0.2.9"}, false, false},
		{"the house's own pages", "pipe", "192.0.2.9", []string{"192.0.2.9"}, true, true},
		{"the pages behind a proxy", "pipe", "192.0.2.9", []string{"192.0.2.9, 10.3.3.3"}, true, true},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		r.Header.Set("X-Purser-Console", "1") // only the house itself is believed
		for _, line := range c.forwarded {
			r.Header.Add("X-Forwarded-For", line)
		}
		if c.inside {
			r = r.WithContext(Inside(r.Context()))
		}
		if got, console := f.origin(r); got != c.want || console != c.console {
			t.Errorf("%s: %s %v, want %s %v", c.what, got, console, c.want, c.console)
		}
	}
}
