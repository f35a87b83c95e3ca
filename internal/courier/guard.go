package courier

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// refused are ranges that no address given from outside may lead to, and v4 tells where an IPv6 range carries an IPv4
// address (RFC 6890 and what came after it).
var refused = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"::/128", "::1/128", "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

// Ranges whose addresses carry an IPv4 address, and at which byte.
var carriers = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, // NAT64
	{netip.MustParsePrefix("2002::/16"), 2},     // 6to4
}

func prefixes(texts ...string) (out []netip.Prefix) {
	for _, text := range texts {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

// guard says whether an address may be called; open ranges are let through.
func guard(address netip.Addr, open []netip.Prefix) error {
	address = address.Unmap().WithZone("")
	for _, p := range open {
		if p.Contains(address) {
			return nil
		}
	}
	for _, p := range refused {
		if p.Contains(address) {
			return fmt.Errorf("address %s is not one to call: %s", address, p)
		}
	}
	for _, c := range carriers {
		if c.prefix.Contains(address) {
			b := address.As16()
			return guard(netip.AddrFrom4([4]byte(b[c.at:c.at+4])), open)
		}
	}
	return nil
}

// Transport is the one way out of the house: it looks at the address after names are resolved, at the moment of
// dialling, so that no name, redirect or later answer of a name server leads inside. Proxies of the environment are not
// used: they would dial instead.
func Transport(open []netip.Prefix) *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: func(network, address string, _ syscall.RawConn) error {
		if network != "tcp4" && network != "tcp6" {
			return fmt.Errorf("network %s is not one to call", network)
		}
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return guard(at.Addr(), open)
	}}
	return &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 10 * time.Second, MaxIdleConnsPerHost: 4,
		IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10,
	}
}
