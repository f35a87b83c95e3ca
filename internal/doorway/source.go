package doorway

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

type insideKey struct{}

// Inside marks the context of a request that a part of the house makes itself (its pages, for somebody outside): what it says
// about whom it is for is believed.
func Inside(ctx context.Context) context.Context { return context.WithValue(ctx, insideKey{}, true) }

// fromInside says whether a request was marked; nothing in a request from outside can.
func fromInside(r *http.Request) bool { return r.Context().Value(insideKey{}) != nil }

// origin says where a request comes from, and whether through the house's own pages. X-Forwarded-For is read from its end, as long
// as the one who wrote the entry is believed: the house itself or a proxy of the settings. What else claims to be there is
// anybody's writing.
func (f *Frame) origin(r *http.Request) (source string, console bool) {
	peer := peerOf(r)
	inside := fromInside(r)
	console = inside && r.Header.Get("X-Purser-Console") != ""
	if !inside && !f.proxy(peer) {
		return peer, console
	}
	entries := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(entries) - 1; i >= 0; i-- {
		address, ok := addressOf(strings.TrimSpace(entries[i]))
		if !ok {
			break
		}
		if peer = address.String(); !f.proxy(peer) {
			break
		}
	}
	return peer, console
}

// proxy says whether an address is one of the proxies in front of the house.
func (f *Frame) proxy(peer string) bool {
	if len(f.Proxies) == 0 {
		return false
	}
	address, err := netip.ParseAddr(peer)
	if err != nil {
		return false
	}
	address = address.Unmap().WithZone("")
	for _, p := range f.Proxies {
		if p.Contains(address) {
			return true
		}
	}
	return false
}

// addressOf reads an address with or without a port.
func addressOf(text string) (netip.Addr, bool) {
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at.Addr().Unmap().WithZone(""), true
	}
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return address.Unmap().WithZone(""), err == nil
}

// peerOf is the network address that a request came from.
func peerOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
