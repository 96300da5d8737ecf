package outbound

import (
	"net/netip"
	"testing"
)

func TestPolicy_Public(t *testing.T) {
	p := policy{public: true}
	for _, a := range []string{
		"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.167.1.1", "223.255.255.255",
		"2606:4700::1111", "2a00:1450::8a", "2001:200::1", "::ffff:1.1.1.1",
	} {
		if !p.permits(netip.MustParseAddr(a)) {
			t.Errorf("%s is public and is refused", a)
		}
	}
	for _, a := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "100.127.255.255", "127.0.0.1", "127.255.0.1",
		"169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1",
		"198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.250", "240.0.0.1",
		"255.255.255.255", "168.63.129.16",
		"::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1",
		"64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1", "100::1",
		"2001::1", "2001:0:7f00:1::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::1", "2002:808:808::1", "3fff::1",
		"2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:127.0.0.1",
		"4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2606:4700::1%eth0",
	} {
		if p.permits(netip.MustParseAddr(a)) {
			t.Errorf("%s is permitted", a)
		}
	}
	if p.permits(netip.Addr{}) {
		t.Error("no address is permitted")
	}
}

func TestPolicy_Allowed(t *testing.T) {
	nets := func(ss ...string) (out []netip.Prefix) {
		for _, s := range ss {
			out = append(out, netip.MustParsePrefix(s))
		}
		return normal(out)
	}
	for _, c := range []struct {
		allow  []netip.Prefix
		public bool
		addr   string
		want   bool
	}{
		{nets("10.1.0.0/16"), true, "10.1.2.3", true},
		{nets("10.1.0.0/16"), true, "10.2.0.1", false},
		{nets("10.1.0.0/16"), true, "::ffff:10.1.2.3", true},
		{nets("10.1.2.3/16"), true, "10.1.9.9", true},
		{nets("::ffff:10.1.0.0/112"), true, "10.1.2.3", true},
		{nets("10.1.0.0/16"), true, "1.1.1.1", true},
		{nets("10.1.0.0/16"), false, "1.1.1.1", false}, // where TLS is not asked for
		{nets("10.1.0.0/16"), true, "64:ff9b::a01:203", false},
		{nets("64:ff9b::/96"), true, "64:ff9b::808:808", true},
		{nets("64:ff9b::/96"), true, "64:ff9b::a01:203", false}, // the translator is allowed, what it leads to is not
		{nets("64:ff9b::/96", "10.1.0.0/16"), true, "64:ff9b::a01:203", true},
		{nets("2002::/16"), true, "2002:7f00:1::1", false},
		{nets("::1/128"), true, "::1", true},
		{nets("::1/128"), true, "127.0.0.1", false},
		{nets("0.0.0.0/0"), true, "::1", false},
		{nets("::/0"), true, "127.0.0.1", false},
		{nets("fe80::/10"), true, "fe80::1%eth0", false},
		{normal([]netip.Prefix{{}}), true, "127.0.0.1", false},
	} {
		if got := (policy{c.public, c.allow}).permits(netip.MustParseAddr(c.addr)); got != c.want {
			t.Errorf("%s with %v allowed, public %v: %v", c.addr, c.allow, c.public, got)
		}
	}
}

// What the kernel is given is checked, even if everything before were wrong.
func TestDialer_Control(t *testing.T) {
	d := &dialer{policy: policy{public: true}}
	for _, a := range []string{"127.0.0.1:80", "[::ffff:10.0.0.1]:443", "[::1]:443", "[fe80::1%eth0]:443", "example.com:443", ""} {
		if d.control("tcp", a, nil) == nil {
			t.Errorf("connects to %q", a)
		}
	}
	if err := d.control("tcp", "1.1.1.1:443", nil); err != nil {
		t.Error(err)
	}
}
