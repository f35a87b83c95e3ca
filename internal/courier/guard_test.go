package courier

import (
	"net/netip"
	"testing"
)

func TestGuard(t *testing.T) {
	inside := []string{
		"127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.1", "198.18.0.1",
		"224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "ff02::1", "fec0::1",
		"::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
		"2002:0a00:0001::1", "2001:0:53aa:64c::1", "2001:db8::1", "100::1",
	}
	for _, text := range inside {
		if guard(netip.MustParseAddr(text), nil) == nil {
			t.Errorf("%s may be called", text)
		}
	}
	for _, text := range []string{"8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::8.8.8.8", "2002:0808:0808::1", "::ffff:8.8.8.8"} {
		if err := guard(netip.MustParseAddr(text), nil); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	open := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
	for text, ok := range map[string]bool{"10.1.2.3": true, "::ffff:10.1.2.3": true, "64:ff9b::10.1.2.3": true, "10.2.0.1": false, "127.0.0.1": false} {
		if err := guard(netip.MustParseAddr(text), open); (err == nil) != ok {
			t.Errorf("%s with 10.1.0.0/16 open: %v", text, err)
		}
	}
}
